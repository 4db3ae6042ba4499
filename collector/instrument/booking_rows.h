/*
 * What is known of calendars of bookings (bookings.h), in the collector's database. It is kept as long as the database is:
 * statements of hours go by it.
 *
 *   calendar       by id of the park model. horizon_*, known_ms, emptied_ms, is_cut, problems: as struct bookings has them;
 *                  tried_ms, problem: the last attempt to read it, and what was wrong with it ('' = nothing);
 *                  source: a digest of what the bookings were read from (all 0 = never); is_of_another: that is not what
 *                  the park model names now
 *   calendar_busy  its bookings, each by itself; uid: a hash, no name. What is over stays as it was known then; what lies
 *                  ahead is what the calendar says
 *   calendar_known spans of the past of which it has all bookings that there were, apart from each other: from the horizon
 *                  of the first reading on, but for what lay between two that are further apart than a horizon reaches
 */
#pragma once

#include "collector/instrument/bookings.h"
#include "lib/db.h"
#include "lib/hash.h"

extern const char booking_schema[], booking_known_schema[];

struct booking_state {
    int64_t id; /* 0 = there is no row yet */
    int64_t tried_ms;
    char problem[512];
    struct hash source;
};

/* Of a calendar that has no row all is zero. booking_rows_state reads no bookings: b->list and b->busy are empty. Of bookings that were over long before it was last read `b` gets none. What `b` had is
 * not released. */
enum status booking_rows_state(
    struct db *db, const char *calendar, struct booking_state *ret, struct bookings *b, struct error *err);
enum status booking_rows_load(struct db *db, const char *calendar, int64_t now_ms, struct booking_state *ret,
    struct bookings *b, struct error *err);
/* Within a transaction: `b` as it is now, whose bookings were `before`. Of those that ended by settled_ms no row goes. Makes the
 * row, and sets its id, where there is none. */
enum status booking_rows_save(struct db *db, const char *calendar, struct booking_state *state,
    const struct bookings *b, const struct booking_list *before, int64_t settled_ms, struct error *err);

/* When of `within` all bookings of a calendar are known: what it told when it was read whole, back to its horizon; and after
 * the last time as long as that is no older than it may be, of one that is read each `period_ms`. Merged. The caller
 * releases, also after an error. */
enum status booking_known(struct db *db, const char *calendar, int64_t period_ms, struct busy within,
    struct busy_list *ret, struct error *err);

/* The bookings of a calendar that touch [from, until), whole, in order, as they are known. None where it is not known. The caller
 * releases, also after an error. */
enum status booking_list(struct db *db, const char *calendar, int64_t from_ms, int64_t until_ms,
    struct booking_list *ret, struct error *err);
