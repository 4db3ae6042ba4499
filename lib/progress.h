/*
 * How far a long command has come, on the terminal of whoever waits for it: one line, rewritten in place, from
 * two seconds on. Nothing where stderr is no terminal.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct progress {
    int64_t begin_mono_ms, shown_mono_ms;
    bool is_shown;
};

void progress_begin(struct progress *p);
void progress_show(struct progress *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Takes the line away, so that what is said next stands alone. */
void progress_end(struct progress *p);
