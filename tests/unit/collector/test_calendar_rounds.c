/* Who reads the calendars of one park model after the other, and what the core's thread makes of it. */
#include "collector/calendars/calendar_desk.h"
#include "lib/thread.h"
#include "tests/unit/collector/calendar_server.h"
#include "tests/unit/collector/fake_journal.h"

#include <sys/stat.h>

#define LIMIT_MS 60000 /* no figure: whoever waits so long waits for ever */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t woken;
static int results;

static void on_result(void *user_data)
{
    (void)user_data;
    pthread_mutex_lock(&lock);
    results++;
    pthread_cond_broadcast(&woken);
    pthread_mutex_unlock(&lock);
}

struct scene {
    struct fake_journal files;
    struct park *park;
    struct calendar_rounds *rounds;
    struct calendar_desk desk;
    int64_t until_mono_ms;
    int64_t used_ms; /* the model, since then */
};

static const char site[] = "sites = ({ id = \"s\"; name = \"x\"; name_en = \"x\"; zone = \"UTC\"; });\n";

static void must(enum status status, const struct error *err)
{
    if (status != ST_OK)
        fail_msg("%s", err->text);
}

static char *row(const char *id, const char *key, const char *value)
{
    return mem_printf(
        "{ id = \"%s\"; name = \"x\"; name_en = \"x\"; site = \"s\"; %s = \"%s\"; }", id, key, value);
}

static char *url_row(const char *id, const char *path)
{
    char *url = mem_printf("http://127.0.0.1:%d%s", calendar_server_port, path), *text = row(id, "url", url);
    free(url);
    return text;
}

static struct clock the_clock;
static int64_t begun_mono_ms;

/* It goes on from the day before the booking of serve_calendars.py. */
static int64_t on_that_day(void)
{
    return INT64_C(1795939200000) + clock_system.mono_ms() - begun_mono_ms;
}

/* Takes the rows, up to NULL. */
static void use(struct scene *s, char *rows[])
{
    struct buf text = {0};
    buf_printf(&text, "%scalendars = (", site);
    for (char **r = rows; *r != NULL; r++) {
        buf_printf(&text, "%s%s", r > rows ? ", " : "", *r);
        free(*r);
    }
    buf_add_str(&text, ");\n");
    char *whole = buf_take(&text);
    struct park *before = s->park;
    s->park = fake_park_of(&s->files, whole);
    free(whole);
    s->used_ms = on_that_day();
    calendar_desk_use(&s->desk, s->park);
    calendar_rounds_use(s->rounds, s->park);
    park_destroy(before);
}

static void scene_open(struct scene *s)
{
    struct error err;
    *s = (struct scene){.until_mono_ms = clock_system.mono_ms() + LIMIT_MS};
    the_clock = clock_system;
    the_clock.wall_ms = on_that_day;
    begun_mono_ms = clock_system.mono_ms();
    fake_journal_open(&s->files);
    s->park = fake_park_of(&s->files, site);
    s->rounds = calendar_rounds_create(&the_clock, on_result, NULL);
    calendar_desk_init(&s->desk, s->files.db, &the_clock, s->park);
    s->desk.rounds = s->rounds;
    must(calendar_desk_reset(&s->desk, &err), &err);
}

static void scene_close(struct scene *s)
{
    calendar_rounds_destroy(s->rounds);
    calendar_desk_release(&s->desk);
    park_destroy(s->park);
    fake_journal_close(&s->files);
}

static void step(struct scene *s)
{
    struct error err;
    bool is_changed = false;
    must(db_begin(s->files.db, &err), &err);
    must(calendar_desk_step(&s->desk, &is_changed, &err), &err);
    must(db_commit(s->files.db, &err), &err);
    calendar_desk_committed(&s->desk);
}

static const struct calendar_item *item(const struct scene *s, const char *id)
{
    for (size_t i = 0; i < s->desk.count; i++)
        if (strcmp(s->desk.items[i].id, id) == 0)
            return &s->desk.items[i];
    fail_msg("no calendar %s", id);
    return NULL;
}

/* As the core's thread goes on, until the calendar was tried for this model. */
static const struct calendar_item *wait_for(struct scene *s, const char *id)
{
    pthread_mutex_lock(&lock);
    int seen = results;
    pthread_mutex_unlock(&lock);
    step(s);
    while (item(s, id)->state.tried_ms < s->used_ms) {
        pthread_mutex_lock(&lock);
        while (results == seen && clock_system.mono_ms() < s->until_mono_ms)
            thread_wait_until(&woken, &lock, s->until_mono_ms);
        seen = results;
        pthread_mutex_unlock(&lock);
        assert_true(clock_system.mono_ms() < s->until_mono_ms);
        step(s);
    }
    return item(s, id);
}

static char *path_of(const struct scene *s, const char *name)
{
    return mem_printf("%s/%s", s->files.folder, name);
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fchmod(fileno(file), 0600), 0);
    fputs(text, file);
    fclose(file);
}

static void test_what_was_read_is_known_and_who_does_not_answer_is_not_waited_for(void **state)
{
    (void)state;
    struct scene s;
    scene_open(&s);
    use(&s,
        (char *[]){url_row("silent", "/silent1"), url_row("good", "/etag"), url_row("gone", "/404"), NULL});
    assert_int_equal(wait_for(&s, "good")->bookings.list.count, 1);
    assert_non_null(strstr(wait_for(&s, "gone")->state.problem, "404"));
    assert_int_equal(item(&s, "silent")->state.tried_ms, 0);
    assert_int_equal(item(&s, "good")->bookings.busy.items[0].begin_ms, INT64_C(1796025600000));
    scene_close(&s); /* ends long before the silent one's time is over */
    assert_true(clock_system.mono_ms() < s.until_mono_ms - LIMIT_MS + CALENDAR_TIMEOUT_MS);
}

static void test_another_model_has_others_read_while_those_of_before_end(void **state)
{
    (void)state;
    struct scene s;
    scene_open(&s);
    for (int i = 0; i < 4; i++) {
        use(&s, (char *[]){url_row("silent", "/silent1"), url_row("good", "/etag"), NULL});
        if (i > 0)
            wait_for(&s, "good");
        use(&s, (char *[]){url_row("other", "/modified"), url_row("mute", "/silent2"), NULL});
        assert_int_equal(wait_for(&s, "other")->bookings.list.count, 1);
        assert_null(calendar_desk_find(&s.desk, "good"));
    }
    use(&s, (char *[]){NULL});
    step(&s);
    assert_int_equal(s.desk.count, 0);
    scene_close(&s);
    assert_true(clock_system.mono_ms() < s.until_mono_ms - LIMIT_MS + CALENDAR_TIMEOUT_MS);
}

static void test_a_secret_that_is_missing_is_said_and_read_with_the_next_model(void **state)
{
    (void)state;
    struct scene s;
    scene_open(&s);
    char *secret = path_of(&s, "secret"),
         *url = mem_printf("http://127.0.0.1:%d/etag\n", calendar_server_port);
    use(&s, (char *[]){row("a", "url_file", secret), url_row("b", "/etag"), NULL});
    assert_non_null(strstr(wait_for(&s, "a")->state.problem, "calendar a: "));
    wait_for(&s, "b");
    calendar_rounds_check(s.park);
    assert_int_equal(conf_problem_count(s.park->conf), 1);
    write_file(secret, url);
    use(&s, (char *[]){row("a", "url_file", secret), url_row("b", "/etag"), NULL});
    calendar_rounds_check(s.park);
    assert_int_equal(conf_problem_count(s.park->conf), 0);
    assert_int_equal(wait_for(&s, "a")->bookings.list.count, 1);
    assert_string_equal(item(&s, "a")->state.problem, "");
    unlink(secret);
    free(secret);
    free(url);
    scene_close(&s);
}

static void test_another_secret_under_the_same_path_is_read(void **state)
{
    (void)state;
    struct scene s;
    struct hash before, after;
    scene_open(&s);
    char *secret = path_of(&s, "secret"),
         *good = mem_printf("http://127.0.0.1:%d/etag\n", calendar_server_port),
         *gone = mem_printf("http://127.0.0.1:%d/404\n", calendar_server_port);
    write_file(secret, good);
    use(&s, (char *[]){row("a", "url_file", secret), NULL});
    assert_int_equal(wait_for(&s, "a")->bookings.list.count, 1);
    assert_true(calendar_rounds_source(s.park->calendars.items, &before));
    write_file(secret, gone);
    use(&s, (char *[]){row("a", "url_file", secret), NULL});
    assert_true(calendar_rounds_source(s.park->calendars.items, &after));
    assert_false(hash_is_equal(&before, &after));
    assert_non_null(strstr(wait_for(&s, "a")->state.problem, "404"));
    assert_int_equal(bookings_quality(&item(&s, "a")->bookings, 300000, s.used_ms), SOURCE_NEVER_SEEN);
    unlink(secret);
    assert_false(calendar_rounds_source(s.park->calendars.items, &after));
    free(secret);
    free(good);
    free(gone);
    scene_close(&s);
}

static int set_up(void **state)
{
    thread_cond_init(&woken);
    return calendar_server_start(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_was_read_is_known_and_who_does_not_answer_is_not_waited_for),
        cmocka_unit_test(test_another_model_has_others_read_while_those_of_before_end),
        cmocka_unit_test(test_a_secret_that_is_missing_is_said_and_read_with_the_next_model),
        cmocka_unit_test(test_another_secret_under_the_same_path_is_read),
    };
    return cmocka_run_group_tests(tests, set_up, calendar_server_stop);
}
