/*
 * What an instrument does, as its power tells: off, in standby, running. Pure: no clock, no I/O; times are those of the
 * readings, so that spans are a function of these alone. One `struct activity` for each instrument, which may be copied
 * and stored as it is.
 *
 * Two thresholds make a ladder: at or above off_w it is in standby, at or above enter_w it runs, and goes on to while it
 * is at or above exit_w. A change upward counts when it has lasted enter_s, one downward when it has lasted exit_s: from
 * its first reading to one at which that time is over, with none between that says otherwise. It is dated back to the
 * first. The dwell does the work: without it a printer of three jobs "runs" forty times.
 *
 * Where two readings are further apart than the gap, the state ends with the earlier one, nobody knows what was between,
 * and what had not lasted yet is forgotten. A reading with nothing before it decides at once: off below off_w; running
 * at or above exit_w, since standby_w, the highest power of one that idles, is below that; else standby.
 *
 * A reading whose time is not later than that of the one before changes nothing, nor does one that is no reading of
 * activity: a power further below zero than off_w is above it comes from a meter that is wired the wrong way round.
 * Those of a doubtful clock (quality="clock") are not to be given at all.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum activity_state { ACTIVITY_UNKNOWN, ACTIVITY_OFF, ACTIVITY_STANDBY, ACTIVITY_RUNNING };
#define ACTIVITY_STATES 4
extern const char *const activity_names[]; /* by enum activity_state: "unknown", ... NULL-terminated */

struct activity_limits {
    int64_t off_mw, exit_mw,
        enter_mw; /* in this order, each below the next (collector/model/park_instrument.h) */
    int64_t enter_ms, exit_ms;
    int64_t gap_ms; /* activity_gap_ms */
};

/* What is older than this many periods, and than two minutes, tells nothing any more. */
int64_t activity_gap_ms(int64_t period_ms);

struct activity_span {
    int64_t from_ms, until_ms; /* half-open, not empty */
    enum activity_state state;
};

/* Zeroed = nothing was read yet. */
struct activity {
    int64_t last_ms;  /* of the last reading */
    int64_t since_ms; /* of the state */
    struct activity_step {
        int64_t pending_ms; /* the first of the readings that say otherwise; only where is_pending */
        int32_t is_up, is_pending;
    } steps[2];       /* off to standby, standby to running */
    int64_t has_read; /* 0 or 1 */
};

bool activity_is_reading(const struct activity_limits *limits, int64_t power_mw);

/* Spans that are over now, in order of time; they follow those before without a hole. */
struct activity_done {
    struct activity_span spans[2];
    int count;
    bool is_taken; /* false: the reading changed nothing */
};
struct activity_done activity_read(
    struct activity *a, const struct activity_limits *limits, int64_t time_ms, int64_t power_mw);

/* The span that is not over: what it does, since when, and up to the last reading. False where nothing was read. The
 * state may yet turn out to have ended within the dwell. */
bool activity_open(const struct activity *a, struct activity_span *ret);
