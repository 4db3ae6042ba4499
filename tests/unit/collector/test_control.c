/* collector/control.h: requests of commands to a running collector, by its socket. */
#include "collector/control.h"
#include "lib/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <poll.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static char folder[] = "/tmp/parkmon-test-control-XXXXXX";

static enum status echo(
    void *user_data, const struct control_request *request, struct buf *text, struct error *err)
{
    int64_t number = json_integer_value(json_object_get(request->body, "number"));
    if (number < 0)
        return error_set(err, ST_INVALID, "%lld is below 0", (long long)number);
    buf_printf(text, "%s: %lld by %s%s\n", (const char *)user_data, (long long)number, request->who,
        request->is_preview ? ", preview" : "");
    return ST_OK;
}

static const struct control_command commands[] = {{"echo", echo}};

static struct control *start(const char *database)
{
    static char name[] = "here";
    struct control *c;
    struct error err;
    if (control_start(database, commands, 1, name, &c, &err) != ST_OK)
        fail_msg("%s", err.text);
    return c;
}

struct said {
    bool is_there;
    enum status status;
    char *text;
    struct error err;
};

static struct said ask(const char *database, const char *command, const char *who, int number)
{
    struct said said = {.err = {""}};
    said.status = control_ask(database, command, who, number == 7, json_pack("{s:i}", "number", number),
        &said.is_there, &said.text, &said.err);
    return said;
}

static void test_what_is_asked_is_answered_and_the_kernel_says_who(void **state)
{
    (void)state;
    char *database = mem_printf("%s/a.db", folder);
    struct control *c = start(database);
    struct passwd *me = getpwuid(getuid());
    char *full = mem_printf("here: 7 by Anna (user %s), preview\n", me->pw_name);
    struct said said = ask(database, "echo", "Anna", 7);
    assert_int_equal(said.status, ST_OK);
    assert_string_equal(said.text, full);
    free(said.text);
    free(full);
    full = mem_printf("here: 0 by user %s\n", me->pw_name);
    said = ask(database, "echo", NULL, 0);
    assert_string_equal(said.text, full);
    free(said.text);
    free(full);
    said = ask(database, "echo", NULL, -1);
    assert_int_equal(said.status, ST_INVALID);
    assert_string_equal(said.err.text, "-1 is below 0");
    said = ask(database, "echo", "a\nb", 1);
    assert_int_equal(said.status, ST_INVALID);
    said = ask(database, "dance", NULL, 1);
    assert_int_equal(said.status, ST_PROTOCOL);
    control_stop(c);
    free(database);
}

static void test_the_socket_is_its_owners_alone_and_goes_with_the_collector(void **state)
{
    (void)state;
    struct stat about;
    char *database = mem_printf("%s/b.db", folder), *path = mem_printf("%s.socket", database);
    mode_t before = umask(0);
    struct control *c = start(database);
    umask(before);
    assert_int_equal(stat(path, &about), 0);
    assert_int_equal(about.st_mode & 07777, 0600);
    control_stop(c);
    assert_int_not_equal(stat(path, &about), 0);
    assert_false(ask(database, "echo", NULL, 1).is_there);
    free(path);
    free(database);
}

static void test_a_socket_that_a_killed_one_left_is_replaced_and_nothing_else(void **state)
{
    (void)state;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct control *c;
    struct error err;
    char *database = mem_printf("%s/c.db", folder);
    snprintf(address.sun_path, sizeof address.sun_path, "%s.socket", database);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    close(fd);
    struct said said = ask(database, "echo", NULL, 1);
    assert_false(said.is_there);
    assert_int_equal(said.status, ST_UNREACHABLE);
    c = start(database);
    said = ask(database, "echo", NULL, 1);
    assert_int_equal(said.status, ST_OK);
    free(said.text);
    control_stop(c);
    fclose(fopen(address.sun_path, "w"));
    assert_int_equal(control_start(database, commands, 1, NULL, &c, &err), ST_INVALID);
    assert_non_null(strstr(err.text, "is no socket"));
    free(database);
}

static void test_a_name_that_is_too_long_is_said(void **state)
{
    (void)state;
    struct control *c;
    struct error err;
    char name[120] = "";
    memset(name, 'x', sizeof name - 1);
    char *database = mem_printf("%s/%s.db", folder, name);
    assert_int_equal(control_start(database, commands, 1, NULL, &c, &err), ST_INVALID);
    assert_non_null(strstr(err.text, "expected at most 107"));
    struct said said = ask(database, "echo", NULL, 1);
    assert_false(said.is_there);
    free(database);
}

/* Whoever connects and says nothing, nonsense, or no end, keeps nobody waiting for ever. */
static void test_who_hangs_up_or_says_nonsense_stands_in_no_ones_way(void **state)
{
    (void)state;
    static const char *const nonsense[] = {"", "\n", "[]\n", "{\"command\": 1}\n",
        "{\"command\": \"echo\"}\n", "{\"command\": \"echo\", \"preview\": true, \"body\": []}\n",
        "{\"command\": \"echo\", \"body\": {}}\n",
        "{\"command\": \"echo\", \"preview\": \"yes\", \"body\": {}}\n",
        "{\"command\": \"echo\", \"preview\": 1, \"body\": {}}\n"};
    char *database = mem_printf("%s/d.db", folder);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct control *c = start(database);
    snprintf(address.sun_path, sizeof address.sun_path, "%s.socket", database);
    for (size_t i = 0; i < sizeof nonsense / sizeof nonsense[0]; i++) {
        int fd = socket(AF_UNIX, SOCK_STREAM, 0);
        char answer[512] = "";
        assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
        assert_int_equal(send(fd, nonsense[i], strlen(nonsense[i]), 0), strlen(nonsense[i]));
        if (i == 0)
            shutdown(fd, SHUT_WR);
        ssize_t n = recv(fd, answer, sizeof answer - 1, MSG_WAITALL);
        assert_int_equal(n > 0, i > 0);
        assert_true(i == 0 || strstr(answer, "\"status\":\"protocol\"") != NULL);
        close(fd);
    }
    struct said said = ask(database, "echo", NULL, 1);
    assert_int_equal(said.status, ST_OK);
    free(said.text);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0); /* one that says nothing does not hold up the end */
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    control_stop(c);
    close(fd);
    free(database);
}

/* The time is that of the whole request: a byte now and then does not prolong it. */
static void test_who_sends_a_byte_now_and_then_is_cut_off(void **state)
{
    (void)state;
    char *database = mem_printf("%s/f.db", folder);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct control *c = start(database);
    snprintf(address.sun_path, sizeof address.sun_path, "%s.socket", database);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0), sent = 0;
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    struct pollfd cut = {.fd = fd, .events = POLLIN};
    while (sent < 60 && send(fd, " ", 1, MSG_NOSIGNAL) == 1 && poll(&cut, 1, 250) == 0)
        sent++;
    assert_in_range(sent, 4, 59);
    close(fd);
    struct said said = ask(database, "echo", NULL, 1);
    assert_int_equal(said.status, ST_OK);
    free(said.text);
    control_stop(c);
    free(database);
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) != NULL ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    char *command = mem_printf("rm -rf '%s'", folder);
    int code = system(command);
    free(command);
    return code;
}

/* What is too large, or no JSON, is said so; what a closing of a large park needs is neither. */
static void test_a_large_request_is_taken_and_one_beyond_the_limit_told(void **state)
{
    (void)state;
    char *database = mem_printf("%s/e.db", folder), *text = mem_zalloc(CONTROL_REQUEST_MAX + 1);
    struct control *c = start(database);
    struct said said = {.err = {""}};
    memset(text, 'x', CONTROL_REQUEST_MAX);
    for (int i = 0; i < 2; i++) {
        const char *some = i == 0 ? text + 200 : text;
        json_t *body = json_pack("{s:i, s:s}", "number", 1, "text", some);
        said.status = control_ask(database, "echo", NULL, false, body, &said.is_there, &said.text, &said.err);
        assert_int_equal(said.status, i == 0 ? ST_OK : ST_PROTOCOL);
    }
    free(said.text);
    assert_non_null(strstr(said.err.text, "the request is too large; expected at most 6292480 bytes"));
    control_stop(c);
    free(text);
    free(database);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_asked_is_answered_and_the_kernel_says_who),
        cmocka_unit_test(test_the_socket_is_its_owners_alone_and_goes_with_the_collector),
        cmocka_unit_test(test_a_socket_that_a_killed_one_left_is_replaced_and_nothing_else),
        cmocka_unit_test(test_a_name_that_is_too_long_is_said),
        cmocka_unit_test(test_a_large_request_is_taken_and_one_beyond_the_limit_told),
        cmocka_unit_test(test_who_sends_a_byte_now_and_then_is_cut_off),
        cmocka_unit_test(test_who_hangs_up_or_says_nonsense_stands_in_no_ones_way),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
