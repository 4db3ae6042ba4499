#include "collector/counting.h"

#include "collector/access/changes.h"
#include "lib/mem.h"

#include <stdlib.h>

static enum status log_change(struct db *db, const struct person_count *c, struct error *err)
{
    char at[CLOCK_TEXT_SIZE];
    clock_format_utc(c->time_ms, at);
    char *object = mem_printf("space %s", c->space),
         *is = mem_printf("%lld at %s", (long long)c->persons, at);
    enum status status = changes_add(db,
        &(struct change){.token = c->token,
            .who = c->who,
            .action = "count",
            .object = object,
            .after = is,
            .note = c->note},
        c->entered_ms, err);
    free(object);
    free(is);
    return status;
}

enum status counting_run(struct spaces *s, const struct person_count *count, struct error *err)
{
    struct db *db = s->follower.db;
    enum status status = db_begin(db, err);
    if (status != ST_OK)
        return status;
    status = spaces_count(s, count, err);
    if (status == ST_OK)
        status = log_change(db, count, err);
    if (status != ST_OK) {
        db_rollback(db);
        return status;
    }
    return db_commit(db, err);
}
