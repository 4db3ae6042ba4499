/*
 * Which message of a device is new, by its frame counter and, where the message tells one, its own time. Pure.
 *
 * With a time on both sides a message is new when it is later than the newest one; at the same time, when its counter
 * is higher. Without, when its counter is higher. Anything else was seen before, or comes late, and changes nothing:
 * totals are cumulative, and the newest has them. A counter that is not higher though the message is later, or that
 * without times falls by more than FRAME_LATE_MAX, began anew: the device has joined the network again, or was reset.
 */
#pragma once

#include "lib/line.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAME_LATE_MAX 32 /* so many frames late a message may be, where nothing tells its time */

struct frame_mark {
    bool is_known;
    int64_t frame;
    int64_t time_ms; /* 0 = not told */
};

enum frame_verdict {
    FRAME_NEW,
    FRAME_SEEN, /* or late */
    FRAME_ANEW, /* new, and the counter began anew */
};

enum frame_verdict frame_judge(const struct frame_mark *newest, const struct frame_mark *message);

/* As it is noted in the spool. */
#define FRAME_TEXT_SIZE 48
void frame_format(const struct frame_mark *mark, char text[static FRAME_TEXT_SIZE]);
bool frame_parse(struct span text, struct frame_mark *ret);
