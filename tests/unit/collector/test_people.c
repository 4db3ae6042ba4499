/* Mean people of a day, of what the tables hold of its quarter hours: against fractions, and case by case. */
#include "collector/baseline/people.h"
#include "tests/unit/collector/fake_journal.h"
#include "tests/unit/oracle.h"

#define SPACES 4
#define DAYS 16
#define QUARTER_MS INT64_C(900000)

/* The first has doors alone, the second a counter beside them, the third a counter. */
static struct park_door door = {.id = (char *)"d"};
static struct park_sensor sensors[] = {{.point = (char *)"g/motion", .kind = SENSING_BINARY},
    {.point = (char *)"g/first", .kind = SENSING_COUNT},
    {.point = (char *)"g/second", .kind = SENSING_COUNT}};
static const struct park_space doored = {.id = (char *)"doored", .doors = {.items = &door, .count = 1}},
                               both = {.id = (char *)"both",
                                   .doors = {.items = &door, .count = 1},
                                   .sensors = {.items = sensors, .count = 3}},
                               counted = {.id = (char *)"counted", .sensors = {.items = sensors, .count = 3}};
static const struct park_space *const spaces[] = {&doored, &both, &counted};

struct scene {
    struct fake_journal journal;
    struct zone *zone;
};

static void run(struct scene *s, char *sql)
{
    struct error err = {""};
    if (db_exec(s->journal.db, sql, &err) != ST_OK)
        fail_msg("%s: %s", sql, err.text);
    free(sql);
}

static void open_scene(struct scene *s)
{
    fake_journal_open(&s->journal);
    s->zone = NULL;
    run(s,
        mem_strdup("INSERT INTO space_source VALUES(1, 'doored', 'live', ''), (2, 'doored', 'corrected', ''),"
                   " (3, 'both', 'corrected', ''), (4, 'both', 'count:g/first', ''),"
                   " (5, 'both', 'count:g/second', ''), (6, 'counted', 'count:g/first', ''),"
                   " (7, 'counted', 'binary:g/motion', '')"));
    run(s, mem_strdup("PRAGMA synchronous = OFF; BEGIN"));
}

static void close_scene(struct scene *s)
{
    zone_destroy(s->zone);
    fake_journal_close(&s->journal);
}

static void add_window(
    struct scene *s, int source, int64_t start_ms, long long observed_ms, long long level_ms)
{
    run(s, mem_printf("INSERT INTO space_window VALUES(%d, %lld, %lld, 0, 0, %lld, 0, 0, 0, 0, NULL, 0)",
               source, (long long)start_ms, observed_ms, level_ms));
}

static void read_people(
    struct scene *s, size_t count, int64_t begin_ms, int64_t end_ms, int64_t *ret, size_t *ret_days)
{
    struct steps days;
    struct error err = {""};
    steps_cut(&days, s->zone, (struct periods_span){begin_ms, end_ms}, STEPS_DAY);
    assert_true(days.count <= DAYS);
    *ret_days = days.count;
    if (people_read(s->journal.db, spaces, count, &days, ret, &err) != ST_OK)
        fail_msg("%s", err.text);
    steps_release(&days);
}

static void test_days_are_what_fractions_of_their_quarter_hours_come_to(void **state)
{
    (void)state;
    /* Of each space the source that counts, and one that must not. */
    static const int counting[] = {2, 4, 6}, others[] = {1, 5, 7};
    struct scene s;
    struct oracle oracle;
    int64_t found[DAYS], begin_s = 0, end_s = 0;
    size_t count = 0, days = 0, day = 0, means = 0, none = 0;
    open_scene(&s);
    oracle_open(&oracle, "collector/oracle_expected.py", random_uint64(), "people");
    while (oracle_read(&oracle)) {
        char name[64], text[32];
        long long start_s, observed_ms, level_ms;
        int space;
        if (sscanf(oracle.line, "people %63s %" SCNd64 " %" SCNd64 " %zu", name, &begin_s, &end_s, &count) ==
            4) {
            zone_destroy(s.zone);
            s.zone = zone_create(name);
            run(&s, mem_strdup("DELETE FROM space_window"));
            day = 0;
        } else if (sscanf(oracle.line, "w %d %lld %lld %lld", &space, &start_s, &observed_ms, &level_ms) ==
                   4) {
            add_window(&s, counting[space], start_s * 1000, observed_ms, level_ms);
            add_window(&s, others[space], start_s * 1000, QUARTER_MS, 77 * QUARTER_MS);
        } else if (sscanf(oracle.line, "day %31s", text) == 1) {
            if (day == 0)
                read_people(&s, count, begin_s * 1000, end_s * 1000, found, &days);
            assert_true(day < days);
            int64_t expected = strcmp(text, "-") == 0 ? PEOPLE_NONE : strtol(text, NULL, 10);
            if (found[day] != expected)
                fail_msg("day %zu: %lld instead of %lld", day, (long long)found[day], (long long)expected);
            means += expected != PEOPLE_NONE;
            none += expected == PEOPLE_NONE;
            day++;
        }
    }
    oracle_close(&oracle, 1000);
    assert_true(means > 20 && none > 20);
    close_scene(&s);
}

#define BEGIN_MS INT64_C(1790812800000) /* 2026-10-01T00:00:00Z */
#define DAY_MS INT64_C(86400000)

static void test_nine_tenths_of_a_day_do_and_a_millisecond_less_does_not(void **state)
{
    (void)state;
    struct scene s;
    int64_t found[DAYS];
    size_t days;
    open_scene(&s);
    /* 86.4 of 96 quarter hours. */
    for (int i = 0; i < 86; i++) {
        add_window(&s, 2, BEGIN_MS + i * QUARTER_MS, QUARTER_MS, 3000 * QUARTER_MS);
        add_window(&s, 2, BEGIN_MS + DAY_MS + i * QUARTER_MS, QUARTER_MS, 3000 * QUARTER_MS);
    }
    add_window(&s, 2, BEGIN_MS + 86 * QUARTER_MS, 360000, 0);
    add_window(&s, 2, BEGIN_MS + DAY_MS + 86 * QUARTER_MS, 359999, 0);
    read_people(&s, 1, BEGIN_MS, BEGIN_MS + 3 * DAY_MS, found, &days);
    assert_int_equal(days, 3);
    assert_int_equal(found[0], 2986); /* 3000 x 86 / 86.4 */
    assert_int_equal(found[1], PEOPLE_NONE);
    assert_int_equal(found[2], PEOPLE_NONE); /* of which there is nothing */
    /* Of one space that was seen and one that was not nobody knows the whole. */
    read_people(&s, 2, BEGIN_MS, BEGIN_MS + DAY_MS, found, &days);
    assert_int_equal(found[0], PEOPLE_NONE);
    read_people(&s, 0, BEGIN_MS, BEGIN_MS + DAY_MS, found, &days);
    assert_int_equal(found[0], PEOPLE_NONE);
    close_scene(&s);
}

static void test_a_day_without_people_that_is_being_reckoned_is_not_missing_for_good(void **state)
{
    (void)state;
    struct scene s;
    int64_t found[DAYS];
    size_t days;
    open_scene(&s);
    for (int i = 0; i < 96; i++) {
        add_window(&s, 2, BEGIN_MS + i * QUARTER_MS, QUARTER_MS, 3000 * QUARTER_MS);
        add_window(&s, 4, BEGIN_MS + DAY_MS + i * QUARTER_MS, QUARTER_MS, 0);
        add_window(&s, 2, BEGIN_MS + 4 * DAY_MS + i * QUARTER_MS, QUARTER_MS, 3000 * QUARTER_MS);
        add_window(&s, 4, BEGIN_MS + 4 * DAY_MS + i * QUARTER_MS, QUARTER_MS, 0);
    }
    /* Days 1 and 2 of the source that counts, and all of one that does not. What the store has not got yet is reckoned. */
    run(&s, mem_printf("INSERT INTO space_dirty VALUES(2, 1, %lld, %lld), (1, 0, 0, %lld);"
                       "INSERT INTO space_due VALUES(%lld, 2, 0)",
                (long long)(BEGIN_MS + DAY_MS), (long long)(BEGIN_MS + 3 * DAY_MS - 1),
                (long long)(BEGIN_MS + 9 * DAY_MS), (long long)(BEGIN_MS + 3 * DAY_MS)));
    read_people(&s, 1, BEGIN_MS, BEGIN_MS + 5 * DAY_MS, found, &days);
    assert_int_equal(days, 5);
    static const int64_t one[] = {3000, PEOPLE_BEHIND, PEOPLE_BEHIND, PEOPLE_NONE, 3000};
    assert_memory_equal(found, one, sizeof one);
    /* With the second space: of day 0 it has nothing for good, of day 1 all, of day 2 nothing for good. */
    read_people(&s, 2, BEGIN_MS, BEGIN_MS + 5 * DAY_MS, found, &days);
    static const int64_t two[] = {PEOPLE_NONE, PEOPLE_BEHIND, PEOPLE_NONE, PEOPLE_NONE, 3000};
    assert_memory_equal(found, two, sizeof two);
    /* A batch that was not taken, of the last moment of day 2 to the first of day 3; one that was, of all. */
    run(&s, mem_printf("DELETE FROM space_dirty; UPDATE cursor SET position = 7 WHERE name = 'space';"
                       "INSERT INTO journal_span VALUES(1, 86400000, 1, 8, %lld, %lld), (1, 86400000, 1, 7, "
                       "0, %lld)",
                (long long)(BEGIN_MS + 3 * DAY_MS - 1), (long long)(BEGIN_MS + 3 * DAY_MS),
                (long long)(BEGIN_MS + 9 * DAY_MS)));
    read_people(&s, 1, BEGIN_MS, BEGIN_MS + 5 * DAY_MS, found, &days);
    static const int64_t batch[] = {3000, PEOPLE_NONE, PEOPLE_BEHIND, PEOPLE_BEHIND, 3000};
    assert_memory_equal(found, batch, sizeof batch);
    run(&s, mem_strdup("UPDATE cursor SET position = 8 WHERE name = 'space'"));
    read_people(&s, 1, BEGIN_MS, BEGIN_MS + 5 * DAY_MS, found, &days);
    static const int64_t taken[] = {3000, PEOPLE_NONE, PEOPLE_NONE, PEOPLE_NONE, 3000};
    assert_memory_equal(found, taken, sizeof taken);
    /* What was reckoned once, and is to be anew: it may come to another mean. */
    run(&s, mem_printf("INSERT INTO space_dirty VALUES(2, 4, %lld, %lld)", (long long)(BEGIN_MS + 4 * DAY_MS),
                (long long)(BEGIN_MS + 4 * DAY_MS + QUARTER_MS)));
    read_people(&s, 1, BEGIN_MS, BEGIN_MS + 5 * DAY_MS, found, &days);
    static const int64_t anew[] = {3000, PEOPLE_NONE, PEOPLE_NONE, PEOPLE_NONE, PEOPLE_BEHIND};
    assert_memory_equal(found, anew, sizeof anew);
    read_people(&s, 2, BEGIN_MS, BEGIN_MS + 5 * DAY_MS, found, &days); /* whichever space it is of */
    assert_int_equal(found[4], PEOPLE_BEHIND);
    close_scene(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_days_are_what_fractions_of_their_quarter_hours_come_to),
        cmocka_unit_test(test_nine_tenths_of_a_day_do_and_a_millisecond_less_does_not),
        cmocka_unit_test(test_a_day_without_people_that_is_being_reckoned_is_not_missing_for_good),
    };
    return cmocka_run_group_tests(tests, random_set_up, NULL);
}
