#include "agent/sources/feed.h"

#include "agent/deliver/deliver.h"
#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>

/* A point's newest time may be so far ahead: messages in one millisecond, and clocks of devices that go before ours.
 * Further, our clock was set back. */
#define AHEAD_MAX_MS 60000

void feed_init(struct feed *f, const struct source_context *context, const char *name,
    struct feed_point *points, size_t count)
{
    *f = (struct feed){
        .context = context, .name = name, .points = points, .count = count, .repeat_due_mono_ms = INT64_MAX};
}

static void forget(struct feed_point *p)
{
    if (p->is_known && p->kind == READING_STATE)
        free((char *)p->value.text);
    p->is_known = false;
}

void feed_release(struct feed *f)
{
    for (size_t i = 0; i < f->count; i++)
        forget(&f->points[i]);
    buf_release(&f->line);
}

void feed_hear(struct feed *f, size_t point, int64_t age_ms)
{
    struct feed_point *p = &f->points[point];
    int64_t heard = f->context->clock->mono_ms() - age_ms;
    if (heard > p->heard_mono_ms)
        p->heard_mono_ms = heard;
    if (p->is_known && p->repeat_ms > 0 && p->sent_mono_ms + p->repeat_ms < f->repeat_due_mono_ms)
        f->repeat_due_mono_ms = p->sent_mono_ms + p->repeat_ms;
}

static int64_t time_of(struct feed *f, struct feed_point *p, int64_t time_ms)
{
    if (time_ms == 0)
        time_ms = f->context->clock->wall_ms();
    if (time_ms <= p->last_ms && time_ms > p->last_ms - AHEAD_MAX_MS)
        time_ms = p->last_ms + 1;
    return time_ms;
}

static enum status check(
    struct feed *f, const struct feed_point *p, const struct spool_reading *r, struct error *err)
{
    struct reading reading = {.kind = r->kind,
        .quality = r->quality,
        .point = span_of(p->name),
        .time_ms = r->time_ms,
        .count = r->count,
        .value = r->value,
        .text = span_of(r->text != NULL ? r->text : "")};
    buf_reset(&f->line);
    return batch_write_reading(&f->line, &reading, err);
}

static int64_t put(struct feed *f, const struct spool_reading *reading, bool is_urgent)
{
    struct deliver *d = f->context->deliver;
    if (is_urgent)
        return deliver_put_numbered(d, reading);
    return deliver_put(d, reading, false) ? 1 : 0;
}

static void remember(struct feed *f, struct feed_point *p, const union driver_value *value, int64_t now)
{
    union driver_value copy = *value;
    if (p->kind == READING_STATE)
        copy.text = mem_strdup(value->text);
    forget(p);
    p->value = copy;
    p->is_known = true;
    p->sent_mono_ms = now;
    if (p->repeat_ms > 0 && now + p->repeat_ms < f->repeat_due_mono_ms)
        f->repeat_due_mono_ms = now + p->repeat_ms;
}

static enum status send(struct feed *f, size_t point, const union driver_value *value,
    const struct feed_circumstance *circumstance, bool is_urgent, int64_t *ret_number, struct error *err)
{
    struct feed_point *p = &f->points[point];
    const struct clock *clock = f->context->clock;
    int64_t now = clock->mono_ms();
    struct spool_reading reading = {.point = f->context->first_point + (uint32_t)point,
        .kind = p->kind,
        .quality = clock->is_synchronised() ? QUALITY_GOOD : QUALITY_CLOCK,
        .time_ms = time_of(f, p, circumstance->time_ms),
        .has_mono = circumstance->time_ms == 0,
        .mono_ms = now,
        .note_key = (char *)circumstance->note_key,
        .note = (char *)circumstance->note};
    if (p->kind == READING_REGISTER)
        reading.count = value->count;
    else if (p->kind == READING_GAUGE)
        reading.value = value->number;
    else
        reading.text = (char *)value->text;
    enum status status = check(f, p, &reading, err);
    if (status != ST_OK)
        return status;
    if (f->context->deliver == NULL) {
        f->context->report->reading(f->context->report->context, p->name, p->kind, value, reading.time_ms);
    } else if ((*ret_number = put(f, &reading, is_urgent)) == 0) {
        complain(&f->refused, now, LOG_LEVEL_ERROR, "source",
            "%s: readings are refused: the queue to the spool is full", f->name);
        return error_set(err, ST_FULL, "the queue to the spool is full");
    } else {
        complaint_clear(&f->refused, now, "source", "%s: readings are taken again", f->name);
    }
    p->last_ms = reading.time_ms;
    remember(f, p, value, now);
    return ST_OK;
}

enum status feed_take(struct feed *f, size_t point, const union driver_value *value,
    const struct feed_circumstance *circumstance, int64_t *ret_number, struct error *err)
{
    struct feed_point *p = &f->points[point];
    int64_t number = 0;
    bool is_state = p->kind == READING_STATE;
    enum status status = ST_OK;
    if (!is_state || !p->is_known || strcmp(p->value.text, value->text) != 0)
        status = send(f, point, value, circumstance, is_state, &number, err);
    if (ret_number != NULL)
        *ret_number = number;
    return status;
}

int64_t feed_repeat(struct feed *f)
{
    int64_t now = f->context->clock->mono_ms();
    if (now < f->repeat_due_mono_ms)
        return f->repeat_due_mono_ms;
    f->repeat_due_mono_ms = INT64_MAX;
    for (size_t i = 0; i < f->count; i++) {
        struct feed_point *p = &f->points[i];
        bool is_alive = p->alive_ms == INT64_MAX || now - p->heard_mono_ms <= p->alive_ms;
        if (!p->is_known || p->repeat_ms == 0 || !is_alive)
            continue;
        if (now >= p->sent_mono_ms + p->repeat_ms) {
            const struct feed_circumstance now_again = {0};
            union driver_value value = p->value;
            int64_t number;
            struct error err;
            if (p->kind == READING_STATE)
                value.text = mem_strdup(p->value.text);
            /* Not taken: it is due again in a period, and the complaint is made. */
            if (send(f, i, &value, &now_again, false, &number, &err) != ST_OK)
                p->sent_mono_ms = now;
            if (p->kind == READING_STATE)
                free((char *)value.text);
        }
        if (p->sent_mono_ms + p->repeat_ms < f->repeat_due_mono_ms)
            f->repeat_due_mono_ms = p->sent_mono_ms + p->repeat_ms;
    }
    return f->repeat_due_mono_ms;
}
