/* The park model. */
#include "collector/model/park.h"
#include "lib/id.h"
#include "tests/fuzz/settings.h"

static void check_segment(
    const struct park *park, const struct park_meter *meter, const struct park_segment *s)
{
    LAW(s->from_ms < s->until_ms, "a segment of no time");
    LAW(s->ct.num > 0 && s->ct.den > 0 && s->pt.num > 0 && s->pt.den > 0, "a ratio that is not positive");
    LAW(s->max_rate > 0 && s->resolution > 0 && s->modulus >= 0, "a segment without a rate");
    if (s->point == NULL)
        return;
    char *gateway = mem_strdup(s->point), *slash = strchr(gateway, '/');
    LAW(slash != NULL, "a point without a gateway");
    *slash = '\0';
    LAW(id_is_valid(gateway) && point_is_valid(slash + 1), "a point that the contract forbids");
    struct park_place place = park_place(park, gateway, slash + 1, s->from_ms);
    LAW(place.meter == meter && place.role == ROLE_METER_REGISTER, "a segment's point is not its meter's");
    LAW(place.from_ms <= s->from_ms && place.until_ms > s->from_ms,
        "an answer that does not hold at its time");
    free(gateway);
}

static void check_accepted(const struct park *park)
{
    CONF_EACH (const struct park_gateway, gateway, park->gateways)
        LAW(gateway->site != NULL && park_gateway_find(park, gateway->id) == gateway,
            "a gateway without a site");
    CONF_EACH (const struct park_meter, meter, park->meters) {
        LAW(meter->building != NULL && park_meter_find(park, meter->id) == meter,
            "a meter without a building");
        size_t depth = 0;
        for (const struct park_meter *up = meter->parent; up != NULL; up = up->parent)
            LAW(depth++ < park->meters.count, "a circle of parents");
        CONF_EACH (const struct park_segment, segment, meter->segments)
            check_segment(park, meter, segment);
    }
    CONF_EACH (const struct park_baseline, b, park->baselines) {
        LAW(b->term_count > 0 && b->site != NULL && b->carrier >= 0, "a baseline of nothing");
        LAW(b->end_day - b->first_day >= BASELINE_DAYS_MIN &&
                b->end_day - b->first_day <= BASELINE_DAYS_MAX && b->reporting_day >= b->end_day,
            "a baseline of no year");
        LAW((b->temperature == NULL) == (b->model == BASELINE_MEAN), "a baseline of no weather");
        LAW(b->heating_from <= b->heating_to && b->cooling_from <= b->cooling_to, "no balance temperature");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct park *park = park_load(settings_file(data, size));
    if (settings_are_sound(park->conf))
        check_accepted(park);
    park_destroy(park);
    return 0;
}
