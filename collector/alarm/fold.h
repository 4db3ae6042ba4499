/*
 * Whether an alarm stands: a state, folded over what is said at instants (CONTRIBUTING.md, W1 to W3). Pure, and the only
 * place where an alarm fires or clears.
 *
 * A limit to fire and one to clear: what lies between them is neither. How long without a break: what is contrary to the state
 * begins a run, and only when the run has lasted is the state another. What is not known ends a run, and begins none.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define ALARM_NEVER INT64_MIN

enum alarm_say {
    ALARM_UNKNOWN, /* nobody knows: neither fires nor clears */
    ALARM_GOOD,
    ALARM_BETWEEN, /* known, and neither */
    ALARM_BAD,
    ALARM_GONE /* there is nothing to watch any more: what stands is cleared at once */
};

/* What is said of a target at an instant. */
struct alarm_word {
    enum alarm_say say;
    int64_t since_ms; /* since when that is so, where it is known; ALARM_NEVER = since now */
    bool has_value;
    int64_t value_m; /* thousandths of the kind's unit */
};

struct alarm_state {
    bool is_standing;
    int64_t run_ms; /* since when the contrary is said without a break; ALARM_NEVER = it is not */
};
extern const struct alarm_state alarm_state_none;

enum alarm_change { ALARM_STAYS, ALARM_FIRES, ALARM_CLEARS };

/* `for_ms`, `clear_for_ms`: how long a run lasts until it fires, or clears. A run that begins before the word that is said
 * (since_ms) counts from there. */
enum alarm_change alarm_fold(struct alarm_state *state, const struct alarm_word *word, int64_t for_ms,
    int64_t clear_for_ms, int64_t now_ms);
