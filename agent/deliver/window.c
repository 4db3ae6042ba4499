#include "agent/deliver/window.h"

#define PROBE_MAX_MS (10 * 60 * 1000)
#define REFUSAL_MS 1000
#define NO_REFUSAL (-1)

bool window_is_out(const struct window *w)
{
    return w->next > w->mark + 1;
}

/* The collector was heard of, or nothing is expected of it: silence begins anew. */
static void calm(struct window *w, int64_t now_mono_ms)
{
    w->is_probing = false;
    w->probe_wait_ms = w->probe_first_ms;
    w->probe_at_mono_ms = window_is_out(w) ? now_mono_ms + w->probe_wait_ms : INT64_MAX;
}

/* What is behind the mark counts as lost. */
static void go_back(struct window *w, int64_t mark)
{
    w->mark = mark;
    w->next = mark + 1;
    w->held_refusal = NO_REFUSAL;
    calm(w, 0);
}

void window_init(struct window *w, int64_t mark, int64_t last, int64_t probe_ms)
{
    *w = (struct window){.last = last, .probe_first_ms = probe_ms, .refuse_at_mono_ms = INT64_MIN};
    go_back(w, mark);
}

void window_restart(struct window *w)
{
    go_back(w, w->mark);
}

void window_cut(struct window *w, int64_t last)
{
    w->last = last;
}

bool window_acknowledge(struct window *w, int64_t seq, bool is_stored, int64_t now_mono_ms)
{
    if (seq > w->last)
        seq = w->last;
    bool is_moved = seq > w->mark;
    if (is_moved) {
        w->mark = seq;
        w->held_refusal = NO_REFUSAL; /* the collector has got further since */
        if (w->next <= seq)
            w->next = seq + 1;
    }
    bool is_alive = is_moved || !is_stored;
    if (w->is_probing && is_alive)
        go_back(w, w->mark);
    else if (is_moved)
        calm(w, now_mono_ms);
    return is_moved;
}

void window_forget(struct window *w, int64_t seq, int64_t now_mono_ms)
{
    if (seq <= w->mark)
        return;
    w->mark = seq;
    if (w->held_refusal < seq)
        w->held_refusal = NO_REFUSAL;
    if (w->next <= seq)
        w->next = seq + 1;
    calm(w, now_mono_ms);
}

static bool obey(struct window *w, int64_t seq, int64_t first, int64_t now_mono_ms)
{
    int64_t mark = seq < first - 1 ? first - 1 : seq;
    bool is_news = mark != w->mark || window_is_out(w);
    go_back(w, mark);
    w->refuse_at_mono_ms = now_mono_ms + REFUSAL_MS;
    return is_news;
}

bool window_refuse(struct window *w, int64_t seq, int64_t first, int64_t now_mono_ms)
{
    if (seq > w->last)
        return false;
    if (now_mono_ms < w->refuse_at_mono_ms) {
        w->held_refusal = seq;
        return false;
    }
    return obey(w, seq, first, now_mono_ms);
}

bool window_tick(struct window *w, int64_t first, int64_t now_mono_ms)
{
    if (w->held_refusal == NO_REFUSAL || now_mono_ms < w->refuse_at_mono_ms)
        return false;
    return obey(w, w->held_refusal, first, now_mono_ms);
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
    bool is_first = !window_is_out(w), is_probe = seq < w->next;
    w->bytes[seq % WINDOW_BATCHES] = bytes;
    if (is_probe) {
        w->is_probing = true;
        w->probe_wait_ms = w->probe_wait_ms * 2 < PROBE_MAX_MS ? w->probe_wait_ms * 2 : PROBE_MAX_MS;
    } else {
        w->next = seq + 1;
    }
    if (is_probe || is_first)
        w->probe_at_mono_ms = now_mono_ms + w->probe_wait_ms;
}

int64_t window_deadline(const struct window *w)
{
    bool is_held = w->held_refusal != NO_REFUSAL && w->refuse_at_mono_ms < w->probe_at_mono_ms;
    return is_held ? w->refuse_at_mono_ms : w->probe_at_mono_ms;
}

int64_t window_room(const struct window *w)
{
    int64_t room = w->mark + WINDOW_BATCHES - w->last;
    return room > 0 ? room : 0;
}
