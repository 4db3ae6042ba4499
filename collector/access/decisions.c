#include "collector/access/decisions.h"

#include "lib/mem.h"

#include <stdio.h>
#include <stdlib.h>

static enum status insert(struct db *db, const struct decision_step *step, const char *who, const char *why,
    const char *changes, int64_t now_ms, struct error *err)
{
    struct db_stmt *s =
        db_keep(db, "INSERT INTO model_decision(time_ms, who, why, base, base_hash, hash, changes)"
                    " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)");
    db_bind_int(s, 1, now_ms);
    db_bind_text(s, 2, span_of(who));
    db_bind_text(s, 3, span_of(why));
    db_bind_int(s, 4, step->base);
    db_bind_blob(s, 5, hash_bytes(&step->base_hash));
    db_bind_blob(s, 6, hash_bytes(&step->hash));
    db_bind_text(s, 7, span_of(changes));
    return db_run(s, err);
}

enum status decisions_add(struct db *db, const struct decision_step *step, const char *who, const char *why,
    const char *changes, int64_t now_ms, struct error *err)
{
    char object[64], hash[HASH_TEXT_SIZE];
    snprintf(object, sizeof object, "park model after version %lld", (long long)step->base);
    hash_format(&step->hash, hash);
    enum status status = db_begin(db, err);
    if (status != ST_OK)
        return status;
    status = insert(db, step, who, why, changes, now_ms, err);
    if (status == ST_OK)
        status = changes_add(db,
            &(struct change){.who = who,
                .action = "decide model",
                .object = object,
                .before = changes,
                .after = hash,
                .note = why},
            now_ms, err);
    if (status == ST_OK)
        return db_commit(db, err);
    db_rollback(db);
    return status;
}

static enum status find(
    struct db *db, const struct decision_step *step, struct decision *ret, struct error *err)
{
    struct db_stmt *s = db_keep(db, "SELECT id, time_ms, who, why FROM model_decision WHERE base = ?1 AND"
                                    " base_hash = ?2 AND hash = ?3 ORDER BY id DESC LIMIT 1");
    db_bind_int(s, 1, step->base);
    db_bind_blob(s, 2, hash_bytes(&step->base_hash));
    db_bind_blob(s, 3, hash_bytes(&step->hash));
    bool has_row;
    enum status status = db_step(s, &has_row, err);
    if (status == ST_OK && has_row) {
        struct span who = db_text(s, 2), why = db_text(s, 3);
        *ret = (struct decision){db_int(s, 0), db_int(s, 1), mem_strndup(who.at, who.len), NULL};
        ret->why = mem_strndup(why.at, why.len);
    }
    db_reset(s);
    return status;
}

enum status decisions_find(
    const char *database, const struct decision_step *step, struct decision *ret, struct error *err)
{
    struct tokens_reader reader;
    struct db *db;
    *ret = (struct decision){0};
    tokens_reader_init(&reader, database);
    enum status status = tokens_reader_db(&reader, &db, err);
    if (status == ST_OK && db != NULL && db_format(db) >= DECISIONS_FORMAT)
        status = find(db, step, ret, err);
    tokens_reader_release(&reader);
    return status;
}

void decision_release(struct decision *d)
{
    free(d->who);
    free(d->why);
    *d = (struct decision){0};
}
