#include "collector/couriers/courier.h"

#include "collector/couriers/attempt.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/thread.h"

#include <stdlib.h>
#include <string.h>

struct courier {
    struct courier *next; /* of those that are no longer in use */
    struct couriers *of;
    char *id, *told; /* told: all that says which way messages go */
    struct attempt attempt;
    pthread_t thread;

    /* Core thread */
    struct complaint complaint;
    int failures;
    int64_t ready_mono_ms; /* not before */

    pthread_mutex_t lock; /* around: */
    pthread_cond_t changed;
    bool is_stopping, is_over, is_busy, has_result;
    struct courier_parcel parcel; /* while it is busy */
    enum status outcome;
    struct error problem;
    int64_t retry_after_s;
};

struct couriers {
    const struct clock *clock;
    void (*on_result)(void *user_data);
    void *user_data;
    struct courier **items;
    size_t count;
    struct courier *ending;
};

void courier_parcel_release(struct courier_parcel *p)
{
    free(p->body);
    *p = (struct courier_parcel){0};
}

static void *run(void *argument)
{
    struct courier *c = argument;
    pthread_mutex_lock(&c->lock);
    while (!c->is_stopping) {
        if (!c->is_busy || c->has_result) {
            thread_wait_until(&c->changed, &c->lock, INT64_MAX);
            continue;
        }
        pthread_mutex_unlock(&c->lock);
        int64_t retry_s = 0;
        struct error problem = {""};
        enum status outcome =
            attempt_run(&c->attempt, c->parcel.body, c->of->clock->wall_ms(), &retry_s, &problem);
        pthread_mutex_lock(&c->lock);
        c->outcome = outcome;
        c->problem = problem;
        c->retry_after_s = retry_s;
        c->has_result = true;
        pthread_mutex_unlock(&c->lock);
        c->of->on_result(c->of->user_data);
        pthread_mutex_lock(&c->lock);
    }
    c->is_over = true;
    pthread_mutex_unlock(&c->lock);
    return NULL;
}

/* ---- one ---- */

static const char *or_none(const char *text)
{
    return text != NULL ? text : "";
}

static char *tell(const struct alarm_receiver *r)
{
    struct buf told = {0};
    buf_printf(&told, "%s\n%d\n%s\n%s\n%s\n%s\n%s\n%lld\n%s", r->id, r->kind, or_none(r->url),
        or_none(r->url_file), or_none(r->secret_file), or_none(r->ca_file), r->sendmail,
        (long long)r->timeout_ms, or_none(r->from));
    for (size_t i = 0; i < r->to.count; i++)
        buf_printf(&told, "\n%s", ((char *const *)r->to.items)[i]);
    return buf_take(&told);
}

static struct courier *begin(struct couriers *of, const struct alarm_receiver *r)
{
    struct courier *c = mem_zalloc(sizeof *c);
    *c = (struct courier){.of = of, .id = mem_strdup(r->id), .told = tell(r)};
    attempt_init(&c->attempt, r);
    pthread_mutex_init(&c->lock, NULL);
    thread_cond_init(&c->changed);
    thread_start(&c->thread, run, c);
    return c;
}

static void cancel(struct courier *c)
{
    if (!attempt_cancel(&c->attempt))
        log_warn("alarms", "receiver %s: cannot be told to end; it ends in its time", c->id);
    pthread_mutex_lock(&c->lock);
    c->is_stopping = true;
    pthread_cond_broadcast(&c->changed);
    pthread_mutex_unlock(&c->lock);
}

/* Waits for its thread. */
static void end(struct courier *c)
{
    pthread_join(c->thread, NULL);
    courier_parcel_release(&c->parcel);
    pthread_cond_destroy(&c->changed);
    pthread_mutex_destroy(&c->lock);
    attempt_release(&c->attempt);
    free(c->id);
    free(c->told);
    free(c);
}

/* ---- all of them; core thread ---- */

struct couriers *couriers_create(
    const struct clock *clock, void (*on_result)(void *user_data), void *user_data)
{
    struct couriers *c = mem_zalloc(sizeof *c);
    *c = (struct couriers){.clock = clock, .on_result = on_result, .user_data = user_data};
    return c;
}

static void end_those_that_are_over(struct couriers *c)
{
    for (struct courier **link = &c->ending; *link != NULL;) {
        struct courier *one = *link;
        pthread_mutex_lock(&one->lock);
        bool is_over = one->is_over;
        pthread_mutex_unlock(&one->lock);
        if (!is_over) {
            link = &one->next;
            continue;
        }
        *link = one->next;
        end(one);
    }
}

/* Takes the one that is told the same out of those that were in use. */
static struct courier *take_over(struct courier **before, size_t count, const struct alarm_receiver *r)
{
    char *told = tell(r);
    struct courier *found = NULL;
    for (size_t i = 0; i < count && found == NULL; i++)
        if (before[i] != NULL && strcmp(before[i]->told, told) == 0) {
            found = before[i];
            before[i] = NULL;
        }
    free(told);
    return found;
}

void couriers_use(struct couriers *c, const struct alarm_rules *rules)
{
    struct courier **before = c->items;
    size_t count = c->count;
    c->count = 0;
    c->items = mem_zalloc(((rules != NULL ? rules->receivers.count : 0) + 1) * sizeof(struct courier *));
    if (rules != NULL)
        CONF_EACH (const struct alarm_receiver, r, rules->receivers) {
            struct courier *same = take_over(before, count, r);
            c->items[c->count++] = same != NULL ? same : begin(c, r);
        }
    for (size_t i = 0; i < count; i++) {
        if (before[i] == NULL)
            continue;
        cancel(before[i]);
        before[i]->next = c->ending;
        c->ending = before[i];
    }
    free(before);
}

void couriers_destroy(struct couriers *c)
{
    if (c == NULL)
        return;
    couriers_use(c, NULL);
    while (c->ending != NULL) {
        struct courier *one = c->ending;
        c->ending = one->next;
        end(one);
    }
    free(c->items);
    free(c);
}

bool couriers_is_ready(struct couriers *c, size_t receiver)
{
    struct courier *one = c->items[receiver];
    if (c->clock->mono_ms() < one->ready_mono_ms)
        return false;
    pthread_mutex_lock(&one->lock);
    bool is_ready = !one->is_busy;
    pthread_mutex_unlock(&one->lock);
    return is_ready;
}

int couriers_failures(const struct couriers *c, size_t receiver)
{
    return c->items[receiver]->failures;
}

void couriers_send(struct couriers *c, size_t receiver, struct courier_parcel *p)
{
    struct courier *one = c->items[receiver];
    pthread_mutex_lock(&one->lock);
    one->parcel = *p;
    one->is_busy = true;
    pthread_cond_broadcast(&one->changed);
    pthread_mutex_unlock(&one->lock);
    *p = (struct courier_parcel){0};
}

static int64_t wait_after(const struct courier *c, bool is_taken, int64_t retry_after_s)
{
    bool is_robot = c->attempt.kind == ALARM_BY_DINGTALK || c->attempt.kind == ALARM_BY_WECOM;
    if (is_taken)
        return is_robot ? COURIER_ROBOT_MS : 0;
    int64_t wait_ms = COURIER_RETRY_MS;
    for (int i = 1; i < c->failures && wait_ms < COURIER_RETRY_MAX_MS; i++)
        wait_ms *= 2;
    if (retry_after_s > 0 && retry_after_s < COURIER_RETRY_MAX_MS / 1000 && wait_ms < retry_after_s * 1000)
        wait_ms = retry_after_s * 1000;
    return wait_ms < COURIER_RETRY_MAX_MS ? wait_ms : COURIER_RETRY_MAX_MS;
}

static void settle(struct couriers *all, struct courier *c, bool is_taken, const struct error *problem,
    int64_t retry_after_s)
{
    int64_t now = all->clock->mono_ms();
    c->failures = is_taken ? 0 : c->failures + 1;
    int64_t wait_ms = wait_after(c, is_taken, retry_after_s);
    c->ready_mono_ms = now + wait_ms;
    if (is_taken)
        complaint_clear(&c->complaint, now, "alarms", "receiver %s takes messages again", c->id);
    else
        complain(&c->complaint, now, LOG_LEVEL_WARN, "alarms",
            "receiver %s did not take a message: %s; next try in %lld s", c->id, problem->text,
            (long long)(wait_ms / 1000));
}

bool couriers_take(struct couriers *c, struct courier_result *ret)
{
    end_those_that_are_over(c);
    for (size_t i = 0; i < c->count; i++) {
        struct courier *one = c->items[i];
        pthread_mutex_lock(&one->lock);
        bool has_result = one->has_result;
        struct courier_parcel parcel = {0};
        enum status outcome = one->outcome;
        struct error problem = one->problem;
        int64_t retry_after_s = one->retry_after_s;
        if (has_result) {
            parcel = one->parcel;
            one->parcel = (struct courier_parcel){0};
            one->has_result = one->is_busy = false;
        }
        pthread_mutex_unlock(&one->lock);
        if (!has_result)
            continue;
        *ret = (struct courier_result){i, parcel.letter, parcel.event,
            outcome == ST_OK        ? ALARM_TAKEN
            : outcome == ST_TIMEOUT ? ALARM_DOUBTFUL
                                    : ALARM_MISSED};
        courier_parcel_release(&parcel);
        settle(c, one, outcome == ST_OK, &problem, retry_after_s);
        return true;
    }
    return false;
}
