/* A label to be printed and stuck on the instrument: a code that leads to its page, in both languages. */
#include "collector/web/public.h"

#include "collector/web/qr.h"
#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>

static void add_line(struct public_page *page, const char *element, const char *language, const char *text)
{
    if (text == NULL)
        return;
    buf_printf(&page->out, "<%s lang=\"%s\">", element, language);
    buf_add_html(&page->out, text);
    buf_printf(&page->out, "</%.*s>", (int)strcspn(element, " "), element);
}

static void add_hints(struct public_page *page, const struct park_instrument *i, const char *address)
{
    buf_printf(&page->out, "<div class=\"hint\"><p><a href=\"/instruments/%s?lang=%s\">", i->id,
        page_language_name(page->language));
    buf_add_html(&page->out, public_text(page, "label_back", NULL));
    public_add(page, "</a></p><p>", public_text(page, "label_help", NULL), "</p>");
    if (public_is_loopback(address)) {
        public_add(
            page, "<p class=\"message\" role=\"alert\">", public_text(page, "label_loopback", NULL), "</p>");
    }
    buf_add_str(&page->out, "</div>");
}

/* Bytes, of which a Chinese character has three and is about twice as wide as a letter. */
#define LONG_NAME 100
#define LONG_IN_ALL 240

/* More than has its place on the sheet in the usual sizes. */
static bool is_long(const struct park_instrument *i)
{
    const struct park_site *site = i->building->site;
    const char *const texts[] = {i->name, i->name_en, i->model, site->name, site->name_en};
    size_t total = 0, longest = 0;
    for (size_t k = 0; k < sizeof texts / sizeof texts[0]; k++) {
        size_t len = texts[k] != NULL ? strlen(texts[k]) : 0;
        total += len;
        longest = len > longest ? len : longest;
    }
    return longest > LONG_NAME || total > LONG_IN_ALL;
}

void public_write_label(struct public_page *page, const struct board_item *item, const char *address)
{
    const struct park_instrument *i = item->instrument;
    const struct park_site *site = i->building->site;
    char *url = mem_printf("%s/instruments/%s", address, i->id);
    add_hints(page, i, address);
    buf_printf(&page->out, "<article class=\"label%s\">", is_long(i) ? " label-long" : "");
    add_line(page, "h2", "zh-CN", i->name);
    add_line(page, "p class=\"english\"", "en", i->name_en);
    qr_add_svg(&page->out, url, url);
    buf_add_str(&page->out, "<p class=\"scan\">");
    for (int language = PAGE_LANGUAGES - 1; language >= 0; language--) {
        buf_printf(&page->out, "<span lang=\"%s\">", language == PAGE_ZH ? "zh-CN" : "en");
        buf_add_html(&page->out, context_text(page->context, (enum page_language)language, "label_scan"));
        buf_add_str(&page->out, "</span>");
    }
    buf_add_str(&page->out, "</p><p class=\"url\">");
    buf_add_html(&page->out, url);
    buf_printf(&page->out, "</p><p class=\"id\"><b>%s</b>", i->id);
    if (i->model != NULL) {
        buf_add_str(&page->out, " · ");
        buf_add_html(&page->out, i->model);
    }
    public_add(page, "</p><p class=\"site\"><span lang=\"zh-CN\">", site->name, "</span> <span lang=\"en\">");
    buf_add_html(&page->out, site->name_en != NULL ? site->name_en : "");
    buf_add_str(&page->out, "</span></p></article>");
    free(url);
}
