/* What each instrument's time, sessions and energy come to. */
#include "collector/statement/tables_private.h"

#include <string.h>

/* ---- instruments ---- */

static void name(const struct tables *tables, struct table *table, const struct park_instrument *instrument)
{
    table_text(table, instrument->id);
    table_text(table, TABLES_NAME(tables, instrument));
}

static void add_energy(struct table *table, const struct statement_instrument *i)
{
    int64_t amount = 0;
    bool is_known = i->has_energy && amount_is_known(&i->energy, &amount);
    bool has_known = i->has_energy && !is_known && !i->energy.sum.is_overflown;
    table_maybe(table, is_known, amount, SECONDS);
    table_maybe(table, has_known, i->energy.sum.known, SECONDS);
    table_code(table, i->has_energy ? tables_state(&i->energy) : "no_meter");
}

/* That used it. An organisation is there once as internal and once as external, one after the other. */
static int64_t count_organisations(const struct statement_organisations *all, bool is_external)
{
    int64_t count = 0;
    const char *last = NULL;
    for (size_t i = 0; i < all->count; i++) {
        const struct statement_organisation *o = &all->items[i];
        if (o->code == NULL || o->sum.uses == 0 || (is_external && o->user != HOURS_USER_EXTERNAL))
            continue;
        count += last == NULL || strcmp(last, o->code) != 0;
        last = o->code;
    }
    return count;
}

static void add_effective(struct table *table, const struct statement_instrument *i)
{
    if (statement_is_effective_known(i)) {
        statement_add_effective(table, &i->hours);
        return;
    }
    for (int k = 0; k < 4; k++)
        table_none(table);
}

static void add_instrument(struct tables *tables, struct table *table, const struct statement_instrument *i)
{
    const struct park_instrument *instrument = i->instrument;
    int64_t effective_ms = statement_effective_ms(&i->hours);
    table_begin(table);
    name(tables, table, instrument);
    table_text(table, instrument->model);
    table_text(table, TABLES_NAME(tables, instrument->category));
    table_text(table, tables->language == PAGE_ZH ? instrument->owner : instrument->owner_en);
    table_text(table, instrument->owner_code);
    table_code(table, instrument->is_shared ? "is_shared" : "is_not_shared");
    table_number(table, instrument->rated_hours, 0);
    statement_add_hours(table, i->rated_ms);
    add_effective(table, i);
    statement_add_hours(table, i->hours.part_ms[HOURS_UNKNOWN]);
    statement_add_share(table, i->hours.part_ms[HOURS_UNKNOWN], statement_all_ms(&i->hours));
    table_maybe(table, instrument->calendar_id != NULL, statement_round_hours(i->unbooked_ms), HOURS);
    statement_add_permille(table, statement_utilisation(i));
    statement_add_permille(table, statement_sharing_rate(i));
    statement_add_share(table, statement_effective_by_ms(&i->hours, EVIDENCE_MEASURED), effective_ms);
    statement_add_counts(table, &i->sum);
    table_number(table, count_organisations(&i->organisations, false), 0);
    table_number(table, count_organisations(&i->organisations, true), 0);
    add_energy(table, i);
}

void statement_add_instruments(struct tables *tables, const struct statement *s)
{
    static const char *const columns[] = {"id", "name", "maker_model", "category", "owner", "owner_code",
        "sharing", "rated_year_h", "rated_h", "effective_h", "internal_h", "external_h", "unattributed_h",
        "unknown_hours", "unknown_share", "bookings_unknown_h", "utilisation", "sharing_rate",
        "measured_share", "sessions", "internal_sessions", "external_sessions", "trainings", "services",
        "external_share", "organisation_count", "external_organisation_count", "energy_kwh",
        "energy_known_kwh", "energy_quality", NULL};
    struct table *table = tables_add(tables, "instruments", columns);
    for (size_t i = 0; i < s->count; i++)
        add_instrument(tables, table, &s->instruments[i]);
}

/* ---- the parts of its time ---- */

static const enum hours_evidence evidences[] = {EVIDENCE_MEASURED, EVIDENCE_DECLARED, EVIDENCE_INFERRED,
    EVIDENCE_MANUAL, EVIDENCE_IMPORTED, EVIDENCE_NONE};
#define EVIDENCE_COUNT (sizeof evidences / sizeof evidences[0])

/* What is not known has what is known of it beside, which adds up. */
static void add_part(struct table *table, const char *id, const char *part, bool is_known, int64_t part_ms,
    int64_t period_ms, const int64_t *by_evidence_ms)
{
    table_begin(table);
    table_text(table, id);
    table_code(table, part);
    table_maybe(table, is_known, part_ms, SECONDS);
    statement_add_seconds(table, part_ms);
    if (is_known) {
        statement_add_hours(table, part_ms);
        statement_add_share(table, part_ms, period_ms);
    } else {
        table_none(table);
        table_none(table);
    }
    for (size_t k = 0; k < EVIDENCE_COUNT; k++)
        statement_add_seconds(table, by_evidence_ms[evidences[k]]);
}

void statement_add_parts(struct tables *tables, const struct statement *s)
{
    static const char *const columns[] = {"id", "hours_part", "seconds+", "seconds_known+", "hours",
        "part_share", "measured_s+", "declared_s+", "inferred_s+", "manual_s+", "imported_s+", "not_known_s+",
        NULL};
    struct table *table = tables_add(tables, "hours_parts", columns);
    for (size_t i = 0; i < s->count; i++) {
        const struct statement_instrument *of = &s->instruments[i];
        bool is_all_known = true;
        int64_t all_ms = 0, by_evidence_ms[STATEMENT_EVIDENCES] = {0};
        int64_t period_ms = of->book.facts.end_ms - of->book.facts.begin_ms;
        for (int part = 0; part < HOURS_PARTS; part++) {
            bool is_known = statement_is_part_known(of, (enum hours_part)part);
            is_all_known = is_all_known && is_known;
            add_part(table, of->instrument->id, hours_parts[part], is_known, of->hours.part_ms[part],
                period_ms, of->hours.evidence_ms[part]);
            all_ms += of->hours.part_ms[part];
            for (int k = 0; k < STATEMENT_EVIDENCES; k++)
                by_evidence_ms[k] += of->hours.evidence_ms[part][k];
        }
        add_part(table, of->instrument->id, "total", is_all_known, all_ms, period_ms, by_evidence_ms);
        table_is_sum_of(table, HOURS_PARTS);
    }
}

/* ---- records against the sensor ---- */

void statement_add_check(struct tables *tables, const struct statement *s)
{
    static const char *const columns[] = {
        "id", "record_s", "run_s", "run_in_records_s", "run_outside_s", "run_recorded_share", NULL};
    struct table *table = tables_add(tables, "cross_check", columns);
    for (size_t i = 0; i < s->count; i++) {
        const struct statement_instrument *of = &s->instruments[i];
        bool has_power = of->book.facts.has_power;
        table_begin(table);
        table_text(table, of->instrument->id);
        statement_add_seconds(table, of->sum.session_ms);
        table_maybe(table, has_power, of->run_ms, SECONDS);
        table_maybe(table, has_power, of->run_in_session_ms, SECONDS);
        table_maybe(table, has_power, of->run_ms - of->run_in_session_ms, SECONDS);
        statement_add_share(table, of->run_in_session_ms, of->run_ms);
    }
}
