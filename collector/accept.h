/*
 * Whether the park model as its files say it now may take the place of the version that was accepted last: what is new
 * may, what changes the past only by a decision (collector/model/difference.h, collector/access/decisions.h). A first
 * start accepts what it reads.
 */
#pragma once

#include "collector/access/decisions.h"
#include "collector/model/version.h"
#include "collector/settings.h"

/* The files that the settings name, checked for the ledger as well. Never NULL: with problems (model_problem_count) it must
 * not be used. */
struct model *acceptance_load(const struct collector_settings *settings);

enum verdict {
    VERDICT_FIRST,   /* there is no version yet */
    VERDICT_SAME,    /* what counts is the same */
    VERDICT_LAWFUL,  /* nothing of the past changes */
    VERDICT_DECIDED, /* something does, and it was decided */
    VERDICT_REFUSED  /* something does, and it was not */
};

struct acceptance {
    enum verdict verdict;
    const struct model *model;      /* that was judged; a reference */
    struct version base;            /* number 0 where there is none */
    const struct model *base_model; /* NULL where there is none */
    struct differences differences; /* of both models */
    bool has_closed;                /* a month is closed */
    char *gone;                     /* what was booked and is in the files no more (K9); NULL: nothing */
    struct decision decision;       /* where VERDICT_DECIDED */
    struct decision_step step;
};

/* Reads only. `db`: of the collector, any connection; `database_path`: its file. Takes a reference of `m`. */
enum status acceptance_judge(struct db *db, const char *database_path, const struct model *m, int64_t now_ms,
    struct acceptance *ret, struct error *err);
void acceptance_release(struct acceptance *a);
/* The number of the version that this makes, or of the one that stays. */
int64_t acceptance_number(const struct acceptance *a);
/* Writes the version in a transaction of its own, unless what counts is the same. Not for what is refused. */
enum status acceptance_record(const struct acceptance *a, struct db *db, int64_t now_ms, struct error *err);
/* To the log: the version and what changed, and where it is refused each change of the past. */
void acceptance_log(const struct acceptance *a);
/* "; ..." of what is decided: what becomes of closed months (CONTRIBUTING.md, K7); "" where none is. */
const char *acceptance_closed_note(const struct acceptance *a);
/* ST_INVALID, in one sentence, where it is refused. */
enum status acceptance_refusal(const struct acceptance *a, struct error *err);
