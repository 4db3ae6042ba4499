/*
 * Seals of the archive, a chain. A month is sealed when it ended more than `evidence_days` ago and no batch that
 * the journal holds reaches into it; for what came later it waits at most `evidence_days` more. From then on its
 * chunks do not change. Readings that come for a sealed month are a supplement of it, which is sealed in the
 * transaction that seals the next month, before it: a seal of its own, never silently part of an old one.
 *
 * A seal is the SHA-256 of this text; every line ends with a line feed:
 *
 *   parkmon seal 1
 *   number 3                              1, 2, 3, ... without holes, in the order of sealing
 *   previous <64 hex digits>              the seal before; of number 1: zeros
 *   month 2026-10
 *   supplement 0                          0 = the month itself; n = what came for it later, for the nth time
 *   readings 12345
 *   chunk <64 hex digits>                 for each chunk, in the order of ids: the SHA-256 of its unpacked text
 *
 * (collector/evidence/archive.h: the text of a chunk.) What is older than `audit_years` is deleted: whole months
 * with their supplements, at most a month a day, so that a clock that is wrong takes little with it. Their seals
 * stay, and the chain with them.
 */
#pragma once

#include "lib/buf.h"
#include "lib/db.h"
#include "lib/hash.h"

#include <stdbool.h>
#include <stdint.h>

struct seal {
    int64_t number, month, supplement, readings;
    struct hash previous;
};

/* Writes the text up to its chunks, and then one by one; NULL = a chunk that cannot be read, which no seal is
 * of. */
void seal_write_head(struct buf *text, const struct seal *seal);
void seal_write_chunk(struct buf *text, const struct hash *chunk);

/* What both may do: `closed_ms` is the time before which batches that arrived are pruned; it is never ahead of
 * what the clock allows, and held back where the clock jumps. */
struct sealer {
    int64_t evidence_ms;
    int64_t audit_years;
    int64_t looked_at; /* the month that was asked for last; zero at the begin */
};

/* Looks at one month, and seals it where it is due. Inside the core's transaction. */
enum status seal_step(struct sealer *s, struct db *db, int64_t closed_ms, int64_t now_ms,
    bool *ret_is_changed, struct error *err);
/* Deletes a bounded piece of what is older than `audit_years`. Inside the core's transaction. */
enum status seal_expire(struct sealer *s, struct db *db, int64_t closed_ms, int64_t now_ms,
    bool *ret_is_changed, struct error *err);
