#include "lib/clock.h"

#include "lib/thread.h"

#include <pthread.h>
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

static char boot[40];

static void read_boot(void)
{
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
    if (file == NULL)
        return;
    if (fscanf(file, "%36s", boot) != 1)
        boot[0] = '\0';
    fclose(file);
}

static const char *system_boot_id(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, read_boot);
    return boot;
}

const struct clock clock_system = {
    system_wall_ms, system_mono_ms, kernel_is_synchronised, system_boot_id, thread_wait_until};
const struct clock clock_trusted = {
    system_wall_ms, system_mono_ms, always, system_boot_id, thread_wait_until};

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
