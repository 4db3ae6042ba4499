/*
 * Instruments that are shared, what they need and where their bookings are: part of collector/model/park.h. None of it is
 * evidence of energy. Thresholds and points count from when they are accepted on: what was seen by others stays.
 */
#pragma once

#include "collector/model/opening.h"
#include "lib/conf.h"
#include "lib/number.h"

#include <stdbool.h>
#include <stdint.h>

struct park_building;
struct park_meter;
struct park_site;
struct park_space;

/* What instruments need of a building. Its state is told by a point, or by a person. */
struct park_resource {
    struct conf_where where;
    char *id, *name, *name_en;
    char *building_id;
    int kind;                  /* enum park_resource_kind */
    char *point;               /* <gateway>/<point> of a state; NULL = a person tells */
    struct conf_list up, down; /* char *: values of the state; any other tells nothing */
    int64_t period_ms;         /* how often the point tells it, at least */
    char *contact;             /* who is asked; NULL = not given */
    const struct park_building *building;
};

enum park_resource_kind {
    RESOURCE_POWER,
    RESOURCE_CHILLED_WATER,
    RESOURCE_WATER,
    RESOURCE_GAS,
    RESOURCE_COMPRESSED_AIR,
    RESOURCE_VENTILATION,
    RESOURCE_NETWORK,
    RESOURCE_OTHER
};
extern const char *const park_resource_kinds[]; /* names by enum park_resource_kind, NULL-terminated */

/* Where bookings are: one of url, url_file and file. */
struct park_calendar {
    struct conf_where where;
    char *id, *name, *name_en;
    char *site_id;       /* by whose clocks times without a zone, and whole days, are read */
    char *url;           /* http or https, without a password in it */
    char *url_file;      /* whose first line is the URL, where that is the secret */
    char *file;          /* .ics, written by somebody else */
    char *user;          /* with password_file: of the URL; NULL = none */
    char *password_file; /* whose first line is the password */
    int64_t every_ms;    /* how often it is read */
    const struct park_site *site;
};

struct park_category {
    struct conf_where where;
    char *id, *name, *name_en;
};

/* What it means that an instrument is off. */
enum park_off { OFF_AVAILABLE, OFF_NEEDS_WARMUP, OFF_UNAVAILABLE };
extern const char *const park_offs[]; /* names by enum park_off, NULL-terminated */

struct park_instrument {
    struct conf_where where;
    char *id, *name, *name_en;
    char *building_id, *space_id, *category_id; /* space: optional */
    /* What people are told: NULL = nothing. */
    char *model, *contact, *location, *location_en, *booking_url;
    char *terms, *terms_en, *training, *training_en, *charges, *charges_en;
    char *owner, *owner_en; /* that manages it */
    char *owner_code;       /* of that legal entity, as sessions name it: others are external */
    bool is_shared;
    char *open; /* as written; NULL = always */
    int64_t minimum_slot_ms;
    int64_t rated_hours; /* a year */
    /* Activity: by power, where there is a point of it (`power`, else that of `meter`). */
    char *meter_id; /* whose register is its energy */
    char *power;    /* <gateway>/<point> of a gauge in W */
    int64_t power_period_ms;
    struct fraction off_w, standby_w, exit_w, enter_w; /* 0/0 = not given; in order, each below the next */
    int64_t enter_ms, exit_ms;
    int off_means; /* enum park_off; -1 = not given, without power */
    /* Claims */
    char *session; /* <gateway>/<point> of a state; NULL = told by the API, or not at all */
    int64_t max_session_ms, preparation_ms, post_processing_ms, pause_ms, grace_ms, cooldown_ms;
    char *calendar_id;
    struct conf_list requires, uses; /* char *: ids of resources that it cannot, and can, do without */

    const struct park_building *building;
    const struct park_space *space; /* NULL = none */
    const struct park_category *category;
    const struct park_calendar *calendar;              /* NULL = none */
    const struct park_meter *meter;                    /* NULL = none */
    const char *power_point;                           /* `power`, else the meter's; NULL = none */
    const struct park_resource **required, **optional; /* `requires` and `uses` */
    struct opening opening;                            /* of `open` */
    int64_t off_mw, standby_mw, exit_mw, enter_mw;     /* the thresholds in milliwatts */
};
