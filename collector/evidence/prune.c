#include "collector/evidence/prune.h"

#include "collector/intake/journal.h"

#define HOUR_MS INT64_C(3600000)
#define DAY_MS (24 * HOUR_MS)
#define PRUNE_ROWS 500   /* at once */
#define VACUUM_PAGES 256 /* given back to the disk after pruning */
#define PRUNE_MS 10000
#define PRUNE_MORE_MS 100 /* while there is more to delete: faster than gateways can fill */

void prune_init(struct prune *p, const struct database_settings *settings)
{
    *p = (struct prune){.settings = settings};
}

void prune_reset(struct prune *p)
{
    p->due_mono_ms = 0;
}

/* What arrived before this may go. After a restart the oldest that is left tells how far pruning came; and
 * where nothing arrived for more than a day, there is nothing to be slow about. */
static int64_t allowed_before(struct prune *p, int64_t oldest_ms, const struct clock *clock)
{
    int64_t now_mono_ms = clock->mono_ms();
    int64_t elapsed_ms = p->ran_mono_ms > 0 ? now_mono_ms - p->ran_mono_ms : 0;
    int64_t target_ms = clock->wall_ms() - p->settings->evidence_days * DAY_MS;
    bool is_far = p->ran_mono_ms == 0 || p->allowed_ms < oldest_ms - DAY_MS;
    int64_t base_ms = is_far ? oldest_ms : p->allowed_ms;
    p->ran_mono_ms = now_mono_ms;
    p->allowed_ms = base_ms < target_ms ? base_ms + PRUNE_PACE * elapsed_ms : target_ms;
    if (p->allowed_ms > target_ms)
        p->allowed_ms = target_ms;
    p->behind_ms = target_ms - p->allowed_ms;
    return p->allowed_ms;
}

enum status prune_step(struct prune *p, struct db *db, int64_t settled, const struct clock *clock,
    bool *ret_is_changed, struct error *err)
{
    int64_t now = clock->mono_ms();
    if (now < p->due_mono_ms)
        return ST_OK;
    p->due_mono_ms = now + PRUNE_MS;
    if (!clock->is_synchronised())
        return ST_OK;
    int64_t oldest_ms, deleted = 0;
    enum status status = journal_oldest(db, &oldest_ms, err);
    if (status == ST_OK)
        status = journal_prune(db, allowed_before(p, oldest_ms, clock), settled, PRUNE_ROWS, &deleted, err);
    if (status == ST_OK && deleted > 0)
        status = db_vacuum_some(db, VACUUM_PAGES, err);
    if (deleted == PRUNE_ROWS)
        p->due_mono_ms = now + PRUNE_MORE_MS;
    *ret_is_changed = *ret_is_changed || deleted > 0;
    return status;
}
