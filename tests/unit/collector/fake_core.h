/* The core thread's part in a test of the store: commits to a journal, takes results. */
#pragma once

#include "collector/store/store.h"
#include "lib/clock.h"
#include "lib/thread.h"
#include "tests/unit/collector/fake_journal.h"

#define DEADLINE_MS 20000

struct fake_core {
    struct fake_journal journal;
    struct park *park;
    struct store *store;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool has_result;
    struct store_result
        total; /* positions of the last result, sum of expired; rejects of the last that had some */
};

static inline void fake_core_open(struct fake_core *c)
{
    memset(c, 0, sizeof *c);
    pthread_mutex_init(&c->lock, NULL);
    thread_cond_init(&c->changed);
    fake_journal_open(&c->journal);
    c->park = fake_park(&c->journal);
}

static inline void fake_core_on_result(void *user_data)
{
    struct fake_core *c = user_data;
    pthread_mutex_lock(&c->lock);
    c->has_result = true;
    pthread_cond_signal(&c->changed);
    pthread_mutex_unlock(&c->lock);
}

static inline void fake_core_start(struct fake_core *c, struct store_options options, int port)
{
    char url[64];
    snprintf(url, sizeof url, "http://127.0.0.1:%d", port);
    options.database_path = c->journal.path;
    options.url = url;
    options.park = c->park;
    options.user_data = c;
    options.on_result = fake_core_on_result;
    c->store = store_create(&options);
    store_start(c->store);
}

static inline void fake_core_take(struct fake_core *c)
{
    struct store_result result;
    if (!store_take_result(c->store, &result))
        return;
    hour_list_release(&result.touched);
    free(result.counted.items);
    result.counted = (struct hour_count_list){0};
    result.expired += c->total.expired;
    if (result.reject_count == 0) {
        free(result.rejects);
        result.rejects = c->total.rejects;
        result.reject_count = c->total.reject_count;
    } else {
        store_result_release(&c->total);
    }
    c->total = result;
}

static inline void fake_core_wait(struct fake_core *c, int64_t raw, int64_t outbox)
{
    int64_t deadline = clock_system.mono_ms() + DEADLINE_MS;
    while (c->total.raw_position < raw || c->total.outbox_position < outbox) {
        pthread_mutex_lock(&c->lock);
        while (!c->has_result && clock_system.mono_ms() < deadline)
            thread_wait_until(&c->changed, &c->lock, deadline);
        bool has_result = c->has_result;
        c->has_result = false;
        pthread_mutex_unlock(&c->lock);
        if (!has_result)
            fail_msg("settled up to journal %lld, outbox %lld only", (long long)c->total.raw_position,
                (long long)c->total.outbox_position);
        fake_core_take(c);
    }
}

static inline struct store_status fake_core_status(struct fake_core *c)
{
    struct store_status status;
    store_status(c->store, &status);
    return status;
}

static inline void fake_core_close(struct fake_core *c)
{
    store_destroy(c->store);
    store_result_release(&c->total);
    park_destroy(c->park);
    fake_journal_close(&c->journal);
}
