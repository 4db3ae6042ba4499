#include "collector/model/opening.h"

#include <string.h>

#define DAY_MIN 1440
#define MINUTE_MS INT64_C(60000)
#define DAY_MS (DAY_MIN * MINUTE_MS)

static const char days[7][4] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};

/* ---- text ---- */

static bool take(const char **at, const char *what)
{
    size_t length = strlen(what);
    if (strncmp(*at, what, length) != 0)
        return false;
    *at += length;
    return true;
}

static int take_day(const char **at)
{
    for (int day = 0; day < 7; day++)
        if (take(at, days[day]))
            return day;
    return -1;
}

/* "Mon ", "Mon-Fri ", or nothing, which is every day. */
static bool take_days(const char **at, uint8_t *ret)
{
    int first = take_day(at);
    if (first < 0) {
        *ret = 0x7f;
        return true;
    }
    int last = take(at, "-") ? take_day(at) : first;
    if (last < first || !take(at, " "))
        return false;
    *ret = (uint8_t)((1 << (last + 1)) - (1 << first));
    return true;
}

/* HH:MM */
static bool take_minute(const char **at, int16_t *ret)
{
    const char *t = *at;
    for (int i = 0; i < 5; i++)
        if (i == 2 ? t[i] != ':' : t[i] < '0' || t[i] > '9')
            return false;
    int hour = (t[0] - '0') * 10 + (t[1] - '0'), minute = (t[3] - '0') * 10 + (t[4] - '0');
    *ret = (int16_t)(hour * 60 + minute);
    *at += 5;
    return minute < 60 && *ret <= DAY_MIN;
}

static bool overlaps(const struct opening *o, const struct opening_row *row)
{
    for (int i = 0; i < o->count; i++)
        if ((o->rows[i].days & row->days) != 0 && o->rows[i].from_min < row->until_min &&
            row->from_min < o->rows[i].until_min)
            return true;
    return false;
}

bool opening_parse(const char *text, struct opening *ret)
{
    struct opening o = {.count = 0};
    for (const char *at = text; at != NULL && (*at != '\0' || o.count == 0);) {
        struct opening_row row;
        if (o.count == OPENING_ROWS || (o.count > 0 && !take(&at, ", ")))
            return false;
        if (!take_days(&at, &row.days) || !take_minute(&at, &row.from_min) || !take(&at, "-") ||
            !take_minute(&at, &row.until_min) || row.from_min >= row.until_min || overlaps(&o, &row))
            return false;
        o.rows[o.count++] = row;
    }
    *ret = o;
    return true;
}

/* ---- time ---- */

static int64_t wall_ms(const struct zone *zone, int64_t time_ms)
{
    return time_ms + (int64_t)zone_offset_s(zone, time_ms) * 1000;
}

static bool is_open(const struct opening *o, const struct zone *zone, int64_t time_ms)
{
    int64_t wall = wall_ms(zone, time_ms), day = wall / DAY_MS - (wall % DAY_MS < 0);
    int64_t of_day_ms = wall - day * DAY_MS;
    int weekday = (int)(((day + 3) % 7 + 7) % 7); /* 1970-01-01 was a Thursday */
    for (int i = 0; i < o->count; i++)
        if ((o->rows[i].days & 1 << weekday) != 0 && o->rows[i].from_min * MINUTE_MS <= of_day_ms &&
            of_day_ms < o->rows[i].until_min * MINUTE_MS)
            return true;
    return o->count == 0;
}

/* The next instant after this one at which it may change: an end of a row, midnight, or when the clocks are changed. */
static int64_t next_edge(const struct opening *o, const struct zone *zone, int64_t time_ms)
{
    int64_t wall = wall_ms(zone, time_ms), day = wall / DAY_MS - (wall % DAY_MS < 0);
    int64_t of_day_ms = wall - day * DAY_MS, nearest_ms = DAY_MS;
    for (int i = 0; i < o->count; i++) {
        const int64_t ends_ms[] = {o->rows[i].from_min * MINUTE_MS, o->rows[i].until_min * MINUTE_MS};
        for (int e = 0; e < 2; e++)
            if (ends_ms[e] > of_day_ms && ends_ms[e] < nearest_ms)
                nearest_ms = ends_ms[e];
    }
    int64_t edge_ms = time_ms + nearest_ms - of_day_ms;
    /* No zone changes its offset and takes that back within a day. */
    int32_t offset_s = zone_offset_s(zone, time_ms);
    if (zone_offset_s(zone, edge_ms) == offset_s)
        return edge_ms;
    int64_t same_ms = time_ms, other_ms = edge_ms;
    while (other_ms - same_ms > 1) {
        int64_t middle_ms = same_ms + (other_ms - same_ms) / 2;
        *(zone_offset_s(zone, middle_ms) == offset_s ? &same_ms : &other_ms) = middle_ms;
    }
    return other_ms;
}

struct opening_now opening_at(const struct opening *opening, const struct zone *zone, int64_t time_ms)
{
    struct opening_now now = {is_open(opening, zone, time_ms), INT64_MAX};
    for (int64_t at_ms = time_ms; opening->count > 0 && at_ms - time_ms < OPENING_AHEAD_MS;) {
        at_ms = next_edge(opening, zone, at_ms);
        if (is_open(opening, zone, at_ms) != now.is_open) {
            now.until_ms = at_ms;
            break;
        }
    }
    return now;
}

/* The last change after `from_ms`, and no later than `time_ms`; INT64_MIN = there is none. */
static int64_t last_change(const struct opening *o, const struct zone *zone, int64_t from_ms, int64_t time_ms)
{
    int64_t changed_ms = INT64_MIN;
    for (int64_t at_ms = from_ms; (at_ms = opening_at(o, zone, at_ms).until_ms) <= time_ms;)
        changed_ms = at_ms;
    return changed_ms;
}

int64_t opening_since(const struct opening *opening, const struct zone *zone, int64_t time_ms)
{
    int64_t since_ms = last_change(opening, zone, time_ms - DAY_MS, time_ms); /* nearly always */
    return since_ms != INT64_MIN ? since_ms : last_change(opening, zone, time_ms - OPENING_AHEAD_MS, time_ms);
}
