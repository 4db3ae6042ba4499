/*
 * Requests as the router sees them, over the program's own routes and a small park: a byte of odd things, then
 * lines: path, Host, If-None-Match, and a line name=value for each parameter.
 */
#include "collector/web/context.h"
#include "lib/text.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/collector/fake_journal.h"
#include "tests/unit/collector/made_up.h"

static struct fake_journal journal;
static struct web_context context;
static struct web_options options;
static struct snapshot_box *box;
static char folder[64];
static struct park *model;

static char *make_no_event(void *user_data)
{
    (void)user_data;
    return NULL;
}

static void leave_connection(void *connection)
{
    (void)connection;
}

static int64_t beat(void *user_data)
{
    (void)user_data;
    return clock_system.mono_ms();
}

static void close_all(void)
{
    stream_hub_stop(context.streams);
    stream_hub_destroy(context.streams);
    context_release(&context);
    snapshot_box_destroy(box);
    park_destroy(model);
    made_up_remove(folder);
    fake_journal_close(&journal);
}

static void open_once(void)
{
    if (model != NULL)
        return;
    static const struct made_up_reading readings[] = {{.gateway = "gw1", .point = "b1-main", .count = 12},
        {.gateway = "gw2", .point = "b2-main.power", .kind = READING_GAUGE, .value = 7.5}};
    struct error err = {""};
    model = made_up_load(folder);
    fake_journal_open(&journal);
    LAW(db_exec(journal.db,
            "INSERT INTO quarantine(gateway, reason, content, recorded_ms) VALUES('gw-a', 'x', x'ff00', 1),"
            " ('gw1', 'y', CAST('text' AS BLOB), 2);"
            "INSERT INTO loss(gateway, reason, recorded_ms) VALUES('gw1', 'z', 3);"
            "INSERT INTO point(gateway, name, kind, quality, time_ms, arrived_ms) VALUES(1, 'm', 1, 0, 1, 1)",
            &err) == ST_OK,
        "%s", err.text);
    box = snapshot_box_create();
    snapshot_publish(box, made_up_snapshot(model, readings, 2, clock_system.wall_ms()));
    const char *source = getenv("PARKMON_SOURCE");
    char *assets = mem_printf("%s/dashboards/web", source ? source : ".");
    options = (struct web_options){.address = "127.0.0.7",
        .assets = assets,
        .database_path = journal.path,
        .box = box,
        .park = model,
        .core_heartbeat_mono_ms = beat};
    LAW(context_init(&context, &options, &err) == ST_OK, "%s", err.text);
    context.streams = stream_hub_create(
        &(struct stream_hub_options){NULL, make_no_event, leave_connection, leave_connection});
    free(assets);
    options.assets = NULL;
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
    static const int codes[] = {200, 302, 304, 400, 404, 405, 421, 503};
    size_t i = 0;
    while (i < sizeof codes / sizeof codes[0] && codes[i] != a->code)
        i++;
    LAW(i < sizeof codes / sizeof codes[0], "%s is answered %d", request->path, a->code);
    LAW(a->code == 400 || (!request->is_odd && request->path[0] == '/'), "an odd request is answered %d",
        a->code);
    LAW(a->code != 200 || (request->host != NULL && router_host_allowed(request->host, options.address)),
        "a foreign host is answered");
    LAW(a->code != 200 || !request->has_body, "a body is passed over");
    LAW(a->code != 302 || a->location != NULL, "a redirect to nowhere");
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
    for (size_t i = 0; i < request.param_count; i++)
        request.is_odd |= !is_plain(request.params[i].name) || !is_plain(request.params[i].value);
    struct web_answer answer =
        router_answer(web_routes, web_route_count, &context, &request, options.address);
    check_answer(&request, &answer);
    answer_release(&answer);
    for (size_t i = 0; i < request.param_count; i++)
        free(lines[i]);
    free(path);
    free(host);
    free(etag);
    return 0;
}
