/*
 * Who has signed in on the pages: a random id, which the browser holds in a cookie and of which only the hash is here,
 * stands for a token. What the token may do, and whether it still may, is looked up at each request. One thread; time is
 * given.
 *
 * A session ends with its life, by whichever clock says so first: wall time, which goes on while the machine is off, and
 * monotonic time, because the other may be set back. Over a restart they are in a file, see sessions_file.h.
 */
#pragma once

#include "collector/access/token.h"

#define SESSIONS_MAX 256
#define SESSIONS_PER_TOKEN 16 /* so that no bearer of one signs others out */
#define SESSION_LIFE_MS (INT64_C(12) * 3600000)
/* Of a screen that is to stand: as long as browsers keep a cookie (RFC 6265bis, 5.6). Its token mostly ends before. */
#define SESSION_KEPT_LIFE_MS (INT64_C(400) * 86400000)

struct session_time {
    int64_t ms, mono_ms;
};

struct session {
    struct hash hash;         /* of the id's text */
    int64_t token;            /* its id, */
    struct hash token_secret; /* and its hash: another file of tokens gives the same ids to others */
    int64_t begun_ms, until_mono_ms;
    bool is_kept;
    char csrf[SECRET_TEXT_SIZE]; /* what a form has to carry beside the cookie */
};

struct sessions {
    struct session items[SESSIONS_MAX]; /* in the order in which they began */
    int count;
};

int64_t session_life_ms(const struct session *session);
bool session_is_over(const struct session *session, struct session_time now);

/* Where there are SESSIONS_PER_TOKEN of this token, or SESSIONS_MAX of all, one of them ends: one that is over, else the oldest that is
 * not to be kept, else the oldest. `id` is for the cookie, and told only here. */
const struct session *sessions_begin(struct sessions *s, const struct token *token, bool is_kept,
    struct session_time now, char id[static SECRET_TEXT_SIZE]);
/* NULL: unknown, ended, or too old. Valid until the next call with this struct. */
const struct session *sessions_find(
    const struct sessions *s, const struct hash *hash, struct session_time now);
void sessions_end(struct sessions *s, const struct hash *hash);
