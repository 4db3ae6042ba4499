#include "collector/ledger/decided_list.h"

#include "collector/ledger/event.h"

#include <assert.h>

static_assert(EVENT_STATED == 11, "as in the query");

/* An id of the log of changes is the time in microseconds, or a little more. */
#define ROWS                                                                                     \
    "SELECT d.id, m.name, d.kind, d.from_ms, d.until_ms, d.end_count, d.start_count, d.modulus," \
    "  d.resolution, d.max_rate, d.p, d.q, d.serial, d.energy, d.count, d.forced, d.withdraws,"  \
    "  d.time_ms, d.token, d.who, d.why,"                                                        \
    "  (SELECT id FROM ledger_decision WHERE withdraws = d.id),"                                 \
    "  EXISTS(SELECT 1 FROM ledger_event e WHERE e.meter = d.meter AND e.from_ms = d.from_ms"    \
    "    AND e.kind = 11 AND e.until_ms = d.until_ms AND e.state = 0),"                          \
    "  (SELECT count(*) FROM ledger_decision_time t WHERE t.decision = d.id),"                   \
    "  (SELECT after FROM change_log"                                                            \
    "    WHERE id BETWEEN d.time_ms * 1000 AND d.time_ms * 1000 + 999999"                        \
    "    AND object = 'meter ' || m.name || ', decision ' || d.id)"                              \
    " FROM ledger_decision d JOIN ledger_meter m ON m.id = d.meter"                              \
    " WHERE d.id < ?1 AND d.from_ms <= ?4 AND d.until_ms >= ?3"
#define ORDER " ORDER BY d.id DESC LIMIT ?2"

struct db_stmt *decided_list(
    struct db *db, int64_t meter, int64_t from_ms, int64_t until_ms, int64_t before, int64_t limit)
{
    struct db_stmt *rows = meter != 0 ? db_keep(db, ROWS " AND d.meter = ?5" ORDER) : db_keep(db, ROWS ORDER);
    db_bind_int(rows, 1, before);
    db_bind_int(rows, 2, limit);
    db_bind_int(rows, 3, from_ms);
    db_bind_int(rows, 4, until_ms);
    if (meter != 0)
        db_bind_int(rows, 5, meter);
    return rows;
}

/* Has a segment of the park file the instant inside? Where it logs the replacement itself, the decision has no object. */
static bool is_inside(const struct park_meter *m, int64_t time_ms)
{
    if (m != NULL)
        CONF_EACH (struct park_segment, segment, m->segments)
            if (segment->from_ms < time_ms && time_ms < segment->until_ms)
                return true;
    return false;
}

const char *decided_list_state(struct db_stmt *row, const struct park_meter *meter)
{
    enum ruling_kind kind = (enum ruling_kind)db_int(row, DECIDED_KIND);
    if (kind == RULING_WITHDRAWAL)
        return "done";
    if (!db_is_null(row, DECIDED_WITHDRAWN_BY))
        return "undone";
    bool is_idle =
        meter == NULL || (kind == RULING_ENERGY && db_int(row, DECIDED_IS_STATED) == 0) ||
        ((kind == RULING_RESET || kind == RULING_REPLACED) && !is_inside(meter, db_int(row, DECIDED_FROM)));
    return is_idle ? "without_object" : "in_force";
}
