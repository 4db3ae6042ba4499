/* Rooms and areas that people use, and what counts people there: part of collector/model/park.h. */
#pragma once

#include "collector/model/opening.h"
#include "lib/conf.h"

#include <stdint.h>

struct park_building;

/* A counter of people: two cumulative counts, which may wrap and start anew. What goes into one space by it may come out of
 * another, which then names the same points the other way round. */
struct park_door {
    struct conf_where where;
    char *id, *name, *name_en; /* the id is unique in its space */
    char *in, *out;            /* <gateway>/<point> of registers, into and out of this space */
    int64_t max_rate;          /* persons per minute: what exceeds it is nobody */
    int64_t modulus;           /* 0 = none */
    int64_t period_ms; /* how often the counts are told, at least; 0 = not given: PARK_DOOR_PERIOD_MS */
};
#define PARK_DOOR_PERIOD_MS INT64_C(300000)

enum park_sensing { SENSING_COUNT, SENSING_BINARY, SENSING_CO2, SENSING_WIFI };
extern const char *const park_sensings[]; /* names by enum park_sensing, NULL-terminated */

/* What else tells of people. Kinds are never mixed. */
struct park_sensor {
    struct conf_where where;
    char *point; /* <gateway>/<point> */
    int kind;    /* enum park_sensing */
    int64_t period_ms;
    int64_t hold_ms; /* SENSING_BINARY: how long somebody is taken to stay after the last sign of him */
    int64_t
        limit; /* SENSING_CO2, SENSING_WIFI: above it somebody is there; 0 = not given: PARK_CO2_LIMIT, 0 */
};
#define PARK_CO2_LIMIT 800 /* ppm: about twice what is outside */

#define SPACE_NO_RESET (-1)

struct park_space {
    struct conf_where where;
    char *id, *name, *name_en;
    char *building_id;
    int64_t capacity; /* 0 = not given */
    char *open;       /* as written; NULL = always */
    char *reset;      /* as written */
    struct conf_list doors, sensors;
    const struct park_building *building;
    struct opening opening; /* of `open` */
    int reset_min;          /* minute of the day at which nobody is there; SPACE_NO_RESET */
};

/* The first sensor that counts people in it; NULL = none. */
const struct park_sensor *park_space_counter(const struct park_space *space);
