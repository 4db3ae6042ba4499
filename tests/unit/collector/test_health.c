#include "collector/live/health.h"

#include "collector/alarm/words.h"
#include "tests/unit/collector/made_up.h"

/* One thing that is wrong, and what must be said of it. */
struct fault {
    const char *code, *word;
    enum health_level level;
    void (*break_snapshot)(struct snapshot *s);
    enum store_health store;
    int64_t heartbeat_age_ms;
};

static void stop_accepting(struct snapshot *s)
{
    s->is_accepting = false;
    snprintf(s->reason, sizeof s->reason, "disk full");
}

static void drop_broker(struct snapshot *s)
{
    s->is_broker_connected = false;
}

static void fill_database(struct snapshot *s)
{
    s->database_bytes = s->database_limit_bytes - 1;
}

static void fill_outbox(struct snapshot *s)
{
    s->outbox_limit_bytes = 100 << 20;
    s->outbox_bytes = 91 << 20;
}

static void pile_up(struct snapshot *s)
{
    s->journal_end = 1234;
}

static void lag_in_books(struct snapshot *s)
{
    s->ledger_behind_ms = 11 * 60 * 1000;
}

static void set_meter_aside(struct snapshot *s)
{
    snprintf(s->ledger_aside, sizeof s->ledger_aside, "b3.main");
}

static void close_ears(struct snapshot *s)
{
    snprintf(s->receivers_deaf, sizeof s->receivers_deaf, "duty, mail");
}

static void doubt_clock(struct snapshot *s)
{
    s->is_clock_synchronised = false;
}

static void wait_for_clock(struct snapshot *s)
{
    s->is_clock_synchronised = false;
    snapshot_gateways(s)[1].is_untimely = true;
}

static void lag_in_pruning(struct snapshot *s)
{
    s->prune_behind_ms = INT64_C(72) * 3600 * 1000;
}

/* Of the store, not of the snapshot: see judge. */
static void differ(struct snapshot *s)
{
    (void)s;
}

static void lose(struct snapshot *s)
{
    snapshot_gateways(s)[0].lost_ms = s->made_ms - 1;
}

static void quarantine(struct snapshot *s)
{
    snapshot_gateways(s)[1].quarantined_ms = s->made_ms - 3599999;
}

static void silence_gateway(struct snapshot *s)
{
    snapshot_gateways(s)[1].is_online = false;
}

static void wait_for_clock_behind(struct snapshot *s)
{
    s->is_clock_behind = true;
    snapshot_gateways(s)[1].is_untimely = true;
}

static void put_clock_behind(struct snapshot *s)
{
    s->is_clock_behind = true;
}

static void unsynchronise_gateway(struct snapshot *s)
{
    snapshot_gateways(s)[0].is_clock_synchronised = false;
}

static void stop_counting(struct snapshot *s)
{
    (void)s;
}

static const struct fault faults[] = {
    {"core_stalled", "31 s", HEALTH_FAILING, NULL, STORE_OK, 31000},
    {"not_accepting", "disk full", HEALTH_FAILING, stop_accepting, STORE_OK, 0},
    {"broker_disconnected", "broker", HEALTH_DEGRADED, drop_broker, STORE_OK, 0},
    {"store_starting", "store", HEALTH_DEGRADED, NULL, STORE_STARTING, 0},
    {"store_configuration", "its words", HEALTH_DEGRADED, NULL, STORE_CONFIGURATION, 0},
    {"store_unavailable", "its words", HEALTH_DEGRADED, NULL, STORE_UNAVAILABLE, 0},
    {"database_nearly_full", "1023 of at most 1024 MiB", HEALTH_DEGRADED, fill_database, STORE_OK, 0},
    {"outbox_nearly_full", "91 of at most 100 MiB", HEALTH_DEGRADED, fill_outbox, STORE_OK, 0},
    {"store_backlog",
        "1234 batches wait for the time-series store, the oldest for 11 min; the database holds 1 "
        "of at most 1024 MiB",
        HEALTH_DEGRADED, pile_up, STORE_OK, 0},
    {"ledger_behind", "for 11 min", HEALTH_DEGRADED, lag_in_books, STORE_OK, 0},
    {"ledger_aside", "b3.main", HEALTH_DEGRADED, set_meter_aside, STORE_OK, 0},
    {"alarm_receivers", "duty, mail", HEALTH_DEGRADED, close_ears, STORE_OK, 0},
    {"collector_clock", "nothing is pruned", HEALTH_DEGRADED, doubt_clock, STORE_OK, 0},
    {"collector_clock", "behind what arrived before", HEALTH_DEGRADED, put_clock_behind, STORE_OK, 0},
    {"collector_clock_ahead", "not acknowledged: gw2", HEALTH_FAILING, wait_for_clock, STORE_OK, 0},
    {"collector_clock_ahead", "behind what arrived before", HEALTH_FAILING, wait_for_clock_behind, STORE_OK,
        0},
    {"pruning_behind", "3 days", HEALTH_DEGRADED, lag_in_pruning, STORE_OK, 0},
    {"store_differs", "register, 2026-10-05T08:00Z: 361 / 360", HEALTH_DEGRADED, differ, STORE_OK, 0},
    {"store_uncounted", "does not answer a count: not you", HEALTH_DEGRADED, stop_counting, STORE_OK, 0},
    {"losses", "losses recorded in the last 7 days", HEALTH_DEGRADED, lose, STORE_OK, 0},
    {"quarantine", "gw2", HEALTH_DEGRADED, quarantine, STORE_OK, 0},
    {"gateways_offline", "gw2", HEALTH_DEGRADED, silence_gateway, STORE_OK, 0},
    {"gateway_clock", "gw1", HEALTH_DEGRADED, unsynchronise_gateway, STORE_OK, 0},
};

/* Of the collector alone, in `ret_own`: codes. */
static enum health_level judge_both(const struct fault *fault, json_t **ret_reasons, struct buf *ret_own)
{
    struct snapshot *s = made_up_snapshot(park, NULL, 0, MADE_UP_NOW_MS);
    if (fault->break_snapshot)
        fault->break_snapshot(s);
    struct overview o;
    overview_init(&o, s, MADE_UP_NOW_MS);
    /* Matters only where batches wait. */
    struct store_status store = {
        .health = fault->store, .text = "its words", .waiting_since_ms = MADE_UP_NOW_MS - 660000};
    if (fault->break_snapshot == differ) {
        store.hours_different = 2;
        snprintf(store.different, sizeof store.different, "register, 2026-10-05T08:00Z: 361 / 360");
    }
    if (fault->break_snapshot == stop_counting) {
        store.uncounted_since_ms = MADE_UP_NOW_MS - 600001;
        snprintf(store.uncounted, sizeof store.uncounted, "not you");
    }
    struct health_input input = {&o, &store, fault->heartbeat_age_ms};
    enum health_level level = health_judge(&input, ret_reasons);
    overview_release(&o);
    struct overview bare = {.snapshot = s, .now_ms = MADE_UP_NOW_MS};
    input.overview = &bare;
    enum health_level own = health_judge_collector(&input, ret_own);
    assert_int_equal(own, ret_own->len > 0 ? level : HEALTH_READY);
    snapshot_put(s);
    return level;
}

static enum health_level judge(const struct fault *fault, json_t **ret_reasons)
{
    struct buf own = {0};
    enum health_level level = judge_both(fault, ret_reasons, &own);
    buf_release(&own);
    return level;
}

static void test_a_park_in_order_is_ready_without_reasons(void **state)
{
    (void)state;
    json_t *reasons;
    assert_int_equal(
        judge(&(struct fault){.store = STORE_OK, .heartbeat_age_ms = 30000}, &reasons), HEALTH_READY);
    assert_int_equal(json_array_size(reasons), 0);
    json_decref(reasons);
}

static void know_nothing_of_a_gateway(struct snapshot *s)
{
    silence_gateway(s);
    snapshot_gateways(s)[1].is_presence_known = false;
}

/* Just started, or without a broker, which is a reason of its own. */
static void test_a_gateway_that_had_no_time_to_speak_is_no_reason(void **state)
{
    (void)state;
    json_t *reasons;
    assert_int_equal(
        judge(&(struct fault){.break_snapshot = know_nothing_of_a_gateway, .store = STORE_OK}, &reasons),
        HEALTH_READY);
    json_decref(reasons);
}

static void test_each_fault_is_told_by_its_code_and_in_words(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        json_t *reasons;
        enum health_level level = judge(&faults[i], &reasons);
        assert_int_equal(json_array_size(reasons), 1);
        json_t *reason = json_array_get(reasons, 0);
        assert_string_equal(json_string_value(json_object_get(reason, "code")), faults[i].code);
        assert_non_null(strstr(json_string_value(json_object_get(reason, "message")), faults[i].word));
        assert_int_equal(level, faults[i].level);
        json_decref(reasons);
    }
}

/* Pages show the detail: in it are ids and numbers, and no words of another program. */
static void test_another_programs_words_are_in_the_message_alone(void **state)
{
    (void)state;
    static const char *const words[] = {"its words", "not you", "disk full"};
    int said = 0;
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        json_t *reasons;
        judge(&faults[i], &reasons);
        json_t *reason = json_array_get(reasons, 0);
        const char *detail = json_string_value(json_object_get(reason, "detail"));
        for (size_t w = 0; w < sizeof words / sizeof words[0]; w++) {
            said += strstr(json_string_value(json_object_get(reason, "message")), words[w]) != NULL;
            assert_true(detail == NULL || strstr(detail, words[w]) == NULL);
        }
        json_decref(reasons);
    }
    assert_int_equal(said, 4);
}

/* Messages say of a code what pages say. */
static void expect_words_of_pages(const char *code)
{
    static const char *const files[ALARM_LANGUAGES] = {"zh-CN", "en"};
    const char *source = getenv("PARKMON_SOURCE");
    char *key = mem_printf("reason_%s", code);
    for (int language = 0; language < ALARM_LANGUAGES; language++) {
        char *path = mem_printf("%s/dashboards/web/%s.json", source != NULL ? source : ".", files[language]);
        json_t *texts = json_load_file(path, 0, NULL);
        const char *words = json_string_value(json_object_get(texts, key));
        assert_non_null(words);
        assert_string_equal(alarm_ill_word(code, (enum alarm_language)language), words);
        json_decref(texts);
        free(path);
    }
    free(key);
}

/* What has an alarm of its own, or nobody could be told of. */
static void test_of_itself_it_says_the_same_without_gateways_and_receivers(void **state)
{
    (void)state;
    static const char *const others[] = {
        "losses", "quarantine", "gateways_offline", "gateway_clock", "alarm_receivers"};
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        json_t *reasons;
        struct buf own = {0};
        bool is_own = true;
        for (size_t k = 0; k < sizeof others / sizeof others[0]; k++)
            is_own = is_own && strcmp(faults[i].code, others[k]) != 0;
        judge_both(&faults[i], &reasons, &own);
        assert_string_equal(own.len > 0 ? own.data : "", is_own ? faults[i].code : "");
        if (is_own && strcmp(faults[i].code, "core_stalled") != 0)
            expect_words_of_pages(faults[i].code);
        buf_release(&own);
        json_decref(reasons);
    }
}

static void watch_by_a_wrong_clock(struct snapshot *s)
{
    s->counters.alarm_rules = 3;
    s->is_clock_behind = true;
}

static void watch_by_a_clock_that_is_not_synchronised(struct snapshot *s)
{
    s->counters.alarm_rules = 3;
    s->is_clock_synchronised = false;
}

static void test_by_a_clock_that_may_be_wrong_alarms_are_said_to_be_off(void **state)
{
    (void)state;
    void (*const breaks[])(struct snapshot *) = {
        watch_by_a_wrong_clock, watch_by_a_clock_that_is_not_synchronised};
    for (int i = 0; i < 2; i++) {
        json_t *reasons;
        struct buf own = {0};
        assert_int_equal(
            judge_both(&(struct fault){.break_snapshot = breaks[i], .store = STORE_OK}, &reasons, &own),
            HEALTH_DEGRADED);
        assert_string_equal(own.data, "collector_clock,alarms_off");
        expect_words_of_pages("alarms_off");
        assert_int_equal(json_array_size(reasons), 2);
        buf_release(&own);
        json_decref(reasons);
    }
}

static void test_before_the_first_snapshot_it_is_failing(void **state)
{
    (void)state;
    json_t *reasons;
    assert_int_equal(health_judge(&(struct health_input){0}, &reasons), HEALTH_FAILING);
    assert_string_equal(json_string_value(json_object_get(json_array_get(reasons, 0), "code")), "starting");
    json_decref(reasons);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_park_in_order_is_ready_without_reasons),
        cmocka_unit_test(test_a_gateway_that_had_no_time_to_speak_is_no_reason),
        cmocka_unit_test(test_each_fault_is_told_by_its_code_and_in_words),
        cmocka_unit_test(test_another_programs_words_are_in_the_message_alone),
        cmocka_unit_test(test_of_itself_it_says_the_same_without_gateways_and_receivers),
        cmocka_unit_test(test_by_a_clock_that_may_be_wrong_alarms_are_said_to_be_off),
        cmocka_unit_test(test_before_the_first_snapshot_it_is_failing),
    };
    return cmocka_run_group_tests(tests, made_up_set_up, made_up_tear_down);
}
