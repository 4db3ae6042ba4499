/*
 * `park-collector verify`: every seal of the archive (collector/evidence/seal.h) recomputed from what is there, and the
 * ledger's books (collector/ledger/books.h) from their evidence: folded anew in memory, with the park model that was
 * accepted last and the decisions in force, and held against what the books say; their readings against journal and archive.
 * Temperatures of baselines (collector/baseline/temperature.h) are taken anew from the journal, as far back as it goes.
 * What instruments and resources told (collector/instrument/told.h) is taken anew from it as well: verify_told.c says how far.
 * Of what was deleted by age, or was never here, it says "no evidence". Beside a running collector or without: it works on a
 * copy of the database (lib/db.h, db_work_on_copy), so all is of one instant, and no write-ahead log waits for it.
 */
#pragma once

#include "collector/settings.h"

/* `period`: as period_parse; of the archive the months that it touches; NULL = everything. Returns the exit code: EXIT_OK =
 * all recomputes, 1 = something does not, and each difference is named, EXIT_UNAVAILABLE = no evidence of the period at
 * all. */
int verify_run(const struct collector_settings *settings, const char *period);
