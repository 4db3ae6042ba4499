#include "collector/instrument/activity.h"

#define GAP_PERIODS 3
#define GAP_LEAST_MS INT64_C(120000)

const char *const activity_names[] = {"unknown", "off", "standby", "running", (const char *)0};

int64_t activity_gap_ms(int64_t period_ms)
{
    return GAP_PERIODS * period_ms > GAP_LEAST_MS ? GAP_PERIODS * period_ms : GAP_LEAST_MS;
}

static enum activity_state state_of(const struct activity *a)
{
    if (!a->has_read)
        return ACTIVITY_UNKNOWN;
    return !a->steps[0].is_up ? ACTIVITY_OFF : !a->steps[1].is_up ? ACTIVITY_STANDBY : ACTIVITY_RUNNING;
}

static void add(struct activity_done *done, int64_t from_ms, int64_t until_ms, enum activity_state state)
{
    if (from_ms < until_ms)
        done->spans[done->count++] = (struct activity_span){from_ms, until_ms, state};
}

/* The first reading, or one after which nothing before counts. */
static void begin(struct activity *a, const struct activity_limits *limits, int64_t time_ms, int64_t power_mw)
{
    *a = (struct activity){.last_ms = time_ms, .since_ms = time_ms, .has_read = 1};
    a->steps[0].is_up = power_mw >= limits->off_mw;
    a->steps[1].is_up = power_mw >= limits->exit_mw;
}

/* Whether the step changes with this reading; its pending_ms is when it did. */
static bool step(struct activity_step *s, int64_t up_mw, int64_t down_mw,
    const struct activity_limits *limits, int64_t time_ms, int64_t power_mw)
{
    bool is_otherwise = s->is_up ? power_mw < down_mw : power_mw >= up_mw;
    if (is_otherwise && !s->is_pending)
        s->pending_ms = time_ms;
    s->is_pending = is_otherwise;
    return is_otherwise && time_ms - s->pending_ms >= (s->is_up ? limits->exit_ms : limits->enter_ms);
}

static void change(struct activity *a, struct activity_step *s, struct activity_done *done)
{
    add(done, a->since_ms, s->pending_ms, state_of(a));
    a->since_ms = s->pending_ms;
    s->is_up = !s->is_up;
    s->is_pending = 0;
}

bool activity_is_reading(const struct activity_limits *limits, int64_t power_mw)
{
    return power_mw >= -limits->off_mw;
}

struct activity_done activity_read(
    struct activity *a, const struct activity_limits *limits, int64_t time_ms, int64_t power_mw)
{
    struct activity_done done = {.count = 0};
    if (!activity_is_reading(limits, power_mw))
        return done;
    if (a->has_read && time_ms <= a->last_ms)
        return done;
    done.is_taken = true;
    if (!a->has_read || time_ms - a->last_ms > limits->gap_ms) {
        if (a->has_read) {
            add(&done, a->since_ms, a->last_ms, state_of(a));
            add(&done, a->last_ms, time_ms, ACTIVITY_UNKNOWN);
        }
        begin(a, limits, time_ms, power_mw);
        return done;
    }
    a->last_ms = time_ms;
    /* One that falls stops running no later than it is off, and one that rises is on no later than it runs. */
    struct activity_step *lower = &a->steps[0], *upper = &a->steps[1];
    bool is_lower = step(lower, limits->off_mw, limits->off_mw, limits, time_ms, power_mw);
    bool is_upper = step(upper, limits->enter_mw, limits->exit_mw, limits, time_ms, power_mw);
    if (is_upper && upper->is_up)
        change(a, upper, &done), is_upper = false;
    if (is_lower)
        change(a, lower, &done);
    if (is_upper)
        change(a, upper, &done);
    return done;
}

bool activity_open(const struct activity *a, struct activity_span *ret)
{
    if (a->has_read)
        *ret = (struct activity_span){a->since_ms, a->last_ms, state_of(a)};
    return a->has_read;
}
