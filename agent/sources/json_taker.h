/*
 * From messages of devices to their readings: picks values out, and knows messages that were seen before by frame
 * counter and time (frame.h). What a message does not have is no mistake; what it has and is wrong is one line, and the
 * others of it count. No connection: the source's thread gives the messages.
 */
#pragma once

#include "agent/sources/feed.h"
#include "agent/sources/frame.h"
#include "agent/sources/mqtt_json_settings.h"
#include "agent/sources/silence.h"

struct json_message {
    const char *topic;
    struct span payload; /* followed by a NUL */
    bool is_retained;    /* kept by the broker: since when, only a time in it tells */
};

struct device_run {
    const struct json_device *settings;
    size_t first;          /* index of its first point in the feed */
    struct complaint *bad; /* by value */
    struct complaint unreadable, rejoined;
    struct silence silence;
    struct frame_mark newest;
    char *note_key; /* NULL = no frame counter */
};

struct json_taker {
    const char *name; /* of the source */
    const struct json_settings *settings;
    struct source_context context;
    struct feed feed;
    struct feed_point *points;
    struct device_run *devices;
    int64_t silence_due_mono_ms;
};

/* Name, settings and what the context has are borrowed. */
void json_taker_init(struct json_taker *r, const char *name, const struct json_settings *settings,
    const struct source_context *context);
void json_taker_release(struct json_taker *r);
/* Takes up the frame counters that are noted in the spool. */
enum status json_taker_remember(struct json_taker *r, struct error *err);

void json_taker_take(struct json_taker *r, const struct json_message *incoming);
/* Sends again what is due, and tells who is silent; returns when to call it next. */
int64_t json_taker_tick(struct json_taker *r);
/* Is a value of each point known? */
bool json_taker_has_all(const struct json_taker *r);
