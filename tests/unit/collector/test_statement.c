/* For which periods there is a statement, and what it says where something is not known, or is no use. */
#include "collector/statement/tables.h"
#include "tests/unit/collector/fake_journal.h"

#define THING "name = \"x\"; name_en = \"X\"; "
#define OCTOBER_MS INT64_C(1790812800000) /* 2026-10-01T00:00:00Z */
#define DAY_MS INT64_C(86400000)
#define HOUR_MS INT64_C(3600000)

static const char park_text[] = "sites = ({ id = \"s\"; " THING "zone = \"UTC\"; });\n"
                                "buildings = ({ id = \"b\"; " THING "site = \"s\"; });\n"
                                "gateways = ({ id = \"gw-a\"; " THING "site = \"s\"; });\n"
                                "categories = ({ id = \"c\"; " THING "});\n"
                                "instruments = ({ id = \"sem\"; " THING
                                "building = \"b\"; category = \"c\"; owner = \"o\"; owner_en = \"o\";"
                                " owner_code = \"9\"; contact = \"8\"; session = \"gw-a/s\"; });\n";

/* The same, with a calendar. */
static const char booked_text[] =
    "sites = ({ id = \"s\"; " THING "zone = \"UTC\"; });\n"
    "buildings = ({ id = \"b\"; " THING "site = \"s\"; });\n"
    "gateways = ({ id = \"gw-a\"; " THING "site = \"s\"; });\n"
    "categories = ({ id = \"c\"; " THING "});\n"
    "calendars = ({ id = \"cal\"; " THING "site = \"s\"; file = \"/none.ics\"; every = 300; });\n"
    "instruments = ({ id = \"sem\"; " THING
    "building = \"b\"; category = \"c\"; owner = \"o\"; owner_en = \"o\";"
    " owner_code = \"9\"; contact = \"8\"; session = \"gw-a/s\"; calendar = \"cal\"; });\n";

/* With a calendar alone: nothing tells whether it is used. */
static const char calendar_text[] =
    "sites = ({ id = \"s\"; " THING "zone = \"UTC\"; });\n"
    "buildings = ({ id = \"b\"; " THING "site = \"s\"; });\n"
    "categories = ({ id = \"c\"; " THING "});\n"
    "calendars = ({ id = \"cal\"; " THING "site = \"s\"; file = \"/none.ics\"; every = 300; });\n"
    "instruments = ({ id = \"sem\"; " THING
    "building = \"b\"; category = \"c\"; owner = \"o\"; owner_en = \"o\";"
    " owner_code = \"9\"; contact = \"8\"; calendar = \"cal\"; });\n";

struct scene {
    struct fake_journal journal;
    struct park *park;
};

static void open_scene_of(struct scene *s, const char *text)
{
    fake_journal_open(&s->journal);
    s->park = fake_park_of(&s->journal, text);
}

static void open_scene(struct scene *s)
{
    open_scene_of(s, park_text);
}

static void close_scene(struct scene *s)
{
    park_destroy(s->park);
    fake_journal_close(&s->journal);
}

static enum status build(struct scene *s, const char *period, int64_t clock_ms, struct statement *ret,
    bool *ret_is_ahead, struct error *err)
{
    struct statement_options options = {
        .db = s->journal.db, .park = s->park, .site = park_site_find(s->park, "s"), .clock_ms = clock_ms};
    assert_true(periods_parse(period, &options.period));
    return statement_build(&options, ret, ret_is_ahead, err);
}

static void test_of_a_period_that_has_not_begun_there_is_none(void **state)
{
    (void)state;
    static const char *const ahead[] = {"2031-01", "2026-10-02", "2026-11", "2027"};
    struct scene s;
    struct statement statement;
    open_scene(&s);
    for (size_t i = 0; i < sizeof ahead / sizeof ahead[0]; i++) {
        struct error err = {""};
        bool is_ahead = false;
        assert_int_equal(
            build(&s, ahead[i], OCTOBER_MS + DAY_MS - 1, &statement, &is_ahead, &err), ST_INVALID);
        assert_true(is_ahead);
        assert_non_null(strstr(err.text, ahead[i]));
        assert_non_null(strstr(err.text, "has not begun"));
    }
    close_scene(&s);
}

static void test_of_one_that_has_there_is_what_has_passed_of_it(void **state)
{
    (void)state;
    static const struct {
        const char *period;
        int64_t clock_ms, passed_ms;
    } cases[] = {{"2026-10", OCTOBER_MS, 0}, {"2026-10", OCTOBER_MS + 1, 1},
        {"2026-10-02", OCTOBER_MS + DAY_MS + 5, 5}, {"2026-10-01", OCTOBER_MS + 9 * DAY_MS, DAY_MS}};
    struct scene s;
    open_scene(&s);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct statement statement;
        struct error err = {""};
        bool is_ahead = true;
        if (build(&s, cases[i].period, cases[i].clock_ms, &statement, &is_ahead, &err) != ST_OK)
            fail_msg("%s: %s", cases[i].period, err.text);
        assert_false(is_ahead);
        assert_int_equal(statement.count, 1);
        assert_true(statement.until_ms - statement.span.begin_ms == cases[i].passed_ms);
        int64_t sum_ms = 0;
        for (int part = 0; part < HOURS_PARTS; part++)
            sum_ms += statement.instruments[0].hours.part_ms[part];
        assert_true(sum_ms == cases[i].passed_ms);
        statement_release(&statement);
    }
    close_scene(&s);
}

/* ---- what is said of a day ---- */

static void run(struct scene *s, char *sql)
{
    struct error err = {""};
    if (db_exec(s->journal.db, sql, &err) != ST_OK)
        fail_msg("%s: %s", sql, err.text);
    free(sql);
}

/* Of 1 October, which is over and heard; hours of the day. */
static void open_day_of(struct scene *s, const char *text)
{
    open_scene_of(s, text);
    run(s, mem_printf("INSERT INTO instrument(id, name, activity, session_ms) VALUES(7, 'sem', x'', %lld)",
               (long long)(OCTOBER_MS + 2 * DAY_MS)));
}

static void open_day(struct scene *s)
{
    open_day_of(s, park_text);
}

static void add_session(
    struct scene *s, int from_h, int until_h, enum hours_user user, int class, const char *organisation)
{
    run(s, mem_printf(
               "INSERT INTO session(instrument, opened_ms, closed_ms, user, class, organisation, evidence,"
               " closed_evidence, why) VALUES(7, %lld, %lld, %d, %d, '%s', %d, %d, %d)",
               (long long)(OCTOBER_MS + from_h * HOUR_MS), (long long)(OCTOBER_MS + until_h * HOUR_MS), user,
               class, organisation, EVIDENCE_DECLARED, EVIDENCE_DECLARED, TOLD_CLOSED));
}

static struct statement day_of(struct scene *s)
{
    struct statement statement;
    struct error err = {""};
    bool is_ahead;
    if (build(s, "2026-10-01", OCTOBER_MS + 2 * DAY_MS, &statement, &is_ahead, &err) != ST_OK)
        fail_msg("%s", err.text);
    return statement;
}

static const struct table *table_find(const struct tables *tables, const char *id)
{
    for (size_t i = 0; i < tables->count; i++)
        if (strcmp(tables->items[i].id, id) == 0)
            return &tables->items[i];
    fail_msg("no table %s", id);
    return NULL;
}

/* As a machine reads it; "" = none. Of table "hours_parts" the row is that of the part. */
static void expect_cell(
    const struct tables *tables, const char *id, size_t row, const char *column, const char *expected)
{
    const struct table *table = table_find(tables, id);
    char code[TABLE_CODE_SIZE];
    for (size_t i = 0; i < table->column_count; i++) {
        table_column_code(table, i, code);
        if (strcmp(code, column) != 0)
            continue;
        assert_true(row < table->count);
        char *found = table_tell(tables, &table->rows[row].cells[i]);
        if (strcmp(found, expected) != 0)
            fail_msg("%s, row %zu, %s: \"%s\" instead of \"%s\"", id, row, column, found, expected);
        free(found);
        return;
    }
    fail_msg("%s has no column %s", id, column);
}

static struct tables tables_of_day(const struct statement *statement)
{
    struct tables tables;
    statement_tables(statement, &(struct tables_origin){.command = "x"}, PAGE_EN, &tables);
    return tables;
}

static void test_maintenance_is_nobodys_use(void **state)
{
    (void)state;
    struct scene s;
    open_day(&s);
    add_session(&s, 1, 2, HOURS_USER_INTERNAL, SESSION_CLASS_INTERNAL, "9");
    add_session(&s, 2, 4, HOURS_USER_EXTERNAL, SESSION_CLASS_EXTERNAL, "91A");
    add_session(&s, 4, 6, HOURS_USER_EXTERNAL, SESSION_CLASS_SERVICE, "91MAKER");
    add_session(&s, 6, 7, HOURS_USER_EXTERNAL, SESSION_CLASS_TRAINING, "91A");
    add_session(&s, -2, 1, HOURS_USER_EXTERNAL, SESSION_CLASS_SERVICE, "91MAKER"); /* of the day before */
    struct statement statement = day_of(&s);
    struct tables tables = tables_of_day(&statement);
    expect_cell(&tables, "instruments", 0, "sessions", "4");
    expect_cell(&tables, "instruments", 0, "internal_sessions", "1");
    expect_cell(&tables, "instruments", 0, "external_sessions", "2");
    expect_cell(&tables, "instruments", 0, "services", "1");
    expect_cell(&tables, "instruments", 0, "external_share", "66.7");
    expect_cell(&tables, "instruments", 0, "external_h", "2.000");
    expect_cell(&tables, "instruments", 0, "sharing_rate", "66.7");
    expect_cell(&tables, "instruments", 0, "organisation_count", "2");
    expect_cell(&tables, "instruments", 0, "external_organisation_count", "1");
    /* Its records are there, with their organisation. */
    assert_int_equal(table_find(&tables, "records")->count, 5);
    expect_cell(&tables, "organisations", 2, "organisation", "91MAKER");
    expect_cell(&tables, "organisations", 2, "external_sessions", "0");
    expect_cell(&tables, "organisations", 2, "services", "1");
    tables_release(&tables);
    statement_release(&statement);
    close_scene(&s);
}

/* Those of a user from outside on an instrument with a meter, as session_energy_read leaves them. */
static void gather_metered(
    struct statement *statement, const char *code, enum statement_energy_state state, int64_t wh)
{
    struct told_session told = {.user = HOURS_USER_EXTERNAL, .class = SESSION_CLASS_EXTERNAL};
    snprintf(told.organisation, sizeof told.organisation, "%s", code);
    struct statement_session session = {
        .told = &told, .until_ms = HOUR_MS, .is_opened_here = true, .energy = {state, wh}};
    struct statement_instrument metered = {.sessions = &session, .session_count = 1, .has_energy = true};
    statement_sum_up(&metered);
    assert_int_equal(metered.organisations.count, 1);
    metered.organisations.items[0].code = code;
    statement_gather(&statement->organisations, &metered.organisations);
    free(metered.organisations.items);
}

static void test_energy_that_nobody_measured_is_no_0(void **state)
{
    (void)state;
    static const struct {
        const char *organisation, *kwh, *known_kwh, *unknown;
    } rows[] = {{"BOTH", "", "0.005", "1"}, {"METERED", "0.007", "", ""}, {"NOMETER", "", "", "1"},
        {"NOUGHT", "0.000", "", ""}, {"UNKNOWN", "", "", "1"}};
    struct scene s;
    open_day(&s);
    add_session(&s, 1, 2, HOURS_USER_EXTERNAL, SESSION_CLASS_EXTERNAL, "BOTH");
    add_session(&s, 2, 4, HOURS_USER_EXTERNAL, SESSION_CLASS_EXTERNAL, "NOMETER");
    struct statement statement = day_of(&s);
    gather_metered(&statement, "BOTH", STATEMENT_MEASURED, 5);
    gather_metered(&statement, "METERED", STATEMENT_ESTIMATED, 7);
    gather_metered(&statement, "NOUGHT", STATEMENT_MANUAL, 0);
    gather_metered(&statement, "UNKNOWN", STATEMENT_UNKNOWN, 0);
    struct tables tables = tables_of_day(&statement);
    assert_int_equal(table_find(&tables, "organisations")->count, 5);
    for (size_t i = 0; i < 5; i++) {
        expect_cell(&tables, "organisations", i, "organisation", rows[i].organisation);
        expect_cell(&tables, "organisations", i, "sessions_kwh", rows[i].kwh);
        expect_cell(&tables, "organisations", i, "sessions_known_kwh", rows[i].known_kwh);
        expect_cell(&tables, "organisations", i, "unknown_energies", rows[i].unknown);
    }
    for (size_t i = 0; i < 2; i++) {
        expect_cell(&tables, "instrument_organisations", i, "sessions_kwh", "");
        expect_cell(&tables, "instrument_organisations", i, "sessions_known_kwh", "");
        expect_cell(&tables, "instrument_organisations", i, "unknown_energies", "1");
    }
    tables_release(&tables);
    statement_release(&statement);
    close_scene(&s);
}

static void test_where_too_much_is_unknown_there_are_no_rates_and_the_hours_stand_beside(void **state)
{
    (void)state;
    static const struct {
        int64_t unknown_ms;
        const char *hours, *share, *utilisation, *sharing_rate;
    } cases[] = {{0, "0.000", "0.0", "52.1", "50.0"},
        {DAY_MS / 20, "1.200", "5.0", "52.1", "50.0"}, /* 5 % is not above it */
        {DAY_MS / 20 + 1, "1.200", "5.0", "", ""}, {20 * HOUR_MS, "20.000", "83.3", "", ""}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct scene s;
        open_day(&s);
        add_session(&s, 0, 1, HOURS_USER_INTERNAL, SESSION_CLASS_INTERNAL, "9");
        add_session(&s, 1, 2, HOURS_USER_EXTERNAL, SESSION_CLASS_EXTERNAL, "91A");
        run(&s, mem_printf("INSERT INTO session_unseen VALUES(7, %lld, %lld)",
                    (long long)(OCTOBER_MS + 3 * HOUR_MS),
                    (long long)(OCTOBER_MS + 3 * HOUR_MS + cases[i].unknown_ms)));
        struct statement statement = day_of(&s);
        struct tables tables = tables_of_day(&statement);
        expect_cell(&tables, "instruments", 0, "effective_h", "2.000");
        expect_cell(&tables, "instruments", 0, "external_h", "1.000");
        expect_cell(&tables, "instruments", 0, "unknown_hours", cases[i].hours);
        expect_cell(&tables, "instruments", 0, "unknown_share", cases[i].share);
        expect_cell(&tables, "instruments", 0, "utilisation", cases[i].utilisation);
        expect_cell(&tables, "instruments", 0, "sharing_rate", cases[i].sharing_rate);
        /* The limit by which that is judged is said. */
        expect_cell(&tables, "about", 7, "what", "unknown_limit");
        expect_cell(&tables, "about", 7, "value", "5.0");
        tables_release(&tables);
        statement_release(&statement);
        close_scene(&s);
    }
}

/* From 8 to 10 and from 12 to 14 o'clock; from_h -1 = nobody knows of bookings. */
static void add_bookings(struct scene *s, int from_h, int until_h, int64_t read_ms)
{
    run(s,
        mem_printf("INSERT INTO calendar VALUES(3, 'cal', 0, 9000000000000000, %lld, 0, 0, 0, 1, '', x'', 0)",
            (long long)read_ms));
    run(s, mem_printf("INSERT INTO calendar_busy(calendar, from_ms, until_ms, uid) VALUES(3, %lld, %lld, 1),"
                      " (3, %lld, %lld, 2)",
               (long long)(OCTOBER_MS + 8 * HOUR_MS), (long long)(OCTOBER_MS + 10 * HOUR_MS),
               (long long)(OCTOBER_MS + 12 * HOUR_MS), (long long)(OCTOBER_MS + 14 * HOUR_MS)));
    if (from_h >= 0)
        run(s, mem_printf("INSERT INTO calendar_known VALUES(3, %lld, %lld)",
                   (long long)(OCTOBER_MS + from_h * HOUR_MS), (long long)(OCTOBER_MS + until_h * HOUR_MS)));
}

static void test_where_nothing_tells_of_use_nobody_says_that_there_was_none(void **state)
{
    (void)state;
    static const char *const untold[] = {"effective_h", "internal_h", "external_h", "unattributed_h",
        "utilisation", "sharing_rate", "measured_share"};
    static const char *const seconds[] = {[HOURS_BROKEN] = "0.000",
        [HOURS_PLANNED] = "0.000",
        [HOURS_TRAINING] = "",
        [HOURS_INTERNAL] = "",
        [HOURS_EXTERNAL] = "",
        [HOURS_UNATTRIBUTED] = "",
        [HOURS_UNKNOWN] = "14400.000",
        [HOURS_IDLE] = "",
        [HOURS_NO_SHOW] = "",
        [HOURS_RESERVED] = "",
        [HOURS_CLOSED] = "0.000",
        [HOURS_FREE] = "72000.000"};
    struct scene s;
    open_day_of(&s, calendar_text);
    add_bookings(&s, 0, 24, OCTOBER_MS + DAY_MS);
    struct statement statement = day_of(&s);
    struct tables tables = tables_of_day(&statement);
    for (size_t i = 0; i < sizeof untold / sizeof untold[0]; i++)
        expect_cell(&tables, "instruments", 0, untold[i], "");
    expect_cell(&tables, "instruments", 0, "unknown_hours", "4.000");
    expect_cell(&tables, "instruments", 0, "bookings_unknown_h", "0.000");
    for (size_t part = 0; part < HOURS_PARTS; part++)
        expect_cell(&tables, "hours_parts", part, "seconds", seconds[part]);
    expect_cell(&tables, "hours_parts", HOURS_PARTS, "seconds", "");
    expect_cell(&tables, "hours_parts", HOURS_PARTS, "seconds_known", "86400.000");
    tables_release(&tables);
    statement_release(&statement);
    close_scene(&s);

    /* Nor where nothing is booked. */
    open_day_of(&s, calendar_text);
    statement = day_of(&s);
    assert_true(statement_utilisation(&statement.instruments[0]) == -1);
    statement_release(&statement);
    close_scene(&s);
}

/* Rows of table "hours_parts" are in the order of enum hours_part. */
static void test_what_depends_on_bookings_that_nobody_knows_is_no_0(void **state)
{
    (void)state;
    static const struct {
        int from_h, until_h; /* when they are known; -1 = never */
        int64_t read_ms;     /* when the calendar was read last */
        const char *unknown_h, *no_show, *reserved, *total;
    } cases[] = {
        {-1, -1, 0, "24.000", "", "", ""},
        {0, 24, OCTOBER_MS + DAY_MS, "0.000", "7200.000", "3600.000", "86400.000"},
        {1, 24, OCTOBER_MS + DAY_MS, "1.000", "", "", ""},
        {0, 20, OCTOBER_MS + 20 * HOUR_MS, "3.750", "", "",
            ""}, /* for 3 periods of 5 minutes it is as good as read */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct scene s;
        open_day_of(&s, booked_text);
        add_bookings(&s, cases[i].from_h, cases[i].until_h, cases[i].read_ms);
        add_session(&s, 12, 13, HOURS_USER_INTERNAL, SESSION_CLASS_INTERNAL, "9");
        struct statement statement = day_of(&s);
        struct tables tables = tables_of_day(&statement);
        expect_cell(&tables, "instruments", 0, "bookings_unknown_h", cases[i].unknown_h);
        expect_cell(&tables, "hours_parts", HOURS_NO_SHOW, "seconds", cases[i].no_show);
        expect_cell(&tables, "hours_parts", HOURS_NO_SHOW, "seconds_known", "7200.000");
        expect_cell(&tables, "hours_parts", HOURS_RESERVED, "seconds", cases[i].reserved);
        expect_cell(&tables, "hours_parts", HOURS_RESERVED, "seconds_known", "3600.000");
        expect_cell(&tables, "hours_parts", HOURS_FREE, "seconds", "72000.000");
        expect_cell(&tables, "hours_parts", HOURS_PARTS, "seconds_known", "86400.000");
        expect_cell(&tables, "hours_parts", HOURS_PARTS, "seconds", cases[i].total);
        tables_release(&tables);
        statement_release(&statement);
        close_scene(&s);
    }
}

static void test_without_a_calendar_there_are_no_bookings(void **state)
{
    (void)state;
    struct scene s;
    open_day(&s);
    struct statement statement = day_of(&s);
    struct tables tables = tables_of_day(&statement);
    expect_cell(&tables, "instruments", 0, "bookings_unknown_h", "");
    expect_cell(&tables, "hours_parts", HOURS_NO_SHOW, "seconds", "0.000");
    tables_release(&tables);
    statement_release(&statement);
    close_scene(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_of_a_period_that_has_not_begun_there_is_none),
        cmocka_unit_test(test_of_one_that_has_there_is_what_has_passed_of_it),
        cmocka_unit_test(test_maintenance_is_nobodys_use),
        cmocka_unit_test(test_energy_that_nobody_measured_is_no_0),
        cmocka_unit_test(test_where_too_much_is_unknown_there_are_no_rates_and_the_hours_stand_beside),
        cmocka_unit_test(test_what_depends_on_bookings_that_nobody_knows_is_no_0),
        cmocka_unit_test(test_where_nothing_tells_of_use_nobody_says_that_there_was_none),
        cmocka_unit_test(test_without_a_calendar_there_are_no_bookings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
