#include "lib/decimal.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define DIGITS_MAX 18

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool decimal_parse(const char *text, struct decimal *ret)
{
    bool is_negative = *text == '-', has_point = false;
    text += is_negative;
    int64_t value = 0;
    int digits = 0, scale = 0;
    if (!is_digit(*text))
        return false;
    for (; *text != '\0'; text++) {
        if (*text == '.' && !has_point && is_digit(text[1])) {
            has_point = true;
            continue;
        }
        scale += has_point;
        if (!is_digit(*text) || ++digits > DIGITS_MAX || scale > DECIMAL_SCALE_MAX)
            return false;
        value = 10 * value + (*text - '0');
    }
    *ret = (struct decimal){is_negative ? -value : value, scale};
    return true;
}

size_t decimal_format(struct decimal decimal, char text[static DECIMAL_TEXT_SIZE])
{
    char digits[NUMBER_INT64_SIZE];
    size_t length = number_format_int64(decimal.value, digits);
    size_t sign = decimal.value < 0, scale = (size_t)decimal.scale;
    digits[length] = '\0';
    /* At least one digit before the point. */
    size_t missing = length - sign > scale ? 0 : scale + 1 - (length - sign);
    int before = (int)(length - sign + missing - scale);
    char padded[DECIMAL_TEXT_SIZE];
    snprintf(padded, sizeof padded, "%.*s%s", (int)missing, "0000000000", digits + sign);
    int written = snprintf(text, DECIMAL_TEXT_SIZE, "%s%.*s%s%s", sign ? "-" : "", before, padded,
        scale > 0 ? "." : "", padded + before);
    return (size_t)written;
}

static unsigned __int128 power_of_ten(int exponent)
{
    unsigned __int128 power = 1;
    while (exponent-- > 0)
        power *= 10;
    return power;
}

bool decimal_multiply(struct decimal a, struct decimal b, int scale, struct decimal *ret)
{
    assert(a.scale >= 0 && a.scale <= DECIMAL_SCALE_MAX && b.scale >= 0 && b.scale <= DECIMAL_SCALE_MAX);
    assert(scale >= 0 && scale <= DECIMAL_SCALE_MAX);
    __int128 product = (__int128)a.value * b.value; /* at most 2^126 */
    bool is_negative = product < 0;
    unsigned __int128 size = is_negative ? -(unsigned __int128)product : (unsigned __int128)product;
    unsigned __int128 limit = (unsigned __int128)INT64_MAX + is_negative;
    int excess = a.scale + b.scale - scale; /* digits behind the point that go */
    if (excess > 0) {
        unsigned __int128 unit = power_of_ten(excess), rest = size % unit;
        size = size / unit + (rest >= unit - rest);
    } else {
        unsigned __int128 unit = power_of_ten(-excess);
        if (size > limit / unit)
            return false;
        size *= unit;
    }
    if (size > limit)
        return false;
    *ret = (struct decimal){(int64_t)(is_negative ? -(uint64_t)size : (uint64_t)size), scale};
    return true;
}

bool decimal_add(struct decimal a, struct decimal b, struct decimal *ret)
{
    assert(a.scale == b.scale);
    int64_t sum;
    if (__builtin_add_overflow(a.value, b.value, &sum))
        return false;
    *ret = (struct decimal){sum, a.scale};
    return true;
}
