/*
 * How long the energy report of many meters takes, from a database in the folder to its formats. `bench_report FOLDER
 * METERS FACTORS` prints one JSON object. The site's total is held against what was written: another is exit 1.
 */
#include "collector/report/tables.h"
#include "collector/report/write.h"
#include "collector/schema.h"
#include "lib/mem.h"
#include "report_fill.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double now_s(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
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
    for (int64_t m = 0; m < b->meters; m += BENCH_TREE)
        for (int64_t i = BENCH_YEAR_QUARTERS; i < 2 * BENCH_YEAR_QUARTERS; i++)
            expected += bench_used(b, m, i);
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
    if (argc != 4) {
        fprintf(stderr, "usage: bench_report FOLDER METERS FACTORS\n");
        return 64;
    }
    struct bench b = {.folder = argv[1], .meters = strtoll(argv[2], NULL, 10)};
    b.database = mem_printf("%s/report.db", b.folder);
    b.park = mem_printf("%s/park.cfg", b.folder);
    b.tariffs = mem_printf("%s/tariffs.cfg", b.folder);
    struct figures f = {0};
    struct error err;
    bench_write_park(&b);
    enum status status = bench_fill(&b, &err);
    if (status == ST_OK)
        status = measure(&b, argv[3], &f, &err);
    if (status != ST_OK)
        fprintf(stderr, "bench_report: %s\n", err.text);
    else if (!f.is_right)
        fprintf(stderr, "bench_report: the site's total is not what was written\n");
    else
        printf("{\"quarters\": %" PRId64 ", \"build\": %.6f, \"build_cpu\": %.6f, \"html\": %.6f, "
               "\"html_cpu\": %.6f, \"json\": %.6f, \"xlsx\": "
               "%.6f, \"html_bytes\": %zu}\n",
            b.meters * BENCH_YEAR_QUARTERS, f.build_s, f.build_cpu_s, f.html_s, f.html_cpu_s, f.json_s,
            f.xlsx_s, f.html_bytes);
    free(b.database);
    free(b.park);
    free(b.tariffs);
    return status == ST_OK && f.is_right ? 0 : 1;
}
