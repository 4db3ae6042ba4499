#include "collector/status.h"

#include "lib/http_client.h"
#include "lib/json.h"
#include "lib/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HEALTHY, DEGRADED, FAILING };

static int print_failing(const char *code, const char *message, bool is_json)
{
    if (is_json) {
        char *text = json_text(json_pack(
            "{s:s, s:[{s:s, s:s}]}", "status", "failing", "reasons", "code", code, "message", message));
        puts(text);
        free(text);
    } else {
        printf("failing\n  %s: %s\n", code, message);
    }
    return FAILING;
}

static int print_answer(const struct http_answer *answer, bool is_json)
{
    json_error_t why;
    json_t *root = json_loadb(answer->body.data ? answer->body.data : "", answer->body.len, 0, &why);
    const char *status = json_string_value(json_object_get(root, "status"));
    if (status == NULL ||
        (strcmp(status, "ready") != 0 && strcmp(status, "degraded") != 0 && strcmp(status, "failing") != 0)) {
        json_decref(root);
        return print_failing("answer", "what listens there is not a collector", is_json);
    }
    int code = strcmp(status, "ready") == 0 ? HEALTHY : strcmp(status, "degraded") == 0 ? DEGRADED : FAILING;
    if (is_json) {
        puts(answer->body.data);
    } else {
        puts(code == HEALTHY ? "healthy" : status);
        size_t i;
        json_t *reason;
        json_array_foreach(json_object_get(root, "reasons"), i, reason)
        {
            const char *reason_code = json_string_value(json_object_get(reason, "code"));
            const char *message = json_string_value(json_object_get(reason, "message"));
            printf("  %s: %s\n", reason_code ? reason_code : "?", message ? message : "?");
        }
        json_int_t open = json_integer_value(json_object_get(root, "open_exceptions"));
        if (open > 0)
            printf("  for information: %lld open exceptions of meters, see /api/v1/exceptions\n",
                (long long)open);
    }
    json_decref(root);
    return code;
}

int status_print(const struct collector_settings *settings, bool is_json)
{
    bool is_v6 = strchr(settings->http.address, ':') != NULL;
    char *url = mem_printf("http://%s%s%s:%lld", is_v6 ? "[" : "", settings->http.address, is_v6 ? "]" : "",
        (long long)settings->http.port);
    struct http_client_options options = {.url = url, .connect_timeout_ms = 2000, .timeout_ms = 5000};
    struct http_client *client = http_client_create(&options);
    struct http_answer answer = {0};
    struct error err;
    int code;
    enum status status = http_get(client, "/readyz", &answer, &err);
    if (status != ST_OK) /* one that hangs is there, and is to be looked at before it is started again */
        code = print_failing(status == ST_TIMEOUT ? "no_answer" : "not_running", err.text, is_json);
    else
        code = print_answer(&answer, is_json);
    buf_release(&answer.body);
    http_client_destroy(client);
    free(url);
    return code;
}
