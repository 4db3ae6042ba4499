/* agent/deliver/window: alone, and against a model of a network that loses and a collector that restarts and
 * is restored. */
#include "agent/deliver/window.h"
#include "tests/unit/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PROBE_MS 30000
#define KIB 1024

static int64_t publish(struct window *w, int32_t bytes, int64_t now)
{
    int64_t seq = window_next(w, now);
    if (seq == 0 || !window_fits(w, seq, bytes))
        return 0;
    window_published(w, seq, bytes, now);
    return seq;
}

static void publish_until(struct window *w, int64_t last, int64_t now)
{
    for (int64_t seq = w->next; seq <= last; seq++)
        assert_int_equal(publish(w, 100, now), seq);
    assert_int_equal(publish(w, 100, now), 0);
}

static void test_batches_go_out_in_order_from_behind_the_mark(void **state)
{
    (void)state;
    struct window w;
    window_init(&w, 41, 44, PROBE_MS);
    publish_until(&w, 44, 0);
    window_cut(&w, 45);
    publish_until(&w, 45, 0);
}

static void test_never_more_than_sixteen_batches_are_out(void **state)
{
    (void)state;
    struct window w;
    window_init(&w, 0, 100, PROBE_MS);
    publish_until(&w, 16, 0);
    assert_true(window_acknowledge(&w, 3, false, 1));
    publish_until(&w, 19, 1);
    assert_int_equal(window_room(&w), 0);
}

static void test_room_for_cutting_is_what_the_window_lacks(void **state)
{
    (void)state;
    struct window w;
    window_init(&w, 10, 10, PROBE_MS);
    assert_int_equal(window_room(&w), 16);
    window_cut(&w, 25);
    assert_int_equal(window_room(&w), 1);
    window_acknowledge(&w, 20, false, 0);
    assert_int_equal(window_room(&w), 11);
}

static void test_never_more_than_512_kib_are_out_but_one_always_may(void **state)
{
    (void)state;
    struct window w;
    window_init(&w, 0, 100, PROBE_MS);
    assert_int_equal(publish(&w, 256 * KIB, 0), 1);
    assert_int_equal(publish(&w, 256 * KIB, 0), 2);
    assert_int_equal(publish(&w, 1, 0), 0);
    window_acknowledge(&w, 1, false, 0);
    assert_int_equal(publish(&w, 256 * KIB + 1, 0), 0);
    assert_int_equal(publish(&w, 256 * KIB, 0), 3);
    window_acknowledge(&w, 3, false, 0);
    assert_int_equal(publish(&w, 600 * KIB, 0), 4);
}

static void test_an_acknowledgement_only_raises_the_mark(void **state)
{
    (void)state;
    struct window w;
    window_init(&w, 5, 30, PROBE_MS);
    publish_until(&w, 21, 0);
    assert_true(window_acknowledge(&w, 9, false, 0));
    assert_false(window_acknowledge(&w, 7, false, 0));
    assert_false(window_acknowledge(&w, 9, false, 0));
    assert_int_equal(w.mark, 9);
    assert_true(
        window_acknowledge(&w, 99, false, 0)); /* of an earlier epoch's end, say: never beyond what is cut */
    assert_int_equal(w.mark, 30);
    assert_int_equal(window_next(&w, 0), 0);
}

static void test_a_duplicate_acknowledgement_sends_nothing_again(void **state)
{
    (void)state;
    struct window w;
    window_init(&w, 0, 10, PROBE_MS);
    publish_until(&w, 10, 0);
    window_acknowledge(&w, 4, false, 0);
    assert_false(window_acknowledge(&w, 4, false, 1));
    assert_int_equal(window_next(&w, 1), 0);
}

static void test_a_new_connection_starts_behind_the_mark(void **state)
{
    (void)state;
    struct window w;
    window_init(&w, 0, 10, PROBE_MS);
    publish_until(&w, 10, 0);
    window_acknowledge(&w, 4, false, 0);
    window_restart(&w);
    assert_int_equal(window_deadline(&w), INT64_MAX);
    publish_until(&w, 10, 5);
    assert_int_equal(w.next, 11);
}

static void test_a_refusal_goes_back_even_below_the_mark(void **state)
{
    (void)state;
    struct window w;
    window_init(&w, 50, 60, PROBE_MS);
    publish_until(&w, 60, 0);
    assert_true(window_refuse(&w, 42, 1, 10));
    assert_int_equal(w.mark, 42);
    publish_until(&w, 58, 10);
}

static void test_a_refusal_goes_no_further_back_than_what_is_held(void **state)
{
    (void)state;
    struct window w;
    window_init(&w, 50, 60, PROBE_MS);
    assert_true(window_refuse(&w, 3, 31, 10));
    assert_int_equal(w.mark, 30);
    assert_int_equal(window_next(&w, 10), 31);
}

static void test_a_refusal_of_what_was_never_cut_is_ignored(void **state)
{
    (void)state;
    struct window w;
    window_init(&w, 50, 60, PROBE_MS);
    assert_false(window_refuse(&w, 61, 1, 10));
    assert_int_equal(w.mark, 50);
}

static void test_refusals_are_obeyed_once_a_second_and_none_is_forgotten(void **state)
{
    (void)state;
    struct window w;
    window_init(&w, 0, 10, PROBE_MS);
    publish_until(&w, 10, 0);
    assert_true(window_refuse(&w, 0, 1, 1000));
    publish_until(&w, 10, 1000);
    assert_false(window_refuse(&w, 2, 1, 1999));
    assert_int_equal(window_next(&w, 1999), 0);
    assert_int_equal(window_deadline(&w), 2000);
    assert_false(window_tick(&w, 1, 1999));
    assert_true(window_tick(&w, 1, 2000));
    assert_int_equal(w.mark, 2);
    publish_until(&w, 10, 2000);
    assert_false(window_tick(&w, 1, 9000));
    assert_true(window_refuse(&w, 2, 1, 3000));
}

static void test_an_acknowledgement_makes_a_held_refusal_void(void **state)
{
    (void)state;
    struct window w;
    window_init(&w, 0, 10, PROBE_MS);
    publish_until(&w, 10, 0);
    window_refuse(&w, 0, 1, 1000);
    publish_until(&w, 10, 1000);
    window_refuse(&w, 1, 1, 1500);
    window_acknowledge(&w, 8, false, 1600);
    assert_false(window_tick(&w, 1, 2500));
    assert_int_equal(w.mark, 8);
}

static void test_silence_probes_with_the_lowest_alone_at_doubling_intervals(void **state)
{
    (void)state;
    struct window w;
    window_init(&w, 0, 12, PROBE_MS);
    publish_until(&w, 12, 0);
    int64_t at = PROBE_MS, wait = PROBE_MS;
    for (int i = 0; i < 8; i++) {
        assert_int_equal(window_deadline(&w), at);
        assert_int_equal(window_next(&w, at - 1), 0);
        assert_int_equal(publish(&w, 100, at), 1);
        assert_int_equal(publish(&w, 100, at), 0);
        window_cut(&w, 13 + i); /* news does not go out while nobody listens */
        wait = wait * 2 < 600000 ? wait * 2 : 600000;
        at += wait;
    }
    assert_int_equal(wait, 600000);
}

static void test_silence_counts_from_the_last_answer(void **state)
{
    (void)state;
    struct window w;
    window_init(&w, 0, 12, PROBE_MS);
    assert_int_equal(window_deadline(&w), INT64_MAX);
    publish_until(&w, 12, 1000);
    assert_int_equal(window_deadline(&w), 1000 + PROBE_MS);
    window_acknowledge(&w, 3, false, 20000);
    assert_int_equal(window_deadline(&w), 20000 + PROBE_MS);
    window_acknowledge(&w, 12, false, 21000);
    assert_int_equal(window_deadline(&w), INT64_MAX);
}

static void test_after_an_answer_to_a_probe_everything_behind_the_mark_is_sent_again(void **state)
{
    (void)state;
    struct window w;
    window_init(&w, 0, 12, PROBE_MS);
    publish_until(&w, 12, 0);
    assert_int_equal(publish(&w, 100, PROBE_MS), 1);
    assert_true(window_acknowledge(&w, 1, false, PROBE_MS + 5));
    for (int64_t seq = 2; seq <= 12; seq++)
        assert_int_equal(publish(&w, 100, PROBE_MS + 5), seq);
    assert_int_equal(window_deadline(&w), PROBE_MS + 5 + PROBE_MS);
}

static void test_a_collector_that_comes_back_and_says_its_mark_ends_a_probe(void **state)
{
    (void)state;
    struct window w;
    window_init(&w, 0, 12, PROBE_MS);
    publish_until(&w, 12, 0);
    publish(&w, 100, PROBE_MS);
    assert_false(window_acknowledge(&w, 0, true, PROBE_MS + 1)); /* stored by the broker: nobody is there */
    assert_int_equal(window_next(&w, PROBE_MS + 1), 0);
    assert_false(window_acknowledge(&w, 0, false, PROBE_MS + 5));
    for (int64_t seq = 1; seq <= 12; seq++)
        assert_int_equal(publish(&w, 100, PROBE_MS + 5), seq);
}

static void test_a_collector_that_comes_back_without_what_is_out_gets_it_at_once(void **state)
{
    (void)state;
    struct window w;
    window_init(&w, 0, 16, PROBE_MS);
    publish_until(&w, 16, 0);
    assert_true(window_refuse(&w, 0, 1, 0)); /* it came when the first had gone by */
    publish_until(&w, 16, 10);
    assert_true(window_acknowledge(&w, 2, false, 10));
    /* However shortly before it all was sent twice. */
    assert_true(window_refuse(&w, 2, 1, 1000));
    publish_until(&w, 16, 1000);
    assert_true(window_acknowledge(&w, 16, false, 1010));
    assert_false(window_refuse(&w, 16, 1, 5000)); /* and where nothing is out, nothing is news */
}

static void test_an_answer_that_moves_nothing_means_nothing_where_nothing_is_out(void **state)
{
    (void)state;
    struct window w;
    window_init(&w, 0, 0, PROBE_MS);
    window_cut(&w, 3);
    publish_until(&w, 3, 0);
    assert_true(window_acknowledge(&w, 3, false, 1));
    assert_false(window_acknowledge(&w, 3, false, 2));
    window_cut(&w, 4);
    publish_until(&w, 4, 3);
}

static void test_what_is_not_held_any_more_is_not_sent(void **state)
{
    (void)state;
    struct window w;
    window_init(&w, 0, 10, PROBE_MS);
    for (int64_t seq = 1; seq <= 5; seq++)
        assert_int_equal(publish(&w, 100, 0), seq);
    window_forget(&w, 3, 1);
    assert_int_equal(w.mark, 3);
    publish_until(&w, 10, 1);
    window_forget(&w, 2, 2);
    assert_int_equal(w.mark, 3);
    window_forget(&w, 10, 3);
    assert_false(window_is_out(&w));
    assert_int_equal(window_deadline(&w), INT64_MAX);
}

/* ---- a model of all that is around it ---- */

#define QUEUE 256

struct model {
    struct window w;
    int64_t now;
    int64_t first;       /* lowest held by the agent */
    int64_t cut_at_most; /* readings are there for so many batches */
    int32_t sizes[4096];
    bool is_agent_connected, is_collector_up;
    int64_t up[QUEUE]; /* batches on their way */
    int up_count;
    struct {
        int64_t seq;
        bool is_refusal, is_stored;
    } down[QUEUE];
    int down_count;
    int64_t collector_mark, refused_at;
    int64_t stored_seq; /* what the broker keeps of `ack`; -1 = nothing */
    bool is_stored_refusal;
    int64_t published, refusals_obeyed_at;
    int64_t sent, repeated_at; /* what went out twice, and when last */
};

static void send_down(struct model *m, bool is_refusal)
{
    m->stored_seq = m->collector_mark;
    m->is_stored_refusal = is_refusal;
    if (!m->is_agent_connected || m->down_count == QUEUE)
        return;
    m->down[m->down_count].seq = m->collector_mark;
    m->down[m->down_count].is_refusal = is_refusal;
    m->down[m->down_count++].is_stored = false;
}

/* D2 and D3 of the laws, as far as one epoch goes. */
static void collector_receive(struct model *m)
{
    if (m->up_count == 0)
        return;
    int64_t seq = m->up[0];
    memmove(m->up, m->up + 1, (size_t)--m->up_count * sizeof m->up[0]);
    if (!m->is_collector_up)
        return; /* its session is gone, and the broker keeps nothing for it */
    if (seq == m->collector_mark + 1) {
        m->collector_mark = seq;
        send_down(m, false);
    } else if (seq <= m->collector_mark) {
        send_down(m, false);
    } else if (m->now >= m->refused_at + 1000) {
        m->refused_at = m->now;
        send_down(m, true);
    }
}

static void agent_receive(struct model *m)
{
    if (m->down_count == 0)
        return;
    int64_t seq = m->down[0].seq, before = m->w.mark;
    bool is_refusal = m->down[0].is_refusal, is_stored = m->down[0].is_stored;
    memmove(m->down, m->down + 1, (size_t)--m->down_count * sizeof m->down[0]);
    if (is_refusal && !is_stored) {
        if (window_refuse(&m->w, seq, m->first, m->now)) {
            assert_true(m->now >= m->refusals_obeyed_at + 1000);
            m->refusals_obeyed_at = m->now;
        }
    } else {
        int64_t next = m->w.next;
        bool was_probing = m->w.is_probing;
        window_acknowledge(&m->w, seq, is_stored, m->now);
        assert_true(m->w.mark >= before);
        assert_true(m->w.next >= next || (was_probing && (!is_stored || m->w.mark > before)));
    }
}

static void agent_publish(struct model *m)
{
    if (window_tick(&m->w, m->first, m->now)) {
        assert_true(m->now >= m->refusals_obeyed_at + 1000);
        m->refusals_obeyed_at = m->now;
    }
    int64_t room = window_room(&m->w), last = m->w.last + room;
    window_cut(&m->w, last < m->cut_at_most ? last : m->cut_at_most);
    assert_true(m->w.last <= m->w.mark + 16 || room == 0);
    if (!m->is_agent_connected)
        return;
    int64_t seq = window_next(&m->w, m->now);
    if (seq == 0 || !window_fits(&m->w, seq, m->sizes[seq]))
        return;
    assert_true(seq == m->w.next || seq == m->w.mark + 1);
    assert_true(seq > m->w.mark && seq <= m->w.mark + 16 && seq <= m->w.last);
    window_published(&m->w, seq, m->sizes[seq], m->now);
    m->published++;
    if (seq > m->sent)
        m->sent = seq;
    else
        m->repeated_at = m->now;
    int64_t out = 0;
    for (int64_t i = m->w.mark + 1; i < m->w.next; i++)
        out += m->sizes[i];
    assert_true(out <= 512 * KIB || m->w.next == m->w.mark + 2);
    if (m->up_count < QUEUE) /* an overflowing queue of the broker drops the newest */
        m->up[m->up_count++] = seq;
}

static void connect_agent(struct model *m)
{
    m->is_agent_connected = true;
    m->up_count = m->down_count = 0;
    if (m->stored_seq >= 0) {
        m->down[0].seq = m->stored_seq;
        m->down[0].is_refusal = m->is_stored_refusal;
        m->down[0].is_stored = true;
        m->down_count = 1;
    }
    window_restart(&m->w);
}

static void start_collector(struct model *m)
{
    if (!m->is_collector_up)
        m->up_count = 0;
    m->is_collector_up = true;
    send_down(m, true);
}

static void step(struct model *m, bool has_faults)
{
    int dice = rand() % 1000;
    if (dice < 400)
        agent_publish(m);
    else if (dice < 700)
        collector_receive(m);
    else if (dice < 980)
        agent_receive(m);
    else if (!has_faults)
        m->now += rand() % 200;
    else if (dice < 983)
        m->is_agent_connected = false;
    else if (dice < 986)
        connect_agent(m);
    else if (dice < 988)
        m->is_collector_up = false;
    else if (dice < 991)
        start_collector(m);
    else if (dice < 993 && m->up_count > 0)
        m->up_count--; /* a broker that dropped one */
    else if (dice < 994) {
        /* A backup is restored: what the collector lacks, the agent holds from `first` on. */
        m->is_collector_up = false;
        m->collector_mark -= rand() % 30;
        if (m->collector_mark < m->first - 1)
            m->collector_mark = m->first - 1;
    } else if (dice < 995) {
        m->first += rand() % 3; /* the agent frees what is acknowledged */
        if (m->first > m->w.mark + 1)
            m->first = m->w.mark + 1;
        if (m->collector_mark < m->first - 1)
            m->collector_mark = m->first - 1;
    } else if (dice < 997)
        m->cut_at_most += rand() % 40;
    else
        m->now += rand() % 40000;
    if (m->cut_at_most > 4000)
        m->cut_at_most = 4000;
}

static struct model *campaign(unsigned seed)
{
    srand(seed);
    static struct model m;
    memset(&m, 0, sizeof m);
    m.first = 1;
    m.stored_seq = -1;
    m.refused_at = m.refusals_obeyed_at = -1000;
    m.cut_at_most = 5;
    for (size_t i = 0; i < sizeof m.sizes / sizeof m.sizes[0]; i++)
        m.sizes[i] = rand() % 4 == 0 ? 256 * KIB - rand() % 1000 : 1 + rand() % 60000;
    window_init(&m.w, 0, 0, PROBE_MS);
    for (int i = 0; i < 20000; i++)
        step(&m, true);
    /* The faults end: all there is gets through, and soon. */
    connect_agent(&m);
    start_collector(&m);
    int64_t begin = m.now;
    int64_t steps = 0;
    while (m.w.mark < m.cut_at_most || m.collector_mark < m.cut_at_most) {
        step(&m, false);
        if (m.now - begin > 100000 + 400 * m.cut_at_most || ++steps > 4000000)
            fail_msg("seed %u: stuck at mark %" PRId64 " of %" PRId64 ", the collector's is %" PRId64, seed,
                m.w.mark, m.cut_at_most, m.collector_mark);
    }
    return &m;
}

/* Without faults, and with answers to what was sent twice before still on their way, nothing is sent twice any
 * more: no answer makes the next duplicate. */
static void test_duplicates_die_out(void **state)
{
    (void)state;
    unsigned seed = (unsigned)random_seed((uint64_t)time(NULL));
    for (unsigned i = 0; i < 20; i++) {
        struct model *m = campaign(seed + i);
        int64_t quiet_from = m->now + 2 * PROBE_MS;
        for (int k = 0; k < 120000; k++) {
            if (k % 200 == 0 && m->cut_at_most < 4090)
                m->cut_at_most++;
            step(m, false);
        }
        assert_true(m->now > quiet_from + 2 * PROBE_MS);
        assert_true(m->repeated_at <= quiet_from);
    }
}

static void test_everything_gets_through_whatever_is_lost(void **state)
{
    (void)state;
    unsigned seed = (unsigned)random_seed((uint64_t)time(NULL));
    for (unsigned i = 0; i < 200; i++)
        campaign(seed + i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_batches_go_out_in_order_from_behind_the_mark),
        cmocka_unit_test(test_never_more_than_sixteen_batches_are_out),
        cmocka_unit_test(test_room_for_cutting_is_what_the_window_lacks),
        cmocka_unit_test(test_never_more_than_512_kib_are_out_but_one_always_may),
        cmocka_unit_test(test_an_acknowledgement_only_raises_the_mark),
        cmocka_unit_test(test_a_duplicate_acknowledgement_sends_nothing_again),
        cmocka_unit_test(test_a_new_connection_starts_behind_the_mark),
        cmocka_unit_test(test_a_refusal_goes_back_even_below_the_mark),
        cmocka_unit_test(test_a_refusal_goes_no_further_back_than_what_is_held),
        cmocka_unit_test(test_a_refusal_of_what_was_never_cut_is_ignored),
        cmocka_unit_test(test_refusals_are_obeyed_once_a_second_and_none_is_forgotten),
        cmocka_unit_test(test_an_acknowledgement_makes_a_held_refusal_void),
        cmocka_unit_test(test_silence_probes_with_the_lowest_alone_at_doubling_intervals),
        cmocka_unit_test(test_silence_counts_from_the_last_answer),
        cmocka_unit_test(test_after_an_answer_to_a_probe_everything_behind_the_mark_is_sent_again),
        cmocka_unit_test(test_a_collector_that_comes_back_and_says_its_mark_ends_a_probe),
        cmocka_unit_test(test_a_collector_that_comes_back_without_what_is_out_gets_it_at_once),
        cmocka_unit_test(test_an_answer_that_moves_nothing_means_nothing_where_nothing_is_out),
        cmocka_unit_test(test_what_is_not_held_any_more_is_not_sent),
        cmocka_unit_test(test_duplicates_die_out),
        cmocka_unit_test(test_everything_gets_through_whatever_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
