/* Who used them, session by session, and what kept people from it. */
#include "collector/statement/tables_private.h"

#define PRINTED_MAX 200 /* rows of records that HTML shows */

/* ---- organisations ---- */

static void add_sum(struct table *table, const struct statement_sum *sum)
{
    int64_t wh;
    statement_add_counts(table, sum);
    statement_add_hours(table, sum->session_ms);
    statement_add_effective(table, &sum->hours);
    statement_add_hours(table, sum->hours.part_ms[HOURS_TRAINING]);
    statement_add_hours(table, sum->hours.part_ms[HOURS_IDLE]);
    bool is_known = statement_sum_energy(sum, &wh);
    table_maybe(table, is_known, wh, SECONDS);
    bool has_known = statement_sum_known_energy(sum, &wh);
    table_maybe(table, has_known, wh, SECONDS);
    table_maybe(table, sum->unknown_energies > 0, sum->unknown_energies, 0);
}

#define SUM_COLUMNS                                                                                       \
    "sessions", "internal_sessions", "external_sessions", "trainings", "services", "external_share",      \
        "session_h", "effective_h", "internal_h", "external_h", "unattributed_h", "training_h", "idle_h", \
        "sessions_kwh", "sessions_known_kwh", "unknown_energies"

static void add_organisation(struct table *table, const struct statement_organisation *o)
{
    table_text(table, o->code);
    table_code(table, statement_user_code(o->user));
}

void statement_add_organisations(struct tables *tables, const struct statement *s)
{
    static const char *const columns[] = {"organisation", "user", "instrument_count", SUM_COLUMNS, NULL};
    static const char *const by_columns[] = {"id", "organisation", "user", SUM_COLUMNS, NULL};
    struct table *table = tables_add(tables, "organisations", columns);
    for (size_t k = 0; k < s->organisations.count; k++) {
        const struct statement_organisation *o = &s->organisations.items[k];
        table_begin(table);
        add_organisation(table, o);
        table_number(table, (int64_t)o->instruments, 0);
        add_sum(table, &o->sum);
    }
    table = tables_add(tables, "instrument_organisations", by_columns);
    for (size_t i = 0; i < s->count; i++)
        for (size_t k = 0; k < s->instruments[i].organisations.count; k++) {
            const struct statement_organisation *o = &s->instruments[i].organisations.items[k];
            table_begin(table);
            table_text(table, s->instruments[i].instrument->id);
            add_organisation(table, o);
            add_sum(table, &o->sum);
        }
}

/* ---- records ---- */

static void add_code_text(struct table *table, const char *text)
{
    table_text(table, text[0] != '\0' ? text : NULL);
}

static void add_time(struct table *table, bool is_there, int64_t time_ms)
{
    if (is_there)
        table_instant(table, time_ms);
    else
        table_none(table);
}

static void add_record(
    struct table *table, const struct statement_instrument *i, const struct statement_session *s)
{
    static const char *const ends[] = {[TOLD_OPEN] = "end_open",
        [TOLD_CLOSED] = "end_closed",
        [TOLD_NEXT] = "end_next",
        [TOLD_FORGOTTEN] = "end_forgotten",
        [TOLD_UNOPENED] = "end_unopened"};
    static const char *const classes[] = {
        "user_unknown", "user_internal", "user_external", "class_training", "class_service"};
    const struct told_session *told = s->told;
    table_begin(table);
    table_text(table, i->instrument->id);
    table_number(table, told->id, 0);
    add_time(table, true, told->opened_ms);
    add_time(table, told->closed_ms != TOLD_NONE, told->closed_ms);
    table_code(table, statement_user_code(told->user));
    table_code(table, classes[told->class]);
    add_code_text(table, told->organisation);
    add_code_text(table, told->purpose);
    statement_add_hours(table, s->until_ms - s->from_ms);
    statement_add_hours(table, statement_effective_ms(&s->hours));
    statement_add_hours(table, s->hours.part_ms[HOURS_TRAINING]);
    statement_add_hours(table, s->hours.part_ms[HOURS_IDLE]);
    statement_add_hours(table, s->hours.part_ms[HOURS_UNKNOWN]);
    table_maybe(table, statement_is_energy_known(&s->energy), s->energy.wh, SECONDS);
    table_code(table, statement_energy_states[s->energy.state]);
    table_code(table, statement_evidence_code(told->evidence));
    table_code(table, ends[told->end]);
}

void statement_add_records(struct tables *tables, const struct statement *s)
{
    static const char *const columns[] = {"id", "session", "opened", "closed_at_time", "user", "class",
        "organisation", "purpose", "session_h", "effective_h", "training_h", "idle_h", "unknown_hours",
        "session_kwh", "energy_quality", "evidence", "session_end", NULL};
    struct table *table = tables_add(tables, "records", columns);
    for (size_t i = 0; i < s->count; i++)
        for (size_t k = 0; k < s->instruments[i].session_count; k++)
            add_record(table, &s->instruments[i], &s->instruments[i].sessions[k]);
    table->is_annex = table->count > PRINTED_MAX;
}

/* ---- faults, maintenance ---- */

void statement_add_outages(struct tables *tables, const struct statement *s)
{
    static const char *const columns[] = {"id", "outage", "outage_kind", "outage_target", "target_id", "from",
        "until", "outage_h", "outage_category", "note", NULL};
    static const char *const kinds[] = {"outage_broken", "outage_planned", "outage_problem"};
    static const char *const targets[] = {"target_instrument", "target_resource", "target_space"};
    struct table *table = tables_add(tables, "outages", columns);
    for (size_t i = 0; i < s->count; i++)
        for (size_t k = s->outages.count; k-- > 0;) { /* newest first: the first of them last */
            const struct outage *o = &s->outages.items[k];
            if (!outage_concerns(o, s->instruments[i].instrument))
                continue;
            int64_t from_ms = o->from_ms > s->span.begin_ms ? o->from_ms : s->span.begin_ms;
            int64_t until_ms = o->until_ms < s->until_ms ? o->until_ms : s->until_ms;
            table_begin(table);
            table_text(table, s->instruments[i].instrument->id);
            table_number(table, o->id, 0);
            table_code(table, kinds[o->kind]);
            table_code(table, targets[o->target_kind]);
            table_text(table, o->target);
            add_time(table, true, o->from_ms);
            add_time(table, o->until_ms != OUTAGE_UNKNOWN_END, o->until_ms);
            statement_add_hours(table, until_ms - from_ms);
            table_text(table, tables->language == PAGE_ZH ? o->category->name : o->category->name_en);
            table_text(table, o->note);
        }
}
