/*
 * Closing a month of a site, from the request to the rows (collector/energy/closing.h has the rules, booked.h the tables):
 * refused in one sentence, or one transaction of the closing, what is booked with it, and its entry in the log of changes.
 * A preview is the same, rolled back. Core thread, between two turns; reads 500 meters' month in a tenth of a second.
 */
#pragma once

#include "collector/bookkeeper.h"
#include "collector/energy/booked.h"
#include "lib/hash.h"

#define CLOSE_MONTH_WHY_MAX 500
#define CLOSE_MONTH_OVERRIDES_MAX 5000 /* an exception, waiting, coverage and balance of 1250 meters */
/* As JSON (close_json.h), with as many overrides that say why at full length, also in Chinese as \uXXXX. */
#define CLOSE_MONTH_JSON_MAX (6 * 1024 * 1024)

/* Texts are borrowed. */
struct close_month {
    const char *site;
    struct period period;
    const struct closing_override *overrides;
    size_t override_count;
    int64_t token; /* 0 = a person at this machine's command line */
    const char *who, *why;
    bool is_preview;
};

/* A meter, or what is another now of an earlier month of it. */
struct close_month_row {
    char meter[ID_MAX + 1];
    int carrier;               /* enum park_carrier; -1 = the park model does not have the meter now */
    int64_t month;             /* of struct period */
    struct closing_sum booked; /* what is booked by it: of the month itself, or the adjusting entry */
};

struct close_month_result {
    int64_t id; /* of the closing; of a preview 0 */
    struct period period;
    struct periods_span span;
    int64_t closed_ms, model, journal; /* as in struct booked_closing */
    struct hash seal;                  /* collector/energy/closing_seal.h; not of a preview */
    struct closing_reasons reasons;    /* what stands against it, overridden or not */
    char *refusal;                     /* of a preview: why it would not be closed; NULL = it would */
    struct close_month_row *rows,
        *entries; /* meters in the order of the park model; entries by meter, then month */
    size_t row_count, row_capacity, entry_count, entry_capacity;
};

/* ST_INVALID: refused, with why; ST_UNREACHABLE: the books are not there yet. Both, and a preview, book nothing. Any other
 * failure is that of a turn. What arrived and is not in the books is taken into them first, for CLOSE_MONTH_CATCH_UP_MS at most. */
#define CLOSE_MONTH_CATCH_UP_MS 1000
enum status close_month_run(struct bookkeeper *b, const struct clock *clock,
    const struct close_month *request, struct close_month_result *ret, struct error *err);
void close_month_result_release(struct close_month_result *r);

/* ---- private to close_month*.c ---- */

/* What of a meter's month stands against closing it. */
enum status close_month_weigh_meter(struct bookkeeper *b, const struct booked_meter *m,
    const struct closing_quarters *q, const struct amount *amount, struct closing_reasons *to,
    struct error *err);
/* And of the balances of the site. */
enum status close_month_weigh_gaps(struct bookkeeper *b, const struct park_site *site,
    struct periods_span span, int64_t now_ms, struct closing_reasons *to, struct error *err);
