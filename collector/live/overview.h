/*
 * The figures of the live picture, worked out from a snapshot at an instant: power now, the last reading of
 * every meter, gateways and how old everything is. Page, API, stream, health and metrics all take them from
 * here, so they cannot disagree. Pure: no clock, no I/O.
 *
 * What is not known is said, never taken as 0: a sum comes as its known part with "m of n meters are fresh".
 */
#pragma once

#include "collector/live/snapshot.h"

/* A reading is fresh while it is at most three periods old, and 120 s in any case (the period may be
 * unknown), unless its gateway is known to be offline. */
#define OVERVIEW_FRESH_MS (120 * 1000)
/* How old one may be whose period is this; 0 = unknown. */
static inline int64_t overview_fresh_ms(int64_t period_ms)
{
    if (period_ms <= OVERVIEW_FRESH_MS / 3)
        return OVERVIEW_FRESH_MS;
    return period_ms > INT64_MAX / 3 ? INT64_MAX : 3 * period_ms;
}
/* A meter that counts behind its transformers shows the power behind them as well: on the primary side, as `registers` of
 * the segment in force says (NULL = there is none). */
double overview_primary_w(const struct park_segment *segment, double power_w);
/* A gateway says its state every 60 s; silent for three of them it is not online, whatever it said last. */
#define OVERVIEW_SILENT_MS (180 * 1000)

/* The newest reading of one point of a meter. */
struct overview_reading {
    const struct snapshot_point *point; /* NULL = none yet, or no such point is configured */
    int64_t age_ms;                     /* 0 for one from a device whose clock is ahead */
    bool is_fresh;
};

struct overview_meter {
    const struct park_meter *meter;
    struct park_tags tags;                  /* in force now */
    const struct park_segment *segment;     /* in force now; NULL = none */
    struct overview_reading reading, power; /* `reading` is of the register */
    double
        power_w; /* on the primary side, as `registers` of the segment in force says; 0 without a reading */
    bool is_expected; /* a device sends it: it has a point. Others are read by hand and never late. */
    bool is_fresh;    /* each configured point is */
};

/* The sum over electricity meters that no other counted meter contains. */
struct overview_power {
    double known_w; /* of the fresh ones; meaningless when fresh is 0 */
    int fresh, meters;
};

struct overview_building {
    const struct park_building *building;
    struct overview_power power; /* over meters without an electricity ancestor in the same building */
};

struct overview_gateway {
    const struct snapshot_gateway *gateway;
    bool is_online; /* says nothing unless gateway->is_presence_known */
    int64_t age_ms; /* since it was last heard; -1 = never */
    int64_t lag_ms; /* since its newest reading; -1 = none */
};

struct overview {
    const struct snapshot *snapshot; /* borrowed */
    int64_t now_ms;
    struct overview_building *buildings; /* in the park model's order, as are meters */
    size_t building_count;
    struct overview_meter *meters;
    size_t meter_count;
    struct overview_gateway *gateways;
    size_t gateway_count;
    struct overview_power
        power; /* over meters without any electricity ancestor: a main meter is not added to what it feeds */
    int fresh, expected; /* meters */
    int online;          /* gateways */
    int unmapped;        /* points */
};

/* Borrows the snapshot until overview_release. Linear in points and meters. */
void overview_init(struct overview *o, const struct snapshot *s, int64_t now_ms);
void overview_release(struct overview *o);
