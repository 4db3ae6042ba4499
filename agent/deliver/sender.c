#include "agent/deliver/sender.h"

#include "agent/deliver/deliver.h"
#include "lib/mem.h"

#include <stdlib.h>

#define BLOCKED_MS 1000  /* before a batch is offered again that the client did not take */
#define SILENCE_MS 60000 /* confirmed by the broker, not acknowledged by the collector */

static int64_t mono_ms(const struct sender *s)
{
    return s->clock->mono_ms();
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* ---- life ---- */

static struct mqtt *make_client(const struct sender *s, const struct deliver_options *options,
    void *user_data, void (*on_message)(void *user_data, const struct mqtt_message *message),
    void (*on_event)(void *user_data))
{
    const struct agent_settings *settings = options->settings;
    char *client_id = mem_printf("park-%s", settings->gateway);
    const char *subscriptions[] = {s->ack_topic, NULL};
    struct mqtt_options mqtt_options = {.host = settings->broker.host,
        .port = (int)settings->broker.port,
        .client_id = client_id,
        .user = settings->broker.user,
        .password = options->password,
        .keep_alive_s = (int)(settings->broker.keep_alive_ms / 1000),
        .retry_max_ms = (int)settings->broker.retry_max_ms,
        .will_topic = s->announce.topic,
        .will_payload = "{\"state\":\"offline\"}",
        .subscriptions = subscriptions,
        .user_data = user_data,
        .on_message = on_message,
        .on_event = on_event};
    struct mqtt *client = mqtt_create(&mqtt_options);
    free(client_id);
    return client;
}

void sender_init(struct sender *s, const struct deliver_options *options, struct spool *spool,
    void *user_data, void (*on_message)(void *user_data, const struct mqtt_message *message),
    void (*on_event)(void *user_data))
{
    const struct agent_settings *settings = options->settings;
    struct spool_state state;
    *s = (struct sender){.clock = options->clock, .spool = spool};
    topic_format(s->up_topic, sizeof s->up_topic, settings->gateway, "up");
    topic_format(s->ack_topic, sizeof s->ack_topic, settings->gateway, "ack");
    spool_state(spool, &state);
    window_init(&s->window, state.mark, state.last, settings->spool.probe_ms);
    announce_init(&s->announce, options);
    s->mqtt = make_client(s, options, user_data, on_message, on_event);
}

void sender_release(struct sender *s)
{
    mqtt_destroy(s->mqtt);
    announce_release(&s->announce);
}

int64_t sender_connect(struct sender *s)
{
    return mqtt_tick(s->mqtt, mono_ms(s));
}

bool sender_is_ready(const struct sender *s)
{
    return mqtt_state(s->mqtt) == MQTT_READY;
}

void sender_say_goodbye(struct sender *s)
{
    if (sender_is_ready(s))
        announce_offline(&s->announce, s->mqtt);
}

/* ---- cutting ---- */

/* Nothing is cut without a session: only then is the broker's largest packet known, and a batch never changes
 * its size. */
int64_t sender_room(const struct sender *s)
{
    return sender_is_ready(s) ? window_room(&s->window) : 0;
}

size_t sender_payload_max(const struct sender *s)
{
    return mqtt_payload_max(s->mqtt);
}

void sender_refresh(struct sender *s, const struct spool_state *state)
{
    window_cut(&s->window, state->last);
    window_forget(&s->window, state->mark, mono_ms(s));
}

/* Half a window at a time, so that a backlog costs few transactions. */
static bool has_room_for_backlog(const struct sender *s)
{
    struct spool_state state;
    spool_state(s->spool, &state);
    bool has_bytes = state.unacknowledged_bytes == 0 ||
                     state.unacknowledged_bytes + (int64_t)sender_payload_max(s) <= WINDOW_BYTES;
    return state.uncut > 0 && has_bytes && sender_room(s) >= WINDOW_BATCHES / 2;
}

enum status sender_cut_backlog(struct sender *s, bool *ret_is_cut, struct error *err)
{
    *ret_is_cut = false;
    if (!has_room_for_backlog(s))
        return ST_OK;
    struct error why;
    enum status status = spool_cut(s->spool, sender_room(s), sender_payload_max(s), &why);
    *ret_is_cut = status == ST_OK;
    if (status == ST_OK)
        complaint_clear(&s->too_large, mono_ms(s), "deliver", "batches are cut again");
    else if (status == ST_INVALID)
        complain(&s->too_large, mono_ms(s), LOG_LEVEL_ERROR, "deliver", "%s; nothing can be sent", why.text);
    else
        return error_set(err, status, "%s", why.text);
    return ST_OK;
}

/* ---- acknowledgements ---- */

static bool has_refusal_moved(const struct sender *s, bool is_moved)
{
    if (is_moved)
        log_info("deliver", "the collector needs batch %lld next; going back to it",
            (long long)s->window.mark + 1);
    return is_moved;
}

enum status sender_take_ack(struct sender *s, const struct ack *ack, bool is_stored, struct error *err)
{
    int64_t seq, now = mono_ms(s);
    struct error why;
    enum status status = spool_resolve(s->spool, ack, &seq, &why);
    if (status == ST_STORAGE)
        return error_set(err, status, "%s", why.text);
    if (status != ST_OK) {
        complain(&s->strange_ack, now, LOG_LEVEL_WARN, "deliver", "acknowledgement ignored: %s", why.text);
        return ST_OK;
    }
    struct spool_state state;
    spool_state(s->spool, &state);
    /* A stored refusal answered a batch of an earlier connection; today's batches will get their own. */
    bool is_refusal = ack->is_refusal && !is_stored;
    bool is_moved = is_refusal ? has_refusal_moved(s, window_refuse(&s->window, seq, state.first, now))
                               : window_acknowledge(&s->window, seq, is_stored, now);
    if (is_moved)
        spool_set_mark(s->spool, s->window.mark);
    if (is_moved || !is_stored) {
        s->silent_since_mono_ms = now;
        complaint_clear(&s->silence, now, "deliver", "the collector acknowledges again");
        complaint_clear(&s->strange_ack, now, "deliver", "acknowledgements are for this spool again");
    }
    return ST_OK;
}

bool sender_tick(struct sender *s)
{
    struct spool_state state;
    spool_state(s->spool, &state);
    bool is_moved = has_refusal_moved(s, window_tick(&s->window, state.first, mono_ms(s)));
    if (is_moved)
        spool_set_mark(s->spool, s->window.mark);
    return is_moved;
}

/* ---- publishing ---- */

static enum status publish_batch(
    struct sender *s, int64_t seq, struct buf *payload, bool *ret_fits, struct error *err)
{
    enum status status = spool_payload(s->spool, seq, payload, err);
    if (status != ST_OK)
        return status == ST_INVALID ? ST_STORAGE : status; /* a batch that is due is held */
    *ret_fits = window_fits(&s->window, seq, (int32_t)payload->len);
    if (!*ret_fits)
        return ST_OK;
    status = mqtt_publish(s->mqtt, s->up_topic, (struct span){payload->data, payload->len}, false, 0, err);
    if (status == ST_OK)
        window_published(&s->window, seq, (int32_t)payload->len, mono_ms(s));
    return status;
}

static enum status publish_batches(struct sender *s, int64_t now, struct error *err)
{
    struct buf payload = {0};
    struct error why;
    int64_t seq;
    bool fits = true;
    enum status status = ST_OK;
    while (status == ST_OK && fits && (seq = window_next(&s->window, now)) != 0)
        status = publish_batch(s, seq, &payload, &fits, &why);
    buf_release(&payload);
    s->blocked_until_mono_ms = status == ST_OK ? 0 : now + BLOCKED_MS;
    if (status == ST_STORAGE)
        return error_set(err, status, "%s", why.text);
    if (status == ST_INVALID) /* the broker's limit is lower than when the batch was cut */
        complain(&s->too_large, now, LOG_LEVEL_ERROR, "deliver", "%s; nothing is sent until it takes more",
            why.text);
    return ST_OK;
}

/* Counted from the first batch that goes unanswered, however many follow it; said when the broker has confirmed what
 * it got. One that denies it is told by the client. */
static void watch_silence(struct sender *s, int64_t now)
{
    if (!window_is_out(&s->window) || mqtt_denies(s->mqtt, s->up_topic))
        s->silent_since_mono_ms = now;
    else if (now - s->silent_since_mono_ms >= SILENCE_MS && mqtt_unconfirmed(s->mqtt) == 0)
        complain(&s->silence, now, LOG_LEVEL_WARN, "deliver",
            "the broker takes batches but nothing acknowledges them for %d s: the collector is down, or read "
            "permission on %s is missing; sending again with growing intervals",
            SILENCE_MS / 1000, s->ack_topic);
}

static void begin_session(struct sender *s, int64_t now)
{
    s->session = mqtt_session(s->mqtt);
    s->silent_since_mono_ms = now;
    s->blocked_until_mono_ms = 0;
    window_restart(&s->window);
    announce_reset(&s->announce);
}

enum status sender_publish(struct sender *s, struct error *err)
{
    int64_t now = mono_ms(s);
    if (!sender_is_ready(s))
        return ST_OK;
    if (mqtt_session(s->mqtt) != s->session)
        begin_session(s, now);
    enum status status = now >= s->blocked_until_mono_ms ? publish_batches(s, now, err) : ST_OK;
    watch_silence(s, now);
    struct spool_state state;
    spool_state(s->spool, &state);
    announce_online(&s->announce, s->mqtt, &state, now);
    return status;
}

int64_t sender_due(const struct sender *s)
{
    if (!sender_is_ready(s))
        return INT64_MAX;
    int64_t window = s->blocked_until_mono_ms != 0 ? s->blocked_until_mono_ms : window_deadline(&s->window);
    int64_t silence = s->silent_since_mono_ms + SILENCE_MS;
    if (window_is_out(&s->window) && silence > mono_ms(s))
        window = earlier(window, silence);
    return earlier(window, announce_due(&s->announce));
}
