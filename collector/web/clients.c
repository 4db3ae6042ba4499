#include "collector/web/clients.h"

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/thread.h"

#include <netinet/in.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define SWEEP_MS 500

struct client {
    struct client *next;
    int fd;
    struct in6_addr address; /* of IPv4 the mapped one */
    enum client_state state;
    int64_t since_mono_ms; /* of the state */
    bool is_ended;         /* shut down; the library has not noticed yet */
};

struct clients {
    struct clients_limits limits;
    pthread_t thread;
    pthread_mutex_t mutex; /* around all that follows */
    pthread_cond_t cond;
    bool is_stopping;
    struct client *all;
    struct complaint crowded;
};

static struct in6_addr address_of(const struct sockaddr *any)
{
    struct in6_addr address = {.s6_addr = {[10] = 0xff, [11] = 0xff}};
    if (any->sa_family == AF_INET6)
        return ((const struct sockaddr_in6 *)(const void *)any)->sin6_addr;
    if (any->sa_family == AF_INET)
        memcpy(&address.s6_addr[12], &((const struct sockaddr_in *)(const void *)any)->sin_addr, 4);
    return address;
}

/* Not closed: the descriptor is the library's. */
static void end(struct client *client)
{
    client->is_ended = true;
    shutdown(client->fd, SHUT_RDWR);
}

/* ---- in time ---- */

static int64_t deadline_of(const struct clients *c, const struct client *client)
{
    switch (client->state) {
    case CLIENT_ASKS:
        return client->since_mono_ms + c->limits.request_ms;
    case CLIENT_IS_ANSWERED:
        return client->since_mono_ms + c->limits.answer_ms;
    case CLIENT_STREAMS:
        break;
    }
    return INT64_MAX;
}

static void *run(void *argument)
{
    struct clients *c = argument;
    pthread_mutex_lock(&c->mutex);
    while (!c->is_stopping) {
        int64_t now = clock_system.mono_ms();
        for (struct client *client = c->all; client != NULL; client = client->next)
            if (!client->is_ended && now >= deadline_of(c, client))
                end(client);
        thread_wait_until(&c->cond, &c->mutex, c->all != NULL ? now + SWEEP_MS : INT64_MAX);
    }
    pthread_mutex_unlock(&c->mutex);
    return NULL;
}

/* ---- room ---- */

static bool is_crowded(const struct clients *c, const struct in6_addr *address)
{
    int count = 0;
    for (const struct client *i = c->all; i != NULL; i = i->next)
        count += !i->is_ended && (address == NULL || memcmp(&i->address, address, sizeof *address) == 0);
    return count >= (address == NULL ? c->limits.total : c->limits.per_address);
}

/* `address`: only of this one; NULL = of all. */
static void make_room(struct clients *c, const struct in6_addr *address)
{
    if (!is_crowded(c, address))
        return;
    struct client *longest = NULL;
    for (struct client *i = c->all; i != NULL; i = i->next) {
        bool may_end = !i->is_ended && i->state != CLIENT_STREAMS &&
                       (address == NULL || memcmp(&i->address, address, sizeof *address) == 0);
        if (may_end && (longest == NULL || i->since_mono_ms <= longest->since_mono_ms))
            longest = i;
    }
    if (longest != NULL)
        end(longest);
    complain(&c->crowded, clock_system.mono_ms(), LOG_LEVEL_WARN, "web",
        "as many connections as the listener holds%s: the one that waited longest was ended for the next",
        address != NULL ? " of one address" : "");
}

/* ---- the listener's side ---- */

struct clients *clients_create(const struct clients_limits *limits)
{
    struct clients *c = mem_zalloc(sizeof *c);
    c->limits = *limits;
    pthread_mutex_init(&c->mutex, NULL);
    thread_cond_init(&c->cond);
    thread_start(&c->thread, run, c);
    return c;
}

void clients_destroy(struct clients *c)
{
    if (c == NULL)
        return;
    pthread_mutex_lock(&c->mutex);
    c->is_stopping = true;
    pthread_cond_signal(&c->cond);
    pthread_mutex_unlock(&c->mutex);
    pthread_join(c->thread, NULL);
    pthread_cond_destroy(&c->cond);
    pthread_mutex_destroy(&c->mutex);
    free(c);
}

struct client *clients_add(struct clients *c, int fd, const struct sockaddr *address)
{
    struct client *client = mem_zalloc(sizeof *client);
    client->fd = fd;
    client->address = address_of(address);
    client->since_mono_ms = clock_system.mono_ms();
    pthread_mutex_lock(&c->mutex);
    make_room(c, &client->address);
    make_room(c, NULL);
    client->next = c->all;
    c->all = client;
    pthread_cond_signal(&c->cond);
    pthread_mutex_unlock(&c->mutex);
    return client;
}

void clients_set(struct clients *c, struct client *client, enum client_state state)
{
    pthread_mutex_lock(&c->mutex);
    client->state = state;
    client->since_mono_ms = clock_system.mono_ms();
    pthread_mutex_unlock(&c->mutex);
}

void clients_remove(struct clients *c, struct client *client)
{
    if (client == NULL)
        return;
    pthread_mutex_lock(&c->mutex);
    for (struct client **link = &c->all; *link != NULL; link = &(*link)->next)
        if (*link == client) {
            *link = client->next;
            break;
        }
    pthread_mutex_unlock(&c->mutex);
    free(client);
}
