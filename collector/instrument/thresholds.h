/*
 * What the power of an instrument was, and what thresholds would have made of it: a histogram, and the same readings folded
 * by several sets of limits side by side (activity.h). Pure. For whoever looks for thresholds: they belong where the
 * histogram is empty, between what it does while idle and while it works.
 */
#pragma once

#include "collector/instrument/activity.h"

#include <stddef.h>

#define THRESHOLDS_TRIALS_MAX 4
/* By eighths of a decade from 1 W to 10 MW, what is beyond in the last; before them what is below 0, and 0 to 1 W. */
#define THRESHOLDS_BINS 59

struct thresholds_trial {
    struct activity_limits limits;
    struct activity activity;
    int64_t state_ms[ACTIVITY_STATES];
    int64_t runs; /* also one that is not over */
};

struct thresholds {
    int64_t gap_ms;
    int64_t readings; /* whose time was later than that of the one before */
    int64_t dropped;  /* that were not */
    int64_t first_ms, last_ms, last_mw;
    struct thresholds_bin {
        int64_t readings;
        int64_t time_ms; /* up to the next reading, where that was not further away than the gap */
    } bins[THRESHOLDS_BINS];
    struct thresholds_trial trials[THRESHOLDS_TRIALS_MAX];
    size_t trial_count;
};

void thresholds_init(struct thresholds *t, int64_t gap_ms);
/* Before the first reading; the gap is that of all. Returns its number. */
size_t thresholds_add(struct thresholds *t, struct activity_limits limits);
void thresholds_read(struct thresholds *t, int64_t time_ms, int64_t power_mw);
/* After the last reading: what is not over counts up to it. Once. */
void thresholds_end(struct thresholds *t);
/* A bin is of [thresholds_edge_mw(bin), thresholds_edge_mw(bin + 1)); INT64_MIN and INT64_MAX beyond. */
int64_t thresholds_edge_mw(size_t bin);
