/* The list of instruments, in its groups. */
#include "collector/web/public.h"

#include "collector/instrument/search.h"
#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>

#define CARDS_MAX 400 /* of a page that a phone can bear */

struct entry {
    const struct board_item *item;
    enum public_group group;
};

struct list {
    struct entry *entries;
    size_t count, shared; /* shared: of which these are those that were asked for */
};

/* ---- what is shown ---- */

/* Longest free first; what is free for less than the minimum slot, or with limits, after that. */
static int compare_free(const struct availability *a, const struct availability *b)
{
    if (a->status != b->status)
        return a->status > b->status ? -1 : 1;
    int64_t a_ms = a->free_until_ms == AVAILABILITY_NONE ? INT64_MAX : a->free_until_ms;
    int64_t b_ms = b->free_until_ms == AVAILABILITY_NONE ? INT64_MAX : b->free_until_ms;
    return a_ms == b_ms ? 0 : a_ms > b_ms ? -1 : 1;
}

/* Soonest first, those of which nobody knows last; then in the order of the park. */
static int compare(const void *left, const void *right)
{
    const struct entry *a = left, *b = right;
    if (a->group != b->group)
        return a->group < b->group ? -1 : 1;
    const struct availability *x = &a->item->answer, *y = &b->item->answer;
    int order = a->group == PUBLIC_FREE ? compare_free(x, y) : 0;
    if (order == 0 && a->group != PUBLIC_FREE && x->next_free_ms != y->next_free_ms)
        order = y->next_free_ms == AVAILABILITY_NONE                                        ? -1
                : x->next_free_ms == AVAILABILITY_NONE || x->next_free_ms > y->next_free_ms ? 1
                                                                                            : -1;
    return order != 0 ? order : a->item < b->item ? -1 : a->item > b->item;
}

/* NULL: it is found; else the name of the parameter of which there is none of that id. */
static const char *wish_of(
    const struct park *park, const struct public_filter *filter, struct search_wish *ret)
{
    *ret = (struct search_wish){0};
    search_wish_type(ret, public_is_given(filter->q) ? filter->q : NULL, NULL,
        public_is_given(filter->organisation) ? filter->organisation : NULL);
    CONF_EACH (const struct park_category, category, park->categories)
        if (public_is_given(filter->category) && strcmp(category->id, filter->category) == 0)
            ret->category = category;
    CONF_EACH (const struct park_building, building, park->buildings)
        if (public_is_given(filter->building) && strcmp(building->id, filter->building) == 0)
            ret->building = building;
    if (public_is_given(filter->category) && ret->category == NULL)
        return "category";
    return public_is_given(filter->building) && ret->building == NULL ? "building" : NULL;
}

const char *public_find_unknown(const struct park *park, const struct public_filter *filter)
{
    struct search_wish wish;
    const char *name = wish_of(park, filter, &wish);
    search_wish_release(&wish);
    return name;
}

static bool fits(const struct entry *entry, const struct public_filter *filter)
{
    const struct availability *a = &entry->item->answer;
    bool is_long =
        a->free_until_ms == AVAILABILITY_NONE || a->free_until_ms - a->as_of_ms >= filter->length_ms;
    return !filter->is_free || (entry->group == PUBLIC_FREE && is_long);
}

static struct list list_of(const struct public_page *page, const struct public_filter *filter)
{
    const struct board *board = page->board;
    struct list list = {.entries = mem_zalloc((board->count + 1) * sizeof *list.entries)};
    struct search_wish wish;
    bool is_any = wish_of(board->model->park, filter, &wish) == NULL;
    for (size_t i = 0; i < board->count; i++) {
        struct entry entry = {&board->items[i], public_group_of(page, &board->items[i], filter->length_ms)};
        if (entry.group == PUBLIC_GROUPS)
            continue;
        list.shared++;
        if (is_any && fits(&entry, filter) && search_is_match(page->search, i, &wish))
            list.entries[list.count++] = entry;
    }
    search_wish_release(&wish);
    qsort(list.entries, list.count, sizeof *list.entries, compare);
    return list;
}

/* ---- the list ---- */

/* Whether there is more to say than the answer does. */
static bool has_more(const struct entry *entry)
{
    enum availability_status status = entry->item->answer.status;
    return entry->group == PUBLIC_UNKNOWN ||
           (status != AVAILABILITY_AVAILABLE && status != AVAILABILITY_CLOSED &&
               status != AVAILABILITY_IN_USE);
}

static void add_card(struct public_page *page, const struct entry *entry, const struct public_filter *filter)
{
    const struct board_item *item = entry->item;
    const struct park_instrument *i = item->instrument;
    buf_printf(&page->out,
        "<li class=\"card instrument\" data-id=\"%s\"><h3><a href=\"/instruments/%s?lang=%s\">", i->id, i->id,
        page_language_name(page->language));
    buf_add_html(&page->out, public_name(page, i->name, i->name_en));
    buf_printf(&page->out, "</a></h3><p class=\"answer of-%s\">", public_group_name(entry->group));
    public_add_icon(page, entry->group);
    public_add_answer(page, item);
    buf_add_str(&page->out, "</p><p class=\"next\">");
    public_add_next(page, item);
    buf_add_str(&page->out, "</p>");
    if (filter->length_ms > 0 && !filter->is_free) {
        buf_add_str(&page->out, "<p class=\"slot\">");
        public_add_slot(page, item, filter->length_ms);
        buf_add_str(&page->out, "</p>");
    }
    if (has_more(entry)) {
        buf_add_str(&page->out, "<p class=\"why\">");
        public_add_why(page, item);
        buf_add_str(&page->out, "</p>");
    }
    buf_add_str(&page->out, "<p class=\"quiet\">");
    public_add_place(page, item);
    if (i->model != NULL) {
        buf_add_str(&page->out, " · ");
        buf_add_html(&page->out, i->model);
    }
    buf_add_str(&page->out, "</p></li>");
}

static size_t count_of(const struct list *list, enum public_group group)
{
    size_t count = 0;
    for (size_t i = 0; i < list->count; i++)
        count += list->entries[i].group == group;
    return count;
}

/* How many are where: what a visitor came for, before anything else. */
static void add_counts(struct public_page *page, const struct list *list)
{
    buf_add_str(&page->out, "<ul class=\"counts\">");
    for (int group = 0; group < PUBLIC_GROUPS; group++) {
        size_t count = count_of(list, (enum public_group)group);
        const char *name = public_group_name((enum public_group)group);
        if (count == 0 && group != PUBLIC_FREE)
            continue;
        buf_printf(&page->out, "<li><a class=\"pill of-%s\" href=\"#%s\">", name, name);
        public_add_icon(page, (enum public_group)group);
        buf_printf(&page->out, "<b>%zu</b> ", count);
        buf_add_html(&page->out, public_text(page, "group", name));
        buf_add_str(&page->out, "</a></li>");
    }
    buf_add_str(&page->out, "</ul>");
}

static void add_group(struct public_page *page, const struct list *list, enum public_group group,
    const struct public_filter *filter)
{
    const char *name = public_group_name(group);
    bool is_empty = count_of(list, group) == 0;
    if (is_empty && group != PUBLIC_FREE)
        return;
    buf_printf(&page->out, "<section aria-labelledby=\"%s\"><h2 class=\"heading of-%s\" id=\"%s\">", name,
        name, name);
    public_add_icon(page, group);
    public_add(page, "<span>", public_text(page, "group", name), "</span></h2>");
    const char *about = public_text(page, is_empty ? "none" : "about_group", name);
    if (about[0] != '\0')
        public_add(page, "<p class=\"quiet\">", about, "</p>");
    buf_add_str(&page->out, "<ul class=\"cards\">");
    for (size_t i = 0; i < list->count && i < CARDS_MAX; i++)
        if (list->entries[i].group == group)
            add_card(page, &list->entries[i], filter);
    buf_add_str(&page->out, "</ul></section>");
}

static void add_nothing(struct public_page *page, const struct list *list)
{
    buf_add_str(&page->out, "<p class=\"card\">");
    buf_add_html(&page->out, public_text(page, list->shared == 0 ? "public_empty" : "public_no_match", NULL));
    if (list->shared > 0) {
        buf_printf(&page->out, " <a href=\"/?lang=%s\">", page_language_name(page->language));
        buf_add_html(&page->out, public_text(page, "public_all", NULL));
        buf_add_str(&page->out, "</a>");
    }
    buf_add_str(&page->out, "</p>");
}

void public_write_list(struct public_page *page, const struct public_filter *filter)
{
    struct list list = list_of(page, filter);
    if (list.count > 0)
        add_counts(page, &list);
    if (list.shared > 0)
        public_add_form(page, filter);
    if (list.count == 0)
        add_nothing(page, &list);
    for (int group = 0; list.count > 0 && group < PUBLIC_GROUPS; group++)
        if (!filter->is_free || group == PUBLIC_FREE)
            add_group(page, &list, (enum public_group)group, filter);
    if (list.count > CARDS_MAX)
        public_add(page, "<p class=\"card\">", public_text(page, "public_more", NULL), "</p>");
    free(list.entries);
}
