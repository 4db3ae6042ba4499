#include "collector/ledger/baseline.h"

#include <stddef.h>

/* Of a first reading, also the first after what was stated. */
static void tell_begin(const struct baseline *b, const struct event_sink *sink)
{
    struct event event = {.kind = EVENT_BASELINE,
        .from_ms = b->last.time_ms,
        .until_ms = b->last.time_ms,
        .from_energy = b->sum.energy,
        .until_energy = b->sum.energy,
        .is_from_manual = b->last.is_manual,
        .is_until_manual = b->last.is_manual,
        .stated_ms = b->stated_ms,
        .baseline_ms = b->begin_ms};
    sink->emit(sink->context, &event);
}

static void tell_step(const struct baseline *b, const struct event_sink *sink)
{
    struct event event = {.kind = EVENT_STEP,
        .from_ms = b->earlier.time_ms,
        .until_ms = b->last.time_ms,
        .from_energy = b->earlier_energy,
        .until_energy = b->sum.energy,
        .is_from_manual = b->earlier.is_manual,
        .is_until_manual = b->last.is_manual,
        .stated_ms = b->stated_ms,
        .baseline_ms = b->begin_ms};
    sink->emit(sink->context, &event);
}

/* Where a run of equal counts begins, and nothing before it is asked any more. */
static void begin_run(struct baseline *b, const struct step_point *reading)
{
    b->last = *reading;
    b->run_first_ms = reading->time_ms;
    b->run_second_ms = 0;
    b->is_run_manual = reading->is_manual;
    b->has_earlier = 0;
    b->earlier = (struct step_point){0};
    b->earlier_energy = 0;
}

static void begin(struct baseline *b, const struct step_point *reading)
{
    begin_run(b, reading);
    b->begin_ms = reading->time_ms;
    b->stated_ms = INT64_MIN;
}

void baseline_begin(struct baseline *b, const struct segments *all, const struct step_point *reading,
    const struct event_sink *sink)
{
    b->sum = step_begin(&all->items[reading->segment], 0, reading->count);
    begin(b, reading);
    daily_begin(&b->daily, reading->time_ms, b->sum.energy);
    tell_begin(b, sink);
}

static struct step_point run_first(const struct baseline *b)
{
    struct step_point first = b->last;
    first.time_ms = b->run_first_ms;
    first.is_manual = b->is_run_manual;
    return first;
}

static bool is_usual(
    const struct baseline *b, int64_t from_ms, const struct step_point *reading, const struct step *step)
{
    return (__int128)reading->time_ms - from_ms <= DAILY_GAP_MS ||
           daily_allows(&b->daily, from_ms, b->sum.energy, reading->time_ms, step->sum.energy);
}

bool baseline_fits(const struct baseline *b, const struct segments *all, const struct step_point *reading,
    struct baseline_fit *ret)
{
    *ret = (struct baseline_fit){0};
    if (step_try(all, &b->last, &b->sum, reading, &ret->step)) {
        ret->is_to_confirm = !is_usual(b, b->last.time_ms, reading, &ret->step);
        return true;
    }
    if (b->run_first_ms == b->last.time_ms)
        return false;
    struct step_point first = run_first(b);
    ret->is_frozen = step_try(all, &first, &b->sum, reading, &ret->step) &&
                     is_usual(b, b->run_first_ms, reading, &ret->step);
    return ret->is_frozen;
}

static bool has_moved(const struct baseline *b, const struct step_point *reading, const struct step *step)
{
    return step->is_positive || reading->segment != b->last.segment;
}

void baseline_accept(struct baseline *b, const struct step_point *reading, const struct baseline_fit *fit,
    const struct event_sink *sink)
{
    if (fit->is_frozen) {
        event_span(sink, EVENT_FROZEN, b->run_second_ms, b->last.time_ms);
        b->last = run_first(b);
    }
    if (fit->step.is_rollover && reading->segment == b->last.segment)
        event_span(sink, EVENT_ROLLOVER, b->last.time_ms, reading->time_ms);
    bool is_moved = has_moved(b, reading, &fit->step);
    if (is_moved) {
        daily_step(&b->daily, b->run_first_ms - 1, b->sum.energy, b->last.time_ms, b->sum.energy);
        daily_step(&b->daily, b->last.time_ms, b->sum.energy, reading->time_ms, fit->step.sum.energy);
    }
    b->has_earlier = 1;
    b->earlier = b->last;
    b->earlier_energy = b->sum.energy;
    if (!is_moved && b->run_first_ms == b->last.time_ms)
        b->run_second_ms = reading->time_ms;
    b->last = *reading;
    b->last.count = fit->step.count;
    b->sum = fit->step.sum;
    if (is_moved) {
        b->run_first_ms = reading->time_ms;
        b->run_second_ms = 0;
        b->is_run_manual = reading->is_manual;
    }
    tell_step(b, sink);
}

/* NULL: nobody stated what the energy of this span is. */
static const struct stated *find_stated(const struct segment *s, int64_t from_ms, int64_t until_ms)
{
    for (int64_t i = 0; i < s->stated_count; i++)
        if (s->stated[i].from_ms == from_ms && s->stated[i].until_ms == until_ms)
            return &s->stated[i];
    return NULL;
}

/* U goes on by what was stated. False: it would leave int64, and nothing is changed. */
static bool join(struct step_sum *sum, int64_t from_energy, int64_t stated)
{
    int64_t energy, more;
    if (!segment_add(from_energy, stated, &energy) || __builtin_sub_overflow(energy, sum->energy, &more) ||
        __builtin_add_overflow(sum->start, more, &sum->start))
        return false;
    sum->energy = energy;
    return true;
}

/* What was stated says nothing about what the meter is used to, and confirms no reading: but for U it is an exception. */
void baseline_restart(struct baseline *b, const struct segments *all, enum event_kind kind, int64_t from_ms,
    const struct step_point *reading, const struct event_sink *sink)
{
    const struct stated *stated = find_stated(&all->items[reading->segment], from_ms, reading->time_ms);
    bool is_earlier = from_ms != b->last.time_ms;
    struct event event = {.kind = EVENT_STATED,
        .from_ms = from_ms,
        .until_ms = reading->time_ms,
        .from_energy = is_earlier ? b->earlier_energy : b->sum.energy,
        .is_from_manual = is_earlier ? b->earlier.is_manual : b->last.is_manual,
        .is_until_manual = reading->is_manual,
        .stated_ms = reading->time_ms,
        .baseline_ms = b->begin_ms};
    struct step_sum sum = step_restart(all, &b->last, &b->sum, reading);
    bool is_joined = stated != NULL && join(&sum, event.from_energy, stated->energy);
    daily_step(&b->daily, b->run_first_ms - 1, b->sum.energy, b->last.time_ms, b->sum.energy);
    daily_break(&b->daily, from_ms, reading->time_ms, sum.energy);
    b->sum = sum;
    if (is_joined) {
        begin_run(b, reading);
        b->stated_ms = event.stated_ms;
        event.until_energy = sum.energy;
        sink->emit(sink->context, &event);
    } else {
        event_span(sink, kind, from_ms, reading->time_ms);
        begin(b, reading);
        tell_begin(b, sink);
    }
}

void baseline_tell_again(const struct baseline *b, const struct event_sink *sink)
{
    if (b->has_earlier)
        tell_step(b, sink);
    else
        tell_begin(b, sink);
}
