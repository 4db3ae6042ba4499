#include "collector/ledger/boundary.h"

/* The first boundary after a time. */
static int64_t after(int64_t time_ms)
{
    int64_t into = time_ms % BOUNDARY_MS;
    return time_ms - into + (into < 0 ? 0 : BOUNDARY_MS);
}

static enum quality of_reading(bool is_manual)
{
    return is_manual ? QUALITY_MANUAL : QUALITY_MEASURED;
}

int64_t boundary_energy(const struct event *step, int64_t time_ms)
{
    __int128 energy = (__int128)step->until_energy - step->from_energy; /* >= 0: a step never falls */
    __int128 passed = (__int128)time_ms - step->from_ms;
    return (int64_t)(step->from_energy + energy * passed / ((__int128)step->until_ms - step->from_ms));
}

static bool is_stated(const struct event *event, int64_t at_ms)
{
    return event->stated_ms != INT64_MIN && event->stated_ms > at_ms - BOUNDARY_MS;
}

static void follow_step(const struct event *step, int64_t max_gap_ms, boundary_emit *emit, void *context)
{
    int64_t at_ms = after(step->from_ms);
    if (at_ms > step->until_ms)
        return;
    bool is_near = (__int128)step->until_ms - step->from_ms <= max_gap_ms;
    struct boundary boundary = {.baseline_ms = step->baseline_ms};
    bool is_known = step->kind == EVENT_STEP;
    boundary.quality = quality_worse(!is_known ? QUALITY_MANUAL
                                     : is_near ? QUALITY_MEASURED
                                               : QUALITY_ESTIMATED,
        quality_worse(of_reading(step->is_from_manual), of_reading(step->is_until_manual)));
    for (; at_ms < step->until_ms; at_ms += BOUNDARY_MS) {
        boundary.time_ms = at_ms;
        boundary.energy = boundary_energy(step, at_ms);
        boundary.is_stated = is_stated(step, at_ms);
        emit(context, &boundary);
    }
    if (at_ms > step->until_ms)
        return;
    boundary.time_ms = at_ms;
    boundary.energy = step->until_energy;
    boundary.quality = of_reading(step->is_until_manual);
    boundary.is_stated = is_stated(step, at_ms);
    emit(context, &boundary);
}

static void follow_baseline(const struct event *event, boundary_emit *emit, void *context)
{
    if (event->until_ms % BOUNDARY_MS != 0)
        return;
    struct boundary boundary = {.time_ms = event->until_ms,
        .quality = of_reading(event->is_until_manual),
        .energy = event->until_energy,
        .is_stated = is_stated(event, event->until_ms),
        .baseline_ms = event->baseline_ms};
    emit(context, &boundary);
}

static void forget(const struct event *event, boundary_emit *emit, void *context)
{
    for (int64_t at_ms = after(event->from_ms); at_ms < event->until_ms; at_ms += BOUNDARY_MS) {
        struct boundary boundary = {.time_ms = at_ms, .quality = QUALITY_UNKNOWN};
        emit(context, &boundary);
    }
}

void boundary_follow(const struct event *event, int64_t max_gap_ms, boundary_emit *emit, void *context)
{
    switch (event->kind) {
    case EVENT_STEP:
    case EVENT_STATED:
        follow_step(event, max_gap_ms, emit, context);
        break;
    case EVENT_BASELINE:
        follow_baseline(event, emit, context);
        break;
    case EVENT_EXCEPTION:
    case EVENT_LIMIT:
    case EVENT_CONFIRM:
    case EVENT_WITHDRAWN:
        forget(event, emit, context);
        break;
    case EVENT_OUTLIERS:
    case EVENT_FROZEN:
    case EVENT_ROLLOVER:
    case EVENT_OUTSIDE:
    case EVENT_QUARANTINED:
        break;
    }
}
