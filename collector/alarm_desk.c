#include "collector/alarm_desk.h"

#include "collector/couriers/needs.h"
#include "lib/cursor.h"
#include "lib/log.h"
#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>

#define CURSOR "alarms"
#define SEEN_MS 30000 /* between two notes that runs are looked after */

struct alarm_rules *alarm_desk_load(const char *path, const struct park *park, bool reads_secrets)
{
    struct alarm_rules *rules = alarm_rules_load(path);
    if (park != NULL && conf_problem_count(park->conf) == 0)
        alarm_rules_check(rules, park);
    if (reads_secrets)
        needs_check(rules);
    return rules;
}

static bool value_now(void *user_data, int64_t alarm, int64_t *ret_m)
{
    const struct alarm_desk *d = user_data;
    for (size_t i = 0; i < d->watches.count; i++)
        if (d->watches.items[i].alarm == alarm && d->watches.items[i].has_value) {
            *ret_m = d->watches.items[i].value_m;
            return true;
        }
    return false;
}

void alarm_desk_init(struct alarm_desk *d, struct db *db, const char *collector)
{
    *d = (struct alarm_desk){
        .db = db, .post = {.db = db, .collector = collector, .value_now = value_now, .user_data = d}};
}

static void drop_news(struct alarm_desk *d)
{
    for (size_t i = 0; i < d->news_count; i++)
        free(d->news[i]);
    d->news_count = 0;
}

void alarm_desk_reset(struct alarm_desk *d)
{
    alarm_post_reset(&d->post);
    alarm_watches_forget(&d->watches);
    drop_news(d);
    d->is_loaded = d->has_looked = d->are_runs_mended = false;
}

static void drop_zones(struct alarm_desk *d)
{
    for (size_t i = 0; d->zones != NULL && i < d->park->sites.count; i++)
        zone_destroy(d->zones[i]);
    free(d->zones);
    d->zones = NULL;
}

/* Rules and park are others: from the next step on. */
static void lay_out_anew(struct alarm_desk *d)
{
    alarm_desk_reset(d);
    d->watches.until_ms = 0;
}

void alarm_desk_use_rules(struct alarm_desk *d, struct alarm_rules *rules)
{
    alarm_watches_leave(&d->watches);
    struct alarm_rules *before = d->rules;
    d->rules = rules;
    alarm_post_use_rules(&d->post, rules);
    alarm_rules_destroy(before);
    lay_out_anew(d);
}

void alarm_desk_use(struct alarm_desk *d, const struct park *park)
{
    drop_zones(d);
    d->park = park;
    d->zones = mem_zalloc((park->sites.count + 1) * sizeof(struct zone *));
    size_t i = 0;
    CONF_EACH (const struct park_site, site, park->sites)
        d->zones[i++] = zone_create(site->zone);
    d->post.park = park;
    d->post.zones = d->zones;
    lay_out_anew(d);
}

void alarm_desk_release(struct alarm_desk *d)
{
    alarm_post_release(&d->post);
    drop_news(d);
    free(d->news);
    alarm_watches_release(&d->watches);
    drop_zones(d);
    alarm_rules_destroy(d->rules);
    *d = (struct alarm_desk){0};
}

/* ---- what is committed ---- */

/* A line for the log, once this is committed. */
static void add_news(struct alarm_desk *d, const struct alarm *a)
{
    struct buf text = {0};
    struct alarm_place place = alarm_place_find(d->park, a->target_kind, a->target);
    buf_printf(&text, "%s: alarm %lld, rule %s, %s, ", a->cleared_ms != 0 ? "cleared" : "fired",
        (long long)a->id, a->rule, alarm_kind_word(a->kind, ALARM_EN));
    alarm_target_text(a, &place, ALARM_EN, &text);
    MEM_GROW(d->news, d->news_count, d->news_capacity);
    d->news[d->news_count++] = buf_take(&text);
}

static enum status clear(
    struct alarm_desk *d, int64_t id, int64_t now_ms, bool is_gone, bool *ret_is_changed, struct error *err)
{
    struct alarm a;
    enum status status = alarm_clear(d->db, id, now_ms, is_gone, err);
    if (status == ST_OK)
        status = alarm_post_over(&d->post, id, now_ms, err);
    if (status == ST_OK && (status = alarm_find(d->db, id, &a, err)) == ST_OK) {
        add_news(d, &a);
        alarm_release(&a);
    }
    *ret_is_changed = true;
    return status;
}

/* NULL: its rule or target is no more. */
static struct alarm_watch *watch_of(struct alarm_desk *d, const struct alarm *a)
{
    struct alarm_watch *w = alarm_watches_find(
        &d->watches, span_of(a->rule), span_of(alarm_target_kinds[a->target_kind]), span_of(a->target));
    return w != NULL && w->rule->kind == (int)a->kind ? w : NULL;
}

/* Standing alarms: whose rule or target is no more clears, and who is new among the receivers is told of the others. */
static enum status load_standing(
    struct alarm_desk *d, int64_t now_ms, bool *ret_is_changed, struct error *err)
{
    struct alarm_list standing;
    enum status status = alarm_list_read(d->db, ALARM_STANDING, INT64_MAX, INT64_MAX, &standing, err);
    if (status != ST_OK)
        return status;
    for (size_t i = 0; i < standing.count && status == ST_OK; i++) {
        const struct alarm *a = &standing.items[i];
        struct alarm_watch *w = watch_of(d, a);
        if (w == NULL) {
            status = clear(d, a->id, now_ms, true, ret_is_changed, err);
            continue;
        }
        w->alarm = a->id;
        w->state.is_standing = true;
        status = alarm_post_tell(&d->post, a->id, a->severity, now_ms, err);
        *ret_is_changed = true;
    }
    alarm_list_release(&standing);
    return status;
}

/* Rows of runs as memory has them. */
static enum status write_runs(struct alarm_desk *d, bool *ret_is_changed, struct error *err)
{
    enum status status = db_run(db_keep(d->db, "DELETE FROM alarm_run"), err);
    for (size_t i = 0; i < d->watches.count && status == ST_OK; i++) {
        const struct alarm_watch *w = &d->watches.items[i];
        if (w->state.run_ms != ALARM_NEVER)
            status = alarm_run_write(d->db, w->rule->id, w->target.kind, w->target.id, w->state.run_ms, err);
    }
    *ret_is_changed = true;
    return status;
}

/* Runs that nobody looked after for a while, or that are nobody's any more, are over. */
static enum status load_runs(struct alarm_desk *d, int64_t now_ms, bool *ret_is_changed, struct error *err)
{
    enum status status = cursor_read(d->db, CURSOR, &d->seen_ms, err);
    if (status != ST_OK || d->are_runs_stale)
        return status;
    bool is_broken = now_ms - d->seen_ms > ALARM_BREAK_MS || now_ms < d->seen_ms, has_row, is_any = false;
    struct db_stmt *rows = db_keep(d->db, "SELECT rule, target_kind, target, run_ms FROM alarm_run");
    while ((status = db_step(rows, &has_row, err)) == ST_OK && has_row) {
        struct alarm_watch *w =
            alarm_watches_find(&d->watches, db_text(rows, 0), db_text(rows, 1), db_text(rows, 2));
        if (w != NULL && !is_broken)
            w->state.run_ms = db_int(rows, 3);
        is_any = is_any || w == NULL || is_broken;
    }
    db_reset(rows);
    return status == ST_OK && is_any ? write_runs(d, ret_is_changed, err) : status;
}

static enum status load(struct alarm_desk *d, int64_t now_ms, bool *ret_is_changed, struct error *err)
{
    enum status status = alarm_post_forget(&d->post, ret_is_changed, err);
    if (status == ST_OK)
        status = load_standing(d, now_ms, ret_is_changed, err);
    if (status == ST_OK)
        status = load_runs(d, now_ms, ret_is_changed, err);
    if (status == ST_OK)
        status = alarm_post_mend(&d->post, now_ms, ret_is_changed, err);
    d->is_loaded = status == ST_OK;
    return status;
}

/* ---- what is said now ---- */

static enum status fire(struct alarm_desk *d, struct alarm_watch *w, const struct alarm_word *word,
    const struct alarm_facts *facts, int64_t run_ms, int64_t now_ms, struct error *err)
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
        .from_ms = facts->from_ms,
        .until_ms = facts->until_ms,
        .reason = alarm_reason_of(w->rule, facts),
        .ills = w->rule->kind == ALARM_HEALTH ? mem_strdup(facts->ills) : NULL,
        .is_below = !w->rule->limit.is_above && w->rule->kind == ALARM_THRESHOLD};
    a.has_bound = alarm_bound_m(w->rule, &a.bound_m);
    enum status status = alarm_fire(d->db, &a, &w->alarm, err);
    free(a.ills);
    if (status != ST_OK)
        return status;
    a.id = w->alarm;
    add_news(d, &a);
    return alarm_post_tell(&d->post, w->alarm, a.severity, now_ms, err);
}

static const char *or_none(const char *codes)
{
    return codes != NULL ? codes : "";
}

/* What of it is new is told: what else is wrong at once, of losses what is told next has them. A note that somebody took is of what was
 * known then. */
static enum status note_change(
    struct alarm_desk *d, const struct alarm *a, bool is_news, int64_t now_ms, struct error *err)
{
    bool is_pressing = is_news && (a->kind == ALARM_HEALTH || a->acked_ms != 0);
    enum status status = alarm_change(d->db, a, is_news, err);
    return status == ST_OK && is_pressing ? alarm_told_news(d->db, a->id, now_ms, err) : status;
}

static enum status keep_up(struct alarm_desk *d, const struct alarm_watch *w, const struct alarm_word *word,
    int64_t now_ms, bool *ret_is_changed, struct error *err)
{
    struct alarm a;
    enum status status = alarm_find(d->db, w->alarm, &a, err);
    if (status != ST_OK)
        return status;
    const struct alarm_own *own = w->rule->own;
    bool is_news = word->value_m != a.value_m, is_other = is_news;
    if (a.kind == ALARM_HEALTH) {
        struct ills_word ills;
        ills_now(&d->ills, or_none(a.told),
            &(struct ills_times){own->for_ms, own->clear_for_ms, d->rules->repeat_ms}, &ills);
        is_news = ills.is_news;
        is_other = strcmp(ills.now, or_none(a.ills)) != 0 || strcmp(ills.told, or_none(a.told)) != 0;
        free(a.ills);
        free(a.told);
        a.ills = ills.now;
        a.told = ills.told;
    }
    a.value_m = word->value_m;
    if (is_other) {
        *ret_is_changed = true;
        status = note_change(d, &a, is_news, now_ms, err);
    }
    alarm_release(&a);
    return status;
}

/* What there is of it changes while it stands, of the health whether or not it has lasted. */
static bool may_change(
    const struct alarm_rule *rule, const struct alarm_facts *facts, const struct alarm_word *word)
{
    return rule->kind == ALARM_HEALTH ? facts->is_known && facts->is_unwell
                                      : rule->kind == ALARM_LOSS && word->say == ALARM_BAD;
}

static enum status judge(const struct alarm_sources *s, struct alarm_watch *w, struct alarm_facts *ret,
    struct alarm_word *ret_word, struct error *err)
{
    enum status status = alarm_facts_gather(s, w->rule, &w->target, ret, err);
    if (status != ST_OK)
        return status;
    alarm_watch_return(w, ret);
    *ret_word = alarm_judge(w->rule, ret);
    w->has_value = ret_word->has_value;
    w->value_m = ret_word->value_m;
    return ST_OK;
}

static enum status look(struct alarm_desk *d, struct alarm_watch *w, const struct alarm_sources *s,
    bool *ret_is_changed, struct error *err)
{
    struct alarm_facts facts;
    struct alarm_word word;
    struct alarm_state before = w->state;
    enum status status = judge(s, w, &facts, &word, err);
    if (status != ST_OK)
        return status;
    enum alarm_change change =
        alarm_fold(&w->state, &word, alarm_for_ms(w->rule), alarm_clear_for_ms(w->rule), s->now_ms);
    if (change == ALARM_FIRES) {
        int64_t from_ms = before.run_ms != ALARM_NEVER ? before.run_ms : s->now_ms;
        if (word.since_ms != ALARM_NEVER && word.since_ms < from_ms)
            from_ms = word.since_ms;
        status = fire(d, w, &word, &facts, from_ms, s->now_ms, err);
        *ret_is_changed = true;
    } else if (w->state.is_standing && may_change(w->rule, &facts, &word)) {
        status = keep_up(d, w, &word, s->now_ms, ret_is_changed, err);
    } else if (change == ALARM_CLEARS) {
        status = clear(d, w->alarm, s->now_ms, word.say == ALARM_GONE, ret_is_changed, err);
        w->alarm = 0;
    }
    if (status != ST_OK || before.run_ms == w->state.run_ms || d->are_runs_stale)
        return status;
    *ret_is_changed = true;
    return alarm_run_write(d->db, w->rule->id, w->target.kind, w->target.id, w->state.run_ms, err);
}

static bool has_runs(const struct alarm_desk *d)
{
    for (size_t i = 0; i < d->watches.count; i++)
        if (d->watches.items[i].state.run_ms != ALARM_NEVER)
            return true;
    return false;
}

/* With room: rows of runs are what memory has, and somebody looks after them. */
static enum status keep_runs(struct alarm_desk *d, int64_t now_ms, bool *ret_is_changed, struct error *err)
{
    enum status status = d->are_runs_stale ? write_runs(d, ret_is_changed, err) : ST_OK;
    d->are_runs_mended = d->are_runs_stale;
    if (status == ST_OK && has_runs(d) && (now_ms - d->seen_ms >= SEEN_MS || now_ms < d->seen_ms)) {
        d->seen_ms = now_ms;
        status = cursor_move(d->db, CURSOR, now_ms, err);
        *ret_is_changed = true;
    }
    return status;
}

/* All that is in memory; of the others a few, in turn. Without room nothing new is known of most: that ends their runs. */
static enum status look_at_all(struct alarm_desk *d, const struct alarm_sources *s, const struct clock *clock,
    bool has_room, bool *ret_is_changed, struct error *err)
{
    enum status status = ST_OK;
    for (size_t i = 0; i < d->watches.count && status == ST_OK; i++) {
        struct alarm_watch *w = &d->watches.items[i];
        if (!has_room && w->target.kind != ALARM_OF_COLLECTOR) {
            w->has_value = false;
            w->state.run_ms = ALARM_NEVER;
        } else if (!w->is_slow) {
            status = look(d, w, s, ret_is_changed, err);
        }
    }
    int64_t begin_mono_ms = clock->mono_ms();
    size_t count = d->watches.count;
    for (size_t n = 0; n < count && status == ST_OK && clock->mono_ms() - begin_mono_ms <= ALARM_STEP_MS;
         n++) {
        struct alarm_watch *w = &d->watches.items[d->next_slow];
        d->next_slow = (d->next_slow + 1) % count;
        if (!w->is_slow || begin_mono_ms < w->due_mono_ms ||
            (!has_room && w->target.kind != ALARM_OF_COLLECTOR))
            continue;
        w->due_mono_ms = begin_mono_ms + ALARM_SLOW_MS;
        status = look(d, w, s, ret_is_changed, err);
    }
    return status == ST_OK && has_room ? keep_runs(d, s->now_ms, ret_is_changed, err) : status;
}

/* Where nobody may write nothing fires or clears; what stands of the collector itself is told with what it is now. */
static enum status look_at_own(struct alarm_desk *d, const struct alarm_sources *s, struct error *err)
{
    struct alarm_list standing;
    enum status status = alarm_list_read(d->db, ALARM_STANDING, INT64_MAX, INT64_MAX, &standing, err);
    for (size_t i = 0; status == ST_OK && i < standing.count; i++) {
        const struct alarm *a = &standing.items[i];
        struct alarm_watch *w = a->target_kind == ALARM_OF_COLLECTOR ? watch_of(d, a) : NULL;
        struct alarm_facts facts;
        struct alarm_word word;
        if (w == NULL)
            continue;
        w->alarm = a->id;
        status = judge(s, w, &facts, &word, err);
    }
    alarm_list_release(&standing);
    return status;
}

void alarm_desk_show(struct alarm_desk *d)
{
    if (d->are_runs_mended)
        d->are_runs_stale = d->are_runs_mended = false;
    for (size_t i = 0; i < d->news_count; i++)
        log_info("alarms", "%s", d->news[i]);
    drop_news(d);
    alarm_post_send(&d->post);
}

/* ---- all of it ---- */

enum status alarm_desk_step(
    struct alarm_desk *d, const struct alarm_desk_now *now, bool *ret_is_changed, struct error *err)
{
    if (d->park == NULL)
        return ST_OK;
    struct alarm_sources s = now->sources;
    int64_t mono_ms = now->clock->mono_ms();
    bool is_changed = false;
    s.park = d->park;
    s.zones = d->zones;
    s.ills = &d->ills;
    /* Where the clock was set back all is looked at anew. */
    if (s.now_ms >= d->watches.until_ms || s.now_ms < d->last_ms) {
        alarm_desk_reset(d);
        alarm_watches_lay_out(&d->watches, d->rules, d->park, s.now_ms);
        d->next_slow = 0;
    } else if (d->last_ms != 0 && s.now_ms - d->last_ms > ALARM_BREAK_MS) {
        alarm_desk_reset(d); /* nobody looked after runs */
    }
    d->last_ms = s.now_ms;
    /* On a disk without a byte not even that a run is over can be written. */
    d->are_runs_stale = d->are_runs_stale || !now->has_room;
    enum status status = ST_OK;
    if (now->may_write && !d->is_loaded)
        status = load(d, s.now_ms, &is_changed, err);
    if (status == ST_OK)
        status = alarm_post_settle(&d->post, now->may_write, s.now_ms, &is_changed, err);
    bool is_due = !d->has_looked || mono_ms - d->looked_mono_ms >= ALARM_MS;
    if (status == ST_OK && is_due) {
        d->has_looked = true;
        d->looked_mono_ms = mono_ms;
        status = now->may_write ? look_at_all(d, &s, now->clock, now->has_room, &is_changed, err)
                                : look_at_own(d, &s, err);
    }
    if (status == ST_OK && (is_due || is_changed))
        status = alarm_post_pack(&d->post, s.now_ms, &is_changed, err);
    *ret_is_changed = *ret_is_changed || is_changed;
    return status;
}
