#include "agent/settings.h"

#include "lib/id.h"
#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>

#define STATE_EVERY_MAX_MS 300000 /* a state is told at least so often */

static const char *const kinds[] = {"register", "gauge", "state", NULL};
static const char *const clocks[] = {"kernel", "trusted", NULL};
static const char *const log_levels[] = {"error", "warn", "info", "debug", NULL};

/*
 * What a driver adds to a bus, a device and a point. Where the driver is unknown (which check_bus tells) none
 * of these keys can be judged. Every driver of ours has all three sections, so the i-th alternative is that
 * of the i-th driver.
 */

static const struct driver *driver_of(const struct bus_settings *bus)
{
    return bus->driver_name != NULL ? driver_find(bus->driver_name) : NULL;
}

/* ---- point ---- */

static void begin_point(void *object, const void *parent)
{
    struct point_settings *point = object;
    const struct device_settings *device = parent;
    point->driver = device->driver;
}

static const struct conf_section *extend_point(const void *object)
{
    const struct driver *driver = ((const struct point_settings *)object)->driver;
    return driver != NULL ? driver->point_section : &conf_anything;
}

static const struct conf_section *point_alternative(size_t i)
{
    return drivers[i] != NULL ? drivers[i]->point_section : NULL;
}

static const struct conf_key point_keys[] = {
    {"name", CONF_STRING, offsetof(struct point_settings, name), .fallback = "", .max = POINT_MAX,
        .help = "name after the device's prefix and a dot; empty = the prefix itself"},
    {"kind", CONF_CHOICE, offsetof(struct point_settings, kind), .is_required = true, .choices = kinds,
        .help = "cumulative register, gauge, or state"},
    {0}};

static const struct conf_section point_section = {.name = "point",
    .size = sizeof(struct point_settings),
    .keys = point_keys,
    .has_where = true,
    .where_offset = offsetof(struct point_settings, where),
    .begin = begin_point,
    .extend = extend_point,
    .extra_offset = offsetof(struct point_settings, extra),
    .alternative = point_alternative};

/* ---- device ---- */

static void begin_device(void *object, const void *parent)
{
    struct device_settings *device = object;
    const struct bus_settings *bus = parent;
    device->bus = bus;
    device->driver = driver_of(bus);
}

/* A register map is read as a device of which only the points are written. */
static void begin_map(void *object, const void *parent)
{
    const struct device_settings *device = parent;
    ((struct device_settings *)object)->driver = device->driver;
}

static const struct conf_key map_keys[] = {
    {"points", CONF_LIST, offsetof(struct device_settings, points), .is_required = true, .min = 1,
        .section = &point_section, .help = "what to read"},
    {0}};

static const struct conf_section map_section = {
    .name = "map", .size = sizeof(struct device_settings), .keys = map_keys, .begin = begin_map};

static void add_map(struct conf *c, struct device_settings *device)
{
    struct device_settings map = {0};
    conf_load_more(c, device->map, &map_section, &map, device, &device->where, "map");
    if (map.points.count == 0)
        return;
    size_t own = device->points.count * sizeof(struct point_settings);
    size_t more = map.points.count * sizeof(struct point_settings);
    char *all = conf_alloc(c, own + more);
    if (own > 0)
        memcpy(all, device->points.items, own);
    memcpy(all + own, map.points.items, more);
    device->points.items = all;
    device->points.count += map.points.count;
}

/* A map may serve many devices: what is wrong with the full name of one of its points is a matter of the
 * device's prefix. */
static bool is_own_point(const struct device_settings *device, const struct point_settings *point)
{
    return strcmp(point->where.file, device->where.file) == 0;
}

char *agent_point_name(struct conf *c, const char *prefix, const char *name)
{
    prefix = prefix != NULL ? prefix : "";
    name = name != NULL ? name : "";
    char *full = mem_printf("%s%s%s", prefix, prefix[0] != '\0' && name[0] != '\0' ? "." : "", name);
    char *kept = strcpy(conf_alloc(c, strlen(full) + 1), full);
    free(full);
    return kept;
}

static void name_point(struct conf *c, const struct device_settings *device, struct point_settings *point)
{
    bool is_own = is_own_point(device, point);
    point->point = agent_point_name(c, device->prefix, point->name);
    if (!point_is_valid(point->point))
        conf_problem(c, is_own ? &point->where : &device->where, is_own ? "name" : "prefix", POINT_PROBLEM,
            point->point, POINT_MAX);
}

static void check_device(struct conf *c, void *object, const void *parent)
{
    (void)parent;
    struct device_settings *device = object;
    if (device->map != NULL)
        add_map(c, device);
    else if (device->points.count == 0)
        conf_problem(
            c, &device->where, "points", "is missing or empty; expected some points here, or in a `map`");
    CONF_EACH (struct point_settings, point, device->points) {
        name_point(c, device, point);
        if (point->kind == READING_STATE && device->every_ms > STATE_EVERY_MAX_MS)
            conf_problem(c, &device->where, "every",
                "is %g s for a device with a state; expected at most %d s", (double)device->every_ms / 1000,
                STATE_EVERY_MAX_MS / 1000);
    }
}

static const struct conf_section *extend_device(const void *object)
{
    const struct driver *driver = ((const struct device_settings *)object)->driver;
    return driver != NULL ? driver->device_section : &conf_anything;
}

static const struct conf_section *device_alternative(size_t i)
{
    return drivers[i] != NULL ? drivers[i]->device_section : NULL;
}

static const struct conf_key device_keys[] = {{"name", CONF_ID, offsetof(struct device_settings, name),
                                                  .is_required = true, .help = "name in messages"},
    {"prefix", CONF_STRING, offsetof(struct device_settings, prefix), .max = POINT_MAX,
        .help = "start of its points' names"},
    {"every", CONF_SECONDS, offsetof(struct device_settings, every_ms), .fallback = "60", .min = 5,
        .max = 86400000, .help = "time from poll to poll, on the clock's grid (900 = on the quarter hours)"},
    {"map", CONF_PATH, offsetof(struct device_settings, map),
        .help = "register map: a file with a list `points`, for devices of one make"},
    {"points", CONF_LIST, offsetof(struct device_settings, points), .section = &point_section,
        .help = "what to read"},
    {0}};

static const struct conf_section device_section = {.name = "device",
    .size = sizeof(struct device_settings),
    .keys = device_keys,
    .has_where = true,
    .where_offset = offsetof(struct device_settings, where),
    .begin = begin_device,
    .extend = extend_device,
    .extra_offset = offsetof(struct device_settings, extra),
    .check = check_device,
    .alternative = device_alternative};

/* ---- bus ---- */

static const struct conf_section *extend_bus(const void *object)
{
    const struct driver *driver = driver_of(object);
    return driver != NULL ? driver->bus_section : &conf_anything;
}

static const struct conf_section *bus_alternative(size_t i)
{
    return drivers[i] != NULL ? drivers[i]->bus_section : NULL;
}

static void check_bus(struct conf *c, void *object, const void *parent)
{
    (void)parent;
    struct bus_settings *bus = object;
    bus->driver = driver_of(bus);
    if (bus->driver_name == NULL || bus->driver != NULL)
        return;
    struct buf names = {0};
    for (int i = 0; drivers[i] != NULL; i++)
        buf_printf(&names, "%s%s", i > 0 ? ", " : "", drivers[i]->name);
    conf_problem(
        c, &bus->where, "driver", "\"%s\" is not known; expected one of %s", bus->driver_name, names.data);
    buf_release(&names);
}

static const struct conf_key bus_keys[] = {
    {"name", CONF_ID, offsetof(struct bus_settings, name), .is_required = true, .help = "name in messages"},
    {"driver", CONF_STRING, offsetof(struct bus_settings, driver_name), .is_required = true,
        .help = "how its devices are read: modbus_tcp"},
    {"timeout", CONF_SECONDS, offsetof(struct bus_settings, timeout_ms), .fallback = "1", .min = 10,
        .max = 60000, .help = "longest wait for one answer"},
    {"devices", CONF_LIST, offsetof(struct bus_settings, devices), .is_required = true, .min = 1,
        .section = &device_section,
        .help = "the devices behind this line or connection, polled one after another"},
    {0}};

static const struct conf_section bus_section = {.name = "bus",
    .size = sizeof(struct bus_settings),
    .keys = bus_keys,
    .has_where = true,
    .where_offset = offsetof(struct bus_settings, where),
    .extend = extend_bus,
    .extra_offset = offsetof(struct bus_settings, extra),
    .check = check_bus,
    .alternative = bus_alternative};

/* ---- source ---- */

static const struct source *source_of(const struct source_settings *settings)
{
    return settings->source_name != NULL ? source_find(settings->source_name) : NULL;
}

static const struct conf_section *extend_source(const void *object)
{
    const struct source *source = source_of(object);
    return source != NULL ? source->section : &conf_anything;
}

static const struct conf_section *source_alternative(size_t i)
{
    return sources[i] != NULL ? sources[i]->section : NULL;
}

static void check_source(struct conf *c, void *object, const void *parent)
{
    (void)parent;
    struct source_settings *settings = object;
    settings->source = source_of(settings);
    if (settings->source_name == NULL || settings->source != NULL)
        return;
    struct buf names = {0};
    for (int i = 0; sources[i] != NULL; i++)
        buf_printf(&names, "%s%s", i > 0 ? ", " : "", sources[i]->name);
    conf_problem(c, &settings->where, "source", "\"%s\" is not known; expected one of %s",
        settings->source_name, names.data);
    buf_release(&names);
}

static const struct conf_key source_keys[] = {{"name", CONF_ID, offsetof(struct source_settings, name),
                                                  .is_required = true, .help = "name in messages"},
    {"source", CONF_STRING, offsetof(struct source_settings, source_name), .is_required = true,
        .help = "where from: mqtt_json, session"},
    {0}};

static const struct conf_section source_section = {.name = "source",
    .size = sizeof(struct source_settings),
    .keys = source_keys,
    .has_where = true,
    .where_offset = offsetof(struct source_settings, where),
    .extend = extend_source,
    .extra_offset = offsetof(struct source_settings, extra),
    .check = check_source,
    .alternative = source_alternative};

/* ---- agent ---- */

static const struct conf_key broker_keys[] = {
    {"host", CONF_STRING, offsetof(struct broker_settings, host), .fallback = "127.0.0.1", .min = 1,
        .max = 255, .help = "name or address of the MQTT broker"},
    {"port", CONF_INT, offsetof(struct broker_settings, port), .fallback = "1883", .min = 1, .max = 65535,
        .help = "its TCP port"},
    {"user", CONF_STRING, offsetof(struct broker_settings, user), .min = 1, .max = 255,
        .help = "user name; absent = the gateway's id, as the broker's access rules expect"},
    {"password_file", CONF_PATH, offsetof(struct broker_settings, password_file),
        .help = "file with the password, not readable by others; absent = no password"},
    {"keep_alive", CONF_SECONDS, offsetof(struct broker_settings, keep_alive_ms), .fallback = "30",
        .min = 5000, .max = 3600000, .help = "silence after which the connection is checked"},
    {"retry", CONF_SECONDS, offsetof(struct broker_settings, retry_max_ms), .fallback = "60", .min = 1000,
        .max = 3600000, .help = "longest wait between two attempts to connect; they begin with 1 s"},
    {0}};

static const struct conf_section broker_section = {.name = "broker",
    .size = sizeof(struct broker_settings),
    .keys = broker_keys,
    .has_where = true,
    .where_offset = offsetof(struct broker_settings, where)};

static const struct conf_key spool_keys[] = {
    {"path", CONF_PATH, offsetof(struct spool_settings, path), .is_required = true,
        .help = "file that keeps readings until the collector has them on disk"},
    {"limit", CONF_INT, offsetof(struct spool_settings, limit_mib), .fallback = "512", .min = 2,
        .max = 1048576, .unit = "MiB", .help = "largest size of that file"},
    {"commit", CONF_SECONDS, offsetof(struct spool_settings, commit_ms), .fallback = "2", .min = 50,
        .max = 60000, .help = "answered readings are on disk after this time; state changes at once"},
    {"probe", CONF_SECONDS, offsetof(struct spool_settings, probe_ms), .fallback = "30", .min = 100,
        .max = 600000, .help = "silence of the collector after which the oldest batch is sent again"},
    {0}};

static const struct conf_section spool_section = {.name = "spool",
    .size = sizeof(struct spool_settings),
    .keys = spool_keys,
    .has_where = true,
    .where_offset = offsetof(struct spool_settings, where)};

/* ---- names that must be told apart ---- */

struct named {
    const char *name;
    const struct conf_where *where; /* in the agent's own file */
    const char *key;
    const struct point_settings
        *from_map; /* a point of a register map, which stands at its device; NULL = none */
    size_t order;
};

struct names {
    const char *what;
    struct named *items;
    size_t count, capacity;
};

static void add_name(struct names *names, struct named name)
{
    if (name.name == NULL)
        return;
    name.order = names->count;
    MEM_GROW(names->items, names->count, names->capacity);
    names->items[names->count++] = name;
}

static int by_name(const void *a, const void *b)
{
    const struct named *p = a, *q = b;
    int order = strcmp(p->name, q->name);
    return order != 0 ? order : (p->order > q->order) - (p->order < q->order);
}

static void refuse_twins(struct conf *c, struct names *names)
{
    if (names->count > 0)
        qsort(names->items, names->count, sizeof *names->items, by_name);
    for (size_t i = 1; i < names->count; i++) {
        const struct named *twin = &names->items[i], *first = twin - 1;
        if (strcmp(twin->name, first->name) != 0)
            continue;
        const struct point_settings *in_map = twin->from_map, *first_in_map = first->from_map;
        /* Twice in one map: said once, where it is wrong, however many devices use the map. */
        if (in_map != NULL && first_in_map != NULL && twin->where == first->where)
            conf_problem(
                c, &in_map->where, "name", "point \"%s\" is in this map twice; expected once", in_map->name);
        else
            conf_problem(c, twin->where, twin->key, "%s \"%s\" is also at line %d; expected once",
                names->what, twin->name, first->where->line);
    }
    free(names->items);
}

static void add_point_name(
    struct names *names, const struct device_settings *device, const struct point_settings *point)
{
    add_name(names, is_own_point(device, point)
                        ? (struct named){point->point, &point->where, "name", NULL, 0}
                        : (struct named){point->point, &device->where, "prefix", point, 0});
}

static void add_source_point(void *context, const struct source_point *point)
{
    add_name(context, (struct named){point->name, point->where, point->key, NULL, 0});
}

static void check_agent(struct conf *c, void *object, const void *parent)
{
    (void)parent;
    struct agent_settings *agent = object;
    if (agent->broker.user == NULL)
        agent->broker.user = agent->gateway;
    if (agent->gateway != NULL && strcmp(agent->gateway, "park-collector") == 0)
        conf_problem(c, &agent->where, "gateway",
            "is the collector's name at the broker; expected an id of this gateway's own");
    if (agent->buses.count == 0 && agent->sources.count == 0)
        conf_problem(c, &agent->where, "buses",
            "is missing; expected lines and connections to devices here, or what sends by itself in "
            "`sources`");
    struct names buses = {.what = "bus"}, devices = {.what = "device"}, points = {.what = "point"},
                 sources_named = {.what = "source"};
    CONF_EACH (struct bus_settings, bus, agent->buses) {
        add_name(&buses, (struct named){bus->name, &bus->where, "name", NULL, 0});
        CONF_EACH (struct device_settings, device, bus->devices) {
            add_name(&devices, (struct named){device->name, &device->where, "name", NULL, 0});
            CONF_EACH (struct point_settings, point, device->points)
                add_point_name(&points, device, point);
        }
    }
    CONF_EACH (struct source_settings, settings, agent->sources) {
        add_name(&sources_named, (struct named){settings->name, &settings->where, "name", NULL, 0});
        if (settings->source != NULL && settings->extra != NULL)
            settings->source->each_point(settings, &points, add_source_point);
    }
    refuse_twins(c, &buses);
    refuse_twins(c, &sources_named);
    refuse_twins(c, &devices);
    refuse_twins(c, &points);
}

static const struct conf_key agent_keys[] = {
    {"gateway", CONF_ID, offsetof(struct agent_settings, gateway), .is_required = true,
        .help = "this gateway's id, also its user name and topic at the broker"},
    {"clock", CONF_CHOICE, offsetof(struct agent_settings, clock), .fallback = "kernel", .choices = clocks,
        .help = "whether this machine's time is right: as the kernel says (NTP), or trusted"},
    {"log", CONF_CHOICE, offsetof(struct agent_settings, log_level), .fallback = "info",
        .choices = log_levels, .help = "least important lines to log"},
    {"broker", CONF_GROUP, offsetof(struct agent_settings, broker), .section = &broker_section,
        .help = "the MQTT broker"},
    {"spool", CONF_GROUP, offsetof(struct agent_settings, spool), .is_required = true,
        .section = &spool_section, .help = "the store on disk until the collector acknowledges"},
    {"buses", CONF_LIST, offsetof(struct agent_settings, buses), .min = 1, .section = &bus_section,
        .help = "lines and connections to devices; each has a thread"},
    {"sources", CONF_LIST, offsetof(struct agent_settings, sources), .min = 1, .section = &source_section,
        .help = "what sends by itself: devices behind a broker, card readers; each has a thread"},
    {0}};

const struct conf_section agent_section = {.name = "agent",
    .size = sizeof(struct agent_settings),
    .keys = agent_keys,
    .where_offset = offsetof(struct agent_settings, where),
    .has_where = true,
    .check = check_agent};

void agent_print_help(FILE *out)
{
    conf_print_help(&agent_section, out);
}

struct conf *agent_settings_load(const char *path, struct agent_settings *ret)
{
    return conf_load(path, &agent_section, ret);
}

void agent_settings_check_access(struct conf *c, const struct agent_settings *settings)
{
    conf_check_secret(c, &settings->broker.where, "password_file", settings->broker.password_file);
    conf_check_writable(c, &settings->spool.where, "path", settings->spool.path);
    CONF_EACH (const struct source_settings, source, settings->sources)
        if (source->source != NULL && source->extra != NULL)
            source->source->check_access(c, source);
}
