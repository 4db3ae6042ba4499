/*
 * Bodies of `energy` from the books: the latest versions in ledger_quarter (collector/ledger/latest.h) of the meters
 * that the park model has, as lines of that model (collector/energy_line.h), with what is to be deleted before they
 * are written. Meters that it does not name have no lines. Any connection; one thread.
 */
#pragma once

#include "collector/energy_line.h"
#include "collector/store/body.h"
#include "collector/store/repost.h"

struct energy_reader;

/* Borrows `db` for its life. Before the first energy_reader_use there are no lines. */
struct energy_reader *energy_reader_create(struct db *db);
/* Another model from now on, the former may be gone; borrows both. `rates` NULL = none. */
void energy_reader_use(struct energy_reader *r, const struct park *park, const struct rates *rates);
void energy_reader_destroy(struct energy_reader *r); /* accepts NULL; before `db` is closed */

/* The next slice of a span, of `lines_max` quarter hours at most; *ret_done_ms: where it ends. All of the slice is deleted
 * first, also where the books have nothing of it. */
enum status energy_body_span(struct energy_reader *r, const struct repost *span, size_t lines_max,
    struct body *ret, int64_t *ret_done_ms, struct error *err);

/* The meters of a time, one after the other: */
struct energy_meters {
    int64_t from_ms, until_ms; /* on quarter hours; a day or so */
    const char *site;          /* only those that are there at some quarter hour of it; NULL = all */
    size_t at;                 /* place of the next in the model */
};
/* Whole meters, until there are `lines_max` lines; *ret_is_last: there are no more. Deleted first is what the store holds
 * of those that have lines. */
enum status energy_body_meters(struct energy_reader *r, struct energy_meters *meters, size_t lines_max,
    struct body *ret, bool *ret_is_last, struct error *err);

/* From when to when the books have rows, half-open; false: they have none. */
enum status energy_body_extent(
    struct db *db, int64_t *ret_from_ms, int64_t *ret_until_ms, bool *ret_is_found, struct error *err);
