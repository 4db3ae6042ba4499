/* Sessions: how long they live, who makes room for whom, and what of them is there after a restart. */
#include "collector/access/sessions_file.h"
#include "lib/file.h"
#include "lib/mem.h"
#include "tests/unit/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define NOW INT64_C(1790000000000)
#define HOUR_MS INT64_C(3600000)
#define DAY_MS (24 * HOUR_MS)
#define LIFE_MS (12 * HOUR_MS)
#define KEPT_MS (400 * DAY_MS)

static char folder[64], *path;
static struct sessions sessions;

static struct session_time at(int64_t later_ms)
{
    return (struct session_time){NOW + later_ms, 5000 + later_ms};
}

static struct hash begin(int64_t token, bool is_kept, int64_t later_ms)
{
    struct token of = {.id = token, .hash = secret_hash("of a token")};
    char id[SECRET_TEXT_SIZE];
    sessions_begin(&sessions, &of, is_kept, at(later_ms), id);
    return secret_hash(id);
}

static bool is_there(const struct hash *hash, struct session_time now)
{
    return sessions_find(&sessions, hash, now) != NULL;
}

static int set_up(void **state)
{
    (void)state;
    sessions.count = 0;
    snprintf(folder, sizeof folder, "/tmp/parkmon-sessions-XXXXXX");
    assert_non_null(mkdtemp(folder));
    char *database = mem_printf("%s/c.db", folder);
    path = sessions_path(database);
    free(database);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(path);
    free(path);
    return rmdir(folder);
}

static void test_a_session_lasts_until_its_end(void **state)
{
    (void)state;
    struct hash hash = begin(7, false, 0), kept = begin(7, true, 0);
    assert_true(is_there(&hash, at(LIFE_MS - 1)) && is_there(&kept, at(KEPT_MS - 1)));
    assert_false(is_there(&hash, at(LIFE_MS)) || is_there(&kept, at(KEPT_MS)));
    struct hash other = begin(8, false, 1);
    sessions_end(&sessions, &hash);
    assert_false(is_there(&hash, at(1)));
    assert_int_equal(sessions_find(&sessions, &other, at(1))->token, 8);
}

static void test_a_clock_that_is_set_back_makes_no_session_longer(void **state)
{
    (void)state;
    struct hash hash = begin(7, false, 0);
    assert_true(is_there(&hash, (struct session_time){NOW - 100 * DAY_MS, 5000 + LIFE_MS - 1}));
    assert_false(is_there(&hash, (struct session_time){NOW - 100 * DAY_MS, 5000 + LIFE_MS}));
    /* A machine that slept: its monotonic clock did, too. */
    assert_false(is_there(&hash, (struct session_time){NOW + LIFE_MS, 5001}));
}

static void test_of_too_many_one_makes_room(void **state)
{
    (void)state;
    struct hash kept = begin(1, true, 0), over = begin(2, false, 1), oldest = begin(3, false, LIFE_MS);
    for (int i = 0; i < SESSIONS_MAX - 3; i++)
        begin(100 + i, false, LIFE_MS);
    assert_int_equal(sessions.count, SESSIONS_MAX);
    begin(4, false, LIFE_MS + 1);
    assert_int_equal(sessions.count, SESSIONS_MAX);
    assert_false(is_there(&over, at(1)));
    assert_true(is_there(&oldest, at(LIFE_MS + 1)));
    begin(5, false, LIFE_MS + 1);
    assert_int_equal(sessions.count, SESSIONS_MAX);
    assert_false(is_there(&oldest, at(LIFE_MS + 1)));
    assert_true(is_there(&kept, at(LIFE_MS + 1)));
}

static void test_many_sessions_of_one_token_end_no_others(void **state)
{
    (void)state;
    struct hash others = begin(1, false, 0), kept = begin(2, true, 0), first = begin(2, false, 0);
    for (int i = 2; i < SESSIONS_PER_TOKEN; i++)
        begin(2, false, 0);
    assert_true(is_there(&first, at(0)));
    begin(2, false, 0);
    assert_false(is_there(&first, at(0)));
    for (int i = 0; i < 2 * SESSIONS_MAX; i++)
        first = begin(2, false, 0);
    assert_int_equal(sessions.count, 1 + SESSIONS_PER_TOKEN);
    assert_true(is_there(&others, at(0)) && is_there(&kept, at(0)) && is_there(&first, at(0)));
    for (int i = 0; i < SESSIONS_PER_TOKEN; i++)
        first = begin(2, true, 0);
    assert_false(is_there(&kept, at(0)));
    assert_true(is_there(&first, at(0)));
}

/* ---- over a restart ---- */

static void write_sessions(const char *run, struct session_time now)
{
    struct error err;
    if (sessions_write(path, &sessions, run, now, &err) != ST_OK)
        fail_msg("%s", err.text);
}

static void restart(const char *run, struct session_time now)
{
    struct error err;
    memset(&sessions, 0x55, sizeof sessions);
    if (sessions_read(path, run, now, &sessions, &err) != ST_OK)
        fail_msg("%s", err.text);
}

static void test_a_file_gives_back_what_was_written(void **state)
{
    (void)state;
    restart("a", at(0));
    assert_int_equal(sessions.count, 0); /* there is none yet */
    for (int i = 0; i < SESSIONS_MAX; i++)
        begin(INT64_MAX - i, i % 3 == 0, i);
    static struct sessions before;
    before = sessions;
    write_sessions("a", at(0));
    struct stat about;
    assert_int_equal(stat(path, &about), 0);
    assert_int_equal(about.st_mode & 07777, 0600);
    restart("a", at(SESSIONS_MAX));
    assert_int_equal(sessions.count, SESSIONS_MAX);
    for (int i = 0; i < SESSIONS_MAX; i++) {
        const struct session *old = &before.items[i], *new = &sessions.items[i];
        assert_true(hash_is_equal(&old->hash, &new->hash));
        assert_true(hash_is_equal(&old->token_secret, &new->token_secret));
        assert_string_equal(old->csrf, new->csrf);
        assert_true(old->token == new->token && old->begun_ms == new->begun_ms &&
                    old->until_mono_ms == new->until_mono_ms && old->is_kept == new->is_kept);
    }
    sessions.count = 0;
    write_sessions("a", at(0));
    restart("a", at(0));
    assert_int_equal(sessions.count, 0);
}

static void test_what_names_a_session_is_not_in_the_file(void **state)
{
    (void)state;
    struct token token = {.id = 1};
    char id[SECRET_TEXT_SIZE], *text;
    sessions_begin(&sessions, &token, false, at(0), id);
    write_sessions("a", at(0));
    struct error err;
    assert_int_equal(file_read(path, 100000, &text, NULL, &err), ST_OK);
    assert_null(strstr(text, id));
    free(text);
}

static void test_a_life_is_held_over_restarts(void **state)
{
    (void)state;
    struct hash hash = begin(1, false, 0), kept = begin(1, true, 0);
    for (int i = 0; i < 3; i++) {
        write_sessions("a", at(i * HOUR_MS));
        restart("a", at((i + 1) * HOUR_MS));
    }
    assert_true(is_there(&hash, at(LIFE_MS - 1)) && is_there(&kept, at(KEPT_MS - 1)));
    assert_false(is_there(&hash, at(LIFE_MS)) || is_there(&kept, at(KEPT_MS)));
    write_sessions("a", at(3 * HOUR_MS));
    restart("a", at(LIFE_MS));
    assert_int_equal(sessions.count, 1);
    /* The machine was off for a day: monotonic time begins anew, the rest of a life does not. */
    write_sessions("a", at(LIFE_MS));
    restart("b", (struct session_time){NOW + DAY_MS, 10});
    assert_true(is_there(&kept, (struct session_time){NOW + KEPT_MS - 1, KEPT_MS - DAY_MS + 9}));
    assert_false(is_there(&kept, (struct session_time){NOW, KEPT_MS - DAY_MS + 10}));
}

static void test_a_clock_that_was_set_back_before_a_restart_makes_no_session_longer(void **state)
{
    (void)state;
    struct hash hash = begin(1, false, 0);
    write_sessions("a", at(0));
    /* In the same run of the machine the rest is as it was. */
    restart("a", (struct session_time){NOW - 5 * DAY_MS, 5000 + LIFE_MS - 1});
    assert_true(is_there(&hash, (struct session_time){NOW - 5 * DAY_MS, 5000 + LIFE_MS - 1}));
    assert_false(is_there(&hash, (struct session_time){NOW - 5 * DAY_MS, 5000 + LIFE_MS}));
    restart("a", (struct session_time){NOW - 5 * DAY_MS, 5000 + LIFE_MS});
    assert_int_equal(sessions.count, 0);
    /* In another, or one that is not known, no more than was. */
    static const char *const runs[] = {"b", ""};
    for (size_t i = 0; i < 2; i++) {
        restart(runs[i], (struct session_time){NOW - HOUR_MS, 10});
        assert_true(is_there(&hash, (struct session_time){NOW, 10 + LIFE_MS - SESSIONS_NOTED_MS - 1}));
        assert_false(is_there(&hash, (struct session_time){NOW, 10 + LIFE_MS - SESSIONS_NOTED_MS}));
        restart(runs[i], (struct session_time){NOW - LIFE_MS - 1, 10});
        assert_int_equal(sessions.count, 0);
    }
    /* An end that lies further away than a life is none of ours. */
    sessions.count = 0;
    hash = begin(1, false, 10 * DAY_MS);
    sessions.items[0].begun_ms = NOW;
    write_sessions("a", at(0));
    restart("a", at(0));
    assert_false(is_there(&hash, (struct session_time){NOW, 5000 + LIFE_MS}));
    /* Not known is not the same run, though both are not. */
    write_sessions("", at(0));
    restart("", (struct session_time){NOW + HOUR_MS, 10});
    assert_false(is_there(&hash, (struct session_time){NOW, 10 + LIFE_MS - HOUR_MS}));
}

/* Within a life of now, or as it is. */
static int64_t some_wall_ms(int64_t now_ms)
{
    return random_below(3) == 0 ? now_ms : NOW - LIFE_MS + (int64_t)random_below((size_t)(2 * LIFE_MS));
}

/* Boot after boot, each with whatever clock, which may be set while it runs, and each ends at any time; sessions are written as often
 * as they must be, and some more. Nobody is signed in for longer than a life of the time that machines ran. */
static void test_no_clock_over_any_boots_makes_a_session_longer(void **state)
{
    (void)state;
    for (int round = 0; round < 12; round++) {
        char run[16] = "0";
        int64_t lived_ms = 0;
        struct session_time now = at(0);
        sessions.count = 0;
        struct hash hash = begin(1, false, 0);
        write_sessions(run, now);
        for (int boot = 1; is_there(&hash, now); boot++) {
            for (int steps = (int)random_below(30); steps >= 0; steps--) {
                int64_t step_ms = (int64_t)random_below(SESSIONS_NOTED_MS + 1);
                now = (struct session_time){now.ms + step_ms, now.mono_ms + step_ms};
                lived_ms += step_ms;
                assert_true(lived_ms < LIFE_MS || !is_there(&hash, now));
                if (random_below(8) == 0)
                    now.ms = some_wall_ms(now.ms);
                if (steps > 0 || random_below(2) == 0)
                    write_sessions(run, now);
            }
            if (random_below(4) != 0) {
                snprintf(run, sizeof run, "%d", boot);
                now = (struct session_time){some_wall_ms(NOW), (int64_t)random_below(100000)};
            }
            restart(run, now);
            assert_true(lived_ms < LIFE_MS || !is_there(&hash, now));
        }
    }
}

static void write_text(const char *text, size_t len)
{
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    assert_int_equal(fwrite(text, 1, len, out), len);
    assert_int_equal(fclose(out), 0);
}

static void assert_refused(void)
{
    struct error err = {""};
    sessions.count = 5;
    assert_int_equal(sessions_read(path, "a", at(0), &sessions, &err), ST_INVALID);
    assert_int_equal(sessions.count, 0);
    assert_ptr_equal(strstr(err.text, path), err.text);
}

/* Any byte, and any length. */
static void test_a_damaged_file_holds_nobody(void **state)
{
    (void)state;
    begin(1, true, 0);
    begin(2, false, 0);
    write_sessions("a", at(0));
    char *text;
    size_t len;
    struct error err;
    assert_int_equal(file_read(path, 100000, &text, &len, &err), ST_OK);
    for (size_t i = 0; i < len; i += 1 + i % 3) {
        text[i] = (char)(text[i] ^ 1);
        write_text(text, len);
        assert_refused();
        text[i] = (char)(text[i] ^ 1);
        write_text(text, i);
        assert_refused();
    }
    char *more = mem_printf("%s\n", text);
    write_text(more, len + 1);
    assert_refused();
    free(more);
    write_text(text, len);
    restart("a", at(0));
    assert_int_equal(sessions.count, 2);
    free(text);
}

static void write_summed(const char *body)
{
    char sum[HASH_TEXT_SIZE];
    struct hash hash = hash_of(span_of(body));
    hash_format(&hash, sum);
    char *text = mem_printf("%ssum %s\n", body, sum);
    write_text(text, strlen(text));
    free(text);
}

static void test_what_is_whole_but_not_ours_holds_nobody(void **state)
{
    (void)state;
#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"
#define HEAD "parkmon sessions 2\nrun a\n"
    static const char *const good[] = {HEAD, HEAD ZEROS " 1 " ZEROS " 1790000000000 9000 7000 - " ZEROS "\n"};
    static const char *const bad[] = {"", "\n", "parkmon sessions 1\nrun a\n", "parkmon sessions 2\n",
        "parkmon sessions 2\nruns\n", HEAD "\n", HEAD ZEROS "\n",
        HEAD ZEROS " 1 " ZEROS " 1790000000000 9000 7000 - " ZEROS "0\n",
        HEAD ZEROS " 1 " ZEROS " 1790000000000 9000 7000 - 0\n",
        HEAD ZEROS " 1 " ZEROS " 1790000000000 9000 7000 x " ZEROS "\n",
        HEAD ZEROS " 1 " ZEROS " 1790000000000 9000 - " ZEROS "\n",
        HEAD ZEROS " 1 " ZEROS " 1790000000000 9000 -1 - " ZEROS "\n",
        HEAD ZEROS " -1 " ZEROS " 1790000000000 9000 7000 - " ZEROS "\n",
        HEAD ZEROS " 1 " ZEROS " 99999999999999999999 9000 7000 - " ZEROS "\n",
        HEAD ZEROS " 1 " ZEROS " 1790000000000 9000 7000 - " ZEROS " \n",
        HEAD "x" ZEROS " 1 " ZEROS " 1790000000000 9000 7000 - " ZEROS "\n"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        write_summed(bad[i]);
        assert_refused();
    }
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        write_summed(good[i]);
        restart("a", at(0));
        assert_int_equal(sessions.count, i);
    }
    char *many = mem_strdup(HEAD);
    for (int i = 0; i <= SESSIONS_MAX; i++) {
        char *more = mem_printf("%s%s", many, good[1] + strlen(HEAD));
        free(many);
        many = more;
    }
    write_summed(many);
    assert_refused();
    free(many);
    unlink(path);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_refused();
    assert_int_equal(rmdir(path), 0);
}

static void test_where_it_cannot_be_written_it_is_what_it_was(void **state)
{
    (void)state;
    struct hash hash = begin(1, false, 0);
    write_sessions("a", at(0));
    char *part = mem_printf("%s.part", path);
    assert_int_equal(mkdir(part, 0700), 0);
    begin(2, false, 0);
    struct error err;
    assert_int_equal(sessions_write(path, &sessions, "a", at(0), &err), ST_STORAGE);
    assert_ptr_equal(strstr(err.text, path), err.text);
    assert_int_equal(rmdir(part), 0);
    free(part);
    restart("a", at(0));
    assert_int_equal(sessions.count, 1);
    assert_true(is_there(&hash, at(0)));
}

#define IN_A_FOLDER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_FOLDER(test_a_session_lasts_until_its_end),
        IN_A_FOLDER(test_a_clock_that_is_set_back_makes_no_session_longer),
        IN_A_FOLDER(test_of_too_many_one_makes_room),
        IN_A_FOLDER(test_many_sessions_of_one_token_end_no_others),
        IN_A_FOLDER(test_a_file_gives_back_what_was_written),
        IN_A_FOLDER(test_what_names_a_session_is_not_in_the_file),
        IN_A_FOLDER(test_a_life_is_held_over_restarts),
        IN_A_FOLDER(test_a_clock_that_was_set_back_before_a_restart_makes_no_session_longer),
        IN_A_FOLDER(test_no_clock_over_any_boots_makes_a_session_longer),
        IN_A_FOLDER(test_a_damaged_file_holds_nobody),
        IN_A_FOLDER(test_what_is_whole_but_not_ours_holds_nobody),
        IN_A_FOLDER(test_where_it_cannot_be_written_it_is_what_it_was),
    };
    return cmocka_run_group_tests(tests, random_set_up, NULL);
}
