/* Closings, as a bundle has them: into the refold's database, and each against its seal. */
#include "collector/bundle/checker.h"
#include "collector/energy/closing_seal.h"
#include "lib/id.h"
#include "lib/mem.h"

#include <inttypes.h>
#include <string.h>

#define MONTH_MAX_MS (INT64_C(32) * 86400000)
#define BOOKED_NUMBERS 9

/* ---- rows ---- */

static bool read_month(struct span text, int64_t *ret)
{
    struct period period;
    bool is_month = periods_parse(text.at, &period) && period.kind == PERIODS_MONTH;
    *ret = is_month ? period.number : 0;
    return is_month;
}

static void bind_some(struct db_stmt *add, int at, const struct csv *csv, size_t field, int64_t value)
{
    if (csv_is_none(csv, field))
        db_bind_null(add, at);
    else
        db_bind_int(add, at, value);
}

/* Both, or, of a closing of before there were seals, neither. */
static bool read_seals(const struct csv *csv, struct closed_month *ret)
{
    struct buf bytes = {0};
    ret->is_sealed = !csv_is_none(csv, 11) || !csv_is_none(csv, 12);
    bool is_good = csv_read_bytes(csv, 11, &bytes) && csv_read_bytes(csv, 12, &bytes) &&
                   csv_is_none(csv, 11) == csv_is_none(csv, 12) &&
                   bytes.len == (ret->is_sealed ? 2 * HASH_SIZE : 0);
    if (is_good && ret->is_sealed) {
        hash_read((struct span){bytes.data, HASH_SIZE}, &ret->previous);
        hash_read((struct span){bytes.data + HASH_SIZE, HASH_SIZE}, &ret->seal);
    }
    buf_release(&bytes);
    return is_good;
}

static bool read_closing(const struct checker *c, const struct csv *csv, struct closed_month *ret)
{
    struct periods_span *span = &ret->span;
    const struct closed *all = &c->closed;
    return csv_read_int(csv, 0, &ret->id) && ret->id > (all->count > 0 ? all->items[all->count - 1].id : 0) &&
           span_is(csv_read_text(csv, 1), c->manifest.about.site) &&
           read_month(csv_read_text(csv, 2), &ret->month) &&
           periods_has_month(c->subject.period, ret->month) && csv_read_time(csv, 3, &span->begin_ms) &&
           csv_read_time(csv, 4, &span->end_ms) && checker_is_near(c, span->begin_ms) &&
           span->begin_ms < span->end_ms && span->end_ms - span->begin_ms <= MONTH_MAX_MS &&
           span->begin_ms % BOUNDARY_MS == 0 && span->end_ms % BOUNDARY_MS == 0 && read_seals(csv, ret);
}

static enum status add_seal(struct checker *c, const struct closed_month *one, struct error *err)
{
    struct db_stmt *add = db_keep(c->refold.db, "INSERT INTO closing_seal(closing, hash) VALUES(?1, ?2)");
    db_bind_int(add, 1, one->id);
    db_bind_blob(add, 2, hash_bytes(&one->seal));
    return db_run(add, err);
}

static enum status take_closing(struct checker *c, const struct csv *csv, struct error *err)
{
    struct db_stmt *add = db_keep(c->refold.db,
        "INSERT INTO closing(id, site, month, from_ms, until_ms, closed_ms, token, who, why, model, journal)"
        " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)");
    struct closed_month one = {0};
    int64_t closed_ms, token, model, journal;
    if (!read_closing(c, csv, &one) || !csv_read_time(csv, 5, &closed_ms) || !csv_read_some(csv, 6, &token) ||
        !csv_read_int(csv, 9, &model) || !csv_read_int(csv, 10, &journal))
        return csv_refuse(csv, "no closing of the site and the period, or not in order", err);
    db_bind_int(add, 1, one.id);
    db_bind_text(add, 2, csv_read_text(csv, 1));
    db_bind_int(add, 3, one.month);
    db_bind_int(add, 4, one.span.begin_ms);
    db_bind_int(add, 5, one.span.end_ms);
    db_bind_int(add, 6, closed_ms);
    bind_some(add, 7, csv, 6, token);
    db_bind_text(add, 8, csv_read_text(csv, 7));
    db_bind_text(add, 9, csv_read_text(csv, 8));
    db_bind_int(add, 10, model);
    db_bind_int(add, 11, journal);
    enum status status = checker_refuse_row(csv, db_run(add, err), err);
    if (status == ST_OK && one.is_sealed)
        status = add_seal(c, &one, err);
    MEM_GROW(c->closed.items, c->closed.count, c->closed.capacity);
    c->closed.items[c->closed.count++] = one;
    return status;
}

/* False: the row's closing is not here, and that is told. */
static bool is_of_closing(struct checker *c, const struct csv *csv, int64_t closing)
{
    for (size_t i = 0; i < c->closed.count; i++)
        if (c->closed.items[i].id == closing)
            return true;
    checker_differs(c, "%s:%zu: closing %" PRId64 " is not in closings.csv", csv->name, csv->line, closing);
    return false;
}

static enum status take_override(struct checker *c, const struct csv *csv, struct error *err)
{
    struct db_stmt *add =
        db_keep(c->refold.db, "INSERT INTO closing_override(closing, name, what, figure, bound, why)"
                              " VALUES(?1, ?2, ?3, ?4, ?5, ?6)");
    int64_t closing, figure, bound;
    if (!csv_read_int(csv, 0, &closing) || csv_is_none(csv, 1) || !csv_read_some(csv, 3, &figure) ||
        !csv_read_int(csv, 4, &bound))
        return csv_refuse(csv, "no override", err);
    if (!is_of_closing(c, csv, closing))
        return ST_OK;
    db_bind_int(add, 1, closing);
    db_bind_text(add, 2, csv_read_text(csv, 1));
    db_bind_text(add, 3, csv_read_text(csv, 2));
    bind_some(add, 4, csv, 3, figure);
    db_bind_int(add, 5, bound);
    db_bind_text(add, 6, csv_read_text(csv, 5));
    return checker_refuse_row(csv, db_run(add, err), err);
}

/* One whose readings are not here has no number yet. */
static enum status number_of(struct checker *c, struct span meter, int64_t *ret, struct error *err)
{
    struct db_stmt *add = db_keep(c->refold.db, "INSERT INTO ledger_meter(name) VALUES(?1)");
    enum status status = checker_number(c, meter, ret, err);
    if (status != ST_OK || *ret != 0)
        return status;
    db_bind_text(add, 1, meter);
    status = db_run(add, err);
    *ret = db_last_id(c->refold.db);
    return status;
}

static enum status add_booked(struct checker *c, const struct csv *csv, int64_t closing, int64_t month,
    const int64_t *numbers, struct error *err)
{
    struct db_stmt *add = db_keep(c->refold.db,
        "INSERT INTO closing_meter(closing, meter, month, quarters, known, unknown_s, estimated, estimated_s,"
        " manual, manual_s, waiting_s, absent_s, versions)"
        " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)");
    struct buf versions = {0};
    int64_t meter;
    enum status status = number_of(c, csv_read_text(csv, 1), &meter, err);
    if (status == ST_OK && !csv_read_bytes(csv, 12, &versions))
        status = csv_refuse(csv, "versions are no hexadecimal digits", err);
    if (status == ST_OK) {
        db_bind_int(add, 1, closing);
        db_bind_int(add, 2, meter);
        db_bind_int(add, 3, month);
        for (int i = 0; i < BOOKED_NUMBERS; i++)
            db_bind_int(add, 4 + i, numbers[i]);
        db_bind_blob(add, 13, (struct span){versions.data != NULL ? versions.data : "", versions.len});
        status = checker_refuse_row(csv, db_run(add, err), err);
    }
    buf_release(&versions);
    return status;
}

static enum status take_booked(struct checker *c, const struct csv *csv, struct error *err)
{
    int64_t closing, month, numbers[BOOKED_NUMBERS];
    bool is_good = csv_read_int(csv, 0, &closing) && !csv_is_none(csv, 1) && csv->fields[1].len <= ID_MAX &&
                   read_month(csv_read_text(csv, 2), &month);
    for (size_t i = 0; i < BOOKED_NUMBERS && is_good; i++)
        is_good = csv_read_int(csv, 3 + i, &numbers[i]);
    if (!is_good)
        return csv_refuse(csv, "nothing that was booked", err);
    return is_of_closing(c, csv, closing) ? add_booked(c, csv, closing, month, numbers, err) : ST_OK;
}

/* ---- seals ---- */

/* Months are closed one after another (K1); and of two closings that follow on one another the one names the other's seal. */
static void hold_order(struct checker *c, const struct closed_month *before, const struct closed_month *one)
{
    char month[PERIODS_TEXT_SIZE];
    periods_format((struct period){PERIODS_MONTH, before->month + 1}, month);
    if (one->month != before->month + 1)
        checker_differs(c, "closing %" PRId64 " follows on %" PRId64 ", and the one of %s is not here",
            one->id, before->id, month);
    if (one->id == before->id + 1 && one->is_sealed &&
        !(before->is_sealed && hash_is_equal(&one->previous, &before->seal)))
        checker_differs(c, "closing %" PRId64 ": the seal before it is another than that of closing %" PRId64,
            one->id, before->id);
}

static enum status hold_seal(struct checker *c, const struct closed_month *one, struct error *err)
{
    char month[PERIODS_TEXT_SIZE], sealed[HASH_TEXT_SIZE], given[HASH_TEXT_SIZE];
    struct hash found;
    periods_format((struct period){PERIODS_MONTH, one->month}, month);
    if (!one->is_sealed) {
        progress_end(&c->progress);
        printf("closing %" PRId64 " (%s): has no seal, it is of before there were seals\n", one->id, month);
        return ST_OK;
    }
    enum status status = closing_seal_of(c->refold.db, one->id, &one->previous, &found, err);
    if (status != ST_OK)
        return status;
    hash_format(&one->seal, sealed);
    hash_format(&found, given);
    if (!hash_is_equal(&found, &one->seal))
        checker_differs(c, "closing %" PRId64 " (%s) differs: sealed as %s, what is here gives %s", one->id,
            month, sealed, given);
    c->seals++;
    memcpy(c->last_seal, sealed, sizeof c->last_seal);
    return ST_OK;
}

enum status checker_closings(struct checker *c, struct error *err)
{
    enum status status = checker_each_row(c, "closings.csv", BUNDLE_CLOSINGS, take_closing, err);
    if (status == ST_OK)
        status = checker_each_row(c, "overrides.csv", BUNDLE_OVERRIDES, take_override, err);
    if (status == ST_OK)
        status = checker_each_row(c, "booked.csv", BUNDLE_BOOKED, take_booked, err);
    for (size_t i = 0; i < c->closed.count && status == ST_OK; i++) {
        if (i > 0)
            hold_order(c, &c->closed.items[i - 1], &c->closed.items[i]);
        status = hold_seal(c, &c->closed.items[i], err);
    }
    return status;
}
