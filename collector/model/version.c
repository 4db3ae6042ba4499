#include "collector/model/version.h"

#include "lib/mem.h"
#include "lib/pack.h"

#include <stdlib.h>
#include <string.h>

#define TEXT_MAX (16 * 1024 * 1024) /* as a settings file may have */

enum { COLUMN_NAMES = 3, COLUMN_TEXTS = COLUMN_NAMES + MODEL_FILES, COLUMN_WHO = COLUMN_TEXTS + MODEL_FILES };

static char *text_or_null(struct db_stmt *s, int column)
{
    struct span text = db_text(s, column);
    return db_is_null(s, column) ? NULL : mem_strndup(text.at, text.len);
}

static enum status read_text(struct db_stmt *s, int column, char **ret, size_t *ret_size, struct error *err)
{
    struct buf text = {0};
    if (db_is_null(s, column))
        return ST_OK;
    buf_add_str(&text, "");
    enum status status = pack_read(&text, db_text(s, column), TEXT_MAX, err);
    *ret_size = text.len;
    *ret = buf_take(&text);
    return status;
}

static enum status read_row(struct db_stmt *s, struct version *v, struct error *err)
{
    enum status status = ST_OK;
    v->number = db_int(s, 0);
    v->accepted_ms = db_int(s, 1);
    if (!hash_read(db_text(s, 2), &v->hash))
        status = error_set(err, ST_INVALID, "its hash is none");
    for (int i = 0; i < MODEL_FILES; i++) {
        v->names[i] = text_or_null(s, COLUMN_NAMES + i);
        if (status == ST_OK)
            status = read_text(s, COLUMN_TEXTS + i, &v->texts[i], &v->sizes[i], err);
    }
    v->who = text_or_null(s, COLUMN_WHO);
    v->why = text_or_null(s, COLUMN_WHO + 1);
    return status;
}

static enum status read_first(struct db_stmt *s, struct version *ret, struct error *err)
{
    *ret = (struct version){0};
    bool has_row;
    enum status status = db_step(s, &has_row, err);
    if (status == ST_OK && has_row) {
        status = read_row(s, ret, err);
        if (status != ST_OK) {
            error_prefix(err, status, "version %lld of the park model is damaged", (long long)ret->number);
            version_release(ret);
        }
    }
    db_reset(s);
    return status;
}

#define ROWS                                                                                            \
    "SELECT number, accepted_ms, hash, park_name, factors_name, tariffs_name, park, factors, tariffs, " \
    "who, why FROM model_version"

enum status version_newest(struct db *db, struct version *ret, struct error *err)
{
    return read_first(db_keep(db, ROWS " ORDER BY number DESC LIMIT 1"), ret, err);
}

enum status version_read(struct db *db, int64_t number, struct version *ret, struct error *err)
{
    struct db_stmt *s = db_keep(db, ROWS " WHERE number = ?1");
    db_bind_int(s, 1, number);
    enum status status = read_first(s, ret, err);
    if (status == ST_OK && ret->number == 0)
        status = error_set(err, ST_INVALID, "there is no version %lld of the park model", (long long)number);
    return status;
}

enum status version_newest_number(struct db *db, int64_t *ret, struct error *err)
{
    struct db_stmt *s = db_keep(db, "SELECT coalesce(max(number), 0) FROM model_version");
    bool has_row;
    enum status status = db_step(s, &has_row, err);
    if (status == ST_OK)
        *ret = db_int(s, 0);
    db_reset(s);
    return status;
}

struct model *version_model(const struct version *v)
{
    struct span texts[MODEL_FILES];
    const char *names[MODEL_FILES];
    for (int i = 0; i < MODEL_FILES; i++) {
        texts[i] = (struct span){v->texts[i], v->sizes[i]};
        names[i] = v->names[i] != NULL ? v->names[i] : "";
    }
    if (texts[MODEL_PARK].at == NULL)
        texts[MODEL_PARK] = SPAN("");
    return model_load_texts(names, texts);
}

void version_release(struct version *v)
{
    for (int i = 0; i < MODEL_FILES; i++) {
        free(v->names[i]);
        free(v->texts[i]);
    }
    free(v->who);
    free(v->why);
    *v = (struct version){0};
}

static void bind_or_null(struct db_stmt *s, int index, const char *text)
{
    if (text != NULL)
        db_bind_text(s, index, span_of(text));
    else
        db_bind_null(s, index);
}

enum status version_add(struct db *db, int64_t number, int64_t now_ms, const struct model *m, const char *who,
    const char *why, struct error *err)
{
    struct db_stmt *s = db_keep(db,
        "INSERT INTO model_version(number, accepted_ms, hash, park_name, factors_name, tariffs_name,"
        " park, factors, tariffs, who, why, journal) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11,"
        " (SELECT coalesce(max(id), 0) FROM journal))");
    struct buf packed[MODEL_FILES] = {{0}};
    db_bind_int(s, 1, number);
    db_bind_int(s, 2, now_ms);
    db_bind_blob(s, 3, hash_bytes(&m->hash));
    for (int i = 0; i < MODEL_FILES; i++) {
        struct span text = model_text(m, (enum model_file)i);
        bind_or_null(s, 1 + COLUMN_NAMES + i, m->names[i]);
        if (text.at != NULL) {
            pack_write(&packed[i], text);
            db_bind_blob(s, 1 + COLUMN_TEXTS + i, (struct span){packed[i].data, packed[i].len});
        } else {
            db_bind_null(s, 1 + COLUMN_TEXTS + i);
        }
    }
    bind_or_null(s, 1 + COLUMN_WHO, who);
    bind_or_null(s, 2 + COLUMN_WHO, why);
    enum status status = db_run(s, err);
    for (int i = 0; i < MODEL_FILES; i++)
        buf_release(&packed[i]);
    return status;
}

static enum status read_reign(struct db_stmt *s, struct version_reign *ret, struct error *err)
{
    bool has_row;
    enum status status = db_step(s, &has_row, err);
    if (status == ST_OK)
        *ret = (struct version_reign){db_int(s, 0), db_is_null(s, 1) ? INT64_MAX : db_int(s, 1)};
    db_reset(s);
    return status;
}

#define UNTIL "(SELECT min(journal) FROM model_version WHERE number > v.n)"

enum status version_reign_at(struct db *db, int64_t position, struct version_reign *ret, struct error *err)
{
    struct db_stmt *s = db_keep(db,
        "SELECT v.n, " UNTIL " FROM (SELECT coalesce((SELECT max(number) FROM model_version WHERE journal <"
        "  ifnull((SELECT min(id) FROM journal WHERE id > ?1), ?2)),"
        "  (SELECT min(number) FROM model_version), 0) AS n) v");
    db_bind_int(s, 1, position);
    db_bind_int(s, 2, INT64_MAX);
    return read_reign(s, ret, err);
}

enum status version_reign_next(struct db *db, struct version_reign *reign, struct error *err)
{
    struct db_stmt *s = db_keep(
        db, "SELECT v.n, " UNTIL " FROM (SELECT min(number) AS n FROM model_version WHERE number > ?1) v");
    db_bind_int(s, 1, reign->number);
    return read_reign(s, reign, err);
}

enum status version_unused_next(struct db *db, int64_t position, int64_t *number, struct error *err)
{
    struct db_stmt *s =
        db_keep(db, "SELECT min(number) FROM model_version WHERE number > ?1 AND journal >= ?2");
    bool has_row;
    db_bind_int(s, 1, *number);
    db_bind_int(s, 2, position);
    enum status status = db_step(s, &has_row, err);
    if (status == ST_OK)
        *number = db_is_null(s, 0) ? INT64_MAX : db_int(s, 0);
    db_reset(s);
    return status;
}
