#include "collector/verify/verify_private.h"

#include "collector/evidence/archive.h"
#include "lib/calendar.h"
#include "lib/clock.h"

#include <stdio.h>

#define AUDIT_MONTHS_MIN 12 /* whatever database.audit_years was when it deleted */

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

/* ---- one seal ---- */

enum status verify_add_chunk(struct verify *v, struct db_stmt *s, bool *ret_is_sound, struct error *err)
{
    struct hash written, found;
    bool is_sound = false;
    buf_reset(&v->chunk);
    enum status status = verify_go_on(v, err);
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
        if ((status = verify_add_chunk(v, chunks, ret_is_sound, err)) != ST_OK)
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
    verify_differs(v, "%s differs: sealed as %s, what is there gives %s%s", name_of(&r->seal, name), sealed,
        contents, is_sound ? "" : "; a chunk of it is damaged");
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
    verify_differs(v, "%s differs: it is marked as deleted by age at %s, which no collector does so early",
        name_of(&r->seal, name), deleted);
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
    verify_note_month(v, r->seal.month);
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
        verify_differs(v, "the chain is broken: seal %lld is missing", (long long)after + 1);
    } else if (status == ST_OK && *ret_is_found) {
        status = verify_seal(v, &r, err);
        v->last = r.hash;
    }
    enum status ended = db_exec(v->db, "COMMIT", status == ST_OK ? err : NULL);
    return status == ST_OK ? ended : status;
}

enum status verify_chain(struct verify *v, struct error *err)
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
