/*
 * People inside, from those who passed the doors (design 8.1). Pure functions of what happened, in order of time.
 *
 * Live = anchor + in - out. Doors miss people: on 15 weeks of real counts 819 were left over that did not exist, so what
 * is counted is anchored anew, by a nightly reset or by somebody who counts. Between two anchors the corrected series
 * scales the stream that missed, so that it ends where the second anchor says. The two are series of their own.
 */
#pragma once

#include "collector/space/level.h"

#include <stdbool.h>

enum flow_kind {
    FLOW_PASSED, /* so many went in and out, told at time_ms */
    FLOW_BLIND,  /* a door is not heard from here on; several may be */
    FLOW_SEES,   /* one of them is heard again; who passed meanwhile is told first, at the same time */
    FLOW_LOST,   /* nobody knows how many passed: unknown up to the next anchor */
    FLOW_ANCHOR, /* `in` people are inside */
};

struct flow_event {
    int64_t time_ms;
    enum flow_kind kind;
    int64_t in, out;
};

/* Emits what is known up to `until_ms`: from the first anchor on, but for what is blind or lost. */
void flow_live(
    const struct flow_event *events, size_t count, int64_t until_ms, const struct level_sink *sink);

enum flow_verdict {
    FLOW_EXACT, /* it comes out by itself */
    FLOW_OUT_SCALED,
    FLOW_IN_SCALED,
    FLOW_NO_STREAM, /* the stream that would be scaled is 0: no corrected series */
    FLOW_TOO_MUCH,  /* it would be more than doubled: none */
    FLOW_UNKNOWN,   /* people passed whom nobody counted: none */
};

/* Between two anchors. */
struct flow_stretch {
    int64_t from_ms, until_ms;
    int64_t start, end; /* people, by the anchors */
    int64_t in, out;    /* who passed */
    int64_t residual;   /* start + in - out - end: how many too many are left */
    bool is_marked;     /* the residual is more than 20 % of the larger stream: not to be relied on */
    enum flow_verdict verdict;
};

/* The stretch that begins with the anchor `events[*at]`, and *at at the anchor that ends it; false: none ends it. Before
 * the call, *at may be at anything: the next anchor is looked for. */
bool flow_stretch(const struct flow_event *events, size_t count, size_t *at, struct flow_stretch *ret);

/* Emits the corrected series of the stretch that begins at `events[at]`; nothing where its verdict gives none. */
void flow_corrected(const struct flow_event *events, size_t count, size_t at, const struct level_sink *sink);
