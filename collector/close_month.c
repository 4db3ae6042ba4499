#include "collector/close_month.h"

#include "collector/access/changes.h"
#include "collector/energy/closing_seal.h"
#include "collector/model/version.h"
#include "lib/mem.h"
#include "lib/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void close_month_result_release(struct close_month_result *r)
{
    closing_reasons_release(&r->reasons);
    free(r->refusal);
    free(r->rows);
    free(r->entries);
    *r = (struct close_month_result){0};
}

/* One call. */
struct act {
    struct bookkeeper *b;
    const struct close_month *request;
    const struct park_site *site;
    struct zone *zone;
    struct booked_closings closings; /* of the site, before this one */
    int64_t now_ms, id;
    struct close_month_result *result;
};

/* ---- may it be? ---- */

static enum status read_int(struct db_stmt *s, bool *ret_is_there, int64_t *ret, struct error *err)
{
    enum status status = db_step(s, ret_is_there, err);
    if (status == ST_OK && *ret_is_there)
        *ret = db_int(s, 0);
    db_reset(s);
    return status;
}

/* The first quarter hour that is decided while the meter stood on the site. */
static enum status find_first(
    const struct act *a, const struct park_meter *meter, int64_t id, int64_t *first_ms, struct error *err)
{
    struct db_stmt *find =
        db_keep(a->b->db, "SELECT start_ms FROM ledger_quarter WHERE meter = ?1"
                          " AND start_ms >= ?2 AND start_ms < ?3 ORDER BY start_ms LIMIT 1");
    enum status status = ST_OK;
    for (size_t i = 0; i < meter->tag_count && status == ST_OK; i++) {
        const struct park_tags *tags = &meter->tags[i];
        bool is_there;
        int64_t start_ms = 0;
        if (tags->building->site != a->site)
            continue;
        db_bind_int(find, 1, id);
        db_bind_int(find, 2, tags->from_ms);
        db_bind_int(find, 3, tags->until_ms);
        status = read_int(find, &is_there, &start_ms, err);
        if (status == ST_OK && is_there && start_ms < *first_ms)
            *first_ms = start_ms;
    }
    return status;
}

static enum status read_order(const struct act *a, struct closing_order *ret, struct error *err)
{
    int64_t first_ms = INT64_MAX, id;
    bool is_there;
    *ret = (struct closing_order){.now_ms = a->now_ms, .has_closed = a->closings.count > 0};
    if (ret->has_closed) {
        const struct booked_closing *last = &a->closings.items[a->closings.count - 1];
        ret->last_month = last->month;
        ret->last_until_ms = last->span.end_ms;
    }
    CONF_EACH (const struct park_meter, meter, a->b->park->meters) {
        enum status status = series_meter(a->b->db, meter->id, &id, err);
        if (status == ST_OK && id != 0)
            status = find_first(a, meter, id, &first_ms, err);
        if (status != ST_OK)
            return status;
    }
    ret->has_data = first_ms != INT64_MAX;
    if (ret->has_data)
        ret->first_month = periods_of(a->zone, PERIODS_MONTH, first_ms).number;
    struct db_stmt *behind = db_keep(a->b->db, "SELECT count(*) FROM journal WHERE id > ?1");
    db_bind_int(behind, 1, a->b->position);
    enum status status = read_int(behind, &is_there, &ret->behind, err);
    if (a->b->has_more && ret->behind == 0)
        ret->behind = 1; /* segments changed, and not all is folded again */
    return status;
}

static enum status check(struct act *a, struct error *err)
{
    struct closing_order order;
    if (a->b->aside.count > 0)
        return error_set(err, ST_INVALID,
            "%zu meters are set aside because their books fail: expected them mended, and the collector "
            "started "
            "again",
            a->b->aside.count);
    enum status status = read_order(a, &order, err);
    if (status == ST_OK)
        status = closing_check_order(&order, a->site->id, a->request->period, a->result->span, err);
    return status;
}

/* ---- what is booked ---- */

static enum status add_meter_row(const struct act *a, int64_t meter, int64_t month,
    const struct closing_quarters *q, const struct amount *amount, struct error *err)
{
    struct db_stmt *add =
        db_keep(a->b->db, "INSERT INTO closing_meter VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9,"
                          " ?10, ?11, ?12, ?13)");
    const struct quarters_sum *sum = &amount->sum;
    const int64_t values[] = {meter, month, a->id, sum->count, sum->known, sum->unknown_s, sum->estimated,
        sum->estimated_s, sum->manual, sum->manual_s, amount->waiting_s, amount->absent_s};
    struct buf packed = {0};
    if (sum->is_overflown)
        return error_set(
            err, ST_INVALID, "the amounts of meter %lld are too large to add up", (long long)meter);
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        db_bind_int(add, (int)i + 1, values[i]);
    closing_pack(q->codes, q->series.count, &packed);
    db_bind_blob(add, 13, (struct span){packed.data, packed.len});
    enum status status = db_run(add, err);
    buf_release(&packed);
    return status;
}

static void note(struct close_month_row *row, const char *name, const struct park_meter *meter, int64_t month,
    const struct closing_sum *booked)
{
    *row = (struct close_month_row){
        .carrier = meter != NULL ? meter->carrier : -1, .month = month, .booked = *booked};
    snprintf(row->meter, sizeof row->meter, "%s", name);
}

static enum status book_meter(struct act *a, const struct park_meter *meter, struct error *err)
{
    struct close_month_result *r = a->result;
    struct booked_meter m = {.meter = meter, .site = a->site};
    struct closing_quarters q;
    enum status status = books_meter_id(a->b->db, span_of(meter->id), &m.id, err);
    if (status == ST_OK)
        status = booked_now(a->b->db, &m, r->span, a->now_ms, NULL, &q, err);
    if (status != ST_OK)
        return status;
    if (closing_is_due(&q)) {
        struct amount amount = closing_amount(&q);
        struct closing_sum booked = closing_metered(&amount);
        MEM_GROW(r->rows, r->row_count, r->row_capacity);
        note(&r->rows[r->row_count++], meter->id, meter, r->period.number, &booked);
        status = close_month_weigh_meter(a->b, &m, &q, &amount, &r->reasons, err);
        if (status == ST_OK)
            status = add_meter_row(a, m.id, r->period.number, &q, &amount, err);
    }
    closing_quarters_release(&q);
    return status;
}

static enum status book_entry(void *context, const struct booked_entry *entry, struct error *err)
{
    struct act *a = context;
    struct close_month_result *r = a->result;
    MEM_GROW(r->entries, r->entry_count, r->entry_capacity);
    note(&r->entries[r->entry_count++], entry->name, entry->meter.meter, entry->month, &entry->entry);
    return add_meter_row(a, entry->meter.id, entry->month, &entry->now, &entry->after.parts, err);
}

static void bind_maybe(struct db_stmt *s, int index, bool is_there, int64_t value)
{
    if (is_there)
        db_bind_int(s, index, value);
    else
        db_bind_null(s, index);
}

static enum status add_closing(struct act *a, struct error *err)
{
    const struct close_month *request = a->request;
    struct close_month_result *r = a->result;
    struct db_stmt *add = db_keep(a->b->db,
        "INSERT INTO closing(site, month, from_ms, until_ms, closed_ms, token, who, why, model, journal)"
        " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)");
    enum status status = version_newest_number(a->b->db, &r->model, err);
    if (status != ST_OK)
        return status;
    r->journal = a->b->position;
    r->closed_ms = a->now_ms;
    db_bind_text(add, 1, span_of(a->site->id));
    db_bind_int(add, 2, r->period.number);
    db_bind_int(add, 3, r->span.begin_ms);
    db_bind_int(add, 4, r->span.end_ms);
    db_bind_int(add, 5, r->closed_ms);
    bind_maybe(add, 6, request->token != 0, request->token);
    db_bind_text(add, 7, span_of(request->who));
    db_bind_text(add, 8, span_of(request->why));
    db_bind_int(add, 9, r->model);
    db_bind_int(add, 10, r->journal);
    status = db_run(add, err);
    a->id = db_last_id(a->b->db);
    return status;
}

static enum status add_overrides(const struct act *a, struct error *err)
{
    struct db_stmt *add = db_keep(a->b->db, "INSERT INTO closing_override VALUES(?1, ?2, ?3, ?4, ?5, ?6)");
    enum status status = ST_OK;
    for (size_t i = 0; i < a->result->reasons.count && status == ST_OK; i++) {
        const struct closing_reason *reason = &a->result->reasons.items[i];
        char name[CLOSING_NAME_SIZE], text[CLOSING_TEXT_SIZE];
        closing_reason_name(reason, name);
        closing_reason_text(reason, text);
        for (size_t k = 0; k < a->request->override_count; k++)
            if (strcmp(a->request->overrides[k].name, name) == 0)
                db_bind_text(add, 6, span_of(a->request->overrides[k].why));
        db_bind_int(add, 1, a->id);
        db_bind_text(add, 2, span_of(name));
        db_bind_text(add, 3, span_of(text));
        bind_maybe(add, 4, reason->is_known, reason->figure);
        db_bind_int(add, 5, reason->limit);
        status = db_run(add, err);
    }
    return status;
}

static enum status log_change(const struct act *a, struct error *err)
{
    char month[PERIODS_TEXT_SIZE];
    periods_format(a->request->period, month);
    char *object = mem_printf("site %s, %s", a->site->id, month);
    char seal[HASH_TEXT_SIZE];
    hash_format(&a->result->seal, seal);
    char *after =
        mem_printf(CLOSING_SEAL_IN_LOG "%zu meters, %zu adjusting entries of earlier months, %zu overridden",
            seal, a->result->row_count, a->result->entry_count, a->result->reasons.count);
    enum status status = changes_add(a->b->db,
        &(struct change){.token = a->request->token,
            .who = a->request->who,
            .action = "close",
            .object = object,
            .after = after,
            .note = a->request->why},
        a->now_ms, err);
    free(object);
    free(after);
    return status;
}

/* A preview tells all, also what would keep it from being closed. */
static enum status check_overrides(struct act *a, struct error *err)
{
    struct close_month_result *r = a->result;
    enum status status =
        closing_check_overrides(&r->reasons, a->request->overrides, a->request->override_count, err);
    if (status != ST_INVALID || !a->request->is_preview)
        return status;
    r->refusal = mem_strdup(err->text);
    return ST_OK;
}

static enum status perform(struct act *a, struct error *err)
{
    struct bookkeeper *b = a->b;
    enum status status = booked_closings_read(b->db, a->site->id, &a->closings, err);
    if (status == ST_OK)
        status = check(a, err);
    if (status == ST_OK)
        status = add_closing(a, err);
    CONF_EACH (const struct park_meter, meter, b->park->meters)
        if (status == ST_OK && meter->segments.count > 0)
            status = book_meter(a, meter, err);
    if (status == ST_OK)
        status = close_month_weigh_gaps(b, a->site, a->result->span, a->now_ms, &a->result->reasons, err);
    if (status == ST_OK)
        status = booked_pending(b->db, b->park, a->site, a->zone, &a->closings, a->now_ms,
            &(struct booked_sink){book_entry, a}, err);
    if (status == ST_OK)
        status = check_overrides(a, err);
    if (status == ST_OK && !a->request->is_preview)
        status = add_overrides(a, err);
    if (status == ST_OK && !a->request->is_preview)
        status = closing_seal_all(b->db, &a->result->seal, err);
    if (status == ST_OK)
        status = log_change(a, err);
    return status;
}

static enum status check_text(const char *what, const char *text, struct error *err)
{
    struct span s = span_of(text != NULL ? text : "");
    return s.len > 0 && s.len <= CLOSE_MONTH_WHY_MAX && strspn(text, " ") < s.len && text_is_utf8(s) &&
                   !text_has_control(s)
               ? ST_OK
               : error_set(err, ST_INVALID, "%s is missing, or not a text of 1 to %d bytes", what,
                     CLOSE_MONTH_WHY_MAX);
}

/* They stay: what is not fit to be shown is not taken. */
static enum status check_texts(const struct close_month *request, struct error *err)
{
    enum status status = check_text("why", request->why, err);
    if (status == ST_OK)
        status = check_text("who", request->who, err);
    for (size_t i = 0; i < request->override_count && status == ST_OK; i++) {
        status = check_text("the name of what is overridden", request->overrides[i].name, err);
        if (status == ST_OK)
            status = check_text("why something is overridden", request->overrides[i].why, err);
    }
    return status;
}

static enum status find_site(struct act *a, struct error *err)
{
    a->site = park_site_find(a->b->park, a->request->site);
    return a->site != NULL
               ? ST_OK
               : error_set(err, ST_INVALID, "%.40s: no site of the park model; expected the id of one",
                     a->request->site);
}

static enum status close_month(struct act *a, struct error *err)
{
    enum status status = check_texts(a->request, err);
    if (status == ST_OK)
        status = find_site(a, err);
    if (status != ST_OK)
        return status;
    a->zone = zone_create(a->site->zone);
    a->result->period = a->request->period;
    a->result->span = periods_span(a->zone, a->request->period);
    status = db_begin(a->b->db, err);
    if (status == ST_OK) {
        books_begin(a->b->books);
        status = perform(a, err);
        if (status != ST_OK || a->request->is_preview)
            db_rollback(a->b->db);
        else if ((status = db_commit(a->b->db, err)) == ST_OK)
            books_committed(a->b->books);
    }
    a->result->id = a->request->is_preview ? 0 : a->id;
    booked_closings_release(&a->closings);
    zone_destroy(a->zone);
    return status;
}

enum status close_month_run(struct bookkeeper *b, const struct clock *clock,
    const struct close_month *request, struct close_month_result *ret, struct error *err)
{
    *ret = (struct close_month_result){0};
    if (b->books == NULL)
        return error_set(err, ST_UNREACHABLE, "the ledger's books are not there yet; try again");
    enum status status = bookkeeper_catch_up(b, clock, clock->mono_ms() + CLOSE_MONTH_CATCH_UP_MS, err);
    if (status == ST_OK) {
        struct act a = {.b = b, .request = request, .now_ms = clock->wall_ms(), .result = ret};
        status = close_month(&a, err);
    }
    if (status != ST_OK)
        close_month_result_release(ret);
    return status;
}
