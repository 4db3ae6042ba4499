/*
 * Seals of closings, a chain in the order of their ids: who changes a row of one, or takes one away, with whatever
 * tool, breaks it, or must give another last seal than the one that was printed, and noted elsewhere. CONTRIBUTING.md, K8.
 *
 * A seal is the SHA-256 of this text; every line ends with a line feed, times are in milliseconds (UTC), amounts in base
 * units. After the third line each value has its length in bytes and a colon before it ("site 2:s1"), so that no text
 * passes for lines of its own, whoever wrote it into the file; "-" alone is none:
 *
 *   parkmon closing 1
 *   closing 3
 *   previous <64 hex digits>              the seal of the closing with the next lower id; of the first: zeros
 *   site s1
 *   month 672                             months since January 1970
 *   from <ms>, until <ms>, closed <ms>    each a line of its own, as are:
 *   token <number>, who <text>, why <text>, model <number>, journal <number>
 *   override <name>                       each in the order of names (bytes), followed by:
 *   what <text>, figure <number>, bound <number>, why <text>
 *   booked <meter> <month> <quarters> <known> <unknown_s> <estimated> <estimated_s> <manual> <manual_s> <waiting_s> <absent_s>
 *   versions <hex digits>                 after each, which are in the order of the meters' names, then of months; closing_pack
 *
 * A closing of a database of before there were seals has none until the next one is made: that one's transaction seals it
 * first.
 */
#pragma once

#include "lib/db.h"
#include "lib/hash.h"

#include <stdbool.h>
#include <stdint.h>

/* How what a closing adds to the log of changes begins. */
#define CLOSING_SEAL_IN_LOG "seal %s, "
#define CLOSING_SEAL_SCAN "seal %64[0-9a-f],"

/* The table: a script for struct db_schema. */
extern const char closing_seal_schema[];

/* Seals each closing that has no seal, in order of ids; *ret is the last. Within the transaction of a closing. */
enum status closing_seal_all(struct db *db, struct hash *ret, struct error *err);

/* What the rows of a closing give, with the seal before it. */
enum status closing_seal_of(
    struct db *db, int64_t closing, const struct hash *previous, struct hash *ret, struct error *err);
