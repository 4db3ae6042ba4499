/* What the collector's settings name beside the park: the factors by which amounts become coal equivalent and CO2.
 * Optional; immutable once loaded. */
#pragma once

#include "collector/model/factor.h"

struct rates {
    struct factors *factors; /* NULL = none named */
};

/* A NULL path is fine: there are none. */
void rates_init(struct rates *rates, const char *factors_path);
void rates_release(struct rates *rates);
/* With problems they must not be used, only released. */
size_t rates_problem_count(const struct rates *rates);
void rates_print_problems(const struct rates *rates, FILE *out);
