#include "collector/live/presence.h"

#include "lib/id.h"
#include "lib/mem.h"
#include "lib/number.h"
#include "lib/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void presence_release(struct presence *p)
{
    for (size_t i = 0; i < p->count; i++)
        json_decref(p->items[i].points);
    free(p->items);
    *p = (struct presence){0};
}

const struct presence_gateway *presence_find(const struct presence *p, const char *gateway)
{
    for (size_t i = 0; i < p->count; i++)
        if (strcmp(p->items[i].id, gateway) == 0)
            return &p->items[i];
    return NULL;
}

/* Numbers are another program's: what makes no sense is not told. */
static int64_t read_count(json_t *object, const char *key)
{
    int64_t value = json_integer_value(json_object_get(object, key));
    return value > 0 ? value : 0;
}

/* Only what is asked for later is kept: what else the object may hold has no bound but the message's length, and
 * takes many times that in memory. */
static json_t *copy_periods(json_t *points)
{
    json_t *periods = json_object();
    const char *name;
    json_t *period;
    json_object_foreach(points, name, period) if (json_integer_value(period) > 0 && point_is_valid(name) &&
                                                  json_object_size(periods) < PRESENCE_POINTS_MAX)
        json_object_set_new(periods, name, json_integer(json_integer_value(period)));
    return periods;
}

static struct presence_gateway *get(struct presence *p, const char *gateway)
{
    struct presence_gateway *g = (struct presence_gateway *)presence_find(p, gateway);
    if (g != NULL)
        return g;
    MEM_GROW(p->items, p->count, p->capacity);
    g = &p->items[p->count++];
    *g = (struct presence_gateway){.is_clock_synchronised = true};
    snprintf(g->id, sizeof g->id, "%s", gateway);
    return g;
}

static void speak(const struct presence *p, struct presence_gateway *g, int64_t now_ms)
{
    int64_t silent_ms = now_ms - g->heard_ms - presence_still_ms(p, g->heard_ms, now_ms);
    if (g->heard_ms == 0 || g->offline_ms != 0 || now_ms < g->heard_ms || silent_ms >= PRESENCE_MS)
        g->back_ms = now_ms;
    g->heard_ms = now_ms;
    g->offline_ms = 0;
}

void presence_hear(struct presence *p, const char *gateway, int64_t now_ms)
{
    speak(p, get(p, gateway), now_ms);
}

enum status presence_state(
    struct presence *p, const char *gateway, struct span payload, int64_t now_ms, struct error *err)
{
    if (payload.len > PRESENCE_BYTES_MAX)
        return error_set(
            err, ST_INVALID, "its state of %zu bytes is larger than %d", payload.len, PRESENCE_BYTES_MAX);
    json_error_t why;
    json_t *root = json_loadb(payload.at, payload.len, JSON_REJECT_DUPLICATES, &why);
    const char *state = json_string_value(json_object_get(root, "state"));
    if (state == NULL || (strcmp(state, "online") != 0 && strcmp(state, "offline") != 0)) {
        json_decref(root);
        return error_set(err, ST_INVALID, "its state is not JSON with \"state\" online or offline");
    }
    struct presence_gateway *g = get(p, gateway);
    if (strcmp(state, "offline") == 0) {
        g->offline_ms = now_ms; /* no word of its own */
    } else {
        speak(p, g, now_ms);
        const char *version = json_string_value(json_object_get(root, "version"));
        const char *clock = json_string_value(json_object_get(root, "clock"));
        json_t *spooled = json_object_get(root, "spooled"), *points = json_object_get(root, "points");
        text_copy(g->version, sizeof g->version, span_of(version ? version : ""));
        g->is_clock_synchronised = clock == NULL || strcmp(clock, "unsynchronised") != 0;
        g->has_spooled = json_is_object(spooled);
        g->spooled_batches = read_count(spooled, "batches");
        g->spooled_bytes = read_count(spooled, "bytes");
        g->spooled_oldest_ms = read_count(spooled, "oldest");
        json_decref(g->points);
        g->points = json_is_object(points) ? copy_periods(points) : NULL;
    }
    json_decref(root);
    return ST_OK;
}

uint64_t presence_epoch(struct span payload)
{
    json_t *root = payload.len <= PRESENCE_BYTES_MAX
                       ? json_loadb(payload.at, payload.len, JSON_REJECT_DUPLICATES, NULL)
                       : NULL;
    const char *state = json_string_value(json_object_get(root, "state"));
    const char *text = json_string_value(json_object_get(root, "epoch"));
    uint64_t epoch = 0;
    bool is_named = state != NULL && strcmp(state, "online") == 0 && text != NULL &&
                    number_parse_hex16(text, strlen(text), &epoch);
    json_decref(root);
    return is_named ? epoch : 0;
}

bool presence_is_online(const struct presence_gateway *g, int64_t now_ms)
{
    return g != NULL && g->offline_ms == 0 && g->heard_ms > 0 && now_ms - g->heard_ms < PRESENCE_MS;
}

static void cut(int64_t *time_ms, int64_t now_ms)
{
    if (*time_ms > now_ms)
        *time_ms = now_ms;
}

/* The clock was set back: what is ahead comes again, and is listened to then. */
static void go_back(struct presence *p, int64_t now_ms)
{
    for (size_t i = 0; i < PRESENCE_STILL_MAX; i++) {
        cut(&p->stills[i].from_ms, now_ms);
        cut(&p->stills[i].until_ms, now_ms);
    }
    for (size_t i = 0; i < p->count; i++) {
        struct presence_gateway *g = &p->items[i];
        if (g->heard_ms > now_ms) /* it speaks since then, by this clock */
            g->heard_ms = g->back_ms = now_ms;
        cut(&g->offline_ms, now_ms);
    }
    cut(&p->listening_since_ms, now_ms);
}

void presence_look(struct presence *p, int64_t now_ms)
{
    if (now_ms < p->looked_ms)
        go_back(p, now_ms);
    if (p->looked_ms != 0 && now_ms - p->looked_ms > PRESENCE_STANDSTILL_MS)
        p->stills[p->still_count++ % PRESENCE_STILL_MAX] = (struct presence_still){p->looked_ms, now_ms};
    p->looked_ms = now_ms;
}

static int64_t overlap_ms(const struct presence_still *still, int64_t from_ms, int64_t until_ms)
{
    int64_t begin_ms = still->from_ms > from_ms ? still->from_ms : from_ms;
    int64_t end_ms = still->until_ms < until_ms ? still->until_ms : until_ms;
    return end_ms > begin_ms ? end_ms - begin_ms : 0;
}

int64_t presence_still_ms(const struct presence *p, int64_t from_ms, int64_t until_ms)
{
    int64_t sum_ms = 0;
    for (size_t i = 0; i < p->still_count && i < PRESENCE_STILL_MAX; i++)
        sum_ms += overlap_ms(&p->stills[i], from_ms, until_ms);
    return sum_ms;
}

bool presence_is_known(const struct presence *p, const struct presence_gateway *g, int64_t now_ms)
{
    if (presence_is_online(g, now_ms))
        return true;
    int64_t from_ms = p->listening_since_ms;
    if (from_ms == 0 || (g != NULL && g->offline_ms != 0 && g->offline_ms >= from_ms))
        return from_ms != 0;
    if (g != NULL && g->heard_ms > from_ms)
        from_ms = g->heard_ms;
    return now_ms - from_ms - presence_still_ms(p, from_ms, now_ms) >= PRESENCE_MS;
}

int64_t presence_period_ms(const struct presence_gateway *g, const char *point)
{
    int64_t period = g != NULL ? json_integer_value(json_object_get(g->points, point)) : 0;
    return period > 0 ? period : 0;
}
