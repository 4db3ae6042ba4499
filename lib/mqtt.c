#include "lib/mqtt.h"

#include "lib/batch.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/mqtt_outgoing.h"
#include "lib/mqtt_trouble.h"
#include "lib/thread.h"

#include <MQTTAsync.h>
#include <assert.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define COMPONENT "mqtt"
#define RETRY_MIN_MS 1000
#define RETRY_MAX_MS 60000
#define CONNECT_TIMEOUT_S 10
#define STEP_TIMEOUT_MS 15000 /* connecting or subscribing; beyond Paho's own time-out */
#define DISCONNECT_MS 2000
#define DRAIN_MS 1000 /* of them, for the PUBACKs of what was just published */
#define PACKET_ROOM 1024
#define PACKET_BYTES_MAX (1024 * 1024) /* from the broker: above a batch, so that a too large one is seen */
#define OUTGOING_MAX 1024
#define IN_FLIGHT_MAX 100
#define DENIED_MAX 8
#define EARLY_LOSSES 3      /* in a row, before we suspect a second client with our id */
#define TAKEN_OVER_MS 60000 /* at least, before the connection is taken back from one that says so */

enum phase { PHASE_WAITING, PHASE_CONNECTING, PHASE_SUBSCRIBING, PHASE_READY };

struct denial {
    char *topic;
    int reason; /* 0 = it is allowed now */
    bool is_new;
    struct complaint complaint;
};

struct mqtt {
    /* Constant from mqtt_create on. */
    MQTTAsync paho;
    char *host, *client_id, *user, *password, *will_topic, *will_payload;
    char *uri;
    char **subscriptions;
    int subscription_count;
    struct mqtt_options options; /* its numbers and callbacks; the texts are those above */

    /* The owner's thread only. */
    enum phase phase;
    int64_t due_mono_ms; /* the next attempt, the end of patience with a step, or when a session has lasted */
    int failures;
    int early_losses;
    uint64_t session;
    enum mqtt_trouble complained_of;
    struct complaint complaint;
    size_t packet_max; /* the broker's, 0 = not told */

    /* Under registry_lock. */
    uintptr_t ticket;  /* context of the callbacks that live as long as the client */
    uintptr_t attempt; /* context of this attempt's CONNACK and SUBACK; 0 = none */
    int running;       /* callbacks of ours that run now */
    pthread_cond_t quiet;
    bool is_connected, is_subscribed, is_disconnected; /* since the last look */
    struct mqtt_end end;                               /* likewise */
    size_t told_packet_max;
    /* Paho lets a backlog above the broker's receive maximum drain at that many messages a second, so that only so
     * many are with it at a time and the others wait here. */
    struct mqtt_outgoing_list outgoing;
    struct denial denials[DENIED_MAX];
    int denial_count;
    struct mqtt *next;

    atomic_int unconfirmed;
};

/*
 * Paho's callbacks get a number, a ticket, instead of a pointer, and look it up here: a callback that comes
 * too late (after mqtt_destroy, or for a message of an earlier session) finds nothing, whatever Paho's own
 * threads are doing. The lock is a leaf: it is never held in a call of Paho or of the owner.
 */
static pthread_mutex_t registry_lock = PTHREAD_MUTEX_INITIALIZER;
static struct mqtt *registry;
static uintptr_t last_ticket;

static uintptr_t draw_ticket(void)
{
    return ++last_ticket != 0 ? last_ticket : ++last_ticket;
}

static struct mqtt *find(void *context)
{
    struct mqtt *m = registry;
    while (m != NULL && m->ticket != (uintptr_t)context && m->attempt != (uintptr_t)context)
        m = m->next;
    return m;
}

/* Ends a callback: tells the owner, outside the lock. Called with the lock held, returns without it. */
static void leave(struct mqtt *m, bool has_news)
{
    if (m != NULL && has_news && m->options.on_event != NULL) {
        m->running++;
        pthread_mutex_unlock(&registry_lock);
        m->options.on_event(m->options.user_data);
        pthread_mutex_lock(&registry_lock);
        m->running--;
        pthread_cond_broadcast(&m->quiet);
    }
    pthread_mutex_unlock(&registry_lock);
}

/* The first cause counts: Paho may report one end twice. */
static void set_end(struct mqtt *m, enum mqtt_trouble trouble, int reason, const char *text)
{
    if (m->end.trouble != TROUBLE_NONE)
        return;
    m->end.trouble = trouble;
    m->end.reason = reason;
    snprintf(m->end.text, sizeof m->end.text, "%s", text);
}

static const char *reason_text(int reason)
{
    const char *text = MQTTReasonCode_toString((enum MQTTReasonCodes)reason);
    return text != NULL ? text : "unknown reason";
}

/* ---- callbacks, on Paho's threads ---- */

static void on_connected(void *context, MQTTAsync_successData5 *data)
{
    int packet_max = MQTTProperties_getNumericValue(&data->properties, MQTTPROPERTY_CODE_MAXIMUM_PACKET_SIZE);
    int receive_max = MQTTProperties_getNumericValue(&data->properties, MQTTPROPERTY_CODE_RECEIVE_MAXIMUM);
    pthread_mutex_lock(&registry_lock);
    struct mqtt *m = find(context);
    if (m != NULL) {
        m->is_connected = true;
        m->told_packet_max = packet_max > 0 ? (size_t)packet_max : 0; /* absent: a negative marker */
        m->outgoing.sent_max = receive_max > 0 && receive_max < IN_FLIGHT_MAX ? receive_max : IN_FLIGHT_MAX;
    }
    leave(m, true);
}

static void on_connect_failed(void *context, MQTTAsync_failureData5 *data)
{
    /* Paho 1.3.12 has the CONNACK's reason in `code`. */
    int reason = 0;
    if (data != NULL)
        reason = data->code > (int)data->reasonCode ? data->code : (int)data->reasonCode;
    pthread_mutex_lock(&registry_lock);
    struct mqtt *m = find(context);
    if (m != NULL && reason >= MQTTREASONCODE_UNSPECIFIED_ERROR)
        set_end(m, TROUBLE_REFUSED, reason, reason_text(reason));
    else if (m != NULL)
        set_end(m, TROUBLE_UNREACHABLE, 0,
            data != NULL && data->message != NULL ? data->message : "no connection");
    leave(m, true);
}

static void on_subscribed(void *context, MQTTAsync_successData5 *data)
{
    pthread_mutex_lock(&registry_lock);
    struct mqtt *m = find(context);
    int reason = (int)data->reasonCode;
    /* Paho leaves the list uninitialised where there is only one. */
    if (m != NULL && m->subscription_count > 1)
        for (int i = 0; i < data->alt.sub.reasonCodeCount; i++)
            if ((int)data->alt.sub.reasonCodes[i] > reason)
                reason = (int)data->alt.sub.reasonCodes[i];
    if (m != NULL && reason >= MQTTREASONCODE_UNSPECIFIED_ERROR)
        set_end(m, TROUBLE_REFUSED, reason, "a subscription is refused");
    else if (m != NULL)
        m->is_subscribed = true;
    leave(m, true);
}

static void on_subscribe_failed(void *context, MQTTAsync_failureData5 *data)
{
    pthread_mutex_lock(&registry_lock);
    struct mqtt *m = find(context);
    if (m != NULL)
        set_end(m, TROUBLE_REFUSED, data != NULL ? (int)data->reasonCode : 0, "a subscription is refused");
    leave(m, true);
}

static void on_lost(void *context, char *cause)
{
    pthread_mutex_lock(&registry_lock);
    struct mqtt *m = find(context);
    if (m != NULL)
        set_end(m, TROUBLE_LOST, 0, cause != NULL ? cause : "the connection was closed");
    leave(m, true);
}

static void on_broker_disconnect(void *context, MQTTProperties *properties, enum MQTTReasonCodes reason)
{
    (void)properties;
    pthread_mutex_lock(&registry_lock);
    struct mqtt *m = find(context);
    if (m != NULL)
        set_end(m, reason == MQTTREASONCODE_SESSION_TAKEN_OVER ? TROUBLE_TAKEN_OVER : TROUBLE_LOST,
            (int)reason, reason_text((int)reason));
    leave(m, true);
}

static int on_message(void *context, char *topic, int topic_len, MQTTAsync_message *message)
{
    pthread_mutex_lock(&registry_lock);
    struct mqtt *m = find(context);
    if (m != NULL && m->options.on_message != NULL) {
        m->running++;
        pthread_mutex_unlock(&registry_lock);
        struct mqtt_message copy = {
            .topic = {topic, topic_len > 0 ? (size_t)topic_len : strlen(topic)},
            .payload = {message->payload, (size_t)message->payloadlen},
            .is_retained = message->retained != 0,
        };
        m->options.on_message(m->options.user_data, &copy);
        pthread_mutex_lock(&registry_lock);
        m->running--;
        pthread_cond_broadcast(&m->quiet);
    }
    pthread_mutex_unlock(&registry_lock);
    MQTTAsync_freeMessage(&message);
    MQTTAsync_free(topic);
    return 1; /* anything else makes Paho offer it again for ever */
}

/* Remembers a refused topic for the owner to complain about; the first few are enough to find the cause. */
static void note_denial(struct mqtt *m, const char *topic, int reason)
{
    int i = 0;
    while (i < m->denial_count && strcmp(m->denials[i].topic, topic) != 0)
        i++;
    if (i == DENIED_MAX)
        return;
    if (i == m->denial_count) {
        m->denials[i].topic = mem_strdup(topic);
        m->denial_count++;
    }
    m->denials[i].reason = reason;
    m->denials[i].is_new = true;
}

static void note_allowed(struct mqtt *m, const char *topic)
{
    for (int i = 0; i < m->denial_count; i++)
        if (m->denials[i].reason != 0 && strcmp(m->denials[i].topic, topic) == 0) {
            m->denials[i].reason = 0;
            m->denials[i].is_new = true;
        }
}

/* Ends one message; `reason` 0 is a PUBACK that says yes, negative is Paho's own failure. */
static void settle(void *context, int reason)
{
    pthread_mutex_lock(&registry_lock);
    struct mqtt *m = registry;
    struct mqtt_outgoing *o = NULL;
    while (m != NULL && (o = mqtt_outgoing_take(&m->outgoing, (uintptr_t)context)) == NULL)
        m = m->next;
    bool has_news = false;
    if (o != NULL) {
        int left = atomic_fetch_sub(&m->unconfirmed, 1) - 1;
        if (reason >= MQTTREASONCODE_UNSPECIFIED_ERROR)
            note_denial(m, o->topic, reason);
        else if (reason == 0)
            note_allowed(m, o->topic);
        has_news = reason > 0 || left == 0 || left > m->outgoing.sent;
        if (left == 0)
            pthread_cond_broadcast(&m->quiet);
        mqtt_outgoing_free(o);
    }
    leave(m, has_news);
}

static void on_published(void *context, MQTTAsync_successData5 *data)
{
    settle(context,
        data != NULL && data->reasonCode >= MQTTREASONCODE_UNSPECIFIED_ERROR ? (int)data->reasonCode : 0);
}

static void on_publish_failed(void *context, MQTTAsync_failureData5 *data)
{
    settle(context,
        data != NULL && data->reasonCode >= MQTTREASONCODE_UNSPECIFIED_ERROR ? (int)data->reasonCode : -1);
}

static void on_disconnected(void *context)
{
    pthread_mutex_lock(&registry_lock);
    struct mqtt *m = find(context);
    if (m != NULL) {
        m->is_disconnected = true;
        pthread_cond_broadcast(&m->quiet);
    }
    pthread_mutex_unlock(&registry_lock);
}

static void on_disconnect_done(void *context, MQTTAsync_successData5 *data)
{
    (void)data;
    on_disconnected(context);
}

static void on_disconnect_failed(void *context, MQTTAsync_failureData5 *data)
{
    (void)data;
    on_disconnected(context);
}

/* ---- creating and destroying ---- */

static char *make_uri(const char *host, int port)
{
    bool is_ipv6 = strchr(host, ':') != NULL && host[0] != '[';
    return mem_printf(is_ipv6 ? "tcp://[%s]:%d" : "tcp://%s:%d", host, port);
}

struct mqtt *mqtt_create(const struct mqtt_options *options)
{
    struct mqtt *m = mem_zalloc(sizeof *m);
    m->options = *options;
    if (m->options.retry_min_ms == 0)
        m->options.retry_min_ms = RETRY_MIN_MS;
    if (m->options.retry_max_ms == 0)
        m->options.retry_max_ms = RETRY_MAX_MS;
    m->host = mem_strdup(options->host);
    m->client_id = mem_strdup(options->client_id);
    m->user = mem_strdup(options->user);
    m->password = mem_strdup(options->password);
    m->will_topic = mem_strdup(options->will_topic);
    m->will_payload = mem_strdup(options->will_payload);
    m->uri = make_uri(options->host, options->port);
    while (options->subscriptions != NULL && options->subscriptions[m->subscription_count] != NULL)
        m->subscription_count++;
    m->subscriptions = mem_zalloc((size_t)m->subscription_count * sizeof *m->subscriptions);
    for (int i = 0; i < m->subscription_count; i++)
        m->subscriptions[i] = mem_strdup(options->subscriptions[i]);
    thread_cond_init(&m->quiet);

    MQTTAsync_createOptions create = MQTTAsync_createOptions_initializer5;
    create.maxBufferedMessages = OUTGOING_MAX;
    int code = MQTTAsync_createWithOptions(
        &m->paho, m->uri, m->client_id, MQTTCLIENT_PERSISTENCE_NONE, NULL, &create);
    assert(code == MQTTASYNC_SUCCESS);

    pthread_mutex_lock(&registry_lock);
    m->ticket = draw_ticket();
    m->next = registry;
    registry = m;
    pthread_mutex_unlock(&registry_lock);
    MQTTAsync_setCallbacks(m->paho, (void *)m->ticket, on_lost, on_message, NULL);
    MQTTAsync_setDisconnected(m->paho, (void *)m->ticket, on_broker_disconnect);
    return m;
}

/* Paho looks only once a second whether the last PUBACK is there, so that it is asked to disconnect after it.
 */
static void wait_for_pubacks(struct mqtt *m)
{
    int64_t deadline = clock_system.mono_ms() + DRAIN_MS;
    pthread_mutex_lock(&registry_lock);
    while (atomic_load(&m->unconfirmed) > 0 && m->end.trouble == TROUBLE_NONE &&
           clock_system.mono_ms() < deadline)
        thread_wait_until(&m->quiet, &registry_lock, deadline);
    pthread_mutex_unlock(&registry_lock);
}

static void disconnect_and_wait(struct mqtt *m)
{
    wait_for_pubacks(m);
    MQTTAsync_disconnectOptions options = MQTTAsync_disconnectOptions_initializer5;
    options.context = (void *)m->ticket;
    options.onSuccess5 = on_disconnect_done;
    options.onFailure5 = on_disconnect_failed;
    if (MQTTAsync_disconnect(m->paho, &options) != MQTTASYNC_SUCCESS)
        return;
    int64_t deadline = clock_system.mono_ms() + DISCONNECT_MS - DRAIN_MS;
    pthread_mutex_lock(&registry_lock);
    while (!m->is_disconnected && m->end.trouble == TROUBLE_NONE && clock_system.mono_ms() < deadline)
        thread_wait_until(&m->quiet, &registry_lock, deadline);
    pthread_mutex_unlock(&registry_lock);
}

static void discard_outgoing(struct mqtt *m)
{
    pthread_mutex_lock(&registry_lock);
    struct mqtt_outgoing_list list = m->outgoing;
    m->outgoing = (struct mqtt_outgoing_list){.sent_max = list.sent_max};
    atomic_store(&m->unconfirmed, 0);
    pthread_mutex_unlock(&registry_lock);
    mqtt_outgoing_clear(&list);
}

void mqtt_destroy(struct mqtt *m)
{
    if (m == NULL)
        return;
    if (m->phase == PHASE_READY || m->phase == PHASE_SUBSCRIBING)
        disconnect_and_wait(m);
    pthread_mutex_lock(&registry_lock);
    struct mqtt **at = &registry;
    while (*at != m)
        at = &(*at)->next;
    *at = m->next;
    while (m->running > 0)
        thread_wait_until(&m->quiet, &registry_lock, INT64_MAX);
    pthread_mutex_unlock(&registry_lock);
    MQTTAsync_destroy(&m->paho);

    discard_outgoing(m);
    for (int i = 0; i < m->denial_count; i++)
        free(m->denials[i].topic);
    for (int i = 0; i < m->subscription_count; i++)
        free(m->subscriptions[i]);
    free(m->subscriptions);
    pthread_cond_destroy(&m->quiet);
    free(m->host);
    free(m->client_id);
    free(m->user);
    free(m->password);
    free(m->will_topic);
    free(m->will_payload);
    free(m->uri);
    free(m);
}

/* ---- the session, on the owner's thread ---- */

static int64_t random_below(int64_t limit)
{
    uint64_t number = 0;
    if (getrandom(&number, sizeof number, 0) != sizeof number)
        abort();
    return limit > 0 ? (int64_t)(number % (uint64_t)limit) : 0;
}

/* Half of the wait is random, so that a hundred agents do not come back to a restarted broker in one second.
 */
static int64_t next_wait_ms(struct mqtt *m)
{
    int64_t wait_ms = m->options.retry_min_ms;
    for (int i = 0; i < m->failures && wait_ms < m->options.retry_max_ms; i++)
        wait_ms *= 2;
    if (wait_ms > m->options.retry_max_ms)
        wait_ms = m->options.retry_max_ms;
    m->failures++;
    return wait_ms / 2 + random_below(wait_ms / 2 + 1);
}

static struct mqtt_parties parties_of(const struct mqtt *m)
{
    return (struct mqtt_parties){m->host, m->options.port, m->client_id, m->user};
}

static void complain_of(struct mqtt *m, int64_t now_mono_ms, const struct mqtt_end *end, int64_t wait_ms)
{
    if (m->complained_of != end->trouble)
        m->complaint = (struct complaint){0}; /* another trouble is news */
    m->complained_of = end->trouble;
    struct mqtt_parties parties = parties_of(m);
    mqtt_trouble_complain(&m->complaint, now_mono_ms, &parties, end, wait_ms);
}

static void end_session(struct mqtt *m, int64_t now_mono_ms, struct mqtt_end end)
{
    bool was_early = m->phase == PHASE_READY && m->due_mono_ms != INT64_MAX;
    if (was_early && end.trouble == TROUBLE_LOST)
        m->early_losses++;
    /* While two clients quarrel, the broker is there all the time: one that cannot be reached in between was
     * restarted, or the network failed. */
    if (end.trouble == TROUBLE_UNREACHABLE)
        m->early_losses = 0;
    /* Mosquitto 2.0.11 does not send the reason 0x8E: it just closes the connection of the client that is
     * taken over, as it closes all of them where it ends. */
    if (end.trouble == TROUBLE_LOST && m->early_losses >= EARLY_LOSSES)
        end.trouble = TROUBLE_LOST_EARLY;
    /* Does nothing where Paho knows that the connection is gone. */
    MQTTAsync_disconnectOptions options = MQTTAsync_disconnectOptions_initializer5;
    MQTTAsync_disconnect(m->paho, &options);
    m->phase = PHASE_WAITING;
    pthread_mutex_lock(&registry_lock);
    m->attempt = 0;
    pthread_mutex_unlock(&registry_lock);
    discard_outgoing(m);
    int64_t wait_ms = next_wait_ms(m);
    if (end.trouble == TROUBLE_TAKEN_OVER) {
        int64_t least_ms = m->options.retry_max_ms > TAKEN_OVER_MS ? m->options.retry_max_ms : TAKEN_OVER_MS;
        wait_ms = least_ms + random_below(least_ms / 2);
    }
    m->due_mono_ms = now_mono_ms + wait_ms;
    complain_of(m, now_mono_ms, &end, wait_ms);
}

static void fail_step(struct mqtt *m, int64_t now_mono_ms, const char *text)
{
    struct mqtt_end end = {.trouble = TROUBLE_UNREACHABLE};
    snprintf(end.text, sizeof end.text, "%s", text);
    end_session(m, now_mono_ms, end);
}

static void start_connecting(struct mqtt *m, int64_t now_mono_ms)
{
    pthread_mutex_lock(&registry_lock);
    m->attempt = draw_ticket();
    m->is_connected = m->is_subscribed = false;
    m->end = (struct mqtt_end){0};
    pthread_mutex_unlock(&registry_lock);
    m->phase = PHASE_CONNECTING;
    m->due_mono_ms = now_mono_ms + STEP_TIMEOUT_MS;

    MQTTAsync_willOptions will = MQTTAsync_willOptions_initializer;
    will.topicName = m->will_topic;
    will.message = m->will_payload;
    will.retained = 1;
    will.qos = 1;
    /* Clean start, and a session expiry of 0 by its absence. */
    MQTTAsync_connectOptions connect = MQTTAsync_connectOptions_initializer5;
    connect.keepAliveInterval = m->options.keep_alive_s;
    connect.connectTimeout = CONNECT_TIMEOUT_S;
    connect.username = m->user;
    connect.password = m->password;
    connect.will = m->will_topic != NULL ? &will : NULL;
    connect.context = (void *)m->attempt;
    connect.onSuccess5 = on_connected;
    connect.onFailure5 = on_connect_failed;
    MQTTProperties properties = MQTTProperties_initializer;
    MQTTProperty packet_max = {
        .identifier = MQTTPROPERTY_CODE_MAXIMUM_PACKET_SIZE, .value.integer4 = PACKET_BYTES_MAX};
    MQTTProperties_add(&properties, &packet_max);
    if (m->options.session_s > 0) {
        MQTTProperty expiry = {.identifier = MQTTPROPERTY_CODE_SESSION_EXPIRY_INTERVAL,
            .value.integer4 = (unsigned)m->options.session_s};
        MQTTProperties_add(&properties, &expiry);
        connect.cleanstart = 0;
    }
    connect.connectProperties = &properties;
    int code = MQTTAsync_connect(m->paho, &connect);
    MQTTProperties_free(&properties);
    if (code != MQTTASYNC_SUCCESS)
        fail_step(m, now_mono_ms, MQTTAsync_strerror(code));
}

static bool is_quarrel(enum mqtt_trouble trouble)
{
    return trouble == TROUBLE_LOST_EARLY || trouble == TROUBLE_TAKEN_OVER;
}

static void become_ready(struct mqtt *m, int64_t now_mono_ms)
{
    m->phase = PHASE_READY;
    m->due_mono_ms = now_mono_ms + m->options.retry_max_ms;
    m->session++;
    if (is_quarrel(m->complained_of))
        return; /* over only when the session lasts: else two lines a minute, for ever */
    if (m->complaint.is_open)
        complaint_clear(&m->complaint, now_mono_ms, COMPONENT, "%s:%d: connected again as %s", m->host,
            m->options.port, m->client_id);
    else
        log_info(COMPONENT, "%s:%d: connected as %s", m->host, m->options.port, m->client_id);
    m->complained_of = TROUBLE_NONE;
}

/* The session has lasted: the next loss is a first one again. */
static void trust_session(struct mqtt *m, int64_t now_mono_ms)
{
    m->failures = m->early_losses = 0;
    m->due_mono_ms = INT64_MAX;
    complaint_clear(&m->complaint, now_mono_ms, COMPONENT, "%s:%d: connected as %s, and it lasts", m->host,
        m->options.port, m->client_id);
    m->complained_of = TROUBLE_NONE;
}

static void start_subscribing(struct mqtt *m, int64_t now_mono_ms)
{
    if (m->subscription_count == 0) {
        become_ready(m, now_mono_ms);
        return;
    }
    m->phase = PHASE_SUBSCRIBING;
    m->due_mono_ms = now_mono_ms + STEP_TIMEOUT_MS;
    int *qos = mem_alloc((size_t)m->subscription_count * sizeof *qos);
    for (int i = 0; i < m->subscription_count; i++)
        qos[i] = 1;
    MQTTAsync_responseOptions response = MQTTAsync_responseOptions_initializer;
    response.context = (void *)m->attempt;
    response.onSuccess5 = on_subscribed;
    response.onFailure5 = on_subscribe_failed;
    int code = MQTTAsync_subscribeMany(m->paho, m->subscription_count, m->subscriptions, qos, &response);
    free(qos);
    if (code != MQTTASYNC_SUCCESS)
        fail_step(m, now_mono_ms, MQTTAsync_strerror(code));
}

static void complain_of_denials(struct mqtt *m, int64_t now_mono_ms)
{
    for (int i = 0; i < DENIED_MAX; i++) {
        struct denial *d = &m->denials[i]; /* its topic never changes, its complaint is the owner's */
        pthread_mutex_lock(&registry_lock);
        bool is_new = d->is_new;
        int reason = d->reason;
        d->is_new = false;
        pthread_mutex_unlock(&registry_lock);
        struct mqtt_parties parties = parties_of(m);
        if (is_new)
            mqtt_trouble_answer(&d->complaint, now_mono_ms, &parties, d->topic, reason, reason_text(reason));
    }
}

static enum status hand_to_paho(struct mqtt *m, const struct mqtt_outgoing *o, struct error *err)
{
    MQTTAsync_message message = MQTTAsync_message_initializer;
    message.payload = o->payload;
    message.payloadlen = (int)o->len;
    message.qos = 1;
    message.retained = o->is_retained;
    if (o->expiry_s > 0) {
        MQTTProperty expiry = {
            .identifier = MQTTPROPERTY_CODE_MESSAGE_EXPIRY_INTERVAL, .value.integer4 = (unsigned)o->expiry_s};
        MQTTProperties_add(&message.properties, &expiry);
    }
    MQTTAsync_responseOptions response = MQTTAsync_responseOptions_initializer;
    response.context = (void *)o->ticket;
    response.onSuccess5 = on_published;
    response.onFailure5 = on_publish_failed;
    /* Once this returns, `o` may be gone: its PUBACK may be here. */
    int code = MQTTAsync_sendMessage(m->paho, o->topic, &message, &response);
    MQTTProperties_free(&message.properties);
    if (code == MQTTASYNC_SUCCESS)
        return ST_OK;
    return error_set(err, code == MQTTASYNC_DISCONNECTED ? ST_UNREACHABLE : ST_FULL, "%s:%d: %s", m->host,
        m->options.port, MQTTAsync_strerror(code));
}

/* Hands over as many waiting messages as the broker takes at a time. A failure is that of the last one handed
 * over. */
static enum status flush(struct mqtt *m, struct error *err)
{
    enum status status = ST_OK;
    while (status == ST_OK) {
        pthread_mutex_lock(&registry_lock);
        const struct mqtt_outgoing *o = mqtt_outgoing_next(&m->outgoing);
        uintptr_t ticket = o != NULL ? o->ticket : 0;
        pthread_mutex_unlock(&registry_lock);
        if (o == NULL)
            break;
        status = hand_to_paho(m, o, err);
        if (status != ST_OK)
            settle((void *)ticket, -1);
    }
    return status;
}

int64_t mqtt_tick(struct mqtt *m, int64_t now_mono_ms)
{
    pthread_mutex_lock(&registry_lock);
    struct mqtt_end end = m->end;
    bool is_connected = m->is_connected, is_subscribed = m->is_subscribed;
    m->end = (struct mqtt_end){0};
    m->is_connected = m->is_subscribed = false;
    if (is_connected)
        m->packet_max = m->told_packet_max;
    pthread_mutex_unlock(&registry_lock);

    complain_of_denials(m, now_mono_ms);
    if (m->phase == PHASE_READY && now_mono_ms >= m->due_mono_ms)
        trust_session(m, now_mono_ms);
    if (end.trouble != TROUBLE_NONE && m->phase != PHASE_WAITING)
        end_session(m, now_mono_ms, end);
    else if (m->phase == PHASE_CONNECTING && is_connected)
        start_subscribing(m, now_mono_ms);
    else if (m->phase == PHASE_SUBSCRIBING && is_subscribed)
        become_ready(m, now_mono_ms);

    if (now_mono_ms >= m->due_mono_ms && m->phase == PHASE_WAITING)
        start_connecting(m, now_mono_ms);
    else if (now_mono_ms >= m->due_mono_ms && m->phase != PHASE_READY)
        fail_step(m, now_mono_ms, "no answer in time");
    if (m->phase == PHASE_READY)
        flush(m, NULL);
    return m->due_mono_ms;
}

enum mqtt_state mqtt_state(const struct mqtt *m)
{
    return m->phase == PHASE_READY ? MQTT_READY : MQTT_DOWN;
}

uint64_t mqtt_session(const struct mqtt *m)
{
    return m->session;
}

size_t mqtt_payload_max(const struct mqtt *m)
{
    if (m->packet_max == 0 || m->packet_max >= BATCH_BYTES_MAX + PACKET_ROOM)
        return BATCH_BYTES_MAX;
    return m->packet_max > 2 * PACKET_ROOM ? m->packet_max - PACKET_ROOM : m->packet_max / 2;
}

enum status mqtt_publish(
    struct mqtt *m, const char *topic, struct span payload, bool is_retained, int expiry_s, struct error *err)
{
    if (m->phase != PHASE_READY)
        return error_set(err, ST_UNREACHABLE, "%s:%d: not connected", m->host, m->options.port);
    if (payload.len > mqtt_payload_max(m))
        return error_set(err, ST_INVALID, "%s:%d takes at most %zu bytes, this message to %s has %zu",
            m->host, m->options.port, mqtt_payload_max(m), topic, payload.len);
    if (atomic_load(&m->unconfirmed) >= OUTGOING_MAX)
        return error_set(
            err, ST_FULL, "%s:%d: %d messages are not confirmed yet", m->host, m->options.port, OUTGOING_MAX);
    pthread_mutex_lock(&registry_lock);
    uintptr_t ticket = draw_ticket();
    mqtt_outgoing_add(&m->outgoing, ticket, topic, payload, is_retained, expiry_s);
    atomic_fetch_add(&m->unconfirmed, 1);
    pthread_mutex_unlock(&registry_lock);
    enum status status = flush(m, err);
    if (status != ST_OK)
        settle((void *)ticket, -1); /* where it still waits behind the one that failed */
    return status;
}

int mqtt_unconfirmed(const struct mqtt *m)
{
    return atomic_load(&m->unconfirmed);
}

bool mqtt_denies(const struct mqtt *m, const char *topic)
{
    bool is_denied = false;
    pthread_mutex_lock(&registry_lock);
    for (int i = 0; i < m->denial_count; i++)
        is_denied = is_denied || (m->denials[i].reason != 0 && strcmp(m->denials[i].topic, topic) == 0);
    pthread_mutex_unlock(&registry_lock);
    return is_denied;
}
