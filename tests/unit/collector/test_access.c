#include "collector/access/tokens.h"
#include "collector/access/tries.h"
#include "lib/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define SECRET "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define NOW INT64_C(1790000000000)

static char folder[64], database[96];

static int set_up(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/parkmon-access-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(database, sizeof database, "%s/c.db", folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    static const char *const names[] = {
        "c.db.access", "c.db.access-wal", "c.db.access-shm", "c.db.access.lock"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char *path = mem_printf("%s/%s", folder, names[i]);
        unlink(path);
        free(path);
    }
    assert_int_equal(rmdir(folder), 0);
    return 0;
}

/* ---- the text of a token ---- */

static void test_a_token_is_read_back_and_nothing_else_is_one(void **state)
{
    (void)state;
    char text[TOKEN_TEXT_SIZE];
    int64_t id = 0;
    struct hash hash, expected = hash_of(SPAN(SECRET));
    token_format(42, SECRET, text);
    assert_string_equal(text, "park_42_" SECRET);
    assert_true(token_parse(text, &id, &hash));
    assert_int_equal(id, 42);
    assert_true(hash_is_same_secret(&hash, &expected));
    static const char *const wrong[] = {"", "park_", "park_1_", "park_1", "park__" SECRET, "park_0_" SECRET,
        "park_-1_" SECRET, "park_01_" SECRET, "park_+1_" SECRET, "park_1_" SECRET "0", "Park_1_" SECRET,
        " park_1_" SECRET, "park_1_" SECRET " ", "park_1x_" SECRET, "park_9223372036854775808_" SECRET,
        "park_1_0011223344556677889",
        "park_1_"
        "X0112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
        "park_1_"
        "00112233445566778899AABBCCDDEEFF00112233445566778899aabbccddeeff",
        SECRET};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        if (token_parse(wrong[i], &id, &hash))
            fail_msg("\"%s\" is taken", wrong[i]);
}

static void test_the_longest_id_fits(void **state)
{
    (void)state;
    char text[TOKEN_TEXT_SIZE];
    int64_t id;
    struct hash hash;
    token_format(INT64_MAX, SECRET, text);
    assert_true(token_parse(text, &id, &hash));
    assert_true(id == INT64_MAX);
}

static void test_secrets_differ_and_have_their_form(void **state)
{
    (void)state;
    char a[SECRET_TEXT_SIZE], b[SECRET_TEXT_SIZE];
    secret_draw(a);
    secret_draw(b);
    assert_string_not_equal(a, b);
    assert_int_equal(strspn(a, "0123456789abcdef"), 64);
}

static void test_the_life_of_a_token_is_hours_or_days(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ms; /* 0 = refused */
    } cases[] = {{"1h", 3600000}, {"90d", INT64_C(7776000000)}, {"1830d", TOKEN_LIFE_MAX_MS}, {"1831d", 0},
        {"43920h", TOKEN_LIFE_MAX_MS}, {"43921h", 0}, {"0d", 0}, {"-1d", 0}, {"d", 0}, {"", 0}, {"90", 0},
        {"90 d", 0}, {"1.5d", 0}, {"90D", 0}, {"9w", 0}, {"99999999999999999999d", 0}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t ms = 0;
        if (token_life_parse(cases[i].text, &ms) != (cases[i].ms > 0) || ms != cases[i].ms)
            fail_msg("\"%s\" is %lld", cases[i].text, (long long)ms);
    }
}

static void test_a_token_ends_at_its_time_or_when_revoked(void **state)
{
    (void)state;
    struct token token = {.expires_ms = NOW};
    assert_int_equal(token_state(&token, NOW - 1), TOKEN_VALID);
    assert_int_equal(token_state(&token, NOW), TOKEN_EXPIRED);
    token.revoked_ms = NOW + 5; /* whatever the clock says */
    assert_int_equal(token_state(&token, NOW - 1), TOKEN_REVOKED);
}

static void test_roles_and_scopes_have_names(void **state)
{
    (void)state;
    enum role role = ROLE_PUBLIC;
    unsigned scopes = 0;
    char text[SCOPES_TEXT_SIZE];
    assert_true(role_parse("auditor", &role));
    assert_int_equal(role, ROLE_AUDITOR);
    assert_false(role_parse("Auditor", &role) || role_parse("", &role) || role_parse("admin", &role));
    assert_true(scopes_parse("alarms,outages", &scopes));
    assert_int_equal(scopes, SCOPE_OUTAGES | SCOPE_ALARMS);
    static const char *const wrong[] = {
        "", ",", "alarms,", ",alarms", "alarms,alarms", "alarm", "all", "alarms outages"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        if (scopes_parse(wrong[i], &scopes))
            fail_msg("\"%s\" is taken", wrong[i]);
    scopes_format(SCOPE_OUTAGES | SCOPE_ALARMS, text);
    assert_string_equal(text, "outages,alarms");
    scopes_format(63, text);
    assert_true(scopes_parse(text, &scopes) && scopes == 63);
    scopes_format(0, text);
    assert_string_equal(text, "");
}

/* ---- tries ---- */

static struct in6_addr v4(unsigned char last)
{
    return (struct in6_addr){.s6_addr = {[10] = 0xff, [11] = 0xff, [12] = 10, [15] = last}};
}

static void test_who_fails_waits_ever_longer(void **state)
{
    (void)state;
    static struct tries t;
    struct in6_addr a = v4(1), b = v4(2);
    int64_t now = 1000;
    static const int64_t waits[] = {
        0, 0, 1000, 2000, 4000, 8000, 16000, 32000, 64000, 128000, 256000, 300000, 300000};
    for (size_t i = 0; i < sizeof waits / sizeof waits[0]; i++) {
        tries_fail(&t, &a, now);
        assert_int_equal(tries_wait_ms(&t, &a, now), waits[i]);
        now += waits[i];
        assert_int_equal(tries_wait_ms(&t, &a, now), 0);
    }
    assert_int_equal(tries_wait_ms(&t, &b, now), 0);
    for (int i = 0; i < 5000; i++)
        tries_fail(&t, &a, now);
    assert_int_equal(tries_wait_ms(&t, &a, now), TRIES_WAIT_MAX_MS);
    /* An hour without one is forgotten, as is whatever was before a success. */
    now += TRIES_FORGET_MS;
    tries_fail(&t, &a, now);
    assert_int_equal(tries_wait_ms(&t, &a, now), 0);
    for (int i = 0; i < 5; i++)
        tries_fail(&t, &b, now);
    assert_true(tries_wait_ms(&t, &b, now) > 0);
    tries_succeed(&t, &b);
    assert_int_equal(tries_wait_ms(&t, &b, now), 0);
}

static void test_an_ipv6_network_is_one_address(void **state)
{
    (void)state;
    static struct tries t;
    struct in6_addr a = {.s6_addr = {0x20, 1, [7] = 1, [15] = 1}},
                    b = {.s6_addr = {0x20, 1, [7] = 1, [9] = 9}},
                    c = {.s6_addr = {0x20, 1, [7] = 2, [15] = 1}};
    for (int i = 0; i < 4; i++)
        tries_fail(&t, &a, 0);
    assert_int_equal(tries_wait_ms(&t, &b, 0), 2000);
    assert_int_equal(tries_wait_ms(&t, &c, 0), 0);
}

static void test_of_too_many_addresses_the_oldest_is_forgotten(void **state)
{
    (void)state;
    static struct tries t;
    struct in6_addr first = v4(1), many = {.s6_addr = {0x20, 1}};
    for (int i = 0; i < 5; i++)
        tries_fail(&t, &first, 1);
    for (int n = 0; n < TRIES_MAX - 1; n++) {
        many.s6_addr[6] = (unsigned char)(n >> 8);
        many.s6_addr[7] = (unsigned char)n;
        tries_fail(&t, &many, 2 + n);
    }
    assert_true(tries_wait_ms(&t, &first, 2) > 0);
    many.s6_addr[5] = 1;
    tries_fail(&t, &many, 5000);
    assert_int_equal(tries_wait_ms(&t, &first, 2), 0);
    struct in6_addr second = {.s6_addr = {0x20, 1}};
    for (int i = 0; i < 3; i++)
        tries_fail(&t, &second, 5000); /* its first failure was kept: this is the fourth */
    assert_int_equal(tries_wait_ms(&t, &second, 5000), 2000);
}

/* ---- the file ---- */

static struct db *open_tokens(void)
{
    struct db *db;
    struct error err;
    if (tokens_open(database, &db, &err) != ST_OK)
        fail_msg("%s", err.text);
    return db;
}

static struct token add(struct db *db, const char *name)
{
    struct token token = {
        .role = ROLE_AUDITOR, .scopes = SCOPE_CLOSINGS, .created_ms = NOW, .expires_ms = NOW + 1000};
    struct error err;
    char secret[SECRET_TEXT_SIZE];
    secret_draw(secret);
    snprintf(token.name, sizeof token.name, "%s", name);
    token.hash = secret_hash(secret);
    if (tokens_add(db, &token, "user me", NOW, &err) != ST_OK)
        fail_msg("%s", err.text);
    return token;
}

static void count_change(void *user_data, const struct change *change)
{
    char *text = user_data;
    size_t len = strlen(text);
    snprintf(text + len, 1024 - len, "%s|%s|%s|%s|%s\n", change->who, change->action, change->object,
        change->before ? change->before : "-", change->after ? change->after : "-");
}

static void test_a_change_is_seen_at_once_and_logged_with_it(void **state)
{
    (void)state;
    struct tokens_reader reader;
    struct token found;
    struct error err;
    bool is_found;
    tokens_reader_init(&reader, database);
    assert_int_equal(tokens_reader_find(&reader, 1, &found, &is_found, &err), ST_OK);
    assert_false(is_found); /* nor is there a file */
    struct db *db = open_tokens();
    struct token token = add(db, "energy office");
    assert_int_equal(token.id, 1);
    assert_int_equal(tokens_reader_find(&reader, 1, &found, &is_found, &err), ST_OK);
    assert_true(is_found && hash_is_same_secret(&found.hash, &token.hash));
    assert_string_equal(found.name, "energy office");
    assert_int_equal(found.role, ROLE_AUDITOR);
    assert_int_equal(found.scopes, SCOPE_CLOSINGS);
    assert_int_equal(token_state(&found, NOW), TOKEN_VALID);
    assert_int_equal(tokens_use(db, 1, NOW, &err), ST_OK);
    assert_int_equal(tokens_revoke(db, 1, "user you", NOW + 5, &found, &err), ST_OK);
    assert_int_equal(tokens_revoke(db, 1, "user you", NOW + 9, &found, &err), ST_OK); /* no further change */
    assert_true(found.revoked_ms == NOW + 5);
    assert_int_equal(tokens_revoke(db, 2, "user you", NOW, &found, &err), ST_INVALID);
    db_close(db);
    assert_int_equal(tokens_reader_find(&reader, 1, &found, &is_found, &err), ST_OK);
    assert_int_equal(token_state(&found, NOW), TOKEN_REVOKED);
    assert_true(found.used_ms <= NOW && found.used_ms > NOW - 86400000 && found.used_ms % 86400000 == 0);
    char log[1024] = "";
    struct db *read;
    assert_int_equal(tokens_reader_db(&reader, &read, &err), ST_OK);
    assert_int_equal(changes_each(read, INT64_MAX, 10, count_change, log, &err), ST_OK);
    assert_string_equal(log,
        "user you|token revoke|token 1|\"energy office\", role auditor, scopes closings, until "
        "2026-09-21T14:13:21.000Z|revoked\n"
        "user me|token add|token 1|-|\"energy office\", role auditor, scopes closings, until "
        "2026-09-21T14:13:21.000Z\n");
    tokens_reader_release(&reader);
}

static void test_the_secret_is_nowhere_in_the_file(void **state)
{
    (void)state;
    struct db *db = open_tokens();
    struct error err;
    struct token token = {.role = ROLE_OPERATOR, .expires_ms = NOW, .hash = secret_hash(SECRET)};
    assert_int_equal(tokens_add(db, &token, "me", NOW, &err), ST_OK);
    db_close(db);
    char *path = tokens_path(database);
    FILE *file = fopen(path, "rb");
    char bytes[65536];
    size_t len = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    free(path);
    assert_true(len > 4096 && len < sizeof bytes);
    assert_null(memmem(bytes, len, SECRET, 64));
    assert_non_null(memmem(bytes, len, token.hash.bytes, HASH_SIZE));
}

static void test_the_log_is_only_added_to(void **state)
{
    (void)state;
    static const char *const wrong[] = {"DELETE FROM change_log", "UPDATE change_log SET who = 'x'",
        "INSERT OR REPLACE INTO change_log SELECT id, time_ms, token, 'x', action, object, before, after, "
        "note"
        " FROM change_log",
        "DELETE FROM token"};
    struct db *db = open_tokens();
    add(db, "a");
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct error err;
        assert_int_equal(db_exec(db, wrong[i], &err), ST_INVALID);
    }
    char log[1024] = "";
    struct error err;
    assert_int_equal(changes_each(db, INT64_MAX, 10, count_change, log, &err), ST_OK);
    assert_non_null(strstr(log, "user me|token add"));
    db_close(db);
}

static void note_ids(void *user_data, const struct change *change)
{
    int64_t **at = user_data;
    *(*at)++ = change->id;
}

static void test_ids_of_changes_go_up_whatever_the_clock_does(void **state)
{
    (void)state;
    struct db *db = open_tokens();
    struct error err;
    static const int64_t times[] = {NOW, NOW, NOW - 5000, NOW + 1};
    for (size_t i = 0; i < 4; i++) {
        struct change change = {.who = "me", .action = "a", .object = "o", .token = 3};
        assert_int_equal(changes_add(db, &change, times[i], &err), ST_OK);
    }
    int64_t ids[8], *end = ids;
    assert_int_equal(changes_each(db, INT64_MAX, 8, note_ids, &end, &err), ST_OK);
    assert_int_equal(end - ids, 4);
    assert_true(ids[0] == (NOW + 1) * 1000 && ids[1] == NOW * 1000 + 2 && ids[2] == NOW * 1000 + 1);
    end = ids;
    assert_int_equal(changes_each(db, NOW * 1000 + 2, 1, note_ids, &end, &err), ST_OK);
    assert_true(end - ids == 1 && ids[0] == NOW * 1000 + 1);
    db_close(db);
}

static void test_another_file_in_its_place_is_noticed(void **state)
{
    (void)state;
    struct tokens_reader reader;
    struct token found;
    struct error err;
    bool is_found;
    struct db *db = open_tokens();
    add(db, "a");
    db_close(db);
    tokens_reader_init(&reader, database);
    assert_int_equal(tokens_reader_find(&reader, 1, &found, &is_found, &err), ST_OK);
    assert_true(is_found);
    char *path = tokens_path(database);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(tokens_reader_find(&reader, 1, &found, &is_found, &err), ST_OK);
    assert_false(is_found);
    FILE *file = fopen(path, "w");
    fputs("this is no database, and it is longer than the header of one: "
          "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        file);
    fclose(file);
    assert_int_equal(tokens_reader_find(&reader, 1, &found, &is_found, &err), ST_INVALID);
    assert_false(is_found);
    free(path);
    tokens_reader_release(&reader);
}

static void test_one_at_a_time_writes(void **state)
{
    (void)state;
    struct db *db = open_tokens(), *other;
    struct error err;
    assert_int_equal(tokens_open(database, &other, &err), ST_UNREACHABLE);
    db_close(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_token_is_read_back_and_nothing_else_is_one),
        cmocka_unit_test(test_the_longest_id_fits),
        cmocka_unit_test(test_secrets_differ_and_have_their_form),
        cmocka_unit_test(test_the_life_of_a_token_is_hours_or_days),
        cmocka_unit_test(test_a_token_ends_at_its_time_or_when_revoked),
        cmocka_unit_test(test_roles_and_scopes_have_names),
        cmocka_unit_test(test_who_fails_waits_ever_longer),
        cmocka_unit_test(test_an_ipv6_network_is_one_address),
        cmocka_unit_test(test_of_too_many_addresses_the_oldest_is_forgotten),
        cmocka_unit_test_setup_teardown(test_a_change_is_seen_at_once_and_logged_with_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_secret_is_nowhere_in_the_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_log_is_only_added_to, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_ids_of_changes_go_up_whatever_the_clock_does, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_another_file_in_its_place_is_noticed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_one_at_a_time_writes, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
