/*
 * From the spool to the collector: cuts a backlog into batches, publishes them as far as the window allows, tells the
 * gateway's `state`, and takes acknowledgements. Belongs to the deliver thread, and owns its MQTT client.
 */
#pragma once

#include "agent/deliver/announce.h"
#include "agent/deliver/spool.h"
#include "agent/deliver/window.h"
#include "lib/mqtt.h"

struct deliver_options;

struct sender {
    const struct clock *clock;
    struct spool *spool;
    struct mqtt *mqtt;
    struct window window;
    char up_topic[ID_MAX + 32], ack_topic[ID_MAX + 32];
    uint64_t session;
    struct announce announce;
    int64_t silent_since_mono_ms;
    int64_t blocked_until_mono_ms; /* 0 = not */
    struct complaint silence, strange_ack, too_large;
};

/* The spool is borrowed. The callbacks run on the MQTT client's threads. */
void sender_init(struct sender *s, const struct deliver_options *options, struct spool *spool,
    void *user_data, void (*on_message)(void *user_data, const struct mqtt_message *message),
    void (*on_event)(void *user_data));
void sender_release(struct sender *s);

/* Keeps the connection, or makes it; returns when to call it again though nothing happened. */
int64_t sender_connect(struct sender *s);
/* Is there a session? From any thread. */
bool sender_is_ready(const struct sender *s);
/* How many batches may be cut now, and how large. */
int64_t sender_room(const struct sender *s);
size_t sender_payload_max(const struct sender *s);
/* A commit changed the spool. */
void sender_refresh(struct sender *s, const struct spool_state *state);

/* ST_STORAGE: the spool could not be read. An acknowledgement that is not for this spool is ignored, with a complaint.
 */
enum status sender_take_ack(struct sender *s, const struct ack *ack, bool is_stored, struct error *err);
/* Obeys a refusal that came too early, when it is due. True when it did. */
bool sender_tick(struct sender *s);
/* Cuts what waits in the spool, where the window has room. *ret_is_cut: it changed the spool. */
enum status sender_cut_backlog(struct sender *s, bool *ret_is_cut, struct error *err);
/* Publishes what is due. ST_STORAGE: the spool could not be read; all else is tried again. */
enum status sender_publish(struct sender *s, struct error *err);
/* When sender_tick or sender_publish has something to do although nothing happened; INT64_MAX = never. */
int64_t sender_due(const struct sender *s);
void sender_say_goodbye(struct sender *s);
