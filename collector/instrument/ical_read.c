#include "collector/instrument/ical_read.h"

#include "collector/instrument/ical_series.h"
#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>

/* ---- what is busy ---- */

void ical_complain(struct ical_reader *r, int line, const char *text)
{
    if (r->out->problem_count < ICAL_PROBLEMS_MAX)
        r->out->problems[r->out->problem_count] = (struct ical_problem){line, text};
    r->out->problem_count++;
}

/* ---- what is busy ---- */

/* False where nothing of it is within the horizon. */
bool ical_book(struct ical_reader *r, int64_t begin_ms, int64_t end_ms, uint64_t uid, bool is_unread)
{
    struct ical_reading *out = r->out;
    if (begin_ms < out->horizon.begin_ms)
        begin_ms = out->horizon.begin_ms;
    if (end_ms > out->horizon.end_ms)
        end_ms = out->horizon.end_ms;
    if (begin_ms >= end_ms)
        return false;
    if (out->booking_count == ICAL_BOOKINGS_MAX) {
        r->is_full = true;
        return true;
    }
    MEM_GROW(out->bookings, out->booking_count, out->booking_capacity);
    out->bookings[out->booking_count++] = (struct ical_booking){{begin_ms, end_ms}, uid, is_unread};
    return true;
}

void ical_book_unread(struct ical_reader *r, const struct ical_event *e, int64_t begin_ms, int64_t end_ms,
    int line, const char *text)
{
    ical_complain(r, line, text);
    ical_book(r, begin_ms, end_ms, e != NULL ? e->uid : 0, true);
}

void ical_book_throughout(struct ical_reader *r, const struct ical_event *e, int line, const char *text)
{
    ical_book_unread(r, e, INT64_MIN, INT64_MAX, line, text);
}

static void read_free_busy(struct ical_reader *r, const struct ical_line *line)
{
    struct span rest = line->value, part, type;
    if (ical_parameter(line, "FBTYPE", &type) && ical_is(type, "FREE") && !line->is_malformed)
        return;
    while (ical_next_part(&rest, ',', &part))
        if (line->is_malformed || !ical_book_period(r, line, part, NULL))
            ical_book_throughout(r, NULL, line->number, "FREEBUSY cannot be read; busy throughout");
}

/* ---- the whole ---- */

static int by_span(const void *a, const void *b)
{
    const struct ical_booking *x = a, *y = b;
    if (x->span.begin_ms != y->span.begin_ms)
        return x->span.begin_ms < y->span.begin_ms ? -1 : 1;
    if (x->span.end_ms != y->span.end_ms)
        return x->span.end_ms < y->span.end_ms ? -1 : 1;
    if (x->uid != y->uid)
        return x->uid < y->uid ? -1 : 1;
    return (int)x->is_unread - (int)y->is_unread;
}

static void finish(struct ical_reading *out)
{
    size_t kept = 0;
    if (out->booking_count > 0)
        qsort(out->bookings, out->booking_count, sizeof *out->bookings, by_span);
    for (size_t i = 0; i < out->booking_count; i++) {
        const struct ical_booking *b = &out->bookings[i];
        if (kept == 0 || by_span(&out->bookings[kept - 1], b) != 0)
            out->bookings[kept++] = *b;
        busy_list_add(&out->busy, b->span.begin_ms, b->span.end_ms, out->horizon);
    }
    out->booking_count = kept;
    busy_list_merge(&out->busy);
}

static const char *const wanted[] = {"BEGIN", "END", "TZID", "TZOFFSETFROM", "TZOFFSETTO", "X-WR-TIMEZONE",
    "DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "EXRULE", "RECURRENCE-ID", "STATUS", "TRANSP",
    "SEQUENCE", "UID", "FREEBUSY", NULL};

enum status ical_read(
    struct span text, const struct ical_read_options *options, struct ical_reading *ret, struct error *err)
{
    if (text.len > ICAL_BYTES_MAX)
        return error_set(err, ST_INVALID, "%s: a calendar of %zu bytes; expected at most %zu", options->name,
            text.len, ICAL_BYTES_MAX);
    if (text.len >= 3 && memcmp(text.at, "\xef\xbb\xbf", 3) == 0)
        text = (struct span){text.at + 3, text.len - 3};
    struct ical_lines lines;
    if (!ical_lines_read(text, wanted, ICAL_LINES_MAX, &lines))
        return error_set(err, ST_INVALID, "%s: a calendar of more than %d lines; expected at most as many",
            options->name, ICAL_LINES_MAX);
    if (lines.count == 0 || !ical_is(lines.items[0].name, "BEGIN") ||
        !ical_is(lines.items[0].value, "VCALENDAR")) {
        ical_lines_release(&lines);
        return error_set(err, ST_INVALID, "%s:1: not a calendar; expected BEGIN:VCALENDAR", options->name);
    }
    struct ical_reading reading = {.horizon = options->horizon};
    struct ical_reader r = {.lines = &lines, .out = &reading, .steps = ICAL_STEPS_MAX};
    r.zones = ical_zones_create(&lines, options->site, options->horizon.begin_ms, options->horizon.end_ms);
    ical_events_read(&lines, r.zones, &r.events);
    for (size_t i = 0, end = 0; i < r.events.count; i++) {
        while (end <= i || (end < r.events.count && r.events.items[end].uid == r.events.items[i].uid))
            end++;
        ical_read_series(&r, &r.events.items[i], end);
    }
    for (size_t i = 0; i < r.events.free_busy_count; i++)
        read_free_busy(&r, r.events.free_busy[i]);
    reading.event_count = r.events.found;
    reading.is_whole = r.events.is_whole;
    if (r.events.cut_free_busy != NULL)
        ical_book_throughout(
            &r, NULL, r.events.cut_free_busy->number, "a VFREEBUSY that is broken off; busy throughout");
    if (r.events.found > ICAL_EVENTS_MAX || r.is_full) {
        reading.is_whole = false;
        reading.booking_count = 0; /* all is busy, and there is room to say so */
        ical_book_throughout(&r, NULL, 1, "more events than are read; busy throughout");
    }
    finish(&reading);
    ical_events_release(&r.events);
    ical_zones_destroy(r.zones);
    ical_lines_release(&lines);
    *ret = reading;
    return ST_OK;
}

void ical_reading_release(struct ical_reading *reading)
{
    free(reading->bookings);
    busy_list_release(&reading->busy);
    *reading = (struct ical_reading){0};
}
