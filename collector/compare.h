/* `park-collector --check --diff`: what the files of the park model would change against the version accepted last. */
#pragma once

#include "collector/model/model.h"
#include "collector/settings.h"

/* Exit codes beside those of sysexits.h. */
#define EXIT_NEEDS_DECISION 1

/* Prints one line for each change, and what that comes to, whether or not a collector runs. EXIT_OK: it may be taken;
 * EXIT_NEEDS_DECISION: something of the past changes, and nobody decided that. */
int compare_run(const struct collector_settings *settings, const struct model *m);
/* For commands that write by the files: EXIT_CONFIG, and why, where a start would refuse them. Says nothing of a
 * database that cannot be read: the command does. */
int compare_require(const struct collector_settings *settings, const struct model *m);
