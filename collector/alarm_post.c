#include "collector/alarm_post.h"

#include "collector/alarm/told.h"
#include "lib/mem.h"
#include "lib/text.h"

#include <stdlib.h>
#include <string.h>

static size_t receiver_count(const struct alarm_post *p)
{
    return p->rules != NULL ? p->rules->receivers.count : 0;
}

static const struct alarm_receiver *receiver_at(const struct alarm_post *p, size_t i)
{
    return (const struct alarm_receiver *)p->rules->receivers.items + i;
}

void alarm_post_reset(struct alarm_post *p)
{
    for (size_t i = 0; p->parcels != NULL && i < receiver_count(p); i++)
        courier_parcel_release(&p->parcels[i]);
    p->is_noting = false;
}

static void name_deaf(struct alarm_post *p)
{
    struct buf ids = {0};
    for (size_t i = 0; i < receiver_count(p) && p->couriers != NULL; i++)
        if (couriers_failures(p->couriers, i) >= ALARM_DEAF)
            buf_printf(&ids, "%s%s", ids.len > 0 ? ", " : "", receiver_at(p, i)->id);
    text_copy(p->deaf, sizeof p->deaf, span_of(ids.len > 0 ? ids.data : ""));
    buf_release(&ids);
}

void alarm_post_use_rules(struct alarm_post *p, struct alarm_rules *rules)
{
    alarm_post_reset(p);
    free(p->parcels);
    p->rules = rules;
    p->parcels = mem_zalloc((receiver_count(p) + 1) * sizeof *p->parcels);
    if (p->couriers != NULL)
        couriers_use(p->couriers, rules);
    name_deaf(p);
}

char *alarm_post_link(const char *name, int64_t port, bool is_https)
{
    if (name == NULL)
        return NULL;
    /* A proxy has the port of https, we have our own. */
    return is_https ? mem_printf("https://%s/ops/alarms", name)
                    : mem_printf("http://%s:%lld/ops/alarms", name, (long long)port);
}

void alarm_post_release(struct alarm_post *p)
{
    alarm_post_reset(p);
    free(p->link);
    free(p->parcels);
    alarm_results_release(&p->results);
    *p = (struct alarm_post){0};
}

static bool is_receiver(const struct alarm_post *p, struct span id)
{
    for (size_t i = 0; i < receiver_count(p); i++)
        if (span_is(id, receiver_at(p, i)->id))
            return true;
    return false;
}

enum status alarm_post_forget(struct alarm_post *p, bool *ret_is_changed, struct error *err)
{
    struct db_stmt *rows = db_keep(p->db, "SELECT DISTINCT receiver FROM alarm_told");
    char *gone = NULL;
    bool has_row;
    enum status status;
    while ((status = db_step(rows, &has_row, err)) == ST_OK && has_row && gone == NULL) {
        struct span id = db_text(rows, 0);
        gone = is_receiver(p, id) ? NULL : mem_strndup(id.at, id.len);
    }
    db_reset(rows);
    if (gone == NULL)
        return status;
    struct db_stmt *row = db_keep(p->db, "DELETE FROM alarm_told WHERE receiver = ?1");
    db_bind_text(row, 1, span_of(gone));
    status = db_run(row, err);
    free(gone);
    *ret_is_changed = true;
    return status == ST_OK ? alarm_post_forget(p, ret_is_changed, err) : status;
}

enum status alarm_post_tell(
    struct alarm_post *p, int64_t alarm, enum alarm_severity severity, int64_t now_ms, struct error *err)
{
    enum status status = ST_OK;
    for (size_t i = 0; i < receiver_count(p) && status == ST_OK; i++)
        if ((int)severity >= receiver_at(p, i)->severity)
            status = alarm_told_add(p->db, alarm, receiver_at(p, i)->id, now_ms, err);
    return status;
}

enum status alarm_post_over(struct alarm_post *p, int64_t alarm, int64_t now_ms, struct error *err)
{
    enum status status = alarm_told_over(p->db, alarm, now_ms, err);
    for (size_t i = 0; i < receiver_count(p) && status == ST_OK; i++)
        if (receiver_at(p, i)->kind != ALARM_BY_WEBHOOK)
            status = alarm_told_drop(p->db, alarm, receiver_at(p, i)->id, err);
    return status;
}

/* n messages were taken of what stands since there was news of it: the next follows after repeat, twice that, four times that, ... */
static int64_t repeat_after(const struct alarm_rules *rules, int64_t n)
{
    int64_t wait_ms = rules->repeat_ms;
    for (int64_t i = 1; i < n && wait_ms < rules->repeat_max_ms; i++)
        wait_ms *= 2;
    return wait_ms < rules->repeat_max_ms ? wait_ms : rules->repeat_max_ms;
}

enum status alarm_post_mend(struct alarm_post *p, int64_t now_ms, bool *ret_is_changed, struct error *err)
{
    if (p->rules == NULL)
        return ST_OK;
    return alarm_told_mend(p->db, now_ms, p->rules->repeat_ms, p->rules->repeat_max_ms, ret_is_changed, err);
}

static int64_t next_due(
    const struct alarm_post *p, const struct alarm *a, const struct alarm_result *r, int64_t now_ms)
{
    if (a->cleared_ms != 0) /* meanwhile: that is still to be told */
        return r->is_end ? ALARM_NEVER : now_ms;
    return a->acked_ms != 0 ? ALARM_NEVER : r->at_ms + repeat_after(p->rules, r->letter.nth);
}

/* People are told nothing of what came and went untold, programs of all: so of them it need not be known what may have arrived. */
static bool asks_what_arrived(const struct alarm_receiver *r, int64_t number)
{
    return number == 1 && r->kind != ALARM_BY_WEBHOOK;
}

/* Keeps in memory what came of an attempt. */
static enum status learn(
    struct alarm_post *p, const struct courier_result *came, int64_t now_ms, struct error *err)
{
    const struct alarm_receiver *from = receiver_at(p, came->receiver);
    bool is_noted = came->outcome == ALARM_TAKEN || asks_what_arrived(from, came->letter.number);
    struct alarm a;
    enum status status = alarm_find(p->db, came->letter.alarm, &a, err);
    struct alarm_result r = {.receiver = from->id,
        .letter = came->letter,
        .at_ms = now_ms,
        .outcome = came->outcome,
        .is_end = came->event == ALARM_EVENT_CLEARED};
    if (status == ST_OK && a.id != 0 && is_noted) {
        r.due_ms = next_due(p, &a, &r, now_ms);
        alarm_results_add(&p->results, &r);
    }
    alarm_release(&a);
    return status;
}

static enum status note(struct alarm_post *p, const struct alarm_result *r, int64_t now_ms, struct error *err)
{
    struct alarm a;
    if (!is_receiver(p, span_of(r->receiver)))
        return ST_OK;
    switch (r->outcome) {
    case ALARM_MISSED:
        return alarm_told_missed(p->db, r->letter.alarm, r->receiver, err);
    case ALARM_DOUBTFUL:
        return alarm_told_doubt(p->db, r->letter.alarm, r->receiver, now_ms, err);
    case ALARM_TAKEN:
        break;
    }
    enum status status = alarm_find(p->db, r->letter.alarm, &a, err);
    if (status == ST_OK)
        status = alarm_told_took(p->db, r, next_due(p, &a, r, now_ms), err);
    alarm_release(&a);
    return status;
}

static void hear(struct alarm_post *p, const struct courier_result *r)
{
    bool is_taken = r->outcome == ALARM_TAKEN;
    p->taken += is_taken;
    p->failed += !is_taken;
    name_deaf(p);
}

enum status alarm_post_settle(
    struct alarm_post *p, bool may_note, int64_t now_ms, bool *ret_is_changed, struct error *err)
{
    struct courier_result r;
    enum status status = ST_OK;
    p->may_note = may_note;
    while (p->couriers != NULL && status == ST_OK && couriers_take(p->couriers, &r)) {
        hear(p, &r);
        status = learn(p, &r, now_ms, err);
    }
    p->is_noting = p->may_note && p->results.count > 0;
    for (size_t i = 0; p->may_note && i < p->results.count && status == ST_OK; i++)
        status = note(p, &p->results.items[i], now_ms, err);
    *ret_is_changed = *ret_is_changed || p->is_noting;
    return status;
}

static const struct zone *zone_of(const struct alarm_post *p, const struct alarm_place *place)
{
    const struct park_site *site = place->site != NULL ? park_site_find(p->park, place->site) : NULL;
    const struct park_site *first = p->park->sites.items;
    return site != NULL ? p->zones[site - first] : p->park->sites.count > 0 ? p->zones[0] : NULL;
}

static enum status pack(
    struct alarm_post *p, size_t receiver, int64_t now_ms, bool *ret_is_changed, struct error *err)
{
    const struct alarm_receiver *to = receiver_at(p, receiver);
    struct alarm a;
    struct alarm_letter letter = {0};
    enum status status = alarm_told_next(p->db, &p->results, to->id, now_ms, &a, &letter, err);
    if (status != ST_OK || a.id == 0)
        return status;
    struct alarm_message m = {.alarm = &a,
        .collector = p->collector,
        .place = alarm_place_find(p->park, a.target_kind, a.target),
        .number = letter.number,
        .link = p->link};
    m.zone = zone_of(p, &m.place);
    m.has_now = p->value_now(p->user_data, a.id, &m.now_m);
    p->parcels[receiver] =
        (struct courier_parcel){letter, alarm_event_of(&a, letter.number), alarm_message_body(&m, to)};
    if (p->may_note && asks_what_arrived(to, letter.number)) {
        p->is_noting = *ret_is_changed = true;
        status = alarm_told_try(p->db, a.id, to->id, err);
    }
    alarm_release(&a);
    return status;
}

enum status alarm_post_pack(struct alarm_post *p, int64_t now_ms, bool *ret_is_changed, struct error *err)
{
    enum status status = ST_OK;
    for (size_t i = 0; i < receiver_count(p) && p->couriers != NULL && status == ST_OK; i++)
        if (p->parcels[i].body == NULL && couriers_is_ready(p->couriers, i))
            status = pack(p, i, now_ms, ret_is_changed, err);
    return status;
}

void alarm_post_send(struct alarm_post *p)
{
    if (p->is_noting)
        alarm_results_release(&p->results);
    p->is_noting = false;
    for (size_t i = 0; i < receiver_count(p) && p->couriers != NULL; i++)
        if (p->parcels[i].body != NULL)
            couriers_send(p->couriers, i, &p->parcels[i]);
}
