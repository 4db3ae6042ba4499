#include "collector/intake/acks.h"

#include "lib/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REFUSAL_MS 1000

struct acks_gateway {
    char gateway[ID_MAX + 1];
    struct ack ack;
    bool is_due;
    bool has_refused;
    int64_t refused_at_mono_ms;
};

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
    g->ack = *ack;
    g->is_due = true;
}

void acks_note_all(struct acks *a, const struct known *known)
{
    size_t at = 0;
    for (struct known_gateway *g; (g = name_map_next(&known->gateways, &at)) != NULL;) {
        const struct known_epoch *newest = known_epoch_find(g, g->epoch);
        if (newest != NULL)
            acks_note(a, g->name, &(struct ack){.epoch = newest->epoch, .seq = newest->mark});
    }
}

static bool send(struct acks_gateway *g, struct mqtt *mqtt, const struct ack *ack)
{
    char topic[ID_MAX + 32], text[ACK_TEXT_SIZE];
    snprintf(topic, sizeof topic, "park/v1/gw/%s/ack", g->gateway);
    ack_format(ack, text);
    return mqtt_publish(mqtt, topic, span_of(text), true, 0, NULL) == ST_OK;
}

int64_t acks_send(struct acks *a, struct mqtt *mqtt, int64_t now_mono_ms)
{
    int64_t due = INT64_MAX;
    for (size_t i = 0; i < a->count; i++) {
        struct acks_gateway *g = &a->items[i];
        if (!g->is_due || mqtt_state(mqtt) != MQTT_READY)
            continue;
        int64_t allowed = g->has_refused ? g->refused_at_mono_ms + REFUSAL_MS : now_mono_ms;
        if (g->ack.is_refusal && now_mono_ms < allowed) {
            due = allowed < due ? allowed : due;
            continue;
        }
        if (!send(g, mqtt, &g->ack))
            continue; /* a new session sends every mark again */
        g->is_due = false;
        if (g->ack.is_refusal) {
            g->has_refused = true;
            g->refused_at_mono_ms = now_mono_ms;
        }
    }
    return due;
}
