#include "collector/report/write.h"

#include <stdlib.h>
#include <string.h>

void write_csv_field(struct buf *out, const char *text, bool is_text)
{
    bool is_formula = is_text && text[0] != '\0' && strchr("=+-@\t\r", text[0]) != NULL;
    if (!is_formula && strpbrk(text, ",\"\r\n") == NULL) {
        buf_add_str(out, text);
        return;
    }
    buf_add_str(out, is_formula ? "\"'" : "\"");
    for (; *text != '\0'; text++) {
        if (*text == '"')
            buf_add_char(out, '"');
        buf_add_char(out, *text);
    }
    buf_add_char(out, '"');
}

static void add_cell(
    const struct tables *tables, const struct table *table, size_t row, size_t column, struct buf *out)
{
    const struct cell *cell = &table->rows[row].cells[column];
    if (cell->kind == CELL_NONE)
        return;
    char code[TABLE_CODE_SIZE], *value = table_tell(tables, cell);
    table_column_code(table, column, code);
    buf_printf(out, "%s,%zu,%s,", table->id, row + 1, code);
    write_csv_field(out, value, cell->kind != CELL_NUMBER);
    buf_add_char(out, ',');
    if (cell->kind == CELL_CODE)
        write_csv_field(out, words_of(tables->language, cell->text), true);
    buf_add_str(out, "\r\n");
    free(value);
}

static void add_row(const struct tables *tables, const struct table *table, size_t row, struct buf *out)
{
    for (size_t column = 0; column < table->column_count; column++)
        add_cell(tables, table, row, column, out);
    if (tables->marks_sums && table->rows[row].sum_of > 0)
        buf_printf(out, "%s,%zu,sum_of,%zu,\r\n", table->id, row + 1, table->rows[row].sum_of);
}

void write_csv(const struct tables *tables, struct buf *out)
{
    buf_add_str(out, "\xEF\xBB\xBF"
                     "table,row,column,value,words\r\n");
    for (size_t i = 0; i < tables->count; i++)
        for (size_t row = 0; row < tables->items[i].count; row++)
            add_row(tables, &tables->items[i], row, out);
}
