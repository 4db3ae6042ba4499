#include "collector/verify/verify.h"

#include "collector/backup/database_file.h"
#include "collector/store/hours.h"
#include "collector/store/period.h"
#include "collector/verify/verify_private.h"
#include "lib/calendar.h"
#include "lib/clock.h"
#include "lib/mem.h"
#include "lib/program.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define EXIT_DIFFERS 1

void verify_differs(struct verify *v, const char *format, ...)
{
    va_list args;
    progress_end(&v->progress);
    fputs("park-collector: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    v->has_difference = true;
}

void verify_note_month(struct verify *v, int64_t month)
{
    MEM_GROW(v->months, v->month_count, v->month_capacity);
    v->months[v->month_count++] = month;
}

enum status verify_go_on(struct verify *v, struct error *err)
{
    progress_show(&v->progress, "verified %lld of %lld seals, %lld readings", (long long)v->verified,
        (long long)v->seals, (long long)v->looked_at);
    return program_is_asked_to_end() ? error_set(err, ST_TIMEOUT, "stopped") : ST_OK;
}

/* A database of our format has these tables. Where one was taken away nothing is verified. */
static enum status check_tables(struct verify *v, const char *path, struct error *err)
{
    struct db_stmt *s = db_keep(v->db, "SELECT count(*) FROM sqlite_schema WHERE type = 'table'"
                                       " AND name IN ('archive', 'archive_content', 'seal')");
    bool has_row;
    enum status status = db_step(s, &has_row, err);
    if (status == ST_OK && db_int(s, 0) != 3)
        status = error_set(
            err, ST_INVALID, "%s lacks the archive that its format has: tables of it were taken away", path);
    db_reset(s);
    return status;
}

static enum status count_seals(struct verify *v, struct error *err)
{
    struct db_stmt *s = db_keep(v->db, "SELECT count(*) FROM seal");
    bool has_row;
    enum status status = db_step(s, &has_row, err);
    if (status == ST_OK)
        v->seals = db_int(s, 0);
    db_reset(s);
    return status;
}

static void conclude_archive(const struct verify *v)
{
    char last[HASH_TEXT_SIZE];
    hash_format(&v->last, last);
    printf("%lld seals recompute, %lld readings", (long long)v->verified, (long long)v->readings);
    if (v->without_evidence > 0)
        printf("; no evidence of %lld", (long long)v->without_evidence);
    if (v->seals > 0)
        printf("; the last of the chain is %s", last);
    else if (v->month_count == 0)
        printf("; the archive is empty");
    puts("");
}

static enum status verify_archive(struct verify *v, bool has_period, struct error *err)
{
    enum status status = count_seals(v, err);
    if (status == ST_OK)
        status = verify_chain(v, err);
    if (status == ST_OK && !v->has_difference)
        status = verify_open(v, err);
    progress_end(&v->progress);
    if (status == ST_OK && !v->has_difference) {
        verify_tell_gaps(v, has_period);
        conclude_archive(v);
    }
    return status;
}

static enum status verify_all(struct verify *v, bool has_period, struct error *err)
{
    progress_begin(&v->progress);
    enum status status = verify_archive(v, has_period, err);
    if (status == ST_OK)
        status = verify_ledger(v, err);
    progress_end(&v->progress);
    return status;
}

static int conclude(const struct verify *v, bool has_period)
{
    if (v->has_difference)
        return EXIT_DIFFERS;
    bool has_evidence = (int64_t)v->month_count > v->without_evidence || v->quarters > 0;
    return has_period && !has_evidence ? EXIT_UNAVAILABLE : EXIT_OK;
}

int verify_run(const struct collector_settings *settings, const char *period)
{
    struct verify v = {.to = INT64_MAX,
        .from_ms = INT64_MIN,
        .until_ms = INT64_MAX,
        .audit_years = settings->database.audit_years,
        .now_ms = clock_system.wall_ms()};
    struct error err;
    if (period != NULL && !period_parse(period, &v.from, &v.to)) {
        fprintf(stderr, "park-collector: --period %s is no period; %s\n", period, PERIOD_EXPECTED);
        return EXIT_USAGE;
    }
    if (period != NULL) {
        v.from_ms = v.from * HOUR_MS;
        v.until_ms = v.to * HOUR_MS;
        v.from = calendar_month(v.from_ms);
        v.to = calendar_month(v.until_ms - 1) + 1;
    }
    enum status status = database_open_copy(settings->database.path, &v.db, &err);
    if (status == ST_OK)
        status = check_tables(&v, settings->database.path, &err);
    if (status == ST_OK)
        status = verify_all(&v, period != NULL, &err);
    int code = status == ST_OK ? conclude(&v, period != NULL) : program_exit_code(status);
    if (status != ST_OK)
        fprintf(stderr, "park-collector: %s\n", err.text);
    db_close(v.db);
    buf_release(&v.text);
    buf_release(&v.chunk);
    free(v.months);
    return code;
}
