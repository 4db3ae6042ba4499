#include "collector/store/period.h"

#include "collector/store/hours.h"
#include "lib/rfc3339.h"

#include <stdio.h>
#include <string.h>

static bool parse_hour(const char *text, int64_t *ret)
{
    int64_t time_ms;
    if (!rfc3339_parse(text, &time_ms) || time_ms % HOUR_MS != 0)
        return false;
    *ret = time_ms / HOUR_MS;
    return true;
}

static bool parse_month(const char *text, int64_t *ret_from, int64_t *ret_to)
{
    int year, month;
    char begin[40], end[40];
    if (sscanf(text, "%4d-%2d", &year, &month) != 2 || year < 0 || month < 1)
        return false;
    snprintf(begin, sizeof begin, "%s-01T00:00:00Z", text);
    snprintf(end, sizeof end, "%04d-%02d-01T00:00:00Z", month < 12 ? year : year + 1, month % 12 + 1);
    return parse_hour(begin, ret_from) && parse_hour(end, ret_to);
}

static bool parse_day(const char *text, int64_t *ret_from, int64_t *ret_to)
{
    char begin[40];
    snprintf(begin, sizeof begin, "%sT00:00:00Z", text);
    if (!parse_hour(begin, ret_from))
        return false;
    *ret_to = *ret_from + 24;
    return true;
}

bool period_parse(const char *text, int64_t *ret_from, int64_t *ret_to)
{
    size_t length = strlen(text);
    if (length == strlen("2026-10"))
        return parse_month(text, ret_from, ret_to);
    if (length == strlen("2026-10-05"))
        return parse_day(text, ret_from, ret_to);
    char from[40];
    const char *slash = strchr(text, '/');
    if (slash == NULL || (size_t)(slash - text) >= sizeof from)
        return false;
    snprintf(from, sizeof from, "%.*s", (int)(slash - text), text);
    return parse_hour(from, ret_from) && parse_hour(slash + 1, ret_to) && *ret_from < *ret_to;
}
