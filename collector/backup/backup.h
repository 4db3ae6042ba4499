/*
 * `park-collector backup` and `restore`: the collector's database as one sound file elsewhere, and back. What
 * was acknowledged is nowhere else once the agents have let it go.
 */
#pragma once

#include "collector/settings.h"

#include <stdbool.h>

/* Copies the database, in use or not, to `target`: written beside it, synced, checked, then renamed. Returns
 * the exit code. */
int backup_run(const struct collector_settings *settings, const char *target, bool may_replace);
/* Puts a backup in the database's place, and the present one aside. No collector may run. Returns the exit
 * code. What persons decided, closed or told in the present one alone is lost where `drops_decisions`, else it is refused: see handover.h. */
int restore_run(const struct collector_settings *settings, const char *backup, bool drops_decisions);

/* A restore that was interrupted leaves this file beside the database: until it is gone the collector does not
 * start, because what lies in the database's place may be nothing or half. The caller frees the name. */
char *restore_unfinished_path(const char *database);
