/* /ops/outage: what a person tells of an outage, as a form without JavaScript; it is taken by the API's own handler
 * (api_outages.c). */
#include "collector/web/ops_outage.h"

#include "collector/outage_json.h"
#include "collector/web/ops_fields.h"
#include "collector/web/ops_frame.h"
#include "collector/web/page_params.h"
#include "lib/mem.h"
#include "lib/number.h"
#include "lib/text.h"

#include <stdlib.h>
#include <string.h>

static struct web_answer answer_form(const struct ops_outage *a, int code)
{
    struct buf content = {0}, self = {0};
    ops_outage_add_form(a, &content);
    buf_printf(&self, "/ops/outage?act=%s&", outage_acts[a->act]);
    if (a->act == OUTAGE_OPEN)
        buf_printf(&self, "kind=%s&", outage_kinds[a->kind]);
    else
        buf_printf(&self, "id=%lld&", (long long)a->outage.id);
    buf_add_str(&self, "lang=");
    char *html = buf_take(&content), *here = buf_take(&self);
    struct web_answer answer = ops_frame(a->page.context, a->page.language, code, "outages",
        ops_outage_text(a, "outages_title", NULL), here, html);
    free(html);
    free(here);
    return answer;
}

/* ---- what was filled in ---- */

/* "instrument:xrd". */
static const char *read_target(struct ops_outage *a, const char *text, json_t *object)
{
    for (int kind = 0; outage_targets[kind] != NULL; kind++) {
        size_t len = strlen(outage_targets[kind]);
        struct outage_place place;
        if (strncmp(text, outage_targets[kind], len) != 0 || text[len] != ':' ||
            !outage_place_find(
                a->page.context->options->park, (enum outage_target)kind, text + len + 1, &place))
            continue;
        a->zone = context_zone(a->page.context, place.building->site_id);
        json_object_set_new(object, outage_targets[kind], json_string(text + len + 1));
        return NULL;
    }
    return "wrong_target";
}

/* Times are the target's site's, so that comes first. */
static const char *read_field(struct ops_outage *a, const struct ops_outage_form_field *field, json_t *object)
{
    const char *name = ops_outage_fields[field->field], *text = ops_outage_given(a->request, name);
    char shown[ZONE_TIME_SIZE];
    int64_t time_ms;
    if (strspn(text, " ") == strlen(text))
        return field->is_needed ? "wrong_missing" : NULL;
    if (field->field == OUTAGE_FIELD_TARGET)
        return read_target(a, text, object);
    if (field->field == OUTAGE_FIELD_FROM || field->field == OUTAGE_FIELD_UNTIL) {
        if (!ops_time_read(text, a->zone, &time_ms))
            return "wrong_time";
        zone_format_time(a->zone, time_ms, shown);
        text = shown;
    }
    json_object_set_new(object, name, json_string(text));
    return NULL;
}

/* A part of the sentence (collector/instrument/outage_act.c), the field, and how pages say it. */
static const struct {
    const char *part;
    enum ops_outage_field field;
    const char *key;
} refusals[] = {{"is in the future; expected when it began", OUTAGE_FIELD_FROM, "refused_future"},
    {"is in the future", OUTAGE_FIELD_UNTIL, "refused_future"},
    {"days ago", OUTAGE_FIELD_FROM, "refused_long_ago"},
    {"is before 2000", OUTAGE_FIELD_FROM, "refused_long_ago"},
    {"years ahead", OUTAGE_FIELD_UNTIL, "refused_far"},
    {"is not after from", OUTAGE_FIELD_UNTIL, "refused_order"},
    {"is before it began", OUTAGE_FIELD_UNTIL, "refused_order"},
    {"already; expected a time", OUTAGE_FIELD_FROM, "refused_outage"},
    {"note is missing", OUTAGE_FIELD_NOTE, "wrong_text"},
    {"category:", OUTAGE_FIELD_CATEGORY, "wrong_choice"}, {"is so already", OUTAGE_FIELDS, "refused_same"},
    {"is over since", OUTAGE_FIELDS, "refused_over"}, {"was cancelled", OUTAGE_FIELDS, "refused_cancelled"},
    {"begins at", OUTAGE_FIELDS, "refused_ahead"}};

static struct web_answer answer_refused(
    struct ops_outage *a, const struct web_answer *refusal, const json_t *said)
{
    const char *sentence = json_string_value(json_object_get(json_object_get(said, "error"), "message"));
    const char *key = refusal->code == 503 ? "not_now" : "refused_outage_any";
    a->detail = sentence;
    for (size_t i = 0; sentence != NULL && refusal->code != 503 && i < sizeof refusals / sizeof refusals[0];
         i++)
        if (strstr(sentence, refusals[i].part) != NULL) {
            key = refusals[i].key;
            if (refusals[i].field < OUTAGE_FIELDS)
                a->wrong[refusals[i].field] = key;
            break;
        }
    a->message = ops_outage_text(a, key, NULL);
    return answer_form(a, refusal->code);
}

static struct web_answer ask(struct ops_outage *a, const json_t *object)
{
    struct web_request request = *a->request;
    char path[96] = "/api/v1/outages";
    request.form = NULL;
    request.json = object;
    request.id[0] = '\0';
    if (a->act != OUTAGE_OPEN) {
        snprintf(request.id, sizeof request.id, "%lld", (long long)a->outage.id);
        snprintf(path, sizeof path, "/api/v1/outages/%s/%s", request.id, outage_acts[a->act]);
    }
    request.path = path;
    return handle_outage(a->page.context, &request);
}

static struct web_answer answer_filled_in(struct ops_outage *a, json_t *object)
{
    bool is_right = true;
    for (size_t i = 0; i < a->form->count; i++) {
        const struct ops_outage_form_field *field = &a->form->fields[i];
        a->wrong[field->field] = read_field(a, field, object);
        is_right = is_right && a->wrong[field->field] == NULL;
    }
    if (a->act == OUTAGE_OPEN)
        json_object_set_new(object, "kind", json_string(outage_kinds[a->kind]));
    if (!is_right) {
        a->message = ops_outage_text(a, "wrong_some", NULL);
        return answer_form(a, 400);
    }
    struct web_answer asked = ask(a, object), answer;
    json_t *said = json_loadb(asked.body, asked.len, 0, NULL);
    const json_t *id = json_object_get(json_object_get(said, "outage"), "id");
    if (asked.code < 300)
        answer = (struct web_answer){.code = 303,
            .redirect = mem_printf("/ops/outages?done=%lld&lang=%s", (long long)json_integer_value(id),
                page_language_name(a->page.language))};
    else
        answer = answer_refused(a, &asked, said);
    json_decref(said);
    answer_release(&asked);
    return answer;
}

/* ---- which form ---- */

/* False: *ret says why not. */
static bool find_outage(struct ops_outage *a, struct web_answer *ret)
{
    const char *text = ops_outage_given(a->request, "id");
    struct error err;
    int64_t id;
    if (!number_parse_int64(text, strlen(text), &id) || id < 1) {
        *ret = page_refuse(a->page.context, a->request, "id");
        return false;
    }
    if (!context_open_db(a->page.context, &err) ||
        outage_find(a->page.context->db, id, &a->outage, &err) != ST_OK) {
        *ret = context_give_up_db(a->page.context, &err);
        return false;
    }
    if (a->outage.id != 0)
        return true;
    *ret = page_refuse(a->page.context, a->request, "id");
    ret->code = 404;
    return false;
}

static bool choose_form(struct ops_outage *a, struct web_answer *ret)
{
    int kind = text_index(outage_kinds, ops_outage_given(a->request, "kind"));
    bool is_act = outage_act_parse(ops_outage_given(a->request, "act"), &a->act);
    if (!is_act || (a->act == OUTAGE_OPEN && kind < 0)) {
        *ret = page_refuse(a->page.context, a->request, is_act ? "kind" : "act");
        return false;
    }
    a->zone = context_zone(a->page.context, NULL);
    if (a->act == OUTAGE_OPEN) {
        a->kind = (enum outage_kind)kind;
        a->form = ops_outage_form_of(a);
        return true;
    }
    if (!find_outage(a, ret))
        return false;
    struct outage_place place;
    a->kind = a->outage.kind;
    a->form = ops_outage_form_of(a);
    if (outage_place_find(a->page.context->options->park, a->outage.target_kind, a->outage.target, &place))
        a->zone = context_zone(a->page.context, place.building->site_id);
    return true;
}

static struct web_answer answer_asked(struct ops_outage *a)
{
    struct web_answer answer;
    if (!choose_form(a, &answer))
        return answer;
    if (a->request->form == NULL)
        return answer_form(a, 200);
    if (a->request->is_put_off) {
        a->message = ops_outage_text(a, "not_now", NULL);
        return answer_form(a, 503);
    }
    json_t *object = json_object();
    answer = answer_filled_in(a, object);
    json_decref(object);
    return answer;
}

struct web_answer handle_ops_outage(struct web_context *context, const struct web_request *request)
{
    struct ops_outage a = {
        .page = {.context = context, .language = page_language_of(request)}, .request = request};
    if (request->form == NULL && request_param(request, "act") == NULL) /* back from signing in, say */
        return (struct web_answer){.code = 302, .location = "/ops/outages"};
    struct web_answer answer = answer_asked(&a);
    outage_release(&a.outage);
    return answer;
}
