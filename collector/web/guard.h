/*
 * Who asks, and what they are let through to. Deny by default: a caller passes only where the table of routes
 * (routes.c) says so. Signing in, sessions, and the limit on tries are here, too. Any thread, once it was told.
 *
 * On loopback with access = "loopback" whoever gets there may read what an operator may, as before there were roles; what
 * an auditor reads, and whatever is written, needs a token everywhere.
 */
#pragma once

#include "collector/access/sessions_file.h"
#include "collector/access/tokens.h"
#include "collector/access/tries.h"
#include "lib/clock.h"

enum web_access { WEB_ACCESS_LOOPBACK, WEB_ACCESS_TOKEN };

struct guard_options {
    const char *database; /* the collector's; copied */
    enum web_access access;
    bool is_https; /* cookies only by https */
    const struct clock *clock;
};

struct guard;

/* With the sessions that its file holds; where they cannot be had, says so. */
struct guard *guard_create(const struct guard_options *options);
void guard_destroy(struct guard *g); /* accepts NULL */

/* Sessions are noted at least each SESSIONS_NOTED_MS, at requests, and where nobody asks anything, here: the second takes a disk's
 * time. Any thread. */
bool guard_is_note_due(const struct guard *g);
void guard_note(struct guard *g);

/* Logs what a person should know at the start: that nobody has a token where one is needed. */
void guard_tell(struct guard *g);

/* What a request brings along; NULL = absent. */
struct credentials {
    const char *authorization, *cookie;
    bool is_authorization_odd; /* there twice */
};

struct caller {
    enum caller_kind {
        CALLER_NOBODY, /* says nothing, or holds a cookie of a session that is over */
        CALLER_WRONG,  /* shows a token that is malformed, unknown, expired or revoked */
        CALLER_KNOWN
    } kind;
    struct token token; /* of CALLER_KNOWN */
    bool is_session;    /* by a cookie */
    struct hash session;
    char csrf[SECRET_TEXT_SIZE];
};

/* A failure means that tokens cannot be looked up: nobody gets further. */
enum status guard_identify(
    struct guard *g, const struct credentials *credentials, struct caller *ret, struct error *err);

enum guard_verdict { GUARD_ALLOWED, GUARD_UNKNOWN /* 401 */, GUARD_FORBIDDEN /* 403 */ };
/* `allow` and `scope` as in struct web_route. */
enum guard_verdict guard_decide(const struct guard *g, unsigned allow, unsigned scope, bool is_write,
    const struct caller *caller, bool is_here);
/* May a stream that this caller has opened go on? */
bool guard_still(struct guard *g, const struct caller *caller);

/* ---- forms ---- */

/* Did a page of ours send it? By Sec-Fetch-Site, else Origin (W3C Fetch Metadata; RFC 6454); a program that sends
 * neither is no browser, and nobody's cookie goes with it unasked. */
bool guard_is_own_page(const char *fetch_site, const char *origin, const char *host);
/* `text` may be NULL. */
bool guard_is_csrf(const struct caller *caller, const char *text);

/* ---- signing in ---- */

enum sign_in { SIGN_IN_DONE, SIGN_IN_WRONG, SIGN_IN_WAIT };
/* Exchanges a token for a session, which lasts SESSION_LIFE_MS, or, where it is kept, as long as the token, at most
 * SESSION_KEPT_LIFE_MS. DONE: *ret_cookie is the Set-Cookie header, which the caller frees, and *ret_token
 * the token; WAIT: *ret_wait_s says how long. */
enum status guard_sign_in(struct guard *g, const char *token, bool is_kept, const struct in6_addr *address,
    enum sign_in *ret, char **ret_cookie, struct token *ret_token, int *ret_wait_s, struct error *err);
/* Ends the caller's session, if any; the Set-Cookie header that takes the cookie back, which the caller frees. */
char *guard_sign_out(struct guard *g, const struct caller *caller);

/* changes_each (collector/access/changes.h) of the tokens' file; none where there is no file. */
enum status guard_changes(struct guard *g, int64_t before, int64_t limit,
    void (*each)(void *user_data, const struct change *change), void *user_data, struct error *err);
