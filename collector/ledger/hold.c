#include "collector/ledger/hold.h"

#include <string.h>

void hold_add(struct hold *h, const struct segments *all, const struct step_point *reading)
{
    struct step step;
    bool is_repeat = h->count > 0 && step_is_plausible(all, &h->last, reading, &step) && !step.is_positive;
    h->last = *reading;
    if (is_repeat) /* a small fall counts as the earlier count */
        h->last.count = step.count;
    else
        h->chain = h->last;
    if (h->count == 0)
        h->first = h->last;
    h->count++;
}

bool hold_is_confirmed_by(const struct hold *h, const struct segments *all, const struct step_point *reading)
{
    struct step step;
    return h->count > 0 && step_is_plausible(all, &h->last, reading, &step) && step.is_positive;
}

bool hold_is_overdue(const struct hold *h)
{
    return h->count > 0 && (__int128)h->last.time_ms - h->first.time_ms >= HOLD_LIMIT_MS;
}

void hold_clear(struct hold *h)
{
    memset(h, 0, sizeof *h);
}
