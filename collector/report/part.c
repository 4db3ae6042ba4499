#include "collector/report/part.h"

#include "lib/mem.h"

#include <assert.h>
#include <string.h>

static bool is_same_text(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool holds(const struct part *part, const struct park_meter *meter, int64_t time_ms)
{
    if (meter == NULL || meter->carrier != part->carrier)
        return false;
    if (part->kind == PART_METER || part->kind == PART_GAP)
        return meter == part->meter;
    struct park_tags tags = park_tags_at(meter, time_ms);
    bool is_here = tags.building->site == part->site;
    switch (part->kind) {
    case PART_SITE:
        return is_here;
    case PART_BUILDING:
        return tags.building == part->building;
    case PART_TENANT:
        return is_here && tags.tenant == part->tenant;
    case PART_ITEM:
        return is_here && is_same_text(tags.item, part->item);
    case PART_METER:
    case PART_GAP:
        break;
    }
    return false;
}

const struct park_meter *part_parent(const struct park_meter *meter, int64_t time_ms)
{
    do
        meter = park_tags_at(meter, time_ms).parent;
    while (meter != NULL && !park_is_installed(meter, time_ms));
    return meter;
}

int part_sign(const struct part *part, const struct park_meter *meter, int64_t time_ms)
{
    if ((part->kind == PART_METER && meter != part->meter) || !park_is_installed(meter, time_ms))
        return 0;
    if (part->kind == PART_METER)
        return holds(part, meter, time_ms);
    if (meter->export_of != NULL)
        return -part_sign(part, meter->export_of, time_ms);
    return holds(part, meter, time_ms) - holds(part, part_parent(meter, time_ms), time_ms);
}

bool part_is_there(const struct part *part, const struct park *park, int64_t time_ms)
{
    if (part->kind != PART_GAP)
        return true;
    CONF_EACH (const struct park_meter, meter, park->meters)
        if (meter->export_of == NULL && part_sign(part, meter, time_ms) < 0)
            return true;
    return false;
}

void part_cut(const struct park *park, struct periods_span span, struct steps *ret)
{
    *ret = (struct steps){0};
    for (struct periods_span stretch = {0}; part_next(park, span, &stretch);) {
        MEM_GROW(ret->spans, ret->count, ret->capacity);
        ret->spans[ret->count++] = stretch;
    }
}

bool part_next(const struct park *park, struct periods_span span, struct periods_span *stretch)
{
    bool is_first = stretch->begin_ms == stretch->end_ms;
    stretch->begin_ms = is_first ? span.begin_ms : stretch->end_ms;
    if (stretch->begin_ms >= span.end_ms)
        return false;
    int64_t next_ms = park_next_change_ms(park, stretch->begin_ms);
    stretch->end_ms = next_ms < span.end_ms ? next_ms : span.end_ms;
    return true;
}

static size_t index_of(const struct series *series, int64_t time_ms)
{
    return (size_t)((time_ms - series->span.begin_ms) / PERIODS_QUARTER_HOUR_MS);
}

void part_series_cut(const struct series *series, struct periods_span stretch, struct series *ret)
{
    part_series_init(ret, series->span);
    size_t from = index_of(series, stretch.begin_ms), count = index_of(series, stretch.end_ms) - from;
    memcpy(ret->amounts + from, series->amounts + from, count * sizeof *ret->amounts);
    memcpy(ret->states + from, series->states + from, count * sizeof *ret->states);
}

void part_series_forget(struct series *sum)
{
    for (size_t i = 0; i < sum->count; i++)
        if (!series_is_known(sum->states[i]))
            sum->amounts[i] = 0;
}

void part_series_init(struct series *sum, struct periods_span span)
{
    series_init(sum, span, &(struct series_due){0, 0, 0});
}

/* How bad: what is not there is less than anything, so that it adds nothing. */
static uint8_t rank(uint8_t state)
{
    static_assert(SERIES_ABSENT > SERIES_FUTURE, "the last of them");
    return (uint8_t)(state - SERIES_ABSENT);
}

static uint8_t worse(uint8_t state, uint8_t other)
{
    uint8_t worst = rank(state) > rank(other) ? rank(state) : rank(other);
    return (uint8_t)(worst + SERIES_ABSENT);
}

static void add_one(int64_t *to, uint8_t *to_state, int64_t amount, uint8_t state, int sign)
{
    if (sign > 0 ? __builtin_add_overflow(*to, amount, to) : __builtin_sub_overflow(*to, amount, to)) {
        *to = 0;
        state = state > SERIES_UNKNOWN ? state : SERIES_UNKNOWN;
    }
    *to_state = worse(*to_state, state);
}

/* So many at once, without a branch: compilers make vectors of it. */
#define BLOCK 32

/* False: a sum leaves int64, and nothing was done. */
static bool add_block(
    int64_t *to, uint8_t *to_states, const int64_t *amounts, const uint8_t *states, int sign)
{
    uint64_t sums[BLOCK], beyond = 0, mask = sign > 0 ? 0 : ~UINT64_C(0); /* a - b = a + ~b + 1 */
    uint8_t worst[BLOCK];
    for (int i = 0; i < BLOCK; i++) {
        uint64_t sum = (uint64_t)to[i], amount = (uint64_t)amounts[i] ^ mask;
        sums[i] = sum + amount - mask;
        beyond |= ~(sum ^ amount) & (sum ^ sums[i]);
    }
    if (beyond >> 63 != 0)
        return false;
    for (int i = 0; i < BLOCK; i++)
        worst[i] = worse(to_states[i], states[i]);
    memcpy(to, sums, sizeof sums);
    memcpy(to_states, worst, sizeof worst);
    return true;
}

void part_series_add(struct series *sum, const struct series *series, struct periods_span stretch, int sign)
{
    assert(sum->count == series->count && sum->span.begin_ms == series->span.begin_ms);
    size_t i = index_of(sum, stretch.begin_ms), end = index_of(sum, stretch.end_ms);
    while (i < end)
        if (i + BLOCK <= end &&
            add_block(sum->amounts + i, sum->states + i, series->amounts + i, series->states + i, sign)) {
            i += BLOCK;
        } else {
            add_one(sum->amounts + i, sum->states + i, series->amounts[i], series->states[i], sign);
            i++;
        }
}
