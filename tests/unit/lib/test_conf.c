#include "lib/number.h"
#include "tests/unit/settings_file.h"

#define POEM "what is expected of a thing of this kind"

struct part {
    struct conf_where where;
    char *name;
    int64_t size;
    void *extra;
};

struct wheel {
    int64_t spokes;
};

struct engine {
    char *fuel;
};

struct thing {
    struct conf_where where;
    char *text, *id, *point, *path;
    int64_t count, big, wait_ms;
    bool flag;
    struct fraction ratio;
    int colour;
    struct conf_list words, parts;
    struct part lone;
};

static void check_engine(struct conf *c, void *object, const void *parent)
{
    (void)object;
    conf_problem(c, &((const struct part *)parent)->where, "fuel", "is wrong; expected another");
}

static const struct conf_key wheel_keys[] = {
    {"spokes", CONF_INT, offsetof(struct wheel, spokes), .fallback = "8", .max = 99, .help = "spokes"}, {0}};
static const struct conf_section wheel_section = {"wheel", sizeof(struct wheel), .keys = wheel_keys};
static const struct conf_key engine_keys[] = {
    {"fuel", CONF_STRING, offsetof(struct engine, fuel), .is_required = true, .help = "a fuel"}, {0}};
static const struct conf_section engine_section = {
    "engine", sizeof(struct engine), .keys = engine_keys, .check = check_engine};

static const struct conf_section *extend_part(const void *object)
{
    const char *name = ((const struct part *)object)->name;
    if (name == NULL || strcmp(name, "nut") == 0)
        return NULL;
    return strcmp(name, "wheel") == 0    ? &wheel_section
           : strcmp(name, "engine") == 0 ? &engine_section
                                         : &conf_anything;
}

static const struct conf_section *part_alternative(size_t i)
{
    return i == 0 ? &wheel_section : i == 1 ? &engine_section : NULL;
}

static const struct conf_key part_keys[] = {
    {"name", CONF_STRING, offsetof(struct part, name), .is_required = true, .max = 8, .help = "a name"},
    {"size", CONF_INT, offsetof(struct part, size), .fallback = "-1", .min = 0, .help = "a size"}, {0}};
static const struct conf_section part_section = {"part", sizeof(struct part), .keys = part_keys,
    .has_where = true, .where_offset = offsetof(struct part, where), .extend = extend_part,
    .extra_offset = offsetof(struct part, extra), .alternative = part_alternative};

static const char *const colours[] = {"red", "green", NULL};
static const struct conf_key thing_keys[] = {{"text", CONF_STRING, offsetof(struct thing, text),
                                                 .fallback = "none", .min = 2, .max = 8, .help = "a text"},
    {"id", CONF_ID, offsetof(struct thing, id), .help = "an id"},
    {"point", CONF_POINT, offsetof(struct thing, point), .help = "a point"},
    {"path", CONF_PATH, offsetof(struct thing, path), .help = "a file"},
    {"count", CONF_INT, offsetof(struct thing, count), .fallback = "3", .min = 1, .max = 9, .unit = "apples",
        .help = "how many"},
    {"big", CONF_INT, offsetof(struct thing, big), .min = 10, .help = POEM " " POEM " " POEM " " POEM},
    {"wait", CONF_SECONDS, offsetof(struct thing, wait_ms), .fallback = "0.5", .min = 20, .max = 86400000,
        .help = "how long"},
    {"flag", CONF_BOOL, offsetof(struct thing, flag), .fallback = "true", .help = "whether"},
    {"ratio", CONF_FRACTION, offsetof(struct thing, ratio), .fallback = "1", .help = "how much"},
    {"colour", CONF_CHOICE, offsetof(struct thing, colour), .fallback = "green", .choices = colours,
        .help = "a colour"},
    {"words", CONF_STRINGS, offsetof(struct thing, words), .help = "some words"},
    {"parts", CONF_LIST, offsetof(struct thing, parts), .min = 1, .max = 3, .section = &part_section,
        .help = "its parts"},
    {"lone", CONF_GROUP, offsetof(struct thing, lone), .section = &part_section, .help = "one more part"},
    {0}};

static void check_thing(struct conf *c, void *object, const void *parent)
{
    (void)parent;
    struct thing *thing = object;
    if (thing->words.count == 13)
        for (int i = 0; i < 3000; i++)
            conf_problem(c, &thing->where, NULL, "mistake %d", i);
    if (thing->id == NULL)
        conf_problem(c, &thing->where, "id", "is not there; expected it");
    if (thing->parts.count == 0)
        conf_problem(c, &thing->where, "parts", "are not there; expected some");
}

static const struct conf_section thing_section = {"thing", sizeof(struct thing), .keys = thing_keys,
    .has_where = true, .where_offset = offsetof(struct thing, where), .check = check_thing};

#define WHOLE "id = \"i\"; parts = ( { name = \"nut\"; } ); lone = { name = \"nut\"; };"

static struct conf *load(const char *text, struct thing *ret)
{
    char *path = settings_write("a.cfg", text);
    struct conf *c = conf_load(path, &thing_section, ret);
    free(path);
    return c;
}

static void expect(const char *text, const char *expected)
{
    struct thing thing;
    settings_expect_problems(load(text, &thing), text, expected);
}

static void test_values_arrive_in_their_types(void **state)
{
    (void)state;
    struct thing thing;
    struct conf *c =
        load("text = \"four\"; id = \"gw-a\"; point = \"b1.main_2\"; path = \"sub/b.csv\";\n"
             "count = 0x9; big = 3000000000; wait = 10; flag = False; ratio = \"1000/5\"; colour = \"red\";\n"
             "words = [\"a\", \"\"]; parts = ( { name = \"wheel\"; spokes = 32; },\n"
             " { name = \"nut\"; size = 0; } ); lone: { name = \"nut\" }\n",
            &thing);
    char *problems = settings_problems(c), *path = settings_path("sub/b.csv");
    assert_string_equal(problems, "");
    assert_string_equal(thing.text, "four");
    assert_string_equal(thing.id, "gw-a");
    assert_string_equal(thing.point, "b1.main_2");
    assert_string_equal(thing.path, path);
    assert_int_equal(thing.count, 9);
    assert_int_equal(thing.big, INT64_C(3000000000));
    assert_int_equal(thing.wait_ms, 10000);
    assert_false(thing.flag);
    assert_int_equal(thing.ratio.num, 200);
    assert_int_equal(thing.ratio.den, 1);
    assert_int_equal(thing.colour, 0);
    assert_int_equal(thing.words.count, 2);
    assert_string_equal(((char **)thing.words.items)[1], "");
    assert_int_equal(thing.parts.count, 2);
    const struct part *parts = thing.parts.items;
    assert_int_equal(((const struct wheel *)parts[0].extra)->spokes, 32);
    assert_int_equal(parts[0].where.line, 3);
    assert_int_equal(parts[1].where.line, 4);
    assert_string_equal(parts[1].where.path, "parts[1]");
    assert_int_equal(parts[1].size, 0);
    assert_null(parts[1].extra);
    free(path);
    free(problems);
    conf_destroy(c);
}

static void test_what_is_absent_has_its_default(void **state)
{
    (void)state;
    struct thing thing;
    struct conf *c = load(WHOLE, &thing);
    assert_int_equal(conf_problem_count(c), 0);
    assert_string_equal(thing.text, "none");
    assert_null(thing.path);
    assert_int_equal(thing.count, 3);
    assert_int_equal(thing.wait_ms, 500);
    assert_true(thing.flag);
    assert_int_equal(thing.ratio.num, 1);
    assert_int_equal(thing.colour, 1);
    assert_int_equal(thing.words.count, 0);
    assert_int_equal(thing.lone.size, -1);
    conf_destroy(c);
}

static void test_seconds_are_integers_or_decimals(void **state)
{
    (void)state;
    static const struct {
        const char *written;
        int64_t ms; /* -1 = refused */
    } cases[] = {{"0.02", 20}, {"0.019", -1}, {"1", 1000}, {"1.0", 1000}, {".5", 500}, {"5.", 5000},
        {"0.025", 25}, {"86400", 86400000}, {"86400.001", -1}, {"86399.999", 86399999}, {"0.0255", -1},
        {"-1", -1}, {"0", -1}, {"9223372036854775807", -1}, {"99999999999999999999.5", -1}, {"0.1", 100},
        {"0.3", 300}, {"+2", 2000}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *text = mem_printf("wait = %s; " WHOLE, cases[i].written);
        struct thing thing;
        struct conf *c = load(text, &thing);
        bool is_good = conf_problem_count(c) == 0;
        if (is_good != (cases[i].ms >= 0) || (is_good && thing.wait_ms != cases[i].ms))
            fail_msg("%s gave %lld", cases[i].written, (long long)thing.wait_ms);
        conf_destroy(c);
        free(text);
    }
}

static void test_every_refused_value_is_one_line(void **state)
{
    (void)state;
    static const struct {
        const char *setting, *problem;
    } cases[] = {
        {"text = 5;", "text: is an integer; expected a string in double quotes"},
        {"text = \"x\";", "text: has 1 bytes; expected at least 2"},
        {"text = \"\";", "text: is empty; expected a text"},
        {"text = \"nine bytes\";", "text: has 10 bytes; expected at most 8"},
        {"text = \"a\\x01\";", "text: holds bytes that are not printable UTF-8; expected text"},
        {"text = \"\\xff\\xfe\";", "text: holds bytes that are not printable UTF-8; expected text"},
        {"point = \"-x\";", "point: \"-x\" is not a point; expected 1 to 64 of a-z 0-9 . _ -, starting with "
                            "a letter or digit"},
        {"path = \"\";", "path: is empty; expected a file"},
        {"count = 0;", "count: 0 is out of range; expected 1 to 9 apples"},
        {"count = 3000000000;", "count: 3000000000 is out of range; expected 1 to 9 apples"},
        {"count = 4294967297;", "count: 4294967297 is out of range; expected 1 to 9 apples"},
        {"count = 0x100000001;", "count: 4294967297 is out of range; expected 1 to 9 apples"},
        {"count = 2.0;", "count: is a number with a fraction; expected an integer"},
        {"count = \"2\";", "count: is a string; expected an integer"},
        {"count = true;", "count: is a boolean; expected an integer"},
        {"count = { };", "count: is a group; expected an integer"},
        {"count = [2];", "count: is a list; expected an integer"},
        {"big = 9;", "big: 9 is out of range; expected at least 10"},
        {"wait = \"2\";", "wait: is a string; expected a number of seconds"},
        {"wait = 86401;", "wait: 86401 s is out of range; expected 0.02 to 86400 s"},
        {"wait = 0.0305;",
            "wait: 0.0305 s is finer than a millisecond; expected seconds such as 10, 0.5 or 0.025"},
        {"flag = 1;", "flag: is an integer; expected true or false"},
        {"flag = \"true\";", "flag: is a string; expected true or false"},
        {"ratio = 0.01;", "ratio: is a number with a fraction; expected an exact number as a string, such as "
                          "\"0.01\" or \"1000/5\""},
        {"ratio = \"1/0\";",
            "ratio: \"1/0\" is not a positive number; expected one such as \"0.01\" or \"1000/5\""},
        {"ratio = -5;", "ratio: -5 is not a positive number; expected one such as 10 or \"0.01\""},
        {"colour = \"Red\";", "colour: \"Red\" is not known; expected one of red, green"},
        {"colour = 1;", "colour: is an integer; expected one of red, green"},
        {"words = \"a\";", "words: is a string; expected a list of strings: [\"a\", \"b\"]"},
        {"words = [\"a\", 5, { }];", "words: holds an integer; expected a list of strings: [\"a\", \"b\"]"},
        {"words = [\"a\", b];", "words[1]: b is neither a number nor in quotes; expected \"b\" or a number "
                                "such as 10, 0.5, 0x1f"},
        {"colours = \"red\";",
            "colours: unknown key; expected one of text, id, point, path, count, big, wait, flag, ratio, "
            "colour, words, parts, lone"},
        {"Text = \"four\";",
            "Text: unknown key; expected one of text, id, point, path, count, big, wait, flag, ratio, "
            "colour, words, parts, lone"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *text = mem_printf("\n%s " WHOLE, cases[i].setting),
             *line = mem_printf("a.cfg:2: %s\n", cases[i].problem);
        expect(text, line);
        free(line);
        free(text);
    }
}

#define PART "parts = ( { name = \"nut\"; } ); lone = { name = \"nut\"; };"

static void test_a_check_is_not_heard_about_what_could_not_be_read(void **state)
{
    (void)state;
    expect(PART, "a.cfg:1: id: is not there; expected it\n");
    expect("id = 5; " PART, "a.cfg:1: id: is an integer; expected a string in double quotes\n");
    expect("id = i; " PART,
        "a.cfg:1: id: i is neither a number nor in quotes; expected \"i\" or a number such as 10, 0.5, "
        "0x1f\n");
    expect("id = \"i\"; lone = { name = \"nut\"; }; parts = 5;",
        "a.cfg:1: parts: is not a list; expected ( { ... }, { ... } )\n");
    expect("id = \"i\"; lone = { name = \"nut\"; }; parts = (\n5);",
        "a.cfg:2: parts[0]: is not a group; expected { key = value; ... }\n");
}

static void test_groups_and_lists_say_where(void **state)
{
    (void)state;
    expect("id = \"i\";\nparts = ();\nlone = 5;",
        "a.cfg:2: parts: has 0 entries; expected at least 1\n"
        "a.cfg:3: lone: is not a group; expected { key = value; ... }\n");
    expect("id = \"i\"; lone = { name = \"nut\"; };\nparts = "
           "({name=\"nut\"},{name=\"nut\"},{name=\"nut\"},{name=\"nut\"});",
        "a.cfg:2: parts: has 4 entries; expected at most 3\n");
    expect("id = \"i\"; parts = { name = \"nut\"; };",
        "a.cfg:1: parts: is not a list; expected ( { ... }, { ... } )\n"
        "a.cfg:1: lone.name: is missing; expected a name\n");
    expect("id = \"i\";\nparts = (\n{ name = \"nut\"; },\n{ size = -1; }\n);\nlone = { };",
        "a.cfg:4: parts[1].name: is missing; expected a name\n"
        "a.cfg:4: parts[1].size: -1 is out of range; expected at least 0\n"
        "a.cfg:6: lone.name: is missing; expected a name\n");
}

static void test_further_keys_follow_the_section_that_is_chosen(void **state)
{
    (void)state;
    expect("id = \"i\"; lone = { name = \"nut\"; };\nparts = (\n{ name = \"nut\"; spokes = 5; },\n"
           "{ name = \"wheel\"; spokes = 100; fuel = \"coal\"; },\n{ name = \"engine\"; fuel = \"coal\"; });",
        "a.cfg:3: parts[0].spokes: unknown key; expected one of name, size\n"
        "a.cfg:4: parts[1].spokes: 100 is out of range; expected 0 to 99\n"
        "a.cfg:4: parts[1].fuel: unknown key; expected one of name, size, spokes\n"
        "a.cfg:5: parts[2].fuel: is wrong; expected another\n");
    expect("id = \"i\"; lone = { name = \"nut\"; };\nparts = ( { name = \"whale\"; fins = 2; size = \"big\"; "
           "} );",
        "a.cfg:2: parts[0].size: is a string; expected an integer\n");
}

static void test_all_mistakes_of_a_file_come_in_the_order_of_its_lines(void **state)
{
    (void)state;
    expect("lone = { name = \"much too long\"; };\nid = 7;\nparts = ( { name = \"engine\"; } );\ncount = "
           "1;\ncount = 12;\n"
           "wait = soon;\n",
        "a.cfg:1: lone.name: has 13 bytes; expected at most 8\n"
        "a.cfg:2: id: is an integer; expected a string in double quotes\n"
        "a.cfg:3: parts[0].fuel: is missing; expected a fuel\n"
        "a.cfg:5: count: is set a second time (first in line 4); expected once\n"
        "a.cfg:6: wait: soon is neither a number nor in quotes; expected \"soon\" or a number such as 10, "
        "0.5, 0x1f\n");
}

static void test_the_marks_of_the_scan_mean_nothing_in_a_file_of_their_own(void **state)
{
    (void)state;
    expect("*duplicate1 = 5;\ntext = \"\\x01\\x01\";" WHOLE,
        "a.cfg:1: *duplicate1: unknown key; expected one of text, id, point, path, count, big, wait, flag, "
        "ratio, colour, "
        "words, parts, lone\n"
        "a.cfg:2: text: holds bytes that are not printable UTF-8; expected text\n");
    expect("path = \"\\x01\"; " WHOLE,
        "a.cfg:1: path: holds bytes that are not printable UTF-8; expected text\n");
}

static void expect_file(const char *name, const char *expected)
{
    char *path = settings_path(name);
    struct thing thing;
    struct conf *c = conf_load(path, &thing_section, &thing);
    char *problems = settings_problems(c);
    assert_string_equal(problems, expected);
    free(problems);
    free(path);
    conf_destroy(c);
}

static void expect_bytes(const char *bytes, size_t length, const char *expected)
{
    free(settings_write_bytes("b.cfg", bytes, length, 0644));
    expect_file("b.cfg", expected);
}

static void test_what_is_no_settings_file_is_said_in_one_line(void **state)
{
    (void)state;
    expect_file("none.cfg", "none.cfg: No such file or directory; expected a readable settings file\n");
    char *folder = settings_path("folder");
    assert_int_equal(mkdir(folder, 0755), 0);
    expect_file("folder", "folder: not a regular file; expected a readable settings file\n");
    free(folder);
    expect_bytes("a = 1;\nb\0c", 10, "b.cfg:2: holds the byte 0x00; expected text in UTF-8\n");
    expect_bytes(
        "a = 1;\nb = \"\xb5\xe7\";", 16, "b.cfg:2: holds bytes that are not UTF-8; expected text in UTF-8\n");
    expect_bytes("\x7f"
                 "ELF\x02\x01",
        6, "b.cfg:1: holds the byte 0x7f; expected text in UTF-8\n");
    expect_bytes("", 0,
        "b.cfg:1: lone.name: is missing; expected a name\n"
        "b.cfg:1: id: is not there; expected it\n"
        "b.cfg:1: parts: are not there; expected some\n");
    char *big = mem_alloc(20 << 20);
    memset(big, '\n', 20 << 20);
    expect_bytes(big, 20 << 20, "b.cfg: larger than 16777216 bytes; expected a readable settings file\n");
    free(big);
}

static void test_a_byte_order_mark_and_line_ends_of_windows_are_fine(void **state)
{
    (void)state;
    expect("\xef\xbb\xbf# one\r\n" WHOLE "\r\n", "");
    expect("\xef\xbb\xbf# one\r\n" WHOLE "\r\ncount = 0;\r\n",
        "a.cfg:3: count: 0 is out of range; expected 1 to 9 apples\n");
}

static void test_the_printed_mistakes_are_bounded(void **state)
{
    (void)state;
    struct thing thing;
    struct conf *c =
        load("words = [\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\"];" WHOLE, &thing);
    char *problems = settings_problems(c);
    size_t lines = 0;
    for (const char *at = problems; (at = strchr(at, '\n')) != NULL; at++)
        lines++;
    assert_int_equal(lines, CONF_PROBLEMS_MAX + 1);
    assert_non_null(strstr(problems, "a.cfg:1: mistake 999\na.cfg: and 2000 more\n"));
    free(problems);
    conf_destroy(c);
}

static void test_a_place_that_will_be_written_is_looked_at(void **state)
{
    (void)state;
    struct thing thing;
    struct conf *c = load(WHOLE, &thing);
    free(settings_write("file", ""));
    static const struct {
        const char *path, *problem;
    } cases[] = {{"new.db", ""}, {"file", ""},
        {"none/new.db", "none: No such file or directory; expected an existing folder"},
        {"file/new.db", "file is not a folder; expected an existing folder for"},
        {"sub.folder", "sub.folder is not a regular file; expected the path of a file"}};
    char *folder = settings_path("sub.folder");
    assert_int_equal(mkdir(folder, 0755), 0);
    size_t told = 0;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *path = settings_path(cases[i].path);
        conf_check_writable(c, &thing.where, "path", path);
        told += cases[i].problem[0] != '\0';
        assert_int_equal(conf_problem_count(c), told);
        char *problems = settings_problems(c);
        assert_non_null(strstr(problems, cases[i].problem));
        free(problems);
        free(path);
    }
    conf_check_writable(c, &thing.where, "path", NULL);
    conf_check_secret(c, &thing.where, "text", NULL);
    assert_int_equal(conf_problem_count(c), told);
    free(folder);
    conf_destroy(c);
}

static void test_help_names_every_key_and_fits_the_screen(void **state)
{
    (void)state;
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    conf_print_help(&thing_section, out);
    fclose(out);
    assert_non_null(strstr(text, "count                 integer 1 to 9 apples; default 3; how many\n"));
    assert_non_null(strstr(text, "wait                  seconds 0.02 to 86400; default 0.5; how long\n"));
    assert_non_null(strstr(text, "colour                one of red, green; default green; a colour\n"));
    assert_non_null(strstr(text, "parts                 list of groups, at least 1; its parts\n"));
    assert_non_null(strstr(text, "\n  name                string of at most 8 bytes; required; a name\n"));
    assert_non_null(
        strstr(text, "\n  -- wheel:\n  spokes              integer 0 to 99; default 8; spokes\n"));
    size_t wrapped = 0;
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        assert_true(strlen(line) <= 110);
        wrapped += strspn(line, " ") == 22;
    }
    assert_int_equal(wrapped, 2);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values_arrive_in_their_types),
        cmocka_unit_test(test_what_is_absent_has_its_default),
        cmocka_unit_test(test_seconds_are_integers_or_decimals),
        cmocka_unit_test(test_every_refused_value_is_one_line),
        cmocka_unit_test(test_a_check_is_not_heard_about_what_could_not_be_read),
        cmocka_unit_test(test_groups_and_lists_say_where),
        cmocka_unit_test(test_further_keys_follow_the_section_that_is_chosen),
        cmocka_unit_test(test_all_mistakes_of_a_file_come_in_the_order_of_its_lines),
        cmocka_unit_test(test_the_marks_of_the_scan_mean_nothing_in_a_file_of_their_own),
        cmocka_unit_test(test_what_is_no_settings_file_is_said_in_one_line),
        cmocka_unit_test(test_a_byte_order_mark_and_line_ends_of_windows_are_fine),
        cmocka_unit_test(test_the_printed_mistakes_are_bounded),
        cmocka_unit_test(test_a_place_that_will_be_written_is_looked_at),
        cmocka_unit_test(test_help_names_every_key_and_fits_the_screen),
    };
    return cmocka_run_group_tests(tests, settings_make_folder, settings_remove_folder);
}
