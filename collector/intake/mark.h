/*
 * What to do with a batch, from its header and what is durable: the laws of delivery D1 to D3 as a pure function.
 *
 * The batches of a gateway form a line: seq grows by one from batch to batch and across epochs, and `prev` says from which epoch and seq an
 * epoch goes on. The mark of an epoch is the seq up to which everything on the line that leads to it is durable.
 */
#pragma once

#include "lib/batch.h"

#include <stdbool.h>
#include <stdint.h>

/* What is known of the gateway, and of the two epochs that the header names. */
struct mark_known {
    bool has_gateway;    /* heard before */
    bool has_epoch;
    int64_t epoch_mark;
    bool has_prev;       /* the header's prev epoch is known */
    int64_t prev_mark;
};

enum mark_verdict {
    MARK_DUPLICATE, /* durable already: drop, acknowledge `mark` again */
    MARK_ACCEPT,    /* apply; the mark becomes the batch's seq */
    MARK_REFUSE,    /* the agent still holds mark + 1: ask for it */
};

struct mark_decision {
    enum mark_verdict verdict;
    int64_t mark;        /* the epoch's mark before this batch, after what is lost was given up */
    bool has_gap;        /* batches [gap_first, gap_last] can never come */
    int64_t gap_first, gap_last;
    bool is_history;     /* the gap is history from before this gateway was first heard, not loss */
    bool is_unknown_content; /* how much was in the gap nobody knows: the line's beginning is not known here */
};

struct mark_decision mark_decide(const struct batch_header *header, const struct mark_known *known);
