/* Source session: a thread that takes events from a unix socket and a broker for session_desk.h. */
#include "agent/settings.h"
#include "agent/sources/line_socket.h"
#include "agent/sources/session_desk.h"
#include "agent/sources/source.h"
#include "lib/mem.h"
#include "lib/thread.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATIENCE_MS 5000 /* for the disk, before an answer says "later" */
#define TAKEN_AT_ONCE 64

struct session_run {
    struct session_desk desk;
    struct line_socket *socket;    /* NULL = none */
    struct subscriber *subscriber; /* NULL = none */
    char *answer_topic;
    int stop_fd;
    pthread_t thread;
    bool is_started;
    atomic_bool is_stopping;
};

/* ---- the thread ---- */

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static void on_line(void *user_data, struct span line, struct buf *ret_answer)
{
    struct session_run *r = user_data;
    session_desk_take(&r->desk, line, PATIENCE_MS, ret_answer);
}

/* An event that a broker kept may be of any day: only live ones count. */
static void take_messages(struct session_run *r)
{
    struct incoming *incoming;
    for (int i = 0; i < TAKEN_AT_ONCE && (incoming = subscriber_take(r->subscriber)) != NULL; i++) {
        struct buf answer = {0};
        if (!incoming->is_retained) {
            session_desk_take(&r->desk, incoming->payload, PATIENCE_MS, &answer);
            subscriber_publish(r->subscriber, r->answer_topic, answer.data);
        }
        buf_release(&answer);
        free(incoming);
        if (i + 1 == TAKEN_AT_ONCE)
            subscriber_wake(r->subscriber);
    }
}

static void *run(void *argument)
{
    struct session_run *r = argument;
    struct pollfd polls[LINE_SOCKET_POLLS_MAX + 2];
    const struct clock *clock = r->desk.context.clock;
    while (!atomic_load(&r->is_stopping)) {
        int64_t due = r->subscriber != NULL ? subscriber_tick(r->subscriber) : INT64_MAX;
        session_desk_listen(&r->desk, r->subscriber == NULL || subscriber_is_ready(r->subscriber));
        due = earlier(due, session_desk_tick(&r->desk));
        size_t count = r->socket != NULL ? line_socket_polls(r->socket, polls) : 0, lines = count;
        polls[count++] = (struct pollfd){.fd = r->stop_fd, .events = POLLIN};
        if (r->subscriber != NULL)
            polls[count++] = (struct pollfd){.fd = subscriber_descriptor(r->subscriber), .events = POLLIN};
        if (poll(polls, count, subscriber_patience(clock, due)) < 0)
            continue;
        if (r->socket != NULL)
            line_socket_turn(r->socket, polls, lines, r, on_line);
        if (r->subscriber != NULL)
            take_messages(r);
    }
    return NULL;
}

/* ---- life ---- */

static void destroy(void *state)
{
    struct session_run *r = state;
    if (r == NULL)
        return;
    if (r->is_started)
        pthread_join(r->thread, NULL);
    line_socket_close(r->socket);
    subscriber_destroy(r->subscriber);
    session_desk_release(&r->desk);
    if (r->stop_fd >= 0)
        close(r->stop_fd);
    free(r->answer_topic);
    free(r);
}

static enum status make_subscriber(struct session_run *r, struct error *err)
{
    const struct session_settings *settings = r->desk.settings;
    const char *const topics[] = {settings->topic, NULL};
    struct subscriber_options options = {.link = &settings->broker,
        .gateway = r->desk.context.gateway,
        .source = r->desk.name,
        .topics = topics,
        .clock = r->desk.context.clock};
    if (settings->topic == NULL)
        return ST_OK;
    r->answer_topic = mem_printf("%s/answer", settings->topic);
    return subscriber_create(&options, &r->subscriber, err);
}

static enum status create(
    const struct source_settings *source, const struct source_context *context, void **ret, struct error *err)
{
    struct session_run *r = mem_zalloc(sizeof *r);
    session_desk_init(&r->desk, source->name, source->extra, context);
    r->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (r->stop_fd < 0)
        abort();
    enum status status = make_subscriber(r, err);
    if (status == ST_OK && context->deliver != NULL)
        status = session_desk_remember(&r->desk, err);
    if (status == ST_OK && r->desk.settings->socket != NULL)
        status = line_socket_open(r->desk.settings->socket, context->clock, &r->socket, err);
    if (status != ST_OK) {
        destroy(r);
        return status;
    }
    *ret = r;
    return ST_OK;
}

static void start(void *state)
{
    struct session_run *r = state;
    r->is_started = true;
    thread_start(&r->thread, run, r);
}

static void stop(void *state)
{
    struct session_run *r = state;
    const uint64_t one = 1;
    atomic_store(&r->is_stopping, true);
    ssize_t written = write(r->stop_fd, &one, sizeof one);
    (void)written; /* its count cannot be at its end */
}

static void each_point(const struct source_settings *source, void *context,
    void (*on_point)(void *context, const struct source_point *point))
{
    const struct session_settings *settings = source->extra;
    CONF_EACH (const struct session_instrument, one, settings->instruments) {
        struct source_point point = {.name = one->point,
            .kind = READING_STATE,
            .period_ms = FEED_STATE_REPEAT_MS,
            .where = &one->where,
            .key = "point"};
        on_point(context, &point);
    }
}

static void check_access(struct conf *c, const struct source_settings *source)
{
    const struct session_settings *settings = source->extra;
    conf_check_secret(c, &settings->broker.where, "password_file", settings->broker.password_file);
    struct stat there;
    if (settings->socket == NULL || lstat(settings->socket, &there) != 0)
        conf_check_writable(c, &settings->where, "socket", settings->socket);
    else if (!S_ISSOCK(there.st_mode))
        conf_problem(c, &settings->where, "socket", "%s is there and no socket; expected a path that is free",
            settings->socket);
}

/* Nobody comes with a card because we look. */
static int once(
    const struct source_settings *source, const struct source_context *context, int64_t deadline_mono_ms)
{
    const struct session_settings *settings = source->extra;
    (void)deadline_mono_ms;
    CONF_EACH (const struct session_instrument, one, settings->instruments) {
        const union driver_value value = {.text = "(told by events; none is waited for)"};
        context->report->reading(
            context->report->context, one->point, READING_STATE, &value, context->clock->wall_ms());
    }
    return 0;
}

const struct source source_session = {.name = "session",
    .section = &session_source_section,
    .each_point = each_point,
    .check_access = check_access,
    .create = create,
    .start = start,
    .stop = stop,
    .destroy = destroy,
    .once = once};
