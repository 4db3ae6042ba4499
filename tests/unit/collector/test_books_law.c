/* The books hold what a fold in one go comes to, however the readings arrive: in any order and grouping, with
 * transactions rolled back, the program ended without a word, and segments that change meanwhile. Whether that fold
 * is right is for test_ledger_*.c. PARKMON_SEED=<n> gives one history again. */
#include "collector/ledger/latest.h"
#include "tests/unit/collector/books_fixture.h"
#include "tests/unit/collector/ledger_history.h"

static int64_t next_meter = 1;

/* The reference, with all quarters that there can be. */
static void make(struct history *h, uint64_t seed)
{
    history_make(h, seed);
    struct book *b = &h->book;
    int64_t last_ms = b->count > 0 ? b->readings[b->count - 1].time_ms : HISTORY_BEGIN;
    int64_t from_ms = HISTORY_BEGIN - HISTORY_HOUR;
    book_period(b, from_ms, last_ms / BOUNDARY_MS * BOUNDARY_MS + HISTORY_HOUR);
    b->span_count = 0;
    for (size_t i = 0; i < b->count; i++)
        b->verdicts[i] = BOOK_NOTHING;
    unwrap_init(&b->unwrap);
    book_fold(b);
}

static struct books_meter meter_of(const struct history *h)
{
    return books_meter(next_meter++, h->book.segments, h->book.max_gap_ms, NULL, 0);
}

static struct db_stmt *of_meter(const char *sql, int64_t meter)
{
    struct db_stmt *s = db_prepare(fixture_db, sql);
    db_bind_int(s, 1, meter);
    return s;
}

static bool next(struct db_stmt *s)
{
    struct error err;
    bool has_row;
    fixture_ok(db_step(s, &has_row, &err), &err);
    return has_row;
}

/* Days that are packed say what their rows say. */
static void check_days(const struct book *b, int64_t meter, const char *how)
{
    struct error err;
    int64_t until_ms = b->from_ms + (int64_t)b->boundary_count * BOUNDARY_MS;
    int64_t *amounts[2];
    uint8_t *qualities[2];
    for (int i = 0; i < 2; i++) {
        amounts[i] = mem_zalloc(b->boundary_count * sizeof(int64_t));
        qualities[i] = mem_zalloc(b->boundary_count);
        fixture_ok((i == 0 ? latest_read : latest_read_rows)(
                       fixture_db, meter, b->from_ms, until_ms, amounts[i], qualities[i], &err),
            &err);
    }
    if (memcmp(amounts[0], amounts[1], b->boundary_count * sizeof(int64_t)) != 0 ||
        memcmp(qualities[0], qualities[1], b->boundary_count) != 0)
        fail_msg("%s: a day in one row is not what its rows are", how);
    for (int i = 0; i < 2; i++) {
        free(amounts[i]);
        free(qualities[i]);
    }
}

static void check_quarters(const struct book *b, int64_t meter, const char *how)
{
    struct quarter *latest = mem_zalloc(b->boundary_count * sizeof *latest);
    int64_t *versions = mem_zalloc(b->boundary_count * sizeof *versions);
    struct db_stmt *s =
        of_meter("SELECT start_ms, version, amount, quality FROM ledger_quarter WHERE meter = ?1"
                 " ORDER BY start_ms, version",
            meter);
    while (next(s)) {
        int64_t at = (db_int(s, 0) - b->from_ms) / BOUNDARY_MS;
        assert_true(at >= 0 && at < (int64_t)b->boundary_count - 1);
        struct quarter row = {
            .quality = (enum quality)db_int(s, 3), .amount = db_is_null(s, 2) ? 0 : db_int(s, 2)};
        assert_int_equal(db_is_null(s, 2), row.quality == QUALITY_UNKNOWN);
        assert_int_equal(db_int(s, 1), versions[at] + 1); /* none is left out */
        if (versions[at] > 0 && row.quality == latest[at].quality && row.amount == latest[at].amount)
            fail_msg("%s: a version of the quarter %" PRId64 " that changes nothing", how, at);
        versions[at]++;
        latest[at] = row;
    }
    db_finish(s);
    for (size_t i = 0; i + 1 < b->boundary_count; i++) {
        struct quarter expected = book_quarter(b, i);
        if (versions[i] == 0)
            latest[i].quality = QUALITY_UNKNOWN;
        if (expected.quality != latest[i].quality || expected.amount != latest[i].amount)
            fail_msg("%s: the quarter %zu is %" PRId64 " (%d); expected %" PRId64 " (%d)", how, i,
                latest[i].amount, (int)latest[i].quality, expected.amount, (int)expected.quality);
        bool is_decided = b->count > 0 && expected.start_ms + BOUNDARY_MS <= unwrap_reach_ms(&b->unwrap);
        for (size_t k = 0; k < b->span_count && versions[i] == 0 && is_decided; k++)
            if (book_is_exception(&b->spans[k]) && b->spans[k].from_ms < expected.start_ms + BOUNDARY_MS &&
                b->spans[k].until_ms > expected.start_ms)
                fail_msg("%s: the quarter %zu, of an exception, has no row", how, i);
    }
    free(latest);
    free(versions);
}

static void check_boundaries(const struct book *b, int64_t meter, const char *how)
{
    struct db_stmt *s =
        of_meter("SELECT time_ms, energy, quality, baseline_ms, stated FROM ledger_boundary WHERE meter = ?1"
                 " ORDER BY time_ms",
            meter);
    for (size_t i = 0; i < b->boundary_count; i++) {
        const struct boundary *expected = &b->boundaries[i];
        if (expected->quality == QUALITY_UNKNOWN)
            continue;
        if (!next(s) || db_int(s, 0) != expected->time_ms || db_int(s, 1) != expected->energy ||
            db_int(s, 2) != (int64_t)expected->quality || db_int(s, 3) != expected->baseline_ms ||
            (db_int(s, 4) != 0) != expected->is_stated)
            fail_msg("%s: the boundary %zu differs", how, i);
    }
    assert_false(next(s));
    db_finish(s);
}

/* What stands, as spans; outliers and refused readings one by one. */
static void check_events(const struct book *b, int64_t meter, const char *how)
{
    enum book_verdict *verdicts = mem_zalloc((b->count + 1) * sizeof *verdicts);
    bool *is_found = mem_zalloc((b->span_count + 1) * sizeof *is_found);
    struct unwrap_pending pending = unwrap_pending(&b->unwrap, &b->segments);
    bool is_endless_due = pending.kind != UNWRAP_DECIDED && pending.kind != UNWRAP_HELD;
    int endless = 0;
    assert_int_equal(
        fixture_number("SELECT count(*) FROM ledger_event WHERE meter = ?1 AND state NOT IN (0, 1)", meter),
        0);
    assert_int_equal(fixture_number("SELECT count(*) FROM ledger_event WHERE meter = ?1 AND (state = 1) != "
                                    "(withdrawn_ms IS NOT NULL)",
                         meter),
        0);
    struct db_stmt *s =
        of_meter("SELECT kind, from_ms, until_ms FROM ledger_event WHERE meter = ?1 AND state = 0", meter);
    while (next(s)) {
        struct book_span span = {(enum event_kind)db_int(s, 0), db_int(s, 1), db_int(s, 2)};
        if (span.until_ms == INT64_MAX) {
            assert_int_equal(span.from_ms, pending.from_ms);
            endless++;
            continue;
        }
        if (span.kind == EVENT_OUTSIDE || span.kind == EVENT_QUARANTINED || span.kind == EVENT_OUTLIERS) {
            enum book_verdict verdict = span.kind == EVENT_OUTSIDE       ? BOOK_OUTSIDE
                                        : span.kind == EVENT_QUARANTINED ? BOOK_QUARANTINED
                                                                         : BOOK_OUTLIER;
            size_t i = book_find(b, span.from_ms), before = i;
            for (; i < b->count && b->readings[i].time_ms <= span.until_ms; i++)
                if (verdict > verdicts[i])
                    verdicts[i] = verdict;
            assert_true(i > before && b->readings[i - 1].time_ms == span.until_ms);
            assert_int_equal(b->readings[before].time_ms, span.from_ms);
            continue;
        }
        bool is_expected = false;
        for (size_t k = 0; k < b->span_count; k++)
            if (b->spans[k].kind == span.kind && b->spans[k].from_ms == span.from_ms &&
                b->spans[k].until_ms == span.until_ms)
                is_found[k] = is_expected = true;
        if (!is_expected)
            fail_msg("%s: an event of kind %d that does not stand", how, (int)span.kind);
    }
    db_finish(s);
    assert_int_equal(endless, is_endless_due);
    for (size_t k = 0; k < b->span_count; k++)
        if (!is_found[k])
            fail_msg("%s: an event of kind %d is missing", how, (int)b->spans[k].kind);
    for (size_t i = 0; i < b->count; i++)
        if (verdicts[i] != b->verdicts[i])
            fail_msg("%s: the reading %zu is judged %d; expected %d", how, i, (int)verdicts[i],
                (int)b->verdicts[i]);
    free(verdicts);
    free(is_found);
}

static void check(const struct book *b, int64_t meter, const char *how)
{
    assert_int_equal(
        fixture_number("SELECT count(*) FROM ledger_reading WHERE meter = ?1", meter), (int64_t)b->count);
    check_boundaries(b, meter, how);
    check_quarters(b, meter, how);
    check_days(b, meter, how);
    check_events(b, meter, how);
}

static struct unwrap_reading *shuffled(const struct book *b, size_t reach)
{
    struct unwrap_reading *all = mem_alloc((b->count + 1) * sizeof *all);
    memcpy(all, b->readings, b->count * sizeof *all);
    for (size_t i = 0; i + 1 < b->count; i++) {
        size_t other = i + random_below(reach);
        if (other >= b->count)
            continue;
        struct unwrap_reading kept = all[i];
        all[i] = all[other];
        all[other] = kept;
    }
    return all;
}

static void end_without_a_word(void)
{
    fixture_close();
    fixture_open();
}

struct way {
    size_t reach;      /* how far a reading may be overtaken; 1 = in order */
    size_t group;      /* up to so many readings in a transaction */
    size_t failing_in; /* one transaction in so many is rolled back, or the program ends; 0 = none */
};

/* The groups are drawn from `draw`, so that they can be had again; what fails is not. */
static void arrive(const struct books_meter *meter, const struct unwrap_reading *all, size_t count,
    struct way way, uint64_t draw)
{
    for (size_t i = 0, group, number = 1; i < count; i += group, number++) {
        draw = draw * UINT64_C(6364136223846793005) + 1442695040888963407U;
        group = 1 + (size_t)(draw >> 33) % way.group;
        if (group > count - i)
            group = count - i;
        while (way.failing_in > 0 && random_below(way.failing_in) == 0) {
            fixture_begin();
            struct unwrap_reading never = {.time_ms = all[i].time_ms - 1, .count = all[i].count + 5};
            if (random_below(2) == 0) /* one that does not come again */
                fixture_fold(meter, &never, 1, 99);
            else
                fixture_fold(meter, &all[i], 1 + random_below(count - i), 99);
            if (random_below(2) == 0)
                db_rollback(fixture_db);
            else
                end_without_a_word();
        }
        fixture_take(meter, &all[i], group, (int64_t)number);
    }
}

static void check_one_transaction(const struct history *h)
{
    struct books_meter meter = meter_of(h);
    fixture_take(&meter, h->book.readings, h->book.count, 1);
    check(&h->book, meter.id, "in one transaction");
    assert_int_equal(
        fixture_number("SELECT count(*) FROM ledger_quarter WHERE meter = ?1 AND version > 1", meter.id), 0);
    char *before = fixture_dump(meter.id);
    fixture_take(&meter, h->book.readings, h->book.count, 2); /* all of it again */
    end_without_a_word();
    fixture_take(&meter, NULL, 0, 3);
    char *after = fixture_dump(meter.id);
    fixture_assert_same(before, after, "taken again");
    free(before);
    free(after);
}

static void check_any_order(const struct history *h)
{
    static const size_t reaches[] = {1, 4, 12, HISTORY_READINGS};
    for (size_t i = 0; i < 4; i++) {
        struct books_meter meter = meter_of(h);
        struct unwrap_reading *all = shuffled(&h->book, reaches[i]);
        arrive(&meter, all, h->book.count, (struct way){.group = 1 + random_below(20)}, random_uint64());
        check(&h->book, meter.id, "in another order");
        free(all);
    }
}

/* Byte for byte, times and batches included; only the snapshots may be others. */
static void check_failures(const struct history *h)
{
    uint64_t draw = random_uint64();
    struct way way = {.group = 1 + random_below(8)};
    struct unwrap_reading *all = shuffled(&h->book, 1 + random_below(12));
    struct books_meter undisturbed = meter_of(h), disturbed = meter_of(h);
    arrive(&undisturbed, all, h->book.count, way, draw);
    way.failing_in = 6;
    arrive(&disturbed, all, h->book.count, way, draw);
    char *expected = fixture_dump(undisturbed.id), *is = fixture_dump(disturbed.id);
    fixture_assert_same(expected, is, "with failures");
    check(&h->book, disturbed.id, "with failures");
    free(expected);
    free(is);
    free(all);
}

/* All batches of a transaction, by whatever calls. */
static void take_batches(const struct books_meter *meter, const struct books_reading *readings,
    const struct books_batch *batches, size_t count)
{
    struct error err;
    for (size_t taken; count > 0; count -= taken) {
        fixture_ok(books_fold_batches(fixture_books, meter, readings, batches, count, &taken, &err), &err);
        assert_true(taken > 0 && taken <= count);
        for (size_t i = 0; i < taken; i++)
            readings += batches++->count;
    }
}

/* Several batches in a call are each of them alone, byte for byte; some transactions fail. */
static void check_batches(const struct history *h, size_t reach)
{
    struct books_meter alone = meter_of(h), together = meter_of(h);
    struct unwrap_reading *all = shuffled(&h->book, reach);
    struct books_reading *given = mem_zalloc((h->book.count + 1) * sizeof *given);
    struct books_batch *batches = mem_zalloc((h->book.count + 1) * sizeof *batches);
    size_t count = 0, largest = 1 + random_below(6);
    for (size_t i = 0, end; i < h->book.count; i = end, count++) {
        size_t left = h->book.count - i, size = 1 + random_below(largest);
        end = i + (size < left ? size : left);
        fixture_take(&alone, &all[i], end - i, (int64_t)count + 1);
        batches[count] = (struct books_batch){.count = end - i, .now_ms = (int64_t)count + 1};
        for (size_t k = i; k < end; k++)
            given[k] = (struct books_reading){.time_ms = all[k].time_ms,
                .count = all[k].count,
                .point = all[k].point,
                .is_manual = all[k].is_manual,
                .journal = (int64_t)count + 1};
    }
    for (size_t i = 0, at = 0, size; i < count; i += size) {
        size = 1 + random_below(12);
        size = size < count - i ? size : count - i;
        for (bool is_done = false; !is_done;) {
            is_done = random_below(6) != 0;
            fixture_begin();
            take_batches(&together, &given[at], &batches[i], is_done ? size : 1 + random_below(size));
            if (is_done)
                fixture_commit();
            else
                db_rollback(fixture_db);
        }
        for (size_t k = i; k < i + size; k++)
            at += batches[k].count;
    }
    char *expected = fixture_dump(alone.id), *is = fixture_dump(together.id);
    fixture_assert_same(expected, is, "several batches in a call");
    check(&h->book, together.id, "several batches in a call");
    free(expected);
    free(is);
    free(batches);
    free(given);
    free(all);
}

/* Meters take their places in memory from each other. */
static void check_side_by_side(const struct history *h)
{
    struct books_meter meters[2] = {meter_of(h), meter_of(h)};
    meters[1].id += FIXTURE_STATES - 1;
    next_meter = meters[1].id + 1;
    for (size_t i = 0; i < h->book.count; i += 7) {
        size_t count = h->book.count - i < 7 ? h->book.count - i : 7;
        fixture_begin();
        fixture_fold(&meters[0], &h->book.readings[i], count, 1);
        fixture_fold(&meters[1], &h->book.readings[i], count, 1);
        fixture_commit();
    }
    check(&h->book, meters[0].id, "one of two");
    check(&h->book, meters[1].id, "the other of two");
}

/* Segments that change there and back while readings arrive; in the end they are those of the reference. */
static void check_other_segments(const struct history *h)
{
    struct segment others[3];
    for (int64_t i = 0; i < h->book.segments.count; i++) {
        others[i] = h->segments[i];
        others[i].has_start = !others[i].has_start;
        others[i].p += 1;
    }
    struct books_meter right = meter_of(h), wrong = right;
    wrong =
        books_meter(right.id, (struct segments){others, h->book.segments.count}, h->book.max_gap_ms, NULL, 0);
    struct unwrap_reading *all = shuffled(&h->book, 3);
    bool is_right = true;
    for (size_t i = 0, group; i < h->book.count; i += group) {
        group = 1 + random_below(10);
        if (group > h->book.count - i)
            group = h->book.count - i;
        if (random_below(4) == 0)
            is_right = !is_right;
        if (random_below(4) == 0)
            end_without_a_word();
        fixture_take(is_right ? &right : &wrong, &all[i], group, 1);
    }
    fixture_take(&right, NULL, 0, 1);
    check(&h->book, right.id, "with other segments meanwhile");
    free(all);
}

static void run(uint64_t seed)
{
    struct history h;
    make(&h, seed);
    check_one_transaction(&h);
    check_any_order(&h);
    check_failures(&h);
    check_batches(&h, 1);
    check_batches(&h, 1 + random_below(12));
    check_side_by_side(&h);
    check_other_segments(&h);
    book_release(&h.book);
}

static void test_the_books_are_a_function_of_the_set(void **state)
{
    (void)state;
    random_histories(run, getenv("PARKMON_LONG") != NULL ? 1000 : 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_books_are_a_function_of_the_set),
    };
    return cmocka_run_group_tests(tests, fixture_set_up, fixture_tear_down);
}
