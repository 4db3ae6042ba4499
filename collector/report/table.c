#include "collector/report/table.h"

#include "lib/mem.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct table *tables_add(struct tables *tables, const char *id, const char *const *columns)
{
    MEM_GROW(tables->items, tables->count, tables->capacity);
    struct table *table = &tables->items[tables->count++];
    *table = (struct table){.id = id, .columns = columns};
    while (columns[table->column_count] != NULL)
        table->column_count++;
    table->filled = table->column_count;
    return table;
}

static void release_cell(struct cell *cell)
{
    free(cell->text);
    free(cell->link);
}

void tables_release(struct tables *tables)
{
    for (size_t i = 0; i < tables->count; i++) {
        struct table *table = &tables->items[i];
        for (size_t row = 0; row < table->count; row++) {
            for (size_t column = 0; column < table->column_count; column++)
                release_cell(&table->rows[row].cells[column]);
            free(table->rows[row].cells);
        }
        free(table->rows);
    }
    free(tables->items);
    *tables = (struct tables){0};
}

bool table_column_is_summed(const struct table *table, size_t column)
{
    const char *code = table->columns[column];
    return code[strlen(code) - 1] == '+';
}

void table_column_code(const struct table *table, size_t column, char code[static TABLE_CODE_SIZE])
{
    size_t length = strlen(table->columns[column]) - table_column_is_summed(table, column);
    assert(length < TABLE_CODE_SIZE);
    memcpy(code, table->columns[column], length);
    code[length] = '\0';
}

void table_begin(struct table *table)
{
    assert(table->filled == table->column_count);
    MEM_GROW(table->rows, table->count, table->capacity);
    table->rows[table->count++] =
        (struct table_row){.cells = mem_zalloc(table->column_count * sizeof(struct cell))};
    table->filled = 0;
}

static void fill(struct table *table, struct cell cell)
{
    assert(table->filled < table->column_count);
    table->rows[table->count - 1].cells[table->filled++] = cell;
}

void table_none(struct table *table)
{
    fill(table, (struct cell){0});
}

void table_text(struct table *table, const char *text)
{
    fill(table, (struct cell){.kind = text != NULL ? CELL_TEXT : CELL_NONE, .text = mem_strdup(text)});
}

void table_code(struct table *table, const char *code)
{
    fill(table, (struct cell){.kind = code != NULL ? CELL_CODE : CELL_NONE, .text = mem_strdup(code)});
}

void table_number(struct table *table, int64_t value, int scale)
{
    fill(table, (struct cell){.kind = CELL_NUMBER, .number = {value, scale}, .shown = scale});
}

void table_maybe(struct table *table, bool is_there, int64_t value, int scale)
{
    if (is_there)
        table_number(table, value, scale);
    else
        table_none(table);
}

#define AMOUNT_SHOWN 3

void table_amount(struct table *table, bool is_there, int64_t value, int scale)
{
    table_maybe(table, is_there, value, scale);
    if (is_there && scale > AMOUNT_SHOWN)
        table->rows[table->count - 1].cells[table->filled - 1].shown = AMOUNT_SHOWN;
}

void table_link(struct table *table, char *path)
{
    struct cell *cell = &table->rows[table->count - 1].cells[table->filled - 1];
    free(cell->link);
    cell->link = path;
}

void table_time(struct table *table, int64_t time_ms)
{
    fill(table, (struct cell){.kind = CELL_TIME, .time_ms = time_ms});
}

void table_is_sum_of(struct table *table, size_t rows)
{
    assert(table->filled == table->column_count && rows < table->count);
    table->rows[table->count - 1].sum_of = rows;
}

/* RFC 3339 without the milliseconds: times of a report are of whole seconds, or cut to them. */
static char *time_text(const struct tables *tables, int64_t time_ms)
{
    char text[ZONE_TIME_SIZE];
    zone_format_time(tables->zone, time_ms, text);
    char *point = strchr(text, '.');
    if (point != NULL)
        memmove(point, point + 4, strlen(point + 4) + 1);
    return mem_strdup(text);
}

/* "2026-10-01 16:00 +08:00" of "2026-10-01T16:00:00+08:00"; the seconds stay where there are any. */
static char *shown_time(const struct tables *tables, int64_t time_ms)
{
    char *text = time_text(tables, time_ms);
    bool has_seconds = strncmp(text + 16, ":00", 3) != 0;
    char *shown = mem_printf(
        "%.10s %.*s %s", text, has_seconds ? 8 : 5, text + 11, text + strlen("2026-10-01T16:00:00"));
    free(text);
    return shown;
}

/* With a comma between each three digits before the point; what is not shown is rounded half away from zero. */
static char *shown_number(struct decimal number, int decimals)
{
    char text[DECIMAL_TEXT_SIZE], shown[2 * DECIMAL_TEXT_SIZE];
    struct decimal rounded;
    if (decimals < number.scale && decimal_multiply(number, (struct decimal){1, 0}, decimals, &rounded))
        number = rounded;
    decimal_format(number, text);
    size_t sign = text[0] == '-', digits = strcspn(text + sign, "."), length = 0;
    for (size_t i = 0; text[i] != '\0'; i++) {
        if (i > sign && i < sign + digits && (sign + digits - i) % 3 == 0)
            shown[length++] = ',';
        shown[length++] = text[i];
    }
    return mem_strndup(shown, length);
}

char *table_show(const struct tables *tables, const struct cell *cell)
{
    switch (cell->kind) {
    case CELL_NONE:
        return mem_strdup("");
    case CELL_TEXT:
        return mem_strdup(cell->text);
    case CELL_CODE:
        return mem_strdup(words_of(tables->language, cell->text));
    case CELL_NUMBER:
        return shown_number(cell->number, cell->shown);
    case CELL_TIME:
        return shown_time(tables, cell->time_ms);
    }
    abort();
}

char *table_tell(const struct tables *tables, const struct cell *cell)
{
    char text[DECIMAL_TEXT_SIZE];
    switch (cell->kind) {
    case CELL_NONE:
        return mem_strdup("");
    case CELL_TEXT:
    case CELL_CODE:
        return mem_strdup(cell->text);
    case CELL_NUMBER:
        decimal_format(cell->number, text);
        return mem_strdup(text);
    case CELL_TIME:
        return time_text(tables, cell->time_ms);
    }
    abort();
}
