#include "collector/energy/balance.h"

static __int128 size_of(__int128 amount)
{
    return amount < 0 ? -amount : amount;
}

enum balance balance_judge(const struct amount *gap, const struct amount *parent, struct fraction limit)
{
    int64_t left, whole;
    if (!amount_is_known(gap, &left) || !amount_is_known(parent, &whole))
        return BALANCE_UNKNOWN;
    /* Both products are below 2^63 x 10^18. */
    return size_of(left) * limit.den <= size_of(whole) * limit.num ? BALANCE_WITHIN : BALANCE_BEYOND;
}
