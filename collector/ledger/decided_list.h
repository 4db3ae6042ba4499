/*
 * What persons decided of meters, as rows for people: newest first, each with what became of it. Reads only, from any
 * connection.
 */
#pragma once

#include "collector/ledger/decided.h"
#include "collector/model/park.h"

/* Columns of a row. */
enum decided_column {
    DECIDED_ID,
    DECIDED_METER, /* its name */
    DECIDED_KIND,
    DECIDED_FROM,
    DECIDED_UNTIL,
    DECIDED_END,
    DECIDED_START,
    DECIDED_MODULUS,
    DECIDED_RESOLUTION,
    DECIDED_MAX_RATE,
    DECIDED_P,
    DECIDED_Q,
    DECIDED_SERIAL,
    DECIDED_ENERGY,
    DECIDED_COUNT,
    DECIDED_FORCED,
    DECIDED_WITHDRAWS,
    DECIDED_TIME,
    DECIDED_TOKEN,
    DECIDED_WHO,
    DECIDED_WHY,
    DECIDED_WITHDRAWN_BY,
    DECIDED_IS_STATED,
    DECIDED_READINGS,
    DECIDED_EFFECT /* as the log of changes has it */
};

/* Those with ids below `before`, at most `limit`, that touch from_ms..until_ms (both included); of one meter by its number
 * in the books, 0 = of all. The statement is reset by whoever steps through it. */
struct db_stmt *decided_list(
    struct db *db, int64_t meter, int64_t from_ms, int64_t until_ms, int64_t before, int64_t limit);

/* "in_force", "undone", "done" (an undo), or "without_object": it changes nothing (CONTRIBUTING.md, E11). `meter`: of the
 * park model of now; NULL = it has none of that name. */
const char *decided_list_state(struct db_stmt *row, const struct park_meter *meter);
