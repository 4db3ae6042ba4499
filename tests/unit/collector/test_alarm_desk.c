/* The alarms of the core in its transactions: what fires and clears over failed commits and restarts is what the fold says without
 * them; which message a receiver is due. */
#include "collector/alarm/told.h"
#include "collector/alarming.h"
#include "lib/file.h"
#include "tests/unit/collector/alarm_scene.h"

#include <fcntl.h>
#include <semaphore.h>

static const char park_text[] =
    "sites = ({ id = \"s\"; name = \"x\"; name_en = \"x\"; zone = \"Asia/Shanghai\"; });"
    "gateways = ({ id = \"gw-a\"; name = \"x\"; name_en = \"x\"; site = \"s\"; });";
#define RULES                                                                                          \
    "repeat = 60; repeat_max = 200; rules = ("                                                         \
    "{ id = \"hot\"; kind = \"threshold\"; severity = \"warning\"; on = (\"point:gw-a/t\"); above = "  \
    "\"100\"; clear = \"80\";"                                                                         \
    "  for = 10; clear_for = 5; });"                                                                   \
    "receivers = ({ id = \"one\"; kind = \"webhook\"; url = \"http://127.0.0.1:9/\"; },"               \
    "{ id = \"worst\"; kind = \"webhook\"; url = \"http://127.0.0.1:9/\"; severity = \"critical\"; }," \
    "{ id = \"mail\"; kind = \"mail\"; to = (\"a@b\"); });"

static void read_gauge(struct scene *s, double value)
{
    char line[80];
    snprintf(line, sizeof line, "gauge,point=t value=%g %lld\n", value, (long long)turn_now_ms);
    give(s, line);
}

static void hold(struct scene *s, double value, int seconds)
{
    for (int i = 0; i < seconds; i++) {
        pass(1000);
        read_gauge(s, value);
        turn_once(&s->turn.turn);
    }
}

static void test_it_fires_when_it_has_lasted_and_clears_when_it_is_over(void **state)
{
    struct scene *s = *state;
    hold(s, 101, 10);
    assert_int_equal(number_of(s, ALL), 0);
    hold(s, 101, 1);
    assert_int_equal(number_of(s, STANDING), 1);
    assert_int_equal(number_of(s, "SELECT value_m FROM alarm"), 101000);
    assert_int_equal(number_of(s, "SELECT fired_ms - since_ms FROM alarm"), 10000);
    hold(s, 90, 30);
    hold(s, 80, 5);
    assert_int_equal(number_of(s, STANDING), 1);
    hold(s, 80, 1);
    assert_int_equal(number_of(s, STANDING), 0);
    assert_int_equal(number_of(s, ALL), 1);
}

static void test_what_is_stale_neither_fires_nor_clears(void **state)
{
    struct scene *s = *state;
    hold(s, 101, 5);
    for (int i = 0; i < 600; i++) { /* nothing is read any more */
        pass(1000);
        turn_once(&s->turn.turn);
    }
    /* It was fresh for two minutes, and fired by then. */
    assert_int_equal(number_of(s, STANDING), 1);
    hold(s, 80, 2);
    for (int i = 0; i < 119; i++) {
        pass(1000);
        turn_once(&s->turn.turn);
    }
    assert_int_equal(number_of(s, STANDING), 0);
    pass(10000000);
    turn_is_clock_right = false;
    hold(s, 101, 60);
    turn_is_clock_right = true;
    assert_int_equal(number_of(s, ALL), 1);
}

static void test_a_run_goes_on_over_a_short_restart_and_not_over_a_long_one(void **state)
{
    struct scene *s = *state;
    hold(s, 101, 6);
    pass(1000);
    restart(s);
    hold(s, 101, 4);
    assert_int_equal(number_of(s, STANDING), 1);
    hold(s, 70, 3);
    pass(ALARM_BREAK_MS + 31000);
    restart(s);
    hold(s, 70, 5);
    assert_int_equal(number_of(s, STANDING), 1);
    hold(s, 70, 1);
    assert_int_equal(number_of(s, STANDING), 0);
    assert_int_equal(number_of(s, ALL), 1);
}

static void test_over_failed_commits_and_restarts_it_is_what_the_fold_says(void **state)
{
    struct scene *s = *state;
    for (int round = 0; round < 5; round++) {
        reopen_scene(s);
        struct alarm_state expected = alarm_state_none;
        int64_t fired = 0, cleared = 0;
        double value = 50;
        for (int i = 0; i < 150; i++) {
            pass(1000);
            if (random_below(6) == 0)
                value = (double)(60 + 10 * random_below(7));
            if (random_below(10) == 0)
                restart(s);
            read_gauge(s, value);
            if (random_below(5) == 0)
                fail_turn(s); /* by the reading before: it takes no message */
            turn_once(&s->turn.turn);
            struct alarm_word word = {value > 100   ? ALARM_BAD
                                      : value <= 80 ? ALARM_GOOD
                                                    : ALARM_BETWEEN,
                ALARM_NEVER, false, 0};
            enum alarm_change change = alarm_fold(&expected, &word, 10000, 5000, turn_now_ms);
            fired += change == ALARM_FIRES;
            cleared += change == ALARM_CLEARS;
            assert_int_equal(number_of(s, ALL), fired);
            assert_int_equal(
                number_of(s, "SELECT count(*) FROM alarm WHERE cleared_ms IS NOT NULL"), cleared);
        }
    }
}

/* What is written to stderr until the end. */
static int begin_log(const char *path)
{
    int before = dup(STDERR_FILENO), fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(before >= 0 && fd >= 0 && dup2(fd, STDERR_FILENO) >= 0);
    close(fd);
    return before;
}

static int end_log(int before, const char *path, const char *words)
{
    char *text = NULL;
    struct error err = {""};
    size_t length;
    int count = 0;
    assert_true(dup2(before, STDERR_FILENO) >= 0);
    close(before);
    must(file_read(path, 1 << 20, &text, &length, &err), &err);
    for (const char *at = text; (at = strstr(at, words)) != NULL; at++)
        count++;
    free(text);
    return count;
}

static void test_the_log_says_once_what_was_committed(void **state)
{
    struct scene *s = *state;
    char *path = settings_write("log", "");
    int before = begin_log(path);
    hold(s, 101, 10);
    pass(1000);
    fail_turn(s); /* it would have fired */
    fail_turn(s);
    turn_once(&s->turn.turn);
    assert_int_equal(end_log(before, path, "fired: alarm 1, rule hot, "), 1);
    before = begin_log(path);
    hold(s, 80, 5);
    pass(1000);
    fail_turn(s);
    turn_once(&s->turn.turn);
    assert_int_equal(end_log(before, path, "cleared: alarm 1, rule hot, "), 1);
    assert_int_equal(number_of(s, ALL), 1);
    free(path);
}

/* ---- who is told ---- */

static int64_t next_number(struct scene *s, const char *receiver, int64_t now_ms, bool *ret_is_over)
{
    struct error err = {""};
    struct alarm a;
    struct alarm_letter letter;
    must(alarm_told_next(
             s->turn.turn.db, &s->turn.turn.alarms.post.results, receiver, now_ms, &a, &letter, &err),
        &err);
    *ret_is_over = a.id != 0 && a.cleared_ms != 0;
    int64_t found = a.id != 0 ? letter.number : 0;
    alarm_release(&a);
    return found;
}

static void test_a_receiver_is_due_what_its_severity_asks_for_until_it_is_acknowledged_or_over(void **state)
{
    struct scene *s = *state;
    struct error err = {""};
    bool is_over;
    hold(s, 101, 11);
    assert_int_equal(next_number(s, "one", turn_now_ms, &is_over), 1);
    assert_int_equal(next_number(s, "worst", turn_now_ms, &is_over), 0);
    took(s, 1, "one", 1, turn_now_ms + 60000);
    assert_int_equal(next_number(s, "one", turn_now_ms + 59999, &is_over), 0);
    assert_int_equal(next_number(s, "one", turn_now_ms + 60000, &is_over), 2);
    /* What was taken before comes late: nothing changes. */
    took(s, 1, "one", 1, ALARM_NEVER);
    assert_int_equal(next_number(s, "one", turn_now_ms + 60000, &is_over), 2);
    struct alarm acked;
    struct alarming act = {1, 7, ALARM_NEVER, "anna", "seen"};
    must(alarming_run(s->turn.turn.db, turn_now_ms, &act, &acked, &err), &err);
    assert_string_equal(acked.acked_by, "anna");
    alarm_release(&acked);
    assert_int_equal(next_number(s, "one", INT64_MAX, &is_over), 0);
    assert_int_equal(alarming_run(s->turn.turn.db, turn_now_ms, &act, &acked, &err), ST_INVALID);
    assert_int_equal(number_of(s, "SELECT count(*) FROM change_log"), 1);
    hold(s, 70, 6);
    assert_int_equal(next_number(s, "one", turn_now_ms, &is_over), 2);
    assert_true(is_over);
}

/* INT64_MIN: nobody knows. */
static int64_t value_now(struct scene *s)
{
    const struct alarm_post *post = &s->turn.turn.alarms.post;
    int64_t value_m;
    return post->value_now(post->user_data, 1, &value_m) ? value_m : INT64_MIN;
}

static void test_of_what_stands_the_value_of_now_is_told_while_it_is_known(void **state)
{
    struct scene *s = *state;
    hold(s, 101, 11);
    assert_int_equal(value_now(s), 101000);
    hold(s, 120.5, 1);
    assert_int_equal(value_now(s), 120500);
    hold(s, 70, 1); /* on its way to be over */
    assert_int_equal(value_now(s), 70000);
    hold(s, 90, 1);
    restart(s);
    assert_int_equal(value_now(s), INT64_MIN);
    turn_once(&s->turn.turn);
    assert_int_equal(value_now(s), 90000);
    pass(600000); /* it is stale */
    turn_once(&s->turn.turn);
    assert_int_equal(value_now(s), INT64_MIN);
    hold(s, 101, 1);
    s->turn.turn.limit_bytes = db_used_bytes(s->turn.turn.db) - 4096; /* nothing is taken any more */
    hold(s, 101, 1);
    assert_int_equal(value_now(s), INT64_MIN);
}

static void test_one_who_was_not_told_yet_is_told_though_somebody_took_note(void **state)
{
    struct scene *s = *state;
    struct error err = {""};
    struct alarm acked;
    bool is_over;
    hold(s, 101, 11);
    must(alarming_run(
             s->turn.turn.db, turn_now_ms, &(struct alarming){1, 7, ALARM_NEVER, "anna", ""}, &acked, &err),
        &err);
    alarm_release(&acked);
    assert_int_equal(next_number(s, "one", turn_now_ms, &is_over), 1);
}

static void test_what_came_and_went_untold_is_told_to_programs_in_order_and_to_people_not(void **state)
{
    struct scene *s = *state;
    bool is_over;
    hold(s, 101, 11);
    assert_int_equal(next_number(s, "mail", turn_now_ms, &is_over), 1);
    hold(s, 70, 6);
    assert_int_equal(next_number(s, "mail", INT64_MAX, &is_over), 0);
    assert_int_equal(next_number(s, "one", turn_now_ms, &is_over), 1);
    /* The message that was on its way when it was over: the end follows. */
    took(s, 1, "mail", 1, turn_now_ms);
    assert_int_equal(next_number(s, "mail", turn_now_ms, &is_over), 2);
}

/* Of the first message to people: T it goes out, M it was not sent, D nobody knows whether it arrived, K a kill, C it is over. */
static void test_people_who_may_have_been_told_are_told_that_it_is_over(void **state)
{
    struct scene *s = *state;
    static const struct {
        const char *steps;
        int64_t due; /* the message that they are due then */
    } rows[] = {{"T", 1}, {"TD", 1}, {"TM", 1}, {"TC", 2}, {"C", 0}, {"TMC", 0}, {"TCM", 0}, {"TDC", 2},
        {"TCD", 2}, {"TDTMC", 2}, {"TDTCM", 2}, {"TMTMC", 0}, {"TMTDC", 2}, {"TKC", 2}, {"TKTMC", 2},
        {"TKTCM", 2}, {"TMKTMC", 0}, {"CD", 2}, {"TCMK", 0}, {"TDCKC", 2}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        reopen_scene(s);
        hold(s, 101, 11);
        struct error err = {""};
        struct db *db = s->turn.turn.db;
        bool is_over;
        for (const char *step = rows[i].steps; *step != '\0'; step++) {
            if (*step == 'T')
                must(alarm_told_try(db, 1, "mail", &err), &err);
            else if (*step == 'M')
                must(alarm_told_missed(db, 1, "mail", &err), &err);
            else if (*step == 'D')
                must(alarm_told_doubt(db, 1, "mail", turn_now_ms, &err), &err);
            else if (*step == 'C')
                hold(s, 70, 6);
            else
                restart(s), db = s->turn.turn.db;
        }
        int64_t due = next_number(s, "mail", turn_now_ms, &is_over);
        if (due != rows[i].due)
            fail_msg("%s: %lld; expected %lld", rows[i].steps, (long long)due, (long long)rows[i].due);
        assert_int_equal(is_over, due == 2);
        /* Programs are told both, whatever it is. */
        assert_int_equal(next_number(s, "one", turn_now_ms, &is_over), 1);
    }
}

static void take(struct scene *s, const char *receiver, int64_t number)
{
    char *copy = mem_strdup(receiver);
    alarm_results_add(&s->turn.turn.alarms.post.results, &(struct alarm_result){.receiver = copy,
                                                             .letter = {1, number, number, 0},
                                                             .at_ms = turn_now_ms,
                                                             .outcome = ALARM_TAKEN,
                                                             .due_ms = turn_now_ms + 100000});
    free(copy);
}

/* The commit fails: that it was taken cannot be written. */
static void test_what_cannot_be_noted_is_not_sent_again_and_noted_when_it_can(void **state)
{
    struct scene *s = *state;
    bool is_over;
    hold(s, 101, 11);
    take(s, "one", 1);
    assert_int_equal(next_number(s, "one", turn_now_ms, &is_over), 0);
    assert_int_equal(next_number(s, "mail", turn_now_ms, &is_over), 1); /* another's */
    for (int second = 1; second < 200; second++) {
        pass(1000);
        fail_turn(s);
        assert_int_equal(number_of(s, "SELECT sum(taken) FROM alarm_told"), 0);
        /* As it stands, it is told again. */
        assert_int_equal(next_number(s, "one", turn_now_ms, &is_over), second >= 100 ? 2 : 0);
    }
    take(s, "one", 2);
    turn_once(&s->turn.turn);
    assert_int_equal(number_of(s, "SELECT taken FROM alarm_told WHERE receiver = 'one'"), 2);
    assert_int_equal(next_number(s, "one", turn_now_ms, &is_over), 0);
    assert_int_equal(s->turn.turn.alarms.post.results.count, 0);
}

/* Nothing is taken any more, so of gauges nothing is known; that it is so must be told. */
static void test_without_room_the_disk_is_told_and_nothing_else_judged(void **state)
{
    struct scene *s = *state;
    bool is_over;
    give_rules(s, "rules = ({ id = \"hot\"; kind = \"threshold\"; on = (\"point:gw-a/t\"); above = \"100\"; "
                  "for = 10; },"
                  "{ id = \"quiet\"; kind = \"no_data\"; on = (\"point:gw-a/t\"); for = 60; },"
                  "{ id = \"full\"; kind = \"disk\"; on = (\"collector\"); for = 20; above = 99; });"
                  "receivers = ({ id = \"one\"; kind = \"webhook\"; url = \"http://127.0.0.1:9/\"; });");
    hold(s, 101, 5);
    assert_int_equal(number_of(s, "SELECT count(*) FROM alarm_run WHERE rule = 'hot'"), 1);
    int64_t limit_bytes = s->turn.turn.limit_bytes;
    s->turn.turn.limit_bytes = db_used_bytes(s->turn.turn.db) - 4096;
    hold(s, 101, 100);
    assert_int_equal(number_of(s, ALL), 1);
    assert_int_equal(number_of(s, "SELECT count(*) FROM alarm WHERE rule = 'full'"), 1);
    assert_int_equal(next_number(s, "one", turn_now_ms, &is_over), 1);
    s->turn.turn.limit_bytes = limit_bytes;
    pass(1000);
    fail_turn(s);
    hold(s, 101, 5);
    assert_int_equal(number_of(s, "SELECT count(*) FROM alarm WHERE rule = 'hot'"), 0);
    assert_int_equal(number_of(s, "SELECT count(*) FROM alarm_run WHERE rule = 'hot' AND run_ms > 0"), 1);
    restart(s); /* the run of before is over for good */
    hold(s, 101, 5);
    assert_int_equal(number_of(s, "SELECT count(*) FROM alarm WHERE rule = 'hot'"), 0);
    hold(s, 101, 2);
    assert_int_equal(number_of(s, "SELECT count(*) FROM alarm WHERE rule = 'hot'"), 1);
}

#define WARM "{ id = \"warm\"; kind = \"threshold\"; on = (\"point:gw-a/t\"); above = \"50\"; for = 0; }, "

static sem_t result;

static void post_result(void *user_data)
{
    (void)user_data;
    sem_post(&result);
}

/* One attempt of the receiver "one", which fails. */
static void fail_once(struct scene *s)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 60;
    turn_once(&s->turn.turn);
    assert_int_equal(sem_timedwait(&result, &until), 0);
    turn_once(&s->turn.turn);
    pass(COURIER_RETRY_MAX_MS);
}

#define ONE(kind, rest) "receivers = ({ id = \"one\"; kind = \"" kind "\"; " rest " });"
#define MAIL(to, sendmail) ONE("mail", "to = (\"" to "\"); sendmail = \"" sendmail "\";")
#define DEAF_RULES "rules = (" WARM "{ id = \"loss\"; kind = \"loss\"; });"

/* Who is mended need not wait for an alarm to be well. */
static void test_who_took_nothing_is_named_until_rules_name_another_way(void **state)
{
    struct scene *s = *state;
    struct alarm_post *post = &s->turn.turn.alarms.post;
    static const struct {
        const char *receivers, *deaf;
    } rows[] = {{MAIL("a@b", "/bin/false"), "one"}, {"repeat = 1000; " MAIL("a@b", "/bin/false"), "one"},
        {MAIL("c@b", "/bin/false"), ""}, {MAIL("a@b", "/bin/true"), ""},
        {ONE("webhook", "url = \"http://127.0.0.1:9/\";"), ""}, {"receivers = ();", ""}};
    assert_int_equal(sem_init(&result, 0, 0), 0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *after = mem_printf(DEAF_RULES "%s", rows[i].receivers);
        reopen_scene(s);
        post->couriers = couriers_create(&turn_clock, post_result, NULL);
        post->collector = "c";
        give_rules(s, DEAF_RULES MAIL("a@b", "/bin/false"));
        hold(s, 101, 1);
        for (int n = 0; n < ALARM_DEAF; n++) {
            assert_string_equal(post->deaf, "");
            fail_once(s);
        }
        assert_string_equal(post->deaf, "one");
        give_rules(s, after);
        assert_string_equal(post->deaf, rows[i].deaf);
        couriers_destroy(post->couriers);
        post->couriers = NULL;
        free(after);
    }
    sem_destroy(&result);
}

/* More than a page has, and one that a page ended with is over by the next. */
static void test_of_those_that_stand_the_gravest_come_first_page_by_page(void **state)
{
    struct scene *s = *state;
    struct db *db = s->turn.turn.db;
    struct error err = {""};
    struct alarm_list page;
    char rule[] = "r", target[16];
    int severities[1301];
    must(db_begin(db, &err), &err);
    for (int i = 1; i <= 1300; i++) {
        struct alarm a = {.rule = rule, .target = target, .since_ms = 1, .fired_ms = 1};
        int64_t id;
        severities[i] = i == 2 ? ALARM_CRITICAL : (int)random_below(2);
        a.severity = (enum alarm_severity)severities[i];
        snprintf(target, sizeof target, "p%d", i);
        must(alarm_fire(db, &a, &id, &err), &err);
        assert_int_equal(id, i);
    }
    must(db_commit(db, &err), &err);
    for (int64_t limit = 1000; limit >= 100; limit -= 900) {
        int64_t seen = 0, last_id = INT64_MAX;
        int last_severity = ALARM_CRITICAL;
        do {
            must(alarm_list_read(db, ALARM_STANDING, last_id, limit, &page, &err), &err);
            for (size_t i = 0; i < page.count; i++) {
                const struct alarm *a = &page.items[i];
                int severity = (int)a->severity;
                assert_int_equal(severity, severities[a->id]);
                assert_true(severity < last_severity || (severity == last_severity && a->id < last_id));
                last_severity = severity;
                last_id = a->id;
            }
            seen += (int64_t)page.count;
            if (page.count > 0 && limit == 100)
                must(alarm_clear(db, last_id, 2, false, &err), &err);
            alarm_list_release(&page);
        } while (seen % limit == 0 && seen < 1300);
        assert_int_equal(seen, 1300);
    }
}

/* Of a small database as well: nothing is taken from 8 MiB below its limit on, which is half of it or more. */
static void test_each_limit_of_the_disk_comes_before_nothing_is_taken_any_more(void **state)
{
    struct scene *s = *state;
    struct turn *t = &s->turn.turn;
    static const int limits[] = {50, 90, 99};
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        reopen_scene(s);
        char *rules = mem_printf(
            "rules = ({ id = \"full\"; kind = \"disk\"; for = 0; above = %d; clear = 1; });", limits[i]);
        give_rules(s, rules);
        free(rules);
        int64_t used_bytes = db_used_bytes(t->db);
        t->limit_bytes = INT64_C(8) * 1024 * 1024 + used_bytes * 1000 / (limits[i] * 10 + 5);
        turn_once(t);
        assert_int_equal(number_of(s, STANDING), 1);
        assert_true(t->show.is_accepting);
        t->limit_bytes -= used_bytes;
        pass(10000);
        turn_once(t);
        assert_false(t->show.is_accepting);
    }
}

static void test_of_what_can_be_full_the_fullest_is_told(void **state)
{
    struct scene *s = *state;
    struct error err = {""};
    struct alarm_facts f;
    struct alarm_rule rule = {.kind = ALARM_DISK};
    struct alarm_target target = {.kind = ALARM_OF_COLLECTOR};
    struct alarm_sources sources = {.database_path = s->turn.turn.database_path,
        .database_bytes = 9990,
        .database_full_bytes = 10000,
        .outbox_bytes = 9991,
        .outbox_limit_bytes = 10000};
    must(alarm_facts_gather(&sources, &rule, &target, &f, &err), &err);
    assert_int_equal(f.value_m, 99910);
    assert_int_equal(alarm_reason_of(&rule, &f), ALARM_REASON_OUTBOX);
    sources.database_bytes = 9992;
    must(alarm_facts_gather(&sources, &rule, &target, &f, &err), &err);
    assert_int_equal(f.value_m, 99920);
    assert_int_equal(alarm_reason_of(&rule, &f), ALARM_REASON_DATABASE);
}

/* A clock that was ahead for a while, or is set back: nobody waits for a time that is far away. */
static void test_a_clock_that_is_set_back_mutes_nothing(void **state)
{
    struct scene *s = *state;
    struct error err = {""};
    bool is_over;
    static const bool restarts[] = {false, true};
    for (size_t i = 0; i < 2; i++) {
        reopen_scene(s);
        hold(s, 101, 11);
        turn_now_ms -= 30 * INT64_C(86400000);
        turn_now_mono_ms += 1000;
        if (restarts[i])
            restart(s);
        turn_once(&s->turn.turn);
        assert_int_equal(next_number(s, "one", turn_now_ms, &is_over), 1); /* the first telling */
        took(s, 1, "one", 2, turn_now_ms + 120000);
        turn_now_ms -= 100000;
        turn_now_mono_ms += 1000;
        if (restarts[i])
            restart(s);
        turn_once(&s->turn.turn);
        /* The third comes after twice `repeat` from now on. */
        assert_int_equal(next_number(s, "one", turn_now_ms + 119999, &is_over), 0);
        assert_int_equal(next_number(s, "one", turn_now_ms + 120000, &is_over), 3);
        must(alarm_told_over(s->turn.turn.db, 1, turn_now_ms + 50000, &err), &err);
        must(alarm_clear(s->turn.turn.db, 1, turn_now_ms + 50000, false, &err), &err);
        turn_now_ms -= 1;
        turn_now_mono_ms += 1000;
        if (restarts[i])
            restart(s);
        turn_once(&s->turn.turn);
        assert_int_equal(next_number(s, "one", turn_now_ms, &is_over), 3);
        assert_true(is_over);
    }
}

/* A gateway that is gone takes its meters with it: hundreds of messages, of which none must hold up the fire. */
static void test_the_worst_is_told_first_and_then_what_waits_longest(void **state)
{
    struct scene *s = *state;
    struct error err = {""};
    struct db *db = s->turn.turn.db;
    static const enum alarm_severity severities[] = {
        ALARM_WARNING, ALARM_INFO, ALARM_CRITICAL, ALARM_WARNING, ALARM_CRITICAL};
    static const int64_t expected[] = {5, 3, 4, 1, 2};
    for (int i = 0; i < 5; i++) {
        char target[] = {(char)('a' + i), '\0'}, rule[] = "r";
        int64_t id;
        struct alarm a = {
            .rule = rule, .target = target, .severity = severities[i], .since_ms = 1, .fired_ms = 1};
        must(alarm_fire(db, &a, &id, &err), &err);
        must(alarm_told_add(db, id, "one", turn_now_ms - i, &err), &err);
    }
    for (int i = 0; i < 5; i++) {
        struct alarm a;
        struct alarm_letter letter;
        must(alarm_told_next(db, &s->turn.turn.alarms.post.results, "one", turn_now_ms, &a, &letter, &err),
            &err);
        assert_int_equal(a.id, expected[i]);
        took(s, a.id, "one", 1, ALARM_NEVER);
        alarm_release(&a);
    }
}

static void test_a_rule_that_is_no_more_lets_go_of_what_stands(void **state)
{
    struct scene *s = *state;
    bool is_over;
    hold(s, 101, 11);
    give_rules(
        s, "rules = (); receivers = ({ id = \"new\"; kind = \"webhook\"; url = \"http://127.0.0.1:9/\"; });");
    hold(s, 101, 1);
    assert_int_equal(number_of(s, "SELECT count(*) FROM alarm WHERE is_gone = 1"), 1);
    assert_int_equal(next_number(s, "one", INT64_MAX, &is_over), 0); /* it is no receiver any more */
    assert_int_equal(number_of(s, "SELECT count(*) FROM alarm_told"), 0);
}

static int set_up(void **state)
{
    return scene_set_up_all(state, park_text, RULES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE_TEST(test_it_fires_when_it_has_lasted_and_clears_when_it_is_over),
        SCENE_TEST(test_what_is_stale_neither_fires_nor_clears),
        SCENE_TEST(test_a_run_goes_on_over_a_short_restart_and_not_over_a_long_one),
        SCENE_TEST(test_the_log_says_once_what_was_committed),
        SCENE_TEST(test_over_failed_commits_and_restarts_it_is_what_the_fold_says),
        SCENE_TEST(test_a_receiver_is_due_what_its_severity_asks_for_until_it_is_acknowledged_or_over),
        SCENE_TEST(test_of_what_stands_the_value_of_now_is_told_while_it_is_known),
        SCENE_TEST(test_one_who_was_not_told_yet_is_told_though_somebody_took_note),
        SCENE_TEST(test_what_came_and_went_untold_is_told_to_programs_in_order_and_to_people_not),
        SCENE_TEST(test_people_who_may_have_been_told_are_told_that_it_is_over),
        SCENE_TEST(test_what_cannot_be_noted_is_not_sent_again_and_noted_when_it_can),
        SCENE_TEST(test_without_room_the_disk_is_told_and_nothing_else_judged),
        SCENE_TEST(test_who_took_nothing_is_named_until_rules_name_another_way),
        SCENE_TEST(test_of_those_that_stand_the_gravest_come_first_page_by_page),
        SCENE_TEST(test_each_limit_of_the_disk_comes_before_nothing_is_taken_any_more),
        SCENE_TEST(test_of_what_can_be_full_the_fullest_is_told),
        SCENE_TEST(test_a_clock_that_is_set_back_mutes_nothing),
        SCENE_TEST(test_the_worst_is_told_first_and_then_what_waits_longest),
        SCENE_TEST(test_a_rule_that_is_no_more_lets_go_of_what_stands)};
    return cmocka_run_group_tests(tests, set_up, NULL);
}
