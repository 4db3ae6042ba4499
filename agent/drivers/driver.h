/*
 * A driver turns one kind of device into readings: `open`, `poll`, `close` and tables of settings. The poller
 * allocates its state and owns schedule, retry, back-off, circuit breaker, logging and time stamps of the
 * schedule. A driver does not sleep, retry, log or publish. How to add one: README.md, "Add a driver".
 */
#pragma once

#include "lib/batch.h"
#include "lib/clock.h"
#include "lib/conf.h"
#include "lib/status.h"

#include <stdatomic.h>

struct bus_settings; /* agent/settings.h */
struct device_settings;
struct point_settings;

union driver_value {
    int64_t count;    /* register: base units */
    double number;    /* gauge: base units */
    const char *text; /* state */
};

/* What a driver may call back during `poll`. */
struct driver_sink {
    void *context;
    const struct clock *clock;
    /* A value of the point with this index in the device's list, answered by the device at `time_ms` (UTC,
     * read right after the answer that carried it). The point's kind says which member of `value` counts;
     * `text` is borrowed during the call. */
    void (*reading)(void *context, size_t point, const union driver_value *value, int64_t time_ms);
    /* This point alone could not be read or converted; the device's others may be fine. */
    void (*point_failed)(void *context, size_t point, const struct error *why);
};

struct driver {
    const char *name; /* as in `driver = "modbus_tcp"` */
    /* Further keys of a bus, a device and a point; each may be NULL. Their structs are at bus->extra,
     * device->extra, point->extra. */
    const struct conf_section *bus_section;
    const struct conf_section *device_section;
    const struct conf_section *point_section;

    /* Bytes of state for a bus (a line or connection that its devices share) and for each device. */
    size_t bus_size;
    size_t device_size;

    /* Opens the bus: at most bus->timeout_ms. ST_UNREACHABLE or ST_TIMEOUT with the reason. `state` is zeroed
     * before the first open and after each close. */
    enum status (*open)(void *state, const struct bus_settings *bus, struct error *err);
    /* Once per device before its first poll: plans requests. Cannot fail: settings were checked. */
    void (*plan)(void *device_state, const struct device_settings *device);
    /* Reads every point of a device once. Each request waits at most bus->timeout_ms. ST_OK: each point was
     * either read or reported with point_failed. ST_TIMEOUT, ST_PROTOCOL: the device did not answer or
     * answered nonsense; readings given so far are good. ST_UNREACHABLE: the bus itself is gone; the poller
     * closes it and opens it again. */
    enum status (*poll)(void *state, void *device_state, const struct device_settings *device,
        const struct driver_sink *sink, struct error *err);
    void (*release)(void *device_state); /* frees what `plan` made; accepts a zeroed state */
    /* Never blocks; accepts a zeroed or half-opened state; leaves it zeroed. */
    void (*close)(void *state);
};

extern const struct driver driver_modbus_tcp;

/* NULL-terminated table of all drivers; driver_find returns NULL for an unknown name. */
extern const struct driver *const drivers[];
const struct driver *driver_find(const char *name);
