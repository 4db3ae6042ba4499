/*
 * Which instrument can be had now: the answer for each of them at one instant, with what it is made of. Made by the core
 * after a commit, at most a few times a second and at least once; everyone else reads it. Immutable; readers hold a
 * reference for as long as they use it.
 */
#pragma once

#include "collector/instrument/availability.h"
#include "collector/model/model.h"

/* An outage that is open, or planned, of an instrument or of what it requires. */
struct board_outage {
    int64_t id;
    bool is_planned, is_problem; /* neither: it is broken; a problem: it works all the same */
    int64_t from_ms, until_ms;   /* until: AVAILABILITY_NONE = nobody knows */
    const char *category;
    const char *note; /* what people wrote: for operators; the public is told the category */
};

struct board_resource {
    const struct park_resource *resource;
    struct availability_resource state;
    bool is_required;
};

struct board_item {
    const struct park_instrument *instrument; /* of the board's model */
    const struct zone *zone;                  /* of its site; NULL = UTC */
    struct availability answer;
    enum activity_state activity; /* unknown where it is not fresh */
    int64_t activity_since_ms;    /* AVAILABILITY_NONE = not known */
    struct availability_source power, session, calendar;
    bool is_session_open; /* as judged: one that was forgotten is not */
    int64_t session_since_ms;
    struct availability_list bookings; /* that are not over, as far as the calendar is read */
    struct availability_list planned;  /* planned outages that are not over */
    const struct board_outage *outages;
    size_t outage_count;
    const struct board_resource *resources;
    size_t resource_count;
};

struct board {
    const struct model *model; /* a reference */
    int64_t made_ms;           /* UTC; of every answer */
    uint64_t number;           /* grows by one with every board */
    bool is_clock_synchronised;
    const struct board_item *items; /* in the order of the park model */
    size_t count;
};

/* A board is made each second: one that is older says nothing of now. */
#define BOARD_OLD_MS INT64_C(30000)
static inline bool board_is_old(const struct board *b, int64_t now_ms)
{
    return now_ms - b->made_ms > BOARD_OLD_MS;
}

/* NULL = no such instrument. */
const struct board_item *board_find(const struct board *b, const char *instrument);

/* ---- how one is made ---- */

/* What boards of one model have in common: the model, of which it holds a reference, and the zones of its sites. Boards
 * hold it; any thread puts it back. */
struct board_ground;
struct board_ground *board_ground_create(const struct model *m);
const struct model *board_ground_model(const struct board_ground *g);
const struct zone *board_ground_zone(const struct board_ground *g, const struct park_instrument *i);
void board_ground_put(struct board_ground *g); /* accepts NULL */

/* Times that one board after the other shows, such as the bookings of a calendar: immutable, counted. */
struct board_times;
struct board_times *board_times_create(struct availability_list list);  /* copies it; in order of from_ms */
struct availability_list board_times_list(const struct board_times *t); /* of NULL: none */
struct board_times *board_times_get(struct board_times *t);             /* one more reference */
void board_times_put(struct board_times *t);                            /* accepts NULL */

/* What is told of one instrument at that instant. Zeroed but for the times that are none: board_told_nothing. */
struct board_told {
    /* Of this all but now_ms, instrument, zone, bookings, required and optional, which come from what follows. */
    struct availability_facts facts;
    struct board_times *bookings; /* borrowed; the board takes a reference of its own; NULL = none */
    const struct board_outage *outages;
    size_t outage_count;
    const struct board_resource *resources;
    size_t resource_count;
};
struct board_told board_told_nothing(void);

/* A board with the answers to that, of every instrument of the ground's model in its order; all of it is copied. To be
 * put back by board_put, or given to board_box_set. */
struct board *board_make(struct board_ground *ground, const struct board_told *told, int64_t now_ms,
    uint64_t number, bool is_clock_synchronised);
/* To be changed before others have it. */
struct board_item *board_items(struct board *b);

/* ---- where the newest lies; any thread ---- */

struct board_box;
struct board_box *board_box_create(void);
void board_box_destroy(struct board_box *box);              /* accepts NULL */
void board_box_set(struct board_box *box, struct board *b); /* takes the reference */
const struct board *board_box_get(struct board_box *box);   /* NULL = none yet; the caller puts it back */
void board_put(const struct board *b);                      /* accepts NULL */
