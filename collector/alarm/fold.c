#include "collector/alarm/fold.h"

const struct alarm_state alarm_state_none = {false, ALARM_NEVER};

static enum alarm_change become(struct alarm_state *state, bool is_standing)
{
    *state = (struct alarm_state){is_standing, ALARM_NEVER};
    return is_standing ? ALARM_FIRES : ALARM_CLEARS;
}

enum alarm_change alarm_fold(struct alarm_state *state, const struct alarm_word *word, int64_t for_ms,
    int64_t clear_for_ms, int64_t now_ms)
{
    if (word->say == ALARM_GONE && state->is_standing)
        return become(state, false);
    if (word->say != (state->is_standing ? ALARM_GOOD : ALARM_BAD)) {
        state->run_ms = ALARM_NEVER;
        return ALARM_STAYS;
    }
    if (state->run_ms == ALARM_NEVER)
        state->run_ms = word->since_ms != ALARM_NEVER && word->since_ms < now_ms ? word->since_ms : now_ms;
    if (state->run_ms > now_ms) /* the clock was set back: what is left of the run is from now on */
        state->run_ms = now_ms;
    if (now_ms - state->run_ms < (state->is_standing ? clear_for_ms : for_ms))
        return ALARM_STAYS;
    return become(state, !state->is_standing);
}
