/* A small server that answers like InfluxDB, by script, and keeps what it accepted. */
#pragma once

#include "lib/buf.h"
#include "lib/thread.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <poll.h>
#include <stdatomic.h>
#include <sys/socket.h>

#define BODY_MAX (4 * 1024 * 1024)
#define HANG (-1)
#define CUT (-2)         /* dies before it wrote anything */
#define CUT_WRITTEN (-3) /* dies when all is written, before it says so */
#define CUT_PARTLY (-4)  /* dies when half of the lines are written */

/* Answers the n-th write (from 0); sets the error text where it wants one. Returns the HTTP code, or one of the
 * above. */
typedef int script(int n, const char *body, const char **ret_error);

struct fake_influx {
    int listener, port;
    int stop[2];
    pthread_t thread;
    script *script;
    int retry_after_s; /* told with every refusal; 0 = nothing */
    atomic_int writes, queries;
    struct buf accepted;      /* of the server's thread; read when it is stopped */
    struct buf query;         /* the last */
    const char *raw_duration; /* of the policy that it has; NULL = for ever */
    int alter_code;           /* what it answers to ALTER; 0 = that it is done */
};

/* False when the connection or the test ends. */
static inline bool wait_readable(struct fake_influx *f, int fd)
{
    struct pollfd fds[] = {{.fd = fd, .events = POLLIN}, {.fd = f->stop[0], .events = POLLIN}};
    return poll(fds, 2, -1) > 0 && fds[1].revents == 0;
}

static inline bool read_request(struct fake_influx *f, int fd, struct buf *request, const char **ret_body)
{
    buf_reset(request);
    for (;;) {
        char chunk[65536];
        if (!wait_readable(f, fd))
            return false;
        ssize_t n = read(fd, chunk, sizeof chunk);
        if (n <= 0 || request->len > BODY_MAX)
            return false;
        buf_add(request, chunk, (size_t)n);
        const char *end = strstr(request->data, "\r\n\r\n");
        const char *length = strcasestr(request->data, "content-length:");
        if (!end || !length)
            continue;
        if (request->len >= (size_t)(end + 4 - request->data) + strtoul(length + 15, NULL, 10)) {
            *ret_body = end + 4;
            return true;
        }
    }
}

static inline void reply(int fd, int code, int retry_after_s, const char *body)
{
    char text[1024], header[64] = "";
    if (retry_after_s > 0)
        snprintf(header, sizeof header, "Retry-After: %d\r\n", retry_after_s);
    int length = snprintf(text, sizeof text, "HTTP/1.1 %d x\r\n%sContent-Length: %zu\r\n\r\n%s", code, header,
        strlen(body), body);
    assert_int_equal(send(fd, text, (size_t)length, MSG_NOSIGNAL), length);
}

static inline bool serve_one(struct fake_influx *f, int fd, struct buf *request)
{
    const char *body;
    if (!read_request(f, fd, request, &body))
        return false;
    if (strncmp(request->data, "POST /query", 11) == 0) {
        f->queries++;
        buf_reset(&f->query);
        buf_add_str(&f->query, body);
        char text[256];
        snprintf(text, sizeof text,
            "{\"results\":[{\"statement_id\":0,\"series\":[{\"columns\":[\"name\",\"duration\"],"
            "\"values\":[[\"autogen\",\"0s\"],[\"raw\",\"%s\"]]}]}]}",
            f->raw_duration ? f->raw_duration : "0s");
        bool is_refused = f->alter_code != 0 && strstr(body, "ALTER") != NULL;
        reply(fd, is_refused ? f->alter_code : 200, 0, is_refused ? "{\"error\":\"not you\"}" : text);
        return true;
    }
    const char *error = NULL;
    int code = f->script(f->writes, body, &error);
    f->writes++;
    if (code == HANG) {
        char byte;
        while (wait_readable(f, fd) && read(fd, &byte, 1) > 0)
            continue;
        return false;
    }
    if (code == 204 || code == CUT_WRITTEN)
        buf_add_str(&f->accepted, body);
    if (code == CUT_PARTLY) {
        const char *half = strchr(body + strlen(body) / 2, '\n');
        buf_add(&f->accepted, body, (size_t)(half + 1 - body));
    }
    if (code < 0)
        return false;
    char text[512] = "";
    if (error)
        snprintf(text, sizeof text, "{\"error\":\"%s\"}", error);
    reply(fd, code, code == 204 ? 0 : f->retry_after_s, text);
    return true;
}

static inline void *serve(void *argument)
{
    struct fake_influx *f = argument;
    struct buf request = {0};
    while (wait_readable(f, f->listener)) {
        int fd = accept(f->listener, NULL, NULL);
        while (serve_one(f, fd, &request))
            continue;
        close(fd);
    }
    buf_release(&request);
    return NULL;
}

static inline void fake_influx_start(struct fake_influx *f, script *answers)
{
    *f = (struct fake_influx){.script = answers, .listener = socket(AF_INET, SOCK_STREAM, 0)};
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    assert_int_equal(bind(f->listener, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(f->listener, 8), 0);
    assert_int_equal(getsockname(f->listener, (struct sockaddr *)&address, &size), 0);
    f->port = ntohs(address.sin_port);
    assert_int_equal(pipe(f->stop), 0);
    thread_start(&f->thread, serve, f);
}

static inline void fake_influx_stop(struct fake_influx *f)
{
    if (f->stop[1] < 0)
        return;
    close(f->stop[1]);
    f->stop[1] = -1;
    pthread_join(f->thread, NULL);
    close(f->stop[0]);
    close(f->listener);
}
