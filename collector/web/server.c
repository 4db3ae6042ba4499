/* The only file that knows libmicrohttpd: its one thread asks the router and sends what it answers. What takes long is an
 * errand (errands.h), whose connection the library leaves alone until it is done. */
#include "collector/web/web.h"

#include "collector/web/clients.h"
#include "collector/web/context.h"
#include "collector/web/errands.h"
#include "collector/web/listener.h"
#include "lib/buf.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/number.h"
#include "lib/text.h"

#include <microhttpd.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* With the streams; few enough for the 1024 descriptors that a program may have by default. */
#define CONNECTIONS_MAX (STREAMS_MAX + 192u)
/* Everyone on loopback, or behind a proxy, is one address: room for every stream and for requests beside them. */
#define CONNECTIONS_PER_ADDRESS (STREAMS_MAX + 64u)
/* At its own limits the library turns newcomers away. It takes in up to eleven at once, and notices in the round after
 * next that the ones in whose place they came were ended. */
#define CONNECTIONS_SPARE 33u
#define CONNECTION_TIMEOUT_S 30u /* without a byte in either direction */
#define REQUEST_MS 30000
#define ANSWER_MS 120000
#define CONNECTION_BYTES (32u * 1024u)
#define STREAM_CHUNK 8192
#define BODY_MAX 8192

/* That sessions are noted where nobody asks anything. */
struct note {
    struct errand errand; /* first */
    struct guard *guard;
    atomic_bool is_under_way;
};

struct web {
    struct web_options options;
    char *address, *assets, *database_path, *name;
    struct web_context context, errands_context;
    struct errands *errands;
    struct note note;
    struct router router;
    struct clients *clients;
    struct MHD_Daemon *daemon;
    int port;
};

static const struct {
    const char *name, *value;
} security_headers[] = {
    {"Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; connect-src "
                                "'self'; img-src 'self'; font-src 'self'; "
                                "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"},
    {"X-Content-Type-Options", "nosniff"},
    /* Not no-referrer: under that browsers call the origin of a form of ours null. */
    {"Referrer-Policy", "same-origin"},
    {"Cross-Origin-Opener-Policy", "same-origin"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
};

/* ---- connections ---- */

static struct client *client_of(struct MHD_Connection *connection)
{
    return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

static int socket_of(struct MHD_Connection *connection)
{
    return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
}

static void on_connection(
    void *cls, struct MHD_Connection *connection, void **client, enum MHD_ConnectionNotificationCode code)
{
    struct web *w = cls;
    if (code == MHD_CONNECTION_NOTIFY_CLOSED)
        clients_remove(w->clients, *client);
    else
        *client = clients_add(w->clients, socket_of(connection),
            MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr);
}

/* Marks on a request, kept by the library from call to call; else its exchange. */
static char odd_mark;  /* malformed */
static char head_mark; /* its head was looked at and is fine */

/* Of a request with a body, or one that is answered by an errand. */
struct exchange {
    struct errand errand; /* first */
    struct web *web;
    struct MHD_Connection *connection;
    struct buf body;
    const struct web_route *route; /* of an errand; NULL = it is none */
    struct web_request request;    /* its strings are the library's, as long as the connection is suspended */
    struct caller caller;
    struct web_answer answer;
};

static struct exchange *exchange_of(void *mark)
{
    return mark != &odd_mark && mark != &head_mark ? mark : NULL;
}

static void on_completed(
    void *cls, struct MHD_Connection *connection, void **mark, enum MHD_RequestTerminationCode code)
{
    (void)code;
    struct web *w = cls;
    struct exchange *exchange = exchange_of(*mark);
    if (exchange != NULL) {
        buf_release(&exchange->body);
        answer_release(&exchange->answer);
        free(exchange);
    }
    *mark = NULL;
    clients_set(w->clients, client_of(connection), CLIENT_ASKS);
}

/* ---- reading a request ---- */

struct header_reader {
    struct web_request *request;
    int hosts, lengths, encodings;
    int64_t length; /* of the body; -1 = not said, or no number */
    bool is_forwarded;
    const char *forwarded_for; /* NULL = absent */
};

/* Those that are only handed on. */
static const char **place_of(struct web_request *request, const char *key)
{
    const struct {
        const char *key, **place;
    } places[] = {{"If-None-Match", &request->if_none_match}, {"Accept-Language", &request->accept_language},
        {"Content-Type", &request->content_type}, {"Origin", &request->origin},
        {"Sec-Fetch-Site", &request->fetch_site}, {"Cookie", &request->credentials.cookie}};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
        if (strcasecmp(key, places[i].key) == 0)
            return places[i].place;
    return NULL;
}

static enum MHD_Result read_header(void *cls, enum MHD_ValueKind kind, const char *key, const char *value)
{
    (void)kind;
    struct header_reader *r = cls;
    if (strcasecmp(key, "Host") == 0) {
        r->request->host = value;
        r->hosts++;
    } else if (strcasecmp(key, "Authorization") == 0) {
        r->request->credentials.is_authorization_odd |= r->request->credentials.authorization != NULL;
        r->request->credentials.authorization = value ? value : "";
    } else if (strcasecmp(key, "Forwarded") == 0 || strncasecmp(key, "X-Forwarded-", 12) == 0 ||
               strcasecmp(key, "X-Real-IP") == 0 || strcasecmp(key, "Via") == 0) {
        r->is_forwarded = true;
        if (strcasecmp(key, "X-Forwarded-For") == 0)
            r->forwarded_for = value;
    } else if (place_of(r->request, key)) {
        *place_of(r->request, key) = value;
    } else if (strcasecmp(key, "Content-Length") == 0) {
        r->lengths++;
        if (!value || !number_parse_int64(value, strlen(value), &r->length))
            r->length = -1;
        if (!value || strcmp(value, "0") != 0)
            r->request->has_body = true;
    } else if (strcasecmp(key, "Transfer-Encoding") == 0) {
        r->encodings++;
        r->request->has_body = true;
    }
    return MHD_YES;
}

static bool is_plain(const char *text)
{
    return text_is_utf8(span_of(text)) && !text_has_control(span_of(text));
}

/* A decoded NUL would cut it short: its size says so. */
static enum MHD_Result read_param(void *cls, enum MHD_ValueKind kind, const char *key, size_t key_size,
    const char *value, size_t value_size)
{
    (void)kind;
    struct web_request *request = cls;
    if (!value)
        value = "";
    bool is_named = strlen(key) == key_size && is_plain(key);
    if (request->param_count == WEB_PARAMS_MAX || !is_named) {
        request->is_odd = true;
        return MHD_NO;
    }
    if (strlen(value) != value_size || !is_plain(value)) {
        request->odd_param = request->odd_param != NULL ? request->odd_param : key;
        return MHD_YES;
    }
    request->params[request->param_count++] = (struct web_param){key, value};
    return MHD_YES;
}

/* An encoded NUL would cut the path short before anyone could see it; here the path is still as it came. */
static void *on_uri(void *cls, const char *uri, struct MHD_Connection *connection)
{
    (void)cls;
    (void)connection;
    const char *nul = strstr(uri, "%00");
    return nul != NULL && nul < uri + strcspn(uri, "?") ? &odd_mark : NULL;
}

/* *ret_length: of the body; -1 = not said. */
static void read_request(const struct web *w, struct MHD_Connection *connection, const char *method,
    const char *path, const char *version, const void *mark, struct web_request *ret, int64_t *ret_length)
{
    *ret =
        (struct web_request){.method = method, .path = path, .is_odd = mark == &odd_mark || !is_plain(path)};
    struct header_reader headers = {.request = ret, .length = -1};
    MHD_get_connection_values(connection, MHD_HEADER_KIND, read_header, &headers);
    MHD_get_connection_values_n(connection, MHD_GET_ARGUMENT_KIND, read_param, ret);
    /* Two lengths, or a length and an encoding: two readers of this request could disagree about where it
     * ends. */
    if (headers.hosts != 1 || headers.lengths + headers.encodings > 1 ||
        (strcmp(version, "HTTP/1.1") != 0 && strcmp(version, "HTTP/1.0") != 0))
        ret->is_odd = true;
    ret->is_here = listener_is_from_here(socket_of(connection), &ret->address);
    /* Of a proxy on this machine that we were told of: else everybody behind it would wait for one who guesses. */
    if (ret->is_here && w->options.is_https && headers.forwarded_for)
        listener_last_forwarded(headers.forwarded_for, &ret->address);
    ret->is_here = ret->is_here && !headers.is_forwarded;
    *ret_length = headers.lengths == 1 ? headers.length : -1;
}

/* ---- answering ---- */

static void add_headers(struct MHD_Response *response, const struct web_answer *a)
{
    for (size_t i = 0; i < sizeof security_headers / sizeof security_headers[0]; i++)
        MHD_add_response_header(response, security_headers[i].name, security_headers[i].value);
    MHD_add_response_header(response, "Cache-Control", a->cache_control ? a->cache_control : "no-store");
    if (a->content_type)
        MHD_add_response_header(response, "Content-Type", a->content_type);
    if (a->etag[0] != '\0')
        MHD_add_response_header(response, "ETag", a->etag);
    if (a->location || a->redirect)
        MHD_add_response_header(response, "Location", a->location ? a->location : a->redirect);
    if (a->authenticate)
        MHD_add_response_header(response, "WWW-Authenticate", a->authenticate);
    if (a->set_cookie)
        MHD_add_response_header(response, "Set-Cookie", a->set_cookie);
    if (a->allow)
        MHD_add_response_header(response, "Allow", a->allow);
    if (a->is_closing)
        MHD_add_response_header(response, "Connection", "close");
    if (a->retry_after_s) {
        char text[16];
        snprintf(text, sizeof text, "%d", a->retry_after_s);
        MHD_add_response_header(response, "Retry-After", text);
    }
}

static enum MHD_Result send_response(
    struct MHD_Connection *connection, struct MHD_Response *response, const struct web_answer *answer)
{
    if (!response)
        return MHD_NO; /* closes the connection */
    add_headers(response, answer);
    enum MHD_Result result = MHD_queue_response(connection, (unsigned)answer->code, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result send_answer(struct MHD_Connection *connection, struct web_answer *answer)
{
    char *body = answer->body;
    answer->body = NULL;
    struct MHD_Response *response =
        body ? MHD_create_response_from_buffer(answer->len, body, MHD_RESPMEM_MUST_FREE)
             : MHD_create_response_from_buffer(answer->len,
                   (void *)(uintptr_t)(answer->shared ? answer->shared : ""), MHD_RESPMEM_PERSISTENT);
    if (!response)
        free(body);
    enum MHD_Result result = send_response(connection, response, answer);
    answer_release(answer);
    return result;
}

struct sent_stream {
    struct web *web;
    struct stream *stream;
    struct caller caller; /* whose token may end meanwhile */
};

static ssize_t on_stream_read(void *cls, uint64_t position, char *data, size_t max)
{
    (void)position;
    struct sent_stream *s = cls;
    ssize_t n = guard_still(s->web->context.guard, &s->caller) ? stream_read(s->stream, data, max) : -1;
    return n < 0 ? MHD_CONTENT_READER_END_OF_STREAM : n;
}

static void on_stream_close(void *cls)
{
    struct sent_stream *s = cls;
    stream_close(s->stream);
    free(s);
}

static enum MHD_Result send_stream(
    struct web *w, struct MHD_Connection *connection, struct web_answer *answer, const struct caller *caller)
{
    struct stream *stream = stream_open(w->context.streams, connection);
    if (!stream) {
        struct web_answer full =
            answer_error(503, "too_many_streams", "at most %d event streams; try again later", STREAMS_MAX);
        full.retry_after_s = 10;
        return send_answer(connection, &full);
    }
    struct sent_stream *sent = mem_alloc(sizeof *sent);
    *sent = (struct sent_stream){w, stream, *caller};
    struct MHD_Response *response = MHD_create_response_from_callback(
        MHD_SIZE_UNKNOWN, STREAM_CHUNK, on_stream_read, sent, on_stream_close);
    if (!response)
        on_stream_close(sent);
    return send_response(connection, response, answer);
}

/* A body that somebody will read: from now on it is gathered. False: *ret is set where it is refused for its size. */
static bool begin_body(const struct web *w, const struct web_request *request, int64_t length, void **mark,
    struct web_answer *ret)
{
    size_t max = BODY_MAX;
    if (request->is_odd || !router_takes_body(&w->router, request))
        return false;
    if (length < 0)
        *ret = answer_error(411, "length_required", "a body comes with its Content-Length");
    else if (length > BODY_MAX && (size_t)length > (max = router_body_max(&w->router, request, BODY_MAX)))
        *ret = answer_error(413, "too_large", "a body has at most %zu bytes here", max);
    if (ret->code != 0) {
        ret->is_closing = true;
        return false;
    }
    *mark = mem_zalloc(sizeof(struct exchange));
    return true;
}

/* ---- errands ---- */

/* Has hung up, or its own side: nobody would see what was done. The library then mostly sends no answer at all. */
static bool is_gone(struct MHD_Connection *connection)
{
    struct pollfd p = {.fd = socket_of(connection), .events = POLLRDHUP};
    return poll(&p, 1, 0) == 1 && (p.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

/* A person gets a page, with the form as it was. On the listener's thread. */
static struct web_answer put_off(struct web *w, struct exchange *x, const char *why)
{
    struct web_answer answer = {0};
    x->request.is_put_off = true;
    context_follow(&w->context);
    if (x->route->is_page)
        answer = router_handle(x->route, &w->context, &x->request, &x->caller);
    if (answer.code == 0)
        answer = answer_error(503, "busy", "%s; nothing was done, try again", why);
    if (answer.code == 503)
        answer.retry_after_s = 5;
    return answer;
}

static void run_errand(struct errand *errand)
{
    struct exchange *x = (struct exchange *)errand;
    struct web *w = x->web;
    if (is_gone(x->connection)) {
        x->answer = answer_error(400, "hung_up",
            "the asking side of the connection was closed before the answer; nothing was done");
        return;
    }
    context_follow(&w->errands_context);
    x->answer = router_handle_late(&w->router, x->route, &w->errands_context, &x->request, &x->caller);
}

static void end_errand(struct errand *errand)
{
    MHD_resume_connection(((struct exchange *)errand)->connection);
}

static enum MHD_Result begin_errand(struct web *w, struct MHD_Connection *connection, void **mark,
    const struct web_route *route, const struct web_request *request, const struct caller *caller)
{
    struct exchange *x = exchange_of(*mark);
    if (x == NULL)
        *mark = x = mem_zalloc(sizeof *x);
    /* Who decides or closes does not wait for everybody's reports. */
    bool is_urgent = strcmp(route->method, "POST") == 0;
    x->errand = (struct errand){.run = run_errand, .end = end_errand, .is_urgent = is_urgent};
    x->web = w;
    x->connection = connection;
    x->route = route;
    x->request = *request;
    x->caller = *caller;
    clients_set(w->clients, client_of(connection), CLIENT_IS_ANSWERED);
    MHD_suspend_connection(connection);
    if (!errands_add(w->errands, &x->errand)) {
        x->answer = put_off(w, x, "as many requests that take long wait already as may");
        end_errand(&x->errand);
    }
    return MHD_YES;
}

static enum MHD_Result send_done(struct web *w, struct exchange *x)
{
    struct web_answer answer = x->answer;
    x->answer = (struct web_answer){0};
    if (answer.code == 0)
        answer = put_off(w, x, "the collector is ending");
    clients_set(w->clients, client_of(x->connection), CLIENT_IS_ANSWERED);
    return send_answer(x->connection, &answer);
}

/* ---- a request ---- */

static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection, const char *url,
    const char *method, const char *version, const char *upload, size_t *upload_size, void **mark)
{
    struct web *w = cls;
    struct web_request request;
    struct web_answer answer = {0};
    struct caller caller = {.kind = CALLER_NOBODY};
    int64_t length;
    struct exchange *exchange = exchange_of(*mark);
    if (exchange != NULL && exchange->route != NULL)
        return send_done(w, exchange);
    if (exchange != NULL && *upload_size > 0) {
        buf_add(&exchange->body, upload, *upload_size); /* the library takes no more than was announced */
        *upload_size = 0;
        return MHD_YES;
    }
    read_request(w, connection, method, url, version, *mark, &request, &length);
    if (exchange != NULL) {
        request.body = exchange->body.data ? exchange->body.data : "";
        request.body_len = exchange->body.len;
    } else if (begin_body(w, &request, length, mark, &answer)) {
        return MHD_YES;
    }
    /* An answer to the head alone ends the connection, as what follows would not be read: right for a body
     * which nobody wants, and for what is odd; anything else is answered at the second call, when the request
     * is whole. */
    if (exchange == NULL && *mark != &head_mark && !request.is_odd && !request.has_body && answer.code == 0) {
        *mark = &head_mark;
        return MHD_YES;
    }
    context_follow(&w->context);
    const struct web_route *route =
        answer.code == 0 ? router_admit(&w->router, &w->context, &request, &caller, &answer) : NULL;
    if (route != NULL && route->is_long)
        return begin_errand(w, connection, mark, route, &request, &caller);
    if (route != NULL)
        answer = router_handle(route, &w->context, &request, &caller);
    clients_set(w->clients, client_of(connection), answer.is_stream ? CLIENT_STREAMS : CLIENT_IS_ANSWERED);
    return answer.is_stream ? send_stream(w, connection, &answer, &caller) : send_answer(connection, &answer);
}

/* ---- events ---- */

static char *make_event(void *user_data)
{
    struct web *w = user_data;
    context_follow(&w->context);
    const struct snapshot *s = snapshot_get(w->options.box);
    if (!s)
        return NULL;
    char *data = live_text(&w->context, s);
    char *event = mem_printf("event: live\nid: %llu\ndata: %s\n\n", (unsigned long long)s->number, data);
    free(data);
    snapshot_put(s);
    return event;
}

static void suspend(void *connection)
{
    MHD_suspend_connection(connection);
}

static void resume(void *connection)
{
    MHD_resume_connection(connection);
}

static void run_note(struct errand *errand)
{
    guard_note(((struct note *)errand)->guard);
}

static void end_note(struct errand *errand)
{
    ((struct note *)errand)->is_under_way = false;
}

/* Each second, on the core's thread, which waits for no disk. */
static void on_publish(void *user_data)
{
    struct web *w = user_data;
    stream_hub_wake(w->context.streams);
    if (guard_is_note_due(w->note.guard) && !atomic_exchange(&w->note.is_under_way, true) &&
        !errands_add(w->errands, &w->note.errand))
        w->note.is_under_way = false;
}

/* ---- starting and stopping ---- */

static void on_log(void *cls, const char *format, va_list args) __attribute__((format(printf, 2, 0)));

static void on_log(void *cls, const char *format, va_list args)
{
    (void)cls;
    char text[512];
    vsnprintf(text, sizeof text, format, args);
    text[strcspn(text, "\n")] = '\0';
    log_debug("web", "%s", text); /* mostly clients that went away */
}

static enum status start_daemon(struct web *w, int fd, struct error *err)
{
    /* The library's thread inherits the mask: signals are the main thread's. */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    w->daemon = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG,
        0, NULL, NULL, on_request, w, MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL, MHD_OPTION_LISTEN_SOCKET, fd,
        MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_URI_LOG_CALLBACK, on_uri, NULL,
        MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MAX + CONNECTIONS_SPARE, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
        CONNECTIONS_PER_ADDRESS + CONNECTIONS_SPARE, MHD_OPTION_CONNECTION_TIMEOUT, CONNECTION_TIMEOUT_S,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES, MHD_OPTION_NOTIFY_CONNECTION,
        on_connection, w, MHD_OPTION_NOTIFY_COMPLETED, on_completed, w, MHD_OPTION_END);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (w->daemon)
        return ST_OK;
    close(fd);
    return error_set(err, ST_UNREACHABLE, "%s port %d: the HTTP library does not start", w->address, w->port);
}

static void web_destroy(struct web *w)
{
    stream_hub_destroy(w->context.streams);
    clients_destroy(w->clients);
    errands_destroy(w->errands);
    context_release(&w->errands_context);
    context_release(&w->context);
    free(w->address);
    free(w->assets);
    free(w->database_path);
    free(w->name);
    free(w);
}

enum status web_start(const struct web_options *options, struct web **ret, struct error *err)
{
    struct web *w = mem_zalloc(sizeof *w);
    w->options = *options;
    w->options.address = w->address = mem_strdup(options->address);
    w->options.assets = w->assets = mem_strdup(options->assets);
    w->options.database_path = w->database_path = mem_strdup(options->database_path);
    w->options.name = w->name = mem_strdup(options->name);
    int fd;
    enum status status = context_init(&w->context, &w->options, err);
    if (status == ST_OK)
        status = listener_open(
            w->address, options->port, options->access == WEB_ACCESS_LOOPBACK, &fd, &w->port, err);
    if (status != ST_OK) {
        web_destroy(w);
        return status;
    }
    w->router = context_router(&w->context);
    guard_tell(w->context.guard); /* from the first connection on it is the library's thread's */
    w->context.streams = stream_hub_create(&(struct stream_hub_options){w, make_event, suspend, resume});
    context_init_beside(&w->errands_context, &w->context);
    w->errands = errands_create();
    w->note.errand = (struct errand){.run = run_note, .end = end_note};
    w->note.guard = w->context.guard;
    w->clients = clients_create(&(struct clients_limits){.total = CONNECTIONS_MAX,
        .per_address = CONNECTIONS_PER_ADDRESS,
        .request_ms = options->request_ms > 0 ? options->request_ms : REQUEST_MS,
        .answer_ms = ANSWER_MS});
    status = start_daemon(w, fd, err);
    if (status != ST_OK) {
        stream_hub_stop(w->context.streams);
        errands_stop(w->errands);
        web_destroy(w);
        return status;
    }
    snapshot_listen(options->box, on_publish, w);
    log_info("web", "listening on http://%s:%d", w->address, w->port);
    if (!listener_is_loopback(w->address) && !options->is_https)
        log_warn("web", "who listens on the way reads tokens: let a proxy speak https, and say https = true");
    *ret = w;
    return ST_OK;
}

int web_port(const struct web *w)
{
    return w->port;
}

void web_stop(struct web *w)
{
    if (!w)
        return;
    snapshot_listen(w->options.box, NULL, NULL);
    /* The library wants every connection resumed before it stops. */
    stream_hub_stop(w->context.streams);
    errands_stop(w->errands);
    MHD_stop_daemon(w->daemon);
    web_destroy(w);
}
