/*
 * What energy was to be expected: a model of a baseline period in which weather and people explain energy, and what was
 * avoided since against it (ISO 50006: energy baseline; IPMVP option C: the whole meter). Pure, but for memory.
 *
 * The rules are those of CalTRACK Methods 2.0 for daily and billing data, by their numbers, and what it leaves open:
 *
 *   2.2.1.2    at most a tenth of the days (37 of 365) have no energy or no temperature, rounded up; also of the months
 *   2.2.3.2    a month counts where at least 90 % of its days have both
 *   3.2.1      balance temperatures are tried in whole degrees Celsius between the limits of the settings
 *   3.2.2      cooling's is not below heating's; of each there are 20 degree days (Fahrenheit) a year, by daily data on 10 days
 *   3.3.2      energy a day = base + heating x HDD + cooling x CDD, with the means a day of the period; and + slope x people
 *              where the settings name spaces (ISO 50006: occupancy is a relevant variable; IPMVP: an independent
 *              one). CalTRACK has no such variable: what it says of weather holds of it as well, days without it are
 *              missing, its slope is above 0 and significant, and there are no degree days for it to have enough of
 *   3.4.1, 2   least squares; a month weighs as many days as it counts with
 *   3.4.3.2    slopes are above 0, the base is not below
 *   3.4.3.3    of what is left the highest R2 counts (of models with as many variables the adjusted one is the same order);
 *              of equals the lowest heating, then the lowest cooling temperature
 *   IPMVP      each slope is at least twice its standard error (C: rule of thumb, to be checked)
 *   Guideline 14 of ASHRAE: CV(RMSE) at most 15 % and NMBE within 5 % by months, 30 % and 10 % by hours (C). It has no
 *              limits for days: those of hours are taken. R2 has none.
 *   3.5.1, 3.5.2, 3.6.1  avoided = expected - metered, over the days of the reporting period that have both. Here a day
 *              counts only where it is wholly known: nothing that is filled is avoided
 */
#pragma once

#include "collector/baseline/people.h"
#include "collector/baseline/regress.h"
#include "collector/baseline/weather.h"
#include "collector/energy/day.h"

#define EXPECTED_CV_RMSE_MONTH 0.15
#define EXPECTED_CV_RMSE_DAY 0.30
#define EXPECTED_NMBE_MONTH 0.05
#define EXPECTED_NMBE_DAY 0.10

struct expected_day {
    int64_t month; /* number of its month (periods.h) */
    struct day_energy energy;
    int32_t temperature_mc; /* WEATHER_NONE = there is none */
    int64_t people_m;       /* mean, in thousandths of a person; PEOPLE_NONE, PEOPLE_BEHIND = not known */
};

enum expected_reason {
    EXPECTED_GOOD,
    EXPECTED_DAYS_MISSING,
    EXPECTED_MONTHS_MISSING,
    EXPECTED_NO_WEATHER,    /* too few degree days, or they never change, at every balance temperature */
    EXPECTED_NEGATIVE,      /* less energy the colder, or hotter; or a base below 0 */
    EXPECTED_INSIGNIFICANT, /* a slope that could as well be 0 */
    EXPECTED_CV_RMSE,
    EXPECTED_NMBE,
    EXPECTED_NO_PEOPLE, /* of them there are always as many */
    EXPECTED_BEHIND, /* days or months are missing, but enough of them only people who are being reckoned */
};

struct expected_model {
    enum expected_reason reason;
    int64_t days, missing_days, filled_days; /* missing: no energy, temperature or people */
    int64_t no_energy_days, no_temperature_days, no_people_days;
    int64_t behind_days;  /* missing, of which nothing is missing but people who are being reckoned */
    double known, stated; /* energy of the days that count; of that estimated or manual. Base units */
    int64_t periods;      /* days or months that count */
    int32_t lowest_mc, highest_mc;
    int64_t fewest_m, most_m; /* people of the days that count */
    /* Where there is a fit, of which `reason` may say that it does not do: */
    bool has_fit;
    int variables;
    bool has_heating, has_cooling, has_people;
    int64_t heating_c, cooling_c; /* balance temperatures */
    struct regress fit; /* of base units a day; variables: heating, cooling in degree days a day, people */
};

/* `days` are all of the baseline period, in order. */
void expected_fit(const struct park_baseline *baseline, const struct expected_day *days, size_t count,
    struct expected_model *ret);

/* Base units that such a day was to take. */
double expected_energy(const struct expected_model *model, const struct expected_day *day);
/* The slope; false where the model has none. */
bool expected_heating(const struct expected_model *model, double *ret_slope, double *ret_t);
bool expected_cooling(const struct expected_model *model, double *ret_slope, double *ret_t);
bool expected_people(const struct expected_model *model, double *ret_slope, double *ret_t);

enum avoided_reason {
    AVOIDED_GOOD,
    AVOIDED_NO_MODEL,     /* the model was refused */
    AVOIDED_BEFORE,       /* nothing of the period is of the reporting period, and over */
    AVOIDED_TOO_SHORT,    /* a model of months says nothing of less than 28 days */
    AVOIDED_DAYS_MISSING, /* more than a tenth of the days */
    AVOIDED_BEHIND,       /* the same, but of enough of them only people who are being reckoned */
};

struct avoided {
    enum avoided_reason reason;
    int64_t days, missing_days; /* missing: not wholly known, or without a temperature or people */
    int64_t
        outside_days; /* of those that count: further than a tenth of their range beyond the baseline's temperatures, or people */
    /* Base units, over the days that count; only where AVOIDED_GOOD. */
    int64_t metered;
    double stated; /* of it, estimated or manual */
    double expected, avoided;
    /* At 68 % confidence (t = 1), by Guideline 14, annex B (C: to be checked): 1.26 x CV(RMSE) x expected x
     * sqrt(n / n' x (1 + 2 / n') / m), with n periods of the baseline, m of the reporting period, and of days n' = n x
     * (1 - r) / (1 + r), r the autocorrelation of the residuals where it is above 0. */
    double uncertainty;
};

/* `days` are those of the reporting period that are over, in order. */
void expected_avoided(const struct park_baseline *baseline, const struct expected_model *model,
    const struct expected_day *days, size_t count, struct avoided *ret);
