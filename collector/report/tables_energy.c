/* Amounts and what they come to: of the site, its buildings, tenants, items and meters, with coverage and quality. */
#include "collector/report/tables_private.h"

#include "collector/report/items.h"

#include <string.h>

static const char *const columns[] = {"carrier", "id", "name", "unit", "amount+", "known", "unknown_h",
    "coverage", "estimated_share", "manual_share", "quality", "per_m2", "per_head", "tce_calorific+",
    "tce_equivalent+", "tco2+", "tco2e+", "cost+", NULL};

/* Of a site: of all its buildings, where each says its own. */
static bool area_of(const struct report *report, const struct part *part, struct fraction *ret)
{
    if (part->kind == PART_BUILDING) {
        *ret = part->building->area_m2;
        return ret->num > 0;
    }
    if (part->kind != PART_SITE)
        return false;
    *ret = (struct fraction){0, 1};
    CONF_EACH (const struct park_building, building, report->park->buildings) {
        struct fraction area = building->area_m2;
        if (building->site != part->site)
            continue;
        int64_t common, a, b;
        if (area.num <= 0 || __builtin_mul_overflow(ret->den, area.den, &common) ||
            __builtin_mul_overflow(ret->num, area.den, &a) ||
            __builtin_mul_overflow(area.num, ret->den, &b) || __builtin_add_overflow(a, b, &ret->num))
            return false;
        ret->den = common;
    }
    return ret->num > 0;
}

/* An amount per so much of something: base units, rounded once, half away from zero. */
static void add_per(struct table *table, bool is_known, int64_t amount, struct fraction of, int scale)
{
    int64_t per = 0;
    bool is_there =
        is_known && of.num > 0 && fraction_scale_int64(amount, (struct fraction){of.den, of.num}, &per);
    table_amount(table, is_there, per, scale);
}

/* The share of what is manual, by the rule of what is estimated. */
static int manual_permille(struct quarters_sum sum)
{
    sum.estimated = sum.manual;
    sum.estimated_s = sum.manual_s;
    return quarters_estimated_permille(&sum);
}

const char *tables_state(const struct amount *a)
{
    return series_states[amount_worst(a)];
}

void tables_quality(struct table *table, const struct amount *a, bool is_known, int scale)
{
    /* Where a meter was in a part of it, the rest adds nothing (E12). */
    int64_t absent_s = a->sum.count == 0 ? a->absent_s : 0;
    int64_t unknown_s = a->sum.unknown_s + a->waiting_s + a->future_s + absent_s;
    int64_t due = amount_due(a);
    bool has_known = !is_known && !a->sum.is_overflown && due > 0;
    table_amount(table, has_known, a->sum.known, scale);
    table_maybe(table, unknown_s > 0, unknown_s / 36, 2);
    tables_percent(table, due > 0, due > 0 ? amount_covered(a) * 1000 / due : 0);
    tables_percent(table, due > 0, quarters_estimated_permille(&a->sum));
    tables_percent(table, due > 0, manual_permille(a->sum));
    table_code(table, tables_state(a));
}

static void add_results(struct table *table, const struct report_figure *figure)
{
    for (int kind = 0; kind < LINES_KINDS; kind++) {
        const struct charge_total *total = &figure->lines.total[kind];
        table_maybe(table, total->is_whole && figure->part.kind != PART_GAP, total->sum.result,
            tables_result_scale(kind));
    }
}

static void add_row(const struct tables *tables, const struct report *report, struct table *table,
    const struct report_figure *figure, bool is_sum)
{
    const struct part *part = &figure->part;
    int scale = tables_scale(part->carrier);
    int64_t amount = 0;
    struct fraction area = {0, 1};
    bool is_known = amount_is_known(&figure->amount, &amount), has_area = area_of(report, part, &area);
    table_begin(table);
    table_code(table, park_carriers[part->carrier]);
    if (is_sum) {
        table_none(table);
        table_text(table, words_of(tables->language, "total"));
    } else {
        tables_name_part(tables, table, part);
    }
    table_text(table, tables_unit(part->carrier));
    table_amount(table, is_known, amount, scale);
    tables_quality(table, &figure->amount, is_known, scale);
    add_per(table, is_known && has_area, amount, area, scale);
    add_per(table, is_known && part->kind == PART_SITE, amount, (struct fraction){part->site->headcount, 1},
        scale);
    add_results(table, figure);
}

/* The parts of a carrier, and below them the site's total, which they add up to. */
static void add_parts(
    struct tables *tables, const struct report *report, const char *id, enum part_kind kind, bool adds_up)
{
    struct table *table = tables_add(tables, id, columns);
    for (size_t k = 0; k < report->carrier_count; k++) {
        const struct report_carrier *carrier = &report->carriers[k];
        size_t before = table->count;
        REPORT_EACH(figure, carrier, kind)
        add_row(tables, report, table, figure, false);
        size_t count = table->count - before;
        if (!adds_up || count == 0)
            continue;
        REPORT_EACH(figure, carrier, PART_SITE)
        add_row(tables, report, table, figure, true);
        table_is_sum_of(table, count);
    }
}

/* ---- groups and virtual meters as the API has them ---- */

static const char *const metered_columns[] = {"by", "carrier", "id", "name", "unit", "amount", "known",
    "unknown_h", "coverage", "estimated_share", "manual_share", "quality", "left_out", NULL};

#define NAME_OF(tables, type, list, wanted)   \
    CONF_EACH (const type, thing, list)       \
        if (strcmp(thing->id, (wanted)) == 0) \
            return TABLES_NAME(tables, thing);

const char *tables_name_of(
    const struct tables *tables, const struct report *report, const struct report_metered *m)
{
    const struct park *park = report->park;
    switch (m->by) {
    case TREE_BUILDING:
        NAME_OF(tables, struct park_building, park->buildings, m->id)
        return NULL;
    case TREE_TENANT:
        NAME_OF(tables, struct park_tenant, park->tenants, m->id)
        return NULL;
    case TREE_METER:
        NAME_OF(tables, struct park_virtual, park->virtual_meters, m->id)
        return NULL;
    case TREE_CARRIER:
        return TABLES_NAME(tables, report->site);
    case TREE_ITEM:
        return items_name(tables->language, m->id);
    }
    return NULL;
}

static void add_metered(struct tables *tables, const struct report *report)
{
    struct table *table = tables_add(tables, "metered", metered_columns);
    for (size_t i = 0; i < report->metered_count; i++) {
        const struct report_metered *m = &report->metered[i];
        int scale = tables_scale(m->carrier);
        int64_t amount = 0;
        bool is_known = amount_is_known(&m->amount, &amount);
        table_begin(table);
        table_code(table, m->is_virtual ? "virtual" : tree_bys[m->by]);
        table_code(table, park_carriers[m->carrier]);
        table_text(table, m->by == TREE_CARRIER ? report->site->id : m->id);
        tables_link(table, m->is_virtual ? "virtual" : tree_bys[m->by], m->id);
        table_text(table, tables_name_of(tables, report, m));
        table_text(table, tables_unit(m->carrier));
        table_amount(table, is_known, amount, scale);
        tables_quality(table, &m->amount, is_known, scale);
        table_maybe(table, m->left_out_count > 0, (int64_t)m->left_out_count, 0);
    }
}

void tables_add_energy(struct tables *tables, const struct report *report)
{
    add_parts(tables, report, "totals", PART_SITE, false);
    add_parts(tables, report, "buildings", PART_BUILDING, true);
    add_parts(tables, report, "tenants", PART_TENANT, true);
    add_parts(tables, report, "items", PART_ITEM, true);
    add_parts(tables, report, "meters", PART_METER, false);
    add_metered(tables, report);
}
