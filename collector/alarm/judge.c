#include "collector/alarm/judge.h"

static const struct alarm_word unknown = {ALARM_UNKNOWN, ALARM_NEVER, false, 0};

static struct alarm_word say(enum alarm_say what, int64_t value_m)
{
    return (struct alarm_word){what, ALARM_NEVER, true, value_m};
}

static struct alarm_word judge_level(const struct alarm_limit *limit, int64_t value_m)
{
    int64_t over_m = limit->is_above ? value_m : -value_m;
    int64_t fire_m = limit->is_above ? limit->fire_m : -limit->fire_m,
            clear_m = limit->is_above ? limit->clear_m : -limit->clear_m;
    return say(over_m > fire_m ? ALARM_BAD : over_m <= clear_m ? ALARM_GOOD : ALARM_BETWEEN, value_m);
}

int64_t alarm_silent_from_ms(const struct alarm_source *s)
{
    return s->heard_ms > s->since_ms ? s->heard_ms : s->since_ms;
}

/* Silence is what was not heard while it could be, without what does not count of that. Nobody knows of it where it was
 * not heard since it can be, which is no longer than it may be silent; nor where it was not heard for so long that it
 * may be, but what it comes by was not either. */
static struct alarm_word judge_source(
    const struct alarm_rule *rule, const struct alarm_facts *f, const struct alarm_source *s)
{
    int64_t silent_ms = s->until_ms - alarm_silent_from_ms(s) - s->still_ms - s->away_ms,
            for_ms = rule->own->for_ms;
    bool is_silent = s->since_ms != 0 && silent_ms >= for_ms;
    bool is_heard = s->since_ms != 0 && s->heard_ms >= s->since_ms && f->now_ms - s->heard_ms < for_ms;
    struct alarm_word word = say(is_silent ? ALARM_BAD : is_heard ? ALARM_GOOD : ALARM_UNKNOWN, 0);
    word.has_value = s->heard_ms > 0;
    word.value_m = s->heard_ms > 0 && f->now_ms > s->heard_ms ? f->now_ms - s->heard_ms : 0;
    if (is_silent)
        word.since_ms = s->heard_ms > 0 ? s->heard_ms : s->since_ms;
    return word;
}

static int rank_of(enum alarm_say what)
{
    return what == ALARM_BAD ? 2 : what == ALARM_UNKNOWN ? 1 : 0;
}

/* One source is enough to be silent; of several the longest is told. */
static struct alarm_word judge_silence(const struct alarm_rule *rule, const struct alarm_facts *f)
{
    struct alarm_word worst = unknown;
    for (int i = 0; f->is_clock_right && i < f->source_count; i++) {
        struct alarm_word word = judge_source(rule, f, &f->sources[i]);
        int rank = rank_of(word.say), than = rank_of(worst.say);
        if (i == 0 || rank > than || (rank == than && word.value_m > worst.value_m))
            worst = word;
    }
    return worst;
}

/* One quarter hour without any is enough to know that it stops; that it never does only a whole night can tell. */
static struct alarm_word judge_water(const struct alarm_rule *rule, const struct alarm_facts *f)
{
    struct alarm_word word = judge_level(&rule->limit, f->value_m);
    return word.say == ALARM_GOOD || f->is_whole ? word : unknown;
}

enum alarm_reason alarm_reason_of(const struct alarm_rule *rule, const struct alarm_facts *f)
{
    if (rule->kind != ALARM_LEFT_RUNNING)
        return rule->kind == ALARM_DISK ? f->fullest : ALARM_REASON_NONE;
    bool is_closed = f->has_hours && rule->own->when != ALARM_WHEN_NO_SESSION && !f->is_open;
    bool is_alone =
        f->has_session && rule->own->when != ALARM_WHEN_CLOSED && f->is_session_known && !f->is_session_open;
    if (is_closed)
        return is_alone ? ALARM_REASON_BOTH : ALARM_REASON_CLOSED;
    return is_alone ? ALARM_REASON_NO_SESSION : ALARM_REASON_NONE;
}

/* Bad is what one source says alone; good only what all of them say. */
static struct alarm_word judge_running(const struct alarm_rule *rule, const struct alarm_facts *f)
{
    struct alarm_word word = {ALARM_GOOD, ALARM_NEVER, false, 0};
    if (!f->is_running)
        return word;
    bool asks_hours = f->has_hours && rule->own->when != ALARM_WHEN_NO_SESSION;
    bool asks_session = f->has_session && rule->own->when != ALARM_WHEN_CLOSED;
    if (alarm_reason_of(rule, f) != ALARM_REASON_NONE)
        word.say = ALARM_BAD;
    else if ((asks_session && !f->is_session_known) || (!asks_hours && !asks_session))
        word.say = ALARM_UNKNOWN;
    return word;
}

static struct alarm_word judge_loss(const struct alarm_rule *rule, const struct alarm_facts *f)
{
    if (f->lost_ms == 0)
        return say(ALARM_GOOD, f->lost * 1000);
    bool is_new = f->now_ms - f->lost_ms < rule->own->clear_for_ms;
    struct alarm_word word = say(is_new ? ALARM_BAD : ALARM_GOOD, f->lost * 1000);
    word.since_ms = is_new ? f->lost_ms : ALARM_NEVER;
    return word;
}

/* How long it lasts is told by no clock that may be wrong, so it is waited for here. */
static struct alarm_word judge_health(const struct alarm_rule *rule, const struct alarm_facts *f)
{
    int64_t least_ms = f->is_unwell ? rule->own->for_ms : rule->own->clear_for_ms;
    if (!f->is_known || f->lasts_ms < least_ms)
        return unknown;
    return (struct alarm_word){f->is_unwell ? ALARM_BAD : ALARM_GOOD, f->now_ms - f->lasts_ms, false, 0};
}

struct alarm_word alarm_judge(const struct alarm_rule *rule, const struct alarm_facts *f)
{
    if (f->is_gone)
        return (struct alarm_word){ALARM_GONE, ALARM_NEVER, false, 0};
    switch ((enum alarm_kind)rule->kind) {
    case ALARM_NO_DATA:
        return judge_silence(rule, f);
    case ALARM_THRESHOLD:
    case ALARM_BASE_LOAD:
        return f->is_known && f->is_clock_right ? judge_level(&rule->limit, f->value_m) : unknown;
    case ALARM_WATER:
        return f->is_known && f->is_clock_right ? judge_water(rule, f) : unknown;
    case ALARM_BALANCE:
        return f->is_known && f->is_clock_right ? judge_level(&rule->limit, f->value_m) : unknown;
    case ALARM_DISK:
        return f->is_known ? judge_level(&rule->limit, f->value_m) : unknown;
    case ALARM_LEFT_RUNNING:
        return f->is_known && f->is_clock_right ? judge_running(rule, f) : unknown;
    case ALARM_CLOCK:
        if (!f->is_known)
            return unknown;
        return (struct alarm_word){f->is_synchronised ? ALARM_GOOD : ALARM_BAD, ALARM_NEVER, false, 0};
    case ALARM_LOSS:
        return f->is_clock_right ? judge_loss(rule, f) : unknown;
    case ALARM_HEALTH:
        return judge_health(rule, f);
    }
    return unknown;
}

int64_t alarm_for_ms(const struct alarm_rule *rule)
{
    return rule->kind == ALARM_NO_DATA || rule->kind == ALARM_HEALTH ? 0 : rule->own->for_ms;
}

int64_t alarm_clear_for_ms(const struct alarm_rule *rule)
{
    return rule->kind == ALARM_LOSS || rule->kind == ALARM_HEALTH ? 0 : rule->own->clear_for_ms;
}

bool alarm_bound_m(const struct alarm_rule *rule, int64_t *ret_m)
{
    switch ((enum alarm_kind)rule->kind) {
    case ALARM_NO_DATA:
        *ret_m = rule->own->for_ms;
        return true;
    case ALARM_THRESHOLD:
    case ALARM_BASE_LOAD:
    case ALARM_WATER:
    case ALARM_BALANCE:
    case ALARM_DISK:
        *ret_m = rule->limit.fire_m;
        return true;
    case ALARM_LEFT_RUNNING:
    case ALARM_CLOCK:
    case ALARM_LOSS:
    case ALARM_HEALTH:
        return false;
    }
    return false;
}
