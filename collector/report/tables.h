/*
 * A report as tables (collector/report/table.h): which there are, and what stands in them. Pure.
 *
 * The same tables with the same columns are in every report, whatever is measured: a program that reads them finds
 * what is not there as a table without rows or a cell without a value.
 */
#pragma once

#include "collector/report/report.h"
#include "collector/report/table.h"
#include "lib/hash.h"

/* What a report says of how it was made. Borrowed. */
struct tables_origin {
    const char *command;       /* that makes it again */
    int64_t model_number;      /* the version of the park model; 0 = its files, which were not accepted yet */
    int64_t model_accepted_ms; /* when it was accepted */
    char model_hash[HASH_TEXT_SIZE];
};

/* Borrows the report's zone. Release with tables_release. */
void tables_of(const struct report *report, const struct tables_origin *origin, enum page_language language,
    struct tables *ret);
