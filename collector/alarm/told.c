#include "collector/alarm/told.h"

/* A statement of an alarm, ?1, and a receiver, ?2. */
static enum status run_for(struct db_stmt *row, int64_t alarm, const char *receiver, struct error *err)
{
    db_bind_int(row, 1, alarm);
    db_bind_text(row, 2, span_of(receiver));
    return db_run(row, err);
}

enum status alarm_told_add(
    struct db *db, int64_t alarm, const char *receiver, int64_t now_ms, struct error *err)
{
    struct db_stmt *row =
        db_keep(db, "INSERT OR IGNORE INTO alarm_told(alarm, receiver, taken, due_ms) VALUES(?1, ?2, 0, ?3)");
    db_bind_int(row, 1, alarm);
    db_bind_text(row, 2, span_of(receiver));
    db_bind_int(row, 3, now_ms);
    return db_run(row, err);
}

enum status alarm_told_over(struct db *db, int64_t alarm, int64_t now_ms, struct error *err)
{
    struct db_stmt *row = db_keep(db, "UPDATE alarm_told SET due_ms = ?2 WHERE alarm = ?1");
    db_bind_int(row, 1, alarm);
    db_bind_int(row, 2, now_ms);
    return db_run(row, err);
}

enum status alarm_told_drop(struct db *db, int64_t alarm, const char *receiver, struct error *err)
{
    return run_for(db_keep(db, "UPDATE alarm_told SET due_ms = NULL"
                               " WHERE receiver = ?2 AND alarm = ?1 AND taken = 0 AND tried = 0"),
        alarm, receiver, err);
}

enum status alarm_told_try(struct db *db, int64_t alarm, const char *receiver, struct error *err)
{
    return run_for(db_keep(db, "UPDATE alarm_told SET tried = min(tried + 1, 2)"
                               " WHERE receiver = ?2 AND alarm = ?1 AND taken = 0"),
        alarm, receiver, err);
}

#define IS_OVER "(SELECT cleared_ms IS NOT NULL FROM alarm a WHERE a.id = alarm)"

enum status alarm_told_missed(struct db *db, int64_t alarm, const char *receiver, struct error *err)
{
    return run_for(db_keep(db, "UPDATE alarm_told SET tried = 0, due_ms = iif(" IS_OVER ", NULL, due_ms)"
                               " WHERE receiver = ?2 AND alarm = ?1 AND taken = 0 AND tried = 1"),
        alarm, receiver, err);
}

enum status alarm_told_doubt(
    struct db *db, int64_t alarm, const char *receiver, int64_t now_ms, struct error *err)
{
    struct db_stmt *row =
        db_keep(db, "UPDATE alarm_told SET tried = 2, due_ms = iif(" IS_OVER ", ifnull(due_ms, ?3), due_ms)"
                    " WHERE receiver = ?2 AND alarm = ?1 AND taken = 0");
    db_bind_int(row, 3, now_ms);
    return run_for(row, alarm, receiver, err);
}

enum status alarm_told_quiet(struct db *db, int64_t alarm, struct error *err)
{
    struct db_stmt *row = db_keep(db, "UPDATE alarm_told SET due_ms = NULL WHERE alarm = ?1 AND taken > 0");
    db_bind_int(row, 1, alarm);
    return db_run(row, err);
}

enum status alarm_told_news(struct db *db, int64_t alarm, int64_t now_ms, struct error *err)
{
    struct db_stmt *row =
        db_keep(db, "UPDATE alarm_told SET due_ms = ?2, since = taken, news = news + 1 WHERE alarm = ?1");
    db_bind_int(row, 1, alarm);
    db_bind_int(row, 2, now_ms);
    return db_run(row, err);
}

enum status alarm_told_mend(struct db *db, int64_t now_ms, int64_t repeat_ms, int64_t repeat_max_ms,
    bool *ret_is_changed, struct error *err)
{
    struct db_stmt *row =
        db_keep(db, "UPDATE alarm_told SET due_ms = mended FROM (SELECT t.alarm AS which, t.receiver AS who,"
                    " CASE WHEN t.taken = t.since OR a.cleared_ms IS NOT NULL THEN ?1"
                    " ELSE ?1 + min(?2 << min(t.taken - t.since - 1, 20), ?3) END AS mended"
                    " FROM alarm_told t JOIN alarm a ON a.id = t.alarm WHERE t.due_ms > ?1)"
                    " WHERE alarm = which AND receiver = who AND due_ms > mended");
    db_bind_int(row, 1, now_ms);
    db_bind_int(row, 2, repeat_ms);
    db_bind_int(row, 3, repeat_max_ms);
    enum status status = db_run(row, err);
    if (status == ST_OK && db_changes(db) > 0)
        *ret_is_changed = true;
    return status;
}

enum status alarm_told_took(
    struct db *db, const struct alarm_result *taken, int64_t due_ms, struct error *err)
{
    struct db_stmt *row = db_keep(db, "UPDATE alarm_told SET taken = ?3, due_ms = iif(news > ?5, due_ms, ?4),"
                                      " since = iif(news > ?5, ?3, since)"
                                      " WHERE receiver = ?2 AND alarm = ?1 AND taken < ?3");
    db_bind_int(row, 1, taken->letter.alarm);
    db_bind_text(row, 2, span_of(taken->receiver));
    db_bind_int(row, 3, taken->letter.number);
    db_bind_int(row, 5, taken->letter.news);
    if (due_ms != ALARM_NEVER)
        db_bind_int(row, 4, due_ms);
    else
        db_bind_null(row, 4);
    return db_run(row, err);
}

/* Is it due the message by what it took, and no row says yet? That one, or the next. */
static bool is_due(const struct alarm_result *r, bool is_over, int64_t now_ms, struct alarm_letter *letter)
{
    if (r == NULL || r->outcome != ALARM_TAKEN || r->letter.number < letter->number)
        return true;
    letter->number = r->letter.number + 1;
    bool is_news = letter->news > r->letter.news;
    letter->nth = is_news ? 1 : r->letter.nth + 1;
    if (is_news)
        return true;
    return is_over ? !r->is_end : r->due_ms != ALARM_NEVER && r->due_ms <= now_ms;
}

enum status alarm_told_next(struct db *db, const struct alarm_results *results, const char *receiver,
    int64_t now_ms, struct alarm *ret, struct alarm_letter *ret_letter, struct error *err)
{
    struct db_stmt *row =
        db_keep(db, "SELECT a.id, t.taken + 1 + (t.taken = 0 AND t.tried > 0 AND a.cleared_ms IS NOT NULL),"
                    " a.cleared_ms IS NOT NULL, t.taken + 1 - t.since, t.news FROM alarm_told t JOIN alarm a "
                    "ON a.id = t.alarm"
                    " WHERE t.receiver = ?1 AND t.due_ms <= ?2"
                    " ORDER BY a.severity DESC, t.due_ms, t.alarm");
    bool has_row;
    int64_t id = 0;
    enum status status = ST_OK;
    db_bind_text(row, 1, span_of(receiver));
    db_bind_int(row, 2, now_ms);
    while (id == 0 && (status = db_step(row, &has_row, err)) == ST_OK && has_row) {
        *ret_letter = (struct alarm_letter){db_int(row, 0), db_int(row, 1), db_int(row, 3), db_int(row, 4)};
        if (is_due(alarm_results_find(results, receiver, db_int(row, 0)), db_int(row, 2) != 0, now_ms,
                ret_letter))
            id = db_int(row, 0);
    }
    db_reset(row);
    *ret = (struct alarm){0};
    return id != 0 ? alarm_find(db, id, ret, err) : status;
}

enum status alarm_told_waiting(struct db *db, int64_t now_ms, int64_t *ret, struct error *err)
{
    struct db_stmt *row = db_keep(db, "SELECT count(*) FROM alarm_told WHERE due_ms <= ?1");
    bool has_row;
    db_bind_int(row, 1, now_ms);
    enum status status = db_step(row, &has_row, err);
    *ret = status == ST_OK && has_row ? db_int(row, 0) : 0;
    db_reset(row);
    return status;
}
