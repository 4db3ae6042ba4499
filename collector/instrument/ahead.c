#include "collector/instrument/ahead.h"

#include "collector/instrument/next_free.h"
#include "lib/mem.h"

#include <stdlib.h>

const char *const ahead_founds[] = {"slot", "none", "not_known", NULL};

void ahead_open(const struct board_item *item, int64_t from_ms, int64_t until_ms, struct busy_list *ret)
{
    struct busy limits = {from_ms, until_ms};
    for (int64_t at_ms = from_ms; at_ms < until_ms;) {
        struct opening_now now = opening_at(&item->instrument->opening, item->zone, at_ms);
        if (now.is_open)
            busy_list_add(ret, at_ms, now.until_ms, limits);
        at_ms = now.until_ms;
    }
}

static void add(struct busy_list *to, const struct availability_list *list, struct busy limits)
{
    for (size_t i = 0; i < list->count; i++)
        busy_list_add(to, list->items[i].from_ms, list->items[i].until_ms, limits);
}

void ahead_taken(const struct board_item *item, int64_t from_ms, int64_t until_ms, struct busy_list *ret)
{
    struct busy limits = {from_ms, until_ms};
    add(ret, &item->bookings, limits);
    add(ret, &item->planned, limits);
    busy_list_merge(ret);
}

bool ahead_free(const struct board_item *item, int64_t from_ms, int64_t until_ms, struct busy_list *ret)
{
    int64_t next_ms = item->answer.next_free_ms;
    if (next_ms == AVAILABILITY_NONE)
        return false;
    if (from_ms < next_ms)
        from_ms = next_ms;
    struct busy_list open = {0}, taken = {0};
    ahead_open(item, from_ms, until_ms, &open);
    ahead_taken(item, from_ms, until_ms, &taken);
    struct next_free_of one = {&taken, NULL};
    for (size_t i = 0; i < open.count; i++)
        for (int64_t at_ms = open.items[i].begin_ms, end_ms; at_ms < open.items[i].end_ms; at_ms = end_ms) {
            size_t in = busy_list_at(&taken, at_ms);
            if (busy_list_has(&taken, at_ms)) {
                end_ms = taken.items[in].end_ms;
                continue;
            }
            end_ms = next_free_until(&one, 1, at_ms, open.items[i].end_ms);
            busy_list_add(ret, at_ms, end_ms, open.items[i]);
        }
    busy_list_release(&open);
    busy_list_release(&taken);
    return true;
}

bool ahead_offered(const struct board_item *item, int64_t from_ms, int64_t until_ms, struct busy_list *ret)
{
    int64_t slot_ms = item->instrument->minimum_slot_ms;
    struct busy limits = {from_ms, until_ms};
    struct busy_list gaps = {0};
    bool is_known = ahead_free(item, from_ms - slot_ms, until_ms + slot_ms, &gaps);
    busy_list_merge(&gaps);
    for (size_t i = 0; i < gaps.count; i++)
        if (gaps.items[i].end_ms - gaps.items[i].begin_ms >= slot_ms)
            busy_list_add(ret, gaps.items[i].begin_ms, gaps.items[i].end_ms, limits);
    busy_list_release(&gaps);
    return is_known;
}

/* What is looked through of one instrument. */
struct view {
    struct busy_list open, taken;
};

static struct next_free_of view_init(
    struct view *v, const struct board_item *item, int64_t from_ms, int64_t until_ms)
{
    *v = (struct view){0};
    ahead_open(item, from_ms, until_ms, &v->open);
    ahead_taken(item, from_ms, until_ms, &v->taken);
    return (struct next_free_of){&v->taken, &v->open};
}

static void view_release(struct view *v)
{
    busy_list_release(&v->open);
    busy_list_release(&v->taken);
}

/* The board does not say when: because there is no such time, or because it is not known what is now. */
static bool is_known_never(const struct board_item *item)
{
    int64_t from_ms = item->answer.as_of_ms, length_ms = item->instrument->minimum_slot_ms, begin_ms;
    int64_t until_ms = from_ms + AVAILABILITY_AHEAD_MS + length_ms;
    struct view view;
    struct next_free_of one = view_init(&view, item, from_ms, until_ms);
    bool is_some = next_free(&one, 1, from_ms, until_ms, length_ms, &begin_ms);
    view_release(&view);
    return !is_some;
}

struct ahead_slot ahead_find(const struct board_item *const *items, size_t count, int64_t length_ms)
{
    struct ahead_slot slot = {.found = AHEAD_NONE, .length_ms = length_ms};
    int64_t now_ms = items[0]->answer.as_of_ms, from_ms = now_ms;
    bool is_never = false;
    for (size_t i = 0; i < count; i++) {
        const struct board_item *item = items[i];
        if (slot.length_ms < item->instrument->minimum_slot_ms)
            slot.length_ms = item->instrument->minimum_slot_ms;
        if (item->answer.next_free_ms != AVAILABILITY_NONE)
            from_ms = item->answer.next_free_ms > from_ms ? item->answer.next_free_ms : from_ms;
        else if (is_known_never(item))
            is_never = true;
        else if (slot.of == NULL)
            slot.of = item;
    }
    if (slot.of != NULL || is_never) {
        slot.found = slot.of != NULL ? AHEAD_NOT_KNOWN : AHEAD_NONE;
        return slot;
    }
    int64_t until_ms = now_ms + AVAILABILITY_AHEAD_MS + slot.length_ms;
    struct view *views = mem_zalloc(count * sizeof *views);
    struct next_free_of *all = mem_zalloc(count * sizeof *all);
    for (size_t i = 0; i < count; i++)
        all[i] = view_init(&views[i], items[i], from_ms, until_ms);
    if (next_free(all, count, from_ms, until_ms, slot.length_ms, &slot.begin_ms)) {
        slot.found = AHEAD_SLOT;
        int64_t end_ms = next_free_until(all, count, slot.begin_ms, until_ms);
        slot.until_ms = end_ms < until_ms ? end_ms : AVAILABILITY_NONE;
    }
    for (size_t i = 0; i < count; i++)
        view_release(&views[i]);
    free(views);
    free(all);
    return slot;
}
