#include "collector/calendars/calendar_fetcher.h"

#include "lib/mem.h"
#include "lib/thread.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

struct slot {
    int64_t due_mono_ms;
    bool is_running, is_proven; /* proven: a file, or a URL that answered last time */
    bool has_result;
    struct calendar_result result;
};

struct calendar_fetcher {
    struct calendar_fetcher_options options;
    pthread_t *threads;
    int running_threads;
    pthread_mutex_t lock;
    pthread_cond_t changed;

    /* Under the lock. */
    bool is_stopping;
    int live_threads;
    struct slot *slots;
    int unproven_running;
};

struct calendar_fetcher *calendar_fetcher_create(const struct calendar_fetcher_options *options)
{
    assert(options->threads >= 2);
    struct calendar_fetcher *f = mem_zalloc(sizeof *f);
    f->options = *options;
    f->threads = mem_zalloc((size_t)options->threads * sizeof *f->threads);
    f->slots = mem_zalloc((options->count + 1) * sizeof *f->slots);
    for (size_t i = 0; i < options->count; i++)
        f->slots[i].is_proven = calendar_source_is_file(options->sources[i]);
    pthread_mutex_init(&f->lock, NULL);
    thread_cond_init(&f->changed);
    return f;
}

/* ---- the threads ---- */

/* The one that is due and has waited longest, among those that this moment has a thread for; else when to look again. */
static bool pick(struct calendar_fetcher *f, size_t *ret, int64_t *ret_wake_mono_ms)
{
    bool has_room = f->unproven_running < f->options.threads - 1, is_found = false;
    int64_t now_mono_ms = f->options.clock->mono_ms(), first_ms = INT64_MAX;
    for (size_t i = 0; i < f->options.count; i++) {
        const struct slot *slot = &f->slots[i];
        if (slot->is_running || (!slot->is_proven && !has_room) || slot->due_mono_ms >= first_ms)
            continue;
        first_ms = slot->due_mono_ms;
        *ret = i;
        is_found = true;
    }
    *ret_wake_mono_ms = first_ms;
    return is_found && first_ms <= now_mono_ms;
}

/* Adds what an attempt came to. Under the lock; takes the reading. */
static void add_result(struct slot *slot, enum calendar_outcome outcome, const struct ical_reading *reading,
    int64_t now_ms, const struct error *err)
{
    struct calendar_result *r = &slot->result;
    slot->has_result = true;
    r->tried_ms = now_ms;
    r->problem[0] = '\0';
    switch (outcome) {
    case CALENDAR_READ:
        calendar_result_release(r);
        r->has_reading = true;
        r->reading = *reading;
        r->read_ms = now_ms;
        r->same_ms = 0;
        return;
    case CALENDAR_SAME:
        r->same_ms = now_ms;
        return;
    case CALENDAR_FAILED:
        snprintf(r->problem, sizeof r->problem, "%s", err->text);
        return;
    }
}

static void attempt(struct calendar_fetcher *f, size_t i)
{
    struct slot *slot = &f->slots[i];
    bool was_proven = slot->is_proven;
    int64_t begun_mono_ms = f->options.clock->mono_ms();
    slot->is_running = true;
    f->unproven_running += !was_proven;
    pthread_mutex_unlock(&f->lock);
    struct ical_reading reading;
    struct error err = {""};
    int64_t now_ms = f->options.clock->wall_ms();
    enum calendar_outcome outcome = calendar_source_try(f->options.sources[i], now_ms, &reading, &err);
    pthread_mutex_lock(&f->lock);
    add_result(slot, outcome, &reading, now_ms, &err);
    slot->is_running = false;
    f->unproven_running -= !was_proven;
    slot->is_proven = outcome != CALENDAR_FAILED || calendar_source_is_file(f->options.sources[i]);
    slot->due_mono_ms = begun_mono_ms + calendar_source_period_ms(f->options.sources[i]);
    int64_t ended_mono_ms = f->options.clock->mono_ms();
    if (slot->due_mono_ms <= ended_mono_ms) /* slower than its period: the others' turn comes first */
        slot->due_mono_ms = ended_mono_ms + calendar_source_period_ms(f->options.sources[i]);
    pthread_cond_broadcast(&f->changed);
}

static void *run(void *argument)
{
    struct calendar_fetcher *f = argument;
    pthread_mutex_lock(&f->lock);
    while (!f->is_stopping) {
        size_t i = 0;
        int64_t wake_mono_ms;
        if (!pick(f, &i, &wake_mono_ms)) {
            f->options.clock->wait_until(&f->changed, &f->lock, wake_mono_ms);
            continue;
        }
        attempt(f, i);
        pthread_mutex_unlock(&f->lock);
        f->options.on_result(f->options.user_data);
        pthread_mutex_lock(&f->lock);
    }
    f->live_threads--;
    pthread_mutex_unlock(&f->lock);
    return NULL;
}

void calendar_fetcher_start(struct calendar_fetcher *f)
{
    f->live_threads = f->options.threads;
    for (int i = 0; i < f->options.threads; i++)
        thread_start(&f->threads[i], run, f);
    f->running_threads = f->options.threads;
}

void calendar_fetcher_cancel(struct calendar_fetcher *f)
{
    pthread_mutex_lock(&f->lock);
    f->is_stopping = true;
    pthread_cond_broadcast(&f->changed);
    pthread_mutex_unlock(&f->lock);
    for (size_t i = 0; i < f->options.count; i++)
        calendar_source_cancel(f->options.sources[i]);
}

bool calendar_fetcher_is_over(struct calendar_fetcher *f)
{
    pthread_mutex_lock(&f->lock);
    bool is_over = f->is_stopping && f->live_threads == 0;
    pthread_mutex_unlock(&f->lock);
    return is_over;
}

void calendar_fetcher_stop(struct calendar_fetcher *f)
{
    calendar_fetcher_cancel(f);
    for (int i = 0; i < f->running_threads; i++)
        pthread_join(f->threads[i], NULL);
    f->running_threads = 0;
}

/* ---- results ---- */

bool calendar_fetcher_take(struct calendar_fetcher *f, struct calendar_result *ret)
{
    bool is_found = false;
    pthread_mutex_lock(&f->lock);
    for (size_t i = 0; i < f->options.count && !is_found; i++) {
        struct slot *slot = &f->slots[i];
        if (!slot->has_result)
            continue;
        *ret = slot->result;
        ret->source = i;
        slot->result = (struct calendar_result){0};
        slot->has_result = false;
        is_found = true;
    }
    pthread_mutex_unlock(&f->lock);
    return is_found;
}

void calendar_result_release(struct calendar_result *r)
{
    if (r->has_reading)
        ical_reading_release(&r->reading);
    r->has_reading = false;
}

void calendar_fetcher_destroy(struct calendar_fetcher *f)
{
    if (f == NULL)
        return;
    for (size_t i = 0; i < f->options.count; i++)
        calendar_result_release(&f->slots[i].result);
    pthread_cond_destroy(&f->changed);
    pthread_mutex_destroy(&f->lock);
    free(f->slots);
    free(f->threads);
    free(f);
}
