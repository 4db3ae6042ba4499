/* Which decisions are of a report's period: spans are half-open, an instant counts at both ends. */
#include "collector/report/happened.h"

#include "collector/access/changes.h"
#include "collector/ledger/decided.h"
#include "collector/ledger/latest.h"
#include "tests/unit/collector/books_fixture.h"

#include <stdlib.h>

#define BEGIN (40 * LATEST_DAY_MS)
#define END (41 * LATEST_DAY_MS)
#define QUARTER PERIODS_QUARTER_HOUR_MS

static const struct decision {
    enum ruling_kind kind;
    int64_t from_ms, until_ms;
    bool is_of_period;
} decisions[] = {
    {RULING_ENERGY, BEGIN - QUARTER, BEGIN, false}, /* it ends where the period begins */
    {RULING_ENERGY, BEGIN - QUARTER, BEGIN + QUARTER, true},
    {RULING_ENERGY, BEGIN - QUARTER, END + QUARTER, true},
    {RULING_ENERGY, END - QUARTER, END, true},
    {RULING_ENERGY, END, END + QUARTER, false},
    {RULING_READING, BEGIN - 1, BEGIN - 1, false},
    {RULING_READING, BEGIN, BEGIN, true},
    {RULING_READING, END, END, true},
    {RULING_OUTLIER, BEGIN - QUARTER, BEGIN, true}, /* until its last reading, which is a boundary */
    {RULING_OUTLIER, BEGIN - QUARTER, BEGIN - 1, false},
};
#define COUNT (sizeof decisions / sizeof decisions[0])

static void test_a_decision_is_of_the_period_that_it_touches(void **state)
{
    (void)state;
    struct park_meter meter = {.id = (char *)"m"};
    struct report report = {.axis = {.span = {BEGIN, END}}};
    struct error err;
    int64_t first_id = 0;
    fixture_ok(db_exec(fixture_db, decided_schema, &err), &err);
    fixture_ok(db_exec(fixture_db, CHANGES_SCRIPT, &err), &err);
    fixture_ok(db_exec(fixture_db, "INSERT OR IGNORE INTO ledger_meter VALUES(7, 'm')", &err), &err);
    for (size_t i = 0; i < COUNT; i++) {
        struct decided d = {.ruling = {.kind = decisions[i].kind,
                                .from_ms = decisions[i].from_ms,
                                .until_ms = decisions[i].until_ms},
            .meter = 7,
            .who = "who",
            .why = "why"};
        fixture_ok(decided_add(fixture_db, &d, &err), &err);
        first_id = i == 0 ? d.ruling.id : first_id;
    }
    fixture_ok(happened_read_meter(fixture_db, &report, &meter, 7, &err), &err);
    assert_int_equal(report.decision_count, COUNT); /* all of them begin before the period's end, or at it */
    for (size_t i = 0; i < report.decision_count; i++) {
        const struct decision *wanted = &decisions[report.decisions[i].id - first_id];
        if (report.decisions[i].is_of_period != wanted->is_of_period)
            fail_msg("decision %zu: %d", (size_t)(wanted - decisions), report.decisions[i].is_of_period);
    }
    happened_release(&report);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_decision_is_of_the_period_that_it_touches),
    };
    return cmocka_run_group_tests(tests, fixture_set_up, fixture_tear_down);
}
