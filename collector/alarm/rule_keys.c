/* The tables of config/alarms.cfg, and what they cannot see. */
#include "collector/alarm/rule.h"

#include "lib/decimal.h"
#include "lib/number.h"

#include <string.h>

const char *const alarm_kinds[] = {"no_data", "threshold", "base_load", "water", "balance", "left_running",
    "clock", "disk", "loss", "health", NULL};
const char *const alarm_severities[] = {"info", "warning", "critical", NULL};
const char *const alarm_target_kinds[] = {
    "meter", "point", "gateway", "space", "instrument", "collector", NULL};
const char *const alarm_reasons[] = {"", "closed", "no_session", "both", "database", "outbox", "disk", NULL};
static const char *const whens[] = {"closed", "no_session", "either", NULL};

#define DAY_MS INT64_C(86400000)
/* One that is over sooner is over before it is looked at. */
#define LOSS_LEAST_MS 5000
#define OWN(member) offsetof(struct alarm_own, member)
#define FOR_KEY(standard, least)                                                                             \
    {                                                                                                        \
        "for", CONF_SECONDS, OWN(for_ms), .fallback = standard, .min = least, .max = DAY_MS,                 \
                                          .help = "how long it must be so, without a break, before it fires" \
    }
#define CLEAR_FOR_KEY(standard)                                                   \
    {                                                                             \
        "clear_for", CONF_SECONDS, OWN(clear_for_ms),                             \
            .fallback = standard, .min = 0, .max = DAY_MS,                        \
            .help = "how long it must be over, without a break, before it clears" \
    }
#define NIGHT_KEY                                                                                       \
    {                                                                                                   \
        "night", CONF_STRING, OWN(night),                                                               \
            .fallback = "00:00-05:00", .min = 11, .max = 11,                                            \
            .help = "hours of the site's day that are looked at, on quarter hours, such as 00:00-05:00" \
    }

static const struct conf_key no_data_keys[] = {
    {"for", CONF_SECONDS, OWN(for_ms), .is_required = true, .min = 1000, .max = 31 * DAY_MS,
        .help = "silence after which it fires, while the collector listens and, of a meter or point, its "
                "gateway speaks"},
    CLEAR_FOR_KEY("0"), {0}};
static const struct conf_key threshold_keys[] = {
    {"above", CONF_STRING, OWN(above), .min = 1, .max = 20,
        .help = "it fires above this number, written as a text (\"250000\", \"-60.5\"); or `below`"},
    {"below", CONF_STRING, OWN(below), .min = 1, .max = 20, .help = "it fires below this number"},
    {"clear", CONF_STRING, OWN(clear), .min = 1, .max = 20,
        .help = "it clears at this number, and on that side of it where it does not fire; absent = the same"},
    FOR_KEY("60", 0), CLEAR_FOR_KEY("60"), {0}};
static const struct conf_key base_load_keys[] = {
    {"above", CONF_STRING, OWN(above), .is_required = true, .min = 1, .max = 20,
        .help = "it fires above this mean of the night: W of electricity, heat and cooling, L an hour of "
                "water and gas"},
    {"clear", CONF_STRING, OWN(clear), .min = 1, .max = 20,
        .help = "it clears at a night with this mean or less; absent = the same"},
    NIGHT_KEY, {0}};
static const struct conf_key water_keys[] = {
    {"above", CONF_STRING, OWN(above), .fallback = "0", .min = 1, .max = 20,
        .help = "it fires where the lowest quarter hour of a night is above this; base units (L of water)"},
    {"clear", CONF_STRING, OWN(clear), .min = 1, .max = 20,
        .help = "it clears at a night whose lowest is this or less; absent = the same"},
    NIGHT_KEY, {0}};
static const struct conf_key balance_keys[] = {
    {"clear", CONF_INT, OWN(clear_percent), .fallback = "90", .min = 1, .max = 100, .unit = "%",
        .help = "it clears at a day whose gap is so much of the meter's `balance_limit`, or less"},
    {0}};
static const struct conf_key left_running_keys[] = {
    {"when", CONF_CHOICE, OWN(when), .fallback = "either", .choices = whens,
        .help = "what is wrong: to run outside the opening hours, or without a session"},
    FOR_KEY("900", 0), CLEAR_FOR_KEY("60"), {0}};
static const struct conf_key clock_keys[] = {FOR_KEY("300", 0), CLEAR_FOR_KEY("60"), {0}};
static const struct conf_key disk_keys[] = {
    {"above", CONF_INT, OWN(percent), .fallback = "90", .min = 1, .max = 99, .unit = "%",
        .help = "it fires above this share of what the database or the outbox may hold before nothing is "
                "taken any more, or of the disk"},
    {"clear", CONF_INT, OWN(clear_percent), .fallback = "85", .min = 1, .max = 99, .unit = "%",
        .help = "it clears at this share, or less"},
    FOR_KEY("60", 0), CLEAR_FOR_KEY("60"), {0}};
static const struct conf_key loss_keys[] = {
    {"clear_for", CONF_SECONDS, OWN(clear_for_ms), .fallback = "86400", .min = LOSS_LEAST_MS,
        .max = 31 * DAY_MS, .help = "how long no further loss must be recorded before it clears"},
    {0}};
static const struct conf_key health_keys[] = {
    {"level", CONF_CHOICE, OWN(level), .fallback = "degraded", .choices = ills_levels,
        .help = "it fires where /readyz says so, or worse, of the collector itself"},
    FOR_KEY("300", 0), CLEAR_FOR_KEY("60"), {0}};

static const struct conf_section own_sections[ALARM_KINDS] = {
    [ALARM_NO_DATA] = {.name = "no_data", .size = sizeof(struct alarm_own), .keys = no_data_keys},
    [ALARM_THRESHOLD] = {.name = "threshold", .size = sizeof(struct alarm_own), .keys = threshold_keys},
    [ALARM_BASE_LOAD] = {.name = "base_load", .size = sizeof(struct alarm_own), .keys = base_load_keys},
    [ALARM_WATER] = {.name = "water", .size = sizeof(struct alarm_own), .keys = water_keys},
    [ALARM_BALANCE] = {.name = "balance", .size = sizeof(struct alarm_own), .keys = balance_keys},
    [ALARM_LEFT_RUNNING] = {.name = "left_running",
        .size = sizeof(struct alarm_own),
        .keys = left_running_keys},
    [ALARM_CLOCK] = {.name = "clock", .size = sizeof(struct alarm_own), .keys = clock_keys},
    [ALARM_DISK] = {.name = "disk", .size = sizeof(struct alarm_own), .keys = disk_keys},
    [ALARM_LOSS] = {.name = "loss", .size = sizeof(struct alarm_own), .keys = loss_keys},
    [ALARM_HEALTH] = {.name = "health", .size = sizeof(struct alarm_own), .keys = health_keys}};

/* Until it is read: a kind that is refused decides nothing. */
static void begin_rule(void *object, const void *parent)
{
    (void)parent;
    ((struct alarm_rule *)object)->kind = -1;
}

static const struct conf_section *extend_rule(const void *object)
{
    const struct alarm_rule *rule = object;
    return rule->kind >= 0 && rule->kind < ALARM_KINDS ? &own_sections[rule->kind] : &conf_anything;
}

static const struct conf_section *own_alternative(size_t i)
{
    return i < ALARM_KINDS ? &own_sections[i] : NULL;
}

/* ---- what a key's text means ---- */

#define NUMBER_MAX_M (INT64_C(1000000000000) * 1000)

/* In thousandths. False: a problem says so. */
static bool read_number(
    struct conf *c, const struct alarm_rule *rule, const char *key, const char *text, int64_t *ret_m)
{
    struct decimal number;
    bool is_good = decimal_parse(text, &number) && number.scale <= 3;
    for (; is_good && number.scale < 3; number.scale++) {
        is_good = number.value <= NUMBER_MAX_M && number.value >= -NUMBER_MAX_M;
        number.value *= is_good ? 10 : 1;
    }
    is_good = is_good && number.value <= NUMBER_MAX_M && number.value >= -NUMBER_MAX_M;
    if (is_good)
        *ret_m = number.value;
    else
        conf_problem(c, &rule->where, key,
            "\"%s\" is no number here; expected one of at most three decimals, up to 10^12, such as "
            "\"250000\" or \"-60.5\"",
            text);
    return is_good;
}

static void check_limit(struct conf *c, struct alarm_rule *rule)
{
    const struct alarm_own *own = rule->own;
    struct alarm_limit *limit = &rule->limit;
    limit->is_above = own->below == NULL;
    const char *key = limit->is_above ? "above" : "below", *text = limit->is_above ? own->above : own->below;
    if (own->above != NULL && own->below != NULL) {
        conf_problem(c, &rule->where, "below", "stands beside `above`; expected one of both");
        return;
    }
    if (text == NULL) {
        if (rule->kind == ALARM_THRESHOLD)
            conf_problem(c, &rule->where, "above", "is missing; expected `above` or `below`");
        return;
    }
    if (!read_number(c, rule, key, text, &limit->fire_m))
        return;
    limit->clear_m = limit->fire_m;
    if (own->clear == NULL || !read_number(c, rule, "clear", own->clear, &limit->clear_m))
        return;
    if (limit->is_above ? limit->clear_m > limit->fire_m : limit->clear_m < limit->fire_m)
        conf_problem(c, &rule->where, "clear",
            "\"%s\" lies beyond the limit at which it fires; expected \"%s\", or a number that is %s",
            own->clear, text, limit->is_above ? "lower" : "higher");
}

/* "00:15" as a quarter hour of the day. */
static bool read_quarter(const char *text, int *ret)
{
    for (int i = 0; i < 5; i++)
        if (i == 2 ? text[i] != ':' : text[i] < '0' || text[i] > '9')
            return false;
    int hour = (text[0] - '0') * 10 + text[1] - '0', minute = (text[3] - '0') * 10 + text[4] - '0';
    *ret = hour * 4 + minute / 15;
    return hour <= 24 && minute < 60 && minute % 15 == 0 && *ret <= 96;
}

static void check_night(struct conf *c, struct alarm_rule *rule)
{
    const char *text = rule->own->night;
    struct alarm_night *n = &rule->hours;
    if (text == NULL)
        return;
    if (strlen(text) != 11 || text[5] != '-' || !read_quarter(text, &n->from) ||
        !read_quarter(text + 6, &n->until) || n->from >= n->until)
        conf_problem(c, &rule->where, "night",
            "\"%s\" is no such time; expected from-to within a day, on quarter hours, such as "
            "\"00:00-05:00\"",
            text);
}

static void check_rule(struct conf *c, void *object, const void *parent)
{
    (void)parent;
    struct alarm_rule *rule = object;
    if (rule->own == NULL || rule->kind < 0)
        return;
    const struct alarm_own *own = rule->own;
    switch ((enum alarm_kind)rule->kind) {
    case ALARM_THRESHOLD:
    case ALARM_BASE_LOAD:
    case ALARM_WATER:
        check_limit(c, rule);
        check_night(c, rule);
        break;
    case ALARM_DISK:
        if (own->clear_percent > own->percent)
            conf_problem(c, &rule->where, "clear",
                "%lld lies above the limit at which it fires; expected %lld or less",
                (long long)own->clear_percent, (long long)own->percent);
        rule->limit = (struct alarm_limit){true, own->percent * 1000, own->clear_percent * 1000};
        break;
    case ALARM_BALANCE:
        rule->limit = (struct alarm_limit){true, 100000, own->clear_percent * 1000};
        break;
    case ALARM_NO_DATA:
    case ALARM_LEFT_RUNNING:
    case ALARM_CLOCK:
    case ALARM_LOSS:
    case ALARM_HEALTH:
        break;
    }
}

static const struct conf_key rule_keys[] = {
    {"id", CONF_ID, offsetof(struct alarm_rule, id), .is_required = true,
        .help = "id of the rule, which messages name"},
    {"kind", CONF_CHOICE, offsetof(struct alarm_rule, kind), .is_required = true, .choices = alarm_kinds,
        .help = "what is watched"},
    {"severity", CONF_CHOICE, offsetof(struct alarm_rule, severity), .fallback = "warning",
        .choices = alarm_severities, .help = "how bad it is"},
    {"on", CONF_STRINGS, offsetof(struct alarm_rule, on), .min = 1, .max = 1000,
        .help = "what it watches: \"meter:<id>\", \"point:<gateway>/<point>\", \"gateway:<id>\", "
                "\"space:<id>\", \"instrument:<id>\", \"collector\"; \"meter:*\" = all that can be; absent = "
                "all of the first sort that the kind knows; no_data of meters and points watches their "
                "gateways, too, where no rule of no_data at least as severe does"},
    {0}};

static const struct conf_section rule_section = {.name = "rule",
    .size = sizeof(struct alarm_rule),
    .keys = rule_keys,
    .has_where = true,
    .where_offset = offsetof(struct alarm_rule, where),
    .begin = begin_rule,
    .extend = extend_rule,
    .extra_offset = offsetof(struct alarm_rule, own),
    .alternative = own_alternative,
    .check = check_rule};

/* ---- the file ---- */

static void check_ids(struct conf *c, const struct alarm_rules *rules)
{
    CONF_EACH (const struct alarm_rule, rule, rules->rules)
        for (const struct alarm_rule *other = rules->rules.items; other < rule; other++)
            if (rule->id != NULL && other->id != NULL && strcmp(rule->id, other->id) == 0)
                conf_problem(c, &rule->where, "id",
                    "\"%s\" is the id of another rule, in line %d; expected one of its own", rule->id,
                    conf_line(&other->where, "id"));
    CONF_EACH (const struct alarm_receiver, r, rules->receivers)
        for (const struct alarm_receiver *other = rules->receivers.items; other < r; other++)
            if (r->id != NULL && other->id != NULL && strcmp(r->id, other->id) == 0)
                conf_problem(c, &r->where, "id",
                    "\"%s\" is the id of another receiver, in line %d; expected one of its own", r->id,
                    conf_line(&other->where, "id"));
}

static void check_all(struct conf *c, void *object, const void *parent)
{
    (void)parent;
    struct alarm_rules *rules = object;
    check_ids(c, rules);
    if (rules->repeat_max_ms == 0)
        rules->repeat_max_ms = rules->repeat_ms > DAY_MS ? rules->repeat_ms : DAY_MS;
    if (rules->repeat_max_ms < rules->repeat_ms)
        conf_problem(c, &rules->where, "repeat_max", "%lld s is less than `repeat`; expected %lld s or more",
            (long long)(rules->repeat_max_ms / 1000), (long long)(rules->repeat_ms / 1000));
}

static const struct conf_key alarms_keys[] = {
    {"repeat", CONF_SECONDS, offsetof(struct alarm_rules, repeat_ms), .fallback = "900", .min = 1000,
        .max = 7 * DAY_MS,
        .help = "what stands and nobody acknowledged is told again after this, then after twice as long, and "
                "so on"},
    {"repeat_max", CONF_SECONDS, offsetof(struct alarm_rules, repeat_max_ms), .min = 1000, .max = 31 * DAY_MS,
        .help = "the longest time between two of these; absent = a day, or `repeat` where that is longer"},
    {"rules", CONF_LIST, offsetof(struct alarm_rules, rules), .is_required = true, .max = 500,
        .section = &rule_section, .help = "what is watched, rules = (...), or rules = () for nothing"},
    {"receivers", CONF_LIST, offsetof(struct alarm_rules, receivers), .max = 16,
        .section = &alarm_receiver_section, .help = "who is told"},
    {0}};

const struct conf_section alarms_section = {.name = "alarms",
    .size = sizeof(struct alarm_rules),
    .keys = alarms_keys,
    .has_where = true,
    .where_offset = offsetof(struct alarm_rules, where),
    .check = check_all};
