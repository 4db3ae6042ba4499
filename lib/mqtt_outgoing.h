/*
 * The messages that an MQTT client took and the broker has not confirmed, in the order in which they came: some are
 * with the library, the others wait for room there. Knows nothing of the library, and has no lock.
 */
#pragma once

#include "lib/line.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mqtt_outgoing {
    uintptr_t ticket; /* by which it is found again */
    char *topic;
    char *payload;
    size_t len;
    bool is_retained;
    bool is_sent; /* with the library */
    int expiry_s;
    struct mqtt_outgoing *next;
};

/* Zeroed = empty, and nothing may be sent. */
struct mqtt_outgoing_list {
    struct mqtt_outgoing *first;
    int sent, sent_max;
};

/* Copies; it waits behind all others. */
void mqtt_outgoing_add(struct mqtt_outgoing_list *list, uintptr_t ticket, const char *topic,
    struct span payload, bool is_retained, int expiry_s);
/* The next one that waits, marked as sent; NULL where there is none, or no room for it. */
struct mqtt_outgoing *mqtt_outgoing_next(struct mqtt_outgoing_list *list);
/* Takes it out, whether sent or not; NULL where it is not there. The caller frees it. */
struct mqtt_outgoing *mqtt_outgoing_take(struct mqtt_outgoing_list *list, uintptr_t ticket);
void mqtt_outgoing_free(struct mqtt_outgoing *o); /* accepts NULL */
/* Forgets all of them; sent_max stays. */
void mqtt_outgoing_clear(struct mqtt_outgoing_list *list);
