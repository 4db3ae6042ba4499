#include "collector/baseline/people.h"

#include "collector/space/occupied.h"
#include "lib/mem.h"

#include <stdlib.h>

static bool is_observed(const struct window *w, int64_t day_ms)
{
    return w->observed_ms > 0 && w->observed_ms * 100 >= day_ms * PEOPLE_OBSERVED_PERCENT;
}

/* Of which days is something to be reckoned yet? A batch that was not taken may have anything of its time. */
static enum status read_behind(
    struct db *db, int64_t source, const struct steps *days, bool *ret, struct error *err)
{
    struct db_stmt *waits = db_keep(db,
        "SELECT from_ms, until_ms FROM space_dirty WHERE source = ?1 AND from_ms < ?3 AND until_ms >= ?2"
        " UNION SELECT from_ms, to_ms FROM journal_span WHERE journal > (SELECT position FROM cursor WHERE"
        "  name = 'space') AND from_ms < ?3 AND to_ms >= ?2");
    bool has_row;
    enum status status;
    db_bind_int(waits, 1, source);
    db_bind_int(waits, 2, days->spans[0].begin_ms);
    db_bind_int(waits, 3, days->spans[days->count - 1].end_ms);
    while ((status = db_step(waits, &has_row, err)) == ST_OK && has_row)
        for (size_t i = 0; i < days->count; i++)
            ret[i] |= db_int(waits, 0) < days->spans[i].end_ms && db_int(waits, 1) >= days->spans[i].begin_ms;
    db_reset(waits);
    return status;
}

/* Adds what one space has of each day. */
static void add(const struct space_row *rows, size_t count, const struct steps *days, const bool *is_behind,
    int64_t *people)
{
    size_t row = 0;
    for (size_t i = 0; i < days->count; i++) {
        struct periods_span span = days->spans[i];
        struct window day = {0};
        for (; row < count && rows[row].start_ms < span.end_ms; row++)
            window_merge(&day, &rows[row].window);
        if (is_behind[i]) /* what there is may come to be otherwise */
            people[i] = people[i] != PEOPLE_NONE ? PEOPLE_BEHIND : PEOPLE_NONE;
        else if (!is_observed(&day, span.end_ms - span.begin_ms))
            people[i] = PEOPLE_NONE;
        else if (people[i] >= 0)
            people[i] += window_mean(&day);
    }
}

static enum status read_space(struct db *db, const struct park_space *space, const struct steps *days,
    int64_t *people, struct error *err)
{
    const struct park_sensor *counter = park_space_counter(space);
    char *name = counter != NULL ? mem_printf("%s:%s", park_sensings[SENSING_COUNT], counter->point)
                                 : mem_strdup("corrected");
    int64_t source, begin_ms = days->spans[0].begin_ms, end_ms = days->spans[days->count - 1].end_ms;
    struct space_row *rows = NULL;
    size_t count = 0;
    bool *is_behind = mem_zalloc(days->count * sizeof *is_behind);
    enum status status = occupied_source(db, space->id, name, &source, err);
    if (status == ST_OK) /* of none there is no row */
        status = rows_read(db, source, begin_ms, end_ms, &rows, &count, err);
    if (status == ST_OK)
        status = read_behind(db, source, days, is_behind, err);
    if (status == ST_OK)
        add(rows, count, days, is_behind, people);
    free(is_behind);
    free(rows);
    free(name);
    return status;
}

enum status people_read(struct db *db, const struct park_space *const *spaces, size_t count,
    const struct steps *days, int64_t *ret, struct error *err)
{
    enum status status = ST_OK;
    for (size_t i = 0; i < days->count; i++)
        ret[i] = count > 0 ? 0 : PEOPLE_NONE;
    for (size_t i = 0; i < count && days->count > 0 && status == ST_OK; i++)
        status = read_space(db, spaces[i], days, ret, err);
    return status;
}
