/* agent/deliver/spool: readings that were taken while the clock was wrong. */
#include "tests/unit/agent/spool_fixture.h"

static int64_t wall_now_ms, mono_now_ms;
static bool is_right;
static const char *boot;

static int64_t wall_ms(void)
{
    return wall_now_ms;
}

static int64_t mono_ms(void)
{
    return mono_now_ms;
}

static bool is_synchronised(void)
{
    return is_right;
}

static const char *boot_id(void)
{
    return boot;
}

static const struct clock test_clock = {
    .wall_ms = wall_ms, .mono_ms = mono_ms, .is_synchronised = is_synchronised, .boot_id = boot_id};

/* A gateway without a battery wakes up in 1970 and a bit. */
#define WRONG_MS INT64_C(86400000)

static char *path;
static struct spool *spool;

static void take_count(int64_t n, int64_t time_ms, enum reading_quality quality)
{
    struct spool_reading r = {.point = 0,
        .kind = READING_REGISTER,
        .quality = quality,
        .time_ms = time_ms,
        .count = n,
        .has_mono = quality == QUALITY_CLOCK,
        .mono_ms = mono_now_ms};
    struct error err;
    if (spool_add(spool, &r, 1, &err) != ST_OK)
        fail_msg("%s", err.text);
}

static void see_lines(int64_t seq, const char *expected)
{
    cut(spool, 1);
    struct seen seen = look(spool, seq);
    assert_string_equal(seen.body, expected);
    free(seen.body);
}

static void test_it_is_dated_when_it_is_cut_and_the_clock_is_right(void **state)
{
    (void)state;
    take_count(1, WRONG_MS, QUALITY_CLOCK);
    mono_now_ms += 10000;
    struct spool_reading gauge = {.point = 1,
        .kind = READING_GAUGE,
        .quality = QUALITY_CLOCK,
        .time_ms = WRONG_MS + 10000,
        .value = 1.5,
        .has_mono = true,
        .mono_ms = mono_now_ms};
    struct error err;
    assert_int_equal(spool_add(spool, &gauge, 1, &err), ST_OK);
    mono_now_ms += 5000;
    is_right = true;
    wall_now_ms = T0;
    see_lines(1, "register,point=b3.main value=1i 1763999985000\n"
                 "gauge,point=b3.main.power value=1.5 1763999995000\n");
}

static void test_it_is_so_after_a_start_of_the_agent_but_not_of_the_machine(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        take_count(1, WRONG_MS, QUALITY_CLOCK);
        spool_close(spool);
        mono_now_ms += 5000;
        is_right = true;
        wall_now_ms = T0;
        boot = i == 0 ? "one" : "two";
        spool = open_spool(path);
        assert_int_equal(spool_undatable(spool), i);
        see_lines(i + 1, i == 0 ? "register,point=b3.main value=1i 1763999995000\n"
                                : "register,point=b3.main value=1i,quality=\"clock\" 86400000\n");
        spool_set_mark(spool, i + 1);
        is_right = false;
    }
}

static void test_where_the_boot_is_unknown_it_goes_as_it_was_taken(void **state)
{
    (void)state;
    spool_close(spool);
    boot = "";
    spool = open_spool(path);
    take_count(1, WRONG_MS, QUALITY_CLOCK);
    assert_int_equal(spool_undatable(spool), 1);
    is_right = true;
    wall_now_ms = T0;
    see_lines(1, "register,point=b3.main value=1i,quality=\"clock\" 86400000\n");
    assert_int_equal(spool_undatable(spool), 0);
}

static void test_cut_while_the_clock_is_wrong_it_goes_as_it_was_taken(void **state)
{
    (void)state;
    take_count(1, WRONG_MS, QUALITY_CLOCK);
    mono_now_ms += 5000;
    see_lines(1, "register,point=b3.main value=1i,quality=\"clock\" 86400000\n");
    is_right = true; /* a batch that is cut never changes */
    wall_now_ms = T0;
    struct seen seen = look(spool, 1);
    assert_string_equal(seen.body, "register,point=b3.main value=1i,quality=\"clock\" 86400000\n");
    free(seen.body);
}

static void test_times_of_a_point_stay_strictly_increasing(void **state)
{
    (void)state;
    take_count(1, WRONG_MS, QUALITY_CLOCK);
    take_count(2, WRONG_MS + 1, QUALITY_CLOCK); /* within the same ms of the other clock */
    mono_now_ms += 3;
    take_count(3, T0 - 3, QUALITY_GOOD);         /* set right meanwhile, a little back */
    take_count(4, T0 - 3 - 60000, QUALITY_GOOD); /* a step back is one, and stays */
    is_right = true;
    wall_now_ms = T0;
    see_lines(1, "register,point=b3.main value=1i 1763999999997\n"
                 "register,point=b3.main value=2i 1763999999998\n"
                 "register,point=b3.main value=3i 1763999999999\n"
                 "register,point=b3.main value=4i 1763999939997\n");
}

static void test_what_was_dated_at_once_keeps_its_time(void **state)
{
    (void)state;
    is_right = true;
    wall_now_ms = T0;
    take_count(1, T0, QUALITY_GOOD);
    take_count(1, T0, QUALITY_GOOD); /* as a replayed file may have it */
    see_lines(1, "register,point=b3.main value=1i 1764000000000\n"
                 "register,point=b3.main value=1i 1764000000000\n");
}

static int begin(void **state)
{
    (void)state;
    wall_now_ms = WRONG_MS;
    mono_now_ms = 50000;
    is_right = false;
    boot = "one";
    spool_clock = &test_clock;
    path = new_path();
    spool = open_spool(path);
    return 0;
}

static int end(void **state)
{
    (void)state;
    spool_close(spool);
    free(path);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_it_is_dated_when_it_is_cut_and_the_clock_is_right),
        TEST(test_it_is_so_after_a_start_of_the_agent_but_not_of_the_machine),
        TEST(test_where_the_boot_is_unknown_it_goes_as_it_was_taken),
        TEST(test_cut_while_the_clock_is_wrong_it_goes_as_it_was_taken),
        TEST(test_times_of_a_point_stay_strictly_increasing),
        TEST(test_what_was_dated_at_once_keeps_its_time),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
