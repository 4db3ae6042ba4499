#include "collector/web/router.h"
#include "tests/unit/collector/made_up.h"

static struct web_answer handle(struct web_context *context, const struct web_request *request)
{
    (void)context;
    int64_t limit;
    struct web_answer answer;
    if (!request_int(request, "limit", 1, 10, 5, &limit, &answer))
        return answer;
    answer = answer_json(200, json_pack("{s:I}", "limit", (json_int_t)limit));
    answer.etag = "\"abc\"";
    return answer;
}

static const struct web_route routes[] = {
    {"/list", " limit before ", handle}, {"/page", NULL, handle}, {"/files/", NULL, handle}};

static struct web_request get(const char *path)
{
    return (struct web_request){.method = "GET", .path = path, .host = "localhost"};
}

static struct web_answer ask(const struct web_request *request)
{
    return router_answer(routes, 3, NULL, request, "127.0.0.1");
}

static void expect(struct web_answer answer, int code, const char *word)
{
    assert_int_equal(answer.code, code);
    assert_non_null(strstr(answer.body, word));
    answer_release(&answer);
}

static void test_only_get_and_head_are_answered(void **state)
{
    (void)state;
    static const char *const others[] = {"POST", "PUT", "DELETE", "OPTIONS", "TRACE", "get", ""};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        struct web_request request = get("/page");
        request.method = others[i];
        struct web_answer answer = ask(&request);
        assert_string_equal(answer.allow, "GET, HEAD");
        expect(answer, 405, "method_not_allowed");
    }
    struct web_request head = get("/page");
    head.method = "HEAD";
    expect(ask(&head), 200, "5");
}

static void test_a_foreign_host_name_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *host;
        bool is_allowed;
    } cases[] = {{"localhost", true}, {"LocalHost:8080", true}, {"127.0.0.1", true},
        {"127.0.0.1:65535", true}, {"[::1]:80", true}, {"127.0.0.7:80", true}, {"evil.example", false},
        {"localhost.evil.example", false}, {"127.0.0.1.evil.example", false}, {"localhost:", false},
        {"localhost:0", false}, {"localhost:99999", false}, {"localhost:8080:1", false},
        {"localhost@evil.example", false}, {"", false}, {"[::1", false}, {"[::1]x", false}, {"::1", false},
        {"10.0.0.1", false}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (router_host_allowed(cases[i].host, "127.0.0.7") != cases[i].is_allowed)
            fail_msg("Host: %s", cases[i].host);
    struct web_request request = get("/page");
    request.host = "evil.example:8080";
    expect(ask(&request), 421, "wrong_host");
    request.host = NULL;
    expect(ask(&request), 400, "bad_request");
}

static void test_mistakes_in_parameters_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *name, *value;
        int code;
        const char *word;
    } cases[] = {{"limit", "10", 200, "10"}, {"limit", "0", 400, "limit: \\\"0\\\" is not"},
        {"limit", "11", 400, "1 to 10"}, {"limit", "", 400, "bad_parameter"},
        {"limit", "5x", 400, "bad_parameter"}, {"limit", "+5", 400, "bad_parameter"},
        {"limit", "99999999999999999999", 400, "bad_parameter"}, {"Limit", "5", 400, "unknown_parameter"},
        {"limit before", "5", 400, "unknown_parameter"}, {"", "", 400, "unknown_parameter"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct web_request request = get("/list");
        request.params[request.param_count++] = (struct web_param){cases[i].name, cases[i].value};
        expect(ask(&request), cases[i].code, cases[i].word);
    }
    struct web_request twice = get("/list");
    twice.param_count = 2;
    twice.params[0] = twice.params[1] = (struct web_param){"limit", "5"};
    expect(ask(&twice), 400, "given twice");
}

static void test_what_is_odd_ends_the_connection(void **state)
{
    (void)state;
    struct web_request odd = get("/page"), body = get("/page");
    odd.is_odd = true;
    body.has_body = true;
    struct web_answer answer = ask(&odd);
    assert_true(answer.is_closing);
    expect(answer, 400, "bad_request");
    answer = ask(&body);
    assert_true(answer.is_closing);
    expect(answer, 400, "unexpected_body");
}

static void test_paths_match_whole_or_below_a_folder(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        int code;
    } cases[] = {{"/page", 200}, {"/page/", 404}, {"/pages", 404}, {"/", 404}, {"/files/x", 200},
        {"/files", 404}, {"*", 400}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct web_request request = get(cases[i].path);
        struct web_answer answer = ask(&request);
        assert_int_equal(answer.code, cases[i].code);
        answer_release(&answer);
    }
}

static void test_a_known_etag_spares_the_body(void **state)
{
    (void)state;
    struct web_request request = get("/page");
    request.if_none_match = "\"zzz\", \"abc\"";
    struct web_answer answer = ask(&request);
    assert_int_equal(answer.code, 304);
    assert_int_equal(answer.len, 0);
    answer_release(&answer);
    request.if_none_match = "\"zzz\"";
    answer = ask(&request);
    assert_int_equal(answer.code, 200);
    answer_release(&answer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_only_get_and_head_are_answered),
        cmocka_unit_test(test_a_foreign_host_name_is_refused),
        cmocka_unit_test(test_mistakes_in_parameters_are_named),
        cmocka_unit_test(test_what_is_odd_ends_the_connection),
        cmocka_unit_test(test_paths_match_whole_or_below_a_folder),
        cmocka_unit_test(test_a_known_etag_spares_the_body),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
