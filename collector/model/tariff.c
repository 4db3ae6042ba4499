#include "collector/model/tariff.h"

#include "collector/model/periods.h"
#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>

const char *const tariff_bands[] = {"sharp", "peak", "flat", "valley", "deep", NULL};

struct tariffs *tariffs_load(const char *path)
{
    struct tariffs *tariffs = mem_zalloc(sizeof *tariffs);
    tariffs->conf = conf_load(path, &tariffs_section, tariffs);
    return tariffs;
}

struct tariffs *tariffs_load_text(const char *name, struct span text)
{
    struct tariffs *tariffs = mem_zalloc(sizeof *tariffs);
    tariffs->conf = conf_load_text(name, text, &tariffs_section, tariffs);
    return tariffs;
}

void tariffs_destroy(struct tariffs *tariffs)
{
    if (!tariffs)
        return;
    conf_destroy(tariffs->conf);
    free(tariffs);
}

const struct tariff *tariffs_find(const struct tariffs *tariffs, const char *site, int carrier)
{
    CONF_EACH (const struct tariff, tariff, tariffs->tariffs) {
        char *const *sites = tariff->sites.items;
        for (size_t i = 0; tariff->carrier == carrier && i < tariff->sites.count; i++)
            if (strcmp(sites[i], site) == 0)
                return tariff;
    }
    return NULL;
}

static bool is_on(const struct tariff_holiday *holiday, int64_t day)
{
    for (size_t i = 0; i < holiday->span_count; i++)
        if (validity_holds(holiday->spans[i], day))
            return true;
    return false;
}

static bool has_dates_of(const struct tariff_holiday *holiday, struct period year)
{
    for (size_t i = 0; i < holiday->span_count; i++) {
        struct period first = {PERIODS_DAY, holiday->spans[i].from_day};
        if (periods_within(first, PERIODS_YEAR).number == year.number)
            return true;
    }
    return false;
}

/* The exception that holds on this day, if any; false where that is not known. */
static bool find_exception(const struct tariff_schedule *schedule, int64_t day,
    const struct tariff_exception **ret, struct error *why)
{
    struct period year = periods_within((struct period){PERIODS_DAY, day}, PERIODS_YEAR);
    *ret = NULL;
    CONF_EACH (const struct tariff_exception, exception, schedule->exceptions) {
        for (size_t i = 0; i < exception->on.count; i++) {
            const struct tariff_holiday *holiday = exception->holidays[i];
            if (!has_dates_of(holiday, year)) {
                char text[PERIODS_TEXT_SIZE];
                periods_format(year, text);
                error_set(why, ST_INVALID, "the dates of %s in %s are not given (%s)", holiday->id, text,
                    holiday->where.path);
                return false;
            }
            if (is_on(holiday, day))
                *ret = exception;
        }
    }
    return true;
}

static const struct tariff_season *find_season(const struct tariff_schedule *schedule, int64_t day)
{
    struct period month = periods_within((struct period){PERIODS_DAY, day}, PERIODS_MONTH);
    struct period year = periods_within(month, PERIODS_YEAR);
    unsigned bit = 1U << (month.number - year.number * 12 + 1);
    CONF_EACH (const struct tariff_season, season, schedule->seasons)
        if (season->months & bit)
            return season;
    return NULL;
}

bool tariff_day(const struct tariff *tariff, int64_t day, struct tariff_day *ret, struct error *why)
{
    struct tariff_day found = {0};
    CONF_EACH (const struct tariff_schedule, schedule, tariff->schedules)
        if (validity_holds(schedule->validity, day))
            found.schedule = schedule;
    const struct tariff_season *season = found.schedule != NULL ? find_season(found.schedule, day) : NULL;
    if (season == NULL) {
        char text[VALIDITY_TEXT_SIZE];
        validity_format_day(day, text);
        error_set(why, ST_INVALID, "tariff %s has no schedule for %s", tariff->id, text);
        return false;
    }
    if (!find_exception(found.schedule, day, &found.exception, why))
        return false;
    memcpy(found.band, season->hours.band, sizeof found.band);
    for (size_t i = 0; found.exception != NULL && i < TARIFF_QUARTERS; i++)
        if (found.exception->hours.band[i] >= 0)
            found.band[i] = found.exception->hours.band[i];
    CONF_EACH (const struct tariff_prices, prices, tariff->prices)
        if (validity_holds(prices->validity, day))
            found.prices = prices;
    *ret = found;
    return true;
}

static const struct {
    const char *unit;
    int scale; /* decimals between the base unit and that of the price */
} prices_of[] = {
    [CARRIER_ELECTRICITY] = {"yuan/kWh", 3},
    [CARRIER_HEAT] = {"yuan/GJ", 9},
    [CARRIER_COOLING] = {"yuan/GJ", 9},
    [CARRIER_WATER] = {"yuan/m3", 3},
    [CARRIER_GAS] = {"yuan/m3", 3},
};

const char *tariff_unit(int carrier)
{
    return prices_of[carrier].unit;
}

bool tariff_cost(const struct tariff *tariff, int64_t amount, struct decimal price, int64_t *ret_fen)
{
    struct decimal cost;
    if (!decimal_multiply((struct decimal){amount, prices_of[tariff->carrier].scale}, price, 2, &cost))
        return false;
    *ret_fen = cost.value;
    return true;
}

bool tariff_cost_fine(
    const struct tariff *tariff, int64_t amount, struct decimal price, struct decimal *ret_yuan)
{
    return decimal_multiply((struct decimal){amount, prices_of[tariff->carrier].scale}, price, 5, ret_yuan);
}
