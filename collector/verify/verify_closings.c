#include "collector/energy/booked.h"
#include "collector/verify/booking.h"
#include "collector/verify/verify_ledger.h"
#include "lib/mem.h"

#include <inttypes.h>
#include <stdlib.h>

/* What the versions that it names add up to now. */
static enum status recompute(
    struct verify_ledger *l, const struct booking *b, struct amount *ret, struct error *err)
{
    size_t count = (size_t)((b->span.end_ms - b->span.begin_ms) / PERIODS_QUARTER_HOUR_MS);
    uint32_t *codes = mem_alloc((count + 1) * sizeof *codes);
    struct closing_quarters then;
    bool is_there;
    enum status status =
        booked_codes(l->v->db, b->site, b->meter, b->month, b->closing, codes, count, &is_there, err);
    if (status == ST_OK && is_there)
        status = booked_then(l->v->db, b->meter, b->span, codes, &then, err);
    if (status == ST_OK && is_there) {
        *ret = closing_amount(&then);
        closing_quarters_release(&then);
    }
    free(codes);
    return status;
}

struct verifying {
    struct verify_ledger *l;
    const struct park *park;
};

static enum status verify_booking(void *context, struct booking *b, struct error *err)
{
    const struct verifying *v = context;
    struct verify_ledger *l = v->l;
    struct amount found = {0};
    progress_show(&l->v->progress, "verified %" PRId64 " figures of closings", l->v->bookings);
    enum status status = booking_find_span(l->v->db, v->park, b, err);
    if (status != ST_OK || b->span.begin_ms >= l->v->until_ms || b->span.end_ms <= l->v->from_ms)
        return status;
    status = recompute(l, b, &found, err);
    char *told = booking_told(b, &found, status, err);
    if (told != NULL)
        verify_differs(l->v, "%s", told);
    free(told);
    l->v->bookings += status == ST_OK;
    return status == ST_INVALID ? ST_OK : status; /* what cannot be read is told, and the others go on */
}

enum status verify_closings(struct verify_ledger *l, const struct park *park, struct error *err)
{
    struct db_stmt *rows = db_keep(l->v->db, BOOKING_SELECT " ORDER BY b.closing, b.meter, b.month");
    return booking_each(rows, verify_booking, &(struct verifying){l, park}, err);
}
