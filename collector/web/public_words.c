#include "collector/web/public.h"

#include "collector/instrument/ahead.h"
#include "collector/instrument/outage.h"

#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name, *icon;
} groups[] = {{"free", "✓"}, {"soon", "◔"}, {"busy", "●"}, {"closed", "○"}, {"unknown", "?"}, {"out", "✕"}};

const char *public_group_name(enum public_group group)
{
    return groups[group].name;
}

bool public_is_old(const struct public_page *page)
{
    return board_is_old(page->board, page->now_ms);
}

static enum availability_status status_of(const struct public_page *page, const struct board_item *item)
{
    enum availability_status status = item->answer.status;
    return status != AVAILABILITY_NOT_SHARED && public_is_old(page) ? AVAILABILITY_UNKNOWN : status;
}

static bool is_free_soon(const struct board_item *item, int64_t length_ms)
{
    const struct availability *a = &item->answer;
    int64_t next_ms = a->next_free_ms;
    if (next_ms != AVAILABILITY_NONE && length_ms > 0) {
        struct ahead_slot slot = ahead_find(&item, 1, length_ms);
        next_ms = slot.found == AHEAD_SLOT ? slot.begin_ms : AVAILABILITY_NONE;
    }
    return next_ms != AVAILABILITY_NONE && next_ms - a->as_of_ms <= PUBLIC_SOON_MS;
}

enum public_group public_group_of(
    const struct public_page *page, const struct board_item *item, int64_t length_ms)
{
    switch (status_of(page, item)) {
    case AVAILABILITY_NOT_SHARED:
        return PUBLIC_GROUPS;
    case AVAILABILITY_OUT_OF_SERVICE:
        return PUBLIC_OUT;
    case AVAILABILITY_IN_USE:
    case AVAILABILITY_RESERVED:
        return is_free_soon(item, length_ms) ? PUBLIC_SOON : PUBLIC_BUSY;
    case AVAILABILITY_CLOSED:
        return is_free_soon(item, length_ms) ? PUBLIC_SOON : PUBLIC_CLOSED;
    case AVAILABILITY_UNKNOWN:
        return PUBLIC_UNKNOWN;
    case AVAILABILITY_SHORT:
    case AVAILABILITY_DEGRADED:
    case AVAILABILITY_AVAILABLE:
        break;
    }
    return PUBLIC_FREE;
}

/* ---- words ---- */

const char *public_text(const struct public_page *page, const char *prefix, const char *name)
{
    char key[64];
    snprintf(key, sizeof key, "%s%s%s", prefix, name != NULL ? "_" : "", name != NULL ? name : "");
    return context_text(page->context, page->language, key);
}

const char *public_name(const struct public_page *page, const char *zh, const char *en)
{
    const char *first = page->language == PAGE_ZH ? zh : en, *second = page->language == PAGE_ZH ? en : zh;
    return first != NULL ? first : second != NULL ? second : "";
}

struct when public_when(const struct public_page *page, const struct board_item *item)
{
    return (struct when){
        .zone = item->zone, .now_ms = page->now_ms, .texts = page->context->texts[page->language]};
}

void public_add(struct public_page *page, const char *before, const char *text, const char *after)
{
    buf_add_str(&page->out, before);
    buf_add_html(&page->out, text);
    buf_add_str(&page->out, after);
}

void public_say(struct public_page *page, const char *text, const char *html)
{
    const char *mark = strstr(text, "{}");
    if (mark == NULL) {
        buf_add_html(&page->out, text);
        return;
    }
    char before[512];
    snprintf(before, sizeof before, "%.*s", (int)(mark - text), text);
    buf_add_html(&page->out, before);
    buf_add_str(&page->out, html);
    buf_add_html(&page->out, mark + 2);
}

void public_say_time(struct public_page *page, const struct board_item *item, const char *key,
    const char *name, int64_t time_ms, enum when_edge edge)
{
    struct buf time = {0};
    struct when when = public_when(page, item);
    when_add(&time, &when, name, time_ms, edge);
    public_say(page, public_text(page, key, NULL), time.data);
    buf_release(&time);
}

void public_add_icon(struct public_page *page, enum public_group group)
{
    buf_printf(&page->out, "<span class=\"icon\" aria-hidden=\"true\">%s</span> ", groups[group].icon);
}

/* Where what is known says how long: what is free until when, anything else since when. */
void public_add_answer(struct public_page *page, const struct board_item *item)
{
    const struct availability *a = &item->answer;
    enum availability_status status = status_of(page, item);
    bool is_free = status >= AVAILABILITY_SHORT;
    int64_t time_ms = status != a->status ? AVAILABILITY_NONE : is_free ? a->free_until_ms : a->since_ms;
    char key[64];
    snprintf(key, sizeof key, "state_%s%s", availability_statuses[status],
        time_ms == AVAILABILITY_NONE ? "" : "_time");
    if (time_ms == AVAILABILITY_NONE)
        public_say(page, public_text(page, key, NULL), "");
    else
        public_say_time(page, item, key, is_free ? "free_until" : "since", time_ms, WHEN_ENDS);
}

void public_add_next(struct public_page *page, const struct board_item *item)
{
    const struct availability *a = &item->answer;
    enum availability_status status = status_of(page, item);
    bool is_known = status == a->status && a->next_free_ms != AVAILABILITY_NONE;
    switch (status) {
    case AVAILABILITY_NOT_SHARED:
    case AVAILABILITY_UNKNOWN:
    case AVAILABILITY_DEGRADED:
    case AVAILABILITY_AVAILABLE:
        return;
    case AVAILABILITY_SHORT:
    case AVAILABILITY_OUT_OF_SERVICE:
    case AVAILABILITY_IN_USE:
    case AVAILABILITY_CLOSED:
    case AVAILABILITY_RESERVED:
        break;
    }
    if (is_known)
        public_say_time(page, item, status == AVAILABILITY_SHORT ? "next_long" : "next_free", "next_free",
            a->next_free_ms, WHEN_BEGINS);
    else
        public_say(page, public_text(page, "next_unknown", NULL), "");
}

/* ---- why ---- */

void public_add_source(struct public_page *page, const struct board_item *item, const char *name,
    const struct availability_source *source)
{
    buf_add_html(&page->out, name);
    buf_add_html(&page->out, public_text(page, "colon", NULL));
    if (source->last_ms == AVAILABILITY_NONE)
        public_say(page, public_text(page, "told_never", NULL), "");
    else
        public_say_time(page, item, "told_last", "last", source->last_ms, WHEN_ENDS);
}

static void begin_detail(struct public_page *page)
{
    buf_add_str(&page->out, "<span class=\"detail\">");
}

static void end_detail(struct public_page *page)
{
    buf_add_str(&page->out, "</span>");
}

static void add_stale(struct public_page *page, const struct board_item *item)
{
    static const char *const names[] = {"power", "session", "calendar"};
    const struct availability_source *const sources[] = {&item->power, &item->session, &item->calendar};
    for (size_t i = 0; i < 3; i++) {
        if (!sources[i]->is_configured || availability_is_fresh(sources[i]))
            continue;
        begin_detail(page);
        public_add_source(page, item, public_text(page, "source", names[i]), sources[i]);
        end_detail(page);
    }
    for (size_t i = 0; i < item->resource_count; i++) {
        const struct board_resource *r = &item->resources[i];
        if (!r->is_required || !r->state.source.is_configured || availability_is_fresh(&r->state.source))
            continue;
        begin_detail(page);
        public_add_source(
            page, item, public_name(page, r->resource->name, r->resource->name_en), &r->state.source);
        end_detail(page);
    }
}

static void add_resources(struct public_page *page, const struct board_item *item, bool is_required)
{
    for (size_t i = 0; i < item->resource_count; i++) {
        const struct board_resource *r = &item->resources[i];
        bool is_lost =
            !is_required && r->state.source.is_configured && !availability_is_fresh(&r->state.source);
        if (r->is_required != is_required || (!r->state.is_down && !is_lost))
            continue;
        begin_detail(page);
        buf_add_html(&page->out, public_name(page, r->resource->name, r->resource->name_en));
        buf_add_html(&page->out, public_text(page, "colon", NULL));
        buf_add_html(&page->out, public_text(page, "resource", r->state.is_down ? "down" : "unknown"));
        end_detail(page);
    }
}

/* The category is public, what people wrote beside is not. */
static const char *category_name(const struct public_page *page, const char *code)
{
    const struct outage_category *found = code != NULL ? outage_category_find(code) : NULL;
    return found != NULL ? public_name(page, found->name, found->name_en) : code != NULL ? code : "";
}

static void add_outage(struct public_page *page, const struct board_item *item, const struct board_outage *o)
{
    begin_detail(page);
    buf_add_html(&page->out, category_name(page, o->category));
    if (o->until_ms != AVAILABILITY_NONE) {
        buf_add_html(&page->out, public_text(page, "comma", NULL));
        public_say_time(page, item, "until", "outage_until", o->until_ms, WHEN_BEGINS);
    }
    end_detail(page);
}

enum outage_of { OF_BROKEN, OF_PLANNED, OF_PROBLEM };

static enum outage_of kind_of(const struct board_outage *o)
{
    return o->is_planned ? OF_PLANNED : o->is_problem ? OF_PROBLEM : OF_BROKEN;
}

static void add_outages(struct public_page *page, const struct board_item *item, enum outage_of kind)
{
    int64_t now_ms = item->answer.as_of_ms;
    for (size_t i = 0; i < item->outage_count; i++) {
        const struct board_outage *o = &item->outages[i];
        bool is_now = o->from_ms <= now_ms && (o->until_ms == AVAILABILITY_NONE || o->until_ms > now_ms);
        if (is_now && kind_of(o) == kind)
            add_outage(page, item, o);
    }
}

void public_add_why(struct public_page *page, const struct board_item *item)
{
    const char *reason = item->answer.reason;
    bool is_old = status_of(page, item) != item->answer.status;
    buf_add_html(&page->out, public_text(page, "why", is_old ? "old" : reason));
    if (is_old)
        return;
    if (strcmp(reason, "stale") == 0)
        add_stale(page, item);
    else if (strcmp(reason, "resource_down") == 0 || strcmp(reason, "optional_resource") == 0)
        add_resources(page, item, reason[0] == 'r');
    else if (strcmp(reason, "outage") == 0)
        add_outages(page, item, OF_BROKEN);
    else if (strcmp(reason, "planned_outage") == 0)
        add_outages(page, item, OF_PLANNED);
    else if (strcmp(reason, "problem") == 0)
        add_outages(page, item, OF_PROBLEM);
}

/* ---- where, and as of when ---- */

void public_add_place(struct public_page *page, const struct board_item *item)
{
    const struct park_instrument *i = item->instrument;
    const char *location = public_name(page, i->location, i->location_en);
    if (page->board->model->park->sites.count > 1) {
        buf_add_html(&page->out, public_name(page, i->building->site->name, i->building->site->name_en));
        buf_add_html(&page->out, public_text(page, "comma", NULL));
    }
    const char *building = public_name(page, i->building->name, i->building->name_en);
    if (strncmp(location, building, strlen(building)) != 0) {
        buf_add_html(&page->out, building);
        if (location[0] != '\0')
            buf_add_html(&page->out, public_text(page, "comma", NULL));
    }
    buf_add_html(&page->out, location);
}

static void add_warning(struct public_page *page, const char *key)
{
    buf_add_str(&page->out, "<p class=\"message\" role=\"alert\">");
    public_say(page, public_text(page, key, NULL), "");
    buf_add_str(&page->out, "</p>");
}

void public_add_as_of(struct public_page *page, const char *self)
{
    struct when when = {.zone = page->board->count > 0 ? page->board->items[0].zone : NULL,
        .now_ms = page->now_ms,
        .texts = page->context->texts[page->language]};
    struct buf time = {0};
    when_add_second(&time, &when, "as_of", page->board->made_ms);
    if (public_is_old(page))
        add_warning(page, "board_old");
    if (!page->board->is_clock_synchronised)
        add_warning(page, "board_clock");
    buf_add_str(&page->out, "<p class=\"as-of quiet\">");
    public_say(page, public_text(page, "public_as_of", NULL), time.data);
    buf_add_str(&page->out, " <a href=\"");
    buf_add_html(&page->out, self);
    buf_printf(&page->out, "%s\">", page_language_name(page->language));
    buf_add_html(&page->out, public_text(page, "public_reload", NULL));
    public_add(page, "</a></p><p class=\"message aged\">", public_text(page, "public_aged", NULL), "</p>");
    buf_release(&time);
}
