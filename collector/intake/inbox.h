/*
 * Messages on their way from the MQTT library's thread to the core thread: a bounded queue, with a quota for
 * each gateway, so that one that floods takes nothing from the others: at most INBOX_GATEWAY_BYTES_MAX, and
 * never more than what is still free for the rest, so that n that flood leave a part in n + 1. What is over a
 * quota is discarded unparsed, as if it had never arrived: its sender is not acknowledged and sends it again.
 */
#pragma once

#include "lib/id.h"
#include "lib/mqtt.h"

#include <stdbool.h>
#include <stdint.h>

#define INBOX_BYTES_MAX (16 * 1024 * 1024)
#define INBOX_GATEWAY_BYTES_MAX (2 * 1024 * 1024)

enum inbox_topic { INBOX_UP, INBOX_STATE };

struct inbox_message {
    struct inbox_message *next;
    enum inbox_topic topic;
    char gateway[ID_MAX + 1];
    bool is_retained;
    int64_t received_ms; /* UTC */
    size_t len;
    char payload[]; /* NUL-terminated */
};

struct inbox;

struct inbox *inbox_create(void);
void inbox_destroy(struct inbox *b); /* accepts NULL */
/* Any thread; copies, never blocks. Messages of other topics are ignored. */
void inbox_put(struct inbox *b, const struct mqtt_message *message, int64_t now_ms);
/* Ends every wait, now and from now on. Any thread. */
void inbox_close(struct inbox *b);
/* Wakes inbox_wait without a message. Any thread. */
void inbox_wake(struct inbox *b);
/* Waits until a message is there, inbox_wake was called, or the deadline passed. Core thread. */
void inbox_wait(struct inbox *b, int64_t deadline_mono_ms);
/* Waits until the deadline or inbox_close, whatever wakes it, as long as less than `bytes` are here. Core
 * thread. */
void inbox_pause(struct inbox *b, int64_t deadline_mono_ms, size_t bytes);
/* The oldest message, whose memory is the caller's (free), or NULL. Core thread. */
struct inbox_message *inbox_take(struct inbox *b);
/* A gateway of which something was discarded since this was last asked of it, and how many bytes; false: of none.
 * Core thread. */
bool inbox_take_discarded(struct inbox *b, char ret_gateway[static ID_MAX + 1], int64_t *ret_bytes);
/* Bytes discarded since start. */
int64_t inbox_discarded_bytes(struct inbox *b);
