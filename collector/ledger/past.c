#include "collector/ledger/past.h"
#include "collector/ledger/hold.h"

#include <string.h>

static void drop_oldest(struct pasts *all, int64_t count)
{
    all->count -= count;
    memmove(&all->items[0], &all->items[count], (size_t)all->count * sizeof all->items[0]);
    memset(&all->items[all->count], 0, (size_t)count * sizeof all->items[0]);
}

void past_add(struct pasts *all, const struct past *past)
{
    if (all->count == PAST_COUNT)
        drop_oldest(all, 1);
    all->items[all->count++] = *past;
}

static bool is_over(const struct past *past, int64_t time_ms)
{
    return (__int128)time_ms - past->since_ms > HOLD_LIMIT_MS;
}

void past_expire(struct pasts *all, int64_t time_ms)
{
    int64_t over = 0; /* they are in order of time */
    while (over < all->count && is_over(&all->items[over], time_ms))
        over++;
    if (over > 0)
        drop_oldest(all, over);
}

bool past_take(struct pasts *all, const struct segments *segments, const struct step_point *reading,
    bool is_confirmed, struct past *ret, struct baseline_fit *ret_fit)
{
    for (int64_t i = all->count - 1; i >= 0 && !is_over(&all->items[i], reading->time_ms); i--) {
        if (!baseline_fits(&all->items[i].baseline, segments, reading, ret_fit) ||
            (ret_fit->step.is_rollover && !is_confirmed))
            continue;
        *ret = all->items[i];
        memset(&all->items[i], 0, (size_t)(all->count - i) * sizeof all->items[0]);
        all->count = i;
        return true;
    }
    return false;
}
