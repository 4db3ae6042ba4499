/* Numbers at the border: whole strings, checked ranges, exact decimals. Nothing here guesses. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The whole of text[0..len) is a decimal integer, optional '-', no '+', no spaces. False on overflow. */
bool number_parse_int64(const char *text, size_t len, int64_t *ret);
bool number_parse_uint64(const char *text, size_t len, uint64_t *ret);
/* Exactly 16 lower-case hex digits. */
bool number_parse_hex16(const char *text, size_t len, uint64_t *ret);
/* The whole of text[0..len) is a finite decimal floating-point number (no hex, inf, nan, spaces). */
bool number_parse_double(const char *text, size_t len, double *ret);
/* Writes the shortest decimal that reads back as the same double ("0.1", "6.632243e+06"): the format of
 * InfluxDB's own tools. Finite values only. Returns the length, without the NUL. */
#define NUMBER_DOUBLE_SIZE 32
size_t number_format_double(double value, char text[static NUMBER_DOUBLE_SIZE]);
/* Appends nothing else: digits of `value`, as "%lld" would, only faster. Returns the length. */
#define NUMBER_INT64_SIZE 24
size_t number_format_int64(int64_t value, char text[static NUMBER_INT64_SIZE]);

/* An exact positive or negative rational; den > 0, always in lowest terms. */
struct fraction {
    int64_t num;
    int64_t den;
};
/* "0.01", "10", "-1.5", "1000/5": exact; false if malformed, a zero denominator, or beyond 18 digits. */
bool fraction_parse(const char *text, struct fraction *ret);
bool fraction_multiply(struct fraction a, struct fraction b, struct fraction *ret); /* false on overflow */
/* value x f, rounded to nearest, half away from zero; false when the result is beyond int64. */
bool fraction_scale_int64(int64_t value, struct fraction f, int64_t *ret);
bool fraction_scale_uint64(uint64_t value, struct fraction f, int64_t *ret);
/* The same for a double, by its exact binary value; false for NaN, infinities and beyond int64. */
bool fraction_scale_double(double value, struct fraction f, int64_t *ret);
