/*
 * A unix socket on which local programs say lines and get a line for each: bounded in clients, in the length of a line
 * and in what it waits for. Belongs to one thread, which polls its descriptors.
 */
#pragma once

#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/line.h"
#include "lib/status.h"

#include <poll.h>

#define LINE_SOCKET_CLIENTS_MAX 32
#define LINE_SOCKET_BYTES_MAX 4096 /* of a line */
#define LINE_SOCKET_IDLE_MS 600000 /* a client that says nothing for so long is hung up on */
#define LINE_SOCKET_POLLS_MAX (LINE_SOCKET_CLIENTS_MAX + 1)

struct line_socket;

/* For its owner and group. A socket file that nobody listens on is replaced; ST_UNREACHABLE: somebody does. */
enum status line_socket_open(
    const char *path, const struct clock *clock, struct line_socket **ret, struct error *err);
void line_socket_close(struct line_socket *s); /* accepts NULL; removes the file */

/* What to poll: returns how many, at most LINE_SOCKET_POLLS_MAX. */
size_t line_socket_polls(struct line_socket *s, struct pollfd *ret);
/* After poll(2): takes what came. `on_line` appends the answer, without its end, to `ret_answer`. Who does not read its
 * answers, says a line that is too long, or nothing for long, is hung up on. */
void line_socket_turn(struct line_socket *s, const struct pollfd *polls, size_t count, void *user_data,
    void (*on_line)(void *user_data, struct span line, struct buf *ret_answer));
