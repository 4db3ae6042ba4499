#include "agent/deliver/window.h"

#define PROBE_MAX_MS (10 * 60 * 1000)
#define REFUSAL_MS 1000

static bool is_out(const struct window *w)
{
    return w->next > w->mark + 1;
}

static void calm(struct window *w, int64_t now_mono_ms)
{
    w->is_probing = false;
    w->probe_wait_ms = w->probe_first_ms;
    w->probe_at_mono_ms = is_out(w) ? now_mono_ms + w->probe_wait_ms : INT64_MAX;
}

void window_init(struct window *w, int64_t mark, int64_t last, int64_t probe_ms)
{
    *w = (struct window){.mark = mark, .last = last, .probe_first_ms = probe_ms};
    window_restart(w);
}

void window_restart(struct window *w)
{
    w->next = w->mark + 1;
    calm(w, 0);
}

void window_cut(struct window *w, int64_t last)
{
    w->last = last;
}

bool window_acknowledge(struct window *w, int64_t seq, int64_t now_mono_ms)
{
    if (seq > w->last)
        seq = w->last;
    if (seq <= w->mark)
        return false;
    w->mark = seq;
    if (w->next <= seq || w->is_probing)
        w->next = seq + 1;
    calm(w, now_mono_ms);
    return true;
}

bool window_refuse(struct window *w, int64_t seq, int64_t first, int64_t now_mono_ms)
{
    if (seq > w->last || (w->has_refusal && now_mono_ms < w->refused_at_mono_ms + REFUSAL_MS))
        return false;
    w->mark = seq < first - 1 ? first - 1 : seq;
    w->next = w->mark + 1;
    w->has_refusal = true;
    w->refused_at_mono_ms = now_mono_ms;
    calm(w, now_mono_ms);
    return true;
}

int64_t window_next(const struct window *w, int64_t now_mono_ms)
{
    if (now_mono_ms >= w->probe_at_mono_ms)
        return w->mark + 1;
    if (w->is_probing || w->next > w->last || w->next > w->mark + WINDOW_BATCHES)
        return 0;
    return w->next;
}

bool window_fits(const struct window *w, int64_t seq, int32_t bytes)
{
    int64_t sum = bytes;
    for (int64_t out = w->mark + 1; out < seq; out++)
        sum += w->bytes[out % WINDOW_BATCHES];
    return sum == bytes || sum <= WINDOW_BYTES;
}

void window_published(struct window *w, int64_t seq, int32_t bytes, int64_t now_mono_ms)
{
    bool was_out = is_out(w);
    w->bytes[seq % WINDOW_BATCHES] = bytes;
    if (seq < w->next) { /* a probe */
        w->is_probing = true;
        w->probe_wait_ms = w->probe_wait_ms * 2 < PROBE_MAX_MS ? w->probe_wait_ms * 2 : PROBE_MAX_MS;
        w->probe_at_mono_ms = now_mono_ms + w->probe_wait_ms;
        return;
    }
    w->next = seq + 1;
    if (!was_out)
        w->probe_at_mono_ms = now_mono_ms + w->probe_wait_ms;
}

int64_t window_deadline(const struct window *w)
{
    return w->probe_at_mono_ms;
}

int64_t window_room(const struct window *w)
{
    int64_t room = w->mark + WINDOW_BATCHES - w->last;
    return room > 0 ? room : 0;
}
