/* What collector/model/tariff*.c share. */
#pragma once

#include "collector/model/tariff.h"

/* Reads what is written; tells what is no hours, off the quarter hour, or in two bands. A whole day has no hole
 * either. False where something was told. */
bool tariff_hours_read(
    struct conf *c, const struct conf_where *where, struct tariff_hours *hours, bool is_whole_day);
void tariff_holiday_check(struct conf *c, struct tariff_holiday *holiday);
void tariff_season_check(struct conf *c, struct tariff_season *season);
void tariff_schedule_check(struct conf *c, struct tariff_schedule *schedule);
void tariff_prices_check(struct conf *c, struct tariff_prices *prices, const struct tariff *tariff);
void tariff_check(struct conf *c, const struct tariff *tariff);
/* Across the whole file. */
void tariffs_check(struct conf *c, struct tariffs *tariffs);
