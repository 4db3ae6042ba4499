/*
 * What an instrument's time went to: every millisecond of a period is in exactly one part, so that the parts add up to the
 * period, exactly. Pure; a function of what is given, however a year is cut into periods.
 *
 * Effective is what it ran, and inside a session what had to be done for that: at most `preparation` before its first run,
 * `post_processing` after its last one, and each pause between two runs that is not longer than `pause` (a longer one is
 * idle, wholly). What is not known is never effective, nor is what lies on its other side: preparation reaches back to it
 * at most, and a pause with something unknown inside is none. Source: 有效机时 of the open-sharing evaluation
 * (necessary preparation, test, necessary post-processing; idle running is none).
 */
#pragma once

#include "collector/instrument/activity.h"
#include "collector/model/opening.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* In order of precedence: an instant is in the first that fits. */
enum hours_part {
    HOURS_BROKEN,       /* an unplanned outage of it, or of what it requires */
    HOURS_PLANNED,      /* a planned outage */
    HOURS_TRAINING,     /* a session for training, wholly */
    HOURS_INTERNAL,     /* effective; by the legal entity of the session's user */
    HOURS_EXTERNAL,     /* effective */
    HOURS_UNATTRIBUTED, /* effective, of nobody that is known: outside sessions too */
    HOURS_UNKNOWN,      /* power or sessions were not fresh; booked, where nothing tells of use */
    HOURS_IDLE,         /* in a session */
    HOURS_NO_SHOW,      /* booked, and nobody came: to the end of the booking */
    HOURS_RESERVED,     /* booked, and not used then */
    HOURS_CLOSED,       /* outside opening hours */
    HOURS_FREE,
    HOURS_PARTS
};
extern const char *const hours_parts[]; /* names, NULL-terminated */

/* How it is known. */
enum hours_evidence {
    EVIDENCE_NONE,
    EVIDENCE_MEASURED,
    EVIDENCE_DECLARED,
    EVIDENCE_INFERRED,
    EVIDENCE_MANUAL,
    EVIDENCE_IMPORTED
};
extern const char *const hours_evidences[]; /* names, NULL-terminated */

/* Half-open. Lists are in order of from_ms; entries may overlap, and of those that hold an instant the first counts. */
struct hours_span {
    int64_t from_ms, until_ms;
    enum hours_evidence evidence;
};
struct hours_list {
    const struct hours_span *items;
    size_t count;
};

enum hours_user { HOURS_USER_UNKNOWN, HOURS_USER_INTERNAL, HOURS_USER_EXTERNAL };
struct hours_session {
    struct hours_span span; /* of one that is open: until known_until_ms */
    enum hours_user user;
    bool is_training;
};

struct hours_facts {
    int64_t begin_ms, end_ms;
    int64_t known_until_ms; /* up to when everything given is known; not before end_ms */
    /* All that touches the period, each whole, with all that touches those. */
    struct hours_list broken, planned, bookings;
    const struct hours_session *sessions; /* in order, without overlap: one ends where the next is opened */
    size_t session_count;
    bool has_sessions; /* a point tells of sessions */
    struct hours_list
        telling;    /* when people do (HOURS_TELLING_MS); without overlap, nor one where the next begins */
    bool has_power; /* false: it runs while a session is open (always-on machines) */
    const struct activity_span *activity; /* in order, without overlap; what none covers is unknown */
    size_t activity_count;
    struct hours_list unseen; /* when the source of sessions was not fresh */
    const struct opening *opening;
    const struct zone *zone;
    int64_t preparation_ms, post_processing_ms, pause_ms, grace_ms;
};
/* What tells of use, at an instant: a point of power or of sessions that the park model names; or people, from a session that they
 * told on until that is over, and 35 days from its opening at least: a choice of ours. Not one of years ago, nor a close alone.
 * Of an instrument with a calendar alone nobody knows whether it was used when it was booked. */
#define HOURS_TELLING_MS INT64_C(3024000000)
/* At any instant of the period. */
bool hours_tell_use(const struct hours_facts *f);

struct hours_row {
    int64_t from_ms, until_ms;
    enum hours_part part;
    enum hours_evidence evidence; /* of unknown: none */
};
struct hours {
    int64_t part_ms[HOURS_PARTS]; /* their sum is end_ms - begin_ms */
    struct hours_row *rows;       /* in order, without a hole; neighbours differ in part or evidence */
    size_t count, capacity;
};
void hours_divide(const struct hours_facts *facts, struct hours *ret);
void hours_release(struct hours *h);
