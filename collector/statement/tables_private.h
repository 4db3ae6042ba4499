/* What the parts of a statement's tables share. Private to statement_tables*.c. */
#pragma once

#include "collector/report/tables_private.h"
#include "collector/statement/tables.h"

#define SECONDS 3 /* decimals of a second: milliseconds, exactly */
#define HOURS 3   /* decimals of an hour, rounded: for people */

/* Codes of words: what a person entered is no reading by hand. */
const char *statement_evidence_code(enum hours_evidence evidence);
const char *statement_user_code(enum hours_user user);

void statement_add_seconds(struct table *table, int64_t ms);
int64_t statement_round_hours(int64_t ms); /* half up, as HOURS has them */
void statement_add_hours(struct table *table, int64_t ms);
void statement_add_share(struct table *table, int64_t part, int64_t whole);
void statement_add_permille(struct table *table, int64_t permille); /* -1 = none */
/* Cells "sessions" to "external_share". */
void statement_add_counts(struct table *table, const struct statement_sum *sum);
/* Cells "effective_h" to "unattributed_h". */
void statement_add_effective(struct table *table, const struct statement_hours *h);

void statement_add_instruments(struct tables *tables, const struct statement *s);
void statement_add_parts(struct tables *tables, const struct statement *s);
void statement_add_check(struct tables *tables, const struct statement *s);
void statement_add_organisations(struct tables *tables, const struct statement *s);
void statement_add_records(struct tables *tables, const struct statement *s);
void statement_add_outages(struct tables *tables, const struct statement *s);
