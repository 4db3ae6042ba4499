/*
 * How meters enter the figures of a carrier over a span (collector/report/part.h): with what sign, in each stretch in which
 * that is the same. For whoever goes through meters one by one. Pure.
 */
#pragma once

#include "collector/report/report.h"

struct signs {
    const struct report_carrier *carrier; /* borrowed, with its figures */
    struct steps stretches;
    bool *is_there; /* by stretch and figure: there is such a figure then */
    int8_t *of;     /* by stretch and figure: of the meter that was looked at; 0 where there is none */
};

/* `last`: figures of later kinds are as if they were not there. */
void signs_init(struct signs *s, const struct report_carrier *carrier, const struct park *park,
    struct periods_span span, enum part_kind last);
void signs_release(struct signs *s);

/* Looks at a meter. False: it enters nothing. */
bool signs_look_at(struct signs *s, const struct park_meter *meter);
/* By figure, in a stretch. */
const int8_t *signs_in(const struct signs *s, size_t stretch);
/* The next run of stretches over which the meter enters everything as it did: from *index on, which moves behind it. */
struct periods_span signs_run(const struct signs *s, size_t *index);
/* Whether the meter enters the figure in the same way throughout, and how. */
bool signs_throughout(const struct signs *s, size_t figure, int *ret_sign);
