/*
 * Exact decimals: an integer and how many of its digits stand behind the point. Prices, emission factors and amounts
 * are these; nothing here is a float, and nothing is rounded but once, where it says so. Pure.
 */
#pragma once

#include "lib/number.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DECIMAL_SCALE_MAX 9

struct decimal {
    int64_t value; /* times 10^-scale */
    int scale;     /* 0 to DECIMAL_SCALE_MAX */
};

/* The whole of a text such as "0.4974", "-12", "1.3300": digits, at most one point with digits on both sides and at
 * most nine behind it, at most 18 in all. The zeros at its end are kept: a printed value is shown as it was printed. */
bool decimal_parse(const char *text, struct decimal *ret);
/* As it was parsed. Returns the length. */
#define DECIMAL_TEXT_SIZE 32
size_t decimal_format(struct decimal decimal, char text[static DECIMAL_TEXT_SIZE]);

/* a x b in units of 10^-scale: the exact product, rounded once, half away from zero. `scale` is 0 to
 * DECIMAL_SCALE_MAX. False where the result is beyond int64. */
bool decimal_multiply(struct decimal a, struct decimal b, int scale, struct decimal *ret);
/* Adds two of the same scale; false where the sum is beyond int64. */
bool decimal_add(struct decimal a, struct decimal b, struct decimal *ret);
