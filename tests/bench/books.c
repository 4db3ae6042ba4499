/*
 * What the ledger's books take of processor and disk on time: 1 000 meters, GROUP readings of each in a transaction, in
 * a database in the folder. They are read some milliseconds late, and not under the same load all the time.
 * `bench_books FOLDER READINGS EVERY_MS GROUP` prints one JSON object; `written`: all bytes that were given to the
 * system, the write-ahead log and what was taken over from it. Every amount that is written is held against what the
 * meters used: another is exit 1.
 */
#include "collector/ledger/books.h"
#include "lib/mem.h"
#include "lib/number.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define METERS 1000
#define GROUP_MAX 1000
#define BEGIN_MS INT64_C(1764547200000)
#define QUARTER_MS INT64_C(900000)
#define PER_HOUR INT64_C(36000) /* Wh */
#define STEP INT64_C(10)        /* Wh */
#define GATEWAY 40              /* meters, whose readings come in one batch */

static const struct segment segment = {
    .from_ms = BEGIN_MS, .until_ms = INT64_MAX, .resolution = 10, .max_rate = 100000, .p = 1, .q = 1};

struct bench {
    struct db *db;
    struct books *books;
    struct books_meter meters[METERS];
    int64_t every_ms, group;
};

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Bytes that were given to the system. */
static int64_t written(void)
{
    char line[64];
    long long bytes = -1;
    FILE *io = fopen("/proc/self/io", "r");
    while (io != NULL && bytes < 0 && fgets(line, sizeof line, io) != NULL)
        if (sscanf(line, "wchar: %lld", &bytes) != 1)
            bytes = -1;
    if (io != NULL)
        fclose(io);
    return bytes;
}

/* Up to `below`, always the same for the same reading. */
static int64_t scatter(int64_t meter, int64_t number, int64_t below)
{
    uint64_t x = ((uint64_t)meter << 40 | (uint64_t)number) * UINT64_C(0x9e3779b97f4a7c15);
    return (int64_t)((x ^ x >> 29) >> 20) % below;
}

/* Reading `number` of a meter: at quarter hours to the point, so that each amount is known, between them about. */
static struct books_reading reading_of(const struct bench *b, int64_t meter, int64_t number, int64_t batch)
{
    int64_t passed_ms = number * b->every_ms, used = passed_ms * PER_HOUR / 3600000;
    struct books_reading r = {.time_ms = BEGIN_MS + passed_ms, .count = used, .journal = batch};
    if (passed_ms % QUARTER_MS != 0) {
        r.time_ms += scatter(meter, number, 25);
        r.count += scatter(meter, number, b->every_ms * PER_HOUR / 3600000 / 2 + 1);
        r.count -= r.count % STEP;
    }
    return r;
}

/* The next readings of each meter, from its reading number `at` on. */
static enum status take_group(struct bench *b, int64_t at, struct error *err)
{
    enum status status = db_begin(b->db, err);
    books_begin(b->books);
    for (size_t m = 0; m < METERS && status == ST_OK; m++) {
        struct books_reading readings[GROUP_MAX];
        int64_t batch = 1 + at / b->group * (METERS / GATEWAY) + (int64_t)m / GATEWAY;
        for (int64_t i = 0; i < b->group; i++)
            readings[i] = reading_of(b, (int64_t)m, at + i, batch);
        status =
            books_fold(b->books, &b->meters[m], readings, (size_t)b->group, BEGIN_MS + at * b->every_ms, err);
    }
    if (status == ST_OK)
        status = db_commit(b->db, err);
    if (status == ST_OK)
        books_committed(b->books);
    return status;
}

static enum status is_right(struct bench *b, int64_t each, bool *ret, struct error *err)
{
    struct db_stmt *s =
        db_prepare(b->db, "SELECT count(*), count(*) FILTER (WHERE amount = ?1 AND version = 1)"
                          " FROM ledger_quarter");
    bool has_row;
    db_bind_int(s, 1, PER_HOUR / 4);
    enum status status = db_step(s, &has_row, err);
    int64_t quarters = METERS * ((each - 1) * b->every_ms / QUARTER_MS);
    *ret = status == ST_OK && db_int(s, 0) == quarters && db_int(s, 1) == quarters;
    db_finish(s);
    return status;
}

static enum status run(struct bench *b, const char *path, int64_t each, bool *ret, struct error *err)
{
    static const char *const scripts[] = {books_schema};
    static const struct db_schema schema = {scripts, 1};
    enum status status = db_open(path, &schema, &b->db, err);
    if (status != ST_OK)
        return status;
    db_cache_kib(b->db, 16384);
    b->books = books_create(b->db, METERS + 1);
    for (int64_t m = 0; m < METERS; m++)
        b->meters[m] = books_meter(m + 1, (struct segments){&segment, 1}, 20 * INT64_C(60000), NULL, 0);
    double began_s = now_s();
    for (int64_t at = 0; at < each && status == ST_OK; at += b->group)
        status = take_group(b, at, err);
    double seconds = now_s() - began_s;
    if (status == ST_OK)
        status = is_right(b, each, ret, err);
    printf("{\"readings\": %" PRId64 ", \"every_ms\": %" PRId64 ", \"group\": %" PRId64
           ", \"seconds\": %.6f, \"bytes\": %" PRId64 ", \"written\": %" PRId64 "}\n",
        each * METERS, b->every_ms, b->group, seconds, db_file_bytes(b->db), written());
    books_destroy(b->books);
    db_close(b->db);
    return status;
}

int main(int argc, char **argv)
{
    int64_t numbers[3]; /* READINGS EVERY_MS GROUP */
    bool is_usage = argc != 5;
    for (int i = 0; i < 3 && !is_usage; i++)
        is_usage = !number_parse_int64(argv[i + 2], strlen(argv[i + 2]), &numbers[i]) || numbers[i] < 1;
    if (is_usage || QUARTER_MS % numbers[1] != 0 || numbers[2] > GROUP_MAX ||
        numbers[0] < METERS * numbers[2]) {
        fprintf(stderr,
            "usage: bench_books FOLDER READINGS EVERY_MS GROUP (a whole part of a quarter hour; up to %d"
            " in a group; at least one group of each of %d meters)\n",
            GROUP_MAX, METERS);
        return 64;
    }
    struct bench *b = mem_zalloc(sizeof *b);
    b->every_ms = numbers[1];
    b->group = numbers[2];
    char *path = mem_printf("%s/books.db", argv[1]);
    struct error err;
    bool is_good = false;
    if (run(b, path, numbers[0] / METERS / b->group * b->group, &is_good, &err) != ST_OK)
        fprintf(stderr, "bench_books: %s\n", err.text);
    else if (!is_good)
        fprintf(stderr, "bench_books: the quarter hours are not what the meters used\n");
    free(path);
    free(b);
    return is_good ? 0 : 1;
}
