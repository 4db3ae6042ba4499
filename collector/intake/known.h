/*
 * What the collector has on disk about gateways, epochs and points, held in memory: a cache of committed state (D7). Changed together with
 * the transaction that writes the same; after a failed commit it is thrown away and loaded again.
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

struct known_gateway {
    int64_t id;
    char name[ID_MAX + 1];
    uint64_t epoch;  /* the newest one heard; 0 = none */
    int64_t lost;    /* readings or batches in the loss table */
    struct known_epoch *epochs;
    size_t epoch_count, epoch_capacity;
};

struct known_point {
    int64_t id; /* 0 = not on disk yet */
    const struct known_gateway *gateway;
    char name[POINT_MAX + 1];
    enum reading_kind kind;
    enum reading_quality quality;
    int64_t time_ms, arrived_ms; /* of the newest reading by its time */
    int64_t count;
    double value;
    char *text; /* state; owned */
    bool is_changed; /* since it was last written */
};

struct known {
    struct name_map gateways; /* ("", name) */
    struct name_map points;   /* (gateway, name) */
    struct known_point **changed; /* to be written by known_save */
    size_t changed_count, changed_capacity;
};

enum status known_load(struct known *k, struct db *db, struct error *err);
void known_release(struct known *k);

struct known_gateway *known_gateway_find(const struct known *k, struct span name); /* NULL = never heard */
/* Adds it, and its row. */
enum status known_gateway_add(struct known *k, struct db *db, struct span name, int64_t now_ms,
    struct known_gateway **ret, struct error *err);

struct known_epoch *known_epoch_find(const struct known_gateway *g, uint64_t epoch); /* NULL = unseen */
/* Sets the epoch's mark (adding the epoch where it is unseen) and makes it the gateway's newest; in memory and on disk. */
enum status known_mark(struct known *k, struct db *db, struct known_gateway *g, const struct batch_header *header,
    int64_t mark, struct error *err);

/* The point, added where it is new (to disk by known_save). */
struct known_point *known_point_get(struct known *k, const struct known_gateway *g, struct span name);
/* Takes a reading as the point's newest. `r->text` is escaped, as batch_read_reading gives it. */
void known_point_update(struct known *k, struct known_point *p, const struct reading *r, int64_t arrived_ms);
/* Writes the changed points. */
enum status known_save(struct known *k, struct db *db, struct error *err);
