/* The listener while others hold it: over real sockets, from several addresses of this machine. */
#include "tests/unit/collector/web_fixture.h"

#include <errno.h>
#include <sys/resource.h>

#define CROWD 800
#define ROUNDS 5
#define SOON_MS 1000

static void restart(int request_ms_each)
{
    struct error err;
    web_stop(web);
    request_ms = request_ms_each;
    assert_int_equal(start("127.0.0.1", 0, database, &web, &err), ST_OK);
    publish(1);
}

/* How long it waits for the answer. */
static int64_t ask_livez_from(unsigned last)
{
    static const char request[] = "GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    int64_t began_ms = clock_system.mono_ms();
    int fd = dial_from(last);
    say(fd, request, sizeof request - 1);
    expect(hear(fd, NULL), 200, "alive");
    close(fd);
    return clock_system.mono_ms() - began_ms;
}

static int open_stream(void)
{
    static const char request[] = "GET /api/v1/stream HTTP/1.1\r\nHost: localhost\r\n\r\n";
    int fd = dial();
    say(fd, request, sizeof request - 1);
    free(hear(fd, "}\n\n"));
    return fd;
}

static void expect_event(int stream, uint64_t number)
{
    char mark[32];
    snprintf(mark, sizeof mark, "id: %llu\n", (unsigned long long)number);
    publish(number);
    free(hear(stream, mark));
}

/* Says one byte more; false where the connection was ended. */
static bool trickle(int fd, const char *request, size_t *at)
{
    char answer[512];
    if (send(fd, request + *at % strlen(request), 1, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 && errno != EAGAIN)
        return false;
    ++*at;
    return recv(fd, answer, sizeof answer, MSG_DONTWAIT) != 0;
}

static void test_a_request_that_trickles_is_ended_and_streams_are_not(void **state)
{
    (void)state;
    restart(1000);
    int stream = open_stream(), fd = dial();
    int64_t began_ms = clock_system.mono_ms();
    size_t at = 0;
    while (trickle(
        fd, "GET /livez HTTP/1.1\r\nX: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", &at)) {
        assert_true(clock_system.mono_ms() - began_ms < WAIT_MS);
        poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, 50); /* slow, but for an end */
    }
    assert_true(clock_system.mono_ms() - began_ms >= 1000);
    assert_true(at > 5);
    expect_event(stream, 2);
    close(fd);
    close(stream);
}

/* As many as will, each as long as it may; who is ended comes again. */
static void hold(int fds[CROWD], size_t at[CROWD], unsigned addresses)
{
    for (int i = 0; i < CROWD; i++) {
        if (fds[i] >= 0 && trickle(fds[i], "GET / HTTP/1.1\r\nX: a", &at[i]))
            continue;
        if (fds[i] >= 0)
            close(fds[i]);
        fds[i] = dial_from(2 + (unsigned)i % addresses);
        at[i] = 0;
    }
}

static void crowd(unsigned addresses, unsigned asked_from)
{
    restart(0);
    int fds[CROWD], stream = open_stream();
    size_t at[CROWD];
    memset(fds, -1, sizeof fds);
    int64_t fastest_ms = INT64_MAX;
    for (int round = 0; round < ROUNDS; round++) {
        hold(fds, at, addresses);
        int64_t took_ms = ask_livez_from(asked_from);
        fastest_ms = took_ms < fastest_ms ? took_ms : fastest_ms;
        expect_event(stream, (uint64_t)round + 2);
    }
    assert_true(fastest_ms < SOON_MS);
    for (int i = 0; i < CROWD; i++)
        close(fds[i]);
    close(stream);
}

static void test_a_crowd_from_everywhere_keeps_nobody_out(void **state)
{
    (void)state;
    crowd(7, 9);
}

static void test_a_crowd_from_one_address_keeps_not_even_its_own_out(void **state)
{
    (void)state;
    crowd(1, 2);
}

/* The crowd and the listener are one program here. */
static int load_with_many_files(void **state)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = limit.rlim_max;
    assert_true(limit.rlim_max >= 4096);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    return load(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_request_that_trickles_is_ended_and_streams_are_not),
        cmocka_unit_test(test_a_crowd_from_everywhere_keeps_nobody_out),
        cmocka_unit_test(test_a_crowd_from_one_address_keeps_not_even_its_own_out),
    };
    return cmocka_run_group_tests(tests, load_with_many_files, unload);
}
