/* What persons decide of meters: taken, previewed, undone and listed. collector/deciding.h has what is refused. */
#include "collector/web/context.h"

#include "collector/deciding_json.h"

#include <stdio.h>
#include <string.h>

#define QUARTERS_SHOWN 200
#define DAY_MS INT64_C(86400000)

/* ---- the answer ---- */

static const char *event_name(enum event_kind kind)
{
    switch (kind) {
    case EVENT_OUTLIERS:
        return "outliers";
    case EVENT_FROZEN:
        return "frozen";
    case EVENT_ROLLOVER:
        return "rollover";
    case EVENT_EXCEPTION:
        return "open_exception";
    case EVENT_LIMIT:
        return "limit";
    case EVENT_CONFIRM:
        return "confirm_meter";
    case EVENT_OUTSIDE:
        return "outside";
    case EVENT_QUARANTINED:
        return "quarantined";
    case EVENT_STATED:
        return "stated";
    case EVENT_STEP:
    case EVENT_BASELINE:
    case EVENT_WITHDRAWN:
        break;
    }
    return "other";
}

static const char *site_of(const struct web_context *context, const char *meter)
{
    const struct park_meter *m = park_meter_find(context->options->park, meter);
    return m != NULL ? m->building->site_id : NULL;
}

static json_t *quarter_json(bool is_there, const struct quarter *q)
{
    if (!is_there)
        return json_null();
    return json_pack("{s:o, s:s}", "amount",
        q->quality == QUALITY_UNKNOWN ? json_null() : json_integer(q->amount), "quality",
        quality_names[q->quality]);
}

static json_t *quarters_json(
    const struct web_context *context, const char *site, const struct deciding_effect *e)
{
    json_t *items = json_array();
    for (size_t i = 0; i < e->quarter_count && i < QUARTERS_SHOWN; i++) {
        const struct deciding_quarter *q = &e->quarters[i];
        json_array_append_new(items,
            json_pack("{s:o, s:o, s:o}", "start", context_time(context, site, q->after.start_ms), "before",
                quarter_json(q->was_there, &q->before), "after", quarter_json(true, &q->after)));
    }
    return items;
}

/* Of the quarter hours that change, by the site's day. */
struct day {
    int64_t number; /* of days since 1970, there */
    size_t quarters;
    struct quarters_sum before, after;
};

static void add_day(json_t *items, const struct day *day)
{
    char text[32];
    time_t at = (time_t)(day->number * (DAY_MS / 1000));
    struct tm date;
    gmtime_r(&at, &date);
    strftime(text, sizeof text, "%Y-%m-%d", &date);
    json_array_append_new(
        items, json_pack("{s:s, s:I, s:{s:I, s:I}, s:{s:I, s:I}}", "day", text, "quarters",
                   (json_int_t)day->quarters, "before", "known", (json_int_t)day->before.known, "unknown_s",
                   (json_int_t)day->before.unknown_s, "after", "known", (json_int_t)day->after.known,
                   "unknown_s", (json_int_t)day->after.unknown_s));
}

static json_t *days_json(const struct web_context *context, const char *site, const struct deciding_effect *e)
{
    const struct zone *zone = context_zone(context, site);
    json_t *items = json_array();
    struct day day = {0};
    for (size_t i = 0; i < e->quarter_count; i++) {
        const struct deciding_quarter *q = &e->quarters[i];
        int64_t local_ms = q->after.start_ms + (int64_t)zone_offset_s(zone, q->after.start_ms) * 1000;
        int64_t number = (local_ms - ((local_ms % DAY_MS) + DAY_MS) % DAY_MS) / DAY_MS;
        if (day.quarters > 0 && number != day.number) {
            add_day(items, &day);
            day = (struct day){0};
        }
        day.number = number;
        day.quarters++;
        if (q->was_there)
            quarters_add(&day.before, &q->before);
        quarters_add(&day.after, &q->after);
    }
    if (day.quarters > 0)
        add_day(items, &day);
    return items;
}

static json_t *events_json(
    const struct web_context *context, const char *site, const struct deciding_effect *e)
{
    json_t *items = json_array();
    for (size_t i = 0; i < e->event_count && i < QUARTERS_SHOWN; i++) {
        const struct deciding_event *event = &e->events[i];
        json_array_append_new(items, json_pack("{s:s, s:s, s:o, s:o}", "kind", event_name(event->kind),
                                         "change", event->is_opened ? "opened" : "withdrawn", "from",
                                         context_time(context, site, event->from_ms), "until",
                                         context_time(context, site, event->until_ms)));
    }
    return items;
}

static struct web_answer answer_effect(
    const struct web_context *context, const struct deciding *d, const struct deciding_effect *e)
{
    const char *site = site_of(context, e->meter);
    return answer_json(d->is_preview ? 200 : 201,
        json_pack("{s:o, s:b, s:s, s:I, s:I, s:o, s:o, s:o}", "decision",
            e->id != 0 ? json_integer(e->id) : json_null(), "preview", (int)d->is_preview, "meter", e->meter,
            "quarter_count", (json_int_t)e->quarter_count, "closed_count", (json_int_t)e->closed_count,
            "quarters", quarters_json(context, site, e), "days", days_json(context, site, e), "events",
            events_json(context, site, e)));
}

/* ---- the request ---- */

static struct web_answer decide(
    struct web_context *context, const struct web_request *request, struct deciding_words *words)
{
    const struct web_options *options = context->options;
    char numbers[WORDS][NUMBER_INT64_SIZE];
    struct web_answer answer;
    struct deciding d;
    struct error err;
    int64_t is_preview;
    if (!request_int(request, "preview", 0, 1, 0, &is_preview, &answer))
        return answer;
    if (deciding_json_read(request->json, words, numbers, &err) != ST_OK ||
        deciding_read(words, &d, &err) != ST_OK)
        return answer_error(400, "bad_decision", "%s", err.text);
    d.is_preview = is_preview != 0;
    d.decided.who = request->caller->token.name;
    d.decided.token = request->caller->token.id;
    if (options->decide == NULL)
        return answer_later("not_now", "there is nobody who decides");
    struct deciding_effect effect = {0};
    enum status status = options->decide(options->user_data, &d, &effect, &err);
    if (status != ST_OK)
        return answer_undone(status, &err);
    answer = answer_effect(context, &d, &effect);
    deciding_effect_release(&effect);
    return answer;
}

struct web_answer handle_decide(struct web_context *context, const struct web_request *request)
{
    struct deciding_words words = {{NULL}};
    const char *kind = json_string_value(json_object_get(request->json, "kind"));
    if (kind != NULL && strcmp(kind, decided_kind_name(RULING_READING)) == 0)
        return answer_error(400, "bad_decision", "a reading by hand is entered at /api/v1/readings");
    return decide(context, request, &words);
}

struct web_answer handle_reading(struct web_context *context, const struct web_request *request)
{
    struct deciding_words words = {{NULL}};
    words.texts[WORD_KIND] = decided_kind_name(RULING_READING);
    return decide(context, request, &words);
}
