/*
 * Who brings messages of alarms to their receivers: a thread for each, so that one that is dead, or hangs, costs nothing to the
 * others, nor to the core, which waits for none of them. Each has one message at a time; which is next is for the core to
 * say, from what is committed.
 */
#pragma once

#include "collector/alarm/message.h"
#include "collector/alarm/results.h"
#include "lib/clock.h"

#define COURIER_RETRY_MS 5000       /* after a failure; then twice as long, and so on */
#define COURIER_RETRY_MAX_MS 600000 /* at most */
#define COURIER_ROBOT_MS 3000       /* between two messages: both makers take 20 a minute of a robot */

struct couriers;

/* Borrows the clock. `on_result`: on a thread of a courier; must only wake the core. */
struct couriers *couriers_create(
    const struct clock *clock, void (*on_result)(void *user_data), void *user_data);
/* From now on the receivers of these rules, of which nothing is kept after the call; NULL = none. One that is as before goes
 * on; those that are no more end by themselves, and nobody waits for them. */
void couriers_use(struct couriers *c, const struct alarm_rules *rules);
/* Ends all threads, and waits for them. Accepts NULL. */
void couriers_destroy(struct couriers *c);

struct courier_parcel {
    struct alarm_letter letter;
    enum alarm_event event;
    char *body; /* owned: alarm_message_body */
};
void courier_parcel_release(struct courier_parcel *p);

/* Is it without a message, and not waiting after a failure? `receiver`: its place in the rules. */
bool couriers_is_ready(struct couriers *c, size_t receiver);
/* To one that is ready; takes what is in `p`. */
void couriers_send(struct couriers *c, size_t receiver, struct courier_parcel *p);

/* Attempts in a row that failed, of this receiver as it is: one that goes elsewhere by other rules has none yet. */
int couriers_failures(const struct couriers *c, size_t receiver);

struct courier_result {
    size_t receiver;
    struct alarm_letter letter;
    enum alarm_event event;
    enum alarm_outcome outcome; /* what was not taken is to be sent again, when it is ready */
};
/* False when nothing is new. What went wrong is logged, here. */
bool couriers_take(struct couriers *c, struct courier_result *ret);
