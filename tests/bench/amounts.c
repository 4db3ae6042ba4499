/*
 * How long the amounts of many meters take, by month and in total, from a database in the folder with DAYS of quarter
 * hours of METERS meters: by days that are packed, and from the rows alone. `bench_amounts FOLDER METERS DAYS` prints
 * one JSON object. The sum is held against what was written: another is exit 1.
 */
#include "collector/energy/amounts.h"
#include "collector/ledger/books.h"
#include "collector/ledger/latest.h"
#include "lib/mem.h"
#include "lib/number.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BEGIN_MS INT64_C(1767196800000) /* 2026-01-01 00:00 in Shanghai */
#define DAY_MS INT64_C(86400000)
#define GROUPS 4

struct bench {
    struct db *db;
    int64_t meters, days;
};

static double now_s(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* What the i-th quarter hour of a meter used. */
static int64_t used(int64_t meter, int64_t i)
{
    return 2000 + (meter * 7919 + i * 104729) % 9000;
}

static enum status fill(struct bench *b, struct error *err)
{
    enum status status = db_begin(b->db, err);
    int64_t end_ms = BEGIN_MS + b->days * DAY_MS;
    struct db_stmt *put = db_prepare(b->db, "INSERT INTO ledger_quarter VALUES(?1, ?2, 1, ?3, 0, ?2, 1)");
    for (int64_t m = 1; m <= b->meters && status == ST_OK; m++) {
        for (int64_t i = 0; i < b->days * 96 && status == ST_OK; i++) {
            db_bind_int(put, 1, m);
            db_bind_int(put, 2, BEGIN_MS + i * PERIODS_QUARTER_HOUR_MS);
            db_bind_int(put, 3, used(m, i));
            status = db_run(put, err);
        }
        if (status == ST_OK)
            status = latest_pack(b->db, m, BEGIN_MS, end_ms, err);
    }
    db_finish(put);
    return status == ST_OK ? db_commit(b->db, err) : status;
}

/* By month and in total, of each meter and of groups of them. */
static enum status report(struct bench *b, const struct zone *zone, int64_t *ret_sum, struct error *err)
{
    struct periods_span span = {BEGIN_MS, BEGIN_MS + b->days * DAY_MS};
    struct series_due due = {.until_ms = INT64_MAX, .now_ms = INT64_MAX};
    struct steps months;
    steps_cut(&months, zone, span, STEPS_MONTH);
    struct amount *meter = mem_zalloc(months.count * sizeof *meter), total = {0};
    struct amount *groups = mem_zalloc(GROUPS * months.count * sizeof *groups);
    enum status status = db_exec(b->db, "BEGIN", err);
    for (int64_t m = 1; m <= b->meters && status == ST_OK; m++) {
        struct series series;
        series_init(&series, span, &due);
        status = series_read(b->db, m, &series, err);
        amounts_of(&series, &months, meter);
        for (size_t k = 0; k < months.count; k++) {
            amount_add(&groups[(size_t)(m % GROUPS) * months.count + k], &meter[k]);
            amount_add(&total, &meter[k]);
        }
        series_release(&series);
    }
    if (status == ST_OK)
        status = db_exec(b->db, "COMMIT", err);
    if (status == ST_OK && !amount_is_known(&total, ret_sum))
        *ret_sum = -1;
    steps_release(&months);
    free(meter);
    free(groups);
    return status;
}

struct figures {
    double seconds, cpu_s;
    int64_t sum, bytes;
};

static enum status measure(struct bench *b, const char *path, struct figures *ret, struct error *err)
{
    struct zone *zone = zone_create("Asia/Shanghai");
    enum status status = db_open_reader(path, &b->db, err);
    ret->seconds = -now_s(CLOCK_MONOTONIC);
    ret->cpu_s = -now_s(CLOCK_PROCESS_CPUTIME_ID);
    if (status == ST_OK)
        status = report(b, zone, &ret->sum, err);
    ret->seconds += now_s(CLOCK_MONOTONIC);
    ret->cpu_s += now_s(CLOCK_PROCESS_CPUTIME_ID);
    if (status == ST_OK)
        ret->bytes = db_file_bytes(b->db);
    db_close(b->db);
    b->db = NULL;
    zone_destroy(zone);
    return status;
}

static enum status run(struct bench *b, const char *path, bool *ret, struct error *err)
{
    static const char *const scripts[] = {books_schema};
    static const struct db_schema schema = {scripts, 1};
    struct figures packed = {0}, rows = {0};
    enum status status = db_open(path, &schema, &b->db, err);
    if (status != ST_OK)
        return status;
    status = fill(b, err);
    db_close(b->db);
    if (status == ST_OK)
        status = measure(b, path, &packed, err);
    if (status == ST_OK)
        status = db_open(path, &schema, &b->db, err);
    if (status != ST_OK)
        return status;
    status = db_exec(b->db, "DELETE FROM ledger_day; VACUUM", err);
    db_close(b->db);
    if (status == ST_OK)
        status = measure(b, path, &rows, err);
    int64_t expected = 0;
    for (int64_t m = 1; m <= b->meters; m++)
        for (int64_t i = 0; i < b->days * 96; i++)
            expected += used(m, i);
    *ret = status == ST_OK && packed.sum == expected && rows.sum == expected;
    printf("{\"quarters\": %" PRId64 ", \"seconds\": %.6f, \"cpu\": %.6f, \"bytes\": %" PRId64
           ", \"rows_seconds\": %.6f, \"rows_cpu\": %.6f, \"rows_bytes\": %" PRId64 "}\n",
        b->meters * b->days * 96, packed.seconds, packed.cpu_s, packed.bytes, rows.seconds, rows.cpu_s,
        rows.bytes);
    return status;
}

int main(int argc, char **argv)
{
    struct bench b = {0};
    if (argc != 4 || !number_parse_int64(argv[2], strlen(argv[2]), &b.meters) || b.meters < 1 ||
        !number_parse_int64(argv[3], strlen(argv[3]), &b.days) || b.days < 1 || b.days > 3660) {
        fprintf(stderr, "usage: bench_amounts FOLDER METERS DAYS\n");
        return 64;
    }
    char *path = mem_printf("%s/amounts.db", argv[1]);
    struct error err;
    bool is_good = false;
    if (run(&b, path, &is_good, &err) != ST_OK)
        fprintf(stderr, "bench_amounts: %s\n", err.text);
    else if (!is_good)
        fprintf(stderr, "bench_amounts: the sum is not what the meters used\n");
    free(path);
    return is_good ? 0 : 1;
}
