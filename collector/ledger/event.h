/* What folding the readings of a meter decides (collector/ledger/unwrap.h), as spans of time. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum event_kind {
    /* U is known at until_ms, and linear from from_ms on: both are accepted readings of one baseline. */
    EVENT_STEP,
    /* A baseline begins: U is known at until_ms = from_ms. */
    EVENT_BASELINE,
    /* The readings from from_ms to until_ms, both included, are outliers. */
    EVENT_OUTLIERS,
    /* The readings from from_ms to until_ms, both included, repeat an earlier one and are dropped. */
    EVENT_FROZEN,
    /* The step between these accepted readings of one segment needs the modulus. */
    EVENT_ROLLOVER,
    /* Open exceptions: nobody knows what happened between the readings at from_ms and until_ms. What was said of
     * boundaries between them no longer holds; a rollover between them says nothing while the exception stands. */
    EVENT_EXCEPTION,
    EVENT_LIMIT,   /* the register went up by more than max_rate allows */
    EVENT_CONFIRM, /* "confirm meter": after a long gap, far more than the meter is used to */
    /* Exceptions, stated ones too, that begin at from_ms or later are withdrawn, and whatever else begins at stands_ms, the last
     * accepted reading that stands, or later; so is what was said of boundaries after from_ms, which is told again.
     * The readings between stands_ms and until_ms, neither included, are outliers. */
    EVENT_WITHDRAWN,
    EVENT_OUTSIDE,     /* the reading at from_ms = until_ms is of no segment */
    EVENT_QUARANTINED, /* its register cannot read so */
    /* In place of an open exception, where a person stated the energy of exactly this span: U goes on from from_ms, and
     * is linear up to until_ms. */
    EVENT_STATED,
};

struct event {
    enum event_kind kind;
    int64_t from_ms, until_ms;
    /* Of steps, baselines and stated spans: */
    int64_t from_energy, until_energy; /* U, primary base units */
    bool is_from_manual, is_until_manual;
    int64_t stands_ms;   /* of EVENT_WITHDRAWN */
    int64_t stated_ms;   /* of the baseline: until when energy was stated that joins it; INT64_MIN = none */
    int64_t baseline_ms; /* its first reading: an amount is known only between boundaries of one baseline */
};

typedef void event_emit(void *context, const struct event *event);

/* Where events go; borrowed, called in the thread of whoever folds. */
struct event_sink {
    event_emit *emit;
    void *context;
};

static inline void event_span(
    const struct event_sink *sink, enum event_kind kind, int64_t from_ms, int64_t until_ms)
{
    struct event event = {.kind = kind, .from_ms = from_ms, .until_ms = until_ms};
    sink->emit(sink->context, &event);
}
