/* How the ledger's books and the park model are, from the database: for /readyz and /metrics. */
#include "collector/web/context.h"

static bool read_state(struct db *db, struct context_books *ret, struct error *err)
{
    struct db_stmt *state =
        db_keep(db, "SELECT (SELECT count(*) FROM ledger_event INDEXED BY ledger_event_open"
                    "    WHERE state = 0 AND kind BETWEEN 5 AND 7),"
                    "  (SELECT coalesce(max(id), 0) FROM journal) - c.position,"
                    "  (SELECT received_ms FROM journal WHERE id > c.position ORDER BY id LIMIT 1),"
                    "  (SELECT coalesce(max(number), 0) FROM model_version)"
                    " FROM cursor c WHERE c.name = 'ledger'");
    bool has_row;
    if (db_step(state, &has_row, err) != ST_OK)
        return false;
    *ret = (struct context_books){.open_exceptions = has_row ? db_int(state, 0) : 0,
        .backlog_batches = has_row && db_int(state, 1) > 0 ? db_int(state, 1) : 0,
        .waiting_since_ms = has_row && !db_is_null(state, 2) ? db_int(state, 2) : 0,
        .model_version = has_row ? db_int(state, 3) : 0};
    db_reset(state);
    return true;
}

bool context_books(struct web_context *context, struct context_books *ret)
{
    struct error err;
    if (!context_open_db(context, &err))
        return false;
    if (read_state(context->db, ret, &err))
        return true;
    context_close_db(context);
    return false;
}
