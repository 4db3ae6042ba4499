/*
 * A first reading of a settings file's text, before libconfig's own: it mends what libconfig 1.5 gets wrong silently or
 * would stop at. Integer literals beyond 32 bits, which libconfig wraps around, get their `L`; the second
 * occurrence of a key in a group, at which libconfig gives up, is reported and renamed, so that the rest is checked in the same run.
 */
#pragma once

#include "lib/buf.h"

#include <stdbool.h>

/* Keys with this prefix are renamed duplicates: already reported, to be skipped. */
#define CONF_SCAN_DUPLICATE "*duplicate"

/* Called for each mistake found; `text` is what is wrong and what is expected. */
typedef void conf_scan_problem(void *context, int line, const char *text);

/* Appends the mended text to `out`; line numbers do not change. */
void conf_scan(const char *text, struct buf *out, conf_scan_problem *problem, void *context);
