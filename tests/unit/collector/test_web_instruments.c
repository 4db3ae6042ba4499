/* Instruments by HTTP: what the API says is the board's answer, whatever is asked. */
#include "collector/instrument/board_json.h"
#include "collector/instrument/ical_read.h"
#include "lib/buf.h"
#include "lib/rfc3339.h"
#include "tests/unit/collector/made_up_board.h"
#include "tests/unit/collector/web_fixture.h"

#define NOW_MS MADE_UP_BOARD_NOW_MS
#define MINUTE INT64_C(60000)
#define LIST "/api/v1/instruments"

static struct model *model;
static const struct board *board; /* the newest, with a reference */

static struct clock the_clock;
static int64_t board_age_ms;

static int64_t wall_ms(void)
{
    return NOW_MS + board_age_ms;
}

static int set_up(void **state)
{
    the_clock = clock_system;
    the_clock.wall_ms = wall_ms;
    web_clock = &the_clock;
    board_box = board_box_create();
    return load(state);
}

static int tear_down(void **state)
{
    unload(state);
    board_put(board);
    board_box_destroy(board_box);
    return 0;
}

static struct board_told *begin(void)
{
    model = made_up_board_model();
    return made_up_told(model, NOW_MS);
}

/* From now on the listener has that. */
static void show(struct board_told *told)
{
    model_get(model); /* the board's own goes with the board that is replaced */
    board_box_set(board_box, made_up_board(model, told, NOW_MS));
    made_up_told_release(told, model);
    model_put(model);
    board_put(board);
    board = board_box_get(board_box);
}

/* Nothing booked, nothing broken: all that are shared are free. */
static int show_free(void **state)
{
    (void)state;
    show(begin());
    return 0;
}

/* The instrument is booked so: minutes from now. */
static struct board_times *book(struct board_told *told, int64_t from_min, int64_t until_min)
{
    struct availability_busy span = {NOW_MS + from_min * MINUTE, NOW_MS + until_min * MINUTE};
    return told->bookings = board_times_create((struct availability_list){&span, 1});
}

/* The ids of the answer, with blanks between them. */
static char *ids_of(const json_t *answer)
{
    struct buf ids = {0};
    size_t i;
    json_t *each;
    json_array_foreach(json_object_get(answer, "instruments"), i, each)
        buf_printf(&ids, "%s%s", i > 0 ? " " : "", json_string_value(json_object_get(each, "id")));
    return buf_take(&ids);
}

static json_t *expect_ids(const char *path, const char *expected, json_int_t count, const char *next)
{
    json_t *answer = get_json(path, 200);
    char *ids = ids_of(answer);
    const char *is_next = json_string_value(json_object_get(answer, "next"));
    if (strcmp(ids, expected) != 0 || json_integer_value(json_object_get(answer, "count")) != count ||
        (next == NULL ? is_next != NULL : is_next == NULL || strcmp(next, is_next) != 0))
        fail_msg("%s: %s of %lld, next %s; expected %s of %lld, next %s", path, ids,
            (long long)json_integer_value(json_object_get(answer, "count")), is_next ? is_next : "null",
            expected, (long long)count, next ? next : "null");
    free(ids);
    return answer;
}

static void found(const char *path, const char *expected, json_int_t count, const char *next)
{
    json_decref(expect_ids(path, expected, count, next));
}

static void test_before_the_first_board_it_says_starting(void **state)
{
    (void)state;
    expect(ask("GET", LIST, ""), 503, "\"starting\"");
    expect(ask("GET", LIST "/xrd-1", ""), 503, "Retry-After: 1");
}

static void test_an_old_board_tells_nothing_of_now(void **state)
{
    (void)state;
    board_age_ms = BOARD_OLD_MS;
    expect(ask("GET", LIST "/xrd-1", ""), 200, "\"AVAILABLE");
    board_age_ms = BOARD_OLD_MS + 1;
    expect(ask("GET", LIST, ""), 503, "\"stalled\"");
    expect(ask("GET", LIST "/xrd-1", ""), 503, "looked at last 30 s ago");
    board_age_ms = 0;
}

static void test_each_answer_is_the_boards(void **state)
{
    (void)state;
    json_t *list = expect_ids(LIST, "xrd-1 sem-1 hood-1 own-1", 4, NULL);
    assert_string_equal(json_string_value(json_object_get(list, "as_of")), "2026-09-21T22:13:20.000+08:00");
    for (size_t i = 0; i < board->count; i++) {
        json_t *expected = board_json(&board->items[i]);
        char *path = mem_printf(LIST "/%s", board->items[i].instrument->id);
        json_t *one = get_json(path, 200);
        assert_true(json_equal(one, expected));
        assert_true(json_equal(json_array_get(json_object_get(list, "instruments"), i), expected));
        json_decref(one);
        json_decref(expected);
        free(path);
    }
    json_decref(list);
}

static void test_what_is_not_there_is_said(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        int code;
        const char *word;
    } cases[] = {{LIST "/xrd-9", 404, "unknown_instrument"}, {LIST "/", 404, "not_found"},
        {LIST "/xrd-1/", 404, "not_found"}, {LIST "/xrd-1.txt", 404, "not_found"},
        {LIST "/xrd-1/nothing", 404, "not_found"}, {LIST "/xrd-1?q=1", 400, "unknown_parameter"},
        {LIST "?words=1", 400, "unknown_parameter"}, {LIST "?building=b9", 400, "building: unknown"},
        {LIST "?category=x", 400, "category: unknown"}, {LIST "?site=x", 400, "site: unknown"},
        {LIST "?available=later", 400, "available: unknown"}, {LIST "?limit=0", 400, "1 to 500"},
        {LIST "?limit=501", 400, "1 to 500"}, {LIST "?after=xrd-9", 400, "after: unknown"},
        {LIST "?length=2h", 400, "length: goes with"},
        {LIST "?available=now&length=2", 400, "length: unknown"},
        {LIST "?available=now&length=h", 400, "length: unknown"},
        {LIST "?available=now&length=0h", 400, "length: unknown"},
        {LIST "?available=now&length=-1h", 400, "length: unknown"},
        {LIST "?available=now&length=15d", 400, "length: unknown"},
        {LIST "?available=now&length=9223372036854775807d", 400, "length: unknown"},
        {LIST "?ids=", 400, "ids: unknown"}, {LIST "?ids=xrd-1,", 400, "ids: unknown"},
        {LIST "?ids=xrd-1,xrd-1", 400, "each once"}, {LIST "?ids=xrd-1,xrd-9", 400, "xrd-9"},
        {LIST "?ids=xrd-1&q=x", 400, "q: does not go with ids"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect(ask("GET", cases[i].path, ""), cases[i].code, cases[i].word);
    expect(ask("POST", LIST, "Content-Length: 0\r\n"), 405, "Allow: GET, HEAD");
}

static void test_they_are_found_by_words_and_choices(void **state)
{
    (void)state;
    found(LIST "?q=%E8%A1%8D%E5%B0%84", "xrd-1 own-1", 2, NULL); /* 衍射 */
    found(LIST "?q=electron+microscope", "sem-1", 1, NULL);
    found(LIST "?q=nothing", "", 0, NULL);
    found(LIST "?building=b2&category=microscopy", "sem-1 hood-1", 2, NULL);
    found(LIST "?model=d8&organisation=guangxin&site=cloud", "xrd-1", 1, NULL);
    found(LIST "?available=now", "xrd-1 sem-1 hood-1", 3, NULL); /* own-1 is not shared */
    found(LIST "?available=now&q=%E8%A1%8D%E5%B0%84", "xrd-1", 1, NULL);
}

static void test_pages_leave_nothing_out(void **state)
{
    (void)state;
    found(LIST "?limit=2", "xrd-1 sem-1", 4, "sem-1");
    found(LIST "?limit=2&after=sem-1", "hood-1 own-1", 4, NULL);
    found(LIST "?limit=1&after=hood-1", "own-1", 4, NULL);
    found(LIST "?after=own-1", "", 4, NULL);
    found(LIST "?limit=1&building=b2&after=xrd-1", "sem-1", 3, "sem-1");
    found(LIST "?limit=4", "xrd-1 sem-1 hood-1 own-1", 4, NULL);
}

static void test_now_is_for_as_long_as_it_is_wanted(void **state)
{
    (void)state;
    struct board_told *told = begin();
    struct board_times *booked = book(&told[0], 90, 150);
    show(told);
    board_times_put(booked);
    found(LIST "?available=now", "xrd-1 sem-1 hood-1", 3, NULL);
    found(LIST "?available=now&length=90m", "xrd-1 sem-1 hood-1", 3, NULL);
    found(LIST "?available=now&length=91m", "sem-1 hood-1", 2, NULL);
}

/* Of the answer to ?ids= and a length: found, begin, free_until and of, as minutes from now where they are times. */
static void expect_slot(const char *path, const char *found_is, int begin_min, int until_min, const char *of)
{
    json_t *answer = get_json(path, 200), *slot = json_object_get(answer, "slot");
    const char *is = json_string_value(json_object_get(slot, "found")),
               *begins = json_string_value(json_object_get(slot, "begin")),
               *until = json_string_value(json_object_get(slot, "free_until")),
               *of_is = json_string_value(json_object_get(slot, "of"));
    int64_t begin_ms = NOW_MS, until_ms = NOW_MS;
    assert_non_null(is);
    assert_true(begins == NULL || rfc3339_parse(begins, &begin_ms));
    assert_true(until == NULL || rfc3339_parse(until, &until_ms));
    if (strcmp(is, found_is) != 0 || (begins != NULL) != (strcmp(is, "slot") == 0) ||
        begin_ms - NOW_MS != begin_min * MINUTE || until_ms - NOW_MS != until_min * MINUTE ||
        strcmp(of_is != NULL ? of_is : "", of != NULL ? of : "") != 0)
        fail_msg("%s: %s, begin %s, free until %s, of %s", path, is, begins, until, of_is);
    json_decref(answer);
}

static void test_several_have_the_next_time_in_common(void **state)
{
    (void)state;
    struct board_told *told = begin();
    struct availability_busy outage = {NOW_MS + 200 * MINUTE, NOW_MS + 300 * MINUTE};
    struct board_times *booked = book(&told[0], 90, 150);
    told[1].facts.planned = (struct availability_list){&outage, 1};
    show(told);
    found(LIST "?ids=sem-1,xrd-1", "sem-1 xrd-1", 2, NULL); /* in their order */
    expect_slot(LIST "?ids=xrd-1&length=90m", "slot", 0, 90, NULL);
    expect_slot(LIST "?ids=xrd-1&length=91m", "slot", 150, 0, NULL); /* and no end is known */
    expect_slot(LIST "?ids=xrd-1,sem-1,hood-1&length=50m", "slot", 0, 90, NULL);
    expect_slot(LIST "?ids=xrd-1,sem-1&length=2h", "slot", 300, 0, NULL);
    expect_slot(LIST "?ids=sem-1&length=2h", "slot", 0, 200, NULL);
    expect_slot(LIST "?ids=xrd-1,sem-1&length=13d", "slot", 300, 0, NULL);
    board_times_put(booked);
    /* Who is in it now has not said when he goes. */
    told = begin();
    told[1].facts.activity = ACTIVITY_RUNNING;
    booked = book(&told[0], 0, 15 * 1440);
    show(told);
    expect_slot(LIST "?ids=sem-1,hood-1&length=1h", "not_known", 0, 0, "sem-1");
    expect_slot(LIST "?ids=xrd-1,hood-1&length=1h", "none", 0, 0, NULL);
    expect_slot(LIST "?ids=hood-1,xrd-1,sem-1&length=1h", "not_known", 0, 0, "sem-1");
    board_times_put(booked);
}

/* The body of a feed, which the caller frees, and its spans. */
static char *feed_of(const char *path, struct busy_list *ret)
{
    char *answer = ask("GET", path, ""), *body = strstr(answer, "\r\n\r\n") + 4;
    struct ical_reading reading;
    struct error err;
    assert_int_equal(code_of(answer), 200);
    assert_non_null(strstr(answer, "Content-Type: text/calendar; charset=utf-8\r\n"));
    assert_int_equal(ical_read(span_of(body),
                         &(struct ical_read_options){"feed", NULL, {0, INT64_C(1) << 50}}, &reading, &err),
        ST_OK);
    assert_true(reading.is_whole && reading.problem_count == 0);
    *ret = reading.busy;
    reading.busy = (struct busy_list){0};
    ical_reading_release(&reading);
    char *text = mem_strdup(body);
    free(answer);
    return text;
}

static void test_a_feed_has_what_is_taken_and_no_names(void **state)
{
    (void)state;
    struct board_told *told = begin();
    struct availability_busy planned = {NOW_MS + 120 * MINUTE, NOW_MS + 200 * MINUTE};
    struct board_outage outages[] = {
        {1, true, false, planned.from_ms, planned.until_ms, "maintenance", "Zhang San comes"},
        {2, false, false, NOW_MS - 60 * MINUTE, AVAILABILITY_NONE, "fault", "ask Li Si"},
        {3, false, true, NOW_MS - 90 * MINUTE, AVAILABILITY_NONE, "consumables", "works all the same"}};
    struct board_times *booked = book(&told[0], 90, 150);
    told[0].facts.planned = (struct availability_list){&planned, 1};
    told[0].outages = outages;
    told[0].outage_count = 1;
    told[1].outages = &outages[1];
    told[1].outage_count = 2;
    told[1].facts.outage_since_ms = outages[1].from_ms;
    show(told);
    board_times_put(booked);
    struct busy_list spans;
    char *text = feed_of(LIST "/xrd-1.ics", &spans);
    assert_int_equal(spans.count, 1);
    assert_int_equal(spans.items[0].begin_ms, NOW_MS + 90 * MINUTE);
    assert_int_equal(spans.items[0].end_ms, planned.until_ms);
    assert_non_null(strstr(text, "\r\nX-WR-CALNAME:X-ray diffractometer\r\n"));
    assert_non_null(strstr(text, "X-WR-CALDESC:Busy times\\, without names. Bookings as they were"));
    assert_null(strstr(text, "Zhang"));
    free(text);
    busy_list_release(&spans);
    text = feed_of(LIST "/xrd-1.ics?lang=zh", &spans);
    assert_non_null(strstr(text, "\r\nSUMMARY:占用\r\n"));
    free(text);
    busy_list_release(&spans);
    /* Of what is broken nobody knows until when: as far as free times are looked for. */
    text = feed_of(LIST "/sem-1.ics", &spans);
    assert_int_equal(spans.count, 1);
    assert_int_equal(spans.items[0].begin_ms, outages[1].from_ms);
    assert_in_range(spans.items[0].end_ms, NOW_MS + 13 * 1440 * MINUTE, NOW_MS + 14 * 1440 * MINUTE);
    assert_null(strstr(text, "Li Si"));
    assert_non_null(strstr(text, "without names. No calendar of"));
    free(text);
    busy_list_release(&spans);
    text = feed_of(LIST "/hood-1.ics", &spans);
    assert_int_equal(spans.count, 0);
    free(text);
    expect(ask("GET", LIST "/own-1.ics", ""), 404, "not_shared");
    expect(ask("GET", LIST "/xrd-9.ics", ""), 404, "unknown_instrument");
    expect(ask("GET", LIST "/xrd-1.ics?lang=de", ""), 400, "expected en or zh");
}

/* The answer says how long it may be kept; asked for again with its tag, it is not sent again. */
static void expect_kept(const char *path, const char *cache_control)
{
    char tag[WEB_ETAG_SIZE + 2], *answer = ask("GET", path, ""),
                                 *header = mem_printf("\r\nCache-Control: %s\r\n", cache_control);
    const char *at = strstr(answer, "\r\nETag: ");
    assert_non_null(strstr(answer, header));
    free(header);
    if (at == NULL || sscanf(at, "\r\nETag: %25s", tag) != 1)
        fail_msg("%s has no ETag", path);
    header = mem_printf("If-None-Match: %s\r\n", tag);
    char *again = ask("GET", path, header);
    assert_int_equal(code_of(again), 304);
    assert_non_null(strstr(again, tag));
    assert_string_equal(strstr(again, "\r\n\r\n"), "\r\n\r\n");
    free(again);
    struct board_told *told = begin();
    told[0].facts.activity = ACTIVITY_RUNNING;
    struct board_times *booked = book(&told[0], 500, 600);
    show(told);
    board_times_put(booked);
    again = ask("GET", path, header);
    assert_int_equal(code_of(again), 200);
    free(again);
    show_free(NULL);
    free(header);
    free(answer);
}

static void test_what_did_not_change_is_not_sent_again(void **state)
{
    (void)state;
    expect_kept(LIST, "public, max-age=1");
    expect_kept(LIST "/xrd-1", "public, max-age=1");
    expect_kept(LIST "/xrd-1.ics", "public, max-age=60");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_before_the_first_board_it_says_starting),
        cmocka_unit_test_setup(test_an_old_board_tells_nothing_of_now, show_free),
        cmocka_unit_test_setup(test_each_answer_is_the_boards, show_free),
        cmocka_unit_test(test_what_is_not_there_is_said),
        cmocka_unit_test(test_they_are_found_by_words_and_choices),
        cmocka_unit_test(test_pages_leave_nothing_out),
        cmocka_unit_test(test_now_is_for_as_long_as_it_is_wanted),
        cmocka_unit_test(test_several_have_the_next_time_in_common),
        cmocka_unit_test(test_a_feed_has_what_is_taken_and_no_names),
        cmocka_unit_test_setup(test_what_did_not_change_is_not_sent_again, show_free)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
