#include "collector/access/tries.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

static struct in6_addr network_of(const struct in6_addr *address)
{
    struct in6_addr network = *address;
    if (!IN6_IS_ADDR_V4MAPPED(address))
        memset(&network.s6_addr[8], 0, 8);
    return network;
}

static const struct tries_address *find(const struct tries *t, const struct in6_addr *address)
{
    struct in6_addr network = network_of(address);
    for (size_t i = 0; i < TRIES_MAX; i++)
        if (t->addresses[i].failures > 0 && memcmp(&t->addresses[i].address, &network, sizeof network) == 0)
            return &t->addresses[i];
    return NULL;
}

static int64_t penalty_ms(int failures)
{
    if (failures < TRIES_FREE)
        return 0;
    int doubled = failures - TRIES_FREE;
    int64_t wait_ms = doubled < 20 ? INT64_C(1000) << doubled : TRIES_WAIT_MAX_MS;
    return wait_ms < TRIES_WAIT_MAX_MS ? wait_ms : TRIES_WAIT_MAX_MS;
}

static bool is_forgotten(const struct tries_address *a, int64_t now_mono_ms)
{
    return a->failures == 0 || now_mono_ms - a->failed_mono_ms >= TRIES_FORGET_MS;
}

int64_t tries_wait_ms(const struct tries *t, const struct in6_addr *address, int64_t now_mono_ms)
{
    const struct tries_address *a = find(t, address);
    if (a == NULL || is_forgotten(a, now_mono_ms))
        return 0;
    int64_t left_ms = a->failed_mono_ms + penalty_ms(a->failures) - now_mono_ms;
    return left_ms > 0 ? left_ms : 0;
}

/* Of its own, else a free one, else the one that failed longest ago. */
static struct tries_address *place_for(struct tries *t, const struct in6_addr *address)
{
    const struct tries_address *own = find(t, address);
    struct tries_address *place = &t->addresses[own != NULL ? own - t->addresses : 0];
    for (size_t i = 0; own == NULL && i < TRIES_MAX && place->failures > 0; i++)
        if (t->addresses[i].failures == 0 || t->addresses[i].failed_mono_ms < place->failed_mono_ms)
            place = &t->addresses[i];
    if (own == NULL)
        *place = (struct tries_address){.address = network_of(address)};
    return place;
}

void tries_fail(struct tries *t, const struct in6_addr *address, int64_t now_mono_ms)
{
    struct tries_address *a = place_for(t, address);
    if (is_forgotten(a, now_mono_ms))
        a->failures = 0;
    if (a->failures < 1000)
        a->failures++;
    a->failed_mono_ms = now_mono_ms;
}

void tries_succeed(struct tries *t, const struct in6_addr *address)
{
    const struct tries_address *a = find(t, address);
    if (a != NULL)
        t->addresses[a - t->addresses] = (struct tries_address){.failures = 0};
}
