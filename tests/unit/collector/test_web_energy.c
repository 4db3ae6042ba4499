/* Amounts by HTTP, of a park and rows that are made up: each figure is worked out by hand. */
#include "collector/schema.h"
#include "tests/unit/collector/web_fixture.h"

#define BEGIN_MS INT64_C(1790784000000) /* 2026-09-30T16:00:00Z, October in Shanghai */
#define OCTOBER "/api/v1/energy?from=2026-10&to=2026-11"
#define TWO_HOURS "/api/v1/energy?from=2026-10&to=2026-09-30T18:00:00Z"

static struct db *db;

static void put(const char *meter, int quarter, const char *amount, int quality)
{
    struct error err;
    char *sql = mem_printf(
        "INSERT OR IGNORE INTO ledger_meter(name) VALUES('%s');"
        "INSERT INTO ledger_quarter SELECT id, %lld, 1, %s, %d, 0, 0 FROM ledger_meter WHERE name = '%s'",
        meter, (long long)(BEGIN_MS + quarter * 900000), amount, quality, meter);
    if (db_exec(db, sql, &err) != ST_OK)
        fail_msg("%s", err.text);
    free(sql);
}

/* Two hours of the main meters: 4 000 Wh an hour of the park, of which b1 has 1 000 and b2 2 500. */
static int set_up(void **state)
{
    struct error err;
    load(state);
    assert_int_equal(db_open(database, &collector_schema, &db, &err), ST_OK);
    for (int i = 0; i < 8; i++) {
        put("park-main", i, "1000", 0);
        put("b1-main", i, "250", i == 5);
        put("b2-main", i, "625", 0);
        put("b2-lab", i, i == 3 ? "NULL" : "10", i == 3 ? 3 : 0);
        put("b2-heat", i, "-1500000", 2);
    }
    return 0;
}

static int tear_down(void **state)
{
    db_close(db);
    return unload(state);
}

static json_t *row(json_t *answer, const char *kind, const char *id, const char *carrier)
{
    size_t i;
    json_t *each, *found = NULL;
    json_array_foreach(json_object_get(answer, "rows"), i, each)
    {
        if (strcmp(json_string_value(json_object_get(each, "kind")), kind) == 0 &&
            strcmp(json_string_value(json_object_get(each, "id")), id) == 0 &&
            strcmp(json_string_value(json_object_get(each, "carrier")), carrier) == 0)
            found = each;
    }
    if (found == NULL)
        fail_msg("no %s %s of %s", kind, id, carrier);
    return found;
}

static json_t *value(json_t *answer, const char *kind, const char *id, const char *carrier, size_t step)
{
    json_t *found = json_array_get(json_object_get(row(answer, kind, id, carrier), "values"), step);
    assert_non_null(found);
    return found;
}

static void expect_text(json_t *value, const char *key, const char *expected)
{
    json_t *is = json_object_get(value, key);
    assert_non_null(is);
    if (expected == NULL ? !json_is_null(is)
                         : !json_is_string(is) || strcmp(json_string_value(is), expected) != 0)
        fail_msg("%s is %s; expected %s", key, json_is_string(is) ? json_string_value(is) : "no text",
            expected != NULL ? expected : "null");
}

static void expect_number(json_t *value, const char *key, json_int_t expected)
{
    assert_true(json_is_integer(json_object_get(value, key)));
    assert_int_equal(json_integer_value(json_object_get(value, key)), expected);
}

static void test_a_building_has_its_topmost_meters_and_a_row_for_each_carrier(void **state)
{
    (void)state;
    json_t *answer = get_json(TWO_HOURS "&by=building&step=1h&site=cloud", 200);
    expect_text(answer, "site", "cloud");
    expect_text(answer, "zone", "Asia/Shanghai");
    expect_text(answer, "from", "2026-10-01T00:00:00.000+08:00");
    expect_text(answer, "to", "2026-10-01T02:00:00.000+08:00");
    expect_text(answer, "by", "building");
    expect_text(answer, "step", "1h");
    json_t *v = value(answer, "group", "b1", "electricity", 1); /* b1-main alone */
    expect_text(v, "start", "2026-10-01T01:00:00.000+08:00");
    expect_text(v, "end", "2026-10-01T02:00:00.000+08:00");
    expect_text(v, "amount", "1.000");
    expect_text(v, "quality", "estimated");
    expect_text(v, "estimated", "0.250");
    expect_number(v, "estimated_s", 900);
    expect_text(v, "coverage", "0.7500");
    v = value(answer, "group", "b2", "electricity", 0);
    expect_text(v, "amount", NULL); /* b2-lab is not known for a quarter hour */
    expect_text(v, "known", "2.530");
    expect_number(v, "unknown_s", 900);
    expect_number(v, "due", 8);
    expect_number(v, "covered", 7);
    v = value(answer, "group", "b2", "heat", 0);
    expect_text(v, "amount", "-6.000000");
    expect_text(v, "quality", "manual");
    expect_text(row(answer, "group", "b2", "heat"), "unit", "MJ");
    v = value(answer, "group", "b2", "water", 0); /* never read */
    expect_text(v, "amount", NULL);
    expect_text(v, "known", "0.000");
    expect_text(v, "coverage", "0.0000");
    expect_number(v, "unknown_s", 0);
    json_decref(answer);
}

static void test_a_parent_has_a_gap_that_is_held_against_its_limit(void **state)
{
    (void)state;
    json_t *answer = get_json(TWO_HOURS "&by=meter", 200);
    json_t *gap = value(answer, "gap", "park-main", "electricity", 0);
    expect_text(gap, "amount", "1.000"); /* 8 - 2 - 5 */
    expect_text(gap, "balance", "beyond");
    gap = value(answer, "gap", "b1-main", "electricity", 0); /* b1-hvac was never read */
    expect_text(gap, "amount", NULL);
    expect_text(gap, "known", "0.000");
    expect_text(gap, "balance", "unknown");
    assert_null(json_object_get(value(answer, "meter", "b1-main", "electricity", 0), "balance"));
    json_decref(answer);
}

static void test_months_are_the_sites_and_what_is_not_over_is_told_apart(void **state)
{
    (void)state;
    json_t *answer = get_json("/api/v1/energy?from=2026-09&to=2026-11&step=1mo&by=carrier", 200);
    json_t *values = json_object_get(row(answer, "group", "electricity", "electricity"), "values");
    assert_int_equal(json_array_size(values), 2);
    expect_text(json_array_get(values, 1), "start", "2026-10-01T00:00:00.000+08:00");
    expect_text(json_array_get(values, 0), "known", "0.000");
    expect_text(json_array_get(values, 1), "known", "8.070");
    expect_text(json_array_get(values, 1), "amount", NULL);
    json_decref(answer);
    answer = get_json("/api/v1/energy?from=9998&to=9999&by=carrier", 200);
    json_t *v = value(answer, "group", "heat", "heat", 0);
    expect_text(v, "quality", "future");
    expect_text(v, "coverage", NULL);
    expect_number(v, "future_s", 365 * 86400);
    json_decref(answer);
}

static void test_csv_has_a_line_for_each_value(void **state)
{
    (void)state;
    char *answer = ask("GET", TWO_HOURS "&by=meter&step=1h&format=csv", "");
    assert_int_equal(code_of(answer), 200);
    assert_non_null(strstr(answer, "text/csv"));
    assert_non_null(strstr(answer, "\r\ncloud,meter,b1-main,electricity,kWh,2026-10-01T01:00:00.000+08:"
                                   "00,2026-10-01T02:00:00.000+08:00,1.000,"
                                   "1.000,estimated,0.7500,4,3,0,0,0,0,0.250,900,0.000,0,\r\n"));
    assert_non_null(strstr(answer, "\r\ncloud,gap,b1-main,electricity,kWh,2026-10-01T00:00:00.000+08:00,"
                                   "2026-10-01T01:00:00.000+08:00,,0.000,"));
    size_t lines = 0;
    for (const char *at = strstr(answer, "\r\n\r\n") + 4; (at = strstr(at, "\r\n")) != NULL; at += 2)
        lines++;
    assert_int_equal(lines, 1 + 2 * (9 + 3));
    free(answer);
}

static void test_a_bad_question_is_told_what_is_wrong_with_it(void **state)
{
    (void)state;
    static const struct {
        const char *query, *word;
    } cases[] = {
        {"", "from: is missing"},
        {"from=2026-10", "to: is missing"},
        {"from=2026-10&to=2026-10", "to: is not later than from"},
        {"from=x&to=2026-11", "from: \\\"x\\\" is not a time"},
        {"from=2026-02-30&to=2026-11", "from: \\\"2026-02-30\\\" is not a time"},
        {"from=2026-10-01T00:10:00Z&to=2026-11", "is inside a quarter hour"},
        {"from=2026-10-01T00:00:00.001Z&to=2026-11", "is inside a quarter hour"},
        {"from=2026-10&to=2026-11&by=floor",
            "by: unknown value \\\"floor\\\"; expected one of building, tenant, meter, item, carrier"},
        {"from=2026-10&to=2026-11&step=5m",
            "step: unknown value \\\"5m\\\"; expected one of 15m, 1h, 1d, 1mo, all"},
        {"from=2026-10&to=2026-11&site=s2", "site: unknown value \\\"s2\\\"; expected one of cloud"},
        {"from=2026-10&to=2026-11&format=xml",
            "format: unknown value \\\"xml\\\"; expected one of json, csv"},
        {"from=2026-10&to=2026-11&colour=red", "colour"},
        {"from=2000&to=2026", "to: is more than 3700 days after from"},
        {"from=2026-01&to=2026-12&step=15m", "expected at most 10000 values"},
        {"from=2020&to=2030&by=meter&step=1mo", "expected at most 5000000: a shorter period"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *path = mem_printf("/api/v1/energy?%s", cases[i].query);
        expect(ask("GET", path, ""), 400, cases[i].word);
        free(path);
    }
}

static void test_sums_beyond_64_bits_are_unknown_and_the_rest_stands(void **state)
{
    (void)state;
    put("b2-water", 40, "9223372036854775807", 0);
    put("b2-hand", 40, "1", 0);
    json_t *answer = get_json(OCTOBER "&by=carrier", 200);
    json_t *value = json_array_get(json_object_get(row(answer, "group", "water", "water"), "values"), 0);
    expect_text(value, "amount", NULL);
    expect_text(value, "known", NULL);
    expect_text(value, "quality", "unknown");
    json_t *other =
        json_array_get(json_object_get(row(answer, "group", "electricity", "electricity"), "values"), 0);
    assert_true(json_is_string(json_object_get(other, "known")));
    json_decref(answer);
    json_decref(get_json(OCTOBER "&by=meter", 200));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_building_has_its_topmost_meters_and_a_row_for_each_carrier),
        cmocka_unit_test(test_a_parent_has_a_gap_that_is_held_against_its_limit),
        cmocka_unit_test(test_months_are_the_sites_and_what_is_not_over_is_told_apart),
        cmocka_unit_test(test_csv_has_a_line_for_each_value),
        cmocka_unit_test(test_a_bad_question_is_told_what_is_wrong_with_it),
        cmocka_unit_test(test_sums_beyond_64_bits_are_unknown_and_the_rest_stands),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
