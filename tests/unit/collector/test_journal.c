/* The journal and the tables beside it: limits, pruning, and that their queries use their indexes. */
#include "collector/intake/journal.h"
#include "tests/unit/collector/intake_fixture.h"

#include <sqlite3.h>

static bool quarantine(struct intake *in, const char *gateway, size_t len, int64_t recorded_ms)
{
    struct error err = {""};
    char *content = mem_zalloc(len + 1);
    bool is_kept;
    struct quarantine_entry entry = {.gateway = gateway,
        .line = -1,
        .reason = "why",
        .content = {content, len},
        .recorded_ms = recorded_ms};
    must(journal_quarantine(in->db, &entry, &is_kept, &err), &err);
    free(content);
    return is_kept;
}

static int fill(struct intake *in, const char *gateway, int count)
{
    int kept = 0;
    for (int i = 0; i < count; i++)
        kept += quarantine(in, gateway, 5000, 1000);
    return kept;
}

static void begin(struct intake *in)
{
    struct error err = {""};
    must(db_begin(in->db, &err), &err);
}

static void test_a_flood_fills_its_own_share_of_the_quarantine_and_the_rest_is_counted(void **state)
{
    (void)state;
    struct intake in;
    intake_open(&in);
    begin(&in);
    int fits = QUARANTINE_GATEWAY_BYTES / (4096 + 256) + 1;
    assert_int_equal(fill(&in, "flood", 1100), fits);
    assert_int_equal(
        query(in.db, "SELECT omitted FROM quarantine_size WHERE gateway = 'flood'"), 1100 - fits);
    assert_int_equal(query(in.db, "SELECT count(*) FROM quarantine WHERE length(content) = 4096"), fits);
    assert_true(quarantine(&in, "quiet", 10, 1000));
    /* All together: seventeen that flood fill it; one that comes then still has room. */
    for (int i = 0; i < 17; i++) {
        char name[16];
        snprintf(name, sizeof name, "flood%d", i);
        fill(&in, name, 1000);
    }
    int64_t sum = query(in.db, "SELECT sum(length(content) + 256) FROM quarantine");
    assert_true(sum <= QUARANTINE_BYTES + 20 * QUARANTINE_SHARE_BYTES);
    assert_int_equal(query(in.db, "SELECT bytes FROM quarantine_size WHERE gateway = '*'"), sum);
    assert_int_equal(fill(&in, "late", 100), QUARANTINE_SHARE_BYTES / (4096 + 256) + 1);
    db_rollback(in.db);
    intake_close(&in);
}

static void test_pruning_makes_room_again(void **state)
{
    (void)state;
    struct intake in;
    struct error err = {""};
    intake_open(&in);
    begin(&in);
    fill(&in, "flood", 1100);
    int64_t deleted;
    must(journal_prune_quarantine(in.db, 1000, 100000, &deleted, &err), &err);
    assert_int_equal(deleted, 0);
    assert_false(quarantine(&in, "flood", 10, 1000));
    must(journal_prune_quarantine(in.db, 1001, 10, &deleted, &err), &err);
    assert_int_equal(deleted, 10);
    assert_true(quarantine(&in, "flood", 10, 1000));
    must(journal_prune_quarantine(in.db, 1001, 100000, &deleted, &err), &err);
    assert_int_equal(query(in.db, "SELECT sum(bytes) FROM quarantine_size"), 0);
    db_rollback(in.db);
    intake_close(&in);
}

static void test_a_line_that_the_store_refuses_again_is_quarantined_once(void **state)
{
    (void)state;
    struct intake in;
    struct error err = {""};
    bool is_kept;
    intake_open(&in);
    intake_give(
        &in, "gw-a", "#park1 epoch=" EPOCH_A " seq=3 first=3\nregister,point=m value=1i 1763999990000\n");
    begin(&in);
    for (int i = 0; i < 2; i++) {
        must(journal_reject(in.db, 1, 0, "type conflict", SPAN("x"), NOW_MS, &is_kept, &err), &err);
        must(journal_reject(in.db, 1, 7, "type conflict", SPAN("y"), NOW_MS, &is_kept, &err), &err);
        must(journal_reject(in.db, 0, 0, "derived", SPAN("z"), NOW_MS, &is_kept, &err), &err);
    }
    assert_string_equal(
        rows(in.db, 6, "SELECT gateway, epoch, seq, line, reason, content FROM quarantine ORDER BY id"),
        "gw-a|170|3|0|type conflict|x;gw-a|170|3|7|type conflict|y;|-|-|0|derived|z;|-|-|0|derived|z");
    assert_int_equal(query(in.db, "SELECT bytes FROM quarantine_size WHERE gateway = 'gw-a'"), 2 * 257);
    db_rollback(in.db);
    intake_close(&in);
}

static void test_losses_beyond_the_limit_widen_the_last_of_their_kind(void **state)
{
    (void)state;
    struct intake in;
    struct error err = {""};
    intake_open(&in);
    intake_give(&in, "gw-a", "#park1 epoch=" EPOCH_A " seq=1 first=1\n");
    begin(&in);
    struct loss_entry gap = {
        .gateway = "gw-a", .epoch = 1, .first_seq = 5, .last_seq = 7, .reason = "gap", .recorded_ms = 1};
    struct loss_entry dropped = {
        .gateway = "gw-a", .readings = 3, .from_ms = 10, .to_ms = 20, .reason = "dropped", .recorded_ms = 1};
    int64_t id = known_gateway_find(&in.known, SPAN("gw-a"))->id;
    must(journal_loss(in.db, id, JOURNAL_LOSSES_MAX - 1, &gap, &err), &err);
    must(journal_loss(in.db, id, JOURNAL_LOSSES_MAX, &dropped, &err), &err); /* the first of its kind */
    gap.first_seq = 20;
    gap.last_seq = 29;
    dropped.to_ms = 30;
    must(journal_loss(in.db, id, JOURNAL_LOSSES_MAX + 1, &gap, &err), &err);
    must(journal_loss(in.db, id, JOURNAL_LOSSES_MAX + 2, &dropped, &err), &err);
    assert_string_equal(
        rows(in.db, 6, "SELECT first_seq, last_seq, readings, from_ms, to_ms, reason FROM loss"),
        "5|29|-|-|-|gap;-|-|6|10|30|dropped");
    assert_int_equal(query(in.db, "SELECT lost FROM gateway"), 4);
    db_rollback(in.db);
    intake_close(&in);
}

/* A sum that SQLite could not hold would fail the whole transaction, and with it the batches of others. */
static void test_a_gateway_that_claims_to_have_lost_everything_again_and_again_holds_nobody_up(void **state)
{
    (void)state;
    struct intake in;
    struct error err = {""};
    intake_open(&in);
    intake_give(&in, "gw-a", "#park1 epoch=" EPOCH_A " seq=1 first=1\n");
    begin(&in);
    struct loss_entry dropped = {.gateway = "gw-a",
        .readings = BATCH_SEQ_MAX - 1,
        .from_ms = 10,
        .to_ms = 20,
        .reason = "dropped",
        .recorded_ms = 1};
    int64_t id = known_gateway_find(&in.known, SPAN("gw-a"))->id;
    for (int i = 0; i < 1100; i++)
        must(journal_loss(in.db, id, JOURNAL_LOSSES_MAX + i, &dropped, &err), &err);
    assert_int_equal(query(in.db, "SELECT readings FROM loss"), BATCH_SEQ_MAX - 1);
    assert_int_equal(query(in.db, "SELECT lost FROM gateway"), 1100);
    db_rollback(in.db);
    intake_close(&in);
}

static void add_batch(struct intake *in, int64_t received_ms, int64_t time_ms)
{
    struct error err = {""};
    struct batch_header header = {.epoch = 1, .seq = time_ms, .first = 1};
    struct journal_batch batch = {.gateway = 1,
        .header = &header,
        .received_ms = received_ms,
        .from_ms = time_ms,
        .to_ms = time_ms,
        .payload = SPAN("x")};
    must(journal_add(in->db, &batch, &err), &err);
}

/* What is pruned, told by its seqs: "2 3 ". */
static void note_seq(void *context, const struct journal_entry *entry)
{
    size_t len = strlen(context);
    snprintf((char *)context + len, 64 - len, "%.*s/%lld ", (int)entry->gateway.len, entry->gateway.at,
        (long long)entry->seq);
}

static const char *prune(
    struct intake *in, int64_t before_ms, int64_t settled, int64_t batches, int64_t bytes, bool *ret_is_done)
{
    static char taken[64];
    struct error err = {""};
    int64_t deleted;
    taken[0] = '\0';
    struct journal_pruning p = {before_ms, settled, batches, bytes, note_seq, taken};
    must(journal_prune(in->db, &p, &deleted, ret_is_done, &err), &err);
    return taken;
}

static void test_only_batches_that_are_old_and_in_the_store_are_pruned_whatever_their_order(void **state)
{
    (void)state;
    struct intake in;
    struct error err = {""};
    int64_t newest, received_ms;
    bool is_done;
    intake_open(&in);
    must(db_exec(in.db, "INSERT INTO gateway(id, name, first_heard_ms) VALUES(1, 'gw-a', 0)", &err), &err);
    begin(&in);
    add_batch(&in, 5000, 1); /* the clock was ahead for a while */
    for (int i = 2; i <= 6; i++)
        add_batch(&in, 1000, i);
    assert_string_equal(prune(&in, 2000, 4, 1, 1000, &is_done), "gw-a/2 ");
    assert_false(is_done);
    assert_string_equal(rows(in.db, 1, "SELECT id FROM journal ORDER BY id"), "1;3;4;5;6");
    assert_string_equal(prune(&in, 2000, 4, 100, 1, &is_done), "gw-a/3 "); /* by bytes, but never none */
    assert_false(is_done);
    assert_string_equal(prune(&in, 2000, 4, 100, 1000, &is_done), "gw-a/4 ");
    assert_true(is_done);
    assert_string_equal(rows(in.db, 1, "SELECT id FROM journal ORDER BY id"), "1;5;6");
    assert_string_equal(rows(in.db, 1, "SELECT DISTINCT journal FROM journal_span ORDER BY 1"), "1;5;6");
    /* Ids go on behind what was pruned: a cursor of the store never meets one again. */
    assert_string_equal(prune(&in, 9000, 6, 100, 1000, &is_done), "gw-a/5 gw-a/6 gw-a/1 ");
    add_batch(&in, 9000, 1);
    must(journal_newest(in.db, &newest, &received_ms, &err), &err);
    assert_int_equal(newest, 7);
    assert_int_equal(received_ms, 9000);
    db_rollback(in.db);
    intake_close(&in);
}

/* Every connection opened since: the statements are taken from the program's own. */
static sqlite3 *newest_connection;

static int note_connection(sqlite3 *db, char **error, const struct sqlite3_api_routines *api)
{
    (void)error, (void)api;
    newest_connection = db;
    return SQLITE_OK;
}

static bool is_scan(sqlite3 *db, const char *sql, char *ret, size_t size)
{
    char *explain = mem_printf("EXPLAIN QUERY PLAN %s", sql);
    sqlite3_stmt *s;
    assert_int_equal(sqlite3_prepare_v2(db, explain, -1, &s, NULL), SQLITE_OK);
    bool is = false;
    while (!is && sqlite3_step(s) == SQLITE_ROW) {
        snprintf(ret, size, "%s", (const char *)sqlite3_column_text(s, 3));
        /* max(id) and min(id) are "SEARCH", the end of the table's own order. */
        is = strstr(ret, "SCAN") != NULL;
    }
    sqlite3_finalize(s);
    free(explain);
    return is;
}

/* All that the core does each second is done once; every statement that it kept is then explained. */
static void test_whether_a_batch_reaches_into_a_time(void **state)
{
    (void)state;
    static const struct {
        int64_t from_ms, to_ms;
        bool is_reached;
    } cases[] = {{0, 5000, false}, {5000, 5001, true}, {5001, 7200000, false}, {7199999, 7300000, true},
        {INT64_C(40) * 86400000, INT64_C(41) * 86400000, true},
        {INT64_C(200) * 86400000, INT64_C(300) * 86400000, false}};
    struct intake in;
    struct error err = {""};
    intake_open(&in);
    must(db_exec(in.db, "INSERT INTO gateway(id, name, first_heard_ms) VALUES(1, 'gw-a', 0)", &err), &err);
    begin(&in);
    add_batch(&in, 1000, 5000);
    add_batch(&in, 1000, 7200000);
    struct batch_header header = {.epoch = 1, .seq = 3, .first = 1};
    struct journal_batch wide = {.gateway = 1,
        .header = &header,
        .from_ms = INT64_C(35) * 86400000,
        .to_ms = INT64_C(100) * 86400000,
        .payload = SPAN("x")};
    must(journal_add(in.db, &wide, &err), &err);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bool is_reached;
        must(journal_reaches_into(in.db, cases[i].from_ms, cases[i].to_ms, &is_reached, &err), &err);
        if (is_reached != cases[i].is_reached)
            fail_msg("%lld to %lld", (long long)cases[i].from_ms, (long long)cases[i].to_ms);
    }
    db_rollback(in.db);
    intake_close(&in);
}

static void test_the_queries_of_every_second_use_an_index(void **state)
{
    (void)state;
    struct intake in;
    struct error err = {""};
    assert_int_equal(sqlite3_auto_extension((void (*)(void))note_connection), SQLITE_OK);
    intake_open(&in);
    sqlite3_cancel_auto_extension((void (*)(void))note_connection);
    sqlite3 *db = newest_connection;
    intake_give(&in, "gw-a",
        "#park1 epoch=" EPOCH_A " seq=1 first=1\nregister,point=m value=1i 1763999990000\nnonsense\n");
    intake_give(
        &in, "gw-a", "#park1 epoch=" EPOCH_A " seq=4 first=4\nregister,point=m value=1i 1763999990000\n");
    intake_give(&in, "gw-a", "#park1 epoch=" EPOCH_B " seq=6 first=6 prev=" EPOCH_A ":5\n");
    begin(&in);
    bool is_kept;
    int64_t number, received_ms;
    must(journal_reject(in.db, 1, 0, "why", SPAN("x"), NOW_MS, &is_kept, &err), &err);
    must(journal_loss(in.db, 1, JOURNAL_LOSSES_MAX,
             &(struct loss_entry){.gateway = "gw-a", .reason = "why", .recorded_ms = 1}, &err),
        &err);
    prune(&in, INT64_MAX, INT64_MAX, 1, 1, &is_kept);
    must(journal_prune_quarantine(in.db, 1, 10, &number, &err), &err);
    must(journal_reaches_into(in.db, 1, 2, &is_kept, &err), &err);
    must(journal_newest(in.db, &number, &received_ms, &err), &err);
    db_rollback(in.db);
    int kept = 0, found = 0;
    for (sqlite3_stmt *s = NULL; (s = sqlite3_next_stmt(db, s)) != NULL; kept++) {
        char sql[1024], plan[256];
        snprintf(sql, sizeof sql, "%s", sqlite3_sql(s));
        found += strstr(sql, "FROM journal_span WHERE gateway") != NULL;
        /* Beyond ten thousand losses only, and not by more than those. */
        bool is_rare = strstr(sql, "UPDATE loss") != NULL;
        bool is_of_gateways = strstr(sql, "FROM gateway g CROSS JOIN") != NULL; /* by design each of them */
        if (!is_rare && !is_of_gateways && is_scan(db, sql, plan, sizeof plan))
            fail_msg("%s: %s", sql, plan);
    }
    assert_in_range(kept, 15, 100);
    assert_int_equal(found, 1); /* the one that looks for late readings is among them */
    intake_close(&in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_flood_fills_its_own_share_of_the_quarantine_and_the_rest_is_counted),
        cmocka_unit_test(test_pruning_makes_room_again),
        cmocka_unit_test(test_a_line_that_the_store_refuses_again_is_quarantined_once),
        cmocka_unit_test(test_losses_beyond_the_limit_widen_the_last_of_their_kind),
        cmocka_unit_test(test_a_gateway_that_claims_to_have_lost_everything_again_and_again_holds_nobody_up),
        cmocka_unit_test(test_only_batches_that_are_old_and_in_the_store_are_pruned_whatever_their_order),
        cmocka_unit_test(test_whether_a_batch_reaches_into_a_time),
        cmocka_unit_test(test_the_queries_of_every_second_use_an_index),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
