/* Sums of fractions, exact, for comparisons that must not round. Not negative; one wide integer and a proper fraction. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* whole + part / of, 0 <= part < of. */
struct exact {
    __int128 whole;
    __int128 part, of;
};

#define EXACT_ZERO ((struct exact){.of = 1})

/* Adds num / den (num >= 0, den > 0). False, and nothing changed, where the common denominator would leave 10^18. */
bool exact_add(struct exact *sum, __int128 num, int64_t den);
bool exact_is_greater(const struct exact *a, const struct exact *b);
