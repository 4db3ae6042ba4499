/*
 * The parts of a site (part.h) as rows of amounts by step: of a building, a tenant or an item what flows into its meters less
 * what flows on from them into others, so that the rows of a carrier add up to the site's, exactly, as the tables of the
 * report do. Groups (collector/energy/tree.h) do not: each has all that flows through its topmost meters.
 */
#pragma once

#include "collector/energy/tree.h"

/* By building, tenant, item or carrier, not by meter. By carrier, then as the park has them; what has no tenant or item is a row
 * without an id, the last of its carrier. `park` is borrowed; to be released as any tree. */
void part_tree_init(struct tree *tree, const struct park *park, const struct park_site *site, enum tree_by by,
    struct periods_span span);
/* Whether something that flows on from the row's meters is taken off, some time of the span. What flows back through a meter is
 * not meant. */
bool part_tree_takes_off(const struct tree_row *row);
