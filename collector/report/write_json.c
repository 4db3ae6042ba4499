#include "collector/report/write.h"

#include "lib/json.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Of JSON_DIGITS digits. */
#define EXACT_MAX INT64_C(999999999999999)

static json_t *number(const struct tables *tables, const struct cell *cell)
{
    struct decimal number = cell->number;
    if (number.scale == 0)
        return json_integer(number.value);
    char *text = table_tell(tables, cell);
    bool is_exact = number.value >= -EXACT_MAX && number.value <= EXACT_MAX;
    json_t *value = is_exact ? json_real(strtod(text, NULL)) : json_string(text);
    free(text);
    return value;
}

static json_t *cell_value(const struct tables *tables, const struct cell *cell)
{
    if (cell->kind == CELL_NONE)
        return json_null();
    if (cell->kind == CELL_NUMBER)
        return number(tables, cell);
    char *text = table_tell(tables, cell);
    json_t *value = json_string(text);
    free(text);
    return value;
}

static json_t *columns_of(const struct tables *tables, const struct table *table)
{
    json_t *columns = json_array();
    for (size_t i = 0; i < table->column_count; i++) {
        char code[TABLE_CODE_SIZE];
        table_column_code(table, i, code);
        json_array_append_new(
            columns, json_pack("{s:s, s:s}", "id", code, "heading", words_of(tables->language, code)));
    }
    return columns;
}

static json_t *rows_of(const struct tables *tables, const struct table *table)
{
    json_t *rows = json_array();
    for (size_t i = 0; i < table->count; i++) {
        json_t *row = json_object();
        for (size_t k = 0; k < table->column_count; k++) {
            char code[TABLE_CODE_SIZE];
            table_column_code(table, k, code);
            json_object_set_new(row, code, cell_value(tables, &table->rows[i].cells[k]));
        }
        if (table->rows[i].sum_of > 0)
            json_object_set_new(row, "sum_of", json_integer((json_int_t)table->rows[i].sum_of));
        json_array_append_new(rows, row);
    }
    return rows;
}

void write_json(const struct tables *tables, struct buf *out)
{
    json_t *list = json_array();
    for (size_t i = 0; i < tables->count; i++) {
        const struct table *table = &tables->items[i];
        json_array_append_new(list,
            json_pack("{s:s, s:s, s:o, s:o}", "id", table->id, "title", words_of(tables->language, table->id),
                "columns", columns_of(tables, table), "rows", rows_of(tables, table)));
    }
    json_t *root = json_pack("{s:s, s:s, s:o}", "report", tables->report != NULL ? tables->report : "energy",
        "language", page_language_name(tables->language), "tables", list);
    char *text = json_dumps(root, JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(JSON_DIGITS));
    assert(text != NULL);
    buf_add_str(out, text);
    buf_add_char(out, '\n');
    free(text);
    json_decref(root);
}
