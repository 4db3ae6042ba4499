#include "collector/watch.h"
#include "lib/buf.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define POWER_MOST_W 1e12 /* more is no power; and fits as milliwatts */

bool watch_power_mw(double watts, int64_t *ret)
{
    bool is_power = fabs(watts) <= POWER_MOST_W;
    if (is_power)
        *ret = llround(watts * 1000);
    return is_power;
}

static enum status take_power(
    struct watch *w, struct watch_instrument *n, const struct follower_reading *r, struct error *err)
{
    int64_t power_mw = 0;
    bool is_power = watch_power_mw(r->reading->value, &power_mw);
    n->is_changed = true;
    if (!is_power || !activity_is_reading(&n->limits, power_mw)) {
        told_power_garbled(&n->told, r->reading->time_ms, r->arrived_ms);
        complain(&n->backward, w->now_mono_ms, LOG_LEVEL_WARN, "watch",
            "instrument %s, point %s: %.3f W is %s; it is not taken, and what it does is not known until the "
            "next that is",
            n->park->id, n->park->power_point, r->reading->value,
            is_power ? "further below zero than off_w (is its meter wired the wrong way round?)"
                     : "more than any machine has");
        return ST_OK;
    }
    return told_power(
        w->follower.db, &n->told, &n->limits, r->reading->time_ms, r->arrived_ms, power_mw, err);
}

enum hours_user watch_user(const struct park_instrument *n, const struct session_event *e)
{
    if (e->organisation[0] != '\0' && n->owner_code != NULL)
        return strcmp(e->organisation, n->owner_code) == 0 ? HOURS_USER_INTERNAL : HOURS_USER_EXTERNAL;
    return e->class == SESSION_CLASS_INTERNAL   ? HOURS_USER_INTERNAL
           : e->class == SESSION_CLASS_EXTERNAL ? HOURS_USER_EXTERNAL
                                                : HOURS_USER_UNKNOWN;
}

void watch_tell_news(const struct watch_instrument *n, const struct session_event *e, enum told_news news)
{
    const char *id = n->park->id;
    if (news == TOLD_TWICE_OPEN)
        log_warn("watch",
            "instrument %s: event %s opens a session while one is open; that one ends where this one begins",
            id, e->id);
    else if (news == TOLD_NOT_OPEN)
        log_warn("watch",
            "instrument %s: event %s closes a session that is not open; it is noted, and changes nothing", id,
            e->id);
    else if (news == TOLD_CLOSED_LATE)
        log_warn("watch",
            "instrument %s: event %s closes a session that was forgotten; the end that was inferred stays",
            id, e->id);
    else if (news == TOLD_DISPLACES)
        log_warn("watch",
            "instrument %s: event %s comes late and closes a session that another had closed later; that one "
            "is "
            "noted, and closes nothing",
            id, e->id);
    else if (news == TOLD_USED_AGAIN)
        log_warn("watch",
            "instrument %s: event %s %s a session with an id that another event had; it is taken as a new "
            "one: does its reader number its events from the beginning again?",
            id, e->id, e->is_open ? "opens" : "closes");
}

static int64_t word_ms_of(const struct follower_reading *r)
{
    return r->reading->time_ms < r->arrived_ms ? r->reading->time_ms : r->arrived_ms;
}

/* Longer under way than one word of a point is apart from the next. */
static bool is_late(const struct follower_reading *r)
{
    return r->arrived_ms - r->reading->time_ms > TOLD_SESSION_PERIOD_MS;
}

/* What a terminal that is polled tells is an event or none; one that is older than its newest word is none. Without an id: nothing
 * changes. */
static enum status make_event(struct db *db, struct session_event *e, struct told_instrument *told,
    const struct follower_reading *r, enum told_word_news *ret, struct error *err)
{
    *ret = TOLD_NO_EVENT;
    if (e->id[0] != '\0') {
        told->has_polled = false;
        return ST_OK;
    }
    if (word_ms_of(r) < told->session_ms)
        return ST_OK;
    enum status status = told_polled(db, told, e->is_open, r->reading->time_ms, is_late(r), ret, err);
    if (status == ST_OK && *ret == TOLD_EVENT)
        snprintf(e->id, sizeof e->id, "polled-%" PRId64, r->reading->time_ms);
    return status;
}

/* Its point says that a session is open, and a person closed one: the source is not good until another event. */
static void contradict(struct watch *w, struct watch_instrument *n)
{
    n->told.is_contradicted = true;
    complain(&n->garbled, w->now_mono_ms, LOG_LEVEL_WARN, "watch",
        "instrument %s, point %s: it says that a session is open, and a person closed it; whether one is "
        "open is not "
        "known until the next event",
        n->park->id, n->park->session);
}

static void doubt(struct watch *w, struct watch_instrument *n, const struct follower_reading *r,
    const struct session_event *e)
{
    told_session_garbled(&n->told, r->reading->time_ms, r->arrived_ms);
    complain(&n->garbled, w->now_mono_ms, LOG_LEVEL_WARN, "watch",
        "instrument %s, point %s: event %s closes again, after others, and a session is open; it closes "
        "nothing, "
        "and whether that one still is open is not known until the next event",
        n->park->id, n->park->session, e->id);
}

static enum status take_session(
    struct watch *w, struct watch_instrument *n, const struct follower_reading *r, struct error *err)
{
    struct session_event e;
    struct error why;
    struct buf plain = {0};
    line_unescape_string(&plain, r->reading->text);
    enum status status = session_event_read_state((struct span){plain.data, plain.len}, &e, &why);
    buf_release(&plain);
    n->is_changed = true;
    if (status != ST_OK) {
        told_session_garbled(&n->told, r->reading->time_ms, r->arrived_ms);
        complain(&n->garbled, w->now_mono_ms, LOG_LEVEL_WARN, "watch",
            "instrument %s, point %s: %s; it is not taken, and whether a session is open is not known until "
            "the next that is",
            n->park->id, n->park->session, why.text);
        return ST_OK;
    }
    enum told_news news = TOLD_KNOWN;
    enum hours_user user = watch_user(n->park, &e);
    struct db *db = w->follower.db;
    enum told_word_news word;
    status = make_event(db, &e, &n->told, r, &word, err);
    if (status == ST_OK && e.id[0] != '\0')
        status = is_late(r)
                     ? told_event_late(db, &n->told, &e, r->reading->time_ms, user, &news, err)
                     : told_event(db, &n->told, &e, r->reading->time_ms, user, EVIDENCE_DECLARED, &news, err);
    if (status != ST_OK)
        return status;
    if (news == TOLD_DOUBTED)
        doubt(w, n, r, &e);
    else if (news == TOLD_OVER || word == TOLD_CONTRADICTS)
        contradict(w, n);
    else
        watch_tell_news(n, &e, news);
    /* What says nothing new ends no doubt: of before, or what a person closed, whoever opened another since. */
    bool is_its_own = told_is_session_open(&n->told) && strcmp(n->told.last.open_event, e.id) == 0;
    bool is_told_again = news == TOLD_OLDER || (n->told.is_contradicted && news == TOLD_KNOWN &&
                                                   e.id[0] != '\0' && e.is_open && !is_its_own);
    if (news == TOLD_DOUBTED || news == TOLD_OVER || word == TOLD_CONTRADICTS ||
        (is_told_again && !told_is_session_good(&n->told)))
        return ST_OK;
    return told_heard(w->follower.db, &n->told, r->reading->time_ms, r->arrived_ms, err);
}

static bool is_among(const struct conf_list *words, struct span word)
{
    char *const *items = words->items;
    for (size_t i = 0; i < words->count; i++)
        if (span_is(word, items[i]))
            return true;
    return false;
}

static enum status say(struct watch *w, struct watch_resource *resource, struct span word,
    const struct follower_reading *r, struct error *err)
{
    bool says_up = is_among(&resource->park->up, word);
    int64_t time_ms = r->reading->time_ms, late_ms = r->arrived_ms - time_ms, word_ms = word_ms_of(r);
    if (!says_up && !is_among(&resource->park->down, word)) {
        complain(&resource->garbled, w->now_mono_ms, LOG_LEVEL_WARN, "watch",
            "resource %s, point %s: \"%.*s\" is neither one of its `up` nor of its `down`; it tells nothing",
            resource->park->id, resource->park->point, (int)(word.len < 60 ? word.len : 60), word.at);
        return told_resource_unread(w->follower.db, &resource->told, word_ms, err);
    }
    const struct told_word said = {.says_up = says_up,
        .is_fresh = late_ms <= activity_gap_ms(resource->park->period_ms),
        .at_ms = word_ms,
        .time_ms = time_ms,
        .evidence = EVIDENCE_MEASURED};
    enum status status = told_resource_say(w->follower.db, &resource->told, &said, err);
    bool is_ignored = resource->told.is_down == says_up;
    return status == ST_OK && !is_ignored ? told_resource_heard(w->follower.db, &resource->told, word_ms, err)
                                          : status;
}

static enum status take_resource(
    struct watch *w, struct watch_resource *resource, const struct follower_reading *r, struct error *err)
{
    struct buf plain = {0};
    line_unescape_string(&plain, r->reading->text);
    enum status status = say(w, resource, (struct span){plain.data, plain.len}, r, err);
    buf_release(&plain);
    return status;
}

enum status watch_take(void *user_data, void *item, const struct follower_reading *r, struct error *err)
{
    struct watch *w = user_data;
    const struct watch_item *i = item;
    if (i->resource != NULL)
        return take_resource(w, i->resource, r, err);
    return r->reading->kind == READING_GAUGE ? take_power(w, i->instrument, r, err)
                                             : take_session(w, i->instrument, r, err);
}
