/*
 * A source pushes: it is not asked, as a driver is, but told, at any time. So nothing between two polls is lost, and
 * what is lost on the way to the gateway is the next message's to bring. A source has a thread of its own, owns its
 * connections, and gives what it takes to a feed (agent/sources/feed.h), which holds the laws of readings.
 * How to add one: a struct source, a row in sources.c, an example in config/agent.cfg.
 */
#pragma once

#include "agent/drivers/driver.h"
#include "lib/conf.h"

struct deliver;
struct source_settings; /* agent/settings.h */

struct source_point {
    const char *name; /* on the wire */
    enum reading_kind kind;
    int64_t period_ms; /* it tells something at least so often, while it lives */
    const struct conf_where *where;
    const char *key; /* what made its name */
};

/* For `--once`. */
struct source_report {
    void *context;
    void (*reading)(void *context, const char *point, enum reading_kind kind, const union driver_value *value,
        int64_t time_ms);
    void (*failure)(void *context, const char *point, const char *why);
};

struct source_context {
    const char *gateway;
    const struct clock *clock;
    struct deliver *deliver; /* NULL: readings go to `report` */
    const struct source_report *report;
    uint32_t first_point; /* index of the source's first point in the agent's list */
};

struct source {
    const char *name; /* as in `source = "mqtt_json"` */
    /* Its own keys; their struct is at settings->extra. */
    const struct conf_section *section;
    /* Every point, in the order of their indices. */
    void (*each_point)(const struct source_settings *settings, void *context,
        void (*on_point)(void *context, const struct source_point *point));
    /* Problems of files that it will need. */
    void (*check_access)(struct conf *c, const struct source_settings *settings);
    /* Reads secrets and notes, opens what others connect to; connects to nothing yet. Everything in `context` is borrowed. */
    enum status (*create)(const struct source_settings *settings, const struct source_context *context,
        void **ret, struct error *err);
    void (*start)(void *state);
    void (*stop)(void *state);    /* asks to end; never blocks */
    void (*destroy)(void *state); /* joins its thread; accepts NULL */
    /* Waits up to the deadline for a reading of each point and tells context->report; returns how many points failed. */
    int (*once)(const struct source_settings *settings, const struct source_context *context,
        int64_t deadline_mono_ms);
};

extern const struct source source_mqtt_json;
extern const struct source source_session;

/* NULL-terminated table of all sources; source_find returns NULL for an unknown name. */
extern const struct source *const sources[];
const struct source *source_find(const char *name);
