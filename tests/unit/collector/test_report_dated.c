/* What a report says of a day at whose noon a tenant moves out, another moves in, and the meter is put elsewhere. */
#include "collector/report/drill.h"
#include "collector/report/part_tree.h"
#include "tests/unit/collector/intake_fixture.h"

#define DAY_MS INT64_C(1781481600000) /* 2026-06-15T00:00:00Z */
#define HALF 48                       /* quarter hours */
#define NAMED(id) "id = \"" id "\"; name = \"x\"; name_en = \"x\"; "
#define SEGMENTS "segments = ( { serial = \"1\"; from = \"2020-01-01T00:00:00Z\"; max_rate = 1; } );"

/* Main counts 100 a quarter hour, lab 30. Until noon lab is tenant t1's, below main; then t2's, fed on its own. */
static const char park_text[] = "sites = ( { " NAMED(
    "s1") "zone = \"UTC\"; } );\n"
          "buildings = ( { " NAMED("b1") "site = \"s1\"; }, { " NAMED(
              "b2") "site = \"s1\"; } );\n"
                    "tenants = ( { " NAMED("t1") "}, { " NAMED("t2") "}, { " NAMED(
                        "t3") "} );\n"
                              "meters = ( { " NAMED(
                                  "main") "building = \"b1\"; carrier = \"electricity\"; item = "
                                          "\"01000\"; " SEGMENTS " },\n"
                                          "{ " NAMED("lab") "building = \"b1\"; carrier = \"electricity\"; "
                                                            "tenant = \"t1\"; parent = \"main\"; " SEGMENTS
                                                            "\n"
                                                            "changes = ( { from = \"2026-06-15T12:00:00Z\"; "
                                                            "tenant = \"t2\"; parent = \"\"; building = "
                                                            "\"b2\"; item = \"01A00\"; } ); } );\n";

static struct park *load(void)
{
    struct park *park = park_load_text("park.cfg", span_of(park_text));
    conf_print_problems(park->conf, stderr);
    assert_int_equal(conf_problem_count(park->conf), 0);
    return park;
}

static void put_quarters(struct db *db)
{
    struct error err;
    must(db_exec(db, "INSERT INTO ledger_meter VALUES(1, 'main'), (2, 'lab')", &err), &err);
    struct db_stmt *put =
        db_prepare(db, "INSERT INTO ledger_quarter(meter, start_ms, version, amount, quality, written_ms,"
                       " written_by) VALUES(?1, ?2, 1, ?3, 0, 0, 0)");
    for (int64_t i = -2 * HALF; i < 2 * HALF; i++) /* the day before, too */
        for (int64_t meter = 1; meter <= 2; meter++) {
            db_bind_int(put, 1, meter);
            db_bind_int(put, 2, DAY_MS + i * PERIODS_QUARTER_HOUR_MS);
            db_bind_int(put, 3, meter == 1 ? 100 : 30);
            must(db_run(put, &err), &err);
        }
}

static const char *name_of(const struct part *part)
{
    return part->kind == PART_TENANT     ? part->tenant != NULL ? part->tenant->id : "-"
           : part->kind == PART_BUILDING ? part->building->id
           : part->kind == PART_ITEM     ? part->item != NULL ? part->item : "-"
           : part->meter != NULL         ? part->meter->id
                                         : "all";
}

static int64_t cell_of(const struct table *table, size_t row, size_t column)
{
    assert_int_equal(table->rows[row].cells[column].kind, CELL_NUMBER);
    return table->rows[row].cells[column].number.value;
}

/* Where the figure leads to: its meters with their signs, which add up to it. */
static void check_made_of(
    const struct drill *d, const struct part *part, int64_t expected, struct buf *ret_terms)
{
    static const char *const cells[] = {"cell", NULL};
    struct tables tables = {0}, link = {0};
    struct error err;
    bool is_found;
    struct table *table = tables_add(&link, "totals", cells);
    table_begin(table);
    table_text(table, "x");
    drill_link_part(table, part);
    const char *path = table->rows[0].cells[0].link;
    assert_memory_equal(path, "total/", strlen("total/"));
    must(drill_part(d, path + strlen("total/"), &tables, &is_found, &err), &err);
    assert_true(is_found);
    const struct table *total = &tables.items[1], *parts = &tables.items[2];
    int64_t sum = 0;
    assert_int_equal(total->count, 1);
    assert_int_equal(cell_of(total, 0, 2), expected);
    for (size_t i = 0; i + 1 < parts->count; i++) {
        const struct cell *row = parts->rows[i].cells;
        int64_t amount = cell_of(parts, i, DRILL_PARTS_BLANKS);
        sum += amount;
        buf_printf(ret_terms, "%s%s %lld %lld-%lld", i > 0 ? ", " : " =", row[1].text, (long long)amount,
            (long long)(row[4].time_ms - DAY_MS) / 3600000, (long long)(row[5].time_ms - DAY_MS) / 3600000);
    }
    assert_int_equal(sum, expected);
    assert_int_equal(cell_of(parts, parts->count - 1, DRILL_PARTS_BLANKS), expected);
    assert_int_equal(parts->rows[parts->count - 1].sum_of, parts->count - 1);
    tables_release(&tables);
    tables_release(&link);
}

static void put_batch(struct db *db, int64_t received_ms)
{
    struct error err;
    must(
        db_exec(db, "INSERT OR IGNORE INTO gateway(id, name, first_heard_ms) VALUES(1, 'g', 0)", &err), &err);
    struct db_stmt *put = db_keep(db, "INSERT INTO journal(gateway, epoch, seq, received_ms, lines, payload)"
                                      " VALUES(1, 1, 1 + (SELECT count(*) FROM journal), ?1, 0, x'')");
    db_bind_int(put, 1, received_ms);
    must(db_run(put, &err), &err);
    must(
        db_exec(db, "UPDATE cursor SET position = (SELECT max(id) FROM journal) WHERE name = 'ledger'", &err),
        &err);
}

/* The same parts as rows by step: of the day's halves and of the day. */
static void check_rows(struct db *db, const struct park *park)
{
    static const enum tree_by bys[] = {TREE_CARRIER, TREE_BUILDING, TREE_TENANT, TREE_ITEM};
    struct periods_span day = {DAY_MS, DAY_MS + 2 * HALF * PERIODS_QUARTER_HOUR_MS};
    int64_t noon_ms = DAY_MS + HALF * PERIODS_QUARTER_HOUR_MS;
    struct periods_span spans[] = {{day.begin_ms, noon_ms}, {noon_ms, day.end_ms}, day};
    struct buf found = {0};
    struct error err;
    for (size_t k = 0; k < sizeof bys / sizeof bys[0]; k++) {
        struct tree tree;
        part_tree_init(&tree, park, park->sites.items, bys[k], day);
        for (size_t i = 0; i < tree.count; i++) {
            const struct tree_row *row = &tree.rows[i];
            struct amount amounts[3];
            must(tree_amounts(db, row, &(struct steps){.spans = spans, .count = 3}, INT64_MAX, amounts, &err),
                &err);
            buf_printf(&found, "%s %s %lld+%lld=%lld%s\n", tree_kinds[row->kind],
                row->id != NULL ? row->id : "-", (long long)amounts[0].sum.known,
                (long long)amounts[1].sum.known, (long long)amounts[2].sum.known,
                part_tree_takes_off(row) ? " less" : "");
        }
        tree_release(&tree);
    }
    assert_string_equal(found.data, "part electricity 4800+6240=11040\n"
                                    "part b1 4800+4800=9600\npart b2 0+1440=1440\n"
                                    "part t1 1440+0=1440\npart t2 0+1440=1440\npart - 3360+4800=8160 less\n"
                                    "part 01000 3360+4800=8160 less\npart 01A00 0+1440=1440\n"
                                    "part - 1440+0=1440\n");
    buf_release(&found);
}

static void test_each_pays_for_his_own_time(void **state)
{
    (void)state;
    static const char *const kinds[PART_KINDS] = {"site", "building", "tenant", "item", "meter", "gap"};
    struct intake in;
    intake_open(&in);
    put_quarters(in.db);
    struct park *park = load();
    struct rates rates = {0};
    struct report report;
    struct error err;
    struct period day;
    assert_true(periods_parse("2026-06-15", &day));
    put_batch(in.db, DAY_MS + 2 * HALF * PERIODS_QUARTER_HOUR_MS);
    must(report_build(&(struct report_options){.db = in.db,
                          .park = park,
                          .rates = &rates,
                          .site = park->sites.items,
                          .period = day,
                          .now_ms = INT64_MAX},
             &report, &err),
        &err);
    assert_int_equal(report.carrier_count, 1);
    /* Lab is fed through main on the day before, and on its own from noon on. */
    assert_int_equal(report.carriers[0].figures[0].before.amount.sum.known, 9600);
    assert_int_equal(report.carriers[0].figures[0].before.comparison.reason, COMPARE_OTHER_METERS);
    struct buf found = {0};
    struct drill drill = {.db = in.db,
        .park = park,
        .site = park->sites.items,
        .zone = report.zone,
        .period = day,
        .span = report.axis.span,
        .now_ms = INT64_MAX,
        .language = PAGE_EN};
    for (size_t i = 0; i < report.carriers[0].count; i++) {
        const struct report_figure *figure = &report.carriers[0].figures[i];
        int64_t sum = -1;
        assert_true(amount_is_known(&figure->amount, &sum));
        buf_printf(&found, "%s %s %lld", kinds[figure->part.kind], name_of(&figure->part), (long long)sum);
        if (figure->part.kind < PART_METER)
            check_made_of(&drill, &figure->part, sum, &found);
        buf_add_char(&found, '\n');
    }
    assert_string_equal(found.data,
        "site all 11040 =main 9600 0-24, lab 1440 12-24\n"
        "building b1 9600 =main 9600 0-24\nbuilding b2 1440 =lab 1440 12-24\n"
        "tenant t1 1440 =lab 1440 0-12\ntenant t2 1440 =lab 1440 12-24\n"
        "tenant - 8160 =main 9600 0-24, lab -1440 0-12\n"
        "item 01000 8160 =main 9600 0-24, lab -1440 0-12\nitem - 1440 =lab 1440 0-12\n"
        "item 01A00 1440 =lab 1440 12-24\nmeter main 9600\nmeter lab 2880\ngap main 3360\n");
    buf_release(&found);
    check_rows(in.db, park);
    report_release(&report);
    park_destroy(park);
    intake_close(&in);
}

/* A park that fell silent at noon: what is over and was not heard is missing, whenever the last batch arrived; and what is
 * over follows from that batch where the clock is behind it, as one that fell back to 1970. */
static void test_what_is_over_is_due(void **state)
{
    (void)state;
    struct intake in;
    intake_open(&in);
    put_quarters(in.db);
    struct park *park = load();
    struct rates rates = {0};
    struct report report;
    struct error err;
    struct report_options options = {.db = in.db, .park = park, .rates = &rates, .site = park->sites.items};
    assert_true(periods_parse("2026-06-15", &options.period));
    struct db_stmt *drop = db_keep(in.db, "DELETE FROM ledger_quarter WHERE start_ms >= ?1");
    db_bind_int(drop, 1, DAY_MS + HALF * PERIODS_QUARTER_HOUR_MS);
    must(db_run(drop, &err), &err);
    static const struct {
        int64_t now_ms, arrived_ms; /* 0 = as before */
        int64_t due;                /* quarter hours of the other half */
    } cases[] = {{DAY_MS + HALF * PERIODS_QUARTER_HOUR_MS, 0, 0}, {0, 0, 0}, {INT64_MAX, 0, HALF},
        {0, DAY_MS + 3 * HALF / 2 * PERIODS_QUARTER_HOUR_MS, HALF / 2},
        {0, DAY_MS + 9 * HALF * PERIODS_QUARTER_HOUR_MS, HALF}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t due = cases[i].due;
        options.now_ms = cases[i].now_ms;
        if (cases[i].arrived_ms != 0)
            put_batch(in.db, cases[i].arrived_ms);
        for (int is_so_far = 0; is_so_far < 2; is_so_far++) {
            options.is_so_far = is_so_far;
            must(report_build(&options, &report, &err), &err);
            const struct amount *site = &report.carriers[0].figures[0].amount;
            assert_int_equal(site->sum.count, HALF);
            assert_int_equal(site->future_s, is_so_far ? 0 : (HALF - due) * 900);
            assert_int_equal(site->waiting_s, due * 900);
            assert_int_equal(compare_coverage_permille(site), 1000 * HALF / (HALF + due));
            report_release(&report);
        }
    }
    park_destroy(park);
    intake_close(&in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_pays_for_his_own_time),
        cmocka_unit_test(test_what_is_over_is_due),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
