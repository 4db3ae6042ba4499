/* A statement as tables (collector/report/table.h): which there are, and what stands in them. Pure. */
#pragma once

#include "collector/report/tables.h"
#include "collector/statement/statement.h"

/* Borrows the statement's zone. Release with tables_release. */
void statement_tables(const struct statement *statement, const struct tables_origin *origin,
    enum page_language language, struct tables *ret);
