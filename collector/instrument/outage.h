/*
 * Outages that people tell: of an instrument, of a resource that instruments need, of a space in which they stand.
 *
 *   broken   it fell out: from when it did until somebody closes it
 *   planned  it will be, or was, out on purpose: it ends by itself
 *   problem  of an instrument that works all the same, with something to know of
 *
 * An instrument is out while it is itself, while a resource is that it requires, or its space. Each says why in a category
 * and in words, and stays as a row, also where it is cancelled: then it never was. Which of them a model does not name any more
 * concern nobody.
 *
 *   outage          one each; until_ms INT64_MAX = nobody knows when it ends
 *   outage_touched  what was changed of the past and of now, for who has worked it out already: he deletes what he has taken up
 */
#pragma once

#include "collector/instrument/hours.h"
#include "collector/model/park.h"
#include "lib/db.h"

extern const char outage_schema[];

/* As numbers these are what the table holds. */
enum outage_kind { OUTAGE_BROKEN, OUTAGE_PLANNED, OUTAGE_PROBLEM };
enum outage_target { OUTAGE_INSTRUMENT, OUTAGE_RESOURCE, OUTAGE_SPACE };
extern const char *const outage_kinds[], *const outage_targets[]; /* names, NULL-terminated */

/* Why. The table holds the code. */
struct outage_category {
    const char *code, *name, *name_en;
};
extern const struct outage_category outage_categories[];              /* ends with a code of NULL */
const struct outage_category *outage_category_find(const char *code); /* NULL = there is none */

#define OUTAGE_NOTE_MAX 500          /* bytes */
#define OUTAGE_UNKNOWN_END INT64_MAX /* of until_ms */

struct outage {
    int64_t id;
    enum outage_kind kind;
    enum outage_target target_kind;
    char *target;              /* its id in the park model */
    int64_t from_ms, until_ms; /* half-open */
    const struct outage_category *category;
    char *note; /* what people wrote: for operators, the public is told the category */
    int64_t opened_ms;
    char *opened_by;
    int64_t closed_ms; /* when somebody said that it was over, or never was; 0 = nobody did */
    char *closed_by, *closed_note;
    bool is_cancelled;
};
void outage_release(struct outage *o);

enum outage_state { OUTAGE_AHEAD, OUTAGE_NOW, OUTAGE_OVER, OUTAGE_CANCELLED };
extern const char *const outage_states[]; /* names, NULL-terminated */
/* What is broken, or a problem, is so until it is closed, whatever the clock says. */
enum outage_state outage_state_at(const struct outage *o, int64_t now_ms);

struct outage_list {
    struct outage *items;
    size_t count, capacity;
};
void outage_list_release(struct outage_list *list);

/* ret->id is 0 where there is none. */
enum status outage_find(struct db *db, int64_t id, struct outage *ret, struct error *err);
/* Newest first: those with an id below `before`, at most `limit`. */
enum status outage_list_read(
    struct db *db, int64_t before, int64_t limit, struct outage_list *ret, struct error *err);
/* Those that are now or ahead, in order of from_ms: what the board needs. Grows with what is planned and broken only; as time
 * goes on some may be over that were not. */
enum status outage_standing(struct db *db, int64_t now_ms, struct outage_list *ret, struct error *err);
/* Those that are over or were cancelled, as of outage_list_read. */
enum status outage_over(
    struct db *db, int64_t now_ms, int64_t before, int64_t limit, struct outage_list *ret, struct error *err);

/* A number that each act changes: whoever holds what it read has to read again only where it is another. */
enum status outage_act_number(struct db *db, int64_t *ret, struct error *err);
/* When the next of `standing` begins or ends after now_ms; INT64_MAX = none does. */
int64_t outage_next_edge(const struct outage_list *standing, int64_t now_ms);

/* ---- whom they concern; pure ---- */

struct outage_place {
    const char *name, *name_en;
    const struct park_building *building;
};
/* False: the park model has none of that id. */
bool outage_place_find(
    const struct park *park, enum outage_target kind, const char *id, struct outage_place *ret);

bool outage_concerns(const struct outage *o, const struct park_instrument *instrument);
/* Since when the resource is out by what people say: of those of `standing` that are now, and of that kind, the first; INT64_MIN
 * = it is not. */
int64_t outage_resource_since(const struct outage_list *standing, const struct park_resource *resource,
    enum outage_kind kind, int64_t now_ms);

/* ---- for the hours ---- */

struct outage_spans {
    struct hours_span *items;
    size_t count, capacity;
};
void outage_spans_release(struct outage_spans *spans);
/* Of that kind and that instrument, its required resources and its space: all that touch [from_ms, until_ms), each whole, in
 * order of from_ms. What points tell of resources is not among them: told_down (collector/instrument/told.h). */
enum status outage_spans_read(struct db *db, const struct park_instrument *instrument, enum outage_kind kind,
    int64_t from_ms, int64_t until_ms, struct outage_spans *ret, struct error *err);

/* ---- what people do; outage_act.c ---- */

enum outage_act { OUTAGE_OPEN, OUTAGE_CHANGE, OUTAGE_CLOSE, OUTAGE_CANCEL };
extern const char *const outage_acts[]; /* names, NULL-terminated */

#define OUTAGE_FIRST_MS INT64_C(946684800000)    /* 2000-01-01: none began before, whatever a clock says */
#define OUTAGE_PAST_MS (366 * INT64_C(86400000)) /* how long after it began one may be told */
#define OUTAGE_AHEAD_MS (5 * 366 * INT64_C(86400000)) /* how far ahead one may be planned */

/* Texts are borrowed. */
struct outage_request {
    enum outage_act act;
    int64_t id; /* whose; unused to open one */
    /* To open one: */
    enum outage_kind kind;
    enum outage_target target_kind;
    const char *target;
    /* What is not given: of one that is opened or closed now, of one that is changed as it was. To close: until. */
    bool has_from, has_until;
    int64_t from_ms, until_ms;
    const struct outage_category *category; /* to open, change; NULL = not given */
    const char *note;                       /* to close or cancel: why; NULL = not given */
    const char *who;
};
/* Does it, within the caller's transaction. *ret_before (id 0 where it is opened) and *ret_after are the caller's to release.
 * ST_INVALID: refused, with why, and nothing was written. */
enum status outage_do(struct db *db, const struct park *park, const struct outage_request *request,
    int64_t now_ms, struct outage *ret_before, struct outage *ret_after, struct error *err);
