/* What the parts of the tables share. Private to tables*.c. */
#pragma once

#include "collector/report/tables.h"

/* Decimals between a carrier's base units and the unit in which it is shown, and that unit's name. */
int tables_scale(int carrier);
const char *tables_unit(int carrier);
/* The same of lines: of g to t, of 0.01 yuan to yuan. */
int tables_result_scale(int kind);
const char *tables_result_unit(int kind);

/* A row of table "about". NULL, or a time of 0: it is not known. */
void tables_about(struct table *table, const char *what, const char *value);
void tables_about_time(struct table *table, const char *what, int64_t time_ms);
/* By which model and program, and what command makes it again: the last rows. */
void tables_about_origin(struct table *table, const struct tables_origin *origin);
/* The rules by which the figures are made, in words: the last table. NULL-terminated codes. */
void tables_add_method(struct tables *tables, const char *const *rules);

/* Both of a thing that has a name in each language. */
#define TABLES_NAME(tables, thing) ((tables)->language == PAGE_ZH ? (thing)->name : (thing)->name_en)
/* NULL = it has none. */
const char *tables_part_name(const struct tables *tables, const struct part *part);
/* Cells "id" and "name" of what the figure is of. */
void tables_name_part(const struct tables *tables, struct table *table, const struct part *part);
/* To what the thing of that kind is made of (collector/report/drill.h), from the cell just filled. */
void tables_link(struct table *table, const char *kind, const char *id);
/* A share in thousandths, as per cent. */
void tables_percent(struct table *table, bool is_there, int64_t permille);

/* The name of a group or virtual meter, of which by, is_virtual and id count; NULL = it has none. */
const char *tables_name_of(
    const struct tables *tables, const struct report *report, const struct report_metered *m);
/* The code of the worst quarter hour in it. */
const char *tables_state(const struct amount *a);
/* Cells "known", "unknown_h", "coverage", "estimated_share", "manual_share" and "quality" of an amount. */
void tables_quality(struct table *table, const struct amount *a, bool is_known, int scale);

void tables_add_energy(struct tables *tables, const struct report *report);
void tables_add_lines(struct tables *tables, const struct report *report);
void tables_add_course(struct tables *tables, const struct report *report);
void tables_add_closed(struct tables *tables, const struct report *report);
/* Of the report only its events, or decisions, count. */
void tables_add_events(struct tables *tables, const struct report *report);
void tables_add_decisions(struct tables *tables, const struct report *report);
void tables_add_evidence(struct tables *tables, const struct report *report);
void tables_add_baseline(struct tables *tables, const struct report *report);
