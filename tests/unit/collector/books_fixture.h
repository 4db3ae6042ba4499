/* The ledger's books in a database of the test's own, and what they say, held against a fold in one go. */
#pragma once

#include "collector/ledger/readings.h"
#include "lib/buf.h"
#include "tests/unit/ledger_book.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#define FIXTURE_STATES 3 /* fewer than meters: they take each other's place */

static const char *const fixture_scripts[] = {books_schema};
static const struct db_schema fixture_schema = {fixture_scripts, 1};
static char fixture_folder[64], fixture_path[80];
static struct db *fixture_db;
static struct books *fixture_books;

static inline void fixture_ok(enum status status, const struct error *err)
{
    if (status != ST_OK)
        fail_msg("%s: %s", status_name(status), err->text);
}

static inline void fixture_open(void)
{
    struct error err;
    fixture_ok(db_open(fixture_path, &fixture_schema, &fixture_db, &err), &err);
    fixture_ok(db_exec(fixture_db, "PRAGMA synchronous = OFF", &err), &err); /* no power fails here */
    fixture_books = books_create(fixture_db, FIXTURE_STATES);
}

static inline void fixture_close(void)
{
    books_destroy(fixture_books);
    db_close(fixture_db);
}

static inline int fixture_set_up(void **state)
{
    (void)state;
    snprintf(fixture_folder, sizeof fixture_folder, "/tmp/parkmon-test-books-XXXXXX");
    assert_non_null(mkdtemp(fixture_folder));
    snprintf(fixture_path, sizeof fixture_path, "%s/books.db", fixture_folder);
    fixture_open();
    return 0;
}

static inline int fixture_tear_down(void **state)
{
    (void)state;
    fixture_close();
    char *command = mem_printf("rm -rf '%s'", fixture_folder);
    assert_int_equal(system(command), 0);
    free(command);
    return 0;
}

static inline void fixture_begin(void)
{
    struct error err;
    fixture_ok(db_begin(fixture_db, &err), &err);
    books_begin(fixture_books);
}

static inline void fixture_commit(void)
{
    struct error err;
    fixture_ok(db_commit(fixture_db, &err), &err);
    books_committed(fixture_books);
}

/* In the transaction that is open; the number stands for the time and the batch. */
static inline void fixture_fold(
    const struct books_meter *meter, const struct unwrap_reading *readings, size_t count, int64_t number)
{
    struct error err;
    struct books_reading *given = mem_alloc((count + 1) * sizeof *given);
    for (size_t i = 0; i < count; i++)
        given[i] = (struct books_reading){.time_ms = readings[i].time_ms,
            .count = readings[i].count,
            .point = readings[i].point,
            .is_manual = readings[i].is_manual,
            .journal = number};
    fixture_ok(books_fold(fixture_books, meter, given, count, number, &err), &err);
    free(given);
}

/* In a transaction of its own. */
static inline void fixture_take(
    const struct books_meter *meter, const struct unwrap_reading *readings, size_t count, int64_t number)
{
    fixture_begin();
    fixture_fold(meter, readings, count, number);
    fixture_commit();
}

/* Adds packed readings of an hour to the table `ledger_reading`. */
static inline void fixture_unpack(struct db_stmt *add, int64_t meter, int64_t hour, struct span packed)
{
    struct error err;
    struct readings r = {0};
    fixture_ok(readings_unpack(&r, hour * READINGS_HOUR_MS, packed, &err), &err);
    db_bind_int(add, 1, meter);
    for (size_t i = 0; i < r.count; i++) {
        db_bind_int(add, 2, r.items[i].time_ms);
        db_bind_int(add, 3, r.items[i].point);
        db_bind_int(add, 4, r.items[i].count);
        db_bind_int(add, 5, r.items[i].journal);
        db_bind_int(add, 6, r.items[i].is_manual);
        fixture_ok(db_run(add, &err), &err);
    }
    readings_release(&r);
}

/* A meter's hours and their packed readings, those of the last one too; meter=?1. */
#define FIXTURE_HOURS                                                                                       \
    "SELECT id - (?1 << 32) AS hour, readings FROM ledger_hour WHERE id BETWEEN (?1 << 32) - (1 << 31) AND" \
    " (?1 << 32) + (1 << 31) - 1 UNION ALL SELECT hour, readings FROM ledger_latest WHERE meter = ?1"

/* Makes the table `ledger_reading` of what evidence has of a meter, unpacked. */
static inline void fixture_read_evidence(int64_t meter)
{
    struct error err;
    fixture_ok(db_exec(fixture_db,
                   "CREATE TEMP TABLE IF NOT EXISTS ledger_reading("
                   "  meter, time_ms INTEGER PRIMARY KEY, point, count, journal, manual);"
                   "DELETE FROM temp.ledger_reading",
                   &err),
        &err);
    struct db_stmt *hours = db_prepare(fixture_db, FIXTURE_HOURS);
    struct db_stmt *add = db_prepare(fixture_db, "INSERT INTO ledger_reading VALUES(?1, ?2, ?3, ?4, ?5, ?6)");
    db_bind_int(hours, 1, meter);
    for (bool has_row;;) {
        fixture_ok(db_step(hours, &has_row, &err), &err);
        if (!has_row)
            break;
        fixture_unpack(add, meter, db_int(hours, 0), db_text(hours, 1));
    }
    db_finish(add);
    db_finish(hours);
}

/* Each row of a query about a meter (?1), as text. Its readings are in `ledger_reading`. */
static inline char *fixture_query(const char *sql, int64_t meter)
{
    struct error err;
    if (strstr(sql, "FROM ledger_reading") != NULL)
        fixture_read_evidence(meter);
    struct buf text = {0};
    struct db_stmt *s = db_prepare(fixture_db, sql);
    db_bind_int(s, 1, meter);
    for (bool has_row;;) {
        fixture_ok(db_step(s, &has_row, &err), &err);
        if (!has_row)
            break;
        struct span row = db_text(s, 0);
        buf_add(&text, row.at, row.len);
        buf_add_char(&text, '\n');
    }
    db_finish(s);
    buf_add_char(&text, '\0');
    return buf_take(&text);
}

static inline int64_t fixture_number(const char *sql, int64_t meter)
{
    char *text = fixture_query(sql, meter);
    int64_t number = strtoll(text, NULL, 10);
    free(text);
    return number;
}

/* Everything but the snapshots, which are a cache. */
static inline char *fixture_dump(int64_t meter)
{
    static const char *const queries[] = {
        "SELECT time_ms || '|' || point || '|' || count || '|' || journal || '|' || manual"
        " FROM ledger_reading WHERE meter = ?1 ORDER BY time_ms",
        "SELECT hour || '|' || hex(readings) FROM (" FIXTURE_HOURS ")",
        "SELECT time_ms || '|' || energy || '|' || quality || '|' || baseline_ms || '|' || stated FROM "
        "ledger_boundary WHERE "
        "meter = ?1"
        " ORDER BY time_ms",
        "SELECT start_ms || '|' || version || '|' || ifnull(amount, '-') || '|' || quality || '|' || "
        "written_ms || '|' || written_by"
        " FROM ledger_quarter WHERE meter = ?1 ORDER BY start_ms, version",
        "SELECT from_ms || '|' || kind || '|' || until_ms || '|' || state || '|' || opened_ms || '|' || "
        "opened_by || '|' || ifnull(withdrawn_ms, '-') || '|' || ifnull(withdrawn_by, '-') FROM ledger_event "
        "WHERE meter = ?1 ORDER BY from_ms, kind, until_ms",
    };
    struct buf all = {0};
    for (size_t i = 0; i < sizeof queries / sizeof queries[0]; i++) {
        char *text = fixture_query(queries[i], meter);
        buf_add_str(&all, text);
        buf_add_str(&all, "--\n");
        free(text);
    }
    buf_add_char(&all, '\0');
    return buf_take(&all);
}

static inline void fixture_assert_same(const char *expected, const char *is, const char *how)
{
    size_t at = 0, line = 0;
    for (; expected[at] != '\0' && expected[at] == is[at]; at++)
        if (expected[at] == '\n')
            line = at + 1;
    if (expected[at] != is[at])
        fail_msg("%s: %.*s; expected %.*s", how, (int)strcspn(is + line, "\n"), is + line,
            (int)strcspn(expected + line, "\n"), expected + line);
}
