/* What the park is made of, as its model says now: ids with their names, and what belongs to what. */
#include "collector/report/items.h"
#include "collector/web/context.h"

static json_t *named(const char *id, const char *name, const char *name_en)
{
    return json_pack("{s:s, s:s?, s:s?}", "id", id, "name", name, "name_en", name_en);
}

static void put(json_t *json, const char *key, const char *text)
{
    json_object_set_new(json, key, text != NULL ? json_string(text) : json_null());
}

static json_t *sites_json(const struct park *park)
{
    json_t *sites = json_array();
    CONF_EACH (const struct park_site, site, park->sites) {
        json_t *json = named(site->id, site->name, site->name_en);
        put(json, "zone", site->zone);
        json_array_append_new(sites, json);
    }
    return sites;
}

static json_t *buildings_json(const struct park *park)
{
    json_t *buildings = json_array();
    CONF_EACH (const struct park_building, building, park->buildings) {
        json_t *json = named(building->id, building->name, building->name_en);
        put(json, "site", building->site_id);
        json_array_append_new(buildings, json);
    }
    return buildings;
}

static json_t *tenants_json(const struct park *park)
{
    json_t *tenants = json_array();
    CONF_EACH (const struct park_tenant, tenant, park->tenants)
        json_array_append_new(tenants, named(tenant->id, tenant->name, tenant->name_en));
    return tenants;
}

static json_t *spaces_json(const struct park *park)
{
    json_t *spaces = json_array();
    CONF_EACH (const struct park_space, space, park->spaces) {
        json_t *json = named(space->id, space->name, space->name_en);
        put(json, "building", space->building_id);
        json_object_set_new(
            json, "capacity", space->capacity > 0 ? json_integer(space->capacity) : json_null());
        json_array_append_new(spaces, json);
    }
    return spaces;
}

static json_t *meters_json(const struct park *park, int64_t now_ms)
{
    json_t *meters = json_array();
    CONF_EACH (const struct park_meter, meter, park->meters) {
        struct park_tags tags = park_tags_at(meter, now_ms);
        json_t *json = named(meter->id, meter->name, meter->name_en);
        put(json, "site", tags.building != NULL ? tags.building->site_id : NULL);
        put(json, "building", tags.building_id);
        put(json, "tenant", tags.tenant_id);
        put(json, "parent", tags.parent_id);
        put(json, "export_of", meter->export_of != NULL ? meter->export_of->id : NULL);
        put(json, "carrier", park_carriers[meter->carrier]);
        put(json, "item", tags.item);
        json_array_append_new(meters, json);
    }
    return meters;
}

static json_t *virtual_meters_json(const struct park *park)
{
    json_t *meters = json_array();
    CONF_EACH (const struct park_virtual, meter, park->virtual_meters) {
        json_t *json = named(meter->id, meter->name, meter->name_en);
        put(json, "site", meter->building->site_id);
        put(json, "building", meter->building_id);
        put(json, "tenant", meter->tenant_id);
        put(json, "carrier", park_carriers[meter->carrier]);
        put(json, "item", meter->item);
        json_array_append_new(meters, json);
    }
    return meters;
}

static json_t *items_json(void)
{
    json_t *json = json_array();
    for (const struct item *item = items; item->code != NULL; item++)
        json_array_append_new(json, named(item->code, item->name, item->name_en));
    return json;
}

struct web_answer handle_park(struct web_context *context, const struct web_request *request)
{
    (void)request;
    const struct park *park = context->options->park;
    int64_t now_ms = context->clock->wall_ms();
    return answer_json(200,
        json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "as_of", context_time(context, NULL, now_ms),
            "sites", sites_json(park), "buildings", buildings_json(park), "tenants", tenants_json(park),
            "spaces", spaces_json(park), "meters", meters_json(park, now_ms), "virtual_meters",
            virtual_meters_json(park), "items", items_json()));
}
