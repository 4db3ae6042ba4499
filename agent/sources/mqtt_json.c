/* Source mqtt_json: a thread that takes messages from a broker for json_taker.h. */
#include "agent/settings.h"
#include "agent/sources/json_taker.h"
#include "agent/sources/source.h"
#include "lib/mem.h"
#include "lib/thread.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define TAKEN_AT_ONCE 64

struct json_run {
    struct json_taker taker;
    struct subscriber *subscriber;
    pthread_t thread;
    bool is_started;
    atomic_bool is_stopping;
};

/* ---- the thread ---- */

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* True where there may be more. */
static bool take_some(struct json_run *r)
{
    struct incoming *incoming;
    int taken = 0;
    for (; taken < TAKEN_AT_ONCE && (incoming = subscriber_take(r->subscriber)) != NULL; taken++) {
        struct json_message message = {incoming->topic, incoming->payload, incoming->is_retained};
        json_taker_take(&r->taker, &message);
        free(incoming);
    }
    return taken == TAKEN_AT_ONCE;
}

static int64_t turn(struct json_run *r)
{
    int64_t due = subscriber_tick(r->subscriber);
    if (take_some(r))
        due = 0;
    return earlier(due, json_taker_tick(&r->taker));
}

static void *run(void *argument)
{
    struct json_run *r = argument;
    while (!atomic_load(&r->is_stopping))
        subscriber_wait(r->subscriber, turn(r));
    /* What the broker holds for delivered. */
    for (int i = 0; i < SUBSCRIBER_WAITING_MAX / TAKEN_AT_ONCE && take_some(r); i++)
        ;
    return NULL;
}

/* ---- life ---- */

static enum status make_subscriber(struct json_run *r, struct error *err)
{
    size_t count = 0, capacity = 1;
    CONF_EACH (const struct json_device, device, r->taker.settings->devices)
        capacity += device->place_count;
    const char **topics = mem_zalloc(capacity * sizeof *topics);
    CONF_EACH (const struct json_device, device, r->taker.settings->devices)
        for (size_t i = 0; i < device->place_count; i++) {
            size_t k = 0;
            while (k < count && strcmp(topics[k], device->places[i].topic) != 0)
                k++;
            topics[k] = device->places[i].topic;
            count += k == count;
        }
    struct subscriber_options options = {.link = &r->taker.settings->broker,
        .gateway = r->taker.context.gateway,
        .source = r->taker.name,
        .topics = topics,
        .session_s = (int)(r->taker.settings->keep_ms / 1000),
        .clock = r->taker.context.clock};
    enum status status = subscriber_create(&options, &r->subscriber, err);
    free(topics);
    return status;
}

static void destroy(void *state)
{
    struct json_run *r = state;
    if (r == NULL)
        return;
    if (r->is_started)
        pthread_join(r->thread, NULL);
    subscriber_destroy(r->subscriber);
    json_taker_release(&r->taker);
    free(r);
}

static enum status create(
    const struct source_settings *source, const struct source_context *context, void **ret, struct error *err)
{
    struct json_run *r = mem_zalloc(sizeof *r);
    json_taker_init(&r->taker, source->name, source->extra, context);
    enum status status = make_subscriber(r, err);
    if (status == ST_OK && context->deliver != NULL)
        status = json_taker_remember(&r->taker, err);
    if (status != ST_OK) {
        destroy(r);
        return status;
    }
    *ret = r;
    return ST_OK;
}

static void start(void *state)
{
    struct json_run *r = state;
    r->is_started = true;
    thread_start(&r->thread, run, r);
}

static void stop(void *state)
{
    struct json_run *r = state;
    atomic_store(&r->is_stopping, true);
    subscriber_wake(r->subscriber);
}

static void each_point(const struct source_settings *source, void *context,
    void (*on_point)(void *context, const struct source_point *point))
{
    const struct json_settings *settings = source->extra;
    CONF_EACH (const struct json_device, device, settings->devices)
        CONF_EACH (const struct json_value, value, device->values) {
            int64_t repeat_ms = json_repeat_ms(device, value);
            struct source_point point = {.name = value->point,
                .kind = (enum reading_kind)value->kind,
                .period_ms = repeat_ms > 0 ? repeat_ms : device->every_ms,
                .where = &value->where,
                .key = value->is_own ? "name" : "prefix"};
            on_point(context, &point);
        }
}

static void check_access(struct conf *c, const struct source_settings *source)
{
    const struct json_settings *settings = source->extra;
    conf_check_secret(c, &settings->broker.where, "password_file", settings->broker.password_file);
}

/* ---- --once ---- */

static int once(
    const struct source_settings *source, const struct source_context *context, int64_t deadline_mono_ms)
{
    void *state;
    struct error err = {"nothing was heard of it in time"};
    int failures = 0;
    if (create(source, context, &state, &err) != ST_OK) {
        context->report->failure(context->report->context, source->name, err.text);
        return 1;
    }
    struct json_run *r = state;
    while (!json_taker_has_all(&r->taker) && context->clock->mono_ms() < deadline_mono_ms)
        subscriber_wait(r->subscriber, earlier(turn(r), deadline_mono_ms));
    for (size_t i = 0; i < r->taker.feed.count; i++)
        if (!r->taker.points[i].is_known) {
            context->report->failure(context->report->context, r->taker.points[i].name, err.text);
            failures++;
        }
    destroy(r);
    return failures;
}

const struct source source_mqtt_json = {.name = "mqtt_json",
    .section = &json_source_section,
    .each_point = each_point,
    .check_access = check_access,
    .create = create,
    .start = start,
    .stop = stop,
    .destroy = destroy,
    .once = once};
