/*
 * What an amount is made of, step by step down to the two readings behind a quarter hour: tables as those of a report
 * (table.h), whose cells lead on. Every amount is that of /api/v1/energy, by the same tree and the same quarter hours
 * (collector/energy/), within one transaction. Reads only; what a page costs is bounded by the meters of a site and the
 * quarter hours of a year, or by RETRACE_READINGS.
 *
 * Links lead below the report: "meter/<id>", "meter/<id>/<day>", "meter/<id>/<begin of the quarter hour>",
 * "total/<carrier>/<kind>/<id>", "<group>/<id>", "virtual/<id>", "gap/<id>".
 */
#pragma once

#include "collector/report/tables.h"

struct drill {
    struct db *db;
    const struct park *park;
    const struct park_site *site;
    const struct zone *zone;
    struct period period;
    struct periods_span span; /* of the period */
    int64_t now_ms;           /* UTC, as struct report */
    enum page_language language;
};

/* Each fills `ret`, which the caller releases also after a failure, and sets *ret_is_found where there is such a thing
 * in the period. */

/* A figure of the report itself (collector/report/part.h), by the path that leads to it: "<carrier>/<kind>/<id>", or
 * "<carrier>/<kind>" of what has no tenant, or no item. The same sum as in the report. */
enum status drill_part(
    const struct drill *d, const char *path, struct tables *ret, bool *ret_is_found, struct error *err);
/* By building, tenant, item or carrier: TREE_GROUP; a virtual meter, TREE_VIRTUAL, or the gap below a meter, TREE_GAP. */
enum status drill_row(const struct drill *d, enum tree_kind kind, enum tree_by by, const char *id,
    struct tables *ret, bool *ret_is_found, struct error *err);
enum status drill_meter(
    const struct drill *d, const char *id, struct tables *ret, bool *ret_is_found, struct error *err);
enum status drill_day(const struct drill *d, const char *id, struct period day, struct tables *ret,
    bool *ret_is_found, struct error *err);
/* `start_ms` is on a quarter hour. */
enum status drill_quarter(const struct drill *d, const char *id, int64_t start_ms, struct tables *ret,
    bool *ret_is_found, struct error *err);

/* Of the cell just filled: to where the figure is made of. */
void drill_link_part(struct table *table, const struct part *part);
/* NULL = of what has no tenant, or no item. */
const char *drill_part_id(const struct part *part);

/* ---- private to drill*.c ---- */

/* The meter, if it stands on the site at some time of the period, and has a register; else NULL. */
const struct park_meter *drill_find(const struct drill *d, const char *id);
/* The table "drill_about", with which every page begins: `id` and `name` may be NULL. */
struct table *drill_about(
    const struct drill *d, const char *id, const char *name, struct periods_span span, struct tables *tables);
void drill_about_text(struct table *about, const char *what, const char *text);
/* The table "total": one row for each amount. */
struct table *drill_begin_total(struct tables *tables);
void drill_add_total(struct table *table, int carrier, const struct amount *amount);
/* Cells "amount" and those of tables_quality. */
void drill_amount(struct table *table, int carrier, const struct amount *amount);
/* Below its parts, so many rows, which it is the sum of: a row that begins with so many other cells. */
void drill_add_sum(const struct drill *d, struct table *table, size_t blanks, int carrier,
    const struct amount *amount, size_t rows);
/* The meters that an amount is made of, with their signs and stretches; what is taken off is negative. */
#define DRILL_PARTS_BLANKS 7 /* cells before the amount */
struct table *drill_begin_parts(struct tables *tables);
/* `series` holds the stretch. */
void drill_add_term(const struct drill *d, struct table *table, const struct park_term *term,
    const struct series *series, struct periods_span span);
/* What stands in the books of a meter beside amounts. */
enum status drill_add_happened(const struct drill *d, const struct park_meter *meter, int64_t number,
    struct periods_span span, struct tables *tables, struct error *err);
/* A meter's quarter hours, to be released, and its number in the books, 0 = they do not know it. */
enum status drill_series(const struct drill *d, const struct park_meter *meter, struct periods_span span,
    struct series *ret, int64_t *ret_number, struct error *err);
