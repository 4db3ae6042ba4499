/*
 * The measurement `energy` of a time deleted in the store and written again from the books, beside a collector that
 * goes on posting, or without one. It writes nothing to the database.
 *
 * A day of a few meters at a time: what the books have of them is read; the store's rows of these meters and this day
 * are deleted, and that is written; then the books are read again, and where they say something else by now, all that
 * is done again. So when it is left, what was written last is what the books said afterwards, and whatever is newer
 * the collector posts later. A meter of which the books have nothing that day is left as it is.
 */
#pragma once

#include "collector/store/energy_body.h"
#include "collector/store/post.h"
#include "collector/store/unfinished.h"
#include "lib/progress.h"

struct rebuild_energy {
    struct db *db; /* all borrowed */
    struct energy_reader *reader;
    struct poster *poster;
    struct unfinished *unfinished;
    struct progress *progress;
    const char *site;           /* only meters that are there; NULL = all */
    int64_t from_hour, to_hour; /* since 1970, half-open */
    bool drops_unknown;         /* also delete what is of no such meter; not with a site */
    int64_t written;            /* quarter hours, so far */
};

/* ST_TIMEOUT: it was asked to end. What is deleted and not written is noted, for the next one or the collector. */
enum status rebuild_energy_run(struct rebuild_energy *r, struct error *err);
