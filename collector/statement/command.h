/* park-collector statement: the statement of a site's instruments for a period, whether or not a collector runs; by the park
 * model as a report is (collector/report/command.h). */
#pragma once

#include "collector/report/command.h"

/* What the process returns; what is wrong is said on standard error. */
int statement_run(const struct report_command *command);
