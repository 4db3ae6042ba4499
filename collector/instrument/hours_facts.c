#include "collector/instrument/hours_facts.h"

#include "collector/instrument/booking_rows.h"
#include "collector/instrument/outage.h"
#include "lib/mem.h"

#include <assert.h>
#include <stdlib.h>

static int64_t lower_of(int64_t a_ms, int64_t b_ms)
{
    return a_ms < b_ms ? a_ms : b_ms;
}

static int64_t higher_of(int64_t a_ms, int64_t b_ms)
{
    return a_ms > b_ms ? a_ms : b_ms;
}

/* ---- lists ---- */

static void add(struct hours_spans *to, int64_t from_ms, int64_t until_ms, enum hours_evidence evidence)
{
    if (from_ms >= until_ms)
        return;
    MEM_GROW(to->items, to->count, to->capacity);
    to->items[to->count++] = (struct hours_span){from_ms, until_ms, evidence};
}

static int by_time(const void *a, const void *b)
{
    const struct hours_span *p = a, *q = b;
    if (p->from_ms != q->from_ms)
        return p->from_ms < q->from_ms ? -1 : 1;
    if (p->until_ms != q->until_ms)
        return p->until_ms < q->until_ms ? -1 : 1;
    return (int)p->evidence - (int)q->evidence;
}

static struct hours_list in_order(struct hours_spans *spans)
{
    if (spans->count > 0)
        qsort(spans->items, spans->count, sizeof *spans->items, by_time);
    return (struct hours_list){spans->items, spans->count};
}

/* ---- outages ---- */

static enum status add_told_by_people(struct db *db, const struct park_instrument *instrument,
    enum outage_kind kind, const struct hours_facts *f, struct hours_spans *ret, struct error *err)
{
    struct outage_spans found;
    enum status status = outage_spans_read(db, instrument, kind, f->begin_ms, f->end_ms, &found, err);
    if (status != ST_OK)
        return status;
    for (size_t i = 0; i < found.count; i++)
        add(ret, found.items[i].from_ms, found.items[i].until_ms, found.items[i].evidence);
    outage_spans_release(&found);
    return ST_OK;
}

/* What it cannot do without was down. */
static enum status add_told_by_points(struct db *db, const struct park_instrument *instrument,
    const struct hours_facts *f, struct hours_spans *ret, struct error *err)
{
    enum status status = ST_OK;
    for (size_t i = 0; i < instrument->requires.count && status == ST_OK; i++) {
        struct told_resource resource;
        struct hours_span *down = NULL;
        size_t count = 0;
        status = told_resource_find(db, instrument->required[i]->id, &resource, err);
        if (status == ST_OK && resource.id != 0)
            status = told_down(db, resource.id, f->begin_ms, f->end_ms, &down, &count, err);
        for (size_t k = 0; k < count && status == ST_OK; k++)
            add(ret, down[k].from_ms, down[k].until_ms, down[k].evidence);
        free(down);
    }
    return status;
}

/* ---- bookings ---- */

static enum status add_bookings(
    struct db *db, const struct park_instrument *instrument, struct hours_book *book, struct error *err)
{
    const struct hours_facts *f = &book->facts;
    struct busy period = {f->begin_ms, f->end_ms};
    struct booking_list list = {0};
    if (instrument->calendar_id == NULL) {
        busy_list_add(&book->booked_known, f->begin_ms, f->end_ms, period);
        return ST_OK;
    }
    int64_t period_ms = instrument->calendar != NULL ? instrument->calendar->every_ms : 0;
    enum status status =
        booking_known(db, instrument->calendar_id, period_ms, period, &book->booked_known, err);
    if (status == ST_OK)
        status = booking_list(db, instrument->calendar_id, f->begin_ms, f->end_ms, &list, err);
    for (size_t i = 0; i < list.count && status == ST_OK; i++)
        add(&book->bookings, list.items[i].span.begin_ms, list.items[i].span.end_ms, EVIDENCE_IMPORTED);
    booking_list_release(&list);
    return status;
}

int64_t hours_unbooked_ms(const struct hours_book *book)
{
    int64_t unknown_ms = book->facts.end_ms - book->facts.begin_ms;
    for (size_t i = 0; i < book->booked_known.count; i++)
        unknown_ms -= book->booked_known.items[i].end_ms - book->booked_known.items[i].begin_ms;
    return unknown_ms;
}

/* ---- what the instrument told ---- */

int64_t hours_power_ms(const struct activity *activity)
{
    int64_t power_ms = activity->has_read ? activity->last_ms : INT64_MIN;
    for (int i = 0; i < 2; i++)
        if (activity->has_read && activity->steps[i].is_pending)
            power_ms = lower_of(power_ms, activity->steps[i].pending_ms);
    return power_ms;
}

static int64_t heard_of(int64_t heard_ms, int64_t silence_ms, int64_t now_ms)
{
    return heard_ms > now_ms || heard_ms < now_ms - silence_ms ? now_ms : heard_ms;
}

int64_t hours_heard_ms(
    const struct park_instrument *instrument, const struct told_instrument *told, int64_t now_ms)
{
    int64_t heard_ms = now_ms;
    int64_t dwell_ms = higher_of(instrument->enter_ms, instrument->exit_ms);
    if (instrument->power_point != NULL)
        heard_ms = heard_of(
            hours_power_ms(&told->activity), activity_gap_ms(instrument->power_period_ms) + dwell_ms, now_ms);
    if (instrument->session != NULL)
        heard_ms =
            lower_of(heard_ms, heard_of(told->session_ms, activity_gap_ms(TOLD_SESSION_PERIOD_MS), now_ms));
    return heard_ms;
}

/* An end that was inferred makes all of the session so. */
static enum hours_evidence evidence_of(const struct told_session *s)
{
    return s->end == TOLD_FORGOTTEN ? EVIDENCE_INFERRED : s->evidence;
}

static void take_sessions(struct hours_book *book, int64_t now_ms)
{
    size_t count = book->facts.session_count;
    book->sessions = mem_zalloc((count + 1) * sizeof *book->sessions);
    for (size_t i = 0; i < count; i++) {
        const struct told_session *s = &book->told[i];
        int64_t until_ms = s->closed_ms == TOLD_NONE ? now_ms : s->closed_ms;
        struct hours_span span = {s->opened_ms, higher_of(s->opened_ms, until_ms), evidence_of(s)};
        book->sessions[i] = (struct hours_session){span, s->user, s->class == SESSION_CLASS_TRAINING};
        if (s->class == SESSION_CLASS_SERVICE)
            add(&book->planned, span.from_ms, span.until_ms, span.evidence);
    }
    book->facts.sessions = book->sessions;
}

/* From when until when all is to be known: of the period, what touches it, whole. */
static enum status widen(struct db *db, const struct told_instrument *t, const struct hours_book *book,
    int64_t now_ms, int64_t *from_ms, int64_t *until_ms, struct error *err)
{
    const struct hours_facts *f = &book->facts;
    struct told_session *sessions = NULL;
    size_t count = 0;
    for (size_t i = 0; i < book->bookings.count; i++) {
        *from_ms = lower_of(*from_ms, book->bookings.items[i].from_ms);
        *until_ms = higher_of(*until_ms, book->bookings.items[i].until_ms);
    }
    enum status status = told_sessions(db, t->id, f->begin_ms, f->end_ms, &sessions, &count, err);
    for (size_t i = 0; i < count && status == ST_OK; i++) {
        *from_ms = lower_of(*from_ms, sessions[i].opened_ms);
        *until_ms = sessions[i].closed_ms == TOLD_NONE ? now_ms : higher_of(*until_ms, sessions[i].closed_ms);
    }
    *until_ms = lower_of(*until_ms, now_ms);
    free(sessions);
    return status;
}

/* When people told of sessions: of one that has no point that tells of use. Those are the lists of told_sessions: in order, and
 * without a close alone. */
static enum status add_telling(struct db *db, const struct told_instrument *t, int64_t from_ms,
    int64_t until_ms, struct hours_book *book, struct error *err)
{
    struct told_session *sessions = NULL;
    struct hours_spans *to = &book->telling;
    size_t count = 0;
    enum status status =
        told_sessions(db, t->id, from_ms - HOURS_TELLING_MS, until_ms, &sessions, &count, err);
    for (size_t i = 0; i < count && status == ST_OK; i++) {
        int64_t begin_ms = sessions[i].opened_ms, end_ms = begin_ms + HOURS_TELLING_MS;
        if (sessions[i].closed_ms == TOLD_NONE)
            end_ms = INT64_MAX;
        end_ms = higher_of(end_ms, sessions[i].closed_ms);
        if (to->count > 0 && begin_ms <= to->items[to->count - 1].until_ms)
            to->items[to->count - 1].until_ms = higher_of(to->items[to->count - 1].until_ms, end_ms);
        else
            add(to, begin_ms, end_ms, EVIDENCE_DECLARED);
    }
    book->facts.telling = (struct hours_list){to->items, to->count};
    free(sessions);
    return status;
}

static enum status read_told(struct db *db, const struct park_instrument *instrument, int64_t now_ms,
    struct hours_book *ret, struct error *err)
{
    struct hours_facts *f = &ret->facts;
    int64_t from_ms = f->begin_ms, until_ms = f->end_ms;
    struct told_instrument t;
    enum status status = told_find(db, instrument->id, &t, err);
    if (status == ST_OK)
        f->known_until_ms = higher_of(f->end_ms, hours_heard_ms(instrument, &t, now_ms));
    if (status != ST_OK || t.id == 0) {
        take_sessions(ret, now_ms);
        return status;
    }
    status = widen(db, &t, ret, now_ms, &from_ms, &until_ms, err);
    if (status == ST_OK)
        status = told_sessions(db, t.id, from_ms, until_ms, &ret->told, &f->session_count, err);
    if (status == ST_OK && instrument->power_point == NULL && instrument->session == NULL)
        status = add_telling(db, &t, from_ms, until_ms, ret, err);
    if (status == ST_OK)
        status = told_activity(db, t.id, from_ms, until_ms, &ret->activity, &f->activity_count, err);
    /* Whether it is heard no more is asked as of now, so that the end of a period makes no difference. */
    if (status == ST_OK && instrument->session != NULL)
        status = told_unseen(db, t.id, from_ms, now_ms, &ret->unseen, &f->unseen.count, err);
    f->activity = ret->activity;
    f->unseen.items = ret->unseen;
    take_sessions(ret, now_ms);
    return status;
}

enum status hours_facts_read(struct db *db, const struct park_instrument *instrument, const struct zone *zone,
    int64_t begin_ms, int64_t end_ms, int64_t now_ms, struct hours_book *ret, struct error *err)
{
    assert(begin_ms <= end_ms && end_ms <= now_ms);
    *ret = (struct hours_book){.facts = {.begin_ms = begin_ms,
                                   .end_ms = end_ms,
                                   .known_until_ms = now_ms, /* of one that never told anything */
                                   .has_power = instrument->power_point != NULL,
                                   .has_sessions = instrument->session != NULL,
                                   .opening = &instrument->opening,
                                   .zone = zone,
                                   .preparation_ms = instrument->preparation_ms,
                                   .post_processing_ms = instrument->post_processing_ms,
                                   .pause_ms = instrument->pause_ms,
                                   .grace_ms = instrument->grace_ms}};
    struct hours_facts *f = &ret->facts;
    enum status status = add_told_by_people(db, instrument, OUTAGE_BROKEN, f, &ret->broken, err);
    if (status == ST_OK)
        status = add_told_by_points(db, instrument, f, &ret->broken, err);
    if (status == ST_OK)
        status = add_told_by_people(db, instrument, OUTAGE_PLANNED, f, &ret->planned, err);
    if (status == ST_OK)
        status = add_bookings(db, instrument, ret, err);
    if (status == ST_OK)
        status = read_told(db, instrument, now_ms, ret, err);
    f->broken = in_order(&ret->broken);
    f->planned = in_order(&ret->planned);
    f->bookings = in_order(&ret->bookings);
    if (status != ST_OK)
        hours_book_release(ret);
    return status;
}

void hours_book_release(struct hours_book *book)
{
    free(book->told);
    free(book->sessions);
    free(book->activity);
    free(book->unseen);
    free(book->broken.items);
    free(book->planned.items);
    free(book->bookings.items);
    free(book->telling.items);
    busy_list_release(&book->booked_known);
    *book = (struct hours_book){.told = NULL};
}
