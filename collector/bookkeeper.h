/*
 * Keeps the ledger's books: the register readings of the journal, from the cursor 'ledger' on, into the books of their
 * meters (collector/ledger/books.h), inside the core's transaction. Core thread.
 *
 * Each batch is settled by itself, in the order of the journal, as of the time at which it arrived. So what the books
 * say is a function of the journal and of the models alone: not of how it was cut into transactions, and it is the
 * same, byte for byte, after a kill. Meters do not know of each other, so a slice of the journal is folded meter by
 * meter; the cursor moves when all of the slice is. What was committed of a slice that a kill cut short is found
 * there, and changes nothing when it is folded again.
 *
 * What is written of quarter hours goes into the outbox in the same transaction (collector/energy_rows.h).
 *
 * One meter whose books fail by themselves (damaged evidence) must not keep the park from being journalled: it is set
 * aside until the next start, told in the log, and what it misses meanwhile is taken then, as far as the journal has it.
 *
 * No readings are lines that the journal skipped (quarantined, duplicates), and those with quality="clock".
 */
#pragma once

#include "collector/energy_line.h"
#include "collector/ledger/meters.h"
#include "lib/clock.h"

struct bookkeeper {
    struct db *db;
    const struct park *park;
    const struct rates *rates; /* NULL = none */
    struct energy_lines *lines;
    int64_t position;     /* the cursor: up to this batch the books have the journal */
    bool has_more;        /* it came to the end of its time: the rest waits for the next step */
    int64_t due_mono_ms;  /* before it a step does nothing */
    int64_t done_mono_ms; /* when it last had all of the journal, or began */
    /* NULL: the model is to be taken up. */
    struct books *books;
    struct meters meters;
    struct meters_aside aside;
    char aside_names[128]; /* of them, for people; cut to fit */
    size_t due;            /* the meters before it are not due */
    /* The slice at hand: the readings of each meter, and up to which batch. */
    struct bookkeeper_basket {
        struct books_reading *readings;
        size_t count, capacity;
        struct books_batch *batches;
        size_t batch_count, batch_capacity;
    } * baskets; /* by meter */
    size_t *filled, filled_count, filled_capacity;
    size_t at, at_batch, at_reading; /* of `filled`, the next to be folded, and its next batch and reading */
    int64_t end;                     /* 0: there is no slice */
    bool is_read;                    /* the slice is whole */
    size_t slice_readings, slice_bytes; /* it has so many */
    size_t slice_max;                   /* of so many readings it is whole */
    /* Of the call at hand: the rows that it wrote. */
    struct bookkeeper_row {
        struct quarter quarter;
        int64_t version;
    } * rows;
    size_t row_count, row_capacity;
};

/* Borrows both. */
void bookkeeper_init(struct bookkeeper *b, struct db *db, const struct park *park);
/* Another model, from the next step on: what was folded with other segments is looked at again. Borrows both; `rates`
 * NULL = none. */
void bookkeeper_use(struct bookkeeper *b, const struct park *park, const struct rates *rates);
void bookkeeper_release(struct bookkeeper *b); /* accepts a zeroed struct */
/* Reads the cursor; before the first step, and after a failed commit: what is in memory is not what is on disk. */
enum status bookkeeper_reset(struct bookkeeper *b, struct error *err);

/* Folds what there is, for about BOOKKEEPER_STEP_MS; at least something. Sets *ret_is_changed where it wrote. Having
 * come to the journal's end it rests for BOOKKEEPER_REST_MS: then the readings of a meter come together, and a page of
 * the database is written once for them. */
#define BOOKKEEPER_STEP_MS 20
#define BOOKKEEPER_REST_MS 2000
enum status bookkeeper_step(
    struct bookkeeper *b, const struct clock *clock, bool *ret_is_changed, struct error *err);
/* Steps, each in a transaction of its own, until all of the journal is in the books, or that time has come: b->has_more then.
 * Not within a transaction. ST_INVALID: the books of a meter fail, which is set aside. */
enum status bookkeeper_catch_up(
    struct bookkeeper *b, const struct clock *clock, int64_t until_mono_ms, struct error *err);
/* Nothing is folded for BOOKKEEPER_REST_MS. */
void bookkeeper_rest(struct bookkeeper *b, const struct clock *clock);
/* What persons decided of a meter is another now, about `since_ms` or later alone: takes it from the database, and folds. What
 * it wrote is b->rows. */
enum status bookkeeper_redecide(
    struct bookkeeper *b, struct meters_item *item, int64_t since_ms, int64_t now_ms, struct error *err);
/* For how long it has not had all of the journal; 0 = it has. */
int64_t bookkeeper_behind_ms(const struct bookkeeper *b, int64_t journal_end, int64_t now_mono_ms);
/* After the commit of a step. */
void bookkeeper_committed(struct bookkeeper *b);
