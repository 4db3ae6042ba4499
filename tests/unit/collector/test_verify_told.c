/* What instruments told, taken anew from the journal: what somebody changed is named, and nothing else. */
#include "collector/model/version.h"
#include "collector/verify/verify_private.h"
#include "tests/unit/collector/watch_scene.h"

static bool differs(struct scene *s, const char *park)
{
    struct error err = {""};
    struct verify v = {.db = s->journal.db, .from_ms = INT64_MIN, .until_ms = INT64_MAX};
    struct park *newest = fake_park_of(&s->journal, park);
    must(verify_told(&v, newest, &err), &err);
    park_destroy(newest);
    return v.has_difference;
}

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

static void change(struct scene *s, const char *sql)
{
    struct error err = {""};
    must(db_exec(s->journal.db, sql, &err), &err);
}

/* A day: what it does, with a gap; sessions; the point of these is not heard for a while; water that is off; and other thresholds. */
static void tell_all(struct scene *s)
{
    open_scene(s, all);
    accept(s, 1, all);
    for (int64_t t = 0; t <= 3600 * S; t += 10 * S)
        power(s, t, t / S % 1200 < 600 ? "15" : "100");
    told(s, 0, "open event=a class=internal");
    told(s, 1800 * S, "close event=a");
    state(s, 1, "water", "off", 100 * S, 0);
    state(s, 1, "water", "on", 900 * S, 0);
    take_all(s);
    accept(s, 2, higher);
    start(s, higher);
    for (int64_t t = 7200 * S; t <= 10800 * S; t += 10 * S) /* an hour later */
        power(s, t, t / S % 1200 < 600 ? "15" : "500");
    told(s, 9000 * S, "open event=b");
    told(s, 9100 * S, "close event=b");
    take_all(s);
}

static const char *const changes[] = {
    "UPDATE activity_span SET until_ms = until_ms + 1 WHERE from_ms = 1767233400000",
    "UPDATE activity_span SET state = 1 WHERE from_ms = 1767233400000",
    "DELETE FROM activity_span WHERE from_ms = 1767233400000",
    "INSERT INTO activity_span VALUES(1, 1767236500000, 1767236600000, 2)",
    "UPDATE instrument SET power_ms = power_ms - 1 WHERE name = 'sem'",
    "UPDATE instrument SET activity = zeroblob(length(activity)) WHERE name = 'sem'",
    "UPDATE instrument SET session_ms = session_ms - 1 WHERE name = 'sem'", "DELETE FROM session_unseen",
    /* As long as all of the journal is there: */
    "UPDATE activity_span SET until_ms = until_ms + 1 WHERE from_ms = 1767225600000",
    "UPDATE session SET closed_ms = closed_ms - 1 WHERE id = 1", "DELETE FROM session WHERE id = 2",
    "UPDATE session SET user = 2 WHERE id = 1", "UPDATE resource_down SET until_ms = NULL",
    "UPDATE resource SET is_down = 1 WHERE name = 'water'"};
enum { CHANGES = sizeof changes / sizeof changes[0], ALWAYS = 8 };

static void test_whatever_somebody_changes_is_named(void **unused)
{
    (void)unused;
    struct scene s;
    tell_all(&s);
    expect_activity(&s,
        "0.0|600.0|2\n600.0|1200.0|3\n1200.0|1800.0|2\n1800.0|2400.0|3\n2400.0|3000.0|2\n3000.0|3600.0|3\n"
        "3600.0|7200.0|0\n7200.0|7800.0|2\n7800.0|8400.0|3\n8400.0|9000.0|2\n9000.0|9600.0|3\n9600.0|10200.0|"
        "2\n");
    assert_false(differs(&s, higher));
    for (int i = 0; i < CHANGES; i++) {
        change(&s, "SAVEPOINT here");
        change(&s, changes[i]);
        if (!differs(&s, higher))
            fail_msg("not named: %s", changes[i]);
        change(&s, "ROLLBACK TO here; RELEASE here");
    }
    assert_false(differs(&s, higher));
    close_scene(&s);
}

static void test_of_a_journal_that_begins_later_what_the_beginning_does_not_touch_is_compared(void **unused)
{
    (void)unused;
    struct scene s;
    for (int way = 0; way < 2; way++) { /* pruned, or from before versions noted their batch */
        tell_all(&s);
        change(&s, way == 0 ? "DELETE FROM journal WHERE id < 150; INSERT INTO pruned VALUES(1, 1, 0, 1)"
                            : "UPDATE cursor SET position = 150 WHERE name = 'watch_noted'");
        assert_false(differs(&s, higher));
        for (int i = 0; i < CHANGES; i++) {
            change(&s, "SAVEPOINT here");
            change(&s, changes[i]);
            if (differs(&s, higher) != (i < ALWAYS))
                fail_msg("%s: %s", i < ALWAYS ? "not named" : "named", changes[i]);
            change(&s, "ROLLBACK TO here; RELEASE here");
        }
        close_scene(&s);
    }
}

static void test_what_persons_said_and_what_was_inferred_is_not_compared(void **unused)
{
    (void)unused;
    struct scene s;
    tell_all(&s);
    change(&s, "UPDATE session SET closed_evidence = 4, closed_ms = closed_ms + 1 WHERE id = 1");
    assert_false(differs(&s, higher));
    change(&s, "UPDATE session SET closed_evidence = 1, why = 3 WHERE id = 1");
    assert_false(differs(&s, higher));
    change(&s, "INSERT INTO change_log(id, time_ms, who, action, object) VALUES(1, 1, 'x', 'resource up', "
               "'resource water');"
               "UPDATE resource_down SET until_ms = until_ms + 1");
    assert_false(differs(&s, higher));
    close_scene(&s);
}

static void tell_later(struct scene *s, int64_t after_ms)
{
    power(s, after_ms, "15");
    told(s, after_ms, "close event=b");
    state(s, 1, "water", "on", after_ms, 0);
    take_all(s);
}

static void test_a_version_of_no_batch_is_taken_up_as_it_was(void **unused)
{
    (void)unused;
    struct scene s;
    tell_all(&s);
    tell_later(&s, 10810 * S);
    accept(&s, 3, alone);
    start(&s, alone);
    take_all(&s);
    assert_false(differs(&s, alone));
    accept(&s, 4, higher);
    start(&s, higher);
    take_all(&s);
    assert_int_equal(watch_find_resource(&s.watch, "water")->told.heard_ms, TOLD_NONE);
    assert_false(differs(&s, higher));
    tell_later(&s, 10820 * S);
    assert_false(differs(&s, higher));
    change(&s, "UPDATE resource SET heard_ms = heard_ms + 1");
    assert_true(differs(&s, higher));
    close_scene(&s);
}

static void test_a_restore_is_no_difference(void **unused)
{
    (void)unused;
    struct scene s;
    struct error err = {""};
    tell_all(&s);
    tell_later(&s, 10810 * S);
    must(told_leave_all(s.journal.db, &err), &err);
    start(&s, higher);
    take_all(&s);
    const struct watch_instrument *sem = watch_find(&s.watch, "sem");
    assert_true(sem->told.is_power_other && sem->told.is_session_other);
    assert_int_equal(watch_find_resource(&s.watch, "water")->told.heard_ms, TOLD_NONE);
    assert_false(differs(&s, higher));
    tell_later(&s, 10820 * S);
    assert_false(sem->told.is_power_other || sem->told.is_session_other);
    assert_int_equal(watch_find_resource(&s.watch, "water")->told.heard_ms, BEGIN_MS + 10820 * S);
    assert_false(differs(&s, higher));
    close_scene(&s);
}

static void test_before_the_first_batch_after_an_upgrade_nothing_differs(void **unused)
{
    (void)unused;
    struct scene s;
    tell_all(&s);
    change(&s, "UPDATE cursor SET position = (SELECT max(id) FROM journal) WHERE name = 'watch_noted'");
    assert_false(differs(&s, higher));
    close_scene(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whatever_somebody_changes_is_named),
        cmocka_unit_test(test_of_a_journal_that_begins_later_what_the_beginning_does_not_touch_is_compared),
        cmocka_unit_test(test_what_persons_said_and_what_was_inferred_is_not_compared),
        cmocka_unit_test(test_a_version_of_no_batch_is_taken_up_as_it_was),
        cmocka_unit_test(test_a_restore_is_no_difference),
        cmocka_unit_test(test_before_the_first_batch_after_an_upgrade_nothing_differs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
