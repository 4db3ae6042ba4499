/* Closings through the books of a database: what stands against one, what it writes, and what a preview and a refusal leave behind:
 * nothing. Readings are taken every six hours of January to March 2026; a and b are behind main. */
#include "collector/accept.h"
#include "collector/energy/closing_seal.h"
#include "tests/unit/collector/close_scene.h"

#include <inttypes.h>

#define BEGIN_MS INT64_C(1767225600000) /* 2026-01-01 00:00 */
#define HOUR_MS INT64_C(3600000)
#define DAY(n) (BEGIN_MS + ((n)-1) * 24 * HOUR_MS)
#define FEBRUARY DAY(32)
#define MARCH DAY(60)
#define END DAY(34) /* of most readings */
#define STEP_MS (6 * HOUR_MS)

#define METER(id, more, point)                                                                   \
    "{ id = \"" id "\"; name = \"x\"; name_en = \"x\"; building = \"b\"; max_gap = 22000; " more \
    " segments = ( "                                                                             \
    "{ serial = \"1\"; from = \"2025-12-01T00:00:00Z\"; " point                                  \
    " max_rate = 100000; resolution = 10; } ); }"
static const char park_text[] =
    "sites = ({ id = \"s\"; name = \"x\"; name_en = \"x\"; zone = \"UTC\"; });\n"
    "buildings = ({ id = \"b\"; name = \"x\"; name_en = \"x\"; site = \"s\"; });\n"
    "gateways = ({ id = \"gw-a\"; name = \"x\"; name_en = \"x\"; site = \"s\"; });\n"
    "meters = (" METER("main", "carrier = \"electricity\";", "point = \"gw-a/main\";") ",\n" METER(
        "a", "carrier = \"electricity\"; parent = \"main\";", "point = \"gw-a/a\";") ",\n" METER("b",
        "carrier = \"electricity\"; parent = \"main\";",
        "point = \"gw-a/b\";") ",\n" METER("water", "carrier = \"water\"; profile = false;", "") ");\n";

/* 1000 Wh an hour of a and of b, both of main, up to `until_ms`, but for what is left out. */
static void add_readings(struct close_scene *s, const char *point, int64_t from_ms, int64_t until_ms,
    int64_t left_from_ms, int64_t left_until_ms, int64_t more)
{
    struct buf lines = {0};
    int64_t rate = strcmp(point, "main") == 0 ? 2000 : 1000;
    for (int64_t t = from_ms; t <= until_ms; t += STEP_MS)
        if (t <= left_from_ms || t >= left_until_ms)
            buf_printf(&lines, "register,point=%s value=%" PRId64 "i %" PRId64 "\n", point,
                1000000 + (t - BEGIN_MS) / HOUR_MS * rate + more, t);
    buf_add_char(&lines, '\0');
    fake_journal_add(&s->journal, 1, lines.data, NULL);
    buf_release(&lines);
}

static void add_hand(struct close_scene *s, int64_t time_ms, int64_t count)
{
    struct deciding d = {.meter = "water",
        .decided = {
            .ruling = {.kind = RULING_READING, .from_ms = time_ms, .until_ms = time_ms, .count = count},
            .who = "anna",
            .why = "read"}};
    struct deciding_effect effect = {0};
    close_scene_must(s, deciding_run(&s->keeper, &close_scene_clock, &d, &effect, &s->err));
    deciding_effect_release(&effect);
}

static void begin_with(struct close_scene *s, const char *text)
{
    close_scene_now_ms = MARCH + 24 * HOUR_MS;
    close_scene_open(s, text);
}

static void begin(struct close_scene *s)
{
    begin_with(s, park_text);
}

/* January whole, of all meters. */
static void begin_whole(struct close_scene *s)
{
    begin(s);
    add_readings(s, "main", BEGIN_MS, END, END, END, 0);
    add_readings(s, "a", BEGIN_MS, END, END, END, 0);
    add_readings(s, "b", BEGIN_MS, END, END, END, 0);
    close_scene_settle(s);
    add_hand(s, BEGIN_MS, 100);
    add_hand(s, FEBRUARY, 400);
}

/* What a closing could leave behind. */
static char *traces(struct close_scene *s)
{
    struct buf text = {0};
    static const char *const sqls[] = {"SELECT quote(id) || site || month FROM closing",
        "SELECT closing || name FROM closing_override", "SELECT closing || ' ' || meter FROM closing_meter",
        "SELECT closing FROM closing_seal", "SELECT id || action || object FROM change_log",
        "SELECT name FROM ledger_meter", "SELECT count(*) || ' ' || total(version) FROM ledger_quarter",
        "SELECT position FROM cursor"};
    for (size_t i = 0; i < sizeof sqls / sizeof sqls[0]; i++)
        database_add_rows(s->journal.db, &text, sqls[i]);
    return buf_take(&text);
}

static void assert_refused(struct close_scene *s, const struct close_month *request, const char *words)
{
    char *before = traces(s);
    assert_int_equal(close_scene_run(s, request), ST_INVALID);
    if (strstr(s->err.text, words) == NULL)
        fail_msg("%s", s->err.text);
    char *after = traces(s);
    assert_string_equal(before, after);
    free(before);
    free(after);
}

static void assert_reasons(struct close_scene *s, const char *month, const char *expected)
{
    struct close_month request = close_scene_request("s", month);
    struct buf names = {0};
    request.is_preview = true;
    char *before = traces(s);
    close_scene_must(s, close_scene_run(s, &request));
    char *after = traces(s);
    assert_string_equal(before, after);
    for (size_t i = 0; i < s->result.reasons.count; i++) {
        char name[CLOSING_NAME_SIZE];
        closing_reason_name(&s->result.reasons.items[i], name);
        buf_printf(&names, "%s%s", i > 0 ? " " : "", name);
    }
    assert_string_equal(names.data != NULL ? names.data : "", expected);
    assert_int_equal(s->result.refusal != NULL, s->result.reasons.count > 0);
    assert_int_equal(s->result.id, 0);
    free(before);
    free(after);
    buf_release(&names);
}

static void test_a_preview_and_a_refusal_leave_every_table_as_it_was(void **state)
{
    (void)state;
    struct close_scene s;
    begin_whole(&s);
    char *before = database_dump(s.journal.db);
    assert_reasons(&s, "2026-01", "");
    struct close_month request = close_scene_request("s", "2026-01");
    request.overrides = &(struct closing_override){"coverage:a", "nothing stands against it"};
    request.override_count = 1;
    assert_refused(&s, &request, "coverage:a does not stand against this closing");
    char *after = database_dump(s.journal.db);
    assert_string_equal(before, after);
    free(before);
    free(after);
    close_scene_close(&s);
}

static void test_a_whole_month_closes_once_and_is_told_in_the_log(void **state)
{
    (void)state;
    struct close_scene s;
    begin_whole(&s);
    struct close_month request = close_scene_request("s", "2026-01");
    assert_reasons(&s, "2026-01", "");
    close_scene_must(&s, close_scene_run(&s, &request));
    assert_true(s.result.id == 1 && s.result.row_count == 4 && s.result.entry_count == 0);
    struct buf text = {0};
    database_add_rows(s.journal.db, &text,
        "SELECT name || ' ' || month || ' ' || quarters || ' ' || known || ' ' || unknown_s || ' ' || "
        "waiting_s"
        " || ' ' || absent_s FROM closing_meter JOIN ledger_meter ON id = meter ORDER BY name");
    database_add_rows(s.journal.db, &text,
        "SELECT site || ' ' || month || ' ' || from_ms || ' ' || until_ms || ' ' || who || ': ' || why || ' "
        "' ||"
        " model || ' ' || (journal = (SELECT max(id) FROM journal)) || ' ' || closed_ms FROM closing");
    database_add_rows(s.journal.db, &text,
        "SELECT who || ' ' || action || ' ' || object || ', ' || after || ', ' || note FROM change_log"
        " WHERE action = 'close'");
    char seal[HASH_TEXT_SIZE];
    hash_format(&s.result.seal, seal);
    char *expected = mem_printf(
        "a 672 2976 744000 0 0 0\nb 672 2976 744000 0 0 0\nmain 672 2976 1488000 0 0 0\n"
        "water 672 2976 300 0 0 0\ns 672 %" PRId64 " %" PRId64 " anna: the bills of the month 0 1 %" PRId64
        "\nanna close site s, 2026-01, seal %s, 4 meters, 0 adjusting entries of earlier months, 0 "
        "overridden, the bills of the month\n",
        BEGIN_MS, FEBRUARY, close_scene_now_ms, seal);
    assert_string_equal(text.data, expected);
    free(expected);
    buf_release(&text);
    assert_refused(&s, &request, "closed already");
    struct close_month next = close_scene_request("s", "2026-03");
    assert_refused(&s, &next, "cannot be closed before 2026-02");
    next.site = "nowhere";
    assert_refused(&s, &next, "no site of the park model");
    close_scene_close(&s);
}

static void test_a_closing_is_final(void **state)
{
    (void)state;
    struct close_scene s;
    begin_whole(&s);
    close_scene_force(&s, "s", "2026-01");
    static const char *const sqls[] = {"DELETE FROM closing", "UPDATE closing SET who = 'x'",
        "DELETE FROM closing_meter", "UPDATE closing_meter SET known = 0", "DELETE FROM closing_seal",
        "UPDATE closing_seal SET hash = x'00'"};
    for (size_t i = 0; i < sizeof sqls / sizeof sqls[0]; i++)
        assert_int_equal(db_exec(s.journal.db, sqls[i], &s.err), ST_INVALID);
    close_scene_close(&s);
}

/* As of a database of before there were seals: what is closed by then is sealed with the next closing. */
static void test_what_has_no_seal_is_sealed_before_the_next_closing(void **state)
{
    (void)state;
    struct close_scene s;
    struct hash first, second, zeros = {{0}}, found;
    begin_whole(&s);
    close_scene_force(&s, "s", "2026-01");
    first = s.result.seal;
    close_scene_must(&s, db_exec(s.journal.db, "DROP TRIGGER closing_seal_stays", &s.err));
    close_scene_must(&s, db_exec(s.journal.db, "DELETE FROM closing_seal", &s.err));
    close_scene_force(&s, "s", "2026-02");
    char one[HASH_TEXT_SIZE], two[HASH_TEXT_SIZE];
    struct buf seals = {0};
    hash_format(&first, one);
    hash_format(&s.result.seal, two);
    char *expected = mem_printf("1 %s\n2 %s\n", one, two);
    database_add_rows(
        s.journal.db, &seals, "SELECT closing || ' ' || lower(hex(hash)) FROM closing_seal ORDER BY closing");
    assert_string_equal(seals.data, expected);
    free(expected);
    buf_release(&seals);
    close_scene_must(&s, closing_seal_of(s.journal.db, 1, &zeros, &found, &s.err));
    assert_true(hash_is_equal(&found, &first));
    close_scene_must(&s, closing_seal_of(s.journal.db, 2, &first, &second, &s.err));
    assert_true(hash_is_equal(&second, &s.result.seal));
    /* Another before it, or another row of it, is another seal. */
    close_scene_must(&s, closing_seal_of(s.journal.db, 2, &zeros, &found, &s.err));
    assert_false(hash_is_equal(&second, &found));
    close_scene_must(&s, db_exec(s.journal.db, "DROP TRIGGER closing_override_is_final", &s.err));
    close_scene_must(
        &s, db_exec(s.journal.db, "UPDATE closing_override SET why = 'x' WHERE closing = 2", &s.err));
    assert_true(db_changes(s.journal.db) > 0);
    close_scene_must(&s, closing_seal_of(s.journal.db, 2, &first, &found, &s.err));
    assert_false(hash_is_equal(&second, &found));
    close_scene_close(&s);
}

static void test_a_hole_stands_against_closing_in_three_ways(void **state)
{
    (void)state;
    struct close_scene s;
    begin(&s);
    /* b: ten days without a reading, and then far more than it can have counted: nobody knows. */
    add_readings(&s, "main", BEGIN_MS, END, END, END, 0);
    add_readings(&s, "a", BEGIN_MS, END, END, END, 0);
    add_readings(&s, "b", BEGIN_MS, DAY(10), END, END, 0);
    add_readings(&s, "b", DAY(20), END, END, END, 90000000);
    close_scene_settle(&s);
    assert_reasons(&s, "2026-01", "exception:b coverage:b coverage:water balance:main");
    struct closing_override overrides[] = {{"exception:b", "no log"}, {"coverage:b", "no log"},
        {"coverage:water", "nobody read it"}, {"balance:main", "because of b"}};
    struct close_month request = close_scene_request("s", "2026-01");
    request.overrides = overrides;
    request.override_count = 3;
    assert_refused(&s, &request, "the first balance:main (meter main: its balance gap is unknown");
    request.override_count = 4;
    overrides[2].why = NULL;
    assert_refused(&s, &request, "why something is overridden is missing");
    overrides[2].why = "nobody read it";
    close_scene_must(&s, close_scene_run(&s, &request));
    struct buf text = {0};
    database_add_rows(s.journal.db, &text, "SELECT name || ': ' || why FROM closing_override ORDER BY name");
    assert_string_equal(text.data, "balance:main: because of b\ncoverage:b: no log\ncoverage:water: nobody "
                                   "read it\nexception:b: no log\n");
    buf_release(&text);
    close_scene_close(&s);
}

static void test_readings_that_are_held_at_the_end_of_the_month_are_an_exception(void **state)
{
    (void)state;
    struct close_scene s;
    begin_whole(&s);
    assert_reasons(&s, "2026-01", "");
    close_scene_close(&s);
    begin(&s);
    add_readings(&s, "main", BEGIN_MS, END, END, END, 0);
    add_readings(&s, "a", BEGIN_MS, END, END, END, 0);
    add_readings(&s, "b", BEGIN_MS, FEBRUARY - 2 * STEP_MS, END, END, 0);
    add_readings(&s, "b", FEBRUARY - STEP_MS, FEBRUARY - STEP_MS, END, END, -500000);
    close_scene_settle(&s);
    assert_int_equal(
        close_scene_number(&s, "SELECT count(*) FROM ledger_event WHERE kind BETWEEN 5 AND 7"), 0);
    assert_reasons(&s, "2026-01", "exception:b coverage:water balance:main");
    close_scene_close(&s);
}

/* b is read from one time up to another, all else whole. */
static void begin_with_b(struct close_scene *s, const char *text, int64_t from_ms, int64_t until_ms)
{
    begin_with(s, text);
    add_readings(s, "main", BEGIN_MS, END, END, END, 0);
    add_readings(s, "a", BEGIN_MS, END, END, END, 0);
    add_readings(s, "b", from_ms, until_ms, until_ms, until_ms, 0);
    close_scene_settle(s);
    add_hand(s, BEGIN_MS, 100);
    add_hand(s, FEBRUARY - HOUR_MS, 390); /* the last hour of water waits as well: it has no profile */
}

static void test_what_still_waits_at_the_end_of_the_month_stands_against_it_until_it_is_read(void **state)
{
    (void)state;
    struct close_scene s;
    char text[CLOSING_TEXT_SIZE];
    begin_with_b(&s, park_text, BEGIN_MS, FEBRUARY - STEP_MS);
    assert_reasons(&s, "2026-01", "waiting:b coverage:water balance:main");
    closing_reason_text(&s.result.reasons.items[0], text);
    assert_string_equal(text, "meter b: 24 quarter hours wait, from 2026-01-31T18:00:00.000Z on, for a "
                              "reading at or after the end of the month; expected none");
    struct closing_override overrides[] = {
        {"coverage:water", "x"}, {"balance:main", "x"}, {"waiting:b", "its gateway is gone"}};
    struct close_month request = close_scene_request("s", "2026-01");
    request.overrides = overrides;
    request.override_count = 2;
    assert_refused(&s, &request, "1 reason stands against closing, the first waiting:b (meter b: 24 quarter");
    add_readings(&s, "b", FEBRUARY, FEBRUARY, FEBRUARY, FEBRUARY, 0);
    close_scene_settle(&s);
    assert_reasons(&s, "2026-01", "coverage:water");
    request.override_count = 3;
    assert_refused(&s, &request, "balance:main does not stand against this closing");
    close_scene_close(&s);
    begin_with_b(&s, park_text, BEGIN_MS, FEBRUARY - STEP_MS);
    close_scene_must(&s, close_scene_run(&s, &request));
    assert_int_equal(
        close_scene_number(&s, "SELECT figure FROM closing_override WHERE name = 'waiting:b'"), 24);
    close_scene_close(&s);
}

/* For what is over, no reading is to come. */
static void test_what_is_removed_or_had_no_reading_before_does_not_wait(void **state)
{
    (void)state;
    struct close_scene s;
    char *removed = mem_printf("%s", park_text), *b = strstr(removed, "gw-a/b\";");
    char *text =
        mem_printf("%.*s until = \"2026-01-31T20:00:00Z\";%s", (int)(b + 8 - removed), removed, b + 8);
    begin_with_b(&s, text, BEGIN_MS, FEBRUARY - STEP_MS);
    assert_reasons(&s, "2026-01", "coverage:water balance:main");
    close_scene_close(&s);
    free(text);
    free(removed);
    begin_with_b(&s, park_text, FEBRUARY, END);
    assert_reasons(&s, "2026-01", "coverage:b coverage:water balance:main");
    close_scene_close(&s);
    begin_with_b(&s, park_text, DAY(61), DAY(61)); /* by then, it was never read */
    assert_reasons(&s, "2026-01", "waiting:b coverage:b coverage:water balance:main");
    close_scene_close(&s);
}

static void test_a_meter_without_a_profile_is_judged_at_the_edges_of_the_month(void **state)
{
    (void)state;
    struct close_scene s;
    begin(&s);
    add_readings(&s, "a", BEGIN_MS, END, END, END, 0);
    add_readings(&s, "b", BEGIN_MS, END, END, END, 0);
    add_readings(&s, "main", BEGIN_MS, END, END, END, 0);
    close_scene_settle(&s);
    assert_reasons(&s, "2026-01", "coverage:water");
    add_hand(&s, BEGIN_MS, 100);
    assert_reasons(&s, "2026-01", "coverage:water");
    add_hand(&s, FEBRUARY - HOUR_MS, 390);
    assert_reasons(&s, "2026-01", "coverage:water");
    add_hand(&s, FEBRUARY + 10 * 24 * HOUR_MS, 500); /* the edge lies between: by hand as well (E5) */
    assert_reasons(&s, "2026-01", "");
    close_scene_close(&s);
}

static void test_a_gap_beyond_the_limit_is_refused_in_either_sign(void **state)
{
    (void)state;
    for (int sign = -1; sign <= 1; sign += 2) {
        struct close_scene s;
        begin(&s);
        add_readings(&s, "a", BEGIN_MS, END, END, END, 0);
        add_readings(&s, "b", BEGIN_MS, END, END, END, 0);
        add_readings(&s, "main", BEGIN_MS, FEBRUARY - STEP_MS, END, END, 0);
        /* 5.1 % of what main counts: 84 000 Wh either way, in the last six hours. */
        add_readings(&s, "main", FEBRUARY, END, END, END, sign > 0 ? 84000 : -11900);
        close_scene_settle(&s);
        add_hand(&s, BEGIN_MS, 100);
        add_hand(&s, FEBRUARY, 400);
        assert_reasons(&s, "2026-01", sign > 0 ? "balance:main" : "");
        close_scene_close(&s);
    }
}

static void test_late_readings_are_booked_once_in_the_month_that_is_open(void **state)
{
    (void)state;
    struct close_scene s;
    begin(&s);
    add_readings(&s, "a", BEGIN_MS, MARCH, MARCH, MARCH, 0);
    add_readings(&s, "b", BEGIN_MS, DAY(20), MARCH, MARCH, 0); /* b ends */
    add_readings(&s, "main", BEGIN_MS, MARCH, MARCH, MARCH, 0);
    close_scene_settle(&s);
    close_scene_force(&s, "s", "2026-01");
    assert_int_equal(s.result.reasons.count, 4); /* b twice and water, and the gap */
    add_readings(&s, "b", DAY(20), DAY(25), DAY(20), DAY(20), 0);
    close_scene_settle(&s);
    close_scene_force(&s, "s", "2026-02");
    assert_int_equal(s.result.entry_count, 1);
    const struct close_month_row *entry = &s.result.entries[0];
    assert_string_equal(entry->meter, "b");
    assert_true(entry->month == 672 && !entry->booked.is_whole); /* it was not known */
    assert_int_equal(entry->booked.parts.sum.known, 5 * 24 * 1000);
    assert_int_equal(entry->booked.parts.waiting_s, -5 * 86400);
    /* The rest, a month later: only what is new since. */
    add_readings(&s, "b", DAY(25), MARCH, DAY(25), DAY(25), 0);
    close_scene_settle(&s);
    close_scene_now_ms = DAY(91);
    close_scene_force(&s, "s", "2026-03");
    assert_int_equal(s.result.entry_count, 2);
    assert_int_equal(s.result.entries[0].booked.parts.sum.known, 7 * 24 * 1000);
    assert_int_equal(s.result.entries[1].booked.parts.sum.known, 28 * 24 * 1000);
    assert_int_equal(s.result.entries[1].month, 673);
    close_scene_close(&s);
}

static void test_a_decision_about_a_closed_month_is_an_entry_and_its_undo_another(void **state)
{
    (void)state;
    struct close_scene s;
    begin_whole(&s);
    close_scene_force(&s, "s", "2026-01");
    struct deciding d = {.meter = "a",
        .decided = {.ruling = {.kind = RULING_OUTLIER, .from_ms = FEBRUARY, .until_ms = FEBRUARY},
            .who = "anna",
            .why = "misread"}};
    struct deciding_effect effect = {0};
    close_scene_must(&s, deciding_run(&s.keeper, &close_scene_clock, &d, &effect, &s.err));
    assert_true(effect.quarter_count > 0);
    deciding_effect_release(&effect);
    close_scene_force(&s, "s", "2026-02");
    assert_int_equal(s.result.entry_count, 1);
    const struct closing_sum *entry = &s.result.entries[0].booked;
    /* The amounts are the same, and estimated now. */
    assert_true(entry->is_whole && entry->parts.sum.known == 0);
    assert_int_equal(entry->parts.sum.estimated, 6000);
    close_scene_close(&s);
}

static void use_park(struct close_scene *s, const char *text)
{
    struct park *before = s->park;
    s->park = fake_park_of(&s->journal, text);
    bookkeeper_use(&s->keeper, s->park, NULL);
    close_scene_settle(s);
    park_destroy(before);
}

static const struct close_month_row *only_entry(struct close_scene *s, const char *site, const char *month)
{
    close_scene_force(s, site, month);
    assert_int_equal(s->result.entry_count, 1);
    return &s->result.entries[0];
}

static void test_what_a_decision_moves_to_another_site_is_booked_there_and_taken_off_here(void **state)
{
    (void)state;
    static const char two_sites[] =
        "sites = ({ id = \"s\"; name = \"x\"; name_en = \"x\"; zone = \"UTC\"; },\n"
        " { id = \"t\"; name = \"x\"; name_en = \"x\"; zone = \"UTC\"; });\n"
        "buildings = ({ id = \"b\"; name = \"x\"; name_en = \"x\"; site = \"s\"; },\n"
        " { id = \"c\"; name = \"x\"; name_en = \"x\"; site = \"t\"; });\n"
        "gateways = ({ id = \"gw-a\"; name = \"x\"; name_en = \"x\"; site = \"s\"; });\n"
        "meters = (%s,\n" METER("b",
            "carrier = \"electricity\"; changes = ({ from = "
            "\"2026-03-01T00:00:00Z\"; building = \"c\"; });",
            "point = \"gw-a/b\";") ");\n";
    char *before = mem_printf(two_sites, METER("a", "carrier = \"electricity\";", "point = \"gw-a/a\";"));
    char *after = mem_printf(two_sites, METER("a",
                                            "carrier = \"electricity\"; changes = ({ from = "
                                            "\"2026-01-22T00:00:00Z\"; building = \"c\"; });",
                                            "point = \"gw-a/a\";"));
    struct close_scene s;
    close_scene_now_ms = DAY(91);
    close_scene_open(&s, before);
    add_readings(&s, "a", BEGIN_MS, DAY(91), DAY(91), DAY(91), 0);
    add_readings(&s, "b", BEGIN_MS, DAY(91), DAY(91), DAY(91), 0);
    close_scene_settle(&s);
    close_scene_force(&s, "s", "2026-01");
    close_scene_force(&s, "t", "2026-03");
    use_park(&s, after);
    /* a, from 22 January on: 10 days of January here, and all of February with February itself, which is not closed. */
    const struct close_month_row *entry = only_entry(&s, "s", "2026-02");
    assert_string_equal(entry->meter, "a");
    assert_true(entry->month == 672 && entry->booked.is_whole);
    assert_int_equal(entry->booked.parts.sum.known, -10 * 24 * 1000);
    assert_int_equal(s.result.row_count, 1); /* b */
    close_scene_now_ms = DAY(121);
    close_scene_force(&s, "t", "2026-04");
    assert_int_equal(s.result.entry_count, 3); /* January, February and March */
    assert_int_equal(s.result.entries[0].booked.parts.sum.known, 10 * 24 * 1000);
    assert_int_equal(s.result.entries[1].booked.parts.sum.known, 28 * 24 * 1000);
    assert_int_equal(s.result.entries[2].booked.parts.sum.known, 31 * 24 * 1000);
    close_scene_close(&s);
    free(before);
    free(after);
}

/* ---- the park model ---- */

#define REPLACED                                                                                     \
    "sites = ({ id = \"s\"; name = \"x\"; name_en = \"x\"; zone = \"UTC\"; });\n"                    \
    "buildings = ({ id = \"b\"; name = \"x\"; name_en = \"x\"; site = \"s\"; });\n"                  \
    "meters = ({ id = \"m\"; name = \"x\"; name_en = \"x\"; building = \"b\"; carrier = \"water\"; " \
    "segments = ( "                                                                                  \
    "{ serial = \"1\"; from = \"2025-12-01T00:00:00Z\"; max_rate = 10; %s } ); });"

static const struct model *model_of(const char *more)
{
    static const char *const names[MODEL_FILES] = {"park.cfg"};
    char *text = mem_printf(REPLACED, more);
    struct model *m = model_load_texts(names, (struct span[MODEL_FILES]){span_of(text)});
    assert_int_equal(model_problem_count(m), 0);
    free(text);
    return m;
}

static enum verdict judge(struct fake_journal *journal, const struct model *m)
{
    struct acceptance a;
    struct error err;
    if (acceptance_judge(journal->db, journal->path, m, FEBRUARY + HOUR_MS, &a, &err) != ST_OK)
        fail_msg("%s", err.text);
    enum verdict verdict = a.verdict;
    if (verdict == VERDICT_FIRST && acceptance_record(&a, journal->db, BEGIN_MS, &err) != ST_OK)
        fail_msg("%s", err.text);
    acceptance_release(&a);
    return verdict;
}

static void test_a_replacement_is_not_entered_late_into_a_closed_month(void **state)
{
    (void)state;
    struct fake_journal journal;
    struct error err;
    fake_journal_open(&journal);
    const struct model *before = model_of(""),
                       *after = model_of("until = \"2026-01-31T12:00:00Z\"; end = 7;");
    assert_int_equal(judge(&journal, before), VERDICT_FIRST);
    assert_int_equal(judge(&journal, after), VERDICT_LAWFUL);
    char *sql = mem_printf("INSERT INTO closing VALUES(1, 's', 672, %" PRId64 ", %" PRId64
                           ", 0, NULL, 'x', 'x', 1, 0)",
        BEGIN_MS, FEBRUARY);
    assert_int_equal(db_exec(journal.db, sql, &err), ST_OK);
    free(sql);
    assert_int_equal(judge(&journal, after), VERDICT_REFUSED);
    model_put(before);
    model_put(after);
    fake_journal_close(&journal);
}

static void has_quarter(struct fake_journal *journal, int meter, int64_t start_ms)
{
    struct error err;
    char *sql = mem_printf("INSERT OR IGNORE INTO ledger_meter VALUES(1, 'm'), (2, 'gone'), (3, 'empty');"
                           "INSERT INTO ledger_quarter VALUES(%d, %" PRId64 ", 1, 5, 0, 0, 0)",
        meter, start_ms);
    if (db_exec(journal->db, sql, &err) != ST_OK)
        fail_msg("%s", err.text);
    free(sql);
}

static void test_a_new_meter_is_of_the_past_from_the_begin_of_the_books_on(void **state)
{
    (void)state;
    struct fake_journal journal;
    fake_journal_open(&journal);
    const struct model *before = model_of(""),
                       *after =
                           model_of("} ); }, { id = \"n\"; name = \"x\"; name_en = \"x\"; building = \"b\"; "
                                    "carrier = \"water\"; segments = ( { serial = \"2\"; "
                                    "from = \"2025-12-01T00:00:00Z\"; max_rate = 10;");
    assert_int_equal(judge(&journal, before), VERDICT_FIRST);
    assert_int_equal(judge(&journal, after), VERDICT_LAWFUL);
    has_quarter(&journal, 1, FEBRUARY - 24 * HOUR_MS);
    assert_int_equal(judge(&journal, after), VERDICT_LAWFUL);
    has_quarter(&journal, 2, FEBRUARY - 8 * 24 * HOUR_MS);
    assert_int_equal(judge(&journal, after), VERDICT_REFUSED);
    model_put(before);
    model_put(after);
    fake_journal_close(&journal);
}

static void test_a_month_that_is_not_over_is_refused(void **state)
{
    (void)state;
    struct close_scene s;
    begin_whole(&s);
    close_scene_now_ms = FEBRUARY - 1;
    struct close_month request = close_scene_request("s", "2026-01");
    assert_refused(&s, &request, "is not over");
    close_scene_now_ms = FEBRUARY;
    close_scene_must(&s, close_scene_run(&s, &request));
    close_scene_close(&s);
}

static void test_a_site_without_data_has_nothing_to_close(void **state)
{
    (void)state;
    struct close_scene s;
    begin(&s);
    struct close_month request = close_scene_request("s", "2026-01");
    assert_refused(&s, &request, "nothing of site s is metered yet");
    close_scene_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_preview_and_a_refusal_leave_every_table_as_it_was),
        cmocka_unit_test(test_a_whole_month_closes_once_and_is_told_in_the_log),
        cmocka_unit_test(test_a_closing_is_final),
        cmocka_unit_test(test_what_has_no_seal_is_sealed_before_the_next_closing),
        cmocka_unit_test(test_a_hole_stands_against_closing_in_three_ways),
        cmocka_unit_test(test_readings_that_are_held_at_the_end_of_the_month_are_an_exception),
        cmocka_unit_test(test_what_still_waits_at_the_end_of_the_month_stands_against_it_until_it_is_read),
        cmocka_unit_test(test_what_is_removed_or_had_no_reading_before_does_not_wait),
        cmocka_unit_test(test_a_meter_without_a_profile_is_judged_at_the_edges_of_the_month),
        cmocka_unit_test(test_a_gap_beyond_the_limit_is_refused_in_either_sign),
        cmocka_unit_test(test_late_readings_are_booked_once_in_the_month_that_is_open),
        cmocka_unit_test(test_a_decision_about_a_closed_month_is_an_entry_and_its_undo_another),
        cmocka_unit_test(test_what_a_decision_moves_to_another_site_is_booked_there_and_taken_off_here),
        cmocka_unit_test(test_a_replacement_is_not_entered_late_into_a_closed_month),
        cmocka_unit_test(test_a_new_meter_is_of_the_past_from_the_begin_of_the_books_on),
        cmocka_unit_test(test_a_month_that_is_not_over_is_refused),
        cmocka_unit_test(test_a_site_without_data_has_nothing_to_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
