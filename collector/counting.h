/* How many people somebody counted in a space, from the request to the row: one transaction with its entry in the log of
 * changes. Core thread, between two turns. */
#pragma once

#include "collector/spaces.h"

/* ST_INVALID: refused, with why; it leaves everything as it was. Any other failure is that of a turn. */
enum status counting_run(struct spaces *s, const struct person_count *count, struct error *err);
