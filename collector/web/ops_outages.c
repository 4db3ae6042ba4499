/* /ops/outages: what is out, or will be, with the forms for it, and what was. The list is the API's own (api_outages.c). */
#include "collector/web/ops_frame.h"
#include "collector/web/ops_page.h"
#include "collector/web/page_params.h"

#include "collector/instrument/outage.h"

#include <stdlib.h>
#include <string.h>

static const char *const before[] = {"before", NULL};

/* Which acts a state lets a person do. */
static const struct {
    const char *state, *acts[4];
} acts[] = {
    {"now", {"close", "change", "cancel"}}, {"ahead", {"change", "cancel"}}, {"over", {"change", "cancel"}}};

static const char *language_of(const struct ops_page *p, const char *name, const char *name_en)
{
    return p->language == PAGE_ZH ? name : name_en;
}

/* Its name, and what it is. */
static void add_target(struct ops_page *p, const json_t *item)
{
    buf_add_str(&p->out, "<th scope=\"row\">");
    for (int kind = 0; outage_targets[kind] != NULL; kind++) {
        const char *id = json_string_value(json_object_get(item, outage_targets[kind]));
        struct outage_place place;
        if (id == NULL)
            continue;
        if (outage_place_find(p->context->options->park, (enum outage_target)kind, id, &place))
            buf_add_html(&p->out, language_of(p, place.name, place.name_en));
        buf_add_str(&p->out, "<span class=\"id\">");
        buf_add_html(&p->out, ops_text(p, "outage_target", outage_targets[kind]));
        buf_printf(&p->out, " %s", id);
        size_t concerned = json_array_size(json_object_get(item, "concerns"));
        if (kind != OUTAGE_INSTRUMENT) {
            buf_add_str(&p->out, " · ");
            buf_add_html(&p->out, ops_text(p, "outage_concerns", NULL));
            buf_printf(&p->out, "%s%zu", page_gap(ops_text(p, "outage_concerns", NULL)), concerned);
        }
        buf_add_str(&p->out, "</span>");
    }
    buf_add_str(&p->out, "</th>");
}

/* Why, in words; how it ended, and who said so. */
static void add_note(struct ops_page *p, const json_t *item)
{
    const struct outage_category *category = outage_category_find(ops_member(item, "category"));
    buf_add_str(&p->out, "<td class=\"note\" data-title=\"");
    buf_add_html(&p->out, ops_text(p, "outage_why", NULL));
    buf_add_str(&p->out, "\"><span>");
    if (category != NULL) {
        buf_add_str(&p->out, "<strong>");
        buf_add_html(&p->out, language_of(p, category->name, category->name_en));
        buf_add_str(&p->out, "</strong> ");
    }
    buf_add_html(&p->out, ops_member(item, "note"));
    buf_add_str(&p->out, "<span class=\"id\">");
    buf_add_html(&p->out, ops_member(item, "opened_by"));
    buf_add_str(&p->out, "</span>");
    if (ops_member(item, "closed_by")[0] != '\0') {
        buf_add_str(&p->out, "<strong>");
        buf_add_html(&p->out, ops_text(p, "outage_state", ops_member(item, "state")));
        buf_add_str(&p->out, "</strong> ");
        buf_add_html(&p->out, ops_member(item, "closed_note"));
        buf_add_str(&p->out, "<span class=\"id\">");
        buf_add_html(&p->out, ops_member(item, "closed_by"));
        buf_add_str(&p->out, "</span>");
    }
    buf_add_str(&p->out, "</span></td>");
}

static void add_link(
    struct ops_page *p, const char *act, const char *name, const char *value, const char *text)
{
    buf_printf(&p->out, "<a href=\"/ops/outage?act=%s&amp;%s=%s&amp;lang=%s\">", act, name, value,
        page_language_name(p->language));
    buf_add_html(&p->out, text);
    buf_add_str(&p->out, "</a> ");
}

static void add_actions(struct ops_page *p, const json_t *item)
{
    char id[32];
    snprintf(id, sizeof id, "%lld", (long long)json_integer_value(json_object_get(item, "id")));
    buf_add_str(&p->out, "<td class=\"actions\">");
    for (size_t i = 0; i < sizeof acts / sizeof acts[0]; i++)
        for (size_t k = 0; strcmp(acts[i].state, ops_member(item, "state")) == 0 && acts[i].acts[k] != NULL;
             k++)
            add_link(p, acts[i].acts[k], "id", id, ops_text(p, "outage", acts[i].acts[k]));
    buf_add_str(&p->out, "</td>");
}

static void add_row(struct ops_page *p, const json_t *item)
{
    char id[32];
    const char *until = ops_member(item, "until"), *state = ops_member(item, "state");
    snprintf(id, sizeof id, "%lld", (long long)json_integer_value(json_object_get(item, "id")));
    buf_add_str(&p->out, "<tr>");
    ops_add_cell(p, "outage_id", id);
    add_target(p, item);
    ops_add_cell(p, "outage_kind", ops_text(p, "outage_kind", ops_member(item, "kind")));
    ops_add_cell(p, "outage_state", ops_text(p, "outage_state", state));
    ops_add_time(p, "exception_from", ops_member(item, "from"));
    ops_add_time(p, "exception_until", until[0] != '\0' ? until : ops_text(p, "outage_endless", NULL));
    add_note(p, item);
    add_actions(p, item);
    buf_add_str(&p->out, "</tr>");
}

static void add_outages(struct ops_page *p, const json_t *items, bool is_standing)
{
    static const char *const heads[] = {"outage_id", "outage_target", "outage_kind", "outage_state",
        "exception_from", "exception_until", "outage_why", "outage_act", NULL};
    size_t i;
    json_t *item;
    ops_begin_table(p, is_standing ? "outages_standing" : "outages_over", heads);
    json_array_foreach(items, i, item) add_row(p, item);
    buf_add_str(&p->out, "</tbody></table>");
    if (json_array_size(items) == 0)
        ops_add_text(p, "p", is_standing ? "outages_none" : "outages_none_over");
}

static void add_begin(struct ops_page *p, const struct web_request *request)
{
    ops_add_done(p, "outage_done", request);
    buf_add_str(&p->out, "<p class=\"actions new\">");
    for (int kind = 0; outage_kinds[kind] != NULL; kind++)
        add_link(p, "open", "kind", outage_kinds[kind], ops_text(p, "outage_new", outage_kinds[kind]));
    buf_add_str(&p->out, "</p>");
}

static struct web_answer handle_standing(struct web_context *context, const struct web_request *request)
{
    struct web_request asked = *request;
    asked.params[0] = (struct web_param){"state", "standing"};
    asked.param_count = 1;
    return handle_outages(context, &asked);
}

static struct web_answer handle_over(struct web_context *context, const struct web_request *request)
{
    struct web_request asked = *request;
    asked.params[asked.param_count++] = (struct web_param){"state", "over"};
    return handle_outages(context, &asked);
}

struct web_answer handle_ops_outages(struct web_context *context, const struct web_request *request)
{
    struct ops_page p = {.context = context, .language = page_language_of(request)};
    struct web_answer answer;
    json_t *standing = ops_list(context, request, before[0], handle_standing, &answer);
    if (standing == NULL)
        return answer;
    json_t *over = ops_list(context, request, before[0], handle_over, &answer);
    if (over == NULL) {
        json_decref(standing);
        return answer;
    }
    add_begin(&p, request);
    ops_begin_lists(&p, "outages");
    add_outages(&p, json_object_get(standing, "outages"), true);
    add_outages(&p, json_object_get(over, "outages"), false);
    ops_add_more(&p, request, before, before[0], over);
    ops_end_lists(&p);
    json_decref(standing);
    json_decref(over);
    char *content = buf_take(&p.out), *here = page_self(request);
    answer =
        ops_frame(context, p.language, 200, "outages", ops_text(&p, "outages_title", NULL), here, content);
    free(content);
    free(here);
    return answer;
}
