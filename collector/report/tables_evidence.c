/* What the figures rest on: balances, sufficiency, exceptions, and the devices that were installed. */
#include "collector/report/tables_private.h"

#include "collector/ledger/event.h"
#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>

static const char *const balance_columns[] = {
    "carrier", "id", "name", "unit", "amount", "children", "gap", "share", "limit", "verdict", NULL};

/* Whether the gap is within the parent's share of balance_limit, in either sign. */
static const char *verdict_of(int64_t amount, int64_t gap, struct fraction limit)
{
    __int128 size = gap < 0 ? -(__int128)gap : gap, whole = amount < 0 ? -(__int128)amount : amount;
    return size * limit.den <= whole * limit.num ? "within" : "above";
}

static void add_balance(struct tables *tables, struct table *table, const struct report_figure *parent,
    const struct report_figure *figure)
{
    int scale = tables_scale(figure->part.carrier);
    struct fraction limit = figure->part.meter->balance_limit;
    int64_t amount = 0, gap = 0, children = 0, share = 0;
    bool has_amount = amount_is_known(&parent->amount, &amount);
    bool has_gap = amount_is_known(&figure->amount, &gap);
    bool has_children = has_amount && has_gap && !__builtin_sub_overflow(amount, gap, &children);
    bool has_share =
        has_children && amount > 0 && fraction_scale_int64(gap, (struct fraction){1000, amount}, &share);
    int64_t limit_share = 0;
    bool has_limit = fraction_scale_int64(1000, limit, &limit_share);
    table_begin(table);
    table_code(table, park_carriers[figure->part.carrier]);
    tables_name_part(tables, table, &figure->part);
    table_text(table, tables_unit(figure->part.carrier));
    table_amount(table, has_amount, amount, scale);
    table_amount(table, has_children, children, scale);
    table_amount(table, has_gap, gap, scale);
    tables_percent(table, has_share, share);
    tables_percent(table, has_limit, limit_share);
    table_code(table, has_children ? verdict_of(amount, gap, limit) : "unknown");
}

static void add_balances(struct tables *tables, const struct report *report)
{
    struct table *table = tables_add(tables, "balance", balance_columns);
    for (size_t k = 0; k < report->carrier_count; k++)
        REPORT_EACH(gap, &report->carriers[k], PART_GAP)
    REPORT_EACH(parent, &report->carriers[k], PART_METER)
    if (parent->part.meter == gap->part.meter)
        add_balance(tables, table, parent, gap);
}

static const char *const sufficiency_columns[] = {"carrier", "id", "name", "days", "missing_days",
    "zero_days", "filled_days", "allowed_days", "verdict", NULL};

static void add_sufficiency(struct tables *tables, const struct report *report)
{
    struct table *table = tables_add(tables, "sufficiency", sufficiency_columns);
    for (size_t k = 0; k < report->carrier_count; k++)
        REPORT_EACH(figure, &report->carriers[k], PART_METER)
        {
            const struct sufficiency *s = &figure->sufficiency;
            table_begin(table);
            table_code(table, park_carriers[figure->part.carrier]);
            tables_name_part(tables, table, &figure->part);
            table_number(table, s->days, 0);
            table_number(table, s->missing_days, 0);
            table_number(table, s->zero_days, 0);
            table_number(table, s->filled_days, 0);
            table_number(table, s->allowed_days, 0);
            /* Quarter hours are not expected of a meter that is read by hand. */
            table_code(table, !figure->part.meter->has_profile ? "no_profile"
                              : s->is_sufficient               ? "sufficient"
                                                               : "insufficient");
        }
}

static const char *const event_columns[] = {"id", "name", "event", "from", "until", "settled", NULL};

static const char *event_code(int kind)
{
    static const char *const codes[] = {[EVENT_OUTLIERS] = "outliers",
        [EVENT_FROZEN] = "frozen",
        [EVENT_ROLLOVER] = "rollover",
        [EVENT_EXCEPTION] = "exception",
        [EVENT_LIMIT] = "limit_exceeded",
        [EVENT_CONFIRM] = "confirm_meter",
        [EVENT_OUTSIDE] = "outside",
        [EVENT_QUARANTINED] = "quarantined",
        [EVENT_STATED] = "stated_energy"};
    return kind >= 0 && (size_t)kind < sizeof codes / sizeof codes[0] && codes[kind] != NULL ? codes[kind]
                                                                                             : "other_event";
}

static bool is_open(const struct report_event *event)
{
    return event->kind == EVENT_EXCEPTION || event->kind == EVENT_LIMIT || event->kind == EVENT_CONFIRM;
}

void tables_add_events(struct tables *tables, const struct report *report)
{
    struct table *table = tables_add(tables, "exceptions", event_columns);
    for (size_t i = 0; i < report->event_count; i++) {
        const struct report_event *event = &report->events[i];
        table_begin(table);
        table_text(table, event->meter->id);
        table_text(table, TABLES_NAME(tables, event->meter));
        table_code(table, event_code(event->kind));
        table_time(table, event->from_ms);
        if (event->until_ms == INT64_MAX)
            table_none(table);
        else
            table_time(table, event->until_ms);
        table_code(table, is_open(event) ? "open" : event->kind == EVENT_STATED ? "by_person" : "by_rule");
    }
}

static const char *const device_columns[] = {"id", "name", "carrier", "building", "tenant", "item", "parent",
    "serial", "from", "until", "point", "registers", "ratio", "start_register", "end_register", "modulus",
    "resolution", NULL};

static char *ratio_of(const struct park_segment *segment)
{
    struct fraction ratio;
    if (!fraction_multiply(segment->ct, segment->pt, &ratio))
        return NULL;
    return ratio.den == 1 ? mem_printf("%lld", (long long)ratio.num)
                          : mem_printf("%lld/%lld", (long long)ratio.num, (long long)ratio.den);
}

/* The device from..until with the tags of that time; registers stand where it was installed, and removed. */
static void add_device(const struct tables *tables, struct table *table, const struct park_meter *meter,
    const struct park_segment *segment, const struct park_tags *tags)
{
    bool is_cut = tags->from_ms > segment->from_ms, goes_on = tags->until_ms < segment->until_ms;
    int64_t until_ms = goes_on ? tags->until_ms : segment->until_ms;
    char *ratio = ratio_of(segment);
    table_begin(table);
    table_text(table, meter->id);
    table_text(table, TABLES_NAME(tables, meter));
    table_code(table, park_carriers[meter->carrier]);
    table_text(table, tags->building_id);
    table_text(table, tags->tenant_id);
    table_text(table, tags->item);
    table_text(table, tags->parent_id);
    table_text(table, segment->serial);
    table_time(table, is_cut ? tags->from_ms : segment->from_ms);
    if (until_ms == INT64_MAX)
        table_none(table);
    else
        table_time(table, until_ms);
    table_text(table, segment->point);
    table_code(table, segment->registers == REGISTERS_PRIMARY     ? "primary"
                      : segment->registers == REGISTERS_SECONDARY ? "secondary"
                                                                  : NULL);
    table_text(table, ratio);
    table_maybe(table, !is_cut && segment->start_register >= 0, segment->start_register, 0);
    table_maybe(table, !goes_on && segment->end_register >= 0, segment->end_register, 0);
    table_maybe(table, segment->modulus > 0, segment->modulus, 0);
    table_number(table, segment->resolution, 0);
    free(ratio);
}

/* A row for each stretch of the period in which the device has the same tags. */
static void add_installed(const struct tables *tables, struct table *table, const struct park_meter *meter,
    const struct park_segment *segment, struct periods_span span)
{
    int64_t time_ms = segment->from_ms > span.begin_ms ? segment->from_ms : span.begin_ms;
    int64_t end_ms = segment->until_ms < span.end_ms ? segment->until_ms : span.end_ms;
    while (time_ms < end_ms) {
        struct park_tags tags = park_tags_at(meter, time_ms);
        add_device(tables, table, meter, segment, &tags);
        time_ms = tags.until_ms;
    }
}

/* Those that were installed at some time of the period. */
static void add_devices(struct tables *tables, const struct report *report)
{
    struct table *table = tables_add(tables, "devices", device_columns);
    CONF_EACH (const struct park_meter, meter, report->park->meters) {
        if (!report_has(report, meter))
            continue;
        CONF_EACH (const struct park_segment, segment, meter->segments)
            add_installed(tables, table, meter, segment, report->axis.span);
    }
}

void tables_add_evidence(struct tables *tables, const struct report *report)
{
    add_balances(tables, report);
    add_sufficiency(tables, report);
    tables_add_events(tables, report);
    tables_add_decisions(tables, report);
    add_devices(tables, report);
}
