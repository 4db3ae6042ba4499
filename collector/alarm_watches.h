/*
 * What each rule watches in the park, and what is known of that: a cache of what is committed. Core thread.
 */
#pragma once

#include "collector/alarm/judge.h"
#include "lib/line.h"

/* A gateway is away where it is silent for longer than this part of `for`, and than what two looks cannot tell. */
#define ALARM_AWAY_PART 4
#define ALARM_AWAY_MS 2000

/* What a point comes by, as it was looked at last. */
struct alarm_return {
    char *point;      /* owned; NULL = it was not looked at yet */
    int64_t word_ms;  /* the last word of its gateway */
    int64_t from_ms;  /* since when the point is silent, or could be heard: */
    int64_t still_ms; /* for how long nobody listened meanwhile */
    int64_t away_ms;  /* what else of its silence since then does not count */
    bool is_back;     /* since then the gateway was silent, and came back */
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
    struct alarm_former *former; /* what is known beyond a layout */
    size_t former_count, former_capacity;
};

/* Before the rules go that it borrows: nothing is watched, but when gateways came back stays for the next layout. */
void alarm_watches_leave(struct alarm_watches *w);
/* As they are at a time. Nothing is known of them, but when gateways came back, by rule, target and point. Borrows both; rules
 * NULL = none. */
void alarm_watches_lay_out(
    struct alarm_watches *w, const struct alarm_rules *rules, const struct park *park, int64_t now_ms);
void alarm_watches_release(struct alarm_watches *w); /* accepts a zeroed struct */
/* Nothing is known of them, but when gateways came back. */
void alarm_watches_forget(struct alarm_watches *w);
/* What its gateway was silent is not its own silence (W8). */
void alarm_watch_return(struct alarm_watch *w, struct alarm_facts *facts);
/* By the names that rows have; NULL = it is not watched. */
struct alarm_watch *alarm_watches_find(
    struct alarm_watches *w, struct span rule, struct span target_kind, struct span target);
