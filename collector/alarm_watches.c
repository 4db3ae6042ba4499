#include "collector/alarm_watches.h"

#include "collector/alarm/behind.h"
#include "collector/alarm_facts.h"
#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>

void alarm_watches_release(struct alarm_watches *w)
{
    for (size_t i = 0; i < w->count; i++)
        free(w->items[i].target.id);
    free(w->items);
    *w = (struct alarm_watches){0};
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

void alarm_watches_lay_out(
    struct alarm_watches *w, const struct alarm_rules *rules, const struct park *park, int64_t now_ms)
{
    size_t capacity = 0, count;
    alarm_watches_release(w);
    w->until_ms = alarm_behind_until_ms(park, now_ms);
    if (rules == NULL)
        return;
    CONF_EACH (const struct alarm_rule, rule, rules->rules) {
        struct alarm_target *targets = alarm_targets(rule, park, &count);
        add(w, rule, targets, count, &capacity);
    }
    add_behind(w, rules, park, now_ms, &capacity);
}

void alarm_watch_return(struct alarm_watch *w, struct alarm_facts *facts)
{
    if (w->rule->kind != ALARM_NO_DATA || w->target.kind == ALARM_OF_GATEWAY)
        return;
    for (int i = 0; i < facts->source_count; i++) {
        struct alarm_source *s = &facts->sources[i];
        struct alarm_return *r = &w->returns[i];
        if (s->until_ms == 0)
            continue;
        bool is_back = r->word_ms != 0 && s->until_ms - r->word_ms >= w->rule->own->for_ms;
        if (r->back_ms <= s->heard_ms || r->back_ms > s->until_ms)
            r->back_ms = is_back && s->heard_ms <= r->word_ms ? s->until_ms : 0;
        r->word_ms = s->until_ms;
        if (s->since_ms != 0 && s->since_ms < r->back_ms)
            s->since_ms = r->back_ms;
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
