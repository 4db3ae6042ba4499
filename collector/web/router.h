/*
 * From a request to its handler: a table of paths, and the checks that every route shares. Knows nothing of
 * the HTTP library, so that a test can ask it anything. Handlers run on the listener's one thread and must
 * not block long.
 */
#pragma once

#include "collector/web/answer.h"

#include <stdint.h>

struct web_context;

#define WEB_PARAMS_MAX 16

struct web_param {
    const char *name, *value;
};

/* Strings are UTF-8, decoded, and borrowed for the call. */
struct web_request {
    const char *method, *path;
    const char *host;          /* header; NULL = absent */
    const char *if_none_match; /* header; NULL = absent */
    struct web_param params[WEB_PARAMS_MAX];
    size_t param_count;
    bool has_body; /* announced by Content-Length or Transfer-Encoding */
    bool is_odd;   /* malformed in a way the HTTP library lets pass: a header twice that may come once, a NUL,
                      too many parameters */
};

struct web_route {
    const char *path;   /* whole; or a folder, where it ends in '/', whose members the handler looks up */
    const char *params; /* " a b " = those allowed; NULL = any, ignored (pages: links carry all sorts) */
    struct web_answer (*handle)(struct web_context *context, const struct web_request *request);
};

/* Checks the request (method, host, body, parameters), then calls the handler. `address` is the listener's.
 */
struct web_answer router_answer(const struct web_route *routes, size_t count, struct web_context *context,
    const struct web_request *request, const char *address);

/* NULL = not given. */
const char *request_param(const struct web_request *request, const char *name);
/* A decimal integer of [min, max], `fallback` when not given. False: *ret_answer is the 400 that says so. */
bool request_int(const struct web_request *request, const char *name, int64_t min, int64_t max,
    int64_t fallback, int64_t *ret, struct web_answer *ret_answer);

/* Whether a Host header names this machine's loopback or `address` (with any port: a tunnel may bring
 * another). A page on a foreign name that was rebound to our address must not read our answers. */
bool router_host_allowed(const char *host, const char *address);
