/* agent/deliver/spool: what a start finds. Files of others are refused; after a kill at any
 * instant all that was committed is there. */
#include "lib/db.h"
#include "tests/unit/agent/spool_fixture.h"
#include "tests/unit/random.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* ---- what must be refused ---- */

static void refuse(const char *path, enum status status, const char *part)
{
    struct spool *s = NULL;
    struct error err = {""};
    assert_int_equal(try_open(path, "gw-a", 64, &s, &err), status);
    if (strstr(err.text, part) == NULL)
        fail_msg("\"%s\" is not in: %s", part, err.text);
    assert_null(s);
}

static void test_another_gateways_spool_is_refused(void **state)
{
    (void)state;
    char *path = new_path();
    struct spool *s;
    struct error err;
    assert_int_equal(try_open(path, "gw-b", 64, &s, &err), ST_OK);
    spool_close(s);
    refuse(path, ST_INVALID, "is the spool of gateway \"gw-b\"; expected \"gw-a\"");
    free(path);
}

static void test_a_spool_in_use_is_refused(void **state)
{
    (void)state;
    char *path = new_path();
    struct spool *s = open_spool(path);
    refuse(path, ST_UNREACHABLE, "in use by another process");
    spool_close(s);
    spool_close(open_spool(path));
    free(path);
}

static void write_bytes(const char *path, int64_t offset, const char *bytes, size_t len)
{
    int fd = open(path, O_WRONLY | O_CREAT, 0600);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, bytes, len, offset), (ssize_t)len);
    close(fd);
}

static void test_a_foreign_file_is_refused(void **state)
{
    (void)state;
    char *path = new_path();
    char text[2000];
    memset(text, 'x', sizeof text);
    write_bytes(path, 0, text, sizeof text);
    refuse(path, ST_INVALID, "not a sound database");
    free(path);
}

static void test_a_foreign_database_is_refused_and_left_alone(void **state)
{
    (void)state;
    static const char *const scripts[] = {"CREATE TABLE other(x INTEGER) STRICT"};
    for (int version = 0; version < 2; version++) {
        char *path = new_path();
        struct db *db;
        struct error err;
        assert_int_equal(db_open(path, &(struct db_schema){scripts, 1}, &db, &err), ST_OK);
        if (version == 0)
            assert_int_equal(db_exec(db, "PRAGMA user_version = 0", &err), ST_OK);
        db_close(db);
        refuse(path, ST_INVALID, "something else");
        assert_int_equal(db_open_reader(path, &db, &err), ST_OK);
        struct db_stmt *tables = db_prepare(db, "SELECT count(*) FROM sqlite_schema");
        bool has_row;
        assert_int_equal(db_step(tables, &has_row, &err), ST_OK);
        assert_int_equal(db_int(tables, 0), 1);
        db_close(db);
        free(path);
    }
}

static void test_a_missing_folder_is_named(void **state)
{
    (void)state;
    char *path = mem_printf("%s/none/a.spool", folder);
    struct spool *s;
    struct error err;
    assert_int_not_equal(try_open(path, "gw-a", 64, &s, &err), ST_OK);
    assert_non_null(strstr(err.text, "none/a.spool"));
    free(path);
}

/* ---- killed at any instant ---- */

/* Commits, cuts, acknowledges, refuses at random, and tells each committed fact through the pipe before it
 * does the next thing. */
static void run_until_killed(const char *path, unsigned seed, int64_t next, int pipe_fd)
{
    srand(seed);
    struct spool *s = open_limited(path, 2);
    struct error err;
    for (;;) {
        struct spool_reading readings[150];
        size_t count = (size_t)(rand() % 150);
        for (size_t i = 0; i < count; i++)
            readings[i] = count_at(next + (int64_t)i);
        int64_t room = state_of(s).mark + 16 - state_of(s).last;
        enum status status =
            spool_commit(s, readings, count, room > 0 ? rand() % (room + 1) : 0, 4000 + rand() % 20000, &err);
        if (status == ST_OK)
            next += (int64_t)count;
        else if (status != ST_FULL)
            _exit(1);
        struct spool_state now = state_of(s);
        if (write(pipe_fd, &(int64_t[]){next, now.last, (int64_t)now.epoch}, 24) != 24)
            _exit(1);
        if (rand() % 3 == 0 && now.last > now.mark)
            spool_set_mark(s, now.mark + 1 + rand() % (now.last - now.mark));
        else if (rand() % 50 == 0 && now.mark > now.first)
            spool_set_mark(s, now.mark - 1);
    }
}

/* Every batch is as it was seen first; together with what is uncut there is every count once and in order.
 * Returns the count that would follow. */
static int64_t check_whole(struct spool *s, int64_t committed, struct seen *known, int64_t known_max)
{
    struct spool_state now = state_of(s);
    int64_t next = -1;
    uint64_t epoch = 0;
    for (int64_t seq = now.first; seq <= now.last; seq++) {
        assert_true(seq < known_max);
        struct seen seen = glance(s, seq);
        if (known[seq].body == NULL) {
            read_lines(&seen);
            known[seq] = seen;
        } else {
            assert_string_equal(seen.body, known[seq].body);
            assert_true(seen.header.epoch == known[seq].header.epoch);
            free(seen.body);
            seen = known[seq];
        }
        if (next >= 0)
            assert_int_equal(seen.first_count, next);
        if (epoch != 0 && seen.header.epoch != epoch) {
            assert_true(seen.header.has_prev && seen.header.prev_epoch == epoch);
            assert_int_equal(seen.header.prev_seq, seq - 1);
        }
        epoch = seen.header.epoch;
        next = seen.last_count + 1;
    }
    for (int64_t seq = now.last + 1; state_of(s).uncut > 0; seq++) { /* the rest can be cut, and follows */
        spool_set_mark(s, state_of(s).last);
        cut(s, 1);
        struct seen seen = look(s, seq);
        assert_true(next < 0 || seen.first_count == next);
        next = seen.last_count + 1;
        free(seen.body);
    }
    assert_true(next >= committed || committed == 1);
    return next > 0 ? next : 1;
}

static void copy_file(const char *from, const char *to)
{
    static char bytes[1 << 16];
    int in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(out >= 0);
    ssize_t got;
    while (in >= 0 && (got = read(in, bytes, sizeof bytes)) > 0)
        assert_int_equal(write(out, bytes, (size_t)got), got);
    close(in);
    close(out);
}

/* With its write-ahead log, which may not be there. */
static void copy_spool(const char *from, const char *to)
{
    char *from_wal = mem_printf("%s-wal", from), *to_wal = mem_printf("%s-wal", to);
    copy_file(from, to);
    if (access(from_wal, F_OK) == 0)
        copy_file(from_wal, to_wal);
    free(from_wal);
    free(to_wal);
}

static int64_t mono_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000) + now.tv_nsec / 1000;
}

/* Waits for one until the deadline. */
static bool has_word(int fd, int64_t deadline_us)
{
    int64_t left_us = deadline_us - mono_us();
    struct timespec left = {0, left_us * 1000};
    return left_us > 0 && ppoll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, &left, NULL) > 0;
}

static void test_a_kill_at_any_instant_loses_nothing_committed_and_renumbers_nothing(void **state)
{
    (void)state;
    unsigned seed = (unsigned)random_seed((uint64_t)time(NULL));
    unsigned rounds = getenv("PARKMON_LONG") != NULL ? 100 : 30;
    enum { BATCHES_MAX = 100000 };
    struct seen *known = mem_zalloc(BATCHES_MAX * sizeof *known);
    char *path = new_path();
    int64_t committed = 1, last = 0;
    for (unsigned round = 0; round < rounds; round++) {
        int ends[2];
        assert_int_equal(pipe(ends), 0);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            close(ends[0]);
            run_until_killed(path, seed + round, committed, ends[1]);
        }
        close(ends[1]);
        srand(seed * 31 + round);
        int64_t fact[3];
        for (int facts = rand() % 5; facts >= 0 && read(ends[0], fact, 24) == 24; facts--)
            committed = fact[0], last = fact[1];
        /* And those of the next microseconds: it dies in the middle of a commit more often than not. */
        int64_t deadline_us = mono_us() + rand() % 1500;
        while (has_word(ends[0], deadline_us) && read(ends[0], fact, 24) == 24)
            committed = fact[0], last = fact[1];
        kill(child, SIGKILL);
        int wait_status;
        waitpid(child, &wait_status, 0);
        assert_true(WIFSIGNALED(wait_status) && WTERMSIG(wait_status) == SIGKILL);
        while (read(ends[0], fact, 24) == 24)
            committed = fact[0], last = fact[1];
        close(ends[0]);

        /* Looked at in a copy, since looking cuts. */
        char *copy = new_path();
        copy_spool(path, copy);
        struct spool *s = open_limited(copy, 64);
        assert_true(state_of(s).last >= last);
        committed = check_whole(s, committed, known, BATCHES_MAX);
        spool_close(s);
        unlink(copy);
        free(copy);
    }
    for (int i = 0; i < BATCHES_MAX; i++)
        free(known[i].body);
    free(known);
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_another_gateways_spool_is_refused),
        cmocka_unit_test(test_a_spool_in_use_is_refused),
        cmocka_unit_test(test_a_foreign_file_is_refused),
        cmocka_unit_test(test_a_foreign_database_is_refused_and_left_alone),
        cmocka_unit_test(test_a_missing_folder_is_named),
        cmocka_unit_test(test_a_kill_at_any_instant_loses_nothing_committed_and_renumbers_nothing),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
