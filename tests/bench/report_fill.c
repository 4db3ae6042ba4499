#include "report_fill.h"

#include "collector/access/changes.h"
#include "collector/baseline/temperature.h"
#include "collector/energy/booked.h"
#include "collector/ledger/decided.h"
#include "collector/ledger/latest.h"
#include "collector/model/zone.h"
#include "collector/schema.h"
#include "lib/mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define BEGIN_MS INT64_C(1735660800000) /* 2025-01-01 00:00 in Shanghai */
#define QUARTER_MS PERIODS_QUARTER_HOUR_MS
#define FIRST_MONTH ((2025 - 1970) * 12)
#define CLOSED 23

static const char tariffs[] =
    "tariffs = ( { id = \"t\"; name = \"t\"; name_en = \"t\"; carrier = \"electricity\"; sites = [\"s\"];\n"
    "schedules = ( { from = \"2024-01-01\"; document = \"D\"; confidence = \"A\"; seasons = (\n"
    "{ months = \"1-6\"; peak = \"08:00-11:00, 13:00-17:00\"; flat = \"17:00-24:00\"; valley = "
    "\"00:00-08:00, "
    "11:00-13:00\"; },\n"
    "{ months = \"7-12\"; sharp = \"18:00-22:00\"; peak = \"16:00-18:00\"; flat = \"07:00-16:00, "
    "22:00-24:00\"; valley = \"00:00-07:00\"; } ); } );\n"
    "prices = ( { from = \"2024-01-01\"; unit = \"yuan/kWh\"; sharp = \"1.2\"; peak = \"1.1063\"; flat = "
    "\"0.598\"; "
    "valley = \"0.2392\"; document = \"D\"; confidence = \"A\"; } ); } );\n";

int64_t bench_used(const struct bench *b, int64_t meter, int64_t i)
{
    int64_t own = 2000 + (meter * 7919 + i * 104729) % 9000;
    for (int64_t k = meter + 1; meter % BENCH_TREE == 0 && k < meter + BENCH_TREE && k < b->meters; k++)
        own += 2000 + (k * 7919 + i * 104729) % 9000;
    return own;
}

static void write_text(const char *path, const char *text)
{
    FILE *out = fopen(path, "w");
    if (out == NULL || fputs(text, out) < 0 || fclose(out) != 0) {
        perror(path);
        exit(1);
    }
}

void bench_write_park(const struct bench *b)
{
    struct buf text = {0};
    buf_add_str(&text,
        "sites = ( { id = \"s\"; name = \"s\"; name_en = \"s\"; zone = \"Asia/Shanghai\"; region = "
        "\"zhejiang\"; headcount = 420; } );\nbuildings = (");
    for (int64_t i = 0; i * BENCH_TREE < b->meters; i++)
        buf_printf(&text, "%s{ id = \"b%lld\"; name = \"b\"; name_en = \"b\"; site = \"s\"; area = 1000; }",
            i > 0 ? ",\n" : "", (long long)i);
    buf_add_str(&text, ");\ntenants = ( { id = \"t0\"; name = \"t\"; name_en = \"t\"; }, { id = \"t1\"; name "
                       "= \"t\"; name_en = "
                       "\"t\"; } );\ngateways = ( { id = \"g\"; name = \"g\"; name_en = \"g\"; site = \"s\"; "
                       "} );\nmeters = (");
    for (int64_t i = 0; i < b->meters; i++) {
        char *parent = i % BENCH_TREE == 0
                           ? mem_strdup("")
                           : mem_printf("parent = \"m%lld\"; tenant = \"t%lld\";",
                                 (long long)(i / BENCH_TREE * BENCH_TREE), (long long)(i % 2));
        buf_printf(&text,
            "%s{ id = \"m%lld\"; name = \"m\"; name_en = \"m\"; building = \"b%lld\"; carrier = "
            "\"electricity\"; item = "
            "\"%s\"; %s segments = ( { serial = \"%lld\"; from = \"2024-01-01T00:00:00+08:00\"; point = "
            "\"g/m%lld\"; "
            "max_rate = 1000000000; } ); }",
            i > 0 ? ",\n" : "", (long long)i, (long long)(i / BENCH_TREE),
            i % BENCH_TREE == 0 ? "01000" : "01A00", parent, (long long)i, (long long)i);
        free(parent);
    }
    buf_add_str(&text,
        ");\nbaselines = ( { id = \"base\"; name = \"b\"; name_en = \"b\"; meter = \"m0\"; temperature = "
        "\"g/roof\"; "
        "model = \"both\"; step = \"day\"; from = \"2025-01-01\"; through = \"2025-12-31\"; reporting = "
        "\"2026-01-01\"; heating_from = 12; heating_to = 18; cooling_from = 19; cooling_to = 24; } );\n");
    write_text(b->park, text.data);
    buf_release(&text);
    write_text(b->tariffs, tariffs);
}

/* ---- the books ---- */

static struct periods_span month_of(const struct zone *zone, int64_t number)
{
    return periods_span(zone, (struct period){PERIODS_MONTH, FIRST_MONTH + number});
}

/* Of one meter in ten the third quarter hour of each month is put right when the month is closed. */
static bool is_mended(const struct zone *zone, int64_t meter, int64_t start_ms)
{
    struct period month = periods_of(zone, PERIODS_MONTH, start_ms);
    return meter % 10 == 1 && start_ms == periods_span(zone, month).begin_ms + 2 * QUARTER_MS;
}

static enum status put_quarter(
    struct db *db, int64_t meter, int64_t start_ms, int64_t version, const int64_t *amount, struct error *err)
{
    struct db_stmt *put = db_keep(db, "INSERT INTO ledger_quarter VALUES(?1, ?2, ?3, ?4, ?5, ?2, 1)");
    db_bind_int(put, 1, meter + 1);
    db_bind_int(put, 2, start_ms);
    db_bind_int(put, 3, version);
    if (amount == NULL)
        db_bind_null(put, 4);
    else
        db_bind_int(put, 4, *amount);
    db_bind_int(put, 5, amount == NULL ? QUALITY_UNKNOWN : QUALITY_MEASURED);
    return db_run(put, err);
}

static enum status fill_meter(
    const struct bench *b, struct db *db, const struct zone *zone, int64_t meter, struct error *err)
{
    struct db_stmt *name = db_keep(db, "INSERT INTO ledger_meter VALUES(?1, 'm' || ?2)");
    db_bind_int(name, 1, meter + 1);
    db_bind_int(name, 2, meter);
    enum status status = db_run(name, err);
    for (int64_t i = 0; i < 2 * BENCH_YEAR_QUARTERS && status == ST_OK; i++) {
        int64_t start_ms = BEGIN_MS + i * QUARTER_MS, amount = bench_used(b, meter, i), version = 1;
        if (meter % 10 == 1 && is_mended(zone, meter, start_ms))
            status = put_quarter(db, meter, start_ms, version++, NULL, err);
        if (status == ST_OK)
            status = put_quarter(db, meter, start_ms, version, &amount, err);
    }
    return status == ST_OK
               ? latest_pack(db, meter + 1, BEGIN_MS, BEGIN_MS + 2 * BENCH_YEAR_QUARTERS * QUARTER_MS, err)
               : status;
}

/* ---- beside them ---- */

/* Read by hand, and logged. */
static enum status decide(struct db *db, int64_t meter, int64_t time_ms, struct error *err)
{
    struct decided d = {.ruling = {.kind = RULING_READING, .from_ms = time_ms, .until_ms = time_ms},
        .meter = meter + 1,
        .time_ms = time_ms + meter * 1000,
        .who = "who",
        .why = "read off"};
    enum status status = decided_add(db, &d, err);
    if (status != ST_OK)
        return status;
    char *object = mem_printf("meter m%" PRId64 ", decision %" PRId64, meter, d.ruling.id);
    struct change change = {
        .who = d.who, .action = "decide reading", .object = object, .after = "96 quarter hours"};
    status = changes_add(db, &change, d.time_ms, err);
    free(object);
    return status;
}

static enum status fill_decisions(
    const struct bench *b, struct db *db, const struct zone *zone, struct error *err)
{
    enum status status = ST_OK;
    for (int64_t month = -36; month < 24; month++)
        for (int64_t m = 3; m < b->meters && status == ST_OK; m += 5)
            status = decide(db, m, month_of(zone, month).begin_ms, err);
    return status;
}

static enum status fill_temperatures(struct db *db, struct error *err)
{
    enum status status = db_exec(db, "INSERT INTO temperature_point VALUES(1, 'g/roof', 1)", err);
    for (int64_t i = 0; i < 2 * BENCH_YEAR_QUARTERS && status == ST_OK; i++) {
        int64_t day = i / 96 % 365, from_summer = day < 182 ? 182 - day : day - 182;
        status = temperature_put(db, 1, BEGIN_MS + i * QUARTER_MS, (int32_t)(30000 - from_summer * 160), err);
    }
    return status;
}

/* What is booked of a meter's month with a closing: as it was, or with what was put right. */
static enum status book(struct db *db, int64_t meter, int64_t month, const uint32_t *codes, int64_t closing,
    struct periods_span span, struct error *err)
{
    struct db_stmt *add = db_keep(db, "INSERT INTO closing_meter VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9,"
                                      " ?10, ?11, ?12, ?13)");
    struct closing_quarters q;
    enum status status = booked_then(db, meter + 1, span, codes, &q, err);
    if (status != ST_OK)
        return status;
    struct amount amount = closing_amount(&q);
    const int64_t values[] = {meter + 1, FIRST_MONTH + month, closing, amount.sum.count, amount.sum.known,
        amount.sum.unknown_s, amount.sum.estimated, amount.sum.estimated_s, amount.sum.manual,
        amount.sum.manual_s, amount.waiting_s, amount.absent_s};
    struct buf packed = {0};
    closing_pack(codes, q.series.count, &packed);
    for (int i = 0; i < 12; i++)
        db_bind_int(add, i + 1, values[i]);
    db_bind_blob(add, 13, (struct span){packed.data, packed.len});
    status = db_run(add, err);
    buf_release(&packed);
    closing_quarters_release(&q);
    return status;
}

/* Closing `month`, or what the next one books of it. */
static enum status book_month(const struct bench *b, struct db *db, const struct zone *zone, int64_t month,
    int64_t closing, struct error *err)
{
    struct periods_span span = month_of(zone, month);
    size_t count = (size_t)((span.end_ms - span.begin_ms) / QUARTER_MS);
    uint32_t *codes = mem_alloc(count * sizeof *codes);
    bool is_again = closing != month + 1;
    enum status status = ST_OK;
    for (size_t i = 0; i < count; i++)
        codes[i] = CLOSING_FIRST;
    codes[2] = is_again ? CLOSING_FIRST + 1 : CLOSING_FIRST;
    for (int64_t m = is_again ? 1 : 0; m < b->meters && status == ST_OK; m += is_again ? 10 : 1)
        status = book(db, m, month, codes, closing, span, err);
    free(codes);
    return status;
}

static enum status fill_closings(
    const struct bench *b, struct db *db, const struct zone *zone, struct error *err)
{
    enum status status = ST_OK;
    for (int64_t month = 0; month < CLOSED && status == ST_OK; month++) {
        struct periods_span span = month_of(zone, month);
        struct db_stmt *add =
            db_keep(db, "INSERT INTO closing VALUES(?1, 's', ?2, ?3, ?4, ?4, NULL, 'who', 'month', 0, 1)");
        db_bind_int(add, 1, month + 1);
        db_bind_int(add, 2, FIRST_MONTH + month);
        db_bind_int(add, 3, span.begin_ms);
        db_bind_int(add, 4, span.end_ms);
        status = db_run(add, err);
        if (status == ST_OK && month > 0)
            status = book_month(b, db, zone, month - 1, month + 1, err);
        if (status == ST_OK)
            status = book_month(b, db, zone, month, month + 1, err);
    }
    return status;
}

static enum status fill(const struct bench *b, struct db *db, struct error *err)
{
    struct zone *zone = zone_create("Asia/Shanghai");
    enum status status = ST_OK;
    for (int64_t m = 0; m < b->meters && status == ST_OK; m++)
        status = fill_meter(b, db, zone, m, err);
    if (status == ST_OK)
        status = fill_decisions(b, db, zone, err);
    if (status == ST_OK)
        status = fill_closings(b, db, zone, err);
    if (status == ST_OK)
        status = fill_temperatures(db, err);
    zone_destroy(zone);
    return status == ST_OK ? db_exec(db,
                                 "INSERT INTO gateway VALUES(1, 'g', 1, 0, 0, 0);"
                                 "INSERT INTO journal(gateway, epoch, seq, received_ms, lines, payload)"
                                 " VALUES(1, 1, 1, 2000000000000, 0, x'');"
                                 "UPDATE cursor SET position = 1 WHERE name = 'ledger'",
                                 err)
                           : status;
}

enum status bench_fill(const struct bench *b, struct error *err)
{
    struct db *db;
    enum status status = db_open_own(b->database, COLLECTOR_APPLICATION_ID, &collector_schema, &db, err);
    if (status != ST_OK)
        return status;
    status = db_begin(db, err);
    if (status == ST_OK)
        status = fill(b, db, err);
    if (status == ST_OK)
        status = db_commit(db, err);
    db_close(db);
    return status;
}
