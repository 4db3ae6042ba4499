/* When a resource was down: by the words of its points and of persons, each at its time, whenever it came. */
#include "collector/instrument/told_private.h"
#include "lib/mem.h"

/* Of words at one instant the later reading counts; a person's before a point's; and of two points' what is down. Until a word
 * says that it is down it is not. Spans of before there were words are taken as the two words that made them. */
const char told_word_schema[] =
    "CREATE TABLE resource_word("
    "  resource INTEGER NOT NULL, at_ms INTEGER NOT NULL, time_ms INTEGER NOT NULL, evidence INTEGER NOT "
    "NULL,"
    "  is_down INTEGER NOT NULL,"
    "  PRIMARY KEY(resource, at_ms, time_ms, evidence, is_down)) STRICT, WITHOUT ROWID;"
    "DELETE FROM resource_down WHERE until_ms <= from_ms;"
    "INSERT INTO resource_word SELECT resource, from_ms, from_ms, evidence, 1 FROM resource_down;"
    "INSERT INTO resource_word SELECT resource, until_ms, until_ms, evidence, 0 FROM resource_down"
    "  WHERE until_ms IS NOT NULL;";

#define ORDER "(at_ms, time_ms, evidence, is_down)"
#define ITS "(?2, ?3, ?4, ?5)"
#define FORWARD " ORDER BY at_ms, time_ms, evidence, is_down LIMIT 1"
#define BACKWARD " ORDER BY at_ms DESC, time_ms DESC, evidence DESC, is_down DESC LIMIT 1"

static void bind_word(struct db_stmt *s, int64_t resource, const struct told_word *w)
{
    db_bind_int(s, 1, resource);
    db_bind_int(s, 2, w->at_ms);
    db_bind_int(s, 3, w->time_ms);
    db_bind_int(s, 4, w->evidence);
    db_bind_int(s, 5, !w->says_up);
}

bool told_word_is_before(const struct told_word *w, const struct told_word *other)
{
    if (w->at_ms != other->at_ms)
        return w->at_ms < other->at_ms;
    if (w->time_ms != other->time_ms)
        return w->time_ms < other->time_ms;
    if (w->evidence != other->evidence)
        return w->evidence < other->evidence;
    return w->says_up && !other->says_up;
}

/* Columns at_ms, is_down, evidence; *ret is as it was where there is none. */
static enum status find_word(
    struct db_stmt *find, struct told_word *ret, bool *ret_is_there, struct error *err)
{
    enum status status = db_step(find, ret_is_there, err);
    if (status == ST_OK && *ret_is_there)
        *ret = (struct told_word){.at_ms = db_int(find, 0),
            .says_up = db_int(find, 1) == 0,
            .evidence = (enum hours_evidence)db_int(find, 2)};
    db_reset(find);
    return status;
}

enum status told_word_newest(struct db *db, int64_t resource, struct told_word *ret, struct error *err)
{
    struct db_stmt *find = db_keep(
        db, "SELECT at_ms, is_down, evidence, time_ms FROM resource_word WHERE resource = ?1" BACKWARD);
    bool has_row;
    *ret = (struct told_word){.at_ms = TOLD_NONE, .time_ms = TOLD_NONE};
    db_bind_int(find, 1, resource);
    enum status status = db_step(find, &has_row, err);
    if (status == ST_OK && has_row)
        *ret = (struct told_word){.at_ms = db_int(find, 0),
            .says_up = db_int(find, 1) == 0,
            .evidence = (enum hours_evidence)db_int(find, 2),
            .time_ms = db_int(find, 3)};
    db_reset(find);
    return status;
}

/* ---- spans ---- */

struct place {
    bool was_down; /* before the word */
    bool has_next;
    struct told_word next; /* the word after it */
    bool has_end;
    struct told_word end; /* the first `up` after it */
};

static enum status find_place(
    struct db *db, int64_t resource, const struct told_word *w, struct place *ret, struct error *err)
{
    struct db_stmt *before =
                       db_keep(db, "SELECT at_ms, is_down, evidence FROM resource_word WHERE resource = ?1"
                                   " AND " ORDER " < " ITS BACKWARD),
                   *next =
                       db_keep(db, "SELECT at_ms, is_down, evidence FROM resource_word WHERE resource = ?1"
                                   " AND " ORDER " > " ITS FORWARD),
                   *end = db_keep(db, "SELECT at_ms, is_down, evidence FROM resource_word WHERE resource = ?1"
                                      " AND is_down = 0 AND " ORDER " > " ITS FORWARD);
    struct told_word last = {.says_up = true};
    bool has_last;
    *ret = (struct place){0};
    bind_word(before, resource, w);
    bind_word(next, resource, w);
    bind_word(end, resource, w);
    enum status status = find_word(before, &last, &has_last, err);
    ret->was_down = !last.says_up;
    if (status != ST_OK || ret->was_down == !w->says_up)
        return status;
    status = find_word(next, &ret->next, &ret->has_next, err);
    return status == ST_OK ? find_word(end, &ret->end, &ret->has_end, err) : status;
}

static enum status add_span(
    struct db *db, int64_t resource, const struct told_word *from, const struct place *p, struct error *err)
{
    if (p->has_end && p->end.at_ms == from->at_ms)
        return ST_OK;
    struct db_stmt *add = db_keep(db, "INSERT INTO resource_down VALUES(?1, ?2, ?3, ?4)");
    db_bind_int(add, 1, resource);
    db_bind_int(add, 2, from->at_ms);
    told_bind_time(add, 3, p->has_end ? p->end.at_ms : TOLD_NONE);
    db_bind_int(add, 4, from->evidence);
    return db_run(add, err);
}

/* It was up there: the span that began later, if one did, begins here. */
static enum status put_down(
    struct db *db, int64_t resource, const struct told_word *w, const struct place *p, struct error *err)
{
    struct db_stmt *swallow =
        db_keep(db, "DELETE FROM resource_down WHERE resource = ?1 AND from_ms >= ?2 AND from_ms < ?3");
    db_bind_int(swallow, 1, resource);
    db_bind_int(swallow, 2, w->at_ms);
    db_bind_int(swallow, 3, p->has_end ? p->end.at_ms : INT64_MAX);
    enum status status = db_run(swallow, err);
    return status == ST_OK ? add_span(db, resource, w, p, err) : status;
}

/* It was down there: that ends here, and goes on with the next word that says so. */
static enum status put_up(
    struct db *db, int64_t resource, const struct told_word *w, const struct place *p, struct error *err)
{
    struct db_stmt *cut = db_keep(db, "UPDATE resource_down SET until_ms = ?2 WHERE resource = ?1 AND"
                                      " from_ms < ?2 AND (until_ms IS NULL OR until_ms > ?2)"),
                   *take = db_keep(db, "DELETE FROM resource_down WHERE resource = ?1 AND from_ms = ?2");
    db_bind_int(cut, 1, resource);
    db_bind_int(cut, 2, w->at_ms);
    enum status status = db_run(cut, err);
    db_bind_int(take, 1, resource);
    db_bind_int(take, 2, w->at_ms);
    if (status == ST_OK &&
        !(p->has_end && p->end.at_ms == w->at_ms)) /* else what begins here begins after that */
        status = db_run(take, err);
    return status == ST_OK && p->has_next && !p->next.says_up ? add_span(db, resource, &p->next, p, err)
                                                              : status;
}

/* ---- words ---- */

/* What the newest leaves behind TOLD_KNOWN_MS, as the journal: of words that say one thing one after another the first makes the
 * span, and the others only say where one of between would have ended. */
static enum status thin(
    struct db *db, int64_t resource, int64_t before_ms, int64_t newest_ms, struct error *err)
{
    struct db_stmt *remove = db_keep(db,
        "DELETE FROM resource_word AS w WHERE resource = ?1 AND at_ms >= ?2 AND at_ms < ?3 AND is_down ="
        " (SELECT is_down FROM resource_word AS b WHERE b.resource = ?1 AND"
        "  (b.at_ms, b.time_ms, b.evidence, b.is_down) < (w.at_ms, w.time_ms, w.evidence, w.is_down)"
        "  ORDER BY b.at_ms DESC, b.time_ms DESC, b.evidence DESC, b.is_down DESC LIMIT 1)");
    if (before_ms == TOLD_NONE || newest_ms <= before_ms)
        return ST_OK;
    db_bind_int(remove, 1, resource);
    db_bind_int(remove, 2, before_ms - TOLD_KNOWN_MS);
    db_bind_int(remove, 3, newest_ms - TOLD_KNOWN_MS);
    return db_run(remove, err);
}

enum status told_word_add(
    struct db *db, int64_t resource, const struct told_word *w, int64_t newest_ms, struct error *err)
{
    struct place p;
    struct db_stmt *add =
        db_keep(db, "INSERT INTO resource_word VALUES(?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING");
    bind_word(add, resource, w);
    enum status status = db_run(add, err);
    if (status != ST_OK || db_changes(db) == 0) /* it is known */
        return status;
    status = find_place(db, resource, w, &p, err);
    if (status == ST_OK && p.was_down == w->says_up)
        status = w->says_up ? put_up(db, resource, w, &p, err) : put_down(db, resource, w, &p, err);
    return status == ST_OK ? thin(db, resource, newest_ms, w->at_ms, err) : status;
}

/* ---- reading ---- */

enum status told_down(struct db *db, int64_t resource, int64_t from_ms, int64_t until_ms,
    struct hours_span **ret, size_t *ret_count, struct error *err)
{
    struct db_stmt *rows =
        db_keep(db, "SELECT from_ms, until_ms, evidence" TOLD_REACHING("resource_down", "resource"));
    struct hours_span *items = NULL;
    size_t count = 0, capacity = 0;
    bool has_row;
    enum status status;
    db_bind_int(rows, 1, resource);
    db_bind_int(rows, 2, from_ms);
    db_bind_int(rows, 3, until_ms);
    while ((status = db_step(rows, &has_row, err)) == ST_OK && has_row) {
        MEM_GROW(items, count, capacity);
        items[count++] = (struct hours_span){db_int(rows, 0),
            db_is_null(rows, 1) ? INT64_MAX : db_int(rows, 1), (enum hours_evidence)db_int(rows, 2)};
    }
    db_reset(rows);
    *ret = items;
    *ret_count = count;
    return status;
}
