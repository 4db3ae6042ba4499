/*
 * What the database knows of an instrument's time, gathered for hours.h: in one place, so that statement, API and store divide
 * the same. Reads only, from any connection, and blocks for the disk. Whoever reads several instruments that belong together
 * does so within one transaction.
 *
 * A session of class "training" is training. One of class "service" is a planned outage: maintenance that was told when it
 * began (CONTRIBUTING.md, I9).
 */
#pragma once

#include "collector/instrument/busy.h"
#include "collector/instrument/hours.h"
#include "collector/instrument/told.h"
#include "collector/model/park_instrument.h"
#include "lib/db.h"

struct hours_book {
    struct hours_facts facts;  /* of the period; its lists lie here: */
    struct told_session *told; /* by facts.sessions: what was told of each */
    struct hours_session *sessions;
    struct activity_span *activity;
    struct hours_span *unseen;
    struct hours_spans {
        struct hours_span *items;
        size_t count, capacity;
    } broken, planned, bookings, telling;
    struct busy_list
        booked_known; /* of the period, when its bookings are known; without a calendar there are none, always */
};

/* Of the period, how long its bookings are not known: then nobody knows of a no-show, or of time that was booked and not used,
 * and what is free or closed may have been booked. */
int64_t hours_unbooked_ms(const struct hours_book *book);

/* Up to when its power told what it does: a change that may yet prove to be one is not settled. INT64_MIN = never. */
int64_t hours_power_ms(const struct activity *activity);
/* Up to when all that tells of it was heard: by the source that is behind most. One that is silent for longer than it may be,
 * or was never heard, holds nothing up. */
int64_t hours_heard_ms(
    const struct park_instrument *instrument, const struct told_instrument *told, int64_t now_ms);

/* As it is known now, which is not before end_ms. `zone` of its site is borrowed, as the instrument is. */
enum status hours_facts_read(struct db *db, const struct park_instrument *instrument, const struct zone *zone,
    int64_t begin_ms, int64_t end_ms, int64_t now_ms, struct hours_book *ret, struct error *err);
void hours_book_release(struct hours_book *book); /* accepts a zeroed struct */
