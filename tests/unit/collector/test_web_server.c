/* The listener over real sockets, asked by bytes that we write ourselves. */
#include "collector/schema.h"
#include "tests/unit/collector/web_fixture.h"

/* ---- tests, in order: the first find no snapshot and no database ---- */

static void test_before_the_first_snapshot_the_api_says_starting(void **state)
{
    (void)state;
    expect(ask("GET", "/api/v1/live", ""), 503, "\"starting\"");
    expect(ask("GET", "/readyz", ""), 503, "\"failing\"");
    expect(ask("GET", "/livez", ""), 200, "alive");
    expect(ask("GET", "/metrics", ""), 200, "parkmon_health{health=\"failing\"} 1");
}

static void test_a_missing_database_is_said_not_a_crash(void **state)
{
    (void)state;
    expect(ask("GET", "/api/v1/losses", ""), 503, "database_unavailable");
    expect(ask("GET", "/api/v1/quarantine", ""), 503, "database_unavailable");
    expect(ask("GET", "/api/v1/unmapped", ""), 503, "database_unavailable");
}

static void test_the_live_picture_has_the_snapshots_figures(void **state)
{
    (void)state;
    publish(7);
    json_t *live = get_json("/api/v1/live", 200);
    json_int_t number, count;
    double watts;
    const char *as_of, *unit, *site;
    int fresh, meters;
    assert_int_equal(json_unpack(live, "{s:I, s:s, s:{s:i, s:i}, s:[{s:s}]}", "number", &number, "as_of",
                         &as_of, "coverage", "fresh", &fresh, "meters", &meters, "sites", "id", &site),
        0);
    assert_int_equal(number, 7);
    assert_string_equal(as_of + 23, "+08:00");
    assert_int_equal(fresh, 1);
    assert_int_equal(meters, 8);
    json_t *meter = json_array_get(json_object_get(live, "meters"), 1);
    assert_int_equal(json_unpack(meter, "{s:{s:I, s:s}, s:{s:F}}", "register", "count", &count, "unit", &unit,
                         "power", "value_w", &watts),
        0);
    assert_int_equal(count, 123456789);
    assert_string_equal(unit, "Wh");
    assert_true(watts == 41230.5);
    json_t *buildings = json_object_get(live, "buildings");
    assert_true(
        json_is_null(json_object_get(json_object_get(json_array_get(buildings, 2), "power"), "known_w")));
    json_decref(live);
}

static void test_a_core_that_hangs_fails_both_probes(void **state)
{
    (void)state;
    heartbeat_age_ms = 31000;
    expect(ask("GET", "/livez", ""), 503, "core_stalled");
    expect(ask("GET", "/readyz", ""), 503, "core_stalled");
    heartbeat_age_ms = 0;
    expect(ask("GET", "/livez", ""), 200, "alive");
}

static void test_every_answer_carries_the_security_headers(void **state)
{
    (void)state;
    static const char *const paths[] = {
        "/", "/ops", "/assets/ops.js", "/api/v1/live", "/api/v1/stream", "/readyz", "/metrics", "/nowhere"};
    static const char *const headers[] = {
        "\r\nContent-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; connect-src "
        "'self'; img-src "
        "'self'; font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'\r\n",
        "\r\nX-Content-Type-Options: nosniff\r\n", "\r\nReferrer-Policy: same-origin\r\n",
        "\r\nCache-Control: no-"};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        char *answer = ask("HEAD", paths[i], "");
        for (size_t j = 0; j < sizeof headers / sizeof headers[0]; j++)
            if (!strstr(answer, headers[j]))
                fail_msg("%s lacks %s: %s", paths[i], headers[j], answer);
        free(answer);
    }
    expect(ask("GET", "/", ""), 404, "the frame of the pages is missing");
}

static void test_odd_requests_are_refused_and_the_connection_ends(void **state)
{
    (void)state;
    static const struct {
        const char *request;
        int code;
    } cases[] = {
        {"POST /ops HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc", 405},
        {"DELETE /ops HTTP/1.1\r\nHost: localhost\r\n\r\n", 405},
        {"GET /ops HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc", 400},
        {"GET /ops HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n", 400},
        {"GET /ops HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nTransfer-Encoding: "
         "chunked\r\n\r\n0\r\n\r\n",
            400},
        {"GET /ops HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
        {"GET /ops HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n", 400},
        {"GET /ops HTTP/1.1\r\n\r\n", 400},
        {"GET /ops%00.js HTTP/1.1\r\nHost: localhost\r\n\r\n", 400},
        {"GET /ops%ff HTTP/1.1\r\nHost: localhost\r\n\r\n", 400},
        {"GET /ops?%0a=a HTTP/1.1\r\nHost: localhost\r\n\r\n", 400},
        {"GET /ops?a&b&c&d&e&f&g&h&i&j&k&l&m&n&o&p&q HTTP/1.1\r\nHost: localhost\r\n\r\n", 400},
        {"GET /ops HTTP/1.1\r\nHost: evil.example\r\n\r\n", 421},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        /* hear() returns at the end of the connection: that it ends is part of the test */
        char *answer = ask_bytes(cases[i].request, strlen(cases[i].request));
        if (code_of(answer) != cases[i].code)
            fail_msg("%s: %s", cases[i].request, answer);
        free(answer);
    }
}

static void test_a_parameter_that_is_no_text_is_a_mistake_of_one_request(void **state)
{
    (void)state;
    static const char *const raw[] = {"%0a", "%00", "a%00", "%ff", "%ed%a0%80"};
    for (size_t i = 0; i < sizeof raw / sizeof raw[0]; i++) {
        char *text = mem_printf("GET /api/v1/live?x=1&y=%s&z=%s HTTP/1.1\r\nHost: localhost\r\n\r\n"
                                "GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
            raw[i], raw[i]);
        char *answer = ask_bytes(text, strlen(text));
        assert_int_equal(code_of(answer), 400);
        if (strstr(answer, "y: expected text") == NULL || strstr(answer, "alive") == NULL)
            fail_msg("%s: %s", raw[i], answer);
        free(answer);
        free(text);
    }
}

static void test_a_character_cut_in_a_quoted_parameter_harms_nobody(void **state)
{
    (void)state;
    static const char long_name[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa%E4%B8%AD";
    char *const paths[] = {mem_printf("/api/v1/live?%s=1", long_name),
        mem_printf("/api/v1/losses?limit=%s", long_name),
        mem_printf("/api/v1/losses?%s=1&%s=2", long_name, long_name)};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        expect(ask("GET", paths[i], ""), 400, "application/json");
        free(paths[i]);
    }
}

static void test_one_connection_serves_many_requests(void **state)
{
    (void)state;
    static const char request[] = "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n";
    int fd = dial();
    for (int i = 0; i < 3; i++) {
        say(fd, request, sizeof request - 1);
        char *answer = hear(fd, "alive");
        assert_int_equal(code_of(answer), 200);
        free(answer);
    }
    close(fd);
}

static void test_assets_are_the_known_files_of_the_folder_and_nothing_else(void **state)
{
    (void)state;
    expect(ask("GET", "/assets/ops.js", ""), 200, "text/javascript");
    static const char *const others[] = {"/assets/", "/assets/ops_frame.html", "/assets/secret.txt",
        "/assets/.hidden.js", "/assets/link.js", "/assets/../ops.js", "/assets/..%2fops.js",
        "/assets/%2e%2e/web/ops.js", "/assets//etc/passwd"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        expect(ask("GET", others[i], ""), 404, "not_found");
    char *answer = ask("GET", "/assets/ops.js", "");
    char etag[64];
    assert_int_equal(sscanf(strstr(answer, "ETag: "), "ETag: %63s", etag), 1);
    free(answer);
    char *header = mem_printf("If-None-Match: %s\r\n", etag);
    expect(ask("GET", "/assets/ops.js", header), 304, etag);
    free(header);
}

static void test_a_stream_sends_the_state_at_once_and_every_new_one(void **state)
{
    (void)state;
    static const char request[] = "GET /api/v1/stream HTTP/1.1\r\nHost: localhost\r\n\r\n";
    publish(100);
    int fd = dial();
    say(fd, request, sizeof request - 1);
    char *first = hear(fd, "}\n\n");
    assert_non_null(strstr(first, "text/event-stream"));
    assert_non_null(strstr(first, "event: live\nid: 100\ndata: {\"as_of\":"));
    free(first);
    for (uint64_t number = 101; number <= 102; number++) {
        publish(number);
        char mark[32];
        snprintf(mark, sizeof mark, "id: %llu\n", (unsigned long long)number);
        char *next = hear(fd, mark);
        free(next);
    }
    close(fd);
}

static void test_one_stream_too_many_is_told_to_come_later(void **state)
{
    (void)state;
    static const char request[] = "GET /api/v1/stream HTTP/1.1\r\nHost: localhost\r\n\r\n";
    int fds[STREAMS_MAX];
    int opened = 0;
    char *answer = NULL;
    /* Streams of tests before may not have been noticed as closed yet: then the refusal comes earlier, but it
     * comes. */
    for (int i = 0; i < STREAMS_MAX; i++) {
        fds[i] = dial();
        opened++;
        say(fds[i], request, sizeof request - 1);
        answer = hear(fds[i], "}");
        if (code_of(answer) == 503)
            break;
        free(answer);
        answer = NULL;
    }
    if (!answer) {
        int fd = dial();
        say(fd, request, sizeof request - 1);
        answer = hear(fd, "}");
        close(fd);
    }
    assert_non_null(strstr(answer, "Retry-After: 10"));
    expect(answer, 503, "too_many_streams");
    assert_true(opened > STREAMS_MAX - 4);
    for (int i = 0; i < opened; i++)
        close(fds[i]);
    expect(ask("GET", "/livez", ""), 200, "alive");
}

static void test_lists_are_paged_by_id_from_the_newest(void **state)
{
    (void)state;
    struct db *db;
    struct error err;
    assert_int_equal(db_open(database, &collector_schema, &db, &err), ST_OK);
    assert_int_equal(
        db_exec(db,
            "INSERT INTO gateway(name, first_heard_ms) VALUES('gw1', 1);"
            "INSERT INTO point(gateway, name, kind, quality, time_ms, arrived_ms) VALUES"
            " (1, 'b1-main', 0, 0, 1790000000000, 1790000000001), (1, 'odd', 1, 0, 1790000000000, "
            "1790000000001);"
            "INSERT INTO loss(gateway, epoch, first_seq, last_seq, from_ms, to_ms, reason, recorded_ms) "
            "VALUES"
            " ('gw1', -1, 3, 9, NULL, NULL, 'first', 1790000000000), ('gw1', 5, 10, 11, NULL, NULL, "
            "'second', "
            "1790000000000),"
            " ('gw9', NULL, NULL, NULL, 1, 9007199254740991, 'third', 1790000000000);"
            "INSERT INTO quarantine(gateway, reason, content, recorded_ms) VALUES"
            " ('gw1', 'binary', x'00ff41', 1790000000000), ('gw1', 'text', CAST('\xe7\x94\xb5 <b>' AS BLOB), "
            "1790000000000);",
            &err),
        ST_OK);
    json_t *page = get_json("/api/v1/losses?limit=2", 200);
    json_int_t next;
    const char *newest, *epoch, *recorded;
    assert_int_equal(json_unpack(page, "{s:I, s:[{s:s}, {s:s, s:s}]}", "next_before", &next, "losses",
                         "reason", &newest, "epoch", &epoch, "recorded", &recorded),
        0);
    assert_string_equal(newest, "third");
    /* Whatever a gateway claims: RFC 3339 ends with the year 9999. */
    assert_true(json_is_null(json_object_get(json_array_get(json_object_get(page, "losses"), 0), "to")));
    assert_string_equal(epoch, "0000000000000005");
    assert_string_equal(recorded, "2026-09-21T22:13:20.000+08:00");
    assert_int_equal(next, 2);
    json_decref(page);
    page = get_json("/api/v1/losses?limit=2&before=2", 200);
    assert_int_equal(json_array_size(json_object_get(page, "losses")), 1);
    assert_true(json_is_null(json_object_get(page, "next_before")));
    json_decref(page);
    page = get_json("/api/v1/quarantine", 200);
    const char *text, *hex;
    assert_int_equal(
        json_unpack(page, "{s:[{s:s}, {s:s}]}", "quarantine", "content", &text, "content_hex", &hex), 0);
    assert_string_equal(text, "电 <b>");
    assert_string_equal(hex, "00ff41");
    json_decref(page);
    page = get_json("/api/v1/unmapped?limit=1000", 200);
    const char *point, *building;
    assert_int_equal(json_array_size(json_object_get(page, "points")), 1);
    assert_int_equal(
        json_unpack(page, "{s:[{s:s, s:s}]}", "points", "point", &point, "building", &building), 0);
    assert_string_equal(point, "odd");
    assert_string_equal(building, "b1");
    json_decref(page);
    expect(ask("GET", "/api/v1/losses?limit=1001", ""), 400, "1 to 1000");
    db_close(db);
}

static void test_open_exceptions_are_listed_from_the_newest_and_none_is_cut_off(void **state)
{
    (void)state;
    struct db *db;
    struct error err;
    assert_int_equal(db_open(database, &collector_schema, &db, &err), ST_OK);
    assert_int_equal(
        db_exec(db,
            "INSERT INTO ledger_meter(id, name) VALUES(1, 'b1-main'), (2, 'gone');"
            "INSERT INTO ledger_event(meter, from_ms, kind, until_ms, state, opened_ms, opened_by) VALUES"
            " (1, 1790000000000, 5, 1790000900000, 0, 1790001000000, 7),"
            " (1, 1790009000000, 6, 9223372036854775807, 0, 1790009900000, 8),"
            " (2, 1790009000000, 7, 1790009900000, 0, 1790009900000, 8),"
            " (1, 1790002000000, 5, 1790002900000, 1, 1790003000000, 9)," /* withdrawn */
            " (1, 1790004000000, 2, 1790004000000, 0, 1790005000000, 9)", /* an outlier */
            &err),
        ST_OK);
    db_close(db);
    json_t *page = get_json("/api/v1/exceptions?limit=1", 200);
    char *text = json_dumps(page, JSON_COMPACT | JSON_SORT_KEYS);
    assert_string_equal(text,
        "{\"exceptions\":["
        "{\"building\":\"b1\",\"from\":\"2026-09-22T00:43:20.000+08:00\",\"kind\":"
        "\"limit\",\"meter\":\"b1-main\","
        "\"opened\":\"2026-09-22T00:58:20.000+08:00\",\"site\":\"cloud\",\"until\":null},"
        "{\"building\":null,\"from\":\"2026-09-22T00:43:20.000+08:00\",\"kind\":"
        "\"confirm_meter\",\"meter\":\"gone\","
        "\"opened\":\"2026-09-22T00:58:20.000+08:00\",\"site\":null,\"until\":\"2026-"
        "09-22T00:58:20.000+08:00\"}],"
        "\"next_before\":1790009000000}");
    free(text);
    json_decref(page);
    page = get_json("/api/v1/exceptions?limit=1&before=1790009000000", 200);
    const char *kind, *from;
    assert_int_equal(json_unpack(page, "{s:[{s:s, s:s}]}", "exceptions", "kind", &kind, "from", &from), 0);
    assert_string_equal(kind, "open_exception");
    assert_string_equal(from, "2026-09-21T22:13:20.000+08:00");
    assert_int_equal(json_array_size(json_object_get(page, "exceptions")), 1);
    assert_true(json_is_null(json_object_get(page, "next_before")));
    json_decref(page);
    expect(ask("GET", "/readyz", ""), 200, "\"open_exceptions\":3");
    expect(ask("GET", "/metrics", ""), 200, "\nparkmon_ledger_open_exceptions 3\n");
    expect(ask("GET", "/metrics", ""), 200, "\nparkmon_ledger_backlog_batches 0\n");
}

/* A park with more of them than a page has: each is reached by the links, once, and the other list stays where it is. */
static void test_the_page_of_exceptions_goes_on(void **state)
{
    (void)state;
    enum { EXCEPTIONS = 250 };
    struct db *db;
    struct error err;
    put_file("shell.html", "<!doctype html><title>x</title><a href=\"{{=self}}en\">en</a><!--content-->");
    web_stop(web);
    assert_int_equal(start("127.0.0.1", 0, database, &web, &err), ST_OK);
    assert_int_equal(db_open(database, &collector_schema, &db, &err), ST_OK);
    assert_int_equal(
        db_exec(db,
            "DELETE FROM ledger_event;"
            "INSERT INTO ledger_event(meter, from_ms, kind, until_ms, state, opened_ms, opened_by)"
            " WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 249)"
            " SELECT 1, 1700000000000 + i * 900000, 5, 1700000900000 + i * 900000, 0, 1700001000000, 7 FROM "
            "n",
            &err),
        ST_OK);
    db_close(db);
    int seen = 0, pages = 0;
    char *path = mem_strdup("/ops/exceptions?lang=en&decisions_before=9");
    while (path != NULL) {
        char *answer = ask("GET", path, ""), *more = strstr(answer, "&amp;exceptions_before=");
        assert_int_equal(code_of(answer), 200);
        for (const char *row = answer; (row = strstr(row, "<tr><th scope=\"row\">")) != NULL; row++)
            seen++;
        free(path);
        path = NULL;
        if (more != NULL) {
            long long from_ms;
            assert_int_equal(sscanf(more, "&amp;exceptions_before=%lld&amp;lang=en\"", &from_ms), 1);
            assert_non_null(strstr(answer, "\"/ops/exceptions?decisions_before=9&amp;exceptions_before="));
            path = mem_printf("/ops/exceptions?lang=en&exceptions_before=%lld&decisions_before=9", from_ms);
        }
        free(answer);
        assert_true(++pages <= EXCEPTIONS);
    }
    assert_int_equal(seen, EXCEPTIONS);
    assert_int_equal(pages, 3);
    expect(ask("GET", "/ops/exceptions?exceptions_before=x", ""), 400, "lang=");
}

/* The exposition format, read without our writer: samples follow the HELP and TYPE of their family, once;
 * counters end in _total. */
static void test_metrics_are_valid_prometheus_text(void **state)
{
    (void)state;
    char *answer = ask("GET", "/metrics", "");
    char family[128] = "", help[128] = "", type[32] = "";
    int samples = 0;
    char *rest = strstr(answer, "\r\n\r\n") + 4;
    for (char *line; (line = strsep(&rest, "\n")) && *line;) {
        double value;
        char name[128], tail[8];
        if (sscanf(line, "# HELP %127s", help) == 1)
            continue;
        if (sscanf(line, "# TYPE %127s %31s", family, type) == 2) {
            assert_string_equal(help, family);
            size_t len = strlen(family);
            bool is_total = len > 6 && strcmp(family + len - 6, "_total") == 0;
            assert_int_equal(is_total, strcmp(type, "counter") == 0);
            continue;
        }
        size_t len = strcspn(line, "{ ");
        snprintf(name, sizeof name, "%.*s", (int)len, line);
        assert_string_equal(name, family);
        assert_int_equal(sscanf(strrchr(line, ' '), "%lf%7s", &value, tail), 1);
        samples++;
    }
    assert_true(samples > 30);
    free(answer);
    expect(ask("GET", "/metrics", ""), 200, "\nparkmon_gateway_online{gateway=\"gw2\"} 1\n");
}

static char *read_source(const char *path)
{
    const char *source = getenv("PARKMON_SOURCE");
    char *whole = mem_printf("%s/%s", source ? source : ".", path);
    FILE *file = fopen(whole, "r");
    if (!file)
        fail_msg("%s: not there; set PARKMON_SOURCE", whole);
    char *text = mem_zalloc(ANSWER_MAX);
    assert_true(fread(text, 1, ANSWER_MAX - 1, file) > 0);
    fclose(file);
    free(whole);
    return text;
}

static void test_the_description_and_the_routes_name_the_same_paths(void **state)
{
    (void)state;
    char *text = read_source("dashboards/openapi.yaml");
    size_t paths = 0;
    for (size_t i = 0; i < web_route_count; i++) {
        const char *path = web_routes[i].path;
        const char *members = strcmp(path, "/assets/") == 0  ? "{file}"
                              : strcmp(path, "/audit/") == 0 ? "{site}/{period}"
                                                             : "";
        char *line = mem_printf("\n  %s%s:\n", path, members);
        char *described = strstr(text, line);
        if (!described)
            fail_msg("%s is not described", path);
        /* Its methods stand below it, before the next path. */
        const char *next = strstr(described + 1, "\n  /"),
                   *method = strstr(
                       described, strcmp(web_routes[i].method, "POST") == 0 ? "\n    post:" : "\n    get:");
        if (!method || (next && method > next))
            fail_msg("%s of %s is not described", web_routes[i].method, path);
        paths += i == 0 || strcmp(web_routes[i - 1].path, path) != 0;
        free(line);
    }
    /* What is below a report is of the same route. */
    assert_non_null(strstr(text, "\n  /audit/{site}/{period}/{path}:\n"));
    paths++;
    size_t described = 0;
    for (const char *line = text; (line = strstr(line, "\n  /")); line++)
        described++;
    assert_int_equal(described, paths);
    free(text);
}

static void expect_keys(json_t *catalogue, json_t *of, const char *name)
{
    const char *key;
    json_t *value;
    json_object_foreach(of, key, value)
    {
        const char *text = json_string_value(json_object_get(catalogue, key));
        if (!text || !*text)
            fail_msg("%s: no text for %s", name, key);
        /* The same values are filled in. */
        for (const char *brace = json_string_value(value); (brace = strchr(brace, '{')); brace++) {
            char *placeholder = mem_strndup(brace, strcspn(brace, "}") + 1);
            if (!strstr(text, placeholder))
                fail_msg("%s: %s lacks %s", name, key, placeholder);
            free(placeholder);
        }
    }
}

static void test_both_catalogues_have_the_same_texts(void **state)
{
    (void)state;
    char *zh_text = read_source("dashboards/web/zh-CN.json"),
         *en_text = read_source("dashboards/web/en.json");
    json_t *zh = json_loads(zh_text, JSON_REJECT_DUPLICATES, NULL),
           *en = json_loads(en_text, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(zh);
    assert_non_null(en);
    expect_keys(zh, en, "zh-CN.json");
    expect_keys(en, zh, "en.json");
    json_decref(zh);
    json_decref(en);
    free(zh_text);
    free(en_text);
}

static void test_only_a_free_loopback_address_is_taken(void **state)
{
    (void)state;
    struct web *other = NULL;
    struct error err;
    assert_int_equal(start("127.0.0.1", web_port(web), database, &other, &err), ST_UNREACHABLE);
    char port[16];
    snprintf(port, sizeof port, "port %d", web_port(web));
    assert_non_null(strstr(err.text, port));
    assert_non_null(strstr(err.text, "in use"));
    static const char *const others[] = {"0.0.0.0", "192.168.1.1", "::", "example.org", ""};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        assert_int_equal(start(others[i], 0, database, &other, &err), ST_UNREACHABLE);
        assert_non_null(strstr(err.text, i < 3 ? "not a loopback address" : "not an address"));
    }
    assert_null(other);
    web_stop(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_before_the_first_snapshot_the_api_says_starting),
        cmocka_unit_test(test_a_missing_database_is_said_not_a_crash),
        cmocka_unit_test(test_the_live_picture_has_the_snapshots_figures),
        cmocka_unit_test(test_a_core_that_hangs_fails_both_probes),
        cmocka_unit_test(test_every_answer_carries_the_security_headers),
        cmocka_unit_test(test_odd_requests_are_refused_and_the_connection_ends),
        cmocka_unit_test(test_a_parameter_that_is_no_text_is_a_mistake_of_one_request),
        cmocka_unit_test(test_a_character_cut_in_a_quoted_parameter_harms_nobody),
        cmocka_unit_test(test_one_connection_serves_many_requests),
        cmocka_unit_test(test_assets_are_the_known_files_of_the_folder_and_nothing_else),
        cmocka_unit_test(test_lists_are_paged_by_id_from_the_newest),
        cmocka_unit_test(test_open_exceptions_are_listed_from_the_newest_and_none_is_cut_off),
        cmocka_unit_test(test_the_page_of_exceptions_goes_on),
        cmocka_unit_test(test_metrics_are_valid_prometheus_text),
        cmocka_unit_test(test_a_stream_sends_the_state_at_once_and_every_new_one),
        cmocka_unit_test(test_one_stream_too_many_is_told_to_come_later),
        cmocka_unit_test(test_the_description_and_the_routes_name_the_same_paths),
        cmocka_unit_test(test_both_catalogues_have_the_same_texts),
        cmocka_unit_test(test_only_a_free_loopback_address_is_taken),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
