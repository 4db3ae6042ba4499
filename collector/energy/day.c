#include "collector/energy/day.h"

/* sum x all / known, half away from zero */
static __int128 fill(__int128 sum, size_t all, size_t known)
{
    __int128 product = sum * (__int128)all, half = (__int128)known / 2;
    return (product >= 0 ? product + half : product - half) / (__int128)known;
}

struct day_energy day_energy(const struct series *series, size_t from, size_t until, int carrier)
{
    struct day_energy day = {.state = DAY_MISSING};
    size_t missing = 0, all = until - from;
    bool is_read = false;
    __int128 sum = 0, stated = 0;
    for (size_t i = from; i < until; i++) {
        if (!series_is_known(series->states[i])) {
            missing++;
            continue;
        }
        is_read = is_read || series->states[i] != SERIES_ESTIMATED;
        sum += series->amounts[i];
        stated += series->states[i] != SERIES_MEASURED ? series->amounts[i] : 0;
    }
    if (2 * missing > all || !is_read)
        return day;
    /* Where what is there comes to 0, so does the mean that fills the rest. */
    if (sum == 0 && carrier == CARRIER_ELECTRICITY) {
        day.state = DAY_ZERO;
        return day;
    }
    __int128 energy = fill(sum, all, all - missing);
    if (energy < INT64_MIN || energy > INT64_MAX || sum < INT64_MIN || sum > INT64_MAX ||
        stated < INT64_MIN || stated > INT64_MAX)
        return day;
    day.state = missing > 0 ? DAY_FILLED : DAY_WHOLE;
    day.energy = (int64_t)energy;
    day.known = (int64_t)sum;
    day.stated = (int64_t)stated;
    return day;
}
