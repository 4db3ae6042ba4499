#include "collector/alarm_facts.h"

#include "collector/alarm/behind.h"
#include "collector/energy/balance.h"
#include "collector/energy/tree.h"
#include "collector/live/overview.h"
#include "collector/space/occupied.h"
#include "lib/file.h"

#include <math.h>
#include <string.h>

#define QUARTER_MS PERIODS_QUARTER_HOUR_MS
/* How old the last quarter hour of a space may be: one is told of once it is over. */
#define SPACE_OLD_MS (3 * QUARTER_MS)
/* Of a share whose whole is nothing: as much as is told at all. */
#define PERCENT_MAX_M INT64_C(1000000000)

bool alarm_facts_are_slow(const struct alarm_rule *rule, enum alarm_target_kind kind)
{
    return rule->kind == ALARM_BASE_LOAD || rule->kind == ALARM_WATER || rule->kind == ALARM_BALANCE ||
           rule->kind == ALARM_DISK || kind == ALARM_OF_SPACE;
}

static const struct zone *zone_of(const struct alarm_sources *s, const struct park_site *site)
{
    const struct park_site *first = s->park->sites.items;
    return s->zones[site - first];
}

/* ---- readings ---- */

/* "<gateway>/<point>"; NULL = never heard. */
static const struct known_point *point_of(const struct alarm_sources *s, const char *name)
{
    const char *slash = strchr(name, '/');
    const struct known_gateway *g =
        slash != NULL ? known_gateway_find(s->known, (struct span){name, (size_t)(slash - name)}) : NULL;
    return g != NULL ? known_point_find(s->known, g, span_of(slash + 1)) : NULL;
}

/* When it was read last, or arrived: what a gateway had kept is heard when it is delivered. 0 = never. */
static int64_t heard_of(const struct alarm_sources *s, const char *name)
{
    const struct known_point *p = point_of(s, name);
    if (p == NULL)
        return 0;
    return p->quality == QUALITY_GOOD && p->time_ms > p->arrived_ms ? p->time_ms : p->arrived_ms;
}

/* A gauge as it is now, in thousandths: fresh, and read by a clock that was right. */
static bool gauge_of(
    const struct alarm_sources *s, const char *name, const struct park_segment *segment, int64_t *ret_m)
{
    const struct known_point *p = point_of(s, name);
    if (p == NULL || p->kind != READING_GAUGE || p->quality != QUALITY_GOOD)
        return false;
    int64_t period_ms = presence_period_ms(presence_find(s->presence, p->gateway->name), p->name);
    double value = overview_primary_w(segment, p->value) * 1000;
    if (s->now_ms - p->time_ms > overview_fresh_ms(period_ms) || !(fabs(value) < 9e15))
        return false;
    *ret_m = llround(value);
    return true;
}

/* A point can be heard while batches are taken, and its gateway speaks (W8). */
static void add_point(const struct alarm_sources *s, const char *name, struct alarm_facts *f)
{
    const struct park_gateway *gateway = park_gateway_of(s->park, name);
    const struct presence_gateway *g = gateway != NULL ? presence_find(s->presence, gateway->id) : NULL;
    int64_t since_ms = s->taking_since_ms;
    bool speaks = g != NULL && !g->said_offline && s->presence->listening_since_ms != 0 && since_ms != 0;
    if (speaks && since_ms < s->presence->listening_since_ms)
        since_ms = s->presence->listening_since_ms;
    if (speaks && since_ms < g->back_ms)
        since_ms = g->back_ms;
    f->sources[f->source_count++] =
        (struct alarm_source){heard_of(s, name), speaks ? since_ms : 0, speaks ? g->heard_ms : 0};
}

static void gather_silence(
    const struct alarm_sources *s, const struct alarm_target *target, struct alarm_facts *f)
{
    if (target->kind == ALARM_OF_POINT) {
        add_point(s, target->id, f);
    } else if (target->kind == ALARM_OF_GATEWAY) {
        const struct presence_gateway *g = presence_find(s->presence, target->id);
        f->sources[f->source_count++] = (struct alarm_source){
            g != NULL ? g->heard_ms : 0, s->presence->listening_since_ms, s->now_ms};
    } else {
        const char *points[ALARM_METER_POINTS];
        const struct park_meter *m = park_meter_find(s->park, target->id);
        int count = m != NULL ? alarm_meter_points(m, s->now_ms, points) : 0;
        f->is_gone = count == 0;
        for (int i = 0; i < count; i++)
            add_point(s, points[i], f);
    }
}

static enum status gather_people(
    const struct alarm_sources *s, const char *space, struct alarm_facts *f, struct error *err)
{
    int64_t id;
    struct space_row row;
    bool is_there = false;
    enum status status = occupied_source(s->db, space, "live", &id, err);
    if (status == ST_OK && id != 0)
        status = rows_last(s->db, id, s->now_ms, &row, &is_there, err);
    f->is_known = is_there && row.has_persons && s->now_ms - (row.start_ms + ROWS_QUARTER_MS) <= SPACE_OLD_MS;
    f->value_m = f->is_known ? row.persons * 1000 : 0;
    return status;
}

static enum status gather_level(const struct alarm_sources *s, const struct alarm_target *target,
    struct alarm_facts *f, struct error *err)
{
    if (target->kind == ALARM_OF_SPACE)
        return gather_people(s, target->id, f, err);
    if (target->kind == ALARM_OF_POINT) {
        f->is_known = gauge_of(s, target->id, NULL, &f->value_m);
        return ST_OK;
    }
    const struct park_meter *m = park_meter_find(s->park, target->id);
    f->is_gone = m == NULL || m->power == NULL;
    if (!f->is_gone)
        f->is_known = gauge_of(s, m->power, park_segment_at(m, s->now_ms), &f->value_m);
    return ST_OK;
}

/* ---- nights and days ---- */

/* The quarter hours of the newest night that is over, of the day in which it lies. */
struct night {
    struct periods_span day;
    bool is_in[4 * 26]; /* by quarter hour of the day: is it the night's? */
    size_t count;
};

static bool lay_night(const struct zone *zone, const struct alarm_night *hours, struct period day,
    int64_t now_ms, struct night *ret)
{
    *ret = (struct night){.day = periods_span(zone, day)};
    size_t i = 0;
    int64_t end_ms = INT64_MAX;
    for (int64_t at_ms = ret->day.begin_ms; at_ms < ret->day.end_ms && i < sizeof ret->is_in;
         at_ms += QUARTER_MS, i++) {
        int quarter = periods_quarter_of_day(zone, at_ms);
        ret->is_in[i] = quarter >= hours->from && quarter < hours->until;
        ret->count += ret->is_in[i];
        if (ret->is_in[i])
            end_ms = at_ms + QUARTER_MS;
    }
    return ret->count > 0 && end_ms <= now_ms;
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
        !find_night(zone_of(s, m->building->site), &rule->hours, s->now_ms, &night))
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
    const struct zone *zone = zone_of(s, m->building->site);
    struct period day = periods_of(zone, PERIODS_DAY, s->now_ms);
    day.number--;
    struct periods_span span = periods_span(zone, day);
    if (span.begin_ms >= span.end_ms)
        return ST_OK;
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

static enum status gather_books(const struct alarm_sources *s, const struct alarm_rule *rule, const char *id,
    struct alarm_facts *f, struct error *err)
{
    const struct park_meter *m = park_meter_find(s->park, id);
    f->is_gone = m == NULL || !park_is_installed(m, s->now_ms);
    if (f->is_gone)
        return ST_OK;
    return rule->kind == ALARM_BALANCE ? gather_balance(s, m, f, err) : gather_night(s, rule, m, f, err);
}

/* ---- instruments, clocks, disks, losses ---- */

static bool is_fresh(const struct availability_source *source)
{
    return source->quality == SOURCE_GOOD || source->quality == SOURCE_LATE;
}

static void gather_running(const struct alarm_sources *s, const char *id, struct alarm_facts *f)
{
    const struct park_instrument *i = park_instrument_find(s->park, id), *first = s->park->instruments.items;
    f->is_gone = i == NULL || i->power_point == NULL;
    const struct board_facts *board = &s->board->facts;
    if (f->is_gone || board->ground == NULL || board_ground_model(board->ground)->park != s->park)
        return;
    const struct availability_facts *told = &board->told[i - first].facts;
    f->is_known = told->power.is_configured && is_fresh(&told->power) && told->activity != ACTIVITY_UNKNOWN;
    f->is_running = told->activity == ACTIVITY_RUNNING;
    f->has_hours = i->open != NULL;
    f->is_open = opening_at(&i->opening, zone_of(s, i->building->site), s->now_ms).is_open;
    f->has_session = i->session != NULL;
    f->is_session_known = is_fresh(&told->session);
    f->is_session_open = told->is_session_open;
}

static void gather_clock(
    const struct alarm_sources *s, const struct alarm_target *target, struct alarm_facts *f)
{
    if (target->kind == ALARM_OF_COLLECTOR) {
        f->is_known = true;
        f->is_synchronised = s->is_clock_synchronised;
        return;
    }
    const struct presence_gateway *g = presence_find(s->presence, target->id);
    f->is_gone = park_gateway_find(s->park, target->id) == NULL;
    f->is_known = presence_is_online(g, s->now_ms) && g->version[0] != '\0'; /* it told its state */
    f->is_synchronised = g != NULL && g->is_clock_synchronised;
}

static int64_t percent_m(int64_t part, int64_t whole)
{
    if (part >= whole)
        return 100000;
    return part < INT64_MAX / 100000 ? part * 100000 / whole : 0;
}

/* The fullest of what can be full: 100 percent is where nothing is taken any more, so that each limit of a rule comes before. What
 * cannot be told of the disk leaves the limits of our own. */
static void gather_disk(const struct alarm_sources *s, struct alarm_facts *f)
{
    int64_t permille = 0, most_m = percent_m(s->database_bytes, s->database_full_bytes);
    int64_t outbox_m = percent_m(s->outbox_bytes, s->outbox_limit_bytes);
    struct error why;
    if (outbox_m > most_m)
        most_m = outbox_m;
    if (file_disk_used(s->database_path, &permille, &why) == ST_OK && permille * 100 > most_m)
        most_m = permille * 100;
    f->is_known = true;
    f->value_m = most_m;
}

static void gather_loss(const struct alarm_sources *s, const char *id, struct alarm_facts *f)
{
    const struct known_gateway *g = known_gateway_find(s->known, span_of(id));
    f->is_gone = park_gateway_find(s->park, id) == NULL;
    f->lost = g != NULL ? g->lost : 0;
    f->lost_ms = g != NULL ? g->lost_ms : 0;
}

enum status alarm_facts_gather(const struct alarm_sources *s, const struct alarm_rule *rule,
    const struct alarm_target *target, struct alarm_facts *ret, struct error *err)
{
    *ret = (struct alarm_facts){.now_ms = s->now_ms, .is_clock_right = s->is_clock_right};
    switch ((enum alarm_kind)rule->kind) {
    case ALARM_NO_DATA:
        gather_silence(s, target, ret);
        return ST_OK;
    case ALARM_THRESHOLD:
        return gather_level(s, target, ret, err);
    case ALARM_BASE_LOAD:
    case ALARM_WATER:
    case ALARM_BALANCE:
        return gather_books(s, rule, target->id, ret, err);
    case ALARM_LEFT_RUNNING:
        gather_running(s, target->id, ret);
        return ST_OK;
    case ALARM_CLOCK:
        gather_clock(s, target, ret);
        return ST_OK;
    case ALARM_DISK:
        gather_disk(s, ret);
        return ST_OK;
    case ALARM_LOSS:
        gather_loss(s, target->id, ret);
        return ST_OK;
    }
    return ST_OK;
}
