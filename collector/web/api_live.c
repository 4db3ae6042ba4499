#include "collector/web/context.h"

#include <stdlib.h>
#include <string.h>

static json_t *number_or_null(double value, bool is_known)
{
    return is_known ? json_real(value) : json_null();
}

static json_t *ms_or_null(int64_t ms)
{
    return ms < 0 ? json_null() : json_integer(ms);
}

static json_t *power_json(const struct overview_power *p)
{
    return json_pack("{s:o, s:i, s:i}", "known_w", number_or_null(p->known_w, p->fresh > 0), "fresh",
        p->fresh, "meters", p->meters);
}

/* A reading's head: which point, when, how old, how good. */
static json_t *reading_json(const struct web_context *c, const char *site, const struct overview_reading *r)
{
    return json_pack("{s:s, s:s, s:o, s:o, s:b, s:s}", "gateway", r->point->gateway, "point", r->point->name,
        "time", context_time(c, site, r->point->time_ms), "age_ms", ms_or_null(r->age_ms), "fresh",
        r->is_fresh, "quality", r->point->quality == QUALITY_CLOCK ? "clock" : "good");
}

static json_t *register_json(const struct web_context *c, const char *site, const struct overview_meter *m)
{
    if (!m->reading.point)
        return json_null();
    json_t *json = reading_json(c, site, &m->reading);
    bool is_secondary = m->segment && m->segment->registers == REGISTERS_SECONDARY;
    json_object_set_new(json, "count", json_integer(m->reading.point->count));
    json_object_set_new(json, "unit", json_string(park_carrier_unit(m->meter->carrier)));
    json_object_set_new(json, "side", json_string(is_secondary ? "secondary" : "primary"));
    return json;
}

static json_t *meter_power_json(const struct web_context *c, const char *site, const struct overview_meter *m)
{
    if (!m->power.point)
        return json_null();
    json_t *json = reading_json(c, site, &m->power);
    json_object_set_new(json, "value_w", json_real(m->power_w));
    return json;
}

static json_t *meter_json(const struct web_context *c, const struct overview_meter *m)
{
    const struct park_meter *meter = m->meter;
    const char *site = m->tags.building ? m->tags.building->site_id : NULL;
    return json_pack("{s:s, s:s?, s:s?, s:s?, s:s?, s:s?, s:s, s:s?, s:b, s:b, s:o, s:o}", "id", meter->id,
        "name", meter->name, "name_en", meter->name_en, "site", site, "building", m->tags.building_id,
        "tenant", m->tags.tenant_id, "carrier", park_carriers[meter->carrier], "parent", m->tags.parent_id,
        "expected", m->is_expected, "fresh", m->is_fresh, "register", register_json(c, site, m), "power",
        meter_power_json(c, site, m));
}

static json_t *building_json(const struct overview_building *b)
{
    return json_pack("{s:s, s:s?, s:s?, s:s?, s:o}", "id", b->building->id, "name", b->building->name,
        "name_en", b->building->name_en, "site", b->building->site_id, "power", power_json(&b->power));
}

static json_t *gateway_json(const struct web_context *c, const struct overview_gateway *g)
{
    const struct snapshot_gateway *s = g->gateway;
    const struct park_gateway *known = s->gateway;
    const struct park_stand *stand = known ? park_stand_at(known, c->clock->wall_ms()) : NULL;
    const char *site = stand ? stand->site_id : NULL;
    json_t *json = json_pack("{s:s, s:s?, s:s?, s:s?, s:s?, s:b, s:o}", "id", s->id, "name",
        known ? known->name : NULL, "name_en", known ? known->name_en : NULL, "site", site, "building",
        stand ? stand->building_id : NULL, "in_park_model", known != NULL, "online",
        s->is_presence_known ? json_boolean(g->is_online) : json_null());
    json_object_set_new(json, "heard", context_time(c, site, s->heard_ms));
    json_object_set_new(json, "age_ms", ms_or_null(g->age_ms));
    json_object_set_new(json, "newest", context_time(c, site, s->newest_ms));
    json_object_set_new(json, "lag_ms", ms_or_null(g->lag_ms));
    json_object_set_new(json, "version", s->version[0] ? json_string(s->version) : json_null());
    json_object_set_new(json, "clock_synchronised", json_boolean(s->is_clock_synchronised));
    json_object_set_new(json, "spooled",
        json_pack("{s:I, s:I, s:o}", "batches", (json_int_t)s->spooled_batches, "bytes",
            (json_int_t)s->spooled_bytes, "oldest", context_time(c, site, s->spooled_oldest_ms)));
    json_object_set_new(json, "mark", json_integer(s->mark));
    json_object_set_new(json, "lost", json_integer(s->lost));
    json_object_set_new(json, "lost_newest", context_time(c, site, s->lost_ms));
    return json;
}

static json_t *sites_json(const struct park *park)
{
    json_t *sites = json_array();
    CONF_EACH (const struct park_site, site, park->sites)
        json_array_append_new(sites, json_pack("{s:s, s:s?, s:s?, s:s?}", "id", site->id, "name", site->name,
                                         "name_en", site->name_en, "zone", site->zone));
    return sites;
}

static json_t *gateways_json(const struct web_context *c, const struct overview *o)
{
    json_t *gateways = json_array();
    for (size_t i = 0; i < o->gateway_count; i++)
        json_array_append_new(gateways, gateway_json(c, &o->gateways[i]));
    return gateways;
}

char *live_text(const struct web_context *context, const struct snapshot *s)
{
    struct overview o;
    overview_init(&o, s, context->clock->wall_ms());
    json_t *buildings = json_array(), *meters = json_array();
    for (size_t i = 0; i < o.building_count; i++)
        json_array_append_new(buildings, building_json(&o.buildings[i]));
    for (size_t i = 0; i < o.meter_count; i++)
        json_array_append_new(meters, meter_json(context, &o.meters[i]));
    enum health_level level;
    json_t *json = json_pack("{s:o, s:o, s:I, s:o, s:o, s:o, s:{s:i, s:i}, s:i, s:o, s:o, s:o}", "as_of",
        context_time(context, NULL, o.now_ms), "made", context_time(context, NULL, s->made_ms), "number",
        (json_int_t)s->number, "health", context_health(context, &o, &level), "sites", sites_json(s->park),
        "power", power_json(&o.power), "coverage", "fresh", o.fresh, "meters", o.expected, "unmapped",
        o.unmapped, "buildings", buildings, "meters", meters, "gateways", gateways_json(context, &o));
    overview_release(&o);
    return json_text(json);
}

struct web_answer handle_live(struct web_context *context, const struct web_request *request)
{
    (void)request;
    struct web_answer answer;
    const struct snapshot *s = context_snapshot(context, &answer);
    if (!s)
        return answer;
    char *text = live_text(context, s);
    snapshot_put(s);
    return answer_text(200, WEB_JSON, text, strlen(text));
}

struct web_answer handle_gateways(struct web_context *context, const struct web_request *request)
{
    (void)request;
    struct web_answer answer;
    const struct snapshot *s = context_snapshot(context, &answer);
    if (!s)
        return answer;
    struct overview o;
    overview_init(&o, s, context->clock->wall_ms());
    json_t *json = json_pack(
        "{s:o, s:o}", "as_of", context_time(context, NULL, o.now_ms), "gateways", gateways_json(context, &o));
    overview_release(&o);
    snapshot_put(s);
    return answer_json(200, json);
}
