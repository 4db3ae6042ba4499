/*
 * Who has signed in on the pages: a random id, which the browser holds in a cookie and of which only the hash is here,
 * stands for a token. Kept in memory: a restart of the collector signs everybody out. What the token may do, and
 * whether it still may, is looked up at each request. One thread; time is given.
 */
#pragma once

#include "collector/access/token.h"

#define SESSIONS_MAX 256
#define SESSIONS_PER_TOKEN 16 /* so that no bearer of one signs others out */
#define SESSION_LIFE_MS (INT64_C(12) * 3600000)

struct session {
    struct hash hash; /* of the id's text */
    int64_t token;    /* its id */
    int64_t begun_mono_ms;
    char csrf[SECRET_TEXT_SIZE]; /* what a form has to carry beside the cookie */
};

struct sessions {
    struct session items[SESSIONS_MAX];
    int count;
};

/* Where there are SESSIONS_PER_TOKEN of this token, or SESSIONS_MAX of all, the oldest of them ends. `id` is for the cookie, and told only here. */
const struct session *sessions_begin(
    struct sessions *s, int64_t token, int64_t now_mono_ms, char id[static SECRET_TEXT_SIZE]);
/* NULL: unknown, ended, or too old. Valid until the next call with this struct. */
const struct session *sessions_find(const struct sessions *s, const struct hash *hash, int64_t now_mono_ms);
void sessions_end(struct sessions *s, const struct hash *hash);
