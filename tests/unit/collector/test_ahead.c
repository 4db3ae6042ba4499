/* What is ahead of instruments, against a model that goes from minute to minute. */
#include "collector/instrument/ahead.h"
#include "collector/instrument/timeline.h"
#include "tests/unit/collector/made_up_board.h"
#include "tests/unit/random.h"

#define NOW_MS (MADE_UP_BOARD_NOW_MS - 20000) /* 22:13:00 of a Monday */
#define MINUTE INT64_C(60000)
#define AHEAD ((int)(AVAILABILITY_AHEAD_MS / MINUTE))
#define MINUTES (AHEAD + 1440)
#define SPANS 40
#define ITEMS 3

/* xrd-1, sem-1, hood-1 with opening hours that are drawn; of Shanghai, whose clocks are never changed. */
static const char *const hours[ITEMS][2] = {{"00:00-24:00", "Mon-Fri 08:00-18:00"},
    {"00:00-24:00", "07:30-22:45"}, {"Mon-Wed 06:00-23:00, Sat 10:00-12:00", "Tue-Sun 00:00-24:00"}};

struct scene {
    struct model *model;
    struct board_told *told;
    struct availability_busy planned[ITEMS][SPANS];
    struct board_times *bookings[ITEMS];
    const struct board *board;
    bool is_open[ITEMS][MINUTES], is_unbooked[ITEMS][MINUTES], is_unplanned[ITEMS][MINUTES]; /* as drawn */
    bool is_free[ITEMS][MINUTES];                                                            /* all three */
};

static bool is_open_at(const struct opening *opening, int minute)
{
    int local = 22 * 60 + 13 + minute;
    int day = local / 1440 % 7, of_day = local % 1440;
    for (int i = 0; i < opening->count; i++)
        if (opening->rows[i].days & 1 << day && of_day >= opening->rows[i].from_min &&
            of_day < opening->rows[i].until_min)
            return true;
    return false;
}

static char *park_text(const int which[ITEMS])
{
    static const char *const ids[ITEMS] = {"id = \"xrd-1\"; ", "id = \"sem-1\"; ", "id = \"hood-1\"; "};
    char *text = mem_strdup(made_up_board_park);
    for (int i = 0; i < ITEMS; i++) {
        char *at = strstr(text, ids[i]);
        assert_non_null(at);
        char *more = mem_printf("%.*sopen = \"%s\"; %s", (int)(at - text), text, hours[i][which[i]], at);
        free(text);
        text = more;
    }
    return text;
}

static int by_begin(const void *a, const void *b)
{
    const struct availability_busy *x = a, *y = b;
    return (x->from_ms > y->from_ms) - (x->from_ms < y->from_ms);
}

static size_t draw(struct availability_busy *spans, bool *is_free, int longest)
{
    size_t count = random_below(SPANS);
    for (size_t i = 0; i < count; i++) {
        int begin = (int)random_below(MINUTES), length = 1 + (int)random_below((size_t)longest);
        spans[i] = (struct availability_busy){NOW_MS + begin * MINUTE, NOW_MS + (begin + length) * MINUTE};
        for (int m = begin; m < begin + length && m < MINUTES; m++)
            is_free[m] = false;
    }
    qsort(spans, count, sizeof *spans, by_begin);
    return count;
}

static void begin(struct scene *s)
{
    int which[ITEMS];
    for (int i = 0; i < ITEMS; i++)
        which[i] = (int)random_below(2);
    char *text = park_text(which);
    s->model = made_up_board_model_of(text);
    free(text);
    s->told = made_up_told(s->model, NOW_MS);
    for (int i = 0; i < ITEMS; i++) {
        struct availability_busy booked[SPANS];
        struct opening opening;
        assert_true(opening_parse(hours[i][which[i]], &opening));
        memset(s->is_unbooked[i], true, MINUTES);
        memset(s->is_unplanned[i], true, MINUTES);
        size_t count = draw(booked, s->is_unbooked[i], 900);
        s->bookings[i] = s->told[i].bookings = board_times_create((struct availability_list){booked, count});
        count = draw(s->planned[i], s->is_unplanned[i], 300);
        s->told[i].facts.planned = (struct availability_list){s->planned[i], count};
        for (int m = 0; m < MINUTES; m++) {
            s->is_open[i][m] = is_open_at(&opening, m);
            s->is_free[i][m] = s->is_open[i][m] && s->is_unbooked[i][m] && s->is_unplanned[i][m];
        }
    }
    model_get(s->model);
    s->board = made_up_board(s->model, s->told, NOW_MS);
}

static void end(struct scene *s)
{
    for (int i = 0; i < ITEMS; i++)
        board_times_put(s->bookings[i]);
    made_up_told_release(s->told, s->model);
    board_put(s->board);
    model_put(s->model);
}

static void test_free_is_what_is_open_and_not_taken(void **state)
{
    (void)state;
    static struct scene s;
    int known = 0;
    for (int turn = 0; turn < 20; turn++) {
        begin(&s);
        for (int i = 0; i < ITEMS; i++) {
            const struct board_item *item = &s.board->items[i];
            int from = (int)random_below(2000), until = from + (int)random_below(10000);
            struct busy_list spans = {0};
            bool is_known = ahead_free(item, NOW_MS + from * MINUTE, NOW_MS + until * MINUTE, &spans);
            assert_int_equal(is_known, item->answer.next_free_ms != AVAILABILITY_NONE);
            for (int m = from; is_known && m < until; m++) {
                int64_t time_ms = NOW_MS + m * MINUTE;
                bool is_free = s.is_free[i][m] && time_ms >= item->answer.next_free_ms;
                if (busy_list_has(&spans, time_ms) != is_free)
                    fail_msg("turn %d, instrument %d, minute %d of %d to %d", turn, i, m, from, until);
            }
            known += is_known;
            busy_list_release(&spans);
        }
        end(&s);
    }
    assert_true(known > 30);
}

static void test_offered_are_the_gaps_of_the_shortest_use_and_longer(void **state)
{
    (void)state;
    static struct scene s;
    int offered = 0, kept = 0;
    for (int turn = 0; turn < 20; turn++) {
        begin(&s);
        for (int i = 0; i < ITEMS; i++) {
            const struct board_item *item = &s.board->items[i];
            int slot = (int)(item->instrument->minimum_slot_ms / MINUTE);
            int from = (int)random_below(2000), until = from + (int)random_below(10000);
            struct busy_list spans = {0};
            if (!ahead_offered(item, NOW_MS + from * MINUTE, NOW_MS + until * MINUTE, &spans))
                continue;
            int next = (int)((item->answer.next_free_ms - NOW_MS) / MINUTE);
            for (int begin_at = next, end_at; begin_at < until; begin_at = end_at + 1) {
                for (end_at = begin_at; end_at < MINUTES && s.is_free[i][end_at];)
                    end_at++;
                for (int m = begin_at > from ? begin_at : from; m < end_at && m < until; m++) {
                    bool is_offered = busy_list_has(&spans, NOW_MS + m * MINUTE);
                    assert_true(is_offered == (end_at - begin_at >= slot));
                    offered += is_offered;
                    kept += !is_offered;
                }
                assert_true(
                    end_at < from || end_at >= until || !busy_list_has(&spans, NOW_MS + end_at * MINUTE));
            }
            busy_list_release(&spans);
        }
        end(&s);
    }
    assert_true(offered > 1000 && kept > 30);
}

/* The first minute from which all are free for so long; -1 = there is none. */
static int first_in_common(const struct scene *s, const int *which, int count, int length)
{
    for (int at = 0, run = 0; at < AHEAD + length; at++) {
        bool is_free = true;
        for (int i = 0; i < count; i++)
            is_free = is_free && s->is_free[which[i]][at];
        run = is_free ? run + 1 : 0;
        if (run >= length)
            return at - length + 1;
    }
    return -1;
}

static void test_the_slot_in_common_is_the_first_whose_every_minute_is_free(void **state)
{
    (void)state;
    static struct scene s;
    int found = 0, none = 0;
    for (int turn = 0; turn < 60; turn++) {
        begin(&s);
        int which[ITEMS] = {0, 1, 2}, count = 1 + (int)random_below(ITEMS),
            length = 1 + (int)random_below(turn % 2 ? 600 : 1440), least = length;
        const struct board_item *items[ITEMS];
        for (int i = 0; i < count; i++) {
            int other = (int)random_below(ITEMS), kept = which[i];
            which[i] = which[other];
            which[other] = kept;
        }
        for (int i = 0; i < count; i++) {
            items[i] = &s.board->items[which[i]];
            int slot = (int)(items[i]->instrument->minimum_slot_ms / MINUTE);
            least = slot > least ? slot : least;
        }
        struct ahead_slot slot = ahead_find(items, (size_t)count, length * MINUTE);
        int expected = first_in_common(&s, which, count, least);
        assert_int_equal(slot.length_ms, least * MINUTE);
        enum ahead_found wanted = expected < 0 ? AHEAD_NONE : AHEAD_SLOT;
        if (slot.found != wanted || (expected >= 0 && slot.begin_ms != NOW_MS + expected * MINUTE))
            fail_msg("turn %d: %s at %lld; expected %d", turn, ahead_founds[slot.found],
                (long long)((slot.begin_ms - NOW_MS) / MINUTE), expected);
        found += expected >= 0;
        none += expected < 0;
        end(&s);
    }
    assert_true(found > 15 && none > 3);
}

/* Every minute is in one state, and neighbours differ. */
static void test_what_is_ahead_has_each_minute_in_one_state(void **state)
{
    (void)state;
    static struct scene s;
    for (int turn = 0; turn < 20; turn++) {
        begin(&s);
        for (int i = 0; i < ITEMS; i++) {
            const struct board_item *item = &s.board->items[i];
            int from = (int)random_below(500), until = from + 1 + (int)random_below(10000);
            struct timeline t = {0};
            timeline_add_ahead(&t, item, NOW_MS + from * MINUTE, NOW_MS + until * MINUTE);
            int64_t at_ms = NOW_MS + from * MINUTE;
            for (size_t k = 0; k < t.count; k++) {
                assert_true(t.items[k].from_ms == at_ms && t.items[k].until_ms > at_ms);
                assert_true(k == 0 || t.items[k].state != t.items[k - 1].state);
                for (; at_ms < t.items[k].until_ms; at_ms += MINUTE) {
                    int m = (int)((at_ms - NOW_MS) / MINUTE);
                    bool is_foretold =
                        item->answer.next_free_ms != AVAILABILITY_NONE && at_ms >= item->answer.next_free_ms;
                    enum timeline_state expected = !s.is_unplanned[i][m]  ? TIMELINE_PLANNED_OUTAGE
                                                   : !s.is_unbooked[i][m] ? TIMELINE_RESERVED
                                                   : !s.is_open[i][m]     ? TIMELINE_CLOSED
                                                   : is_foretold          ? TIMELINE_FREE
                                                                          : TIMELINE_UNKNOWN;
                    if (t.items[k].state != expected)
                        fail_msg("turn %d, instrument %d, minute %d: %s; expected %s", turn, i, m,
                            timeline_states[t.items[k].state], timeline_states[expected]);
                }
                assert_true(at_ms == t.items[k].until_ms);
            }
            assert_true(at_ms == NOW_MS + until * MINUTE);
            timeline_release(&t);
        }
        end(&s);
    }
}

static void test_what_was_is_what_the_hours_say_and_nobody(void **state)
{
    (void)state;
    struct model *m = made_up_board_model();
    const struct board *board = made_up_board(m, NULL, NOW_MS);
    struct hours_row rows[HOURS_PARTS];
    for (int part = 0; part < HOURS_PARTS; part++)
        rows[part] = (struct hours_row){NOW_MS - (HOURS_PARTS - part) * 600 * MINUTE,
            NOW_MS - (HOURS_PARTS - part - 1) * 600 * MINUTE, (enum hours_part)part, EVIDENCE_NONE};
    static const enum timeline_state expected[] = {TIMELINE_OUT_OF_SERVICE, TIMELINE_PLANNED_OUTAGE,
        TIMELINE_IN_USE, TIMELINE_UNKNOWN, TIMELINE_IN_USE, TIMELINE_RESERVED, TIMELINE_CLOSED,
        TIMELINE_FREE};
    struct timeline t = {0};
    timeline_add_past(&t, &(struct hours){.rows = rows, .count = HOURS_PARTS}, &board->items[0]);
    assert_int_equal(t.count, sizeof expected / sizeof expected[0]);
    for (size_t i = 0; i < t.count; i++)
        assert_int_equal(t.items[i].state, expected[i]);
    assert_true(t.items[0].from_ms == rows[0].from_ms && t.items[t.count - 1].until_ms == NOW_MS);
    timeline_release(&t);
    /* Of the last seconds nothing was told yet: they are as it is now; a longer silence is one. */
    struct hours_row last = {NOW_MS - 9000, NOW_MS, HOURS_UNKNOWN, EVIDENCE_NONE};
    timeline_add_past(&t, &(struct hours){.rows = &last, .count = 1}, &board->items[0]);
    assert_int_equal(t.items[0].state, TIMELINE_FREE);
    timeline_release(&t);
    last.from_ms = NOW_MS - 600 * MINUTE;
    timeline_add_past(&t, &(struct hours){.rows = &last, .count = 1}, &board->items[0]);
    assert_int_equal(t.items[0].state, TIMELINE_UNKNOWN);
    timeline_release(&t);
    board_put(board);
}

/* Law A, of several: whatever is lost, the time in common comes later or not at all. */
static void test_what_is_not_known_of_one_is_not_foretold_of_all(void **state)
{
    (void)state;
    static struct scene s;
    int lost = 0;
    for (int turn = 0; turn < 40; turn++) {
        begin(&s);
        const struct board_item *items[ITEMS] = {&s.board->items[0], &s.board->items[1], &s.board->items[2]};
        struct ahead_slot before = ahead_find(items, ITEMS, 60 * MINUTE);
        size_t of = random_below(2);
        s.told[of].facts.power.quality = SOURCE_STALE;
        s.told[of].facts.power.stale_ms = NOW_MS - 1;
        model_get(s.model);
        board_put(s.board);
        s.board = made_up_board(s.model, s.told, NOW_MS);
        for (int i = 0; i < ITEMS; i++)
            items[i] = &s.board->items[i];
        struct ahead_slot after = ahead_find(items, ITEMS, 60 * MINUTE);
        assert_true(after.found != AHEAD_SLOT);
        lost += before.found == AHEAD_SLOT;
        if (after.found == AHEAD_NOT_KNOWN)
            assert_ptr_equal(after.of, items[of]);
        end(&s);
    }
    assert_true(lost > 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_free_is_what_is_open_and_not_taken),
        cmocka_unit_test(test_offered_are_the_gaps_of_the_shortest_use_and_longer),
        cmocka_unit_test(test_the_slot_in_common_is_the_first_whose_every_minute_is_free),
        cmocka_unit_test(test_what_is_ahead_has_each_minute_in_one_state),
        cmocka_unit_test(test_what_was_is_what_the_hours_say_and_nobody),
        cmocka_unit_test(test_what_is_not_known_of_one_is_not_foretold_of_all)};
    return cmocka_run_group_tests(tests, random_set_up, NULL);
}
