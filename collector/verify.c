#include "collector/verify.h"

#include "collector/evidence/archive.h"
#include "collector/evidence/seal.h"
#include "collector/schema.h"
#include "collector/store/hours.h"
#include "collector/store/period.h"
#include "lib/calendar.h"
#include "lib/clock.h"
#include "lib/mem.h"
#include "lib/program.h"
#include "lib/progress.h"

#include <stdio.h>
#include <stdlib.h>

#define EXIT_DIFFERS 1
#define AUDIT_MONTHS_MIN 12 /* whatever database.audit_years was when it deleted */

struct verify {
    struct db *db;
    int64_t audit_years, now_ms;
    int64_t from, to; /* months that are asked for, half-open */
    struct progress progress;
    struct buf text, chunk; /* reused */
    int64_t seals;          /* in the chain */
    int64_t verified, without_evidence, readings;
    int64_t looked_at; /* readings, for the progress */
    struct hash last;
    int64_t *months; /* of which something was told; of those between nothing is held */
    size_t month_count, month_capacity;
    bool has_difference;
};

/* A seal as it is recorded. */
struct record {
    struct seal seal;
    struct hash hash;
    bool is_deleted;
    int64_t deleted_ms;
};

static bool is_asked_for(const struct verify *v, int64_t month)
{
    return month >= v->from && month < v->to;
}

static void note_month(struct verify *v, int64_t month)
{
    MEM_GROW(v->months, v->month_count, v->month_capacity);
    v->months[v->month_count++] = month;
}

/* "2026-10", or "2026-10, supplement 2". */
static const char *name_of(const struct seal *seal, char name[static CALENDAR_MONTH_SIZE + 32])
{
    char month[CALENDAR_MONTH_SIZE];
    calendar_month_format(seal->month, month);
    if (seal->supplement == 0)
        snprintf(name, CALENDAR_MONTH_SIZE + 32, "%s", month);
    else
        snprintf(name, CALENDAR_MONTH_SIZE + 32, "%s, supplement %lld", month, (long long)seal->supplement);
    return name;
}

static enum status go_on(struct verify *v, struct error *err)
{
    progress_show(&v->progress, "verified %lld of %lld seals, %lld readings", (long long)v->verified,
        (long long)v->seals, (long long)v->looked_at);
    return program_is_asked_to_end() ? error_set(err, ST_TIMEOUT, "stopped") : ST_OK;
}

/* ---- one seal ---- */

/* Appends the line of a chunk as its contents make it. The statement stands on the chunk: id, hash,
 * readings. */
static enum status add_chunk(struct verify *v, struct db_stmt *s, bool *ret_is_sound, struct error *err)
{
    struct hash written, found;
    bool is_sound = false;
    buf_reset(&v->chunk);
    enum status status = go_on(v, err);
    if (status == ST_OK && hash_read(db_text(s, 1), &written))
        status = archive_read(v->db, db_int(s, 0), &written, &v->chunk, &is_sound, err);
    found = hash_of((struct span){v->chunk.data != NULL ? v->chunk.data : "", v->chunk.len});
    *ret_is_sound = *ret_is_sound && is_sound;
    v->looked_at += db_int(s, 2);
    seal_write_chunk(&v->text, v->chunk.len > 0 ? &found : NULL);
    return status;
}

static enum status recompute(
    struct verify *v, const struct record *r, struct hash *ret_found, bool *ret_is_sound, struct error *err)
{
    struct db_stmt *chunks =
        db_keep(v->db, "SELECT id, hash, readings FROM archive WHERE seal = ? ORDER BY id");
    bool has_row;
    enum status status;
    buf_reset(&v->text);
    seal_write_head(&v->text, &r->seal);
    *ret_is_sound = true;
    db_bind_int(chunks, 1, r->seal.number);
    while ((status = db_step(chunks, &has_row, err)) == ST_OK && has_row)
        if ((status = add_chunk(v, chunks, ret_is_sound, err)) != ST_OK)
            break;
    db_reset(chunks);
    *ret_found = hash_of((struct span){v->text.data, v->text.len});
    return status;
}

static void tell_difference(struct verify *v, const struct record *r, const struct hash *found, bool is_sound)
{
    char name[CALENDAR_MONTH_SIZE + 32], sealed[HASH_TEXT_SIZE], contents[HASH_TEXT_SIZE];
    hash_format(&r->hash, sealed);
    hash_format(found, contents);
    progress_end(&v->progress);
    fprintf(stderr, "park-collector: %s differs: sealed as %s, what is there gives %s%s\n",
        name_of(&r->seal, name), sealed, contents, is_sound ? "" : "; a chunk of it is damaged");
    v->has_difference = true;
}

static enum status verify_contents(struct verify *v, const struct record *r, struct error *err)
{
    struct hash found;
    bool is_sound;
    enum status status = recompute(v, r, &found, &is_sound, err);
    if (status != ST_OK)
        return status;
    if (!is_sound || !hash_is_equal(&found, &r->hash)) {
        tell_difference(v, r, &found, is_sound);
        return ST_OK;
    }
    char name[CALENDAR_MONTH_SIZE + 32], hash[HASH_TEXT_SIZE];
    hash_format(&r->hash, hash);
    progress_end(&v->progress);
    printf("%s: sealed, %lld readings, %s\n", name_of(&r->seal, name), (long long)r->seal.readings, hash);
    v->verified++;
    v->readings += r->seal.readings;
    return ST_OK;
}

static void tell_early(struct verify *v, const struct record *r)
{
    char name[CALENDAR_MONTH_SIZE + 32], deleted[CLOCK_TEXT_SIZE];
    clock_format_utc(r->deleted_ms, deleted);
    progress_end(&v->progress);
    fprintf(stderr,
        "park-collector: %s differs: it is marked as deleted by age at %s, which no collector does so "
        "early\n",
        name_of(&r->seal, name), deleted);
    v->has_difference = true;
}

/* What is left of it while it is being deleted is sound, and as long as all of it is, as it was sealed. */
static enum status verify_rest(struct verify *v, const struct record *r, struct error *err)
{
    struct hash found;
    bool is_sound;
    int64_t before = v->looked_at;
    enum status status = recompute(v, r, &found, &is_sound, err);
    bool is_whole = v->looked_at - before == r->seal.readings;
    if (status == ST_OK && (!is_sound || (is_whole && !hash_is_equal(&found, &r->hash))))
        tell_difference(v, r, &found, is_sound);
    return status;
}

/* That it was deleted is only believed where its age allows it. */
static enum status verify_deleted(struct verify *v, const struct record *r, struct error *err)
{
    char name[CALENDAR_MONTH_SIZE + 32], deleted[CLOCK_TEXT_SIZE];
    int64_t known_ms = r->deleted_ms < v->now_ms ? r->deleted_ms : v->now_ms, after = r->seal.month + 1;
    if (known_ms < calendar_month_begin_ms(after + AUDIT_MONTHS_MIN)) {
        tell_early(v, r);
        return ST_OK;
    }
    enum status status = verify_rest(v, r, err);
    if (status != ST_OK || v->has_difference)
        return status;
    progress_end(&v->progress);
    clock_format_utc(r->deleted_ms, deleted);
    if (known_ms < calendar_month_begin_ms(after + 12 * v->audit_years))
        printf("%s: no evidence: deleted at %s, before the %lld years of database.audit_years; its seal is "
               "kept\n",
            name_of(&r->seal, name), deleted, (long long)v->audit_years);
    else
        printf("%s: no evidence: deleted after database.audit_years, its seal is kept\n",
            name_of(&r->seal, name));
    v->without_evidence++;
    return ST_OK;
}

static enum status verify_seal(struct verify *v, const struct record *r, struct error *err)
{
    if (!is_asked_for(v, r->seal.month))
        return ST_OK;
    note_month(v, r->seal.month);
    return r->is_deleted ? verify_deleted(v, r, err) : verify_contents(v, r, err);
}

/* ---- the chain ---- */

/* The seal behind number `after`; *ret_is_found: there is one. */
static enum status read_record(struct db *db, int64_t after, const struct hash *previous, struct record *ret,
    bool *ret_is_found, struct error *err)
{
    struct db_stmt *s = db_keep(db, "SELECT number, month, supplement, readings, hash, deleted_ms"
                                    " FROM seal WHERE number > ? ORDER BY number LIMIT 1");
    db_bind_int(s, 1, after);
    enum status status = db_step(s, ret_is_found, err);
    if (status == ST_OK && *ret_is_found) {
        *ret = (struct record){.seal = {.number = db_int(s, 0),
                                   .month = db_int(s, 1),
                                   .supplement = db_int(s, 2),
                                   .readings = db_int(s, 3),
                                   .previous = *previous},
            .is_deleted = !db_is_null(s, 5),
            .deleted_ms = db_int(s, 5)};
        hash_read(db_text(s, 4), &ret->hash); /* another length differs from any */
    }
    db_reset(s);
    return status;
}

/* One snapshot: what a running collector deletes by age meanwhile was either there or is said to be gone. */
static enum status verify_next(struct verify *v, int64_t after, bool *ret_is_found, struct error *err)
{
    struct record r;
    enum status status = db_exec(v->db, "BEGIN", err);
    if (status != ST_OK)
        return status;
    status = read_record(v->db, after, &v->last, &r, ret_is_found, err);
    if (status == ST_OK && *ret_is_found && r.seal.number != after + 1) {
        progress_end(&v->progress);
        fprintf(stderr, "park-collector: the chain is broken: seal %lld is missing\n", (long long)after + 1);
        v->has_difference = true;
    } else if (status == ST_OK && *ret_is_found) {
        status = verify_seal(v, &r, err);
        v->last = r.hash;
    }
    enum status ended = db_exec(v->db, "COMMIT", status == ST_OK ? err : NULL);
    return status == ST_OK ? ended : status;
}

static enum status verify_chain(struct verify *v, struct error *err)
{
    enum status status = ST_OK;
    bool is_found = true;
    for (int64_t number = 0; is_found && !v->has_difference && status == ST_OK; number++) {
        status = verify_next(v, number, &is_found, err);
        if (is_found && number + 1 > v->seals)
            v->seals = number + 1;
    }
    return status;
}

/* ---- what is not sealed, and what is not there ---- */

static enum status verify_open_chunk(struct verify *v, struct db_stmt *s, struct error *err)
{
    bool is_sound = true;
    int64_t id = db_int(s, 0), month = db_int(s, 3);
    buf_reset(&v->text);
    enum status status = add_chunk(v, s, &is_sound, err);
    if (status == ST_OK && !is_sound) {
        char name[CALENDAR_MONTH_SIZE];
        calendar_month_format(month, name);
        progress_end(&v->progress);
        fprintf(stderr, "park-collector: %s, not sealed yet: chunk %lld is damaged\n", name, (long long)id);
        v->has_difference = true;
    }
    return status;
}

static void tell_open_month(struct verify *v, int64_t month, int64_t readings)
{
    char name[CALENDAR_MONTH_SIZE];
    if (month < 0)
        return;
    calendar_month_format(month, name);
    progress_end(&v->progress);
    printf("%s: not sealed yet, %lld readings\n", name, (long long)readings);
    note_month(v, month);
}

/* Chunks that no seal covers, also where their seal was taken away. */
static enum status verify_open(struct verify *v, struct error *err)
{
    struct db_stmt *s = db_keep(v->db, "SELECT id, hash, readings, month, seal FROM archive a"
                                       " WHERE month >= ? AND month < ? AND (seal IS NULL OR seal NOT IN"
                                       " (SELECT number FROM seal)) ORDER BY month, id");
    int64_t month = -1, readings = 0;
    bool has_row;
    enum status status;
    db_bind_int(s, 1, v->from);
    db_bind_int(s, 2, v->to);
    while ((status = db_step(s, &has_row, err)) == ST_OK && has_row && !v->has_difference) {
        if (!db_is_null(s, 4)) {
            fprintf(stderr, "park-collector: the chain is broken: seal %lld is missing\n",
                (long long)db_int(s, 4));
            v->has_difference = true;
            break;
        }
        if (db_int(s, 3) != month) {
            tell_open_month(v, month, readings);
            month = db_int(s, 3);
            readings = 0;
        }
        readings += db_int(s, 2);
        if ((status = verify_open_chunk(v, s, err)) != ST_OK)
            break;
    }
    db_reset(s);
    if (status == ST_OK && !v->has_difference)
        tell_open_month(v, month, readings);
    return status;
}

static int by_month(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void tell_gap(struct verify *v, int64_t from, int64_t to)
{
    char first[CALENDAR_MONTH_SIZE], last[CALENDAR_MONTH_SIZE];
    if (from >= to)
        return;
    calendar_month_format(from, first);
    calendar_month_format(to - 1, last);
    progress_end(&v->progress);
    if (from == to - 1)
        printf("%s: no evidence\n", first);
    else
        printf("%s to %s: no evidence\n", first, last);
}

/* Between months that are held, and of a period that was asked for. */
static void tell_gaps(struct verify *v, bool has_period)
{
    if (v->month_count > 0)
        qsort(v->months, v->month_count, sizeof *v->months, by_month);
    int64_t next = has_period ? v->from : v->month_count > 0 ? v->months[0] : 0;
    for (size_t i = 0; i < v->month_count; i++) {
        tell_gap(v, next, v->months[i]);
        next = v->months[i] + 1;
    }
    if (has_period)
        tell_gap(v, next, v->to);
}

/* ---- the command ---- */

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

static enum status verify_all(struct verify *v, bool has_period, struct error *err)
{
    enum status status = count_seals(v, err);
    progress_begin(&v->progress);
    if (status == ST_OK)
        status = verify_chain(v, err);
    if (status == ST_OK && !v->has_difference)
        status = verify_open(v, err);
    progress_end(&v->progress);
    if (status == ST_OK && !v->has_difference)
        tell_gaps(v, has_period);
    return status;
}

static int conclude(const struct verify *v, bool has_period)
{
    if (v->has_difference)
        return EXIT_DIFFERS;
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
    bool has_evidence = (int64_t)v->month_count > v->without_evidence;
    return has_period && !has_evidence ? EXIT_UNAVAILABLE : EXIT_OK;
}

int verify_run(const struct collector_settings *settings, const char *period)
{
    struct verify v = {
        .to = INT64_MAX, .audit_years = settings->database.audit_years, .now_ms = clock_system.wall_ms()};
    struct error err;
    if (period != NULL && !period_parse(period, &v.from, &v.to)) {
        fprintf(stderr, "park-collector: --period %s is no period; %s\n", period, PERIOD_EXPECTED);
        return EXIT_USAGE;
    }
    if (period != NULL) {
        v.from = calendar_month(v.from * HOUR_MS);
        v.to = calendar_month(v.to * HOUR_MS - 1) + 1;
    }
    enum status status = collector_open_reader(settings->database.path, &v.db, &err);
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
