#include "collector/occupancy_rows.h"

#include "collector/space/rows.h"
#include "collector/store/outbox.h"
#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>

/* A quarter hour of a source that is due. */
struct due {
    int64_t start_ms, source;
    bool clears;
    char *space, *name;
};

struct dues {
    struct due *items;
    size_t count, capacity;
};

static void release(struct dues *d)
{
    for (size_t i = 0; i < d->count; i++) {
        free(d->items[i].space);
        free(d->items[i].name);
    }
    free(d->items);
}

static enum status take(struct dues *d, struct db_stmt *rows, struct error *err)
{
    bool has_row;
    enum status status;
    while ((status = db_step(rows, &has_row, err)) == ST_OK && has_row) {
        struct span space = db_text(rows, 3), name = db_text(rows, 4);
        MEM_GROW(d->items, d->count, d->capacity);
        d->items[d->count++] = (struct due){.start_ms = db_int(rows, 0),
            .source = db_int(rows, 1),
            .clears = db_int(rows, 2) != 0,
            .space = mem_strndup(space.at, space.len),
            .name = mem_strndup(name.at, name.len)};
    }
    db_reset(rows);
    return status;
}

static enum status read_due(struct db *db, int64_t now_ms, struct dues *ret, struct error *err)
{
    struct db_stmt *rows = db_keep(db,
        "SELECT d.start_ms, d.source, d.clears, s.space, s.name FROM space_due d JOIN space_source s"
        " ON s.id = d.source WHERE d.start_ms <= ?1 ORDER BY d.start_ms, s.space, s.name LIMIT ?2");
    db_bind_int(rows, 1, now_ms - ROWS_QUARTER_MS);
    db_bind_int(rows, 2, OCCUPANCY_ROWS_MAX);
    return take(ret, rows, err);
}

/* Every source of the space that has a row at that time. */
static enum status read_all(
    struct db *db, const char *space, int64_t start_ms, struct dues *ret, struct error *err)
{
    struct db_stmt *rows =
        db_keep(db, "SELECT ?2, s.id, 0, s.space, s.name FROM space_source s JOIN space_window w"
                    " ON w.source = s.id AND w.start_ms = ?2 WHERE s.space = ?1 ORDER BY s.name");
    db_bind_text(rows, 1, span_of(space));
    db_bind_int(rows, 2, start_ms);
    return take(ret, rows, err);
}

static const struct park_space *find_space(const struct park *park, const char *id)
{
    CONF_EACH (const struct park_space, s, park->spaces)
        if (strcmp(s->id, id) == 0)
            return s;
    return NULL;
}

static double seconds(int64_t ms)
{
    return (double)ms / 1000;
}

static double people(int64_t level)
{
    return (double)level / (double)LEVEL_PERSON;
}

static size_t fields_of(
    const struct space_row *r, const char *source, int64_t capacity, struct line_field fields[static 8])
{
    const struct window *w = &r->window;
    size_t count = 0;
    fields[count++] =
        (struct line_field){SPAN("observed_s"), {.type = LINE_FLOAT, .f = seconds(w->observed_ms)}};
    fields[count++] =
        (struct line_field){SPAN("occupied_s"), {.type = LINE_FLOAT, .f = seconds(w->occupied_ms)}};
    if (w->observed_ms > 0) {
        fields[count++] =
            (struct line_field){SPAN("mean"), {.type = LINE_FLOAT, .f = people(window_mean(w))}};
        fields[count++] = (struct line_field){SPAN("min"), {.type = LINE_FLOAT, .f = people(w->min)}};
        fields[count++] = (struct line_field){SPAN("max"), {.type = LINE_FLOAT, .f = people(w->max)}};
    }
    if (strcmp(source, "live") == 0) {
        fields[count++] = (struct line_field){SPAN("entries"), {.type = LINE_INT, .i = w->entries}};
        fields[count++] = (struct line_field){SPAN("exits"), {.type = LINE_INT, .i = w->exits}};
    }
    if (capacity > 0)
        fields[count++] = (struct line_field){SPAN("capacity"), {.type = LINE_INT, .i = capacity}};
    return count;
}

static enum status put_line(struct db *db, const struct park_space *space, const struct due *d,
    const struct space_row *row, bool clears, struct error *err)
{
    const struct line_tag tags[] = {{SPAN("building"), span_of(space->building_id)},
        {SPAN("site"), span_of(space->building->site_id)}, {SPAN("source"), span_of(d->name)},
        {SPAN("space"), span_of(space->id)}};
    struct line_field fields[8];
    size_t count = fields_of(row, d->name, space->capacity, fields);
    struct buf line = {0}, series = {0};
    buf_printf(&series, "occupancy,space=%s,source=%s", space->id, d->name);
    enum status status = line_write(&line, SPAN("occupancy"), tags, 4, fields, count, d->start_ms, err);
    if (status == ST_OK)
        status = outbox_put_over(db, (struct span){series.data, series.len}, d->start_ms,
            clears ? ROWS_QUARTER_MS : 0, (struct span){line.data, line.len}, err);
    buf_release(&series);
    buf_release(&line);
    return status;
}

static enum status put_one(
    struct db *db, const struct park *park, const struct due *d, bool clears, struct error *err)
{
    const struct park_space *space = find_space(park, d->space);
    struct space_row *rows;
    size_t count;
    enum status status = rows_read(db, d->source, d->start_ms, d->start_ms + 1, &rows, &count, err);
    if (status == ST_OK && count > 0 && space != NULL)
        status = put_line(db, space, d, &rows[0], clears, err);
    free(rows);
    return status;
}

/* Those of one space and quarter hour, from `first` on. */
static enum status put_quarter(
    struct db *db, const struct park *park, const struct due *first, size_t count, struct error *err)
{
    bool clears = false;
    struct dues all = {0};
    enum status status = ST_OK;
    for (size_t i = 0; i < count; i++)
        clears |= first[i].clears;
    if (clears)
        status = read_all(db, first->space, first->start_ms, &all, err);
    const struct due *items = clears ? all.items : first;
    size_t n = clears ? all.count : count;
    for (size_t i = 0; i < n && status == ST_OK; i++)
        status = put_one(db, park, &items[i], clears && i == 0, err);
    release(&all);
    struct db_stmt *done = db_keep(db, "DELETE FROM space_due WHERE start_ms = ?1 AND source = ?2");
    for (size_t i = 0; i < count && status == ST_OK; i++) {
        db_bind_int(done, 1, first[i].start_ms);
        db_bind_int(done, 2, first[i].source);
        status = db_run(done, err);
    }
    return status;
}

enum status occupancy_rows_put(
    struct db *db, const struct park *park, int64_t now_ms, bool *ret_is_changed, struct error *err)
{
    struct dues due = {0};
    enum status status = read_due(db, now_ms, &due, err);
    for (size_t from = 0, to; from < due.count && status == ST_OK; from = to) {
        const struct due *first = &due.items[from];
        for (to = from + 1; to < due.count && due.items[to].start_ms == first->start_ms &&
                            strcmp(due.items[to].space, first->space) == 0;)
            to++;
        *ret_is_changed = true;
        status = put_quarter(db, park, first, to - from, err);
    }
    release(&due);
    return status;
}
