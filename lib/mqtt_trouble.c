#include "lib/mqtt_trouble.h"

#include <stddef.h>

#define NOT_AUTHORIZED 0x87 /* a reason code of MQTT 5, 2.4 */
/* Without the setting whoever has a password can take over any client; with it the log says as whom it came. */
#define BIND_IDS " (mosquitto needs use_username_as_clientid true, its log names who connects)"

void mqtt_trouble_complain(struct complaint *complaint, int64_t now_mono_ms,
    const struct mqtt_parties *parties, const struct mqtt_end *end, int64_t wait_ms)
{
    double wait_s = (double)wait_ms / 1000;
    const char *user = parties->user != NULL ? parties->user : "(anonymous)";
    switch (end->trouble) {
    case TROUBLE_NONE:
        break;
    case TROUBLE_UNREACHABLE:
        complain(complaint, now_mono_ms, LOG_LEVEL_WARN, "mqtt",
            "%s:%d cannot be reached (%s), next try in %.1f s", parties->host, parties->port, end->text,
            wait_s);
        break;
    case TROUBLE_REFUSED:
        complain(complaint, now_mono_ms, LOG_LEVEL_ERROR, "mqtt",
            "%s:%d refuses user %s as %s: %s (reason %d); check user, password and the broker's access list, "
            "next try in %.1f s",
            parties->host, parties->port, user, parties->client_id, end->text, end->reason, wait_s);
        break;
    case TROUBLE_LOST:
        complain(complaint, now_mono_ms, LOG_LEVEL_WARN, "mqtt",
            "%s:%d: connection lost (%s), next try in %.1f s", parties->host, parties->port, end->text,
            wait_s);
        break;
    case TROUBLE_LOST_EARLY:
        complain(complaint, now_mono_ms, LOG_LEVEL_ERROR, "mqtt",
            "%s:%d closes the connection soon after each connect (%s): another client may use the id %s "
            "or the user %s" BIND_IDS ", or it is restarted again and again; next try in %.1f s",
            parties->host, parties->port, end->text, parties->client_id, user, wait_s);
        break;
    case TROUBLE_TAKEN_OVER:
        complain(complaint, now_mono_ms, LOG_LEVEL_ERROR, "mqtt",
            "%s:%d: another client uses the id %s or the user %s and took the connection over" BIND_IDS
            "; each needs its own, next try in %.1f s",
            parties->host, parties->port, parties->client_id, user, wait_s);
        break;
    }
}

void mqtt_trouble_answer(struct complaint *complaint, int64_t now_mono_ms, const struct mqtt_parties *parties,
    const char *topic, int reason, const char *text)
{
    const char *user = parties->user != NULL ? parties->user : "(anonymous)";
    if (reason == 0)
        complaint_clear(complaint, now_mono_ms, "mqtt", "%s:%d lets user %s publish to %s again",
            parties->host, parties->port, user, topic);
    else if (reason == NOT_AUTHORIZED)
        complain(complaint, now_mono_ms, LOG_LEVEL_ERROR, "mqtt",
            "%s:%d denies user %s to publish to %s; its access list must allow it", parties->host,
            parties->port, user, topic);
    else
        complain(complaint, now_mono_ms, LOG_LEVEL_ERROR, "mqtt",
            "%s:%d refuses a message to %s: %s (reason %d)", parties->host, parties->port, topic, text,
            reason);
}
