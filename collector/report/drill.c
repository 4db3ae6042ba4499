/* Groups, virtual meters and gaps: the meters that they are made of. And what the pages share. */
#include "collector/report/drill.h"

#include "collector/energy/unit.h"
#include "collector/report/happened.h"
#include "collector/report/tables_private.h"
#include "lib/mem.h"

#include <string.h>

/* ---- shared ---- */

const struct park_meter *drill_find(const struct drill *d, const char *id)
{
    const struct park_meter *meter = park_meter_find(d->park, id);
    if (meter == NULL || meter->segments.count == 0)
        return NULL;
    for (int64_t at_ms = d->span.begin_ms; at_ms < d->span.end_ms;) {
        struct park_tags tags = park_tags_at(meter, at_ms);
        if (tags.building->site == d->site)
            return meter;
        at_ms = tags.until_ms;
    }
    return NULL;
}

void drill_about_text(struct table *about, const char *what, const char *text)
{
    table_begin(about);
    table_code(about, what);
    table_text(about, text);
}

static void about_time(struct table *about, const char *what, int64_t time_ms)
{
    table_begin(about);
    table_code(about, what);
    table_time(about, time_ms);
}

struct table *drill_about(
    const struct drill *d, const char *id, const char *name, struct periods_span span, struct tables *tables)
{
    static const char *const columns[] = {"what", "value", NULL};
    char period[PERIODS_TEXT_SIZE];
    *tables = (struct tables){.language = d->language, .zone = d->zone};
    struct table *about = tables_add(tables, "drill_about", columns);
    periods_format(d->period, period);
    drill_about_text(about, "site", TABLES_NAME(tables, d->site));
    drill_about_text(about, "period", period);
    if (id != NULL)
        drill_about_text(about, "id", id);
    if (name != NULL)
        drill_about_text(about, "name", name);
    about_time(about, "from", span.begin_ms);
    about_time(about, "until", span.end_ms);
    drill_about_text(about, "zone", d->site->zone);
    return about;
}

struct table *drill_begin_total(struct tables *tables)
{
    static const char *const columns[] = {"carrier", "unit", "amount", "known", "unknown_h", "coverage",
        "estimated_share", "manual_share", "quality", NULL};
    return tables_add(tables, "drill_total", columns);
}

void drill_amount(struct table *table, int carrier, const struct amount *amount)
{
    int64_t value = 0;
    bool is_known = amount_is_known(amount, &value);
    table_maybe(table, is_known, value, tables_scale(carrier));
    tables_quality(table, amount, is_known, tables_scale(carrier));
}

void drill_add_total(struct table *table, int carrier, const struct amount *amount)
{
    table_begin(table);
    table_code(table, park_carriers[carrier]);
    table_text(table, tables_unit(carrier));
    drill_amount(table, carrier, amount);
}

void drill_add_sum(const struct drill *d, struct table *table, size_t blanks, int carrier,
    const struct amount *amount, size_t rows)
{
    if (rows == 0)
        return;
    table_begin(table);
    table_text(table, words_of(d->language, "total"));
    for (size_t i = 1; i < blanks; i++)
        table_none(table);
    drill_amount(table, carrier, amount);
    table_is_sum_of(table, rows);
}

enum status drill_add_happened(const struct drill *d, const struct park_meter *meter, int64_t number,
    struct periods_span span, struct tables *tables, struct error *err)
{
    struct report report = {.park = d->park, .site = d->site, .axis = {.span = span}};
    enum status status = number != 0 ? happened_read_meter(d->db, &report, meter, number, err) : ST_OK;
    if (status == ST_OK) {
        tables_add_events(tables, &report);
        tables_add_decisions(tables, &report);
    }
    happened_release(&report);
    return status;
}

enum status drill_series(const struct drill *d, const struct park_meter *meter, struct periods_span span,
    struct series *ret, int64_t *ret_number, struct error *err)
{
    struct series_due due = series_due(meter, d->now_ms);
    *ret_number = 0;
    series_init(ret, span, &due);
    enum status status = series_meter(d->db, meter->id, ret_number, err);
    return status == ST_OK && *ret_number != 0 ? series_read(d->db, *ret_number, ret, err) : status;
}

/* ---- rows of the tree ---- */

static const char *name_of(
    const struct drill *d, const struct tables *tables, enum tree_kind kind, enum tree_by by, const char *id)
{
    if (kind == TREE_GAP)
        return TABLES_NAME(tables, park_meter_find(d->park, id));
    struct report report = {.park = d->park, .site = d->site};
    struct report_metered row = {.by = by, .is_virtual = kind == TREE_VIRTUAL, .id = id};
    return tables_name_of(tables, &report, &row);
}

/* What is taken off stands with its sign, so that the column adds up. */
static void take_off(struct amount *amount)
{
    amount->sum.known = -amount->sum.known;
    amount->sum.estimated = -amount->sum.estimated;
    amount->sum.manual = -amount->sum.manual;
}

void drill_add_term(const struct drill *d, struct table *table, const struct park_term *term,
    const struct series *series, struct periods_span span)
{
    struct amount amount;
    const struct park_meter *meter = term->meter;
    amounts_of(series, &(struct steps){.spans = &span, .count = 1}, &amount);
    if (term->sign < 0)
        take_off(&amount);
    table_begin(table);
    table_code(table, park_carriers[meter->carrier]);
    table_text(table, meter->id);
    table_link(table, mem_printf("meter/%s", meter->id));
    table_text(table, d->language == PAGE_ZH ? meter->name : meter->name_en);
    table_code(table, term->sign < 0 ? "taken_off" : "counted");
    table_time(table, span.begin_ms);
    table_time(table, span.end_ms);
    table_text(table, tables_unit(meter->carrier));
    drill_amount(table, meter->carrier, &amount);
}

struct table *drill_begin_parts(struct tables *tables)
{
    static const char *const columns[] = {"carrier", "id", "name", "sign", "from", "until", "unit", "amount+",
        "known", "unknown_h", "coverage", "estimated_share", "manual_share", "quality", NULL};
    return tables_add(tables, "drill_parts", columns);
}

static enum status read_term(const struct drill *d, struct table *table, const struct park_term *term,
    struct periods_span span, struct error *err)
{
    struct series series;
    int64_t number;
    enum status status = drill_series(d, term->meter, span, &series, &number, err);
    drill_add_term(d, table, term, &series, span);
    series_release(&series);
    return status;
}

static enum status add_row(const struct drill *d, const struct tree_row *row, struct table *total,
    struct table *parts, struct error *err)
{
    struct periods_span span = d->span;
    struct steps whole = {.spans = &span, .count = 1};
    struct amount amount;
    enum status status = tree_amounts(d->db, row, &whole, d->now_ms, &amount, err);
    if (status != ST_OK)
        return status;
    drill_add_total(total, row->carrier, &amount);
    size_t before = parts->count;
    for (size_t i = 0; i < row->part_count && status == ST_OK; i++)
        for (size_t k = 0; k < row->parts[i].count && status == ST_OK; k++)
            status = read_term(d, parts, &row->parts[i].terms[k], row->parts[i].span, err);
    drill_add_sum(d, parts, DRILL_PARTS_BLANKS, row->carrier, &amount, parts->count - before);
    return status;
}

enum status drill_row(const struct drill *d, enum tree_kind kind, enum tree_by by, const char *id,
    struct tables *ret, bool *ret_is_found, struct error *err)
{
    struct tree tree;
    enum status status = ST_OK;
    *ret_is_found = false;
    tree_init(&tree, d->park, d->site, kind == TREE_GROUP ? by : TREE_METER, d->span);
    for (size_t i = 0; i < tree.count; i++)
        *ret_is_found |= tree.rows[i].kind == kind && strcmp(tree.rows[i].id, id) == 0;
    if (*ret_is_found) {
        ret->language = d->language;
        drill_about(d, id, name_of(d, ret, kind, by, id), d->span, ret);
        drill_begin_total(ret);
        drill_begin_parts(ret);
    }
    for (size_t i = 0; i < tree.count && status == ST_OK; i++)
        if (tree.rows[i].kind == kind && strcmp(tree.rows[i].id, id) == 0)
            status = add_row(d, &tree.rows[i], &ret->items[1], &ret->items[2], err);
    tree_release(&tree);
    return status;
}
