/*
 * One line per event to stderr: "<level> component: what, and what happens next". ERROR: a person must
 * act. WARN: degraded, recovers by itself. INFO: state changes. DEBUG: per message. A healthy program
 * logs nothing per reading. Any thread may log.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* Called once, before threads start. The default is INFO. Where stderr is the journal (JOURNAL_STREAM names
 * it) lines carry the <n> priority prefix of sd-daemon(3) instead of a time. */
void log_open(enum log_level level);

void log_error(const char *component, const char *format, ...) __attribute__((format(printf, 2, 3)));
void log_warn(const char *component, const char *format, ...) __attribute__((format(printf, 2, 3)));
void log_info(const char *component, const char *format, ...) __attribute__((format(printf, 2, 3)));
void log_debug(const char *component, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * A complaint about something that stays wrong, or comes and goes: logged at once, again after 1 min, 2 min,
 * 4 min, ... up to every hour, with the number of times in between, and once on a recovery that was preceded
 * by a line. It starts over after an interval without any trouble. Zeroed = never complained. Belongs to one
 * thread.
 */
struct complaint {
    int64_t next_mono_ms; /* no line before */
    int64_t interval_ms;
    int64_t since_mono_ms;
    uint64_t silent;
    bool is_open; /* something is wrong now */
    bool is_said; /* and a line said so */
};

void complain(struct complaint *c, int64_t now_mono_ms, enum log_level level, const char *component,
    const char *format, ...) __attribute__((format(printf, 5, 6)));
/* Logs the recovery at INFO if a complaint was open; otherwise does nothing. */
void complaint_clear(struct complaint *c, int64_t now_mono_ms, const char *component, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
