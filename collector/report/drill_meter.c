/* A meter's days, and a day's quarter hours. */
#include "collector/report/drill.h"

#include "collector/report/tables_private.h"
#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>

static void whole_amount(const struct series *series, struct amount *ret)
{
    struct periods_span span = series->span;
    amounts_of(series, &(struct steps){.spans = &span, .count = 1}, ret);
}

static bool is_same_place(const struct park_tags *a, const struct park_tags *b)
{
    return a->building == b->building && a->tenant == b->tenant &&
           (a->item == b->item || (a->item != NULL && b->item != NULL && strcmp(a->item, b->item) == 0));
}

static void add_place(const struct drill *d, const struct park_meter *meter, const struct series *series,
    struct periods_span span, struct tables *tables, struct table *table)
{
    struct park_tags tags = park_tags_at(meter, span.begin_ms);
    struct amount amount;
    amounts_of(series, &(struct steps){.spans = &span, .count = 1}, &amount);
    table_begin(table);
    table_time(table, span.begin_ms);
    table_time(table, span.end_ms);
    table_code(table, tags.building->site == d->site ? "place_here" : "place_elsewhere");
    table_text(table, TABLES_NAME(tables, tags.building->site));
    table_text(table, TABLES_NAME(tables, tags.building));
    table_text(table, tags.tenant != NULL ? TABLES_NAME(tables, tags.tenant) : NULL);
    table_text(table, tags.item);
    drill_amount(table, meter->carrier, &amount);
}

/* Where it stood, from when to when: of what counts elsewhere nothing is in the report of this site. */
static void add_places(
    const struct drill *d, const struct park_meter *meter, const struct series *series, struct tables *tables)
{
    static const char *const columns[] = {"from", "until", "counts", "site", "building", "tenant", "item",
        "amount+", "known", "unknown_h", "coverage", "estimated_share", "manual_share", "quality", NULL};
    struct table *table = tables_add(tables, "drill_places", columns);
    struct periods_span place = {0};
    for (struct periods_span next = {0}; part_next(d->park, series->span, &next);) {
        if (!park_is_installed(meter, next.begin_ms))
            continue;
        struct park_tags before = park_tags_at(meter, place.begin_ms),
                         tags = park_tags_at(meter, next.begin_ms);
        bool goes_on = place.end_ms == next.begin_ms && is_same_place(&before, &tags);
        if (!goes_on && place.end_ms > place.begin_ms)
            add_place(d, meter, series, place, tables, table);
        place = (struct periods_span){goes_on ? place.begin_ms : next.begin_ms, next.end_ms};
    }
    if (place.end_ms > place.begin_ms)
        add_place(d, meter, series, place, tables, table);
    struct amount all;
    whole_amount(series, &all);
    drill_add_sum(d, table, 7, meter->carrier, &all, table->count);
}

static void add_days(
    const struct drill *d, const struct park_meter *meter, const struct series *series, struct tables *tables)
{
    static const char *const columns[] = {"day", "from", "until", "amount+", "known", "unknown_h", "coverage",
        "estimated_share", "manual_share", "quality", NULL};
    struct table *table = tables_add(tables, "drill_days", columns);
    struct steps days;
    steps_cut(&days, d->zone, series->span, STEPS_DAY);
    struct amount *amounts = mem_zalloc((days.count + 1) * sizeof *amounts), all;
    amounts_of(series, &days, amounts);
    for (size_t i = 0; i < days.count; i++) {
        char name[PERIODS_TEXT_SIZE];
        periods_format(periods_of(d->zone, PERIODS_DAY, days.spans[i].begin_ms), name);
        table_begin(table);
        table_text(table, name);
        table_link(table, mem_printf("meter/%s/%s", meter->id, name));
        table_time(table, days.spans[i].begin_ms);
        table_time(table, days.spans[i].end_ms);
        drill_amount(table, meter->carrier, &amounts[i]);
    }
    whole_amount(series, &all);
    drill_add_sum(d, table, 3, meter->carrier, &all, days.count);
    free(amounts);
    steps_release(&days);
}

static void add_total(const struct series *series, int carrier, struct tables *tables)
{
    struct amount amount;
    whole_amount(series, &amount);
    drill_add_total(drill_begin_total(tables), carrier, &amount);
}

enum status drill_meter(
    const struct drill *d, const char *id, struct tables *ret, bool *ret_is_found, struct error *err)
{
    const struct park_meter *meter = drill_find(d, id);
    struct series series;
    int64_t number;
    *ret_is_found = meter != NULL;
    if (meter == NULL)
        return ST_OK;
    drill_about(d, id, d->language == PAGE_ZH ? meter->name : meter->name_en, d->span, ret);
    enum status status = drill_series(d, meter, d->span, &series, &number, err);
    if (status == ST_OK) {
        add_total(&series, meter->carrier, ret);
        add_places(d, meter, &series, ret);
        add_days(d, meter, &series, ret);
        status = drill_add_happened(d, meter, number, d->span, ret, err);
    }
    series_release(&series);
    return status;
}

/* How many versions the books have of a quarter hour. */
static enum status count_versions(
    struct db *db, int64_t meter, struct periods_span span, int64_t *counts, size_t count, struct error *err)
{
    struct db_stmt *rows = db_keep(db, "SELECT start_ms, count(*) FROM ledger_quarter WHERE meter = ?1"
                                       " AND start_ms >= ?2 AND start_ms < ?3 GROUP BY start_ms");
    bool has_row;
    enum status status;
    db_bind_int(rows, 1, meter);
    db_bind_int(rows, 2, span.begin_ms);
    db_bind_int(rows, 3, span.end_ms);
    while ((status = db_step(rows, &has_row, err)) == ST_OK && has_row) {
        size_t at = (size_t)((db_int(rows, 0) - span.begin_ms) / PERIODS_QUARTER_HOUR_MS);
        if (at < count)
            counts[at] = db_int(rows, 1);
    }
    db_reset(rows);
    return status;
}

/* Of a single one nothing else is to be said. */
static void add_quarter(struct table *table, int carrier, const struct amount *amount)
{
    int64_t value = 0;
    bool is_known = amount_is_known(amount, &value);
    table_maybe(table, is_known, value, tables_scale(carrier));
    table_code(table, tables_state(amount));
}

static void add_quarters(const struct drill *d, const struct park_meter *meter, const struct series *series,
    const int64_t *versions, struct tables *tables)
{
    static const char *const columns[] = {"from", "until", "amount+", "quality", "versions", NULL};
    struct table *table = tables_add(tables, "drill_quarters", columns);
    struct amount all;
    for (size_t i = 0; i < series->count; i++) {
        struct periods_span span = {.begin_ms = series->span.begin_ms + (int64_t)i * PERIODS_QUARTER_HOUR_MS};
        struct amount amount;
        char utc[ZONE_TIME_SIZE];
        span.end_ms = span.begin_ms + PERIODS_QUARTER_HOUR_MS;
        amounts_of(series, &(struct steps){.spans = &span, .count = 1}, &amount);
        zone_format_time(NULL, span.begin_ms, utc);
        table_begin(table);
        table_time(table, span.begin_ms);
        table_link(table, mem_printf("meter/%s/%.19sZ", meter->id, utc));
        table_time(table, span.end_ms);
        add_quarter(table, meter->carrier, &amount);
        table_maybe(table, versions[i] > 0, versions[i], 0);
    }
    whole_amount(series, &all);
    table_begin(table);
    table_text(table, words_of(d->language, "total"));
    table_none(table);
    add_quarter(table, meter->carrier, &all);
    table_none(table);
    table_is_sum_of(table, series->count);
}

enum status drill_day(const struct drill *d, const char *id, struct period day, struct tables *ret,
    bool *ret_is_found, struct error *err)
{
    const struct park_meter *meter = drill_find(d, id);
    struct periods_span span = periods_span(d->zone, day);
    struct series series;
    int64_t number;
    *ret_is_found = meter != NULL && day.kind == PERIODS_DAY && span.begin_ms < span.end_ms &&
                    span.begin_ms >= d->span.begin_ms && span.end_ms <= d->span.end_ms;
    if (!*ret_is_found)
        return ST_OK;
    char name[PERIODS_TEXT_SIZE];
    periods_format(day, name);
    struct table *about =
        drill_about(d, id, d->language == PAGE_ZH ? meter->name : meter->name_en, span, ret);
    drill_about_text(about, "day", name);
    enum status status = drill_series(d, meter, span, &series, &number, err);
    int64_t *versions = mem_zalloc((series.count + 1) * sizeof *versions);
    if (status == ST_OK)
        status = count_versions(d->db, number, span, versions, series.count, err);
    if (status == ST_OK) {
        add_total(&series, meter->carrier, ret);
        add_places(d, meter, &series, ret);
        add_quarters(d, meter, &series, versions, ret);
        status = drill_add_happened(d, meter, number, span, ret, err);
    }
    free(versions);
    series_release(&series);
    return status;
}
