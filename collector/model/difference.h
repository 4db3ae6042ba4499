/*
 * What two versions of the park model say differently, and which of it is of the past. Pure: the time is an argument.
 *
 * Nothing that held before now may change silently: whoever reported, billed or balanced by it would be contradicted by
 * his own figures. So each difference has a weight:
 *
 *   free   what is new and counts from now on, or for a time of which the books have no figure; what ends now or
 *          later, and what no figure depends on: names, notes, spaces, resources, calendars, the gauge that shows a
 *          meter's power; of an instrument what people read, its points and thresholds (what was seen by others stays)
 *   late   what is entered within DIFFERENCE_LATE_MS, in a month that is not closed; it is taken, and told. A replacement
 *          with its registers: the segment that was open ends and says `end`, or the next one begins and says `start`.
 *          A meter that is new. A device is mounted first and the file written afterwards, and the ledger keeps what it
 *          cannot explain open meanwhile. Whatever is new where the books themselves are no older than that: it is
 *          being set up
 *   past   everything else: a segment's device, point, times, registers, ratio, modulus, resolution and rate once it
 *          has begun; a meter's tags, carrier, gap and limits once it has a segment that has begun; where a gateway or
 *          building stands; a site's zone and region; what an instrument's hours are reckoned by (whose it is, its
 *          place, opening hours, caps, rated hours); a baseline once its reporting period has begun; a factor, price
 *          or schedule for days that have begun; a holiday that has begun; a new meter, virtual meter, factor, price,
 *          schedule or tariff that counts for days of which there are figures, and so the first date of a holiday in a
 *          year, or the last that goes, from its 1 January on (without one no cost of it is known); and whatever this
 *          module does not know
 *
 * What is entered for "now" is read a little later: up to DIFFERENCE_GRACE_MS before now is no past.
 */
#pragma once

#include "collector/model/facts.h"

#define DIFFERENCE_GRACE_MS INT64_C(3600000)
#define DIFFERENCE_LATE_MS (7 * INT64_C(86400000))

enum difference_weight { DIFFERENCE_FREE, DIFFERENCE_LATE, DIFFERENCE_PAST };

struct difference {
    enum difference_weight weight;
    const char *path;           /* borrowed from the facts, as are the others */
    const char *before, *after; /* as written; "" for an entry of a list; NULL = not there */
    const char *file;           /* where it stands now, or stood; NULL = not known */
    int line;                   /* 0 = the file as a whole */
    const char *expected;       /* of what is past: what else would do; "" = nothing */
};

struct differences {
    struct difference *items; /* by path */
    size_t count, capacity;
    size_t late, past; /* how many are so */
};

struct difference_now {
    int64_t now_ms;
    int64_t
        closed_ms; /* until then months are closed, of any site: nothing is entered late; INT64_MIN = none */
    int64_t day;   /* the local day (days since 1970) that has begun on the site that is furthest ahead */
    int64_t figures_ms; /* since when there are figures: the begin of the books; INT64_MAX = there are none */
    int64_t figures_day; /* its local day on the site that is furthest behind */
};

/* Both sorted, and borrowed as long as `ret` is used. An entry that comes or goes is one difference. */
void differences_find(const struct facts *before, const struct facts *after, const struct difference_now *now,
    struct differences *ret);
void differences_release(struct differences *d);
/* "file:line: path: was X, now Y". The caller frees it. */
char *difference_text(const struct difference *d);
/* The same, and that it is entered late, or what is expected where it is of the past. */
char *difference_sentence(const struct difference *d);
