/* What persons decide, over rows of the table of register sequences (a feeder of 40 kW, max_rate 100 kW), with answers
 * worked out by hand; and what no two decisions in force may have in common. */
#include "tests/unit/collector/ledger_day.h"

static const struct segment plain[] = {DAY_SEGMENT};

struct case_ {
    struct book book;
    struct overlay overlay;
};

static void decide(struct case_ *c, const struct ruling *decisions, size_t count)
{
    overlay_init(&c->overlay, &c->book.segments, &(struct rulings){decisions, count});
    book_decide(&c->book, &c->overlay);
    book_fold(&c->book);
}

static void release(struct case_ *c)
{
    book_release(&c->book);
    overlay_release(&c->overlay);
}

/* Row 7: at 10:06, at 100 404.00, an unlogged replacement by a meter that reads 12 000.00. */
static void open_row_7(struct case_ *c)
{
    day_open(&c->book, plain, 1);
    day_fill(&c->book);
    for (size_t i = 0; i < c->book.count; i++)
        if (c->book.readings[i].time_ms > CLOCK(10, 6))
            c->book.readings[i].count -= 100404 * KWH - 12000 * KWH;
}

static struct ruling replaced(int64_t at_ms, int64_t end, int64_t start)
{
    return (struct ruling){.kind = RULING_REPLACED,
        .from_ms = at_ms,
        .until_ms = at_ms,
        .end = end,
        .next = {.start = start, .resolution = 10, .max_rate = 100 * KWH, .p = 1, .q = 1}};
}

static struct ruling stated(int64_t from_ms, int64_t until_ms, int64_t energy)
{
    return (struct ruling){.kind = RULING_ENERGY, .from_ms = from_ms, .until_ms = until_ms, .energy = energy};
}

static struct ruling outlier(const int64_t *times, size_t count)
{
    return (struct ruling){.kind = RULING_OUTLIER,
        .from_ms = times[0],
        .until_ms = times[count - 1],
        .times = times,
        .time_count = count};
}

static void test_a_replacement_with_registers_settles_its_exception(void **state)
{
    (void)state;
    static const int64_t instants[] = {
        CLOCK(10, 0) + 1, CLOCK(10, 6), CLOCK(10, 15), CLOCK(9, 50), CLOCK(10, 30)};
    for (size_t i = 0; i < sizeof instants / sizeof instants[0]; i++) {
        struct case_ c;
        open_row_7(&c);
        struct ruling d = replaced(instants[i], 100404 * KWH, 12000 * KWH);
        decide(&c, &d, 1);
        int64_t amount;
        struct quarters_sum sum = day_sum(&c.book, 0, 96);
        assert_true(quarters_amount(&sum, &amount));
        assert_int_equal(amount, 960 * KWH);
        assert_int_equal(day_count_of(&c.book, QUALITY_MEASURED), 96);
        assert_int_equal(c.book.span_count, 0);
        release(&c);
    }
}

static void test_a_replacement_ends_what_the_segment_was_and_begins_what_it_is_told(void **state)
{
    (void)state;
    struct segment model[] = {DAY_SEGMENT};
    model[0].until_ms = CLOCK(20, 0);
    model[0].has_end = true;
    model[0].end = 7;
    model[0].point = 3;
    struct ruling d[2] = {replaced(CLOCK(12, 0), 500, 20), replaced(CLOCK(10, 0), 400, 10)};
    d[0].next.p = 40;
    struct overlay o;
    overlay_init(&o, &(struct segments){model, 1}, &(struct rulings){d, 2});
    const struct segment *s = o.segments.items;
    assert_int_equal(o.segments.count, 3);
    assert_true(s[0].until_ms == CLOCK(10, 0) && s[0].has_end && s[0].end == 400 && !s[0].has_start);
    assert_true(
        s[1].from_ms == CLOCK(10, 0) && s[1].until_ms == CLOCK(12, 0) && s[1].start == 10 && s[1].end == 500);
    assert_true(
        s[2].from_ms == CLOCK(12, 0) && s[2].until_ms == CLOCK(20, 0) && s[2].start == 20 && s[2].end == 7);
    assert_true(s[1].p == 1 && s[2].p == 40 && s[1].has_start && s[2].has_end && s[2].point == 3);
    overlay_release(&o);
}

static void test_a_replacement_where_no_segment_has_its_instant_inside_has_no_object(void **state)
{
    (void)state;
    struct segment model[] = {DAY_SEGMENT, DAY_SEGMENT};
    model[0].until_ms = model[1].from_ms = CLOCK(10, 0);
    model[1].until_ms = CLOCK(20, 0);
    struct ruling d[3] = {
        replaced(CLOCK(10, 0), 1, 1), replaced(CLOCK(20, 0), 1, 1), replaced(CLOCK(19, 59), 1, 1)};
    struct overlay o;
    overlay_init(&o, &(struct segments){model, 2}, &(struct rulings){d, 3});
    assert_int_equal(o.segments.count, 3);
    assert_true(o.is_idle[0] && o.is_idle[1] && !o.is_idle[2]);
    overlay_release(&o);
}

/* Row 12: from 10:00 on 15 kWh lower. Known is what was used up to 09:30 and from 10:00 on; stated what lies between. */
static void test_a_counter_that_was_set_back_is_decided_as_a_reset(void **state)
{
    (void)state;
    struct case_ c;
    day_open(&c.book, plain, 1);
    day_fill(&c.book);
    for (size_t i = 0; i < c.book.count; i++)
        if (c.book.readings[i].time_ms >= CLOCK(10, 0))
            c.book.readings[i].count -= 15 * KWH;
    struct ruling d = replaced(CLOCK(10, 0), 100400 * KWH, 100385 * KWH);
    d.kind = RULING_RESET;
    decide(&c, &d, 1);
    assert_int_equal(day_sum(&c.book, 0, 96).known, 960 * KWH);
    assert_int_equal(day_count_of(&c.book, QUALITY_MEASURED), 96);
    assert_int_equal(c.book.span_count, 0);
    release(&c);
}

/* The one quarter from reading to reading: both its ends are measured, and its amount is not. */
static void test_energy_that_a_person_stated_is_manual_and_goes_on(void **state)
{
    (void)state;
    struct case_ c;
    open_row_7(&c);
    struct ruling d = stated(CLOCK(10, 0), CLOCK(10, 15), 9876);
    decide(&c, &d, 1);
    int64_t amount;
    struct quarters_sum sum = day_sum(&c.book, 0, 96);
    assert_true(quarters_amount(&sum, &amount));
    assert_int_equal(amount, 950 * KWH + 9876);
    assert_int_equal(amount, c.book.boundaries[96].energy - c.book.boundaries[0].energy);
    assert_int_equal(sum.manual, 9876);
    day_assert_only(&c.book, QUALITY_MANUAL, QUARTER(10, 0), QUARTER(10, 15));
    assert_int_equal(day_count_of(&c.book, QUALITY_MEASURED), 95);
    assert_true(day_has_span(&c.book, EVENT_STATED, CLOCK(10, 0), CLOCK(10, 15)));
    assert_int_equal(day_exceptions(&c.book), 0);
    release(&c);
}

/* Readings at :07, :22, :37, :52: the span lies across quarter hours, and each that it touches is manual. */
static void test_a_quarter_that_a_stated_span_touches_is_manual(void **state)
{
    (void)state;
    struct case_ c;
    day_open(&c.book, plain, 1);
    for (int64_t t = CLOCK(0, -8); t <= CLOCK(24, 7); t += BOUNDARY_MS)
        day_add(&c.book, t, day_count(t) - (t > CLOCK(10, 6) ? 88404 * KWH : 0));
    struct ruling d = stated(CLOCK(9, 52), CLOCK(10, 7), 1001);
    decide(&c, &d, 1);
    day_assert_only(&c.book, QUALITY_MANUAL, QUARTER(9, 45), QUARTER(10, 15));
    /* 09:45 to 09:52 and 10:07 to 10:15 are 15 min at 40 kW; of 1 001 Wh 8 / 15 lie before 10:00, rounded down. */
    int64_t before = 4667 + 533, after = 10000 + 1001 - before;
    assert_in_range(book_quarter(&c.book, QUARTER(9, 45)).amount, before - 1, before + 1);
    assert_in_range(book_quarter(&c.book, QUARTER(10, 0)).amount, after - 1, after + 1);
    assert_int_equal(day_sum(&c.book, QUARTER(9, 45), QUARTER(10, 15)).known, 11001);
    release(&c);
}

/* Row 12 again: the exception begins one reading earlier, and U at its begin is that of 09:30. */
static void test_what_is_stated_counts_from_where_the_exception_begins(void **state)
{
    (void)state;
    struct case_ c;
    day_open(&c.book, plain, 1);
    day_fill(&c.book);
    for (size_t i = 0; i < c.book.count; i++)
        if (c.book.readings[i].time_ms >= CLOCK(10, 0))
            c.book.readings[i].count -= 15 * KWH;
    struct ruling d = stated(CLOCK(9, 30), CLOCK(10, 0), 20001);
    decide(&c, &d, 1);
    assert_int_equal(day_sum(&c.book, 0, 96).known, 960 * KWH + 1);
    assert_int_equal(book_quarter(&c.book, QUARTER(9, 30)).amount, 10000);
    assert_int_equal(book_quarter(&c.book, QUARTER(9, 45)).amount, 10001);
    day_assert_only(&c.book, QUALITY_MANUAL, QUARTER(9, 30), QUARTER(10, 0));
    release(&c);
}

/* A reading of 10:10 comes late: the exception is another, and nobody has said a word about that one. */
static void test_an_exception_that_changes_is_open_again(void **state)
{
    (void)state;
    struct case_ c;
    open_row_7(&c);
    day_add(&c.book, CLOCK(10, 10), day_count(CLOCK(10, 10)) - 88404 * KWH);
    struct ruling d = stated(CLOCK(10, 0), CLOCK(10, 15), 9876);
    decide(&c, &d, 1);
    assert_int_equal(day_spans(&c.book, EVENT_STATED), 0);
    assert_true(day_has_span(&c.book, EVENT_EXCEPTION, CLOCK(10, 0), CLOCK(10, 10)));
    assert_int_equal(day_sum(&c.book, 0, 96).known, 950 * KWH);
    assert_int_equal(day_count_of(&c.book, QUALITY_UNKNOWN), 1);
    release(&c);
}

static void test_an_outlier_is_not_folded_and_evidence_of_its_time_stays(void **state)
{
    (void)state;
    struct case_ c;
    day_open(&c.book, plain, 1);
    day_fill(&c.book);
    *day_at(&c.book, CLOCK(10, 0)) += 5 * KWH; /* plausible, and wrong */
    int64_t times[] = {CLOCK(10, 0)};
    struct ruling d[2] = {outlier(times, 1), {.kind = RULING_READING, .from_ms = CLOCK(10, 0), .count = 1}};
    decide(&c, d, 1);
    assert_int_equal(day_sum(&c.book, 0, 96).known, 960 * KWH);
    day_assert_only(&c.book, QUALITY_ESTIMATED, QUARTER(9, 45), QUARTER(10, 15));
    assert_int_equal(c.book.span_count, 0);
    release(&c);
}

/* A water meter, read by hand on the first of each month. */
static void test_readings_by_hand_are_manual(void **state)
{
    (void)state;
    struct case_ c;
    day_open(&c.book, plain, 1);
    struct ruling d[2];
    for (int64_t i = 0; i < 2; i++)
        d[i] = (struct ruling){.kind = RULING_READING,
            .from_ms = DAY_BEGIN + i * DAY_MS,
            .until_ms = DAY_BEGIN + i * DAY_MS,
            .count = 5000 * KWH + i * 960};
    decide(&c, d, 2);
    int64_t amount;
    struct quarters_sum sum = day_sum(&c.book, 0, 96);
    assert_true(quarters_amount(&sum, &amount));
    assert_int_equal(amount, 960);
    assert_int_equal(day_count_of(&c.book, QUALITY_MANUAL), 96);
    assert_int_equal(book_quarter(&c.book, 0).amount, 10);
    release(&c);
}

static void test_decisions_in_force_have_nothing_in_common(void **state)
{
    (void)state;
    static const int64_t some[] = {10, 20, 30}, others[] = {15, 25}, late[] = {30, 40};
    struct ruling energy = stated(10, 20, 1), next = stated(20, 30, 1), inner = stated(15, 16, 1);
    struct ruling at_20 = replaced(20, 1, 1), at_21 = replaced(21, 1, 1),
                  by_hand = {.kind = RULING_READING, .from_ms = 15, .until_ms = 15};
    struct ruling a = outlier(some, 3), b = outlier(others, 2), c = outlier(late, 2);
    const struct {
        const struct ruling *one, *other;
        bool is_touching;
    } cases[] = {{&energy, &next, false}, {&energy, &inner, true}, {&energy, &energy, true},
        {&energy, &at_20, true}, {&energy, &at_21, false}, {&at_20, &at_20, true}, {&at_20, &at_21, false},
        {&energy, &by_hand, true}, {&a, &energy, true}, {&b, &energy, true}, {&c, &energy, false},
        {&a, &b, false}, {&a, &c, true}, {&a, &at_20, true}, {&b, &at_20, false}, {&b, &by_hand, true},
        {&a, &by_hand, false}, {&inner, &by_hand, true}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (ruling_touches(cases[i].one, cases[i].other) != cases[i].is_touching ||
            ruling_touches(cases[i].other, cases[i].one) != cases[i].is_touching)
            fail_msg("case %zu", i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_replacement_with_registers_settles_its_exception),
        cmocka_unit_test(test_a_replacement_ends_what_the_segment_was_and_begins_what_it_is_told),
        cmocka_unit_test(test_a_replacement_where_no_segment_has_its_instant_inside_has_no_object),
        cmocka_unit_test(test_a_counter_that_was_set_back_is_decided_as_a_reset),
        cmocka_unit_test(test_energy_that_a_person_stated_is_manual_and_goes_on),
        cmocka_unit_test(test_a_quarter_that_a_stated_span_touches_is_manual),
        cmocka_unit_test(test_what_is_stated_counts_from_where_the_exception_begins),
        cmocka_unit_test(test_an_exception_that_changes_is_open_again),
        cmocka_unit_test(test_an_outlier_is_not_folded_and_evidence_of_its_time_stays),
        cmocka_unit_test(test_readings_by_hand_are_manual),
        cmocka_unit_test(test_decisions_in_force_have_nothing_in_common),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
