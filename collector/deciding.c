#include "collector/deciding.h"

#include "collector/access/changes.h"
#include "collector/energy/booked.h"
#include "lib/buf.h"
#include "lib/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void deciding_effect_release(struct deciding_effect *e)
{
    free(e->meter);
    free(e->quarters);
    free(e->events);
    *e = (struct deciding_effect){0};
}

/* ---- what it changes ---- */

/* The version before, as it stands in the database. */
static enum status find_before(
    struct db *db, int64_t meter, int64_t start_ms, int64_t version, struct quarter *ret, struct error *err)
{
    struct db_stmt *find =
        db_keep(db, "SELECT amount, quality FROM ledger_quarter WHERE meter = ?1 AND start_ms = ?2"
                    " AND version = ?3");
    *ret = (struct quarter){.start_ms = start_ms, .quality = QUALITY_UNKNOWN};
    db_bind_int(find, 1, meter);
    db_bind_int(find, 2, start_ms);
    db_bind_int(find, 3, version);
    bool has_row;
    enum status status = db_step(find, &has_row, err);
    if (status == ST_OK && has_row) {
        ret->amount = db_is_null(find, 0) ? 0 : db_int(find, 0);
        ret->quality = (enum quality)db_int(find, 1);
    }
    db_reset(find);
    return status;
}

/* The site of a quarter hour, and until when it is closed. */
struct closed {
    const struct park_site *site;
    int64_t until_ms;
};

static enum status note_closed(struct db *db, const struct park_meter *meter, int64_t start_ms,
    struct closed *closed, struct deciding_effect *e, struct error *err)
{
    const struct park_site *site = park_tags_at(meter, start_ms).building->site;
    enum status status = site == closed->site ? ST_OK : booked_until(db, site->id, &closed->until_ms, err);
    closed->site = site;
    e->closed_count += status == ST_OK && start_ms < closed->until_ms;
    return status;
}

static enum status note_quarters(
    const struct bookkeeper *b, const struct meters_item *item, struct deciding_effect *e, struct error *err)
{
    enum status status = ST_OK;
    int64_t meter = item->books.id;
    struct closed closed = {0};
    for (size_t i = 0; i < b->row_count && status == ST_OK; i++) {
        const struct bookkeeper_row *row = &b->rows[i];
        struct deciding_quarter quarter = {.was_there = row->version > 1, .after = row->quarter};
        status = find_before(b->db, meter, row->quarter.start_ms, row->version - 1, &quarter.before, err);
        if (status == ST_OK)
            status = note_closed(b->db, item->park, row->quarter.start_ms, &closed, e, err);
        MEM_GROW(e->quarters, e->quarter_count, e->quarter_capacity);
        e->quarters[e->quarter_count++] = quarter;
    }
    return status;
}

static enum status read_events(struct db *db, int64_t meter, struct deciding_event **ret, size_t *ret_count,
    size_t *ret_capacity, struct error *err)
{
    struct db_stmt *next =
        db_keep(db, "SELECT kind, from_ms, until_ms FROM ledger_event WHERE meter = ?1 AND state = 0"
                    " ORDER BY from_ms, kind, until_ms");
    bool has_row;
    enum status status;
    db_bind_int(next, 1, meter);
    while ((status = db_step(next, &has_row, err)) == ST_OK && has_row) {
        MEM_GROW(*ret, *ret_count, *ret_capacity);
        (*ret)[(*ret_count)++] = (struct deciding_event){.kind = (enum event_kind)db_int(next, 0),
            .from_ms = db_int(next, 1),
            .until_ms = db_int(next, 2)};
    }
    db_reset(next);
    return status;
}

static int by_place(const struct deciding_event *a, const struct deciding_event *b)
{
    if (a->from_ms != b->from_ms)
        return a->from_ms < b->from_ms ? -1 : 1;
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    return (a->until_ms > b->until_ms) - (a->until_ms < b->until_ms);
}

static void note_event(struct deciding_effect *e, const struct deciding_event *event, bool is_opened)
{
    MEM_GROW(e->events, e->event_count, e->event_capacity);
    e->events[e->event_count] = *event;
    e->events[e->event_count++].is_opened = is_opened;
}

/* Those that stood before, and those that stand now. */
struct events {
    struct deciding_event *items;
    size_t count, capacity;
};

static void note_events(struct deciding_effect *e, const struct events *before, const struct events *after)
{
    for (size_t i = 0, k = 0; i < before->count || k < after->count;) {
        int order = i == before->count  ? 1
                    : k == after->count ? -1
                                        : by_place(&before->items[i], &after->items[k]);
        if (order < 0)
            note_event(e, &before->items[i], false);
        if (order > 0)
            note_event(e, &after->items[k], true);
        i += order <= 0;
        k += order >= 0;
    }
}

/* ---- the decision ---- */

static struct meters_item *find_item(struct bookkeeper *b, const char *name, int64_t number)
{
    for (size_t i = 0; i < b->meters.count; i++) {
        struct meters_item *item = &b->meters.items[i];
        if (name != NULL ? strcmp(item->park->id, name) == 0 : item->books.id == number)
            return item;
    }
    return NULL;
}

static enum status find_meter(
    struct bookkeeper *b, const struct deciding *request, struct meters_item **ret, struct error *err)
{
    if (request->decided.ruling.kind != RULING_WITHDRAWAL) {
        *ret = find_item(b, request->meter, 0);
        return *ret != NULL ? ST_OK
                            : error_set(err, ST_INVALID,
                                  "%.40s: no meter of the park model with segments; expected the id of one",
                                  request->meter);
    }
    int64_t meter, id = request->decided.withdraws;
    bool is_withdrawn;
    enum status status = decided_find(b->db, id, &meter, &is_withdrawn, err);
    if (status != ST_OK)
        return status;
    if (meter == 0)
        return error_set(err, ST_INVALID,
            is_withdrawn ? "decision %lld was undone already"
                         : "there is no decision %lld that could be undone",
            (long long)id);
    *ret = find_item(b, NULL, meter);
    return *ret != NULL
               ? ST_OK
               : error_set(err, ST_INVALID,
                     "decision %lld is of a meter that the park model does not have now", (long long)id);
}

/* A reset or replacement that leaves what it is about unexplained is a mistake in its registers. */
static enum status check_explained(struct db *db, int64_t meter, const struct decided *d, struct error *err)
{
    if (d->ruling.kind != RULING_RESET && d->ruling.kind != RULING_REPLACED)
        return ST_OK;
    struct db_stmt *find =
        db_keep(db, "SELECT 1 FROM ledger_event WHERE meter = ?1 AND state = 0 AND kind IN (5, 6, 7)"
                    " AND from_ms <= ?2 AND until_ms >= ?2 LIMIT 1");
    bool is_open;
    db_bind_int(find, 1, meter);
    db_bind_int(find, 2, d->ruling.from_ms);
    enum status status = db_step(find, &is_open, err);
    db_reset(find);
    if (status == ST_OK && is_open)
        status = error_set(err, ST_INVALID,
            "with the registers %lld and %lld the readings beside that instant are not plausible: there "
            "would be an open "
            "exception; expected the register before and after it",
            (long long)d->ruling.end, (long long)d->ruling.next.start);
    return status;
}

/* U is beyond what a sum can hold (E1, E2), or the fold did not take it. */
static enum status check_stated(struct db *db, int64_t meter, const struct decided *d, struct error *err)
{
    if (d->ruling.kind != RULING_ENERGY)
        return ST_OK;
    struct db_stmt *find = db_keep(db,
        "SELECT EXISTS(SELECT 1 FROM ledger_event WHERE meter = ?1 AND state = 0 AND kind IN (5, 6, 7)"
        "  AND from_ms = ?2 AND until_ms = ?3)"
        " OR EXISTS(SELECT 1 FROM ledger_boundary WHERE meter = ?1 AND time_ms >= ?2 AND energy NOT BETWEEN "
        "-?4 AND ?4)");
    bool has_row;
    db_bind_int(find, 1, meter);
    db_bind_int(find, 2, d->ruling.from_ms);
    db_bind_int(find, 3, d->ruling.until_ms);
    db_bind_int(find, 4, SEGMENT_COUNT_MAX);
    enum status status = db_step(find, &has_row, err);
    if (status == ST_OK && db_int(find, 0) != 0)
        status = error_set(err, ST_INVALID,
            "with %lld the sum of the meter is beyond %lld, and nothing would be known by it; expected less",
            (long long)d->ruling.energy, (long long)SEGMENT_COUNT_MAX);
    db_reset(find);
    return status;
}

static enum status log_change(
    struct db *db, const struct decided *d, const struct deciding_effect *e, struct error *err)
{
    char *action = mem_printf("decide %s", decided_kind_name(d->ruling.kind));
    char *object = mem_printf("meter %s, decision %lld", e->meter, (long long)d->ruling.id);
    char *after = d->ruling.kind == RULING_WITHDRAWAL
                      ? mem_printf("decision %lld undone", (long long)d->withdraws)
                      : mem_printf("%zu quarter hours", e->quarter_count);
    enum status status = changes_add(db,
        &(struct change){.token = d->token,
            .who = d->who,
            .action = action,
            .object = object,
            .after = after,
            .note = d->why},
        d->time_ms, err);
    free(action);
    free(object);
    free(after);
    return status;
}

static enum status perform(struct bookkeeper *b, struct meters_item *item, struct decided *d,
    struct deciding_effect *e, struct error *err)
{
    struct events before = {0}, after = {0};
    enum status status =
        read_events(b->db, item->books.id, &before.items, &before.count, &before.capacity, err);
    if (status == ST_OK)
        status = decided_add(b->db, d, err);
    if (status == ST_OK)
        status = bookkeeper_redecide(b, item, d->ruling.from_ms, d->time_ms, err);
    if (status == ST_OK)
        status = check_explained(b->db, item->books.id, d, err);
    if (status == ST_OK)
        status = check_stated(b->db, item->books.id, d, err);
    if (status == ST_OK)
        status = note_quarters(b, item, e, err);
    if (status == ST_OK)
        status = read_events(b->db, item->books.id, &after.items, &after.count, &after.capacity, err);
    if (status == ST_OK)
        note_events(e, &before, &after);
    if (status == ST_OK)
        status = log_change(b->db, d, e, err);
    free(before.items);
    free(after.items);
    return status;
}

/* From which time on a withdrawal changes anything: as what it withdraws. */
static enum status find_span(struct db *db, struct decided *d, struct error *err)
{
    if (d->ruling.kind != RULING_WITHDRAWAL)
        return ST_OK;
    struct db_stmt *find = db_keep(db, "SELECT from_ms, until_ms FROM ledger_decision WHERE id = ?1");
    bool has_row;
    db_bind_int(find, 1, d->withdraws);
    enum status status = db_step(find, &has_row, err);
    if (status == ST_OK && has_row) {
        d->ruling.from_ms = db_int(find, 0);
        d->ruling.until_ms = db_int(find, 1);
    }
    db_reset(find);
    return status;
}

static enum status decide(struct bookkeeper *b, const struct deciding *request, int64_t now_ms,
    struct meters_item **ret_item, struct deciding_effect *e, struct error *err)
{
    struct decided d = request->decided;
    struct decided_set in_force = {0};
    enum status status = find_meter(b, request, ret_item, err);
    if (status != ST_OK)
        return status;
    struct meters_item *item = *ret_item;
    d.meter = item->books.id;
    d.time_ms = now_ms;
    e->meter = mem_strdup(item->park->id);
    status = find_span(b->db, &d, err);
    if (status == ST_OK)
        status = decided_load(b->db, d.meter, &in_force, err);
    if (status == ST_OK)
        status = deciding_check(b, item, &in_force, request, now_ms, &d, err);
    if (status == ST_OK)
        status = perform(b, item, &d, e, err);
    if (status == ST_OK)
        e->id = request->is_preview ? 0 : d.ruling.id;
    if (d.ruling.times != request->decided.ruling.times)
        free((void *)d.ruling.times);
    decided_release(&in_force);
    return status;
}

/* Memory as the disk says it. */
static enum status take_back(
    struct bookkeeper *b, struct meters_item *item, enum status status, struct error *err)
{
    struct error why;
    db_rollback(b->db);
    books_begin(b->books);
    if (item != NULL && (status == ST_OK || status == ST_INVALID) &&
        meters_lay_over(item, b->db, &why) != ST_OK) {
        *err = why;
        return ST_STORAGE;
    }
    return status;
}

enum status deciding_run(struct bookkeeper *b, const struct clock *clock, const struct deciding *request,
    struct deciding_effect *ret, struct error *err)
{
    struct meters_item *item = NULL;
    *ret = (struct deciding_effect){0};
    if (b->books == NULL)
        return error_set(err, ST_UNREACHABLE, "the ledger's books are not there yet; try again");
    enum status status = db_begin(b->db, err);
    if (status != ST_OK)
        return status;
    books_begin(b->books);
    status = decide(b, request, clock->wall_ms(), &item, ret, err);
    if (status != ST_OK || request->is_preview)
        status = take_back(b, item, status, err);
    else if ((status = db_commit(b->db, err)) == ST_OK)
        books_committed(b->books);
    if (status != ST_OK)
        deciding_effect_release(ret);
    return status;
}
