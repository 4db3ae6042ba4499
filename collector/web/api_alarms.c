/* Alarms: listed, and acknowledged. In codes: who shows them has the words. */
#include "collector/web/context.h"
#include "collector/web/paging.h"

#include "collector/alarm/words.h"
#include "lib/number.h"
#include "lib/text.h"

#include <string.h>

static json_t *number_json(bool is_there, int64_t value_m)
{
    return is_there ? json_real((double)value_m / 1000) : json_null();
}

static json_t *alarm_json(const struct web_context *context, const struct alarm *a)
{
    struct alarm_place place = alarm_place_find(context->options->park, a->target_kind, a->target);
    const char *site = place.site;
    return json_pack(
        "{s:I, s:s, s:s, s:s, s:{s:s, s:s, s:s?, s:s?}, s:s, s:o, s:o, s:o, s:o, s:b, s:s, s:o, s:b, s:o, "
        "s:s?, s:s?, s:o, s:I, s:s?, s:o, s:o}",
        "id", (json_int_t)a->id, "rule", a->rule, "kind", alarm_kinds[a->kind], "severity",
        alarm_severities[a->severity], "target", "kind", alarm_target_kinds[a->target_kind], "id", a->target,
        "name", place.name, "name_en", place.name_en, "state", a->cleared_ms != 0 ? "cleared" : "standing",
        "since", context_time(context, site, a->since_ms), "fired", context_time(context, site, a->fired_ms),
        "value", number_json(a->has_value, a->value_m), "limit", number_json(a->has_bound, a->bound_m),
        "below", a->is_below, "unit", alarm_unit(a->kind, a->target_kind, place.carrier), "cleared",
        context_time(context, site, a->cleared_ms), "gone", a->is_gone, "acked",
        context_time(context, site, a->acked_ms), "acked_by", a->acked_by, "ack_note", a->ack_note,
        "acked_before",
        a->former_by != NULL ? json_pack("{s:s, s:s?}", "by", a->former_by, "note", a->former_note)
                             : json_null(),
        "news", (json_int_t)a->news, "reason",
        a->reason != ALARM_REASON_NONE ? alarm_reasons[a->reason] : NULL, "reasons", alarm_ills_json(a),
        "period",
        a->until_ms != 0 ? json_pack("{s:o, s:o}", "from", context_time(context, site, a->from_ms), "until",
                               context_time(context, site, a->until_ms))
                         : json_null());
}

/* ---- acknowledged ---- */

/* False: *ret is the 400 that says what is wrong. */
static bool read_ack(const struct web_request *request, struct alarming *act, struct web_answer *ret)
{
    const char *key;
    json_t *value;
    act->note = "";
    act->seen_news = ALARM_NEVER;
    json_object_foreach((json_t *)request->json, key, value)
    {
        const char *text = json_string_value(value);
        if (strcmp(key, "news") == 0 && json_integer_value(value) >= 0 && json_is_integer(value)) {
            act->seen_news = json_integer_value(value);
            continue;
        }
        if (strcmp(key, "news") == 0)
            *ret = answer_error(
                400, "bad_alarm", "news: expected that of the alarm as it was seen, a whole number");
        else if (strcmp(key, "note") != 0)
            *ret = answer_error(400, "bad_alarm", "%.40s: unknown here; expected note, news", key);
        else if (text == NULL)
            *ret = answer_error(400, "bad_alarm", "note: expected a text");
        else if (text_characters(span_of(text)) > ALARM_NOTE_MAX || text_has_control(span_of(text)))
            *ret = answer_error(400, "bad_alarm",
                "note: expected at most %d characters, none of them a control character", ALARM_NOTE_MAX);
        else {
            act->note = text;
            continue;
        }
        return false;
    }
    return true;
}

/* False: there is none of that number; *ret says so. */
static bool find_alarm(struct web_context *context, const char *text, int64_t *ret_id, struct web_answer *ret)
{
    struct alarm found = {0};
    struct error err;
    enum status status = ST_OK;
    if (number_parse_int64(text, strlen(text), ret_id) && *ret_id > 0)
        status = context_open_db(context, &err) ? alarm_find(context->db, *ret_id, &found, &err) : ST_STORAGE;
    bool is_there = found.id != 0;
    alarm_release(&found);
    if (status != ST_OK) {
        *ret = context_give_up_db(context, &err);
    } else if (!is_there) {
        *ret = answer_error(404, "not_found", "there is no alarm %.40s", text);
    }
    return is_there;
}

struct web_answer handle_alarm_ack(struct web_context *context, const struct web_request *request)
{
    const struct web_options *options = context->options;
    struct alarming act = {.token = request->caller->token.id, .who = request->caller->token.name};
    struct web_answer answer;
    struct alarm alarm;
    struct error err;
    if (!find_alarm(context, request->id, &act.alarm, &answer) || !read_ack(request, &act, &answer))
        return answer;
    if (options->ack_alarm == NULL)
        return answer_later("not_now", "there is nobody who takes it");
    enum status status = options->ack_alarm(options->user_data, &act, &alarm, &err);
    if (status != ST_OK)
        return answer_undone(status, &err);
    answer = answer_json(200, json_pack("{s:o}", "alarm", alarm_json(context, &alarm)));
    alarm_release(&alarm);
    return answer;
}

/* ---- the list ---- */

struct web_answer handle_alarms(struct web_context *context, const struct web_request *request)
{
    struct paging paging;
    struct web_answer answer;
    struct alarm_list found;
    struct error err;
    enum paging_state state;
    if (!paging_read(request, &paging, &answer) || !paging_read_state(request, &state, &answer))
        return answer;
    if (!context_open_db(context, &err))
        return context_give_up_db(context, &err);
    static const enum alarm_which which[] = {
        [PAGING_ALL] = ALARM_ALL, [PAGING_STANDING] = ALARM_STANDING, [PAGING_OVER] = ALARM_OVER};
    if (alarm_list_read(context->db, which[state], paging.before, paging.limit, &found, &err) != ST_OK)
        return context_give_up_db(context, &err);
    json_t *items = json_array();
    for (size_t i = 0; i < found.count; i++)
        json_array_append_new(items, alarm_json(context, &found.items[i]));
    int64_t last = found.count > 0 ? found.items[found.count - 1].id : 0;
    alarm_list_release(&found);
    return paging_answer("alarms", items, paging_next(&paging, items, last));
}
