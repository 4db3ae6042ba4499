/* What tables hold of an instrument's time comes into its division whole, however the period is cut: against the model of
 * oracle_hours.py, which asks every minute by itself. */
#include "collector/instrument/booking_rows.h"
#include "collector/instrument/hours_facts.h"
#include "collector/instrument/outage.h"
#include "lib/mem.h"
#include "tests/unit/collector/fake_journal.h"
#include "tests/unit/oracle.h"

#define MINUTE INT64_C(60000)
#define RESOURCES 4
#define MOST 4096

struct scene {
    struct fake_journal journal;
    struct db *db;
    struct zone *zone;
    struct park_instrument instrument;
    struct park_resource resources[RESOURCES];
    const struct park_resource *required[RESOURCES];
    int64_t begin_ms, end_ms, known_ms;
    int rows; /* lines of the case so far: each gets an id of its own */
    int resource_count;
    /* What the oracle says, neighbours that are alike joined. */
    struct hours_row expected[MOST];
    size_t count;
};

static int find(const char *const *names, const char *name)
{
    for (int i = 0; names[i] != NULL; i++)
        if (strcmp(names[i], name) == 0)
            return i;
    fail_msg("no such name: %s", name);
    return -1;
}

static void must_run(struct scene *s, char *sql)
{
    struct error err = {""};
    if (db_exec(s->db, sql, &err) != ST_OK)
        fail_msg("%s: %s", sql, err.text);
    free(sql);
}

static const char *const tables[] = {
    "instrument", "activity_span", "session", "session_unseen", "resource", "resource_down", "calendar_busy"};

static void begin(struct scene *s, const char *line)
{
    long long n[7];
    char zone[64], open[64];
    int has_power, has_sessions;
    if (sscanf(line, "case %63s %d %d %lld %lld %lld %lld %lld %lld %lld %63[^\n]", zone, &has_power,
            &has_sessions, &n[0], &n[1], &n[2], &n[3], &n[4], &n[5], &n[6], open) != 11)
        fail_msg("%s", line);
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
        must_run(s, mem_printf("DELETE FROM %s", tables[i]));
    zone_destroy(s->zone);
    s->zone = zone_create(zone);
    s->begin_ms = n[0] * MINUTE;
    s->end_ms = n[1] * MINUTE;
    s->known_ms = n[2] * MINUTE;
    s->rows = s->resource_count = 0;
    s->count = 0;
    s->instrument = (struct park_instrument){.id = (char *)"sem",
        .power_point = has_power ? "g/p" : NULL,
        .session = has_sessions ? (char *)"g/s" : NULL,
        .calendar_id = (char *)"cal",
        .requires = {.count = RESOURCES},
        .required = s->required,
        .preparation_ms = n[3] * MINUTE,
        .post_processing_ms = n[4] * MINUTE,
        .pause_ms = n[5] * MINUTE,
        .grace_ms = n[6] * MINUTE};
    assert_true(opening_parse(open[0] == '-' ? NULL : open, &s->instrument.opening));
    must_run(
        s, mem_printf("INSERT INTO instrument(id, name, activity, session_ms) VALUES(7, 'sem', x'', %lld)",
               (long long)s->known_ms));
    for (int i = 0; i < RESOURCES; i++)
        must_run(s, mem_printf("INSERT INTO resource(id, name, is_down) VALUES(%d, 'r%d', 0)", i + 1, i));
}

/* Which evidence a table can hold: outages of people are theirs, bookings are imported, down is what one says here. */
static const char *evidence_of(const char *part, const char *evidence)
{
    if (strcmp(part, "broken") == 0)
        return "measured";
    if (strcmp(part, "planned_outage") == 0)
        return "manual";
    return strcmp(part, "reserved") == 0 || strcmp(part, "no_show") == 0 ? "imported" : evidence;
}

static void take(struct scene *s, const char *line)
{
    static const char *const users[] = {"unknown", "internal", "external", NULL};
    char kind[16], word[16], user[16];
    long long from, until;
    int is_training;
    int fields = sscanf(line, "%15s %lld %lld %15s %15s %d", kind, &from, &until, word, user, &is_training);
    long long a = from * MINUTE, b = until * MINUTE;
    int row = ++s->rows;
    if (fields == 6) {
        int number = find(users, user);
        must_run(
            s, mem_printf("INSERT INTO session(id, instrument, opened_ms, closed_ms, user, class, evidence,"
                          " closed_evidence, why) VALUES(%d, 7, %lld, %lld, %d, %d, %d, %d, %d)",
                   row, a, b, number, is_training ? SESSION_CLASS_TRAINING : number,
                   find(hours_evidences, word), find(hours_evidences, word), TOLD_CLOSED));
    } else if (strcmp(kind, "activity") == 0) {
        must_run(s, mem_printf("INSERT INTO activity_span VALUES(7, %lld, %lld, %d)", a, b,
                        find(activity_names, word)));
    } else if (strcmp(kind, "unseen") == 0) {
        must_run(s, mem_printf("INSERT OR REPLACE INTO session_unseen VALUES(7, %lld, %lld)", a, b));
    } else if (strcmp(kind, "booking") == 0) {
        must_run(s, mem_printf("INSERT INTO calendar_busy(calendar, from_ms, until_ms, uid)"
                               " VALUES(3, %lld, %lld, %d)",
                        a, b, row));
    } else if (strcmp(kind, "broken") == 0) {
        assert_true(s->resource_count < RESOURCES);
        must_run(s, mem_printf("INSERT INTO resource_down VALUES(%d, %lld, %lld, %d)", ++s->resource_count, a,
                        b, EVIDENCE_MEASURED));
    } else if (strcmp(kind, "planned") == 0) {
        must_run(
            s, mem_printf("INSERT INTO outage(kind, target_kind, target, from_ms, until_ms, category, note,"
                          " opened_ms, opened_by) VALUES(%d, %d, 'sem', %lld, %lld, 'repair', 'x', 1, 'x')",
                   OUTAGE_PLANNED, OUTAGE_INSTRUMENT, a, b));
    } else {
        fail_msg("%s", line);
    }
}

static void expect(struct scene *s, long long from, long long until, const char *part, const char *evidence)
{
    struct hours_row row = {from * MINUTE, until * MINUTE, (enum hours_part)find(hours_parts, part),
        (enum hours_evidence)find(hours_evidences, evidence_of(part, evidence))};
    struct hours_row *last = s->count > 0 ? &s->expected[s->count - 1] : NULL;
    if (last != NULL && last->part == row.part && last->evidence == row.evidence) {
        last->until_ms = row.until_ms;
        return;
    }
    assert_true(s->count < MOST);
    s->expected[s->count++] = row;
}

/* One or several periods, one after another. */
static void divide(struct scene *s, int64_t from_ms, int64_t until_ms, int64_t *part_ms, struct hours *ret)
{
    struct hours_book book;
    struct error err = {""};
    if (hours_facts_read(s->db, &s->instrument, s->zone, from_ms, until_ms, s->known_ms, &book, &err) !=
        ST_OK)
        fail_msg("%s", err.text);
    hours_divide(&book.facts, ret);
    hours_book_release(&book);
    int64_t sum_ms = 0;
    for (int i = 0; i < HOURS_PARTS; i++) {
        part_ms[i] += ret->part_ms[i];
        sum_ms += ret->part_ms[i];
    }
    assert_true(sum_ms == until_ms - from_ms);
}

static void check(struct scene *s)
{
    struct hours whole, piece;
    int64_t whole_ms[HOURS_PARTS] = {0}, cut_ms[HOURS_PARTS] = {0};
    divide(s, s->begin_ms, s->end_ms, whole_ms, &whole);
    for (size_t i = 0; i < s->count; i++) {
        const struct hours_row *e = &s->expected[i];
        if (i >= whole.count || memcmp(&whole.rows[i], e, sizeof *e) != 0)
            fail_msg("row %zu: expected %lld %lld %s %s, found %lld %lld %s %s", i,
                (long long)(e->from_ms / MINUTE), (long long)(e->until_ms / MINUTE), hours_parts[e->part],
                hours_evidences[e->evidence], (long long)(whole.rows[i].from_ms / MINUTE),
                (long long)(whole.rows[i].until_ms / MINUTE), hours_parts[whole.rows[i].part],
                hours_evidences[whole.rows[i].evidence]);
    }
    assert_int_equal(whole.count, s->count);
    hours_release(&whole);
    /* However it is cut, to the millisecond. */
    for (int64_t at_ms = s->begin_ms; at_ms < s->end_ms;) {
        int64_t until_ms = at_ms + 1 + (int64_t)random_below(5 * 3600000);
        until_ms = until_ms < s->end_ms ? until_ms : s->end_ms;
        divide(s, at_ms, until_ms, cut_ms, &piece);
        hours_release(&piece);
        at_ms = until_ms;
    }
    assert_memory_equal(cut_ms, whole_ms, sizeof cut_ms);
}

static void open_scene(struct scene *s)
{
    static char names[RESOURCES][4];
    fake_journal_open(&s->journal);
    s->db = s->journal.db;
    for (int i = 0; i < RESOURCES; i++) {
        snprintf(names[i], sizeof names[i], "r%d", i);
        s->resources[i].id = names[i];
        s->required[i] = &s->resources[i];
    }
    must_run(s, mem_strdup("PRAGMA synchronous = OFF; BEGIN"));
    must_run(s,
        mem_strdup("INSERT INTO calendar VALUES(3, 'cal', 0, 9000000000000000, 1, 0, 0, 0, 1, '', x'', 0)"));
}

static void test_what_tables_hold_is_divided_as_the_words_say(void **state)
{
    (void)state;
    static struct scene s;
    struct oracle oracle;
    open_scene(&s);
    oracle_open(&oracle, "collector/oracle_hours.py", random_uint64() >> 32, NULL);
    bool is_outage_table_used = false;
    while (oracle_read(&oracle)) {
        long long from, until;
        char part[16], evidence[16];
        if (sscanf(oracle.line, "row %lld %lld %15s %15s", &from, &until, part, evidence) == 4) {
            expect(&s, from, until, part, evidence);
        } else if (strcmp(oracle.line, "end") == 0) {
            check(&s);
            must_run(&s, mem_strdup("UPDATE outage SET is_cancelled = 1")); /* outages stay */
        } else if (strncmp(oracle.line, "case ", 5) == 0) {
            begin(&s, oracle.line);
        } else {
            is_outage_table_used = is_outage_table_used || strncmp(oracle.line, "planned", 7) == 0;
            take(&s, oracle.line);
        }
    }
    oracle_close(&oracle, 1000);
    assert_true(is_outage_table_used);
    zone_destroy(s.zone);
    fake_journal_close(&s.journal);
}

/* ---- what people tell of use ---- */

#define OPENED_UNTIL(minute) ((minute) - (int)(HOURS_TELLING_MS / MINUTE))

/* Booked from 100100 to 100200; told of, as far as it is, from `opened` for an hour. */
static void check_booked(struct scene *s, int opened, bool is_close_alone, const char *const *rows)
{
    static const char head[] = "case UTC 0 0 100000 101440 102000 0 0 0 15 -";
    must_run(s, mem_strdup("SAVEPOINT one"));
    begin(s, head);
    take(s, "booking 100100 100200 imported");
    if (opened > 0 && is_close_alone)
        must_run(s,
            mem_printf("INSERT INTO session(id, instrument, opened_ms, closed_ms, user, class, evidence,"
                       " closed_evidence, why) VALUES(99, 7, %lld, %lld, 0, 0, 0, %d, %d)",
                (long long)(opened * MINUTE), (long long)(opened * MINUTE), EVIDENCE_MANUAL, TOLD_UNOPENED));
    if (opened > 0 && !is_close_alone) {
        char *line = mem_printf("session %d %d manual internal 0", opened, opened + 60);
        take(s, line);
        free(line);
    }
    for (int i = 0; rows[i] != NULL; i++) {
        long long from, until;
        char part[16], evidence[16];
        assert_int_equal(sscanf(rows[i], "%lld %lld %15s %15s", &from, &until, part, evidence), 4);
        expect(s, from, until, part, evidence);
    }
    check(s);
    must_run(s, mem_strdup("ROLLBACK TO one; RELEASE one"));
}

static void test_people_tell_of_use_for_a_while_from_each_session_that_they_told(void **state)
{
    (void)state;
    static const struct {
        int opened;
        bool is_close_alone;
        const char *rows[8];
    } cases[] = {
        {0, false,
            {"100000 100100 free imported", "100100 100200 unknown none", "100200 101440 free imported"}},
        {10, false,
            {"100000 100100 free imported", "100100 100200 unknown none", "100200 101440 free imported"}},
        {99990, true,
            {"100000 100100 free imported", "100100 100200 unknown none", "100200 101440 free imported"}},
        {OPENED_UNTIL(100100), false,
            {"100000 100100 free declared", "100100 100200 unknown none", "100200 101440 free imported"}},
        {OPENED_UNTIL(100150), false,
            {"100000 100100 free declared", "100100 100150 reserved imported", "100150 100200 unknown none",
                "100200 101440 free imported"}},
        {OPENED_UNTIL(100200), false,
            {"100000 100100 free declared", "100100 100200 no_show imported", "100200 101440 free imported"}},
        {100300, false,
            {"100000 100100 free imported", "100100 100200 unknown none", "100200 100300 free imported",
                "100300 100360 internal manual", "100360 101440 free declared"}}};
    static struct scene s;
    open_scene(&s);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        check_booked(&s, cases[i].opened, cases[i].is_close_alone, cases[i].rows);
    zone_destroy(s.zone);
    fake_journal_close(&s.journal);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_tables_hold_is_divided_as_the_words_say),
        cmocka_unit_test(test_people_tell_of_use_for_a_while_from_each_session_that_they_told),
    };
    return cmocka_run_group_tests(tests, random_set_up, NULL);
}
