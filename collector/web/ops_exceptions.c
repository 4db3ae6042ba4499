/* /ops/exceptions: what nobody knows and a person has to settle, with the forms for it, and what was decided. The lists are the
 * API's own (api_lists.c, api_decisions_list.c). */
#include "collector/web/context.h"

#include "collector/web/ops_frame.h"
#include "collector/web/ops_page.h"
#include "collector/web/page_params.h"

#include <stdlib.h>
#include <string.h>

/* From where on a list is shown. */
static const char *const before[] = {"exceptions_before", "decisions_before", NULL};

static void add_meter(struct ops_page *p, const char *id)
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
static void add_param(struct ops_page *p, const char *name, const char *value)
{
    buf_printf(&p->out, "&amp;%s=", name);
    for (; *value != '\0'; value++) {
        if (*value == '+')
            buf_add_str(&p->out, "%2B");
        else
            buf_add_char(&p->out, *value);
    }
}

static void begin_link(struct ops_page *p, const char *kind)
{
    buf_printf(&p->out, "<a href=\"/ops/%s?kind=%s&amp;lang=%s",
        strcmp(kind, "reading") == 0 ? "reading" : "decide", kind, page_language_name(p->language));
}

static void end_link(struct ops_page *p, const char *kind)
{
    buf_add_str(&p->out, "\">");
    buf_add_html(&p->out, ops_text(p, "decide", kind));
    buf_add_str(&p->out, "</a> ");
}

/* What may be decided of it: of the span, of an instant in it, or of its energy where it has an end. */
static void add_actions(struct ops_page *p, const json_t *item)
{
    static const char *const instants[] = {"replacement", "reset"};
    const char *meter = ops_member(item, "meter"), *from = ops_member(item, "from"),
               *until = ops_member(item, "until");
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

static void add_exceptions(struct ops_page *p, const json_t *items)
{
    static const char *const heads[] = {
        "meter", "exception_kind", "exception_from", "exception_until", "exception_settle", NULL};
    size_t i;
    json_t *item;
    ops_begin_table(p, "exceptions_heading", heads);
    json_array_foreach(items, i, item)
    {
        buf_add_str(&p->out, "<tr>");
        add_meter(p, ops_member(item, "meter"));
        ops_add_cell(p, "exception_kind", ops_text(p, "event", ops_member(item, "kind")));
        ops_add_time(p, "exception_from", ops_member(item, "from"));
        ops_add_time(p, "exception_until",
            ops_member(item, "until")[0] != '\0' ? ops_member(item, "until")
                                                 : ops_text(p, "exception_endless", NULL));
        add_actions(p, item);
        buf_add_str(&p->out, "</tr>");
    }
    buf_add_str(&p->out, "</tbody></table>");
    if (json_array_size(items) == 0)
        ops_add_text(p, "p", "exceptions_none");
}

static void add_others(struct ops_page *p)
{
    static const char *const kinds[] = {"replacement", "reset", "outlier", "reading"};
    buf_add_str(&p->out, "<p class=\"actions\">");
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        begin_link(p, kinds[i]);
        end_link(p, kinds[i]);
    }
    buf_add_str(&p->out, "</p>");
}

static void add_decisions(struct ops_page *p, const json_t *items)
{
    static const char *const heads[] = {"decision_id", "meter", "decision_kind", "decision_state",
        "exception_from", "decision_who", "field_why", "exception_settle", NULL};
    size_t i;
    json_t *item;
    ops_begin_table(p, "decisions_heading", heads);
    json_array_foreach(items, i, item)
    {
        char id[32];
        snprintf(id, sizeof id, "%lld", (long long)json_integer_value(json_object_get(item, "id")));
        buf_add_str(&p->out, "<tr>");
        ops_add_cell(p, "decision_id", id);
        add_meter(p, ops_member(item, "meter"));
        ops_add_cell(p, "decision_kind", ops_text(p, "decide", ops_member(item, "kind")));
        ops_add_cell(p, "decision_state", ops_text(p, "decision", ops_member(item, "state")));
        ops_add_time(p, "exception_from", ops_member(item, "from"));
        ops_add_note(p, "decision_who", ops_member(item, "who"));
        ops_add_note(p, "field_why", ops_member(item, "why"));
        buf_add_str(&p->out, "<td class=\"actions\">");
        const char *state = ops_member(item, "state");
        if (strcmp(state, "in_force") == 0 || strcmp(state, "without_object") == 0) {
            begin_link(p, "undo");
            add_param(p, "undo", id);
            add_param(p, "meter", ops_member(item, "meter"));
            end_link(p, "undo");
        }
        buf_add_str(&p->out, "</td></tr>");
    }
    buf_add_str(&p->out, "</tbody></table>");
    if (json_array_size(items) == 0)
        ops_add_text(p, "p", "decisions_none");
}

struct web_answer handle_ops_exceptions(struct web_context *context, const struct web_request *request)
{
    struct ops_page p = {.context = context, .language = page_language_of(request)};
    struct web_answer answer;
    json_t *exceptions = ops_list(context, request, before[0], handle_exceptions, &answer);
    if (exceptions == NULL)
        return answer;
    json_t *decisions = ops_list(context, request, before[1], handle_decisions, &answer);
    if (decisions == NULL) {
        json_decref(exceptions);
        return answer;
    }
    ops_add_done(&p, "decided_done", request);
    ops_begin_lists(&p, "exceptions");
    add_exceptions(&p, json_object_get(exceptions, "exceptions"));
    ops_add_more(&p, request, before, before[0], exceptions);
    ops_add_heading(&p, "others_heading");
    add_others(&p);
    add_decisions(&p, json_object_get(decisions, "decisions"));
    ops_add_more(&p, request, before, before[1], decisions);
    ops_end_lists(&p);
    json_decref(exceptions);
    json_decref(decisions);
    char *content = buf_take(&p.out);
    char *self = page_self(request);
    answer =
        ops_frame(context, p.language, 200, "exceptions", ops_text(&p, "decide_title", NULL), self, content);
    free(self);
    free(content);
    return answer;
}
