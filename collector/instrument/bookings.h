/*
 * What is known of one calendar of bookings, from one attempt to read it to the next: the last known busy times, and how
 * good they are. Pure: times are arguments, UTC in milliseconds.
 *
 *  - What was known stays until a whole calendar takes its place. An attempt that fails only lets it age: GOOD, LATE
 *    (older than 2 periods), STALE (older than max(3 periods, 120 s)); design, 8.3.
 *  - A calendar that had events ahead and comes without any is not believed: what was known stays, and the quality
 *    is STALE, until the events are back, a person confirms that it is empty, or it comes so when all that was known is
 *    over.
 *  - One that is not whole (broken off, too large) contradicts itself: CONFLICT, and busy is what it says and what was
 *    known.
 *  - One of which something cannot be read is LATE at best: that counts as busy already, so that what is free is free.
 */
#pragma once

#include "collector/instrument/availability.h"
#include "collector/instrument/ical_read.h"

struct bookings {
    struct busy_list busy; /* last known, merged; what is over stays until the next calendar */
    struct busy horizon;   /* of which that is known */
    int64_t known_ms;      /* when the calendar was last seen to say so; 0 = never */
    int64_t emptied_ms;    /* since when it comes without events, unconfirmed; 0 = it does not */
    bool is_cut, is_read_in_part;
    size_t problem_count;
};

void bookings_release(struct bookings *b);

/* A calendar that was read at `now_ms`. */
void bookings_take(struct bookings *b, const struct ical_reading *reading, int64_t now_ms);
/* It was asked, and is what it was. */
void bookings_is_unchanged(struct bookings *b, int64_t now_ms);
/* A person says that the calendar, which comes without events, is empty indeed. False where it does not come so. */
bool bookings_confirm_empty(struct bookings *b, int64_t now_ms);

enum availability_quality bookings_quality(const struct bookings *b, int64_t period_ms, int64_t now_ms);
