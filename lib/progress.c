#include "lib/progress.h"

#include "lib/clock.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#define QUIET_MS 2000
#define BETWEEN_MS 200

void progress_begin(struct progress *p)
{
    *p = (struct progress){.begin_mono_ms = clock_system.mono_ms()};
}

void progress_show(struct progress *p, const char *format, ...)
{
    int64_t now = clock_system.mono_ms();
    if (now < p->begin_mono_ms + QUIET_MS || now < p->shown_mono_ms + BETWEEN_MS || !isatty(STDERR_FILENO))
        return;
    char text[160];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    fprintf(stderr, "\r%s\033[K", text);
    fflush(stderr);
    p->shown_mono_ms = now;
    p->is_shown = true;
}

void progress_end(struct progress *p)
{
    if (p->is_shown)
        fputs("\r\033[K", stderr);
    p->is_shown = false;
}
