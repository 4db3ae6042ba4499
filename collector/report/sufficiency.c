#include "collector/report/sufficiency.h"

#include "collector/energy/day.h"

static void add_day(
    struct sufficiency *s, const struct series *series, size_t from, size_t until, int carrier)
{
    enum day_state state = day_energy(series, from, until, carrier).state;
    s->days++;
    s->missing_days += !day_is_there(state);
    s->zero_days += state == DAY_ZERO;
    s->filled_days += state == DAY_FILLED;
}

struct sufficiency sufficiency_of(const struct axis *axis, const struct series *series, int carrier)
{
    struct sufficiency s = {0};
    for (size_t i = 0; i < axis->day_count; i++)
        add_day(&s, series, axis->first[i], axis->first[i + 1], carrier);
    s.allowed_days = (s.days + 9) / 10;
    s.is_sufficient = s.missing_days <= s.allowed_days && s.missing_days < s.days;
    return s;
}
