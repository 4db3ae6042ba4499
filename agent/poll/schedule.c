#include "agent/poll/schedule.h"

/* A step of the wall clock by more than this lays the grid anew. */
#define STEP_MS 500

void schedule_init(struct schedule *s, int64_t every_ms, int64_t now_mono_ms)
{
    *s = (struct schedule){.every_ms = every_ms, .due_mono_ms = now_mono_ms};
}

/* The first instant after `from_mono_ms` at which wall time is a multiple of the period. */
static int64_t grid_after(const struct schedule *s, int64_t from_mono_ms)
{
    int64_t wall = from_mono_ms + s->offset_ms;
    return from_mono_ms + s->every_ms - wall % s->every_ms;
}

int64_t schedule_next(struct schedule *s, int64_t now_mono_ms, int64_t now_wall_ms, bool is_success)
{
    int64_t offset = now_wall_ms - now_mono_ms, step = s->has_grid ? offset - s->offset_ms : 0;
    int64_t missed = 0;
    if (!s->has_grid || step > STEP_MS || step < -STEP_MS) {
        s->has_grid = true;
        s->offset_ms = offset;
        s->due_mono_ms = grid_after(s, now_mono_ms);
    } else {
        s->due_mono_ms += s->every_ms;
        if (s->due_mono_ms <= now_mono_ms) {
            missed = (now_mono_ms - s->due_mono_ms) / s->every_ms + 1;
            s->due_mono_ms += missed * s->every_ms;
        }
    }
    if (is_success) {
        s->failures = 0;
        return missed;
    }
    int64_t periods = (int64_t)1 << (s->failures < 16 ? s->failures : 16);
    int64_t periods_max = SCHEDULE_BACKOFF_MAX_MS / s->every_ms;
    if (periods > periods_max)
        periods = periods_max > 0 ? periods_max : 1;
    s->due_mono_ms += (periods - 1) * s->every_ms;
    s->failures++;
    return missed;
}

void schedule_forgive(struct schedule *s, int64_t now_mono_ms)
{
    if (s->failures == 0)
        return;
    s->failures = 0;
    int64_t due_mono_ms = s->has_grid ? grid_after(s, now_mono_ms) : now_mono_ms;
    if (due_mono_ms < s->due_mono_ms)
        s->due_mono_ms = due_mono_ms;
}
