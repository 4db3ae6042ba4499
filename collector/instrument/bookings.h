/*
 * What is known of one calendar of bookings, from one attempt to read it to the next: the last known busy times, and how
 * good they are. Pure: times are arguments, UTC in milliseconds.
 *
 *  - What was known stays until a whole calendar takes its place. An attempt that fails only lets it age: GOOD, LATE
 *    (older than 2 periods), STALE (older than max(3 periods, 120 s)); design, 8.3.
 *  - A calendar takes the place of what lies after it was last seen: what lies before stays as it was known then, whatever
 *    is entered or taken out later. A booking of one UID that was under way then goes on, and ends when the calendar says
 *    so; one that is gone ends there, and one that is new begins there.
 *  - A calendar that had something ahead or under way and comes without, whatever it says of what is over, is not
 *    believed: what was known stays, and the quality is STALE, until something is ahead again, a person confirms that
 *    nothing is, or it comes so when all that was known is over. To call off the only booking ahead looks the same.
 *  - One that is not whole (broken off, too large) contradicts itself: CONFLICT, and busy is what it says and what was
 *    known.
 *  - Where it is read from another source than before, what the former one said stays busy, and is NEVER_SEEN until the
 *    new one is read.
 *  - One of which something cannot be read is LATE at best: that counts as busy already, so that what is free is free.
 *  - Of a calendar with more than BOOKINGS_AT_ONCE at one instant nobody can tell them apart: they are told as one.
 */
#pragma once

#include "collector/instrument/availability.h"
#include "collector/instrument/ical_read.h"

#define BOOKINGS_AT_ONCE 16
/* What is over is kept for as long: clocks are set back at times. */
#define BOOKINGS_OVER_MS (24 * INT64_C(3600000))

struct booking {
    struct busy span;
    uint64_t uid; /* a hash; 0 = it has none, or stands for several */
};
struct booking_list {
    struct booking *items; /* by begin, end, uid; no two alike */
    size_t count, capacity;
};
void booking_list_release(struct booking_list *list);
void booking_list_copy(struct booking_list *to, const struct booking_list *from); /* `to` is zeroed */
void booking_list_sort(struct booking_list *list); /* and leaves one of those that are alike */
int booking_compare(const void *a, const void *b); /* as qsort wants it; the order of a list */

struct bookings {
    struct booking_list list; /* last known, each by itself; what was over long before may be left out */
    struct busy_list busy;    /* the same, merged */
    struct busy horizon;      /* of which that is known */
    int64_t known_ms;         /* when the calendar was last seen to say so; 0 = never */
    int64_t emptied_ms;       /* since when it comes with nothing ahead, unconfirmed; 0 = it does not */
    bool is_cut;
    bool is_of_another; /* what is known is of another source than the one that it has now */
    size_t problem_count; /* what could not be read */
};

void bookings_release(struct bookings *b);

/* A calendar that was read at `now_ms`. */
void bookings_take(struct bookings *b, const struct ical_reading *reading, int64_t now_ms);
/* It was asked, and is what it was. */
void bookings_is_unchanged(struct bookings *b, int64_t now_ms);
/* A person says that the calendar, which comes with nothing ahead, is empty indeed. False where it does not come so. */
bool bookings_confirm_empty(struct bookings *b, int64_t now_ms);
/* Up to when what is known stays as it is, whatever a calendar that is read at `now_ms` says; INT64_MIN = nothing does. */
int64_t bookings_settled_ms(const struct bookings *b, int64_t now_ms);
/* Makes `busy` of `list`, for whoever filled that. */
void bookings_merge(struct bookings *b);

/* How good it is as a source of availability; period_ms: how often it is read. */
struct availability_source bookings_source(const struct bookings *b, int64_t period_ms, int64_t now_ms);
enum availability_quality bookings_quality(const struct bookings *b, int64_t period_ms, int64_t now_ms);
