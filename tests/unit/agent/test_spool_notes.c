/* agent/deliver/spool: notes of sources are there exactly when the readings are that they came with. */
#include "tests/unit/agent/spool_fixture.h"

#include "lib/buf.h"

static void on_note(void *user_data, struct span key, struct span note)
{
    buf_printf(user_data, "%.*s=%.*s;", (int)key.len, key.at, (int)note.len, note.at);
}

static void expect_notes(struct spool *s, const char *prefix, const char *expected)
{
    struct buf found = {0};
    struct error err;
    assert_int_equal(spool_notes(s, prefix, &found, on_note, &err), ST_OK);
    assert_string_equal(found.data != NULL ? found.data : "", expected);
    buf_release(&found);
}

static enum status add_noted(struct spool *s, int64_t n, const char *key, const char *note)
{
    struct spool_reading reading = count_at(n);
    struct error err;
    reading.note_key = (char *)key;
    reading.note = (char *)note;
    return spool_add(s, &reading, 1, &err);
}

static void test_a_note_takes_the_place_of_the_earlier_one_and_outlives_the_program(void **state)
{
    (void)state;
    char *path = new_path();
    struct spool *s = open_spool(path);
    expect_notes(s, "", "");
    assert_int_equal(add_noted(s, 1, "frame/a", "1"), ST_OK);
    assert_int_equal(add_noted(s, 2, "frame/b", "x y"), ST_OK);
    assert_int_equal(add_noted(s, 3, "session/a", "open"), ST_OK);
    assert_int_equal(add_noted(s, 4, "frame/a", "2"), ST_OK);
    add(s, 5, 5);
    spool_close(s);
    s = open_spool(path);
    expect_notes(s, "frame/", "frame/a=2;frame/b=x y;");
    expect_notes(s, "session/", "session/a=open;");
    expect_notes(s, "fram_", "");
    assert_int_equal(state_of(s).uncut, 5);
    spool_close(s);
    free(path);
}

static void test_a_reading_that_is_refused_leaves_no_note(void **state)
{
    (void)state;
    char *path = new_path();
    may_drop = false;
    struct spool *s = open_limited(path, 2);
    expect_notes(s, "", "");
    int64_t n = 0;
    char *large = mem_alloc(20001);
    memset(large, 'x', 20000);
    large[20000] = '\0';
    char key[32];
    enum status status;
    do
        snprintf(key, sizeof key, "k%03lld", (long long)++n);
    while ((status = add_noted(s, n, key, large)) == ST_OK && n < 500);
    assert_int_equal(status, ST_FULL);
    assert_int_equal(state_of(s).uncut, n - 1);
    struct buf found = {0};
    struct error err;
    assert_int_equal(spool_notes(s, key, &found, on_note, &err), ST_OK);
    assert_int_equal(found.len, 0);
    buf_release(&found);
    spool_close(s);
    free(large);
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_note_takes_the_place_of_the_earlier_one_and_outlives_the_program),
        cmocka_unit_test(test_a_reading_that_is_refused_leaves_no_note),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
