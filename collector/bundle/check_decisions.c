#include "collector/bundle/checker.h"
#include "lib/mem.h"
#include "lib/program.h"
#include "lib/rfc3339.h"

#include <stdlib.h>
#include <string.h>

static bool read_kind(struct span text, enum ruling_kind *ret)
{
    for (int kind = RULING_WITHDRAWAL; kind <= RULING_READING; kind++)
        if (span_is(text, decided_kind_name((enum ruling_kind)kind))) {
            *ret = (enum ruling_kind)kind;
            return true;
        }
    return false;
}

static bool read_times(struct span text, int64_t **ret, size_t *ret_count)
{
    char *copy = mem_strndup(text.at, text.len), *rest = NULL;
    size_t capacity = 0;
    bool is_good = true;
    *ret = NULL;
    *ret_count = 0;
    for (char *one = strtok_r(copy, " ", &rest); one != NULL && is_good; one = strtok_r(NULL, " ", &rest)) {
        MEM_GROW(*ret, *ret_count, capacity);
        is_good = rfc3339_parse(one, &(*ret)[*ret_count]) &&
                  (*ret_count == 0 || (*ret)[*ret_count - 1] < (*ret)[*ret_count]);
        ++*ret_count;
    }
    free(copy);
    return is_good;
}

static bool read_ruling(const struct csv *csv, struct decided *d)
{
    struct ruling *r = &d->ruling;
    int64_t forced;
    bool is_good = csv_read_time(csv, 3, &r->from_ms) && csv_read_time(csv, 4, &r->until_ms) &&
                   r->from_ms <= r->until_ms && csv_read_some(csv, 5, &r->end) &&
                   csv_read_some(csv, 6, &r->next.start) && csv_read_some(csv, 7, &r->next.modulus) &&
                   csv_read_some(csv, 8, &r->next.resolution) && csv_read_some(csv, 9, &r->next.max_rate) &&
                   csv_read_some(csv, 10, &r->next.p) && csv_read_some(csv, 11, &r->next.q) &&
                   csv_read_some(csv, 13, &r->energy) && csv_read_some(csv, 14, &r->count) &&
                   csv_read_some(csv, 16, &d->withdraws) && csv_read_int(csv, 17, &forced) &&
                   csv_read_time(csv, 18, &d->time_ms) && csv_read_some(csv, 19, &d->token) &&
                   !csv_is_none(csv, 20);
    d->is_forced = is_good && forced != 0;
    return is_good;
}

/* What the fold reckons with must be what the ledger can: a segment as a person's would be checked. */
static bool is_sound(const struct ruling *r)
{
    if (r->kind != RULING_RESET && r->kind != RULING_REPLACED)
        return r->energy >= 0 && r->energy <= SEGMENT_COUNT_MAX && r->count >= -SEGMENT_COUNT_MAX &&
               r->count <= SEGMENT_COUNT_MAX;
    struct segment next = r->next;
    next.from_ms = r->from_ms;
    next.until_ms = INT64_MAX;
    next.has_start = true;
    return segment_problem(&next) == NULL && r->end >= -SEGMENT_COUNT_MAX && r->end <= SEGMENT_COUNT_MAX;
}

static bool spans_its_times(const struct ruling *r)
{
    return r->time_count == 0 || (r->times[0] == r->from_ms && r->times[r->time_count - 1] == r->until_ms);
}

/* With its own number, so that those that undo others still name them. */
static enum status set_number(struct checker *c, int64_t number, struct error *err)
{
    struct db_stmt *set = db_keep(c->refold.db,
        "INSERT OR REPLACE INTO sqlite_sequence(rowid, name, seq) VALUES((SELECT rowid FROM"
        " sqlite_sequence WHERE name = 'ledger_decision'), 'ledger_decision', ?1)");
    db_bind_int(set, 1, number - 1);
    return db_run(set, err);
}

enum status checker_take_decision(struct checker *c, const struct csv *csv, struct error *err)
{
    struct decided d = {.who = csv_read_text(csv, 20).at,
        .why = csv_read_text(csv, 21).at,
        .serial = csv_is_none(csv, 12) ? NULL : csv_read_text(csv, 12).at};
    int64_t number, *times = NULL;
    enum status status = checker_number(c, csv_read_text(csv, 1), &d.meter, err);
    if (status != ST_OK)
        return status;
    bool is_good = csv_read_int(csv, 0, &number) && number > 0 && d.meter != 0 &&
                   read_kind(csv_read_text(csv, 2), &d.ruling.kind) && read_ruling(csv, &d) &&
                   checker_is_near(c, d.ruling.from_ms) && checker_is_near(c, d.ruling.until_ms) &&
                   read_times(csv_read_text(csv, 15), &times, &d.ruling.time_count) && is_sound(&d.ruling);
    d.ruling.times = times;
    is_good = is_good && (d.ruling.kind == RULING_OUTLIER) == (d.ruling.time_count > 0) &&
              spans_its_times(&d.ruling);
    if (!is_good)
        status = csv_refuse(csv, "no decision", err);
    if (status == ST_OK)
        status = set_number(c, number, err);
    if (status == ST_OK)
        status = checker_refuse_row(csv, decided_add(c->refold.db, &d, err), err);
    if (status == ST_OK && d.ruling.id != number)
        status = csv_refuse(csv, "decisions are not in the order of their numbers", err);
    free(times);
    return status;
}

/* ---- against one another ---- */

struct in_force {
    int64_t meter, reach_ms; /* where it, and all of its meter that begin before it, have ended */
    const struct ruling *ruling;
};

static int by_begin(const void *a, const void *b)
{
    const struct in_force *x = a, *y = b;
    if (x->meter != y->meter)
        return x->meter < y->meter ? -1 : 1;
    if (x->ruling->from_ms != y->ruling->from_ms)
        return x->ruling->from_ms < y->ruling->from_ms ? -1 : 1;
    return (x->ruling->id > y->ruling->id) - (x->ruling->id < y->ruling->id);
}

static enum status tell_pair(const struct ruling *a, const struct ruling *b, struct error *err)
{
    bool is_in_order = a->id < b->id;
    return error_set(err, ST_INVALID, "decisions.csv: %lld and %lld are about the same",
        (long long)(is_in_order ? a : b)->id, (long long)(is_in_order ? b : a)->id);
}

/* `all[at]` against those of its meter that stand before it, and that may reach it. */
static enum status check_before(struct in_force *all, size_t at, struct error *err)
{
    struct in_force *last = at > 0 && all[at - 1].meter == all[at].meter ? &all[at - 1] : NULL;
    const struct ruling *r = all[at].ruling;
    all[at].reach_ms = last != NULL && last->reach_ms > r->until_ms ? last->reach_ms : r->until_ms;
    for (size_t i = at; i-- > 0 && all[i].meter == all[at].meter && all[i].reach_ms >= r->from_ms;)
        if (ruling_touches(all[i].ruling, r))
            return tell_pair(all[i].ruling, r, err);
    return program_is_asked_to_end() ? error_set(err, ST_TIMEOUT, "stopped") : ST_OK;
}

static enum status check_all(const struct decided_set *set, struct in_force *all, struct error *err)
{
    enum status status = ST_OK;
    for (size_t i = 0; i < set->count; i++)
        all[i] = (struct in_force){.meter = set->meters[i], .ruling = &set->items[i]};
    if (set->count > 0)
        qsort(all, set->count, sizeof *all, by_begin);
    for (size_t i = 0; i < set->count && status == ST_OK; i++) {
        bool is_one_too_many =
            i >= CHECKER_DECISIONS_MAX && all[i - CHECKER_DECISIONS_MAX].meter == all[i].meter;
        status = is_one_too_many ? error_set(err, ST_INVALID,
                                       "decisions.csv: a meter has more than %d decisions in force",
                                       CHECKER_DECISIONS_MAX)
                                 : check_before(all, i, err);
    }
    return status;
}

/* The fold counts on it: two decisions in force of one meter have nothing in common (E11). */
enum status checker_check_decisions(struct checker *c, struct error *err)
{
    struct decided_set set;
    enum status status = decided_load(c->refold.db, 0, &set, err);
    if (status != ST_OK)
        return status;
    struct in_force *all = mem_alloc((set.count + 1) * sizeof *all);
    status = check_all(&set, all, err);
    free(all);
    decided_release(&set);
    return status;
}
