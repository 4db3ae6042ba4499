#include "collector/report/happened.h"

#include "lib/mem.h"

enum status happened_heard(struct db *db, int64_t *ret_ms, struct error *err)
{
    struct db_stmt *s = db_keep(db, "SELECT received_ms FROM journal ORDER BY id DESC LIMIT 1");
    bool has_row;
    enum status status = db_step(s, &has_row, err);
    if (status == ST_OK)
        *ret_ms = has_row ? db_int(s, 0) : 0;
    db_reset(s);
    return status;
}

static enum status read_meter(
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

enum status happened_read(struct db *db, struct report *report, struct error *err)
{
    CONF_EACH (const struct park_meter, meter, report->park->meters) {
        int64_t id;
        if (!report_has(report, meter))
            continue;
        enum status status = series_meter(db, meter->id, &id, err);
        if (status == ST_OK && id != 0)
            status = read_meter(db, report, meter, id, err);
        if (status != ST_OK)
            return status;
    }
    return ST_OK;
}
