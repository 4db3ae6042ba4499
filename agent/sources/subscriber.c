#include "agent/sources/subscriber.h"

#include "lib/file.h"
#include "lib/log.h"
#include "lib/mem.h"

#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define KEEP_ALIVE_S 30
#define PATIENCE_MAX_MS 60000

struct subscriber {
    const struct clock *clock;
    struct mqtt *mqtt;
    char *name;
    int wake_fd;

    pthread_mutex_t lock;
    struct incoming *first, **end;
    size_t count, bytes;
    uint64_t thrown_away, too_large; /* since the last look */

    struct complaint crowded, large;
};

static const struct conf_key link_keys[] = {
    {"host", CONF_STRING, offsetof(struct link_settings, host), .fallback = "127.0.0.1", .min = 1, .max = 255,
        .help = "name or address of the broker that the devices publish to"},
    {"port", CONF_INT, offsetof(struct link_settings, port), .fallback = "1883", .min = 1, .max = 65535,
        .help = "its TCP port"},
    {"user", CONF_STRING, offsetof(struct link_settings, user), .min = 1, .max = 255,
        .help = "user name there, of this source's own; absent = none"},
    {"password_file", CONF_PATH, offsetof(struct link_settings, password_file),
        .help = "file with the password, not readable by others; absent = no password"},
    {"retry", CONF_SECONDS, offsetof(struct link_settings, retry_max_ms), .fallback = "60", .min = 1000,
        .max = 3600000, .help = "longest wait between two attempts to connect; they begin with 1 s"},
    {0}};

const struct conf_section link_section = {.name = "source's broker",
    .size = sizeof(struct link_settings),
    .keys = link_keys,
    .has_where = true,
    .where_offset = offsetof(struct link_settings, where)};

void subscriber_wake(struct subscriber *s)
{
    const uint64_t one = 1;
    /* It fails only where the count is at its end, and then it is readable. */
    ssize_t written = write(s->wake_fd, &one, sizeof one);
    (void)written;
}

static void on_event(void *user_data)
{
    subscriber_wake(user_data);
}

static struct incoming *copy_message(const struct mqtt_message *message)
{
    struct incoming *copy = mem_alloc(sizeof *copy + message->topic.len + message->payload.len + 2);
    char *topic = (char *)(copy + 1), *payload = topic + message->topic.len + 1;
    memcpy(topic, message->topic.at, message->topic.len);
    topic[message->topic.len] = '\0';
    if (message->payload.len > 0)
        memcpy(payload, message->payload.at, message->payload.len);
    payload[message->payload.len] = '\0';
    *copy = (struct incoming){NULL, topic, {payload, message->payload.len}, message->is_retained};
    return copy;
}

static size_t weight(const struct incoming *message)
{
    return sizeof *message + strlen(message->topic) + message->payload.len;
}

static void on_message(void *user_data, const struct mqtt_message *message)
{
    struct subscriber *s = user_data;
    pthread_mutex_lock(&s->lock);
    if (message->payload.len > SUBSCRIBER_PAYLOAD_MAX) {
        s->too_large++;
    } else if (s->count == SUBSCRIBER_WAITING_MAX || s->bytes + message->payload.len > SUBSCRIBER_BYTES_MAX) {
        s->thrown_away++;
    } else {
        struct incoming *copy = copy_message(message);
        *s->end = copy;
        s->end = &copy->next;
        s->count++;
        s->bytes += weight(copy);
    }
    pthread_mutex_unlock(&s->lock);
    subscriber_wake(s);
}

enum status subscriber_create(
    const struct subscriber_options *options, struct subscriber **ret, struct error *err)
{
    const struct link_settings *link = options->link;
    char *password = NULL;
    if (link->password_file != NULL) {
        enum status status = file_read_secret(link->password_file, &password, err);
        if (status != ST_OK)
            return status;
    }
    struct subscriber *s = mem_zalloc(sizeof *s);
    s->clock = options->clock;
    s->name = mem_strdup(options->source);
    s->end = &s->first;
    s->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (s->wake_fd < 0)
        abort();
    pthread_mutex_init(&s->lock, NULL);
    char *client_id = mem_printf("park-%s-%s", options->gateway, options->source);
    struct mqtt_options mqtt = {.host = link->host,
        .port = (int)link->port,
        .client_id = client_id,
        .user = link->user,
        .password = password,
        .keep_alive_s = KEEP_ALIVE_S,
        .subscriptions = options->topics,
        .session_s = options->session_s,
        .retry_max_ms = (int)link->retry_max_ms,
        .user_data = s,
        .on_message = on_message,
        .on_event = on_event};
    s->mqtt = mqtt_create(&mqtt);
    free(client_id);
    free(password);
    *ret = s;
    return ST_OK;
}

void subscriber_destroy(struct subscriber *s)
{
    if (s == NULL)
        return;
    mqtt_destroy(s->mqtt);
    for (struct incoming *next, *message = s->first; message != NULL; message = next) {
        next = message->next;
        free(message);
    }
    close(s->wake_fd);
    pthread_mutex_destroy(&s->lock);
    free(s->name);
    free(s);
}

static void tell_lost(struct subscriber *s)
{
    pthread_mutex_lock(&s->lock);
    uint64_t thrown_away = s->thrown_away, too_large = s->too_large;
    s->thrown_away = s->too_large = 0;
    pthread_mutex_unlock(&s->lock);
    int64_t now = s->clock->mono_ms();
    if (thrown_away > 0)
        complain(&s->crowded, now, LOG_LEVEL_ERROR, "source",
            "%s: %llu messages were thrown away: they come faster than they can be taken; at most %d wait",
            s->name, (unsigned long long)thrown_away, SUBSCRIBER_WAITING_MAX);
    if (too_large > 0)
        complain(&s->large, now, LOG_LEVEL_WARN, "source",
            "%s: %llu messages of more than %d bytes were ignored", s->name, (unsigned long long)too_large,
            SUBSCRIBER_PAYLOAD_MAX);
}

int64_t subscriber_tick(struct subscriber *s)
{
    tell_lost(s);
    return mqtt_tick(s->mqtt, s->clock->mono_ms());
}

bool subscriber_is_ready(const struct subscriber *s)
{
    return mqtt_state(s->mqtt) == MQTT_READY;
}

struct incoming *subscriber_take(struct subscriber *s)
{
    uint64_t count;
    ssize_t got = read(s->wake_fd, &count, sizeof count);
    (void)got; /* nothing to clear: EAGAIN */
    pthread_mutex_lock(&s->lock);
    struct incoming *message = s->first;
    if (message != NULL) {
        s->first = message->next;
        if (s->first == NULL)
            s->end = &s->first;
        s->count--;
        s->bytes -= weight(message);
    }
    pthread_mutex_unlock(&s->lock);
    return message;
}

void subscriber_publish(struct subscriber *s, const char *topic, const char *text)
{
    mqtt_publish(s->mqtt, topic, span_of(text), false, 0, NULL);
}

int subscriber_descriptor(const struct subscriber *s)
{
    return s->wake_fd;
}

int subscriber_patience(const struct clock *clock, int64_t deadline_mono_ms)
{
    int64_t left = deadline_mono_ms == INT64_MAX ? PATIENCE_MAX_MS : deadline_mono_ms - clock->mono_ms();
    return left < 0 ? 0 : left > PATIENCE_MAX_MS ? PATIENCE_MAX_MS : (int)left;
}

void subscriber_wait(struct subscriber *s, int64_t deadline_mono_ms)
{
    struct pollfd wake = {.fd = s->wake_fd, .events = POLLIN};
    poll(&wake, 1, subscriber_patience(s->clock, deadline_mono_ms));
}
