#include "collector/board_facts.h"

#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>

static const struct park *park_of(const struct board_facts *f)
{
    return board_ground_model(f->ground)->park;
}

static size_t need_count(const struct park_instrument *i)
{
    return i->requires.count + i->uses.count;
}

/* What each needs never changes with a model: where it stands in told is set once. */
static void lay_out_resources(struct board_facts *f)
{
    size_t count = 0, at = 0;
    CONF_EACH (const struct park_instrument, i, park_of(f)->instruments)
        count += need_count(i);
    f->resources = mem_zalloc((count + 1) * sizeof *f->resources);
    size_t n = 0;
    CONF_EACH (const struct park_instrument, i, park_of(f)->instruments) {
        f->told[n].resources = &f->resources[at];
        f->told[n++].resource_count = need_count(i);
        for (size_t r = 0; r < need_count(i); r++) {
            bool is_required = r < i->requires.count;
            f->resources[at++] = (struct board_resource){.is_required = is_required,
                .resource = is_required ? i->required[r] : i->optional[r - i->requires.count]};
        }
    }
}

void board_facts_use(struct board_facts *f, const struct model *m)
{
    board_facts_release(f);
    f->ground = board_ground_create(m);
    f->told = mem_zalloc((m->park->instruments.count + 1) * sizeof *f->told);
    f->calendars = mem_zalloc((m->park->calendars.count + 1) * sizeof *f->calendars);
    f->out = mem_zalloc((m->park->resources.count + 1) * sizeof *f->out);
    lay_out_resources(f);
}

void board_facts_release(struct board_facts *f)
{
    for (size_t i = 0; f->ground != NULL && i < park_of(f)->calendars.count; i++)
        board_times_put(f->calendars[i].times);
    board_ground_put(f->ground);
    outage_list_release(&f->standing);
    free(f->told);
    free(f->resources);
    free(f->calendars);
    free(f->planned);
    free(f->outages);
    free(f->out);
    *f = (struct board_facts){0};
}

void board_facts_forget(struct board_facts *f)
{
    f->has_standing = false;
}

/* ---- calendars ---- */

static bool says_the_same(const struct board_times *times, const struct busy_list *busy)
{
    struct availability_list list = board_times_list(times);
    bool is_same = times != NULL && list.count == busy->count;
    for (size_t i = 0; is_same && i < list.count; i++)
        is_same = list.items[i].from_ms == busy->items[i].begin_ms &&
                  list.items[i].until_ms == busy->items[i].end_ms;
    return is_same;
}

static struct board_times *times_of(const struct busy_list *busy)
{
    struct availability_busy *items = mem_alloc((busy->count + 1) * sizeof *items);
    for (size_t i = 0; i < busy->count; i++)
        items[i] = (struct availability_busy){busy->items[i].begin_ms, busy->items[i].end_ms};
    struct board_times *times = board_times_create((struct availability_list){items, busy->count});
    free(items);
    return times;
}

static void look_at_calendars(struct board_facts *f, const struct board_sources *s)
{
    struct board_calendar *at = f->calendars;
    CONF_EACH (const struct park_calendar, c, park_of(f)->calendars) {
        at->known = calendar_desk_find(s->calendars, c->id);
        if (at->known != NULL && !says_the_same(at->times, &at->known->busy)) {
            board_times_put(at->times);
            at->times = times_of(&at->known->busy);
        }
        at++;
    }
}

static void add_bookings(
    const struct board_facts *f, struct board_told *t, const struct park_instrument *i, int64_t now_ms)
{
    if (i->calendar == NULL)
        return;
    const struct park_calendar *all = park_of(f)->calendars.items;
    const struct board_calendar *c = &f->calendars[i->calendar - all];
    t->facts.calendar = c->known != NULL
                            ? bookings_source(c->known, i->calendar->every_ms, now_ms)
                            : availability_source_at(now_ms, AVAILABILITY_NONE, i->calendar->every_ms);
    t->bookings = c->times;
}

/* ---- what it told ---- */

/* While what was told is not read: nobody knows. */
static const struct told_instrument nothing = {.power_ms = AVAILABILITY_NONE,
    .session_ms = AVAILABILITY_NONE,
    .power_garbled_ms = AVAILABILITY_NONE,
    .session_garbled_ms = AVAILABILITY_NONE};

/* Where the newest word says nothing of now, it is since garbled_ms, if that is later than it. */
static struct availability_source source_of(
    int64_t now_ms, int64_t last_ms, bool is_good, int64_t garbled_ms, int64_t period_ms)
{
    struct availability_source source = availability_source_at(now_ms, last_ms, period_ms);
    if (is_good || source.quality == SOURCE_NEVER_SEEN)
        return source;
    source.quality = SOURCE_STALE;
    if (garbled_ms <= last_ms)
        source.stale_ms = AVAILABILITY_NONE;
    else if (garbled_ms < source.stale_ms)
        source.stale_ms = garbled_ms;
    return source;
}

static void add_power(struct availability_facts *facts, const struct park_instrument *i,
    const struct told_instrument *told, int64_t now_ms)
{
    if (i->power_point == NULL)
        return;
    facts->power = source_of(
        now_ms, told->power_ms, told_is_power_good(told), told->power_garbled_ms, i->power_period_ms);
    facts->activity = told_activity_now(told, &facts->activity_since_ms);
}

static void add_session(struct availability_facts *facts, const struct park_instrument *i,
    const struct told_instrument *told, int64_t now_ms)
{
    if (told == &nothing) { /* who knows what people told of it */
        facts->session = availability_source_at(now_ms, AVAILABILITY_NONE, TOLD_SESSION_PERIOD_MS);
        return;
    }
    facts->is_session_open = told_is_session_open(told);
    if (i->session != NULL)
        facts->session = source_of(now_ms, told->session_ms, told_is_session_good(told),
            told->session_garbled_ms, TOLD_SESSION_PERIOD_MS);
    else if (facts->is_session_open)
        facts->session =
            (struct availability_source){true, SOURCE_GOOD, told->last.opened_ms, AVAILABILITY_NONE};
    if (told->last.id == 0)
        return;
    facts->session_since_ms =
        told_floor_ms(told); /* over: since somebody said so, not since an end that is inferred */
    facts->session_limit_ms = told->last.limit_ms;
    if (!facts->is_session_open && i->cooldown_ms > 0)
        facts->cooldown_until_ms = facts->session_since_ms + i->cooldown_ms;
}

/* ---- resources and outages ---- */

static void put_down(struct availability_resource *state, int64_t since_ms)
{
    if (!state->is_down || state->since_ms == AVAILABILITY_NONE || since_ms < state->since_ms)
        state->since_ms = since_ms;
    state->is_down = true;
}

static void look_at_resource(const struct board_facts *f, const struct board_sources *s,
    const struct watch *watch, struct board_resource *r)
{
    const struct park_resource *all = park_of(f)->resources.items;
    const struct board_out *out = &f->out[r->resource - all];
    r->state = (struct availability_resource){.since_ms = AVAILABILITY_NONE};
    if (r->resource->point != NULL) {
        int64_t heard_ms = AVAILABILITY_NONE;
        if (watch != NULL) {
            const struct told_resource *told = &watch->resources[r->resource - all].told;
            heard_ms = told->heard_ms;
            r->state.is_down = told->is_down;
            r->state.since_ms = told->since_ms;
        }
        r->state.source = availability_source_at(s->now_ms, heard_ms, r->resource->period_ms);
    }
    if (out->broken_ms != AVAILABILITY_NONE)
        put_down(&r->state, out->broken_ms);
    /* Planned ones of what it requires are planned ones of its own. */
    if (!r->is_required && out->planned_ms != AVAILABILITY_NONE)
        put_down(&r->state, out->planned_ms);
}

static void earliest(int64_t *since_ms, int64_t from_ms)
{
    if (*since_ms == AVAILABILITY_NONE || from_ms < *since_ms)
        *since_ms = from_ms;
}

static void add_outage(struct board_facts *f, struct board_told *t, const struct outage *o, int64_t now_ms)
{
    bool is_now = outage_state_at(o, now_ms) == OUTAGE_NOW;
    if (o->kind == OUTAGE_BROKEN && is_now && o->target_kind != OUTAGE_RESOURCE)
        earliest(&t->facts.outage_since_ms, o->from_ms);
    if (o->kind == OUTAGE_PROBLEM && is_now)
        earliest(&t->facts.problem_since_ms, o->from_ms);
    if (o->kind == OUTAGE_PLANNED) {
        MEM_GROW(f->planned, f->planned_count, f->planned_capacity);
        f->planned[f->planned_count++] = (struct availability_busy){o->from_ms, o->until_ms};
        t->facts.planned.count++;
    }
    MEM_GROW(f->outages, f->outage_count, f->outage_capacity);
    f->outages[f->outage_count++] = (struct board_outage){.id = o->id,
        .is_planned = o->kind == OUTAGE_PLANNED,
        .is_problem = o->kind == OUTAGE_PROBLEM,
        .from_ms = o->from_ms,
        .until_ms = o->until_ms == OUTAGE_UNKNOWN_END ? AVAILABILITY_NONE : o->until_ms,
        .category = o->category->code,
        .note = o->note};
    t->outage_count++;
}

/* They are in order of from_ms, and so is each list. The lists' places are set when all are there: they move as they grow. */
static void share_out(struct board_facts *f, int64_t now_ms)
{
    f->planned_count = f->outage_count = 0;
    struct board_told *t = f->told;
    CONF_EACH (const struct park_instrument, i, park_of(f)->instruments) {
        t->facts.outage_since_ms = t->facts.problem_since_ms = AVAILABILITY_NONE;
        t->facts.planned.count = t->outage_count = 0;
        for (size_t n = 0; n < f->standing.count; n++)
            if (outage_state_at(&f->standing.items[n], now_ms) <= OUTAGE_NOW &&
                outage_concerns(&f->standing.items[n], i))
                add_outage(f, t, &f->standing.items[n], now_ms);
        t++;
    }
    size_t planned = 0, outages = 0;
    for (t = f->told; t < f->told + park_of(f)->instruments.count; t++) {
        t->facts.planned.items = f->planned != NULL ? f->planned + planned : NULL;
        t->outages = f->outages != NULL ? f->outages + outages : NULL;
        planned += t->facts.planned.count;
        outages += t->outage_count;
    }
    struct board_out *out = f->out;
    CONF_EACH (const struct park_resource, r, park_of(f)->resources)
        *out++ = (struct board_out){outage_resource_since(&f->standing, r, OUTAGE_BROKEN, now_ms),
            outage_resource_since(&f->standing, r, OUTAGE_PLANNED, now_ms)};
}

/* Nothing of that changes but by an act, or where one begins or ends; and a clock may be set back. */
static enum status look_at_outages(struct board_facts *f, const struct board_sources *s, struct error *err)
{
    struct outage_list standing = {0};
    int64_t act;
    enum status status = outage_act_number(s->db, &act, err);
    if (status != ST_OK || (f->has_standing && act == f->standing_act && s->now_ms >= f->standing_ms &&
                               s->now_ms < f->standing_due_ms))
        return status;
    status = outage_standing(s->db, s->now_ms, &standing, err);
    if (status != ST_OK)
        return status;
    outage_list_release(&f->standing);
    f->standing = standing;
    f->standing_act = act;
    f->standing_ms = s->now_ms;
    f->standing_due_ms = outage_next_edge(&standing, s->now_ms);
    f->has_standing = true;
    share_out(f, s->now_ms);
    return ST_OK;
}

/* Of that instrument, and nothing else. */
static struct board_told told_of_outages(const struct board_told *t)
{
    struct board_told told = board_told_nothing();
    told.facts.outage_since_ms = t->facts.outage_since_ms;
    told.facts.problem_since_ms = t->facts.problem_since_ms;
    told.facts.planned = t->facts.planned;
    told.outages = t->outages;
    told.outage_count = t->outage_count;
    return told;
}

/* ---- all of it ---- */

/* It told, and who knows when. */
static void doubt(struct availability_source *source, int64_t now_ms)
{
    if (!source->is_configured || source->quality == SOURCE_NEVER_SEEN)
        return;
    source->quality = SOURCE_STALE;
    source->stale_ms = now_ms;
}

static void doubt_all(struct board_facts *f, int64_t now_ms)
{
    for (size_t n = 0; n < park_of(f)->instruments.count; n++) {
        struct board_told *t = &f->told[n];
        doubt(&t->facts.power, now_ms);
        doubt(&t->facts.session, now_ms);
        doubt(&t->facts.calendar, now_ms);
    }
    size_t count = 0;
    CONF_EACH (const struct park_instrument, i, park_of(f)->instruments)
        count += need_count(i);
    for (size_t r = 0; r < count; r++)
        doubt(&f->resources[r].state.source, now_ms);
}

enum status board_facts_gather(struct board_facts *f, const struct board_sources *s, struct error *err)
{
    if (park_of(f)->instruments.count == 0)
        return ST_OK;
    enum status status = look_at_outages(f, s, err);
    if (status != ST_OK)
        return status;
    const struct watch *watch =
        s->watch != NULL && s->watch->is_loaded && s->watch->park == park_of(f) ? s->watch : NULL;
    look_at_calendars(f, s);
    size_t n = 0;
    CONF_EACH (const struct park_instrument, i, park_of(f)->instruments) {
        struct board_told *t = &f->told[n], fresh = told_of_outages(t);
        const struct told_instrument *told = watch != NULL ? &watch->instruments[n].told : &nothing;
        fresh.resources = t->resources;
        fresh.resource_count = t->resource_count;
        *t = fresh;
        add_power(&t->facts, i, told, s->now_ms);
        add_session(&t->facts, i, told, s->now_ms);
        add_bookings(f, t, i, s->now_ms);
        for (size_t r = 0; r < t->resource_count; r++)
            look_at_resource(f, s, watch, &f->resources[t->resources - f->resources + r]);
        n++;
    }
    if (!s->is_clock_right)
        doubt_all(f, s->now_ms);
    return ST_OK;
}
