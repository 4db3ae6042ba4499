/* When resources were down, by the times of what their points and persons said; and whether one is now, by what arrived. */
#include "tests/unit/collector/watch_scene.h"

#define SPANS                                                                                                \
    "SELECT " TIME("from_ms") " || '|' || " TIME("until_ms") " || '|' || evidence FROM resource_down ORDER " \
                                                             "BY from_ms"

static void water(struct scene *s, int64_t after_ms, const char *text, int64_t late_ms)
{
    state(s, 1, "water", text, after_ms, late_ms);
    take_all(s);
}

static const struct told_resource *now_of(const struct scene *s)
{
    return &s->watch.resources[0].told;
}

/* ---- hours: by the times of readings ---- */

static void test_a_down_and_an_up_that_both_arrive_late_were(void **unused)
{
    (void)unused;
    struct scene s;
    open_scene(&s, all);
    water(&s, 0, "on", 0);
    water(&s, 600 * S, "off", HOUR); /* the network was cut */
    water(&s, 1200 * S, "on", HOUR);
    expect(&s, SPANS, "600.0|1200.0|1\n");
    assert_true(now_of(&s)->is_down); /* nobody knows whether it is up still */
    water(&s, 3 * HOUR, "on", 0);
    expect(&s, SPANS, "600.0|1200.0|1\n");
    assert_false(now_of(&s)->is_down);
    close_scene(&s);
}

static void test_what_arrives_after_what_is_later_counts_at_its_time(void **unused)
{
    (void)unused;
    struct scene s;
    open_scene(&s, all);
    water(&s, 0, "on", 0);
    water(&s, 2000 * S, "on", 0);
    water(&s, 500 * S, "off", HOUR);
    expect(&s, SPANS, "500.0|2000.0|1\n");
    assert_false(now_of(&s)->is_down); /* the newest word says so, and was fresh */
    water(&s, 700 * S, "off", HOUR);
    expect(&s, SPANS, "500.0|2000.0|1\n");
    water(&s, 600 * S, "on", HOUR);
    expect(&s, SPANS, "500.0|600.0|1\n700.0|2000.0|1\n");
    water(&s, 400 * S, "off", HOUR);
    expect(&s, SPANS, "400.0|600.0|1\n700.0|2000.0|1\n");
    water(&s, 650 * S, "off", HOUR);
    expect(&s, SPANS, "400.0|600.0|1\n650.0|2000.0|1\n");
    close_scene(&s);
}

/* Several that arrived before their time count as at one instant, in the order of their readings. */
static void test_words_of_one_instant_are_in_the_order_of_their_readings(void **unused)
{
    (void)unused;
    struct scene s;
    open_scene(&s, all);
    water(&s, 50 * S, "off", 0);
    water(&s, 105 * S, "on", -5 * S);
    assert_false(now_of(&s)->is_down);
    water(&s, 110 * S, "off", -10 * S);
    expect(&s, SPANS, "50.0|100.0|1\n100.0|-|1\n");
    water(&s, 100 * S, "on", 50 * S);
    expect(&s, SPANS, "50.0|100.0|1\n100.0|-|1\n");
    assert_true(now_of(&s)->is_down); /* by an older word it is not up */
    water(&s, 102 * S, "off", -2 * S);
    expect(&s, SPANS, "50.0|100.0|1\n100.0|-|1\n");
    water(&s, 101 * S, "on", -1 * S);
    expect(&s, SPANS, "50.0|100.0|1\n100.0|-|1\n");
    assert_true(now_of(&s)->is_down);
    close_scene(&s);
}

static void test_what_a_person_says_is_newer_than_what_arrived_before_its_time(void **unused)
{
    (void)unused;
    struct scene s;
    struct error err = {""};
    open_scene(&s, all);
    water(&s, 110 * S, "off", -10 * S);
    struct told_resource *r = &s.watch.resources[0].told;
    struct told_word up = {.says_up = true,
        .is_fresh = true,
        .at_ms = BEGIN_MS + 100 * S,
        .time_ms = BEGIN_MS + 100 * S,
        .evidence = EVIDENCE_MANUAL};
    must(db_begin(s.journal.db, &err), &err);
    must(told_resource_say(s.journal.db, r, &up, &err), &err);
    must(db_commit(s.journal.db, &err), &err);
    assert_false(r->is_down);
    expect(&s, SPANS, "");
    struct told_word down = up;
    down.says_up = false;
    must(db_begin(s.journal.db, &err), &err);
    must(told_resource_say(s.journal.db, r, &down, &err), &err);
    must(db_commit(s.journal.db, &err), &err);
    assert_true(r->is_down);
    expect(&s, "SELECT " TIME("from_ms") " || '|' || " TIME("until_ms") " FROM resource_down", "100.0|-\n");
    close_scene(&s);
}

/* What changes of the past is worked out again. */
static void test_what_is_taken_away_is_due_again(void **unused)
{
    (void)unused;
    struct scene s;
    struct error err = {""};
    open_scene(&s, all);
    water(&s, 0, "on", 0);
    water(
        &s, HOUR, "off", 10 * S - HOUR); /* both of a clock that was ahead: they count as at their arrival */
    expect(&s, SPANS, "10.0|-|1\n");
    must(db_exec(s.journal.db, "DELETE FROM timesheet_due", &err), &err);
    water(&s, HOUR + S, "on", 9 * S - HOUR);
    expect(&s, SPANS, "");
    expect(&s, "SELECT target || '|' || " TIME("from_ms") " FROM timesheet_due", "water|10.0\n");
    close_scene(&s);
}

/* Of what is behind 35 days the first word of each stretch stays, which makes the spans. */
static void test_words_do_not_grow_for_ever(void **unused)
{
    (void)unused;
    struct scene s;
    open_scene(&s, all);
    for (int64_t t = 0; t < 100 * HOUR; t += HOUR)
        state(&s, 1, "water", t / HOUR % 50 < 40 ? "on" : "off", t, 0);
    take_all(&s);
    expect(&s, "SELECT count(*) FROM resource_word", "100\n");
    water(&s, 35 * 24 * HOUR + 60 * HOUR, "on", 0);
    expect(&s, "SELECT count(*) FROM resource_word",
        "44\n"); /* 3 stretches of before, 40 hours, and the newest */
    expect(&s, SPANS, "144000.0|180000.0|1\n324000.0|3240000.0|1\n");
    water(&s, 36 * 24 * HOUR + 76 * HOUR, "on", 0);
    expect(&s, "SELECT count(*) FROM resource_word", "6\n");
    expect(&s, SPANS, "144000.0|180000.0|1\n324000.0|3240000.0|1\n");
    water(&s, 200 * 24 * HOUR, "off", 0);
    expect(&s, "SELECT count(*) FROM resource_word", "6\n");
    close_scene(&s);
}

/* A database of before words were kept. */
static void test_spans_of_before_are_taken_over(void **unused)
{
    (void)unused;
    struct scene s;
    struct error err = {""};
    open_scene(&s, all);
    take_all(&s);
    must(db_exec(s.journal.db,
             "DROP TABLE resource_word; INSERT INTO resource_down SELECT id, 1767225600000, 1767225700000, 1"
             " FROM resource WHERE name = 'water'; INSERT INTO resource_down SELECT id, 1767225700000,"
             " 1767225700000, 1 FROM resource WHERE name = 'gas'; INSERT INTO resource_down SELECT id,"
             " 1767225800000, NULL, 1 FROM resource WHERE name = 'water';"
             "UPDATE resource SET is_down = 1, since_ms = 1767225800000 WHERE name = 'water'",
             &err),
        &err);
    must(db_exec(s.journal.db, told_word_schema, &err), &err);
    start(&s, all);
    expect(&s, SPANS, "0.0|100.0|1\n200.0|-|1\n");
    water(&s, 50 * S, "on", HOUR);
    expect(&s, SPANS, "0.0|50.0|1\n200.0|-|1\n");
    assert_true(now_of(&s)->is_down);
    water(&s, 300 * S, "on", 0);
    expect(&s, SPANS, "0.0|50.0|1\n200.0|300.0|1\n");
    close_scene(&s);
}

/* ---- what is fresh ---- */

static const char moved_water[] = HEAD "resources = ({ " NAMED(
    "water") "building = \"b\"; kind = \"chilled_water\";"
             " point = \"gw-a/chiller\"; up = (\"on\"); down = (\"off\"); period = 60; });\n"
             "instruments = (" BARE("afm") ");\n";

static void test_what_another_point_told_is_not_fresh(void **unused)
{
    (void)unused;
    struct scene s;
    open_scene(&s, all);
    water(&s, 0, "on", 0);
    start(&s, all);
    take_all(&s);
    assert_int_equal(now_of(&s)->heard_ms, BEGIN_MS); /* the same point, after a restart */
    start(&s, moved_water);
    take_all(&s);
    assert_int_equal(now_of(&s)->heard_ms, TOLD_NONE);
    assert_false(now_of(&s)->is_down);
    start(&s, moved_water);
    take_all(&s);
    assert_int_equal(now_of(&s)->heard_ms, TOLD_NONE);
    state(&s, 1, "chiller", "off", 60 * S, 0);
    take_all(&s);
    assert_int_equal(now_of(&s)->heard_ms, BEGIN_MS + 60 * S);
    start(&s, all); /* and back: what was down stays so */
    take_all(&s);
    assert_int_equal(now_of(&s)->heard_ms, TOLD_NONE);
    assert_true(now_of(&s)->is_down);
    assert_int_equal(now_of(&s)->since_ms, BEGIN_MS + 60 * S);
    close_scene(&s);
}

static void test_a_newest_word_that_nobody_can_read_is_not_fresh(void **unused)
{
    (void)unused;
    struct scene s;
    open_scene(&s, all);
    water(&s, 0, "on", 0);
    water(&s, 60 * S, "lukewarm", 0);
    assert_int_equal(now_of(&s)->heard_ms, TOLD_NONE);
    assert_false(now_of(&s)->is_down);
    start(&s, all);
    take_all(&s);
    assert_int_equal(now_of(&s)->heard_ms, TOLD_NONE);
    water(&s, 59 * S, "on", 10 * S); /* of before it */
    assert_int_equal(now_of(&s)->heard_ms, TOLD_NONE);
    water(&s, 120 * S, "on", 0);
    assert_int_equal(now_of(&s)->heard_ms, BEGIN_MS + 120 * S);
    water(&s, 100 * S, "lukewarm", 50 * S); /* of before what was read */
    assert_int_equal(now_of(&s)->heard_ms, BEGIN_MS + 120 * S);
    water(&s, 180 * S, "off", 0);
    water(&s, 240 * S, "lukewarm", 0);
    assert_true(now_of(&s)->is_down);
    water(&s, 230 * S, "on", 15 * S); /* fresh, and of before the newest */
    assert_true(now_of(&s)->is_down);
    water(&s, 300 * S, "on", 0);
    assert_false(now_of(&s)->is_down);
    assert_int_equal(now_of(&s)->heard_ms, BEGIN_MS + 300 * S);
    close_scene(&s);
}

/* Of two words of one millisecond, one of which nobody can read, the later that arrived counts. */
static void test_of_words_of_one_millisecond_the_later_that_arrived_is_read_or_not(void **unused)
{
    (void)unused;
    struct scene s;
    open_scene(&s, all);
    water(&s, 60 * S, "lukewarm", 0);
    water(&s, 90 * S, "on", -30 * S); /* of clocks that are ahead: as of when they arrived */
    assert_int_equal(now_of(&s)->heard_ms, BEGIN_MS + 60 * S);
    start(&s, all);
    water(&s, 91 * S, "lukewarm", -31 * S);
    assert_int_equal(now_of(&s)->heard_ms, TOLD_NONE);
    water(&s, 92 * S, "off", -32 * S);
    assert_int_equal(now_of(&s)->heard_ms, BEGIN_MS + 60 * S);
    assert_true(now_of(&s)->is_down);
    water(&s, 93 * S, "on", -33 * S);
    assert_int_equal(now_of(&s)->heard_ms, BEGIN_MS + 60 * S);
    assert_false(now_of(&s)->is_down);
    close_scene(&s);
}

/* After a restore, and by another point: what is not later than all that was told is no word of now. */
static void test_what_was_left_is_not_good_by_an_old_word(void **unused)
{
    (void)unused;
    for (int way = 0; way < 4; way++) {
        struct scene s;
        struct error err = {""};
        const char *point = way % 2 == 0 ? "water" : "chiller";
        bool is_garbled = way < 2;
        open_scene(&s, all);
        water(&s, 0, "on", 0);
        water(&s, 60 * S, is_garbled ? "lukewarm" : "on", 0);
        if (way % 2 == 0)
            must(told_leave_all(s.journal.db, &err), &err);
        start(&s, way % 2 == 0 ? all : moved_water);
        take_all(&s);
        assert_int_equal(now_of(&s)->heard_ms, TOLD_NONE);
        state(&s, 1, point, "on", 59 * S, 31 * S);
        take_all(&s);
        assert_int_equal(now_of(&s)->heard_ms, TOLD_NONE);
        start(&s, way % 2 == 0 ? all : moved_water);
        state(&s, 1, point, "on", 58 * S, 33 * S);
        take_all(&s);
        assert_int_equal(now_of(&s)->heard_ms, TOLD_NONE);
        state(&s, 1, point, "on", 61 * S, 31 * S);
        take_all(&s);
        assert_int_equal(now_of(&s)->heard_ms, BEGIN_MS + 61 * S);
        close_scene(&s);
    }
}

/* ---- any order, any lateness, any grouping ---- */

enum { WORDS = 60 };
struct word {
    int64_t after_ms;
    const char *text;
};

static bool is_down_word(const char *text)
{
    return strcmp(text, "on") != 0;
}

/* Goes through the words by their times, and folds nothing else. */
static char *spans_of(const struct word *words, size_t count)
{
    struct buf rows = {0};
    bool is_down = false;
    for (size_t i = 0; i < count; i++) {
        if (is_down_word(words[i].text) == is_down)
            continue;
        is_down = !is_down;
        if (is_down)
            buf_printf(&rows, "%lld|", (long long)(words[i].after_ms / S));
        else
            buf_printf(&rows, "%lld\n", (long long)(words[i].after_ms / S));
    }
    if (is_down)
        buf_add_str(&rows, "-\n");
    return buf_take(&rows);
}

static void draw_words(struct word *words)
{
    static const char *const texts[] = {"on", "on", "off", "alarm"};
    int64_t at_ms = 0;
    for (size_t i = 0; i < WORDS; i++) {
        at_ms += (int64_t)(1 + random_below(300)) * S;
        words[i] = (struct word){at_ms, texts[random_below(4)]};
    }
}

/* Some stay where they are, some come much later, in whatever order. */
static void shuffle(size_t *order)
{
    for (size_t i = 0; i < WORDS; i++)
        order[i] = i;
    for (size_t i = 0; i < WORDS; i++) {
        size_t with = random_below(3) == 0 ? random_below(WORDS) : i;
        size_t held = order[i];
        order[i] = order[with];
        order[with] = held;
    }
}

/* What may be said of now, given all that arrived: `newest` is the newest of these by its time. */
static void check_now(
    const struct scene *s, bool was_down, const struct word *word, bool is_fresh, bool is_newest)
{
    bool is_down = now_of(s)->is_down;
    if (was_down && !is_down) /* never by an old word */
        assert_true(is_fresh && is_newest && !is_down_word(word->text));
    if (is_fresh && is_down_word(word->text))
        assert_true(is_down);
}

/* In groups, with steps that fail and restarts between. */
static void run_through(struct scene *s, const struct word *words)
{
    size_t order[WORDS];
    int64_t clock_ms = 0;
    shuffle(order);
    open_scene(s, all);
    for (size_t i = 0; i < WORDS; i++) {
        const struct word *w = &words[order[i]];
        clock_ms = (clock_ms > w->after_ms ? clock_ms : w->after_ms) + (int64_t)random_below(100) * S;
        state(s, 1, "water", w->text, w->after_ms, clock_ms - w->after_ms);
        if (random_below(3) == 0)
            step(s, random_below(2) == 0);
        if (random_below(8) == 0)
            start(s, all);
    }
    take_all(s);
}

static void test_spans_are_the_same_in_any_order_lateness_and_grouping(void **unused)
{
    (void)unused;
    for (int round = 0; round < 12; round++) {
        struct word words[WORDS];
        struct scene s;
        draw_words(words);
        char *expected = spans_of(words, WORDS);
        run_through(&s, words);
        expect(&s,
            "SELECT ((from_ms - 1767225600000) / 1000) || '|' || ifnull((until_ms - 1767225600000) / 1000, "
            "'-')"
            " FROM resource_down ORDER BY from_ms",
            expected);
        free(expected);
        close_scene(&s);
    }
}

static void test_what_is_said_of_now_is_never_up_by_an_old_word(void **unused)
{
    (void)unused;
    for (int round = 0; round < 6; round++) {
        struct word words[WORDS];
        size_t order[WORDS];
        struct scene s;
        int64_t clock_ms = 0, newest_ms = -1;
        draw_words(words);
        shuffle(order);
        open_scene(&s, all);
        for (size_t i = 0; i < WORDS; i++) {
            const struct word *w = &words[order[i]];
            clock_ms = (clock_ms > w->after_ms ? clock_ms : w->after_ms) + (int64_t)random_below(100) * S;
            bool was_down = i > 0 && now_of(&s)->is_down, is_newest = w->after_ms > newest_ms;
            newest_ms = is_newest ? w->after_ms : newest_ms;
            water(&s, w->after_ms, w->text, clock_ms - w->after_ms);
            check_now(&s, was_down, w, clock_ms - w->after_ms <= 180 * S, is_newest);
        }
        close_scene(&s);
    }
}

/* ---- several words of one millisecond ---- */

enum { CROWD = 10 };

/* Of words at one instant the later reading counts, a person's before a point's, and of two points' what is down. */
static int by_their_order(const void *a, const void *b)
{
    const struct told_word *p = a, *q = b;
    int64_t differences[] = {p->at_ms - q->at_ms, p->time_ms - q->time_ms,
        (int64_t)p->evidence - (int64_t)q->evidence, (int64_t)q->says_up - (int64_t)p->says_up};
    for (size_t i = 0; i < sizeof differences / sizeof differences[0]; i++)
        if (differences[i] != 0)
            return differences[i] < 0 ? -1 : 1;
    return 0;
}

/* A person's is newer than all of before, in the order of arrival. */
static void put_persons(struct told_word *words)
{
    for (size_t i = 0; i < CROWD; i++) {
        struct told_word *w = &words[i];
        for (size_t k = 0; k < i && w->evidence == EVIDENCE_MANUAL; k++)
            w->at_ms = w->time_ms = words[k].at_ms > w->at_ms ? words[k].at_ms : w->at_ms;
        for (size_t k = 0; k < i && w->evidence == EVIDENCE_MANUAL; k++)
            if (words[k].at_ms == w->at_ms && words[k].time_ms >= w->time_ms)
                w->time_ms = words[k].time_ms + 1;
    }
}

static char *spans_of_crowd(const struct told_word *words)
{
    struct buf rows = {0};
    int64_t down_ms = TOLD_NONE;
    for (size_t i = 0; i < CROWD; i++) {
        if (!words[i].says_up && down_ms == TOLD_NONE) {
            down_ms = words[i].at_ms;
        } else if (words[i].says_up && down_ms != TOLD_NONE) {
            if (down_ms < words[i].at_ms)
                buf_printf(&rows, "%lld|%lld\n", (long long)down_ms, (long long)words[i].at_ms);
            down_ms = TOLD_NONE;
        }
    }
    if (down_ms != TOLD_NONE)
        buf_printf(&rows, "%lld|-\n", (long long)down_ms);
    return buf_take(&rows);
}

static void tell_crowd(struct scene *s, const struct told_word *words)
{
    struct told_resource *r = &s->watch.resources[0].told;
    struct error err = {""};
    must(db_begin(s->journal.db, &err), &err);
    must(db_exec(s->journal.db,
             "DELETE FROM resource_word; DELETE FROM resource_down;"
             "UPDATE resource SET is_down = 0, since_ms = NULL",
             &err),
        &err);
    r->is_down = false;
    r->since_ms = TOLD_NONE;
    for (size_t i = 0; i < CROWD; i++)
        must(told_resource_say(s->journal.db, r, &words[i], &err), &err);
    must(db_commit(s->journal.db, &err), &err);
}

/* Times are of five milliseconds, so that most words share theirs. */
static void draw_crowd(struct told_word *words, bool are_people_there)
{
    for (size_t i = 0; i < CROWD; i++) {
        int64_t at_ms = (int64_t)random_below(5);
        bool is_person = are_people_there && random_below(5) == 0;
        words[i] = (struct told_word){.says_up = random_below(2) == 0,
            .is_fresh = true,
            .at_ms = at_ms,
            .time_ms = is_person ? at_ms : at_ms + (int64_t)random_below(2),
            .evidence = is_person ? EVIDENCE_MANUAL : EVIDENCE_MEASURED};
    }
}

static void test_words_that_share_a_millisecond_have_one_order_however_they_come(void **unused)
{
    (void)unused;
    struct scene s;
    size_t ups = 0, downs = 0;
    open_scene(&s, all);
    take_all(&s);
    for (int round = 0; round < 400; round++) {
        struct told_word words[CROWD];
        draw_crowd(words, round % 2 == 1);
        tell_crowd(&s, words);
        put_persons(words);
        qsort(words, CROWD, sizeof *words, by_their_order);
        char *expected = spans_of_crowd(words);
        expect(&s, "SELECT from_ms || '|' || ifnull(until_ms, '-') FROM resource_down ORDER BY from_ms",
            expected);
        free(expected);
        if (!now_of(&s)->is_down)
            assert_true(words[CROWD - 1].says_up); /* by the newest of all, and by no other */
        ups += !now_of(&s)->is_down;
        downs += now_of(&s)->is_down;
    }
    assert_true(ups > 20 && downs > 20);
    close_scene(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_down_and_an_up_that_both_arrive_late_were),
        cmocka_unit_test(test_what_arrives_after_what_is_later_counts_at_its_time),
        cmocka_unit_test(test_words_of_one_instant_are_in_the_order_of_their_readings),
        cmocka_unit_test(test_what_a_person_says_is_newer_than_what_arrived_before_its_time),
        cmocka_unit_test(test_what_is_taken_away_is_due_again),
        cmocka_unit_test(test_words_do_not_grow_for_ever),
        cmocka_unit_test(test_spans_of_before_are_taken_over),
        cmocka_unit_test(test_what_another_point_told_is_not_fresh),
        cmocka_unit_test(test_a_newest_word_that_nobody_can_read_is_not_fresh),
        cmocka_unit_test(test_of_words_of_one_millisecond_the_later_that_arrived_is_read_or_not),
        cmocka_unit_test(test_what_was_left_is_not_good_by_an_old_word),
        cmocka_unit_test(test_spans_are_the_same_in_any_order_lateness_and_grouping),
        cmocka_unit_test(test_words_that_share_a_millisecond_have_one_order_however_they_come),
        cmocka_unit_test(test_what_is_said_of_now_is_never_up_by_an_old_word),
    };
    return cmocka_run_group_tests(tests, random_set_up, NULL);
}
