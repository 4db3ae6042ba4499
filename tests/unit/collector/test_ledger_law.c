/* Laws that hold for any history: seeded mixtures of all faults, arriving in any order and grouping, with snapshots.
 * PARKMON_SEED=<n> gives one history again. */
#include "tests/unit/collector/ledger_arrival.h"
#include "tests/unit/collector/ledger_history.h"

static void check_order(const struct book *whole)
{
    struct arrival a;
    arrival_init(&a, whole);
    struct unwrap_reading *waiting = mem_alloc((whole->count + 1) * sizeof *waiting);
    memcpy(waiting, whole->readings, whole->count * sizeof *waiting);
    size_t reach = 1 + random_below(12); /* how far it may be overtaken */
    for (size_t i = 0; i + 1 < whole->count; i++) {
        size_t other = i + random_below(reach);
        if (other >= whole->count)
            continue;
        struct unwrap_reading kept = waiting[i];
        waiting[i] = waiting[other];
        waiting[other] = kept;
    }
    for (size_t i = 0, count; i < whole->count; i += count) {
        count = 1 + random_below(4);
        if (i + count > whole->count)
            count = whole->count - i;
        arrival_take(&a, &waiting[i], count);
    }
    arrival_assert_same(whole, &a.book, "in another order", 0);
    free(waiting);
    arrival_release(&a);
}

/* What is shown as a number can be: U never falls, sums are exact, nothing inside an exception is known. */
static void check_amounts(const struct book *b)
{
    for (size_t i = 0; i + 1 < b->boundary_count; i++) {
        struct quarter quarter = book_quarter(b, i);
        bool is_covered = false;
        for (size_t k = 0; k < b->span_count; k++) {
            enum event_kind kind = b->spans[k].kind;
            bool is_exception = kind == EVENT_EXCEPTION || kind == EVENT_LIMIT || kind == EVENT_CONFIRM;
            is_covered =
                is_covered || (is_exception && b->spans[k].from_ms < quarter.start_ms + BOUNDARY_MS &&
                                  b->spans[k].until_ms > quarter.start_ms);
        }
        struct unwrap_pending pending = unwrap_pending(&b->unwrap, &b->segments);
        is_covered = is_covered || quarter.start_ms + BOUNDARY_MS > unwrap_reach_ms(&b->unwrap) ||
                     (pending.kind != UNWRAP_DECIDED && pending.from_ms < quarter.start_ms + BOUNDARY_MS);
        bool is_early = b->count == 0 || quarter.start_ms < b->readings[0].time_ms;
        if (is_covered || is_early)
            assert_int_equal(quarter.quality, QUALITY_UNKNOWN);
        if (quarter.quality == QUALITY_UNKNOWN)
            assert_int_equal(quarter.amount, 0);
        assert_true(quarter.amount >= 0);
    }
    for (int n = 0; n < 20 && b->boundary_count > 1; n++) {
        size_t from = random_below(b->boundary_count), until = from + random_below(b->boundary_count - from);
        struct quarters_sum sum = {0};
        for (size_t i = from; i < until; i++) {
            struct quarter quarter = book_quarter(b, i);
            quarters_add(&sum, &quarter);
        }
        int64_t amount;
        if (quarters_amount(&sum, &amount) && until > from)
            assert_int_equal(amount, b->boundaries[until].energy - b->boundaries[from].energy);
    }
}

/* Every quarter that no exception, no missing end and nothing undecided touches is known. */
static void check_nothing_is_lost(const struct book *b)
{
    for (size_t i = 0; i + 1 < b->boundary_count; i++) {
        int64_t start_ms = b->boundaries[i].time_ms, end_ms = start_ms + BOUNDARY_MS;
        if (end_ms > unwrap_reach_ms(&b->unwrap) || start_ms < b->readings[0].time_ms)
            continue;
        bool is_covered = false;
        for (size_t k = 0; k < b->span_count; k++)
            is_covered =
                is_covered || (b->spans[k].kind != EVENT_ROLLOVER && b->spans[k].kind != EVENT_FROZEN &&
                                  b->spans[k].from_ms < end_ms && b->spans[k].until_ms > start_ms);
        bool is_after_first = false;
        for (size_t k = 0; k < b->count && !is_after_first; k++)
            is_after_first = b->verdicts[k] == BOOK_NOTHING && b->readings[k].time_ms <= start_ms;
        if (!is_covered && is_after_first && book_quarter(b, i).quality == QUALITY_UNKNOWN)
            fail_msg("the quarter %zu is unknown for no reason", i);
    }
}

static int frequencies[EVENT_QUARANTINED + 1];

static void run(uint64_t seed)
{
    struct history h;
    history_make(&h, seed);
    for (size_t i = 0; i < h.book.span_count; i++)
        frequencies[h.book.spans[i].kind]++;
    check_amounts(&h.book);
    if (h.book.count > 0)
        check_nothing_is_lost(&h.book);
    arrival_check_stored(&h.book);
    check_order(&h.book);
    if (h.book.count > 0)
        arrival_check_late(&h.book, random_below(h.book.count));
    book_release(&h.book);
}

static void test_the_result_is_a_function_of_the_set(void **state)
{
    (void)state;
    const char *given = getenv("PARKMON_SEED");
    uint64_t from = given != NULL ? strtoull(given, NULL, 10) : 1;
    uint64_t count = getenv("PARKMON_LONG") != NULL ? 20000 : 250;
    for (uint64_t seed = from; seed < from + (given != NULL ? 1 : count); seed++) {
        print_message("PARKMON_SEED=%llu\n", (unsigned long long)seed);
        run(seed);
    }
    if (given == NULL) { /* the mixtures are mixtures */
        assert_true(frequencies[EVENT_ROLLOVER] > 0 && frequencies[EVENT_FROZEN] > 0);
        assert_true(frequencies[EVENT_EXCEPTION] > 0 && frequencies[EVENT_LIMIT] > 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_result_is_a_function_of_the_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
