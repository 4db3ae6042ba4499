/* What is booked of a month of a site, by meter, with its adjusting entries: as the report has it (collector/report/closed.h). */
#include "collector/web/context.h"

#include "collector/energy/unit.h"
#include "collector/report/closed.h"

#include <string.h>

static json_t *amount_json(const struct park_meter *meter, bool is_there, int64_t amount)
{
    char text[DECIMAL_TEXT_SIZE];
    if (meter == NULL || !is_there)
        return json_null();
    energy_format(meter->carrier, amount, text);
    return json_string(text);
}

/* The amount, where it is known, the part that is, in both units, and how long it is not. */
static json_t *sum_json(const struct park_meter *meter, const struct closing_sum *sum)
{
    const struct amount *parts = &sum->parts;
    return json_pack("{s:o, s:o, s:I, s:I}", "amount", amount_json(meter, sum->is_whole, parts->sum.known),
        "known", amount_json(meter, true, parts->sum.known), "known_count", (json_int_t)parts->sum.known,
        "unknown_s", (json_int_t)(parts->sum.unknown_s + parts->waiting_s));
}

static json_t *named_json(const char *id, const struct park_meter *meter)
{
    return json_pack("{s:s, s:o, s:o}", "meter", id, "carrier",
        meter != NULL ? json_string(park_carriers[meter->carrier]) : json_null(), "unit",
        meter != NULL ? json_string(energy_unit(meter->carrier).name) : json_null());
}

static json_t *meters_json(const struct report *report)
{
    json_t *items = json_array();
    for (size_t i = 0; i < report->booked_count; i++) {
        const struct report_booked *row = &report->booked[i];
        struct closing_sum booked = row->metered;
        closing_add(&booked, &row->entries);
        json_t *item = named_json(row->meter, row->park);
        json_object_set_new(item, "metered", sum_json(row->park, &row->metered));
        json_object_set_new(item, "adjusting", sum_json(row->park, &row->entries));
        json_object_set_new(item, "booked", sum_json(row->park, &booked));
        json_array_append_new(items, item);
    }
    return items;
}

static json_t *entries_json(const struct report *report)
{
    json_t *items = json_array();
    for (size_t i = 0; i < report->entry_count; i++) {
        const struct report_entry *entry = &report->entries[i];
        char month[PERIODS_TEXT_SIZE];
        periods_format((struct period){PERIODS_MONTH, entry->month}, month);
        json_t *item = named_json(entry->meter, entry->park);
        json_object_set_new(item, "period", json_string(month));
        json_object_set_new(item, "before", sum_json(entry->park, &entry->before));
        json_object_set_new(item, "after", sum_json(entry->park, &entry->after));
        json_object_set_new(item, "entry", sum_json(entry->park, &entry->entry));
        json_array_append_new(items, item);
    }
    return items;
}

/* "none": it is neither closed nor the month that is next, and what is metered of it is booked nowhere yet. */
static const char *state_of(const struct report *report, int64_t *ret_closing)
{
    const struct booked_closings *closings = &report->closings;
    int64_t at = closings->count > 0 ? report->period.number - closings->items[0].month : -1;
    *ret_closing = at >= 0 && at < (int64_t)closings->count ? closings->items[at].id : 0;
    return *ret_closing != 0 ? "closed" : at == (int64_t)closings->count ? "open" : "none";
}

static bool read_query(const struct web_context *context, const struct web_request *request,
    struct report *ret, struct web_answer *ret_answer)
{
    const char *site = request_param(request, "site"), *period = request_param(request, "period");
    *ret = (struct report){.park = context->options->park, .now_ms = context->clock->wall_ms()};
    ret->site = site != NULL ? park_site_find(ret->park, site) : NULL;
    if (ret->site == NULL) {
        *ret_answer = answer_error(400, "bad_parameter", "site: expected the id of a site");
        return false;
    }
    if (period == NULL || !periods_parse(period, &ret->period) || ret->period.kind != PERIODS_MONTH) {
        *ret_answer = answer_error(400, "bad_parameter", "period: expected a month, as 2026-10");
        return false;
    }
    return true;
}

/* As of one commit. */
static enum status read_all(struct db *db, struct report *report, struct error *err)
{
    enum status status = db_exec(db, "BEGIN", err);
    if (status != ST_OK)
        return status;
    status = closed_read(db, report, err);
    struct error ignored;
    enum status ended = db_exec(db, "COMMIT", status == ST_OK ? err : &ignored);
    return status == ST_OK ? ended : status;
}

static struct web_answer answer_all(const struct report *report)
{
    char period[PERIODS_TEXT_SIZE];
    int64_t closing;
    const char *state = state_of(report, &closing);
    periods_format(report->period, period);
    return answer_json(
        200, json_pack("{s:s, s:s, s:s, s:o, s:o, s:o}", "site", report->site->id, "period", period, "state",
                 state, "closing", closing != 0 ? json_integer(closing) : json_null(), "meters",
                 meters_json(report), "entries", entries_json(report)));
}

struct web_answer handle_booked(struct web_context *context, const struct web_request *request)
{
    struct report report;
    struct web_answer answer;
    struct error err;
    if (!read_query(context, request, &report, &answer))
        return answer;
    report.zone = zone_create(report.site->zone);
    enum status status = context_open_db(context, &err) ? ST_OK : ST_STORAGE;
    if (status == ST_OK)
        status = read_all(context->db, &report, &err);
    if (status == ST_OK) {
        answer = answer_all(&report);
    } else {
        answer = context_give_up_db(context, &err);
    }
    closed_release(&report);
    zone_destroy(report.zone);
    return answer;
}
