/*
 * Which batch to publish next: the flow control between the spool and the collector, without clock and I/O.
 * Batches are numbered; everything up to `mark` is acknowledged, everything up to `last` is cut. At most
 * WINDOW_BATCHES batches and WINDOW_BYTES bytes are ahead of the mark.
 *
 * After silence (nothing moved the mark while batches are out) the lowest batch alone is sent again, at
 * doubling intervals; as soon as the collector answers, everything behind the mark is sent again, because
 * what was out may be lost with the silence.
 *
 * A collector that comes back says what it needs next, as a refusal: what was out when it was not there is lost,
 * and is sent again at once. An acknowledgement that moves nothing makes nothing be sent again: it may answer a
 * duplicate, and to send again for that would make the next duplicate.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define WINDOW_BATCHES 16
#define WINDOW_BYTES (512 * 1024)

struct window {
    int64_t mark;
    int64_t last;
    int64_t next;                  /* the next to publish; mark < next <= last + 1 */
    int64_t probe_first_ms;        /* the setting */
    int64_t probe_wait_ms;         /* the current interval */
    int64_t probe_at_mono_ms;      /* when silence becomes a probe; INT64_MAX = nothing is out */
    bool is_probing;               /* only the lowest is sent until the collector answers */
    int64_t refuse_at_mono_ms;     /* earliest time to obey the next refusal */
    int64_t held_refusal;          /* one that came too early; -1 = none */
    int32_t bytes[WINDOW_BATCHES]; /* of each batch that is out, by seq modulo WINDOW_BATCHES */
};

void window_init(struct window *w, int64_t mark, int64_t last, int64_t probe_ms);
/* A new connection: everything after the mark is published again. */
void window_restart(struct window *w);
void window_cut(struct window *w, int64_t last);
/* Everything up to `seq` is durable; only ever raises the mark. Where it moves nothing it ends a probe all the
 * same. A stored (retained) one is no sign of life. True when the mark moved. */
bool window_acknowledge(struct window *w, int64_t seq, bool is_stored, int64_t now_mono_ms);
/* Everything up to `seq` is not held any more, acknowledged or not. */
void window_forget(struct window *w, int64_t seq, int64_t now_mono_ms);
/* The collector needs seq + 1 next: the mark becomes seq, even if lower. Obeyed at most once a second: one
 * that comes earlier is held for window_tick. `first` is the lowest batch still held. True when the mark moved
 * or batches that are out will be sent again. */
bool window_refuse(struct window *w, int64_t seq, int64_t first, int64_t now_mono_ms);
/* Obeys a held refusal when its second is over. True as for window_refuse. */
bool window_tick(struct window *w, int64_t first, int64_t now_mono_ms);
/* The batch to publish now, or 0. */
int64_t window_next(const struct window *w, int64_t now_mono_ms);
/* May a batch of that size go out now? One always may alone. */
bool window_fits(const struct window *w, int64_t seq, int32_t bytes);
/* It was handed over to the broker. */
void window_published(struct window *w, int64_t seq, int32_t bytes, int64_t now_mono_ms);
/* When window_tick or window_next may do something without a new event; INT64_MAX = never. */
int64_t window_deadline(const struct window *w);
/* How many more batches may be cut. */
int64_t window_room(const struct window *w);
/* Are batches out that nothing has answered yet? */
bool window_is_out(const struct window *w);
