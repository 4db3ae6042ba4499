/* What the site, its buildings, tenants and items used in the period before, and a year before, by the tree of then; and whether
 * that can be compared (compare.h). Reads; blocks for the disk alone. */
#pragma once

#include "collector/report/report.h"

/* Sets `before` and `year_before` of the carrier's figures of these kinds, whose amounts are there. */
enum status earlier_read(const struct report_options *options, const struct report *report,
    struct report_carrier *carrier, struct error *err);

/* Of figures up to this kind there are such amounts. */
#define EARLIER_LAST PART_ITEM
static inline bool earlier_has(const struct report_figure *figure)
{
    return figure->part.kind <= EARLIER_LAST;
}
