#include "collector/space/door.h"

#include <stdbool.h>

#define MINUTE_MS INT64_C(60000)
#define HOUR_MS INT64_C(3600000)
#define YEAR_MS (366 * 24 * HOUR_MS)

static bool is_plausible(const struct door_limits *limits, int64_t persons, int64_t elapsed_ms)
{
    int64_t ms = elapsed_ms < MINUTE_MS ? MINUTE_MS : elapsed_ms < YEAR_MS ? elapsed_ms : YEAR_MS;
    return persons >= 0 && persons <= limits->max_per_hour * ms / HOUR_MS;
}

struct door_step door_step(
    const struct door_limits *limits, int64_t before, int64_t after, int64_t elapsed_ms)
{
    if (is_plausible(limits, after - before, elapsed_ms))
        return (struct door_step){DOOR_COUNTED, after - before};
    if (after >= before)
        return (struct door_step){DOOR_LOST, 0};
    if (limits->modulus > 0 && is_plausible(limits, after - before + limits->modulus, elapsed_ms))
        return (struct door_step){DOOR_WRAPPED, after - before + limits->modulus};
    if (is_plausible(limits, after, elapsed_ms))
        return (struct door_step){DOOR_RESET, after};
    return (struct door_step){DOOR_LOST, 0};
}
