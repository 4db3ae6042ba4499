#include "collector/baseline/expected.h"

#include "lib/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define T_LEAST 2.0
#define NONZERO_DAYS 10
#define DEGREE_DAYS_MC 11111 /* 20 degree days Fahrenheit, in thousandths of a degree day Celsius */
#define MONTH_DAYS 28

/* A day or a month of the baseline. */
struct row {
    size_t first, end; /* of the days */
    int64_t month;
};

struct search {
    const struct park_baseline *baseline;
    const struct expected_day *days;
    size_t day_count;
    struct row *rows;
    size_t row_count;
    size_t possible; /* rows that count, or would once people are reckoned */
    double *y, *weight, *heating, *cooling, *people;
    struct expected_model *found;
    bool is_qualified; /* what was found */
};

static int64_t tenth(int64_t count)
{
    return (count + 9) / 10;
}

static bool needs_temperature(const struct park_baseline *b)
{
    return b->model != BASELINE_MEAN;
}

static bool needs_people(const struct park_baseline *b)
{
    return b->occupancy.count > 0;
}

static bool has_weather(const struct park_baseline *b, const struct expected_day *day)
{
    return !needs_temperature(b) || day->temperature_mc != WEATHER_NONE;
}

static bool has_people(const struct park_baseline *b, const struct expected_day *day)
{
    return !needs_people(b) || day->people_m >= 0;
}

static bool counts(const struct park_baseline *b, const struct expected_day *day)
{
    return day_is_there(day->energy.state) && has_weather(b, day) && has_people(b, day);
}

/* Would it count, but for people who are being reckoned? */
static bool is_behind(const struct park_baseline *b, const struct expected_day *day)
{
    return day_is_there(day->energy.state) && has_weather(b, day) && needs_people(b) &&
           day->people_m == PEOPLE_BEHIND;
}

static void count_days(const struct search *s)
{
    struct expected_model *m = s->found;
    m->days = (int64_t)s->day_count;
    m->lowest_mc = INT32_MAX;
    m->highest_mc = INT32_MIN;
    m->fewest_m = INT64_MAX;
    m->most_m = INT64_MIN;
    for (size_t i = 0; i < s->day_count; i++) {
        const struct expected_day *day = &s->days[i];
        bool has_energy = day_is_there(day->energy.state),
             has_temperature = day->temperature_mc != WEATHER_NONE;
        m->no_energy_days += !has_energy;
        m->no_temperature_days += needs_temperature(s->baseline) && !has_temperature;
        m->no_people_days += !has_people(s->baseline, day);
        m->behind_days += is_behind(s->baseline, day);
        if (!counts(s->baseline, day)) {
            m->missing_days++;
            continue;
        }
        m->fewest_m = day->people_m < m->fewest_m ? day->people_m : m->fewest_m;
        m->most_m = day->people_m > m->most_m ? day->people_m : m->most_m;
        m->filled_days += day->energy.state == DAY_FILLED;
        m->known += (double)day->energy.known;
        m->stated += (double)day->energy.stated;
        if (has_temperature) {
            m->lowest_mc = day->temperature_mc < m->lowest_mc ? day->temperature_mc : m->lowest_mc;
            m->highest_mc = day->temperature_mc > m->highest_mc ? day->temperature_mc : m->highest_mc;
        }
    }
}

/* Of the row's days those that count; and those that would once people are reckoned. */
static int64_t counted(const struct search *s, const struct row *row, int64_t *ret_possible)
{
    int64_t count = 0, behind = 0;
    for (size_t i = row->first; i < row->end; i++) {
        count += counts(s->baseline, &s->days[i]);
        behind += is_behind(s->baseline, &s->days[i]);
    }
    *ret_possible = count + behind;
    return count;
}

static bool is_enough(int64_t days, int64_t all)
{
    return days > 0 && (all - days) * 10 <= all;
}

/* Cuts the days into rows, and keeps those that count. Returns how many there were. */
static size_t make_rows(struct search *s)
{
    size_t all = 0;
    bool is_monthly = s->baseline->step == BASELINE_BY_MONTH;
    for (size_t i = 0, next; i < s->day_count; i = next, all++) {
        next = i + 1;
        while (is_monthly && next < s->day_count && s->days[next].month == s->days[i].month)
            next++;
        struct row row = {i, next, s->days[i].month};
        int64_t possible, days = counted(s, &row, &possible);
        s->possible += is_enough(possible, (int64_t)(next - i));
        if (!is_enough(days, (int64_t)(next - i)))
            continue;
        s->rows[s->row_count++] = row;
    }
    return all;
}

static void fill_energy(struct search *s)
{
    for (size_t i = 0; i < s->row_count; i++) {
        double sum = 0, days = 0, people = 0;
        for (size_t k = s->rows[i].first; k < s->rows[i].end; k++)
            if (counts(s->baseline, &s->days[k])) {
                sum += (double)s->days[k].energy.energy;
                people += (double)s->days[k].people_m;
                days++;
            }
        s->y[i] = sum / days;
        s->people[i] = people / 1000 / days;
        s->weight[i] = days;
    }
}

/* Mean degree days a day of each row. False: too few of them (3.2.2.2). */
static bool fill_degrees(const struct search *s, int64_t (*degrees)(int32_t mean_mc, int64_t balance_c),
    int64_t balance_c, double *ret)
{
    int64_t all_mc = 0, nonzero = 0, days = 0;
    for (size_t i = 0; i < s->row_count; i++) {
        int64_t sum_mc = 0, count = 0;
        for (size_t k = s->rows[i].first; k < s->rows[i].end; k++) {
            if (!counts(s->baseline, &s->days[k]))
                continue;
            int64_t mc = degrees(s->days[k].temperature_mc, balance_c);
            sum_mc += mc;
            nonzero += mc > 0;
            count++;
        }
        ret[i] = (double)sum_mc / 1000 / (double)count;
        all_mc += sum_mc;
        days += count;
    }
    bool is_often_enough = s->baseline->step == BASELINE_BY_MONTH || nonzero * 365 >= NONZERO_DAYS * days;
    return is_often_enough && all_mc * 365 >= DEGREE_DAYS_MC * days;
}

/* `weather` has the degree days; people come after them. */
static void try_fit(
    struct search *s, const struct regress_data *weather, int64_t heating_c, int64_t cooling_c)
{
    struct regress_data data = *weather;
    struct regress fit;
    if (s->found->has_people)
        data.x[data.variables++] = s->people;
    if (!regress_fit(&data, &fit))
        return;
    bool is_qualified = fit.intercept >= 0;
    for (int k = 0; k < data.variables; k++)
        is_qualified = is_qualified && fit.slope[k] > 0;
    struct expected_model *m = s->found;
    bool is_better = !m->has_fit || (is_qualified && !s->is_qualified) ||
                     (is_qualified == s->is_qualified && fit.r2 > m->fit.r2);
    if (!is_better)
        return;
    m->has_fit = true;
    m->fit = fit;
    m->heating_c = heating_c;
    m->cooling_c = cooling_c;
    s->is_qualified = is_qualified;
}

static void try_cooling(struct search *s, struct regress_data *data, int64_t heating_c)
{
    const struct park_baseline *b = s->baseline;
    data->x[data->variables++] = s->cooling;
    for (int64_t c = b->cooling_from; c <= b->cooling_to; c++)
        if (c >= heating_c && fill_degrees(s, weather_cooling, c, s->cooling))
            try_fit(s, data, heating_c, c);
    data->variables--;
}

static void try_all(struct search *s)
{
    const struct park_baseline *b = s->baseline;
    struct regress_data data = {.y = s->y, .weight = s->weight, .rows = s->row_count};
    s->found->has_heating = b->model == BASELINE_HEATING || b->model == BASELINE_BOTH;
    s->found->has_cooling = b->model == BASELINE_COOLING || b->model == BASELINE_BOTH;
    s->found->has_people = needs_people(b);
    s->found->variables = s->found->has_heating + s->found->has_cooling + s->found->has_people;
    if (!s->found->has_heating && !s->found->has_cooling)
        try_fit(s, &data, 0, 0);
    if (!s->found->has_heating && s->found->has_cooling)
        try_cooling(s, &data, INT64_MIN);
    for (int64_t h = b->heating_from; s->found->has_heating && h <= b->heating_to; h++) {
        if (!fill_degrees(s, weather_heating, h, s->heating))
            continue;
        data.x[0] = s->heating;
        data.variables = 1;
        if (s->found->has_cooling)
            try_cooling(s, &data, h);
        else
            try_fit(s, &data, h, 0);
    }
}

static enum expected_reason judge(const struct search *s)
{
    const struct expected_model *m = s->found;
    bool is_monthly = s->baseline->step == BASELINE_BY_MONTH;
    if (!m->has_fit)
        return m->has_people && m->fewest_m == m->most_m ? EXPECTED_NO_PEOPLE : EXPECTED_NO_WEATHER;
    if (!s->is_qualified)
        return EXPECTED_NEGATIVE;
    for (int k = 0; k < m->variables; k++)
        if (!(m->fit.slope_t[k] >= T_LEAST))
            return EXPECTED_INSIGNIFICANT;
    if (!(m->fit.cv_rmse <= (is_monthly ? EXPECTED_CV_RMSE_MONTH : EXPECTED_CV_RMSE_DAY)))
        return EXPECTED_CV_RMSE;
    if (!(fabs(m->fit.nmbe) <= (is_monthly ? EXPECTED_NMBE_MONTH : EXPECTED_NMBE_DAY)))
        return EXPECTED_NMBE;
    return EXPECTED_GOOD;
}

/* Of what lacks: whether it is people alone who are being reckoned, so that without those there is enough. */
static bool is_waiting(int64_t missing, int64_t behind, int64_t all)
{
    return behind > 0 && missing - behind <= tenth(all);
}

static void search(struct search *s)
{
    struct expected_model *m = s->found;
    count_days(s);
    if (m->missing_days > tenth(m->days) || m->missing_days == m->days) {
        m->reason =
            is_waiting(m->missing_days, m->behind_days, m->days) ? EXPECTED_BEHIND : EXPECTED_DAYS_MISSING;
        return;
    }
    int64_t all = (int64_t)make_rows(s);
    m->periods = (int64_t)s->row_count;
    if (s->baseline->step == BASELINE_BY_MONTH && all - m->periods > tenth(all)) {
        int64_t behind = (int64_t)s->possible - m->periods;
        m->reason = is_waiting(all - m->periods, behind, all) ? EXPECTED_BEHIND : EXPECTED_MONTHS_MISSING;
        return;
    }
    fill_energy(s);
    try_all(s);
    m->reason = judge(s);
}

void expected_fit(const struct park_baseline *baseline, const struct expected_day *days, size_t count,
    struct expected_model *ret)
{
    *ret = (struct expected_model){0};
    struct search s = {.baseline = baseline, .days = days, .day_count = count, .found = ret};
    double *numbers = mem_zalloc((count + 1) * 5 * sizeof *numbers);
    s.rows = mem_zalloc((count + 1) * sizeof *s.rows);
    s.y = numbers;
    s.weight = &numbers[count];
    s.heating = &numbers[2 * count];
    s.cooling = &numbers[3 * count];
    s.people = &numbers[4 * count];
    search(&s);
    free(s.rows);
    free(numbers);
}

double expected_energy(const struct expected_model *model, const struct expected_day *day)
{
    double x[REGRESS_VARIABLES];
    int count = 0;
    if (model->has_heating)
        x[count++] = (double)weather_heating(day->temperature_mc, model->heating_c) / 1000;
    if (model->has_cooling)
        x[count++] = (double)weather_cooling(day->temperature_mc, model->cooling_c) / 1000;
    if (model->has_people)
        x[count++] = (double)day->people_m / 1000;
    return regress_predict(&model->fit, count, x);
}

/* The variable at that place, if the model has it. */
static bool slope_of(
    const struct expected_model *model, bool is_there, int place, double *ret_slope, double *ret_t)
{
    bool has_slope = model->has_fit && is_there;
    *ret_slope = has_slope ? model->fit.slope[place] : 0;
    *ret_t = has_slope ? model->fit.slope_t[place] : 0;
    return has_slope;
}

bool expected_heating(const struct expected_model *model, double *ret_slope, double *ret_t)
{
    return slope_of(model, model->has_heating, 0, ret_slope, ret_t);
}

bool expected_cooling(const struct expected_model *model, double *ret_slope, double *ret_t)
{
    return slope_of(model, model->has_cooling, model->has_heating, ret_slope, ret_t);
}

bool expected_people(const struct expected_model *model, double *ret_slope, double *ret_t)
{
    return slope_of(model, model->has_people, model->has_heating + model->has_cooling, ret_slope, ret_t);
}

/* Further than a tenth of the range beyond it. */
static bool is_beyond(int64_t value, int64_t lowest, int64_t highest)
{
    int64_t range = highest - lowest;
    return value * 10 < lowest * 10 - range || value * 10 > highest * 10 + range;
}

static bool is_outside(
    const struct park_baseline *b, const struct expected_model *m, const struct expected_day *day)
{
    return (needs_temperature(b) && is_beyond(day->temperature_mc, m->lowest_mc, m->highest_mc)) ||
           (needs_people(b) && is_beyond(day->people_m, m->fewest_m, m->most_m));
}

static double uncertainty(
    const struct park_baseline *b, const struct expected_model *m, double expected, double periods)
{
    bool is_monthly = b->step == BASELINE_BY_MONTH;
    double lag1 = is_monthly || m->fit.lag1 < 0 ? 0 : fmin(m->fit.lag1, 0.99);
    double n = (double)m->periods, independent = n * (1 - lag1) / (1 + lag1);
    return 1.26 * m->fit.cv_rmse * fabs(expected) * sqrt(n / independent * (1 + 2 / independent) / periods);
}

void expected_avoided(const struct park_baseline *baseline, const struct expected_model *model,
    const struct expected_day *days, size_t count, struct avoided *ret)
{
    struct avoided a = {.days = (int64_t)count};
    int64_t last_month = INT64_MIN, periods = 0, behind_days = 0;
    bool is_monthly = baseline->step == BASELINE_BY_MONTH;
    for (size_t i = 0; i < count && model->reason == EXPECTED_GOOD; i++) {
        const struct expected_day *day = &days[i];
        if (day->energy.state != DAY_WHOLE || !counts(baseline, day) ||
            __builtin_add_overflow(a.metered, day->energy.energy, &a.metered)) {
            a.missing_days++;
            behind_days += day->energy.state == DAY_WHOLE && is_behind(baseline, day);
            continue;
        }
        a.stated += (double)day->energy.stated;
        a.expected += expected_energy(model, day);
        a.outside_days += is_outside(baseline, model, day);
        periods += !is_monthly || day->month != last_month;
        last_month = day->month;
    }
    bool lacks_days = a.missing_days > tenth(a.days) || a.missing_days == a.days;
    a.reason = model->reason != EXPECTED_GOOD                    ? AVOIDED_NO_MODEL
               : count == 0                                      ? AVOIDED_BEFORE
               : is_monthly && a.days < MONTH_DAYS               ? AVOIDED_TOO_SHORT
               : !lacks_days                                     ? AVOIDED_GOOD
               : is_waiting(a.missing_days, behind_days, a.days) ? AVOIDED_BEHIND
                                                                 : AVOIDED_DAYS_MISSING;
    if (a.reason == AVOIDED_GOOD) {
        a.avoided = a.expected - (double)a.metered;
        a.uncertainty = uncertainty(baseline, model, a.expected, (double)periods);
    } else {
        a.metered = a.outside_days = 0;
        a.expected = a.stated = 0;
    }
    *ret = a;
}
