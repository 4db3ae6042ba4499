/* An amount beside that of an earlier period, where the two can be compared; else why they cannot. Pure. */
#pragma once

#include "collector/energy/amounts.h"

/* The period before, and the same one a year before. False: there is none (a 29 February; before 1970). */
bool compare_before(struct period period, struct period *ret);
bool compare_year_before(struct period period, struct period *ret);

/* Covered of due quarter hours (amount_covered, amount_due) in thousandths, rounded down; 0 where none was due. 90 % is
 * what the completeness of uploaded data of key units has to reach (B: one public source). */
int compare_coverage_permille(const struct amount *amount);
#define COMPARE_COVERAGE_PERMILLE 900

enum compare_reason {
    COMPARE_GOOD,
    COMPARE_UNKNOWN_NOW,
    COMPARE_UNKNOWN_THEN,
    COMPARE_COVERAGE_NOW, /* below 90 % */
    COMPARE_COVERAGE_THEN,
    COMPARE_OTHER_METERS, /* what was measured then was not measured by the same meters */
    COMPARE_NO_PERIOD,    /* there is no such period */
    COMPARE_TOO_LARGE,
};
extern const char *const compare_reasons[]; /* codes by enum compare_reason */

struct comparison {
    enum compare_reason reason;
    int64_t difference; /* now - then; only where COMPARE_GOOD */
    bool has_ratio;     /* then is above 0 */
    int64_t permille;   /* of the difference, of then: rounded half away from zero */
};

/* `is_same`: the same meters, each there in all of both periods. */
struct comparison compare(const struct amount *now, const struct amount *then, bool is_same);
