/* Months of the archive are sealed once, in a chain; what comes later is a supplement; what is too old goes. */
#include "collector/evidence/seal.h"

#include "lib/calendar.h"
#include "tests/unit/collector/prune_fixture.h"

#define OCTOBER 669
#define NOVEMBER 670
#define SEALS "SELECT number, month, supplement, readings FROM seal ORDER BY number"

/* 2025-11-24T16:00:00Z is NOW_MS; noon of a day since the first of 2025-10. */
static int64_t day_ms(int day)
{
    return calendar_month_begin_ms(OCTOBER) + (day - 1) * DAY_MS + 12 * HOUR_MS;
}
#define NOV(day) day_ms(31 + (day))
#define DEC(day) day_ms(61 + (day))
#define JAN(day) day_ms(92 + (day))
#define FEB(day) day_ms(123 + (day))
#define MAR(day) day_ms(151 + (day))

struct scene {
    struct intake in;
    struct prune prune;
    int64_t seq;
};

static void open_scene(struct scene *s)
{
    struct error err = {""};
    *s = (struct scene){0};
    intake_open(&s->in);
    must(db_exec(s->in.db, "INSERT INTO gateway(id, name, first_heard_ms) VALUES(1, 'gw-a', 0)", &err), &err);
    prune_begin(&s->prune);
}

/* One register, journalled as it arrived. */
static void give(struct scene *s, int64_t received_ms, int64_t time_ms)
{
    struct error err = {""};
    struct buf payload = {0};
    struct batch_header header = {.epoch = 7, .seq = ++s->seq, .first = 1};
    batch_write_header(&payload, &header);
    buf_printf(&payload, "register,point=m value=%lldi %lld\n", (long long)s->seq, (long long)time_ms);
    struct journal_batch batch = {.gateway = 1,
        .header = &header,
        .received_ms = received_ms,
        .lines = 1,
        .from_ms = time_ms,
        .to_ms = time_ms,
        .payload = {payload.data, payload.len}};
    must(db_begin(s->in.db, &err), &err);
    must(journal_add(s->in.db, &batch, &err), &err);
    must(db_commit(s->in.db, &err), &err);
    buf_release(&payload);
}

static int64_t step_ms = 6 * HOUR_MS;

/* Time passes. */
static void run_until(struct scene *s, int64_t time_ms)
{
    for (; now_ms < time_ms; now_ms += step_ms, now_mono_ms += step_ms)
        prune_once(s->in.db, &s->prune, INT64_MAX);
}

static struct hash hash_at(struct scene *s, const char *sql)
{
    struct error err = {""};
    struct hash hash;
    bool has_row;
    struct db_stmt *read = db_prepare(s->in.db, sql);
    must(db_step(read, &has_row, &err), &err);
    assert_true(has_row && hash_read(db_text(read, 0), &hash));
    db_finish(read);
    return hash;
}

static void check_seal(struct scene *s, int number, const char *text)
{
    char *sql = mem_printf("SELECT hash FROM seal WHERE number = %d", number);
    struct hash expected = hash_of(span_of(text)), found = hash_at(s, sql);
    assert_true(hash_is_equal(&expected, &found));
    free(sql);
}

static void test_a_month_is_sealed_when_it_is_over_and_archived(void **state)
{
    (void)state;
    struct scene s;
    open_scene(&s);
    give(&s, NOW_MS, day_ms(5));
    give(&s, NOW_MS + MINUTE_MS, NOV(20));
    run_until(&s, DEC(28));
    assert_string_equal(rows(s.in.db, 4, SEALS), "");
    run_until(&s, JAN(3)); /* both are archived; November is over for less than 35 days */
    assert_string_equal(rows(s.in.db, 2, "SELECT month, seal FROM archive ORDER BY month"), "669|1;670|-");
    run_until(&s, JAN(7));
    assert_string_equal(rows(s.in.db, 4, SEALS), "1|669|0|1;2|670|0|1");

    /* As anybody may recompute it. */
    static const char october[] = "registers 1\nbatch gw-a 0000000000000007 1\nm 1759665600000 1\n";
    static const char november[] = "registers 1\nbatch gw-a 0000000000000007 2\nm 1763640000000 2\n";
    char chunk[HASH_TEXT_SIZE], first[HASH_TEXT_SIZE];
    struct hash hash = hash_of(span_of(october));
    hash_format(&hash, chunk);
    char *text =
        mem_printf("parkmon seal 1\nnumber 1\nprevious %064d\nmonth 2025-10\nsupplement 0\nreadings 1\n"
                   "chunk %s\n",
            0, chunk);
    check_seal(&s, 1, text);
    hash = hash_of(span_of(text));
    hash_format(&hash, first);
    free(text);
    hash = hash_of(span_of(november));
    hash_format(&hash, chunk);
    text = mem_printf(
        "parkmon seal 1\nnumber 2\nprevious %s\nmonth 2025-11\nsupplement 0\nreadings 1\nchunk %s\n", first,
        chunk);
    check_seal(&s, 2, text);
    free(text);
    intake_close(&s.in);
}

static void test_what_comes_for_a_sealed_month_is_a_supplement_of_the_next_seal(void **state)
{
    (void)state;
    struct scene s;
    open_scene(&s);
    give(&s, NOW_MS, day_ms(5));
    give(&s, NOW_MS, NOV(20));
    run_until(&s, JAN(8));
    struct hash before = hash_at(&s, "SELECT hash FROM seal WHERE number = 1");
    give(&s, JAN(8), day_ms(6));
    give(&s, JAN(9), JAN(9));
    give(&s, JAN(10), day_ms(7));
    run_until(&s, FEB(20));
    assert_string_equal(rows(s.in.db, 4, SEALS), "1|669|0|1;2|670|0|1");
    assert_string_equal(rows(s.in.db, 3, "SELECT month, seal, readings FROM archive ORDER BY id"),
        "669|1|1;670|2|1;669|-|2;672|-|1");
    run_until(&s, MAR(9));
    assert_string_equal(rows(s.in.db, 4, SEALS), "1|669|0|1;2|670|0|1;3|669|1|2;4|672|0|1");
    struct hash after = hash_at(&s, "SELECT hash FROM seal WHERE number = 1");
    assert_true(hash_is_equal(&before, &after));
    assert_string_equal(
        rows(s.in.db, 2, "SELECT month, seal FROM archive ORDER BY id"), "669|1;670|2;669|3;672|4");
    intake_close(&s.in);
}

static void test_a_month_waits_for_what_the_journal_holds_of_it_but_not_for_ever(void **state)
{
    (void)state;
    struct scene s;
    open_scene(&s);
    give(&s, NOW_MS, day_ms(5));
    give(&s, DEC(10), day_ms(6));
    run_until(&s, JAN(10));
    assert_string_equal(rows(s.in.db, 4, SEALS), "");
    run_until(&s, JAN(16));
    assert_string_equal(rows(s.in.db, 4, SEALS), "1|669|0|2");

    /* A gateway that sends something of November every day. */
    int64_t sealed_ms = 0;
    for (int day = 1; day < 90; day++) {
        run_until(&s, JAN(16 + day));
        give(&s, now_ms, NOV(1) + day);
        if (sealed_ms == 0 && query(s.in.db, "SELECT count(*) FROM seal WHERE month = 670") > 0)
            sealed_ms = now_ms;
    }
    /* Begun in the archive when the first of them was pruned, on the 21st of February. */
    assert_true(sealed_ms > FEB(20) && sealed_ms < FEB(20) + 38 * DAY_MS);
    assert_int_equal(query(s.in.db, "SELECT count(*) FROM seal WHERE month = 670"), 1);
    intake_close(&s.in);
}

static void test_months_beyond_audit_years_go_and_their_seals_stay(void **state)
{
    (void)state;
    struct scene s;
    open_scene(&s);
    s.prune.sealer.audit_years = 1;
    give(&s, NOW_MS, day_ms(5));
    give(&s, NOW_MS, NOV(20));
    run_until(&s, JAN(10));
    run_until(&s, day_ms(365 + 31));
    assert_int_equal(query(s.in.db, "SELECT count(*) FROM seal WHERE deleted_ms IS NULL"), 2);
    run_until(&s, day_ms(365 + 33));
    assert_string_equal(rows(s.in.db, 2, "SELECT number, deleted_ms IS NULL FROM seal"), "1|0;2|1");
    assert_string_equal(rows(s.in.db, 2, "SELECT month, seal FROM archive"), "670|2");
    assert_int_equal(query(s.in.db, "SELECT count(*) FROM archive_content"), 1);
    /* The chain goes on behind them. */
    give(&s, now_ms, now_ms);
    run_until(&s, day_ms(365 + 31 + 30 + 80));
    assert_string_equal(rows(s.in.db, 4, SEALS), "1|669|0|1;2|670|0|1;3|682|0|1");
    assert_string_equal(rows(s.in.db, 2, "SELECT month, seal FROM archive"), "682|3");
    intake_close(&s.in);
}

static void test_a_clock_that_jumps_ahead_costs_a_month_a_day(void **state)
{
    (void)state;
    struct scene s;
    open_scene(&s);
    for (int month = 0; month < 24; month++)
        give(&s, NOW_MS, calendar_month_begin_ms(OCTOBER - 24 + month));
    run_until(&s, JAN(10));
    assert_int_equal(query(s.in.db, "SELECT count(*) FROM seal"), 24);
    now_ms += 3650 * DAY_MS;
    step_ms = HOUR_MS;
    run_until(&s, now_ms + 23 * HOUR_MS);
    assert_int_equal(query(s.in.db, "SELECT count(*) FROM archive"), 23);
    prune_init(&s.prune, &prune_settings); /* a restart gives no new credit */
    run_until(&s, now_ms + 25 * HOUR_MS);
    assert_int_equal(query(s.in.db, "SELECT count(*) FROM archive"), 22);
    now_ms -= 3650 * DAY_MS; /* set right */
    run_until(&s, now_ms + 50 * HOUR_MS);
    assert_int_equal(query(s.in.db, "SELECT count(*) FROM archive"), 22);
    is_right = false;
    now_ms += 7300 * DAY_MS;
    run_until(&s, now_ms + 50 * HOUR_MS);
    assert_int_equal(query(s.in.db, "SELECT count(*) FROM archive"), 22);
    intake_close(&s.in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_month_is_sealed_when_it_is_over_and_archived),
        cmocka_unit_test(test_what_comes_for_a_sealed_month_is_a_supplement_of_the_next_seal),
        cmocka_unit_test(test_a_month_waits_for_what_the_journal_holds_of_it_but_not_for_ever),
        cmocka_unit_test(test_months_beyond_audit_years_go_and_their_seals_stay),
        cmocka_unit_test(test_a_clock_that_jumps_ahead_costs_a_month_a_day),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
