#include "collector/evidence/prune.h"

#include "collector/evidence/archive.h"
#include "collector/intake/journal.h"

#define HOUR_MS INT64_C(3600000)
#define DAY_MS (24 * HOUR_MS)
#define PRUNE_ROWS 500           /* at once, */
#define PRUNE_BYTES (512 * 1024) /* and no more than this of batches: they are read for the archive */
#define VACUUM_PAGES 256         /* given back to the disk after pruning */
#define PRUNE_MS 10000
#define PRUNE_MORE_MS 100 /* while there is more to do: faster than gateways can fill */

void prune_init(struct prune *p, const struct database_settings *settings)
{
    *p = (struct prune){
        .sealer = {.evidence_ms = settings->evidence_days * DAY_MS, .audit_years = settings->audit_years}};
}

void prune_reset(struct prune *p)
{
    p->due_mono_ms = 0;
}

/* What arrived before allowed_ms may go. After a restart the oldest that is left tells how far pruning came; and
 * where nothing arrived for more than a day, there is nothing to be slow about. */
static void allow(struct prune *p, int64_t oldest_ms, const struct clock *clock)
{
    int64_t now_mono_ms = clock->mono_ms();
    int64_t elapsed_ms = p->ran_mono_ms > 0 ? now_mono_ms - p->ran_mono_ms : 0;
    int64_t target_ms = clock->wall_ms() - p->sealer.evidence_ms;
    bool is_far = p->ran_mono_ms == 0 || p->allowed_ms < oldest_ms - DAY_MS;
    int64_t base_ms = is_far ? oldest_ms : p->allowed_ms;
    p->ran_mono_ms = now_mono_ms;
    p->allowed_ms = base_ms < target_ms ? base_ms + PRUNE_PACE * elapsed_ms : target_ms;
    if (p->allowed_ms > target_ms)
        p->allowed_ms = target_ms;
    p->behind_ms = target_ms - p->allowed_ms;
}

static void archive_batch(void *archive, const struct journal_entry *batch)
{
    archive_add(archive, batch);
}

static enum status prune_batches(struct prune *p, struct db *db, int64_t settled, int64_t now_ms,
    int64_t *ret_deleted, bool *ret_is_done, struct error *err)
{
    struct archive archive = {0};
    struct journal_pruning pruning = {.before_ms = p->allowed_ms,
        .settled = settled,
        .batches = PRUNE_ROWS,
        .bytes = PRUNE_BYTES,
        .take = archive_batch,
        .context = &archive};
    enum status status = journal_prune(db, &pruning, ret_deleted, ret_is_done, err);
    if (status == ST_OK)
        status = archive_write(&archive, db, now_ms, err);
    archive_release(&archive);
    return status;
}

enum status prune_step(struct prune *p, struct db *db, int64_t settled, const struct clock *clock,
    bool *ret_is_changed, struct error *err)
{
    int64_t now = clock->mono_ms(), now_ms = clock->wall_ms();
    if (now < p->due_mono_ms)
        return ST_OK;
    p->due_mono_ms = now + PRUNE_MS;
    if (!clock->is_synchronised())
        return ST_OK;
    int64_t oldest_ms, batches = 0, lines = 0;
    bool is_done = true, has_sealed = false;
    enum status status = journal_oldest(db, &oldest_ms, err);
    if (status == ST_OK) {
        allow(p, oldest_ms, clock);
        status = prune_batches(p, db, settled, now_ms, &batches, &is_done, err);
    }
    if (status == ST_OK)
        status = journal_prune_quarantine(db, p->allowed_ms, PRUNE_ROWS, &lines, err);
    if (status == ST_OK)
        status = seal_step(&p->sealer, db, p->allowed_ms, now_ms, &has_sealed, err);
    if (status == ST_OK)
        status = seal_expire(&p->sealer, db, p->allowed_ms, now_ms, &has_sealed, err);
    bool is_changed = batches > 0 || lines > 0 || has_sealed;
    if (status == ST_OK && is_changed)
        status = db_vacuum_some(db, VACUUM_PAGES, err);
    if (!is_done || lines == PRUNE_ROWS || has_sealed)
        p->due_mono_ms = now + PRUNE_MORE_MS;
    *ret_is_changed = *ret_is_changed || is_changed;
    return status;
}
