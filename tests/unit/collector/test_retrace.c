/* What a page says of a quarter hour is what the books have (test_books_law.c holds them): each boundary that they know is found
 * again, between two readings that were given, and none that they do not know. On seeded mixtures of all faults, in any order
 * of arrival. PARKMON_SEED=<n> gives one history again. */
#include "collector/ledger/retrace.h"
#include "tests/unit/collector/books_fixture.h"
#include "tests/unit/collector/ledger_history.h"

static int64_t next_meter = 1;

static const struct unwrap_reading *given(const struct book *b, const struct books_reading *r)
{
    for (size_t i = 0; i < b->count; i++)
        if (b->readings[i].time_ms == r->time_ms)
            return &b->readings[i];
    fail_msg("no reading was given of %" PRId64, r->time_ms);
    return NULL;
}

static void check_reading(const struct book *b, const struct retrace_reading *r, int64_t time_ms)
{
    assert_true(r->is_there);
    assert_int_equal(r->reading.time_ms, time_ms);
    const struct unwrap_reading *found = given(b, &r->reading);
    assert_int_equal(r->reading.count, found->count);
    assert_int_equal(r->reading.is_manual, found->is_manual);
    assert_true(r->reading.journal > 0 && r->p > 0 && r->q > 0);
}

static void check_side(const struct book *b, int64_t meter, const struct retrace_side *side, int64_t time_ms)
{
    struct error err;
    struct db_stmt *find = db_keep(fixture_db,
        "SELECT energy, quality FROM ledger_boundary WHERE meter = ?1 AND time_ms = ?2 AND quality < 3");
    bool is_known;
    db_bind_int(find, 1, meter);
    db_bind_int(find, 2, time_ms);
    fixture_ok(db_step(find, &is_known, &err), &err);
    if (is_known != side->is_known)
        fail_msg("meter %" PRId64 ", %" PRId64 ": known %d", meter, time_ms, side->is_known);
    if (is_known) {
        assert_true(side->is_in_books);
        assert_int_equal(side->boundary.energy, db_int(find, 0));
        assert_int_equal(side->boundary.quality, db_int(find, 1));
        assert_int_equal(side->boundary.time_ms, time_ms);
        check_reading(b, &side->until, side->event.until_ms);
        assert_true(side->event.until_ms >= time_ms);
        if (side->event.kind == EVENT_BASELINE) {
            assert_int_equal(side->event.until_ms, time_ms);
        } else {
            check_reading(b, &side->from, side->event.from_ms);
            assert_true(side->event.from_ms < time_ms);
        }
    }
    db_reset(find);
}

static void check(const struct history *h, const struct books_meter *meter)
{
    const struct book *b = &h->book;
    struct error err;
    int64_t first_ms = b->readings[0].time_ms / BOUNDARY_MS * BOUNDARY_MS - BOUNDARY_MS;
    for (int64_t at_ms = first_ms; at_ms < b->readings[b->count - 1].time_ms; at_ms += 23 * BOUNDARY_MS) {
        struct retrace found;
        fixture_ok(retrace_quarter(fixture_db, meter, at_ms, &found, &err), &err);
        assert_true(found.is_whole);
        check_side(b, meter->id, &found.begin, at_ms);
        check_side(b, meter->id, &found.end, at_ms + BOUNDARY_MS);
    }
}

static void run(uint64_t seed)
{
    struct history h;
    history_make(&h, seed);
    if (h.book.count > 0) {
        struct books_meter meter = books_meter(next_meter++, h.book.segments, h.book.max_gap_ms, NULL, 0);
        for (size_t i = 0, part; i < h.book.count; i += part) {
            part = 1 + random_below(20);
            part = part < h.book.count - i ? part : h.book.count - i;
            fixture_take(&meter, &h.book.readings[i], part, (int64_t)i + 1);
        }
        check(&h, &meter);
        fixture_take(&meter, NULL, 0, 1); /* nothing was written */
        check(&h, &meter);
    }
    book_release(&h.book);
}

static void test_each_boundary_is_found_again_between_two_readings_that_were_given(void **state)
{
    (void)state;
    random_histories(run, getenv("PARKMON_LONG") != NULL ? 200 : 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_boundary_is_found_again_between_two_readings_that_were_given),
    };
    return cmocka_run_group_tests(tests, fixture_set_up, fixture_tear_down);
}
