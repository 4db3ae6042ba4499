/* The tables of config/park.cfg. */
#include "collector/model/park.h"
#include "collector/model/park_private.h"

#include "lib/batch.h"

const char *const park_carriers[] = {"electricity", "heat", "cooling", "water", "gas", NULL};
static const char *const registers[] = {"primary", "secondary", NULL};

static const struct conf_key site_keys[] = {PARK_NAMES(struct park_site),
    {"zone", CONF_STRING, offsetof(struct park_site, zone), .is_required = true,
        .help = "time zone, by its IANA name: days and months begin and end by it"},
    {"region", CONF_STRING, offsetof(struct park_site, region), .max = PARK_TEXT_MAX,
        .help = "grid region whose emission factors count"},
    {"headcount", CONF_INT, offsetof(struct park_site, headcount), .max = 10000000, .unit = "persons",
        .help = "people who work here, for figures per head"},
    {0}};
static const struct conf_section site_section = {"site", PARK_PLACED(struct park_site), .keys = site_keys};

static const struct conf_key building_keys[] = {PARK_NAMES(struct park_building),
    {"site", CONF_ID, offsetof(struct park_building, site_id), .is_required = true, .help = "id of its site"},
    {"area", CONF_FRACTION, offsetof(struct park_building, area_m2), .unit = "m2",
        .help = "floor area, for figures per square metre"},
    {0}};
static const struct conf_section building_section = {
    "building", PARK_PLACED(struct park_building), .keys = building_keys};

static const struct conf_key tenant_keys[] = {PARK_NAMES(struct park_tenant), {0}};
static const struct conf_section tenant_section = {
    "tenant", PARK_PLACED(struct park_tenant), .keys = tenant_keys};

#define FROM(type)                                                                                     \
    {                                                                                                  \
        "from", CONF_STRING, offsetof(type, from),                                                     \
            .is_required = true,                                                                       \
            .help = "from when on, such as \"2026-03-01T00:00:00+08:00\": the begin of a quarter hour" \
    }

static const struct conf_key move_keys[] = {FROM(struct park_move),
    {"site", CONF_ID, offsetof(struct park_move, site_id), .help = "id of its site then; absent = as before"},
    {"building", CONF_STRING, offsetof(struct park_move, building_id), .max = PARK_TEXT_MAX,
        .help = "id of its building then; \"\" = none; absent = as before"},
    {0}};
static const struct conf_section move_section = {"move", PARK_PLACED(struct park_move), .keys = move_keys};

static const struct conf_key gateway_keys[] = {PARK_NAMES(struct park_gateway),
    {"site", CONF_ID, offsetof(struct park_gateway, site_id), .is_required = true, .help = "id of its site"},
    {"building", CONF_ID, offsetof(struct park_gateway, building_id),
        .help = "id of the building that its points belong to unless a meter says otherwise"},
    {"changes", CONF_LIST, offsetof(struct park_gateway, changes), .section = &move_section,
        .help = "where it was put later, and from when on"},
    {0}};
static const struct conf_section gateway_section = {
    "gateway", PARK_PLACED(struct park_gateway), .keys = gateway_keys};

static void segment_begin(void *object, const void *parent)
{
    (void)parent;
    struct park_segment *segment = object;
    segment->start_register = segment->end_register = -1;
    segment->registers = REGISTERS_UNSAID;
}

static const struct conf_key segment_keys[] = {
    {"serial", CONF_STRING, offsetof(struct park_segment, serial), .is_required = true, .max = PARK_TEXT_MAX,
        .help = "serial number of the device"},
    {"from", CONF_STRING, offsetof(struct park_segment, from), .is_required = true,
        .help =
            "when it was installed, such as \"2026-01-01T00:00:00+08:00\"; of the first one round it down to "
            "the "
            "quarter hour, since of a quarter hour in which a meter comes or goes nobody knows the amount"},
    {"until", CONF_STRING, offsetof(struct park_segment, until),
        .help = "when it was removed; absent = it is still there; of the last one round it up to the quarter "
                "hour"},
    {"point", CONF_STRING, offsetof(struct park_segment, point),
        .help = "its register, as \"<gateway>/<point>\"; absent = read by hand"},
    {"start", CONF_INT, offsetof(struct park_segment, start_register), .max = REGISTER_MAX,
        .unit = "base units", .help = "register when it was installed"},
    {"end", CONF_INT, offsetof(struct park_segment, end_register), .max = REGISTER_MAX, .unit = "base units",
        .help = "register when it was removed"},
    {"modulus", CONF_INT, offsetof(struct park_segment, modulus), .min = 1, .max = REGISTER_MAX,
        .unit = "base units", .help = "the register starts again from 0 here; absent = it never does"},
    {"resolution", CONF_INT, offsetof(struct park_segment, resolution), .fallback = "1", .min = 1,
        .max = REGISTER_MAX, .unit = "base units", .help = "smallest step of the register"},
    {"max_rate", CONF_INT, offsetof(struct park_segment, max_rate), .is_required = true, .min = 1,
        .max = REGISTER_MAX, .unit = "base units per hour",
        .help = "the most that can flow, on the primary side: what exceeds it is no consumption"},
    {"ct", CONF_FRACTION, offsetof(struct park_segment, ct), .fallback = "1",
        .help = "ratio of the current transformers, such as \"1000/5\""},
    {"pt", CONF_FRACTION, offsetof(struct park_segment, pt), .fallback = "1",
        .help = "ratio of the voltage transformers, such as \"10000/100\""},
    {"registers", CONF_CHOICE, offsetof(struct park_segment, registers), .choices = registers,
        .help = "whether the registers already count the primary side; required with ct or pt"},
    {0}};
static const struct conf_section segment_section = {
    "segment", PARK_PLACED(struct park_segment), .keys = segment_keys, .begin = segment_begin};

static void meter_begin(void *object, const void *parent)
{
    (void)parent;
    struct park_meter *meter = object;
    meter->carrier =
        -1; /* stays so only where the carrier is missing or wrong: no further complaints about it then */
}

static const struct conf_key change_keys[] = {FROM(struct park_change),
    {"building", CONF_ID, offsetof(struct park_change, building_id),
        .help = "id of the building that it measures then; absent = as before"},
    {"tenant", CONF_STRING, offsetof(struct park_change, tenant_id), .max = PARK_TEXT_MAX,
        .help = "id of the tenant whose use it measures then; \"\" = none; absent = as before"},
    {"parent", CONF_STRING, offsetof(struct park_change, parent_id), .max = PARK_TEXT_MAX,
        .help = "id of the meter upstream then; \"\" = none; absent = as before"},
    {"item", CONF_STRING, offsetof(struct park_change, item), .max = PARK_TEXT_MAX,
        .help = "item code then; \"\" = none; absent = as before"},
    {0}};
static const struct conf_section change_section = {
    "change", PARK_PLACED(struct park_change), .keys = change_keys};

static const struct conf_key meter_keys[] = {PARK_NAMES(struct park_meter),
    {"building", CONF_ID, offsetof(struct park_meter, building_id), .is_required = true,
        .help = "id of the building that it measures"},
    {"tenant", CONF_ID, offsetof(struct park_meter, tenant_id),
        .help = "id of the tenant whose use it measures"},
    {"parent", CONF_ID, offsetof(struct park_meter, parent_id), .help = "id of the meter upstream"},
    {"export_of", CONF_ID, offsetof(struct park_meter, export_of_id),
        .help = "id of the meter whose other register this is, for what flows back (feeding in): taken off "
                "wherever that one is added"},
    {"carrier", CONF_CHOICE, offsetof(struct park_meter, carrier), .is_required = true,
        .choices = park_carriers,
        .help = "what it measures: Wh of electricity, J of heat and cooling, L of water and gas"},
    {"item", CONF_STRING, offsetof(struct park_meter, item), .max = PARK_TEXT_MAX,
        .help = "item code, such as \"01000\""},
    {"power", CONF_STRING, offsetof(struct park_meter, power),
        .help = "its power in W, a gauge, as \"<gateway>/<point>\""},
    {"profile", CONF_BOOL, offsetof(struct park_meter, has_profile), .fallback = "true",
        .help = "whether it is read often enough for quarter hours; false for manual and monthly meters"},
    {"balance_limit", CONF_FRACTION, offsetof(struct park_meter, balance_limit), .fallback = "0.05",
        .help = "largest share of its amount that its children may leave unexplained"},
    {"max_gap", CONF_SECONDS, offsetof(struct park_meter, max_gap_ms), .fallback = "1200", .min = 1000,
        .max = 93600000, .unit = "s",
        .help = "readings further apart are estimates between; 93600 for a meter that is read once a day "
                "(days have up to 25 hours)"},
    {"changes", CONF_LIST, offsetof(struct park_meter, changes), .section = &change_section,
        .help = "what of building, tenant, parent and item was another later, and from when on"},
    {"segments", CONF_LIST, offsetof(struct park_meter, segments), .section = &segment_section,
        .help = "the devices that were installed, one after the other"},
    {0}};
static const struct conf_section meter_section = {
    "meter", PARK_PLACED(struct park_meter), .keys = meter_keys, .begin = meter_begin};

static const struct conf_key virtual_keys[] = {PARK_NAMES(struct park_virtual),
    {"building", CONF_ID, offsetof(struct park_virtual, building_id), .is_required = true,
        .help = "id of the building that it stands for"},
    {"tenant", CONF_ID, offsetof(struct park_virtual, tenant_id),
        .help = "id of the tenant whose use it stands for"},
    {"item", CONF_STRING, offsetof(struct park_virtual, item), .max = PARK_TEXT_MAX,
        .help = "item code, such as \"01000\""},
    {"plus", CONF_STRINGS, offsetof(struct park_virtual, plus), .is_required = true,
        .help = "ids of meters, virtual ones too, that it adds up"},
    {"minus", CONF_STRINGS, offsetof(struct park_virtual, minus),
        .help = "ids of those that it takes off again"},
    {0}};
static const struct conf_section virtual_section = {
    "virtual_meter", PARK_PLACED(struct park_virtual), .keys = virtual_keys};

static void park_section_check(struct conf *c, void *object, const void *parent)
{
    (void)parent;
    park_check(c, object);
}

static const struct conf_key park_keys[] = {
    {"sites", CONF_LIST, offsetof(struct park, sites), .is_required = true, .min = 1,
        .section = &site_section, .help = "sites"},
    {"buildings", CONF_LIST, offsetof(struct park, buildings), .section = &building_section,
        .help = "buildings"},
    {"tenants", CONF_LIST, offsetof(struct park, tenants), .section = &tenant_section, .help = "tenants"},
    {"gateways", CONF_LIST, offsetof(struct park, gateways), .section = &gateway_section,
        .help = "gateways: the machines that run an agent"},
    {"spaces", CONF_LIST, offsetof(struct park, spaces), .section = &park_space_section,
        .help = "rooms and areas that people use"},
    {"meters", CONF_LIST, offsetof(struct park, meters), .section = &meter_section, .help = "meters"},
    {"virtual_meters", CONF_LIST, offsetof(struct park, virtual_meters), .section = &virtual_section,
        .help = "meters that are the sum or difference of others"},
    {"resources", CONF_LIST, offsetof(struct park, resources), .section = &park_resource_section,
        .help = "what instruments need of a building, such as chilled water"},
    {"calendars", CONF_LIST, offsetof(struct park, calendars), .section = &park_calendar_section,
        .help = "calendars (iCalendar) that have the bookings of instruments"},
    {"categories", CONF_LIST, offsetof(struct park, categories), .section = &park_category_section,
        .help = "kinds of instruments, by which researchers look for them"},
    {"instruments", CONF_LIST, offsetof(struct park, instruments), .section = &park_instrument_section,
        .help = "instruments that are shared, or whose hours are counted"},
    {"baselines", CONF_LIST, offsetof(struct park, baselines), .section = &park_baseline_section,
        .help = "what energy depended on before something was done, to tell what was avoided since"},
    {0}};
const struct conf_section park_section = {
    "park", sizeof(struct park), .keys = park_keys, .check = park_section_check};
