#include "collector/live/show.h"

#include "lib/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHOW_MS 250  /* between snapshots */
#define IDLE_MS 5000 /* ages and liveness move without readings */

void show_init(struct show *s)
{
    *s = (struct show){.is_accepting = true};
}

void show_touch(struct show *s)
{
    s->is_changed = true;
}

void show_count(struct show *s, const struct snapshot_counters *more)
{
    struct snapshot_counters *c = &s->counters;
    c->batches += more->batches;
    c->readings += more->readings;
    c->duplicate_batches += more->duplicate_batches;
    c->duplicate_readings += more->duplicate_readings;
    c->quarantined += more->quarantined;
    c->refused += more->refused;
    c->unreadable += more->unreadable;
    c->losses += more->losses;
    c->quarantine_omitted += more->quarantine_omitted;
    c->commits++;
    s->is_changed = true;
}

void show_accepting(struct show *s, bool is_accepting, const char *reason)
{
    s->is_changed = s->is_changed || s->is_accepting != is_accepting;
    s->is_accepting = is_accepting;
    text_copy(s->reason, sizeof s->reason, span_of(is_accepting ? "" : reason));
}

static void fill_point(struct snapshot_point *to, const struct known_point *p,
    const struct presence_gateway *presence, const struct show_source *source)
{
    *to = (struct snapshot_point){.kind = p->kind,
        .quality = p->quality,
        .time_ms = p->time_ms,
        .arrived_ms = p->arrived_ms,
        .count = p->count,
        .value = p->value,
        .period_ms = presence_period_ms(presence, p->name),
        .place = park_place(source->park, p->gateway->name, p->name, source->now_ms)};
    memcpy(to->gateway, p->gateway->name, sizeof to->gateway);
    memcpy(to->name, p->name, sizeof to->name);
    if (p->text != NULL)
        text_copy(to->text, sizeof to->text, span_of(p->text));
}

static void fill_gateway(struct snapshot_gateway *to, const char *id, const struct show_source *source)
{
    const struct presence_gateway *p = presence_find(source->presence, id);
    const struct known_gateway *known = known_gateway_find(source->known, span_of(id));
    *to = (struct snapshot_gateway){.gateway = park_gateway_find(source->park, id),
        .is_online = presence_is_online(p, source->now_ms),
        .is_presence_known = source->presence->listening_since_ms != 0 &&
                             presence_is_known(source->presence, p, source->now_ms)};
    snprintf(to->id, sizeof to->id, "%s", id);
    if (p != NULL) {
        to->heard_ms = p->heard_ms;
        memcpy(to->version, p->version, sizeof to->version);
        to->is_clock_synchronised = p->is_clock_synchronised;
        to->spooled_batches = p->spooled_batches;
        to->spooled_bytes = p->spooled_bytes;
        to->spooled_oldest_ms = p->spooled_oldest_ms;
    }
    if (known != NULL) {
        const struct known_epoch *newest = known_epoch_find(known, known->epoch);
        to->mark = newest != NULL ? newest->mark : 0;
        to->lost = known->lost;
        to->lost_ms = known->lost_ms;
        to->quarantined_ms = known->quarantined_ms;
        to->is_untimely = known->untimely_ms != 0;
        to->newest_ms = known->newest_ms;
    }
}

static int by_id(const void *a, const void *b)
{
    return strcmp(((const struct snapshot_gateway *)a)->id, ((const struct snapshot_gateway *)b)->id);
}

static size_t fill_gateways(struct snapshot_gateway *to, const struct show_source *source)
{
    size_t count = 0, at = 0;
    CONF_EACH (struct park_gateway, g, source->park->gateways)
        fill_gateway(&to[count++], g->id, source);
    for (struct known_gateway *g; (g = name_map_next(&source->known->gateways, &at)) != NULL;)
        if (park_gateway_find(source->park, g->name) == NULL)
            fill_gateway(&to[count++], g->name, source);
    qsort(to, count, sizeof *to, by_id);
    return count;
}

static size_t fill_points(struct snapshot_point *to, const struct show_source *source)
{
    struct known_point **points = known_sorted(source->known);
    const struct known_gateway *gateway = NULL;
    const struct presence_gateway *presence = NULL;
    size_t count = 0;
    for (size_t i = 0; i < source->known->points.count; i++) {
        const struct known_point *p = points[i];
        if (p->gateway != gateway) {
            gateway = p->gateway;
            presence = presence_find(source->presence, gateway->name);
        }
        if (p->time_ms != INT64_MIN)
            fill_point(&to[count++], p, presence, source);
    }
    return count;
}

static struct snapshot *make(struct show *s, const struct show_source *source)
{
    size_t heard = source->known->gateways.count;
    struct snapshot *snapshot =
        snapshot_create(source->known->points.count, source->park->gateways.count + heard);
    snapshot->point_count = fill_points(snapshot_points(snapshot), source);
    snapshot->gateway_count = fill_gateways(snapshot_gateways(snapshot), source);
    snapshot->made_ms = source->now_ms;
    snapshot->number = ++s->number;
    snapshot->park = source->park;
    if (source->model != NULL)
        snapshot_hold(snapshot, source->model);
    snapshot->counters = s->counters;
    snapshot->counters.discarded_bytes = source->discarded_bytes;
    snapshot->is_broker_connected = source->is_broker_connected;
    snapshot->is_clock_synchronised = source->is_clock_synchronised;
    snapshot->is_clock_behind = source->is_clock_behind;
    snapshot->prune_behind_ms = source->prune_behind_ms;
    snapshot->is_accepting = s->is_accepting;
    memcpy(snapshot->reason, s->reason, sizeof snapshot->reason);
    snapshot->journal_end = source->journal_end;
    snapshot->database_bytes = source->database_bytes;
    snapshot->database_limit_bytes = source->database_limit_bytes;
    snapshot->outbox_bytes = source->outbox_bytes;
    snapshot->outbox_limit_bytes = source->outbox_limit_bytes;
    snapshot->ledger_behind_ms = source->ledger_behind_ms;
    if (source->ledger_aside != NULL)
        text_copy(snapshot->ledger_aside, sizeof snapshot->ledger_aside, span_of(source->ledger_aside));
    if (source->receivers_deaf != NULL)
        text_copy(snapshot->receivers_deaf, sizeof snapshot->receivers_deaf, span_of(source->receivers_deaf));
    return snapshot;
}

int64_t show_publish(
    struct show *s, struct snapshot_box *box, const struct show_source *source, int64_t now_mono_ms)
{
    if (source->is_broker_connected != s->is_broker_connected)
        s->is_changed = true;
    s->is_broker_connected = source->is_broker_connected;
    bool is_due = s->shown_mono_ms == 0 || (s->is_changed && now_mono_ms >= s->next_mono_ms) ||
                  now_mono_ms >= s->shown_mono_ms + IDLE_MS;
    if (is_due) {
        snapshot_publish(box, make(s, source));
        s->is_changed = false;
        s->shown_mono_ms = now_mono_ms;
        s->next_mono_ms = now_mono_ms + SHOW_MS;
    }
    return s->is_changed ? s->next_mono_ms : s->shown_mono_ms + IDLE_MS;
}
