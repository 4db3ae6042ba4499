#include "agent/poll/poller.h"

#include "agent/poll/schedule.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/thread.h"

#include <stdlib.h>
#include <string.h>

#define STATE_REPEAT_MS 300000 /* a state is sent on change, at start, and at least this often */

struct polled_point {
    const struct point_settings *settings;
    struct complaint failed;
    char *text;            /* state: last sent */
    int64_t sent_mono_ms;
};

struct polled_device {
    const struct device_settings *settings;
    void *state;           /* the driver's */
    struct schedule schedule;
    struct polled_point *points;
    uint32_t first_point;
    struct complaint silent, late;
};

struct poller {
    const struct bus_settings *bus;
    const struct driver *driver;
    const struct clock *clock;
    struct deliver *deliver;
    void *state;           /* the driver's, of the bus */
    bool is_open;
    struct polled_device *devices;
    struct complaint refused;
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
};

static void take_reading(void *context, size_t index, const union driver_value *value, int64_t time_ms)
{
    struct turn *turn = context;
    struct poller *p = turn->poller;
    struct polled_device *device = turn->device;
    struct polled_point *point = &device->points[index];
    int64_t now = p->clock->mono_ms();
    complaint_clear(&point->failed, now, "poller", "%s/%s: point %s can be read again", p->bus->name,
        device->settings->name, point->settings->point);
    struct spool_reading reading = {.point = device->first_point + (uint32_t)index,
        .kind = (enum reading_kind)point->settings->kind,
        .quality = p->clock->is_synchronised() ? QUALITY_GOOD : QUALITY_CLOCK,
        .time_ms = time_ms};
    bool is_urgent = false;
    char text[STATE_TEXT_MAX + 1];
    if (reading.kind == READING_REGISTER) {
        reading.count = value->count;
    } else if (reading.kind == READING_GAUGE) {
        reading.value = value->number;
    } else {
        is_urgent = point->text == NULL || strcmp(point->text, value->text) != 0;
        if (!is_urgent && now < point->sent_mono_ms + STATE_REPEAT_MS)
            return;
        strncpy(text, value->text, sizeof text - 1);
        text[sizeof text - 1] = '\0';
        reading.text = text;
    }
    if (!deliver_put(p->deliver, &reading, is_urgent)) {
        complain(&p->refused, now, LOG_LEVEL_ERROR, "poller", "%s: readings are refused: the queue to the spool is full",
            p->bus->name);
        return;
    }
    complaint_clear(&p->refused, now, "poller", "%s: readings are taken again", p->bus->name);
    if (reading.kind == READING_STATE) {
        free(point->text);
        point->text = mem_strdup(text);
        point->sent_mono_ms = now;
    }
}

static void take_failure(void *context, size_t index, const struct error *why)
{
    struct turn *turn = context;
    struct poller *p = turn->poller;
    struct polled_point *point = &turn->device->points[index];
    complain(&point->failed, p->clock->mono_ms(), LOG_LEVEL_WARN, "poller", "%s/%s: point %s: %s; tried at every poll",
        p->bus->name, turn->device->settings->name, point->settings->point, why->text);
}

static enum status open_and_poll(struct poller *p, struct polled_device *device, const struct driver_sink *sink,
    struct error *err)
{
    enum status status = ST_OK;
    if (!p->is_open)
        status = p->driver->open(p->state, p->bus, err);
    if (status == ST_OK) {
        p->is_open = true;
        status = p->driver->poll(p->state, device->state, device->settings, sink, err);
    }
    if (status == ST_UNREACHABLE || !p->is_open) {
        p->driver->close(p->state);
        p->is_open = false;
    }
    return status;
}

static void poll_device(struct poller *p, struct polled_device *device)
{
    struct turn turn = {p, device};
    struct driver_sink sink = {&turn, p->clock, take_reading, take_failure};
    struct error err;
    enum status status = open_and_poll(p, device, &sink, &err);
    int64_t now = p->clock->mono_ms();
    int64_t missed = schedule_next(&device->schedule, now, p->clock->wall_ms(), status == ST_OK);
    if (status != ST_OK)
        complain(&device->silent, now, LOG_LEVEL_WARN, "poller", "%s/%s: %s; next try in %lld s", p->bus->name,
            device->settings->name, err.text, (long long)(device->schedule.due_mono_ms - now + 500) / 1000);
    else
        complaint_clear(&device->silent, now, "poller", "%s/%s: answers again", p->bus->name, device->settings->name);
    if (missed > 0)
        complain(&device->late, now, LOG_LEVEL_WARN, "poller",
            "%s/%s: %lld polls left out: the devices of this bus take longer than `every` allows", p->bus->name,
            device->settings->name, (long long)missed);
    else if (now < device->schedule.due_mono_ms)
        complaint_clear(&device->late, now, "poller", "%s/%s: polled on time again", p->bus->name,
            device->settings->name);
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
            thread_wait_until(&p->wake, &p->lock, device->schedule.due_mono_ms);
            continue;
        }
        pthread_mutex_unlock(&p->lock);
        poll_device(p, device);
        pthread_mutex_lock(&p->lock);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

struct poller *poller_create(const struct bus_settings *bus, uint32_t first_point, const struct clock *clock,
    struct deliver *deliver)
{
    struct poller *p = mem_zalloc(sizeof *p);
    p->bus = bus;
    p->driver = bus->driver;
    p->clock = clock;
    p->deliver = deliver;
    p->state = mem_zalloc(p->driver->bus_size);
    p->devices = mem_zalloc(bus->devices.count * sizeof *p->devices);
    struct polled_device *next = p->devices;
    CONF_EACH(struct device_settings, device, bus->devices) {
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
    free(p->devices);
    free(p->state);
    pthread_cond_destroy(&p->wake);
    pthread_mutex_destroy(&p->lock);
    free(p);
}
