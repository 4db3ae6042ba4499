/*
 * A first reading of a settings file's text, before libconfig's own. libconfig 1.5 stops at its first syntax
 * error, says no more than "syntax error", and accepts in silence what nobody meant: 3000000000 and
 * 0xffffffff wrap around, two strings in a row become one, a quote that is never closed swallows the lines
 * below, an @include reads another file. This reads the same language, tells each such mistake with its line
 * and path, and hands on a mended text in which the rest can be checked in the same run.
 */
#pragma once

#include "lib/buf.h"

#include <stdbool.h>

/* What stands in the mended text where a mistake was told: a key with this prefix is a duplicate, and a
 * string that is CONF_SCAN_REPORTED replaces a value that cannot be read. Only where a mistake was told: else
 * they are the file's own. */
#define CONF_SCAN_DUPLICATE "*duplicate"
#define CONF_SCAN_REPORTED "\001"

/* Called for each mistake: the path of the thing, "" where it is none, and what is wrong; what is expected.
 */
typedef void conf_scan_problem(void *context, int line, const char *path, const char *text);

/* Appends the mended text to `out`, in which every thing stands in the line in which it stood. False after a
 * mistake beyond which nothing can be understood (brackets that do not match, say): `out` is then not worth
 * parsing. */
bool conf_scan(const char *text, struct buf *out, conf_scan_problem *problem, void *context);
