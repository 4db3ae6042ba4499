#include "collector/settings.h"
#include "tests/unit/settings_file.h"

/* The pages' folder is where the program is installed, which a test need not be. */
#define HEAD "park = \"park.cfg\"; database: { path = \"c.db\"; }; "
#define WEB "http: { web = \".\"; };\n"

static struct conf *load(const char *text, struct collector_settings *ret)
{
    char *path = settings_write("c.cfg", text);
    struct conf *c = collector_settings_load(path, ret);
    collector_settings_check_access(c, ret);
    free(path);
    return c;
}

static void expect(const char *text, const char *expected)
{
    struct collector_settings settings;
    settings_expect_problems(load(text, &settings), text, expected);
}

static void test_little_must_be_said(void **state)
{
    (void)state;
    struct collector_settings settings;
    struct conf *c = load(HEAD WEB, &settings);
    char *problems = settings_problems(c), *park = settings_path("park.cfg"), *web = settings_path(".");
    assert_string_equal(problems, "");
    assert_string_equal(settings.id, "main");
    assert_string_equal(settings.park, park);
    assert_string_equal(settings.broker.user, "park-collector");
    assert_int_equal(settings.database.evidence_days, 35);
    assert_int_equal(settings.database.audit_years, 5);
    assert_string_equal(settings.store.url, "http://127.0.0.1:8086");
    assert_string_equal(settings.store.database, "parkmon");
    assert_null(settings.store.user);
    assert_int_equal(settings.store.raw_retention_days, 400);
    assert_int_equal(settings.store.timeout_ms, 10000);
    assert_string_equal(settings.http.address, "127.0.0.1");
    assert_int_equal(settings.http.port, 8080);
    assert_string_equal(settings.http.web, web);
    free(web);
    free(park);
    free(problems);
    conf_destroy(c);
}

static void test_a_store_is_named_by_a_plain_url(void **state)
{
    (void)state;
    static const char *const good[] = {
        "http://127.0.0.1:8086", "https://store.example", "http://[::1]:8086/influx"};
    static const char *const bad[] = {"", "127.0.0.1:8086", "ftp://x", "http://", "http:///x", "http://:8086",
        "http://me:secret@x", "http://x y", "http://x/?db=1", "http://x#y", "HTTP:/x"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        char *text = mem_printf(HEAD WEB "store: { url = \"%s\"; };", good[i]);
        expect(text, "");
        free(text);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char *text = mem_printf(HEAD WEB "store: { url = \"%s\"; };", bad[i]);
        char *problem =
            mem_printf("c.cfg:2: store.url: \"%s\" is not the URL of a store; expected one such as "
                       "http://127.0.0.1:8086\n",
                bad[i]);
        expect(text, problem);
        free(problem);
        free(text);
    }
}

static void test_a_user_and_a_password_belong_together(void **state)
{
    (void)state;
    free(settings_write_bytes("pw", "secret\n", 7, 0600));
    expect(HEAD WEB "store: { user = \"u\"; password_file = \"pw\"; };", "");
    expect(HEAD WEB "store: { user = \"u\"; };",
        "c.cfg:2: store.password_file: is missing; expected both user and password_file, or neither\n");
    expect(HEAD WEB "store: { password_file = \"pw\"; };",
        "c.cfg:2: store.user: is missing; expected both user and password_file, or neither\n");
    expect(HEAD WEB "store: { user = \"u\"; password_file = 5; };",
        "c.cfg:2: store.password_file: is an integer; expected a string in double quotes\n");
}

static void test_pages_are_for_this_machine_only(void **state)
{
    (void)state;
    static const struct {
        const char *address;
        bool is_good;
    } cases[] = {{"127.0.0.1", true}, {"127.1.2.3", true}, {"::1", true}, {"0.0.0.0", false}, {"::", false},
        {"192.168.1.1", false}, {"localhost", false}, {"127.0.0.1:80", false}, {"", false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *text = mem_printf(HEAD "http: { web = \".\"; address = \"%s\"; };", cases[i].address);
        struct collector_settings settings;
        struct conf *c = load(text, &settings);
        if ((conf_problem_count(c) == 0) != cases[i].is_good)
            fail_msg("%s", cases[i].address);
        conf_destroy(c);
        free(text);
    }
}

static void test_other_machines_need_tokens_and_a_name(void **state)
{
    (void)state;
    static const struct {
        const char *http;
        const char *word; /* of the one problem; NULL = good */
    } cases[] = {{"address = \"192.168.1.1\"; access = \"token\";", NULL}, {"access = \"token\";", NULL},
        {"address = \"::1\"; access = \"loopback\";", NULL},
        {"address = \"0.0.0.0\"; access = \"token\"; name = \"park.example\";", NULL},
        {"address = \"0.0.0.0\"; access = \"token\";", "http.name: is missing; expected the name or address"},
        {"address = \"::\"; access = \"token\";", "http.name: is missing; expected the name or address"},
        {"address = \"192.168.1.1\";", "or access = \"token\""},
        {"address = \"park\"; access = \"token\";", "\"park\" is not an address"},
        {"name = \"https://park.example\";", "is not a host name"},
        {"name = \"park.example:443\";", "is not a host name"}, {"access = \"open\";", "http.access"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *text = mem_printf(HEAD "http: { web = \".\"; %s };", cases[i].http), *said = NULL;
        size_t said_len = 0;
        struct collector_settings settings;
        struct conf *c = load(text, &settings);
        FILE *out = open_memstream(&said, &said_len);
        conf_print_problems(c, out);
        fclose(out);
        bool is_good = conf_problem_count(c) == 0;
        if (is_good != (cases[i].word == NULL) ||
            (!is_good && (conf_problem_count(c) != 1 || !strstr(said, cases[i].word))))
            fail_msg("%s: %s", cases[i].http, said);
        conf_destroy(c);
        free(said);
        free(text);
    }
}

static void test_every_folder_must_be_there(void **state)
{
    (void)state;
    expect("park = \"park.cfg\"; database: { path = \"none/c.db\"; };\nhttp: { web = \"c.cfg\"; };",
        "c.cfg:1: database.path: none: No such file or directory; expected an existing folder for none/c.db\n"
        "c.cfg:2: http.web: c.cfg is not a folder; expected the one with the pages' files\n");
}

static void test_the_example_mentions_every_key(void **state)
{
    (void)state;
    char *text = settings_example("collector.cfg");
    settings_expect_all_keys(text, "config/collector.cfg", &collector_section);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_little_must_be_said),
        cmocka_unit_test(test_a_store_is_named_by_a_plain_url),
        cmocka_unit_test(test_a_user_and_a_password_belong_together),
        cmocka_unit_test(test_pages_are_for_this_machine_only),
        cmocka_unit_test(test_other_machines_need_tokens_and_a_name),
        cmocka_unit_test(test_every_folder_must_be_there),
        cmocka_unit_test(test_the_example_mentions_every_key),
    };
    return cmocka_run_group_tests(tests, settings_make_folder, settings_remove_folder);
}
