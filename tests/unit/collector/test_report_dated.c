/* What a report says of a day at whose noon a tenant moves out, another moves in, and the meter is put elsewhere. */
#include "collector/report/report.h"
#include "tests/unit/collector/intake_fixture.h"

#define DAY_MS INT64_C(1781481600000) /* 2026-06-15T00:00:00Z */
#define HALF 48                       /* quarter hours */
#define NAMED(id) "id = \"" id "\"; name = \"x\"; name_en = \"x\"; "
#define SEGMENTS "segments = ( { serial = \"1\"; from = \"2020-01-01T00:00:00Z\"; max_rate = 1; } );"

/* Main counts 100 a quarter hour, lab 30. Until noon lab is tenant t1's, below main; then t2's, fed on its own. */
static const char park_text[] = "sites = ( { " NAMED(
    "s1") "zone = \"UTC\"; } );\n"
          "buildings = ( { " NAMED("b1") "site = \"s1\"; }, { " NAMED(
              "b2") "site = \"s1\"; } );\n"
                    "tenants = ( { " NAMED("t1") "}, { " NAMED("t2") "}, { " NAMED(
                        "t3") "} );\n"
                              "meters = ( { " NAMED(
                                  "main") "building = \"b1\"; carrier = \"electricity\"; item = "
                                          "\"01000\"; " SEGMENTS " },\n"
                                          "{ " NAMED("lab") "building = \"b1\"; carrier = \"electricity\"; "
                                                            "tenant = \"t1\"; parent = \"main\"; " SEGMENTS
                                                            "\n"
                                                            "changes = ( { from = \"2026-06-15T12:00:00Z\"; "
                                                            "tenant = \"t2\"; parent = \"\"; building = "
                                                            "\"b2\"; item = \"01A00\"; } ); } );\n";

static struct park *load(void)
{
    struct park *park = park_load_text("park.cfg", span_of(park_text));
    conf_print_problems(park->conf, stderr);
    assert_int_equal(conf_problem_count(park->conf), 0);
    return park;
}

static void put_quarters(struct db *db)
{
    struct error err;
    must(db_exec(db, "INSERT INTO ledger_meter VALUES(1, 'main'), (2, 'lab')", &err), &err);
    struct db_stmt *put =
        db_prepare(db, "INSERT INTO ledger_quarter(meter, start_ms, version, amount, quality, written_ms,"
                       " written_by) VALUES(?1, ?2, 1, ?3, 0, 0, 0)");
    for (int64_t i = -2 * HALF; i < 2 * HALF; i++) /* the day before, too */
        for (int64_t meter = 1; meter <= 2; meter++) {
            db_bind_int(put, 1, meter);
            db_bind_int(put, 2, DAY_MS + i * PERIODS_QUARTER_HOUR_MS);
            db_bind_int(put, 3, meter == 1 ? 100 : 30);
            must(db_run(put, &err), &err);
        }
}

static const char *name_of(const struct part *part)
{
    return part->kind == PART_TENANT     ? part->tenant != NULL ? part->tenant->id : "-"
           : part->kind == PART_BUILDING ? part->building->id
           : part->kind == PART_ITEM     ? part->item != NULL ? part->item : "-"
           : part->meter != NULL         ? part->meter->id
                                         : "all";
}

static void test_each_pays_for_his_own_time(void **state)
{
    (void)state;
    static const char *const kinds[PART_KINDS] = {"site", "building", "tenant", "item", "meter", "gap"};
    struct intake in;
    intake_open(&in);
    put_quarters(in.db);
    struct park *park = load();
    struct rates rates = {0};
    struct report report;
    struct error err;
    struct period day;
    assert_true(periods_parse("2026-06-15", &day));
    must(db_exec(in.db,
             "INSERT INTO gateway(id, name, first_heard_ms) VALUES(1, 'g', 0);"
             "INSERT INTO journal(gateway, epoch, seq, received_ms, lines, payload)"
             " VALUES(1, 1, 1, 1781568000000, 0, x'');"
             "UPDATE cursor SET position = 1 WHERE name = 'ledger'",
             &err),
        &err);
    must(report_build(&(struct report_options){.db = in.db,
                          .park = park,
                          .rates = &rates,
                          .site = park->sites.items,
                          .period = day,
                          .now_ms = INT64_MAX},
             &report, &err),
        &err);
    assert_int_equal(report.carrier_count, 1);
    /* Lab is fed through main on the day before, and on its own from noon on. */
    assert_int_equal(report.carriers[0].figures[0].before.amount.sum.known, 9600);
    assert_int_equal(report.carriers[0].figures[0].before.comparison.reason, COMPARE_OTHER_METERS);
    struct buf found = {0};
    for (size_t i = 0; i < report.carriers[0].count; i++) {
        const struct report_figure *figure = &report.carriers[0].figures[i];
        int64_t sum = -1;
        assert_true(amount_is_known(&figure->amount, &sum));
        buf_printf(&found, "%s %s %lld\n", kinds[figure->part.kind], name_of(&figure->part), (long long)sum);
    }
    assert_string_equal(found.data,
        "site all 11040\nbuilding b1 9600\nbuilding b2 1440\ntenant t1 1440\ntenant t2 1440\ntenant - 8160\n"
        "item 01000 8160\nitem - 1440\nitem 01A00 1440\nmeter main 9600\nmeter lab 2880\ngap main 3360\n");
    buf_release(&found);
    report_release(&report);
    park_destroy(park);
    intake_close(&in);
}

/* A park that fell silent at noon: what is over and was not heard is missing, whenever the last batch arrived. */
static void test_what_is_over_is_due(void **state)
{
    (void)state;
    struct intake in;
    intake_open(&in);
    put_quarters(in.db);
    struct park *park = load();
    struct rates rates = {0};
    struct report report;
    struct error err;
    struct report_options options = {.db = in.db, .park = park, .rates = &rates, .site = park->sites.items};
    assert_true(periods_parse("2026-06-15", &options.period));
    int64_t noon_ms = DAY_MS + HALF * PERIODS_QUARTER_HOUR_MS;
    struct db_stmt *drop = db_keep(in.db, "DELETE FROM ledger_quarter WHERE start_ms >= ?1");
    db_bind_int(drop, 1, noon_ms);
    must(db_run(drop, &err), &err);
    for (int i = 0; i < 2; i++) {
        options.now_ms = i == 0 ? noon_ms : INT64_MAX;
        must(report_build(&options, &report, &err), &err);
        const struct amount *site = &report.carriers[0].figures[0].amount;
        assert_int_equal(site->sum.count, HALF);
        assert_int_equal(site->future_s, i == 0 ? HALF * 900 : 0);
        assert_int_equal(site->waiting_s, i == 0 ? 0 : HALF * 900);
        assert_int_equal(compare_coverage_permille(site), i == 0 ? 1000 : 500);
        report_release(&report);
    }
    park_destroy(park);
    intake_close(&in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_pays_for_his_own_time),
        cmocka_unit_test(test_what_is_over_is_due),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
