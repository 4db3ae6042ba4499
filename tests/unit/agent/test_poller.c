/*
 * agent/poll/poller in virtual time: each look at the clock takes some ms, a device that does not answer
 * takes its time-out. The driver and the deliver thread only remember: this program's deliver_put takes the
 * library's place.
 */
#include "agent/deliver/deliver.h"
#include "agent/poll/poller.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/thread.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WALL_MS INT64_C(1764000000000) /* at virtual 0; a multiple of every period here */
#define LOOK_MS 2
#define IDLE_LOOK_MS 50 /* while nothing is polled, so that hours take a moment */
#define LOOKS_OF_A_POLL 12
#define TIMEOUT_MS 700
#define DEVICES_MAX 10
#define EVENTS_MAX 20000

/* ---- virtual time ---- */

static _Atomic int64_t now_ms, step_ms;
static atomic_int looks; /* since the last poll */
static atomic_bool is_unsynchronised;

static int64_t wall_ms(void)
{
    return WALL_MS + now_ms + step_ms;
}

static int64_t mono_ms(void)
{
    return now_ms += ++looks > LOOKS_OF_A_POLL ? IDLE_LOOK_MS : LOOK_MS;
}

static bool is_synchronised(void)
{
    return !is_unsynchronised;
}

/* Looking at the clock is what makes virtual time pass: a wait only lets others have the lock, and now and then the processor:
 * on a busy machine that costs milliseconds, of which half an hour of virtual time has no hundred thousand. */
static void wait_until(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t deadline_mono_ms)
{
    static atomic_int waits;
    (void)cond, (void)deadline_mono_ms;
    pthread_mutex_unlock(lock);
    if (++waits % 64 == 0)
        sched_yield();
    pthread_mutex_lock(lock);
}

static const struct clock virtual_clock = {
    .wall_ms = wall_ms, .mono_ms = mono_ms, .is_synchronised = is_synchronised, .wait_until = wait_until};

/* ---- a driver of which the tests are the devices ---- */

enum behaviour { ANSWERS, IS_SILENT, IS_SLOW, LIES, REFUSES_POINT, HANGS_UP, SEES_THE_CLOCK_SET };

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int64_t end_ms; /* the poller stands still, and the test looks, when virtual time is here */
    int opens_end;  /* or the bus was opened so often */
    bool is_over;
    enum behaviour behaviour[DEVICES_MAX];
    const char *text;
    bool is_bus_down;
    int opens, closes;
    int poll_count;
    struct {
        int device;
        int64_t at_ms;
    } polls[EVENTS_MAX];
    int put_count;
    struct {
        struct spool_reading reading;
        char text[64];
        int64_t at_ms;
        bool is_urgent;
    } puts[EVENTS_MAX];
    bool is_queue_full;
} world = {.lock = PTHREAD_MUTEX_INITIALIZER};

bool deliver_put(struct deliver *d, const struct spool_reading *reading, bool is_urgent)
{
    (void)d;
    pthread_mutex_lock(&world.lock);
    bool has_room = !world.is_queue_full && world.put_count < EVENTS_MAX;
    if (has_room) {
        world.puts[world.put_count].reading = *reading;
        world.puts[world.put_count].at_ms = now_ms;
        world.puts[world.put_count].is_urgent = is_urgent;
        snprintf(world.puts[world.put_count].text, sizeof world.puts[0].text, "%s",
            reading->text ? reading->text : "");
        world.put_count++;
    }
    pthread_mutex_unlock(&world.lock);
    return has_room;
}

static struct device_settings devices[DEVICES_MAX];
static struct point_settings point_lists[DEVICES_MAX][3];

static void stand_still_at_the_end(void)
{
    while (now_ms >= world.end_ms || world.opens >= world.opens_end) {
        world.is_over = true;
        pthread_cond_broadcast(&world.changed);
        pthread_cond_wait(&world.changed, &world.lock);
    }
}

static enum status fake_open(void *state, const struct bus_settings *settings, struct error *err)
{
    (void)state, (void)settings;
    pthread_mutex_lock(&world.lock);
    world.opens++;
    stand_still_at_the_end();
    bool is_down = world.is_bus_down;
    pthread_mutex_unlock(&world.lock);
    if (!is_down)
        return ST_OK;
    now_ms += TIMEOUT_MS;
    return error_set(err, ST_UNREACHABLE, "cannot connect to 10.0.0.9");
}

static void fake_plan(void *device_state, const struct device_settings *device)
{
    (void)device_state, (void)device;
}

static enum status fake_poll(void *state, void *device_state, const struct device_settings *device,
    const struct driver_sink *sink, struct error *err)
{
    (void)state, (void)device_state;
    int i = (int)(device - devices);
    looks = 0;
    pthread_mutex_lock(&world.lock);
    assert_true(world.poll_count < EVENTS_MAX);
    world.polls[world.poll_count].device = i;
    world.polls[world.poll_count++].at_ms = now_ms;
    stand_still_at_the_end();
    enum behaviour behaviour = world.behaviour[i];
    const char *text = world.text;
    pthread_mutex_unlock(&world.lock);
    if (behaviour == IS_SILENT) {
        now_ms += TIMEOUT_MS;
        return error_set(err, ST_TIMEOUT, "no answer within %d ms", TIMEOUT_MS);
    }
    if (behaviour == HANGS_UP)
        return error_set(err, ST_UNREACHABLE, "the device closed the connection");
    if (behaviour == IS_SLOW)
        now_ms += 2500;
    if (behaviour == REFUSES_POINT) {
        struct error why;
        error_set(&why, ST_PROTOCOL, "illegal data address");
        sink->point_failed(sink->context, 1, &why);
    } else {
        union driver_value power = {.number = behaviour == LIES ? (double)NAN : 41.5};
        sink->reading(sink->context, 1, &power, sink->clock->wall_ms());
    }
    union driver_value count = {.count = behaviour == LIES ? REGISTER_MAX + 1 : 7}, session = {.text = text};
    int64_t answered_ms = sink->clock->wall_ms();
    if (behaviour == SEES_THE_CLOCK_SET) {
        step_ms = 0;
        is_unsynchronised = false;
    }
    sink->reading(sink->context, 0, &count, answered_ms);
    sink->reading(sink->context, 2, &session, sink->clock->wall_ms());
    return ST_OK;
}

static void fake_release(void *device_state)
{
    (void)device_state;
}

static void fake_close(void *state)
{
    (void)state;
    world.closes++;
}

static const struct driver driver = {.name = "fake",
    .bus_size = 8,
    .device_size = 8,
    .open = fake_open,
    .plan = fake_plan,
    .poll = fake_poll,
    .release = fake_release,
    .close = fake_close};

/* ---- running ---- */

static struct bus_settings bus;
static char log_path[] = "/tmp/parkmon-test-poller-XXXXXX";
static struct poller *poller;
static int terminal_fd;

static void begin_with(const struct clock *clock_used, size_t device_count, int64_t every_ms)
{
    static char bus_name[] = "b3";
    memset(world.behaviour, 0, sizeof world.behaviour);
    world.text = "open";
    world.is_bus_down = world.is_queue_full = false;
    world.opens = world.closes = world.poll_count = world.put_count = 0;
    now_ms = 1234;
    step_ms = 0;
    is_unsynchronised = false;
    world.end_ms = world.opens_end = 0;
    int fd = open(log_path, O_WRONLY | O_APPEND | O_TRUNC);
    dup2(fd, 2);
    close(fd);
    bus = (struct bus_settings){.name = bus_name, .driver = &driver, .timeout_ms = TIMEOUT_MS};
    static char device_names[DEVICES_MAX][24];
    static char count_name[] = "count", power_name[] = "power", session_name[] = "session";
    for (size_t i = 0; i < device_count; i++) {
        snprintf(device_names[i], sizeof device_names[i], "m%zu", i);
        point_lists[i][0] = (struct point_settings){.point = count_name, .kind = READING_REGISTER};
        point_lists[i][1] = (struct point_settings){.point = power_name, .kind = READING_GAUGE};
        point_lists[i][2] = (struct point_settings){.point = session_name, .kind = READING_STATE};
        devices[i] = (struct device_settings){
            .name = device_names[i], .every_ms = every_ms, .bus = &bus, .driver = &driver};
        devices[i].points.items = point_lists[i];
        devices[i].points.count = 3;
    }
    bus.devices.items = devices;
    bus.devices.count = device_count;
    poller = poller_create(&bus, 100, clock_used, NULL);
    poller_start(poller);
}

static void begin(size_t device_count, int64_t every_ms)
{
    begin_with(&virtual_clock, device_count, every_ms);
}

static void run(int64_t end_ms, int opens_end)
{
    pthread_mutex_lock(&world.lock);
    world.end_ms = end_ms;
    world.opens_end = opens_end;
    world.is_over = false;
    pthread_cond_broadcast(&world.changed);
    int64_t deadline = clock_system.mono_ms() + 120000;
    while (!world.is_over && clock_system.mono_ms() < deadline)
        thread_wait_until(&world.changed, &world.lock, deadline);
    bool is_over = world.is_over;
    pthread_mutex_unlock(&world.lock);
    assert_true(is_over);
}

/* Until virtual time is `at_ms`, or a little later. */
static void run_until(int64_t at_ms)
{
    run(at_ms, INT32_MAX);
}

static void wait_for_opens(int count)
{
    run(INT64_MAX, count);
}

static void end(void)
{
    poller_stop(poller);
    pthread_mutex_lock(&world.lock);
    world.end_ms = INT64_MAX;
    world.opens_end = INT32_MAX;
    pthread_cond_broadcast(&world.changed);
    pthread_mutex_unlock(&world.lock);
    poller_destroy(poller);
    dup2(terminal_fd, 2);
}

static int lines_with(const char *part)
{
    static char text[1 << 18];
    int fd = open(log_path, O_RDONLY);
    ssize_t got = read(fd, text, sizeof text - 1);
    close(fd);
    text[got > 0 ? got : 0] = '\0';
    int count = 0;
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n"))
        count += strstr(line, part) != NULL;
    return count;
}

static int polls_of(int device, int64_t from_ms, int64_t to_ms)
{
    int count = 0;
    for (int i = 0; i < world.poll_count; i++)
        count += world.polls[i].device == device && world.polls[i].at_ms >= from_ms &&
                 world.polls[i].at_ms < to_ms;
    return count;
}

/* How late, at most, the polls of this device were on the grid of `every_ms`; the first one is due at once.
 */
static int64_t worst_delay(int device, int64_t every_ms)
{
    int64_t worst = 0;
    bool is_first = true;
    for (int i = 0; i < world.poll_count; i++) {
        if (world.polls[i].device != device)
            continue;
        int64_t delay = world.polls[i].at_ms % every_ms;
        if (!is_first && delay > worst)
            worst = delay;
        is_first = false;
    }
    return worst;
}

/* ---- the tests ---- */

static void test_devices_are_polled_on_the_grid_of_the_clock(void **state)
{
    (void)state;
    begin(3, 10000);
    run_until(605000);
    end();
    for (int i = 0; i < 3; i++) {
        assert_in_range(polls_of(i, 5000, 605000), 60, 61);
        assert_true(worst_delay(i, 10000) < 500);
    }
    assert_int_equal(lines_with(""), 0); /* a healthy program logs nothing */
    assert_int_equal(world.opens, 1);
    assert_int_equal(world.closes, 1);
}

static void test_readings_carry_their_index_kind_and_time(void **state)
{
    (void)state;
    begin(2, 10000);
    run_until(15000);
    end();
    bool has[6] = {false};
    for (int i = 0; i < world.put_count; i++) {
        const struct spool_reading *r = &world.puts[i].reading;
        assert_in_range(r->point, 100, 105);
        has[r->point - 100] = true;
        static const enum reading_kind kinds[] = {READING_REGISTER, READING_GAUGE, READING_STATE};
        assert_int_equal(r->kind, kinds[(r->point - 100) % 3]);
        assert_int_equal(r->quality, QUALITY_GOOD);
        int64_t age = WALL_MS + world.puts[i].at_ms - r->time_ms;
        assert_true(age >= 0 && age < 50);
    }
    for (int i = 0; i < 6; i++)
        assert_true(has[i]);
}

static void test_a_silent_device_costs_its_neighbours_one_time_out_a_try_and_backs_off(void **state)
{
    (void)state;
    begin(10, 1000);
    world.behaviour[4] = IS_SILENT;
    run_until(1801000);
    end();
    for (int i = 0; i < 10; i++)
        if (i != 4)
            assert_true(worst_delay(i, 1000) <= TIMEOUT_MS + 250);
    assert_in_range(polls_of(4, 0, 600000), 9, 11);
    assert_in_range(polls_of(4, 900000, 1801000), 2, 4); /* every five minutes */
    for (int i = 0; i < 10; i++)
        if (i != 4)
            assert_in_range(polls_of(i, 2000, 1801000), 1797, 1800); /* and none left out */
    assert_in_range(lines_with("b3/m4: no answer within 700 ms; next try in"), 1, 7);
    assert_int_equal(lines_with("left out"), 0);
}

static void test_a_device_that_comes_back_is_told_and_polled_as_before(void **state)
{
    (void)state;
    begin(2, 1000);
    world.behaviour[1] = IS_SILENT;
    run_until(30000);
    world.behaviour[1] = ANSWERS;
    run_until(100000);
    end();
    assert_int_equal(lines_with("b3/m1: answers again"), 1);
    assert_in_range(polls_of(1, 80000, 100000), 19, 21);
}

static void test_a_slow_device_leaves_polls_out_and_that_is_told_once(void **state)
{
    (void)state;
    begin(1, 1000);
    world.behaviour[0] = IS_SLOW;
    run_until(50000);
    assert_int_equal(lines_with("polls are left out"), 1);
    for (int i = 1; i < world.poll_count; i++) /* absolute deadlines: on the grid all the same */
        assert_true(world.polls[i].at_ms % 1000 < 100);
    world.behaviour[0] = ANSWERS;
    run_until(400000);
    assert_int_equal(lines_with("on time again"), 0);
    run_until(800000);
    end();
    assert_int_equal(lines_with("all polls are on time again"), 1);
}

static void test_a_device_that_lies_gives_no_value(void **state)
{
    (void)state;
    begin(1, 1000);
    world.behaviour[0] = LIES;
    run_until(20000);
    end();
    for (int i = 0; i < world.put_count; i++)
        assert_int_equal(world.puts[i].reading.kind, READING_STATE);
    assert_int_equal(world.put_count, 1);
    assert_int_equal(lines_with("b3/m0: point count: count"), 1);
    assert_int_equal(lines_with("b3/m0: point power: a gauge that is not finite"), 1);
}

static void test_a_point_that_cannot_be_read_is_told_once_and_once_more_when_it_can(void **state)
{
    (void)state;
    begin(1, 1000);
    world.behaviour[0] = REFUSES_POINT;
    run_until(20000);
    assert_int_equal(lines_with("point power: illegal data address; tried at every poll"), 1);
    world.behaviour[0] = ANSWERS;
    run_until(40000);
    end();
    assert_int_equal(lines_with("point power can be read again"), 1);
    assert_int_equal(lines_with(""), 2);
}

static void test_a_bus_that_is_down_is_told_once_and_all_come_back_at_once(void **state)
{
    (void)state;
    begin(5, 1000);
    run_until(10000);
    world.is_bus_down = true;
    world.behaviour[0] = HANGS_UP;
    run_until(12000);
    world.behaviour[0] = ANSWERS;
    /* Nobody can be polled now: wait for the tries to open instead. */
    wait_for_opens(30);
    int64_t back_ms = now_ms;
    world.is_bus_down = false;
    run_until(back_ms + 400000);
    end();
    assert_int_equal(lines_with("none of its 5 devices can be polled"), 1 + lines_with("more times since"));
    assert_int_equal(lines_with("b3: open again"), 1);
    /* Whoever opened it may have slept for its back-off; the others follow on the next deadline. */
    int64_t first_ms = 0;
    for (int i = 0; i < world.poll_count && first_ms == 0; i++)
        if (world.polls[i].at_ms >= back_ms)
            first_ms = world.polls[i].at_ms;
    for (int i = 0; i < 5; i++)
        assert_true(polls_of(i, first_ms, first_ms + 2500) >= 1);
}

static void test_a_state_is_sent_at_start_on_change_and_every_five_minutes(void **state)
{
    (void)state;
    begin(1, 60000);
    run_until(1000000);
    world.text = "busy";
    run_until(1300000);
    end();
    int64_t last_ms = 0;
    int changes = 0, repeats = 0;
    const char *last = "";
    for (int i = 0; i < world.put_count; i++) {
        if (world.puts[i].reading.kind != READING_STATE)
            continue;
        bool is_change = strcmp(world.puts[i].text, last) != 0;
        assert_int_equal(world.puts[i].is_urgent, is_change);
        changes += is_change;
        repeats += !is_change;
        assert_true(world.puts[i].at_ms - last_ms <= 300000);
        if (!is_change)
            assert_true(world.puts[i].at_ms - last_ms >= 200000);
        last_ms = world.puts[i].at_ms;
        last = world.puts[i].text;
    }
    assert_int_equal(changes, 2);
    assert_in_range(repeats, 4, 6);
}

static void test_an_unsynchronised_clock_is_told_with_each_reading(void **state)
{
    (void)state;
    begin(1, 1000);
    is_unsynchronised = true;
    run_until(5000);
    int before = world.put_count;
    run_until(10000);
    end();
    assert_true(before > 2);
    for (int i = before; i < world.put_count; i++)
        assert_int_equal(world.puts[i].reading.quality, QUALITY_CLOCK);
    /* and when it was taken on the clock that nobody sets: by this clock both run alike */
    for (int i = before; i < world.put_count; i++) {
        const struct spool_reading *r = &world.puts[i].reading;
        assert_true(r->has_mono);
        assert_in_range(r->mono_ms - (r->time_ms - WALL_MS) + 2 * LOOK_MS, 0, 4 * LOOK_MS);
    }
}

static void test_a_reading_dated_before_the_clock_was_set_is_not_taken_for_right(void **state)
{
    (void)state;
    begin(1, 1000);
    is_unsynchronised = true;
    step_ms = -WALL_MS + 86400000; /* a gateway without a battery */
    run_until(5000);
    world.behaviour[0] = SEES_THE_CLOCK_SET;
    run_until(10000);
    end();
    int wrong = 0;
    for (int i = 0; i < world.put_count; i++) {
        const struct spool_reading *r = &world.puts[i].reading;
        if (r->time_ms < WALL_MS) {
            wrong++;
            assert_int_equal(r->quality, QUALITY_CLOCK);
            assert_true(r->has_mono);
            assert_in_range(world.puts[i].at_ms - r->mono_ms, 0, 4 * LOOK_MS);
        }
    }
    assert_true(wrong > 2 && wrong < world.put_count);
    assert_int_equal(world.puts[world.put_count - 1].reading.quality, QUALITY_GOOD);
}

static void test_a_step_of_the_clock_moves_the_grid(void **state)
{
    (void)state;
    begin(1, 10000);
    run_until(50000);
    step_ms = 3600000 + 3000;
    run_until(100000);
    end();
    int64_t last_ms = world.polls[world.poll_count - 2].at_ms;
    assert_true((last_ms + step_ms) % 10000 < 500);
}

static void test_refused_readings_are_told_once_and_a_state_is_offered_again(void **state)
{
    (void)state;
    begin(1, 1000);
    world.is_queue_full = true;
    run_until(20000);
    assert_int_equal(lines_with("readings are refused"), 1);
    world.is_queue_full = false;
    run_until(40000);
    end();
    assert_int_equal(lines_with("readings are taken again"), 1);
    int states = 0;
    for (int i = 0; i < world.put_count; i++)
        states += world.puts[i].reading.kind == READING_STATE;
    assert_true(states >= 1);
}

static void test_stopping_does_not_wait_for_the_next_deadline(void **state)
{
    (void)state;
    begin_with(&clock_system, 1, 900000);
    run_until(0);
    int64_t begun = clock_system.mono_ms();
    end();
    assert_true(clock_system.mono_ms() - begun < 5000);
}

static int set_up(void **state)
{
    (void)state;
    thread_cond_init(&world.changed);
    terminal_fd = dup(2);
    return close(mkstemp(log_path));
}

static int tear_down(void **state)
{
    (void)state;
    return unlink(log_path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_devices_are_polled_on_the_grid_of_the_clock),
        cmocka_unit_test(test_readings_carry_their_index_kind_and_time),
        cmocka_unit_test(test_a_silent_device_costs_its_neighbours_one_time_out_a_try_and_backs_off),
        cmocka_unit_test(test_a_device_that_comes_back_is_told_and_polled_as_before),
        cmocka_unit_test(test_a_slow_device_leaves_polls_out_and_that_is_told_once),
        cmocka_unit_test(test_a_device_that_lies_gives_no_value),
        cmocka_unit_test(test_a_point_that_cannot_be_read_is_told_once_and_once_more_when_it_can),
        cmocka_unit_test(test_a_bus_that_is_down_is_told_once_and_all_come_back_at_once),
        cmocka_unit_test(test_a_state_is_sent_at_start_on_change_and_every_five_minutes),
        cmocka_unit_test(test_an_unsynchronised_clock_is_told_with_each_reading),
        cmocka_unit_test(test_a_reading_dated_before_the_clock_was_set_is_not_taken_for_right),
        cmocka_unit_test(test_a_step_of_the_clock_moves_the_grid),
        cmocka_unit_test(test_refused_readings_are_told_once_and_a_state_is_offered_again),
        cmocka_unit_test(test_stopping_does_not_wait_for_the_next_deadline),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
