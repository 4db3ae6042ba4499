#include "collector/alarm_books.h"

#include "collector/energy/balance.h"
#include "collector/energy/tree.h"

#include <math.h>

#define QUARTER_MS PERIODS_QUARTER_HOUR_MS
/* Of a share whose whole is nothing: as much as is told at all. */
#define PERCENT_MAX_M INT64_C(1000000000)

/* The quarter hours of the newest night that is over, of the day in which it lies. */
struct night {
    struct periods_span day;
    bool is_in[4 * 26]; /* by quarter hour of the day: is it the night's? */
    size_t count;
    int64_t from_ms, until_ms;
};

static bool lay_night(const struct zone *zone, const struct alarm_night *hours, struct period day,
    int64_t now_ms, struct night *ret)
{
    *ret = (struct night){.day = periods_span(zone, day)};
    size_t i = 0;
    for (int64_t at_ms = ret->day.begin_ms; at_ms < ret->day.end_ms && i < sizeof ret->is_in;
         at_ms += QUARTER_MS, i++) {
        int quarter = periods_quarter_of_day(zone, at_ms);
        ret->is_in[i] = quarter >= hours->from && quarter < hours->until;
        if (!ret->is_in[i])
            continue;
        ret->from_ms = ret->count++ == 0 ? at_ms : ret->from_ms;
        ret->until_ms = at_ms + QUARTER_MS;
    }
    return ret->count > 0 && ret->until_ms <= now_ms;
}

static bool find_night(
    const struct zone *zone, const struct alarm_night *hours, int64_t now_ms, struct night *ret)
{
    struct period day = periods_of(zone, PERIODS_DAY, now_ms);
    for (int back = 0; back < 3; back++, day.number--)
        if (lay_night(zone, hours, day, now_ms, ret))
            return true;
    return false;
}

/* The sum of a night, where it is all known; the lowest quarter hour that is. */
static void add_night(const struct alarm_rule *rule, enum park_carrier carrier, const struct night *night,
    const struct series *series, struct alarm_facts *f)
{
    bool is_known = true, is_measured = true, has_lowest = false;
    int64_t sum = 0, lowest = 0;
    for (size_t i = 0; i < series->count && i < sizeof night->is_in; i++) {
        if (!night->is_in[i])
            continue;
        enum series_state state = (enum series_state)series->states[i];
        is_known = is_known && series_is_known(state);
        is_measured = is_measured && state == SERIES_MEASURED;
        if (!series_is_known(state) || __builtin_add_overflow(sum, series->amounts[i], &sum)) {
            is_known = is_measured = false;
            continue;
        }
        if (!has_lowest || series->amounts[i] < lowest)
            lowest = series->amounts[i];
        has_lowest = true;
    }
    bool is_water = rule->kind == ALARM_WATER;
    f->from_ms = night->from_ms;
    f->until_ms = night->until_ms;
    f->is_whole = is_measured;
    f->is_known = is_water ? has_lowest : is_known;
    int64_t value = is_water ? lowest : sum;
    bool is_joule = carrier == CARRIER_HEAT || carrier == CARRIER_COOLING;
    if (value > INT64_MAX / 4000 || value < INT64_MIN / 4000)
        f->is_known = false;
    else if (is_water)
        f->value_m = value * 1000;
    else /* a quarter hour is a quarter of an hour of Wh or L, or 900 seconds of J */
        f->value_m =
            is_joule ? value * 1000 / (900 * (int64_t)night->count) : value * 4000 / (int64_t)night->count;
}

static enum status gather_night(const struct alarm_sources *s, const struct alarm_rule *rule,
    const struct park_meter *m, struct alarm_facts *f, struct error *err)
{
    struct night night;
    int64_t id;
    enum status status = series_meter(s->db, m->id, &id, err);
    if (status != ST_OK || id == 0 ||
        !find_night(alarm_sources_zone(s, m->building->site), &rule->hours, s->now_ms, &night))
        return status;
    struct series series;
    struct series_due due = series_due(m, s->now_ms);
    series_init(&series, night.day, &due);
    status = series_read(s->db, id, &series, err);
    if (status == ST_OK)
        add_night(rule, m->carrier, &night, &series, f);
    series_release(&series);
    return status;
}

/* Percent of what is allowed, in thousandths: above 100 exactly where it is beyond (collector/energy/balance.h). */
static bool share_of(
    const struct amount *gap, const struct amount *parent, struct fraction limit, int64_t *ret_m)
{
    int64_t left, whole;
    enum balance balance = balance_judge(gap, parent, limit);
    if (balance == BALANCE_UNKNOWN || !amount_is_known(gap, &left) || !amount_is_known(parent, &whole))
        return false;
    double allowed = fabs((double)whole) * (double)limit.num / (double)limit.den;
    double share_m = left == 0 ? 0 : fabs((double)left) / allowed * 100000;
    *ret_m = share_m < (double)PERCENT_MAX_M ? llround(share_m) : PERCENT_MAX_M;
    if (balance == BALANCE_BEYOND && *ret_m <= 100000)
        *ret_m = 100001;
    if (balance == BALANCE_WITHIN && *ret_m > 100000)
        *ret_m = 100000;
    return true;
}

/* Of yesterday, as far as the parent was installed. */
static enum status gather_balance(
    const struct alarm_sources *s, const struct park_meter *m, struct alarm_facts *f, struct error *err)
{
    const struct zone *zone = alarm_sources_zone(s, m->building->site);
    struct period day = periods_of(zone, PERIODS_DAY, s->now_ms);
    day.number--;
    struct periods_span span = periods_span(zone, day);
    if (span.begin_ms >= span.end_ms)
        return ST_OK;
    f->from_ms = span.begin_ms;
    f->until_ms = span.end_ms;
    struct tree tree;
    enum status status = ST_OK;
    tree_init(&tree, s->park, m->building->site, TREE_METER, span);
    for (size_t i = 0; i < tree.count && status == ST_OK; i++) {
        const struct tree_row *row = &tree.rows[i];
        struct steps whole = {.spans = &span, .count = 1};
        struct amount gap, parent;
        if (row->kind != TREE_GAP || row->meter != m)
            continue;
        status = tree_amounts(s->db, row, &whole, s->now_ms, &gap, err);
        if (status == ST_OK)
            status = tree_parent_amounts(s->db, row, &whole, s->now_ms, &parent, err);
        f->is_known = status == ST_OK && share_of(&gap, &parent, m->balance_limit, &f->value_m);
    }
    tree_release(&tree);
    return status;
}

enum status alarm_books_gather(const struct alarm_sources *s, const struct alarm_rule *rule,
    const char *meter, struct alarm_facts *f, struct error *err)
{
    const struct park_meter *m = park_meter_find(s->park, meter);
    f->is_gone = m == NULL || !park_is_installed(m, s->now_ms);
    if (f->is_gone)
        return ST_OK;
    return rule->kind == ALARM_BALANCE ? gather_balance(s, m, f, err) : gather_night(s, rule, m, f, err);
}
