/*
 * The meters of the park model as the books fold them (collector/ledger/books.h), and whose register each point is.
 * Called inside the core's transaction, by the core's thread.
 *
 *   ledger_point    the number by which evidence knows a point of a meter, "<gateway>/<point>": it stays, whatever
 *                   becomes of the model. A point that another meter takes over is another one. is_used: the model
 *                   names it now. since: readings of it in batches up to this id are not to be given to the books:
 *                   they have them, or the model did not name it when its time came
 *   ledger_folded   what each meter's books were folded with last (hash of struct books_meter)
 *   cursor 'ledger' the batch up to which the books have the journal
 *
 * A point that is new in the model has readings in the journal that nobody took, maybe those of weeks: `since` is 0,
 * and the cursor goes back for it, but for it alone.
 */
#pragma once

#include "collector/ledger/books.h"
#include "collector/ledger/decided.h"
#include "collector/ledger/meter.h"
#include "collector/model/name_map.h"

struct meters_point {
    char *gateway, *point;
    size_t meter; /* the place in struct meters */
    int64_t number, since;
};

struct meters_item {
    const struct park_meter *park;
    struct meter meter;
    struct books_meter plain,
        books;              /* without and with what persons decided; the same where that is nothing */
    struct overlay overlay; /* zeroed where that is nothing */
    int64_t *numbers;       /* of meter.points; 0: read by hand */
    bool is_due;            /* its books were folded with something else: to be looked at */
};

struct meters {
    struct meters_item *items; /* those with segments */
    size_t count;
    struct name_map points; /* (gateway, point) to struct meters_point */
};

/* Adds to the conf of a park without problems what the ledger cannot reckon with exactly. */
void meters_check(struct park *park);

/* Meters that are left out as if the model did not name them. */
struct meters_aside {
    int64_t *ids;
    size_t count, capacity;
};

/* `park` is borrowed, and has passed meters_check. Sets *ret_is_changed where the database did not know of something:
 * the cursor may have moved back. After a failure `m` is released. */
enum status meters_load(struct meters *m, const struct park *park, const struct meters_aside *aside,
    struct db *db, bool *ret_is_changed, struct error *err);
void meters_release(struct meters *m);

/* One meter, of that number in the books, for whoever only looks: from any connection, nothing is written. After a
 * failure nothing is to be released. */
enum status meters_look(
    struct meters_item *ret, const struct park_meter *park, int64_t id, struct db *db, struct error *err);
void meters_release_item(struct meters_item *item);

/* NULL: the register of no meter. */
const struct meters_point *meters_point(const struct meters *m, struct span gateway, struct span point);
/* Reads anew what persons decided of it (collector/ledger/decided.h). */
enum status meters_lay_over(struct meters_item *item, struct db *db, struct error *err);
/* The item's books were folded with what it is now. */
enum status meters_note_folded(struct meters_item *item, struct db *db, struct error *err);
