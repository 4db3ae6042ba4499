/*
 * When a device is polled next: absolute deadlines on the clock's grid (a device polled every 900 s is polled
 * on the quarter hours), and back-off for one that does not answer. Pure: times are arguments.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct schedule {
    int64_t every_ms;
    int64_t due_mono_ms;
    bool has_grid;     /* laid after the first poll */
    int64_t offset_ms; /* wall - monotonic when the grid was laid */
    int failures;      /* in a row */
};

/* The first poll is due at once. */
void schedule_init(struct schedule *s, int64_t every_ms, int64_t now_mono_ms);
/* After a poll that began when it was due. Moves to the next deadline after now. A success follows the grid,
 * and so does the first failure; each further one in a row doubles the distance (2, 4, 8, ... periods), up to
 * SCHEDULE_BACKOFF_MAX_MS. Returns how many deadlines were missed because polling took too long (0 = on time;
 * skipped ones do not count). */
int64_t schedule_next(struct schedule *s, int64_t now_mono_ms, int64_t now_wall_ms, bool is_success);
/* Why it failed is over: no more back-off, the next deadline is that of the grid. */
void schedule_forgive(struct schedule *s, int64_t now_mono_ms);

#define SCHEDULE_BACKOFF_MAX_MS (5 * 60 * 1000)
