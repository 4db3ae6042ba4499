/*
 * Server-sent events: every published snapshot, as fast as it comes but at most twice a second; where none
 * is, the state of then at every heartbeat. A reader that is slow misses events, never delays or costs more
 * than the one event that it is reading. Knows nothing of the HTTP library: that suspends a connection that
 * has nothing to send, and resumes it, through two functions.
 *
 * Source of the format: WHATWG HTML, "Server-sent events".
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define STREAMS_MAX 448
#define STREAM_INTERVAL_MS 500
/* So many streams are woken at once, and so far apart: all of them at once would keep the listener's one thread from
 * everybody else's requests. */
#define STREAM_PORTION 16
#define STREAM_PORTION_MS 5
#define STREAM_HEARTBEAT_MS (15 * 1000)

struct stream_hub;
struct stream;

struct stream_hub_options {
    void *user_data;
    /* The whole event ("event: ...\n\n") of the newest state, from malloc; NULL = nothing yet. On the
     * reader's thread. */
    char *(*make_event)(void *user_data);
    /* Neither may block or call anything here. `resume` runs on any thread. */
    void (*suspend)(void *connection);
    void (*resume)(void *connection);
};

struct stream_hub *stream_hub_create(const struct stream_hub_options *options);
/* Ends: every stream is resumed and reads -1 from now on. The streams themselves are closed by their owner.
 */
void stream_hub_stop(struct stream_hub *hub);
void stream_hub_destroy(struct stream_hub *hub); /* after the last stream_close; accepts NULL */
/* A new state is there. Any thread; never blocks long. */
void stream_hub_wake(struct stream_hub *hub);
int stream_hub_count(struct stream_hub *hub);

/* One thread opens, reads and closes all streams of a hub. NULL: there are STREAMS_MAX already, or the hub
 * has stopped. */
struct stream *stream_open(struct stream_hub *hub, void *connection);
/* Up to `max` bytes that are due; 0: nothing is, and the connection was suspended; -1: the end. */
ssize_t stream_read(struct stream *stream, char *data, size_t max);
void stream_close(struct stream *stream);
