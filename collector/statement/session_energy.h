/* Energy of an instrument's sessions, from its meter (design, 7.12): see struct statement_energy. */
#pragma once

#include "collector/statement/statement.h"

/* Sets `energy` of each session; nothing where the instrument has no meter of its own. One fold of the meter over the period. */
enum status session_energy_read(struct db *db, struct statement_instrument *i, struct error *err);

/* Pure. `gap_ms`: the wider of the gaps around both ends; `session_ms`: the whole session. */
enum statement_energy_state session_energy_judge(int64_t gap_ms, int64_t session_ms, bool is_manual);
