/* Every row of the table of register sequences that is about one meter, with the answers of that table. Each history
 * is folded in one go, from a snapshot at every reading, and with each reading coming last: always the same. */
#include "tests/unit/collector/ledger_arrival.h"
#include "tests/unit/collector/ledger_day.h"

#include <inttypes.h>

static const struct segment plain[] = {DAY_SEGMENT};

static void fold_every_way(struct book *b)
{
    book_fold(b);
    arrival_check_stored(b);
    size_t stride = b->count / 40 + 1;
    for (size_t late = 0; late < b->count && b->count > 1; late += stride)
        arrival_check_late(b, late);
}

/* amount -1: unknown. Of every quarter of the day. */
static void assert_day(
    const struct book *b, int64_t amount, int64_t known, int measured, int estimated, int unknown)
{
    struct quarters_sum sum = day_sum(b, 0, 96);
    int64_t is;
    bool is_known = quarters_amount(&sum, &is);
    if (is_known != (amount >= 0) || (is_known && is != amount) || sum.known != known ||
        day_count_of(b, QUALITY_MEASURED) != measured || day_count_of(b, QUALITY_ESTIMATED) != estimated ||
        day_count_of(b, QUALITY_UNKNOWN) != unknown)
        fail_msg("known %" PRId64 ", unknown for %" PRId64 " s; %d measured, %d estimated, %d unknown",
            sum.known, sum.unknown_s, day_count_of(b, QUALITY_MEASURED), day_count_of(b, QUALITY_ESTIMATED),
            day_count_of(b, QUALITY_UNKNOWN));
    assert_int_equal(sum.unknown_s, unknown * INT64_C(900));
    /* The sum of the quarters is U(end) - U(begin), where both are known and nothing lies between. */
    if (is_known) {
        assert_int_equal(b->boundaries[96].energy - b->boundaries[0].energy, amount);
    }
}

static void assert_quiet(const struct book *b)
{
    assert_int_equal(b->span_count, 0);
    assert_int_equal(day_verdicts(b, BOOK_NOTHING), b->count);
    assert_int_equal(unwrap_pending(&b->unwrap, &b->segments).kind, UNWRAP_DECIDED);
}

static void assert_each(const struct book *b, size_t from, size_t until, int64_t amount)
{
    for (size_t i = from; i < until; i++)
        assert_int_equal(book_quarter(b, i).amount, amount);
}

static void test_row_1_nothing_happens(void **state)
{
    (void)state;
    struct book b;
    day_open(&b, plain, 1);
    day_fill(&b);
    fold_every_way(&b);
    assert_day(&b, 960 * KWH, 960 * KWH, 96, 0, 0);
    assert_each(&b, 0, 96, 10 * KWH);
    assert_quiet(&b);
    book_release(&b);
}

static void test_row_2_twice_the_power(void **state)
{
    (void)state;
    struct book b;
    day_open(&b, plain, 1);
    for (int64_t t = CLOCK(0, -15); t <= CLOCK(24, 15); t += BOUNDARY_MS)
        day_add(&b, t, 100000 * KWH + (t - DAY_BEGIN) / 45);
    fold_every_way(&b);
    assert_day(&b, 1920 * KWH, 1920 * KWH, 96, 0, 0);
    assert_quiet(&b);
    book_release(&b);
}

static void test_row_3_six_hours_without_readings(void **state)
{
    (void)state;
    struct book b;
    day_open(&b, plain, 1);
    day_fill(&b);
    day_drop(&b, CLOCK(6, 0), CLOCK(12, 0));
    fold_every_way(&b);
    assert_day(&b, 960 * KWH, 960 * KWH, 71, 25, 0);
    day_assert_only(&b, QUALITY_ESTIMATED, QUARTER(5, 45), QUARTER(12, 0));
    assert_each(&b, 0, 96, 10 * KWH);
    assert_quiet(&b);
    struct quarters_sum sum = day_sum(&b, 0, 96);
    assert_int_equal(sum.estimated, 250 * KWH);
    assert_int_equal(sum.estimated_s, 25 * 900);
    assert_int_equal(quarters_estimated_permille(&sum), 260); /* 250 of 960 */
    book_release(&b);
}

static void roll(struct book *b) /* 999 700 kWh at 00:00 */
{
    for (size_t i = 0; i < b->count; i++)
        b->readings[i].count = (b->readings[i].count + 899700 * KWH) % (1000000 * KWH);
}

static const struct segment rolling[] = {{.from_ms = DAY_BEGIN - 60 * DAY_MS,
    .until_ms = INT64_MAX,
    .modulus = 1000000 * KWH,
    .resolution = 10,
    .max_rate = 100 * KWH,
    .p = 1,
    .q = 1}};

static void test_row_4_a_rollover(void **state)
{
    (void)state;
    struct book b;
    day_open(&b, rolling, 1);
    day_fill(&b);
    roll(&b);
    assert_int_equal(*day_at(&b, CLOCK(7, 30)), 0);
    fold_every_way(&b);
    assert_day(&b, 960 * KWH, 960 * KWH, 96, 0, 0);
    assert_each(&b, 0, 96, 10 * KWH);
    assert_int_equal(b.span_count, 1);
    assert_true(day_has_span(&b, EVENT_ROLLOVER, CLOCK(7, 15), CLOCK(7, 30)));
    book_release(&b);
}

/* The readings of a meter that was replaced at 10:06 by one that began with `start`. */
static void replace(struct book *b, int64_t start)
{
    for (size_t i = 0; i < b->count; i++)
        if (b->readings[i].time_ms > CLOCK(10, 6))
            b->readings[i].count += start - 100404 * KWH;
}

/* 250 000.00 or 12 000.00 kWh. */
static void set_logged(struct segment segments[static 2], int64_t start)
{
    segments[0] = segments[1] = plain[0];
    segments[0].until_ms = segments[1].from_ms = CLOCK(10, 6);
    segments[0].has_end = segments[1].has_start = true;
    segments[0].end = 100404 * KWH;
    segments[1].start = start;
}

static void check_logged(int64_t start)
{
    struct segment segments[2];
    set_logged(segments, start);
    struct book b;
    day_open(&b, segments, 2);
    day_fill(&b);
    replace(&b, start);
    assert_int_equal(*day_at(&b, CLOCK(10, 15)), start + 6 * KWH);
    fold_every_way(&b);
    assert_day(&b, 960 * KWH, 960 * KWH, 96, 0, 0);
    assert_each(&b, 0, 96, 10 * KWH);
    assert_quiet(&b);
    book_release(&b);
}

static void test_row_5_a_logged_replacement_invents_no_energy(void **state)
{
    (void)state;
    check_logged(12000 * KWH);
}

static void test_row_6_the_same_with_a_higher_register(void **state)
{
    (void)state;
    check_logged(250000 * KWH);
}

static void test_row_5b_a_replacement_logged_a_week_later_changes_one_quarter(void **state)
{
    (void)state;
    struct segment segments[2];
    set_logged(segments, 12000 * KWH);
    struct book before, after;
    day_open(&before, plain, 1);
    day_open(&after, segments, 2);
    for (struct book *b = &before;; b = &after) {
        day_fill(b);
        replace(b, 12000 * KWH);
        fold_every_way(b);
        if (b == &after)
            break;
    }
    assert_day(&before, -1, 950 * KWH, 95, 0, 1);
    assert_day(&after, 960 * KWH, 960 * KWH, 96, 0, 0);
    assert_quiet(&after);
    for (size_t i = 0; i < 96; i++) {
        struct quarter was = book_quarter(&before, i), is = book_quarter(&after, i);
        assert_int_equal(was.amount != is.amount || was.quality != is.quality, i == QUARTER(10, 0));
    }
    book_release(&before);
    book_release(&after);
}

static void check_unlogged(int64_t start)
{
    struct book b;
    day_open(&b, plain, 1);
    day_fill(&b);
    replace(&b, start);
    fold_every_way(&b);
    assert_day(&b, -1, 950 * KWH, 95, 0, 1);
    day_assert_only(&b, QUALITY_UNKNOWN, QUARTER(10, 0), QUARTER(10, 15));
    assert_int_equal(b.span_count, 1);
    assert_int_equal(day_exceptions(&b), 1);
    assert_int_equal(b.spans[0].from_ms, CLOCK(10, 0));
    assert_int_equal(b.spans[0].until_ms, CLOCK(10, 15));
    assert_int_equal(day_verdicts(&b, BOOK_NOTHING), b.count);
    book_release(&b);
}

static void test_row_7_a_replacement_that_nobody_logged(void **state)
{
    (void)state;
    check_unlogged(12000 * KWH);
}

static void test_row_8_the_same_with_a_higher_register(void **state)
{
    (void)state;
    check_unlogged(250000 * KWH);
}

/* The day but for some readings that are wrong: one outlier each, and the quarters around them estimated. */
static void check_outliers(const int64_t *hours, size_t count, int64_t error)
{
    struct book b;
    day_open(&b, plain, 1);
    day_fill(&b);
    for (size_t i = 0; i < count; i++) {
        int64_t *reading = day_at(&b, CLOCK(hours[i], 0));
        *reading = error == 0 ? 0 : *reading + error;
    }
    fold_every_way(&b);
    assert_day(&b, 960 * KWH, 960 * KWH, 96 - 2 * (int)count, 2 * (int)count, 0);
    assert_int_equal(day_verdicts(&b, BOOK_OUTLIER), count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(b.verdicts[book_find(&b, CLOCK(hours[i], 0))], BOOK_OUTLIER);
        assert_int_equal(book_quarter(&b, QUARTER(hours[i], 0) - 1).quality, QUALITY_ESTIMATED);
        assert_int_equal(book_quarter(&b, QUARTER(hours[i], 0)).quality, QUALITY_ESTIMATED);
    }
    assert_int_equal(b.span_count, 0);
    book_release(&b);
}

static void test_row_9_one_zero(void **state)
{
    (void)state;
    check_outliers((int64_t[]){10}, 1, 0);
}

static void test_row_10_one_reading_far_too_high(void **state)
{
    (void)state;
    check_outliers((int64_t[]){10}, 1, 1000 * KWH);
}

static void test_row_11_two_of_them(void **state)
{
    (void)state;
    check_outliers((int64_t[]){8, 12}, 2, 1000 * KWH);
}

static void lower(struct book *b, int64_t by)
{
    for (size_t i = book_find(b, CLOCK(10, 0)); i < b->count; i++)
        b->readings[i].count -= by;
}

static void test_row_12_a_counter_from_an_older_save(void **state)
{
    (void)state;
    struct book b;
    day_open(&b, plain, 1);
    day_fill(&b);
    lower(&b, 15 * KWH);
    fold_every_way(&b);
    assert_day(&b, -1, 940 * KWH, 94, 0, 2);
    day_assert_only(&b, QUALITY_UNKNOWN, QUARTER(9, 30), QUARTER(10, 0));
    assert_int_equal(b.span_count, 1);
    assert_true(day_has_span(&b, EVENT_EXCEPTION, CLOCK(9, 30), CLOCK(10, 0)));
    assert_int_equal(day_verdicts(&b, BOOK_OUTLIER), 0);
    book_release(&b);
}

static void test_row_12b_an_older_save_that_nothing_else_explains(void **state)
{
    (void)state;
    struct book b;
    day_open(&b, plain, 1);
    day_fill(&b);
    lower(&b, 35 * KWH);
    fold_every_way(&b);
    assert_day(&b, -1, 950 * KWH, 95, 0, 1);
    day_assert_only(&b, QUALITY_UNKNOWN, QUARTER(9, 45), QUARTER(10, 0));
    assert_int_equal(b.span_count, 1);
    assert_true(day_has_span(&b, EVENT_EXCEPTION, CLOCK(9, 45), CLOCK(10, 0)));
    book_release(&b);
}

static void test_row_13_readings_beside_the_quarter_hour(void **state)
{
    (void)state;
    struct book b;
    day_open(&b, plain, 1);
    for (int64_t t = CLOCK(0, -8); t <= CLOCK(24, 22); t += BOUNDARY_MS)
        day_add(&b, t, day_count(t) / 10 * 10);
    fold_every_way(&b);
    struct quarters_sum sum = day_sum(&b, 0, 96);
    int64_t amount;
    assert_true(quarters_amount(&sum, &amount));
    assert_in_range(amount, 960 * KWH - 10, 960 * KWH + 10); /* the register shows 10 Wh */
    assert_int_equal(day_count_of(&b, QUALITY_MEASURED), 96);
    assert_quiet(&b);
    book_release(&b);
}

static void test_row_13b_a_poll_that_jitters(void **state)
{
    (void)state;
    struct book b;
    day_open(&b, plain, 1);
    int64_t jitter_ms[] = {0, 2000, -1300, 1700, -2000, 700};
    int i = 0;
    for (int64_t t = CLOCK(0, -15); t <= CLOCK(24, 15); t += BOUNDARY_MS, i++)
        day_add(&b, t + jitter_ms[i % 6], day_count(t + jitter_ms[i % 6]) / 10 * 10);
    fold_every_way(&b);
    struct quarters_sum sum = day_sum(&b, 0, 96);
    int64_t amount;
    assert_true(quarters_amount(&sum, &amount));
    assert_in_range(amount, 960 * KWH - 10, 960 * KWH + 10);
    assert_int_equal(day_count_of(&b, QUALITY_MEASURED), 96);
    assert_quiet(&b);
    book_release(&b);
}

/* In J, so that every count of the row is exact. */
static void test_row_14_hourly_readings_beside_the_hour(void **state)
{
    (void)state;
    struct segment segments[] = {plain[0]};
    segments[0].max_rate = 100 * KWH * 3600;
    struct book b;
    day_open(&b, segments, 1);
    for (int64_t t = CLOCK(0, -10); t <= CLOCK(24, 50); t += HOUR_MS) {
        int64_t low_ms = (t < CLOCK(8, 0) ? t : CLOCK(8, 0)) - DAY_BEGIN, high_ms = t - DAY_BEGIN - low_ms;
        day_add(&b, t, 100000 * KWH * 3600 + low_ms * 10 + high_ms * 100);
    }
    fold_every_way(&b);
    assert_day(&b, 1680 * KWH * 3600, 1680 * KWH * 3600, 0, 96, 0);
    assert_int_equal(day_sum(&b, QUARTER(7, 0), QUARTER(8, 0)).known, 22500 * INT64_C(3600));
    assert_int_equal(day_sum(&b, QUARTER(8, 0), QUARTER(9, 0)).known, 87500 * INT64_C(3600));
    assert_quiet(&b);
    book_release(&b);
}

static void test_row_15_the_missing_readings_come_late(void **state)
{
    (void)state;
    struct book b;
    struct arrival a;
    day_open(&b, plain, 1);
    day_fill(&b);
    book_fold(&b);
    arrival_init(&a, &b);
    size_t gap = book_find(&b, CLOCK(6, 0)), gap_end = book_find(&b, CLOCK(12, 0)),
           eight = book_find(&b, CLOCK(20, 0));
    for (size_t i = 0; i <= eight; i++)
        if (i < gap || i >= gap_end)
            arrival_take(&a, &b.readings[i], 1);
    struct quarter was[96];
    for (size_t i = 0; i < 96; i++)
        was[i] = book_quarter(&a.book, i);
    assert_int_equal(day_count_of(&a.book, QUALITY_ESTIMATED), 25);
    assert_int_equal(day_sum(&a.book, 0, QUARTER(20, 0)).known, 800 * KWH);
    arrival_take(&a, &b.readings[gap], gap_end - gap);
    assert_int_equal(a.refolds, 1);
    for (size_t i = 0; i < 96; i++) {
        struct quarter is = book_quarter(&a.book, i);
        assert_int_equal(was[i].quality != is.quality || was[i].amount != is.amount,
            i >= QUARTER(5, 45) && i < QUARTER(12, 0));
    }
    arrival_take(&a, &b.readings[eight + 1], b.count - eight - 1);
    assert_day(&a.book, 960 * KWH, 960 * KWH, 96, 0, 0);
    arrival_assert_same(&b, &a.book, "in one batch at 20:00", 0);
    arrival_release(&a);
    book_release(&b);
}

static void test_row_16_the_data_ends(void **state)
{
    (void)state;
    struct book b;
    day_open(&b, plain, 1);
    day_fill(&b);
    day_drop(&b, CLOCK(18, 1), INT64_MAX);
    fold_every_way(&b);
    assert_day(&b, -1, 720 * KWH, 72, 0, 24);
    day_assert_only(&b, QUALITY_UNKNOWN, QUARTER(18, 0), 96);
    assert_quiet(&b);
    book_release(&b);
}

static void test_row_18_another_ratio_from_ten_on(void **state)
{
    (void)state;
    struct segment segments[2] = {plain[0], plain[0]};
    segments[0].until_ms = segments[1].from_ms = CLOCK(10, 0);
    segments[0].has_end = segments[1].has_start = true;
    segments[0].end = segments[1].start = 100400 * KWH;
    segments[0].max_rate = segments[1].max_rate = 10000 * KWH;
    segments[0].p = 40;
    segments[1].p = 60;
    struct book b;
    day_open(&b, segments, 2);
    day_fill(&b);
    fold_every_way(&b);
    assert_day(&b, 49600 * KWH, 49600 * KWH, 96, 0, 0);
    assert_each(&b, 0, QUARTER(10, 0), 400 * KWH);
    assert_each(&b, QUARTER(10, 0), 96, 600 * KWH);
    assert_quiet(&b);
    book_release(&b);
}

static void test_row_19_two_zeros(void **state)
{
    (void)state;
    struct book b;
    day_open(&b, plain, 1);
    day_fill(&b);
    *day_at(&b, CLOCK(10, 0)) = *day_at(&b, CLOCK(10, 15)) = 0;
    fold_every_way(&b);
    assert_day(&b, 960 * KWH, 960 * KWH, 93, 3, 0);
    assert_int_equal(day_verdicts(&b, BOOK_OUTLIER), 2);
    assert_int_equal(b.span_count, 0);
    book_release(&b);
}

static void test_row_20_a_dead_slave_answers_zero(void **state)
{
    (void)state;
    struct book b;
    day_open(&b, plain, 1);
    day_fill(&b);
    for (int64_t t = CLOCK(6, 0); t < CLOCK(12, 0); t += BOUNDARY_MS)
        *day_at(&b, t) = 0;
    fold_every_way(&b);
    assert_day(&b, 960 * KWH, 960 * KWH, 71, 25, 0);
    day_assert_only(&b, QUALITY_ESTIMATED, QUARTER(5, 45), QUARTER(12, 0));
    assert_int_equal(day_verdicts(&b, BOOK_OUTLIER), 24);
    assert_int_equal(b.span_count, 0);
    book_release(&b);
}

static void test_row_21_a_register_that_stood_still(void **state)
{
    (void)state;
    struct book b;
    day_open(&b, plain, 1);
    day_fill(&b);
    for (int64_t t = CLOCK(6, 0); t < CLOCK(12, 0); t += BOUNDARY_MS)
        *day_at(&b, t) = *day_at(&b, CLOCK(5, 45));
    fold_every_way(&b);
    assert_day(&b, 960 * KWH, 960 * KWH, 71, 25, 0);
    day_assert_only(&b, QUALITY_ESTIMATED, QUARTER(5, 45), QUARTER(12, 0));
    assert_each(&b, 0, 96, 10 * KWH);
    assert_int_equal(b.span_count, 1);
    assert_true(day_has_span(&b, EVENT_FROZEN, CLOCK(6, 0), CLOCK(11, 45)));
    assert_int_equal(day_verdicts(&b, BOOK_OUTLIER), 0);
    book_release(&b);
}

static void test_row_22_a_concentrator_that_refreshes_every_quarter_hour(void **state)
{
    (void)state;
    struct book b;
    day_open(&b, plain, 1);
    for (int64_t t = CLOCK(0, -15); t <= CLOCK(24, 15); t += MINUTE_MS)
        day_add(&b, t, day_count(t - t % BOUNDARY_MS));
    fold_every_way(&b);
    assert_day(&b, 960 * KWH, 960 * KWH, 96, 0, 0);
    assert_each(&b, 0, 96, 10 * KWH);
    assert_int_equal(day_exceptions(&b), 0);
    assert_int_equal(day_verdicts(&b, BOOK_OUTLIER), 0);
    book_release(&b);
}

static void test_row_23_a_coarse_register_read_often(void **state)
{
    (void)state;
    struct segment segments[] = {plain[0]};
    segments[0].resolution = KWH;
    struct book b;
    day_open(&b, segments, 1);
    for (int64_t t = CLOCK(0, -15); t <= CLOCK(24, 15); t += 10000)
        day_add(&b, t, day_count(t) / KWH * KWH);
    fold_every_way(&b);
    assert_day(&b, 960 * KWH, 960 * KWH, 96, 0, 0);
    assert_int_equal(day_exceptions(&b), 0);
    assert_int_equal(day_verdicts(&b, BOOK_OUTLIER), 0);
    book_release(&b);
}

static void test_row_24_an_idle_feeder_that_flickers(void **state)
{
    (void)state;
    struct book b;
    day_open(&b, plain, 1);
    for (int64_t t = CLOCK(0, -15); t <= CLOCK(24, 15); t += BOUNDARY_MS)
        day_add(&b, t, 100000 * KWH - (t == CLOCK(10, 0) ? 10 : 0));
    fold_every_way(&b);
    assert_day(&b, 0, 0, 96, 0, 0);
    assert_quiet(&b);
    book_release(&b);
}

static void test_row_25_a_rollover_inside_a_gap(void **state)
{
    (void)state;
    struct book b;
    day_open(&b, rolling, 1);
    day_fill(&b);
    roll(&b);
    day_drop(&b, CLOCK(6, 0), CLOCK(12, 0));
    fold_every_way(&b);
    assert_day(&b, 960 * KWH, 960 * KWH, 71, 25, 0);
    assert_int_equal(b.span_count, 1);
    assert_true(day_has_span(&b, EVENT_ROLLOVER, CLOCK(5, 45), CLOCK(12, 0)));
    book_release(&b);
}

static void test_row_26_a_replacement_inside_a_gap_that_nobody_logged(void **state)
{
    (void)state;
    struct book b;
    day_open(&b, plain, 1);
    day_fill(&b);
    replace(&b, 12000 * KWH);
    day_drop(&b, CLOCK(6, 0), CLOCK(12, 0));
    fold_every_way(&b);
    assert_day(&b, -1, 710 * KWH, 71, 0, 25);
    day_assert_only(&b, QUALITY_UNKNOWN, QUARTER(5, 45), QUARTER(12, 0));
    assert_int_equal(b.span_count, 1);
    assert_int_equal(day_exceptions(&b), 1);
    book_release(&b);
}

static void test_row_27_a_zero_at_the_end_of_the_data(void **state)
{
    (void)state;
    struct book b;
    day_open(&b, plain, 1);
    day_fill(&b);
    day_drop(&b, CLOCK(24, 1), INT64_MAX);
    *day_at(&b, CLOCK(24, 0)) = 0;
    fold_every_way(&b);
    assert_day(&b, -1, 950 * KWH, 95, 0, 1);
    day_assert_only(&b, QUALITY_UNKNOWN, QUARTER(23, 45), 96);
    assert_int_equal(b.span_count, 0);
    assert_int_equal(day_verdicts(&b, BOOK_NOTHING), b.count);
    struct unwrap_pending pending = unwrap_pending(&b.unwrap, &b.segments);
    assert_int_equal(pending.kind, UNWRAP_HELD);
    assert_int_equal(pending.from_ms, CLOCK(23, 45));
    assert_int_equal(pending.until_ms, CLOCK(24, 0));
    book_release(&b);
}

static void test_row_28_more_than_one_wrap_in_a_gap(void **state)
{
    (void)state;
    struct segment segments[] = {rolling[0]};
    segments[0].modulus = 6553600;
    struct book b;
    day_open(&b, segments, 1);
    book_period(&b, DAY_BEGIN, DAY_BEGIN + 5 * DAY_MS);
    for (int64_t t = CLOCK(0, 0); t <= CLOCK(120, 0); t += BOUNDARY_MS)
        if (t <= CLOCK(20, 0) || t >= CLOCK(100, 0))
            day_add(&b, t, (t - DAY_BEGIN) / 40 % 6553600); /* 90 kW */
    fold_every_way(&b);
    assert_int_equal(day_exceptions(&b), 1);
    assert_int_equal(b.span_count, 1);
    assert_int_equal(b.spans[0].from_ms, CLOCK(20, 0));
    assert_int_equal(b.spans[0].until_ms, CLOCK(100, 0));
    day_assert_only(&b, QUALITY_UNKNOWN, QUARTER(20, 0), QUARTER(100, 0));
    assert_int_equal(day_sum(&b, 0, QUARTER(20, 0)).known, 1800 * KWH);
    assert_int_equal(day_sum(&b, QUARTER(100, 0), QUARTER(120, 0)).known, 1800 * KWH);
    book_release(&b);
}

/* It is quarantined before it gets here (D5). Even where a wrong clock of the collector let it through, it is
 * after the day, and what comes then changes nothing of that. */
static void test_row_29_a_reading_a_year_ahead(void **state)
{
    (void)state;
    struct book b;
    day_open(&b, plain, 1);
    day_fill(&b);
    day_add(&b, CLOCK(24 * 366, 0), day_count(CLOCK(13, 0)));
    fold_every_way(&b);
    assert_day(&b, 960 * KWH, 960 * KWH, 96, 0, 0);
    book_release(&b);
}

static void test_row_30_a_load_above_the_limit(void **state)
{
    (void)state;
    struct book b;
    day_open(&b, plain, 1);
    for (int64_t t = CLOCK(0, -15); t <= CLOCK(24, 15); t += BOUNDARY_MS) {
        int64_t high_ms = t < DAY_BEGIN ? 0 : (t < CLOCK(24, 0) ? t - DAY_BEGIN : DAY_MS);
        day_add(&b, t, day_count(t) + high_ms * 90 / 3600); /* 130 kW in all */
    }
    fold_every_way(&b);
    assert_day(&b, -1, 0, 0, 0, 96);
    assert_int_equal(b.span_count, 1);
    assert_true(day_has_span(&b, EVENT_LIMIT, CLOCK(0, 0), CLOCK(24, 0)));
    book_release(&b);
}

/* As before, and it never ends: an exception without an end. */
static void test_row_30_a_load_that_stays_above_the_limit(void **state)
{
    (void)state;
    struct book b;
    day_open(&b, plain, 1);
    for (int64_t t = CLOCK(0, -15); t <= CLOCK(24, 15); t += BOUNDARY_MS)
        day_add(&b, t, day_count(t) + (t < DAY_BEGIN ? 0 : (t - DAY_BEGIN) * 90 / 3600));
    fold_every_way(&b);
    assert_day(&b, -1, 0, 0, 0, 96);
    assert_int_equal(b.span_count, 0);
    struct unwrap_pending pending = unwrap_pending(&b.unwrap, &b.segments);
    assert_int_equal(pending.kind, UNWRAP_LIMIT);
    assert_int_equal(pending.from_ms, CLOCK(0, 0));
    book_release(&b);
}

/* The other vectors of the table. */
static void check_fall(
    const int64_t *counts, size_t count, int64_t step_ms, int64_t last_good, int64_t first_new)
{
    struct segment segments[] = {plain[0]};
    segments[0].resolution = 1;
    segments[0].max_rate = 10;
    struct book b;
    day_open(&b, segments, 1);
    for (size_t i = 0; i < count; i++)
        day_add(&b, DAY_BEGIN + (int64_t)i * step_ms, counts[i]);
    fold_every_way(&b);
    assert_int_equal(b.span_count, 1);
    assert_int_equal(b.spans[0].kind, EVENT_EXCEPTION);
    assert_true(b.spans[0].from_ms <= DAY_BEGIN + last_good * step_ms);
    assert_int_equal(b.spans[0].until_ms, DAY_BEGIN + first_new * step_ms);
    book_release(&b);
}

static void test_a_fall_of_a_daily_register_is_an_exception(void **state)
{
    (void)state;
    check_fall((int64_t[]){24, 72, 144, 96, 216}, 5, DAY_MS, 2, 3);
}

static void test_a_fall_to_zero_without_a_modulus_is_an_exception(void **state)
{
    (void)state;
    check_fall((int64_t[]){1, 2, 8, 10, 0, 4}, 6, HOUR_MS, 3, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_row_1_nothing_happens),
        cmocka_unit_test(test_row_2_twice_the_power),
        cmocka_unit_test(test_row_3_six_hours_without_readings),
        cmocka_unit_test(test_row_4_a_rollover),
        cmocka_unit_test(test_row_5_a_logged_replacement_invents_no_energy),
        cmocka_unit_test(test_row_6_the_same_with_a_higher_register),
        cmocka_unit_test(test_row_5b_a_replacement_logged_a_week_later_changes_one_quarter),
        cmocka_unit_test(test_row_7_a_replacement_that_nobody_logged),
        cmocka_unit_test(test_row_8_the_same_with_a_higher_register),
        cmocka_unit_test(test_row_9_one_zero),
        cmocka_unit_test(test_row_10_one_reading_far_too_high),
        cmocka_unit_test(test_row_11_two_of_them),
        cmocka_unit_test(test_row_12_a_counter_from_an_older_save),
        cmocka_unit_test(test_row_12b_an_older_save_that_nothing_else_explains),
        cmocka_unit_test(test_row_13_readings_beside_the_quarter_hour),
        cmocka_unit_test(test_row_13b_a_poll_that_jitters),
        cmocka_unit_test(test_row_14_hourly_readings_beside_the_hour),
        cmocka_unit_test(test_row_15_the_missing_readings_come_late),
        cmocka_unit_test(test_row_16_the_data_ends),
        cmocka_unit_test(test_row_18_another_ratio_from_ten_on),
        cmocka_unit_test(test_row_19_two_zeros),
        cmocka_unit_test(test_row_20_a_dead_slave_answers_zero),
        cmocka_unit_test(test_row_21_a_register_that_stood_still),
        cmocka_unit_test(test_row_22_a_concentrator_that_refreshes_every_quarter_hour),
        cmocka_unit_test(test_row_23_a_coarse_register_read_often),
        cmocka_unit_test(test_row_24_an_idle_feeder_that_flickers),
        cmocka_unit_test(test_row_25_a_rollover_inside_a_gap),
        cmocka_unit_test(test_row_26_a_replacement_inside_a_gap_that_nobody_logged),
        cmocka_unit_test(test_row_27_a_zero_at_the_end_of_the_data),
        cmocka_unit_test(test_row_28_more_than_one_wrap_in_a_gap),
        cmocka_unit_test(test_row_29_a_reading_a_year_ahead),
        cmocka_unit_test(test_row_30_a_load_above_the_limit),
        cmocka_unit_test(test_row_30_a_load_that_stays_above_the_limit),
        cmocka_unit_test(test_a_fall_of_a_daily_register_is_an_exception),
        cmocka_unit_test(test_a_fall_to_zero_without_a_modulus_is_an_exception),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
