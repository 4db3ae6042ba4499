#include "collector/instrument/ical_event.h"

#include "lib/hash.h"
#include "lib/mem.h"
#include "lib/number.h"

#include <stdlib.h>
#include <string.h>

/* ---- moments ---- */

static struct span trimmed(struct span s)
{
    while (s.len > 0 && (s.at[0] == ' ' || s.at[0] == '\t'))
        s = (struct span){s.at + 1, s.len - 1};
    while (s.len > 0 && (s.at[s.len - 1] == ' ' || s.at[s.len - 1] == '\t'))
        s.len--;
    return s;
}

struct ical_moment ical_moment_of(struct ical_zones *zones, const struct ical_line *line, struct span value)
{
    struct ical_moment m = {.kind = MOMENT_UNREAD};
    value = trimmed(value);
    if (line->is_malformed)
        return m;
    if (ical_time_read(value, &m.time))
        m.kind = MOMENT_READ;
    else if (value.len > 8 && ical_time_read((struct span){value.at, 8}, &m.time))
        m.kind = MOMENT_DAY;
    else
        return m;
    m.zone = ical_zone_of(zones, line, &m.time);
    m.at = ical_zone_instant(m.zone, m.time.local_s, &m.doubt);
    return m;
}

struct ical_moment ical_moment_read(struct ical_zones *zones, const struct ical_line *line)
{
    return line == NULL ? (struct ical_moment){.kind = MOMENT_MISSING}
                        : ical_moment_of(zones, line, line->value);
}

/* ---- events ---- */

bool ical_event_has(const struct ical_line *line, int *depth)
{
    if (ical_is(line->name, "BEGIN"))
        (*depth)++;
    else if (ical_is(line->name, "END"))
        (*depth)--;
    else
        return *depth == 0;
    return false;
}

static void keep(struct ical_event *e, const struct ical_line **at, const struct ical_line *line)
{
    if (*at != NULL)
        e->is_twice = true;
    *at = line;
}

static void read_line(struct ical_event *e, const struct ical_line *line)
{
    if (ical_is(line->name, "DTSTART"))
        keep(e, &e->start, line);
    else if (ical_is(line->name, "DTEND"))
        keep(e, &e->end, line);
    else if (ical_is(line->name, "DURATION"))
        keep(e, &e->duration, line);
    else if (ical_is(line->name, "RECURRENCE-ID"))
        keep(e, &e->id_line, line);
    else if (ical_is(line->name, "STATUS"))
        e->is_cancelled = ical_is(trimmed(line->value), "CANCELLED");
    else if (ical_is(line->name, "TRANSP"))
        e->is_transparent = ical_is(trimmed(line->value), "TRANSPARENT");
    else if (ical_is(line->name, "SEQUENCE")) {
        if (!number_parse_int64(line->value.at, line->value.len, &e->sequence))
            e->sequence = 0;
    } else if (ical_is(line->name, "UID") && line->value.len > 0) {
        struct hash hash = hash_of(line->value);
        memcpy(&e->uid, hash.bytes, sizeof e->uid);
    }
}

static void add_event(struct ical_events *events, const struct ical_lines *lines, struct ical_zones *zones,
    struct ical_event event)
{
    events->found++;
    if (events->count == ICAL_EVENTS_MAX) {
        events->is_whole = false;
        return;
    }
    int depth = 0;
    event.line = lines->items[event.first - 1].number;
    for (size_t i = event.first; i < event.last; i++) {
        if (ical_event_has(&lines->items[i], &depth))
            read_line(&event, &lines->items[i]);
        event.is_cut = event.is_cut || depth < 0;
    }
    event.is_cut = event.is_cut || depth != 0; /* what belongs to it cannot be told */
    struct span range;
    event.id = ical_moment_read(zones, event.id_line);
    event.is_range = event.id_line != NULL && ical_parameter(event.id_line, "RANGE", &range);
    MEM_GROW(events->items, events->count, events->capacity);
    events->items[events->count++] = event;
}

static int by_uid(const void *a, const void *b)
{
    const struct ical_event *x = a, *y = b;
    if (x->uid != y->uid)
        return x->uid < y->uid ? -1 : 1;
    if ((x->id_line != NULL) != (y->id_line != NULL))
        return x->id_line != NULL ? 1 : -1;
    if (x->id.at.earliest_ms != y->id.at.earliest_ms)
        return x->id.at.earliest_ms < y->id.at.earliest_ms ? -1 : 1;
    if (x->id.at.latest_ms != y->id.at.latest_ms)
        return x->id.at.latest_ms < y->id.at.latest_ms ? -1 : 1;
    if (x->sequence != y->sequence)
        return x->sequence > y->sequence ? -1 : 1;
    return (x->first > y->first) - (x->first < y->first);
}

static bool is_same(const struct ical_event *a, const struct ical_event *b)
{
    return a->uid != 0 && a->uid == b->uid && a->id.kind == b->id.kind &&
           (a->id.kind == MOMENT_MISSING || a->id.kind == MOMENT_READ) &&
           a->id.at.earliest_ms == b->id.at.earliest_ms && a->id.at.latest_ms == b->id.at.latest_ms;
}

/* Sorted by SEQUENCE, those of one occurrence come after the one that replaces them. */
static void find_replaced(struct ical_events *events)
{
    size_t first = 0;
    for (size_t i = 1; i < events->count; i++) {
        if (!is_same(&events->items[first], &events->items[i]))
            first = i;
        else if (events->items[i].sequence < events->items[first].sequence)
            events->items[i].is_replaced = true;
    }
}

/* Where we are in the file. */
struct scan {
    const struct ical_lines *lines;
    struct ical_zones *zones;
    struct ical_events *events;
    size_t begin;      /* the first line within the component that is open; 0 = none is */
    bool is_free_busy; /* it is a VFREEBUSY, else a VEVENT */
    int calendars;     /* that are open */
    bool has_ended;    /* one of them */
};

static void close_component(struct scan *s, size_t end, bool is_cut)
{
    if (s->begin == 0)
        return;
    const struct ical_line *first = &s->lines->items[s->begin - 1];
    if (!s->is_free_busy)
        add_event(s->events, s->lines, s->zones,
            (struct ical_event){.first = s->begin, .last = end, .is_cut = is_cut});
    else {
        s->events->found++;
        for (size_t i = s->begin; i < end; i++)
            if (ical_is(s->lines->items[i].name, "FREEBUSY")) {
                MEM_GROW(s->events->free_busy, s->events->free_busy_count, s->events->free_busy_capacity);
                s->events->free_busy[s->events->free_busy_count++] = &s->lines->items[i];
            }
        if (is_cut)
            s->events->cut_free_busy = first;
    }
    s->begin = 0;
}

static void scan_line(struct scan *s, size_t i)
{
    const struct ical_line *line = &s->lines->items[i];
    struct span value = trimmed(line->value);
    bool is_event = ical_is(value, "VEVENT"), is_free_busy = ical_is(value, "VFREEBUSY");
    bool is_calendar = ical_is(value, "VCALENDAR");
    if (ical_is(line->name, "BEGIN")) {
        if (is_event || is_free_busy || is_calendar)
            close_component(s, i, true);
        if (is_event || is_free_busy) {
            s->begin = i + 1;
            s->is_free_busy = is_free_busy;
        }
        s->calendars += is_calendar;
    } else if (ical_is(line->name, "END")) {
        if (is_event || is_free_busy || is_calendar)
            close_component(s, i, is_calendar || is_free_busy != s->is_free_busy);
        if (is_calendar && s->calendars > 0) {
            s->calendars--;
            s->has_ended = true;
        }
    }
}

void ical_events_read(const struct ical_lines *lines, struct ical_zones *zones, struct ical_events *ret)
{
    *ret = (struct ical_events){.is_whole = true};
    struct scan s = {.lines = lines, .zones = zones, .events = ret};
    for (size_t i = 0; i < lines->count; i++)
        scan_line(&s, i);
    close_component(&s, lines->count, true);
    ret->is_whole = ret->is_whole && s.has_ended && s.calendars == 0;
    if (ret->count > 0)
        qsort(ret->items, ret->count, sizeof *ret->items, by_uid);
    find_replaced(ret);
}

void ical_events_release(struct ical_events *events)
{
    free(events->items);
    free(events->free_busy);
    *events = (struct ical_events){0};
}
