/* The days ahead of an instrument: when it is open, taken and free, by day, as a strip and in words. */
#include "collector/web/public.h"

#include "collector/instrument/ahead.h"

#include <string.h>

#define DAYS_AHEAD 7

static void add_spans(struct public_page *page, const struct board_item *item, const char *key, int64_t day,
    const struct busy_list *spans)
{
    struct when when = public_when(page, item);
    if (spans->count == 0)
        return;
    buf_printf(&page->out, "<p class=\"%s\">", key);
    buf_add_html(&page->out, public_text(page, key, NULL));
    for (size_t i = 0; i < spans->count; i++) {
        bool is_free = strcmp(key, "day_free") == 0;
        if (i > 0)
            buf_add_html(&page->out, public_text(page, "comma", NULL));
        else
            buf_add_str(&page->out, page_gap(public_text(page, key, NULL)));
        when_add_clock(&page->out, &when, day, spans->items[i].begin_ms, is_free ? WHEN_BEGINS : WHEN_ENDS);
        buf_add_str(&page->out, "–");
        when_add_clock(&page->out, &when, day, spans->items[i].end_ms, is_free ? WHEN_ENDS : WHEN_BEGINS);
    }
    buf_add_str(&page->out, "</p>");
}

static void add_bars(struct public_page *page, const char *class, const struct busy_list *spans,
    int64_t from_ms, int64_t until_ms)
{
    for (size_t i = 0; i < spans->count; i++) {
        double width = 960.0 / (double)(until_ms - from_ms);
        buf_printf(&page->out, "<rect class=\"%s\" x=\"%.1f\" y=\"0\" width=\"%.1f\" height=\"20\"/>", class,
            (double)(spans->items[i].begin_ms - from_ms) * width,
            (double)(spans->items[i].end_ms - spans->items[i].begin_ms) * width);
    }
}

struct day {
    int64_t number;
    int64_t begin_ms, from_ms, until_ms; /* from: what is over is not told */
    struct busy_list open, taken, free;
};

/* `is_known`: when it is free can be told. */
static void add_day(struct public_page *page, const struct board_item *item, struct day *day, bool is_known)
{
    struct when when = public_when(page, item);
    ahead_open(item, day->from_ms, day->until_ms, &day->open);
    ahead_taken(item, day->from_ms, day->until_ms, &day->taken);
    if (is_known)
        ahead_offered(item, day->from_ms, day->until_ms, &day->free);
    buf_add_str(&page->out, "<li><h4>");
    when_add_day(&page->out, &when, day->from_ms);
    buf_add_str(&page->out, "</h4><svg class=\"strip\" viewBox=\"0 0 960 20\" preserveAspectRatio=\"none\" "
                            "aria-hidden=\"true\">");
    add_bars(page, "open", &day->open, day->begin_ms, day->until_ms);
    add_bars(page, "free", &day->free, day->begin_ms, day->until_ms);
    add_bars(page, "taken", &day->taken, day->begin_ms, day->until_ms);
    buf_add_str(&page->out, "</svg>");
    add_spans(page, item, "day_free", day->number, &day->free);
    add_spans(page, item, "day_taken", day->number, &day->taken);
    if (day->free.count == 0 && !is_known)
        add_spans(page, item, "day_open", day->number, &day->open);
    if (day->open.count == 0)
        public_add(page, "<p>", public_text(page, "day_closed", NULL), "</p>");
    buf_add_str(&page->out, "</li>");
    busy_list_release(&day->open);
    busy_list_release(&day->taken);
    busy_list_release(&day->free);
}

void public_add_ahead(struct public_page *page, const struct board_item *item)
{
    bool is_known = !public_is_old(page) && item->answer.next_free_ms != AVAILABILITY_NONE;
    const char *about = item->instrument->calendar == NULL ? "ahead_no_calendar"
                        : is_known                         ? "ahead_known"
                                                           : "ahead_unknown";
    int64_t today = when_day(item->zone, item->answer.as_of_ms);
    public_begin_section(page, "ahead", "heading_ahead");
    public_add(page, "<p class=\"quiet\">", public_text(page, about, NULL), "</p><ol class=\"days\">");
    for (int64_t number = today; number < today + DAYS_AHEAD; number++) {
        struct day day = {.number = number,
            .begin_ms = when_day_begin_ms(item->zone, number),
            .until_ms = when_day_begin_ms(item->zone, number + 1)};
        day.from_ms = number == today ? item->answer.as_of_ms : day.begin_ms;
        add_day(page, item, &day, is_known);
    }
    buf_add_str(&page->out, "</ol>");
    public_end_section(page);
}

void public_add_slot(struct public_page *page, const struct board_item *item, int64_t length_ms)
{
    struct ahead_slot slot = ahead_find(&item, 1, length_ms);
    char length[PUBLIC_LENGTH_SIZE];
    public_length_words(page, length_ms, length);
    public_say(page, public_text(page, "slot_for", NULL), length);
    if (public_is_old(page))
        slot.found = AHEAD_NOT_KNOWN;
    switch (slot.found) {
    case AHEAD_SLOT:
        if (slot.begin_ms > item->answer.as_of_ms)
            public_say_time(page, item, "slot_time", "slot", slot.begin_ms, WHEN_BEGINS);
        else
            public_add(page, "", public_text(page, "slot_now", NULL), "");
        break;
    case AHEAD_NONE:
        public_add(page, "", public_text(page, "slot_none", NULL), "");
        break;
    case AHEAD_NOT_KNOWN:
        public_add(page, "", public_text(page, "slot_unknown", NULL), "");
        break;
    }
}
