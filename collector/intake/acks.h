/*
 * Acknowledgements on their way out: for each gateway the newest one, sent after the commit; a refusal at
 * most once a second and gateway. One held back is sent when the second is over, unless what it asks for
 * arrived; a mark that moved meanwhile is told at once.
 */
#pragma once

#include "collector/intake/known.h"
#include "lib/mqtt.h"

struct acks_gateway {
    char gateway[ID_MAX + 1];
    struct ack ack;      /* the newest answer: of a refusal its mark */
    bool is_due;         /* the mark is to be told */
    bool is_refusal_due; /* and that the batch after it is needed */
    bool has_refused;
    int64_t refused_at_mono_ms;
};

struct acks {
    struct acks_gateway *items;
    size_t count, capacity;
};

void acks_release(struct acks *a);
/* The answer to a batch, after its commit. */
void acks_note(struct acks *a, const char *gateway, const struct ack *ack);
/* On a new connection, and when batches are taken again: every gateway's mark, as a refusal. What a gateway has out may
 * be lost (nothing is kept for us while we are away, and what comes while none is taken is discarded); without this it
 * would wait for the time of a probe. */
void acks_note_all(struct acks *a, const struct known *known);
/* Publishes what is due. Returns the monotonic time at which more will be due; INT64_MAX = nothing waits. */
int64_t acks_send(struct acks *a, struct mqtt *mqtt, int64_t now_mono_ms);
