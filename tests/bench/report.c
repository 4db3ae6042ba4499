/*
 * How long the energy report of many meters takes, from a database in the folder with DAYS of quarter hours of METERS
 * meters in trees of fifty, with a tariff and factors, to its formats. `bench_report FOLDER METERS DAYS FACTORS` prints
 * one JSON object. The site's total is held against what was written: another is exit 1.
 */
#include "collector/ledger/latest.h"
#include "collector/report/tables.h"
#include "collector/report/write.h"
#include "collector/schema.h"
#include "lib/mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BEGIN_MS INT64_C(1767196800000) /* 2026-01-01 00:00 in Shanghai */
#define DAY_MS INT64_C(86400000)
#define TREE 50

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

struct bench {
    const char *folder;
    int64_t meters, days;
    char *database, *park, *tariffs;
};

static double now_s(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* What the i-th quarter hour of a meter used; the first of each tree has all of it, and some more. */
static int64_t used(const struct bench *b, int64_t meter, int64_t i)
{
    int64_t own = 2000 + (meter * 7919 + i * 104729) % 9000;
    for (int64_t k = meter + 1; meter % TREE == 0 && k < meter + TREE && k < b->meters; k++)
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

static void write_park(const struct bench *b)
{
    struct buf text = {0};
    buf_add_str(&text,
        "sites = ( { id = \"s\"; name = \"s\"; name_en = \"s\"; zone = \"Asia/Shanghai\"; region = "
        "\"zhejiang\"; headcount = 420; } );\nbuildings = (");
    for (int64_t i = 0; i * TREE < b->meters; i++)
        buf_printf(&text, "%s{ id = \"b%lld\"; name = \"b\"; name_en = \"b\"; site = \"s\"; area = 1000; }",
            i > 0 ? ",\n" : "", (long long)i);
    buf_add_str(&text, ");\ntenants = ( { id = \"t0\"; name = \"t\"; name_en = \"t\"; }, { id = \"t1\"; name "
                       "= \"t\"; name_en = "
                       "\"t\"; } );\ngateways = ( { id = \"g\"; name = \"g\"; name_en = \"g\"; site = \"s\"; "
                       "} );\nmeters = (");
    for (int64_t i = 0; i < b->meters; i++) {
        char *parent = i % TREE == 0 ? mem_strdup("")
                                     : mem_printf("parent = \"m%lld\"; tenant = \"t%lld\";",
                                           (long long)(i / TREE * TREE), (long long)(i % 2));
        buf_printf(&text,
            "%s{ id = \"m%lld\"; name = \"m\"; name_en = \"m\"; building = \"b%lld\"; carrier = "
            "\"electricity\"; item = "
            "\"%s\"; %s segments = ( { serial = \"%lld\"; from = \"2024-01-01T00:00:00+08:00\"; point = "
            "\"g/m%lld\"; "
            "max_rate = 1000000000; } ); }",
            i > 0 ? ",\n" : "", (long long)i, (long long)(i / TREE), i % TREE == 0 ? "01000" : "01A00",
            parent, (long long)i, (long long)i);
        free(parent);
    }
    buf_add_str(&text, ");\n");
    write_text(b->park, text.data);
    buf_release(&text);
    write_text(b->tariffs, tariffs);
}

static enum status fill(const struct bench *b, struct error *err)
{
    struct db *db;
    enum status status = db_open_own(b->database, COLLECTOR_APPLICATION_ID, &collector_schema, &db, err);
    if (status != ST_OK)
        return status;
    status = db_begin(db, err);
    struct db_stmt *name = db_prepare(db, "INSERT INTO ledger_meter VALUES(?1, 'm' || ?2)");
    struct db_stmt *put = db_prepare(db, "INSERT INTO ledger_quarter VALUES(?1, ?2, 1, ?3, 0, ?2, 1)");
    for (int64_t m = 0; m < b->meters && status == ST_OK; m++) {
        db_bind_int(name, 1, m + 1);
        db_bind_int(name, 2, m);
        status = db_run(name, err);
        for (int64_t i = 0; i < b->days * 96 && status == ST_OK; i++) {
            db_bind_int(put, 1, m + 1);
            db_bind_int(put, 2, BEGIN_MS + i * PERIODS_QUARTER_HOUR_MS);
            db_bind_int(put, 3, used(b, m, i));
            status = db_run(put, err);
        }
        if (status == ST_OK)
            status = latest_pack(db, m + 1, BEGIN_MS, BEGIN_MS + b->days * DAY_MS, err);
    }
    if (status == ST_OK)
        status = db_exec(db,
            "INSERT INTO gateway VALUES(1, 'g', 1, 0, 0, 0);"
            "INSERT INTO journal(gateway, epoch, seq, received_ms, lines, payload)"
            " VALUES(1, 1, 1, 2000000000000, 0, x'');"
            "UPDATE cursor SET position = 1 WHERE name = 'ledger'",
            err);
    if (status == ST_OK)
        status = db_commit(db, err);
    db_close(db);
    return status;
}

struct figures {
    double build_s, build_cpu_s, html_s, html_cpu_s, xlsx_s, json_s;
    size_t html_bytes;
    bool is_right;
};

static double since(double *mark)
{
    double now = now_s(CLOCK_MONOTONIC), took = now - *mark;
    *mark = now;
    return took;
}

static enum status measure_formats(
    const struct bench *b, const struct report *report, struct figures *ret, struct error *err)
{
    struct tables tables;
    struct buf out = {0};
    double mark = now_s(CLOCK_MONOTONIC), cpu = now_s(CLOCK_PROCESS_CPUTIME_ID);
    tables_of(report, &(struct tables_origin){.command = "bench"}, PAGE_ZH, &tables);
    write_html(&tables, &(struct write_page){.css = SPAN("p {}")}, &out);
    ret->html_s = since(&mark);
    ret->html_cpu_s = now_s(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    ret->html_bytes = out.len;
    buf_reset(&out);
    write_json(&tables, &out);
    ret->json_s = since(&mark);
    char *path = mem_printf("%s/report.xlsx", b->folder);
    enum status status = write_xlsx(&tables, path, err);
    ret->xlsx_s = since(&mark);
    free(path);
    buf_release(&out);
    tables_release(&tables);
    return status;
}

static bool is_right(const struct bench *b, const struct report *report)
{
    int64_t expected = 0, found;
    for (int64_t m = 0; m < b->meters; m += TREE)
        for (int64_t i = 0; i < b->days * 96; i++)
            expected += used(b, m, i);
    return amount_is_known(&report->carriers[0].figures[0].amount, &found) && found == expected;
}

static enum status measure(const struct bench *b, const char *factors, struct figures *ret, struct error *err)
{
    struct park *park = park_load(b->park);
    struct rates rates;
    rates_init(&rates, factors, b->tariffs, park);
    conf_print_problems(park->conf, stderr);
    rates_print_problems(&rates, stderr);
    struct db *db;
    struct report report;
    enum status status = collector_open_reader(b->database, &db, err);
    if (status != ST_OK)
        return status;
    double mark = now_s(CLOCK_MONOTONIC), cpu = now_s(CLOCK_PROCESS_CPUTIME_ID);
    struct report_options options = {.db = db,
        .park = park,
        .rates = &rates,
        .site = park->sites.items,
        .period = {PERIODS_YEAR, 2026 - 1970},
        .now_ms = INT64_MAX};
    status = report_build(&options, &report, err);
    ret->build_s = since(&mark);
    ret->build_cpu_s = now_s(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    if (status == ST_OK) {
        ret->is_right = is_right(b, &report);
        status = measure_formats(b, &report, ret, err);
        report_release(&report);
    }
    db_close(db);
    rates_release(&rates);
    park_destroy(park);
    return status;
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        fprintf(stderr, "usage: bench_report FOLDER METERS DAYS FACTORS\n");
        return 64;
    }
    struct bench b = {
        .folder = argv[1], .meters = strtoll(argv[2], NULL, 10), .days = strtoll(argv[3], NULL, 10)};
    b.database = mem_printf("%s/report.db", b.folder);
    b.park = mem_printf("%s/park.cfg", b.folder);
    b.tariffs = mem_printf("%s/tariffs.cfg", b.folder);
    struct figures f = {0};
    struct error err;
    write_park(&b);
    enum status status = fill(&b, &err);
    if (status == ST_OK)
        status = measure(&b, argv[4], &f, &err);
    if (status != ST_OK)
        fprintf(stderr, "bench_report: %s\n", err.text);
    else if (!f.is_right)
        fprintf(stderr, "bench_report: the site's total is not what was written\n");
    else
        printf("{\"quarters\": %" PRId64 ", \"build\": %.6f, \"build_cpu\": %.6f, \"html\": %.6f, "
               "\"html_cpu\": %.6f, \"json\": %.6f, \"xlsx\": "
               "%.6f, \"html_bytes\": %zu}\n",
            b.meters * b.days * 96, f.build_s, f.build_cpu_s, f.html_s, f.html_cpu_s, f.json_s, f.xlsx_s,
            f.html_bytes);
    free(b.database);
    free(b.park);
    free(b.tariffs);
    return status == ST_OK && f.is_right ? 0 : 1;
}
