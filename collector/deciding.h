/*
 * What a person decides of a meter, from the request to the books: refused in one sentence, or one transaction with its row
 * (collector/ledger/decided.h), what the fold makes of it, and its entry in the log of changes. A preview is the same, rolled
 * back. Core thread, between two turns.
 */
#pragma once

#include "collector/bookkeeper.h"
#include "collector/ledger/decided.h"

#define DECIDING_TIMES_MAX 1000 /* readings of one outlier */
#define DECIDING_WHY_MAX 500
#define DECIDING_SERIAL_MAX 64

/* Texts are borrowed; they are UTF-8 without control characters. */
struct deciding {
    const char *meter; /* its id in the park model; unused where decided.withdraws is the object */
    /* ruling.id, meter and time_ms are set. Of an outlier ruling.times may be NULL: then all readings of [from, until]. */
    struct decided decided;
    /* Of a reset or replacement, what of ruling.next is told; the rest is as it was. */
    bool has_modulus, has_resolution, has_max_rate, has_ratio;
    bool is_preview;
};

struct deciding_quarter {
    bool was_there; /* it had been decided before */
    struct quarter before, after;
};

struct deciding_event {
    enum event_kind kind;
    int64_t from_ms, until_ms; /* INT64_MAX = no end yet */
    bool is_opened;            /* else it stands no longer */
};

/* What it changes, in order of time. */
struct deciding_effect {
    int64_t id;  /* of the decision; of a preview 0 */
    char *meter; /* its id in the park model */
    struct deciding_quarter *quarters;
    size_t quarter_count, quarter_capacity;
    size_t
        closed_count; /* of them in months that are closed: they become adjusting entries (collector/energy/closing.h) */
    struct deciding_event *events;
    size_t event_count, event_capacity;
};

/* ST_INVALID: refused, with why; ST_UNREACHABLE: the books are not there yet. Both, and a preview, leave everything as it was.
 * Any other failure is that of a turn. */
enum status deciding_run(struct bookkeeper *b, const struct clock *clock, const struct deciding *request,
    struct deciding_effect *ret, struct error *err);
void deciding_effect_release(struct deciding_effect *e);

/* ---- private to deciding*.c ---- */

/* Before anything is written; sets what of `d` is left open. `in_force`: of this meter. */
enum status deciding_check(struct bookkeeper *b, const struct meters_item *item,
    const struct decided_set *in_force, const struct deciding *request, int64_t now_ms, struct decided *d,
    struct error *err);
