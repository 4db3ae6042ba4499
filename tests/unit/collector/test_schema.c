/* A database of each earlier format is opened with all that it holds. */
#include "tests/unit/collector/intake_fixture.h"

/* One gateway whose batch 1 is journalled, with a line that the store refused, a point, and two rows of the outbox. */
static const char rows_of_the_first_format[] =
    "INSERT INTO gateway VALUES(1, 'gw-a', 170, 5, 2, 6);"
    "INSERT INTO epoch VALUES(1, 1, 170, NULL, NULL, 1);"
    "INSERT INTO journal VALUES(4, 1, 170, 1, 1764000000000, 2,"
    " CAST('#park1 epoch=00000000000000aa seq=1 first=1' || char(10) || 'gauge,point=m value=1 "
    "1764000000000' || char(10)"
    " || 'gauge,point=m value=2 1764000001000' || char(10) AS BLOB), NULL);"
    "INSERT INTO journal_span VALUES(1, 3600000, 490000, 4, 1764000000000, 1764000001000);"
    "INSERT INTO point VALUES(1, 1, 'm', 1, 0, 1764000001000, 1764000002000, 0, 2.0, NULL);"
    "INSERT INTO quarantine(gateway, line, reason, content, recorded_ms, journal) VALUES('gw-a', 1, 'why', "
    "x'00', 1, 4);"
    "UPDATE cursor SET position = 4;"
    "INSERT INTO outbox(series, time_ms, line) VALUES('gateway,gw-a', 1, 'line'), ('gateway,gw-b', 1, "
    "'longer')";

static void open_as(struct intake *in, int version)
{
    struct error err;
    *in = (struct intake){0};
    struct fake_journal *f = &in->journal;
    *f = (struct fake_journal){.folder = "/tmp/parkmon-test-store-XXXXXX"};
    assert_non_null(mkdtemp(f->folder));
    snprintf(f->path, sizeof f->path, "%s/db", f->folder);
    for (int count = 1; count <= version; count++) {
        struct db_schema schema = {collector_schema.scripts, count};
        must(db_open_own(f->path, COLLECTOR_APPLICATION_ID, &schema, &f->db, &err), &err);
        if (count == 1)
            must(db_exec(f->db, rows_of_the_first_format, &err), &err);
        db_close(f->db);
    }
    must(db_open_own(f->path, COLLECTOR_APPLICATION_ID, &collector_schema, &f->db, &err), &err);
    in->db = f->db;
    intake_reload(in);
}

static void test_every_earlier_format_is_taken_over_whole(void **state)
{
    (void)state;
    for (int version = 1; version <= collector_schema.count; version++) {
        struct intake in;
        open_as(&in, version);
        assert_int_equal(query(in.db, "SELECT bytes FROM outbox_size"), 4 + 6 + 4 * 12 + 2 * 64);
        assert_int_equal(query(in.db, "SELECT count(*) FROM outbox WHERE sent_ms IS NULL"), 2);
        assert_string_equal(rows(in.db, 2, "SELECT * FROM refused"), "4|1");
        assert_int_equal(query(in.db, "SELECT position FROM cursor WHERE name = 'raw'"), 4);
        assert_int_equal(query(in.db, "SELECT position FROM cursor WHERE name = 'points'"), 4);
        assert_int_equal(query(in.db, "SELECT position FROM cursor WHERE name = 'ledger'"), 0);
        struct known_gateway *g = known_gateway_find(&in.known, SPAN("gw-a"));
        assert_int_equal(g->lost, 2);
        assert_int_equal(known_point_find(&in.known, g, SPAN("m"))->time_ms, 1764000001000);
        /* And goes on: what was taken is a duplicate, what follows is taken. */
        assert_answer(intake_give(&in, "gw-a",
                          "#park1 epoch=" EPOCH_A " seq=1 first=1\ngauge,point=m value=1 1764000000000\n"),
            170, 1, false);
        assert_answer(intake_give(&in, "gw-a",
                          "#park1 epoch=" EPOCH_A
                          " seq=2 first=1\ngauge,point=m value=1 1764000000000\ngauge,point=m value=3 "
                          "1764000003000\n"),
            170, 2, false);
        assert_string_equal(
            rows(in.db, 3, "SELECT id, seq, skipped FROM journal ORDER BY id"), "4|1|-;5|2|0");
        intake_close(&in);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_earlier_format_is_taken_over_whole)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
