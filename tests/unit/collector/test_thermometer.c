/* From the journal to temperatures by quarter hour: a function of the set of readings, however they come. */
#include "collector/baseline/temperature.h"
#include "collector/baseline/weather.h"
#include "collector/thermometer.h"
#include "tests/unit/collector/journal_scene.h"

#define QUARTER_MS INT64_C(900000)
#define HEAD                                                                                                 \
    "sites = ({ id = \"s\"; name = \"x\"; name_en = \"x\"; zone = \"UTC\"; });\n"                            \
    "buildings = ({ id = \"b\"; name = \"x\"; name_en = \"x\"; site = \"s\"; });\n"                          \
    "gateways = ({ id = \"gw-a\"; name = \"x\"; name_en = \"x\"; site = \"s\"; },"                           \
    " { id = \"gw-b\"; name = \"x\"; name_en = \"x\"; site = \"s\"; });\n"                                   \
    "meters = ({ id = \"m\"; name = \"x\"; name_en = \"x\"; building = \"b\"; carrier = \"heat\";"           \
    " segments = ({ serial = \"1\"; from = \"2026-01-01T00:00:00Z\"; point = \"gw-a/m\"; max_rate = 1; }); " \
    "});\n"
#define BASELINE(id, point)                                                                            \
    "{ id = \"" id "\"; name = \"x\"; name_en = \"x\"; meter = \"m\"; temperature = \"" point          \
    "\"; from = \"2026-01-01\"; through = \"2026-12-31\"; reporting = \"2027-01-01\"; step = \"day\";" \
    " model = \"heating\"; heating_from = 10; heating_to = 20; }"

static const char none[] = HEAD, one[] = HEAD "baselines = (" BASELINE("a", "gw-a/t") ");\n",
                  both[] = HEAD "baselines = (" BASELINE("a", "gw-a/t") "," BASELINE(
                      "b", "gw-a/t") "," BASELINE("c", "gw-b/t") "," BASELINE("d", "gw-a/u") ");\n";

struct scene {
    struct fake_journal journal;
    struct park *park;
    struct thermometer thermometer;
};

/* One that was just started. */
static void start(struct scene *s, const char *park)
{
    struct error err = {""};
    thermometer_release(&s->thermometer);
    use_park(&s->journal, &s->park, park);
    thermometer_init(&s->thermometer, s->journal.db, s->park);
    must(thermometer_reset(&s->thermometer, &err), &err);
}

static void open_scene(struct scene *s, const char *park)
{
    *s = (struct scene){0};
    open_journal(&s->journal);
    start(s, park);
}

static void close_scene(struct scene *s)
{
    thermometer_release(&s->thermometer);
    park_destroy(s->park);
    fake_journal_close(&s->journal);
}

/* One transaction; whether it has come to the journal's end. */
static bool step(struct scene *s, bool commits)
{
    struct error err = {""};
    bool is_changed = false;
    mono_ms += THERMOMETER_REST_MS;
    must(db_begin(s->journal.db, &err), &err);
    must(thermometer_step(&s->thermometer, &ticking, &is_changed, &err), &err);
    end_transaction(&s->journal, commits);
    if (!commits)
        must(thermometer_reset(&s->thermometer, &err), &err);
    return s->thermometer.follower.due_mono_ms > mono_ms;
}

static void take_all(struct scene *s)
{
    while (!step(s, true)) {
    }
}

static void add(
    struct scene *s, int gateway, const char *point, const char *value, int64_t time_ms, const char *more)
{
    char *line = mem_printf("gauge,point=%s value=%s%s %" PRId64 "\n", point, value, more, time_ms);
    fake_journal_add(&s->journal, gateway, line, NULL);
    free(line);
}

/* In thousandths; WEATHER_NONE = none. */
static int32_t at(struct scene *s, const char *name, int64_t time_ms)
{
    struct error err = {""};
    int64_t id;
    int32_t mc;
    must(temperature_point(s->journal.db, name, &id, &err), &err);
    struct periods_span span = {periods_quarter_hour(time_ms), periods_quarter_hour(time_ms) + QUARTER_MS};
    must(temperature_read(s->journal.db, id, span, &mc, &err), &err);
    return mc;
}

static void test_the_first_reading_of_a_quarter_hour_counts_whenever_it_comes(void **state)
{
    (void)state;
    struct scene s;
    open_scene(&s, one);
    add(&s, 1, "t", "5.5", BEGIN_MS + 60000, "");
    add(&s, 1, "t", "6.5", BEGIN_MS + 120000, "");
    add(&s, 1, "t", "-7.0005", BEGIN_MS + QUARTER_MS, "");
    take_all(&s);
    assert_int_equal(at(&s, "gw-a/t", BEGIN_MS), 5500);
    assert_int_equal(at(&s, "gw-a/t", BEGIN_MS + QUARTER_MS), -7001);
    assert_int_equal(at(&s, "gw-a/t", BEGIN_MS + 2 * QUARTER_MS), WEATHER_NONE);
    add(&s, 1, "t", "4.25", BEGIN_MS + 30000, ""); /* late, and earlier */
    add(&s, 1, "t", "9", BEGIN_MS + 30000, "");    /* another value of that time: the first counts */
    add(&s, 1, "t", "3", BEGIN_MS + 2 * QUARTER_MS - 1, ""); /* late, and later */
    take_all(&s);
    assert_int_equal(at(&s, "gw-a/t", BEGIN_MS), 4250);
    assert_int_equal(at(&s, "gw-a/t", BEGIN_MS + QUARTER_MS), -7001);
    close_scene(&s);
}

static void test_only_readings_of_the_models_gauges_are_taken(void **state)
{
    (void)state;
    struct scene s;
    open_scene(&s, both);
    add(&s, 1, "t", "99999", BEGIN_MS, "");               /* no air is so hot, */
    add(&s, 1, "t", "-90.001", BEGIN_MS, "");             /* nor so cold */
    add(&s, 1, "t", "1", BEGIN_MS, ",quality=\"clock\""); /* of a time that nobody knows */
    add(&s, 1, "t2", "2", BEGIN_MS, "");
    add(&s, 1, "x", "3", BEGIN_MS, "");
    fake_journal_add(&s.journal, 1, "register,point=t value=4i 1767225600000\n", NULL);
    fake_journal_add(
        &s.journal, 1, "gauge,point=t value=5 1767225600001\ngauge,point=t value=6 1767225600002\n", "0");
    add(&s, 2, "t", "7", BEGIN_MS, "");
    add(&s, 2, "u", "8", BEGIN_MS, "");
    add(&s, 1, "u", "9", BEGIN_MS, "");
    take_all(&s);
    assert_int_equal(at(&s, "gw-a/t", BEGIN_MS), 6000); /* line 0 was skipped */
    assert_int_equal(at(&s, "gw-b/t", BEGIN_MS), 7000);
    assert_int_equal(at(&s, "gw-a/u", BEGIN_MS), 9000);
    assert_int_equal(at(&s, "gw-b/u", BEGIN_MS), WEATHER_NONE);
    close_scene(&s);
}

static void test_a_point_that_is_named_later_gets_what_the_journal_still_holds(void **state)
{
    (void)state;
    struct scene s;
    open_scene(&s, none);
    add(&s, 1, "t", "1", BEGIN_MS, "");
    add(&s, 2, "t", "2", BEGIN_MS, "");
    take_all(&s);
    assert_int_equal(s.thermometer.follower.position, INT64_MAX); /* nothing of the journal waits for it */
    assert_int_equal(at(&s, "gw-a/t", BEGIN_MS), WEATHER_NONE);
    start(&s, one);
    assert_true(s.thermometer.follower.position < 2); /* pruning waits until it was read */
    take_all(&s);
    assert_int_equal(s.thermometer.follower.position, 2);
    assert_int_equal(at(&s, "gw-a/t", BEGIN_MS), 1000);
    struct park *old = s.park;
    s.park = fake_park_of(&s.journal, both);
    thermometer_use(&s.thermometer, s.park);
    park_destroy(old);
    take_all(&s);
    assert_int_equal(at(&s, "gw-b/t", BEGIN_MS), 2000);
    start(&s, one); /* let go for a while, in which a reading comes */
    take_all(&s);
    add(&s, 2, "t", "3", BEGIN_MS + QUARTER_MS, "");
    take_all(&s);
    start(&s, both);
    take_all(&s);
    assert_int_equal(at(&s, "gw-b/t", BEGIN_MS + QUARTER_MS), 3000);
    close_scene(&s);
}

/* All rows; the caller frees it. */
static char *dump(struct scene *s)
{
    struct db_stmt *rows = db_prepare(s->journal.db,
        "SELECT p.name, t.start_ms, t.time_ms, t.mc FROM temperature t JOIN temperature_point p"
        " ON p.id = t.point ORDER BY 1, 2");
    struct buf text = {0};
    struct error err = {""};
    bool has_row;
    buf_add_str(&text, "");
    for (;;) {
        must(db_step(rows, &has_row, &err), &err);
        if (!has_row)
            break;
        for (int i = 0; i < 4; i++)
            buf_printf(&text, "%.*s|", (int)db_text(rows, i).len, db_text(rows, i).at);
        buf_add_char(&text, '\n');
    }
    db_finish(rows);
    return buf_take(&text);
}

struct drawn {
    int gateway;
    int64_t time_ms;
    int value;
};

static void add_drawn(struct scene *s, const struct drawn *readings, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char value[16];
        snprintf(value, sizeof value, "%d.5", readings[i].value);
        add(s, readings[i].gateway, "t", value, readings[i].time_ms, "");
    }
}

static void test_rows_are_the_same_in_any_order_and_grouping_and_after_kills(void **state)
{
    (void)state;
    struct drawn readings[300];
    for (size_t i = 0; i < 300; i++)
        readings[i] = (struct drawn){
            (int)random_below(2) + 1, BEGIN_MS + (int64_t)i * 101000 + 1, (int)random_below(40)};
    struct scene a, b;
    open_scene(&a, both);
    add_drawn(&a, readings, 300);
    take_all(&a);
    for (size_t i = 299; i > 0; i--) { /* times differ, so there is no first of two values */
        struct drawn other = readings[i];
        size_t k = random_below(i + 1);
        readings[i] = readings[k];
        readings[k] = other;
    }
    open_scene(&b, both);
    tick_ms = 4; /* a few batches a step */
    for (size_t done = 0, more; done < 300; done += more) {
        more = random_below(60) + 1;
        more = more < 300 - done ? more : 300 - done;
        add_drawn(&b, &readings[done], more);
        for (size_t i = random_below(12); i > 0; i--)
            step(&b, random_below(3) > 0);
        if (random_below(4) == 0)
            start(&b, both);
    }
    take_all(&b);
    char *once = dump(&a), *pieces = dump(&b);
    assert_string_equal(once, pieces);
    assert_true(strlen(once) > 1000);
    free(once);
    free(pieces);
    close_scene(&a);
    close_scene(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_first_reading_of_a_quarter_hour_counts_whenever_it_comes),
        cmocka_unit_test(test_only_readings_of_the_models_gauges_are_taken),
        cmocka_unit_test(test_a_point_that_is_named_later_gets_what_the_journal_still_holds),
        cmocka_unit_test(test_rows_are_the_same_in_any_order_and_grouping_and_after_kills),
    };
    return cmocka_run_group_tests(tests, random_set_up, NULL);
}
