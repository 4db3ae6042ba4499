/*
 * `park-collector rebuild`: the raw series of a period deleted from the time-series store and written again from
 * the journal, hour by hour, and `energy` from the books, day by day (collector/rebuild_energy.h). Only where the
 * evidence is held whole, and never more is deleted than is written again. With a collector running beside it or
 * without: it writes nothing to the database.
 */
#pragma once

#include "collector/model/model.h"
#include "collector/settings.h"

#include <stdbool.h>

struct rebuild_options {
    const struct collector_settings *settings;
    const struct model *model;
    const char *period; /* as period_parse; NULL = all that is held */
    bool drops_unknown; /* also delete points that the journal, and rows that the books, do not hold */
    bool is_energy;     /* energy alone, */
    const char *site;   /* of the meters of this site; NULL = all, and raw series */
};

/* Returns the exit code. */
int rebuild_run(const struct rebuild_options *options);
