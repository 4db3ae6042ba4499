/*
 * Closing a month of a site (CONTRIBUTING.md, K1 to K7): what may be closed, what stands against it, and what an adjusting entry
 * is. Pure.
 *
 * Quarter hours go on as metered: late readings and decisions change them as ever. What was closed is booked, and stays:
 * what is another now comes into the first month that is open, as an adjusting entry of the month that it is about. When
 * that month is closed too its entries are, and count as booked from there on. So of each meter what is booked of all
 * months adds up to what is metered now, and nothing is booked twice.
 */
#pragma once

#include "collector/energy/amounts.h"
#include "lib/buf.h"
#include "lib/id.h"

/* ---- which month ---- */

/* Of the site. Months are those of struct period. */
struct closing_order {
    bool has_closed, has_data;
    int64_t last_month, last_until_ms; /* the last that is closed, and where it ended */
    int64_t first_month;               /* that of the first quarter hour that is decided */
    int64_t now_ms;
    int64_t behind; /* batches of the journal that are not in the books yet */
};
/* Months are closed one after another, each once, from the first that has a quarter hour; when they are over, and when all
 * that arrived is in the books. ST_INVALID says in one sentence what is expected. */
enum status closing_check_order(const struct closing_order *order, const char *site, struct period period,
    struct periods_span span, struct error *err);

/* ---- what stands against it ---- */

enum closing_kind {
    CLOSING_EXCEPTION, /* open in this month, or readings at its end that are held: nobody knows yet what they mean */
    CLOSING_UNREAD,   /* quarter hours at its end wait: what they are is still to come */
    CLOSING_COVERAGE, /* below CLOSING_COVERAGE_PERMILLE; of a meter without a profile: at its edges */
    CLOSING_BALANCE,  /* a parent's gap is beyond its limit, in either sign, or unknown */
};
#define CLOSING_COVERAGE_PERMILLE 900

struct closing_reason {
    enum closing_kind kind;
    char meter[ID_MAX + 1]; /* the parent, of a balance */
    int carrier;            /* enum park_carrier */
    /* Open exceptions and 0; quarter hours that wait and 0; coverage and what is asked, in thousandths, rounded down; the
     * gap and what is allowed either way, in base units. */
    bool is_known;
    int64_t figure, limit;
    int64_t from_ms; /* of exceptions and of what waits: where the first begins */
};

struct closing_reasons {
    struct closing_reason *items;
    size_t count, capacity;
};
void closing_reasons_release(struct closing_reasons *reasons);

/* Each adds its reason where there is one. Of nothing due there is no coverage, and it is not judged. */
void closing_judge_exceptions(
    struct closing_reasons *to, const struct park_meter *meter, int64_t count, int64_t from_ms);
/* `count` quarter hours up to the end of the month wait for a reading at or after it, the first from `from_ms` on. Not of
 * a meter without a profile, which is read when somebody comes, nor of one that was removed by then: it is read no more. */
void closing_judge_waiting(struct closing_reasons *to, const struct park_meter *meter, int64_t count,
    int64_t from_ms, int64_t end_ms);
void closing_judge_coverage(
    struct closing_reasons *to, const struct park_meter *meter, int64_t covered, int64_t due);
void closing_judge_balance(struct closing_reasons *to, const struct park_meter *parent,
    const struct amount *gap, const struct amount *amount);

/* "exception:<meter>", "waiting:<meter>", "coverage:<meter>", "balance:<meter>": by it a person overrides the reason. */
#define CLOSING_NAME_SIZE 64
void closing_reason_name(const struct closing_reason *reason, char name[static CLOSING_NAME_SIZE]);
/* "meter a: coverage 85.3 %; expected at least 90 %" */
#define CLOSING_TEXT_SIZE 256
void closing_reason_text(const struct closing_reason *reason, char text[static CLOSING_TEXT_SIZE]);

struct closing_override {
    const char *name, *why; /* borrowed */
};
/* ST_OK: each reason is overridden, by name and with a reason of its own, and nothing else is. Else ST_INVALID, with the
 * first that is wrong. */
enum status closing_check_overrides(const struct closing_reasons *reasons,
    const struct closing_override *overrides, size_t count, struct error *err);

/* ---- what is booked ---- */

/* Of a quarter hour, the version that is booked, or why there is none. */
enum {
    CLOSING_ELSEWHERE, /* the meter stood on another site */
    CLOSING_ABSENT,    /* it was not installed */
    CLOSING_WAITING,   /* it was due, and not decided */
    CLOSING_FIRST,     /* version 1, and so on */
};
/* As runs: how many, and of what, each in groups of 7 bits, the lowest first, all but the last with the top bit set.
 * Appends. */
void closing_pack(const uint32_t *codes, size_t count, struct buf *packed);
/* Takes the first run. False: there is none, or it is damaged, or of more than `max`. */
bool closing_next_run(struct span *packed, size_t max, size_t *ret_count, uint32_t *ret_code);
/* False: it is not of so many quarter hours. */
bool closing_unpack(struct span packed, uint32_t *codes, size_t count);

/* A meter's quarter hours of a month as they are, or were, with the codes of their versions. */
struct closing_quarters {
    struct series series;
    uint32_t *codes; /* series.count of them */
};
void closing_quarters_release(struct closing_quarters *q);
/* Nothing was booked of them. */
void closing_quarters_none(struct closing_quarters *q, struct periods_span span);
/* Their amount; what is elsewhere does not belong to it. */
struct amount closing_amount(const struct closing_quarters *q);

/* Whether anything of them was due, or is decided: else there is nothing to book. */
bool closing_is_due(const struct closing_quarters *q);

/* A sum of what is booked. Its parts may be negative: what is taken off. */
struct closing_sum {
    struct amount parts;
    bool is_whole; /* sum.known is the amount; else the amount is not known, and it stands beside */
};
/* What is metered. */
struct closing_sum closing_metered(const struct amount *amount);
/* An adjusting entry: of one span, what is metered now less what was booked. It is whole where every quarter hour that is
 * another was and is known; one that was elsewhere, or not installed, was booked as nothing, which is known. */
struct closing_sum closing_entry(const struct closing_quarters *booked, const struct closing_quarters *now);
/* To what is metered of a month, its entries: what is booked of it. To begin with: closing_nothing. */
void closing_add(struct closing_sum *to, const struct closing_sum *other);
static inline struct closing_sum closing_nothing(void)
{
    return (struct closing_sum){.is_whole = true};
}
