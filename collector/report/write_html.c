#include "collector/report/write.h"

#include "lib/hash.h"
#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>

/* Bytes of a text that is not to be broken into lines. */
#define WHOLE_TEXT_MAX 22

/* RFC 4648. */
static void add_base64(struct buf *out, const unsigned char *bytes, size_t count)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < count; i += 3) {
        unsigned long group = (unsigned long)bytes[i] << 16;
        group |= i + 1 < count ? (unsigned long)bytes[i + 1] << 8 : 0;
        group |= i + 2 < count ? bytes[i + 2] : 0;
        buf_add_char(out, digits[group >> 18 & 63]);
        buf_add_char(out, digits[group >> 12 & 63]);
        buf_add_char(out, i + 1 < count ? digits[group >> 6 & 63] : '=');
        buf_add_char(out, i + 2 < count ? digits[group & 63] : '=');
    }
}

static const char *about(const struct tables *tables, const char *what)
{
    const struct table *table = &tables->items[0];
    for (size_t i = 0; i < table->count; i++)
        if (strcmp(table->rows[i].cells[0].text, what) == 0)
            return table->rows[i].cells[1].kind == CELL_TEXT ? table->rows[i].cells[1].text : "";
    return "";
}

static void add_style(const struct write_page *page, struct buf *out)
{
    buf_add_str(out, "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src ");
    if (page->css.len > 0) {
        struct hash hash = hash_of(page->css);
        buf_add_str(out, "'sha256-");
        add_base64(out, hash.bytes, HASH_SIZE);
    } else {
        buf_add_str(out, "'self");
    }
    buf_add_str(out, "'; base-uri 'none'; form-action 'none'\">\n");
    if (page->css.len == 0) {
        buf_printf(out, "<link rel=\"stylesheet\" href=\"%s\">\n", page->css_path);
        return;
    }
    buf_add_str(out, "<style>");
    buf_add(out, page->css.at, page->css.len);
    buf_add_str(out, "</style>\n");
}

/* Where the same lies in other formats, and in the other language. */
static void add_links(const struct tables *tables, const char *name, struct buf *out)
{
    static const char *const formats[] = {"xlsx", "csv", "json"};
    bool is_zh = tables->language == PAGE_ZH;
    buf_add_str(out, "<nav>");
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        buf_add_str(out, "<a href=\"");
        buf_add_html(out, name);
        buf_printf(
            out, ".%s?lang=%s\">%s</a> ", formats[i], page_language_name(tables->language), formats[i]);
    }
    buf_printf(out, "<a href=\"?lang=%s\">%s</a></nav>\n", is_zh ? "en" : "zh", is_zh ? "English" : "中文");
}

/* The same of a page that is asked for by parameters. */
static void add_page_links(const struct tables *tables, struct buf *out)
{
    bool is_zh = tables->language == PAGE_ZH;
    buf_printf(out, "<nav><a href=\"?lang=%s&amp;format=csv\">csv</a> <a href=\"?lang=%s\">%s</a></nav>\n",
        page_language_name(tables->language), is_zh ? "en" : "zh", is_zh ? "English" : "中文");
}

/* How one gets here from the report. */
static void add_way(const struct write_page *page, struct buf *out)
{
    if (page->way_count == 0)
        return;
    buf_add_str(out, "<nav class=\"way\">");
    for (size_t i = 0; i < page->way_count; i++) {
        buf_add_str(out, i > 0 ? " › <a href=\"" : "<a href=\"");
        buf_add_html(out, page->way[i].href);
        buf_add_str(out, "\">");
        buf_add_html(out, page->way[i].text);
        buf_add_str(out, "</a>");
    }
    buf_add_str(out, "</nav>\n");
}

static void add_head(const struct tables *tables, const struct write_page *page, struct buf *out)
{
    const char *title = page->title != NULL ? page->title : tables->title != NULL ? tables->title : "report_title";
    buf_printf(out, "<!DOCTYPE html>\n<html lang=\"%s\">\n<head>\n<meta charset=\"utf-8\">\n",
        tables->language == PAGE_ZH ? "zh-CN" : "en");
    add_style(page, out);
    buf_add_str(out, "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>");
    buf_add_html(out, words_of(tables->language, title));
    buf_add_str(out, " · ");
    buf_add_html(out, about(tables, "site"));
    buf_add_str(out, " · ");
    buf_add_html(out, about(tables, "period"));
    buf_add_str(out, "</title>\n</head>\n<body>\n<header>\n<h1>");
    buf_add_html(out, words_of(tables->language, title));
    buf_add_str(out, "</h1>\n<p class=\"of\">");
    buf_add_html(out, about(tables, "site"));
    buf_add_str(out, " · ");
    buf_add_html(out, about(tables, "period"));
    buf_add_str(out, "</p>\n");
    if (page->name != NULL)
        add_links(tables, page->name, out);
    else if (page->links != NULL)
        add_page_links(tables, out);
    add_way(page, out);
    buf_add_str(out, "</header>\n<main>\n");
}

/* A column, looked through once. */
struct look {
    bool has_value, is_number;
    const char *title; /* as people read it */
};

/* By column; the caller frees it. */
static struct look *look_at(const struct tables *tables, const struct table *table)
{
    struct look *looks = mem_zalloc((table->column_count + 1) * sizeof *looks);
    for (size_t column = 0; column < table->column_count; column++) {
        char code[TABLE_CODE_SIZE];
        struct look *look = &looks[column];
        table_column_code(table, column, code);
        look->title = words_of(tables->language, code);
        for (size_t row = 0; row < table->count && !look->is_number; row++) {
            enum cell_kind kind = table->rows[row].cells[column].kind;
            look->has_value = look->has_value || kind != CELL_NONE;
            look->is_number = kind == CELL_NUMBER;
        }
    }
    return looks;
}

static void add_cell(const struct tables *tables, const struct write_page *page, const struct table *table,
    const struct look *look, size_t row, size_t column, struct buf *out)
{
    const struct cell *cell = &table->rows[row].cells[column];
    char *text = table_show(tables, cell);
    const char *tag = column == 0 && table->column_count == 2 ? "th" : "td";
    bool is_link = cell->link != NULL && page->links != NULL && cell->kind != CELL_NONE;
    buf_printf(out, "<%s%s", tag,
        look->is_number                 ? " class=\"n\""
        : strlen(text) > WHOLE_TEXT_MAX ? " class=\"w\""
        : cell->kind == CELL_NONE       ? " class=\"e\""
                                        : "");
    if (table->column_count > 2) { /* what it is, for a phone, where a row is a card */
        buf_add_str(out, " data-title=\"");
        buf_add_html(out, look->title);
        buf_add_char(out, '"');
    }
    buf_add_str(out, is_link ? "><a href=\"" : ">");
    if (is_link) {
        buf_add_html(out, page->links);
        buf_add_html(out, cell->link);
        buf_printf(out, "?lang=%s\">", page_language_name(tables->language));
    }
    if (cell->kind == CELL_NONE)
        buf_add_str(out, "–");
    buf_add_html(out, text);
    buf_printf(out, "%s</%s>", is_link ? "</a>" : "", tag);
    free(text);
}

static void add_headings(const struct look *looks, size_t count, struct buf *out)
{
    buf_add_str(out, "<thead><tr>");
    for (size_t column = 0; column < count; column++) {
        if (!looks[column].has_value)
            continue;
        buf_printf(out, "<th scope=\"col\"%s>", looks[column].is_number ? " class=\"n\"" : "");
        buf_add_html(out, looks[column].title);
        buf_add_str(out, "</th>");
    }
    buf_add_str(out, "</tr></thead>\n");
}

static void add_table(
    const struct tables *tables, const struct write_page *page, const struct table *table, struct buf *out)
{
    bool is_wide = table->column_count > 2;
    struct look *looks = look_at(tables, table);
    buf_printf(out, "<table class=\"%s\">\n", is_wide ? "wide" : "pairs");
    if (is_wide)
        add_headings(looks, table->column_count, out);
    buf_add_str(out, "<tbody>\n");
    for (size_t row = 0; row < table->count; row++) {
        buf_add_str(out, table->rows[row].sum_of > 0 ? "<tr class=\"sum\">" : "<tr>");
        for (size_t column = 0; column < table->column_count; column++)
            if (looks[column].has_value)
                add_cell(tables, page, table, &looks[column], row, column, out);
        buf_add_str(out, "</tr>\n");
    }
    buf_add_str(out, "</tbody>\n</table>\n");
    free(looks);
}

static void add_paragraphs(const struct table *table, struct buf *out)
{
    buf_add_str(out, "<ol>\n");
    for (size_t row = 0; row < table->count; row++) {
        buf_add_str(out, "<li>");
        buf_add_html(out, table->rows[row].cells[table->column_count - 1].text);
        buf_add_str(out, "</li>\n");
    }
    buf_add_str(out, "</ol>\n");
}

static void add_note(const struct tables *tables, const char *code, struct buf *out)
{
    buf_add_str(out, "<p class=\"note\">");
    buf_add_html(out, words_of(tables->language, code));
    buf_add_str(out, "</p>\n");
}

static void add_section(
    const struct tables *tables, const struct write_page *page, const struct table *table, struct buf *out)
{
    buf_printf(out, "<section id=\"%s\">\n<h2>", table->id);
    buf_add_html(out, words_of(tables->language, table->id));
    buf_add_str(out, "</h2>\n");
    if (strcmp(table->id, "curve") == 0)
        write_html_curve(tables, table, out);
    if (strcmp(table->id, "profile") == 0)
        write_html_profile(tables, table, out);
    if (table->is_annex)
        add_note(tables, "annex", out);
    else if (table->is_text)
        add_paragraphs(table, out);
    else if (table->count == 0)
        add_note(tables, "nothing", out);
    else
        add_table(tables, page, table, out);
    buf_add_str(out, "</section>\n");
}

void write_html(const struct tables *tables, const struct write_page *page, struct buf *out)
{
    add_head(tables, page, out);
    for (size_t i = 0; i < tables->count; i++)
        add_section(tables, page, &tables->items[i], out);
    buf_add_str(out, "</main>\n</body>\n</html>\n");
}
