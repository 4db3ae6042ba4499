/*
 * What the park is: sites, gateways, buildings, tenants, spaces, meters and instruments (config/park.cfg). Loaded and
 * checked as a whole, then immutable: every thread may read it. Agents know only points; this says what a
 * point means.
 */
#pragma once

#include "collector/model/park_instrument.h"
#include "collector/model/park_space.h"
#include "lib/conf.h"
#include "lib/number.h"
#include "lib/status.h"

#include <stdbool.h>
#include <stdint.h>

struct park_site {
    struct conf_where where;
    char *id, *name, *name_en;
    char *zone;   /* IANA */
    char *region; /* grid region of the emission factors */
    int64_t headcount;
};

struct park_building {
    struct conf_where where;
    char *id, *name, *name_en;
    char *site_id;
    struct fraction area_m2; /* 0/0 = not given */
    const struct park_site *site;
};

struct park_tenant {
    struct conf_where where;
    char *id, *name, *name_en;
};

/* From when on a gateway stands elsewhere. */
struct park_move {
    struct conf_where where;
    char *from; /* RFC 3339 */
    int64_t from_ms;
    char *site_id, *building_id; /* NULL = as before; building "" = none */
    const struct park_site *site;
    const struct park_building *building;
};

/* Where a gateway stands from..until, half-open. */
struct park_stand {
    int64_t from_ms, until_ms;
    const char *site_id, *building_id; /* building: NULL = none */
    const struct park_site *site;
    const struct park_building *building;
};

struct park_gateway {
    struct conf_where where;
    char *id, *name, *name_en;
    char *site_id, *building_id; /* until the first of `changes`: use park_stand_at; building: optional */
    struct conf_list changes;    /* struct park_move */
    const struct park_site *site;
    const struct park_building *building; /* NULL = none */
    struct park_stand *stands;            /* in order of time; the first has no begin, the last no end */
    size_t stand_count;
};

enum park_carrier { CARRIER_ELECTRICITY, CARRIER_HEAT, CARRIER_COOLING, CARRIER_WATER, CARRIER_GAS };
extern const char *const park_carriers[]; /* names by enum park_carrier, NULL-terminated */
/* What registers count in: "Wh", "J" or "L" (the wire contract, "Base units"); "" = of no carrier. */
const char *park_carrier_unit(int carrier);

enum park_registers { REGISTERS_UNSAID = -1, REGISTERS_PRIMARY, REGISTERS_SECONDARY };

/* A meter's installation, from `from_ms` up to, not including, `until_ms` (INT64_MAX = still there). */
struct park_segment {
    struct conf_where where;
    char *serial;
    char *from, *until; /* RFC 3339 */
    int64_t from_ms, until_ms;
    char *point;                          /* <gateway>/<point>; NULL = read by hand */
    int64_t start_register, end_register; /* base units; -1 = not given */
    int64_t modulus;                      /* 0 = none */
    int64_t resolution;                   /* base units */
    int64_t max_rate;                     /* base units per hour, primary side */
    struct fraction ct, pt;               /* 1/1 = none */
    int registers;                        /* enum park_registers; mandatory with a ratio */
};

/* From when on a meter's readings carry other tags. */
struct park_change {
    struct conf_where where;
    char *from; /* RFC 3339; the begin of a quarter hour */
    int64_t from_ms;
    char *building_id, *tenant_id, *parent_id, *item; /* NULL = as before; "" = none (but for the building) */
    const struct park_building *building;
    const struct park_tenant *tenant;
    const struct park_meter *parent;
};

/* What a meter is from..until, half-open, on quarter hours. */
struct park_tags {
    int64_t from_ms, until_ms;
    const char *building_id, *tenant_id, *parent_id, *item; /* NULL = none */
    const struct park_building *building;
    const struct park_tenant *tenant; /* NULL = none */
    const struct park_meter *parent;  /* NULL = none */
};

struct park_meter {
    struct conf_where where;
    char *id, *name, *name_en;
    /* Until the first of `changes`, as are item, building, tenant and parent below: use park_tags_at. */
    char *building_id, *tenant_id, *parent_id; /* tenant and parent: optional */
    struct conf_list changes;                  /* struct park_change */
    int carrier;                               /* enum park_carrier */
    char *item;                                /* item code of 分项能耗, may be NULL */
    char *power;                               /* <gateway>/<point> of a gauge in W; NULL = none */
    bool has_profile;
    struct fraction balance_limit; /* share of the parent's amount */
    int64_t max_gap_ms;
    struct conf_list segments;
    const struct park_building *building;
    const struct park_tenant *tenant; /* NULL = none */
    const struct park_meter *parent;  /* NULL = none */
    char *export_of_id;
    /* What flows back through that one: its second register. It has no place of its own, and wherever that one is
     * added, this one is taken off. NULL = it counts what is drawn. */
    const struct park_meter *export_of;
    struct park_tags *tags; /* in order of time; the first has no begin, the last no end */
    size_t tag_count;
};

/* A meter whose register is counted with a sign. */
struct park_term {
    const struct park_meter *meter;
    int sign; /* +1, -1 */
};

/* A virtual meter: the sum of meters less the sum of others, which may be virtual themselves. */
struct park_virtual {
    struct conf_where where;
    char *id, *name, *name_en;     /* the id is no meter's */
    char *building_id, *tenant_id; /* tenant: optional */
    char *item;                    /* item code, may be NULL */
    struct conf_list plus, minus;  /* char *: ids */
    const struct park_building *building;
    const struct park_tenant *tenant; /* NULL = none */
    int carrier;                      /* that of all its meters */
    /* What that comes to: meters with a register, of its site, each once, in the order in which they are named. */
    struct park_term *terms;
    size_t term_count;
};

#define BASELINE_DAYS_MIN 365 /* CalTRACK Methods 2.0, 2.2.1.1; IPMVP option C: all seasons */
#define BASELINE_DAYS_MAX 3660
enum park_baseline_step { BASELINE_BY_DAY, BASELINE_BY_MONTH };
enum park_baseline_model { BASELINE_MEAN, BASELINE_HEATING, BASELINE_COOLING, BASELINE_BOTH };
extern const char *const park_baseline_steps[], *const park_baseline_models[]; /* names, NULL-terminated */

/* What a meter's energy depended on before something was done, against which it is held afterwards (ISO 50006: energy
 * baseline). Days are the site's, as numbers since 1970. */
struct park_baseline {
    struct conf_where where;
    char *id, *name, *name_en;
    char *meter_id;             /* of a meter with a register, or of a virtual one */
    char *temperature;          /* <gateway>/<point> of a gauge in degrees Celsius; NULL of BASELINE_MEAN */
    struct conf_list occupancy; /* char *: ids of spaces whose people explain energy as well; may be empty */
    char *from, *through, *reporting;
    int step, model; /* enum park_baseline_step, enum park_baseline_model */
    /* Degrees Celsius: balance temperatures that are tried, both ends included; -1 = the model has none. */
    int64_t heating_from, heating_to, cooling_from, cooling_to;
    int64_t first_day, end_day, reporting_day; /* the baseline period is half-open; the other has no end */
    const struct park_site *site;
    int carrier;
    const struct park_term *terms; /* what the meter comes to */
    size_t term_count;
    struct park_term own;             /* that of a meter which is no virtual one */
    const struct park_space **spaces; /* `occupancy` */
};

struct park {
    struct conf_list sites, buildings, tenants, gateways, spaces, meters, virtual_meters, baselines;
    struct conf_list resources, calendars, categories, instruments; /* collector/model/park_instrument.h */
    struct conf *conf;                                              /* owns the strings */
    struct park_index *index;
};

/* Loads and checks. All mistakes, in this file, are in park->conf (conf_problem_count, conf_print_problems);
 * a park with problems must not be used but may be destroyed. */
struct park *park_load(const char *path);
struct park *park_load_text(const char *name, struct span text); /* as conf_load_text does */
void park_destroy(struct park *park);                            /* accepts NULL */

const struct park_site *park_site_find(const struct park *park, const char *id); /* NULL = absent, as below */
const struct park_gateway *park_gateway_find(const struct park *park, const char *id);
/* Of an address, "<gateway>/<point>". */
const struct park_gateway *park_gateway_of(const struct park *park, const char *address);
const struct park_meter *park_meter_find(const struct park *park, const char *id);
const struct park_virtual *park_virtual_find(const struct park *park, const char *id);
const struct park_instrument *park_instrument_find(const struct park *park, const char *id);
const struct park_resource *park_resource_find(const struct park *park, const char *id);
const struct park_space *park_space_find(const struct park *park, const char *id);

/* The tags in force at a time: those of a reading are those at its time, those of a quarter hour those at its begin.
 * Pure, and a function of the file alone. */
struct park_tags park_tags_at(const struct park_meter *meter, int64_t time_ms);
const struct park_segment *park_segment_at(const struct park_meter *meter, int64_t time_ms); /* NULL = none */
const struct park_stand *park_stand_at(const struct park_gateway *gateway, int64_t time_ms);
/* From the quarter hour in which the meter's first segment begins until that in which its last one ends: INT64_MAX = it
 * is still there. Before and after nothing flows through it. Both 0 where it has no segment. */
struct park_stay {
    int64_t from_ms, until_ms;
};
struct park_stay park_stay(const struct park_meter *meter);
bool park_is_installed(const struct park_meter *meter, int64_t time_ms);
/* When after that time some meter's tags are others for the first time, or one is installed or taken away; INT64_MAX =
 * never. For whoever adds up by tags. */
int64_t park_next_change_ms(const struct park *park, int64_t time_ms);

enum park_role {
    ROLE_UNMAPPED,
    ROLE_METER_REGISTER,
    ROLE_METER_POWER,
    ROLE_TEMPERATURE,
    ROLE_INSTRUMENT_POWER, /* where it is not its meter's */
    ROLE_SESSION,
    ROLE_RESOURCE,
    ROLE_DOOR,
    ROLE_OCCUPANCY
};

/* What a point is at a time: the tags that its readings carry. Strings may be NULL (no tag). */
struct park_place {
    const char *site;
    const char *building;                     /* that of what it belongs to, else the gateway's */
    const struct park_meter *meter;           /* NULL = no meter's */
    const struct park_instrument *instrument; /* whose power or session it is; NULL = none's */
    enum park_role role;
    int64_t from_ms, until_ms; /* the answer is the same from..until, half-open: for those who cache it */
};
/* `gateway` and `point` need not be known: an unmapped point of a known gateway has the gateway's site and
 * building. Constant time in the number of points. */
struct park_place park_place(
    const struct park *park, const char *gateway, const char *point, int64_t time_ms);

/* --help for the file: every key. */
extern const struct conf_section park_section;
