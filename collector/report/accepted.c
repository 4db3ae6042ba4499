#include "collector/report/accepted.h"

#include <string.h>

enum status accepted_read(struct db *db, struct accepted *ret, struct error *err)
{
    *ret = (struct accepted){0};
    enum status status = version_newest(db, &ret->version, err);
    if (status == ST_OK && ret->version.number != 0)
        ret->model = version_model(&ret->version);
    return status;
}

void accepted_release(struct accepted *accepted)
{
    model_put(accepted->model);
    version_release(&accepted->version);
    *accepted = (struct accepted){0};
}

struct tables_origin accepted_origin(const struct accepted *accepted, const char *command)
{
    struct tables_origin origin = {.command = command,
        .model_number = accepted->version.number,
        .model_accepted_ms = accepted->version.accepted_ms};
    hash_format(&accepted->version.hash, origin.model_hash);
    return origin;
}
