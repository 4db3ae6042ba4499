/* /ops/outage: what a person tells of an outage, as a form without JavaScript; it is taken by the API's own handler
 * (api_outages.c). */
#include "collector/web/ops_page.h"

#include "collector/outage_json.h"
#include "collector/web/ops_fields.h"
#include "lib/mem.h"
#include "lib/number.h"

#include <stdlib.h>
#include <string.h>

enum field { FIELD_TARGET, FIELD_FROM, FIELD_UNTIL, FIELD_CATEGORY, FIELD_NOTE, FIELDS };
static const char *const names[FIELDS] = {"target", "from", "until", "category", "note"};

/* What is filled in, by act; to open one, by kind. */
struct form {
    struct form_field {
        enum field field;
        bool is_needed;
        const char *help; /* key of a text; NULL = none */
    } fields[FIELDS];
    size_t count;
};
static const struct form opens[] = {
    [OUTAGE_BROKEN] = {{{FIELD_TARGET, true, NULL}, {FIELD_CATEGORY, true, NULL}, {FIELD_NOTE, true, NULL},
                           {FIELD_FROM, false, "help_outage_now"}, {FIELD_UNTIL, false, "help_outage_over"}},
        5},
    [OUTAGE_PLANNED] = {{{FIELD_TARGET, true, NULL}, {FIELD_CATEGORY, true, NULL}, {FIELD_NOTE, true, NULL},
                            {FIELD_FROM, true, "help_time"}, {FIELD_UNTIL, true, "help_time"}},
        5},
    [OUTAGE_PROBLEM] = {{{FIELD_TARGET, true, NULL}, {FIELD_CATEGORY, true, NULL}, {FIELD_NOTE, true, NULL},
                            {FIELD_FROM, false, "help_outage_now"}},
        4}};
static const struct form change = {{{FIELD_CATEGORY, true, NULL}, {FIELD_NOTE, true, NULL},
                                       {FIELD_FROM, true, "help_time"}, {FIELD_UNTIL, true, "help_time"}},
                             4},
                         change_open = {{{FIELD_CATEGORY, true, NULL}, {FIELD_NOTE, true, NULL},
                                            {FIELD_FROM, true, "help_time"}},
                             3},
                         close = {{{FIELD_NOTE, true, "help_outage_done"},
                                      {FIELD_UNTIL, false, "help_outage_now"}},
                             2},
                         cancel = {{{FIELD_NOTE, true, NULL}}, 1};

struct asked {
    struct ops_page page;
    const struct web_request *request;
    enum outage_act act;
    enum outage_kind kind;
    struct outage outage; /* but to open one */
    const struct form *form;
    const struct zone *zone;   /* of the target's site */
    const char *wrong[FIELDS]; /* keys of texts; NULL = right */
    const char *message, *detail;
};

static const char *given(const struct web_request *request, const char *name)
{
    const char *value =
        request->form != NULL ? form_value(request->form, name) : request_param(request, name);
    return value != NULL ? value : "";
}

static const char *text_of(const struct asked *a, const char *prefix, const char *name)
{
    return ops_text(&a->page, prefix, name);
}

/* ---- the fields ---- */

/* As a person types it, where that is the same time. */
static void add_time(const struct asked *a, int64_t time_ms, struct buf *out)
{
    char text[ZONE_TIME_SIZE], typed[17];
    int64_t read_ms;
    zone_format_time(a->zone, time_ms, text);
    snprintf(typed, sizeof typed, "%.10s %.5s", text, text + 11);
    buf_add_html(out, ops_time_read(typed, a->zone, &read_ms) && read_ms == time_ms ? typed : text);
}

/* What was filled in, else what came by the link, else what is so. */
static void add_value(const struct asked *a, enum field field, struct buf *out)
{
    bool is_there = a->request->form != NULL || a->act != OUTAGE_CHANGE;
    if (is_there)
        buf_add_html(out, given(a->request, names[field]));
    else if (field == FIELD_NOTE)
        buf_add_html(out, a->outage.note);
    else
        add_time(a, field == FIELD_FROM ? a->outage.from_ms : a->outage.until_ms, out);
}

static void add_option(
    const char *value, const char *chosen, const char *text, const char *id, struct buf *out)
{
    buf_printf(out, "<option value=\"%s\"%s>", value, strcmp(value, chosen) == 0 ? " selected" : "");
    buf_add_html(out, text);
    buf_printf(out, "%s%s</option>", id[0] != '\0' ? " · " : "", id);
}

static void add_target_option(const struct asked *a, enum outage_target kind, const char *id,
    const char *name, const char *name_en, struct buf *out)
{
    char *value = mem_printf("%s:%s", outage_targets[kind], id);
    add_option(value, given(a->request, "target"), a->page.language == PAGE_ZH ? name : name_en, id, out);
    free(value);
}

static void add_targets(const struct asked *a, struct buf *out)
{
    const struct park *park = a->page.context->options->park;
    buf_add_str(out, "<select id=\"target\" name=\"target\" required><option value=\"\"></option>");
    for (int kind = 0; outage_targets[kind] != NULL; kind++) {
        if (a->kind == OUTAGE_PROBLEM && kind != OUTAGE_INSTRUMENT)
            continue;
        buf_add_str(out, "<optgroup label=\"");
        buf_add_html(out, text_of(a, "outage_target", outage_targets[kind]));
        buf_add_str(out, "\">");
        if (kind == OUTAGE_INSTRUMENT)
            CONF_EACH (const struct park_instrument, i, park->instruments)
                add_target_option(a, OUTAGE_INSTRUMENT, i->id, i->name, i->name_en, out);
        if (kind == OUTAGE_RESOURCE)
            CONF_EACH (const struct park_resource, r, park->resources)
                add_target_option(a, OUTAGE_RESOURCE, r->id, r->name, r->name_en, out);
        if (kind == OUTAGE_SPACE)
            CONF_EACH (const struct park_space, s, park->spaces)
                add_target_option(a, OUTAGE_SPACE, s->id, s->name, s->name_en, out);
        buf_add_str(out, "</optgroup>");
    }
    buf_add_str(out, "</select>");
}

static void add_categories(const struct asked *a, struct buf *out)
{
    const char *chosen = a->request->form == NULL && a->act == OUTAGE_CHANGE ? a->outage.category->code
                                                                             : given(a->request, "category");
    buf_add_str(out, "<select id=\"category\" name=\"category\" required><option value=\"\"></option>");
    for (const struct outage_category *c = outage_categories; c->code != NULL; c++)
        add_option(c->code, chosen, a->page.language == PAGE_ZH ? c->name : c->name_en, "", out);
    buf_add_str(out, "</select>");
}

static void add_field(const struct asked *a, const struct form_field *field, struct buf *out)
{
    const char *name = names[field->field];
    bool is_end = field->field == FIELD_NOTE && (a->act == OUTAGE_CLOSE || a->act == OUTAGE_CANCEL);
    buf_printf(out, "<div class=\"field\"><label for=\"%s\">", name);
    buf_add_html(out, text_of(a, is_end ? "outage_field_end" : "outage_field", name));
    buf_add_str(out, "</label>");
    if (field->field == FIELD_TARGET) {
        add_targets(a, out);
    } else if (field->field == FIELD_CATEGORY) {
        add_categories(a, out);
    } else {
        buf_printf(out, "<input id=\"%s\" name=\"%s\" maxlength=\"%d\" autocomplete=\"off\"%s value=\"", name,
            name, field->field == FIELD_NOTE ? OUTAGE_NOTE_MAX : 64, field->is_needed ? " required" : "");
        add_value(a, field->field, out);
        buf_add_str(out, "\">");
    }
    if (field->help != NULL) {
        buf_add_str(out, "<p class=\"quiet\">");
        buf_add_html(out, text_of(a, field->help, NULL));
        buf_add_str(out, "</p>");
    }
    if (a->wrong[field->field] != NULL)
        ops_add_wrong(out, text_of(a, a->wrong[field->field], NULL));
    buf_add_str(out, "</div>");
}

/* ---- the page ---- */

static bool may_write(const struct asked *a)
{
    const struct caller *caller = a->request->caller;
    return caller->kind == CALLER_KNOWN && (caller->token.scopes & SCOPE_OUTAGES) != 0;
}

/* Which one it is. */
static void add_outage(const struct asked *a, struct buf *out)
{
    const struct outage *o = &a->outage;
    struct outage_place place = {.name = "", .name_en = ""};
    bool is_zh = a->page.language == PAGE_ZH;
    outage_place_find(a->page.context->options->park, o->target_kind, o->target, &place);
    buf_printf(out, "<p><strong>%lld</strong> ", (long long)o->id);
    buf_add_html(out, is_zh ? place.name : place.name_en);
    buf_printf(out, " (%s) · ", o->target);
    buf_add_html(out, text_of(a, "outage_kind", outage_kinds[o->kind]));
    buf_add_str(out, " · ");
    add_time(a, o->from_ms, out);
    buf_add_str(out, " – ");
    if (o->until_ms != OUTAGE_UNKNOWN_END)
        add_time(a, o->until_ms, out);
    buf_add_str(out, " · ");
    buf_add_html(out, is_zh ? o->category->name : o->category->name_en);
    buf_add_str(out, " · ");
    buf_add_html(out, o->note);
    buf_add_str(out, "</p>");
}

static void add_end(const struct asked *a, struct buf *out)
{
    if (may_write(a)) {
        buf_add_str(out, "<div class=\"buttons\"><button type=\"submit\">");
        buf_add_html(out, text_of(a, a->act == OUTAGE_OPEN ? "outage_new" : "outage",
                              a->act == OUTAGE_OPEN ? outage_kinds[a->kind] : outage_acts[a->act]));
        buf_add_str(out, "</button>");
    } else {
        buf_add_str(out, "<p class=\"message\">");
        buf_add_html(out, text_of(a, "needs_outages", NULL));
        buf_add_str(out, "</p><div class=\"buttons\">");
    }
    buf_printf(out, "<a href=\"/ops/outages?lang=%s\">", page_language_name(a->page.language));
    buf_add_html(out, text_of(a, "decide_back", NULL));
    buf_add_str(out, "</a></div>");
}

static void add_form(const struct asked *a, struct buf *out)
{
    bool is_open = a->act == OUTAGE_OPEN;
    const char *name = is_open ? outage_kinds[a->kind] : outage_acts[a->act];
    buf_add_str(out, "<form class=\"card decide\" method=\"post\" action=\"/ops/outage\"><h2>");
    buf_add_html(out, text_of(a, is_open ? "outage_new" : "outage", name));
    buf_add_str(out, "</h2><p class=\"quiet\">");
    buf_add_html(out, text_of(a, "about_outage", name));
    buf_add_str(out, "</p>");
    if (!is_open)
        add_outage(a, out);
    ops_add_message(out, a->message, a->detail);
    ops_add_hidden("csrf", a->request->caller->csrf, out);
    ops_add_hidden("lang", page_language_name(a->page.language), out);
    ops_add_hidden("act", outage_acts[a->act], out);
    if (is_open)
        ops_add_hidden("kind", outage_kinds[a->kind], out);
    else
        buf_printf(out, "<input type=\"hidden\" name=\"id\" value=\"%lld\">", (long long)a->outage.id);
    for (size_t i = 0; i < a->form->count; i++)
        add_field(a, &a->form->fields[i], out);
    add_end(a, out);
    buf_add_str(out, "</form>");
}

static struct web_answer answer_form(const struct asked *a, int code)
{
    struct buf content = {0}, self = {0};
    add_form(a, &content);
    buf_printf(&self, "/ops/outage?act=%s&", outage_acts[a->act]);
    if (a->act == OUTAGE_OPEN)
        buf_printf(&self, "kind=%s&", outage_kinds[a->kind]);
    else
        buf_printf(&self, "id=%lld&", (long long)a->outage.id);
    buf_add_str(&self, "lang=");
    char *html = buf_take(&content), *here = buf_take(&self);
    struct web_answer answer =
        context_page(a->page.context, a->page.language, code, text_of(a, "outages_title", NULL), here, html);
    free(html);
    free(here);
    return answer;
}

/* ---- what was filled in ---- */

/* "instrument:xrd". */
static const char *read_target(struct asked *a, const char *text, json_t *object)
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
static const char *read_field(struct asked *a, const struct form_field *field, json_t *object)
{
    const char *name = names[field->field], *text = given(a->request, name);
    char shown[ZONE_TIME_SIZE];
    int64_t time_ms;
    if (strspn(text, " ") == strlen(text))
        return field->is_needed ? "wrong_missing" : NULL;
    if (field->field == FIELD_TARGET)
        return read_target(a, text, object);
    if (field->field == FIELD_FROM || field->field == FIELD_UNTIL) {
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
    enum field field;
    const char *key;
} refusals[] = {{"is in the future; expected when it began", FIELD_FROM, "refused_future"},
    {"is in the future", FIELD_UNTIL, "refused_future"}, {"days ago", FIELD_FROM, "refused_long_ago"},
    {"is before 2000", FIELD_FROM, "refused_long_ago"},
    {"years ahead", FIELD_UNTIL, "refused_far"}, {"is not after from", FIELD_UNTIL, "refused_order"},
    {"is before it began", FIELD_UNTIL, "refused_order"},
    {"already; expected a time", FIELD_FROM, "refused_outage"}, {"note is missing", FIELD_NOTE, "wrong_text"},
    {"category:", FIELD_CATEGORY, "wrong_choice"}, {"is so already", FIELDS, "refused_same"},
    {"is over since", FIELDS, "refused_over"}, {"was cancelled", FIELDS, "refused_cancelled"},
    {"begins at", FIELDS, "refused_ahead"}};

static struct web_answer answer_refused(struct asked *a, const struct web_answer *refusal, const json_t *said)
{
    const char *sentence = json_string_value(json_object_get(json_object_get(said, "error"), "message"));
    const char *key = refusal->code == 503 ? "not_now" : "refused_outage_any";
    a->detail = sentence;
    for (size_t i = 0; sentence != NULL && refusal->code != 503 && i < sizeof refusals / sizeof refusals[0];
         i++)
        if (strstr(sentence, refusals[i].part) != NULL) {
            key = refusals[i].key;
            if (refusals[i].field < FIELDS)
                a->wrong[refusals[i].field] = key;
            break;
        }
    a->message = text_of(a, key, NULL);
    return answer_form(a, refusal->code);
}

static struct web_answer ask(struct asked *a, const json_t *object)
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

static struct web_answer answer_filled_in(struct asked *a, json_t *object)
{
    bool is_right = true;
    for (size_t i = 0; i < a->form->count; i++) {
        const struct form_field *field = &a->form->fields[i];
        a->wrong[field->field] = read_field(a, field, object);
        is_right = is_right && a->wrong[field->field] == NULL;
    }
    if (a->act == OUTAGE_OPEN)
        json_object_set_new(object, "kind", json_string(outage_kinds[a->kind]));
    if (!is_right) {
        a->message = text_of(a, "wrong_some", NULL);
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

static int find_name(const char *const *list, const char *name)
{
    for (int i = 0; list[i] != NULL; i++)
        if (strcmp(list[i], name) == 0)
            return i;
    return -1;
}

/* False: *ret says why not. */
static bool find_outage(struct asked *a, struct web_answer *ret)
{
    const char *text = given(a->request, "id");
    struct error err;
    int64_t id;
    if (!number_parse_int64(text, strlen(text), &id) || id < 1) {
        *ret = answer_error(400, "bad_parameter", "id: expected the number of an outage");
        return false;
    }
    if (!context_open_db(a->page.context, &err) ||
        outage_find(a->page.context->db, id, &a->outage, &err) != ST_OK) {
        context_close_db(a->page.context);
        *ret = answer_error(503, "not_now", "%s", err.text);
        return false;
    }
    if (a->outage.id == 0)
        *ret = answer_error(404, "not_found", "there is no outage %lld", (long long)id);
    return a->outage.id != 0;
}

static bool choose_form(struct asked *a, struct web_answer *ret)
{
    int kind = find_name(outage_kinds, given(a->request, "kind"));
    bool is_act = outage_act_parse(given(a->request, "act"), &a->act);
    if (!is_act || (a->act == OUTAGE_OPEN && kind < 0)) {
        *ret = answer_error(400, "bad_parameter", "%s",
            is_act ? "kind is none of broken, planned and problem"
                   : "act is none of open, change, close and cancel");
        return false;
    }
    a->zone = context_zone(a->page.context, NULL);
    if (a->act == OUTAGE_OPEN) {
        a->kind = (enum outage_kind)kind;
        a->form = &opens[kind];
        return true;
    }
    if (!find_outage(a, ret))
        return false;
    struct outage_place place;
    a->kind = a->outage.kind;
    a->form = a->act == OUTAGE_CLOSE                     ? &close
              : a->act == OUTAGE_CANCEL                  ? &cancel
              : a->outage.until_ms == OUTAGE_UNKNOWN_END ? &change_open
                                                         : &change;
    if (outage_place_find(a->page.context->options->park, a->outage.target_kind, a->outage.target, &place))
        a->zone = context_zone(a->page.context, place.building->site_id);
    return true;
}

static struct web_answer answer_asked(struct asked *a)
{
    struct web_answer answer;
    if (!choose_form(a, &answer))
        return answer;
    if (a->request->form == NULL)
        return answer_form(a, 200);
    if (a->request->is_put_off) {
        a->message = text_of(a, "not_now", NULL);
        return answer_form(a, 503);
    }
    json_t *object = json_object();
    answer = answer_filled_in(a, object);
    json_decref(object);
    return answer;
}

struct web_answer handle_ops_outage(struct web_context *context, const struct web_request *request)
{
    const char *language = given(request, "lang");
    struct asked a = {.page = {.context = context,
                          .language = page_choose_language(
                              language[0] != '\0' ? language : NULL, request->accept_language)},
        .request = request};
    if (request->form == NULL && request_param(request, "act") == NULL) /* back from signing in, say */
        return (struct web_answer){.code = 302, .location = "/ops/outages"};
    struct web_answer answer = answer_asked(&a);
    outage_release(&a.outage);
    return answer;
}
