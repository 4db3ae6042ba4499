#include "collector/store/rounds.h"

#include "collector/store/hours.h"
#include "lib/clock.h"

static enum status find_oldest(struct db *db, int64_t *ret_hour, struct error *err)
{
    struct db_stmt *oldest = db_keep(db, "SELECT received_ms FROM journal ORDER BY id LIMIT 1");
    bool has_row;
    enum status status = db_step(oldest, &has_row, err);
    *ret_hour = has_row ? db_int(oldest, 0) / HOUR_MS : INT64_MAX;
    db_reset(oldest);
    return status;
}

enum status rounds_next(
    struct rounds *r, struct db *db, int64_t closed, size_t measures, bool *ret_is_found, struct error *err)
{
    int64_t oldest, newest = closed - 1;
    enum status status = find_oldest(db, &oldest, err);
    *ret_is_found = status == ST_OK && oldest <= newest;
    if (!*ret_is_found)
        return status;
    if (r->hour == 0) {
        r->hour = newest - clock_system.wall_ms() % (newest - oldest + 1);
        r->measure = 0;
    } else if (++r->measure == measures) {
        r->measure = 0;
        r->hour--;
    }
    if (r->hour < oldest || r->hour > newest)
        r->hour = newest;
    return ST_OK;
}
