/* lib/http_client against a small server of plain sockets in a forked child. */
#include "lib/clock.h"
#include "lib/http_client.h"
#include "lib/thread.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static pid_t server_pid;
static int server_port;
static char base_url[64];

/* ---- the server: answers by path, on one connection after the other ---- */

static void say(int fd, const char *text)
{
    if (write(fd, text, strlen(text)) < 0)
        _exit(1);
}

static void say_body(int fd, const char *head, const char *body, size_t len)
{
    char text[256];
    snprintf(text, sizeof text, "%sContent-Length: %zu\r\n\r\n", head, len);
    say(fd, text);
    for (size_t sent = 0; sent < len;) {
        ssize_t part = write(fd, body + sent, len - sent);
        if (part <= 0)
            return;
        sent += (size_t)part;
    }
}

/* Reads one request, head and body; false at the end of the connection. */
static bool read_request(int fd, char *text, size_t size)
{
    size_t len = 0, needed = size;
    while (len < needed && len < size - 1) {
        ssize_t got = read(fd, text + len, size - 1 - len);
        if (got <= 0)
            return false;
        len += (size_t)got;
        text[len] = '\0';
        char *end = strstr(text, "\r\n\r\n"), *length = strstr(text, "Content-Length: ");
        if (end != NULL)
            needed = (size_t)(end + 4 - text) + (length != NULL ? strtoul(length + 16, NULL, 10) : 0);
    }
    return true;
}

static void serve_connection(int fd, int connection)
{
    static char request[2 << 20];
    static char large[3 << 20];
    while (read_request(fd, request, sizeof request)) {
        char path[64] = "";
        sscanf(request, "%*s %63s", path);
        if (strcmp(path, "/echo") == 0 || strncmp(path, "http:", 5) == 0) { /* the latter: as a proxy */
            say_body(fd, "HTTP/1.1 200 OK\r\n", request, strlen(request));
        } else if (strcmp(path, "/connection") == 0) {
            char text[16];
            snprintf(text, sizeof text, "%d", connection);
            say_body(fd, "HTTP/1.1 200 OK\r\n", text, strlen(text));
        } else if (strcmp(path, "/large") == 0) {
            memset(large, 'x', sizeof large);
            say_body(fd, "HTTP/1.1 200 OK\r\n", large, sizeof large);
        } else if (strcmp(path, "/busy") == 0) {
            say_body(fd, "HTTP/1.1 503 Busy\r\nretry-after: 17\r\n", "later", 5);
        } else if (strcmp(path, "/until") == 0 || strcmp(path, "/past") == 0) {
            char head[128];
            time_t then = time(NULL) + (path[1] == 'u' ? 90 : -90);
            strftime(head, sizeof head, "HTTP/1.1 503 Busy\r\nRetry-After: %a, %d %b %Y %T GMT\r\n",
                gmtime(&then));
            say_body(fd, head, "later", 5);
        } else if (strcmp(path, "/moved") == 0) {
            say_body(fd, "HTTP/1.1 302 Found\r\nLocation: /echo\r\n", "", 0);
        } else if (strcmp(path, "/nothing") == 0) {
            say(fd, "HTTP/1.1 204 No Content\r\n\r\n");
        } else if (strcmp(path, "/partial") == 0) {
            say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart");
            return;
        } else if (strcmp(path, "/silent") != 0) {
            return;
        }
    }
}

static int start_server(void **state)
{
    (void)state;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    if (bind(listener, (struct sockaddr *)&address, size) != 0 || listen(listener, 5) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &size) != 0)
        return -1;
    server_port = ntohs(address.sin_port);
    snprintf(base_url, sizeof base_url, "http://127.0.0.1:%d/", server_port);
    server_pid = fork();
    for (int connection = 1; server_pid == 0; connection++) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        signal(SIGPIPE, SIG_IGN);
        int fd = accept(listener, NULL, NULL);
        serve_connection(fd, connection);
        close(fd);
    }
    close(listener);
    return server_pid > 0 ? 0 : -1;
}

static int stop_server(void **state)
{
    (void)state;
    kill(server_pid, SIGKILL);
    waitpid(server_pid, NULL, 0);
    return 0;
}

static struct http_client *new_client(int timeout_ms)
{
    return http_client_create(
        &(struct http_client_options){.url = base_url, .connect_timeout_ms = 2000, .timeout_ms = timeout_ms});
}

/* ---- tests ---- */

static void test_a_post_carries_its_type_body_and_credentials_and_nothing_that_delays_it(void **state)
{
    (void)state;
    struct http_client *c = http_client_create(&(struct http_client_options){.url = base_url,
        .user = "park",
        .password = "s:cret",
        .connect_timeout_ms = 2000,
        .timeout_ms = 5000});
    struct http_answer answer = {0};
    static char body[1200 * 1024]; /* beyond 1 MiB curl would ask first */
    memset(body, 'b', sizeof body);
    assert_int_equal(
        http_post(c, "/echo", "text/plain", (struct span){body, sizeof body}, &answer, NULL), ST_OK);
    assert_int_equal(answer.code, 200);
    assert_int_equal(strncmp(answer.body.data, "POST /echo HTTP/1.1\r\n", 21), 0);
    assert_non_null(strstr(answer.body.data, "\r\nContent-Type: text/plain\r\n"));
    assert_non_null(strstr(answer.body.data, "\r\nContent-Length: 1228800\r\n"));
    assert_non_null(strstr(answer.body.data, "\r\nAuthorization: Basic cGFyazpzOmNyZXQ=\r\n"));
    assert_null(strstr(answer.body.data, "Expect"));
    const char *echoed = strstr(answer.body.data, "\r\n\r\n") + 4;
    assert_memory_equal(echoed, body, (size_t)(answer.body.data + answer.body.len - echoed));

    assert_int_equal(http_get(c, "/echo", &answer, NULL), ST_OK);
    assert_int_equal(strncmp(answer.body.data, "GET /echo HTTP/1.1\r\n", 20), 0);
    assert_null(strstr(answer.body.data, "Content-"));
    buf_release(&answer.body);
    http_client_destroy(c);
}

static void test_any_code_is_an_answer_and_a_redirection_is_not_followed(void **state)
{
    (void)state;
    struct http_client *c = new_client(5000);
    struct http_answer answer = {0};
    assert_int_equal(http_get(c, "/busy", &answer, NULL), ST_OK);
    assert_int_equal(answer.code, 503);
    assert_int_equal(answer.retry_after_s, 17);
    assert_string_equal(answer.body.data, "later");
    assert_int_equal(http_get(c, "/until", &answer, NULL), ST_OK);
    assert_in_range(answer.retry_after_s, 60, 90);
    assert_int_equal(http_get(c, "/past", &answer, NULL), ST_OK);
    assert_int_equal(answer.retry_after_s, 0);
    assert_int_equal(http_post(c, "/nothing", "text/plain", SPAN(""), &answer, NULL), ST_OK);
    assert_int_equal(answer.code, 204);
    assert_int_equal(answer.retry_after_s, 0);
    assert_int_equal(answer.body.len, 0);
    assert_int_equal(http_get(c, "/moved", &answer, NULL), ST_OK);
    assert_int_equal(answer.code, 302);
    buf_release(&answer.body);
    http_client_destroy(c);
}

static void test_a_large_answer_is_cut_and_the_connection_kept(void **state)
{
    (void)state;
    struct http_client *c = new_client(10000);
    struct http_answer answer = {0};
    assert_int_equal(http_get(c, "/connection", &answer, NULL), ST_OK);
    assert_string_equal(answer.body.data, "1");
    assert_int_equal(http_get(c, "/large", &answer, NULL), ST_OK);
    assert_int_equal(answer.body.len, 1 << 20);
    assert_int_equal(http_get(c, "/connection", &answer, NULL), ST_OK);
    assert_string_equal(answer.body.data, "1");
    buf_release(&answer.body);
    http_client_destroy(c);
}

static void test_silence_is_a_timeout_and_a_broken_answer_is_none(void **state)
{
    (void)state;
    struct http_client *c = new_client(300);
    struct http_answer answer = {0};
    struct error err = {""};
    int64_t start = clock_system.mono_ms();
    assert_int_equal(http_get(c, "/silent", &answer, &err), ST_TIMEOUT);
    assert_in_range(clock_system.mono_ms() - start, 250, 3000);
    assert_non_null(strstr(err.text, "http://127.0.0.1:"));
    assert_int_equal(http_get(c, "/partial", &answer, &err), ST_UNREACHABLE);
    assert_int_equal(answer.body.len, 0);
    assert_int_equal(answer.code, 0);
    assert_int_equal(http_get(c, "/hangup", &answer, &err), ST_UNREACHABLE);
    assert_int_equal(http_get(c, "/connection", &answer, &err), ST_OK);
    buf_release(&answer.body);
    http_client_destroy(c);
}

static void test_a_closed_port_is_unreachable_even_where_a_proxy_is_configured(void **state)
{
    (void)state;
    setenv("http_proxy", base_url, 1); /* the server would answer for anyone */
    struct http_client *c = http_client_create(&(struct http_client_options){
        .url = "http://127.0.0.1:1", .connect_timeout_ms = 2000, .timeout_ms = 2000});
    struct http_answer answer = {0};
    struct error err = {""};
    assert_int_equal(http_get(c, "/echo", &answer, &err), ST_UNREACHABLE);
    assert_non_null(strstr(err.text, "http://127.0.0.1:1: "));
    http_client_destroy(c);
    unsetenv("http_proxy");
    c = http_client_create(
        &(struct http_client_options){.url = "file:///etc", .connect_timeout_ms = 2000, .timeout_ms = 2000});
    assert_int_equal(http_get(c, "/passwd", &answer, &err), ST_UNREACHABLE);
    http_client_destroy(c);
    buf_release(&answer.body);
}

static void *get_silent(void *argument)
{
    struct http_answer answer = {0};
    enum status status = http_get(argument, "/silent", &answer, NULL);
    buf_release(&answer.body);
    return (void *)(intptr_t)status;
}

static void test_a_blocked_call_can_be_cancelled_and_later_ones_are_too(void **state)
{
    (void)state;
    struct http_client *c = new_client(60000);
    pthread_t thread;
    thread_start(&thread, get_silent, c);
    int64_t start = clock_system.mono_ms();
    http_client_cancel(c);
    void *status;
    pthread_join(thread, &status);
    assert_int_equal((intptr_t)status, ST_UNREACHABLE);
    assert_in_range(clock_system.mono_ms() - start, 0, 5000);
    struct http_answer answer = {0};
    struct error err = {""};
    assert_int_equal(http_get(c, "/echo", &answer, &err), ST_UNREACHABLE);
    assert_non_null(strstr(err.text, "cancelled"));
    buf_release(&answer.body);
    http_client_destroy(c);
    http_client_destroy(NULL);
}

static void test_text_is_escaped_for_a_query(void **state)
{
    (void)state;
    struct buf out = {0};
    http_escape(&out, "SELECT \"x\" a+b&c=~-._/\xe4\xba\x91");
    assert_string_equal(out.data, "SELECT%20%22x%22%20a%2Bb%26c%3D~-._%2F%E4%BA%91");
    buf_release(&out);
}

int main(void)
{
    unsetenv("http_proxy");
    unsetenv("no_proxy");
#define TEST(name) cmocka_unit_test_setup_teardown(name, start_server, stop_server)
    const struct CMUnitTest tests[] = {
        TEST(test_a_post_carries_its_type_body_and_credentials_and_nothing_that_delays_it),
        TEST(test_any_code_is_an_answer_and_a_redirection_is_not_followed),
        TEST(test_a_large_answer_is_cut_and_the_connection_kept),
        TEST(test_silence_is_a_timeout_and_a_broken_answer_is_none),
        TEST(test_a_closed_port_is_unreachable_even_where_a_proxy_is_configured),
        TEST(test_a_blocked_call_can_be_cancelled_and_later_ones_are_too),
        TEST(test_text_is_escaped_for_a_query),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
