/* All sources of an agent, while it runs. */
#pragma once

#include "agent/sources/source.h"

struct agent_settings;

struct running_sources {
    struct source_state {
        const struct source *source;
        void *state;
    } * items;
    size_t count;
};

size_t source_count_points(const struct source_settings *settings);

/* Before the deliver thread is started: a source looks into the spool. Its points follow those of the buses. */
enum status running_create(const struct agent_settings *settings, const struct clock *clock,
    struct deliver *deliver, struct running_sources *ret, struct error *err);
void running_start(struct running_sources *running);
void running_stop(struct running_sources *running);    /* asks to end */
void running_destroy(struct running_sources *running); /* joins; a zeroed one is fine */
