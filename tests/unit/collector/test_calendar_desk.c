/* What is known of calendars, in the tables and in memory: the same, whatever fails meanwhile. */
#include "collector/calendars/calendar_desk.h"
#include "tests/unit/collector/fake_journal.h"
#include "tests/unit/random.h"

#define MINUTE INT64_C(60000)
#define HOUR (60 * MINUTE)
#define NOW INT64_C(1790000040000)
#define HEAD "sites = ({ id = \"s\"; name = \"x\"; name_en = \"x\"; zone = \"UTC\"; });\n"
#define CALENDAR(id)                                                                                     \
    "{ id = \"" id "\"; name = \"x\"; name_en = \"x\"; site = \"s\"; file = \"/tmp/none.ics\"; every = " \
    "300; }"
#define MOVED(id)                                                                                         \
    "{ id = \"" id "\"; name = \"x\"; name_en = \"x\"; site = \"s\"; file = \"/tmp/other.ics\"; every = " \
    "300; }"
static const char moved_a[] = HEAD "calendars = (" MOVED("a") ");\n";
static const char only_a[] = HEAD "calendars = (" CALENDAR("a") ");\n",
                  both[] = HEAD "calendars = (" CALENDAR("b") ", " CALENDAR("a") ");\n", none[] = HEAD;

static int64_t wall_ms;
static int64_t wall(void)
{
    return wall_ms;
}
static int64_t mono(void)
{
    return 1000;
}
static const struct clock standing = {.wall_ms = wall, .mono_ms = mono};

struct scene {
    struct fake_journal files;
    struct park *park;
    struct calendar_desk desk;
};

static void must(enum status status, const struct error *err)
{
    if (status != ST_OK)
        fail_msg("%s", err->text);
}

static void scene_open(struct scene *s, const char *park)
{
    struct error err;
    *s = (struct scene){0};
    wall_ms = NOW;
    fake_journal_open(&s->files);
    must(db_exec(s->files.db, "PRAGMA synchronous = OFF", &err), &err); /* no power is lost here */
    s->park = fake_park_of(&s->files, park);
    calendar_desk_init(&s->desk, s->files.db, &standing, s->park);
    must(calendar_desk_reset(&s->desk, &err), &err);
}

static void scene_close(struct scene *s)
{
    calendar_desk_release(&s->desk);
    park_destroy(s->park);
    fake_journal_close(&s->files);
}

static void use(struct scene *s, const char *park)
{
    struct park *before = s->park;
    s->park = fake_park_of(&s->files, park);
    calendar_desk_use(&s->desk, s->park);
    park_destroy(before);
}

static void restart(struct scene *s)
{
    struct error err;
    calendar_desk_release(&s->desk);
    calendar_desk_init(&s->desk, s->files.db, &standing, s->park);
    must(calendar_desk_reset(&s->desk, &err), &err);
}

/* ---- what fetchers hand over ---- */

static void note(struct scene *s, const char *id, struct calendar_result result)
{
    struct calendar_note *n = &s->desk.notes[s->desk.note_count++];
    n->result = result;
    n->result.tried_ms = wall_ms;
    n->is_of_another = false;
    snprintf(n->id, sizeof n->id, "%s", id);
}

static struct calendar_result reading_at(int64_t read_ms)
{
    struct ical_reading r = {
        .horizon = {read_ms - CALENDAR_BACK_MS, read_ms + CALENDAR_AHEAD_MS}, .is_whole = true};
    return (struct calendar_result){.has_reading = true, .read_ms = read_ms, .reading = r};
}

static void book(struct calendar_result *result, uint64_t uid, int64_t begin_ms, int64_t end_ms)
{
    struct ical_reading *r = &result->reading;
    MEM_GROW(r->bookings, r->booking_count, r->booking_capacity);
    r->bookings[r->booking_count++] = (struct ical_booking){.span = {begin_ms, end_ms}, .uid = uid};
    r->event_count++;
    busy_list_add(&r->busy, begin_ms, end_ms, r->horizon);
}

static void give(struct scene *s, const char *id, struct calendar_result result)
{
    busy_list_merge(&result.reading.busy);
    note(s, id, result);
}

static void step(struct scene *s, bool commits)
{
    struct error err;
    bool is_changed = false;
    must(db_begin(s->files.db, &err), &err);
    must(calendar_desk_step(&s->desk, &is_changed, &err), &err);
    if (commits) {
        must(db_commit(s->files.db, &err), &err);
        calendar_desk_committed(&s->desk);
    } else {
        db_rollback(s->files.db);
        must(calendar_desk_reset(&s->desk, &err), &err);
    }
}

/* ---- what is there ---- */

static struct booking_list listed(struct scene *s, const char *id, int64_t from_ms, int64_t until_ms)
{
    struct booking_list list;
    struct error err;
    must(booking_list(s->files.db, id, from_ms, until_ms, &list, &err), &err);
    return list;
}

/* In minutes from NOW on: "begin-end:uid ...". */
static void assert_list(struct scene *s, const char *id, const char *expected)
{
    struct booking_list list = listed(s, id, NOW - 10000 * HOUR, NOW + 10000 * HOUR);
    struct buf text = {0};
    for (size_t i = 0; i < list.count; i++)
        buf_printf(&text, "%s%lld-%lld:%llu", i > 0 ? " " : "",
            (long long)((list.items[i].span.begin_ms - NOW) / MINUTE),
            (long long)((list.items[i].span.end_ms - NOW) / MINUTE), (unsigned long long)list.items[i].uid);
    buf_add_char(&text, '\0');
    assert_string_equal(text.data, expected);
    buf_release(&text);
    booking_list_release(&list);
}

static void assert_quality(const struct scene *s, const char *id, enum availability_quality expected)
{
    const struct bookings *b = calendar_desk_find(&s->desk, id);
    assert_non_null(b);
    assert_int_equal(bookings_quality(b, 300000, wall_ms), expected);
}

/* In minutes from NOW on: "begin-end ...". */
static void assert_known(struct scene *s, const char *id, const char *expected)
{
    struct busy_list known;
    struct error err;
    struct buf text = {0};
    must(booking_known(
             s->files.db, id, 300000, (struct busy){NOW - 100000 * HOUR, NOW + 100000 * HOUR}, &known, &err),
        &err);
    for (size_t i = 0; i < known.count; i++)
        buf_printf(&text, "%s%lld-%lld", i > 0 ? " " : "",
            (long long)((known.items[i].begin_ms - NOW) / MINUTE),
            (long long)((known.items[i].end_ms - NOW) / MINUTE));
    buf_add_char(&text, '\0');
    assert_string_equal(text.data, expected);
    buf_release(&text);
    /* One row each, so that the table does not grow with each reading. */
    struct db_stmt *rows = db_prepare(s->files.db,
        "SELECT count(*) FROM calendar_known k JOIN calendar c ON c.id = k.calendar WHERE c.name = ?1");
    bool has_row;
    db_bind_text(rows, 1, span_of(id));
    must(db_step(rows, &has_row, &err), &err);
    assert_int_equal(db_int(rows, 0), known.count);
    db_finish(rows);
    busy_list_release(&known);
}

/* ---- tests ---- */

static void test_what_is_over_stays_as_it_was_known_then(void **state)
{
    (void)state;
    struct scene s;
    scene_open(&s, only_a);
    struct calendar_result r = reading_at(wall_ms); /* the first one tells of the past, too */
    book(&r, 1, NOW - 60 * MINUTE, NOW - 30 * MINUTE);
    book(&r, 2, NOW + 10 * MINUTE, NOW + 60 * MINUTE);
    book(&r, 3, NOW + 15 * MINUTE, NOW + 45 * MINUTE);
    book(&r, 4, NOW + 60 * MINUTE, NOW + 90 * MINUTE);
    give(&s, "a", r);
    step(&s, true);
    assert_list(&s, "a", "-60--30:1 10-60:2 15-45:3 60-90:4");
    wall_ms = NOW + 20 * MINUTE;
    note(&s, "a", (struct calendar_result){.same_ms = wall_ms});
    step(&s, true);
    wall_ms = NOW + 25 * MINUTE;
    r = reading_at(
        wall_ms); /* the first was taken out, 2 is longer, 3 was taken out, 5 was entered late, 4 was moved */
    book(&r, 2, NOW + 10 * MINUTE, NOW + 70 * MINUTE);
    book(&r, 5, NOW + 5 * MINUTE, NOW + 80 * MINUTE);
    book(&r, 4, NOW + 75 * MINUTE, NOW + 90 * MINUTE);
    give(&s, "a", r);
    step(&s, true);
    assert_list(&s, "a", "-60--30:1 10-70:2 15-20:3 20-80:5 75-90:4");
    restart(&s);
    const struct bookings *b = calendar_desk_find(&s.desk, "a");
    assert_int_equal(b->known_ms, NOW + 25 * MINUTE);
    assert_true(busy_list_has(&b->busy, NOW + 89 * MINUTE) && !busy_list_has(&b->busy, NOW + 90 * MINUTE));
    scene_close(&s);
}

static void test_a_list_has_whole_bookings_that_touch_the_span(void **state)
{
    (void)state;
    struct scene s;
    scene_open(&s, only_a);
    struct calendar_result r = reading_at(wall_ms);
    for (int i = 0; i < 10; i++) /* back to back */
        book(&r, (uint64_t)i + 1, NOW + i * HOUR, NOW + (i + 1) * HOUR);
    give(&s, "a", r);
    step(&s, true);
    struct booking_list list = listed(&s, "a", NOW + 2 * HOUR, NOW + 4 * HOUR + 1);
    assert_int_equal(list.count, 3);
    assert_int_equal(list.items[0].uid, 3);
    assert_int_equal(list.items[2].span.end_ms, NOW + 5 * HOUR);
    booking_list_release(&list);
    assert_int_equal(calendar_desk_find(&s.desk, "a")->busy.count, 1);
    list = listed(&s, "nobody", NOW, NOW + HOUR);
    assert_int_equal(list.count, 0);
    scene_close(&s);
}

static void test_what_is_known_survives_a_restart_as_old_as_it_is(void **state)
{
    (void)state;
    struct scene s;
    scene_open(&s, only_a);
    assert_quality(&s, "a", SOURCE_NEVER_SEEN);
    struct calendar_result r = reading_at(wall_ms);
    book(&r, 1, NOW + 10 * MINUTE, NOW + 60 * MINUTE);
    give(&s, "a", r);
    step(&s, true);
    wall_ms = NOW + 2 * HOUR;
    restart(&s);
    assert_quality(&s, "a", SOURCE_STALE);
    assert_true(busy_list_has(&calendar_desk_find(&s.desk, "a")->busy, NOW + 30 * MINUTE));
    struct calendar_result failed = {.tried_ms = wall_ms, .problem = "calendar a: nobody answers"};
    note(&s, "a", failed);
    step(&s, true);
    restart(&s);
    assert_quality(&s, "a", SOURCE_STALE);
    assert_string_equal(s.desk.items[0].state.problem, "calendar a: nobody answers");
    assert_int_equal(s.desk.items[0].state.tried_ms, wall_ms);
    r = reading_at(wall_ms);
    book(&r, 1, NOW + 10 * MINUTE, NOW + 60 * MINUTE);
    give(&s, "a", r);
    step(&s, true);
    restart(&s);
    assert_quality(&s, "a", SOURCE_GOOD);
    assert_string_equal(s.desk.items[0].state.problem, "");
    scene_close(&s);
}

static void test_another_source_is_never_seen_and_what_the_former_said_stays_busy(void **state)
{
    (void)state;
    struct scene s;
    scene_open(&s, only_a);
    struct calendar_result r = reading_at(wall_ms);
    book(&r, 1, NOW - 60 * MINUTE, NOW - 30 * MINUTE);
    book(&r, 2, NOW + 10 * MINUTE, NOW + 60 * MINUTE);
    give(&s, "a", r);
    step(&s, true);
    use(&s, only_a);
    step(&s, true);
    assert_quality(&s, "a", SOURCE_GOOD);
    r = reading_at(wall_ms); /* taken of the former, and not in a transaction yet */
    book(&r, 3, NOW + 10 * MINUTE, NOW + 20 * MINUTE);
    give(&s, "a", r);
    use(&s, moved_a);
    wall_ms += MINUTE;
    step(&s, false);
    step(&s, true);
    note(&s, "a", (struct calendar_result){.problem = "gone", .same_ms = wall_ms});
    step(&s, true);
    for (int i = 0; i < 2; i++) {
        struct booking_state row;
        struct bookings b;
        struct error err;
        assert_quality(&s, "a", SOURCE_NEVER_SEEN);
        assert_true(busy_list_has(&calendar_desk_find(&s.desk, "a")->busy, NOW + 30 * MINUTE));
        assert_list(&s, "a", "-60--30:1 10-60:2");
        must(booking_rows_state(s.files.db, "a", &row, &b, &err), &err);
        assert_int_equal(bookings_quality(&b, 300000, wall_ms), SOURCE_NEVER_SEEN);
        restart(&s);
    }
    r = reading_at(wall_ms);
    book(&r, 4, NOW + 70 * MINUTE, NOW + 80 * MINUTE);
    give(&s, "a", r);
    step(&s, true);
    assert_quality(&s, "a", SOURCE_GOOD);
    assert_list(&s, "a", "-60--30:1 70-80:4"); /* what was over stays as it was known */
    restart(&s);
    assert_quality(&s, "a", SOURCE_GOOD);
    scene_close(&s);
}

/* A horizon reaches 35 days back: 50400 minutes. The last reading is as good as known for 3 periods of 5 minutes. */
static void test_bookings_are_known_from_the_first_horizon_on_but_for_what_nobody_read(void **state)
{
    (void)state;
    struct scene s;
    scene_open(&s, only_a);
    assert_known(&s, "a", "");
    give(&s, "a", reading_at(wall_ms));
    step(&s, false);
    assert_known(&s, "a", "");
    give(&s, "a", reading_at(wall_ms));
    step(&s, true);
    assert_known(&s, "a", "-50400-15");
    wall_ms = NOW + 20 * MINUTE; /* as it was */
    note(&s, "a", (struct calendar_result){.same_ms = wall_ms});
    step(&s, true);
    assert_known(&s, "a", "-50400-35");
    wall_ms = NOW + 60 * MINUTE; /* nobody answers */
    note(&s, "a", (struct calendar_result){.problem = "gone"});
    step(&s, true);
    assert_known(&s, "a", "-50400-35");
    wall_ms = NOW + 20 * 1440 * MINUTE; /* 20 days later: the horizon reaches back to what is known */
    give(&s, "a", reading_at(wall_ms));
    step(&s, true);
    restart(&s);
    assert_known(&s, "a", "-50400-28815");
    wall_ms = NOW + 60 * 1440 * MINUTE; /* 40 more: 5 days nobody knows */
    give(&s, "a", reading_at(wall_ms));
    step(&s, true);
    assert_known(&s, "a", "-50400-28800 36000-86415");
    wall_ms += 60 * MINUTE; /* one that is broken off says nothing of what it has not */
    struct calendar_result r = reading_at(wall_ms);
    r.reading.is_whole = false;
    give(&s, "a", r);
    step(&s, true);
    assert_known(&s, "a", "-50400-28800 36000-86400");
    scene_close(&s);
}

static void test_calendars_come_and_go_with_the_model(void **state)
{
    (void)state;
    struct scene s;
    scene_open(&s, only_a);
    struct calendar_result r = reading_at(wall_ms);
    book(&r, 1, NOW + 10 * MINUTE, NOW + 60 * MINUTE);
    give(&s, "a", r);
    step(&s, true);
    use(&s, both);
    assert_null(calendar_desk_find(&s.desk, "a")); /* until the next step */
    step(&s, true);
    assert_quality(&s, "a", SOURCE_GOOD);
    assert_quality(&s, "b", SOURCE_NEVER_SEEN);
    use(&s, none);
    r = reading_at(wall_ms); /* of a fetcher that had it still */
    give(&s, "a", r);
    step(&s, true);
    assert_null(calendar_desk_find(&s.desk, "a"));
    assert_int_equal(s.desk.note_count, 0);
    assert_list(&s, "a", "10-60:1");
    use(&s, only_a);
    step(&s, true);
    assert_quality(&s, "a", SOURCE_GOOD);
    scene_close(&s);
}

static void test_a_result_is_kept_until_it_is_committed(void **state)
{
    (void)state;
    struct scene s;
    scene_open(&s, only_a);
    struct calendar_result r = reading_at(wall_ms);
    book(&r, 1, NOW + 10 * MINUTE, NOW + 60 * MINUTE);
    give(&s, "a", r);
    for (int i = 0; i < 3; i++) {
        step(&s, false);
        assert_quality(&s, "a", SOURCE_NEVER_SEEN);
        assert_list(&s, "a", "");
    }
    step(&s, true);
    assert_quality(&s, "a", SOURCE_GOOD);
    assert_list(&s, "a", "10-60:1");
    assert_int_equal(s.desk.note_count, 0);
    scene_close(&s);
}

/* Nobody can tell them apart, and a calendar that is made up must not fill the database. */
static void test_too_many_bookings_at_once_are_one(void **state)
{
    (void)state;
    struct scene s;
    scene_open(&s, only_a);
    struct calendar_result r = reading_at(wall_ms);
    for (int i = 0; i < BOOKINGS_AT_ONCE; i++)
        book(&r, (uint64_t)i + 1, NOW + i * MINUTE, NOW + (100 + i) * MINUTE);
    book(&r, 99, NOW + 100 * MINUTE, NOW + 200 * MINUTE);
    give(&s, "a", r);
    step(&s, true);
    struct booking_list list = listed(&s, "a", NOW, NOW + HOUR);
    assert_int_equal(list.count, BOOKINGS_AT_ONCE);
    booking_list_release(&list);
    r = reading_at(wall_ms);
    for (int i = 0; i <= BOOKINGS_AT_ONCE; i++)
        book(&r, (uint64_t)i + 1, NOW + i * MINUTE, NOW + (100 + i) * MINUTE);
    give(&s, "a", r);
    step(&s, true);
    assert_list(&s, "a", "0-116:0");
    scene_close(&s);
}

static enum status confirm(struct scene *s, const char *id, const char *why, struct error *err)
{
    return calendar_desk_confirm(
        &s->desk, &(struct calendar_confirming){.calendar = id, .token = 3, .who = "lab", .why = why}, err);
}

static void test_that_a_calendar_is_empty_is_for_a_person_to_say(void **state)
{
    (void)state;
    struct scene s;
    struct error err = {""};
    scene_open(&s, both);
    step(&s, true);
    assert_int_equal(confirm(&s, "a", "asked the office", &err), ST_INVALID);
    assert_non_null(strstr(err.text, "calendar a has not turned empty"));
    struct calendar_result r = reading_at(wall_ms);
    book(&r, 1, NOW - 10 * MINUTE, NOW + 30 * MINUTE);
    book(&r, 2, NOW + 60 * MINUTE, NOW + 90 * MINUTE);
    give(&s, "a", r);
    step(&s, true);
    wall_ms = NOW + 5 * MINUTE;
    give(&s, "a", reading_at(wall_ms));
    step(&s, true);
    assert_quality(&s, "a", SOURCE_STALE);
    assert_list(&s, "a", "-10-30:1 60-90:2");
    static const char *const whys[] = {NULL, "", "  ", "a\nb", "\xff"};
    for (size_t i = 0; i < sizeof whys / sizeof whys[0]; i++)
        assert_int_equal(confirm(&s, "a", whys[i], &err), ST_INVALID);
    assert_int_equal(confirm(&s, "c", "x", &err), ST_INVALID);
    assert_int_equal(confirm(&s, "b", "x", &err), ST_INVALID);
    wall_ms = NOW + 6 * MINUTE;
    must(confirm(&s, "a", "asked the office", &err), &err);
    assert_quality(&s, "a", SOURCE_GOOD);
    restart(&s);
    assert_quality(&s, "a", SOURCE_GOOD);
    assert_list(&s, "a", "-10-0:1"); /* up to when it was last seen to say so */
    struct db_stmt *log = db_prepare(s.files.db, "SELECT count(*), max(action || '|' || object || '|' || who "
                                                 "|| '|' || before || '|' || note || '|' || token)"
                                                 " FROM change_log");
    bool has_row;
    must(db_step(log, &has_row, &err), &err);
    assert_int_equal(db_int(log, 0), 1);
    static const char said[] = "calendar confirm|calendar a|lab|bookings ahead: 2|asked the office|3";
    assert_memory_equal(db_text(log, 1).at, said, sizeof said - 1);
    db_finish(log);
    assert_int_equal(confirm(&s, "a", "again", &err), ST_INVALID);
    scene_close(&s);
}

/* ---- the law ---- */

#define MINUTES 600 /* that are looked at: from NOW - 100 to NOW + 500 */
#define FIRST (-100)

/* What must be known, minute by minute. */
struct minutes {
    bool is_busy[MINUTES];
    int64_t known_ms;
    bool is_emptied;
};

static int64_t at(int i)
{
    return NOW + (FIRST + i) * MINUTE;
}

static bool is_booked_ahead(const struct minutes *m)
{
    for (int i = 0; i < MINUTES; i++)
        if (m->is_busy[i] && at(i + 1) > wall_ms)
            return true;
    return false;
}

static bool is_ahead(const struct ical_reading *r)
{
    for (size_t i = 0; i < r->booking_count; i++)
        if (r->bookings[i].span.end_ms > wall_ms && r->bookings[i].span.end_ms > r->bookings[i].span.begin_ms)
            return true;
    return false;
}

static void minutes_take(struct minutes *m, const struct ical_reading *r)
{
    int64_t settled_ms = m->known_ms;
    if (r->is_whole && !is_ahead(r) && is_booked_ahead(m)) {
        m->is_emptied = true;
        return;
    }
    for (int i = 0; i < MINUTES; i++)
        if (settled_ms == 0 || at(i) >= settled_ms)
            m->is_busy[i] = busy_list_has(&r->busy, at(i)) || (!r->is_whole && m->is_busy[i]);
    m->known_ms = wall_ms;
    m->is_emptied = m->is_emptied && !r->is_whole;
}

static void minutes_are_same(struct minutes *m)
{
    static const struct ical_reading empty = {.is_whole = true};
    if (m->is_emptied && !is_booked_ahead(m))
        minutes_take(m, &empty);
    else if (m->known_ms != 0 && !m->is_emptied)
        m->known_ms = wall_ms;
}

static void assert_are_minutes(struct scene *s, const struct minutes *m)
{
    struct booking_list list = listed(s, "a", at(0), at(MINUTES));
    struct bookings all = {.list = list};
    bookings_merge(&all);
    const struct bookings *b = calendar_desk_find(&s->desk, "a");
    assert_int_equal(b->known_ms, m->known_ms);
    assert_int_equal(b->emptied_ms != 0, m->is_emptied);
    for (int i = 0; i < MINUTES; i++) {
        assert_int_equal(busy_list_has(&all.busy, at(i)), m->is_busy[i]);
        if (at(i) >= m->known_ms)
            assert_int_equal(busy_list_has(&b->busy, at(i)), m->is_busy[i]);
    }
    bookings_release(&all);
}

static struct calendar_result random_reading(void)
{
    struct calendar_result r = reading_at(wall_ms);
    int count = (int)random_below(4) == 0 ? 0 : (int)random_below(12);
    r.reading.is_whole = random_below(6) > 0;
    for (int i = 0; i < count; i++) {
        int begin = (int)random_below(MINUTES - 60);
        book(&r, random_below(6), at(begin), at(begin + (int)random_below(60)));
    }
    busy_list_merge(&r.reading.busy);
    return r;
}

static int by_span(const void *a, const void *b)
{
    const struct ical_booking *x = a, *y = b;
    return (x->span.begin_ms > y->span.begin_ms) - (x->span.begin_ms < y->span.begin_ms);
}

static void test_tables_and_memory_are_what_calendars_said_whatever_fails(void **state)
{
    (void)state;
    for (int round = 0; round < 12; round++) {
        struct scene s;
        struct minutes m = {0};
        scene_open(&s, only_a);
        wall_ms = at(0);
        while (wall_ms < at(MINUTES - 100)) {
            wall_ms += (int64_t)random_below(9) * MINUTE;
            if (random_below(4) == 0) {
                note(&s, "a", (struct calendar_result){.same_ms = wall_ms});
                minutes_are_same(&m);
            } else if (random_below(6) == 0) {
                note(&s, "a", (struct calendar_result){.problem = "calendar a: is gone"});
            } else {
                struct calendar_result r = random_reading();
                if (r.reading.booking_count > 0)
                    qsort(r.reading.bookings, r.reading.booking_count, sizeof *r.reading.bookings, by_span);
                minutes_take(&m, &r.reading);
                note(&s, "a", r);
            }
            for (int fails = (int)random_below(3); fails > 0; fails--)
                step(&s, false);
            step(&s, true);
            if (random_below(3) == 0)
                restart(&s);
            assert_are_minutes(&s, &m);
        }
        scene_close(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_over_stays_as_it_was_known_then),
        cmocka_unit_test(test_a_list_has_whole_bookings_that_touch_the_span),
        cmocka_unit_test(test_what_is_known_survives_a_restart_as_old_as_it_is),
        cmocka_unit_test(test_another_source_is_never_seen_and_what_the_former_said_stays_busy),
        cmocka_unit_test(test_bookings_are_known_from_the_first_horizon_on_but_for_what_nobody_read),
        cmocka_unit_test(test_calendars_come_and_go_with_the_model),
        cmocka_unit_test(test_a_result_is_kept_until_it_is_committed),
        cmocka_unit_test(test_too_many_bookings_at_once_are_one),
        cmocka_unit_test(test_that_a_calendar_is_empty_is_for_a_person_to_say),
        cmocka_unit_test(test_tables_and_memory_are_what_calendars_said_whatever_fails),
    };
    return cmocka_run_group_tests(tests, random_set_up, NULL);
}
