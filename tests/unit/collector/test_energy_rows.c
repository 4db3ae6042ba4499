/* The `energy` measurement, line by line as the outbox gets it. */
#include "collector/energy_rows.h"
#include "lib/calendar.h"
#include "tests/unit/collector/intake_fixture.h"

#define START_MS INT64_C(1767225600000)

/* Of a park without a site, where nothing has a price. */
static void put_at(struct db *db, const struct park_meter *meter, struct quarter quarter, int64_t version)
{
    struct error err = {""};
    struct park park = {0};
    struct energy_lines *lines = energy_lines_create(&park, NULL);
    must(energy_row_put(db, lines, meter, &quarter, version, &err), &err);
    energy_lines_destroy(lines);
}

static void put(struct db *db, const struct park_meter *meter, struct quarter quarter, int64_t version)
{
    quarter.start_ms = START_MS;
    put_at(db, meter, quarter, version);
}

static char site_id[] = "s1", building_id[] = "b1", tenant_id[] = "t1", item[] = "01A00", meter_id[] = "m1";
static const struct park_building building = {.id = building_id, .site_id = site_id};

static void test_amounts_are_what_people_read_and_counts_the_base_units(void **state)
{
    (void)state;
    struct intake in;
    intake_open(&in);
    static const struct {
        enum park_carrier carrier;
        int64_t count;
        const char *line;
    } cases[] = {
        {CARRIER_ELECTRICITY, 12345,
            "carrier=electricity,meter=m1 quality=\"measured\",coverage=1,count=12345i,amount=12.345"},
        {CARRIER_HEAT, -1234567,
            "carrier=heat,meter=m1 quality=\"measured\",coverage=1,count=-1234567i,amount=-1.234567"},
        {CARRIER_COOLING, 3600000,
            "carrier=cooling,meter=m1 quality=\"measured\",coverage=1,count=3600000i,amount=3.6"},
        {CARRIER_WATER, 7, "carrier=water,meter=m1 quality=\"measured\",coverage=1,count=7i,amount=0.007"},
        {CARRIER_GAS, 0, "carrier=gas,meter=m1 quality=\"measured\",coverage=1,count=0i,amount=0"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct park_meter meter = {.id = meter_id, .carrier = cases[i].carrier};
        put(in.db, &meter, (struct quarter){.amount = cases[i].count, .quality = QUALITY_MEASURED}, 1);
        char *line = mem_printf("energy,meter=m1|%lld|energy,%s %lld\n|-", (long long)START_MS, cases[i].line,
            (long long)START_MS);
        assert_string_equal(rows(in.db, 4, "SELECT series, time_ms, line, clears_ms FROM outbox"), line);
        free(line);
    }
    intake_close(&in);
}

static void test_an_unknown_quarter_has_no_amount_and_what_takes_a_place_clears_it(void **state)
{
    (void)state;
    struct intake in;
    intake_open(&in);
    struct park_meter meter = {.id = meter_id,
        .carrier = CARRIER_ELECTRICITY,
        .building_id = building_id,
        .building = &building,
        .tenant_id = tenant_id,
        .item = item};
#define TAGS "energy,building=b1,carrier=electricity,item=01A00,meter=m1,site=s1,tenant=t1 "
    put(in.db, &meter, (struct quarter){.amount = 0, .quality = QUALITY_UNKNOWN}, 1);
    assert_string_equal(rows(in.db, 2, "SELECT clears_ms, line FROM outbox"),
        "900000|" TAGS "quality=\"unknown\",coverage=0 1767225600000\n");
    put(in.db, &meter, (struct quarter){.amount = 1, .quality = QUALITY_ESTIMATED}, 2);
    assert_string_equal(rows(in.db, 2, "SELECT clears_ms, line FROM outbox"),
        "900000|" TAGS "quality=\"estimated\",coverage=0,count=1i,amount=0.001 1767225600000\n");
    put(in.db, &meter, (struct quarter){.amount = 2, .quality = QUALITY_MANUAL}, 3);
    assert_string_equal(rows(in.db, 2, "SELECT clears_ms, line FROM outbox"),
        "900000|" TAGS "quality=\"manual\",coverage=1,count=2i,amount=0.002 1767225600000\n");
    intake_close(&in);
}

static void test_tags_are_those_of_the_quarters_begin(void **state)
{
    (void)state;
    struct intake in;
    intake_open(&in);
    struct park_tags tags[] = {
        {INT64_MIN, START_MS, .building_id = building_id, .building = &building, .tenant_id = tenant_id},
        {START_MS, INT64_MAX, .building_id = building_id, .building = &building, .item = item}};
    struct park_meter meter = {.id = meter_id, .carrier = CARRIER_ELECTRICITY, .tags = tags, .tag_count = 2};
    struct quarter quarter = {.start_ms = START_MS - 900000, .amount = 1, .quality = QUALITY_MEASURED};
    put_at(in.db, &meter, quarter, 1);
    assert_int_equal(query(in.db, "SELECT count(*) FROM outbox WHERE line LIKE"
                                  " 'energy,building=b1,carrier=electricity,meter=m1,site=s1,tenant=t1 %'"),
        1);
    put(in.db, &meter, (struct quarter){.amount = 1, .quality = QUALITY_MEASURED}, 1);
    assert_int_equal(query(in.db, "SELECT count(*) FROM outbox WHERE line LIKE"
                                  " 'energy,building=b1,carrier=electricity,item=01A00,meter=m1,site=s1 %'"),
        1);
    intake_close(&in);
}

static void test_an_item_that_can_be_no_tag_is_left_out(void **state)
{
    (void)state;
    struct intake in;
    intake_open(&in);
    static char odd[] = "01\\";
    struct park_meter meter = {.id = meter_id, .carrier = CARRIER_ELECTRICITY, .item = odd};
    put(in.db, &meter, (struct quarter){.amount = 1, .quality = QUALITY_MEASURED}, 1);
    assert_int_equal(
        query(in.db, "SELECT count(*) FROM outbox WHERE line LIKE 'energy,carrier=electricity,meter=m1 %'"),
        1);
    intake_close(&in);
}

/* ---- kilograms and yuan ---- */

#define SOURCE "document = \"D\"; confidence = \"A\"; "
#define FACTOR(kind, carrier, unit, basis, value, when)                                       \
    "{ kind = \"" kind "\"; carrier = \"" carrier "\"; unit = \"" unit "\"; basis = \"" basis \
    "\"; value = \"" value "\"; " when SOURCE "}"

#define NAMED(id) "{ id = \"" id "\"; name = \"x\"; name_en = \"x\"; "
#define METER(id, building, carrier) \
    NAMED(id) "building = \"" building "\"; carrier = \"" carrier "\"; power = \"g/" id "\"; }"

static const char park_text[] =
    "sites = (" NAMED("s1") "zone = \"Asia/Shanghai\"; region = \"zhejiang\"; }, " NAMED(
        "s2") "zone = \"Asia/Shanghai\"; });\n"
              "buildings = (" NAMED("b1") "site = \"s1\"; }, " NAMED(
                  "b2") "site = \"s2\"; });\n"
                        "gateways = (" NAMED(
                            "g") "site = \"s1\"; });\n"
                                 "meters = (" METER("m1", "b1", "electricity") ", " METER(
                                     "m2", "b2", "electricity") ", " METER("h1", "b1", "heat") ");\n";

static const char factors_text[] = "factors = ( " FACTOR("kgce_calorific", "electricity", "kgce/kWh",
    "calorific", "0.1229",
    "from = \"2021-04-01\"; ") ", " FACTOR("kgce_equivalent", "electricity", "kgce/kWh", "equivalent", "0.31",
    "from = \"2021-04-01\"; ") ", " FACTOR("kgco2", "electricity", "kgCO2/kWh", "location", "0.5153",
    "region = \"zhejiang\"; from = \"2021-01-01\"; through = \"2025-12-31\"; ") ", " FACTOR("kgco2",
    "electricity", "kgCO2/kWh", "location", "0.4974",
    "region = \"zhejiang\"; from = \"2026-01-01\"; ") ", " FACTOR("kgco2e", "electricity", "kgCO2e/kWh",
    "footprint", "0.5777", "from = \"2021-01-01\"; ") ", " FACTOR("kgce_calorific", "heat", "kgce/MJ",
    "calorific", "0.03412", "from = \"2021-04-01\"; ") " );\n";

static const char tariffs_text[] =
    "tariffs = ( { id = \"t\"; name = \"t\"; name_en = \"t\"; carrier = \"electricity\"; sites = [\"s1\"];\n"
    "schedules = ( { from = \"2025-01-01\"; " SOURCE
    "seasons = ( { months = \"1-12\"; valley = \"00:00-08:00\"; peak = \"08:00-24:00\"; } ); } );\n"
    "prices = ( { from = \"2025-01-01\"; through = \"2026-06-30\"; unit = \"yuan/kWh\"; valley = \"0.3333\"; "
    "peak = \"1.2\"; " SOURCE "} ); } );\n";

struct rated {
    struct park *park;
    struct rates rates;
    struct energy_lines *lines;
};

static void rated_open(struct rated *r)
{
    r->park = park_load_text("p.cfg", span_of(park_text));
    r->rates = (struct rates){
        factors_load_text("f.cfg", span_of(factors_text)), tariffs_load_text("t.cfg", span_of(tariffs_text))};
    conf_print_problems(r->park->conf, stderr);
    rates_print_problems(&r->rates, stderr);
    assert_int_equal(conf_problem_count(r->park->conf) + rates_problem_count(&r->rates), 0);
    r->lines = energy_lines_create(r->park, &r->rates);
}

static void rated_close(struct rated *r)
{
    energy_lines_destroy(r->lines);
    rates_release(&r->rates);
    park_destroy(r->park);
}

/* `time_ms` is in Asia/Shanghai, eight hours ahead. */
static int64_t local(int year, int month, int day, int minute)
{
    return calendar_days(year, month, day) * 86400000 + minute * INT64_C(60000) - 8 * INT64_C(3600000);
}

static void assert_fields(
    struct rated *r, const char *meter, int64_t time_ms, int64_t amount, const char *fields)
{
    struct buf line = {0};
    struct error err = {""};
    struct quarter quarter = {.start_ms = time_ms, .amount = amount, .quality = QUALITY_MEASURED};
    must(energy_line_write(r->lines, &line, park_meter_find(r->park, meter), &quarter, &err), &err);
    buf_add_str(&line, "");
    const char *written = strstr(line.data, "amount=");
    assert_non_null(written);
    size_t len = strcspn(written, " ");
    assert_int_equal(len, strlen(fields));
    assert_memory_equal(written, fields, len);
    buf_release(&line);
}

static void test_kilograms_and_yuan_are_those_of_the_local_day_and_band(void **state)
{
    (void)state;
    struct rated r;
    rated_open(&r);
    /* 10.005 kWh: x 0.1229 = 1.2296145, x 0.31 = 3.10155, x 0.4974 = 4.976487, x 0.5153 = 5.1555765 kg, rounded to mg,
     * half away from zero; x 0.3333 = 3.3346665, x 1.2 = 12.006 yuan. */
    assert_fields(&r, "m1", local(2026, 1, 1, 0), 10005,
        "amount=10.005,kgce_calorific=1.229615,kgce_equivalent=3.10155,kgco2=4.976487,cost=3.33467");
    assert_fields(&r, "m1", local(2025, 12, 31, 1425), 10005,
        "amount=10.005,kgce_calorific=1.229615,kgce_equivalent=3.10155,kgco2=5.155577,cost=12.006");
    assert_fields(&r, "m1", local(2026, 1, 1, 465), -10005,
        "amount=-10.005,kgce_calorific=-1.229615,kgce_equivalent=-3.10155,kgco2=-4.976487,cost=-3.33467");
    assert_fields(
        &r, "m1", local(2026, 1, 1, 480), 0, "amount=0,kgce_calorific=0,kgce_equivalent=0,kgco2=0,cost=0");
    rated_close(&r);
}

static void test_what_no_row_is_in_force_for_is_absent(void **state)
{
    (void)state;
    struct rated r;
    rated_open(&r);
    /* No price any more; a site without a region and without a tariff; a carrier with one factor; before all rows. */
    assert_fields(&r, "m1", local(2026, 7, 1, 0), 1000,
        "amount=1,kgce_calorific=0.1229,kgce_equivalent=0.31,kgco2=0.4974");
    assert_fields(&r, "m1", local(2026, 6, 30, 1425), 1000,
        "amount=1,kgce_calorific=0.1229,kgce_equivalent=0.31,kgco2=0.4974,cost=1.2");
    assert_fields(
        &r, "m2", local(2026, 1, 1, 0), 1000, "amount=1,kgce_calorific=0.1229,kgce_equivalent=0.31");
    assert_fields(&r, "h1", local(2026, 1, 1, 0), 1000000, "amount=1,kgce_calorific=0.03412");
    assert_fields(&r, "m1", local(2020, 1, 1, 0), 1000, "amount=1");
    struct buf line = {0};
    struct error err = {""};
    struct quarter unknown = {.start_ms = local(2026, 1, 1, 0), .quality = QUALITY_UNKNOWN};
    must(energy_line_write(r.lines, &line, park_meter_find(r.park, "m1"), &unknown, &err), &err);
    buf_add_str(&line, "");
    assert_string_equal(line.data, "energy,building=b1,carrier=electricity,meter=m1,site=s1 "
                                   "quality=\"unknown\",coverage=0 1767196800000\n");
    buf_release(&line);
    rated_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_amounts_are_what_people_read_and_counts_the_base_units),
        cmocka_unit_test(test_an_unknown_quarter_has_no_amount_and_what_takes_a_place_clears_it),
        cmocka_unit_test(test_tags_are_those_of_the_quarters_begin),
        cmocka_unit_test(test_an_item_that_can_be_no_tag_is_left_out),
        cmocka_unit_test(test_kilograms_and_yuan_are_those_of_the_local_day_and_band),
        cmocka_unit_test(test_what_no_row_is_in_force_for_is_absent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
