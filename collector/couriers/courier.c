#include "collector/couriers/courier.h"

#include "collector/couriers/mail.h"
#include "lib/file.h"
#include "lib/http_client.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "lib/thread.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONNECT_TIMEOUT_MS 5000
#define ANSWER_MAX 65536

struct courier {
    struct courier *next; /* of those that are no longer in use */
    struct couriers *of;
    char *id, *told; /* told: all that it is made of */
    enum alarm_receiver_kind kind;
    char *url, *url_file, *secret_file, *sendmail;
    int timeout_ms;
    pthread_t thread;
    int cancel_fds[2]; /* of mail: readable when it is to end */

    /* Core thread */
    struct complaint complaint;
    int failures;
    int64_t ready_mono_ms; /* not before */

    pthread_mutex_t lock; /* around: */
    pthread_cond_t changed;
    bool is_stopping, is_over, is_busy, has_result;
    struct courier_parcel parcel; /* while it is busy */
    struct http_client *http;     /* of the attempt that is on */
    enum status outcome;
    struct error problem;
    int64_t retry_after_s;
};

struct couriers {
    const struct clock *clock;
    void (*on_result)(void *user_data);
    void *user_data;
    struct courier **items;
    size_t count;
    struct courier *ending;
};

void courier_parcel_release(struct courier_parcel *p)
{
    free(p->body);
    *p = (struct courier_parcel){0};
}

/* ---- an attempt; the courier's thread ---- */

/* Where the host ends; 0: it is no URL of ours. */
static size_t host_end(const char *url)
{
    size_t scheme = strncmp(url, "https://", 8) == 0 ? 8 : strncmp(url, "http://", 7) == 0 ? 7 : 0;
    size_t end = scheme + strcspn(url + scheme, "/?#");
    bool is_good = scheme > 0 && end > scheme && memchr(url, '@', end) == NULL && strchr(url, '#') == NULL &&
                   strchr(url, ' ') == NULL && !text_has_control(span_of(url));
    return is_good ? end : 0;
}

#define URL_EXPECTED "expected a URL in its first line, such as https://host/path, without user and password"

static enum status read_secrets(const struct courier *c, char **ret_url, char **ret_key, struct error *err)
{
    enum status status = ST_OK;
    if (c->url_file != NULL)
        status = file_read_secret(c->url_file, ret_url, err);
    else
        *ret_url = mem_strdup(c->url);
    if (status == ST_OK && host_end(*ret_url) == 0)
        status = error_set(err, ST_INVALID, "%s: " URL_EXPECTED, c->url_file != NULL ? c->url_file : "url");
    if (status == ST_OK && c->secret_file != NULL)
        status = file_read_secret(c->secret_file, ret_key, err);
    return status;
}

/* What follows the host, with the signature of a robot. */
static char *path_of(const struct courier *c, const char *url, const char *key)
{
    struct buf path = {0};
    const char *rest = url + host_end(url);
    buf_printf(&path, "%s%s", *rest == '/' ? "" : "/", rest);
    if (key != NULL) {
        buf_add_char(&path, strchr(rest, '?') != NULL ? '&' : '?');
        alarm_dingtalk_sign(key, c->of->clock->wall_ms(), &path);
    }
    return buf_take(&path);
}

/* False: it is to end. */
static bool show_http(struct courier *c, struct http_client *http)
{
    pthread_mutex_lock(&c->lock);
    bool goes_on = !c->is_stopping;
    c->http = goes_on ? http : NULL;
    pthread_mutex_unlock(&c->lock);
    return goes_on;
}

/* The base alone is known to the client, whose words may be logged: what follows is often a secret. */
static enum status post(
    struct courier *c, const char *url, const char *key, int64_t *ret_retry_s, struct error *err)
{
    char *base = mem_strndup(url, host_end(url)), *path = path_of(c, url, key);
    struct http_client *http = http_client_create(&(struct http_client_options){.url = base,
        .connect_timeout_ms = c->timeout_ms < CONNECT_TIMEOUT_MS ? c->timeout_ms : CONNECT_TIMEOUT_MS,
        .timeout_ms = c->timeout_ms,
        .answer_max = ANSWER_MAX});
    struct http_answer answer = {0};
    enum status status = ST_UNREACHABLE;
    if (show_http(c, http))
        status =
            http_post(http, path, "application/json; charset=utf-8", span_of(c->parcel.body), &answer, err);
    else
        error_set(err, ST_UNREACHABLE, "%s: cancelled", base);
    show_http(c, NULL);
    if (status == ST_OK)
        status =
            alarm_answer_check(c->kind, answer.code, (struct span){answer.body.data, answer.body.len}, err);
    if (status == ST_PROTOCOL)
        error_prefix(err, status, "%s", base);
    *ret_retry_s = answer.retry_after_s;
    buf_release(&answer.body);
    http_client_destroy(http);
    free(base);
    free(path);
    return status;
}

static enum status attempt(struct courier *c, int64_t *ret_retry_s, struct error *err)
{
    if (c->kind == ALARM_BY_MAIL)
        return mail_send(c->sendmail, span_of(c->parcel.body), c->timeout_ms, c->cancel_fds[0], err);
    char *url = NULL, *key = NULL;
    enum status status = read_secrets(c, &url, &key, err);
    if (status == ST_OK)
        status = post(c, url, key, ret_retry_s, err);
    free(url);
    free(key);
    return status;
}

static void *run(void *argument)
{
    struct courier *c = argument;
    pthread_mutex_lock(&c->lock);
    while (!c->is_stopping) {
        if (!c->is_busy || c->has_result) {
            thread_wait_until(&c->changed, &c->lock, INT64_MAX);
            continue;
        }
        pthread_mutex_unlock(&c->lock);
        int64_t retry_s = 0;
        struct error problem = {""};
        enum status outcome = attempt(c, &retry_s, &problem);
        pthread_mutex_lock(&c->lock);
        c->outcome = outcome;
        c->problem = problem;
        c->retry_after_s = retry_s;
        c->has_result = true;
        pthread_mutex_unlock(&c->lock);
        c->of->on_result(c->of->user_data);
        pthread_mutex_lock(&c->lock);
    }
    c->is_over = true;
    pthread_mutex_unlock(&c->lock);
    return NULL;
}

/* ---- one ---- */

static const char *or_none(const char *text)
{
    return text != NULL ? text : "";
}

static char *tell(const struct alarm_receiver *r)
{
    return mem_printf("%s\n%d\n%s\n%s\n%s\n%s\n%lld", r->id, r->kind, or_none(r->url), or_none(r->url_file),
        or_none(r->secret_file), r->sendmail, (long long)r->timeout_ms);
}

static struct courier *begin(struct couriers *of, const struct alarm_receiver *r)
{
    struct courier *c = mem_zalloc(sizeof *c);
    *c = (struct courier){.of = of,
        .id = mem_strdup(r->id),
        .told = tell(r),
        .kind = (enum alarm_receiver_kind)r->kind,
        .url = mem_strdup(r->url),
        .url_file = mem_strdup(r->url_file),
        .secret_file = mem_strdup(r->secret_file),
        .sendmail = mem_strdup(r->sendmail),
        .timeout_ms = (int)r->timeout_ms};
    /* Where no descriptor is left it cannot be told to end, and ends in its time. */
    if (c->kind != ALARM_BY_MAIL || pipe2(c->cancel_fds, O_CLOEXEC) != 0)
        c->cancel_fds[0] = c->cancel_fds[1] = -1;
    pthread_mutex_init(&c->lock, NULL);
    thread_cond_init(&c->changed);
    thread_start(&c->thread, run, c);
    return c;
}

static void cancel(struct courier *c)
{
    pthread_mutex_lock(&c->lock);
    if (!c->is_stopping && c->kind == ALARM_BY_MAIL && write(c->cancel_fds[1], "", 1) != 1)
        log_warn("alarms", "receiver %s: cannot be told to end; it ends in its time", c->id);
    c->is_stopping = true;
    if (c->http != NULL)
        http_client_cancel(c->http);
    pthread_cond_broadcast(&c->changed);
    pthread_mutex_unlock(&c->lock);
}

/* Waits for its thread. */
static void end(struct courier *c)
{
    pthread_join(c->thread, NULL);
    courier_parcel_release(&c->parcel);
    pthread_cond_destroy(&c->changed);
    pthread_mutex_destroy(&c->lock);
    for (int i = 0; i < 2; i++)
        if (c->cancel_fds[i] >= 0)
            close(c->cancel_fds[i]);
    free(c->id);
    free(c->told);
    free(c->url);
    free(c->url_file);
    free(c->secret_file);
    free(c->sendmail);
    free(c);
}

/* ---- all of them; core thread ---- */

struct couriers *couriers_create(
    const struct clock *clock, void (*on_result)(void *user_data), void *user_data)
{
    struct couriers *c = mem_zalloc(sizeof *c);
    *c = (struct couriers){.clock = clock, .on_result = on_result, .user_data = user_data};
    return c;
}

static void end_those_that_are_over(struct couriers *c)
{
    for (struct courier **link = &c->ending; *link != NULL;) {
        struct courier *one = *link;
        pthread_mutex_lock(&one->lock);
        bool is_over = one->is_over;
        pthread_mutex_unlock(&one->lock);
        if (!is_over) {
            link = &one->next;
            continue;
        }
        *link = one->next;
        end(one);
    }
}

/* Takes the one that is told the same out of those that were in use. */
static struct courier *take_over(struct courier **before, size_t count, const struct alarm_receiver *r)
{
    char *told = tell(r);
    struct courier *found = NULL;
    for (size_t i = 0; i < count && found == NULL; i++)
        if (before[i] != NULL && strcmp(before[i]->told, told) == 0) {
            found = before[i];
            before[i] = NULL;
        }
    free(told);
    return found;
}

void couriers_use(struct couriers *c, const struct alarm_rules *rules)
{
    struct courier **before = c->items;
    size_t count = c->count;
    c->count = 0;
    c->items = mem_zalloc(((rules != NULL ? rules->receivers.count : 0) + 1) * sizeof(struct courier *));
    if (rules != NULL)
        CONF_EACH (const struct alarm_receiver, r, rules->receivers) {
            struct courier *same = take_over(before, count, r);
            c->items[c->count++] = same != NULL ? same : begin(c, r);
        }
    for (size_t i = 0; i < count; i++) {
        if (before[i] == NULL)
            continue;
        cancel(before[i]);
        before[i]->next = c->ending;
        c->ending = before[i];
    }
    free(before);
}

void couriers_destroy(struct couriers *c)
{
    if (c == NULL)
        return;
    couriers_use(c, NULL);
    while (c->ending != NULL) {
        struct courier *one = c->ending;
        c->ending = one->next;
        end(one);
    }
    free(c->items);
    free(c);
}

bool couriers_is_ready(struct couriers *c, size_t receiver)
{
    struct courier *one = c->items[receiver];
    if (c->clock->mono_ms() < one->ready_mono_ms)
        return false;
    pthread_mutex_lock(&one->lock);
    bool is_ready = !one->is_busy;
    pthread_mutex_unlock(&one->lock);
    return is_ready;
}

void couriers_send(struct couriers *c, size_t receiver, struct courier_parcel *p)
{
    struct courier *one = c->items[receiver];
    pthread_mutex_lock(&one->lock);
    one->parcel = *p;
    one->is_busy = true;
    pthread_cond_broadcast(&one->changed);
    pthread_mutex_unlock(&one->lock);
    *p = (struct courier_parcel){0};
}

static int64_t wait_after(const struct courier *c, bool is_taken, int64_t retry_after_s)
{
    bool is_robot = c->kind == ALARM_BY_DINGTALK || c->kind == ALARM_BY_WECOM;
    if (is_taken)
        return is_robot ? COURIER_ROBOT_MS : 0;
    int64_t wait_ms = COURIER_RETRY_MS;
    for (int i = 1; i < c->failures && wait_ms < COURIER_RETRY_MAX_MS; i++)
        wait_ms *= 2;
    if (retry_after_s > 0 && retry_after_s < COURIER_RETRY_MAX_MS / 1000 && wait_ms < retry_after_s * 1000)
        wait_ms = retry_after_s * 1000;
    return wait_ms < COURIER_RETRY_MAX_MS ? wait_ms : COURIER_RETRY_MAX_MS;
}

static void settle(struct couriers *all, struct courier *c, bool is_taken, const struct error *problem,
    int64_t retry_after_s)
{
    int64_t now = all->clock->mono_ms();
    c->failures = is_taken ? 0 : c->failures + 1;
    int64_t wait_ms = wait_after(c, is_taken, retry_after_s);
    c->ready_mono_ms = now + wait_ms;
    if (is_taken)
        complaint_clear(&c->complaint, now, "alarms", "receiver %s takes messages again", c->id);
    else
        complain(&c->complaint, now, LOG_LEVEL_WARN, "alarms",
            "receiver %s did not take a message: %s; next try in %lld s", c->id, problem->text,
            (long long)(wait_ms / 1000));
}

bool couriers_take(struct couriers *c, struct courier_result *ret)
{
    end_those_that_are_over(c);
    for (size_t i = 0; i < c->count; i++) {
        struct courier *one = c->items[i];
        pthread_mutex_lock(&one->lock);
        bool has_result = one->has_result;
        struct courier_parcel parcel = {0};
        enum status outcome = one->outcome;
        struct error problem = one->problem;
        int64_t retry_after_s = one->retry_after_s;
        if (has_result) {
            parcel = one->parcel;
            one->parcel = (struct courier_parcel){0};
            one->has_result = one->is_busy = false;
        }
        pthread_mutex_unlock(&one->lock);
        if (!has_result)
            continue;
        *ret = (struct courier_result){i, parcel.alarm, parcel.number, parcel.event, outcome == ST_OK};
        courier_parcel_release(&parcel);
        settle(c, one, ret->is_taken, &problem, retry_after_s);
        return true;
    }
    return false;
}

/* ---- what receivers name on this machine ---- */

static enum status check_secret_file(const struct alarm_receiver *r, struct error *err)
{
    struct error why;
    char *key = NULL;
    if (r->secret_file == NULL)
        return ST_OK;
    if (file_read_secret(r->secret_file, &key, &why) != ST_OK)
        return error_set(err, ST_INVALID,
            "%s; expected a file with the key in its first line, which only its owner and group may read",
            why.text);
    free(key);
    return ST_OK;
}

static enum status check_url_file(const struct alarm_receiver *r, struct error *err)
{
    struct error why;
    char *url = NULL;
    enum status status = ST_OK;
    if (r->url_file == NULL || r->url != NULL)
        return ST_OK;
    if (file_read_secret(r->url_file, &url, &why) != ST_OK)
        return error_set(err, ST_INVALID,
            "%s; expected a file with the URL in its first line, which only its owner and group may read",
            why.text);
    if (host_end(url) == 0)
        status = error_set(err, ST_INVALID, "%s: " URL_EXPECTED, r->url_file);
    free(url);
    return status;
}

static enum status check_sendmail(const struct alarm_receiver *r, struct error *err)
{
    if (r->kind != ALARM_BY_MAIL || access(r->sendmail, X_OK) == 0)
        return ST_OK;
    return error_set(err, ST_INVALID,
        "%s cannot be run; expected a program that takes mail, of a package such as msmtp-mta", r->sendmail);
}

static const struct {
    const char *key;
    enum status (*check)(const struct alarm_receiver *r, struct error *err);
} checks[] = {{"secret_file", check_secret_file}, {"url_file", check_url_file}, {"sendmail", check_sendmail}};

void couriers_check(struct alarm_rules *rules)
{
    struct error err;
    CONF_EACH (const struct alarm_receiver, r, rules->receivers)
        for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++)
            if (checks[i].check(r, &err) != ST_OK)
                conf_problem(rules->conf, &r->where, checks[i].key, "%s", err.text);
}

void couriers_log_unfit(const struct alarm_rules *rules)
{
    struct error err;
    CONF_EACH (const struct alarm_receiver, r, rules->receivers)
        for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++)
            if (checks[i].check(r, &err) != ST_OK)
                log_error("alarms", "receiver %s is told nothing until this is mended: %s: %s", r->id,
                    checks[i].key, err.text);
}
