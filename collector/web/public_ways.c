/* How to get at an instrument: where it is, how it is booked, what it costs. */
#include "collector/web/public.h"

#include <stdio.h>
#include <string.h>

static void add_term(struct public_page *page, const char *name)
{
    buf_printf(&page->out, "<div class=\"of-%s\"><dt>", name);
    buf_add_html(&page->out, public_text(page, "term", name));
    buf_add_str(&page->out, "</dt><dd>");
}

static void end_term(struct public_page *page)
{
    buf_add_str(&page->out, "</dd></div>");
}

/* `fallback`: a key for where nothing is told; NULL = then the row is left out. */
static void add_fact(struct public_page *page, const char *name, const char *text, const char *fallback)
{
    if ((text == NULL || text[0] == '\0') && fallback == NULL)
        return;
    add_term(page, name);
    buf_add_html(&page->out, text != NULL && text[0] != '\0' ? text : public_text(page, fallback, NULL));
    end_term(page);
}

/* The park file has taken it as http or https. */
static void add_booking(struct public_page *page, const struct park_instrument *i)
{
    add_term(page, "booking");
    if (i->booking_url != NULL) {
        public_add(page, "<a class=\"button\" rel=\"noopener noreferrer\" href=\"", i->booking_url, "\">");
        buf_add_html(&page->out, public_text(page, "book_here", NULL));
        buf_add_str(&page->out, "</a>");
    } else {
        buf_add_html(&page->out, public_text(page, "book_by_contact", NULL));
    }
    end_term(page);
}

static const char *weekday(const struct public_page *page, int day)
{
    char number[16];
    snprintf(number, sizeof number, "%d", day);
    return public_text(page, "weekday", number);
}

/* "Mon–Fri Sun " of bits, 0 = Monday; nothing where it is every day. */
static void add_weekdays(struct public_page *page, unsigned days)
{
    for (int day = 0, end; days != 127 && day < 7; day = end) {
        end = day + 1;
        if ((days >> day & 1) == 0)
            continue;
        while (end < 7 && (days >> end & 1) != 0)
            end++;
        buf_add_html(&page->out, weekday(page, day));
        if (end - day > 1)
            public_add(page, "–", weekday(page, end - 1), "");
        buf_add_char(&page->out, ' ');
    }
}

static void add_opening(struct public_page *page, const struct park_instrument *i)
{
    add_term(page, "open");
    if (i->opening.count == 0)
        buf_add_html(&page->out, public_text(page, "open_always", NULL));
    for (int row = 0; row < i->opening.count; row++) {
        const struct opening_row *r = &i->opening.rows[row];
        buf_add_str(&page->out, row > 0 ? "<br>" : "");
        add_weekdays(page, r->days);
        buf_printf(&page->out, "%02d:%02d–%02d:%02d", r->from_min / 60, r->from_min % 60, r->until_min / 60,
            r->until_min % 60);
    }
    end_term(page);
}

void public_length_words(
    const struct public_page *page, int64_t length_ms, char ret[static PUBLIC_LENGTH_SIZE])
{
    int64_t minutes = length_ms / 60000;
    bool is_hours = minutes % 60 == 0;
    const char *text = public_text(page, is_hours ? "length_hours" : "length_minutes", NULL);
    const char *mark = strstr(text, "{}");
    int before = mark != NULL ? (int)(mark - text) : 0;
    snprintf(ret, PUBLIC_LENGTH_SIZE, "%.*s%lld%s", before, text,
        (long long)(is_hours ? minutes / 60 : minutes), mark != NULL ? mark + 2 : "");
}

static void add_minimum(struct public_page *page, const struct park_instrument *i)
{
    char length[PUBLIC_LENGTH_SIZE];
    public_length_words(page, i->minimum_slot_ms, length);
    add_fact(page, "minimum", i->minimum_slot_ms > 0 ? length : NULL, NULL);
}

void public_add_ways(struct public_page *page, const struct board_item *item)
{
    const struct park_instrument *i = item->instrument;
    public_begin_section(page, "ways", "heading_ways");
    buf_add_str(&page->out, "<dl>");
    add_booking(page, i);
    add_fact(page, "contact", i->contact, NULL);
    add_term(page, "place");
    public_add_place(page, item);
    end_term(page);
    add_opening(page, i);
    add_minimum(page, i);
    add_fact(page, "training", public_name(page, i->training, i->training_en), "training_none");
    add_fact(page, "charges", public_name(page, i->charges, i->charges_en), "not_told");
    add_fact(page, "terms", public_name(page, i->terms, i->terms_en), "not_told");
    add_fact(page, "owner", public_name(page, i->owner, i->owner_en), NULL);
    add_fact(page, "category",
        i->category != NULL ? public_name(page, i->category->name, i->category->name_en) : NULL, NULL);
    buf_add_str(&page->out, "</dl>");
    public_end_section(page);
}
