/* The table of instruments, and what it cannot see: thresholds, points, what they need. */
#include "collector/model/park_private.h"

#include <string.h>

#define LONG_TEXT_MAX 4000
#define HOURS_OF_A_YEAR 8784
#define DAY_MS INT64_C(86400000)
#define POWER_MAX_MW INT64_C(1000000000000) /* a gigawatt */

const char *const park_offs[] = {"available", "needs_warmup", "unavailable", NULL};

static const struct conf_key category_keys[] = {PARK_NAMES(struct park_category), {0}};
const struct conf_section park_category_section = {
    "category", PARK_PLACED(struct park_category), .keys = category_keys};

static void instrument_begin(void *object, const void *parent)
{
    (void)parent;
    ((struct park_instrument *)object)->off_means = -1;
}

#define TEXT(field, length, text)                                                                 \
    {                                                                                             \
#field, CONF_STRING, offsetof(struct park_instrument, field), .max = length, .help = text \
    }
#define WATTS(field, text)                                                                        \
    {                                                                                             \
#field, CONF_FRACTION, offsetof(struct park_instrument, field), .unit = "W", .help = text \
    }
#define TIME(field, member, otherwise, most_ms, text)                        \
    {                                                                        \
        field, CONF_SECONDS, offsetof(struct park_instrument, member),       \
            .fallback = otherwise, .max = most_ms, .unit = "s", .help = text \
    }

static const struct conf_key instrument_keys[] = {PARK_NAMES(struct park_instrument),
    {"building", CONF_ID, offsetof(struct park_instrument, building_id), .is_required = true,
        .help = "id of its building"},
    {"space", CONF_ID, offsetof(struct park_instrument, space_id), .help = "id of the space that it is in"},
    {"category", CONF_ID, offsetof(struct park_instrument, category_id), .is_required = true,
        .help = "id of its category, by which researchers look for it"},
    TEXT(model, PARK_TEXT_MAX, "maker and model"),
    {"owner", CONF_STRING, offsetof(struct park_instrument, owner), .is_required = true, .max = PARK_TEXT_MAX,
        .help = "the organisation that manages it"},
    {"owner_en", CONF_STRING, offsetof(struct park_instrument, owner_en), .is_required = true,
        .max = PARK_TEXT_MAX, .help = "the same in English"},
    {"owner_code", CONF_STRING, offsetof(struct park_instrument, owner_code), .is_required = true,
        .max = PARK_TEXT_MAX,
        .help = "code of that legal entity, as sessions name it: hours of any other are external"},
    {"contact", CONF_STRING, offsetof(struct park_instrument, contact), .is_required = true,
        .max = PARK_TEXT_MAX, .help = "how to reach those who run it: an office, no person"},
    TEXT(location, PARK_TEXT_MAX, "how to find it"), TEXT(location_en, PARK_TEXT_MAX, "the same in English"),
    TEXT(booking_url, LONG_TEXT_MAX, "page on which it is booked"),
    TEXT(terms, LONG_TEXT_MAX, "terms of use"), TEXT(terms_en, LONG_TEXT_MAX, "the same in English"),
    TEXT(training, LONG_TEXT_MAX, "training that users need; absent = none"),
    TEXT(training_en, LONG_TEXT_MAX, "the same in English"), TEXT(charges, LONG_TEXT_MAX, "what it costs"),
    TEXT(charges_en, LONG_TEXT_MAX, "the same in English"),
    {"shared", CONF_BOOL, offsetof(struct park_instrument, is_shared), .fallback = "true",
        .help = "whether others may use it; false: only its hours are counted"},
    {"open", CONF_STRING, offsetof(struct park_instrument, open),
        .help =
            "opening hours, such as \"08:00-18:00\", or \"Mon-Fri 08:00-18:00, Sat 09:00-12:00\"; absent = "
            "always open"},
    {"minimum_slot", CONF_SECONDS, offsetof(struct park_instrument, minimum_slot_ms), .fallback = "1800",
        .min = 60000, .max = 30 * DAY_MS, .unit = "s",
        .help = "a shorter time before a booking or closing is too short"},
    {"rated_hours", CONF_INT, offsetof(struct park_instrument, rated_hours), .fallback = "1400", .min = 1,
        .max = HOURS_OF_A_YEAR, .unit = "hours a year",
        .help = "hours that it should be used in a year: 1400 of a general instrument, 800 of a special one"},
    {"meter", CONF_ID, offsetof(struct park_instrument, meter_id),
        .help = "id of the meter that measures it alone: the energy of its sessions, and its power"},
    {"power", CONF_STRING, offsetof(struct park_instrument, power),
        .help =
            "its power in W, a gauge, as \"<gateway>/<point>\"; absent = that of its meter, if it has one"},
    {"power_period", CONF_SECONDS, offsetof(struct park_instrument, power_period_ms), .fallback = "10",
        .min = 1000, .max = 3600000, .unit = "s", .help = "how often its power is told, at least"},
    WATTS(off_w, "below it is off; required with power, as are the next three, each above the one before"),
    WATTS(standby_w, "the highest power that it has while nobody works with it"),
    WATTS(exit_w, "below it has stopped running, when that lasts exit_s"),
    WATTS(enter_w, "at or above it has started running, when that lasts enter_s"),
    TIME("enter_s", enter_ms, "10", 3600000, "how long it is above enter_w before it counts as running"),
    TIME("exit_s", exit_ms, "300", DAY_MS, "how long it is below exit_w before it counts as stopped"),
    {"off_means", CONF_CHOICE, offsetof(struct park_instrument, off_means), .choices = park_offs,
        .help = "whether it can be used when it is off; required with power"},
    {"session", CONF_STRING, offsetof(struct park_instrument, session),
        .help = "its sessions, a state, as \"<gateway>/<point>\"; absent = told by the API, if at all"},
    TIME("max_session", max_session_ms, "43200", 30 * DAY_MS,
        "a session that is open longer was forgotten, unless its power says otherwise"),
    TIME("preparation", preparation_ms, "1800", DAY_MS,
        "the most of a session before it runs that is effective"),
    TIME("post_processing", post_processing_ms, "1800", DAY_MS,
        "the most of a session after it ran that is effective"),
    TIME("pause", pause_ms, "600", DAY_MS, "a pause between two runs of a session that is longer is idle"),
    TIME("grace", grace_ms, "900", DAY_MS, "how long a booking waits for its user before it is a no-show"),
    TIME("cooldown", cooldown_ms, "0", DAY_MS,
        "how long it rests after a session before it can be used again"),
    {"calendar", CONF_ID, offsetof(struct park_instrument, calendar_id),
        .help = "id of the calendar that has its bookings"},
    {"requires", CONF_STRINGS, offsetof(struct park_instrument, requires),
        .help = "ids of resources without which it is out of service"},
    {"uses", CONF_STRINGS, offsetof(struct park_instrument, uses),
        .help = "ids of resources without which it can still be used"},
    {0}};
const struct conf_section park_instrument_section = {
    "instrument", PARK_PLACED(struct park_instrument), .keys = instrument_keys, .begin = instrument_begin};

/* ---- power ---- */

struct threshold {
    const char *key;
    const struct fraction *written;
    int64_t *mw;
};

static void check_thresholds(struct conf *c, struct park_instrument *n)
{
    const struct threshold all[] = {{"off_w", &n->off_w, &n->off_mw},
        {"standby_w", &n->standby_w, &n->standby_mw}, {"exit_w", &n->exit_w, &n->exit_mw},
        {"enter_w", &n->enter_w, &n->enter_mw}};
    const struct threshold *below = NULL;
    for (const struct threshold *t = all; t < all + 4; t++) {
        bool is_given = t->written->den != 0;
        if (!is_given && n->power_point)
            conf_problem(c, &n->where, t->key, "is missing; expected it beside its power");
        if (is_given && !n->power_point)
            conf_problem(c, &n->where, t->key, "is given without power; expected both or neither");
        if (!is_given)
            continue;
        struct fraction thousand = {1000, 1}, exact;
        if (!fraction_multiply(*t->written, thousand, &exact) || exact.den != 1 || exact.num > POWER_MAX_MW) {
            conf_problem(c, &n->where, t->key,
                "is no whole number of milliwatts up to a gigawatt; expected watts such as 60 or \"0.5\"");
            continue;
        }
        *t->mw = exact.num;
        if (below && *below->mw >= *t->mw)
            conf_problem(c, &n->where, t->key,
                "is not above %s; expected off_w < standby_w < exit_w < enter_w", below->key);
        below = t;
    }
    if ((n->off_means >= 0) != (n->power_point != NULL))
        conf_problem(c, &n->where, "off_means",
            n->power_point ? "is missing; expected one of available, needs_warmup, unavailable"
                           : "is given without power; expected both or neither");
}

static void check_power(struct conf *c, const struct park *park, struct park_instrument *n)
{
    n->meter = park_resolve(c, park, &n->where, "meter", KIND_METER, n->meter_id);
    CONF_EACH (const struct park_instrument, other, park->instruments)
        if (other < n && n->meter && other->meter == n->meter)
            conf_problem(c, &n->where, "meter",
                "\"%s\" is already the meter of %s; expected one that measures it alone", n->meter_id,
                other->where.path);
    if (n->meter && n->meter->carrier >= 0 && n->meter->carrier != CARRIER_ELECTRICITY)
        conf_problem(c, &n->where, "meter", "\"%s\" measures %s; expected a meter of electricity",
            n->meter_id, park_carriers[n->meter->carrier]);
    const char *of_meter = n->meter ? n->meter->power : NULL;
    n->power_point = n->power ? n->power : of_meter;
    if (!n->power_point)
        return;
    const struct conf_where *owner = n->power ? &n->where : &n->meter->where;
    struct point_use *use = NULL;
    if (n->power && of_meter && strcmp(n->power, of_meter) == 0)
        conf_problem(
            c, &n->where, "power", "is that of its meter; expected it to be left out, or a point of its own");
    else if (n->power)
        use = park_use_point(c, park, &n->where, "power", n->power, ROLE_INSTRUMENT_POWER, owner);
    else /* whatever is wrong with it was told at the meter */
        use = park_point_of(park, of_meter);
    if (use && use->owner == owner) {
        use->instrument = n;
        use->building = n->building;
    }
}

/* ---- the rest ---- */

static const struct park_resource **resources(struct conf *c, const struct park *park,
    const struct park_instrument *n, const char *key, const struct conf_list *list)
{
    const struct park_resource **found = conf_alloc(c, (list->count + 1) * sizeof *found);
    for (size_t i = 0; i < list->count; i++) {
        const char *id = ((char *const *)list->items)[i];
        found[i] = park_resolve(c, park, &n->where, key, KIND_RESOURCE, id);
        for (size_t j = 0; j < i; j++)
            if (found[i] && found[j] == found[i])
                conf_problem(c, &n->where, key, "names \"%s\" twice; expected each once", id);
    }
    return found;
}

static void check_resources(struct conf *c, const struct park *park, struct park_instrument *n)
{
    n->required = resources(c, park, n, "requires", &n->requires);
    n->optional = resources(c, park, n, "uses", &n->uses);
    for (size_t i = 0; i < n->uses.count; i++)
        for (size_t j = 0; j < n->requires.count; j++)
            if (n->optional[i] && n->optional[i] == n->required[j])
                conf_problem(c, &n->where, "uses", "names \"%s\", which it requires; expected one of both",
                    n->optional[i]->id);
}

static void check_instrument(struct conf *c, const struct park *park, struct park_instrument *n)
{
    n->building = park_resolve(c, park, &n->where, "building", KIND_BUILDING, n->building_id);
    n->space = park_resolve(c, park, &n->where, "space", KIND_SPACE, n->space_id);
    n->category = park_resolve(c, park, &n->where, "category", KIND_CATEGORY, n->category_id);
    n->calendar = park_resolve(c, park, &n->where, "calendar", KIND_CALENDAR, n->calendar_id);
    if (n->space && n->space->building && n->building && n->space->building != n->building)
        conf_problem(c, &n->where, "space", "\"%s\" is in building %s; expected a space of building %s",
            n->space_id, n->space->building_id, n->building_id);
    if (!opening_parse(n->open, &n->opening))
        conf_problem(c, &n->where, "open", "\"%s\" are not opening hours; " OPENING_EXPECTED, n->open);
    if (n->booking_url && strncmp(n->booking_url, "https://", 8) != 0 &&
        strncmp(n->booking_url, "http://", 7) != 0)
        conf_problem(c, &n->where, "booking_url", "is not a web page; expected http:// or https://");
    check_power(c, park, n);
    check_thresholds(c, n);
    struct point_use *use =
        n->session ? park_use_point(c, park, &n->where, "session", n->session, ROLE_SESSION, &n->where)
                   : NULL;
    if (use) {
        use->instrument = n;
        use->building = n->building;
    }
    check_resources(c, park, n);
    if (n->is_shared && !n->power_point && !n->session && !n->calendar_id)
        conf_problem(c, &n->where, NULL,
            "has neither power, session nor calendar; expected at least one: nothing would tell whether it "
            "is free");
}

void park_check_instruments(struct conf *c, struct park *park)
{
    CONF_EACH (struct park_instrument, n, park->instruments)
        check_instrument(c, park, n);
}
