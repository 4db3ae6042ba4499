/*
 * Quarter hours of a source, in the collector's database (collector/space/tables.h). A row is there from the first reading
 * on that tells of its time, and stays, though nothing may be known of it after all; then nothing of it is observed.
 */
#pragma once

#include "collector/space/flow.h"
#include "collector/space/window.h"
#include "lib/db.h"

#define ROWS_QUARTER_MS INT64_C(900000)

struct space_row {
    int64_t start_ms;
    struct window window;
    bool has_persons; /* of "live": how many were inside at its end, as far as that was anchored */
    int64_t persons;
    bool is_marked; /* of "corrected": a residual above 20 % lies in it (collector/space/flow.h) */
};

/* The number of a source of a space; it is made where it is not there. *ret_is_new: so it was, or it was reckoned by another
 * `spec`, which is this one from now on. */
enum status rows_source(struct db *db, const char *space, const char *name, const char *spec, int64_t *ret_id,
    bool *ret_is_new, struct error *err);

/* In order of time; those that begin in [from, until). The caller frees *ret. */
enum status rows_read(struct db *db, int64_t source, int64_t from_ms, int64_t until_ms,
    struct space_row **ret, size_t *ret_count, struct error *err);
/* The last that begins before that time; *ret_is_there false: there is none. */
enum status rows_last(struct db *db, int64_t source, int64_t before_ms, struct space_row *ret,
    bool *ret_is_there, struct error *err);
/* These are the rows that begin in [from, until) from now on; in order of time. What is another becomes due. One that is
 * not among them stays, with nothing observed. */
enum status rows_write(struct db *db, int64_t source, int64_t from_ms, int64_t until_ms,
    const struct space_row *rows, size_t count, struct error *err);

/* These are the stretches that begin in [from, until) from now on. */
enum status rows_write_stretches(struct db *db, int64_t source, int64_t from_ms, int64_t until_ms,
    const struct flow_stretch *stretches, size_t count, struct error *err);
