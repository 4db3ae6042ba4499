/*
 * agent/deliver/spool on a disk that fails: the I/O operations of a scenario that gives readings up, cuts, frees
 * and checkpoints are counted, and the n-th fails, for every n (PARKMON_LONG=1): once, from then on, or as on a full disk. After
 * it the file holds what was committed, and what the failed call would have committed as a whole or not at all.
 */
#include "tests/unit/agent/spool_fixture.h"
#include "tests/unit/faulty_disk.h"
#include "tests/unit/random.h"

#include <fcntl.h>
#include <inttypes.h>
#include <time.h>
#include <unistd.h>

static int become_faulty(void **state)
{
    may_drop = true;
    return make_folder(state) != 0 || !faulty_disk_register();
}

/* ---- the scenario ---- */

#define LIMIT_BYTES (950 * 1024) /* little more than what is kept free for cutting: soon at its limit */
#define STEPS 24
#define READINGS 500
#define SEQ_MAX 256

struct book {
    int64_t committed; /* readings of calls that succeeded */
    int64_t at_risk;   /* of the one that failed */
    char *bodies[SEQ_MAX];
    int64_t dropped[SEQ_MAX];
    bool is_acknowledged[SEQ_MAX];
};

static enum status open_at(const char *path, struct spool **ret, struct error *err)
{
    struct spool_options options = {.path = path,
        .gateway = "gw-a",
        .limit_bytes = LIMIT_BYTES,
        .points = points,
        .point_count = 4,
        .may_drop = true};
    return spool_open(&options, ret, err);
}

/* What is seen once never changes. */
static void look_at_batches(struct spool *s, struct book *book)
{
    for (int64_t seq = state_of(s).first; seq <= state_of(s).last; seq++) {
        assert_true(seq < SEQ_MAX);
        struct seen seen = glance(s, seq);
        if (book->bodies[seq] == NULL) {
            book->bodies[seq] = seen.body;
            book->dropped[seq] = seen.header.dropped;
            continue;
        }
        assert_string_equal(seen.body, book->bodies[seq]);
        assert_int_equal(seen.header.dropped, book->dropped[seq]);
        free(seen.body);
    }
}

static enum status step(struct spool *s, int i, struct book *book, struct error *err)
{
    static struct spool_reading readings[READINGS];
    for (int k = 0; k < READINGS; k++) {
        int64_t n = (int64_t)i * READINGS + k;
        readings[k] = count_at(n);
        if (n % 2 != 0)
            readings[k] = (struct spool_reading){
                .point = 1, .kind = READING_GAUGE, .time_ms = T0 + n, .value = (double)n};
    }
    bool is_online = i % 8 >= 5;
    size_t count = i % 8 == 7 ? 0 : READINGS;
    book->at_risk = (int64_t)count;
    enum status status = spool_commit(s, readings, count, is_online ? 3 : 0, 12000, err);
    if (status != ST_OK)
        return status;
    book->committed += (int64_t)count;
    book->at_risk = 0;
    if (is_online && i % 3 != 0) {
        for (int64_t seq = state_of(s).first; seq <= state_of(s).last; seq++)
            book->is_acknowledged[seq] = true;
        spool_set_mark(s, state_of(s).last);
    }
    return ST_OK;
}

static int64_t lines_of(const char *body)
{
    int64_t lines = 0;
    for (; *body != '\0'; body++)
        lines += *body == '\n';
    return lines;
}

static int64_t unsaid(const char *path)
{
    sqlite3 *db;
    sqlite3_stmt *stmt;
    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, "SELECT dropped FROM spool", -1, &stmt, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    int64_t value = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    sqlite3_close(db);
    return value;
}

static void check_book(struct spool *s, const char *path, struct book *book)
{
    look_at_batches(s, book);
    int64_t said = 0, in_batches = 0;
    for (int i = 0; i < SEQ_MAX; i++) {
        /* What a batch said that is given up is said again. */
        said += book->is_acknowledged[i] || i >= state_of(s).first ? book->dropped[i] : 0;
        in_batches += book->bodies[i] != NULL ? lines_of(book->bodies[i]) : 0;
    }
    int64_t found = in_batches + state_of(s).uncut + said + unsaid(path);
    if (found != book->committed && found != book->committed + book->at_risk)
        fail_msg("operation %" PRId64 ": %" PRId64 " of %" PRId64 " (and perhaps %" PRId64 ")",
            faulty_disk.fails_at, found, book->committed, book->at_risk);
}

static void remove_spool(const char *path)
{
    static const char *const suffixes[] = {"", "-wal", "-shm", ".lock", ".reserve", ".suspect"};
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        char *name = mem_printf("%s%s", path, suffixes[i]);
        unlink(name);
        free(name);
    }
}

/* True when it went through without a fault: there is no n-th operation. */
static bool run_once(int64_t n, int64_t *ret_dropped)
{
    char *path = new_path();
    struct book book = {0};
    struct spool *s = NULL;
    struct error err;
    faulty_disk.operations = 0;
    faulty_disk.fails_at = n;
    enum status status = open_at(path, &s, &err);
    for (int i = 0; i < STEPS && status == ST_OK; i++) {
        status = step(s, i, &book, &err);
        if (status == ST_FULL)
            status = ST_OK; /* a live agent keeps them in memory, and tries again */
        if (status == ST_OK)
            look_at_batches(s, &book);
    }
    if (s != NULL)
        *ret_dropped = state_of(s).dropped_readings;
    bool is_whole = status == ST_OK && faulty_disk.operations < n;
    spool_close(s);
    if (status != ST_OK)
        assert_true(status == ST_STORAGE || (s == NULL && status == ST_FULL));

    faulty_disk.fails_at = 0; /* the next start */
    assert_int_equal(open_at(path, &s, &err), ST_OK);
    assert_null(spool_warning(s)); /* and nothing is damaged */
    check_book(s, path, &book);
    /* It goes on. */
    spool_set_mark(s, state_of(s).last);
    assert_int_equal(step(s, STEPS, &(struct book){0}, &err), ST_OK);
    spool_close(s);
    for (int i = 0; i < SEQ_MAX; i++)
        free(book.bodies[i]);
    remove_spool(path);
    free(path);
    return is_whole;
}

static void run_all(enum fault kind)
{
    /* Every one with PARKMON_LONG, else some of them, others at each run. */
    int64_t stride = getenv("PARKMON_LONG") != NULL ? 1 : 41;
    int64_t dropped = 0, n = 1 + (int64_t)(random_seed((uint64_t)time(NULL)) % (uint64_t)stride);
    faulty_disk.fault = kind;
    while (!run_once(n, &dropped))
        n += stride;
    print_message("%" PRId64 " operations\n", n);
    assert_true(n > 300);
    assert_true(dropped > 0);
}

static void test_an_operation_that_fails_once(void **state)
{
    (void)state;
    run_all(FAULT_ONCE);
}

static void test_a_disk_that_fails_for_ever(void **state)
{
    (void)state;
    run_all(FAULT_FOR_EVER);
}

static void test_a_disk_that_is_full_from_then_on(void **state)
{
    (void)state;
    run_all(FAULT_FULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_operation_that_fails_once),
        cmocka_unit_test(test_a_disk_that_fails_for_ever),
        cmocka_unit_test(test_a_disk_that_is_full_from_then_on),
    };
    return cmocka_run_group_tests(tests, become_faulty, remove_folder);
}
