/* E4 case by case. A meter of at most 100 an hour (L is 122 in an hour, 242 in two, 362 in three), read every hour;
 * what stands in the end is told in hours. Each history is also folded from snapshots, and with a late reading. */
#include "tests/unit/collector/ledger_arrival.h"

#include <inttypes.h>
#include <stdio.h>

#define BEGIN INT64_C(1764547200000)
#define HOUR INT64_C(3600000)
#define MOST 80
#define NO INT64_C(-1) /* no reading in that hour */

struct line {
    int64_t from, until; /* hours; INT64_MAX = no end */
    const char *word;
};

static int by_time(const void *a, const void *b)
{
    const struct line *x = a, *y = b;
    if (x->from != y->from)
        return x->from < y->from ? -1 : 1;
    if (x->until != y->until)
        return x->until < y->until ? -1 : 1;
    return strcmp(x->word, y->word);
}

static const char *word(enum event_kind kind)
{
    return kind == EVENT_FROZEN      ? "frozen"
           : kind == EVENT_ROLLOVER  ? "rollover"
           : kind == EVENT_EXCEPTION ? "exception"
           : kind == EVENT_LIMIT     ? "limit"
                                     : "confirm";
}

static int64_t hour(int64_t time_ms)
{
    return (time_ms - BEGIN) / HOUR;
}

/* "outlier 3, rollover 4-5, held 7-8" */
static void tell(const struct book *b, char *text, size_t size)
{
    struct line lines[MOST];
    size_t count = 0, length = 0;
    for (size_t i = 0; i < b->count; i++)
        if (b->verdicts[i] != BOOK_NOTHING)
            lines[count++] = (struct line){hour(b->readings[i].time_ms), hour(b->readings[i].time_ms),
                b->verdicts[i] == BOOK_OUTLIER ? "outlier" : "refused"};
    for (size_t i = 0; i < b->span_count; i++)
        if (!book_is_hidden(b, &b->spans[i]))
            lines[count++] =
                (struct line){hour(b->spans[i].from_ms), hour(b->spans[i].until_ms), word(b->spans[i].kind)};
    struct unwrap_pending pending = unwrap_pending(&b->unwrap, &b->segments);
    static const char *const words[] = {"", "held", "exception", "limit", "confirm"};
    if (pending.kind != UNWRAP_DECIDED)
        lines[count++] = (struct line){hour(pending.from_ms),
            pending.kind == UNWRAP_HELD ? hour(pending.until_ms) : INT64_MAX, words[pending.kind]};
    qsort(lines, count, sizeof *lines, by_time);
    text[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        length += (size_t)snprintf(
            text + length, size - length, "%s%s %" PRId64, i > 0 ? ", " : "", lines[i].word, lines[i].from);
        if (lines[i].until == INT64_MAX)
            length += (size_t)snprintf(text + length, size - length, "-");
        else if (lines[i].until != lines[i].from)
            length += (size_t)snprintf(text + length, size - length, "-%" PRId64, lines[i].until);
    }
}

static void check(const char *what, const struct segments *segments, const int64_t *counts, size_t count,
    const char *expected, int64_t known)
{
    struct book b;
    book_init(&b, *segments, 20 * INT64_C(60000));
    book_period(&b, BEGIN, BEGIN + (int64_t)count * HOUR);
    for (size_t i = 0; i < count; i++)
        if (counts[i] != NO)
            book_insert(
                &b, (struct unwrap_reading){.time_ms = BEGIN + (int64_t)i * HOUR, .count = counts[i]});
    book_fold(&b);
    char told[1000];
    tell(&b, told, sizeof told);
    struct quarters_sum sum = {0};
    for (size_t i = 0; i + 1 < b.boundary_count; i++) {
        struct quarter quarter = book_quarter(&b, i);
        quarters_add(&sum, &quarter);
    }
    if (strcmp(told, expected) != 0 || sum.known != known)
        fail_msg(
            "%s:\n%s, known %" PRId64 "\nnot\n%s, known %" PRId64, what, told, sum.known, expected, known);
    arrival_check_stored(&b);
    for (size_t late = 0; late < b.count; late++)
        arrival_check_late(&b, late);
    book_release(&b);
}

#define COUNTS(...)            \
    {                          \
        __VA_ARGS__, INT64_MIN \
    }

static void test_each_case_of_holding(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        int64_t modulus;
        int64_t counts[24]; /* hour by hour, up to INT64_MIN */
        const char *expected;
        int64_t known;
    } cases[] = {
        {"nothing", 0, COUNTS(100, 140, 180), "", 80},
        {"one reading", 0, COUNTS(100), "", 0},
        {"a small fall counts as the earlier count", 0, COUNTS(100, 140, 139, 138, 140, 180), "", 80},
        {"... and is no lower ground to rise from", 0, COUNTS(100, 140, 138, 138, 180), "", 80},
        {"... nor to fall from", 0, COUNTS(100, 140, 138, 137, 180), "exception 2-3", 83},
        /* (a) */
        {"too high", 0, COUNTS(100, 140, 5000, 220, 260), "outlier 2", 160},
        {"too low", 0, COUNTS(1000, 1040, 0, 1120, 1160), "outlier 2", 160},
        {"two that do not agree", 0, COUNTS(100, 140, 5000, 9000, 260, 300), "outlier 2, outlier 3", 200},
        {"two that repeat", 0, COUNTS(100, 140, 5000, 5000, 260), "outlier 2, outlier 3", 160},
        /* (b) */
        {"another baseline", 0, COUNTS(100, 140, 5000, 5040, 5080), "limit 1-2", 120},
        {"a lower one", 0, COUNTS(1000, 1040, 300, 340), "exception 1-2", 80},
        {"where dropping g explains it as well", 0, COUNTS(100, 140, 130, 180, 220), "exception 0-2", 90},
        {"only the chain is the new baseline", 0, COUNTS(100, 140, 9000, 5000, 5040), "limit 1-3", 80},
        {"a chain begins with its repeats", 0, COUNTS(100, 140, 5000, 5000, 5000, 5040, 5080), "limit 1-2",
            120},
        {"a single low reading from which the next is plausible too", 0, COUNTS(100, 180, 170, 230, 260),
            "exception 0-2", 90},
        {"two baselines", 0, COUNTS(100, 140, 5000, 5040, 9000, 9040), "limit 1-2, limit 3-4", 120},
        /* (c) */
        {"held at the end", 0, COUNTS(100, 140, 5000), "held 1-2", 40},
        {"equal counts never confirm", 0, COUNTS(100, 140, 5000, 5000, 5000, 5000), "held 1-5", 40},
        {"... nor do small falls", 0, COUNTS(100, 140, 5000, 4999, 5000, 4998), "held 1-5", 40},
        {"nonsense upon nonsense", 0, COUNTS(100, 140, 5000, 0, 9000, 3000), "held 1-5", 40},
        {"a gap changes nothing", 0, COUNTS(100, 140, NO, NO, 5000, NO, NO, 5040), "limit 1-4", 80},
        /* Rollovers. */
        {"a rollover", 1000, COUNTS(900, 940, 980, 20, 60), "rollover 2-3", 160},
        {"... with repeats", 1000, COUNTS(940, 980, 20, 20, 20, 60), "rollover 1-2", 120},
        {"... exactly to 0", 1000, COUNTS(960, 0, 40), "rollover 0-1", 80},
        {"... that nothing confirms yet", 1000, COUNTS(940, 980, 20), "held 1-2", 40},
        {"... that was none", 1000, COUNTS(940, 980, 20, 990), "outlier 2", 50},
        {"... after an outlier", 1000, COUNTS(900, 940, 500, 20, 60), "rollover 1-3, outlier 2", 160},
        {"... then an outlier", 1000, COUNTS(900, 960, 20, 500, 60, 100),
            "rollover 1-4, outlier 2, outlier 3", 200},
        {"two rollovers", 200, COUNTS(100, 180, 60, 140, 20, 100), "rollover 1-2, rollover 3-4", 400},
        {"more than one wrap possible", 200, COUNTS(100, 140, NO, NO, NO, 100, 140), "exception 1-5", 80},
        /* Frozen. */
        {"frozen", 0, COUNTS(100, 140, 140, 140, 400), "frozen 2-3", 300},
        {"one repeat", 0, COUNTS(100, 140, 140, 300), "frozen 2", 200},
        {"repeats that need not be frozen", 0, COUNTS(100, 140, 140, 140, 240), "", 140},
        {"not even a frozen register explains it", 0, COUNTS(100, 140, 140, 140, 600, 640), "limit 3-4", 80},
        {"frozen, and then a wrong reading", 0, COUNTS(100, 140, 140, 140, 0, 440), "frozen 2-3, outlier 4",
            340},
        {"frozen over a rollover", 1000, COUNTS(900, 940, 940, 940, 200, 240), "rollover 1-4, frozen 2-3",
            340},
        {"frozen with a small fall", 0, COUNTS(100, 140, 139, 140, 400), "frozen 2-3", 300},
        {"frozen with an outlier inside", 0, COUNTS(100, 140, 140, 0, 140, 500), "frozen 2-4, outlier 3",
            400},
        {"frozen twice", 0, COUNTS(100, 140, 140, 300, 300, 460), "frozen 2, frozen 4", 360},
        /* Withdrawn. */
        {"nonsense for two hours", 0, COUNTS(100, 140, 5000, 5040, 260, 300), "outlier 2, outlier 3", 200},
        {"... where dropping g explained it", 0, COUNTS(100, 140, 130, 150, 300, 340), "outlier 2, outlier 3",
            240},
        {"... of two kinds", 0, COUNTS(100, 140, 5000, 5040, 9000, 9040, 340),
            "outlier 2, outlier 3, outlier 4, outlier 5", 240},
        {"... of which the second is held", 0, COUNTS(100, 140, 5000, 5040, 9000, 300),
            "outlier 2, outlier 3, outlier 4", 200},
        {"... before a rollover", 10000, COUNTS(9900, 9940, 5000, 5040, 60, 100),
            "rollover 1-4, outlier 2, outlier 3", 200},
        {"... with a rollover that was told", 1000, COUNTS(940, 20, 60, 500, 540, 140, 180),
            "rollover 0-1, outlier 3, outlier 4", 240},
        {"... from a frozen register", 0, COUNTS(100, 140, 140, 5000, 5040, 560),
            "frozen 2, outlier 3, outlier 4", 460},
        {"the new baseline goes on: nothing is withdrawn", 0, COUNTS(100, 140, 130, 180, 220, 260),
            "exception 0-2", 130},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct segment segment = {.from_ms = BEGIN - HOUR,
            .until_ms = INT64_MAX,
            .modulus = cases[i].modulus,
            .resolution = 1,
            .max_rate = 100,
            .p = 1,
            .q = 1};
        struct segments all = {&segment, 1};
        size_t count = 0;
        while (cases[i].counts[count] != INT64_MIN)
            count++;
        check(cases[i].what, &all, cases[i].counts, count, cases[i].expected, cases[i].known);
    }
}

static const struct segment plain[] = {
    {.from_ms = BEGIN - HOUR, .until_ms = INT64_MAX, .resolution = 1, .max_rate = 100, .p = 1, .q = 1}};
static const struct segments one = {plain, 1};

/* 100, 140, then `held` hours of `value` (and `step` more in each), then what follows. */
static size_t history(
    int64_t *counts, int64_t held, int64_t value, int64_t step, const int64_t *rest, size_t after)
{
    size_t count = 0;
    counts[count++] = 100;
    counts[count++] = 140;
    for (int64_t i = 0; i < held; i++)
        counts[count++] = value + i * step;
    for (size_t i = 0; i < after; i++)
        counts[count++] = rest[i];
    return count;
}

static void test_what_is_held_for_24_hours_is_an_exception(void **state)
{
    (void)state;
    int64_t counts[MOST];
    /* From hour 2 on: the 24 hours are over at hour 26. */
    check("held for 23 hours", &one, counts, history(counts, 24, 0, 0, NULL, 0), "held 1-25", 40);
    check("held for 24 hours", &one, counts, history(counts, 25, 0, 0, NULL, 0), "exception 1-", 40);
    check("too high for 24 hours", &one, counts, history(counts, 25, 9000, 0, NULL, 0), "limit 1-", 40);
    check("the right register comes back after it", &one, counts,
        history(counts, 25, 0, 0, (int64_t[]){1180, 1220}, 2), "exception 1-27", 80);
    check("another meter begins", &one, counts, history(counts, 25, 0, 0, (int64_t[]){40, 80}, 2),
        "exception 1-2", 120);
}

static void test_an_exception_is_withdrawn_within_24_hours(void **state)
{
    (void)state;
    int64_t counts[MOST];
    char expected[1000] = "";
    for (int i = 2; i < 26; i++)
        snprintf(expected + strlen(expected), sizeof expected - strlen(expected), "%soutlier %d",
            i > 2 ? ", " : "", i);
    check("at 24 hours", &one, counts, history(counts, 24, 9000, 40, (int64_t[]){1140, 1180}, 2), expected,
        1080);
    check("later it stands", &one, counts, history(counts, 25, 9000, 40, (int64_t[]){1180, 1220}, 2),
        "limit 1-2, exception 26-27", 40 + 960 + 40);
}

static void test_a_segment_without_its_register_is_cut_off(void **state)
{
    (void)state;
    struct segment segments[2] = {plain[0], plain[0]};
    segments[0].until_ms = segments[1].from_ms = BEGIN + 3 * HOUR;
    struct segments all = {segments, 2};
    static const int64_t counts[] = {100, 140, 180, 20, 60, 100};
    check("no register", &all, counts, 6, "exception 2-3", 160);
    segments[0].has_end = true;
    segments[0].end = 190;
    check("the new one's is missing", &all, counts, 6, "exception 2-3", 160);
    segments[1].has_start = true;
    segments[1].start = 0;
    check("both", &all, counts, 6, "", 190);
    segments[1].start = 25; /* what was logged cannot be */
    check("one that cannot be", &all, counts, 6, "exception 2-3", 160);
    segments[0].has_end = false;
    check("the old one's is missing", &all, counts, 6, "exception 2-3", 160);
    static const int64_t held[] = {100, 140, 5000, 20, 60, 100};
    check("while a reading is held", &all, held, 6, "exception 1-3", 120);
}

static void test_a_logged_replacement_settles_what_was_held(void **state)
{
    (void)state;
    struct segment segments[2] = {plain[0], plain[0]};
    segments[0].until_ms = segments[1].from_ms = BEGIN + 3 * HOUR;
    segments[0].has_end = segments[1].has_start = true;
    segments[0].end = 220;
    segments[1].start = 0;
    struct segments all = {segments, 2};
    static const int64_t counts[] = {100, 140, 5000, 10, 50, 90};
    check("an outlier before it", &all, counts, 6, "outlier 2", 210);
    segments[0].end = 5000;
    static const int64_t chain[] = {100, 140, 5000, 0, 0, 40};
    check("a chain goes on across it", &all, chain, 6, "limit 1-2", 80);
    segments[0].end = 220;
    segments[1].start = 990;
    segments[1].modulus = 1000;
    static const int64_t wraps[] = {100, 140, 180, 5, 45, 85}, ends[] = {100, 140, 180, 5};
    check("a wrap after it is held", &all, ends, 4, "held 2-3", 80);
    check("... until it is confirmed", &all, wraps, 6, "", 120 + 95);
}

static void test_what_a_register_cannot_read_changes_nothing(void **state)
{
    (void)state;
    struct segment segments[1] = {plain[0]};
    segments[0].modulus = 1000;
    struct segments all = {segments, 1};
    static const int64_t counts[] = {100, 140, 1000, 220, -5, 300};
    check("beyond the modulus", &all, counts, 6, "refused 2, refused 4", 200);
    segments[0].from_ms = BEGIN + HOUR;
    static const int64_t early[] = {100, 140, 180};
    check("before the first segment", &all, early, 3, "refused 0", 40);
}

/* Days of 24 x 10; then 25 hours or more without a reading. */
static void check_gap(
    const char *what, int64_t days, int64_t gap, int64_t use, const char *expected, int64_t known)
{
    struct segments all = {plain, 1};
    struct book b;
    book_init(&b, all, 20 * INT64_C(60000));
    book_period(&b, BEGIN, BEGIN + (days * 24 + gap + 2) * HOUR);
    for (int64_t i = 0; i <= days * 24; i++)
        book_insert(&b, (struct unwrap_reading){.time_ms = BEGIN + i * HOUR, .count = i * 10});
    for (int64_t i = 0; i <= 1; i++)
        book_insert(&b, (struct unwrap_reading){.time_ms = BEGIN + (days * 24 + gap + i) * HOUR,
                            .count = days * 240 + use + i * 10});
    book_fold(&b);
    char told[1000];
    tell(&b, told, sizeof told);
    struct quarters_sum sum = {0};
    for (size_t i = 0; i + 1 < b.boundary_count; i++) {
        struct quarter quarter = book_quarter(&b, i);
        quarters_add(&sum, &quarter);
    }
    if (strcmp(told, expected) != 0 || sum.known != known)
        fail_msg("%s: %s, known %" PRId64, what, told, sum.known);
    arrival_check_stored(&b);
    book_release(&b);
}

static void test_after_a_long_gap_far_more_than_usual_is_to_be_confirmed(void **state)
{
    (void)state;
    check_gap("twice the usual", 3, 30, 600, "", 720 + 610);
    check_gap("more than twice", 3, 30, 601, "confirm 72-102", 730);
    check_gap("a gap of 24 h is not too long", 3, 24, 2000, "", 720 + 2010);
    check_gap("no day is known yet", 0, 30, 600, "", 610);
}

static void test_the_state_is_small_where_nothing_is_undecided(void **state)
{
    (void)state;
    struct unwrap u;
    unwrap_init(&u);
    assert_true(unwrap_size(&u) < 640 && sizeof u < 4096);
}

/* A third of a unit for each count: what is rounded is U, never a step, so that nothing is lost on the way. */
static void test_rounding_does_not_add_up(void **state)
{
    (void)state;
    struct segment segments[1] = {plain[0]};
    segments[0].q = 3;
    struct segments all = {segments, 1};
    int64_t counts[31];
    for (int64_t i = 0; i <= 30; i++)
        counts[i] = 1000 + i;
    check("single counts", &all, counts, 31, "", 10);
    segments[0].has_start = true;
    segments[0].start = 999; /* n = 1 to 31 */
    check("single counts from a logged start", &all, counts, 31, "", 10);
    segments[0].start = 998; /* n = 2 to 32: floor(32 / 3) - floor(2 / 3) */
    check("... and one more", &all, counts, 31, "", 10);
    segments[0].start = 1000;
    check("29 of them", &all, counts, 30, "", 9);
    segments[0].start = 998; /* floor(31 / 3) - floor(2 / 3) */
    check("29 of them that cross one more third", &all, counts, 30, "", 10);
}

/* U near the end of 64 bits: what does not fit is not plausible, and is not known. */
static void test_energy_beyond_64_bits_is_unknown(void **state)
{
    (void)state;
    struct segment segments[1] = {{.from_ms = BEGIN - HOUR,
        .until_ms = INT64_MAX,
        .resolution = SEGMENT_COUNT_MAX,
        .max_rate = SEGMENT_RATE_MAX,
        .p = SEGMENT_RATIO_MAX,
        .q = 1}};
    struct segments all = {segments, 1};
    /* 9 x 10^9 x 10^9 = 9 x 10^18 fits, 10^19 does not; by L alone (2 x 10^15 counts) all of it would be plausible. */
    static const int64_t counts[] = {0, INT64_C(9000000000), INT64_C(10000000000), INT64_C(10000000000)};
    check("beyond", &all, counts, 4, "held 1-3", INT64_C(9000000000000000000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_case_of_holding),
        cmocka_unit_test(test_what_is_held_for_24_hours_is_an_exception),
        cmocka_unit_test(test_an_exception_is_withdrawn_within_24_hours),
        cmocka_unit_test(test_a_segment_without_its_register_is_cut_off),
        cmocka_unit_test(test_a_logged_replacement_settles_what_was_held),
        cmocka_unit_test(test_what_a_register_cannot_read_changes_nothing),
        cmocka_unit_test(test_after_a_long_gap_far_more_than_usual_is_to_be_confirmed),
        cmocka_unit_test(test_the_state_is_small_where_nothing_is_undecided),
        cmocka_unit_test(test_rounding_does_not_add_up),
        cmocka_unit_test(test_energy_beyond_64_bits_is_unknown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
