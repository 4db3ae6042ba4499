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

/* The quarter hours at the end of the month that are not decided, because no reading at or after its end is accepted. */
struct tail {
    int64_t count, from_ms;
    bool is_held; /* readings are there, and are held (CONTRIBUTING.md, E4) */
};

static void count_tail(const struct closing_quarters *q, struct tail *ret)
{
    *ret = (struct tail){0};
    for (size_t i = q->series.count; i > 0 && q->codes[i - 1] < CLOSING_FIRST; i--)
        if (q->codes[i - 1] == CLOSING_WAITING) {
            ret->count++;
            ret->from_ms = q->series.span.begin_ms + (int64_t)(i - 1) * QUARTER_MS;
        }
}

static enum status find_tail(
    struct bookkeeper *b, int64_t id, const struct closing_quarters *q, struct tail *ret, struct error *err)
{
    const struct meters_item *item = find_item(b, id);
    struct unwrap_reading last;
    bool is_before = false, is_after = false, is_found = false;
    count_tail(q, ret);
    if (ret->count == 0)
        return ST_OK;
    enum status status = find_sides(b->db, id, ret->from_ms, &is_before, &is_after, err);
    if (is_after)
        ret->count = 0; /* of a time before its first reading: none is to come */
    if (status == ST_OK && item != NULL && is_before && !is_after)
        status = books_last(b->books, &item->books, INT64_MAX, &last, &is_found, err);
    ret->is_held = is_found && last.time_ms >= ret->from_ms + QUARTER_MS;
    return status;
}

static enum status weigh_exceptions(struct bookkeeper *b, const struct booked_meter *m,
    struct periods_span span, const struct tail *tail, struct closing_reasons *to, struct error *err)
{
    int64_t count, from_ms;
    enum status status = count_exceptions(b->db, m->id, span, &count, &from_ms, err);
    if (status != ST_OK)
        return status;
    if (tail->is_held && count++ == 0)
        from_ms = tail->from_ms;
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
    struct tail tail;
    enum status status = find_tail(b, m->id, q, &tail, err);
    if (status == ST_OK)
        status = weigh_exceptions(b, m, q->series.span, &tail, to, err);
    if (status != ST_OK)
        return status;
    if (!tail.is_held)
        closing_judge_waiting(to, m->meter, tail.count, tail.from_ms, q->series.span.end_ms);
    return weigh_coverage(b->db, m, q, amount, to, err);
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
