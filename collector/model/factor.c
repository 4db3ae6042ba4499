#include "collector/model/factor.h"

#include "lib/buf.h"
#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>

_Static_assert(CARRIER_GAS == 4, "factor_carriers begins as park_carriers does");

const char *const factor_kinds[] = {"kgce_calorific", "kgce_equivalent", "kgco2", "kgco2e", NULL};
const char *const factor_carriers[] = {"electricity", "heat", "cooling", "water", "gas", "steam", NULL};

struct factors *factors_load(const char *path)
{
    struct factors *factors = mem_zalloc(sizeof *factors);
    factors->conf = conf_load(path, &factors_section, factors);
    return factors;
}

struct factors *factors_load_text(const char *name, struct span text)
{
    struct factors *factors = mem_zalloc(sizeof *factors);
    factors->conf = conf_load_text(name, text, &factors_section, factors);
    return factors;
}

void factors_destroy(struct factors *factors)
{
    if (!factors)
        return;
    conf_destroy(factors->conf);
    free(factors);
}

static bool is_in(const struct factor *row, const char *region)
{
    return row->region == NULL || (region != NULL && strcmp(row->region, region) == 0);
}

/* Whether no row before this one, about the same thing, is for the same region. */
static bool is_first_of_region(const struct factors *factors, const struct factor *row)
{
    CONF_EACH (const struct factor, before, factors->rows) {
        if (before == row)
            return true;
        if (before->kind == row->kind && before->carrier == row->carrier && is_in(before, row->region))
            return false;
    }
    return true;
}

/* Why there is none: nothing of the kind, not in this region, or not on this day. */
static void explain(
    const struct factors *factors, int kind, int carrier, const char *region, int64_t day, struct error *why)
{
    struct buf regions = {0};
    struct validity held = {INT64_MAX, INT64_MIN};
    bool is_here = false;
    CONF_EACH (const struct factor, row, factors->rows) {
        if (row->kind != kind || row->carrier != carrier)
            continue;
        if (is_in(row, region)) {
            is_here = true;
            held.from_day = row->validity.from_day < held.from_day ? row->validity.from_day : held.from_day;
            held.until_day =
                row->validity.until_day > held.until_day ? row->validity.until_day : held.until_day;
        } else if (is_first_of_region(factors, row)) {
            buf_printf(&regions, "%s%s", regions.len > 0 ? ", " : "", row->region);
        }
    }
    const char *what = factor_kinds[kind], *of = factor_carriers[carrier];
    if (is_here) {
        bool is_early = day < held.from_day;
        char day_text[VALIDITY_TEXT_SIZE], end_text[VALIDITY_TEXT_SIZE];
        validity_format_day(day, day_text);
        validity_format_day(is_early ? held.from_day : held.until_day - 1, end_text);
        error_set(why, ST_INVALID, "no %s of %s for %s: the %s on %s", what, of, day_text,
            is_early ? "first row begins" : "last row ends", end_text);
    } else if (regions.len == 0) {
        error_set(why, ST_INVALID, "no %s of %s: there is no such row", what, of);
    } else if (region == NULL) {
        error_set(why, ST_INVALID, "no %s of %s: the site names no region; there are rows for %s", what, of,
            regions.data);
    } else {
        error_set(why, ST_INVALID, "no %s of %s for region %s; there are rows for %s", what, of, region,
            regions.data);
    }
    buf_release(&regions);
}

const struct factor *factors_find(
    const struct factors *factors, int kind, int carrier, const char *region, int64_t day, struct error *why)
{
    CONF_EACH (const struct factor, row, factors->rows)
        if (row->kind == kind && row->carrier == carrier && is_in(row, region) &&
            validity_holds(row->validity, day))
            return row;
    explain(factors, kind, carrier, region, day, why);
    return NULL;
}

/* Decimals between a carrier's base unit and the unit of its factors: Wh and kWh, J and MJ, L and t or m3. */
static int scale_of(int carrier)
{
    switch (carrier) {
    case CARRIER_HEAT:
    case CARRIER_COOLING:
        return 6;
    case FACTOR_CARRIER_STEAM:
        return 0;
    default:
        return 3;
    }
}

bool factor_apply(const struct factor *factor, int64_t amount, int64_t *ret_g)
{
    struct decimal grams;
    if (!decimal_multiply((struct decimal){amount, scale_of(factor->carrier)}, factor->value, 3, &grams))
        return false;
    *ret_g = grams.value;
    return true;
}

bool factor_apply_fine(const struct factor *factor, int64_t amount, struct decimal *ret_kg)
{
    return decimal_multiply((struct decimal){amount, scale_of(factor->carrier)}, factor->value, 6, ret_kg);
}
