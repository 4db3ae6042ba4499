#include "collector/close_json.h"

#include <string.h>

#define BAD(...) error_set(err, ST_INVALID, __VA_ARGS__)

#define OVERRIDE_SIZE \
    (sizeof "{\"reason\": \"\", \"why\": \"\"}, " + CLOSING_NAME_SIZE + 2 * CLOSE_MONTH_WHY_MAX)
_Static_assert(CLOSE_MONTH_OVERRIDES_MAX *OVERRIDE_SIZE < CLOSE_MONTH_JSON_MAX - 4096, "all fit");

static enum status read_overrides(
    const json_t *array, struct closing_override *overrides, size_t *ret_count, struct error *err)
{
    if (array != NULL && (!json_is_array(array) || json_array_size(array) > CLOSE_MONTH_OVERRIDES_MAX))
        return BAD("overrides: expected a list of at most %d objects", CLOSE_MONTH_OVERRIDES_MAX);
    size_t index;
    json_t *item;
    json_array_foreach((json_t *)array, index, item)
    {
        overrides[index] = (struct closing_override){json_string_value(json_object_get(item, "reason")),
            json_string_value(json_object_get(item, "why"))};
        if (json_object_size(item) != 2 || overrides[index].name == NULL || overrides[index].why == NULL)
            return BAD("overrides: expected objects of reason and why, which are texts");
    }
    *ret_count = array != NULL ? json_array_size(array) : 0;
    return ST_OK;
}

enum status close_json_read(
    const json_t *object, struct close_month *ret, struct closing_override *overrides, struct error *err)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)object, key, value)
    {
        static const char *const known[] = {"site", "period", "why", "overrides"};
        bool is_known = false;
        for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
            is_known = is_known || strcmp(known[i], key) == 0;
        if (!is_known)
            return BAD("%.40s: unknown here", key);
    }
    const char *period = json_string_value(json_object_get(object, "period"));
    ret->site = json_string_value(json_object_get(object, "site"));
    ret->why = json_string_value(json_object_get(object, "why"));
    if (ret->site == NULL)
        return BAD("site: expected the id of a site");
    if (period == NULL || !periods_parse(period, &ret->period) || ret->period.kind != PERIODS_MONTH)
        return BAD("period: expected a month, as 2026-10");
    if (ret->why == NULL)
        return BAD("why: expected a text");
    ret->overrides = overrides;
    return read_overrides(json_object_get(object, "overrides"), overrides, &ret->override_count, err);
}

json_t *close_json_write(const struct close_month *request)
{
    char period[PERIODS_TEXT_SIZE];
    periods_format(request->period, period);
    json_t *overrides = json_array();
    for (size_t i = 0; i < request->override_count; i++)
        json_array_append_new(overrides,
            json_pack("{s:s, s:s?}", "reason", request->overrides[i].name, "why", request->overrides[i].why));
    return json_pack("{s:s, s:s, s:s, s:o}", "site", request->site, "period", period, "why", request->why,
        "overrides", overrides);
}
