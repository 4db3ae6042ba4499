#include "collector/ledger/exact.h"

#define DENOMINATOR_MAX ((__int128)1000000000000000000)

static __int128 common(__int128 a, __int128 b)
{
    while (b != 0) {
        __int128 rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

bool exact_add(struct exact *sum, __int128 num, int64_t den)
{
    __int128 rest = num % den, divisor = common(sum->of, den);
    __int128 of = sum->of / divisor * den; /* at most 10^18 x 2^63 */
    if (of > DENOMINATOR_MAX)
        return false;
    __int128 part = sum->part * (den / divisor) + rest * (sum->of / divisor);
    sum->whole += num / den + part / of;
    sum->part = part % of;
    sum->of = of;
    return true;
}

bool exact_is_greater(const struct exact *a, const struct exact *b)
{
    if (a->whole != b->whole)
        return a->whole > b->whole;
    return a->part * b->of > b->part * a->of;
}
