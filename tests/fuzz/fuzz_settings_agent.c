/* The settings of an agent. */
#include "agent/settings.h"
#include "lib/id.h"
#include "tests/fuzz/settings.h"

static void check_accepted(const struct agent_settings *s)
{
    LAW(id_is_valid(s->gateway), "a gateway that the contract forbids");
    LAW(s->broker.host != NULL && s->broker.port >= 1 && s->broker.port <= 65535,
        "a broker that is no place");
    LAW(s->spool.path != NULL && s->spool.limit_mib > 0 && s->spool.commit_ms >= 0, "a spool that is none");
    CONF_EACH (const struct bus_settings, bus, s->buses) {
        LAW(bus->driver != NULL && bus->extra != NULL && bus->timeout_ms > 0, "a bus without a driver");
        CONF_EACH (const struct device_settings, device, bus->devices) {
            LAW(device->every_ms > 0 && device->bus == bus, "a device that is never polled");
            CONF_EACH (const struct point_settings, point, device->points)
                LAW(point_is_valid(point->point) && point->extra != NULL && point->kind >= READING_REGISTER &&
                        point->kind <= READING_STATE,
                    "a point that the contract forbids");
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct agent_settings settings;
    struct conf *c = agent_settings_load(settings_file(data, size), &settings);
    if (settings_are_sound(c))
        check_accepted(&settings);
    conf_destroy(c);
    return 0;
}
