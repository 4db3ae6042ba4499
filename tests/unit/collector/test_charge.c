/* What amounts come to, against a calculation in rationals by another program, and by its own laws. */
#include "collector/energy/charge.h"
#include "tests/unit/oracle.h"
#include "tests/unit/settings_file.h"

#include "lib/calendar.h"

struct bill {
    struct tariffs *tariffs;
    const struct tariff *tariff;
    struct zone *zone;
    struct charge_plan plan;
    struct charge_amount *amounts;
    struct charge_line *lines;
    struct charge_total total;
    size_t read; /* quarter hours of the plan */
};

static void bill_release(struct bill *bill)
{
    charge_plan_release(&bill->plan);
    zone_destroy(bill->zone);
    free(bill->amounts);
    free(bill->lines);
}

static void bill_begin(struct bill *bill, const char *line)
{
    char zone[64];
    long long begin_s, end_s;
    if (sscanf(line, "file %63s %lld %lld", zone, &begin_s, &end_s) != 3)
        fail_msg("%s", line);
    bill_release(bill);
    bill->zone = zone_create(zone);
    charge_plan_tariff(
        &bill->plan, bill->tariff, bill->zone, (struct periods_span){begin_s * 1000, end_s * 1000});
    assert_int_equal(bill->plan.quarter_count, (end_s - begin_s) / 900);
    bill->amounts = mem_zalloc(bill->plan.quarter_count * sizeof *bill->amounts);
    bill->lines = mem_zalloc(bill->plan.key_count * sizeof *bill->lines);
    bill->read = 0;
}

static int row_of(const struct bill *bill, const struct charge_key *key)
{
    return key->prices != NULL ? (int)(key->prices - (const struct tariff_prices *)bill->tariff->prices.items)
                               : -1;
}

static void check_quarter(struct bill *bill, const char *line)
{
    int band, row, is_known;
    long long amount;
    if (sscanf(line, "q %d %d %lld %d", &band, &row, &amount, &is_known) != 4)
        fail_msg("%s", line);
    assert_true(bill->read < bill->plan.quarter_count);
    const struct charge_key *key = &bill->plan.keys[bill->plan.key_of[bill->read]];
    if (key->band != band || row_of(bill, key) != row || (key->why == NULL) != (row >= 0))
        fail_msg("quarter hour %zu, %s: band %d, prices %d, %s", bill->read, line, key->band,
            row_of(bill, key), key->why != NULL ? key->why : "priced");
    bill->amounts[bill->read++] = (struct charge_amount){amount, is_known};
    if (bill->read == bill->plan.quarter_count) {
        charge_lines(&bill->plan, bill->amounts, bill->lines, &bill->total);
    }
}

static void check_line(const struct bill *bill, const char *line)
{
    int band, row;
    long long amount, unknown_s, result;
    if (sscanf(line, "line %d %d %lld %lld %lld", &band, &row, &amount, &unknown_s, &result) != 5)
        fail_msg("%s", line);
    assert_int_equal(bill->read, bill->plan.quarter_count);
    size_t found = 0;
    for (size_t i = 0; i < bill->plan.key_count; i++) {
        if (bill->plan.keys[i].band != band || row_of(bill, &bill->plan.keys[i]) != row)
            continue;
        const struct charge_line *own = &bill->lines[i];
        found++;
        if (own->amount != amount || own->unknown_s != unknown_s || own->result != result)
            fail_msg("%s: %lld, %lld s, %lld", line, (long long)own->amount, (long long)own->unknown_s,
                (long long)own->result);
    }
    assert_int_equal(found, 1);
}

static void check_total(const struct bill *bill, const char *line)
{
    long long amount, unknown_s, result;
    int is_whole;
    if (sscanf(line, "total %lld %lld %lld %d", &amount, &unknown_s, &result, &is_whole) != 4)
        fail_msg("%s", line);
    const struct charge_total *own = &bill->total;
    if (own->sum.amount != amount || own->sum.unknown_s != unknown_s || own->sum.result != result ||
        own->is_whole != is_whole)
        fail_msg("%s: %lld, %lld s, %lld, %d", line, (long long)own->sum.amount,
            (long long)own->sum.unknown_s, (long long)own->sum.result, own->is_whole);
}

static void load_tariff(struct bill *bill, const char *name)
{
    char *path = settings_path(name);
    tariffs_destroy(bill->tariffs);
    bill->tariffs = tariffs_load(path);
    char *problems = settings_problems(bill->tariffs->conf);
    assert_string_equal(problems, "");
    bill->tariff = bill->tariffs->tariffs.items;
    free(problems);
    free(path);
}

static void test_a_bill_is_what_rationals_say(void **state)
{
    (void)state;
    struct oracle oracle;
    struct bill bill = {0};
    random_state = random_seed(20261128) | 1;
    oracle_open(&oracle, "collector/oracle_charge.py", random_uint64(), settings_folder);
    while (oracle_read(&oracle)) {
        switch (oracle.line[0]) {
        case 'f':
            bill_begin(&bill, oracle.line);
            break;
        case 'q':
            check_quarter(&bill, oracle.line);
            break;
        case 'l':
            check_line(&bill, oracle.line);
            break;
        default:
            if (strncmp(oracle.line, "tariff ", 7) == 0)
                load_tariff(&bill, oracle.line + 7);
            else
                check_total(&bill, oracle.line);
        }
    }
    bill_release(&bill);
    tariffs_destroy(bill.tariffs);
    oracle_close(&oracle, 5000);
}

#define SOURCE "document = \"D\"; confidence = \"A\"; "
#define TARIFF(prices)                                                                                       \
    "tariffs = ( { id = \"t\"; name = \"t\"; name_en = \"t\"; carrier = \"electricity\"; sites = [\"s\"];\n" \
    "schedules = ( { from = \"2026-01-01\"; " SOURCE                                                         \
    "seasons = ( { months = \"1-12\"; flat = \"00:00-12:00\"; peak = \"12:00-24:00\"; } ); } );\n"           \
    "prices = ( " prices " ); } );\n"

/* A day of Shanghai's, 2026-03-01 and what follows. */
static struct periods_span march(int64_t days)
{
    int64_t begin_ms = calendar_days(2026, 3, 1) * CALENDAR_DAY_MS - 8 * INT64_C(3600000);
    return (struct periods_span){begin_ms, begin_ms + days * CALENDAR_DAY_MS};
}

static void plan_of(struct bill *bill, const char *text, struct periods_span span)
{
    free(settings_write("t.cfg", text));
    load_tariff(bill, "t.cfg");
    bill->zone = zone_create("Asia/Shanghai");
    charge_plan_tariff(&bill->plan, bill->tariff, bill->zone, span);
    bill->amounts = mem_zalloc((bill->plan.quarter_count + 1) * sizeof *bill->amounts);
    bill->lines = mem_zalloc((bill->plan.key_count + 1) * sizeof *bill->lines);
    for (size_t i = 0; i < bill->plan.quarter_count; i++)
        bill->amounts[i].is_known = true;
}

static void end(struct bill *bill)
{
    bill_release(bill);
    tariffs_destroy(bill->tariffs);
}

static void test_a_line_is_rounded_once_and_a_total_adds_rounded_lines(void **state)
{
    (void)state;
    struct bill bill = {0};
    plan_of(&bill,
        TARIFF("{ from = \"2026-01-01\"; unit = \"yuan/kWh\"; flat = \"1\"; peak = \"1\"; " SOURCE "}"),
        march(1));
    /* 48 quarter hours of 3 Wh are 0.144 yuan: 14 fen, not 48 times 0. */
    for (size_t i = 0; i < 96; i++)
        bill.amounts[i].amount = 3;
    charge_lines(&bill.plan, bill.amounts, bill.lines, &bill.total);
    assert_int_equal(bill.plan.key_count, 2);
    assert_int_equal(bill.lines[0].result, 14);
    assert_int_equal(bill.lines[1].result, 14);
    assert_int_equal(bill.total.sum.amount, 288);
    assert_int_equal(bill.total.sum.result, 28); /* not 29, of 0.288 */
    assert_true(bill.total.is_whole);
    end(&bill);
}

static void test_what_is_not_known_is_no_zero(void **state)
{
    (void)state;
    struct bill bill = {0};
    plan_of(&bill,
        TARIFF("{ from = \"2026-03-02\"; unit = \"yuan/kWh\"; flat = \"1\"; peak = \"2\"; " SOURCE "}"),
        march(2));
    for (size_t i = 0; i < 192; i++)
        bill.amounts[i].amount = 1000;
    bill.amounts[191].is_known = false;
    charge_lines(&bill.plan, bill.amounts, bill.lines, &bill.total);
    assert_int_equal(bill.plan.key_count, 4);
    assert_string_equal(bill.plan.keys[0].why, "tariff t has no prices for 2026-03-01");
    assert_int_equal(bill.plan.keys[0].band, TARIFF_FLAT);
    assert_int_equal(bill.lines[0].amount, 48000);
    assert_int_equal(bill.lines[0].result, 0);
    assert_null(bill.plan.keys[3].why);
    assert_int_equal(bill.lines[3].amount, 47000);
    assert_int_equal(bill.lines[3].unknown_s, 900);
    assert_int_equal(bill.lines[3].result, 9400);
    assert_int_equal(bill.total.sum.result, 4800 + 9400);
    assert_false(bill.total.is_whole);
    end(&bill);
}

static void test_a_day_without_a_schedule_has_no_band(void **state)
{
    (void)state;
    struct bill bill = {0};
    struct periods_span span = march(1);
    span.begin_ms -= 366 * CALENDAR_DAY_MS;
    span.end_ms -= 365 * CALENDAR_DAY_MS;
    plan_of(&bill,
        TARIFF("{ from = \"2025-01-01\"; unit = \"yuan/kWh\"; flat = \"1\"; peak = \"2\"; " SOURCE "}"),
        span);
    assert_int_equal(bill.plan.key_count, 1);
    assert_int_equal(bill.plan.keys[0].band, -1);
    assert_string_equal(bill.plan.keys[0].why, "tariff t has no schedule for 2025-02-28");
    charge_lines(&bill.plan, bill.amounts, bill.lines, &bill.total);
    assert_false(bill.total.is_whole);
    end(&bill);
}

static void test_what_is_too_large_is_unknown_and_the_rest_stands(void **state)
{
    (void)state;
    static const char prices[] =
        TARIFF("{ from = \"2026-01-01\"; unit = \"yuan/kWh\"; flat = \"1\"; peak = \"99999\"; " SOURCE "}");
    for (int row = 0; row < 2; row++) {
        struct bill bill = {0};
        plan_of(&bill, prices, march(1));
        for (size_t i = 0; i < bill.plan.quarter_count; i++)
            bill.amounts[i] = (struct charge_amount){1000, true};
        bill.amounts[row == 0 ? 0 : 60].amount = INT64_MAX / (row == 0 ? 1 : 1000);
        charge_lines(&bill.plan, bill.amounts, bill.lines, &bill.total);
        size_t seen = 0;
        for (size_t i = 0; i < bill.plan.key_count; i++) {
            bool is_flat = bill.plan.keys[i].band == TARIFF_FLAT;
            assert_int_equal(bill.lines[i].is_overflown, is_flat == (row == 0));
            if (!bill.lines[i].is_overflown)
                assert_true(bill.lines[i].amount > 0 && bill.lines[i].result > 0);
            seen++;
        }
        assert_int_equal(seen, 2);
        assert_true(bill.total.sum.is_overflown && !bill.total.is_whole);
        end(&bill);
    }
}

static void test_each_row_of_factors_is_a_line_of_its_own(void **state)
{
    (void)state;
#define ROW(from, value)                                                                                  \
    "{ kind = \"kgco2\"; carrier = \"electricity\"; basis = \"location\"; unit = \"kgCO2/kWh\"; value = " \
    "\"" value "\"; " from SOURCE "}"
    char *path =
        settings_write("f.cfg", "factors = ( " ROW("from = \"2026-03-02\"; through = \"2026-03-02\"; ",
                                    "0.5") ", " ROW("from = \"2026-03-03\"; ", "0.25") " );\n");
    struct factors *factors = factors_load(path);
    struct zone *zone = zone_create("Asia/Shanghai");
    struct charge_plan plan;
    struct charge_amount amounts[4 * 96];
    struct charge_line lines[3];
    struct charge_total total;
    assert_int_equal(conf_problem_count(factors->conf), 0);
    charge_plan_factors(&plan, factors, FACTOR_KGCO2, CARRIER_ELECTRICITY, NULL, zone, march(4));
    assert_int_equal(plan.key_count, 3);
    assert_string_equal(
        plan.keys[0].why, "no kgco2 of electricity for 2026-03-01: the first row begins on 2026-03-02");
    for (size_t i = 0; i < 4 * 96; i++)
        amounts[i] = (struct charge_amount){.amount = 11, .is_known = i != 200};
    charge_lines(&plan, amounts, lines, &total);
    assert_int_equal(lines[1].result, 528); /* 1 056 Wh at 0.5 */
    assert_int_equal(lines[2].amount, 2101);
    assert_int_equal(lines[2].result, 525); /* 525.25 g */
    assert_int_equal(lines[2].unknown_s, 900);
    assert_int_equal(total.sum.result, 1053);
    assert_false(total.is_whole);
    charge_plan_release(&plan);
    zone_destroy(zone);
    factors_destroy(factors);
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_bill_is_what_rationals_say),
        cmocka_unit_test(test_a_line_is_rounded_once_and_a_total_adds_rounded_lines),
        cmocka_unit_test(test_what_is_not_known_is_no_zero),
        cmocka_unit_test(test_a_day_without_a_schedule_has_no_band),
        cmocka_unit_test(test_what_is_too_large_is_unknown_and_the_rest_stands),
        cmocka_unit_test(test_each_row_of_factors_is_a_line_of_its_own),
    };
    return cmocka_run_group_tests(tests, settings_make_folder, settings_remove_folder);
}
