#include "collector/web/router.h"

#include "lib/buf.h"
#include "lib/mem.h"
#include "lib/number.h"
#include "lib/text.h"

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

bool request_is_twice(const struct web_request *request, const char *name)
{
    int count = 0;
    for (size_t i = 0; i < request->param_count; i++)
        count += strcmp(request->params[i].name, name) == 0;
    return count > 1;
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

bool request_word(const struct web_request *request, const char *name, const char *const *words, int fallback,
    int *ret, struct web_answer *ret_answer)
{
    const char *text = request_param(request, name);
    *ret = text != NULL ? text_index(words, text) : fallback;
    if (*ret >= 0)
        return true;
    struct buf known = {0};
    for (int i = 0; words[i] != NULL; i++)
        buf_printf(&known, "%s%s", i > 0 ? ", " : "", words[i]);
    *ret_answer = answer_error(
        400, "bad_parameter", "%s: unknown value \"%.40s\"; expected one of %s", name, text, known.data);
    buf_release(&known);
    return false;
}

bool request_why(const struct web_request *request, const char **ret, struct web_answer *ret_answer)
{
    const char *key;
    json_t *value;
    *ret = NULL;
    json_object_foreach((json_t *)request->json, key, value)
    {
        bool is_why = strcmp(key, "why") == 0;
        if (is_why && json_is_string(value)) {
            *ret = json_string_value(value);
            continue;
        }
        *ret_answer =
            answer_error(400, "bad_request", is_why ? "%.40s: expected a text" : "%.40s: unknown here", key);
        return false;
    }
    if (*ret == NULL)
        *ret_answer = answer_error(
            400, "bad_request", "why: is missing; expected a sentence that says how it is known");
    return *ret != NULL;
}

bool router_host_allowed(const char *host, const char *address, const char *name)
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
    const char *const names[] = {"localhost", "127.0.0.1", "[::1]", address, bracketed, name};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (names[i] != NULL && strlen(names[i]) == len && strncasecmp(names[i], host, len) == 0)
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

/* False: *ret is the 400. */
static bool check_listed(const char *list, const struct web_request *request, struct web_answer *ret)
{
    for (size_t i = 0; list != NULL && i < request->param_count; i++) {
        const char *name = request->params[i].name;
        if (!is_listed(list, name))
            *ret = answer_error(400, "unknown_parameter", "%.40s: unknown here; known are:%s", name,
                strcmp(list, " ") == 0 ? " none" : list);
        else if (request_is_twice(request, name))
            *ret = answer_error(400, "bad_parameter", "%.40s: given twice", name);
        else
            continue;
        return false;
    }
    return true;
}

/* NULL: those of a page are as they should be. */
static const char *find_against_rule(
    const struct web_rule *rules, const struct web_context *context, const struct web_request *request)
{
    for (const struct web_rule *r = rules; r != NULL && r->name != NULL; r++) {
        const char *value = request_param(request, r->name);
        if (value != NULL && (request_is_twice(request, r->name) ||
                                 (r->is_right != NULL ? !r->is_right(context, request, value)
                                                      : r->words != NULL && text_index(r->words, value) < 0)))
            return r->name;
    }
    return NULL;
}

static bool check_params(const struct router *router, struct web_context *context,
    const struct web_route *route, const struct web_request *request, struct web_answer *ret)
{
    const char *name =
        request->odd_param != NULL ? request->odd_param : find_against_rule(route->rules, context, request);
    if (name == NULL)
        return check_listed(route->params, request, ret);
    *ret = route->is_page ? router->refuse_param(context, request, name)
                          : answer_error(400, "bad_request",
                                "%.40s: expected text of UTF-8 without control characters", name);
    return false;
}

/* `ret` is untouched where the route has no {id}. */
static bool is_match(const struct web_route *route, const char *path, char ret[static WEB_ID_SIZE])
{
    static const char mark[] = "{id}";
    size_t len = strlen(route->path);
    const char *at = strstr(route->path, mark);
    if (at != NULL) {
        size_t before = (size_t)(at - route->path);
        if (strncmp(path, route->path, before) != 0)
            return false;
        const char *id = path + before;
        size_t id_len = strcspn(id, "/.");
        if (id_len == 0 || id_len >= WEB_ID_SIZE || strcmp(id + id_len, at + strlen(mark)) != 0)
            return false;
        memcpy(ret, id, id_len);
        ret[id_len] = '\0';
        return true;
    }
    if (len > 1 && route->path[len - 1] == '/')
        return strncmp(path, route->path, len) == 0;
    return strcmp(path, route->path) == 0;
}

static bool is_post(const char *method)
{
    return strcmp(method, "POST") == 0;
}

/* The route of path and method; NULL: *ret_allow says which methods the path has, NULL where it has none. */
static const struct web_route *find_route(
    const struct router *router, const struct web_request *request, const char **ret_allow)
{
    bool has_get = false, has_post = false;
    char id[WEB_ID_SIZE];
    for (size_t i = 0; i < router->count; i++) {
        const struct web_route *route = &router->routes[i];
        if (!is_match(route, request->path, id))
            continue;
        if (is_post(route->method) == is_post(request->method))
            return route;
        has_get = has_get || !is_post(route->method);
        has_post = has_post || is_post(route->method);
    }
    *ret_allow = has_get ? "GET, HEAD" : has_post ? "POST" : NULL;
    return NULL;
}

bool router_takes_body(const struct router *router, const struct web_request *request)
{
    const char *allow;
    return is_post(request->method) && find_route(router, request, &allow) != NULL;
}

size_t router_body_max(const struct router *router, const struct web_request *request, size_t otherwise)
{
    const char *allow;
    struct error ignored;
    for (size_t i = 0; i < router->large_count; i++) {
        const struct web_route *route =
            strcmp(router->larges[i].path, request->path) == 0 ? find_route(router, request, &allow) : NULL;
        struct caller caller;
        if (route != NULL &&
            guard_identify(router->guard, &request->credentials, &caller, &ignored) == ST_OK &&
            guard_decide(router->guard, route->allow, route->scope, true, &caller, request->is_here) ==
                GUARD_ALLOWED)
            return router->larges[i].max;
    }
    return otherwise;
}

/* What is wrong with the request whoever asks; false: *ret is the answer, after which nothing more is read. */
static bool check_request(
    const struct router *router, const struct web_request *request, struct web_answer *ret)
{
    const char *method = request->method;
    bool is_get = strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
    if (request->is_odd || !request->host || request->path[0] != '/') {
        *ret = answer_error(400, "bad_request", "the request is malformed");
    } else if (!router_host_allowed(request->host, router->address, router->name)) {
        *ret = answer_error(421, "wrong_host", "this listener serves localhost and %s only", router->address);
    } else if (!is_get && !is_post(method)) {
        *ret = answer_error(405, "method_not_allowed", "only GET, HEAD and POST");
        ret->allow = "GET, HEAD";
    } else if (is_get && request->has_body) {
        *ret = answer_error(400, "unexpected_body", "a GET carries no body here");
    } else {
        return true;
    }
    ret->is_closing = true;
    return false;
}

static struct web_answer refuse_caller(const struct router *router, struct web_context *context,
    const struct web_route *route, const struct web_request *request, enum guard_verdict verdict)
{
    struct web_answer answer;
    bool is_wrong = request->caller->kind == CALLER_WRONG;
    if (route->is_page && router->refuse_page != NULL)
        answer = router->refuse_page(context, request);
    else if (verdict == GUARD_FORBIDDEN)
        answer = answer_error(403, "forbidden", "this token does not allow it");
    else
        answer = answer_error(401, "unauthorized", "%s",
            is_wrong ? "this token is not good, or is no more"
                     : "a token is needed: Authorization: Bearer, or sign in at /login");
    if (verdict == GUARD_FORBIDDEN)
        return answer;
    answer.authenticate =
        is_wrong ? "Bearer realm=\"parkmon\", error=\"invalid_token\"" : "Bearer realm=\"parkmon\"";
    return answer;
}

static bool has_type(const struct web_request *request, const char *type)
{
    const char *given = request->content_type ? request->content_type : "";
    return strncasecmp(given, type, strlen(type)) == 0 && strchr("; ", given[strlen(type)]) != NULL;
}

/* A form of ours, sent from a page of ours. False: *ret is the answer. */
static bool read_form(const struct web_route *route, const struct web_request *request, struct web_form *form,
    struct web_answer *ret)
{
    static const char type[] = "application/x-www-form-urlencoded";
    if (!has_type(request, type))
        *ret = answer_error(415, "unsupported_media_type", "expected %s", type);
    else if (!form_parse(form, request->body ? request->body : "", request->body_len))
        *ret = form->odd_field != NULL
                   ? answer_error(400, "bad_form",
                         "%.40s: expected one text of UTF-8 without control characters", form->odd_field)
                   : answer_error(400, "bad_form", "the form is malformed");
    else if (!guard_is_own_page(request->fetch_site, request->origin, request->host))
        *ret = answer_error(403, "cross_site", "a form is taken from pages of this listener only");
    else if (request->caller->is_session && !(route->allow & ALLOW_ANYONE) &&
             !guard_is_csrf(request->caller, form_value(form, "csrf")))
        *ret = answer_error(403, "stale_form", "this form is not of this session: load its page again");
    else
        return true;
    return false;
}

/* An object (RFC 8259) from a program, or from a page of ours: a browser's cookie alone shall not do. */
static bool read_json(const struct web_request *request, json_t **ret_json, struct web_answer *ret)
{
    static const char type[] = "application/json";
    json_error_t why;
    if (!has_type(request, type)) {
        *ret = answer_error(415, "unsupported_media_type", "expected %s", type);
        return false;
    }
    if (!guard_is_own_page(request->fetch_site, request->origin, request->host)) {
        *ret =
            answer_error(403, "cross_site", "this is taken from programs, and pages of this listener only");
        return false;
    }
    *ret_json =
        json_loadb(request->body ? request->body : "", request->body_len, JSON_REJECT_DUPLICATES, &why);
    if (json_is_object(*ret_json))
        return true;
    *ret = answer_error(
        400, "bad_json", "the body is no JSON object%s%s", *ret_json ? "" : ": ", *ret_json ? "" : why.text);
    return false;
}

static struct web_answer handle(
    const struct web_route *route, struct web_context *context, struct web_request *request)
{
    struct web_answer answer;
    struct web_form form = {0};
    json_t *json = NULL;
    bool is_good = true;
    if (is_post(request->method) && !route->is_page) {
        is_good = read_json(request, &json, &answer);
        request->json = json;
    } else if (is_post(request->method)) {
        is_good = read_form(route, request, &form, &answer);
        request->form = &form;
    }
    if (is_good)
        answer = route->handle(context, request);
    form_release(&form);
    json_decref(json);
    return answer;
}

struct web_answer router_handle(const struct web_route *route, struct web_context *context,
    const struct web_request *request, const struct caller *caller)
{
    struct web_request asked = *request;
    asked.caller = caller;
    asked.route = route;
    asked.id[0] = '\0';
    is_match(route, asked.path, asked.id);
    struct web_answer answer = handle(route, context, &asked);
    if (answer.etag[0] != '\0' && request->if_none_match && strstr(request->if_none_match, answer.etag)) {
        answer.code = 304;
        free(answer.body);
        answer.body = NULL;
        answer.shared = NULL;
        answer.len = 0;
    }
    answer.is_closing |= request->has_body && request->body == NULL;
    return answer;
}

struct web_answer router_handle_late(const struct router *router, const struct web_route *route,
    struct web_context *context, const struct web_request *request, struct caller *caller)
{
    if (guard_still(router->guard, caller))
        return router_handle(route, context, request, caller);
    struct web_request asked = *request;
    *caller = (struct caller){.kind = CALLER_WRONG};
    asked.caller = caller;
    return refuse_caller(router, context, route, &asked, GUARD_UNKNOWN);
}

/* False: *ret is the answer. */
static bool check_caller(const struct router *router, struct web_context *context,
    const struct web_route *route, const struct web_request *request, struct caller *caller,
    struct web_answer *ret)
{
    struct error err;
    if (guard_identify(router->guard, &request->credentials, caller, &err) != ST_OK) {
        *ret = answer_later("access_unavailable", err.text);
        return false;
    }
    enum guard_verdict verdict = guard_decide(
        router->guard, route->allow, route->scope, is_post(request->method), caller, request->is_here);
    if (verdict == GUARD_ALLOWED)
        return true;
    *ret = refuse_caller(router, context, route, request, verdict);
    return false;
}

const struct web_route *router_admit(const struct router *router, struct web_context *context,
    const struct web_request *request, struct caller *ret_caller, struct web_answer *ret)
{
    *ret_caller = (struct caller){.kind = CALLER_NOBODY};
    if (!check_request(router, request, ret))
        return NULL;
    const char *allow;
    const struct web_route *route = find_route(router, request, &allow);
    struct web_request asked = *request;
    asked.caller = ret_caller;
    asked.route = route;
    if (route == NULL && allow == NULL) {
        *ret = answer_error(404, "not_found", "nothing is here");
    } else if (route == NULL) {
        *ret = answer_error(405, "method_not_allowed", "only %s", allow);
        ret->allow = allow;
    } else if (check_caller(router, context, route, &asked, ret_caller, ret) &&
               check_params(router, context, route, &asked, ret)) {
        return route;
    }
    ret->is_closing |= request->has_body && request->body == NULL;
    return NULL;
}
