/* What meters of random trees add up to, against another program that goes by what flows; and balance gaps. */
#include "collector/energy/balance.h"
#include "collector/energy/tree.h"
#include "tests/unit/collector/books_fixture.h"
#include "tests/unit/oracle.h"

static char park_path[96];

struct played {
    struct buf cfg;
    struct park *park;
    struct periods_span span;
    int64_t now_ms;
    struct tree tree;
    size_t row;
};

static void end_rows(struct played *p)
{
    assert_int_equal(p->row, p->tree.count);
    tree_release(&p->tree);
    p->row = 0;
}

static void play_case(struct played *p, const char *line)
{
    struct error err;
    buf_reset(&p->cfg);
    fixture_ok(db_exec(fixture_db, "DELETE FROM ledger_quarter; DELETE FROM ledger_meter", &err), &err);
    assert_int_equal(
        sscanf(line, "case %" SCNd64 " %" SCNd64 " %" SCNd64, &p->now_ms, &p->span.begin_ms, &p->span.end_ms),
        3);
}

static void load_park(struct played *p)
{
    FILE *out = fopen(park_path, "w");
    assert_non_null(out);
    fputs(p->cfg.data, out);
    assert_int_equal(fclose(out), 0);
    p->park = park_load(park_path);
    conf_print_problems(p->park->conf, stderr);
    assert_int_equal(conf_problem_count(p->park->conf), 0);
}

static void play_row(const char *line)
{
    struct error err;
    char name[64], amount[32];
    int64_t start_ms, quality, id;
    if (sscanf(line, "row %63s %" SCNd64 " %31s %" SCNd64, name, &start_ms, amount, &quality) != 4)
        fail_msg("%s", line);
    fixture_ok(books_meter_id(fixture_db, span_of(name), &id, &err), &err);
    struct db_stmt *put = db_keep(fixture_db, "INSERT INTO ledger_quarter VALUES(?1, ?2, 1, ?3, ?4, 0, 0)");
    db_bind_int(put, 1, id);
    db_bind_int(put, 2, start_ms);
    if (strcmp(amount, "-") == 0)
        db_bind_null(put, 3);
    else
        db_bind_int(put, 3, strtoll(amount, NULL, 10));
    db_bind_int(put, 4, quality);
    fixture_ok(db_run(put, &err), &err);
}

static void play_rows(struct played *p, const char *line)
{
    int by;
    if (p->park == NULL)
        load_park(p);
    else
        end_rows(p);
    assert_int_equal(sscanf(line, "rows %d", &by), 1);
    tree_init(&p->tree, p->park, p->park->sites.items, (enum tree_by)by, p->span);
}

static void play_is(struct played *p, const char *line)
{
    struct error err;
    struct steps steps;
    struct amount a;
    if (p->row >= p->tree.count)
        fail_msg("no row for: %s", line);
    const struct tree_row *row = &p->tree.rows[p->row++];
    steps_cut(&steps, NULL, p->span, STEPS_WHOLE);
    fixture_ok(tree_amounts(fixture_db, row, &steps, p->now_ms, &a, &err), &err);
    steps_release(&steps);
    struct buf is = {0};
    int64_t amount;
    buf_printf(&is, "is %s %s %s ", tree_kinds[row->kind], row->id, park_carriers[row->carrier]);
    for (size_t i = 0; i < row->left_out_count; i++)
        buf_printf(&is, "%s%s", i > 0 ? "," : "", row->left_out[i]->id);
    buf_add_str(&is, row->left_out_count == 0 ? "- " : " ");
    if (amount_is_known(&a, &amount))
        buf_printf(&is, "%" PRId64, amount);
    else
        buf_add_char(&is, '-');
    buf_printf(&is, " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64,
        a.sum.known, a.sum.unknown_s, a.waiting_s, a.future_s, a.absent_s, amount_due(&a),
        amount_covered(&a));
    if (strcmp(is.data, line) != 0)
        fail_msg("%s\nexpected %s\nof\n%s", is.data, line, p->cfg.data);
    buf_release(&is);
}

static void play_end(struct played *p)
{
    end_rows(p);
    park_destroy(p->park);
    p->park = NULL;
}

static void test_groups_virtual_meters_and_gaps_come_to_what_flows(void **state)
{
    (void)state;
    struct oracle o;
    struct played p = {0};
    fixture_begin();
    oracle_open(&o, "collector/oracle_tree.py", random_seed(20261128), NULL);
    while (oracle_read(&o)) {
        if (strncmp(o.line, "case ", 5) == 0)
            play_case(&p, o.line);
        else if (strncmp(o.line, "cfg ", 4) == 0)
            buf_printf(&p.cfg, "%s\n", o.line + 4);
        else if (strncmp(o.line, "row ", 4) == 0)
            play_row(o.line);
        else if (strncmp(o.line, "rows ", 5) == 0)
            play_rows(&p, o.line);
        else if (strncmp(o.line, "is ", 3) == 0)
            play_is(&p, o.line);
        else
            play_end(&p);
    }
    oracle_close(&o, 3000);
    fixture_commit();
    buf_release(&p.cfg);
}

static struct amount known(int64_t amount)
{
    return (struct amount){.sum = {.count = 1, .known = amount}};
}

static void test_a_gap_is_held_against_the_limit_in_either_sign(void **state)
{
    (void)state;
    static const struct {
        int64_t gap, parent;
        struct fraction limit;
        enum balance expected;
    } cases[] = {
        {50, 1000, {1, 20}, BALANCE_WITHIN},
        {51, 1000, {1, 20}, BALANCE_BEYOND},
        {-50, 1000, {1, 20}, BALANCE_WITHIN},
        {-51, 1000, {1, 20}, BALANCE_BEYOND},
        {51, -1000, {1, 20}, BALANCE_BEYOND},
        {0, 0, {1, 20}, BALANCE_WITHIN},
        {1, 0, {1, 20}, BALANCE_BEYOND},
        {INT64_MIN, INT64_MIN, {999999999999999999, 1000000000000000000}, BALANCE_BEYOND},
        {INT64_MIN, INT64_MIN, {1, 1}, BALANCE_WITHIN},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct amount gap = known(cases[i].gap), parent = known(cases[i].parent);
        assert_int_equal(balance_judge(&gap, &parent, cases[i].limit), cases[i].expected);
    }
    struct amount unknown = {.sum = {.count = 1, .unknown_s = 900}}, good = known(1000);
    assert_int_equal(balance_judge(&unknown, &good, (struct fraction){1, 20}), BALANCE_UNKNOWN);
    good = known(0);
    assert_int_equal(balance_judge(&good, &unknown, (struct fraction){1, 20}), BALANCE_UNKNOWN);
}

static int set_up(void **state)
{
    fixture_set_up(state);
    snprintf(park_path, sizeof park_path, "%s/park.cfg", fixture_folder);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_groups_virtual_meters_and_gaps_come_to_what_flows),
        cmocka_unit_test(test_a_gap_is_held_against_the_limit_in_either_sign),
    };
    return cmocka_run_group_tests(tests, set_up, fixture_tear_down);
}
