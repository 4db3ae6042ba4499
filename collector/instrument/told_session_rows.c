#include "collector/instrument/told_private.h"
#include "lib/mem.h"

#include <string.h>

const char *const told_ends[] = {"open", "closed", "next_opened", "forgotten", "never_opened", NULL};

#define COLUMNS                                                                                        \
    "id, opened_ms, closed_ms, user, class, organisation, purpose, open_event, close_event, evidence," \
    " closed_evidence, why, told_ms, told_evidence, limit_ms"
#define NAME_COLUMN 15
/* Of those that begin at one instant only the last has a time; then as they were told. */
#define NEWEST_FIRST " ORDER BY opened_ms DESC, closed_ms IS NULL DESC, closed_ms DESC, id DESC LIMIT 1"

void told_copy_text(char *to, size_t size, struct span text)
{
    size_t length = text.len < size ? text.len : size - 1;
    if (length > 0)
        memcpy(to, text.at, length);
    to[length] = '\0';
}

static void read_row(struct db_stmt *row, struct told_session *ret)
{
    *ret = (struct told_session){.id = db_int(row, 0),
        .opened_ms = db_int(row, 1),
        .closed_ms = told_time_of(row, 2),
        .user = (enum hours_user)db_int(row, 3),
        .class = (enum session_class)db_int(row, 4),
        .evidence = (enum hours_evidence)db_int(row, 9),
        .closed_evidence = (enum hours_evidence)db_int(row, 10),
        .end = (enum told_end)db_int(row, 11),
        .told_ms = told_time_of(row, 12),
        .told_evidence = (enum hours_evidence)db_int(row, 13),
        .limit_ms = told_time_of(row, 14)};
    told_copy_text(ret->organisation, sizeof ret->organisation, db_text(row, 5));
    told_copy_text(ret->purpose, sizeof ret->purpose, db_text(row, 6));
    told_copy_text(ret->open_event, sizeof ret->open_event, db_text(row, 7));
    told_copy_text(ret->close_event, sizeof ret->close_event, db_text(row, 8));
}

/* First of what the statement gives, which is then reset; id 0 = nothing. */
static enum status one_of(struct db_stmt *rows, struct told_session *ret, struct error *err)
{
    bool has_row;
    *ret = (struct told_session){0};
    enum status status = db_step(rows, &has_row, err);
    if (status == ST_OK && has_row)
        read_row(rows, ret);
    db_reset(rows);
    return status;
}

enum status told_session_newest(
    struct db *db, int64_t instrument, struct told_session *ret, struct error *err)
{
    struct db_stmt *newest =
        db_keep(db, "SELECT " COLUMNS " FROM session WHERE instrument = ?1" NEWEST_FIRST);
    db_bind_int(newest, 1, instrument);
    return one_of(newest, ret, err);
}

enum status told_session_around(struct db *db, int64_t instrument, int64_t time_ms,
    struct told_session *ret_before, struct told_session *ret_after, struct error *err)
{
    struct db_stmt *before =
        db_keep(db, "SELECT " COLUMNS
                    " FROM session WHERE instrument = ?1 AND opened_ms <= ?2 AND why <> 4" NEWEST_FIRST);
    _Static_assert(TOLD_UNOPENED == 4, "as the query and its index (told_place_schema) have it");
    struct db_stmt *after = db_keep(db, "SELECT " COLUMNS " FROM session WHERE instrument = ?1 AND"
                                        " opened_ms > ?2 ORDER BY opened_ms, id LIMIT 1");
    db_bind_int(before, 1, instrument);
    db_bind_int(before, 2, time_ms);
    db_bind_int(after, 1, instrument);
    db_bind_int(after, 2, time_ms);
    enum status status = one_of(before, ret_before, err);
    return status == ST_OK ? one_of(after, ret_after, err) : status;
}

/* Of ?1 its row, or the instrument of a new one. */
static void bind_row(struct db_stmt *row, int64_t first, const struct told_session *s)
{
    db_bind_int(row, 1, first);
    db_bind_int(row, 2, s->opened_ms);
    told_bind_time(row, 3, s->closed_ms);
    db_bind_int(row, 4, s->user);
    db_bind_int(row, 5, s->class);
    told_bind_text(row, 6, s->organisation);
    told_bind_text(row, 7, s->purpose);
    told_bind_text(row, 8, s->open_event);
    told_bind_text(row, 9, s->close_event);
    db_bind_int(row, 10, s->evidence);
    db_bind_int(row, 11, s->closed_evidence);
    db_bind_int(row, 12, s->end);
    told_bind_time(row, 13, s->told_ms);
    db_bind_int(row, 14, s->told_evidence);
    told_bind_time(row, 15, s->limit_ms);
}

enum status told_session_insert(struct db *db, int64_t instrument, struct told_session *s, struct error *err)
{
    struct db_stmt *add =
        db_keep(db, "INSERT INTO session(instrument, opened_ms, closed_ms, user, class, organisation, "
                    "purpose, open_event,"
                    " close_event, evidence, closed_evidence, why, told_ms, told_evidence, limit_ms)"
                    " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)");
    bind_row(add, instrument, s);
    enum status status = db_run(add, err);
    s->id = db_last_id(db);
    return status;
}

enum status told_session_update(struct db *db, const struct told_session *s, struct error *err)
{
    struct db_stmt *update = db_keep(db,
        "UPDATE session SET opened_ms = ?2, closed_ms = ?3, user = ?4, class = ?5, organisation = ?6,"
        " purpose = ?7, open_event = ?8, close_event = ?9, evidence = ?10, closed_evidence = ?11, why = ?12,"
        " told_ms = ?13, told_evidence = ?14, limit_ms = ?15 WHERE id = ?1");
    bind_row(update, s->id, s);
    return db_run(update, err);
}

enum status told_session_displace(struct db *db, int64_t id, struct error *err)
{
    struct db_stmt *mark = db_keep(db, "UPDATE session SET is_displaced = 1 WHERE id = ?1");
    db_bind_int(mark, 1, id);
    return db_run(mark, err);
}

/* What the statement gives, which is then reset. */
static enum status list_of(
    struct db_stmt *rows, struct told_session **ret, size_t *ret_count, struct error *err)
{
    struct told_session *items = NULL;
    size_t count = 0, capacity = 0;
    bool has_row;
    enum status status;
    while ((status = db_step(rows, &has_row, err)) == ST_OK && has_row) {
        MEM_GROW(items, count, capacity);
        read_row(rows, &items[count++]);
    }
    db_reset(rows);
    *ret = items;
    *ret_count = count;
    return status;
}

enum status told_sessions_late(struct db *db, int64_t instrument, int64_t from_ms, struct told_session **ret,
    size_t *ret_count, struct error *err)
{
    struct db_stmt *rows = db_keep(db, "SELECT " COLUMNS " FROM session WHERE instrument = ?1"
                                       " AND limit_ms >= ?2 AND told_ms IS NOT NULL ORDER BY limit_ms, id");
    db_bind_int(rows, 1, instrument);
    db_bind_int(rows, 2, from_ms);
    return list_of(rows, ret, ret_count, err);
}

enum status told_sessions(struct db *db, int64_t instrument, int64_t from_ms, int64_t until_ms,
    struct told_session **ret, size_t *ret_count, struct error *err)
{
    /* Sessions do not overlap: of those opened before, only the newest can reach in. */
    struct db_stmt *rows = db_keep(db,
        "SELECT " COLUMNS " FROM session WHERE instrument = ?1 AND opened_ms < ?3 AND opened_ms >="
        "  coalesce((SELECT max(opened_ms) FROM session WHERE instrument = ?1 AND opened_ms <= ?2 AND"
        "    (closed_ms IS NULL OR closed_ms > opened_ms)), ?2)"
        " AND (closed_ms IS NULL OR (closed_ms > ?2 AND closed_ms > opened_ms)) ORDER BY opened_ms, id");
    db_bind_int(rows, 1, instrument);
    db_bind_int(rows, 2, from_ms);
    db_bind_int(rows, 3, until_ms);
    return list_of(rows, ret, ret_count, err);
}

static struct db_stmt *page_of(struct db *db, const char *instrument)
{
    if (instrument == NULL)
        return db_keep(db, "SELECT " COLUMNS ", (SELECT name FROM instrument WHERE id = session.instrument)"
                           " FROM session WHERE id < ?1 ORDER BY id DESC LIMIT ?2");
    struct db_stmt *page =
        db_keep(db, "SELECT " COLUMNS ", ?3 FROM session WHERE id < ?1 AND instrument ="
                    " (SELECT id FROM instrument WHERE name = ?3) ORDER BY id DESC LIMIT ?2");
    db_bind_text(page, 3, span_of(instrument));
    return page;
}

enum status told_sessions_each(struct db *db, const char *instrument, int64_t before, int64_t limit,
    void (*each)(void *user_data, const char *instrument, const struct told_session *session),
    void *user_data, struct error *err)
{
    struct db_stmt *page = page_of(db, instrument);
    bool has_row;
    enum status status;
    db_bind_int(page, 1, before);
    db_bind_int(page, 2, limit);
    while ((status = db_step(page, &has_row, err)) == ST_OK && has_row) {
        struct told_session session;
        char name[ID_MAX + 1];
        read_row(page, &session);
        told_copy_text(name, sizeof name, db_text(page, NAME_COLUMN));
        each(user_data, name, &session);
    }
    db_reset(page);
    return status;
}

enum status told_is_same_action(struct db *db, const struct told_instrument *t, const struct session_event *e,
    bool *ret, struct error *err)
{
    struct db_stmt *find =
        e->is_open ? db_keep(db, "SELECT 1 FROM session WHERE instrument = ?1 AND open_event = ?2 LIMIT 1")
                   : db_keep(db, "SELECT 1 FROM session WHERE instrument = ?1 AND close_event = ?2 LIMIT 1");
    db_bind_int(find, 1, t->id);
    db_bind_text(find, 2, span_of(e->id));
    enum status status = db_step(find, ret, err);
    db_reset(find);
    return status;
}
