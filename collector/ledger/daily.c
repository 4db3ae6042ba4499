#include "collector/ledger/daily.h"

#include <string.h>

#define DAY_MS INT64_C(86400000)
#define WHOLE_BITS ((INT64_C(1) << DAILY_DAYS) - 1)

static int64_t day_of(int64_t time_ms)
{
    return time_ms / DAY_MS - (time_ms % DAY_MS < 0);
}

static int64_t *energy_at(struct daily *d, int64_t midnight)
{
    int64_t slot = midnight % DAILY_MIDNIGHTS;
    return &d->energy[slot < 0 ? slot + DAILY_MIDNIGHTS : slot];
}

static void enter(struct daily *d, int64_t energy)
{
    d->last++;
    d->whole = ((d->whole << 1) | !d->is_torn) & WHOLE_BITS;
    d->is_torn = 0;
    *energy_at(d, d->last) = energy;
}

/* Of a long time only the last midnights are entered: one more than are kept, so that the day before the first
 * of them, whose beginning was not, is not kept either. */
static void skip_to(struct daily *d, int64_t midnight)
{
    if (midnight - d->last > DAILY_MIDNIGHTS + 1)
        d->last = midnight - DAILY_MIDNIGHTS - 1;
}

void daily_begin(struct daily *d, int64_t time_ms, int64_t energy)
{
    memset(d, 0, sizeof *d);
    d->last = day_of(time_ms);
    d->is_torn = time_ms % DAY_MS != 0;
    *energy_at(d, d->last) = energy;
}

void daily_step(struct daily *d, int64_t from_ms, int64_t from_energy, int64_t to_ms, int64_t to_energy)
{
    int64_t until = day_of(to_ms);
    skip_to(d, until);
    while (d->last < until) {
        __int128 passed = (__int128)(d->last + 1) * DAY_MS - from_ms;
        __int128 energy = (__int128)to_energy - from_energy;
        enter(d, (int64_t)(from_energy + energy * passed / ((__int128)to_ms - from_ms)));
    }
}

void daily_break(struct daily *d, int64_t from_ms, int64_t to_ms, int64_t energy)
{
    int64_t until = day_of(to_ms);
    for (int64_t i = 0; i < DAILY_DAYS && d->last - i > day_of(from_ms); i++)
        d->whole &= ~(INT64_C(1) << i);
    skip_to(d, until);
    while (d->last < until) {
        d->is_torn = 1;
        enter(d, energy);
    }
    d->is_torn = to_ms % DAY_MS != 0;
}

bool daily_allows(
    const struct daily *d, int64_t from_ms, int64_t from_energy, int64_t to_ms, int64_t to_energy)
{
    struct daily before = *d;
    daily_step(&before, from_ms - 1, from_energy, from_ms, from_energy);
    __int128 most = -1;
    for (int64_t i = 0; i < DAILY_DAYS; i++) {
        int64_t midnight = before.last - i;
        __int128 use = (__int128)*energy_at(&before, midnight) - *energy_at(&before, midnight - 1);
        if ((before.whole >> i & 1) != 0 && use > most)
            most = use;
    }
    return most < 0 || ((__int128)to_energy - from_energy) * DAY_MS <= 2 * most * ((__int128)to_ms - from_ms);
}
