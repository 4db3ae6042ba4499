/*
 * Where U stands: the last accepted reading g, and the baseline that it belongs to. A baseline is accepted readings
 * of which each goes on plausibly from the one before; an exception ends one and begins another, but where a person
 * stated the energy of its span: then U goes on, and it is one for amounts, though not for what is believed.
 */
#pragma once

#include "collector/ledger/daily.h"
#include "collector/ledger/event.h"
#include "collector/ledger/step.h"

/* Integers of 64 bits alone, here and in what it consists of, so that equal states are equal bytes. */
struct baseline {
    struct step_point last; /* g */
    struct step_sum sum;
    int64_t begin_ms;  /* its first reading */
    int64_t stated_ms; /* until when energy was stated that joins it; INT64_MIN = none */
    /* The run of equal counts that ends at g: its first reading, and its second where it has one. */
    int64_t run_first_ms, run_second_ms, is_run_manual;
    /* The accepted reading before g. */
    int64_t has_earlier;
    struct step_point earlier;
    int64_t earlier_energy;
    struct daily daily;
};

struct baseline_fit {
    struct step step;
    bool is_frozen;     /* only from the first of the run of equal counts: the repeats were frozen */
    bool is_to_confirm; /* but the mean since g is far above what the meter is used to */
};

/* The first reading of all. */
void baseline_begin(struct baseline *b, const struct segments *all, const struct step_point *reading,
    const struct event_sink *sink);

/* Does the reading go on plausibly from g (E3), or from the first of the run of equal counts that ends at g
 * (E4)? */
bool baseline_fits(const struct baseline *b, const struct segments *all, const struct step_point *reading,
    struct baseline_fit *ret);

/* It becomes g. */
void baseline_accept(struct baseline *b, const struct step_point *reading, const struct baseline_fit *fit,
    const struct event_sink *sink);

/* The reading begins a new baseline: what lies between `from_ms`, which is g or the accepted reading before it, and it is
 * not known, and told as `kind`; or as stated. */
void baseline_restart(struct baseline *b, const struct segments *all, enum event_kind kind, int64_t from_ms,
    const struct step_point *reading, const struct event_sink *sink);

/* Tells again what it told of its last step, after something else was told of that time. */
void baseline_tell_again(const struct baseline *b, const struct event_sink *sink);
