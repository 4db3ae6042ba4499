/*
 * A reserve: a file beside a database that holds disk space for nothing, until the disk is full. Then it is
 * given up, and what it held is enough to delete, to commit that and to go on. It is taken again when the
 * disk has room for it and as much besides. One thread.
 */
#pragma once

#include "lib/status.h"

#include <stdbool.h>
#include <stdint.h>

struct reserve {
    char *beside;
    char *path;
    int64_t bytes;
    bool is_held;
};

/* "<beside>.reserve" for the file `beside`. Takes nothing yet, but finds what an earlier run holds. */
void reserve_init(struct reserve *r, const char *beside, int64_t bytes);
void reserve_release(struct reserve *r); /* the file stays; accepts a zeroed one */

/* What must be free for it to be taken: room for as much again, or it would be given up at the next commit. */
int64_t reserve_needs_bytes(const struct reserve *r);
/* Holds the space; does nothing where it is held. ST_FULL: the disk has no room for it; ST_STORAGE: it cannot
 * be written. Nothing of it is left then. Cheap while the disk is full: it may be tried as often as one
 * likes. */
enum status reserve_take(struct reserve *r, struct error *err);
/* Gives the space back to the disk. True when there was some: what failed for want of room is worth another
 * try. */
bool reserve_give_up(struct reserve *r);
