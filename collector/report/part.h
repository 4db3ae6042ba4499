/*
 * What a report gives figures of: a site, a building, a tenant, an item code, a meter, and what a meter's children
 * leave unexplained. Pure.
 *
 * Meters stand in trees, so that amounts must not be added twice. Whatever is asked about a set of meters, a meter
 * enters with [it is in the set] - [its parent is in the set]: what flows into the set from outside counts, what flows
 * on from there within it does not, and what flows on out of it is taken off. So the amounts of the buildings of a site
 * add up to that of the site, exactly; those of its tenants with what has none, and of its items, too. The gap of a
 * balance is the same with the parent alone as the set. What flows back through a meter (park_meter.export_of) enters
 * with the opposite sign.
 */
#pragma once

#include "collector/energy/series.h"
#include "collector/energy/steps.h"

enum part_kind { PART_SITE, PART_BUILDING, PART_TENANT, PART_ITEM, PART_METER, PART_GAP };
#define PART_KINDS 6

struct part {
    enum part_kind kind;
    int carrier; /* enum park_carrier */
    const struct park_site *site;
    const struct park_building *building; /* PART_BUILDING */
    const struct park_tenant *tenant;     /* PART_TENANT; NULL = meters without one */
    const char *item;                     /* PART_ITEM; NULL = meters without one */
    const struct park_meter *meter;       /* PART_METER, PART_GAP */
};

/* The nearest meter upstream that has a register then (collector/energy/tree.h); NULL = none. */
const struct park_meter *part_parent(const struct park_meter *meter, int64_t time_ms);
/* With what sign the meter's amounts of that time enter: 1, -1, or 0. Of PART_METER: 1 for the meter alone. One that
 * has no register then (park_is_installed) does not enter. Where a meter belongs, and below which one, is what the park says of that time. */
int part_sign(const struct part *part, const struct park_meter *meter, int64_t time_ms);
/* Whether there are such figures of that time: a gap where something is below its meter, everything else always. */
bool part_is_there(const struct part *part, const struct park *park, int64_t time_ms);

/* A stretch of a span in which no meter's tags change, none comes and none goes: signs are the same all over it. For whoever goes through a span:
 * struct periods_span stretch = {0}; while (part_next(park, span, &stretch)) ... */
bool part_next(const struct park *park, struct periods_span span, struct periods_span *stretch);
/* All of them; the caller releases it (steps_release). */
void part_cut(const struct park *park, struct periods_span span, struct steps *ret);
/* The quarter hours of a stretch; the others are as if nothing had entered. The caller releases it. */
void part_series_cut(const struct series *series, struct periods_span stretch, struct series *ret);

/* sum += sign x series, quarter hour by quarter hour of a stretch; both are of one span. A quarter hour is known where all that
 * entered are, and as well as the worst of them; what is absent does not enter; where it is not, its amount is what is
 * known. Where an amount leaves int64 it is unknown. To begin with: part_series_init. */
void part_series_add(struct series *sum, const struct series *series, struct periods_span stretch, int sign);
/* A part of a difference says nothing (CONTRIBUTING.md, E14): where a meter is missing nothing of it is known. */
void part_series_forget(struct series *sum);
/* Nothing has entered yet: absent. */
void part_series_init(struct series *sum, struct periods_span span);
