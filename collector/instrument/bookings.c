#include "collector/instrument/bookings.h"

void bookings_release(struct bookings *b)
{
    busy_list_release(&b->busy);
    *b = (struct bookings){0};
}

static bool is_booked_after(const struct busy_list *list, int64_t time_ms)
{
    return busy_list_at(list, time_ms) < list->count;
}

static void replace(struct bookings *b, const struct ical_reading *reading, int64_t now_ms)
{
    b->busy.count = 0;
    busy_list_add_all(&b->busy, &reading->busy, reading->horizon);
    b->known_ms = now_ms;
    b->emptied_ms = 0;
    b->is_cut = false;
}

void bookings_take(struct bookings *b, const struct ical_reading *reading, int64_t now_ms)
{
    bool has_turned_empty = reading->event_count == 0 && is_booked_after(&b->busy, now_ms);
    if (!reading->is_whole) {
        struct busy all = {INT64_MIN, INT64_MAX};
        busy_list_add_all(&b->busy, &reading->busy, all);
        busy_list_merge(&b->busy);
        b->known_ms = now_ms;
        b->is_cut = true;
    } else if (!has_turned_empty)
        replace(b, reading, now_ms);
    else if (b->emptied_ms == 0)
        b->emptied_ms = now_ms;
    b->horizon = reading->horizon;
    b->problem_count = reading->problem_count;
    b->is_read_in_part = reading->problem_count > 0;
}

void bookings_is_unchanged(struct bookings *b, int64_t now_ms)
{
    if (b->emptied_ms != 0 && !is_booked_after(&b->busy, now_ms))
        bookings_confirm_empty(b, now_ms);
    else if (b->known_ms != 0 && b->emptied_ms == 0)
        b->known_ms = now_ms;
}

bool bookings_confirm_empty(struct bookings *b, int64_t now_ms)
{
    if (b->emptied_ms == 0)
        return false;
    replace(b, &(struct ical_reading){.horizon = b->horizon}, now_ms);
    return true;
}

enum availability_quality bookings_quality(const struct bookings *b, int64_t period_ms, int64_t now_ms)
{
    int64_t last_ms = b->known_ms != 0 ? b->known_ms : AVAILABILITY_NONE;
    enum availability_quality by_age = availability_source_at(now_ms, last_ms, period_ms).quality;
    if (b->known_ms != 0 && b->is_cut)
        return SOURCE_CONFLICT;
    if (b->known_ms != 0 && (b->emptied_ms != 0 || now_ms >= b->horizon.end_ms))
        return SOURCE_STALE;
    return by_age == SOURCE_GOOD && b->is_read_in_part ? SOURCE_LATE : by_age;
}
