#include "collector/offline.h"

#include "collector/accept.h"
#include "collector/schema.h"

/* The ledger is folded with the model that is in force, so the files must be those. */
static enum status check_model(struct db *db, const char *database, const struct model *m, struct error *err)
{
    struct acceptance a = {0};
    enum status status = acceptance_judge(db, database, m, clock_system.wall_ms(), &a, err);
    if (status == ST_OK && a.verdict != VERDICT_SAME)
        status = error_set(err, ST_INVALID,
            "the park model's files are not those of the version in force; expected the same: start the "
            "collector with them first");
    acceptance_release(&a);
    return status;
}

enum status offline_open_database(const struct collector_settings *settings, const struct model *m,
    const char *instead, struct db **ret, struct error *err)
{
    const char *database = settings->database.path;
    struct db *reader = NULL;
    enum status status = collector_open_reader(database, &reader, err); /* makes none where there is none */
    db_close(reader);
    if (status == ST_OK)
        status = db_open_own(database, COLLECTOR_APPLICATION_ID, &collector_schema, ret, err);
    if (status == ST_UNREACHABLE)
        return error_set(err, status, "a collector runs with %s; %s, or stop it first", database, instead);
    return status == ST_OK ? check_model(*ret, database, m, err) : status;
}

enum status offline_open(const struct collector_settings *settings, const struct model *m,
    const char *instead, struct offline *ret, struct error *err)
{
    *ret = (struct offline){0};
    enum status status = offline_open_database(settings, m, instead, &ret->db, err);
    if (status != ST_OK)
        return status;
    bookkeeper_init(&ret->keeper, ret->db, m->park);
    bookkeeper_use(&ret->keeper, m->park, &m->rates);
    status = bookkeeper_reset(&ret->keeper, err);
    return status == ST_OK ? bookkeeper_catch_up(&ret->keeper, &clock_system, INT64_MAX, err) : status;
}

void offline_close(struct offline *o)
{
    bookkeeper_release(&o->keeper);
    db_close(o->db);
    *o = (struct offline){0};
}
