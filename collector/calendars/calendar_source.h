/*
 * One calendar of bookings, outside: a file that others replace, or a URL. Each attempt reads it where it may have changed,
 * and turns it into busy times (collector/instrument/ical_read.h). Used by one thread at a time.
 *
 *  - A file is read where its device, inode, size or time of change is another than before, and again while that time is
 *    younger than a file system can tell apart. One that changes while it is read is a failure: it should be replaced
 *    by rename.
 *  - A URL is asked with the ETag and Last-Modified of its last answer (RFC 9110, 13.1), if that was a whole calendar.
 *    Redirects: 3 at most, never from https to http. Errors name the host only: paths of calendars are often secrets.
 *  - As time goes on the horizon does, too: what has not changed is read again after a day.
 */
#pragma once

#include "collector/instrument/ical_read.h"

#define CALENDAR_BACK_MS (35 * INT64_C(86400000)) /* of the horizon, before and after now */
#define CALENDAR_AHEAD_MS (400 * INT64_C(86400000))
#define CALENDAR_AGAIN_MS INT64_C(86400000)

struct calendar_source;

struct calendar_source_options { /* copied, but for `site` */
    const char *id;
    const char *path, *url;      /* one of them; a URL without user and password in it */
    const char *user, *password; /* NULL = none */
    const struct zone *site;     /* borrowed; outlives the source */
    int timeout_ms;              /* of a whole exchange */
    int64_t period_ms;           /* how often it is to be tried, by whoever does */
};

enum calendar_outcome {
    CALENDAR_READ,
    CALENDAR_SAME, /* it is what it was when it was last read */
    CALENDAR_FAILED,
};

/* ST_INVALID: neither or both of path and URL, no http or https, or a user in it. */
enum status calendar_source_create(
    const struct calendar_source_options *options, struct calendar_source **ret, struct error *err);
void calendar_source_destroy(struct calendar_source *s); /* accepts NULL */
/* Blocks, at most for the time-out (a file: as long as the file system does). CALENDAR_READ: `ret` is the caller's to
 * release. CALENDAR_FAILED: one line in `err`, beginning with the id. */
enum calendar_outcome calendar_source_try(
    struct calendar_source *s, int64_t now_ms, struct ical_reading *ret, struct error *err);
/* Ends an attempt of another thread soon, and every later one. A file's cannot be ended. */
void calendar_source_cancel(struct calendar_source *s);
bool calendar_source_is_file(const struct calendar_source *s);
int64_t calendar_source_period_ms(const struct calendar_source *s);
