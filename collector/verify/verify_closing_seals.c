#include "collector/energy/closing_seal.h"
#include "collector/model/periods.h"
#include "collector/verify/verify_ledger.h"
#include "lib/mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A closing, held against its seal and the log of changes. */
struct sealed {
    int64_t id, closed_ms;
    char *object; /* in the log of changes */
    bool is_noted, has_seal;
    struct hash seal;
    char logged[HASH_TEXT_SIZE]; /* the seal that the log has; "" = none, from before there were seals */
};

static char *object_of(struct db_stmt *row, int site, int month)
{
    char text[PERIODS_TEXT_SIZE];
    struct span name = db_text(row, site);
    periods_format((struct period){PERIODS_MONTH, db_int(row, month)}, text);
    return mem_printf("site %.*s, %s", (int)name.len, name.at, text);
}

/* The entry that the closing made, by what both say. */
static enum status find_entry(struct db *db, struct db_stmt *row, struct sealed *s, struct error *err)
{
    struct db_stmt *find = db_keep(db, "SELECT after FROM change_log WHERE action = 'close' AND object = ?1"
                                       " AND time_ms = ?2 AND who = ?3 AND note = ?4 AND token IS ?5");
    db_bind_text(find, 1, span_of(s->object));
    db_bind_int(find, 2, s->closed_ms);
    db_bind_text(find, 3, db_text(row, 4));
    db_bind_text(find, 4, db_text(row, 5));
    if (db_is_null(row, 6))
        db_bind_null(find, 5);
    else
        db_bind_int(find, 5, db_int(row, 6));
    enum status status = db_step(find, &s->is_noted, err);
    if (status == ST_OK && s->is_noted) {
        struct span after = db_text(find, 0);
        char *text = mem_strndup(after.at, after.len);
        if (sscanf(text, CLOSING_SEAL_SCAN, s->logged) != 1)
            s->logged[0] = '\0';
        free(text);
    }
    db_reset(find);
    return status;
}

static enum status compare(
    struct verify_ledger *l, const struct sealed *s, struct hash *last, struct error *err)
{
    char recorded[HASH_TEXT_SIZE], given[HASH_TEXT_SIZE];
    struct hash found;
    enum status status = closing_seal_of(l->v->db, s->id, last, &found, err);
    if (status != ST_OK)
        return status;
    hash_format(&found, given);
    if (!s->is_noted)
        verify_differs(l->v,
            "closing %" PRId64 " (%s): the log of changes has no entry of it as it stands there", s->id,
            s->object);
    if (s->has_seal && !hash_is_equal(&found, &s->seal)) {
        hash_format(&s->seal, recorded);
        verify_differs(l->v, "closing %" PRId64 " (%s) differs: sealed as %s, what is there gives %s", s->id,
            s->object, recorded, given);
    } else if (s->is_noted && s->logged[0] != '\0' && strcmp(s->logged, given) != 0) {
        verify_differs(l->v,
            "closing %" PRId64 " (%s) differs: by the log of changes its seal is %s, what is "
            "there gives %s",
            s->id, s->object, s->logged, given);
    }
    *last = s->has_seal ? s->seal : found; /* the next is judged by itself */
    return ST_OK;
}

/* Of an old database, closings after which none was made have no seal; where one has, each before and after it has. */
static enum status verify_chain_of_closings(
    struct verify_ledger *l, struct hash *last, int64_t *ret_count, int64_t *ret_open, struct error *err)
{
    struct db_stmt *next =
        db_keep(l->v->db, "SELECT id, closed_ms, site, month, who, why, token,"
                          " (SELECT hash FROM closing_seal WHERE closing = id) FROM closing ORDER BY id");
    bool has_row;
    enum status status;
    while ((status = db_step(next, &has_row, err)) == ST_OK && has_row) {
        struct sealed s = {
            .id = db_int(next, 0), .closed_ms = db_int(next, 1), .object = object_of(next, 2, 3)};
        s.has_seal = hash_read(db_text(next, 7), &s.seal);
        if (s.has_seal && *ret_open > 0)
            verify_differs(
                l->v, "closing %" PRId64 " (%s) is sealed, and one before it is not", s.id, s.object);
        if (!s.has_seal && *ret_count > *ret_open)
            verify_differs(
                l->v, "closing %" PRId64 " (%s) has no seal, and one before it has", s.id, s.object);
        status = find_entry(l->v->db, next, &s, err);
        if (status == ST_OK)
            status = compare(l, &s, last, err);
        *ret_count += 1;
        *ret_open += !s.has_seal;
        free(s.object);
        if (status == ST_OK)
            status = verify_go_on(l->v, err);
        if (status != ST_OK)
            break;
    }
    db_reset(next);
    return status;
}

/* What the log of changes says was closed is closed, but where a restore lost it (collector/backup/handover.h). */
static enum status verify_entries(struct verify_ledger *l, struct error *err)
{
    struct db_stmt *next = db_keep(l->v->db,
        "SELECT object FROM change_log e WHERE action = 'close' AND NOT EXISTS(SELECT 1 FROM change_log r"
        "  WHERE r.action = 'restore' AND r.object LIKE e.object || ', closing %' AND r.id > e.id)");
    struct db_stmt *find = db_keep(l->v->db, "SELECT 1 FROM closing WHERE site = ?1 AND month = ?2");
    bool has_row;
    enum status status;
    while ((status = db_step(next, &has_row, err)) == ST_OK && has_row) {
        struct span text = db_text(next, 0);
        char *object = mem_strndup(text.at, text.len), site[64], month[16];
        struct period period;
        bool is_there = false;
        if (sscanf(object, "site %63[^,], %15s", site, month) == 2 && periods_parse(month, &period)) {
            db_bind_text(find, 1, span_of(site));
            db_bind_int(find, 2, period.number);
            status = db_step(find, &is_there, err);
            db_reset(find);
        }
        if (status == ST_OK && !is_there)
            verify_differs(l->v, "%s was closed, by the log of changes, and is not", object);
        free(object);
        if (status != ST_OK)
            break;
    }
    db_reset(next);
    return status;
}

enum status verify_closing_seals(struct verify_ledger *l, struct error *err)
{
    struct hash last = {{0}};
    int64_t count = 0, open = 0;
    bool had_difference = l->v->has_difference;
    l->v->has_difference = false;
    enum status status = verify_chain_of_closings(l, &last, &count, &open, err);
    if (status == ST_OK)
        status = verify_entries(l, err);
    progress_end(&l->v->progress);
    if (status == ST_OK && !l->v->has_difference && count > open) {
        char seal[HASH_TEXT_SIZE];
        hash_format(&last, seal);
        printf("closings: the seals of %" PRId64 " recompute, the last is %s\n", count, seal);
    }
    if (status == ST_OK && open > 0 && open == count)
        printf(
            "closings: %" PRId64 " were closed before there were seals; the next closing seals them\n", open);
    l->v->has_difference = l->v->has_difference || had_difference;
    return status;
}
