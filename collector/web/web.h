/*
 * The HTTP listener (libmicrohttpd): pages, API, health, metrics. Reads the published snapshot and, for
 * lists, the database through a reader connection; what is written, the core writes (decide). Who is let through: guard.h.
 */
#pragma once

#include "collector/alarming.h"
#include "collector/calendars/calendar_desk.h"
#include "collector/close_month.h"
#include "collector/counting.h"
#include "collector/deciding.h"
#include "collector/instrument/board.h"
#include "collector/live/snapshot.h"
#include "collector/model/model_box.h"
#include "collector/outaging.h"
#include "collector/store/store.h"
#include "collector/telling.h"
#include "collector/web/guard.h"
#include "lib/clock.h"
#include "lib/status.h"

#include <stdio.h>

struct web;

struct web_options {
    const char *address;
    int port;                  /* 0 = a free one, see web_port */
    enum web_access access;    /* loopback: then `address` must be one, and reading needs no token */
    const char *name;          /* by which browsers reach it beside the address; NULL = none */
    bool is_https;             /* through a proxy that speaks https: cookies go no other way */
    const char *assets;        /* folder of the pages' files */
    const char *database_path; /* of the collector */
    struct snapshot_box *box;
    struct board_box *board;   /* NULL = instruments are not watched */
    const struct clock *clock; /* NULL = the machine's */
    const struct park *park;
    struct model_box *models; /* the park is that of the model in use; NULL = it is `park` */
    int request_ms;           /* within which a request must be whole; 0 = half a minute */
    /* Borrowed; for readiness and metrics. NULL = there is none. */
    struct store *store;
    /* Monotonic ms of the core thread's last turn; any thread. */
    int64_t (*core_heartbeat_mono_ms)(void *user_data);
    /* Has the core decide (collector/asking.h, asking_ask). NULL = there is none. */
    enum status (*decide)(
        void *user_data, const struct deciding *request, struct deciding_effect *ret, struct error *err);
    /* Has it close a month; the same. */
    enum status (*close_month)(void *user_data, const struct close_month *request,
        struct close_month_result *ret, struct error *err);
    /* Has it take what a person says of a calendar; the same. */
    enum status (*confirm_calendar)(
        void *user_data, const struct calendar_confirming *request, struct error *err);
    /* Has it take how many people somebody counted; the same. */
    enum status (*count_people)(void *user_data, const struct person_count *request, struct error *err);
    /* Has it open, change or end an outage; the same. */
    enum status (*outage)(
        void *user_data, const struct outaging *request, struct outaging_result *ret, struct error *err);
    /* Has it note that a resource is up again; the same. */
    enum status (*tell_resource)(void *user_data, const struct telling_resource *request,
        struct told_resource *ret, struct error *err);
    /* Has it take an event of a session; the same. */
    enum status (*tell)(
        void *user_data, const struct telling *request, struct telling_result *ret, struct error *err);
    /* Has it note that a person has taken note of an alarm; the same. */
    enum status (*ack_alarm)(
        void *user_data, const struct alarming *request, struct alarm *ret, struct error *err);
    void *user_data;
};

/* Reads the assets, listens, and listens to the box. What `options` points to is borrowed, but for its
 * strings. ST_UNREACHABLE names address and port (in use, not local, not loopback where it must be); ST_INVALID: the assets
 * cannot be read. */
enum status web_start(const struct web_options *options, struct web **ret, struct error *err);
int web_port(const struct web *w);
void web_stop(struct web *w); /* ends streams, returns when its threads are gone; accepts NULL */

/* The table of routes and roles, in Markdown; CONTRIBUTING.md holds it. */
void web_print_routes(FILE *out);
