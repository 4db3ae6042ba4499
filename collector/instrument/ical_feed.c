#include "collector/instrument/ical_feed.h"

#include "lib/ical.h"

#include <inttypes.h>
#include <stdio.h>

static int64_t floor_second(int64_t time_ms)
{
    return time_ms - ((time_ms % 1000) + 1000) % 1000;
}

static void write_event(struct buf *out, const struct ical_feed *feed, const struct busy *span)
{
    struct buf uid = {0};
    int64_t begin_ms = floor_second(span->begin_ms);
    buf_printf(&uid, "%s-%" PRId64 "@%s", feed->instrument, begin_ms / 1000, feed->domain);
    ical_write(out, "BEGIN", "VEVENT");
    ical_write_text(out, "UID", uid.data);
    ical_write_time(out, "DTSTAMP", feed->as_of_ms);
    ical_write_time(out, "DTSTART", begin_ms);
    ical_write_time(out, "DTEND", floor_second(span->end_ms + 999));
    ical_write_text(out, "SUMMARY", feed->busy);
    if (feed->note != NULL)
        ical_write_text(out, "DESCRIPTION", feed->note);
    ical_write(out, "TRANSP", "OPAQUE");
    ical_write(out, "CLASS", "PUBLIC");
    ical_write(out, "X-MICROSOFT-CDO-BUSYSTATUS", "BUSY");
    ical_write(out, "END", "VEVENT");
    buf_release(&uid);
}

void ical_feed_write(struct buf *out, const struct ical_feed *feed)
{
    char every[32];
    snprintf(every, sizeof every, "PT%dM", feed->refresh_min);
    ical_write(out, "BEGIN", "VCALENDAR");
    ical_write(out, "VERSION", "2.0");
    ical_write(out, "PRODID", "-//Parkmon//Instruments//EN");
    ical_write(out, "CALSCALE", "GREGORIAN");
    ical_write(out, "METHOD", "PUBLISH");
    ical_write_text(out, "X-WR-CALNAME", feed->name);
    ical_write_text(out, "NAME", feed->name);
    if (feed->note != NULL)
        ical_write_text(out, "X-WR-CALDESC", feed->note);
    ical_write(out, "REFRESH-INTERVAL;VALUE=DURATION", every);
    ical_write(out, "X-PUBLISHED-TTL", every);
    for (size_t i = 0; i < feed->spans->count; i++)
        write_event(out, feed, &feed->spans->items[i]);
    ical_write(out, "END", "VCALENDAR");
}
