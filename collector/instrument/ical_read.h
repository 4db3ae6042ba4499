/*
 * When a calendar (iCalendar, RFC 5545) says that an instrument is booked: VEVENT and VFREEBUSY as spans of UTC within a
 * horizon. Pure but for tzdata. No name is kept: of what an event says beside its times only a hash of its UID.
 *
 * What cannot be read counts as busy, and is said: a time of which only the day can be read is that day; a start that
 * cannot be read is the whole horizon; an end, a duration, a rule or an event that is broken off is busy from the start
 * on; of a zone that is not known, or of which file and system disagree, every meaning counts (ical_zone.h); a
 * date that is added (RDATE) the whole horizon; one that is taken away (EXDATE, RECURRENCE-ID) takes nothing away.
 * A change of this and all later occurrences (RANGE) leaves those before and after the change busy.
 *
 * Not busy: STATUS:CANCELLED, TRANSP:TRANSPARENT, FBTYPE=FREE, an occurrence that is moved or cancelled, and an event of
 * the same UID and RECURRENCE-ID that a higher SEQUENCE replaces. TENTATIVE is busy. An occurrence that crosses a
 * change of the clocks ends at the later of what DTEND shows and what its length makes (programs do either).
 */
#pragma once

#include "collector/instrument/busy.h"
#include "collector/model/zone.h"
#include "lib/line.h"
#include "lib/status.h"

#define ICAL_BYTES_MAX ((size_t)8 * 1024 * 1024)
#define ICAL_LINES_MAX 1000000 /* that are of interest */
#define ICAL_EVENTS_MAX 20000
#define ICAL_BOOKINGS_MAX 100000
#define ICAL_STEPS_MAX 5000000 /* days and times that all rules together may look at */
#define ICAL_PROBLEMS_MAX 8

struct ical_booking {
    struct busy span; /* within the horizon */
    uint64_t uid;     /* a hash; 0 = the event has none */
    bool is_unread;   /* busy because it cannot be read */
};

struct ical_problem {
    int line; /* of the text, from 1 */
    const char *text;
};

struct ical_reading {
    struct busy horizon;
    struct busy_list busy;         /* merged */
    struct ical_booking *bookings; /* by begin; no two alike */
    size_t booking_count, booking_capacity;
    size_t event_count;   /* in the file, whatever they say */
    bool is_whole;        /* false: it ends within itself, or has more than is read: events may be missing */
    size_t problem_count; /* the first of them are kept */
    struct ical_problem problems[ICAL_PROBLEMS_MAX];
};

struct ical_read_options {
    const char *name;        /* of the file or URL, for the error */
    const struct zone *site; /* borrowed; where the instrument stands */
    struct busy horizon;
};

/* ST_INVALID: it is no calendar at all, or larger than ICAL_BYTES_MAX or ICAL_LINES_MAX; `ret` is untouched. */
enum status ical_read(
    struct span text, const struct ical_read_options *options, struct ical_reading *ret, struct error *err);
void ical_reading_release(struct ical_reading *reading);
