/*
 * The statement of a site's shared instruments for a day, month, quarter or year: hours, sessions and energy of each, and of each
 * organisation that used them, with what the evaluation of open sharing (大型科研仪器开放共享) asks for. Every format is written
 * from this one struct (collector/statement/tables.h).
 *
 * Hours are those of collector/instrument/hours.h, in milliseconds: the parts of an instrument add up to the period, exactly, and
 * so do their kinds of evidence; statements of days add up to that of their month. Of a period that is not over, the statement is of
 * what has passed. The same database, settings and period give the same statement.
 */
#pragma once

#include "collector/energy/amounts.h"
#include "collector/instrument/hours_facts.h"
#include "collector/instrument/outage.h"
#include "collector/model/park.h"
#include "collector/model/periods.h"

/* What is not known may be up to so many thousandths of the period: above it rates, which would be of too little, are not
 * told (a choice of ours: the evaluation of open
 * sharing names no limit). */
#define STATEMENT_UNKNOWN_PERMILLE 50

#define STATEMENT_EVIDENCES (EVIDENCE_IMPORTED + 1)

struct statement_hours {
    int64_t part_ms[HOURS_PARTS];
    int64_t evidence_ms[HOURS_PARTS]
                       [STATEMENT_EVIDENCES]; /* of each part, how it is known: they add up to it */
};
/* 有效机时: internal, external, and of nobody that is known. */
int64_t statement_effective_ms(const struct statement_hours *h);
/* Of what is effective. */
int64_t statement_effective_by_ms(const struct statement_hours *h, enum hours_evidence evidence);

int64_t statement_all_ms(const struct statement_hours *h); /* the period */
bool statement_has_rates(const struct statement_hours *h);

/* Energy of sessions (design, 7.12): U at the end less U at the begin, as far as it lies in the period. U is linear between the
 * meter's readings; where those beside both ends are at most a tenth of the session apart it is measured, else estimated. */
enum statement_energy_state {
    STATEMENT_NO_METER,
    STATEMENT_UNKNOWN, /* an exception or a missing reading lies inside, or it is not over */
    STATEMENT_MANUAL,  /* rests on what a person entered or stated */
    STATEMENT_ESTIMATED,
    STATEMENT_MEASURED
};
extern const char *const statement_energy_states[]; /* names */
struct statement_energy {
    enum statement_energy_state state;
    int64_t wh; /* 0 where it is not known */
};
bool statement_is_energy_known(const struct statement_energy *energy);

struct statement_session {
    const struct told_session *told;
    int64_t length_ms;         /* of the whole session; of one that is open until now */
    int64_t from_ms, until_ms; /* of it, what lies in the period */
    bool is_opened_here;       /* in the period: there it is counted */
    struct statement_hours hours;
    struct statement_energy energy;
};

/* What sessions of one kind come to. Counted are those that were opened in the period; maintenance (class "service") is
 * nobody's use, whoever does it (CONTRIBUTING.md, I9), so that `sessions` are those by user and `services` together. */
struct statement_sum {
    int64_t sessions, by_user[HOURS_USER_EXTERNAL + 1], trainings, services;
    int64_t uses; /* that touch the period, but for maintenance */
    int64_t session_ms;
    struct statement_hours hours;
    int64_t wh, known_energies, unknown_energies; /* what is known; of how many sessions it is, and is not */
};

/* An organisation by its code, as its users are inside or outside of the legal entity that owns the instrument. */
struct statement_organisation {
    const char *code; /* NULL = not told; borrowed of the statement */
    enum hours_user user;
    size_t instruments; /* of how many it had sessions */
    struct statement_sum sum;
};
struct statement_organisations {
    struct statement_organisation *items; /* by code, then user; the one that was not told last */
    size_t count, capacity;
};

struct statement_instrument {
    const struct park_instrument *instrument;
    struct hours_book book;
    int64_t
        rated_ms; /* of the rated hours of the year, the share of the period: periods add up to the year */
    struct statement_hours hours;
    int64_t unbooked_ms; /* of the period, how long bookings are not known (hours_unbooked_ms) */
    int64_t run_ms,
        run_in_session_ms;    /* running by its power: the sensor's word beside that of the records */
    struct statement_sum sum; /* of all its sessions */
    struct statement_session *sessions;
    size_t session_count;
    struct statement_organisations organisations;
    bool has_energy; /* it has a meter of its own */
    struct amount energy;
};

struct statement {
    const struct park *park;
    const struct park_site *site;
    struct period period;
    struct periods_span span;
    struct zone *zone;
    int64_t now_ms;   /* by which it is reckoned */
    int64_t until_ms; /* the end of the period, or of what has passed of it */
    int64_t as_of_ms; /* up to when the books have what arrived; 0 = they have nothing */
    struct statement_instrument *instruments; /* in the park's order, shared or not */
    size_t count;
    struct statement_organisations organisations; /* over all of them */
    struct outage_list outages; /* that touch what has passed of the period and concern one of them, by id */
};

struct statement_options {
    struct db *db; /* a reader; read within one transaction of it */
    const struct park *park;
    const struct park_site *site;
    struct period period;
    int64_t clock_ms;                         /* UTC, by the clock */
    const struct park_instrument *instrument; /* this one alone; NULL = the site's */
    bool is_without_energy;                   /* of sessions: that takes the fold of a meter once more */
    /* Told after each instrument; false = stop. NULL = nobody. */
    bool (*on_instrument)(void *user_data, size_t done, size_t all);
    void *user_data;
};

/* Borrows park and site. Blocks for the disk. On failure nothing is to be released: ST_TIMEOUT where it was stopped, ST_INVALID
 * with *ret_is_ahead set where the period has not begun. */
enum status statement_build(
    const struct statement_options *options, struct statement *ret, bool *ret_is_ahead, struct error *err);
void statement_release(struct statement *s);

/* ---- pure; statement_tally.c ---- */

/* The share of the rated hours of a year for a span of it: of spans that follow each other the shares add up. */
int64_t statement_rated_ms(const struct zone *zone, int64_t rated_hours, struct periods_span span);
/* What its division comes to; the book is set. */
void statement_tally(struct statement_instrument *i, const struct hours *divided);
/* A session into the sums of its instrument and its organisation; after its energy is known. */
void statement_sum_up(struct statement_instrument *i);
/* The energy of a sum's sessions, of those that touch the period, in Wh: told where it is known of each. Where it is not, what is
 * known, if anything is. Energy that nobody measured is not known. */
bool statement_sum_energy(const struct statement_sum *sum, int64_t *ret_wh);
bool statement_sum_known_energy(const struct statement_sum *sum, int64_t *ret_wh);
/* An instrument's organisations into those of all. */
void statement_gather(struct statement_organisations *all, const struct statement_organisations *of);
/* Of rated hours what was effective; of what was effective the external part. -1 = too much is unknown, or it is of nothing. */
int64_t statement_utilisation(const struct statement_instrument *i);
int64_t statement_sharing_rate(const struct statement_instrument *i);
/* Whether it is known what the part comes to: not of what depends on bookings where they are not, or on use where nothing
 * tells of it (hours_tell_use). What is known of it is hours.part_ms, so that these add up. */
bool statement_is_part_known(const struct statement_instrument *i, enum hours_part part);
/* Whether what was effective is known: where anything tells of use. */
bool statement_is_effective_known(const struct statement_instrument *i);
/* In thousandths, rounded half away from zero; -1 = of nothing there is no share. */
int64_t statement_permille(int64_t part, int64_t whole);
