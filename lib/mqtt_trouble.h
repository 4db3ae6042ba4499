/* What can be wrong between an MQTT client and its broker, and the sentences that say so. Knows nothing of
 * the library. */
#pragma once

#include "lib/log.h"

#include <stdint.h>

enum mqtt_trouble {
    TROUBLE_NONE,
    TROUBLE_UNREACHABLE,
    TROUBLE_REFUSED, /* user, password or access list */
    TROUBLE_LOST,
    TROUBLE_LOST_EARLY, /* soon after each connect, several times in a row */
    TROUBLE_TAKEN_OVER, /* another client uses our id */
};

/* Why a session or an attempt ended. `reason` is MQTT 5's, 0 = none came. */
struct mqtt_end {
    enum mqtt_trouble trouble;
    int reason;
    char text[128];
};

/* Who talks to whom, for the sentence. */
struct mqtt_parties {
    const char *host;
    int port;
    const char *client_id;
    const char *user; /* NULL = anonymous */
};

void mqtt_trouble_complain(struct complaint *complaint, int64_t now_mono_ms,
    const struct mqtt_parties *parties, const struct mqtt_end *end, int64_t wait_ms);
/* The broker answered a message to `topic` with a reason from 0x80 on, or with 0 after that: it is taken again. */
void mqtt_trouble_answer(struct complaint *complaint, int64_t now_mono_ms, const struct mqtt_parties *parties,
    const char *topic, int reason, const char *text);
