/* What a report gives figures of: which meters stand on its site, and which parts (part.h) there are of them. Pure. */
#pragma once

#include "collector/report/report.h"

/* Whether meters of the carrier stand on the site some time of the period. */
bool figures_are_there(const struct report *report, int carrier);
/* Lists them, by kind and then as the park has them, without amounts. */
void figures_list(const struct report *report, struct report_carrier *carrier);
