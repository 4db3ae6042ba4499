#include "collector/web/ops_page.h"

#include "collector/web/when.h"
#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>

const char *ops_text(const struct ops_page *p, const char *prefix, const char *name)
{
    char key[64];
    snprintf(key, sizeof key, "%s%s%s", prefix, name != NULL ? "_" : "", name != NULL ? name : "");
    return context_text(p->context, p->language, key);
}

const char *ops_member(const json_t *item, const char *name)
{
    const char *text = json_string_value(json_object_get(item, name));
    return text != NULL ? text : "";
}

void ops_add_offset(const struct ops_page *p, const char *time, struct buf *out)
{
    size_t clock = strlen("2026-03-02T18:06:00");
    const char *offset = strlen(time) > clock ? strpbrk(time + clock, "+-Z") : NULL;
    if (offset != NULL && context_has_zones(p->context))
        buf_printf(out, " <span class=\"nowrap\">%s</span>", offset[0] == 'Z' ? "UTC" : offset);
}

const char *ops_help(const struct ops_page *p, const char *key)
{
    static const char *const times[][2] = {
        {"help_time", "help_time_zones"}, {"help_outage_now", "help_outage_now_zones"}};
    const char *said = key;
    for (size_t i = 0; i < sizeof times / sizeof times[0] && context_has_zones(p->context); i++)
        if (strcmp(key, times[i][0]) == 0)
            said = times[i][1];
    return ops_text(p, said, NULL);
}

void ops_add_text(struct ops_page *p, const char *element, const char *key)
{
    buf_printf(&p->out, "<%s>", element);
    buf_add_html(&p->out, ops_text(p, key, NULL));
    buf_printf(&p->out, "</%s>", element);
}

void ops_say(struct ops_page *p, const char *key, const char *html)
{
    const char *text = ops_text(p, key, NULL), *at = strstr(text, "{}");
    char *before = mem_printf("%.*s", (int)(at != NULL ? at - text : (ptrdiff_t)strlen(text)), text);
    buf_add_html(&p->out, before);
    buf_add_str(&p->out, html);
    buf_add_html(&p->out, at != NULL ? at + strlen("{}") : "");
    free(before);
}

void ops_add_bracketed(const struct ops_page *p, const char *text, struct buf *out)
{
    buf_add_str(out, p->language == PAGE_ZH ? "（" : " (");
    buf_add_html(out, text);
    buf_add_str(out, p->language == PAGE_ZH ? "）" : ")");
}

void ops_add_heading(struct ops_page *p, const char *key)
{
    buf_add_str(&p->out, "<h2 class=\"heading\">");
    buf_add_html(&p->out, ops_text(p, key, NULL));
    buf_add_str(&p->out, "</h2>");
}

void ops_begin_table(struct ops_page *p, const char *heading, const char *const *keys)
{
    if (heading != NULL)
        ops_add_heading(p, heading);
    buf_add_str(&p->out, "<table class=\"list\"><thead><tr>");
    for (size_t i = 0; keys[i] != NULL; i++) {
        buf_add_str(&p->out, "<th scope=\"col\">");
        buf_add_html(&p->out, ops_text(p, keys[i], NULL));
        buf_add_str(&p->out, "</th>");
    }
    buf_add_str(&p->out, "</tr></thead><tbody>");
}

static void begin_cell(struct ops_page *p, const char *title, bool is_note)
{
    buf_printf(&p->out, "<td%s data-title=\"", is_note ? " class=\"note\"" : "");
    buf_add_html(&p->out, ops_text(p, title, NULL));
    buf_add_str(&p->out, "\">");
}

static void add_cell(struct ops_page *p, const char *title, const char *text, bool is_note)
{
    begin_cell(p, title, is_note);
    buf_add_html(&p->out, text);
    buf_add_str(&p->out, "</td>");
}

void ops_add_cell(struct ops_page *p, const char *title, const char *text)
{
    add_cell(p, title, text, false);
}

void ops_add_note(struct ops_page *p, const char *title, const char *text)
{
    add_cell(p, title, text, true);
}

static bool is_time(const char *text)
{
    return strlen(text) >= strlen("2026-03-02T18:06:00") && text[10] == 'T';
}

void ops_add_clock(const struct ops_page *p, const char *time, struct buf *out)
{
    if (!is_time(time))
        return;
    bool is_minute = strncmp(time + 16, ":00", 3) == 0;
    buf_printf(out, "<span class=\"nowrap\">%.10s</span> <span class=\"nowrap\">%.*s</span>", time,
        is_minute ? 5 : 8, time + 11);
    ops_add_offset(p, time, out);
}

void ops_add_time(struct ops_page *p, const char *title, const char *text)
{
    if (!is_time(text)) {
        ops_add_cell(p, title, text);
        return;
    }
    begin_cell(p, title, false);
    buf_add_str(&p->out, "<span>");
    ops_add_clock(p, text, &p->out);
    buf_add_str(&p->out, "</span></td>");
}

void ops_begin_lists(struct ops_page *p, const char *view)
{
    int64_t now_ms = p->context->clock->wall_ms();
    struct when when = {.zone = context_zone(p->context, NULL), .texts = p->context->texts[p->language]};
    json_t *as_of = context_time(p->context, NULL, now_ms);
    buf_add_str(&p->out, "<p class=\"quiet\" id=\"lists-age\">");
    buf_add_html(&p->out, ops_text(p, "as_of", NULL));
    buf_add_char(&p->out, ' ');
    when_add_second(&p->out, &when, "as_of", now_ms);
    ops_add_offset(p, json_string_value(as_of), &p->out);
    buf_printf(
        &p->out, "</p><div id=\"lists\" class=\"%s\" data-as-of=\"%s\">", view, json_string_value(as_of));
    json_decref(as_of);
}

void ops_end_lists(struct ops_page *p)
{
    buf_add_str(&p->out, "</div><script type=\"module\" src=\"/assets/lists.js\"></script>");
}

void ops_add_done(struct ops_page *p, const char *key, const struct web_request *request)
{
    const char *done = request_param(request, "done");
    if (done == NULL)
        return;
    buf_add_str(&p->out, "<p class=\"message done\" role=\"status\">");
    buf_add_html(&p->out, ops_text(p, key, NULL));
    buf_add_str(&p->out, page_gap(ops_text(p, key, NULL)));
    buf_add_html(&p->out, done);
    buf_add_str(&p->out, "</p>");
}

void ops_add_more(struct ops_page *p, const struct web_request *request, const char *const *params,
    const char *param, const json_t *said)
{
    const json_t *next = json_object_get(said, "next_before");
    if (!json_is_integer(next))
        return;
    buf_printf(&p->out, "<p class=\"actions\"><a href=\"%s?", request->path);
    for (size_t i = 0; params[i] != NULL; i++)
        if (strcmp(params[i], param) != 0 && request_param(request, params[i]) != NULL)
            buf_printf(&p->out, "%s=%s&amp;", params[i], request_param(request, params[i]));
    buf_printf(&p->out, "%s=%lld&amp;lang=%s\">", param, (long long)json_integer_value(next),
        page_language_name(p->language));
    buf_add_html(&p->out, ops_text(p, "list_more", NULL));
    buf_add_str(&p->out, "</a></p>");
}

json_t *ops_list(struct web_context *context, const struct web_request *request, const char *param,
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

void ops_add_hidden(const char *name, const char *value, struct buf *out)
{
    buf_printf(out, "<input type=\"hidden\" name=\"%s\" value=\"", name);
    buf_add_html(out, value);
    buf_add_str(out, "\">");
}

void ops_add_wrong(struct buf *out, const char *text)
{
    buf_add_str(out, "<p class=\"wrong\" role=\"alert\">");
    buf_add_html(out, text);
    buf_add_str(out, "</p>");
}

void ops_add_message(struct buf *out, const char *message, const char *detail)
{
    if (message == NULL)
        return;
    buf_add_str(out, "<p class=\"message\" role=\"alert\">");
    buf_add_html(out, message);
    buf_add_str(out, "</p>");
    if (detail != NULL && strcmp(detail, message) != 0) {
        buf_add_str(out, "<p class=\"quiet\" lang=\"en\">");
        buf_add_html(out, detail);
        buf_add_str(out, "</p>");
    }
}
