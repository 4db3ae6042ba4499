#include "collector/alarm_desk.h"

#include "lib/cursor.h"
#include "lib/log.h"
#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>

#define CURSOR "alarms"
#define SEEN_MS 30000 /* between two notes that runs are looked after */

struct alarm_watch {
    const struct alarm_rule *rule;
    struct alarm_target target;
    struct alarm_state state;
    int64_t alarm; /* that stands; 0 = none */
    bool is_slow;
    int64_t due_mono_ms;
};

struct alarm_rules *alarm_desk_load(const char *path, const struct park *park, bool reads_secrets)
{
    struct alarm_rules *rules = alarm_rules_load(path);
    if (park != NULL && conf_problem_count(park->conf) == 0)
        alarm_rules_check(rules, park);
    if (reads_secrets)
        couriers_check(rules);
    return rules;
}

void alarm_desk_init(struct alarm_desk *d, struct db *db, const char *collector)
{
    *d = (struct alarm_desk){.db = db, .collector = collector};
}

static size_t receiver_count(const struct alarm_desk *d)
{
    return d->rules != NULL ? d->rules->receivers.count : 0;
}

static void drop_parcels(struct alarm_desk *d)
{
    for (size_t i = 0; d->parcels != NULL && i < receiver_count(d); i++)
        courier_parcel_release(&d->parcels[i]);
}

void alarm_desk_reset(struct alarm_desk *d)
{
    drop_parcels(d);
    d->is_loaded = d->has_looked = false;
}

static void drop_watches(struct alarm_desk *d)
{
    for (size_t i = 0; i < d->count; i++)
        free(d->watches[i].target.id);
    free(d->watches);
    d->watches = NULL;
    d->count = d->next_slow = 0;
}

static void drop_zones(struct alarm_desk *d)
{
    for (size_t i = 0; d->zones != NULL && i < d->park->sites.count; i++)
        zone_destroy(d->zones[i]);
    free(d->zones);
    d->zones = NULL;
}

/* What each rule watches in the park as it is now. */
static void lay_out(struct alarm_desk *d)
{
    alarm_desk_reset(d);
    drop_watches(d);
    size_t capacity = 0;
    if (d->rules == NULL || d->park == NULL)
        return;
    CONF_EACH (const struct alarm_rule, rule, d->rules->rules) {
        size_t count;
        struct alarm_target *targets = alarm_targets(rule, d->park, &count);
        for (size_t i = 0; i < count; i++) {
            MEM_GROW(d->watches, d->count, capacity);
            d->watches[d->count++] = (struct alarm_watch){.rule = rule,
                .target = targets[i],
                .state = alarm_state_none,
                .is_slow = alarm_facts_are_slow(rule, targets[i].kind)};
        }
        free(targets); /* their ids are the watches' now */
    }
}

void alarm_desk_use_rules(struct alarm_desk *d, struct alarm_rules *rules)
{
    drop_parcels(d);
    free(d->parcels);
    drop_watches(d);
    struct alarm_rules *before = d->rules;
    d->rules = rules;
    d->parcels = mem_zalloc((receiver_count(d) + 1) * sizeof *d->parcels);
    if (d->couriers != NULL)
        couriers_use(d->couriers, rules);
    alarm_rules_destroy(before);
    lay_out(d);
}

void alarm_desk_use(struct alarm_desk *d, const struct park *park)
{
    drop_zones(d);
    d->park = park;
    d->zones = mem_zalloc((park->sites.count + 1) * sizeof(struct zone *));
    size_t i = 0;
    CONF_EACH (const struct park_site, site, park->sites)
        d->zones[i++] = zone_create(site->zone);
    lay_out(d);
}

void alarm_desk_release(struct alarm_desk *d)
{
    drop_parcels(d);
    free(d->parcels);
    drop_watches(d);
    drop_zones(d);
    alarm_rules_destroy(d->rules);
    *d = (struct alarm_desk){0};
}

/* ---- what is committed ---- */

static struct alarm_watch *find(
    struct alarm_desk *d, struct span rule, struct span target_kind, struct span target)
{
    for (size_t i = 0; i < d->count; i++) {
        struct alarm_watch *w = &d->watches[i];
        if (span_is(target, w->target.id) && span_is(rule, w->rule->id) &&
            span_is(target_kind, alarm_target_kinds[w->target.kind]))
            return w;
    }
    return NULL;
}

static void log_change(const struct alarm_desk *d, const struct alarm *a)
{
    struct buf text = {0};
    struct alarm_place place = alarm_place_find(d->park, a->target_kind, a->target);
    alarm_target_text(a, &place, ALARM_EN, &text);
    log_info("alarms", "%s: alarm %lld, rule %s, %s, %s", a->cleared_ms != 0 ? "cleared" : "fired",
        (long long)a->id, a->rule, alarm_kind_word(a->kind, ALARM_EN), text.data);
    buf_release(&text);
}

static enum status clear(
    struct alarm_desk *d, int64_t id, int64_t now_ms, bool is_gone, bool *ret_is_changed, struct error *err)
{
    struct alarm a;
    enum status status = alarm_clear(d->db, id, now_ms, is_gone, err);
    if (status == ST_OK)
        status = alarm_told_over(d->db, id, now_ms, err);
    if (status == ST_OK && (status = alarm_find(d->db, id, &a, err)) == ST_OK) {
        log_change(d, &a);
        alarm_release(&a);
    }
    *ret_is_changed = true;
    return status;
}

static enum status tell_all(
    struct alarm_desk *d, int64_t alarm, enum alarm_severity severity, int64_t now_ms, struct error *err)
{
    enum status status = ST_OK;
    CONF_EACH (const struct alarm_receiver, r, d->rules->receivers)
        if (status == ST_OK && (int)severity >= r->severity)
            status = alarm_told_add(d->db, alarm, r->id, now_ms, err);
    return status;
}

/* Standing alarms: whose rule or target is no more clears, and who is new among the receivers is told of the others. */
static enum status load_standing(
    struct alarm_desk *d, int64_t now_ms, bool *ret_is_changed, struct error *err)
{
    struct alarm_list standing;
    enum status status = alarm_list_read(d->db, true, INT64_MAX, INT64_MAX, &standing, err);
    if (status != ST_OK)
        return status;
    for (size_t i = 0; i < standing.count && status == ST_OK; i++) {
        const struct alarm *a = &standing.items[i];
        struct alarm_watch *w =
            find(d, span_of(a->rule), span_of(alarm_target_kinds[a->target_kind]), span_of(a->target));
        if (w == NULL || w->rule->kind != (int)a->kind) {
            status = clear(d, a->id, now_ms, true, ret_is_changed, err);
            continue;
        }
        w->alarm = a->id;
        w->state.is_standing = true;
        status = tell_all(d, a->id, a->severity, now_ms, err);
        *ret_is_changed = true;
    }
    alarm_list_release(&standing);
    return status;
}

/* Runs that nobody looked after for a while, or that are nobody's any more, are over. */
static enum status load_runs(struct alarm_desk *d, int64_t now_ms, bool *ret_is_changed, struct error *err)
{
    enum status status = cursor_read(d->db, CURSOR, &d->seen_ms, err);
    if (status != ST_OK)
        return status;
    bool is_broken = now_ms - d->seen_ms > ALARM_BREAK_MS || now_ms < d->seen_ms, has_row, is_any = false;
    struct db_stmt *rows = db_keep(d->db, "SELECT rule, target_kind, target, run_ms FROM alarm_run");
    while ((status = db_step(rows, &has_row, err)) == ST_OK && has_row) {
        struct alarm_watch *w = find(d, db_text(rows, 0), db_text(rows, 1), db_text(rows, 2));
        if (w != NULL && !is_broken)
            w->state.run_ms = db_int(rows, 3);
        is_any = is_any || w == NULL || is_broken;
    }
    db_reset(rows);
    if (status != ST_OK || !is_any)
        return status;
    status = db_run(db_keep(d->db, "DELETE FROM alarm_run"), err);
    for (size_t i = 0; i < d->count && status == ST_OK; i++) {
        const struct alarm_watch *w = &d->watches[i];
        if (w->state.run_ms != ALARM_NEVER)
            status = alarm_run_write(d->db, w->rule->id, w->target.kind, w->target.id, w->state.run_ms, err);
    }
    *ret_is_changed = true;
    return status;
}

/* Who is no receiver any more is due nothing: should one of that id come again, it is a new one. */
static enum status forget_receivers(struct alarm_desk *d, bool *ret_is_changed, struct error *err)
{
    struct db_stmt *rows = db_keep(d->db, "SELECT DISTINCT receiver FROM alarm_told");
    char *gone = NULL;
    bool has_row;
    enum status status;
    while ((status = db_step(rows, &has_row, err)) == ST_OK && has_row && gone == NULL) {
        struct span id = db_text(rows, 0);
        bool is_known = false;
        for (size_t i = 0; i < receiver_count(d); i++)
            is_known =
                is_known || span_is(id, ((const struct alarm_receiver *)d->rules->receivers.items)[i].id);
        gone = is_known ? NULL : mem_strndup(id.at, id.len);
    }
    db_reset(rows);
    if (gone == NULL)
        return status;
    struct db_stmt *row = db_keep(d->db, "DELETE FROM alarm_told WHERE receiver = ?1");
    db_bind_text(row, 1, span_of(gone));
    status = db_run(row, err);
    free(gone);
    *ret_is_changed = true;
    return status == ST_OK ? forget_receivers(d, ret_is_changed, err) : status;
}

static enum status load(struct alarm_desk *d, int64_t now_ms, bool *ret_is_changed, struct error *err)
{
    for (size_t i = 0; i < d->count; i++) {
        d->watches[i].state = alarm_state_none;
        d->watches[i].alarm = 0;
        d->watches[i].due_mono_ms = 0;
    }
    enum status status = forget_receivers(d, ret_is_changed, err);
    if (status == ST_OK)
        status = load_standing(d, now_ms, ret_is_changed, err);
    if (status == ST_OK)
        status = load_runs(d, now_ms, ret_is_changed, err);
    d->is_loaded = status == ST_OK;
    return status;
}

/* ---- what receivers took ---- */

/* n messages were taken of what stands: the next follows after repeat, twice that, four times that, ... */
static int64_t repeat_after(const struct alarm_rules *rules, int64_t taken)
{
    int64_t wait_ms = rules->repeat_ms;
    for (int64_t i = 1; i < taken && wait_ms < rules->repeat_max_ms; i++)
        wait_ms *= 2;
    return wait_ms < rules->repeat_max_ms ? wait_ms : rules->repeat_max_ms;
}

static int64_t next_due(
    const struct alarm_desk *d, const struct alarm *a, const struct courier_result *r, int64_t now_ms)
{
    if (a->cleared_ms != 0) /* meanwhile: that is still to be told */
        return r->event == ALARM_EVENT_CLEARED ? ALARM_NEVER : now_ms;
    return a->acked_ms != 0 ? ALARM_NEVER : now_ms + repeat_after(d->rules, r->number);
}

static enum status take_results(struct alarm_desk *d, int64_t now_ms, bool *ret_is_changed, struct error *err)
{
    struct courier_result r;
    enum status status = ST_OK;
    while (status == ST_OK && couriers_take(d->couriers, &r)) {
        if (!r.is_taken || r.receiver >= receiver_count(d))
            continue;
        const struct alarm_receiver *to =
            (const struct alarm_receiver *)d->rules->receivers.items + r.receiver;
        struct alarm a;
        status = alarm_find(d->db, r.alarm, &a, err);
        if (status == ST_OK && a.id != 0)
            status = alarm_told_took(d->db, a.id, to->id, r.number, next_due(d, &a, &r, now_ms), err);
        alarm_release(&a);
        *ret_is_changed = true;
    }
    return status;
}

/* ---- what is said now ---- */

static enum status fire(struct alarm_desk *d, struct alarm_watch *w, const struct alarm_word *word,
    int64_t run_ms, int64_t now_ms, struct error *err)
{
    struct alarm a = {.rule = w->rule->id,
        .kind = (enum alarm_kind)w->rule->kind,
        .target_kind = w->target.kind,
        .target = w->target.id,
        .severity = (enum alarm_severity)w->rule->severity,
        .since_ms = run_ms,
        .fired_ms = now_ms,
        .has_value = word->has_value,
        .value_m = word->value_m,
        .is_below = !w->rule->limit.is_above && w->rule->kind == ALARM_THRESHOLD};
    a.has_bound = alarm_bound_m(w->rule, &a.bound_m);
    enum status status = alarm_fire(d->db, &a, &w->alarm, err);
    if (status != ST_OK)
        return status;
    a.id = w->alarm;
    log_change(d, &a);
    return tell_all(d, w->alarm, a.severity, now_ms, err);
}

static enum status look(struct alarm_desk *d, struct alarm_watch *w, const struct alarm_sources *s,
    bool *ret_is_changed, struct error *err)
{
    struct alarm_facts facts;
    enum status status = alarm_facts_gather(s, w->rule, &w->target, &facts, err);
    if (status != ST_OK)
        return status;
    struct alarm_word word = alarm_judge(w->rule, &facts);
    struct alarm_state before = w->state;
    enum alarm_change change =
        alarm_fold(&w->state, &word, alarm_for_ms(w->rule), alarm_clear_for_ms(w->rule), s->now_ms);
    if (change == ALARM_FIRES) {
        int64_t from_ms = before.run_ms != ALARM_NEVER ? before.run_ms : s->now_ms;
        if (word.since_ms != ALARM_NEVER && word.since_ms < from_ms)
            from_ms = word.since_ms;
        status = fire(d, w, &word, from_ms, s->now_ms, err);
        *ret_is_changed = true;
    } else if (change == ALARM_CLEARS) {
        status = clear(d, w->alarm, s->now_ms, word.say == ALARM_GONE, ret_is_changed, err);
        w->alarm = 0;
    }
    if (status == ST_OK && before.run_ms != w->state.run_ms) {
        status = alarm_run_write(d->db, w->rule->id, w->target.kind, w->target.id, w->state.run_ms, err);
        *ret_is_changed = true;
    }
    return status;
}

static bool has_runs(const struct alarm_desk *d)
{
    for (size_t i = 0; i < d->count; i++)
        if (d->watches[i].state.run_ms != ALARM_NEVER)
            return true;
    return false;
}

/* All that is in memory; of the others a few, in turn. */
static enum status look_at_all(struct alarm_desk *d, const struct alarm_sources *s, const struct clock *clock,
    bool *ret_is_changed, struct error *err)
{
    int64_t begin_mono_ms = clock->mono_ms();
    enum status status = ST_OK;
    for (size_t i = 0; i < d->count && status == ST_OK; i++)
        if (!d->watches[i].is_slow)
            status = look(d, &d->watches[i], s, ret_is_changed, err);
    for (size_t n = 0; n < d->count && status == ST_OK && clock->mono_ms() - begin_mono_ms <= ALARM_STEP_MS;
         n++) {
        struct alarm_watch *w = &d->watches[d->next_slow];
        d->next_slow = (d->next_slow + 1) % d->count;
        if (!w->is_slow || begin_mono_ms < w->due_mono_ms)
            continue;
        w->due_mono_ms = begin_mono_ms + ALARM_SLOW_MS;
        status = look(d, w, s, ret_is_changed, err);
    }
    if (status == ST_OK && has_runs(d) && (s->now_ms - d->seen_ms >= SEEN_MS || s->now_ms < d->seen_ms)) {
        d->seen_ms = s->now_ms;
        status = cursor_move(d->db, CURSOR, s->now_ms, err);
        *ret_is_changed = true;
    }
    return status;
}

/* ---- messages ---- */

static const struct zone *zone_of(const struct alarm_desk *d, const struct alarm_place *place)
{
    const struct park_site *site = place->site != NULL ? park_site_find(d->park, place->site) : NULL;
    const struct park_site *first = d->park->sites.items;
    return site != NULL ? d->zones[site - first] : d->park->sites.count > 0 ? d->zones[0] : NULL;
}

static enum status pack(struct alarm_desk *d, size_t receiver, int64_t now_ms, struct error *err)
{
    const struct alarm_receiver *to = (const struct alarm_receiver *)d->rules->receivers.items + receiver;
    struct courier_parcel *p = &d->parcels[receiver];
    struct alarm a;
    int64_t number = 0;
    enum status status = alarm_told_next(d->db, to->id, now_ms, &a, &number, err);
    if (status != ST_OK || a.id == 0)
        return status;
    struct alarm_message m = {.alarm = &a,
        .collector = d->collector,
        .place = alarm_place_find(d->park, a.target_kind, a.target),
        .number = number};
    m.zone = zone_of(d, &m.place);
    *p = (struct courier_parcel){a.id, number, alarm_event_of(&a, number), alarm_message_body(&m, to)};
    alarm_release(&a);
    return ST_OK;
}

static enum status pack_all(struct alarm_desk *d, int64_t now_ms, struct error *err)
{
    enum status status = ST_OK;
    for (size_t i = 0; i < receiver_count(d) && d->couriers != NULL && status == ST_OK; i++)
        if (d->parcels[i].body == NULL && couriers_is_ready(d->couriers, i))
            status = pack(d, i, now_ms, err);
    return status;
}

void alarm_desk_show(struct alarm_desk *d)
{
    for (size_t i = 0; i < receiver_count(d) && d->couriers != NULL; i++)
        if (d->parcels[i].body != NULL)
            couriers_send(d->couriers, i, &d->parcels[i]);
}

/* ---- all of it ---- */

enum status alarm_desk_step(
    struct alarm_desk *d, const struct alarm_desk_now *now, bool *ret_is_changed, struct error *err)
{
    if (d->park == NULL || !now->may_write)
        return ST_OK;
    struct alarm_sources s = now->sources;
    int64_t mono_ms = now->clock->mono_ms();
    bool is_changed = false;
    s.park = d->park;
    s.zones = d->zones;
    enum status status = d->is_loaded ? ST_OK : load(d, s.now_ms, &is_changed, err);
    if (status == ST_OK && d->couriers != NULL)
        status = take_results(d, s.now_ms, &is_changed, err);
    bool is_due = !d->has_looked || mono_ms - d->looked_mono_ms >= ALARM_MS;
    if (status == ST_OK && is_due) {
        d->has_looked = true;
        d->looked_mono_ms = mono_ms;
        status = look_at_all(d, &s, now->clock, &is_changed, err);
    }
    if (status == ST_OK && (is_due || is_changed))
        status = pack_all(d, s.now_ms, err);
    *ret_is_changed = *ret_is_changed || is_changed;
    return status;
}
