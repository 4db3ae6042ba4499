/*
 * What is wrong with the collector itself, and for how long (CONTRIBUTING.md, W9): by the monotonic clock, since the wall clock may
 * be what is wrong. In codes of its health; `collector/alarm/words.h` has the words. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum ills_level { ILLS_DEGRADED, ILLS_FAILING };
#define ILLS_LEVELS 2
extern const char *const ills_levels[]; /* names, NULL-terminated */
#define ILLS_CODES_SIZE 512

/* Zeroed: nothing is known. */
struct ills {
    bool is_known;
    bool is_so[ILLS_LEVELS];            /* is it so bad, or worse */
    int64_t since_mono_ms[ILLS_LEVELS]; /* since when it is, or is not, without a break */
    char codes[ILLS_CODES_SIZE];        /* by commas; "" = none */
};

/* As it is now: how many of the levels it has reached, 0 = it is well, and by which codes. */
void ills_take(struct ills *i, int reached, const char *codes, int64_t mono_ms);
/* Those of both, each once; either may be NULL. The caller frees it. */
char *ills_join(const char *codes, const char *more);
