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

/* ---- rows of sessions ---- */

enum status told_session_insert(
    struct db *db, int64_t instrument, struct told_session *s, struct error *err); /* sets its id */
/* Writes its end. */
enum status told_session_update(struct db *db, const struct told_session *s, struct error *err);
/* Opened from from_ms on, and told over later than it may last. */
enum status told_sessions_late(struct db *db, int64_t instrument, int64_t from_ms, struct told_session **ret,
    size_t *ret_count, struct error *err);
/* ret->id 0 = none. */
enum status told_session_newest(
    struct db *db, int64_t instrument, struct told_session *ret, struct error *err);

/* ---- how long a session was ---- */

/* The open one is told over, by its close (whose event it has by then) or the next one's opening. */
enum status told_session_over(struct db *db, struct told_instrument *t, int64_t told_ms,
    enum hours_evidence evidence, struct error *err);
/* The activity is as it is committed: of sessions that end by what ran before it, the end is final. */
void told_settle_from(struct told_instrument *t);
/* Judges those again of which power that came since may tell otherwise. */
enum status told_settle(struct db *db, struct told_instrument *t, struct error *err);
