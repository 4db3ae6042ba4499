/*
 * The answer of each instrument as a retained message of the broker, park/v1/public/instruments/<id>: the JSON of
 * collector/instrument/board_json.h, when it changes and at least once a minute, so that what `as_of` says is never much older.
 * It expires as a gateway's state does: of a collector that is gone nobody reads for long that an instrument is free. Core
 * thread; never blocks.
 *
 * Few at a time wait for the broker, so that acknowledgements of batches never wait behind them. One goes ahead, and
 * where the broker denies it, one is tried each minute.
 */
#pragma once

#include "collector/instrument/board.h"
#include "lib/log.h"
#include "lib/mqtt.h"

#define BOARD_TOPIC_AGAIN_MS 60000
#define BOARD_TOPIC_EXPIRY_S 180
#define BOARD_TOPIC_WAITING 32
#define BOARD_TOPIC_PROBE_MS 1000

struct board_topic {
    const struct board *board; /* a reference: the one that is gone through */
    size_t at;                 /* its next instrument */
    struct board_topic_said {
        uint64_t what; /* a hash of all but ages; 0 = nothing yet */
        int64_t mono_ms;
    } * said;      /* by instrument of the board's model */
    uint64_t done; /* number of the board that was gone through as a whole last */
    uint64_t session;
    char
        *probe; /* the topic by which it is seen whether the broker takes them; NULL = none in this session */
    int64_t probe_mono_ms;
    char **gone; /* topics to be emptied */
    size_t gone_count, gone_capacity;
    struct complaint failing;
};

void board_topic_release(struct board_topic *t); /* accepts a zeroed struct */
/* Sends what is new or due of the newest board, as far as the broker takes it now; goes on at the next call. */
void board_topic_send(struct board_topic *t, struct mqtt *mqtt, struct board_box *box, int64_t now_mono_ms);
/* The instrument is no more: takes the name. */
void board_topic_remove(struct board_topic *t, char *instrument);
