/* Numbers, fractions and times as people and peers write them. Oracles are the C library's own functions. */
#include "lib/id.h"
#include "lib/mem.h"
#include "lib/number.h"
#include "lib/rfc3339.h"
#include "tests/fuzz/fuzz.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <time.h>

static void check_int64(const char *text, size_t len)
{
    int64_t value, again;
    uint64_t unsigned_value;
    char digits[NUMBER_INT64_SIZE];
    if (number_parse_int64(text, len, &value)) {
        errno = 0;
        LAW(strtoll(text, NULL, 10) == value && errno == 0, "an integer is read as another");
        size_t digits_len = number_format_int64(value, digits);
        LAW(digits_len == strlen(digits) && number_parse_int64(digits, digits_len, &again) && again == value,
            "an integer is not read back");
    }
    if (number_parse_uint64(text, len, &unsigned_value)) {
        errno = 0;
        LAW(strtoull(text, NULL, 10) == unsigned_value && errno == 0,
            "an unsigned integer is read as another");
    }
    uint64_t epoch;
    if (number_parse_hex16(text, len, &epoch)) {
        char hex[EPOCH_TEXT_SIZE];
        epoch_format(epoch, hex);
        LAW(strcmp(hex, text) == 0, "hex digits are not written back");
    }
}

static int count_digits(const char *text)
{
    char digits[NUMBER_DOUBLE_SIZE];
    int count = 0, trailing = 0;
    for (; *text != '\0' && *text != 'e'; text++)
        if (*text >= '0' && *text <= '9' && (count > 0 || *text != '0'))
            digits[count++] = *text;
    while (trailing < count && digits[count - 1 - trailing] == '0')
        trailing++;
    return count - trailing;
}

static void check_format_double(double value)
{
    char text[NUMBER_DOUBLE_SIZE];
    size_t len = number_format_double(value, text);
    LAW(len == strlen(text) && len < sizeof text, "a length that is not the text's");
    double again;
    LAW(number_parse_double(text, len, &again) && memcmp(&again, &value, sizeof value) == 0,
        "%.17g is written \"%s\", which is another", value, text);
    char shorter[64];
    for (int digits = count_digits(text) - 1; digits > 0; digits--) {
        snprintf(shorter, sizeof shorter, "%.*e", digits - 1, value);
        LAW(strtod(shorter, NULL) != value, "\"%s\" is longer than \"%s\"", text, shorter);
    }
}

static void check_double(const char *text, size_t len)
{
    double value;
    if (!number_parse_double(text, len, &value))
        return;
    char *end;
    double expected = strtod(text, &end);
    LAW(isfinite(value) && memcmp(&expected, &value, sizeof value) == 0 && *end == '\0',
        "a number is read as another");
    check_format_double(value);
}

/* |value x f - ret| is at most a half; all of it in integers. */
static void check_scale_int64(int64_t value, struct fraction f)
{
    int64_t ret;
    bool fits = fraction_scale_int64(value, f, &ret);
    __int128 exact = (__int128)value * f.num; /* times f.den */
    if (fits) {
        __int128 rest = exact - (__int128)ret * f.den;
        rest = rest < 0 ? -rest : rest;
        LAW(2 * rest <= f.den, "an integer is not scaled to the nearest");
    } else {
        __int128 size = exact < 0 ? -exact : exact;
        LAW(size / f.den >= INT64_MAX, "what fits is refused");
    }
    uint64_t size = value < 0 ? -(uint64_t)value : (uint64_t)value;
    int64_t of_unsigned;
    if (value >= 0 && fits)
        LAW(fraction_scale_uint64(size, f, &of_unsigned) && of_unsigned == ret, "unsigned scales otherwise");
}

static void check_scale_double(double value, struct fraction f)
{
    int64_t ret;
    if (!fraction_scale_double(value, f, &ret))
        return;
    long double expected = (long double)value * (long double)f.num / (long double)f.den;
    LAW(fabsl(expected - (long double)ret) <= 0.5L + fabsl(expected) * 0x1p-61L,
        "%.17g x %lld/%lld is scaled to %lld", value, (long long)f.num, (long long)f.den, (long long)ret);
}

static int64_t gcd(int64_t a, int64_t b)
{
    return b == 0 ? a : gcd(b, a % b);
}

static void check_fraction(const char *text, int64_t number, double real)
{
    struct fraction f;
    if (!fraction_parse(text, &f))
        return;
    LAW(f.den > 0 && gcd(llabs(f.num), f.den) == 1, "a fraction is not in lowest terms");
    long double value = strtold(text, NULL);
    const char *slash = strchr(text, '/');
    if (slash != NULL)
        value /= strtold(slash + 1, NULL);
    long double ours = (long double)f.num / (long double)f.den;
    LAW(fabsl(ours - value) <= fabsl(value) * 0x1p-60L, "\"%s\" is read as %lld/%lld", text, (long long)f.num,
        (long long)f.den);
    check_scale_int64(number, f);
    if (isfinite(real))
        check_scale_double(real, f);
    struct fraction square, inverse = {f.num < 0 ? -f.den : f.den, llabs(f.num)};
    if (f.num != 0)
        LAW(fraction_multiply(f, inverse, &square) && square.num == 1 && square.den == 1,
            "a fraction times its inverse is not 1");
    if (fraction_multiply(f, f, &square))
        LAW(square.num >= 0 && square.den > 0 && gcd(square.num, square.den) == 1,
            "a product is not in lowest terms");
}

static void check_time(const char *text)
{
    int64_t time_ms;
    if (!rfc3339_parse(text, &time_ms))
        return;
    struct tm tm = {0};
    const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
    LAW(rest != NULL, "\"%s\" is no time to the C library", text);
    double seconds = 0;
    int hours = 0, minutes = 0, sign = 1;
    if (*rest == '.')
        seconds = strtod(rest, (char **)(uintptr_t)&rest);
    if (*rest != 'Z') {
        sign = *rest == '-' ? -1 : 1;
        LAW(sscanf(rest + 1, "%d:%d", &hours, &minutes) == 2, "\"%s\" has no offset", text);
    }
    int64_t expected = (timegm(&tm) - sign * (hours * 3600 + minutes * 60)) * INT64_C(1000) +
                       llrint(seconds * 1e9) / 1000000;
    LAW(time_ms == expected, "\"%s\" is read as %lld", text, (long long)time_ms);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* Eight bytes as a number and as a double, the rest as text. */
    int64_t number = 0;
    double real = 0;
    if (size < sizeof number)
        return 0;
    memcpy(&number, data, sizeof number);
    memcpy(&real, data, sizeof real);
    if (isfinite(real))
        check_format_double(real);
    size -= sizeof number;
    char *text = mem_strndup((const char *)data + sizeof number, size);
    check_fraction(text, number, real);
    check_time(text);
    if (strlen(text) == size) {
        check_int64(text, size);
        check_double(text, size);
    }
    free(text);
    return 0;
}
