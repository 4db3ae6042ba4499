/* Calendars of bookings: how good what is known of each is, and that one which comes without events is empty indeed. */
#include "collector/web/context.h"

#include <string.h>

static json_t *calendar_json(const struct web_context *context, const struct park_calendar *c,
    const struct booking_state *state, const struct bookings *b)
{
    enum availability_quality quality = bookings_quality(b, c->every_ms, context->clock->wall_ms());
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:o, s:o, s:o, s:o, s:b, s:I}", "id", c->id, "name",
        c->name, "name_en", c->name_en, "site", c->site_id, "quality", availability_qualities[quality],
        "every_s", (json_int_t)(c->every_ms / 1000), "known", context_time(context, c->site_id, b->known_ms),
        "tried", context_time(context, c->site_id, state->tried_ms), "problem",
        state->problem[0] != '\0' ? json_string(state->problem) : json_null(), "emptied",
        context_time(context, c->site_id, b->emptied_ms), "cut", (int)b->is_cut, "unread",
        (json_int_t)b->problem_count);
}

static enum status add(
    const struct web_context *context, const struct park_calendar *c, json_t *items, struct error *err)
{
    struct booking_state state;
    struct bookings b;
    enum status status = booking_rows_state(context->db, c->id, &state, &b, err);
    if (status == ST_OK)
        json_array_append_new(items, calendar_json(context, c, &state, &b));
    return status;
}

struct web_answer handle_calendars(struct web_context *context, const struct web_request *request)
{
    (void)request;
    struct error err;
    if (!context_open_db(context, &err))
        return context_give_up_db(context, &err);
    json_t *items = json_array();
    enum status status = ST_OK;
    CONF_EACH (const struct park_calendar, c, context->options->park->calendars)
        if (status == ST_OK)
            status = add(context, c, items, &err);
    if (status == ST_OK)
        return answer_json(200, json_pack("{s:o}", "calendars", items));
    json_decref(items);
    return context_give_up_db(context, &err);
}

/* ---- empty indeed ---- */

static const struct park_calendar *find(const struct park *park, const char *id)
{
    CONF_EACH (const struct park_calendar, c, park->calendars)
        if (strcmp(c->id, id) == 0)
            return c;
    return NULL;
}

struct web_answer handle_confirm_calendar(struct web_context *context, const struct web_request *request)
{
    const struct web_options *options = context->options;
    struct calendar_confirming act = {
        .calendar = request->id, .token = request->caller->token.id, .who = request->caller->token.name};
    struct web_answer answer;
    struct error err;
    if (!request_why(request, &act.why, &answer))
        return answer;
    if (find(options->park, request->id) == NULL)
        return answer_error(404, "unknown_calendar", "no calendar has the id \"%.40s\"", request->id);
    if (options->confirm_calendar == NULL)
        return answer_later("not_now", "there is nobody who takes it");
    enum status status = options->confirm_calendar(options->user_data, &act, &err);
    if (status != ST_OK)
        return answer_undone(status, &err);
    return answer_json(200, json_pack("{s:s, s:b}", "calendar", request->id, "empty", 1));
}
