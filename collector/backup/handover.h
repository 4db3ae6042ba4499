/*
 * What persons did in a database that a restore replaces, and the restored one does not know. Readings come again from the
 * agents; a decision comes from nowhere. So each that would be lost is named, and lost only where that was asked for.
 *
 * Words of people are what they told of sessions, outages, resources, calendars, and how many people there are: each has an entry in
 * the log of changes, and is lost where the restored database does not have that entry. One that was lost by an earlier restore
 * is named again by the next that goes back behind it.
 *
 * A decision is the same in two databases where its id, meter, kind, span, instant, who and why are the same; a closing where its id,
 * site, month, instant, who and why are. An id is given
 * once: the next one is above all that either database has given. The log of changes is only added to: the restored database
 * has the entries of both, and one more for each of these that was lost, and one for numbers
 * that are left out (HANDOVER_GAP).
 */
#pragma once

#include "lib/status.h"

/* What of the log of changes says so: "decisions", "closings", "outages" or "sessions", the first number, and the last. */
#define HANDOVER_GAP "%s %lld to %lld"

#include <stdbool.h>
#include <stdint.h>

/* `restored`: a copy of a backup that nobody uses yet; it gets the format of this program and is on the disk. `replaced`: what it
 * replaces. Prints each decision, closing and word that only that one has. ST_INVALID with *ret_is_refused: there are such, and `drops` is
 * false; nothing was changed. Where `replaced` is damaged or of something else, nobody knows which there are: then that is
 * printed, and the next ids leave room for them. */
enum status handover_run(
    const char *restored, const char *replaced, bool drops, bool *ret_is_refused, struct error *err);
