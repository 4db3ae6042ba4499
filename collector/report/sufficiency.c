#include "collector/report/sufficiency.h"

#include "collector/model/park.h"

static void add_day(
    struct sufficiency *s, const struct series *series, size_t from, size_t until, int carrier)
{
    size_t missing = 0;
    __int128 sum = 0;
    for (size_t i = from; i < until; i++) {
        if (series_is_known(series->states[i]))
            sum += series->amounts[i];
        else
            missing++;
    }
    s->days++;
    /* Where what is there comes to 0, so does the mean that fills the rest. */
    if (2 * missing > until - from) {
        s->missing_days++;
    } else if (sum == 0 && carrier == CARRIER_ELECTRICITY) {
        s->missing_days++;
        s->zero_days++;
    } else if (missing > 0) {
        s->filled_days++;
    }
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
