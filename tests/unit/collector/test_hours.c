/* The partition of an instrument's time: against a model that asks every minute by itself, and its own laws. */
#include "collector/instrument/hours.h"
#include "tests/unit/oracle.h"

#include <string.h>

#define MINUTE INT64_C(60000)
#define MOST 512

struct scene {
    struct hours_facts f;
    struct hours_span broken[MOST], planned[MOST], bookings[MOST], unseen[MOST];
    struct hours_session sessions[MOST];
    struct activity_span activity[MOST];
    struct opening opening;
    struct zone *zone;
};

static int find(const char *const *names, const char *name)
{
    for (int i = 0; names[i] != NULL; i++)
        if (strcmp(names[i], name) == 0)
            return i;
    fail_msg("no such name: %s", name);
    return -1;
}

static void add(
    struct hours_list *list, struct hours_span *items, long long from, long long until, const char *evidence)
{
    assert_true(list->count < MOST);
    items[list->count++] = (struct hours_span){
        from * MINUTE, until * MINUTE, (enum hours_evidence)find(hours_evidences, evidence)};
    list->items = items;
}

static void begin(struct scene *s, const char *line)
{
    long long n[7];
    char zone[64], open[64];
    int has_power, has_sessions;
    if (sscanf(line, "case %63s %d %d %lld %lld %lld %lld %lld %lld %lld %63[^\n]", zone, &has_power,
            &has_sessions, &n[0], &n[1], &n[2], &n[3], &n[4], &n[5], &n[6], open) != 11)
        fail_msg("%s", line);
    zone_destroy(s->zone);
    memset(s, 0, sizeof *s);
    s->zone = zone_create(zone);
    assert_true(opening_parse(open[0] == '-' ? NULL : open, &s->opening));
    s->f = (struct hours_facts){.begin_ms = n[0] * MINUTE,
        .end_ms = n[1] * MINUTE,
        .known_until_ms = n[2] * MINUTE,
        .has_power = has_power,
        .has_sessions = has_sessions,
        .sessions = s->sessions,
        .activity = s->activity,
        .opening = &s->opening,
        .zone = s->zone,
        .preparation_ms = n[3] * MINUTE,
        .post_processing_ms = n[4] * MINUTE,
        .pause_ms = n[5] * MINUTE,
        .grace_ms = n[6] * MINUTE};
}

static void take(struct scene *s, const char *line)
{
    char kind[16], word[16], user[16];
    long long from, until;
    int is_training;
    static const char *const users[] = {"unknown", "internal", "external", NULL};
    int fields = sscanf(line, "%15s %lld %lld %15s %15s %d", kind, &from, &until, word, user, &is_training);
    if (fields == 6) {
        assert_true(s->f.session_count < MOST);
        s->sessions[s->f.session_count++] = (struct hours_session){
            {from * MINUTE, until * MINUTE, (enum hours_evidence)find(hours_evidences, word)},
            (enum hours_user)find(users, user), is_training != 0};
    } else if (fields == 4 && strcmp(kind, "activity") == 0) {
        assert_true(s->f.activity_count < MOST);
        s->activity[s->f.activity_count++] = (struct activity_span){
            from * MINUTE, until * MINUTE, (enum activity_state)find(activity_names, word)};
    } else if (fields == 4) {
        const struct {
            const char *kind;
            struct hours_list *list;
            struct hours_span *items;
        } lists[] = {{"broken", &s->f.broken, s->broken}, {"planned", &s->f.planned, s->planned},
            {"booking", &s->f.bookings, s->bookings}, {"unseen", &s->f.unseen, s->unseen}};
        size_t i = 0;
        while (i < 4 && strcmp(lists[i].kind, kind) != 0)
            i++;
        assert_true(i < 4);
        add(lists[i].list, lists[i].items, from, until, word);
    } else {
        fail_msg("%s", line);
    }
}

/* They tile the period, and add up to it. */
static void check_sum(const struct hours_facts *f, const struct hours *h)
{
    int64_t at_ms = f->begin_ms, parts_ms[HOURS_PARTS] = {0}, sum_ms = 0;
    for (size_t i = 0; i < h->count; i++) {
        const struct hours_row *row = &h->rows[i];
        assert_true(row->from_ms == at_ms && row->until_ms > at_ms);
        if (i > 0)
            assert_true(row->part != row[-1].part || row->evidence != row[-1].evidence);
        assert_int_equal(row->evidence == EVIDENCE_NONE, row->part == HOURS_UNKNOWN);
        parts_ms[row->part] += row->until_ms - row->from_ms;
        at_ms = row->until_ms;
    }
    assert_true(at_ms == f->end_ms || f->begin_ms == f->end_ms);
    for (int i = 0; i < HOURS_PARTS; i++) {
        assert_true(parts_ms[i] == h->part_ms[i]);
        sum_ms += h->part_ms[i];
    }
    assert_true(sum_ms == f->end_ms - f->begin_ms);
}

/* However the period is cut, its parts come to the same. */
static void check_cut(const struct hours_facts *f, const struct hours *whole)
{
    struct hours_facts first = *f, second = *f;
    first.end_ms = second.begin_ms =
        f->begin_ms + (int64_t)random_below((size_t)(f->end_ms - f->begin_ms) + 1);
    struct hours a, b;
    hours_divide(&first, &a);
    hours_divide(&second, &b);
    check_sum(&first, &a);
    check_sum(&second, &b);
    for (int i = 0; i < HOURS_PARTS; i++)
        assert_true(a.part_ms[i] + b.part_ms[i] == whole->part_ms[i]);
    hours_release(&a);
    hours_release(&b);
}

static void test_every_minute_is_in_the_part_that_the_words_say(void **state)
{
    (void)state;
    static struct scene s;
    struct oracle oracle;
    struct hours h = {.count = 0};
    size_t next = 0;
    bool is_divided = false;
    oracle_open(&oracle, "collector/oracle_hours.py", random_uint64() >> 32, NULL);
    while (oracle_read(&oracle)) {
        long long from, until;
        char part[16], evidence[16];
        bool is_row = sscanf(oracle.line, "row %lld %lld %15s %15s", &from, &until, part, evidence) == 4;
        if ((is_row || strcmp(oracle.line, "end") == 0) && !is_divided) {
            hours_divide(&s.f, &h);
            check_sum(&s.f, &h);
            check_cut(&s.f, &h);
            is_divided = true;
        }
        if (is_row) {
            const struct hours_row *row = &h.rows[next];
            if (next++ >= h.count || row->from_ms != from * MINUTE || row->until_ms != until * MINUTE ||
                strcmp(hours_parts[row->part], part) != 0 ||
                strcmp(hours_evidences[row->evidence], evidence) != 0)
                fail_msg("%s; found %lld %lld %s %s", oracle.line, (long long)(row->from_ms / MINUTE),
                    (long long)(row->until_ms / MINUTE), hours_parts[row->part],
                    hours_evidences[row->evidence]);
        } else if (strcmp(oracle.line, "end") == 0) {
            assert_int_equal(next, h.count);
            hours_release(&h);
            is_divided = false;
            next = 0;
        } else if (strncmp(oracle.line, "case ", 5) == 0) {
            begin(&s, oracle.line);
        } else {
            take(&s, oracle.line);
        }
    }
    oracle_close(&oracle, 1000);
    zone_destroy(s.zone);
}

static enum hours_part booked_part(int64_t known_until_ms, enum activity_state activity, bool is_unseen)
{
    const struct hours_span booking = {0, 2000, EVIDENCE_IMPORTED}, unseen = {500, 501, EVIDENCE_NONE};
    const struct activity_span power[] = {{-1000, 400, ACTIVITY_STANDBY}, {400, 1000000, activity}};
    static const struct opening always = {.count = 0};
    const struct hours_facts f = {.begin_ms = 0,
        .end_ms = 1,
        .known_until_ms = known_until_ms,
        .has_power = true,
        .has_sessions = true,
        .bookings = {&booking, 1},
        .activity = power,
        .activity_count = 2,
        .unseen = {&unseen, is_unseen},
        .opening = &always,
        .grace_ms = 900};
    struct hours h;
    hours_divide(&f, &h);
    assert_int_equal(h.count, 1);
    enum hours_part part = h.rows[0].part;
    hours_release(&h);
    return part;
}

static void test_a_no_show_is_one_when_grace_is_over_and_all_was_seen(void **state)
{
    (void)state;
    assert_int_equal(booked_part(899, ACTIVITY_OFF, false), HOURS_RESERVED);
    assert_int_equal(booked_part(900, ACTIVITY_OFF, false), HOURS_NO_SHOW);
    assert_int_equal(booked_part(900, ACTIVITY_RUNNING, false), HOURS_RESERVED);
    assert_int_equal(booked_part(900, ACTIVITY_UNKNOWN, false), HOURS_RESERVED);
    assert_int_equal(booked_part(900, ACTIVITY_OFF, true), HOURS_RESERVED);
}

/* ---- to the millisecond ---- */

static void draw(struct hours_list *list, struct hours_span *items, size_t most, int64_t begin_ms)
{
    list->count = random_below(most + 1);
    list->items = items;
    int64_t at_ms = begin_ms - (int64_t)random_below(7200000);
    for (size_t i = 0; i < list->count; i++) {
        at_ms += (int64_t)random_below(50000000);
        items[i] = (struct hours_span){at_ms, at_ms + 1 + (int64_t)random_below(20000000), EVIDENCE_MANUAL};
    }
}

/* Power that is read, is lost and comes back, as the fold of activity has it. */
static void read_power(struct scene *s)
{
    static const struct activity_limits limits = {10, 30, 40, 10000, 300000, 120000};
    struct activity a = {.has_read = 0};
    struct activity_span open;
    int64_t level = 0;
    for (int64_t t = s->f.begin_ms - 3600000; t <= s->f.known_until_ms && s->f.activity_count + 4 < MOST;) {
        level = random_below(40) == 0 ? (int64_t)random_below(60) : level;
        struct activity_done done = activity_read(&a, &limits, t, level);
        for (int i = 0; i < done.count; i++)
            s->activity[s->f.activity_count++] = done.spans[i];
        t += random_below(300) == 0 ? (int64_t)random_below(9000000) : 1 + (int64_t)random_below(119999);
    }
    if (activity_open(&a, &open) && open.from_ms < open.until_ms)
        s->activity[s->f.activity_count++] = open;
}

static void test_the_parts_add_up_to_the_period_to_the_millisecond(void **state)
{
    (void)state;
    static const struct {
        const char *zone;
        int64_t begin_ms; /* the day before clocks are changed */
    } places[] = {{"Asia/Shanghai", INT64_C(1764547200000)}, {"Europe/Berlin", INT64_C(1774656000000)},
        {"Europe/Berlin", INT64_C(1792800000000)}, {"America/New_York", INT64_C(1772841600000)}};
    static struct scene s;
    int64_t seen_ms[HOURS_PARTS] = {0};
    for (int n = 0; n < 200; n++) {
        memset(&s, 0, sizeof s);
        size_t place = random_below(4);
        s.zone = zone_create(places[place].zone);
        assert_true(
            opening_parse(random_below(4) ? "Mon-Fri 01:30-18:00, Sun 02:15-09:00" : NULL, &s.opening));
        int64_t begin_ms = places[place].begin_ms + (int64_t)random_below(10000000);
        s.f = (struct hours_facts){.begin_ms = begin_ms,
            .end_ms = begin_ms + (int64_t)random_below(300000000),
            .has_power = random_below(5) > 0,
            .has_sessions = random_below(5) > 0,
            .sessions = s.sessions,
            .activity = s.activity,
            .opening = &s.opening,
            .zone = s.zone,
            .preparation_ms = (int64_t)random_below(1800000),
            .post_processing_ms = (int64_t)random_below(1800000),
            .pause_ms = (int64_t)random_below(1800000),
            .grace_ms = (int64_t)random_below(900000)};
        s.f.known_until_ms = s.f.end_ms + (int64_t)random_below(2) * 86400000;
        draw(&s.f.broken, s.broken, 2, begin_ms);
        draw(&s.f.planned, s.planned, 2, begin_ms);
        draw(&s.f.bookings, s.bookings, 12, begin_ms);
        draw(&s.f.unseen, s.unseen, 2, begin_ms);
        if (s.f.has_power)
            read_power(&s);
        struct hours_list sessions;
        static struct hours_span spans[MOST];
        draw(&sessions, spans, s.f.has_sessions ? 8 : 0, begin_ms);
        for (size_t i = 0; i < sessions.count; i++) {
            if (i + 1 < sessions.count && spans[i].until_ms > spans[i + 1].from_ms)
                spans[i].until_ms = spans[i + 1].from_ms;
            s.sessions[s.f.session_count++] =
                (struct hours_session){spans[i], (enum hours_user)random_below(3), random_below(8) == 0};
        }
        struct hours h;
        hours_divide(&s.f, &h);
        check_sum(&s.f, &h);
        check_cut(&s.f, &h);
        for (int i = 0; i < HOURS_PARTS; i++)
            seen_ms[i] += h.part_ms[i];
        hours_release(&h);
        zone_destroy(s.zone);
    }
    for (int i = 0; i < HOURS_PARTS; i++)
        if (seen_ms[i] == 0)
            fail_msg("no time is %s", hours_parts[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_minute_is_in_the_part_that_the_words_say),
        cmocka_unit_test(test_a_no_show_is_one_when_grace_is_over_and_all_was_seen),
        cmocka_unit_test(test_the_parts_add_up_to_the_period_to_the_millisecond),
    };
    return cmocka_run_group_tests(tests, random_set_up, NULL);
}
