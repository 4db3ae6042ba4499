#include "collector/statement/statement.h"

#include "collector/report/happened.h"
#include "collector/statement/session_energy.h"
#include "lib/mem.h"

#include <stdlib.h>

const char *const statement_energy_states[] = {
    "no_meter", "unknown", "manual", "estimated", "measured", NULL};

static enum status read_energy(const struct statement_options *o, const struct statement *s,
    struct statement_instrument *i, struct error *err)
{
    const struct park_meter *meter = i->instrument->meter;
    if (meter == NULL)
        return ST_OK;
    i->has_energy = true;
    struct series_due due = series_due(meter, s->now_ms);
    struct series series;
    int64_t id = 0;
    series_init(&series, s->span, &due);
    enum status status = series_meter(o->db, meter->id, &id, err);
    if (status == ST_OK && id != 0)
        status = series_read(o->db, id, &series, err);
    if (status == ST_OK)
        amounts_of(&series, &(struct steps){.spans = &series.span, .count = 1}, &i->energy);
    series_release(&series);
    return status;
}

static enum status read_instrument(const struct statement_options *o, const struct statement *s,
    const struct park_instrument *instrument, struct statement_instrument *ret, struct error *err)
{
    struct periods_span passed = {s->span.begin_ms, s->until_ms};
    *ret = (struct statement_instrument){
        .instrument = instrument, .rated_ms = statement_rated_ms(s->zone, instrument->rated_hours, passed)};
    enum status status = hours_facts_read(
        o->db, instrument, s->zone, passed.begin_ms, passed.end_ms, s->now_ms, &ret->book, err);
    if (status != ST_OK)
        return status;
    struct hours divided;
    hours_divide(&ret->book.facts, &divided);
    statement_tally(ret, &divided);
    hours_release(&divided);
    status = read_energy(o, s, ret, err);
    if (status == ST_OK && !o->is_without_energy)
        status = session_energy_read(o->db, ret, err);
    if (status == ST_OK)
        statement_sum_up(ret);
    return status;
}

static bool concerns_any(const struct statement *s, const struct outage *o)
{
    for (size_t i = 0; i < s->count; i++)
        if (outage_concerns(o, s->instruments[i].instrument))
            return true;
    return false;
}

#define OUTAGES_AT_ONCE 1000

/* From the newest on, until there are no more. */
static enum status read_outages(struct db *db, struct statement *s, struct error *err)
{
    int64_t before = INT64_MAX;
    enum status status;
    struct outage_list some;
    while ((status = outage_list_read(db, before, OUTAGES_AT_ONCE, &some, err)) == ST_OK && some.count > 0) {
        before = some.items[some.count - 1].id;
        for (size_t i = 0; i < some.count; i++) {
            struct outage *o = &some.items[i];
            if (o->is_cancelled || o->from_ms >= s->until_ms || o->until_ms <= s->span.begin_ms ||
                !concerns_any(s, o))
                continue;
            MEM_GROW(s->outages.items, s->outages.count, s->outages.capacity);
            s->outages.items[s->outages.count++] = *o;
            *o = (struct outage){0};
        }
        outage_list_release(&some);
    }
    return status;
}

static bool is_of(const struct statement_options *o, const struct park_instrument *instrument)
{
    if (o->instrument != NULL)
        return instrument == o->instrument;
    return instrument->building->site == o->site;
}

static enum status refuse_ahead(struct period period, struct error *err)
{
    char text[PERIODS_TEXT_SIZE];
    periods_format(period, text);
    return error_set(err, ST_INVALID, "period %s has not begun; expected one that has", text);
}

static enum status build(
    const struct statement_options *o, struct statement *s, bool *ret_is_ahead, struct error *err)
{
    enum status status = happened_as_of(o->db, &s->as_of_ms, err);
    if (status != ST_OK)
        return status;
    size_t all = 0;
    CONF_EACH (const struct park_instrument, instrument, o->park->instruments)
        all += is_of(o, instrument);
    s->instruments = mem_zalloc((all + 1) * sizeof *s->instruments);
    s->now_ms = happened_now(o->clock_ms, s->as_of_ms);
    *ret_is_ahead = s->span.begin_ms > s->now_ms;
    if (*ret_is_ahead)
        return refuse_ahead(s->period, err);
    s->until_ms = s->now_ms < s->span.end_ms ? s->now_ms : s->span.end_ms;
    CONF_EACH (const struct park_instrument, instrument, o->park->instruments) {
        if (!is_of(o, instrument))
            continue;
        struct statement_instrument *i = &s->instruments[s->count++];
        if ((status = read_instrument(o, s, instrument, i, err)) != ST_OK)
            return status;
        statement_gather(&s->organisations, &i->organisations);
        if (o->on_instrument != NULL && !o->on_instrument(o->user_data, s->count, all))
            return error_set(err, ST_TIMEOUT, "interrupted");
    }
    return read_outages(o->db, s, err);
}

/* One transaction: between two reads of it nothing is committed. */
static enum status build_in_transaction(
    const struct statement_options *o, struct statement *s, bool *ret_is_ahead, struct error *err)
{
    enum status status = db_exec(o->db, "BEGIN", err);
    if (status != ST_OK)
        return status;
    status = build(o, s, ret_is_ahead, err);
    struct error ignored;
    enum status ended = db_exec(o->db, "COMMIT", status == ST_OK ? err : &ignored);
    return status == ST_OK ? ended : status;
}

enum status statement_build(
    const struct statement_options *options, struct statement *ret, bool *ret_is_ahead, struct error *err)
{
    *ret_is_ahead = false;
    struct statement s = {.park = options->park, .site = options->site, .period = options->period};
    s.zone = zone_create(options->site->zone);
    s.span = periods_span(s.zone, options->period);
    enum status status = build_in_transaction(options, &s, ret_is_ahead, err);
    if (status == ST_OK)
        *ret = s;
    else
        statement_release(&s);
    return status;
}

static void release_instrument(struct statement_instrument *i)
{
    hours_book_release(&i->book);
    free(i->sessions);
    free(i->organisations.items);
}

void statement_release(struct statement *s)
{
    for (size_t i = 0; i < s->count; i++)
        release_instrument(&s->instruments[i]);
    free(s->instruments);
    free(s->organisations.items);
    outage_list_release(&s->outages);
    zone_destroy(s->zone);
    *s = (struct statement){0};
}
