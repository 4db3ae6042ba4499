#include "collector/intake/inbox.h"

#include "lib/clock.h"
#include "lib/mem.h"
#include "lib/thread.h"

#include <stdlib.h>
#include <string.h>

/* The memory that a message costs us beside its payload. */
#define OVERHEAD sizeof(struct inbox_message)

struct quota {
    char gateway[ID_MAX + 1];
    size_t bytes;
    int64_t discarded; /* not told yet */
};

struct inbox {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct inbox_message *first, **last;
    size_t bytes;
    int64_t discarded;
    bool is_woken, is_closed;
    struct quota *quotas; /* of gateways that have a message here, or of which something was discarded */
    size_t quota_count, quota_capacity;
};

struct inbox *inbox_create(void)
{
    struct inbox *b = mem_zalloc(sizeof *b);
    pthread_mutex_init(&b->lock, NULL);
    thread_cond_init(&b->wake);
    b->last = &b->first;
    return b;
}

void inbox_destroy(struct inbox *b)
{
    if (b == NULL)
        return;
    for (struct inbox_message *m; (m = inbox_take(b)) != NULL;)
        free(m);
    free(b->quotas);
    pthread_cond_destroy(&b->wake);
    pthread_mutex_destroy(&b->lock);
    free(b);
}

static bool parse_topic(struct span topic, char gateway[static ID_MAX + 1], enum inbox_topic *ret)
{
    static const char prefix[] = "park/v1/gw/";
    size_t skip = sizeof prefix - 1;
    if (topic.len <= skip || memcmp(topic.at, prefix, skip) != 0)
        return false;
    const char *id = topic.at + skip, *slash = memchr(id, '/', topic.len - skip);
    if (slash == NULL || slash - id > ID_MAX)
        return false;
    memcpy(gateway, id, (size_t)(slash - id));
    gateway[slash - id] = '\0';
    struct span leaf = {slash + 1, topic.len - (size_t)(slash + 1 - topic.at)};
    *ret = span_is(leaf, "up") ? INBOX_UP : INBOX_STATE;
    return id_is_valid(gateway) && (span_is(leaf, "up") || span_is(leaf, "state"));
}

static struct quota *quota_of(struct inbox *b, const char *gateway)
{
    for (size_t i = 0; i < b->quota_count; i++)
        if (strcmp(b->quotas[i].gateway, gateway) == 0)
            return &b->quotas[i];
    MEM_GROW(b->quotas, b->quota_count, b->quota_capacity);
    struct quota *q = &b->quotas[b->quota_count++];
    *q = (struct quota){0};
    strcpy(q->gateway, gateway);
    return q;
}

static void drop_empty_quota(struct inbox *b, struct quota *quota)
{
    if (quota->bytes == 0 && quota->discarded == 0)
        *quota = b->quotas[--b->quota_count];
}

static bool has_room(const struct inbox *b, const struct quota *quota, size_t cost)
{
    if (cost > INBOX_BYTES_MAX - b->bytes)
        return false;
    size_t rest = INBOX_BYTES_MAX - b->bytes - cost, sum = quota->bytes + cost;
    return sum <= INBOX_GATEWAY_BYTES_MAX && sum <= rest;
}

void inbox_put(struct inbox *b, const struct mqtt_message *message, int64_t now_ms)
{
    char gateway[ID_MAX + 1];
    enum inbox_topic topic;
    if (!parse_topic(message->topic, gateway, &topic))
        return;
    size_t cost = message->payload.len + OVERHEAD;
    pthread_mutex_lock(&b->lock);
    struct quota *quota = quota_of(b, gateway);
    if (!has_room(b, quota, cost)) {
        b->discarded += (int64_t)message->payload.len;
        if (quota->bytes > 0) /* else there may be any number of them, and the others are at fault */
            quota->discarded += (int64_t)message->payload.len;
        drop_empty_quota(b, quota);
    } else {
        struct inbox_message *m = mem_alloc(sizeof *m + message->payload.len + 1);
        *m = (struct inbox_message){.topic = topic,
            .is_retained = message->is_retained,
            .received_ms = now_ms,
            .len = message->payload.len};
        strcpy(m->gateway, gateway);
        memcpy(m->payload, message->payload.at, m->len);
        m->payload[m->len] = '\0';
        *b->last = m;
        b->last = &m->next;
        b->bytes += cost;
        quota->bytes += cost;
        pthread_cond_signal(&b->wake);
    }
    pthread_mutex_unlock(&b->lock);
}

void inbox_wake(struct inbox *b)
{
    pthread_mutex_lock(&b->lock);
    b->is_woken = true;
    pthread_cond_signal(&b->wake);
    pthread_mutex_unlock(&b->lock);
}

void inbox_close(struct inbox *b)
{
    pthread_mutex_lock(&b->lock);
    b->is_closed = true;
    pthread_cond_signal(&b->wake);
    pthread_mutex_unlock(&b->lock);
}

void inbox_wait(struct inbox *b, int64_t deadline_mono_ms)
{
    pthread_mutex_lock(&b->lock);
    if (b->first == NULL && !b->is_woken && !b->is_closed)
        thread_wait_until(&b->wake, &b->lock, deadline_mono_ms);
    b->is_woken = false;
    pthread_mutex_unlock(&b->lock);
}

void inbox_pause(struct inbox *b, int64_t deadline_mono_ms, size_t bytes)
{
    pthread_mutex_lock(&b->lock);
    while (!b->is_closed && b->bytes < bytes && clock_system.mono_ms() < deadline_mono_ms)
        thread_wait_until(&b->wake, &b->lock, deadline_mono_ms);
    pthread_mutex_unlock(&b->lock);
}

struct inbox_message *inbox_take(struct inbox *b)
{
    pthread_mutex_lock(&b->lock);
    struct inbox_message *m = b->first;
    if (m != NULL) {
        b->first = m->next;
        if (b->first == NULL)
            b->last = &b->first;
        b->bytes -= m->len + OVERHEAD;
        struct quota *quota = quota_of(b, m->gateway);
        quota->bytes -= m->len + OVERHEAD;
        drop_empty_quota(b, quota);
    }
    pthread_mutex_unlock(&b->lock);
    return m;
}

bool inbox_take_discarded(struct inbox *b, char ret_gateway[static ID_MAX + 1], int64_t *ret_bytes)
{
    pthread_mutex_lock(&b->lock);
    size_t i = 0;
    while (i < b->quota_count && b->quotas[i].discarded == 0)
        i++;
    bool is_found = i < b->quota_count;
    if (is_found) {
        strcpy(ret_gateway, b->quotas[i].gateway);
        *ret_bytes = b->quotas[i].discarded;
        b->quotas[i].discarded = 0;
        drop_empty_quota(b, &b->quotas[i]);
    }
    pthread_mutex_unlock(&b->lock);
    return is_found;
}

int64_t inbox_discarded_bytes(struct inbox *b)
{
    pthread_mutex_lock(&b->lock);
    int64_t discarded = b->discarded;
    pthread_mutex_unlock(&b->lock);
    return discarded;
}
