/* Pruning against the clock: what is old goes, and a clock that is wrong takes little with it. */
#include "tests/unit/collector/prune_fixture.h"

/* A batch an hour for ten days, all in the store but the last. */
static void fill(struct intake *in, struct prune *p)
{
    intake_open(in);
    prune_begin(p);
    struct error err = {""};
    for (int hour = 0; hour < 240; hour++) {
        fake_journal_add(&in->journal, 1, "register,point=m value=1i 1764000000000\n", NULL);
        struct db_stmt *s = db_keep(in->db, "UPDATE journal SET received_ms = ? WHERE id = ?");
        db_bind_int(s, 1, NOW_MS + hour * HOUR_MS);
        db_bind_int(s, 2, db_last_id(in->db));
        must(db_run(s, &err), &err);
    }
}

static int64_t run_for(struct intake *in, struct prune *p, int64_t span_ms, int64_t wall_too)
{
    for (int64_t end = now_mono_ms + span_ms; now_mono_ms < end;
         now_mono_ms += 10000, now_ms += 10000 * wall_too)
        prune_once(in->db, p, 239);
    return query(in->db, "SELECT count(*) FROM journal");
}

static void test_batches_go_when_they_are_old_and_the_store_has_them(void **state)
{
    (void)state;
    struct intake in;
    struct prune p;
    fill(&in, &p);
    now_ms = NOW_MS + 35 * DAY_MS;
    assert_int_equal(run_for(&in, &p, 12 * HOUR_MS, 1), 240 - 12);
    assert_true(p.behind_ms == 0);
    now_ms += DAY_MS; /* it stood still for a day */
    assert_int_equal(run_for(&in, &p, 70 * MINUTE_MS, 1), 240 - 38);
    assert_true(p.behind_ms == 0);
    now_ms += 30 * DAY_MS;
    assert_int_equal(run_for(&in, &p, 240 * HOUR_MS, 1), 1); /* the one that the store does not have */
    intake_close(&in);
}

static void test_a_clock_that_jumps_ahead_costs_a_day_of_evidence_an_hour_and_says_so(void **state)
{
    (void)state;
    struct intake in;
    struct prune p;
    fill(&in, &p);
    now_ms = NOW_MS + 3650 * DAY_MS;
    assert_true(run_for(&in, &p, HOUR_MS, 1) >= 240 - 25);
    assert_true(p.behind_ms > 3600 * DAY_MS);
    /* A restart gives it no new credit. */
    prune_init(&p, &prune_settings);
    assert_true(run_for(&in, &p, HOUR_MS, 1) >= 240 - 50);
    now_ms = NOW_MS + 11 * DAY_MS; /* set right */
    int64_t left = run_for(&in, &p, 10 * HOUR_MS, 1);
    assert_true(left >= 240 - 51);
    assert_int_equal(run_for(&in, &p, 10 * HOUR_MS, 1), left);
    intake_close(&in);
}

static void test_nothing_goes_by_a_clock_that_is_not_synchronised(void **state)
{
    (void)state;
    struct intake in;
    struct prune p;
    fill(&in, &p);
    now_ms = NOW_MS + 3650 * DAY_MS;
    is_right = false;
    assert_int_equal(run_for(&in, &p, HOUR_MS, 1), 240);
    intake_close(&in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_batches_go_when_they_are_old_and_the_store_has_them),
        cmocka_unit_test(test_a_clock_that_jumps_ahead_costs_a_day_of_evidence_an_hour_and_says_so),
        cmocka_unit_test(test_nothing_goes_by_a_clock_that_is_not_synchronised),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
