/* What a closing booked of a meter and a month (collector/energy/booked.h), as it is recorded: to be held against what the
 * versions that it names add up to. */
#pragma once

#include "collector/energy/amounts.h"
#include "collector/model/park.h"
#include "lib/db.h"

/* Of which it is read; the caller adds which, and in what order. */
#define BOOKING_SELECT                                                                                   \
    "SELECT b.meter, m.name, b.month, b.closing, c.site, b.quarters, b.known, b.unknown_s, b.estimated," \
    "  b.estimated_s, b.manual, b.manual_s, b.waiting_s, b.absent_s FROM closing_meter b"                \
    " JOIN closing c ON c.id = b.closing JOIN ledger_meter m ON m.id = b.meter"

struct booking {
    int64_t meter, month, closing;
    char *name, *site; /* of the meter */
    struct periods_span span;
    struct amount recorded;
};

/* Takes each row of the statement, in a booking that ends with the call, which is reset then; ends where it is asked to (ST_TIMEOUT) or `take` fails. */
enum status booking_each(struct db_stmt *rows,
    enum status (*take)(void *context, struct booking *b, struct error *err), void *context,
    struct error *err);
/* From when to when the month was for the closing that closed it; one that nothing closed is by the zone of now. */
enum status booking_find_span(struct db *db, const struct park *park, struct booking *b, struct error *err);
/* "closing 1, meter a, month 2026-03"; to be freed. */
char *booking_place(const struct booking *b);
/* What there is to be told of it, to be freed: ST_INVALID, what it names cannot be read; ST_OK, both sums, where what was found
 * is another. NULL: nothing. */
char *booking_told(
    const struct booking *b, const struct amount *found, enum status status, const struct error *err);
