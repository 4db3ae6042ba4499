/* Packed readings: what is packed comes back, the bytes stay what they are, and damage is refused in words. */
#include "collector/ledger/readings.h"

#include "lib/mem.h"
#include "lib/pack.h"
#include "tests/unit/random.h"

#include <string.h>

#define BEGIN_MS INT64_C(1764547200000) /* 2025-12-01 00:00 UTC */

static void assert_same(const struct books_reading *a, const struct books_reading *b)
{
    assert_int_equal(a->time_ms, b->time_ms);
    assert_int_equal(a->count, b->count);
    assert_int_equal(a->point, b->point);
    assert_int_equal(a->journal, b->journal);
    assert_int_equal(a->is_manual, b->is_manual);
}

static void assert_back(const struct books_reading *items, size_t count, struct span packed)
{
    struct readings r = {0};
    struct error err = {""};
    if (readings_unpack(&r, BEGIN_MS, packed, &err) != ST_OK)
        fail_msg("%s", err.text);
    assert_int_equal(r.count, count);
    for (size_t i = 0; i < count; i++)
        assert_same(&items[i], &r.items[i]);
    readings_release(&r);
}

static struct span packed_of(struct buf *out, const struct books_reading *items, size_t count)
{
    buf_reset(out);
    readings_pack(out, BEGIN_MS, items, count);
    return (struct span){out->data, out->len};
}

static const struct books_reading four[] = {
    {.time_ms = BEGIN_MS, .count = 100000000, .journal = 7, .point = 71},
    {.time_ms = BEGIN_MS + 60000, .count = 100000670, .journal = 8, .point = 71},
    {.time_ms = BEGIN_MS + 120015, .count = 100001330, .journal = 9, .point = 71, .is_manual = true},
    {.time_ms = BEGIN_MS + 3599999, .count = 99, .journal = 9, .point = 72},
};

/* What lies in databases, byte by byte, as the header of the module says it. */
static void test_the_bytes_are_those_of_the_header(void **state)
{
    (void)state;
    static const unsigned char expected[] = {
        0x01, 0x3c, 0x94, 0x22, 0xf6,             /* form, checksum (as Python's zlib.crc32 has it) */
        0x04,                                     /* readings */
        0x00, 0x01,                               /* at the begin of the hour; in steps of 1 ms */
        0xc0, 0xa9, 0x07,                         /* 60000 */
        0x1e,                                     /* 60015: 15 more */
        0x82, 0xbd, 0xa1, 0x03,                   /* 3479984: 3419969 more */
        0x80, 0x84, 0xaf, 0x5f, 0x01,             /* 100000000, in steps of 1 */
        0xbc, 0x0a, 0x13, 0xc5, 0xa1, 0xaf, 0x5f, /* 670; 660: 10 less; -100001231: 100001891 less */
        0x0e, 0x01, 0x02, 0x00, 0x01,             /* 7, in steps of 1; 1; 1: as before; 0: 1 less */
        0x04, 0x8e, 0x01,                         /* two of point 71 */
        0x03, 0x8e, 0x01,                         /* one of it, manual */
        0x02, 0x90, 0x01,                         /* one of point 72 */
    };
    struct buf out = {0};
    struct span is = packed_of(&out, four, 4);
    assert_int_equal(is.len, sizeof expected);
    assert_memory_equal(is.at, expected, sizeof expected);
    assert_back(four, 4, is);
    buf_release(&out);
}

/* Numbers of every size, of the same, and of steps. */
static int64_t draw_number(int64_t before)
{
    static const int64_t extremes[] = {INT64_MIN, INT64_MIN + 1, -1, 0, 1, INT64_MAX - 1, INT64_MAX};
    switch (random_below(6)) {
    case 0:
        return extremes[random_below(7)];
    case 1:
        return (int64_t)(random_uint64() >> random_below(64));
    case 2:
        return before;
    default:
        return (int64_t)((uint64_t)before + 10 * random_below(90));
    }
}

static size_t draw(struct books_reading *items, size_t most)
{
    size_t count = 0, limit = 1 + random_below(most), apart = 1 + random_below(200000);
    for (int64_t t = BEGIN_MS + (int64_t)random_below(2 * apart);
         count < limit && t < BEGIN_MS + READINGS_HOUR_MS; t += (int64_t)(1 + random_below(apart))) {
        struct books_reading before = count > 0 ? items[count - 1] : (struct books_reading){0};
        items[count++] = (struct books_reading){.time_ms = t,
            .count = draw_number(before.count),
            .journal = draw_number(before.journal),
            .point = random_below(8) == 0 ? draw_number(before.point) : before.point,
            .is_manual = random_below(20) == 0};
    }
    if (count == 0)
        items[count++] =
            (struct books_reading){.time_ms = BEGIN_MS + READINGS_HOUR_MS - 1, .count = INT64_MIN};
    return count;
}

static void test_what_is_packed_comes_back(void **state)
{
    (void)state;
    struct books_reading items[200];
    struct buf out = {0};
    for (int i = 0; i < 4000; i++) {
        size_t count = draw(items, 200);
        assert_back(items, count, packed_of(&out, items, count));
    }
    buf_release(&out);
}

static void test_a_reading_of_each_minute_costs_four_bytes(void **state)
{
    (void)state;
    struct books_reading items[60];
    int64_t count = 123456780;
    for (int64_t i = 0; i < 60; i++) {
        items[i] = (struct books_reading){.time_ms = BEGIN_MS + 60000 * i + (int64_t)random_below(20),
            .count = count,
            .journal = 5000000 + 700 * i + (int64_t)random_below(8),
            .point = 31};
        count += 10 * (int64_t)(50 + random_below(30)); /* a register of 10 Wh at about 40 kW */
    }
    struct buf out = {0};
    assert_true(packed_of(&out, items, 60).len <= 240);
    buf_release(&out);
}

static void assert_refused(struct span packed, const char *expected)
{
    struct books_reading kept = {.time_ms = BEGIN_MS - 1, .count = 5};
    struct readings r = {0};
    struct error err = {""};
    readings_add(&r, &kept, 1);
    char *exact = mem_alloc(packed.len + 1); /* so that the sanitizer sees each byte that is read beyond it */
    memcpy(exact, packed.at, packed.len);
    exact = mem_realloc(exact, packed.len > 0 ? packed.len : 1);
    assert_int_equal(readings_unpack(&r, BEGIN_MS, (struct span){exact, packed.len}, &err), ST_INVALID);
    if (expected != NULL)
        assert_string_equal(err.text, expected);
    assert_true(strncmp(err.text, "packed readings are damaged", 27) == 0);
    assert_int_equal(r.count, 1);
    assert_same(&r.items[0], &kept);
    readings_release(&r);
    free(exact);
}

static void test_every_damaged_bit_is_refused(void **state)
{
    (void)state;
    struct books_reading items[90];
    struct buf out = {0};
    for (int round = 0; round < 6; round++) {
        struct span packed = packed_of(&out, items, draw(items, 90));
        for (size_t bit = 0; bit < 8 * packed.len; bit++) {
            out.data[bit / 8] ^= (char)(1 << bit % 8);
            assert_refused(packed, NULL);
            out.data[bit / 8] ^= (char)(1 << bit % 8);
        }
        for (size_t length = 0; length < packed.len; length++)
            assert_refused((struct span){packed.at, length}, NULL);
    }
    buf_release(&out);
}

/* Under a checksum that fits. */
static void assert_content_refused(const unsigned char *content, size_t length, const char *expected)
{
    struct buf text = {0};
    uint32_t sum = pack_checksum((struct span){(const char *)content, length});
    buf_add_char(&text, 1);
    for (int i = 0; i < 4; i++)
        buf_add_char(&text, (char)(sum >> 8 * i));
    buf_add(&text, content, length);
    assert_refused((struct span){text.data, text.len}, expected);
    buf_release(&text);
}

#define CONTENT(...) (const unsigned char[]){__VA_ARGS__}, sizeof((const unsigned char[]){__VA_ARGS__})

static void test_what_is_wrong_is_said(void **state)
{
    (void)state;
    assert_refused(SPAN("\1\0\0\0"), "packed readings are damaged: it is cut short");
    assert_refused(
        SPAN("\2\0\0\0\0\1"), "packed readings are damaged, or of a form that is not known: 2; known is 1");
    assert_refused(SPAN("\1\0\0\0\0\1"), "packed readings are damaged: its checksum is another");
    static const char fewer[] = "packed readings are damaged: it has not as many readings as it says";
    assert_content_refused(CONTENT(0), fewer);
    assert_content_refused(CONTENT(2, 0, 0, 0, 2, 0), fewer);
    assert_content_refused(CONTENT(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 0), fewer);
    assert_content_refused(CONTENT(1, 0, 0, 0), "packed readings are damaged: it is cut short");
    assert_content_refused(CONTENT(1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 2, 0),
        "packed readings are damaged: a number in it is beyond 64 bits");
    static const char runs[] = "packed readings are damaged: its runs are not as long as it";
    assert_content_refused(CONTENT(1, 0, 0, 0, 0, 0), runs);
    assert_content_refused(CONTENT(1, 0, 0, 0, 4, 0), runs);
    assert_content_refused(
        CONTENT(1, 0, 0, 0, 2, 0, 0), "packed readings are damaged: something follows its end");
    static const char times[] = "packed readings are damaged: its times are not in order, or not of its hour";
    assert_content_refused(CONTENT(1, 1, 0, 0, 2, 0), times); /* a millisecond before the hour */
    assert_content_refused(CONTENT(1, 0x80, 0xba, 0xb7, 3, 0, 0, 2, 0), times); /* 3600000 */
    assert_content_refused(CONTENT(2, 0, 1, 0, 0, 1, 0, 0, 1, 0, 4, 0), times); /* twice the same */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_bytes_are_those_of_the_header),
        cmocka_unit_test(test_what_is_packed_comes_back),
        cmocka_unit_test(test_a_reading_of_each_minute_costs_four_bytes),
        cmocka_unit_test(test_every_damaged_bit_is_refused),
        cmocka_unit_test(test_what_is_wrong_is_said),
    };
    return cmocka_run_group_tests(tests, random_set_up, NULL);
}
