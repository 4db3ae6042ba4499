/* What the collector's settings name beside the park: factors, by which amounts become coal equivalent and CO2, and
 * tariffs, by which they become money. Optional; immutable once loaded. */
#pragma once

#include "collector/model/factor.h"
#include "collector/model/tariff.h"

struct rates {
    struct factors *factors; /* NULL = none named */
    struct tariffs *tariffs; /* NULL = none named */
};

/* NULL paths are fine: there are none. Sites are looked up in `park` where it is given and has no problems. */
void rates_init(
    struct rates *rates, const char *factors_path, const char *tariffs_path, const struct park *park);
void rates_release(struct rates *rates);
/* With problems they must not be used, only released. */
size_t rates_problem_count(const struct rates *rates);
void rates_print_problems(const struct rates *rates, FILE *out);
