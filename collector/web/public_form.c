/* The form by which instruments are searched. */
#include "collector/web/public.h"

#include <string.h>

const char *const public_lengths[] = {"30m", "1h", "2h", "4h", "8h", NULL};
static const int64_t lengths_ms[] = {1800000, 3600000, 7200000, 14400000, 28800000};

int64_t public_length_ms(const char *text)
{
    for (size_t i = 0; text != NULL && public_lengths[i] != NULL; i++)
        if (strcmp(text, public_lengths[i]) == 0)
            return lengths_ms[i];
    return 0;
}

bool public_is_given(const char *text)
{
    return text != NULL && text[0] != '\0';
}

static void add_label(struct public_page *page, const char *name)
{
    buf_printf(&page->out, "<div class=\"field\"><label for=\"%s\">", name);
    buf_add_html(&page->out, public_text(page, "filter", name));
    buf_add_str(&page->out, "</label>");
}

static void add_option(struct public_page *page, const char *value, const char *chosen, const char *words)
{
    buf_add_str(&page->out, "<option value=\"");
    buf_add_html(&page->out, value);
    buf_printf(&page->out, "\"%s>", chosen != NULL && strcmp(value, chosen) == 0 ? " selected" : "");
    buf_add_html(&page->out, words);
    buf_add_str(&page->out, "</option>");
}

static void add_lengths(struct public_page *page, const struct public_filter *filter)
{
    for (size_t i = 0; public_lengths[i] != NULL; i++) {
        char length[PUBLIC_LENGTH_SIZE];
        public_length_words(page, lengths_ms[i], length);
        add_option(
            page, public_lengths[i], filter->length_ms == lengths_ms[i] ? public_lengths[i] : NULL, length);
    }
}

static void begin_select(struct public_page *page, const char *name)
{
    add_label(page, name);
    buf_printf(&page->out, "<select id=\"%s\" name=\"%s\">", name, name);
    add_option(page, "", NULL, public_text(page, "filter_any", NULL));
}

static void end_select(struct public_page *page)
{
    buf_add_str(&page->out, "</select></div>");
}

/* Which of a kind some shared instrument is of: the kind is a member of the instrument. */
static bool is_used(const struct park *park, const void *thing, bool is_category)
{
    CONF_EACH (const struct park_instrument, i, park->instruments) {
        const void *of = is_category ? (const void *)i->category : (const void *)i->building;
        if (i->is_shared && of == thing)
            return true;
    }
    return false;
}

static bool is_first_of_owner(const struct park *park, const struct park_instrument *one)
{
    CONF_EACH (const struct park_instrument, i, park->instruments) {
        if (i == one)
            return true;
        if (i->is_shared && strcmp(i->owner, one->owner) == 0)
            return false;
    }
    return false;
}

static void add_selects(struct public_page *page, const struct public_filter *filter)
{
    const struct park *park = page->board->model->park;
    begin_select(page, "category");
    CONF_EACH (const struct park_category, c, park->categories)
        if (is_used(park, c, true))
            add_option(page, c->id, filter->category, public_name(page, c->name, c->name_en));
    end_select(page);
    begin_select(page, "building");
    CONF_EACH (const struct park_building, b, park->buildings)
        if (is_used(park, b, false))
            add_option(page, b->id, filter->building, public_name(page, b->name, b->name_en));
    end_select(page);
    begin_select(page, "organisation");
    CONF_EACH (const struct park_instrument, i, park->instruments)
        if (i->is_shared && is_first_of_owner(park, i))
            add_option(page, i->owner, filter->organisation, public_name(page, i->owner, i->owner_en));
    end_select(page);
    begin_select(page, "length");
    add_lengths(page, filter);
    end_select(page);
}

void public_add_form(struct public_page *page, const struct public_filter *filter)
{
    bool is_open = public_is_given(filter->category) || public_is_given(filter->building) ||
                   public_is_given(filter->organisation) || filter->is_free || filter->length_ms > 0;
    buf_add_str(&page->out, "<form class=\"card search\" method=\"get\" action=\"/\" role=\"search\">"
                            "<div class=\"words\"><label for=\"q\">");
    buf_add_html(&page->out, public_text(page, "filter_q", NULL));
    buf_add_str(&page->out,
        "</label><input id=\"q\" name=\"q\" type=\"search\" maxlength=\"100\" "
        "autocomplete=\"off\" autocapitalize=\"off\" spellcheck=\"false\" placeholder=\"");
    buf_add_html(&page->out, public_text(page, "filter_hint", NULL));
    public_add(page, "\" value=\"", filter->q != NULL ? filter->q : "", "\"><button>");
    buf_add_html(&page->out, public_text(page, "filter_button", NULL));
    buf_printf(&page->out, "</button></div><details%s><summary>", is_open ? " open" : "");
    buf_add_html(&page->out, public_text(page, "filter_more", NULL));
    buf_add_str(&page->out, "</summary><div class=\"fields\">");
    add_selects(page, filter);
    buf_printf(&page->out,
        "<div class=\"field check\"><input id=\"available\" name=\"available\" type=\"checkbox\" "
        "value=\"now\"%s><label for=\"available\">",
        filter->is_free ? " checked" : "");
    buf_add_html(&page->out, public_text(page, "filter_available", NULL));
    buf_printf(&page->out,
        "</label></div></div></details><input type=\"hidden\" name=\"lang\" value=\"%s\"></form>",
        page_language_name(page->language));
}
