/*
 * Recurrence rules (RFC 5545, 3.3.10) as times of a wall clock: seconds since 1970 as that clock counts them, without a
 * zone. Pure. Of the frequencies those of bookings: daily to yearly. libical reads rules (lib/ical.h) but does not
 * expand them here: its iterator cannot be bounded (3.0.16 was still searching after 20 s for what FREQ=DAILY;BYMONTH=2;
 * BYMONTHDAY=30 with hours and minutes never finds), and leaves BYSETPOS of a week out.
 *
 * Where the RFC leaves it open: what a rule does not say is taken from its start, also the weekday where it names weeks
 * only; a week that reaches into another year belongs to its own year, and its days count wherever they lie.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RECUR_LIST_MAX 64

enum recur_frequency { RECUR_DAILY, RECUR_WEEKLY, RECUR_MONTHLY, RECUR_YEARLY };

struct recur {
    enum recur_frequency frequency;
    int interval;   /* 1 and more */
    int64_t count;  /* 0 = no limit */
    int week_start; /* 0 = Monday */
    /* Sets by bits; 0 = not said. Of those with two, the second counts from the end: bit 1 is the last. */
    uint16_t months; /* bit 1 = January */
    uint32_t hours;
    uint64_t minutes, seconds;
    uint32_t month_days[2];
    uint64_t weeks[2];
    uint8_t weekdays; /* of every week; bit 0 = Monday */
    struct recur_nth {
        int8_t weekday; /* 0 = Monday */
        int16_t nth;    /* of the month or year; negative from its end */
    } nths[RECUR_LIST_MAX];
    int nth_count;
    int16_t year_days[RECUR_LIST_MAX], positions[RECUR_LIST_MAX]; /* negative from the end */
    int year_day_count, position_count;
};

struct recur_times {
    int64_t *items; /* ascending; owned by the caller: free */
    size_t count, capacity;
};

/* Adds the times of the rule from `start_s` on that lie in [from_s, to_s) to `out`; the start itself only if the rule
 * has it. `*steps` is how many days and times may be looked at, and is reduced by those that were. False: it did not
 * suffice, or more than `max` times would be in `out`; what was found until then is there, and nothing is missing
 * before `*ret_until_s`, which is written only then. */
bool recur_expand(const struct recur *rule, int64_t start_s, int64_t from_s, int64_t to_s, int64_t *steps,
    size_t max, struct recur_times *out, int64_t *ret_until_s);
