/*
 * By what meters are heard, and behind which gateways they are (CONTRIBUTING.md, W8): a silent gateway is one alarm, and no meter or
 * point behind it is one. Pure.
 */
#pragma once

#include "collector/alarm/rule.h"

#define ALARM_METER_POINTS 2
/* The points by which a meter is heard at a time, its register's and its power's: how many. 0: by none. */
int alarm_meter_points(const struct park_meter *m, int64_t time_ms, const char *ret[ALARM_METER_POINTS]);

/* The gateways behind which a rule of no_data has meters and points at a time, and that no rule of no_data at least as severe
 * watches by name: it watches them by itself, unless another such rule does (alarm_watches_lay_out). Each once; released by alarm_targets_release. None of a rule of another kind. */
struct alarm_target *alarm_targets_behind(const struct alarm_rules *rules, const struct alarm_rule *rule,
    const struct park *park, int64_t time_ms, size_t *ret_count);
/* Until when that is so, because a meter is heard by another point from then on; INT64_MAX: for ever. */
int64_t alarm_behind_until_ms(const struct park *park, int64_t time_ms);
