/* What the parts that check a bundle share. Private to collector/bundle/. */
#pragma once

#include "collector/bundle/csv.h"
#include "collector/bundle/manifest.h"
#include "collector/verify/refold.h"
#include "lib/progress.h"
#include "lib/zip.h"

/* What a stranger's readings and decisions may span: each quarter hour of it costs memory. */
#define CHECKER_REACH_MS (INT64_C(60) * 366 * 86400000)

struct checker {
    struct zip *zip;
    struct hash hash; /* of the manifest */
    struct manifest manifest;
    struct refold refold;
    struct model *model;      /* as its texts say */
    struct accepted accepted; /* the same, as the refold's database has it */
    struct bundle_subject subject;
    struct progress progress;
    struct buf part; /* the one in hand */
    /* Published, as they stand in the part. */
    struct published {
        size_t meter; /* in refold.meters */
        int64_t start_ms, amount;
        uint8_t quality;
    } * quarters;
    size_t quarter_count, quarter_capacity;
    int64_t readings, figures;
    bool has_difference;
};

/* Says a difference on standard error, as one line, and notes that there is one. */
void checker_differs(struct checker *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The part of this name into c->part, held against the manifest. ST_INVALID: it is missing or damaged. */
enum status checker_read(struct checker *c, const char *name, struct error *err);
bool checker_has(const struct checker *c, const char *name);
/* The same as CSV, which the caller closes. */
enum status checker_open(
    struct checker *c, struct csv *csv, const char *name, const char *heading, struct error *err);
/* The meter's place in refold.meters; its count: it is not there. */
size_t checker_meter(const struct checker *c, struct span id);

/* The meter's number by meters.csv; 0: it is not there. */
enum status checker_number(struct checker *c, struct span id, int64_t *ret, struct error *err);
/* What the database refuses (the same number twice) is a mistake of the part. */
enum status checker_refuse_row(const struct csv *csv, enum status status, struct error *err);
/* A row of decisions.csv into c->refold; and then all of them against one another. */
enum status checker_take_decision(struct checker *c, const struct csv *csv, struct error *err);
enum status checker_check_decisions(struct checker *c, struct error *err);

/* Every part's hash, and no part beside them. */
enum status checker_check_parts(struct checker *c, struct error *err);
/* The model, meters, points and decisions into c->refold, and the site and the period. */
enum status checker_prepare(struct checker *c, struct error *err);
/* Folds every meter and holds its quarter hours against what was published. */
enum status checker_fold(struct checker *c, struct error *err);
/* The report anew, against report.csv. */
enum status checker_report(struct checker *c, struct error *err);
