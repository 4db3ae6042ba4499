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

/* NULL and "" are no text. */
static inline void told_bind_text(struct db_stmt *s, int index, const char *text)
{
    if (text == NULL || text[0] == '\0')
        db_bind_null(s, index);
    else
        db_bind_text(s, index, span_of(text));
}

static inline int64_t told_later_of(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* What reaches into [?2, ?3), and is not over where until_ms is NULL: stretches of one do not overlap, so that of those that begin
 * before only the newest can. */
#define TOLD_REACHING(table, of)                                                                            \
    " FROM " table " WHERE " of " = ?1 AND from_ms < ?3 AND ifnull(until_ms, 9223372036854775807) > ?2 AND" \
    " from_ms >= coalesce((SELECT max(from_ms) FROM " table " WHERE " of " = ?1 AND from_ms <= ?2), ?2)"    \
    " ORDER BY from_ms"

/* In place of the point whose word is the newest: nobody followed it for a while; or only that it is no word of now. */
#define TOLD_NOT_FOLLOWED ""
#define TOLD_OF_ANOTHER "?"

/* What a resource was told is no word of now any more, nor is one that is older and comes later. */
#define TOLD_RESOURCE_LEFT \
    "heard_ms = NULL, unread_ms = max(ifnull(heard_ms, unread_ms), ifnull(unread_ms, heard_ms))"

/* ---- told_down.c ---- */

/* The order of words (told_word_schema); of two that are the same neither is before. */
bool told_word_is_before(const struct told_word *w, const struct told_word *other);
/* The newest word of the resource in that order; its times TOLD_NONE = there is none. */
enum status told_word_newest(struct db *db, int64_t resource, struct told_word *ret, struct error *err);
/* A word, whatever was told before it and after; `newest_ms` is of those before. */
enum status told_word_add(
    struct db *db, int64_t resource, const struct told_word *w, int64_t newest_ms, struct error *err);

/* ---- rows of sessions ---- */

/* Cut at `size`. */
void told_copy_text(char *to, size_t size, struct span text);

enum status told_session_insert(
    struct db *db, int64_t instrument, struct told_session *s, struct error *err); /* sets its id */
enum status told_session_update(struct db *db, const struct told_session *s, struct error *err);
/* Those that might last until from_ms at least, and were told over later than they may. */
enum status told_sessions_late(struct db *db, int64_t instrument, int64_t from_ms, struct told_session **ret,
    size_t *ret_count, struct error *err);
/* The newest opened at that time or before, and the first that was told after it, which may be a close alone. id 0 = there is none. */
enum status told_session_around(struct db *db, int64_t instrument, int64_t time_ms,
    struct told_session *ret_before, struct told_session *ret_after, struct error *err);
/* ret->id 0 = none. */
enum status told_session_newest(
    struct db *db, int64_t instrument, struct told_session *ret, struct error *err);

/* One that is open, and no row yet. */
void told_session_begin(const struct told_instrument *t, struct told_session *ret,
    const struct session_event *e, int64_t time_ms, enum hours_user user, enum hours_evidence evidence);

/* A close alone. */
void told_session_lone(
    struct told_session *ret, const char *event, int64_t time_ms, enum hours_evidence evidence);
/* It ended a session, until another did so before it. */
enum status told_session_displace(struct db *db, int64_t id, struct error *err);

/* ---- told_place.c ---- */

/* An event of a point that is late. *ret_is_placed: it is of before the newest that was told, and has its place there. */
enum status told_place(struct db *db, struct told_instrument *t, const struct session_event *e,
    int64_t time_ms, enum hours_user user, bool *ret_is_placed, enum told_news *ret, struct error *err);

/* Whether a session was open then, as it was told. */
enum status told_was_open(
    struct db *db, const struct told_instrument *t, int64_t time_ms, bool *ret, struct error *err);

/* ---- how long a session was ---- */

/* It is told over, by its close (whose event it has by then) or the next one's opening. */
enum status told_session_over(struct db *db, const struct told_instrument *t, struct told_session *s,
    int64_t told_ms, enum hours_evidence evidence, struct error *err);
/* Judges those again of which the power that came since the last time may tell otherwise. */
enum status told_settle(struct db *db, struct told_instrument *t, struct error *err);
