/*
 * What a person, or another system, tells of a session of an instrument, or of a resource: refused in one sentence, or one transaction of what
 * it changes (collector/instrument/told.h) and its entry in the log of changes. An event is known by its id, as that of a card reader is:
 * told again it changes nothing. Core thread, between two turns.
 *
 * An event is of now, or of a time that was told, if that is not before the newest event of its instrument: sessions are told in
 * their order, because an event says what holds from then on.
 */
#pragma once

#include "collector/watch.h"

#define TELLING_AGO_MS (31 * INT64_C(86400000)) /* no event is further back */

struct telling {
    struct session_event event; /* time_ms 0 = now */
    int64_t token;
    const char *who; /* borrowed */
};

struct telling_result {
    enum told_news news;
    struct told_session session; /* that it opened or closed; of one that was known: id 0 */
};

/* That a resource is up again, though its point does not say so. One that has no point has outages alone. */
#define TELLING_WHY_MAX 500
struct telling_resource {
    const char *resource, *why; /* borrowed */
    int64_t token;
    const char *who;
};

/* ST_INVALID: refused, with why; ST_UNREACHABLE: instruments are not watched yet. Both leave everything as it was. Any other
 * failure is that of a turn. */
enum status telling_run(struct watch *w, const struct clock *clock, const struct telling *request,
    struct telling_result *ret, struct error *err);
/* telling_resource.c; the same. */
enum status telling_resource_run(struct watch *w, const struct clock *clock,
    const struct telling_resource *request, struct told_resource *ret, struct error *err);
