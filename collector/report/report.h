/*
 * The energy report of a site for a day, month, quarter or year: everything that is said in it, as numbers. Every
 * format is written from this one struct (collector/report/tables.h), so that none can differ.
 *
 * Amounts are the latest versions of the books' quarter hours (collector/energy/series.h). What is not known is no 0:
 * a figure says for how long it knows nothing, and what is known stands beside it. The same database, settings and
 * period give the same report: nothing in it is of the clock.
 */
#pragma once

#include "collector/baseline/expected.h"
#include "collector/energy/booked.h"
#include "collector/energy/tree.h"
#include "collector/report/compare.h"
#include "collector/report/curve.h"
#include "collector/report/lines.h"
#include "collector/report/part.h"
#include "collector/report/sufficiency.h"

struct report_options {
    struct db *db; /* a reader; the report reads within one transaction of it */
    bool
        is_alone; /* without earlier periods and baselines, as if there were none, and without the log of changes */
    const struct park *park;
    const struct rates *rates;
    const struct park_site *site;
    struct period period;
    int64_t now_ms; /* UTC, by the clock: what ends after it is not due yet, but as happened_now() says */
    bool is_so_far; /* of a period that is under way what is over, as if it ended there */
    /* Told of each meter; false = stop. NULL = nobody. */
    bool (*on_meter)(void *user_data, size_t done, size_t all);
    void *user_data;
};

struct report_earlier {
    bool is_there; /* there is such a period */
    struct period period;
    struct amount amount;
    struct comparison comparison;
};

struct report_figure {
    struct part part;
    bool is_difference; /* something was taken off: of lines that are not whole, what is known says nothing */
    struct amount amount;
    struct lines lines; /* not of PART_GAP */
    struct curve_demand demand;
    struct curve_mean night;
    struct sufficiency sufficiency;
    struct report_earlier before, year_before; /* not of meters and gaps */
};

/* Of one carrier that is measured here. */
struct report_carrier {
    int carrier; /* enum park_carrier */
    struct lines_plan plan;
    struct report_figure *figures; /* by kind (enum part_kind), each as the park has them */
    size_t count, capacity;
    /* Of the site's total: */
    struct amount *curve; /* by report.steps */
    struct curve_profile profile;
};

/* A group or a virtual meter as the API has it, see metered.h. */
struct report_metered {
    enum tree_by by;
    bool is_virtual;
    int carrier;    /* enum park_carrier */
    const char *id; /* of the building, tenant, virtual meter, item; of a carrier its name */
    struct amount amount;
    size_t left_out_count; /* virtual meters that do not count in the group */
};

/* What the books say beside amounts (collector/ledger/event.h), as far as it stands and touches the period. */
struct report_event {
    const struct park_meter *meter;
    int kind;                  /* enum event_kind */
    int64_t from_ms, until_ms; /* INT64_MAX = it has no end */
};

struct report_baseline {
    const struct park_baseline *park;
    struct expected_model model;
    struct periods_span span; /* of the report's period, what is of the reporting period; may be empty */
    struct avoided avoided;
};

/* What is booked of a meter in a month that is closed, or in the first that is not (collector/energy/closing.h). */
struct report_booked {
    int64_t month; /* of struct period */
    bool is_closed;
    char meter[ID_MAX + 1];
    const struct park_meter *park; /* NULL: the park model does not have it now */
    struct closing_sum metered;    /* of the month itself: as it was closed, or is now */
    struct closing_sum entries;    /* of earlier months */
};

struct report_entry {
    int64_t booked_in, month;
    char meter[ID_MAX + 1];
    const struct park_meter *park;
    struct closing_sum before, after, entry;
};

/* What stood against closing a month. */
struct report_overridden {
    int64_t month;
    char *name, *what, *why;
};

/* What a person decided of a meter (collector/ledger/decided_list.h), up to the end of the period. */
struct report_decision {
    int64_t id;
    const struct park_meter *meter;
    const char *kind, *state;
    int64_t from_ms, until_ms, time_ms;
    bool is_of_period;   /* it touches the period */
    bool is_replacement; /* of the meter, with what follows of the next */
    int64_t modulus, resolution;
    struct fraction ratio;
    /* As far as its kind says it; counts are of the register, energy in base units. */
    bool has_end, has_energy, has_count;
    int64_t end, start, energy, count, readings, withdraws;
    char *serial, *who, *why; /* owned; serial NULL = not told */
    int64_t undone_by;        /* 0 = by none */
    int64_t quarters;         /* that it changed; -1 = not known */
};

struct report {
    const struct park *park;
    const struct park_site *site;
    struct period period;
    struct axis axis;
    struct zone *zone;
    struct steps steps;     /* of a day its hours, of a year its months, else days */
    struct steps stretches; /* as part_cut() cuts the period */
    int64_t now_ms;         /* what ends after it is not due yet (happened.h) */
    int64_t as_of_ms;       /* up to when the books have what arrived (happened.h); 0 = they have nothing */
    bool is_alone;          /* by what is of the period alone: without earlier ones, and the log of changes */
    int64_t
        decided_ms; /* the end of the last quarter hour of the period that is decided; 0 = there is none */
    struct report_carrier carriers[FACTOR_CARRIERS];
    size_t carrier_count;
    struct report_metered *metered;
    size_t metered_count, metered_capacity;
    struct report_event *events;
    size_t event_count, event_capacity;
    struct report_baseline *baselines;
    size_t baseline_count;
    struct booked_closings closings; /* of the site, all */
    struct report_booked *booked;
    size_t booked_count, booked_capacity;
    struct report_entry *entries;
    size_t entry_count, entry_capacity;
    struct report_overridden *overridden;
    size_t overridden_count, overridden_capacity;
    struct report_decision *decisions; /* by meter, then newest first */
    size_t decision_count, decision_capacity;
};

/* Borrows park and rates. Blocks for the disk. On failure nothing is to be released: ST_TIMEOUT where it was stopped,
 * ST_INVALID where a sum is too large, ST_STORAGE. */
enum status report_build(const struct report_options *options, struct report *ret, struct error *err);
void report_release(struct report *report);
/* The meter's quarter hours of a span, as of the report; the caller releases them. */
enum status report_read_meter(struct db *db, const struct report *report, const struct park_meter *meter,
    struct periods_span span, struct series *ret, struct error *err);
/* Whether the meter stands on its site some time of the period. */
bool report_has(const struct report *report, const struct park_meter *meter);

/* The carrier's figures of one kind. */
#define REPORT_EACH(figure, carrier, wanted)                       \
    for (const struct report_figure *figure = (carrier)->figures;  \
         figure < (carrier)->figures + (carrier)->count; figure++) \
        if (figure->part.kind == (wanted))
