/*
 * From the events of a calendar to busy times: what ical_read.c, ical_series.c and ical_occur.c share, and nobody else.
 */
#pragma once

#include "collector/instrument/ical_event.h"

#define ICAL_DAY_S INT64_C(86400)
#define ICAL_RANGES_MAX 16

struct ical_reader {
    const struct ical_lines *lines;
    struct ical_zones *zones;
    struct ical_events events;
    struct ical_reading *out;
    int64_t steps; /* that are left */
    bool is_full;
};

/* How long an occurrence of an event is: to `end` (moved as its start is), or `duration` after its start. */
struct ical_length {
    bool has_end, has_duration, is_day;
    struct ical_moment end;
    struct ical_duration duration;
};

/* An event that is being expanded. */
struct ical_series {
    const struct ical_event *event;
    struct ical_moment start;
    struct ical_length length;
    bool is_doubted;          /* that was said */
    struct instant *excluded; /* sorted */
    size_t excluded_count, excluded_capacity;
    struct ical_shift {
        struct instant id, begin, end;
    } ranges[ICAL_RANGES_MAX];
    size_t range_count;
};

/* ---- ical_read.c: what is busy ---- */

void ical_complain(struct ical_reader *r, int line, const char *text);
/* False where nothing of it is within the horizon. */
bool ical_book(struct ical_reader *r, int64_t begin_ms, int64_t end_ms, uint64_t uid, bool is_unread);
/* And says why; `e` NULL = of no event. */
void ical_book_unread(struct ical_reader *r, const struct ical_event *e, int64_t begin_ms, int64_t end_ms,
    int line, const char *text);
void ical_book_throughout(struct ical_reader *r, const struct ical_event *e, int line, const char *text);

/* ---- ical_series.c: an event with all that belongs to it ---- */

/* Events of its UID: up to group_end. */
void ical_read_series(struct ical_reader *r, const struct ical_event *e, size_t group_end);

/* ---- ical_occur.c: its occurrences ---- */

int ical_by_instant(const void *a, const void *b);
struct instant ical_moved(const struct ical_moment *m, int64_t by_s); /* on the wall clock */
/* When an occurrence is over whose start is the event's, moved by `by_s` of the wall clock. */
int64_t ical_end_ms(const struct ical_series *s, const struct ical_moment *start, int64_t by_s);
void ical_occur(struct ical_reader *r, struct ical_series *s, const struct ical_moment *start, int64_t by_s);
void ical_exclude(struct ical_series *s, struct instant at);
/* RRULE, RDATE and EXDATE. */
void ical_expand_rule(struct ical_reader *r, struct ical_series *s, const struct ical_line *line);
void ical_add_dates(struct ical_reader *r, struct ical_series *s, const struct ical_line *line);
void ical_remove_dates(struct ical_reader *r, struct ical_series *s, const struct ical_line *line);
/* A PERIOD, "start/end" or "start/duration" (3.3.9); `s` NULL = of no event. False where it cannot be read. */
bool ical_book_period(
    struct ical_reader *r, const struct ical_line *line, struct span part, const struct ical_series *s);
