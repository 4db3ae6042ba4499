/*
 * An MQTT 5 client over Paho's asynchronous library (MQTTCLIENT_PERSISTENCE_NONE, clean start, session expiry
 * 0): what must survive is in our own spool and journal, never in the client library.
 *
 * Threads: one thread owns a `struct mqtt` and calls every function here, holding no lock that a callback
 * takes. The callbacks run on the library's threads: they must only copy and return, and must not call
 * anything here. Either may be NULL.
 */
#pragma once

#include "lib/line.h"
#include "lib/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mqtt;

struct mqtt_message {
    struct span topic;
    struct span payload;
    bool is_retained; /* sent by the broker from its store, not live */
};

struct mqtt_options {
    const char *host;
    int port;
    const char *client_id;
    const char *user;     /* NULL = anonymous */
    const char *password; /* NULL = none; never logged */
    int keep_alive_s;
    const char *will_topic; /* NULL = no will; a will is retained, QoS 1 */
    const char *will_payload;
    const char *const *subscriptions; /* NULL-terminated topic filters, QoS 1 */
    int session_s; /* so long the broker keeps what was sent to an absent client; 0: nothing, as described above */
    int retry_min_ms, retry_max_ms; /* wait before the next try, doubling; 0 = 1 s and 60 s */
    void *user_data;
    /* A message arrived. The spans are valid during the call only. */
    void (*on_message)(void *user_data, const struct mqtt_message *message);
    /* Something changed (connected, lost, failed, room for waiting messages, the last one confirmed): the
     * owner should call mqtt_tick soon. */
    void (*on_event)(void *user_data);
};

enum mqtt_state {
    MQTT_DOWN,  /* not connected; mqtt_tick tries again with back-off and jitter */
    MQTT_READY, /* connected, and every subscription is acknowledged */
};

/* Everything in `options` is copied. Does not connect. */
struct mqtt *mqtt_create(const struct mqtt_options *options);
/* Disconnects (publishing nothing; at most 2 s) and frees; no callback runs afterwards. Accepts NULL. */
void mqtt_destroy(struct mqtt *m);

/* Starts and restarts connecting as needed, logs changes of state, complaints with back-off. Never blocks on
 * the network. Returns the monotonic time at which it wants to be called again, INT64_MAX = only after an
 * event. After a takeover by another client with the same id it waits the longest time, and at least a minute. */
int64_t mqtt_tick(struct mqtt *m, int64_t now_mono_ms);
enum mqtt_state mqtt_state(const struct mqtt *m);
/* Counts up with every READY: a caller that sees another number starts over from its lowest unacknowledged
 * message. */
uint64_t mqtt_session(const struct mqtt *m);
/* Largest payload that fits the broker's maximum packet size with 1 KiB to spare; BATCH_BYTES_MAX or less. */
size_t mqtt_payload_max(const struct mqtt *m);

/* Takes a copy of a QoS 1 message and sends it, in order, as soon as the broker's receive maximum allows
 * (then with mqtt_tick). It is forgotten when the session ends. ST_UNREACHABLE when not READY, ST_FULL with
 * 1024 unconfirmed messages or when the library refuses, ST_INVALID beyond mqtt_payload_max; nothing is kept
 * then. A denied publish (reason 135) becomes a complaint that names the topic, and a line when it is allowed again.
 * expiry_s 0 = none. */
enum status mqtt_publish(struct mqtt *m, const char *topic, struct span payload, bool is_retained,
    int expiry_s, struct error *err);
/* Messages taken and not yet confirmed by PUBACK (flow control only: it proves nothing about storage). */
int mqtt_unconfirmed(const struct mqtt *m);
/* Did the broker refuse the last message to this topic that it answered? */
bool mqtt_denies(const struct mqtt *m, const char *topic);
