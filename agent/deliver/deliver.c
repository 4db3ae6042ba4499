#include "agent/deliver/deliver.h"

#include "agent/deliver/queue.h"
#include "agent/deliver/sender.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/thread.h"

#include <stdlib.h>
#include <string.h>

#define COMMIT_AT 4096         /* this many readings do not wait for the commit interval */
#define REPLAY_UNCUT_MAX 65536 /* a replay waits when so many are not yet cut */
#define ACKS_MAX 64

struct deliver {
    struct deliver_options options;
    const struct clock *clock;
    struct spool *spool;
    pthread_t thread;

    /* Shared, under `lock`. */
    pthread_mutex_t lock;
    pthread_cond_t wake;     /* for the thread */
    pthread_cond_t progress; /* for those who wait for it */
    struct queue queue;
    int64_t commit_due_mono_ms; /* INT64_MAX while nothing waits to be committed */
    struct ack acks[ACKS_MAX];
    bool ack_retained[ACKS_MAX];
    size_t ack_count;
    bool has_event;
    bool is_stopping;
    int64_t drain_until_mono_ms;
    bool has_failed;
    struct error failure;
    struct deliver_progress shown;
    int64_t put_count; /* readings, since start: they are committed in this order */

    struct complaint no_ack; /* of the MQTT client's thread */

    /* The thread's own. */
    struct sender sender;
    int64_t refused_count; /* since the spool took readings last */
    int64_t told_dropped;  /* readings and batches that were given up, as told */
    struct complaint storage, dropping, disk;
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
    if (!span_is(message->topic, d->sender.ack_topic))
        return;
    struct error err;
    if (ack_parse(message->payload, &ack, &err) != ST_OK) {
        complain(&d->no_ack, mono_ms(d), LOG_LEVEL_WARN, "deliver",
            "%s: %s; ignored: look for who else may publish there", d->sender.ack_topic, err.text);
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

static bool is_empty(const struct deliver *d)
{
    return queue_waiting(&d->queue) == 0 && d->shown.uncut == 0 && d->shown.unacknowledged == 0;
}

static bool put_locked(struct deliver *d, const struct spool_reading *reading, bool is_urgent)
{
    if (d->has_failed || !queue_put(&d->queue, reading))
        return false;
    d->put_count++;
    bool is_due = is_urgent || d->queue.fresh_count >= COMMIT_AT;
    int64_t due = mono_ms(d) + (is_due ? 0 : d->options.settings->spool.commit_ms);
    if (due < d->commit_due_mono_ms) {
        d->commit_due_mono_ms = due;
        pthread_cond_signal(&d->wake);
    }
    return true;
}

bool deliver_put(struct deliver *d, const struct spool_reading *reading, bool is_urgent)
{
    pthread_mutex_lock(&d->lock);
    bool is_taken = put_locked(d, reading, is_urgent);
    pthread_mutex_unlock(&d->lock);
    return is_taken;
}

int64_t deliver_put_numbered(struct deliver *d, const struct spool_reading *reading)
{
    pthread_mutex_lock(&d->lock);
    int64_t number = put_locked(d, reading, true) ? d->put_count : 0;
    pthread_mutex_unlock(&d->lock);
    return number;
}

bool deliver_wait_committed(struct deliver *d, int64_t number, int64_t deadline_mono_ms)
{
    pthread_mutex_lock(&d->lock);
    while (d->shown.committed < number && !d->has_failed && mono_ms(d) < deadline_mono_ms)
        d->clock->wait_until(&d->progress, &d->lock, deadline_mono_ms);
    bool is_good = d->shown.committed >= number;
    pthread_mutex_unlock(&d->lock);
    return is_good;
}

enum status deliver_notes(struct deliver *d, const char *prefix, void *user_data,
    void (*on_note)(void *user_data, struct span key, struct span note), struct error *err)
{
    return spool_notes(d->spool, prefix, user_data, on_note, err);
}

static bool has_patient_room(const struct deliver *d)
{
    return queue_waiting(&d->queue) < COMMIT_AT && d->shown.uncut < REPLAY_UNCUT_MAX;
}

bool deliver_put_patiently(struct deliver *d, const struct spool_reading *reading, int64_t deadline_mono_ms)
{
    pthread_mutex_lock(&d->lock);
    while (!d->has_failed && !has_patient_room(d) && mono_ms(d) < deadline_mono_ms)
        d->clock->wait_until(&d->progress, &d->lock, deadline_mono_ms);
    bool is_good = has_patient_room(d) && put_locked(d, reading, false);
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
    ret->waiting = (int64_t)queue_waiting(&d->queue);
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
    struct queue_loss refused = queue_refused(&d->queue);
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
    sender_refresh(&d->sender, &state);
    tell_limits(d, &state);
    pthread_mutex_lock(&d->lock);
    queue_settle(&d->queue);
    d->shown.committed += (int64_t)committed;
    d->shown.uncut = state.uncut;
    d->shown.unacknowledged = state.last - state.mark;
    d->shown.is_connected = sender_is_ready(&d->sender);
    pthread_cond_broadcast(&d->progress);
    pthread_mutex_unlock(&d->lock);
}

static enum status commit_slice(
    struct deliver *d, const struct spool_reading *readings, size_t count, struct error *err)
{
    enum status status =
        spool_commit(d->spool, readings, count, sender_room(&d->sender), sender_payload_max(&d->sender), err);
    if (status == ST_INVALID) /* it cannot be cut for this broker; it can be kept */
        status = spool_add(d->spool, readings, count, err);
    if (status != ST_OK)
        return status;
    queue_committed(&d->queue, count);
    show(d, count);
    return ST_OK;
}

/* Takes what is in the queue to disk. What the spool does not take now stays in memory and is tried again. */
static void commit(struct deliver *d)
{
    struct error err;
    struct spool_reading *readings;
    size_t count;
    enum status status = ST_OK;
    pthread_mutex_lock(&d->lock);
    queue_take(&d->queue);
    d->commit_due_mono_ms = INT64_MAX;
    pthread_mutex_unlock(&d->lock);
    note_refused(d);
    while (status == ST_OK && (count = queue_taken(&d->queue, &readings)) > 0)
        status = commit_slice(d, readings, spool_slice(d->spool, readings, count), &err);
    if (status == ST_OK) {
        storage_is_good(d);
    } else {
        complain_of_storage(d, status, &err);
        pthread_mutex_lock(&d->lock);
        d->commit_due_mono_ms = mono_ms(d) + d->options.settings->spool.commit_ms;
        pthread_mutex_unlock(&d->lock);
    }
}

/* Readings wait in the spool and the window has room: cut without new ones. */
static void cut_backlog(struct deliver *d)
{
    struct error err;
    bool is_cut;
    enum status status = sender_cut_backlog(&d->sender, &is_cut, &err);
    if (status != ST_OK)
        complain_of_storage(d, status, &err);
    else if (is_cut)
        show(d, 0);
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
    struct error err;
    for (size_t i = 0; i < count && !has_failed(d); i++)
        if (sender_take_ack(&d->sender, &acks[i], retained[i], &err) != ST_OK)
            fail(d, &err);
    bool is_moved = sender_tick(&d->sender);
    if (count > 0 || is_moved)
        show(d, 0);
}

static void publish(struct deliver *d)
{
    struct error err;
    if (sender_publish(&d->sender, &err) != ST_OK)
        fail(d, &err);
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Under the lock: is it time to end? Without a session nothing gets acknowledged in the time that is left. */
static bool should_end(const struct deliver *d)
{
    bool has_session = sender_is_ready(&d->sender);
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
    int64_t connect_due_mono_ms;
    do {
        connect_due_mono_ms = sender_connect(&d->sender);
        take_acks(d);
        if (!has_failed(d) && is_commit_due(d))
            commit(d);
        if (!has_failed(d))
            cut_backlog(d);
        if (!has_failed(d))
            publish(d);
    } while (wait_for_work(d, earlier(connect_due_mono_ms, sender_due(&d->sender))));
    sender_say_goodbye(&d->sender);
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
    int64_t undatable = spool_undatable(spool);
    if (undatable > 0)
        log_warn("deliver",
            "%lld readings in the spool were taken while the clock was wrong, before this machine was "
            "started: they "
            "keep the times they were given, and are marked quality=\"clock\"",
            (long long)undatable);
    struct deliver *d = mem_zalloc(sizeof *d);
    d->options = *options;
    d->clock = options->clock;
    d->spool = spool;
    queue_init(&d->queue, options->point_count, options->is_replay);
    d->commit_due_mono_ms = INT64_MAX;
    pthread_mutex_init(&d->lock, NULL);
    thread_cond_init(&d->wake);
    thread_cond_init(&d->progress);
    struct spool_state state;
    spool_state(spool, &state);
    d->shown.uncut = state.uncut;
    d->shown.unacknowledged = state.last - state.mark;
    sender_init(&d->sender, options, spool, d, on_message, on_event);
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
    struct queue_loss lost = queue_rest(&d->queue);
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
    if (queue_waiting(&d->queue) > 0)
        d->commit_due_mono_ms = 0;
    pthread_cond_signal(&d->wake);
    pthread_mutex_unlock(&d->lock);
    pthread_join(d->thread, NULL);
    if (d->has_failed)
        return error_set(err, ST_STORAGE, "%s", d->failure.text);
    if (queue_waiting(&d->queue) > 0)
        return lose_waiting(d, err);
    return ST_OK;
}

void deliver_destroy(struct deliver *d)
{
    if (d == NULL)
        return;
    sender_release(&d->sender);
    spool_close(d->spool);
    queue_release(&d->queue);
    pthread_cond_destroy(&d->wake);
    pthread_cond_destroy(&d->progress);
    pthread_mutex_destroy(&d->lock);
    free(d);
}
