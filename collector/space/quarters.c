#include "collector/space/quarters.h"

#include "lib/mem.h"

#include <stdlib.h>

int64_t quarter_floor(int64_t time_ms)
{
    int64_t rest = time_ms % ROWS_QUARTER_MS;
    return time_ms - rest - (rest < 0 ? ROWS_QUARTER_MS : 0);
}

int64_t quarter_ceil(int64_t time_ms)
{
    return quarter_floor(time_ms + ROWS_QUARTER_MS - 1);
}

void quarter_rows_init(struct quarter_rows *q, int64_t from_ms, int64_t until_ms)
{
    int64_t begin_ms = quarter_floor(from_ms), end_ms = quarter_ceil(until_ms);
    size_t count = end_ms > begin_ms ? (size_t)((end_ms - begin_ms) / ROWS_QUARTER_MS) : 0;
    *q = (struct quarter_rows){.from_ms = begin_ms,
        .count = count,
        .rows = mem_zalloc((count + 1) * sizeof *q->rows),
        .is_there = mem_zalloc((count + 1) * sizeof *q->is_there)};
    for (size_t i = 0; i < count; i++)
        q->rows[i].start_ms = begin_ms + (int64_t)i * ROWS_QUARTER_MS;
}

void quarter_rows_release(struct quarter_rows *q)
{
    free(q->rows);
    free(q->is_there);
    *q = (struct quarter_rows){0};
}

int64_t quarter_rows_end(const struct quarter_rows *q)
{
    return q->from_ms + (int64_t)q->count * ROWS_QUARTER_MS;
}

struct space_row *quarter_rows_at(const struct quarter_rows *q, int64_t time_ms)
{
    return time_ms < q->from_ms || time_ms >= quarter_rows_end(q)
               ? NULL
               : &q->rows[(time_ms - q->from_ms) / ROWS_QUARTER_MS];
}

static int64_t later(int64_t a_ms, int64_t b_ms)
{
    return a_ms > b_ms ? a_ms : b_ms;
}

void quarter_rows_add(void *context, const struct level_piece *piece)
{
    const struct quarter_rows *q = context;
    int64_t at_ms = later(piece->from_ms, q->from_ms);
    for (struct space_row *r; at_ms < piece->until_ms && (r = quarter_rows_at(q, at_ms)) != NULL;
         at_ms = r->start_ms + ROWS_QUARTER_MS)
        window_add(&r->window, r->start_ms, r->start_ms + ROWS_QUARTER_MS, piece);
}

void quarter_rows_see(struct quarter_rows *q, int64_t from_ms, int64_t until_ms)
{
    const struct space_row *r;
    for (int64_t at_ms = later(from_ms, q->from_ms);
         at_ms <= until_ms && (r = quarter_rows_at(q, at_ms)) != NULL; at_ms = r->start_ms + ROWS_QUARTER_MS)
        q->is_there[r - q->rows] = true;
}

enum status quarter_rows_write(struct quarter_rows *q, struct db *db, int64_t source, struct error *err)
{
    size_t count = 0;
    int64_t end_ms = quarter_rows_end(q);
    for (size_t i = 0; i < q->count; i++)
        if (q->is_there[i])
            q->rows[count++] = q->rows[i];
    return rows_write(db, source, q->from_ms, end_ms, q->rows, count, err);
}
