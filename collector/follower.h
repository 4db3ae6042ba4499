/*
 * Follows points through the journal: hands each of their readings over, in the order of the journal, from a cursor on,
 * inside the core's transaction. Core thread. What thermometer, instruments and spaces have in common; each keeps its own
 * cursor, so that one that begins anew costs the others nothing.
 *
 * No readings are lines that the journal skipped (quarantined, duplicates), and those with quality="clock": they have no
 * place in time.
 */
#pragma once

#include "collector/model/name_map.h"
#include "lib/batch.h"
#include "lib/clock.h"
#include "lib/db.h"

struct follower_reading {
    const struct reading *reading; /* its texts last for the call */
    int64_t arrived_ms;            /* UTC, when its batch came to the collector */
    int64_t batch;                 /* its number in the journal */
};

struct follower {
    struct db *db, *journal; /* the journal's is the same, but for who verifies */
    int64_t until;           /* batches after it are not taken; INT64_MAX */
    const char *cursor;      /* its name; must have a row in table cursor */
    int64_t step_ms,
        rest_ms; /* how long a step may take, at least one batch; how long it rests at the journal's end */
    /* `item` is what follower_add was given. What fails ends the step, and the transaction with it. */
    enum status (*take)(
        void *user_data, void *item, const struct follower_reading *reading, struct error *err);
    void *user_data;
    /* The cursor; INT64_MAX while nothing is followed: nothing of the journal waits for it. */
    int64_t position;
    int64_t due_mono_ms;    /* before it a step does nothing */
    struct name_map points; /* struct follower_point, by gateway and point; of others of its name the first */
    struct name_map gateways; /* any of its points, by name */
};

void follower_release(struct follower *f); /* accepts a zeroed struct */
/* Reads the cursor, where there is anything to follow; before the first step, and after a failed commit. */
enum status follower_reset(struct follower *f, bool is_any, struct error *err);
/* Follows nothing any more. */
void follower_clear(struct follower *f);
/* `address`: <gateway>/<point>. Readings of another kind than `kind` are not handed over. One point may have several
 * items: each is handed each reading. Between follower_clear and the next step. */
void follower_add(struct follower *f, const char *address, enum reading_kind kind, void *item);
/* From now on from `position`, 0 = the journal's begin. */
enum status follower_move(struct follower *f, int64_t position, struct error *err);
/* Takes what there is, for about step_ms; sets *ret_is_changed where it wrote (the cursor, if nothing else). */
enum status follower_step(
    struct follower *f, const struct clock *clock, bool *ret_is_changed, struct error *err);
/* Nothing is taken for rest_ms. */
void follower_rest(struct follower *f, const struct clock *clock);
