#include "collector/alarm/behind.h"

#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>

int alarm_meter_points(const struct park_meter *m, int64_t time_ms, const char *ret[ALARM_METER_POINTS])
{
    const struct park_segment *segment = park_segment_at(m, time_ms);
    int count = 0;
    if (segment != NULL && segment->point != NULL)
        ret[count++] = segment->point;
    if (m->power != NULL && (segment != NULL || m->segments.count == 0))
        ret[count++] = m->power;
    return count;
}

/* How severe the worst rule is that watches it by name; -1: none does. */
static int watched_by(const struct alarm_rules *rules, const struct alarm_rule *own, const char *gateway)
{
    int worst = -1;
    CONF_EACH (const struct alarm_rule, rule, rules->rules)
        for (size_t i = 0; rule->kind == ALARM_NO_DATA && i < rule->on.count; i++) {
            enum alarm_target_kind kind;
            const char *id;
            bool is_it = alarm_target_parse(((char *const *)rule->on.items)[i], &kind, &id) &&
                         kind == ALARM_OF_GATEWAY && (strcmp(id, "*") == 0 || strcmp(id, gateway) == 0);
            if (is_it && (rule == own || rule->severity > worst))
                worst = rule == own ? ALARM_SEVERITIES : rule->severity;
        }
    return worst;
}

struct behind {
    const struct park *park;
    struct alarm_target *items;
    size_t count, capacity;
};

static void add(struct behind *b, const char *point)
{
    const struct park_gateway *g = park_gateway_of(b->park, point);
    if (g == NULL)
        return;
    for (size_t i = 0; i < b->count; i++)
        if (strcmp(b->items[i].id, g->id) == 0)
            return;
    MEM_GROW(b->items, b->count, b->capacity);
    b->items[b->count++] = (struct alarm_target){ALARM_OF_GATEWAY, mem_strdup(g->id)};
}

struct alarm_target *alarm_targets_behind(const struct alarm_rules *rules, const struct alarm_rule *rule,
    const struct park *park, int64_t time_ms, size_t *ret_count)
{
    struct behind b = {.park = park};
    *ret_count = 0;
    if (rule->kind != ALARM_NO_DATA)
        return NULL;
    size_t count, kept = 0;
    struct alarm_target *targets = alarm_targets(rule, park, &count);
    for (size_t i = 0; i < count; i++) {
        const char *points[ALARM_METER_POINTS] = {targets[i].id};
        int found = targets[i].kind == ALARM_OF_POINT ? 1 : 0;
        if (targets[i].kind == ALARM_OF_METER)
            found = alarm_meter_points(park_meter_find(park, targets[i].id), time_ms, points);
        for (int k = 0; k < found; k++)
            add(&b, points[k]);
    }
    alarm_targets_release(targets, count);
    for (size_t i = 0; i < b.count; i++) {
        if (watched_by(rules, rule, b.items[i].id) < rule->severity)
            b.items[kept++] = b.items[i];
        else
            free(b.items[i].id);
    }
    *ret_count = kept;
    return b.items;
}

static void take_earlier(int64_t *until_ms, int64_t at_ms, int64_t time_ms)
{
    if (at_ms > time_ms && at_ms < *until_ms)
        *until_ms = at_ms;
}

int64_t alarm_behind_until_ms(const struct park *park, int64_t time_ms)
{
    int64_t until_ms = INT64_MAX;
    CONF_EACH (const struct park_meter, m, park->meters)
        CONF_EACH (const struct park_segment, segment, m->segments) {
            take_earlier(&until_ms, segment->from_ms, time_ms);
            take_earlier(&until_ms, segment->until_ms, time_ms);
        }
    return until_ms;
}
