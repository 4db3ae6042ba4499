#include "collector/report/tables_private.h"

#include "collector/report/drill.h"
#include "collector/report/items.h"

#include "lib/buf.h"
#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>

int tables_scale(int carrier)
{
    return carrier == CARRIER_HEAT || carrier == CARRIER_COOLING ? 6 : 3;
}

const char *tables_unit(int carrier)
{
    static const char *const units[] = {[CARRIER_ELECTRICITY] = "kWh",
        [CARRIER_HEAT] = "MJ",
        [CARRIER_COOLING] = "MJ",
        [CARRIER_WATER] = "m3",
        [CARRIER_GAS] = "m3"};
    return units[carrier];
}

int tables_result_scale(int kind)
{
    return kind == LINES_MONEY ? 2 : 6;
}

const char *tables_result_unit(int kind)
{
    static const char *const units[] = {[FACTOR_KGCE_CALORIFIC] = "tce",
        [FACTOR_KGCE_EQUIVALENT] = "tce",
        [FACTOR_KGCO2] = "tCO2",
        [FACTOR_KGCO2E] = "tCO2e",
        [LINES_MONEY] = "yuan"};
    return units[kind];
}

void tables_percent(struct table *table, bool is_there, int64_t permille)
{
    table_maybe(table, is_there, permille, 1);
}

/* RFC 3986, 2.3: what needs no escape. An item's code is any text. */
void tables_link(struct table *table, const char *kind, const char *id)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
    struct buf path = {0};
    buf_printf(&path, "%s/", kind);
    for (; *id != '\0'; id++) {
        if (strchr(plain, *id) != NULL)
            buf_add_char(&path, *id);
        else
            buf_printf(&path, "%%%02X", (unsigned char)*id);
    }
    table_link(table, buf_take(&path));
}

const char *tables_part_name(const struct tables *tables, const struct part *part)
{
    switch (part->kind) {
    case PART_SITE:
        return TABLES_NAME(tables, part->site);
    case PART_BUILDING:
        return TABLES_NAME(tables, part->building);
    case PART_TENANT:
        return part->tenant != NULL ? TABLES_NAME(tables, part->tenant)
                                    : words_of(tables->language, "no_tenant");
    case PART_ITEM:
        return part->item == NULL ? words_of(tables->language, "no_item")
                                  : items_name(tables->language, part->item);
    case PART_METER:
    case PART_GAP:
        break;
    }
    return TABLES_NAME(tables, part->meter);
}

void tables_name_part(const struct tables *tables, struct table *table, const struct part *part)
{
    const char *id = drill_part_id(part);
    table_text(table, id);
    if (id != NULL)
        drill_link_part(table, part);
    table_text(table, tables_part_name(tables, part));
    if (id == NULL)
        drill_link_part(table, part);
}

static const char *const about_columns[] = {"what", "value", NULL};

void tables_about(struct table *table, const char *what, const char *value)
{
    table_begin(table);
    table_code(table, what);
    table_text(table, value);
}

void tables_about_time(struct table *table, const char *what, int64_t time_ms)
{
    table_begin(table);
    table_code(table, what);
    if (time_ms != 0)
        table_time(table, time_ms);
    else
        table_none(table);
}

void tables_about_origin(struct table *table, const struct tables_origin *origin)
{
    bool has_model = origin->model_number != 0;
    char number[NUMBER_INT64_SIZE];
    number[number_format_int64(origin->model_number, number)] = '\0';
    tables_about(table, "model_version", has_model ? number : NULL);
    tables_about_time(table, "model_accepted", origin->model_accepted_ms);
    tables_about(table, "model_hash", has_model ? origin->model_hash : NULL);
    tables_about(table, "program", "park-collector " PARKMON_VERSION);
    tables_about(table, "command", origin->command);
}

static void add_about(struct tables *tables, const struct report *report, const struct tables_origin *origin)
{
    struct table *table = tables_add(tables, "about", about_columns);
    char period[PERIODS_TEXT_SIZE];
    periods_format(report->period, period);
    tables_about(table, "site_id", report->site->id);
    tables_about(table, "site", TABLES_NAME(tables, report->site));
    tables_about(table, "period", period);
    tables_about_time(table, "from", report->axis.span.begin_ms);
    tables_about_time(table, "until", report->axis.span.end_ms);
    tables_about(table, "zone", report->site->zone);
    tables_about(table, "region", report->site->region);
    tables_about_time(table, "as_of", report->as_of_ms);
    if (report->now_ms < report->axis.span.end_ms)
        tables_about_time(table, "reckoned", report->now_ms);
    tables_about_time(table, "decided_until", report->decided_ms);
    tables_about_origin(table, origin);
}

void tables_add_method(struct tables *tables, const char *const *rules)
{
    static const char *const columns[] = {"rule", "text", NULL};
    struct table *table = tables_add(tables, "method", columns);
    table->is_text = true;
    for (size_t i = 0; rules[i] != NULL; i++) {
        table_begin(table);
        table_number(table, (int64_t)i + 1, 0);
        table_text(table, words_of(tables->language, rules[i]));
    }
}

static bool has_people(const struct report *report)
{
    for (size_t i = 0; i < report->baseline_count; i++)
        if (report->baselines[i].park->occupancy.count > 0)
            return true;
    return false;
}

void tables_of(const struct report *report, const struct tables_origin *origin, enum page_language language,
    struct tables *ret)
{
    const char *const rules[] = {"method_amounts", "method_unknown", "method_quality", "method_totals",
        "method_lines", "method_demand", "method_balance", "method_sufficiency", "method_comparison",
        "method_baseline", "method_books", "method_closing", has_people(report) ? "method_occupancy" : NULL,
        NULL};
    *ret = (struct tables){.language = language, .zone = report->zone};
    add_about(ret, report, origin);
    tables_add_energy(ret, report);
    tables_add_course(ret, report);
    tables_add_evidence(ret, report);
    tables_add_baseline(ret, report);
    tables_add_closed(ret, report);
    tables_add_lines(ret, report);
    tables_add_method(ret, rules);
}
