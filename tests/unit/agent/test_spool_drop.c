/* agent/deliver/spool: what is given up at the limit, in which order, and that all of it is said, once. */
#include "agent/deliver/window.h"
#include "lib/db.h"
#include "tests/unit/agent/spool_fixture.h"
#include "tests/unit/random.h"

#include <time.h>

static struct spool_reading gauge_at(int64_t n)
{
    return (struct spool_reading){.point = 1, .kind = READING_GAUGE, .time_ms = T0 + n, .value = (double)n};
}

/* Every second a gauge: odd numbers. */
static struct spool_reading mixed_at(int64_t n)
{
    return n % 2 != 0 ? gauge_at(n) : count_at(n);
}

static void add_mixed(struct spool *s, int64_t from, int64_t to)
{
    size_t count = (size_t)(to - from + 1);
    struct spool_reading *readings = mem_alloc(count * sizeof *readings);
    for (size_t i = 0; i < count; i++)
        readings[i] = mixed_at(from + (int64_t)i);
    struct error err;
    if (spool_add(s, readings, count, &err) != ST_OK)
        fail_msg("%s", err.text);
    free(readings);
}

static int64_t query(const char *path, const char *sql)
{
    struct db *db;
    struct error err;
    if (db_open_reader(path, &db, &err) != ST_OK)
        fail_msg("%s", err.text);
    struct db_stmt *stmt = db_prepare(db, sql);
    bool has_row;
    if (db_step(stmt, &has_row, &err) != ST_OK)
        fail_msg("%s", err.text);
    int64_t value = has_row ? db_int(stmt, 0) : -1;
    db_close(db);
    return value;
}

static int64_t used_bytes(const char *path)
{
    return 4096 * (query(path, "SELECT page_count FROM pragma_page_count") -
                      query(path, "SELECT freelist_count FROM pragma_freelist_count"));
}

static int64_t fill_until_dropping(struct spool *s)
{
    int64_t next = 1;
    while (!state_of(s).is_dropping) {
        add_mixed(s, next, next + 399);
        next += 400;
        assert_true(next < 1000000);
    }
    return next;
}

static void test_gauges_go_first_then_the_oldest_of_anything(void **state)
{
    (void)state;
    char *path = new_path();
    struct spool *s = open_limited(path, 2);
    int64_t next = fill_until_dropping(s);
    assert_true(next > 20000);
    int64_t gauges = query(path, "SELECT count(*) FROM gauge");
    assert_int_equal(query(path, "SELECT count(*) FROM record"), (next - 1) / 2);
    assert_int_equal(gauges + state_of(s).dropped_readings, (next - 1) / 2);
    assert_int_equal(query(path, "SELECT min(value) FROM gauge"), 2 * state_of(s).dropped_readings + 1);
    while (gauges > 256) { /* not one register before the last gauge */
        int64_t registers = query(path, "SELECT count(*) FROM record");
        assert_int_equal(registers, (next - 1) / 2);
        add_mixed(s, next, next + 399);
        next += 400;
        gauges = query(path, "SELECT count(*) FROM gauge");
    }
    for (int i = 0; i < 20; i++, next += 400)
        add_mixed(s, next, next + 399);
    int64_t registers = query(path, "SELECT count(*) FROM record");
    assert_true(registers < (next - 1) / 2);
    int64_t lowest = query(path, "SELECT min(value) FROM record");
    assert_int_equal(registers, (next - 1 - lowest) / 2 + 1); /* the oldest went */
    assert_int_equal(query(path, "SELECT count(*) FROM reading") + state_of(s).dropped_readings, next - 1);
    assert_int_equal(state_of(s).uncut, query(path, "SELECT count(*) FROM reading"));
    assert_true(file_bytes(path) <= 2 << 20);
    spool_close(s);
    free(path);
}

static void test_what_was_given_up_is_said_by_the_next_batch_and_by_no_other(void **state)
{
    (void)state;
    char *path = new_path();
    struct spool *s = open_limited(path, 2);
    fill_until_dropping(s);
    int64_t dropped = state_of(s).dropped_readings;
    assert_true(dropped > 0);
    spool_close(s); /* between the deletion and the batch */
    s = open_limited(path, 2);
    assert_int_equal(state_of(s).dropped_readings, 0); /* of this start */
    cut(s, 2);
    struct seen seen = glance(s, 1), second = glance(s, 2);
    assert_int_equal(seen.header.dropped, dropped);
    assert_int_equal(seen.header.dropped_from_ms, T0 + 1);
    assert_int_equal(seen.header.dropped_to_ms, T0 + 2 * dropped - 1);
    assert_int_equal(second.header.dropped, 0);
    free(seen.body);
    free(second.body);
    spool_close(s);
    s = open_limited(path, 64);
    seen = glance(s, 1); /* for ever */
    assert_int_equal(seen.header.dropped, dropped);
    free(seen.body);
    spool_set_mark(s, 2);
    cut(s, 1);
    seen = glance(s, 3);
    assert_int_equal(seen.header.dropped, 0);
    free(seen.body);
    spool_close(s);
    free(path);
}

/* Acknowledged batches may go on filling it: they are in nobody's way. */
static void test_it_is_over_when_what_is_not_acknowledged_is_far_from_the_limit(void **state)
{
    (void)state;
    char *path = new_path();
    struct spool *s = open_limited(path, 2);
    int64_t next = fill_until_dropping(s);
    for (int i = 0; i < 100; i++, next += 400) { /* not over and over at the limit */
        add_mixed(s, next, next + 399);
        assert_true(state_of(s).is_dropping);
    }
    cut(s, WINDOW_BATCHES);
    assert_true(state_of(s).is_dropping);
    while (state_of(s).is_dropping) {
        assert_true(state_of(s).uncut > 0);
        spool_set_mark(s, state_of(s).last);
        cut(s, WINDOW_BATCHES);
    }
    assert_true(state_of(s).uncut > 1000);
    int64_t dropped = state_of(s).dropped_readings;
    while (state_of(s).uncut > 0) {
        spool_set_mark(s, state_of(s).last);
        cut(s, WINDOW_BATCHES);
    }
    spool_set_mark(s, state_of(s).last);
    for (int i = 0; i < 100; i++, next += 400) { /* what is acknowledged fills it */
        add_mixed(s, next, next + 399);
        cut(s, WINDOW_BATCHES);
        spool_set_mark(s, state_of(s).last);
        assert_false(state_of(s).is_dropping);
    }
    assert_true(used_bytes(path) > 1200 << 10);
    assert_int_equal(state_of(s).dropped_readings, dropped);
    spool_close(s);
    free(path);
}

/* It is told without another reading. */
static void test_it_is_over_with_the_last_acknowledgement_where_acknowledged_batches_fill_the_rest(
    void **state)
{
    (void)state;
    char *path = new_path();
    struct spool *s = open_limited(path, 2);
    int64_t next = 1, acknowledged = 0;
    for (; state_of(s).first < 2; next += 400) {
        add_mixed(s, next, next + 399);
        cut(s, 1);
        spool_set_mark(s, acknowledged = state_of(s).last);
    }
    spool_set_mark(s, state_of(s).first - 1); /* asked for again */
    for (; !state_of(s).is_dropping; next += 400)
        add_mixed(s, next, next + 399);
    spool_set_mark(s, acknowledged);
    assert_false(state_of(s).is_dropping);
    assert_true(used_bytes(path) > 1200 << 10);
    spool_close(s);
    free(path);
}

static void test_a_transaction_that_fails_takes_back_what_it_gave_up(void **state)
{
    (void)state;
    char *path = new_path();
    struct spool *s = open_limited(path, 2);
    int64_t next = fill_until_dropping(s);
    struct spool_state before = state_of(s);
    struct error err;
    struct spool_reading many[400];
    for (int i = 0; i < 400; i++)
        many[i] = mixed_at(next + i);
    for (int i = 0; i < 5; i++) /* it cannot be cut for such a broker */
        assert_int_equal(spool_commit(s, many, 400, 16, 300, &err), ST_INVALID);
    struct spool_state after = state_of(s);
    assert_memory_equal(&before, &after, sizeof before);
    assert_int_equal(query(path, "SELECT dropped FROM spool"), before.dropped_readings);
    spool_close(s);
    free(path);
}

static void test_where_it_must_not_give_up_it_refuses(void **state)
{
    (void)state;
    char *path = new_path();
    may_drop = false;
    struct spool *s = open_limited(path, 2);
    may_drop = true;
    struct error err;
    enum status status = ST_OK;
    struct spool_reading many[400];
    for (int64_t next = 1; status == ST_OK; next += 400) {
        for (int i = 0; i < 400; i++)
            many[i] = mixed_at(next + i);
        status = spool_add(s, many, 400, &err);
    }
    assert_int_equal(status, ST_FULL);
    assert_int_equal(state_of(s).dropped_readings, 0);
    spool_close(s);
    free(path);
}

/* Two large batches that nobody acknowledges take the whole of the smallest spool's room for readings when the
 * next start allows less. */
static void test_whole_batches_go_last_and_first_rises(void **state)
{
    (void)state;
    char *path = new_path();
    struct spool *s = open_limited(path, 64);
    char text[STATE_TEXT_MAX + 1];
    memset(text, 'x', STATE_TEXT_MAX);
    text[STATE_TEXT_MAX] = '\0';
    struct spool_reading many[400];
    struct error err;
    for (int i = 0; i < 400; i++)
        many[i] = (struct spool_reading){.point = 2, .kind = READING_STATE, .time_ms = T0 + i, .text = text};
    int64_t acknowledged = 0;
    for (int i = 0; i < 16; i++) { /* acknowledged once, and then refused: all of them are wanted again */
        assert_int_equal(spool_commit(s, many, 400, 16, PAYLOAD_MAX, &err), ST_OK);
        acknowledged = state_of(s).last;
        spool_set_mark(s, acknowledged);
    }
    spool_set_mark(s, 3);
    spool_close(s);
    s = open_limited(path, 2);
    assert_int_equal(state_of(s).first, 1);
    assert_int_equal(spool_add(s, many, 100, &err), ST_OK);
    struct spool_state now = state_of(s);
    assert_true(now.first > 4 && now.first <= now.last);
    assert_int_equal(now.mark, now.first - 1);
    assert_int_equal(now.dropped_batches, now.first - 4);
    assert_int_equal(now.uncut, 100);
    struct seen seen = glance(s, now.first);
    assert_int_equal(seen.header.first, now.first);
    free(seen.body);
    spool_close(s);
    s = open_limited(path, 2);
    assert_int_equal(state_of(s).mark, now.mark);
    /* A new epoch begins when the last one of the old is acknowledged or gone. */
    cut(s, 1);
    assert_int_equal(state_of(s).last, now.last);
    spool_set_mark(s, now.last);
    cut(s, 1);
    assert_int_equal(state_of(s).last, now.last + 1);
    assert_true(state_of(s).epoch != now.epoch);
    spool_close(s);
    free(path);
}

/* Batches that nobody acknowledges fill the room that the next start allows; the first of them says what was given
 * up before it. */
static void test_what_a_batch_said_that_is_given_up_itself_is_said_by_the_next(void **state)
{
    (void)state;
    char *path = new_path();
    struct spool *s = open_limited(path, 2);
    fill_until_dropping(s);
    int64_t said = state_of(s).dropped_readings;
    cut(s, WINDOW_BATCHES);
    struct seen seen = glance(s, 1);
    assert_int_equal(seen.header.dropped, said);
    free(seen.body);
    spool_close(s);
    s = open_limited(path, 1);
    int64_t next = 1000000;
    add_mixed(s, next, next + 99);
    struct spool_state now = state_of(s);
    assert_true(now.dropped_batches > 0 && now.first > 1 && now.first <= now.last);
    int64_t uncut = now.dropped_readings;
    assert_true(uncut > 0);
    spool_close(s); /* before anything said it */
    s = open_limited(path, 1);
    spool_set_mark(s, now.last); /* those that were left are acknowledged */
    cut(s, 1);
    seen = glance(s, now.last + 1);
    assert_int_equal(seen.header.dropped, said + uncut);
    assert_int_equal(seen.header.dropped_from_ms, T0 + 1);
    free(seen.body);
    spool_set_mark(s, now.last + 1);
    add_mixed(s, next + 100, next + 199);
    cut(s, 1);
    seen = glance(s, now.last + 2);
    assert_int_equal(seen.header.dropped, 0);
    free(seen.body);
    spool_close(s);
    free(path);
}

/* A copy of the spool from before is put back. What was said since the receiver has; it answers the copy's batches,
 * which are duplicates to it, with its mark of their epoch. */
static void test_a_restored_copy_does_not_say_again_what_was_said_since(void **state)
{
    (void)state;
    char *path = new_path(), *copy = new_path();
    struct spool *s = open_limited(path, 2);
    fill_until_dropping(s);
    int64_t said = state_of(s).dropped_readings;
    cut(s, WINDOW_BATCHES);
    struct seen seen = glance(s, 1);
    assert_int_equal(seen.header.dropped, said);
    free(seen.body);
    uint64_t epoch = state_of(s).epoch;
    int64_t last = state_of(s).last, uncut = state_of(s).uncut;
    spool_close(s); /* the last connection: all is in the one file */
    char *command = mem_printf("cp '%s' '%s'", path, copy);
    assert_int_equal(system(command), 0);

    s = open_limited(path, 1);
    add_mixed(s, 1000000, 1000099);
    assert_true(state_of(s).first > 1);
    spool_set_mark(s, last);
    cut(s, 1);
    seen = glance(s, last + 1);
    assert_true(seen.header.dropped >= said);
    free(seen.body);
    spool_close(s);

    s = open_limited(copy, 2);
    int64_t seq;
    struct error err;
    assert_int_equal(spool_resolve(s, &(struct ack){epoch, last, false}, &seq, &err), ST_OK);
    assert_int_equal(seq, last);
    spool_set_mark(s, seq);
    assert_int_equal(state_of(s).uncut, uncut);
    cut(s, 1);
    seen = glance(s, last + 1);
    assert_int_equal(seen.header.dropped, 0);
    free(seen.body);
    spool_close(s);
    free(command);
    free(copy);
    free(path);
}

/* ---- the law ---- */

struct book {
    int64_t committed; /* readings */
    int64_t in_batches;
    int64_t said;     /* by `dropped` */
    int64_t seen_seq; /* highest batch looked at */
};

static void look_at_new_batches(struct spool *s, struct book *book)
{
    for (; book->seen_seq < state_of(s).last; book->seen_seq++) {
        struct seen seen = glance(s, book->seen_seq + 1);
        struct span body = span_of(seen.body), line;
        while (batch_next_line(&body, &line))
            book->in_batches++;
        book->said += seen.header.dropped;
        assert_true(seen.header.dropped == 0 || seen.header.dropped_from_ms <= seen.header.dropped_to_ms);
        free(seen.body);
    }
}

static void test_every_committed_reading_is_uncut_or_in_a_batch_or_said_to_be_given_up(void **state)
{
    (void)state;
    srand((unsigned)random_seed((uint64_t)time(NULL)));
    char *path = new_path();
    struct spool *s = open_limited(path, 2);
    struct book book = {0};
    struct error err;
    int64_t next = 1, given_up = 0;
    for (int round = 0; round < 300; round++) {
        struct spool_reading many[1400];
        size_t count = (size_t)(rand() % 1400);
        for (size_t i = 0; i < count; i++)
            many[i] = rand() % 3 == 0 ? count_at(next + (int64_t)i) : gauge_at(next + (int64_t)i);
        int64_t room = state_of(s).mark + WINDOW_BATCHES - state_of(s).last;
        bool is_online = round % 150 < 50;
        if (spool_commit(s, many, count, is_online && room > 0 ? rand() % (room + 1) : 0,
                5000 + (size_t)rand() % 60000, &err) != ST_OK)
            fail_msg("%s", err.text);
        next += (int64_t)count;
        book.committed += (int64_t)count;
        look_at_new_batches(s, &book);
        if (is_online && rand() % 2 == 0)
            spool_set_mark(s, state_of(s).last);
        if (rand() % 40 == 0) {
            given_up += state_of(s).dropped_readings;
            spool_close(s);
            s = open_limited(path, 2);
        }
        int64_t unsaid = query(path, "SELECT dropped FROM spool");
        assert_int_equal(book.committed, book.in_batches + state_of(s).uncut + book.said + unsaid);
        assert_int_equal(state_of(s).uncut, query(path, "SELECT count(*) FROM reading"));
        assert_int_equal(book.said + unsaid, given_up + state_of(s).dropped_readings);
    }
    assert_true(book.said > 1000); /* it was at its limit */
    spool_close(s);
    free(path);
}

/* The receiver's books, by seq: of a batch that is lost it knows the number only. */
enum { UNHEARD, APPLIED, LOST, SEQS_MAX = 20000 };

struct receiver {
    int64_t mark, last;
    struct {
        int64_t lines, said; /* as it was cut */
        int fate;
    } batches[SEQS_MAX];
};

static void remember_new_batches(struct spool *s, struct receiver *r)
{
    while (r->last < state_of(s).last) {
        struct seen seen = glance(s, ++r->last);
        assert_true(r->last < SEQS_MAX);
        struct span body = span_of(seen.body), line;
        while (batch_next_line(&body, &line))
            r->batches[r->last].lines++;
        r->batches[r->last].said = seen.header.dropped;
        free(seen.body);
    }
}

static void deliver_next(struct spool *s, struct receiver *r)
{
    int64_t seq = state_of(s).mark + 1;
    struct seen seen = glance(s, seq);
    while (r->mark < seen.header.first - 1)
        r->batches[++r->mark].fate = LOST;
    assert_int_equal(seq, r->mark + 1);
    assert_int_equal(seen.header.dropped, r->batches[seq].said);
    free(seen.body);
    r->batches[seq].fate = APPLIED;
    r->mark = seq;
    spool_set_mark(s, seq);
}

/* The receiver is restored from a backup, and asks again. */
static void go_back(struct spool *s, struct receiver *r, int64_t mark)
{
    mark = mark < r->mark ? mark : r->mark;
    for (; r->mark > mark; r->mark--)
        r->batches[r->mark].fate = UNHEARD;
    int64_t lowest = state_of(s).first - 1;
    spool_set_mark(s, mark > lowest ? mark : lowest);
}

static void test_a_receiver_accounts_for_every_reading_though_it_asks_again(void **state)
{
    (void)state;
    srand((unsigned)random_seed((uint64_t)time(NULL)));
    char *path = new_path();
    struct spool *s = open_limited(path, 1);
    struct receiver *r = mem_zalloc(sizeof *r);
    struct error err;
    int64_t committed = 0;
    for (int round = 0; round < 300 || r->mark < state_of(s).last || state_of(s).uncut > 0; round++) {
        struct spool_reading many[900];
        size_t count = round < 300 ? (size_t)(rand() % 900) : 0;
        for (size_t i = 0; i < count; i++)
            many[i] = mixed_at(committed + (int64_t)i);
        bool is_online = round % 8 < 3;
        int64_t room = is_online ? state_of(s).mark + WINDOW_BATCHES - state_of(s).last : 0;
        if (spool_commit(s, many, count, room > 0 ? room : 0, 10000 + (size_t)rand() % 20000, &err) != ST_OK)
            fail_msg("%s", err.text);
        committed += (int64_t)count;
        remember_new_batches(s, r);
        for (int64_t n = is_online ? rand() % 20 : 0; n > 0 && state_of(s).mark < state_of(s).last; n--)
            deliver_next(s, r);
        if (round % 8 == 2 && round < 300)
            go_back(s, r, state_of(s).first - 1 + rand() % 3);
        if (rand() % 40 == 0) {
            spool_close(s);
            s = open_limited(path, 1);
        }
    }
    int64_t accounted = 0, lost_said = 0;
    for (int64_t seq = 1; seq <= r->last; seq++) {
        bool is_applied = r->batches[seq].fate == APPLIED;
        assert_true(is_applied || r->batches[seq].fate == LOST);
        accounted += r->batches[seq].lines + (is_applied ? r->batches[seq].said : 0);
        lost_said += is_applied ? 0 : r->batches[seq].said;
    }
    assert_int_equal(accounted + query(path, "SELECT dropped FROM spool"), committed);
    assert_true(lost_said > 0); /* batches that said something were given up */
    spool_close(s);
    free(r);
    free(path);
}

static int set_up(void **state)
{
    may_drop = true;
    return make_folder(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gauges_go_first_then_the_oldest_of_anything),
        cmocka_unit_test(test_what_was_given_up_is_said_by_the_next_batch_and_by_no_other),
        cmocka_unit_test(test_it_is_over_when_what_is_not_acknowledged_is_far_from_the_limit),
        cmocka_unit_test(
            test_it_is_over_with_the_last_acknowledgement_where_acknowledged_batches_fill_the_rest),
        cmocka_unit_test(test_a_transaction_that_fails_takes_back_what_it_gave_up),
        cmocka_unit_test(test_where_it_must_not_give_up_it_refuses),
        cmocka_unit_test(test_whole_batches_go_last_and_first_rises),
        cmocka_unit_test(test_what_a_batch_said_that_is_given_up_itself_is_said_by_the_next),
        cmocka_unit_test(test_a_restored_copy_does_not_say_again_what_was_said_since),
        cmocka_unit_test(test_every_committed_reading_is_uncut_or_in_a_batch_or_said_to_be_given_up),
        cmocka_unit_test(test_a_receiver_accounts_for_every_reading_though_it_asks_again),
    };
    return cmocka_run_group_tests(tests, set_up, remove_folder);
}
