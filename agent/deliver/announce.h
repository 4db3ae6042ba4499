/*
 * The gateway's `state` message: on connect, on change, every 60 s (CONTRIBUTING.md, "The wire contract").
 * Owned by the deliver thread.
 */
#pragma once

#include "agent/deliver/spool.h"
#include "lib/clock.h"
#include "lib/id.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/mqtt.h"

struct deliver_options;

struct announce {
    char topic[ID_MAX + 32];
    const struct clock *clock;
    char version[32];
    json_t *points; /* {name: period in ms} */
    int64_t due_mono_ms;
    int64_t since_ms; /* UTC: online since */
    bool was_synchronised;
    uint64_t epoch; /* told last, 0 = none */
    struct complaint too_large;
};

/* "park/v1/gw/<gateway>/<leaf>" */
void topic_format(char *topic, size_t size, const char *gateway, const char *leaf);

void announce_init(struct announce *a, const struct deliver_options *options);
void announce_release(struct announce *a);
/* A new session: announce at once. */
void announce_reset(struct announce *a);
/* Publishes when it is due. `spooled` counts what waits, cut or not; of what is not cut the size is an
 * estimate. */
void announce_online(
    struct announce *a, struct mqtt *mqtt, const struct spool_state *spool, int64_t now_mono_ms);
int64_t announce_due(const struct announce *a);
void announce_offline(struct announce *a, struct mqtt *mqtt);
