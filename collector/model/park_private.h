/* What collector/model/park*.c share. */
#pragma once

#include "collector/model/name_map.h"
#include "collector/model/park.h"

/* What a point is used for: the power of a meter, or the register of its segments that name the point. */
struct point_use {
    const struct park_meter *meter;
    enum park_role role;
    const struct park_segment *
        *segments; /* ROLE_METER_REGISTER: those at this point, in the order of the file */
    size_t count, capacity;
};

struct park_index {
    /* Group "", by id. */
    struct name_map sites, buildings, tenants, gateways, spaces, meters, virtual_meters;
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
