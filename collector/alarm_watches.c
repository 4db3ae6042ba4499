#include "collector/alarm_watches.h"

#include "collector/alarm/behind.h"
#include "collector/alarm_facts.h"
#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>

struct alarm_former {
    char *rule;
    struct alarm_target target;
    struct alarm_return returns[ALARM_SOURCES];
};

static void drop_returns(struct alarm_return *returns)
{
    for (int i = 0; i < ALARM_SOURCES; i++)
        free(returns[i].point);
}

static void drop_items(struct alarm_watches *w)
{
    for (size_t i = 0; i < w->count; i++) {
        free(w->items[i].target.id);
        drop_returns(w->items[i].returns);
    }
    free(w->items);
    w->items = NULL;
    w->count = 0;
    w->until_ms = 0;
}

static void drop_former(struct alarm_watches *w)
{
    for (size_t i = 0; i < w->former_count; i++) {
        free(w->former[i].rule);
        free(w->former[i].target.id);
        drop_returns(w->former[i].returns);
    }
    free(w->former);
    w->former = NULL;
    w->former_count = w->former_capacity = 0;
}

void alarm_watches_release(struct alarm_watches *w)
{
    drop_items(w);
    drop_former(w);
}

void alarm_watches_leave(struct alarm_watches *w)
{
    for (size_t i = 0; i < w->count; i++) {
        struct alarm_watch *one = &w->items[i];
        if (one->returns[0].point == NULL)
            continue;
        MEM_GROW(w->former, w->former_count, w->former_capacity);
        struct alarm_former *f = &w->former[w->former_count++];
        *f = (struct alarm_former){mem_strdup(one->rule->id), one->target, {{0}}};
        memcpy(f->returns, one->returns, sizeof f->returns);
        memset(one->returns, 0, sizeof one->returns);
        one->target.id = NULL;
    }
    drop_items(w);
}

void alarm_watches_forget(struct alarm_watches *w)
{
    for (size_t i = 0; i < w->count; i++) {
        struct alarm_watch *one = &w->items[i];
        struct alarm_watch before = *one;
        *one = (struct alarm_watch){.rule = before.rule,
            .target = before.target,
            .state = alarm_state_none,
            .is_slow = before.is_slow};
        memcpy(one->returns, before.returns, sizeof before.returns);
    }
}

/* Takes the targets. */
static void add(struct alarm_watches *w, const struct alarm_rule *rule, struct alarm_target *targets,
    size_t count, size_t *capacity)
{
    for (size_t i = 0; i < count; i++) {
        MEM_GROW(w->items, w->count, *capacity);
        w->items[w->count++] = (struct alarm_watch){.rule = rule,
            .target = targets[i],
            .state = alarm_state_none,
            .is_slow = alarm_facts_are_slow(rule, targets[i].kind)};
    }
    free(targets);
}

static bool is_watched(const struct alarm_watches *w, size_t first, const char *id)
{
    for (size_t i = first; i < w->count; i++)
        if (strcmp(w->items[i].target.id, id) == 0)
            return true;
    return false;
}

/* Gateways that rules watch by themselves: each by one alone, the first of the worst. */
static void add_behind(struct alarm_watches *w, const struct alarm_rules *rules, const struct park *park,
    int64_t now_ms, size_t *capacity)
{
    size_t first = w->count, count;
    for (int severity = ALARM_SEVERITIES - 1; severity >= 0; severity--)
        CONF_EACH (const struct alarm_rule, rule, rules->rules) {
            if (rule->severity != severity)
                continue;
            struct alarm_target *targets = alarm_targets_behind(rules, rule, park, now_ms, &count);
            size_t kept = 0;
            for (size_t i = 0; i < count; i++) {
                if (is_watched(w, first, targets[i].id))
                    free(targets[i].id);
                else
                    targets[kept++] = targets[i];
            }
            add(w, rule, targets, kept, capacity);
        }
}

static bool is_of(const struct alarm_watch *w, const struct alarm_former *f)
{
    return w->target.kind == f->target.kind && strcmp(w->target.id, f->target.id) == 0 &&
           strcmp(w->rule->id, f->rule) == 0;
}

/* Both are in the same order, mostly. */
static void take_returns(struct alarm_watches *w)
{
    size_t at = 0;
    for (size_t i = 0; i < w->former_count; i++) {
        struct alarm_former *f = &w->former[i];
        size_t n = 0;
        while (n < w->count && !is_of(&w->items[(at + n) % w->count], f))
            n++;
        if (n == w->count)
            continue;
        at = (at + n) % w->count;
        memcpy(w->items[at].returns, f->returns, sizeof f->returns);
        memset(f->returns, 0, sizeof f->returns);
    }
    drop_former(w);
}

void alarm_watches_lay_out(
    struct alarm_watches *w, const struct alarm_rules *rules, const struct park *park, int64_t now_ms)
{
    size_t capacity = 0, count;
    alarm_watches_leave(w);
    w->until_ms = alarm_behind_until_ms(park, now_ms);
    if (rules != NULL) {
        CONF_EACH (const struct alarm_rule, rule, rules->rules) {
            struct alarm_target *targets = alarm_targets(rule, park, &count);
            add(w, rule, targets, count, &capacity);
        }
        add_behind(w, rules, park, now_ms, &capacity);
    }
    take_returns(w);
}

/* By the point, which may have another place among those of its meter by now. */
static struct alarm_return *return_of(struct alarm_watch *w, int place, const char *point)
{
    struct alarm_return *r = &w->returns[place];
    for (int i = place; i < ALARM_SOURCES; i++) {
        struct alarm_return found = w->returns[i];
        if (found.point == NULL || strcmp(found.point, point) != 0)
            continue;
        w->returns[i] = *r;
        *r = found;
        return r;
    }
    free(r->point);
    *r = (struct alarm_return){.point = mem_strdup(point)};
    return r;
}

static int64_t more(int64_t a_ms, int64_t b_ms)
{
    return a_ms > b_ms ? a_ms : b_ms;
}

/* Silence is counted anew from when the gateway came back, once; of each further time that it was away a part counts. So a meter
 * fires although its gateway comes and goes. */
static void count_away(struct alarm_return *r, const struct alarm_source *s, int64_t for_ms)
{
    int64_t word_ms = more(r->word_ms, r->from_ms),
            gap_ms = s->until_ms - word_ms - more(s->still_ms - r->still_ms, 0),
            part_ms = more(for_ms / ALARM_AWAY_PART, ALARM_AWAY_MS),
            all_ms = more(s->until_ms - r->from_ms - s->still_ms, 0);
    if (r->word_ms == 0 || s->until_ms < r->word_ms) { /* nobody knows of before */
        r->away_ms = all_ms;
    } else if (gap_ms > part_ms || s->back_ms > word_ms) {
        r->away_ms = r->is_back ? r->away_ms + more(gap_ms - part_ms, 0) : all_ms;
        r->is_back = true;
    }
    r->word_ms = s->until_ms;
    r->still_ms = s->still_ms;
}

void alarm_watch_return(struct alarm_watch *w, struct alarm_facts *facts)
{
    if (w->rule->kind != ALARM_NO_DATA || w->target.kind == ALARM_OF_GATEWAY)
        return;
    for (int i = 0; i < facts->source_count; i++) {
        struct alarm_source *s = &facts->sources[i];
        struct alarm_return *r = return_of(w, i, s->point);
        int64_t from_ms = alarm_silent_from_ms(s);
        if (s->since_ms == 0)
            continue;
        if (r->from_ms != from_ms) {
            r->from_ms = from_ms;
            r->still_ms = 0;
            r->away_ms = 0;
            r->is_back = false;
        }
        count_away(r, s, w->rule->own->for_ms);
        s->away_ms = r->away_ms;
    }
}

struct alarm_watch *alarm_watches_find(
    struct alarm_watches *w, struct span rule, struct span target_kind, struct span target)
{
    for (size_t i = 0; i < w->count; i++) {
        struct alarm_watch *one = &w->items[i];
        if (span_is(target, one->target.id) && span_is(rule, one->rule->id) &&
            span_is(target_kind, alarm_target_kinds[one->target.kind]))
            return one;
    }
    return NULL;
}
