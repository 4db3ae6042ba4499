#include "collector/alarming.h"

#include "collector/access/changes.h"
#include "collector/alarm/told.h"
#include "lib/mem.h"

#include <stdlib.h>

static enum status log_it(
    struct db *db, const struct alarming *request, const struct alarm *a, int64_t now_ms, struct error *err)
{
    char *object = mem_printf("alarm %lld, rule %s, %s%s%s", (long long)a->id, a->rule,
        alarm_target_kinds[a->target_kind], a->target[0] != '\0' ? " " : "", a->target);
    enum status status = changes_add(db,
        &(struct change){.token = request->token,
            .who = request->who,
            .action = "alarm ack",
            .object = object,
            .note = request->note},
        now_ms, err);
    free(object);
    return status;
}

enum status alarming_run(
    struct db *db, int64_t now_ms, const struct alarming *request, struct alarm *ret, struct error *err)
{
    *ret = (struct alarm){0};
    enum status status = db_begin(db, err);
    if (status != ST_OK)
        return status;
    status = alarm_ack(db, request->alarm, request->who, request->note, request->seen_news, now_ms, ret, err);
    if (status == ST_OK)
        status = alarm_told_quiet(db, ret->id, err);
    if (status == ST_OK)
        status = log_it(db, request, ret, now_ms, err);
    if (status != ST_OK)
        db_rollback(db);
    else
        status = db_commit(db, err);
    if (status != ST_OK)
        alarm_release(ret);
    return status;
}
