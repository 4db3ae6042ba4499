/* What a handler answers. Zeroed = nothing yet. */
#pragma once

#include "lib/json.h"
#include "lib/status.h"

#include <stdbool.h>
#include <stddef.h>

#define WEB_ETAG_SIZE 24

struct web_answer {
    int code;
    const char *content_type; /* NULL = no body */
    char *body;               /* owned; or NULL and `shared`, which lives as long as the server */
    const char *shared;
    size_t len;
    const char *cache_control; /* NULL = no-store */
    char etag[WEB_ETAG_SIZE];  /* with its quotes; "" = none */
    const char *location;      /* of a redirect; NULL = none, or `redirect` */
    char *redirect;            /* owned; the same for one that was made */
    const char *allow;         /* of a 405 */
    const char *authenticate;  /* of a 401 */
    char *set_cookie;          /* owned; NULL = none */
    int retry_after_s;         /* 0 = not said */
    bool is_closing;           /* the connection cannot be used again */
    bool is_stream;            /* answered by events, see stream.h */
};

#define WEB_JSON "application/json; charset=utf-8"

/* Takes the reference to `value`. */
struct web_answer answer_json(int code, json_t *value);
/* {"error":{"code":...,"message":...}}: the code is for programs, the message for people. */
struct web_answer answer_error(int code, const char *error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* A 503 of what may be well in a moment: asked again after some seconds. */
struct web_answer answer_later(const char *error, const char *why);
/* What the core did not do: refused, as a 422 (ST_INVALID), or could not now. */
struct web_answer answer_undone(enum status status, const struct error *err);
/* Takes `body`, which came from malloc. */
struct web_answer answer_text(int code, const char *content_type, char *body, size_t len);
/* An ETag of what is said; it differs between versions of ours, it does not resist an attacker. */
void answer_tag(const char *data, size_t len, char ret[static WEB_ETAG_SIZE]);
/* May be kept, by these words (borrowed): with an ETag of its body. */
void answer_keep(struct web_answer *a, const char *cache_control);
void answer_release(struct web_answer *a);
