#include "agent/deliver/deliver.h"

#include "agent/deliver/announce.h"
#include "agent/deliver/window.h"
#include "lib/id.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/mqtt.h"
#include "lib/thread.h"

#include <stdlib.h>
#include <string.h>

#define QUEUE_MAX 16384
#define COMMIT_AT 4096         /* this many readings do not wait for the commit interval */
#define REPLAY_UNCUT_MAX 65536 /* a replay waits when so many are not yet cut */
#define BUMP_MAX_MS 10         /* a time so little behind the point's last one is made the next millisecond */
#define BLOCKED_MS 1000        /* before a batch is offered again that the client did not take */
#define SILENCE_MS 60000       /* confirmed by the broker, not acknowledged by the collector */
#define ACKS_MAX 64

/* Readings that never got into the spool. */
struct lost {
    int64_t count, from_ms, to_ms;
};

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
    size_t taken_left;          /* of `taken` below; with `queued` at most QUEUE_MAX */
    int64_t *last_ms;           /* newest time by point */
    int64_t commit_due_mono_ms; /* INT64_MAX while nothing waits to be committed */
    struct ack acks[ACKS_MAX];
    bool ack_retained[ACKS_MAX];
    size_t ack_count;
    struct lost refused; /* by the full queue, since the thread asked last */
    bool has_event;
    bool is_stopping;
    int64_t drain_until_mono_ms;
    bool has_failed;
    struct error failure;
    struct deliver_progress shown;

    /* The thread's own. */
    struct spool_reading *taken; /* out of the queue, on the way to disk; the queue is its twin */
    size_t taken_at, taken_end;
    uint64_t session;
    struct announce announce;
    int64_t refused_count; /* since the spool took readings last */
    int64_t told_dropped;  /* readings and batches that were given up, as told */
    int64_t silent_since_mono_ms;
    int64_t blocked_until_mono_ms; /* 0 = not */
    struct complaint storage, silence, strange_ack, too_large, dropping, disk;
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
    struct spool_reading *own = &d->queue[d->queued++];
    *own = *reading;
    own->text = mem_strdup(reading->text);
    if (!d->options.is_replay) {
        /* Readings of the past keep their times. */
        int64_t *last_ms = &d->last_ms[own->point];
        if (own->time_ms <= *last_ms && own->time_ms > *last_ms - BUMP_MAX_MS)
            own->time_ms = *last_ms + 1;
        *last_ms = own->time_ms;
    }
    int64_t due =
        mono_ms(d) + (is_urgent || d->queued >= COMMIT_AT ? 0 : d->options.settings->spool.commit_ms);
    if (due < d->commit_due_mono_ms) {
        d->commit_due_mono_ms = due;
        pthread_cond_signal(&d->wake);
    }
}

static void lose(struct lost *lost, const struct spool_reading *reading)
{
    if (lost->count == 0 || reading->time_ms < lost->from_ms)
        lost->from_ms = reading->time_ms;
    if (lost->count == 0 || reading->time_ms > lost->to_ms)
        lost->to_ms = reading->time_ms;
    lost->count++;
}

static size_t waiting(const struct deliver *d)
{
    return d->queued + d->taken_left;
}

static bool is_empty(const struct deliver *d)
{
    return waiting(d) == 0 && d->shown.uncut == 0 && d->shown.unacknowledged == 0;
}

bool deliver_put(struct deliver *d, const struct spool_reading *reading, bool is_urgent)
{
    pthread_mutex_lock(&d->lock);
    bool has_room = waiting(d) < QUEUE_MAX && !d->has_failed;
    if (has_room)
        put_locked(d, reading, is_urgent);
    else
        lose(&d->refused, reading);
    pthread_mutex_unlock(&d->lock);
    return has_room;
}

static bool has_patient_room(const struct deliver *d)
{
    return waiting(d) < COMMIT_AT && d->shown.uncut < REPLAY_UNCUT_MAX;
}

bool deliver_put_patiently(struct deliver *d, const struct spool_reading *reading, int64_t deadline_mono_ms)
{
    pthread_mutex_lock(&d->lock);
    while (!d->has_failed && !has_patient_room(d) && mono_ms(d) < deadline_mono_ms)
        d->clock->wait_until(&d->progress, &d->lock, deadline_mono_ms);
    bool is_good = !d->has_failed && has_patient_room(d);
    if (is_good)
        put_locked(d, reading, false);
    pthread_mutex_unlock(&d->lock);
    return is_good;
}

bool deliver_wait_empty(struct deliver *d, int64_t deadline_mono_ms)
{
    pthread_mutex_lock(&d->lock);
    while (!is_empty(d) && !d->has_failed && mono_ms(d) < deadline_mono_ms)
        d->clock->wait_until(&d->progress, &d->lock, deadline_mono_ms);
    bool is_good = is_empty(d);
    pthread_mutex_unlock(&d->lock);
    return is_good;
}

void deliver_progress(struct deliver *d, struct deliver_progress *ret)
{
    pthread_mutex_lock(&d->lock);
    *ret = d->shown;
    ret->waiting = (int64_t)waiting(d);
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

/* Nothing is committed, cut or published after it. */
static void fail(struct deliver *d, const struct error *err)
{
    pthread_mutex_lock(&d->lock);
    d->has_failed = true;
    d->failure = *err;
    pthread_cond_broadcast(&d->progress);
    pthread_mutex_unlock(&d->lock);
    if (d->options.on_failure != NULL)
        d->options.on_failure();
}

/* Only this thread sets it, so that reading it here needs no lock. */
static bool has_failed(const struct deliver *d)
{
    return d->has_failed;
}

/* What the full queue refused was never committed, but its number is known: the next batch says it. */
static void note_refused(struct deliver *d)
{
    pthread_mutex_lock(&d->lock);
    struct lost refused = d->refused;
    d->refused = (struct lost){0};
    pthread_mutex_unlock(&d->lock);
    if (refused.count == 0)
        return;
    d->refused_count += refused.count;
    spool_note_loss(d->spool, refused.count, refused.from_ms, refused.to_ms);
}

static void complain_of_storage(struct deliver *d, enum status status, const struct error *err)
{
    if (status == ST_STORAGE)
        fail(d, err);
    else
        complain(&d->storage, mono_ms(d), LOG_LEVEL_ERROR, "deliver",
            "%s; readings wait in memory, at most %d, and are refused beyond (%lld so far)", err->text,
            QUEUE_MAX, (long long)d->refused_count);
}

static void storage_is_good(struct deliver *d)
{
    if (d->refused_count > 0)
        complain(&d->storage, mono_ms(d), LOG_LEVEL_ERROR, "deliver",
            "%lld readings found no room in memory while the spool took none; the collector will record them "
            "as loss",
            (long long)d->refused_count);
    complaint_clear(&d->storage, mono_ms(d), "deliver",
        "the spool takes readings again; %lld were refused meanwhile", (long long)d->refused_count);
    d->refused_count = 0;
}

/* What the spool gave up, and whether it goes on doing so. */
static void tell_limits(struct deliver *d, const struct spool_state *state)
{
    int64_t now = mono_ms(d);
    long long readings = (long long)state->dropped_readings, batches = (long long)state->dropped_batches;
    if (state->is_disk_full)
        complain(&d->disk, now, LOG_LEVEL_ERROR, "deliver",
            "the disk under the spool is full: the reserve is given up, and the spool makes do with the room "
            "that it has");
    else
        complaint_clear(&d->disk, now, "deliver", "the disk under the spool has room again");
    if (readings + batches > d->told_dropped)
        complain(&d->dropping, now, LOG_LEVEL_ERROR, "deliver",
            "the spool is at its limit and nothing acknowledged is left to free: %lld readings and %lld "
            "batches "
            "given up since the start, gauges first; the collector will record them as loss",
            readings, batches);
    else if (!state->is_dropping)
        complaint_clear(&d->dropping, now, "deliver",
            "the spool has room again; %lld readings and %lld batches were given up", readings, batches);
    d->told_dropped = readings + batches;
}

/* What others may see, after whatever changed the spool; `committed` readings are no longer on the way. */
static void show(struct deliver *d, size_t committed)
{
    struct spool_state state;
    spool_state(d->spool, &state);
    window_cut(&d->window, state.last);
    window_forget(&d->window, state.mark, mono_ms(d));
    tell_limits(d, &state);
    pthread_mutex_lock(&d->lock);
    d->taken_left = d->taken_end - d->taken_at;
    d->shown.committed += (int64_t)committed;
    d->shown.uncut = state.uncut;
    d->shown.unacknowledged = state.last - state.mark;
    d->shown.is_connected = mqtt_state(d->mqtt) == MQTT_READY;
    pthread_cond_broadcast(&d->progress);
    pthread_mutex_unlock(&d->lock);
}

/* Nothing is cut without a session: only then is the broker's largest packet known, and a batch never changes
 * its size. */
static int64_t room(const struct deliver *d)
{
    return mqtt_state(d->mqtt) == MQTT_READY ? window_room(&d->window) : 0;
}

static void take_queue(struct deliver *d)
{
    pthread_mutex_lock(&d->lock);
    if (d->taken_at == d->taken_end) {
        struct spool_reading *emptied = d->taken;
        d->taken = d->queue;
        d->taken_at = 0;
        d->taken_end = d->taken_left = d->queued;
        d->queue = emptied;
        d->queued = 0;
    }
    d->commit_due_mono_ms = INT64_MAX;
    pthread_mutex_unlock(&d->lock);
}

static enum status commit_slice(struct deliver *d, struct error *err)
{
    struct spool_reading *readings = d->taken + d->taken_at;
    size_t count = spool_slice(d->spool, readings, d->taken_end - d->taken_at);
    enum status status = spool_commit(d->spool, readings, count, room(d), mqtt_payload_max(d->mqtt), err);
    if (status == ST_INVALID) /* it cannot be cut for this broker; it can be kept */
        status = spool_add(d->spool, readings, count, err);
    if (status != ST_OK)
        return status;
    for (size_t i = 0; i < count; i++)
        free(readings[i].text);
    d->taken_at += count;
    show(d, count);
    return ST_OK;
}

/* Takes what is in the queue to disk. What the spool does not take now stays in memory and is tried again. */
static void commit(struct deliver *d)
{
    take_queue(d);
    note_refused(d);
    struct error err;
    enum status status = ST_OK;
    while (status == ST_OK && d->taken_at < d->taken_end)
        status = commit_slice(d, &err);
    if (status == ST_OK) {
        storage_is_good(d);
    } else {
        complain_of_storage(d, status, &err);
        pthread_mutex_lock(&d->lock);
        d->commit_due_mono_ms = mono_ms(d) + d->options.settings->spool.commit_ms;
        pthread_mutex_unlock(&d->lock);
    }
}

/* Readings wait in the spool and the window has room: cut without new readings. Half a window at a time, so
 * that a backlog costs few transactions. */
static void cut_backlog(struct deliver *d)
{
    struct spool_state state;
    spool_state(d->spool, &state);
    size_t payload_max = mqtt_payload_max(d->mqtt);
    bool has_bytes =
        state.unacknowledged_bytes == 0 || state.unacknowledged_bytes + (int64_t)payload_max <= WINDOW_BYTES;
    if (state.uncut == 0 || !has_bytes || room(d) < WINDOW_BATCHES / 2)
        return;
    struct error err;
    enum status status = spool_cut(d->spool, room(d), payload_max, &err);
    if (status == ST_OK) {
        complaint_clear(&d->too_large, mono_ms(d), "deliver", "batches are cut again");
        show(d, 0);
    } else if (status == ST_INVALID) {
        complain(&d->too_large, mono_ms(d), LOG_LEVEL_ERROR, "deliver", "%s; nothing can be sent", err.text);
    } else {
        complain_of_storage(d, status, &err);
    }
}

static bool has_refusal_moved(struct deliver *d, bool is_moved)
{
    if (is_moved)
        log_info("deliver", "the collector needs batch %lld next; going back to it",
            (long long)d->window.mark + 1);
    return is_moved;
}

static void take_ack(struct deliver *d, const struct ack *ack, bool is_stored)
{
    int64_t seq, now = mono_ms(d);
    struct error err;
    enum status status = spool_resolve(d->spool, ack, &seq, &err);
    if (status == ST_STORAGE) {
        fail(d, &err);
        return;
    }
    if (status != ST_OK) {
        complain(&d->strange_ack, now, LOG_LEVEL_WARN, "deliver", "acknowledgement ignored: %s", err.text);
        return;
    }
    struct spool_state state;
    spool_state(d->spool, &state);
    /* A stored refusal answered a batch of an earlier connection; today's batches will get their own. */
    bool is_refusal = ack->is_refusal && !is_stored;
    bool is_moved = is_refusal ? has_refusal_moved(d, window_refuse(&d->window, seq, state.first, now))
                               : window_acknowledge(&d->window, seq, is_stored, now);
    if (is_moved)
        spool_set_mark(d->spool, d->window.mark);
    if (is_moved || !is_stored) {
        d->silent_since_mono_ms = now;
        complaint_clear(&d->silence, now, "deliver", "the collector acknowledges again");
        complaint_clear(&d->strange_ack, now, "deliver", "acknowledgements are for this spool again");
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
    for (size_t i = 0; i < count && !has_failed(d); i++)
        take_ack(d, &acks[i], retained[i]);
    struct spool_state state;
    spool_state(d->spool, &state);
    if (has_refusal_moved(d, window_tick(&d->window, state.first, mono_ms(d))))
        spool_set_mark(d->spool, d->window.mark);
    if (count > 0 || d->window.mark != state.mark)
        show(d, 0);
}

static enum status publish_batch(
    struct deliver *d, int64_t seq, struct buf *payload, bool *ret_fits, struct error *err)
{
    enum status status = spool_payload(d->spool, seq, payload, err);
    if (status != ST_OK)
        return status == ST_INVALID ? ST_STORAGE : status; /* a batch that is due is held */
    *ret_fits = window_fits(&d->window, seq, (int32_t)payload->len);
    if (!*ret_fits)
        return ST_OK;
    status = mqtt_publish(d->mqtt, d->up_topic, (struct span){payload->data, payload->len}, false, 0, err);
    if (status == ST_OK)
        window_published(&d->window, seq, (int32_t)payload->len, mono_ms(d));
    return status;
}

static void publish_batches(struct deliver *d, int64_t now)
{
    struct buf payload = {0};
    struct error err;
    int64_t seq;
    bool fits = true;
    enum status status = ST_OK;
    while (status == ST_OK && fits && (seq = window_next(&d->window, now)) != 0)
        status = publish_batch(d, seq, &payload, &fits, &err);
    buf_release(&payload);
    d->blocked_until_mono_ms = status == ST_OK ? 0 : now + BLOCKED_MS;
    if (status == ST_STORAGE)
        fail(d, &err);
    else if (status == ST_INVALID) /* the broker's limit is lower than when the batch was cut */
        complain(&d->too_large, now, LOG_LEVEL_ERROR, "deliver", "%s; nothing is sent until it takes more",
            err.text);
}

static void watch_silence(struct deliver *d, int64_t now)
{
    if (!window_is_out(&d->window) || mqtt_unconfirmed(d->mqtt) > 0)
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
        d->blocked_until_mono_ms = 0;
        window_restart(&d->window);
        announce_reset(&d->announce);
    }
    if (now >= d->blocked_until_mono_ms)
        publish_batches(d, now);
    watch_silence(d, now);
    struct spool_state state;
    spool_state(d->spool, &state);
    announce_online(&d->announce, d->mqtt, &state, now);
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* When the thread must run although nothing happened. */
static int64_t next_due(const struct deliver *d, int64_t mqtt_due_mono_ms)
{
    if (mqtt_state(d->mqtt) != MQTT_READY)
        return mqtt_due_mono_ms;
    int64_t window = d->blocked_until_mono_ms != 0 ? d->blocked_until_mono_ms : window_deadline(&d->window);
    return earlier(mqtt_due_mono_ms, earlier(window, announce_due(&d->announce)));
}

/* Under the lock: is it time to end? Without a session nothing gets acknowledged in the time that is left. */
static bool should_end(const struct deliver *d)
{
    bool has_session = mqtt_state(d->mqtt) == MQTT_READY;
    return d->has_failed ||
           (d->is_stopping && (!has_session || is_empty(d) || mono_ms(d) >= d->drain_until_mono_ms));
}

/* Waits until something happened or is due. False when it is time to end. */
static bool wait_for_work(struct deliver *d, int64_t due_mono_ms)
{
    pthread_mutex_lock(&d->lock);
    while (!d->has_event && d->ack_count == 0 && !should_end(d)) {
        int64_t until = earlier(due_mono_ms, d->commit_due_mono_ms);
        if (d->is_stopping)
            until = earlier(until, d->drain_until_mono_ms);
        if (mono_ms(d) >= until)
            break;
        d->clock->wait_until(&d->wake, &d->lock, until);
    }
    d->has_event = false;
    bool goes_on = !should_end(d) || (!d->has_failed && mono_ms(d) >= d->commit_due_mono_ms);
    pthread_mutex_unlock(&d->lock);
    return goes_on;
}

static bool is_commit_due(struct deliver *d)
{
    pthread_mutex_lock(&d->lock);
    bool is_due = mono_ms(d) >= d->commit_due_mono_ms;
    pthread_mutex_unlock(&d->lock);
    return is_due;
}

static void *run(void *argument)
{
    struct deliver *d = argument;
    int64_t mqtt_due_mono_ms;
    do {
        mqtt_due_mono_ms = mqtt_tick(d->mqtt, mono_ms(d));
        take_acks(d);
        if (!has_failed(d) && is_commit_due(d))
            commit(d);
        if (!has_failed(d))
            cut_backlog(d);
        if (!has_failed(d))
            talk(d);
    } while (wait_for_work(d, next_due(d, mqtt_due_mono_ms)));
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
        .clock = options->clock,
        .may_drop = !options->is_replay};
    struct spool *spool;
    enum status status = spool_open(&spool_options, &spool, err);
    if (status != ST_OK)
        return status;
    if (spool_warning(spool) != NULL)
        log_error("deliver", "%s", spool_warning(spool));
    struct deliver *d = mem_zalloc(sizeof *d);
    d->options = *options;
    d->clock = options->clock;
    d->spool = spool;
    d->queue = mem_alloc(QUEUE_MAX * sizeof *d->queue);
    d->taken = mem_alloc(QUEUE_MAX * sizeof *d->taken);
    d->last_ms = mem_zalloc(options->point_count * sizeof *d->last_ms);
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
        .retry_max_ms = (int)settings->broker.retry_max_ms,
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

/* What the spool did not take up to the end. A replay's readings are in its file yet. */
static enum status lose_waiting(struct deliver *d, struct error *err)
{
    struct lost lost = {0};
    for (size_t i = 0; i < d->queued; i++)
        lose(&lost, &d->queue[i]);
    for (size_t i = d->taken_at; i < d->taken_end; i++)
        lose(&lost, &d->taken[i]);
    bool is_said = false;
    if (!d->options.is_replay) {
        note_refused(d);
        spool_note_loss(d->spool, lost.count, lost.from_ms, lost.to_ms);
        is_said = spool_add(d->spool, NULL, 0, NULL) == ST_OK;
    }
    return error_set(err, ST_FULL, "%lld readings could not be committed to the spool%s",
        (long long)lost.count, is_said ? "; its next batch says so" : "");
}

enum status deliver_stop(struct deliver *d, int64_t drain_ms, struct error *err)
{
    pthread_mutex_lock(&d->lock);
    d->is_stopping = true;
    d->drain_until_mono_ms = mono_ms(d) + drain_ms;
    if (waiting(d) > 0)
        d->commit_due_mono_ms = 0;
    pthread_cond_signal(&d->wake);
    pthread_mutex_unlock(&d->lock);
    pthread_join(d->thread, NULL);
    if (d->has_failed)
        return error_set(err, ST_STORAGE, "%s", d->failure.text);
    if (waiting(d) > 0)
        return lose_waiting(d, err);
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
    for (size_t i = d->taken_at; i < d->taken_end; i++)
        free(d->taken[i].text);
    free(d->queue);
    free(d->taken);
    free(d->last_ms);
    pthread_cond_destroy(&d->wake);
    pthread_cond_destroy(&d->progress);
    pthread_mutex_destroy(&d->lock);
    free(d);
}
