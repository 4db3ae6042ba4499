/* The file of alarms: every mistake with line and key, what targets come to, and the example. */
#include "collector/alarm/rule.h"
#include "collector/couriers/attempt.h"
#include "collector/couriers/needs.h"
#include "tests/unit/settings_file.h"

#include <sys/stat.h>

static const char park_text[] =
    "sites = ({ id = \"s\"; name = \"x\"; name_en = \"x\"; zone = \"Asia/Shanghai\"; });"
    "buildings = ({ id = \"b\"; name = \"x\"; name_en = \"x\"; site = \"s\"; });"
    "gateways = ({ id = \"gw-a\"; name = \"x\"; name_en = \"x\"; site = \"s\"; }, { id = \"gw-b\"; name = "
    "\"x\"; name_en = \"x\";"
    "  site = \"s\"; });"
    "categories = ({ id = \"c\"; name = \"x\"; name_en = \"x\"; });"
    "spaces = ({ id = \"lab\"; name = \"x\"; name_en = \"x\"; building = \"b\"; });"
    "meters = ("
    "  { id = \"main\"; name = \"x\"; name_en = \"x\"; building = \"b\"; carrier = \"electricity\"; power = "
    "\"gw-a/p\"; segments = ("
    "      { serial = \"1\"; from = \"2026-01-01T00:00:00Z\"; point = \"gw-a/r\"; resolution = 1; max_rate = "
    "1000; }); },"
    "  { id = \"part\"; name = \"x\"; name_en = \"x\"; building = \"b\"; carrier = \"electricity\"; parent = "
    "\"main\"; segments = ("
    "      { serial = \"2\"; from = \"2026-01-01T00:00:00Z\"; point = \"gw-a/s\"; resolution = 1; max_rate = "
    "1000; }); },"
    "  { id = \"tap\"; name = \"x\"; name_en = \"x\"; building = \"b\"; carrier = \"water\"; profile = "
    "false; segments = ("
    "      { serial = \"3\"; from = \"2026-01-01T00:00:00Z\"; resolution = 1; max_rate = 1000; }); });"
    "instruments = ({ id = \"xrd\"; name = \"x\"; name_en = \"x\"; building = \"b\"; category = \"c\"; owner "
    "= \"o\"; owner_en = \"o\";"
    "  owner_code = \"9\"; contact = \"8\"; session = \"gw-a/x\"; });";

static struct park *park;

static struct alarm_rules *load(const char *text)
{
    char *path = settings_write("a.cfg", text);
    struct alarm_rules *rules = alarm_rules_load(path);
    alarm_rules_check(rules, park);
    free(path);
    return rules;
}

static int set_up(void **state)
{
    park = park_load_text("p", span_of(park_text));
    conf_print_problems(park->conf, stderr);
    return conf_problem_count(park->conf) == 0 ? settings_make_folder(state) : -1;
}

static int tear_down(void **state)
{
    (void)state;
    park_destroy(park);
    return 0;
}

#define RULE(rest) "rules = (\n{ id = \"r\"; " rest " }\n);"
#define RECEIVER(rest) "rules = (); receivers = (\n{ id = \"r\"; " rest " }\n);"
#define AT_RULE "a.cfg:2: rules[0]."
#define AT_RECEIVER "a.cfg:2: receivers[0]."

static void test_each_mistake_is_one_sentence_with_line_and_key(void **state)
{
    (void)state;
    static const char *const rows[][2] = {{RULE("kind = \"noise\";"), AT_RULE "kind: "},
        {"repeat = 60;",
            "rules: is missing; expected what is watched, rules = (...), or rules = () for nothing"},
        {RULE(""), "kind: is missing"},
        {RULE("kind = \"no_data\";"), "for: is missing; expected silence after which it fires"},
        {RULE("kind = \"no_data\"; for = 60; above = \"1\";"), AT_RULE "above: "},
        {RULE("kind = \"threshold\";"), AT_RULE "above: is missing; expected `above` or `below`"},
        {RULE("kind = \"threshold\"; above = \"1\"; below = \"2\";"), AT_RULE "below: stands beside `above`"},
        {RULE("kind = \"threshold\"; above = \"many\";"), AT_RULE "above: \"many\" is no number here"},
        {RULE("kind = \"threshold\"; above = \"1.2345\";"), AT_RULE "above: \"1.2345\" is no number here"},
        {RULE("kind = \"threshold\"; above = \"1000000000001\";"),
            AT_RULE "above: \"1000000000001\" is no number"},
        {RULE("kind = \"threshold\"; above = \"5\"; clear = \"6\";"),
            AT_RULE "clear: \"6\" lies beyond the limit"},
        {RULE("kind = \"threshold\"; below = \"5\"; clear = \"4\";"),
            AT_RULE "clear: \"4\" lies beyond the limit"},
        {RULE("kind = \"threshold\"; above = 5;"), AT_RULE "above: "},
        {RULE("kind = \"base_load\"; above = \"5\"; night = \"05:00-00:00\";"), AT_RULE "night: "},
        {RULE("kind = \"base_load\"; above = \"5\"; night = \"00:10-05:00\";"), AT_RULE "night: "},
        {RULE("kind = \"water\"; night = \"22:00-25:00\";"), AT_RULE "night: "},
        {RULE("kind = \"disk\"; above = 80; clear = 90;"), AT_RULE "clear: 90 lies above"},
        {RULE("kind = \"disk\"; severity = \"awful\";"), AT_RULE "severity: "},
        {RULE("kind = \"clock\"; on = (\"meter:main\");"), AT_RULE
            "on: \"meter:main\": the kind clock does not watch a meter; expected \"gateway\", \"collector\""},
        {RULE("kind = \"clock\"; on = (\"everything\");"), AT_RULE "on: \"everything\" is nothing to watch"},
        {RULE("kind = \"clock\"; on = (\"gateway:\");"), AT_RULE "on: \"gateway:\" is nothing to watch"},
        {RULE("kind = \"clock\"; on = (\"collector:x\");"),
            AT_RULE "on: \"collector:x\" is nothing to watch"},
        {RULE("kind = \"clock\"; on = (\"gateway:gw-z\");"),
            AT_RULE "on: \"gateway:gw-z\" is not in the park model"},
        {RULE("kind = \"threshold\"; above = \"1\"; on = (\"meter:part\");"),
            AT_RULE "on: \"meter:part\" has no point of its power"},
        {RULE("kind = \"threshold\"; above = \"1\"; on = (\"space:lab\");"),
            AT_RULE "on: \"space:lab\" has no door"},
        {RULE("kind = \"threshold\"; above = \"1\"; on = (\"point:gw-z/x\");"),
            AT_RULE "on: \"point:gw-z/x\" is of no gateway"},
        {RULE("kind = \"threshold\"; above = \"1\"; on = (\"point:*\");"),
            AT_RULE "on: \"point:*\": points are named one by one"},
        {RULE("kind = \"no_data\"; for = 60; on = (\"meter:tap\");"),
            AT_RULE "on: \"meter:tap\" is read by hand"},
        {RULE("kind = \"water\"; on = (\"meter:main\");"), AT_RULE "on: \"meter:main\" is no water meter"},
        {RULE("kind = \"balance\"; on = (\"meter:part\");"),
            AT_RULE "on: \"meter:part\" is no other meter's parent"},
        {RULE("kind = \"left_running\"; on = (\"instrument:xrd\");"),
            AT_RULE "on: \"instrument:xrd\" has no point of its power"},
        {"rules = ({ id = \"r\"; kind = \"disk\"; },\n{ id = \"r\"; kind = \"loss\"; });",
            "a.cfg:2: rules[1].id: \"r\" is the id of another rule, in line 1"},
        {RECEIVER("kind = \"pigeon\";"), AT_RECEIVER "kind: "},
        {RECEIVER("kind = \"webhook\";"), AT_RECEIVER "url_file: is missing"},
        {RECEIVER("kind = \"webhook\"; url = \"http://h/\"; url_file = \"f\";"),
            AT_RECEIVER "url: stands beside"},
        {RECEIVER("kind = \"webhook\"; url = \"ftp://h/secret\";"), AT_RECEIVER "url: is not a URL"},
        {RULE("kind = \"loss\"; clear_for = 0;"),
            AT_RULE "clear_for: 0 s is out of range; expected 5 to 2678400 s"},
        {"repeat = 900;\nrepeat_max = 60; rules = ();",
            "a.cfg:2: repeat_max: 60 s is less than `repeat`; expected 900 s or more"},
        {"repeat = 172800;\nrepeat_max = 86400; rules = ();",
            "repeat_max: 86400 s is less than `repeat`; expected 172800 s or more"},
        {RECEIVER("kind = \"webhook\"; url = \"http://h:99999/\";"),
            AT_RECEIVER "url: is not a URL; expected one such as "},
        {RECEIVER("kind = \"webhook\"; url = \"http://h:0/\";"), AT_RECEIVER "url: is not a URL"},
        {RECEIVER("kind = \"webhook\"; url = \"http://h:http/\";"), AT_RECEIVER "url: is not a URL"},
        {RECEIVER("kind = \"webhook\"; url = \"http://:80/\";"), AT_RECEIVER "url: is not a URL"},
        {RECEIVER("kind = \"webhook\"; url = \"http://h:/\";"), AT_RECEIVER "url: is not a URL"},
        {RECEIVER("kind = \"webhook\"; url = \"http://[::1]:65536/\";"), AT_RECEIVER "url: is not a URL"},
        {RECEIVER("kind = \"webhook\"; url = \"http://h/<b>\";"), AT_RECEIVER "url: is not a URL"},
        {RECEIVER("kind = \"webhook\"; url = \"http://a:b@h/\";"), AT_RECEIVER "url: is not a URL"},
        {RECEIVER("kind = \"wecom\"; url = \"https://h/x?key=1\";"),
            AT_RECEIVER "url: holds the robot's secret"},
        {RECEIVER("kind = \"wecom\"; url_file = \"f\"; secret_file = \"g\";"),
            AT_RECEIVER "secret_file: is not for wecom"},
        {RECEIVER("kind = \"mail\";"), AT_RECEIVER "to: is missing"},
        {RECEIVER("kind = \"mail\"; to = (\"nobody\");"), AT_RECEIVER "to: \"nobody\" is no address"},
        {RECEIVER("kind = \"mail\"; to = (\"a@b\"); from = \"-x@y\";"),
            AT_RECEIVER "from: \"-x@y\" is no address"},
        {RECEIVER("kind = \"mail\"; to = (\"a@b\"); url = \"http://h/\";"),
            AT_RECEIVER "url: is not for mail"},
        {RECEIVER("kind = \"mail\"; to = (\"a@b\"); ca_file = \"f\";"),
            AT_RECEIVER "ca_file: is not for mail"},
        {RECEIVER("kind = \"webhook\"; url = \"http://h/\"; ca_file = \"f\";"),
            AT_RECEIVER "ca_file: is for https; expected"},
        {RECEIVER("kind = \"mail\"; to = (\"a@b\"); sendmail = \"sendmail\";"),
            AT_RECEIVER "sendmail: \"sendmail\" is no whole path"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct alarm_rules *rules = load(rows[i][0]);
        char *problems = settings_problems(rules->conf);
        const char *end = strchr(problems, '\n');
        if (strstr(problems, rows[i][1]) == NULL || end == NULL || end[1] != '\0')
            fail_msg("%s\n gave:\n%s not one line with:\n%s", rows[i][0], problems, rows[i][1]);
        free(problems);
        alarm_rules_destroy(rules);
    }
}

static void test_urls_with_and_without_a_port_are_good(void **state)
{
    (void)state;
    static const char *const urls[] = {"http://h/", "http://h", "https://h.example:65535/x?y=1:2",
        "http://10.0.0.1:1/", "http://[::1]/", "http://[::1]:8080/x", "https://h:443?x=99999"};
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++)
        if (alarm_url_host_end(urls[i]) == 0)
            fail_msg("%s is refused", urls[i]);
    assert_string_equal(urls[5] + alarm_url_host_end(urls[5]), "/x");
}

static void test_repeats_end_at_one_a_day_or_at_the_first(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t repeat_s, repeat_max_s;
    } rows[] = {{"rules = ();", 900, 86400}, {"repeat = 86400; rules = ();", 86400, 86400},
        {"repeat = 172800; rules = ();", 172800, 172800}, {"repeat_max = 1000; rules = ();", 900, 1000}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct alarm_rules *rules = load(rows[i].text);
        assert_int_equal(conf_problem_count(rules->conf), 0);
        assert_int_equal(rules->repeat_ms, rows[i].repeat_s * 1000);
        assert_int_equal(rules->repeat_max_ms, rows[i].repeat_max_s * 1000);
        alarm_rules_destroy(rules);
    }
}

static void test_mail_goes_to_a_program(void **state)
{
    (void)state;
    static const char *const programs[] = {"/tmp", "/etc/passwd", "/none"};
    for (size_t i = 0; i < sizeof programs / sizeof programs[0]; i++) {
        char *text = mem_printf(RECEIVER("kind = \"mail\"; to = (\"a@b\"); sendmail = \"%s\";"), programs[i]);
        struct alarm_rules *rules = load(text);
        needs_check(rules);
        char *problems = settings_problems(rules->conf);
        char *said =
            mem_printf("sendmail: %s cannot be run; expected a program that takes mail", programs[i]);
        assert_non_null(strstr(problems, said));
        assert_null(strchr(strchr(problems, '\n') + 1, '\n'));
        free(said);
        free(problems);
        alarm_rules_destroy(rules);
        free(text);
    }
}

static void expect_targets(const char *text, const char *expected)
{
    struct alarm_rules *rules = load(text);
    assert_int_equal(conf_problem_count(rules->conf), 0);
    size_t count;
    struct alarm_target *targets = alarm_targets(rules->rules.items, park, &count);
    struct buf found = {0};
    for (size_t i = 0; i < count; i++)
        buf_printf(&found, "%s%s:%s", i > 0 ? " " : "", alarm_target_kinds[targets[i].kind], targets[i].id);
    char *names = buf_take(&found);
    assert_string_equal(names, expected);
    free(names);
    alarm_targets_release(targets, count);
    alarm_rules_destroy(rules);
}

static void test_a_star_is_all_that_can_be_watched_and_each_is_watched_once(void **state)
{
    (void)state;
    expect_targets(RULE("kind = \"no_data\"; for = 60;"), "meter:main meter:part");
    expect_targets(
        RULE("kind = \"no_data\"; for = 60; on = (\"point:gw-a/x\", \"gateway:*\", \"gateway:gw-a\");"),
        "point:gw-a/x gateway:gw-a gateway:gw-b");
    expect_targets(RULE("kind = \"threshold\"; above = \"1\";"), "meter:main");
    expect_targets(RULE("kind = \"water\";"), "meter:tap");
    expect_targets(RULE("kind = \"balance\";"), "meter:main");
    expect_targets(RULE("kind = \"left_running\";"), "");
    expect_targets(RULE("kind = \"disk\";"), "collector:");
}

static void test_limits_are_thousandths_and_nights_quarter_hours(void **state)
{
    (void)state;
    struct alarm_rules *rules =
        load("rules = ({ id = \"a\"; kind = \"threshold\"; below = \"-60.5\"; clear = \"-60\"; for = 1.5; },"
             "{ id = \"b\"; kind = \"base_load\"; above = \"60000\"; night = \"01:15-24:00\"; });");
    assert_int_equal(conf_problem_count(rules->conf), 0);
    const struct alarm_rule *rule = rules->rules.items;
    assert_false(rule[0].limit.is_above);
    assert_int_equal(rule[0].limit.fire_m, -60500);
    assert_int_equal(rule[0].limit.clear_m, -60000);
    assert_int_equal(rule[0].own->for_ms, 1500);
    assert_int_equal(rule[1].limit.fire_m, 60000000);
    assert_int_equal(rule[1].limit.clear_m, 60000000);
    assert_int_equal(rule[1].hours.from, 5);
    assert_int_equal(rule[1].hours.until, 96);
    assert_int_equal(rules->repeat_ms, 900000);
    alarm_rules_destroy(rules);
}

/* What it holds is known where secrets are read: then it is what `url` is. */
static void test_beside_a_ca_file_no_url_is_of_http(void **state)
{
    (void)state;
    static const struct {
        const char *url, *problem;
    } rows[] = {{"http://127.0.0.1:9/x\n", "its URL is of http, and `ca_file` is for https; expected"},
        {"https://127.0.0.1:9/x\n", NULL}, {"ftp://127.0.0.1:9/x\n", "expected a URL in its first line"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *file = settings_write("url", rows[i].url);
        assert_int_equal(chmod(file, 0600), 0);
        struct alarm_rules *rules =
            load(RECEIVER("kind = \"webhook\"; url_file = \"url\"; ca_file = \"/none/ca.pem\";"));
        assert_int_equal(conf_problem_count(rules->conf), 0);
        needs_check(rules);
        char *problems = settings_problems(rules->conf);
        assert_int_equal(strstr(problems, AT_RECEIVER "url_file: ") != NULL, rows[i].problem != NULL);
        assert_true(rows[i].problem == NULL || strstr(problems, rows[i].problem) != NULL);
        struct error err = {""};
        struct attempt attempt;
        attempt_init(&attempt, rules->receivers.items);
        int64_t retry_s = 0;
        assert_int_not_equal(attempt_run(&attempt, "{}", 0, &retry_s, &err), ST_OK);
        assert_true(rows[i].problem == NULL || strstr(err.text, rows[i].problem) != NULL);
        attempt_release(&attempt);
        free(problems);
        alarm_rules_destroy(rules);
        free(file);
    }
}

/* As it is, and with what it has as comments: every key of the tables is somewhere in it. */
static void test_the_example_is_good_and_names_every_key(void **state)
{
    (void)state;
    const char *source = getenv("PARKMON_SOURCE");
    char *path = mem_printf("%s/config/alarms.cfg", source != NULL ? source : ".");
    struct alarm_rules *rules = alarm_rules_load(path);
    char *problems = settings_problems(rules->conf);
    assert_string_equal(problems, "");
    struct span text = conf_text(rules->conf);
    char *all = mem_strndup(text.at, text.len);
    static const char *const keys[] = {"repeat", "repeat_max", "id", "kind", "severity", "on", "for",
        "clear_for", "above", "below", "clear", "night", "when", "level", "language", "url", "url_file",
        "secret_file", "ca_file", "timeout", "to", "from", "sendmail"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        char *written = mem_printf("%s = ", keys[i]);
        if (strstr(all, written) == NULL)
            fail_msg("%s is not in the example", keys[i]);
        free(written);
    }
    free(all);
    free(problems);
    free(path);
    alarm_rules_destroy(rules);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_each_mistake_is_one_sentence_with_line_and_key),
        cmocka_unit_test(test_a_star_is_all_that_can_be_watched_and_each_is_watched_once),
        cmocka_unit_test(test_limits_are_thousandths_and_nights_quarter_hours),
        cmocka_unit_test(test_urls_with_and_without_a_port_are_good),
        cmocka_unit_test(test_repeats_end_at_one_a_day_or_at_the_first),
        cmocka_unit_test(test_mail_goes_to_a_program),
        cmocka_unit_test(test_beside_a_ca_file_no_url_is_of_http),
        cmocka_unit_test(test_the_example_is_good_and_names_every_key)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
