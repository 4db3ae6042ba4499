#include "collector/store/answer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const struct {
    enum status transport;
    int code;
    const char *body;
    int64_t retry_after_s;
    enum answer_action action;
    int64_t expired, retry_after_ms;
    const char *text;
} cases[] = {
    {ST_OK, 204, "", 0, ANSWER_ACCEPTED, 0, 0, ""},
    /* As InfluxDB 1.6.7 says it. */
    {ST_OK, 400, "{\"error\":\"partial write: points beyond retention policy dropped=3\"}\n", 0,
        ANSWER_ACCEPTED, 3, 0, "partial write: points beyond retention policy dropped=3"},
    {ST_OK, 400,
        "{\"error\":\"partial write: field type conflict: input field \\\"value\\\" on measurement "
        "\\\"gauge\\\" is type "
        "integer, already exists as type float dropped=1\"}",
        0, ANSWER_BISECT, 0, 0,
        "answered 400: partial write: field type conflict: input field \"value\" on measurement \"gauge\" is "
        "type integer, "
        "already exists as type float dropped=1"},
    {ST_OK, 400, "{\"error\":\"unable to parse 'x': missing fields\"}", 0, ANSWER_BISECT, 0, 0,
        "answered 400: unable to parse 'x': missing fields"},
    {ST_OK, 400, "{\"error\":\"unexpected EOF\"}", 0, ANSWER_BACK_OFF, 0, 0, "answered 400: unexpected EOF"},
    /* Words of a line that it quotes are no words of its own. */
    {ST_OK, 400, "{\"error\":\"unable to parse 'x: unexpected EOF, database is required'\"}", 0,
        ANSWER_BISECT, 0, 0, "answered 400: unable to parse 'x: unexpected EOF, database is required'"},
    {ST_OK, 400, "{\"error\":\"database is required\"}", 0, ANSWER_CONFIGURATION, 0, 0,
        "answered 400: database is required"},
    /* A limit of the store is no fault of the lines. */
    {ST_OK, 400, "{\"error\":\"partial write: max-series-per-database limit exceeded: (1000000) dropped=2\"}",
        0, ANSWER_CONFIGURATION, 0, 0,
        "answered 400: partial write: max-series-per-database limit exceeded: (1000000) dropped=2"},
    {ST_OK, 400,
        "{\"error\":\"partial write: max-values-per-tag limit exceeded (100000/100000): "
        "measurement=\\\"gauge\\\" tag=\\\"point\\\" value=\\\"p\\\" dropped=1\"}",
        0, ANSWER_CONFIGURATION, 0, 0,
        "answered 400: partial write: max-values-per-tag limit exceeded (100000/100000): "
        "measurement=\"gauge\" tag=\"point\" value=\"p\" dropped=1"},
    {ST_OK, 400, "{\"error\":\"unable to parse 'partial write: max-x limit exceeded'\"}", 0, ANSWER_BISECT, 0,
        0, "answered 400: unable to parse 'partial write: max-x limit exceeded'"},
    /* A line of ours that holds the words must not pass for the store's own. */
    {ST_OK, 400, "{\"error\":\"unable to parse 'partial write: points beyond retention policy dropped=9'\"}",
        0, ANSWER_BISECT, 0, 0,
        "answered 400: unable to parse 'partial write: points beyond retention policy dropped=9'"},
    {ST_OK, 400, "{\"error\":\"partial write: points beyond retention policy dropped=-1\"}", 0, ANSWER_BISECT,
        -1, 0, "answered 400: partial write: points beyond retention policy dropped=-1"},
    /* A proxy's 400 says nothing about our lines. */
    {ST_OK, 400, "<html>The plain HTTP request was sent to HTTPS port</html>", 0, ANSWER_CONFIGURATION, 0, 0,
        "answered 400"},
    {ST_OK, 400, "", 0, ANSWER_CONFIGURATION, 0, 0, "answered 400"},
    {ST_OK, 200, "hello", 0, ANSWER_CONFIGURATION, 0, 0, "answered 200: this is no InfluxDB"},
    {ST_OK, 302, "", 0, ANSWER_CONFIGURATION, 0, 0, "answered 302: this is no InfluxDB"},
    {ST_OK, 401, "{\"error\":\"authorization failed\"}", 0, ANSWER_CONFIGURATION, 0, 0,
        "answered 401: authorization failed"},
    {ST_OK, 403, "{\"error\":\"\\\"u\\\" user is not authorized to write to database \\\"p\\\"\"}", 0,
        ANSWER_CONFIGURATION, 0, 0, "answered 403: \"u\" user is not authorized to write to database \"p\""},
    {ST_OK, 404, "{\"error\":\"database not found: \\\"p\\\"\"}", 0, ANSWER_MISSING, 0, 0,
        "answered 404: database not found: \"p\""},
    {ST_OK, 404, "404 page not found", 0, ANSWER_CONFIGURATION, 0, 0, "answered 404"},
    {ST_OK, 405, "", 0, ANSWER_CONFIGURATION, 0, 0, "answered 405"},
    {ST_OK, 408, "", 0, ANSWER_BACK_OFF, 0, 0, "answered 408"},
    {ST_OK, 413, "{\"error\":\"Request Entity Too Large\"}", 0, ANSWER_HALVE, 0, 0,
        "answered 413: Request Entity Too Large"},
    {ST_OK, 429, "", 7, ANSWER_BACK_OFF, 0, 7000, "answered 429"},
    {ST_OK, 500, "{\"error\":\"retention policy not found: raw\"}", 0, ANSWER_MISSING, 0, 0,
        "answered 500: retention policy not found: raw"},
    {ST_OK, 500, "{\"error\":\"timeout\"}", 0, ANSWER_BACK_OFF, 0, 0, "answered 500: timeout"},
    {ST_OK, 503, "", INT64_MAX, ANSWER_BACK_OFF, 0, 600000, "answered 503"},
    {ST_OK, 503, "", -5, ANSWER_BACK_OFF, 0, 0, "answered 503"},
    {ST_TIMEOUT, 0, "", 0, ANSWER_BACK_OFF, 0, 0, "no answer in time"},
    {ST_UNREACHABLE, 0, "", 0, ANSWER_BACK_OFF, 0, 0, "no answer in time"},
};

static void test_the_words_of_a_store_are_made_fit_for_people(void **state)
{
    (void)state;
    struct buf body = {0}, expected = {0};
    buf_add_str(&body, "{\"error\":\"a\\u0007b");
    buf_add_str(&expected, "answered 400: a?b");
    for (int i = 0; i < 100; i++) {
        buf_add_str(&body, "版");
        if (i < 65) /* 198 bytes of the error: never half a character */
            buf_add_str(&expected, "版");
    }
    buf_add_str(&body, "\"}");
    struct answer answer = answer_read(ST_OK, "", 400, (struct span){body.data, body.len}, 0);
    assert_string_equal(answer.text, expected.data);
    buf_release(&body);
    buf_release(&expected);
}

static void test_every_answer_has_its_action(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct answer answer = answer_read(cases[i].transport, "no answer in time", cases[i].code,
            span_of(cases[i].body), cases[i].retry_after_s);
        if (answer.action != cases[i].action || answer.retry_after_ms != cases[i].retry_after_ms)
            fail_msg("%d \"%s\" gave action %d, %lld ms", cases[i].code, cases[i].body, (int)answer.action,
                (long long)answer.retry_after_ms);
        if (answer.action == ANSWER_ACCEPTED)
            assert_int_equal(answer.expired, cases[i].expired);
        assert_string_equal(answer.text, cases[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_answer_has_its_action),
        cmocka_unit_test(test_the_words_of_a_store_are_made_fit_for_people)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
