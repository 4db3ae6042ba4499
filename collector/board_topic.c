#include "collector/board_topic.h"

#include "collector/instrument/board_json.h"
#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>

static char *topic_of(const char *instrument)
{
    return mem_printf("park/v1/public/instruments/%s", instrument);
}

void board_topic_release(struct board_topic *t)
{
    board_put(t->board);
    for (size_t i = 0; i < t->gone_count; i++)
        free(t->gone[i]);
    free(t->gone);
    free(t->said);
    free(t->probe);
    *t = (struct board_topic){0};
}

void board_topic_remove(struct board_topic *t, char *instrument)
{
    MEM_GROW(t->gone, t->gone_count, t->gone_capacity);
    t->gone[t->gone_count++] = topic_of(instrument);
    free(instrument);
}

/* ---- what is new ---- */

static void mix(uint64_t *hash, int64_t value) /* FNV-1a, by words */
{
    *hash = (*hash ^ (uint64_t)value) * UINT64_C(0x100000001b3);
}

static void mix_source(uint64_t *hash, const struct availability_source *source)
{
    mix(hash, source->is_configured ? (int64_t)source->quality : -1);
}

/* What moves with the clock alone is no news: as_of, when a source was last seen, a next time that is now. */
static uint64_t digest_of(const struct board_item *item)
{
    const struct availability *a = &item->answer;
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    const int64_t values[] = {(int64_t)a->status, (int64_t)(uintptr_t)a->reason, a->since_ms,
        a->free_until_ms, a->next_free_ms == a->as_of_ms ? -1 : a->next_free_ms, (int64_t)item->activity,
        item->activity_since_ms};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        mix(&hash, values[i]);
    mix_source(&hash, &item->power);
    mix_source(&hash, &item->session);
    mix_source(&hash, &item->calendar);
    for (size_t i = 0; i < item->resource_count; i++) {
        mix(&hash, item->resources[i].state.is_down);
        mix_source(&hash, &item->resources[i].state.source);
    }
    for (size_t i = 0; i < item->outage_count; i++) {
        mix(&hash, item->outages[i].id);
        mix(&hash, item->outages[i].from_ms);
        mix(&hash, item->outages[i].until_ms);
    }
    return hash != 0 ? hash : 1;
}

/* They do not all fall due together. */
static int64_t again_ms(size_t instrument)
{
    return BOARD_TOPIC_AGAIN_MS / 2 + (int64_t)(instrument * 7919 % (BOARD_TOPIC_AGAIN_MS / 2));
}

/* ---- sending ---- */

static bool publish(
    struct board_topic *t, struct mqtt *mqtt, const char *topic, struct span payload, int64_t now_mono_ms)
{
    struct error why;
    int expiry_s = payload.len > 0 ? BOARD_TOPIC_EXPIRY_S : 0;
    enum status status = mqtt_publish(mqtt, topic, payload, true, expiry_s, &why);
    if (status == ST_INVALID)
        complain(&t->failing, now_mono_ms, LOG_LEVEL_WARN, "board", "%s: %s; it is not published", topic,
            why.text);
    return status == ST_OK || status == ST_INVALID;
}

static bool publish_item(
    struct board_topic *t, struct mqtt *mqtt, const struct board_item *item, int64_t now_mono_ms)
{
    char *text = json_text(board_json(item)), *topic = topic_of(item->instrument->id);
    bool is_taken = publish(t, mqtt, topic, span_of(text), now_mono_ms);
    free(topic);
    free(text);
    return is_taken;
}

static bool has_room(const struct mqtt *mqtt)
{
    return mqtt_unconfirmed(mqtt) < BOARD_TOPIC_WAITING;
}

static void send_gone(struct board_topic *t, struct mqtt *mqtt, int64_t now_mono_ms)
{
    while (t->gone_count > 0 && has_room(mqtt) &&
           publish(t, mqtt, t->gone[t->gone_count - 1], SPAN(""), now_mono_ms))
        free(t->gone[--t->gone_count]);
}

static void take_newest(struct board_topic *t, struct board_box *box)
{
    const struct board *newest = board_box_get(box);
    bool is_other = newest != NULL && (t->board == NULL || newest->model != t->board->model);
    if (is_other) {
        free(t->said);
        t->said = mem_zalloc((newest->count + 1) * sizeof *t->said);
        t->at = 0;
    }
    board_put(t->board);
    t->board = newest;
}

static void begin_session(struct board_topic *t, uint64_t session)
{
    t->session = session;
    t->done = 0;
    free(t->probe);
    t->probe = NULL;
    for (size_t i = 0; i < t->board->count; i++)
        t->said[i].what = 0;
}

/* False: what becomes of the one that went ahead is not known yet, or it was denied. */
static bool may_send(struct board_topic *t, struct mqtt *mqtt, int64_t now_mono_ms)
{
    int64_t age_ms = now_mono_ms - t->probe_mono_ms;
    bool is_waiting = t->probe != NULL && age_ms < BOARD_TOPIC_PROBE_MS && mqtt_unconfirmed(mqtt) > 0;
    bool is_denied = t->probe != NULL && mqtt_denies(mqtt, t->probe);
    if (t->probe != NULL && !is_waiting && !is_denied)
        return true;
    bool is_due = t->probe == NULL || (is_denied && age_ms >= BOARD_TOPIC_AGAIN_MS);
    if (is_due && t->board->count > 0 && publish_item(t, mqtt, t->board->items, now_mono_ms)) {
        free(t->probe);
        t->probe = topic_of(t->board->items[0].instrument->id);
        t->probe_mono_ms = now_mono_ms;
    }
    return false;
}

static void send_items(struct board_topic *t, struct mqtt *mqtt, int64_t now_mono_ms)
{
    for (size_t looked = 0; looked < t->board->count; looked++, t->at++) {
        t->at = t->at < t->board->count ? t->at : 0;
        struct board_topic_said *said = &t->said[t->at];
        uint64_t what = digest_of(&t->board->items[t->at]);
        if (what == said->what && now_mono_ms < said->mono_ms + again_ms(t->at))
            continue;
        if (!has_room(mqtt) || !publish_item(t, mqtt, &t->board->items[t->at], now_mono_ms))
            return;
        *said = (struct board_topic_said){what, now_mono_ms};
    }
    t->done = t->board->number;
}

void board_topic_send(struct board_topic *t, struct mqtt *mqtt, struct board_box *box, int64_t now_mono_ms)
{
    take_newest(t, box);
    if (t->board == NULL || mqtt_state(mqtt) != MQTT_READY)
        return;
    if (mqtt_session(mqtt) != t->session)
        begin_session(t, mqtt_session(mqtt));
    bool is_through = t->done == t->board->number && t->gone_count == 0;
    if (is_through || !may_send(t, mqtt, now_mono_ms))
        return;
    send_gone(t, mqtt, now_mono_ms);
    send_items(t, mqtt, now_mono_ms);
}
