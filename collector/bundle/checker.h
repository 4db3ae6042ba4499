/* What the parts that check a bundle share. Private to collector/bundle/. */
#pragma once

#include "collector/bundle/csv.h"
#include "collector/bundle/manifest.h"
#include "collector/verify/refold.h"
#include "lib/progress.h"
#include "lib/zip.h"

/* How far from the period a stranger's readings and decisions may lie: each quarter hour costs room. */
#define CHECKER_REACH_MS (INT64_C(60) * 366 * 86400000)
/* Decisions in force of one meter: each is held against those about the same time. */
#define CHECKER_DECISIONS_MAX 10000

#define CHECKER_NO_ROW 0xff

struct checker {
    struct zip *zip;
    struct hash hash; /* of the manifest */
    struct manifest manifest;
    struct checker_part { /* those of the manifest, by name */
        const char *name;
        size_t at; /* in the manifest, and in the file */
        bool is_read;
    } * parts;
    struct refold refold;
    struct model *model;      /* as its texts say */
    struct accepted accepted; /* the same, as the refold's database has it */
    struct bundle_subject subject;
    struct progress progress;
    struct buf part; /* the one in hand */
    /* Published of the meter in hand, by quarter hours of the period. */
    struct published {
        int64_t *amounts;
        uint8_t *qualities; /* CHECKER_NO_ROW: nothing */
        size_t count;
    } published;
    /* Of the meter in hand: those of its quarter hours that have more versions than one, in order. */
    struct versions {
        struct versions_row {
            size_t at; /* of the period's quarter hours */
            int64_t version, amount;
            uint8_t quality;
        } * items;
        size_t count, capacity;
    } versions;
    struct closed { /* in order of ids */
        struct closed_month {
            int64_t id, month;
            struct periods_span span;
            struct hash previous, seal;
            bool is_sealed;
        } * items;
        size_t count, capacity;
    } closed;
    int64_t quarters, readings, figures, seals, bookings;
    char last_seal[HASH_TEXT_SIZE];
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
/* Takes each row of such a part. */
enum status checker_each_row(struct checker *c, const char *name, const char *heading,
    enum status (*take)(struct checker *c, const struct csv *csv, struct error *err), struct error *err);
/* Is the time less than CHECKER_REACH_MS from the period? */
bool checker_is_near(const struct checker *c, int64_t time_ms);

/* The meter's number by meters.csv; 0: it is not there. */
enum status checker_number(struct checker *c, struct span id, int64_t *ret, struct error *err);
/* What the database refuses (the same number twice) is a mistake of the part. */
enum status checker_refuse_row(const struct csv *csv, enum status status, struct error *err);
/* A row of decisions.csv into c->refold; and then all of them against one another. */
enum status checker_take_decision(struct checker *c, const struct csv *csv, struct error *err);
enum status checker_check_decisions(struct checker *c, struct error *err);

/* A field that names a quality. */
bool checker_read_quality(struct span text, uint8_t *ret);
/* Closings, overrides and what is booked into c->refold; each closing against its seal. */
enum status checker_closings(struct checker *c, struct error *err);
/* What is booked of the meter in hand, against the versions of its quarter hours; these against what was published. */
enum status checker_booked(struct checker *c, const struct meters_item *item, struct error *err);
/* Says what is booked of quarter hours that are not here. */
enum status checker_booked_elsewhere(struct checker *c, struct error *err);

/* Every part's hash, and no part beside them. */
enum status checker_check_parts(struct checker *c, struct error *err);
/* The model, meters, points and decisions into c->refold, and the site and the period. */
enum status checker_prepare(struct checker *c, struct error *err);
/* Folds every meter and holds its quarter hours against what was published: one meter at a time. */
enum status checker_fold(struct checker *c, struct error *err);
/* The report anew, against report.csv. */
enum status checker_report(struct checker *c, struct error *err);
