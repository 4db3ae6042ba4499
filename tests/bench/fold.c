/*
 * How many readings one core folds into U at quarter hours: 1 000 meters in turns, read every 10 s, with a rollover,
 * outliers and repeats in each. `bench_fold READINGS ROUNDS` prints one JSON object; each round says the processor
 * time that it took. The sum of all quarter hours is held against what the meters used: another sum is exit 1.
 */
#include "collector/ledger/quarters.h"
#include "collector/ledger/unwrap.h"
#include "lib/mem.h"
#include "lib/number.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define METERS 1000
#define EVERY_MS INT64_C(10000)
#define BEGIN_MS INT64_C(1764547200000)
#define MODULUS INT64_C(10000000)
#define FIRST_COUNT INT64_C(9000000) /* wraps after 9 000 readings */
#define STEP INT64_C(111)            /* 40 kW in 10 s, in Wh */

struct meter {
    struct unwrap unwrap;
    struct boundary last;
    struct quarters_sum sum;
};

static void take_boundary(void *context, const struct boundary *boundary)
{
    struct meter *m = context;
    if (m->last.time_ms != 0) {
        struct quarter quarter = quarter_between(&m->last, boundary);
        quarters_add(&m->sum, &quarter);
    }
    m->last = *boundary;
}

static void take_event(void *context, const struct event *event)
{
    boundary_follow(event, 20 * INT64_C(60000), take_boundary, context);
}

/* Every 1 000th reads 0; of two that follow each other one repeats. */
static int64_t count_at(int64_t i)
{
    return i % 1000 == 999 ? 0 : (FIRST_COUNT + i / 2 * 2 * STEP) % MODULUS;
}

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* The reading number i, and those before it that are asked for again. */
static void push(struct meter *m, const struct segments *segments, int64_t i)
{
    struct event_sink sink = {take_event, m};
    for (int64_t at = i; at <= i;) {
        struct unwrap_reading reading = {.time_ms = BEGIN_MS + at * EVERY_MS, .count = count_at(at)};
        if (unwrap_push(&m->unwrap, segments, &reading, &sink))
            at++;
        else
            at = (m->unwrap.last_ms - BEGIN_MS) / EVERY_MS + 1;
    }
}

static double fold(struct meter *meters, int64_t each)
{
    static const struct segment segment = {.from_ms = BEGIN_MS,
        .until_ms = INT64_MAX,
        .modulus = MODULUS,
        .resolution = 10,
        .max_rate = 100000,
        .p = 1,
        .q = 1};
    const struct segments segments = {&segment, 1};
    for (size_t m = 0; m < METERS; m++) {
        memset(&meters[m], 0, sizeof meters[m]);
        unwrap_init(&meters[m].unwrap);
    }
    double began_s = now_s();
    for (int64_t i = 0; i < each; i++)
        for (size_t m = 0; m < METERS; m++)
            push(&meters[m], &segments, i);
    return now_s() - began_s;
}

static bool is_right(const struct meter *meters, int64_t each)
{
    int64_t quarters = (each - 1) * EVERY_MS / BOUNDARY_MS;
    for (size_t m = 0; m < METERS; m++) {
        int64_t amount;
        if (meters[m].sum.count != quarters || !quarters_amount(&meters[m].sum, &amount) ||
            amount != quarters * (BOUNDARY_MS / EVERY_MS) * STEP)
            return false;
    }
    return true;
}

int main(int argc, char **argv)
{
    int64_t readings, rounds;
    if (argc != 3 || !number_parse_int64(argv[1], strlen(argv[1]), &readings) || readings < METERS ||
        !number_parse_int64(argv[2], strlen(argv[2]), &rounds) || rounds < 1) {
        fprintf(stderr, "usage: bench_fold READINGS ROUNDS (at least %d readings)\n", METERS);
        return 64;
    }
    int64_t each = readings / METERS;
    struct meter *meters = mem_alloc(METERS * sizeof *meters);
    printf("{\"readings\": %" PRId64 ", \"state_bytes\": %zu, \"seconds\": [", each * METERS,
        offsetof(struct unwrap, pasts.items));
    bool is_good = true;
    for (int64_t i = 0; i < rounds; i++) {
        printf("%s%.6f", i > 0 ? ", " : "", fold(meters, each));
        is_good = is_good && is_right(meters, each);
    }
    printf("]}\n");
    if (!is_good)
        fprintf(stderr, "bench_fold: the quarter hours are not what the meters used\n");
    free(meters);
    return is_good ? 0 : 1;
}
