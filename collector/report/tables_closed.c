/* What was booked: closings, what was overridden with them, and by month and meter what is booked, with its adjusting entries. */
#include "collector/report/tables_private.h"

static void table_month(struct table *table, int64_t month)
{
    char text[PERIODS_TEXT_SIZE];
    periods_format((struct period){PERIODS_MONTH, month}, text);
    table_text(table, text);
}

static int64_t count_overridden(const struct report *report, int64_t month)
{
    int64_t count = 0;
    for (size_t i = 0; i < report->overridden_count; i++)
        count += report->overridden[i].month == month;
    return count;
}

static const char *const closing_columns[] = {"period", "from", "until", "closed_at", "who", "why_closed",
    "model_version", "journal", "overridden", "seal", NULL};

static void add_closings(struct tables *tables, const struct report *report)
{
    struct table *table = tables_add(tables, "closings", closing_columns);
    for (size_t i = 0; i < report->closings.count; i++) {
        const struct booked_closing *c = &report->closings.items[i];
        if (!periods_has_month(report->period, c->month))
            continue;
        table_begin(table);
        table_month(table, c->month);
        table_time(table, c->span.begin_ms);
        table_time(table, c->span.end_ms);
        table_time(table, c->closed_ms);
        table_text(table, c->who);
        table_text(table, c->why);
        table_number(table, c->model, 0);
        table_number(table, c->journal, 0);
        table_number(table, count_overridden(report, c->month), 0);
        table_text(table, c->seal[0] != '\0' ? c->seal : NULL);
    }
}

static const char *const overridden_columns[] = {"period", "stood_against", "finding", "why_closed", NULL};

static void add_overridden(struct tables *tables, const struct report *report)
{
    struct table *table = tables_add(tables, "overrides", overridden_columns);
    for (size_t i = 0; i < report->overridden_count; i++) {
        const struct report_overridden *o = &report->overridden[i];
        table_begin(table);
        table_month(table, o->month);
        table_text(table, o->name);
        table_text(table, o->what);
        table_text(table, o->why);
    }
}

/* Of a meter that the park model does not have now: base units. */
static int scale_of(const struct park_meter *meter)
{
    return meter != NULL ? tables_scale(meter->carrier) : 0;
}

static void name_meter(struct table *table, const struct park_meter *meter, const char *id)
{
    table_code(table, meter != NULL ? park_carriers[meter->carrier] : NULL);
    table_text(table, id);
    if (meter != NULL)
        table_text(table, tables_unit(meter->carrier));
    else
        table_code(table, "base_unit"); /* the model has it no longer: nor its carrier */
}

/* Two cells: the amount, where it is known, and the part that is. */
static void add_sum(struct table *table, const struct park_meter *meter, const struct closing_sum *sum)
{
    table_maybe(table, sum->is_whole, sum->parts.sum.known, scale_of(meter));
    table_number(table, sum->parts.sum.known, scale_of(meter));
}

static const char *const booked_columns[] = {"period", "month_state", "carrier", "id", "unit",
    "month_metered", "month_known", "adjusting", "adjusting_known", "booked_sum", "booked_known", NULL};

static void add_booked(struct tables *tables, const struct report *report)
{
    struct table *table = tables_add(tables, "booked", booked_columns);
    for (size_t i = 0; i < report->booked_count; i++) {
        const struct report_booked *row = &report->booked[i];
        struct closing_sum booked = row->metered;
        closing_add(&booked, &row->entries);
        table_begin(table);
        table_month(table, row->month);
        table_code(table, row->is_closed ? "month_closed" : "month_open");
        name_meter(table, row->park, row->meter);
        add_sum(table, row->park, &row->metered);
        add_sum(table, row->park, &row->entries);
        add_sum(table, row->park, &booked);
    }
}

static const char *const entry_columns[] = {"booked_in", "period", "carrier", "id", "unit", "was_booked",
    "was_known", "now_metered", "now_known", "difference", "known_difference", NULL};

static void add_entries(struct tables *tables, const struct report *report)
{
    struct table *table = tables_add(tables, "adjusting_entries", entry_columns);
    for (size_t i = 0; i < report->entry_count; i++) {
        const struct report_entry *entry = &report->entries[i];
        table_begin(table);
        table_month(table, entry->booked_in);
        table_month(table, entry->month);
        name_meter(table, entry->park, entry->meter);
        add_sum(table, entry->park, &entry->before);
        add_sum(table, entry->park, &entry->after);
        add_sum(table, entry->park, &entry->entry);
    }
}

void tables_add_closed(struct tables *tables, const struct report *report)
{
    add_closings(tables, report);
    add_overridden(tables, report);
    add_booked(tables, report);
    add_entries(tables, report);
}
