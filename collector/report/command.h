/* park-collector report: the energy report of a site and a period, whether or not a collector runs. It is by the park
 * model that was accepted last (collector/model/version.h), so that files which nobody accepted change nothing of the
 * past; by the files where none was yet. */
#pragma once

#include "collector/model/model.h"
#include "collector/settings.h"

struct report_command {
    const struct collector_settings *settings;
    const struct model *model; /* of the files */
    const char *config;        /* as it was named: the report says how it is made again */
    const char *site, *period;
    const char *format, *language; /* NULL: as the output's name ends, else html; zh */
    const char *output;            /* a file that is not there yet; NULL = standard output */
};

/* What the process returns; what is wrong is said on standard error. */
int report_run(const struct report_command *command);
