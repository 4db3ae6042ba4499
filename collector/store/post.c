#include "collector/store/post.h"

#include "lib/clock.h"

#include <string.h>

bool poster_prepare(struct poster *p)
{
    while (!p->is_prepared) {
        struct answer answer = influx_prepare(p->influx);
        if (answer.action == ANSWER_ACCEPTED) {
            p->is_prepared = true;
            return true;
        }
        enum store_health health =
            answer.action == ANSWER_CONFIGURATION ? STORE_CONFIGURATION : STORE_UNAVAILABLE;
        if (!p->pause(p->user_data, health, answer.retry_after_ms, answer.text))
            return false;
    }
    return true;
}

#define CLEARED_AT_ONCE 100

/* `count` of one measurement, tag and time. */
static bool clear(struct poster *p, const struct body_clearing *c, size_t count)
{
    const char *values[CLEARED_AT_ONCE];
    for (size_t i = 0; i < count; i++)
        values[i] = c[i].value;
    for (;;) {
        struct answer answer =
            influx_delete_tagged(p->influx, c->measurement, c->tag, values, count, c->from_ms, c->to_ms);
        if (answer.action == ANSWER_ACCEPTED || answer.action == ANSWER_MISSING)
            return true;
        if (answer.action != ANSWER_BACK_OFF) {
            complain(&p->uncleared, clock_system.mono_ms(), LOG_LEVEL_WARN, "store",
                "%s of %s cannot be deleted before it is written anew: %s; fields that it has no more stay "
                "there",
                c->measurement, c->value, answer.text);
            return true;
        }
        if (!p->pause(p->user_data, STORE_UNAVAILABLE, answer.retry_after_ms, answer.text))
            return false;
    }
}

static bool is_alike(const struct body_clearing *a, const struct body_clearing *b)
{
    return a->from_ms == b->from_ms && a->to_ms == b->to_ms && strcmp(a->tag, b->tag) == 0 &&
           strcmp(a->measurement, b->measurement) == 0;
}

bool poster_clear(struct poster *p, const struct body *body)
{
    const struct body_clearing *all = body->clearings;
    for (size_t from = 0, to; from < body->clearing_count; from = to) {
        to = from + 1;
        while (to < body->clearing_count && to - from < CLEARED_AT_ONCE && is_alike(&all[from], &all[to]))
            to++;
        if (!clear(p, &all[from], to - from))
            return false;
    }
    return true;
}

/* Lines from..to of the body. */
struct part {
    const char *policy;
    struct body *body;
    size_t from, to;
};

static bool deliver(struct poster *p, struct part part, struct tally *tally);

static bool deliver_halves(struct poster *p, struct part part, struct tally *tally)
{
    struct part first = part, second = part;
    first.to = second.from = part.from + (part.to - part.from) / 2;
    return deliver(p, first, tally) && deliver(p, second, tally);
}

static void reject(struct body *body, size_t line, const char *reason)
{
    const struct body_line *origin = &body->lines[line];
    struct span content = body_lines(body, line, line + 1);
    content.len--; /* its line end */
    reject_list_add(&body->rejects, origin->journal, origin->line, reason, content);
    body->rejects.items[body->rejects.count - 1].outbox = origin->outbox;
}

/* Posts until each line is written or rejected. One bad line among n costs about 2 log2(n) posts; what was
 * written already is written again, which changes nothing. */
static bool deliver(struct poster *p, struct part part, struct tally *tally)
{
    size_t count = part.to - part.from;
    for (;;) {
        if (!poster_prepare(p))
            return false;
        struct answer answer =
            influx_write(p->influx, part.policy, body_lines(part.body, part.from, part.to));
        enum store_health health = STORE_CONFIGURATION;
        switch (answer.action) {
        case ANSWER_ACCEPTED:
            p->succeeded(p->user_data);
            tally->expired += answer.expired;
            tally->accepted += (int64_t)count - answer.expired;
            return true;
        case ANSWER_BISECT:
            if (count > 1)
                return deliver_halves(p, part, tally);
            p->succeeded(p->user_data);
            reject(part.body, part.from, answer.text);
            return true;
        case ANSWER_HALVE:
            if (count > 1) {
                p->lines = count / 2;
                return deliver_halves(p, part, tally);
            }
            break;
        case ANSWER_MISSING: /* nobody is needed unless we may not create it, which prepare tells */
            p->is_prepared = false;
            health = STORE_UNAVAILABLE;
            break;
        case ANSWER_CONFIGURATION:
            break;
        case ANSWER_BACK_OFF:
            health = STORE_UNAVAILABLE;
            break;
        }
        if (!p->pause(p->user_data, health, answer.retry_after_ms, answer.text))
            return false;
    }
}

bool poster_deliver(struct poster *p, const char *policy, struct body *body, struct tally *tally)
{
    for (size_t from = 0; from < body->count;) {
        size_t to = body->count - from > p->lines ? from + p->lines : body->count;
        if (!deliver(p, (struct part){policy, body, from, to}, tally))
            return false;
        from = to;
    }
    return true;
}
