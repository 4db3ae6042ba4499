/*
 * What is ahead of an instrument, from its item of the board: when it is open, taken and free, and when several are free
 * together. Pure. As honest as the board's answer: where that does not foretell `next_free`, nothing here is free.
 */
#pragma once

#include "collector/instrument/board.h"
#include "collector/instrument/busy.h"

/* Each adds, of [from, until), merged spans to an empty list, which the caller releases. */
void ahead_open(const struct board_item *item, int64_t from_ms, int64_t until_ms, struct busy_list *ret);
/* Booked, or a planned outage, of those that the board has: what was over when it was made is not among them. */
void ahead_taken(const struct board_item *item, int64_t from_ms, int64_t until_ms, struct busy_list *ret);
/* Open and not taken, from the answer's `next_free` on. False: that is not known. */
bool ahead_free(const struct board_item *item, int64_t from_ms, int64_t until_ms, struct busy_list *ret);

/* Of that what may be taken: gaps of the minimum slot and longer, also where only a part of one lies within the span. */
bool ahead_offered(const struct board_item *item, int64_t from_ms, int64_t until_ms, struct busy_list *ret);

enum ahead_found { AHEAD_SLOT, AHEAD_NONE, AHEAD_NOT_KNOWN };
extern const char *const ahead_founds[]; /* names by enum ahead_found */

struct ahead_slot {
    enum ahead_found found;
    int64_t length_ms; /* at least the minimum slot of each */
    int64_t begin_ms,
        until_ms; /* of AHEAD_SLOT: from when on, and until when all stay free; AVAILABILITY_NONE = no end
                                    is known */
    const struct board_item *of; /* of AHEAD_NOT_KNOWN: the first of which it is not known when it is free */
};
/* The first time within AVAILABILITY_AHEAD_MS from when on all `count` (at least 1) are free together for that long. */
struct ahead_slot ahead_find(const struct board_item *const *items, size_t count, int64_t length_ms);
