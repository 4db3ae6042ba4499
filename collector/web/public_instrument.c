/* One instrument: the answer, what is ahead, how to get at it, and how all that is known. */
#include "collector/web/public.h"

#include "collector/instrument/outage.h"
#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>

void public_begin_section(struct public_page *page, const char *class, const char *heading)
{
    buf_printf(&page->out, "<section class=\"card %s\"><h3>", class);
    buf_add_html(&page->out, public_text(page, heading, NULL));
    buf_add_str(&page->out, "</h3>");
}

void public_end_section(struct public_page *page)
{
    buf_add_str(&page->out, "</section>");
}

/* ---- the answer ---- */

static void add_head(struct public_page *page, const struct park_instrument *i)
{
    const char *own = public_name(page, i->name, i->name_en);
    const char *other = page->language == PAGE_ZH ? i->name_en : i->name;
    buf_printf(&page->out, "<p class=\"back\"><a href=\"/?lang=%s\">", page_language_name(page->language));
    buf_add_html(&page->out, public_text(page, "public_back", NULL));
    public_add(page, "</a></p><h2 class=\"name\">", own, "</h2><p class=\"quiet\">");
    if (other != NULL && strcmp(own, other) != 0) {
        buf_printf(&page->out, "<span lang=\"%s\">", page->language == PAGE_ZH ? "en" : "zh-CN");
        buf_add_html(&page->out, other);
        buf_add_str(&page->out, "</span> · ");
    }
    if (i->model != NULL) {
        buf_add_html(&page->out, i->model);
        buf_add_str(&page->out, " · ");
    }
    buf_printf(&page->out, "%s</p>", i->id);
}

static void add_answer(struct public_page *page, const struct board_item *item)
{
    enum public_group group = public_group_of(page, item, 0);
    bool is_shared = group != PUBLIC_GROUPS;
    buf_printf(&page->out, "<section class=\"card verdict\" data-id=\"%s\"><p class=\"figure answer of-%s\">",
        item->instrument->id, is_shared ? public_group_name(group) : "closed");
    if (is_shared)
        public_add_icon(page, group);
    public_add_answer(page, item);
    buf_add_str(&page->out, "</p><p class=\"next\">");
    public_add_next(page, item);
    buf_add_str(&page->out, "</p><p class=\"why\">");
    public_add_why(page, item);
    buf_add_str(&page->out, "</p>");
    if (group == PUBLIC_FREE || group == PUBLIC_SOON)
        public_add(page, "<p class=\"quiet\">", public_text(page, "about_group_free", NULL), "</p>");
    char *self = mem_printf("/instruments/%s?lang=", item->instrument->id);
    public_add_as_of(page, self);
    free(self);
    buf_add_str(&page->out, "</section>");
}

/* ---- how it is known ---- */

static void add_source(struct public_page *page, const struct board_item *item, const char *id,
    const char *name, const struct availability_source *source, enum availability_quality quality)
{
    struct when when = public_when(page, item);
    buf_printf(&page->out, "<tr data-source=\"%s\"><th scope=\"row\">", id);
    buf_add_html(&page->out, name);
    public_add(page, "</th><td>", public_text(page, "fresh", availability_qualities[quality]), "</td><td>");
    if (source->last_ms != AVAILABILITY_NONE)
        when_add(&page->out, &when, "last", source->last_ms, WHEN_ENDS);
    else
        buf_add_html(&page->out, public_text(page, "told_never", NULL));
    buf_add_str(&page->out, "</td></tr>");
}

static void add_resource(
    struct public_page *page, const struct board_item *item, const struct board_resource *r)
{
    struct when when = public_when(page, item);
    const struct availability_source *source = &r->state.source;
    bool is_lost = source->is_configured && source->quality != SOURCE_GOOD && source->quality != SOURCE_LATE;
    buf_printf(&page->out, "<tr data-source=\"%s\"><th scope=\"row\">", r->resource->id);
    buf_add_html(&page->out, public_name(page, r->resource->name, r->resource->name_en));
    buf_add_str(&page->out, "</th><td>");
    buf_add_html(&page->out, public_text(page, "resource",
                                 r->state.is_down ? "down"
                                 : is_lost        ? "unknown"
                                                  : "up"));
    if (!r->is_required)
        buf_add_html(&page->out, public_text(page, "resource_optional", NULL));
    buf_add_str(&page->out, "</td><td>");
    if (source->is_configured && source->last_ms != AVAILABILITY_NONE)
        when_add(&page->out, &when, "last", source->last_ms, WHEN_ENDS);
    else
        buf_add_html(
            &page->out, public_text(page, source->is_configured ? "told_never" : "told_by_people", NULL));
    buf_add_str(&page->out, "</td></tr>");
}

static void add_sources(struct public_page *page, const struct board_item *item)
{
    const struct {
        const char *name;
        const struct availability_source *source;
    } sources[] = {{"power", &item->power}, {"session", &item->session}, {"calendar", &item->calendar}};
    public_begin_section(page, "known", "heading_known");
    buf_add_str(&page->out, "<table><thead><tr>");
    for (int i = 0; i < 3; i++) {
        static const char *const heads[] = {"head_source", "head_state", "head_last"};
        public_add(page, "<th scope=\"col\">", public_text(page, heads[i], NULL), "</th>");
    }
    buf_add_str(&page->out, "</tr></thead><tbody>");
    for (size_t i = 0; i < 3; i++)
        if (sources[i].source->is_configured)
            add_source(page, item, sources[i].name, public_text(page, "source", sources[i].name),
                sources[i].source, i == 1 ? item->answer.session_quality : sources[i].source->quality);
    for (size_t i = 0; i < item->resource_count; i++)
        add_resource(page, item, &item->resources[i]);
    buf_add_str(&page->out, "</tbody></table>");
    public_end_section(page);
}

/* ---- planned outages ---- */

static void add_planned(struct public_page *page, const struct board_item *item)
{
    struct when when = public_when(page, item);
    for (size_t i = 0; i < item->outage_count; i++) {
        const struct board_outage *o = &item->outages[i];
        const struct outage_category *category =
            o->category != NULL ? outage_category_find(o->category) : NULL;
        if (!o->is_planned || o->from_ms <= item->answer.as_of_ms)
            continue;
        buf_add_str(&page->out, "<p class=\"planned message\">");
        buf_add_html(&page->out, public_text(page, "planned", NULL));
        buf_add_str(&page->out, page_gap(public_text(page, "planned", NULL)));
        when_add(&page->out, &when, "outage_from", o->from_ms, WHEN_ENDS);
        if (o->until_ms != AVAILABILITY_NONE) {
            buf_add_str(&page->out, " – ");
            when_add(&page->out, &when, "outage_until", o->until_ms, WHEN_BEGINS);
        }
        if (category != NULL) {
            buf_add_str(&page->out, " · ");
            buf_add_html(&page->out, public_name(page, category->name, category->name_en));
        }
        buf_add_str(&page->out, "</p>");
    }
}

static void add_links(struct public_page *page, const struct park_instrument *i)
{
    const char *language = page_language_name(page->language);
    buf_printf(&page->out, "<p class=\"links\"><a href=\"/api/v1/instruments/%s.ics\">", i->id);
    buf_add_html(&page->out, public_text(page, "link_feed", NULL));
    buf_printf(&page->out, "</a> <a href=\"/instruments/%s/label?lang=%s\">", i->id, language);
    buf_add_html(&page->out, public_text(page, "link_label", NULL));
    buf_printf(&page->out, "</a> <a href=\"/api/v1/instruments/%s\">", i->id);
    buf_add_html(&page->out, public_text(page, "link_json", NULL));
    buf_add_str(&page->out, "</a></p>");
}

void public_write_instrument(struct public_page *page, const struct board_item *item)
{
    add_head(page, item->instrument);
    add_answer(page, item);
    if (item->answer.status == AVAILABILITY_NOT_SHARED)
        return;
    add_planned(page, item);
    buf_add_str(&page->out, "<div class=\"columns\">");
    public_add_ways(page, item);
    public_add_ahead(page, item);
    add_sources(page, item);
    buf_add_str(&page->out, "</div>");
    add_links(page, item->instrument);
}
