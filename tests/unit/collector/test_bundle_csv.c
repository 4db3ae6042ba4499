/* The CSV and the manifest of evidence bundles: whatever was written is read back, and what a spreadsheet would run is text. */
#include "collector/bundle/csv.h"
#include "collector/bundle/manifest.h"
#include "lib/mem.h"
#include "tests/unit/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#define HEADING "first,second,third"

static struct span span_of_buf(const struct buf *b)
{
    return (struct span){b->data, b->len};
}

static void test_random_texts_come_back(void **state)
{
    (void)state;
    static const char letters[] = "a,\"\r\n=+-@'\t 0\xc3\xa9";
    for (int round = 0; round < 3000; round++) {
        char texts[3][12];
        struct buf out = {0};
        csv_begin(&out, HEADING);
        for (int i = 0; i < 3; i++) {
            size_t length = (i == 0) + random_below(10);
            for (size_t k = 0; k < length; k++)
                texts[i][k] = letters[random_below(sizeof letters - 1)];
            texts[i][length] = '\0';
            csv_text(&out, span_of(texts[i]));
        }
        csv_end(&out);
        struct csv csv;
        struct error err = {""};
        bool has_row;
        assert_int_equal(csv_open(&csv, "x.csv", span_of_buf(&out), HEADING, &err), ST_OK);
        if (csv_next(&csv, &has_row, &err) != ST_OK)
            fail_msg("%s: %s", err.text, out.data);
        assert_true(has_row);
        for (size_t i = 0; i < 3; i++)
            assert_string_equal(csv_read_text(&csv, i).at, texts[i]);
        assert_int_equal(csv_next(&csv, &has_row, &err), ST_OK);
        assert_false(has_row);
        csv_close(&csv);
        buf_release(&out);
    }
}

static void test_a_formula_is_written_as_text_and_a_negative_number_as_a_number(void **state)
{
    (void)state;
    struct buf out = {0};
    csv_int(&out, -5);
    csv_text(&out, SPAN("=1+1"));
    csv_text(&out, SPAN("-5"));
    csv_none(&out);
    csv_time(&out, 1772438400123);
    csv_end(&out);
    assert_string_equal(out.data, "-5,\"'=1+1\",\"'-5\",,2026-03-02T08:00:00.123Z\r\n");
    buf_release(&out);
}

static void test_what_is_no_row_is_refused_with_its_line(void **state)
{
    (void)state;
    static const struct {
        const char *rows, *error;
    } cases[] = {{"a,b\r\n", "x.csv:2: too few fields"},
        {"a,b,c,d\r\n", "x.csv:2: too many fields, or no end of the line"},
        {"a,b,c\r\n1,2,3", "x.csv:3: too many fields, or no end of the line"},
        {"a,\"b,c\r\n", "x.csv:2: a quote without an end"}, {"a,\"b\"b,c\r\n", "x.csv:2: too few fields"},
        {"\r\n", "x.csv:2: too few fields"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf text = {0};
        struct csv csv;
        struct error err = {""};
        bool has_row = true;
        enum status status = ST_OK;
        csv_begin(&text, HEADING);
        buf_add_str(&text, cases[i].rows);
        assert_int_equal(csv_open(&csv, "x.csv", span_of_buf(&text), HEADING, &err), ST_OK);
        while (status == ST_OK && has_row)
            status = csv_next(&csv, &has_row, &err);
        assert_int_equal(status, ST_INVALID);
        assert_string_equal(err.text, cases[i].error);
        csv_close(&csv);
        buf_release(&text);
    }
    struct csv csv;
    struct error err = {""};
    assert_int_equal(csv_open(&csv, "x.csv",
                         SPAN("\xEF\xBB\xBF"
                              "first,second\r\n"),
                         HEADING, &err),
        ST_INVALID);
    assert_string_equal(err.text, "x.csv:1: expected the heading " HEADING);
}

static void test_bytes_are_pairs_of_lower_case_digits(void **state)
{
    (void)state;
    static const struct {
        const char *row;
        bool is_good;
    } cases[] = {
        {"00ff7a,,x\r\n", true}, {"00ff7,,x\r\n", false}, {"00FF7a,,x\r\n", false}, {"00f 7a,,x\r\n", false}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct csv csv;
        struct error err;
        struct buf out = {0}, bytes = {0};
        bool has_row;
        csv_begin(&out, HEADING);
        buf_add_str(&out, cases[i].row);
        assert_int_equal(csv_open(&csv, "x.csv", span_of_buf(&out), HEADING, &err), ST_OK);
        assert_int_equal(csv_next(&csv, &has_row, &err), ST_OK);
        assert_int_equal(csv_read_bytes(&csv, 0, &bytes), cases[i].is_good);
        if (cases[i].is_good) {
            assert_int_equal(bytes.len, 3);
            assert_memory_equal(bytes.data, "\x00\xff\x7a", 3);
            assert_true(csv_read_bytes(&csv, 1, &bytes)); /* none is no bytes */
            assert_int_equal(bytes.len, 3);
        }
        csv_close(&csv);
        buf_release(&bytes);
        buf_release(&out);
    }
}

static void test_a_manifest_comes_back(void **state)
{
    (void)state;
    struct manifest m = {.about = {mem_strdup("s1"), mem_strdup("2026-03"), mem_strdup("0.1.0"),
                             1772438400123, 1772438400456}},
                    again;
    struct buf text = {0}, written = {0};
    struct error err = {""};
    manifest_add(&m, "quarters.csv", SPAN("abc"));
    manifest_add(&m, "readings/a.csv", SPAN(""));
    manifest_write(&m, &text);
    assert_string_equal(text.data,
        "parkmon evidence 1\nprogram 0.1.0\nsite s1\nperiod 2026-03\nas_of "
        "2026-03-02T08:00:00.123Z\nreckoned 2026-03-02T08:00:00.456Z\n"
        "part ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad 3 quarters.csv\n"
        "part e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 0 readings/a.csv\n");
    assert_int_equal(manifest_read(&again, span_of_buf(&text), &err), ST_OK);
    manifest_write(&again, &written);
    assert_string_equal(written.data, text.data);
    manifest_release(&again);
    assert_int_equal(manifest_read(&again, (struct span){text.data, text.len - 1}, &err), ST_INVALID);
    assert_memory_equal(err.text, "manifest.txt:8: ", 16);
    manifest_release(&m);
    buf_release(&text);
    buf_release(&written);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_texts_come_back),
        cmocka_unit_test(test_a_formula_is_written_as_text_and_a_negative_number_as_a_number),
        cmocka_unit_test(test_what_is_no_row_is_refused_with_its_line),
        cmocka_unit_test(test_bytes_are_pairs_of_lower_case_digits),
        cmocka_unit_test(test_a_manifest_comes_back),
    };
    return cmocka_run_group_tests(tests, random_set_up, NULL);
}
