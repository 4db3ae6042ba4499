/*
 * The silence of who is to be heard now and then: one line when nothing was heard for longer than that, and one when
 * it is heard again. Belongs to the source's thread.
 */
#pragma once

#include "lib/log.h"

#include <stdint.h>

struct silence {
    int64_t alive_ms; /* so long it may say nothing */
    int64_t heard_mono_ms;
    struct complaint silent;
};

/* It lived `age_ms` ago; `source` and `name` are what the lines call it. */
void silence_hear(
    struct silence *s, int64_t now_mono_ms, int64_t age_ms, const char *source, const char *name);
/* Returns when to look next, INT64_MAX = not before it is heard. */
int64_t silence_watch(struct silence *s, int64_t now_mono_ms, const char *source, const char *name);
