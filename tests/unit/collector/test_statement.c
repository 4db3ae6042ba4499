/* For which periods there is a statement. */
#include "collector/statement/statement.h"
#include "tests/unit/collector/fake_journal.h"

#define THING "name = \"x\"; name_en = \"X\"; "
#define OCTOBER_MS INT64_C(1790812800000) /* 2026-10-01T00:00:00Z */
#define DAY_MS INT64_C(86400000)

static const char park_text[] = "sites = ({ id = \"s\"; " THING "zone = \"UTC\"; });\n"
                                "buildings = ({ id = \"b\"; " THING "site = \"s\"; });\n"
                                "gateways = ({ id = \"gw-a\"; " THING "site = \"s\"; });\n"
                                "categories = ({ id = \"c\"; " THING "});\n"
                                "instruments = ({ id = \"sem\"; " THING
                                "building = \"b\"; category = \"c\"; owner = \"o\"; owner_en = \"o\";"
                                " owner_code = \"9\"; contact = \"8\"; session = \"gw-a/s\"; });\n";

struct scene {
    struct fake_journal journal;
    struct park *park;
};

static void open_scene(struct scene *s)
{
    fake_journal_open(&s->journal);
    s->park = fake_park_of(&s->journal, park_text);
}

static void close_scene(struct scene *s)
{
    park_destroy(s->park);
    fake_journal_close(&s->journal);
}

static enum status build(struct scene *s, const char *period, int64_t clock_ms, struct statement *ret,
    bool *ret_is_ahead, struct error *err)
{
    struct statement_options options = {
        .db = s->journal.db, .park = s->park, .site = park_site_find(s->park, "s"), .clock_ms = clock_ms};
    assert_true(periods_parse(period, &options.period));
    return statement_build(&options, ret, ret_is_ahead, err);
}

static void test_of_a_period_that_has_not_begun_there_is_none(void **state)
{
    (void)state;
    static const char *const ahead[] = {"2031-01", "2026-10-02", "2026-11", "2027"};
    struct scene s;
    struct statement statement;
    open_scene(&s);
    for (size_t i = 0; i < sizeof ahead / sizeof ahead[0]; i++) {
        struct error err = {""};
        bool is_ahead = false;
        assert_int_equal(
            build(&s, ahead[i], OCTOBER_MS + DAY_MS - 1, &statement, &is_ahead, &err), ST_INVALID);
        assert_true(is_ahead);
        assert_non_null(strstr(err.text, ahead[i]));
        assert_non_null(strstr(err.text, "has not begun"));
    }
    close_scene(&s);
}

static void test_of_one_that_has_there_is_what_has_passed_of_it(void **state)
{
    (void)state;
    static const struct {
        const char *period;
        int64_t clock_ms, passed_ms;
    } cases[] = {{"2026-10", OCTOBER_MS, 0}, {"2026-10", OCTOBER_MS + 1, 1},
        {"2026-10-02", OCTOBER_MS + DAY_MS + 5, 5}, {"2026-10-01", OCTOBER_MS + 9 * DAY_MS, DAY_MS}};
    struct scene s;
    open_scene(&s);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct statement statement;
        struct error err = {""};
        bool is_ahead = true;
        if (build(&s, cases[i].period, cases[i].clock_ms, &statement, &is_ahead, &err) != ST_OK)
            fail_msg("%s: %s", cases[i].period, err.text);
        assert_false(is_ahead);
        assert_int_equal(statement.count, 1);
        assert_true(statement.until_ms - statement.span.begin_ms == cases[i].passed_ms);
        int64_t sum_ms = 0;
        for (int part = 0; part < HOURS_PARTS; part++)
            sum_ms += statement.instruments[0].hours.part_ms[part];
        assert_true(sum_ms == cases[i].passed_ms);
        statement_release(&statement);
    }
    close_scene(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_of_a_period_that_has_not_begun_there_is_none),
        cmocka_unit_test(test_of_one_that_has_there_is_what_has_passed_of_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
