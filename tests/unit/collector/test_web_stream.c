/* The hub without an HTTP library: a connection is a struct that remembers whether it is suspended. */
#include "collector/web/stream.h"
#include "lib/clock.h"
#include "tests/unit/collector/made_up.h"

#include <pthread.h>
#include <time.h>

struct connection {
    bool is_suspended;
    int64_t resumed_mono_ms;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static int made;        /* events */
static size_t made_len; /* of each, 0 = short */

static void suspend(void *connection)
{
    pthread_mutex_lock(&mutex);
    ((struct connection *)connection)->is_suspended = true;
    pthread_mutex_unlock(&mutex);
}

static void resume(void *connection)
{
    pthread_mutex_lock(&mutex);
    ((struct connection *)connection)->is_suspended = false;
    ((struct connection *)connection)->resumed_mono_ms = clock_system.mono_ms();
    pthread_cond_signal(&cond);
    pthread_mutex_unlock(&mutex);
}

static char *make_event(void *user_data)
{
    (void)user_data;
    made++;
    return mem_printf("event %d%*s\n\n", made, (int)made_len, "");
}

static struct stream_hub *create(void)
{
    made = 0;
    made_len = 0;
    return stream_hub_create(&(struct stream_hub_options){NULL, make_event, suspend, resume});
}

static void await_resume(struct connection *c)
{
    struct timespec deadline;
    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += 10;
    pthread_mutex_lock(&mutex);
    while (c->is_suspended)
        assert_int_equal(pthread_cond_timedwait(&cond, &mutex, &deadline), 0);
    pthread_mutex_unlock(&mutex);
}

static void expect_text(struct stream *s, const char *text)
{
    char data[64];
    ssize_t n = stream_read(s, data, sizeof data - 1);
    assert_true(n >= 0);
    data[n] = '\0';
    assert_string_equal(data, text);
}

static void test_a_newcomer_gets_the_state_of_now_and_then_every_news(void **state)
{
    (void)state;
    struct stream_hub *hub = create();
    struct connection c = {0};
    struct stream *s = stream_open(hub, &c);
    expect_text(s, "event 1\n\n");
    expect_text(s, "");
    assert_true(c.is_suspended);
    stream_hub_wake(hub);
    await_resume(&c);
    expect_text(s, "event 2\n\n");
    expect_text(s, "");
    stream_close(s);
    stream_hub_stop(hub);
    stream_hub_destroy(hub);
}

static void test_many_publishes_make_at_most_two_events_a_second(void **state)
{
    (void)state;
    struct stream_hub *hub = create();
    struct connection c = {0};
    struct stream *s = stream_open(hub, &c);
    expect_text(s, "event 1\n\n");
    int64_t start_ms = clock_system.mono_ms();
    int events = 0;
    while (events < 3) {
        stream_hub_wake(hub);
        char data[64];
        if (stream_read(s, data, sizeof data) > 0) {
            events++;
        } else {
            stream_hub_wake(hub);
            await_resume(&c);
        }
    }
    assert_true(clock_system.mono_ms() - start_ms >= 2 * STREAM_INTERVAL_MS);
    stream_close(s);
    stream_hub_stop(hub);
    stream_hub_destroy(hub);
}

static void test_a_slow_reader_finishes_its_event_and_skips_to_the_newest(void **state)
{
    (void)state;
    struct stream_hub *hub = create();
    struct connection slow = {0}, fast = {0};
    made_len = 40;
    struct stream *s = stream_open(hub, &slow);
    char data[8];
    assert_int_equal(stream_read(s, data, sizeof data), 8); /* the beginning of event 1 */
    made_len = 0;
    struct stream *f = stream_open(hub, &fast);
    expect_text(f, "event 2\n\n");
    for (int i = 3; i <= 5; i++) {
        expect_text(f, "");
        stream_hub_wake(hub);
        await_resume(&fast);
        char text[32];
        snprintf(text, sizeof text, "event %d\n\n", i);
        expect_text(f, text);
    }
    size_t rest = 0;
    for (ssize_t n; rest < strlen("event 1") + 40 + 2 - 8; rest += (size_t)n) {
        n = stream_read(s, data, sizeof data);
        assert_true(n > 0);
    }
    expect_text(s, "event 5\n\n");
    assert_int_equal(made, 5); /* the one that both read was made once */
    stream_close(s);
    stream_close(f);
    stream_hub_stop(hub);
    stream_hub_destroy(hub);
}

static int by_time(const void *a, const void *b)
{
    const struct connection *x = a, *y = b;
    return (x->resumed_mono_ms > y->resumed_mono_ms) - (x->resumed_mono_ms < y->resumed_mono_ms);
}

static void test_all_streams_have_the_news_and_few_are_woken_at_once(void **state)
{
    (void)state;
    enum { MANY = 7 * STREAM_PORTION + 3 };
    struct stream_hub *hub = create();
    static struct connection connections[MANY];
    struct stream *streams[MANY];
    for (int i = 0; i < MANY; i++) {
        char text[32];
        streams[i] = stream_open(hub, &connections[i]);
        snprintf(text, sizeof text, "event %d\n\n", i + 1);
        expect_text(streams[i], text);
        expect_text(streams[i], "");
        assert_true(connections[i].is_suspended);
    }
    assert_int_equal(made, 115);
    stream_hub_wake(hub);
    for (int i = 0; i < MANY; i++) {
        await_resume(&connections[i]);
        expect_text(streams[i], "event 116\n\n"); /* made once for all */
        expect_text(streams[i], "");
    }
    qsort(connections, MANY, sizeof connections[0], by_time);
    for (int i = STREAM_PORTION; i < MANY; i++)
        assert_true(connections[i].resumed_mono_ms - connections[i - STREAM_PORTION].resumed_mono_ms >=
                    STREAM_PORTION_MS);
    for (int i = 0; i < MANY; i++)
        stream_close(streams[i]);
    stream_hub_stop(hub);
    stream_hub_destroy(hub);
}

static void test_streams_are_limited_and_end_with_the_hub(void **state)
{
    (void)state;
    struct stream_hub *hub = create();
    static struct connection connections[STREAMS_MAX + 1];
    struct stream *streams[STREAMS_MAX];
    for (int i = 0; i < STREAMS_MAX; i++)
        assert_non_null(streams[i] = stream_open(hub, &connections[i]));
    assert_null(stream_open(hub, &connections[STREAMS_MAX]));
    assert_int_equal(stream_hub_count(hub), STREAMS_MAX);
    stream_close(streams[7]);
    assert_non_null(streams[7] = stream_open(hub, &connections[7]));
    expect_text(streams[0], "event 1\n\n");
    expect_text(streams[0], "");
    assert_true(connections[0].is_suspended);
    stream_hub_stop(hub);
    assert_false(connections[0].is_suspended);
    char data[64];
    assert_int_equal(stream_read(streams[0], data, sizeof data), -1);
    for (int i = 0; i < STREAMS_MAX; i++)
        stream_close(streams[i]);
    assert_null(stream_open(hub, &connections[0]));
    stream_hub_destroy(hub);
    stream_hub_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_newcomer_gets_the_state_of_now_and_then_every_news),
        cmocka_unit_test(test_many_publishes_make_at_most_two_events_a_second),
        cmocka_unit_test(test_a_slow_reader_finishes_its_event_and_skips_to_the_newest),
        cmocka_unit_test(test_all_streams_have_the_news_and_few_are_woken_at_once),
        cmocka_unit_test(test_streams_are_limited_and_end_with_the_hub),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
