/* What comes late of people in spaces: what is taken, and what is reckoned anew of it (rule O8). */
#include "tests/unit/collector/spaces_scene.h"

static const char room[] =
    SPACES(SPACE("room", "sensors = ({ point = \"gw-a/cam\"; kind = \"count\"; period = 60; }); "
                         "doors = (" DOOR("d", "gw-a/in", "gw-a/out") ");"));
static const char beside[] = SPACES(SPACE("hall",
    "doors = (" DOOR("d", "gw-a/in", "gw-a/out") "," DOOR("e", "gw-b/out", "gw-b/in") ");") "," SPACE("room",
    "doors = (" DOOR("e", "gw-b/in", "gw-b/out") ");") "," SPACE("attic",
    "doors = (" DOOR("f", "gw-b/up", "gw-b/down") ");"));

static void test_what_is_five_weeks_late_changes_nothing(void **state)
{
    (void)state;
    struct scene s;
    open_scene(&s, room);
    for (int day = 0; day <= 60; day++)
        for (int i = 0; i < 3; i++) {
            add(&s, 1, "gauge", "cam", "2", BEGIN_MS + day * DAY_MS + i * MINUTE_MS);
            take_all(&s);
        }
    int64_t newest_ms = BEGIN_MS + 60 * DAY_MS + 2 * MINUTE_MS;
    add(&s, 1, "gauge", "cam", "9", newest_ms - 35 * DAY_MS - 1);
    add(&s, 1, "gauge", "cam", "9", newest_ms - 35 * DAY_MS + 30000);
    take_all(&s);
    assert_int_equal(window_at(&s, "room", "count:gw-a/cam", BEGIN_MS + 25 * DAY_MS).max, 2000);
    assert_int_equal(row_at(&s, "room", "count:gw-a/cam", BEGIN_MS + 25 * DAY_MS).window.observed_ms,
        2 * MINUTE_MS + 30000);
    assert_int_equal(window_at(&s, "room", "count:gw-a/cam", BEGIN_MS).observed_ms, 2 * MINUTE_MS);
    assert_in_range(number_of(&s, "SELECT count(*) FROM space_sample"), 3 * 50, 3 * 53);
    close_scene(&s);
}

/* Of the hall another gateway has told all the while; of the attic only the one that was cut off. */
static void test_a_counter_is_late_by_all_others_of_its_space_and_by_no_others(void **state)
{
    (void)state;
    struct scene s;
    int64_t before_mono_ms = mono_ms, newest_ms = BEGIN_MS + 60 * DAY_MS, first_ms = newest_ms - 35 * DAY_MS;
    open_scene(&s, beside);
    add(&s, 2, "register", "in", "0i", BEGIN_MS);
    add(&s, 2, "register", "up", "0i", BEGIN_MS);
    add(&s, 1, "register", "in", "0i", newest_ms);
    take_all(&s);
    static const char *const points[] = {"in", "up"};
    for (size_t i = 0; i < sizeof points / sizeof points[0]; i++) {
        add(&s, 2, "register", points[i], "4i", first_ms - 1);
        add(&s, 2, "register", points[i], "5i", first_ms);
        add(&s, 2, "register", points[i], "6i", first_ms + 5 * MINUTE_MS);
    }
    take_all(&s);
    assert_int_equal(window_at(&s, "hall", "live", first_ms).exits, 1);
    assert_int_equal(window_at(&s, "room", "live", first_ms).entries, 1);
    assert_int_equal(window_at(&s, "attic", "live", first_ms).entries, 2);
    assert_int_equal(row_at(&s, "hall", "live", first_ms - QUARTER_MS).start_ms, 0);
    assert_int_equal(row_at(&s, "room", "live", first_ms - QUARTER_MS).start_ms, 0);
    assert_int_equal(row_at(&s, "attic", "live", first_ms - QUARTER_MS).start_ms, first_ms - QUARTER_MS);
    assert_in_range(s.spaces.late.since_mono_ms, before_mono_ms + 1, mono_ms);
    close_scene(&s);
}

/* The last reading that is older than what is held stays, as the one that the next is held against: of it alone its quarter
 * hour would be another. */
static void test_what_is_late_leaves_the_time_alone_of_which_readings_are_let_go(void **state)
{
    (void)state;
    struct scene s;
    static const int days[] = {0, 60, 30};
    open_scene(&s, room);
    for (size_t d = 0; d < sizeof days / sizeof days[0]; d++) {
        for (int i = 0; i < 3; i++) {
            char count[8];
            snprintf(count, sizeof count, "%di", days[d] + i);
            add(&s, 1, "register", "in", count, BEGIN_MS + days[d] * DAY_MS + i * MINUTE_MS);
            add(&s, 1, "gauge", "cam", "2", BEGIN_MS + days[d] * DAY_MS + i * MINUTE_MS);
        }
        take_all(&s);
        if (days[d] == 60) /* of the first day one each */
            assert_int_equal(number_of(&s, "SELECT count(*) FROM space_sample"), 2 * (1 + 3));
    }
    for (size_t d = 0; d < sizeof days / sizeof days[0]; d++) {
        int64_t start_ms = BEGIN_MS + days[d] * DAY_MS;
        assert_int_equal(window_at(&s, "room", "live", start_ms).entries, 2);
        assert_int_equal(window_at(&s, "room", "count:gw-a/cam", start_ms).observed_ms, 2 * MINUTE_MS);
    }
    close_scene(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_five_weeks_late_changes_nothing),
        cmocka_unit_test(test_a_counter_is_late_by_all_others_of_its_space_and_by_no_others),
        cmocka_unit_test(test_what_is_late_leaves_the_time_alone_of_which_readings_are_let_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
