#include "collector/backup/handover.h"

#include "collector/access/changes.h"
#include "collector/access/here.h"
#include "collector/backup/database_file.h"
#include "collector/ledger/decided.h"
#include "collector/schema.h"
#include "lib/clock.h"
#include "lib/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROOM 1000 /* ids that a database which cannot be read may have given */

/* The columns that say which decision it is; 0 is the id, 1 to 8 are compared. */
#define DECISIONS                                                                                           \
    "SELECT d.id, m.name, d.who, d.why, d.kind, d.from_ms, d.until_ms, d.time_ms, coalesce(d.withdraws, 0)" \
    " FROM ledger_decision d JOIN ledger_meter m ON m.id = d.meter"
enum { ID, METER, WHO, WHY, KIND, FROM, UNTIL, DECIDED_AT, WITHDRAWS, COLUMNS_END };

struct handover {
    struct db *restored, *replaced; /* replaced: NULL = it cannot be read */
    bool drops;
    int64_t missing, now_ms;
    char *user;
};

static bool is_same(struct db_stmt *a, struct db_stmt *b)
{
    for (int i = METER; i < COLUMNS_END; i++) {
        struct span x = db_text(a, i), y = db_text(b, i);
        if (i <= WHY ? x.len != y.len || memcmp(x.at, y.at, x.len) != 0 : db_int(a, i) != db_int(b, i))
            return false;
    }
    return true;
}

/* The caller frees it. */
static char *describe(struct db_stmt *d)
{
    char from[CLOCK_TEXT_SIZE], until[CLOCK_TEXT_SIZE], at[CLOCK_TEXT_SIZE];
    struct span who = db_text(d, WHO), why = db_text(d, WHY);
    enum ruling_kind kind = (enum ruling_kind)db_int(d, KIND);
    clock_format_utc(db_int(d, FROM), from);
    clock_format_utc(db_int(d, UNTIL), until);
    clock_format_utc(db_int(d, DECIDED_AT), at);
    char *of = kind == RULING_WITHDRAWAL ? mem_printf(" of decision %lld", (long long)db_int(d, WITHDRAWS))
                                         : mem_strdup("");
    char *text = mem_printf("%s%s, %s %s, by %.*s at %s: %.*s", decided_kind_name(kind), of, from, until,
        (int)who.len, who.at, at, (int)why.len, why.at);
    free(of);
    return text;
}

static enum status lose(struct handover *h, struct db_stmt *decision, struct error *err)
{
    struct span meter = db_text(decision, METER);
    char *object =
        mem_printf("meter %.*s, decision %lld", (int)meter.len, meter.at, (long long)db_int(decision, ID));
    char *what = describe(decision);
    enum status status = ST_OK;
    if (h->missing++ == 0)
        printf("These decisions are in the database that is replaced, and not in the backup:\n");
    printf("  %s: %s\n", object, what);
    if (h->drops)
        status = changes_add(h->restored,
            &(struct change){.who = h->user,
                .action = "restore",
                .object = object,
                .before = what,
                .note = "lost: the backup that was put back is older"},
            h->now_ms, err);
    free(what);
    free(object);
    return status;
}

static enum status lose_missing(struct handover *h, struct error *err)
{
    struct db_stmt *next = db_keep(h->replaced, DECISIONS " ORDER BY d.id");
    struct db_stmt *same = db_keep(h->restored, DECISIONS " WHERE d.id = ?1");
    bool has_row, is_there;
    enum status status;
    while ((status = db_step(next, &has_row, err)) == ST_OK && has_row) {
        db_bind_int(same, 1, db_int(next, ID));
        status = db_step(same, &is_there, err);
        is_there = status == ST_OK && is_there && is_same(next, same);
        db_reset(same);
        if (status == ST_OK && !is_there)
            status = lose(h, next, err);
        if (status != ST_OK)
            break;
    }
    db_reset(next);
    return status;
}

/* Each entry keeps its id, or gets the next that is free where another took it. */
static enum status carry_log(struct handover *h, struct error *err)
{
    struct db_stmt *next = db_keep(h->replaced,
        "SELECT id, time_ms, token, who, action, object, before, after, note FROM change_log ORDER BY id");
    struct db_stmt *add = db_keep(h->restored,
        "INSERT INTO change_log(id, time_ms, token, who, action, object, before, after, note)"
        " SELECT CASE WHEN NOT EXISTS(SELECT 1 FROM change_log WHERE id = ?1) THEN ?1 ELSE"
        "  (SELECT min(id) + 1 FROM change_log c WHERE id >= ?1"
        "   AND NOT EXISTS(SELECT 1 FROM change_log n WHERE n.id = c.id + 1)) END,"
        "  ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9 WHERE NOT EXISTS(SELECT 1 FROM change_log WHERE time_ms = ?2"
        "  AND token IS ?3 AND who = ?4 AND action = ?5 AND object = ?6 AND before IS ?7 AND after IS ?8"
        "  AND note IS ?9)");
    bool has_row;
    enum status status;
    while ((status = db_step(next, &has_row, err)) == ST_OK && has_row) {
        for (int i = 0; i < 9; i++)
            if (db_is_null(next, i))
                db_bind_null(add, i + 1);
            else if (i < 3)
                db_bind_int(add, i + 1, db_int(next, i));
            else
                db_bind_text(add, i + 1, db_text(next, i));
        if ((status = db_run(add, err)) != ST_OK)
            break;
    }
    db_reset(next);
    return status;
}

static enum status read_last_id(struct db *db, int64_t *ret, struct error *err)
{
    struct db_stmt *read = db_keep(db, "SELECT max(seq) FROM sqlite_sequence WHERE name = 'ledger_decision'");
    bool has_row;
    enum status status = db_step(read, &has_row, err);
    if (status == ST_OK)
        *ret = db_int(read, 0);
    db_reset(read);
    return status;
}

static enum status raise_ids(struct handover *h, struct error *err)
{
    int64_t here = 0, there = 0;
    enum status status = read_last_id(h->restored, &here, err);
    if (status == ST_OK && h->replaced != NULL)
        status = read_last_id(h->replaced, &there, err);
    if (h->replaced == NULL)
        there = here + ROOM;
    if (status != ST_OK || there <= here)
        return status;
    struct db_stmt *clear =
        db_keep(h->restored, "DELETE FROM sqlite_sequence WHERE name = 'ledger_decision'");
    struct db_stmt *set =
        db_keep(h->restored, "INSERT INTO sqlite_sequence(name, seq) VALUES('ledger_decision', ?1)");
    status = db_run(clear, err);
    db_bind_int(set, 1, there);
    return status == ST_OK ? db_run(set, err) : status;
}

static enum status hand_over(void *user_data, struct db *restored, struct error *err)
{
    struct handover *h = user_data;
    h->restored = restored;
    enum status status = db_begin(restored, err);
    if (status != ST_OK)
        return status;
    if (h->replaced != NULL)
        status = carry_log(h, err);
    if (status == ST_OK && h->replaced != NULL)
        status = lose_missing(h, err);
    if (status == ST_OK)
        status = raise_ids(h, err);
    if (status == ST_OK && (h->drops || h->missing == 0))
        return db_commit(restored, err);
    db_rollback(restored);
    return status;
}

/* One of before there were decisions has none to lose. */
static enum status has_decisions(struct db *db, bool *ret, struct error *err)
{
    struct db_stmt *read =
        db_keep(db, "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name IN ('ledger_decision', "
                    "'ledger_meter', 'change_log')");
    bool has_row;
    enum status status = db_step(read, &has_row, err);
    *ret = status == ST_OK && db_int(read, 0) == 3;
    db_reset(read);
    return status;
}

static enum status open_replaced(struct handover *h, const char *path, bool *ret_has, struct error *err)
{
    struct error why;
    *ret_has = true;
    enum status status =
        db_open_reader_own(path, COLLECTOR_APPLICATION_ID, collector_schema.count, &h->replaced, &why);
    if (status == ST_OK && (status = has_decisions(h->replaced, ret_has, &why)) == ST_OK)
        return ST_OK;
    bool is_damage = status == ST_INVALID || (h->replaced != NULL && db_is_corrupt(h->replaced));
    db_close(h->replaced);
    h->replaced = NULL;
    if (!is_damage)
        return error_set(err, status, "%s", why.text);
    printf("Which decisions were in what was here nobody can read: %s.\n"
           "Numbers of decisions go on %d higher.\n",
        why.text, ROOM);
    return ST_OK;
}

enum status handover_run(
    const char *restored, const char *replaced, bool drops, bool *ret_is_refused, struct error *err)
{
    struct handover h = {.drops = drops, .now_ms = clock_system.wall_ms()};
    bool has;
    *ret_is_refused = false;
    enum status status = open_replaced(&h, replaced, &has, err);
    h.user = access_user_name();
    if (status == ST_OK && has)
        status = database_change(restored, hand_over, &h, err);
    *ret_is_refused = status == ST_OK && h.missing > 0 && !drops;
    if (*ret_is_refused)
        status = error_set(err, ST_INVALID,
            "the backup lacks %lld decisions of the database that is here, named above; nothing was changed. "
            "Expected "
            "a later backup, or --drop-decisions: then they are lost, the log of changes says so, and what "
            "still "
            "holds must be decided again",
            (long long)h.missing);
    free(h.user);
    db_close(h.replaced);
    return status;
}
