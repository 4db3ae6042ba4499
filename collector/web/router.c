#include "collector/web/router.h"

#include "lib/mem.h"
#include "lib/number.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

const char *request_param(const struct web_request *request, const char *name)
{
    for (size_t i = 0; i < request->param_count; i++)
        if (strcmp(request->params[i].name, name) == 0)
            return request->params[i].value;
    return NULL;
}

bool request_int(const struct web_request *request, const char *name, int64_t min, int64_t max,
    int64_t fallback, int64_t *ret, struct web_answer *ret_answer)
{
    const char *text = request_param(request, name);
    int64_t value = fallback;
    if (text && (!number_parse_int64(text, strlen(text), &value) || value < min || value > max)) {
        *ret_answer = answer_error(400, "bad_parameter", "%s: \"%.40s\" is not an integer from %lld to %lld",
            name, text, (long long)min, (long long)max);
        return false;
    }
    *ret = value;
    return true;
}

bool router_host_allowed(const char *host, const char *address)
{
    size_t len = strcspn(host, ":");
    if (host[0] == '[') {
        const char *end = strchr(host, ']');
        if (!end)
            return false;
        len = (size_t)(end - host) + 1;
    }
    const char *port = host + len;
    if (*port != '\0') {
        int64_t number;
        if (*port != ':' || !number_parse_int64(port + 1, strlen(port + 1), &number) || number < 1 ||
            number > 65535)
            return false;
    }
    char bracketed[80];
    snprintf(bracketed, sizeof bracketed, "[%s]", address);
    const char *const names[] = {"localhost", "127.0.0.1", "[::1]", address, bracketed};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strlen(names[i]) == len && strncasecmp(names[i], host, len) == 0)
            return true;
    return false;
}

static bool is_listed(const char *list, const char *name)
{
    char *word = mem_printf(" %s ", name);
    bool is_found = name[0] != '\0' && strchr(name, ' ') == NULL && strstr(list, word) != NULL;
    free(word);
    return is_found;
}

static bool check_params(
    const struct web_route *route, const struct web_request *request, struct web_answer *ret)
{
    if (!route->params)
        return true;
    for (size_t i = 0; i < request->param_count; i++) {
        const char *name = request->params[i].name;
        if (!is_listed(route->params, name)) {
            *ret = answer_error(400, "unknown_parameter", "%.40s: unknown here; known are:%s", name,
                strcmp(route->params, " ") == 0 ? " none" : route->params);
            return false;
        }
        for (size_t j = 0; j < i; j++)
            if (strcmp(request->params[j].name, name) == 0) {
                *ret = answer_error(400, "bad_parameter", "%.40s: given twice", name);
                return false;
            }
    }
    return true;
}

static bool is_match(const struct web_route *route, const char *path)
{
    size_t len = strlen(route->path);
    if (len > 1 && route->path[len - 1] == '/')
        return strncmp(path, route->path, len) == 0;
    return strcmp(path, route->path) == 0;
}

struct web_answer router_answer(const struct web_route *routes, size_t count, struct web_context *context,
    const struct web_request *request, const char *address)
{
    struct web_answer answer;
    if (request->is_odd || !request->host || request->path[0] != '/') {
        answer = answer_error(400, "bad_request", "the request is malformed");
        answer.is_closing = true;
        return answer;
    }
    if (!router_host_allowed(request->host, address)) {
        answer = answer_error(421, "wrong_host", "this listener serves localhost and %s only", address);
        answer.is_closing = true;
        return answer;
    }
    if (strcmp(request->method, "GET") != 0 && strcmp(request->method, "HEAD") != 0) {
        answer = answer_error(405, "method_not_allowed", "only GET and HEAD");
        answer.allow = "GET, HEAD";
        answer.is_closing = true;
        return answer;
    }
    if (request->has_body) {
        answer = answer_error(400, "unexpected_body", "a GET carries no body here");
        answer.is_closing = true;
        return answer;
    }
    for (size_t i = 0; i < count; i++) {
        if (!is_match(&routes[i], request->path))
            continue;
        if (!check_params(&routes[i], request, &answer))
            return answer;
        answer = routes[i].handle(context, request);
        if (answer.etag && request->if_none_match && strstr(request->if_none_match, answer.etag)) {
            answer.code = 304;
            answer.shared = NULL;
            answer.len = 0;
        }
        return answer;
    }
    return answer_error(404, "not_found", "nothing is here");
}
