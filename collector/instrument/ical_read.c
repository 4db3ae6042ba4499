#include "collector/instrument/ical_read.h"

#include "collector/instrument/ical_event.h"
#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>

#define DAY_S INT64_C(86400)
#define DAY_MS (DAY_S * 1000)
#define RANGES_MAX 16

struct reader {
    const struct ical_lines *lines;
    struct ical_zones *zones;
    struct ical_events events;
    struct ical_reading *out;
    int64_t steps;
    bool is_full;
};

/* How long an occurrence of an event is: to `end` (moved as its start is), or `duration` after its start. */
struct length {
    bool has_end, has_duration, is_day;
    struct ical_moment end;
    struct ical_duration duration;
};

/* An event that is being expanded. */
struct series {
    const struct ical_event *event;
    struct ical_moment start;
    struct length length;
    bool is_doubted;          /* that was said */
    struct instant *excluded; /* sorted */
    size_t excluded_count, excluded_capacity;
    struct shift {
        struct instant id, begin, end;
    } ranges[RANGES_MAX];
    size_t range_count;
};

static void complain(struct reader *r, int line, const char *text)
{
    if (r->out->problem_count < ICAL_PROBLEMS_MAX)
        r->out->problems[r->out->problem_count] = (struct ical_problem){line, text};
    r->out->problem_count++;
}

/* ---- what is busy ---- */

/* False where nothing of it is within the horizon. */
static bool book(struct reader *r, int64_t begin_ms, int64_t end_ms, uint64_t uid, bool is_unread)
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

static void book_unread(struct reader *r, const struct ical_event *e, int64_t begin_ms, int64_t end_ms,
    int line, const char *text)
{
    complain(r, line, text);
    book(r, begin_ms, end_ms, e != NULL ? e->uid : 0, true);
}

static void book_throughout(struct reader *r, const struct ical_event *e, int line, const char *text)
{
    book_unread(r, e, INT64_MIN, INT64_MAX, line, text);
}

/* Says once for each event what is wrong with its zone. */
static void say_doubt(struct reader *r, struct series *s, enum ical_zone_doubt doubt)
{
    if (s->is_doubted)
        return;
    s->is_doubted = true;
    complain(r, s->event->line,
        doubt == ICAL_ZONE_UNKNOWN ? "a time zone that is not known; every place on Earth counts"
                                   : "the file's time zone differs from the system's; both count");
}

/* ---- one occurrence ---- */

static int by_instant(const void *a, const void *b)
{
    const struct instant *x = a, *y = b;
    if (x->earliest_ms != y->earliest_ms)
        return x->earliest_ms < y->earliest_ms ? -1 : 1;
    return (x->latest_ms > y->latest_ms) - (x->latest_ms < y->latest_ms);
}

static bool is_excluded(const struct series *s, struct instant begin)
{
    return s->excluded_count > 0 &&
           bsearch(&begin, s->excluded, s->excluded_count, sizeof *s->excluded, by_instant) != NULL;
}

static struct instant moved(const struct ical_moment *m, int64_t by_s)
{
    enum ical_zone_doubt ignored;
    return ical_zone_instant(m->zone, m->time.local_s + by_s, &ignored);
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* When an occurrence is over whose start is the event's, moved by `by_s` of the wall clock. */
static int64_t end_ms(const struct series *s, const struct ical_moment *start, int64_t by_s)
{
    const struct length *l = &s->length;
    struct instant begin = moved(start, by_s);
    int64_t end = begin.latest_ms;
    if (l->is_day)
        end = moved(start, by_s + DAY_S).latest_ms;
    if (l->has_duration)
        end =
            later(end, moved(start, by_s + l->duration.days * DAY_S).latest_ms + l->duration.exact_s * 1000);
    if (l->has_end) {
        int64_t exact_ms = l->end.at.latest_ms - s->start.at.earliest_ms;
        bool is_exact = l->end.doubt == ICAL_ZONE_CERTAIN && s->start.doubt == ICAL_ZONE_CERTAIN &&
                        !s->start.time.is_date;
        end = later(end, moved(&l->end, start->time.local_s - s->start.time.local_s + by_s).latest_ms);
        if (is_exact)
            end = later(end, begin.latest_ms + exact_ms);
    }
    return end;
}

static void occur(struct reader *r, struct series *s, const struct ical_moment *start, int64_t by_s)
{
    enum ical_zone_doubt doubt, end_doubt = ICAL_ZONE_CERTAIN;
    struct instant begin = ical_zone_instant(start->zone, start->time.local_s + by_s, &doubt);
    if (is_excluded(s, begin))
        return;
    if (s->length.has_end)
        ical_zone_instant(s->length.end.zone,
            s->length.end.time.local_s + start->time.local_s - s->start.time.local_s + by_s, &end_doubt);
    if (doubt == ICAL_ZONE_CERTAIN)
        doubt = end_doubt;
    bool is_unread =
        doubt != ICAL_ZONE_CERTAIN || s->start.kind == MOMENT_DAY || s->length.end.kind == MOMENT_DAY;
    if (book(r, begin.earliest_ms, end_ms(s, start, by_s), s->event->uid, is_unread) &&
        doubt != ICAL_ZONE_CERTAIN)
        say_doubt(r, s, doubt);
    for (size_t i = 0; i < s->range_count; i++) {
        const struct shift *shift = &s->ranges[i];
        if (begin.latest_ms > shift->id.earliest_ms)
            book(r, begin.earliest_ms + shift->begin.earliest_ms - shift->id.latest_ms,
                begin.latest_ms + shift->end.latest_ms - shift->id.earliest_ms, s->event->uid, true);
    }
}

/* ---- rules and dates ---- */

static bool is_after(const struct ical_rule *rule, int64_t local_s, struct instant begin)
{
    if (!rule->has_until)
        return false;
    if (rule->until.is_utc)
        return begin.earliest_ms > rule->until.local_s * 1000;
    return local_s >= rule->until.local_s + (rule->until.is_date ? DAY_S : 1);
}

static void expand_rule(struct reader *r, struct series *s, const struct ical_line *line)
{
    struct ical_rule rule;
    struct busy horizon = r->out->horizon;
    if (line->is_malformed || !ical_rule_read(line->value, &rule)) {
        book_unread(r, s->event, s->start.at.earliest_ms, INT64_MAX, line->number,
            "RRULE cannot be read; busy from the start on");
        return;
    }
    int64_t longest_ms = later(0, end_ms(s, &s->start, 0) - s->start.at.earliest_ms);
    int64_t from_s = (horizon.begin_ms - longest_ms) / 1000 - 2 * DAY_S,
            to_s = horizon.end_ms / 1000 + 2 * DAY_S;
    if (rule.has_until && rule.until.local_s + 2 * DAY_S < to_s)
        to_s = rule.until.local_s + 2 * DAY_S;
    for (size_t i = 0; i < s->range_count;
         i++) /* what is moved by a change must be there before it is moved */
        from_s -= llabs(s->ranges[i].begin.earliest_ms - s->ranges[i].id.earliest_ms) / 1000 + DAY_S;
    struct recur_times times = {0};
    int64_t start_s = s->start.time.local_s, known_until_s;
    if (!recur_expand(
            &rule.recur, start_s, from_s, to_s, &r->steps, ICAL_BOOKINGS_MAX, &times, &known_until_s))
        book_unread(r, s->event, moved(&s->start, known_until_s - start_s).earliest_ms, INT64_MAX,
            line->number, "RRULE makes more than can be counted; busy from there on");
    for (size_t i = 0; i < times.count; i++)
        if (times.items[i] != start_s &&
            !is_after(&rule, times.items[i], moved(&s->start, times.items[i] - start_s)))
            occur(r, s, &s->start, times.items[i] - start_s);
    free(times.items);
}

/* A PERIOD, "start/end" or "start/duration" (3.3.9). False where it cannot be read. */
static bool book_period(
    struct reader *r, const struct ical_line *line, struct span part, const struct series *s)
{
    struct span rest = part, first, second;
    struct ical_duration duration;
    if (!ical_next_part(&rest, '/', &first) || !ical_next_part(&rest, '/', &second) || rest.at != NULL)
        return false;
    struct ical_moment begin = ical_moment_of(r->zones, line, first);
    struct ical_moment end = ical_moment_of(r->zones, line, second);
    if (begin.kind != MOMENT_READ)
        return false;
    int64_t until_ms;
    if (end.kind == MOMENT_READ)
        until_ms = end.at.latest_ms;
    else if (ical_duration_read(second, &duration))
        until_ms = moved(&begin, duration.days * DAY_S).latest_ms + duration.exact_s * 1000;
    else
        return false;
    if (until_ms < begin.at.earliest_ms)
        return false;
    bool is_doubtful = begin.doubt != ICAL_ZONE_CERTAIN;
    if (s != NULL && is_excluded(s, begin.at))
        return true;
    if (book(r, begin.at.earliest_ms, until_ms, s != NULL ? s->event->uid : 0, is_doubtful) && is_doubtful)
        complain(r, line->number, "a period of a time zone that is not certain");
    return true;
}

static void add_dates(struct reader *r, struct series *s, const struct ical_line *line)
{
    struct span rest = line->value, part, type;
    bool is_period = ical_parameter(line, "VALUE", &type) && ical_is(type, "PERIOD");
    while (ical_next_part(&rest, ',', &part)) {
        struct ical_moment m = ical_moment_of(r->zones, line, part);
        if (line->is_malformed || (is_period ? !book_period(r, line, part, s) : m.kind == MOMENT_UNREAD))
            book_throughout(r, s->event, line->number, "RDATE cannot be read; busy throughout");
        else if (m.kind == MOMENT_DAY && !is_period)
            book_unread(r, s->event, m.at.earliest_ms,
                moved(&m, DAY_S).latest_ms + end_ms(s, &s->start, 0) - s->start.at.earliest_ms, line->number,
                "RDATE: only its day can be read; all of it is busy");
        else if (!is_period)
            occur(r, s, &m, 0);
    }
}

static void exclude(struct series *s, struct instant at)
{
    MEM_GROW(s->excluded, s->excluded_count, s->excluded_capacity);
    s->excluded[s->excluded_count++] = at;
}

static void remove_dates(struct reader *r, struct series *s, const struct ical_line *line)
{
    struct span rest = line->value, part;
    while (ical_next_part(&rest, ',', &part)) {
        struct ical_moment m = ical_moment_of(r->zones, line, part);
        if (m.kind != MOMENT_READ || m.time.is_date != s->start.time.is_date)
            complain(r, line->number, "EXDATE names no occurrence that can be told; it stays busy");
        else
            exclude(s, m.at);
    }
}

/* ---- an event ---- */

/* False where the event is booked already, because its start or length cannot be read. */
static bool measure(struct reader *r, struct series *s)
{
    const struct ical_event *e = s->event;
    s->start = ical_moment_read(r->zones, e->start);
    if (e->is_twice || s->start.kind == MOMENT_UNREAD || s->start.kind == MOMENT_MISSING) {
        book_throughout(r, e, e->line, "an event without one start that can be read; busy throughout");
        return false;
    }
    if (e->is_cut) {
        book_unread(r, e, s->start.at.earliest_ms, INT64_MAX, e->line,
            "an event that is broken off; busy from its start on");
        return false;
    }
    struct length *l = &s->length;
    l->end = ical_moment_read(r->zones, e->end);
    l->has_end = l->end.kind == MOMENT_READ || l->end.kind == MOMENT_DAY;
    l->has_duration = e->duration != NULL && ical_duration_read(e->duration->value, &l->duration);
    l->is_day =
        (s->start.time.is_date && e->end == NULL && e->duration == NULL) || s->start.kind == MOMENT_DAY;
    if (l->end.kind == MOMENT_UNREAD || (e->duration != NULL && !l->has_duration)) {
        book_unread(r, e, s->start.at.earliest_ms, INT64_MAX, e->line,
            "an event whose end cannot be read; busy from its start on");
        return false;
    }
    if (l->has_end && l->end.kind == MOMENT_DAY) {
        complain(r, e->line, "DTEND: only its day can be read; all of it is busy");
        l->end.time.local_s += DAY_S;
        l->end.at = moved(&l->end, 0);
    }
    if (s->start.kind == MOMENT_DAY)
        complain(r, e->line, "DTSTART: only its day can be read; all of it is busy");
    if (l->has_end && l->end.at.latest_ms < s->start.at.earliest_ms)
        book_unread(r, e, l->end.at.earliest_ms, s->start.at.latest_ms, e->line,
            "an event that ends before it starts; busy between the two");
    return true;
}

/* The occurrences that others of this UID move, change or cancel. */
static void exclude_overridden(struct reader *r, struct series *s, size_t group_end)
{
    size_t first = (size_t)(s->event - r->events.items);
    for (size_t i = first + 1; i < group_end && s->event->uid != 0; i++) {
        const struct ical_event *other = &r->events.items[i];
        if (--r->steps < 0) {
            book_throughout(r, s->event, s->event->line, "more changes than can be counted; busy throughout");
            return;
        }
        if (other->id_line == NULL || other->is_replaced)
            continue;
        if (other->id.kind != MOMENT_READ || other->id.time.is_date != s->start.time.is_date) {
            complain(r, other->line, "RECURRENCE-ID names no occurrence that can be told; it stays busy");
            continue;
        }
        exclude(s, other->id.at);
        if (!other->is_range)
            continue;
        complain(r, other->line, "RECURRENCE-ID with RANGE: both what was and what it changes to are busy");
        struct series changed = {.event = other, .is_doubted = true};
        if (other->is_cancelled || other->is_transparent)
            continue;
        if (s->range_count == RANGES_MAX || !measure(r, &changed))
            book_unread(r, other, other->id.at.earliest_ms, INT64_MAX, other->line,
                "a change of later occurrences that cannot be told; busy from there on");
        else
            s->ranges[s->range_count++] = (struct shift){other->id.at, changed.start.at,
                {changed.start.at.earliest_ms, end_ms(&changed, &changed.start, 0)}};
    }
}

static void read_series(struct reader *r, const struct ical_event *e, size_t group_end)
{
    struct series s = {.event = e};
    if (e->is_cancelled || e->is_transparent || e->is_replaced || !measure(r, &s))
        return;
    bool is_series = e->id_line == NULL;
    if (is_series)
        exclude_overridden(r, &s, group_end);
    int depth = 0;
    for (size_t i = e->first; i < e->last && is_series; i++) {
        const struct ical_line *line = &r->lines->items[i];
        if (!ical_event_has(line, &depth))
            continue;
        if (ical_is(line->name, "EXDATE"))
            remove_dates(r, &s, line);
        else if (ical_is(line->name, "EXRULE"))
            complain(r, line->number, "EXRULE is not read; what it would take away stays busy");
    }
    if (s.excluded_count > 0)
        qsort(s.excluded, s.excluded_count, sizeof *s.excluded, by_instant);
    occur(r, &s, &s.start, 0);
    depth = 0;
    for (size_t i = e->first; i < e->last && is_series; i++) {
        const struct ical_line *line = &r->lines->items[i];
        if (!ical_event_has(line, &depth))
            continue;
        if (ical_is(line->name, "RRULE"))
            expand_rule(r, &s, line);
        else if (ical_is(line->name, "RDATE"))
            add_dates(r, &s, line);
    }
    free(s.excluded);
}

static void read_free_busy(struct reader *r, const struct ical_line *line)
{
    struct span rest = line->value, part, type;
    if (ical_parameter(line, "FBTYPE", &type) && ical_is(type, "FREE") && !line->is_malformed)
        return;
    while (ical_next_part(&rest, ',', &part))
        if (line->is_malformed || !book_period(r, line, part, NULL))
            book_throughout(r, NULL, line->number, "FREEBUSY cannot be read; busy throughout");
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
    struct reader r = {.lines = &lines, .out = &reading, .steps = ICAL_STEPS_MAX};
    r.zones = ical_zones_create(&lines, options->site, options->horizon.begin_ms, options->horizon.end_ms);
    ical_events_read(&lines, r.zones, &r.events);
    for (size_t i = 0, end = 0; i < r.events.count; i++) {
        while (end <= i || (end < r.events.count && r.events.items[end].uid == r.events.items[i].uid))
            end++;
        read_series(&r, &r.events.items[i], end);
    }
    for (size_t i = 0; i < r.events.free_busy_count; i++)
        read_free_busy(&r, r.events.free_busy[i]);
    reading.event_count = r.events.found;
    reading.is_whole = r.events.is_whole;
    if (r.events.cut_free_busy != NULL)
        book_throughout(
            &r, NULL, r.events.cut_free_busy->number, "a VFREEBUSY that is broken off; busy throughout");
    if (r.events.found > ICAL_EVENTS_MAX || r.is_full) {
        reading.is_whole = false;
        reading.booking_count = 0; /* all is busy, and there is room to say so */
        book_throughout(&r, NULL, 1, "more events than are read; busy throughout");
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
