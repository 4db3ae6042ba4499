#include "collector/ledger/hold.h"

#include <string.h>

void hold_add(struct hold *h, const struct segments *all, const struct step_point *reading)
{
    bool is_positive;
    bool is_repeat = h->count > 0 && step_is_plausible(all, &h->last, reading, &is_positive) &&
                     !is_positive && h->last.segment == reading->segment;
    int64_t count = is_repeat ? h->last.count : reading->count; /* a small fall counts as the earlier count */
    h->last = *reading;
    h->last.count = count;
    if (!is_repeat)
        h->chain = h->last;
    if (h->count == 0)
        h->first = h->last;
    h->count++;
}

bool hold_is_confirmed_by(const struct hold *h, const struct segments *all, const struct step_point *reading)
{
    bool is_positive;
    return h->count > 0 && step_is_plausible(all, &h->last, reading, &is_positive) && is_positive;
}

bool hold_is_overdue(const struct hold *h)
{
    return h->count > 0 && (__int128)h->last.time_ms - h->first.time_ms >= HOLD_LIMIT_MS;
}

void hold_clear(struct hold *h)
{
    memset(h, 0, sizeof *h);
}
