/* What collector/model/difference*.c share. */
#pragma once

#include "collector/model/difference.h"

struct difference_case {
    const struct facts *before, *after;
    const struct difference_now *now;
    const char *path;
    const struct fact *old, *new; /* NULL = not there */
};

/* *ret_expected: what else would do where it is of the past, never NULL. */
enum difference_weight difference_weigh(const struct difference_case *c, const char **ret_expected);
