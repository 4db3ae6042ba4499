#include "collector/instrument/board.h"

#include "lib/mem.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* ---- what several boards have in common ---- */

struct board_ground {
    atomic_int references;
    const struct model *model;
    struct zone **zones; /* by site */
};

struct board_times {
    atomic_int references;
    size_t count;
    struct availability_busy items[];
};

static const struct park_site *sites_of(const struct board_ground *g)
{
    return g->model->park->sites.items;
}

static const struct park_instrument *instruments_of(const struct board_ground *g)
{
    return g->model->park->instruments.items;
}

struct board_ground *board_ground_create(const struct model *m)
{
    struct board_ground *g = mem_zalloc(sizeof *g);
    g->references = 1;
    g->model = model_get(m);
    size_t count = m->park->sites.count;
    g->zones = mem_zalloc((count + 1) * sizeof *g->zones);
    for (size_t i = 0; i < count; i++)
        g->zones[i] = zone_create(sites_of(g)[i].zone);
    return g;
}

const struct model *board_ground_model(const struct board_ground *g)
{
    return g->model;
}

const struct zone *board_ground_zone(const struct board_ground *g, const struct park_instrument *i)
{
    return g->zones[i->building->site - sites_of(g)];
}

void board_ground_put(struct board_ground *g)
{
    if (g == NULL || atomic_fetch_sub(&g->references, 1) > 1)
        return;
    for (size_t i = 0; i < g->model->park->sites.count; i++)
        zone_destroy(g->zones[i]);
    free(g->zones);
    model_put(g->model);
    free(g);
}

struct board_times *board_times_create(struct availability_list list)
{
    struct board_times *t = mem_alloc(sizeof *t + list.count * sizeof t->items[0]);
    t->references = 1;
    t->count = list.count;
    if (list.count > 0)
        memcpy(t->items, list.items, list.count * sizeof t->items[0]);
    return t;
}

struct availability_list board_times_list(const struct board_times *t)
{
    return t != NULL ? (struct availability_list){t->items, t->count} : (struct availability_list){NULL, 0};
}

struct board_times *board_times_get(struct board_times *t)
{
    atomic_fetch_add(&t->references, 1);
    return t;
}

void board_times_put(struct board_times *t)
{
    if (t != NULL && atomic_fetch_sub(&t->references, 1) == 1)
        free(t);
}

/* ---- a board ---- */

/* The reference count and what the items point to lie behind the public struct, so that readers see only values. */
struct held_board {
    struct board value;
    atomic_int references;
    struct board_ground *ground;
    struct board_item *items;
    struct board_own {
        struct board_times *bookings;
        struct availability_busy *planned;
        struct board_outage *outages;
        struct board_resource *resources;
    } * own; /* of each item */
};

static struct held_board *held(const struct board *b)
{
    return (struct held_board *)(uintptr_t)b;
}

struct board_told board_told_nothing(void)
{
    return (struct board_told){.facts = {.activity_since_ms = AVAILABILITY_NONE,
                                   .session_since_ms = AVAILABILITY_NONE,
                                   .session_limit_ms = AVAILABILITY_NONE,
                                   .cooldown_until_ms = AVAILABILITY_NONE,
                                   .outage_since_ms = AVAILABILITY_NONE,
                                   .problem_since_ms = AVAILABILITY_NONE}};
}

/* NULL of nothing. */
static void *copy_of(const void *items, size_t count, size_t size)
{
    return count > 0 ? memcpy(mem_alloc(count * size), items, count * size) : NULL;
}

static void copy_lists(struct board_item *item, struct board_own *own, const struct board_told *told)
{
    own->planned =
        copy_of(told->facts.planned.items, told->facts.planned.count, sizeof *told->facts.planned.items);
    item->planned = (struct availability_list){own->planned, told->facts.planned.count};
    item->outages = own->outages = copy_of(told->outages, told->outage_count, sizeof *told->outages);
    item->outage_count = told->outage_count;
    for (size_t i = 0; i < told->outage_count; i++) {
        own->outages[i].category = mem_strdup(told->outages[i].category);
        own->outages[i].note = mem_strdup(told->outages[i].note);
    }
    item->resources = own->resources =
        copy_of(told->resources, told->resource_count, sizeof *told->resources);
    item->resource_count = told->resource_count;
}

/* Those that are over may stand at the begin. */
static struct availability_list not_over(struct availability_list list, int64_t now_ms)
{
    while (list.count > 0 && list.items->until_ms <= now_ms) {
        list.items++;
        list.count--;
    }
    return list;
}

static struct availability answer_to(struct availability_facts facts, const struct board_told *told)
{
    struct availability_resource few[16], *states = few;
    if (told->resource_count > sizeof few / sizeof few[0])
        states = mem_alloc(told->resource_count * sizeof *states);
    size_t required = 0, optional = 0;
    for (size_t i = 0; i < told->resource_count; i++)
        if (told->resources[i].is_required)
            states[required++] = told->resources[i].state;
    for (size_t i = 0; i < told->resource_count; i++)
        if (!told->resources[i].is_required)
            states[required + optional++] = told->resources[i].state;
    facts.required = states;
    facts.required_count = required;
    facts.optional = states + required;
    facts.optional_count = optional;
    struct availability answer = availability_at(&facts);
    if (states != few)
        free(states);
    return answer;
}

static void fill(struct board_item *item, struct board_own *own, const struct board_ground *ground,
    const struct board_told *told, int64_t now_ms)
{
    struct availability_facts facts = told->facts;
    if (told->bookings != NULL)
        own->bookings = board_times_get(told->bookings);
    facts.now_ms = now_ms;
    facts.instrument = item->instrument;
    facts.zone = item->zone = board_ground_zone(ground, item->instrument);
    facts.bookings = item->bookings = not_over(board_times_list(own->bookings), now_ms);
    copy_lists(item, own, told);
    item->answer = answer_to(facts, told);
    item->power = facts.power;
    item->session = facts.session;
    if (facts.session.is_configured)
        item->session.quality = item->answer.session_quality;
    item->calendar = facts.calendar;
    bool is_known = availability_is_fresh(&facts.power) && facts.activity != ACTIVITY_UNKNOWN;
    item->activity = is_known ? facts.activity : ACTIVITY_UNKNOWN;
    item->activity_since_ms = is_known ? facts.activity_since_ms : AVAILABILITY_NONE;
    item->is_session_open = facts.is_session_open && availability_is_fresh(&item->session);
    item->session_since_ms = facts.session_since_ms;
}

struct board *board_make(struct board_ground *ground, const struct board_told *told, int64_t now_ms,
    uint64_t number, bool is_clock_synchronised)
{
    struct held_board *h = mem_zalloc(sizeof *h);
    size_t count = ground->model->park->instruments.count;
    h->references = 1;
    atomic_fetch_add(&ground->references, 1);
    h->ground = ground;
    h->items = mem_zalloc((count + 1) * sizeof *h->items);
    h->own = mem_zalloc((count + 1) * sizeof *h->own);
    for (size_t i = 0; i < count; i++) {
        h->items[i].instrument = &instruments_of(ground)[i];
        fill(&h->items[i], &h->own[i], ground, &told[i], now_ms);
    }
    h->value = (struct board){.model = ground->model,
        .made_ms = now_ms,
        .number = number,
        .is_clock_synchronised = is_clock_synchronised,
        .items = h->items,
        .count = count};
    return &h->value;
}

struct board_item *board_items(struct board *b)
{
    return held(b)->items;
}

const struct board_item *board_find(const struct board *b, const char *instrument)
{
    const struct park_instrument *found = park_instrument_find(b->model->park, instrument);
    return found != NULL ? &b->items[found - instruments_of(held(b)->ground)] : NULL;
}

static void release_own(struct board_own *own, const struct board_item *item)
{
    for (size_t i = 0; i < item->outage_count; i++) {
        free((char *)(uintptr_t)own->outages[i].category);
        free((char *)(uintptr_t)own->outages[i].note);
    }
    board_times_put(own->bookings);
    free(own->planned);
    free(own->outages);
    free(own->resources);
}

void board_put(const struct board *b)
{
    if (b == NULL || atomic_fetch_sub(&held(b)->references, 1) > 1)
        return;
    struct held_board *h = held(b);
    for (size_t i = 0; i < b->count; i++)
        release_own(&h->own[i], &h->items[i]);
    board_ground_put(h->ground);
    free(h->own);
    free(h->items);
    free(h);
}

/* ---- where the newest lies ---- */

struct board_box {
    pthread_mutex_t mutex; /* around the pointer, never around work */
    const struct board *newest;
};

struct board_box *board_box_create(void)
{
    struct board_box *box = mem_zalloc(sizeof *box);
    pthread_mutex_init(&box->mutex, NULL);
    return box;
}

void board_box_destroy(struct board_box *box)
{
    if (box == NULL)
        return;
    board_put(box->newest);
    pthread_mutex_destroy(&box->mutex);
    free(box);
}

void board_box_set(struct board_box *box, struct board *b)
{
    pthread_mutex_lock(&box->mutex);
    const struct board *before = box->newest;
    box->newest = b;
    pthread_mutex_unlock(&box->mutex);
    board_put(before);
}

const struct board *board_box_get(struct board_box *box)
{
    pthread_mutex_lock(&box->mutex);
    const struct board *b = box->newest;
    if (b != NULL)
        atomic_fetch_add(&held(b)->references, 1);
    pthread_mutex_unlock(&box->mutex);
    return b;
}
