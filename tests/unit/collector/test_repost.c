/* Which rows of `energy` are posted again, and what settles that. That the store then has what the books say is held by
 * test_repost.py. */
#include "collector/energy_model.h"
#include "collector/model/version.h"
#include "collector/store/energy_body.h"
#include "tests/unit/collector/intake_fixture.h"

#define Q BOUNDARY_MS
#define DAY_MS INT64_C(86400000)
#define MAY_MS INT64_C(1777593600000) /* 2026-05-01T00:00:00Z */

static char *spans(struct db *db)
{
    static char text[1024];
    snprintf(text, sizeof text, "%s",
        rows(db, 1,
            "SELECT group_concat(meter || ' ' || from_ms || ' ' || until_ms, ', ') FROM"
            " (SELECT * FROM repost ORDER BY meter)"));
    return text;
}

static void add(struct db *db, const char *meter, int64_t from_ms, int64_t until_ms)
{
    struct error err = {""};
    must(repost_add(db, span_of(meter), from_ms, until_ms, &err), &err);
}

static int64_t next_id(struct db *db, const char *expected_meter)
{
    struct repost next;
    struct error err = {""};
    must(repost_next(db, &next, &err), &err);
    assert_string_equal(next.meter, expected_meter);
    return next.id;
}

static void settle(struct db *db, int64_t id, int64_t done_ms)
{
    struct error err = {""};
    must(repost_settle(db, id, done_ms, &err), &err);
}

static void test_a_meter_has_one_span_on_quarter_hours(void **state)
{
    (void)state;
    struct intake in;
    intake_open(&in);
    assert_int_equal(next_id(in.db, ""), 0);
    add(in.db, "m1", 5, 5);
    add(in.db, "m1", 9 * Q, 2 * Q);
    assert_int_equal(next_id(in.db, ""), 0);
    add(in.db, "m1", 5 * Q + 1, 7 * Q - 1);
    add(in.db, "m2", INT64_MIN, INT64_MAX);
    assert_string_equal(spans(in.db), "m1 4500000 6300000, m2 0 7258118400000");
    add(in.db, "m1", 2 * Q, 3 * Q);
    add(in.db, "m1", 4 * Q, 6 * Q);
    assert_string_equal(spans(in.db), "m1 1800000 6300000, m2 0 7258118400000");
    intake_close(&in);
}

static void test_what_was_posted_of_a_span_does_not_settle_what_it_became_since(void **state)
{
    (void)state;
    struct intake in;
    intake_open(&in);
    add(in.db, "m1", 0, 10 * Q);
    int64_t before = next_id(in.db, "m1");
    settle(in.db, before, 4 * Q);
    assert_string_equal(spans(in.db), "m1 3600000 9000000");
    add(in.db, "m1", 6 * Q, 7 * Q); /* it lies inside: its rows are others now */
    assert_true(next_id(in.db, "m1") > before);
    settle(in.db, before, 10 * Q);
    assert_string_equal(spans(in.db), "m1 3600000 9000000");
    int64_t now = next_id(in.db, "m1");
    settle(in.db, now, 8 * Q);
    settle(in.db, now, 5 * Q); /* told twice */
    assert_string_equal(spans(in.db), "m1 7200000 9000000");
    settle(in.db, now, 10 * Q);
    assert_int_equal(next_id(in.db, ""), 0);
    intake_close(&in);
}

/* ---- models ---- */

#define NAMED(id) "{ id = \"" id "\"; name = \"x\"; name_en = \"x\"; "
#define METER(id, building, more) \
    NAMED(id) "building = \"" building "\"; carrier = \"electricity\"; power = \"g/" id "\"; " more "}"
#define PARK(meters)                                                         \
    "sites = (" NAMED("s1") "zone = \"Asia/Shanghai\"; }, " NAMED(           \
        "s2") "zone = \"UTC\"; });\n"                                        \
              "buildings = (" NAMED("b1") "site = \"s1\"; }, " NAMED(        \
                  "b2") "site = \"s2\"; });\n"                               \
                        "tenants = (" NAMED("t1") "});\ngateways = (" NAMED( \
                            "g") "site = \"s1\"; });\nmeters = (" meters ");\n"
#define FACTOR(value, when)                                                                                \
    "{ kind = \"kgce_calorific\"; carrier = \"electricity\"; unit = \"kgce/kWh\"; basis = \"calorific\"; " \
    "value = \"" value "\"; " when " document = \"D\"; confidence = \"A\"; }"
#define BOTH METER("m1", "b1", "") ", " METER("m2", "b2", "")
#define OLD FACTOR("0.1229", "from = \"2021-04-01\";")

static struct model *load(const char *park, const char *factors)
{
    const char *const names[MODEL_FILES] = {"p.cfg", factors != NULL ? "f.cfg" : NULL, NULL};
    const struct span texts[MODEL_FILES] = {
        span_of(park), factors != NULL ? span_of(factors) : (struct span){NULL, 0}, {NULL, 0}};
    struct model *m = model_load_texts(names, texts);
    model_print_problems(m, stderr);
    assert_int_equal(model_problem_count(m), 0);
    return m;
}

/* What is posted again where the books have 2026-05-01 to 03 of UTC. */
static const char *posted_again(
    const char *park_before, const char *factors_before, const char *park_now, const char *factors_now)
{
    static char text[1024];
    struct intake in;
    struct error err = {""};
    intake_open(&in);
    must(db_exec(in.db,
             "INSERT INTO ledger_meter(name) VALUES('m1'), ('m2');"
             "INSERT INTO ledger_quarter VALUES(1, 1777593600000, 1, 5, 0, 0, 0),"
             " (2, 1777593600000 + 3 * 86400000 - 900000, 1, 5, 0, 0, 0)",
             &err),
        &err);
    struct model *before = load(park_before, factors_before), *now = load(park_now, factors_now);
    must(energy_model_repost(in.db, before, now, &err), &err);
    snprintf(text, sizeof text, "%s", spans(in.db));
    model_put(before);
    model_put(now);
    intake_close(&in);
    return text;
}

static void test_what_looks_the_same_is_not_posted_again(void **state)
{
    (void)state;
#define WAS "factors = ( " OLD " );\n"
    /* A name, a row of other days, a meter of which the books have nothing: rows look as they did. */
    assert_string_equal(posted_again(PARK(BOTH), WAS, PARK(BOTH), WAS), "-");
    assert_string_equal(
        posted_again(PARK(BOTH), WAS,
            PARK(METER("m1", "b1", "balance_limit = \"0.1\"; ") ", " METER("m2", "b2", "")), WAS),
        "-");
    assert_string_equal(
        posted_again(PARK(BOTH), WAS, PARK(BOTH),
            "factors = ( " FACTOR("0.1229", "from = \"2021-04-01\"; through = \"2026-05-04\";") ", " FACTOR(
                "0.2", "from = \"2026-05-05\";") " );\n"),
        "-");
}

static void test_other_factors_are_of_their_local_days(void **state)
{
    (void)state;
    /* From 2026-05-03 on: in Shanghai that begins eight hours earlier; and the last of its days goes on to 16:00 UTC. */
    assert_string_equal(
        posted_again(PARK(BOTH), WAS, PARK(BOTH),
            "factors = ( " FACTOR("0.1229", "from = \"2021-04-01\"; through = \"2026-05-02\";") ", " FACTOR(
                "0.2", "from = \"2026-05-03\";") " );\n"),
        "m1 1777737600000 1777852800000, m2 1777766400000 1777852800000");
    assert_string_equal(posted_again(PARK(BOTH), WAS, PARK(BOTH), NULL),
        "m1 1777593600000 1777852800000, m2 1777593600000 1777852800000");
}

static void test_other_tags_are_from_their_day_on_and_other_names_wholly(void **state)
{
    (void)state;
    assert_string_equal(
        posted_again(PARK(BOTH), WAS,
            PARK(METER("m1", "b1",
                "changes = ({ from = \"2026-05-02T00:00:00Z\"; tenant = \"t1\"; }); ") ", " METER("m2", "b2",
                "")),
            WAS),
        "m1 1777680000000 1777852800000");
    assert_string_equal(
        posted_again(PARK(BOTH), WAS, PARK(METER("m1", "b1", "") ", " METER("m3", "b2", "")), WAS),
        "m2 0 7258118400000, m3 1777593600000 1777852800000");
    /* To another site, where days begin elsewhere. */
    assert_string_equal(
        posted_again(PARK(BOTH), WAS, PARK(METER("m1", "b2", "") ", " METER("m2", "b2", "")), WAS),
        "m1 1777593600000 1777852800000");
}

static void test_a_version_is_followed_once(void **state)
{
    (void)state;
    struct intake in;
    struct error err = {""};
    bool is_changed = false;
    intake_open(&in);
    must(db_exec(in.db,
             "INSERT INTO ledger_meter(name) VALUES('m1');"
             "INSERT INTO ledger_quarter VALUES(1, 1777593600000, 1, 5, 0, 0, 0)",
             &err),
        &err);
    struct model *one = load(PARK(BOTH), WAS), *two = load(PARK(METER("m1", "b2", "")), WAS);
    must(version_add(in.db, 1, 0, one, NULL, NULL, &err), &err);
    must(energy_model_follow(in.db, one, &is_changed, &err), &err);
    assert_true(is_changed);
    assert_string_equal(spans(in.db), "-"); /* nothing was posted by another one */
    must(version_add(in.db, 2, 0, two, NULL, NULL, &err), &err);
    must(energy_model_follow(in.db, two, &is_changed, &err), &err);
    assert_string_equal(spans(in.db), "m1 1777593600000 1777594500000, m2 0 7258118400000");
    must(db_exec(in.db, "DELETE FROM repost", &err), &err);
    is_changed = false;
    must(energy_model_follow(in.db, two, &is_changed, &err), &err);
    assert_false(is_changed);
    assert_string_equal(spans(in.db), "-");
    /* One that cannot be read tells nothing. */
    must(db_exec(in.db, "UPDATE cursor SET position = 7 WHERE name = 'energy'", &err), &err);
    must(energy_model_follow(in.db, two, &is_changed, &err), &err);
    assert_string_equal(spans(in.db), "m1 0 7258118400000");
    model_put(one);
    model_put(two);
    intake_close(&in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_meter_has_one_span_on_quarter_hours),
        cmocka_unit_test(test_what_was_posted_of_a_span_does_not_settle_what_it_became_since),
        cmocka_unit_test(test_what_looks_the_same_is_not_posted_again),
        cmocka_unit_test(test_other_factors_are_of_their_local_days),
        cmocka_unit_test(test_other_tags_are_from_their_day_on_and_other_names_wholly),
        cmocka_unit_test(test_a_version_is_followed_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
