/* What the tables of park_keys.c cannot see: ids that name each other, times, points. Strings are NULL where
 * the table already complained. */
#include "collector/model/park_private.h"

#include "collector/model/zone.h"
#include "lib/id.h"
#include "lib/mem.h"
#include "lib/rfc3339.h"

#include <stdlib.h>
#include <string.h>

#define IDS_SHOWN 5

/* Every kind's struct begins alike, which makes one function do for all. */
struct named {
    struct conf_where where;
    char *id;
};
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

struct kind {
    const char *noun;
    const struct conf_list *list;
    size_t size;
    struct name_map *map;
};

static const struct named *kind_item(const struct kind *kind, size_t i)
{
    return (const struct named *)((const char *)kind->list->items + i * kind->size);
}

static void index_kind(struct conf *c, const struct kind *kind)
{
    for (size_t i = 0; i < kind->list->count; i++) {
        const struct named *item = kind_item(kind, i);
        if (!item->id)
            continue;
        const struct named *first = name_map_put(kind->map, SPAN(""), span_of(item->id), (void *)item);
        if (first)
            conf_problem(c, &item->where, "id", "\"%s\" is already the id of %s; expected an id of its own",
                item->id, first->where.path);
    }
}

static void complain_unknown(
    struct conf *c, const struct conf_where *where, const char *key, const struct kind *kind, const char *id)
{
    struct buf known = {0};
    size_t shown = 0, count = 0;
    for (size_t i = 0; i < kind->list->count; i++) {
        const struct named *item = kind_item(kind, i);
        if (!item->id)
            continue;
        count++;
        if (shown < IDS_SHOWN)
            buf_printf(&known, "%s%s", shown++ ? ", " : "", item->id);
    }
    if (count > shown)
        buf_printf(&known, ", ... (%zu in all)", count);
    conf_problem(c, where, key, "unknown %s \"%s\"; expected one of %s", kind->noun, id,
        count ? known.data : "none: there is no such list in this file");
    buf_release(&known);
}

/* The item that `id` names; NULL where there is no id (fine) or no such item (a mistake). */
static const void *resolve(
    struct conf *c, const struct conf_where *where, const char *key, const struct kind *kind, const char *id)
{
    if (!id)
        return NULL;
    const void *item = name_map_find(kind->map, SPAN(""), span_of(id));
    if (!item)
        complain_unknown(c, where, key, kind, id);
    return item;
}

/* "" is none, and said so. */
static const void *resolve_some(
    struct conf *c, const struct conf_where *where, const char *key, const struct kind *kind, const char *id)
{
    return id && id[0] ? resolve(c, where, key, kind, id) : NULL;
}

/* Opening hours: HH:MM-HH:MM within one day. */
static bool is_hours(const char *text)
{
    int minutes[2] = {0};
    if (strlen(text) != 11 || text[5] != '-')
        return false;
    for (int i = 0; i < 2; i++, text += 6) {
        for (int digit = 0; digit < 5; digit++)
            if (digit == 2 ? text[digit] != ':' : text[digit] < '0' || text[digit] > '9')
                return false;
        int hour = (text[0] - '0') * 10 + (text[1] - '0'), minute = (text[3] - '0') * 10 + (text[4] - '0');
        if (minute > 59)
            return false;
        minutes[i] = hour * 60 + minute;
    }
    return minutes[0] < minutes[1] && minutes[1] <= 24 * 60;
}

static bool read_time(
    struct conf *c, const struct park_segment *segment, const char *key, const char *text, int64_t *ret_ms)
{
    if (rfc3339_parse(text, ret_ms))
        return true;
    conf_problem(c, &segment->where, key,
        "\"%s\" is not a time; expected one with its offset, such as 2026-01-01T00:00:00+08:00", text);
    return false;
}

/* A segment whose times are wrong is left empty (until = from), so that it overlaps nothing. */
static void check_segment_times(struct conf *c, struct park_segment *segment)
{
    int64_t from_ms = 0, until_ms = INT64_MAX;
    bool is_good = segment->from && read_time(c, segment, "from", segment->from, &from_ms);
    if (segment->until && !read_time(c, segment, "until", segment->until, &until_ms))
        is_good = false;
    if (is_good && from_ms >= until_ms)
        conf_problem(
            c, &segment->where, "until", "is not later than from; expected a time after %s", segment->from);
    else if (is_good) {
        segment->from_ms = from_ms;
        segment->until_ms = until_ms;
    }
}

static void check_segment_registers(struct conf *c, const struct park_segment *segment)
{
    const struct {
        const char *key;
        int64_t value;
    } registers[] = {{"start", segment->start_register}, {"end", segment->end_register}};
    for (size_t i = 0; i < 2; i++)
        if (segment->modulus > 0 && registers[i].value >= segment->modulus)
            conf_problem(c, &segment->where, registers[i].key,
                "%lld is not below the modulus; expected at most %lld", (long long)registers[i].value,
                (long long)segment->modulus - 1);
    if (segment->end_register >= 0 && !segment->until)
        conf_problem(c, &segment->where, "end", "is given without until; expected both or neither");
    bool has_ratio = segment->ct.num != segment->ct.den || segment->pt.num != segment->pt.den;
    if (has_ratio && segment->registers == REGISTERS_UNSAID)
        conf_problem(c, &segment->where, "registers",
            "is missing beside ct or pt; expected \"primary\" where the registers already count the primary "
            "side, else \"secondary\"");
    if (segment->modulus > 0 && segment->resolution >= segment->modulus)
        conf_problem(c, &segment->where, "resolution", "is not below the modulus; expected at most %lld",
            (long long)segment->modulus - 1);
}

static void check_overlaps(struct conf *c, const struct park_meter *meter)
{
    const struct park_segment *segments = meter->segments.items;
    for (size_t i = 1; i < meter->segments.count; i++) {
        for (size_t j = 0; j < i; j++) {
            const struct park_segment *a = &segments[j], *b = &segments[i];
            if (a->from_ms >= b->until_ms || b->from_ms >= a->until_ms)
                continue;
            conf_problem(c, &b->where, "from", "overlaps %s (%s to %s); expected one device at a time",
                a->where.path, a->from, a->until ? a->until : "now");
            break;
        }
    }
}

bool park_check_gateway(
    struct conf *c, const struct conf_where *where, const char *key, const struct park *park, struct span id)
{
    if (name_map_find(&park->index->gateways, SPAN(""), id))
        return true;
    const struct kind gateways = {
        "gateway", &park->gateways, sizeof(struct park_gateway), &park->index->gateways};
    char *name = mem_strndup(id.at, id.len);
    complain_unknown(c, where, key, &gateways, name);
    free(name);
    return false;
}

/* Splits and checks an address; notes its use. NULL where it is wrong or another's. */
static struct point_use *use_point(struct conf *c, const struct conf_where *where, const char *key,
    struct park_index *index, const struct kind *gateways, const char *address,
    const struct park_meter *meter, enum park_role role)
{
    struct span gateway, point;
    if (!park_address_split(address, &gateway, &point) || !point_is_valid(point.at)) {
        conf_problem(c, where, key,
            "\"%s\" is not the address of a point; expected \"<gateway>/<point>\", such as \"gw-a/b1.main\"",
            address);
        return NULL;
    }
    if (!name_map_find(&index->gateways, SPAN(""), gateway)) {
        char *id = mem_strndup(gateway.at, gateway.len);
        complain_unknown(c, where, key, gateways, id);
        free(id);
        return NULL;
    }
    struct point_use *use = name_map_find(&index->points, gateway, point);
    if (!use) {
        use = mem_zalloc(sizeof *use);
        *use = (struct point_use){.meter = meter, .role = role};
        name_map_put(&index->points, gateway, point, use);
    } else if (use->meter != meter || use->role != role) {
        conf_problem(c, where, key, "%s is already the %s of %s; expected a point of its own", address,
            use->role == ROLE_METER_POWER ? "power" : "register", use->meter->where.path);
        return NULL;
    }
    return use;
}

static void check_segments(
    struct conf *c, struct park_index *index, const struct kind *gateways, const struct park_meter *meter)
{
    CONF_EACH (struct park_segment, segment, meter->segments) {
        check_segment_times(c, segment);
        check_segment_registers(c, segment);
        if (!segment->point)
            continue;
        struct point_use *use = use_point(
            c, &segment->where, "point", index, gateways, segment->point, meter, ROLE_METER_REGISTER);
        if (!use)
            continue;
        MEM_GROW(use->segments, use->count, use->capacity);
        use->segments[use->count++] = segment;
    }
    check_overlaps(c, meter);
}

static bool is_in_cycle(const struct park_meter *meter, size_t meter_count)
{
    const struct park_meter *up = meter->parent;
    for (size_t i = 0; up && up != meter && i < meter_count; i++)
        up = up->parent;
    return up == meter;
}

/* One line per cycle: at its first meter in the file. */
static void check_cycle(struct conf *c, const struct park_meter *meter, size_t meter_count)
{
    if (!is_in_cycle(meter, meter_count))
        return;
    struct buf way = {0};
    bool is_first = true;
    const struct park_meter *up = meter;
    do {
        is_first = is_first && up >= meter;
        buf_printf(&way, "%s -> ", up->id);
        up = up->parent;
    } while (up != meter);
    if (is_first)
        conf_problem(c, &meter->where, "parent", "goes round in a circle (%s%s); expected a tree", way.data,
            meter->id);
    buf_release(&way);
}

static void check_parent(struct conf *c, const struct park_meter *meter, size_t meter_count)
{
    const struct park_meter *parent = meter->parent;
    if (!parent)
        return;
    if (parent->carrier >= 0 && meter->carrier >= 0 && parent->carrier != meter->carrier)
        conf_problem(c, &meter->where, "parent", "\"%s\" measures %s; expected a meter of %s", parent->id,
            park_carriers[parent->carrier], park_carriers[meter->carrier]);
    if (parent->building && meter->building && parent->building->site != meter->building->site)
        conf_problem(c, &meter->where, "parent", "\"%s\" is on another site; expected a meter of site %s",
            parent->id, meter->building->site_id);
    check_cycle(c, meter, meter_count);
}

static void refuse_export(struct conf *c, const struct park_meter *meter, const char *key, const char *id)
{
    if (id != NULL)
        conf_problem(c, &meter->where, key,
            "with export_of it has the place of \"%s\"; expected none of its own", meter->export_of_id);
}

static void check_export(struct conf *c, const struct park_meter *meter)
{
    const struct park_meter *other = meter->export_of;
    if (other == NULL)
        return;
    if (other->export_of != NULL)
        conf_problem(c, &meter->where, "export_of",
            "\"%s\" is itself the export of a meter; expected one that counts what is drawn", other->id);
    if (other->carrier >= 0 && meter->carrier >= 0 && other->carrier != meter->carrier)
        conf_problem(c, &meter->where, "export_of", "\"%s\" measures %s; expected a meter of %s", other->id,
            park_carriers[other->carrier], park_carriers[meter->carrier]);
    if (other->building != NULL && meter->building != NULL && other->building != meter->building)
        conf_problem(c, &meter->where, "building", "\"%s\" is not that of \"%s\"; expected %s",
            meter->building_id, other->id, other->building_id);
    if (other->segments.count == 0)
        conf_problem(c, &meter->where, "export_of", "\"%s\" has no register; expected a meter with segments",
            other->id);
    refuse_export(c, meter, "parent", meter->parent_id);
    refuse_export(c, meter, "tenant", meter->tenant_id);
    refuse_export(c, meter, "item", meter->item);
    if (meter->changes.count > 0)
        refuse_export(c, meter, "changes", "");
}

static void refuse_below_export(
    struct conf *c, const struct conf_where *where, const struct park_meter *parent)
{
    if (parent != NULL && parent->export_of_id != NULL)
        conf_problem(c, where, "parent",
            "\"%s\" counts what flows back; expected the meter that it is export_of", parent->id);
}

void park_check(struct conf *c, struct park *park)
{
    struct park_index *index = park->index = mem_zalloc(sizeof *index);
    const struct kind sites = {"site", &park->sites, sizeof(struct park_site), &index->sites};
    const struct kind buildings = {
        "building", &park->buildings, sizeof(struct park_building), &index->buildings};
    const struct kind tenants = {"tenant", &park->tenants, sizeof(struct park_tenant), &index->tenants};
    const struct kind gateways = {"gateway", &park->gateways, sizeof(struct park_gateway), &index->gateways};
    const struct kind spaces = {"space", &park->spaces, sizeof(struct park_space), &index->spaces};
    const struct kind meters = {"meter", &park->meters, sizeof(struct park_meter), &index->meters};
    const struct kind virtuals = {
        "virtual meter", &park->virtual_meters, sizeof(struct park_virtual), &index->virtual_meters};
    const struct kind baselines = {
        "baseline", &park->baselines, sizeof(struct park_baseline), &index->baselines};
    const struct kind *const kinds[] = {
        &sites, &buildings, &tenants, &gateways, &spaces, &meters, &virtuals, &baselines};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        index_kind(c, kinds[i]);

    CONF_EACH (struct park_site, site, park->sites)
        if (site->zone && !zone_is_known(site->zone))
            conf_problem(c, &site->where, "zone",
                "\"%s\" is not a time zone of this system; expected an IANA name such as Asia/Shanghai",
                site->zone);
    CONF_EACH (struct park_building, building, park->buildings)
        building->site = resolve(c, &building->where, "site", &sites, building->site_id);
    CONF_EACH (struct park_gateway, gateway, park->gateways) {
        gateway->site = resolve(c, &gateway->where, "site", &sites, gateway->site_id);
        gateway->building = resolve(c, &gateway->where, "building", &buildings, gateway->building_id);
        if (gateway->site && gateway->building && gateway->building->site &&
            gateway->building->site != gateway->site)
            conf_problem(c, &gateway->where, "building",
                "\"%s\" stands on site %s; expected a building of site %s", gateway->building_id,
                gateway->building->site_id, gateway->site_id);
        CONF_EACH (struct park_move, move, gateway->changes) {
            move->site = resolve(c, &move->where, "site", &sites, move->site_id);
            move->building = resolve_some(c, &move->where, "building", &buildings, move->building_id);
        }
        park_stands_build(c, gateway);
    }
    CONF_EACH (struct park_space, space, park->spaces) {
        space->building = resolve(c, &space->where, "building", &buildings, space->building_id);
        if (space->open && !is_hours(space->open))
            conf_problem(c, &space->where, "open",
                "\"%s\" are not opening hours; expected from-to within a day, such as 08:00-18:00",
                space->open);
    }
    CONF_EACH (struct park_meter, meter, park->meters) {
        meter->building = resolve(c, &meter->where, "building", &buildings, meter->building_id);
        meter->tenant = resolve(c, &meter->where, "tenant", &tenants, meter->tenant_id);
        meter->parent = resolve(c, &meter->where, "parent", &meters, meter->parent_id);
        meter->export_of = resolve(c, &meter->where, "export_of", &meters, meter->export_of_id);
        CONF_EACH (struct park_change, change, meter->changes) {
            change->building = resolve(c, &change->where, "building", &buildings, change->building_id);
            change->tenant = resolve_some(c, &change->where, "tenant", &tenants, change->tenant_id);
            change->parent = resolve_some(c, &change->where, "parent", &meters, change->parent_id);
        }
        park_tags_build(c, meter);
        if (meter->power)
            use_point(c, &meter->where, "power", index, &gateways, meter->power, meter, ROLE_METER_POWER);
        check_segments(c, index, &gateways, meter);
        if (meter->segments.count == 0 && !meter->power)
            conf_problem(c, &meter->where, NULL, "has neither segments nor power; expected at least one");
    }
    CONF_EACH (struct park_meter, meter, park->meters) {
        check_parent(c, meter, park->meters.count);
        check_export(c, meter);
        refuse_below_export(c, &meter->where, meter->parent);
        CONF_EACH (struct park_change, change, meter->changes)
            refuse_below_export(c, &change->where, change->parent);
    }
    CONF_EACH (struct park_meter, meter, park->meters)
        park_tags_check(c, meter, park->meters.count);
    CONF_EACH (struct park_virtual, v, park->virtual_meters) {
        v->building = resolve(c, &v->where, "building", &buildings, v->building_id);
        v->tenant = resolve(c, &v->where, "tenant", &tenants, v->tenant_id);
    }
    park_check_virtual(c, park);
    park_check_baselines(c, park);
}
