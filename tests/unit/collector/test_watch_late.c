/* A session, and its hours, are what was told of it, whenever that arrives: live, late, or with a gateway that is cut. */
#include "collector/instrument/hours_facts.h"
#include "tests/unit/collector/watch_scene.h"

#define MAX_MS (2 * HOUR) /* max_session of the scene's instruments */
enum { MOST = 2000, CUTS = 6 };

/* One that is heard `arrived_ms`; times are after BEGIN_MS. */
struct word {
    int64_t time_ms, arrived_ms;
    bool is_power, is_open;
    int number; /* of the event: its id is k<number> */
    const char *watts;
};
struct history {
    struct word words[MOST];
    size_t count;
    int64_t end_ms;
    bool is_scattered;
};

static void add(struct history *h, struct word word)
{
    assert_true(h->count < MOST);
    h->words[h->count++] = word;
}

/* Power each 100 s, with silences; sessions of a quarter of an hour to five, most of them closed. */
static void draw(struct history *h)
{
    static const char *const levels[] = {"5", "15", "100", "100", "100"};
    const char *watts = "15";
    bool is_open = false;
    int64_t next_ms = (int64_t)random_below(3600) * S;
    int number = 0;
    h->is_scattered = false;
    h->count = 0;
    h->end_ms = (int64_t)(16 + random_below(16)) * HOUR + (int64_t)random_below(3600000);
    for (int64_t t = 0; t < h->end_ms; t += 100 * S) {
        while (next_ms <= t) {
            is_open = random_below(8) == 0 ? is_open : !is_open;
            add(h, (struct word){.time_ms = next_ms, .is_open = is_open, .number = ++number});
            size_t length = random_below(2) == 0 ? 900 + random_below(5 * 3600) : 7000 + random_below(2000);
            next_ms += (int64_t)length * S + (int64_t)random_below(1000);
        }
        if (random_below(200) == 0)
            watts = levels[random_below(5)];
        if (random_below(400) == 0)
            t += (int64_t)(60 + random_below(5400)) * S;
        if (random_below(50) > 0)
            add(h, (struct word){.time_ms = t, .is_power = true, .watts = watts});
    }
}

/* What comes while its gateway is cut is heard when that is over, in order. */
static void cut(struct history *h, bool is_power, int64_t from_ms, int64_t until_ms)
{
    for (size_t i = 0; i < h->count; i++)
        if (h->words[i].is_power == is_power && h->words[i].time_ms >= from_ms &&
            h->words[i].arrived_ms < until_ms)
            h->words[i].arrived_ms = until_ms;
}

/* Events each by itself: later than 300 s, or in time. */
static void scatter(struct history *h)
{
    h->is_scattered = true;
    for (size_t i = 0; i < h->count; i++) {
        struct word *w = &h->words[i];
        int64_t arrived_ms = w->time_ms + 301 * S + (int64_t)random_below(6 * 3600) * S;
        w->arrived_ms =
            !w->is_power && random_below(3) == 0 && arrived_ms < h->end_ms ? arrived_ms : w->time_ms;
    }
}

static int by_arrival(const void *a, const void *b)
{
    const struct word *p = a, *q = b;
    int64_t by = p->arrived_ms != q->arrived_ms ? p->arrived_ms - q->arrived_ms
                 : p->is_power != q->is_power   ? p->is_power - q->is_power
                                                : p->time_ms - q->time_ms;
    return by < 0 ? -1 : by > 0;
}

static void arrive(struct scene *s, const struct word *w)
{
    char *line = w->is_power
                     ? mem_printf("gauge,point=sem value=%s %" PRId64 "\n", w->watts, BEGIN_MS + w->time_ms)
                     : mem_printf("state,point=sem value=\"%s event=k%d class=internal\" %" PRId64 "\n",
                           w->is_open ? "open" : "close", w->number, BEGIN_MS + w->time_ms);
    add_line(s, w->is_power ? 1 : 2, line, BEGIN_MS + w->arrived_ms);
    free(line);
}

static char *hours_of(struct scene *s, const struct history *h)
{
    struct hours_book book;
    struct hours hours;
    struct error err = {""};
    struct buf text = {0};
    must(hours_facts_read(s->journal.db, s->watch.instruments[0].park, NULL, BEGIN_MS, BEGIN_MS + h->end_ms,
             BEGIN_MS + h->end_ms, &book, &err),
        &err);
    hours_divide(&book.facts, &hours);
    for (size_t i = 0; i < hours.count; i++)
        buf_printf(&text, "%" PRId64 " %" PRId64 " %d %d\n", hours.rows[i].from_ms - BEGIN_MS,
            hours.rows[i].until_ms - BEGIN_MS, hours.rows[i].part, hours.rows[i].evidence);
    hours_release(&hours);
    hours_book_release(&book);
    return buf_take(&text);
}

/* In the order of their arrival, taken at random moments; the clock looks in between. */
static char *rows_of(struct scene *s, struct history *h, bool restarts)
{
    open_scene(s, all);
    qsort(h->words, h->count, sizeof h->words[0], by_arrival);
    for (size_t i = 0; i < h->count; i++) {
        arrive(s, &h->words[i]);
        wall = BEGIN_MS + h->words[i].arrived_ms;
        bool is_more = i + 1 < h->count && h->words[i + 1].arrived_ms == h->words[i].arrived_ms;
        if (random_below(is_more ? 100 : 6) == 0)
            step(s, restarts ? random_below(3) > 0 : true);
        if (restarts && random_below(400) == 0)
            start(s, all);
    }
    look_at(s, h->end_ms);
    step(s, true);
    struct buf text = {0};
    database_add_rows(s->journal.db, &text,
        "SELECT opened_ms || '|' || ifnull(closed_ms, '-') || '|' || ifnull(open_event, '') || "
        "','"
        " || ifnull(close_event, '') || '|' || evidence || closed_evidence || why FROM session ORDER BY "
        "opened_ms, id");
    if (h->is_scattered)
        return buf_take(&text); /* when its point was heard goes by the order of its words */
    char *hours = hours_of(s, h);
    buf_printf(&text, "%s", hours);
    free(hours);
    return buf_take(&text);
}

/* When it is over that was opened and told over then; TOLD_NONE = it is open. Asks each stretch of its power. */
static int64_t over_ms(struct scene *s, int64_t opened_ms, int64_t told_ms, bool *ret_is_forgotten)
{
    struct activity_span *spans;
    size_t count;
    struct error err = {""};
    int64_t limit_ms = opened_ms + MAX_MS, until_ms = limit_ms;
    must(told_activity(s->journal.db, find(s, "sem").id, 0, INT64_MAX, &spans, &count, &err), &err);
    for (size_t i = 0; i < count; i++) {
        bool is_last = i + 1 == count;
        if (spans[i].state != ACTIVITY_RUNNING || spans[i].from_ms > limit_ms ||
            (spans[i].until_ms <= limit_ms && !is_last))
            continue;
        until_ms = spans[i].until_ms > limit_ms ? spans[i].until_ms : limit_ms;
        if (is_last && told_ms - spans[i].until_ms <= s->watch.instruments[0].limits.gap_ms)
            until_ms = INT64_MAX;
    }
    free(spans);
    *ret_is_forgotten = told_ms > limit_ms && told_ms > until_ms;
    return *ret_is_forgotten ? until_ms : told_ms;
}

static void check_ends(struct scene *s, const struct history *h, size_t *forgotten, size_t *longer)
{
    struct told_session *sessions;
    size_t count;
    struct error err = {""};
    must(told_sessions(s->journal.db, find(s, "sem").id, 0, INT64_MAX, &sessions, &count, &err), &err);
    for (size_t i = 0; i < count; i++) {
        const struct told_session *k = &sessions[i];
        const char *event = k->close_event[0] != '\0' ? k->close_event
                            : i + 1 < count           ? sessions[i + 1].open_event
                                                      : "";
        int64_t told_ms = BEGIN_MS + h->end_ms;
        bool is_told = false, is_forgotten;
        for (size_t w = 0; w < h->count; w++)
            if (!h->words[w].is_power && event[0] == 'k' && atoi(event + 1) == h->words[w].number)
                told_ms = BEGIN_MS + h->words[w].time_ms, is_told = true;
        int64_t closed_ms = over_ms(s, k->opened_ms, told_ms, &is_forgotten);
        assert_int_equal(k->end == TOLD_FORGOTTEN, is_forgotten);
        assert_true(k->closed_ms == (is_told || is_forgotten ? closed_ms : TOLD_NONE));
        *forgotten += is_forgotten;
        *longer += !is_forgotten && is_told && closed_ms - k->opened_ms > MAX_MS;
    }
    free(sessions);
}

static void same(struct scene *s, struct history *h, bool restarts, const char *expected)
{
    char *rows = rows_of(s, h, restarts);
    assert_string_equal(rows, expected);
    free(rows);
    close_scene(s);
}

static void test_sessions_and_hours_are_the_same_whenever_they_arrive(void **unused)
{
    (void)unused;
    static struct history h;
    struct scene s;
    size_t forgotten = 0, longer = 0;
    for (int round = 0; round < 12; round++) {
        draw(&h);
        for (size_t i = 0; i < h.count; i++)
            h.words[i].arrived_ms = h.words[i].time_ms;
        char *live = rows_of(&s, &h, false);
        check_ends(&s, &h, &forgotten, &longer);
        close_scene(&s);
        for (size_t i = 0; i < CUTS; i++) {
            int64_t from_ms = (int64_t)random_below((size_t)h.end_ms);
            cut(&h, random_below(2) == 0, from_ms,
                from_ms + (int64_t)random_below((size_t)(h.end_ms - from_ms)) + 1);
        }
        same(&s, &h, true, live);
        cut(&h, round % 2 == 0, 0, h.end_ms);
        same(&s, &h, false, live);
        cut(&h, round % 2 != 0, 0, h.end_ms);
        same(&s, &h, false, live);
        free(live);
    }
    print_message("%zu forgotten, %zu that ran on\n", forgotten, longer);
    assert_true(forgotten >= 3 && longer >= 3);
}

static void test_sessions_are_the_same_in_whatever_order_their_events_come(void **unused)
{
    (void)unused;
    static struct history h;
    struct scene s;
    for (int round = 0; round < 6; round++) {
        draw(&h);
        h.is_scattered = true;
        for (size_t i = 0; i < h.count; i++)
            h.words[i].arrived_ms = h.words[i].time_ms;
        char *live = rows_of(&s, &h, false);
        close_scene(&s);
        for (int way = 0; way < 3; way++) {
            scatter(&h);
            if (way == 2)
                cut(&h, true, 0, h.end_ms);
            same(&s, &h, way == 1, live);
        }
        free(live);
    }
}

/* The run went on, and its power comes after the close. */
static void test_power_that_comes_late_says_that_it_ran_on(void **unused)
{
    (void)unused;
    struct scene s;
    open_scene(&s, all);
    told(&s, 0, "open event=a class=internal");
    look_at(&s, 5 * HOUR);
    told(&s, 5 * HOUR, "close event=b");
    take_all(&s);
    expect_sessions(&s, "0.0|7200.0|11||a|b|233\n");
    for (int64_t t = 0; t <= 6 * HOUR; t += 60 * S)
        power(&s, t, t < 4 * HOUR ? "100" : "15");
    take_all(&s);
    expect_sessions(&s, "0.0|14400.0|11||a|b|233\n");
    assert_true(told_floor_ms(&s.watch.instruments[0].told) == BEGIN_MS + 5 * HOUR);
    told(&s, 7 * HOUR, "open event=c class=internal");
    told(&s, 11 * HOUR, "close event=d");
    take_all(&s);
    for (int64_t t = 6 * HOUR + 60 * S; t <= 12 * HOUR; t += 60 * S)
        power(&s, t, "100");
    take_all(&s);
    expect_sessions(&s, "0.0|14400.0|11||a|b|233\n25200.0|39600.0|11||c|d|221\n");
    close_scene(&s);
}

/* At an event of after the greatest length, not at the next look of the clock. */
static void test_a_late_close_is_judged_at_its_own_time(void **unused)
{
    (void)unused;
    struct scene s;
    open_scene(&s, all);
    told(&s, 0, "open event=a class=internal");
    told(&s, 3 * HOUR, "close event=b");
    told(&s, 4 * HOUR, "open event=c class=internal");
    told(&s, 7 * HOUR, "open event=d class=internal");
    told(&s, 9 * HOUR, "close event=e");
    take_all(&s);
    expect_sessions(&s, "0.0|7200.0|11||a|b|233\n14400.0|21600.0|11||c||233\n25200.0|32400.0|11||d|e|221\n");
    close_scene(&s);
}

/* It was over when its power was late, and is not: nobody ended it. */
static void test_a_session_that_runs_on_is_open_again(void **unused)
{
    (void)unused;
    struct scene s;
    open_scene(&s, all);
    told(&s, 0, "open event=a class=internal");
    look_at(&s, 3 * HOUR);
    expect_sessions(&s, "0.0|7200.0|11||a||233\n");
    for (int64_t t = 0; t <= 4 * HOUR; t += 60 * S)
        power(&s, t, "100");
    look_at(&s, 4 * HOUR);
    expect_sessions(&s, "0.0|-|11||a||200\n");
    look_at(&s, 5 * HOUR);
    expect_sessions(&s, "0.0|14400.0|11||a||233\n");
    power(&s, 5 * HOUR, "100"); /* after a silence: of nobody knows whom */
    look_at(&s, 5 * HOUR);
    expect_sessions(&s, "0.0|14400.0|11||a||233\n");
    close_scene(&s);
}

/* ---- another max_session ---- */

#define LASTING(id, power) "{ " NAMED(id) WHOSE power "session = \"gw-b/" id "\"; max_session = 14400; }"
static const char longer[] = HEAD RESOURCES "instruments = (" LASTING("sem",
    "power = \"gw-a/sem\"; off_w = 10; standby_w = 20; exit_w = 30; enter_w = 40; enter_s = 10; exit_s = 60; "
    "off_means = \"available\"; ") ", " LASTING("afm", "") ");\n";

static void told_of(struct scene *s, const char *point, int64_t after_ms, int number, bool is_open)
{
    char *text =
        mem_printf("%s event=%c%d class=internal", is_open ? "open" : "close", is_open ? 'o' : 'c', number);
    state(s, 2, point, text, after_ms, 0);
    free(text);
}

#define LATE_ROWS "0.0|7200.0|11||o0|c0|233\n20000.0|27200.0|11||o1|c1|233\n40000.0|47200.0|11||o2|c2|233\n"

/* What was stated stays: a session may last for as long as it might when it was opened, whatever park.cfg says since. */
static void test_another_max_session_changes_nothing_of_what_was(void **unused)
{
    (void)unused;
    static const char *const points[] = {"afm", "sem"};
    for (int i = 0; i < 2; i++) {
        struct scene s;
        open_scene(&s, all);
        power(&s, -60 * S, "1"); /* one state, in which all of this lies */
        for (int n = 0; n < 3; n++) {
            told_of(&s, points[i], n * 20000 * S, n, true);
            told_of(&s, points[i], n * 20000 * S + 3 * HOUR, n, false);
        }
        told_of(&s, points[i], 60000 * S, 3, true);
        for (int64_t t = 0; t <= 60000 * S; t += 100 * S)
            power(&s, t, "1");
        take_all(&s);
        expect_sessions(&s, LATE_ROWS "60000.0|-|11||o3||200\n");
        start(&s, longer);
        for (int64_t t = 60100 * S; t <= 60000 * S + 3 * HOUR; t += 100 * S)
            power(&s, t, "1");
        look_at(&s, 60000 * S + 3 * HOUR);
        expect_sessions(&s, LATE_ROWS "60000.0|67200.0|11||o3||233\n");
        told_of(&s, points[i], 60000 * S + 3 * HOUR, 3, false);
        told_of(&s, points[i], 80000 * S, 4, true);
        told_of(&s, points[i], 80000 * S + 3 * HOUR, 4, false);
        take_all(&s);
        expect_sessions(&s, LATE_ROWS "60000.0|67200.0|11||o3|c3|233\n80000.0|90800.0|11||o4|c4|221\n");
        close_scene(&s);
    }
}

/* One that an earlier program opened: by the model that finds it so, and by that from then on. */
static void test_a_session_of_before_limits_were_noted_has_one(void **unused)
{
    (void)unused;
    struct scene s;
    struct error err = {""};
    open_scene(&s, all);
    told_of(&s, "afm", 0, 0, true);
    take_all(&s);
    must(db_exec(s.journal.db, "UPDATE session SET limit_ms = NULL", &err), &err);
    start(&s, longer);
    take_all(&s);
    start(&s, all);
    look_at(&s, 3 * HOUR);
    expect_sessions(&s, "0.0|-|11||o0||200\n");
    look_at(&s, 5 * HOUR);
    expect_sessions(&s, "0.0|14400.0|11||o0||233\n");
    close_scene(&s);
}

/* Whether the session of before is looked at again: it would be made right. */
static bool is_judged_again(struct scene *s)
{
    struct error err = {""};
    bool has_row;
    take_all(s);
    struct db_stmt *find =
        db_prepare(s->journal.db, "SELECT 1 FROM session WHERE open_event = 'o0' AND closed_ms <> 1");
    must(db_step(find, &has_row, &err), &err);
    db_finish(find);
    return has_row;
}

/* Only power that may tell otherwise has them read again: not each word, for ever. */
static void test_what_is_settled_is_not_read_again(void **unused)
{
    (void)unused;
    struct scene s;
    struct error err = {""};
    open_scene(&s, all);
    told_of(&s, "sem", 0, 0, true);
    told_of(&s, "sem", 3 * HOUR, 0, false);
    take_all(&s);
    must(db_exec(s.journal.db, "UPDATE session SET closed_ms = 1", &err), &err);
    told_of(&s, "sem", 4 * HOUR, 1, true); /* no power was ever heard */
    assert_false(is_judged_again(&s));
    power(&s, 5 * HOUR, "1"); /* the first begins after it */
    power(&s, 5 * HOUR + 100 * S, "1");
    assert_false(is_judged_again(&s));
    start(&s, all);
    told_of(&s, "sem", 5 * HOUR + 200 * S, 1, false);
    assert_false(is_judged_again(&s));
    close_scene(&s);
    open_scene(&s, all);
    power(&s, 0, "1");
    told_of(&s, "sem", 0, 0, true);
    told_of(&s, "sem", 3 * HOUR, 0, false);
    take_all(&s);
    must(db_exec(s.journal.db, "UPDATE session SET closed_ms = 1", &err), &err);
    told_of(&s, "sem", 4 * HOUR, 1, true); /* no power since */
    assert_false(is_judged_again(&s));
    power(&s, 4 * HOUR, "1"); /* this one may */
    assert_true(is_judged_again(&s));
    close_scene(&s);
}

/* Bursts of what runs: forgotten, and open again, and forgotten. One complaint. */
static void test_a_session_that_is_forgotten_again_and_again_is_one_complaint(void **unused)
{
    (void)unused;
    struct scene s;
    open_scene(&s, all);
    told(&s, 0, "open event=a class=internal");
    for (int64_t t = 0; t <= 3 * HOUR; t += 60 * S)
        power(&s, t, "100");
    look_at(&s, 3 * HOUR);
    expect_sessions(&s, "0.0|-|11||a||200\n");
    const struct complaint *c = &watch_find(&s.watch, "sem")->forgotten;
    for (int i = 1; i <= 3; i++) {
        look_at(&s, 3 * HOUR + i * 200 * S - 60 * S);
        assert_true(c->is_said);
        assert_int_equal(c->silent, i - 1);
        expect(&s, "SELECT why FROM session", "3\n");
        power(&s, 3 * HOUR + i * 100 * S, "100"); /* late, and no gap */
        look_at(&s, 3 * HOUR + i * 100 * S);
        expect(&s, "SELECT why FROM session", "0\n");
    }
    told(&s, 4 * HOUR, "close event=b");
    look_at(&s, 4 * HOUR + S);
    assert_false(c->is_open);
    close_scene(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_late_close_is_judged_at_its_own_time),
        cmocka_unit_test(test_power_that_comes_late_says_that_it_ran_on),
        cmocka_unit_test(test_a_session_that_runs_on_is_open_again),
        cmocka_unit_test(test_another_max_session_changes_nothing_of_what_was),
        cmocka_unit_test(test_a_session_of_before_limits_were_noted_has_one),
        cmocka_unit_test(test_what_is_settled_is_not_read_again),
        cmocka_unit_test(test_a_session_that_is_forgotten_again_and_again_is_one_complaint),
        cmocka_unit_test(test_sessions_and_hours_are_the_same_whenever_they_arrive),
        cmocka_unit_test(test_sessions_are_the_same_in_whatever_order_their_events_come),
    };
    return cmocka_run_group_tests(tests, random_set_up, NULL);
}
