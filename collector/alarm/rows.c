#include "collector/alarm/rows.h"

#include "lib/clock.h"
#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>

const char alarm_schema[] =
    "CREATE TABLE alarm("
    "  id INTEGER PRIMARY KEY AUTOINCREMENT, rule TEXT NOT NULL, kind TEXT NOT NULL, target_kind TEXT NOT "
    "NULL,"
    "  target TEXT NOT NULL, severity INTEGER NOT NULL, since_ms INTEGER NOT NULL, fired_ms INTEGER NOT NULL,"
    "  value_m INTEGER, bound_m INTEGER, is_below INTEGER NOT NULL, cleared_ms INTEGER,"
    "  is_gone INTEGER NOT NULL DEFAULT 0, acked_ms INTEGER, acked_by TEXT, ack_note TEXT) STRICT;"
    "CREATE UNIQUE INDEX alarm_standing ON alarm(rule, target_kind, target) WHERE cleared_ms IS NULL;"
    "CREATE TRIGGER alarm_clears_once BEFORE UPDATE OF cleared_ms ON alarm WHEN old.cleared_ms IS NOT NULL "
    "BEGIN"
    "  SELECT RAISE(ABORT, 'an alarm clears once'); END;"
    "CREATE TRIGGER alarm_stays BEFORE DELETE ON alarm BEGIN SELECT RAISE(ABORT, 'an alarm stays'); END;"
    "CREATE TABLE alarm_run("
    "  rule TEXT NOT NULL, target_kind TEXT NOT NULL, target TEXT NOT NULL, run_ms INTEGER NOT NULL,"
    "  PRIMARY KEY(rule, target_kind, target)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE alarm_told("
    "  alarm INTEGER NOT NULL, receiver TEXT NOT NULL, taken INTEGER NOT NULL, due_ms INTEGER,"
    "  PRIMARY KEY(receiver, alarm)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX alarm_told_due ON alarm_told(receiver, due_ms) WHERE due_ms IS NOT NULL;"
    "CREATE INDEX alarm_told_alarm ON alarm_told(alarm);"
    "INSERT INTO cursor VALUES('alarms', 0);";

/* NULL: none, or of before. */
const char alarm_reason_schema[] = "ALTER TABLE alarm ADD COLUMN reason TEXT;";

const char alarm_tried_schema[] = "ALTER TABLE alarm_told ADD COLUMN tried INTEGER NOT NULL DEFAULT 0;";

/* NULL: the value is of when it fired, or of before. */
const char alarm_period_schema[] = "ALTER TABLE alarm ADD COLUMN from_ms INTEGER;"
                                   "ALTER TABLE alarm ADD COLUMN until_ms INTEGER;";

/* told, NULL: those of `reason`. */
const char alarm_news_schema[] = "ALTER TABLE alarm ADD COLUMN told TEXT;"
                                 "ALTER TABLE alarm ADD COLUMN news INTEGER NOT NULL DEFAULT 0;"
                                 "ALTER TABLE alarm ADD COLUMN former_by TEXT;"
                                 "ALTER TABLE alarm ADD COLUMN former_note TEXT;"
                                 "ALTER TABLE alarm_told ADD COLUMN since INTEGER NOT NULL DEFAULT 0;"
                                 "ALTER TABLE alarm_told ADD COLUMN news INTEGER NOT NULL DEFAULT 0;";

#define COLUMNS                                                                                      \
    "a.id, a.rule, a.kind, a.target_kind, a.target, a.severity, a.since_ms, a.fired_ms, a.value_m,"  \
    " a.bound_m, a.is_below, a.cleared_ms, a.is_gone, a.acked_ms, a.acked_by, a.ack_note, a.reason," \
    " a.from_ms, a.until_ms, ifnull(a.told, a.reason), a.news, a.former_by, a.former_note"

void alarm_release(struct alarm *a)
{
    free(a->rule);
    free(a->target);
    free(a->ills);
    free(a->told);
    free(a->acked_by);
    free(a->ack_note);
    free(a->former_by);
    free(a->former_note);
    *a = (struct alarm){0};
}

void alarm_list_release(struct alarm_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        alarm_release(&list->items[i]);
    free(list->items);
    *list = (struct alarm_list){0};
}

static char *text_of(struct db_stmt *row, int column)
{
    struct span text = db_text(row, column);
    return db_is_null(row, column) ? NULL : mem_strndup(text.at, text.len);
}

/* What a later version of this program wrote is of no kind that this one knows: the first. */
static int name_of(struct db_stmt *row, int column, const char *const *names)
{
    struct span text = db_text(row, column);
    for (int i = 0; names[i] != NULL; i++)
        if (span_is(text, names[i]))
            return i;
    return 0;
}

static void take(struct db_stmt *row, struct alarm *ret)
{
    *ret = (struct alarm){.id = db_int(row, 0),
        .rule = text_of(row, 1),
        .kind = (enum alarm_kind)name_of(row, 2, alarm_kinds),
        .target_kind = (enum alarm_target_kind)name_of(row, 3, alarm_target_kinds),
        .target = text_of(row, 4),
        .severity = (enum alarm_severity)db_int(row, 5),
        .since_ms = db_int(row, 6),
        .fired_ms = db_int(row, 7),
        .has_value = !db_is_null(row, 8),
        .value_m = db_int(row, 8),
        .has_bound = !db_is_null(row, 9),
        .bound_m = db_int(row, 9),
        .is_below = db_int(row, 10) != 0,
        .cleared_ms = db_int(row, 11),
        .is_gone = db_int(row, 12) != 0,
        .acked_ms = db_int(row, 13),
        .acked_by = text_of(row, 14),
        .ack_note = text_of(row, 15),
        .reason = (enum alarm_reason)name_of(row, 16, alarm_reasons),
        .from_ms = db_int(row, 17),
        .until_ms = db_int(row, 18),
        .news = db_int(row, 20),
        .former_by = text_of(row, 21),
        .former_note = text_of(row, 22)};
    if (ret->kind == ALARM_HEALTH) {
        ret->ills = text_of(row, 16);
        ret->told = text_of(row, 19);
    }
}

static enum status take_all(struct db_stmt *rows, struct alarm_list *ret, struct error *err)
{
    bool has_row;
    enum status status;
    *ret = (struct alarm_list){0};
    while ((status = db_step(rows, &has_row, err)) == ST_OK && has_row) {
        MEM_GROW(ret->items, ret->count, ret->capacity);
        take(rows, &ret->items[ret->count++]);
    }
    db_reset(rows);
    if (status != ST_OK)
        alarm_list_release(ret);
    return status;
}

enum status alarm_list_read(struct db *db, enum alarm_which which, int64_t before, int64_t limit,
    struct alarm_list *ret, struct error *err)
{
#define SELECT "SELECT " COLUMNS " FROM alarm a "
#define NEWEST " id < ?1 ORDER BY id DESC LIMIT ?2"
    /* Behind the one of this number, which may be over by now; there are none beyond the newest. */
#define GRAVEST                                                                       \
    " (a.severity, id) < (ifnull((SELECT severity FROM alarm WHERE id = ?1), 9), ?1)" \
    " ORDER BY a.severity DESC, id DESC LIMIT ?2"
    static const char *const statements[] = {[ALARM_ALL] = SELECT "WHERE" NEWEST,
        [ALARM_STANDING] = SELECT "INDEXED BY alarm_standing WHERE cleared_ms IS NULL AND" GRAVEST,
        [ALARM_OVER] = SELECT "WHERE cleared_ms IS NOT NULL AND" NEWEST};
#undef GRAVEST
#undef NEWEST
#undef SELECT
    struct db_stmt *rows = db_keep(db, statements[which]);
    db_bind_int(rows, 1, before);
    db_bind_int(rows, 2, limit);
    return take_all(rows, ret, err);
}

enum status alarm_find(struct db *db, int64_t id, struct alarm *ret, struct error *err)
{
    struct db_stmt *row = db_keep(db, "SELECT " COLUMNS " FROM alarm a WHERE id = ?1");
    db_bind_int(row, 1, id);
    bool has_row;
    *ret = (struct alarm){0};
    enum status status = db_step(row, &has_row, err);
    if (status == ST_OK && has_row)
        take(row, ret);
    db_reset(row);
    return status;
}

enum status alarm_count(struct db *db, struct alarm_counts *ret, struct error *err)
{
    struct db_stmt *rows = db_keep(db, "SELECT kind, severity, count(*), sum(acked_ms IS NULL) FROM alarm"
                                       " WHERE cleared_ms IS NULL GROUP BY kind, severity");
    bool has_row;
    enum status status;
    *ret = (struct alarm_counts){0};
    while ((status = db_step(rows, &has_row, err)) == ST_OK && has_row) {
        int kind = name_of(rows, 0, alarm_kinds);
        int64_t severity = db_int(rows, 1), count = db_int(rows, 2);
        ret->standing += count;
        ret->unacked += db_int(rows, 3);
        ret->unacked_critical += severity == ALARM_CRITICAL ? db_int(rows, 3) : 0;
        if (severity < ALARM_INFO || severity > ALARM_CRITICAL)
            continue;
        ret->by_severity[severity] += count;
        ret->by_kind[kind][severity] += count;
    }
    db_reset(rows);
    return status;
}

static void bind_target(
    struct db_stmt *row, int first, const char *rule, enum alarm_target_kind kind, const char *target)
{
    db_bind_text(row, first, span_of(rule));
    db_bind_text(row, first + 1, span_of(alarm_target_kinds[kind]));
    db_bind_text(row, first + 2, span_of(target));
}

static void bind_number(struct db_stmt *row, int index, bool is_there, int64_t value)
{
    if (is_there)
        db_bind_int(row, index, value);
    else
        db_bind_null(row, index);
}

static void bind_reason(struct db_stmt *row, int index, const struct alarm *a)
{
    db_bind_text(row, index, span_of(a->ills != NULL ? a->ills : alarm_reasons[a->reason]));
}

enum status alarm_fire(struct db *db, const struct alarm *a, int64_t *ret_id, struct error *err)
{
    struct db_stmt *row = db_keep(db, "INSERT INTO alarm(rule, target_kind, target, kind, severity, "
                                      "since_ms, fired_ms, value_m, bound_m, is_below, reason,"
                                      " from_ms, until_ms)"
                                      " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, nullif(?11, ''),"
                                      " nullif(?12, 0), nullif(?13, 0))");
    bind_target(row, 1, a->rule, a->target_kind, a->target);
    db_bind_text(row, 4, span_of(alarm_kinds[a->kind]));
    db_bind_int(row, 5, a->severity);
    db_bind_int(row, 6, a->since_ms);
    db_bind_int(row, 7, a->fired_ms);
    bind_number(row, 8, a->has_value, a->value_m);
    bind_number(row, 9, a->has_bound, a->bound_m);
    db_bind_int(row, 10, a->is_below);
    bind_reason(row, 11, a);
    db_bind_int(row, 12, a->from_ms);
    db_bind_int(row, 13, a->until_ms);
    enum status status = db_run(row, err);
    if (status == ST_OK)
        *ret_id = db_last_id(db);
    return status;
}

enum status alarm_clear(struct db *db, int64_t id, int64_t now_ms, bool is_gone, struct error *err)
{
    struct db_stmt *row = db_keep(db, "UPDATE alarm SET cleared_ms = ?2, is_gone = ?3 WHERE id = ?1");
    db_bind_int(row, 1, id);
    db_bind_int(row, 2, now_ms);
    db_bind_int(row, 3, is_gone);
    return db_run(row, err);
}

enum status alarm_change(struct db *db, const struct alarm *a, bool is_news, struct error *err)
{
    struct db_stmt *row =
        db_keep(db, "UPDATE alarm SET value_m = ?2, reason = nullif(?3, ''), told = ?5, news = news + ?4,"
                    " former_by = iif(?4, ifnull(acked_by, former_by), former_by),"
                    " former_note = iif(?4 AND acked_by IS NOT NULL, ack_note, former_note),"
                    " acked_ms = iif(?4, NULL, acked_ms), acked_by = iif(?4, NULL, acked_by),"
                    " ack_note = iif(?4, NULL, ack_note) WHERE id = ?1");
    db_bind_int(row, 1, a->id);
    bind_number(row, 2, a->has_value, a->value_m);
    bind_reason(row, 3, a);
    db_bind_int(row, 4, is_news);
    if (a->told != NULL)
        db_bind_text(row, 5, span_of(a->told));
    else
        db_bind_null(row, 5);
    return db_run(row, err);
}

enum status alarm_ack(struct db *db, int64_t id, const char *who, const char *note, int64_t seen_news,
    int64_t now_ms, struct alarm *ret, struct error *err)
{
    struct alarm before;
    char text[CLOCK_TEXT_SIZE];
    enum status status = alarm_find(db, id, &before, err);
    if (status != ST_OK)
        return status;
    if (before.id == 0)
        status = error_set(err, ST_INVALID, "there is no alarm %lld", (long long)id);
    else if (before.cleared_ms != 0) {
        clock_format_utc(before.cleared_ms, text);
        status = error_set(
            err, ST_INVALID, "alarm %lld is over since %s; expected one that stands", (long long)id, text);
    } else if (before.acked_ms != 0) {
        clock_format_utc(before.acked_ms, text);
        status =
            error_set(err, ST_INVALID, "alarm %lld was acknowledged at %s by %s; expected one that is not",
                (long long)id, text, before.acked_by);
    } else if (seen_news != ALARM_NEVER && seen_news != before.news)
        status = error_set(err, ST_INVALID,
            "alarm %lld is not as it was seen (news %lld, by now %lld); expected one that is", (long long)id,
            (long long)seen_news, (long long)before.news);
    alarm_release(&before);
    if (status != ST_OK)
        return status;
    struct db_stmt *row =
        db_keep(db, "UPDATE alarm SET acked_ms = ?2, acked_by = ?3, ack_note = ?4 WHERE id = ?1");
    db_bind_int(row, 1, id);
    db_bind_int(row, 2, now_ms);
    db_bind_text(row, 3, span_of(who));
    db_bind_text(row, 4, span_of(note));
    status = db_run(row, err);
    return status == ST_OK ? alarm_find(db, id, ret, err) : status;
}

/* ---- runs ---- */

enum status alarm_run_write(struct db *db, const char *rule, enum alarm_target_kind kind, const char *target,
    int64_t run_ms, struct error *err)
{
    struct db_stmt *row =
        run_ms == ALARM_NEVER
            ? db_keep(db, "DELETE FROM alarm_run WHERE rule = ?1 AND target_kind = ?2 AND target = ?3")
            : db_keep(db, "INSERT OR REPLACE INTO alarm_run VALUES(?1, ?2, ?3, ?4)");
    bind_target(row, 1, rule, kind, target);
    if (run_ms != ALARM_NEVER)
        db_bind_int(row, 4, run_ms);
    return db_run(row, err);
}
