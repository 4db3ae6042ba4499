/*
 * What keeping the books of a park takes of processor time: the journal of ten gateways, each with 250 registers that
 * are meters and as many gauges, every 10 s, two of each in a batch, taken by the bookkeeper BATCHES of each gateway at
 * a time, in a collector's database in the folder. `bench_keeper FOLDER READINGS BATCHES` prints one JSON object; the
 * readings are all lines, and journalling them is not counted. Every amount that is written is held against what the
 * meters used: another is exit 1.
 */
#include "collector/bookkeeper.h"
#include "collector/schema.h"
#include "lib/batch.h"
#include "lib/buf.h"
#include "lib/mem.h"
#include "lib/number.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define GATEWAYS 10
#define METERS 250 /* of a gateway */
#define STEPS 2    /* in a batch */
#define LINES (STEPS * METERS * 2)
#define BEGIN_MS INT64_C(1767225600000)
#define EVERY_MS INT64_C(10000)
#define USED INT64_C(117) /* in this time */
#define QUARTER_MS INT64_C(900000)
#define CACHE_KIB 8192

struct bench {
    struct db *db;
    struct park *park;
    struct bookkeeper keeper;
    int64_t batches;
    double seconds;
};

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int64_t rested_ms; /* what the bookkeeper need not wait */

static int64_t mono_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000 + rested_ms;
}

static int64_t wall_ms(void)
{
    return BEGIN_MS;
}

static bool is_synchronised(void)
{
    return true;
}

static const struct clock bench_clock = {
    .wall_ms = wall_ms, .mono_ms = mono_ms, .is_synchronised = is_synchronised};

static struct park *make_park(void)
{
    struct buf text = {0};
    buf_add_str(&text, "sites = ({ id = \"s\"; name = \"s\"; name_en = \"s\"; zone = \"Asia/Shanghai\"; });\n"
                       "buildings = ({ id = \"b\"; name = \"b\"; name_en = \"b\"; site = \"s\"; });\n"
                       "gateways = (");
    for (int g = 0; g < GATEWAYS; g++)
        buf_printf(
            &text, "%s{ id = \"gw-%d\"; name = \"g\"; name_en = \"g\"; site = \"s\"; }", g > 0 ? "," : "", g);
    buf_add_str(&text, ");\nmeters = (");
    for (int m = 0; m < GATEWAYS * METERS; m++)
        buf_printf(&text,
            "%s{ id = \"m%d\"; name = \"m\"; name_en = \"m\"; building = \"b\"; carrier = \"electricity\";"
            " segments = ({ serial = \"1\"; from = \"2020-01-01T00:00:00Z\"; point = \"gw-%d/f.m%d\";"
            " max_rate = 100000000; }); }",
            m > 0 ? ",\n" : "", m, m / METERS, m % METERS);
    buf_add_str(&text, ");\n");
    struct park *park = park_load_text("bench", (struct span){text.data, text.len});
    buf_release(&text);
    conf_print_problems(park->conf, stderr);
    return park;
}

static void write_lines(struct buf *out, int64_t step)
{
    for (int64_t m = 0; m < METERS; m++) {
        int64_t time_ms = BEGIN_MS + step * EVERY_MS + m;
        buf_printf(out, "register,point=f.m%" PRId64 " value=%" PRId64 "i %" PRId64 "\n", m,
            100000000 + m * 1000003 + step * USED, time_ms);
        buf_printf(out, "gauge,point=f.m%" PRId64 ".power value=%" PRId64 ".5 %" PRId64 "\n", m,
            (m * 7919 + step * 104729) % 100000, time_ms + 1);
    }
}

static enum status journal_batch(struct bench *b, int64_t gateway, int64_t number, struct error *err)
{
    struct buf payload = {0};
    batch_write_header(&payload, &(struct batch_header){.epoch = 7, .seq = number + 1, .first = 1});
    for (int64_t i = 0; i < STEPS; i++)
        write_lines(&payload, number * STEPS + i);
    struct db_stmt *add =
        db_keep(b->db, "INSERT INTO journal(gateway, epoch, seq, received_ms, lines, payload)"
                       " VALUES(?1, 7, ?2, ?3, ?4, ?5)");
    db_bind_int(add, 1, gateway + 1);
    db_bind_int(add, 2, number + 1);
    db_bind_int(add, 3, BEGIN_MS + (number + 1) * STEPS * EVERY_MS);
    db_bind_int(add, 4, LINES);
    db_bind_blob(add, 5, (struct span){payload.data, payload.len});
    enum status status = db_run(add, err);
    buf_release(&payload);
    return status;
}

static enum status journal_group(struct bench *b, int64_t at, struct error *err)
{
    enum status status = db_begin(b->db, err);
    for (int64_t number = at; number < at + b->batches && status == ST_OK; number++)
        for (int64_t gateway = 0; gateway < GATEWAYS && status == ST_OK; gateway++)
            status = journal_batch(b, gateway, number, err);
    return status == ST_OK ? db_commit(b->db, err) : status;
}

/* Until it rests. */
static enum status keep(struct bench *b, struct error *err)
{
    double began_s = now_s();
    enum status status;
    rested_ms += BOOKKEEPER_REST_MS;
    do {
        bool is_changed = false;
        status = db_begin(b->db, err);
        if (status == ST_OK)
            status = bookkeeper_step(&b->keeper, &bench_clock, &is_changed, err);
        if (status == ST_OK)
            status = db_commit(b->db, err);
        if (status == ST_OK)
            bookkeeper_committed(&b->keeper);
    } while (status == ST_OK && b->keeper.has_more);
    b->seconds += now_s() - began_s;
    return status;
}

/* Each amount but that of the first quarter hour, which most of the meters began after. */
static enum status is_right(struct bench *b, int64_t each, bool *ret, struct error *err)
{
    struct db_stmt *s =
        db_prepare(b->db, "SELECT count(*), count(*) FILTER (WHERE version = 1 AND (amount = ?1"
                          "  OR (start_ms = ?2 AND amount IS NULL))) FROM ledger_quarter");
    bool has_row;
    db_bind_int(s, 1, USED * (QUARTER_MS / EVERY_MS));
    db_bind_int(s, 2, BEGIN_MS);
    enum status status = db_step(s, &has_row, err);
    int64_t quarters = GATEWAYS * METERS * ((each - 1) * EVERY_MS / QUARTER_MS);
    *ret = status == ST_OK && db_int(s, 0) == quarters && db_int(s, 1) == quarters;
    db_finish(s);
    return status;
}

static enum status run(struct bench *b, const char *path, int64_t readings, bool *ret, struct error *err)
{
    int64_t groups = readings / (GATEWAYS * LINES * b->batches);
    enum status status = db_open(path, &collector_schema, &b->db, err);
    for (int g = 0; g < GATEWAYS && status == ST_OK; g++) {
        struct db_stmt *add =
            db_keep(b->db, "INSERT INTO gateway(name, first_heard_ms) VALUES('gw-' || ?1, 0)");
        db_bind_int(add, 1, g);
        status = db_run(add, err);
    }
    if (status != ST_OK)
        return status;
    db_cache_kib(b->db, CACHE_KIB);
    b->park = make_park();
    bookkeeper_init(&b->keeper, b->db, b->park);
    status = bookkeeper_reset(&b->keeper, err);
    for (int64_t i = 0; i < groups && status == ST_OK; i++) {
        status = journal_group(b, i * b->batches, err);
        if (status == ST_OK)
            status = keep(b, err);
    }
    if (status == ST_OK)
        status = is_right(b, groups * b->batches * STEPS, ret, err);
    printf("{\"readings\": %" PRId64 ", \"batches\": %" PRId64 ", \"seconds\": %.6f}\n",
        groups * GATEWAYS * LINES * b->batches, b->batches, b->seconds);
    return status;
}

int main(int argc, char **argv)
{
    int64_t readings, batches;
    if (argc != 4 || !number_parse_int64(argv[2], strlen(argv[2]), &readings) ||
        !number_parse_int64(argv[3], strlen(argv[3]), &batches) || batches < 1 ||
        readings < GATEWAYS * LINES * batches) {
        fprintf(stderr, "usage: bench_keeper FOLDER READINGS BATCHES (of each gateway at a time)\n");
        return 64;
    }
    struct bench b = {.batches = batches};
    char *path = mem_printf("%s/keeper.db", argv[1]);
    struct error err;
    bool is_good = false;
    if (run(&b, path, readings, &is_good, &err) != ST_OK)
        fprintf(stderr, "bench_keeper: %s\n", err.text);
    else if (!is_good)
        fprintf(stderr, "bench_keeper: the quarter hours are not what the meters used\n");
    bookkeeper_release(&b.keeper);
    park_destroy(b.park);
    db_close(b.db);
    free(path);
    return is_good ? 0 : 1;
}
