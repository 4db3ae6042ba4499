/*
 * From a request to its handler: a table of paths, and the checks that every route shares. Knows nothing of
 * the HTTP library, so that a test can ask it anything. Handlers run on the listener's one thread and must
 * not block long; those of a route that is_long on another one, one after another (errands.h).
 */
#pragma once

#include "collector/web/answer.h"
#include "collector/web/form.h"
#include "collector/web/guard.h"

#include <stdint.h>

struct web_context;
struct web_request;
struct web_route;

#define WEB_PARAMS_MAX 16
#define WEB_ID_SIZE 64

/* Strings are UTF-8, decoded, and borrowed for the call. */
struct web_request {
    const char *method, *path;
    const char *host;          /* header; NULL = absent */
    const char *if_none_match; /* header; NULL = absent */
    struct web_param params[WEB_PARAMS_MAX];
    size_t param_count;
    const char *accept_language;     /* header; NULL = absent */
    const char *content_type;        /* header; NULL = absent */
    const char *origin, *fetch_site; /* headers Origin and Sec-Fetch-Site; NULL = absent */
    struct credentials credentials;  /* headers too */
    struct in6_addr address;         /* whence; of IPv4 the mapped one */
    bool is_here;                    /* from this machine itself, and not through a proxy */
    const struct caller *caller;     /* set by the router, */
    const struct web_route *route;   /* as is this */
    char id[WEB_ID_SIZE];            /* too: what stands for the route's {id}; "" where it has none */
    const char *body;                /* of a POST that was read, NUL-terminated; NULL = it was not */
    size_t body_len;
    const struct web_form *form; /* set by the router, of a POST of a form; */
    const json_t *json;          /* or of one of JSON: an object, borrowed */
    bool is_put_off;             /* set for a page that is_long: only say that it is not done now, as a 503 */
    bool has_body;               /* announced by Content-Length or Transfer-Encoding */
    const char *odd_param; /* the first whose value is no text, and is not among `params`; NULL = none */
    bool
        is_odd; /* malformed in a way the HTTP library lets pass: a header twice that may come once, a NUL or a
                      name of a parameter that is no text, too many parameters */
};

/* Who is let through; everybody else is refused. */
enum web_allow {
    ALLOW_ANYONE = 1, /* also without a token */
    ALLOW_HERE = 2,   /* without a token, from this machine itself */
    ALLOW_PUBLIC = 4, /* a token of this role */
    ALLOW_OPERATOR = 8,
    ALLOW_AUDITOR = 16,
    ALLOW_ANY_TOKEN = ALLOW_PUBLIC | ALLOW_OPERATOR | ALLOW_AUDITOR
};

/* A parameter of a page. */
struct web_rule {
    const char *name;
    const char *expected; /* key of the pages' text that says what is right; "{}" in it are the words */
    const char *const
        *words; /* NULL-terminated: one of them, where there is no is_right; NULL = none are told */
    /* NULL, without words = any text. */
    bool (*is_right)(const struct web_context *context, const struct web_request *request, const char *value);
};

struct web_route {
    /* Whole; or a folder, where it ends in '/', whose members the handler looks up; "{id}" in it is a part of the path
     * without '/' and '.'. */
    const char *path;
    const char
        *method;    /* GET, with which goes HEAD; or POST: of a form where is_page, else of a JSON object */
    unsigned allow; /* of enum web_allow */
    unsigned scope; /* of enum scope: whose token has it is let through; 0 = none */
    const char *params; /* " a b " = those allowed, once each; NULL = any, ignored */
    struct web_answer (*handle)(struct web_context *context, const struct web_request *request);
    bool is_page; /* for people: who is refused gets a page, see refuse_page */
    bool
        is_long; /* reads so much, or waits so long for the core, that the other routes shall not wait for it */
    const struct web_rule *rules; /* of a page: once each, up to one without a name; NULL = none */
};

/* A POST whose body may be larger than others', from who is let through alone. */
struct web_large {
    const char *path;
    size_t max;
};

struct router {
    const struct web_route *routes;
    size_t count;
    const char *address; /* of the listener */
    const char *name;    /* by which browsers reach it beside; NULL = none */
    const struct web_large *larges;
    size_t large_count;
    struct guard *guard;
    /* The page that a person gets in place of the one that was asked for: to sign in, as a 401, or, who has, what else
     * there is, as a 403; NULL = there is none. */
    struct web_answer (*refuse_page)(struct web_context *context, const struct web_request *request);
    /* Of a page: the 400 that says that its parameter of that name is wrong. */
    struct web_answer (*refuse_param)(
        const struct web_context *context, const struct web_request *request, const char *name);
};

/* Checks the request: Host, method, body, who asks, parameters. *ret_caller says who asked. NULL: it is refused, and *ret the
 * answer. */
const struct web_route *router_admit(const struct router *router, struct web_context *context,
    const struct web_request *request, struct caller *ret_caller, struct web_answer *ret);
/* What an admitted request, of `caller`, is answered: from its form, which must come from a page of ours, or its JSON, by
 * the handler. */
struct web_answer router_handle(const struct web_route *route, struct web_context *context,
    const struct web_request *request, const struct caller *caller);
/* The same of one that has waited since it was admitted: refused where its token or session is no more. Any thread that
 * has a context. */
struct web_answer router_handle_late(const struct router *router, const struct web_route *route,
    struct web_context *context, const struct web_request *request, struct caller *caller);
/* Would this request's body be read by somebody? */
bool router_takes_body(const struct router *router, const struct web_request *request);
/* How long the body of one may be that somebody would read; `otherwise` where it is not one of `larges`. */
size_t router_body_max(const struct router *router, const struct web_request *request, size_t otherwise);

/* NULL = not given. */
const char *request_param(const struct web_request *request, const char *name);
bool request_is_twice(const struct web_request *request, const char *name);
/* A decimal integer of [min, max], `fallback` when not given. False: *ret_answer is the 400 that says so. */
bool request_int(const struct web_request *request, const char *name, int64_t min, int64_t max,
    int64_t fallback, int64_t *ret, struct web_answer *ret_answer);

/* One of a few words (NULL-terminated), by its index; `fallback` when not given. False: *ret_answer is the 400 that says
 * so. */
bool request_word(const struct web_request *request, const char *name, const char *const *words, int fallback,
    int *ret, struct web_answer *ret_answer);

/* The text `why` of a body that has that key alone. False: *ret_answer is the 400 that says what it lacks. */
bool request_why(const struct web_request *request, const char **ret, struct web_answer *ret_answer);

/* Whether a Host header names this machine's loopback, `address` or `name` (with any port: a tunnel may bring
 * another). A page on a foreign name that was rebound to our address must not read our answers. */
bool router_host_allowed(const char *host, const char *address, const char *name);
