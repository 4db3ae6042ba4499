/*
 * Conversion and emission factors (config/factors.cfg): kilograms of coal equivalent, of CO2 or of CO2e for an amount
 * of a carrier. Each row counts for the days that it names, in its region, and names its document; for one day there
 * is one row or none, and none says why. Loaded and checked as a whole, then immutable: every thread may read it.
 * Sources: GB/T 2589-2020 (coal equivalent), the yearly notices of the Ministry of Ecology and Environment (grids).
 *
 * The kinds are never mixed: 当量 and 等价 differ by 2.5 times, and a life-cycle footprint (CO2e) is no grid factor.
 */
#pragma once

#include "collector/model/park.h"
#include "collector/model/source.h"
#include "collector/model/validity.h"
#include "lib/decimal.h"

enum factor_kind { FACTOR_KGCE_CALORIFIC, FACTOR_KGCE_EQUIVALENT, FACTOR_KGCO2, FACTOR_KGCO2E };
#define FACTOR_KINDS 4
extern const char *const factor_kinds[]; /* names by enum factor_kind, NULL-terminated */

/* Carriers are those of the park's meters (enum park_carrier), and steam. */
#define FACTOR_CARRIER_STEAM (CARRIER_GAS + 1)
#define FACTOR_CARRIERS (FACTOR_CARRIER_STEAM + 1)
extern const char *const factor_carriers[]; /* NULL-terminated */

struct factor {
    struct conf_where where;
    int kind, carrier;        /* enum factor_kind; enum park_carrier or FACTOR_CARRIER_STEAM */
    char *value_text, *unit;  /* as written */
    struct decimal value;     /* > 0, in `unit` */
    char *region;             /* NULL = everywhere */
    int64_t year;             /* 0 = by from and through */
    char *from, *through;     /* as written, NULL = not given */
    struct validity validity; /* local days of the site */
    int basis;                /* what the value counts; fits the kind */
    char *document;           /* where it was printed; says of confidence B and C that it is so */
    char *note;               /* NULL = none */
    int confidence;           /* enum source_confidence */
};

struct factors {
    struct conf_list rows;
    struct conf *conf; /* owns the strings, and has the problems (conf_problem_count, conf_print_problems) */
};

/* Always returned; what has problems must not be used but may be destroyed. */
struct factors *factors_load(const char *path);
struct factors *factors_load_text(const char *name, struct span text); /* as conf_load_text does */
void factors_destroy(struct factors *factors);                         /* accepts NULL */

/* The row for a local day (periods_of) in a region (NULL = the site names none). NULL where there is none; then
 * `why` says so in one line. */
const struct factor *factors_find(
    const struct factors *factors, int kind, int carrier, const char *region, int64_t day, struct error *why);

/* Grams of coal equivalent, CO2 or CO2e for an amount in the carrier's base units (Wh, J, L; kg of steam; 1 000 L of
 * water are 1 t): the exact product, rounded once, half away from zero. False where that is beyond int64. */
bool factor_apply(const struct factor *factor, int64_t amount, int64_t *ret_g);
/* The same in kilograms, rounded to 1 mg: of a single quarter hour a gram may be much. */
bool factor_apply_fine(const struct factor *factor, int64_t amount, struct decimal *ret_kg);

/* --help-factors: every key. */
extern const struct conf_section factors_section;
