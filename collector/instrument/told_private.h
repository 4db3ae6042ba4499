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

/* ret->id 0 = none. */
enum status told_session_newest(
    struct db *db, int64_t instrument, struct told_session *ret, struct error *err);
