/* The alarms of the core in its transactions, at an instant that the test says: a park and rules, kills, failed commits. */
#pragma once

#include "collector/alarm/told.h"
#include "tests/unit/collector/turn_fixture.h"
#include "tests/unit/random.h"
#include "tests/unit/settings_file.h"

/* Of each scene; set by the file's set-up. */
static const char *scene_park, *scene_rules;

struct scene {
    struct turn_scene turn;
    int64_t seq;
};

static inline void must(enum status status, const struct error *err)
{
    if (status != ST_OK)
        fail_msg("%s", err->text);
}

static inline void give_rules(struct scene *s, const char *text)
{
    char *path = settings_write("a.cfg", text);
    struct alarm_rules *rules = alarm_rules_load(path);
    conf_print_problems(rules->conf, stderr);
    assert_int_equal(conf_problem_count(rules->conf), 0);
    alarm_desk_use_rules(&s->turn.turn.alarms, rules);
    free(path);
}

/* What is committed outlives this program, and no cut of power is played: nobody waits for the disk at each of a thousand commits. */
static inline void begin(struct scene *s)
{
    struct error err = {""};
    must(db_exec(s->turn.turn.db, "PRAGMA synchronous = OFF", &err), &err);
    alarm_desk_use(&s->turn.turn.alarms, s->turn.park);
    s->turn.turn.presence.listening_since_ms = turn_now_ms;
    give_rules(s, scene_rules);
}

static inline void open_scene(struct scene *s)
{
    *s = (struct scene){0};
    turn_scene_open_with(&s->turn, scene_park);
    begin(s);
}

static inline void reopen_scene(struct scene *s)
{
    turn_scene_close(&s->turn);
    open_scene(s);
}

/* As after a kill: what was committed is there. */
static inline void restart(struct scene *s)
{
    struct error err = {""};
    turn_close(&s->turn.turn);
    must(turn_open(&s->turn.turn, &s->turn.settings, s->turn.park, &turn_clock, &err), &err);
    begin(s);
}

static inline void pass(int64_t ms)
{
    turn_now_ms += ms;
    turn_now_mono_ms += ms;
}

/* Lines of gw-a, as they are. */
static inline void give(struct scene *s, const char *lines)
{
    char *text = mem_printf("#park1 epoch=00000000000000aa seq=%lld first=1\n%s", (long long)++s->seq, lines);
    turn_give(&s->turn.turn, "gw-a", text);
    free(text);
}

/* A transaction that fails: what it would have changed is not so, in memory neither. */
static inline void fail_turn(struct scene *s)
{
    struct error err = {""};
    struct turn *t = &s->turn.turn;
    bool is_changed = false;
    struct alarm_desk_now now = {.clock = &turn_clock,
        .may_write = true,
        .has_room = true,
        .sources = {.db = t->db,
            .known = &t->known,
            .presence = &t->presence,
            .board = &t->board,
            .now_ms = turn_now_ms,
            .taking_since_ms = t->taking_since_ms,
            .is_clock_right = true,
            .database_path = t->database_path}};
    must(db_begin(t->db, &err), &err);
    must(alarm_desk_step(&t->alarms, &now, &is_changed, &err), &err);
    db_rollback(t->db);
    alarm_desk_reset(&t->alarms);
}

/* A receiver took a message of an alarm; the next is due then, ALARM_NEVER = none. */
static inline void took_letter(
    struct scene *s, const char *receiver, const struct alarm_letter *letter, int64_t due_ms)
{
    struct error err = {""};
    struct alarm_result taken = {.receiver = (char *)receiver, .letter = *letter};
    must(alarm_told_took(s->turn.turn.db, &taken, due_ms, &err), &err);
}

/* One with all that is known by now. */
static inline void took(struct scene *s, int64_t alarm, const char *receiver, int64_t number, int64_t due_ms)
{
    took_letter(s, receiver, &(struct alarm_letter){alarm, number, 1, INT64_MAX}, due_ms);
}

static inline int64_t number_of(struct scene *s, const char *sql)
{
    struct db_stmt *row = db_prepare(s->turn.turn.db, sql);
    struct error err = {""};
    bool has_row;
    must(db_step(row, &has_row, &err), &err);
    assert_true(has_row);
    int64_t number = db_int(row, 0);
    db_finish(row);
    return number;
}

#define STANDING "SELECT count(*) FROM alarm WHERE cleared_ms IS NULL"
#define ALL "SELECT count(*) FROM alarm"

static inline int scene_set_up(void **state)
{
    static struct scene scene;
    open_scene(&scene);
    *state = &scene;
    return 0;
}

static inline int scene_tear_down(void **state)
{
    struct scene *s = *state;
    turn_scene_close(&s->turn);
    return 0;
}

#define SCENE_TEST(test) cmocka_unit_test_setup_teardown(test, scene_set_up, scene_tear_down)

/* Each scene begins with a copy of one database: to make one takes a commit for each step of the schema. */
static inline int scene_set_up_all(void **state, const char *park, const char *rules)
{
    static char *fresh;
    struct turn_scene first;
    scene_park = park;
    scene_rules = rules;
    if (settings_make_folder(state) != 0)
        return -1;
    turn_scene_open_with(&first, park);
    turn_close(&first.turn);
    fresh = settings_path("fresh.db");
    turn_copy_file(first.files.path, fresh);
    turn_scene_close(&first);
    turn_database = fresh;
    return random_set_up(state);
}
