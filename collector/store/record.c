#include "collector/store/record.h"

#include "collector/intake/journal.h"
#include "collector/store/outbox.h"
#include "collector/store/repost.h"
#include "collector/store/repost_rows.h"
#include "lib/cursor.h"

/* A late row can touch an hour that was counted; how many rows were let go then is known for so long, and that an
 * hour differed. */
#define COUNTED_HOURS (35 * 24)
/* A row that was sent waits for its hour to be counted, but not longer than this. */
#define SENT_MS (24 * HOUR_MS)
#define PRUNE_ROWS 500

static enum status record_reject(
    struct db *db, const struct store_reject *reject, int64_t now_ms, int64_t *ret_omitted, struct error *err)
{
    bool is_kept = true;
    enum status status = journal_reject(
        db, reject->journal, reject->line, reject->reason, span_of(reject->content), now_ms, &is_kept, err);
    *ret_omitted += !is_kept;
    if (status != ST_OK)
        return status;
    if (reject->journal == 0)
        return outbox_remove(db, reject->outbox, err);
    struct db_stmt *refuse = db_keep(db, "INSERT OR IGNORE INTO refused VALUES(?, ?)");
    db_bind_int(refuse, 1, reject->journal);
    db_bind_int(refuse, 2, reject->line);
    return db_run(refuse, err);
}

static void bind_hour(struct db_stmt *s, const struct hour *hour)
{
    db_bind_text(s, 1, span_of(hour->measurement));
    db_bind_int(s, 2, hour->hour);
}

static enum status record_touched(struct db *db, const struct hour *hour, struct error *err)
{
    struct db_stmt *touch = db_keep(db, "INSERT INTO hour(measurement, hour, touched) VALUES(?, ?, 1)"
                                        " ON CONFLICT DO UPDATE SET touched = touched + 1");
    bind_hour(touch, hour);
    return db_run(touch, err);
}

/* Only what was not touched since. */
static enum status settle_hour(
    struct db *db, const struct hour_count *count, int64_t now_ms, bool *ret_is_settled, struct error *err)
{
    struct db_stmt *settle =
        db_keep(db, "UPDATE hour SET touched = 0, expected = ?4, found = ?5, told_ms = ?6"
                    " WHERE measurement = ?1 AND hour = ?2 AND touched = ?3");
    bind_hour(settle, &count->hour);
    db_bind_int(settle, 3, count->touched);
    db_bind_int(settle, 4, count->expected);
    db_bind_int(settle, 5, count->found);
    if (count->outcome == HOUR_DIFFERENT)
        db_bind_int(settle, 6, now_ms);
    else
        db_bind_null(settle, 6);
    enum status status = db_run(settle, err);
    *ret_is_settled = status == ST_OK && db_changes(db) > 0;
    return status;
}

/* What was derived and counted is remembered by its number; of what was journalled nothing is left to remember. */
static enum status let_go(struct db *db, const struct hour_count *count, int64_t now_ms, struct error *err)
{
    enum status status = outbox_let_go(db, &count->hour, err);
    bool was_derived = status == ST_OK && db_changes(db) > 0;
    struct db_stmt *remember = db_keep(db,
        "UPDATE hour SET counted = max(coalesce(counted, 0), expected) WHERE measurement = ? AND hour = ?");
    struct db_stmt *forget =
        db_keep(db, "DELETE FROM hour WHERE measurement = ? AND hour = ? AND counted IS NULL");
    struct db_stmt *last = was_derived ? remember : forget;
    bind_hour(last, &count->hour);
    if (status == ST_OK)
        status = db_run(last, err);
    struct db_stmt *prune = db_keep(db,
        "DELETE FROM hour WHERE measurement = ? AND hour < ? AND touched = 0 AND coalesce(told_ms, 0) < ?");
    db_bind_text(prune, 1, span_of(count->hour.measurement));
    db_bind_int(prune, 2, count->hour.hour - COUNTED_HOURS);
    db_bind_int(prune, 3, now_ms - COUNTED_HOURS * HOUR_MS);
    return status == ST_OK ? db_run(prune, err) : status;
}

static enum status record_counted(
    struct db *db, const struct hour_count *count, int64_t now_ms, struct error *err)
{
    bool is_settled;
    enum status status = settle_hour(db, count, now_ms, &is_settled, err);
    return status == ST_OK && is_settled && count->outcome != HOUR_DIFFERENT ? let_go(db, count, now_ms, err)
                                                                             : status;
}

enum status record_result(
    struct db *db, const struct store_result *result, int64_t now_ms, int64_t *ret_omitted, struct error *err)
{
    *ret_omitted = 0;
    enum status status = cursor_move(db, "raw", result->raw_position, err);
    for (size_t i = 0; i < result->reject_count && status == ST_OK; i++)
        status = record_reject(db, &result->rejects[i], now_ms, ret_omitted, err);
    if (status == ST_OK)
        status = outbox_mark_sent(db, result->outbox_from, result->outbox_position, now_ms, err);
    if (status == ST_OK && result->repost_id != 0)
        status = repost_settle(db, result->repost_id, result->repost_done_ms, err);
    if (status == ST_OK && result->has_lost_energy)
        status = repost_add_all(db, err);
    if (status == ST_OK && result->has_lost_energy)
        status = repost_rows_add_all(db, err);
    /* Touched first: what was counted before lines went there again is not settled by it. */
    for (size_t i = 0; i < result->touched.count && status == ST_OK; i++)
        status = record_touched(db, &result->touched.items[i], err);
    for (size_t i = 0; i < result->counted.count && status == ST_OK; i++)
        status = record_counted(db, &result->counted.items[i], now_ms, err);
    return status == ST_OK ? outbox_prune(db, now_ms - SENT_MS, PRUNE_ROWS, err) : status;
}
