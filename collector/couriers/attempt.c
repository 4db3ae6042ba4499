#include "collector/couriers/attempt.h"

#include "collector/couriers/mail.h"
#include "lib/file.h"
#include "lib/http_client.h"
#include "lib/mem.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONNECT_TIMEOUT_MS 5000
#define ANSWER_MAX 65536

void attempt_init(struct attempt *t, const struct alarm_receiver *r)
{
    *t = (struct attempt){.kind = (enum alarm_receiver_kind)r->kind,
        .url = mem_strdup(r->url),
        .url_file = mem_strdup(r->url_file),
        .secret_file = mem_strdup(r->secret_file),
        .ca_file = mem_strdup(r->ca_file),
        .sendmail = mem_strdup(r->sendmail),
        .timeout_ms = (int)r->timeout_ms};
    /* Where no descriptor is left it cannot be told to end, and ends in its time. */
    if (t->kind != ALARM_BY_MAIL || pipe2(t->cancel_fds, O_CLOEXEC) != 0)
        t->cancel_fds[0] = t->cancel_fds[1] = -1;
    pthread_mutex_init(&t->lock, NULL);
}

void attempt_release(struct attempt *t)
{
    for (int i = 0; i < 2; i++)
        if (t->cancel_fds[i] >= 0)
            close(t->cancel_fds[i]);
    pthread_mutex_destroy(&t->lock);
    free(t->url);
    free(t->url_file);
    free(t->secret_file);
    free(t->ca_file);
    free(t->sendmail);
    *t = (struct attempt){.cancel_fds = {-1, -1}};
}

enum status attempt_check_url(const char *url, const char *file, const char *ca_file, struct error *err)
{
    if (alarm_url_host_end(url) == 0)
        return error_set(err, ST_INVALID,
            "%s: expected a URL in its first line, such as https://host/path, with a port from 1 to 65535 if "
            "any, without user and password",
            file);
    if (ca_file != NULL && strncmp(url, "http:", 5) == 0)
        return error_set(err, ST_INVALID,
            "%s: its URL is of http, and `ca_file` is for https; expected that to be absent, or a URL with "
            "https",
            file);
    return ST_OK;
}

static enum status read_secrets(const struct attempt *t, char **ret_url, char **ret_key, struct error *err)
{
    enum status status = ST_OK;
    if (t->url_file != NULL)
        status = file_read_secret(t->url_file, ret_url, err);
    else
        *ret_url = mem_strdup(t->url);
    if (status == ST_OK)
        status = attempt_check_url(*ret_url, t->url_file != NULL ? t->url_file : "url", t->ca_file, err);
    if (status == ST_OK && t->secret_file != NULL)
        status = file_read_secret(t->secret_file, ret_key, err);
    return status;
}

/* What follows the host, with the signature of a robot. */
static char *path_of(const char *url, const char *key, int64_t now_ms)
{
    struct buf path = {0};
    const char *rest = url + alarm_url_host_end(url);
    buf_printf(&path, "%s%s", *rest == '/' ? "" : "/", rest);
    if (key != NULL) {
        buf_add_char(&path, strchr(rest, '?') != NULL ? '&' : '?');
        alarm_dingtalk_sign(key, now_ms, &path);
    }
    return buf_take(&path);
}

/* False: it is to end. */
static bool show_http(struct attempt *t, struct http_client *http)
{
    pthread_mutex_lock(&t->lock);
    bool goes_on = !t->is_cancelled;
    t->http = goes_on ? http : NULL;
    pthread_mutex_unlock(&t->lock);
    return goes_on;
}

/* The base alone is known to the client, whose words may be logged: what follows is often a secret. */
static enum status post(struct attempt *t, const char *url, const char *key, const char *body, int64_t now_ms,
    int64_t *ret_retry_s, struct error *err)
{
    char *base = mem_strndup(url, alarm_url_host_end(url)), *path = path_of(url, key, now_ms);
    struct http_client *http = http_client_create(&(struct http_client_options){.url = base,
        .ca_file = t->ca_file,
        .connect_timeout_ms = t->timeout_ms < CONNECT_TIMEOUT_MS ? t->timeout_ms : CONNECT_TIMEOUT_MS,
        .timeout_ms = t->timeout_ms,
        .answer_max = ANSWER_MAX});
    struct http_answer answer = {0};
    enum status status = ST_UNREACHABLE;
    if (show_http(t, http))
        status = http_post(http, path, "application/json; charset=utf-8", span_of(body), &answer, err);
    else
        error_set(err, ST_UNREACHABLE, "%s: cancelled", base);
    show_http(t, NULL);
    if (status == ST_OK) {
        status =
            alarm_answer_check(t->kind, answer.code, (struct span){answer.body.data, answer.body.len}, err);
        if (status != ST_OK)
            error_prefix(err, status, "%s", base);
    } else if (answer.is_sent) {
        status = ST_TIMEOUT;
    }
    *ret_retry_s = answer.retry_after_s;
    buf_release(&answer.body);
    http_client_destroy(http);
    free(base);
    free(path);
    return status;
}

enum status attempt_run(
    struct attempt *t, const char *body, int64_t now_ms, int64_t *ret_retry_s, struct error *err)
{
    if (t->kind == ALARM_BY_MAIL)
        return mail_send(t->sendmail, span_of(body), t->timeout_ms, t->cancel_fds[0], err);
    char *url = NULL, *key = NULL;
    enum status status = read_secrets(t, &url, &key, err);
    if (status == ST_OK)
        status = post(t, url, key, body, now_ms, ret_retry_s, err);
    free(url);
    free(key);
    return status;
}

bool attempt_cancel(struct attempt *t)
{
    pthread_mutex_lock(&t->lock);
    bool is_first = !t->is_cancelled;
    t->is_cancelled = true;
    if (t->http != NULL)
        http_client_cancel(t->http);
    pthread_mutex_unlock(&t->lock);
    return !is_first || t->kind != ALARM_BY_MAIL || write(t->cancel_fds[1], "", 1) == 1;
}
