/* /ops/decide and /ops/reading: what a person decides of a meter, as a form without JavaScript. It is previewed, shown with its
 * effect, and taken once it is confirmed with the reason; each step asks the API's own handler (api_decisions.c). */
#include "collector/web/context.h"

#include "collector/energy/unit.h"
#include "collector/web/ops_fields.h"
#include "collector/web/ops_frame.h"
#include "collector/web/ops_page.h"
#include "collector/web/page_params.h"
#include "lib/buf.h"
#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>

struct asked {
    struct ops_page page;
    const struct web_request *request;
    const struct ops_kind *kind;
    const struct park_meter *meter; /* NULL: none was chosen yet, or there is none of that name */
    bool is_reading;                /* of /ops/reading */
    json_t *object;                 /* of what was filled in, and is right */
    struct ops_wrong wrong;
    const char *message;  /* of all; a text; NULL = none */
    const char *detail;   /* the API's own sentence */
    const json_t *effect; /* of the preview; NULL = none was made */
};

static const char *value_of(const struct asked *a, const char *name)
{
    const char *value =
        a->request->form != NULL ? form_value(a->request->form, name) : request_param(a->request, name);
    return value != NULL ? value : "";
}

static const char *unit_of(const struct asked *a)
{
    return a->meter != NULL ? energy_unit(a->meter->carrier).name : ops_text(&a->page, "unit_any", NULL);
}

/* ---- the form ---- */

static void add_meters(struct asked *a)
{
    struct ops_page *p = &a->page;
    const char *chosen = value_of(a, "meter");
    buf_add_str(&p->out, "<select id=\"meter\" name=\"meter\" required><option value=\"\"></option>");
    CONF_EACH (const struct park_meter, meter, p->context->options->park->meters) {
        if (meter->segments.count == 0)
            continue;
        buf_printf(&p->out, "<option value=\"%s\"%s>%s · ", meter->id,
            strcmp(meter->id, chosen) == 0 ? " selected" : "", meter->id);
        buf_add_html(&p->out, p->language == PAGE_ZH ? meter->name : meter->name_en);
        ops_add_bracketed(p, energy_unit(meter->carrier).name, &p->out);
        buf_add_str(&p->out, "</option>");
    }
    buf_add_str(&p->out, "</select>");
}

static void add_input(struct asked *a, const struct ops_field *field, const char *name)
{
    struct ops_page *p = &a->page;
    static const char *const modes[] = {[OPS_METER] = "text",
        [OPS_TIME] = "text",
        [OPS_QUANTITY] = "decimal",
        [OPS_RATIO] = "text",
        [OPS_TEXT] = "text",
        [OPS_CHECK] = "none",
        [OPS_NUMBER] = "numeric"};
    buf_printf(&p->out,
        "<input id=\"%s\" name=\"%s\" inputmode=\"%s\" maxlength=\"64\" autocomplete=\"off\"%s value=\"",
        name, name, modes[field->type], field->is_needed ? " required" : "");
    buf_add_html(&p->out, value_of(a, name));
    buf_add_str(&p->out, "\">");
}

static void add_wrong(struct asked *a, const char *key)
{
    if (key != NULL)
        ops_add_wrong(&a->page.out, ops_text(&a->page, key, NULL));
}

static void add_field(struct asked *a, const struct ops_field *field)
{
    struct ops_page *p = &a->page;
    const char *name = deciding_word_name(field->word);
    buf_printf(&p->out, "<div class=\"field\"><label for=\"%s\">", name);
    buf_add_html(&p->out, ops_text(p, "field", name));
    if (field->type == OPS_QUANTITY) {
        char *unit = mem_printf("%s%s", unit_of(a), field->word == WORD_MAX_RATE ? "/h" : "");
        ops_add_bracketed(p, unit, &p->out);
        free(unit);
    }
    buf_add_str(&p->out, "</label>");
    if (field->type == OPS_METER)
        add_meters(a);
    else if (field->type == OPS_CHECK)
        buf_printf(&p->out, "<input type=\"checkbox\" id=\"%s\" name=\"%s\"%s>", name, name,
            value_of(a, name)[0] != '\0' ? " checked" : "");
    else
        add_input(a, field, name);
    const char *help = field->help != NULL ? field->help : field->type == OPS_TIME ? "help_time" : NULL;
    if (help != NULL) {
        buf_add_str(&p->out, "<p class=\"quiet\">");
        buf_add_html(&p->out, ops_help(p, help));
        buf_add_str(&p->out, "</p>");
    }
    add_wrong(a, a->wrong.of[field->word]);
    buf_add_str(&p->out, "</div>");
}

/* ---- the effect ---- */

/* Known base units as the carrier's unit has them. */
static void add_known(struct asked *a, const json_t *known)
{
    struct ops_page *p = &a->page;
    char text[DECIMAL_TEXT_SIZE];
    energy_format(
        a->meter != NULL ? a->meter->carrier : CARRIER_ELECTRICITY, json_integer_value(known), text);
    buf_printf(&p->out, "<td class=\"number\" data-title=\"");
    buf_add_html(&p->out, unit_of(a));
    buf_printf(&p->out, "\">%s</td>", text);
}

static void add_days(struct asked *a)
{
    struct ops_page *p = &a->page;
    static const char *const heads[] = {"effect_day", "effect_quarters", "effect_before", "effect_unknown",
        "effect_after", "effect_unknown", NULL};
    static const char *const sides[] = {"before", "after"};
    size_t i;
    json_t *day;
    ops_begin_table(p, NULL, heads);
    json_array_foreach(json_object_get(a->effect, "days"), i, day)
    {
        char count[32];
        snprintf(
            count, sizeof count, "%lld", (long long)json_integer_value(json_object_get(day, "quarters")));
        buf_add_str(&p->out, "<tr>");
        ops_add_cell(p, "effect_day", json_string_value(json_object_get(day, "day")));
        ops_add_cell(p, "effect_quarters", count);
        for (size_t k = 0; k < 2; k++) {
            const json_t *side = json_object_get(day, sides[k]);
            long long unknown_s = json_integer_value(json_object_get(side, "unknown_s"));
            char hours[32];
            add_known(a, json_object_get(side, "known"));
            snprintf(hours, sizeof hours, "%lld.%02lld", unknown_s / 3600, unknown_s % 3600 / 36);
            ops_add_cell(p, "effect_unknown", hours);
        }
        buf_add_str(&p->out, "</tr>");
    }
    buf_add_str(&p->out, "</tbody></table>");
}

static void add_events(struct asked *a)
{
    struct ops_page *p = &a->page;
    const json_t *events = json_object_get(a->effect, "events");
    size_t i;
    json_t *event;
    buf_add_str(&p->out, "<ul>");
    json_array_foreach(events, i, event)
    {
        const char *until = json_string_value(json_object_get(event, "until"));
        buf_add_str(&p->out, "<li>");
        const char *change = ops_text(p, "change", json_string_value(json_object_get(event, "change")));
        buf_add_html(&p->out, change);
        buf_add_str(&p->out, page_gap(change));
        buf_add_html(&p->out, ops_text(p, "event", json_string_value(json_object_get(event, "kind"))));
        buf_add_str(&p->out, " · ");
        buf_add_html(&p->out, json_string_value(json_object_get(event, "from")));
        buf_add_str(&p->out, " – ");
        buf_add_html(&p->out, until != NULL ? until : "");
        buf_add_str(&p->out, "</li>");
    }
    buf_add_str(&p->out, "</ul>");
}

/* The effect and the reason, with which it may be confirmed. */
static void add_preview(struct asked *a)
{
    struct ops_page *p = &a->page;
    buf_add_str(&p->out, "<section class=\"effect\" aria-labelledby=\"effect\"><h3 id=\"effect\">");
    buf_add_html(&p->out, ops_text(p, "effect_heading", NULL));
    buf_add_str(&p->out, "</h3>");
    if (json_array_size(json_object_get(a->effect, "days")) == 0)
        ops_add_text(p, "p", "effect_none");
    else
        add_days(a);
    add_events(a);
    buf_add_str(&p->out, "</section>");
}

/* ---- the page ---- */

static bool may_write(const struct asked *a)
{
    const struct caller *caller = a->request->caller;
    unsigned scope = a->is_reading ? SCOPE_READINGS : SCOPE_DECISIONS;
    return caller->kind == CALLER_KNOWN && (caller->token.scopes & scope) != 0;
}

static void add_button(struct asked *a, const char *step, bool is_main)
{
    struct ops_page *p = &a->page;
    buf_printf(&p->out, "<button type=\"submit\" name=\"step\" value=\"%s\"%s>", step,
        is_main ? "" : " class=\"second\"");
    buf_add_html(&p->out, ops_text(p, "step", step));
    buf_add_str(&p->out, "</button>");
}

/* Enter in a field is the first button: to look, until there is something to confirm. */
static void add_ends(struct asked *a)
{
    struct ops_page *p = &a->page;
    buf_add_str(&p->out, "<div class=\"field\"><label for=\"why\">");
    buf_add_html(&p->out, ops_text(p, "field_why", NULL));
    buf_add_str(&p->out, "</label><textarea id=\"why\" name=\"why\" rows=\"2\" maxlength=\"400\">");
    buf_add_html(&p->out, value_of(a, "why"));
    buf_add_str(&p->out, "</textarea>");
    add_wrong(a, a->wrong.of[WORD_WHY]);
    buf_add_str(&p->out, "</div><div class=\"buttons\">");
    add_button(a, "preview", a->effect == NULL);
    if (a->effect != NULL)
        add_button(a, "confirm", true);
    buf_add_str(&p->out, "<a href=\"/ops/exceptions?lang=");
    buf_printf(&p->out, "%s\">", page_language_name(p->language));
    buf_add_html(&p->out, ops_text(p, "decide_back", NULL));
    buf_add_str(&p->out, "</a></div>");
}

static void add_form(struct asked *a)
{
    struct ops_page *p = &a->page;
    buf_printf(&p->out, "<form class=\"card decide\" method=\"post\" action=\"/ops/%s\"><h2>",
        a->is_reading ? "reading" : "decide");
    buf_add_html(&p->out, ops_text(p, "decide", a->kind->name));
    buf_add_str(&p->out, "</h2><p class=\"quiet\">");
    buf_add_html(&p->out, ops_text(p, "about", a->kind->name));
    buf_add_str(&p->out, "</p>");
    ops_add_message(&p->out, a->message, a->detail);
    ops_add_hidden("csrf", a->request->caller->csrf, &p->out);
    ops_add_hidden("lang", page_language_name(p->language), &p->out);
    ops_add_hidden("kind", a->kind->name, &p->out);
    for (size_t i = 0; i < a->kind->count; i++)
        add_field(a, &a->kind->fields[i]);
    if (a->effect != NULL)
        add_preview(a);
    if (may_write(a))
        add_ends(a);
    else {
        buf_add_str(&p->out, "<p class=\"message\">");
        buf_add_html(&p->out, ops_text(p, "needs", a->is_reading ? "readings" : "decisions"));
        buf_add_str(&p->out, "</p>");
    }
    buf_add_str(&p->out, "</form>");
}

/* Where this page is, up to its language: with what was filled in only as far as it came by the link. */
static char *self_of(const struct asked *a)
{
    struct buf self = {0};
    buf_printf(&self, "/ops/%s?kind=%s", a->is_reading ? "reading" : "decide", a->kind->name);
    if (a->meter != NULL)
        buf_printf(&self, "&meter=%s", a->meter->id);
    buf_add_str(&self, "&lang=");
    return buf_take(&self);
}

static struct web_answer answer_form(struct asked *a, int code)
{
    struct ops_page *p = &a->page;
    char *self = self_of(a);
    add_form(a);
    char *content = buf_take(&p->out);
    struct web_answer answer = ops_frame(
        p->context, p->language, code, "exceptions", ops_text(p, "decide_title", NULL), self, content);
    free(content);
    free(self);
    return answer;
}

/* ---- asking the API ---- */

static struct web_answer ask(const struct asked *a, bool is_preview)
{
    struct web_request request = *a->request;
    request.form = NULL;
    request.json = a->object;
    request.params[0] = (struct web_param){"preview", is_preview ? "1" : "0"};
    request.param_count = 1;
    return a->is_reading ? handle_reading(a->page.context, &request)
                         : handle_decide(a->page.context, &request);
}

static bool is_filled_in(const struct asked *a)
{
    for (int i = 0; i < WORDS; i++)
        if (a->wrong.of[i] != NULL)
            return false;
    return true;
}

/* Beside the field that it is about, in the language of the page; the API's sentence, with its numbers, stays below. */
static struct web_answer answer_refused(struct asked *a, const struct web_answer *refusal, const json_t *said)
{
    const char *sentence = json_string_value(json_object_get(json_object_get(said, "error"), "message"));
    enum deciding_word word = WORD_KIND;
    const char *key = sentence != NULL ? ops_refusal(sentence, &word) : NULL;
    a->detail = sentence;
    a->message = ops_text(&a->page, refusal->code == 503 ? "not_now" : key != NULL ? key : "refused", NULL);
    if (a->is_reading && word == WORD_ENERGY) /* of a reading it is the register that is too much */
        word = WORD_REGISTER;
    if (key != NULL && word != WORD_KIND)
        a->wrong.of[word] = key;
    return answer_form(a, refusal->code);
}

static struct web_answer answer_taken(const struct asked *a, const json_t *said)
{
    char *path = mem_printf("/ops/exceptions?done=%lld&lang=%s",
        (long long)json_integer_value(json_object_get(said, "decision")),
        page_language_name(a->page.language));
    return (struct web_answer){.code = 303, .redirect = path};
}

static struct web_answer answer_filled_in(struct asked *a, bool is_preview)
{
    const char *why = value_of(a, "why");
    bool has_why = strspn(why, " ") < strlen(why);
    if (!has_why && !is_preview)
        a->wrong.of[WORD_WHY] = "wrong_missing";
    if (!is_filled_in(a)) {
        a->message = ops_text(&a->page, "wrong_some", NULL);
        return answer_form(a, 400);
    }
    /* To look at it one needs no reason yet. */
    json_object_set_new(a->object, "why", json_string(has_why ? why : "-"));
    struct web_answer asked = ask(a, is_preview), answer;
    json_t *said = json_loadb(asked.body, asked.len, 0, NULL);
    if (asked.code == 200) {
        a->effect = said;
        answer = answer_form(a, 200);
    } else if (asked.code == 201) {
        answer = answer_taken(a, said);
    } else {
        answer = answer_refused(a, &asked, said);
    }
    json_decref(said);
    answer_release(&asked);
    return answer;
}

static struct web_answer handle_form(
    struct web_context *context, const struct web_request *request, const char *kind)
{
    const struct web_form *form = request->form;
    struct asked a = {.page = {.context = context, .language = page_language_of(request)},
        .request = request,
        .kind = ops_kind_find(kind),
        .is_reading = strcmp(request->path, "/ops/reading") == 0};
    if (kind == NULL && form == NULL) /* back from signing in, say */
        return (struct web_answer){.code = 302, .location = "/ops/exceptions"};
    bool is_of_reading = a.kind != NULL && strcmp(a.kind->name, "reading") == 0;
    if (a.kind == NULL || is_of_reading != a.is_reading)
        return page_refuse(context, request, "kind");
    a.meter = park_meter_find(context->options->park, value_of(&a, "meter"));
    if (form == NULL)
        return answer_form(&a, 200);
    if (request->is_put_off) {
        a.message = ops_text(&a.page, "not_now", NULL);
        return answer_form(&a, 503);
    }
    const struct zone *zone = context_zone(context, a.meter != NULL ? a.meter->building->site_id : NULL);
    a.object = ops_fields_read(
        a.kind, form, zone, a.meter != NULL ? energy_unit(a.meter->carrier).scale : -1, &a.wrong);
    const char *step = form_value(form, "step");
    struct web_answer answer = answer_filled_in(&a, step == NULL || strcmp(step, "confirm") != 0);
    json_decref(a.object);
    return answer;
}

struct web_answer handle_ops_decide(struct web_context *context, const struct web_request *request)
{
    return handle_form(context, request,
        request->form != NULL ? form_value(request->form, "kind") : request_param(request, "kind"));
}

struct web_answer handle_ops_reading(struct web_context *context, const struct web_request *request)
{
    return handle_form(context, request, "reading");
}
