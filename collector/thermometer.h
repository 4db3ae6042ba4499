/*
 * Takes the temperatures of baselines from the journal, from the cursor 'temperature' on, into their rows
 * (collector/baseline/temperature.h), inside the core's transaction. Core thread.
 *
 * What the rows say is a function of the set of readings, so the journal may be cut in any way, and read again: where the
 * park model names a point anew the cursor goes back to the begin of the journal, for all of them. Without a point nothing is
 * read. No readings are temperatures that no air has.
 */
#pragma once

#include "collector/follower.h"
#include "collector/model/park.h"

struct thermometer {
    struct follower follower;
    const struct park *park;
    bool is_loaded;
    struct thermometer_point {
        const char *name; /* <gateway>/<point>, the park's */
        int64_t id;
    } * points; /* that are taken up */
    size_t count;
};

/* Borrows both. */
void thermometer_init(struct thermometer *t, struct db *db, const struct park *park);
/* Another model, from the next step on. */
void thermometer_use(struct thermometer *t, const struct park *park);
void thermometer_release(struct thermometer *t); /* accepts a zeroed struct */
/* Before the first step, and after a failed commit. */
enum status thermometer_reset(struct thermometer *t, struct error *err);
/* Takes what there is, for about THERMOMETER_STEP_MS; sets *ret_is_changed where it wrote. At the journal's end it rests
 * for THERMOMETER_REST_MS. */
#define THERMOMETER_STEP_MS 10
#define THERMOMETER_REST_MS 5000
enum status thermometer_step(
    struct thermometer *t, const struct clock *clock, bool *ret_is_changed, struct error *err);
/* Nothing is taken for THERMOMETER_REST_MS. */
void thermometer_rest(struct thermometer *t, const struct clock *clock);
