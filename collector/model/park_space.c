/* The tables of spaces, and what they cannot see: hours, and whose counter is whose. */
#include "collector/model/park_private.h"

#include <string.h>

#define COUNT_MAX INT64_C(1000000000000000)

const char *const park_sensings[] = {"count", "binary", "co2", "wifi", NULL};

static const struct conf_key door_keys[] = {PARK_NAMES(struct park_door),
    {"in", CONF_STRING, offsetof(struct park_door, in), .is_required = true,
        .help = "cumulative count of those who came in, a register, as \"<gateway>/<point>\""},
    {"out", CONF_STRING, offsetof(struct park_door, out), .is_required = true,
        .help = "cumulative count of those who went out"},
    {"max_rate", CONF_INT, offsetof(struct park_door, max_rate), .fallback = "60", .min = 1, .max = 10000,
        .unit = "persons per minute", .help = "the most that can pass: what exceeds it is nobody"},
    {"modulus", CONF_INT, offsetof(struct park_door, modulus), .min = 2, .max = COUNT_MAX, .unit = "persons",
        .help = "the counts start again from 0 here; absent = they never do"},
    {"period", CONF_SECONDS, offsetof(struct park_door, period_ms), .min = 1000, .max = 86400000, .unit = "s",
        .help = "how often the counts are told, at least; absent = 300"},
    {0}};
static const struct conf_section door_section = {"door", PARK_PLACED(struct park_door), .keys = door_keys};

static void sensor_begin(void *object, const void *parent)
{
    (void)parent;
    ((struct park_sensor *)object)->kind = -1;
}

static const struct conf_key sensor_keys[] = {
    {"point", CONF_STRING, offsetof(struct park_sensor, point), .is_required = true,
        .help = "what it tells, as \"<gateway>/<point>\""},
    {"kind", CONF_CHOICE, offsetof(struct park_sensor, kind), .is_required = true, .choices = park_sensings,
        .help =
            "what it is: a count of people in an area, a yes or no (PIR), CO2 in ppm, devices on the Wi-Fi"},
    {"period", CONF_SECONDS, offsetof(struct park_sensor, period_ms), .fallback = "60", .min = 1000,
        .max = 86400000, .unit = "s", .help = "how often it tells something, at least"},
    {"hold", CONF_SECONDS, offsetof(struct park_sensor, hold_ms), .fallback = "300", .max = 86400000,
        .unit = "s", .help = "of kind \"binary\": how long somebody is taken to stay after the last sign"},
    {"limit", CONF_INT, offsetof(struct park_sensor, limit), .min = 1, .max = 1000000,
        .help =
            "of kinds \"co2\" (ppm) and \"wifi\" (devices): above it somebody is there; absent = 800 ppm, no "
            "device"},
    {0}};
static const struct conf_section sensor_section = {
    "sensor", PARK_PLACED(struct park_sensor), .keys = sensor_keys, .begin = sensor_begin};

static const struct conf_key space_keys[] = {PARK_NAMES(struct park_space),
    {"building", CONF_ID, offsetof(struct park_space, building_id), .is_required = true,
        .help = "id of its building"},
    {"capacity", CONF_INT, offsetof(struct park_space, capacity), .max = 100000, .unit = "persons",
        .help = "people it is made for"},
    {"open", CONF_STRING, offsetof(struct park_space, open),
        .help =
            "opening hours, such as \"08:00-18:00\", or \"Mon-Fri 08:00-18:00, Sat 09:00-12:00\"; absent = "
            "always open"},
    {"reset", CONF_STRING, offsetof(struct park_space, reset), .fallback = "04:00",
        .help =
            "the quiet hour at which nobody is there, by which counts of doors begin anew; \"\" = there is "
            "none: people are there at night"},
    {"doors", CONF_LIST, offsetof(struct park_space, doors), .section = &door_section,
        .help = "counters at its doors: all of them, or the count of people is wrong"},
    {"sensors", CONF_LIST, offsetof(struct park_space, sensors), .section = &sensor_section,
        .help = "what else tells of people in it"},
    {0}};
const struct conf_section park_space_section = {"space", PARK_PLACED(struct park_space), .keys = space_keys};

/* The same pair may be two spaces' door, seen from both sides. */
static void use_counter(struct conf *c, const struct park *park, const struct park_space *space,
    const struct park_door *door, bool is_in)
{
    const char *key = is_in ? "in" : "out", *address = is_in ? door->in : door->out;
    struct point_use *use =
        address ? park_use_point(c, park, &door->where, key, address, ROLE_DOOR, NULL) : NULL;
    if (!use)
        return;
    const struct park_door **mine = is_in ? &use->in_of : &use->out_of,
                           *other = is_in ? use->out_of : use->in_of;
    const struct park_door *doors = space->doors.items;
    if (*mine)
        conf_problem(c, &door->where, key, "%s already counts %s of %s; expected a point of its own", address,
            key, (*mine)->where.path);
    else if (other && other >= doors && other < doors + space->doors.count)
        conf_problem(c, &door->where, key, "%s already counts %s of %s; expected doors of another space",
            address, is_in ? "out" : "in", other->where.path);
    else
        *mine = door;
    if (!use->building)
        use->building = space->building;
}

static void check_doors(struct conf *c, const struct park *park, const struct park_space *space)
{
    const struct park_door *doors = space->doors.items;
    for (size_t i = 0; i < space->doors.count; i++) {
        for (size_t j = 0; j < i; j++)
            if (doors[i].id && doors[j].id && strcmp(doors[i].id, doors[j].id) == 0)
                conf_problem(c, &doors[i].where, "id",
                    "\"%s\" is already the id of %s; expected an id of its own", doors[i].id,
                    doors[j].where.path);
        use_counter(c, park, space, &doors[i], true);
        use_counter(c, park, space, &doors[i], false);
    }
}

static void check_reset(struct conf *c, struct park_space *space)
{
    space->reset_min = SPACE_NO_RESET;
    if (space->reset[0] == '\0')
        return;
    char until_midnight[32] = "";
    struct opening hour;
    if (strlen(space->reset) == 5)
        strcat(strcpy(until_midnight, space->reset), "-24:00");
    if (opening_parse(until_midnight, &hour))
        space->reset_min = hour.rows[0].from_min;
    else
        conf_problem(c, &space->where, "reset",
            "\"%s\" is not an hour; expected one such as \"04:00\", or \"\"", space->reset);
}

void park_check_spaces(struct conf *c, struct park *park)
{
    CONF_EACH (struct park_space, space, park->spaces) {
        space->building = park_resolve(c, park, &space->where, "building", KIND_BUILDING, space->building_id);
        if (!opening_parse(space->open, &space->opening))
            conf_problem(
                c, &space->where, "open", "\"%s\" are not opening hours; " OPENING_EXPECTED, space->open);
        check_reset(c, space);
        check_doors(c, park, space);
        CONF_EACH (const struct park_sensor, sensor, space->sensors) {
            struct point_use *use = sensor->point ? park_use_point(c, park, &sensor->where, "point",
                                                        sensor->point, ROLE_OCCUPANCY, &sensor->where)
                                                  : NULL;
            if (use)
                use->building = space->building;
        }
    }
}

const struct park_sensor *park_space_counter(const struct park_space *space)
{
    CONF_EACH (const struct park_sensor, sensor, space->sensors)
        if (sensor->kind == SENSING_COUNT)
            return sensor;
    return NULL;
}
