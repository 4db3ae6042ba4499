/*
 * The writer and the reader of lib/line against InfluxData's line-protocol corpus, which other
 * implementations made. Where we differ on purpose the table says why; every other difference fails, and so
 * does an entry of the table that has come to agree.
 */
#include "lib/file.h"
#include "lib/json.h"
#include "lib/line.h"
#include "lib/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct difference {
    const char *key;
    const char *ours; /* what we write, or what we do with a text */
    const char *why;  /* the rule; those of one rule stand together */
    int seen;
};

static struct difference encode_differences[] = {
    {"65a52922c8cba2673eff7194628cc1e0",
        "refused: field \"str\": a string with a control character or not in UTF-8",
        "no line feed leaves: a line is a line to every tool between here and the store", 0},
    {"72fe529da6084a44692fe27cc2f105d1", "cpu value=42 0",
        "an empty tag is left out, so that a caller need not ask", 0},
};

#define CONTROL_IN_A_TAG \
    "a control character in a tag: no name of ours holds one, it would spoil logs and pages"
#define TOO_MANY_TAGS "more tags than LINE_TAGS_MAX: a bound keeps the reader free of allocation"
#define IN_A_COMMENT "a control character in a comment: comments are the caller's to skip, and are never kept"

static struct difference decode_differences[] = {
    {"d2968e6b9b0b309f305736677940b36c",
        "refused: column 6: expected ',' or a space after the measurement and its tags", CONTROL_IN_A_TAG, 0},
    /* Bad texts of several lines, of which we refuse an earlier one. */
    {"383dd480e551026dd4c02f600dd4989e", "refused in another line", CONTROL_IN_A_TAG, 0},
    {"606c24f628917c973a6fb5df51ba575a", "refused in another line", CONTROL_IN_A_TAG, 0},
    {"6f3cc2ee3dd7455f8c5cd7823368d51a", "refused in another line", CONTROL_IN_A_TAG, 0},
    {"a6025c2fa223704ee60beb849c68b860", "refused in another line", CONTROL_IN_A_TAG, 0},
    {"b4b0338a4f67dd1ec83121cc9ce6e10e", "refused in another line", CONTROL_IN_A_TAG, 0},
    {"bfc5f8da78d9051af5a6a76f77792b0d", "refused in another line", CONTROL_IN_A_TAG, 0},
    {"dc62d6392272341b7571891c3088a89f", "refused: column 432: too many tags", TOO_MANY_TAGS, 0},
    {"dfa6432a639651d02910c4527badb15c", "taken", IN_A_COMMENT, 0},
};

static json_t *corpus;

/* jansson has no unsigned integers: those beyond 2^63 are read as strings. */
static json_t *load_corpus(const char *path)
{
    char *text;
    size_t len;
    struct error err;
    if (file_read(path, 16 * 1024 * 1024, &text, &len, &err) != ST_OK)
        return NULL;
    struct buf quoted = {0};
    static const char mark[] = "\"uint\": ";
    char *at = text, *hit;
    while ((hit = strstr(at, mark)) != NULL) {
        char *number = hit + strlen(mark);
        size_t digits = strspn(number, "0123456789");
        buf_add(&quoted, at, (size_t)(number - at));
        buf_printf(&quoted, "\"%.*s\"", (int)digits, number);
        at = number + digits;
    }
    buf_add_str(&quoted, at);
    json_error_t problem;
    json_t *root = json_loadb(quoted.data, quoted.len, JSON_ALLOW_NUL, &problem);
    buf_release(&quoted);
    free(text);
    if (root == NULL)
        fail_msg("%s: %s", path, problem.text);
    return root;
}

static int open_corpus(void **state)
{
    (void)state;
    const char *data = getenv("PARKMON_DATA"), *source = getenv("PARKMON_SOURCE");
    char *path = data != NULL
                     ? mem_printf("%s/lineprotocol/corpus.json", data)
                     : mem_printf("%s/../shared/data/lineprotocol/corpus.json", source ? source : ".");
    corpus = load_corpus(path);
    if (corpus == NULL)
        print_message("SKIPPED, NOT TESTED: %s is absent (PARKMON_DATA names the data folder)\n", path);
    free(path);
    const char *ci = getenv("CI");
    return corpus == NULL && ci != NULL && strcmp(ci, "true") == 0 ? -1 : 0;
}

static int close_corpus(void **state)
{
    (void)state;
    json_decref(corpus);
    return 0;
}

static struct span span_of_json(const json_t *text)
{
    return (struct span){json_string_value(text), json_string_length(text)};
}

static struct difference *find_difference(struct difference *table, size_t count, const char *key)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(table[i].key, key) == 0)
            return &table[i];
    return NULL;
}

static struct line_value value_of(const json_t *typed)
{
    struct line_value value = {0};
    const json_t *v;
    if ((v = json_object_get(typed, "float")) != NULL) {
        value.type = LINE_FLOAT;
        value.f = json_number_value(v);
    } else if ((v = json_object_get(typed, "int")) != NULL) {
        value.type = LINE_INT;
        value.i = json_integer_value(v);
    } else if ((v = json_object_get(typed, "uint")) != NULL) {
        value.type = LINE_UINT;
        value.u = strtoull(json_string_value(v), NULL, 10);
    } else if ((v = json_object_get(typed, "bool")) != NULL) {
        value.type = LINE_BOOL;
        value.b = json_is_true(v);
    } else {
        v = json_object_get(typed, "string");
        assert_non_null(v);
        value.type = LINE_STRING;
        value.s = span_of_json(v);
    }
    return value;
}

static void write_point(struct buf *out, const json_t *point)
{
    struct line_tag tags[LINE_TAGS_MAX];
    struct line_field fields[LINE_FIELDS_MAX];
    const json_t *tag_list = json_object_get(point, "tags"), *field_list = json_object_get(point, "fields");
    size_t tag_count = json_array_size(tag_list), field_count = json_array_size(field_list);
    assert_in_range(tag_count, 0, LINE_TAGS_MAX);
    assert_in_range(field_count, 1, LINE_FIELDS_MAX);
    /* Back to front: the order of the tags must come from the writer. */
    for (size_t i = 0; i < tag_count; i++) {
        const json_t *tag = json_array_get(tag_list, tag_count - 1 - i);
        tags[i].key = span_of_json(json_object_get(tag, "key"));
        tags[i].value = span_of_json(json_object_get(tag, "value"));
    }
    for (size_t i = 0; i < field_count; i++) {
        const json_t *field = json_array_get(field_list, i);
        fields[i].key = span_of_json(json_object_get(field, "key"));
        fields[i].value = value_of(json_object_get(field, "value"));
    }
    struct error err;
    enum status status = line_write(out, span_of_json(json_object_get(point, "name")), tags, tag_count,
        fields, field_count, json_integer_value(json_object_get(point, "time")), &err);
    if (status != ST_OK) {
        assert_int_equal(out->len, 0);
        buf_printf(out, "refused: %s", err.text);
    } else {
        assert_int_equal(out->data[out->len - 1], '\n');
        out->data[--out->len] = '\0';
    }
}

static void test_the_writer_agrees_with_the_corpus_byte_for_byte(void **state)
{
    (void)state;
    if (corpus == NULL)
        skip();
    size_t agreed = 0, wrong = 0, listed = sizeof encode_differences / sizeof *encode_differences;
    const char *key;
    json_t *item;
    json_object_foreach(json_object_get(corpus, "encode"), key, item)
    {
        const json_t *expected = json_object_get(json_object_get(item, "output"), "result");
        struct buf out = {0};
        write_point(&out, json_object_get(json_object_get(item, "input"), "point"));
        struct difference *difference = find_difference(encode_differences, listed, key);
        bool agrees = expected != NULL && span_is(span_of_json(expected), out.data);
        agreed += agrees;
        if (difference != NULL) {
            difference->seen++;
            if (agrees || strcmp(out.data, difference->ours) != 0) {
                print_error("%s: the table says \"%s\", we write \"%s\"\n", key, difference->ours, out.data);
                wrong++;
            }
        } else if (!agrees) {
            print_error("%s: expected \"%s\", we write \"%s\"\n", key,
                expected ? json_string_value(expected) : "an error", out.data);
            wrong++;
        }
        buf_release(&out);
    }
    assert_int_equal(wrong, 0);
    for (size_t i = 0; i < listed; i++)
        assert_int_equal(encode_differences[i].seen, 1);
    print_message("%zu cases agree, %zu differ as listed\n", agreed, listed);
    assert_int_equal(agreed + listed, 115);
}

static bool text_equals(struct span escaped, const json_t *plain, void (*unescape)(struct buf *, struct span))
{
    struct buf text = {0};
    unescape(&text, escaped);
    struct span expected = span_of_json(plain);
    bool equals =
        text.len == expected.len && (text.len == 0 || memcmp(text.data, expected.at, text.len) == 0);
    buf_release(&text);
    return equals;
}

static bool value_equals(const struct line_value *ours, const json_t *typed)
{
    struct line_value theirs = value_of(typed);
    if (ours->type != theirs.type)
        return false;
    switch (ours->type) {
    case LINE_FLOAT:
        return ours->f == theirs.f;
    case LINE_INT:
        return ours->i == theirs.i;
    case LINE_UINT:
        return ours->u == theirs.u;
    case LINE_BOOL:
        return ours->b == theirs.b;
    case LINE_STRING:
        return text_equals(ours->s, json_object_get(typed, "string"), line_unescape_string);
    }
    return false;
}

static bool has_tag(const struct line *line, const json_t *tag)
{
    for (size_t i = 0; i < line->tag_count; i++)
        if (text_equals(line->tags[i].key, json_object_get(tag, "key"), line_unescape) &&
            text_equals(line->tags[i].value, json_object_get(tag, "value"), line_unescape))
            return true;
    return false;
}

static int64_t nanoseconds(const char *precision)
{
    static const struct {
        const char *name;
        int64_t ns;
    } units[] = {{"1ns", 1}, {"1µs", 1000}, {"1ms", 1000000}, {"1s", 1000000000}};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strcmp(units[i].name, precision) == 0)
            return units[i].ns;
    fail_msg("unknown precision %s", precision);
    return 0;
}

static bool time_equals(const struct line *line, const json_t *point, int64_t unit_ns, int64_t default_ns)
{
    int64_t ns, expected = json_integer_value(json_object_get(point, "time"));
    if (!line->has_time)
        return expected == default_ns - default_ns % unit_ns;
    return !__builtin_mul_overflow(line->time, unit_ns, &ns) && ns == expected;
}

static bool line_equals(const struct line *line, const json_t *point, int64_t unit_ns, int64_t default_ns)
{
    const json_t *tags = json_object_get(point, "tags"), *fields = json_object_get(point, "fields");
    if (!text_equals(line->measurement, json_object_get(point, "name"), line_unescape_measurement) ||
        line->tag_count != json_array_size(tags) || line->field_count != json_array_size(fields))
        return false;
    /* The corpus sorts the tags. */
    for (size_t i = 0; i < line->tag_count; i++)
        if (!has_tag(line, json_array_get(tags, i)))
            return false;
    for (size_t i = 0; i < line->field_count; i++) {
        const json_t *field = json_array_get(fields, i);
        if (!text_equals(line->fields[i].key, json_object_get(field, "key"), line_unescape) ||
            !value_equals(&line->fields[i].value, json_object_get(field, "value")))
            return false;
    }
    return time_equals(line, point, unit_ns, default_ns);
}

/* The text of a case: as it is, or in base64 where JSON cannot hold it. */
static void add_text(struct buf *out, const json_t *input)
{
    const json_t *text = json_object_get(input, "text"), *binary = json_object_get(text, "binary");
    if (!json_is_object(text)) {
        buf_add(out, json_string_value(text), json_string_length(text));
        return;
    }
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    unsigned bits = 0, have = 0;
    for (const char *at = json_string_value(binary); *at != '\0' && *at != '='; at++) {
        const char *letter = strchr(letters, *at);
        assert_non_null(letter);
        bits = bits << 6 | (unsigned)(letter - letters);
        have += 6;
        if (have >= 8)
            buf_add_char(out, (char)(bits >> (have -= 8)));
    }
}

/* In how far our reading of a text is not the corpus'; "" where they agree. */
static void compare(const json_t *item, char *ret, size_t size)
{
    const json_t *input = json_object_get(item, "input"), *output = json_object_get(item, "output");
    const json_t *points = json_object_get(output, "result");
    const char *error = json_string_value(json_object_get(output, "error"));
    int64_t unit_ns = nanoseconds(json_string_value(json_object_get(input, "precision")));
    int64_t default_ns = json_integer_value(json_object_get(input, "defaultTime"));
    size_t count = 0, refused_at = SIZE_MAX;
    struct buf text = {0};
    struct error err = {""};
    add_text(&text, input);
    struct span rest = {text.data, text.len}, one;
    ret[0] = '\0';
    while (refused_at == SIZE_MAX && ret[0] == '\0' && line_next(&rest, &one)) {
        struct line line;
        if (one.len == 0 || one.at[0] == '#')
            continue;
        if (line_read(one, &line, &err) != ST_OK)
            refused_at = count;
        else if (points != NULL && !line_equals(&line, json_array_get(points, count), unit_ns, default_ns))
            snprintf(ret, size, "another reading");
        count++;
    }
    buf_release(&text);
    if (points != NULL && refused_at != SIZE_MAX)
        snprintf(ret, size, "refused: %s", err.text);
    else if (points != NULL && ret[0] == '\0' && count != json_array_size(points))
        snprintf(ret, size, "another number of lines");
    else if (error != NULL && refused_at == SIZE_MAX)
        snprintf(ret, size, "taken");
    else if (error != NULL && refused_at != (size_t)strtoul(strstr(error, "metric ") + 7, NULL, 10))
        snprintf(ret, size, "refused in another line");
}

static void test_the_reader_agrees_with_the_corpus(void **state)
{
    (void)state;
    if (corpus == NULL)
        skip();
    size_t good = 0, bad = 0, differ = 0, wrong = 0;
    size_t listed = sizeof decode_differences / sizeof *decode_differences;
    const char *key;
    json_t *item;
    json_object_foreach(json_object_get(corpus, "decode"), key, item)
    {
        char ours[600];
        compare(item, ours, sizeof ours);
        struct difference *difference = find_difference(decode_differences, listed, key);
        bool is_good = json_object_get(json_object_get(item, "output"), "result") != NULL;
        good += ours[0] == '\0' && is_good;
        bad += ours[0] == '\0' && !is_good;
        differ += ours[0] != '\0';
        if (difference != NULL)
            difference->seen++;
        if (strcmp(ours, difference != NULL ? difference->ours : "") != 0) {
            char *text = json_dumps(item, JSON_COMPACT);
            print_error("%s: \"%s\", the table says \"%s\": %.600s\n", key, ours,
                difference != NULL ? difference->ours : "", text);
            free(text);
            wrong++;
        }
    }
    print_message(
        "%zu good texts are read alike, %zu bad ones refused in the same line, %zu differ as listed\n", good,
        bad, differ);
    assert_int_equal(wrong, 0);
    for (size_t i = 0, of_rule = 1; i < listed; i++, of_rule++) {
        assert_int_equal(decode_differences[i].seen, 1);
        if (i + 1 < listed && strcmp(decode_differences[i].why, decode_differences[i + 1].why) == 0)
            continue;
        print_message("%zu: %s\n", of_rule, decode_differences[i].why);
        of_rule = 0;
    }
    assert_int_equal(differ, listed);
    assert_int_equal(good + bad + differ, 6615);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_writer_agrees_with_the_corpus_byte_for_byte),
        cmocka_unit_test(test_the_reader_agrees_with_the_corpus),
    };
    return cmocka_run_group_tests(tests, open_corpus, close_corpus);
}
