/*
 * SIGHUP: the settings and the files they name are read again, and the park model (with factors and tariffs) is taken
 * while the collector runs. With a mistake, or with a change of the past that nobody decided, everything stays, and the
 * log says why, line by line. What cannot be changed while it runs is named where it differs.
 */
#pragma once

#include "collector/core.h"
#include "collector/settings.h"

/* `settings` are those that the collector was started with. Main thread; blocks while files are read. */
void reload_run(const char *config, const struct collector_settings *settings, struct core *core);
