#include "collector/report/figures.h"

#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>

/* It is installed then, on the report's site. */
static bool stands_here(const struct report *report, const struct park_meter *meter, int64_t time_ms)
{
    return park_is_installed(meter, time_ms) && park_tags_at(meter, time_ms).building->site == report->site;
}

bool report_has(const struct report *report, const struct park_meter *meter)
{
    for (size_t k = 0; k < report->stretches.count; k++)
        if (stands_here(report, meter, report->stretches.spans[k].begin_ms))
            return true;
    return false;
}

static bool is_of(const struct report *report, const struct park_meter *meter, int carrier)
{
    return meter->carrier == carrier && report_has(report, meter);
}

bool figures_are_there(const struct report *report, int carrier)
{
    CONF_EACH (const struct park_meter, meter, report->park->meters)
        if (is_of(report, meter, carrier))
            return true;
    return false;
}

static void add_figure(struct report_carrier *carrier, const struct report *report, struct part part)
{
    part.carrier = carrier->carrier;
    part.site = report->site;
    MEM_GROW(carrier->figures, carrier->count, carrier->capacity);
    carrier->figures[carrier->count++] = (struct report_figure){.part = part};
}

/* A meter of the carrier that stands here, for which `test` holds: is there one? */
static bool has_item(const struct report_carrier *carrier, const char *item)
{
    REPORT_EACH(figure, carrier, PART_ITEM)
    {
        const char *other = figure->part.item;
        if (item == other || (item != NULL && other != NULL && strcmp(item, other) == 0))
            return true;
    }
    return false;
}

/* Whether some time of the period some meter of the carrier that stands here then satisfies this. */
static bool any_meter(const struct report *report, int carrier,
    bool (*holds)(const struct park_meter *meter, int64_t time_ms, const void *what), const void *what)
{
    for (size_t k = 0; k < report->stretches.count; k++) {
        int64_t time_ms = report->stretches.spans[k].begin_ms;
        CONF_EACH (const struct park_meter, meter, report->park->meters)
            if (meter->carrier == carrier && meter->export_of == NULL && holds(meter, time_ms, what) &&
                stands_here(report, meter, time_ms))
                return true;
    }
    return false;
}

static bool is_of_tenant(const struct park_meter *meter, int64_t time_ms, const void *tenant)
{
    return park_tags_at(meter, time_ms).tenant == tenant;
}

static bool is_in(const struct park_meter *meter, int64_t time_ms, const void *building)
{
    return park_tags_at(meter, time_ms).building == building;
}

static void list_items(const struct report *report, struct report_carrier *c)
{
    CONF_EACH (const struct park_meter, meter, report->park->meters)
        for (size_t k = 0; k < report->stretches.count && meter->carrier == c->carrier; k++) {
            int64_t time_ms = report->stretches.spans[k].begin_ms;
            const char *item = park_tags_at(meter, time_ms).item;
            if (meter->export_of == NULL && stands_here(report, meter, time_ms) && !has_item(c, item))
                add_figure(c, report, (struct part){.kind = PART_ITEM, .item = item});
        }
}

/* By meter: has it another below it that stands here, some time of the period? */
static bool *find_parents(const struct report *report, int carrier)
{
    const struct park_meter *meters = report->park->meters.items;
    bool *is_parent = mem_zalloc((report->park->meters.count + 1) * sizeof *is_parent);
    CONF_EACH (const struct park_meter, meter, report->park->meters)
        for (size_t k = 0; k < report->stretches.count && meter->carrier == carrier; k++) {
            int64_t time_ms = report->stretches.spans[k].begin_ms;
            const struct park_meter *parent = part_parent(meter, time_ms);
            if (parent != NULL && meter->export_of == NULL && stands_here(report, meter, time_ms))
                is_parent[parent - meters] = true;
        }
    return is_parent;
}

/* What there is to give figures of. */
void figures_list(const struct report *report, struct report_carrier *c)
{
    const struct park *park = report->park;
    add_figure(c, report, (struct part){.kind = PART_SITE});
    CONF_EACH (const struct park_building, building, park->buildings)
        if (building->site == report->site && any_meter(report, c->carrier, is_in, building))
            add_figure(c, report, (struct part){.kind = PART_BUILDING, .building = building});
    CONF_EACH (const struct park_tenant, tenant, park->tenants)
        if (any_meter(report, c->carrier, is_of_tenant, tenant))
            add_figure(c, report, (struct part){.kind = PART_TENANT, .tenant = tenant});
    if (any_meter(report, c->carrier, is_of_tenant, NULL))
        add_figure(c, report, (struct part){.kind = PART_TENANT});
    list_items(report, c);
    CONF_EACH (const struct park_meter, meter, park->meters)
        if (is_of(report, meter, c->carrier))
            add_figure(c, report, (struct part){.kind = PART_METER, .meter = meter});
    bool *is_parent = find_parents(report, c->carrier);
    CONF_EACH (const struct park_meter, meter, park->meters)
        if (is_parent[meter - (const struct park_meter *)park->meters.items] &&
            is_of(report, meter, c->carrier))
            add_figure(c, report, (struct part){.kind = PART_GAP, .meter = meter});
    free(is_parent);
}
