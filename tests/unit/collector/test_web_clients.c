/* Who holds a connection, and who makes room: each is one end of a socket pair, the test has the other. */
#include "collector/web/clients.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <unistd.h>

#define PATIENCE_MS 10000
#define LONG_MS 600000

struct peer {
    int fd, own;
    struct client *client;
};

static struct peer join(struct clients *c, const char *address)
{
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    bool is_v4 = inet_pton(AF_INET, address, &v4.sin_addr) == 1;
    assert_true(is_v4 || inet_pton(AF_INET6, address, &v6.sin6_addr) == 1);
    const struct sockaddr *any = is_v4 ? (const struct sockaddr *)&v4 : (const struct sockaddr *)&v6;
    return (struct peer){fds[0], fds[1], clients_add(c, fds[1], any)};
}

static void leave(struct clients *c, struct peer *p)
{
    clients_remove(c, p->client);
    close(p->own);
    close(p->fd);
}

static bool is_ended_within(const struct peer *p, int ms)
{
    struct pollfd at = {.fd = p->fd, .events = POLLIN};
    char byte;
    return poll(&at, 1, ms) == 1 && recv(p->fd, &byte, 1, MSG_DONTWAIT) == 0;
}

static void test_a_request_that_is_not_whole_in_time_ends_its_connection_and_no_other(void **state)
{
    (void)state;
    struct clients *c = clients_create(&(struct clients_limits){10, 10, 100, LONG_MS});
    struct peer slow = join(c, "127.0.0.1"), reader = join(c, "127.0.0.1"), stream = join(c, "127.0.0.1");
    clients_set(c, reader.client, CLIENT_IS_ANSWERED);
    clients_set(c, stream.client, CLIENT_STREAMS);
    assert_true(is_ended_within(&slow, PATIENCE_MS));
    assert_false(is_ended_within(&reader, 1000));
    assert_false(is_ended_within(&stream, 0));
    clients_set(c, reader.client, CLIENT_ASKS); /* the answer is out: the next request has as long */
    assert_true(is_ended_within(&reader, PATIENCE_MS));
    leave(c, &slow);
    leave(c, &reader);
    leave(c, &stream);
    clients_destroy(c);
}

static void test_an_answer_that_is_not_taken_in_time_ends_its_connection(void **state)
{
    (void)state;
    struct clients *c = clients_create(&(struct clients_limits){10, 10, LONG_MS, 100});
    struct peer asks = join(c, "::1"), reader = join(c, "::1");
    clients_set(c, reader.client, CLIENT_IS_ANSWERED);
    assert_true(is_ended_within(&reader, PATIENCE_MS));
    assert_false(is_ended_within(&asks, 0));
    leave(c, &asks);
    leave(c, &reader);
    clients_destroy(c);
}

static void test_the_one_that_waited_longest_makes_room(void **state)
{
    (void)state;
    struct clients *c = clients_create(&(struct clients_limits){3, 3, LONG_MS, LONG_MS});
    struct peer p[5];
    for (int i = 0; i < 3; i++)
        p[i] = join(c, i == 0 ? "127.0.0.1" : i == 1 ? "127.0.0.2" : "::1");
    for (int i = 0; i < 3; i++)
        assert_false(is_ended_within(&p[i], 0));
    p[3] = join(c, "127.0.0.3");
    p[4] = join(c, "127.0.0.3");
    for (int i = 0; i < 5; i++)
        assert_int_equal(is_ended_within(&p[i], 0), i < 2);
    for (int i = 0; i < 5; i++)
        leave(c, &p[i]);
    clients_destroy(c);
}

static void test_one_address_takes_nothing_from_another(void **state)
{
    (void)state;
    struct clients *c = clients_create(&(struct clients_limits){100, 2, LONG_MS, LONG_MS});
    struct peer other = join(c, "127.0.0.2"), p[6];
    for (int i = 0; i < 6; i++)
        p[i] = join(c, "127.0.0.3");
    assert_false(is_ended_within(&other, 0));
    for (int i = 0; i < 6; i++)
        assert_int_equal(is_ended_within(&p[i], 0), i < 4);
    leave(c, &other);
    for (int i = 0; i < 6; i++)
        leave(c, &p[i]);
    clients_destroy(c);
}

static void test_streams_stay(void **state)
{
    (void)state;
    struct clients *c = clients_create(&(struct clients_limits){2, 2, LONG_MS, LONG_MS});
    struct peer p[4];
    for (int i = 0; i < 4; i++) {
        p[i] = join(c, "127.0.0.1");
        if (i < 2)
            clients_set(c, p[i].client, CLIENT_STREAMS);
    }
    for (int i = 0; i < 4; i++)
        assert_int_equal(is_ended_within(&p[i], 0), i == 2);
    for (int i = 0; i < 4; i++)
        leave(c, &p[i]);
    clients_destroy(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_request_that_is_not_whole_in_time_ends_its_connection_and_no_other),
        cmocka_unit_test(test_an_answer_that_is_not_taken_in_time_ends_its_connection),
        cmocka_unit_test(test_the_one_that_waited_longest_makes_room),
        cmocka_unit_test(test_one_address_takes_nothing_from_another),
        cmocka_unit_test(test_streams_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
