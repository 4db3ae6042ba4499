#include "agent/sources/json_taker.h"

#include "agent/deliver/deliver.h"
#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>

#define NOTE_PREFIX "frame/"
#define TIME_AHEAD_MAX_MS 60000 /* a message's time further ahead of ours is not believed */
#define TIME_BEHIND_MAX_MS (INT64_C(604800) * 1000) /* nor one older than a broker may keep it */

/* ---- one message ---- */

struct found {
    size_t value;
    union driver_value is;
};

static int64_t mono_ms(const struct json_taker *r)
{
    return r->context.clock->mono_ms();
}

static const struct json_value *value_at(const struct device_run *d, size_t value)
{
    return (const struct json_value *)d->settings->values.items + value;
}

/* The message's own time, where it has one that can be right; 0 = none. */
static int64_t time_of(const struct json_taker *r, const struct device_run *d, json_t *message)
{
    int64_t time_ms, now = r->context.clock->wall_ms();
    if (d->settings->time == NULL || message == NULL || !r->context.clock->is_synchronised() ||
        !pick_time(pick_find(message, d->settings->time), &time_ms))
        return 0;
    return time_ms <= now + TIME_AHEAD_MAX_MS && time_ms >= now - TIME_BEHIND_MAX_MS ? time_ms : 0;
}

/* False: it was seen before. */
static bool is_new(struct json_taker *r, struct device_run *d, json_t *message, int64_t time_ms)
{
    struct frame_mark mark = {.is_known = true, .time_ms = time_ms};
    json_t *frame = message != NULL ? pick_find(message, d->settings->frame) : NULL;
    /* JSON of protobuf leaves out a 0. */
    if (frame != NULL && !pick_integer(frame, &mark.frame)) {
        complain(&d->unreadable, mono_ms(r), LOG_LEVEL_WARN, "source",
            "%s/%s: %s is no frame counter; expected a whole number; the message is ignored", r->name,
            d->settings->name, d->settings->frame);
        return false;
    }
    enum frame_verdict verdict = frame_judge(&d->newest, &mark);
    if (verdict == FRAME_SEEN)
        return false;
    if (verdict == FRAME_ANEW)
        complain(&d->rejoined, mono_ms(r), LOG_LEVEL_WARN, "source",
            "%s/%s: its frame counter went back from %lld to %lld: it joined the network again or was reset; "
            "it counts "
            "from there",
            r->name, d->settings->name, (long long)d->newest.frame, (long long)mark.frame);
    d->newest = mark;
    return true;
}

static void complain_of_value(
    struct json_taker *r, struct device_run *d, const struct json_place *place, const struct error *err)
{
    complain(&d->bad[place->value], mono_ms(r), LOG_LEVEL_WARN, "source",
        "%s/%s: point %s: %s%s%s; it is left out", r->name, d->settings->name,
        value_at(d, place->value)->point, place->path, place->path[0] != '\0' ? ": " : "", err->text);
}

static bool pick_one(struct json_taker *r, struct device_run *d, const struct json_place *place,
    json_t *message, const struct json_message *incoming, struct found *ret)
{
    const struct pick_meaning *meaning = &value_at(d, place->value)->meaning;
    struct error err;
    enum status status;
    ret->value = place->value;
    if (place->path[0] == '\0' && strlen(incoming->payload.at) != incoming->payload.len) {
        status = error_set(&err, ST_INVALID, "the message is no text");
    } else if (place->path[0] == '\0') {
        status = pick_text(incoming->payload.at, meaning, &ret->is, &err);
    } else {
        json_t *value = message != NULL ? pick_find(message, place->path) : NULL;
        if (value == NULL)
            return false;
        status = pick_value(value, meaning, &ret->is, &err);
    }
    if (status != ST_OK)
        complain_of_value(r, d, place, &err);
    else
        complaint_clear(&d->bad[place->value], mono_ms(r), "source", "%s/%s: point %s can be read again",
            r->name, d->settings->name, value_at(d, place->value)->point);
    return status == ST_OK;
}

static void send(
    struct json_taker *r, struct device_run *d, const struct found *found, size_t count, int64_t time_ms)
{
    char note[FRAME_TEXT_SIZE];
    frame_format(&d->newest, note);
    for (size_t i = 0; i < count; i++) {
        struct feed_circumstance circumstance = {.time_ms = time_ms};
        /* With the last of them: what is committed without it comes again, the same. */
        if (i + 1 == count && d->note_key != NULL) {
            circumstance.note_key = d->note_key;
            circumstance.note = note;
        }
        struct error err;
        if (feed_take(&r->feed, d->first + found[i].value, &found[i].is, &circumstance, NULL, &err) ==
            ST_INVALID)
            complain(&d->bad[found[i].value], mono_ms(r), LOG_LEVEL_WARN, "source",
                "%s/%s: point %s: %s; it is left out", r->name, d->settings->name,
                value_at(d, found[i].value)->point, err.text);
    }
}

/* A message that waited somewhere says that the device lived then. */
static void hear(struct json_taker *r, struct device_run *d, int64_t time_ms)
{
    int64_t age_ms = time_ms != 0 ? r->context.clock->wall_ms() - time_ms : 0;
    if (age_ms < 0)
        age_ms = 0;
    for (size_t i = 0; i < d->settings->values.count; i++)
        feed_hear(&r->feed, d->first + i, age_ms);
    silence_hear(&d->silence, mono_ms(r), age_ms, r->name, d->settings->name);
}

static void take_for(
    struct json_taker *r, struct device_run *d, json_t *message, const struct json_message *incoming)
{
    int64_t time_ms = time_of(r, d, message);
    /* Kept by the broker from some time that nothing tells. */
    if (incoming->is_retained && time_ms == 0)
        return;
    if (d->note_key != NULL && !is_new(r, d, message, time_ms))
        return;
    hear(r, d, time_ms);
    struct found found[JSON_VALUES_MAX + 8];
    size_t count = 0;
    for (size_t i = 0; i < d->settings->place_count; i++) {
        const struct json_place *place = &d->settings->places[i];
        if (topic_matches(place->topic, span_of(incoming->topic)) &&
            pick_one(r, d, place, message, incoming, &found[count]))
            count++;
    }
    send(r, d, found, count, time_ms);
}

/* How the device's places with this topic read it. */
static void look_at_topic(
    const struct json_device *d, const char *topic, bool *ret_matches, bool *ret_is_json)
{
    *ret_matches = *ret_is_json = false;
    for (size_t i = 0; i < d->place_count; i++)
        if (topic_matches(d->places[i].topic, span_of(topic))) {
            *ret_matches = true;
            *ret_is_json = *ret_is_json || d->places[i].path[0] != '\0';
        }
}

void json_taker_take(struct json_taker *r, const struct json_message *incoming)
{
    struct error err;
    json_t *message = NULL;
    bool is_read = false;
    for (size_t i = 0; i < r->settings->devices.count; i++) {
        struct device_run *d = &r->devices[i];
        bool matches, is_json;
        look_at_topic(d->settings, incoming->topic, &matches, &is_json);
        if (!matches)
            continue;
        if (is_json && !is_read) {
            message = json_read_exact(incoming->payload, &err);
            is_read = true;
        }
        if (is_json && message == NULL)
            complain(&d->unreadable, mono_ms(r), LOG_LEVEL_WARN, "source",
                "%s/%s: a message on %s: %s; it is ignored", r->name, d->settings->name, incoming->topic,
                err.text);
        else
            take_for(r, d, message, incoming);
    }
    json_decref(message);
}

/* ---- silence ---- */

static int64_t watch_silence(struct json_taker *r)
{
    int64_t now = mono_ms(r);
    if (now < r->silence_due_mono_ms)
        return r->silence_due_mono_ms;
    r->silence_due_mono_ms = INT64_MAX;
    for (size_t i = 0; i < r->settings->devices.count; i++) {
        struct device_run *d = &r->devices[i];
        int64_t due = silence_watch(&d->silence, now, r->name, d->settings->name);
        if (due < r->silence_due_mono_ms)
            r->silence_due_mono_ms = due;
    }
    /* Who is heard again while nothing else is due is looked at in a while. */
    if (r->silence_due_mono_ms > now + FEED_STATE_REPEAT_MS)
        r->silence_due_mono_ms = now + FEED_STATE_REPEAT_MS;
    return r->silence_due_mono_ms;
}

int64_t json_taker_tick(struct json_taker *r)
{
    int64_t silence = watch_silence(r), repeat = feed_repeat(&r->feed);
    return silence < repeat ? silence : repeat;
}

/* ---- life ---- */

static void on_note(void *user_data, struct span key, struct span note)
{
    struct json_taker *r = user_data;
    for (size_t i = 0; i < r->settings->devices.count; i++)
        if (r->devices[i].note_key != NULL && span_is(key, r->devices[i].note_key))
            r->devices[i].newest.is_known = frame_parse(note, &r->devices[i].newest);
}

static void make_device(
    struct json_taker *r, struct device_run *d, const struct json_device *settings, size_t *first)
{
    d->settings = settings;
    d->first = *first;
    d->bad = mem_zalloc(settings->values.count * sizeof *d->bad);
    d->silence = (struct silence){.alive_ms = settings->alive_ms, .heard_mono_ms = mono_ms(r)};
    if (settings->frame != NULL)
        d->note_key = mem_printf(NOTE_PREFIX "%s/%s", r->name, settings->name);
    CONF_EACH (const struct json_value, value, settings->values)
        r->points[(*first)++] = (struct feed_point){.name = value->point,
            .kind = (enum reading_kind)value->kind,
            .repeat_ms = json_repeat_ms(settings, value),
            .alive_ms = settings->alive_ms};
}

void json_taker_init(struct json_taker *r, const char *name, const struct json_settings *settings,
    const struct source_context *context)
{
    *r = (struct json_taker){.name = name, .settings = settings, .context = *context};
    size_t count = 0, first = 0, i = 0;
    CONF_EACH (const struct json_device, device, settings->devices)
        count += device->values.count;
    r->points = mem_zalloc(count * sizeof *r->points);
    r->devices = mem_zalloc(settings->devices.count * sizeof *r->devices);
    CONF_EACH (const struct json_device, device, settings->devices)
        make_device(r, &r->devices[i++], device, &first);
    feed_init(&r->feed, &r->context, name, r->points, count);
}

void json_taker_release(struct json_taker *r)
{
    feed_release(&r->feed);
    for (size_t i = 0; i < r->settings->devices.count; i++) {
        free(r->devices[i].bad);
        free(r->devices[i].note_key);
    }
    free(r->devices);
    free(r->points);
}

enum status json_taker_remember(struct json_taker *r, struct error *err)
{
    return deliver_notes(r->context.deliver, NOTE_PREFIX, r, on_note, err);
}

bool json_taker_has_all(const struct json_taker *r)
{
    for (size_t i = 0; i < r->feed.count; i++)
        if (!r->points[i].is_known)
            return false;
    return true;
}
