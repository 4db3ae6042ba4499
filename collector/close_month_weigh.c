#include "collector/close_month.h"
#include "collector/energy/tree.h"

#include <assert.h>

#define QUARTER_MS PERIODS_QUARTER_HOUR_MS

static_assert(EVENT_EXCEPTION == 5 && EVENT_LIMIT == 6 && EVENT_CONFIRM == 7, "as in the query");

static enum status count_exceptions(struct db *db, int64_t id, struct periods_span span, int64_t *ret_count,
    int64_t *ret_from_ms, struct error *err)
{
    struct db_stmt *find = db_keep(db,
        "SELECT count(*), ifnull(min(from_ms), 0) FROM ledger_event WHERE meter = ?1 AND state = 0"
        " AND kind BETWEEN 5 AND 7 AND from_ms < ?3 AND until_ms > ?2");
    bool has_row;
    db_bind_int(find, 1, id);
    db_bind_int(find, 2, span.begin_ms);
    db_bind_int(find, 3, span.end_ms);
    enum status status = db_step(find, &has_row, err);
    if (status == ST_OK) {
        *ret_count = db_int(find, 0);
        *ret_from_ms = db_int(find, 1);
    }
    db_reset(find);
    return status;
}

static struct meters_item *find_item(struct bookkeeper *b, int64_t id)
{
    for (size_t i = 0; i < b->meters.count; i++)
        if (b->meters.items[i].books.id == id)
            return &b->meters.items[i];
    return NULL;
}

/* Are there decided quarter hours on both sides of a time, and after it? */
static enum status find_sides(
    struct db *db, int64_t id, int64_t time_ms, bool *ret_before, bool *ret_after, struct error *err)
{
    struct db_stmt *find =
        db_keep(db, "SELECT EXISTS(SELECT 1 FROM ledger_quarter WHERE meter = ?1 AND start_ms < ?2),"
                    " EXISTS(SELECT 1 FROM ledger_quarter WHERE meter = ?1 AND start_ms >= ?2)");
    bool has_row;
    db_bind_int(find, 1, id);
    db_bind_int(find, 2, time_ms);
    enum status status = db_step(find, &has_row, err);
    if (status == ST_OK) {
        *ret_before = db_int(find, 0) != 0;
        *ret_after = db_int(find, 1) != 0;
    }
    db_reset(find);
    return status;
}

/* Where the quarter hours begin that no accepted reading decides, though later readings are there: those are held
 * (CONTRIBUTING.md, E4). INT64_MIN: there are none. */
static enum status find_held(
    struct bookkeeper *b, int64_t id, const struct closing_quarters *q, int64_t *ret_ms, struct error *err)
{
    const struct meters_item *item = find_item(b, id);
    struct unwrap_reading last;
    size_t tail = q->series.count;
    bool is_before = false, is_after = false, is_found = false;
    *ret_ms = INT64_MIN;
    while (tail > 0 && q->codes[tail - 1] < CLOSING_FIRST)
        tail--;
    if (item == NULL || tail == q->series.count || q->codes[tail] != CLOSING_WAITING)
        return ST_OK;
    int64_t start_ms = q->series.span.begin_ms + (int64_t)tail * QUARTER_MS;
    enum status status = find_sides(b->db, id, start_ms, &is_before, &is_after, err);
    if (status == ST_OK && is_before && !is_after)
        status = books_last(b->books, &item->books, INT64_MAX, &last, &is_found, err);
    if (status == ST_OK && is_found && last.time_ms >= start_ms + QUARTER_MS)
        *ret_ms = start_ms;
    return status;
}

static enum status weigh_exceptions(struct bookkeeper *b, const struct booked_meter *m,
    const struct closing_quarters *q, struct closing_reasons *to, struct error *err)
{
    int64_t count, from_ms, held_ms;
    enum status status = count_exceptions(b->db, m->id, q->series.span, &count, &from_ms, err);
    if (status == ST_OK)
        status = find_held(b, m->id, q, &held_ms, err);
    if (status != ST_OK)
        return status;
    if (held_ms != INT64_MIN && count++ == 0)
        from_ms = held_ms;
    closing_judge_exceptions(to, m->meter, count, from_ms);
    return ST_OK;
}

/* Is U known at an edge of the month by a reading there, or by neighbours at most max_gap apart (CONTRIBUTING.md, E5)? */
static enum status weigh_edge(
    struct db *db, int64_t id, int64_t time_ms, int64_t *covered, int64_t *due, struct error *err)
{
    struct db_stmt *find =
        db_keep(db, "SELECT quality FROM ledger_boundary WHERE meter = ?1 AND time_ms = ?2");
    bool has_row;
    db_bind_int(find, 1, id);
    db_bind_int(find, 2, time_ms);
    enum status status = db_step(find, &has_row, err);
    if (status == ST_OK && has_row)
        *covered += db_int(find, 0) == QUALITY_MEASURED || db_int(find, 0) == QUALITY_MANUAL;
    db_reset(find);
    ++*due;
    return status;
}

static bool is_due(uint32_t code)
{
    return code != CLOSING_ELSEWHERE && code != CLOSING_ABSENT;
}

static enum status weigh_coverage(struct db *db, const struct booked_meter *m,
    const struct closing_quarters *q, const struct amount *amount, struct closing_reasons *to,
    struct error *err)
{
    int64_t covered = 0, due = 0;
    enum status status = ST_OK;
    if (m->meter->has_profile) {
        covered = amount_covered(amount);
        due = amount_due(amount);
    } else {
        if (is_due(q->codes[0]))
            status = weigh_edge(db, m->id, q->series.span.begin_ms, &covered, &due, err);
        if (status == ST_OK && is_due(q->codes[q->series.count - 1]))
            status = weigh_edge(db, m->id, q->series.span.end_ms, &covered, &due, err);
    }
    if (status == ST_OK)
        closing_judge_coverage(to, m->meter, covered, due);
    return status;
}

enum status close_month_weigh_meter(struct bookkeeper *b, const struct booked_meter *m,
    const struct closing_quarters *q, const struct amount *amount, struct closing_reasons *to,
    struct error *err)
{
    enum status status = weigh_exceptions(b, m, q, to, err);
    return status == ST_OK ? weigh_coverage(b->db, m, q, amount, to, err) : status;
}

/* Of the parent: a gap is judged while it was installed. */
static struct periods_span cut(struct periods_span span, const struct park_meter *parent, int64_t now_ms)
{
    struct series_due due = series_due(parent, now_ms);
    if (due.from_ms > span.begin_ms)
        span.begin_ms = periods_quarter_hour(due.from_ms + QUARTER_MS - 1);
    if (due.until_ms < span.end_ms)
        span.end_ms = periods_quarter_hour(due.until_ms);
    return span;
}

enum status close_month_weigh_gaps(struct bookkeeper *b, const struct park_site *site,
    struct periods_span span, int64_t now_ms, struct closing_reasons *to, struct error *err)
{
    struct tree tree;
    enum status status = ST_OK;
    tree_init(&tree, b->park, site, TREE_METER, span);
    for (size_t i = 0; i < tree.count && status == ST_OK; i++) {
        const struct tree_row *row = &tree.rows[i];
        if (row->kind != TREE_GAP)
            continue;
        struct periods_span own = cut(span, row->meter, now_ms);
        struct steps whole = {.spans = &own, .count = 1};
        struct amount gap, parent;
        if (own.begin_ms >= own.end_ms)
            continue;
        status = tree_amounts(b->db, row, &whole, now_ms, &gap, err);
        if (status == ST_OK)
            status = tree_parent_amounts(b->db, row, &whole, now_ms, &parent, err);
        if (status == ST_OK)
            closing_judge_balance(to, row->meter, &gap, &parent);
    }
    tree_release(&tree);
    return status;
}
