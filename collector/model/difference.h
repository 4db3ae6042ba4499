/*
 * What two versions of the park model say differently, and which of it is of the past. Pure: the time is an argument.
 *
 * Nothing that held before now may change silently: whoever reported, billed or balanced by it would be contradicted by
 * his own figures. So each difference has a weight:
 *
 *   free   what is new (a meter, a row of factors for days that had none, a segment from now on), what ends now or
 *          later, and what no figure depends on: names, notes, spaces, resources, calendars, the gauge that shows a meter's power; of an instrument
 *          what people read, its points and thresholds (what was seen by others stays)
 *   late   a replacement that is entered within DIFFERENCE_LATE_MS, with its registers: the segment that was open
 *          ends and says `end`, or the next one begins and says `start`, in a month that is not closed. It is taken, and told. A device is
 *          replaced first and the file written afterwards, and the ledger keeps what it cannot explain open meanwhile
 *   past   everything else: a segment's device, point, times, registers, ratio, modulus, resolution and rate once it
 *          has begun; a meter's tags, carrier, gap and limits once it has a segment that has begun; where a gateway or
 *          building stands; a site's zone and region; what an instrument's hours
 *          are reckoned by (whose it is, its place, opening hours, caps, rated hours); a baseline once its reporting period has begun; a factor, price or schedule for days that have begun; and whatever
 *          this module does not know
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
        closed_ms; /* until then months are closed, of any site: nothing is entered late before it; INT64_MIN = none */
    int64_t day; /* the local day (days since 1970) that has begun on every site that is furthest ahead */
};

/* Both sorted, and borrowed as long as `ret` is used. An entry that comes or goes is one difference. */
void differences_find(const struct facts *before, const struct facts *after, const struct difference_now *now,
    struct differences *ret);
void differences_release(struct differences *d);
/* "file:line: path: was X, now Y", and what is expected where it is of the past. The caller frees it. */
char *difference_text(const struct difference *d);
