/* In the place of collector/couriers/courier.c: receivers that take each message at once, and say so at the next look. */
#pragma once

#include "collector/couriers/courier.h"

#define FAKE_COURIERS_MAX 4
#define FAKE_SENT_MAX 256

struct couriers {
    struct courier_result under_way[FAKE_COURIERS_MAX];
    bool has_one[FAKE_COURIERS_MAX];
    struct fake_sent {
        int64_t alarm, number, mono_ms;
        enum alarm_event event;
        size_t receiver;
    } sent[FAKE_SENT_MAX];
    size_t count;
    const struct clock *clock;
};

static struct couriers fake_couriers;

struct couriers *couriers_create(
    const struct clock *clock, void (*on_result)(void *user_data), void *user_data)
{
    (void)on_result;
    (void)user_data;
    fake_couriers = (struct couriers){.clock = clock};
    return &fake_couriers;
}

void couriers_use(struct couriers *c, const struct alarm_rules *rules)
{
    assert_true(c != NULL && (rules == NULL || rules->receivers.count <= FAKE_COURIERS_MAX));
}

void couriers_destroy(struct couriers *c)
{
    (void)c;
}

void courier_parcel_release(struct courier_parcel *p)
{
    free(p->body);
    *p = (struct courier_parcel){0};
}

bool couriers_is_ready(struct couriers *c, size_t receiver)
{
    return !c->has_one[receiver];
}

void couriers_send(struct couriers *c, size_t receiver, struct courier_parcel *p)
{
    assert_true(!c->has_one[receiver] && c->count < FAKE_SENT_MAX);
    c->has_one[receiver] = true;
    c->under_way[receiver] = (struct courier_result){receiver, p->letter, p->event, .outcome = ALARM_TAKEN};
    c->sent[c->count++] =
        (struct fake_sent){p->letter.alarm, p->letter.number, c->clock->mono_ms(), p->event, receiver};
    courier_parcel_release(p);
}

int couriers_failures(const struct couriers *c, size_t receiver)
{
    (void)c;
    (void)receiver;
    return 0;
}

bool couriers_take(struct couriers *c, struct courier_result *ret)
{
    for (size_t i = 0; i < FAKE_COURIERS_MAX; i++)
        if (c->has_one[i]) {
            *ret = c->under_way[i];
            c->has_one[i] = false;
            return true;
        }
    return false;
}
