#include "collector/ledger/books_private.h"

#include <stdlib.h>
#include <string.h>

size_t books_leave_disregarded(const struct books_call *c, struct unwrap_reading *readings, size_t count)
{
    const struct overlay *o = c->meter->overlay;
    if (o == NULL || o->disregarded_count == 0)
        return count;
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (!overlay_disregards(o, readings[i].time_ms))
            readings[kept++] = readings[i];
    return kept;
}

/* A reading by hand into those in order of time; at the limit the last of them waits for the next time. */
static size_t insert(
    struct unwrap_reading *readings, size_t count, size_t limit, const struct unwrap_reading *reading)
{
    size_t at = count;
    while (at > 0 && readings[at - 1].time_ms > reading->time_ms)
        at--;
    if (at == limit)
        return count;
    size_t moved = (count < limit ? count : limit - 1) - at;
    memmove(&readings[at + 1], &readings[at], moved * sizeof *readings);
    readings[at] = *reading;
    return at + moved + 1;
}

static bool is_taken(struct books_call *c, int64_t time_ms)
{
    int64_t first_ms, last_ms;
    return books_readings_between(c, time_ms - 1, time_ms + 1, &first_ms, &last_ms);
}

static size_t add_by_hand(struct books_call *c, int64_t after_ms, int64_t until_ms,
    struct unwrap_reading *readings, size_t count, size_t limit)
{
    const struct overlay *o = c->meter->overlay;
    size_t i = overlay_by_hand_after(o, after_ms);
    for (size_t added = 0; i < o->by_hand_count && o->by_hand[i].time_ms <= until_ms && added < limit; i++) {
        if (is_taken(c, o->by_hand[i].time_ms))
            continue;
        struct unwrap_reading reading = o->by_hand[i];
        reading.point = books_point_number(c->meter, 0);
        count = insert(readings, count, limit, &reading);
        added++;
    }
    return count;
}

size_t books_next_readings(struct books_call *c, int64_t after_ms, struct unwrap_reading *ret, size_t limit)
{
    for (;;) {
        size_t read = books_read_readings(c, after_ms, ret, limit);
        if (c->meter->overlay == NULL)
            return read;
        int64_t until_ms = read == limit ? ret[read - 1].time_ms : INT64_MAX;
        size_t count = books_leave_disregarded(c, ret, read);
        count = add_by_hand(c, after_ms, until_ms, ret, count, limit);
        if (count > 0 || read < limit)
            return count;
        after_ms = until_ms;
    }
}

/* Of the set there is at least one where the fold says so; of a span's two ends only evidence can be disregarded. */
bool books_next_between(
    struct books_call *c, int64_t from_ms, int64_t until_ms, int64_t *ret_first_ms, int64_t *ret_last_ms)
{
    const struct overlay *o = c->meter->overlay;
    int64_t first_ms, last_ms, found_ms;
    bool is_found = books_readings_between(c, from_ms, until_ms, &first_ms, &last_ms);
    while (is_found && o != NULL && overlay_disregards(o, first_ms))
        is_found = books_readings_between(c, first_ms, until_ms, &first_ms, &found_ms);
    while (is_found && o != NULL && overlay_disregards(o, last_ms))
        is_found = books_readings_between(c, from_ms, last_ms, &found_ms, &last_ms);
    for (size_t i = o != NULL ? overlay_by_hand_after(o, from_ms) : 0;
         o != NULL && i < o->by_hand_count && o->by_hand[i].time_ms < until_ms; i++) {
        int64_t time_ms = o->by_hand[i].time_ms;
        if (is_taken(c, time_ms))
            continue;
        first_ms = is_found && first_ms < time_ms ? first_ms : time_ms;
        last_ms = is_found && last_ms > time_ms ? last_ms : time_ms;
        is_found = true;
    }
    if (is_found) {
        *ret_first_ms = first_ms;
        *ret_last_ms = last_ms;
    }
    return is_found;
}

/* ---- for whoever decides ---- */

enum status books_list(struct books *b, const struct books_meter *meter, int64_t after_ms, int64_t until_ms,
    struct unwrap_reading *ret, size_t limit, size_t *ret_count, struct error *err)
{
    struct books_call c = books_look(b, meter, err);
    size_t count = 0, more = 0;
    for (; count < limit && c.status == ST_OK; count += more) {
        more = books_next_readings(
            &c, count > 0 ? ret[count - 1].time_ms : after_ms, &ret[count], limit - count);
        if (more == 0 || ret[count].time_ms > until_ms)
            break;
    }
    while (count > 0 && ret[count - 1].time_ms > until_ms)
        count--;
    *ret_count = count;
    return c.status;
}

enum status books_last(struct books *b, const struct books_meter *meter, int64_t before_ms,
    struct unwrap_reading *ret, bool *ret_is_found, struct error *err)
{
    struct books_call c = books_look(b, meter, err);
    int64_t first_ms, last_ms;
    size_t count = 0;
    *ret_is_found = books_next_between(&c, BOOKS_NONE, before_ms, &first_ms, &last_ms);
    if (!*ret_is_found || c.status != ST_OK)
        return c.status;
    return books_list(b, meter, last_ms - 1, last_ms, ret, 1, &count, err);
}

enum status books_has_reading(
    struct books *b, const struct books_meter *meter, int64_t time_ms, bool *ret, struct error *err)
{
    struct books_call c = books_look(b, meter, err);
    *ret = is_taken(&c, time_ms);
    return c.status;
}
