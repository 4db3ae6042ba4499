/*
 * A report's tables in the formats that people and programs take. All print the same cells; what one leaves out it says.
 * The same tables give the same bytes.
 *
 *   JSON  {"report", "language", "tables": [{"id", "title", "columns": [{"id", "heading"}], "rows": [{...}]}]}:
 *         a cell without a value is null; codes, RFC 3339; numbers are exact up to 15 digits, longer ones are text.
 *         "sum_of" in a row: it adds up so many before it
 *   CSV   a line for each cell that has a value: table,row,column,value,words. UTF-8 with a byte order mark, by which
 *         spreadsheets know it. Text that a spreadsheet would take for a formula has ' before it
 *   XLSX  a sheet for each table; real numbers, and formulas with their values where a row adds up others
 *   HTML  a page for A4, without scripts, with charts of what the site uses; leaves out columns without any value, and
 *         annexes
 */
#pragma once

#include "collector/report/table.h"
#include "lib/buf.h"
#include "lib/line.h"
#include "lib/status.h"

void write_json(const struct tables *tables, struct buf *out);
void write_csv(const struct tables *tables, struct buf *out);
/* A field of CSV (RFC 4180); a text that begins as a formula does has ' before it, so that spreadsheets take it for one. */
void write_csv_field(struct buf *out, const char *text, bool is_text);
/* Makes the file `path`, or writes over it. ST_STORAGE where it cannot. */
enum status write_xlsx(const struct tables *tables, const char *path, struct error *err);
/* A style sheet that stands in the page, and is the only one that its policy allows; or, where `css` is of length 0, one
 * of the page's own origin. `name`: the other formats lie beside it as <name>.xlsx and so on; NULL = nowhere. */
struct write_link {
    const char *text, *href;
};
struct write_page {
    struct span css;
    const char *css_path;
    const char *name;
    const char *links;            /* where the cells' links lead: this, and the link; NULL = nowhere */
    const char *title;            /* code; NULL = that of a report */
    const struct write_link *way; /* the pages above this one */
    size_t way_count;
};
void write_html(const struct tables *tables, const struct write_page *page, struct buf *out);

/* Private to write_html*.c: the charts. */
void write_html_curve(const struct tables *tables, const struct table *curve, struct buf *out);
void write_html_profile(const struct tables *tables, const struct table *profile, struct buf *out);
