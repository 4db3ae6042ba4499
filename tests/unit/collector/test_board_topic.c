/* Retained answers against a real mosquitto: when they go, what is retained, what a denial costs. */
#include "collector/board_topic.h"

#include "collector/instrument/board_json.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/thread.h"
#include "tests/unit/broker.h"
#include "tests/unit/collector/made_up_board.h"

#define NOW MADE_UP_BOARD_NOW_MS
#define PATIENCE_MS 30000
#define TOPIC "park/v1/public/instruments/"

static char folder[] = "/tmp/parkmon-test-topic-XXXXXX";

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t wake;
static bool has_event;

static void on_event(void *user_data)
{
    (void)user_data;
    pthread_mutex_lock(&lock);
    has_event = true;
    pthread_cond_signal(&wake);
    pthread_mutex_unlock(&lock);
}

/* For what the library has to say, at most so long. */
static void wait_for_event(int64_t ms)
{
    int64_t until_mono_ms = clock_system.mono_ms() + ms;
    pthread_mutex_lock(&lock);
    while (!has_event && clock_system.mono_ms() < until_mono_ms)
        thread_wait_until(&wake, &lock, until_mono_ms);
    has_event = false;
    pthread_mutex_unlock(&lock);
}

struct scene {
    struct broker broker;
    struct mqtt *mqtt;
    struct board_topic topic;
    struct board_box *box;
    struct model *model;
    struct board_ground *ground;
    struct board_told *told;
    int64_t now_mono_ms; /* the topic's, which the test moves */
};

static void begin(struct scene *s, const char *settings)
{
    *s = (struct scene){.broker = broker_start(folder, settings), .now_mono_ms = 1000000};
    struct mqtt_options options = {.host = "127.0.0.1",
        .port = s->broker.port,
        .client_id = "park-collector-test",
        .keep_alive_s = 30,
        .retry_min_ms = 20,
        .retry_max_ms = 200,
        .on_event = on_event};
    s->mqtt = mqtt_create(&options);
    s->box = board_box_create();
    s->model = made_up_board_model();
    s->ground = board_ground_create(s->model);
    s->told = made_up_told(s->model, NOW);
}

static void end(struct scene *s)
{
    mqtt_destroy(s->mqtt);
    board_topic_release(&s->topic);
    board_box_destroy(s->box);
    made_up_told_release(s->told, s->model);
    board_ground_put(s->ground);
    model_put(s->model);
    broker_stop(&s->broker);
}

static void show(struct scene *s, int64_t now_ms, uint64_t number)
{
    board_box_set(s->box, board_make(s->ground, s->told, now_ms, number, true));
}

/* Until it has nothing to send of this board, and all is confirmed; false = it never has. */
static bool settles(struct scene *s, int64_t patience_ms)
{
    int64_t deadline = clock_system.mono_ms() + patience_ms;
    while (clock_system.mono_ms() < deadline) {
        mqtt_tick(s->mqtt, clock_system.mono_ms());
        board_topic_send(&s->topic, s->mqtt, s->box, s->now_mono_ms);
        bool is_confirmed = mqtt_state(s->mqtt) == MQTT_READY && mqtt_unconfirmed(s->mqtt) == 0;
        if (is_confirmed && s->topic.board != NULL && s->topic.done == s->topic.board->number)
            return true;
        wait_for_event(20);
    }
    return false;
}

static const char *retained(const struct scene *s, const char *instrument)
{
    char topic[96];
    snprintf(topic, sizeof topic, TOPIC "%s", instrument);
    return broker_retained(&s->broker, topic);
}

static bool says(const struct scene *s, const char *instrument, const char *text)
{
    return strstr(retained(s, instrument), text) != NULL;
}

static void test_each_answer_is_retained_and_follows_what_changes(void **state)
{
    (void)state;
    struct scene s;
    begin(&s, BROKER_OPEN);
    show(&s, NOW, 1);
    assert_true(settles(&s, PATIENCE_MS));
    assert_true(says(&s, "xrd-1", "\"status\":\"AVAILABLE\""));
    assert_true(says(&s, "own-1", "\"status\":\"NOT_SHARED\""));
    s.told[0].facts.is_session_open = true;
    s.told[0].facts.session_since_ms = NOW + 500;
    s.now_mono_ms += 1000;
    show(&s, NOW + 1000, 2);
    assert_true(settles(&s, PATIENCE_MS));
    assert_true(says(&s, "xrd-1", "\"status\":\"IN_USE\""));
    /* Nothing is new of the others: they stand as they were. */
    assert_true(says(&s, "sem-1", "\"as_of\":\"2026-09-21T22:13:20.000+08:00\""));
    end(&s);
}

static void test_what_is_not_new_goes_again_within_a_minute(void **state)
{
    (void)state;
    struct scene s;
    begin(&s, BROKER_OPEN);
    show(&s, NOW, 1);
    assert_true(settles(&s, PATIENCE_MS));
    s.now_mono_ms += BOARD_TOPIC_AGAIN_MS / 2 - 1;
    show(&s, NOW + BOARD_TOPIC_AGAIN_MS / 2 - 1, 2);
    assert_true(settles(&s, PATIENCE_MS));
    assert_true(says(&s, "sem-1", "22:13:20.000+08:00\""));
    s.now_mono_ms += BOARD_TOPIC_AGAIN_MS / 2 + 1;
    show(&s, NOW + BOARD_TOPIC_AGAIN_MS, 3);
    assert_true(settles(&s, PATIENCE_MS));
    assert_true(says(&s, "sem-1", "\"as_of\":\"2026-09-21T22:14:20.000+08:00\""));
    assert_true(says(&s, "xrd-1", "\"as_of\":\"2026-09-21T22:14:20.000+08:00\""));
    end(&s);
}

static void test_what_left_the_model_is_retained_no_more(void **state)
{
    (void)state;
    struct scene s;
    begin(&s, BROKER_OPEN);
    broker_publish(&s.broker, TOPIC "old-1", "{}", true);
    assert_true(says(&s, "old-1", "{}"));
    board_topic_remove(&s.topic, mem_strdup("old-1"));
    show(&s, NOW, 1);
    assert_true(settles(&s, PATIENCE_MS));
    assert_string_equal(retained(&s, "old-1"), "");
    end(&s);
}

static void test_a_broker_that_begins_anew_gets_all_again(void **state)
{
    (void)state;
    struct scene s;
    begin(&s, BROKER_OPEN);
    show(&s, NOW, 1);
    assert_true(settles(&s, PATIENCE_MS));
    broker_stop(&s.broker);
    int64_t deadline = clock_system.mono_ms() + PATIENCE_MS;
    while (mqtt_state(s.mqtt) == MQTT_READY && clock_system.mono_ms() < deadline) {
        wait_for_event(20);
        mqtt_tick(s.mqtt, clock_system.mono_ms());
    }
    broker_again(&s.broker, folder, BROKER_OPEN);
    s.now_mono_ms += 1000;
    show(&s, NOW + 1000, 2);
    assert_true(settles(&s, PATIENCE_MS));
    assert_true(says(&s, "hood-1", "\"as_of\":\"2026-09-21T22:13:21.000+08:00\""));
    end(&s);
}

/* A retained message that expires has what is left of that in its properties. */
static void test_it_expires(void **state)
{
    (void)state;
    struct scene s;
    begin(&s, BROKER_OPEN);
    show(&s, NOW, 1);
    assert_true(settles(&s, PATIENCE_MS));
    char command[256], line[64] = "";
    snprintf(command, sizeof command,
        "mosquitto_sub -V 5 -h 127.0.0.1 -p %d -q 1 -W 20 -C 1 -t " TOPIC "sem-1 -F %%E", s.broker.port);
    FILE *f = popen(command, "re");
    assert_non_null(f);
    assert_non_null(fgets(line, sizeof line, f));
    assert_int_equal(pclose(f), 0);
    long left = strtol(line, NULL, 10);
    assert_true(left > 0 && left <= BOARD_TOPIC_EXPIRY_S);
    end(&s);
}

static void test_where_the_broker_denies_it_one_is_tried_each_minute(void **state)
{
    (void)state;
    char path[96], settings[256];
    snprintf(path, sizeof path, "%s/acl", folder);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs("topic read park/v1/public/#\ntopic readwrite test/#\n", f);
    fclose(f);
    snprintf(settings, sizeof settings, BROKER_OPEN "acl_file %s\n", path);
    struct scene s;
    begin(&s, settings);
    show(&s, NOW, 1);
    assert_false(settles(&s, 1500));
    assert_true(mqtt_denies(s.mqtt, TOPIC "xrd-1"));
    for (int minute = 1; minute <= 2; minute++) {
        s.now_mono_ms += BOARD_TOPIC_AGAIN_MS;
        show(&s, NOW + minute * BOARD_TOPIC_AGAIN_MS, (uint64_t)minute + 1);
        assert_false(settles(&s, 300));
    }
    assert_false(mqtt_denies(s.mqtt, TOPIC "sem-1")); /* it never was asked for */
    assert_string_equal(retained(&s, "sem-1"), "");
    end(&s);
    unlink(path);
}

static int make_folder(void **state)
{
    (void)state;
    thread_cond_init(&wake);
    return mkdtemp(folder) != NULL ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_answer_is_retained_and_follows_what_changes),
        cmocka_unit_test(test_what_is_not_new_goes_again_within_a_minute),
        cmocka_unit_test(test_what_left_the_model_is_retained_no_more),
        cmocka_unit_test(test_a_broker_that_begins_anew_gets_all_again),
        cmocka_unit_test(test_it_expires),
        cmocka_unit_test(test_where_the_broker_denies_it_one_is_tried_each_minute),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
