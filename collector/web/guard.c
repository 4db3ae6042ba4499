#include "collector/web/guard.h"

#include "collector/web/router.h"
#include "lib/file.h"
#include "lib/log.h"
#include "lib/mem.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define DAY_MS INT64_C(86400000)
#define USE_RETRY_MS 60000  /* after the day of a use could not be noted */
#define SAVE_RETRY_MS 60000 /* after sessions could not be written */
#define NOTE_MS (SESSIONS_NOTED_MS / 2)

struct guard {
    struct guard_options options;
    char *database, *sessions_path;
    pthread_mutex_t mutex; /* around all that follows */
    struct tokens_reader reader;
    struct sessions sessions;
    bool is_unsaved;             /* the file is not as they are */
    bool has_ended_in_file;      /* it may hold one that has ended, or say that more is left than there is */
    int64_t noted_until_mono_ms; /* from when on it may */
    struct tries tries;
    int64_t use_due_mono_ms;
    atomic_llong save_due_mono_ms; /* any thread, without the mutex */
    struct complaint failed, unsaved;
};

/* ---- sessions over a restart ---- */

static struct session_time now_of(const struct guard *g)
{
    return (struct session_time){g->options.clock->wall_ms(), g->options.clock->mono_ms()};
}

/* Rather nobody is signed in after a restart than one who has signed out. */
static void drop_file(struct guard *g)
{
    if ((unlink(g->sessions_path) == 0 || errno == ENOENT) &&
        file_sync_folder_of(g->sessions_path, NULL) == ST_OK)
        g->has_ended_in_file = false;
}

static void save(struct guard *g)
{
    struct error err;
    struct session_time now = now_of(g);
    g->is_unsaved =
        sessions_write(g->sessions_path, &g->sessions, g->options.clock->boot_id(), now, &err) != ST_OK;
    if (!g->is_unsaved) {
        g->has_ended_in_file = false;
        g->noted_until_mono_ms = now.mono_ms + SESSIONS_NOTED_MS - SAVE_RETRY_MS;
        g->save_due_mono_ms = now.mono_ms + NOTE_MS;
        complaint_clear(&g->unsaved, now.mono_ms, "web", "sessions outlast a restart again");
        return;
    }
    g->save_due_mono_ms = now.mono_ms + SAVE_RETRY_MS;
    g->has_ended_in_file = g->has_ended_in_file || now.mono_ms >= g->noted_until_mono_ms;
    if (g->has_ended_in_file)
        drop_file(g);
    complain(&g->unsaved, now.mono_ms, g->has_ended_in_file ? LOG_LEVEL_ERROR : LOG_LEVEL_WARN, "web",
        "%s; %s", err.text,
        g->has_ended_in_file ? "nor removed: who signed out is signed in after a restart, until it is"
                             : "sessions go on, but may have to be begun anew after a restart");
}

static void note(struct guard *g)
{
    if (!guard_is_note_due(g))
        return;
    g->save_due_mono_ms = g->options.clock->mono_ms() + NOTE_MS;
    if (g->is_unsaved || g->sessions.count > 0)
        save(g);
}

bool guard_is_note_due(const struct guard *g)
{
    return g->options.clock->mono_ms() >= g->save_due_mono_ms;
}

void guard_note(struct guard *g)
{
    pthread_mutex_lock(&g->mutex);
    note(g);
    pthread_mutex_unlock(&g->mutex);
}

static void end_session(struct guard *g, const struct hash *hash)
{
    sessions_end(&g->sessions, hash);
    g->has_ended_in_file = true;
    save(g);
}

/* They are written at once: what is left of their lives is as this run of the machine has it, and what is over is gone. */
static void load(struct guard *g)
{
    struct error err;
    bool is_there = access(g->sessions_path, F_OK) == 0;
    if (sessions_read(g->sessions_path, g->options.clock->boot_id(), now_of(g), &g->sessions, &err) != ST_OK)
        log_warn("web", "%s; who was signed in has to do so again", err.text);
    else if (is_there)
        save(g);
}

struct guard *guard_create(const struct guard_options *options)
{
    struct guard *g = mem_zalloc(sizeof *g);
    g->options = *options;
    g->options.database = g->database = mem_strdup(options->database);
    g->sessions_path = sessions_path(g->database);
    pthread_mutex_init(&g->mutex, NULL);
    tokens_reader_init(&g->reader, g->database);
    load(g);
    return g;
}

void guard_destroy(struct guard *g)
{
    if (g == NULL)
        return;
    tokens_reader_release(&g->reader);
    pthread_mutex_destroy(&g->mutex);
    free(g->sessions_path);
    free(g->database);
    free(g);
}

/* __Host-: only by https, only this host, whole host (RFC 6265bis, 4.1.3.2). */
static const char *cookie_name(const struct guard *g)
{
    return g->options.is_https ? "__Host-parkmon" : "parkmon";
}

static void note_valid(void *user_data, const struct token *token)
{
    bool *is_there = user_data;
    *is_there = *is_there || token_state(token, clock_system.wall_ms()) == TOKEN_VALID;
}

/* The file of tokens and changes, for reading; *ret is NULL where there is none. */
static enum status file_of(struct guard *g, struct db **ret, struct error *err)
{
    enum status status = tokens_reader_db(&g->reader, ret, err);
    if (status != ST_OK)
        tokens_reader_close(&g->reader);
    return status;
}

void guard_tell(struct guard *g)
{
    bool is_there = g->options.access != WEB_ACCESS_TOKEN;
    struct db *db;
    struct error err;
    enum status status = file_of(g, &db, &err);
    if (status == ST_OK && db != NULL)
        status = tokens_each(db, note_valid, &is_there, &err);
    if (status != ST_OK)
        log_warn("web", "%s; tokens cannot be looked up", err.text);
    else if (!is_there)
        log_warn("web", "no token is good: nobody is let in; make one with `park-collector token add`");
}

/* ---- who asks ---- */

/* Once a day for each token; where the file is busy or full, later. Not beside our own reader: opening for writing
 * closes a descriptor of the file, with which POSIX drops the locks that the whole process holds on it (fcntl(2)), and
 * another process would take the log away from under a reader that has none. */
static void note_use(struct guard *g, const struct token *token)
{
    int64_t now_ms = g->options.clock->wall_ms(), now_mono_ms = g->options.clock->mono_ms();
    if (token->used_ms >= now_ms / DAY_MS * DAY_MS || now_mono_ms < g->use_due_mono_ms)
        return;
    struct db *db = NULL;
    struct error err;
    tokens_reader_close(&g->reader);
    if (tokens_open(g->database, &db, &err) != ST_OK || tokens_use(db, token->id, now_ms, &err) != ST_OK)
        g->use_due_mono_ms = now_mono_ms + USE_RETRY_MS;
    db_close(db);
}

/* *ret_is_good is false where it is malformed, unknown, expired or revoked. */
static enum status find_good(
    struct guard *g, const char *text, struct token *ret, bool *ret_is_good, struct error *err)
{
    int64_t id;
    struct hash hash;
    *ret_is_good = false;
    if (!token_parse(text, &id, &hash))
        return ST_OK;
    bool is_found;
    enum status status = tokens_reader_find(&g->reader, id, ret, &is_found, err);
    *ret_is_good = status == ST_OK && is_found && hash_is_same_secret(&ret->hash, &hash) &&
                   token_state(ret, g->options.clock->wall_ms()) == TOKEN_VALID;
    return status;
}

static enum status identify_by_token(
    struct guard *g, const char *authorization, struct caller *ret, struct error *err)
{
    static const char scheme[] = "Bearer ";
    bool is_good;
    ret->kind = CALLER_WRONG;
    if (strncasecmp(authorization, scheme, strlen(scheme)) != 0)
        return ST_OK;
    const char *text = authorization + strlen(scheme);
    enum status status = find_good(g, text + strspn(text, " "), &ret->token, &is_good, err);
    if (is_good)
        ret->kind = CALLER_KNOWN;
    return status;
}

static bool is_of_session(const struct session *session, const struct token *token)
{
    return hash_is_equal(&session->token_secret, &token->hash);
}

/* Of a session with this hash: its token, if that is still good. */
static enum status identify_by_session(
    struct guard *g, const struct hash *hash, struct caller *ret, struct error *err)
{
    const struct session *session = sessions_find(&g->sessions, hash, now_of(g));
    if (session == NULL)
        return ST_OK;
    bool is_found;
    enum status status = tokens_reader_find(&g->reader, session->token, &ret->token, &is_found, err);
    if (status != ST_OK)
        return status;
    if (!is_found || !is_of_session(session, &ret->token) ||
        token_state(&ret->token, g->options.clock->wall_ms()) != TOKEN_VALID) {
        end_session(g, hash);
        return ST_OK;
    }
    ret->kind = CALLER_KNOWN;
    ret->is_session = true;
    ret->session = *hash;
    memcpy(ret->csrf, session->csrf, sizeof ret->csrf);
    return ST_OK;
}

enum status guard_identify(
    struct guard *g, const struct credentials *credentials, struct caller *ret, struct error *err)
{
    *ret = (struct caller){.kind = CALLER_NOBODY};
    char id[SECRET_TEXT_SIZE];
    enum status status = ST_OK;
    pthread_mutex_lock(&g->mutex);
    note(g);
    if (credentials->is_authorization_odd) {
        ret->kind = CALLER_WRONG;
    } else if (credentials->authorization != NULL) {
        status = identify_by_token(g, credentials->authorization, ret, err);
    } else if (credentials->cookie != NULL &&
               cookie_find(credentials->cookie, cookie_name(g), id, sizeof id)) {
        struct hash hash = secret_hash(id);
        status = identify_by_session(g, &hash, ret, err);
    }
    if (status == ST_OK && ret->kind == CALLER_KNOWN)
        note_use(g, &ret->token);
    pthread_mutex_unlock(&g->mutex);
    return status;
}

static bool is_still_good(struct guard *g, const struct caller *caller)
{
    struct error err;
    if (caller->is_session) {
        struct caller now = {.kind = CALLER_NOBODY};
        return identify_by_session(g, &caller->session, &now, &err) == ST_OK && now.kind == CALLER_KNOWN;
    }
    struct token token;
    bool is_found;
    return tokens_reader_find(&g->reader, caller->token.id, &token, &is_found, &err) == ST_OK && is_found &&
           token_state(&token, g->options.clock->wall_ms()) == TOKEN_VALID;
}

bool guard_still(struct guard *g, const struct caller *caller)
{
    if (caller->kind != CALLER_KNOWN)
        return true;
    pthread_mutex_lock(&g->mutex);
    bool is_good = is_still_good(g, caller);
    pthread_mutex_unlock(&g->mutex);
    return is_good;
}

/* ---- what they may ---- */

static unsigned allow_of(enum role role)
{
    switch (role) {
    case ROLE_PUBLIC:
        return ALLOW_PUBLIC;
    case ROLE_OPERATOR:
        return ALLOW_OPERATOR;
    case ROLE_AUDITOR:
        return ALLOW_AUDITOR;
    case ROLES:
        break;
    }
    return 0;
}

enum guard_verdict guard_decide(const struct guard *g, unsigned allow, unsigned scope, bool is_write,
    const struct caller *caller, bool is_here)
{
    if (allow & ALLOW_ANYONE)
        return GUARD_ALLOWED;
    if (caller->kind == CALLER_WRONG)
        return GUARD_UNKNOWN;
    if ((allow & ALLOW_HERE) && is_here)
        return GUARD_ALLOWED;
    if ((allow & ALLOW_OPERATOR) && !is_write && g->options.access == WEB_ACCESS_LOOPBACK)
        return GUARD_ALLOWED;
    if (caller->kind == CALLER_NOBODY)
        return GUARD_UNKNOWN;
    bool has_role = (allow & allow_of(caller->token.role)) != 0,
         has_scope = (scope & caller->token.scopes) != 0;
    return has_role || has_scope ? GUARD_ALLOWED : GUARD_FORBIDDEN;
}

/* ---- forms ---- */

bool guard_is_own_page(const char *fetch_site, const char *origin, const char *host)
{
    if (fetch_site != NULL)
        return strcmp(fetch_site, "same-origin") == 0 || strcmp(fetch_site, "none") == 0;
    if (origin == NULL)
        return true;
    size_t scheme = strncmp(origin, "https://", 8) == 0 ? 8 : strncmp(origin, "http://", 7) == 0 ? 7 : 0;
    return scheme > 0 && strcasecmp(origin + scheme, host) == 0;
}

bool guard_is_csrf(const struct caller *caller, const char *text)
{
    struct hash given = secret_hash(text != NULL ? text : ""), expected = secret_hash(caller->csrf);
    return text != NULL && hash_is_same_secret(&given, &expected);
}

/* ---- signing in ---- */

static char *make_cookie(const struct guard *g, const char *value, int64_t life_ms)
{
    return mem_printf("%s=%s; Path=/; Max-Age=%lld; HttpOnly; SameSite=Strict%s", cookie_name(g), value,
        (long long)(life_ms / 1000), g->options.is_https ? "; Secure" : "");
}

static void tell_failure(struct guard *g, const struct in6_addr *address)
{
    char text[INET6_ADDRSTRLEN] = "?";
    if (IN6_IS_ADDR_V4MAPPED(address))
        inet_ntop(AF_INET, &address->s6_addr[12], text, sizeof text);
    else
        inet_ntop(AF_INET6, address, text, sizeof text);
    complain(&g->failed, g->options.clock->mono_ms(), LOG_LEVEL_WARN, "web",
        "somebody at %s tries to sign in with a token that is not good", text);
}

/* *ret_life_ms is how long the cookie is good. */
static void begin_session(struct guard *g, const struct token *token, bool is_kept,
    char id[static SECRET_TEXT_SIZE], int64_t *ret_life_ms)
{
    struct session_time now = now_of(g);
    int before = g->sessions.count;
    const struct session *session = sessions_begin(&g->sessions, token, is_kept, now, id);
    int64_t token_ms = token->expires_ms - now.ms;
    *ret_life_ms = session_life_ms(session);
    if (is_kept && token_ms < *ret_life_ms)
        *ret_life_ms = token_ms;
    g->has_ended_in_file = g->has_ended_in_file || g->sessions.count == before; /* one made room */
    save(g);
}

static enum status sign_in(struct guard *g, const char *text, bool is_kept, const struct in6_addr *address,
    enum sign_in *ret, char **ret_cookie, struct token *ret_token, int *ret_wait_s, struct error *err)
{
    int64_t now_mono_ms = g->options.clock->mono_ms();
    int64_t wait_ms = tries_wait_ms(&g->tries, address, now_mono_ms);
    *ret_wait_s = (int)((wait_ms + 999) / 1000);
    *ret = SIGN_IN_WAIT;
    if (wait_ms > 0)
        return ST_OK;
    bool is_good;
    enum status status = find_good(g, text, ret_token, &is_good, err);
    if (status != ST_OK)
        return status;
    if (!is_good) {
        tries_fail(&g->tries, address, now_mono_ms);
        tell_failure(g, address);
        *ret = SIGN_IN_WRONG;
        return ST_OK;
    }
    char id[SECRET_TEXT_SIZE];
    int64_t life_ms;
    tries_succeed(&g->tries, address);
    begin_session(g, ret_token, is_kept, id, &life_ms);
    note_use(g, ret_token);
    *ret_cookie = make_cookie(g, id, life_ms);
    *ret = SIGN_IN_DONE;
    return ST_OK;
}

enum status guard_sign_in(struct guard *g, const char *text, bool is_kept, const struct in6_addr *address,
    enum sign_in *ret, char **ret_cookie, struct token *ret_token, int *ret_wait_s, struct error *err)
{
    pthread_mutex_lock(&g->mutex);
    enum status status = sign_in(g, text, is_kept, address, ret, ret_cookie, ret_token, ret_wait_s, err);
    pthread_mutex_unlock(&g->mutex);
    return status;
}

char *guard_sign_out(struct guard *g, const struct caller *caller)
{
    pthread_mutex_lock(&g->mutex);
    if (caller->is_session)
        end_session(g, &caller->session);
    pthread_mutex_unlock(&g->mutex);
    return make_cookie(g, "", 0);
}

enum status guard_changes(struct guard *g, int64_t before, int64_t limit,
    void (*each)(void *user_data, const struct change *change), void *user_data, struct error *err)
{
    struct db *db;
    pthread_mutex_lock(&g->mutex);
    enum status status = file_of(g, &db, err);
    if (status == ST_OK && db != NULL)
        status = changes_each(db, before, limit, each, user_data, err);
    pthread_mutex_unlock(&g->mutex);
    return status;
}
