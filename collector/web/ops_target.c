#include "collector/web/ops_target.h"

#include "collector/alarm/words.h"
#include "collector/web/page_params.h"

#include <string.h>

static void add_param(struct buf *out, const char *name, const char *value)
{
    if (value == NULL)
        return;
    buf_printf(out, "%s=", name);
    form_add_encoded(out, value);
    buf_add_char(out, '&');
}

/* Which day, as the pages of a period take it (page_params.h). */
static void add_day(struct buf *out, const char *time)
{
    char day[sizeof PAGE_DAY_FIRST];
    snprintf(day, sizeof day, "%s", time);
    add_param(out, "length", "day");
    if (strcmp(day, PAGE_DAY_FIRST) >= 0 && strcmp(day, PAGE_DAY_LAST) <= 0)
        add_param(out, "from", day);
}

char *ops_target_address(
    const struct ops_page *p, enum alarm_target_kind kind, const char *id, const char *time)
{
    const struct park *park = p->context->options->park;
    struct alarm_place place = alarm_place_find(park, kind, id);
    struct buf out = {0};
    switch (kind) {
    case ALARM_OF_METER:
        if (park_meter_find(park, id) == NULL)
            return NULL;
        buf_add_str(&out, "/ops/energy?");
        add_day(&out, time);
        add_param(&out, "site", place.site);
        add_param(&out, "carrier", park_carriers[place.carrier]);
        add_param(&out, "by", "meter");
        add_param(&out, "id", id);
        break;
    case ALARM_OF_SPACE:
        if (park_space_find(park, id) == NULL)
            return NULL;
        buf_add_str(&out, "/ops/occupancy?");
        add_day(&out, time);
        add_param(&out, "site", place.site);
        add_param(&out, "space", id);
        break;
    case ALARM_OF_INSTRUMENT:
        if (park_instrument_find(park, id) == NULL)
            return NULL;
        buf_add_str(&out, "/ops/instruments?");
        add_param(&out, "id", id);
        break;
    case ALARM_OF_GATEWAY:
    case ALARM_OF_POINT:
        buf_add_str(&out, "/ops/gateways?");
        break;
    case ALARM_OF_COLLECTOR:
        return NULL;
    }
    buf_printf(&out, "lang=%s", page_language_name(p->language));
    return buf_take(&out);
}
