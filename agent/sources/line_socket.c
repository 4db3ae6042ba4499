#include "agent/sources/line_socket.h"

#include "lib/mem.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

struct client {
    int fd; /* -1 = free */
    size_t length;
    int64_t heard_mono_ms;
    char line[LINE_SOCKET_BYTES_MAX];
};

struct line_socket {
    const struct clock *clock;
    char *path;
    int fd;
    struct client *clients[LINE_SOCKET_CLIENTS_MAX]; /* NULL = none */
};

static bool is_listened_on(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool is_answered = fd >= 0 && connect(fd, (const struct sockaddr *)address, sizeof *address) == 0;
    if (fd >= 0)
        close(fd);
    return is_answered;
}

static enum status listen_on(struct line_socket *s, struct error *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct stat there;
    if (strlen(s->path) >= sizeof address.sun_path)
        return error_set(err, ST_INVALID, "%s: the path of a socket has at most %zu bytes", s->path,
            sizeof address.sun_path - 1);
    strcpy(address.sun_path, s->path);
    if (lstat(s->path, &there) == 0) {
        if (!S_ISSOCK(there.st_mode))
            return error_set(err, ST_INVALID, "%s is there and no socket; it is left alone", s->path);
        if (is_listened_on(&address))
            return error_set(err, ST_UNREACHABLE, "%s is in use by another process", s->path);
        unlink(s->path);
    }
    s->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    /* Its mode before anybody can connect: nobody can before it listens. */
    if (s->fd < 0 || bind(s->fd, (const struct sockaddr *)&address, sizeof address) != 0 ||
        chmod(s->path, 0660) != 0 || listen(s->fd, LINE_SOCKET_CLIENTS_MAX) != 0)
        return error_set(err, ST_UNREACHABLE, "%s: %s", s->path, strerror(errno));
    return ST_OK;
}

enum status line_socket_open(
    const char *path, const struct clock *clock, struct line_socket **ret, struct error *err)
{
    struct line_socket *s = mem_zalloc(sizeof *s);
    s->clock = clock;
    s->path = mem_strdup(path);
    s->fd = -1;
    enum status status = listen_on(s, err);
    if (status == ST_OK) {
        *ret = s;
        return ST_OK;
    }
    if (s->fd >= 0)
        close(s->fd);
    free(s->path);
    free(s);
    return status;
}

static void hang_up(struct line_socket *s, size_t i)
{
    close(s->clients[i]->fd);
    free(s->clients[i]);
    s->clients[i] = NULL;
}

void line_socket_close(struct line_socket *s)
{
    if (s == NULL)
        return;
    for (size_t i = 0; i < LINE_SOCKET_CLIENTS_MAX; i++)
        if (s->clients[i] != NULL)
            hang_up(s, i);
    unlink(s->path);
    close(s->fd);
    free(s->path);
    free(s);
}

size_t line_socket_polls(struct line_socket *s, struct pollfd *ret)
{
    size_t count = 0;
    ret[count++] = (struct pollfd){.fd = s->fd, .events = POLLIN};
    for (size_t i = 0; i < LINE_SOCKET_CLIENTS_MAX; i++)
        if (s->clients[i] != NULL)
            ret[count++] = (struct pollfd){.fd = s->clients[i]->fd, .events = POLLIN};
    return count;
}

static void accept_one(struct line_socket *s)
{
    int fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    size_t i = 0;
    while (i < LINE_SOCKET_CLIENTS_MAX && s->clients[i] != NULL)
        i++;
    if (fd < 0)
        return;
    if (i == LINE_SOCKET_CLIENTS_MAX) {
        close(fd);
        return;
    }
    s->clients[i] = mem_alloc(sizeof *s->clients[i]);
    s->clients[i]->fd = fd;
    s->clients[i]->length = 0;
    s->clients[i]->heard_mono_ms = s->clock->mono_ms();
}

/* False where it must be hung up on. */
static bool answer_lines(struct client *c, void *user_data,
    void (*on_line)(void *user_data, struct span line, struct buf *ret_answer))
{
    char *at = c->line, *end = c->line + c->length, *feed;
    bool is_good = true;
    while (is_good && (feed = memchr(at, '\n', (size_t)(end - at))) != NULL) {
        struct buf answer = {0};
        on_line(user_data, (struct span){at, (size_t)(feed - at)}, &answer);
        buf_add_char(&answer, '\n');
        is_good = send(c->fd, answer.data, answer.len, MSG_NOSIGNAL) == (ssize_t)answer.len;
        buf_release(&answer);
        at = feed + 1;
    }
    c->length = (size_t)(end - at);
    memmove(c->line, at, c->length);
    return is_good && c->length < LINE_SOCKET_BYTES_MAX;
}

static bool read_some(struct client *c, void *user_data,
    void (*on_line)(void *user_data, struct span line, struct buf *ret_answer))
{
    ssize_t got = recv(c->fd, c->line + c->length, LINE_SOCKET_BYTES_MAX - c->length, 0);
    if (got <= 0)
        return got < 0 && (errno == EAGAIN || errno == EINTR);
    c->length += (size_t)got;
    return answer_lines(c, user_data, on_line);
}

static bool is_readable(const struct pollfd *polls, size_t count, int fd)
{
    for (size_t i = 0; i < count; i++)
        if (polls[i].fd == fd)
            return polls[i].revents != 0;
    return false;
}

void line_socket_turn(struct line_socket *s, const struct pollfd *polls, size_t count, void *user_data,
    void (*on_line)(void *user_data, struct span line, struct buf *ret_answer))
{
    for (size_t i = 0; i < LINE_SOCKET_CLIENTS_MAX; i++) {
        struct client *c = s->clients[i];
        if (c == NULL)
            continue;
        int64_t now = s->clock->mono_ms();
        if (is_readable(polls, count, c->fd)) {
            c->heard_mono_ms = now;
            if (!read_some(c, user_data, on_line))
                hang_up(s, i);
        } else if (now - c->heard_mono_ms > LINE_SOCKET_IDLE_MS) {
            hang_up(s, i);
        }
    }
    if (is_readable(polls, count, s->fd))
        accept_one(s);
}
