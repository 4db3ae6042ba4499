#include "collector/report/write.h"

#include "lib/mem.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xlsxwriter.h>

#define HEADING_ROW 2
#define FIRST_ROW (HEADING_ROW + 1)
/* Excel keeps 15 digits of a number: what has more is written as text, so that none is lost. */
#define EXACT_MAX INT64_C(999999999999999)

struct book {
    const struct tables *tables;
    lxw_workbook *workbook;
    lxw_format *title, *heading, *text;
    lxw_format *number[DECIMAL_SCALE_MAX + 1], *sum[DECIMAL_SCALE_MAX + 1], *sum_text;
};

static lxw_format *number_format(lxw_workbook *workbook, int scale, bool is_sum)
{
    lxw_format *format = workbook_add_format(workbook);
    char pattern[32] = "#,##0";
    if (scale > 0)
        snprintf(pattern, sizeof pattern, "#,##0.%.*s", scale, "000000000");
    format_set_num_format(format, pattern);
    if (is_sum) {
        format_set_bold(format);
        format_set_top(format, LXW_BORDER_THIN);
    }
    return format;
}

static void make_formats(struct book *b)
{
    b->title = workbook_add_format(b->workbook);
    format_set_bold(b->title);
    format_set_font_size(b->title, 14);
    b->heading = workbook_add_format(b->workbook);
    format_set_bold(b->heading);
    format_set_bottom(b->heading, LXW_BORDER_THIN);
    format_set_text_wrap(b->heading);
    format_set_align(b->heading, LXW_ALIGN_VERTICAL_TOP);
    b->text = workbook_add_format(b->workbook);
    b->sum_text = workbook_add_format(b->workbook);
    format_set_bold(b->sum_text);
    format_set_top(b->sum_text, LXW_BORDER_THIN);
    for (int scale = 0; scale <= DECIMAL_SCALE_MAX; scale++) {
        b->number[scale] = number_format(b->workbook, scale, false);
        b->sum[scale] = number_format(b->workbook, scale, true);
    }
}

static double value_of(struct decimal number)
{
    char text[DECIMAL_TEXT_SIZE];
    decimal_format(number, text);
    return strtod(text, NULL);
}

/* Whether a row's cell is what a formula over the rows before it gives. */
static bool is_formula(const struct table *table, size_t row, size_t column)
{
    size_t sum_of = table->rows[row].sum_of;
    if (sum_of == 0 || !table_column_is_summed(table, column))
        return false;
    __int128 sum = 0;
    for (size_t i = row - sum_of; i < row; i++) {
        const struct cell *cell = &table->rows[i].cells[column];
        if (cell->kind != CELL_NUMBER)
            return false;
        sum += cell->number.value;
    }
    return sum == table->rows[row].cells[column].number.value;
}

static void write_number(
    const struct book *b, lxw_worksheet *sheet, const struct table *table, size_t row, size_t column)
{
    const struct cell *cell = &table->rows[row].cells[column];
    bool is_sum = table->rows[row].sum_of > 0;
    lxw_format *format = is_sum ? b->sum[cell->number.scale] : b->number[cell->number.scale];
    lxw_row_t at = (lxw_row_t)(FIRST_ROW + row);
    if (cell->number.value > EXACT_MAX || cell->number.value < -EXACT_MAX) {
        char *text = table_tell(b->tables, cell);
        worksheet_write_string(sheet, at, (lxw_col_t)column, text, format);
        free(text);
    } else if (is_formula(table, row, column)) {
        char first[LXW_MAX_CELL_NAME_LENGTH], last[LXW_MAX_CELL_NAME_LENGTH], formula[64];
        lxw_rowcol_to_cell(first, at - (lxw_row_t)table->rows[row].sum_of, (lxw_col_t)column);
        lxw_rowcol_to_cell(last, at - 1, (lxw_col_t)column);
        snprintf(formula, sizeof formula, "=SUM(%s:%s)", first, last);
        worksheet_write_formula_num(sheet, at, (lxw_col_t)column, formula, format, value_of(cell->number));
    } else {
        worksheet_write_number(sheet, at, (lxw_col_t)column, value_of(cell->number), format);
    }
}

static void write_rows(const struct book *b, lxw_worksheet *sheet, const struct table *table)
{
    for (size_t row = 0; row < table->count; row++)
        for (size_t column = 0; column < table->column_count; column++) {
            const struct cell *cell = &table->rows[row].cells[column];
            if (cell->kind == CELL_NUMBER) {
                write_number(b, sheet, table, row, column);
                continue;
            }
            char *text = table_show(b->tables, cell);
            if (text[0] != '\0' || table->rows[row].sum_of > 0)
                worksheet_write_string(sheet, (lxw_row_t)(FIRST_ROW + row), (lxw_col_t)column, text,
                    table->rows[row].sum_of > 0 ? b->sum_text : b->text);
            free(text);
        }
}

/* About as wide as what stands in it; Chinese characters take two places. */
static size_t width_of(const char *text)
{
    size_t width = 0;
    for (; *text != '\0'; text++)
        width += (*text & 0xC0) == 0x80 ? 0 : (unsigned char)*text >= 0xE0 ? 2 : 1;
    return width;
}

static void set_width(
    const struct book *b, lxw_worksheet *sheet, const struct table *table, size_t column, const char *heading)
{
    size_t width = width_of(heading) < 14 ? width_of(heading) : 14;
    for (size_t row = 0; row < table->count; row++) {
        char *text = table_show(b->tables, &table->rows[row].cells[column]);
        width = width_of(text) > width ? width_of(text) : width;
        free(text);
    }
    width = width > 60 ? 60 : width;
    worksheet_set_column(sheet, (lxw_col_t)column, (lxw_col_t)column, (double)width + 2, NULL);
}

static void write_sheet(const struct book *b, const struct table *table)
{
    const char *title = words_of(b->tables->language, table->id);
    lxw_worksheet *sheet = workbook_add_worksheet(b->workbook, table->id);
    worksheet_write_string(sheet, 0, 0, title, b->title);
    for (size_t column = 0; column < table->column_count; column++) {
        char code[TABLE_CODE_SIZE];
        table_column_code(table, column, code);
        const char *heading = words_of(b->tables->language, code);
        worksheet_write_string(sheet, HEADING_ROW, (lxw_col_t)column, heading, b->heading);
        set_width(b, sheet, table, column, heading);
    }
    write_rows(b, sheet, table);
    worksheet_freeze_panes(sheet, FIRST_ROW, 0);
    worksheet_repeat_rows(sheet, HEADING_ROW, HEADING_ROW);
    worksheet_set_landscape(sheet);
    worksheet_set_paper(sheet, 9); /* A4 */
    worksheet_fit_to_pages(sheet, 1, 0);
    worksheet_set_footer(sheet, "&L&A&R&P / &N");
}

enum status write_xlsx(const struct tables *tables, const char *path, struct error *err)
{
    /* The library says on standard error what it cannot open: it is found out here first. */
    FILE *probe = fopen(path, "w");
    if (probe == NULL || fclose(probe) != 0)
        return error_set(err, ST_STORAGE, "%s cannot be written: %s", path, strerror(errno));
    struct book b = {.tables = tables, .workbook = workbook_new(path)};
    assert(b.workbook != NULL);
    make_formats(&b);
    /* A fixed time: the same report is the same bytes. */
    lxw_doc_properties properties = {.title = (char *)words_of(
                                             tables->language, tables->title != NULL ? tables->title : "report_title"),
        .author = (char *)"",
        .company = (char *)"",
        .comments = (char *)"park-collector " PARKMON_VERSION,
        .created = 946684800};
    workbook_set_properties(b.workbook, &properties);
    for (size_t i = 0; i < tables->count; i++)
        write_sheet(&b, &tables->items[i]);
    lxw_error failed = workbook_close(b.workbook);
    if (failed != LXW_NO_ERROR)
        return error_set(err, ST_STORAGE, "%s cannot be written: %s", path, lxw_strerror(failed));
    return ST_OK;
}
