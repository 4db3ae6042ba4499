#include "collector/calendars/calendar_source.h"

#include "lib/file.h"
#include "lib/http_client.h"
#include "lib/mem.h"
#include "lib/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define CONNECT_TIMEOUT_MS 5000
#define REDIRECTS_MAX 3
#define SAME_TIME_MS 3000 /* file systems tell times apart to 2 s or better */

struct stamp {
    dev_t device;
    ino_t inode;
    off_t size;
    int64_t changed_ns;
};

struct calendar_source {
    char *id, *path;          /* of a file; of a URL what follows the host */
    struct http_client *http; /* NULL = a file */
    const struct zone *site;
    int64_t period_ms;
    int64_t read_ms; /* when it was last read as a whole; 0 = the next attempt reads it anyway */
    struct stamp stamp;
    struct http_validators validators;
};

enum status calendar_source_create(
    const struct calendar_source_options *options, struct calendar_source **ret, struct error *err)
{
    const char *url = options->url;
    if ((options->path != NULL) == (url != NULL))
        return error_set(err, ST_INVALID, "calendar %s: expected a path or a URL", options->id);
    struct calendar_source *s = mem_zalloc(sizeof *s);
    s->id = mem_strdup(options->id);
    s->site = options->site;
    s->period_ms = options->period_ms;
    if (url == NULL) {
        s->path = mem_strdup(options->path);
        *ret = s;
        return ST_OK;
    }
    size_t scheme = strncmp(url, "https://", 8) == 0 ? 8 : strncmp(url, "http://", 7) == 0 ? 7 : 0;
    size_t host = scheme + strcspn(url + scheme, "/?#");
    if (scheme == 0 || host == scheme || memchr(url, '@', host) != NULL || text_has_control(span_of(url))) {
        calendar_source_destroy(s);
        return error_set(err, ST_INVALID,
            "calendar %s: its URL is not \"https://host/path\"; user and password are settings of their own",
            options->id);
    }
    char *base = mem_strndup(url, host);
    s->path = url[host] == '/' ? mem_strdup(url + host) : mem_printf("/%s", url + host);
    s->http = http_client_create(&(struct http_client_options){.url = base,
        .user = options->user,
        .password = options->password,
        .connect_timeout_ms =
            options->timeout_ms < CONNECT_TIMEOUT_MS ? options->timeout_ms : CONNECT_TIMEOUT_MS,
        .timeout_ms = options->timeout_ms,
        .answer_max = ICAL_BYTES_MAX,
        .redirects_max = REDIRECTS_MAX});
    free(base);
    *ret = s;
    return ST_OK;
}

void calendar_source_destroy(struct calendar_source *s)
{
    if (s == NULL)
        return;
    http_client_destroy(s->http);
    free(s->id);
    free(s->path);
    free(s);
}

static enum calendar_outcome fail(struct calendar_source *s, struct error *err)
{
    s->read_ms = 0;
    error_prefix(err, ST_INVALID, "calendar %s", s->id);
    return CALENDAR_FAILED;
}

static enum calendar_outcome read_text(struct calendar_source *s, struct span text, const char *name,
    int64_t now_ms, struct ical_reading *ret, struct error *err)
{
    struct ical_read_options options = {
        name, s->site, {now_ms - CALENDAR_BACK_MS, now_ms + CALENDAR_AHEAD_MS}};
    if (ical_read(text, &options, ret, err) != ST_OK)
        return fail(s, err);
    s->read_ms = ret->is_whole ? now_ms : 0;
    return CALENDAR_READ;
}

static bool is_due(const struct calendar_source *s, int64_t now_ms)
{
    return s->read_ms == 0 || now_ms < s->read_ms || now_ms - s->read_ms >= CALENDAR_AGAIN_MS;
}

/* ---- a file ---- */

static bool take_stamp(const char *path, struct stamp *ret)
{
    struct stat about;
    if (stat(path, &about) != 0)
        return false;
    int64_t changed_ns = (int64_t)about.st_mtim.tv_sec * 1000000000 + about.st_mtim.tv_nsec;
    *ret = (struct stamp){about.st_dev, about.st_ino, about.st_size, changed_ns};
    return true;
}

static bool is_equal(const struct stamp *a, const struct stamp *b)
{
    return a->device == b->device && a->inode == b->inode && a->size == b->size &&
           a->changed_ns == b->changed_ns;
}

static enum calendar_outcome try_file(
    struct calendar_source *s, int64_t now_ms, struct ical_reading *ret, struct error *err)
{
    struct stamp before, after;
    if (!take_stamp(s->path, &before)) {
        error_set(err, ST_INVALID, "%s: %s", s->path, strerror(errno));
        return fail(s, err);
    }
    if (!is_due(s, now_ms) && is_equal(&before, &s->stamp))
        return CALENDAR_SAME;
    char *text;
    size_t len;
    if (file_read(s->path, ICAL_BYTES_MAX, &text, &len, err) != ST_OK)
        return fail(s, err);
    enum calendar_outcome outcome;
    if (!take_stamp(s->path, &after) || !is_equal(&before, &after)) {
        error_set(
            err, ST_INVALID, "%s: changed while it was read; expected to be replaced by a rename", s->path);
        outcome = fail(s, err);
    } else
        outcome = read_text(s, (struct span){text, len}, s->path, now_ms, ret, err);
    free(text);
    s->stamp = before;
    /* A file that was changed just now may be changed again within the same tick of its clock. */
    if (now_ms - before.changed_ns / 1000000 < SAME_TIME_MS)
        s->read_ms = 0;
    return outcome;
}

/* ---- a URL ---- */

static enum calendar_outcome try_url(
    struct calendar_source *s, int64_t now_ms, struct ical_reading *ret, struct error *err)
{
    struct http_answer answer = {0};
    bool is_asked_for_change = !is_due(s, now_ms);
    if (!is_asked_for_change)
        s->validators = (struct http_validators){0};
    enum calendar_outcome outcome;
    if (http_get_if_changed(s->http, s->path, &s->validators, &answer, err) != ST_OK)
        outcome = fail(s, err);
    else if (answer.code == 304 && is_asked_for_change)
        outcome = CALENDAR_SAME;
    else if (answer.code != 200) {
        error_set(err, ST_PROTOCOL, "answered with code %d; expected 200", answer.code);
        outcome = fail(s, err);
    } else {
        s->read_ms = 0;
        char *name = mem_printf("answer of type \"%s\"", s->validators.type);
        text_clean(name);
        outcome =
            read_text(s, (struct span){answer.body.data != NULL ? answer.body.data : "", answer.body.len},
                name, now_ms, ret, err);
        free(name);
    }
    buf_release(&answer.body);
    return outcome;
}

enum calendar_outcome calendar_source_try(
    struct calendar_source *s, int64_t now_ms, struct ical_reading *ret, struct error *err)
{
    return s->http != NULL ? try_url(s, now_ms, ret, err) : try_file(s, now_ms, ret, err);
}

void calendar_source_cancel(struct calendar_source *s)
{
    if (s->http != NULL)
        http_client_cancel(s->http);
}

bool calendar_source_is_file(const struct calendar_source *s)
{
    return s->http == NULL;
}

int64_t calendar_source_period_ms(const struct calendar_source *s)
{
    return s->period_ms;
}
