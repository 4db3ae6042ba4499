/* The books while no collector runs, for commands of persons that write into them: the database and its lock, the park model's
 * files as the version in force has them, and all of the journal folded. */
#pragma once

#include "collector/bookkeeper.h"
#include "collector/model/model.h"
#include "collector/settings.h"

struct offline {
    struct db *db;
    struct bookkeeper keeper;
};

/* The database alone, with the same check of the model; the caller closes it, also after a failure. */
enum status offline_open_database(const struct collector_settings *settings, const struct model *m,
    const char *instead, struct db **ret, struct error *err);
/* `m` is borrowed. ST_UNREACHABLE: a collector runs; `instead` says how to do it there. Blocks while the rest of the journal is
 * folded. */
enum status offline_open(const struct collector_settings *settings, const struct model *m,
    const char *instead, struct offline *ret, struct error *err);
void offline_close(struct offline *o); /* also after a failure */
