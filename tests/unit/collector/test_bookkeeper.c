/* From the journal to the books: which lines are readings, and that the books are the same however the journal was cut
 * into transactions, also after kills. */
#include "collector/bookkeeper.h"
#include "lib/log.h"
#include "tests/unit/collector/journal_scene.h"

#include <inttypes.h>
#include <time.h>

#define MINUTE_MS INT64_C(60000)
#define METER(id, point, more)                                                                             \
    "{ id = \"" id "\"; name = \"x\"; name_en = \"x\"; building = \"b\"; carrier = \"heat\"; segments = (" \
    " { serial = \"1\"; from = \"2026-01-01T00:00:00Z\"; point = \"" point "\"; max_rate = 1000; " more    \
    " } ); }"
#define PARK(meters)                                                                \
    "sites = ({ id = \"s\"; name = \"x\"; name_en = \"x\"; zone = \"UTC\"; });\n"   \
    "buildings = ({ id = \"b\"; name = \"x\"; name_en = \"x\"; site = \"s\"; });\n" \
    "gateways = ({ id = \"gw-a\"; name = \"x\"; name_en = \"x\"; site = \"s\"; },"  \
    " { id = \"gw-b\"; name = \"x\"; name_en = \"x\"; site = \"s\"; });\n"          \
    "meters = (" meters ");\n"

static const char three[] =
    PARK(METER("m1", "gw-a/x", "") "," METER("m2", "gw-a/y", "") "," METER("m3", "gw-b/x", ""));

struct scene {
    struct fake_journal journal;
    struct park *park;
    struct bookkeeper keeper;
};

/* A bookkeeper that was just started. */
static void start(struct scene *s, const char *park)
{
    struct error err = {""};
    bookkeeper_release(&s->keeper);
    if (park != NULL) {
        use_park(&s->journal, &s->park, park);
    }
    bookkeeper_init(&s->keeper, s->journal.db, s->park);
    must(bookkeeper_reset(&s->keeper, &err), &err);
}

static void open_scene(struct scene *s, const char *park)
{
    *s = (struct scene){0};
    open_journal(&s->journal);
    start(s, park);
}

static void close_scene(struct scene *s)
{
    bookkeeper_release(&s->keeper);
    park_destroy(s->park);
    fake_journal_close(&s->journal);
}

/* One transaction; false where nothing was to be done. */
static bool step(struct scene *s, bool commits)
{
    struct error err = {""};
    bool is_changed = false;
    must(db_begin(s->journal.db, &err), &err);
    must(bookkeeper_step(&s->keeper, &ticking, &is_changed, &err), &err);
    if (!commits || !is_changed) {
        db_rollback(s->journal.db);
        if (!commits)
            must(bookkeeper_reset(&s->keeper, &err), &err);
        return is_changed;
    }
    must(db_commit(s->journal.db, &err), &err);
    bookkeeper_committed(&s->keeper);
    return true;
}

static int64_t number(struct scene *s, const char *sql)
{
    struct db_stmt *q = db_prepare(s->journal.db, sql);
    struct error err = {""};
    bool has_row;
    must(db_step(q, &has_row, &err), &err);
    int64_t value = has_row ? db_int(q, 0) : -1;
    db_finish(q);
    return value;
}

static void dump_rows(struct scene *s, struct buf *text, const char *table)
{
    char *sql = mem_printf("SELECT * FROM %s", table);
    struct db_stmt *rows = db_prepare(s->journal.db, sql);
    char *names = mem_printf("SELECT count(*) FROM pragma_table_info('%s')", table);
    int64_t columns = number(s, names);
    struct error err = {""};
    bool has_row;
    buf_printf(text, "%s\n", table);
    for (;;) {
        must(db_step(rows, &has_row, &err), &err);
        if (!has_row)
            break;
        for (int64_t i = 0; i < columns; i++) {
            struct span value = db_text(rows, (int)i);
            for (size_t k = 0; k < value.len; k++) /* a text ends at its first zero */
                buf_printf(text, value.at[k] > ' ' ? "%c" : "\\%02x", (unsigned char)value.at[k]);
            if (value.at == NULL)
                buf_add_char(text, '-');
            buf_add_char(text, '|');
        }
        buf_add_char(text, '\n');
    }
    db_finish(rows);
    free(names);
    free(sql);
}

/* The books and the cursor; not the snapshots, which are a cache. */
static char *dump(struct scene *s)
{
    struct buf text = {0};
    struct db_stmt *tables = db_prepare(s->journal.db,
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'ledger\\_%' ESCAPE '\\'"
        " AND name NOT LIKE '%snapshot%' ORDER BY name");
    struct error err = {""};
    bool has_row;
    for (;;) {
        must(db_step(tables, &has_row, &err), &err);
        if (!has_row)
            break;
        char *name = mem_strndup(db_text(tables, 0).at, db_text(tables, 0).len);
        dump_rows(s, &text, name);
        free(name);
    }
    db_finish(tables);
    dump_rows(s, &text, "cursor");
    return buf_take(&text);
}

static void fold_all(struct scene *s)
{
    while (step(s, true))
        ;
    assert_false(s->keeper.has_more);
}

/* ---- readings ---- */

static void test_readings_are_registers_of_meters_that_the_journal_took(void **state)
{
    (void)state;
    struct scene s;
    open_scene(&s, three);
    fake_journal_add(&s.journal, 1,
        "register,point=x value=0i 1767225600000\n"
        "gauge,point=x value=1 1767225601000\n"
        "register,point=x value=95i 1767226800000\n" /* skipped */
        "register,point=x value=90i,quality=\"clock\" 1767226500000\n"
        "register,point=z value=80i 1767226500000\n" /* of no meter */
        "register,point=y value=4i 1767225605000\n"
        "register,point=x value=100i 1767227400000\n",
        "2");
    int64_t last = fake_journal_add(&s.journal, 2, "state,point=x value=\"on\" 1767225600000\n", NULL);
    fold_all(&s);
    assert_int_equal(number(&s, "SELECT position FROM cursor WHERE name = 'ledger'"), last);
    assert_int_equal(s.keeper.position, last);
    assert_int_equal(number(&s, "SELECT count(*) FROM ledger_quarter WHERE amount = 50"), 2);
    assert_int_equal(number(&s, "SELECT count(*) FROM ledger_quarter"), 2);
    assert_int_equal(number(&s, "SELECT count(DISTINCT meter) FROM ledger_snapshot"), 2);
    close_scene(&s);
}

/* ---- the same books ---- */

/* Two days of batches of two gateways, a part of them late, with outliers, falls and a gap; what arrived when is in
 * the row. */
static void journal_two_days(struct scene *s, uint64_t seed)
{
    random_state = seed | 1;
    struct error err = {""};
    int64_t held[3] = {0};
    for (int64_t minute = 0; minute < 2880; minute += 10) {
        struct buf lines[2] = {{0}, {0}};
        bool is_gap = minute > 1500 && minute < 1800;
        for (int m = 0; m < 3 && !is_gap; m++) {
            int64_t count = 10 * minute + (minute > 2000 && m == 1 ? -3000 : 0);
            if (random_below(40) == 0)
                count = 0;
            if (random_below(10) == 0) { /* comes with a later batch */
                held[m] = minute;
                continue;
            }
            if (held[m] > 0 && random_below(3) == 0) {
                buf_printf(&lines[m == 2], "register,point=%s value=%" PRId64 "i %" PRId64 "\n",
                    m == 1 ? "y" : "x", 10 * held[m], BEGIN_MS + held[m] * MINUTE_MS);
                held[m] = 0;
            }
            buf_printf(&lines[m == 2], "register,point=%s value=%" PRId64 "i %" PRId64 "\n",
                m == 1 ? "y" : "x", count, BEGIN_MS + minute * MINUTE_MS);
        }
        for (int gateway = 0; gateway < 2; gateway++) {
            if (lines[gateway].len > 0)
                fake_journal_add(&s->journal, gateway + 1, lines[gateway].data, NULL);
            buf_release(&lines[gateway]);
        }
    }
    must(db_exec(s->journal.db, "UPDATE journal SET received_ms = id * 1000", &err), &err);
}

static void clear_books(struct scene *s)
{
    struct db_stmt *tables = db_prepare(s->journal.db,
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'ledger\\_%' ESCAPE '\\'");
    struct buf sql = {0};
    struct error err = {""};
    bool has_row;
    for (;;) {
        must(db_step(tables, &has_row, &err), &err);
        if (!has_row)
            break;
        buf_printf(&sql, "DELETE FROM %.*s;", (int)db_text(tables, 0).len, db_text(tables, 0).at);
    }
    db_finish(tables);
    buf_add_str(&sql, "UPDATE cursor SET position = 0 WHERE name = 'ledger'");
    must(db_exec(s->journal.db, sql.data, &err), &err);
    buf_release(&sql);
    start(s, NULL);
}

static void test_the_books_are_the_same_however_they_are_cut_into_transactions(void **state)
{
    (void)state;
    struct scene s;
    uint64_t seed = random_seed((uint64_t)time(NULL));
    open_scene(&s, three);
    journal_two_days(&s, seed);
    fold_all(&s);
    char *expected = dump(&s);
    assert_true(number(&s, "SELECT max(version) FROM ledger_quarter") > 1);
    assert_true(number(&s, "SELECT count(*) FROM ledger_event") > 3);
    assert_true(number(&s, "SELECT count(DISTINCT written_ms) FROM ledger_quarter") > 20);
    random_state = (seed + 1) | 1;
    for (int round = 0; round < 3; round++) {
        clear_books(&s);
        do {
            tick_ms = (int64_t)random_below(12);
            if (random_below(20) == 0) /* killed */
                start(&s, NULL);
            s.keeper.slice_max = 1 + random_below(200);
            if (random_below(20) == 0) /* a commit that fails */
                step(&s, false);
        } while (step(&s, true));
        char *found = dump(&s);
        assert_string_equal(found, expected);
        free(found);
    }
    free(expected);
    close_scene(&s);
}

static void test_a_step_ends_when_its_time_is_over_and_the_cursor_moves_with_the_slice(void **state)
{
    (void)state;
    struct scene s;
    open_scene(&s, three);
    journal_two_days(&s, 1);
    int64_t end = number(&s, "SELECT max(id) FROM journal");
    step(&s, true); /* the model */
    assert_int_equal(s.keeper.position, end);
    static const int64_t ticks[] = {3, BOOKKEEPER_STEP_MS + 1}; /* with the second each step does one thing */
    for (size_t i = 0; i < 2; i++) {
        clear_books(&s);
        s.keeper.slice_max = 20;
        tick_ms = ticks[i];
        int64_t steps = 0, moves = 0;
        for (int64_t before = 0; step(&s, true); steps++) {
            int64_t cursor = number(&s, "SELECT position FROM cursor WHERE name = 'ledger'");
            assert_int_equal(cursor, s.keeper.position);
            assert_true(cursor >= before);
            moves += cursor > before;
            before = cursor;
            assert_true(s.keeper.has_more || cursor == end);
        }
        assert_true(moves > 10 && steps >= (i == 0 ? moves : 2 * moves + 10));
        assert_int_equal(s.keeper.position, end);
    }
    close_scene(&s);
}

/* ---- models ---- */

static void test_a_meter_with_other_segments_is_folded_again(void **state)
{
    (void)state;
    struct scene s;
    open_scene(&s, PARK(METER("m1", "gw-a/x", "")));
    fake_journal_add(&s.journal, 1,
        "register,point=x value=0i 1767225600000\nregister,point=x value=100i 1767226500000\n", NULL);
    fold_all(&s);
    assert_int_equal(number(&s, "SELECT amount FROM ledger_quarter WHERE version = 1"), 100);
    start(&s, PARK(METER("m1", "gw-a/x", "ct = \"2\"; registers = \"secondary\";")));
    fold_all(&s);
    assert_int_equal(number(&s, "SELECT amount FROM ledger_quarter WHERE version = 2"), 200);
    start(&s, NULL);
    assert_false(step(&s, true));
    close_scene(&s);
}

static void test_a_point_that_is_mapped_later_gets_what_the_journal_holds_of_it(void **state)
{
    (void)state;
    struct scene s;
    open_scene(&s, PARK(METER("m1", "gw-a/x", "")));
    journal_two_days(&s, 5);
    fold_all(&s);
    start(&s, three);
    fold_all(&s);
    struct scene other;
    open_scene(&other, three);
    journal_two_days(&other, 5);
    fold_all(&other);
    static const char amounts[] = "SELECT sum(amount * (start_ms / 900000 %% 1009) + quality) FROM "
                                  "ledger_quarter q JOIN ledger_meter m ON"
                                  " m.id = q.meter WHERE name = 'm%d'";
    for (int m = 1; m <= 3; m++) {
        char *sql = mem_printf(amounts, m);
        assert_int_equal(number(&s, sql), number(&other, sql));
        assert_true(number(&s, sql) > 0);
        free(sql);
    }
    close_scene(&other);
    close_scene(&s);
}

static void test_a_meter_whose_books_fail_is_set_aside_and_gets_what_it_missed_after_a_start(void **state)
{
    (void)state;
    struct scene s, other;
    struct error err = {""};
    bool is_changed;
    open_scene(&s, three);
    journal_two_days(&s, 9);
    /* The second meter's. */
    must(db_exec(s.journal.db,
             "CREATE TRIGGER damage BEFORE INSERT ON ledger_quarter WHEN new.meter = 2 BEGIN"
             "  SELECT RAISE(ABORT, 'damaged'); END",
             &err),
        &err);
    log_open(LOG_LEVEL_ERROR);
    must(db_begin(s.journal.db, &err), &err);
    assert_int_equal(bookkeeper_step(&s.keeper, &ticking, &is_changed, &err), ST_INVALID);
    db_rollback(s.journal.db);
    must(bookkeeper_reset(&s.keeper, &err), &err);
    fold_all(&s);
    assert_string_equal(s.keeper.aside_names, "m2");
    assert_int_equal(number(&s, "SELECT count(*) FROM ledger_quarter WHERE meter = 2"), 0);
    assert_true(number(&s, "SELECT count(*) FROM ledger_quarter WHERE meter = 3") > 100);
    assert_int_equal(number(&s, "SELECT position FROM cursor WHERE name = 'ledger'"),
        number(&s, "SELECT max(id) FROM journal"));
    must(db_exec(s.journal.db, "DROP TRIGGER damage", &err), &err);
    start(&s, NULL);
    fold_all(&s);
    open_scene(&other, three);
    journal_two_days(&other, 9);
    fold_all(&other);
    static const char amounts[] =
        "SELECT sum(amount * (start_ms / 900000 % 1009) + quality) FROM ledger_quarter WHERE meter = 2";
    assert_int_equal(number(&s, amounts), number(&other, amounts));
    assert_true(number(&s, amounts) > 0);
    close_scene(&other);
    close_scene(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_readings_are_registers_of_meters_that_the_journal_took),
        cmocka_unit_test(test_the_books_are_the_same_however_they_are_cut_into_transactions),
        cmocka_unit_test(test_a_step_ends_when_its_time_is_over_and_the_cursor_moves_with_the_slice),
        cmocka_unit_test(test_a_meter_with_other_segments_is_folded_again),
        cmocka_unit_test(test_a_point_that_is_mapped_later_gets_what_the_journal_holds_of_it),
        cmocka_unit_test(test_a_meter_whose_books_fail_is_set_aside_and_gets_what_it_missed_after_a_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
