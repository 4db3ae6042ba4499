/*
 * Pruning on a disk that fails: the I/O operations of a scenario that archives, seals and deletes are counted, and
 * the n-th fails, for every n (PARKMON_LONG=1): once, from then on, or as on a full disk. After it every batch is
 * raw or archived, never both and never neither, and each seal is that of its contents; the next start goes on, and
 * ends with the same seals.
 */
#include "lib/pack.h"
#include "tests/unit/collector/prune_fixture.h"
#include "tests/unit/faulty_disk.h"
#include "tests/unit/random.h"

#include <time.h>

#define BATCHES 60
#define READINGS 40
#define STEPS 16

static void add_batch(struct db *db, int64_t seq)
{
    struct error err = {""};
    struct buf payload = {0};
    struct batch_header header = {.epoch = 7, .seq = seq, .first = 1};
    batch_write_header(&payload, &header);
    /* Of five months that are over. */
    int64_t time_ms = NOW_MS - (1 + seq % 5) * 31 * DAY_MS;
    for (int k = 0; k < READINGS; k++)
        buf_printf(&payload, "register,point=m%d value=%lldi %lld\n", k, (long long)(seq * 7919 * (k + 1)),
            (long long)time_ms + seq * 60000 + k);
    struct journal_batch batch = {.gateway = 1,
        .header = &header,
        .received_ms = NOW_MS + seq * 1000,
        .lines = READINGS,
        .from_ms = time_ms,
        .to_ms = time_ms + seq * 60000 + READINGS,
        .payload = {payload.data, payload.len}};
    must(journal_add(db, &batch, &err), &err);
    buf_release(&payload);
}

static void fill(struct fake_journal *f)
{
    struct error err = {""};
    fake_journal_open(f);
    must(db_begin(f->db, &err), &err);
    for (int64_t seq = 1; seq <= BATCHES; seq++)
        add_batch(f->db, seq);
    must(db_commit(f->db, &err), &err);
}

/* Steps as the core makes them; after a full disk it goes on, after an I/O error it ends. */
static enum status run_steps(struct db *db, struct prune *p, int steps, struct error *err)
{
    enum status status = ST_OK;
    for (int i = 0; i < steps && status == ST_OK; i++, now_ms += 2000, now_mono_ms += 2000) {
        bool is_changed = false;
        p->due_mono_ms = 0;
        status = db_begin(db, err);
        if (status == ST_OK && (status = prune_step(p, db, BATCHES, &prune_clock, &is_changed, err)) != ST_OK)
            db_rollback(db);
        else if (status == ST_OK)
            status = db_commit(db, err);
        if (status == ST_FULL)
            status = ST_OK;
    }
    return status;
}

static void begin_time(struct prune *p)
{
    prune_begin(p);
    p->sealer.audit_years = 1;
    now_ms = NOW_MS + 240 * DAY_MS; /* the oldest of the months is beyond a year */
}

/* Of each batch how often it is raw and how many of its readings are archived. */
static void check_batches(struct db *db)
{
    int64_t archived[BATCHES + 1] = {0};
    struct error err = {""};
    bool has_row;
    struct buf text = {0};
    struct db_stmt *s = db_prepare(db, "SELECT c.packed, a.hash, a.readings FROM archive a"
                                       " LEFT JOIN archive_content c ON c.id = a.id ORDER BY a.id");
    while (db_step(s, &has_row, &err) == ST_OK && has_row) {
        struct hash hash;
        buf_reset(&text);
        must(pack_read(&text, db_text(s, 0), 1 << 20, &err), &err);
        struct hash found = hash_of((struct span){text.data, text.len});
        assert_true(hash_read(db_text(s, 1), &hash) && hash_is_equal(&hash, &found));
        int64_t readings = 0, seq = 0;
        for (char *rest = text.data, *line; (line = strtok_r(rest, "\n", &rest)) != NULL;)
            if (sscanf(line, "batch gw-a 0000000000000007 %" SCNd64, &seq) != 1 && line[0] == 'm')
                archived[seq]++, readings++;
        assert_int_equal(readings, db_int(s, 2));
    }
    db_finish(s);
    buf_release(&text);
    bool is_expired = query(db, "SELECT count(*) FROM seal WHERE deleted_ms IS NOT NULL") > 0;
    for (int64_t seq = 1; seq <= BATCHES; seq++) {
        char sql[80];
        snprintf(sql, sizeof sql, "SELECT count(*) FROM journal WHERE seq = %" PRId64, seq);
        int64_t raw = query(db, sql);
        bool may_be_gone = is_expired && seq % 5 == 4;
        if (raw * READINGS + archived[seq] != READINGS && !(may_be_gone && raw == 0 && archived[seq] == 0))
            fail_msg("operation %" PRId64 ": batch %" PRId64 " is raw %" PRId64
                     " times, of its readings %" PRId64 " are archived",
                faulty_disk.fails_at, seq, raw, archived[seq]);
    }
    assert_int_equal(
        query(db, "SELECT count(*) FROM archive_content WHERE id NOT IN (SELECT id FROM archive)"), 0);
}

/* True when it went through without a fault: there is no n-th operation. */
static bool run_once(int64_t n, char ret_seals[static 512])
{
    struct fake_journal f;
    struct prune p;
    struct error err = {""};
    faulty_disk.fails_at = 0;
    fill(&f);
    begin_time(&p);
    faulty_disk.operations = 0;
    faulty_disk.fails_at = n;
    enum status status = run_steps(f.db, &p, STEPS, &err);
    bool is_whole = status == ST_OK && faulty_disk.operations < n;
    db_close(f.db);

    faulty_disk.fails_at = 0; /* the next start */
    must(db_open(f.path, &collector_schema, &f.db, &err), &err);
    check_batches(f.db);
    prune_init(&p, &prune_settings);
    p.sealer.audit_years = 1;
    must(run_steps(f.db, &p, 3 * STEPS, &err), &err);
    check_batches(f.db);
    assert_int_equal(query(f.db, "SELECT count(*) FROM journal"), 0);
    assert_int_equal(query(f.db, "SELECT max(number) FROM seal"), query(f.db, "SELECT count(*) FROM seal"));
    snprintf(ret_seals, 512, "%s",
        rows(f.db, 4,
            "SELECT month, supplement, readings, deleted_ms IS NULL FROM seal ORDER BY month, number"));
    fake_journal_close(&f);
    return is_whole;
}

static void run_all(enum fault kind)
{
    int64_t stride = getenv("PARKMON_LONG") != NULL ? 1 : 13;
    int64_t n = 1 + (int64_t)(random_seed((uint64_t)time(NULL)) % (uint64_t)stride);
    char expected[512], seals[512];
    faulty_disk.fault = kind;
    assert_true(run_once(INT64_MAX, expected));
    assert_string_equal(expected, "665|0|480|0;666|0|480|1;667|0|480|1;668|0|480|1;669|0|480|1");
    while (!run_once(n, seals)) {
        assert_string_equal(seals, expected);
        n += stride;
    }
    print_message("%" PRId64 " operations\n", n);
    assert_true(n > 40);
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

static int become_faulty(void **state)
{
    (void)state;
    return faulty_disk_register() ? 0 : 1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_operation_that_fails_once),
        cmocka_unit_test(test_a_disk_that_fails_for_ever),
        cmocka_unit_test(test_a_disk_that_is_full_from_then_on),
    };
    return cmocka_run_group_tests(tests, become_faulty, NULL);
}
