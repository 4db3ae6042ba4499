#include "collector/alarm_facts.h"

#include "collector/alarm/behind.h"
#include "collector/alarm_books.h"
#include "collector/live/overview.h"
#include "collector/space/occupied.h"
#include "lib/file.h"

#include <math.h>
#include <string.h>

/* How old the last quarter hour of a space may be: one is told of once it is over. */
#define SPACE_OLD_MS (3 * ROWS_QUARTER_MS)

bool alarm_facts_are_slow(const struct alarm_rule *rule, enum alarm_target_kind kind)
{
    return rule->kind == ALARM_BASE_LOAD || rule->kind == ALARM_WATER || rule->kind == ALARM_BALANCE ||
           rule->kind == ALARM_DISK || kind == ALARM_OF_SPACE;
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

static void add_source(const struct alarm_sources *s, struct alarm_source source, struct alarm_facts *f)
{
    source.still_ms = presence_still_ms(s->presence, alarm_silent_from_ms(&source), source.until_ms);
    f->sources[f->source_count++] = source;
}

/* A point can be heard while batches are taken, and its gateway speaks (W8). */
static void add_point(const struct alarm_sources *s, const char *name, struct alarm_facts *f)
{
    const struct park_gateway *gateway = park_gateway_of(s->park, name);
    const struct presence_gateway *g = gateway != NULL ? presence_find(s->presence, gateway->id) : NULL;
    int64_t since_ms = s->taking_since_ms;
    bool speaks = g != NULL && g->offline_ms == 0 && s->presence->listening_since_ms != 0 && since_ms != 0;
    if (speaks && since_ms < s->presence->listening_since_ms)
        since_ms = s->presence->listening_since_ms;
    struct alarm_source source = {.heard_ms = heard_of(s, name),
        .since_ms = speaks ? since_ms : 0,
        .until_ms = speaks ? g->heard_ms : 0,
        .point = name,
        .back_ms = speaks ? g->back_ms : 0};
    add_source(s, source, f);
}

static void gather_silence(
    const struct alarm_sources *s, const struct alarm_target *target, struct alarm_facts *f)
{
    if (target->kind == ALARM_OF_POINT) {
        add_point(s, target->id, f);
    } else if (target->kind == ALARM_OF_GATEWAY) {
        const struct presence_gateway *g = presence_find(s->presence, target->id);
        struct alarm_source source = {.heard_ms = g != NULL ? g->heard_ms : 0,
            .since_ms = s->presence->listening_since_ms,
            .until_ms = s->now_ms};
        add_source(s, source, f);
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
    f->is_open = opening_at(&i->opening, alarm_sources_zone(s, i->building->site), s->now_ms).is_open;
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
    int64_t permille = 0, outbox_m = percent_m(s->outbox_bytes, s->outbox_limit_bytes);
    struct error why;
    f->is_known = true;
    f->value_m = percent_m(s->database_bytes, s->database_full_bytes);
    f->fullest = ALARM_REASON_DATABASE;
    if (outbox_m > f->value_m) {
        f->value_m = outbox_m;
        f->fullest = ALARM_REASON_OUTBOX;
    }
    if (file_disk_used(s->database_path, &permille, &why) == ST_OK && permille * 100 > f->value_m) {
        f->value_m = permille * 100;
        f->fullest = ALARM_REASON_DISK;
    }
}

static void gather_loss(const struct alarm_sources *s, const char *id, struct alarm_facts *f)
{
    const struct known_gateway *g = known_gateway_find(s->known, span_of(id));
    f->is_gone = park_gateway_find(s->park, id) == NULL;
    f->lost = g != NULL ? g->lost : 0;
    f->lost_ms = g != NULL ? g->lost_ms : 0;
}

static void gather_health(const struct alarm_sources *s, const struct alarm_rule *rule, struct alarm_facts *f)
{
    f->is_known = s->ills->is_known;
    f->is_unwell = s->ills->is_so[rule->own->level];
    f->lasts_ms = s->ills->taken_mono_ms - s->ills->since_mono_ms[rule->own->level];
    f->ills = s->ills->codes;
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
        return alarm_books_gather(s, rule, target->id, ret, err);
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
    case ALARM_HEALTH:
        gather_health(s, rule, ret);
        return ST_OK;
    }
    return ST_OK;
}
