/*
 * park.cfg and evidence.db in the folder for the bench of evidence bundles: a park of METERS meters, each read every EVERY_MS
 * through DAYS days of 2026, with evidence and books. `bench_evidence FOLDER METERS DAYS EVERY_MS`.
 */
#include "collector/ledger/meters.h"
#include "collector/model/version.h"
#include "collector/schema.h"
#include "lib/mem.h"

#include <stdio.h>
#include <stdlib.h>

#define BEGIN_MS INT64_C(1767196800000) /* 2026-01-01 00:00 in Shanghai */
#define DAY_MS INT64_C(86400000)
#define GROUP 4096

static bool write_park(const char *path, int64_t meters)
{
    FILE *out = fopen(path, "w");
    if (out == NULL)
        return false;
    fputs("sites = ({ id = \"s\"; name = \"s\"; name_en = \"s\"; zone = \"Asia/Shanghai\"; });\n"
          "buildings = ({ id = \"b\"; site = \"s\"; name = \"b\"; name_en = \"b\"; });\n"
          "gateways = ({ id = \"g\"; site = \"s\"; name = \"g\"; name_en = \"g\"; });\nmeters = (",
        out);
    for (int64_t i = 0; i < meters; i++)
        fprintf(out,
            "%s{ id = \"m%lld\"; name = \"m\"; name_en = \"m\"; building = \"b\"; carrier = "
            "\"electricity\";\nsegments = ({ serial = \"1\"; from = \"2026-01-01T00:00:00+08:00\"; point = "
            "\"g/m%lld\"; max_rate = 1000000; }); }",
            i > 0 ? ",\n" : "", (long long)i, (long long)i);
    return fputs(");\n", out) >= 0 && fclose(out) == 0;
}

/* What a meter used in its n-th time between readings. */
static int64_t used(int64_t meter, int64_t n)
{
    return 100 + (meter * 7919 + n * 104729) % 900;
}

static enum status fold_meter(
    struct db *db, struct books *books, const struct meters_item *item, int64_t *numbers, struct error *err)
{
    int64_t count = numbers[1] * DAY_MS / numbers[2] + 1, register_now = 0;
    struct books_reading *readings = mem_zalloc(GROUP * sizeof *readings);
    enum status status = ST_OK;
    for (int64_t n = 0; n < count && status == ST_OK;) {
        size_t k = 0;
        for (; k < GROUP && n < count; k++, n++) {
            readings[k] = (struct books_reading){.time_ms = BEGIN_MS + n * numbers[2],
                .count = register_now,
                .point = item->books.point_count > 0 ? item->books.points[0] : 0,
                .journal = n + 1};
            register_now += used(item->books.id, n);
        }
        status = db_begin(db, err);
        books_begin(books);
        if (status == ST_OK)
            status = books_fold(books, &item->books, readings, k, readings[k - 1].time_ms, err);
        if (status == ST_OK)
            status = db_commit(db, err);
        if (status == ST_OK)
            books_committed(books);
    }
    free(readings);
    return status;
}

static enum status prepare(struct db *db, const struct model *model, struct meters *meters, struct error *err)
{
    static const struct meters_aside none;
    bool is_changed;
    enum status status = db_begin(db, err);
    if (status == ST_OK)
        status = version_add(db, 1, BEGIN_MS, model, NULL, NULL, err);
    if (status == ST_OK)
        status = meters_load(meters, model->park, &none, db, &is_changed, err);
    if (status == ST_OK)
        status = db_exec(db,
            "INSERT INTO gateway VALUES(1, 'g', 1, 0, 0, 0);"
            "INSERT INTO journal(id, gateway, epoch, seq, received_ms, lines, payload)"
            " VALUES(100000000, 1, 1, 1, 1800000000000, 0, x'');"
            "UPDATE cursor SET position = 100000000 WHERE name = 'ledger'",
            err);
    return status == ST_OK ? db_commit(db, err) : status;
}

static enum status fill(const char *path, const struct model *model, int64_t *numbers, struct error *err)
{
    struct db *db;
    struct meters meters = {0};
    enum status status = db_open_own(path, COLLECTOR_APPLICATION_ID, &collector_schema, &db, err);
    if (status != ST_OK)
        return status;
    db_cache_kib(db, 16384);
    status = prepare(db, model, &meters, err);
    struct books *books = books_create(db, 1);
    for (size_t i = 0; i < meters.count && status == ST_OK; i++)
        status = fold_meter(db, books, &meters.items[i], numbers, err);
    books_destroy(books);
    meters_release(&meters);
    db_close(db);
    return status;
}

int main(int argc, char **argv)
{
    int64_t numbers[3] = {0}; /* METERS DAYS EVERY_MS */
    for (int i = 0; i < 3 && argc == 5; i++)
        numbers[i] = strtoll(argv[i + 2], NULL, 10);
    if (numbers[0] < 1 || numbers[1] < 1 || numbers[2] < 1000) {
        fprintf(stderr, "usage: bench_evidence FOLDER METERS DAYS EVERY_MS\n");
        return 64;
    }
    struct error err;
    char *park = mem_printf("%s/park.cfg", argv[1]), *path = mem_printf("%s/evidence.db", argv[1]);
    if (!write_park(park, numbers[0])) {
        perror(park);
        return 1;
    }
    const char *const paths[MODEL_FILES] = {park};
    struct model *model = model_load(paths);
    model_print_problems(model, stderr);
    meters_check(model->park);
    enum status status = fill(path, model, numbers, &err);
    if (status != ST_OK)
        fprintf(stderr, "bench_evidence: %s\n", err.text);
    free(path);
    free(park);
    model_put(model);
    return status == ST_OK ? 0 : 1;
}
