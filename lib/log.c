#include "lib/log.h"

#include "lib/clock.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FIRST_REPEAT_MS (60 * 1000)
#define LAST_REPEAT_MS (60 * 60 * 1000)

static atomic_int log_limit = LOG_LEVEL_INFO;
static bool has_journal;

/* Whether stderr is the journal's own socket: the variable alone is inherited by every child. Source:
 * sd-daemon(3). */
static bool is_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    struct stat status;
    if (stream == NULL || fstat(STDERR_FILENO, &status) != 0)
        return false;
    char own[64];
    snprintf(own, sizeof own, "%ju:%ju", (uintmax_t)status.st_dev, (uintmax_t)status.st_ino);
    return strcmp(stream, own) == 0;
}

void log_open(enum log_level level)
{
    log_limit = (int)level;
    has_journal = is_journal();
}

static __attribute__((format(printf, 4, 0))) void log_line(
    enum log_level level, const char *component, const char *suffix, const char *format, va_list args)
{
    static const char *const names[] = {"ERROR", "WARN", "INFO", "DEBUG"};
    static const char *const priorities[] = {"<3>", "<4>", "<6>", "<7>"};
    if ((int)level > log_limit)
        return;
    char text[1024];
    vsnprintf(text, sizeof text, format, args);
    /* What a peer sent may be quoted in a line; it must not make a second one. */
    for (char *c = text; *c != '\0'; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = '?';
    char line[1280];
    if (has_journal) {
        snprintf(line, sizeof line, "%s%s: %s%s\n", priorities[level], component, text, suffix);
    } else {
        char now[CLOCK_TEXT_SIZE];
        clock_format_utc(clock_system.wall_ms(), now);
        snprintf(line, sizeof line, "%s %-5s %s: %s%s\n", now, names[level], component, text, suffix);
    }
    fputs(line, stderr);
}

#define LOG_FUNCTION(name, level)                             \
    void name(const char *component, const char *format, ...) \
    {                                                         \
        va_list args;                                         \
        va_start(args, format);                               \
        log_line(level, component, "", format, args);         \
        va_end(args);                                         \
    }

LOG_FUNCTION(log_error, LOG_LEVEL_ERROR)
LOG_FUNCTION(log_warn, LOG_LEVEL_WARN)
LOG_FUNCTION(log_info, LOG_LEVEL_INFO)
LOG_FUNCTION(log_debug, LOG_LEVEL_DEBUG)

void complain(struct complaint *c, int64_t now_mono_ms, enum log_level level, const char *component,
    const char *format, ...)
{
    if (!c->is_open) {
        c->since_mono_ms = now_mono_ms;
        if (now_mono_ms >= c->next_mono_ms && c->silent == 0)
            c->interval_ms = 0;
    }
    c->is_open = true;
    if (c->interval_ms > 0 && now_mono_ms < c->next_mono_ms) {
        c->silent++;
        return;
    }
    char suffix[64] = "";
    if (c->silent > 0)
        snprintf(suffix, sizeof suffix, " (%llu more times since the last such line)",
            (unsigned long long)c->silent);
    c->interval_ms = c->interval_ms == 0                   ? FIRST_REPEAT_MS
                     : c->interval_ms * 2 < LAST_REPEAT_MS ? c->interval_ms * 2
                                                           : LAST_REPEAT_MS;
    c->is_said = true;
    c->silent = 0;
    c->next_mono_ms = now_mono_ms + c->interval_ms;
    va_list args;
    va_start(args, format);
    log_line(level, component, suffix, format, args);
    va_end(args);
}

void complaint_clear(struct complaint *c, int64_t now_mono_ms, const char *component, const char *format, ...)
{
    bool is_said = c->is_said;
    if (!c->is_open)
        return;
    c->is_open = c->is_said = false;
    if (!is_said)
        return;
    char suffix[64];
    snprintf(suffix, sizeof suffix, " (after %lld s)", (long long)((now_mono_ms - c->since_mono_ms) / 1000));
    va_list args;
    va_start(args, format);
    log_line(LOG_LEVEL_INFO, component, suffix, format, args);
    va_end(args);
}
