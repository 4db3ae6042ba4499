#include "collector/live/show.h"

#include "lib/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHOW_MS 250   /* between snapshots */
#define IDLE_MS 5000  /* ages and liveness move without readings */

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
    c->commits++;
    s->is_changed = true;
}

void show_accepting(struct show *s, bool is_accepting, const char *reason)
{
    s->is_changed = s->is_changed || s->is_accepting != is_accepting;
    s->is_accepting = is_accepting;
    snprintf(s->reason, sizeof s->reason, "%s", is_accepting ? "" : reason);
}

static void fill_point(struct snapshot_point *to, const struct known_point *p, const struct show_source *source)
{
    *to = (struct snapshot_point){.kind = p->kind,
        .quality = p->quality,
        .time_ms = p->time_ms,
        .arrived_ms = p->arrived_ms,
        .count = p->count,
        .value = p->value,
        .period_ms = presence_period_ms(presence_find(source->presence, p->gateway->name), p->name),
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
        .is_online = presence_is_online(p, source->now_ms)};
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
    }
}

static int by_gateway_and_name(const void *a, const void *b)
{
    const struct snapshot_point *p = a, *q = b;
    int order = strcmp(p->gateway, q->gateway);
    return order != 0 ? order : strcmp(p->name, q->name);
}

static int by_id(const void *a, const void *b)
{
    return strcmp(((const struct snapshot_gateway *)a)->id, ((const struct snapshot_gateway *)b)->id);
}

static size_t fill_gateways(struct snapshot_gateway *to, const struct show_source *source)
{
    size_t count = 0, at = 0;
    CONF_EACH(struct park_gateway, g, source->park->gateways)
        fill_gateway(&to[count++], g->id, source);
    for (struct known_gateway *g; (g = name_map_next(&source->known->gateways, &at)) != NULL;)
        if (park_gateway_find(source->park, g->name) == NULL)
            fill_gateway(&to[count++], g->name, source);
    qsort(to, count, sizeof *to, by_id);
    return count;
}

static void fill_newest(struct snapshot_gateway *gateways, size_t count, const struct snapshot_point *points,
    size_t point_count)
{
    size_t g = 0;
    for (size_t i = 0; i < point_count; i++) {
        while (g < count && strcmp(gateways[g].id, points[i].gateway) < 0)
            g++;
        if (g < count && strcmp(gateways[g].id, points[i].gateway) == 0 && points[i].time_ms > gateways[g].newest_ms)
            gateways[g].newest_ms = points[i].time_ms;
    }
}

static struct snapshot *make(struct show *s, const struct show_source *source)
{
    size_t heard = source->known->gateways.count;
    struct snapshot *snapshot = snapshot_create(source->known->points.count, source->park->gateways.count + heard);
    struct snapshot_point *points = (struct snapshot_point *)snapshot->points;
    struct snapshot_gateway *gateways = (struct snapshot_gateway *)snapshot->gateways;
    size_t count = 0, at = 0;
    for (struct known_point *p; (p = name_map_next(&source->known->points, &at)) != NULL;)
        if (p->time_ms != INT64_MIN)
            fill_point(&points[count++], p, source);
    qsort(points, count, sizeof *points, by_gateway_and_name);
    snapshot->point_count = count;
    snapshot->gateway_count = fill_gateways(gateways, source);
    fill_newest(gateways, snapshot->gateway_count, points, count);
    snapshot->made_ms = source->now_ms;
    snapshot->number = ++s->number;
    snapshot->park = source->park;
    snapshot->counters = s->counters;
    snapshot->counters.discarded_bytes = source->discarded_bytes;
    snapshot->is_broker_connected = source->is_broker_connected;
    snapshot->is_accepting = s->is_accepting;
    memcpy(snapshot->reason, s->reason, sizeof snapshot->reason);
    snapshot->journal_end = source->journal_end;
    snapshot->database_bytes = source->database_bytes;
    snapshot->database_limit_bytes = source->database_limit_bytes;
    return snapshot;
}

int64_t show_publish(struct show *s, struct snapshot_box *box, const struct show_source *source, int64_t now_mono_ms)
{
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
