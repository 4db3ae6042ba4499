/* Things by their ids, and points by their addresses: looking up, and what is told where that fails. */
#include "collector/model/park_private.h"

#include "lib/buf.h"
#include "lib/id.h"
#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>

#define IDS_SHOWN 5

/* Every kind's struct begins alike, which makes one function do for all. */
struct named {
    struct conf_where where;
    char *id;
};
#define KIND(kind, noun, list, type) [kind] = {noun, offsetof(struct park, list), sizeof(type)}
#define BEGINS_LIKE_NAMED(type) \
    _Static_assert(offsetof(type, id) == offsetof(struct named, id) && offsetof(type, where) == 0, #type)
BEGINS_LIKE_NAMED(struct park_site);
BEGINS_LIKE_NAMED(struct park_building);
BEGINS_LIKE_NAMED(struct park_tenant);
BEGINS_LIKE_NAMED(struct park_gateway);
BEGINS_LIKE_NAMED(struct park_space);
BEGINS_LIKE_NAMED(struct park_meter);
BEGINS_LIKE_NAMED(struct park_virtual);
BEGINS_LIKE_NAMED(struct park_baseline);
BEGINS_LIKE_NAMED(struct park_resource);
BEGINS_LIKE_NAMED(struct park_calendar);
BEGINS_LIKE_NAMED(struct park_category);
BEGINS_LIKE_NAMED(struct park_instrument);

static const struct {
    const char *noun;
    size_t list_offset, size;
} kinds[PARK_KINDS] = {
    KIND(KIND_SITE, "site", sites, struct park_site),
    KIND(KIND_BUILDING, "building", buildings, struct park_building),
    KIND(KIND_TENANT, "tenant", tenants, struct park_tenant),
    KIND(KIND_GATEWAY, "gateway", gateways, struct park_gateway),
    KIND(KIND_SPACE, "space", spaces, struct park_space),
    KIND(KIND_METER, "meter", meters, struct park_meter),
    KIND(KIND_VIRTUAL, "virtual meter", virtual_meters, struct park_virtual),
    KIND(KIND_BASELINE, "baseline", baselines, struct park_baseline),
    KIND(KIND_RESOURCE, "resource", resources, struct park_resource),
    KIND(KIND_CALENDAR, "calendar", calendars, struct park_calendar),
    KIND(KIND_CATEGORY, "category", categories, struct park_category),
    KIND(KIND_INSTRUMENT, "instrument", instruments, struct park_instrument),
};

static size_t count_of(const struct park *park, enum park_kind kind)
{
    return ((const struct conf_list *)((const char *)park + kinds[kind].list_offset))->count;
}

static const struct named *item_of(const struct park *park, enum park_kind kind, size_t i)
{
    const struct conf_list *list = (const struct conf_list *)((const char *)park + kinds[kind].list_offset);
    return (const struct named *)((const char *)list->items + i * kinds[kind].size);
}

void park_names_index(struct conf *c, struct park *park)
{
    for (enum park_kind kind = 0; kind < PARK_KINDS; kind++)
        for (size_t i = 0; i < count_of(park, kind); i++) {
            const struct named *item = item_of(park, kind, i), *first;
            if (!item->id)
                continue;
            first = name_map_put(&park->index->ids[kind], SPAN(""), span_of(item->id), (void *)item);
            if (first)
                conf_problem(c, &item->where, "id",
                    "\"%s\" is already the id of %s; expected an id of its own", item->id, first->where.path);
        }
}

const void *park_find(const struct park *park, enum park_kind kind, struct span id)
{
    return name_map_find(&park->index->ids[kind], SPAN(""), id);
}

static const void *find_or_complain(struct conf *c, const struct park *park, const struct conf_where *where,
    const char *key, enum park_kind kind, struct span id)
{
    const void *found = park_find(park, kind, id);
    if (found)
        return found;
    struct buf known = {0};
    size_t shown = 0, count = 0;
    for (size_t i = 0; i < count_of(park, kind); i++) {
        const struct named *item = item_of(park, kind, i);
        if (!item->id)
            continue;
        count++;
        if (shown < IDS_SHOWN)
            buf_printf(&known, "%s%s", shown++ ? ", " : "", item->id);
    }
    if (count > shown)
        buf_printf(&known, ", ... (%zu in all)", count);
    conf_problem(c, where, key, "unknown %s \"%.*s\"; expected one of %s", kinds[kind].noun, (int)id.len,
        id.at, count ? known.data : "none: there is no such list in this file");
    buf_release(&known);
    return NULL;
}

const void *park_resolve(struct conf *c, const struct park *park, const struct conf_where *where,
    const char *key, enum park_kind kind, const char *id)
{
    return id ? find_or_complain(c, park, where, key, kind, span_of(id)) : NULL;
}

bool park_address_split(const char *address, struct span *ret_gateway, struct span *ret_point)
{
    const char *slash = strchr(address, '/');
    if (!slash)
        return false;
    *ret_gateway = (struct span){address, (size_t)(slash - address)};
    *ret_point = span_of(slash + 1);
    return true;
}

/* As in "is already the power of meters[0]". */
static const char *const uses[] = {[ROLE_UNMAPPED] = "",
    [ROLE_METER_REGISTER] = "register",
    [ROLE_METER_POWER] = "power",
    [ROLE_TEMPERATURE] = "temperature",
    [ROLE_INSTRUMENT_POWER] = "power",
    [ROLE_SESSION] = "session",
    [ROLE_RESOURCE] = "state",
    [ROLE_DOOR] = "counter",
    [ROLE_OCCUPANCY] = "sensor"};

/* NULL of what several have. */
static const struct conf_where *owner_of(const struct point_use *use)
{
    const struct park_door *door = use->in_of ? use->in_of : use->out_of;
    return door ? &door->where : use->owner;
}

struct point_use *park_use_point(struct conf *c, const struct park *park, const struct conf_where *where,
    const char *key, const char *address, enum park_role role, const struct conf_where *owner)
{
    struct span gateway, point;
    if (!park_address_split(address, &gateway, &point) || !point_is_valid(point.at)) {
        conf_problem(c, where, key,
            "\"%s\" is not the address of a point; expected \"<gateway>/<point>\", such as \"gw-a/b1.main\"",
            address);
        return NULL;
    }
    if (!find_or_complain(c, park, where, key, KIND_GATEWAY, gateway))
        return NULL;
    struct point_use *use = name_map_find(&park->index->points, gateway, point);
    if (!use) {
        use = mem_zalloc(sizeof *use);
        *use = (struct point_use){.role = role, .owner = owner};
        name_map_put(&park->index->points, gateway, point, use);
    } else if (use->role != role || use->owner != owner) {
        conf_problem(c, where, key, "%s is already the %s of %s; expected a point of its own", address,
            uses[use->role], owner_of(use) ? owner_of(use)->path : "baselines");
        return NULL;
    }
    return use;
}

struct point_use *park_point_of(const struct park *park, const char *address)
{
    struct span gateway, point;
    return park_address_split(address, &gateway, &point) ? name_map_find(&park->index->points, gateway, point)
                                                         : NULL;
}
