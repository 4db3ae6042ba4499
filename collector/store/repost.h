/*
 * What of `energy` is posted again though nothing of it is new (table repost): of a meter one span at most, because its
 * tags, factors or prices are others now, the store lost it, or a backup was restored. The store's thread makes the
 * lines of the latest versions in ledger_quarter (collector/store/energy_body.h), in slices, and deletes before what
 * the store holds of the meter and slice; what the core records of it shortens the span. So it takes no room in the
 * outbox, a kill costs a slice, and a slice that is posted twice changes nothing.
 *
 * The latest wins: only one thread posts `energy`. It takes up a slice when no row of the outbox waits that was there
 * before it saw the span, and reads the books after that; whatever is newer than these has a row that it posts later.
 */
#pragma once

#include "lib/db.h"
#include "lib/id.h"

/* All there is: what a store that counts nanoseconds can say. */
#define REPOST_BEGIN_MS INT64_C(0)
#define REPOST_END_MS INT64_C(7258118400000)

struct repost {
    int64_t id; /* another one whenever something is added to it; 0 = there is none */
    char meter[ID_MAX + 1];
    int64_t from_ms, until_ms; /* on quarter hours */
};

/* The next; any connection. */
enum status repost_next(struct db *db, struct repost *ret, struct error *err);

/* ---- inside the core's transaction ---- */

/* The span is widened to quarter hours, and made one with what the meter has already. Empty: nothing is added. */
enum status repost_add(
    struct db *db, struct span meter, int64_t from_ms, int64_t until_ms, struct error *err);
/* Every meter of the books, wholly. */
enum status repost_add_all(struct db *db, struct error *err);
/* Up to `done_ms` it was posted. Where the span has another id by now nothing is: it is done anew. */
enum status repost_settle(struct db *db, int64_t id, int64_t done_ms, struct error *err);
