/* The VEVENTs of a calendar, as far as busy times need them, and which of them belong together. Private to ical_series.h. */
#pragma once

#include "collector/instrument/ical_read.h"
#include "collector/instrument/ical_zone.h"

/* A date or time of the file. */
struct ical_moment {
    enum ical_moment_kind {
        MOMENT_MISSING,
        MOMENT_READ,
        MOMENT_DAY,
        MOMENT_UNREAD
    } kind; /* DAY: only its day */
    struct ical_time time;
    const struct ical_zone *zone;
    struct instant at;
    enum ical_zone_doubt doubt;
};
struct ical_moment ical_moment_of(struct ical_zones *zones, const struct ical_line *line, struct span value);
/* The same, of the whole value of a line; NULL is missing. */
struct ical_moment ical_moment_read(struct ical_zones *zones, const struct ical_line *line);

struct ical_event {
    size_t first, last; /* its lines: [first, last) */
    int line;
    bool is_cut; /* it has no end */
    uint64_t uid;
    int64_t sequence;
    bool is_cancelled, is_transparent, is_replaced;
    bool is_twice; /* what may be there once is there twice */
    const struct ical_line *start, *end, *duration, *id_line;
    struct ical_moment id; /* RECURRENCE-ID */
    bool is_range;
};

struct ical_events {
    struct ical_event *items; /* those of one UID together: first those without a RECURRENCE-ID */
    size_t count, capacity;
    size_t found; /* also beyond the limit, and VFREEBUSY */
    bool is_whole;
    const struct ical_line **free_busy; /* FREEBUSY of VFREEBUSY */
    size_t free_busy_count, free_busy_capacity;
    const struct ical_line *cut_free_busy; /* a VFREEBUSY that has no end; NULL = none */
};

void ical_events_read(const struct ical_lines *lines, struct ical_zones *zones, struct ical_events *ret);
void ical_events_release(struct ical_events *events);
/* Whether a line is of the event itself, and not of a VALARM in it; `*depth` is 0 before the first. */
bool ical_event_has(const struct ical_line *line, int *depth);
