/* The park model by which a report is made: the version that was accepted last (collector/model/version.h), so that files
 * which nobody accepted change nothing of the past. Reads; blocks for the disk alone. */
#pragma once

#include "collector/model/version.h"
#include "collector/report/tables.h"

struct accepted {
    struct version version;    /* number 0: none was accepted yet */
    const struct model *model; /* what it says; NULL where none was */
};

enum status accepted_read(struct db *db, struct accepted *ret, struct error *err);
void accepted_release(struct accepted *accepted);
/* What a report says of it. `command` is borrowed. */
struct tables_origin accepted_origin(const struct accepted *accepted, const char *command);
