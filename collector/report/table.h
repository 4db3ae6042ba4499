/*
 * A report as tables of typed cells: what every format prints, so that all print the same. Numbers are exact decimals,
 * times are instants, codes have words beside them, and a cell without a value is no 0 and no empty text. Pure.
 */
#pragma once

#include "collector/model/zone.h"
#include "collector/report/words.h"
#include "lib/decimal.h"

enum cell_kind { CELL_NONE, CELL_TEXT, CELL_CODE, CELL_NUMBER, CELL_TIME };

struct cell {
    enum cell_kind kind;
    char *text;            /* of CELL_TEXT, owned; of CELL_CODE the code, owned */
    struct decimal number; /* CELL_NUMBER */
    int64_t time_ms;       /* CELL_TIME */
    int shown; /* CELL_TIME: decimals of a second, 0 or 3; CELL_NUMBER: how many decimals people are shown, if fewer than it has */
    char *
        link; /* where more of it is told: a path beside the report, for HTML where that is served; owned; NULL = nowhere */
};

struct table_row {
    struct cell *cells; /* by column */
    size_t sum_of;      /* how many rows just before it its summed columns add up; 0 = it is no sum */
};

struct table {
    const char *id; /* also the code of its title */
    const char *const
        *columns; /* codes of the headings, NULL-terminated; "..+" at the end: a row of sums adds it up */
    size_t column_count;
    struct table_row *rows;
    size_t count, capacity;
    size_t filled; /* cells of the last row so far */
    bool is_annex; /* too long to be printed: HTML has at most a chart of it */
    bool is_text;  /* paragraphs: HTML shows the last column alone */
};

struct tables {
    const char *report; /* what it is, for machines; NULL = "energy" */
    const char *title;  /* code; NULL = that of an energy report */
    /* CSV says of how many rows one is the sum, as JSON does. A report of energy does not: bundles hold its lines, and are
     * checked by programs of other versions (collector/bundle/check_report.c). */
    bool marks_sums;
    enum page_language language;
    const struct zone *zone; /* times are shown in it */
    struct table *items;
    size_t count, capacity;
};

struct table *tables_add(struct tables *tables, const char *id, const char *const *columns);
void tables_release(struct tables *tables); /* the zone is not its own */

/* The heading's code without its mark, and whether it is marked. */
bool table_column_is_summed(const struct table *table, size_t column);
#define TABLE_CODE_SIZE 40
void table_column_code(const struct table *table, size_t column, char code[static TABLE_CODE_SIZE]);

/* A row is begun, then filled cell by cell, in the order of the columns, all of them. */
void table_begin(struct table *table);
void table_none(struct table *table);
void table_text(struct table *table, const char *text); /* NULL = none */
void table_code(struct table *table, const char *code); /* NULL = none; must have words */
void table_number(struct table *table, int64_t value, int scale);
void table_maybe(struct table *table, bool is_there, int64_t value, int scale);
/* The same, and people are shown at most three decimals of it: a whole joule says nothing. */
void table_amount(struct table *table, bool is_there, int64_t value, int scale);
void table_time(struct table *table, int64_t time_ms);
void table_instant(struct table *table, int64_t time_ms); /* to the millisecond */
/* Of the cell just filled; takes the path. */
void table_link(struct table *table, char *path);
/* The row just filled adds up so many before it, in the columns that are marked. */
void table_is_sum_of(struct table *table, size_t rows);

/* As people read it: "12,345.678", "2026-10-01 16:00 +08:00", a word; "" = none. The caller frees it. */
char *table_show(const struct tables *tables, const struct cell *cell);
/* As machines do: "12345.678", "2026-10-01T16:00:00+08:00", a code. The caller frees it. */
char *table_tell(const struct tables *tables, const struct cell *cell);
