#include "collector/live/overview.h"
#include "tests/unit/collector/made_up.h"

#define NOW MADE_UP_NOW_MS

static const struct overview_building *building(const struct overview *o, const char *id)
{
    for (size_t i = 0; i < o->building_count; i++)
        if (strcmp(o->buildings[i].building->id, id) == 0)
            return &o->buildings[i];
    fail();
    return NULL;
}

static const struct overview_meter *meter(const struct overview *o, const char *id)
{
    for (size_t i = 0; i < o->meter_count; i++)
        if (strcmp(o->meters[i].meter->id, id) == 0)
            return &o->meters[i];
    fail();
    return NULL;
}

#define POWER(gateway, id, watts, age)                                         \
    {                                                                          \
        gateway, id ".power", READING_GAUGE, .value = (watts), .age_ms = (age) \
    }

static void test_a_meter_below_another_is_not_counted_again(void **state)
{
    (void)state;
    const struct made_up_reading readings[] = {POWER("gw1", "park-main", 100000, 0),
        POWER("gw1", "b1-main", 60000, 0), POWER("gw1", "b1-hvac", 40000, 0),
        POWER("gw1", "b1-chiller", 30000, 0), POWER("gw2", "b2-main", 35000, 0),
        POWER("gw2", "b2-lab", 5000, 0)};
    struct snapshot *s = made_up_snapshot(park, readings, 6, NOW);
    struct overview o;
    overview_init(&o, s, NOW);
    /* b2-lab has a supply of its own: it stands beside b2-main, and beside the park's main meter. */
    assert_true(building(&o, "b0")->power.known_w == 100000);
    assert_true(building(&o, "b1")->power.known_w == 60000);
    assert_true(building(&o, "b2")->power.known_w == 40000);
    assert_int_equal(building(&o, "b1")->power.meters, 1);
    assert_int_equal(building(&o, "b2")->power.meters, 2);
    assert_true(o.power.known_w == 105000);
    assert_int_equal(o.power.meters, 2);
    overview_release(&o);
    snapshot_put(s);
}

static void test_a_stale_meter_leaves_the_known_part_and_says_so(void **state)
{
    (void)state;
    const struct made_up_reading readings[] = {
        POWER("gw2", "b2-main", 35000, 120001), POWER("gw2", "b2-lab", 5000, 120000)};
    struct snapshot *s = made_up_snapshot(park, readings, 2, NOW);
    struct overview o;
    overview_init(&o, s, NOW);
    assert_true(building(&o, "b2")->power.known_w == 5000);
    assert_int_equal(building(&o, "b2")->power.fresh, 1);
    assert_int_equal(building(&o, "b2")->power.meters, 2);
    assert_int_equal(building(&o, "b1")->power.fresh, 0); /* nothing known: not a power of 0 */
    assert_int_equal(building(&o, "b1")->power.meters, 1);
    overview_release(&o);
    snapshot_put(s);
}

static void test_freshness_is_three_periods_but_at_least_two_minutes(void **state)
{
    (void)state;
    static const struct {
        int64_t age_ms, period_ms;
        bool is_fresh;
    } cases[] = {{120000, 0, true}, {120001, 0, false}, {120000, 1000, true}, {120001, 40000, false},
        {180000, 60000, true}, {180001, 60000, false}, {2700000, 900000, true}, {2700001, 900000, false},
        {-60000, 1000, true}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct made_up_reading reading = {"gw2", "b2-heat", READING_REGISTER, .count = 7,
            .age_ms = cases[i].age_ms, .period_ms = cases[i].period_ms};
        struct snapshot *s = made_up_snapshot(park, &reading, 1, NOW);
        struct overview o;
        overview_init(&o, s, NOW);
        assert_int_equal(meter(&o, "b2-heat")->is_fresh, cases[i].is_fresh);
        assert_int_equal(meter(&o, "b2-heat")->reading.age_ms, cases[i].age_ms < 0 ? 0 : cases[i].age_ms);
        overview_release(&o);
        snapshot_put(s);
    }
}

static void test_coverage_counts_meters_that_a_device_reads(void **state)
{
    (void)state;
    const struct made_up_reading readings[] = {{"gw2", "b2-heat", READING_REGISTER, .count = 1},
        {"gw1", "b1-main", READING_REGISTER, .count = 5}, POWER("gw1", "b1-main", 1, 999999),
        {"gw1", "b9.unknown", READING_GAUGE, .value = 1}};
    struct snapshot *s = made_up_snapshot(park, readings, 4, NOW);
    struct overview o;
    overview_init(&o, s, NOW);
    assert_int_equal(o.expected, 8); /* nine meters, one read by hand */
    assert_int_equal(o.fresh, 1);    /* b1-main's register is fresh, its power is not */
    assert_int_equal(o.unmapped, 1);
    assert_false(meter(&o, "b2-hand")->is_expected);
    assert_true(meter(&o, "b1-main")->reading.is_fresh);
    assert_false(meter(&o, "b1-main")->is_fresh);
    overview_release(&o);
    snapshot_put(s);
}

static void test_a_gateway_that_fell_silent_is_not_online_whatever_it_said_last(void **state)
{
    (void)state;
    struct snapshot *s = made_up_snapshot(park, NULL, 0, NOW);
    snapshot_gateways(s)[1].heard_ms = 0;
    struct overview o;
    overview_init(&o, s, NOW - 2000 + OVERVIEW_SILENT_MS);
    assert_true(o.gateways[0].is_online);
    assert_int_equal(o.gateways[0].lag_ms, OVERVIEW_SILENT_MS + 1000);
    assert_false(o.gateways[1].is_online);
    assert_int_equal(o.gateways[1].age_ms, -1);
    assert_int_equal(o.online, 1);
    overview_release(&o);
    overview_init(&o, s, NOW - 2000 + OVERVIEW_SILENT_MS + 1);
    assert_false(o.gateways[0].is_online);
    overview_release(&o);
    snapshot_put(s);
}

/* What it sent last is not how it is now, however new: known from the moment it is. */
static void test_nothing_of_a_gateway_that_is_known_to_be_offline_is_fresh(void **state)
{
    (void)state;
    static const struct {
        bool is_online, is_known, is_fresh;
    } cases[] = {{true, true, true}, {false, true, false}, {false, false, true}, {true, false, true}};
    const struct made_up_reading readings[] = {{"gw1", "b1-main", READING_REGISTER, .count = 5},
        POWER("gw1", "b1-main", 60000, 0), {"gw2", "b2-lab", READING_REGISTER, .count = 5},
        POWER("gw2", "b2-lab", 5000, 0), {"gw2", "b2-main", READING_REGISTER, .period_ms = 900000},
        POWER("gw2", "b2-main", 35000, 1000)};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct snapshot *s = made_up_snapshot(park, readings, 6, NOW);
        snapshot_gateways(s)[1].is_online = cases[i].is_online;
        snapshot_gateways(s)[1].is_presence_known = cases[i].is_known;
        struct overview o;
        overview_init(&o, s, NOW);
        assert_true(meter(&o, "b1-main")->is_fresh);
        assert_int_equal(meter(&o, "b2-main")->is_fresh, cases[i].is_fresh);
        assert_int_equal(meter(&o, "b2-main")->reading.is_fresh, cases[i].is_fresh);
        assert_int_equal(meter(&o, "b2-main")->reading.age_ms, 0);
        assert_int_equal(building(&o, "b1")->power.fresh, 1);
        assert_int_equal(building(&o, "b2")->power.fresh, cases[i].is_fresh ? 2 : 0);
        assert_int_equal(building(&o, "b2")->power.meters, 2);
        assert_int_equal(o.fresh, cases[i].is_fresh ? 3 : 1);
        overview_release(&o);
        /* Also the one that fell silent since. */
        snapshot_gateways(s)[0].heard_ms = NOW - OVERVIEW_SILENT_MS - 1;
        overview_init(&o, s, NOW);
        assert_false(meter(&o, "b1-main")->is_fresh);
        overview_release(&o);
        snapshot_put(s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_meter_below_another_is_not_counted_again),
        cmocka_unit_test(test_a_stale_meter_leaves_the_known_part_and_says_so),
        cmocka_unit_test(test_freshness_is_three_periods_but_at_least_two_minutes),
        cmocka_unit_test(test_coverage_counts_meters_that_a_device_reads),
        cmocka_unit_test(test_a_gateway_that_fell_silent_is_not_online_whatever_it_said_last),
        cmocka_unit_test(test_nothing_of_a_gateway_that_is_known_to_be_offline_is_fresh),
    };
    return cmocka_run_group_tests(tests, made_up_set_up, made_up_tear_down);
}
