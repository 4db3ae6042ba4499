/* Amounts of any period from the books: against another program, against U itself, and case by case. */
#include "collector/energy/amounts.h"
#include "tests/unit/collector/books_fixture.h"
#include "tests/unit/collector/ledger_day.h"
#include "tests/unit/oracle.h"

static const struct series_due always = {.from_ms = 0, .until_ms = INT64_MAX, .now_ms = INT64_MAX};

/* ---- against another program ---- */

struct played {
    int64_t meter;
    struct zone *zone;
    struct series series;
    struct steps steps;
    struct amount *amounts;
    size_t step;
    bool is_read;
};

static void play_case(struct played *p, const char *line)
{
    char zone[64];
    int kind;
    struct periods_span span;
    struct series_due due;
    if (sscanf(line, "case %63s %d %" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNd64, zone, &kind,
            &span.begin_ms, &span.end_ms, &due.from_ms, &due.until_ms, &due.now_ms) != 7)
        fail_msg("%s", line);
    p->meter++;
    p->step = 0;
    p->is_read = false;
    p->zone = zone_create(zone);
    series_init(&p->series, span, &due);
    steps_cut(&p->steps, p->zone, span, (enum steps_kind)kind);
    p->amounts = mem_zalloc((p->steps.count + 1) * sizeof *p->amounts);
}

static void put_row(int64_t meter, int64_t start_ms, int64_t version, const char *amount, int64_t quality)
{
    struct error err;
    struct db_stmt *put = db_keep(fixture_db, "INSERT INTO ledger_quarter VALUES(?1, ?2, ?3, ?4, ?5, 0, 0)");
    db_bind_int(put, 1, meter);
    db_bind_int(put, 2, start_ms);
    db_bind_int(put, 3, version);
    if (strcmp(amount, "-") == 0)
        db_bind_null(put, 4);
    else
        db_bind_int(put, 4, strtoll(amount, NULL, 10));
    db_bind_int(put, 5, quality);
    fixture_ok(db_run(put, &err), &err);
}

static void play_row(const struct played *p, const char *line)
{
    char amount[32];
    int64_t start_ms, version, quality;
    if (sscanf(line, "row %" SCNd64 " %" SCNd64 " %31s %" SCNd64, &start_ms, &version, amount, &quality) != 4)
        fail_msg("%s", line);
    put_row(p->meter, start_ms, version, amount, quality);
}

static void format_step(char text[static 512], struct periods_span span, const struct amount *a)
{
    char amount[32] = "-";
    int64_t is;
    if (amount_is_known(a, &is))
        snprintf(amount, sizeof amount, "%" PRId64, is);
    snprintf(text, 512,
        "step %" PRId64 " %" PRId64 " %s %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64
        " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %d",
        span.begin_ms, span.end_ms, amount, a->sum.known, a->sum.unknown_s, a->sum.estimated,
        a->sum.estimated_s, a->sum.manual, a->sum.manual_s, a->waiting_s, a->future_s, a->absent_s,
        amount_due(a), amount_covered(a), (int)amount_worst(a));
}

static void play_step(struct played *p, const char *line)
{
    if (!p->is_read) {
        struct error err;
        fixture_ok(series_read(fixture_db, p->meter, &p->series, &err), &err);
        amounts_of(&p->series, &p->steps, p->amounts);
        p->is_read = true;
    }
    char is[512];
    assert_true(p->step < p->steps.count);
    format_step(is, p->steps.spans[p->step], &p->amounts[p->step]);
    assert_string_equal(is, line);
    p->step++;
}

static void play_end(struct played *p)
{
    assert_int_equal(p->step, p->steps.count);
    series_release(&p->series);
    steps_release(&p->steps);
    zone_destroy(p->zone);
    free(p->amounts);
}

static void test_steps_come_to_what_another_program_makes_of_the_rows(void **state)
{
    (void)state;
    struct oracle o;
    struct played p = {0};
    fixture_begin();
    oracle_open(&o, "collector/oracle_amounts.py", random_seed(20261128), NULL);
    while (oracle_read(&o)) {
        if (strncmp(o.line, "case ", 5) == 0)
            play_case(&p, o.line);
        else if (strncmp(o.line, "row ", 4) == 0)
            play_row(&p, o.line);
        else if (strncmp(o.line, "step ", 5) == 0)
            play_step(&p, o.line);
        else
            play_end(&p);
    }
    oracle_close(&o, 20000);
    fixture_commit();
}

/* ---- against U ---- */

static const struct segment plain[] = {DAY_SEGMENT};

/* Folds an uneven day with gaps of two hours, and says the meter's number. */
static int64_t fold_day(void)
{
    struct book b;
    day_open(&b, plain, 1);
    day_fill(&b);
    for (size_t i = 0; i < b.count; i++)
        b.readings[i].count += (int64_t)(i * i * 37);
    day_drop(&b, CLOCK(9, 15), CLOCK(11, 15));
    day_drop(&b, CLOCK(20, 0), CLOCK(20, 45));
    struct books_meter meter = books_meter(9001, (struct segments){plain, 1}, DAY_MAX_GAP_MS, NULL, 0);
    fixture_take(&meter, b.readings, b.count, 1);
    book_release(&b);
    return meter.id;
}

static int64_t energy_at(int64_t meter, int64_t time_ms)
{
    struct error err;
    bool has_row;
    struct db_stmt *s =
        db_keep(fixture_db, "SELECT energy FROM ledger_boundary WHERE meter = ?1 AND time_ms = ?2");
    db_bind_int(s, 1, meter);
    db_bind_int(s, 2, time_ms);
    fixture_ok(db_step(s, &has_row, &err), &err);
    assert_true(has_row);
    int64_t energy = db_int(s, 0);
    db_reset(s);
    return energy;
}

static struct amount whole(int64_t meter, int64_t from_ms, int64_t until_ms, struct series_due due)
{
    struct error err;
    struct series series;
    struct steps steps;
    struct amount amount;
    series_init(&series, (struct periods_span){from_ms, until_ms}, &due);
    fixture_ok(series_read(fixture_db, meter, &series, &err), &err);
    steps_cut(&steps, NULL, series.span, STEPS_WHOLE);
    assert_int_equal(steps.count, 1);
    amounts_of(&series, &steps, &amount);
    steps_release(&steps);
    series_release(&series);
    return amount;
}

static void test_the_amount_of_any_span_is_u_at_its_end_less_u_at_its_begin(void **state)
{
    (void)state;
    int64_t meter = fold_day();
    for (int from = 0; from <= 96; from++)
        for (int until = from; until <= 96; until++) {
            int64_t from_ms = CLOCK(0, 15 * from), until_ms = CLOCK(0, 15 * until), is;
            struct amount amount = whole(meter, from_ms, until_ms, always);
            assert_true(amount_is_known(&amount, &is));
            assert_int_equal(is, energy_at(meter, until_ms) - energy_at(meter, from_ms));
        }
}

/* ---- case by case ---- */

static void test_a_quarter_hour_that_is_unknown_makes_the_sum_unknown_and_the_rest_stands_beside(void **state)
{
    (void)state;
    fixture_begin();
    for (int i = 0; i < 8; i++)
        put_row(11, CLOCK(0, 15 * i), 1, i == 3 ? "-" : "100", i == 3 ? 3 : 0);
    put_row(11, CLOCK(0, 15 * 5), 2, "40", 1); /* the latest counts */
    fixture_commit();
    int64_t is;
    struct amount a = whole(11, CLOCK(0, 0), CLOCK(2, 0), always);
    assert_false(amount_is_known(&a, &is));
    assert_int_equal(a.sum.known, 640);
    assert_int_equal(a.sum.unknown_s, 900);
    assert_int_equal(a.sum.estimated, 40);
    assert_int_equal(amount_worst(&a), SERIES_UNKNOWN);
    assert_int_equal(amount_due(&a), 8);
    assert_int_equal(amount_covered(&a), 6);
    a = whole(11, CLOCK(1, 0), CLOCK(2, 0), always);
    assert_true(amount_is_known(&a, &is));
    assert_int_equal(is, 340);
    assert_int_equal(amount_worst(&a), SERIES_ESTIMATED);
}

static void test_what_is_not_decided_is_neither_known_nor_an_exception_and_says_why(void **state)
{
    (void)state;
    fixture_begin();
    put_row(12, CLOCK(4, 0), 1, "7", 0);
    fixture_commit();
    /* Installed from 3:40 to 9:00, and it is 6:10. */
    struct series_due due = {.from_ms = CLOCK(3, 40), .until_ms = CLOCK(9, 0), .now_ms = CLOCK(6, 10)};
    struct amount a = whole(12, CLOCK(0, 0), CLOCK(12, 0), due);
    int64_t is;
    assert_false(amount_is_known(&a, &is));
    assert_int_equal(a.sum.known, 7);
    assert_int_equal(a.sum.unknown_s, 0);
    assert_int_equal(a.absent_s, (14 + 12) * 900);
    assert_int_equal(a.waiting_s, (2 + 7) * 900);
    assert_int_equal(a.future_s, 12 * 900);
    assert_int_equal(amount_due(&a), 10);
    assert_int_equal(amount_covered(&a), 1);
    a = whole(4711, CLOCK(0, 0), CLOCK(12, 0), always); /* the books know no such meter */
    assert_int_equal(a.waiting_s, 48 * 900);
}

static void test_sums_beyond_64_bits_are_not_shown(void **state)
{
    (void)state;
    fixture_begin();
    put_row(13, CLOCK(0, 0), 1, "9223372036854775807", 0);
    put_row(13, CLOCK(0, 15), 1, "1", 0);
    fixture_commit();
    int64_t is;
    struct amount a = whole(13, CLOCK(0, 0), CLOCK(0, 15), always), b;
    assert_true(amount_is_known(&a, &is));
    assert_int_equal(is, INT64_MAX);
    b = whole(13, CLOCK(0, 0), CLOCK(0, 30), always);
    assert_true(b.sum.is_overflown);
    assert_false(amount_is_known(&b, &is));
    amount_add(&a, &a);
    assert_true(a.sum.is_overflown);
}

static void test_a_group_is_the_sum_of_its_meters_in_every_part(void **state)
{
    (void)state;
    fixture_begin();
    put_row(14, CLOCK(0, 0), 1, "5", 2);
    put_row(15, CLOCK(0, 0), 1, "-3", 1);
    put_row(15, CLOCK(0, 15), 1, "-", 3);
    fixture_commit();
    struct amount a = whole(14, CLOCK(0, 0), CLOCK(0, 30), always);
    struct amount b = whole(15, CLOCK(0, 0), CLOCK(0, 30), always);
    amount_add(&a, &b);
    struct amount expected = {.sum = {.count = 3,
                                  .known = 2,
                                  .unknown_s = 900,
                                  .estimated = -3,
                                  .estimated_s = 900,
                                  .manual = 5,
                                  .manual_s = 900},
        .waiting_s = 900};
    assert_memory_equal(&a, &expected, sizeof a);
}

static void test_a_meter_is_due_from_its_first_segment_to_its_last(void **state)
{
    (void)state;
    struct park_segment segments[] = {{.from_ms = 300 * 900000, .until_ms = 400 * 900000 - 1},
        {.from_ms = 100 * 900000 + 1, .until_ms = 200 * 900000}};
    struct park_meter meter = {.segments = {.items = segments, .count = 2}};
    struct series_due due = series_due(&meter, 77);
    assert_int_equal(due.from_ms, 100 * 900000);
    assert_int_equal(due.until_ms, 400 * 900000);
    assert_int_equal(due.now_ms, 77);
    due = series_due(&(struct park_meter){0}, 77);
    assert_int_equal(due.from_ms, due.until_ms);
}

static void test_a_meter_is_found_by_its_name(void **state)
{
    (void)state;
    struct error err;
    int64_t given, found;
    fixture_begin();
    fixture_ok(books_meter_id(fixture_db, SPAN("b3-main"), &given, &err), &err);
    fixture_commit();
    fixture_ok(series_meter(fixture_db, "b3-main", &found, &err), &err);
    assert_int_equal(found, given);
    fixture_ok(series_meter(fixture_db, "b3", &found, &err), &err);
    assert_int_equal(found, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_steps_come_to_what_another_program_makes_of_the_rows),
        cmocka_unit_test(test_the_amount_of_any_span_is_u_at_its_end_less_u_at_its_begin),
        cmocka_unit_test(
            test_a_quarter_hour_that_is_unknown_makes_the_sum_unknown_and_the_rest_stands_beside),
        cmocka_unit_test(test_what_is_not_decided_is_neither_known_nor_an_exception_and_says_why),
        cmocka_unit_test(test_sums_beyond_64_bits_are_not_shown),
        cmocka_unit_test(test_a_group_is_the_sum_of_its_meters_in_every_part),
        cmocka_unit_test(test_a_meter_is_due_from_its_first_segment_to_its_last),
        cmocka_unit_test(test_a_meter_is_found_by_its_name),
    };
    return cmocka_run_group_tests(tests, fixture_set_up, fixture_tear_down);
}
