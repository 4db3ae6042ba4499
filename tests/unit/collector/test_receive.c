/* One batch after another into a real database: what is journalled, quarantined, lost, and answered (D1 to
 * D5). */
#include "tests/unit/collector/intake_fixture.h"

static const char FIRST[] = "#park1 epoch=" EPOCH_A " seq=1 first=1\n"
                            "register,point=m value=100i 1763999990000\n"
                            "gauge,point=p value=1.5 1763999990000\n"
                            "state,point=s value=\"open\" 1763999990000\n";

static void test_a_batch_is_journalled_as_it_came_and_its_points_are_known(void **state)
{
    (void)state;
    struct intake in;
    intake_open(&in);
    assert_answer(intake_give(&in, "gw-a", FIRST), 0xaa, 1, false);
    assert_int_equal(in.counters.readings, 3);
    struct buf expected = {0};
    buf_printf(&expected, "gw-a|170|1|1764000000000|3|-|%s", FIRST);
    assert_string_equal(rows(in.db, 7,
                            "SELECT g.name, j.epoch, seq, received_ms, lines, skipped, payload FROM journal j"
                            " JOIN gateway g ON g.id = j.gateway"),
        expected.data);
    buf_release(&expected);
    assert_string_equal(
        rows(in.db, 6, "SELECT name, kind, count, value, text, time_ms FROM point ORDER BY name"),
        "m|0|100|0.0|-|1763999990000;p|1|0|1.5|-|1763999990000;s|2|0|0.0|open|1763999990000");
    assert_int_equal(query(in.db, "SELECT count(*) FROM quarantine"), 0);
    assert_int_equal(query(in.db, "SELECT count(*) FROM loss"), 0);
    intake_close(&in);
}

static void test_a_batch_that_is_durable_is_dropped_and_acknowledged_again_also_after_a_restart(void **state)
{
    (void)state;
    struct intake in;
    intake_open(&in);
    intake_give(&in, "gw-a", FIRST);
    intake_give(
        &in, "gw-a", "#park1 epoch=" EPOCH_A " seq=2 first=1\nregister,point=m value=101i 1763999991000\n");
    assert_answer(intake_give(&in, "gw-a", FIRST), 0xaa, 2, false);
    assert_int_equal(in.counters.duplicate_batches, 1);
    intake_reload(&in);
    assert_answer(intake_give(&in, "gw-a", FIRST), 0xaa, 2, false);
    assert_int_equal(query(in.db, "SELECT count(*) FROM journal"), 2);
    intake_close(&in);
}

static void test_a_bad_line_is_quarantined_and_the_others_are_taken(void **state)
{
    (void)state;
    struct intake in;
    intake_open(&in);
    assert_answer(intake_give(&in, "gw-a",
                      "#park1 epoch=" EPOCH_A " seq=1 first=1\n"
                      "register,point=m value=100i 1763999990000\n"
                      "nonsense\n"
                      "\n"
                      "# a comment\n"
                      "register,point=m value=1.5 1763999990001\n"
                      "state,point=s value=\"a\nregister,point=m value=101i 1763999990002\n"
                      "register,point=m value=102i 1763999990003"),
        0xaa, 1, false);
    assert_int_equal(in.counters.readings, 3);
    assert_int_equal(in.counters.quarantined, 3);
    /* The numbers are those by which the store's reader skips: every line feed ends a line, empty ones and
     * comments count. */
    assert_string_equal(rows(in.db, 2, "SELECT lines, skipped FROM journal"), "8|1,2,3,4,5");
    assert_string_equal(rows(in.db, 4, "SELECT gateway, seq, line, content FROM quarantine ORDER BY line"),
        "gw-a|1|1|nonsense;gw-a|1|4|register,point=m value=1.5 1763999990001;gw-a|1|5|state,point=s "
        "value=\"a");
    assert_int_equal(query(in.db, "SELECT count FROM point WHERE name = 'm'"), 102);
    intake_close(&in);
}

static void test_a_reading_more_than_five_minutes_ahead_is_quarantined(void **state)
{
    (void)state;
    struct intake in;
    intake_open(&in);
    intake_give(&in, "gw-a",
        "#park1 epoch=" EPOCH_A " seq=1 first=1\n"
        "register,point=m value=1i 1764000300000\n"
        "register,point=m value=2i 1764000300001\n");
    assert_string_equal(rows(in.db, 3, "SELECT line, reason, content FROM quarantine"),
        "1|more than 5 min ahead of the collector's clock|register,point=m value=2i 1764000300001");
    assert_int_equal(query(in.db, "SELECT time_ms FROM point"), NOW_MS + 300000);
    intake_close(&in);
}

static void test_what_the_quarantine_has_no_room_for_is_named_as_loss(void **state)
{
    (void)state;
    struct intake in;
    intake_open(&in);
    int64_t batches = 40, ahead_ms = NOW_MS + 600000;
    char value[201];
    memset(value, 'x', 200);
    value[200] = '\0';
    for (int64_t seq = 1; seq <= batches; seq++) {
        struct buf text = {0};
        buf_printf(&text, "#park1 epoch=" EPOCH_A " seq=%lld first=1\n", (long long)seq);
        for (int i = 0; i < 900; i++)
            buf_printf(&text, "state,point=m value=\"%s\" %lld\n", value, (long long)ahead_ms++);
        assert_answer(intake_give_bytes(&in, "gw-a", text.data, text.len), 0xaa, seq, false);
        buf_release(&text);
    }
    int64_t kept = query(in.db, "SELECT count(*) FROM quarantine");
    int64_t lost = query(in.db, "SELECT sum(readings) FROM loss");
    assert_in_range(kept, 1, batches * 900 - 1);
    assert_int_equal(kept + lost, batches * 900);
    assert_int_equal(query(in.db, "SELECT omitted FROM quarantine_size WHERE gateway = 'gw-a'"), lost);
    assert_int_equal(query(in.db, "SELECT count(*) FROM loss WHERE gateway = 'gw-a' AND first_seq = last_seq"
                                  " AND first_seq > 0 AND reason LIKE 'refused, and beyond%'"),
        query(in.db, "SELECT count(*) FROM loss"));
    intake_close(&in);
}

static void test_a_broken_limit_is_quarantined_recorded_as_loss_and_the_line_goes_on(void **state)
{
    (void)state;
    struct intake in;
    intake_open(&in);
    struct buf text = {0};
    buf_add_str(&text, "#park1 epoch=" EPOCH_A " seq=1 first=1\n");
    for (int i = 0; i < 1001; i++)
        buf_printf(&text, "register,point=m value=%di %lld\n", i, (long long)NOW_MS - 10000 + i);
    assert_answer(intake_give_bytes(&in, "gw-a", text.data, text.len), 0xaa, 1, false);
    assert_string_equal(rows(in.db, 5, "SELECT gateway, epoch, first_seq, last_seq, reason FROM loss"),
        "gw-a|170|1|1|the batch has more than 1000 lines");
    assert_int_equal(query(in.db, "SELECT length(content) FROM quarantine"), 4096);
    assert_int_equal(query(in.db, "SELECT count(*) FROM journal"), 0);
    assert_int_equal(query(in.db, "SELECT count(*) FROM point"), 0);

    buf_reset(&text);
    buf_add_str(&text, "#park1 epoch=" EPOCH_A " seq=2 first=1\n#");
    while (text.len < BATCH_BYTES_MAX + 1)
        buf_add_char(&text, 'x');
    assert_answer(intake_give_bytes(&in, "gw-a", text.data, text.len), 0xaa, 2, false);
    assert_int_equal(query(in.db, "SELECT count(*) FROM loss"), 2);
    assert_int_equal(query(in.db, "SELECT lost FROM gateway"), 2);

    /* At the limit itself nothing is wrong. */
    buf_reset(&text);
    buf_add_str(&text, "#park1 epoch=" EPOCH_A " seq=3 first=1\n");
    for (int i = 0; i < 1000; i++)
        buf_printf(&text, "register,point=m value=%di %lld\n", i, (long long)NOW_MS - 10000 + i);
    assert_answer(intake_give_bytes(&in, "gw-a", text.data, text.len), 0xaa, 3, false);
    assert_int_equal(in.counters.readings, 1000);
    buf_release(&text);
    intake_close(&in);
}

static void test_an_unreadable_header_is_counted_quarantined_and_not_answered(void **state)
{
    (void)state;
    struct intake in;
    intake_open(&in);
    static const char *const payloads[] = {"", "\n", "hello", "#park1 epoch=0000000000000000 seq=1 first=1\n",
        "#park1 epoch=" EPOCH_A " seq=1\nregister,point=m value=1i 1\n",
        "#park1 epoch=" EPOCH_A " seq=1 first=2\n"};
    size_t count = sizeof payloads / sizeof payloads[0];
    for (size_t i = 0; i < count; i++) {
        assert_false(intake_give(&in, "gw-x", payloads[i]).has_ack);
        assert_int_equal(in.counters.unreadable, 1);
    }
    assert_int_equal(
        query(in.db, "SELECT count(*) FROM quarantine WHERE gateway = 'gw-x' AND epoch IS NULL"), count);
    assert_int_equal(query(in.db, "SELECT count(*) FROM gateway"), 0);
    assert_int_equal(query(in.db, "SELECT count(*) FROM journal"), 0);
    intake_close(&in);
}

static void test_points_that_no_park_knows_are_kept_up_to_a_limit(void **state)
{
    (void)state;
    struct intake in;
    intake_open(&in);
    struct buf text = {0};
    for (int seq = 1; seq <= KNOWN_POINTS_MAX / 1000 + 1; seq++) {
        buf_reset(&text);
        buf_printf(&text, "#park1 epoch=" EPOCH_A " seq=%d first=1\n", seq);
        for (int i = 0; i < 1000; i++)
            buf_printf(&text, "gauge,point=p%d value=1 1763999990000\n", seq * 1000 + i);
        intake_give_bytes(&in, "gw-a", text.data, text.len);
    }
    assert_int_equal(in.counters.quarantined, 1000);
    assert_int_equal(query(in.db, "SELECT count(*) FROM point"), KNOWN_POINTS_MAX);
    /* After a restart as well; known ones go on, and other gateways have their own limit. */
    intake_reload(&in);
    buf_reset(&text);
    buf_printf(&text,
        "#park1 epoch=" EPOCH_A " seq=%d first=1\ngauge,point=p1000 value=2 1763999991000\n"
        "gauge,point=new value=2 1763999991000\n",
        KNOWN_POINTS_MAX / 1000 + 2);
    intake_give_bytes(&in, "gw-a", text.data, text.len);
    assert_int_equal(in.counters.readings, 1);
    assert_int_equal(in.counters.quarantined, 1);
    intake_give(&in, "gw-b", FIRST);
    assert_int_equal(in.counters.readings, 3);
    buf_release(&text);
    intake_close(&in);
}

static void test_gateways_beyond_the_limit_are_turned_away_without_a_trace(void **state)
{
    (void)state;
    struct intake in;
    struct error err = {""};
    intake_open(&in);
    must(db_exec(in.db,
             "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4095)"
             " INSERT INTO gateway(name, first_heard_ms) SELECT 'gw' || i, 0 FROM n",
             &err),
        &err);
    assert_int_equal(KNOWN_GATEWAYS_MAX, 4096);
    intake_reload(&in);
    assert_answer(intake_give(&in, "last", FIRST), 0xaa, 1, false);
    static const char *const payloads[] = {FIRST, "nonsense"};
    for (int i = 0; i < 2; i++) {
        struct receive_answer answer = intake_give(&in, "more", payloads[i]);
        assert_true(answer.is_turned_away);
        assert_false(answer.has_ack);
    }
    assert_int_equal(query(in.db, "SELECT count(*) FROM gateway"), KNOWN_GATEWAYS_MAX);
    assert_int_equal(query(in.db, "SELECT count(*) FROM journal"), 1);
    assert_int_equal(query(in.db, "SELECT count(*) FROM quarantine"), 0);
    /* Those that are known go on. */
    assert_answer(intake_give(&in, "gw7", FIRST), 0xaa, 1, false);
    intake_close(&in);
}

/* ---- D5 ---- */

static void test_within_a_batch_the_same_again_is_dropped_and_another_value_is_quarantined(void **state)
{
    (void)state;
    struct intake in;
    intake_open(&in);
    intake_give(&in, "gw-a",
        "#park1 epoch=" EPOCH_A " seq=1 first=1\n"
        "register,point=m value=1i 1763999990000\n"
        "register,point=m value=1i 1763999990000\n"
        "register,point=m value=2i 1763999990000\n"
        "register,point=m value=3i 1763999980000\n" /* late, but new */
        "register,point=m value=3i 1763999980000\n"
        "register,point=m value=4i 1763999980000\n"
        "gauge,point=m value=1 1763999990000\n"
        "register,point=n value=1i 1763999980000\n");
    assert_string_equal(rows(in.db, 1, "SELECT skipped FROM journal"), "1,2,4,5,6");
    assert_string_equal(rows(in.db, 2, "SELECT line, content FROM quarantine ORDER BY line"),
        "2|register,point=m value=2i 1763999990000;5|register,point=m value=4i 1763999980000;"
        "6|gauge,point=m value=1 1763999990000");
    assert_int_equal(in.counters.readings, 3);
    assert_int_equal(in.counters.duplicate_readings, 2);
    assert_int_equal(query(in.db, "SELECT count FROM point WHERE name = 'm'"), 1);
    intake_close(&in);
}

static void test_across_batches_and_epochs_the_first_journalled_wins_also_after_a_restart(void **state)
{
    (void)state;
    struct intake in;
    intake_open(&in);
    intake_give(&in, "gw-a",
        "#park1 epoch=" EPOCH_A " seq=1 first=1\n"
        "register,point=m value=1i 1763999990000\n"
        "state,point=s value=\"a\\b\" 1763999990000\n"
        "gauge,point=p value=1.50 1763999990000\n");
    intake_reload(&in);
    intake_give(&in, "gw-a",
        "#park1 epoch=" EPOCH_B " seq=2 first=2 prev=" EPOCH_A ":1\n"
        "register,point=m value=2i 1763999990000\n"
        "register,point=m value=1i 1763999990000\n"
        "state,point=s value=\"a\\\\b\" 1763999990000\n" /* the same text, escaped in another way */
        "gauge,point=p value=15e-1 1763999990000\n"
        "state,point=s value=\"\" 1763999980000\n"
        "register,point=m value=3i 1763999995000\n");
    assert_string_equal(rows(in.db, 1, "SELECT skipped FROM journal ORDER BY id"), "-;0,1,2,3");
    assert_string_equal(
        rows(in.db, 2, "SELECT seq, content FROM quarantine"), "2|register,point=m value=2i 1763999990000");
    assert_int_equal(in.counters.duplicate_readings, 3);
    /* A conflict that was put out is no reading: the same value later is compared with the one that won. */
    intake_give(&in, "gw-a",
        "#park1 epoch=" EPOCH_B " seq=3 first=2 prev=" EPOCH_A ":1\n"
        "register,point=m value=2i 1763999990000\n");
    assert_int_equal(in.counters.quarantined, 1);
    assert_int_equal(in.counters.duplicate_readings, 0);
    /* The same point of another gateway is another point. */
    intake_give(
        &in, "gw-b", "#park1 epoch=" EPOCH_A " seq=1 first=1\nregister,point=m value=7i 1763999990000\n");
    assert_int_equal(in.counters.readings, 1);
    intake_close(&in);
}

static void test_late_readings_are_found_again_however_far_their_batches_reach(void **state)
{
    (void)state;
    struct intake in;
    intake_open(&in);
    /* Spans of a second, of ten days (buckets of days), of two years (one bucket for all), from before 1971
     * on. */
    static const int64_t spans_ms[][2] = {{NOW_MS - 1000, NOW_MS - 500}, {NOW_MS - 864000000, NOW_MS - 2000},
        {NOW_MS - 63072000000, NOW_MS - 3000}, {1, 2}};
    struct buf text = {0};
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < 4; i++) {
            buf_reset(&text);
            buf_printf(&text,
                "#park1 epoch=" EPOCH_A
                " seq=%d first=1\nregister,point=m value=1i %lld\nregister,point=m value=1i %lld\n",
                round * 4 + i + 1, (long long)spans_ms[i][0], (long long)spans_ms[i][1]);
            intake_give_bytes(&in, "gw-a", text.data, text.len);
            assert_int_equal(in.counters.readings, round == 0 ? 2 : 0);
            assert_int_equal(in.counters.duplicate_readings, round == 0 ? 0 : 2);
        }
    buf_release(&text);
    intake_close(&in);
}

/* ---- gaps ---- */

static void test_what_was_dropped_is_recorded_once_also_where_the_batch_is_refused(void **state)
{
    (void)state;
    struct intake in;
    intake_open(&in);
    intake_give(&in, "gw-a", FIRST);
    assert_answer(intake_give(&in, "gw-a", "#park1 epoch=" EPOCH_A " seq=9 first=5\n"), 0xaa, 4, true);
    assert_answer(intake_give(&in, "gw-a", "#park1 epoch=" EPOCH_A " seq=10 first=5\n"), 0xaa, 4, true);
    intake_reload(&in);
    assert_answer(intake_give(&in, "gw-a", "#park1 epoch=" EPOCH_A " seq=5 first=5\n"), 0xaa, 5, false);
    assert_string_equal(
        rows(in.db, 5, "SELECT gateway, epoch, first_seq, last_seq, readings FROM loss"), "gw-a|170|2|4|-");
    assert_int_equal(query(in.db, "SELECT lost FROM gateway"), 1);
    intake_close(&in);
}

static void test_dropped_readings_are_recorded_with_their_number_and_span(void **state)
{
    (void)state;
    struct intake in;
    intake_open(&in);
    static const char text[] = "#park1 epoch=" EPOCH_A " seq=1 first=1 dropped=12 from=1000 to=2000\n";
    intake_give(&in, "gw-a", text);
    intake_give(&in, "gw-a", text);
    assert_string_equal(
        rows(in.db, 5, "SELECT first_seq, last_seq, readings, from_ms, to_ms FROM loss"), "-|-|12|1000|2000");
    assert_int_equal(in.counters.duplicate_batches, 1);
    intake_close(&in);
}

static void test_history_from_before_a_gateway_was_first_heard_is_named_and_is_no_loss(void **state)
{
    (void)state;
    struct intake in;
    intake_open(&in);
    assert_answer(intake_give(&in, "gw-a", "#park1 epoch=" EPOCH_A " seq=7 first=5\n"), 0xaa, 4, true);
    assert_answer(intake_give(&in, "gw-a", "#park1 epoch=" EPOCH_A " seq=5 first=5\n"), 0xaa, 5, false);
    assert_string_equal(rows(in.db, 3, "SELECT first_seq, last_seq, reason FROM loss"),
        "1|4|history not held: from before this gateway was first heard");
    assert_int_equal(query(in.db, "SELECT lost FROM gateway"), 0);
    assert_int_equal(in.counters.losses, 0);
    intake_close(&in);
}

static void test_a_restored_collector_asks_for_the_epochs_it_missed_and_loses_nothing_that_is_held(
    void **state)
{
    (void)state;
    struct intake in;
    intake_open(&in);
    for (int seq = 1; seq <= 5; seq++) {
        char text[96];
        snprintf(text, sizeof text, "#park1 epoch=" EPOCH_A " seq=%d first=1\n", seq);
        intake_give(&in, "gw-a", text);
    }
    /* Meanwhile the agent went through epochs of which this collector's backup knows nothing; it still holds
     * 3 and on. */
    assert_answer(
        intake_give(&in, "gw-a", "#park1 epoch=00000000000000cc seq=9 first=3 prev=" EPOCH_B ":8\n"), 0xcc, 2,
        true);
    assert_answer(intake_give(&in, "gw-a", "#park1 epoch=" EPOCH_A " seq=3 first=3\n"), 0xaa, 5, false);
    assert_answer(intake_give(&in, "gw-a", "#park1 epoch=" EPOCH_A " seq=6 first=3\n"), 0xaa, 6, false);
    assert_answer(intake_give(&in, "gw-a", "#park1 epoch=" EPOCH_B " seq=7 first=3 prev=" EPOCH_A ":6\n"),
        0xbb, 7, false);
    assert_answer(intake_give(&in, "gw-a", "#park1 epoch=" EPOCH_B " seq=8 first=3 prev=" EPOCH_A ":6\n"),
        0xbb, 8, false);
    assert_answer(
        intake_give(&in, "gw-a", "#park1 epoch=00000000000000cc seq=9 first=3 prev=" EPOCH_B ":8\n"), 0xcc, 9,
        false);
    assert_int_equal(query(in.db, "SELECT count(*) FROM journal"), 9);
    assert_int_equal(query(in.db, "SELECT count(*) FROM loss"), 0);
    intake_close(&in);
}

static void test_a_known_gateway_that_begins_a_new_spool_leaves_a_loss_of_unknown_content(void **state)
{
    (void)state;
    struct intake in;
    intake_open(&in);
    intake_give(&in, "gw-a", "#park1 epoch=" EPOCH_A " seq=1 first=1\n");
    assert_int_equal(query(in.db, "SELECT count(*) FROM loss"), 0);
    /* Not its first batch: asked for that one, and no trace. */
    assert_answer(intake_give(&in, "gw-a", "#park1 epoch=" EPOCH_B " seq=2 first=1\n"), 0xbb, 0, true);
    assert_int_equal(query(in.db, "SELECT count(*) FROM loss"), 0);
    assert_answer(intake_give(&in, "gw-a", "#park1 epoch=" EPOCH_B " seq=1 first=1\n"), 0xbb, 1, false);
    intake_reload(&in);
    assert_answer(intake_give(&in, "gw-a", "#park1 epoch=" EPOCH_B " seq=1 first=1\n"), 0xbb, 1, false);
    assert_answer(intake_give(&in, "gw-a", "#park1 epoch=" EPOCH_B " seq=2 first=1\n"), 0xbb, 2, false);
    assert_string_equal(rows(in.db, 5, "SELECT gateway, epoch, first_seq, last_seq, reason FROM loss"),
        "gw-a|187|-|-|unknown content: the gateway began a new spool; what the one before still held is not "
        "known");
    assert_int_equal(query(in.db, "SELECT lost FROM gateway"), 1);
    intake_close(&in);
}

/* D3 through the whole intake: what is answered, recorded as missing, and marked, for each way in which a line can
 * go on. The batch that is judged comes twice, with a restart in between: the second time changes nothing. */
static void test_a_line_goes_on_or_what_is_missing_is_named_once(void **state)
{
    (void)state;
#define A "epoch=" EPOCH_A
#define B "epoch=" EPOCH_B
#define A_TO_3                                                     \
    {                                                              \
        A " seq=1 first=1", A " seq=2 first=1", A " seq=3 first=1" \
    }
    static const struct {
        const char *what;
        const char *before[4];
        const char *judged;
        int64_t seq; /* answered */
        bool is_again;
        const char *losses; /* first_seq|last_seq|readings|is history|is unknown content */
        const char *marks;  /* epoch|mark */
    } cases[] = {
        {"never seen, from its first batch", {0}, B " seq=1 first=1", 1, false, "", "187|1"},
        {"never seen, and ran before: history", {0}, B " seq=5 first=5 prev=" EPOCH_A ":4", 5, false,
            "1|4|-|1|0", "187|5"},
        {"never seen, and not the lowest that it holds: no trace", {0}, B " seq=6 first=5", 4, true, "", ""},
        {"heard, but never taken: history", {B " seq=9 first=5"}, B " seq=5 first=5", 5, false, "1|4|-|1|0",
            "187|5"},
        {"prev is known, its mark equal", A_TO_3, B " seq=4 first=1 prev=" EPOCH_A ":3", 4, false, "",
            "170|3;187|4"},
        {"prev is known, its mark lower", A_TO_3, B " seq=6 first=1 prev=" EPOCH_A ":5", 3, true, "",
            "170|3"},
        {"prev is known, its mark higher", A_TO_3, B " seq=3 first=1 prev=" EPOCH_A ":2", 3, false, "",
            "170|3;187|3"},
        {"prev is known, its mark higher, and a jump", A_TO_3, B " seq=5 first=1 prev=" EPOCH_A ":2", 2, true,
            "", "170|3"},
        {"prev is known, its mark lower, and the rest of it given up", A_TO_3,
            B " seq=6 first=6 prev=" EPOCH_A ":5", 6, false, "4|5|-|0|0", "170|5;187|6"},
        {"prev is known, its mark lower, and a part of the rest given up", A_TO_3,
            B " seq=6 first=5 prev=" EPOCH_A ":5", 4, true, "4|4|-|0|0", "170|4"},
        {"prev is known, and batches of both epochs given up", A_TO_3, B " seq=8 first=8 prev=" EPOCH_A ":5",
            8, false, "4|7|-|0|0", "170|5;187|8"},
        {"prev is not known", A_TO_3, B " seq=8 first=8 prev=00000000000000cc:7", 8, false, "1|7|-|0|1",
            "170|3;187|8"},
        {"prev is not known, and not the lowest that it holds: no trace", A_TO_3,
            B " seq=9 first=8 prev=00000000000000cc:7", 7, true, "", "170|3"},
        {"a new spool: what the former one held nobody knows", A_TO_3, B " seq=1 first=1", 1, false,
            "-|-|-|0|1", "170|3;187|1"},
        {"a new spool, and not its first batch: no trace", A_TO_3, B " seq=2 first=1", 0, true, "", "170|3"},
        {"a new spool that gave up its begin", A_TO_3, B " seq=4 first=4", 4, false, "1|3|-|0|1",
            "170|3;187|4"},
        {"at or below the mark", A_TO_3, A " seq=2 first=1", 3, false, "", "170|3"},
        {"the next", A_TO_3, A " seq=4 first=1", 4, false, "", "170|4"},
        {"a jump, and what is needed is held", A_TO_3, A " seq=6 first=4", 3, true, "", "170|3"},
        {"given up, and the next after it", A_TO_3, A " seq=7 first=7", 7, false, "4|6|-|0|0", "170|7"},
        {"given up, and a jump after it", A_TO_3, A " seq=9 first=7", 6, true, "4|6|-|0|0", "170|6"},
        {"dropped", A_TO_3, A " seq=4 first=1 dropped=9 from=1000 to=2000", 4, false, "-|-|9|0|0", "170|4"},
        {"dropped, but refused", A_TO_3, A " seq=5 first=1 dropped=9 from=1000 to=2000", 3, true, "",
            "170|3"},
        {"dropped, but a duplicate", A_TO_3, A " seq=3 first=1 dropped=9 from=1000 to=2000", 3, false, "",
            "170|3"},
        {"given up and dropped", A_TO_3, A " seq=6 first=6 dropped=9 from=1000 to=2000", 6, false,
            "4|5|-|0|0;-|-|9|0|0", "170|6"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct intake in;
        intake_open(&in);
        char text[160];
        for (int k = 0; k < 4 && cases[i].before[k] != NULL; k++) {
            snprintf(text, sizeof text, "#park1 %s\n", cases[i].before[k]);
            intake_give(&in, "gw-a", text);
        }
        snprintf(text, sizeof text, "#park1 %s\n", cases[i].judged);
        for (int time = 1; time <= 2; time++) {
            struct receive_answer answer = intake_give(&in, "gw-a", text);
            bool is_right = answer.has_ack && answer.ack.seq == cases[i].seq &&
                            answer.ack.is_refusal == cases[i].is_again;
            const char *losses = rows(in.db, 5,
                "SELECT first_seq, last_seq, readings, reason LIKE 'history%', reason"
                " LIKE 'unknown content%' FROM loss ORDER BY id");
            if (!is_right || strcmp(losses, cases[i].losses) != 0)
                fail_msg("%s, time %d: %lld%s, losses %s", cases[i].what, time, (long long)answer.ack.seq,
                    answer.ack.is_refusal ? " again" : "", losses);
            const char *marks = rows(in.db, 2, "SELECT epoch, mark FROM epoch ORDER BY id");
            if (strcmp(marks, cases[i].marks) != 0)
                fail_msg("%s, time %d: marks %s", cases[i].what, time, marks);
            assert_int_equal(query(in.db, "SELECT lost FROM gateway"),
                query(in.db, "SELECT count(*) FROM loss WHERE reason NOT LIKE 'history%'"));
            intake_reload(&in);
        }
        intake_close(&in);
    }
#undef A
#undef B
#undef A_TO_3
}

/* ---- our own clock ---- */

static void test_a_batch_ahead_of_a_clock_that_nobody_vouches_for_waits_and_others_go_on(void **state)
{
    (void)state;
    struct intake in;
    intake_open(&in);
    in.is_clock_doubtful = true;
    intake_give(&in, "gw-a", FIRST);
    char ahead[128];
    snprintf(ahead, sizeof ahead, "#park1 epoch=" EPOCH_A " seq=2 first=1\nregister,point=m value=5i %lld\n",
        (long long)NOW_MS + RECEIVE_AHEAD_MAX_MS + 1);
    struct receive_answer answer = intake_give(&in, "gw-a", ahead);
    assert_true(answer.is_untimely && !answer.has_ack);
    /* Nor is what comes behind it asked to be sent again. */
    assert_false(intake_give(&in, "gw-a", "#park1 epoch=" EPOCH_A " seq=3 first=1\n").has_ack);
    assert_answer(intake_give(&in, "gw-a", FIRST), 0xaa, 1, false);
    assert_answer(intake_give(&in, "gw-b", FIRST), 0xaa, 1, false);
    assert_int_equal(query(in.db, "SELECT count(*) FROM quarantine"), 0);
    assert_int_equal(query(in.db, "SELECT count(*) FROM journal"), 2);
    assert_true(known_gateway_find(&in.known, SPAN("gw-a"))->untimely_ms == NOW_MS);

    in.is_clock_doubtful = false;
    assert_answer(intake_give(&in, "gw-a", ahead), 0xaa, 2, false);
    assert_int_equal(query(in.db, "SELECT count(*) FROM quarantine"), 1);
    assert_true(known_gateway_find(&in.known, SPAN("gw-a"))->untimely_ms == 0);
    intake_close(&in);
}

static void test_epochs_without_end_do_not_fill_memory(void **state)
{
    (void)state;
    struct intake in;
    intake_open(&in);
    for (int i = 1; i <= KNOWN_EPOCHS_MAX + 20; i++) {
        char text[96];
        snprintf(text, sizeof text, "#park1 epoch=%016x seq=1 first=1\n", i);
        assert_answer(intake_give(&in, "gw-a", text), (uint64_t)i, 1, false);
    }
    assert_int_equal(query(in.db, "SELECT count(*) FROM epoch"), KNOWN_EPOCHS_MAX);
    assert_int_equal(query(in.db, "SELECT min(epoch) FROM epoch"), 21);
    assert_int_equal(known_gateway_find(&in.known, SPAN("gw-a"))->epoch_count, KNOWN_EPOCHS_MAX);
    intake_reload(&in);
    assert_answer(intake_give(&in, "gw-a", "#park1 epoch=0000000000000016 seq=1 first=1\n"), 0x16, 1, false);
    assert_int_equal(in.counters.duplicate_batches, 1);
    intake_close(&in);
}

/* ---- a failure in the middle ---- */

static void test_a_full_database_leaves_nothing_and_everything_sent_again_is_taken_once(void **state)
{
    (void)state;
    struct intake in;
    intake_open(&in);
    intake_give(&in, "gw-a", FIRST);
    struct error err = {""};
    /* As many pages as there are, and a batch that needs more. */
    db_limit_bytes(in.db, db_used_bytes(in.db));
    struct buf text = {0};
    buf_add_str(&text, "#park1 epoch=" EPOCH_A " seq=2 first=1\n");
    for (int i = 0; i < 1000; i++)
        buf_printf(&text, "register,point=m%d value=%di %lld\n", i, i, (long long)NOW_MS - 5000 + i);
    struct inbox_message *m = message_of("gw-a", text.data, text.len, NOW_MS);
    struct receive_answer answer;
    must(db_begin(in.db, &err), &err);
    assert_int_equal(intake_try(&in, m, &answer, &err), ST_FULL);
    db_rollback(in.db);
    intake_reload(&in);
    const struct known_gateway *g = known_gateway_find(&in.known, SPAN("gw-a"));
    assert_int_equal(known_epoch_find(g, 0xaa)->mark, 1);
    assert_int_equal(in.known.points.count, 3);
    assert_int_equal(query(in.db, "SELECT count(*) FROM journal"), 1);
    assert_int_equal(query(in.db, "SELECT mark FROM epoch"), 1);

    db_limit_bytes(in.db, 0);
    assert_answer(intake_give_bytes(&in, "gw-a", text.data, text.len), 0xaa, 2, false);
    assert_answer(intake_give_bytes(&in, "gw-a", text.data, text.len), 0xaa, 2, false);
    assert_int_equal(query(in.db, "SELECT count(*) FROM journal"), 2);
    assert_int_equal(in.known.points.count, 1003);
    free(m);
    buf_release(&text);
    intake_close(&in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_batch_is_journalled_as_it_came_and_its_points_are_known),
        cmocka_unit_test(test_a_batch_that_is_durable_is_dropped_and_acknowledged_again_also_after_a_restart),
        cmocka_unit_test(test_a_bad_line_is_quarantined_and_the_others_are_taken),
        cmocka_unit_test(test_a_reading_more_than_five_minutes_ahead_is_quarantined),
        cmocka_unit_test(test_what_the_quarantine_has_no_room_for_is_named_as_loss),
        cmocka_unit_test(test_a_broken_limit_is_quarantined_recorded_as_loss_and_the_line_goes_on),
        cmocka_unit_test(test_an_unreadable_header_is_counted_quarantined_and_not_answered),
        cmocka_unit_test(test_points_that_no_park_knows_are_kept_up_to_a_limit),
        cmocka_unit_test(test_gateways_beyond_the_limit_are_turned_away_without_a_trace),
        cmocka_unit_test(test_within_a_batch_the_same_again_is_dropped_and_another_value_is_quarantined),
        cmocka_unit_test(test_across_batches_and_epochs_the_first_journalled_wins_also_after_a_restart),
        cmocka_unit_test(test_late_readings_are_found_again_however_far_their_batches_reach),
        cmocka_unit_test(test_what_was_dropped_is_recorded_once_also_where_the_batch_is_refused),
        cmocka_unit_test(test_dropped_readings_are_recorded_with_their_number_and_span),
        cmocka_unit_test(test_history_from_before_a_gateway_was_first_heard_is_named_and_is_no_loss),
        cmocka_unit_test(
            test_a_restored_collector_asks_for_the_epochs_it_missed_and_loses_nothing_that_is_held),
        cmocka_unit_test(test_a_known_gateway_that_begins_a_new_spool_leaves_a_loss_of_unknown_content),
        cmocka_unit_test(test_a_line_goes_on_or_what_is_missing_is_named_once),
        cmocka_unit_test(test_a_batch_ahead_of_a_clock_that_nobody_vouches_for_waits_and_others_go_on),
        cmocka_unit_test(test_epochs_without_end_do_not_fill_memory),
        cmocka_unit_test(test_a_full_database_leaves_nothing_and_everything_sent_again_is_taken_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
