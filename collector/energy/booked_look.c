/* Is what is booked what is metered? Nearly always, which is found out from runs of versions, a few of each month, without
 * reading quarter hours. */
#include "collector/energy/booked_private.h"

#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>

static enum status has_rows(
    struct db *db, int64_t id, int64_t from_ms, int64_t until_ms, bool *ret, struct error *err)
{
    struct db_stmt *find = db_keep(
        db, "SELECT 1 FROM ledger_quarter WHERE meter = ?1 AND start_ms >= ?2 AND start_ms < ?3 LIMIT 1");
    db_bind_int(find, 1, id);
    db_bind_int(find, 2, from_ms);
    db_bind_int(find, 3, until_ms);
    enum status status = db_step(find, ret, err);
    db_reset(find);
    return status;
}

/* Quarter hours of one code, while the tags are the same. */
struct stretch {
    int64_t from_ms, until_ms;
    uint32_t code;
    bool is_here;
};

/* Is the latest version of one of them another than the code? Stretches come in order of time. */
static bool has_again(struct booked_look *l, const struct stretch *s)
{
    for (; l->next_again < l->agains.count; l->next_again++) {
        const struct booked_again *again = &l->agains.items[l->next_again];
        int64_t start_ms = l->base_ms + (int64_t)again->at * PERIODS_QUARTER_HOUR_MS;
        if (start_ms >= s->until_ms)
            return false;
        if (start_ms >= s->from_ms && again->code != s->code)
            return true;
    }
    return false;
}

static bool is_due_at(const struct booked_look *l, int64_t start_ms)
{
    return start_ms + PERIODS_QUARTER_HOUR_MS > l->due.from_ms && start_ms < l->due.until_ms;
}

static bool is_due_in(const struct booked_look *l, int64_t from_ms, int64_t until_ms)
{
    return until_ms > l->due.from_ms && from_ms < l->due.until_ms;
}

/* What is said of quarter hours without a row is what is due of the meter, where the park model has it. */
static bool is_as_due(const struct booked_look *l, const struct stretch *s)
{
    if (l->meter->meter == NULL)
        return true;
    return s->code == CLOSING_ABSENT
               ? !is_due_in(l, s->from_ms, s->until_ms)
               : is_due_at(l, s->from_ms) && is_due_at(l, s->until_ms - PERIODS_QUARTER_HOUR_MS);
}

static enum status look_at_stretch(
    struct booked_look *l, const struct stretch *s, bool *ret, struct error *err)
{
    *ret = s->is_here != (s->code != CLOSING_ELSEWHERE);
    if (*ret || !s->is_here)
        return ST_OK;
    *ret = s->code >= CLOSING_FIRST ? has_again(l, s) : !is_as_due(l, s);
    if (*ret || s->code >= CLOSING_FIRST)
        return ST_OK;
    return has_rows(l->db, l->meter->id, s->from_ms, s->until_ms, ret, err);
}

/* Of a meter that the park model does not have, what was elsewhere stays so. */
static struct stretch cut_stretch(
    const struct booked_look *l, int64_t from_ms, int64_t until_ms, uint32_t code)
{
    const struct booked_meter *m = l->meter;
    struct stretch s = {from_ms, until_ms, code, code != CLOSING_ELSEWHERE};
    if (m->meter != NULL) {
        struct park_tags tags = park_tags_at(m->meter, from_ms);
        s.is_here = tags.building->site == m->site;
        s.until_ms = tags.until_ms < until_ms ? tags.until_ms : until_ms;
    }
    return s;
}

static enum status look_at_booked(struct booked_look *l, struct periods_span span,
    const struct booked_month *month, bool *ret, struct error *err)
{
    struct span packed = {month->versions, month->len};
    enum status status = ST_OK;
    int64_t at_ms = span.begin_ms;
    size_t count;
    uint32_t code;
    *ret = false;
    while (packed.len > 0 && !*ret && status == ST_OK) {
        size_t max = (size_t)((span.end_ms - at_ms) / PERIODS_QUARTER_HOUR_MS);
        if (!closing_next_run(&packed, max, &count, &code)) {
            *ret = true; /* damaged: whoever unpacks it says so */
            break;
        }
        int64_t end_ms = at_ms + (int64_t)count * PERIODS_QUARTER_HOUR_MS;
        while (at_ms < end_ms && !*ret && status == ST_OK) {
            struct stretch s = cut_stretch(l, at_ms, end_ms, code);
            status = look_at_stretch(l, &s, ret, err);
            at_ms = s.until_ms;
        }
    }
    *ret = *ret || at_ms < span.end_ms;
    return status;
}

/* Nothing is booked: is something due, or is there a row? */
static enum status look_at_new(struct booked_look *l, struct periods_span span, bool *ret, struct error *err)
{
    enum status status = ST_OK;
    *ret = false;
    for (int64_t at_ms = span.begin_ms; l->meter->meter != NULL && at_ms < span.end_ms && !*ret;) {
        struct stretch s = cut_stretch(l, at_ms, span.end_ms, CLOSING_ELSEWHERE);
        if (s.is_here && is_due_in(l, s.from_ms, s.until_ms))
            *ret = true;
        else if (s.is_here)
            status = has_rows(l->db, l->meter->id, s.from_ms, s.until_ms, ret, err);
        if (status != ST_OK)
            return status;
        at_ms = s.until_ms;
    }
    return ST_OK;
}

static enum status read_months(struct booked_look *l, struct error *err)
{
    struct db_stmt *next =
        db_keep(l->db, "SELECT closing_meter.month, versions FROM closing_meter"
                       " JOIN closing ON closing.id = closing_meter.closing WHERE meter = ?1 AND site = ?2"
                       " ORDER BY closing_meter.month, closing_meter.closing");
    bool has_row;
    enum status status;
    db_bind_int(next, 1, l->meter->id);
    db_bind_text(next, 2, span_of(l->meter->site->id));
    while ((status = db_step(next, &has_row, err)) == ST_OK && has_row) {
        struct span versions = db_text(next, 1);
        if (l->month_count > 0 && l->months[l->month_count - 1].month == db_int(next, 0))
            free(l->months[--l->month_count].versions); /* the last says what is booked */
        MEM_GROW(l->months, l->month_count, l->month_capacity);
        char *copy = mem_alloc(versions.len + 1);
        memcpy(copy, versions.at, versions.len);
        l->months[l->month_count++] = (struct booked_month){db_int(next, 0), copy, versions.len};
    }
    db_reset(next);
    return status;
}

enum status booked_look_begin(struct booked_look *l, struct db *db, const struct booked_meter *meter,
    struct periods_span span, int64_t now_ms, struct error *err)
{
    *l = (struct booked_look){.db = db, .meter = meter, .base_ms = span.begin_ms};
    if (meter->meter != NULL)
        l->due = series_due(meter->meter, now_ms);
    enum status status = read_months(l, err);
    return status == ST_OK ? booked_read_again(db, meter->id, span, &l->agains, err) : status;
}

enum status booked_look_at(struct booked_look *l, int64_t month, struct periods_span span,
    const struct booked_month **ret_booked, bool *ret_is_other, struct error *err)
{
    while (l->next_month < l->month_count && l->months[l->next_month].month < month)
        l->next_month++;
    bool is_booked = l->next_month < l->month_count && l->months[l->next_month].month == month;
    *ret_booked = is_booked ? &l->months[l->next_month] : NULL;
    return is_booked ? look_at_booked(l, span, *ret_booked, ret_is_other, err)
                     : look_at_new(l, span, ret_is_other, err);
}

void booked_look_release(struct booked_look *l)
{
    for (size_t i = 0; i < l->month_count; i++)
        free(l->months[i].versions);
    free(l->months);
    free(l->agains.items);
    *l = (struct booked_look){0};
}
