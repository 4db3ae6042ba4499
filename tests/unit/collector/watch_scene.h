/* From the journal to what instruments and resources told: the same rows in any grouping, and after kills. */
#pragma once

#include "collector/watch.h"
#include "tests/unit/collector/database_dump.h"
#include "tests/unit/collector/journal_scene.h"

#define S INT64_C(1000)
#define HOUR (3600 * S)

#define NAMED(id) "id = \"" id "\"; name = \"x\"; name_en = \"x\"; "
#define HEAD                                                                                              \
    "sites = ({ " NAMED("s") "zone = \"UTC\"; });\nbuildings = ({ " NAMED(                                \
        "b") "site = \"s\"; });\n"                                                                        \
             "gateways = ({ " NAMED("gw-a") "site = \"s\"; }, { " NAMED("gw-b") "site = \"s\"; });\n"     \
                                                                                "categories = ({ " NAMED( \
                                                                                    "c") "});\n"
#define RESOURCES                                                                         \
    "resources = ({ " NAMED(                                                              \
        "water") "building = \"b\"; kind = \"chilled_water\"; point = \"gw-a/water\";"    \
                 " up = (\"on\"); down = (\"off\", \"alarm\"); period = 60; }, { " NAMED( \
                     "gas") "building = \"b\"; kind = \"gas\"; contact = \"8000\"; });\n"
#define WHOSE                                                                                               \
    "building = \"b\"; category = \"c\"; owner = \"o\"; owner_en = \"o\"; owner_code = \"OWN\"; contact = " \
    "\"8\"; "
#define POWERED(id, enter) POWERED_BY(id, id, enter)
#define POWERED_BY(id, point, enter)                                                                       \
    "{ " NAMED(id) WHOSE "power = \"gw-a/" point "\"; session = \"gw-b/" point "\"; off_w = 10; standby_w = 20;" \
                         " exit_w = 30; enter_w = " enter                                                  \
                         "; enter_s = 10; exit_s = 60; off_means = \"available\"; max_session = 7200; }"
#define BARE(id) "{ " NAMED(id) WHOSE "session = \"gw-b/" id "\"; max_session = 7200; }"

static const char nothing[] = HEAD,
                  all[] = HEAD RESOURCES "instruments = (" POWERED("sem", "40") ", " BARE("afm") ");\n",
                  higher[] = HEAD RESOURCES "instruments = (" POWERED("sem", "400") ", " BARE("afm") ");\n",
                  moved[] = HEAD RESOURCES "instruments = (" POWERED_BY("sem", "sem-b", "40") ", " BARE("afm") ");\n",
                  alone[] = HEAD "instruments = (" BARE("afm") ");\n";

struct scene {
    struct fake_journal journal;
    struct park *park;
    struct watch watch;
};

/* One that was just started. */
static inline void start(struct scene *s, const char *park)
{
    struct error err = {""};
    watch_release(&s->watch);
    use_park(&s->journal, &s->park, park);
    watch_init(&s->watch, s->journal.db, s->park);
    must(watch_reset(&s->watch, &err), &err);
}

static inline void open_scene(struct scene *s, const char *park)
{
    *s = (struct scene){0};
    open_journal(&s->journal);
    start(s, park);
}

static inline void close_scene(struct scene *s)
{
    watch_release(&s->watch);
    park_destroy(s->park);
    fake_journal_close(&s->journal);
}

/* One transaction; whether there was something to write. */
static inline bool step(struct scene *s, bool commits)
{
    struct error err = {""};
    bool is_changed = false;
    mono_ms += 1000;
    must(db_begin(s->journal.db, &err), &err);
    must(watch_step(&s->watch, &ticking, &is_changed, &err), &err);
    end_transaction(&s->journal, commits);
    if (!commits)
        must(watch_reset(&s->watch, &err), &err);
    return is_changed;
}

static inline void take_all(struct scene *s)
{
    while (step(s, true)) {
    }
}

static inline void add_line(struct scene *s, int gateway, const char *line, int64_t arrived_ms)
{
    struct error err = {""};
    int64_t id = fake_journal_add(&s->journal, gateway, line, NULL);
    struct db_stmt *arrive = db_keep(s->journal.db, "UPDATE journal SET received_ms = ?2 WHERE id = ?1");
    db_bind_int(arrive, 1, id);
    db_bind_int(arrive, 2, arrived_ms);
    must(db_run(arrive, &err), &err);
}

/* After BEGIN_MS; arrives at once. */
static inline void power(struct scene *s, int64_t after_ms, const char *watts)
{
    char *line = mem_printf("gauge,point=sem value=%s %" PRId64 "\n", watts, BEGIN_MS + after_ms);
    add_line(s, 1, line, BEGIN_MS + after_ms);
    free(line);
}

static inline void state(
    struct scene *s, int gateway, const char *point, const char *text, int64_t after_ms, int64_t late_ms)
{
    char *line = mem_printf("state,point=%s value=\"%s\" %" PRId64 "\n", point, text, BEGIN_MS + after_ms);
    add_line(s, gateway, line, BEGIN_MS + after_ms + late_ms);
    free(line);
}

static inline void told(struct scene *s, int64_t after_ms, const char *text)
{
    state(s, 2, "sem", text, after_ms, 0);
}

/* What a person says of the first instrument. */
static inline void by_hand(struct scene *s, int64_t after_ms, const char *id, bool is_open)
{
    struct session_event e = {.is_open = is_open};
    enum told_news news;
    struct error err = {""};
    snprintf(e.id, sizeof e.id, "%s", id);
    must(db_begin(s->journal.db, &err), &err);
    must(told_event(s->journal.db, &s->watch.instruments[0].told, &e, BEGIN_MS + after_ms, HOURS_USER_UNKNOWN,
             EVIDENCE_MANUAL, &news, &err),
        &err);
    must(db_commit(s->journal.db, &err), &err);
}

/* The rows that a query gives, columns parted by '|'. */
static inline void expect(struct scene *s, const char *query, const char *rows)
{
    struct buf text = {0};
    database_add_rows(s->journal.db, &text, query);
    buf_add_char(&text, '\0');
    assert_string_equal(text.data, rows);
    buf_release(&text);
}

#define TIME(column) "ifnull((" column " - 1767225600000) / 1000.0, '-')"
static inline void expect_sessions(struct scene *s, const char *rows)
{
    expect(s,
        "SELECT " TIME("opened_ms") " || '|' || " TIME(
            "closed_ms") " || '|' || user || class || '|' || ifnull(organisation, '') || '|' || "
                         "ifnull(open_event, '') || '|' ||"
                         " ifnull(close_event, '') || '|' || evidence || closed_evidence || why FROM session "
                         "ORDER BY id",
        rows);
}

static inline void expect_activity(struct scene *s, const char *rows)
{
    expect(s,
        "SELECT " TIME("from_ms") " || '|' || " TIME(
            "until_ms") " || '|' || state FROM activity_span ORDER BY from_ms",
        rows);
}

static inline struct told_instrument find(struct scene *s, const char *name)
{
    struct told_instrument t;
    struct error err = {""};
    must(told_find(s->journal.db, name, &t, &err), &err);
    return t;
}

/* ---- power ---- */

static inline void look_at(struct scene *s, int64_t after_ms)
{
    wall = BEGIN_MS + after_ms;
    take_all(s);
}
