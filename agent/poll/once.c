#include "agent/poll/poller.h"

#include "lib/mem.h"

#include <stdlib.h>

struct attempt {
    const struct device_settings *device;
    const struct poll_report *report;
    bool *is_told; /* by point */
    int failures;
};

static const struct point_settings *point_at(const struct attempt *a, size_t index)
{
    return (const struct point_settings *)a->device->points.items + index;
}

static void take_reading(void *context, size_t index, const union driver_value *value, int64_t time_ms)
{
    struct attempt *a = context;
    a->is_told[index] = true;
    a->report->reading(a->report->context, point_at(a, index), value, time_ms);
}

static void take_failure(void *context, size_t index, const struct error *why)
{
    struct attempt *a = context;
    a->is_told[index] = true;
    a->failures++;
    a->report->failure(a->report->context, point_at(a, index), why->text);
}

static int poll_device(const struct bus_settings *bus, void *state, bool *is_open,
    const struct device_settings *device, const struct clock *clock, const struct poll_report *report)
{
    const struct driver *driver = bus->driver;
    struct attempt attempt = {device, report, mem_zalloc(device->points.count * sizeof(bool)), 0};
    struct driver_sink sink = {&attempt, clock, take_reading, take_failure};
    void *device_state = mem_zalloc(driver->device_size);
    driver->plan(device_state, device);
    struct error err;
    enum status status = *is_open ? ST_OK : driver->open(state, bus, &err);
    *is_open = status == ST_OK;
    if (*is_open)
        status = driver->poll(state, device_state, device, &sink, &err);
    if (status == ST_UNREACHABLE) {
        driver->close(state);
        *is_open = false;
    }
    for (size_t i = 0; i < device->points.count && status != ST_OK; i++)
        if (!attempt.is_told[i])
            take_failure(&attempt, i, &err);
    driver->release(device_state);
    free(device_state);
    free(attempt.is_told);
    return attempt.failures;
}

int poll_once(const struct bus_settings *bus, const struct clock *clock, const struct poll_report *report)
{
    void *state = mem_zalloc(bus->driver->bus_size);
    bool is_open = false;
    int failures = 0;
    CONF_EACH (struct device_settings, device, bus->devices)
        failures += poll_device(bus, state, &is_open, device, clock, report);
    bus->driver->close(state);
    free(state);
    return failures;
}
