/* Instruments through the core's turns: what a card reader says is shown after its commit, and never after one that failed. */
#include "collector/instrument/board.h"
#include "collector/model/version.h"
#include "tests/unit/collector/made_up_board.h"
#include "tests/unit/collector/turn_fixture.h"

#include <inttypes.h>
#include <sqlite3.h>

static bool is_refused;

static int on_commit(void *unused)
{
    (void)unused;
    return is_refused;
}

static int on_open(sqlite3 *db, char **message, const struct sqlite3_api_routines *api)
{
    (void)message;
    (void)api;
    sqlite3_commit_hook(db, on_commit, NULL);
    return SQLITE_OK;
}

static int set_up(void **state)
{
    (void)state;
    return sqlite3_auto_extension((void (*)(void))on_open) != SQLITE_OK;
}

struct scene {
    struct turn_scene turn;
    struct model *model;
    struct board_box *box;
    int64_t seq;
};

static void open_turn(struct scene *s)
{
    struct error err = {""};
    if (turn_open(&s->turn.turn, &s->turn.settings, s->model->park, &turn_clock, &err) != ST_OK)
        fail_msg("%s", err.text);
    s->turn.turn.board.box = s->box;
    turn_use(&s->turn.turn, s->model);
}

static void begin(struct scene *s)
{
    *s = (struct scene){.model = made_up_board_model(), .box = board_box_create()};
    is_refused = false;
    turn_scene_open_with(&s->turn, made_up_board_park);
    turn_close(&s->turn.turn);
    open_turn(s);
}

static void end(struct scene *s)
{
    turn_scene_close(&s->turn);
    board_box_destroy(s->box);
    model_put(s->model);
}

static enum status run(struct scene *s)
{
    struct error err = {""};
    bool is_changed;
    turn_now_ms += 1000;
    turn_now_mono_ms += 1000;
    return turn_run(&s->turn.turn, &is_changed, &err);
}

static void say(struct scene *s, int64_t seq, const char *words)
{
    char text[256];
    snprintf(text, sizeof text,
        "#park1 epoch=00000000000000aa seq=%" PRId64
        " first=1\nstate,point=hood.session value=\"%s\" %" PRId64 "\n",
        seq, words, turn_now_ms);
    turn_give(&s->turn.turn, "gw1", text);
}

static void expect(const struct scene *s, enum availability_status status)
{
    const struct board *b = board_box_get(s->box);
    assert_non_null(b);
    assert_string_equal(
        availability_statuses[board_find(b, "hood-1")->answer.status], availability_statuses[status]);
    board_put(b);
}

static void expect_noted(const struct scene *s, const char *expected)
{
    struct db *db;
    struct error err = {""};
    if (db_open_reader(s->turn.files.path, &db, &err) != ST_OK)
        fail_msg("%s", err.text);
    struct db_stmt *q = db_prepare(db,
        "SELECT n.status || ' ' || (SELECT count(*) FROM outbox WHERE series ="
        " 'availability,instrument=hood-1') FROM availability_now n WHERE instrument = 'hood-1'");
    bool has_row;
    assert_int_equal(db_step(q, &has_row, &err), ST_OK);
    assert_true(has_row);
    assert_true(span_is(db_text(q, 0), expected));
    db_close(db);
}

static void test_a_session_is_shown_with_its_commit(void **state)
{
    (void)state;
    struct scene s;
    begin(&s);
    assert_int_equal(run(&s), ST_OK);
    expect(&s, AVAILABILITY_UNKNOWN);
    say(&s, 1, "close event=k0");
    assert_int_equal(run(&s), ST_OK);
    expect(&s, AVAILABILITY_AVAILABLE);
    say(&s, 2, "open event=k1");
    assert_int_equal(run(&s), ST_OK);
    expect(&s, AVAILABILITY_IN_USE);
    expect_noted(&s, "IN_USE 3");
    end(&s);
}

static void test_what_a_failed_commit_took_is_not_shown(void **state)
{
    (void)state;
    struct scene s;
    begin(&s);
    say(&s, 1, "close event=k0");
    assert_int_equal(run(&s), ST_OK);
    expect(&s, AVAILABILITY_AVAILABLE);
    say(&s, 2, "open event=k1");
    is_refused = true;
    assert_int_not_equal(run(&s), ST_OK);
    expect(&s, AVAILABILITY_AVAILABLE);
    expect_noted(&s, "AVAILABLE 1");
    is_refused = false;
    assert_int_equal(run(&s), ST_OK); /* one without messages */
    expect(&s, AVAILABILITY_AVAILABLE);
    say(&s, 2, "open event=k1"); /* it was not acknowledged: it comes again */
    assert_int_equal(run(&s), ST_OK);
    assert_int_equal(run(&s), ST_OK);
    expect(&s, AVAILABILITY_IN_USE);
    expect_noted(&s, "IN_USE 2");
    end(&s);
}

static void test_a_turn_that_begins_anew_answers_as_before(void **state)
{
    (void)state;
    struct scene s;
    begin(&s);
    say(&s, 1, "open event=k1");
    assert_int_equal(run(&s), ST_OK);
    const struct board *before = board_box_get(s.box);
    turn_close(&s.turn.turn);
    open_turn(&s);
    assert_int_equal(run(&s), ST_OK);
    const struct board *after = board_box_get(s.box);
    assert_ptr_not_equal(before, after);
    assert_int_equal(board_find(after, "hood-1")->answer.status, AVAILABILITY_IN_USE);
    assert_int_equal(
        board_find(after, "hood-1")->answer.since_ms, board_find(before, "hood-1")->answer.since_ms);
    expect_noted(&s, "IN_USE 1");
    board_put(before);
    board_put(after);
    end(&s);
}

/* Accepted, and in use. */
static struct model *use_version(struct scene *s, int64_t number, const char *park)
{
    struct error err = {""};
    struct turn *t = &s->turn.turn;
    struct model *m = model_load_texts(
        (const char *const[MODEL_FILES]){"park.cfg"}, (struct span[MODEL_FILES]){span_of(park)});
    assert_int_equal(db_begin(t->db, &err), ST_OK);
    assert_int_equal(version_add(t->db, number, turn_wall(), m, NULL, NULL, &err), ST_OK);
    assert_int_equal(db_commit(t->db, &err), ST_OK);
    turn_use(t, m);
    return m;
}

static int64_t sessions(struct scene *s)
{
    struct error err = {""};
    bool has_row;
    struct db_stmt *q = db_keep(s->turn.turn.db, "SELECT count(*) FROM session");
    assert_int_equal(db_step(q, &has_row, &err), ST_OK);
    int64_t count = db_int(q, 0);
    db_reset(q);
    return count;
}

/* A batch that the watch did not take yet, when another model comes, which knows nothing of the instrument; and a restart. */
static void test_the_version_before_takes_what_came_before(void **state)
{
    (void)state;
    struct scene s;
    begin(&s);
    struct model *first = use_version(&s, 1, made_up_board_park);
    s.turn.turn.watch.follower.due_mono_ms = INT64_MAX;
    say(&s, 1, "open event=k1");
    assert_int_equal(run(&s), ST_OK);
    s.turn.turn.is_model_unrecorded = true; /* nobody takes it before it is */
    struct model *second =
        use_version(&s, 2, "sites = ({ id = \"s\"; name = \"x\"; name_en = \"x\"; zone = \"UTC\"; });");
    assert_int_equal(run(&s), ST_OK);
    assert_int_equal(sessions(&s), 0);
    turn_close(&s.turn.turn);
    open_turn(&s);
    turn_use(&s.turn.turn, second);
    assert_int_equal(run(&s), ST_OK);
    assert_int_equal(sessions(&s), 1);
    assert_int_equal(run(&s), ST_OK);
    assert_true(s.turn.turn.watch.is_loaded && s.turn.turn.watch.follower.position == INT64_MAX);
    turn_use(&s.turn.turn, s.model);
    model_put(first);
    model_put(second);
    end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_session_is_shown_with_its_commit),
        cmocka_unit_test(test_what_a_failed_commit_took_is_not_shown),
        cmocka_unit_test(test_the_version_before_takes_what_came_before),
        cmocka_unit_test(test_a_turn_that_begins_anew_answers_as_before),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
