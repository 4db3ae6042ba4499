/* The tables of config/factors.cfg, and what they cannot see. */
#include "collector/model/factor.h"

#include "lib/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX 400

enum { BASIS_CALORIFIC, BASIS_EQUIVALENT, BASIS_LOCATION, BASIS_COMBUSTION, BASIS_FOOTPRINT };
static const char *const bases[] = {"calorific", "equivalent", "location", "combustion", "footprint", NULL};

/* What a value of each kind may count. */
static const struct {
    bool fits[BASIS_FOOTPRINT + 1];
    const char *expected;
    const char *unit;
} kinds[FACTOR_KINDS] = {
    [FACTOR_KGCE_CALORIFIC] = {{[BASIS_CALORIFIC] = true}, "calorific (当量)", "kgce"},
    [FACTOR_KGCE_EQUIVALENT] = {{[BASIS_EQUIVALENT] = true}, "equivalent (等价)", "kgce"},
    [FACTOR_KGCO2] = {{[BASIS_LOCATION] = true, [BASIS_COMBUSTION] = true}, "location or combustion",
        "kgCO2"},
    [FACTOR_KGCO2E] = {{[BASIS_FOOTPRINT] = true}, "footprint", "kgCO2e"},
};

static const char *const amounts[FACTOR_CARRIERS] = {[CARRIER_ELECTRICITY] = "kWh",
    [CARRIER_HEAT] = "MJ",
    [CARRIER_COOLING] = "MJ",
    [CARRIER_WATER] = "t",
    [CARRIER_GAS] = "m3",
    [FACTOR_CARRIER_STEAM] = "kg"};

static void check_value(struct conf *c, struct factor *row)
{
    if (row->value_text == NULL)
        return;
    if (!decimal_parse(row->value_text, &row->value) || row->value.value <= 0) {
        conf_problem(c, &row->where, "value",
            "\"%s\" is not a positive decimal; expected one of at most %d decimals, such as \"0.1229\"",
            row->value_text, DECIMAL_SCALE_MAX);
        row->value = (struct decimal){0, 0};
    }
}

static void check_kind(struct conf *c, const struct factor *row)
{
    if (row->kind < 0)
        return;
    if (row->basis >= 0 && !kinds[row->kind].fits[row->basis])
        conf_problem(c, &row->where, "basis", "\"%s\" does not fit kind %s; expected %s", bases[row->basis],
            factor_kinds[row->kind], kinds[row->kind].expected);
    if (row->carrier < 0 || row->unit == NULL)
        return;
    char expected[32];
    snprintf(expected, sizeof expected, "%s/%s", kinds[row->kind].unit, amounts[row->carrier]);
    if (strcmp(row->unit, expected) != 0)
        conf_problem(c, &row->where, "unit", "\"%s\" does not fit kind %s of %s; expected %s", row->unit,
            factor_kinds[row->kind], factor_carriers[row->carrier], expected);
}

static void check_validity(struct conf *c, struct factor *row)
{
    if ((row->year != 0) == (row->from != NULL))
        conf_problem(c, &row->where, row->year != 0 ? "from" : "year",
            row->year != 0 ? "is given beside year; expected one of them"
                           : "is missing, and from as well; expected one of them");
    else if (row->year != 0 && row->through != NULL)
        conf_problem(c, &row->where, "through", "is given beside year; expected it beside from");
    else if (row->year != 0)
        row->validity = validity_of_year(row->year);
    else
        row->validity = validity_read(c, &row->where, row->from, row->through);
}

static void check_row(struct conf *c, void *object, const void *parent)
{
    (void)parent;
    struct factor *row = object;
    check_value(c, row);
    check_kind(c, row);
    source_check(c, &row->where, row->document, row->confidence);
    check_validity(c, row);
}

/* Both may be asked for the same day and place. */
static bool is_about_the_same(const struct factor *a, const struct factor *b)
{
    return a->kind >= 0 && a->kind == b->kind && a->carrier >= 0 && a->carrier == b->carrier &&
           (a->region == NULL || b->region == NULL || strcmp(a->region, b->region) == 0);
}

/* Rows with the very same region follow one another; a row for everywhere beside one for a region would be two
 * answers. */
static void check_group(struct conf *c, const struct factors *factors, const struct factor *first)
{
    struct validity_row *rows = mem_alloc(factors->rows.count * sizeof *rows);
    size_t count = 0;
    bool is_first = true, is_told = false;
    CONF_EACH (const struct factor, row, factors->rows) {
        if (!is_about_the_same(row, first))
            continue;
        if ((row->region == NULL) == (first->region == NULL)) {
            is_first = is_first && row >= first;
            rows[count++] = (struct validity_row){&row->where, row->validity};
        } else if (!is_told && row < first && validity_overlaps(row->validity, first->validity)) {
            is_told = true;
            conf_problem(c, &first->where, "region",
                "%s, beside %s; expected either rows for regions or one for everywhere",
                first->region != NULL ? "is for a region" : "is for everywhere", row->where.path);
        }
    }
    if (is_first)
        validity_check(c, rows, count, "a factor");
    free(rows);
}

static void check_factors(struct conf *c, void *object, const void *parent)
{
    (void)parent;
    const struct factors *factors = object;
    CONF_EACH (const struct factor, row, factors->rows)
        check_group(c, factors, row);
}

/* What stays -1 was refused: no further complaints about it. */
static void begin_row(void *object, const void *parent)
{
    (void)parent;
    struct factor *row = object;
    row->kind = row->carrier = row->basis = row->confidence = -1;
}

static const struct conf_key factor_keys[] = {
    {"kind", CONF_CHOICE, offsetof(struct factor, kind), .is_required = true, .choices = factor_kinds,
        .help =
            "what it converts to: coal equivalent by calorific value (当量) or as it was made (等价), CO2, "
            "or CO2e"},
    {"carrier", CONF_CHOICE, offsetof(struct factor, carrier), .is_required = true,
        .choices = factor_carriers, .help = "of what"},
    {"value", CONF_STRING, offsetof(struct factor, value_text), .is_required = true, .max = 32,
        .help = "the value as it was printed, exact, such as \"0.1229\""},
    {"unit", CONF_STRING, offsetof(struct factor, unit), .is_required = true, .max = 32,
        .help = "its unit, such as \"kgce/kWh\": kgce, kgCO2 or kgCO2e for a kWh of electricity, a MJ of "
                "heat and "
                "cooling, a t of water, a m3 of gas, a kg of steam"},
    {"region", CONF_ID, offsetof(struct factor, region),
        .help = "region where it counts, as sites name theirs; absent = everywhere"},
    {"year", CONF_INT, offsetof(struct factor, year), .min = 1970, .max = 9999,
        .help = "year for which it counts; or from and through"},
    {"from", CONF_STRING, offsetof(struct factor, from),
        .help = "first day on which it counts, such as \"2023-01-01\""},
    {"through", CONF_STRING, offsetof(struct factor, through),
        .help = "last day on which it counts; absent = it still does"},
    {"basis", CONF_CHOICE, offsetof(struct factor, basis), .is_required = true, .choices = bases,
        .help = "what it counts: calorific for kgce_calorific, equivalent for kgce_equivalent, location or "
                "combustion for kgco2, footprint (life cycle) for kgco2e"},
    {"document", CONF_STRING, offsetof(struct factor, document), .is_required = true, .max = TEXT_MAX,
        .help = "number of the document that printed it; with confidence B or C it says \"(B\" or \"(C\""},
    {"confidence", CONF_CHOICE, offsetof(struct factor, confidence), .is_required = true,
        .choices = source_confidences,
        .help = "A: several independent sources agree; B: one; C: to be checked against the document"},
    {"note", CONF_STRING, offsetof(struct factor, note), .max = TEXT_MAX,
        .help = "what else a reader should know"},
    {0}};

static const struct conf_section factor_section = {.name = "factor",
    .size = sizeof(struct factor),
    .keys = factor_keys,
    .has_where = true,
    .where_offset = offsetof(struct factor, where),
    .begin = begin_row,
    .check = check_row};

static const struct conf_key factors_keys[] = {
    {"factors", CONF_LIST, offsetof(struct factors, rows), .is_required = true, .min = 1, .max = 1000,
        .section = &factor_section, .help = "factors, one row for each value that was printed"},
    {0}};
const struct conf_section factors_section = {
    .name = "factors", .size = sizeof(struct factors), .keys = factors_keys, .check = check_factors};
