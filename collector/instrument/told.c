#include "collector/instrument/told_private.h"
#include "lib/mem.h"

#include <string.h>

const char told_schema[] =
    "CREATE TABLE instrument("
    "  id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, activity BLOB NOT NULL, power_ms INTEGER,"
    "  session_ms INTEGER) STRICT;"
    "CREATE TABLE activity_span("
    "  instrument INTEGER NOT NULL, from_ms INTEGER NOT NULL, until_ms INTEGER NOT NULL, state INTEGER NOT "
    "NULL,"
    "  PRIMARY KEY(instrument, from_ms)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX activity_span_end ON activity_span(instrument, until_ms);"
    "CREATE TABLE session("
    "  id INTEGER PRIMARY KEY AUTOINCREMENT, instrument INTEGER NOT NULL, opened_ms INTEGER NOT NULL,"
    "  closed_ms INTEGER, user INTEGER NOT NULL, class INTEGER NOT NULL, organisation TEXT, purpose TEXT,"
    "  open_event TEXT, close_event TEXT, evidence INTEGER NOT NULL, closed_evidence INTEGER, why INTEGER "
    "NOT NULL)"
    " STRICT;"
    "CREATE INDEX session_time ON session(instrument, opened_ms);"
    "CREATE INDEX session_instrument ON session(instrument);"
    "CREATE INDEX session_opened ON session(instrument, open_event) WHERE open_event IS NOT NULL;"
    "CREATE INDEX session_closed ON session(instrument, close_event) WHERE close_event IS NOT NULL;"
    "CREATE TABLE session_unseen("
    "  instrument INTEGER NOT NULL, from_ms INTEGER NOT NULL, until_ms INTEGER NOT NULL,"
    "  PRIMARY KEY(instrument, from_ms)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE resource("
    "  id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, is_down INTEGER NOT NULL, since_ms INTEGER,"
    "  heard_ms INTEGER) STRICT;"
    "CREATE TABLE resource_down("
    "  resource INTEGER NOT NULL, from_ms INTEGER NOT NULL, until_ms INTEGER, evidence INTEGER NOT NULL,"
    "  PRIMARY KEY(resource, from_ms)) STRICT, WITHOUT ROWID;"
    "INSERT INTO cursor VALUES('watch', 0);";

const char told_late_schema[] =
    "ALTER TABLE session ADD COLUMN told_ms INTEGER;"
    "ALTER TABLE session ADD COLUMN told_evidence INTEGER;"
    "ALTER TABLE session ADD COLUMN limit_ms INTEGER;"
    "CREATE INDEX session_late ON session(instrument, limit_ms) WHERE told_ms IS NOT NULL;";

/* power_point, session_point: which told the newest word; NULL = not known. */
const char told_doubt_schema[] = "ALTER TABLE instrument ADD COLUMN power_point TEXT;"
                                 "ALTER TABLE instrument ADD COLUMN session_point TEXT;"
                                 "ALTER TABLE instrument ADD COLUMN power_garbled_ms INTEGER;"
                                 "ALTER TABLE instrument ADD COLUMN session_garbled_ms INTEGER;";

/* says_open: the newest word of a terminal that is polled; NULL = not noted.
 * A close alone that ended a session until one came that did so before: it was in its place, and is displaced. */
const char told_place_schema[] =
    "ALTER TABLE session ADD COLUMN is_displaced INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE instrument ADD COLUMN says_open INTEGER;"
    "ALTER TABLE instrument ADD COLUMN is_contradicted INTEGER NOT NULL DEFAULT 0;"
    "CREATE INDEX session_place ON session(instrument, opened_ms) WHERE why <> 4;";

const char told_reach_schema[] =
    "DROP INDEX activity_span_end;"; /* who asks goes by from_ms: TOLD_REACHING */

static int64_t word_ms(int64_t time_ms, int64_t arrived_ms)
{
    return time_ms < arrived_ms ? time_ms : arrived_ms;
}

/* Of two words of one time the later in the journal counts, as of resources (told_resource.c): both may be of a clock that is
 * ahead, and are of when they arrived. */
static bool is_good(int64_t newest_ms, int64_t garbled_ms)
{
    return garbled_ms == TOLD_NONE || garbled_ms < newest_ms;
}

static void take_garbled(int64_t word, int64_t newest_ms, int64_t *garbled_ms)
{
    if (word >= newest_ms)
        *garbled_ms = told_later_of(*garbled_ms, word);
}

static void take_good(int64_t word, int64_t *garbled_ms)
{
    if (word >= *garbled_ms)
        *garbled_ms = TOLD_NONE;
}

/* ---- instruments ---- */

bool told_is_session_open(const struct told_instrument *t)
{
    const struct told_session *s = &t->last;
    return s->id != 0 && (s->end == TOLD_OPEN || (s->end == TOLD_FORGOTTEN && s->close_event[0] == '\0'));
}

bool told_is_power_good(const struct told_instrument *t)
{
    return !t->is_power_other && is_good(t->power_ms, t->power_garbled_ms);
}

bool told_is_session_good(const struct told_instrument *t)
{
    return !t->is_session_other && !t->is_contradicted && is_good(t->session_ms, t->session_garbled_ms);
}

void told_power_garbled(struct told_instrument *t, int64_t time_ms, int64_t arrived_ms)
{
    take_garbled(word_ms(time_ms, arrived_ms), t->power_ms, &t->power_garbled_ms);
}

void told_session_garbled(struct told_instrument *t, int64_t time_ms, int64_t arrived_ms)
{
    take_garbled(word_ms(time_ms, arrived_ms), t->session_ms, &t->session_garbled_ms);
}

enum activity_state told_activity_now(const struct told_instrument *t, int64_t *ret_since_ms)
{
    struct activity_span span;
    bool has_read = activity_open(&t->activity, &span);
    *ret_since_ms = has_read ? span.from_ms : TOLD_NONE;
    return has_read ? span.state : ACTIVITY_UNKNOWN;
}

/* One of another format than this program's is read as nothing: it begins anew with the next reading. */
static struct activity activity_of(struct span blob)
{
    struct activity a = {0};
    if (blob.len == sizeof a)
        memcpy(&a, blob.at, sizeof a);
    return a;
}

enum status told_find(struct db *db, const char *instrument, struct told_instrument *ret, struct error *err)
{
    struct db_stmt *find =
        db_keep(db, "SELECT id, activity, power_ms, session_ms, power_garbled_ms, session_garbled_ms,"
                    " says_open, is_contradicted FROM instrument WHERE name = ?1");
    bool has_row;
    *ret = (struct told_instrument){.power_ms = TOLD_NONE,
        .session_ms = TOLD_NONE,
        .power_garbled_ms = TOLD_NONE,
        .session_garbled_ms = TOLD_NONE};
    db_bind_text(find, 1, span_of(instrument));
    enum status status = db_step(find, &has_row, err);
    if (status == ST_OK && has_row)
        *ret = (struct told_instrument){.id = db_int(find, 0),
            .activity = activity_of(db_text(find, 1)),
            .power_ms = told_time_of(find, 2),
            .session_ms = told_time_of(find, 3),
            .power_garbled_ms = told_time_of(find, 4),
            .session_garbled_ms = told_time_of(find, 5),
            .has_polled = !db_is_null(find, 6),
            .says_open = !db_is_null(find, 6) && db_int(find, 6) != 0,
            .is_contradicted = db_int(find, 7) != 0};
    db_reset(find);
    return status == ST_OK && ret->id != 0 ? told_session_newest(db, ret->id, &ret->last, err) : status;
}

static enum status add(struct db *db, const char *name, struct told_instrument *ret, struct error *err)
{
    struct db_stmt *add = db_keep(db, "INSERT INTO instrument(name, activity) VALUES(?1, ?2)");
    db_bind_text(add, 1, span_of(name));
    db_bind_blob(add, 2, (struct span){(const char *)&ret->activity, sizeof ret->activity});
    enum status status = db_run(add, err);
    ret->id = db_last_id(db);
    return status;
}

/* Whether the newest words are not known to be of the model's points. */
static enum status compare_points(struct db *db, struct told_instrument *t, struct error *err)
{
    struct db_stmt *find =
        db_keep(db, "SELECT ?2 IS NOT NULL AND power_ms IS NOT NULL AND power_point IS NOT ?2,"
                    " ?3 IS NOT NULL AND session_ms IS NOT NULL AND session_point IS NOT ?3,"
                    " ifnull(power_point = '" TOLD_NOT_FOLLOWED "', 0) FROM instrument WHERE id = ?1");
    bool has_row;
    db_bind_int(find, 1, t->id);
    told_bind_text(find, 2, t->power_point);
    told_bind_text(find, 3, t->session_point);
    enum status status = db_step(find, &has_row, err);
    t->is_power_other = status == ST_OK && has_row && db_int(find, 0) != 0;
    t->is_session_other = status == ST_OK && has_row && db_int(find, 1) != 0;
    t->begins_anew = status == ST_OK && has_row && db_int(find, 2) != 0;
    db_reset(find);
    return status;
}

/* One that an earlier program opened, which did not note how long it may last: by the model that finds it so. */
static enum status limit_session(
    struct db *db, struct told_instrument *t, bool *ret_is_changed, struct error *err)
{
    struct told_session *s = &t->last;
    if (!told_is_session_open(t) || s->limit_ms != TOLD_NONE)
        return ST_OK;
    s->limit_ms = s->opened_ms + t->max_session_ms;
    *ret_is_changed = true;
    return told_session_update(db, s, err);
}

enum status told_take_up(struct db *db, const struct park_instrument *park, struct told_instrument *ret,
    bool *ret_is_changed, struct error *err)
{
    enum status status = told_find(db, park->id, ret, err);
    if (status == ST_OK && ret->id == 0) {
        *ret_is_changed = true;
        status = add(db, park->id, ret, err);
    }
    ret->max_session_ms = park->max_session_ms;
    ret->gap_ms = park->power_point != NULL ? activity_gap_ms(park->power_period_ms) : 0;
    ret->power_point = park->power_point;
    ret->session_point = park->session;
    ret->unsettled_ms = INT64_MAX;
    if (status == ST_OK)
        status = limit_session(db, ret, ret_is_changed, err);
    return status == ST_OK ? compare_points(db, ret, err) : status;
}

enum status told_save(struct db *db, struct told_instrument *t, struct error *err)
{
    struct db_stmt *save = db_keep(db,
        "UPDATE instrument SET activity = ?2, power_ms = ?3, session_ms = ?4, "
        "power_point = ifnull(?5, power_point),"
        " session_point = ifnull(?6, session_point), power_garbled_ms = ?7, session_garbled_ms = ?8,"
        " says_open = ?9, is_contradicted = ?10 WHERE id = ?1");
    db_bind_int(save, 1, t->id);
    db_bind_blob(save, 2, (struct span){(const char *)&t->activity, sizeof t->activity});
    told_bind_time(save, 3, t->power_ms);
    told_bind_time(save, 4, t->session_ms);
    told_bind_text(save, 5, t->is_power_other ? NULL : t->power_point);
    told_bind_text(save, 6, t->is_session_other ? NULL : t->session_point);
    told_bind_time(save, 7, t->power_garbled_ms);
    told_bind_time(save, 8, t->session_garbled_ms);
    told_bind_time(save, 9, t->has_polled ? t->says_open : TOLD_NONE);
    db_bind_int(save, 10, t->is_contradicted);
    enum status status = db_run(save, err);
    return status == ST_OK ? told_settle(db, t, err) : status;
}

enum status told_power(struct db *db, struct told_instrument *t, const struct activity_limits *limits,
    int64_t time_ms, int64_t arrived_ms, int64_t power_mw, struct error *err)
{
    int64_t begin_ms = t->activity.has_read ? t->activity.since_ms : time_ms;
    struct activity_limits with = *limits;
    if (t->begins_anew)
        with.gap_ms = 0;
    struct activity_done done = activity_read(&t->activity, &with, time_ms, power_mw);
    if (done.is_taken) {
        t->begins_anew = false;
        if (begin_ms < t->unsettled_ms)
            t->unsettled_ms = begin_ms;
        t->power_ms = told_later_of(t->power_ms, word_ms(time_ms, arrived_ms));
        t->is_power_other = false;
        take_good(word_ms(time_ms, arrived_ms), &t->power_garbled_ms);
    }
    struct db_stmt *add = db_keep(db, "INSERT INTO activity_span VALUES(?1, ?2, ?3, ?4)");
    enum status status = ST_OK;
    for (int i = 0; i < done.count && status == ST_OK; i++) {
        db_bind_int(add, 1, t->id);
        db_bind_int(add, 2, done.spans[i].from_ms);
        db_bind_int(add, 3, done.spans[i].until_ms);
        db_bind_int(add, 4, done.spans[i].state);
        status = db_run(add, err);
    }
    return status;
}

enum status told_heard(
    struct db *db, struct told_instrument *t, int64_t time_ms, int64_t arrived_ms, struct error *err)
{
    int64_t word = word_ms(time_ms, arrived_ms), before = t->session_ms;
    take_good(word, &t->session_garbled_ms);
    t->is_contradicted = false;
    if (word <= before)
        return ST_OK;
    t->session_ms = word;
    t->is_session_other = false;
    if (before != TOLD_NONE && word - before <= activity_gap_ms(TOLD_SESSION_PERIOD_MS))
        return ST_OK;
    struct db_stmt *add = db_keep(db, "INSERT INTO session_unseen VALUES(?1, ?2, ?3)");
    db_bind_int(add, 1, t->id);
    db_bind_int(add, 2, before == TOLD_NONE ? 0 : before);
    db_bind_int(add, 3, word);
    return db_run(add, err);
}

static enum status open_activity(
    struct db *db, int64_t instrument, struct activity_span *ret, struct error *err)
{
    struct db_stmt *find = db_keep(db, "SELECT activity FROM instrument WHERE id = ?1");
    bool has_row;
    *ret = (struct activity_span){0};
    db_bind_int(find, 1, instrument);
    enum status status = db_step(find, &has_row, err);
    if (status == ST_OK && has_row) {
        struct activity a = activity_of(db_text(find, 0));
        activity_open(&a, ret);
    }
    db_reset(find);
    return status;
}

enum status told_activity(struct db *db, int64_t instrument, int64_t from_ms, int64_t until_ms,
    struct activity_span **ret, size_t *ret_count, struct error *err)
{
    struct db_stmt *rows =
        db_keep(db, "SELECT from_ms, until_ms, state" TOLD_REACHING("activity_span", "instrument"));
    struct activity_span *items = NULL, open = {0};
    size_t count = 0, capacity = 0;
    bool has_row;
    enum status status;
    db_bind_int(rows, 1, instrument);
    db_bind_int(rows, 2, from_ms);
    db_bind_int(rows, 3, until_ms);
    while ((status = db_step(rows, &has_row, err)) == ST_OK && has_row) {
        MEM_GROW(items, count, capacity);
        items[count++] =
            (struct activity_span){db_int(rows, 0), db_int(rows, 1), (enum activity_state)db_int(rows, 2)};
    }
    db_reset(rows);
    if (status == ST_OK)
        status = open_activity(db, instrument, &open, err);
    if (status == ST_OK && open.from_ms < open.until_ms && open.until_ms > from_ms &&
        open.from_ms < until_ms) {
        MEM_GROW(items, count, capacity);
        items[count++] = open;
    }
    *ret = items;
    *ret_count = count;
    return status;
}

struct spans {
    struct hours_span *items;
    size_t count, capacity;
};

static void add_span(struct spans *s, int64_t from_ms, int64_t until_ms)
{
    MEM_GROW(s->items, s->count, s->capacity);
    s->items[s->count++] = (struct hours_span){.from_ms = from_ms, .until_ms = until_ms};
}

static enum status newest_word(struct db *db, int64_t instrument, int64_t *ret, struct error *err)
{
    struct db_stmt *find = db_keep(db, "SELECT session_ms FROM instrument WHERE id = ?1");
    bool has_row;
    db_bind_int(find, 1, instrument);
    enum status status = db_step(find, &has_row, err);
    *ret = status == ST_OK && has_row ? told_time_of(find, 0) : TOLD_NONE;
    db_reset(find);
    return status;
}

enum status told_unseen(struct db *db, int64_t instrument, int64_t from_ms, int64_t until_ms,
    struct hours_span **ret, size_t *ret_count, struct error *err)
{
    struct db_stmt *rows =
        db_keep(db, "SELECT from_ms, until_ms" TOLD_REACHING("session_unseen", "instrument"));
    struct spans spans = {0};
    int64_t word_ms = TOLD_NONE;
    bool has_row;
    enum status status;
    db_bind_int(rows, 1, instrument);
    db_bind_int(rows, 2, from_ms);
    db_bind_int(rows, 3, until_ms);
    while ((status = db_step(rows, &has_row, err)) == ST_OK && has_row)
        add_span(&spans, db_int(rows, 0), db_int(rows, 1));
    db_reset(rows);
    if (status == ST_OK)
        status = newest_word(db, instrument, &word_ms, err);
    if (status == ST_OK && word_ms == TOLD_NONE)
        add_span(&spans, from_ms, until_ms);
    else if (status == ST_OK && until_ms - word_ms > activity_gap_ms(TOLD_SESSION_PERIOD_MS))
        add_span(&spans, word_ms, until_ms);
    *ret = spans.items;
    *ret_count = spans.count;
    return status;
}
