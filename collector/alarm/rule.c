#include "collector/alarm/rule.h"

#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>

/* Which sorts of targets a kind watches, by enum alarm_target_kind: the first is that of a rule without `on`. */
static const struct {
    enum alarm_target_kind first;
    unsigned all;
} sorts[ALARM_KINDS] = {
    [ALARM_NO_DATA] = {ALARM_OF_METER, 1u << ALARM_OF_METER | 1u << ALARM_OF_POINT | 1u << ALARM_OF_GATEWAY},
    [ALARM_THRESHOLD] = {ALARM_OF_METER, 1u << ALARM_OF_METER | 1u << ALARM_OF_POINT | 1u << ALARM_OF_SPACE},
    [ALARM_BASE_LOAD] = {ALARM_OF_METER, 1u << ALARM_OF_METER},
    [ALARM_WATER] = {ALARM_OF_METER, 1u << ALARM_OF_METER},
    [ALARM_BALANCE] = {ALARM_OF_METER, 1u << ALARM_OF_METER},
    [ALARM_LEFT_RUNNING] = {ALARM_OF_INSTRUMENT, 1u << ALARM_OF_INSTRUMENT},
    [ALARM_CLOCK] = {ALARM_OF_GATEWAY, 1u << ALARM_OF_GATEWAY | 1u << ALARM_OF_COLLECTOR},
    [ALARM_DISK] = {ALARM_OF_COLLECTOR, 1u << ALARM_OF_COLLECTOR},
    [ALARM_LOSS] = {ALARM_OF_GATEWAY, 1u << ALARM_OF_GATEWAY},
    [ALARM_HEALTH] = {ALARM_OF_COLLECTOR, 1u << ALARM_OF_COLLECTOR},
};

struct alarm_rules *alarm_rules_load(const char *path)
{
    struct alarm_rules *rules = mem_zalloc(sizeof *rules);
    rules->conf = conf_load(path, &alarms_section, rules);
    return rules;
}

void alarm_rules_destroy(struct alarm_rules *rules)
{
    if (rules == NULL)
        return;
    conf_destroy(rules->conf);
    free(rules);
}

bool alarm_kind_watches(enum alarm_kind kind, enum alarm_target_kind target)
{
    return (sorts[kind].all & 1u << target) != 0;
}

bool alarm_target_parse(const char *text, enum alarm_target_kind *ret_kind, const char **ret_id)
{
    for (int i = 0; i < ALARM_TARGET_KINDS; i++) {
        size_t len = strlen(alarm_target_kinds[i]);
        if (strncmp(text, alarm_target_kinds[i], len) != 0)
            continue;
        bool is_collector = i == ALARM_OF_COLLECTOR;
        if (is_collector ? text[len] != '\0' : text[len] != ':' || text[len + 1] == '\0')
            return false;
        *ret_kind = (enum alarm_target_kind)i;
        *ret_id = is_collector ? "" : text + len + 1;
        return true;
    }
    return false;
}

/* ---- what a kind needs of a thing ---- */

static bool has_point(const struct park_meter *m)
{
    CONF_EACH (const struct park_segment, segment, m->segments)
        if (segment->point != NULL)
            return true;
    return m->power != NULL;
}

static bool is_parent(const struct park *park, const struct park_meter *m)
{
    CONF_EACH (const struct park_meter, other, park->meters)
        for (size_t i = 0; i < other->tag_count; i++)
            if (other->tags[i].parent == m)
                return true;
    return false;
}

/* NULL: it can be watched; else what it lacks. */
static const char *meter_lacks(enum alarm_kind kind, const struct park *park, const struct park_meter *m)
{
    switch (kind) {
    case ALARM_NO_DATA:
        return has_point(m) ? NULL : "is read by hand; expected a meter with a point";
    case ALARM_THRESHOLD:
        return m->power != NULL ? NULL : "has no point of its power; expected a meter with `power`";
    case ALARM_WATER:
        if (m->carrier != CARRIER_WATER)
            return "is no water meter; expected one of carrier \"water\"";
        break;
    case ALARM_BALANCE:
        if (!is_parent(park, m))
            return "is no other meter's parent; expected one with meters below it";
        break;
    case ALARM_BASE_LOAD:
    case ALARM_LEFT_RUNNING:
    case ALARM_CLOCK:
    case ALARM_DISK:
    case ALARM_LOSS:
    case ALARM_HEALTH:
        break;
    }
    return m->segments.count > 0 ? NULL : "has no register; expected a meter with segments";
}

static const char *instrument_lacks(const struct alarm_rule *rule, const struct park_instrument *i)
{
    if (i->power_point == NULL)
        return "has no point of its power; expected an instrument whose power is measured";
    if (rule->own->when == ALARM_WHEN_NO_SESSION && i->session == NULL)
        return "has no point of its sessions; expected an instrument with `session`";
    if (rule->own->when == ALARM_WHEN_CLOSED && i->open == NULL)
        return "is always open; expected an instrument with opening hours";
    return i->session == NULL && i->open == NULL
               ? "has neither opening hours nor a point of its sessions; expected an instrument with one"
               : NULL;
}

/* ---- targets ---- */

struct listing {
    const struct alarm_rule *rule;
    const struct park *park;
    struct alarm_target *items;
    size_t count, capacity;
};

static void add(struct listing *l, enum alarm_target_kind kind, const char *id)
{
    bool may_repeat = l->rule->on.count > 1; /* of thousands of meters nothing is looked for in vain */
    for (size_t i = 0; may_repeat && i < l->count; i++)
        if (l->items[i].kind == kind && strcmp(l->items[i].id, id) == 0)
            return;
    MEM_GROW(l->items, l->count, l->capacity);
    l->items[l->count++] = (struct alarm_target){kind, mem_strdup(id)};
}

static void add_all(struct listing *l, enum alarm_target_kind kind)
{
    enum alarm_kind of = (enum alarm_kind)l->rule->kind;
    switch (kind) {
    case ALARM_OF_METER:
        CONF_EACH (const struct park_meter, m, l->park->meters)
            if (meter_lacks(of, l->park, m) == NULL)
                add(l, kind, m->id);
        return;
    case ALARM_OF_GATEWAY:
        CONF_EACH (const struct park_gateway, g, l->park->gateways)
            add(l, kind, g->id);
        return;
    case ALARM_OF_SPACE:
        CONF_EACH (const struct park_space, s, l->park->spaces)
            if (s->doors.count > 0)
                add(l, kind, s->id);
        return;
    case ALARM_OF_INSTRUMENT:
        CONF_EACH (const struct park_instrument, i, l->park->instruments)
            if (instrument_lacks(l->rule, i) == NULL)
                add(l, kind, i->id);
        return;
    case ALARM_OF_COLLECTOR:
        add(l, kind, "");
        return;
    case ALARM_OF_POINT:
        return;
    }
}

/* What is wrong with a target of that id; NULL = it is there, and can be watched. */
static const char *target_lacks(
    const struct alarm_rule *rule, const struct park *park, enum alarm_target_kind kind, const char *id)
{
    const struct park_meter *m;
    const struct park_space *s;
    const struct park_instrument *i;
    const char *slash;
    switch (kind) {
    case ALARM_OF_METER:
        m = park_meter_find(park, id);
        return m != NULL ? meter_lacks((enum alarm_kind)rule->kind, park, m)
                         : "is not in the park model; expected the id of a meter";
    case ALARM_OF_GATEWAY:
        return park_gateway_find(park, id) != NULL ? NULL
                                                   : "is not in the park model; expected the id of a gateway";
    case ALARM_OF_SPACE:
        s = park_space_find(park, id);
        if (s == NULL)
            return "is not in the park model; expected the id of a space";
        return s->doors.count > 0
                   ? NULL
                   : "has no door; expected a space with doors (of a sensor name its point, \"point:...\")";
    case ALARM_OF_INSTRUMENT:
        i = park_instrument_find(park, id);
        return i != NULL ? instrument_lacks(rule, i)
                         : "is not in the park model; expected the id of an instrument";
    case ALARM_OF_POINT:
        slash = strchr(id, '/');
        if (slash == NULL || slash[1] == '\0')
            return "is no point; expected <gateway>/<point>";
        return park_gateway_of(park, id) != NULL
                   ? NULL
                   : "is of no gateway of the park model; expected <gateway>/<point>";
    case ALARM_OF_COLLECTOR:
        return NULL;
    }
    return NULL;
}

struct alarm_target *alarm_targets(const struct alarm_rule *rule, const struct park *park, size_t *ret_count)
{
    struct listing l = {.rule = rule, .park = park};
    if (rule->on.count == 0)
        add_all(&l, sorts[rule->kind].first);
    for (size_t i = 0; i < rule->on.count; i++) {
        enum alarm_target_kind kind;
        const char *id;
        if (!alarm_target_parse(((char *const *)rule->on.items)[i], &kind, &id) ||
            !alarm_kind_watches((enum alarm_kind)rule->kind, kind))
            continue;
        if (strcmp(id, "*") == 0)
            add_all(&l, kind);
        else if (target_lacks(rule, park, kind, id) == NULL)
            add(&l, kind, id);
    }
    *ret_count = l.count;
    return l.items;
}

void alarm_targets_release(struct alarm_target *targets, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(targets[i].id);
    free(targets);
}

/* ---- the check ---- */

static void name_sorts(enum alarm_kind kind, char *text, size_t size)
{
    size_t len = 0;
    text[0] = '\0';
    for (int i = 0; i < ALARM_TARGET_KINDS; i++)
        if (alarm_kind_watches(kind, (enum alarm_target_kind)i) && len < size)
            len += (size_t)snprintf(
                text + len, size - len, "%s\"%s\"", len > 0 ? ", " : "", alarm_target_kinds[i]);
}

static void check_target(
    struct conf *c, const struct alarm_rule *rule, const struct park *park, const char *text)
{
    enum alarm_target_kind kind;
    const char *id;
    if (!alarm_target_parse(text, &kind, &id)) {
        conf_problem(c, &rule->where, "on",
            "\"%s\" is nothing to watch; expected \"<sort>:<id>\", such as \"meter:m1\" or \"gateway:*\"",
            text);
    } else if (!alarm_kind_watches((enum alarm_kind)rule->kind, kind)) {
        char known[96];
        name_sorts((enum alarm_kind)rule->kind, known, sizeof known);
        conf_problem(c, &rule->where, "on", "\"%s\": the kind %s does not watch a %s; expected %s", text,
            alarm_kinds[rule->kind], alarm_target_kinds[kind], known);
    } else if (kind == ALARM_OF_POINT && strcmp(id, "*") == 0) {
        conf_problem(
            c, &rule->where, "on", "\"%s\": points are named one by one; expected <gateway>/<point>", text);
    } else if (strcmp(id, "*") != 0) {
        const char *lack = target_lacks(rule, park, kind, id);
        if (lack != NULL)
            conf_problem(c, &rule->where, "on", "\"%s\" %s", text, lack);
    }
}

void alarm_rules_check(struct alarm_rules *rules, const struct park *park)
{
    CONF_EACH (const struct alarm_rule, rule, rules->rules) {
        if (rule->own == NULL || rule->kind < 0)
            continue;
        for (size_t i = 0; i < rule->on.count; i++)
            check_target(rules->conf, rule, park, ((char *const *)rule->on.items)[i]);
    }
}
