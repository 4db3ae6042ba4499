/* What an instrument's time went to in a period, with its sessions by organisation: as the statement has it
 * (collector/statement/statement.h). */
#include "collector/web/context.h"

#include "collector/statement/statement.h"

static json_t *permille_json(int64_t permille)
{
    return permille < 0 ? json_null() : json_real((double)permille / 1000);
}

static json_t *maybe_json(bool is_known, int64_t number)
{
    return is_known ? json_integer((json_int_t)number) : json_null();
}

static json_t *parts_json(const struct statement_instrument *i)
{
    const struct statement_hours *h = &i->hours;
    json_t *parts = json_array();
    for (int part = 0; part < HOURS_PARTS; part++) {
        json_t *evidence = json_object();
        for (int k = 0; k < STATEMENT_EVIDENCES; k++)
            if (h->evidence_ms[part][k] > 0)
                json_object_set_new(
                    evidence, hours_evidences[k], json_integer((json_int_t)h->evidence_ms[part][k]));
        json_int_t known_ms = (json_int_t)h->part_ms[part];
        json_t *ms = maybe_json(statement_is_part_known(i, (enum hours_part)part), known_ms);
        json_array_append_new(parts, json_pack("{s:s, s:o, s:I, s:o}", "part", hours_parts[part], "ms", ms,
                                         "known_ms", known_ms, "evidence_ms", evidence));
    }
    return parts;
}

static json_t *sum_json(const struct statement_sum *sum, bool has_meter)
{
    int64_t wh = 0, known_wh = 0;
    bool is_known = has_meter && statement_sum_energy(sum, &wh);
    bool has_known = statement_sum_known_energy(sum, &known_wh);
    int64_t internal = sum->by_user[HOURS_USER_INTERNAL], external = sum->by_user[HOURS_USER_EXTERNAL];
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:I}",
        "sessions", (json_int_t)sum->sessions, "internal", (json_int_t)internal, "external",
        (json_int_t)external, "trainings", (json_int_t)sum->trainings, "services", (json_int_t)sum->services,
        "external_share", permille_json(statement_permille(external, internal + external)), "session_ms",
        (json_int_t)sum->session_ms, "effective_ms", (json_int_t)statement_effective_ms(&sum->hours),
        "internal_ms", (json_int_t)sum->hours.part_ms[HOURS_INTERNAL], "external_ms",
        (json_int_t)sum->hours.part_ms[HOURS_EXTERNAL], "training_ms",
        (json_int_t)sum->hours.part_ms[HOURS_TRAINING], "idle_ms", (json_int_t)sum->hours.part_ms[HOURS_IDLE],
        "energy_wh", maybe_json(is_known, wh), "energy_known_wh", maybe_json(has_known, known_wh),
        "unknown_energies", (json_int_t)sum->unknown_energies);
}

static json_t *organisations_json(const struct statement_instrument *i)
{
    static const char *const users[] = {"unknown", "internal", "external"};
    json_t *all = json_array();
    for (size_t k = 0; k < i->organisations.count; k++) {
        const struct statement_organisation *o = &i->organisations.items[k];
        json_array_append_new(all, json_pack("{s:s?, s:s, s:o}", "organisation", o->code, "user",
                                       users[o->user], "sum", sum_json(&o->sum, i->has_energy)));
    }
    return all;
}

static struct web_answer answer_statement(
    const struct web_context *context, const struct statement *s, const struct statement_instrument *i)
{
    char period[PERIODS_TEXT_SIZE];
    const char *site = s->site->id;
    int64_t wh = 0;
    bool is_known = i->has_energy && amount_is_known(&i->energy, &wh);
    periods_format(s->period, period);
    return answer_json(200,
        json_pack(
            "{s:s, s:s, s:s, s:o, s:o, s:o, s:I, s:I, s:o, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, "
            "s:o}",
            "instrument", i->instrument->id, "site", site, "period", period, "from",
            context_time(context, site, s->span.begin_ms), "to", context_time(context, site, s->span.end_ms),
            "until", context_time(context, site, s->until_ms), "period_ms",
            (json_int_t)(s->until_ms - s->span.begin_ms), "rated_ms", (json_int_t)i->rated_ms, "effective_ms",
            maybe_json(statement_is_effective_known(i), statement_effective_ms(&i->hours)), "unknown_ms",
            (json_int_t)i->hours.part_ms[HOURS_UNKNOWN], "bookings_unknown_ms", (json_int_t)i->unbooked_ms,
            "unknown_limit", permille_json(STATEMENT_UNKNOWN_PERMILLE), "utilisation",
            permille_json(statement_utilisation(i)), "sharing_rate", permille_json(statement_sharing_rate(i)),
            "parts", parts_json(i), "run_ms", maybe_json(i->book.facts.has_power, i->run_ms),
            "run_in_session_ms", maybe_json(i->book.facts.has_power, i->run_in_session_ms), "energy_wh",
            maybe_json(is_known, wh), "sum", sum_json(&i->sum, i->has_energy), "organisations",
            organisations_json(i)));
}

struct web_answer handle_hours(struct web_context *context, const struct web_request *request)
{
    struct web_answer answer;
    struct statement statement;
    struct error err;
    bool is_ahead = false;
    const struct park_instrument *instrument = park_instrument_find(context->options->park, request->id);
    const char *text = request_param(request, "period");
    struct statement_options options = {
        .park = context->options->park, .instrument = instrument, .clock_ms = context->clock->wall_ms()};
    if (instrument == NULL)
        return answer_error(404, "not_found", "no such instrument: %s", request->id);
    if (text == NULL || !periods_parse(text, &options.period))
        return answer_error(400, "bad_parameter", "period: " PERIODS_EXPECTED);
    options.site = instrument->building->site;
    enum status status = context_open_db(context, &err) ? ST_OK : ST_STORAGE;
    if (status == ST_OK) {
        options.db = context->db;
        status = statement_build(&options, &statement, &is_ahead, &err);
    }
    if (is_ahead)
        return answer_error(400, "bad_parameter", "%s", err.text);
    if (status != ST_OK)
        return context_give_up_db(context, &err);
    answer = answer_statement(context, &statement, &statement.instruments[0]);
    statement_release(&statement);
    return answer;
}
