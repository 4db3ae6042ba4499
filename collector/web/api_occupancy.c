/* How full spaces are: each source by step, with utilisation; for the public masked. */
#include "collector/web/energy_query.h"

#include "collector/instrument/outage.h"
#include "collector/space/mask.h"
#include "collector/space/occupied.h"
#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>

#define QUARTERS_MAX 1000000 /* that are read for one answer */
#define VALUES_MAX 10000
#define DOOR_SOURCES 2

static const char *const door_sources[DOOR_SOURCES] = {"live", "corrected"};
static const char doors[] = "doors"; /* corrected, and live where that is not */

/* ---- what is asked ---- */

struct asked {
    struct energy_query q;
    struct steps steps;
    const char *building, *space; /* NULL = any */
};

/* An id that none of the site has. False: *ret says so. */
static bool check_ids(const struct web_context *context, const struct asked *a, struct web_answer *ret)
{
    const struct park *park = context->options->park;
    bool has_building = a->building == NULL, has_space = a->space == NULL, are_together = false;
    CONF_EACH (const struct park_building, b, park->buildings)
        has_building |= a->building != NULL && b->site == a->q.site && strcmp(b->id, a->building) == 0;
    CONF_EACH (const struct park_space, s, park->spaces) {
        bool is_it = a->space != NULL && s->building->site == a->q.site && strcmp(s->id, a->space) == 0;
        has_space |= is_it;
        are_together |= is_it && (a->building == NULL || strcmp(s->building_id, a->building) == 0);
    }
    if (!has_building || !has_space)
        *ret = answer_error(400, "bad_parameter",
            "%s: unknown value \"%.40s\"; expected the id of one of site %s",
            has_building ? "space" : "building", has_building ? a->space : a->building, a->q.site->id);
    else if (a->space != NULL && !are_together)
        *ret = answer_error(400, "bad_parameter",
            "space: \"%.40s\" is in another building; expected one of building \"%.40s\"", a->space,
            a->building);
    else
        return true;
    return false;
}

static bool is_asked(const struct asked *a, const struct park_space *s)
{
    return s->building->site == a->q.site &&
           (a->building == NULL || strcmp(a->building, s->building_id) == 0) &&
           (a->space == NULL || strcmp(a->space, s->id) == 0);
}

static size_t sources_of(const struct park_space *s)
{
    return (s->doors.count > 0 ? DOOR_SOURCES + 1 : 0) + s->sensors.count;
}

/* Everybody chooses which hours are told, and never what an answer is the sum of (mask.h). */
static bool read_masked(const struct web_request *request, struct energy_query *q, struct web_answer *ret)
{
    if (request_param(request, "step") == NULL)
        q->step = STEPS_HOUR;
    *ret = (struct web_answer){0};
    if (q->step != STEPS_HOUR)
        *ret = answer_error(
            400, "bad_parameter", "step: %s is not for everybody; expected 1h", energy_query_step(q->step));
    else if (!mask_is_hour(q->zone, q->span.begin_ms) || !mask_is_hour(q->zone, q->span.end_ms))
        *ret = answer_error(400, "bad_parameter",
            "%s: is inside an hour of the site; expected the begin of one, such as 2026-10-01 for midnight",
            mask_is_hour(q->zone, q->span.begin_ms) ? "to" : "from");
    return ret->code == 0;
}

static bool read_asked(const struct web_context *context, const struct web_request *request, bool is_masked,
    struct asked *a, struct web_answer *ret)
{
    size_t sources = 0;
    if (!energy_query_read(context, request, &a->q, ret))
        return false;
    if (a->q.span.begin_ms < OUTAGE_FIRST_MS) {
        *ret = answer_error(400, "bad_parameter", "from: is before 2000; expected a later time");
        return false;
    }
    if (is_masked && !read_masked(request, &a->q, ret))
        return false;
    a->building = request_param(request, "building");
    a->space = request_param(request, "space");
    if (!check_ids(context, a, ret))
        return false;
    CONF_EACH (const struct park_space, s, context->options->park->spaces)
        if (is_asked(a, s))
            sources += sources_of(s);
    steps_cut(&a->steps, a->q.zone, a->q.span, a->q.step);
    int64_t quarters = (a->q.span.end_ms - a->q.span.begin_ms) / PERIODS_QUARTER_HOUR_MS;
    if (sources * a->steps.count <= VALUES_MAX && (int64_t)sources * quarters <= QUARTERS_MAX)
        return true;
    *ret = answer_error(400, "too_much",
        "%zu sources of %zu steps are asked for; expected at most %d values of %d quarter hours in all: %s",
        sources, a->steps.count, VALUES_MAX, QUARTERS_MAX,
        is_masked ? "a shorter period, or one building" : "a longer step, a shorter period, or one space");
    steps_release(&a->steps);
    return false;
}

/* ---- an operator's ---- */

static json_t *people(int64_t level)
{
    return json_real((double)level / (double)LEVEL_PERSON);
}

static json_t *seconds(int64_t ms)
{
    return json_real((double)ms / 1000);
}

static json_t *millionths(int64_t share)
{
    return json_real((double)share / 1e6);
}

/* Of open hours; null where nothing was seen of them. The rate, and so their product, only of who counts people. */
static json_t *utilisation_json(const struct occupied *o, int64_t capacity, bool counts)
{
    int64_t frequency, rate = 0;
    bool is_known = window_utilisation(&o->open, capacity > 0 ? capacity : 1, &frequency, &rate);
    bool has_rate = is_known && capacity > 0 && counts;
    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "open_s", seconds(o->open_ms), "observed_s",
        seconds(o->open.observed_ms), "frequency", is_known ? millionths(frequency) : json_null(), "rate",
        has_rate ? millionths(rate) : json_null(), "utilisation",
        has_rate ? json_real((double)frequency / 1e6 * ((double)rate / 1e6)) : json_null());
}

static json_t *value_json(const struct web_context *context, const struct asked *a, struct periods_span span,
    const struct occupied *o, const struct park_space *space, bool counts, bool is_live)
{
    const struct window *w = &o->all;
    bool is_seen = w->observed_ms > 0;
    json_t *value = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "start",
        context_time(context, a->q.site->id, span.begin_ms), "end",
        context_time(context, a->q.site->id, span.end_ms), "observed_s", seconds(w->observed_ms),
        "occupied_s", seconds(w->occupied_ms), "negative_s", seconds(w->negative_ms), "mean",
        is_seen ? people(window_mean(w)) : json_null(), "min", is_seen ? people(w->min) : json_null(), "max",
        is_seen ? people(w->max) : json_null(), "open", utilisation_json(o, space->capacity, counts));
    json_object_set_new(value, "entries", is_live ? json_integer(w->entries) : json_null());
    json_object_set_new(value, "exits", is_live ? json_integer(w->exits) : json_null());
    json_object_set_new(value, "marked", json_boolean(o->is_marked));
    return value;
}

/* What of "doors" is not corrected. */
static void add_uncorrected(
    const struct web_context *context, const struct asked *a, const struct occupied *o, json_t *value)
{
    json_object_set_new(value, "uncorrected_s", seconds(o->other_ms));
    json_object_set_new(value, "uncorrected_from",
        o->other_from_ms < 0 ? json_null() : context_time(context, a->q.site->id, o->other_from_ms));
}

static enum status add_source(struct web_context *context, const struct asked *a,
    const struct park_space *space, const char *name, bool counts, json_t *sources, struct error *err)
{
    int64_t id, other = 0;
    bool are_doors = strcmp(name, doors) == 0;
    json_t *values = json_array();
    enum status status = occupied_source(context->db, space->id, are_doors ? "corrected" : name, &id, err);
    if (are_doors && status == ST_OK)
        status = occupied_source(context->db, space->id, "live", &other, err);
    for (size_t i = 0; i < a->steps.count && status == ST_OK; i++) {
        struct periods_span span = a->steps.spans[i];
        struct occupied o;
        status = occupied_read(
            context->db, id, other, &space->opening, a->q.zone, span.begin_ms, span.end_ms, &o, err);
        if (status != ST_OK)
            break;
        json_t *value = value_json(context, a, span, &o, space, counts, strcmp(name, "live") == 0);
        if (are_doors)
            add_uncorrected(context, a, &o, value);
        json_array_append_new(values, value);
    }
    json_array_append_new(sources, json_pack("{s:s, s:o}", "source", name, "values", values));
    return status;
}

static enum status add_space(struct web_context *context, const struct asked *a,
    const struct park_space *space, json_t *spaces, struct error *err)
{
    json_t *sources = json_array();
    enum status status = ST_OK;
    for (size_t i = 0; i < DOOR_SOURCES && space->doors.count > 0 && status == ST_OK; i++)
        status = add_source(context, a, space, door_sources[i], true, sources, err);
    if (space->doors.count > 0 && status == ST_OK)
        status = add_source(context, a, space, doors, true, sources, err);
    CONF_EACH (const struct park_sensor, sensor, space->sensors) {
        struct buf name = {0};
        buf_printf(&name, "%s:%s", park_sensings[sensor->kind], sensor->point);
        if (status == ST_OK)
            status = add_source(context, a, space, name.data, sensor->kind == SENSING_COUNT, sources, err);
        buf_release(&name);
    }
    json_array_append_new(
        spaces, json_pack("{s:s, s:s, s:s, s:s, s:o, s:o}", "space", space->id, "name", space->name,
                    "name_en", space->name_en, "building", space->building_id, "capacity",
                    space->capacity > 0 ? json_integer(space->capacity) : json_null(), "sources", sources));
    return status;
}

/* ---- everybody's ---- */

/* People of the best source that counts them: -1 = nobody knows, or may be told. Of what is seen less than half of a step
 * says nothing. */
static enum status count_masked(struct web_context *context, const struct asked *a,
    const struct park_space *space, struct periods_span span, int64_t *ret, struct error *err)
{
    struct buf names[DOOR_SOURCES + 1] = {{0}};
    size_t count = 0;
    *ret = -1;
    if (!mask_shows_step(a->q.zone, span, context->clock->wall_ms()))
        return ST_OK;
    CONF_EACH (const struct park_sensor, sensor, space->sensors)
        if (sensor->kind == SENSING_COUNT && count == 0)
            buf_printf(&names[count++], "%s:%s", park_sensings[sensor->kind], sensor->point);
    for (size_t i = DOOR_SOURCES; i > 0 && space->doors.count > 0; i--)
        buf_add_str(&names[count++], door_sources[i - 1]);
    enum status status = ST_OK;
    for (size_t i = 0; i < count && status == ST_OK && *ret < 0; i++) {
        int64_t id;
        struct occupied o;
        status = occupied_source(context->db, space->id, names[i].data, &id, err);
        if (status == ST_OK)
            status = occupied_read(
                context->db, id, 0, &space->opening, a->q.zone, span.begin_ms, span.end_ms, &o, err);
        if (status == ST_OK && 2 * o.all.observed_ms >= span.end_ms - span.begin_ms)
            *ret = (window_mean(&o.all) + LEVEL_PERSON / 2) / LEVEL_PERSON;
    }
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        buf_release(&names[i]);
    return status;
}

static json_t *masked(int64_t persons)
{
    return persons < 0                   ? json_null()
           : mask_hides(persons, MASK_K) ? json_pack("{s:n, s:I}", "people", "below", (json_int_t)MASK_K)
                                         : json_pack("{s:I, s:n}", "people", (json_int_t)persons, "below");
}

/* One building in one step. Its total is shown where all of it is known, and says no more than the parts do. */
static enum status add_step(struct web_context *context, const struct asked *a,
    const struct park_building *building, struct periods_span span, json_t *values, struct error *err)
{
    const struct conf_list *spaces = &context->options->park->spaces;
    int64_t *parts = mem_zalloc((spaces->count + 1) * sizeof *parts), total = 0;
    size_t count = 0;
    bool is_whole = true;
    json_t *items = json_array();
    enum status status = ST_OK;
    CONF_EACH (const struct park_space, space, *spaces) {
        if (space->building != building || !is_asked(a, space) || status != ST_OK)
            continue;
        int64_t persons;
        status = count_masked(context, a, space, span, &persons, err);
        json_array_append_new(items, json_pack("{s:s, s:o}", "space", space->id, "count", masked(persons)));
        is_whole &= persons >= 0;
        parts[count++] = persons;
        total += persons;
    }
    bool is_shown = is_whole && count > 0 && mask_shows_total(parts, count, MASK_K);
    json_array_append_new(values,
        json_pack("{s:o, s:o, s:o, s:o}", "start", context_time(context, a->q.site->id, span.begin_ms), "end",
            context_time(context, a->q.site->id, span.end_ms), "total",
            is_shown ? masked(total) : json_null(), "spaces", items));
    free(parts);
    return status;
}

static enum status add_building(struct web_context *context, const struct asked *a,
    const struct park_building *building, json_t *buildings, struct error *err)
{
    json_t *values = json_array();
    enum status status = ST_OK;
    for (size_t i = 0; i < a->steps.count && status == ST_OK; i++)
        status = add_step(context, a, building, a->steps.spans[i], values, err);
    json_array_append_new(buildings, json_pack("{s:s, s:s, s:s, s:o}", "building", building->id, "name",
                                         building->name, "name_en", building->name_en, "values", values));
    return status;
}

/* ---- the answers ---- */

static struct web_answer answer_asked(struct web_context *context, const struct asked *a, bool is_masked)
{
    struct error err;
    json_t *items = json_array();
    enum status status = context_open_db(context, &err) ? db_exec(context->db, "BEGIN", &err) : ST_STORAGE;
    bool is_begun = status == ST_OK;
    if (is_masked) {
        CONF_EACH (const struct park_building, building, context->options->park->buildings)
            if (building->site == a->q.site && status == ST_OK &&
                (a->building == NULL || strcmp(a->building, building->id) == 0))
                status = add_building(context, a, building, items, &err);
    } else {
        CONF_EACH (const struct park_space, space, context->options->park->spaces)
            if (is_asked(a, space) && status == ST_OK)
                status = add_space(context, a, space, items, &err);
    }
    if (is_begun) {
        struct error ignored;
        enum status ended = db_exec(context->db, "COMMIT", status == ST_OK ? &err : &ignored);
        status = status == ST_OK ? ended : status;
    }
    if (status == ST_OK)
        return answer_json(
            200, json_pack("{s:s, s:s, s:o, s:o, s:s, s:o}", "site", a->q.site->id, "zone", a->q.site->zone,
                     "from", context_time(context, a->q.site->id, a->q.span.begin_ms), "to",
                     context_time(context, a->q.site->id, a->q.span.end_ms), "step",
                     energy_query_step(a->q.step), is_masked ? "buildings" : "spaces", items));
    json_decref(items);
    return context_give_up_db(context, &err);
}

struct web_answer handle_occupancy(struct web_context *context, const struct web_request *request)
{
    struct asked a = {0};
    struct web_answer answer;
    if (!read_asked(context, request, false, &a, &answer))
        return answer;
    answer = answer_asked(context, &a, false);
    steps_release(&a.steps);
    return answer;
}

/* A quarter hour of a few people is a diary of each of them: hours only. */
struct web_answer handle_occupancy_public(struct web_context *context, const struct web_request *request)
{
    struct asked a = {0};
    struct web_answer answer;
    if (!read_asked(context, request, true, &a, &answer))
        return answer;
    answer = answer_asked(context, &a, true);
    steps_release(&a.steps);
    return answer;
}
