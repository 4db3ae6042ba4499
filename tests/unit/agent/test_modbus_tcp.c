/* The driver contract (agent/drivers/driver.h) and hostile peers, against a peer in this process. Its
 * registers hold their own addresses, so that an answer taken for another's shows. */
#include "agent/drivers/modbus_settings.h"
#include "agent/settings.h"
#include "lib/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define TIMEOUT_MS 200
#define POINTS 2

/* Answers question number n (from 1); false: hang up. */
typedef bool (*answer_fn)(int fd, const uint8_t *question, int n);

struct peer {
    int listener;
    int port;
    answer_fn answer;
    atomic_int questions, connections;
    pthread_t thread;
};

static size_t good_answer(const uint8_t *question, uint8_t *frame)
{
    unsigned address = (unsigned)question[8] << 8 | question[9], count = question[11];
    memcpy(frame, question, 8);
    frame[4] = 0;
    frame[5] = (uint8_t)(3 + 2 * count);
    frame[8] = (uint8_t)(2 * count);
    for (unsigned i = 0; i < count; i++) {
        frame[9 + 2 * i] = (uint8_t)((address + i) >> 8);
        frame[10 + 2 * i] = (uint8_t)(address + i);
    }
    return 9 + 2 * count;
}

static void put(int fd, const void *bytes, size_t len)
{
    /* The driver may have gone; that is what is tested. */
    ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);
    (void)n;
}

static void *serve(void *argument)
{
    struct peer *peer = argument;
    for (;;) {
        int fd = accept(peer->listener, NULL, NULL);
        if (fd < 0)
            return NULL;
        peer->connections++;
        uint8_t question[12];
        while (recv(fd, question, sizeof question, MSG_WAITALL) == sizeof question)
            if (!peer->answer(fd, question, ++peer->questions))
                break;
        close(fd);
    }
}

static void peer_start(struct peer *peer, answer_fn answer)
{
    *peer = (struct peer){.answer = answer, .listener = socket(AF_INET, SOCK_STREAM, 0)};
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    assert_int_equal(bind(peer->listener, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(peer->listener, 8), 0);
    assert_int_equal(getsockname(peer->listener, (struct sockaddr *)&address, &size), 0);
    peer->port = ntohs(address.sin_port);
    assert_int_equal(pthread_create(&peer->thread, NULL, serve, peer), 0);
}

static void peer_stop(struct peer *peer)
{
    shutdown(peer->listener, SHUT_RDWR);
    pthread_join(peer->thread, NULL);
    close(peer->listener);
}

/* A bus with one device of two points at registers 10 and 500, so that there are two questions, and what they
 * gave. */
struct rig {
    struct modbus_tcp_settings tcp;
    struct bus_settings bus;
    struct device_settings device;
    struct modbus_device_settings modbus;
    struct point_settings points[POINTS];
    struct modbus_point_settings places[POINTS];
    void *state, *device_state;
    struct driver_sink sink;
    int readings, failures;
    int64_t counts[POINTS];
    int64_t times_ms[POINTS];
    struct error failure;
};

static void take_reading(void *context, size_t point, const union driver_value *value, int64_t time_ms)
{
    struct rig *rig = context;
    rig->readings++;
    rig->counts[point] = value->count;
    rig->times_ms[point] = time_ms;
}

static void take_failure(void *context, size_t point, const struct error *why)
{
    struct rig *rig = context;
    (void)point;
    rig->failures++;
    rig->failure = *why;
}

static void rig_init(struct rig *rig, int port)
{
    static char host[] = "127.0.0.1";
    *rig = (struct rig){.tcp = {host, port}, .modbus = {.unit = 7, .max_registers = 125}};
    rig->bus = (struct bus_settings){.timeout_ms = TIMEOUT_MS, .extra = &rig->tcp};
    rig->device =
        (struct device_settings){.points = {rig->points, POINTS}, .bus = &rig->bus, .extra = &rig->modbus};
    for (int i = 0; i < POINTS; i++) {
        rig->places[i] = (struct modbus_point_settings){.address = i == 0 ? 10 : 500,
            .count = 1,
            .format = {.type = MODBUS_TYPE_U16},
            .meaning = {READING_REGISTER, {1, 1}, NULL, 0}};
        modbus_order_default(rig->places[i].format.order);
        rig->points[i] = (struct point_settings){.extra = &rig->places[i]};
    }
    rig->state = mem_zalloc(driver_modbus_tcp.bus_size);
    rig->device_state = mem_zalloc(driver_modbus_tcp.device_size);
    driver_modbus_tcp.plan(rig->device_state, &rig->device);
    rig->sink = (struct driver_sink){rig, &clock_system, take_reading, take_failure};
}

static void rig_release(struct rig *rig)
{
    driver_modbus_tcp.close(rig->state);
    driver_modbus_tcp.release(rig->device_state);
    driver_modbus_tcp.release(rig->device_state);
    free(rig->state);
    free(rig->device_state);
}

static enum status rig_open(struct rig *rig, struct error *err)
{
    return driver_modbus_tcp.open(rig->state, &rig->bus, err);
}

static enum status rig_poll(struct rig *rig, struct error *err)
{
    rig->readings = rig->failures = 0;
    return driver_modbus_tcp.poll(rig->state, rig->device_state, &rig->device, &rig->sink, err);
}

static void assert_both_read(struct rig *rig)
{
    struct error err = {"no error"};
    if (rig_poll(rig, &err) != ST_OK)
        fail_msg("%s", err.text);
    assert_int_equal(rig->readings, 2);
    assert_int_equal(rig->counts[0], 10);
    assert_int_equal(rig->counts[1], 500);
}

static void start_open(struct peer *peer, struct rig *rig, answer_fn answer)
{
    struct error err;
    peer_start(peer, answer);
    rig_init(rig, peer->port);
    assert_int_equal(rig_open(rig, &err), ST_OK);
}

static void stop_all(struct peer *peer, struct rig *rig)
{
    rig_release(rig);
    peer_stop(peer);
}

static bool answer_well(int fd, const uint8_t *question, int n)
{
    (void)n;
    uint8_t frame[260];
    put(fd, frame, good_answer(question, frame));
    return true;
}

static void test_a_zeroed_state_can_be_closed(void **state)
{
    (void)state;
    void *zeroed = mem_zalloc(driver_modbus_tcp.bus_size);
    driver_modbus_tcp.close(zeroed);
    driver_modbus_tcp.close(zeroed);
    free(zeroed);
    void *device = mem_zalloc(driver_modbus_tcp.device_size);
    driver_modbus_tcp.release(device);
    free(device);
}

static void test_a_poll_before_open_is_an_error(void **state)
{
    (void)state;
    struct rig rig;
    struct error err;
    rig_init(&rig, 1);
    assert_int_equal(rig_poll(&rig, &err), ST_UNREACHABLE);
    assert_int_equal(rig.readings, 0);
    rig_release(&rig);
}

static void test_it_reads_and_stamps_each_answer(void **state)
{
    (void)state;
    struct peer peer;
    struct rig rig;
    start_open(&peer, &rig, answer_well);
    int64_t before_ms = clock_system.wall_ms();
    assert_both_read(&rig);
    assert_both_read(&rig);
    assert_in_range(rig.times_ms[0], before_ms, clock_system.wall_ms());
    assert_true(rig.times_ms[0] <= rig.times_ms[1]);
    assert_int_equal(peer.connections, 1);
    stop_all(&peer, &rig);
}

static void test_it_opens_again_after_close(void **state)
{
    (void)state;
    struct peer peer;
    struct rig rig;
    struct error err;
    start_open(&peer, &rig, answer_well);
    assert_both_read(&rig);
    driver_modbus_tcp.close(rig.state);
    assert_int_equal(rig_poll(&rig, &err), ST_UNREACHABLE);
    assert_int_equal(rig_open(&rig, &err), ST_OK);
    assert_both_read(&rig);
    stop_all(&peer, &rig);
}

static void test_a_refused_connection_is_unreachable(void **state)
{
    (void)state;
    struct peer peer;
    struct rig rig;
    struct error err;
    peer_start(&peer, answer_well);
    peer_stop(&peer);
    rig_init(&rig, peer.port);
    assert_int_equal(rig_open(&rig, &err), ST_UNREACHABLE);
    assert_non_null(strstr(err.text, "cannot connect to 127.0.0.1 port "));
    assert_non_null(strstr(err.text, ": Connection refused"));
    rig_release(&rig);
}

static void test_a_connection_that_nobody_takes_ends_within_its_time(void **state)
{
    (void)state;
    /* A listener whose queue is full does not answer the next SYN. */
    int listener = socket(AF_INET, SOCK_STREAM, 0), fillers[8];
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    assert_int_equal(bind(listener, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(listener, 0), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &size), 0);
    for (int i = 0; i < 8; i++) {
        fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        int started = connect(fillers[i], (struct sockaddr *)&address, size);
        (void)started;
    }
    struct rig rig;
    struct error err;
    rig_init(&rig, ntohs(address.sin_port));
    int64_t start_mono_ms = clock_system.mono_ms();
    assert_int_equal(rig_open(&rig, &err), ST_UNREACHABLE);
    assert_in_range(clock_system.mono_ms() - start_mono_ms, TIMEOUT_MS / 2, 10 * TIMEOUT_MS);
    rig_release(&rig);
    for (int i = 0; i < 8; i++)
        close(fillers[i]);
    close(listener);
}

static bool answer_not(int fd, const uint8_t *question, int n)
{
    (void)fd, (void)question, (void)n;
    return true;
}

static void test_a_silent_device_costs_one_time_out(void **state)
{
    (void)state;
    struct peer peer;
    struct rig rig;
    struct error err;
    start_open(&peer, &rig, answer_not);
    int64_t start_mono_ms = clock_system.mono_ms();
    assert_int_equal(rig_poll(&rig, &err), ST_TIMEOUT);
    assert_in_range(clock_system.mono_ms() - start_mono_ms, TIMEOUT_MS - 20, 10 * TIMEOUT_MS);
    assert_string_equal(err.text, "unit 7, holding 10: no answer within 200 ms");
    stop_all(&peer, &rig);
}

static bool answer_one_late(int fd, const uint8_t *question, int n)
{
    static uint8_t late[260];
    static size_t len;
    if (n == 1) {
        len = good_answer(question, late);
        return true; /* kept until the driver asks again, if it does so on this connection */
    }
    uint8_t frame[260];
    if (n == 2)
        put(fd, late, len);
    put(fd, frame, good_answer(question, frame));
    return true;
}

static void test_a_late_answer_is_never_taken_for_the_next(void **state)
{
    (void)state;
    struct peer peer;
    struct rig rig;
    struct error err;
    start_open(&peer, &rig, answer_one_late);
    assert_int_equal(rig_poll(&rig, &err), ST_TIMEOUT);
    assert_int_equal(rig_poll(&rig, &err), ST_PROTOCOL);
    assert_non_null(strstr(err.text, "the answer belongs to another question"));
    assert_int_equal(rig.readings, 0);
    assert_both_read(&rig);
    assert_int_equal(peer.connections, 3);
    stop_all(&peer, &rig);
}

static bool answer_twice(int fd, const uint8_t *question, int n)
{
    (void)n;
    uint8_t frame[520];
    size_t len = good_answer(question, frame);
    memcpy(frame + len, frame, len);
    put(fd, frame, 2 * len);
    return true;
}

static void test_a_second_answer_is_thrown_away_with_its_connection(void **state)
{
    (void)state;
    struct peer peer;
    struct rig rig;
    start_open(&peer, &rig, answer_twice);
    assert_both_read(&rig);
    assert_int_equal(peer.connections, 2);
    stop_all(&peer, &rig);
}

static bool answer_by_hanging_up_first(int fd, const uint8_t *question, int n)
{
    return n > 1 && answer_well(fd, question, n);
}

static void test_a_device_that_hangs_up_is_asked_again_on_a_new_connection(void **state)
{
    (void)state;
    struct peer peer;
    struct rig rig;
    struct error err;
    start_open(&peer, &rig, answer_by_hanging_up_first);
    assert_int_equal(rig_poll(&rig, &err), ST_UNREACHABLE);
    assert_string_equal(
        err.text, "unit 7, holding 10: the device closed the connection instead of an answer");
    assert_both_read(&rig);
    stop_all(&peer, &rig);
}

static bool answer_and_close_after_500(int fd, const uint8_t *question, int n)
{
    answer_well(fd, question, n);
    return question[8] == 0;
}

static void test_a_connection_that_the_device_ended_when_idle_costs_no_reading(void **state)
{
    (void)state;
    struct peer peer;
    struct rig rig;
    start_open(&peer, &rig, answer_and_close_after_500);
    for (int i = 1; i <= 3; i++) {
        assert_both_read(&rig);
        /* The peer serves one connection at a time: once it answers here, it has closed the driver's. */
        struct sockaddr_in address = {.sin_family = AF_INET,
            .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
            .sin_port = htons((uint16_t)peer.port)};
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
        static const uint8_t question[12] = {0, 1, 0, 0, 0, 6, 7, 3, 0, 10, 0, 1};
        uint8_t answer[11];
        put(fd, question, sizeof question);
        assert_int_equal(recv(fd, answer, sizeof answer, MSG_WAITALL), sizeof answer);
        close(fd);
        assert_int_equal(peer.connections, 2 * i);
    }
    stop_all(&peer, &rig);
}

static bool answer_an_exception(int fd, const uint8_t *question, int n)
{
    if (n != 1)
        return answer_well(fd, question, n);
    uint8_t frame[] = {question[0], question[1], 0, 0, 0, 3, question[6], question[7] | 0x80, 2};
    put(fd, frame, sizeof frame);
    return true;
}

static void test_an_exception_fails_its_points_only(void **state)
{
    (void)state;
    struct peer peer;
    struct rig rig;
    struct error err;
    start_open(&peer, &rig, answer_an_exception);
    assert_int_equal(rig_poll(&rig, &err), ST_OK);
    assert_int_equal(rig.failures, 1);
    assert_int_equal(rig.readings, 1);
    assert_int_equal(rig.counts[1], 500);
    assert_string_equal(rig.failure.text, "illegal data address: holding 10 (exception 2)");
    assert_both_read(&rig);
    assert_int_equal(peer.connections, 1);
    stop_all(&peer, &rig);
}

static bool answer_for_a_gateway(int fd, const uint8_t *question, int n)
{
    (void)n;
    uint8_t frame[] = {question[0], question[1], 0, 0, 0, 3, question[6], question[7] | 0x80, 11};
    put(fd, frame, sizeof frame);
    return true;
}

static void test_a_gateway_that_cannot_reach_the_device_is_asked_once(void **state)
{
    (void)state;
    struct peer peer;
    struct rig rig;
    struct error err;
    start_open(&peer, &rig, answer_for_a_gateway);
    assert_int_equal(rig_poll(&rig, &err), ST_TIMEOUT);
    assert_string_equal(
        err.text, "unit 7, holding 10: gateway: the device behind it does not answer (exception 11)");
    assert_int_equal(peer.questions, 1);
    stop_all(&peer, &rig);
}

static atomic_int lie; /* which of the lies below */

static bool answer_with_a_lie(int fd, const uint8_t *question, int n)
{
    (void)n;
    uint8_t frame[300] = {0};
    size_t len = good_answer(question, frame);
    switch (lie) {
    case 0:
        frame[6]++; /* unit */
        break;
    case 1:
        frame[7] = 4; /* function */
        break;
    case 2:
        frame[1] ^= 0x55; /* transaction */
        break;
    case 3:
        frame[2] = 1; /* protocol */
        break;
    case 4:
        frame[5]++; /* length */
        break;
    case 5:
        frame[8] += 2, frame[5] += 2, len += 2; /* more than asked for */
        break;
    case 6:
        len = 7; /* cut short */
        break;
    case 7:
        len = (size_t)sprintf((char *)frame, "HTTP/1.1 400 Bad Request\r\n\r\n");
        break;
    case 8:
        memset(frame, 0xff, len = sizeof frame);
        break;
    default:
        memset(frame + 8, 0, len - 8), len = 9; /* no data */
        break;
    }
    put(fd, frame, len);
    return true;
}

static void test_a_lying_device_never_gives_a_value(void **state)
{
    (void)state;
    struct peer peer;
    struct rig rig;
    start_open(&peer, &rig, answer_with_a_lie);
    for (lie = 0; lie < 10; lie++) {
        struct error err = {"no error"};
        enum status status = rig_poll(&rig, &err);
        if (status != ST_PROTOCOL || rig.readings + rig.failures > 0)
            fail_msg("lie %d: %s, %d readings: %s", lie, status_name(status), rig.readings, err.text);
    }
    stop_all(&peer, &rig);
}

/* One byte a time for as long as the driver listens: each alone is in time. */
static bool answer_drop_by_drop(int fd, const uint8_t *question, int n)
{
    (void)n;
    uint8_t frame[260];
    size_t len = good_answer(question, frame);
    struct timeval pause = {.tv_usec = TIMEOUT_MS * 1000 / 4};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &pause, sizeof pause);
    char byte;
    for (size_t i = 0; i < len; i++) {
        put(fd, frame + i, 1);
        if (recv(fd, &byte, 1, 0) == 0)
            return false;
    }
    return false;
}

static void test_a_device_that_answers_drop_by_drop_is_held_to_the_time_out(void **state)
{
    (void)state;
    struct peer peer;
    struct rig rig;
    struct error err;
    start_open(&peer, &rig, answer_drop_by_drop);
    int64_t start_mono_ms = clock_system.mono_ms();
    assert_int_equal(rig_poll(&rig, &err), ST_PROTOCOL);
    assert_in_range(clock_system.mono_ms() - start_mono_ms, TIMEOUT_MS - 20, 10 * TIMEOUT_MS);
    assert_string_equal(err.text, "unit 7, holding 10: only a part of an answer within 200 ms");
    stop_all(&peer, &rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_zeroed_state_can_be_closed),
        cmocka_unit_test(test_a_poll_before_open_is_an_error),
        cmocka_unit_test(test_it_reads_and_stamps_each_answer),
        cmocka_unit_test(test_it_opens_again_after_close),
        cmocka_unit_test(test_a_refused_connection_is_unreachable),
        cmocka_unit_test(test_a_connection_that_nobody_takes_ends_within_its_time),
        cmocka_unit_test(test_a_silent_device_costs_one_time_out),
        cmocka_unit_test(test_a_late_answer_is_never_taken_for_the_next),
        cmocka_unit_test(test_a_second_answer_is_thrown_away_with_its_connection),
        cmocka_unit_test(test_a_device_that_hangs_up_is_asked_again_on_a_new_connection),
        cmocka_unit_test(test_a_connection_that_the_device_ended_when_idle_costs_no_reading),
        cmocka_unit_test(test_an_exception_fails_its_points_only),
        cmocka_unit_test(test_a_gateway_that_cannot_reach_the_device_is_asked_once),
        cmocka_unit_test(test_a_lying_device_never_gives_a_value),
        cmocka_unit_test(test_a_device_that_answers_drop_by_drop_is_held_to_the_time_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
