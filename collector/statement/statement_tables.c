#include "collector/statement/tables.h"

#include "collector/report/tables_private.h"

#include <string.h>

#define SECONDS 3       /* decimals of a second: milliseconds, exactly */
#define HOURS 3         /* decimals of an hour, rounded: for people */
#define PRINTED_MAX 200 /* rows of records that HTML shows */

/* Codes of words: what a person entered is no reading by hand. */
static const char *evidence_code(enum hours_evidence evidence)
{
    return evidence == EVIDENCE_MANUAL ? "by_person" : hours_evidences[evidence];
}

static const char *user_code(enum hours_user user)
{
    static const char *const codes[] = {"user_unknown", "user_internal", "user_external"};
    return codes[user];
}

static void add_seconds(struct table *table, int64_t ms)
{
    table_number(table, ms, SECONDS);
}

/* Rounded half away from zero. */
static void add_hours(struct table *table, int64_t ms)
{
    table_number(table, (ms + 1800) / 3600, HOURS);
}

static void add_share(struct table *table, int64_t part, int64_t whole)
{
    int64_t permille = statement_permille(part, whole);
    tables_percent(table, permille >= 0, permille);
}

static void add_code_text(struct table *table, const char *text)
{
    table_text(table, text[0] != '\0' ? text : NULL);
}

/* ---- what it is of ---- */

static void about(struct table *table, const char *what, const char *value)
{
    table_begin(table);
    table_code(table, what);
    table_text(table, value);
}

static void about_time(struct table *table, const char *what, int64_t time_ms)
{
    table_begin(table);
    table_code(table, what);
    if (time_ms != 0)
        table_time(table, time_ms);
    else
        table_none(table);
}

static void add_about(struct tables *tables, const struct statement *s, const struct tables_origin *origin)
{
    static const char *const columns[] = {"what", "value", NULL};
    struct table *table = tables_add(tables, "about", columns);
    char period[PERIODS_TEXT_SIZE], number[NUMBER_INT64_SIZE];
    periods_format(s->period, period);
    number[number_format_int64(origin->model_number, number)] = '\0';
    about(table, "site_id", s->site->id);
    about(table, "site", TABLES_NAME(tables, s->site));
    about(table, "period", period);
    about_time(table, "from", s->span.begin_ms);
    about_time(table, "until", s->span.end_ms);
    about(table, "zone", s->site->zone);
    about_time(table, "as_of", s->as_of_ms);
    if (s->until_ms < s->span.end_ms)
        about_time(table, "reckoned", s->until_ms);
    about(table, "model_version", origin->model_number != 0 ? number : NULL);
    about_time(table, "model_accepted", origin->model_accepted_ms);
    about(table, "model_hash", origin->model_number != 0 ? origin->model_hash : NULL);
    about(table, "program", "park-collector " PARKMON_VERSION);
    about(table, "command", origin->command);
}

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

static int64_t count_organisations(const struct statement_organisations *all, bool is_external)
{
    int64_t count = 0;
    for (size_t i = 0; i < all->count; i++)
        if (all->items[i].code != NULL && (!is_external || all->items[i].user == HOURS_USER_EXTERNAL))
            count += i == 0 || all->items[i - 1].code == NULL || is_external ||
                     strcmp(all->items[i - 1].code, all->items[i].code) != 0;
    return count;
}

static void add_counts(struct table *table, const struct statement_sum *sum)
{
    int64_t internal = sum->by_user[HOURS_USER_INTERNAL], external = sum->by_user[HOURS_USER_EXTERNAL];
    table_number(table, sum->sessions, 0);
    table_number(table, internal, 0);
    table_number(table, external, 0);
    table_number(table, sum->trainings, 0);
    table_number(table, sum->services, 0);
    add_share(table, external, internal + external);
}

static void add_effective(struct table *table, const struct statement_hours *h)
{
    int64_t effective_ms = statement_effective_ms(h);
    add_hours(table, effective_ms);
    add_hours(table, h->part_ms[HOURS_INTERNAL]);
    add_hours(table, h->part_ms[HOURS_EXTERNAL]);
    add_hours(table, h->part_ms[HOURS_UNATTRIBUTED]);
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
    add_hours(table, i->rated_ms);
    add_effective(table, &i->hours);
    add_share(table, effective_ms, i->rated_ms);
    add_share(table, i->hours.part_ms[HOURS_EXTERNAL], effective_ms);
    add_share(table, statement_effective_by_ms(&i->hours, EVIDENCE_MEASURED), effective_ms);
    add_counts(table, &i->sum);
    table_number(table, count_organisations(&i->organisations, false), 0);
    table_number(table, count_organisations(&i->organisations, true), 0);
    add_energy(table, i);
}

static void add_instruments(struct tables *tables, const struct statement *s)
{
    static const char *const columns[] = {"id", "name", "maker_model", "category", "owner", "owner_code",
        "sharing", "rated_year_h", "rated_h", "effective_h", "internal_h", "external_h", "unattributed_h",
        "utilisation", "sharing_rate", "measured_share", "sessions", "internal_sessions", "external_sessions",
        "trainings", "services", "external_share", "organisation_count", "external_organisation_count",
        "energy_kwh", "energy_known_kwh", "energy_quality", NULL};
    struct table *table = tables_add(tables, "instruments", columns);
    for (size_t i = 0; i < s->count; i++)
        add_instrument(tables, table, &s->instruments[i]);
}

/* ---- the parts of its time ---- */

static const enum hours_evidence evidences[] = {EVIDENCE_MEASURED, EVIDENCE_DECLARED, EVIDENCE_INFERRED,
    EVIDENCE_MANUAL, EVIDENCE_IMPORTED, EVIDENCE_NONE};
#define EVIDENCE_COUNT (sizeof evidences / sizeof evidences[0])

static void add_part(struct table *table, const struct park_instrument *instrument, const char *part,
    int64_t part_ms, int64_t period_ms, const int64_t *by_evidence_ms)
{
    table_begin(table);
    table_text(table, instrument->id);
    table_code(table, part);
    add_seconds(table, part_ms);
    add_hours(table, part_ms);
    add_share(table, part_ms, period_ms);
    for (size_t k = 0; k < EVIDENCE_COUNT; k++)
        add_seconds(table, by_evidence_ms[evidences[k]]);
}

static void add_parts(struct tables *tables, const struct statement *s)
{
    static const char *const columns[] = {"id", "hours_part", "seconds+", "hours", "part_share",
        "measured_s+", "declared_s+", "inferred_s+", "manual_s+", "imported_s+", "not_known_s+", NULL};
    struct table *table = tables_add(tables, "hours_parts", columns);
    for (size_t i = 0; i < s->count; i++) {
        const struct statement_instrument *of = &s->instruments[i];
        int64_t all_ms = 0, by_evidence_ms[STATEMENT_EVIDENCES] = {0};
        int64_t period_ms = of->book.facts.end_ms - of->book.facts.begin_ms;
        for (int part = 0; part < HOURS_PARTS; part++) {
            add_part(table, of->instrument, hours_parts[part], of->hours.part_ms[part], period_ms,
                of->hours.evidence_ms[part]);
            all_ms += of->hours.part_ms[part];
            for (int k = 0; k < STATEMENT_EVIDENCES; k++)
                by_evidence_ms[k] += of->hours.evidence_ms[part][k];
        }
        add_part(table, of->instrument, "total", all_ms, period_ms, by_evidence_ms);
        table_is_sum_of(table, HOURS_PARTS);
    }
}

/* ---- organisations ---- */

static void add_sum(struct table *table, const struct statement_sum *sum, bool has_meter)
{
    add_counts(table, sum);
    add_hours(table, sum->session_ms);
    add_effective(table, &sum->hours);
    add_hours(table, sum->hours.part_ms[HOURS_TRAINING]);
    add_hours(table, sum->hours.part_ms[HOURS_IDLE]);
    table_maybe(table, has_meter, sum->wh, SECONDS);
    table_maybe(table, sum->unknown_energies > 0, sum->unknown_energies, 0);
}

#define SUM_COLUMNS                                                                                       \
    "sessions", "internal_sessions", "external_sessions", "trainings", "services", "external_share",      \
        "session_h", "effective_h", "internal_h", "external_h", "unattributed_h", "training_h", "idle_h", \
        "sessions_kwh", "unknown_energies"

static void add_organisation(struct table *table, const struct statement_organisation *o)
{
    table_text(table, o->code);
    table_code(table, user_code(o->user));
}

static void add_organisations(struct tables *tables, const struct statement *s)
{
    static const char *const columns[] = {"organisation", "user", "instrument_count", SUM_COLUMNS, NULL};
    static const char *const by_columns[] = {"id", "organisation", "user", SUM_COLUMNS, NULL};
    struct table *table = tables_add(tables, "organisations", columns);
    bool has_meter = false;
    for (size_t i = 0; i < s->count; i++)
        has_meter = has_meter || s->instruments[i].has_energy;
    for (size_t k = 0; k < s->organisations.count; k++) {
        const struct statement_organisation *o = &s->organisations.items[k];
        table_begin(table);
        add_organisation(table, o);
        table_number(table, (int64_t)o->instruments, 0);
        add_sum(table, &o->sum, has_meter);
    }
    table = tables_add(tables, "instrument_organisations", by_columns);
    for (size_t i = 0; i < s->count; i++)
        for (size_t k = 0; k < s->instruments[i].organisations.count; k++) {
            const struct statement_organisation *o = &s->instruments[i].organisations.items[k];
            table_begin(table);
            table_text(table, s->instruments[i].instrument->id);
            add_organisation(table, o);
            add_sum(table, &o->sum, s->instruments[i].has_energy);
        }
}

/* ---- records ---- */

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
    bool has_energy = s->energy.state >= STATEMENT_MANUAL;
    table_begin(table);
    table_text(table, i->instrument->id);
    table_number(table, told->id, 0);
    add_time(table, true, told->opened_ms);
    add_time(table, told->closed_ms != TOLD_NONE, told->closed_ms);
    table_code(table, user_code(told->user));
    table_code(table, classes[told->class]);
    add_code_text(table, told->organisation);
    add_code_text(table, told->purpose);
    add_hours(table, s->until_ms - s->from_ms);
    add_hours(table, statement_effective_ms(&s->hours));
    add_hours(table, s->hours.part_ms[HOURS_TRAINING]);
    add_hours(table, s->hours.part_ms[HOURS_IDLE]);
    add_hours(table, s->hours.part_ms[HOURS_UNKNOWN]);
    table_maybe(table, has_energy, s->energy.wh, SECONDS);
    table_code(table, statement_energy_states[s->energy.state]);
    table_code(table, evidence_code(told->evidence));
    table_code(table, ends[told->end]);
}

static void add_records(struct tables *tables, const struct statement *s)
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

static void add_outages(struct tables *tables, const struct statement *s)
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
            add_hours(table, until_ms - from_ms);
            table_text(table, tables->language == PAGE_ZH ? o->category->name : o->category->name_en);
            table_text(table, o->note);
        }
}

/* ---- records against the sensor ---- */

static void add_check(struct tables *tables, const struct statement *s)
{
    static const char *const columns[] = {
        "id", "record_s", "run_s", "run_in_records_s", "run_outside_s", "run_recorded_share", NULL};
    struct table *table = tables_add(tables, "cross_check", columns);
    for (size_t i = 0; i < s->count; i++) {
        const struct statement_instrument *of = &s->instruments[i];
        bool has_power = of->book.facts.has_power;
        table_begin(table);
        table_text(table, of->instrument->id);
        add_seconds(table, of->sum.session_ms);
        table_maybe(table, has_power, of->run_ms, SECONDS);
        table_maybe(table, has_power, of->run_in_session_ms, SECONDS);
        table_maybe(table, has_power, of->run_ms - of->run_in_session_ms, SECONDS);
        add_share(table, of->run_in_session_ms, of->run_ms);
    }
}

static void add_method(struct tables *tables)
{
    static const char *const columns[] = {"rule", "text", NULL};
    static const char *const rules[] = {"statement_parts", "statement_effective", "statement_rates",
        "statement_evidence", "statement_energy", "statement_records", "statement_outages",
        "statement_sensor", NULL};
    struct table *table = tables_add(tables, "method", columns);
    table->is_text = true;
    for (size_t i = 0; rules[i] != NULL; i++) {
        table_begin(table);
        table_number(table, (int64_t)i + 1, 0);
        table_text(table, words_of(tables->language, rules[i]));
    }
}

void statement_tables(const struct statement *statement, const struct tables_origin *origin,
    enum page_language language, struct tables *ret)
{
    *ret = (struct tables){
        .report = "instruments", .title = "statement_title", .language = language, .zone = statement->zone};
    add_about(ret, statement, origin);
    add_instruments(ret, statement);
    add_parts(ret, statement);
    add_organisations(ret, statement);
    add_records(ret, statement);
    add_outages(ret, statement);
    add_check(ret, statement);
    add_method(ret);
}
