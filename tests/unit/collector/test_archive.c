/* What pruning leaves: register readings by month, as the journal took them. */
#include "collector/evidence/archive.h"

#include "lib/pack.h"
#include "tests/unit/collector/prune_fixture.h"

/* NOW_MS is 2025-11-24T16:00:00Z. */
#define DECEMBER_MS INT64_C(1764547200000)

struct scene {
    struct intake in;
    struct prune prune;
};

static void open_scene(struct scene *s)
{
    intake_open(&s->in);
    prune_begin(&s->prune);
}

/* The texts of all chunks, each behind its month and the number of its readings, as the database holds them. */
static const char *chunks(struct db *db)
{
    static struct buf text;
    struct error err = {""};
    bool has_row;
    buf_reset(&text);
    struct db_stmt *s = db_prepare(db, "SELECT month, readings, bytes, packed FROM archive a"
                                       " JOIN archive_content c ON c.id = a.id ORDER BY a.id");
    while (db_step(s, &has_row, &err) == ST_OK && has_row) {
        buf_printf(&text, "[%lld: %lld] ", (long long)db_int(s, 0), (long long)db_int(s, 1));
        size_t begin = text.len;
        must(pack_read(&text, db_text(s, 3), 1 << 20, &err), &err);
        assert_int_equal(text.len - begin, db_int(s, 2));
    }
    db_finish(s);
    static char shown[65536];
    snprintf(shown, sizeof shown, "%s", text.data != NULL ? text.data : "");
    buf_release(&text);
    return shown;
}

static void test_registers_as_the_journal_took_them_stay_and_nothing_else(void **state)
{
    (void)state;
    struct scene s;
    open_scene(&s);
    intake_give(&s.in, "gw-a",
        "#park1 epoch=" EPOCH_A " seq=1 first=1\n"
        "register,point=b3.main value=123456780i 1763900000123\n"
        "gauge,point=b3.main.power value=41230.5 1763900000123\n"
        "register,point=b3.aux value=-99i,quality=\"clock\" 1763900000160\n"
        "nonsense\n"
        "state,point=lab value=\"open\" 1763900000500\n"
        "# register,point=b3.main value=1i 1763900000124\n"
        "register,point=b3.main value=123456790i 1763900010123\n"
        "register,point=b3.main value=5i 1764000301000\n"); /* too far ahead */
    intake_give(&s.in, "gw-b",
        "#park1 epoch=" EPOCH_B " seq=7 first=7\nregister,point=b3.main value=1i 1763900000000\n");
    /* Late: a duplicate, a conflict, and one that is new. */
    intake_give(&s.in, "gw-a",
        "#park1 epoch=" EPOCH_A " seq=2 first=1\n"
        "register,point=b3.main value=123456780i 1763900000123\n"
        "register,point=b3.main value=7i 1763900010123\n"
        "register,point=b3.main value=123456785i 1763900005000\n");
    intake_give(
        &s.in, "gw-a", "#park1 epoch=" EPOCH_A " seq=3 first=1\ngauge,point=g value=1 1763900020000\n");
    now_ms = NOW_MS + 35 * DAY_MS - 2 * MINUTE_MS;
    prune_all(s.in.db, &s.prune);
    assert_string_equal(chunks(s.in.db), "");
    now_ms = NOW_MS + 35 * DAY_MS + 1;
    prune_all(s.in.db, &s.prune);
    assert_int_equal(query(s.in.db, "SELECT count(*) FROM journal"), 0);
    assert_string_equal(chunks(s.in.db), "[670: 5] registers 1\n"
                                         "batch gw-a 00000000000000aa 1\n"
                                         "b3.main 1763900000123 123456780\n"
                                         "b3.aux 37 -99 clock\n"
                                         "b3.main 9963 123456790\n"
                                         "batch gw-b 00000000000000bb 7\n"
                                         "b3.main 1763900000000 1\n"
                                         "batch gw-a 00000000000000aa 2\n"
                                         "b3.main 1763900005000 123456785\n");
    intake_close(&s.in);
}

static void test_what_only_the_store_refuses_is_evidence_all_the_same(void **state)
{
    (void)state;
    struct scene s;
    struct error err = {""};
    bool is_kept;
    open_scene(&s);
    intake_give(
        &s.in, "gw-a", "#park1 epoch=" EPOCH_A " seq=1 first=1\nregister,point=m value=1i 1763900000000\n");
    must(journal_reject(s.in.db, 1, 0, "type conflict", SPAN("x"), NOW_MS, &is_kept, &err), &err);
    now_ms = NOW_MS + 36 * DAY_MS;
    prune_all(s.in.db, &s.prune);
    assert_string_equal(
        chunks(s.in.db), "[670: 1] registers 1\nbatch gw-a 00000000000000aa 1\nm 1763900000000 1\n");
    intake_close(&s.in);
}

static void test_a_batch_is_parted_where_the_month_ends_in_utc(void **state)
{
    (void)state;
    struct scene s;
    char text[512];
    open_scene(&s);
    fake_journal_add(&s.in.journal, 1, "", NULL);
    snprintf(text, sizeof text,
        "register,point=m value=2i %lld\nregister,point=m value=1i %lld\nregister,point=n value=3i %lld\n",
        (long long)DECEMBER_MS, (long long)DECEMBER_MS - 1, (long long)DECEMBER_MS + 5);
    must(db_exec(s.in.db, "INSERT INTO gateway(id, name, first_heard_ms) VALUES(1, 'gw-a', 0)", NULL),
        &(struct error){""});
    fake_journal_add(&s.in.journal, 1, text, NULL);
    now_ms = NOW_MS + 60 * DAY_MS;
    prune_once(s.in.db, &s.prune, INT64_MAX);
    now_ms += 10000, now_mono_ms += 10000;
    prune_once(s.in.db, &s.prune, INT64_MAX);
    assert_string_equal(chunks(s.in.db), "[671: 2] registers 1\nbatch gw-a 0000000000000007 2\n"
                                         "m 1764547200000 2\nn 5 3\n"
                                         "[670: 1] registers 1\nbatch gw-a 0000000000000007 2\n"
                                         "m 1764547199999 1\n");
    intake_close(&s.in);
}

/* Batches of 100 registers, one a minute; they arrived when they were read. */
static void fill(struct scene *s, int from, int to)
{
    struct error err = {""};
    struct buf lines = {0};
    for (int i = from; i < to; i++) {
        buf_reset(&lines);
        for (int k = 0; k < 100; k++)
            buf_printf(&lines, "register,point=b%d.main value=%di %lld\n", k, i * 12 + k,
                (long long)(NOW_MS + i * MINUTE_MS + k));
        fake_journal_add(&s->in.journal, 1, lines.data, NULL);
        struct db_stmt *at = db_keep(s->in.db, "UPDATE journal SET received_ms = ? WHERE id = ?");
        db_bind_int(at, 1, NOW_MS + i * MINUTE_MS);
        db_bind_int(at, 2, db_last_id(s->in.db));
        must(db_run(at, &err), &err);
    }
    buf_release(&lines);
}

static void test_a_chunk_grows_until_it_is_full(void **state)
{
    (void)state;
    struct scene s;
    open_scene(&s);
    fill(&s, 0, 60);
    now_ms = NOW_MS + 35 * DAY_MS;
    for (int i = 0; i < 400; i++, now_ms += 10000, now_mono_ms += 10000)
        prune_once(s.in.db, &s.prune, INT64_MAX);
    assert_int_equal(query(s.in.db, "SELECT sum(readings) FROM archive"), 6000);
    assert_in_range(query(s.in.db, "SELECT count(*) FROM archive"), 3, 5);
    assert_int_equal(query(s.in.db, "SELECT count(*) FROM archive WHERE bytes < 32768"), 1); /* the last */
    assert_true(query(s.in.db, "SELECT max(bytes) FROM archive") < 40000);
    assert_true(query(s.in.db, "SELECT max(length(packed)) FROM archive_content") < 16000);
    assert_int_equal(query(s.in.db, "SELECT count(*) FROM archive_content"),
        query(s.in.db, "SELECT count(*) FROM archive"));
    intake_close(&s.in);
}

static void test_a_damaged_chunk_is_left_as_it_is(void **state)
{
    (void)state;
    struct scene s;
    struct error err = {""};
    open_scene(&s);
    intake_give(
        &s.in, "gw-a", "#park1 epoch=" EPOCH_A " seq=1 first=1\nregister,point=m value=1i 1763900000000\n");
    now_ms = NOW_MS + 36 * DAY_MS;
    for (int i = 0; i < 3; i++, now_ms += 10000, now_mono_ms += 10000)
        prune_once(s.in.db, &s.prune, INT64_MAX);
    must(db_exec(s.in.db,
             "UPDATE archive_content SET packed = CAST(substr(packed, 1, 20) || x'55' || substr(packed, 22) "
             "AS BLOB)",
             &err),
        &err);
    intake_give(
        &s.in, "gw-a", "#park1 epoch=" EPOCH_A " seq=2 first=1\nregister,point=m value=2i 1763900001000\n");
    prune_all(s.in.db, &s.prune);
    assert_string_equal(rows(s.in.db, 2, "SELECT id, readings FROM archive"), "1|1;2|1");
    struct hash hash;
    struct buf text = {0};
    bool is_sound;
    for (int64_t id = 1; id <= 3; id++) {
        struct db_stmt *read = db_keep(s.in.db, "SELECT hash FROM archive WHERE id = ?");
        bool has_row;
        db_bind_int(read, 1, id);
        must(db_step(read, &has_row, &err), &err);
        if (has_row)
            assert_true(hash_read(db_text(read, 0), &hash));
        db_reset(read);
        buf_reset(&text);
        must(archive_read(s.in.db, id, &hash, &text, &is_sound, &err), &err);
        assert_int_equal(is_sound, id == 2);
    }
    buf_release(&text);
    intake_close(&s.in);
}

/* A gateway that spreads its readings over the centuries has all of them archived, one batch at a time. */
static void test_readings_of_many_months_at_once(void **state)
{
    (void)state;
    struct scene s;
    struct buf lines = {0};
    open_scene(&s);
    s.prune.sealer.audit_years = 100;
    for (int pass = 0; pass < 2; pass++) {
        buf_reset(&lines);
        for (int i = 0; i < 600; i++)
            buf_printf(
                &lines, "register,point=m value=%di %lld\n", i, (long long)(1 + pass + i * 31 * DAY_MS));
        fake_journal_add(&s.in.journal, 1, lines.data, NULL);
        now_ms = NOW_MS + 36 * DAY_MS;
        for (int i = 0; i < 2; i++, now_ms += 10000, now_mono_ms += 10000)
            prune_once(s.in.db, &s.prune, INT64_MAX);
    }
    assert_int_equal(query(s.in.db, "SELECT sum(readings) FROM archive"), 1200);
    assert_in_range(query(s.in.db, "SELECT count(*) FROM archive"), 1200 - ARCHIVE_TAILS, 1200);
    buf_release(&lines);
    intake_close(&s.in);
}

static void test_a_turn_that_is_rolled_back_archives_nothing(void **state)
{
    (void)state;
    struct scene s;
    struct error err = {""};
    open_scene(&s);
    fill(&s, 0, 10);
    now_ms = NOW_MS + 36 * DAY_MS;
    prune_once(s.in.db, &s.prune, INT64_MAX);
    for (int i = 0; i < 3; i++) {
        bool is_changed = false;
        now_ms += HOUR_MS, now_mono_ms += HOUR_MS;
        must(db_begin(s.in.db, &err), &err);
        must(prune_step(&s.prune, s.in.db, INT64_MAX, &prune_clock, &is_changed, &err), &err);
        assert_true(is_changed);
        assert_int_equal(query(s.in.db, "SELECT count(*) FROM journal"), 0);
        assert_int_equal(query(s.in.db, "SELECT sum(readings) FROM archive"), 1000);
        db_rollback(s.in.db);
        prune_reset(&s.prune);
        assert_int_equal(query(s.in.db, "SELECT count(*) FROM journal"), 10);
        assert_int_equal(query(s.in.db, "SELECT count(*) FROM archive"), 0);
        assert_int_equal(query(s.in.db, "SELECT count(*) FROM archive_content"), 0);
    }
    prune_all(s.in.db, &s.prune);
    assert_int_equal(query(s.in.db, "SELECT sum(readings) FROM archive"), 1000);
    intake_close(&s.in);
}

/* "gw-a bb 7": the batch of a reading; "": it is not found. */
static const char *origin(struct db *db, int64_t journal, const char *point, int64_t time_ms)
{
    static char shown[80];
    struct archive_origin found = {0};
    struct error err = {""};
    bool is_found;
    must(archive_find(db, journal, point, time_ms, &found, &is_found, &err), &err);
    snprintf(shown, sizeof shown, "%s %s %lld", found.gateway, found.epoch, (long long)found.seq);
    return is_found ? shown : "";
}

/* More chunks of a month than are looked into, and a time of which two batches have a reading: the first counts. */
static void test_a_reading_leads_to_its_batch_however_many_chunks_there_are(void **state)
{
    (void)state;
    struct scene s;
    struct error err = {""};
    struct buf text = {0};
    char again[128];
    open_scene(&s);
    snprintf(again, sizeof again,
        "#park1 epoch=" EPOCH_A " seq=900 first=1\nregister,point=n value=1i %lld\n", (long long)NOW_MS);
    must(db_exec(s.in.db, "INSERT INTO gateway(id, name, first_heard_ms) VALUES(1, 'gw-a', 0)", &err), &err);
    for (int64_t batch = 1; batch <= 100; batch++) {
        struct archive archive = {0};
        buf_reset(&text);
        buf_printf(&text, "#park1 epoch=" EPOCH_A " seq=%lld first=1\n", (long long)batch + 500);
        for (int64_t i = 0; i < 4000; i++)
            buf_printf(&text, "register,point=m value=%lldi %lld\n", (long long)i,
                (long long)(NOW_MS + batch * 100000 + i));
        buf_printf(&text, "register,point=n value=1i %lld\n", (long long)NOW_MS);
        archive_add(&archive, &(struct journal_entry){.id = 10 * batch,
                                  .gateway = SPAN("gw-a"),
                                  .epoch = 170,
                                  .seq = batch + 500,
                                  .payload = {text.data, text.len}});
        if (batch == 1)
            archive_add(&archive,
                &(struct journal_entry){
                    .id = 11, .gateway = SPAN("gw-a"), .epoch = 170, .seq = 900, .payload = span_of(again)});
        must(archive_write(&archive, s.in.db, NOW_MS, &err), &err);
        archive_release(&archive);
    }
    assert_true(query(s.in.db, "SELECT count(*) FROM archive") > 80);
    assert_string_equal(
        origin(s.in.db, 30, "gw-a/m", NOW_MS + 3 * 100000 + 3999), "gw-a 00000000000000aa 503");
    assert_string_equal(origin(s.in.db, 1000, "gw-a/m", NOW_MS + 100 * 100000), "gw-a 00000000000000aa 600");
    assert_string_equal(origin(s.in.db, 10, "gw-a/n", NOW_MS), "gw-a 00000000000000aa 501");
    assert_string_equal(origin(s.in.db, 30, "gw-b/m", NOW_MS + 3 * 100000), "");
    assert_string_equal(origin(s.in.db, 30, "gw-a/m", NOW_MS + 3 * 100000 + 4000), "");
    assert_string_equal(origin(s.in.db, 30, "m", NOW_MS + 3 * 100000), "");
    buf_release(&text);
    intake_close(&s.in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_registers_as_the_journal_took_them_stay_and_nothing_else),
        cmocka_unit_test(test_a_reading_leads_to_its_batch_however_many_chunks_there_are),
        cmocka_unit_test(test_what_only_the_store_refuses_is_evidence_all_the_same),
        cmocka_unit_test(test_a_batch_is_parted_where_the_month_ends_in_utc),
        cmocka_unit_test(test_a_chunk_grows_until_it_is_full),
        cmocka_unit_test(test_a_damaged_chunk_is_left_as_it_is),
        cmocka_unit_test(test_readings_of_many_months_at_once),
        cmocka_unit_test(test_a_turn_that_is_rolled_back_archives_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
