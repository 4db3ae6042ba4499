/*
 * What to do with a batch, from its header and what is durable: the laws of delivery D1 to D3 as a pure
 * function.
 *
 * The batches of a gateway form a line: seq grows by one from batch to batch and across epochs, and `prev`
 * says from which epoch and seq an epoch goes on. The mark of an epoch is the seq up to which everything on
 * the line that leads to it is durable, or recorded as lost.
 */
#pragma once

#include "lib/batch.h"

#include <stdbool.h>
#include <stdint.h>

/* What is known of the gateway, and of the two epochs that the header names. */
struct mark_known {
    bool has_gateway; /* a batch of it was taken before */
    bool has_epoch;
    int64_t epoch_mark;
    bool has_prev; /* the header's prev epoch is known */
    int64_t prev_mark;
};

enum mark_verdict {
    MARK_DUPLICATE, /* durable already: drop, acknowledge `mark` again */
    MARK_ACCEPT,    /* apply; the mark becomes the batch's seq */
    MARK_REFUSE,    /* the agent holds mark + 1: ask for it */
};

#define MARK_NONE INT64_C(-1)

struct mark_decision {
    enum mark_verdict verdict;
    int64_t
        mark; /* everything up to it is settled, once the gap is recorded: what is answered unless accepted */
    bool has_gap; /* batches [gap_first, gap_last] can never come: to be recorded, together with the marks
                     below */
    int64_t gap_first, gap_last; /* 0: no batch of this line; what went missing was of another spool */
    bool is_history;             /* the gap is history from before this gateway was first heard, not loss */
    bool is_unknown_content;     /* what the gap held of what is journalled already nobody knows */
    int64_t epoch_mark; /* what the gap makes of the mark of the batch's epoch; MARK_NONE = nothing */
    int64_t prev_mark;  /* ... and of the epoch before: the batches that follow may still be of that one */
};

struct mark_decision mark_decide(const struct batch_header *header, const struct mark_known *known);
