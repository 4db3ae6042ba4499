/*
 * An instrument's busy times as a calendar that Outlook, Apple Calendar and Thunderbird subscribe to (RFC 5545; METHOD,
 * X-WR-CALNAME and X-WR-CALDESC as these programs read them). No name of a person: each event says that it is busy, and nothing else.
 *
 * The text is a function of its arguments. An event's UID is made of the instrument and of its begin: a booking that
 * only becomes longer or shorter stays the same event, and has a later DTSTAMP.
 */
#pragma once

#include "collector/instrument/busy.h"
#include "lib/buf.h"

struct ical_feed {
    const char *instrument; /* its id */
    const char *domain;     /* of the UIDs, such as the collector's id */
    const char *name;       /* of the calendar: the instrument's, in any language */
    const char *busy;       /* what an event is called, "Busy"; not "" */
    const char *
        note; /* NULL = none; of the calendar, and a line below each event: how good it is, what is not in it */
    int refresh_min;               /* how often programs should ask again */
    int64_t as_of_ms;              /* UTC; DTSTAMP */
    const struct busy_list *spans; /* merged; times are cut to whole seconds, outwards */
};

void ical_feed_write(struct buf *out, const struct ical_feed *feed);
