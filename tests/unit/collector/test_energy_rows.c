/* The `energy` measurement, line by line as the outbox gets it. */
#include "collector/energy_rows.h"
#include "tests/unit/collector/intake_fixture.h"

#define START_MS INT64_C(1767225600000)

static void put(struct db *db, const struct park_meter *meter, struct quarter quarter, int64_t version)
{
    struct error err = {""};
    quarter.start_ms = START_MS;
    must(energy_row_put(db, meter, &quarter, version, &err), &err);
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
    struct error err = {""};
    must(energy_row_put(in.db, &meter, &quarter, 1, &err), &err);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_amounts_are_what_people_read_and_counts_the_base_units),
        cmocka_unit_test(test_an_unknown_quarter_has_no_amount_and_what_takes_a_place_clears_it),
        cmocka_unit_test(test_tags_are_those_of_the_quarters_begin),
        cmocka_unit_test(test_an_item_that_can_be_no_tag_is_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
