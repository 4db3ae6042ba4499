/* Factors and tariffs: the same input as either. */
#include "collector/model/rates.h"
#include "tests/fuzz/settings.h"

static void check_factors(const struct factors *factors)
{
    CONF_EACH (const struct factor, row, factors->rows) {
        struct error why;
        LAW(row->value.value > 0 && row->value.scale <= DECIMAL_SCALE_MAX, "a factor that is not positive");
        LAW(row->kind >= 0 && row->carrier >= 0 && row->document[0] != '\0',
            "a factor of no kind or document");
        LAW(row->validity.from_day < row->validity.until_day, "a factor of no time");
        LAW(factors_find(factors, row->kind, row->carrier, row->region, row->validity.from_day, &why) == row,
            "two factors for one day");
    }
}

static void check_day(const struct tariff *tariff, const struct tariff_schedule *schedule, int64_t day)
{
    struct tariff_day found;
    struct error why = {""};
    if (!tariff_day(tariff, day, &found, &why)) {
        LAW(why.text[0] != '\0' && schedule->exceptions.count > 0, "a day without a band, and no reason");
        return;
    }
    LAW(found.schedule == schedule, "two schedules for one day");
    for (int i = 0; i < TARIFF_QUARTERS; i++) {
        LAW(found.band[i] >= 0 && found.band[i] < TARIFF_BANDS, "a quarter hour in no band");
        LAW(found.prices == NULL || found.prices->written[found.band[i]] != NULL, "a band without a price");
    }
}

static void check_tariffs(const struct tariffs *tariffs)
{
    CONF_EACH (const struct tariff, tariff, tariffs->tariffs) {
        char *const *sites = tariff->sites.items;
        for (size_t i = 0; i < tariff->sites.count; i++)
            LAW(tariffs_find(tariffs, sites[i], tariff->carrier) == tariff, "a site pays by two tariffs");
        CONF_EACH (const struct tariff_schedule, schedule, tariff->schedules) {
            struct validity v = schedule->validity;
            LAW(v.from_day < v.until_day, "a schedule of no time");
            for (int64_t day = v.from_day; day < v.until_day && day < v.from_day + 400; day += 7)
                check_day(tariff, schedule, day);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *path = settings_file(data, size);
    struct factors *factors = factors_load(path);
    if (settings_are_sound(factors->conf))
        check_factors(factors);
    factors_destroy(factors);
    struct tariffs *tariffs = tariffs_load(path);
    if (settings_are_sound(tariffs->conf))
        check_tariffs(tariffs);
    tariffs_destroy(tariffs);
    return 0;
}
