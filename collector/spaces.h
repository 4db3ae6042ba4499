/*
 * Takes what tells of people in spaces from the journal, from the cursor 'space' on, into their readings and quarter hours
 * (collector/space/tables.h), and the rows of `occupancy` into the outbox when a quarter hour is over; inside the core's
 * transaction. Core thread.
 *
 * What the rows say is a function of the set of readings, of what persons counted and of the park model, so the journal may
 * be cut in any way, and read again: where the model names a point anew the cursor goes back to the journal's begin, for all
 * of them, and what is reckoned by another rule now (hours, limits, doors) is reckoned anew as far as readings are held.
 */
#pragma once

#include "collector/follower.h"
#include "collector/model/park.h"
#include "collector/space/anchors.h"
#include "lib/log.h"

struct spaces_feed; /* the doors of a space, or one sensor */
struct spaces_point;

struct spaces {
    struct follower follower;
    const struct park *park;
    const struct clock *clock; /* of the step that is on; borrowed */
    bool is_loaded;
    struct zone **zones; /* of the park's sites, in their order */
    struct spaces_feed *feeds;
    size_t feed_count;
    struct spaces_point **points; /* that are taken up */
    size_t point_count, point_capacity;
    bool has_more; /* to reckon, at once */
    bool has_more_to_prune;
    int64_t unused_pruned_ms; /* up to then, of points that the model does not name */
    struct complaint nonsense, late;
};

/*
 * A reading that is so much older than the newest that came before it, of all counters of a space, is not taken any more,
 * nor is anything before that reckoned anew: what the others told then may have been let go. Readings are held as much
 * longer as reckoning looks back: a stretch is reckoned as a whole, with the one before it where they share a quarter hour,
 * and both are of anchors that are read for twice as long as one holds (collector/space/anchors.h).
 */
#define SPACES_LATE_MS (35 * INT64_C(86400000))
#define SPACES_HELD_MS (SPACES_LATE_MS + 2 * ANCHORS_HOLD_MS + INT64_C(86400000))

#define SPACES_PRUNED_AT_ONCE 1000 /* readings */

/* Borrows both. */
void spaces_init(struct spaces *s, struct db *db, const struct park *park);
/* Another model, from the next step on. */
void spaces_use(struct spaces *s, const struct park *park);
void spaces_release(struct spaces *s); /* accepts a zeroed struct */
/* Before the first step, and after a failed commit. */
enum status spaces_reset(struct spaces *s, struct error *err);
/* Takes what there is, for about SPACES_STEP_MS, and reckons for as long again; sets *ret_is_changed where it wrote. At the
 * journal's end it rests for SPACES_REST_MS. */
#define SPACES_STEP_MS 10
#define SPACES_REST_MS 2000
enum status spaces_step(struct spaces *s, const struct clock *clock, bool *ret_is_changed, struct error *err);
/* What a person counted, from the next step on; a space of the model, else ST_INVALID. Within a transaction. */
enum status spaces_count(struct spaces *s, const struct person_count *count, struct error *err);
/* Nothing is taken for SPACES_REST_MS. */
void spaces_rest(struct spaces *s, const struct clock *clock);
