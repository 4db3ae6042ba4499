#include "agent/sources/silence.h"

void silence_hear(
    struct silence *s, int64_t now_mono_ms, int64_t age_ms, const char *source, const char *name)
{
    if (now_mono_ms - age_ms > s->heard_mono_ms)
        s->heard_mono_ms = now_mono_ms - age_ms;
    if (age_ms <= s->alive_ms)
        complaint_clear(&s->silent, now_mono_ms, "source", "%s/%s: heard again", source, name);
}

int64_t silence_watch(struct silence *s, int64_t now_mono_ms, const char *source, const char *name)
{
    int64_t due = s->heard_mono_ms + s->alive_ms + 1;
    if (now_mono_ms < due)
        return due;
    if (!s->silent.is_open)
        complain(&s->silent, now_mono_ms, LOG_LEVEL_WARN, "source",
            "%s/%s: nothing heard for %lld s; nothing of it is sent again until it is", source, name,
            (long long)(s->alive_ms / 1000));
    return INT64_MAX;
}
