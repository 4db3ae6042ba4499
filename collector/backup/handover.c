#include "collector/backup/handover.h"

#include "collector/access/changes.h"
#include "collector/access/here.h"
#include "collector/backup/database_file.h"
#include "collector/ledger/decided.h"
#include "collector/model/periods.h"
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

/* The same of closings: site and month are one closing's alone (rule K1). */
#define CLOSINGS "SELECT id, site, who, why, month, closed_ms FROM closing"
enum { SITE = METER, MONTH = KIND, CLOSED_AT, CLOSING_COLUMNS_END };

/* What persons did, of one kind. */
struct kind {
    const char *table, *plural;
    const char *all, *one; /* queries, in order of id, and of an id */
    int columns_end;
    char *(*object)(struct db_stmt *row); /* in the log of changes; the caller frees both */
    char *(*describe)(struct db_stmt *row);
};

/* What persons told of instruments, resources, spaces and calendars is known by its entry in the log of changes, which each has. */
#define WORDS                                                                                                \
    "SELECT id, object, who, note, time_ms, action, before, after, token FROM change_log WHERE action IN"    \
    " ('session open', 'session close', 'resource up', 'count', 'calendar confirm') OR action LIKE 'outage " \
    "%'"                                                                                                     \
    " ORDER BY id"
enum { WORD_OBJECT = METER, TOLD_AT = KIND, ACTION, BEFORE, AFTER, TOKEN };

struct handover {
    struct db *restored, *replaced; /* replaced: NULL = it cannot be read */
    bool drops, has_closings;
    int64_t missing, now_ms;
    char *user;
};

static bool is_same(struct db_stmt *a, struct db_stmt *b, int columns_end)
{
    for (int i = METER; i < columns_end; i++) {
        struct span x = db_text(a, i), y = db_text(b, i);
        if (i <= WHY ? x.len != y.len || memcmp(x.at, y.at, x.len) != 0 : db_int(a, i) != db_int(b, i))
            return false;
    }
    return true;
}

static char *object_of_decision(struct db_stmt *d)
{
    struct span meter = db_text(d, METER);
    return mem_printf("meter %.*s, decision %lld", (int)meter.len, meter.at, (long long)db_int(d, ID));
}

static char *describe_decision(struct db_stmt *d)
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

static char *object_of_closing(struct db_stmt *c)
{
    char month[PERIODS_TEXT_SIZE];
    struct span site = db_text(c, SITE);
    periods_format((struct period){PERIODS_MONTH, db_int(c, MONTH)}, month);
    return mem_printf("site %.*s, %s, closing %lld", (int)site.len, site.at, month, (long long)db_int(c, ID));
}

static char *describe_closing(struct db_stmt *c)
{
    char at[CLOCK_TEXT_SIZE];
    struct span who = db_text(c, WHO), why = db_text(c, WHY);
    clock_format_utc(db_int(c, CLOSED_AT), at);
    return mem_printf("closed by %.*s at %s: %.*s", (int)who.len, who.at, at, (int)why.len, why.at);
}

static char *object_of_word(struct db_stmt *w)
{
    struct span object = db_text(w, WORD_OBJECT);
    return mem_strndup(object.at, object.len);
}

static char *describe_word(struct db_stmt *w)
{
    char at[CLOCK_TEXT_SIZE];
    struct span who = db_text(w, WHO), why = db_text(w, WHY), action = db_text(w, ACTION),
                after = db_text(w, AFTER);
    clock_format_utc(db_int(w, TOLD_AT), at);
    return mem_printf("%.*s%s%.*s, by %.*s at %s%s%.*s", (int)action.len, action.at,
        after.len > 0 ? ", " : "", (int)after.len, after.at, (int)who.len, who.at, at,
        why.len > 0 ? ": " : "", (int)why.len, why.at);
}

static const struct kind words = {
    .plural = "words of people", .object = object_of_word, .describe = describe_word};
/* Their numbers are given once as well; they are not compared: those that a point told come again. */
static const struct kind outages = {.table = "outage", .plural = "outages"},
                         sessions = {.table = "session", .plural = "sessions"};
static const struct kind decisions = {"ledger_decision", "decisions", DECISIONS " ORDER BY d.id",
    DECISIONS " WHERE d.id = ?1", COLUMNS_END, object_of_decision, describe_decision};
static const struct kind closings = {"closing", "closings", CLOSINGS " ORDER BY id",
    CLOSINGS " WHERE id = ?1", CLOSING_COLUMNS_END, object_of_closing, describe_closing};

static enum status lose(
    struct handover *h, const struct kind *kind, bool is_first, struct db_stmt *row, struct error *err)
{
    char *object = kind->object(row), *what = kind->describe(row);
    enum status status = ST_OK;
    h->missing++;
    if (is_first)
        printf("These %s are in the database that is replaced, and not in the backup:\n", kind->plural);
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

static enum status lose_missing(struct handover *h, const struct kind *kind, struct error *err)
{
    struct db_stmt *next = db_keep(h->replaced, kind->all), *same = db_keep(h->restored, kind->one);
    bool has_row, is_there, is_first = true;
    enum status status;
    while ((status = db_step(next, &has_row, err)) == ST_OK && has_row) {
        db_bind_int(same, 1, db_int(next, ID));
        status = db_step(same, &is_there, err);
        is_there = status == ST_OK && is_there && is_same(next, same, kind->columns_end);
        db_reset(same);
        if (status == ST_OK && !is_there) {
            status = lose(h, kind, is_first, next, err);
            is_first = false;
        }
        if (status != ST_OK)
            break;
    }
    db_reset(next);
    return status;
}

/* The log of `restored` does not have those of `replaced` yet. */
static enum status lose_words(struct handover *h, struct error *err)
{
    struct db_stmt *next = db_keep(h->replaced, WORDS);
    struct db_stmt *same = db_keep(h->restored, "SELECT 1 FROM change_log WHERE time_ms = ?1 AND token IS ?2 "
                                                "AND object = ?3 AND who = ?4 AND note IS ?5"
                                                " AND action = ?6 AND before IS ?7 AND after IS ?8");
    static const int texts[] = {WORD_OBJECT, WHO, WHY, ACTION, BEFORE, AFTER};
    bool has_row, is_there, is_first = true;
    enum status status;
    while ((status = db_step(next, &has_row, err)) == ST_OK && has_row) {
        db_bind_int(same, 1, db_int(next, TOLD_AT));
        if (db_is_null(next, TOKEN))
            db_bind_null(same, 2);
        else
            db_bind_int(same, 2, db_int(next, TOKEN));
        for (int i = 0; i < 6; i++)
            if (db_is_null(next, texts[i]))
                db_bind_null(same, 3 + i);
            else
                db_bind_text(same, 3 + i, db_text(next, texts[i]));
        status = db_step(same, &is_there, err);
        db_reset(same);
        if (status == ST_OK && !is_there) {
            status = lose(h, &words, is_first, next, err);
            is_first = false;
        }
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

static enum status read_last_id(struct db *db, const struct kind *kind, int64_t *ret, struct error *err)
{
    struct db_stmt *read = db_keep(db, "SELECT max(seq) FROM sqlite_sequence WHERE name = ?1");
    bool has_row;
    db_bind_text(read, 1, span_of(kind->table));
    enum status status = db_step(read, &has_row, err);
    if (status == ST_OK)
        *ret = db_int(read, 0);
    db_reset(read);
    return status;
}

/* Numbers that are left out are in the log: else one that is missing was taken away (verify). */
static enum status note_gap(
    struct handover *h, const struct kind *kind, int64_t from, int64_t to, struct error *err)
{
    char *object = mem_printf(HANDOVER_GAP, kind->plural, (long long)from, (long long)to);
    enum status status = changes_add(h->restored,
        &(struct change){.who = h->user,
            .action = "restore",
            .object = object,
            .note = "these numbers were given, and are not given again"},
        h->now_ms, err);
    free(object);
    return status;
}

static enum status raise_ids(struct handover *h, const struct kind *kind, struct error *err)
{
    int64_t here = 0, there = 0;
    enum status status = read_last_id(h->restored, kind, &here, err);
    if (status == ST_OK && h->replaced != NULL)
        status = read_last_id(h->replaced, kind, &there, err);
    if (h->replaced == NULL)
        there = here + ROOM;
    if (status != ST_OK || there <= here)
        return status;
    struct db_stmt *clear = db_keep(h->restored, "DELETE FROM sqlite_sequence WHERE name = ?1");
    struct db_stmt *set = db_keep(h->restored, "INSERT INTO sqlite_sequence(name, seq) VALUES(?1, ?2)");
    db_bind_text(clear, 1, span_of(kind->table));
    db_bind_text(set, 1, span_of(kind->table));
    db_bind_int(set, 2, there);
    status = db_run(clear, err);
    if (status == ST_OK)
        status = db_run(set, err);
    return status == ST_OK ? note_gap(h, kind, here + 1, there, err) : status;
}

static enum status hand_over(void *user_data, struct db *restored, struct error *err)
{
    struct handover *h = user_data;
    h->restored = restored;
    enum status status = db_begin(restored, err);
    if (status != ST_OK)
        return status;
    if (h->replaced != NULL)
        status = lose_words(h, err);
    if (status == ST_OK && h->replaced != NULL)
        status = carry_log(h, err);
    if (status == ST_OK && h->replaced != NULL)
        status = lose_missing(h, &decisions, err);
    if (status == ST_OK && h->replaced != NULL && h->has_closings)
        status = lose_missing(h, &closings, err);
    if (status == ST_OK)
        status = raise_ids(h, &decisions, err);
    if (status == ST_OK)
        status = raise_ids(h, &closings, err);
    if (status == ST_OK)
        status = raise_ids(h, &outages, err);
    if (status == ST_OK)
        status = raise_ids(h, &sessions, err);
    if (status == ST_OK && (h->drops || h->missing == 0))
        return db_commit(restored, err);
    db_rollback(restored);
    return status;
}

/* One of before there were decisions, or closings, has none to lose. */
static enum status has_decisions(struct db *db, bool *ret, bool *ret_has_closings, struct error *err)
{
    struct db_stmt *read =
        db_keep(db, "SELECT count(*) FILTER(WHERE name <> 'closing'), count(*) FILTER(WHERE name = 'closing')"
                    " FROM sqlite_schema WHERE type = 'table' AND name IN ('ledger_decision', "
                    "'ledger_meter', 'change_log', 'closing')");
    bool has_row;
    enum status status = db_step(read, &has_row, err);
    *ret = status == ST_OK && db_int(read, 0) == 3;
    *ret_has_closings = status == ST_OK && db_int(read, 1) == 1;
    db_reset(read);
    return status;
}

static enum status open_replaced(struct handover *h, const char *path, bool *ret_has, struct error *err)
{
    struct error why;
    *ret_has = true;
    enum status status =
        db_open_reader_own(path, COLLECTOR_APPLICATION_ID, collector_schema.count, &h->replaced, &why);
    if (status == ST_OK && (status = has_decisions(h->replaced, ret_has, &h->has_closings, &why)) == ST_OK)
        return ST_OK;
    bool is_damage = status == ST_INVALID || (h->replaced != NULL && db_is_corrupt(h->replaced));
    db_close(h->replaced);
    h->replaced = NULL;
    if (!is_damage)
        return error_set(err, status, "%s", why.text);
    printf("What persons decided, closed and told in what was here nobody can read: %s.\n"
           "Their numbers go on %d higher.\n",
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
            "the backup lacks %lld decisions, closings or words of people of the database that is here, "
            "named above; nothing was changed. Expected a later backup, or --drop-decisions: then they are "
            "lost, the log of changes says so, and what still holds must be decided, closed and told again",
            (long long)h.missing);
    free(h.user);
    db_close(h.replaced);
    return status;
}
