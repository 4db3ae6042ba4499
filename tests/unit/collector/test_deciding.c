/* Decisions through the books of a database: what a preview tells and leaves behind (nothing), what is refused, in which words,
 * and that an undo gives back what was. The day is row 7 of the table of register sequences: a feeder of 40 kW; at 10:06, at
 * 100 404.00 kWh, an unlogged replacement by a meter that reads 12 000.00. */
#include "collector/deciding.h"
#include "tests/unit/collector/database_dump.h"
#include "tests/unit/collector/fake_journal.h"

#include <inttypes.h>

#define BEGIN_MS INT64_C(1767225600000) /* 2026-01-01 00:00 */
#define MINUTE_MS INT64_C(60000)
#define CLOCK(hour, minute) (BEGIN_MS + ((hour)*60 + (minute)) * MINUTE_MS)

static const char park_text[] =
    "sites = ({ id = \"s\"; name = \"x\"; name_en = \"x\"; zone = \"UTC\"; });\n"
    "buildings = ({ id = \"b\"; name = \"x\"; name_en = \"x\"; site = \"s\"; });\n"
    "gateways = ({ id = \"gw-a\"; name = \"x\"; name_en = \"x\"; site = \"s\"; });\n"
    "meters = ("
    "{ id = \"feeder\"; name = \"x\"; name_en = \"x\"; building = \"b\"; carrier = \"electricity\"; segments "
    "= ("
    "  { serial = \"1\"; from = \"2025-12-01T00:00:00Z\"; point = \"gw-a/x\"; max_rate = 100000; resolution "
    "= 10; } ); },"
    "{ id = \"water\"; name = \"x\"; name_en = \"x\"; building = \"b\"; carrier = \"water\"; profile = "
    "false; segments = ("
    "  { serial = \"2\"; from = \"2025-12-01T00:00:00Z\"; max_rate = 1000; modulus = 100000; } ); },"
    "{ id = \"gas\"; name = \"x\"; name_en = \"x\"; building = \"b\"; carrier = \"gas\"; profile = "
    "false; segments = ("
    "  { serial = \"3\"; from = \"2025-12-31T00:00:00Z\"; start = 1000; max_rate = 1000; } ); } );\n";

static int64_t wall(void)
{
    return CLOCK(48, 0);
}

/* Each look takes longer than the bookkeeper rests. */
static int64_t mono(void)
{
    static int64_t now_ms;
    return now_ms += 2 * BOOKKEEPER_REST_MS;
}

static const struct clock still = {.wall_ms = wall, .mono_ms = mono};

struct scene {
    struct fake_journal journal;
    struct park *park;
    struct bookkeeper keeper;
    struct error err;
    struct deciding_effect effect;
};

static void must(struct scene *s, enum status status)
{
    if (status != ST_OK)
        fail_msg("%s", s->err.text);
}

static void settle(struct scene *s)
{
    for (bool is_changed = true; is_changed;) {
        is_changed = false;
        must(s, db_begin(s->journal.db, &s->err));
        must(s, bookkeeper_step(&s->keeper, &still, &is_changed, &s->err));
        must(s, db_commit(s->journal.db, &s->err));
        bookkeeper_committed(&s->keeper);
    }
}

static void open_scene(struct scene *s)
{
    *s = (struct scene){0};
    fake_journal_open(&s->journal);
    must(s, db_exec(s->journal.db, "PRAGMA synchronous = OFF", &s->err));
    s->park = fake_park_of(&s->journal, park_text);
    bookkeeper_init(&s->keeper, s->journal.db, s->park);
    must(s, bookkeeper_reset(&s->keeper, &s->err));
    struct buf lines = {0};
    for (int64_t t = CLOCK(0, 0); t <= CLOCK(24, 0); t += 15 * MINUTE_MS)
        buf_printf(&lines, "register,point=x value=%" PRId64 "i %" PRId64 "\n",
            100000000 + (t - BEGIN_MS) / 90 - (t > CLOCK(10, 6) ? 88404000 : 0), t);
    buf_add_char(&lines, '\0');
    fake_journal_add(&s->journal, 1, lines.data, NULL);
    buf_release(&lines);
    settle(s);
}

static void close_scene(struct scene *s)
{
    deciding_effect_release(&s->effect);
    bookkeeper_release(&s->keeper);
    park_destroy(s->park);
    fake_journal_close(&s->journal);
}

static char *dump(struct scene *s)
{
    return database_dump(s->journal.db);
}

/* What is known and what stands now. */
static char *standing(struct scene *s)
{
    struct buf all = {0};
    database_add_rows(s->journal.db, &all,
        "SELECT start_ms || '|' || ifnull(amount, '-') || '|' || quality FROM ledger_quarter AS q WHERE "
        "version ="
        " (SELECT max(version) FROM ledger_quarter WHERE meter = q.meter AND start_ms = q.start_ms)"
        " ORDER BY meter, start_ms");
    database_add_rows(s->journal.db, &all,
        "SELECT meter || '|' || time_ms || '|' || energy || '|' || quality || '|' || stated"
        " FROM ledger_boundary ORDER BY 1");
    database_add_rows(s->journal.db, &all,
        "SELECT meter || '|' || kind || '|' || from_ms || '|' || until_ms FROM ledger_event WHERE state = 0"
        " ORDER BY 1");
    return buf_take(&all);
}

static int64_t known(struct scene *s)
{
    struct buf text = {0};
    database_add_rows(s->journal.db, &text,
        "SELECT sum(amount) FROM ledger_quarter AS q WHERE version = (SELECT max(version) FROM ledger_quarter"
        " WHERE meter = q.meter AND start_ms = q.start_ms)");
    buf_add_char(&text, '\0');
    int64_t number = strtoll(text.data, NULL, 10);
    buf_release(&text);
    return number;
}

static struct deciding of(const char *meter, enum ruling_kind kind, int64_t from_ms, int64_t until_ms)
{
    return (struct deciding){.meter = meter,
        .decided = {.ruling = {.kind = kind, .from_ms = from_ms, .until_ms = until_ms},
            .who = "anna",
            .why = "the electrician's note of that day"}};
}

static struct deciding energy(int64_t amount)
{
    struct deciding d = of("feeder", RULING_ENERGY, CLOCK(10, 0), CLOCK(10, 15));
    d.decided.ruling.energy = amount;
    return d;
}

static struct deciding replacement(int64_t end, int64_t start)
{
    struct deciding d = of("feeder", RULING_REPLACED, CLOCK(10, 6), CLOCK(10, 6));
    d.decided.ruling.end = end;
    d.decided.ruling.next.start = start;
    d.decided.serial = "4711";
    return d;
}

static struct deciding undo(int64_t id)
{
    struct deciding d = of(NULL, RULING_WITHDRAWAL, 0, 0);
    d.decided.withdraws = id;
    return d;
}

static struct deciding by_hand(int64_t at_ms, int64_t count)
{
    struct deciding d = of("water", RULING_READING, at_ms, at_ms);
    d.decided.ruling.count = count;
    return d;
}

static enum status run(struct scene *s, const struct deciding *d)
{
    deciding_effect_release(&s->effect);
    return deciding_run(&s->keeper, &still, d, &s->effect, &s->err);
}

static int64_t decide(struct scene *s, struct deciding d)
{
    must(s, run(s, &d));
    return s->effect.id;
}

static void assert_effect_of_energy(const struct deciding_effect *e)
{
    assert_int_equal(e->quarter_count, 1);
    assert_int_equal(e->quarters[0].after.start_ms, CLOCK(10, 0));
    assert_true(e->quarters[0].was_there && e->quarters[0].before.quality == QUALITY_UNKNOWN);
    assert_true(e->quarters[0].after.quality == QUALITY_MANUAL && e->quarters[0].after.amount == 9876);
    assert_int_equal(e->event_count, 2);
    assert_true(e->events[0].kind == EVENT_EXCEPTION && !e->events[0].is_opened);
    assert_true(e->events[1].kind == EVENT_STATED && e->events[1].is_opened);
    assert_string_equal(e->meter, "feeder");
}

static void test_a_preview_tells_all_and_changes_nothing(void **state)
{
    (void)state;
    struct scene s;
    open_scene(&s);
    char *before = dump(&s);
    struct deciding d = energy(9876);
    d.is_preview = true;
    must(&s, run(&s, &d));
    assert_effect_of_energy(&s.effect);
    assert_int_equal(s.effect.id, 0);
    char *after = dump(&s);
    assert_string_equal(before, after);
    assert_int_equal(decide(&s, energy(9876)), 1); /* and memory is as it was */
    assert_effect_of_energy(&s.effect);
    assert_int_equal(known(&s), 950000 + 9876);
    free(before);
    free(after);
    close_scene(&s);
}

static void test_an_undo_gives_back_what_was(void **state)
{
    (void)state;
    struct scene s;
    open_scene(&s);
    char *before = standing(&s);
    for (int way = 0; way < 3; way++) {
        struct deciding d = way == 0   ? energy(9876)
                            : way == 1 ? replacement(100404000, 12000000)
                                       : of("feeder", RULING_OUTLIER, CLOCK(5, 0), CLOCK(6, 0));
        int64_t id = decide(&s, d);
        char *between = standing(&s);
        assert_string_not_equal(before, between);
        size_t changed = s.effect.quarter_count;
        decide(&s, undo(id));
        assert_int_equal(s.effect.quarter_count, changed);
        char *after = standing(&s);
        assert_string_equal(before, after);
        free(between);
        free(after);
    }
    free(before);
    close_scene(&s);
}

static void test_a_decision_outlives_the_program(void **state)
{
    (void)state;
    struct scene s;
    open_scene(&s);
    decide(&s, replacement(100404000, 12000000));
    assert_int_equal(known(&s), 960000);
    char *before = dump(&s);
    must(&s, bookkeeper_reset(&s.keeper, &s.err));
    settle(&s);
    char *after = dump(&s);
    assert_string_equal(before, after);
    fake_journal_add(&s.journal, 1, "register,point=x value=12596000i 1767315600000\n", NULL); /* 25:00 */
    settle(&s);
    assert_int_equal(known(&s), 1000000);
    free(before);
    free(after);
    close_scene(&s);
}

static void test_readings_by_hand(void **state)
{
    (void)state;
    struct scene s;
    open_scene(&s);
    decide(&s, by_hand(CLOCK(0, 0), 99000));
    int64_t second = decide(&s, by_hand(CLOCK(24, 0), 99960));
    assert_int_equal(s.effect.quarter_count, 96);
    assert_int_equal(s.effect.quarters[7].after.amount, 10);
    assert_int_equal(s.effect.quarters[7].after.quality, QUALITY_MANUAL);
    decide(&s, undo(second)); /* a slip of the pen, entered again for the same time */
    decide(&s, by_hand(CLOCK(24, 0), 99096));
    assert_int_equal(s.effect.quarters[7].after.amount, 1);
    assert_int_equal(known(&s), 950000 + 96);
    close_scene(&s);
}

struct refusal {
    struct deciding d;
    const char *words;
};

static void assert_refused(struct scene *s, const struct refusal *refusals, size_t count)
{
    char *before = dump(s);
    for (size_t i = 0; i < count; i++) {
        enum status status = run(s, &refusals[i].d);
        if (status != ST_INVALID || strstr(s->err.text, refusals[i].words) == NULL)
            fail_msg("%zu: %s: %s; expected \"%s\"", i, status_name(status), s->err.text, refusals[i].words);
        char *after = dump(s);
        assert_string_equal(before, after);
        free(after);
    }
    free(before);
}

static void test_what_cannot_be_is_refused_and_changes_nothing(void **state)
{
    (void)state;
    struct scene s;
    open_scene(&s);
    struct deciding shifted = energy(10), high = energy(25001), early = replacement(100404000, 12000000);
    shifted.decided.ruling.until_ms++;
    early.decided.ruling.from_ms = early.decided.ruling.until_ms = CLOCK(-24 * 40, 0);
    struct deciding modulus = replacement(100404000, 12000000);
    modulus.has_modulus = true;
    modulus.decided.ruling.next.modulus = 1000;
    struct deciding other = energy(10), not_by_hand = by_hand(CLOCK(1, 0), 5);
    other.meter = "nobody";
    not_by_hand.meter = "feeder";
    const struct refusal refusals[] = {
        {other, "nobody: no meter of the park model"},
        {shifted, "has no open exception from 2026-01-01T10:00:00.000Z to 2026-01-01T10:15:00.001Z"},
        {energy(-1), "expected 0 or more"},
        {high, "more than the max_rate of meter feeder allows"},
        {of("feeder", RULING_OUTLIER, CLOCK(10, 1), CLOCK(10, 14)), "has no reading from"},
        {early, "has no segment with"},
        {modulus, "start register that its register cannot show"},
        {replacement(100404000, 12500000), "would be an open exception"},
        {by_hand(CLOCK(48, 6), 5), "is in the future"},
        {by_hand(CLOCK(1, 0), 100000), "cannot read 100000"},
        {not_by_hand, "is read at gw-a/x"},
        {undo(1), "there is no decision 1"},
    };
    assert_refused(&s, refusals, sizeof refusals / sizeof refusals[0]);
    close_scene(&s);
}

static struct deciding forced(struct deciding d)
{
    d.decided.is_forced = true;
    return d;
}

static struct deciding gas(int64_t at_ms, int64_t count)
{
    struct deciding d = by_hand(at_ms, count);
    d.meter = "gas";
    return d;
}

static struct deciding replaced_at(int64_t at_ms, int64_t end)
{
    struct deciding d = replacement(end, 0);
    d.decided.ruling.from_ms = d.decided.ruling.until_ms = at_ms;
    return d;
}

/* The feeder's last reading is 12 556 000 at 24:00. */
static void test_what_nobody_can_mean_is_refused_also_beyond_the_last_reading(void **state)
{
    (void)state;
    struct scene s;
    open_scene(&s);
    const struct refusal refusals[] = {
        {replaced_at(CLOCK(48, 6), 12556000), "is in the future; expected when it was done"},
        {forced(replaced_at(CLOCK(24 * 365, 0), 12556000)), "is in the future"},
        {replaced_at(CLOCK(30, 0), 0), "cannot have read 0 at 2026-01-02T06:00:00.000Z"},
        {replaced_at(CLOCK(30, 0), 12556000 + 720021), "cannot have read 13276021"},
        {forced(energy(SEGMENT_COUNT_MAX + 1)), "expected at most 1000000000000000"},
        {forced(energy(INT64_MAX)), "expected at most 1000000000000000"},
        {forced(energy(SEGMENT_COUNT_MAX)), "the sum of the meter is beyond 1000000000000000"},
        {gas(CLOCK(1, 0), 997),
            "997 at 2026-01-01T01:00:00.000Z is below the last reading of meter gas, 1000"},
        {forced(gas(CLOCK(1, 0), 997)), "is below the last reading"},
        {gas(CLOCK(1, 0), -1), "cannot read -1"},
        {gas(CLOCK(1, 0), 100000000), "is more than the max_rate of meter gas allows"},
    };
    assert_refused(&s, refusals, sizeof refusals / sizeof refusals[0]);
    close_scene(&s);
}

static void test_a_reading_too_far_from_the_one_beside_it_can_be_forced(void **state)
{
    (void)state;
    struct scene s;
    open_scene(&s);
    decide(&s, gas(CLOCK(0, 0), 1500));
    decide(&s, gas(CLOCK(10, 0), 9000));
    const struct refusal refusals[] = {
        {gas(CLOCK(11, 0), 90000), "from 9000 at 2026-01-01T10:00:00.000Z to 90000 at"},
        {gas(CLOCK(9, 0), 1600), "from 1600 at 2026-01-01T09:00:00.000Z to 9000 at"},
    };
    assert_refused(&s, refusals, sizeof refusals / sizeof refusals[0]);
    decide(&s, forced(gas(CLOCK(11, 0), 90000)));
    close_scene(&s);
}

static int64_t open_exceptions(struct scene *s)
{
    struct buf text = {0};
    database_add_rows(s->journal.db, &text, "SELECT count(*) FROM ledger_event WHERE state = 0 AND kind IN (5, 6, 7)");
    buf_add_char(&text, '\0');
    int64_t number = strtoll(text.data, NULL, 10);
    buf_release(&text);
    return number;
}

static void test_a_replacement_of_today_fits_the_next_reading(void **state)
{
    (void)state;
    struct scene s;
    open_scene(&s);
    decide(&s, replacement(100404000, 12000000));
    assert_int_equal(open_exceptions(&s), 0);
    decide(&s, replaced_at(CLOCK(25, 0), 12596000));
    fake_journal_add(&s.journal, 1, "register,point=x value=40000i 1767319200000\n", NULL); /* 26:00 */
    settle(&s);
    assert_int_equal(open_exceptions(&s), 0);
    assert_int_equal(known(&s), 960000 + 80000);
    close_scene(&s);
}

static void test_what_stands_against_a_decision_in_force_is_refused(void **state)
{
    (void)state;
    struct scene s;
    open_scene(&s);
    int64_t undone = decide(&s, energy(1));
    decide(&s, undo(undone));
    decide(&s, replacement(100404000, 12000000));
    decide(&s, by_hand(CLOCK(1, 0), 500));
    decide(&s, by_hand(CLOCK(3, 0), 700));
    const struct refusal refusals[] = {
        {undo(undone), "was undone already"},
        {undo(2), "there is no decision 2"}, /* it is an undo itself */
        {replacement(100404000, 12000000), "decision 3 (replacement) of meter feeder is about this already"},
        {energy(9876), "decision 3 (replacement)"},
        {by_hand(CLOCK(3, 0), 700), "decision 5 (reading)"},
        {by_hand(CLOCK(4, 0), 650),
            "is below the last reading of meter water, 700 at 2026-01-01T03:00:00.000Z"},
        {by_hand(CLOCK(2, 0), 450), "is below the last reading"},
        {by_hand(CLOCK(2, 0), 750), "is above the next reading of meter water, 700"},
    };
    assert_refused(&s, refusals, sizeof refusals / sizeof refusals[0]);
    close_scene(&s);
}

static void test_more_than_max_rate_can_be_forced(void **state)
{
    (void)state;
    struct scene s;
    open_scene(&s);
    struct deciding d = energy(25001);
    d.decided.is_forced = true;
    decide(&s, d);
    assert_int_equal(known(&s), 950000 + 25001);
    close_scene(&s);
}

/* The person's way over a register that was set back: the reset first, then the reading below the last. */
static void test_a_reading_below_the_last_after_a_reset(void **state)
{
    (void)state;
    struct scene s;
    open_scene(&s);
    decide(&s, by_hand(CLOCK(0, 0), 500));
    struct deciding d = of("water", RULING_RESET, CLOCK(12, 0), CLOCK(12, 0));
    d.decided.ruling.end = 800;
    decide(&s, d);
    decide(&s, by_hand(CLOCK(24, 0), 660));
    assert_int_equal(s.effect.quarter_count, 96);
    assert_int_equal(known(&s), 950000 + 300 + 660);
    close_scene(&s);
}

static void test_who_when_and_why_are_kept(void **state)
{
    (void)state;
    struct scene s;
    open_scene(&s);
    struct deciding d = energy(5);
    d.decided.token = 7;
    int64_t id = decide(&s, d);
    decide(&s, undo(id));
    struct buf text = {0};
    database_add_rows(s.journal.db, &text,
        "SELECT id || '|' || kind || '|' || ifnull(withdraws, '-') || '|' || time_ms || '|' || ifnull(token, "
        "'-')"
        " || '|' || who || '|' || why FROM ledger_decision ORDER BY id");
    database_add_rows(s.journal.db, &text,
        "SELECT who || '|' || action || '|' || object || '|' || after FROM change_log ORDER BY id");
    buf_add_char(&text, '\0');
    assert_string_equal(text.data, "1|4|-|1767398400000|7|anna|the electrician's note of that day\n"
                                   "2|0|1|1767398400000|-|anna|the electrician's note of that day\n"
                                   "anna|decide energy|meter feeder, decision 1|1 quarter hours\n"
                                   "anna|decide undo|meter feeder, decision 2|decision 1 undone\n");
    buf_release(&text);
    struct error err;
    assert_int_equal(db_exec(s.journal.db, "UPDATE ledger_decision SET why = 'x'", &err), ST_INVALID);
    assert_int_equal(db_exec(s.journal.db, "DELETE FROM ledger_decision", &err), ST_INVALID);
    close_scene(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_preview_tells_all_and_changes_nothing),
        cmocka_unit_test(test_an_undo_gives_back_what_was),
        cmocka_unit_test(test_a_decision_outlives_the_program),
        cmocka_unit_test(test_readings_by_hand),
        cmocka_unit_test(test_what_cannot_be_is_refused_and_changes_nothing),
        cmocka_unit_test(test_what_nobody_can_mean_is_refused_also_beyond_the_last_reading),
        cmocka_unit_test(test_a_reading_too_far_from_the_one_beside_it_can_be_forced),
        cmocka_unit_test(test_a_replacement_of_today_fits_the_next_reading),
        cmocka_unit_test(test_what_stands_against_a_decision_in_force_is_refused),
        cmocka_unit_test(test_more_than_max_rate_can_be_forced),
        cmocka_unit_test(test_a_reading_below_the_last_after_a_reset),
        cmocka_unit_test(test_who_when_and_why_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
