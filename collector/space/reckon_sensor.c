/* What one sensor says. */
#include "collector/space/quarters.h"
#include "collector/space/reckon.h"

#include "lib/mem.h"

#include <stdlib.h>

#define THOUSAND 1000

static size_t samples_of(
    const struct reckon_sensor *s, const struct readings_of *readings, struct sample *ret)
{
    size_t count = 0;
    for (size_t i = 0; i < readings->count; i++) {
        const struct reading_of *r = &readings->items[i];
        int64_t persons = s->is_count ? (r->value + THOUSAND / 2) / THOUSAND : r->value > s->limit;
        if (persons <= LEVEL_PERSONS_MAX)
            ret[count++] = (struct sample){.time_ms = r->time_ms,
                .persons = persons,
                .telling = r->is_change ? SAMPLE_ON_CHANGE : SAMPLE_POLLED};
    }
    return count;
}

static enum status write(struct db *db, const struct reckon_sensor *s, const struct readings_of *readings,
    struct quarter_rows *q, struct error *err)
{
    struct sample *samples = mem_alloc((readings->count + 1) * sizeof *samples);
    size_t count = samples_of(s, readings, samples);
    int64_t until_ms = count > 0 ? samples[count - 1].time_ms : 0;
    struct level_sink sink = {q, quarter_rows_add};
    if (s->is_count)
        sample_count(samples, count, s->gap_ms, until_ms, &sink);
    else
        sample_presence(samples, count, s->hold_ms, s->gap_ms, until_ms, &sink);
    for (size_t i = 0; i < count; i++)
        quarter_rows_see(q, samples[i].time_ms, samples[i].time_ms);
    for (size_t i = 0; i < q->count; i++)
        q->is_there[i] |= q->rows[i].window.observed_ms > 0;
    free(samples);
    return quarter_rows_write(q, db, s->source, err);
}

enum status reckon_sensor(
    struct db *db, const struct reckon_sensor *s, int64_t from_ms, int64_t until_ms, struct error *err)
{
    struct quarter_rows q;
    struct readings_of readings = {0};
    int64_t hold_ms = s->is_count ? 0 : s->hold_ms, gap_ms = sample_gap_ms(SAMPLE_ON_CHANGE, s->gap_ms);
    quarter_rows_init(&q, from_ms, until_ms + hold_ms + 1);
    /* Who was seen before may be held until into it. */
    enum status status =
        samples_read(db, s->point, q.from_ms - hold_ms - gap_ms, quarter_rows_end(&q), &readings, err);
    if (status == ST_OK)
        status = write(db, s, &readings, &q, err);
    samples_release(&readings);
    quarter_rows_release(&q);
    return status;
}
