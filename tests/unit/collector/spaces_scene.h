/* What tests of people in spaces have in common: a park in few words, the journal that is followed, and the rows. */
#pragma once

#include "collector/space/reckon.h"
#include "collector/spaces.h"
#include "tests/unit/collector/journal_scene.h"

#include <inttypes.h>

#define MINUTE_MS INT64_C(60000)
#define QUARTER_MS INT64_C(900000)
#define HOUR_MS INT64_C(3600000)
#define DAY_MS INT64_C(86400000)
#define HEAD                                                                        \
    "sites = ({ id = \"s\"; name = \"x\"; name_en = \"x\"; zone = \"UTC\"; });\n"   \
    "buildings = ({ id = \"b\"; name = \"x\"; name_en = \"x\"; site = \"s\"; });\n" \
    "gateways = ({ id = \"gw-a\"; name = \"x\"; name_en = \"x\"; site = \"s\"; },"  \
    " { id = \"gw-b\"; name = \"x\"; name_en = \"x\"; site = \"s\"; });\n"
#define DOOR(id, in, out)                                                             \
    "{ id = \"" id "\"; name = \"x\"; name_en = \"x\"; in = \"" in "\"; out = \"" out \
    "\"; period = 300; max_rate = 60; }"
#define SPACE(id, more) \
    "{ id = \"" id "\"; name = \"x\"; name_en = \"x\"; building = \"b\"; capacity = 10; " more " }"
#define SPACES(list) HEAD "spaces = (" list ");\n"

struct scene {
    struct fake_journal journal;
    struct park *park;
    struct spaces spaces;
};

/* One that was just started. */
static inline void start(struct scene *s, const char *park)
{
    struct error err = {""};
    spaces_release(&s->spaces);
    use_park(&s->journal, &s->park, park);
    spaces_init(&s->spaces, s->journal.db, s->park);
    must(spaces_reset(&s->spaces, &err), &err);
}

static inline void open_scene(struct scene *s, const char *park)
{
    *s = (struct scene){0};
    open_journal(&s->journal);
    wall = BEGIN_MS + 400 * DAY_MS;
    start(s, park);
}

static inline void close_scene(struct scene *s)
{
    spaces_release(&s->spaces);
    park_destroy(s->park);
    fake_journal_close(&s->journal);
}

/* One transaction; whether nothing is left to do. */
static inline bool step(struct scene *s, bool commits)
{
    struct error err = {""};
    bool is_changed = false;
    mono_ms += SPACES_REST_MS;
    must(db_begin(s->journal.db, &err), &err);
    must(spaces_step(&s->spaces, &ticking, &is_changed, &err), &err);
    end_transaction(&s->journal, commits);
    if (!commits)
        must(spaces_reset(&s->spaces, &err), &err);
    return !is_changed && s->spaces.follower.due_mono_ms > mono_ms;
}

static inline void take_all(struct scene *s)
{
    while (!step(s, true)) {
    }
}

static inline void add(
    struct scene *s, int gateway, const char *kind, const char *point, const char *value, int64_t time_ms)
{
    char *line = mem_printf("%s,point=%s value=%s %" PRId64 "\n", kind, point, value, time_ms);
    fake_journal_add(&s->journal, gateway, line, NULL);
    free(line);
}

/* The row of a source; start_ms is 0 where there is none. */
static inline struct space_row row_at(struct scene *s, const char *space, const char *name, int64_t start_ms)
{
    struct error err = {""};
    struct db_stmt *find =
        db_prepare(s->journal.db, "SELECT id FROM space_source WHERE space = ? AND name = ?");
    bool has_row;
    db_bind_text(find, 1, span_of(space));
    db_bind_text(find, 2, span_of(name));
    must(db_step(find, &has_row, &err), &err);
    assert_true(has_row);
    struct space_row *rows, found = {0};
    size_t count;
    must(rows_read(s->journal.db, db_int(find, 0), start_ms, start_ms + 1, &rows, &count, &err), &err);
    if (count > 0)
        found = rows[0];
    free(rows);
    db_finish(find);
    return found;
}

static inline struct window window_at(struct scene *s, const char *space, const char *name, int64_t start_ms)
{
    return row_at(s, space, name, start_ms).window;
}

static inline int64_t number_of(struct scene *s, const char *sql)
{
    struct error err = {""};
    bool has_row;
    struct db_stmt *q = db_prepare(s->journal.db, sql);
    must(db_step(q, &has_row, &err), &err);
    int64_t number = db_int(q, 0);
    db_finish(q);
    return number;
}
