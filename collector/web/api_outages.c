/* Outages that people tell: listed, opened, changed, closed and cancelled. collector/instrument/outage.h has what is refused. */
#include "collector/web/context.h"
#include "collector/web/paging.h"

#include "collector/outage_json.h"
#include "lib/number.h"

#include <string.h>

/* ---- one of them ---- */

static const char *target_of(const struct outage *o, enum outage_target kind)
{
    return o->target_kind == kind ? o->target : NULL;
}

/* The instruments that are out with it, or have the problem. */
static json_t *concerned_json(const struct park *park, const struct outage *o)
{
    json_t *ids = json_array();
    CONF_EACH (const struct park_instrument, instrument, park->instruments)
        if (outage_concerns(o, instrument))
            json_array_append_new(ids, json_string(instrument->id));
    return ids;
}

static json_t *outage_json(const struct web_context *context, const struct outage *o, int64_t now_ms)
{
    const struct park *park = context->options->park;
    struct outage_place place;
    const char *site =
        outage_place_find(park, o->target_kind, o->target, &place) ? place.building->site_id : NULL;
    return json_pack("{s:I, s:s, s:s, s:s?, s:s?, s:s?, s:o, s:o, s:s, s:s, s:o, s:o, s:s, s:o, s:s?, s:s?}",
        "id", (json_int_t)o->id, "kind", outage_kinds[o->kind], "state",
        outage_states[outage_state_at(o, now_ms)], "instrument", target_of(o, OUTAGE_INSTRUMENT), "resource",
        target_of(o, OUTAGE_RESOURCE), "space", target_of(o, OUTAGE_SPACE), "from",
        context_time(context, site, o->from_ms), "until", context_time(context, site, o->until_ms),
        "category", o->category->code, "note", o->note, "concerns", concerned_json(park, o), "opened",
        context_time(context, site, o->opened_ms), "opened_by", o->opened_by, "closed",
        context_time(context, site, o->closed_ms), "closed_by", o->closed_by, "closed_note", o->closed_note);
}

/* ---- what people do ---- */

static struct web_answer ask(const struct web_context *context, const struct outaging *outaging)
{
    const struct web_options *options = context->options;
    struct outaging_result result;
    struct error err;
    if (options->outage == NULL)
        return answer_later("not_now", "there is nobody who takes it");
    enum status status = options->outage(options->user_data, outaging, &result, &err);
    if (status != ST_OK)
        return answer_undone(status, &err);
    struct web_answer answer = answer_json(outaging->request.act == OUTAGE_OPEN ? 201 : 200,
        json_pack("{s:o}", "outage", outage_json(context, &result.outage, context->clock->wall_ms())));
    outaging_result_release(&result);
    return answer;
}

/* False: there is none of that number; *ret says so. */
static bool find_outage(
    struct web_context *context, const char *text, int64_t *ret_id, struct web_answer *ret)
{
    struct outage found = {0};
    struct error err;
    int64_t id;
    enum status status = ST_OK;
    if (number_parse_int64(text, strlen(text), &id) && id > 0) {
        status = context_open_db(context, &err) ? outage_find(context->db, id, &found, &err) : ST_STORAGE;
        *ret_id = found.id;
    }
    bool is_there = found.id != 0;
    outage_release(&found);
    if (status != ST_OK) {
        *ret = context_give_up_db(context, &err);
    } else if (!is_there) {
        *ret = answer_error(404, "not_found", "there is no outage %.40s", text);
    }
    return is_there;
}

struct web_answer handle_outage(struct web_context *context, const struct web_request *request)
{
    struct outaging outaging = {.request = {.act = OUTAGE_OPEN, .who = request->caller->token.name},
        .token = request->caller->token.id};
    struct web_answer answer;
    struct error err;
    if (request->id[0] != '\0') {
        outage_act_parse(strrchr(request->path, '/') + 1, &outaging.request.act);
        if (!find_outage(context, request->id, &outaging.request.id, &answer))
            return answer;
    }
    if (outage_json_read(request->json, &outaging.request, &err) != ST_OK)
        return answer_error(400, "bad_outage", "%s", err.text);
    return ask(context, &outaging);
}

/* ---- the list ---- */

struct web_answer handle_outages(struct web_context *context, const struct web_request *request)
{
    struct paging paging;
    int64_t now_ms = context->clock->wall_ms();
    struct web_answer answer;
    struct outage_list found;
    struct error err;
    enum paging_state state;
    if (!paging_read(request, &paging, &answer) || !paging_read_state(request, &state, &answer))
        return answer;
    if (!context_open_db(context, &err))
        return context_give_up_db(context, &err);
    enum status status = state == PAGING_STANDING ? outage_standing(context->db, now_ms, &found, &err)
                         : state == PAGING_OVER
                             ? outage_over(context->db, now_ms, paging.before, paging.limit, &found, &err)
                             : outage_list_read(context->db, paging.before, paging.limit, &found, &err);
    if (status != ST_OK)
        return context_give_up_db(context, &err);
    json_t *items = json_array();
    for (size_t i = 0; i < found.count; i++)
        json_array_append_new(items, outage_json(context, &found.items[i], now_ms));
    int64_t last = state != PAGING_STANDING && found.count > 0 ? found.items[found.count - 1].id : 0;
    outage_list_release(&found);
    return paging_answer("outages", items, paging_next(&paging, items, last));
}
