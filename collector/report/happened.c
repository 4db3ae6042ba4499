#include "collector/report/happened.h"

#include "collector/ledger/decided_list.h"
#include "lib/mem.h"

#include <stdlib.h>

/* One number, or 0. */
static enum status read_number(struct db_stmt *s, int64_t *ret, struct error *err)
{
    bool has_row;
    enum status status = db_step(s, &has_row, err);
    if (status == ST_OK)
        *ret = has_row && !db_is_null(s, 0) ? db_int(s, 0) : 0;
    db_reset(s);
    return status;
}

/* Of one meter, before a time: the rows lie by meter and time. */
static enum status last_decided(
    struct db *db, int64_t meter, int64_t before_ms, int64_t *ret_ms, struct error *err)
{
    struct db_stmt *s =
        db_keep(db, "SELECT max(start_ms) + 900000 FROM ledger_quarter WHERE meter = ?1 AND start_ms < ?2");
    db_bind_int(s, 1, meter);
    db_bind_int(s, 2, before_ms);
    return read_number(s, ret_ms, err);
}

static enum status last_of_all(struct db *db, int64_t *ret_ms, struct error *err)
{
    struct db_stmt *meters = db_keep(db, "SELECT id FROM ledger_meter");
    bool has_row;
    enum status status;
    *ret_ms = 0;
    while ((status = db_step(meters, &has_row, err)) == ST_OK && has_row) {
        int64_t last_ms;
        status = last_decided(db, db_int(meters, 0), INT64_MAX, &last_ms, err);
        if (status != ST_OK)
            break;
        *ret_ms = last_ms > *ret_ms ? last_ms : *ret_ms;
    }
    db_reset(meters);
    return status;
}

enum status happened_as_of(struct db *db, int64_t *ret_ms, struct error *err)
{
    struct db_stmt *s = db_keep(db,
        "SELECT received_ms FROM journal"
        " WHERE id <= (SELECT position FROM cursor WHERE name = 'ledger') ORDER BY id DESC LIMIT 1");
    enum status status = read_number(s, ret_ms, err);
    return status == ST_OK && *ret_ms == 0 ? last_of_all(db, ret_ms, err) : status;
}

int64_t happened_now(int64_t clock_ms, int64_t as_of_ms)
{
    return clock_ms > as_of_ms ? clock_ms : as_of_ms;
}

enum status happened_decided(struct db *db, const struct report *report, int64_t *ret_ms, struct error *err)
{
    enum status status = ST_OK;
    *ret_ms = 0;
    CONF_EACH (const struct park_meter, meter, report->park->meters) {
        int64_t id = 0, last_ms = 0;
        if (!report_has(report, meter) || status != ST_OK)
            continue;
        status = series_meter(db, meter->id, &id, err);
        if (status == ST_OK && id != 0)
            status = last_decided(db, id, report->axis.span.end_ms, &last_ms, err);
        *ret_ms = last_ms > *ret_ms ? last_ms : *ret_ms;
    }
    return status;
}

static enum status read_events(
    struct db *db, struct report *report, const struct park_meter *meter, int64_t id, struct error *err)
{
    struct db_stmt *s = db_keep(db, "SELECT kind, from_ms, until_ms FROM ledger_event WHERE meter = ?1"
                                    " AND state = 0 AND from_ms < ?3 AND (until_ms > ?2 OR from_ms >= ?2)"
                                    " ORDER BY from_ms, kind, until_ms");
    bool has_row;
    enum status status;
    db_bind_int(s, 1, id);
    db_bind_int(s, 2, report->axis.span.begin_ms);
    db_bind_int(s, 3, report->axis.span.end_ms);
    while ((status = db_step(s, &has_row, err)) == ST_OK && has_row) {
        MEM_GROW(report->events, report->event_count, report->event_capacity);
        report->events[report->event_count++] = (struct report_event){
            .meter = meter, .kind = (int)db_int(s, 0), .from_ms = db_int(s, 1), .until_ms = db_int(s, 2)};
    }
    db_reset(s);
    return status;
}

static char *copy(struct db_stmt *row, int column)
{
    struct span text = db_text(row, column);
    return db_is_null(row, column) ? NULL : mem_strndup(text.at, text.len);
}

/* "96 quarter hours" (collector/deciding.c). */
static int64_t quarters_of(struct db_stmt *row)
{
    struct span text = db_text(row, DECIDED_EFFECT);
    size_t digits = 0;
    int64_t count;
    while (digits < text.len && text.at[digits] >= '0' && text.at[digits] <= '9')
        digits++;
    return number_parse_int64(text.at, digits, &count) ? count : -1;
}

/* A span is half-open; an instant counts at both ends, which are quarter hours of the period. */
static bool is_of_period(const struct report *report, enum ruling_kind kind, struct db_stmt *row)
{
    struct periods_span period = report->axis.span;
    int64_t from_ms = db_int(row, DECIDED_FROM), until_ms = db_int(row, DECIDED_UNTIL);
    return kind == RULING_ENERGY ? from_ms < period.end_ms && until_ms > period.begin_ms
                                 : from_ms <= period.end_ms && until_ms >= period.begin_ms;
}

static void take_decision(struct report *report, const struct park_meter *meter, struct db_stmt *row)
{
    enum ruling_kind kind = (enum ruling_kind)db_int(row, DECIDED_KIND);
    MEM_GROW(report->decisions, report->decision_count, report->decision_capacity);
    report->decisions[report->decision_count++] = (struct report_decision){.id = db_int(row, DECIDED_ID),
        .meter = meter,
        .kind = decided_kind_name(kind),
        .state = decided_list_state(row, meter),
        .from_ms = db_int(row, DECIDED_FROM),
        .until_ms = db_int(row, DECIDED_UNTIL),
        .time_ms = db_int(row, DECIDED_TIME),
        .is_of_period = is_of_period(report, kind, row),
        .is_replacement = kind == RULING_REPLACED,
        .modulus = db_int(row, DECIDED_MODULUS),
        .resolution = db_int(row, DECIDED_RESOLUTION),
        .ratio = {db_int(row, DECIDED_P), db_int(row, DECIDED_Q)},
        .has_end = kind == RULING_RESET || kind == RULING_REPLACED,
        .has_energy = kind == RULING_ENERGY,
        .has_count = kind == RULING_READING,
        .end = db_int(row, DECIDED_END),
        .start = db_int(row, DECIDED_START),
        .energy = db_int(row, DECIDED_ENERGY),
        .count = db_int(row, DECIDED_COUNT),
        .readings = db_int(row, DECIDED_READINGS),
        .withdraws = db_int(row, DECIDED_WITHDRAWS),
        .serial = copy(row, DECIDED_SERIAL),
        .who = copy(row, DECIDED_WHO),
        .why = copy(row, DECIDED_WHY),
        .undone_by = db_int(row, DECIDED_WITHDRAWN_BY),
        .quarters = report->is_alone ? -1 : quarters_of(row)};
}

static enum status read_decisions(
    struct db *db, struct report *report, const struct park_meter *meter, int64_t id, struct error *err)
{
    struct db_stmt *row = decided_list(db, id, INT64_MIN, report->axis.span.end_ms, INT64_MAX, INT64_MAX);
    bool has_row;
    enum status status;
    while ((status = db_step(row, &has_row, err)) == ST_OK && has_row)
        take_decision(report, meter, row);
    db_reset(row);
    return status;
}

enum status happened_read_meter(
    struct db *db, struct report *report, const struct park_meter *meter, int64_t id, struct error *err)
{
    enum status status = read_events(db, report, meter, id, err);
    return status == ST_OK ? read_decisions(db, report, meter, id, err) : status;
}

void happened_release(struct report *report)
{
    for (size_t i = 0; i < report->decision_count; i++) {
        free(report->decisions[i].serial);
        free(report->decisions[i].who);
        free(report->decisions[i].why);
    }
    free(report->decisions);
    free(report->events);
}

enum status happened_read(struct db *db, struct report *report, struct error *err)
{
    CONF_EACH (const struct park_meter, meter, report->park->meters) {
        int64_t id;
        if (!report_has(report, meter))
            continue;
        enum status status = series_meter(db, meter->id, &id, err);
        if (status == ST_OK && id != 0)
            status = happened_read_meter(db, report, meter, id, err);
        if (status != ST_OK)
            return status;
    }
    return ST_OK;
}
