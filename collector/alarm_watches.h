/*
 * What each rule watches in the park, and what is known of that: a cache of what is committed. Core thread.
 */
#pragma once

#include "collector/alarm/judge.h"
#include "lib/line.h"

/* Of what a meter or point is heard by. */
struct alarm_return {
    int64_t word_ms; /* the last word of its gateway, when it was looked at last; 0 = not yet */
    int64_t
        back_ms; /* the first since it was heard that came after a silence as long as its own may be; 0 = none */
};

struct alarm_watch {
    const struct alarm_rule *rule;
    struct alarm_target target;
    struct alarm_state state;
    int64_t alarm;  /* that stands; 0 = none */
    bool has_value; /* by what was said last, and the next */
    int64_t value_m;
    bool is_slow;
    int64_t due_mono_ms;
    struct alarm_return returns[ALARM_SOURCES];
};

struct alarm_watches {
    struct alarm_watch *items; /* a rule on a target, each */
    size_t count;
    int64_t until_ms; /* when meters come by other points, by then others are watched; 0 = not laid out */
};

/* As they are at a time, with nothing known of them. Borrows both; rules NULL = none. */
void alarm_watches_lay_out(
    struct alarm_watches *w, const struct alarm_rules *rules, const struct park *park, int64_t now_ms);
void alarm_watches_release(struct alarm_watches *w); /* accepts a zeroed struct */
/* Nothing is known of them, but when gateways came back. */
void alarm_watches_forget(struct alarm_watches *w);
/* What its gateway was silent is not its own silence (W8): that counts from when the gateway came back. */
void alarm_watch_return(struct alarm_watch *w, struct alarm_facts *facts);
/* By the names that rows have; NULL = it is not watched. */
struct alarm_watch *alarm_watches_find(
    struct alarm_watches *w, struct span rule, struct span target_kind, struct span target);
