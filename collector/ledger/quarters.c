#include "collector/ledger/quarters.h"

#include <assert.h>

#define QUARTER_S (BOUNDARY_MS / 1000)

struct quarter quarter_between(const struct boundary *begin, const struct boundary *end)
{
    assert(end->time_ms - begin->time_ms == BOUNDARY_MS);
    struct quarter quarter = {
        .start_ms = begin->time_ms, .quality = quality_worse(begin->quality, end->quality)};
    if (end->is_stated)
        quarter.quality = quality_worse(quarter.quality, QUALITY_MANUAL);
    if (quarter.quality == QUALITY_UNKNOWN)
        return quarter;
    if (begin->baseline_ms != end->baseline_ms ||
        __builtin_sub_overflow(end->energy, begin->energy, &quarter.amount))
        return (struct quarter){.start_ms = begin->time_ms, .quality = QUALITY_UNKNOWN};
    return quarter;
}

struct quarter quarter_net(const struct quarter *taken, const struct quarter *given)
{
    assert(taken->start_ms == given->start_ms);
    struct quarter net = {
        .start_ms = taken->start_ms, .quality = quality_worse(taken->quality, given->quality)};
    if (net.quality == QUALITY_UNKNOWN)
        return net;
    if (__builtin_sub_overflow(taken->amount, given->amount, &net.amount))
        return (struct quarter){.start_ms = taken->start_ms, .quality = QUALITY_UNKNOWN};
    return net;
}

static void add(struct quarters_sum *sum, int64_t *to, int64_t amount)
{
    sum->is_overflown = __builtin_add_overflow(*to, amount, to) || sum->is_overflown;
}

void quarters_add_run(struct quarters_sum *sum, enum quality quality, const int64_t *amounts, size_t count)
{
    int64_t seconds = (int64_t)count * QUARTER_S, amount = 0;
    bool is_overflown = false;
    sum->count += (int64_t)count;
    if (quality == QUALITY_UNKNOWN) {
        sum->unknown_s += seconds;
        return;
    }
    for (size_t i = 0; i < count; i++)
        is_overflown = __builtin_add_overflow(amount, amounts[i], &amount) || is_overflown;
    sum->is_overflown = is_overflown || sum->is_overflown;
    add(sum, &sum->known, amount);
    if (quality == QUALITY_ESTIMATED) {
        add(sum, &sum->estimated, amount);
        sum->estimated_s += seconds;
    } else if (quality == QUALITY_MANUAL) {
        add(sum, &sum->manual, amount);
        sum->manual_s += seconds;
    }
}

void quarters_add(struct quarters_sum *sum, const struct quarter *quarter)
{
    quarters_add_run(sum, quarter->quality, &quarter->amount, 1);
}

void quarters_merge(struct quarters_sum *sum, const struct quarters_sum *other)
{
    sum->count += other->count;
    sum->unknown_s += other->unknown_s;
    sum->estimated_s += other->estimated_s;
    sum->manual_s += other->manual_s;
    add(sum, &sum->known, other->known);
    add(sum, &sum->estimated, other->estimated);
    add(sum, &sum->manual, other->manual);
    sum->is_overflown = other->is_overflown || sum->is_overflown;
}

bool quarters_amount(const struct quarters_sum *sum, int64_t *ret_amount)
{
    if (sum->unknown_s > 0 || sum->is_overflown)
        return false;
    *ret_amount = sum->known;
    return true;
}

int quarters_estimated_permille(const struct quarters_sum *sum)
{
    __int128 part = sum->estimated, whole = sum->known;
    if (whole <= 0 || part < 0 || part > whole) {
        part = sum->estimated_s;
        whole = sum->count * QUARTER_S - sum->unknown_s;
    }
    return whole > 0 ? (int)((2000 * part + whole) / (2 * whole)) : 0;
}
