#include "collector/access/sessions_file.h"

#include "lib/file.h"
#include "lib/mem.h"
#include "lib/number.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FORM "parkmon sessions 2"
#define LINE_MAX_BYTES 340
#define FILE_MAX_BYTES ((SESSIONS_MAX + 3) * (size_t)LINE_MAX_BYTES)
#define SUM_BYTES (sizeof "sum \n" - 1 + HASH_TEXT_SIZE - 1)

char *sessions_path(const char *database)
{
    return mem_printf("%s.sessions", database);
}

/* ---- writing ---- */

/* By the clock that leaves less, without what may pass before it is noted again. */
static int64_t left_of(const struct session *session, struct session_time now)
{
    int64_t by_wall_ms = session->begun_ms - now.ms + session_life_ms(session),
            by_run_ms = session->until_mono_ms - now.mono_ms,
            left_ms = (by_wall_ms < by_run_ms ? by_wall_ms : by_run_ms) - SESSIONS_NOTED_MS;
    return left_ms > 0 ? left_ms : 0;
}

static void add_session(struct buf *out, const struct session *session, struct session_time now)
{
    char hash[HASH_TEXT_SIZE], secret[HASH_TEXT_SIZE];
    hash_format(&session->hash, hash);
    hash_format(&session->token_secret, secret);
    buf_printf(out, "%s %" PRId64 " %s %" PRId64 " %" PRId64 " %" PRId64 " %s %s\n", hash, session->token,
        secret, session->begun_ms, session->until_mono_ms, left_of(session, now),
        session->is_kept ? "kept" : "-", session->csrf);
}

enum status sessions_write(const char *path, const struct sessions *s, const char *boot_id,
    struct session_time now, struct error *err)
{
    struct buf text = {0};
    char sum[HASH_TEXT_SIZE];
    buf_printf(&text, FORM "\nrun %s\n", boot_id);
    for (int i = 0; i < s->count; i++)
        add_session(&text, &s->items[i], now);
    struct hash hash = hash_of((struct span){text.data, text.len});
    hash_format(&hash, sum);
    buf_printf(&text, "sum %s\n", sum);
    enum status status = file_replace(path, text.data, text.len, err);
    buf_release(&text);
    return status;
}

/* ---- reading ---- */

/* The next line, NUL-terminated; NULL = there is none. */
static char *take_line(char **rest)
{
    char *line = *rest, *end = strchr(line, '\n');
    if (end == NULL)
        return NULL;
    *end = '\0';
    *rest = end + 1;
    return line;
}

static bool is_whole(const char *text, size_t len)
{
    struct hash written;
    if (len < SUM_BYTES || strlen(text) != len)
        return false;
    const char *sum = text + len - SUM_BYTES;
    struct hash hash = hash_of((struct span){text, len - SUM_BYTES});
    return strncmp(sum, "sum ", 4) == 0 && hash_parse(sum + 4, &written) && text[len - 1] == '\n' &&
           hash_is_equal(&hash, &written);
}

static bool read_number(const char *text, int64_t *ret)
{
    return number_parse_int64(text, strlen(text), ret) && *ret >= 0;
}

static bool read_session(const char *line, struct session *ret, int64_t *ret_left_ms)
{
    char hash[HASH_TEXT_SIZE], secret[HASH_TEXT_SIZE], token[24], begun[24], until[24], left[24], kept[8];
    int end = 0;
    *ret = (struct session){0};
    if (sscanf(line, "%64s %23s %64s %23s %23s %23s %7s %64s%n", hash, token, secret, begun, until, left,
            kept, ret->csrf, &end) != 8 ||
        line[end] != '\0')
        return false;
    ret->is_kept = strcmp(kept, "kept") == 0;
    return hash_parse(hash, &ret->hash) && hash_parse(secret, &ret->token_secret) &&
           read_number(token, &ret->token) && read_number(begun, &ret->begun_ms) &&
           read_number(until, &ret->until_mono_ms) && read_number(left, ret_left_ms) &&
           (ret->is_kept || strcmp(kept, "-") == 0) && strlen(ret->csrf) == SECRET_TEXT_SIZE - 1;
}

/* What is left of its life; `noted_ms` of that were left when it was written, at least. */
static void settle(struct session *session, int64_t noted_ms, bool is_same_run, struct session_time now)
{
    int64_t life_ms = session_life_ms(session), by_wall_ms = session->begun_ms - now.ms + life_ms;
    int64_t left_ms = is_same_run                ? session->until_mono_ms - now.mono_ms
                      : by_wall_ms > 2 * life_ms ? 0
                      : by_wall_ms < noted_ms    ? by_wall_ms
                                                 : noted_ms;
    session->until_mono_ms = now.mono_ms + (left_ms < life_ms ? left_ms : life_ms);
}

static bool read_text(char *text, const char *boot_id, struct session_time now, struct sessions *ret)
{
    const char *form = take_line(&text), *run = take_line(&text), *line;
    if (form == NULL || strcmp(form, FORM) != 0 || run == NULL || strncmp(run, "run ", 4) != 0)
        return false;
    bool is_same_run = boot_id[0] != '\0' && strcmp(run + 4, boot_id) == 0;
    while ((line = take_line(&text)) != NULL && strncmp(line, "sum ", 4) != 0) {
        struct session session;
        int64_t noted_ms;
        if (ret->count == SESSIONS_MAX || !read_session(line, &session, &noted_ms))
            return false;
        settle(&session, noted_ms, is_same_run, now);
        if (!session_is_over(&session, now))
            ret->items[ret->count++] = session;
    }
    return true;
}

enum status sessions_read(
    const char *path, const char *boot_id, struct session_time now, struct sessions *ret, struct error *err)
{
    char *text;
    size_t len;
    ret->count = 0;
    if (access(path, F_OK) != 0 && errno == ENOENT)
        return ST_OK;
    enum status status = file_read(path, FILE_MAX_BYTES, &text, &len, err);
    if (status != ST_OK)
        return status;
    if (!is_whole(text, len) || !read_text(text, boot_id, now, ret)) {
        ret->count = 0;
        status = error_set(err, ST_INVALID, "%s: damaged, or not of this version", path);
    }
    free(text);
    return status;
}
