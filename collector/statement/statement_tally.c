#include "collector/statement/statement.h"

#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>

#define HOUR_MS INT64_C(3600000)

int64_t statement_effective_ms(const struct statement_hours *h)
{
    return h->part_ms[HOURS_INTERNAL] + h->part_ms[HOURS_EXTERNAL] + h->part_ms[HOURS_UNATTRIBUTED];
}

int64_t statement_effective_by_ms(const struct statement_hours *h, enum hours_evidence evidence)
{
    return h->evidence_ms[HOURS_INTERNAL][evidence] + h->evidence_ms[HOURS_EXTERNAL][evidence] +
           h->evidence_ms[HOURS_UNATTRIBUTED][evidence];
}

int64_t statement_all_ms(const struct statement_hours *h)
{
    int64_t all_ms = 0;
    for (int part = 0; part < HOURS_PARTS; part++)
        all_ms += h->part_ms[part];
    return all_ms;
}

bool statement_has_rates(const struct statement_hours *h)
{
    return h->part_ms[HOURS_UNKNOWN] * 1000 <= statement_all_ms(h) * STATEMENT_UNKNOWN_PERMILLE;
}

int64_t statement_permille(int64_t part, int64_t whole)
{
    if (whole <= 0)
        return -1;
    return (int64_t)(((__int128)part * 2000 + whole) / ((__int128)whole * 2));
}

bool statement_is_part_known(const struct statement_instrument *i, enum hours_part part)
{
    bool is_of_bookings = part == HOURS_NO_SHOW || part == HOURS_RESERVED;
    bool is_of_use = is_of_bookings || part == HOURS_TRAINING || part == HOURS_INTERNAL ||
                     part == HOURS_EXTERNAL || part == HOURS_UNATTRIBUTED || part == HOURS_IDLE;
    return !(is_of_bookings && i->unbooked_ms > 0) && !(is_of_use && !hours_tell_use(&i->book.facts));
}

bool statement_is_effective_known(const struct statement_instrument *i)
{
    return hours_tell_use(&i->book.facts);
}

int64_t statement_utilisation(const struct statement_instrument *i)
{
    return statement_is_effective_known(i) && statement_has_rates(&i->hours)
               ? statement_permille(statement_effective_ms(&i->hours), i->rated_ms)
               : -1;
}

int64_t statement_sharing_rate(const struct statement_instrument *i)
{
    return statement_has_rates(&i->hours)
               ? statement_permille(i->hours.part_ms[HOURS_EXTERNAL], statement_effective_ms(&i->hours))
               : -1;
}

int64_t statement_rated_ms(const struct zone *zone, int64_t rated_hours, struct periods_span span)
{
    struct period year = periods_of(zone, PERIODS_YEAR, span.begin_ms);
    struct periods_span of = periods_span(zone, year);
    __int128 rated = (__int128)rated_hours * HOUR_MS, length = of.end_ms - of.begin_ms;
    return (int64_t)(rated * (span.end_ms - of.begin_ms) / length -
                     rated * (span.begin_ms - of.begin_ms) / length);
}

/* ---- hours ---- */

static int64_t common_ms(int64_t a_from, int64_t a_until, int64_t b_from, int64_t b_until)
{
    int64_t from = a_from > b_from ? a_from : b_from, until = a_until < b_until ? a_until : b_until;
    return until > from ? until - from : 0;
}

static void add_row(struct statement_hours *h, const struct hours_row *row, int64_t ms)
{
    h->part_ms[row->part] += ms;
    h->evidence_ms[row->part][row->evidence] += ms;
}

static void add_hours(struct statement_hours *to, const struct statement_hours *more)
{
    for (int part = 0; part < HOURS_PARTS; part++) {
        to->part_ms[part] += more->part_ms[part];
        for (int evidence = 0; evidence < STATEMENT_EVIDENCES; evidence++)
            to->evidence_ms[part][evidence] += more->evidence_ms[part][evidence];
    }
}

static void tally_sessions(struct statement_instrument *i, const struct hours *divided)
{
    const struct hours_facts *f = &i->book.facts;
    size_t row = 0;
    i->sessions = mem_zalloc((f->session_count + 1) * sizeof *i->sessions);
    for (size_t k = 0; k < f->session_count; k++) {
        const struct hours_span *span = &f->sessions[k].span;
        int64_t from_ms = span->from_ms > f->begin_ms ? span->from_ms : f->begin_ms;
        int64_t until_ms = span->until_ms < f->end_ms ? span->until_ms : f->end_ms;
        if (from_ms >= until_ms)
            continue;
        struct statement_session *s = &i->sessions[i->session_count++];
        *s = (struct statement_session){.told = &i->book.told[k],
            .length_ms = span->until_ms - span->from_ms,
            .from_ms = from_ms,
            .until_ms = until_ms,
            .is_opened_here = span->from_ms >= f->begin_ms};
        while (row < divided->count && divided->rows[row].until_ms <= from_ms)
            row++;
        for (size_t r = row; r < divided->count && divided->rows[r].from_ms < until_ms; r++)
            add_row(&s->hours, &divided->rows[r],
                common_ms(divided->rows[r].from_ms, divided->rows[r].until_ms, from_ms, until_ms));
    }
}

static void tally_runs(struct statement_instrument *i)
{
    const struct hours_facts *f = &i->book.facts;
    size_t first = 0;
    for (size_t k = 0; k < f->activity_count; k++) {
        const struct activity_span *a = &f->activity[k];
        if (a->state != ACTIVITY_RUNNING)
            continue;
        int64_t from_ms = a->from_ms > f->begin_ms ? a->from_ms : f->begin_ms;
        int64_t until_ms = a->until_ms < f->end_ms ? a->until_ms : f->end_ms;
        i->run_ms += until_ms > from_ms ? until_ms - from_ms : 0;
        while (first < f->session_count && f->sessions[first].span.until_ms <= from_ms)
            first++;
        for (size_t s = first; s < f->session_count && f->sessions[s].span.from_ms < until_ms; s++)
            i->run_in_session_ms +=
                common_ms(f->sessions[s].span.from_ms, f->sessions[s].span.until_ms, from_ms, until_ms);
    }
}

void statement_tally(struct statement_instrument *i, const struct hours *divided)
{
    for (size_t r = 0; r < divided->count; r++)
        add_row(&i->hours, &divided->rows[r], divided->rows[r].until_ms - divided->rows[r].from_ms);
    i->unbooked_ms = hours_unbooked_ms(&i->book);
    tally_sessions(i, divided);
    tally_runs(i);
}

/* ---- sums ---- */

static void add_session(struct statement_sum *sum, const struct statement_session *s)
{
    bool is_service = s->told->class == SESSION_CLASS_SERVICE;
    sum->sessions += s->is_opened_here;
    sum->by_user[s->told->user] += s->is_opened_here && !is_service;
    sum->trainings += s->is_opened_here && s->told->class == SESSION_CLASS_TRAINING;
    sum->services += s->is_opened_here && is_service;
    sum->uses += !is_service;
    sum->session_ms += s->until_ms - s->from_ms;
    add_hours(&sum->hours, &s->hours);
    sum->wh += s->energy.wh;
    bool is_known = statement_is_energy_known(&s->energy);
    sum->known_energies += is_known;
    sum->unknown_energies += !is_known;
}

static void add_sum(struct statement_sum *to, const struct statement_sum *more)
{
    to->sessions += more->sessions;
    for (int user = 0; user <= HOURS_USER_EXTERNAL; user++)
        to->by_user[user] += more->by_user[user];
    to->trainings += more->trainings;
    to->services += more->services;
    to->uses += more->uses;
    to->session_ms += more->session_ms;
    add_hours(&to->hours, &more->hours);
    to->wh += more->wh;
    to->known_energies += more->known_energies;
    to->unknown_energies += more->unknown_energies;
}

bool statement_is_energy_known(const struct statement_energy *energy)
{
    return energy->state >= STATEMENT_MANUAL;
}

bool statement_sum_energy(const struct statement_sum *sum, int64_t *ret_wh)
{
    *ret_wh = sum->wh;
    return sum->unknown_energies == 0;
}

bool statement_sum_known_energy(const struct statement_sum *sum, int64_t *ret_wh)
{
    *ret_wh = sum->wh;
    return sum->unknown_energies > 0 && sum->known_energies > 0;
}

static int by_code(const void *a, const void *b)
{
    const struct statement_organisation *p = a, *q = b;
    if (p->code == NULL || q->code == NULL)
        return p->code == q->code ? (int)p->user - (int)q->user : p->code == NULL ? 1 : -1;
    int order = strcmp(p->code, q->code);
    return order != 0 ? order : (int)p->user - (int)q->user;
}

static struct statement_organisation *find_organisation(
    struct statement_organisations *all, const char *code, enum hours_user user)
{
    struct statement_organisation wanted = {.code = code, .user = user};
    for (size_t i = 0; i < all->count; i++)
        if (by_code(&all->items[i], &wanted) == 0)
            return &all->items[i];
    MEM_GROW(all->items, all->count, all->capacity);
    all->items[all->count] = wanted;
    return &all->items[all->count++];
}

static void sort(struct statement_organisations *all)
{
    if (all->count > 0)
        qsort(all->items, all->count, sizeof *all->items, by_code);
}

static const char *code_of(const struct told_session *told)
{
    return told->organisation[0] != '\0' ? told->organisation : NULL;
}

void statement_sum_up(struct statement_instrument *i)
{
    for (size_t k = 0; k < i->session_count; k++) {
        const struct statement_session *s = &i->sessions[k];
        struct statement_organisation *o =
            find_organisation(&i->organisations, code_of(s->told), s->told->user);
        o->instruments = 1;
        add_session(&i->sum, s);
        add_session(&o->sum, s);
    }
    sort(&i->organisations);
}

void statement_gather(struct statement_organisations *all, const struct statement_organisations *of)
{
    for (size_t k = 0; k < of->count; k++) {
        struct statement_organisation *o = find_organisation(all, of->items[k].code, of->items[k].user);
        o->instruments += of->items[k].instruments;
        add_sum(&o->sum, &of->items[k].sum);
    }
    sort(all);
}
