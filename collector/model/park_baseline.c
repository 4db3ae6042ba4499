/* The table of baselines, and what it cannot see: what they measure, their periods, and which temperatures are tried. */
#include "collector/model/park_private.h"

#include "collector/model/periods.h"
#include "collector/model/validity.h"

#define WARMEST 40 /* degrees Celsius: no building is balanced above */

const char *const park_baseline_steps[] = {"day", "month", NULL};
const char *const park_baseline_models[] = {"mean", "heating", "cooling", "both", NULL};

static void baseline_begin(void *object, const void *parent)
{
    (void)parent;
    struct park_baseline *b = object;
    b->step = b->model = b->carrier = -1;
    b->heating_from = b->heating_to = b->cooling_from = b->cooling_to = -1;
}

#define BALANCE(key, text)                                                                             \
    {                                                                                                  \
#key, CONF_INT, offsetof(struct park_baseline, key), .max = WARMEST, .unit = "C", .help = text \
    }

static const struct conf_key baseline_keys[] = {PARK_NAMES(struct park_baseline),
    {"meter", CONF_ID, offsetof(struct park_baseline, meter_id), .is_required = true,
        .help = "id of the meter, or virtual meter, whose energy it is about"},
    {"temperature", CONF_STRING, offsetof(struct park_baseline, temperature),
        .help = "outdoor temperature in C, a gauge, as \"<gateway>/<point>\""},
    {"occupancy", CONF_STRINGS, offsetof(struct park_baseline, occupancy),
        .help = "ids of spaces in which people are counted, if energy depends on them, too"},
    {"from", CONF_STRING, offsetof(struct park_baseline, from), .is_required = true,
        .help = "first day of the baseline period, such as \"2025-01-01\""},
    {"through", CONF_STRING, offsetof(struct park_baseline, through), .is_required = true,
        .help = "last day of the baseline period"},
    {"reporting", CONF_STRING, offsetof(struct park_baseline, reporting), .is_required = true,
        .help = "first day of the reporting period: what was done is done"},
    {"step", CONF_CHOICE, offsetof(struct park_baseline, step), .is_required = true,
        .choices = park_baseline_steps, .help = "periods of the data that the model is made of"},
    {"model", CONF_CHOICE, offsetof(struct park_baseline, model), .is_required = true,
        .choices = park_baseline_models,
        .help = "what energy depends on: nothing, heating degree days, cooling degree days or both"},
    BALANCE(heating_from, "lowest balance temperature of heating that is tried, in whole degrees"),
    BALANCE(heating_to, "highest balance temperature of heating that is tried"),
    BALANCE(cooling_from, "lowest balance temperature of cooling that is tried"),
    BALANCE(cooling_to, "highest balance temperature of cooling that is tried"), {0}};
const struct conf_section park_baseline_section = {
    "baseline", PARK_PLACED(struct park_baseline), .keys = baseline_keys, .begin = baseline_begin};

static void find_meter(struct conf *c, const struct park *park, struct park_baseline *b)
{
    const struct park_meter *meter = park_meter_find(park, b->meter_id);
    const struct park_virtual *v = park_virtual_find(park, b->meter_id);
    if (meter && meter->segments.count == 0) {
        conf_problem(
            c, &b->where, "meter", "\"%s\" has no register; expected a meter with segments", b->meter_id);
    } else if (meter) {
        b->own = (struct park_term){meter, 1};
        b->terms = &b->own;
        b->term_count = 1;
        b->carrier = meter->carrier;
        b->site = meter->building ? meter->building->site : NULL;
    } else if (v) {
        b->terms = v->terms;
        b->term_count = v->term_count;
        b->carrier = v->carrier;
        b->site = v->building ? v->building->site : NULL;
    } else {
        conf_problem(c, &b->where, "meter",
            "unknown meter \"%s\"; expected the id of a meter or virtual meter", b->meter_id);
    }
}

static bool is_first_of_month(int64_t day)
{
    struct period month = periods_within((struct period){PERIODS_DAY, day}, PERIODS_MONTH);
    return day == 0 ||
           periods_within((struct period){PERIODS_DAY, day - 1}, PERIODS_MONTH).number != month.number;
}

static void check_periods(struct conf *c, struct park_baseline *b)
{
    if (!b->from || !b->through)
        return;
    struct validity period = validity_read(c, &b->where, b->from, b->through);
    if (period.from_day >= period.until_day || period.from_day == INT64_MIN)
        return;
    b->first_day = period.from_day;
    b->end_day = period.until_day;
    if (b->end_day - b->first_day < BASELINE_DAYS_MIN)
        conf_problem(c, &b->where, "through",
            "the baseline period has %lld days; expected at least %d, so "
            "that it holds every season",
            (long long)(b->end_day - b->first_day), BASELINE_DAYS_MIN);
    if (b->end_day - b->first_day > BASELINE_DAYS_MAX) {
        conf_problem(c, &b->where, "through", "the baseline period has %lld days; expected at most %d",
            (long long)(b->end_day - b->first_day), BASELINE_DAYS_MAX);
        return;
    }
    if (b->step == BASELINE_BY_MONTH && !is_first_of_month(b->first_day))
        conf_problem(c, &b->where, "from",
            "is not the first of a month; expected whole months with step = "
            "\"month\"");
    if (b->step == BASELINE_BY_MONTH && !is_first_of_month(b->end_day))
        conf_problem(c, &b->where, "through",
            "is not the last of a month; expected whole months with step = "
            "\"month\"");
    if (b->reporting && validity_read_day(c, &b->where, "reporting", b->reporting, &b->reporting_day) &&
        b->reporting_day < b->end_day)
        conf_problem(
            c, &b->where, "reporting", "lies in the baseline period; expected a day after %s", b->through);
}

struct balance {
    const char *noun, *from_key, *to_key;
    int64_t from, to;
};

/* False: it is not there, or wrong, and that is told. */
static bool check_balance(
    struct conf *c, const struct park_baseline *b, const struct balance *balance, bool is_wanted)
{
    const struct {
        const char *key;
        int64_t value;
    } ends[] = {{balance->from_key, balance->from}, {balance->to_key, balance->to}};
    for (int i = 0; i < 2; i++)
        if ((ends[i].value >= 0) != is_wanted)
            conf_problem(c, &b->where, ends[i].key,
                is_wanted ? "is missing; expected the balance temperature of %s to try, in whole degrees"
                          : "is given, but the model has no %s; expected it only where it has",
                balance->noun);
    if (!is_wanted || balance->from < 0 || balance->to < 0)
        return false;
    if (balance->from > balance->to)
        conf_problem(c, &b->where, balance->to_key, "is below %s; expected %lld or more", balance->from_key,
            (long long)balance->from);
    return balance->from <= balance->to;
}

static void check_model(struct conf *c, const struct park_baseline *b)
{
    if (b->model < 0)
        return;
    bool has_heating = b->model == BASELINE_HEATING || b->model == BASELINE_BOTH;
    bool has_cooling = b->model == BASELINE_COOLING || b->model == BASELINE_BOTH;
    const struct balance heating = {"heating", "heating_from", "heating_to", b->heating_from, b->heating_to};
    const struct balance cooling = {"cooling", "cooling_from", "cooling_to", b->cooling_from, b->cooling_to};
    bool is_heating_good = check_balance(c, b, &heating, has_heating);
    bool is_cooling_good = check_balance(c, b, &cooling, has_cooling);
    if (is_heating_good && is_cooling_good && b->heating_from > b->cooling_to)
        conf_problem(c, &b->where, "cooling_to",
            "is below heating_from; expected %lld or more: nobody heats where he cools",
            (long long)b->heating_from);
    if ((b->model == BASELINE_MEAN) != (b->temperature == NULL))
        conf_problem(c, &b->where, "temperature",
            b->temperature ? "is given, but the model depends on none; expected it only where it does"
                           : "is missing; expected the outdoor temperature that the model depends on");
    if (has_cooling && b->carrier == CARRIER_GAS)
        conf_problem(
            c, &b->where, "model", "cools with gas; expected \"heating\" or \"mean\" (CalTRACK 3.2.1.1)");
}

static void check_occupancy(struct conf *c, const struct park *park, struct park_baseline *b)
{
    const struct park_space **found = conf_alloc(c, (b->occupancy.count + 1) * sizeof *found);
    for (size_t i = 0; i < b->occupancy.count; i++) {
        const char *id = ((char *const *)b->occupancy.items)[i];
        found[i] = park_resolve(c, park, &b->where, "occupancy", KIND_SPACE, id);
        if (found[i] == NULL)
            continue;
        for (size_t j = 0; j < i; j++)
            if (found[j] == found[i])
                conf_problem(c, &b->where, "occupancy", "names \"%s\" twice; expected each once", id);
        if (found[i]->doors.count == 0 && park_space_counter(found[i]) == NULL)
            conf_problem(c, &b->where, "occupancy",
                "nothing counts people in \"%s\"; expected a space with doors, or a sensor of kind \"count\"",
                id);
        if (b->site && found[i]->building && found[i]->building->site != b->site)
            conf_problem(
                c, &b->where, "occupancy", "\"%s\" is of another site; expected a space of the meter's", id);
    }
    b->spaces = found;
}

void park_check_baselines(struct conf *c, struct park *park)
{
    CONF_EACH (struct park_baseline, b, park->baselines) {
        if (b->meter_id)
            find_meter(c, park, b);
        if (b->temperature) /* several baselines may go by one */
            park_use_point(c, park, &b->where, "temperature", b->temperature, ROLE_TEMPERATURE, NULL);
        check_occupancy(c, park, b);
        check_periods(c, b);
        check_model(c, b);
    }
}
