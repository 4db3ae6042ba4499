#include "collector/deciding.h"

#include "collector/ledger/plausible.h"
#include "collector/ledger/step.h"
#include "lib/clock.h"
#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>

#define AHEAD_MS INT64_C(300000)

struct text {
    char at[CLOCK_TEXT_SIZE];
};

static struct text text_of(int64_t time_ms)
{
    struct text text;
    clock_format_utc(time_ms, text.at);
    return text;
}
#define TIME(ms) (text_of(ms).at)

static enum status check_alone(const struct meters_item *item, const struct decided_set *in_force,
    const struct ruling *r, struct error *err)
{
    for (size_t i = 0; i < in_force->count; i++)
        if (ruling_touches(&in_force->items[i], r))
            return error_set(err, ST_INVALID,
                "decision %lld (%s) of meter %s is about this already; expected another time, or that one "
                "undone first",
                (long long)in_force->items[i].id, decided_kind_name(in_force->items[i].kind), item->park->id);
    return ST_OK;
}

/* Nobody knows what will be; clocks may differ so much. */
static enum status check_past(const struct ruling *r, int64_t now_ms, const char *expected, struct error *err)
{
    return r->from_ms <= now_ms + AHEAD_MS
               ? ST_OK
               : error_set(err, ST_INVALID, "%s is in the future; expected %s", TIME(r->from_ms), expected);
}

/* ---- outlier ---- */

static enum status find_times(
    struct bookkeeper *b, const struct meters_item *item, struct ruling *r, struct error *err)
{
    struct unwrap_reading *found = mem_alloc((DECIDING_TIMES_MAX + 1) * sizeof *found);
    size_t count = 0;
    enum status status = books_list(
        b->books, &item->books, r->from_ms - 1, r->until_ms, found, DECIDING_TIMES_MAX + 1, &count, err);
    int64_t *times = mem_alloc((count + 1) * sizeof *times);
    for (size_t i = 0; i < count; i++)
        times[i] = found[i].time_ms;
    free(found);
    r->times = times; /* the caller's, whatever comes */
    r->time_count = count;
    if (status == ST_OK && count > DECIDING_TIMES_MAX)
        status = error_set(err, ST_INVALID,
            "more than %d readings of meter %s from %s to %s; expected fewer in one decision",
            DECIDING_TIMES_MAX, item->park->id, TIME(r->from_ms), TIME(r->until_ms));
    if (status == ST_OK && count == 0)
        status = error_set(err, ST_INVALID, "meter %s has no reading from %s to %s that could be an outlier",
            item->park->id, TIME(r->from_ms), TIME(r->until_ms));
    if (status == ST_OK) {
        r->from_ms = times[0];
        r->until_ms = times[count - 1];
    }
    return status;
}

/* ---- reset, replacement ---- */

static enum status check_segments(
    const struct meters_item *item, const struct deciding *request, struct ruling *r, struct error *err)
{
    const struct segments *all = &item->books.segments;
    int64_t inside = segment_inside(all, r->from_ms);
    if (inside == SEGMENT_NONE)
        return error_set(err, ST_INVALID,
            "meter %s has no segment with %s inside; expected an instant after one begins and before it ends",
            item->park->id, TIME(r->from_ms));
    struct segment before = all->items[inside], after = before;
    before.until_ms = after.from_ms = r->from_ms;
    before.has_end = after.has_start = true;
    before.end = r->end;
    after.start = r->next.start;
    after.modulus = request->has_modulus ? r->next.modulus : after.modulus;
    after.resolution = request->has_resolution ? r->next.resolution : after.resolution;
    after.max_rate = request->has_max_rate ? r->next.max_rate : after.max_rate;
    after.p = request->has_ratio ? r->next.p : after.p;
    after.q = request->has_ratio ? r->next.q : after.q;
    const char *problem = segment_problem(&before);
    if (problem == NULL)
        problem = segment_problem(&after);
    r->next = after;
    return problem == NULL ? ST_OK
                           : error_set(err, ST_INVALID, "meter %s at %s: the segment %s", item->park->id,
                                 TIME(r->from_ms), problem);
}

/* What a count at an instant goes on from: the last reading of the same register, else the register that was logged where its
 * segment begins. False: from nothing. */
static enum status find_before(struct bookkeeper *b, const struct meters_item *item, int64_t segment,
    int64_t at_ms, struct step_point *ret, bool *ret_is_found, struct error *err)
{
    const struct segments *all = &item->books.segments;
    const struct segment *s = &all->items[segment];
    struct unwrap_reading last;
    enum status status = books_last(b->books, &item->books, at_ms, &last, ret_is_found, err);
    if (status != ST_OK)
        return status;
    if (*ret_is_found && segment_of(all, last.point, last.time_ms, last.count) == segment) {
        *ret = (struct step_point){.time_ms = last.time_ms, .segment = segment, .count = last.count};
    } else {
        *ret = (struct step_point){.time_ms = s->from_ms, .segment = segment, .count = s->start};
        *ret_is_found = s->has_start && s->from_ms < at_ms;
    }
    return ST_OK;
}

/* Beyond the last reading no reading can say that the registers explain nothing. */
static enum status check_end(
    struct bookkeeper *b, const struct meters_item *item, const struct decided *d, struct error *err)
{
    const struct ruling *r = &d->ruling;
    const struct segments *all = &item->books.segments;
    int64_t inside = segment_inside(all, r->from_ms), counts;
    struct unwrap_reading next;
    struct step_point last;
    size_t count;
    bool is_found;
    enum status status = books_list(b->books, &item->books, r->from_ms - 1, INT64_MAX, &next, 1, &count, err);
    if (status != ST_OK || count > 0 || d->is_forced)
        return status;
    status = find_before(b, item, inside, r->from_ms, &last, &is_found, err);
    if (status == ST_OK && is_found &&
        !plausible_counts(&all->items[inside], r->from_ms - last.time_ms, last.count, r->end, &counts))
        status = error_set(err, ST_INVALID,
            "the register of meter %s read %lld at %s, and cannot have read %lld at %s; expected what it "
            "read "
            "last, or force with the reason in why",
            item->park->id, (long long)last.count, TIME(last.time_ms), (long long)r->end, TIME(r->from_ms));
    return status;
}

/* ---- energy ---- */

static enum status is_open(struct db *db, int64_t meter, const struct ruling *r, bool *ret, struct error *err)
{
    struct db_stmt *find = db_keep(db, "SELECT 1 FROM ledger_event WHERE meter = ?1 AND from_ms = ?2"
                                       " AND until_ms = ?3 AND state = 0 AND kind IN (5, 6, 7)");
    db_bind_int(find, 1, meter);
    db_bind_int(find, 2, r->from_ms);
    db_bind_int(find, 3, r->until_ms);
    enum status status = db_step(find, ret, err);
    db_reset(find);
    return status;
}

/* What the highest max_rate of the segments that the span touches allows in it. */
static bool is_above_rate(const struct segments *all, const struct ruling *r)
{
    int64_t highest = 0;
    for (int64_t i = 0; i < all->count; i++)
        if (all->items[i].from_ms < r->until_ms && all->items[i].until_ms > r->from_ms &&
            all->items[i].max_rate > highest)
            highest = all->items[i].max_rate;
    return (__int128)r->energy * SEGMENT_HOUR_MS > (__int128)highest * (r->until_ms - r->from_ms);
}

static enum status check_energy(
    struct bookkeeper *b, const struct meters_item *item, const struct decided *d, struct error *err)
{
    const struct ruling *r = &d->ruling;
    bool is_there;
    enum status status = is_open(b->db, item->books.id, r, &is_there, err);
    if (status != ST_OK)
        return status;
    if (!is_there || r->until_ms == INT64_MAX)
        return error_set(err, ST_INVALID,
            "meter %s has no open exception from %s to %s; expected exactly the span of one that has an end",
            item->park->id, TIME(r->from_ms), r->until_ms == INT64_MAX ? "now" : TIME(r->until_ms));
    if (r->energy < 0)
        return error_set(err, ST_INVALID,
            "the energy of meter %s is %lld; expected 0 or more: a register counts upwards", item->park->id,
            (long long)r->energy);
    if (r->energy > SEGMENT_COUNT_MAX)
        return error_set(err, ST_INVALID,
            "the energy of meter %s is %lld; expected at most %lld, whatever is forced", item->park->id,
            (long long)r->energy, (long long)SEGMENT_COUNT_MAX);
    if (!d->is_forced && is_above_rate(&item->books.segments, r))
        return error_set(err, ST_INVALID,
            "%lld from %s to %s is more than the max_rate of meter %s allows; expected less, or force with "
            "the reason in why",
            (long long)r->energy, TIME(r->from_ms), TIME(r->until_ms), item->park->id);
    return ST_OK;
}

/* ---- a reading by hand ---- */

enum fit { FIT_GOOD, FIT_BELOW, FIT_ABOVE };

static enum fit fit_of(const struct segments *all, const struct step_point *from, const struct step_point *to)
{
    struct step step;
    if (from->segment != to->segment || to->segment == SEGMENT_NONE ||
        step_is_plausible(all, from, to, &step))
        return FIT_GOOD; /* or of another register */
    return to->count < from->count ? FIT_BELOW : FIT_ABOVE;
}

static struct step_point point_of(const struct segments *all, const struct unwrap_reading *reading)
{
    return (struct step_point){.time_ms = reading->time_ms,
        .segment = segment_of(all, reading->point, reading->time_ms, reading->count),
        .count = reading->count};
}

static enum status complain_of_rate(
    const struct meters_item *item, const struct ruling *r, const struct step_point *other, struct error *err)
{
    return error_set(err, ST_INVALID,
        "from %lld at %s to %lld at %s is more than the max_rate of meter %s allows; expected less, or force "
        "with the reason in why",
        (long long)(other->time_ms < r->from_ms ? other->count : r->count),
        TIME(other->time_ms < r->from_ms ? other->time_ms : r->from_ms),
        (long long)(other->time_ms < r->from_ms ? r->count : other->count),
        TIME(other->time_ms < r->from_ms ? r->from_ms : other->time_ms), item->park->id);
}

static enum status check_neighbours(struct bookkeeper *b, const struct meters_item *item, int64_t segment,
    const struct decided *d, struct error *err)
{
    const struct segments *all = &item->books.segments;
    const struct ruling *r = &d->ruling;
    struct step_point given = {.time_ms = r->from_ms, .segment = segment, .count = r->count}, last, next;
    struct unwrap_reading reading;
    size_t count;
    bool is_found;
    enum status status = find_before(b, item, segment, r->from_ms, &last, &is_found, err);
    enum fit fit = status == ST_OK && is_found ? fit_of(all, &last, &given) : FIT_GOOD;
    if (fit == FIT_BELOW)
        return error_set(err, ST_INVALID,
            "%lld at %s is below the last reading of meter %s, %lld at %s; expected no less, or a reset "
            "decided before",
            (long long)r->count, TIME(r->from_ms), item->park->id, (long long)last.count, TIME(last.time_ms));
    if (fit == FIT_ABOVE && !d->is_forced)
        return complain_of_rate(item, r, &last, err);
    if (status == ST_OK)
        status = books_list(b->books, &item->books, r->from_ms, INT64_MAX, &reading, 1, &count, err);
    if (status != ST_OK || count == 0)
        return status;
    next = point_of(all, &reading);
    fit = fit_of(all, &given, &next);
    if (fit == FIT_BELOW)
        return error_set(err, ST_INVALID,
            "%lld at %s is above the next reading of meter %s, %lld at %s; expected no more",
            (long long)r->count, TIME(r->from_ms), item->park->id, (long long)next.count, TIME(next.time_ms));
    return fit == FIT_ABOVE && !d->is_forced ? complain_of_rate(item, r, &next, err) : ST_OK;
}

/* A register that is read by eye shows no sign, but where it was told to begin below 0. */
static bool can_read(const struct segment *s, int64_t count)
{
    return segment_takes(s, count) && (count >= 0 || (s->has_start && s->start < 0));
}

static enum status check_reading(struct bookkeeper *b, const struct meters_item *item,
    const struct decided *d, int64_t now_ms, struct error *err)
{
    const struct ruling *r = &d->ruling;
    const struct segments *all = &item->books.segments;
    int64_t segment = segment_of_time(all, r->from_ms);
    if (segment == SEGMENT_NONE)
        return error_set(err, ST_INVALID, "meter %s has no segment at %s", item->park->id, TIME(r->from_ms));
    const char *point = item->meter.points[all->items[segment].point];
    if (point != NULL)
        return error_set(err, ST_INVALID,
            "meter %s is read at %s; expected a meter without a point, or what is decided of an exception",
            item->park->id, point);
    if (!can_read(&all->items[segment], r->count))
        return error_set(err, ST_INVALID, "the register of meter %s cannot read %lld", item->park->id,
            (long long)r->count);
    bool is_taken;
    enum status status = check_past(r, now_ms, "when the meter was read", err);
    if (status == ST_OK)
        status = books_has_reading(b->books, &item->books, r->from_ms, &is_taken, err);
    if (status == ST_OK && is_taken)
        status = error_set(
            err, ST_INVALID, "meter %s has a reading of %s already", item->park->id, TIME(r->from_ms));
    return status == ST_OK ? check_neighbours(b, item, segment, d, err) : status;
}

enum status deciding_check(struct bookkeeper *b, const struct meters_item *item,
    const struct decided_set *in_force, const struct deciding *request, int64_t now_ms, struct decided *d,
    struct error *err)
{
    struct ruling *r = &d->ruling;
    enum status status = ST_OK;
    switch (r->kind) {
    case RULING_WITHDRAWAL:
        return ST_OK;
    case RULING_OUTLIER:
        status = find_times(b, item, r, err);
        break;
    case RULING_RESET:
    case RULING_REPLACED:
        status = check_alone(item, in_force, r, err);
        if (status == ST_OK)
            status = check_past(r, now_ms, "when it was done", err);
        if (status == ST_OK)
            status = check_segments(item, request, r, err);
        return status == ST_OK ? check_end(b, item, d, err) : status;
    case RULING_ENERGY:
        status = check_alone(item, in_force, r, err);
        return status == ST_OK ? check_energy(b, item, d, err) : status;
    case RULING_READING:
        status = check_alone(item, in_force, r, err);
        return status == ST_OK ? check_reading(b, item, d, now_ms, err) : status;
    }
    return status == ST_OK ? check_alone(item, in_force, r, err) : status;
}
