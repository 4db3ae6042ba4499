/* A meter's days, and a day's quarter hours. */
#include "collector/report/drill.h"

#include "collector/report/tables_private.h"
#include "lib/mem.h"

#include <stdlib.h>

static void whole_amount(const struct series *series, struct amount *ret)
{
    struct periods_span span = series->span;
    amounts_of(series, &(struct steps){.spans = &span, .count = 1}, ret);
}

/* Below its parts, which it is the sum of. */
static void add_sum(const struct drill *d, struct table *table, size_t blanks, int carrier,
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
    add_sum(d, table, 3, meter->carrier, &all, days.count);
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

static void add_quarters(const struct drill *d, const struct park_meter *meter, const struct series *series,
    const int64_t *versions, struct tables *tables)
{
    static const char *const columns[] = {"from", "until", "versions", "amount+", "known", "unknown_h",
        "coverage", "estimated_share", "manual_share", "quality", NULL};
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
        table_maybe(table, versions[i] > 0, versions[i], 0);
        drill_amount(table, meter->carrier, &amount);
    }
    whole_amount(series, &all);
    add_sum(d, table, 3, meter->carrier, &all, series->count);
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
        add_quarters(d, meter, &series, versions, ret);
        status = drill_add_happened(d, meter, number, span, ret, err);
    }
    free(versions);
    series_release(&series);
    return status;
}
