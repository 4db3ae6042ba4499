/* /ops/exceptions: what nobody knows and a person has to settle, with the forms for it, and what was decided. The lists are the
 * API's own (api_lists.c, api_decisions_list.c). */
#include "collector/web/context.h"

#include "lib/buf.h"

#include <stdlib.h>
#include <string.h>

/* From where on a list is shown. */
static const char *const before[] = {"exceptions_before", "decisions_before"};

struct page {
    struct web_context *context;
    enum page_language language;
    struct buf out;
};

static const char *text_of(const struct page *p, const char *prefix, const char *name)
{
    char key[64];
    snprintf(key, sizeof key, "%s%s%s", prefix, name != NULL ? "_" : "", name != NULL ? name : "");
    return context_text(p->context, p->language, key);
}

static const char *member(const json_t *item, const char *name)
{
    const char *text = json_string_value(json_object_get(item, name));
    return text != NULL ? text : "";
}

static void add_text(struct page *p, const char *element, const char *key)
{
    buf_printf(&p->out, "<%s>", element);
    buf_add_html(&p->out, text_of(p, key, NULL));
    buf_printf(&p->out, "</%s>", element);
}

static void add_heading(struct page *p, const char *key)
{
    buf_add_str(&p->out, "<h2 class=\"heading\">");
    buf_add_html(&p->out, text_of(p, key, NULL));
    buf_add_str(&p->out, "</h2>");
}

static void begin_table(struct page *p, const char *heading, const char *const *keys)
{
    add_heading(p, heading);
    buf_add_str(&p->out, "<table class=\"list\"><thead><tr>");
    for (size_t i = 0; keys[i] != NULL; i++) {
        buf_add_str(&p->out, "<th scope=\"col\">");
        buf_add_html(&p->out, text_of(p, keys[i], NULL));
        buf_add_str(&p->out, "</th>");
    }
    buf_add_str(&p->out, "</tr></thead><tbody>");
}

static void add_cell(struct page *p, const char *title, const char *text)
{
    buf_add_str(&p->out, "<td data-title=\"");
    buf_add_html(&p->out, text_of(p, title, NULL));
    buf_add_str(&p->out, "\">");
    buf_add_html(&p->out, text);
    buf_add_str(&p->out, "</td>");
}

/* "2026-03-02 18:06:00.500 +08:00" of what the API says; "" = none. */
static void add_time(struct page *p, const char *title, const char *text)
{
    char shown[64];
    bool is_whole = strlen(text) > 23 && strncmp(text + 19, ".000", 4) == 0;
    snprintf(shown, sizeof shown, "%.10s %.*s %s", text, is_whole ? 8 : 12, text + 11, text + 23);
    add_cell(p, title, strlen(text) > 23 ? shown : text);
}

static void add_meter(struct page *p, const char *id)
{
    const struct park_meter *meter = park_meter_find(p->context->options->park, id);
    buf_add_str(&p->out, "<th scope=\"row\">");
    if (meter != NULL)
        buf_add_html(&p->out, p->language == PAGE_ZH ? meter->name : meter->name_en);
    buf_add_str(&p->out, "<span class=\"id\">");
    buf_add_html(&p->out, id);
    buf_add_str(&p->out, "</span></th>");
}

/* A + in a link is a blank. */
static void add_param(struct page *p, const char *name, const char *value)
{
    buf_printf(&p->out, "&amp;%s=", name);
    for (; *value != '\0'; value++) {
        if (*value == '+')
            buf_add_str(&p->out, "%2B");
        else
            buf_add_char(&p->out, *value);
    }
}

static void begin_link(struct page *p, const char *kind)
{
    buf_printf(&p->out, "<a href=\"/ops/%s?kind=%s&amp;lang=%s",
        strcmp(kind, "reading") == 0 ? "reading" : "decide", kind, page_language_name(p->language));
}

static void end_link(struct page *p, const char *kind)
{
    buf_add_str(&p->out, "\">");
    buf_add_html(&p->out, text_of(p, "decide", kind));
    buf_add_str(&p->out, "</a> ");
}

/* What may be decided of it: of the span, of an instant in it, or of its energy where it has an end. */
static void add_actions(struct page *p, const json_t *item)
{
    static const char *const instants[] = {"replacement", "reset"};
    const char *meter = member(item, "meter"), *from = member(item, "from"), *until = member(item, "until");
    buf_add_str(&p->out, "<td class=\"actions\">");
    for (size_t i = 0; i < 2; i++) {
        begin_link(p, instants[i]);
        add_param(p, "meter", meter);
        add_param(p, "at", until[0] != '\0' ? until : from);
        end_link(p, instants[i]);
    }
    for (size_t i = 0; i < 2 && until[0] != '\0'; i++) {
        const char *kind = i == 0 ? "energy" : "outlier";
        begin_link(p, kind);
        add_param(p, "meter", meter);
        add_param(p, "from", from);
        add_param(p, "until", until);
        end_link(p, kind);
    }
    buf_add_str(&p->out, "</td>");
}

static void add_exceptions(struct page *p, const json_t *items)
{
    static const char *const heads[] = {
        "meter", "exception_kind", "exception_from", "exception_until", "exception_settle", NULL};
    size_t i;
    json_t *item;
    begin_table(p, "exceptions_heading", heads);
    json_array_foreach(items, i, item)
    {
        buf_add_str(&p->out, "<tr>");
        add_meter(p, member(item, "meter"));
        add_cell(p, "exception_kind", text_of(p, "event", member(item, "kind")));
        add_time(p, "exception_from", member(item, "from"));
        add_time(p, "exception_until",
            member(item, "until")[0] != '\0' ? member(item, "until") : text_of(p, "exception_endless", NULL));
        add_actions(p, item);
        buf_add_str(&p->out, "</tr>");
    }
    buf_add_str(&p->out, "</tbody></table>");
    if (json_array_size(items) == 0)
        add_text(p, "p", "exceptions_none");
}

static void add_others(struct page *p)
{
    static const char *const kinds[] = {"replacement", "reset", "outlier", "reading"};
    buf_add_str(&p->out, "<p class=\"actions\">");
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        begin_link(p, kinds[i]);
        end_link(p, kinds[i]);
    }
    buf_add_str(&p->out, "</p>");
}

static void add_decisions(struct page *p, const json_t *items)
{
    static const char *const heads[] = {"decision_id", "meter", "decision_kind", "decision_state",
        "exception_from", "decision_who", "field_why", "exception_settle", NULL};
    size_t i;
    json_t *item;
    begin_table(p, "decisions_heading", heads);
    json_array_foreach(items, i, item)
    {
        char id[32];
        snprintf(id, sizeof id, "%lld", (long long)json_integer_value(json_object_get(item, "id")));
        buf_add_str(&p->out, "<tr>");
        add_cell(p, "decision_id", id);
        add_meter(p, member(item, "meter"));
        add_cell(p, "decision_kind", text_of(p, "decide", member(item, "kind")));
        add_cell(p, "decision_state", text_of(p, "decision", member(item, "state")));
        add_time(p, "exception_from", member(item, "from"));
        add_cell(p, "decision_who", member(item, "who"));
        add_cell(p, "field_why", member(item, "why"));
        buf_add_str(&p->out, "<td class=\"actions\">");
        const char *state = member(item, "state");
        if (strcmp(state, "in_force") == 0 || strcmp(state, "without_object") == 0) {
            begin_link(p, "undo");
            add_param(p, "undo", id);
            add_param(p, "meter", member(item, "meter"));
            end_link(p, "undo");
        }
        buf_add_str(&p->out, "</td></tr>");
    }
    buf_add_str(&p->out, "</tbody></table>");
    if (json_array_size(items) == 0)
        add_text(p, "p", "decisions_none");
}

/* What the API lists before what the page's `param` says; NULL: *ret_answer is what it said instead. */
static json_t *list(struct web_context *context, const struct web_request *request, const char *param,
    struct web_answer (*handler)(struct web_context *context, const struct web_request *request),
    struct web_answer *ret_answer)
{
    struct web_request asked = *request;
    const char *from = request_param(request, param);
    asked.params[0] = (struct web_param){"before", from};
    asked.param_count = from != NULL ? 1 : 0;
    *ret_answer = handler(context, &asked);
    if (ret_answer->code != 200)
        return NULL;
    json_t *said = json_loadb(ret_answer->body, ret_answer->len, 0, NULL);
    answer_release(ret_answer);
    return said;
}

static void add_done(struct page *p, const struct web_request *request)
{
    const char *done = request_param(request, "done");
    if (done == NULL || strspn(done, "0123456789") != strlen(done))
        return;
    buf_add_str(&p->out, "<p class=\"message done\" role=\"status\">");
    buf_add_html(&p->out, text_of(p, "decided_done", NULL));
    buf_printf(&p->out, " %s</p>", done);
}

/* One link for each list that goes on; the other stays where it is. */
static void add_more(struct page *p, const struct web_request *request, size_t list, const json_t *said)
{
    const json_t *next = json_object_get(said, "next_before");
    const char *other = request_param(request, before[1 - list]);
    if (!json_is_integer(next))
        return;
    buf_printf(&p->out, "<p class=\"actions\"><a href=\"/ops/exceptions?lang=%s&amp;%s=%lld",
        page_language_name(p->language), before[list], (long long)json_integer_value(next));
    if (other != NULL)
        buf_printf(&p->out, "&amp;%s=%s", before[1 - list], other);
    buf_add_str(&p->out, "\">");
    buf_add_html(&p->out, text_of(p, "list_more", NULL));
    buf_add_str(&p->out, "</a></p>");
}

/* Where this page is, up to its language. */
static char *self_of(const struct web_request *request)
{
    struct buf self = {0};
    buf_add_str(&self, "/ops/exceptions?");
    for (size_t i = 0; i < 2; i++) {
        const char *from = request_param(request, before[i]);
        if (from != NULL)
            buf_printf(&self, "%s=%s&", before[i], from);
    }
    buf_add_str(&self, "lang=");
    return buf_take(&self);
}

struct web_answer handle_ops_exceptions(struct web_context *context, const struct web_request *request)
{
    struct page p = {.context = context,
        .language = page_choose_language(request_param(request, "lang"), request->accept_language)};
    struct web_answer answer;
    json_t *exceptions = list(context, request, before[0], handle_exceptions, &answer);
    if (exceptions == NULL)
        return answer;
    json_t *decisions = list(context, request, before[1], handle_decisions, &answer);
    if (decisions == NULL) {
        json_decref(exceptions);
        return answer;
    }
    buf_printf(&p.out, "<p><a href=\"/ops?lang=%s\">", page_language_name(p.language));
    buf_add_html(&p.out, text_of(&p, "subtitle", NULL));
    buf_add_str(&p.out, "</a></p>");
    add_done(&p, request);
    add_exceptions(&p, json_object_get(exceptions, "exceptions"));
    add_more(&p, request, 0, exceptions);
    add_heading(&p, "others_heading");
    add_others(&p);
    add_decisions(&p, json_object_get(decisions, "decisions"));
    add_more(&p, request, 1, decisions);
    json_decref(exceptions);
    json_decref(decisions);
    char *content = buf_take(&p.out);
    char *self = self_of(request);
    answer = context_page(context, p.language, 200, text_of(&p, "decide_title", NULL), self, content);
    free(self);
    free(content);
    return answer;
}
