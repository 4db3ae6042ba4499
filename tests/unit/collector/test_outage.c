/* Outages: what people may tell of them, whom they concern, and what the hours are given. */
#include "collector/instrument/outage.h"
#include "tests/unit/collector/fake_journal.h"
#include "tests/unit/random.h"

#define NOW_MS INT64_C(1790000000000) /* 2026-09-21T14:13:20Z */
#define HOUR_MS INT64_C(3600000)
#define DAY_MS (24 * HOUR_MS)
#define X "name = \"x\"; name_en = \"X\"; "
#define OWNED X "building = \"b\"; category = \"c\"; owner = \"o\"; owner_en = \"o\"; owner_code = \"9\"; "

static const char model[] =
    "sites = ({ id = \"s\"; zone = \"Asia/Shanghai\"; " X "});"
    "gateways = ({ id = \"gw-a\"; site = \"s\"; " X "});"
    "buildings = ({ id = \"b\"; site = \"s\"; " X "});"
    "categories = ({ id = \"c\"; " X "});"
    "spaces = ({ id = \"lab\"; building = \"b\"; " X "}, { id = \"hall\"; building = \"b\"; " X "});"
    "resources = ({ id = \"gas\"; building = \"b\"; kind = \"gas\"; contact = \"8\"; " X "},"
    "  { id = \"water\"; building = \"b\"; kind = \"chilled_water\"; contact = \"8\"; " X "});"
    "instruments = ({ id = \"xrd\"; session = \"gw-a/a\"; contact = \"8\"; space = \"lab\"; " OWNED
    "  requires = (\"water\"); uses = (\"gas\"); },"
    "  { id = \"sem\"; session = \"gw-a/b\"; contact = \"8\"; space = \"lab\"; " OWNED "},"
    "  { id = \"nmr\"; session = \"gw-a/c\"; contact = \"8\"; requires = (\"gas\", \"water\"); " OWNED "});";

struct scene {
    struct fake_journal journal;
    struct db *db;
    struct park *park;
};

static void must(enum status status, const struct error *err)
{
    if (status != ST_OK)
        fail_msg("%s", err->text);
}

static void open_scene(struct scene *s)
{
    *s = (struct scene){.park = park_load_text("f", span_of(model))};
    conf_print_problems(s->park->conf, stderr);
    assert_int_equal(conf_problem_count(s->park->conf), 0);
    fake_journal_open(&s->journal);
    s->db = s->journal.db;
}

static void close_scene(struct scene *s)
{
    fake_journal_close(&s->journal);
    park_destroy(s->park);
}

static struct outage_request request_of(enum outage_act act)
{
    return (struct outage_request){.act = act,
        .kind = OUTAGE_BROKEN,
        .target_kind = OUTAGE_INSTRUMENT,
        .target = "xrd",
        .category = act == OUTAGE_OPEN ? outage_category_find("fault") : NULL,
        .note = act == OUTAGE_CHANGE ? NULL : "the tube is dead",
        .who = "anna"};
}

static struct outage_request planned_of(int64_t from_ms, int64_t until_ms)
{
    struct outage_request r = request_of(OUTAGE_OPEN);
    r.kind = OUTAGE_PLANNED;
    r.has_from = r.has_until = true;
    r.from_ms = from_ms;
    r.until_ms = until_ms;
    return r;
}

static enum status try_it(
    struct scene *s, const struct outage_request *r, int64_t now_ms, int64_t *ret_id, struct error *err)
{
    struct outage before, after;
    enum status status = outage_do(s->db, s->park, r, now_ms, &before, &after, err);
    *ret_id = after.id;
    outage_release(&before);
    outage_release(&after);
    return status;
}

static int64_t do_it(struct scene *s, const struct outage_request *r, int64_t now_ms)
{
    struct error err = {""};
    int64_t id;
    must(try_it(s, r, now_ms, &id, &err), &err);
    return id;
}

static int64_t count(struct scene *s, const char *sql)
{
    struct db_stmt *statement = db_prepare(s->db, sql);
    struct error err = {""};
    bool has_row;
    must(db_step(statement, &has_row, &err), &err);
    int64_t found = has_row ? db_int(statement, 0) : -1;
    db_finish(statement);
    return found;
}

static void expect_refusal(struct scene *s, const struct outage_request *r, const char *expected)
{
    struct error err = {""};
    int64_t id, rows = count(s, "SELECT count(*) + total(closed_ms) + total(until_ms) FROM outage"),
                touched = count(s, "SELECT count(*) FROM outage_touched");
    assert_int_equal(try_it(s, r, NOW_MS, &id, &err), ST_INVALID);
    if (strstr(err.text, expected) == NULL)
        fail_msg("expected \"%s\", is \"%s\"", expected, err.text);
    assert_int_equal(id, 0);
    assert_int_equal(count(s, "SELECT count(*) + total(closed_ms) + total(until_ms) FROM outage"), rows);
    assert_int_equal(count(s, "SELECT count(*) FROM outage_touched"), touched);
}

static void expect_standing(struct scene *s, int64_t now_ms, size_t expected)
{
    struct outage_list list;
    struct error err = {""};
    must(outage_standing(s->db, now_ms, &list, &err), &err);
    assert_int_equal(list.count, expected);
    for (size_t i = 1; i < list.count; i++)
        assert_true(list.items[i - 1].from_ms <= list.items[i].from_ms);
    outage_list_release(&list);
}

static struct outage find(struct scene *s, int64_t id)
{
    struct outage o;
    struct error err = {""};
    must(outage_find(s->db, id, &o, &err), &err);
    assert_int_equal(o.id, id);
    return o;
}

static void expect_state(struct scene *s, int64_t id, int64_t now_ms, enum outage_state expected)
{
    struct outage o = find(s, id);
    assert_int_equal(outage_state_at(&o, now_ms), expected);
    outage_release(&o);
}

/* Spans as "from-until" in hours from NOW_MS on, * = nobody knows. */
static void expect_spans(struct scene *s, const char *instrument, enum outage_kind kind, int64_t from_ms,
    int64_t until_ms, const char *expected)
{
    struct outage_spans spans;
    struct error err = {""};
    struct buf text = {0};
    must(outage_spans_read(
             s->db, park_instrument_find(s->park, instrument), kind, from_ms, until_ms, &spans, &err),
        &err);
    buf_add_str(&text, "");
    for (size_t i = 0; i < spans.count; i++) {
        const struct hours_span *span = &spans.items[i];
        assert_int_equal(span->evidence, EVIDENCE_MANUAL);
        buf_printf(&text, "%s%lld-", i > 0 ? " " : "", (long long)((span->from_ms - NOW_MS) / HOUR_MS));
        if (span->until_ms == OUTAGE_UNKNOWN_END)
            buf_add_char(&text, '*');
        else
            buf_printf(&text, "%lld", (long long)((span->until_ms - NOW_MS) / HOUR_MS));
    }
    char *found = buf_take(&text);
    assert_string_equal(found != NULL ? found : "", expected);
    free(found);
    outage_spans_release(&spans);
}

/* ---- acts ---- */

static void test_what_breaks_is_out_until_somebody_closes_it(void **state)
{
    (void)state;
    struct scene s;
    open_scene(&s);
    struct outage_request open = request_of(OUTAGE_OPEN), close = request_of(OUTAGE_CLOSE);
    int64_t id = do_it(&s, &open, NOW_MS);
    struct outage o = find(&s, id);
    assert_int_equal(o.kind, OUTAGE_BROKEN);
    assert_int_equal(o.from_ms, NOW_MS);
    assert_int_equal(o.until_ms, OUTAGE_UNKNOWN_END);
    assert_string_equal(o.target, "xrd");
    assert_string_equal(o.category->code, "fault");
    assert_string_equal(o.note, "the tube is dead");
    assert_string_equal(o.opened_by, "anna");
    assert_null(o.closed_by);
    outage_release(&o);
    /* However long it takes, and whatever the clock does. */
    expect_state(&s, id, NOW_MS + 1000 * DAY_MS, OUTAGE_NOW);
    expect_state(&s, id, NOW_MS - DAY_MS, OUTAGE_NOW);
    expect_standing(&s, NOW_MS + 1000 * DAY_MS, 1);
    close.id = id;
    close.note = "a new one";
    close.who = "bo";
    do_it(&s, &close, NOW_MS + 2 * HOUR_MS);
    o = find(&s, id);
    assert_int_equal(o.until_ms, NOW_MS + 2 * HOUR_MS);
    assert_int_equal(o.closed_ms, NOW_MS + 2 * HOUR_MS);
    assert_string_equal(o.closed_by, "bo");
    assert_string_equal(o.closed_note, "a new one");
    assert_string_equal(o.note, "the tube is dead");
    outage_release(&o);
    expect_state(&s, id, NOW_MS + 2 * HOUR_MS, OUTAGE_OVER);
    expect_standing(&s, NOW_MS, 0);
    expect_spans(&s, "xrd", OUTAGE_BROKEN, NOW_MS, NOW_MS + DAY_MS, "0-2");
    close_scene(&s);
}

static void test_what_is_planned_ends_by_itself(void **state)
{
    (void)state;
    struct scene s;
    open_scene(&s);
    struct outage_request r = planned_of(NOW_MS + HOUR_MS, NOW_MS + 3 * HOUR_MS);
    int64_t id = do_it(&s, &r, NOW_MS);
    expect_state(&s, id, NOW_MS, OUTAGE_AHEAD);
    expect_state(&s, id, NOW_MS + HOUR_MS - 1, OUTAGE_AHEAD);
    expect_state(&s, id, NOW_MS + HOUR_MS, OUTAGE_NOW);
    expect_state(&s, id, NOW_MS + 3 * HOUR_MS - 1, OUTAGE_NOW);
    expect_state(&s, id, NOW_MS + 3 * HOUR_MS, OUTAGE_OVER);
    expect_standing(&s, NOW_MS + 3 * HOUR_MS - 1, 1);
    expect_standing(&s, NOW_MS + 3 * HOUR_MS, 0);
    struct outage_request close = request_of(OUTAGE_CLOSE);
    close.id = id;
    expect_refusal(&s, &close, "begins at 2026-09-21T15:13:20.000Z; expected that it is cancelled");
    do_it(&s, &close, NOW_MS + 2 * HOUR_MS); /* done earlier */
    expect_state(&s, id, NOW_MS + 2 * HOUR_MS, OUTAGE_OVER);
    expect_spans(&s, "xrd", OUTAGE_PLANNED, NOW_MS, NOW_MS + DAY_MS, "1-2");
    expect_spans(&s, "xrd", OUTAGE_BROKEN, NOW_MS, NOW_MS + DAY_MS, "");
    close_scene(&s);
}

static void test_what_is_planned_can_be_moved(void **state)
{
    (void)state;
    struct scene s;
    open_scene(&s);
    struct outage_request r = planned_of(NOW_MS + 4 * HOUR_MS, NOW_MS + 6 * HOUR_MS),
                          other = planned_of(NOW_MS + 10 * HOUR_MS, NOW_MS + 11 * HOUR_MS);
    int64_t id = do_it(&s, &r, NOW_MS);
    do_it(&s, &other, NOW_MS);
    struct outage_request change = request_of(OUTAGE_CHANGE);
    change.id = id;
    change.has_from = change.has_until = true;
    change.from_ms = NOW_MS + HOUR_MS;
    change.until_ms = NOW_MS + 2 * HOUR_MS;
    do_it(&s, &change, NOW_MS);
    expect_spans(&s, "xrd", OUTAGE_PLANNED, NOW_MS, NOW_MS + DAY_MS, "1-2 10-11");
    /* Who has worked out either span works it out again. */
    assert_int_equal(
        count(&s, "SELECT from_ms FROM outage_touched ORDER BY id DESC LIMIT 1"), NOW_MS + HOUR_MS);
    assert_int_equal(
        count(&s, "SELECT until_ms FROM outage_touched ORDER BY id DESC LIMIT 1"), NOW_MS + 6 * HOUR_MS);
    expect_refusal(&s, &change, "is so already");
    change.until_ms = NOW_MS + 10 * HOUR_MS + 1;
    expect_refusal(&s, &change, "instrument xrd has outage 2 (planned) from 2026-09-22T00:13:20.000Z");
    change.until_ms = NOW_MS + 10 * HOUR_MS; /* half-open: side by side */
    do_it(&s, &change, NOW_MS);
    change = request_of(OUTAGE_CHANGE);
    change.id = id;
    change.note = "the pump, too";
    do_it(&s, &change, NOW_MS);
    struct outage o = find(&s, id);
    assert_string_equal(o.note, "the pump, too");
    assert_int_equal(o.until_ms, NOW_MS + 10 * HOUR_MS);
    outage_release(&o);
    close_scene(&s);
}

static void test_what_was_cancelled_never_was(void **state)
{
    (void)state;
    struct scene s;
    open_scene(&s);
    struct outage_request open = request_of(OUTAGE_OPEN), cancel = request_of(OUTAGE_CANCEL);
    cancel.id = do_it(&s, &open, NOW_MS);
    do_it(&s, &cancel, NOW_MS + HOUR_MS);
    expect_standing(&s, NOW_MS, 0);
    expect_state(&s, cancel.id, NOW_MS, OUTAGE_CANCELLED);
    expect_spans(&s, "xrd", OUTAGE_BROKEN, NOW_MS, NOW_MS + DAY_MS, "");
    expect_refusal(&s, &cancel, "outage 1 was cancelled; expected one that counts");
    struct outage_request change = request_of(OUTAGE_CHANGE);
    change.id = cancel.id;
    change.note = "other";
    expect_refusal(&s, &change, "was cancelled");
    do_it(&s, &open, NOW_MS); /* its time is nobody's */
    struct error err = {""};
    assert_int_equal(db_exec(s.db, "DELETE FROM outage", &err), ST_INVALID);
    assert_int_equal(count(&s, "SELECT count(*) FROM outage"), 2);
    close_scene(&s);
}

static void test_what_was_over_before_it_was_told_is_closed(void **state)
{
    (void)state;
    struct scene s;
    open_scene(&s);
    struct outage_request r = request_of(OUTAGE_OPEN);
    r.has_from = r.has_until = true;
    r.from_ms = NOW_MS - 5 * HOUR_MS;
    r.until_ms = NOW_MS - HOUR_MS;
    int64_t id = do_it(&s, &r, NOW_MS);
    expect_state(&s, id, NOW_MS, OUTAGE_OVER);
    expect_standing(&s, NOW_MS - 2 * HOUR_MS, 0);
    struct outage_request change = request_of(OUTAGE_CHANGE);
    change.id = id;
    change.has_until = true;
    change.until_ms = NOW_MS - 2 * HOUR_MS;
    do_it(&s, &change, NOW_MS);
    expect_spans(&s, "xrd", OUTAGE_BROKEN, NOW_MS - DAY_MS, NOW_MS, "-5--2");
    change.until_ms = NOW_MS + 1;
    expect_refusal(&s, &change, "until 2026-09-21T14:13:20.001Z is in the future");
    close_scene(&s);
}

static void test_each_mistake_is_told_and_changes_nothing(void **state)
{
    (void)state;
    struct scene s;
    open_scene(&s);
    struct outage_request good = request_of(OUTAGE_OPEN), r = good;
    r.target = "xrf";
    expect_refusal(&s, &r, "xrf: no instrument of the park model; expected the id of one");
    r.target_kind = OUTAGE_SPACE;
    r.target = "xrd";
    expect_refusal(&s, &r, "xrd: no space of the park model");
    r.target_kind = OUTAGE_RESOURCE;
    expect_refusal(&s, &r, "xrd: no resource of the park model");
    r.target = "gas";
    r.kind = OUTAGE_PROBLEM;
    expect_refusal(&s, &r, "a problem is of a resource; expected one of an instrument");
    static const char *const notes[] = {NULL, "", "  ", "a\nb", "\xff"};
    for (size_t i = 0; i < sizeof notes / sizeof notes[0]; i++) {
        r = good;
        r.note = notes[i];
        expect_refusal(&s, &r, "note is missing, or not a text of 1 to 500 bytes");
    }
    r = good;
    r.category = NULL;
    expect_refusal(&s, &r, "category is missing");
    r = good;
    r.has_from = true;
    r.from_ms = NOW_MS + 1;
    expect_refusal(&s, &r, "from 2026-09-21T14:13:20.001Z is in the future");
    r.from_ms = NOW_MS - 366 * DAY_MS - 1;
    expect_refusal(&s, &r, "is more than 366 days ago");
    r.from_ms = 0; /* a time as any other */
    expect_refusal(&s, &r, "from 1970-01-01T00:00:00.000Z is before 2000-01-01T00:00:00.000Z; expected a");
    r.from_ms = OUTAGE_FIRST_MS - 1;
    expect_refusal(&s, &r, "is before 2000-01-01T00:00:00.000Z");
    r.from_ms = OUTAGE_FIRST_MS;
    expect_refusal(&s, &r, "is more than 366 days ago");
    r = good;
    r.has_until = true;
    r.until_ms = NOW_MS + 1;
    expect_refusal(&s, &r, "until 2026-09-21T14:13:20.001Z is in the future");
    r.until_ms = NOW_MS;
    expect_refusal(&s, &r, "is not after from");
    r = planned_of(NOW_MS, NOW_MS + 5 * 366 * DAY_MS + 1);
    expect_refusal(&s, &r, "is more than five years ahead");
    r.has_until = false;
    expect_refusal(&s, &r, "until is missing; a planned outage has both");
    r.has_until = true;
    r.has_from = false;
    expect_refusal(&s, &r, "from is missing; a planned outage has both");
    static const enum outage_act acts[] = {OUTAGE_CHANGE, OUTAGE_CLOSE, OUTAGE_CANCEL};
    for (size_t i = 0; i < 3; i++) {
        r = request_of(acts[i]);
        r.id = 17;
        expect_refusal(&s, &r, "there is no outage 17");
    }
    int64_t id = do_it(&s, &good, NOW_MS - HOUR_MS);
    expect_refusal(
        &s, &good, "instrument xrd has outage 1 (broken) from 2026-09-21T13:13:20.000Z until it is closed already");
    r = request_of(OUTAGE_CLOSE);
    r.id = id;
    r.note = " ";
    expect_refusal(&s, &r, "note is missing");
    r.note = "done";
    r.has_until = true;
    r.until_ms = NOW_MS + 1;
    expect_refusal(&s, &r, "is in the future");
    r.until_ms = NOW_MS - HOUR_MS - 1;
    expect_refusal(&s, &r, "is before it began");
    r.act = OUTAGE_CHANGE;
    expect_refusal(&s, &r, "outage 1 is not over; expected a change without until");
    r = request_of(OUTAGE_CLOSE);
    r.id = id;
    do_it(&s, &r, NOW_MS);
    expect_refusal(&s, &r, "outage 1 is over since 2026-09-21T14:13:20.000Z");
    close_scene(&s);
}

static void test_the_same_problem_is_not_told_twice(void **state)
{
    (void)state;
    struct scene s;
    open_scene(&s);
    struct outage_request r = request_of(OUTAGE_OPEN);
    r.kind = OUTAGE_PROBLEM;
    do_it(&s, &r, NOW_MS);
    expect_refusal(&s, &r, "has outage 1 (problem)");
    r.note = "and the lamp flickers";
    do_it(&s, &r, NOW_MS);
    expect_standing(&s, NOW_MS, 2);
    close_scene(&s);
}

static void test_an_old_one_can_still_be_worded_anew(void **state)
{
    (void)state;
    struct scene s;
    open_scene(&s);
    struct outage_request r = request_of(OUTAGE_OPEN), change = request_of(OUTAGE_CHANGE);
    change.id = do_it(&s, &r, NOW_MS - 400 * DAY_MS);
    change.note = "no spare part is made any more";
    do_it(&s, &change, NOW_MS);
    close_scene(&s);
}

/* ---- whom they concern ---- */

static void test_an_instrument_is_out_with_what_it_requires_and_where_it_stands(void **state)
{
    (void)state;
    static const struct {
        enum outage_target kind;
        const char *target;
        bool xrd, sem, nmr;
    } cases[] = {{OUTAGE_INSTRUMENT, "xrd", true, false, false},
        {OUTAGE_INSTRUMENT, "nmr", false, false, true}, {OUTAGE_RESOURCE, "water", true, false, true},
        {OUTAGE_RESOURCE, "gas", false, false, true}, /* xrd does without */
        {OUTAGE_SPACE, "lab", true, true, false}, {OUTAGE_SPACE, "hall", false, false, false}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct scene s;
        open_scene(&s);
        struct outage_request r = request_of(OUTAGE_OPEN);
        r.target_kind = cases[i].kind;
        r.target = cases[i].target;
        struct outage o = find(&s, do_it(&s, &r, NOW_MS));
        assert_int_equal(outage_concerns(&o, park_instrument_find(s.park, "xrd")), cases[i].xrd);
        assert_int_equal(outage_concerns(&o, park_instrument_find(s.park, "sem")), cases[i].sem);
        assert_int_equal(outage_concerns(&o, park_instrument_find(s.park, "nmr")), cases[i].nmr);
        expect_spans(&s, "xrd", OUTAGE_BROKEN, NOW_MS, NOW_MS + HOUR_MS, cases[i].xrd ? "0-*" : "");
        expect_spans(&s, "sem", OUTAGE_BROKEN, NOW_MS, NOW_MS + HOUR_MS, cases[i].sem ? "0-*" : "");
        expect_spans(&s, "nmr", OUTAGE_BROKEN, NOW_MS, NOW_MS + HOUR_MS, cases[i].nmr ? "0-*" : "");
        outage_release(&o);
        close_scene(&s);
    }
}

static void test_a_resource_is_out_since_the_first_of_those_that_are_now(void **state)
{
    (void)state;
    struct scene s;
    open_scene(&s);
    struct outage_request r = planned_of(NOW_MS + HOUR_MS, NOW_MS + 2 * HOUR_MS);
    r.target_kind = OUTAGE_RESOURCE;
    r.target = "gas";
    do_it(&s, &r, NOW_MS);
    r.kind = OUTAGE_BROKEN;
    r.has_until = false;
    r.from_ms = NOW_MS - HOUR_MS;
    do_it(&s, &r, NOW_MS);
    struct outage_list list;
    struct error err = {""};
    must(outage_standing(s.db, NOW_MS, &list, &err), &err);
    const struct park_resource *gas = park_resource_find(s.park, "gas"),
                               *water = park_resource_find(s.park, "water");
    assert_int_equal(outage_resource_since(&list, gas, OUTAGE_BROKEN, NOW_MS), NOW_MS - HOUR_MS);
    assert_int_equal(outage_resource_since(&list, water, OUTAGE_BROKEN, NOW_MS), INT64_MIN);
    assert_int_equal(outage_resource_since(&list, gas, OUTAGE_PLANNED, NOW_MS), INT64_MIN);
    assert_int_equal(outage_resource_since(&list, gas, OUTAGE_PLANNED, NOW_MS + HOUR_MS), NOW_MS + HOUR_MS);
    assert_int_equal(outage_resource_since(&list, gas, OUTAGE_PLANNED, NOW_MS + 2 * HOUR_MS), INT64_MIN);
    outage_list_release(&list);
    close_scene(&s);
}

/* ---- the hours ---- */

static void test_spans_are_those_that_touch_each_whole_and_in_order(void **state)
{
    (void)state;
    struct scene s;
    open_scene(&s);
    static const struct {
        enum outage_target kind;
        const char *target;
        int from, until;
    } rows[] = {{OUTAGE_SPACE, "lab", 4, 7}, {OUTAGE_INSTRUMENT, "xrd", 1, 2},
        {OUTAGE_INSTRUMENT, "xrd", 6, 9}, {OUTAGE_RESOURCE, "water", 0, 3}, {OUTAGE_RESOURCE, "gas", 3, 5},
        {OUTAGE_INSTRUMENT, "sem", 2, 8}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct outage_request r =
            planned_of(NOW_MS + rows[i].from * HOUR_MS, NOW_MS + rows[i].until * HOUR_MS);
        r.target_kind = rows[i].kind;
        r.target = rows[i].target;
        do_it(&s, &r, NOW_MS);
    }
    expect_spans(&s, "xrd", OUTAGE_PLANNED, NOW_MS, NOW_MS + DAY_MS, "0-3 1-2 4-7 6-9");
    expect_spans(&s, "xrd", OUTAGE_PLANNED, NOW_MS + 2 * HOUR_MS, NOW_MS + 4 * HOUR_MS, "0-3");
    expect_spans(&s, "xrd", OUTAGE_PLANNED, NOW_MS + 3 * HOUR_MS, NOW_MS + 4 * HOUR_MS, "");
    expect_spans(&s, "sem", OUTAGE_PLANNED, NOW_MS, NOW_MS + DAY_MS, "2-8 4-7");
    expect_spans(&s, "nmr", OUTAGE_PLANNED, NOW_MS, NOW_MS + DAY_MS, "0-3 3-5");
    close_scene(&s);
}

/* Whatever people do in whatever order: of one target no two that are broken, or planned, share an instant; each refusal
 * changed nothing; what stands and what the hours get are what the rows say. */
static void test_any_acts_leave_lists_that_agree(void **state)
{
    (void)state;
    struct scene s;
    open_scene(&s);
    static const char *const ids[][3] = {
        {"xrd", "sem", "nmr"}, {"gas", "water", "gas"}, {"lab", "hall", "lab"}};
    struct error err = {""};
    must(db_begin(s.db, &err), &err);
    int done = 0;
    for (int i = 0; i < 400; i++) {
        int64_t now_ms = NOW_MS + i * HOUR_MS / 4, id;
        struct outage_request r = request_of((enum outage_act)(random_below(6) % 4));
        r.id = (int64_t)random_below(40) + 1;
        r.kind = (enum outage_kind)random_below(3);
        r.target_kind = (enum outage_target)random_below(3);
        r.target = ids[r.target_kind][random_below(3)];
        r.has_from = random_below(2) == 1;
        r.has_until = random_below(2) == 1;
        r.from_ms = now_ms + ((int64_t)random_below(200) - 150) * HOUR_MS / 4;
        r.until_ms = r.from_ms + ((int64_t)random_below(60) - 5) * HOUR_MS / 4;
        done += try_it(&s, &r, now_ms, &id, &err) == ST_OK;
    }
    assert_true(done > 40);
    assert_int_equal(count(&s, "SELECT count(*) FROM outage a JOIN outage b USING(target_kind, target, kind)"
                               " WHERE a.id < b.id AND kind < 2 AND a.is_cancelled + b.is_cancelled = 0"
                               " AND a.from_ms < b.until_ms AND b.from_ms < a.until_ms"),
        0);
    assert_int_equal(count(&s, "SELECT count(*) FROM outage_touched"), done);
    struct outage_list all, standing;
    int64_t now_ms = NOW_MS + 100 * HOUR_MS, from_ms = NOW_MS - 10 * HOUR_MS,
            until_ms = NOW_MS + 30 * HOUR_MS;
    must(outage_list_read(s.db, INT64_MAX, 1000, &all, &err), &err);
    must(outage_standing(s.db, now_ms, &standing, &err), &err);
    size_t expected = 0, spans_expected[2] = {0};
    const struct park_instrument *nmr = park_instrument_find(s.park, "nmr");
    for (size_t i = 0; i < all.count; i++) {
        const struct outage *o = &all.items[i];
        enum outage_state at = outage_state_at(o, now_ms);
        expected += at == OUTAGE_NOW || at == OUTAGE_AHEAD;
        if (!o->is_cancelled && o->kind != OUTAGE_PROBLEM && outage_concerns(o, nmr) &&
            o->from_ms < until_ms && o->until_ms > from_ms)
            spans_expected[o->kind]++;
    }
    assert_int_equal(standing.count, expected);
    for (int kind = 0; kind < 2; kind++) {
        struct outage_spans spans;
        must(outage_spans_read(s.db, nmr, (enum outage_kind)kind, from_ms, until_ms, &spans, &err), &err);
        assert_int_equal(spans.count, spans_expected[kind]);
        outage_spans_release(&spans);
    }
    outage_list_release(&all);
    outage_list_release(&standing);
    db_rollback(s.db);
    close_scene(&s);
}

static void test_categories_have_names_in_both_languages(void **state)
{
    (void)state;
    for (const struct outage_category *c = outage_categories; c->code != NULL; c++) {
        assert_ptr_equal(outage_category_find(c->code), c);
        assert_true(c->name[0] != '\0' && c->name_en[0] != '\0');
    }
    assert_null(outage_category_find("weather"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_what_breaks_is_out_until_somebody_closes_it),
        cmocka_unit_test(test_what_is_planned_ends_by_itself),
        cmocka_unit_test(test_what_is_planned_can_be_moved),
        cmocka_unit_test(test_what_was_cancelled_never_was),
        cmocka_unit_test(test_what_was_over_before_it_was_told_is_closed),
        cmocka_unit_test(test_each_mistake_is_told_and_changes_nothing),
        cmocka_unit_test(test_the_same_problem_is_not_told_twice),
        cmocka_unit_test(test_an_old_one_can_still_be_worded_anew),
        cmocka_unit_test(test_an_instrument_is_out_with_what_it_requires_and_where_it_stands),
        cmocka_unit_test(test_a_resource_is_out_since_the_first_of_those_that_are_now),
        cmocka_unit_test(test_spans_are_those_that_touch_each_whole_and_in_order),
        cmocka_unit_test(test_any_acts_leave_lists_that_agree),
        cmocka_unit_test(test_categories_have_names_in_both_languages)};
    return cmocka_run_group_tests(tests, random_set_up, NULL);
}
