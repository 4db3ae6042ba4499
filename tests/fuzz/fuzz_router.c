/*
 * Requests as the router sees them, over the program's own routes and a small park: a byte of odd things, then
 * lines: path, Host, If-None-Match (or Authorization, Cookie), and a line name=value for each parameter (or a body).
 */
#include "tests/fuzz/web.h"

static struct web_fixture fixture;
static struct web_context context;

static char *make_no_event(void *user_data)
{
    (void)user_data;
    return NULL;
}

static void leave_connection(void *connection)
{
    (void)connection;
}

static void close_all(void)
{
    stream_hub_stop(context.streams);
    stream_hub_destroy(context.streams);
    context_release(&context);
    web_fixture_close(&fixture);
}

static void open_once(void)
{
    if (fixture.park != NULL)
        return;
    struct error err = {""};
    web_fixture_open(&fixture);
    LAW(context_init(&context, &fixture.options, &err) == ST_OK, "%s", err.text);
    context.streams = stream_hub_create(
        &(struct stream_hub_options){NULL, make_no_event, leave_connection, leave_connection});
    atexit(close_all);
}

/* The next line as a string of its own; NULL at the end. */
static char *take_line(const char **at, const char *end)
{
    if (*at >= end)
        return NULL;
    const char *feed = memchr(*at, '\n', (size_t)(end - *at));
    char *line = mem_strndup(*at, (size_t)((feed ? feed : end) - *at));
    *at = feed ? feed + 1 : end;
    return line;
}

static bool is_plain(const char *text)
{
    return text_is_utf8(span_of(text)) && !text_has_control(span_of(text));
}

static void check_answer(const struct web_request *request, const struct web_answer *a)
{
    static const int codes[] = {200, 302, 303, 304, 400, 401, 403, 404, 405, 415, 421, 429, 503};
    size_t i = 0;
    while (i < sizeof codes / sizeof codes[0] && codes[i] != a->code)
        i++;
    LAW(i < sizeof codes / sizeof codes[0], "%s is answered %d", request->path, a->code);
    LAW(a->code == 400 || (!request->is_odd && request->path[0] == '/'), "an odd request is answered %d",
        a->code);
    LAW(a->code != 200 ||
            (request->host != NULL && router_host_allowed(request->host, fixture.options.address, NULL)),
        "a foreign host is answered");
    LAW(a->code != 200 || !request->has_body || request->body != NULL, "a body is passed over");
    LAW(a->code != 401 || a->authenticate != NULL, "no word about how to be let through");
    /* No token is there: nothing is open but what is said to be. */
    LAW(a->code != 200 || strcmp(request->path, "/api/v1/changes") != 0, "the log of changes is open");
    LAW((a->code != 302 && a->code != 303) || a->location != NULL || a->redirect != NULL,
        "a redirect to nowhere");
    LAW(a->code != 405 || a->allow != NULL, "nothing is allowed");
    if (a->content_type == NULL || strcmp(a->content_type, WEB_JSON) != 0 || a->body == NULL)
        return;
    json_t *json = json_loadb(a->body, a->len, 0, NULL);
    LAW(json_is_object(json), "%s: what is called JSON is none", request->path);
    json_t *error = json_object_get(json, "error");
    LAW(a->code < 400 || a->code == 503 || json_string_value(json_object_get(error, "code")) != NULL,
        "an error without its code");
    json_decref(json);
}

static void check_form(const char *body, size_t len)
{
    struct web_form form;
    if (form_parse(&form, body, len))
        for (size_t i = 0; i < form.count; i++)
            LAW(is_plain(form.fields[i].name) && is_plain(form.fields[i].value), "a field is not plain");
    form_release(&form);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const methods[] = {"GET", "HEAD", "POST", "get"};
    open_once();
    if (size == 0)
        return 0;
    const char *at = (const char *)data + 1, *end = (const char *)data + size;
    char *path = take_line(&at, end), *host = take_line(&at, end), *etag = take_line(&at, end);
    struct web_request request = {.method = methods[data[0] & 3],
        .path = path ? path : "",
        .host = host,
        .if_none_match = etag,
        .has_body = data[0] & 4,
        .is_odd = data[0] & 8};
    /* Headers in place of the ETag; a body in place of the parameters. */
    request.credentials.authorization = data[0] & 16 ? etag : NULL;
    request.credentials.cookie = data[0] & 32 ? etag : NULL;
    if (data[0] & 64) {
        request.content_type = "application/x-www-form-urlencoded";
        request.body = at < end ? at : "";
        request.body_len = at < end ? (size_t)(end - at) : 0;
        check_form(request.body, request.body_len);
        at = end;
    }
    char *lines[WEB_PARAMS_MAX], *line;
    while (request.param_count < WEB_PARAMS_MAX && (line = take_line(&at, end)) != NULL) {
        char *equals = strchr(line, '=');
        lines[request.param_count] = line;
        request.params[request.param_count++] = (struct web_param){line, equals ? equals + 1 : ""};
        if (equals)
            *equals = '\0';
    }
    /* As the server has it: what is not plain text never gets to a handler. */
    request.is_odd |= !is_plain(request.path);
    size_t kept = 0, line_count = request.param_count;
    for (size_t i = 0; i < line_count; i++) {
        request.is_odd |= !is_plain(request.params[i].name);
        if (is_plain(request.params[i].value))
            request.params[kept++] = request.params[i];
        else if (request.odd_param == NULL)
            request.odd_param = request.params[i].name;
    }
    request.param_count = kept;
    struct router router = context_router(&context);
    struct caller caller;
    struct web_answer answer = {0};
    const struct web_route *route = router_admit(&router, &context, &request, &caller, &answer);
    if (route != NULL)
        answer = router_handle(route, &context, &request, &caller);
    LAW(caller.kind != CALLER_KNOWN, "nobody has a token here");
    check_answer(&request, &answer);
    answer_release(&answer);
    for (size_t i = 0; i < line_count; i++)
        free(lines[i]);
    free(path);
    free(host);
    free(etag);
    return 0;
}
