#include "lib/number.h"

#include "lib/mem.h"

#include <assert.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool number_parse_uint64(const char *text, size_t len, uint64_t *ret)
{
    if (len == 0)
        return false;
    uint64_t value = 0;
    for (size_t i = 0; i < len; i++) {
        if (!is_digit(text[i]) || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(text[i] - '0'), &value))
            return false;
    }
    *ret = value;
    return true;
}

bool number_parse_int64(const char *text, size_t len, int64_t *ret)
{
    bool is_negative = len > 0 && text[0] == '-';
    uint64_t size;
    if (!number_parse_uint64(text + is_negative, len - is_negative, &size))
        return false;
    if (size > (uint64_t)INT64_MAX + is_negative)
        return false;
    /* Negated without sign, so that INT64_MIN does not overflow on the way. */
    *ret = (int64_t)(is_negative ? -size : size);
    return true;
}

bool number_parse_hex16(const char *text, size_t len, uint64_t *ret)
{
    if (len != 16)
        return false;
    uint64_t value = 0;
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        if (is_digit(c))
            value = value << 4 | (uint64_t)(c - '0');
        else if (c >= 'a' && c <= 'f')
            value = value << 4 | (uint64_t)(c - 'a' + 10);
        else
            return false;
    }
    *ret = value;
    return true;
}

static size_t skip_digits(const char *text, size_t len, size_t at)
{
    while (at < len && is_digit(text[at]))
        at++;
    return at;
}

/* strtod alone would also take spaces, hex, "inf" and "nan". */
static bool is_decimal_float(const char *text, size_t len)
{
    size_t at = len > 0 && text[0] == '-';
    size_t whole = skip_digits(text, len, at), digits = whole - at;
    at = whole;
    if (at < len && text[at] == '.') {
        size_t end = skip_digits(text, len, at + 1);
        digits += end - (at + 1);
        at = end;
    }
    if (digits == 0)
        return false;
    if (at < len && (text[at] == 'e' || text[at] == 'E')) {
        at++;
        if (at < len && (text[at] == '-' || text[at] == '+'))
            at++;
        size_t end = skip_digits(text, len, at);
        if (end == at)
            return false;
        at = end;
    }
    return at == len;
}

/* So many fit a double exactly, and so does the power of ten by which they are divided. */
#define SHORT_DIGITS 15

/* A decimal of few digits, as meters have them: the quotient of two exact numbers is rounded once, as strtod
 * rounds. False: it needs strtod. */
static bool parse_short(const char *text, size_t len, double *ret)
{
    static const double powers[SHORT_DIGITS + 1] = {
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
    bool is_negative = len > 0 && text[0] == '-', has_point = false;
    int64_t value = 0;
    int digits = 0, decimals = 0;
    for (size_t i = is_negative; i < len; i++) {
        if (is_digit(text[i]) && digits < SHORT_DIGITS) {
            value = 10 * value + (text[i] - '0');
            digits++;
            decimals += has_point;
        } else if (text[i] == '.' && !has_point) {
            has_point = true;
        } else {
            return false;
        }
    }
    if (digits == 0 || FLT_EVAL_METHOD != 0)
        return false;
    double size = (double)value / powers[decimals];
    *ret = is_negative ? -size : size;
    return true;
}

bool number_parse_double(const char *text, size_t len, double *ret)
{
    if (parse_short(text, len, ret))
        return true;
    if (!is_decimal_float(text, len))
        return false;
    char small[64], *copy = small;
    if (len >= sizeof small) {
        copy = mem_strndup(text, len);
    } else {
        memcpy(small, text, len);
        small[len] = '\0';
    }
    double value = strtod(copy, NULL);
    if (copy != small)
        free(copy);
    if (!isfinite(value))
        return false;
    *ret = value;
    return true;
}

static size_t format_uint64(uint64_t value, char *text)
{
    static const char pairs[] =
        "00010203040506070809101112131415161718192021222324252627282930313233343536373839"
        "40414243444546474849505152535455565758596061626364656667686970717273747576777879"
        "8081828384858687888990919293949596979899";
    char reversed[20], *start = reversed + sizeof reversed;
    while (value >= 100) {
        start -= 2;
        memcpy(start, pairs + 2 * (value % 100), 2);
        value /= 100;
    }
    if (value >= 10) {
        start -= 2;
        memcpy(start, pairs + 2 * value, 2);
    } else {
        *--start = (char)('0' + value);
    }
    size_t length = (size_t)(reversed + sizeof reversed - start);
    memcpy(text, start, length);
    text[length] = '\0';
    return length;
}

size_t number_format_int64(int64_t value, char text[static NUMBER_INT64_SIZE])
{
    if (value >= 0)
        return format_uint64((uint64_t)value, text);
    text[0] = '-';
    return 1 + format_uint64(-(uint64_t)value, text + 1);
}

/* Shortest digits d1 d2 ... dn of a positive value = 0.d1d2...dn x 10^point. */
struct digits {
    char text[20];
    int count;
    int point;
};

static bool reads_back(double value, const char *text)
{
    return strtod(text, NULL) == value;
}

static void take_digits(const char *scientific, struct digits *ret)
{
    const char *e = strchr(scientific, 'e');
    ret->count = 0;
    for (const char *c = scientific; c < e; c++)
        if (is_digit(*c))
            ret->text[ret->count++] = *c;
    while (ret->count > 1 && ret->text[ret->count - 1] == '0')
        ret->count--;
    ret->point = (int)strtol(e + 1, NULL, 10) + 1;
}

/* A power of two has neighbours twice as far above as below, so a decimal of 16 digits may read back although
 * the nearest one, below, does not: the next one up. No carry into a new digit happens there: those would
 * have been shorter decimals. */
static bool try_next_up(double value, char *scientific)
{
    char *last = strchr(scientific, 'e') - 1;
    while (last > scientific && (*last == '9' || *last == '.')) {
        if (*last == '9')
            *last = '0';
        last--;
    }
    if (*last == '9')
        return false;
    (*last)++;
    return reads_back(value, scientific);
}

static void shortest_digits(double value, struct digits *ret)
{
    char text[NUMBER_DOUBLE_SIZE];
    /* Every decimal of up to 15 digits survives a normal double, so 15 digits without their zeros are the
     * shortest; a subnormal holds fewer. */
    int precision = value < 0x1p-1022 ? 1 : 15;
    for (; precision < 17; precision++) {
        snprintf(text, sizeof text, "%.*e", precision - 1, value);
        if (reads_back(value, text))
            break;
        int exponent;
        if (precision == 16 && frexp(value, &exponent) == 0.5 && try_next_up(value, text))
            break;
    }
    if (precision == 17)
        snprintf(text, sizeof text, "%.16e", value);
    take_digits(text, ret);
}

/* With up to three decimals and below 10^6, as most readings are: value = thousandths / 1000 by one correctly
 * rounded division is what reading the decimal gives, so these digits read back. */
static bool few_digits(double value, struct digits *ret)
{
    if (value < 0.001 || value >= 1e6)
        return false;
    int64_t thousandths = llrint(value * 1000);
    if ((double)thousandths / 1000 != value)
        return false;
    char text[NUMBER_INT64_SIZE];
    int length = (int)format_uint64((uint64_t)thousandths, text);
    ret->point = length - 3;
    while (length > 1 && text[length - 1] == '0')
        length--;
    memcpy(ret->text, text, (size_t)length);
    ret->count = length;
    return true;
}

static char *put_zeros(char *at, int count)
{
    for (int i = 0; i < count; i++)
        *at++ = '0';
    return at;
}

size_t number_format_double(double value, char text[static NUMBER_DOUBLE_SIZE])
{
    assert(isfinite(value));
    char *at = text;
    if (signbit(value)) {
        *at++ = '-';
        value = -value;
    }
    if (value == 0) {
        *at++ = '0';
        *at = '\0';
        return (size_t)(at - text);
    }
    struct digits d;
    if (!few_digits(value, &d))
        shortest_digits(value, &d);
    int exponent = d.point - 1;
    /* The thresholds of Go's strconv.FormatFloat(value, 'g', -1, 64). */
    if (exponent < -4 || exponent >= 6) {
        *at++ = d.text[0];
        if (d.count > 1) {
            *at++ = '.';
            memcpy(at, d.text + 1, (size_t)d.count - 1);
            at += d.count - 1;
        }
        at += sprintf(at, "e%c%02d", exponent < 0 ? '-' : '+', abs(exponent));
    } else if (d.point <= 0) {
        *at++ = '0';
        *at++ = '.';
        at = put_zeros(at, -d.point);
        memcpy(at, d.text, (size_t)d.count);
        at += d.count;
    } else {
        int whole = d.count < d.point ? d.count : d.point;
        memcpy(at, d.text, (size_t)whole);
        at = put_zeros(at + whole, d.point - whole);
        if (d.count > whole) {
            *at++ = '.';
            memcpy(at, d.text + whole, (size_t)(d.count - whole));
            at += d.count - whole;
        }
    }
    *at = '\0';
    return (size_t)(at - text);
}

static uint64_t greatest_common_divisor(uint64_t a, uint64_t b)
{
    while (b != 0) {
        uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

static struct fraction lowest_terms(int64_t num, int64_t den)
{
    /* |num| <= 10^18 or a product that fits, so that -num exists. */
    int64_t divisor = (int64_t)greatest_common_divisor((uint64_t)(num < 0 ? -num : num), (uint64_t)den);
    return (struct fraction){num / divisor, den / divisor};
}

#define FRACTION_LIMIT INT64_C(1000000000000000000) /* 18 digits stay below it */

/* Digits with at most one point between them; `ret_scale` is 10 to the number of decimals. */
static bool parse_decimal(const char *text, size_t len, int64_t *ret, int64_t *ret_scale)
{
    int64_t value = 0, scale = 1;
    bool has_point = false;
    if (len == 0 || !is_digit(text[0]) || !is_digit(text[len - 1]))
        return false;
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '.' && !has_point) {
            has_point = true;
            continue;
        }
        if (!is_digit(text[i]))
            return false;
        if (value >= FRACTION_LIMIT / 10 || (has_point && scale >= FRACTION_LIMIT))
            return false;
        value = 10 * value + (text[i] - '0');
        if (has_point)
            scale *= 10;
    }
    *ret = value;
    *ret_scale = scale;
    return true;
}

bool fraction_parse(const char *text, struct fraction *ret)
{
    bool is_negative = text[0] == '-';
    text += is_negative;
    const char *slash = strchr(text, '/');
    size_t len = slash ? (size_t)(slash - text) : strlen(text);
    int64_t num, den, scale;
    if (!parse_decimal(text, len, &num, &den))
        return false;
    if (slash != NULL) {
        /* A ratio is of whole numbers. */
        if (den != 1 || !parse_decimal(slash + 1, strlen(slash + 1), &den, &scale) || scale != 1 || den == 0)
            return false;
    }
    *ret = lowest_terms(is_negative ? -num : num, den);
    return true;
}

bool fraction_multiply(struct fraction a, struct fraction b, struct fraction *ret)
{
    /* Crosswise first: then the products are in lowest terms and overflow only where the result does. */
    struct fraction x = lowest_terms(a.num, b.den), y = lowest_terms(b.num, a.den), product;
    if (__builtin_mul_overflow(x.num, y.num, &product.num) ||
        __builtin_mul_overflow(x.den, y.den, &product.den) || product.num == INT64_MIN)
        return false;
    *ret = product;
    return true;
}

static uint64_t magnitude(int64_t value)
{
    return value < 0 ? -(uint64_t)value : (uint64_t)value;
}

static bool with_sign(unsigned __int128 size, bool is_negative, int64_t *ret)
{
    if (size > (unsigned __int128)INT64_MAX + is_negative)
        return false;
    *ret = (int64_t)(is_negative ? -(uint64_t)size : (uint64_t)size);
    return true;
}

/* size x |f|, rounded half up: away from zero once the sign is back. */
static bool scale(uint64_t size, bool is_negative, struct fraction f, int64_t *ret)
{
    unsigned __int128 product = (unsigned __int128)size * magnitude(f.num);
    uint64_t den = (uint64_t)f.den;
    unsigned __int128 quotient = product / den;
    uint64_t rest = (uint64_t)(product % den);
    return with_sign(quotient + (rest >= den - rest), is_negative != (f.num < 0), ret);
}

bool fraction_scale_int64(int64_t value, struct fraction f, int64_t *ret)
{
    return scale(magnitude(value), value < 0, f, ret);
}

bool fraction_scale_uint64(uint64_t value, struct fraction f, int64_t *ret)
{
    return scale(value, false, f, ret);
}

bool fraction_scale_double(double value, struct fraction f, int64_t *ret)
{
    if (!isfinite(value))
        return false;
    bool is_negative = signbit(value) != (f.num < 0);
    int exponent;
    /* |value| = mantissa x 2^exponent, exactly. */
    uint64_t mantissa = (uint64_t)ldexp(frexp(fabs(value), &exponent), 53);
    exponent -= 53;
    if (mantissa == 0 || f.num == 0) {
        *ret = 0;
        return true;
    }
    unsigned __int128 product = (unsigned __int128)mantissa * magnitude(f.num); /* < 2^117 */
    uint64_t den = (uint64_t)f.den;
    unsigned __int128 quotient = product / den;
    uint64_t rest = (uint64_t)(product % den);
    if (exponent < -118) {
        quotient = 0;
    } else if (exponent < 0) {
        /* (quotient + rest/den) / 2^-exponent: the bits shifted out are at least a half where their highest
         * is set. */
        bool is_half_or_more = (quotient >> (-exponent - 1)) & 1;
        quotient = (quotient >> -exponent) + is_half_or_more;
    } else {
        for (; exponent > 0 && quotient <= INT64_MAX; exponent--) {
            bool carries = rest >= den - rest;
            rest = carries ? rest - (den - rest) : 2 * rest;
            quotient = 2 * quotient + carries;
        }
        if (exponent > 0)
            return false;
        quotient += rest >= den - rest;
    }
    return with_sign(quotient, is_negative, ret);
}
