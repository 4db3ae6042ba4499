#include "collector/statement/session_energy.h"

#include "collector/ledger/instant.h"
#include "collector/ledger/meters.h"
#include "lib/mem.h"

#include <stdlib.h>

#define SHARE 10 /* of a session, up to which its neighbours may be apart */

enum statement_energy_state session_energy_judge(int64_t gap_ms, int64_t session_ms, bool is_manual)
{
    return is_manual                      ? STATEMENT_MANUAL
           : gap_ms <= session_ms / SHARE ? STATEMENT_MEASURED
                                          : STATEMENT_ESTIMATED;
}

static int by_time(const void *a, const void *b)
{
    const struct instant *p = a, *q = b;
    return (p->time_ms > q->time_ms) - (p->time_ms < q->time_ms);
}

static const struct instant *at(const struct instant *all, size_t count, int64_t time_ms)
{
    struct instant wanted = {.time_ms = time_ms};
    return bsearch(&wanted, all, count, sizeof *all, by_time);
}

static struct statement_energy energy_of(
    const struct statement_session *s, const struct instant *begin, const struct instant *end)
{
    struct statement_energy energy = {.state = STATEMENT_UNKNOWN};
    int64_t wh;
    if (!begin->is_known || !end->is_known || begin->baseline_ms != end->baseline_ms ||
        __builtin_sub_overflow(end->energy, begin->energy, &wh))
        return energy;
    int64_t gap_ms = begin->gap_ms > end->gap_ms ? begin->gap_ms : end->gap_ms;
    energy.state = session_energy_judge(gap_ms, s->length_ms, begin->is_manual || end->is_manual);
    energy.wh = wh;
    return energy;
}

static enum status find(
    struct db *db, const struct park_meter *meter, struct instant *instants, size_t count, struct error *err)
{
    int64_t id = 0;
    struct meters_item item;
    bool is_whole;
    enum status status = series_meter(db, meter->id, &id, err);
    if (status != ST_OK || id == 0)
        return status;
    if ((status = meters_look(&item, meter, id, db, err)) != ST_OK)
        return status;
    status = instant_find(db, &item.books, instants, count, &is_whole, err);
    meters_release_item(&item);
    return status;
}

enum status session_energy_read(struct db *db, struct statement_instrument *i, struct error *err)
{
    const struct park_meter *meter = i->instrument->meter;
    if (meter == NULL || i->session_count == 0)
        return ST_OK;
    struct instant *instants = mem_zalloc(2 * i->session_count * sizeof *instants);
    size_t count = 0;
    for (size_t k = 0; k < i->session_count; k++) {
        instants[count++].time_ms = i->sessions[k].from_ms;
        instants[count++].time_ms = i->sessions[k].until_ms;
    }
    qsort(instants, count, sizeof *instants, by_time);
    enum status status = find(db, meter, instants, count, err);
    for (size_t k = 0; k < i->session_count && status == ST_OK; k++) {
        struct statement_session *s = &i->sessions[k];
        s->energy = energy_of(s, at(instants, count, s->from_ms), at(instants, count, s->until_ms));
    }
    free(instants);
    return status;
}
