/*
 * Lines of the measurement `energy`: a quarter hour of a meter, at its start, as the park model has it now.
 *
 *   tags    site, building, tenant, meter, carrier, item: those of its begin
 *   amount  kWh of electricity, MJ of heat and cooling, m3 of water and gas: a picture for people. Sums are made of
 *   count   the same in base units (Wh, J, L)
 *   quality measured, estimated, manual, unknown
 *   coverage 1 where it is measured or manual, else 0: the mean is the share of a time
 *   kgce_calorific, kgce_equivalent, kgco2
 *           kilograms by the factors of its local day (collector/model/factor.h)
 *   cost    yuan by the band and the prices of its local day (collector/model/tariff.h)
 *
 * An unknown quarter has neither amount nor count nor what is made of them, so a sum never takes it for 0; nor has one
 * what there is no factor or price for. Kilograms and yuan are pictures: the exact product, rounded once to 1 mg or
 * 0.00001 yuan, as a float. What is billed or reported is rounded by lines (collector/energy/charge.h).
 */
#pragma once

#include "collector/ledger/quarters.h"
#include "collector/model/park.h"
#include "collector/model/periods.h"
#include "collector/model/rates.h"
#include "lib/buf.h"

struct energy_lines;

/* Borrows both; `rates` NULL = there are none. One thread. */
struct energy_lines *energy_lines_create(const struct park *park, const struct rates *rates);
void energy_lines_destroy(struct energy_lines *l); /* accepts NULL; the park may be gone */
/* Appends the line of a meter's quarter hour. */
enum status energy_line_write(struct energy_lines *l, struct buf *out, const struct park_meter *meter,
    const struct quarter *quarter, struct error *err);

/* What makes money and kilograms of an amount on a local day of a site. */
#define ENERGY_FACTORS 3
struct energy_day {
    struct periods_span span; /* of the day */
    const struct factor *factors[ENERGY_FACTORS];
    const struct tariff *tariff; /* NULL = none, or it does not say what holds on this day */
    struct tariff_day prices;
};
/* `site` is the park's. Valid until the next call for the same site and carrier. */
const struct energy_day *energy_lines_day(
    struct energy_lines *l, const struct park_site *site, int carrier, int64_t time_ms);
