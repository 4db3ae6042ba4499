/* The quarter hours of instruments in the outbox: whatever is told when, late, changed and taken back, with restarts and commits
 * that fail, in the end they are what the division of all that is known says. */
#include "collector/instrument/hours_facts.h"
#include "collector/instrument/outage.h"
#include "collector/model/periods.h"
#include "collector/timesheet.h"
#include "tests/unit/collector/fake_journal.h"
#include "tests/unit/random.h"

#define QUARTER_MS PERIODS_QUARTER_HOUR_MS
#define HOUR_MS INT64_C(3600000)
#define BEGIN_MS \
    INT64_C(1792803600000) /* 2026-10-24T01:00:00Z: on the next day clocks are changed in Berlin */
#define QUEUE 20000

#define THING(id, more) "{ id = \"" id "\"; name = \"x\"; name_en = \"X\"; " more "}"
#define OWNED                                                                                             \
    "building = \"b\"; category = \"c\"; owner = \"o\"; owner_en = \"o\"; owner_code = \"9\"; contact = " \
    "\"8\"; "
#define POWER(point)                                                                         \
    "power = \"gw-a/" point                                                                  \
    "\"; off_w = 10; standby_w = 30; exit_w = 40; enter_w = 60; enter_s = 10; exit_s = 300;" \
    " off_means = \"available\"; "
static const char model[] =
    "sites = (" THING("s",
        "zone = \"Europe/Berlin\";") ");\n"
                                     "gateways = (" THING("gw-a",
                                         "site = \"s\";") ");\n"
                                                          "buildings = (" THING("b",
                                                              "site = \"s\";") ");\n"
                                                                               "categories = (" THING("c",
                                                                                   "") ");\n"
                                                                                       "spaces = (" THING(
                                                                                           "lab",
                                                                                           "building = "
                                                                                           "\"b\";") ");\n"
                                                                                                     "resourc"
                                                                                                     "es = "
                                                                                                     "(" THING(
                                                                                                         "wat"
                                                                                                         "er",
                                                                                                         "bui"
                                                                                                         "ldi"
                                                                                                         "ng "
                                                                                                         "= "
                                                                                                         "\"b"
                                                                                                         "\";"
                                                                                                         " ki"
                                                                                                         "nd "
                                                                                                         "= "
                                                                                                         "\"c"
                                                                                                         "hil"
                                                                                                         "led"
                                                                                                         "_wa"
                                                                                                         "ter"
                                                                                                         "\";"
                                                                                                         " po"
                                                                                                         "int"
                                                                                                         " = "
                                                                                                         "\"g"
                                                                                                         "w-"
                                                                                                         "a/"
                                                                                                         "w\""
                                                                                                         "; "
                                                                                                         "up "
                                                                                                         "= "
                                                                                                         "(\""
                                                                                                         "1\""
                                                                                                         "); "
                                                                                                         "dow"
                                                                                                         "n "
                                                                                                         "= "
                                                                                                         "(\""
                                                                                                         "0\""
                                                                                                         ");") ");\n"
                                                                                                               "calendars = (" THING(
                                                                                                                   "cal",
                                                                                                                   "site = \"s\"; file = \"/none.ics\";") ");\n"
                                                                                                                                                          "instruments = (" THING(
                                                                                                                                                              "sem",
                                                                                                                                                              OWNED POWER(
                                                                                                                                                                  "p1") "session = \"gw-a/s1\"; calendar = \"cal\"; space = \"lab\"; requires = (\"water\");"
                                                                                                                                                                        " open = \"Mon-Sat 01:30-22:00\"; grace = 1800;") "," THING("xrd",
                                                                                                                                                              OWNED POWER(
                                                                                                                                                                  "p2") "calendar = \"cal\"; open = \"Sun 02:15-09:00\";") "," THING("nmr",
                                                                                                                                                              OWNED
                                                                                                                                                              "session = \"gw-a/s3\";") ");\n";
#define INSTRUMENTS 3
static const char *const ids[INSTRUMENTS] = {"sem", "xrd", "nmr"};

static int64_t now_ms, mono_ms, tick_ms;

static int64_t wall(void)
{
    return now_ms;
}

static int64_t mono(void)
{
    return mono_ms += tick_ms;
}

static bool is_synchronised(void)
{
    return true;
}

static const struct clock test_clock = {.wall_ms = wall, .mono_ms = mono, .is_synchronised = is_synchronised};

struct source {
    const struct park_instrument *park;
    bool is_silent;  /* what it says waits */
    int64_t said_ms; /* the last that it said */
    int64_t level_mw;
    struct {
        int64_t time_ms, mw;
    } waiting[QUEUE];
    size_t waiting_count;
};

struct scene {
    struct fake_journal journal;
    struct db *db;
    struct park *park;
    struct timesheet sheet;
    struct source sources[INSTRUMENTS];
    int64_t water_ms;
    bool is_open[INSTRUMENTS];
    int uid;
};

static void must(enum status status, const struct error *err)
{
    if (status != ST_OK)
        fail_msg("%s", err->text);
}

static void run(struct scene *s, char *sql)
{
    struct error err = {""};
    must(db_exec(s->db, sql, &err), &err);
    free(sql);
}

/* ---- what is told ---- */

static void tell_power(struct scene *s, struct source *from)
{
    const struct park_instrument *n = from->park;
    struct error err = {""};
    struct told_instrument t;
    bool is_changed = false;
    const struct activity_limits limits = {
        n->off_mw, n->exit_mw, n->enter_mw, n->enter_ms, n->exit_ms, activity_gap_ms(n->power_period_ms)};
    must(told_take_up(s->db, n, &t, &is_changed, &err), &err);
    for (size_t i = 0; i < from->waiting_count && n->power_point != NULL; i++)
        must(told_power(s->db, &t, &limits, from->waiting[i].time_ms, now_ms, from->waiting[i].mw, &err),
            &err);
    if (n->session != NULL)
        must(told_heard(s->db, &t, now_ms - (int64_t)random_below(2000), now_ms, &err), &err);
    must(told_save(s->db, &t, &err), &err);
    from->waiting_count = 0;
}

static void live(struct source *from)
{
    static const int64_t levels[] = {0, 20000, 20000, 50000, 100000, 100000};
    while (from->said_ms < now_ms - 60000 && from->waiting_count < QUEUE) {
        if (random_below(40) == 0)
            from->level_mw = levels[random_below(6)];
        from->said_ms += 10000 + (int64_t)random_below(50000);
        from->waiting[from->waiting_count].time_ms = from->said_ms;
        from->waiting[from->waiting_count++].mw = from->level_mw;
    }
}

static void tell_session(struct scene *s, size_t i)
{
    struct error err = {""};
    struct told_instrument t;
    bool is_changed = false;
    enum told_news news;
    struct session_event e = {.is_open = !s->is_open[i], .class = (enum session_class)random_below(5)};
    snprintf(e.id, sizeof e.id, "e%d", ++s->uid);
    must(told_take_up(s->db, s->sources[i].park, &t, &is_changed, &err), &err);
    if (t.last.end == TOLD_OPEN && t.last.id != 0 && random_below(8) == 0) {
        t.max_session_ms = (int64_t)random_below(3600000);
        must(told_look(s->db, &t, now_ms, &is_changed, &err), &err);
        s->is_open[i] = t.last.end == TOLD_OPEN;
    } else {
        must(told_event(s->db, &t, &e, now_ms - (int64_t)random_below(1200000),
                 (enum hours_user)random_below(3), EVIDENCE_DECLARED, &news, &err),
            &err);
        s->is_open[i] = e.is_open;
    }
    must(told_save(s->db, &t, &err), &err);
}

static void tell_water(struct scene *s)
{
    struct error err = {""};
    struct told_resource r;
    bool is_changed = false;
    must(told_resource_take_up(s->db, "water", "gw-a/water", &r, &is_changed, &err), &err);
    int64_t time_ms = now_ms - (int64_t)random_below(random_below(4) == 0 ? 40000000 : 300000);
    const struct told_word word = {
        random_below(3) > 0, now_ms - time_ms <= 180000, time_ms, time_ms, EVIDENCE_MEASURED};
    must(told_resource_say(s->db, &r, &word, &err), &err);
}

static void book(struct scene *s)
{
    int64_t from_ms = now_ms + (int64_t)random_below(10 * 3600000) - 2 * HOUR_MS;
    run(s, mem_printf("INSERT INTO calendar_busy(calendar, from_ms, until_ms, uid) VALUES(1, %lld, %lld, %d)",
               (long long)from_ms, (long long)(from_ms + 600000 + (int64_t)random_below(3 * 3600000)),
               ++s->uid));
    if (random_below(3) == 0)
        run(s, mem_printf("DELETE FROM calendar_busy WHERE uid = %d", s->uid - (int)random_below(20)));
}

static void break_down(struct scene *s)
{
    static const struct {
        enum outage_target kind;
        const char *id;
    } targets[] = {{OUTAGE_INSTRUMENT, "sem"}, {OUTAGE_INSTRUMENT, "nmr"}, {OUTAGE_RESOURCE, "water"},
        {OUTAGE_SPACE, "lab"}};
    size_t which = random_below(4);
    struct outage before, after;
    struct error err = {""};
    int64_t from_ms = now_ms - (int64_t)random_below(5 * 3600000);
    struct outage_request request = {.act = OUTAGE_OPEN,
        .kind = random_below(2) ? OUTAGE_BROKEN : OUTAGE_PLANNED,
        .target_kind = targets[which].kind,
        .target = targets[which].id,
        .has_from = true,
        .from_ms = from_ms,
        .category = outage_category_find("repair"),
        .note = "x",
        .who = "x"};
    request.has_until = request.kind == OUTAGE_PLANNED;
    request.until_ms = now_ms + 1 + (int64_t)random_below(5400000);
    if (outage_do(s->db, s->park, &request, now_ms, &before, &after, &err) != ST_OK)
        return; /* refused: another stands */
    struct outage_request end = {.act = random_below(4) == 0 ? OUTAGE_CANCEL : OUTAGE_CLOSE,
        .id = after.id,
        .has_until = true,
        .until_ms = from_ms + 1 + (int64_t)random_below((size_t)(now_ms - from_ms) + 1),
        .note = "x",
        .who = "x"};
    outage_release(&before);
    outage_release(&after);
    if (request.kind == OUTAGE_BROKEN &&
        outage_do(s->db, s->park, &end, now_ms, &before, &after, &err) == ST_OK) {
        outage_release(&before);
        outage_release(&after);
    }
}

static void happen(struct scene *s)
{
    now_ms += random_below(30) == 0 ? (int64_t)random_below(5 * 3600000) : (int64_t)random_below(400000);
    for (size_t i = 0; i < INSTRUMENTS; i++) {
        struct source *from = &s->sources[i];
        live(from);
        if (random_below(25) == 0)
            from->is_silent = !from->is_silent;
        if (!from->is_silent)
            tell_power(s, from);
        if (random_below(12) == 0 && i != 1)
            tell_session(s, i);
    }
    if (random_below(30) == 0)
        tell_water(s);
    if (random_below(10) == 0)
        book(s);
    if (random_below(60) == 0)
        break_down(s);
}

/* ---- the collector ---- */

static void start(struct scene *s)
{
    timesheet_release(&s->sheet);
    timesheet_init(&s->sheet, s->db, s->park);
}

static void step(struct scene *s, bool fails)
{
    struct error err = {""};
    bool is_changed = false;
    tick_ms = random_below(2) ? 0 : 6;
    must(db_begin(s->db, &err), &err);
    must(timesheet_step(&s->sheet, &test_clock, &is_changed, &err), &err);
    if (fails) {
        db_rollback(s->db);
        timesheet_reset(&s->sheet);
        return;
    }
    must(db_commit(s->db, &err), &err);
}

static void finish(struct scene *s)
{
    for (int i = 0; i < 20; i++) {
        mono_ms += TIMESHEET_REST_MS;
        for (int k = 0; k < 2000 && mono_ms >= s->sheet.due_mono_ms; k++)
            step(s, false);
    }
    assert_null(s->sheet.job.instrument);
}

/* ---- what must be there ---- */

static int64_t ms_of(const char *line, const char *part)
{
    char key[40];
    snprintf(key, sizeof key, "%s_s=", part);
    const char *at = line;
    while ((at = strstr(at, key)) != NULL && at[-1] != ',' && at[-1] != ' ')
        at++;
    if (at == NULL)
        fail_msg("no %s in %s", part, line);
    double seconds = strtod(at + strlen(key), NULL);
    return (int64_t)(seconds * 1000 + 0.5);
}

static void check_line(struct scene *s, const char *id, int64_t time_ms, const int64_t *part_ms)
{
    struct db_stmt *find = db_keep(s->db, "SELECT line FROM outbox WHERE series = ?1 AND time_ms = ?2");
    char series[64];
    bool has_row;
    struct error err = {""};
    int64_t sum_ms = 0;
    snprintf(series, sizeof series, "instrument,instrument=%s", id);
    db_bind_text(find, 1, span_of(series));
    db_bind_int(find, 2, time_ms);
    must(db_step(find, &has_row, &err), &err);
    if (!has_row)
        fail_msg("%s: the quarter hour of %lld is missing", id, (long long)time_ms);
    struct span text = db_text(find, 0);
    char *line = mem_strndup(text.at, text.len);
    for (int part = 0; part < HOURS_PARTS; part++) {
        int64_t found_ms = ms_of(line, hours_parts[part]);
        sum_ms += found_ms;
        if (found_ms != part_ms[part])
            fail_msg("%s, %lld (%lld min before now): %s is %lld ms, expected %lld\n%s", id,
                (long long)time_ms, (long long)((now_ms - time_ms) / 60000), hours_parts[part],
                (long long)found_ms, (long long)part_ms[part], line);
    }
    assert_true(sum_ms == QUARTER_MS);
    free(line);
    db_reset(find);
}

static int64_t number(struct scene *s, const char *sql, const char *id)
{
    struct db_stmt *find = db_prepare(s->db, sql);
    bool has_row;
    struct error err = {""};
    db_bind_text(find, 1, span_of(id));
    must(db_step(find, &has_row, &err), &err);
    assert_true(has_row);
    int64_t value = db_int(find, 0);
    db_finish(find);
    return value;
}

/* Quarter hours of which anything is known, by a division of its own of the whole time. */
static size_t check(struct scene *s, size_t i, int64_t *seen_ms)
{
    struct error err = {""};
    struct hours_book known;
    struct hours divided;
    struct zone *zone = zone_create("Europe/Berlin");
    int64_t from_ms =
        periods_quarter_hour(number(s, "SELECT begun_ms FROM timesheet WHERE instrument = ?1", ids[i]));
    int64_t until_ms = number(s, "SELECT written_ms FROM timesheet WHERE instrument = ?1", ids[i]);
    assert_true(now_ms - until_ms < QUARTER_MS);
    must(hours_facts_read(s->db, s->sources[i].park, zone, from_ms, until_ms, now_ms, &known, &err), &err);
    hours_divide(&known.facts, &divided);
    size_t row = 0, count = 0;
    for (int64_t at_ms = from_ms; at_ms < until_ms; at_ms += QUARTER_MS, count++) {
        int64_t part_ms[HOURS_PARTS] = {0};
        for (size_t k = row; k < divided.count && divided.rows[k].from_ms < at_ms + QUARTER_MS; k++) {
            const struct hours_row *r = &divided.rows[k];
            int64_t a = r->from_ms > at_ms ? r->from_ms : at_ms;
            int64_t b = r->until_ms < at_ms + QUARTER_MS ? r->until_ms : at_ms + QUARTER_MS;
            part_ms[r->part] += b > a ? b - a : 0;
            row = k;
        }
        for (int part = 0; part < HOURS_PARTS; part++)
            seen_ms[part] += part_ms[part];
        check_line(s, ids[i], at_ms, part_ms);
    }
    hours_release(&divided);
    hours_book_release(&known);
    zone_destroy(zone);
    return count;
}

static int64_t all_seen_ms[HOURS_PARTS];

static void history(uint64_t seed)
{
    static struct scene s;
    struct error err = {""};
    memset(&s, 0, sizeof s);
    random_state = seed * UINT64_C(0x9E3779B97F4A7C15) | 1;
    now_ms = BEGIN_MS + (int64_t)random_below(10000000);
    mono_ms = 1000;
    fake_journal_open(&s.journal);
    s.db = s.journal.db;
    run(&s, mem_strdup("PRAGMA synchronous = OFF"));
    run(&s, mem_strdup("INSERT INTO calendar VALUES(1, 'cal', 0, 9000000000000000, 1, 0, 0, 0, 1, '', x'', 0)"));
    s.park = fake_park_of(&s.journal, model);
    for (size_t i = 0; i < INSTRUMENTS; i++) {
        s.sources[i].park = park_instrument_find(s.park, ids[i]);
        assert_non_null(s.sources[i].park);
        s.sources[i].said_ms = now_ms - (int64_t)random_below(8 * 3600000); /* a history that arrives late */
    }
    start(&s);
    for (int n = 0; n < 700; n++) {
        must(db_begin(s.db, &err), &err);
        happen(&s);
        must(db_commit(s.db, &err), &err);
        mono_ms += (int64_t)random_below(3000);
        step(&s, random_below(6) == 0);
        if (random_below(50) == 0)
            start(&s);
    }
    /* All that waits arrives, then nothing more is heard. */
    must(db_begin(s.db, &err), &err);
    for (size_t i = 0; i < INSTRUMENTS; i++)
        tell_power(&s, &s.sources[i]);
    must(db_commit(s.db, &err), &err);
    finish(&s);
    now_ms = periods_quarter_hour(now_ms + 3 * HOUR_MS) + (int64_t)random_below(800000);
    finish(&s);
    for (size_t i = 0; i < INSTRUMENTS; i++)
        assert_true(check(&s, i, all_seen_ms) > 50);
    assert_int_equal(number(&s, "SELECT count(*) FROM timesheet_due WHERE target <> ?1", ""), 0);
    timesheet_release(&s.sheet);
    park_destroy(s.park);
    fake_journal_close(&s.journal);
}

static void test_what_is_written_last_is_what_all_that_is_known_says(void **state)
{
    (void)state;
    random_histories(history, 6);
    for (int part = 0; part < HOURS_PARTS; part++)
        if (all_seen_ms[part] == 0 && getenv("PARKMON_SEED") == NULL)
            fail_msg("no time was %s", hours_parts[part]);
}

/* A scene without chance: one quarter hour after another is written, nothing is told. */
static void open_quiet(struct scene *s, const char *park)
{
    *s = (struct scene){0};
    now_ms = BEGIN_MS;
    mono_ms = 1000;
    fake_journal_open(&s->journal);
    s->db = s->journal.db;
    s->park = fake_park_of(&s->journal, park);
    start(s);
}

static void close_quiet(struct scene *s)
{
    timesheet_release(&s->sheet);
    park_destroy(s->park);
    fake_journal_close(&s->journal);
}

/* What was written is known, whatever the clock says since, with the whole of a session that it lies in; also after a restart. */
static void test_what_is_due_is_written_though_the_clock_was_set_back(void **state)
{
    (void)state;
    static struct scene s;
    struct error err = {""};
    struct told_instrument t;
    struct session_event opened = {.is_open = true, .id = "e1"}, closed = {.id = "e2"};
    enum told_news news;
    bool is_changed = false;
    open_quiet(&s, model);
    step(&s, false); /* takes the instruments up */
    now_ms = BEGIN_MS + 6 * HOUR_MS;
    must(told_take_up(s.db, park_instrument_find(s.park, "nmr"), &t, &is_changed, &err), &err);
    must(told_event(
             s.db, &t, &opened, BEGIN_MS + HOUR_MS, HOURS_USER_INTERNAL, EVIDENCE_DECLARED, &news, &err),
        &err);
    finish(&s);
    assert_int_equal(number(&s, "SELECT count(*) FROM timesheet_due WHERE target = ?1", "nmr"), 0);
    must(told_event(
             s.db, &t, &closed, BEGIN_MS + 5 * HOUR_MS, HOURS_USER_INTERNAL, EVIDENCE_DECLARED, &news, &err),
        &err);
    assert_int_equal(number(&s, "SELECT count(*) FROM timesheet_due WHERE target = ?1", "nmr"), 1);
    finish(&s);
    assert_true(number(&s, "SELECT written_ms FROM timesheet WHERE instrument = ?1", "nmr") == now_ms);
    run(&s,
        mem_printf("INSERT INTO timesheet_due(kind, target, from_ms, until_ms) VALUES(0, 'nmr', %lld, %lld)",
            (long long)BEGIN_MS + HOUR_MS, (long long)BEGIN_MS + HOUR_MS + 1));
    now_ms = BEGIN_MS + 3 * HOUR_MS;
    start(&s);
    finish(&s);
    assert_int_equal(number(&s, "SELECT count(*) FROM timesheet_due WHERE target = ?1", "nmr"), 0);
    assert_true(number(&s, "SELECT written_ms FROM timesheet WHERE instrument = ?1", "nmr") ==
                BEGIN_MS + 6 * HOUR_MS);
    close_quiet(&s);
}

/* Each event of a backlog has hours that are due; those that touch are worked out once. The other's, and what does not touch, are
 * left alone. */
static void test_what_is_due_and_touches_is_one(void **state)
{
    (void)state;
    static struct scene s;
    struct error err = {""};
    bool is_changed = false;
    open_quiet(&s, model);
    step(&s, false);
    now_ms = BEGIN_MS + 48 * HOUR_MS;
    finish(&s);
    for (int i = 0; i < 41; i++)
        run(&s,
            mem_printf("INSERT INTO timesheet_due(kind, target, from_ms, until_ms) VALUES(0, '%s', %lld, %lld)",
                i % 2 == 0 ? "nmr" : "sem", (long long)BEGIN_MS + (i < 40 ? i * HOUR_MS / 8 : 46 * HOUR_MS),
                (long long)BEGIN_MS + (i < 40 ? (i + 3) * HOUR_MS : 47 * HOUR_MS)));
    mono_ms += TIMESHEET_REST_MS;
    tick_ms = 20; /* one piece of work */
    must(db_begin(s.db, &err), &err);
    must(timesheet_step(&s.sheet, &test_clock, &is_changed, &err), &err);
    must(db_commit(s.db, &err), &err);
    assert_true(is_changed);
    assert_int_equal(number(&s, "SELECT count(*) FROM timesheet_due WHERE target = ?1 AND from_ms > 0", "sem"), 20);
    char *rest = mem_printf("SELECT count(*) FROM timesheet_due WHERE target = ?1 AND from_ms >= %lld",
        (long long)BEGIN_MS + 45 * HOUR_MS);
    assert_int_equal(number(&s, rest, "nmr"), 1);
    free(rest);
    assert_in_range(number(&s, "SELECT count(*) FROM timesheet_due WHERE target = ?1", "nmr"), 1, 2);
    finish(&s);
    assert_int_equal(number(&s, "SELECT count(*) FROM timesheet_due WHERE target <> ?1", ""), 0);
    close_quiet(&s);
}

/* What is due is taken, and concerns nobody: it does not wait for a park that may never come. */
static void test_a_park_without_instruments_keeps_nothing_that_is_due(void **state)
{
    (void)state;
    static const char bare[] =
        "sites = ({ id = \"s\"; name = \"x\"; name_en = \"x\"; zone = \"UTC\"; });\n"
        "gateways = ({ id = \"gw-a\"; site = \"s\"; name = \"x\"; name_en = \"x\"; });\n"
        "buildings = ({ id = \"b\"; site = \"s\"; name = \"x\"; name_en = \"x\"; });\n"
        "spaces = ({ id = \"lab\"; building = \"b\"; name = \"x\"; name_en = \"x\"; });\n"
        "resources = ({ id = \"water\"; building = \"b\"; name = \"x\"; name_en = \"x\"; kind = \"water\";"
        " point = \"gw-a/w\"; up = (\"1\"); down = (\"0\"); });\n";
    static struct scene s;
    open_quiet(&s, bare);
    for (int i = 0; i < 40; i++) {
        now_ms += HOUR_MS;
        tell_water(&s);
        break_down(&s);
        mono_ms += TIMESHEET_REST_MS;
        step(&s, i % 4 == 0);
    }
    finish(&s);
    assert_true(number(&s, "SELECT count(*) FROM outage WHERE target <> ?1", "") > 0);
    assert_true(number(&s, "SELECT count(*) FROM resource_down WHERE evidence <> ?1", "") > 0);
    assert_int_equal(number(&s, "SELECT count(*) FROM outage_touched WHERE target <> ?1", ""), 0);
    assert_int_equal(number(&s, "SELECT count(*) FROM timesheet_due WHERE target <> ?1", ""), 0);
    assert_int_equal(timesheet_due_mono_ms(&s.sheet), INT64_MAX);
    close_quiet(&s);
}

/* ---- a calendar alone ---- */

static const char calendar_alone[] =
    "sites = (" THING("s", "zone = \"Europe/Berlin\";") ");\n"
    "buildings = (" THING("b", "site = \"s\";") ");\n"
    "categories = (" THING("c", "") ");\n"
    "calendars = (" THING("cal", "site = \"s\"; file = \"/none.ics\";") ");\n"
    "instruments = (" THING("nmr", OWNED "calendar = \"cal\";") ");\n";

/* Booked for the second hour of ten that are written. */
static void open_booked(struct scene *s)
{
    run(s,
        mem_strdup("INSERT INTO calendar VALUES(1, 'cal', 0, 9000000000000000, 1, 0, 0, 0, 1, '', x'', 0)"));
    run(s, mem_printf("INSERT INTO calendar_busy(calendar, from_ms, until_ms, uid) VALUES(1, %lld, %lld, 1)",
               (long long)(BEGIN_MS + HOUR_MS), (long long)(BEGIN_MS + 2 * HOUR_MS)));
    s->sources[2].park = park_instrument_find(s->park, "nmr");
    step(s, false);
    now_ms = BEGIN_MS + 10 * HOUR_MS;
    finish(s);
}

/* How many scripts make the database of the program before that one. */
static int formats_before(const char *script)
{
    int count = 0;
    while (count < collector_schema.count && collector_schema.scripts[count] != script)
        count++;
    return count;
}

/* A database as the program before left it: rows of an instrument with a calendar alone said that nobody used what was booked. */
static void test_what_an_earlier_program_wrote_of_a_calendar_alone_is_written_again(void **state)
{
    (void)state;
    static struct scene s;
    struct error err = {""};
    struct db_schema before = {collector_schema.scripts, formats_before(timesheet_again_schema)};
    struct fake_journal *f = &s.journal;
    int64_t seen_ms[HOURS_PARTS] = {0};
    s = (struct scene){.journal = {.folder = "/tmp/parkmon-test-store-XXXXXX"}};
    now_ms = BEGIN_MS;
    mono_ms = 1000;
    assert_non_null(mkdtemp(f->folder));
    snprintf(f->path, sizeof f->path, "%.47s/db", f->folder);
    must(db_open(f->path, &before, &f->db, &err), &err);
    s.db = f->db;
    s.park = fake_park_of(f, calendar_alone);
    start(&s);
    open_booked(&s);
    run(&s,
        mem_strdup("UPDATE outbox SET line = replace(replace(replace(line, 'reserved_s=0', 'reserved_s=X'),"
                   " 'unknown_s=900', 'unknown_s=0'), 'reserved_s=X', 'reserved_s=900') WHERE line LIKE"
                   " '%unknown_s=900%'"));
    assert_int_equal(number(&s, "SELECT count(*) FROM outbox WHERE line LIKE ?1", "%reserved_s=900%"), 4);
    timesheet_release(&s.sheet);
    db_close(f->db);
    must(db_open(f->path, &collector_schema, &f->db, &err), &err);
    s.db = f->db;
    start(&s);
    finish(&s);
    assert_int_equal(check(&s, 2, seen_ms), 40);
    assert_true(seen_ms[HOURS_UNKNOWN] == HOUR_MS);
    assert_int_equal(number(&s, "SELECT count(*) FROM outbox WHERE line LIKE ?1", "%reserved_s=900%"), 0);
    close_quiet(&s);
}

/* From a session on that a person tells, also of hours ago, it is known that nobody used what was booked. */
static void test_what_people_tell_of_use_is_written_as_of_then(void **state)
{
    (void)state;
    static struct scene s;
    struct error err = {""};
    struct told_instrument t;
    struct session_event opened = {.is_open = true, .id = "e1"}, closed = {.id = "e2"};
    enum told_news news;
    bool is_changed = false;
    int64_t seen_ms[HOURS_PARTS] = {0};
    open_quiet(&s, calendar_alone);
    open_booked(&s);
    assert_int_equal(check(&s, 2, seen_ms), 40);
    assert_true(seen_ms[HOURS_UNKNOWN] == HOUR_MS && seen_ms[HOURS_NO_SHOW] == 0);
    must(told_take_up(s.db, s.sources[2].park, &t, &is_changed, &err), &err);
    must(told_event(s.db, &t, &opened, BEGIN_MS, HOURS_USER_INTERNAL, EVIDENCE_MANUAL, &news, &err), &err);
    must(told_event(
             s.db, &t, &closed, BEGIN_MS + HOUR_MS / 2, HOURS_USER_INTERNAL, EVIDENCE_MANUAL, &news, &err),
        &err);
    finish(&s);
    assert_int_equal(check(&s, 2, seen_ms), 40);
    assert_true(seen_ms[HOURS_UNKNOWN] == HOUR_MS && seen_ms[HOURS_NO_SHOW] == HOUR_MS);
    close_quiet(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_written_last_is_what_all_that_is_known_says),
        cmocka_unit_test(test_what_is_due_is_written_though_the_clock_was_set_back),
        cmocka_unit_test(test_what_is_due_and_touches_is_one),
        cmocka_unit_test(test_a_park_without_instruments_keeps_nothing_that_is_due),
        cmocka_unit_test(test_what_an_earlier_program_wrote_of_a_calendar_alone_is_written_again),
        cmocka_unit_test(test_what_people_tell_of_use_is_written_as_of_then),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
