#include "collector/web/stream.h"

#include "lib/clock.h"
#include "lib/mem.h"
#include "lib/thread.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static const char heartbeat[] = ":\n\n";

/* Shared by the streams that are reading it; touched by their thread alone. */
struct event {
    char *text;
    size_t len;
    int references;
};

struct stream {
    struct stream_hub *hub;
    struct stream *next;
    void *connection;
    bool is_suspended;
    bool has_begun;
    uint64_t generation, beat; /* the last ones seen */
    uint64_t call;             /* the last that it was woken for */
    struct event *event;       /* being sent, from `sent` on; NULL = none */
    size_t sent;
    size_t beat_sent; /* of the heartbeat */
};

struct stream_hub {
    struct stream_hub_options options;
    pthread_t thread;
    pthread_mutex_t mutex; /* around all that follows, but for `event` */
    pthread_cond_t cond;
    bool is_published, is_stopping;
    uint64_t generation, beat;
    uint64_t call; /* grows with each of both: the streams are woken, portion by portion */
    int64_t next_event_mono_ms, next_beat_mono_ms;
    int64_t next_portion_mono_ms; /* INT64_MAX = all are woken */
    struct stream *streams;
    int count;
    struct event *event; /* of event_generation */
    uint64_t event_generation;
};

static void resume_all(struct stream_hub *hub)
{
    for (struct stream *s = hub->streams; s; s = s->next)
        if (s->is_suspended) {
            s->is_suspended = false;
            hub->options.resume(s->connection);
        }
}

static void call_all(struct stream_hub *hub)
{
    hub->call++;
    if (hub->next_portion_mono_ms == INT64_MAX)
        hub->next_portion_mono_ms = clock_system.mono_ms();
}

static void resume_portion(struct stream_hub *hub)
{
    int count = 0;
    struct stream *s = hub->streams;
    for (; s != NULL && count < STREAM_PORTION; s = s->next)
        if (s->is_suspended && s->call != hub->call) {
            s->call = hub->call;
            s->is_suspended = false;
            hub->options.resume(s->connection);
            count++;
        }
    hub->next_portion_mono_ms = s != NULL ? clock_system.mono_ms() + STREAM_PORTION_MS : INT64_MAX;
}

/* Decides when readers have something to read. */
static void *run(void *argument)
{
    struct stream_hub *hub = argument;
    pthread_mutex_lock(&hub->mutex);
    while (!hub->is_stopping) {
        int64_t now_ms = clock_system.mono_ms();
        if (hub->is_published && now_ms >= hub->next_event_mono_ms) {
            hub->is_published = false;
            hub->generation++;
            hub->next_event_mono_ms = now_ms + STREAM_INTERVAL_MS;
            call_all(hub);
        }
        if (now_ms >= hub->next_beat_mono_ms) {
            hub->beat++;
            hub->next_beat_mono_ms = now_ms + STREAM_HEARTBEAT_MS;
            /* Ages and health move on where nothing is published: that, too, must be seen. */
            if (now_ms >= hub->next_event_mono_ms + STREAM_HEARTBEAT_MS - STREAM_INTERVAL_MS)
                hub->is_published = true;
            call_all(hub);
            continue;
        }
        if (now_ms >= hub->next_portion_mono_ms) {
            resume_portion(hub);
            continue;
        }
        int64_t deadline_ms = hub->next_beat_mono_ms;
        if (hub->next_portion_mono_ms < deadline_ms)
            deadline_ms = hub->next_portion_mono_ms;
        if (hub->is_published && hub->next_event_mono_ms < deadline_ms)
            deadline_ms = hub->next_event_mono_ms;
        thread_wait_until(&hub->cond, &hub->mutex, deadline_ms);
    }
    resume_all(hub);
    pthread_mutex_unlock(&hub->mutex);
    return NULL;
}

struct stream_hub *stream_hub_create(const struct stream_hub_options *options)
{
    struct stream_hub *hub = mem_zalloc(sizeof *hub);
    hub->options = *options;
    hub->next_beat_mono_ms = clock_system.mono_ms() + STREAM_HEARTBEAT_MS;
    hub->next_portion_mono_ms = INT64_MAX;
    pthread_mutex_init(&hub->mutex, NULL);
    thread_cond_init(&hub->cond);
    thread_start(&hub->thread, run, hub);
    return hub;
}

void stream_hub_stop(struct stream_hub *hub)
{
    pthread_mutex_lock(&hub->mutex);
    hub->is_stopping = true;
    pthread_cond_signal(&hub->cond);
    pthread_mutex_unlock(&hub->mutex);
    pthread_join(hub->thread, NULL);
}

static void event_put(struct event *event)
{
    if (!event || --event->references > 0)
        return;
    free(event->text);
    free(event);
}

void stream_hub_destroy(struct stream_hub *hub)
{
    if (!hub)
        return;
    event_put(hub->event);
    pthread_cond_destroy(&hub->cond);
    pthread_mutex_destroy(&hub->mutex);
    free(hub);
}

void stream_hub_wake(struct stream_hub *hub)
{
    pthread_mutex_lock(&hub->mutex);
    hub->is_published = true;
    pthread_cond_signal(&hub->cond);
    pthread_mutex_unlock(&hub->mutex);
}

int stream_hub_count(struct stream_hub *hub)
{
    pthread_mutex_lock(&hub->mutex);
    int count = hub->count;
    pthread_mutex_unlock(&hub->mutex);
    return count;
}

struct stream *stream_open(struct stream_hub *hub, void *connection)
{
    pthread_mutex_lock(&hub->mutex);
    if (hub->count >= STREAMS_MAX || hub->is_stopping) {
        pthread_mutex_unlock(&hub->mutex);
        return NULL;
    }
    struct stream *s = mem_zalloc(sizeof *s);
    *s = (struct stream){.hub = hub,
        .next = hub->streams,
        .connection = connection,
        .generation = hub->generation,
        .beat = hub->beat,
        .call = hub->call,
        .beat_sent = sizeof heartbeat - 1};
    hub->streams = s;
    hub->count++;
    pthread_mutex_unlock(&hub->mutex);
    return s;
}

void stream_close(struct stream *stream)
{
    struct stream_hub *hub = stream->hub;
    pthread_mutex_lock(&hub->mutex);
    for (struct stream **link = &hub->streams; *link; link = &(*link)->next)
        if (*link == stream) {
            *link = stream->next;
            hub->count--;
            break;
        }
    pthread_mutex_unlock(&hub->mutex);
    event_put(stream->event);
    free(stream);
}

static struct event *event_make(const struct stream_hub *hub)
{
    char *text = hub->options.make_event(hub->options.user_data);
    if (!text)
        return NULL;
    struct event *event = mem_zalloc(sizeof *event);
    *event = (struct event){text, strlen(text), 1};
    return event;
}

/* The event of a generation, with a reference: made once, however many read it. Not under the mutex: making
 * one takes the snapshot, whose publisher calls stream_hub_wake. */
static struct event *event_get(struct stream_hub *hub, uint64_t generation)
{
    if (hub->event_generation != generation) {
        event_put(hub->event);
        hub->event = event_make(hub);
        hub->event_generation = generation;
    }
    if (hub->event)
        hub->event->references++;
    return hub->event;
}

static ssize_t send_part(const char *text, size_t len, size_t *sent, char *data, size_t max)
{
    size_t part = len - *sent < max ? len - *sent : max;
    memcpy(data, text + *sent, part);
    *sent += part;
    return (ssize_t)part;
}

/* What a stream has to send next; nothing means that it was suspended. */
enum due { DUE_END, DUE_EVENT, DUE_BEAT, DUE_NOTHING };

static enum due find_due(struct stream *s)
{
    struct stream_hub *hub = s->hub;
    enum due due = DUE_NOTHING;
    pthread_mutex_lock(&hub->mutex);
    if (hub->is_stopping) {
        due = DUE_END;
    } else if (s->generation != hub->generation) {
        s->generation = hub->generation;
        due = DUE_EVENT;
    } else if (s->beat != hub->beat) {
        s->beat = hub->beat;
        due = DUE_BEAT;
    } else {
        /* Under the mutex, so that a wake cannot slip in between looking and suspending. */
        s->is_suspended = true;
        hub->options.suspend(s->connection);
    }
    pthread_mutex_unlock(&hub->mutex);
    return due;
}

ssize_t stream_read(struct stream *s, char *data, size_t max)
{
    if (!s->has_begun) { /* the cached event may be old: a newcomer gets the state of now */
        s->has_begun = true;
        s->event = event_make(s->hub);
    }
    for (;;) {
        if (s->event) {
            if (s->sent < s->event->len)
                return send_part(s->event->text, s->event->len, &s->sent, data, max);
            event_put(s->event);
            s->event = NULL;
        }
        if (s->beat_sent < sizeof heartbeat - 1)
            return send_part(heartbeat, sizeof heartbeat - 1, &s->beat_sent, data, max);
        switch (find_due(s)) {
        case DUE_END:
            return -1;
        case DUE_EVENT:
            s->event = event_get(s->hub, s->generation);
            s->sent = 0;
            break;
        case DUE_BEAT:
            s->beat_sent = 0;
            break;
        case DUE_NOTHING:
            return 0;
        }
    }
}
