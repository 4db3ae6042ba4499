/* What meters and gateways are at a time: the values beside their id, and from when on `changes` say otherwise. */
#include "collector/model/park_private.h"

#include "collector/model/periods.h"
#include "lib/mem.h"
#include "lib/rfc3339.h"

#include <stdlib.h>
#include <string.h>

#define QUARTER_MS PERIODS_QUARTER_HOUR_MS

/* A row's time, as both kinds of rows begin with it. */
struct dated {
    struct conf_where where;
    char *from;
    int64_t from_ms;
};
_Static_assert(offsetof(struct park_change, from_ms) == offsetof(struct dated, from_ms), "begins like dated");
_Static_assert(offsetof(struct park_move, from_ms) == offsetof(struct dated, from_ms), "begins like dated");

/* An amount belongs to one tenant, so no quarter hour is divided. */
static bool read_from(struct conf *c, struct dated *row)
{
    if (row->from == NULL)
        return false;
    if (!rfc3339_parse(row->from, &row->from_ms)) {
        conf_problem(c, &row->where, "from",
            "\"%s\" is not a time; expected one with its offset, such as 2026-01-01T00:00:00+08:00",
            row->from);
        return false;
    }
    if (row->from_ms % PERIODS_QUARTER_HOUR_MS != 0) {
        conf_problem(c, &row->where, "from",
            "\"%s\" divides a quarter hour; expected its begin, such as 00:00, 00:15", row->from);
        return false;
    }
    return true;
}

static int by_time(const void *a, const void *b)
{
    int64_t p = (*(const struct dated *const *)a)->from_ms, q = (*(const struct dated *const *)b)->from_ms;
    return (p > q) - (p < q);
}

/* Those with a good time, in its order; the caller frees them. */
static struct dated **sorted(struct conf *c, const struct conf_list *list, size_t size, size_t *ret_count)
{
    struct dated **rows = mem_zalloc((list->count + 1) * sizeof *rows);
    size_t count = 0;
    for (size_t i = 0; i < list->count; i++) {
        struct dated *row = (struct dated *)((char *)list->items + i * size);
        if (read_from(c, row))
            rows[count++] = row;
    }
    qsort(rows, count, sizeof(struct dated *), by_time);
    for (size_t i = 1; i < count; i++)
        if (rows[i]->from_ms == rows[i - 1]->from_ms)
            conf_problem(c, &rows[i]->where, "from", "is that of %s as well; expected one row for a time",
                rows[i - 1]->where.path);
    *ret_count = count;
    return rows;
}

static const char *some(const char *id)
{
    return id != NULL && id[0] != '\0' ? id : NULL;
}

static struct park_tags tags_at_first(const struct park_meter *meter)
{
    return (struct park_tags){.from_ms = INT64_MIN,
        .until_ms = INT64_MAX,
        .building_id = meter->building_id,
        .tenant_id = meter->tenant_id,
        .parent_id = meter->parent_id,
        .item = meter->item,
        .building = meter->building,
        .tenant = meter->tenant,
        .parent = meter->parent};
}

void park_tags_build(struct conf *c, struct park_meter *meter)
{
    size_t count;
    struct dated **rows = sorted(c, &meter->changes, sizeof(struct park_change), &count);
    meter->tags = conf_alloc(c, (count + 1) * sizeof *meter->tags);
    struct park_tags now = tags_at_first(meter);
    meter->tags[meter->tag_count++] = now;
    for (size_t i = 0; i < count; i++) {
        const struct park_change *change = (const struct park_change *)rows[i];
        meter->tags[meter->tag_count - 1].until_ms = now.from_ms = change->from_ms;
        if (change->building_id != NULL) {
            now.building_id = change->building_id;
            now.building = change->building;
        }
        if (change->tenant_id != NULL) {
            now.tenant_id = some(change->tenant_id);
            now.tenant = change->tenant;
        }
        if (change->parent_id != NULL) {
            now.parent_id = some(change->parent_id);
            now.parent = change->parent;
        }
        if (change->item != NULL)
            now.item = some(change->item);
        meter->tags[meter->tag_count++] = now;
    }
    free(rows);
    CONF_EACH (struct park_change, change, meter->changes)
        if (!change->building_id && !change->tenant_id && !change->parent_id && !change->item)
            conf_problem(
                c, &change->where, NULL, "changes nothing; expected building, tenant, parent or item");
}

void park_stands_build(struct conf *c, struct park_gateway *gateway)
{
    size_t count;
    struct dated **rows = sorted(c, &gateway->changes, sizeof(struct park_move), &count);
    gateway->stands = conf_alloc(c, (count + 1) * sizeof *gateway->stands);
    struct park_stand now = {
        INT64_MIN, INT64_MAX, gateway->site_id, gateway->building_id, gateway->site, gateway->building};
    gateway->stands[gateway->stand_count++] = now;
    for (size_t i = 0; i < count; i++) {
        const struct park_move *move = (const struct park_move *)rows[i];
        gateway->stands[gateway->stand_count - 1].until_ms = now.from_ms = move->from_ms;
        if (move->site_id != NULL) {
            now.site_id = move->site_id;
            now.site = move->site;
        }
        if (move->building_id != NULL) {
            now.building_id = some(move->building_id);
            now.building = move->building;
        }
        if (now.site && now.building && now.building->site && now.building->site != now.site)
            conf_problem(c, &move->where, "building",
                "\"%s\" stands on site %s; expected a building of site %s", now.building_id,
                now.building->site_id, now.site_id);
        gateway->stands[gateway->stand_count++] = now;
    }
    free(rows);
    CONF_EACH (struct park_move, move, gateway->changes)
        if (!move->site_id && !move->building_id)
            conf_problem(c, &move->where, NULL, "changes nothing; expected site or building");
}

/* A circle comes into being with one of its links, and is seen from there. */
static void check_circle(
    struct conf *c, const struct park_meter *meter, const struct park_change *change, size_t meter_count)
{
    const struct park_meter *up = change->parent;
    for (size_t i = 0; up != NULL && up != meter && i < meter_count; i++)
        up = park_tags_at(up, change->from_ms).parent;
    if (up != NULL)
        conf_problem(c, &change->where, "parent", "\"%s\" is then below %s itself; expected a tree",
            change->parent_id, meter->id);
}

void park_tags_check(struct conf *c, const struct park_meter *meter, size_t meter_count)
{
    CONF_EACH (const struct park_change, change, meter->changes) {
        const struct park_meter *parent = change->parent;
        struct park_tags tags = park_tags_at(meter, change->from_ms);
        if (parent != NULL && parent->carrier >= 0 && meter->carrier >= 0 &&
            parent->carrier != meter->carrier)
            conf_problem(c, &change->where, "parent", "\"%s\" measures %s; expected a meter of %s",
                parent->id, park_carriers[parent->carrier], park_carriers[meter->carrier]);
        if (parent != NULL)
            check_circle(c, meter, change, meter_count);
        const struct park_building *above =
            tags.parent != NULL ? park_tags_at(tags.parent, change->from_ms).building : NULL;
        if (above != NULL && tags.building != NULL && above->site != tags.building->site)
            conf_problem(c, &change->where, change->parent_id != NULL ? "parent" : "building",
                "the parent \"%s\" is then on another site; expected a meter of site %s", tags.parent_id,
                tags.building->site_id);
    }
}

struct park_tags park_tags_at(const struct park_meter *meter, int64_t time_ms)
{
    size_t i = meter->tag_count;
    while (i > 1 && meter->tags[i - 1].from_ms > time_ms)
        i--;
    return i > 0 ? meter->tags[i - 1] : tags_at_first(meter);
}

const struct park_stand *park_stand_at(const struct park_gateway *gateway, int64_t time_ms)
{
    size_t i = gateway->stand_count - 1;
    while (i > 0 && gateway->stands[i].from_ms > time_ms)
        i--;
    return &gateway->stands[i];
}

struct park_stay park_stay(const struct park_meter *meter)
{
    struct park_stay stay = {0};
    const struct park_segment *segments = meter->segments.items;
    for (size_t i = 0; i < meter->segments.count; i++) {
        if (i == 0 || segments[i].from_ms < stay.from_ms)
            stay.from_ms = segments[i].from_ms;
        if (i == 0 || segments[i].until_ms > stay.until_ms)
            stay.until_ms = segments[i].until_ms;
    }
    int64_t into = stay.from_ms % QUARTER_MS, over = stay.until_ms % QUARTER_MS;
    stay.from_ms -= into < 0 ? into + QUARTER_MS : into;
    if (stay.until_ms < INT64_MAX - QUARTER_MS && over != 0)
        stay.until_ms += over < 0 ? -over : QUARTER_MS - over;
    return stay;
}

bool park_is_installed(const struct park_meter *meter, int64_t time_ms)
{
    struct park_stay stay = park_stay(meter);
    return time_ms >= stay.from_ms && time_ms < stay.until_ms;
}

static int64_t earlier_of(int64_t next_ms, int64_t other_ms, int64_t after_ms)
{
    return other_ms > after_ms && other_ms < next_ms ? other_ms : next_ms;
}

int64_t park_next_change_ms(const struct park *park, int64_t time_ms)
{
    int64_t next_ms = INT64_MAX;
    CONF_EACH (const struct park_meter, meter, park->meters) {
        struct park_stay stay = park_stay(meter);
        next_ms = earlier_of(next_ms, park_tags_at(meter, time_ms).until_ms, time_ms);
        next_ms = earlier_of(next_ms, stay.from_ms, time_ms);
        next_ms = earlier_of(next_ms, stay.until_ms, time_ms);
    }
    return next_ms;
}
