/*
 * The ledger's books, folded anew in memory (collector/ledger/books.h): in a database of its own with the numbers of
 * meters and points, the decisions in force, and nothing that was folded before. What comes of it is what the books must
 * say, since quarter hours and standing events are a function of readings, segments and decisions (CONTRIBUTING.md, E8).
 * One meter at a time is held. Blocks for nothing.
 */
#pragma once

#include "collector/ledger/meters.h"
#include "collector/model/periods.h"

#include <stddef.h>

struct refold {
    struct db *db; /* in memory, of the collector's format */
    struct books *books;
    struct meters meters; /* of the park in use; their numbers are those of the database that was copied */
};

enum status refold_open(struct refold *r, struct error *err);
void refold_close(struct refold *r); /* accepts a zeroed struct */

/* Numbers of meters and points, and decisions in force, as a collector's database has them. */
enum status refold_copy(struct refold *r, struct db *from, struct error *err);
/* The same one by one, for what comes from elsewhere. */
enum status refold_add_meter(struct refold *r, int64_t id, struct span name, struct error *err);
enum status refold_add_point(
    struct refold *r, int64_t id, int64_t meter, struct span name, int64_t since, struct error *err);
/* Then: the meters of a park, which is borrowed. */
enum status refold_use(struct refold *r, const struct park *park, struct error *err);

/* Readings of a meter, in order of time, call after call. */
enum status refold_push(struct refold *r, const struct meters_item *item,
    const struct books_reading *readings, size_t count, struct error *err);
/* All evidence that a database has of the meter after `after_ms` and up to `until_ms`; `on_readings` is told of it, and
 * false ends it with ST_TIMEOUT. *ret_count: how many there are. */
typedef bool refold_on_readings(void *context, const struct books_reading *readings, size_t count);
struct refold_source {
    struct books *books; /* of that database */
    int64_t after_ms, until_ms;
    refold_on_readings *on_readings;
    void *context;
};
enum status refold_meter(struct refold *r, const struct meters_item *item, const struct refold_source *source,
    int64_t *ret_count, struct error *err);
/* Lets go what was folded of the meter: all of it, or all but its events and its quarter hours of `kept`. */
enum status refold_forget(
    struct refold *r, const struct meters_item *item, const struct periods_span *kept, struct error *err);
