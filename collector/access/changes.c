#include "collector/access/changes.h"

#include "lib/mem.h"

#include <stdlib.h>

static void bind_or_null(struct db_stmt *s, int index, const char *text)
{
    if (text != NULL)
        db_bind_text(s, index, span_of(text));
    else
        db_bind_null(s, index);
}

enum status changes_add(struct db *db, const struct change *change, int64_t now_ms, struct error *err)
{
    struct db_stmt *s =
        db_keep(db, "INSERT INTO change_log(id, time_ms, token, who, action, object, before, after, note)"
                    " VALUES(max(?1 * 1000, (SELECT coalesce(max(id), 0) + 1 FROM change_log)),"
                    " ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)");
    db_bind_int(s, 1, now_ms);
    if (change->token != 0)
        db_bind_int(s, 2, change->token);
    else
        db_bind_null(s, 2);
    db_bind_text(s, 3, span_of(change->who));
    db_bind_text(s, 4, span_of(change->action));
    db_bind_text(s, 5, span_of(change->object));
    bind_or_null(s, 6, change->before);
    bind_or_null(s, 7, change->after);
    bind_or_null(s, 8, change->note);
    return db_run(s, err);
}

enum { COLUMN_WHO = 3, COLUMNS_END = 9 };

static void tell(
    struct db_stmt *s, void (*each)(void *user_data, const struct change *change), void *user_data)
{
    char *texts[COLUMNS_END] = {NULL};
    for (int i = COLUMN_WHO; i < COLUMNS_END; i++)
        if (!db_is_null(s, i)) {
            struct span text = db_text(s, i);
            texts[i] = mem_strndup(text.at, text.len);
        }
    struct change change = {.id = db_int(s, 0),
        .time_ms = db_int(s, 1),
        .token = db_int(s, 2),
        .who = texts[COLUMN_WHO],
        .action = texts[COLUMN_WHO + 1],
        .object = texts[COLUMN_WHO + 2],
        .before = texts[COLUMN_WHO + 3],
        .after = texts[COLUMN_WHO + 4],
        .note = texts[COLUMN_WHO + 5]};
    each(user_data, &change);
    for (int i = COLUMN_WHO; i < COLUMNS_END; i++)
        free(texts[i]);
}

enum status changes_each(struct db *db, int64_t before, int64_t limit,
    void (*each)(void *user_data, const struct change *change), void *user_data, struct error *err)
{
    struct db_stmt *s = db_keep(db, "SELECT id, time_ms, token, who, action, object, before, after, note"
                                    " FROM change_log WHERE id < ?1 ORDER BY id DESC LIMIT ?2");
    db_bind_int(s, 1, before);
    db_bind_int(s, 2, limit);
    bool has_row;
    enum status status;
    while ((status = db_step(s, &has_row, err)) == ST_OK && has_row)
        tell(s, each, user_data);
    if (status != ST_OK)
        db_reset(s);
    return status;
}
