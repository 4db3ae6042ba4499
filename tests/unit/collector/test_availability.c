/* Availability: the precedence table exhaustively against its words, Law A over random histories, slots minute by minute. */
#include "collector/instrument/availability.h"
#include "lib/buf.h"
#include "lib/mem.h"
#include "tests/unit/random.h"

#include <stdio.h>
#include <string.h>

#define MINUTE INT64_C(60000)
#define DAY (1440 * MINUTE)
#define NOW (INT64_C(1764547200000)) /* 2025-12-01T00:00:00Z, a Monday */
#define NONE AVAILABILITY_NONE

static const int64_t periods_ms[] = {10000, 300000, 300000, 300000};

static struct availability_source of_quality(enum availability_quality quality)
{
    return (struct availability_source){true, quality, quality == SOURCE_NEVER_SEEN ? NONE : NOW - 1000,
        quality == SOURCE_NEVER_SEEN ? NONE : NOW - 500};
}

/* ---- sources ---- */

static void test_a_source_is_late_after_two_periods_and_stale_after_the_gap(void **state)
{
    (void)state;
    static const struct {
        int64_t age_ms, period_ms;
        enum availability_quality quality;
    } cases[] = {{0, 10000, SOURCE_GOOD}, {20000, 10000, SOURCE_GOOD}, {20001, 10000, SOURCE_LATE},
        {120000, 10000, SOURCE_LATE}, {120001, 10000, SOURCE_STALE}, {600000, 300000, SOURCE_GOOD},
        {600001, 300000, SOURCE_LATE}, {900000, 300000, SOURCE_LATE}, {900001, 300000, SOURCE_STALE}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct availability_source s = availability_source_at(NOW, NOW - cases[i].age_ms, cases[i].period_ms);
        assert_int_equal(s.quality, cases[i].quality);
        assert_int_equal(
            availability_source_at(s.stale_ms, s.last_ms, cases[i].period_ms).quality, SOURCE_STALE);
        assert_int_equal(
            availability_source_at(s.stale_ms - 1, s.last_ms, cases[i].period_ms).quality, SOURCE_LATE);
    }
    assert_int_equal(availability_source_at(NOW, NONE, 10000).quality, SOURCE_NEVER_SEEN);
    assert_int_equal(availability_source_at(NOW, NOW + 300000, 10000).quality, SOURCE_GOOD);
    assert_int_equal(availability_source_at(NOW, NOW + 300001, 10000).quality, SOURCE_STALE);
    assert_int_equal(availability_source_at(NOW, NOW + 300001, 10000).stale_ms, NOW);
}

static void test_what_is_down_is_up_again_by_a_fresh_state_alone(void **state)
{
    (void)state;
    assert_true(availability_is_down(false, false, false));
    assert_true(availability_is_down(true, false, true));
    assert_true(availability_is_down(true, true, false));
    assert_false(availability_is_down(true, true, true));
    assert_false(availability_is_down(false, true, false));
}

/* ---- the table ---- */

struct scene {
    struct availability_facts f;
    struct park_instrument instrument;
    struct availability_resource required, optional;
    struct availability_busy booking, planned;
};

static void lay_out(struct scene *s)
{
    memset(s, 0, sizeof *s);
    s->instrument = (struct park_instrument){.is_shared = true,
        .minimum_slot_ms = 30 * MINUTE,
        .max_session_ms = 12 * 60 * MINUTE,
        .grace_ms = 15 * MINUTE,
        .off_means = OFF_AVAILABLE};
    s->f = (struct availability_facts){.now_ms = NOW,
        .instrument = &s->instrument,
        .activity_since_ms = NOW - 60 * MINUTE,
        .session_since_ms = NONE,
        .session_limit_ms = NONE,
        .cooldown_until_ms = NONE,
        .outage_since_ms = NONE,
        .problem_since_ms = NONE,
        .activity = ACTIVITY_UNKNOWN};
}

/* The words of the design's section 8.3, one after the other. */
static enum availability_status by_the_words(
    const struct scene *s, bool is_booked, bool is_cooling, bool is_near)
{
    const struct availability_facts *f = &s->f;
#define FRESH(source) ((source).quality == SOURCE_GOOD || (source).quality == SOURCE_LATE)
    bool runs = f->power.is_configured && FRESH(f->power) && f->activity == ACTIVITY_RUNNING;
    bool has_session = f->session.is_configured && FRESH(f->session) && f->is_session_open;
    bool is_conflict = has_session && NOW - f->session_since_ms > s->instrument.max_session_ms && !runs;
    if (!s->instrument.is_shared)
        return AVAILABILITY_NOT_SHARED;
    if (f->outage_since_ms != NONE || (f->required_count > 0 && s->required.is_down))
        return AVAILABILITY_OUT_OF_SERVICE;
    if (f->planned.count > 0)
        return AVAILABILITY_OUT_OF_SERVICE;
    if ((has_session && !is_conflict) || runs)
        return AVAILABILITY_IN_USE;
    if (s->instrument.opening.count > 0)
        return AVAILABILITY_CLOSED;
    if (is_booked || is_cooling)
        return AVAILABILITY_RESERVED;
    if ((f->power.is_configured && !FRESH(f->power)) || (f->session.is_configured && !FRESH(f->session)) ||
        is_conflict || (f->calendar.is_configured && !FRESH(f->calendar)) ||
        (f->required_count > 0 && s->required.source.is_configured && !FRESH(s->required.source)))
        return AVAILABILITY_UNKNOWN;
    bool is_off = f->power.is_configured && f->activity == ACTIVITY_OFF;
    if (is_off && s->instrument.off_means == OFF_UNAVAILABLE)
        return AVAILABILITY_UNKNOWN;
    /* What nothing tells nobody knows. */
    if (f->power.is_configured ? f->activity == ACTIVITY_UNKNOWN
                               : !f->session.is_configured && !f->calendar.is_configured)
        return AVAILABILITY_UNKNOWN;
    if (is_near)
        return AVAILABILITY_SHORT;
    if ((f->optional_count > 0 &&
            (s->optional.is_down || (s->optional.source.is_configured && !FRESH(s->optional.source)))) ||
        f->problem_since_ms != NONE || (is_off && s->instrument.off_means == OFF_NEEDS_WARMUP))
        return AVAILABILITY_DEGRADED;
    return AVAILABILITY_AVAILABLE;
}

/* Takes the next of so many values from `code`. */
static int digit(uint64_t *code, int values)
{
    int value = (int)(*code % (uint64_t)values);
    *code /= (uint64_t)values;
    return value;
}

static struct availability_source source_of(int quality)
{
    return quality == 0 ? (struct availability_source){.is_configured = false}
                        : of_quality((enum availability_quality)(quality - 1));
}

static void test_the_precedence_is_that_of_the_words_in_every_case(void **state)
{
    (void)state;
    size_t rule_count, seen[32] = {0}, cases = 0;
    const struct availability_rule *rules = availability_rules(&rule_count);
    for (uint64_t code = 0;; code++) {
        uint64_t rest = code;
        struct scene s;
        lay_out(&s);
        s.f.power = source_of(digit(&rest, 5));
        s.f.activity = s.f.power.is_configured ? (enum activity_state)digit(&rest, 4) : ACTIVITY_UNKNOWN;
        if (!s.f.power.is_configured && digit(&rest, 4) != 0)
            continue;
        s.f.session = source_of(2 * digit(&rest, 3)); /* none, late, never seen */
        int session = digit(&rest, 3);                /* none, open, open too long */
        s.f.is_session_open = session > 0;
        s.f.session_since_ms = session == 0 ? NONE : NOW - (session == 1 ? 1 : 13) * 60 * MINUTE;
        static const int qualities[] = {0, 1, 3};
        s.f.calendar = source_of(qualities[digit(&rest, 3)]); /* none, good, stale */
        int claim = digit(&rest, 4); /* none, booked, booked within its grace, cooling down */
        int near = digit(&rest, 2);
        s.booking = (struct availability_busy){NOW + 10 * MINUTE, NOW + 20 * MINUTE};
        if (claim == 1 || claim == 2)
            s.booking = (struct availability_busy){NOW - (claim == 1 ? 20 : 10) * MINUTE, NOW + 20 * MINUTE};
        if (claim == 1 || claim == 2 || near == 1)
            s.f.bookings = (struct availability_list){&s.booking, 1};
        if (claim == 3)
            s.f.cooldown_until_ms = NOW + MINUTE;
        int required = digit(&rest, 4); /* none; up, up and stale, down and stale */
        s.required = (struct availability_resource){
            of_quality(required >= 2 ? SOURCE_STALE : SOURCE_GOOD), required == 3, NOW - DAY};
        s.f.required = &s.required;
        s.f.required_count = required > 0;
        s.instrument.off_means = digit(&rest, 3);
        if (s.f.activity != ACTIVITY_OFF && s.instrument.off_means != 0)
            continue;
        int service = digit(&rest, 5); /* fine, not shared, outage, planned outage, closed */
        s.instrument.is_shared = service != 1;
        s.f.outage_since_ms = service == 2 ? NOW - MINUTE : NONE;
        s.planned = (struct availability_busy){NOW - MINUTE, NOW + MINUTE};
        s.f.planned = (struct availability_list){&s.planned, service == 3};
        if (service == 4)
            assert_true(opening_parse("08:00-18:00", &s.instrument.opening));
        int less =
            digit(&rest, 5); /* nothing; an optional resource that is up, down, never seen; a problem */
        s.optional = (struct availability_resource){
            of_quality(less == 3 ? SOURCE_NEVER_SEEN : SOURCE_GOOD), less == 2, NOW - DAY};
        s.f.optional = &s.optional;
        s.f.optional_count = less > 0 && less < 4;
        s.f.problem_since_ms = less == 4 ? NOW - MINUTE : NONE;
        if (rest > 0)
            break;
        struct availability answer = availability_at(&s.f);
        bool is_near = near == 1 && claim != 1 && claim != 2;
        enum availability_status expected = by_the_words(&s, claim == 1 || claim == 2, claim == 3, is_near);
        if (answer.status != expected)
            fail_msg("case %llu: %s, expected %s", (unsigned long long)code,
                availability_statuses[answer.status], availability_statuses[expected]);
        for (size_t i = 0; i < rule_count; i++)
            seen[i] += strcmp(rules[i].reason, answer.reason) == 0;
        cases++;
    }
    for (size_t i = 0; i < rule_count; i++)
        if (seen[i] == 0)
            fail_msg("no case is %s", rules[i].reason);
    print_message("%zu cases\n", cases);
}

/* ---- Law A ---- */

/* What a random park lived through: power is folded, states arrive late, sessions are forgotten, bookings overlap. */
struct history {
    struct scene s;
    struct availability_busy bookings[6], planned[3];
    struct availability_resource resources[4];
};

static int by_begin(const void *a, const void *b)
{
    int64_t p = ((const struct availability_busy *)a)->from_ms,
            q = ((const struct availability_busy *)b)->from_ms;
    return (p > q) - (p < q);
}

static struct availability_list draw_list(struct availability_busy *items, size_t most, int64_t spread_min)
{
    size_t count = random_below(most + 1);
    for (size_t i = 0; i < count; i++) {
        items[i].from_ms = NOW + ((int64_t)random_below((size_t)spread_min) - spread_min / 3) * MINUTE;
        items[i].until_ms = items[i].from_ms + (int64_t)random_below(240) * MINUTE;
    }
    qsort(items, count, sizeof *items, by_begin);
    return (struct availability_list){items, count};
}

static int64_t draw_age(int64_t period_ms)
{
    static const int64_t in_periods[] = {0, 1, 1, 1, 2, 3, 40};
    return in_periods[random_below(7)] * period_ms + (int64_t)random_below((size_t)period_ms);
}

static struct availability_source draw_source(size_t kind)
{
    if (random_below(4) == 0)
        return (struct availability_source){.is_configured = false};
    int64_t last_ms = random_below(10) == 0 ? NONE : NOW - draw_age(periods_ms[kind]);
    return availability_source_at(NOW, last_ms, periods_ms[kind]);
}

static void live(struct history *h)
{
    static const struct activity_limits limits = {10, 30, 40, 10000, 300000, 120000};
    struct scene *s = &h->s;
    lay_out(s);
    s->instrument.is_shared = random_below(20) != 0;
    s->instrument.off_means = (int)random_below(3);
    if (random_below(2) == 0)
        assert_true(opening_parse(random_below(2) ? "Mon-Fri 00:00-01:30, Sat 09:00-12:00" : "08:00-18:00",
            &s->instrument.opening));
    s->f.power = draw_source(0);
    if (s->f.power.is_configured && s->f.power.last_ms != NONE) {
        struct activity a = {.has_read = 0};
        struct activity_span open;
        int64_t level = 0;
        for (int64_t t = s->f.power.last_ms - 40 * 10000; t <= s->f.power.last_ms; t += 10000) {
            level = random_below(6) == 0 ? (int64_t)random_below(60) : level;
            (void)activity_read(&a, &limits, t, level);
        }
        assert_true(activity_open(&a, &open));
        s->f.activity = open.state;
        s->f.activity_since_ms = open.from_ms;
    }
    s->f.session = draw_source(1);
    if (s->f.session.is_configured && s->f.session.last_ms != NONE && random_below(3) > 0) {
        s->f.is_session_open = random_below(2) == 0;
        s->f.session_since_ms = NOW - (int64_t)random_below(1500) * MINUTE;
        if (!s->f.is_session_open && random_below(3) == 0)
            s->f.cooldown_until_ms = s->f.session_since_ms + 60 * MINUTE;
    }
    s->f.calendar = draw_source(2);
    s->f.bookings = draw_list(h->bookings, s->f.calendar.is_configured ? 6 : 0, 600);
    s->f.planned = draw_list(h->planned, random_below(3) == 0 ? 3 : 0, 6000);
    s->f.outage_since_ms = random_below(20) == 0 ? NOW - DAY : NONE;
    s->f.problem_since_ms = random_below(8) == 0 ? NOW - DAY : NONE;
    for (size_t i = 0; i < 4; i++) {
        struct availability_resource *r = &h->resources[i];
        *r = (struct availability_resource){draw_source(3), false, NONE};
        for (size_t told = r->source.last_ms == NONE ? 0 : random_below(4); told > 0; told--)
            r->is_down = availability_is_down(r->is_down, random_below(4) != 0, random_below(3) != 0);
    }
    s->f.required = h->resources;
    s->f.required_count = random_below(3);
    s->f.optional = h->resources + 2;
    s->f.optional_count = random_below(3);
}

static void age(struct availability_source *source, size_t kind, bool is_lost)
{
    if (is_lost)
        *source = availability_source_at(NOW, NONE, periods_ms[kind]);
    else if (source->last_ms != NONE)
        *source = availability_source_at(NOW, source->last_ms - draw_age(periods_ms[kind]), periods_ms[kind]);
}

/* One source, or several, tell less: they are older, or gone with all that they ever said. */
static void lose(struct history *h)
{
    struct availability_facts *f = &h->s.f;
    f->required = h->resources;
    f->optional = h->resources + 2;
    f->instrument = &h->s.instrument;
    f->bookings.items = h->bookings;
    f->planned.items = h->planned;
    for (size_t n = 1 + random_below(2); n > 0; n--) {
        bool is_lost = random_below(2) == 0;
        size_t which = random_below(5);
        if (which == 0 && f->power.is_configured) {
            age(&f->power, 0, is_lost);
            f->activity = is_lost ? ACTIVITY_UNKNOWN : f->activity;
        } else if (which == 1 && f->session.is_configured) {
            age(&f->session, 1, is_lost);
            f->is_session_open = f->is_session_open && !is_lost;
            f->cooldown_until_ms = is_lost ? NONE : f->cooldown_until_ms;
            f->session_since_ms = is_lost ? NONE : f->session_since_ms;
        } else if (which == 2 && f->calendar.is_configured) {
            age(&f->calendar, 2, is_lost);
            f->bookings.count = is_lost ? 0 : f->bookings.count;
        } else if (which > 2) {
            struct availability_resource *r = &h->resources[random_below(4)];
            if (r->source.is_configured)
                age(&r->source, 3, is_lost);
            r->is_down = r->is_down && !(is_lost && r->source.is_configured);
        }
    }
}

static int rank_of(enum availability_status status)
{
    switch (status) {
    case AVAILABILITY_AVAILABLE:
        return 0;
    case AVAILABILITY_DEGRADED:
        return 1;
    case AVAILABILITY_SHORT:
        return 2;
    case AVAILABILITY_UNKNOWN:
        return 3;
    case AVAILABILITY_NOT_SHARED:
    case AVAILABILITY_OUT_OF_SERVICE:
    case AVAILABILITY_IN_USE:
    case AVAILABILITY_CLOSED:
    case AVAILABILITY_RESERVED:
        return 4;
    }
    fail_msg("no such status");
    return 4;
}

static void test_law_a_no_silence_makes_an_instrument_free(void **state)
{
    (void)state;
    size_t moved[AVAILABILITY_STATUSES][AVAILABILITY_STATUSES] = {{0}};
    for (int i = 0; i < 200000; i++) {
        static struct history before, after;
        live(&before);
        after = before;
        lose(&after);
        struct availability a = availability_at(&before.s.f), b = availability_at(&after.s.f);
        int was = rank_of(a.status), is = rank_of(b.status);
        /* From a free one only down the ladder to unknown; from unknown and from a busy one to none that is free. */
        bool is_allowed = was <= 2 ? is >= was && is <= 3 : is >= 3;
        bool is_until_earlier = b.free_until_ms == NONE ||
                                (a.free_until_ms != NONE && b.free_until_ms <= a.free_until_ms) ||
                                (was <= 2 && a.free_until_ms == NONE);
        bool is_next_later =
            b.next_free_ms == NONE || (a.next_free_ms != NONE && b.next_free_ms >= a.next_free_ms);
        if (!is_allowed || !is_until_earlier || !is_next_later)
            fail_msg("history %d: %s (%s) until %lld next %lld -> %s (%s) until %lld next %lld", i,
                availability_statuses[a.status], a.reason, (long long)a.free_until_ms,
                (long long)a.next_free_ms, availability_statuses[b.status], b.reason,
                (long long)b.free_until_ms, (long long)b.next_free_ms);
        moved[a.status][b.status]++;
    }
    /* It would hold of nothing if nothing moved. */
    assert_true(moved[AVAILABILITY_AVAILABLE][AVAILABILITY_DEGRADED] > 20);
    assert_true(moved[AVAILABILITY_AVAILABLE][AVAILABILITY_UNKNOWN] > 20);
    assert_true(moved[AVAILABILITY_SHORT][AVAILABILITY_UNKNOWN] > 20);
    assert_true(moved[AVAILABILITY_IN_USE][AVAILABILITY_RESERVED] > 20);
    assert_true(moved[AVAILABILITY_IN_USE][AVAILABILITY_CLOSED] > 20);
    assert_true(moved[AVAILABILITY_RESERVED][AVAILABILITY_UNKNOWN] > 20);
}

/* ---- slots ---- */

static bool is_taken(const struct history *h, int64_t time_ms)
{
    const struct availability_facts *f = &h->s.f;
    for (size_t i = 0; i < f->bookings.count; i++)
        if (f->bookings.items[i].from_ms <= time_ms && time_ms < f->bookings.items[i].until_ms)
            return true;
    for (size_t i = 0; i < f->planned.count; i++)
        if (f->planned.items[i].from_ms <= time_ms && time_ms < f->planned.items[i].until_ms)
            return true;
    return time_ms < f->cooldown_until_ms || !opening_at(&h->s.instrument.opening, NULL, time_ms).is_open;
}

static void test_slots_are_those_of_asking_minute_by_minute(void **state)
{
    (void)state;
    size_t later = 0;
    for (int i = 0; i < 300; i++) {
        static struct history h;
        live(&h);
        struct availability_facts *f = &h.s.f;
        h.s.instrument.is_shared = true;
        f->outage_since_ms = NONE;
        f->required_count = 0;
        f->is_session_open = false;
        f->power.is_configured = false;
        f->session.is_configured = false;
        f->calendar = of_quality(SOURCE_GOOD);
        struct availability answer = availability_at(f);
        int64_t run = 0, slot_ms = NONE, until_ms = NONE;
        for (int64_t t = NOW; t <= NOW + 15 * DAY && slot_ms == NONE; t += MINUTE) {
            run = is_taken(&h, t) ? 0 : run + MINUTE;
            if (run >= h.s.instrument.minimum_slot_ms)
                slot_ms = t + MINUTE - run;
        }
        for (int64_t t = NOW; answer.status >= AVAILABILITY_SHORT && t < NOW + 14 * DAY && until_ms == NONE;
             t += MINUTE)
            until_ms = is_taken(&h, t) ? t : NONE;
        if (answer.next_free_ms != slot_ms || (answer.free_until_ms != until_ms))
            fail_msg("%d: %s until %lld, expected %lld; next %lld, expected %lld", i,
                availability_statuses[answer.status], (long long)answer.free_until_ms, (long long)until_ms,
                (long long)answer.next_free_ms, (long long)slot_ms);
        assert_int_equal(answer.as_of_ms, NOW);
        later += slot_ms > NOW;
    }
    assert_true(later > 30);
}

static void test_none_in_fourteen_days_is_an_answer(void **state)
{
    (void)state;
    struct scene s;
    lay_out(&s);
    s.f.calendar = of_quality(SOURCE_GOOD);
    s.booking = (struct availability_busy){NOW - DAY, NOW + 14 * DAY};
    s.f.bookings = (struct availability_list){&s.booking, 1};
    assert_true(availability_at(&s.f).next_free_ms == NOW + 14 * DAY);
    s.booking.until_ms++;
    assert_true(availability_at(&s.f).next_free_ms == NONE);
}

/* ---- since ---- */

static void test_since_is_when_what_the_rule_goes_by_began(void **state)
{
    (void)state;
    struct scene s;
    lay_out(&s);
    s.f.power = availability_source_at(NOW, NOW - 1000, 10000);
    s.f.activity = ACTIVITY_RUNNING;
    s.f.activity_since_ms = NOW - 7 * MINUTE;
    assert_true(availability_at(&s.f).since_ms == NOW - 7 * MINUTE);
    s.f.power = availability_source_at(NOW, NOW - 5 * MINUTE, 10000);
    struct availability lost = availability_at(&s.f);
    assert_string_equal(lost.reason, "stale");
    assert_true(lost.since_ms == NOW - 3 * MINUTE + 1);
    s.f.power = availability_source_at(NOW, NOW, 10000);
    s.f.activity = ACTIVITY_STANDBY;
    s.f.session = availability_source_at(NOW, NOW, 300000);
    s.f.session_since_ms = NOW - 5 * MINUTE;
    assert_true(availability_at(&s.f).since_ms == NOW - 5 * MINUTE);
    s.f.is_session_open = true;
    s.f.session_since_ms = NOW - 12 * 60 * MINUTE;
    assert_int_equal(availability_at(&s.f).status, AVAILABILITY_IN_USE);
    s.f.session_since_ms--;
    struct availability forgotten = availability_at(&s.f);
    assert_string_equal(forgotten.reason, "conflict");
    assert_int_equal(forgotten.session_quality, SOURCE_CONFLICT);
    assert_true(forgotten.since_ms == NOW);
    /* The limit that it was opened with, and not the present one. */
    s.f.session_limit_ms = NOW;
    assert_int_equal(availability_at(&s.f).status, AVAILABILITY_IN_USE);
    s.f.session_since_ms = NOW - MINUTE;
    s.f.session_limit_ms = NOW - 1000;
    forgotten = availability_at(&s.f);
    assert_string_equal(forgotten.reason, "conflict");
    assert_true(forgotten.since_ms == NOW - 999);
}

/* ---- the documentation ---- */

static void test_the_documentation_has_the_table_of_the_code(void **state)
{
    (void)state;
    struct buf table = {0};
    size_t count;
    const struct availability_rule *rules = availability_rules(&count);
    buf_add_str(&table, "| | status | reason | when |\n|---|---|---|---|\n");
    for (size_t i = 0; i < count; i++)
        buf_printf(&table, "| %zu | %s | `%s` | %s |\n", i + 1, availability_statuses[rules[i].status],
            rules[i].reason, rules[i].words);
    const char *source = getenv("PARKMON_SOURCE");
    char path[512];
    snprintf(path, sizeof path, "%s/CONTRIBUTING.md", source != NULL ? source : ".");
    FILE *in = fopen(path, "r");
    assert_non_null(in);
    static char text[1 << 20];
    size_t length = fread(text, 1, sizeof text - 1, in);
    fclose(in);
    text[length] = '\0';
    bool is_there = strstr(text, table.data) != NULL;
    if (!is_there)
        fprintf(stderr, "CONTRIBUTING.md does not have this table:\n%s", table.data);
    buf_release(&table);
    assert_true(is_there);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_source_is_late_after_two_periods_and_stale_after_the_gap),
        cmocka_unit_test(test_what_is_down_is_up_again_by_a_fresh_state_alone),
        cmocka_unit_test(test_the_precedence_is_that_of_the_words_in_every_case),
        cmocka_unit_test(test_law_a_no_silence_makes_an_instrument_free),
        cmocka_unit_test(test_slots_are_those_of_asking_minute_by_minute),
        cmocka_unit_test(test_none_in_fourteen_days_is_an_answer),
        cmocka_unit_test(test_since_is_when_what_the_rule_goes_by_began),
        cmocka_unit_test(test_the_documentation_has_the_table_of_the_code),
    };
    return cmocka_run_group_tests(tests, random_set_up, NULL);
}
