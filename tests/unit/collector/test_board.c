/* The board: what it copies and keeps, who holds it; and the one writer of an answer's JSON. */
#include "tests/unit/collector/made_up_board.h"

#include "collector/instrument/board_json.h"
#include "collector/model/park.h"

#include <pthread.h>

#define NOW MADE_UP_BOARD_NOW_MS
#define MINUTE INT64_C(60000)

static void test_every_instrument_stands_on_it_in_the_order_of_the_park(void **state)
{
    (void)state;
    struct board *b = made_up_board(made_up_board_model(), NULL, NOW);
    static const struct {
        const char *id;
        enum availability_status status;
    } expected[] = {{"xrd-1", AVAILABILITY_AVAILABLE}, {"sem-1", AVAILABILITY_AVAILABLE},
        {"hood-1", AVAILABILITY_AVAILABLE}, {"own-1", AVAILABILITY_NOT_SHARED}};
    assert_int_equal(b->count, 4);
    for (size_t i = 0; i < b->count; i++) {
        assert_string_equal(b->items[i].instrument->id, expected[i].id);
        assert_int_equal(b->items[i].answer.status, expected[i].status);
        assert_int_equal(b->items[i].answer.as_of_ms, NOW);
        assert_ptr_equal(board_find(b, expected[i].id), &b->items[i]);
    }
    assert_null(board_find(b, "xrd"));
    assert_null(board_find(b, ""));
    board_put(b);
}

static void test_what_it_was_made_of_may_go(void **state)
{
    (void)state;
    struct model *m = made_up_board_model();
    struct board_ground *ground = board_ground_create(m);
    struct board_told *told = made_up_told(m, NOW);
    struct availability_busy booked[] = {{NOW - 90 * MINUTE, NOW - 30 * MINUTE}, {NOW - 10 * MINUTE, NOW},
        {NOW + 60 * MINUTE, NOW + 90 * MINUTE}};
    struct availability_busy planned[] = {{NOW + 600 * MINUTE, NOW + 700 * MINUTE}};
    char category[] = "maintenance", note[] = "new seals";
    struct board_outage outage = {7, true, false, planned[0].from_ms, planned[0].until_ms, category, note};
    told[0].bookings = board_times_create((struct availability_list){booked, 3});
    told[0].facts.planned = (struct availability_list){planned, 1};
    told[0].outages = &outage;
    told[0].outage_count = 1;
    struct board *b = board_make(ground, told, NOW, 5, false);
    board_times_put(told[0].bookings);
    made_up_told_release(told, m);
    memset(booked, 0, sizeof booked);
    memset(planned, 0, sizeof planned);
    memset(category, 'x', sizeof category - 1);
    memset(note, 'x', sizeof note - 1);
    board_ground_put(ground);
    model_put(m);

    const struct board_item *item = board_find(b, "xrd-1");
    assert_int_equal(b->number, 5);
    assert_false(b->is_clock_synchronised);
    assert_int_equal(item->bookings.count, 1); /* those that are not over */
    assert_int_equal(item->bookings.items[0].from_ms, NOW + 60 * MINUTE);
    assert_int_equal(item->planned.items[0].from_ms, NOW + 600 * MINUTE);
    assert_string_equal(item->outages[0].category, "maintenance");
    assert_string_equal(item->outages[0].note, "new seals");
    assert_string_equal(item->resources[0].resource->id, "b1-water");
    assert_int_equal(zone_offset_s(item->zone, NOW), 8 * 3600);
    assert_int_equal(item->answer.status, AVAILABILITY_AVAILABLE);
    assert_int_equal(item->answer.free_until_ms, NOW + 60 * MINUTE);
    board_put(b);
}

static void test_resources_are_judged_by_whether_they_are_required(void **state)
{
    (void)state;
    struct model *m = made_up_board_model();
    struct board_ground *ground = board_ground_create(m);
    for (int which = 0; which < 2; which++) {
        struct board_told *told = made_up_told(m, NOW);
        struct board_resource *resources = (struct board_resource *)(uintptr_t)told[0].resources;
        resources[which].state.is_down = true;
        resources[which].state.since_ms = NOW - MINUTE;
        struct board *b = board_make(ground, told, NOW, 1, true);
        assert_int_equal(
            b->items[0].answer.status, which == 0 ? AVAILABILITY_OUT_OF_SERVICE : AVAILABILITY_DEGRADED);
        board_put(b);
        made_up_told_release(told, m);
    }
    board_ground_put(ground);
    model_put(m);
}

static void test_a_forgotten_session_is_open_no_more_and_activity_that_is_not_fresh_unknown(void **state)
{
    (void)state;
    struct model *m = made_up_board_model();
    struct board_told *told = made_up_told(m, NOW);
    told[0].facts.is_session_open = true;
    told[0].facts.session_since_ms = NOW - 13 * 60 * MINUTE;
    told[1].facts.power = availability_source_at(NOW, NOW - 10 * MINUTE, 10000);
    told[1].facts.activity = ACTIVITY_RUNNING;
    model_get(m);
    struct board *b = made_up_board(m, told, NOW);
    assert_false(b->items[0].is_session_open);
    assert_int_equal(b->items[0].session.quality, SOURCE_CONFLICT);
    assert_int_equal(b->items[0].answer.status, AVAILABILITY_UNKNOWN);
    assert_int_equal(b->items[1].activity, ACTIVITY_UNKNOWN);
    assert_int_equal(b->items[1].activity_since_ms, AVAILABILITY_NONE);
    assert_int_equal(b->items[1].answer.status, AVAILABILITY_UNKNOWN);
    board_put(b);
    made_up_told_release(told, m);
    model_put(m);
}

/* ---- who holds it ---- */

static struct board *numbered(uint64_t number)
{
    struct model *m = made_up_board_model();
    struct board_ground *ground = board_ground_create(m);
    struct board_told *told = made_up_told(m, NOW);
    struct board *b = board_make(ground, told, NOW, number, true);
    made_up_told_release(told, m);
    board_ground_put(ground);
    model_put(m);
    return b;
}

static void test_a_reader_keeps_its_board_when_a_newer_one_is_there(void **state)
{
    (void)state;
    struct board_box *box = board_box_create();
    assert_null(board_box_get(box));
    board_put(NULL);
    board_box_set(box, numbered(1));
    const struct board *old = board_box_get(box);
    board_box_set(box, numbered(2));
    const struct board *newest = board_box_get(box);
    assert_int_equal(old->number, 1);
    assert_string_equal(board_find(old, "sem-1")->instrument->name_en, "Electron microscope");
    board_put(old);
    board_box_destroy(box);
    board_box_destroy(NULL);
    assert_int_equal(newest->number, 2); /* a reference outlives the box */
    board_put(newest);
}

struct reader {
    struct board_box *box;
    uint64_t last;
};

static void *read_on(void *argument)
{
    struct reader *r = argument;
    bool is_ordered = true;
    while (r->last < 200) {
        const struct board *b = board_box_get(r->box);
        is_ordered = is_ordered && b->number >= r->last && board_find(b, "xrd-1") == b->items;
        r->last = b->number;
        board_put(b);
    }
    return is_ordered ? NULL : argument;
}

static void test_threads_read_while_it_is_replaced(void **state)
{
    (void)state;
    struct model *m = made_up_board_model();
    struct board_ground *ground = board_ground_create(m);
    struct board_told *told = made_up_told(m, NOW);
    struct board_box *box = board_box_create();
    board_box_set(box, board_make(ground, told, NOW, 1, true));
    struct reader readers[3];
    pthread_t threads[3];
    for (int i = 0; i < 3; i++) {
        readers[i] = (struct reader){.box = box};
        assert_int_equal(pthread_create(&threads[i], NULL, read_on, &readers[i]), 0);
    }
    for (uint64_t number = 2; number <= 200; number++)
        board_box_set(box, board_make(ground, told, NOW, number, true));
    for (int i = 0; i < 3; i++) {
        void *failed;
        assert_int_equal(pthread_join(threads[i], &failed), 0);
        assert_null(failed);
    }
    board_box_destroy(box);
    made_up_told_release(told, m);
    board_ground_put(ground);
    model_put(m);
}

/* ---- as JSON ---- */

static const char *text_at(const json_t *json, const char *key)
{
    const json_t *value = json_object_get(json, key);
    assert_non_null(value);
    return json_is_null(value) ? NULL : json_string_value(value);
}

static void test_the_json_says_all_that_the_answer_says(void **state)
{
    (void)state;
    struct model *m = made_up_board_model();
    struct board_told *told = made_up_told(m, NOW);
    struct availability_busy booked = {NOW + 60 * MINUTE, NOW + 90 * MINUTE};
    struct board_outage outage = {
        7, true, false, NOW + 600 * MINUTE, AVAILABILITY_NONE, "maintenance", "王工 knows"};
    told[0].bookings = board_times_create((struct availability_list){&booked, 1});
    told[0].outages = &outage;
    told[0].outage_count = 1;
    model_get(m);
    struct board *b = made_up_board(m, told, NOW);
    board_times_put(told[0].bookings);
    made_up_told_release(told, m);
    model_put(m);
    const struct board_item *item = board_find(b, "xrd-1");
    char *text = json_text(board_json(item));
    assert_null(strstr(text, "王工"));
    json_t *json = json_loads(text, 0, NULL);
    assert_non_null(json);
    static const char *const texts[][2] = {{"id", "xrd-1"}, {"name", "X射线衍射仪"},
        {"name_en", "X-ray diffractometer"}, {"status", "AVAILABLE"}, {"reason", "free"},
        {"since", "2026-09-21T21:13:20.000+08:00"}, {"free_until", "2026-09-21T23:13:20.000+08:00"},
        {"next_free", "2026-09-21T22:13:20.000+08:00"}, {"as_of", "2026-09-21T22:13:20.000+08:00"},
        {"activity", "standby"}, {"activity_since", "2026-09-21T21:13:20.000+08:00"}, {"model", "D8 Advance"},
        {"owner", "光芯科技"}, {"owner_en", "Guangxin Photonics"}, {"contact", "测试中心 8123"},
        {"booking_url", "https://lab.example.cn/xrd"}, {"terms", "仅限粉末样品"},
        {"terms_en", "Powder samples only"}, {"training", "上机培训两小时"},
        {"training_en", "Two hours of instruction"}, {"charges", "每小时 200 元"},
        {"charges_en", "200 yuan an hour"}, {"open", NULL}, {"location", "1号楼 302"},
        {"location_en", "Building 1, room 302"}};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        const char *said = text_at(json, texts[i][0]);
        if (texts[i][1] == NULL)
            assert_null(said);
        else
            assert_string_equal(said, texts[i][1]);
    }
    static const char *const named[][3] = {{"site", "cloud", "Cloud Science Park"},
        {"building", "b1", "Building 1"}, {"space", "b1-302", "Room 302"},
        {"category", "diffraction", "Diffraction"}};
    for (size_t i = 0; i < 4; i++) {
        assert_string_equal(text_at(json_object_get(json, named[i][0]), "id"), named[i][1]);
        assert_string_equal(text_at(json_object_get(json, named[i][0]), "name_en"), named[i][2]);
    }
    json_t *power = json_object_get(json_object_get(json, "sources"), "power");
    assert_string_equal(text_at(power, "quality"), "good");
    assert_string_equal(text_at(power, "last"), "2026-09-21T22:13:19.000+08:00");
    json_t *water = json_array_get(json_object_get(json, "resources"), 0),
           *argon = json_array_get(json_object_get(json, "resources"), 1);
    assert_string_equal(text_at(water, "state"), "up");
    assert_string_equal(text_at(water, "quality"), "good");
    assert_true(json_is_true(json_object_get(water, "required")));
    assert_null(text_at(argon, "quality"));
    json_t *planned = json_array_get(json_object_get(json, "outages"), 0);
    assert_string_equal(text_at(planned, "kind"), "planned");
    assert_string_equal(text_at(planned, "category"), "maintenance");
    assert_null(text_at(planned, "until"));
    assert_int_equal(json_integer_value(json_object_get(json, "minimum_slot_s")), 1800);
    json_decref(json);
    free(text);
    board_put(b);
}

static void test_the_json_of_an_instrument_with_sessions_alone_has_no_power(void **state)
{
    (void)state;
    struct board *b = made_up_board(made_up_board_model(), NULL, NOW);
    json_t *json = board_json(board_find(b, "hood-1"));
    assert_true(json_is_null(json_object_get(json_object_get(json, "sources"), "power")));
    assert_true(json_is_null(json_object_get(json_object_get(json, "sources"), "calendar")));
    assert_string_equal(text_at(json, "activity"), "unknown");
    assert_null(text_at(json, "activity_since"));
    assert_null(text_at(json, "free_until"));
    assert_true(json_is_null(json_object_get(json, "space")));
    json_decref(json);
    board_put(b);
}

static void test_the_json_of_one_that_is_not_shared_tells_nothing_of_what_it_does(void **state)
{
    (void)state;
    struct board *b = made_up_board(made_up_board_model(), NULL, NOW);
    const struct board_item *item = board_find(b, "own-1");
    assert_int_equal(item->activity, ACTIVITY_STANDBY);
    json_t *json = board_json(item);
    assert_string_equal(text_at(json, "status"), "NOT_SHARED");
    assert_string_equal(text_at(json, "activity"), "unknown");
    assert_null(text_at(json, "activity_since"));
    assert_true(json_is_null(json_object_get(json_object_get(json, "sources"), "power")));
    json_decref(json);
    board_put(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_instrument_stands_on_it_in_the_order_of_the_park),
        cmocka_unit_test(test_what_it_was_made_of_may_go),
        cmocka_unit_test(test_resources_are_judged_by_whether_they_are_required),
        cmocka_unit_test(test_a_forgotten_session_is_open_no_more_and_activity_that_is_not_fresh_unknown),
        cmocka_unit_test(test_a_reader_keeps_its_board_when_a_newer_one_is_there),
        cmocka_unit_test(test_threads_read_while_it_is_replaced),
        cmocka_unit_test(test_the_json_says_all_that_the_answer_says),
        cmocka_unit_test(test_the_json_of_an_instrument_with_sessions_alone_has_no_power),
        cmocka_unit_test(test_the_json_of_one_that_is_not_shared_tells_nothing_of_what_it_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
