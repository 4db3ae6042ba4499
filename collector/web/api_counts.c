/* How many people somebody counted in a space. */
#include "collector/web/context.h"

#include "collector/space/anchors.h"
#include "collector/space/level.h"
#include "lib/number.h"
#include "lib/rfc3339.h"
#include "lib/text.h"

#include <string.h>

#define NOTE_MAX 200

static const char *text_of(const struct web_request *request, const char *key)
{
    return json_string_value(json_object_get(request->json, key));
}

/* A JSON number, or a text as a form sends it. */
static bool persons_of(const struct web_request *request, int64_t *ret)
{
    const json_t *value = json_object_get(request->json, "persons");
    const char *text = json_string_value(value);
    *ret = json_integer_value(value);
    return text != NULL ? number_parse_int64(text, strlen(text), ret) : json_is_integer(value);
}

static bool read_count(struct web_context *context, const struct web_request *request,
    struct person_count *ret, struct web_answer *answer)
{
    static const char *const known[] = {"space", "persons", "at", "note", NULL};
    const char *key;
    json_t *value;
    *answer = (struct web_answer){0};
    json_object_foreach((json_t *)request->json, key, value)
    {
        size_t i = 0;
        while (known[i] != NULL && strcmp(known[i], key) != 0)
            i++;
        bool is_number = known[i] != NULL && strcmp(key, "persons") == 0 && json_is_integer(value);
        if (known[i] == NULL || (json_string_value(value) == NULL && !is_number)) {
            *answer = answer_error(400, "bad_count",
                "%.40s: unknown here, or not a text or number; expected space, persons, at, note", key);
            return false;
        }
    }
    const char *at = text_of(request, "at");
    int64_t now_ms = context->clock->wall_ms();
    *ret = (struct person_count){.space = text_of(request, "space"),
        .note = text_of(request, "note"),
        .time_ms = now_ms,
        .entered_ms = now_ms,
        .token = request->caller->token.id,
        .who = request->caller->token.name};
    if (ret->space == NULL)
        *answer =
            answer_error(400, "bad_count", "space: is missing; expected the id of one with doors that count");
    else if (!persons_of(request, &ret->persons) || ret->persons < 0 || ret->persons > LEVEL_PERSONS_MAX)
        *answer = answer_error(400, "bad_count", "persons: expected a whole number from 0 to %lld",
            (long long)LEVEL_PERSONS_MAX);
    else if (at != NULL && !rfc3339_parse(at, &ret->time_ms))
        *answer = answer_error(400, "bad_count",
            "at: \"%.40s\" is not a time; expected one such as 2026-10-01T12:00:00+08:00", at);
    else if (ret->time_ms > now_ms || ret->time_ms < now_ms - ANCHORS_HOLD_MS)
        *answer = answer_error(400, "bad_count", "at: expected a time of the last 7 days");
    else if (ret->note != NULL && (strlen(ret->note) > NOTE_MAX || text_has_control(span_of(ret->note))))
        *answer = answer_error(
            400, "bad_count", "note: expected at most %d bytes without control characters", NOTE_MAX);
    return answer->code == 0;
}

struct web_answer handle_count(struct web_context *context, const struct web_request *request)
{
    const struct web_options *options = context->options;
    struct person_count count;
    struct web_answer answer;
    struct error err;
    if (!read_count(context, request, &count, &answer))
        return answer;
    if (options->count_people == NULL)
        return answer_later("not_now", "there is nobody who takes it");
    enum status status = options->count_people(options->user_data, &count, &err);
    if (status != ST_OK)
        return answer_undone(status, &err);
    return answer_json(
        201, json_pack("{s:s, s:o, s:I}", "space", count.space, "at",
                 context_time(context, NULL, count.time_ms), "persons", (json_int_t)count.persons));
}
