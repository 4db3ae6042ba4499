#include "collector/ledger/unwrap.h"

#include <assert.h>
#include <string.h>

/* Equal states are equal bytes: every member is an integer of 64 bits. */
static_assert(
    sizeof(struct baseline) % sizeof(int64_t) == 0 && _Alignof(struct unwrap) == _Alignof(int64_t), "");

void unwrap_init(struct unwrap *u)
{
    memset(u, 0, sizeof *u);
    u->last_ms = INT64_MIN;
}

/* Why nobody knows what is between g and the first reading that does not fit. */
static enum event_kind reason(
    const struct baseline *b, const struct segments *all, const struct step_point *first)
{
    struct baseline_fit fit;
    if (baseline_fits(b, all, first, &fit) && fit.is_to_confirm)
        return EVENT_CONFIRM;
    return step_is_above_limit(all, &b->last, first) ? EVENT_LIMIT : EVENT_EXCEPTION;
}

static void restart(struct unwrap *u, const struct segments *all, enum event_kind kind, int64_t from_ms,
    const struct step_point *first, const struct event_sink *sink)
{
    baseline_restart(&u->baseline, all, kind, from_ms, first, sink);
    hold_clear(&u->hold);
}

/* The same, and remembers the baseline that ends: what did not fit began at `since_ms`. */
static void replace(struct unwrap *u, const struct segments *all, enum event_kind kind, int64_t from_ms,
    int64_t since_ms, const struct step_point *first, const struct event_sink *sink)
{
    struct past past = {.baseline = u->baseline, .since_ms = since_ms, .exception_ms = from_ms};
    past_add(&u->pasts, &past);
    restart(u, all, kind, from_ms, first, sink);
}

/* The reading fits, and nothing speaks against it any more. */
static void settle(struct unwrap *u, const struct segments *all, const struct step_point *reading,
    const struct baseline_fit *fit, const struct event_sink *sink)
{
    if (fit->is_to_confirm)
        replace(u, all, EVENT_CONFIRM, u->baseline.last.time_ms, reading->time_ms, reading, sink);
    else
        baseline_accept(&u->baseline, reading, fit, sink);
}

/* An earlier baseline was right, and what came after it is withdrawn. */
static bool goes_back(struct unwrap *u, const struct segments *all, const struct step_point *reading,
    bool is_confirmed, const struct event_sink *sink)
{
    struct past past;
    struct baseline_fit fit;
    if (!past_take(&u->pasts, all, reading, is_confirmed, &past, &fit))
        return false;
    u->baseline = past.baseline;
    struct event event = {.kind = EVENT_WITHDRAWN,
        .from_ms = past.exception_ms,
        .stands_ms = u->baseline.last.time_ms,
        .until_ms = reading->time_ms};
    sink->emit(sink->context, &event);
    baseline_tell_again(&u->baseline, sink);
    hold_clear(&u->hold);
    settle(u, all, reading, &fit, sink);
    return true;
}

/* While nothing is held. */
static void judge(struct unwrap *u, const struct segments *all, const struct step_point *reading,
    const struct event_sink *sink)
{
    struct baseline_fit fit;
    bool is_fitting = baseline_fits(&u->baseline, all, reading, &fit);
    if (is_fitting && !fit.step.is_rollover)
        settle(u, all, reading, &fit, sink);
    else if (is_fitting || !goes_back(u, all, reading, false, sink))
        hold_add(&u->hold, all, reading);
}

/* Case (a): the reading goes on from g, and nothing speaks for those held. */
static void settle_outliers(struct unwrap *u, const struct segments *all, const struct step_point *reading,
    const struct baseline_fit *fit, const struct event_sink *sink)
{
    if (hold_is_overdue(&u->hold)) { /* an exception already, which only a person settles */
        enum event_kind kind = reason(&u->baseline, all, &u->hold.first);
        restart(u, all, kind, u->baseline.last.time_ms, reading, sink);
    } else if (fit->is_to_confirm) {
        replace(u, all, EVENT_CONFIRM, u->baseline.last.time_ms, u->hold.first.time_ms, reading, sink);
    } else {
        event_span(sink, EVENT_OUTLIERS, u->hold.first.time_ms, u->hold.last.time_ms);
        hold_clear(&u->hold);
        baseline_accept(&u->baseline, reading, fit, sink);
    }
}

/* From where an exception takes U away: from g, or from one reading earlier where dropping g would explain what
 * came as well. */
static int64_t exception_from_ms(
    const struct baseline *b, const struct segments *all, const struct step_point *first)
{
    struct step step;
    bool is_explained = b->has_earlier && step_is_plausible(all, &b->earlier, first, &step);
    return is_explained ? b->earlier.time_ms : b->last.time_ms;
}

/* The chain that ends at the last held reading is confirmed: as a rollover where it goes on from g, else as case
 * (b), a new baseline. */
static void settle_chain(struct unwrap *u, const struct segments *all, const struct event_sink *sink)
{
    struct step_point first = u->hold.chain;
    struct baseline_fit fit;
    bool is_fitting = baseline_fits(&u->baseline, all, &first, &fit);
    bool is_overdue = hold_is_overdue(&u->hold);
    if (is_fitting && !fit.is_to_confirm && !is_overdue) {
        if (u->hold.first.time_ms < first.time_ms)
            event_span(sink, EVENT_OUTLIERS, u->hold.first.time_ms, first.time_ms - 1);
        hold_clear(&u->hold);
        baseline_accept(&u->baseline, &first, &fit, sink);
        return;
    }
    if (!is_fitting && goes_back(u, all, &first, true, sink))
        return;
    enum event_kind kind = reason(&u->baseline, all, &first);
    /* Where it fits because repeats are dropped, g is one of them, and in doubt. */
    bool is_from_last = is_fitting && !fit.is_frozen;
    int64_t from_ms = is_from_last ? u->baseline.last.time_ms : exception_from_ms(&u->baseline, all, &first);
    if (is_overdue)
        restart(u, all, kind, from_ms, &first, sink);
    else
        replace(u, all, kind, from_ms, u->hold.first.time_ms, &first, sink);
}

/* True: done; false: what was held is settled, and the readings after it are judged from there. */
static bool judge_beside_held(struct unwrap *u, const struct segments *all, const struct step_point *reading,
    const struct event_sink *sink)
{
    struct baseline_fit fit;
    bool is_fitting = baseline_fits(&u->baseline, all, reading, &fit);
    bool is_confirming = hold_is_confirmed_by(&u->hold, all, reading);
    if (is_fitting && !fit.step.is_rollover && !is_confirming) {
        settle_outliers(u, all, reading, &fit, sink);
        return true;
    }
    if (!is_fitting && goes_back(u, all, reading, false, sink))
        return true;
    if (!is_confirming) {
        hold_add(&u->hold, all, reading);
        return true;
    }
    settle_chain(u, all, sink);
    return false;
}

static void push_first(struct unwrap *u, const struct segments *all, const struct step_point *reading,
    const struct event_sink *sink)
{
    baseline_begin(&u->baseline, all, reading, sink);
    u->has_baseline = 1;
}

/* The meter was replaced and a register was not logged: nobody knows what lies between. */
static bool is_cut_off(const struct unwrap *u, const struct segments *all, const struct step_point *reading)
{
    return reading->segment > u->baseline.last.segment &&
           !segment_is_joined(all, u->baseline.last.segment, reading->segment);
}

static bool take(struct unwrap *u, const struct segments *all, const struct step_point *reading,
    const struct event_sink *sink)
{
    if (!u->has_baseline) {
        push_first(u, all, reading, sink);
        return true;
    }
    past_expire(&u->pasts, reading->time_ms);
    if (is_cut_off(u, all, reading)) {
        restart(u, all, EVENT_EXCEPTION, u->baseline.last.time_ms, reading, sink);
        return true;
    }
    if (u->hold.count > 0) {
        int64_t chain_ms = u->hold.chain.time_ms, held_ms = u->hold.last.time_ms;
        if (judge_beside_held(u, all, reading, sink))
            return true;
        if (chain_ms < held_ms) {
            u->last_ms = chain_ms;
            return false;
        }
    }
    judge(u, all, reading, sink);
    return true;
}

bool unwrap_push(struct unwrap *u, const struct segments *all, const struct unwrap_reading *reading,
    const struct event_sink *sink)
{
    assert(reading->time_ms > u->last_ms);
    u->last_ms = reading->time_ms;
    struct step_point point = {.time_ms = reading->time_ms,
        .segment = segment_of(all, reading->point, reading->time_ms, reading->count),
        .count = reading->count,
        .is_manual = reading->is_manual};
    if (point.segment == SEGMENT_NONE) {
        event_span(sink, EVENT_OUTSIDE, reading->time_ms, reading->time_ms);
        return true;
    }
    if (!segment_takes(&all->items[point.segment], reading->count)) {
        event_span(sink, EVENT_QUARANTINED, reading->time_ms, reading->time_ms);
        return true;
    }
    return take(u, all, &point, sink);
}

/* The first of them that is after a time. */
static size_t first_after(const struct unwrap_reading *readings, size_t count, int64_t time_ms)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (readings[middle].time_ms <= time_ms)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool unwrap_push_all(struct unwrap *u, const struct segments *all, const struct unwrap_reading *readings,
    size_t count, const struct event_sink *sink)
{
    for (size_t i = first_after(readings, count, u->last_ms); i < count;) {
        if (unwrap_push(u, all, &readings[i], sink)) {
            i++;
            continue;
        }
        if (u->last_ms < readings[0].time_ms)
            return false;
        i = first_after(readings, count, u->last_ms);
    }
    return true;
}

struct unwrap_pending unwrap_pending(const struct unwrap *u, const struct segments *all)
{
    if (u->hold.count == 0)
        return (struct unwrap_pending){.kind = UNWRAP_DECIDED};
    struct unwrap_pending pending = {
        .kind = UNWRAP_HELD, .from_ms = u->baseline.last.time_ms, .until_ms = u->hold.last.time_ms};
    if (!hold_is_overdue(&u->hold))
        return pending;
    enum event_kind kind = reason(&u->baseline, all, &u->hold.first);
    pending.kind = kind == EVENT_LIMIT     ? UNWRAP_LIMIT
                   : kind == EVENT_CONFIRM ? UNWRAP_CONFIRM
                                           : UNWRAP_EXCEPTION;
    return pending;
}

int64_t unwrap_reach_ms(const struct unwrap *u)
{
    return u->has_baseline ? u->baseline.last.time_ms : INT64_MIN;
}

size_t unwrap_size(const struct unwrap *u)
{
    return offsetof(struct unwrap, pasts.items) + (size_t)u->pasts.count * sizeof u->pasts.items[0];
}
