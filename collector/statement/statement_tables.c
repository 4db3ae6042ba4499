#include "collector/statement/tables_private.h"

const char *statement_evidence_code(enum hours_evidence evidence)
{
    return evidence == EVIDENCE_MANUAL ? "by_person" : hours_evidences[evidence];
}

const char *statement_user_code(enum hours_user user)
{
    static const char *const codes[] = {"user_unknown", "user_internal", "user_external"};
    return codes[user];
}

void statement_add_seconds(struct table *table, int64_t ms)
{
    table_number(table, ms, SECONDS);
}

int64_t statement_round_hours(int64_t ms)
{
    return (ms + 1800) / 3600;
}

void statement_add_hours(struct table *table, int64_t ms)
{
    table_number(table, statement_round_hours(ms), HOURS);
}

void statement_add_share(struct table *table, int64_t part, int64_t whole)
{
    statement_add_permille(table, statement_permille(part, whole));
}

void statement_add_permille(struct table *table, int64_t permille)
{
    tables_percent(table, permille >= 0, permille);
}

void statement_add_counts(struct table *table, const struct statement_sum *sum)
{
    int64_t internal = sum->by_user[HOURS_USER_INTERNAL], external = sum->by_user[HOURS_USER_EXTERNAL];
    table_number(table, sum->sessions, 0);
    table_number(table, internal, 0);
    table_number(table, external, 0);
    table_number(table, sum->trainings, 0);
    table_number(table, sum->services, 0);
    statement_add_share(table, external, internal + external);
}

void statement_add_effective(struct table *table, const struct statement_hours *h)
{
    int64_t effective_ms = statement_effective_ms(h);
    statement_add_hours(table, effective_ms);
    statement_add_hours(table, h->part_ms[HOURS_INTERNAL]);
    statement_add_hours(table, h->part_ms[HOURS_EXTERNAL]);
    statement_add_hours(table, h->part_ms[HOURS_UNATTRIBUTED]);
}

static void add_about(struct tables *tables, const struct statement *s, const struct tables_origin *origin)
{
    static const char *const columns[] = {"what", "value", NULL};
    struct table *table = tables_add(tables, "about", columns);
    char period[PERIODS_TEXT_SIZE];
    periods_format(s->period, period);
    tables_about(table, "site_id", s->site->id);
    tables_about(table, "site", TABLES_NAME(tables, s->site));
    tables_about(table, "period", period);
    tables_about_time(table, "from", s->span.begin_ms);
    tables_about_time(table, "until", s->span.end_ms);
    tables_about(table, "zone", s->site->zone);
    tables_about_time(table, "as_of", s->as_of_ms);
    if (s->until_ms < s->span.end_ms)
        tables_about_time(table, "reckoned", s->until_ms);
    table_begin(table);
    table_code(table, "unknown_limit");
    tables_percent(table, true, STATEMENT_UNKNOWN_PERMILLE);
    tables_about_origin(table, origin);
}

void statement_tables(const struct statement *statement, const struct tables_origin *origin,
    enum page_language language, struct tables *ret)
{
    static const char *const rules[] = {"statement_parts", "statement_effective", "statement_rates",
        "statement_bookings", "statement_evidence", "statement_energy", "statement_records",
        "statement_outages", "statement_sensor", NULL};
    *ret = (struct tables){.report = "instruments",
        .title = "statement_title",
        .marks_sums = true,
        .language = language,
        .zone = statement->zone};
    add_about(ret, statement, origin);
    statement_add_instruments(ret, statement);
    statement_add_parts(ret, statement);
    statement_add_organisations(ret, statement);
    statement_add_records(ret, statement);
    statement_add_outages(ret, statement);
    statement_add_check(ret, statement);
    tables_add_method(ret, rules);
}
