/* What persons decided of the meters, with who, when, why, and what came of it. */
#include "collector/report/tables_private.h"

#include "lib/mem.h"

#include <stdlib.h>

static const char *const columns[] = {"decision", "id", "name", "decided", "decision_state", "from", "until",
    "end_register", "start_register", "serial", "stated", "unit", "readings", "withdraws", "effect_quarters",
    "undone_by", "decided_at", "who", "reason", NULL};

/* The word of a kind or state is that of a code of its own: "energy" alone would be another heading. */
static void add_prefixed(struct table *table, const char *prefix, const char *code)
{
    char *whole = mem_printf("%s_%s", prefix, code);
    table_code(table, whole);
    free(whole);
}

static void add_decision(const struct tables *tables, struct table *table, const struct report_decision *d)
{
    table_begin(table);
    table_number(table, d->id, 0);
    table_text(table, d->meter->id);
    table_text(table, TABLES_NAME(tables, d->meter));
    add_prefixed(table, "decided", d->kind);
    add_prefixed(table, "state", d->state);
    table_time(table, d->from_ms);
    table_time(table, d->until_ms);
    table_maybe(table, d->has_end || d->has_count, d->has_count ? d->count : d->end, 0);
    table_maybe(table, d->has_end, d->start, 0);
    table_text(table, d->serial);
    table_amount(table, d->has_energy, d->energy, tables_scale(d->meter->carrier));
    table_text(table, d->has_energy ? tables_unit(d->meter->carrier) : NULL);
    table_maybe(table, d->readings > 0, d->readings, 0);
    table_maybe(table, d->withdraws > 0, d->withdraws, 0);
    table_maybe(table, d->quarters >= 0, d->quarters, 0);
    table_maybe(table, d->undone_by > 0, d->undone_by, 0);
    table_time(table, d->time_ms);
    table_text(table, d->who);
    table_text(table, d->why);
}

void tables_add_decisions(struct tables *tables, const struct report *report)
{
    struct table *table = tables_add(tables, "decisions", columns);
    for (size_t i = 0; i < report->decision_count; i++)
        add_decision(tables, table, &report->decisions[i]);
}
