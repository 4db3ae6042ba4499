#include "collector/instrument/ical_series.h"

#include "lib/mem.h"

#include <stdlib.h>

/* Says once for each event what is wrong with its zone. */
static void ical_say_doubt(struct ical_reader *r, struct ical_series *s, enum ical_zone_doubt doubt)
{
    if (s->is_doubted)
        return;
    s->is_doubted = true;
    ical_complain(r, s->event->line,
        doubt == ICAL_ZONE_UNKNOWN ? "a time zone that is not known; every place on Earth counts"
                                   : "the file's time zone differs from the system's; both count");
}

/* ---- one occurrence ---- */

int ical_by_instant(const void *a, const void *b)
{
    const struct instant *x = a, *y = b;
    if (x->earliest_ms != y->earliest_ms)
        return x->earliest_ms < y->earliest_ms ? -1 : 1;
    return (x->latest_ms > y->latest_ms) - (x->latest_ms < y->latest_ms);
}

static bool is_excluded(const struct ical_series *s, struct instant begin)
{
    return s->excluded_count > 0 &&
           bsearch(&begin, s->excluded, s->excluded_count, sizeof *s->excluded, ical_by_instant) != NULL;
}

struct instant ical_moved(const struct ical_moment *m, int64_t by_s)
{
    enum ical_zone_doubt ignored;
    return ical_zone_instant(m->zone, m->time.local_s + by_s, &ignored);
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* When an occurrence is over whose start is the event's, moved by `by_s` of the wall clock. */
int64_t ical_end_ms(const struct ical_series *s, const struct ical_moment *start, int64_t by_s)
{
    const struct ical_length *l = &s->length;
    struct instant begin = ical_moved(start, by_s);
    int64_t end = begin.latest_ms;
    if (l->is_day)
        end = ical_moved(start, by_s + ICAL_DAY_S).latest_ms;
    if (l->has_duration)
        end = later(end,
            ical_moved(start, by_s + l->duration.days * ICAL_DAY_S).latest_ms + l->duration.exact_s * 1000);
    if (l->has_end) {
        int64_t exact_ms = l->end.at.latest_ms - s->start.at.earliest_ms;
        bool is_exact = l->end.doubt == ICAL_ZONE_CERTAIN && s->start.doubt == ICAL_ZONE_CERTAIN &&
                        !s->start.time.is_date;
        end = later(
            end, ical_moved(&l->end, start->time.local_s - s->start.time.local_s + by_s).latest_ms);
        if (is_exact)
            end = later(end, begin.latest_ms + exact_ms);
    }
    return end;
}

void ical_occur(struct ical_reader *r, struct ical_series *s, const struct ical_moment *start, int64_t by_s)
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
    if (ical_book(r, begin.earliest_ms, ical_end_ms(s, start, by_s), s->event->uid, is_unread) &&
        doubt != ICAL_ZONE_CERTAIN)
        ical_say_doubt(r, s, doubt);
    for (size_t i = 0; i < s->range_count; i++) {
        const struct ical_shift *shift = &s->ranges[i];
        if (begin.latest_ms > shift->id.earliest_ms)
            ical_book(r, begin.earliest_ms + shift->begin.earliest_ms - shift->id.latest_ms,
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
    return local_s >= rule->until.local_s + (rule->until.is_date ? ICAL_DAY_S : 1);
}

void ical_expand_rule(struct ical_reader *r, struct ical_series *s, const struct ical_line *line)
{
    struct ical_rule rule;
    struct busy horizon = r->out->horizon;
    if (line->is_malformed || !ical_rule_read(line->value, &rule)) {
        ical_book_unread(r, s->event, s->start.at.earliest_ms, INT64_MAX, line->number,
            "RRULE cannot be read; busy from the start on");
        return;
    }
    int64_t longest_ms = later(0, ical_end_ms(s, &s->start, 0) - s->start.at.earliest_ms);
    int64_t from_s = (horizon.begin_ms - longest_ms) / 1000 - 2 * ICAL_DAY_S,
            to_s = horizon.end_ms / 1000 + 2 * ICAL_DAY_S;
    if (rule.has_until && rule.until.local_s + 2 * ICAL_DAY_S < to_s)
        to_s = rule.until.local_s + 2 * ICAL_DAY_S;
    for (size_t i = 0; i < s->range_count;
         i++) /* what is moved by a change must be there before it is moved */
        from_s -= llabs(s->ranges[i].begin.earliest_ms - s->ranges[i].id.earliest_ms) / 1000 + ICAL_DAY_S;
    struct recur_times times = {0};
    int64_t start_s = s->start.time.local_s, known_until_s;
    if (!recur_expand(
            &rule.recur, start_s, from_s, to_s, &r->steps, ICAL_BOOKINGS_MAX, &times, &known_until_s))
        ical_book_unread(r, s->event, ical_moved(&s->start, known_until_s - start_s).earliest_ms, INT64_MAX,
            line->number, "RRULE makes more than can be counted; busy from there on");
    for (size_t i = 0; i < times.count; i++)
        if (times.items[i] != start_s &&
            !is_after(&rule, times.items[i], ical_moved(&s->start, times.items[i] - start_s)))
            ical_occur(r, s, &s->start, times.items[i] - start_s);
    free(times.items);
}

/* A PERIOD, "start/end" or "start/duration" (3.3.9). False where it cannot be read. */
bool ical_book_period(
    struct ical_reader *r, const struct ical_line *line, struct span part, const struct ical_series *s)
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
        until_ms = ical_moved(&begin, duration.days * ICAL_DAY_S).latest_ms + duration.exact_s * 1000;
    else
        return false;
    if (until_ms < begin.at.earliest_ms)
        return false;
    bool is_doubtful = begin.doubt != ICAL_ZONE_CERTAIN;
    if (s != NULL && is_excluded(s, begin.at))
        return true;
    if (ical_book(r, begin.at.earliest_ms, until_ms, s != NULL ? s->event->uid : 0, is_doubtful) &&
        is_doubtful)
        ical_complain(r, line->number, "a period of a time zone that is not certain");
    return true;
}

void ical_add_dates(struct ical_reader *r, struct ical_series *s, const struct ical_line *line)
{
    struct span rest = line->value, part, type;
    bool is_period = ical_parameter(line, "VALUE", &type) && ical_is(type, "PERIOD");
    while (ical_next_part(&rest, ',', &part)) {
        struct ical_moment m = ical_moment_of(r->zones, line, part);
        if (line->is_malformed || (is_period ? !ical_book_period(r, line, part, s) : m.kind == MOMENT_UNREAD))
            ical_book_throughout(r, s->event, line->number, "RDATE cannot be read; busy throughout");
        else if (m.kind == MOMENT_DAY && !is_period)
            ical_book_unread(r, s->event, m.at.earliest_ms,
                ical_moved(&m, ICAL_DAY_S).latest_ms + ical_end_ms(s, &s->start, 0) - s->start.at.earliest_ms,
                line->number, "RDATE: only its day can be read; all of it is busy");
        else if (!is_period)
            ical_occur(r, s, &m, 0);
    }
}

void ical_exclude(struct ical_series *s, struct instant at)
{
    MEM_GROW(s->excluded, s->excluded_count, s->excluded_capacity);
    s->excluded[s->excluded_count++] = at;
}

void ical_remove_dates(struct ical_reader *r, struct ical_series *s, const struct ical_line *line)
{
    struct span rest = line->value, part;
    while (ical_next_part(&rest, ',', &part)) {
        struct ical_moment m = ical_moment_of(r->zones, line, part);
        if (m.kind != MOMENT_READ || m.time.is_date != s->start.time.is_date)
            ical_complain(r, line->number, "EXDATE names no occurrence that can be told; it stays busy");
        else
            ical_exclude(s, m.at);
    }
}
