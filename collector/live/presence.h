/*
 * What gateways say of themselves (`state` messages) and when they were last heard: judged by the arrival of
 * messages that are not retained, never by a retained value. In memory only: after a restart a gateway is
 * unknown until it speaks.
 */
#pragma once

#include "collector/live/snapshot.h"
#include "lib/json.h"

#define PRESENCE_STANDSTILL_MS 5000 /* looks are a second apart at most */
/* Who is silent over more of them had its time to speak: the older ones count as silence. */
#define PRESENCE_STILL_MAX 64

struct presence {
    struct presence_gateway *items;
    size_t count, capacity;
    int64_t listening_since_ms; /* UTC, when what gateways say began to arrive here; 0 = it does not */
    int64_t looked_ms;          /* last; 0 = not yet */
    /* Between two looks: this process was stopped, its machine slept, a turn took so long, or the clock was set on. */
    struct presence_still {
        int64_t from_ms, until_ms;
    } stills[PRESENCE_STILL_MAX]; /* the last ones, as a ring: none overlaps another, or lies ahead */
    size_t still_count;           /* that there ever were */
};

#define PRESENCE_MS (180 * 1000)         /* silent for longer: offline */
#define PRESENCE_BYTES_MAX (1024 * 1024) /* of a `state` message; 5 000 points need a fifth of it */

#define PRESENCE_POINTS_MAX 10000 /* periods kept of a gateway */

struct presence_gateway {
    char id[ID_MAX + 1];
    int64_t heard_ms; /* its own last word; 0 = none */
    /* Since when it speaks: nobody said `offline` since, and it was never silent for PRESENCE_MS while we listened. */
    int64_t back_ms;
    int64_t
        offline_ms; /* when `offline` was said, which the broker says for one that hangs; 0 = it spoke since */
    char version[32];
    bool is_clock_synchronised; /* false only where it said so */
    bool has_spooled;           /* it told the three */
    int64_t spooled_batches, spooled_bytes, spooled_oldest_ms;
    json_t *points; /* {name: period in ms}; NULL = not told */
};

void presence_release(struct presence *p);
/* Any message of the gateway arrived. */
void presence_hear(struct presence *p, const char *gateway, int64_t now_ms);
/* A `state` message arrived. ST_INVALID: not the contract's JSON. */
enum status presence_state(
    struct presence *p, const char *gateway, struct span payload, int64_t now_ms, struct error *err);
/* The epoch that a `state` "online" names, retained or not; 0 = none. */
uint64_t presence_epoch(struct span payload);
const struct presence_gateway *presence_find(
    const struct presence *p, const char *gateway);                        /* NULL = silent so far */
bool presence_is_online(const struct presence_gateway *g, int64_t now_ms); /* NULL is offline */
/* It goes on listening: what was not looked at for long it did not hear. */
void presence_look(struct presence *p, int64_t now_ms);
/* What of a time it stood still: no silence of anybody (W1). */
int64_t presence_still_ms(const struct presence *p, int64_t from_ms, int64_t until_ms);
/* Whether it is online can be said: it spoke, or had its time to do so while we listened. After a start, and while the
 * broker is away, nobody knows. */
bool presence_is_known(const struct presence *p, const struct presence_gateway *g, int64_t now_ms);
int64_t presence_period_ms(const struct presence_gateway *g, const char *point); /* 0 = unknown */
