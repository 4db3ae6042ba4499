/*
 * A client of the bench: holds event streams open, and asks for instruments at a steady rate, each request at its time
 * whether or not the one before was answered; what a request waits for its turn counts. Or the reference: a server that
 * answers any request with the same bytes, and does nothing else.
 *
 *   bench_availability PORT STREAMS PER_SECOND SECONDS PATH...   prints JSON; paths are asked by turns
 *   bench_availability --serve BYTES                             prints its port, serves until its standard input ends
 */
#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/mem.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#define ASKERS 32 /* connections that are kept, and used by turns */
#define WARM_UP 0.1

static int64_t now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void die(const char *what)
{
    fprintf(stderr, "bench_availability: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int dial(int port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), yes = 1;
    struct sockaddr_in at = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (fd < 0 || connect(fd, (struct sockaddr *)&at, sizeof at) != 0)
        die("connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    return fd;
}

static void say(int fd, const char *path)
{
    char *request = mem_printf("GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", path);
    if (send(fd, request, strlen(request), MSG_NOSIGNAL) != (ssize_t)strlen(request))
        die("send");
    free(request);
}

/* ---- the reference ---- */

static int serve(size_t bytes)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), all = epoll_create1(EPOLL_CLOEXEC),
        yes = 1;
    if (bind(listener, (struct sockaddr *)&at, sizeof at) != 0 || listen(listener, SOMAXCONN) != 0 ||
        getsockname(listener, (struct sockaddr *)&at, &len) != 0)
        die("listen");
    printf("%d\n", ntohs(at.sin_port));
    fflush(stdout);
    struct buf answer = {0};
    buf_printf(&answer, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", bytes);
    for (size_t i = 0; i < bytes; i++)
        buf_add_char(&answer, 'x');
    const int watched[] = {listener, STDIN_FILENO};
    for (int i = 0; i < 2; i++)
        epoll_ctl(all, EPOLL_CTL_ADD, watched[i], &(struct epoll_event){EPOLLIN, {.fd = watched[i]}});
    for (struct epoll_event e; epoll_wait(all, &e, 1, -1) == 1 && e.data.fd != STDIN_FILENO;) {
        char request[4096];
        if (e.data.fd == listener) {
            int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
            setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
            epoll_ctl(all, EPOLL_CTL_ADD, fd, &(struct epoll_event){EPOLLIN, {.fd = fd}});
        } else if (recv(e.data.fd, request, sizeof request, 0) <= 0) {
            close(e.data.fd);
        } else if (send(e.data.fd, answer.data, answer.len, MSG_NOSIGNAL) != (ssize_t)answer.len) {
            die("send");
        }
    }
    buf_release(&answer);
    return 0;
}

/* ---- the client ---- */

struct link {
    int fd;
    bool is_stream, is_busy;
    int64_t due_us; /* of the request that is under way */
    struct buf answer;
};

struct client {
    int all, port, streams;
    struct link *links; /* ASKERS, then the streams */
    const char *const *paths;
    int path_count;
    int64_t *took_us; /* of each request that was answered */
    int64_t asked, answered, count, late_us;
    int64_t events, stream_bytes, bytes;
};

static void open_links(struct client *c)
{
    c->all = epoll_create1(EPOLL_CLOEXEC);
    c->links = mem_zalloc((size_t)(ASKERS + c->streams) * sizeof *c->links);
    for (int i = 0; i < ASKERS + c->streams; i++) {
        struct link *l = &c->links[i];
        l->fd = dial(c->port);
        l->is_stream = i >= ASKERS;
        epoll_ctl(c->all, EPOLL_CTL_ADD, l->fd, &(struct epoll_event){EPOLLIN, {.ptr = l}});
        if (l->is_stream)
            say(l->fd, "/api/v1/stream");
    }
}

/* The whole answer is there: 200, and a body of its announced length. */
static bool is_whole(const struct buf *answer)
{
    const char *end = answer->len > 0 ? strstr(answer->data, "\r\n\r\n") : NULL;
    const char *length = end != NULL ? strstr(answer->data, "Content-Length: ") : NULL;
    if (end == NULL)
        return false;
    if (strncmp(answer->data, "HTTP/1.1 200", 12) != 0 || length == NULL || length > end) {
        fprintf(stderr, "bench_availability: not an answer: %.300s\n", answer->data);
        exit(1);
    }
    return answer->len >= (size_t)(end + 4 - answer->data) + strtoul(length + 16, NULL, 10);
}

static void read_stream(struct client *c, struct link *l)
{
    char data[65536];
    ssize_t n = recv(l->fd, data, sizeof data, 0);
    if (n <= 0)
        die("a stream ended");
    c->stream_bytes += n;
    for (const char *at = data; (at = memchr(at, 'e', (size_t)(data + n - at))) != NULL; at++)
        c->events += data + n - at > 7 && memcmp(at, "event: ", 7) == 0;
}

static void read_answer(struct client *c, struct link *l)
{
    char data[65536];
    ssize_t n = recv(l->fd, data, sizeof data, 0);
    if (n <= 0)
        die("a connection ended");
    buf_add(&l->answer, data, (size_t)n);
    if (!is_whole(&l->answer))
        return;
    c->took_us[c->answered++] = now_us() - l->due_us;
    c->bytes += (int64_t)l->answer.len;
    l->is_busy = false;
    buf_reset(&l->answer);
}

static void ask(struct client *c, int64_t due_us)
{
    for (int i = 0; i < ASKERS; i++) {
        struct link *l = &c->links[(c->asked + i) % ASKERS];
        if (l->is_busy)
            continue;
        l->is_busy = true;
        l->due_us = due_us;
        say(l->fd, c->paths[c->asked++ % c->path_count]);
        return;
    }
}

static bool has_idle(const struct client *c)
{
    for (int i = 0; i < ASKERS; i++)
        if (!c->links[i].is_busy)
            return true;
    return false;
}

static void run(struct client *c, int64_t per_second)
{
    int64_t began_us = now_us();
    while (c->answered < c->count) {
        int64_t due_us = began_us + c->asked * 1000000 / per_second, now = now_us();
        if (c->asked < c->count && now >= due_us && has_idle(c)) {
            int64_t late_us = now - due_us;
            c->late_us = late_us > c->late_us ? late_us : c->late_us;
            ask(c, due_us);
            continue;
        }
        struct epoll_event events[64];
        struct timespec wait = {0, 100000000};
        if (c->asked < c->count && due_us > now)
            wait.tv_nsec = (due_us - now) * 1000 < 100000000 ? (due_us - now) * 1000 : 100000000;
        int n = epoll_pwait2(c->all, events, 64, &wait, NULL);
        for (int i = 0; i < n; i++) {
            struct link *l = events[i].data.ptr;
            (l->is_stream ? read_stream : read_answer)(c, l);
        }
        if (now - began_us > 600 * INT64_C(1000000))
            die("the answers do not come");
    }
}

static int by_size(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static double at_ms(const struct client *c, double share)
{
    return (double)c->took_us[(int64_t)((double)(c->count - 1) * share)] / 1000;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--serve") == 0)
        return serve(strtoul(argv[2], NULL, 10));
    if (argc < 6)
        return 64;
    struct client c = {.port = atoi(argv[1]),
        .streams = atoi(argv[2]),
        .paths = (const char *const *)argv + 5,
        .path_count = argc - 5};
    int64_t per_second = atoll(argv[3]), all = per_second * atoll(argv[4]);
    open_links(&c);
    /* First a part that does not count: caches fill, and the streams get the state of now. */
    c.count = (int64_t)((double)all * WARM_UP);
    c.took_us = mem_zalloc((size_t)(all + c.count) * sizeof *c.took_us);
    run(&c, per_second);
    c = (struct client){.all = c.all,
        .port = c.port,
        .streams = c.streams,
        .links = c.links,
        .paths = c.paths,
        .path_count = c.path_count,
        .took_us = c.took_us,
        .count = all};
    int64_t began_us = now_us();
    run(&c, per_second);
    double seconds = (double)(now_us() - began_us) / 1000000;
    qsort(c.took_us, (size_t)c.count, sizeof *c.took_us, by_size);
    printf("{\"requests\":%lld,\"per_second\":%.1f,\"p50_ms\":%.3f,\"p99_ms\":%.3f,\"p999_ms\":%.3f,\"max_"
           "ms\":%.3f,"
           "\"events\":%lld,\"stream_bytes\":%lld,\"mean_bytes\":%lld}\n",
        (long long)c.count, (double)c.count / seconds, at_ms(&c, 0.5), at_ms(&c, 0.99), at_ms(&c, 0.999),
        at_ms(&c, 1), (long long)c.events, (long long)c.stream_bytes, (long long)(c.bytes / c.count));
    return 0;
}
