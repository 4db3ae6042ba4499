/*
 * A batch on the wire (CONTRIBUTING.md, "The wire contract"): one '#park1' header line, then one line of
 * line protocol per reading. Both directions live here, so that agent and collector cannot disagree.
 */
#pragma once

#include "lib/buf.h"
#include "lib/line.h"
#include "lib/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BATCH_LINES_MAX 1000
#define BATCH_BYTES_MAX (256 * 1024)
#define BATCH_SEQ_MAX (INT64_C(1) << 53) /* seq stays below it */
#define STATE_TEXT_MAX 256               /* bytes of a state's value */
#define REGISTER_MAX INT64_C(1000000000000000)

enum reading_kind { READING_REGISTER, READING_GAUGE, READING_STATE };
enum reading_quality { QUALITY_GOOD, QUALITY_CLOCK };

const char *reading_kind_name(enum reading_kind kind); /* the measurement: register, gauge, state */
bool reading_kind_parse(struct span name, enum reading_kind *ret);

struct reading {
    enum reading_kind kind;
    enum reading_quality quality;
    struct span point;
    int64_t time_ms;  /* UTC, of the device's answer */
    int64_t count;    /* READING_REGISTER: cumulative, base units */
    double value;     /* READING_GAUGE: finite */
    struct span text; /* READING_STATE: batch_write_reading takes it plain, batch_read_reading gives it
                         escaped (line_unescape_string) */
};

struct batch_header {
    uint64_t epoch;
    int64_t seq;
    int64_t first; /* lowest seq the agent still holds */
    bool has_prev; /* absent only in a spool's first epoch */
    uint64_t prev_epoch;
    int64_t prev_seq; /* last seq of that epoch */
    int64_t dropped;  /* readings given up before this batch was cut; 0 = none */
    int64_t dropped_from_ms;
    int64_t dropped_to_ms;
};

/* Appends "#park1 ...\n". */
void batch_write_header(struct buf *out, const struct batch_header *header);
/* Appends one line. ST_INVALID (nothing appended) for what the contract forbids: a bad point, a non-finite
 * value, a count beyond +-10^15, a state longer than STATE_TEXT_MAX, with control characters or not UTF-8, a
 * time that is not positive or 2^53 or more. */
enum status batch_write_reading(struct buf *out, const struct reading *reading, struct error *err);

/* Reads the header line of a payload; `ret_body` is what follows it. ST_INVALID: not a park1 header, a
 * malformed, missing or repeated key, an epoch of 0, a seq of 0 or beyond BATCH_SEQ_MAX, first > seq,
 * prev_seq >= seq, `dropped` without its time span. Unknown keys are ignored. */
enum status batch_read_header(
    struct span payload, struct batch_header *ret, struct span *ret_body, struct error *err);
/* Takes the next line off the front of `body`, empty lines and comments included; false at the end. Unlike
 * line_next every line feed ends a line (no reading may hold one), so a broken line cannot swallow the next.
 */
bool batch_next_line(struct span *body, struct span *ret_line);
/* Reads one line of a body. ST_INVALID: not valid line protocol, or not a reading of the contract. */
enum status batch_read_reading(struct span line, struct reading *ret, struct error *err);

/* An acknowledgement or refusal. */
struct ack {
    uint64_t epoch;
    int64_t seq;     /* everything up to it on the line that leads to `epoch` is durable; may be 0 */
    bool is_refusal; /* again=1: the collector needs seq + 1 next */
};
#define ACK_TEXT_SIZE 64
/* "epoch=<hex16> seq=<n>", and " again=1" for a refusal; nothing else is taken for one. */
void ack_format(const struct ack *ack, char text[static ACK_TEXT_SIZE]);
enum status ack_parse(struct span text, struct ack *ret, struct error *err);
