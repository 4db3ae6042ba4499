/*
 * A limit on tries to sign in: who fails has to wait, ever longer: three tries are free, then a second, two, four, up
 * to five minutes; after an hour without a failure it is forgotten. An IPv6 network of 64 bits is one address, since
 * whoever has one has all of them. Of at most TRIES_MAX addresses; where there are more the one that failed longest ago
 * makes room. Pure: time is given. One thread.
 */
#pragma once

#include <netinet/in.h>
#include <stdint.h>

#define TRIES_MAX 512
#define TRIES_FREE 3
#define TRIES_WAIT_MAX_MS (5 * 60 * 1000)
#define TRIES_FORGET_MS (60 * 60 * 1000)

struct tries {
    struct tries_address {
        struct in6_addr address; /* of IPv4 the mapped one */
        int failures;            /* 0 = this place is free */
        int64_t failed_mono_ms;  /* the last time */
    } addresses[TRIES_MAX];
};

/* How long this address still has to wait: 0 = it may try. */
int64_t tries_wait_ms(const struct tries *t, const struct in6_addr *address, int64_t now_mono_ms);
void tries_fail(struct tries *t, const struct in6_addr *address, int64_t now_mono_ms);
void tries_succeed(struct tries *t, const struct in6_addr *address);
