/* What closings booked, against the versions of the quarter hours that a bundle has. */
#include "collector/bundle/checker.h"
#include "collector/energy/booked.h"
#include "collector/verify/booking.h"
#include "lib/clock.h"
#include "lib/mem.h"

#include <inttypes.h>
#include <stdlib.h>

/* ---- versions ---- */

static enum status take_version(struct checker *c, const struct csv *csv, struct error *err)
{
    const struct periods_span *span = &c->subject.span;
    struct versions *v = &c->versions;
    struct versions_row row;
    int64_t start_ms;
    bool is_good = csv_read_time(csv, 0, &start_ms) && csv_read_int(csv, 1, &row.version) &&
                   csv_read_some(csv, 2, &row.amount) &&
                   checker_read_quality(csv_read_text(csv, 3), &row.quality) &&
                   csv_is_none(csv, 2) == (row.quality == QUALITY_UNKNOWN) && row.version >= 1 &&
                   start_ms >= span->begin_ms && start_ms < span->end_ms &&
                   (start_ms - span->begin_ms) % BOUNDARY_MS == 0;
    if (is_good) {
        row.at = (size_t)((start_ms - span->begin_ms) / BOUNDARY_MS);
        const struct versions_row *last = v->count > 0 ? &v->items[v->count - 1] : NULL;
        is_good = last == NULL || last->at < row.at || (last->at == row.at && last->version < row.version);
    }
    if (!is_good)
        return csv_refuse(csv, "no version of a quarter hour of the period, or not in order", err);
    MEM_GROW(v->items, v->count, v->capacity);
    v->items[v->count++] = row;
    return ST_OK;
}

static void format_start(const struct checker *c, size_t at, char text[static CLOCK_TEXT_SIZE])
{
    clock_format_utc(c->subject.span.begin_ms + (int64_t)at * BOUNDARY_MS, text);
}

/* What is published of a quarter hour is its last version. */
static void hold_last(struct checker *c, const struct meters_item *item)
{
    const struct versions *v = &c->versions;
    for (size_t i = 0; i < v->count; i++) {
        const struct versions_row *row = &v->items[i];
        bool is_last = i + 1 == v->count || v->items[i + 1].at != row->at;
        char when[CLOCK_TEXT_SIZE];
        if (!is_last ||
            (c->published.qualities[row->at] == row->quality && c->published.amounts[row->at] == row->amount))
            continue;
        format_start(c, row->at, when);
        checker_differs(c, "meter %s, quarter hour %s: what is published is not its last version, %" PRId64,
            item->park->id, when, row->version);
    }
}

/* The first row of the quarter hour of this version, or behind where it would be. */
static size_t place_of(const struct versions *v, size_t at, int64_t version)
{
    size_t low = 0, high = v->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct versions_row *row = &v->items[middle];
        if (row->at < at || (row->at == at && row->version < version))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* False: it is not here. What has no row of its own was decided once. */
static bool find_version(const struct checker *c, size_t at, int64_t version, int64_t *amount, uint8_t *state)
{
    const struct versions *v = &c->versions;
    size_t place = place_of(v, at, version), first = place_of(v, at, 0);
    if (place < v->count && v->items[place].at == at && v->items[place].version == version) {
        *amount = v->items[place].amount;
        *state = v->items[place].quality;
        return true;
    }
    if (version != 1 || c->published.qualities[at] == CHECKER_NO_ROW ||
        (first < v->count && v->items[first].at == at))
        return false;
    *amount = c->published.amounts[at];
    *state = c->published.qualities[at];
    return true;
}

/* ---- bookings ---- */

/* Are the quarter hours of the booking here? */
static bool is_here(const struct checker *c, const struct booking *b)
{
    char *quarters = mem_printf("quarters/%s.csv", b->name);
    bool is = b->span.begin_ms >= c->subject.span.begin_ms && b->span.end_ms <= c->subject.span.end_ms &&
              checker_has(c, quarters);
    free(quarters);
    return is;
}

static enum status read_then(const struct checker *c, const struct booking *b, const uint32_t *codes,
    struct closing_quarters *then, struct error *err)
{
    size_t from = (size_t)((b->span.begin_ms - c->subject.span.begin_ms) / BOUNDARY_MS);
    for (size_t i = 0; i < then->series.count; i++) {
        then->codes[i] = codes[i];
        if (codes[i] < CLOSING_FIRST) {
            then->series.states[i] = codes[i] == CLOSING_WAITING ? SERIES_WAITING : SERIES_ABSENT;
            continue;
        }
        int64_t version = (int64_t)codes[i] - CLOSING_FIRST + 1;
        char when[CLOCK_TEXT_SIZE];
        format_start(c, from + i, when);
        if (!find_version(c, from + i, version, &then->series.amounts[i], &then->series.states[i]))
            return error_set(err, ST_INVALID,
                "version %" PRId64 " of the quarter hour %s was booked, and is not here", version, when);
    }
    return ST_OK;
}

static enum status recompute(
    struct checker *c, const struct booking *b, struct amount *ret, struct error *err)
{
    struct closing_quarters then;
    bool is_there;
    closing_quarters_none(&then, b->span);
    uint32_t *codes = mem_alloc((then.series.count + 1) * sizeof *codes);
    enum status status = booked_codes(
        c->refold.db, b->site, b->meter, b->month, b->closing, codes, then.series.count, &is_there, err);
    if (status == ST_OK)
        status = read_then(c, b, codes, &then, err);
    if (status == ST_OK)
        *ret = closing_amount(&then);
    closing_quarters_release(&then);
    free(codes);
    return status;
}

static enum status hold(void *context, struct booking *b, struct error *err)
{
    struct checker *c = context;
    struct amount found = {0};
    enum status status = booking_find_span(c->refold.db, c->accepted.model->park, b, err);
    if (status != ST_OK || !is_here(c, b))
        return status;
    status = recompute(c, b, &found, err);
    char *told = booking_told(b, &found, status, err);
    if (told != NULL)
        checker_differs(c, "%s", told);
    free(told);
    c->bookings += status == ST_OK;
    return status == ST_INVALID ? ST_OK : status;
}

static enum status say_elsewhere(void *context, struct booking *b, struct error *err)
{
    struct checker *c = context;
    enum status status = booking_find_span(c->refold.db, c->accepted.model->park, b, err);
    if (status != ST_OK || is_here(c, b))
        return status;
    char *place = booking_place(b);
    progress_end(&c->progress);
    printf("%s: its quarter hours are not here; only the seal holds it\n", place);
    free(place);
    return ST_OK;
}

enum status checker_booked(struct checker *c, const struct meters_item *item, struct error *err)
{
    char *name = mem_printf("versions/%s.csv", item->park->id);
    enum status status = ST_OK;
    c->versions.count = 0;
    if (checker_has(c, name))
        status = checker_each_row(c, name, BUNDLE_VERSIONS, take_version, err);
    free(name);
    if (status != ST_OK)
        return status;
    hold_last(c, item);
    struct db_stmt *next =
        db_keep(c->refold.db, BOOKING_SELECT " WHERE b.meter = ?1 ORDER BY b.closing, b.month");
    db_bind_int(next, 1, item->books.id);
    return booking_each(next, hold, c, err);
}

enum status checker_booked_elsewhere(struct checker *c, struct error *err)
{
    struct db_stmt *next = db_keep(c->refold.db, BOOKING_SELECT " ORDER BY b.closing, m.name, b.month");
    return booking_each(next, say_elsewhere, c, err);
}
