/*
 * Tariffs (config/tariffs.cfg): which band a quarter hour of the site's local day is in, and what a unit of the
 * carrier costs in it. Schedules and prices count for the days that they name and name their document; for one day
 * there is one or none, and none says why. Loaded and checked as a whole, then immutable: every thread may read it.
 *
 * A day is divided into 96 quarter hours of wall time, and each is in exactly one band. Where clocks are changed, the
 * hour that comes twice is twice in its band, and the one that is left out is in none.
 */
#pragma once

#include "collector/model/park.h"
#include "collector/model/source.h"
#include "collector/model/validity.h"
#include "lib/decimal.h"

enum tariff_band { TARIFF_SHARP, TARIFF_PEAK, TARIFF_FLAT, TARIFF_VALLEY, TARIFF_DEEP };
#define TARIFF_BANDS 5
extern const char *const tariff_bands[]; /* names by enum tariff_band, NULL-terminated */
#define TARIFF_QUARTERS 96

/* The hours of each band as written ("08:00-11:00, 13:00-17:00"; NULL = none), and what that makes of a day. */
struct tariff_hours {
    char *written[TARIFF_BANDS];
    int8_t band[TARIFF_QUARTERS]; /* by quarter of the day (periods_quarter_of_day); -1 = not said */
};

/* Days off, by their dates. */
struct tariff_holiday {
    struct conf_where where;
    char *id, *name, *name_en;
    struct conf_list days; /* char *: "2026-05-01" or "2026-02-15/2026-02-23", both included */
    char *document;
    int confidence; /* enum source_confidence */
    struct validity *spans;
    size_t span_count;
};

struct tariff_season {
    struct conf_where where;
    char *months_text; /* "2-6, 9-11" */
    unsigned months;   /* bit 1 << month */
    struct tariff_hours hours;
};

/* What holds instead of the season's hours on some holidays. */
struct tariff_exception {
    struct conf_where where;
    struct conf_list on; /* char *: ids of holidays */
    char *disputed;      /* what is not certain about it; NULL = nothing */
    struct tariff_hours hours;
    const struct tariff_holiday **holidays; /* `on`, resolved */
};

struct tariff_schedule {
    struct conf_where where;
    char *from, *through;
    struct validity validity;
    char *document, *note;
    int confidence;
    struct conf_list seasons, exceptions;
};

struct tariff_prices {
    struct conf_where where;
    char *from, *through;
    struct validity validity;
    char *unit, *document, *note;
    int confidence;
    char *written[TARIFF_BANDS];        /* NULL = none for this band */
    struct decimal price[TARIFF_BANDS]; /* in `unit` */
};

struct tariff {
    struct conf_where where;
    char *id, *name, *name_en;
    int carrier;            /* enum park_carrier */
    struct conf_list sites; /* char *: ids of the sites that pay by it */
    struct conf_list schedules, prices;
};

struct tariffs {
    struct conf_list holidays, tariffs;
    struct conf *conf; /* owns the strings, and has the problems (conf_problem_count, conf_print_problems) */
};

/* Always returned; what has problems must not be used but may be destroyed. */
struct tariffs *tariffs_load(const char *path);
struct tariffs *tariffs_load_text(const char *name, struct span text); /* as conf_load_text does */
void tariffs_destroy(struct tariffs *tariffs);                         /* accepts NULL */
/* Whether the sites that are named are the park's: problems of `tariffs`. */
void tariffs_check_sites(struct tariffs *tariffs, const struct park *park);

/* NULL where the site has none for this carrier. */
const struct tariff *tariffs_find(const struct tariffs *tariffs, const char *site, int carrier);

/* A local day under a tariff. */
struct tariff_day {
    const struct tariff_schedule *schedule;
    const struct tariff_exception *exception; /* NULL = the season's hours alone */
    int8_t band[TARIFF_QUARTERS];             /* by quarter of the day */
    const struct tariff_prices *prices;       /* NULL = none for this day */
};
/* `day` counts from 1970-01-01 (periods_of). False, with the reason in one line, where no schedule counts, or where
 * it has exceptions on holidays whose dates of that year are not given: it is not known then which bands hold. */
bool tariff_day(const struct tariff *tariff, int64_t day, struct tariff_day *ret, struct error *why);

/* What an amount in base units (Wh, J, L) costs at a price, in 0.01 yuan: the exact product, rounded once, half away
 * from zero. False where that is beyond int64. */
bool tariff_cost(const struct tariff *tariff, int64_t amount, struct decimal price, int64_t *ret_fen);
/* The same in yuan, rounded to 0.00001: of a single quarter hour a fen may be much. */
bool tariff_cost_fine(
    const struct tariff *tariff, int64_t amount, struct decimal price, struct decimal *ret_yuan);
/* The unit of its prices: yuan/kWh, yuan/GJ, yuan/m3. */
const char *tariff_unit(int carrier);

/* --help-tariffs: every key. */
extern const struct conf_section tariffs_section;
