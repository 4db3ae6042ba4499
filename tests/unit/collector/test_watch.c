#include "collector/model/version.h"
#include "tests/unit/collector/watch_scene.h"

#include <sqlite3.h>

static void test_power_becomes_spans_by_the_times_of_its_readings(void **unused)
{
    (void)unused;
    struct scene s;
    open_scene(&s, all);
    power(&s, 0, "15");
    power(&s, 20 * S, "50");
    power(&s, 30 * S, "50"); /* for 10 s: it runs since the 20th */
    power(&s, 25 * S, "1");  /* backward: nothing */
    power(&s, 90 * S, "5");
    power(&s, 150 * S, "5");  /* for 60 s: off since the 90th */
    power(&s, 1000 * S, "5"); /* nobody knows what was between */
    add_line(&s, 1, "gauge,point=sem value=50,quality=\"clock\" 1767999999999\n", BEGIN_MS);
    add_line(&s, 1, "gauge,point=sem value=1e300 1767999999999\n", BEGIN_MS);
    take_all(&s);
    expect_activity(&s, "0.0|20.0|2\n20.0|90.0|3\n90.0|150.0|1\n150.0|1000.0|0\n");
    struct told_instrument t = find(&s, "sem");
    int64_t since_ms;
    assert_int_equal(told_activity_now(&t, &since_ms), ACTIVITY_OFF);
    assert_int_equal(since_ms, BEGIN_MS + 1000 * S);
    assert_int_equal(t.power_ms, BEGIN_MS + 1000 * S);
    assert_int_equal(t.session_ms, TOLD_NONE);
    close_scene(&s);
}

static void test_power_that_is_not_taken_is_no_word(void **unused)
{
    (void)unused;
    struct scene s;
    open_scene(&s, all);
    power(&s, 0, "100");
    add_line(&s, 1, "gauge,point=sem value=100 1767229200000\n", BEGIN_MS + 30 * S); /* an hour ahead */
    power(&s, 60 * S, "1"); /* its clock is right again */
    power(&s, HOUR, "1");
    take_all(&s);
    struct told_instrument t = find(&s, "sem");
    int64_t since_ms;
    assert_int_equal(told_activity_now(&t, &since_ms), ACTIVITY_RUNNING);
    assert_int_equal(t.power_ms, BEGIN_MS + 30 * S);
    power(&s, HOUR + S, "1");
    take_all(&s);
    assert_int_equal(find(&s, "sem").power_ms, BEGIN_MS + HOUR + S);
    close_scene(&s);
}

static void test_power_far_below_zero_is_no_word_of_what_it_does(void **unused)
{
    (void)unused;
    struct scene s;
    open_scene(&s, all);
    power(&s, 0, "50");
    power(&s, 60 * S, "-10"); /* as far as what is off: noise */
    for (int64_t t = 70 * S; t <= 400 * S; t += 10 * S)
        power(&s, t, "-10.001");
    take_all(&s);
    struct told_instrument t = find(&s, "sem");
    int64_t since_ms;
    assert_int_equal(told_activity_now(&t, &since_ms), ACTIVITY_RUNNING); /* until it is stale */
    assert_int_equal(t.power_ms, BEGIN_MS + 60 * S);
    assert_true(s.watch.instruments[0].backward.is_said);
    assert_false(told_is_power_good(&t));
    power(&s, 410 * S, "50");
    take_all(&s);
    t = find(&s, "sem");
    assert_true(told_is_power_good(&t));
    expect_activity(&s, "0.0|60.0|3\n60.0|410.0|0\n");
    close_scene(&s);
}

static void test_what_touches_a_period_is_given_whole(void **unused)
{
    (void)unused;
    struct scene s;
    struct activity_span *spans;
    size_t count;
    struct error err = {""};
    open_scene(&s, all);
    for (int i = 0; i <= 90; i++)
        power(&s, i * 10 * S, i < 30 ? "15" : i < 60 ? "50" : "15");
    take_all(&s);
    int64_t id = find(&s, "sem").id;
    must(told_activity(s.journal.db, id, BEGIN_MS + 310 * S, BEGIN_MS + 600 * S, &spans, &count, &err), &err);
    assert_int_equal(count, 1);
    assert_true(spans[0].from_ms == BEGIN_MS + 300 * S && spans[0].until_ms == BEGIN_MS + 600 * S);
    free(spans);
    must(told_activity(s.journal.db, id, BEGIN_MS + 299 * S, BEGIN_MS + 601 * S, &spans, &count, &err), &err);
    assert_int_equal(count, 3); /* the last is not over */
    assert_true(spans[2].from_ms == BEGIN_MS + 600 * S && spans[2].until_ms == BEGIN_MS + 900 * S);
    assert_int_equal(spans[2].state, ACTIVITY_STANDBY);
    free(spans);
    close_scene(&s);
}

static sqlite3 *newest_connection;

static int note_connection(sqlite3 *db, char **error, const struct sqlite3_api_routines *api)
{
    (void)error, (void)api;
    newest_connection = db;
    return SQLITE_OK;
}

/* How the statement with that text goes about it, and how much it did since this was asked last. */
static int work_of(const char *text, struct buf *plan)
{
    sqlite3_stmt *s = NULL, *explained;
    while ((s = sqlite3_next_stmt(newest_connection, s)) != NULL && strstr(sqlite3_sql(s), text) == NULL) {
    }
    assert_non_null(s);
    char *explain = mem_printf("EXPLAIN QUERY PLAN %s", sqlite3_sql(s));
    assert_int_equal(sqlite3_prepare_v2(newest_connection, explain, -1, &explained, NULL), SQLITE_OK);
    while (sqlite3_step(explained) == SQLITE_ROW)
        buf_printf(plan, "%s\n", (const char *)sqlite3_column_text(explained, 3));
    sqlite3_finalize(explained);
    free(explain);
    return sqlite3_stmt_status(s, SQLITE_STMTSTATUS_VM_STEP, 1);
}

static void check_work(const char *text, const char *table, const char *of)
{
    struct buf plan = {0};
    int steps = work_of(text, &plan);
    buf_add_char(&plan, '\0');
    char *expected =
        mem_printf("SEARCH %s USING PRIMARY KEY (%s=? AND from_ms>? AND from_ms<?)\n", table, of);
    if (strstr(plan.data, expected) == NULL || strstr(plan.data, "SCAN") != NULL)
        fail_msg("%s", plan.data);
    assert_in_range(steps, 1, 300);
    free(expected);
    buf_release(&plan);
}

static void test_a_look_reads_only_what_reaches_into_it(void **unused)
{
    (void)unused;
    struct scene s;
    struct activity_span *spans;
    struct hours_span *unseen;
    size_t count;
    struct error err = {""};
    assert_int_equal(sqlite3_auto_extension((void (*)(void))note_connection), SQLITE_OK);
    open_scene(&s, all);
    sqlite3_cancel_auto_extension((void (*)(void))note_connection);
    take_all(&s);
    must(db_exec(s.journal.db,
             "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 4999)"
             " INSERT INTO activity_span SELECT 1, i * 1000, i * 1000 + 1000, i % 3 FROM n;"
             "INSERT INTO session_unseen SELECT 1, from_ms, from_ms + 500 FROM activity_span;"
             "INSERT INTO resource_down SELECT 1, from_ms, from_ms + 500, 1 FROM activity_span;"
             "INSERT INTO resource_down VALUES(1, 5000000, NULL, 1)",
             &err),
        &err);
    must(told_activity(s.journal.db, 1, 2500500, 2502000, &spans, &count, &err), &err);
    assert_int_equal(count, 2);
    assert_true(spans[0].from_ms == 2500000 && spans[1].until_ms == 2502000);
    free(spans);
    must(told_activity(s.journal.db, 1, 2500000, 2500001, &spans, &count, &err), &err);
    assert_true(count == 1 && spans[0].from_ms == 2500000);
    free(spans);
    check_work("SELECT from_ms, until_ms, state FROM activity_span", "activity_span", "instrument");
    must(told_unseen(s.journal.db, 1, 2500500, 2502000, &unseen, &count, &err), &err);
    assert_int_equal(count, 2); /* and that nothing was ever heard */
    assert_int_equal(unseen[0].from_ms, 2501000);
    free(unseen);
    check_work("SELECT from_ms, until_ms FROM session_unseen", "session_unseen", "instrument");
    must(told_down(s.journal.db, 1, 2500500, 2502000, &unseen, &count, &err), &err);
    assert_int_equal(count, 1);
    assert_true(unseen[0].from_ms == 2501000 && unseen[0].until_ms == 2501500);
    free(unseen);
    check_work("SELECT from_ms, until_ms, evidence FROM resource_down", "resource_down", "resource");
    must(told_down(s.journal.db, 1, 6000000, 7000000, &unseen, &count, &err), &err);
    assert_int_equal(count, 1);
    assert_true(unseen[0].from_ms == 5000000 && unseen[0].until_ms == INT64_MAX);
    free(unseen);
    close_scene(&s);
}

/* ---- resources ---- */

static void water(struct scene *s, int64_t after_ms, const char *text, int64_t late_ms)
{
    state(s, 1, "water", text, after_ms, late_ms);
    take_all(s);
}

static void test_what_is_down_stays_so_until_a_fresh_state_says_otherwise(void **unused)
{
    (void)unused;
    static const char down[] =
        "SELECT " TIME("from_ms") " || '|' || " TIME("until_ms") " || '|' || evidence FROM resource_down";
    struct scene s;
    open_scene(&s, all);
    water(&s, 0, "on", 0);
    expect(&s, down, "");
    water(&s, 60 * S, "alarm", 3600 * S); /* also one that is late counts */
    water(&s, 61 * S, "off", 0);
    water(&s, 62 * S, "nonsense", 0);
    water(&s, 70 * S, "on", 181 * S);  /* nobody knows whether it is still so */
    expect(&s, down, "60.0|70.0|1\n"); /* but then it was */
    assert_true(s.watch.resources[0].told.is_down);
    start(&s, all);
    take_all(&s);
    assert_true(s.watch.resources[0].told.is_down);
    water(&s, 80 * S, "on", 180 * S);
    expect(&s, down, "60.0|70.0|1\n");
    assert_false(s.watch.resources[0].told.is_down);
    water(&s, 75 * S, "off", 190 * S); /* of before it came up, and not fresh */
    expect(&s, down, "60.0|70.0|1\n75.0|80.0|1\n");
    assert_false(s.watch.resources[0].told.is_down);
    assert_int_equal(s.watch.resources[0].told.heard_ms, BEGIN_MS + 80 * S);
    struct hours_span *spans;
    size_t count;
    struct error err = {""};
    must(told_down(s.journal.db, s.watch.resources[0].told.id, BEGIN_MS + 79 * S, BEGIN_MS + 90 * S, &spans,
             &count, &err),
        &err);
    assert_int_equal(count, 1);
    assert_true(spans[0].from_ms == BEGIN_MS + 75 * S && spans[0].until_ms == BEGIN_MS + 80 * S);
    free(spans);
    close_scene(&s);
}

static void test_a_clock_that_was_ahead_masks_nothing_that_is_down(void **unused)
{
    (void)unused;
    struct scene s;
    struct error err = {""};
    open_scene(&s, all);
    water(&s, 0, "off", 0);
    struct told_resource *r = &s.watch.resources[0].told;
    water(&s, HOUR, "on", -3500 * S); /* came at the 100th second */
    assert_false(r->is_down);
    assert_int_equal(r->since_ms, BEGIN_MS + 100 * S);
    water(&s, 90 * S, "off", 20 * S); /* its clock is right again; what is fresh counts */
    assert_true(r->is_down);
    assert_int_equal(r->heard_ms, BEGIN_MS + 100 * S);
    water(&s, 160 * S, "on", 0);
    water(&s, 220 * S, "off", 0);
    expect(&s,
        "SELECT " TIME("from_ms") " || '|' || " TIME("until_ms") " FROM resource_down ORDER BY from_ms",
        "0.0|100.0\n220.0|-\n");
    /* A person says that it is up: what is older, and not fresh, is not heard either. */
    const struct told_word up = {true, true, BEGIN_MS + 500 * S, BEGIN_MS + 500 * S, EVIDENCE_MANUAL};
    must(told_resource_say(s.journal.db, r, &up, &err), &err);
    water(&s, 490 * S, "off", 181 * S);
    assert_false(r->is_down);
    assert_int_equal(r->heard_ms, BEGIN_MS + 220 * S);
    close_scene(&s);
}

/* ---- models ---- */

/* Accepts it, as version `number`. */
static void accept(struct scene *s, int64_t number, const char *park)
{
    struct error err = {""};
    struct model *m = model_load_texts(
        (const char *const[MODEL_FILES]){"park.cfg"}, (struct span[MODEL_FILES]){span_of(park)});
    must(db_begin(s->journal.db, &err), &err);
    must(version_add(s->journal.db, number, BEGIN_MS, m, NULL, NULL, &err), &err);
    must(db_commit(s->journal.db, &err), &err);
    model_put(m);
}

static void use(struct scene *s, const char *text)
{
    struct park *old = s->park;
    s->park = fake_park_of(&s->journal, text);
    watch_use(&s->watch, s->park);
    park_destroy(old);
}

static void powers(struct scene *s, int64_t from_ms, int64_t until_ms, const char *watts)
{
    for (int64_t t = from_ms; t <= until_ms; t += 10 * S)
        power(s, t, watts);
}

static char *dump(struct scene *s);

static void test_new_thresholds_count_from_when_they_are_accepted(void **unused)
{
    (void)unused;
    char *same = NULL;
    /* Whether the watch was behind, whether the collector began anew or was told to reload, and after kills. */
    for (int way = 0; way < 6; way++) {
        struct scene s;
        open_scene(&s, all);
        accept(&s, 1, all);
        powers(&s, 0, 590 * S, "15");
        if (way % 2 == 1)
            take_all(&s);
        powers(&s, 600 * S, 700 * S, "100"); /* runs, by the thresholds of now: not taken yet */
        accept(&s, 2, nothing);              /* names nothing: what came is for the next */
        powers(&s, 710 * S, 900 * S, "15");
        accept(&s, 3, higher);
        if (way < 2)
            use(&s, higher);
        else
            start(&s, higher);
        powers(&s, 910 * S, 1000 * S, "100"); /* does not run by the new ones */
        tick_ms = 4;                          /* a few batches a step */
        for (int i = 0; way >= 4 && i < 60; i++) {
            step(&s, i % 3 > 0);
            if (i % 7 == 0)
                start(&s, higher);
        }
        take_all(&s);
        assert_true(s.watch.is_loaded && s.watch.former == NULL);
        expect_activity(&s, "0.0|600.0|2\n600.0|710.0|3\n");
        char *rows = dump(&s);
        assert_true(same == NULL || strcmp(same, rows) == 0);
        free(same);
        same = rows;
        close_scene(&s);
    }
    free(same);
}

static void test_of_a_version_before_nothing_is_shown_nor_forgotten(void **unused)
{
    (void)unused;
    struct scene s;
    open_scene(&s, all);
    accept(&s, 1, all);
    told(&s, 0, "open event=a");
    power(&s, 10 * S, "15");
    accept(&s, 2, higher);
    start(&s, higher);
    tick_ms = 20; /* one batch a step */
    wall = BEGIN_MS + 24 * HOUR;
    step(&s, true);
    assert_false(s.watch.is_loaded);
    assert_true(s.watch.former != NULL && find(&s, "sem").last.id != 0);
    take_all(&s);
    assert_true(s.watch.is_loaded && s.watch.instruments[0].limits.enter_mw == 400000);
    expect_sessions(&s, "0.0|7200.0|00||a||233\n"); /* at the end of the journal */
    close_scene(&s);
}

static void test_a_version_that_cannot_be_read_is_one_that_names_nothing(void **unused)
{
    (void)unused;
    struct scene s;
    struct error err = {""};
    open_scene(&s, all);
    accept(&s, 1, all);
    power(&s, 0, "15");
    accept(&s, 2, higher);
    must(db_exec(s.journal.db,
             "DROP TRIGGER model_version_is_final; UPDATE model_version SET park = x'00' WHERE number = 1",
             &err),
        &err);
    start(&s, higher);
    take_all(&s);
    assert_int_equal(find(&s, "sem").power_ms, BEGIN_MS);
    close_scene(&s);
}

/* Also where nobody can take a step: the disk is full. */
static void test_of_the_journal_that_is_kept_which_a_version_since_names_anything_of(void **unused)
{
    (void)unused;
    struct error err = {""};
    struct scene s;
    open_scene(&s, nothing);
    power(&s, 0, "15");
    assert_int_equal(s.watch.follower.position, INT64_MAX);
    accept(&s, 1, all);
    power(&s, 10 * S, "15");
    start(&s, nothing); /* it is not written yet that this one is in use */
    assert_int_equal(s.watch.follower.position, 0);
    accept(&s, 2, nothing);
    must(watch_reset(&s.watch, &err), &err);
    assert_int_equal(s.watch.follower.position, 0);
    take_all(&s);
    assert_int_equal(s.watch.follower.position, INT64_MAX);
    must(watch_reset(&s.watch, &err), &err);
    assert_int_equal(s.watch.follower.position, INT64_MAX);
    close_scene(&s);
}

static void test_a_park_without_instruments_keeps_nothing_of_the_journal(void **unused)
{
    (void)unused;
    struct scene s;
    open_scene(&s, nothing);
    power(&s, 0, "15");
    power(&s, 10 * S, "15");
    take_all(&s);
    assert_int_equal(s.watch.follower.position, INT64_MAX);
    start(&s, all); /* the first that names one gets what there is */
    assert_true(s.watch.follower.position < 2);
    take_all(&s);
    assert_int_equal(find(&s, "sem").power_ms, BEGIN_MS + 10 * S);
    assert_int_equal(find(&s, "absent").id, 0);
    close_scene(&s);
}

static void use_taken(struct scene *s, const char *park)
{
    use(s, park);
    take_all(s);
}

static void expect_other(struct scene *s, bool is_power_other, bool is_session_other)
{
    const struct told_instrument *t = &s->watch.instruments[0].told;
    assert_int_equal(t->is_power_other, is_power_other);
    assert_int_equal(t->is_session_other, is_session_other);
}

static void test_what_another_point_told_says_nothing_of_now(void **unused)
{
    (void)unused;
    struct scene s;
    open_scene(&s, all);
    power(&s, 0, "100");
    told(&s, 0, "open event=a class=internal");
    take_all(&s);
    expect_other(&s, false, false);
    use_taken(&s, moved);
    expect_other(&s, true, true);
    start(&s, moved);
    take_all(&s);
    expect_other(&s, true, true); /* also after a restart */
    power(&s, 10 * S, "100");     /* of the former point: nobody follows it */
    state(&s, 2, "sem-b", "nonsense", 10 * S, 0);
    take_all(&s);
    expect_other(&s, true, true);
    use_taken(&s, all);
    expect_other(&s, true, true); /* what it told while nobody followed it is not known */
    use_taken(&s, moved);
    add_line(&s, 1, "gauge,point=sem-b value=100 1767225620000\n", BEGIN_MS + 20 * S);
    take_all(&s);
    expect_other(&s, false, true);
    state(&s, 2, "sem-b", "open event=a class=internal", 30 * S, 0);
    take_all(&s);
    expect_other(&s, false, false);
    start(&s, moved);
    take_all(&s);
    expect_other(&s, false, false);
    use_taken(&s, all);
    expect_other(&s, true, true);
    expect(&s, "SELECT count(*) FROM session_unseen WHERE from_ms < 1767225600000", "1\n"); /* none anew */
    close_scene(&s);
}

/* A database of before points were noted: as of a resource. */
static void test_what_nobody_knows_which_point_told_says_nothing_of_now(void **unused)
{
    (void)unused;
    struct scene s;
    struct error err = {""};
    open_scene(&s, all);
    take_all(&s);
    power(&s, 0, "100");
    told(&s, 0, "open event=a class=internal");
    start(&s, all); /* of which nothing was ever told */
    take_all(&s);
    expect_other(&s, false, false);
    must(db_exec(s.journal.db, "UPDATE instrument SET power_point = NULL, session_point = NULL", &err), &err);
    start(&s, all);
    take_all(&s);
    expect_other(&s, true, true);
    power(&s, 60 * S, "100");
    told(&s, 60 * S, "open event=a class=internal");
    take_all(&s);
    expect_other(&s, false, false);
    start(&s, all);
    take_all(&s);
    expect_other(&s, false, false);
    close_scene(&s);
}

static void tell_three(
    struct scene *s, int64_t after_ms, const char *watts, const char *session, const char *word)
{
    power(s, after_ms, watts);
    told(s, after_ms, session);
    state(s, 1, "water", word, after_ms, 0);
    take_all(s);
}

static int64_t water_heard_ms(struct scene *s)
{
    return watch_find_resource(&s->watch, "water")->told.heard_ms;
}

static void test_what_nobody_followed_for_a_while_says_nothing_of_now(void **unused)
{
    (void)unused;
    struct scene s;
    open_scene(&s, all);
    tell_three(&s, 0, "100", "close event=a", "on");
    tell_three(&s, 10 * S, "100", "close event=a", "on");
    assert_int_equal(water_heard_ms(&s), BEGIN_MS + 10 * S);
    use_taken(&s, alone);
    tell_three(&s, 20 * S, "0", "open event=b class=internal", "off"); /* nobody takes it */
    use_taken(&s, all);
    for (int i = 0; i < 2; i++) { /* also after a restart */
        expect_other(&s, true, true);
        assert_int_equal(water_heard_ms(&s), TOLD_NONE);
        start(&s, all);
        take_all(&s);
    }
    tell_three(&s, 40 * S, "100", "close event=c", "on");
    expect_other(&s, false, false);
    assert_int_equal(water_heard_ms(&s), BEGIN_MS + 40 * S);
    tell_three(&s, 50 * S, "100", "close event=c", "on");
    expect_activity(&s, "0.0|10.0|3\n10.0|40.0|0\n"); /* the new one is of 40 s on */
    start(&s, all);
    take_all(&s);
    expect_other(&s, false, false); /* the same model again */
    assert_int_equal(water_heard_ms(&s), BEGIN_MS + 50 * S);
    close_scene(&s);
}

static void test_a_version_of_no_batch_followed_nothing(void **unused)
{
    (void)unused;
    for (int way = 0; way < 3; way++) { /* taken up; nobody did; the other point, and nobody did */
        struct scene s;
        open_scene(&s, all);
        accept(&s, 1, all);
        tell_three(&s, 0, "100", "close event=a", "on");
        accept(&s, 2, way < 2 ? alone : moved);
        if (way == 0)
            use_taken(&s, alone);
        accept(&s, 3, all);
        start(&s, all);
        take_all(&s);
        expect_other(&s, true, true);
        assert_int_equal(water_heard_ms(&s), way < 2 ? TOLD_NONE : BEGIN_MS);
        tell_three(&s, 10 * S, "100", "close event=a", "on");
        start(&s, all);
        take_all(&s);
        expect_other(&s, false, false);
        expect_activity(&s, way < 2 ? "0.0|10.0|0\n" : "");
        close_scene(&s);
    }
}

static void test_a_run_that_another_point_told_holds_no_session_open(void **unused)
{
    (void)unused;
    struct scene s;
    open_scene(&s, all);
    told(&s, 0, "open event=a class=internal");
    for (int64_t t = 0; t <= 3 * HOUR; t += 60 * S)
        power(&s, t, "100");
    look_at(&s, 3 * HOUR);
    assert_int_equal(s.watch.instruments[0].told.last.end, TOLD_OPEN);
    use_taken(&s, moved);
    look_at(&s, 3 * HOUR + S);
    assert_int_equal(s.watch.instruments[0].told.last.end, TOLD_FORGOTTEN);
    add_line(&s, 1, "gauge,point=sem-b value=100 1767236405000\n", BEGIN_MS + 3 * HOUR + 5 * S);
    look_at(&s, 3 * HOUR + 6 * S); /* the new one says that it runs */
    assert_int_equal(s.watch.instruments[0].told.last.end, TOLD_OPEN);
    close_scene(&s);
}

static void expect_good(struct scene *s, bool is_power_good, bool is_session_good)
{
    const struct told_instrument *t = &s->watch.instruments[0].told;
    assert_int_equal(told_is_power_good(t), is_power_good);
    assert_int_equal(told_is_session_good(t), is_session_good);
}

/* Nobody knows, until a newer word can be read; what is older than the newest good word changes nothing. */
static void test_what_cannot_be_read_makes_the_word_before_it_no_word_of_now(void **unused)
{
    (void)unused;
    struct scene s;
    open_scene(&s, all);
    power(&s, 0, "100");
    told(&s, 10 * S, "open event=a class=internal");
    told(&s, 5 * S, "nonsense"); /* of before */
    take_all(&s);
    expect_good(&s, true, true);
    power(&s, 60 * S, "1e300");
    take_all(&s);
    expect_good(&s, false, true);
    told(&s, 70 * S, "nonsense");
    take_all(&s);
    expect_good(&s, false, false);
    start(&s, all);
    power(&s, 50 * S, "100"); /* a late one of before it */
    told(&s, 65 * S, "open event=a class=internal");
    take_all(&s);
    expect_good(&s, false, false);
    assert_int_equal(find(&s, "sem").session_ms, BEGIN_MS + 65 * S);
    power(&s, 80 * S, "100");
    told(&s, 90 * S, "open event=a class=internal");
    take_all(&s);
    expect_good(&s, true, true);
    state(&s, 2, "sem", "nonsense", HOUR, 100 * S - HOUR); /* its clock is ahead: as of when it came */
    take_all(&s);
    expect_good(&s, true, false);
    assert_int_equal(find(&s, "sem").session_garbled_ms, BEGIN_MS + 100 * S);
    told(&s, 101 * S, "open event=a class=internal");
    take_all(&s);
    expect_good(&s, true, true);
    close_scene(&s);
}

static void test_a_run_that_is_garbled_holds_no_session_open(void **unused)
{
    (void)unused;
    struct scene s;
    open_scene(&s, all);
    told(&s, 0, "open event=a class=internal");
    for (int64_t t = 0; t <= 3 * HOUR; t += 60 * S)
        power(&s, t, "100");
    power(&s, 3 * HOUR + S, "-100");
    look_at(&s, 3 * HOUR + S);
    assert_int_equal(s.watch.instruments[0].told.last.end, TOLD_FORGOTTEN);
    close_scene(&s);
}

/* ---- grouping ---- */

static char *dump(struct scene *s)
{
    static const char *const queries[] = {"SELECT name || quote(activity) || ifnull(power_ms, '') || '|' || "
                                          "ifnull(session_ms, '') FROM instrument ORDER BY 1",
        "SELECT instrument || '|' || from_ms || '|' || until_ms || '|' || state FROM activity_span ORDER BY "
        "1",
        "SELECT id || '|' || instrument || '|' || opened_ms || '|' || ifnull(closed_ms, '') || '|' || user "
        "|| class ||"
        " ifnull(open_event, '') || ',' || ifnull(close_event, '') || evidence || closed_evidence || why "
        "FROM session"
        " ORDER BY id",
        "SELECT instrument || '|' || from_ms || '|' || until_ms FROM session_unseen ORDER BY 1",
        "SELECT name || is_down || ifnull(since_ms, '') || '|' || ifnull(heard_ms, '') FROM resource ORDER "
        "BY 1",
        "SELECT resource || '|' || from_ms || '|' || ifnull(until_ms, '') FROM resource_down ORDER BY 1"};
    struct buf text = {0};
    for (size_t i = 0; i < sizeof queries / sizeof queries[0]; i++)
        database_add_rows(s->journal.db, &text, queries[i]);
    return buf_take(&text);
}

struct drawn {
    int gateway;
    char line[160];
    int64_t arrived_ms;
};

static struct drawn draw(int i, int64_t *clock_ms)
{
    static const int64_t steps[] = {S, 10 * S, 30 * S, 61 * S, 1000 * S};
    static const char *const powers[] = {"5", "15", "35", "100"};
    static const char *const words[] = {"on", "off", "alarm", "else"};
    int64_t time_ms = *clock_ms += steps[random_below(5)];
    struct drawn d = {.arrived_ms = time_ms + (random_below(10) == 0 ? 4000 * S : 0)};
    if (random_below(8) == 0) /* goes back */
        time_ms -= 100 * S;
    size_t kind = random_below(6);
    d.gateway = kind == 4 || kind == 5 ? 2 : 1;
    if (kind < 3)
        snprintf(d.line, sizeof d.line, "gauge,point=sem value=%s %" PRId64 "\n", powers[random_below(4)],
            time_ms);
    else if (kind == 3)
        snprintf(d.line, sizeof d.line, "state,point=water value=\"%s\" %" PRId64 "\n",
            words[random_below(4)], time_ms);
    else
        snprintf(d.line, sizeof d.line, "state,point=%s value=\"%s event=%zu%s\" %" PRId64 "\n",
            kind == 4 ? "sem" : "afm", random_below(2) ? "open" : "close",
            random_below(3) == 0 ? random_below(50) : (size_t)(1000 + i), " class=internal", time_ms);
    return d;
}

static void test_rows_are_the_same_in_any_grouping_and_after_kills(void **unused)
{
    (void)unused;
    enum { COUNT = 600 };
    static struct drawn readings[COUNT];
    int64_t clock_ms = BEGIN_MS;
    for (int i = 0; i < COUNT; i++)
        readings[i] = draw(i, &clock_ms);
    struct scene a, b;
    open_scene(&a, all);
    for (size_t i = 0; i < COUNT; i++)
        add_line(&a, readings[i].gateway, readings[i].line, readings[i].arrived_ms);
    take_all(&a);
    open_scene(&b, all);
    tick_ms = 4; /* a few batches a step */
    for (size_t done = 0, more; done < COUNT; done += more) {
        more = random_below(60) + 1;
        more = more < COUNT - done ? more : COUNT - done;
        for (size_t i = done; i < done + more; i++)
            add_line(&b, readings[i].gateway, readings[i].line, readings[i].arrived_ms);
        for (size_t i = random_below(12); i > 0; i--)
            step(&b, random_below(3) > 0);
        if (random_below(4) == 0)
            start(&b, all);
    }
    take_all(&b);
    char *once = dump(&a), *pieces = dump(&b);
    assert_string_equal(once, pieces);
    assert_true(strlen(once) > 5000);
    free(once);
    free(pieces);
    close_scene(&a);
    close_scene(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_power_becomes_spans_by_the_times_of_its_readings),
        cmocka_unit_test(test_power_that_is_not_taken_is_no_word),
        cmocka_unit_test(test_power_far_below_zero_is_no_word_of_what_it_does),
        cmocka_unit_test(test_what_touches_a_period_is_given_whole),
        cmocka_unit_test(test_a_look_reads_only_what_reaches_into_it),
        cmocka_unit_test(test_what_is_down_stays_so_until_a_fresh_state_says_otherwise),
        cmocka_unit_test(test_a_clock_that_was_ahead_masks_nothing_that_is_down),
        cmocka_unit_test(test_new_thresholds_count_from_when_they_are_accepted),
        cmocka_unit_test(test_of_a_version_before_nothing_is_shown_nor_forgotten),
        cmocka_unit_test(test_a_version_that_cannot_be_read_is_one_that_names_nothing),
        cmocka_unit_test(test_what_another_point_told_says_nothing_of_now),
        cmocka_unit_test(test_what_nobody_knows_which_point_told_says_nothing_of_now),
        cmocka_unit_test(test_what_nobody_followed_for_a_while_says_nothing_of_now),
        cmocka_unit_test(test_of_the_journal_that_is_kept_which_a_version_since_names_anything_of),
        cmocka_unit_test(test_a_version_of_no_batch_followed_nothing),
        cmocka_unit_test(test_a_run_that_another_point_told_holds_no_session_open),
        cmocka_unit_test(test_what_cannot_be_read_makes_the_word_before_it_no_word_of_now),
        cmocka_unit_test(test_a_run_that_is_garbled_holds_no_session_open),
        cmocka_unit_test(test_a_park_without_instruments_keeps_nothing_of_the_journal),
        cmocka_unit_test(test_rows_are_the_same_in_any_grouping_and_after_kills),
    };
    return cmocka_run_group_tests(tests, random_set_up, NULL);
}
