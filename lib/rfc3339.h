/* Times as people write them in settings and requests: RFC 3339 with an offset, 2026-01-01T00:00:00+08:00. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* The whole text: a real date and time of the years 1970 to 9999, at most nine decimals of a second, and `Z`
 * or an offset (a time without one would mean something else on every machine). No leap second. UTC in
 * milliseconds: what is finer is cut. */
bool rfc3339_parse(const char *text, int64_t *ret_ms);
