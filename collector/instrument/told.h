/*
 * What instruments and resources told of themselves, in the collector's database: what the journal's points said, and what
 * people said of sessions. Rows are a function of the order of the journal and of what people said in between; no clock.
 * Kept as long as the database is.
 *
 *   instrument      one that the park model names or named; activity: struct activity, as it is after the newest reading
 *   activity_span   states that are over, half-open, without a hole between them; unknown ones too
 *   session         one, or a close alone; by opened_ms, then id, they follow each other. closed_ms NULL: it is open
 *   session_unseen  when nothing was heard of the point of its sessions for longer than its gap
 *   resource        one with a point: whether it is down now, by what arrived
 *   resource_word   what its point and persons said of it, each once: at_ms, never later than it arrived, counts
 *   resource_down   from when to when it was down, by the times of these words alone, in whatever order they came; until_ms NULL:
 *                   no later word says that it is up. Of words at one instant: told_word_schema
 *   cursor          'watch': the batch up to which the journal was taken (collector/watch.h)
 *
 * The newest word of a source is the time of its reading, but never later than it arrived.
 */
#pragma once

#include "collector/instrument/availability.h"
#include "collector/instrument/hours.h"
#include "collector/model/park.h"
#include "lib/db.h"
#include "lib/session_event.h"

extern const char told_schema[], told_word_schema[], told_resource_schema[], told_late_schema[],
    told_reach_schema[], told_doubt_schema[], told_place_schema[];

#define TOLD_NONE AVAILABILITY_NONE            /* no such time */
#define TOLD_KNOWN_MS INT64_C(3024000000)      /* 35 days, as the journal: so long an id is known */
#define TOLD_SESSION_PERIOD_MS INT64_C(300000) /* a state goes again at least every 300 s: rule S2 */

/* How a session ended. */
enum told_end {
    TOLD_OPEN,      /* it did not */
    TOLD_CLOSED,    /* as it was told */
    TOLD_NEXT,      /* another was opened: at its opening */
    TOLD_FORGOTTEN, /* nobody closed it within the longest that one may be: inferred */
    TOLD_UNOPENED   /* a close alone: opened_ms = closed_ms, and may be before the newest */
};
extern const char *const told_ends[]; /* names, NULL-terminated */

struct told_session {
    int64_t id;                   /* 0 = none */
    int64_t opened_ms, closed_ms; /* closed_ms: TOLD_NONE = it is open */
    enum hours_user user;
    enum session_class class;
    char organisation[SESSION_ORGANISATION_MAX + 1], purpose[ID_MAX + 1];             /* "" = not told */
    char open_event[SESSION_EVENT_ID_MAX + 1], close_event[SESSION_EVENT_ID_MAX + 1]; /* "" = none */
    enum hours_evidence evidence, closed_evidence;
    enum told_end end;
    /* Where it was told over later than it may last: when, and by whom. Its end is judged by its power (told_look). */
    int64_t told_ms; /* TOLD_NONE = it was not */
    enum hours_evidence told_evidence;
    /* Until then it may last, by the park model that was in use when it was opened: a later one changes nothing of it. TOLD_NONE
     * = not known (a close alone; one that an earlier program opened). */
    int64_t limit_ms;
};

struct told_instrument {
    int64_t id; /* 0 = it was never watched, and all is none */
    struct activity activity;
    int64_t power_ms, session_ms; /* newest words; TOLD_NONE = never */
    struct told_session last;     /* the newest session */
    bool has_polled, says_open;   /* the newest word of a terminal that is polled, if one was noted */
    bool is_contradicted; /* its point says that a session is open which a person closed: not good until told_heard */
    int64_t max_session_ms,
        gap_ms; /* of the park model, only of one that is taken up; gap: of its power, 0 = none */
    /* As the park model names them, only of one that is taken up; borrowed from it; NULL = none. Other: the newest word is of
     * another point, and says nothing of now until this one speaks. */
    const char *power_point, *session_point;
    bool is_power_other, is_session_other;
    bool
        begins_anew; /* its power was not followed for a while: with the next reading nothing before counts */
    int64_t power_garbled_ms, session_garbled_ms; /* words since then that cannot be read; TOLD_NONE = none */
    int64_t
        unsettled_ms; /* private: power came, and may tell otherwise from there on; INT64_MAX = none did */
};
/* Whether a session is open, as it was told: also where it was forgotten, and ended by inference, since. That end is for the
 * hours; nobody said that the instrument is free. */
bool told_is_session_open(const struct told_instrument *t);
/* Whether the newest word says anything of now: not if it is of another point, or one came that is newer and cannot be read. */
bool told_is_power_good(const struct told_instrument *t);
bool told_is_session_good(const struct told_instrument *t);
/* Before it no event counts: what was inferred gives way, down to the opening. TOLD_NONE = there was no session. */
int64_t told_floor_ms(const struct told_instrument *t);
/* The newest power says so, of whatever time. */
enum activity_state told_activity_now(const struct told_instrument *t, int64_t *ret_since_ms);

struct told_resource {
    int64_t id;
    bool is_down;
    int64_t since_ms; /* of that; TOLD_NONE = never told */
    int64_t
        heard_ms; /* newest word of the point that it has; TOLD_NONE = never, or the newest could not be read */
    /* When a word came that could not be read, or, after a restore or of another point, the newest of before: none that is older is
     * a word of now. TOLD_NONE = never. */
    int64_t unread_ms;
};

/* ---- writing: within the core's transaction ---- */

/* Before those that a model names are taken up: what this one does not follow, or by another point, was not heard meanwhile.
 * What was told of it before is no word of now until it is followed again and speaks. */
enum status told_leave(struct db *db, const struct park *park, bool *ret_is_changed, struct error *err);
/* So nothing that was told is a word of now: after a restore. What comes next follows what there is without a hole. */
enum status told_leave_all(struct db *db, struct error *err);
/* Finds it, or makes it; *ret_is_changed: it was made. */
enum status told_take_up(struct db *db, const struct park_instrument *park, struct told_instrument *ret,
    bool *ret_is_changed, struct error *err);
/* Writes activity and newest words, which the calls below change in `t` alone; and the ends of sessions that are otherwise
 * by what its power said since. */
enum status told_save(struct db *db, struct told_instrument *t, struct error *err);
/* One whose time is not later than that of the newest (a clock that was ahead) is no word: the source ages until the clock
 * is past it. */
enum status told_power(struct db *db, struct told_instrument *t, const struct activity_limits *limits,
    int64_t time_ms, int64_t arrived_ms, int64_t power_mw, struct error *err);
/* A word of the point of its sessions, whatever it says. */
enum status told_heard(
    struct db *db, struct told_instrument *t, int64_t time_ms, int64_t arrived_ms, struct error *err);

/* A word came that cannot be read, or believed: until one that can, and is not older, nobody knows. One that is older than the
 * newest that was changes nothing. In `t` alone. */
void told_power_garbled(struct told_instrument *t, int64_t time_ms, int64_t arrived_ms);
void told_session_garbled(struct told_instrument *t, int64_t time_ms, int64_t arrived_ms);

enum told_news {
    TOLD_KNOWN, /* an event of that id was taken before: nothing changed */
    TOLD_TAKEN,
    TOLD_TWICE_OPEN,  /* a session was open: it is ended where this one is opened */
    TOLD_NOT_OPEN,    /* no session was open, or only one of later: noted as one that was never opened */
    TOLD_CLOSED_LATE, /* it was forgotten before: it has an inferred end */
    TOLD_USED_AGAIN,  /* taken, with an id that another event had */
    TOLD_DISPLACES,   /* taken, at its own time: the close that had ended that session is now of none */
    TOLD_OVER,        /* taken, an open that comes after a person closed, and is of before: nobody knows */
    TOLD_OLDER,       /* known, of a point that told others since: nothing changed, and it is no word of now */
    TOLD_DOUBTED      /* as TOLD_OLDER, but it closes, and a session is open: nobody knows */
};
/* Whether an event of that id was taken before, within TOLD_KNOWN_MS before `time_ms`. */
enum status told_is_known(struct db *db, const struct told_instrument *t, const char *event, int64_t time_ms,
    bool *ret, struct error *err);
/* Whether an event of that id, ever taken, did the same: opened a session, or closed one. */
enum status told_is_same_action(struct db *db, const struct told_instrument *t, const struct session_event *e,
    bool *ret, struct error *err);
/* An event. It is judged at its own time, whenever it comes: a session that was open by then for longer than max_session was
 * forgotten before, unless a run went on from there to the event; what was inferred without the event gives way. Time does not
 * run back: an event of before the newest one counts as at that, or has the place of its time (told_event_late) where a person told
 * the newest and a point this; but a close of before the open session's begin is not of that session, which stays open.
 * An id that is known changes nothing, however often it comes. But a reader that numbers its events may begin anew: an open that
 * a point tells (EVIDENCE_DECLARED) is another event of the same id where no session is open, it is later than all that was told,
 * and is not the newest event that the point told: that one it repeats. So is, while the session that such an
 * open began is open, a later close that closed one of that id before. Any other close of a known id may be late, of another reader or of a spool that was put back, and somebody may
 * be at work; it is TOLD_DOUBTED, unless it has the id of the open session's opening, or was noted as of before it, and comes with
 * a time that is not: a clock was set back. */
enum status told_event(struct db *db, struct told_instrument *t, const struct session_event *e,
    int64_t time_ms, enum hours_user user, enum hours_evidence evidence, enum told_news *ret,
    struct error *err);
/* The same of one that a point told, and that was longer under way than one of its words is apart from the next: of before the
 * newest event it has the place of its time, as if all had come in order (I14). */
enum status told_event_late(struct db *db, struct told_instrument *t, const struct session_event *e,
    int64_t time_ms, enum hours_user user, enum told_news *ret, struct error *err);
enum told_word_news {
    TOLD_NO_EVENT,
    TOLD_EVENT,
    TOLD_CONTRADICTS /* it says that one is open, as before, and a person closed it: nobody knows */
};
/* A word of a terminal that is polled, in their order. It is an event where it is another than its own before, whatever people said
 * since, and a session is not as it says, then. Where it is not known what that point said before, an `open` is, and a `close` of
 * what a point opened. Notes it in `t`. */
enum status told_polled(struct db *db, struct told_instrument *t, bool is_open, int64_t time_ms, bool is_late,
    enum told_word_news *ret, struct error *err);
/* By the clock: a session that nobody told over is ended by inference where it is open for longer than max_session, and the
 * run that went on then is over or not heard any more: at the end of that run, or at that length. Power that comes later moves
 * that end, or takes it back. *ret_is_changed: it was otherwise before. */
enum status told_look(
    struct db *db, struct told_instrument *t, int64_t now_ms, bool *ret_is_changed, struct error *err);

/* Finds it, or makes it. Where its point (NULL = none) is another than before, or not known to be the same, this one was never
 * heard; what was down stays so. */
enum status told_resource_take_up(struct db *db, const char *name, const char *point,
    struct told_resource *ret, bool *ret_is_changed, struct error *err);
struct told_word {
    bool says_up;
    bool is_fresh;   /* of a point: when it arrived; of a person: always */
    int64_t at_ms;   /* never later than it arrived */
    int64_t time_ms; /* of the reading: orders those that arrived before their time */
    enum hours_evidence evidence;
};
/* Its place in resource_down is that of its time. Whether the resource is down now is another question: what is not the newest
 * word changes nothing of that, but for a fresh `down`, and only a fresh word ends what is down. A person's (EVIDENCE_MANUAL) is
 * newer than all that was told. */
enum status told_resource_say(
    struct db *db, struct told_resource *r, const struct told_word *word, struct error *err);
enum status told_resource_heard(struct db *db, struct told_resource *r, int64_t heard_ms, struct error *err);
/* A word that nobody can read: it is not fresh until one is read that is not older. Of words of one millisecond, read or not, the
 * later that arrived counts. */
enum status told_resource_unread(struct db *db, struct told_resource *r, int64_t at_ms, struct error *err);

/* ---- reading: any connection. Lists are the caller's to free, in order of time. ---- */

enum status told_find(struct db *db, const char *instrument, struct told_instrument *ret, struct error *err);
/* ret->id 0 = it was never told. */
enum status told_resource_find(
    struct db *db, const char *resource, struct told_resource *ret, struct error *err);

/* Whatever touches [from_ms, until_ms), each whole: the state that is not over ends at the newest reading. `instrument`, `resource`:
 * their id here. */
enum status told_activity(struct db *db, int64_t instrument, int64_t from_ms, int64_t until_ms,
    struct activity_span **ret, size_t *ret_count, struct error *err);
/* Without those that are empty. */
enum status told_sessions(struct db *db, int64_t instrument, int64_t from_ms, int64_t until_ms,
    struct told_session **ret, size_t *ret_count, struct error *err);
/* Newest first: those with an id below `before`, at most `limit`, of one instrument or of all (NULL), empty ones too. `each` borrows what it
 * is given. */
enum status told_sessions_each(struct db *db, const char *instrument, int64_t before, int64_t limit,
    void (*each)(void *user_data, const char *instrument, const struct told_session *session),
    void *user_data, struct error *err);
/* As its point was heard: only for one that has a point of sessions. What is unseen at until_ms ends there. */
enum status told_unseen(struct db *db, int64_t instrument, int64_t from_ms, int64_t until_ms,
    struct hours_span **ret, size_t *ret_count, struct error *err);
/* until_ms INT64_MAX: it still is. */
enum status told_down(struct db *db, int64_t resource, int64_t from_ms, int64_t until_ms,
    struct hours_span **ret, size_t *ret_count, struct error *err);
