/* An HTTP client over libcurl: one kept connection, used by one thread at a time, bounded answers, no proxies; redirects
 * only where they are allowed: a few, never from https to http, and credentials are not sent to another host. */
#pragma once

#include "lib/buf.h"
#include "lib/line.h"
#include "lib/status.h"

#include <stdint.h>

struct http_client;

struct http_client_options {
    const char *url;  /* base, "http://127.0.0.1:8086"; copied */
    const char *user; /* basic authentication; NULL = none */
    const char *password;
    const char *
        ca_file; /* PEM: only what these sign is trusted; read at the first request; NULL = what this machine trusts */
    int connect_timeout_ms;
    int timeout_ms;    /* whole exchange */
    size_t answer_max; /* bytes; more ends the exchange, ST_FULL. 0 = 1 MiB, and what is beyond is dropped */
    int redirects_max; /* 0 = a redirection is an answer like any other */
};

struct http_answer {
    int code;
    struct buf body;       /* owned by the caller: buf_release */
    bool is_sent;          /* something of the request went out, also where no answer came */
    int64_t retry_after_s; /* the header Retry-After, from now, also where it is a date; 0 = none, or past */
};

struct http_client *http_client_create(const struct http_client_options *options);
void http_client_destroy(struct http_client *c); /* accepts NULL */

/* `path` starts with '/', already percent-encoded. ST_OK: an answer arrived, whatever its code. ST_TIMEOUT,
 * ST_UNREACHABLE: none did. `ret` is emptied first. Blocks. */
enum status http_get(struct http_client *c, const char *path, struct http_answer *ret, struct error *err);
/* The same, but 304 where the answer is what it was: `etag` and `modified` are those of the answer before ("" = not known);
 * they are written anew after each answer with code 200. */
struct http_validators {
    char etag[256], modified[64];
    char type[128]; /* Content-Type of the last answer; "" = none */
};
enum status http_get_if_changed(struct http_client *c, const char *path, struct http_validators *validators,
    struct http_answer *ret, struct error *err);
enum status http_post(struct http_client *c, const char *path, const char *content_type, struct span body,
    struct http_answer *ret, struct error *err);
/* Makes a blocked call of another thread return ST_UNREACHABLE soon, and every later one; for shutting down.
 */
void http_client_cancel(struct http_client *c);
/* Appends `text` percent-encoded for a query. */
void http_escape(struct buf *out, const char *text);
