#include "collector/store/store.h"

#include "collector/store/countback.h"
#include "collector/store/energy_body.h"
#include "collector/store/reject.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/thread.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BACK_OFF_FIRST_MS 500
#define CONFIGURATION_FIRST_MS 5000 /* a person is needed: seconds do not matter */
#define BACK_OFF_MAX_MS 60000
#define WAITING_MAX 20000 /* more rejects or hours do not wait for the core thread; posting waits instead */

struct store {
    struct influx *influx;
    const struct park *park;
    struct model_box *models;
    char *database_path;
    size_t body_lines;
    void *user_data;
    void (*on_result)(void *user_data);

    pthread_t thread;
    bool is_running;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    atomic_bool is_stopping;

    /* Under the lock. */
    bool is_awake; /* the core committed since the sources were last found empty */
    struct store_status status;
    struct reject_list rejects;
    struct hour_list touched;
    struct hour_count_list counted;
    int64_t raw_position, outbox_position, outbox_taken, expired;
    int64_t repost_id, repost_done_ms;
    bool has_lost_energy;
    bool has_result;

    /* The thread's own. */
    const struct model *model; /* whose the park is */
    struct db *db;
    struct body_reader *reader;
    struct energy_reader *energy;
    struct countback *countback;
    struct poster poster;
    struct body body;
    int64_t raw_read, outbox_read;
    struct repost reposted; /* whose next slice was posted; the core may have to record it yet */
    bool is_emptied;        /* the store, since: what it held must be counted again */
    int64_t delay_ms;       /* of the last pause, 0 after a success */
    unsigned jitter;
    struct complaint complaint, too_old;
};

/* ---- what others see ---- */

static void set_health(struct store *s, enum store_health health, const char *text)
{
    pthread_mutex_lock(&s->lock);
    if (s->status.health != health) {
        s->status.health = health;
        s->status.since_ms = clock_system.wall_ms();
    }
    snprintf(s->status.text, sizeof s->status.text, "%s", text);
    pthread_mutex_unlock(&s->lock);
}

static void succeeded(void *user_data)
{
    struct store *s = user_data;
    s->delay_ms = 0;
    if (influx_take_made(s->influx) && s->raw_read > 0) {
        s->is_emptied = true;
        log_error("store", "the database, or its policy \"raw\", was not there and is made anew: what it "
                           "held is gone; raw readings "
                           "are counted and posted again as far as the journal holds them, energy as far as "
                           "the books do, occupancy and hours of instruments as far as their tables do; what "
                           "else was derived is not");
    }
    complaint_clear(&s->complaint, clock_system.mono_ms(), "store", "writing again");
    set_health(s, STORE_OK, "");
}

/* Says what is wrong, then waits, longer each time; at least as long as the store asked for. False when
 * stopping. */
static bool pause_after(void *user_data, enum store_health health, int64_t asked_ms, const char *text)
{
    struct store *s = user_data;
    int64_t first_ms = health == STORE_CONFIGURATION ? CONFIGURATION_FIRST_MS : BACK_OFF_FIRST_MS;
    s->delay_ms = s->delay_ms ? 2 * s->delay_ms : first_ms;
    if (s->delay_ms > BACK_OFF_MAX_MS)
        s->delay_ms = BACK_OFF_MAX_MS;
    /* A quarter more or less, so that collectors which lost their store together do not come back together.
     */
    int64_t wait_ms = s->delay_ms * (75 + rand_r(&s->jitter) % 51) / 100;
    if (wait_ms < asked_ms)
        wait_ms = asked_ms;
    if (atomic_load(&s->is_stopping))
        return false;
    set_health(s, health, text);
    int64_t now_mono_ms = clock_system.mono_ms();
    complain(&s->complaint, now_mono_ms, health == STORE_CONFIGURATION ? LOG_LEVEL_ERROR : LOG_LEVEL_WARN,
        "store", "%s; nothing is lost, next try in %lld ms", text, (long long)wait_ms);
    pthread_mutex_lock(&s->lock);
    while (!atomic_load(&s->is_stopping) && clock_system.mono_ms() < now_mono_ms + wait_ms)
        thread_wait_until(&s->changed, &s->lock, now_mono_ms + wait_ms);
    pthread_mutex_unlock(&s->lock);
    return !atomic_load(&s->is_stopping);
}

static bool is_crowded(const struct store *s)
{
    return s->rejects.count > WAITING_MAX || s->touched.count > WAITING_MAX;
}

/* A result waits: wakes the core, and waits for it where too much does. */
static void tell_core(struct store *s)
{
    s->on_result(s->user_data);
    pthread_mutex_lock(&s->lock);
    while (is_crowded(s) && !atomic_load(&s->is_stopping))
        thread_wait_until(&s->changed, &s->lock, INT64_MAX);
    pthread_mutex_unlock(&s->lock);
}

/* Everything up to the body's end is settled: tells the core. */
static void publish(struct store *s, int64_t accepted, int64_t expired)
{
    countback_disturb(s->countback, &s->body.hours, clock_system.wall_ms());
    pthread_mutex_lock(&s->lock);
    s->status.accepted += accepted;
    s->status.expired += expired;
    s->status.rejected += (int64_t)s->body.rejects.count;
    s->status.raw_position = s->raw_position = s->raw_read;
    s->outbox_position = s->outbox_read;
    s->expired += expired;
    reject_list_move(&s->rejects, &s->body.rejects);
    hour_list_move(&s->touched, &s->body.hours);
    s->has_result = true;
    pthread_mutex_unlock(&s->lock);
    tell_core(s);
}

/* What the count-back found out. */
static void publish_counts(struct store *s)
{
    pthread_mutex_lock(&s->lock);
    countback_status(s->countback, &s->status);
    size_t before = s->counted.count + s->rejects.count + s->touched.count;
    countback_take(s->countback, &s->counted, &s->rejects, &s->touched);
    bool has_lost = countback_take_lost_energy(s->countback);
    s->has_lost_energy = s->has_lost_energy || has_lost;
    bool is_new = s->counted.count + s->rejects.count + s->touched.count > before || has_lost;
    s->has_result = s->has_result || is_new;
    pthread_mutex_unlock(&s->lock);
    if (is_new)
        tell_core(s);
}

struct store *store_create(const struct store_options *options)
{
    struct store *s = mem_zalloc(sizeof *s);
    s->influx = influx_create(&(struct influx_options){
        .url = options->url,
        .database = options->database,
        .user = options->user,
        .password = options->password,
        .raw_retention_days = options->raw_retention_days,
        .timeout_ms = options->timeout_ms,
    });
    s->park = options->park;
    s->models = options->models;
    s->database_path = mem_strdup(options->database_path);
    s->body_lines = options->body_lines > 0 ? (size_t)options->body_lines : 1;
    s->poster = (struct poster){.influx = s->influx,
        .lines = s->body_lines,
        .user_data = s,
        .pause = pause_after,
        .succeeded = succeeded};
    s->user_data = options->user_data;
    s->on_result = options->on_result;
    s->status = (struct store_status){.health = STORE_STARTING, .since_ms = clock_system.wall_ms()};
    s->jitter = (unsigned)clock_system.wall_ms();
    pthread_mutex_init(&s->lock, NULL);
    thread_cond_init(&s->changed);
    return s;
}

/* ---- posting ---- */

/* The store refuses what is older than the policy keeps: an import of old readings would end there unseen. */
static void tell_too_old(struct store *s, int64_t expired)
{
    int64_t now_mono_ms = clock_system.mono_ms();
    if (expired > 0)
        complain(&s->too_old, now_mono_ms, LOG_LEVEL_WARN, "store",
            "%lld readings (%lld since start) are older than the %lld days that the store keeps such, and "
            "are not kept; "
            "to keep them, raise store.raw_retention before they are sent",
            (long long)expired, (long long)(s->status.expired + expired),
            (long long)influx_raw_kept_days(s->influx));
    else
        complaint_clear(&s->too_old, now_mono_ms, "store", "readings are within raw_retention again");
}

/* Brings the body to its end and tells the core. False when stopping. */
static bool settle(struct store *s, const char *policy, int64_t *position)
{
    struct tally tally = {0};
    if (!poster_clear(&s->poster, &s->body) || !poster_deliver(&s->poster, policy, &s->body, &tally))
        return false;
    if (position == &s->raw_read && s->body.count > 0)
        tell_too_old(s, tally.expired);
    *position = s->body.position;
    publish(s, tally.accepted, tally.expired);
    return true;
}

/* ---- the thread ---- */

static enum status open_sources(struct store *s, struct error *err)
{
    if (s->reader)
        return ST_OK;
    enum status status = s->db ? ST_OK : db_open_reader(s->database_path, &s->db, err);
    if (status != ST_OK)
        return status;
    if (s->energy == NULL) {
        s->energy = energy_reader_create(s->db);
        energy_reader_use(s->energy, s->park, s->model != NULL ? &s->model->rates : NULL);
    }
    struct body_reader *reader = body_reader_create(s->db, s->park);
    status = body_read_cursor(reader, &s->raw_read, err);
    if (status != ST_OK) {
        body_reader_destroy(reader);
        return status;
    }
    s->reader = reader;
    s->countback = countback_create(&(struct countback_options){.db = s->db,
        .reader = reader,
        .energy = s->energy,
        .poster = &s->poster,
        .slice_lines = s->body_lines,
        .database_path = s->database_path});
    pthread_mutex_lock(&s->lock);
    s->status.raw_position = s->raw_position = s->raw_read;
    pthread_mutex_unlock(&s->lock);
    return ST_OK;
}

/* Tags are those of the model in use when a body is begun. */
static void follow_model(struct store *s)
{
    if (s->models == NULL || !model_box_follow(s->models, &s->model))
        return;
    s->park = s->model->park;
    if (s->reader != NULL)
        body_reader_use(s->reader, s->park);
    if (s->energy != NULL)
        energy_reader_use(s->energy, s->park, &s->model->rates);
}

/* How long the oldest batch has waited, told even while the store is away. */
static enum status note_waiting(struct store *s, struct error *err)
{
    struct db_stmt *oldest =
        db_keep(s->db, "SELECT received_ms FROM journal WHERE id > ? ORDER BY id LIMIT 1");
    db_bind_int(oldest, 1, s->raw_read);
    bool has_row;
    enum status status = db_step(oldest, &has_row, err);
    if (status != ST_OK)
        return status;
    pthread_mutex_lock(&s->lock);
    s->status.waiting_since_ms = has_row ? db_int(oldest, 0) : 0;
    pthread_mutex_unlock(&s->lock);
    db_reset(oldest);
    return ST_OK;
}

/* A slice of what is posted again (collector/store/repost.h). The model is looked up after the span: then it is the one
 * for which that was noted, or a later one. */
static enum status repost(struct store *s, const struct repost *due, bool *ret_is_idle, struct error *err)
{
    int64_t done_ms;
    struct tally tally = {0};
    if (due->id == s->reposted.id && due->from_ms == s->reposted.from_ms)
        return ST_OK; /* the core has yet to record that; it wakes us */
    follow_model(s);
    *ret_is_idle = false;
    enum status status = energy_body_span(s->energy, due, s->body_lines, &s->body, &done_ms, err);
    if (status != ST_OK || !poster_clear(&s->poster, &s->body) ||
        !poster_deliver(&s->poster, NULL, &s->body, &tally))
        return status;
    s->reposted = *due;
    pthread_mutex_lock(&s->lock);
    s->repost_id = due->id;
    s->repost_done_ms = done_ms;
    pthread_mutex_unlock(&s->lock);
    publish(s, tally.accepted, tally.expired);
    return ST_OK;
}

/* One body of each source. *ret_is_idle: there was nothing to read. */
static enum status turn(struct store *s, bool *ret_is_idle, struct error *err)
{
    struct repost due;
    *ret_is_idle = true;
    /* Before the outbox: only what is there then must be posted before. */
    enum status status = repost_next(s->db, &due, err);
    if (status == ST_OK)
        status = body_read_journal(s->reader, s->raw_read, s->body_lines, &s->body, err);
    if (status != ST_OK)
        return status;
    if (s->body.position > s->raw_read) {
        *ret_is_idle = false;
        if (!settle(s, INFLUX_RAW_POLICY, &s->raw_read))
            return ST_OK;
    }
    status = body_read_outbox(s->reader, s->outbox_read, s->body_lines, &s->body, err);
    if (status != ST_OK)
        return status;
    if (s->body.position > s->outbox_read) {
        *ret_is_idle = false;
        settle(s, NULL, &s->outbox_read);
        return ST_OK;
    }
    return due.id != 0 ? repost(s, &due, ret_is_idle, err) : ST_OK;
}

/* A commit that comes while the sources are read must not be slept over: the flag is taken before they are
 * read. */
static void take_wake(struct store *s)
{
    pthread_mutex_lock(&s->lock);
    s->is_awake = false;
    pthread_mutex_unlock(&s->lock);
}

static void wait_for_wake(struct store *s)
{
    int64_t until = countback_due_mono_ms(s->countback);
    pthread_mutex_lock(&s->lock);
    while (!s->is_awake && !atomic_load(&s->is_stopping) && clock_system.mono_ms() < until)
        thread_wait_until(&s->changed, &s->lock, until);
    pthread_mutex_unlock(&s->lock);
}

static enum status recount(struct store *s, struct error *err)
{
    enum status status = countback_recount(s->countback, clock_system.wall_ms(), err);
    s->is_emptied = status != ST_OK;
    publish_counts(s);
    return status;
}

/* Nothing waits to be posted: one slice of the count-back, or rest. */
static enum status idle(struct store *s, struct error *err)
{
    bool has_worked;
    enum status status = countback_step(s->countback, s->raw_read, clock_system.wall_ms(), &has_worked, err);
    publish_counts(s);
    if (status == ST_OK && !has_worked)
        wait_for_wake(s);
    return status;
}

static void *run(void *argument)
{
    struct store *s = argument;
    bool was_prepared = false;
    while (!atomic_load(&s->is_stopping)) {
        struct error err;
        bool is_idle = false;
        take_wake(s);
        follow_model(s);
        /* What waits is known before the store is asked: it may be away for long. */
        enum status status = open_sources(s, &err);
        if (status == ST_OK)
            status = note_waiting(s, &err);
        if (status == ST_OK && !was_prepared) {
            was_prepared = poster_prepare(&s->poster);
            if (!was_prepared)
                break;
            succeeded(s);
        }
        if (status == ST_OK)
            status = turn(s, &is_idle, &err);
        if (status == ST_OK && s->is_emptied)
            status = recount(s, &err);
        if (status == ST_OK && is_idle)
            status = idle(s, &err);
        if (status != ST_OK)
            pause_after(s, STORE_UNAVAILABLE, 0, err.text);
    }
    return NULL;
}

void store_start(struct store *s)
{
    s->is_running = true;
    thread_start(&s->thread, run, s);
}

void store_wake(struct store *s)
{
    pthread_mutex_lock(&s->lock);
    s->is_awake = true;
    pthread_cond_signal(&s->changed);
    pthread_mutex_unlock(&s->lock);
}

bool store_take_result(struct store *s, struct store_result *ret)
{
    pthread_mutex_lock(&s->lock);
    bool has_result = s->has_result;
    if (has_result) {
        *ret = (struct store_result){.raw_position = s->raw_position,
            .outbox_from = s->outbox_taken,
            .outbox_position = s->outbox_position,
            .repost_id = s->repost_id,
            .repost_done_ms = s->repost_done_ms,
            .has_lost_energy = s->has_lost_energy,
            .expired = s->expired,
            .rejects = s->rejects.items,
            .reject_count = s->rejects.count,
            .touched = s->touched,
            .counted = s->counted};
        s->outbox_taken = s->outbox_position;
        s->repost_id = 0;
        s->has_lost_energy = false;
        s->rejects = (struct reject_list){0};
        s->touched = (struct hour_list){0};
        s->counted = (struct hour_count_list){0};
        s->expired = 0;
        s->has_result = false;
        pthread_cond_signal(&s->changed);
    }
    pthread_mutex_unlock(&s->lock);
    return has_result;
}

void store_result_release(struct store_result *r)
{
    reject_list_release(&(struct reject_list){r->rejects, r->reject_count, r->reject_count});
    hour_list_release(&r->touched);
    free(r->counted.items);
    *r = (struct store_result){0};
}

void store_status(struct store *s, struct store_status *ret)
{
    pthread_mutex_lock(&s->lock);
    *ret = s->status;
    pthread_mutex_unlock(&s->lock);
}

void store_stop(struct store *s)
{
    if (!s->is_running)
        return;
    atomic_store(&s->is_stopping, true);
    influx_cancel(s->influx);
    pthread_mutex_lock(&s->lock);
    pthread_cond_signal(&s->changed);
    pthread_mutex_unlock(&s->lock);
    pthread_join(s->thread, NULL);
    s->is_running = false;
}

void store_destroy(struct store *s)
{
    if (!s)
        return;
    store_stop(s);
    countback_destroy(s->countback);
    body_reader_destroy(s->reader);
    energy_reader_destroy(s->energy);
    db_close(s->db);
    body_release(&s->body);
    reject_list_release(&s->rejects);
    hour_list_release(&s->touched);
    free(s->counted.items);
    influx_destroy(s->influx);
    model_put(s->model);
    free(s->database_path);
    pthread_cond_destroy(&s->changed);
    pthread_mutex_destroy(&s->lock);
    free(s);
}
