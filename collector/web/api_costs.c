/* What the amounts of a period come to: money, coal equivalent by each basis, CO2 and CO2e, as the energy report has them
 * (collector/report/lines.h); of a period that is under way what is over. Worked out at each request, as an errand. */
#include "collector/report/accepted.h"
#include "collector/report/drill.h"
#include "collector/report/report.h"
#include "collector/web/context.h"

#define MONEY_SCALE 2    /* 0.01 yuan */
#define KILOGRAM_SCALE 3 /* grams */
#define PERIOD_EXPECTED "expected a day, month, quarter or year, such as 2026-10"

static const char *const part_bys[PART_KINDS] = {
    [PART_SITE] = "carrier",
    [PART_BUILDING] = "building",
    [PART_TENANT] = "tenant",
    [PART_ITEM] = "item",
    [PART_METER] = "meter",
};

static bool has_rate(const struct charge_plan *plan)
{
    for (size_t i = 0; i < plan->key_count; i++)
        if (plan->keys[i].why == NULL)
            return true;
    return false;
}

/* Of the first day that has no price or factor; NULL: each has one. */
static const struct charge_key *first_without(
    const struct charge_plan *plan, const struct zone *zone, char day[static PERIODS_TEXT_SIZE])
{
    bool is_any = false; /* mostly none is */
    for (size_t i = 0; i < plan->key_count; i++)
        is_any = is_any || plan->keys[i].why != NULL;
    for (size_t i = 0; is_any && i < plan->quarter_count; i++) {
        const struct charge_key *key = &plan->keys[plan->key_of[i]];
        if (key->why != NULL) {
            int64_t time_ms = plan->span.begin_ms + (int64_t)i * PERIODS_QUARTER_HOUR_MS;
            periods_format(periods_of(zone, PERIODS_DAY, time_ms), day);
            return key;
        }
    }
    return NULL;
}

static const char *reason_of(int kind, const struct charge_key *without)
{
    if (without == NULL)
        return NULL;
    return kind != LINES_MONEY ? "no_factor" : without->band < 0 ? "no_bands" : "no_prices";
}

static json_t *result_json(int kind, const struct charge_plan *plan, const struct zone *zone,
    const struct charge_total *total, bool is_difference)
{
    char text[DECIMAL_TEXT_SIZE], day[PERIODS_TEXT_SIZE];
    const struct charge_key *without = first_without(plan, zone, day);
    bool is_known = has_rate(plan) && !total->sum.is_overflown && (total->is_whole || !is_difference);
    decimal_format(
        (struct decimal){total->sum.result, kind == LINES_MONEY ? MONEY_SCALE : KILOGRAM_SCALE}, text);
    return json_pack("{s:o, s:o, s:I, s:s?, s:s?, s:s?}", "amount",
        total->is_whole ? json_string(text) : json_null(), "known",
        is_known ? json_string(text) : json_null(), "unknown_s", (json_int_t)total->sum.unknown_s, "why",
        without != NULL ? without->why : NULL, "reason", reason_of(kind, without), "without",
        without != NULL ? day : NULL);
}

static void add_figure(json_t *rows, const struct report *report, const struct report_carrier *carrier,
    const struct report_figure *figure)
{
    const struct part *part = &figure->part;
    const char *id = part->kind == PART_SITE ? park_carriers[part->carrier] : drill_part_id(part);
    if (figure->part.kind == PART_GAP)
        return;
    json_t *row = json_pack("{s:s, s:s?, s:s}", "by", part_bys[figure->part.kind], "id", id, "carrier",
        park_carriers[carrier->carrier]);
    for (int kind = 0; kind < LINES_KINDS; kind++)
        json_object_set_new(row, lines_kinds[kind],
            carrier->plan.plans[kind].key_count > 0
                ? result_json(kind, &carrier->plan.plans[kind], report->zone, &figure->lines.total[kind],
                      figure->is_difference)
                : json_null());
    json_array_append_new(rows, row);
}

static struct web_answer answer_costs(
    struct web_context *context, const struct web_request *request, const struct accepted *accepted)
{
    const char *site_id = request_param(request, "site"), *text = request_param(request, "period");
    struct report_options options = {
        .db = context->db, .is_alone = true, .is_so_far = true, .now_ms = context->clock->wall_ms()};
    struct report report;
    struct error err;
    if (accepted->model == NULL)
        return answer_error(503, "starting", "no park model was accepted yet");
    options.park = accepted->model->park;
    options.rates = &accepted->model->rates;
    options.site = site_id != NULL ? park_site_find(options.park, site_id) : NULL;
    if (options.site == NULL)
        return answer_error(400, "bad_parameter", "site: there is no site \"%.40s\"; expected the id of one",
            site_id != NULL ? site_id : "");
    if (text == NULL || !periods_parse(text, &options.period))
        return answer_error(
            400, "bad_parameter", "period: \"%.40s\" is none; " PERIOD_EXPECTED, text != NULL ? text : "");
    if (report_build(&options, &report, &err) != ST_OK)
        return context_give_up_db(context, &err);
    json_t *rows = json_array();
    for (size_t i = 0; i < report.carrier_count; i++)
        for (size_t k = 0; k < report.carriers[i].count; k++)
            add_figure(rows, &report, &report.carriers[i], &report.carriers[i].figures[k]);
    int64_t until_ms = report.axis.span.end_ms;
    report_release(&report);
    return answer_json(200, json_pack("{s:s, s:s, s:o, s:o}", "site", site_id, "period", text, "until",
                                context_time(context, site_id, until_ms), "rows", rows));
}

struct web_answer handle_costs(struct web_context *context, const struct web_request *request)
{
    struct error err;
    const struct accepted *accepted = context_accepted(context, &err);
    return accepted != NULL ? answer_costs(context, request, accepted) : context_give_up_db(context, &err);
}
