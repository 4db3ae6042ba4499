/*
 * What the collector has on disk about gateways, epochs and points, held in memory: a cache of committed
 * state (D7). Changed together with the transaction that writes the same; after a failed commit it is thrown
 * away and loaded again.
 *
 * Points change with every reading. Their table may stay behind the journal, and says how far it came: the rest
 * is read from the journal when they are loaded.
 */
#pragma once

#include "collector/model/name_map.h"
#include "lib/batch.h"
#include "lib/db.h"
#include "lib/id.h"

#include <stdbool.h>
#include <stdint.h>

struct known_epoch {
    uint64_t epoch;
    int64_t mark;
};

/* Of a gateway's epochs the newest so many are remembered, so that none can fill memory and disk by drawing
 * new ones. The line of a forgotten one is not known any more: it would be taken up at `first`, and its
 * readings would be found to be journalled. */
#define KNOWN_EPOCHS_MAX 1000
/* A reading of one more point is quarantined. */
#define KNOWN_POINTS_MAX 10000
/* A batch of one more gateway is turned away: not journalled, not answered. */
#define KNOWN_GATEWAYS_MAX 4096

struct known_gateway {
    int64_t id;
    char name[ID_MAX + 1];
    uint64_t epoch;         /* the newest one heard; 0 = none */
    int64_t lost;           /* losses recorded */
    int64_t quarantined_ms; /* UTC, when something of it was quarantined last, since start */
    int64_t untimely_ms;    /* UTC, when a batch ahead of a doubtful clock was not taken; 0 = none waits */
    int64_t lost_ms;        /* UTC, when the newest was recorded; 0 = never */
    int64_t newest_ms;      /* time of its newest reading; 0 = none */
    int64_t points;         /* how many it has */
    struct known_epoch *epochs;
    size_t epoch_count, epoch_capacity;
};

struct known_point {
    int64_t id; /* 0 = not on disk yet */
    struct known_gateway *gateway;
    char name[POINT_MAX + 1];
    enum reading_kind kind;
    enum reading_quality quality;
    int64_t time_ms, arrived_ms; /* of the newest reading by its time */
    int64_t count;
    double value;
    char *text;      /* state; owned */
    bool is_changed; /* since it was last written */
    struct known_point
        *follower; /* the point that was asked for after this one, and probably will be again */
};

struct known {
    struct name_map gateways;     /* ("", name) */
    struct name_map points;       /* (gateway, name) */
    struct known_point **changed; /* to be written by known_save */
    size_t changed_count, changed_capacity;
    int64_t saved;               /* journal id up to which the table of points holds what was journalled */
    struct known_point *last;    /* asked for */
    struct known_point **sorted; /* of known_sorted */
    size_t sorted_count;
};

enum status known_load(struct known *k, struct db *db, struct error *err);
void known_release(struct known *k);

struct known_gateway *known_gateway_find(const struct known *k, struct span name); /* NULL = never heard */
/* Adds it, and its row. */
enum status known_gateway_add(struct known *k, struct db *db, struct span name, int64_t now_ms,
    struct known_gateway **ret, struct error *err);

struct known_epoch *known_epoch_find(const struct known_gateway *g, uint64_t epoch); /* NULL = unseen */
/* Sets the mark of the header's epoch (adding the epoch where it is unseen) and makes it the gateway's
 * newest; in memory and on disk. */
enum status known_mark(struct db *db, struct known_gateway *g, const struct batch_header *header,
    int64_t mark, struct error *err);
/* Sets the mark of the header's prev epoch, which is known. */
enum status known_mark_prev(struct db *db, struct known_gateway *g, const struct batch_header *header,
    int64_t mark, struct error *err);

struct known_point *known_point_find(
    const struct known *k, const struct known_gateway *g, struct span name); /* NULL = never heard */
/* The point, added where it is new (to disk by known_save); NULL where the gateway has KNOWN_POINTS_MAX
 * others. */
struct known_point *known_point_get(struct known *k, struct known_gateway *g, struct span name);
/* Takes a reading as the point's newest. `r->text` is escaped, as batch_read_reading gives it. */
void known_point_update(struct known *k, struct known_point *p, const struct reading *r, int64_t arrived_ms);
/* All k->points.count points by gateway and name; valid until a point is added. */
struct known_point **known_sorted(struct known *k);
/* Writes the changed points, so that their table is level with the journal. */
enum status known_save(struct known *k, struct db *db, struct error *err);
