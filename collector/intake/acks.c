#include "collector/intake/acks.h"

#include "lib/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REFUSAL_MS 1000

void acks_release(struct acks *a)
{
    free(a->items);
    *a = (struct acks){0};
}

static struct acks_gateway *find(struct acks *a, const char *gateway)
{
    for (size_t i = 0; i < a->count; i++)
        if (strcmp(a->items[i].gateway, gateway) == 0)
            return &a->items[i];
    MEM_GROW(a->items, a->count, a->capacity);
    struct acks_gateway *g = &a->items[a->count++];
    *g = (struct acks_gateway){0};
    snprintf(g->gateway, sizeof g->gateway, "%s", gateway);
    return g;
}

void acks_note(struct acks *a, const char *gateway, const struct ack *ack)
{
    struct acks_gateway *g = find(a, gateway);
    bool is_moved = ack->epoch != g->ack.epoch || ack->seq != g->ack.seq;
    if (ack->is_refusal) {
        g->is_refusal_due = true;
        g->is_due = g->is_due || is_moved;
    } else {
        /* A duplicate does not answer what is missing; the batch that was missing does. */
        g->is_refusal_due = g->is_refusal_due && !is_moved;
        g->is_due = true;
    }
    g->ack = *ack;
}

void acks_note_all(struct acks *a, const struct known *known)
{
    size_t at = 0;
    for (struct known_gateway *g; (g = name_map_next(&known->gateways, &at)) != NULL;) {
        const struct known_epoch *newest = known_epoch_find(g, g->epoch);
        if (newest != NULL)
            acks_note(a, g->name, &(struct ack){newest->epoch, newest->mark, .is_refusal = true});
    }
}

static bool send(const struct acks_gateway *g, struct mqtt *mqtt, bool is_refusal)
{
    char topic[ID_MAX + 32], text[ACK_TEXT_SIZE];
    snprintf(topic, sizeof topic, "park/v1/gw/%s/ack", g->gateway);
    ack_format(&(struct ack){g->ack.epoch, g->ack.seq, is_refusal}, text);
    return mqtt_publish(mqtt, topic, span_of(text), true, 0, NULL) == ST_OK;
}

/* Returns when a refusal that is held back may go; INT64_MAX = none. What could not be published stays due:
 * there is an event when the client has room again, and a new session sends every mark. */
static int64_t send_gateway(struct acks_gateway *g, struct mqtt *mqtt, int64_t now_mono_ms)
{
    int64_t allowed = g->has_refused ? g->refused_at_mono_ms + REFUSAL_MS : now_mono_ms;
    bool may_refuse = g->is_refusal_due && now_mono_ms >= allowed;
    if (!may_refuse && !g->is_due)
        return g->is_refusal_due ? allowed : INT64_MAX;
    if (send(g, mqtt, may_refuse)) {
        g->is_due = false;
        if (may_refuse) {
            g->is_refusal_due = false;
            g->has_refused = true;
            g->refused_at_mono_ms = now_mono_ms;
        }
    }
    return g->is_refusal_due ? allowed : INT64_MAX;
}

int64_t acks_send(struct acks *a, struct mqtt *mqtt, int64_t now_mono_ms)
{
    int64_t due = INT64_MAX;
    if (mqtt_state(mqtt) != MQTT_READY)
        return due;
    for (size_t i = 0; i < a->count; i++) {
        int64_t more = send_gateway(&a->items[i], mqtt, now_mono_ms);
        due = more < due ? more : due;
    }
    return due;
}
