/*
 * The quarter hours of a meter over a period, as the ledger's books have them now: the latest version of each
 * (collector/ledger/books.h), "as metered". Not only what is known: a quarter hour without a row is not decided, and
 * then it is said why. That is no exception, which a person has to settle, but it is not 0 either.
 *
 * Reads from any connection, and blocks for the disk alone. Whoever reads several meters that belong together does so
 * within one transaction: else a commit may lie between them.
 */
#pragma once

#include "collector/ledger/quality.h"
#include "collector/model/park.h"
#include "collector/model/periods.h"
#include "lib/db.h"

#include <stddef.h>

/* The worse the higher, like qualities, with which they begin. */
enum series_state {
    SERIES_MEASURED = QUALITY_MEASURED,
    SERIES_ESTIMATED = QUALITY_ESTIMATED,
    SERIES_MANUAL = QUALITY_MANUAL,
    SERIES_UNKNOWN = QUALITY_UNKNOWN, /* an exception or a missing end lies inside */
    /* No row: */
    SERIES_WAITING, /* it is over, but no reading at or after its end was accepted yet, or none at or before its begin */
    SERIES_FUTURE, /* it is not over */
    SERIES_ABSENT, /* the meter was not installed yet, or is no longer: nothing flows through it */
};

extern const char *const series_states[]; /* names by enum series_state */

static inline bool series_is_known(enum series_state state)
{
    return state <= SERIES_MANUAL;
}

/* When quarter hours of a meter are due: installed at some time in them (park_stay), and over. */
struct series_due {
    int64_t from_ms, until_ms; /* equal = never */
    int64_t now_ms;            /* UTC */
};
struct series_due series_due(const struct park_meter *meter, int64_t now_ms);

struct series {
    struct periods_span span; /* on whole quarter hours */
    size_t count;             /* of quarter hours */
    /* Base units of the carrier. Where the state is not known: 0, but of a virtual meter the part that is known. */
    int64_t *amounts;
    uint8_t *states; /* enum series_state */
};

/* All waiting, future or absent. `span` is on whole quarter hours, at most 100 years. */
void series_init(struct series *s, struct periods_span span, const struct series_due *due);
void series_release(struct series *s);

/* The number of the meter of this name in the books; 0 = they do not know it (yet). */
enum status series_meter(struct db *db, const char *name, int64_t *ret_id, struct error *err);
/* Fills in what the books have of the meter; `s` is as series_init left it. */
enum status series_read(struct db *db, int64_t id, struct series *s, struct error *err);
