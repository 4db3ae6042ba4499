#include "collector/instrument/told_private.h"
#include "lib/buf.h"

/* What stays is no address, and so of no point that a model names. */
#define LEFT(column, point)                                                                                  \
    column " = CASE WHEN ifnull(" column ", '') = '' OR " column " IS " point " THEN " column " WHEN " point \
           " IS NULL THEN '" TOLD_NOT_FOLLOWED "' ELSE '" TOLD_OF_ANOTHER "' END"

/* Whether that changes it. */
#define IS_LEFT(column, point)                                                                             \
    "(" column " <> '' AND " column " IS NOT " point " AND (" column " <> '" TOLD_OF_ANOTHER "' OR " point \
    " IS NULL))"

/* ' a b c ': ids have no blanks. */
#define IS_ABSENT "instr(?1, ' ' || name || ' ') = 0"

static enum status run(struct db *db, struct db_stmt *change, bool *ret_is_changed, struct error *err)
{
    enum status status = db_run(change, err);
    *ret_is_changed = *ret_is_changed || (status == ST_OK && db_changes(db) > 0);
    return status;
}

static enum status leave_absent(
    struct db *db, const char *sql, const struct buf *names, bool *ret_is_changed, struct error *err)
{
    struct db_stmt *change = db_keep(db, sql);
    db_bind_text(change, 1, (struct span){names->data, names->len});
    return run(db, change, ret_is_changed, err);
}

static enum status leave_instruments(
    struct db *db, const struct park *park, bool *ret_is_changed, struct error *err)
{
    struct db_stmt *change =
        db_keep(db, "UPDATE instrument SET " LEFT("power_point", "?2") ", " LEFT(
                        "session_point", "?3") " WHERE name = ?1 AND (" IS_LEFT("power_point",
                        "?2") " OR " IS_LEFT("session_point", "?3") ")");
    struct buf names = {0};
    enum status status = ST_OK;
    buf_add_char(&names, ' ');
    CONF_EACH (const struct park_instrument, n, park->instruments) {
        buf_add_str(&names, n->id);
        buf_add_char(&names, ' ');
        db_bind_text(change, 1, span_of(n->id));
        told_bind_text(change, 2, n->power_point);
        told_bind_text(change, 3, n->session);
        if (status == ST_OK)
            status = run(db, change, ret_is_changed, err);
    }
    if (status == ST_OK)
        status = leave_absent(db,
            "UPDATE instrument SET " LEFT("power_point", "NULL") ", " LEFT(
                "session_point", "NULL") " WHERE (power_point <> '' OR session_point <> '') AND " IS_ABSENT,
            &names, ret_is_changed, err);
    buf_release(&names);
    return status;
}

static enum status leave_resources(
    struct db *db, const struct park *park, bool *ret_is_changed, struct error *err)
{
    struct db_stmt *change = db_keep(db, "UPDATE resource SET point = NULL, " TOLD_RESOURCE_LEFT
                                         " WHERE name = ?1 AND point <> ifnull(?2, '')");
    struct buf names = {0};
    enum status status = ST_OK;
    buf_add_char(&names, ' ');
    CONF_EACH (const struct park_resource, r, park->resources) {
        buf_add_str(&names, r->id);
        buf_add_char(&names, ' ');
        db_bind_text(change, 1, span_of(r->id));
        told_bind_text(change, 2, r->point);
        if (status == ST_OK)
            status = run(db, change, ret_is_changed, err);
    }
    if (status == ST_OK)
        status = leave_absent(db,
            "UPDATE resource SET point = NULL, " TOLD_RESOURCE_LEFT " WHERE point IS NOT NULL AND " IS_ABSENT,
            &names, ret_is_changed, err);
    buf_release(&names);
    return status;
}

enum status told_leave(struct db *db, const struct park *park, bool *ret_is_changed, struct error *err)
{
    enum status status = leave_instruments(db, park, ret_is_changed, err);
    return status == ST_OK ? leave_resources(db, park, ret_is_changed, err) : status;
}

enum status told_leave_all(struct db *db, struct error *err)
{
    return db_exec(db,
        "UPDATE instrument SET"
        " power_point = CASE power_point WHEN '' THEN '' ELSE '" TOLD_OF_ANOTHER "' END,"
        " session_point = CASE session_point WHEN '' THEN '' ELSE '" TOLD_OF_ANOTHER "' END;"
        "UPDATE resource SET point = NULL, " TOLD_RESOURCE_LEFT,
        err);
}
