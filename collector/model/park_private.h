/* What collector/model/park*.c share. */
#pragma once

#include "collector/model/name_map.h"
#include "collector/model/park.h"

/* What a point is used for: the power of a meter, the register of its segments that name the point, or the temperature
 * of baselines. */
struct point_use {
    const struct park_meter *meter; /* NULL of a temperature */
    enum park_role role;
    const struct park_segment *
        *segments; /* ROLE_METER_REGISTER: those at this point, in the order of the file */
    size_t count, capacity;
};

struct park_index {
    /* Group "", by id. */
    struct name_map sites, buildings, tenants, gateways, spaces, meters, virtual_meters, baselines;
    struct name_map points; /* group = gateway; struct point_use, owned */
};

/* Parts of "<gateway>/<point>"; false where it is not of that form. Borrows `address`. */
bool park_address_split(const char *address, struct span *ret_gateway, struct span *ret_point);

/* The times of a meter's or a gateway's `changes`, whose ids were looked up; mistakes go to `c`. */
void park_tags_build(struct conf *c, struct park_meter *meter);
void park_stands_build(struct conf *c, struct park_gateway *gateway);
/* When all are built: parents from each change on. */
void park_tags_check(struct conf *c, const struct park_meter *meter, size_t meter_count);

/* Fills the index, turns ids into pointers and checks across the whole file; mistakes go to `c`. */
void park_check(struct conf *c, struct park *park);
/* What virtual meters come to; ids, buildings and tenants are resolved. */
void park_check_virtual(struct conf *c, struct park *park);
/* Baselines, when meters and virtual ones are good as far as they can be. */
void park_check_baselines(struct conf *c, struct park *park);
/* Whether the gateway of an address is there; a mistake goes to `c`. */
bool park_check_gateway(
    struct conf *c, const struct conf_where *where, const char *key, const struct park *park, struct span id);
extern const struct conf_section park_baseline_section;
