/* What the parts of the books share. Private to books*.c. */
#pragma once

#include "collector/ledger/books.h"
#include "collector/ledger/quarters.h"
#include "collector/ledger/readings.h"
#include "collector/ledger/unwrap.h"

#define BOOKS_NONE INT64_MIN

/* A meter's state as of the last reading that was folded. */
struct books_state {
    int64_t meter; /* 0: the place is empty */
    struct hash hash;
    struct unwrap unwrap;
    int64_t first_ms;                            /* the first accepted reading of all; BOOKS_NONE */
    int64_t written_ms;                          /* the end of the last quarter that has a row; BOOKS_NONE */
    int64_t endless_ms;                          /* where the exception begins that has no end; BOOKS_NONE */
    int64_t snapshot_last_ms, snapshot_reach_ms; /* of the newest; BOOKS_NONE */
};

/* Room for evidence that is read and written, used again from call to call; nothing in it outlasts one. */
struct books_memory {
    struct readings given, rest, hour, latest;
    int64_t latest_hour; /* of `latest`, where that is not empty */
    struct buf packed;
    struct unwrap_reading *fresh; /* borrowed: where the new ones go */
    size_t fresh_count;
};

/* One call of books_fold. */
struct books_call {
    struct db *db;
    struct books_memory *memory; /* NULL where it only looks */
    const struct books_meter *meter;
    struct books_state *state;
    int64_t now_ms, journal;
    books_on_row *on_row; /* NULL: nobody is told */
    void *on_row_context;
    bool is_whole;       /* folded from the first reading on */
    int64_t until_ms;    /* of the set only what is not after it; INT64_MAX = all */
    int64_t furthest_ms; /* the last reading that was pushed; readings before it may be pushed again */
    int64_t dirty_ms;    /* the first quarter that may be another; INT64_MAX = none */
    int64_t rows_from_ms, rows_until_ms; /* where rows of quarters were written; INT64_MAX = none */
    int64_t doubted_ms;                  /* the first event in doubt; INT64_MAX = none */
    int64_t spoilt_ms;                   /* the earliest that was told of; INT64_MAX = nothing */
    enum status status;                  /* of what was done while folding: a sink cannot fail */
    struct error *err;
};

/* A call that only looks. */
struct books_call books_look(struct books *b, const struct books_meter *meter, struct error *err);

/* The beginning of the quarter hour. */
static inline int64_t books_floor(int64_t time_ms)
{
    int64_t into = time_ms % BOUNDARY_MS;
    return time_ms - into - (into < 0 ? BOUNDARY_MS : 0);
}

static inline void books_run(struct books_call *c, struct db_stmt *s)
{
    if (c->status == ST_OK)
        c->status = db_run(s, c->err);
}

/* False also at a failure, which c->status tells. */
static inline bool books_step(struct books_call *c, struct db_stmt *s)
{
    bool has_row = false;
    if (c->status == ST_OK)
        c->status = db_step(s, &has_row, c->err);
    return c->status == ST_OK && has_row;
}

/* Rows of evidence, by hour (books_evidence.c says which readings are in which). Hours are counted from 1970. What cannot
 * be read fails the call, with ST_INVALID. */
int64_t books_hour(int64_t time_ms);
/* The latest row into memory->latest, which is empty where there is none. One of before that hour, INT64_MIN = none, goes
 * to ledger_hour as it is where nothing of its hour is there yet, and counts as none. */
void books_load_latest(struct books_call *c, int64_t hour);
void books_store_latest(struct books_call *c);
void books_load_hour(struct books_call *c, int64_t hour); /* into memory->hour; empty: there is no row */
void books_store_hour(struct books_call *c, int64_t hour, const struct books_reading *items, size_t count);
/* Behind what the row has. */
void books_add_to_hour(struct books_call *c, int64_t hour, const struct books_reading *items, size_t count);
/* The first row from an hour on, or the last one up to it, into memory->hour. */
bool books_find_hour(struct books_call *c, int64_t hour, bool is_back, int64_t *ret_hour);
void books_release_memory(struct books_memory *memory);

/* Evidence. Adds what is new; *ret_count of `ret` (room for all) are new, in order of time. */
void books_add_readings(struct books_call *c, const struct books_reading *readings, size_t count,
    struct unwrap_reading *ret, size_t *ret_count);
/* The number of the meter's segments (struct segment) for what evidence knows a point by. */
int64_t books_point_number(const struct books_meter *meter, int64_t point);
/* The next readings after a time, up to `limit`. */
size_t books_read_readings(struct books_call *c, int64_t after_ms, struct unwrap_reading *ret, size_t limit);
/* The first and the last reading between two times, neither included. False: there is none. */
bool books_readings_between(
    struct books_call *c, int64_t from_ms, int64_t until_ms, int64_t *ret_first_ms, int64_t *ret_last_ms);

/* The set that is folded: evidence, and what persons decided of it. As above. */
size_t books_next_readings(struct books_call *c, int64_t after_ms, struct unwrap_reading *ret, size_t limit);
bool books_next_between(
    struct books_call *c, int64_t from_ms, int64_t until_ms, int64_t *ret_first_ms, int64_t *ret_last_ms);
/* Takes out what is disregarded; how many are left. */
size_t books_leave_disregarded(const struct books_call *c, struct unwrap_reading *readings, size_t count);

/* Events. Those that no longer hold are doubted, then told again or, in the end, withdrawn. */
void books_doubt_all(struct books_call *c, int64_t reach_ms, int64_t last_ms);
void books_tell_event(struct books_call *c, const struct event *event);
void books_end_events(struct books_call *c);

/* Boundaries and quarters. */
void books_forget_boundaries(struct books_call *c, int64_t after_ms);
void books_tell_boundary(void *context, const struct boundary *boundary);
/* Where the quarters that have rows begin and end; BOOKS_NONE = there are none. */
void books_find_quarters(struct books_call *c, int64_t *ret_first_ms, int64_t *ret_end_ms);
void books_write_quarters(struct books_call *c);

/* Snapshots. False: the bytes are of no state. */
bool books_read_state(struct unwrap *u, struct span bytes);
/* Restores the newest that fits from before that time, or none; deletes the others. */
void books_restore_snapshot(struct books_call *c, int64_t before_ms);
/* For whoever only looks: the newest whose events all tell of that time and later; else from the first reading on. */
void books_look_state(struct books_call *c, int64_t time_ms, struct unwrap *ret);
/* Deletes what was spoilt, and takes one where a day is over. Everything pushed was taken. */
void books_keep_snapshot(struct books_call *c);
