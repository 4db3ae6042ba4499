/* Bodies for /write: canonical lines from the journal's raw batches, or from the outbox, with where each line
 * came from. */
#pragma once

#include "collector/store/reject.h"
#include "collector/store/series.h"
#include "lib/buf.h"
#include "lib/db.h"

struct body_line {
    size_t begin;    /* in `text`; the line ends where the next begins */
    int64_t journal; /* 0 = from the outbox */
    int line;        /* of the batch's body, from 0 */
};

struct body {
    struct buf text;
    struct body_line *lines;
    size_t count, capacity;
    int64_t position;           /* journal or outbox id up to which the source was read */
    struct reject_list rejects; /* lines of the journal that could not be read */
};

struct body_reader;

/* Borrows both for its life; prepares its statements in `db`. */
struct body_reader *body_reader_create(struct db *db, const struct park *park);
void body_reader_destroy(struct body_reader *r); /* accepts NULL; before `db` is closed */

/* The cursor that the core recorded. */
enum status body_read_cursor(struct body_reader *r, int64_t *ret, struct error *err);
/* Empties the body and fills it with whole batches after `position`: about `lines_max` lines, and at least
 * one batch where there is one (a batch has at most BATCH_LINES_MAX lines). ret->position is `position` where
 * nothing is new. */
enum status body_read_journal(
    struct body_reader *r, int64_t position, size_t lines_max, struct body *ret, struct error *err);
/* The same with the rows of the outbox; never more than `lines_max`. */
enum status body_read_outbox(
    struct body_reader *r, int64_t position, size_t lines_max, struct body *ret, struct error *err);
/* Lines from..to, half-open. */
struct span body_lines(const struct body *body, size_t from, size_t to);
void body_release(struct body *body);
