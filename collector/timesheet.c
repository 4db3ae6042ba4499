#include "collector/timesheet.h"

#include "collector/energy/series.h"
#include "collector/instrument/hours_facts.h"
#include "collector/timesheet_line.h"
#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>

#define QUARTER_MS PERIODS_QUARTER_HOUR_MS
#define NONE INT64_MIN

/* Whose, by timesheet_due.kind; the first three are those of outages. */
enum due_kind { DUE_INSTRUMENT, DUE_RESOURCE, DUE_SPACE, DUE_CALENDAR };

#define FOREVER "9223372036854775807"
#define NOTE(kind, name, from, until, table, id)                   \
    "  INSERT INTO timesheet_due(kind, target, from_ms, until_ms)" \
    "    SELECT " kind ", " name ", " from ", " until " FROM " table " WHERE id = " id "; END;"
#define LATER(column) "max(coalesce(old." column ", " FOREVER "), coalesce(new." column ", " FOREVER "))"
/* Of what lies ahead nothing is written yet. */
#define WRITTEN "(SELECT max(written_ms) FROM timesheet)"

const char timesheet_schema[] =
    "CREATE TABLE timesheet("
    "  instrument TEXT PRIMARY KEY, begun_ms INTEGER NOT NULL, written_ms INTEGER NOT NULL, power_ms INTEGER,"
    "  session_ms INTEGER)"
    " STRICT, WITHOUT ROWID;"
    /* Each booking that comes asks for the latest. */
    "CREATE INDEX timesheet_written ON timesheet(written_ms);"
    "CREATE TABLE timesheet_meter(meter INTEGER PRIMARY KEY, instrument TEXT NOT NULL) STRICT;"
    "CREATE TABLE timesheet_due("
    "  id INTEGER PRIMARY KEY AUTOINCREMENT, kind INTEGER NOT NULL, target TEXT NOT NULL,"
    "  from_ms INTEGER NOT NULL, until_ms INTEGER NOT NULL) STRICT;"
    "CREATE INDEX timesheet_due_target ON timesheet_due(target);"
    "CREATE TRIGGER timesheet_opened AFTER INSERT ON session BEGIN" NOTE("0", "name", "new.opened_ms",
        "coalesce(new.closed_ms, " FOREVER ")", "instrument",
        "new.instrument") "CREATE TRIGGER timesheet_closed AFTER UPDATE ON session BEGIN" NOTE("0", "name",
        "min(old.opened_ms, new.opened_ms)", LATER("closed_ms"), "instrument",
        "new.instrument") "CREATE TRIGGER timesheet_unseen AFTER INSERT ON session_unseen BEGIN" NOTE("0",
        "name", "new.from_ms", "new.until_ms", "instrument",
        "new.instrument") "CREATE TRIGGER timesheet_down AFTER INSERT ON resource_down BEGIN" NOTE("1",
        "name", "new.from_ms", "coalesce(new.until_ms, " FOREVER ")", "resource",
        "new.resource") "CREATE TRIGGER timesheet_up AFTER UPDATE ON resource_down BEGIN" NOTE("1", "name",
        "min(old.from_ms, new.from_ms)", LATER("until_ms"), "resource",
        "new.resource") "CREATE TRIGGER timesheet_booked AFTER INSERT ON calendar_busy WHEN new.from_ms "
                        "< " WRITTEN " BEGIN" NOTE("3", "name", "new.from_ms", "new.until_ms", "calendar",
                            "new.calendar") "CREATE TRIGGER timesheet_unbooked AFTER DELETE ON calendar_busy "
                                            "WHEN old.from_ms < " WRITTEN " BEGIN" NOTE("3", "name",
                                                "old.from_ms", "old.until_ms", "calendar",
                                                "old.calendar") "CREATE TRIGGER timesheet_metered AFTER "
                                                                "INSERT ON ledger_quarter"
                                                                " WHEN EXISTS (SELECT 1 FROM timesheet_meter "
                                                                "WHERE meter = new.meter) BEGIN"
                                                                "  INSERT INTO timesheet_due(kind, target, "
                                                                "from_ms, until_ms)"
                                                                "    SELECT 0, instrument, new.start_ms, "
                                                                "new.start_ms + 900000 FROM timesheet_meter"
                                                                "    WHERE meter = new.meter; END;";

/* What was down by a word that another took the place of. */
const char timesheet_gone_schema[] =
    "CREATE TRIGGER timesheet_down_gone AFTER DELETE ON resource_down BEGIN" NOTE(
        "1", "name", "old.from_ms", "coalesce(old.until_ms, " FOREVER ")", "resource", "old.resource");

/* Of those of which no point tells use earlier programs wrote what was booked as time that was not used, or as a no-show. Of before
 * the first that is known there is nothing to write. */
const char timesheet_again_schema[] =
    "DROP INDEX timesheet_due_target;"
    "CREATE INDEX timesheet_due_walk ON timesheet_due(target, kind, from_ms);"
    "INSERT INTO timesheet_due(kind, target, from_ms, until_ms)"
    "  SELECT 0, instrument, 0, written_ms FROM timesheet WHERE power_ms IS NULL AND session_ms IS NULL";

/* ---- the model ---- */

static void forget_model(struct timesheet *t)
{
    for (size_t i = 0; i < t->zone_count; i++)
        zone_destroy(t->zones[i]);
    free(t->zones);
    t->zones = NULL;
    t->zone_count = 0;
    timesheet_reset(t);
}

void timesheet_use(struct timesheet *t, const struct park *park)
{
    forget_model(t);
    t->park = park;
    t->zones = mem_zalloc((park->sites.count + 1) * sizeof(struct zone *));
    CONF_EACH (const struct park_site, site, park->sites)
        t->zones[t->zone_count++] = zone_create(site->zone);
}

void timesheet_init(struct timesheet *t, struct db *db, const struct park *park)
{
    *t = (struct timesheet){.db = db};
    timesheet_use(t, park);
}

void timesheet_release(struct timesheet *t)
{
    forget_model(t);
    *t = (struct timesheet){0};
}

void timesheet_reset(struct timesheet *t)
{
    t->is_loaded = false;
    t->next = 0;
    t->job = (struct timesheet_job){0};
    t->due_mono_ms = 0;
}

static const struct zone *zone_of(const struct timesheet *t, const struct park_instrument *n)
{
    return t->zones[n->building->site - (const struct park_site *)t->park->sites.items];
}

static int64_t floor_of(int64_t time_ms)
{
    return periods_quarter_hour(time_ms);
}

static int64_t ceiling_of(int64_t time_ms)
{
    return time_ms > INT64_MAX - QUARTER_MS ? INT64_MAX : periods_quarter_hour(time_ms + QUARTER_MS - 1);
}

static int64_t lower_of(int64_t a_ms, int64_t b_ms)
{
    return a_ms < b_ms ? a_ms : b_ms;
}

static int64_t higher_of(int64_t a_ms, int64_t b_ms)
{
    return a_ms > b_ms ? a_ms : b_ms;
}

/* ---- rows ---- */

static enum status run(
    struct timesheet *t, struct db_stmt *statement, bool *ret_is_changed, struct error *err)
{
    enum status status = db_run(statement, err);
    *ret_is_changed = *ret_is_changed || (status == ST_OK && db_changes(t->db) > 0);
    return status;
}

/* An instrument that is new begins now: what is known of it from before is written when it is seen. */
static enum status take_up(struct timesheet *t, const struct park_instrument *n, int64_t now_ms,
    bool *ret_is_changed, struct error *err)
{
    struct db_stmt *add =
        db_keep(t->db, "INSERT INTO timesheet(instrument, begun_ms, written_ms) VALUES(?1, ?2, ?2)"
                       " ON CONFLICT DO NOTHING");
    db_bind_text(add, 1, span_of(n->id));
    db_bind_int(add, 2, floor_of(now_ms));
    enum status status = run(t, add, ret_is_changed, err);
    if (status != ST_OK || n->meter == NULL)
        return status;
    int64_t meter = 0;
    status = series_meter(t->db, n->meter->id, &meter, err);
    if (status != ST_OK || meter == 0) { /* the books do not know it yet: looked for again */
        t->is_loaded = false;
        return status;
    }
    struct db_stmt *note =
        db_keep(t->db, "INSERT INTO timesheet_meter(meter, instrument) VALUES(?1, ?2) ON CONFLICT DO UPDATE"
                       " SET instrument = excluded.instrument WHERE instrument <> excluded.instrument");
    db_bind_int(note, 1, meter);
    db_bind_text(note, 2, span_of(n->id));
    return run(t, note, ret_is_changed, err);
}

static enum status load(struct timesheet *t, int64_t now_ms, bool *ret_is_changed, struct error *err)
{
    enum status status = ST_OK;
    t->is_loaded = true;
    CONF_EACH (const struct park_instrument, n, t->park->instruments)
        if (status == ST_OK)
            status = take_up(t, n, now_ms, ret_is_changed, err);
    return status;
}

static int64_t time_of(struct db_stmt *row, int column)
{
    return db_is_null(row, column) ? NONE : db_int(row, column);
}

struct sheet {
    int64_t begun_ms, written_ms, power_ms, session_ms;
};

static enum status read_sheet(
    struct timesheet *t, const struct park_instrument *n, struct sheet *ret, struct error *err)
{
    struct db_stmt *find = db_keep(t->db, "SELECT begun_ms, written_ms, power_ms, session_ms FROM timesheet"
                                          " WHERE instrument = ?1");
    bool has_row;
    *ret = (struct sheet){NONE, NONE, NONE, NONE};
    db_bind_text(find, 1, span_of(n->id));
    enum status status = db_step(find, &has_row, err);
    if (status == ST_OK && has_row)
        *ret = (struct sheet){db_int(find, 0), db_int(find, 1), time_of(find, 2), time_of(find, 3)};
    db_reset(find);
    return status;
}

static void bind_time(struct db_stmt *statement, int index, int64_t time_ms)
{
    if (time_ms == NONE)
        db_bind_null(statement, index);
    else
        db_bind_int(statement, index, time_ms);
}

static enum status write_sheet(struct timesheet *t, bool *ret_is_changed, struct error *err)
{
    struct db_stmt *write = db_keep(
        t->db, "UPDATE timesheet SET written_ms = ?2, power_ms = ?3, session_ms = ?4 WHERE instrument = ?1");
    db_bind_text(write, 1, span_of(t->job.instrument->id));
    db_bind_int(write, 2, t->job.written_ms);
    bind_time(write, 3, t->job.power_ms);
    bind_time(write, 4, t->job.session_ms);
    return run(t, write, ret_is_changed, err);
}

/* ---- a piece of work ---- */

static enum status begin(struct timesheet *t, const struct park_instrument *n, int64_t from_ms,
    int64_t until_ms, int64_t now_ms, struct error *err)
{
    /* A clock that was set back does not know less than what is written. */
    int64_t known_ms = higher_of(now_ms, t->job.written_ms), begin_ms = from_ms, end_ms = until_ms;
    enum status status = timesheet_lines_widen(t->db, n, zone_of(t, n), known_ms, &begin_ms, &end_ms, err);
    t->job.instrument = n;
    t->job.now_ms = known_ms;
    t->job.at_ms = floor_of(begin_ms);
    t->job.until_ms = lower_of(ceiling_of(end_ms), t->job.written_ms);
    return status;
}

/* What it made anew is due no more, but for what became due since it began. */
static enum status end_due(struct timesheet *t, bool *ret_is_changed, struct error *err)
{
    struct db_stmt *remove = db_keep(t->db, "DELETE FROM timesheet_due WHERE id = ?1");
    db_bind_int(remove, 1, t->job.due);
    return run(t, remove, ret_is_changed, err);
}

static enum status go_on(struct timesheet *t, bool *ret_is_changed, struct error *err)
{
    struct timesheet_job *job = &t->job;
    int64_t until_ms = lower_of(job->until_ms, job->at_ms + TIMESHEET_QUARTERS * QUARTER_MS);
    enum status status = ST_OK;
    if (job->at_ms < until_ms)
        status = timesheet_lines_put(t->db, job->instrument, zone_of(t, job->instrument), job->at_ms,
            until_ms, job->now_ms, ret_is_changed, err);
    job->at_ms = until_ms;
    if (status != ST_OK || job->at_ms < job->until_ms)
        return status;
    status = job->due != 0 ? end_due(t, ret_is_changed, err) : write_sheet(t, ret_is_changed, err);
    *job = (struct timesheet_job){0};
    return status;
}

/* ---- what is due ---- */

static enum status drop(struct timesheet *t, int64_t due, bool *ret_is_changed, struct error *err)
{
    t->job = (struct timesheet_job){.due = due};
    enum status status = end_due(t, ret_is_changed, err);
    t->job = (struct timesheet_job){0};
    return status;
}

static bool is_of(const struct park_instrument *n, enum due_kind kind, const char *target)
{
    switch (kind) {
    case DUE_INSTRUMENT:
        return strcmp(n->id, target) == 0;
    case DUE_SPACE:
        return n->space != NULL && strcmp(n->space->id, target) == 0;
    case DUE_CALENDAR:
        return n->calendar_id != NULL && strcmp(n->calendar_id, target) == 0;
    case DUE_RESOURCE:
        break;
    }
    for (size_t i = 0; i < n->requires.count; i++)
        if (strcmp(n->required[i]->id, target) == 0)
            return true;
    return false;
}

/* Of a resource, a space or a calendar: so of each instrument that it concerns. */
static enum status share_out(struct timesheet *t, enum due_kind kind, const char *target, int64_t from_ms,
    int64_t until_ms, struct error *err)
{
    enum status status = ST_OK;
    struct db_stmt *add =
        db_keep(t->db, "INSERT INTO timesheet_due(kind, target, from_ms, until_ms) VALUES(0, ?1, ?2, ?3)");
    CONF_EACH (const struct park_instrument, n, t->park->instruments) {
        if (status != ST_OK || !is_of(n, kind, target))
            continue;
        db_bind_text(add, 1, span_of(n->id));
        db_bind_int(add, 2, from_ms);
        db_bind_int(add, 3, until_ms);
        status = db_run(add, err);
    }
    return status;
}

/* What was taken from people (collector/instrument/outage.h). */
static enum status take_outages(struct timesheet *t, bool *ret_is_changed, struct error *err)
{
    struct db_stmt *take =
        db_keep(t->db, "INSERT INTO timesheet_due(kind, target, from_ms, until_ms)"
                       " SELECT target_kind, target, from_ms, until_ms FROM outage_touched");
    struct db_stmt *clear = db_keep(t->db, "DELETE FROM outage_touched");
    enum status status = run(t, take, ret_is_changed, err);
    return status == ST_OK ? run(t, clear, ret_is_changed, err) : status;
}

static enum status first_power(
    struct timesheet *t, const struct told_instrument *told, int64_t *ret_ms, struct error *err)
{
    struct db_stmt *first = db_keep(t->db, "SELECT min(from_ms) FROM activity_span WHERE instrument = ?1");
    bool has_row;
    db_bind_int(first, 1, told->id);
    enum status status = db_step(first, &has_row, err);
    if (status == ST_OK)
        *ret_ms = has_row && !db_is_null(first, 0) ? db_int(first, 0) : told->activity.since_ms;
    db_reset(first);
    return status;
}

/* Of before the first that is known of it there is nothing to write. */
static enum status first_known(struct timesheet *t, const struct park_instrument *n,
    const struct sheet *sheet, int64_t *ret_ms, struct error *err)
{
    struct told_instrument told;
    int64_t power_ms = INT64_MAX;
    *ret_ms = sheet->begun_ms;
    enum status status = told_find(t->db, n->id, &told, err);
    if (status == ST_OK && told.activity.has_read)
        status = first_power(t, &told, &power_ms, err);
    if (status != ST_OK)
        return status;
    *ret_ms = lower_of(*ret_ms, power_ms);
    struct db_stmt *first = db_keep(t->db, "SELECT min(opened_ms) FROM session WHERE instrument = ?1");
    bool has_row;
    db_bind_int(first, 1, told.id);
    status = db_step(first, &has_row, err);
    if (status == ST_OK && has_row && !db_is_null(first, 0))
        *ret_ms = lower_of(*ret_ms, db_int(first, 0));
    db_reset(first);
    return status;
}

static enum status begin_due(struct timesheet *t, const struct park_instrument *n, int64_t due,
    int64_t from_ms, int64_t until_ms, int64_t now_ms, bool *ret_is_changed, struct error *err)
{
    struct sheet sheet;
    int64_t first_ms;
    enum status status = read_sheet(t, n, &sheet, err);
    if (status == ST_OK)
        status = first_known(t, n, &sheet, &first_ms, err);
    if (status != ST_OK)
        return status;
    from_ms = higher_of(from_ms, first_ms);
    until_ms = lower_of(ceiling_of(until_ms), sheet.written_ms);
    from_ms = floor_of(from_ms);
    if (from_ms >= until_ms)
        return drop(t, due, ret_is_changed, err);
    t->job = (struct timesheet_job){.due = due, .written_ms = sheet.written_ms};
    return begin(t, n, from_ms, until_ms, now_ms, err);
}

/* What is due of it from there on without a gap is one, and is worked out once. */
static enum status gather(struct timesheet *t, int64_t due, const char *target, int64_t from_ms,
    int64_t *until_ms, bool *ret_is_changed, struct error *err)
{
    struct db_stmt *walk = db_keep(t->db, "SELECT from_ms, until_ms FROM timesheet_due WHERE target = ?1"
                                          " AND kind = 0 AND from_ms >= ?2 ORDER BY from_ms");
    struct db_stmt *drop = db_keep(t->db, "DELETE FROM timesheet_due WHERE target = ?1 AND kind = 0"
                                          " AND from_ms BETWEEN ?2 AND ?3 AND id <> ?4");
    struct db_stmt *put = db_keep(t->db, "UPDATE timesheet_due SET until_ms = ?2 WHERE id = ?1");
    int64_t last_ms = from_ms;
    bool has_row = true, touches = true;
    enum status status = ST_OK;
    db_bind_text(walk, 1, span_of(target));
    db_bind_int(walk, 2, from_ms);
    while (status == ST_OK && touches && (status = db_step(walk, &has_row, err)) == ST_OK && has_row) {
        touches = db_int(walk, 0) <= *until_ms;
        last_ms = touches ? db_int(walk, 0) : last_ms;
        *until_ms = touches ? higher_of(*until_ms, db_int(walk, 1)) : *until_ms;
    }
    db_reset(walk);
    db_bind_text(drop, 1, span_of(target));
    db_bind_int(drop, 2, from_ms);
    db_bind_int(drop, 3, last_ms);
    db_bind_int(drop, 4, due);
    db_bind_int(put, 1, due);
    db_bind_int(put, 2, *until_ms);
    if (status == ST_OK)
        status = run(t, put, ret_is_changed, err);
    return status == ST_OK ? run(t, drop, ret_is_changed, err) : status;
}

static enum status take_due(
    struct timesheet *t, int64_t now_ms, bool *ret_is_there, bool *ret_is_changed, struct error *err)
{
    struct db_stmt *first =
        db_keep(t->db, "SELECT id, kind, target, from_ms, until_ms FROM timesheet_due ORDER BY id LIMIT 1");
    enum status status = db_step(first, ret_is_there, err);
    if (status != ST_OK || !*ret_is_there)
        return status;
    int64_t id = db_int(first, 0), from_ms = db_int(first, 3), until_ms = db_int(first, 4);
    enum due_kind kind = (enum due_kind)db_int(first, 1);
    struct span name = db_text(first, 2);
    char *target = mem_strndup(name.at, name.len);
    db_reset(first);
    const struct park_instrument *n = kind == DUE_INSTRUMENT ? park_instrument_find(t->park, target) : NULL;
    if (n != NULL)
        status = gather(t, id, target, from_ms, &until_ms, ret_is_changed, err);
    if (kind != DUE_INSTRUMENT)
        status = share_out(t, kind, target, from_ms, until_ms, err);
    if (status == ST_OK)
        status = n != NULL ? begin_due(t, n, id, from_ms, until_ms, now_ms, ret_is_changed, err)
                           : drop(t, id, ret_is_changed, err);
    free(target);
    return status;
}

/* ---- what is over, and what was heard since ---- */

/* A source said more than when quarter hours were written that it may tell of. */
static int64_t again_from(int64_t before_ms, int64_t now_ms, int64_t written_ms)
{
    return now_ms > before_ms && before_ms < written_ms ? floor_of(before_ms) : written_ms;
}

static enum status look_at(
    struct timesheet *t, const struct park_instrument *n, int64_t now_ms, struct error *err)
{
    struct sheet sheet;
    struct told_instrument told;
    enum status status = read_sheet(t, n, &sheet, err);
    if (status == ST_OK && sheet.written_ms != NONE)
        status = told_find(t->db, n->id, &told, err);
    if (status != ST_OK || sheet.written_ms == NONE)
        return status;
    int64_t power_ms = n->power_point != NULL ? hours_power_ms(&told.activity) : NONE;
    int64_t session_ms = n->session != NULL ? told.session_ms : NONE;
    int64_t from_ms = sheet.written_ms;
    int64_t until_ms = higher_of(from_ms, floor_of(hours_heard_ms(n, &told, now_ms)));
    int64_t power_before_ms = sheet.power_ms, session_before_ms = sheet.session_ms;
    if (power_ms != NONE && power_before_ms == NONE)
        status = first_power(t, &told, &power_before_ms, err);
    if (session_ms != NONE && session_before_ms == NONE)
        session_before_ms = sheet.begun_ms; /* the first word */
    if (power_ms != NONE)
        from_ms = lower_of(from_ms, again_from(power_before_ms, power_ms, sheet.written_ms));
    if (session_ms != NONE)
        from_ms = lower_of(from_ms, again_from(session_before_ms, session_ms, sheet.written_ms));
    if (status != ST_OK || from_ms >= until_ms)
        return status;
    t->job = (struct timesheet_job){.written_ms = until_ms, .power_ms = power_ms, .session_ms = session_ms};
    return begin(t, n, from_ms, until_ms, now_ms, err);
}

static enum status step(struct timesheet *t, const struct clock *clock, bool *ret_is_done,
    bool *ret_is_changed, struct error *err)
{
    int64_t now_ms = clock->wall_ms();
    bool is_there = false;
    *ret_is_done = false;
    if (t->job.instrument != NULL)
        return go_on(t, ret_is_changed, err);
    enum status status = take_due(t, now_ms, &is_there, ret_is_changed, err);
    if (status != ST_OK || is_there)
        return status;
    if (t->next < t->park->instruments.count)
        return look_at(
            t, (const struct park_instrument *)t->park->instruments.items + t->next++, now_ms, err);
    t->next = 0;
    *ret_is_done = true;
    return ST_OK;
}

enum status timesheet_step(
    struct timesheet *t, const struct clock *clock, bool *ret_is_changed, struct error *err)
{
    int64_t now_mono_ms = clock->mono_ms();
    bool is_done = false;
    if (now_mono_ms < t->due_mono_ms)
        return ST_OK;
    enum status status = t->is_loaded ? ST_OK : load(t, clock->wall_ms(), ret_is_changed, err);
    if (status == ST_OK && t->next == 0 && t->job.instrument == NULL)
        status = take_outages(t, ret_is_changed, err);
    while (status == ST_OK && !is_done) {
        status = step(t, clock, &is_done, ret_is_changed, err);
        if (clock->mono_ms() - now_mono_ms >= TIMESHEET_STEP_MS)
            break;
    }
    if (status == ST_OK && is_done)
        timesheet_rest(t, clock);
    return status;
}

void timesheet_rest(struct timesheet *t, const struct clock *clock)
{
    t->due_mono_ms = clock->mono_ms() + TIMESHEET_REST_MS;
}

int64_t timesheet_due_mono_ms(const struct timesheet *t)
{
    return t->park->instruments.count > 0 ? t->due_mono_ms : INT64_MAX;
}
