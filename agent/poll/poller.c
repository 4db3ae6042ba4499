#include "agent/poll/poller.h"

#include "agent/poll/schedule.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/thread.h"

#include <stdlib.h>
#include <string.h>

#define STATE_REPEAT_MS 300000 /* a state is sent on change, at start, and at least this often */
#define REPEAT_SLACK_MS 1000   /* a poll may come a little late */
#define CALM_MS \
    600000 /* so long all polls must be on time before lateness is over: longer than any back-off */

#define AGE_MAX_MS 60000 /* an answer this old is none: the clock was set meanwhile */

struct polled_point {
    const struct point_settings *settings;
    struct complaint failed;
    char *text; /* state: last sent */
    int64_t sent_mono_ms;
};

struct polled_device {
    const struct device_settings *settings;
    void *state; /* the driver's */
    struct schedule schedule;
    struct polled_point *points;
    uint32_t first_point;
    struct complaint silent;
};

struct poller {
    const struct bus_settings *bus;
    const struct driver *driver;
    const struct clock *clock;
    struct deliver *deliver;
    void *state; /* the driver's, of the bus */
    bool is_open;
    struct polled_device *devices;
    struct complaint down, refused, late;
    int64_t late_at_mono_ms;
    struct buf line; /* scratch */
    pthread_t thread;
    bool is_started;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool is_stopping;
};

/* What the sink needs while a device is polled. */
struct turn {
    struct poller *poller;
    struct polled_device *device;
    bool was_synchronised; /* before it */
};

static void take_failure(void *context, size_t index, const struct error *why)
{
    struct turn *turn = context;
    struct poller *p = turn->poller;
    struct polled_point *point = &turn->device->points[index];
    complain(&point->failed, p->clock->mono_ms(), LOG_LEVEL_WARN, "poller",
        "%s/%s: point %s: %s; tried at every poll", p->bus->name, turn->device->settings->name,
        point->settings->point, why->text);
}

static void clear_failure(const struct turn *turn, struct polled_point *point, int64_t now_mono_ms)
{
    complaint_clear(&point->failed, now_mono_ms, "poller", "%s/%s: point %s can be read again",
        turn->poller->bus->name, turn->device->settings->name, point->settings->point);
}

/* Would the next poll be too late? */
static bool is_repeat_due(const struct polled_point *point, int64_t every_ms, int64_t now_mono_ms)
{
    return now_mono_ms + every_ms + REPEAT_SLACK_MS > point->sent_mono_ms + STATE_REPEAT_MS;
}

/* What the contract forbids must not get into the spool, from which nothing is ever removed unsent. */
static enum status check_reading(
    struct poller *p, const struct polled_point *point, const struct spool_reading *r, struct error *err)
{
    struct reading reading = {.kind = r->kind,
        .quality = r->quality,
        .point = span_of(point->settings->point),
        .time_ms = r->time_ms,
        .count = r->count,
        .value = r->value,
        .text = span_of(r->text != NULL ? r->text : "")};
    buf_reset(&p->line);
    return batch_write_reading(&p->line, &reading, err);
}

static void take_reading(void *context, size_t index, const union driver_value *value, int64_t time_ms)
{
    struct turn *turn = context;
    struct poller *p = turn->poller;
    struct polled_device *device = turn->device;
    struct polled_point *point = &device->points[index];
    int64_t now = p->clock->mono_ms();
    struct spool_reading reading = {.point = device->first_point + (uint32_t)index,
        .kind = (enum reading_kind)point->settings->kind,
        /* Set right during the poll, the clock may have dated this before. */
        .quality = turn->was_synchronised && p->clock->is_synchronised() ? QUALITY_GOOD : QUALITY_CLOCK,
        .time_ms = time_ms};
    if (reading.quality == QUALITY_CLOCK) {
        /* When it was, on the clock that nobody sets: it may be dated before it goes out. */
        int64_t age_ms = p->clock->wall_ms() - time_ms;
        reading.has_mono = true;
        reading.mono_ms = now - (age_ms > 0 && age_ms < AGE_MAX_MS ? age_ms : 0);
    }
    bool is_urgent = false;
    char *text = NULL;
    if (reading.kind == READING_REGISTER) {
        reading.count = value->count;
    } else if (reading.kind == READING_GAUGE) {
        reading.value = value->number;
    } else {
        is_urgent = point->text == NULL || strcmp(point->text, value->text) != 0;
        if (!is_urgent && !is_repeat_due(point, device->settings->every_ms, now)) {
            clear_failure(turn, point, now);
            return;
        }
        reading.text = text = mem_strdup(value->text);
    }
    struct error why;
    if (check_reading(p, point, &reading, &why) != ST_OK) {
        take_failure(context, index, &why);
    } else if (!deliver_put(p->deliver, &reading, is_urgent)) {
        complain(&p->refused, now, LOG_LEVEL_ERROR, "poller",
            "%s: readings are refused: the queue to the spool is full", p->bus->name);
    } else {
        clear_failure(turn, point, now);
        complaint_clear(&p->refused, now, "poller", "%s: readings are taken again", p->bus->name);
        if (text != NULL) {
            free(point->text);
            point->text = text;
            point->sent_mono_ms = now;
            text = NULL;
        }
    }
    free(text);
}

static void close_bus(struct poller *p)
{
    p->driver->close(p->state);
    p->is_open = false;
}

/* False when the bus cannot be opened: that is said once for all of its devices. */
static bool open_bus(struct poller *p, struct error *err)
{
    if (p->is_open)
        return true;
    p->is_open = p->driver->open(p->state, p->bus, err) == ST_OK;
    int64_t now = p->clock->mono_ms();
    if (!p->is_open) {
        close_bus(p);
        complain(&p->down, now, LOG_LEVEL_WARN, "poller",
            "%s: %s; none of its %zu devices can be polled, tried again with growing intervals", p->bus->name,
            err->text, p->bus->devices.count);
    } else if (p->down.is_open) {
        complaint_clear(&p->down, now, "poller", "%s: open again", p->bus->name);
        for (size_t i = 0; i < p->bus->devices.count; i++)
            schedule_forgive(&p->devices[i].schedule, now);
    }
    return p->is_open;
}

static void watch_lateness(struct poller *p, const struct polled_device *device, int64_t missed, int64_t now)
{
    if (missed > 0) {
        p->late_at_mono_ms = now;
        complain(&p->late, now, LOG_LEVEL_WARN, "poller",
            "%s: polls are left out (%lld of %s): its devices take longer than `every` allows", p->bus->name,
            (long long)missed, device->settings->name);
    } else if (now - p->late_at_mono_ms >= CALM_MS) {
        complaint_clear(&p->late, now, "poller", "%s: all polls are on time again", p->bus->name);
    }
}

static void poll_device(struct poller *p, struct polled_device *device)
{
    struct turn turn = {p, device, p->clock->is_synchronised()};
    struct driver_sink sink = {&turn, p->clock, take_reading, take_failure};
    struct error err;
    bool is_open = open_bus(p, &err);
    enum status status =
        is_open ? p->driver->poll(p->state, device->state, device->settings, &sink, &err) : ST_UNREACHABLE;
    if (is_open && status == ST_UNREACHABLE)
        close_bus(p);
    int64_t now = p->clock->mono_ms();
    int64_t missed = schedule_next(&device->schedule, now, p->clock->wall_ms(), status == ST_OK);
    if (!is_open)
        return;
    if (status != ST_OK)
        complain(&device->silent, now, LOG_LEVEL_WARN, "poller", "%s/%s: %s; next try in %lld s",
            p->bus->name, device->settings->name, err.text,
            (long long)(device->schedule.due_mono_ms - now + 500) / 1000);
    else
        complaint_clear(
            &device->silent, now, "poller", "%s/%s: answers again", p->bus->name, device->settings->name);
    /* What a device without answers misses is its own affair, and said. */
    if (status == ST_OK)
        watch_lateness(p, device, missed, now);
}

static struct polled_device *earliest(struct poller *p)
{
    struct polled_device *best = &p->devices[0];
    for (size_t i = 1; i < p->bus->devices.count; i++)
        if (p->devices[i].schedule.due_mono_ms < best->schedule.due_mono_ms)
            best = &p->devices[i];
    return best;
}

static void *run(void *argument)
{
    struct poller *p = argument;
    pthread_mutex_lock(&p->lock);
    while (!p->is_stopping) {
        struct polled_device *device = earliest(p);
        if (p->clock->mono_ms() < device->schedule.due_mono_ms) {
            p->clock->wait_until(&p->wake, &p->lock, device->schedule.due_mono_ms);
            continue;
        }
        pthread_mutex_unlock(&p->lock);
        poll_device(p, device);
        pthread_mutex_lock(&p->lock);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

struct poller *poller_create(
    const struct bus_settings *bus, uint32_t first_point, const struct clock *clock, struct deliver *deliver)
{
    struct poller *p = mem_zalloc(sizeof *p);
    p->bus = bus;
    p->driver = bus->driver;
    p->clock = clock;
    p->deliver = deliver;
    p->state = mem_zalloc(p->driver->bus_size);
    p->devices = mem_zalloc(bus->devices.count * sizeof *p->devices);
    struct polled_device *next = p->devices;
    CONF_EACH (struct device_settings, device, bus->devices) {
        next->settings = device;
        next->state = mem_zalloc(p->driver->device_size);
        p->driver->plan(next->state, device);
        schedule_init(&next->schedule, device->every_ms, clock->mono_ms());
        next->first_point = first_point;
        next->points = mem_zalloc(device->points.count * sizeof *next->points);
        for (size_t i = 0; i < device->points.count; i++)
            next->points[i].settings = (const struct point_settings *)device->points.items + i;
        first_point += (uint32_t)device->points.count;
        next++;
    }
    pthread_mutex_init(&p->lock, NULL);
    thread_cond_init(&p->wake);
    return p;
}

void poller_start(struct poller *p)
{
    p->is_started = true;
    thread_start(&p->thread, run, p);
}

void poller_stop(struct poller *p)
{
    pthread_mutex_lock(&p->lock);
    p->is_stopping = true;
    pthread_cond_signal(&p->wake);
    pthread_mutex_unlock(&p->lock);
}

void poller_destroy(struct poller *p)
{
    if (p == NULL)
        return;
    if (p->is_started) {
        poller_stop(p);
        pthread_join(p->thread, NULL);
    }
    p->driver->close(p->state);
    for (size_t i = 0; i < p->bus->devices.count; i++) {
        struct polled_device *device = &p->devices[i];
        p->driver->release(device->state);
        for (size_t k = 0; k < device->settings->points.count; k++)
            free(device->points[k].text);
        free(device->state);
        free(device->points);
    }
    buf_release(&p->line);
    free(p->devices);
    free(p->state);
    pthread_cond_destroy(&p->wake);
    pthread_mutex_destroy(&p->lock);
    free(p);
}
