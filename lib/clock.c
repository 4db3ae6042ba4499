#include "lib/clock.h"

#include "lib/thread.h"

#include <stdio.h>
#include <sys/timex.h>
#include <time.h>

static int64_t now_ms(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int64_t system_wall_ms(void)
{
    return now_ms(CLOCK_REALTIME);
}

static int64_t system_mono_ms(void)
{
    return now_ms(CLOCK_MONOTONIC);
}

static bool kernel_is_synchronised(void)
{
    struct timex status = {0};
    return ntp_adjtime(&status) != TIME_ERROR;
}

static bool always(void)
{
    return true;
}

const struct clock clock_system = {system_wall_ms, system_mono_ms, kernel_is_synchronised, thread_wait_until};
const struct clock clock_trusted = {system_wall_ms, system_mono_ms, always, thread_wait_until};

void clock_format_utc(int64_t time_ms, char text[static CLOCK_TEXT_SIZE])
{
    int64_t second = time_ms / 1000, ms = time_ms % 1000;
    if (ms < 0) {
        second--;
        ms += 1000;
    }
    time_t t = (time_t)second;
    struct tm tm;
    char date[24];
    if (gmtime_r(&t, &tm) == NULL || strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &tm) == 0) {
        snprintf(text, CLOCK_TEXT_SIZE, "%lld ms", (long long)time_ms);
        return;
    }
    snprintf(text, CLOCK_TEXT_SIZE, "%s.%03dZ", date, (int)ms);
}
