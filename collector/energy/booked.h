/*
 * What was booked of the months of a site that are closed, as rows of the collector's database (closing.h has the rules;
 * CONTRIBUTING.md, K1 to K7). Rows are only ever added, and the database refuses to change one.
 *
 *   closing           a month of a site, once: when, who, why; by which version of the park model (0: none was accepted),
 *                     and up to which batch the books had the journal
 *   closing_override  what stood against it, as it was then, and why it was closed all the same
 *   closing_meter     by closing, meter and month, the month that is closed or an earlier one of the site: the versions of
 *                     its quarter hours as they were then (closing_pack), and what they add up to. Of an earlier month
 *                     there is a row only where some are others than the row before it of that month has; what it has
 *                     less what that one had is an adjusting entry, booked in the month that is closed. The first row
 *                     of a month that was over before anything was closed, or in which the meter was not known, has nothing
 *                     before it
 *
 * Of a quarter hour the latest row of its month says what is booked. An amount is that of the version in ledger_quarter,
 * which stays. Reads from any connection, within one transaction, and blocks for the disk alone.
 */
#pragma once

#include "collector/energy/closing.h"
#include "lib/db.h"
#include "lib/hash.h"
#include "lib/id.h"

/* The tables: a script for struct db_schema. */
extern const char booked_schema[];

/* A month of a site that is closed. */
struct booked_closing {
    int64_t id, month; /* of struct period */
    struct periods_span span;
    int64_t closed_ms, token, model, journal;
    char *who, *why;
    char seal[HASH_TEXT_SIZE]; /* closing_seal.h; "" = none before the next closing */
};
struct booked_closings {
    struct booked_closing *items; /* in order of months, which follow on one another */
    size_t count, capacity;
};
enum status booked_closings_read(
    struct db *db, const char *site, struct booked_closings *ret, struct error *err);
void booked_closings_release(struct booked_closings *closings);
/* Until when the site is closed, or, of NULL, any of them; INT64_MIN: nothing is. */
enum status booked_until(struct db *db, const char *site, int64_t *ret_ms, struct error *err);

/* Which quarter hours are the site's: by the tags in force at their begin. Where a decision gives one to another site after
 * it was booked, the entry of the one takes it off, and that of the other adds it. */
struct booked_meter {
    int64_t id;                     /* in the books; not 0 */
    const struct park_meter *meter; /* NULL: the park model does not have it now */
    const struct park_site *site;
};

/* As metered now. `before`: the codes that are booked of the month; of a meter that the park model does not have they say what
 * is the site's, and what a quarter hour without a row is; else it may be NULL. */
enum status booked_now(struct db *db, const struct booked_meter *meter, struct periods_span span,
    int64_t now_ms, const uint32_t *before, struct closing_quarters *ret, struct error *err);
/* As booked with these codes. ST_INVALID: a row that they name is not there. */
enum status booked_then(struct db *db, int64_t id, struct periods_span span, const uint32_t *codes,
    struct closing_quarters *ret, struct error *err);
/* The codes that are booked of a month, as of a closing (INT64_MAX: the last), into `ret` of `count`; false in *ret_is_there:
 * none are. */
enum status booked_codes(struct db *db, const char *site, int64_t id, int64_t month, int64_t closing,
    uint32_t *ret, size_t count, bool *ret_is_there, struct error *err);

/* What was booked of the closed month itself, by meter, in the order of names. */
struct booked_row {
    int64_t id;
    char name[ID_MAX + 1];
    struct closing_sum sum;
};
typedef void booked_on_row(void *context, const struct booked_row *row);
enum status booked_rows(struct db *db, const struct booked_closing *closing, booked_on_row *on_row,
    void *context, struct error *err);

/* A change of what was booked: of a meter, an earlier month, booked with a closing or in the month that is open. */
struct booked_entry {
    struct booked_meter meter;
    char name[ID_MAX + 1]; /* of the meter */
    int64_t month;         /* that it is about */
    struct closing_sum before, after, entry;
    struct closing_quarters now; /* of `after`; only within the call */
};
struct booked_sink {
    enum status (*on_entry)(void *context, const struct booked_entry *entry, struct error *err);
    void *context;
};
/* What was booked with a closing (its place in `closings`) of the months before it. */
enum status booked_frozen(struct db *db, const struct park *park, const struct park_site *site,
    const struct zone *zone, const struct booked_closings *closings, size_t at,
    const struct booked_sink *sink, struct error *err);
/* What would be booked beside the metered of the month that follows `closings`, of all months before it. */
enum status booked_pending(struct db *db, const struct park *park, const struct park_site *site,
    const struct zone *zone, const struct booked_closings *closings, int64_t now_ms,
    const struct booked_sink *sink, struct error *err);
