/*
 * Which batch to publish next: the flow control between the spool and the collector, without clock and I/O. Batches are
 * numbered; everything up to `mark` is acknowledged, everything up to `last` is cut. At most WINDOW_BATCHES batches and
 * WINDOW_BYTES bytes are ahead of the mark.
 *
 * After WINDOW silence (nothing moved the mark while batches are out) the lowest batch alone is sent again, at doubling intervals;
 * as soon as the collector answers, sending goes on behind the mark, because what was out may be lost with it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define WINDOW_BATCHES 16
#define WINDOW_BYTES (512 * 1024)

struct window {
    int64_t mark;
    int64_t last;
    int64_t next;          /* the next to publish; mark < next <= last + 1 */
    int64_t probe_first_ms; /* the setting */
    int64_t probe_wait_ms; /* the current interval */
    int64_t probe_at_mono_ms; /* when silence becomes a probe; INT64_MAX = nothing is out */
    int64_t refused_at_mono_ms; /* when the last refusal was obeyed */
    bool has_refusal;
    int32_t bytes[WINDOW_BATCHES]; /* of each batch that is out, by seq modulo WINDOW_BATCHES */
    bool is_probing;       /* only the lowest is sent until the collector answers */
};

void window_init(struct window *w, int64_t mark, int64_t last, int64_t probe_ms);
/* A new connection: everything after the mark is published again. */
void window_restart(struct window *w);
void window_cut(struct window *w, int64_t last);
/* Everything up to `seq` is durable; only ever raises the mark. True when it moved. */
bool window_acknowledge(struct window *w, int64_t seq, int64_t now_mono_ms);
/* The collector needs seq + 1 next: the mark becomes seq, even if lower; obeyed at most once a second. `first` is the lowest
 * batch still held. True when obeyed. */
bool window_refuse(struct window *w, int64_t seq, int64_t first, int64_t now_mono_ms);
/* The batch to publish now, or 0. */
int64_t window_next(const struct window *w, int64_t now_mono_ms);
/* May a batch of that size go out now? One always may alone. */
bool window_fits(const struct window *w, int64_t seq, int32_t bytes);
/* It was handed over to the broker. */
void window_published(struct window *w, int64_t seq, int32_t bytes, int64_t now_mono_ms);
/* When window_next may give something without a new event; INT64_MAX = never. */
int64_t window_deadline(const struct window *w);
/* How many more batches may be cut. */
int64_t window_room(const struct window *w);
