#include "agent/deliver/announce.h"

#include "agent/deliver/deliver.h"
#include "lib/batch.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PERIOD_MS 60000
#define EXPIRY_S 180
#define UNCUT_BYTES 64 /* what a reading will take in a batch, about */

void topic_format(char *topic, size_t size, const char *gateway, const char *leaf)
{
    snprintf(topic, size, "park/v1/gw/%s/%s", gateway, leaf);
}

void announce_init(struct announce *a, const struct deliver_options *options)
{
    *a = (struct announce){.clock = options->clock};
    topic_format(a->topic, sizeof a->topic, options->settings->gateway, "state");
    snprintf(a->version, sizeof a->version, "%s", options->version);
    a->points = json_object();
    for (size_t i = 0; i < options->point_count && !options->is_replay; i++)
        json_object_set_new(a->points, options->points[i], json_integer(options->periods_ms[i]));
}

void announce_release(struct announce *a)
{
    json_decref(a->points);
}

void announce_reset(struct announce *a)
{
    a->due_mono_ms = 0;
    a->since_ms = a->clock->wall_ms();
}

/* What is lost on the way is told again in a minute or on the next connection. */
static enum status publish(struct announce *a, struct mqtt *mqtt, json_t *message, struct error *err)
{
    char *text = json_text(message);
    enum status status = mqtt_publish(mqtt, a->topic, span_of(text), true, EXPIRY_S, err);
    free(text);
    return status;
}

static json_t *make_state(const struct announce *a, const struct spool_state *spool, json_t *points)
{
    char epoch[EPOCH_TEXT_SIZE];
    epoch_format(spool->epoch, epoch);
    bool has_epoch = spool->epoch != 0; /* `s*`: a NULL leaves the key out */
    int64_t batches = spool->last - spool->mark + (spool->uncut + BATCH_LINES_MAX - 1) / BATCH_LINES_MAX;
    int64_t bytes = spool->unacknowledged_bytes + spool->uncut * UNCUT_BYTES;
    return json_pack("{s:s, s:I, s:s, s:s*, s:{s:I, s:I, s:I}, s:s, s:O*}", "state", "online", "since",
        (json_int_t)a->since_ms, "version", a->version, "epoch", has_epoch ? epoch : NULL, "spooled",
        "batches", (json_int_t)batches, "bytes", (json_int_t)bytes, "oldest", (json_int_t)spool->oldest_ms,
        "clock", a->was_synchronised ? "synchronised" : "unsynchronised", "points", points);
}

void announce_online(
    struct announce *a, struct mqtt *mqtt, const struct spool_state *spool, int64_t now_mono_ms)
{
    bool is_synchronised = a->clock->is_synchronised();
    bool is_changed = is_synchronised != a->was_synchronised || spool->epoch != a->epoch;
    if (now_mono_ms < a->due_mono_ms && !is_changed)
        return;
    a->due_mono_ms = now_mono_ms + PERIOD_MS;
    a->was_synchronised = is_synchronised;
    a->epoch = spool->epoch;
    struct error err;
    if (publish(a, mqtt, make_state(a, spool, a->points), &err) != ST_INVALID)
        return;
    complain(&a->too_large, now_mono_ms, LOG_LEVEL_WARN, "deliver", "%s; the state goes without its points",
        err.text);
    publish(a, mqtt, make_state(a, spool, NULL), NULL);
}

int64_t announce_due(const struct announce *a)
{
    return a->due_mono_ms;
}

void announce_offline(struct announce *a, struct mqtt *mqtt)
{
    publish(a, mqtt, json_pack("{s:s}", "state", "offline"), NULL);
}
