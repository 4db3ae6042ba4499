#include "collector/verify/booking.h"

#include "lib/mem.h"
#include "lib/program.h"

#include <inttypes.h>
#include <stdlib.h>

static void release(struct booking *b)
{
    free(b->name);
    free(b->site);
}

static char *text_of(struct db_stmt *row, int column)
{
    struct span text = db_text(row, column);
    return mem_strndup(text.at, text.len);
}

static struct booking read_row(struct db_stmt *row)
{
    return (struct booking){.meter = db_int(row, 0),
        .name = text_of(row, 1),
        .month = db_int(row, 2),
        .closing = db_int(row, 3),
        .site = text_of(row, 4),
        .recorded = {.sum = {.count = db_int(row, 5),
                         .known = db_int(row, 6),
                         .unknown_s = db_int(row, 7),
                         .estimated = db_int(row, 8),
                         .estimated_s = db_int(row, 9),
                         .manual = db_int(row, 10),
                         .manual_s = db_int(row, 11)},
            .waiting_s = db_int(row, 12),
            .absent_s = db_int(row, 13)}};
}

enum status booking_each(struct db_stmt *rows,
    enum status (*take)(void *context, struct booking *b, struct error *err), void *context,
    struct error *err)
{
    bool has_row;
    enum status status;
    while ((status = db_step(rows, &has_row, err)) == ST_OK && has_row) {
        struct booking booking = read_row(rows);
        status = take(context, &booking, err);
        release(&booking);
        if (status == ST_OK && program_is_asked_to_end())
            status = error_set(err, ST_TIMEOUT, "stopped");
        if (status != ST_OK)
            break;
    }
    db_reset(rows);
    return status;
}

enum status booking_find_span(struct db *db, const struct park *park, struct booking *b, struct error *err)
{
    struct db_stmt *find =
        db_keep(db, "SELECT from_ms, until_ms FROM closing WHERE site = ?1 AND month = ?2");
    bool has_row;
    db_bind_text(find, 1, span_of(b->site));
    db_bind_int(find, 2, b->month);
    enum status status = db_step(find, &has_row, err);
    if (status == ST_OK && has_row)
        b->span = (struct periods_span){db_int(find, 0), db_int(find, 1)};
    db_reset(find);
    const struct park_site *site = park_site_find(park, b->site);
    if (status == ST_OK && !has_row && site != NULL) {
        struct zone *zone = zone_create(site->zone);
        b->span = periods_span(zone, (struct period){PERIODS_MONTH, b->month});
        zone_destroy(zone);
    }
    return status;
}

static bool is_booked(const struct booking *booking, const struct amount *b)
{
    const struct amount *a = &booking->recorded;
    return a->sum.count == b->sum.count && a->sum.known == b->sum.known &&
           a->sum.unknown_s == b->sum.unknown_s && a->sum.estimated == b->sum.estimated &&
           a->sum.estimated_s == b->sum.estimated_s && a->sum.manual == b->sum.manual &&
           a->sum.manual_s == b->sum.manual_s && a->waiting_s == b->waiting_s && a->absent_s == b->absent_s;
}

char *booking_place(const struct booking *b)
{
    char month[PERIODS_TEXT_SIZE];
    periods_format((struct period){PERIODS_MONTH, b->month}, month);
    return mem_printf("closing %" PRId64 ", meter %s, month %s", b->closing, b->name, month);
}

char *booking_told(
    const struct booking *b, const struct amount *found, enum status status, const struct error *err)
{
    const struct quarters_sum *sum = &b->recorded.sum;
    if (status != ST_INVALID && (status != ST_OK || is_booked(b, found)))
        return NULL;
    char *place = booking_place(b);
    char *text = status == ST_INVALID
                     ? mem_printf("%s: %s", place, err->text)
                     : mem_printf("%s: booked are %" PRId64 " known and %" PRId64
                                  " s unknown, the versions that it names give %" PRId64 " and %" PRId64 " s",
                           place, sum->known, sum->unknown_s, found->sum.known, found->sum.unknown_s);
    free(place);
    return text;
}
