/*
 * What an answer of the time-series store means for the lines that were posted. Pure. The rule behind the
 * table: nothing is dropped because of a status code; only a line that is refused alone, by InfluxDB's own
 * words, is given up.
 *
 * Sources: InfluxDB 1.x "API reference", /write; answers recorded from InfluxDB 1.6.7.
 */
#pragma once

#include "lib/line.h"
#include "lib/status.h"

#include <stdint.h>

enum answer_action {
    ANSWER_ACCEPTED,      /* written, but for `expired` lines beyond the store's retention */
    ANSWER_BISECT,        /* some line is bad; writing the good ones again does no harm */
    ANSWER_HALVE,         /* too large: smaller bodies */
    ANSWER_MISSING,       /* the database or the retention policy is gone: create it, then again */
    ANSWER_CONFIGURATION, /* a person must act: keep everything, try slowly */
    ANSWER_BACK_OFF,      /* unavailable: keep everything, try again later */
};

struct answer {
    enum answer_action action;
    int64_t expired;        /* ANSWER_ACCEPTED */
    int64_t retry_after_ms; /* what the store asked for, at most ten minutes; 0 = nothing */
    char text[256];         /* for people, so clean (lib/text.h); "" where accepted whole */
};

/* `transport` is what lib/http_client.h returned and `transport_text` its words; the rest counts only where
 * that is ST_OK. */
struct answer answer_read(
    enum status transport, const char *transport_text, int code, struct span body, int64_t retry_after_s);
