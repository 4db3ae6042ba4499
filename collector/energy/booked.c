#include "collector/energy/booked_private.h"

#include "lib/clock.h"
#include "lib/mem.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define QUARTER_MS PERIODS_QUARTER_HOUR_MS

#define STAYS(table)                                                     \
    "CREATE TRIGGER " table "_stays BEFORE DELETE ON " table " BEGIN"    \
    "  SELECT RAISE(ABORT, 'a closing stays'); END;"                     \
    "CREATE TRIGGER " table "_is_final BEFORE UPDATE ON " table " BEGIN" \
    "  SELECT RAISE(ABORT, 'a closing stays'); END;"

/* Versions of a quarter hour beyond the first are few: the index finds them without reading the others. */
const char booked_schema[] =
    "CREATE TABLE closing("
    "  id INTEGER PRIMARY KEY AUTOINCREMENT, site TEXT NOT NULL, month INTEGER NOT NULL, from_ms INTEGER NOT "
    "NULL,"
    "  until_ms INTEGER NOT NULL, closed_ms INTEGER NOT NULL, token INTEGER, who TEXT NOT NULL,"
    "  why TEXT NOT NULL, model INTEGER NOT NULL, journal INTEGER NOT NULL, UNIQUE(site, month)) STRICT;"
    "CREATE TABLE closing_override("
    "  closing INTEGER NOT NULL REFERENCES closing(id), name TEXT NOT NULL, what TEXT NOT NULL,"
    "  figure INTEGER, bound INTEGER NOT NULL, why TEXT NOT NULL, PRIMARY KEY(closing, name)) STRICT,"
    "  WITHOUT ROWID;"
    "CREATE TABLE closing_meter("
    "  meter INTEGER NOT NULL, month INTEGER NOT NULL, closing INTEGER NOT NULL REFERENCES closing(id),"
    "  quarters INTEGER NOT NULL, known INTEGER NOT NULL, unknown_s INTEGER NOT NULL,"
    "  estimated INTEGER NOT NULL, estimated_s INTEGER NOT NULL, manual INTEGER NOT NULL,"
    "  manual_s INTEGER NOT NULL, waiting_s INTEGER NOT NULL, absent_s INTEGER NOT NULL,"
    "  versions BLOB NOT NULL, PRIMARY KEY(meter, month, closing)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX closing_meter_closing ON closing_meter(closing);"
    "CREATE INDEX ledger_quarter_again ON ledger_quarter(meter, start_ms, version) WHERE version > 1;" STAYS(
        "closing") STAYS("closing_override") STAYS("closing_meter");

/* ---- closings ---- */

static char *text_of(struct db_stmt *row, int column)
{
    struct span text = db_text(row, column);
    return mem_strndup(text.at, text.len);
}

enum status booked_closings_read(
    struct db *db, const char *site, struct booked_closings *ret, struct error *err)
{
    struct db_stmt *next = db_keep(db,
        "SELECT id, month, from_ms, until_ms, closed_ms, token, model, journal, who, why,"
        " (SELECT hash FROM closing_seal WHERE closing = id) FROM closing WHERE site = ?1 ORDER BY month");
    *ret = (struct booked_closings){0};
    struct hash hash;
    bool has_row;
    enum status status;
    db_bind_text(next, 1, span_of(site));
    while ((status = db_step(next, &has_row, err)) == ST_OK && has_row) {
        MEM_GROW(ret->items, ret->count, ret->capacity);
        ret->items[ret->count++] = (struct booked_closing){.id = db_int(next, 0),
            .month = db_int(next, 1),
            .span = {db_int(next, 2), db_int(next, 3)},
            .closed_ms = db_int(next, 4),
            .token = db_int(next, 5),
            .model = db_int(next, 6),
            .journal = db_int(next, 7),
            .who = text_of(next, 8),
            .why = text_of(next, 9)};
        if (hash_read(db_text(next, 10), &hash))
            hash_format(&hash, ret->items[ret->count - 1].seal);
    }
    db_reset(next);
    if (status != ST_OK)
        booked_closings_release(ret);
    return status;
}

void booked_closings_release(struct booked_closings *closings)
{
    for (size_t i = 0; i < closings->count; i++) {
        free(closings->items[i].who);
        free(closings->items[i].why);
    }
    free(closings->items);
    *closings = (struct booked_closings){0};
}

enum status booked_until(struct db *db, const char *site, int64_t *ret_ms, struct error *err)
{
    struct db_stmt *find = db_keep(db, "SELECT max(until_ms) FROM closing WHERE ?1 IS NULL OR site = ?1");
    bool has_row;
    if (site != NULL)
        db_bind_text(find, 1, span_of(site));
    else
        db_bind_null(find, 1);
    enum status status = db_step(find, &has_row, err);
    if (status == ST_OK)
        *ret_ms = has_row && !db_is_null(find, 0) ? db_int(find, 0) : INT64_MIN;
    db_reset(find);
    return status;
}

/* ---- quarter hours ---- */

enum status booked_read_again(
    struct db *db, int64_t id, struct periods_span span, struct booked_agains *ret, struct error *err)
{
    struct db_stmt *next = db_keep(db,
        "SELECT start_ms, max(version) FROM ledger_quarter INDEXED BY ledger_quarter_again"
        " WHERE meter = ?1 AND start_ms >= ?2 AND start_ms < ?3 AND version > 1 GROUP BY start_ms");
    bool has_row;
    enum status status;
    *ret = (struct booked_agains){0};
    db_bind_int(next, 1, id);
    db_bind_int(next, 2, span.begin_ms);
    db_bind_int(next, 3, span.end_ms);
    while ((status = db_step(next, &has_row, err)) == ST_OK && has_row) {
        MEM_GROW(ret->items, ret->count, ret->capacity);
        ret->items[ret->count++] =
            (struct booked_again){(size_t)((db_int(next, 0) - span.begin_ms) / QUARTER_MS),
                CLOSING_FIRST + (uint32_t)db_int(next, 1) - 1};
    }
    db_reset(next);
    return status;
}

static void say_without_row(struct closing_quarters *q, size_t at, uint32_t code)
{
    q->codes[at] = code;
    q->series.amounts[at] = 0;
    q->series.states[at] = code == CLOSING_WAITING ? SERIES_WAITING : SERIES_ABSENT;
}

/* The park model does not have the meter now: as it was. */
static void take_before(struct closing_quarters *q, const uint32_t *before)
{
    for (size_t i = 0; i < q->series.count; i++)
        if (before[i] == CLOSING_ELSEWHERE || q->series.states[i] == SERIES_ABSENT)
            say_without_row(q, i, before[i] < CLOSING_FIRST ? before[i] : CLOSING_WAITING);
}

static void take_tags(struct closing_quarters *q, const struct booked_meter *meter)
{
    struct park_tags tags = {.until_ms = INT64_MIN};
    for (size_t i = 0; i < q->series.count; i++) {
        int64_t start_ms = q->series.span.begin_ms + (int64_t)i * QUARTER_MS;
        if (start_ms >= tags.until_ms)
            tags = park_tags_at(meter->meter, start_ms);
        if (tags.building->site != meter->site)
            say_without_row(q, i, CLOSING_ELSEWHERE);
        else if (q->series.states[i] > SERIES_UNKNOWN)
            say_without_row(q, i, q->series.states[i] == SERIES_ABSENT ? CLOSING_ABSENT : CLOSING_WAITING);
    }
}

enum status booked_now(struct db *db, const struct booked_meter *meter, struct periods_span span,
    int64_t now_ms, const uint32_t *before, struct closing_quarters *ret, struct error *err)
{
    assert(before != NULL || meter->meter != NULL);
    struct series_due due = {0}; /* never: absent is what has no row */
    struct booked_agains agains = {0};
    if (meter->meter != NULL)
        due = series_due(meter->meter, now_ms);
    *ret = (struct closing_quarters){0};
    series_init(&ret->series, span, &due);
    ret->codes = mem_alloc((ret->series.count + 1) * sizeof *ret->codes);
    for (size_t i = 0; i < ret->series.count; i++)
        ret->codes[i] = CLOSING_FIRST;
    enum status status = series_read(db, meter->id, &ret->series, err);
    if (status == ST_OK)
        status = booked_read_again(db, meter->id, span, &agains, err);
    for (size_t i = 0; i < agains.count; i++)
        ret->codes[agains.items[i].at] = agains.items[i].code;
    free(agains.items);
    if (status != ST_OK)
        closing_quarters_release(ret);
    else if (meter->meter != NULL)
        take_tags(ret, meter);
    else
        take_before(ret, before);
    return status;
}

static enum status read_version(struct db *db, int64_t id, int64_t start_ms, uint32_t code, int64_t *amount,
    uint8_t *state, struct error *err)
{
    struct db_stmt *find =
        db_keep(db, "SELECT amount, quality FROM ledger_quarter WHERE meter = ?1 AND start_ms = ?2"
                    " AND version = ?3");
    bool has_row;
    db_bind_int(find, 1, id);
    db_bind_int(find, 2, start_ms);
    db_bind_int(find, 3, (int64_t)code - CLOSING_FIRST + 1);
    enum status status = db_step(find, &has_row, err);
    if (status == ST_OK && !has_row) {
        char start[CLOCK_TEXT_SIZE];
        clock_format_utc(start_ms, start);
        status = error_set(err, ST_INVALID,
            "version %" PRIu32 " of the quarter hour %s of meter %" PRId64
            " was booked, and is not in the books",
            code - CLOSING_FIRST + 1, start, id);
    } else if (status == ST_OK) {
        bool is_known = !db_is_null(find, 0);
        *amount = is_known ? db_int(find, 0) : 0;
        *state = (uint8_t)(is_known ? db_int(find, 1) : SERIES_UNKNOWN);
    }
    db_reset(find);
    return status;
}

enum status booked_then(struct db *db, int64_t id, struct periods_span span, const uint32_t *codes,
    struct closing_quarters *ret, struct error *err)
{
    struct closing_quarters now;
    enum status status = booked_now(db, &(struct booked_meter){.id = id}, span, 0, codes, &now, err);
    if (status != ST_OK)
        return status;
    for (size_t i = 0; i < now.series.count && status == ST_OK; i++) {
        if (codes[i] < CLOSING_FIRST)
            say_without_row(&now, i, codes[i]);
        else if (codes[i] != now.codes[i])
            status = read_version(db, id, span.begin_ms + (int64_t)i * QUARTER_MS, codes[i],
                &now.series.amounts[i], &now.series.states[i], err);
    }
    memcpy(now.codes, codes, now.series.count * sizeof *codes);
    if (status == ST_OK)
        *ret = now;
    else
        closing_quarters_release(&now);
    return status;
}

enum status booked_codes(struct db *db, const char *site, int64_t id, int64_t month, int64_t closing,
    uint32_t *ret, size_t count, bool *ret_is_there, struct error *err)
{
    struct db_stmt *find =
        db_keep(db, "SELECT versions FROM closing_meter JOIN closing ON closing.id = closing_meter.closing"
                    " WHERE meter = ?1 AND closing_meter.month = ?2 AND closing.id <= ?3 AND site = ?4"
                    " ORDER BY closing_meter.closing DESC LIMIT 1");
    db_bind_int(find, 1, id);
    db_bind_int(find, 2, month);
    db_bind_int(find, 3, closing);
    db_bind_text(find, 4, span_of(site));
    enum status status = db_step(find, ret_is_there, err);
    if (status == ST_OK && *ret_is_there && !closing_unpack(db_text(find, 0), ret, count))
        status = error_set(err, ST_INVALID,
            "what was booked of meter %" PRId64 " is damaged: its versions are not of %zu quarter hours", id,
            count);
    db_reset(find);
    return status;
}

enum status booked_rows(struct db *db, const struct booked_closing *closing, booked_on_row *on_row,
    void *context, struct error *err)
{
    struct db_stmt *next = db_keep(db,
        "SELECT meter, name, quarters, known, unknown_s, estimated, estimated_s, manual, manual_s, "
        "waiting_s, absent_s"
        " FROM closing_meter JOIN ledger_meter ON ledger_meter.id = meter WHERE closing = ?1 AND month = ?2"
        " ORDER BY name");
    bool has_row;
    enum status status;
    db_bind_int(next, 1, closing->id);
    db_bind_int(next, 2, closing->month);
    while ((status = db_step(next, &has_row, err)) == ST_OK && has_row) {
        struct amount amount = {.sum = {.count = db_int(next, 2),
                                    .known = db_int(next, 3),
                                    .unknown_s = db_int(next, 4),
                                    .estimated = db_int(next, 5),
                                    .estimated_s = db_int(next, 6),
                                    .manual = db_int(next, 7),
                                    .manual_s = db_int(next, 8)},
            .waiting_s = db_int(next, 9),
            .absent_s = db_int(next, 10)};
        struct booked_row row = {.id = db_int(next, 0), .sum = closing_metered(&amount)};
        struct span name = db_text(next, 1);
        snprintf(row.name, sizeof row.name, "%.*s",
            (int)(name.len < sizeof row.name ? name.len : sizeof row.name - 1), name.at);
        on_row(context, &row);
    }
    db_reset(next);
    return status;
}
