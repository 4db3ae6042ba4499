/* What booked*.c share. */
#pragma once

#include "collector/energy/booked.h"

/* The quarter hours that have more than one version, in order: where, and the code of the latest. They are few. */
struct booked_agains {
    struct booked_again {
        size_t at;
        uint32_t code;
    } * items;
    size_t count, capacity;
};
/* The caller frees the items, also after a failure. */
enum status booked_read_again(
    struct db *db, int64_t id, struct periods_span span, struct booked_agains *ret, struct error *err);
