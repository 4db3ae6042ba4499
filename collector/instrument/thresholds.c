#include "collector/instrument/thresholds.h"

#include <assert.h>

/* In tenths of the decade's first: round numbers that are about as far apart as eighths of a decade. */
static const int64_t tenths[] = {10, 13, 18, 24, 32, 42, 56, 75};
#define STEPS (sizeof tenths / sizeof tenths[0])
#define SMALL 2 /* bins below 1 W */

int64_t thresholds_edge_mw(size_t bin)
{
    if (bin == 0 || bin >= THRESHOLDS_BINS)
        return bin == 0 ? INT64_MIN : INT64_MAX;
    if (bin < SMALL)
        return 0;
    int64_t decade_mw = 100; /* a tenth of 1 W */
    for (size_t i = (bin - SMALL) / STEPS; i > 0; i--)
        decade_mw *= 10;
    return decade_mw * tenths[(bin - SMALL) % STEPS];
}

static size_t bin_of(int64_t power_mw)
{
    size_t bin = THRESHOLDS_BINS - 1;
    while (power_mw < thresholds_edge_mw(bin))
        bin--;
    return bin;
}

void thresholds_init(struct thresholds *t, int64_t gap_ms)
{
    *t = (struct thresholds){.gap_ms = gap_ms};
}

size_t thresholds_add(struct thresholds *t, struct activity_limits limits)
{
    assert(t->trial_count < THRESHOLDS_TRIALS_MAX);
    limits.gap_ms = t->gap_ms;
    t->trials[t->trial_count] = (struct thresholds_trial){.limits = limits};
    return t->trial_count++;
}

static void count(struct thresholds_trial *trial, const struct activity_span *span)
{
    trial->state_ms[span->state] += span->until_ms - span->from_ms;
    trial->runs += span->state == ACTIVITY_RUNNING;
}

void thresholds_read(struct thresholds *t, int64_t time_ms, int64_t power_mw)
{
    if (t->readings > 0 && time_ms <= t->last_ms) {
        t->dropped++;
        return;
    }
    if (t->readings > 0 && time_ms - t->last_ms <= t->gap_ms)
        t->bins[bin_of(t->last_mw)].time_ms += time_ms - t->last_ms;
    if (t->readings++ == 0)
        t->first_ms = time_ms;
    t->last_ms = time_ms;
    t->last_mw = power_mw;
    t->bins[bin_of(power_mw)].readings++;
    for (size_t i = 0; i < t->trial_count; i++) {
        struct activity_done done =
            activity_read(&t->trials[i].activity, &t->trials[i].limits, time_ms, power_mw);
        for (int k = 0; k < done.count; k++)
            count(&t->trials[i], &done.spans[k]);
    }
}

void thresholds_end(struct thresholds *t)
{
    struct activity_span open;
    for (size_t i = 0; i < t->trial_count; i++)
        if (activity_open(&t->trials[i].activity, &open))
            count(&t->trials[i], &open);
}
