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

/* What is booked of a meter's month by now: codes, packed. */
struct booked_month {
    int64_t month;
    char *versions;
    size_t len;
};

/* A meter on a site, with all that is read of it at once: over the months of years it is little. */
struct booked_look {
    struct db *db;
    const struct booked_meter *meter; /* borrowed */
    struct series_due due;
    int64_t base_ms; /* from which the versions count */
    struct booked_agains agains;
    struct booked_month *months;
    size_t month_count, month_capacity, next_again, next_month;
};
/* `span`: of all months that are looked at. To be released also after a failure. */
enum status booked_look_begin(struct booked_look *l, struct db *db, const struct booked_meter *meter,
    struct periods_span span, int64_t now_ms, struct error *err);
/* In order of months. Is something metered now that is not what is booked, or, where *ret_booked is NULL, is there something
 * to book? A damaged one is another, too. */
enum status booked_look_at(struct booked_look *l, int64_t month, struct periods_span span,
    const struct booked_month **ret_booked, bool *ret_is_other, struct error *err);
void booked_look_release(struct booked_look *l);
