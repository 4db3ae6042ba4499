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
    int64_t outbox;  /* id there */
    int line;        /* of the batch's body, from 0 */
};

/* Points that are to be deleted before the lines are written: of a measurement those with this tag, half-open. */
struct body_clearing {
    char measurement[MEASUREMENT_MAX + 1];
    char tag[MEASUREMENT_MAX + 1], value[64];
    int64_t from_ms, to_ms;
};

struct body {
    struct buf text;
    struct body_line *lines;
    size_t count, capacity;
    int64_t position;           /* journal or outbox id up to which the source was read */
    struct reject_list rejects; /* lines of the journal that could not be read */
    int64_t refused;            /* lines of an hour left out, because the store refused them once */
    struct hour_list hours;     /* to which the lines belong */
    struct body_clearing *clearings;
    size_t clearing_count, clearing_capacity;
    int64_t hour_of_kind[READING_STATE + 1]; /* of the last line of that kind */
};

struct body_reader;

/* Borrows both for its life; prepares its statements in `db`. */
struct body_reader *body_reader_create(struct db *db, const struct park *park);
/* Another park, for the tags of what is read from now on. */
void body_reader_use(struct body_reader *r, const struct park *park);
void body_reader_destroy(struct body_reader *r); /* accepts NULL; before `db` is closed */

/* The cursor that the core recorded. */
enum status body_read_cursor(struct body_reader *r, int64_t *ret, struct error *err);
/* Empties the body and fills it with whole batches after `position`: about `lines_max` lines, and at least
 * one batch where there is one (a batch has at most BATCH_LINES_MAX lines). ret->position is `position` where
 * nothing is new. */
enum status body_read_journal(
    struct body_reader *r, int64_t position, size_t lines_max, struct body *ret, struct error *err);
/* The readings of one kind in one hour, whenever they were journalled: all that the store should hold of it.
 * Lines that the store refused are left out, and counted, unless they are asked for. */
struct body_hour {
    enum reading_kind kind;
    int64_t hour;
    bool takes_refused;
    int64_t *journals; /* ids of the batches that reach into it */
    size_t count, capacity;
    size_t at; /* the next to be read; == count: all is read */
};
/* Looks for the batches with an id up to `until`. `ret` is zeroed or of an earlier hour. */
enum status body_open_hour(struct body_reader *r, enum reading_kind kind, int64_t hour, int64_t until,
    struct body_hour *ret, struct error *err);
/* The next of its lines: whole batches, until there are `lines_max` lines or SLICE batches were read. */
enum status body_read_hour(
    struct body_reader *r, struct body_hour *h, size_t lines_max, struct body *ret, struct error *err);
void body_hour_release(struct body_hour *h);
/* Whether every batch that ever reached into the hour is still in the journal. */
enum status body_hour_is_held(struct body_reader *r, int64_t hour, bool *ret, struct error *err);
/* Rows of the outbox that were sent, of one measurement and hour, after the id `position`. */
enum status body_read_sent(struct body_reader *r, struct span measurement, int64_t hour, int64_t position,
    size_t lines_max, struct body *ret, struct error *err);
/* The same with the rows of the outbox that were not sent; never more than `lines_max`. */
enum status body_read_outbox(
    struct body_reader *r, int64_t position, size_t lines_max, struct body *ret, struct error *err);
/* For whoever fills one with other lines: empties it; a line begins where the text ends (it ends with its line end);
 * what is to be deleted before they are written. */
void body_reset(struct body *body, int64_t position);
void body_begin_line(struct body *body, int64_t journal, int line);
void body_add_clearing(struct body *body, struct span measurement, struct span tag, struct span value,
    int64_t from_ms, int64_t to_ms);
/* Lines from..to, half-open. */
struct span body_lines(const struct body *body, size_t from, size_t to);
void body_release(struct body *body);
