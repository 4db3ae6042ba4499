/* agent/deliver/spool: a damaged file is set aside, and the new one says what can still be counted. */
#include "agent/deliver/spool_private.h"
#include "lib/db.h"
#include "tests/unit/agent/spool_fixture.h"
#include "tests/unit/killed_at.h"

#include <glob.h>
#include <sys/wait.h>
#include <unistd.h>

static void write_bytes(const char *path, int64_t offset, const void *bytes, size_t len)
{
    int fd = open(path, O_WRONLY | O_CREAT, 0600);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, bytes, len, offset), (ssize_t)len);
    close(fd);
}

static char *read_all(const char *path, int64_t *ret_len)
{
    *ret_len = file_bytes(path);
    char *bytes = mem_alloc((size_t)*ret_len + 1);
    int fd = open(path, O_RDONLY);
    assert_int_equal(read(fd, bytes, (size_t)*ret_len), (ssize_t)*ret_len);
    close(fd);
    return bytes;
}

/* But for the counters of the header, where SQLite notes that it had the file open for writing. */
static void assert_same(char *a, char *b, int64_t len)
{
    static const int counters[] = {24, 92};
    for (int i = 0; i < 2 && len >= 100; i++) {
        memset(a + counters[i], 0, 4);
        memset(b + counters[i], 0, 4);
    }
    assert_memory_equal(a, b, (size_t)len);
}

/* 14 batches, of which 10 are acknowledged; 5 000 registers and 5 000 gauges not cut. */
#define UNCUT 10000
static char *filled_spool(void)
{
    char *path = new_path();
    struct spool *s = open_spool(path);
    for (int64_t next = 1; next < 14000; next += 1000) {
        add(s, next, next + 999);
        cut(s, 16);
        if (next < 10000)
            spool_set_mark(s, state_of(s).last);
    }
    add(s, 14001, 19000);
    struct spool_reading *gauges = mem_alloc(5000 * sizeof *gauges);
    for (int i = 0; i < 5000; i++)
        gauges[i] = (struct spool_reading){
            .point = 1, .kind = READING_GAUGE, .time_ms = T0 + 19001 + i, .value = (double)i};
    struct error err;
    assert_int_equal(spool_add(s, gauges, 5000, &err), ST_OK);
    free(gauges);
    spool_close(s); /* the last connection: all is in the one file */
    return path;
}

/* The n-th leaf page of a table, from 0. */
static int64_t leaf_of(const char *path, const char *table, int n)
{
    struct db *db;
    struct error err;
    assert_int_equal(db_open_reader(path, &db, &err), ST_OK);
    struct db_stmt *find = db_prepare(
        db, "SELECT pageno FROM dbstat WHERE name = ? AND pagetype = 'leaf' ORDER BY path LIMIT 1 OFFSET ?");
    bool has_row;
    db_bind_text(find, 1, span_of(table));
    db_bind_int(find, 2, n);
    assert_int_equal(db_step(find, &has_row, &err), ST_OK);
    assert_true(has_row);
    int64_t page = db_int(find, 0);
    db_close(db);
    return page;
}

static void spoil_page(const char *path, int64_t page)
{
    char junk[4096];
    memset(junk, 0xa5, sizeof junk);
    write_bytes(path, (page - 1) * 4096, junk, sizeof junk);
}

static size_t aside_count(const char *path)
{
    char *pattern = mem_printf("%s.damaged-*", path);
    glob_t found;
    size_t count = glob(pattern, 0, NULL, &found) == 0 ? found.gl_pathc : 0;
    if (count > 0)
        globfree(&found);
    free(pattern);
    return count;
}

/* Opens what is damaged. The old file is whole under its new name; `part` stands in what a person is told. */
static struct spool *open_damaged(const char *path, const char *part)
{
    int64_t len, kept_len;
    char *before = read_all(path, &len);
    size_t count = aside_count(path);
    struct spool *s = open_spool(path);
    assert_non_null(spool_warning(s));
    if (strstr(spool_warning(s), part) == NULL)
        fail_msg("\"%s\" is not in: %s", part, spool_warning(s));
    assert_int_equal(aside_count(path), count + 1);
    char *pattern = mem_printf("%s.damaged-*", path);
    glob_t found;
    assert_int_equal(glob(pattern, 0, NULL, &found), 0);
    char *kept = read_all(found.gl_pathv[0], &kept_len);
    if (count == 0) {
        assert_int_equal(kept_len, len);
        assert_same(kept, before, len);
    }
    globfree(&found);
    free(pattern);
    free(kept);
    free(before);
    return s;
}

static void test_a_spoiled_batch_loses_no_uncut_reading_without_naming_it(void **state)
{
    (void)state;
    char *path = filled_spool();
    spoil_page(path, leaf_of(path, "batch", 2));
    struct spool *s = open_damaged(path, "10000 readings are lost");
    assert_null(strstr(spool_warning(s), "at least"));
    assert_non_null(strstr(spool_warning(s), "besides what was cut and not acknowledged"));
    assert_non_null(strstr(spool_warning(s), "(1 lie there"));
    assert_int_equal(state_of(s).last, 14); /* numbers go on, and so does the chain */
    assert_int_equal(state_of(s).mark, 14);
    assert_int_equal(state_of(s).first, 15);
    uint64_t old = state_of(s).epoch;
    assert_true(old != 0);
    add(s, 30000, 30000);
    cut(s, 1);
    struct seen seen = look(s, 15);
    assert_int_equal(seen.header.first, 15);
    assert_true(seen.header.has_prev && seen.header.prev_epoch == old);
    assert_int_equal(seen.header.prev_seq, 14);
    assert_int_equal(seen.header.dropped, UNCUT);
    assert_int_equal(seen.header.dropped_from_ms, T0 + 14001);
    assert_int_equal(seen.header.dropped_to_ms, T0 + 24000);
    free(seen.body);
    spool_close(s);
    s = open_spool(path); /* once */
    assert_null(spool_warning(s));
    spool_close(s);
    free(path);
}

static void test_readings_that_cannot_be_read_are_at_least_one_more(void **state)
{
    (void)state;
    char *path = filled_spool();
    spoil_page(path, leaf_of(path, "record", 3));
    struct spool *s = open_damaged(path, "at least ");
    add(s, 30000, 30000);
    cut(s, 1);
    struct seen seen = look(s, 15);
    assert_true(seen.header.dropped > 5000 && seen.header.dropped < UNCUT);
    assert_true(seen.header.dropped_to_ms >= T0 + 24000);
    free(seen.body);
    spool_close(s);
    free(path);
}

/* The first of its batches says what was given up before it. */
static struct spool *open_damaged_that_said(int64_t mark, int64_t *ret_said, int64_t *ret_uncut)
{
    char *path = new_path();
    may_drop = true;
    struct spool *s = open_limited(path, 2);
    for (int64_t next = 1; state_of(s).dropped_readings == 0; next += 400)
        add(s, next, next + 399);
    *ret_said = state_of(s).dropped_readings;
    cut(s, 2);
    spool_set_mark(s, mark);
    *ret_uncut = state_of(s).uncut;
    spool_close(s);
    may_drop = false;
    spoil_page(path, leaf_of(path, "boot", 0));
    s = open_damaged(path, "readings are lost");
    free(path);
    assert_int_equal(state_of(s).last, 2);
    add(s, 1000000, 1000000);
    cut(s, 1);
    return s;
}

static void test_what_a_batch_said_that_is_lost_is_said_again(void **state)
{
    (void)state;
    int64_t said, uncut;
    for (int64_t mark = 0; mark < 2; mark++) { /* where it is acknowledged it is known */
        struct spool *s = open_damaged_that_said(mark, &said, &uncut);
        struct seen seen = look(s, 3);
        assert_int_equal(seen.header.dropped, uncut + (mark == 0 ? said : 0));
        if (mark == 0)
            assert_int_equal(seen.header.dropped_from_ms, T0 + 1);
        free(seen.body);
        spool_close(s);
    }
}

static void test_without_the_chain_batches_that_were_not_acknowledged_are_counted(void **state)
{
    (void)state;
    char *path = filled_spool();
    spoil_page(path, leaf_of(path, "epoch", 0));
    struct spool *s = open_damaged(path, "14000 readings are lost");
    assert_int_equal(state_of(s).last, 0);
    add(s, 30000, 30000);
    cut(s, 1);
    struct seen seen = look(s, 1);
    assert_false(seen.header.has_prev);
    assert_int_equal(seen.header.dropped, UNCUT + 4000);
    assert_int_equal(seen.header.dropped_from_ms, T0 + 10001);
    free(seen.body);
    spool_close(s);
    free(path);
}

/* Nothing can be read: at least one, up to the file's last change. */
static void see_unknown_loss(const char *path)
{
    struct spool *s = open_damaged(path, "at least 1 readings are lost");
    add(s, 1, 1);
    cut(s, 1);
    struct seen seen = look(s, 1);
    assert_int_equal(seen.header.dropped, 1);
    assert_true(seen.header.dropped_from_ms > T0 && seen.header.dropped_to_ms >= seen.header.dropped_from_ms);
    free(seen.body);
    spool_close(s);
}

static void test_a_torn_spool_is_set_aside(void **state)
{
    (void)state;
    char *path = filled_spool();
    char zero[4096] = {0};
    int64_t size = file_bytes(path);
    assert_int_equal(truncate(path, 50), 0); /* in the header */
    see_unknown_loss(path);
    free(path);

    path = filled_spool();
    write_bytes(path, 0, zero, sizeof zero); /* its first block was never written */
    see_unknown_loss(path);
    free(path);

    path = filled_spool();
    assert_int_equal(truncate(path, size / 2), 0);
    spool_close(open_damaged(path, " lost"));
    free(path);

    path = filled_spool();
    char junk[4000];
    memset(junk, 0x5a, sizeof junk);
    write_bytes(path, 96, junk, sizeof junk); /* the schema */
    write_bytes(path, 68, "park", 4);
    see_unknown_loss(path);
    free(path);
}

static void test_each_start_that_finds_damage_keeps_one_more(void **state)
{
    (void)state;
    char *path = filled_spool();
    for (int i = 0; i < 3; i++) {
        assert_int_equal(truncate(path, 50), 0);
        char *part = mem_printf("(%d lie there", i + 1);
        spool_close(open_damaged(path, part));
        free(part);
    }
    free(path);
}

static void refuse_unchanged(const char *path, const char *part)
{
    int64_t len, now_len;
    char *before = read_all(path, &len);
    struct spool *s = NULL;
    struct error err = {""};
    assert_int_equal(try_open(path, "gw-a", 64, &s, &err), ST_INVALID);
    if (strstr(err.text, part) == NULL)
        fail_msg("\"%s\" is not in: %s", part, err.text);
    char *now = read_all(path, &now_len);
    assert_int_equal(now_len, len);
    assert_same(now, before, len);
    assert_int_equal(aside_count(path), 0);
    free(before);
    free(now);
}

static void test_what_is_not_damaged_or_not_ours_is_refused(void **state)
{
    (void)state;
    char *path = filled_spool();
    write_bytes(path, 60, "\0\0\0\x63", 4); /* user_version */
    refuse_unchanged(path, "newer version");
    free(path);

    path = filled_spool();
    write_bytes(path, 68, "abcd", 4); /* application_id */
    refuse_unchanged(path, "something else");
    spoil_page(path, leaf_of(path, "batch", 2));
    refuse_unchanged(path, "something else");
    free(path);

    path = new_path();
    struct spool *s;
    struct error err;
    assert_int_equal(try_open(path, "gw-b", 64, &s, &err), ST_OK);
    add(s, 1, 3000);
    spool_close(s);
    spoil_page(path, leaf_of(path, "record", 1));
    refuse_unchanged(path, "is the spool of gateway \"gw-b\"");
    free(path);
}

static void test_a_suspect_that_is_sound_stays(void **state)
{
    (void)state;
    char *path = filled_spool(), *suspect = mem_printf("%s.suspect", path);
    write_bytes(suspect, 0, "", 0);
    struct spool *s = open_spool(path);
    assert_null(spool_warning(s));
    assert_int_equal(state_of(s).uncut, UNCUT);
    assert_int_not_equal(access(suspect, F_OK), 0);
    spool_close(s);
    free(suspect);
    free(path);
}

static void test_damage_met_while_running_is_an_error_of_the_disk_and_found_by_the_next_start(void **state)
{
    (void)state;
    char *path = filled_spool(), *suspect = mem_printf("%s.suspect", path);
    int64_t pages[] = {leaf_of(path, "record", 5), leaf_of(path, "record", 12), leaf_of(path, "gauge", 5)};
    struct spool *s = open_spool(path);
    for (int64_t seq = 1; seq <= 14; seq++) { /* until nothing else is in the cache */
        struct seen seen = glance(s, seq);
        free(seen.body);
    }
    for (int i = 0; i < 3; i++)
        spoil_page(path, pages[i]);
    struct error err;
    enum status status = ST_OK;
    for (int i = 0; status == ST_OK && i < 20; i++) {
        spool_set_mark(s, state_of(s).last);
        status = spool_cut(s, 16, PAYLOAD_MAX, &err);
    }
    assert_int_equal(status, ST_STORAGE);
    spool_close(s);
    assert_int_equal(access(suspect, F_OK), 0);
    s = open_damaged(path, "at least ");
    assert_int_not_equal(access(suspect, F_OK), 0);
    spool_close(s);
    free(suspect);
    free(path);
}

static void test_a_start_killed_between_the_renames_goes_on_with_the_new_one(void **state)
{
    (void)state;
    char *path = filled_spool(), *next = mem_printf("%s.next", path);
    spoil_page(path, leaf_of(path, "batch", 2));
    spool_close(open_damaged(path, "10000 readings"));
    assert_int_equal(rename(path, next), 0);
    struct spool *s = open_spool(path);
    assert_int_equal(state_of(s).last, 14);
    assert_int_not_equal(access(next, F_OK), 0);
    spool_close(s);
    free(next);
    free(path);
}

static int64_t mark_in(const char *path)
{
    struct db *db;
    struct error err;
    bool has_row;
    assert_int_equal(db_open_reader(path, &db, &err), ST_OK);
    struct db_stmt *mark = db_prepare(db, "SELECT mark FROM spool");
    assert_int_equal(db_step(mark, &has_row, &err), ST_OK);
    int64_t found = db_int(mark, 0);
    db_close(db);
    return found;
}

/* Somebody reads what `path` holds now, so that the log stays beside it. */
static pid_t start_reader(const char *path)
{
    int ready[2];
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        struct db *db;
        if (db_open_reader(path, &db, NULL) == ST_OK &&
            db_exec(db, "BEGIN; SELECT count(*) FROM spool", NULL) == ST_OK && write(ready[1], "", 1) == 1)
            pause();
        _exit(1);
    }
    char byte;
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    close(ready[1]);
    return child;
}

static void end(pid_t child)
{
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
}

/* Without its log the database is sound, and of a time when one batch was cut; with it, it is damaged and holds two. */
static char *spool_damaged_in_its_log(pid_t *ret_reader)
{
    char *path = new_path(), *log = mem_printf("%s-wal", path);
    struct error err;
    struct db *db;
    struct spool *s = open_spool(path);
    add(s, 1, 10);
    cut(s, 1);
    spool_close(s);
    *ret_reader = start_reader(path);
    s = open_spool(path);
    spool_set_mark(s, 1);
    add(s, 11, 20);
    cut(s, 1);
    spool_close(s);
    assert_int_equal(db_open(path, &spool_schema, &db, &err), ST_OK);
    assert_int_equal(db_exec(db, "UPDATE spool SET mark = 99", &err), ST_OK);
    db_close(db);
    assert_true(file_bytes(log) > 0);
    free(log);
    return path;
}

static void check_what_is_aside(const char *path)
{
    char *pattern = mem_printf("%s.damaged-*", path);
    glob_t found;
    int databases = 0;
    assert_int_equal(glob(pattern, 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        const char *name = found.gl_pathv[i], *end_of = name + strlen(name) - 4;
        if (strcmp(end_of, "-wal") != 0 && strcmp(end_of, "-shm") != 0) {
            assert_int_equal(mark_in(name), 99); /* which its log says */
            databases++;
        }
    }
    assert_int_equal(databases, 1);
    globfree(&found);
    free(pattern);
}

static void test_a_start_killed_at_any_step_never_leaves_the_database_without_its_log(void **state)
{
    (void)state;
    int result = -1, steps = 0;
    while (result != 0) {
        pid_t reader;
        char *path = spool_damaged_in_its_log(&reader), *next = mem_printf("%s.next", path);
        pid_t child = fork();
        if (child == 0) {
            struct spool *s;
            killed_at = steps + 1;
            _exit(try_open(path, "gw-a", 64, &s, NULL) == ST_OK ? 0 : 1);
        }
        waitpid(child, &result, 0);
        assert_true(result == 0 || WIFSIGNALED(result));
        end(reader);
        struct spool *s = open_spool(path);
        if (state_of(s).last != 2 || state_of(s).mark != 2)
            fail_msg("killed at step %d: last %d, mark %d", steps + 1, (int)state_of(s).last,
                (int)state_of(s).mark);
        assert_int_not_equal(access(next, F_OK), 0);
        spool_close(s);
        check_what_is_aside(path);
        free(next);
        free(path);
        steps++;
    }
    assert_true(steps > 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_spoiled_batch_loses_no_uncut_reading_without_naming_it),
        cmocka_unit_test(test_readings_that_cannot_be_read_are_at_least_one_more),
        cmocka_unit_test(test_what_a_batch_said_that_is_lost_is_said_again),
        cmocka_unit_test(test_without_the_chain_batches_that_were_not_acknowledged_are_counted),
        cmocka_unit_test(test_a_torn_spool_is_set_aside),
        cmocka_unit_test(test_each_start_that_finds_damage_keeps_one_more),
        cmocka_unit_test(test_what_is_not_damaged_or_not_ours_is_refused),
        cmocka_unit_test(test_a_suspect_that_is_sound_stays),
        cmocka_unit_test(test_damage_met_while_running_is_an_error_of_the_disk_and_found_by_the_next_start),
        cmocka_unit_test(test_a_start_killed_between_the_renames_goes_on_with_the_new_one),
        cmocka_unit_test(test_a_start_killed_at_any_step_never_leaves_the_database_without_its_log),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
