/*
 * What the books say of a meter for an alarm's rule: of the newest night that is over, and of yesterday's gap. A few rows.
 */
#pragma once

#include "collector/alarm_facts.h"

/* Of the kinds that the books tell of: a night's base load or water, and a parent's balance. */
enum status alarm_books_gather(const struct alarm_sources *s, const struct alarm_rule *rule,
    const char *meter, struct alarm_facts *f, struct error *err);
