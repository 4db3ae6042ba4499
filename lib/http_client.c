#include "lib/http_client.h"

#include "lib/mem.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define ANSWER_BYTES_MAX ((size_t)1024 * 1024)

struct http_client {
    CURL *curl;
    char *url; /* without a slash at its end */
    char problem[CURL_ERROR_SIZE];
    struct http_answer *answer; /* of the call that runs */
    size_t answer_max;          /* 0 = what is beyond ANSWER_BYTES_MAX is dropped */
    bool is_too_large;
    atomic_bool is_cancelled;
};

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;

static void start_curl(void)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        abort();
}

/* Without a limit of its own, what is beyond is read and dropped, so that the connection can be kept; the time-out bounds
 * it. */
static size_t on_body(char *data, size_t size, size_t count, void *user_data)
{
    struct http_client *c = user_data;
    size_t len = size * count, max = c->answer_max > 0 ? c->answer_max : ANSWER_BYTES_MAX;
    size_t room = max - c->answer->body.len;
    if (len > room && c->answer_max > 0) {
        c->is_too_large = true;
        return 0;
    }
    buf_add(&c->answer->body, data, len < room ? len : room);
    return len;
}

static int on_progress(
    void *user_data, curl_off_t down_total, curl_off_t down, curl_off_t up_total, curl_off_t up)
{
    (void)down_total, (void)down, (void)up_total, (void)up;
    struct http_client *c = user_data;
    return atomic_load(&c->is_cancelled);
}

struct http_client *http_client_create(const struct http_client_options *options)
{
    pthread_once(&curl_once, start_curl);
    struct http_client *c = mem_zalloc(sizeof *c);
    c->url = mem_strdup(options->url);
    for (size_t len = strlen(c->url); len > 0 && c->url[len - 1] == '/'; len--)
        c->url[len - 1] = '\0';
    c->curl = curl_easy_init();
    if (c->curl == NULL)
        abort(); /* out of memory */
    CURL *curl = c->curl;
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    c->answer_max = options->answer_max;
    if (options->answer_max > 0) /* where the length is told beforehand, nothing is read */
        curl_easy_setopt(curl, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)options->answer_max);
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, options->redirects_max > 0 ? 1L : 0L);
    curl_easy_setopt(curl, CURLOPT_MAXREDIRS, (long)options->redirects_max);
    curl_easy_setopt(
        curl, CURLOPT_REDIR_PROTOCOLS_STR, strncmp(options->url, "https:", 6) == 0 ? "https" : "http,https");
    curl_easy_setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(curl, CURLOPT_MAXCONNECTS, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)options->connect_timeout_ms);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)options->timeout_ms);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "parkmon");
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, c->problem);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, c);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, c);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    if (options->ca_file != NULL) {
        curl_easy_setopt(curl, CURLOPT_CAINFO, options->ca_file);
        curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
    }
    if (options->user != NULL) {
        curl_easy_setopt(curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
        curl_easy_setopt(curl, CURLOPT_USERNAME, options->user);
        curl_easy_setopt(curl, CURLOPT_PASSWORD, options->password != NULL ? options->password : "");
    }
    return c;
}

void http_client_destroy(struct http_client *c)
{
    if (c == NULL)
        return;
    curl_easy_cleanup(c->curl);
    free(c->url);
    free(c);
}

static enum status perform(
    struct http_client *c, const char *path, struct http_answer *ret, struct error *err)
{
    buf_reset(&ret->body);
    ret->code = 0;
    ret->is_sent = false;
    ret->retry_after_s = 0;
    if (atomic_load(&c->is_cancelled))
        return error_set(err, ST_UNREACHABLE, "%s: cancelled", c->url);
    c->answer = ret;
    c->is_too_large = false;
    c->problem[0] = '\0';
    char *url = mem_printf("%s%s", c->url, path);
    curl_easy_setopt(c->curl, CURLOPT_URL, url);
    CURLcode code = curl_easy_perform(c->curl);
    long sent = 0;
    curl_easy_getinfo(c->curl, CURLINFO_REQUEST_SIZE, &sent);
    ret->is_sent = sent > 0;
    free(url);
    c->answer = NULL;
    if (code == CURLE_OK) {
        long answered = 0;
        curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &answered);
        ret->code = (int)answered;
        curl_off_t retry_after_s = 0;
        curl_easy_getinfo(c->curl, CURLINFO_RETRY_AFTER, &retry_after_s);
        ret->retry_after_s = retry_after_s > 0 ? (int64_t)retry_after_s : 0;
        return ST_OK;
    }
    buf_reset(&ret->body);
    if (c->is_too_large || code == CURLE_FILESIZE_EXCEEDED)
        return error_set(err, ST_FULL, "%s: the answer has more than %zu bytes", c->url, c->answer_max);
    if (code == CURLE_ABORTED_BY_CALLBACK)
        return error_set(err, ST_UNREACHABLE, "%s: cancelled", c->url);
    return error_set(err, code == CURLE_OPERATION_TIMEDOUT ? ST_TIMEOUT : ST_UNREACHABLE, "%s: %s", c->url,
        c->problem[0] != '\0' ? c->problem : curl_easy_strerror(code));
}

enum status http_get(struct http_client *c, const char *path, struct http_answer *ret, struct error *err)
{
    curl_easy_setopt(c->curl, CURLOPT_HTTPGET, 1L);
    return perform(c, path, ret, err);
}

static void copy_header(struct http_client *c, const char *name, char *to, size_t size)
{
    struct curl_header *header;
    to[0] = '\0';
    if (curl_easy_header(c->curl, name, 0, CURLH_HEADER, -1, &header) == CURLHE_OK &&
        strlen(header->value) < size)
        strcpy(to, header->value);
}

enum status http_get_if_changed(struct http_client *c, const char *path, struct http_validators *validators,
    struct http_answer *ret, struct error *err)
{
    char *etag = mem_printf("If-None-Match: %s", validators->etag);
    char *modified = mem_printf("If-Modified-Since: %s", validators->modified);
    struct curl_slist headers[2] = {{etag, NULL}, {modified, NULL}}, *sent = NULL;
    if (validators->modified[0] != '\0')
        sent = &headers[1];
    if (validators->etag[0] != '\0') {
        headers[0].next = sent;
        sent = &headers[0];
    }
    curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, sent);
    enum status status = http_get(c, path, ret, err);
    curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, NULL);
    free(etag);
    free(modified);
    if (status != ST_OK)
        return status;
    copy_header(c, "Content-Type", validators->type, sizeof validators->type);
    if (ret->code == 200) {
        copy_header(c, "ETag", validators->etag, sizeof validators->etag);
        copy_header(c, "Last-Modified", validators->modified, sizeof validators->modified);
    }
    return ST_OK;
}

enum status http_post(struct http_client *c, const char *path, const char *content_type, struct span body,
    struct http_answer *ret, struct error *err)
{
    char *type = mem_printf("Content-Type: %s", content_type);
    /* Without "Expect: 100-continue" a large body does not wait for a second answer. */
    struct curl_slist no_expect = {(char[]){"Expect:"}, NULL};
    struct curl_slist headers = {type, &no_expect};
    curl_easy_setopt(c->curl, CURLOPT_POST, 1L);
    curl_easy_setopt(c->curl, CURLOPT_POSTFIELDS, body.len > 0 ? body.at : "");
    curl_easy_setopt(c->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.len);
    curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, &headers);
    enum status status = perform(c, path, ret, err);
    curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, NULL);
    curl_easy_setopt(c->curl, CURLOPT_POSTFIELDS, NULL);
    free(type);
    return status;
}

void http_client_cancel(struct http_client *c)
{
    atomic_store(&c->is_cancelled, true);
}

void http_escape(struct buf *out, const char *text)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    for (const char *c = text; *c != '\0'; c++)
        if (strchr(plain, *c) != NULL)
            buf_add_char(out, *c);
        else
            buf_printf(out, "%%%02X", (unsigned)(unsigned char)*c);
}
