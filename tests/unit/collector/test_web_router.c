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
    snprintf(answer.etag, sizeof answer.etag, "\"abc\"");
    return answer;
}

static struct web_answer handle_form(struct web_context *context, const struct web_request *request)
{
    (void)context;
    const char *word = form_value(request->form, "word");
    return answer_json(200, json_pack("{s:s?}", "word", word));
}

static struct web_answer handle_json(struct web_context *context, const struct web_request *request)
{
    (void)context;
    assert_null(request->form);
    return answer_json(200, json_pack("{s:O?}", "word", json_object_get(request->json, "word")));
}

static struct web_answer handle_id(struct web_context *context, const struct web_request *request)
{
    (void)context;
    return answer_json(200, json_pack("{s:s}", "id", request->id));
}

static bool is_short(const struct web_context *context, const struct web_request *request, const char *value)
{
    (void)context;
    (void)request;
    return strlen(value) < 3;
}

static const char *const words[] = {"one", "two", NULL};
static const struct web_rule rules[] = {
    {"word", "expected_word", words, NULL}, {"limit", "", NULL, NULL}, {"short", "", words, is_short}, {0}};

static struct web_answer refuse_param(
    const struct web_context *context, const struct web_request *request, const char *name)
{
    (void)context;
    assert_ptr_equal(request->route->rules, rules);
    return answer_error(400, "page", "wrong is %s", name);
}

static const struct web_route routes[] = {
    {"/list", "GET", ALLOW_ANYONE, 0, " limit before ", handle, false, false, NULL},
    {"/page", "GET", ALLOW_ANYONE, 0, NULL, handle, false, false, NULL},
    {"/links", "GET", ALLOW_ANYONE, 0, NULL, handle, true, false, rules},
    {"/files/", "GET", ALLOW_ANYONE, 0, NULL, handle, false, false, NULL},
    {"/things/{id}", "GET", ALLOW_ANYONE, 0, NULL, handle_id, false, false, NULL},
    {"/things/{id}.ics", "GET", ALLOW_ANYONE, 0, NULL, handle_id, false, false, NULL},
    {"/things/{id}/parts", "GET", ALLOW_ANYONE, 0, NULL, handle_id, false, false, NULL},
    {"/form", "POST", ALLOW_ANYONE, 0, " ", handle_form, true, false, NULL},
    {"/json", "POST", ALLOW_ANYONE, 0, " ", handle_json, false, false, NULL},
    {"/both", "GET", ALLOW_ANYONE, 0, NULL, handle, false, false, NULL},
    {"/both", "POST", ALLOW_ANYONE, 0, NULL, handle_form, false, false, NULL}};

static struct guard *guard;

static int set_up(void **state)
{
    (void)state;
    guard =
        guard_create(&(struct guard_options){.database = "/nowhere/collector.db", .clock = &clock_system});
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    guard_destroy(guard);
    return 0;
}

static struct web_request get(const char *path)
{
    return (struct web_request){.method = "GET", .path = path, .host = "localhost"};
}

static struct web_answer ask(const struct web_request *request)
{
    struct router router = {.routes = routes,
        .count = sizeof routes / sizeof routes[0],
        .address = "127.0.0.1",
        .guard = guard,
        .refuse_param = refuse_param};
    struct caller caller;
    struct web_answer answer = {0};
    const struct web_route *route = router_admit(&router, NULL, request, &caller, &answer);
    return route != NULL ? router_handle(route, NULL, request, &caller) : answer;
}

static void expect(struct web_answer answer, int code, const char *word)
{
    assert_int_equal(answer.code, code);
    assert_non_null(strstr(answer.body, word));
    answer_release(&answer);
}

static void test_a_path_answers_its_methods_only(void **state)
{
    (void)state;
    static const char *const others[] = {"PUT", "DELETE", "OPTIONS", "TRACE", "get", ""};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        struct web_request request = get("/page");
        request.method = others[i];
        struct web_answer answer = ask(&request);
        assert_string_equal(answer.allow, "GET, HEAD");
        expect(answer, 405, "method_not_allowed");
    }
    struct web_request post = get("/page");
    post.method = "POST";
    struct web_answer answer = ask(&post);
    assert_string_equal(answer.allow, "GET, HEAD");
    expect(answer, 405, "method_not_allowed");
    struct web_request form = get("/form");
    answer = ask(&form);
    assert_string_equal(answer.allow, "POST");
    expect(answer, 405, "method_not_allowed");
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
        {"10.0.0.1", false}, {"park.example:443", true}, {"Park.Example", true}, {"x.park.example", false},
        {"park.example.", false}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (router_host_allowed(cases[i].host, "127.0.0.7", "park.example") != cases[i].is_allowed)
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

static void test_a_page_takes_its_own_parameters_once_and_as_they_may_be_and_ignores_others(void **state)
{
    (void)state;
    static const struct {
        struct web_param first, second;
        int code;
        const char *word;
    } cases[] = {{{"limit", "5"}, {"utm", "5"}, 200, "5"}, {{"utm", "5"}, {"utm", "5"}, 200, "5"},
        {{"limit", "5"}, {"limit", "5"}, 400, "wrong is limit"}, {{"word", "one"}, {"short", "ab"}, 200, "5"},
        {{"word", "three"}, {"utm", "5"}, 400, "wrong is word"},
        {{"word", ""}, {"utm", "5"}, 400, "wrong is word"},
        {{"utm", "5"}, {"short", "abc"}, 400, "wrong is short"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct web_request request = get("/links");
        request.param_count = 2;
        request.params[0] = cases[i].first;
        request.params[1] = cases[i].second;
        expect(ask(&request), cases[i].code, cases[i].word);
    }
}

/* On a page to a person, to a program as JSON; the connection goes on. */
static void test_a_parameter_that_is_no_text_is_named(void **state)
{
    (void)state;
    static const char *const paths[][2] = {{"/links", "wrong is utm"}, {"/list", "utm: expected text"},
        {"/page", "utm: expected text"}, {"/files/x", "utm: expected text"}};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        struct web_request request = get(paths[i][0]);
        request.odd_param = "utm";
        struct web_answer answer = ask(&request);
        assert_false(answer.is_closing);
        expect(answer, 400, paths[i][1]);
    }
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

static void test_a_part_of_the_path_is_an_id(void **state)
{
    (void)state;
#define LONG "a123456789b123456789c123456789d123456789e123456789f123456789abc"
    static const struct {
        const char *path;
        const char *id; /* NULL = no route is that */
    } cases[] = {{"/things/x-1", "x-1"}, {"/things/x-1.ics", "x-1"}, {"/things/x-1/parts", "x-1"},
        {"/things/{id}", "{id}"}, {"/things/" LONG, LONG}, {"/things/" LONG "d", NULL}, {"/things/", NULL},
        {"/things", NULL}, {"/things/x-1/", NULL}, {"/things/x-1.icsx", NULL}, {"/things/x-1.txt", NULL},
        {"/things/.ics", NULL}, {"/things//parts", NULL}, {"/things/x/y/parts", NULL},
        {"/things/x-1/partsx", NULL}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct web_request request = get(cases[i].path);
        struct web_answer answer = ask(&request);
        const char *id = NULL;
        json_t *json = json_loadb(answer.body, answer.len, 0, NULL);
        json_unpack(json, "{s:s}", "id", &id);
        if (answer.code != (cases[i].id ? 200 : 404) || (cases[i].id && strcmp(id, cases[i].id) != 0))
            fail_msg("%s: %d, id %s", cases[i].path, answer.code, id ? id : "none");
        json_decref(json);
        answer_release(&answer);
    }
    struct web_request other = get("/page");
    snprintf(other.id, sizeof other.id, "left over");
    expect(ask(&other), 200, "5");
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

static struct web_request post_form(const char *body)
{
    return (struct web_request){.method = "POST",
        .path = "/form",
        .host = "localhost:8080",
        .content_type = "application/x-www-form-urlencoded",
        .body = body,
        .body_len = strlen(body),
        .has_body = true};
}

static void test_a_form_is_decoded_or_refused(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        int code;
        const char *word;
    } cases[] = {{"word=a+b%20c&other=1", 200, "\"a b c\""}, {"word=%e7%94%b5", 200, "电"}, {"", 200, "null"},
        {"word", 200, "\"\""}, {"&&word=x&", 200, "\"x\""}, {"word=%", 400, "bad_form"},
        {"word=%4", 400, "bad_form"}, {"word=%zz", 400, "bad_form"}, {"word=%00", 400, "bad_form"},
        {"word=%ff", 400, "bad_form"}, {"word=%0a", 400, "bad_form"}, {"word=1&word=2", 400, "bad_form"},
        {"a&b&c&d&e&f&g&h&i&j&k&l&m&n&o&p&q", 400, "bad_form"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct web_request request = post_form(cases[i].body);
        expect(ask(&request), cases[i].code, cases[i].word);
    }
    struct web_request json = post_form("{}");
    json.content_type = "application/json";
    expect(ask(&json), 415, "unsupported_media_type");
    json.content_type = "application/x-www-form-urlencodedx";
    expect(ask(&json), 415, "unsupported_media_type");
    struct web_request unread = post_form("");
    unread.body = NULL;
    struct web_answer answer = ask(&unread);
    assert_true(answer.is_closing);
    answer_release(&answer);
}

static void test_a_form_of_another_site_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *site, *origin;
        int code;
    } cases[] = {{NULL, NULL, 200}, {"same-origin", NULL, 200}, {"none", NULL, 200}, {"same-site", NULL, 403},
        {"cross-site", "http://localhost:8080", 403}, {NULL, "http://localhost:8080", 200},
        {NULL, "https://localhost:8080", 200}, {NULL, "http://LOCALHOST:8080", 200}, {NULL, "null", 403},
        {NULL, "http://localhost:8081", 403}, {NULL, "http://localhost:8080.evil.example", 403},
        {NULL, "localhost:8080", 403}, {NULL, "", 403}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct web_request request = post_form("word=x");
        request.fetch_site = cases[i].site;
        request.origin = cases[i].origin;
        expect(ask(&request), cases[i].code, cases[i].code == 200 ? "x" : "cross_site");
    }
}

static void test_json_is_an_object_or_refused(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        int code;
        const char *word;
    } cases[] = {{"{\"word\": \"a\"}", 200, "\"a\""}, {"{}", 200, "null"},
        {" {\"word\": 9223372036854775807} ", 200, "9223372036854775807"}, {"", 400, "bad_json"},
        {"[]", 400, "bad_json"}, {"7", 400, "bad_json"}, {"{\"word\": }", 400, "bad_json"},
        {"{\"word\": 1, \"word\": 2}", 400, "bad_json"}, {"{} {}", 400, "bad_json"},
        {"{\"word\": \"\xff\"}", 400, "bad_json"}, {"{\"word\": 9223372036854775808}", 400, "bad_json"},
        {"{\"word\": \"\\u0000\"}", 400, "bad_json"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct web_request request = post_form(cases[i].body);
        request.path = "/json";
        request.content_type = i % 2 == 0 ? "application/json" : "Application/JSON; charset=utf-8";
        expect(ask(&request), cases[i].code, cases[i].word);
        request.content_type = "application/x-www-form-urlencoded";
        expect(ask(&request), 415, "expected application/json");
        request.content_type = "application/json";
        request.fetch_site = "cross-site";
        expect(ask(&request), 403, "cross_site");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_path_answers_its_methods_only),
        cmocka_unit_test(test_a_foreign_host_name_is_refused),
        cmocka_unit_test(test_mistakes_in_parameters_are_named),
        cmocka_unit_test(test_a_page_takes_its_own_parameters_once_and_as_they_may_be_and_ignores_others),
        cmocka_unit_test(test_a_parameter_that_is_no_text_is_named),
        cmocka_unit_test(test_what_is_odd_ends_the_connection),
        cmocka_unit_test(test_paths_match_whole_or_below_a_folder),
        cmocka_unit_test(test_a_part_of_the_path_is_an_id),
        cmocka_unit_test(test_a_known_etag_spares_the_body),
        cmocka_unit_test(test_a_form_is_decoded_or_refused),
        cmocka_unit_test(test_a_form_of_another_site_is_refused),
        cmocka_unit_test(test_json_is_an_object_or_refused),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
