#include "lib/mqtt_outgoing.h"

#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>

void mqtt_outgoing_add(struct mqtt_outgoing_list *list, uintptr_t ticket, const char *topic,
    struct span payload, bool is_retained, int expiry_s)
{
    struct mqtt_outgoing *o = mem_zalloc(sizeof *o);
    o->ticket = ticket;
    o->topic = mem_strdup(topic);
    o->payload = mem_alloc(payload.len);
    if (payload.len > 0)
        memcpy(o->payload, payload.at, payload.len);
    o->len = payload.len;
    o->is_retained = is_retained;
    o->expiry_s = expiry_s;
    struct mqtt_outgoing **at = &list->first;
    while (*at != NULL)
        at = &(*at)->next;
    *at = o;
}

struct mqtt_outgoing *mqtt_outgoing_next(struct mqtt_outgoing_list *list)
{
    struct mqtt_outgoing *o = list->first;
    while (o != NULL && o->is_sent)
        o = o->next;
    if (o == NULL || list->sent >= list->sent_max)
        return NULL;
    o->is_sent = true;
    list->sent++;
    return o;
}

struct mqtt_outgoing *mqtt_outgoing_take(struct mqtt_outgoing_list *list, uintptr_t ticket)
{
    struct mqtt_outgoing **at = &list->first;
    while (*at != NULL && (*at)->ticket != ticket)
        at = &(*at)->next;
    struct mqtt_outgoing *o = *at;
    if (o != NULL) {
        *at = o->next;
        list->sent -= o->is_sent;
    }
    return o;
}

void mqtt_outgoing_free(struct mqtt_outgoing *o)
{
    if (o == NULL)
        return;
    free(o->topic);
    free(o->payload);
    free(o);
}

void mqtt_outgoing_clear(struct mqtt_outgoing_list *list)
{
    struct mqtt_outgoing *next;
    for (struct mqtt_outgoing *o = list->first; o != NULL; o = next) {
        next = o->next;
        mqtt_outgoing_free(o);
    }
    list->first = NULL;
    list->sent = 0;
}
