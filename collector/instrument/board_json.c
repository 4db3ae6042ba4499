#include "collector/instrument/board_json.h"

#include "collector/model/park.h"

json_t *board_json_time(const struct board_item *item, int64_t time_ms)
{
    if (time_ms == AVAILABILITY_NONE)
        return json_null();
    char text[ZONE_TIME_SIZE];
    zone_format_time(item->zone, time_ms, text);
    return json_string(text);
}

static json_t *named_json(const char *id, const char *name, const char *name_en)
{
    return json_pack("{s:s, s:s?, s:s?}", "id", id, "name", name, "name_en", name_en);
}

static bool is_private(const struct board_item *item)
{
    return item->answer.status == AVAILABILITY_NOT_SHARED;
}

static json_t *source_json(const struct board_item *item, const struct availability_source *source)
{
    if (!source->is_configured || is_private(item))
        return json_null();
    return json_pack("{s:s, s:o}", "quality", availability_qualities[source->quality], "last",
        board_json_time(item, source->last_ms));
}

/* What was told down stays so; that it is up must be fresh. */
static const char *state_of(const struct availability_resource *r)
{
    return r->is_down                                                      ? "down"
           : !r->source.is_configured || availability_is_fresh(&r->source) ? "up"
                                                                           : "unknown";
}

static json_t *resources_json(const struct board_item *item)
{
    json_t *list = json_array();
    for (size_t i = 0; i < item->resource_count && !is_private(item); i++) {
        const struct board_resource *r = &item->resources[i];
        json_t *json = named_json(r->resource->id, r->resource->name, r->resource->name_en);
        bool is_told = r->state.source.is_configured;
        json_t *more = json_pack("{s:s, s:b, s:s, s:o, s:s?, s:o}", "kind",
            park_resource_kinds[r->resource->kind], "required", r->is_required, "state", state_of(&r->state),
            "since", board_json_time(item, r->state.since_ms), "quality",
            is_told ? availability_qualities[r->state.source.quality] : NULL, "last",
            is_told ? board_json_time(item, r->state.source.last_ms) : json_null());
        json_object_update_new(json, more);
        json_array_append_new(list, json);
    }
    return list;
}

static json_t *outages_json(const struct board_item *item)
{
    json_t *list = json_array();
    for (size_t i = 0; i < item->outage_count && !is_private(item); i++) {
        const struct board_outage *o = &item->outages[i];
        const char *kind = o->is_planned ? "planned" : o->is_problem ? "problem" : "broken";
        json_array_append_new(
            list, json_pack("{s:s, s:o, s:o, s:s?}", "kind", kind, "from", board_json_time(item, o->from_ms),
                      "until", board_json_time(item, o->until_ms), "category", o->category));
    }
    return list;
}

static json_t *answer_json(const struct board_item *item)
{
    const struct availability *a = &item->answer;
    enum activity_state activity = is_private(item) ? ACTIVITY_UNKNOWN : item->activity;
    int64_t activity_since_ms = is_private(item) ? AVAILABILITY_NONE : item->activity_since_ms;
    return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:s, s:o, s:{s:o, s:o, s:o}}", "status",
        availability_statuses[a->status], "reason", a->reason, "since", board_json_time(item, a->since_ms),
        "free_until", board_json_time(item, a->free_until_ms), "next_free",
        board_json_time(item, a->next_free_ms), "as_of", board_json_time(item, a->as_of_ms), "activity",
        activity_names[activity], "activity_since", board_json_time(item, activity_since_ms), "sources",
        "power", source_json(item, &item->power), "session", source_json(item, &item->session), "calendar",
        source_json(item, &item->calendar));
}

static json_t *place_json(const struct park_instrument *i)
{
    const struct park_building *b = i->building;
    return json_pack("{s:o, s:o, s:o, s:o, s:s?, s:s?}", "site",
        named_json(b->site->id, b->site->name, b->site->name_en), "building",
        named_json(b->id, b->name, b->name_en), "space",
        i->space != NULL ? named_json(i->space->id, i->space->name, i->space->name_en) : json_null(),
        "category",
        i->category != NULL ? named_json(i->category->id, i->category->name, i->category->name_en)
                            : json_null(),
        "location", i->location, "location_en", i->location_en);
}

static json_t *terms_json(const struct park_instrument *i)
{
    return json_pack("{s:s?, s:s?, s:s?, s:s?, s:s?, s:s?, s:s?, s:s?, s:s?, s:s?, s:s?, s:s?, s:I}", "model",
        i->model, "owner", i->owner, "owner_en", i->owner_en, "contact", i->contact, "booking_url",
        i->booking_url, "terms", i->terms, "terms_en", i->terms_en, "training", i->training, "training_en",
        i->training_en, "charges", i->charges, "charges_en", i->charges_en, "open", i->open, "minimum_slot_s",
        (json_int_t)(i->minimum_slot_ms / 1000));
}

json_t *board_json(const struct board_item *item)
{
    const struct park_instrument *i = item->instrument;
    json_t *json = named_json(i->id, i->name, i->name_en);
    json_object_update_new(json, answer_json(item));
    json_object_set_new(json, "resources", resources_json(item));
    json_object_set_new(json, "outages", outages_json(item));
    json_object_update_new(json, place_json(i));
    json_object_update_new(json, terms_json(i));
    return json;
}
