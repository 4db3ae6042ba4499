/* The tables of resources and calendars, and what they cannot see. */
#include "collector/model/park_private.h"

#include <string.h>

#define LINE_MAX 2000

const char *const park_resource_kinds[] = {
    "power", "chilled_water", "water", "gas", "compressed_air", "ventilation", "network", "other", NULL};

static void resource_begin(void *object, const void *parent)
{
    (void)parent;
    ((struct park_resource *)object)->kind = -1;
}

static const struct conf_key resource_keys[] = {PARK_NAMES(struct park_resource),
    {"building", CONF_ID, offsetof(struct park_resource, building_id), .is_required = true,
        .help = "id of its building"},
    {"kind", CONF_CHOICE, offsetof(struct park_resource, kind), .is_required = true,
        .choices = park_resource_kinds, .help = "what it is"},
    {"point", CONF_STRING, offsetof(struct park_resource, point),
        .help = "its state, as \"<gateway>/<point>\"; absent = a person tells it"},
    {"up", CONF_STRINGS, offsetof(struct park_resource, up),
        .help = "values of the state that mean it is there; required with point"},
    {"down", CONF_STRINGS, offsetof(struct park_resource, down),
        .help = "values that mean it is not; required with point. Any other tells nothing"},
    {"period", CONF_SECONDS, offsetof(struct park_resource, period_ms), .fallback = "300", .min = 1000,
        .max = 86400000, .unit = "s", .help = "how often the point tells it, at least"},
    {"contact", CONF_STRING, offsetof(struct park_resource, contact), .max = PARK_TEXT_MAX,
        .help = "who is asked about it: an office, no person; required without point"},
    {0}};
const struct conf_section park_resource_section = {
    "resource", PARK_PLACED(struct park_resource), .keys = resource_keys, .begin = resource_begin};

static const struct conf_key calendar_keys[] = {PARK_NAMES(struct park_calendar),
    {"site", CONF_ID, offsetof(struct park_calendar, site_id), .is_required = true,
        .help = "id of the site by whose clocks times without a zone are read"},
    {"url", CONF_STRING, offsetof(struct park_calendar, url), .max = LINE_MAX,
        .help = "where it is, such as \"https://mail.example.cn/lab/xrd.ics\""},
    {"url_file", CONF_PATH, offsetof(struct park_calendar, url_file),
        .help = "file whose first line is the URL, where the URL is a secret"},
    {"file", CONF_PATH, offsetof(struct park_calendar, file),
        .help = "the .ics file, where another program writes it on this machine"},
    {"user", CONF_STRING, offsetof(struct park_calendar, user), .max = PARK_TEXT_MAX,
        .help = "user name at the URL; with password_file"},
    {"password_file", CONF_PATH, offsetof(struct park_calendar, password_file),
        .help = "file whose first line is the password"},
    {"every", CONF_SECONDS, offsetof(struct park_calendar, every_ms), .fallback = "300", .min = 30000,
        .max = 86400000, .unit = "s", .help = "how often it is read"},
    {0}};
const struct conf_section park_calendar_section = {
    "calendar", PARK_PLACED(struct park_calendar), .keys = calendar_keys};

static bool holds(const struct conf_list *list, const char *text)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(((char *const *)list->items)[i], text) == 0)
            return true;
    return false;
}

static void check_states(struct conf *c, const struct park_resource *r)
{
    const struct {
        const char *key;
        const struct conf_list *list;
    } lists[] = {{"up", &r->up}, {"down", &r->down}};
    for (int i = 0; i < 2; i++)
        if ((lists[i].list->count > 0) != (r->point != NULL))
            conf_problem(c, &r->where, lists[i].key,
                r->point ? "is missing; expected the values of the state that mean so, such as (\"on\")"
                         : "is given without point; expected both or neither");
    for (size_t i = 0; i < r->up.count; i++) {
        const char *value = ((char *const *)r->up.items)[i];
        if (holds(&r->down, value))
            conf_problem(
                c, &r->where, "down", "\"%s\" also means that it is up; expected one of both", value);
    }
    if (!r->point && !r->contact)
        conf_problem(
            c, &r->where, NULL, "has neither point nor contact; expected who or what tells its state");
}

static void check_url(struct conf *c, const struct park_calendar *calendar)
{
    const char *url = calendar->url;
    size_t scheme = strncmp(url, "https://", 8) == 0 ? 8 : strncmp(url, "http://", 7) == 0 ? 7 : 0;
    const char *host = url + scheme;
    size_t length = strcspn(host, "/?#");
    if (scheme == 0 || length == 0 || strpbrk(url, " \"<>\\") != NULL)
        conf_problem(c, &calendar->where, "url",
            "is not a URL; expected http:// or https:// (for webcal:// write https://)");
    else if (memchr(host, '@', length) != NULL)
        conf_problem(c, &calendar->where, "url",
            "has a user or password in it; expected them as user and password_file");
}

static void check_calendar(struct conf *c, const struct park_calendar *calendar)
{
    int sources = (calendar->url != NULL) + (calendar->url_file != NULL) + (calendar->file != NULL);
    if (sources != 1)
        conf_problem(c, &calendar->where, NULL, "has %s of url, url_file and file; expected one",
            sources == 0   ? "none"
            : sources == 2 ? "two"
                           : "all");
    if (calendar->url)
        check_url(c, calendar);
    if ((calendar->user != NULL) != (calendar->password_file != NULL))
        conf_problem(c, &calendar->where, calendar->user ? "user" : "password_file",
            "is given without %s; expected both or neither", calendar->user ? "password_file" : "user");
    else if (calendar->user && calendar->file)
        conf_problem(c, &calendar->where, "user", "is given with file; expected it only of a URL");
}

void park_check_resources(struct conf *c, struct park *park)
{
    CONF_EACH (struct park_resource, r, park->resources) {
        r->building = park_resolve(c, park, &r->where, "building", KIND_BUILDING, r->building_id);
        struct point_use *use =
            r->point ? park_use_point(c, park, &r->where, "point", r->point, ROLE_RESOURCE, &r->where) : NULL;
        if (use)
            use->building = r->building;
        check_states(c, r);
    }
    CONF_EACH (struct park_calendar, calendar, park->calendars) {
        calendar->site = park_resolve(c, park, &calendar->where, "site", KIND_SITE, calendar->site_id);
        check_calendar(c, calendar);
    }
}
