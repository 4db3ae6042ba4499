/* park-collector evidence: writes a bundle (collector/bundle/bundle.h) of a site and a period, whether or not a collector
 * runs. It is by the park model that was accepted last. */
#pragma once

#include "collector/settings.h"

struct evidence_command {
    const struct collector_settings *settings;
    const char *site, *period;
    const char *output; /* a file that is not there yet */
};

/* What the process returns: EXIT_OK; 1 = it is written, but the books are not what their evidence gives, which `verify`
 * names; EXIT_USAGE; else why not. */
int evidence_run(const struct evidence_command *command);
