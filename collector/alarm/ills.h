/*
 * What is wrong with the collector itself, and for how long (CONTRIBUTING.md, W9): by the monotonic clock, since the wall clock may
 * be what is wrong. In codes of its health; `collector/alarm/words.h` has the words. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum ills_level { ILLS_DEGRADED, ILLS_FAILING };
#define ILLS_LEVELS 2
extern const char *const ills_levels[]; /* names, NULL-terminated */
#define ILLS_CODES_SIZE 512
#define ILLS_MAX 24 /* codes that there are; more are not told apart */
#define ILLS_CODE_SIZE 48

/* Zeroed: nothing is known. */
struct ills {
    bool is_known;
    bool is_so[ILLS_LEVELS];            /* is it so bad, or worse */
    int64_t since_mono_ms[ILLS_LEVELS]; /* since when it is, or is not, without a break */
    char codes[ILLS_CODES_SIZE];        /* by commas; "" = none */
    struct ill {
        char code[ILLS_CODE_SIZE];
        bool is_so;
        int64_t since_mono_ms; /* the same */
    } seen[ILLS_MAX];
    size_t count;
    int64_t begin_mono_ms; /* what was not seen since is not so */
    int64_t taken_mono_ms; /* last */
};

#define ILLS_GAP_MS 5000 /* of a longer time between two looks no more counts */

/* As it is now: how many of the levels it has reached, 0 = it is well, and by which codes. */
void ills_take(struct ills *i, int reached, const char *codes, int64_t mono_ms);

struct ills_times {
    int64_t for_ms, clear_for_ms;
    int64_t again_ms; /* what was told and is back within that is told already */
};

/* Both texts are the caller's to free. */
struct ills_word {
    /* Of what was told, what is not over for clear_for yet; what has lasted for `for`; where that is nothing, what is so. */
    char *now;
    char *told; /* what was told, but what would be told again; and what is news */
    /* Something has lasted that was not told, and does not follow from what is wrong, or was within `for`. */
    bool is_news;
};
/* As it was taken last. */
void ills_now(const struct ills *i, const char *told, const struct ills_times *times, struct ills_word *ret);
