#include "collector/control.h"

#include "collector/access/here.h"
#include "lib/clock.h"
#include "lib/file.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "lib/thread.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define REQUEST_MS 5000      /* within which a request must be whole, and again an answer be taken */
#define ACCEPT_PAUSE_MS 1000 /* where nobody can be taken in: no descriptor is left, say */

struct control {
    const struct control_command *commands;
    size_t count;
    void *user_data;
    char *path;
    int listener, stopper;
    pthread_t thread;
};

/* ---- the address ---- */

static enum status address_of(const char *database, struct sockaddr_un *ret, struct error *err)
{
    char *real = file_real_path(database), *path = mem_printf("%s.socket", real);
    enum status status = ST_OK;
    *ret = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (strlen(path) < sizeof ret->sun_path)
        memcpy(ret->sun_path, path, strlen(path));
    else
        status = error_set(err, ST_INVALID,
            "%s: a socket's name is too long with %zu bytes; expected at most %zu: give the database a "
            "shorter path",
            path, strlen(path), sizeof ret->sun_path - 1);
    free(path);
    free(real);
    return status;
}

/* ---- the collector's side ---- */

/* False: it is asked to stop, or the time is over. */
static bool wait_for(const struct control *c, int fd, short events, int64_t until_mono_ms)
{
    struct pollfd waits[] = {{.fd = fd, .events = events}, {.fd = c->stopper, .events = POLLIN}};
    int64_t left_ms = until_mono_ms - clock_system.mono_ms();
    return left_ms > 0 && poll(waits, 2, (int)left_ms) > 0 && waits[1].revents == 0;
}

static bool has_line(const struct buf *line, size_t from)
{
    return line->len > from && memchr(line->data + from, '\n', line->len - from) != NULL;
}

/* Up to CONTROL_REQUEST_MAX: more is not read. */
static bool read_line(const struct control *c, int fd, struct buf *line)
{
    int64_t until_mono_ms = clock_system.mono_ms() + REQUEST_MS;
    char piece[16384];
    for (size_t before = 0; line->len < CONTROL_REQUEST_MAX && !has_line(line, before);) {
        ssize_t n = wait_for(c, fd, POLLIN, until_mono_ms) ? recv(fd, piece, sizeof piece, MSG_DONTWAIT) : -1;
        if (n <= 0)
            return false;
        before = line->len;
        buf_add(line, piece, (size_t)n);
    }
    return true;
}

static void write_all(const struct control *c, int fd, const char *text, size_t len)
{
    int64_t until_mono_ms = clock_system.mono_ms() + REQUEST_MS;
    while (len > 0 && wait_for(c, fd, POLLOUT, until_mono_ms)) {
        ssize_t n = send(fd, text, len, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n <= 0)
            return;
        text += n;
        len -= (size_t)n;
    }
}

static bool is_name(const char *text)
{
    struct span s = span_of(text);
    return s.len > 0 && s.len <= CONTROL_WHO_MAX && text_is_utf8(s) && !text_has_control(s);
}

static enum status perform(
    const struct control *c, const json_t *asked, uid_t user, struct buf *text, struct error *err)
{
    const char *name = json_string_value(json_object_get(asked, "command"));
    const json_t *who = json_object_get(asked, "who"), *preview = json_object_get(asked, "preview");
    struct control_request request = {
        .is_preview = json_is_true(preview), .body = json_object_get(asked, "body")};
    const struct control_command *command = NULL;
    for (size_t i = 0; i < c->count && name != NULL; i++)
        if (strcmp(c->commands[i].name, name) == 0)
            command = &c->commands[i];
    if (!json_is_object(asked))
        return error_set(err, ST_PROTOCOL, "the request is no JSON object; expected one, on one line");
    if (command == NULL || !json_is_object(request.body))
        return error_set(
            err, ST_PROTOCOL, "this collector does not know this command: is the program another version?");
    if (!json_is_boolean(preview)) /* what is not done for sure is not done */
        return error_set(err, ST_PROTOCOL, "preview: expected true or false");
    if (json_is_string(who) && !is_name(json_string_value(who)))
        return error_set(err, ST_INVALID, "who is not a text of 1 to %d bytes", CONTROL_WHO_MAX);
    char *user_name = access_name_of(user);
    char *full = json_is_string(who) ? mem_printf("%s (%s)", json_string_value(who), user_name)
                                     : mem_strdup(user_name);
    request.who = full;
    enum status status = command->run(c->user_data, &request, text, err);
    free(full);
    free(user_name);
    return status;
}

static enum status take(
    const struct control *c, const struct buf *line, uid_t user, struct buf *text, struct error *err)
{
    if (line->len > CONTROL_REQUEST_MAX || !has_line(line, 0))
        return error_set(
            err, ST_PROTOCOL, "the request is too large; expected at most %d bytes", CONTROL_REQUEST_MAX);
    json_t *asked = json_loadb(line->data, line->len, JSON_REJECT_DUPLICATES, NULL);
    enum status status = perform(c, asked, user, text, err);
    json_decref(asked);
    return status;
}

static void answer(const struct control *c, int fd)
{
    struct ucred peer;
    socklen_t size = sizeof peer;
    struct buf line = {0}, text = {0};
    struct error err = {""};
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
        (peer.uid == geteuid() || peer.uid == 0) && read_line(c, fd, &line)) {
        enum status status = take(c, &line, peer.uid, &text, &err);
        char *said = json_text(json_pack("{s:s, s:s}", "status", status_name(status), "text",
            status != ST_OK     ? err.text
            : text.data != NULL ? text.data
                                : ""));
        write_all(c, fd, said, strlen(said));
        free(said);
    }
    buf_release(&text);
    buf_release(&line);
    close(fd);
}

static void *serve(void *argument)
{
    const struct control *c = argument;
    for (;;) {
        struct pollfd waits[] = {{.fd = c->listener, .events = POLLIN}, {.fd = c->stopper, .events = POLLIN}};
        if (poll(waits, 2, -1) < 0 && errno != EINTR)
            break;
        if (waits[1].revents != 0)
            break;
        int fd = waits[0].revents != 0 ? accept4(c->listener, NULL, NULL, SOCK_CLOEXEC) : -1;
        if (fd >= 0)
            answer(c, fd);
        else if (waits[0].revents != 0 && errno != EINTR && poll(&waits[1], 1, ACCEPT_PAUSE_MS) > 0)
            break; /* the listener stays readable: without a pause this would go round */
    }
    return NULL;
}

/* The mode is that of the name from its first instant: it is set before there is one. */
static enum status listen_at(const struct sockaddr_un *address, int *ret, struct error *err)
{
    struct stat about;
    const char *path = address->sun_path;
    if (lstat(path, &about) == 0 && !S_ISSOCK(about.st_mode))
        return error_set(err, ST_INVALID, "%s is no socket; expected one, or nothing", path);
    unlink(path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && fchmod(fd, 0600) == 0 &&
        bind(fd, (const struct sockaddr *)address, sizeof *address) == 0 && listen(fd, 8) == 0) {
        *ret = fd;
        return ST_OK;
    }
    int why = errno;
    if (fd >= 0)
        close(fd);
    return error_set(err, ST_UNREACHABLE, "cannot listen at %s: %s", path, strerror(why));
}

enum status control_start(const char *database, const struct control_command *commands, size_t count,
    void *user_data, struct control **ret, struct error *err)
{
    struct sockaddr_un address;
    int listener = -1;
    enum status status = address_of(database, &address, err);
    if (status == ST_OK)
        status = listen_at(&address, &listener, err);
    if (status != ST_OK)
        return status;
    struct control *c = mem_alloc(sizeof *c);
    *c = (struct control){.commands = commands,
        .count = count,
        .user_data = user_data,
        .path = mem_strdup(address.sun_path),
        .listener = listener,
        .stopper = eventfd(0, EFD_CLOEXEC)};
    thread_start(&c->thread, serve, c);
    *ret = c;
    return ST_OK;
}

void control_stop(struct control *c)
{
    if (c == NULL)
        return;
    eventfd_write(c->stopper, 1);
    pthread_join(c->thread, NULL);
    unlink(c->path);
    close(c->listener);
    close(c->stopper);
    free(c->path);
    free(c);
}

/* ---- the command's side ---- */

static enum status connect_to(const char *database, int *ret, struct error *err)
{
    struct sockaddr_un address;
    enum status status = address_of(database, &address, err);
    if (status != ST_OK)
        return error_set(err, ST_UNREACHABLE, "%s", err->text);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof address) == 0) {
        *ret = fd;
        return ST_OK;
    }
    status =
        error_set(err, ST_UNREACHABLE, "no collector answers at %s: %s", address.sun_path, strerror(errno));
    if (fd >= 0)
        close(fd);
    return status;
}

static enum status read_answer(const char *line, size_t len, char **ret_text, struct error *err)
{
    static const enum status all[] = {
        ST_OK, ST_TIMEOUT, ST_UNREACHABLE, ST_PROTOCOL, ST_INVALID, ST_FULL, ST_STORAGE};
    enum status status = ST_PROTOCOL;
    const char *word, *text;
    json_t *said = json_loadb(line, len, 0, NULL);
    if (json_unpack(said, "{s:s, s:s}", "status", &word, "text", &text) != 0) {
        json_decref(said);
        return error_set(
            err, ST_PROTOCOL, "the collector ended before it answered; look whether it was done");
    }
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (strcmp(status_name(all[i]), word) == 0)
            status = all[i];
    if (status == ST_OK)
        *ret_text = mem_strdup(text);
    else
        error_set(err, status, "%s", text);
    json_decref(said);
    return status;
}

enum status control_ask(const char *database, const char *command, const char *who, bool is_preview,
    json_t *body, bool *ret_is_there, char **ret_text, struct error *err)
{
    int fd = -1;
    char piece[4096];
    struct buf line = {0};
    char *asked = json_text(json_pack(
        "{s:s, s:s?, s:b, s:o}", "command", command, "who", who, "preview", (int)is_preview, "body", body));
    enum status status = connect_to(database, &fd, err);
    *ret_is_there = status == ST_OK;
    if (status == ST_OK) {
        /* It answers what is too large before it has read it all. */
        ssize_t n = send(fd, asked, strlen(asked), MSG_NOSIGNAL);
        if (n >= 0)
            send(fd, "\n", 1, MSG_NOSIGNAL);
        while ((n = recv(fd, piece, sizeof piece, 0)) > 0)
            buf_add(&line, piece, (size_t)n);
        close(fd);
        status = read_answer(line.data ? line.data : "", line.len, ret_text, err);
    }
    buf_release(&line);
    free(asked);
    return status;
}
