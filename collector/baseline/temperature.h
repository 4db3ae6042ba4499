/*
 * Temperatures that baselines go by, in the collector's database: of each quarter hour the first reading in it, in
 * thousandths of a degree Celsius. They are kept as long as the database is: a model of two years must be worked out
 * again after the raw readings went.
 *
 *   temperature_point  a gauge that the park model names, "<gateway>/<point>"; is_used: it names it now
 *   temperature        time_ms: of the reading. Of two at one time the one that was journalled first counts (D5)
 *   cursor             'temperature': the batch up to which the journal was taken
 *
 * A row is a function of the set of readings: in whatever order they come, and however often.
 */
#pragma once

#include "collector/model/periods.h"
#include "lib/db.h"

extern const char temperature_schema[];

/* No air is colder or hotter (World Meteorological Organization: -89.2 and 56.7): what is beyond is a sensor that failed. */
#define TEMPERATURE_LEAST_MC (-90000)
#define TEMPERATURE_MOST_MC 60000
/* Thousandths, rounded to nearest. False: beyond the above. */
bool temperature_of(double celsius, int32_t *ret_mc);

/* The number of a point; 0 = none. */
enum status temperature_point(struct db *db, const char *name, int64_t *ret_id, struct error *err);
/* Within a transaction. */
enum status temperature_put(struct db *db, int64_t point, int64_t time_ms, int32_t mc, struct error *err);
/* By quarter hour of the span; WEATHER_NONE (collector/baseline/weather.h) where there is none. */
enum status temperature_read(
    struct db *db, int64_t point, struct periods_span span, int32_t *ret, struct error *err);
