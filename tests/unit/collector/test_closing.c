/* Which month may be closed, what stands against it, what an override must be, and what an adjusting entry is. */
#include "collector/energy/closing.h"
#include "tests/unit/random.h"

#include <string.h>

#define QUARTER_MS PERIODS_QUARTER_HOUR_MS
#define OCTOBER (56 * 12 + 9)
#define MONTH(n) ((struct period){PERIODS_MONTH, (n)})

/* ---- order ---- */

static const struct closing_order fresh = {
    .has_data = true, .first_month = OCTOBER, .now_ms = INT64_C(1793500000000)};

static char *refusal(const struct closing_order *order, struct period period)
{
    static struct error err;
    err.text[0] = '\0';
    enum status status = closing_check_order(order, "s", period, periods_span(NULL, period), &err);
    assert_true(status == ST_OK || status == ST_INVALID);
    return status == ST_OK ? NULL : err.text;
}

static void assert_refused(const struct closing_order *order, struct period period, const char *word)
{
    char *text = refusal(order, period);
    assert_non_null(text);
    if (strstr(text, word) == NULL)
        fail_msg("%s", text);
}

static void test_a_site_begins_with_its_first_month_that_has_data(void **state)
{
    (void)state;
    assert_null(refusal(&fresh, MONTH(OCTOBER)));
    assert_refused(&fresh, MONTH(OCTOBER - 1), "expected 2026-10, its first month");
    assert_refused(&fresh, MONTH(OCTOBER + 1), "before 2026-10 is");
    assert_refused(&(struct closing_order){.now_ms = fresh.now_ms}, MONTH(OCTOBER), "nothing to close");
}

static void test_months_close_one_after_another_and_once(void **state)
{
    (void)state;
    struct closing_order order = fresh;
    order.has_closed = true;
    order.last_month = OCTOBER - 2;
    order.last_until_ms = periods_span(NULL, MONTH(OCTOBER - 2)).end_ms;
    assert_null(refusal(&order, MONTH(OCTOBER - 1)));
    assert_refused(&order, MONTH(OCTOBER), "before 2026-09 is");
    assert_refused(&order, MONTH(OCTOBER - 2), "closed already");
    assert_refused(&order, MONTH(OCTOBER - 3), "later is booked in 2026-09");
    order.last_until_ms -= QUARTER_MS;
    assert_refused(&order, MONTH(OCTOBER - 1), "do not meet");
}

static void test_a_month_must_be_over_and_in_the_books(void **state)
{
    (void)state;
    struct closing_order order = fresh;
    order.now_ms = periods_span(NULL, MONTH(OCTOBER)).end_ms - 1;
    assert_refused(&order, MONTH(OCTOBER), "is not over");
    order.now_ms++;
    assert_null(refusal(&order, MONTH(OCTOBER)));
    order.behind = 3;
    assert_refused(&order, MONTH(OCTOBER), "3 batches");
    assert_refused(&fresh, (struct period){PERIODS_QUARTER, 3}, "no month");
    assert_refused(&fresh, (struct period){PERIODS_DAY, 20000}, "no month");
}

/* ---- reasons ---- */

static struct park_meter meter_a = {.id = (char *)"a", .balance_limit = {1, 20}},
                         meter_b = {.id = (char *)"b", .balance_limit = {1, 20}};

static struct amount known(int64_t amount)
{
    return (struct amount){.sum = {.count = 1, .known = amount}};
}

static void test_coverage_is_held_against_nine_tenths_and_nothing_due_is_not_judged(void **state)
{
    (void)state;
    struct closing_reasons reasons = {0};
    closing_judge_coverage(&reasons, &meter_a, 9, 10);
    closing_judge_coverage(&reasons, &meter_a, 2700, 3000);
    closing_judge_coverage(&reasons, &meter_a, 0, 0);
    assert_int_equal(reasons.count, 0);
    closing_judge_coverage(&reasons, &meter_a, 2699, 3000);
    closing_judge_coverage(&reasons, &meter_b, 0, 1);
    assert_int_equal(reasons.count, 2);
    assert_true(reasons.items[0].kind == CLOSING_COVERAGE && reasons.items[0].figure == 899);
    char text[CLOSING_TEXT_SIZE];
    closing_reason_text(&reasons.items[0], text);
    assert_string_equal(text, "meter a: coverage 89.9 %; expected at least 90 %");
    closing_reasons_release(&reasons);
}

static void test_what_waits_is_told_unless_it_is_removed_or_has_no_profile(void **state)
{
    (void)state;
    struct closing_reasons reasons = {0};
    struct park_segment one = {.from_ms = 0, .until_ms = INT64_MAX};
    struct park_meter meter = {
        .id = (char *)"a", .has_profile = true, .segments = {.items = &one, .count = 1}};
    closing_judge_waiting(&reasons, &meter, 0, 0, 4 * QUARTER_MS);
    one.until_ms = 4 * QUARTER_MS; /* removed when the month was over */
    closing_judge_waiting(&reasons, &meter, 1, 3 * QUARTER_MS, 4 * QUARTER_MS);
    one.until_ms = INT64_MAX;
    meter.has_profile = false;
    closing_judge_waiting(&reasons, &meter, 1, 3 * QUARTER_MS, 4 * QUARTER_MS);
    assert_int_equal(reasons.count, 0);
    meter.has_profile = true;
    one.until_ms = 4 * QUARTER_MS + 1;
    closing_judge_waiting(&reasons, &meter, 1, 3 * QUARTER_MS, 4 * QUARTER_MS);
    assert_int_equal(reasons.count, 1);
    char text[CLOSING_TEXT_SIZE], name[CLOSING_NAME_SIZE];
    closing_reason_name(&reasons.items[0], name);
    assert_string_equal(name, "waiting:a");
    closing_reason_text(&reasons.items[0], text);
    assert_string_equal(text,
        "meter a: 1 quarter hour waits, from 1970-01-01T00:45:00.000Z on, for a reading "
        "at or after the end of the month; expected none");
    closing_reasons_release(&reasons);
}

static void test_a_gap_is_held_against_the_limit_in_either_sign_and_unknown_is_refused(void **state)
{
    (void)state;
    struct closing_reasons reasons = {0};
    static const struct {
        int64_t gap, parent;
        bool is_refused;
    } cases[] = {{50, 1000, false}, {51, 1000, true}, {-50, 1000, false}, {-51, 1000, true}, {0, 0, false},
        {1, 0, true}, {50, -1000, false}, {-51, -1000, true}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct amount gap = known(cases[i].gap), parent = known(cases[i].parent);
        size_t before = reasons.count;
        closing_judge_balance(&reasons, &meter_a, &gap, &parent);
        assert_int_equal(reasons.count - before, cases[i].is_refused);
    }
    assert_true(reasons.items[0].is_known && reasons.items[0].figure == 51 && reasons.items[0].limit == 50);
    struct amount unknown = known(10), whole = known(1000);
    unknown.sum.unknown_s = 900;
    closing_judge_balance(&reasons, &meter_b, &unknown, &whole);
    closing_judge_balance(&reasons, &meter_b, &whole, &unknown);
    assert_int_equal(reasons.count, 4 + 2);
    assert_false(reasons.items[4].is_known || reasons.items[5].is_known);
    char text[CLOSING_TEXT_SIZE];
    closing_reason_text(&reasons.items[0], text);
    assert_string_equal(text, "meter a: its balance gap is 0.051 kWh; expected at most 0.050 kWh either way");
    closing_reason_text(&reasons.items[4], text);
    assert_string_equal(text, "meter b: its balance gap is unknown; expected it known");
    closing_reasons_release(&reasons);
}

static void assert_overridden(const struct closing_reasons *reasons, const struct closing_override *overrides,
    size_t count, const char *word)
{
    struct error err = {.text = ""};
    enum status status = closing_check_overrides(reasons, overrides, count, &err);
    assert_int_equal(status, word == NULL ? ST_OK : ST_INVALID);
    if (word != NULL && strstr(err.text, word) == NULL)
        fail_msg("%s", err.text);
}

static void test_each_reason_is_overridden_by_name_with_a_reason_of_its_own(void **state)
{
    (void)state;
    struct closing_reasons reasons = {0};
    assert_overridden(&reasons, NULL, 0, NULL);
    closing_judge_exceptions(&reasons, &meter_a, 0, 0);
    assert_int_equal(reasons.count, 0);
    closing_judge_exceptions(&reasons, &meter_a, 2, 0);
    closing_judge_coverage(&reasons, &meter_b, 1, 2);
    struct closing_override overrides[] = {
        {"exception:a", "broken since March"}, {"coverage:b", "no spare part"}, {"coverage:a", "x"}};
    assert_overridden(
        &reasons, NULL, 0, "2 reasons stand against closing, the first exception:a (meter a: 2 open");
    assert_overridden(&reasons, overrides, 1, "1 reason stands against closing, the first coverage:b");
    assert_overridden(&reasons, overrides, 2, NULL);
    assert_overridden(&reasons, overrides, 3, "coverage:a does not stand against");
    overrides[2] = overrides[0];
    assert_overridden(&reasons, overrides, 3, "twice");
    overrides[1].why = "";
    assert_overridden(&reasons, overrides, 2, "without a reason");
    overrides[1].why = NULL;
    assert_overridden(&reasons, overrides, 2, "without a reason");
    closing_reasons_release(&reasons);
}

/* ---- versions ---- */

static void pack_random(uint64_t seed)
{
    uint32_t codes[3000], back[3000];
    srandom((unsigned)seed);
    size_t count = (size_t)random() % 3000;
    for (size_t i = 0; i < count; i++)
        codes[i] = i > 0 && random() % 50 != 0 ? codes[i - 1]
                   : random() % 9 == 0         ? (uint32_t)random() * 2 + 1
                                               : (uint32_t)random() % 6;
    struct buf packed = {0};
    closing_pack(codes, count, &packed);
    assert_true(closing_unpack((struct span){packed.data, packed.len}, back, count));
    assert_memory_equal(codes, back, count * sizeof *codes);
    if (count > 0) {
        assert_false(closing_unpack((struct span){packed.data, packed.len}, back, count - 1));
        assert_false(closing_unpack((struct span){packed.data, packed.len - 1}, back, count));
        buf_add_char(&packed, 1);
        assert_false(closing_unpack((struct span){packed.data, packed.len}, back, count));
    }
    buf_release(&packed);
}

static void test_packed_versions_are_what_they_were(void **state)
{
    (void)state;
    random_histories(pack_random, 200);
    uint32_t codes[2976];
    struct buf packed = {0};
    for (size_t i = 0; i < 2976; i++)
        codes[i] = CLOSING_FIRST;
    closing_pack(codes, 2976, &packed);
    assert_int_equal(packed.len, 3);
    buf_release(&packed);
    assert_false(closing_unpack((struct span){"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x03", 11}, codes, 4));
}

/* ---- entries ---- */

static struct closing_quarters quarters_of(const char *states, const int64_t *amounts)
{
    struct closing_quarters q;
    size_t count = strlen(states);
    closing_quarters_none(&q, (struct periods_span){0, (int64_t)count * QUARTER_MS});
    for (size_t i = 0; i < count; i++) {
        q.series.states[i] = (uint8_t)(strchr("mehuwfa", states[i]) - "mehuwfa");
        q.series.amounts[i] = amounts[i];
        q.codes[i] = CLOSING_ABSENT + (states[i] != 'a') + (states[i] != 'a' && states[i] != 'w');
    }
    return q;
}

struct entry_case {
    const char *before, *after;
    int64_t was[3], is[3];
    int64_t known, unknown_s, waiting_s, count;
    bool is_whole;
};

static const struct entry_case entry_cases[] = {
    {"mmm", "mmm", {1, 2, 3}, {1, 2, 3}, 0, 0, 0, 0, true},
    {"mem", "mmm", {1, 2, 3}, {1, 7, 3}, 5, 0, 0, 0, true},
    {"mmm", "mmm", {1, 2, 3}, {1, -2, 3}, -4, 0, 0, 0, true},
    /* Unknown when it was closed, known later: how much of it is new nobody can say. */
    {"mum", "mhm", {1, 0, 3}, {1, 9, 3}, 9, -900, 0, 0, false},
    {"mmm", "mum", {1, 2, 3}, {1, 0, 3}, -2, 900, 0, 0, false},
    /* What is unknown in both is no change: the other quarter hours' is known. */
    {"umm", "umm", {0, 2, 3}, {0, 2, 4}, 1, 0, 0, 0, true},
    {"mww", "mmm", {1, 0, 0}, {1, 5, 6}, 11, 0, -1800, 2, false},
    {"mww", "muu", {1, 0, 0}, {1, 0, 0}, 0, 1800, -1800, 2, false},
    /* Not there, or of another site: booked as nothing. */
    {"aaa", "mma", {0, 0, 0}, {4, 5, 0}, 9, 0, 0, 2, true},
    {"aaa", "umw", {0, 0, 0}, {0, 5, 0}, 5, 900, 900, 2, false},
};

static void assert_same(const struct amount *a, const struct amount *b)
{
    assert_int_equal(a->sum.count, b->sum.count);
    assert_int_equal(a->sum.known, b->sum.known);
    assert_int_equal(a->sum.unknown_s, b->sum.unknown_s);
    assert_int_equal(a->sum.estimated, b->sum.estimated);
    assert_int_equal(a->sum.estimated_s, b->sum.estimated_s);
    assert_int_equal(a->sum.manual, b->sum.manual);
    assert_int_equal(a->sum.manual_s, b->sum.manual_s);
    assert_int_equal(a->waiting_s, b->waiting_s);
    assert_int_equal(a->absent_s, b->absent_s);
}

static void test_an_entry_is_the_new_less_the_booked(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof entry_cases / sizeof entry_cases[0]; i++) {
        const struct entry_case *c = &entry_cases[i];
        struct closing_quarters before = quarters_of(c->before, c->was), after = quarters_of(c->after, c->is);
        struct closing_sum entry = closing_entry(&before, &after);
        print_message("case %zu\n", i);
        assert_int_equal(entry.parts.sum.known, c->known);
        assert_int_equal(entry.parts.sum.unknown_s, c->unknown_s);
        assert_int_equal(entry.parts.waiting_s, c->waiting_s);
        assert_int_equal(entry.parts.sum.count, c->count);
        assert_int_equal(entry.is_whole, c->is_whole);
        /* Beside what was booked it makes what is metered, in every part. */
        struct amount was = closing_amount(&before), is = closing_amount(&after);
        struct closing_sum sum = closing_metered(&was);
        closing_add(&sum, &entry);
        assert_same(&sum.parts, &is);
        closing_quarters_release(&before);
        closing_quarters_release(&after);
    }
}

static void test_what_is_elsewhere_belongs_to_no_amount(void **state)
{
    (void)state;
    struct closing_quarters q = quarters_of("mama", (int64_t[]){1, 0, 2, 0}), none;
    q.codes[3] = CLOSING_ELSEWHERE;
    assert_int_equal(closing_amount(&q).absent_s, 900);
    closing_quarters_none(&none, q.series.span);
    struct amount nothing = closing_amount(&none);
    assert_same(&nothing, &(struct amount){0});
    assert_int_equal(closing_entry(&none, &q).parts.absent_s, 900);
    assert_true(closing_entry(&none, &q).is_whole);
    closing_quarters_release(&q);
    closing_quarters_release(&none);
}

static void test_a_month_with_an_entry_that_is_not_whole_is_not_known(void **state)
{
    (void)state;
    struct amount metered = known(100), unknown = known(50);
    unknown.sum.unknown_s = 900;
    struct closing_sum month = closing_metered(&metered), back = closing_metered(&unknown);
    assert_true(month.is_whole && !back.is_whole);
    /* 900 s unknown that are taken off and 900 that are added cancel out, and nothing is known by that. */
    struct closing_sum taken = {.parts = {.sum = {.unknown_s = -900}}, .is_whole = false};
    closing_add(&back, &taken);
    assert_int_equal(back.parts.sum.unknown_s, 0);
    assert_false(back.is_whole);
    closing_add(&month, &taken);
    assert_false(month.is_whole);
}

static void test_an_entry_beyond_int64_says_so(void **state)
{
    (void)state;
    struct closing_quarters before = quarters_of("m", (int64_t[]){INT64_MIN}),
                            after = quarters_of("m", (int64_t[]){1});
    assert_true(closing_entry(&before, &after).parts.sum.is_overflown);
    closing_quarters_release(&before);
    closing_quarters_release(&after);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_site_begins_with_its_first_month_that_has_data),
        cmocka_unit_test(test_months_close_one_after_another_and_once),
        cmocka_unit_test(test_a_month_must_be_over_and_in_the_books),
        cmocka_unit_test(test_coverage_is_held_against_nine_tenths_and_nothing_due_is_not_judged),
        cmocka_unit_test(test_what_waits_is_told_unless_it_is_removed_or_has_no_profile),
        cmocka_unit_test(test_a_gap_is_held_against_the_limit_in_either_sign_and_unknown_is_refused),
        cmocka_unit_test(test_each_reason_is_overridden_by_name_with_a_reason_of_its_own),
        cmocka_unit_test(test_packed_versions_are_what_they_were),
        cmocka_unit_test(test_an_entry_is_the_new_less_the_booked),
        cmocka_unit_test(test_what_is_elsewhere_belongs_to_no_amount),
        cmocka_unit_test(test_a_month_with_an_entry_that_is_not_whole_is_not_known),
        cmocka_unit_test(test_an_entry_beyond_int64_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
