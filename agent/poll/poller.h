/*
 * A thread per bus: polls its devices one after another at absolute deadlines and hands the readings on. Owns
 * everything that drivers must not do: schedule, back-off, logging, what is said about a device that is
 * absent, slow or lies.
 */
#pragma once

#include "agent/deliver/deliver.h"
#include "agent/settings.h"
#include "lib/clock.h"

struct poller;

/* `first_point`: index of the bus's first point in the agent's list of points. Everything is borrowed. */
struct poller *poller_create(
    const struct bus_settings *bus, uint32_t first_point, const struct clock *clock, struct deliver *deliver);
void poller_start(struct poller *p);
/* Asks to end; a request under way is waited for by poller_destroy. */
void poller_stop(struct poller *p);
void poller_destroy(struct poller *p); /* accepts NULL; joins the thread */

/* Polls every device of the bus once, without schedule, for `--once`: calls back for every point. Returns how
 * many points failed. */
struct poll_report {
    void *context;
    void (*reading)(
        void *context, const struct point_settings *point, const union driver_value *value, int64_t time_ms);
    void (*failure)(void *context, const struct point_settings *point, const char *why);
};
int poll_once(const struct bus_settings *bus, const struct clock *clock, const struct poll_report *report);
