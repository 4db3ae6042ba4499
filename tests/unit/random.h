/* Random numbers that can be had again: every test prints its seed, and PARKMON_SEED=<n> gives it. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdlib.h>

static inline uint64_t random_seed(uint64_t otherwise)
{
    const char *given = getenv("PARKMON_SEED");
    uint64_t seed = given != NULL ? strtoull(given, NULL, 10) : otherwise;
    print_message("PARKMON_SEED=%" PRIu64 "\n", seed);
    return seed;
}

/* For laws over histories: of the given seed, else of the seeds 1 to `count`. */
static inline void random_histories(void (*run)(uint64_t seed), uint64_t count)
{
    const char *given = getenv("PARKMON_SEED");
    uint64_t from = given != NULL ? strtoull(given, NULL, 10) : 1, to = given != NULL ? from : count;
    for (uint64_t seed = from; seed <= to; seed++) {
        print_message("PARKMON_SEED=%" PRIu64 "\n", seed);
        run(seed);
    }
}

/* xorshift64*, for a whole program: random_set_up is the set up of its group. */
static uint64_t random_state;

static inline int random_set_up(void **state)
{
    (void)state;
    random_state = random_seed(20261001) | 1;
    return 0;
}

static inline uint64_t random_uint64(void)
{
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return random_state * UINT64_C(2685821657736338717);
}

static inline size_t random_below(size_t limit)
{
    return (size_t)(random_uint64() % limit);
}
