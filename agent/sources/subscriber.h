/*
 * A source's own connection to a broker: what arrives is copied into a bounded queue, from which the source's thread
 * takes it. Beyond the bounds messages are thrown away, and told: memory stays what it is.
 *
 * Belongs to the source's thread; create it before, destroy it after.
 */
#pragma once

#include "lib/clock.h"
#include "lib/conf.h"
#include "lib/mqtt.h"

#include <stdatomic.h>

#define SUBSCRIBER_PAYLOAD_MAX 65536
#define SUBSCRIBER_WAITING_MAX 4096            /* messages */
#define SUBSCRIBER_BYTES_MAX (2 * 1024 * 1024) /* of them */

struct link_settings {
    struct conf_where where;
    char *host;
    int64_t port;
    char *user;
    char *password_file;
    int64_t retry_max_ms;
};
extern const struct conf_section link_section;

/* Owned by whoever took it: free() the message alone. */
struct incoming {
    struct incoming *next;
    char *topic;
    struct span payload; /* followed by a NUL */
    bool is_retained;
};

struct subscriber;

struct subscriber_options {
    const struct link_settings *link;
    const char *gateway, *source; /* their names make the client's id: park-<gateway>-<source> */
    const char *const *topics;    /* NULL-terminated filters */
    int session_s;                /* as of struct mqtt_options */
    const struct clock *clock;
};

/* Reads the password; does not connect. Options are copied, but the clock. */
enum status subscriber_create(
    const struct subscriber_options *options, struct subscriber **ret, struct error *err);
void subscriber_destroy(struct subscriber *s); /* accepts NULL */

/* Keeps the connection; returns when to call it again though nothing happened. */
int64_t subscriber_tick(struct subscriber *s);
/* Is it connected, with its subscriptions acknowledged, so that what is said there is heard? */
bool subscriber_is_ready(const struct subscriber *s);
/* The next message; NULL = none waits. */
struct incoming *subscriber_take(struct subscriber *s);
/* Not retained, and lost where the broker is away. */
void subscriber_publish(struct subscriber *s, const char *topic, const char *text);
/* A descriptor that can be read when something happened; subscriber_take clears it. */
int subscriber_descriptor(const struct subscriber *s);
/* Makes it readable; any thread. */
void subscriber_wake(struct subscriber *s);
/* Waits for it, or for the deadline of clock->mono_ms. */
void subscriber_wait(struct subscriber *s, int64_t deadline_mono_ms);
/* Milliseconds for poll(2) up to a deadline. */
int subscriber_patience(const struct clock *clock, int64_t deadline_mono_ms);
