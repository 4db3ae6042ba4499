/* An event of a session, both ways: what is written as a state is read as the same event. */
#include "lib/session_event.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

static struct session_event read_json(const char *json)
{
    struct session_event e;
    struct error err = {""};
    if (session_event_read(span_of(json), NULL, true, &e, &err) != ST_OK)
        fail_msg("%s: %s", json, err.text);
    return e;
}

static void test_what_is_written_is_read_as_the_same_event(void **state)
{
    (void)state;
    static const char *const events[] = {
        "{\"event\":\"a.B-0:1_2\",\"instrument\":\"i\",\"action\":\"open\",\"class\":\"service\","
        "\"organisation\":\"91-A\",\"purpose\":\"a-b\"}",
        "{\"event\":\"1\",\"instrument\":\"i\",\"action\":\"open\",\"class\":\"internal\"}",
        "{\"event\":\"2\",\"instrument\":\"i\",\"action\":\"close\"}"};
    for (size_t i = 0; i < sizeof events / sizeof events[0]; i++) {
        struct session_event e = read_json(events[i]), again;
        struct error err = {""};
        assert_int_equal(session_event_read_state(span_of(e.text), &again, &err), ST_OK);
        assert_int_equal(again.is_open, e.is_open);
        assert_int_equal(again.class, e.class);
        assert_string_equal(again.id, e.id);
        assert_string_equal(again.organisation, e.organisation);
        assert_string_equal(again.purpose, e.purpose);
    }
}

static void test_words_that_are_not_known_tell_nothing(void **state)
{
    (void)state;
    struct session_event e;
    struct error err = {""};
    static const char text[] = "open more event=x class=royal organisation=low purpose=UP later=1 =z";
    assert_int_equal(session_event_read_state(span_of(text), &e, &err), ST_OK);
    assert_true(e.is_open && e.class == SESSION_CLASS_UNKNOWN);
    assert_string_equal(e.id, "x");
    assert_string_equal(e.organisation, "");
    assert_string_equal(e.purpose, "");
    /* What a close says of its user is not its to say. */
    assert_int_equal(
        session_event_read_state(SPAN("close event=y class=internal organisation=A"), &e, &err), ST_OK);
    assert_true(!e.is_open && e.class == SESSION_CLASS_UNKNOWN && e.organisation[0] == '\0');
}

static void test_what_is_no_event_is_said(void **state)
{
    (void)state;
    static const struct {
        const char *text, *why;
    } cases[] = {{"", "\"\" is no event of a session; expected open or close, and event=<id>"},
        {"on", "\"on\" is no event of a session; expected open or close, and event=<id>"},
        {"open class=internal", "open without the event's id; expected event=<id>"},
        {"close event=", "close without the event's id; expected event=<id>"},
        {"close event=12345678901234567890123456789012345678901",
            "close without the event's id; expected event=<id>"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct session_event e;
        struct error err = {""};
        assert_int_equal(session_event_read_state(span_of(cases[i].text), &e, &err), ST_INVALID);
        assert_string_equal(err.text, cases[i].why);
    }
}

static void test_a_terminal_that_is_polled_tells_a_state_alone(void **state)
{
    (void)state;
    static const char *const texts[] = {"open", "close", "closed"};
    for (size_t i = 0; i < 3; i++) {
        struct session_event e;
        struct error err;
        assert_int_equal(session_event_read_state(span_of(texts[i]), &e, &err), ST_OK);
        assert_string_equal(e.id, "");
        assert_int_equal(e.is_open, i == 0);
    }
}

static void test_only_who_may_tells_a_time(void **state)
{
    (void)state;
    static const char json[] =
        "{\"event\":\"1\",\"instrument\":\"i\",\"action\":\"close\",\"time\":\"2026-10-01T08:00:00+08:00\"}";
    struct conf_list purposes = {0};
    struct session_event e = read_json(json);
    struct error err = {""};
    assert_int_equal(e.time_ms, INT64_C(1790812800000));
    assert_int_equal(session_event_read(span_of(json), &purposes, false, &e, &err), ST_INVALID);
    assert_string_equal(err.text,
        "\"time\" is not known; expected event, instrument, action, class, organisation and purpose");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_written_is_read_as_the_same_event),
        cmocka_unit_test(test_words_that_are_not_known_tell_nothing),
        cmocka_unit_test(test_what_is_no_event_is_said),
        cmocka_unit_test(test_a_terminal_that_is_polled_tells_a_state_alone),
        cmocka_unit_test(test_only_who_may_tells_a_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
