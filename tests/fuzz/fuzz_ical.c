/* Calendars of bookings: any text, read over two horizons. */
#include "collector/instrument/ical_read.h"
#include "tests/fuzz/fuzz.h"

static const struct busy horizon = {INT64_C(1790812800000), INT64_C(1807747200000)};

static void check(const struct ical_reading *r, struct busy within)
{
    bool has_unread = false;
    LAW(r->booking_count <= ICAL_BOOKINGS_MAX, "more bookings than are allowed");
    for (size_t i = 0; i < r->busy.count; i++) {
        LAW(r->busy.items[i].begin_ms < r->busy.items[i].end_ms, "a span is empty");
        LAW(r->busy.items[i].begin_ms >= within.begin_ms && r->busy.items[i].end_ms <= within.end_ms,
            "a span leaves the horizon");
        LAW(i == 0 || r->busy.items[i - 1].end_ms < r->busy.items[i].begin_ms, "spans are not merged");
    }
    for (size_t i = 0; i < r->booking_count; i++) {
        LAW(busy_list_has(&r->busy, r->bookings[i].span.begin_ms) &&
                busy_list_has(&r->busy, r->bookings[i].span.end_ms - 1),
            "a booking is not busy");
        has_unread = has_unread || r->bookings[i].is_unread;
    }
    LAW(!has_unread || r->problem_count > 0, "something was not read, and nobody is told");
    LAW(r->event_count > 0 || r->busy.count == 0, "busy without an event");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct zone *site;
    if (site == NULL)
        site = zone_create("Europe/Berlin");
    struct span text = {(const char *)data, size};
    struct ical_reading whole, part;
    struct error err = {""};
    if (ical_read(text, &(struct ical_read_options){"x", site, horizon}, &whole, &err) != ST_OK) {
        LAW(err.text[0] != '\0', "refused without a reason");
        return 0;
    }
    check(&whole, horizon);
    /* What can be read does not depend on how far is looked. */
    struct busy half = {horizon.begin_ms, horizon.begin_ms + (horizon.end_ms - horizon.begin_ms) / 2};
    LAW(ical_read(text, &(struct ical_read_options){"x", site, half}, &part, &err) == ST_OK, "refused now");
    check(&part, half);
    LAW(part.event_count == whole.event_count && part.is_whole == whole.is_whole, "other events");
    if (whole.problem_count == 0 && part.problem_count == 0) {
        struct busy_list cut = {0};
        busy_list_add_all(&cut, &whole.busy, half);
        LAW(busy_list_is_equal(&cut, &part.busy),
            "the first half is busy at other times than the whole says");
        busy_list_release(&cut);
    }
    ical_reading_release(&whole);
    ical_reading_release(&part);
    return 0;
}
