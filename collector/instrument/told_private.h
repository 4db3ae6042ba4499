/* What the files of told.h share. */
#pragma once

#include "collector/instrument/told.h"

static inline void told_bind_time(struct db_stmt *s, int index, int64_t time_ms)
{
    if (time_ms == TOLD_NONE)
        db_bind_null(s, index);
    else
        db_bind_int(s, index, time_ms);
}

static inline int64_t told_time_of(struct db_stmt *s, int column)
{
    return db_is_null(s, column) ? TOLD_NONE : db_int(s, column);
}

static inline int64_t told_later_of(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* ---- told_down.c ---- */

/* When the newest word of the resource was; TOLD_NONE = there is none. */
enum status told_word_newest(struct db *db, int64_t resource, int64_t *ret_at_ms, struct error *err);
/* A word, whatever was told before it and after; `newest_ms` is of those before. */
enum status told_word_add(
    struct db *db, int64_t resource, const struct told_word *w, int64_t newest_ms, struct error *err);

/* ---- told_session.c ---- */

/* ret->id 0 = none. */
enum status told_session_newest(
    struct db *db, int64_t instrument, struct told_session *ret, struct error *err);
