#include "collector/model/park.h"

#include "collector/model/park_private.h"
#include "lib/mem.h"

#include <stdlib.h>

struct park *park_load(const char *path)
{
    struct park *park = mem_zalloc(sizeof *park);
    park->conf = conf_load(path, &park_section, park);
    return park;
}

struct park *park_load_text(const char *name, struct span text)
{
    struct park *park = mem_zalloc(sizeof *park);
    park->conf = conf_load_text(name, text, &park_section, park);
    return park;
}

void park_destroy(struct park *park)
{
    if (!park)
        return;
    struct park_index *index = park->index;
    if (index) {
        struct point_use *use;
        for (size_t i = 0; (use = name_map_next(&index->points, &i)) != NULL;) {
            free(use->segments);
            free(use);
        }
        for (size_t i = 0; i < PARK_KINDS; i++)
            name_map_release(&index->ids[i]);
        name_map_release(&index->points);
        free(index);
    }
    conf_destroy(park->conf);
    free(park);
}

const struct park_site *park_site_find(const struct park *park, const char *id)
{
    return park_find(park, KIND_SITE, span_of(id));
}

const struct park_gateway *park_gateway_find(const struct park *park, const char *id)
{
    return park_find(park, KIND_GATEWAY, span_of(id));
}

const struct park_gateway *park_gateway_of(const struct park *park, const char *address)
{
    struct span gateway, point;
    return park_address_split(address, &gateway, &point) ? park_find(park, KIND_GATEWAY, gateway) : NULL;
}

const struct park_meter *park_meter_find(const struct park *park, const char *id)
{
    return park_find(park, KIND_METER, span_of(id));
}

const struct park_virtual *park_virtual_find(const struct park *park, const char *id)
{
    return park_find(park, KIND_VIRTUAL, span_of(id));
}

const struct park_instrument *park_instrument_find(const struct park *park, const char *id)
{
    return park_find(park, KIND_INSTRUMENT, span_of(id));
}

const struct park_resource *park_resource_find(const struct park *park, const char *id)
{
    return park_find(park, KIND_RESOURCE, span_of(id));
}

const struct park_space *park_space_find(const struct park *park, const char *id)
{
    return park_find(park, KIND_SPACE, span_of(id));
}

const struct park_segment *park_segment_at(const struct park_meter *meter, int64_t time_ms)
{
    CONF_EACH (const struct park_segment, segment, meter->segments)
        if (segment->from_ms <= time_ms && time_ms < segment->until_ms)
            return segment;
    return NULL;
}

static void narrow(struct park_place *place, int64_t from_ms, int64_t until_ms)
{
    if (from_ms > place->from_ms)
        place->from_ms = from_ms;
    if (until_ms < place->until_ms)
        place->until_ms = until_ms;
}

/* Whether the meter's register was at this point then; narrows the place's time to that segment, or to the
 * gap between segments. */
static bool is_installed(const struct point_use *use, int64_t time_ms, struct park_place *place)
{
    for (size_t i = 0; i < use->count; i++) {
        const struct park_segment *segment = use->segments[i];
        if (segment->from_ms <= time_ms && time_ms < segment->until_ms) {
            narrow(place, segment->from_ms, segment->until_ms);
            return true;
        }
        if (segment->until_ms <= time_ms && segment->until_ms > place->from_ms)
            place->from_ms = segment->until_ms;
        if (segment->from_ms > time_ms && segment->from_ms < place->until_ms)
            place->until_ms = segment->from_ms;
    }
    return false;
}

const char *park_carrier_unit(int carrier)
{
    switch ((enum park_carrier)carrier) {
    case CARRIER_ELECTRICITY:
        return "Wh";
    case CARRIER_HEAT:
    case CARRIER_COOLING:
        return "J";
    case CARRIER_WATER:
    case CARRIER_GAS:
        return "L";
    }
    return "";
}

struct park_place park_place(const struct park *park, const char *gateway, const char *point, int64_t time_ms)
{
    struct park_place place = {.role = ROLE_UNMAPPED, .from_ms = INT64_MIN, .until_ms = INT64_MAX};
    const struct park_gateway *g = park_gateway_find(park, gateway);
    if (!g)
        return place;
    const struct park_stand *stand = park_stand_at(g, time_ms);
    place.site = stand->site_id;
    place.building = stand->building_id;
    narrow(&place, stand->from_ms, stand->until_ms);
    const struct point_use *use = name_map_find(&park->index->points, span_of(gateway), span_of(point));
    if (!use || (use->role == ROLE_METER_REGISTER && !is_installed(use, time_ms, &place)))
        return place;
    place.role = use->role;
    place.meter = use->meter;
    place.instrument = use->instrument;
    if (use->meter) {
        struct park_tags tags = park_tags_at(use->meter, time_ms);
        place.building = tags.building_id;
        place.site = tags.building->site_id;
        narrow(&place, tags.from_ms, tags.until_ms);
    } else if (use->building) {
        place.building = use->building->id;
        place.site = use->building->site_id;
    }
    return place;
}
