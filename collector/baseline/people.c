#include "collector/baseline/people.h"

#include "collector/space/occupied.h"
#include "lib/mem.h"

#include <stdlib.h>

static bool is_observed(const struct window *w, int64_t day_ms)
{
    return w->observed_ms > 0 && w->observed_ms * 100 >= day_ms * PEOPLE_OBSERVED_PERCENT;
}

/* Adds what one space has of each day. */
static void add(const struct space_row *rows, size_t count, const struct steps *days, int64_t *people)
{
    size_t row = 0;
    for (size_t i = 0; i < days->count; i++) {
        struct periods_span span = days->spans[i];
        struct window day = {0};
        for (; row < count && rows[row].start_ms < span.end_ms; row++)
            window_merge(&day, &rows[row].window);
        if (!is_observed(&day, span.end_ms - span.begin_ms))
            people[i] = PEOPLE_NONE;
        else if (people[i] != PEOPLE_NONE)
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
    enum status status = occupied_source(db, space->id, name, &source, err);
    if (status == ST_OK) /* of none there is no row */
        status = rows_read(db, source, begin_ms, end_ms, &rows, &count, err);
    if (status == ST_OK)
        add(rows, count, days, people);
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
