#include "collector/web/page.h"
#include "collector/web/router.h"
#include "lib/mem.h"

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

#include "tests/unit/collector/made_up_token.h"

#define HOUR_MS INT64_C(3600000)

static int64_t wall = INT64_C(1790000000000), mono = 5000;

static int64_t wall_ms(void)
{
    return wall;
}

static int64_t mono_ms(void)
{
    return mono;
}

static const char *run_of_the_machine = "a run";

static const char *boot_id(void)
{
    return run_of_the_machine;
}

static const struct clock made_up_clock = {.wall_ms = wall_ms, .mono_ms = mono_ms, .boot_id = boot_id};

static char folder[64], database[96], sessions_file[112], in_the_way[120];
static struct guard *guard;
static char tokens[ROLES][TOKEN_TEXT_SIZE]; /* one of each role, each good for an hour */

static void make_token(enum role role, unsigned scopes, char text[static TOKEN_TEXT_SIZE])
{
    made_up_token(database, role, scopes, wall, text);
}

static void revoke_token(int64_t id)
{
    made_up_revoke(database, id, wall);
}

static struct guard *create(void)
{
    return guard_create(
        &(struct guard_options){.database = database, .access = WEB_ACCESS_TOKEN, .clock = &made_up_clock});
}

/* As the collector is started again, or was killed: nothing is written at the end. */
static void restart(void)
{
    guard_destroy(guard);
    guard = create();
}

static void remove_tokens(void)
{
    static const char *const names[] = {"", "-wal", "-shm", ".lock"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char *path = mem_printf("%s.access%s", database, names[i]);
        unlink(path);
        free(path);
    }
}

static int set_up(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/parkmon-guard-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(database, sizeof database, "%s/c.db", folder);
    snprintf(sessions_file, sizeof sessions_file, "%s.sessions", database);
    snprintf(in_the_way, sizeof in_the_way, "%s.part", sessions_file);
    guard = create();
    for (int role = 0; role < ROLES; role++)
        make_token((enum role)role, 0, tokens[role]);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    guard_destroy(guard);
    remove_tokens();
    unlink(sessions_file);
    rmdir(in_the_way);
    return rmdir(folder);
}

static struct caller identify(const char *authorization, const char *cookie)
{
    struct credentials credentials = {.authorization = authorization, .cookie = cookie};
    struct caller caller;
    struct error err;
    if (guard_identify(guard, &credentials, &caller, &err) != ST_OK)
        fail_msg("%s", err.text);
    return caller;
}

static struct caller identify_token(const char *token)
{
    char text[256];
    snprintf(text, sizeof text, "Bearer %s", token);
    return identify(text, NULL);
}

static struct in6_addr from(unsigned char last)
{
    return (struct in6_addr){.s6_addr = {[10] = 0xff, [11] = 0xff, [12] = 10, [15] = last}};
}

/* The Set-Cookie header, which the caller frees; NULL where there is none. */
static char *sign_in_kept(const char *text, bool is_kept, unsigned char last, enum sign_in expected)
{
    char *cookie = NULL;
    struct token token;
    struct error err;
    struct in6_addr address = from(last);
    enum sign_in result;
    int wait_s;
    assert_int_equal(
        guard_sign_in(guard, text, is_kept, &address, &result, &cookie, &token, &wait_s, &err), ST_OK);
    assert_int_equal(result, expected);
    assert_int_equal(wait_s > 0, expected == SIGN_IN_WAIT);
    assert_int_equal(cookie != NULL, expected == SIGN_IN_DONE);
    return cookie;
}

static char *sign_in(const char *text, unsigned char last, enum sign_in expected)
{
    return sign_in_kept(text, false, last, expected);
}

static void test_a_token_is_somebody_until_it_ends(void **state)
{
    (void)state;
    struct caller caller = identify_token(tokens[ROLE_AUDITOR]);
    assert_int_equal(caller.kind, CALLER_KNOWN);
    assert_int_equal(caller.token.role, ROLE_AUDITOR);
    assert_true(guard_still(guard, &caller));
    assert_int_equal(identify(NULL, NULL).kind, CALLER_NOBODY);
    assert_int_equal(identify("", NULL).kind, CALLER_WRONG);
    wall += HOUR_MS;
    assert_int_equal(identify_token(tokens[ROLE_AUDITOR]).kind, CALLER_WRONG);
    assert_false(guard_still(guard, &caller));
    wall -= HOUR_MS;
    assert_int_equal(identify_token(tokens[ROLE_AUDITOR]).kind, CALLER_KNOWN);
    revoke_token(caller.token.id);
    assert_int_equal(identify_token(tokens[ROLE_AUDITOR]).kind, CALLER_WRONG);
    assert_false(guard_still(guard, &caller));
}

static void test_the_day_of_a_use_is_noted_once(void **state)
{
    (void)state;
    assert_int_equal(identify_token(tokens[ROLE_OPERATOR]).token.used_ms, 0);
    int64_t noted = identify_token(tokens[ROLE_OPERATOR]).token.used_ms;
    assert_true(noted <= wall && noted > wall - 24 * HOUR_MS && noted % (24 * HOUR_MS) == 0);
    /* While another one writes it goes on without. */
    struct db *db;
    struct error err;
    assert_int_equal(tokens_open(database, &db, &err), ST_OK);
    assert_int_equal(identify_token(tokens[ROLE_PUBLIC]).kind, CALLER_KNOWN);
    db_close(db);
    assert_int_equal(identify_token(tokens[ROLE_PUBLIC]).token.used_ms, 0);
    mono += 60000;
    identify_token(tokens[ROLE_PUBLIC]);
    assert_true(identify_token(tokens[ROLE_PUBLIC]).token.used_ms == noted);
}

static void test_a_session_is_its_token_while_both_last(void **state)
{
    (void)state;
    char *cookie = sign_in(tokens[ROLE_OPERATOR], 1, SIGN_IN_DONE);
    struct caller caller = identify(NULL, cookie);
    assert_int_equal(caller.kind, CALLER_KNOWN);
    assert_true(caller.is_session && caller.token.role == ROLE_OPERATOR);
    assert_true(guard_is_csrf(&caller, caller.csrf));
    assert_false(guard_is_csrf(&caller, NULL) || guard_is_csrf(&caller, "") || guard_is_csrf(&caller, "x"));
    /* A token that is shown counts alone. */
    assert_int_equal(identify("Bearer x", cookie).kind, CALLER_WRONG);
    mono += SESSION_LIFE_MS;
    assert_int_equal(identify(NULL, cookie).kind, CALLER_NOBODY);
    mono -= SESSION_LIFE_MS;
    char *gone = guard_sign_out(guard, &caller);
    assert_non_null(strstr(gone, "Max-Age=0"));
    free(gone);
    assert_int_equal(identify(NULL, cookie).kind, CALLER_NOBODY);
    assert_false(guard_still(guard, &caller));
    free(cookie);
    cookie = sign_in(tokens[ROLE_OPERATOR], 1, SIGN_IN_DONE);
    wall += HOUR_MS;
    assert_int_equal(identify(NULL, cookie).kind, CALLER_NOBODY);
    wall -= HOUR_MS;
    assert_int_equal(identify(NULL, cookie).kind, CALLER_NOBODY); /* it has ended for good */
    free(cookie);
}

static void sign_out(const char *cookie)
{
    struct caller caller = identify(NULL, cookie);
    assert_int_equal(caller.kind, CALLER_KNOWN);
    free(guard_sign_out(guard, &caller));
}

static void test_a_session_outlasts_a_restart_and_its_end_does(void **state)
{
    (void)state;
    char *stays = sign_in(tokens[ROLE_OPERATOR], 1, SIGN_IN_DONE),
         *leaves = sign_in(tokens[ROLE_OPERATOR], 1, SIGN_IN_DONE),
         *revoked = sign_in(tokens[ROLE_AUDITOR], 1, SIGN_IN_DONE);
    struct caller before = identify(NULL, stays);
    sign_out(leaves);
    revoke_token(identify(NULL, revoked).token.id);
    for (int i = 0; i < 2; i++) {
        restart();
        struct caller caller = identify(NULL, stays);
        assert_int_equal(caller.kind, CALLER_KNOWN);
        assert_true(caller.is_session && caller.token.role == ROLE_OPERATOR);
        assert_string_equal(caller.csrf, before.csrf); /* of the forms that are open */
        assert_int_equal(identify(NULL, leaves).kind, CALLER_NOBODY);
        assert_int_equal(identify(NULL, revoked).kind, CALLER_NOBODY);
    }
    mono += SESSION_LIFE_MS;
    restart();
    assert_int_equal(identify(NULL, stays).kind, CALLER_NOBODY);
    free(stays);
    free(leaves);
    free(revoked);
}

static void test_one_that_was_over_stays_so_though_the_clock_is_set_back(void **state)
{
    (void)state;
    char longer[TOKEN_TEXT_SIZE];
    made_up_token(database, ROLE_OPERATOR, 0, wall + 2 * SESSION_LIFE_MS, longer);
    char *cookie = sign_in(longer, 1, SIGN_IN_DONE);
    wall += SESSION_LIFE_MS;
    run_of_the_machine = "another";
    restart();
    assert_int_equal(identify(NULL, cookie).kind, CALLER_NOBODY);
    wall -= SESSION_LIFE_MS - 1;
    run_of_the_machine = "a third";
    restart();
    assert_int_equal(identify(NULL, cookie).kind, CALLER_NOBODY);
    run_of_the_machine = "a run";
    wall -= 1;
    free(cookie);
}

static void test_one_that_made_room_is_gone_after_a_restart(void **state)
{
    (void)state;
    char *first = sign_in(tokens[ROLE_OPERATOR], 1, SIGN_IN_DONE);
    for (int i = 0; i < SESSIONS_PER_TOKEN; i++)
        free(sign_in(tokens[ROLE_OPERATOR], 1, SIGN_IN_DONE));
    restart();
    assert_int_equal(identify(NULL, first).kind, CALLER_NOBODY);
    free(first);
}

static void test_one_that_is_kept_lasts_as_long_as_its_token(void **state)
{
    (void)state;
    char longer[TOKEN_TEXT_SIZE];
    made_up_token(
        database, ROLE_OPERATOR, 0, wall + 2 * SESSION_KEPT_LIFE_MS, longer); /* good an hour longer */
    char *cookie = sign_in_kept(tokens[ROLE_OPERATOR], true, 1, SIGN_IN_DONE),
         *whole = sign_in_kept(longer, true, 1, SIGN_IN_DONE), *usual = sign_in(longer, 1, SIGN_IN_DONE);
    assert_non_null(strstr(cookie, "; Max-Age=3600;"));
    assert_non_null(strstr(whole, "; Max-Age=34560000;"));
    assert_non_null(strstr(usual, "; Max-Age=43200;"));
    mono += SESSION_LIFE_MS;
    assert_int_equal(identify(NULL, cookie).kind, CALLER_KNOWN);
    assert_int_equal(identify(NULL, usual).kind, CALLER_NOBODY);
    restart();
    assert_int_equal(identify(NULL, cookie).kind, CALLER_KNOWN);
    wall += HOUR_MS;
    assert_int_equal(identify(NULL, cookie).kind, CALLER_NOBODY);
    wall += SESSION_KEPT_LIFE_MS - HOUR_MS - 1;
    assert_int_equal(identify(NULL, whole).kind, CALLER_KNOWN);
    wall += 1;
    assert_int_equal(identify(NULL, whole).kind, CALLER_NOBODY);
    free(cookie);
    free(whole);
    free(usual);
}

/* Ids begin anew in another file of tokens. */
static void test_a_session_is_of_no_other_token_with_its_number(void **state)
{
    (void)state;
    char *cookie = sign_in(tokens[ROLE_PUBLIC], 1, SIGN_IN_DONE);
    guard_destroy(guard);
    remove_tokens();
    char other[TOKEN_TEXT_SIZE];
    make_token(ROLE_OPERATOR, 0, other);
    assert_int_equal(strncmp(other, tokens[ROLE_PUBLIC], strlen("park_1_")), 0);
    guard = create();
    assert_int_equal(identify_token(other).kind, CALLER_KNOWN);
    assert_int_equal(identify(NULL, cookie).kind, CALLER_NOBODY);
    free(cookie);
}

static void test_where_sessions_cannot_be_written_nobody_who_left_is_in_after_a_restart(void **state)
{
    (void)state;
    char *stays = sign_in(tokens[ROLE_OPERATOR], 1, SIGN_IN_DONE),
         *leaves = sign_in(tokens[ROLE_OPERATOR], 1, SIGN_IN_DONE);
    assert_int_equal(mkdir(in_the_way, 0700), 0);
    char *late = sign_in(tokens[ROLE_OPERATOR], 1, SIGN_IN_DONE);
    assert_int_equal(identify(NULL, late).kind, CALLER_KNOWN); /* in memory */
    assert_int_equal(access(sessions_file, F_OK), 0);          /* what it holds is right as far as it goes */
    sign_out(leaves);
    assert_int_equal(identify(NULL, leaves).kind, CALLER_NOBODY);
    assert_int_equal(access(sessions_file, F_OK), -1);
    mono += 60000;
    assert_int_equal(identify(NULL, stays).kind, CALLER_KNOWN);
    assert_int_equal(rmdir(in_the_way), 0);
    mono += 59999;
    identify(NULL, stays);
    assert_int_equal(access(sessions_file, F_OK), -1);
    mono += 1;
    identify(NULL, NULL);
    restart();
    assert_int_equal(identify(NULL, stays).kind, CALLER_KNOWN);
    assert_int_equal(identify(NULL, late).kind, CALLER_KNOWN);
    assert_int_equal(identify(NULL, leaves).kind, CALLER_NOBODY);
    free(stays);
    free(leaves);
    free(late);
}

/* Nobody asks anything for hours: what is left is noted all the same, and where it cannot be, the file says nothing. */
static void test_boots_with_the_clock_set_back_add_nothing_to_a_session(void **state)
{
    (void)state;
    for (int is_full = 0; is_full < 2; is_full++) {
        char run[16], *cookie = sign_in(tokens[ROLE_OPERATOR], 1, SIGN_IN_DONE);
        int64_t begun_ms = wall;
        for (int hour = 0; hour < 13; hour++) {
            if (is_full && hour == 5)
                assert_int_equal(mkdir(in_the_way, 0700), 0);
            for (int second = 0; second < 3600; second++) {
                mono += 1000;
                wall += 1000;
                if (guard_is_note_due(guard))
                    guard_note(guard);
            }
            if (hour == 5 && is_full) {
                assert_int_equal(access(sessions_file, F_OK), -1);
                assert_int_equal(rmdir(in_the_way), 0);
            }
            wall = begun_ms;
            mono = 5000;
            snprintf(run, sizeof run, "run %d", hour);
            run_of_the_machine = run;
            restart();
            bool is_in = identify(NULL, cookie).kind == CALLER_KNOWN;
            assert_int_equal(is_in, is_full ? hour < 5 : hour < 10); /* each boot takes ten minutes at most */
        }
        run_of_the_machine = "a run";
        free(cookie);
    }
}

static void test_a_damaged_file_of_sessions_is_no_reason_not_to_start(void **state)
{
    (void)state;
    char *cookie = sign_in(tokens[ROLE_OPERATOR], 1, SIGN_IN_DONE);
    assert_int_equal(truncate(sessions_file, 100), 0);
    restart();
    assert_int_equal(identify(NULL, cookie).kind, CALLER_NOBODY);
    free(cookie);
    cookie = sign_in(tokens[ROLE_OPERATOR], 1, SIGN_IN_DONE);
    restart();
    assert_int_equal(identify(NULL, cookie).kind, CALLER_KNOWN);
    free(cookie);
}

static void test_a_guesser_waits_and_others_do_not(void **state)
{
    (void)state;
    for (int i = 0; i < TRIES_FREE; i++)
        sign_in("park_1_x", 1, SIGN_IN_WRONG);
    sign_in(tokens[ROLE_OPERATOR], 1, SIGN_IN_WAIT);
    free(sign_in(tokens[ROLE_OPERATOR], 2, SIGN_IN_DONE));
    mono += 999;
    sign_in(tokens[ROLE_OPERATOR], 1, SIGN_IN_WAIT);
    mono += 1;
    sign_in("", 1, SIGN_IN_WRONG);
    mono += 1999;
    sign_in(tokens[ROLE_OPERATOR], 1, SIGN_IN_WAIT);
    mono += 1;
    free(sign_in(tokens[ROLE_OPERATOR], 1, SIGN_IN_DONE));
    sign_in("", 1, SIGN_IN_WRONG);
    free(sign_in(tokens[ROLE_OPERATOR], 1, SIGN_IN_DONE)); /* what was before is forgotten */
}

/* What the header says, worked out apart: for every set of bits, everybody, both ways of access. */
static void test_nobody_gets_through_but_whom_the_bits_name(void **state)
{
    (void)state;
    char with_scope[TOKEN_TEXT_SIZE];
    make_token(ROLE_PUBLIC, SCOPE_OUTAGES, with_scope);
    struct caller callers[] = {identify(NULL, NULL), identify("Bearer x", NULL),
        identify_token(tokens[ROLE_PUBLIC]), identify_token(tokens[ROLE_OPERATOR]),
        identify_token(tokens[ROLE_AUDITOR]), identify_token(with_scope)};
    static const unsigned bits[] = {0, 0, ALLOW_PUBLIC, ALLOW_OPERATOR, ALLOW_AUDITOR, ALLOW_PUBLIC};
    struct guard *open = guard_create(&(struct guard_options){
        .database = database, .access = WEB_ACCESS_LOOPBACK, .clock = &made_up_clock});
    int allowed = 0;
    for (unsigned allow = 0; allow < 32; allow++)
        for (int i = 0; i < 6; i++)
            for (int flags = 0; flags < 16; flags++) {
                bool is_open = flags & 1, is_here = flags & 2, is_write = flags & 4;
                unsigned scope = flags & 8 ? SCOPE_OUTAGES | SCOPE_ALARMS : 0;
                bool is_wrong = i == 1, is_known = i > 1;
                bool passes = (allow & ALLOW_ANYONE) ||
                              (!is_wrong && (((allow & ALLOW_HERE) && is_here) || (allow & bits[i]) ||
                                                (i == 5 && scope) ||
                                                (is_open && !is_write && (allow & ALLOW_OPERATOR))));
                enum guard_verdict expected = passes     ? GUARD_ALLOWED
                                              : is_known ? GUARD_FORBIDDEN
                                                         : GUARD_UNKNOWN;
                assert_int_equal(
                    guard_decide(is_open ? open : guard, allow, scope, is_write, &callers[i], is_here),
                    expected);
                allowed += passes;
            }
    assert_true(allowed > 1000 && allowed < 32 * 6 * 16);
    guard_destroy(open);
}

static void test_a_cookie_is_found_among_others(void **state)
{
    (void)state;
    static const struct {
        const char *header, *value; /* NULL = none */
    } cases[] = {{"parkmon=abc", "abc"}, {"a=b; parkmon=abc; c=d", "abc"}, {"xparkmon=1; parkmon=abc", "abc"},
        {"parkmonx=1", NULL}, {"parkmon", NULL}, {"", NULL}, {";;; ;parkmon=abc ", "abc"}, {"parkmon=", ""},
        {"parkmon=1;parkmon=2", "1"}, {"Parkmon=abc", NULL}, {"parkmon=0123456789abcdef", NULL}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char value[16] = "?";
        bool is_found = cookie_find(cases[i].header, "parkmon", value, sizeof value);
        if (is_found != (cases[i].value != NULL) || (is_found && strcmp(value, cases[i].value) != 0))
            fail_msg("\"%s\": %s", cases[i].header, value);
    }
}

static void test_a_page_is_filled_in_and_values_are_no_markup(void **state)
{
    (void)state;
    json_t *texts = json_pack("{s:s, s:s}", "title", "R&D", "open", "{{=name}}");
    const struct web_param values[] = {{"name", "<b>\"it's\" & more</b>"}, {"empty", ""}};
    static const struct {
        const char *text, *expected;
    } cases[] = {{"plain { } {x}", "plain { } {x}"}, {"{{title}}!", "R&amp;D!"},
        {"<p>{{=name}}</p>", "<p>&lt;b&gt;&quot;it&#39;s&quot; &amp; more&lt;/b&gt;</p>"},
        {"{{=empty}}{{=unknown}}.", "."}, {"{{nothing}}", "{{nothing}}"}, {"{{open}}", "{{=name}}"},
        {"{{title", "{{title"}, {"{{", "{{"}, {"", ""}, {"{{}}", "{{}}"},
        {"{{xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx {{title}}",
            "{{xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx R&amp;D"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *html = page_fill(cases[i].text, texts, values, 2);
        assert_string_equal(html, cases[i].expected);
        free(html);
    }
    json_decref(texts);
}

static void test_the_language_is_what_was_asked_for_or_what_the_browser_prefers(void **state)
{
    (void)state;
    static const struct {
        const char *asked, *accept;
        enum page_language language;
    } cases[] = {{NULL, NULL, PAGE_EN}, {"zh", "en", PAGE_ZH}, {"en", "zh", PAGE_EN},
        {"fr", "zh-CN", PAGE_ZH}, {NULL, "zh-TW,zh;q=0.9,en;q=0.8", PAGE_ZH},
        {NULL, "fr, de;q=0.9, en-GB;q=0.8, zh;q=0.1", PAGE_EN}, {NULL, "fr,ZH", PAGE_ZH},
        {NULL, "fr", PAGE_EN}, {NULL, ",,, ,", PAGE_EN}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(page_choose_language(cases[i].asked, cases[i].accept), cases[i].language);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_token_is_somebody_until_it_ends, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_day_of_a_use_is_noted_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_session_is_its_token_while_both_last, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_a_session_outlasts_a_restart_and_its_end_does, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_one_that_was_over_stays_so_though_the_clock_is_set_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_one_that_made_room_is_gone_after_a_restart, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_one_that_is_kept_lasts_as_long_as_its_token, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_a_session_is_of_no_other_token_with_its_number, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_where_sessions_cannot_be_written_nobody_who_left_is_in_after_a_restart, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_a_damaged_file_of_sessions_is_no_reason_not_to_start, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_boots_with_the_clock_set_back_add_nothing_to_a_session, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_guesser_waits_and_others_do_not, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_nobody_gets_through_but_whom_the_bits_name, set_up, tear_down),
        cmocka_unit_test(test_a_cookie_is_found_among_others),
        cmocka_unit_test(test_a_page_is_filled_in_and_values_are_no_markup),
        cmocka_unit_test(test_the_language_is_what_was_asked_for_or_what_the_browser_prefers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
