#include "collector/instrument/ical_series.h"

#include <stdlib.h>

/* False where the event is booked already, because its start or length cannot be read. */
static bool measure(struct ical_reader *r, struct ical_series *s)
{
    const struct ical_event *e = s->event;
    s->start = ical_moment_read(r->zones, e->start);
    if (e->is_twice || s->start.kind == MOMENT_UNREAD || s->start.kind == MOMENT_MISSING) {
        ical_book_throughout(r, e, e->line, "an event without one start that can be read; busy throughout");
        return false;
    }
    if (e->is_cut) {
        ical_book_unread(r, e, s->start.at.earliest_ms, INT64_MAX, e->line,
            "an event that is broken off; busy from its start on");
        return false;
    }
    struct ical_length *l = &s->length;
    l->end = ical_moment_read(r->zones, e->end);
    l->has_end = l->end.kind == MOMENT_READ || l->end.kind == MOMENT_DAY;
    l->has_duration = e->duration != NULL && ical_duration_read(e->duration->value, &l->duration);
    l->is_day =
        (s->start.time.is_date && e->end == NULL && e->duration == NULL) || s->start.kind == MOMENT_DAY;
    if (l->end.kind == MOMENT_UNREAD || (e->duration != NULL && !l->has_duration)) {
        ical_book_unread(r, e, s->start.at.earliest_ms, INT64_MAX, e->line,
            "an event whose end cannot be read; busy from its start on");
        return false;
    }
    if (l->has_end && l->end.kind == MOMENT_DAY) {
        ical_complain(r, e->line, "DTEND: only its day can be read; all of it is busy");
        l->end.time.local_s += ICAL_DAY_S;
        l->end.at = ical_moved(&l->end, 0);
    }
    if (s->start.kind == MOMENT_DAY)
        ical_complain(r, e->line, "DTSTART: only its day can be read; all of it is busy");
    if (l->has_end && l->end.at.latest_ms < s->start.at.earliest_ms)
        ical_book_unread(r, e, l->end.at.earliest_ms, s->start.at.latest_ms, e->line,
            "an event that ends before it starts; busy between the two");
    return true;
}

/* The occurrences that others of this UID move, change or cancel. */
static void exclude_overridden(struct ical_reader *r, struct ical_series *s, size_t group_end)
{
    size_t first = (size_t)(s->event - r->events.items);
    for (size_t i = first + 1; i < group_end && s->event->uid != 0; i++) {
        const struct ical_event *other = &r->events.items[i];
        if (--r->steps < 0) {
            ical_book_throughout(
                r, s->event, s->event->line, "more changes than can be counted; busy throughout");
            return;
        }
        if (other->id_line == NULL || other->is_replaced)
            continue;
        if (other->id.kind != MOMENT_READ || other->id.time.is_date != s->start.time.is_date) {
            ical_complain(
                r, other->line, "RECURRENCE-ID names no occurrence that can be told; it stays busy");
            continue;
        }
        ical_exclude(s, other->id.at);
        if (!other->is_range)
            continue;
        ical_complain(
            r, other->line, "RECURRENCE-ID with RANGE: both what was and what it changes to are busy");
        struct ical_series changed = {.event = other, .is_doubted = true};
        if (other->is_cancelled || other->is_transparent)
            continue;
        if (s->range_count == ICAL_RANGES_MAX || !measure(r, &changed))
            ical_book_unread(r, other, other->id.at.earliest_ms, INT64_MAX, other->line,
                "a change of later occurrences that cannot be told; busy from there on");
        else
            s->ranges[s->range_count++] = (struct ical_shift){other->id.at, changed.start.at,
                {changed.start.at.earliest_ms, ical_end_ms(&changed, &changed.start, 0)}};
    }
}

void ical_read_series(struct ical_reader *r, const struct ical_event *e, size_t group_end)
{
    struct ical_series s = {.event = e};
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
            ical_remove_dates(r, &s, line);
        else if (ical_is(line->name, "EXRULE"))
            ical_complain(r, line->number, "EXRULE is not read; what it would take away stays busy");
    }
    if (s.excluded_count > 0)
        qsort(s.excluded, s.excluded_count, sizeof *s.excluded, ical_by_instant);
    ical_occur(r, &s, &s.start, 0);
    depth = 0;
    for (size_t i = e->first; i < e->last && is_series; i++) {
        const struct ical_line *line = &r->lines->items[i];
        if (!ical_event_has(line, &depth))
            continue;
        if (ical_is(line->name, "RRULE"))
            ical_expand_rule(r, &s, line);
        else if (ical_is(line->name, "RDATE"))
            ical_add_dates(r, &s, line);
    }
    free(s.excluded);
}
