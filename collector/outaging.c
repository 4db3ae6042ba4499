#include "collector/outaging.h"

#include "collector/access/changes.h"
#include "collector/instrument/told.h"
#include "lib/clock.h"
#include "lib/mem.h"

#include <stdlib.h>

void outaging_result_release(struct outaging_result *r)
{
    outage_release(&r->outage);
}

char *outaging_text(const struct outage *o)
{
    char from[CLOCK_TEXT_SIZE], until[CLOCK_TEXT_SIZE] = "-";
    clock_format_utc(o->from_ms, from);
    if (o->until_ms != OUTAGE_UNKNOWN_END)
        clock_format_utc(o->until_ms, until);
    return mem_printf("%s%s %s %s, from %s until %s, %s: %s", o->is_cancelled ? "cancelled: " : "",
        outage_kinds[o->kind], outage_targets[o->target_kind], o->target, from, until, o->category->code,
        o->note);
}

static enum status log_change(struct db *db, const struct outaging *request, const struct outage *before,
    const struct outage *after, int64_t now_ms, struct error *err)
{
    const struct outage_request *r = &request->request;
    char *action = mem_printf("outage %s", outage_acts[r->act]);
    char *object = mem_printf(
        "%s %s, outage %lld", outage_targets[after->target_kind], after->target, (long long)after->id);
    char *was = before->id != 0 ? outaging_text(before) : NULL, *is = outaging_text(after);
    enum status status = changes_add(db,
        &(struct change){.token = request->token,
            .who = r->who,
            .action = action,
            .object = object,
            .before = was,
            .after = is,
            .note = r->note},
        now_ms, err);
    free(action);
    free(object);
    free(was);
    free(is);
    return status;
}

/* Who closes an outage of a resource says that it is there again, also against what its point told last (rule I4). */
static enum status say_up(
    struct db *db, const struct outage_request *r, const struct outage *o, int64_t now_ms, struct error *err)
{
    struct told_resource told;
    if (r->act != OUTAGE_CLOSE || o->target_kind != OUTAGE_RESOURCE)
        return ST_OK;
    const struct told_word up = {true, true, now_ms, now_ms, EVIDENCE_MANUAL};
    enum status status = told_resource_find(db, o->target, &told, err);
    return status == ST_OK && told.id != 0 ? told_resource_say(db, &told, &up, err) : status;
}

enum status outaging_run(struct db *db, const struct park *park, int64_t now_ms,
    const struct outaging *request, struct outaging_result *ret, struct error *err)
{
    struct outage before;
    *ret = (struct outaging_result){0};
    enum status status = db_begin(db, err);
    if (status != ST_OK)
        return status;
    status = outage_do(db, park, &request->request, now_ms, &before, &ret->outage, err);
    if (status == ST_OK) {
        status = log_change(db, request, &before, &ret->outage, now_ms, err);
        if (status == ST_OK)
            status = say_up(db, &request->request, &ret->outage, now_ms, err);
        outage_release(&before);
    }
    if (status != ST_OK)
        db_rollback(db);
    else
        status = db_commit(db, err);
    if (status != ST_OK)
        outaging_result_release(ret);
    return status;
}
