/* A span of whole UTC hours as people name it. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* "2026-10", "2026-10-05", or two times as "2026-10-05T08:00:00Z/2026-10-05T20:00:00+08:00", the end excluded,
 * both on whole hours of UTC. The result is in hours since 1970, from < to. */
bool period_parse(const char *text, int64_t *ret_from, int64_t *ret_to);
/* What a person is told who named another. */
#define PERIOD_EXPECTED                                                   \
    "expected a month (2026-10), a day (2026-10-05), or two whole hours " \
    "(2026-10-05T08:00:00Z/2026-10-05T20:00:00Z)"
