#include "collector/web/when.h"

#include "collector/web/page.h"
#include "lib/calendar.h"

#include <stdio.h>
#include <stdlib.h>

#define MINUTE_MS 60000

struct face {
    int64_t day; /* since 1970 */
    int year, month, date;
    char time[9]; /* 16:30:00 */
};

static struct face face_at(const struct zone *zone, int64_t time_ms)
{
    struct face face = {0};
    char text[ZONE_TIME_SIZE];
    zone_format_time(zone, time_ms, text);
    sscanf(text, "%d-%d-%dT%8s", &face.year, &face.month, &face.date, face.time);
    face.day = calendar_days(face.year, face.month, face.date);
    return face;
}

int64_t when_day(const struct zone *zone, int64_t time_ms)
{
    return face_at(zone, time_ms).day;
}

/* Whatever the clocks are put by, the offset is that of a day before or after. Where midnight is left out the day begins
 * when it is first shown. */
int64_t when_day_begin_ms(const struct zone *zone, int64_t day)
{
    int64_t low_ms = (day - 1) * CALENDAR_DAY_MS, high_ms = (day + 1) * CALENDAR_DAY_MS;
    while (high_ms - low_ms > 1) {
        int64_t middle_ms = low_ms + (high_ms - low_ms) / 2;
        *(when_day(zone, middle_ms) >= day ? &high_ms : &low_ms) = middle_ms;
    }
    return high_ms;
}

static const char *text_of(const struct when *w, const char *key, int number)
{
    char name[32];
    snprintf(name, sizeof name, "%s_%d", key, number);
    const char *text = json_string_value(json_object_get(w->texts, number < 0 ? key : name));
    return text != NULL ? text : "";
}

static void add_day(struct buf *out, const struct when *w, const struct face *face)
{
    struct face now = face_at(w->zone, w->now_ms);
    const char *key = face->day == now.day       ? "when_today"
                      : face->day == now.day + 1 ? "when_tomorrow"
                      : face->year == now.year   ? "when_date"
                                                 : "when_year";
    char date[16], year[16];
    snprintf(date, sizeof date, "%d", face->date);
    snprintf(year, sizeof year, "%d", face->year);
    int weekday = (int)(((face->day + 3) % 7 + 7) % 7); /* 0 = Monday: 1970 began on a Thursday */
    const struct web_param values[] = {{"date", date}, {"year", year},
        {"weekday", text_of(w, "weekday", weekday)}, {"month", text_of(w, "month", face->month)}};
    char *words = page_fill(text_of(w, key, -1), NULL, values, sizeof values / sizeof values[0]);
    buf_add_str(out, words);
    free(words);
}

static void begin(struct buf *out, const struct when *w, const char *name, int64_t time_ms)
{
    char text[ZONE_TIME_SIZE];
    zone_format_time(w->zone, time_ms, text);
    buf_printf(out, "<time data-of=\"%s\" datetime=\"%s\">", name, text);
}

static int64_t to_minute(int64_t time_ms, enum when_edge edge)
{
    int64_t over_ms = ((time_ms % MINUTE_MS) + MINUTE_MS) % MINUTE_MS;
    return over_ms == 0 ? time_ms : time_ms - over_ms + (edge == WHEN_BEGINS ? MINUTE_MS : 0);
}

void when_add(struct buf *out, const struct when *w, const char *name, int64_t time_ms, enum when_edge edge)
{
    struct face face = face_at(w->zone, to_minute(time_ms, edge));
    begin(out, w, name, time_ms);
    if (face.day != when_day(w->zone, w->now_ms)) {
        add_day(out, w, &face);
        buf_add_str(out, page_gap(out->data + (out->len > 3 ? out->len - 3 : 0)));
    }
    buf_printf(out, "%.5s</time>", face.time);
}

void when_add_second(struct buf *out, const struct when *w, const char *name, int64_t time_ms)
{
    begin(out, w, name, time_ms);
    buf_printf(out, "%s</time>", face_at(w->zone, time_ms).time);
}

void when_add_clock(struct buf *out, const struct when *w, int64_t day, int64_t time_ms, enum when_edge edge)
{
    struct face face = face_at(w->zone, to_minute(time_ms, edge));
    buf_printf(out, "%.5s", face.day > day ? "24:00" : face.time);
}

void when_add_day(struct buf *out, const struct when *w, int64_t time_ms)
{
    struct face face = face_at(w->zone, time_ms);
    add_day(out, w, &face);
}
