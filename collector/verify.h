/*
 * `park-collector verify`: every seal of the archive (collector/evidence/seal.h) recomputed from what is there.
 * Of what was deleted by age, or was never here, it says "no evidence". Beside a running collector or without: it
 * reads one seal after the other, each in one snapshot, and writes nothing.
 */
#pragma once

#include "collector/settings.h"

/* `period`: as period_parse, the months that it touches; NULL = everything. Returns the exit code: EXIT_OK = each
 * seal recomputes, 1 = one does not, which is named, EXIT_UNAVAILABLE = no evidence of the period at all. */
int verify_run(const struct collector_settings *settings, const char *period);
