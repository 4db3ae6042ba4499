/* What the tables of park_keys.c cannot see: ids that name each other, times, points. Strings are NULL where
 * the table already complained. */
#include "collector/model/park_private.h"

#include "collector/model/zone.h"
#include "lib/mem.h"
#include "lib/rfc3339.h"

#include <stdlib.h>
#include <string.h>

/* "" is none, and said so. */
static const void *resolve_some(struct conf *c, const struct park *park, const struct conf_where *where,
    const char *key, enum park_kind kind, const char *id)
{
    return id && id[0] ? park_resolve(c, park, where, key, kind, id) : NULL;
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

static void check_segments(struct conf *c, const struct park *park, const struct park_meter *meter)
{
    CONF_EACH (struct park_segment, segment, meter->segments) {
        check_segment_times(c, segment);
        check_segment_registers(c, segment);
        if (!segment->point)
            continue;
        struct point_use *use = park_use_point(
            c, park, &segment->where, "point", segment->point, ROLE_METER_REGISTER, &meter->where);
        if (!use)
            continue;
        use->meter = meter;
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
    park->index = mem_zalloc(sizeof *park->index);
    park_names_index(c, park);
    CONF_EACH (struct park_site, site, park->sites)
        if (site->zone && !zone_is_known(site->zone))
            conf_problem(c, &site->where, "zone",
                "\"%s\" is not a time zone of this system; expected an IANA name such as Asia/Shanghai",
                site->zone);
    CONF_EACH (struct park_building, building, park->buildings)
        building->site = park_resolve(c, park, &building->where, "site", KIND_SITE, building->site_id);
    CONF_EACH (struct park_gateway, gateway, park->gateways) {
        gateway->site = park_resolve(c, park, &gateway->where, "site", KIND_SITE, gateway->site_id);
        gateway->building =
            park_resolve(c, park, &gateway->where, "building", KIND_BUILDING, gateway->building_id);
        if (gateway->site && gateway->building && gateway->building->site &&
            gateway->building->site != gateway->site)
            conf_problem(c, &gateway->where, "building",
                "\"%s\" stands on site %s; expected a building of site %s", gateway->building_id,
                gateway->building->site_id, gateway->site_id);
        CONF_EACH (struct park_move, move, gateway->changes) {
            move->site = park_resolve(c, park, &move->where, "site", KIND_SITE, move->site_id);
            move->building =
                resolve_some(c, park, &move->where, "building", KIND_BUILDING, move->building_id);
        }
        park_stands_build(c, gateway);
    }
    CONF_EACH (struct park_meter, meter, park->meters) {
        meter->building = park_resolve(c, park, &meter->where, "building", KIND_BUILDING, meter->building_id);
        meter->tenant = park_resolve(c, park, &meter->where, "tenant", KIND_TENANT, meter->tenant_id);
        meter->parent = park_resolve(c, park, &meter->where, "parent", KIND_METER, meter->parent_id);
        meter->export_of = park_resolve(c, park, &meter->where, "export_of", KIND_METER, meter->export_of_id);
        CONF_EACH (struct park_change, change, meter->changes) {
            change->building =
                park_resolve(c, park, &change->where, "building", KIND_BUILDING, change->building_id);
            change->tenant = resolve_some(c, park, &change->where, "tenant", KIND_TENANT, change->tenant_id);
            change->parent = resolve_some(c, park, &change->where, "parent", KIND_METER, change->parent_id);
        }
        park_tags_build(c, meter);
        struct point_use *use = meter->power ? park_use_point(c, park, &meter->where, "power", meter->power,
                                                   ROLE_METER_POWER, &meter->where)
                                             : NULL;
        if (use)
            use->meter = meter;
        check_segments(c, park, meter);
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
        v->building = park_resolve(c, park, &v->where, "building", KIND_BUILDING, v->building_id);
        v->tenant = park_resolve(c, park, &v->where, "tenant", KIND_TENANT, v->tenant_id);
    }
    park_check_virtual(c, park);
    park_check_spaces(c, park);
    park_check_resources(c, park);
    park_check_instruments(c, park);
    park_check_baselines(c, park);
}
