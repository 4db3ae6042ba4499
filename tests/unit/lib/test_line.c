#include "lib/line.h"
#include "lib/mem.h"
#include "tests/unit/random.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A copy that ends where its memory ends, so that the address sanitizer sees a read beyond the span. */
static struct span exact_copy(const char *text, size_t len)
{
    char *copy = mem_alloc(len);
    if (len > 0)
        memcpy(copy, text, len);
    return (struct span){copy, len};
}

static enum status read_exact(const char *text, size_t len, struct line *ret, struct error *err)
{
    struct span copy = exact_copy(text, len);
    enum status status = line_read(copy, ret, err);
    free((char *)copy.at);
    return status;
}

static struct line_field float_field(const char *key, double value)
{
    return (struct line_field){span_of(key), {.type = LINE_FLOAT, .f = value}};
}

static struct line_field string_field(const char *key, const char *value)
{
    return (struct line_field){span_of(key), {.type = LINE_STRING, .s = span_of(value)}};
}

static void test_a_line_is_canonical_whatever_the_order_of_its_tags(void **state)
{
    (void)state;
    const struct line_tag tags[] = {{SPAN("site"), SPAN("园 1")}, {SPAN("point"), SPAN("a=b,c")},
        {SPAN("tenant"), SPAN("")}, {SPAN("building"), SPAN("b1")}};
    const struct line_field fields[] = {{SPAN("count"), {.type = LINE_INT, .i = INT64_MIN}},
        {SPAN("ok"), {.type = LINE_BOOL, .b = true}}, float_field("amount", 0.1),
        string_field("q", "a\\\"b\t")};
    struct buf out = {0};
    buf_add_str(&out, "before\n");
    assert_int_equal(line_write(&out, SPAN("energy, all"), tags, 4, fields, 4, -5, NULL), ST_OK);
    assert_string_equal(out.data, "before\nenergy\\,\\ all,building=b1,point=a\\=b\\,c,site=园\\ 1 "
                                  "count=-9223372036854775808i,ok=true,amount=0.1,q=\"a\\\\\\\"b\t\" -5\n");
    buf_release(&out);
}

static void test_what_would_not_be_a_strict_line_is_refused_and_leaves_nothing(void **state)
{
    (void)state;
    const struct line_field good = float_field("value", 1),
                            unsigned_value = {SPAN("v"), {.type = LINE_UINT, .u = 1}};
    const struct line_tag no_tag = {SPAN("k"), SPAN("")};
    const struct {
        struct span measurement;
        struct line_tag tags[2];
        struct line_field fields[2];
        size_t field_count;
        const char *message;
    } cases[] = {
        {SPAN(""), {no_tag, no_tag}, {good}, 1, "an empty measurement"},
        {SPAN("#m"), {no_tag, no_tag}, {good}, 1, "a measurement that starts with '#' would be a comment"},
        {SPAN("m\n"), {no_tag, no_tag}, {good}, 1, "a control character in a measurement"},
        {SPAN("m\0"), {no_tag, no_tag}, {good}, 1, "a control character in a measurement"},
        {SPAN("m\\"), {no_tag, no_tag}, {good}, 1, "a measurement that ends in a backslash"},
        {SPAN("m\xff"), {no_tag, no_tag}, {good}, 1, "a measurement that is not UTF-8"},
        {SPAN("m"), {{SPAN(""), SPAN("v")}, no_tag}, {good}, 1, "an empty tag key"},
        {SPAN("m"), {{SPAN("time"), SPAN("v")}, no_tag}, {good}, 1,
            "a tag key \"time\", which the store keeps for itself"},
        {SPAN("m"), {{SPAN("k"), SPAN("v\n")}, no_tag}, {good}, 1, "a control character in a tag value"},
        {SPAN("m"), {{SPAN("k"), SPAN("v\\")}, no_tag}, {good}, 1, "a tag value that ends in a backslash"},
        {SPAN("m"), {{SPAN("k"), SPAN("v")}, {SPAN("k"), SPAN("w")}}, {good}, 1, "tag key \"k\" twice"},
        {SPAN("m"), {no_tag, no_tag}, {good}, 0, "no field"},
        {SPAN("m"), {no_tag, no_tag}, {good, good}, 2, "field key \"value\" twice"},
        {SPAN("m"), {no_tag, no_tag}, {float_field("", 1)}, 1, "an empty field key"},
        {SPAN("m"), {no_tag, no_tag}, {float_field("time", 1)}, 1,
            "a field key \"time\", which the store keeps for itself"},
        {SPAN("m"), {no_tag, no_tag}, {float_field("k\\", 1)}, 1, "a field key that ends in a backslash"},
        {SPAN("m"), {no_tag, no_tag}, {good, float_field("v", NAN)}, 2,
            "field \"v\": a value that is not finite"},
        {SPAN("m"), {no_tag, no_tag}, {float_field("v", -INFINITY)}, 1,
            "field \"v\": a value that is not finite"},
        {SPAN("m"), {no_tag, no_tag}, {unsigned_value}, 1,
            "field \"v\": an unsigned value, which the store does not take"},
        {SPAN("m"), {no_tag, no_tag}, {string_field("v", "a\nb")}, 1,
            "field \"v\": a string with a control character or not in UTF-8"},
        {SPAN("m"), {no_tag, no_tag}, {string_field("v", "\x7f")}, 1,
            "field \"v\": a string with a control character or not in UTF-8"},
        {SPAN("m"), {no_tag, no_tag}, {string_field("v", "\xc0\x80")}, 1,
            "field \"v\": a string with a control character or not in UTF-8"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf out = {0};
        struct error err;
        assert_int_equal(line_write(&out, cases[i].measurement, cases[i].tags, 2, cases[i].fields,
                             cases[i].field_count, 1, &err),
            ST_INVALID);
        assert_string_equal(err.text, cases[i].message);
        assert_int_equal(out.len, 0);
        buf_add_str(&out, "kept");
        assert_int_equal(line_write(&out, cases[i].measurement, cases[i].tags, 2, cases[i].fields,
                             cases[i].field_count, 1, &err),
            ST_INVALID);
        assert_string_equal(out.data, "kept");
        buf_release(&out);
    }
}

static void test_a_mistake_is_named_with_its_column(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *message;
    } cases[] = {
        {"", "column 1: expected a measurement"},
        {" m v=1", "column 1: expected a measurement"},
        {"m", "column 2: expected a field, not the end of the line"},
        {"m\tv=1", "column 2: expected ',' or a space after the measurement and its tags"},
        {"m\x7f v=1", "column 2: expected ',' or a space after the measurement and its tags"},
        {"m ", "column 3: expected a field key"},
        {"m, v=1", "column 3: expected a tag key"},
        {"m,a v=1", "column 4: expected '=' after the tag key"},
        {"m,a= v=1", "column 5: expected a tag value"},
        {"m,a=b=c v=1", "column 6: expected ',' or a space after the measurement and its tags"},
        {"m,a=1,b=2,a=3 v=1", "column 11: a tag key for the second time"},
        {"m,a=b\\ v=1", "column 9: expected ',' or a space after the measurement and its tags"},
        {"m v", "column 4: expected '=' after the field key"},
        {"m v=", "column 5: expected a field value"},
        {"m v=,w=1", "column 5: expected a field value"},
        {"m v=1,", "column 7: expected a field key"},
        {"m v=1, 5", "column 7: expected a field key"},
        {"m v=\"x", "column 7: expected a closing quote"},
        {"m v=\"x\\\"", "column 9: expected a closing quote"},
        {"m v=\"x\"y", "column 8: expected ',' or a space after the field"},
        {"m v=9223372036854775808i", "column 5: expected a signed 64-bit integer before 'i'"},
        {"m v=1.5i", "column 5: expected a signed 64-bit integer before 'i'"},
        {"m v=i", "column 5: expected a signed 64-bit integer before 'i'"},
        {"m v=-1u", "column 5: expected an unsigned 64-bit integer before 'u'"},
        {"m v=nan",
            "column 5: expected a finite number, an integer with 'i', true, false or a quoted string"},
        {"m v=1e999",
            "column 5: expected a finite number, an integer with 'i', true, false or a quoted string"},
        {"m v=0x10",
            "column 5: expected a finite number, an integer with 'i', true, false or a quoted string"},
        {"m v=tRUE",
            "column 5: expected a finite number, an integer with 'i', true, false or a quoted string"},
        {"m v=1 x", "column 7: expected a time stamp of 64 bits"},
        {"m v=1 1.0", "column 7: expected a time stamp of 64 bits"},
        {"m v=1 9223372036854775808", "column 7: expected a time stamp of 64 bits"},
        {"m v=1 5 6", "column 9: expected nothing after the time stamp"},
        {"m v=\"\xff\" 5", "the line is not UTF-8"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct line line;
        struct error err = {"nothing"};
        assert_int_equal(read_exact(cases[i].text, strlen(cases[i].text), &line, &err), ST_INVALID);
        assert_string_equal(err.text, cases[i].message);
    }
}

static void test_tags_and_fields_beyond_the_bounds_are_refused(void **state)
{
    (void)state;
    struct buf text = {0};
    struct line line;
    struct error err;
    buf_add_str(&text, "m");
    for (int i = 0; i < LINE_TAGS_MAX; i++)
        buf_printf(&text, ",t%d=v", i);
    size_t tags_end = text.len;
    buf_add_str(&text, " f=1");
    for (int i = 1; i < LINE_FIELDS_MAX; i++)
        buf_printf(&text, ",f%d=1", i);
    assert_int_equal(read_exact(text.data, text.len, &line, &err), ST_OK);
    assert_int_equal(line.tag_count, LINE_TAGS_MAX);
    assert_int_equal(line.field_count, LINE_FIELDS_MAX);
    buf_add_str(&text, ",more=1");
    assert_int_equal(read_exact(text.data, text.len, &line, &err), ST_INVALID);
    assert_non_null(strstr(err.text, "too many fields"));
    text.len = tags_end;
    buf_add_str(&text, ",more=v f=1");
    assert_int_equal(read_exact(text.data, text.len, &line, &err), ST_INVALID);
    assert_non_null(strstr(err.text, "too many tags"));
    buf_release(&text);
}

static void test_lines_are_taken_one_by_one(void **state)
{
    (void)state;
    static const char text[] =
        "a v=1 1\r\n\n# it's \"open\nb,t=\" v=\"x\ny\" 2\nc \"=\"\\\"\n\" 3\nd v=\"=\",w=\\\"\ne";
    static const char *const lines[] = {
        "a v=1 1", "", "# it's \"open", "b,t=\" v=\"x\ny\" 2", "c \"=\"\\\"\n\" 3", "d v=\"=\",w=\\\"", "e"};
    struct span copy = exact_copy(text, sizeof text - 1), rest = copy, line;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        assert_true(line_next(&rest, &line));
        assert_int_equal(line.len, strlen(lines[i]));
        assert_memory_equal(line.at, lines[i], line.len);
    }
    assert_false(line_next(&rest, &line));
    assert_false(line_next(&(struct span){NULL, 0}, &line));
    free((char *)copy.at);
}

/* ---- the law: what was written reads back as it was ---- */

struct sample {
    struct span measurement;
    struct line_tag tags[6];
    size_t tag_count;
    struct line_field fields[6];
    size_t field_count;
    int64_t time;
};

/* Text of characters that mean something somewhere, with `prefix` in front so that keys differ and never end
 * badly. */
static struct span random_text(char prefix, bool is_string)
{
    static const char *const pieces[] = {"a", "Z", "0", ",", " ", "=", "\\", "\"", "#", "云",
        "\xf0\x9f\x94\x8c", ".", "\\,", "\\\\", "i", "\t"};
    struct buf text = {0};
    buf_add_char(&text, prefix);
    for (size_t n = random_below(8); n > 0; n--)
        buf_add_str(&text, pieces[random_below(sizeof pieces / sizeof *pieces - !is_string)]);
    if (!is_string)
        buf_add_char(&text, 'e');
    size_t len = text.len;
    return (struct span){buf_take(&text), len};
}

static double random_double(void)
{
    double value;
    do {
        uint64_t bits = random_uint64();
        memcpy(&value, &bits, sizeof value);
    } while (!isfinite(value));
    return random_below(2) ? value : (double)(int64_t)random_below(100000000) / 1000;
}

static struct line_value random_value(void)
{
    switch (random_below(4)) {
    case 0:
        return (struct line_value){.type = LINE_INT, .i = (int64_t)random_uint64()};
    case 1:
        return (struct line_value){.type = LINE_BOOL, .b = random_below(2) == 1};
    case 2:
        return (struct line_value){.type = LINE_STRING, .s = random_text('"', true)};
    default:
        return (struct line_value){.type = LINE_FLOAT, .f = random_double()};
    }
}

static struct sample random_sample(void)
{
    struct sample s = {.measurement = random_text('m', false)};
    s.tag_count = random_below(7);
    for (size_t i = 0; i < s.tag_count; i++)
        s.tags[i] = (struct line_tag){random_text((char)('a' + i), false), random_text('"', false)};
    s.field_count = 1 + random_below(6);
    for (size_t i = 0; i < s.field_count; i++)
        s.fields[i] = (struct line_field){random_text((char)('A' + i), false), random_value()};
    s.time = (int64_t)random_uint64();
    return s;
}

static void sample_release(struct sample *s)
{
    free((char *)s->measurement.at);
    for (size_t i = 0; i < s->tag_count; i++) {
        free((char *)s->tags[i].key.at);
        free((char *)s->tags[i].value.at);
    }
    for (size_t i = 0; i < s->field_count; i++) {
        free((char *)s->fields[i].key.at);
        if (s->fields[i].value.type == LINE_STRING)
            free((char *)s->fields[i].value.s.at);
    }
}

static void assert_unescapes_to(
    struct span escaped, struct span plain, void (*unescape)(struct buf *, struct span))
{
    struct buf text = {0};
    unescape(&text, escaped);
    assert_int_equal(text.len, plain.len);
    assert_memory_equal(text.data, plain.at, plain.len);
    buf_release(&text);
}

static void assert_values_equal(const struct line_value *ours, const struct line_value *written)
{
    assert_int_equal(ours->type, written->type);
    switch (ours->type) {
    case LINE_FLOAT:
        assert_memory_equal(&ours->f, &written->f, sizeof ours->f);
        break;
    case LINE_INT:
        assert_true(ours->i == written->i);
        break;
    case LINE_BOOL:
        assert_int_equal(ours->b, written->b);
        break;
    case LINE_STRING:
        assert_unescapes_to(ours->s, written->s, line_unescape_string);
        break;
    case LINE_UINT:
        fail();
    }
}

static void test_what_is_written_reads_back_the_same(void **state)
{
    (void)state;
    struct buf out = {0};
    for (int round = 0; round < 5000; round++) {
        struct sample s = random_sample();
        /* Shuffled; the first letters say where each belongs. */
        for (size_t i = 0; i < s.tag_count; i++) {
            size_t other = random_below(s.tag_count);
            struct line_tag kept = s.tags[i];
            s.tags[i] = s.tags[other];
            s.tags[other] = kept;
        }
        buf_reset(&out);
        assert_int_equal(
            line_write(&out, s.measurement, s.tags, s.tag_count, s.fields, s.field_count, s.time, NULL),
            ST_OK);
        struct span copy = exact_copy(out.data, out.len), rest = copy, text;
        assert_true(line_next(&rest, &text));
        assert_int_equal(rest.len, 0);
        assert_int_equal(text.len, out.len - 1);
        struct line line;
        struct error err;
        if (line_read(text, &line, &err) != ST_OK)
            fail_msg("%s: %s", out.data, err.text);
        assert_unescapes_to(line.measurement, s.measurement, line_unescape_measurement);
        assert_int_equal(line.tag_count, s.tag_count);
        assert_int_equal(line.field_count, s.field_count);
        for (size_t i = 0; i < s.tag_count; i++) {
            size_t place = (size_t)(s.tags[i].key.at[0] - 'a');
            assert_unescapes_to(line.tags[place].key, s.tags[i].key, line_unescape);
            assert_unescapes_to(line.tags[place].value, s.tags[i].value, line_unescape);
        }
        for (size_t i = 0; i < s.field_count; i++) {
            assert_unescapes_to(line.fields[i].key, s.fields[i].key, line_unescape);
            assert_values_equal(&line.fields[i].value, &s.fields[i].value);
        }
        assert_true(line.has_time);
        assert_true(line.time == s.time);
        free((char *)copy.at);
        sample_release(&s);
    }
    buf_release(&out);
}

/* ---- hostile input ---- */

static void test_a_line_cut_at_any_byte_is_read_or_refused(void **state)
{
    (void)state;
    static const char text[] =
        "state\\ x,point=lab2\\,s,b=c value=\"o\\\"p\\\\en 云\",n=-12.5e-3,i=-5i,t=true 1764000000500";
    struct line line;
    struct error err;
    for (size_t len = 0; len < sizeof text; len++) {
        bool has_time = false;
        if (read_exact(text, len, &line, &err) == ST_OK)
            has_time = line.has_time;
        /* Only a cut within the digits of the time goes unnoticed. */
        assert_true(!has_time || len > sizeof text - 1 - strlen("1764000000500"));
    }
    assert_int_equal(read_exact(text, sizeof text - 1, &line, &err), ST_OK);
    assert_true(line.time == 1764000000500);
}

static void test_flipped_bytes_never_lead_beyond_the_line(void **state)
{
    (void)state;
    static const char text[] =
        "state,point=lab2.sem3 value=\"op\\\"en\",quality=\"clock\" 1764000000500\nb v=1i 5\n";
    static const char bytes[] = "\0\n\\\"=, #\xff\x80i1-";
    char copy[sizeof text];
    size_t taken = 0;
    for (int round = 0; round < 20000; round++) {
        memcpy(copy, text, sizeof text);
        for (size_t n = 1 + random_below(4); n > 0; n--)
            copy[random_below(sizeof text - 1)] = bytes[random_below(sizeof bytes - 1)];
        struct span whole = exact_copy(copy, sizeof text - 1), rest = whole, one;
        size_t total = 0;
        while (line_next(&rest, &one)) {
            struct line line;
            struct error err = {""};
            total += one.len;
            if (line_read(one, &line, &err) == ST_OK)
                taken++;
            else
                assert_true(err.text[0] != '\0');
        }
        assert_in_range(total, 1, sizeof text - 1);
        free((char *)whole.at);
    }
    assert_in_range(taken, 1, 40000);
}

static void test_a_megabyte_in_one_line_is_read_or_refused(void **state)
{
    (void)state;
    enum { SIZE = 1024 * 1024 };
    static const char *const heads[] = {"", "m v=", "m v=1", "m v=\"", "m,a=", "m ", "m v=1 "};
    static const char fills[] = "a1\\\", =\0\x80";
    char *text = mem_alloc(SIZE);
    for (size_t h = 0; h < sizeof heads / sizeof *heads; h++) {
        for (size_t f = 0; f < sizeof fills - 1; f++) {
            struct line line;
            struct error err;
            memset(text, fills[f], SIZE);
            memcpy(text, heads[h], strlen(heads[h]));
            struct span rest = {text, SIZE}, one;
            assert_true(line_next(&rest, &one));
            assert_int_equal(one.len, SIZE);
            /* All that is a line: spaces at the end, and a measurement or name needs more behind it. */
            bool is_line = fills[f] == ' ' && strcmp(heads[h], "m v=1") == 0;
            is_line = is_line || (fills[f] == ' ' && strcmp(heads[h], "m v=1 ") == 0);
            assert_int_equal(line_read(one, &line, &err), is_line ? ST_OK : ST_INVALID);
        }
    }
    memcpy(text, "m v=\"", 5);
    memset(text + 5, 'x', SIZE - 6);
    text[SIZE - 1] = '"';
    struct line line;
    assert_int_equal(line_read((struct span){text, SIZE}, &line, NULL), ST_OK);
    assert_int_equal(line.fields[0].value.s.len, SIZE - 6);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_line_is_canonical_whatever_the_order_of_its_tags),
        cmocka_unit_test(test_what_would_not_be_a_strict_line_is_refused_and_leaves_nothing),
        cmocka_unit_test(test_a_mistake_is_named_with_its_column),
        cmocka_unit_test(test_tags_and_fields_beyond_the_bounds_are_refused),
        cmocka_unit_test(test_lines_are_taken_one_by_one),
        cmocka_unit_test(test_what_is_written_reads_back_the_same),
        cmocka_unit_test(test_a_line_cut_at_any_byte_is_read_or_refused),
        cmocka_unit_test(test_flipped_bytes_never_lead_beyond_the_line),
        cmocka_unit_test(test_a_megabyte_in_one_line_is_read_or_refused),
    };
    return cmocka_run_group_tests(tests, random_set_up, NULL);
}
