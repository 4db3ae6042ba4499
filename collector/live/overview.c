#include "collector/live/overview.h"

#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>

static int64_t age_at(int64_t time_ms, int64_t now_ms)
{
    return now_ms > time_ms ? now_ms - time_ms : 0;
}

static int by_id(const void *key, const void *item)
{
    return strcmp(key, ((const struct overview_gateway *)item)->gateway->id);
}

/* Points stand by gateway: the one before is most often it. */
static const struct overview_gateway *gateway_of(
    const struct overview *o, const struct snapshot_point *point, const struct overview_gateway *before)
{
    if (before != NULL && strcmp(before->gateway->id, point->gateway) == 0)
        return before;
    return bsearch(point->gateway, o->gateways, o->gateway_count, sizeof *o->gateways, by_id);
}

static void take_reading(struct overview_reading *r, const struct snapshot_point *point,
    const struct overview_gateway *gateway, int64_t now_ms)
{
    if (r->point && r->point->time_ms >= point->time_ms)
        return;
    r->point = point;
    r->age_ms = age_at(point->time_ms, now_ms);
    r->is_fresh = r->age_ms <= overview_fresh_ms(point->period_ms) &&
                  (gateway == NULL || gateway->is_online || !gateway->gateway->is_presence_known);
}

/* Whether a meter above this one counts the same electricity: anywhere, or in the same building only. */
static bool is_contained(const struct park_tags *tags, bool in_building, int64_t now_ms)
{
    struct park_tags above;
    for (const struct park_meter *m = tags->parent; m; m = above.parent) {
        above = park_tags_at(m, now_ms);
        if (m->carrier == CARRIER_ELECTRICITY && (!in_building || above.building == tags->building))
            return true;
    }
    return false;
}

double overview_primary_w(const struct park_segment *s, double power_w)
{
    if (s == NULL || s->registers != REGISTERS_SECONDARY)
        return power_w;
    return power_w * ((double)s->ct.num / (double)s->ct.den) * ((double)s->pt.num / (double)s->pt.den);
}

static void add_power(struct overview_power *sum, const struct overview_meter *m)
{
    sum->meters++;
    if (m->power.is_fresh) {
        sum->known_w += m->power_w;
        sum->fresh++;
    }
}

static void read_points(struct overview *o)
{
    const struct park_meter *first = o->snapshot->park->meters.items;
    const struct overview_gateway *gateway = NULL;
    for (size_t i = 0; i < o->snapshot->point_count; i++) {
        const struct snapshot_point *point = &o->snapshot->points[i];
        o->unmapped += point->place.role == ROLE_UNMAPPED;
        if (!point->place.meter)
            continue;
        gateway = gateway_of(o, point, gateway);
        struct overview_meter *meter = &o->meters[point->place.meter - first];
        if (point->place.role == ROLE_METER_REGISTER && point->kind == READING_REGISTER)
            take_reading(&meter->reading, point, gateway, o->now_ms);
        else if (point->place.role == ROLE_METER_POWER && point->kind == READING_GAUGE)
            take_reading(&meter->power, point, gateway, o->now_ms);
    }
}

static void judge_meter(struct overview *o, struct overview_meter *m)
{
    const struct park_building *first = o->snapshot->park->buildings.items;
    bool has_register = m->segment && m->segment->point;
    m->power_w = m->power.point != NULL ? overview_primary_w(m->segment, m->power.point->value) : 0;
    m->is_expected = has_register || m->meter->power;
    m->is_fresh =
        m->is_expected && (!has_register || m->reading.is_fresh) && (!m->meter->power || m->power.is_fresh);
    o->expected += m->is_expected;
    o->fresh += m->is_fresh;
    if (m->meter->carrier != CARRIER_ELECTRICITY)
        return;
    if (m->tags.building && !is_contained(&m->tags, true, o->now_ms))
        add_power(&o->buildings[m->tags.building - first].power, m);
    if (!is_contained(&m->tags, false, o->now_ms))
        add_power(&o->power, m);
}

static void judge_gateway(struct overview *o, struct overview_gateway *g)
{
    g->age_ms = g->gateway->heard_ms ? age_at(g->gateway->heard_ms, o->now_ms) : -1;
    g->lag_ms = g->gateway->newest_ms ? age_at(g->gateway->newest_ms, o->now_ms) : -1;
    g->is_online = g->gateway->is_online && g->age_ms >= 0 && g->age_ms <= OVERVIEW_SILENT_MS;
    o->online += g->is_online;
}

void overview_init(struct overview *o, const struct snapshot *s, int64_t now_ms)
{
    const struct park *park = s->park;
    *o = (struct overview){.snapshot = s,
        .now_ms = now_ms,
        .building_count = park->buildings.count,
        .meter_count = park->meters.count,
        .gateway_count = s->gateway_count};
    o->buildings = mem_zalloc((o->building_count + 1) * sizeof *o->buildings);
    o->meters = mem_zalloc((o->meter_count + 1) * sizeof *o->meters);
    o->gateways = mem_zalloc((o->gateway_count + 1) * sizeof *o->gateways);
    for (size_t i = 0; i < o->building_count; i++)
        o->buildings[i].building = (const struct park_building *)park->buildings.items + i;
    for (size_t i = 0; i < o->meter_count; i++) {
        o->meters[i].meter = (const struct park_meter *)park->meters.items + i;
        o->meters[i].tags = park_tags_at(o->meters[i].meter, now_ms);
        o->meters[i].segment = park_segment_at(o->meters[i].meter, now_ms);
    }
    for (size_t i = 0; i < o->gateway_count; i++) {
        o->gateways[i].gateway = &s->gateways[i];
        judge_gateway(o, &o->gateways[i]);
    }
    read_points(o);
    for (size_t i = 0; i < o->meter_count; i++)
        judge_meter(o, &o->meters[i]);
}

void overview_release(struct overview *o)
{
    free(o->buildings);
    free(o->meters);
    free(o->gateways);
    *o = (struct overview){0};
}
