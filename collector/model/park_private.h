/* What collector/model/park*.c share. */
#pragma once

#include "collector/model/name_map.h"
#include "collector/model/park.h"

#define PARK_TEXT_MAX 200
#define PARK_PLACED(type) .size = sizeof(type), .where_offset = offsetof(type, where), .has_where = true
/* Three keys, with which every kind of thing begins. */
#define PARK_NAMES(type)                                                                            \
    {"id", CONF_ID, offsetof(type, id), .is_required = true,                                        \
        .help = "id: a-z 0-9 -, unique among its kind"},                                            \
        {"name", CONF_STRING, offsetof(type, name), .is_required = true, .max = PARK_TEXT_MAX,      \
            .help = "name"},                                                                        \
    {                                                                                               \
        "name_en", CONF_STRING, offsetof(type, name_en), .is_required = true, .max = PARK_TEXT_MAX, \
                                                         .help = "name in English"                  \
    }

/* ---- things by their ids ---- */

enum park_kind {
    KIND_SITE,
    KIND_BUILDING,
    KIND_TENANT,
    KIND_GATEWAY,
    KIND_SPACE,
    KIND_METER,
    KIND_VIRTUAL,
    KIND_BASELINE,
    KIND_RESOURCE,
    KIND_CALENDAR,
    KIND_CATEGORY,
    KIND_INSTRUMENT,
    PARK_KINDS
};

struct park_index {
    struct name_map ids[PARK_KINDS]; /* group "" */
    struct name_map points;          /* group = gateway; struct point_use, owned */
};

/* Fills the index; an id that two have is a mistake. */
void park_names_index(struct conf *c, struct park *park);
/* NULL = there is none. */
const void *park_find(const struct park *park, enum park_kind kind, struct span id);
/* What `id` names; NULL where there is no id (fine) or nothing of that name (a mistake, which goes to `c`). */
const void *park_resolve(struct conf *c, const struct park *park, const struct conf_where *where,
    const char *key, enum park_kind kind, const char *id);

/* ---- points by their addresses ---- */

/* What a point is used for. */
struct point_use {
    enum park_role role;
    const struct conf_where *owner; /* of the thing that has it for itself; NULL = several may use it so */
    const struct park_meter *meter; /* whose register or power it is */
    const struct park_instrument *instrument; /* whose power or session it is */
    const struct park_building *building;     /* where it is, but for a meter's, whose tags say so */
    const struct park_door *in_of, *out_of;   /* ROLE_DOOR */
    /* ROLE_METER_REGISTER: those at this point, in the order of the file */
    const struct park_segment **segments;
    size_t count, capacity;
};

/* Parts of "<gateway>/<point>"; false where it is not of that form. Borrows `address`. */
bool park_address_split(const char *address, struct span *ret_gateway, struct span *ret_point);
/* Notes that the point which `key` names is used so. NULL where the address is wrong, names no gateway, or another
 * owner or role has it: that is told. The first use is zeroed but for role and owner. */
struct point_use *park_use_point(struct conf *c, const struct park *park, const struct conf_where *where,
    const char *key, const char *address, enum park_role role, const struct conf_where *owner);

/* What a good address is used for; NULL = nothing. */
struct point_use *park_point_of(const struct park *park, const char *address);

/* ---- checks; mistakes go to `c` ---- */

/* The times of a meter's or a gateway's `changes`, whose ids were looked up. */
void park_tags_build(struct conf *c, struct park_meter *meter);
void park_stands_build(struct conf *c, struct park_gateway *gateway);
/* When all are built: parents from each change on. */
void park_tags_check(struct conf *c, const struct park_meter *meter, size_t meter_count);

/* Fills the index, turns ids into pointers and checks across the whole file. */
void park_check(struct conf *c, struct park *park);
/* What virtual meters come to; ids, buildings and tenants are resolved. */
void park_check_virtual(struct conf *c, struct park *park);
void park_check_spaces(struct conf *c, struct park *park);
/* Resources and calendars. */
void park_check_resources(struct conf *c, struct park *park);
/* When spaces, meters, resources and calendars are good as far as they can be. */
void park_check_instruments(struct conf *c, struct park *park);
/* Baselines, when meters and virtual ones are good as far as they can be. */
void park_check_baselines(struct conf *c, struct park *park);

extern const struct conf_section park_baseline_section, park_space_section, park_resource_section,
    park_calendar_section, park_category_section, park_instrument_section;
