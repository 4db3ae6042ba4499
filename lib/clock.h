/*
 * Two clocks, and whether the first can be believed. Wall time is UTC in milliseconds since 1970
 * (`x_ms`); monotonic time (`x_mono_ms`) is for schedules and time-outs. Pure code takes times as
 * arguments; the rest takes a `const struct clock *`, so that a test can bring its own.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct clock {
    int64_t (*wall_ms)(void);
    int64_t (*mono_ms)(void);
    bool (*is_synchronised)(void); /* does the kernel say that wall time follows a reference? */
    /* The machine's run, in which monotonic times compare: a text that changes at each boot; "" = unknown. */
    const char *(*boot_id)(void);
    /* Waits as thread_wait_until does, up to a deadline of this clock's mono_ms. */
    void (*wait_until)(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t deadline_mono_ms);
};

/* The machine's clocks; synchronisation as the kernel tells it (ntp_adjtime). */
extern const struct clock clock_system;
/* The same clocks, for a machine whose time is kept right by other means (a VM's host, a test). */
extern const struct clock clock_trusted;

/* UTC as RFC 3339 with milliseconds: 2026-10-01T08:00:00.123Z. `text` is NUL-terminated. */
#define CLOCK_TEXT_SIZE 32
void clock_format_utc(int64_t time_ms, char text[static CLOCK_TEXT_SIZE]);
