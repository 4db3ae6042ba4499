/* What the parts of collector/spaces.h share. A reading goes from the journal into space_sample (spaces_take.c), which makes
 * a span of time due (spaces_due.c), of which the quarter hours are reckoned anew (collector/space/reckon.h). What there is
 * to be followed and reckoned is taken from the park model (spaces_model.c). */
#pragma once

#include "collector/space/reckon.h"
#include "collector/spaces.h"

#define SPACES_DAY_MS INT64_C(86400000)
#define SPACES_THOUSAND 1000 /* what a sensor tells is held in thousandths */

/* What is to be reckoned anew of a feed, by the day of UTC in which it begins. */
struct span_due {
    int64_t day, from_ms, until_ms; /* both ends included */
};

struct spaces_feed {
    const struct park_space *space;
    const struct park_sensor *sensor; /* NULL = the doors */
    int64_t source;                   /* by which it is known: "live" of doors */
    struct reckon_doors doors;
    struct door_points *door_points; /* owned */
    struct reckon_sensor reckoned;
    int64_t newest_ms; /* of all its points */
    int64_t gap_ms;    /* so far apart two readings may be, of the rarest of them */
    struct span_due *dues;
    size_t due_count, due_capacity;
};

struct spaces_point {
    char *name;                      /* <gateway>/<point>; owned */
    int64_t id, first_ms, newest_ms; /* of what is held: INT64_MAX and INT64_MIN where nothing is */
    bool is_door;
    struct spaces_feed **feeds; /* owned list */
    size_t feed_count, feed_capacity;
};

/* ---- spaces_model.c ---- */

size_t spaces_count_feeds(const struct park *park);
/* Points, feeds and zones; those that are new, or reckoned by another rule, are due. */
enum status spaces_take_up(struct spaces *s, bool *ret_is_changed, struct error *err);
void spaces_forget(struct spaces *s);

/* ---- spaces_take.c ---- */

/* Of a follower; `item` is a struct spaces_point. */
enum status spaces_take(void *user_data, void *item, const struct follower_reading *r, struct error *err);
/* Readings that nothing is reckoned of any more are let go, for a while; nothing may be due. */
enum status spaces_prune(
    struct spaces *s, const struct clock *clock, bool *ret_is_changed, struct error *err);

/* ---- spaces_due.c ---- */

/* What begins between the two (both included) is to be reckoned. */
void spaces_make_due(struct spaces_feed *f, int64_t from_ms, int64_t until_ms);
/* The same day by day. */
void spaces_make_days_due(struct spaces_feed *f, int64_t from_ms, int64_t until_ms);
/* A reading says something of the time since the one before it and up to the one after it (INT64_MIN, INT64_MAX: there is
 * none). With the first reading of all doors at or after an anchor what lies before that is known to be over. */
void spaces_touch(struct spaces_feed *f, int64_t time_ms, int64_t before_ms, int64_t after_ms);
/* Writes down what is due, and forgets it. */
enum status spaces_keep_due(struct db *db, struct spaces_feed *f, struct error *err);
/* For a while; what is left is kept for the next transaction. */
enum status spaces_reckon(
    struct spaces *s, const struct clock *clock, bool *ret_is_changed, struct error *err);
