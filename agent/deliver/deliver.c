#include "agent/deliver/deliver.h"

#include "agent/deliver/announce.h"
#include "agent/deliver/window.h"
#include "lib/id.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/mqtt.h"
#include "lib/thread.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define QUEUE_MAX 16384
#define COMMIT_AT 4096         /* this many readings do not wait for the commit interval */
#define REPLAY_UNCUT_MAX 65536 /* a replay waits when so many are not yet cut */
#define STATE_MS 60000
#define SILENCE_MS 60000       /* confirmed by the broker, not acknowledged by the collector */
#define ACKS_MAX 64

struct deliver {
    struct deliver_options options;
    const struct clock *clock;
    struct spool *spool;
    struct mqtt *mqtt;
    struct window window;
    char up_topic[ID_MAX + 32], ack_topic[ID_MAX + 32];
    pthread_t thread;

    /* Shared, under `lock`. */
    pthread_mutex_t lock;
    pthread_cond_t wake;     /* for the thread */
    pthread_cond_t progress; /* for those who wait for it */
    struct spool_reading *queue;
    size_t queued;
    int64_t commit_due_mono_ms; /* INT64_MAX while the queue is empty */
    struct ack acks[ACKS_MAX];
    bool ack_retained[ACKS_MAX];
    size_t ack_count;
    bool has_event;
    bool is_stopping;
    int64_t drain_until_mono_ms;
    bool has_failed;
    struct error failure;
    struct deliver_progress shown;

    /* The thread's own. */
    uint64_t session;
    struct announce announce;
    int64_t silent_since_mono_ms;
    struct complaint storage, silence, strange_ack;
};

static int64_t mono_ms(const struct deliver *d)
{
    return d->clock->mono_ms();
}

/* ---- what other threads call ---- */

static void on_message(void *user_data, const struct mqtt_message *message)
{
    struct deliver *d = user_data;
    struct ack ack;
    if (!span_is(message->topic, d->ack_topic))
        return;
    struct error err;
    if (ack_parse(message->payload, &ack, &err) != ST_OK) {
        log_warn("deliver", "%s: %s; ignored", d->ack_topic, err.text);
        return;
    }
    pthread_mutex_lock(&d->lock);
    /* The newest count: an older one that is pushed out only repeats less. */
    if (d->ack_count == ACKS_MAX) {
        memmove(d->acks, d->acks + 1, (ACKS_MAX - 1) * sizeof d->acks[0]);
        memmove(d->ack_retained, d->ack_retained + 1, (ACKS_MAX - 1) * sizeof d->ack_retained[0]);
        d->ack_count--;
    }
    d->ack_retained[d->ack_count] = message->is_retained;
    d->acks[d->ack_count++] = ack;
    pthread_cond_signal(&d->wake);
    pthread_mutex_unlock(&d->lock);
}

static void on_event(void *user_data)
{
    struct deliver *d = user_data;
    pthread_mutex_lock(&d->lock);
    d->has_event = true;
    pthread_cond_signal(&d->wake);
    pthread_mutex_unlock(&d->lock);
}

static void put_locked(struct deliver *d, const struct spool_reading *reading, bool is_urgent)
{
    d->queue[d->queued] = *reading;
    d->queue[d->queued].text = mem_strdup(reading->text);
    d->queued++;
    int64_t due = mono_ms(d) + (is_urgent || d->queued >= COMMIT_AT ? 0 : d->options.settings->spool.commit_ms);
    if (due < d->commit_due_mono_ms) {
        d->commit_due_mono_ms = due;
        pthread_cond_signal(&d->wake);
    }
}

bool deliver_put(struct deliver *d, const struct spool_reading *reading, bool is_urgent)
{
    pthread_mutex_lock(&d->lock);
    bool has_room = d->queued < QUEUE_MAX && !d->has_failed;
    if (has_room)
        put_locked(d, reading, is_urgent);
    pthread_mutex_unlock(&d->lock);
    return has_room;
}

static bool has_patient_room(const struct deliver *d)
{
    return d->queued < COMMIT_AT && d->shown.uncut < REPLAY_UNCUT_MAX;
}

bool deliver_put_patiently(struct deliver *d, const struct spool_reading *reading, int64_t deadline_mono_ms)
{
    pthread_mutex_lock(&d->lock);
    while (!d->has_failed && !has_patient_room(d) && mono_ms(d) < deadline_mono_ms)
        thread_wait_until(&d->progress, &d->lock, deadline_mono_ms);
    bool is_good = !d->has_failed && has_patient_room(d);
    if (is_good)
        put_locked(d, reading, false);
    pthread_mutex_unlock(&d->lock);
    return is_good;
}

bool deliver_wait_empty(struct deliver *d, int64_t deadline_mono_ms)
{
    pthread_mutex_lock(&d->lock);
    bool is_empty;
    for (;;) {
        is_empty = d->queued == 0 && d->shown.uncut == 0 && d->shown.unacknowledged == 0;
        if (is_empty || d->has_failed || mono_ms(d) >= deadline_mono_ms)
            break;
        thread_wait_until(&d->progress, &d->lock, deadline_mono_ms);
    }
    pthread_mutex_unlock(&d->lock);
    return is_empty;
}

void deliver_progress(struct deliver *d, struct deliver_progress *ret)
{
    pthread_mutex_lock(&d->lock);
    *ret = d->shown;
    ret->waiting = (int64_t)d->queued;
    pthread_mutex_unlock(&d->lock);
}

bool deliver_has_failed(struct deliver *d, struct error *ret)
{
    pthread_mutex_lock(&d->lock);
    bool has_failed = d->has_failed;
    if (has_failed)
        *ret = d->failure;
    pthread_mutex_unlock(&d->lock);
    return has_failed;
}

/* ---- the thread ---- */

static void fail(struct deliver *d, const struct error *err)
{
    pthread_mutex_lock(&d->lock);
    d->has_failed = true;
    d->failure = *err;
    pthread_cond_broadcast(&d->progress);
    pthread_mutex_unlock(&d->lock);
    kill(getpid(), SIGTERM); /* the main thread waits for signals, and then asks deliver_has_failed */
}

static void show(struct deliver *d, size_t committed)
{
    struct spool_state state;
    spool_state(d->spool, &state);
    pthread_mutex_lock(&d->lock);
    d->shown.committed += (int64_t)committed;
    d->shown.uncut = state.uncut;
    d->shown.unacknowledged = state.last - state.mark;
    d->shown.is_connected = mqtt_state(d->mqtt) == MQTT_READY;
    pthread_cond_broadcast(&d->progress);
    pthread_mutex_unlock(&d->lock);
}

static void after_cut(struct deliver *d)
{
    struct spool_state state;
    spool_state(d->spool, &state);
    window_cut(&d->window, state.last);
}

/* Takes what is in the queue to disk; gives it back where the spool takes nothing now. */
static void commit(struct deliver *d)
{
    pthread_mutex_lock(&d->lock);
    size_t count = d->queued;
    struct spool_reading *readings = d->queue;
    if (count > 0)
        d->queue = mem_alloc(QUEUE_MAX * sizeof *d->queue);
    d->queued = 0;
    d->commit_due_mono_ms = INT64_MAX;
    pthread_mutex_unlock(&d->lock);
    if (count == 0)
        return;
    struct error err;
    enum status status =
        spool_commit(d->spool, readings, count, window_room(&d->window), mqtt_payload_max(d->mqtt), &err);
    if (status == ST_OK) {
        complaint_clear(&d->storage, mono_ms(d), "deliver", "the spool takes readings again");
        for (size_t i = 0; i < count; i++)
            free(readings[i].text);
        free(readings);
        after_cut(d);
        show(d, count);
        return;
    }
    complain(&d->storage, mono_ms(d), LOG_LEVEL_ERROR, "deliver",
        "%s; readings wait in memory, at most %d, and are refused beyond", err.text, QUEUE_MAX);
    pthread_mutex_lock(&d->lock);
    size_t kept = d->queued < QUEUE_MAX - count ? d->queued : QUEUE_MAX - count;
    for (size_t i = kept; i < d->queued; i++)
        free(d->queue[i].text);
    memcpy(readings + count, d->queue, kept * sizeof *readings);
    free(d->queue);
    d->queue = readings;
    d->queued = count + kept;
    d->commit_due_mono_ms = mono_ms(d) + d->options.settings->spool.commit_ms;
    pthread_mutex_unlock(&d->lock);
    if (status == ST_STORAGE)
        fail(d, &err);
}

/* Readings wait in the spool and the window has room: cut without new readings. Half a window at a time, so that a
 * backlog costs few transactions. */
static void cut_backlog(struct deliver *d)
{
    struct spool_state state;
    spool_state(d->spool, &state);
    if (state.uncut == 0 || state.last - state.mark > WINDOW_BATCHES / 2)
        return;
    struct error err;
    enum status status = spool_cut(d->spool, window_room(&d->window), mqtt_payload_max(d->mqtt), &err);
    if (status == ST_OK) {
        after_cut(d);
        show(d, 0);
    } else {
        complain(&d->storage, mono_ms(d), LOG_LEVEL_ERROR, "deliver", "%s", err.text);
        if (status == ST_STORAGE)
            fail(d, &err);
    }
}

static void take_ack(struct deliver *d, const struct ack *ack, bool is_retained)
{
    int64_t seq, now = mono_ms(d);
    struct error err;
    enum status status = spool_resolve(d->spool, ack, &seq, &err);
    if (status != ST_OK) {
        complain(&d->strange_ack, now, LOG_LEVEL_WARN, "deliver", "acknowledgement ignored: %s", err.text);
        return;
    }
    struct spool_state state;
    spool_state(d->spool, &state);
    bool is_moved;
    /* A stored refusal answered a batch of an earlier connection; today's batches will get their own. */
    if (ack->is_refusal && !is_retained) {
        is_moved = window_refuse(&d->window, seq, state.first, now);
        if (is_moved)
            log_info("deliver", "the collector needs batch %lld next; going back to it", (long long)seq + 1);
    } else {
        is_moved = window_acknowledge(&d->window, seq, now);
    }
    d->silent_since_mono_ms = now;
    complaint_clear(&d->silence, now, "deliver", "the collector acknowledges again");
    if (is_moved) {
        spool_set_mark(d->spool, d->window.mark);
        show(d, 0);
    }
}

static void take_acks(struct deliver *d)
{
    struct ack acks[ACKS_MAX];
    bool retained[ACKS_MAX];
    pthread_mutex_lock(&d->lock);
    size_t count = d->ack_count;
    memcpy(acks, d->acks, count * sizeof acks[0]);
    memcpy(retained, d->ack_retained, count * sizeof retained[0]);
    d->ack_count = 0;
    pthread_mutex_unlock(&d->lock);
    for (size_t i = 0; i < count; i++)
        take_ack(d, &acks[i], retained[i]);
}

static void publish_batches(struct deliver *d)
{
    struct buf payload = {0};
    struct error err;
    int64_t seq, now = mono_ms(d);
    while ((seq = window_next(&d->window, now)) != 0) {
        enum status status = spool_payload(d->spool, seq, &payload, &err);
        if (status != ST_OK) {
            complain(&d->storage, now, LOG_LEVEL_ERROR, "deliver", "%s", err.text);
            if (status == ST_STORAGE)
                fail(d, &err);
            break;
        }
        if (!window_fits(&d->window, seq, (int32_t)payload.len))
            break;
        if (mqtt_publish(d->mqtt, d->up_topic, (struct span){payload.data, payload.len}, false, 0, &err) != ST_OK)
            break; /* the client says why, and a new session starts over */
        window_published(&d->window, seq, (int32_t)payload.len, now);
    }
    buf_release(&payload);
}

static void watch_silence(struct deliver *d, int64_t now)
{
    bool is_out = d->window.next > d->window.mark + 1;
    if (!is_out || mqtt_unconfirmed(d->mqtt) > 0)
        d->silent_since_mono_ms = now;
    else if (now - d->silent_since_mono_ms >= SILENCE_MS)
        complain(&d->silence, now, LOG_LEVEL_WARN, "deliver",
            "the broker takes batches but nothing acknowledges them for %d s: the collector is down, or read "
            "permission on %s is missing; sending again with growing intervals",
            SILENCE_MS / 1000, d->ack_topic);
}

static void talk(struct deliver *d)
{
    int64_t now = mono_ms(d);
    if (mqtt_state(d->mqtt) != MQTT_READY)
        return;
    if (mqtt_session(d->mqtt) != d->session) {
        d->session = mqtt_session(d->mqtt);
        d->silent_since_mono_ms = now;
        window_restart(&d->window);
        announce_reset(&d->announce);
    }
    publish_batches(d);
    watch_silence(d, now);
    struct spool_state state;
    spool_state(d->spool, &state);
    announce_online(&d->announce, d->mqtt, &state, now);
}

/* Sleeps until something happened or is due. False when it is time to end. */
static bool wait_for_work(struct deliver *d, int64_t mqtt_due_mono_ms)
{
    int64_t due = mqtt_due_mono_ms;
    if (mqtt_state(d->mqtt) == MQTT_READY) {
        int64_t probe = window_deadline(&d->window), state = announce_due(&d->announce);
        due = probe < due ? probe : due;
        due = state < due ? state : due;
    }
    pthread_mutex_lock(&d->lock);
    while (!d->has_event && d->ack_count == 0 && !d->has_failed) {
        int64_t until = due < d->commit_due_mono_ms ? due : d->commit_due_mono_ms;
        if (d->is_stopping) {
            bool is_done = d->queued == 0 && d->shown.uncut == 0 && d->shown.unacknowledged == 0;
            until = is_done || until > d->drain_until_mono_ms ? d->drain_until_mono_ms : until;
            if (is_done || mono_ms(d) >= d->drain_until_mono_ms)
                break;
        }
        if (mono_ms(d) >= until)
            break;
        thread_wait_until(&d->wake, &d->lock, until);
    }
    d->has_event = false;
    bool is_done = d->queued == 0 && d->shown.uncut == 0 && d->shown.unacknowledged == 0;
    bool goes_on = !d->has_failed && !(d->is_stopping && (is_done || mono_ms(d) >= d->drain_until_mono_ms));
    pthread_mutex_unlock(&d->lock);
    return goes_on;
}

static bool is_commit_due(struct deliver *d)
{
    pthread_mutex_lock(&d->lock);
    bool is_due = d->queued > 0 && (d->is_stopping || mono_ms(d) >= d->commit_due_mono_ms);
    pthread_mutex_unlock(&d->lock);
    return is_due;
}

static void *run(void *argument)
{
    struct deliver *d = argument;
    do {
        int64_t mqtt_due = mqtt_tick(d->mqtt, mono_ms(d));
        take_acks(d);
        if (is_commit_due(d))
            commit(d);
        cut_backlog(d);
        talk(d);
        if (!wait_for_work(d, mqtt_due))
            break;
    } while (true);
    if (is_commit_due(d))
        commit(d);
    if (mqtt_state(d->mqtt) == MQTT_READY)
        announce_offline(&d->announce, d->mqtt);
    return NULL;
}

/* ---- life ---- */

enum status deliver_create(const struct deliver_options *options, struct deliver **ret, struct error *err)
{
    const struct agent_settings *settings = options->settings;
    struct spool_options spool_options = {.path = settings->spool.path,
        .gateway = settings->gateway,
        .limit_bytes = settings->spool.limit_mib << 20,
        .points = options->points,
        .point_count = options->point_count,
        .keeps_times = options->is_replay};
    struct spool *spool;
    enum status status = spool_open(&spool_options, &spool, err);
    if (status != ST_OK)
        return status;
    struct deliver *d = mem_zalloc(sizeof *d);
    d->options = *options;
    d->clock = options->clock;
    d->spool = spool;
    d->queue = mem_alloc(QUEUE_MAX * sizeof *d->queue);
    d->commit_due_mono_ms = INT64_MAX;
    topic_format(d->up_topic, sizeof d->up_topic, settings->gateway, "up");
    topic_format(d->ack_topic, sizeof d->ack_topic, settings->gateway, "ack");
    pthread_mutex_init(&d->lock, NULL);
    thread_cond_init(&d->wake);
    thread_cond_init(&d->progress);
    struct spool_state state;
    spool_state(spool, &state);
    window_init(&d->window, state.mark, state.last, settings->spool.probe_ms);
    d->shown.uncut = state.uncut;
    d->shown.unacknowledged = state.last - state.mark;

    announce_init(&d->announce, options);
    char *client_id = mem_printf("park-%s", settings->gateway);
    const char *subscriptions[] = {d->ack_topic, NULL};
    struct mqtt_options mqtt_options = {.host = settings->broker.host,
        .port = (int)settings->broker.port,
        .client_id = client_id,
        .user = settings->broker.user,
        .password = options->password,
        .keep_alive_s = (int)(settings->broker.keep_alive_ms / 1000),
        .will_topic = d->announce.topic,
        .will_payload = "{\"state\":\"offline\"}",
        .subscriptions = subscriptions,
        .user_data = d,
        .on_message = on_message,
        .on_event = on_event};
    d->mqtt = mqtt_create(&mqtt_options);
    free(client_id);
    *ret = d;
    return ST_OK;
}

void deliver_start(struct deliver *d)
{
    thread_start(&d->thread, run, d);
}

enum status deliver_stop(struct deliver *d, int64_t drain_ms, struct error *err)
{
    pthread_mutex_lock(&d->lock);
    d->is_stopping = true;
    d->drain_until_mono_ms = mono_ms(d) + drain_ms;
    pthread_cond_signal(&d->wake);
    pthread_mutex_unlock(&d->lock);
    pthread_join(d->thread, NULL);
    if (d->has_failed)
        return error_set(err, ST_STORAGE, "%s", d->failure.text);
    if (d->queued > 0)
        return error_set(err, ST_FULL, "%zu readings could not be committed to the spool", d->queued);
    return ST_OK;
}

void deliver_destroy(struct deliver *d)
{
    if (d == NULL)
        return;
    mqtt_destroy(d->mqtt);
    spool_close(d->spool);
    announce_release(&d->announce);
    for (size_t i = 0; i < d->queued; i++)
        free(d->queue[i].text);
    free(d->queue);
    pthread_cond_destroy(&d->wake);
    pthread_cond_destroy(&d->progress);
    pthread_mutex_destroy(&d->lock);
    free(d);
}
