#include "collector/backup/energy_lineage.h"

#include "collector/backup/database_file.h"
#include "collector/energy_model.h"
#include "collector/ledger/latest.h"
#include "collector/ledger/quarters.h"
#include "collector/model/version.h"
#include "collector/schema.h"
#include "collector/store/repost.h"
#include "lib/program.h"
#include "lib/progress.h"

#include <string.h>

#define CHUNK_DAYS 32
#define CHUNK_MS (CHUNK_DAYS * LATEST_DAY_MS)
#define QUARTERS (CHUNK_MS / BOUNDARY_MS)
#define NO_ROW 255

struct comparison {
    struct db *restored, *replaced;
    struct error *err;
};

/* What both have of a meter. */
struct sides {
    int64_t restored, replaced; /* numbers of the meter; 0 = it has none */
    int64_t from_ms, until_ms;  /* in which either has rows */
};

/* ---- the books ---- */

static enum status read_extent(struct db *db, int64_t meter, struct sides *s, struct error *err)
{
    struct db_stmt *find = db_keep(db, "SELECT (SELECT min(start_ms) FROM ledger_quarter WHERE meter = ?1),"
                                       "  (SELECT max(start_ms) FROM ledger_quarter WHERE meter = ?1)");
    bool has_row;
    db_bind_int(find, 1, meter);
    enum status status = db_step(find, &has_row, err);
    if (status == ST_OK && !db_is_null(find, 0)) {
        int64_t from_ms = db_int(find, 0), until_ms = db_int(find, 1) + BOUNDARY_MS;
        s->from_ms = from_ms < s->from_ms ? from_ms : s->from_ms;
        s->until_ms = until_ms > s->until_ms ? until_ms : s->until_ms;
    }
    db_reset(find);
    return status;
}

struct books {
    int64_t amounts[QUARTERS];
    uint8_t qualities[QUARTERS];
};

static enum status read_books(
    struct db *db, int64_t meter, int64_t from_ms, struct books *ret, struct error *err)
{
    memset(ret->amounts, 0, sizeof ret->amounts);
    memset(ret->qualities, NO_ROW, sizeof ret->qualities);
    return meter == 0
               ? ST_OK
               : latest_read(db, meter, from_ms, from_ms + CHUNK_MS, ret->amounts, ret->qualities, err);
}

static enum status compare_meter(
    struct comparison *c, const struct sides *s, int64_t *ret_from_ms, int64_t *ret_until_ms)
{
    static struct books here, there; /* one thread; large */
    enum status status = ST_OK;
    *ret_from_ms = *ret_until_ms = 0;
    for (int64_t at_ms = s->from_ms; at_ms < s->until_ms && status == ST_OK; at_ms += CHUNK_MS) {
        status = read_books(c->restored, s->restored, at_ms, &here, c->err);
        if (status == ST_OK)
            status = read_books(c->replaced, s->replaced, at_ms, &there, c->err);
        for (int64_t i = 0; i < QUARTERS && status == ST_OK; i++) {
            if (here.amounts[i] == there.amounts[i] && here.qualities[i] == there.qualities[i])
                continue;
            if (*ret_until_ms == 0)
                *ret_from_ms = at_ms + i * BOUNDARY_MS;
            *ret_until_ms = at_ms + (i + 1) * BOUNDARY_MS;
        }
    }
    return status;
}

static enum status find_number(struct db *db, struct span name, int64_t *ret, struct error *err)
{
    struct db_stmt *find = db_keep(db, "SELECT id FROM ledger_meter WHERE name = ?1");
    bool has_row;
    db_bind_text(find, 1, name);
    enum status status = db_step(find, &has_row, err);
    *ret = status == ST_OK && has_row ? db_int(find, 0) : 0;
    db_reset(find);
    return status;
}

static enum status note_meter(struct comparison *c, struct span name)
{
    struct sides s = {.from_ms = INT64_MAX, .until_ms = INT64_MIN};
    int64_t from_ms = 0, until_ms = 0;
    enum status status = find_number(c->restored, name, &s.restored, c->err);
    if (status == ST_OK)
        status = find_number(c->replaced, name, &s.replaced, c->err);
    if (status == ST_OK)
        status = read_extent(c->restored, s.restored, &s, c->err);
    if (status == ST_OK)
        status = read_extent(c->replaced, s.replaced, &s, c->err);
    if (status == ST_OK)
        status = compare_meter(c, &s, &from_ms, &until_ms);
    return status == ST_OK ? repost_add(c->restored, name, from_ms, until_ms, c->err) : status;
}

/* Of the meters of one of both; those that `other` has as well are left out where it is given. */
static enum status note_meters(
    struct comparison *c, struct db *db, struct db *other, struct progress *progress)
{
    struct db_stmt *names = db_prepare(db, "SELECT name FROM ledger_meter ORDER BY id");
    bool has_row;
    int64_t seen = 0, number = 0;
    enum status status;
    while ((status = db_step(names, &has_row, c->err)) == ST_OK && has_row) {
        if (program_is_asked_to_end()) {
            status = error_set(c->err, ST_TIMEOUT, "interrupted");
            break;
        }
        if (other != NULL)
            status = find_number(other, db_text(names, 0), &number, c->err);
        if (status == ST_OK && number == 0)
            status = note_meter(c, db_text(names, 0));
        if (status != ST_OK)
            break;
        progress_show(progress, "compared the energy of %lld meters with what is here", (long long)++seen);
    }
    db_finish(names);
    return status;
}

/* ---- what the replaced one had yet to post ---- */

/* (name, from, until) of it, into the other. */
static enum status copy_spans(struct comparison *c, const char *sql)
{
    struct db_stmt *spans = db_prepare(c->replaced, sql);
    bool has_row;
    enum status status;
    while ((status = db_step(spans, &has_row, c->err)) == ST_OK && has_row) {
        status = repost_add(c->restored, db_text(spans, 0), db_int(spans, 1), db_int(spans, 2), c->err);
        if (status != ST_OK)
            break;
    }
    db_finish(spans);
    return status;
}

/* ---- park models ---- */

static enum status note_version(struct comparison *c, int64_t number, const struct version *own)
{
    struct version version;
    enum status status = version_read(c->replaced, number, &version, c->err);
    if (status != ST_OK)
        return status;
    if (!hash_is_equal(&version.hash, &own->hash)) {
        struct model *before = version_model(&version), *now = version_model(own);
        status = energy_model_repost(c->restored, before, now, c->err);
        model_put(before);
        model_put(now);
    }
    version_release(&version);
    return status;
}

/* Those by which the replaced one posted: up to some instant another one than the newest. */
static enum status note_versions(struct comparison *c)
{
    struct db_stmt *posted = db_keep(c->replaced, "SELECT number FROM model_version WHERE number >= (SELECT "
                                                  "position FROM cursor WHERE name = 'energy')");
    struct version own;
    bool has_row;
    enum status status = version_newest(c->restored, &own, c->err);
    if (status != ST_OK)
        return status;
    while (own.number > 0 && (status = db_step(posted, &has_row, c->err)) == ST_OK && has_row)
        if ((status = note_version(c, db_int(posted, 0), &own)) != ST_OK)
            break;
    db_reset(posted);
    version_release(&own);
    return status;
}

/* ---- all of it ---- */

static enum status compare(struct comparison *c)
{
    struct progress progress;
    progress_begin(&progress);
    enum status status = note_meters(c, c->restored, NULL, &progress);
    if (status == ST_OK)
        status = note_meters(c, c->replaced, c->restored, &progress);
    progress_end(&progress);
    if (status == ST_OK)
        status = copy_spans(c, "SELECT meter, from_ms, until_ms FROM repost");
    if (status == ST_OK)
        status = copy_spans(c,
            "SELECT substr(series, length('energy,meter=') + 1), min(time_ms), max(time_ms) + 1"
            " FROM outbox WHERE sent_ms IS NULL AND series >= 'energy,meter=' AND series < 'energy,meter>'"
            " GROUP BY series");
    return status == ST_OK ? note_versions(c) : status;
}

/* NULL: nothing is known of it. */
static struct db *open_replaced(const char *path)
{
    struct db *db = NULL;
    struct error err;
    if (path == NULL ||
        db_open_reader_own(path, COLLECTOR_APPLICATION_ID, collector_schema.count, &db, &err) != ST_OK)
        return NULL;
    if (db_format(db) == collector_schema.count)
        return db;
    db_close(db);
    return NULL;
}

static enum status note(void *context, struct db *restored, struct error *err)
{
    struct comparison c = {.restored = restored, .replaced = context, .err = err};
    enum status status = db_begin(restored, err);
    if (status != ST_OK)
        return status;
    status = c.replaced != NULL ? compare(&c) : repost_add_all(restored, err);
    if (c.replaced != NULL && (status == ST_INVALID || (status != ST_OK && db_is_corrupt(c.replaced))))
        status = repost_add_all(restored, err);
    if (status == ST_OK)
        return db_commit(restored, err);
    db_rollback(restored);
    return status;
}

static enum status count(void *context, struct db *restored, struct error *err)
{
    struct db_stmt *all = db_keep(restored, "SELECT count(*) FROM repost");
    bool has_row;
    enum status status = db_step(all, &has_row, err);
    if (status == ST_OK)
        *(int64_t *)context = db_int(all, 0);
    db_reset(all);
    return status;
}

enum status energy_lineage_note(
    const char *restored, const char *replaced, int64_t *ret_meters, struct error *err)
{
    struct db *other = open_replaced(replaced);
    enum status status = database_change(restored, note, other, err);
    db_close(other);
    return status == ST_OK ? database_change(restored, count, ret_meters, err) : status;
}
