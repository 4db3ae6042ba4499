/* What instruments need: whether it is down, and since when, as it was told last; and that it is up again, by a person. */
#include "collector/web/context.h"

#include <string.h>

static json_t *time_json(const struct web_context *context, const struct park_resource *r, int64_t time_ms)
{
    return time_ms == TOLD_NONE ? json_null() : context_time(context, r->building->site_id, time_ms);
}

static json_t *resource_json(
    const struct web_context *context, const struct park_resource *r, const struct told_resource *told)
{
    bool is_told = r->point != NULL && told->since_ms != TOLD_NONE;
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:o}", "id", r->id, "name", r->name, "name_en",
        r->name_en, "building", r->building_id, "kind", park_resource_kinds[r->kind], "point",
        r->point != NULL ? json_string(r->point) : json_null(), "down",
        is_told ? json_boolean(told->is_down) : json_null(), "since",
        is_told ? time_json(context, r, told->since_ms) : json_null(), "heard",
        time_json(context, r, told->heard_ms));
}

struct web_answer handle_resources(struct web_context *context, const struct web_request *request)
{
    (void)request;
    struct error err;
    if (!context_open_db(context, &err))
        return context_give_up_db(context, &err);
    json_t *items = json_array();
    enum status status = ST_OK;
    CONF_EACH (const struct park_resource, r, context->options->park->resources) {
        struct told_resource told;
        if (status == ST_OK && (status = told_resource_find(context->db, r->id, &told, &err)) == ST_OK)
            json_array_append_new(items, resource_json(context, r, &told));
    }
    if (status == ST_OK)
        return answer_json(200, json_pack("{s:o}", "resources", items));
    json_decref(items);
    return context_give_up_db(context, &err);
}

struct web_answer handle_resource_up(struct web_context *context, const struct web_request *request)
{
    const struct web_options *options = context->options;
    struct telling_resource act = {
        .resource = request->id, .token = request->caller->token.id, .who = request->caller->token.name};
    const struct park_resource *resource = park_resource_find(options->park, request->id);
    struct told_resource told;
    struct web_answer answer;
    struct error err;
    if (!request_why(request, &act.why, &answer))
        return answer;
    if (resource == NULL)
        return answer_error(404, "unknown_resource", "no resource has the id \"%.40s\"", request->id);
    if (options->tell_resource == NULL)
        return answer_later("not_now", "nobody watches the resources");
    enum status status = options->tell_resource(options->user_data, &act, &told, &err);
    if (status != ST_OK)
        return answer_undone(status, &err);
    return answer_json(200, resource_json(context, resource, &told));
}
