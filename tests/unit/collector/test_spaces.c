/* From the journal to quarter hours of people in spaces: a function of the set of readings, however they come. */
#include "collector/space/occupied.h"
#include "tests/unit/collector/spaces_scene.h"
#include "tests/unit/oracle.h"

static const char
    hall[] = SPACES(SPACE("hall", "doors = (" DOOR("d", "gw-a/in", "gw-a/out") ");")),
    night[] = SPACES(SPACE("hall", "reset = \"\"; doors = (" DOOR("d", "gw-a/in", "gw-a/out") ");")),
    seen[] = SPACES(SPACE("room", "sensors = ({ point = \"gw-a/cam\"; kind = \"count\"; period = 60; },"
                                  " { point = \"gw-a/pir\"; kind = \"binary\"; period = 60; hold = 300; },"
                                  " { point = \"gw-b/co2\"; kind = \"co2\"; period = 60; limit = 900; });")),
    all[] = SPACES(SPACE("hall", "doors = (" DOOR("d", "gw-a/in", "gw-a/out") "," DOOR(
                                     "e", "gw-a/room.out", "gw-a/room.in") ");") "," SPACE("room",
        "reset = \"02:30\"; doors = (" DOOR("e", "gw-a/room.in",
            "gw-a/room.out") ");"
                             " sensors = ({ point = \"gw-a/cam\"; kind = \"count\"; period = 60; },"
                             " { point = \"gw-b/pir\"; kind = \"binary\"; period = 60; hold = 300; });"));

/* No quarter hour is over by the clock: what is written again and again is posted once, when it is done. */
static void post_later(void)
{
    wall = BEGIN_MS - 400 * DAY_MS;
}

static void post_all(struct scene *s)
{
    wall = BEGIN_MS + 400 * DAY_MS;
    take_all(s);
}

static void add_door(struct scene *s, const char *point, int64_t count, int64_t time_ms)
{
    char value[32];
    snprintf(value, sizeof value, "%" PRId64 "i", count);
    add(s, 1, "register", point, value, time_ms);
}

/* What waits for the store, line by line; the caller frees it. */
static char *outbox(struct scene *s)
{
    struct error err = {""};
    struct buf text = {0};
    bool has_row;
    struct db_stmt *rows = db_prepare(
        s->journal.db, "SELECT coalesce(clears_ms, 0) || ' ' || line FROM outbox ORDER BY time_ms, id");
    buf_add_str(&text, "");
    for (;;) {
        must(db_step(rows, &has_row, &err), &err);
        if (!has_row)
            break;
        struct span line = db_text(rows, 0);
        buf_add(&text, line.at, line.len);
    }
    db_finish(rows);
    return buf_take(&text);
}

static void test_who_passes_the_doors_is_inside_since_the_quiet_hour(void **state)
{
    (void)state;
    struct scene s;
    open_scene(&s, hall);
    int64_t four_ms = BEGIN_MS + 4 * HOUR_MS;
    for (int i = -2; i < 8; i++) { /* every five minutes: three come at 04:05, one goes at 04:20 */
        add_door(&s, "in", 100 + (i >= 1 ? 3 : 0), four_ms + i * 5 * MINUTE_MS);
        add_door(&s, "out", 50 + (i >= 4 ? 1 : 0), four_ms + i * 5 * MINUTE_MS);
    }
    take_all(&s);
    struct window w = window_at(&s, "hall", "live", four_ms);
    assert_int_equal(w.observed_ms, QUARTER_MS);
    assert_int_equal(w.occupied_ms, 10 * MINUTE_MS);
    assert_int_equal(w.level_ms, 10 * MINUTE_MS * 3000);
    assert_int_equal(w.min, 0);
    assert_int_equal(w.max, 3000);
    assert_int_equal(w.entries, 3);
    w = window_at(&s, "hall", "live", four_ms + QUARTER_MS);
    assert_int_equal(w.level_ms, 5 * MINUTE_MS * 3000 + 10 * MINUTE_MS * 2000);
    assert_int_equal(w.exits, 1);
    assert_int_equal(row_at(&s, "hall", "live", four_ms + QUARTER_MS).persons, 2);
    /* Before the first quiet hour nobody knows; the next one is not there yet. */
    assert_int_equal(window_at(&s, "hall", "live", four_ms - QUARTER_MS).observed_ms, 0);
    assert_int_equal(window_at(&s, "hall", "corrected", four_ms).observed_ms, 0);
    /* At the next quiet hour nobody is inside: one of those two was not seen to go. */
    for (int64_t at_ms = four_ms + 40 * MINUTE_MS; at_ms <= four_ms + DAY_MS; at_ms += 5 * MINUTE_MS) {
        add_door(&s, "in", 103, at_ms);
        add_door(&s, "out", 51 + (at_ms >= four_ms + HOUR_MS ? 1 : 0), at_ms);
    }
    take_all(&s);
    struct space_row r = row_at(&s, "hall", "corrected", four_ms + QUARTER_MS);
    assert_int_equal(r.window.level_ms, 5 * MINUTE_MS * 3000 + 10 * MINUTE_MS * 1500);
    assert_true(r.is_marked); /* 1 of 3 */
    assert_int_equal(window_at(&s, "hall", "live", four_ms + DAY_MS - QUARTER_MS).max, 1000);
    assert_int_equal(window_at(&s, "hall", "corrected", four_ms + DAY_MS - QUARTER_MS).max, 0);
    close_scene(&s);
}

static struct occupied read_doors(struct scene *s, int64_t from_ms, int64_t until_ms)
{
    struct error err = {""};
    int64_t corrected, live;
    struct occupied o;
    const struct opening always = {.count = 0};
    must(occupied_source(s->journal.db, "hall", "corrected", &corrected, &err), &err);
    must(occupied_source(s->journal.db, "hall", "live", &live, &err), &err);
    must(occupied_read(s->journal.db, corrected, live, &always, NULL, from_ms, until_ms, &o, &err), &err);
    return o;
}

static void test_where_nothing_is_corrected_yet_what_doors_counted_stands_and_no_time_twice(void **state)
{
    (void)state;
    struct scene s;
    open_scene(&s, hall);
    int64_t four_ms = BEGIN_MS + 4 * HOUR_MS, next_ms = four_ms + DAY_MS;
    /* Two come at five, one of whom is not seen to go at six; after the next quiet hour four come at five. */
    for (int64_t at_ms = four_ms; at_ms <= next_ms + 2 * HOUR_MS; at_ms += 5 * MINUTE_MS) {
        add_door(
            &s, "in", (at_ms >= four_ms + HOUR_MS ? 2 : 0) + (at_ms >= next_ms + HOUR_MS ? 4 : 0), at_ms);
        add_door(&s, "out", at_ms >= four_ms + 2 * HOUR_MS ? 1 : 0, at_ms);
    }
    take_all(&s);
    struct occupied o = read_doors(&s, four_ms, next_ms + 2 * HOUR_MS);
    assert_int_equal(o.all.observed_ms, DAY_MS + 2 * HOUR_MS);
    assert_int_equal(o.all.level_ms, HOUR_MS * 2000 + HOUR_MS * 4000); /* live alone has one all night */
    assert_int_equal(o.open.observed_ms, DAY_MS + 2 * HOUR_MS);
    assert_int_equal(o.other_ms, 2 * HOUR_MS);
    assert_int_equal(o.other_from_ms, next_ms);
    assert_true(o.is_marked);
    o = read_doors(&s, four_ms, next_ms);
    assert_int_equal(o.other_ms, 0);
    assert_int_equal(o.other_from_ms, -1);
    o = read_doors(&s, next_ms + HOUR_MS, next_ms + 2 * HOUR_MS);
    assert_int_equal(o.other_ms, HOUR_MS);
    assert_int_equal(o.other_from_ms, next_ms + HOUR_MS);
    assert_false(o.is_marked);
    close_scene(&s);
}

static void test_a_row_is_posted_when_its_quarter_hour_is_over_and_again_when_it_is_another(void **state)
{
    (void)state;
    struct scene s;
    open_scene(&s, seen);
    wall = BEGIN_MS + QUARTER_MS - 1;
    for (int i = 0; i < 15; i++)
        add(&s, 1, "gauge", "cam", "2", BEGIN_MS + i * MINUTE_MS);
    take_all(&s);
    char *text = outbox(&s);
    assert_string_equal(text, "");
    free(text);
    wall++;
    take_all(&s);
    text = outbox(&s);
    assert_string_equal(text, "0 occupancy,building=b,site=s,source=count:gw-a/cam,space=room observed_s=840,"
                              "occupied_s=840,mean=2,min=2,max=2,capacity=10i 1767225600000\n");
    free(text);
    add(&s, 2, "gauge", "co2", "901", BEGIN_MS);
    add(&s, 2, "gauge", "co2", "900", BEGIN_MS + MINUTE_MS);
    add(&s, 1, "gauge", "cam", "5", BEGIN_MS + 30 * MINUTE_MS / 60);
    take_all(&s);
    text = outbox(&s);
    assert_string_equal(text,
        "900000 occupancy,building=b,site=s,source=co2:gw-b/co2,space=room observed_s=60,"
        "occupied_s=60,mean=1,min=1,max=1,capacity=10i 1767225600000\n"
        "0 occupancy,building=b,site=s,source=count:gw-a/cam,space=room observed_s=840,"
        "occupied_s=840,mean=2.107,min=2,max=5,capacity=10i 1767225600000\n");
    free(text);
    close_scene(&s);
}

static void test_what_no_sensor_of_people_says_is_not_counted(void **state)
{
    (void)state;
    struct scene s;
    int64_t before_mono_ms = mono_ms;
    open_scene(&s, seen);
    add(&s, 1, "gauge", "cam", "-1", BEGIN_MS);
    add(&s, 1, "gauge", "cam", "100001", BEGIN_MS + 1);
    add(&s, 1, "state", "cam", "\"3\"", BEGIN_MS + 2);
    add(&s, 1, "state", "pir", "\"broken\"", BEGIN_MS + 3);
    add(&s, 1, "state", "pir", "\"motion\"", BEGIN_MS + MINUTE_MS);
    add(&s, 1, "state", "pir", "\"clear\"", BEGIN_MS + 2 * MINUTE_MS);
    add(&s, 1, "register", "cam", "3i", BEGIN_MS + MINUTE_MS);
    add(&s, 1, "register", "cam", "0i", BEGIN_MS + 2 * MINUTE_MS);
    take_all(&s);
    struct window w = window_at(&s, "room", "count:gw-a/cam", BEGIN_MS);
    assert_int_equal(w.observed_ms, MINUTE_MS);
    assert_int_equal(w.max, 3000);
    assert_int_equal(window_at(&s, "room", "binary:gw-a/pir", BEGIN_MS).occupied_ms, MINUTE_MS);
    assert_in_range(s.spaces.nonsense.since_mono_ms, before_mono_ms + 1, mono_ms);
    close_scene(&s);
}

/* A PIR, from BEGIN_MS on: "5" is somebody who is seen at minute 5, "5-" nobody; a state where `is_told`. */
static void add_looks(struct scene *s, bool is_told, const char *looks)
{
    for (char *end; *looks != '\0'; looks = end) {
        int64_t at_ms = BEGIN_MS + strtoll(looks, &end, 10) * MINUTE_MS;
        bool is_there = *end != '-';
        end += !is_there;
        add(s, 1, is_told ? "state" : "gauge", "pir",
            is_told ? (is_there ? "\"motion\"" : "\"clear\"") : (is_there ? "1" : "0"), at_ms);
    }
}

/* What O5 says of a gap, for a PIR with a hold of 5 minutes and a period of one. */
static void test_nobody_is_held_in_a_gap_and_nothing_before_it_is_lost(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        bool is_told;
        const char *looks;
        int observed_min, occupied_min; /* of the first half hour */
    } cases[] = {
        {"held for five minutes, then nobody", false, "0 1- 2- 3- 4- 5- 6- 7-", 7, 5},
        {"up to the last look before the gap", false, "0 1- 2- 12-", 2, 2},
        {"seen in the last look: the gap begins there", false, "0- 1 12-", 1, 0},
        {"neither is nobody in a gap", false, "0- 1- 12- 13-", 2, 0},
        {"what is left of the hold goes on behind it", false, "0 4- 5- 6- 7-", 3, 1},
        {"three periods are no gap", false, "0 3- 6- 9-", 9, 5},
        {"after the last look nobody knows", false, "0- 1", 1, 0},
        {"a state is told every five minutes", true, "0 5 10- 15- 20-", 20, 15},
        {"and held from its change on", true, "0 10- 20-", 20, 15},
        {"fifteen minutes are no gap, sixteen are", true, "0- 15- 31-", 15, 0},
        {"of a state, too, the gap begins with what was told last", true, "0 2- 4 20- 22-", 6, 4},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct scene s;
        open_scene(&s, seen);
        add_looks(&s, cases[i].is_told, cases[i].looks);
        take_all(&s);
        struct window w = window_at(&s, "room", "binary:gw-a/pir", BEGIN_MS),
                      next = window_at(&s, "room", "binary:gw-a/pir", BEGIN_MS + QUARTER_MS);
        window_merge(&w, &next);
        if (w.observed_ms != cases[i].observed_min * MINUTE_MS ||
            w.occupied_ms != cases[i].occupied_min * MINUTE_MS)
            fail_msg("%s: observed for %" PRId64 " s, occupied for %" PRId64 " s", cases[i].what,
                w.observed_ms / 1000, w.occupied_ms / 1000);
        close_scene(&s);
    }
}

static void count_people(struct scene *s, const char *space, int64_t time_ms, int64_t persons)
{
    struct error err = {""};
    must(db_begin(s->journal.db, &err), &err);
    must(spaces_count(&s->spaces,
             &(struct person_count){
                 .space = space, .time_ms = time_ms, .persons = persons, .entered_ms = wall, .who = "x"},
             &err),
        &err);
    must(db_commit(s->journal.db, &err), &err);
}

static void test_people_who_were_counted_are_inside_for_a_week(void **state)
{
    (void)state;
    struct scene s;
    open_scene(&s, night);
    for (int64_t at_ms = 0; at_ms <= 8 * DAY_MS; at_ms += 5 * MINUTE_MS) {
        add_door(&s, "in", 7 + (at_ms >= DAY_MS ? 1 : 0), BEGIN_MS + at_ms);
        add_door(&s, "out", 2, BEGIN_MS + at_ms);
    }
    take_all(&s);
    assert_int_equal(window_at(&s, "hall", "live", BEGIN_MS + HOUR_MS).observed_ms, 0);
    count_people(&s, "hall", BEGIN_MS + 7 * MINUTE_MS, 4);
    take_all(&s);
    struct window w = window_at(&s, "hall", "live", BEGIN_MS);
    assert_int_equal(w.observed_ms, 8 * MINUTE_MS);
    assert_int_equal(w.min, 4000);
    assert_int_equal(window_at(&s, "hall", "live", BEGIN_MS + DAY_MS).max, 5000);
    assert_int_equal(window_at(&s, "hall", "live", BEGIN_MS + 7 * DAY_MS).observed_ms, 7 * MINUTE_MS);
    assert_int_equal(window_at(&s, "hall", "live", BEGIN_MS + 7 * DAY_MS + QUARTER_MS).observed_ms, 0);
    /* Counted again: two more than the doors saw. */
    count_people(&s, "hall", BEGIN_MS + 2 * DAY_MS, 7);
    take_all(&s);
    w = window_at(&s, "hall", "corrected", BEGIN_MS + DAY_MS);
    assert_int_equal(w.observed_ms, 0); /* the one who came would have to be three */
    assert_int_equal(window_at(&s, "hall", "live", BEGIN_MS + 8 * DAY_MS - QUARTER_MS).max, 7000);
    count_people(&s, "hall", BEGIN_MS + 2 * DAY_MS, 6);
    take_all(&s);
    assert_int_equal(window_at(&s, "hall", "corrected", BEGIN_MS + DAY_MS).max, 6000);
    assert_int_equal(window_at(&s, "hall", "corrected", BEGIN_MS).observed_ms, 8 * MINUTE_MS);
    close_scene(&s);
}

/* ---- in any order ---- */

/* All rows that are left of readings, what of them was posted, and the readings that are held where `has_samples`; the caller frees it. */
static char *dump(struct scene *s, bool has_samples)
{
    static const char *const queries[] = {
        "SELECT 'sample', p.name, time_ms, value, is_change, 0, 0, 0, 0, 0, 0, 0, 0, 0 FROM space_sample s"
        " JOIN space_point p ON p.id = s.point ORDER BY 2, 3",
        "SELECT 'window', s.space, s.name, start_ms, observed_ms, occupied_ms, negative_ms, level_ms, min, "
        "max,"
        " entries, exits, persons, is_marked FROM space_window w JOIN space_source s ON s.id = w.source"
        " ORDER BY 2, 3, 4",
        "SELECT 'stretch', s.space, s.name, from_ms, until_ms, begun, ended, entries, exits, residual,"
        " is_marked, verdict, 0, 0 FROM space_stretch t JOIN space_source s ON s.id = t.source"
        " ORDER BY 2, 3, 4",
        "SELECT 'posted', series, time_ms, line, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 FROM outbox ORDER BY 2, 3"};
    struct buf text = {0};
    struct error err = {""};
    bool has_row;
    for (size_t q = has_samples ? 0 : 1; q < sizeof queries / sizeof queries[0]; q++) {
        struct db_stmt *rows = db_prepare(s->journal.db, queries[q]);
        for (;;) {
            must(db_step(rows, &has_row, &err), &err);
            if (!has_row)
                break;
            for (int i = 0; i < 14; i++)
                buf_printf(&text, "%.*s|", (int)db_text(rows, i).len, db_text(rows, i).at);
            buf_add_char(&text, '\n');
        }
        db_finish(rows);
    }
    return buf_take(&text);
}

static void must_be_same(struct scene *a, struct scene *b, bool has_samples)
{
    char *x = dump(a, has_samples), *y = dump(b, has_samples);
    for (char *p = x, *q = y; *p != '\0' || *q != '\0';) {
        size_t n = strcspn(p, "\n"), m = strcspn(q, "\n");
        if (n != m || memcmp(p, q, n) != 0)
            fail_msg("one:   %.*s\nother: %.*s", (int)n, p, (int)m, q);
        p += n + (p[n] == '\n');
        q += m + (q[m] == '\n');
    }
    assert_true(strlen(x) > 10000);
    free(x);
    free(y);
}

/* What is told once a day is heard for three days. */
static void test_what_is_told_once_a_day_is_known_all_day(void **state)
{
    (void)state;
    struct scene s;
    open_scene(&s,
        SPACES(SPACE("room", "sensors = ({ point = \"gw-a/cam\"; kind = \"count\"; period = 86400; });")));
    for (int i = 0; i < 3; i++) {
        add(&s, 1, "gauge", "cam", "2", BEGIN_MS + i * 30 * HOUR_MS);
        take_all(&s);
    }
    for (int64_t at_ms = 0; at_ms < 60 * HOUR_MS; at_ms += QUARTER_MS)
        assert_int_equal(window_at(&s, "room", "count:gw-a/cam", BEGIN_MS + at_ms).observed_ms, QUARTER_MS);
    close_scene(&s);
}

struct drawn {
    int gateway;
    char line[96];
    int64_t time_ms;
};

#define DRAWN_MAX 12000

static size_t draw(struct drawn *ret)
{
    static const char *const doors[] = {"in", "out", "room.in", "room.out"};
    int64_t counts[4] = {5, 0, 0, 900000000};
    size_t n = 0;
    for (int64_t at_ms = 0; at_ms < 3 * DAY_MS && n + 6 < DRAWN_MAX;) {
        at_ms += random_below(40) == 0
                     ? (int64_t)(random_below(600) + 1) * MINUTE_MS
                     : (int64_t)(random_below(9) + 1) * MINUTE_MS + (int64_t)random_below(1000);
        for (size_t i = 0; i < 4; i++) {
            if (random_below(8) == 0)
                continue;
            counts[i] += random_below(3) == 0 ? (int64_t)random_below(4) : 0;
            if (random_below(300) == 0)
                counts[i] = random_below(2) == 0 ? 0 : counts[i] + 100000;
            struct drawn *d = &ret[n++];
            *d = (struct drawn){.gateway = 1, .time_ms = BEGIN_MS + at_ms};
            snprintf(d->line, sizeof d->line, "register,point=%s value=%" PRId64 "i", doors[i], counts[i]);
        }
        struct drawn *d = &ret[n++];
        bool is_cam = random_below(2) == 0;
        *d = (struct drawn){.gateway = is_cam ? 1 : 2, .time_ms = BEGIN_MS + at_ms};
        if (is_cam)
            snprintf(d->line, sizeof d->line, "gauge,point=cam value=%d", (int)random_below(4));
        else
            snprintf(d->line, sizeof d->line, "state,point=pir value=\"%s\"",
                random_below(3) ? "clear" : "motion");
    }
    return n;
}

/* Up to 40 readings of one gateway at a time are a batch. */
static void add_drawn(struct scene *s, const struct drawn *drawn, size_t count)
{
    for (size_t i = 0, to; i < count; i = to) {
        struct buf lines = {0};
        for (to = i; to < count && to < i + 40 && drawn[to].gateway == drawn[i].gateway; to++)
            buf_printf(&lines, "%s %" PRId64 "\n", drawn[to].line, drawn[to].time_ms);
        fake_journal_add(&s->journal, drawn[i].gateway, lines.data, NULL);
        buf_release(&lines);
    }
}

/* Some are late; others come in any order at all. */
static void shuffle(struct drawn *drawn, size_t count, size_t reach)
{
    for (size_t i = count - 1; i > 0; i--) {
        size_t k = i - random_below((i < reach ? i : reach) + 1);
        struct drawn other = drawn[i];
        drawn[i] = drawn[k];
        drawn[k] = other;
    }
}

static void test_rows_are_the_same_in_any_order_and_grouping_and_after_kills(void **state)
{
    (void)state;
    static struct drawn drawn[DRAWN_MAX];
    size_t count = draw(drawn);
    static const size_t reaches[] = {0, 50, DRAWN_MAX};
    struct scene a;
    open_scene(&a, all);
    post_later();
    add_drawn(&a, drawn, count);
    take_all(&a);
    count_people(&a, "hall", BEGIN_MS + 30 * HOUR_MS + 1, 4);
    count_people(&a, "room", BEGIN_MS + 50 * HOUR_MS, 1);
    post_all(&a);
    for (size_t r = 0; r < sizeof reaches / sizeof reaches[0]; r++) {
        struct scene b;
        open_scene(&b, all);
        if (r > 0) /* the first one posts each row whenever it is another */
            post_later();
        tick_ms = 4; /* a few batches a step */
        if (reaches[r] > 0)
            shuffle(drawn, count, reaches[r]);
        bool is_counted = false;
        for (size_t done = 0, more; done < count; done += more) {
            more = random_below(900) + 1;
            more = more < count - done ? more : count - done;
            add_drawn(&b, &drawn[done], more);
            for (size_t i = random_below(12); i > 0; i--)
                step(&b, random_below(3) > 0);
            if (random_below(4) == 0)
                start(&b, all);
            if (!is_counted && done + more > count / 2) {
                step(&b, true);
                count_people(&b, "room", BEGIN_MS + 50 * HOUR_MS, 1);
                count_people(&b, "hall", BEGIN_MS + 30 * HOUR_MS + 1, 4);
                is_counted = true;
            }
        }
        post_all(&b);
        must_be_same(&a, &b, true);
        close_scene(&b);
    }
    close_scene(&a);
}

/* ---- what is let go ---- */

#define SELDOM_DOOR(id, in, out)                                                      \
    "{ id = \"" id "\"; name = \"x\"; name_en = \"x\"; in = \"" in "\"; out = \"" out \
    "\"; period = 3600; max_rate = 60; }"
static const char seldom[] =
    SPACES(SPACE("hall", "reset = \"\"; doors = (" SELDOM_DOOR("d", "gw-a/in", "gw-a/out") "," SELDOM_DOOR(
                             "e", "gw-b/out", "gw-b/in") ");") "," SPACE("room",
        "doors = (" SELDOM_DOOR("e", "gw-b/in", "gw-b/out") "); sensors = ({ point = \"gw-a/pir\"; kind = "
                                                            "\"binary\"; period = 3600; hold = 7200; });"));

/* A gateway each: what it has not sent yet. */
struct backlog {
    struct drawn *drawn;
    size_t count, sent;
};

static void send_backlog(struct scene scenes[2], struct backlog *b, size_t count)
{
    for (int i = 0; i < 2; i++)
        add_drawn(&scenes[i], &b->drawn[b->sent], count);
    b->sent += count;
}

/* Eighty days of doors that tell something every hour or two, but for days on end nothing, some of it late by weeks; whoever is told of a time is told
 * it twice, once with all readings held. */
static void prune_history(void)
{
    static struct drawn drawn[2][2500];
    struct scene scenes[2];
    struct error err = {""};
    for (int i = 0; i < 2; i++) {
        open_scene(&scenes[i], seldom);
        post_later();
        take_all(&scenes[i]);
        if (i == 1)
            must(db_exec(scenes[i].journal.db,
                     "CREATE TRIGGER held BEFORE DELETE ON space_sample BEGIN SELECT RAISE(IGNORE); END",
                     &err),
                &err);
    }
    struct backlog backlogs[2] = {{.drawn = drawn[0]}, {.drawn = drawn[1]}};
    int64_t counts[2][2] = {{0}};
    for (int64_t at_ms = 0, until_ms; at_ms < 80 * DAY_MS; at_ms = until_ms) {
        until_ms = at_ms + (random_below(8) == 0 ? (int64_t)(random_below(36) + 24) * HOUR_MS
                                                 : (int64_t)(random_below(180) + 1) * MINUTE_MS);
        for (size_t g = 0; g < 2; g++) {
            struct backlog *b = &backlogs[g];
            for (size_t k = 0; k < 2; k++) {
                counts[g][k] += (int64_t)random_below(3);
                struct drawn *d = &b->drawn[b->count++];
                *d = (struct drawn){.gateway = (int)g + 1, .time_ms = BEGIN_MS + at_ms};
                snprintf(d->line, sizeof d->line, "register,point=%s value=%" PRId64 "i",
                    k == 0 ? "in" : "out", counts[g][k]);
            }
            if (g == 0) {
                struct drawn *d = &b->drawn[b->count++];
                *d = (struct drawn){.gateway = 1, .time_ms = BEGIN_MS + at_ms};
                snprintf(d->line, sizeof d->line, "gauge,point=pir value=%d", (int)random_below(2));
            }
            /* A gateway that is cut off, now and then for weeks, sends what it has in order. */
            if (b->count - b->sent > 5 && random_below(g == 1 ? 130 : 8) == 0)
                send_backlog(scenes, b, b->count - b->sent);
        }
        bool is_counted = random_below(6) == 0;
        for (int i = 0; i < 2; i++) {
            if (is_counted)
                count_people(&scenes[i], "hall", BEGIN_MS + at_ms + 7, counts[0][0] % 9);
            step(&scenes[i], true);
        }
    }
    for (size_t g = 0; g < 2; g++)
        send_backlog(scenes, &backlogs[g], backlogs[g].count - backlogs[g].sent);
    take_all(&scenes[0]);
    take_all(&scenes[1]);
    must_be_same(&scenes[0], &scenes[1], false);
    int64_t held = number_of(&scenes[0], "SELECT count(*) FROM space_sample"),
            all_held = number_of(&scenes[1], "SELECT count(*) FROM space_sample");
    print_message("%" PRId64 " of %" PRId64 " readings are held\n", held, all_held);
    assert_true(held < all_held);
    for (int i = 0; i < 2; i++)
        close_scene(&scenes[i]);
}

static void test_pruning_changes_no_row(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++)
        prune_history();
}

static void test_readings_are_let_go_a_few_at_a_time(void **state)
{
    (void)state;
    struct scene s;
    open_scene(&s, seen);
    struct error err = {""};
    take_all(&s);
    /* Of a point that is used, and of one that the model does not name any more. */
    must(db_exec(s.journal.db,
             "INSERT INTO space_point(id, name, is_used) VALUES(99, 'gw-a/gone', 0);"
             "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)"
             " INSERT INTO space_sample SELECT p.id, 1767225600000 + i * 60000, 0, 0 FROM space_point p, n "
             "WHERE p.name IN ('gw-a/cam', 'gw-a/gone')",
             &err),
        &err);
    start(&s, seen);
    add(&s, 1, "gauge", "cam", "1", BEGIN_MS + 100 * DAY_MS);
    int64_t before = number_of(&s, "SELECT count(*) FROM space_sample"), after;
    tick_ms = SPACES_STEP_MS; /* the clock goes on so far with each look: one portion a step */
    for (bool is_done = false; !is_done; before = after) {
        is_done = step(&s, true);
        after = number_of(&s, "SELECT count(*) FROM space_sample");
        assert_true(before - after <= 2 * SPACES_PRUNED_AT_ONCE);
    }
    /* The last that is older tells what the next one is held against. */
    assert_int_equal(number_of(&s, "SELECT count(*) FROM space_sample"), 2);
    close_scene(&s);
}

/* ---- by the rules alone ---- */

static void open_oracles_park(struct scene *s, const char *zone, const char *reset)
{
    char *park = mem_printf(
        "sites = ({ id = \"s\"; name = \"x\"; name_en = \"x\"; zone = \"%s\"; });\n"
        "buildings = ({ id = \"b\"; name = \"x\"; name_en = \"x\"; site = \"s\"; });\n"
        "gateways = ({ id = \"gw-a\"; name = \"x\"; name_en = \"x\"; site = \"s\"; });\n"
        "spaces = (" SPACE("hall", "reset = \"%s\"; doors = (" DOOR("d", "gw-a/in", "gw-a/out") "," DOOR(
                                       "e", "gw-a/e.in", "gw-a/e.out") ");") ");\n",
        zone, strcmp(reset, "-") == 0 ? "" : reset);
    open_scene(s, park);
    free(park);
    post_later();
    take_all(s);
}

static void must_be_row(struct scene *s, const char *line)
{
    char name[16];
    int64_t start, v[8];
    assert_int_equal(sscanf(line,
                         "w %15s %" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNd64
                         " %" SCNd64 " %" SCNd64 " %" SCNd64,
                         name, &start, &v[0], &v[1], &v[2], &v[3], &v[4], &v[5], &v[6], &v[7]),
        10);
    struct space_row r = row_at(s, "hall", name, start);
    const struct window *w = &r.window, wanted = {.observed_ms = v[0],
                                            .occupied_ms = v[1],
                                            .negative_ms = v[2],
                                            .level_ms = v[3],
                                            .min = v[4],
                                            .max = v[5],
                                            .entries = v[6],
                                            .exits = v[7]};
    if (r.start_ms != start || memcmp(w, &wanted, sizeof wanted) != 0)
        fail_msg("%s\nfound observed %" PRId64 " occupied %" PRId64 " negative %" PRId64 " level %" PRId64
                 " min %" PRId64 " max %" PRId64 " entries %" PRId64 " exits %" PRId64,
            line, w->observed_ms, w->occupied_ms, w->negative_ms, w->level_ms, w->min, w->max, w->entries,
            w->exits);
}

static void must_have_rows(struct scene *s, int64_t count)
{
    struct error err = {""};
    bool has_row;
    struct db_stmt *rows = db_prepare(s->journal.db, "SELECT count(*) FROM space_window");
    must(db_step(rows, &has_row, &err), &err);
    assert_int_equal(db_int(rows, 0), count);
    db_finish(rows);
}

static void test_rows_are_what_the_rules_say(void **state)
{
    (void)state;
    struct oracle oracle;
    struct scene s;
    char a[64], b[16];
    int64_t time_ms, number, rows = 0, scenes = 0;
    bool is_taken = false;
    oracle_open(&oracle, "collector/oracle_spaces.py", random_uint64(), NULL);
    while (oracle_read(&oracle)) {
        const char *line = oracle.line;
        if (sscanf(line, "park %63s %15s", a, b) == 2) {
            open_oracles_park(&s, a, b);
            rows = 0;
            is_taken = false;
        } else if (sscanf(line, "r %63s %" SCNd64 " %" SCNd64, a, &number, &time_ms) == 3) {
            add_door(&s, a, number, time_ms);
            if (random_below(50) == 0)
                step(&s, true);
        } else if (sscanf(line, "c %" SCNd64 " %" SCNd64, &time_ms, &number) == 2) {
            count_people(&s, "hall", time_ms, number);
        } else if (line[0] == 'w') {
            if (!is_taken)
                take_all(&s);
            is_taken = true;
            must_be_row(&s, line);
            rows++;
        } else {
            must_have_rows(&s, rows);
            close_scene(&s);
            scenes++;
        }
    }
    oracle_close(&oracle, 500);
    assert_int_equal(scenes, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_passes_the_doors_is_inside_since_the_quiet_hour),
        cmocka_unit_test(test_where_nothing_is_corrected_yet_what_doors_counted_stands_and_no_time_twice),
        cmocka_unit_test(test_a_row_is_posted_when_its_quarter_hour_is_over_and_again_when_it_is_another),
        cmocka_unit_test(test_what_no_sensor_of_people_says_is_not_counted),
        cmocka_unit_test(test_nobody_is_held_in_a_gap_and_nothing_before_it_is_lost),
        cmocka_unit_test(test_people_who_were_counted_are_inside_for_a_week),
        cmocka_unit_test(test_what_is_told_once_a_day_is_known_all_day),
        cmocka_unit_test(test_pruning_changes_no_row),
        cmocka_unit_test(test_readings_are_let_go_a_few_at_a_time),
        cmocka_unit_test(test_rows_are_what_the_rules_say),
        cmocka_unit_test(test_rows_are_the_same_in_any_order_and_grouping_and_after_kills),
    };
    return cmocka_run_group_tests(tests, random_set_up, NULL);
}
