#include "collector/energy_line.h"

#include "lib/line.h"
#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>

/* Never CO2e: a footprint is no factor of a grid. */
static const int kinds[ENERGY_FACTORS] = {FACTOR_KGCE_CALORIFIC, FACTOR_KGCE_EQUIVALENT, FACTOR_KGCO2};

#define CARRIERS (CARRIER_GAS + 1)
#define FIELDS_MAX (4 + ENERGY_FACTORS + 1)

struct energy_lines {
    const struct park *park;
    const struct rates *rates;
    struct zone **zones; /* by site */
    size_t zone_count;
    struct energy_day *days; /* by site and carrier, the last that was asked for */
};

struct energy_lines *energy_lines_create(const struct park *park, const struct rates *rates)
{
    struct energy_lines *l = mem_zalloc(sizeof *l);
    *l = (struct energy_lines){.park = park,
        .rates = rates,
        .zones = mem_zalloc((park->sites.count + 1) * sizeof *l->zones),
        .days = mem_zalloc((park->sites.count * CARRIERS + 1) * sizeof *l->days)};
    CONF_EACH (const struct park_site, site, park->sites)
        l->zones[l->zone_count++] = zone_create(site->zone);
    return l;
}

void energy_lines_destroy(struct energy_lines *l)
{
    if (l == NULL)
        return;
    for (size_t i = 0; i < l->zone_count; i++)
        zone_destroy(l->zones[i]);
    free(l->zones);
    free(l->days);
    free(l);
}

/* ---- what an amount comes to ---- */

static size_t place_of(const struct energy_lines *l, const struct park_site *site)
{
    return (size_t)(site - (const struct park_site *)l->park->sites.items);
}

static void begin_day(const struct energy_lines *l, const struct park_site *site, int carrier,
    const struct zone *zone, int64_t time_ms, struct energy_day *day)
{
    struct period period = periods_of(zone, PERIODS_DAY, time_ms);
    struct error why;
    *day = (struct energy_day){.span = periods_span(zone, period)};
    for (size_t i = 0; i < ENERGY_FACTORS && l->rates->factors != NULL; i++)
        day->factors[i] =
            factors_find(l->rates->factors, kinds[i], carrier, site->region, period.number, &why);
    const struct tariff *tariff =
        l->rates->tariffs != NULL ? tariffs_find(l->rates->tariffs, site->id, carrier) : NULL;
    if (tariff != NULL && tariff_day(tariff, period.number, &day->prices, &why) && day->prices.prices != NULL)
        day->tariff = tariff;
}

const struct energy_day *energy_lines_day(
    struct energy_lines *l, const struct park_site *site, int carrier, int64_t time_ms)
{
    size_t place = place_of(l, site);
    struct energy_day *day = &l->days[place * CARRIERS + (size_t)carrier];
    if (time_ms < day->span.begin_ms || time_ms >= day->span.end_ms)
        begin_day(l, site, carrier, l->zones[place], time_ms, day);
    return day;
}

static void add_float(struct line_field *fields, size_t *count, const char *key, struct decimal exact)
{
    double unit = 1;
    for (int i = 0; i < exact.scale; i++)
        unit *= 10;
    fields[(*count)++] =
        (struct line_field){span_of(key), {.type = LINE_FLOAT, .f = (double)exact.value / unit}};
}

static void add_rated(struct energy_lines *l, const struct park_site *site, const struct park_meter *meter,
    const struct quarter *quarter, struct line_field *fields, size_t *count)
{
    if (l->rates == NULL || site == NULL)
        return;
    const struct energy_day *day = energy_lines_day(l, site, meter->carrier, quarter->start_ms);
    struct decimal exact;
    for (size_t i = 0; i < ENERGY_FACTORS; i++)
        if (day->factors[i] != NULL && factor_apply_fine(day->factors[i], quarter->amount, &exact))
            add_float(fields, count, factor_kinds[kinds[i]], exact);
    if (day->tariff == NULL)
        return;
    int band = day->prices.band[periods_quarter_of_day(l->zones[place_of(l, site)], quarter->start_ms)];
    if (band >= 0 && day->prices.prices->written[band] != NULL &&
        tariff_cost_fine(day->tariff, quarter->amount, day->prices.prices->price[band], &exact))
        add_float(fields, count, "cost", exact);
}

/* ---- a line ---- */

/* Base units in what people read. */
static double unit_of(int carrier)
{
    return carrier == CARRIER_HEAT || carrier == CARRIER_COOLING ? 1e6 : 1e3;
}

/* No tag may end in a backslash: one that does is left out, like one that is not given. */
static struct span optional(const char *text)
{
    size_t len = text != NULL ? strlen(text) : 0;
    return len > 0 && text[len - 1] != '\\' ? span_of(text) : SPAN("");
}

enum status energy_line_write(struct energy_lines *l, struct buf *out, const struct park_meter *meter,
    const struct quarter *quarter, struct error *err)
{
    struct park_tags at = park_tags_at(meter, quarter->start_ms);
    const struct line_tag tags[] = {{SPAN("building"), optional(at.building_id)},
        {SPAN("carrier"), span_of(park_carriers[meter->carrier])}, {SPAN("item"), optional(at.item)},
        {SPAN("meter"), span_of(meter->id)},
        {SPAN("site"), optional(at.building != NULL ? at.building->site_id : NULL)},
        {SPAN("tenant"), optional(at.tenant_id)}};
    bool is_covered = quarter->quality == QUALITY_MEASURED || quarter->quality == QUALITY_MANUAL;
    struct line_field fields[FIELDS_MAX] = {
        {SPAN("quality"), {.type = LINE_STRING, .s = span_of(quality_names[quarter->quality])}},
        {SPAN("coverage"), {.type = LINE_FLOAT, .f = is_covered ? 1 : 0}}};
    size_t count = 2;
    if (quarter->quality != QUALITY_UNKNOWN) {
        fields[count++] = (struct line_field){SPAN("count"), {.type = LINE_INT, .i = quarter->amount}};
        fields[count++] = (struct line_field){
            SPAN("amount"), {.type = LINE_FLOAT, .f = (double)quarter->amount / unit_of(meter->carrier)}};
        add_rated(l, at.building != NULL ? at.building->site : NULL, meter, quarter, fields, &count);
    }
    return line_write(
        out, SPAN("energy"), tags, sizeof tags / sizeof tags[0], fields, count, quarter->start_ms, err);
}
