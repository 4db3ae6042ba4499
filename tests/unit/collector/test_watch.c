/* From the journal to what instruments and resources told: the same rows in any grouping, and after kills. */
#include "collector/watch.h"
#include "tests/unit/collector/database_dump.h"
#include "tests/unit/collector/fake_journal.h"
#include "tests/unit/random.h"

#define BEGIN_MS INT64_C(1767225600000) /* 2026-01-01 */
#define S INT64_C(1000)
#define HOUR (3600 * S)

#define NAMED(id) "id = \"" id "\"; name = \"x\"; name_en = \"x\"; "
#define HEAD                                                                                              \
    "sites = ({ " NAMED("s") "zone = \"UTC\"; });\nbuildings = ({ " NAMED(                                \
        "b") "site = \"s\"; });\n"                                                                        \
             "gateways = ({ " NAMED("gw-a") "site = \"s\"; }, { " NAMED("gw-b") "site = \"s\"; });\n"     \
                                                                                "categories = ({ " NAMED( \
                                                                                    "c") "});\n"
#define RESOURCES                                                                         \
    "resources = ({ " NAMED(                                                              \
        "water") "building = \"b\"; kind = \"chilled_water\"; point = \"gw-a/water\";"    \
                 " up = (\"on\"); down = (\"off\", \"alarm\"); period = 60; }, { " NAMED( \
                     "gas") "building = \"b\"; kind = \"gas\"; contact = \"8000\"; });\n"
#define WHOSE                                                                                               \
    "building = \"b\"; category = \"c\"; owner = \"o\"; owner_en = \"o\"; owner_code = \"OWN\"; contact = " \
    "\"8\"; "
#define POWERED(id, enter)                                                                                 \
    "{ " NAMED(id) WHOSE "power = \"gw-a/" id "\"; session = \"gw-b/" id "\"; off_w = 10; standby_w = 20;" \
                         " exit_w = 30; enter_w = " enter                                                  \
                         "; enter_s = 10; exit_s = 60; off_means = \"available\"; max_session = 7200; }"
#define BARE(id) "{ " NAMED(id) WHOSE "session = \"gw-b/" id "\"; max_session = 7200; }"

static const char nothing[] = HEAD,
                  all[] = HEAD RESOURCES "instruments = (" POWERED("sem", "40") ", " BARE("afm") ");\n",
                  higher[] = HEAD RESOURCES "instruments = (" POWERED("sem", "400") ", " BARE("afm") ");\n";

/* Each look at the clock takes so long. */
static int64_t mono_ms = 1000, tick_ms, wall = BEGIN_MS;

static int64_t mono(void)
{
    return mono_ms += tick_ms;
}

static int64_t wall_ms(void)
{
    return wall;
}

static bool is_synchronised(void)
{
    return true;
}

static const struct clock ticking = {.wall_ms = wall_ms, .mono_ms = mono, .is_synchronised = is_synchronised};

struct scene {
    struct fake_journal journal;
    struct park *park;
    struct watch watch;
};

static void must(enum status status, const struct error *err)
{
    if (status != ST_OK)
        fail_msg("%s", err->text);
}

/* One that was just started. */
static void start(struct scene *s, const char *park)
{
    struct error err = {""};
    watch_release(&s->watch);
    park_destroy(s->park);
    s->park = fake_park_of(&s->journal, park);
    watch_init(&s->watch, s->journal.db, s->park);
    must(watch_reset(&s->watch, &err), &err);
}

static void open_scene(struct scene *s, const char *park)
{
    *s = (struct scene){0};
    tick_ms = 0;
    wall = BEGIN_MS;
    fake_journal_open(&s->journal);
    struct error err = {""};
    must(db_exec(s->journal.db, "PRAGMA synchronous = OFF", &err), &err);
    start(s, park);
}

static void close_scene(struct scene *s)
{
    watch_release(&s->watch);
    park_destroy(s->park);
    fake_journal_close(&s->journal);
}

/* One transaction; whether there was something to write. */
static bool step(struct scene *s, bool commits)
{
    struct error err = {""};
    bool is_changed = false;
    mono_ms += 1000;
    must(db_begin(s->journal.db, &err), &err);
    must(watch_step(&s->watch, &ticking, &is_changed, &err), &err);
    if (commits) {
        must(db_commit(s->journal.db, &err), &err);
    } else {
        db_rollback(s->journal.db);
        must(watch_reset(&s->watch, &err), &err);
    }
    return is_changed;
}

static void take_all(struct scene *s)
{
    while (step(s, true)) {
    }
}

static void add_line(struct scene *s, int gateway, const char *line, int64_t arrived_ms)
{
    struct error err = {""};
    int64_t id = fake_journal_add(&s->journal, gateway, line, NULL);
    struct db_stmt *arrive = db_keep(s->journal.db, "UPDATE journal SET received_ms = ?2 WHERE id = ?1");
    db_bind_int(arrive, 1, id);
    db_bind_int(arrive, 2, arrived_ms);
    must(db_run(arrive, &err), &err);
}

/* After BEGIN_MS; arrives at once. */
static void power(struct scene *s, int64_t after_ms, const char *watts)
{
    char *line = mem_printf("gauge,point=sem value=%s %" PRId64 "\n", watts, BEGIN_MS + after_ms);
    add_line(s, 1, line, BEGIN_MS + after_ms);
    free(line);
}

static void state(
    struct scene *s, int gateway, const char *point, const char *text, int64_t after_ms, int64_t late_ms)
{
    char *line = mem_printf("state,point=%s value=\"%s\" %" PRId64 "\n", point, text, BEGIN_MS + after_ms);
    add_line(s, gateway, line, BEGIN_MS + after_ms + late_ms);
    free(line);
}

static void told(struct scene *s, int64_t after_ms, const char *text)
{
    state(s, 2, "sem", text, after_ms, 0);
}

/* The rows that a query gives, columns parted by '|'. */
static void expect(struct scene *s, const char *query, const char *rows)
{
    struct buf text = {0};
    database_add_rows(s->journal.db, &text, query);
    buf_add_char(&text, '\0');
    assert_string_equal(text.data, rows);
    buf_release(&text);
}

#define TIME(column) "ifnull((" column " - 1767225600000) / 1000.0, '-')"
static void expect_sessions(struct scene *s, const char *rows)
{
    expect(s,
        "SELECT " TIME("opened_ms") " || '|' || " TIME(
            "closed_ms") " || '|' || user || class || '|' || ifnull(organisation, '') || '|' || "
                         "ifnull(open_event, '') || '|' ||"
                         " ifnull(close_event, '') || '|' || evidence || closed_evidence || why FROM session "
                         "ORDER BY id",
        rows);
}

static void expect_activity(struct scene *s, const char *rows)
{
    expect(s,
        "SELECT " TIME("from_ms") " || '|' || " TIME(
            "until_ms") " || '|' || state FROM activity_span ORDER BY from_ms",
        rows);
}

static struct told_instrument find(struct scene *s, const char *name)
{
    struct told_instrument t;
    struct error err = {""};
    must(told_find(s->journal.db, name, &t, &err), &err);
    return t;
}

/* ---- power ---- */

static void test_power_becomes_spans_by_the_times_of_its_readings(void **unused)
{
    (void)unused;
    struct scene s;
    open_scene(&s, all);
    power(&s, 0, "15");
    power(&s, 20 * S, "50");
    power(&s, 30 * S, "50"); /* for 10 s: it runs since the 20th */
    power(&s, 25 * S, "1");  /* backward: nothing */
    power(&s, 90 * S, "5");
    power(&s, 150 * S, "5");  /* for 60 s: off since the 90th */
    power(&s, 1000 * S, "5"); /* nobody knows what was between */
    add_line(&s, 1, "gauge,point=sem value=50,quality=\"clock\" 1767999999999\n", BEGIN_MS);
    add_line(&s, 1, "gauge,point=sem value=1e300 1767999999999\n", BEGIN_MS);
    take_all(&s);
    expect_activity(&s, "0.0|20.0|2\n20.0|90.0|3\n90.0|150.0|1\n150.0|1000.0|0\n");
    struct told_instrument t = find(&s, "sem");
    int64_t since_ms;
    assert_int_equal(told_activity_now(&t, &since_ms), ACTIVITY_OFF);
    assert_int_equal(since_ms, BEGIN_MS + 1000 * S);
    assert_int_equal(t.power_ms, BEGIN_MS + 1000 * S);
    assert_int_equal(t.session_ms, TOLD_NONE);
    close_scene(&s);
}

static void test_power_that_is_not_taken_is_no_word(void **unused)
{
    (void)unused;
    struct scene s;
    open_scene(&s, all);
    power(&s, 0, "100");
    add_line(&s, 1, "gauge,point=sem value=100 1767229200000\n", BEGIN_MS + 30 * S); /* an hour ahead */
    power(&s, 60 * S, "1"); /* its clock is right again */
    power(&s, HOUR, "1");
    take_all(&s);
    struct told_instrument t = find(&s, "sem");
    int64_t since_ms;
    assert_int_equal(told_activity_now(&t, &since_ms), ACTIVITY_RUNNING);
    assert_int_equal(t.power_ms, BEGIN_MS + 30 * S);
    power(&s, HOUR + S, "1");
    take_all(&s);
    assert_int_equal(find(&s, "sem").power_ms, BEGIN_MS + HOUR + S);
    close_scene(&s);
}

static void test_power_far_below_zero_is_no_word_of_what_it_does(void **unused)
{
    (void)unused;
    struct scene s;
    open_scene(&s, all);
    power(&s, 0, "50");
    power(&s, 60 * S, "-10"); /* as far as what is off: noise */
    for (int64_t t = 70 * S; t <= 400 * S; t += 10 * S)
        power(&s, t, "-10.001");
    take_all(&s);
    struct told_instrument t = find(&s, "sem");
    int64_t since_ms;
    assert_int_equal(told_activity_now(&t, &since_ms), ACTIVITY_RUNNING); /* until it is stale */
    assert_int_equal(t.power_ms, BEGIN_MS + 60 * S);
    assert_true(s.watch.instruments[0].backward.is_said);
    power(&s, 410 * S, "50");
    take_all(&s);
    expect_activity(&s, "0.0|60.0|3\n60.0|410.0|0\n");
    close_scene(&s);
}

static void test_what_touches_a_period_is_given_whole(void **unused)
{
    (void)unused;
    struct scene s;
    struct activity_span *spans;
    size_t count;
    struct error err = {""};
    open_scene(&s, all);
    for (int i = 0; i <= 90; i++)
        power(&s, i * 10 * S, i < 30 ? "15" : i < 60 ? "50" : "15");
    take_all(&s);
    int64_t id = find(&s, "sem").id;
    must(told_activity(s.journal.db, id, BEGIN_MS + 310 * S, BEGIN_MS + 600 * S, &spans, &count, &err), &err);
    assert_int_equal(count, 1);
    assert_true(spans[0].from_ms == BEGIN_MS + 300 * S && spans[0].until_ms == BEGIN_MS + 600 * S);
    free(spans);
    must(told_activity(s.journal.db, id, BEGIN_MS + 299 * S, BEGIN_MS + 601 * S, &spans, &count, &err), &err);
    assert_int_equal(count, 3); /* the last is not over */
    assert_true(spans[2].from_ms == BEGIN_MS + 600 * S && spans[2].until_ms == BEGIN_MS + 900 * S);
    assert_int_equal(spans[2].state, ACTIVITY_STANDBY);
    free(spans);
    close_scene(&s);
}

/* ---- sessions ---- */

static void look_at(struct scene *s, int64_t after_ms)
{
    wall = BEGIN_MS + after_ms;
    take_all(s);
}

static void test_a_session_opened_and_closed_within_one_second_is_there(void **unused)
{
    (void)unused;
    struct scene s;
    open_scene(&s, all);
    told(&s, 100, "open event=k1 class=internal organisation=OWN purpose=research");
    told(&s, 400, "close event=k2");
    told(&s, 300 * S, "close event=k2"); /* the same again */
    told(&s, 301 * S, "open event=k3 class=external");
    told(&s, 302 * S, "open event=k3 class=external");
    take_all(&s);
    expect_sessions(&s, "0.1|0.4|11|OWN|k1|k2|221\n301.0|-|22||k3||200\n");
    assert_true(told_is_session_open(&s.watch.instruments[0].told));
    close_scene(&s);
}

static void test_the_legal_entity_decides_who_is_external(void **unused)
{
    (void)unused;
    struct scene s;
    open_scene(&s, all);
    told(&s, 1 * S, "open event=1 class=internal organisation=OTHER");
    told(&s, 2 * S, "open event=2 class=external organisation=OWN");
    told(&s, 3 * S, "open event=3 class=training organisation=OTHER");
    told(&s, 4 * S, "open event=4 class=training");
    told(&s, 5 * S, "open event=5 class=nonsense organisation=lower more=words");
    take_all(&s);
    expect(&s, "SELECT user || class FROM session ORDER BY id", "21\n12\n23\n03\n00\n");
    close_scene(&s);
}

static void test_two_opens_and_a_close_alone_lose_nothing(void **unused)
{
    (void)unused;
    struct scene s;
    open_scene(&s, all);
    told(&s, 1 * S, "close event=a");
    told(&s, 2 * S, "open event=b class=internal");
    told(&s, 3 * S, "open event=c class=internal");
    told(&s, 4 * S, "close event=d");
    told(&s, 5 * S, "close event=e");
    take_all(&s);
    expect_sessions(&s, "1.0|1.0|00|||a|024\n2.0|3.0|11||b||232\n3.0|4.0|11||c|d|221\n5.0|5.0|00|||e|024\n");
    struct told_session *sessions;
    size_t count;
    struct error err = {""};
    int64_t id = find(&s, "sem").id;
    must(told_sessions(s.journal.db, id, BEGIN_MS + 2500, BEGIN_MS + 9 * S, &sessions, &count, &err), &err);
    assert_int_equal(count, 2);
    assert_string_equal(sessions[0].open_event, "b");
    assert_string_equal(sessions[1].close_event, "d");
    free(sessions);
    must(told_sessions(s.journal.db, id, BEGIN_MS + 3 * S, BEGIN_MS + 4 * S, &sessions, &count, &err), &err);
    assert_int_equal(count, 1);
    free(sessions);
    close_scene(&s);
}

static void test_a_close_of_before_a_session_is_not_its_close(void **unused)
{
    (void)unused;
    struct scene s;
    open_scene(&s, all);
    told(&s, 1000 * S, "open event=b class=internal");
    told(&s, 500 * S, "close event=a"); /* of one before, late */
    told(&s, 999 * S, "closed");        /* polled */
    told(&s, 501 * S, "close event=a");
    take_all(&s);
    expect_sessions(&s, "1000.0|-|11||b||200\n500.0|500.0|00|||a|024\n");
    assert_true(told_is_session_open(&s.watch.instruments[0].told));
    start(&s, all);
    told(&s, 1000 * S, "close event=c");
    take_all(&s);
    expect_sessions(&s, "1000.0|1000.0|11||b|c|221\n500.0|500.0|00|||a|024\n");
    told(&s, 2000 * S, "open event=d class=internal");
    look_at(&s, 2000 * S + 3 * HOUR); /* forgotten */
    told(&s, 1500 * S, "close event=e");
    take_all(&s);
    assert_true(told_is_session_open(&s.watch.instruments[0].told));
    close_scene(&s);
}

static void by_hand(struct scene *s, int64_t after_ms, const char *id, bool is_open)
{
    struct session_event e = {.is_open = is_open};
    enum told_news news;
    struct error err = {""};
    snprintf(e.id, sizeof e.id, "%s", id);
    must(db_begin(s->journal.db, &err), &err);
    must(told_event(s->journal.db, &s->watch.instruments[0].told, &e, BEGIN_MS + after_ms, HOURS_USER_UNKNOWN,
             EVIDENCE_MANUAL, &news, &err),
        &err);
    must(db_commit(s->journal.db, &err), &err);
}

static void test_a_reader_that_numbers_anew_is_heard(void **unused)
{
    (void)unused;
    struct scene s;
    open_scene(&s, all);
    told(&s, 10 * S, "open event=1");
    told(&s, 20 * S, "close event=2");
    told(&s, 320 * S, "close event=2"); /* the state goes again */
    told(&s, 15 * S, "open event=1");   /* the same, once more: an old one */
    take_all(&s);
    expect_sessions(&s, "10.0|20.0|00||1|2|221\n");
    start(&s, all);
    told(&s, 600 * S, "open event=1"); /* it began anew */
    told(&s, 900 * S, "open event=1");
    take_all(&s);
    expect_sessions(&s, "10.0|20.0|00||1|2|221\n600.0|-|00||1||200\n");
    by_hand(&s, 1000 * S, "p", false);
    told(&s, 1200 * S, "open event=1"); /* repeats what it told, whatever people said */
    told(&s, 1300 * S, "open event=1");
    take_all(&s);
    expect_sessions(&s, "10.0|20.0|00||1|2|221\n600.0|1000.0|00||1|p|241\n");
    told(&s, 1400 * S, "close event=2"); /* nobody knows better: nothing is open */
    told(&s, 1500 * S, "open event=3");
    told(&s, 1600 * S, "close event=3"); /* one id for both */
    take_all(&s);
    expect_sessions(&s, "10.0|20.0|00||1|2|221\n600.0|1000.0|00||1|p|241\n1500.0|1600.0|00||3|3|221\n");
    by_hand(&s, 1700 * S, "p", true); /* what people say is known by its id alone */
    told(&s, 1600 * S + TOLD_KNOWN_MS, "open event=3");
    told(&s, 1601 * S + TOLD_KNOWN_MS, "close event=1");
    told(&s, 1602 * S + TOLD_KNOWN_MS, "close event=3"); /* known for 35 days: nothing is open */
    take_all(&s);
    expect(&s, "SELECT open_event || ifnull(close_event, '') FROM session WHERE id > 3", "31\n");
    told(&s, 1603 * S + TOLD_KNOWN_MS, "close event=2"); /* not any more */
    take_all(&s);
    expect(&s, "SELECT ifnull(open_event, '') || close_event FROM session WHERE id > 3", "31\n2\n");
    close_scene(&s);
}

static void test_a_polled_terminal_opens_and_closes_once_by_its_state(void **unused)
{
    (void)unused;
    struct scene s;
    open_scene(&s, all);
    static const char *const states[] = {"closed", "open", "open", "closed", "close", "open"};
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++)
        told(&s, (int64_t)(i + 1) * S, states[i]);
    take_all(&s);
    expect(&s, "SELECT " TIME("opened_ms") " || '|' || " TIME("closed_ms") " FROM session ORDER BY id",
        "2.0|4.0\n6.0|-\n");
    assert_int_equal(find(&s, "sem").session_ms, BEGIN_MS + 6 * S);
    close_scene(&s);
}

static void test_what_is_no_event_changes_nothing_and_its_source_ages(void **unused)
{
    (void)unused;
    struct scene s;
    open_scene(&s, all);
    static const char *const bad[] = {
        "", "opened event=x", "open class=internal", "close event=", "open event=ä", "open  ", "17"};
    told(&s, 1 * S, "open event=a class=internal");
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        told(&s, (int64_t)(i + 2) * S, bad[i]);
    take_all(&s);
    expect_sessions(&s, "1.0|-|11||a||200\n");
    assert_int_equal(find(&s, "sem").session_ms, BEGIN_MS + 1 * S);
    assert_true(s.watch.instruments[0].garbled.is_said);
    close_scene(&s);
}

static void test_a_forgotten_session_is_ended_by_inference_and_nobody_says_that_it_is_free(void **unused)
{
    (void)unused;
    struct scene s;
    open_scene(&s, all);
    told(&s, 0, "open event=a class=internal");
    look_at(&s, 2 * HOUR);
    expect_sessions(&s, "0.0|-|11||a||200\n");
    look_at(&s, 2 * HOUR + 1);
    expect_sessions(&s, "0.0|7200.0|11||a||233\n");
    assert_true(told_is_session_open(&s.watch.instruments[0].told));
    told(&s, 3 * HOUR, "close event=b"); /* too late: the end that was inferred stays */
    take_all(&s);
    expect_sessions(&s, "0.0|7200.0|11||a|b|233\n");
    assert_false(told_is_session_open(&s.watch.instruments[0].told));
    told(&s, 4 * HOUR, "open event=c class=internal");
    look_at(&s, 8 * HOUR);
    told(&s, 5 * HOUR, "close event=d"); /* was on its way for long */
    take_all(&s);
    expect_sessions(&s, "0.0|7200.0|11||a|b|233\n14400.0|18000.0|11||c|d|221\n");
    told(&s, 9 * HOUR, "open event=e class=internal");
    look_at(&s, 20 * HOUR);
    told(&s, 10 * HOUR, "open event=f class=internal"); /* the same, of what came after */
    look_at(&s, 21 * HOUR);
    told(&s, 13 * HOUR, "open event=g class=internal");
    take_all(&s);
    expect(&s,
        "SELECT " TIME("opened_ms") " || '|' || " TIME(
            "closed_ms") " || '|' || why FROM session WHERE id > 2",
        "32400.0|36000.0|2\n36000.0|43200.0|3\n46800.0|54000.0|3\n");
    close_scene(&s);
}

static void test_a_session_is_forgotten_though_each_step_brings_something(void **unused)
{
    (void)unused;
    struct scene s;
    open_scene(&s, all);
    told(&s, 0, "open event=a class=internal");
    wall = BEGIN_MS + 2 * HOUR + 1;
    for (int i = 0; i < 3; i++) {
        power(&s, 2 * HOUR + i, "15");
        assert_true(step(&s, true));
    }
    expect_sessions(&s, "0.0|7200.0|11||a||233\n");
    close_scene(&s);
}

static void test_a_session_is_not_forgotten_while_it_runs(void **unused)
{
    (void)unused;
    struct scene s;
    open_scene(&s, all);
    told(&s, 0, "open event=a class=internal");
    for (int64_t t = 0; t <= 3 * HOUR; t += 60 * S)
        power(&s, t, "100");
    look_at(&s, 3 * HOUR);
    expect_sessions(&s, "0.0|-|11||a||200\n");
    power(&s, 3 * HOUR + 60 * S, "15");
    power(&s, 3 * HOUR + 120 * S, "15");
    look_at(&s, 3 * HOUR + 120 * S);
    expect_sessions(&s, "0.0|10860.0|11||a||233\n"); /* where its last run ended */
    told(&s, 4 * HOUR, "open event=b class=internal");
    for (int64_t t = 4 * HOUR; t <= 7 * HOUR; t += 60 * S)
        power(&s, t, "100");
    look_at(&s, 9 * HOUR); /* it ran, as long as it was heard */
    expect(&s, "SELECT " TIME("closed_ms") " || '|' || why FROM session WHERE id = 2", "25200.0|3\n");
    close_scene(&s);
}

/* As a gateway that was cut tells it all at once: what ran the next day is of somebody else. */
static void test_what_runs_later_is_not_of_a_forgotten_session(void **unused)
{
    (void)unused;
    struct scene s;
    open_scene(&s, all);
    told(&s, 0, "open event=a class=internal");
    for (int64_t t = 0; t <= 24 * HOUR; t += 60 * S)
        power(&s, t, t < HOUR || (t >= 20 * HOUR && t < 21 * HOUR) ? "100" : "15");
    look_at(&s, 24 * HOUR);
    expect(&s, "SELECT " TIME("closed_ms") " || '|' || why FROM session", "7200.0|3\n"); /* max_session */
    close_scene(&s);
}

static void test_time_in_which_the_reader_was_not_heard_is_unseen(void **unused)
{
    (void)unused;
    struct scene s;
    struct hours_span *unseen;
    size_t count;
    struct error err = {""};
    open_scene(&s, all);
    take_all(&s);
    int64_t id = find(&s, "sem").id;
    must(told_unseen(s.journal.db, id, BEGIN_MS, BEGIN_MS + HOUR, &unseen, &count, &err), &err);
    assert_int_equal(count, 1);
    assert_true(unseen[0].from_ms == BEGIN_MS && unseen[0].until_ms == BEGIN_MS + HOUR);
    free(unseen);
    told(&s, 100 * S, "close event=a");
    told(&s, 1000 * S, "close event=a"); /* 900 s: as long as three periods */
    told(&s, 1901 * S, "close event=a");
    state(&s, 2, "sem", "close event=a", 4000 * S,
        -1000 * S); /* its clock is ahead: it was heard when it came */
    take_all(&s);
    expect(&s,
        "SELECT ((from_ms - 1767225600000) / 1000) || '|' || ((until_ms - 1767225600000) / 1000) FROM "
        "session_unseen",
        "-1767225600|100\n1000|1901\n1901|3000\n");
    must(
        told_unseen(s.journal.db, id, BEGIN_MS + 2500 * S, BEGIN_MS + 3901 * S, &unseen, &count, &err), &err);
    assert_int_equal(count, 2);
    assert_true(unseen[1].from_ms == BEGIN_MS + 3000 * S && unseen[1].until_ms == BEGIN_MS + 3901 * S);
    free(unseen);
    must(
        told_unseen(s.journal.db, id, BEGIN_MS + 3100 * S, BEGIN_MS + 3900 * S, &unseen, &count, &err), &err);
    assert_int_equal(count, 0);
    free(unseen);
    close_scene(&s);
}

/* ---- resources ---- */

static void water(struct scene *s, int64_t after_ms, const char *text, int64_t late_ms)
{
    state(s, 1, "water", text, after_ms, late_ms);
    take_all(s);
}

static void test_what_is_down_stays_so_until_a_fresh_state_says_otherwise(void **unused)
{
    (void)unused;
    static const char down[] =
        "SELECT " TIME("from_ms") " || '|' || " TIME("until_ms") " || '|' || evidence FROM resource_down";
    struct scene s;
    open_scene(&s, all);
    water(&s, 0, "on", 0);
    expect(&s, down, "");
    water(&s, 60 * S, "alarm", 3600 * S); /* also one that is late counts */
    water(&s, 61 * S, "off", 0);
    water(&s, 62 * S, "nonsense", 0);
    water(&s, 70 * S, "on", 181 * S); /* nobody knows whether it is still so */
    expect(&s, down, "60.0|-|1\n");
    assert_true(s.watch.resources[0].told.is_down);
    start(&s, all);
    take_all(&s);
    assert_true(s.watch.resources[0].told.is_down);
    water(&s, 80 * S, "on", 180 * S);
    expect(&s, down, "60.0|80.0|1\n");
    water(&s, 75 * S, "off", 190 * S); /* of before it came up, and not fresh */
    expect(&s, down, "60.0|80.0|1\n");
    assert_false(s.watch.resources[0].told.is_down);
    assert_int_equal(s.watch.resources[0].told.heard_ms, BEGIN_MS + 80 * S);
    struct hours_span *spans;
    size_t count;
    struct error err = {""};
    must(told_down(s.journal.db, s.watch.resources[0].told.id, BEGIN_MS + 79 * S, BEGIN_MS + 90 * S, &spans,
             &count, &err),
        &err);
    assert_int_equal(count, 1);
    assert_true(spans[0].from_ms == BEGIN_MS + 60 * S && spans[0].until_ms == BEGIN_MS + 80 * S);
    free(spans);
    close_scene(&s);
}

static void test_a_clock_that_was_ahead_masks_nothing_that_is_down(void **unused)
{
    (void)unused;
    struct scene s;
    struct error err = {""};
    open_scene(&s, all);
    water(&s, 0, "off", 0);
    struct told_resource *r = &s.watch.resources[0].told;
    water(&s, HOUR, "on", -3500 * S); /* came at the 100th second */
    assert_false(r->is_down);
    assert_int_equal(r->since_ms, BEGIN_MS + 100 * S);
    water(&s, 90 * S, "off", 20 * S); /* its clock is right again; what is fresh counts */
    assert_true(r->is_down);
    assert_int_equal(r->heard_ms, BEGIN_MS + 100 * S);
    water(&s, 160 * S, "on", 0);
    water(&s, 220 * S, "off", 0);
    expect(&s,
        "SELECT " TIME("from_ms") " || '|' || " TIME("until_ms") " FROM resource_down ORDER BY from_ms",
        "0.0|100.0\n100.0|160.0\n220.0|-\n");
    /* A person says that it is up: what is older, and not fresh, is not heard either. */
    must(told_resource_say(s.journal.db, r, true, true, BEGIN_MS + 500 * S, EVIDENCE_MANUAL, &err), &err);
    water(&s, 490 * S, "off", 181 * S);
    assert_false(r->is_down);
    assert_int_equal(r->heard_ms, BEGIN_MS + 220 * S);
    close_scene(&s);
}

/* ---- models ---- */

static void test_new_thresholds_count_from_when_they_are_accepted(void **unused)
{
    (void)unused;
    struct scene s;
    struct error err = {""};
    bool is_changed = false;
    open_scene(&s, all);
    for (int64_t t = 0; t < 600 * S; t += 10 * S)
        power(&s, t, "15");
    take_all(&s);
    for (int64_t t = 600 * S; t <= 700 * S; t += 10 * S)
        power(&s, t, "100"); /* runs, by the thresholds of now: not taken yet */
    must(db_begin(s.journal.db, &err), &err);
    must(watch_finish(&s.watch, &ticking, &is_changed, &err), &err);
    must(db_commit(s.journal.db, &err), &err);
    struct park *old = s.park;
    s.park = fake_park_of(&s.journal, higher);
    watch_use(&s.watch, s.park);
    park_destroy(old);
    for (int64_t t = 710 * S; t <= 800 * S; t += 10 * S)
        power(&s, t, "15");
    for (int64_t t = 810 * S; t <= 900 * S; t += 10 * S)
        power(&s, t, "100"); /* does not run by the new ones */
    take_all(&s);
    expect_activity(&s, "0.0|600.0|2\n600.0|710.0|3\n");
    close_scene(&s);
}

static void test_a_park_without_instruments_keeps_nothing_of_the_journal(void **unused)
{
    (void)unused;
    struct scene s;
    open_scene(&s, nothing);
    power(&s, 0, "15");
    power(&s, 10 * S, "15");
    take_all(&s);
    assert_int_equal(s.watch.follower.position, INT64_MAX);
    start(&s, all); /* the first that names one gets what there is */
    assert_true(s.watch.follower.position < 2);
    take_all(&s);
    assert_int_equal(find(&s, "sem").power_ms, BEGIN_MS + 10 * S);
    assert_int_equal(find(&s, "absent").id, 0);
    close_scene(&s);
}

/* ---- grouping ---- */

static char *dump(struct scene *s)
{
    static const char *const queries[] = {"SELECT name || quote(activity) || ifnull(power_ms, '') || '|' || "
                                          "ifnull(session_ms, '') FROM instrument ORDER BY 1",
        "SELECT instrument || '|' || from_ms || '|' || until_ms || '|' || state FROM activity_span ORDER BY "
        "1",
        "SELECT id || '|' || instrument || '|' || opened_ms || '|' || ifnull(closed_ms, '') || '|' || user "
        "|| class ||"
        " ifnull(open_event, '') || ',' || ifnull(close_event, '') || evidence || closed_evidence || why "
        "FROM session"
        " ORDER BY id",
        "SELECT instrument || '|' || from_ms || '|' || until_ms FROM session_unseen ORDER BY 1",
        "SELECT name || is_down || ifnull(since_ms, '') || '|' || ifnull(heard_ms, '') FROM resource ORDER "
        "BY 1",
        "SELECT resource || '|' || from_ms || '|' || ifnull(until_ms, '') FROM resource_down ORDER BY 1"};
    struct buf text = {0};
    for (size_t i = 0; i < sizeof queries / sizeof queries[0]; i++)
        database_add_rows(s->journal.db, &text, queries[i]);
    return buf_take(&text);
}

struct drawn {
    int gateway;
    char line[160];
    int64_t arrived_ms;
};

static struct drawn draw(int i, int64_t *clock_ms)
{
    static const int64_t steps[] = {S, 10 * S, 30 * S, 61 * S, 1000 * S};
    static const char *const powers[] = {"5", "15", "35", "100"};
    static const char *const words[] = {"on", "off", "alarm", "else"};
    int64_t time_ms = *clock_ms += steps[random_below(5)];
    struct drawn d = {.arrived_ms = time_ms + (random_below(10) == 0 ? 4000 * S : 0)};
    if (random_below(8) == 0) /* goes back */
        time_ms -= 100 * S;
    size_t kind = random_below(6);
    d.gateway = kind == 4 || kind == 5 ? 2 : 1;
    if (kind < 3)
        snprintf(d.line, sizeof d.line, "gauge,point=sem value=%s %" PRId64 "\n", powers[random_below(4)],
            time_ms);
    else if (kind == 3)
        snprintf(d.line, sizeof d.line, "state,point=water value=\"%s\" %" PRId64 "\n",
            words[random_below(4)], time_ms);
    else
        snprintf(d.line, sizeof d.line, "state,point=%s value=\"%s event=%zu%s\" %" PRId64 "\n",
            kind == 4 ? "sem" : "afm", random_below(2) ? "open" : "close",
            random_below(3) == 0 ? random_below(50) : (size_t)(1000 + i), " class=internal", time_ms);
    return d;
}

static void test_rows_are_the_same_in_any_grouping_and_after_kills(void **unused)
{
    (void)unused;
    enum { COUNT = 600 };
    static struct drawn readings[COUNT];
    int64_t clock_ms = BEGIN_MS;
    for (int i = 0; i < COUNT; i++)
        readings[i] = draw(i, &clock_ms);
    struct scene a, b;
    open_scene(&a, all);
    for (size_t i = 0; i < COUNT; i++)
        add_line(&a, readings[i].gateway, readings[i].line, readings[i].arrived_ms);
    take_all(&a);
    open_scene(&b, all);
    tick_ms = 4; /* a few batches a step */
    for (size_t done = 0, more; done < COUNT; done += more) {
        more = random_below(60) + 1;
        more = more < COUNT - done ? more : COUNT - done;
        for (size_t i = done; i < done + more; i++)
            add_line(&b, readings[i].gateway, readings[i].line, readings[i].arrived_ms);
        for (size_t i = random_below(12); i > 0; i--)
            step(&b, random_below(3) > 0);
        if (random_below(4) == 0)
            start(&b, all);
    }
    take_all(&b);
    char *once = dump(&a), *pieces = dump(&b);
    assert_string_equal(once, pieces);
    assert_true(strlen(once) > 5000);
    free(once);
    free(pieces);
    close_scene(&a);
    close_scene(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_power_becomes_spans_by_the_times_of_its_readings),
        cmocka_unit_test(test_power_that_is_not_taken_is_no_word),
        cmocka_unit_test(test_power_far_below_zero_is_no_word_of_what_it_does),
        cmocka_unit_test(test_what_touches_a_period_is_given_whole),
        cmocka_unit_test(test_a_session_opened_and_closed_within_one_second_is_there),
        cmocka_unit_test(test_the_legal_entity_decides_who_is_external),
        cmocka_unit_test(test_two_opens_and_a_close_alone_lose_nothing),
        cmocka_unit_test(test_a_close_of_before_a_session_is_not_its_close),
        cmocka_unit_test(test_a_reader_that_numbers_anew_is_heard),
        cmocka_unit_test(test_a_polled_terminal_opens_and_closes_once_by_its_state),
        cmocka_unit_test(test_what_is_no_event_changes_nothing_and_its_source_ages),
        cmocka_unit_test(test_a_forgotten_session_is_ended_by_inference_and_nobody_says_that_it_is_free),
        cmocka_unit_test(test_a_session_is_forgotten_though_each_step_brings_something),
        cmocka_unit_test(test_a_session_is_not_forgotten_while_it_runs),
        cmocka_unit_test(test_what_runs_later_is_not_of_a_forgotten_session),
        cmocka_unit_test(test_time_in_which_the_reader_was_not_heard_is_unseen),
        cmocka_unit_test(test_what_is_down_stays_so_until_a_fresh_state_says_otherwise),
        cmocka_unit_test(test_a_clock_that_was_ahead_masks_nothing_that_is_down),
        cmocka_unit_test(test_new_thresholds_count_from_when_they_are_accepted),
        cmocka_unit_test(test_a_park_without_instruments_keeps_nothing_of_the_journal),
        cmocka_unit_test(test_rows_are_the_same_in_any_grouping_and_after_kills),
    };
    return cmocka_run_group_tests(tests, random_set_up, NULL);
}
