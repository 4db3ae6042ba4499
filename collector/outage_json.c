#include "collector/outage_json.h"

#include "lib/rfc3339.h"
#include "lib/text.h"

#include <string.h>

#define BAD(...) error_set(err, ST_INVALID, __VA_ARGS__)
#define ACT(act) (1U << (act))

/* Which members there are, and with which acts. */
static const struct {
    const char *name;
    unsigned acts;
} members[] = {{"kind", ACT(OUTAGE_OPEN)}, {"instrument", ACT(OUTAGE_OPEN)}, {"resource", ACT(OUTAGE_OPEN)},
    {"space", ACT(OUTAGE_OPEN)}, {"from", ACT(OUTAGE_OPEN) | ACT(OUTAGE_CHANGE)},
    {"until", ACT(OUTAGE_OPEN) | ACT(OUTAGE_CHANGE) | ACT(OUTAGE_CLOSE)},
    {"category", ACT(OUTAGE_OPEN) | ACT(OUTAGE_CHANGE)},
    {"note", ACT(OUTAGE_OPEN) | ACT(OUTAGE_CHANGE) | ACT(OUTAGE_CLOSE) | ACT(OUTAGE_CANCEL)}};

bool outage_act_parse(const char *name, enum outage_act *ret)
{
    int found = text_index(outage_acts, name);
    if (found >= 0)
        *ret = (enum outage_act)found;
    return found >= 0;
}

static enum status check_members(const json_t *object, enum outage_act act, struct error *err)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)object, key, value)
    {
        unsigned acts = 0;
        for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
            if (strcmp(members[i].name, key) == 0)
                acts = members[i].acts;
        if (!(acts & ACT(act)))
            return BAD("%.40s: unknown here", key);
        if (!json_is_string(value))
            return BAD("%.40s: expected a text", key);
    }
    return ST_OK;
}

static enum status read_time(
    const json_t *object, const char *name, bool *ret_has, int64_t *ret_ms, struct error *err)
{
    const char *text = json_string_value(json_object_get(object, name));
    *ret_has = text != NULL;
    if (text != NULL && !rfc3339_parse(text, ret_ms))
        return BAD("%s: \"%.40s\" is no time; expected one as 2026-03-02T18:06:00+08:00", name, text);
    return ST_OK;
}

static enum status read_category(const json_t *object, struct outage_request *ret, struct error *err)
{
    const char *code = json_string_value(json_object_get(object, "category"));
    ret->category = code != NULL ? outage_category_find(code) : NULL;
    if (code != NULL && ret->category == NULL) {
        struct error codes = {""};
        size_t length = 0;
        for (const struct outage_category *c = outage_categories; c->code != NULL; c++)
            length += (size_t)snprintf(codes.text + length, sizeof codes.text - length, "%s%s",
                c == outage_categories ? "" : ", ", c->code);
        return BAD("category: \"%.40s\" is unknown; expected one of %s", code, codes.text);
    }
    return ST_OK;
}

static enum status read_target(const json_t *object, struct outage_request *ret, struct error *err)
{
    const char *kind = json_string_value(json_object_get(object, "kind"));
    int found = text_index(outage_kinds, kind);
    if (found < 0)
        return BAD("kind: %s%.40s%s; expected broken, planned or problem", kind != NULL ? "\"" : "",
            kind != NULL ? kind : "is missing", kind != NULL ? "\" is unknown" : "");
    ret->kind = (enum outage_kind)found;
    ret->target = NULL;
    for (int i = 0; outage_targets[i] != NULL; i++) {
        const char *id = json_string_value(json_object_get(object, outage_targets[i]));
        if (id != NULL && ret->target != NULL)
            return BAD("%s: one of instrument, resource and space is given already; expected one",
                outage_targets[i]);
        if (id != NULL) {
            ret->target = id;
            ret->target_kind = (enum outage_target)i;
        }
    }
    return ret->target != NULL
               ? ST_OK
               : BAD("instrument: is missing; expected the id of one, or that of a resource or space");
}

enum status outage_json_read(const json_t *object, struct outage_request *ret, struct error *err)
{
    enum status status = check_members(object, ret->act, err);
    if (status == ST_OK)
        status = read_time(object, "from", &ret->has_from, &ret->from_ms, err);
    if (status == ST_OK)
        status = read_time(object, "until", &ret->has_until, &ret->until_ms, err);
    if (status == ST_OK)
        status = read_category(object, ret, err);
    ret->note = json_string_value(json_object_get(object, "note"));
    return status == ST_OK && ret->act == OUTAGE_OPEN ? read_target(object, ret, err) : status;
}
