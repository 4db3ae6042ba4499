/* A listener with made-up pages and state, and a client that speaks by bytes that we write ourselves. */
#pragma once

#include "collector/web/context.h"
#include "tests/unit/collector/made_up.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define ANSWER_MAX (256 * 1024)
#define WAIT_MS 10000

static char database[96], assets[80];
static struct snapshot_box *box;
static const struct clock *web_clock; /* NULL = the machine's */
static struct board_box *board_box;   /* NULL = none, unless a test sets it before the listener starts */
static struct web *web;
static int64_t heartbeat_age_ms;
/* Of the listeners started from now on; 0 = as in the program, NULL = none. */
static int request_ms;
static enum status (*decide)(
    void *user_data, const struct deciding *request, struct deciding_effect *ret, struct error *err);

static inline int64_t heartbeat(void *user_data)
{
    (void)user_data;
    return clock_system.mono_ms() - heartbeat_age_ms;
}

static inline void put_file(const char *name, const char *text)
{
    char path[160];
    snprintf(path, sizeof path, "%s/%s", assets, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static inline enum status start(
    const char *address, int port, const char *database_path, struct web **ret, struct error *err)
{
    struct web_options options = {.address = address,
        .port = port,
        .assets = assets,
        .database_path = database_path,
        .box = box,
        .board = board_box,
        .clock = web_clock,
        .park = park,
        .request_ms = request_ms,
        .decide = decide,
        .core_heartbeat_mono_ms = heartbeat};
    return web_start(&options, ret, err);
}

static inline int load(void **state)
{
    made_up_set_up(state);
    snprintf(database, sizeof database, "%s/collector.db", made_up_folder);
    snprintf(assets, sizeof assets, "%s/web", made_up_folder);
    assert_int_equal(mkdir(assets, 0755), 0);
    put_file("ops_frame.html", "<!doctype html><title>page</title><!--content-->");
    put_file("ops_overview.html", "<p>overview</p>");
    put_file("ops.js", "'use strict';");
    put_file("secret.txt", "not for the web");
    put_file(".hidden.js", "not for the web");
    char link[160];
    snprintf(link, sizeof link, "%s/link.js", assets);
    assert_int_equal(symlink("/etc/passwd", link), 0);
    box = snapshot_box_create();
    struct error err;
    assert_int_equal(start("127.0.0.1", 0, database, &web, &err), ST_OK);
    return 0;
}

static inline int unload(void **state)
{
    web_stop(web);
    snapshot_box_destroy(box);
    return made_up_tear_down(state);
}

static inline void publish(uint64_t number)
{
    const struct made_up_reading readings[] = {
        {"gw1", "b1-main", READING_REGISTER, .count = 123456789, .age_ms = 500},
        {"gw1", "b1-main.power", READING_GAUGE, .value = 41230.5, .age_ms = 500},
        {"gw1", "b9.unknown", READING_GAUGE, .value = 1}};
    struct snapshot *s = made_up_snapshot(park, readings, 3, clock_system.wall_ms());
    s->number = number;
    snapshot_publish(box, s);
}

/* ---- a client ---- */

/* From 127.0.0.`last`. */
static inline int dial_from(unsigned last)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK - 1 + last)};
    assert_int_equal(bind(fd, (struct sockaddr *)&own, sizeof own), 0);
    struct sockaddr_in at = {.sin_family = AF_INET,
        .sin_port = htons((uint16_t)web_port(web)),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
    return fd;
}

static inline int dial(void)
{
    return dial_from(1);
}

static inline void say(int fd, const char *text, size_t len)
{
    assert_int_equal(send(fd, text, len, MSG_NOSIGNAL), (ssize_t)len);
}

/* Reads until `mark` was seen, or to the end of the connection where it is NULL; the caller frees. */
static inline char *hear(int fd, const char *mark)
{
    char *text = mem_zalloc(ANSWER_MAX + 1);
    size_t len = 0;
    int64_t deadline_ms = clock_system.mono_ms() + WAIT_MS;
    while (!mark || !strstr(text, mark)) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        int64_t left_ms = deadline_ms - clock_system.mono_ms();
        if (left_ms <= 0 || poll(&p, 1, (int)left_ms) <= 0)
            fail_msg("no answer; so far: %s", text);
        assert_true(len < ANSWER_MAX);
        ssize_t n = recv(fd, text + len, ANSWER_MAX - len, 0);
        if (n <= 0)
            break;
        len += (size_t)n;
    }
    return text;
}

static inline char *ask_bytes(const char *request, size_t len)
{
    int fd = dial();
    say(fd, request, len);
    char *answer = hear(fd, NULL);
    close(fd);
    return answer;
}

static inline char *ask(const char *method, const char *path, const char *headers)
{
    char *request =
        mem_printf("%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n%s\r\n", method, path, headers);
    char *answer = ask_bytes(request, strlen(request));
    free(request);
    return answer;
}

static inline int code_of(const char *answer)
{
    int code = 0;
    assert_int_equal(sscanf(answer, "HTTP/1.1 %d ", &code), 1);
    return code;
}

static inline json_t *json_of(const char *answer)
{
    const char *body = strstr(answer, "\r\n\r\n");
    assert_non_null(body);
    json_t *json = json_loads(body + 4, 0, NULL);
    assert_non_null(json);
    return json;
}

static inline json_t *get_json(const char *path, int code)
{
    char *answer = ask("GET", path, "");
    assert_int_equal(code_of(answer), code);
    json_t *json = json_of(answer);
    free(answer);
    return json;
}

static inline void expect(char *answer, int code, const char *word)
{
    if (code_of(answer) != code || !strstr(answer, word))
        fail_msg("expected %d and \"%s\", got: %s", code, word, answer);
    free(answer);
}
