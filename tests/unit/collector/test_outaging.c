/* An act with an outage as one transaction: the row, the log of changes, and what a person's word means for what a point told. */
#include "collector/instrument/told.h"
#include "collector/outaging.h"
#include "tests/unit/collector/fake_journal.h"

#define NOW_MS INT64_C(1790000000000)
#define X "name = \"x\"; name_en = \"X\"; "

static const char model[] =
    "sites = ({ id = \"s\"; zone = \"Asia/Shanghai\"; " X "});"
    "gateways = ({ id = \"gw-a\"; site = \"s\"; " X "});"
    "buildings = ({ id = \"b\"; site = \"s\"; " X "});"
    "spaces = ({ id = \"gas\"; building = \"b\"; " X "});"
    "resources = ({ id = \"gas\"; building = \"b\"; kind = \"gas\"; point = \"gw-a/g\"; up = (\"on\");"
    "  down = (\"off\"); " X "}, { id = \"water\"; building = \"b\"; kind = \"water\"; contact = \"8\"; " X
    "});";

struct scene {
    struct fake_journal journal;
    struct park *park;
};

static void must(enum status status, const struct error *err)
{
    if (status != ST_OK)
        fail_msg("%s", err->text);
}

/* The point of the gas has told that there is none. */
static void open_scene(struct scene *s)
{
    struct told_resource told;
    struct error err = {""};
    bool is_changed;
    *s = (struct scene){.park = park_load_text("f", span_of(model))};
    conf_print_problems(s->park->conf, stderr);
    assert_int_equal(conf_problem_count(s->park->conf), 0);
    fake_journal_open(&s->journal);
    must(told_resource_take_up(s->journal.db, "gas", "gw-a/g", &told, &is_changed, &err), &err);
    const struct told_word down = {false, true, NOW_MS - 5000, NOW_MS - 5000, EVIDENCE_MEASURED};
    must(told_resource_say(s->journal.db, &told, &down, &err), &err);
}

static void close_scene(struct scene *s)
{
    fake_journal_close(&s->journal);
    park_destroy(s->park);
}

static enum status act(struct scene *s, enum outage_act act, enum outage_target kind, const char *target,
    int64_t *id, int64_t now_ms)
{
    struct outaging outaging = {.request = {.act = act,
                                    .id = *id,
                                    .kind = OUTAGE_BROKEN,
                                    .target_kind = kind,
                                    .target = target,
                                    .category = act == OUTAGE_OPEN ? outage_category_find("supply") : NULL,
                                    .note = "looked at it",
                                    .who = "anna"},
        .token = 7};
    struct outaging_result result;
    struct error err = {""};
    enum status status = outaging_run(s->journal.db, s->park, now_ms, &outaging, &result, &err);
    if (status == ST_OK) {
        *id = result.outage.id;
        outaging_result_release(&result);
    }
    return status;
}

static int64_t count(struct scene *s, const char *sql)
{
    struct db_stmt *statement = db_prepare(s->journal.db, sql);
    struct error err = {""};
    bool has_row;
    must(db_step(statement, &has_row, &err), &err);
    int64_t found = has_row ? db_int(statement, 0) : -1;
    db_finish(statement);
    return found;
}

static void expect_down(struct scene *s, bool expected)
{
    struct told_resource told;
    struct error err = {""};
    must(told_resource_find(s->journal.db, "gas", &told, &err), &err);
    assert_int_equal(told.is_down, expected);
}

static void test_who_closes_an_outage_of_a_resource_says_that_it_is_there_again(void **state)
{
    (void)state;
    struct scene s;
    int64_t id = 0;
    open_scene(&s);
    assert_int_equal(act(&s, OUTAGE_OPEN, OUTAGE_RESOURCE, "gas", &id, NOW_MS), ST_OK);
    expect_down(&s, true);
    assert_int_equal(act(&s, OUTAGE_CLOSE, OUTAGE_RESOURCE, NULL, &id, NOW_MS + 1000), ST_OK);
    expect_down(&s, false);
    assert_int_equal(count(&s, "SELECT until_ms FROM resource_down"), NOW_MS + 1000);
    close_scene(&s);
}

static void test_nothing_else_says_so(void **state)
{
    (void)state;
    struct scene s;
    int64_t gas = 0, space = 0, water = 0;
    open_scene(&s);
    assert_int_equal(act(&s, OUTAGE_OPEN, OUTAGE_RESOURCE, "gas", &gas, NOW_MS), ST_OK);
    assert_int_equal(act(&s, OUTAGE_OPEN, OUTAGE_SPACE, "gas", &space, NOW_MS), ST_OK);
    assert_int_equal(act(&s, OUTAGE_OPEN, OUTAGE_RESOURCE, "water", &water, NOW_MS), ST_OK);
    assert_int_equal(act(&s, OUTAGE_CLOSE, OUTAGE_SPACE, NULL, &space, NOW_MS), ST_OK);
    assert_int_equal(act(&s, OUTAGE_CLOSE, OUTAGE_RESOURCE, NULL, &water, NOW_MS), ST_OK);
    assert_int_equal(act(&s, OUTAGE_CANCEL, OUTAGE_RESOURCE, NULL, &gas, NOW_MS), ST_OK);
    expect_down(&s, true);
    close_scene(&s);
}

static void test_each_act_has_its_entry_and_a_refusal_none(void **state)
{
    (void)state;
    struct scene s;
    int64_t id = 0;
    open_scene(&s);
    assert_int_equal(act(&s, OUTAGE_OPEN, OUTAGE_RESOURCE, "air", &id, NOW_MS), ST_INVALID);
    assert_int_equal(count(&s, "SELECT count(*) FROM change_log"), 0);
    assert_int_equal(act(&s, OUTAGE_OPEN, OUTAGE_RESOURCE, "gas", &id, NOW_MS), ST_OK);
    assert_int_equal(act(&s, OUTAGE_OPEN, OUTAGE_RESOURCE, "gas", &id, NOW_MS), ST_INVALID);
    assert_int_equal(act(&s, OUTAGE_CANCEL, OUTAGE_RESOURCE, NULL, &id, NOW_MS + 1), ST_OK);
    assert_int_equal(count(&s, "SELECT count(*) FROM change_log WHERE who = 'anna' AND token = 7"
                               " AND object = 'resource gas, outage 1' AND note = 'looked at it'"),
        2);
    assert_int_equal(count(&s, "SELECT count(*) FROM change_log"), 2);
    close_scene(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_closes_an_outage_of_a_resource_says_that_it_is_there_again),
        cmocka_unit_test(test_nothing_else_says_so),
        cmocka_unit_test(test_each_act_has_its_entry_and_a_refusal_none)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
