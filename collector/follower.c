#include "collector/follower.h"

#include "collector/intake/journal.h"
#include "lib/cursor.h"
#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>

struct follower_point {
    char *gateway, *point;
    enum reading_kind kind;
    void *item;
    struct follower_point *next; /* of the same name */
};

static void free_points(struct follower_point *p)
{
    while (p != NULL) {
        struct follower_point *next = p->next;
        free(p->gateway);
        free(p->point);
        free(p);
        p = next;
    }
}

void follower_clear(struct follower *f)
{
    size_t i = 0;
    struct follower_point *p;
    while ((p = name_map_next(&f->points, &i)) != NULL)
        free_points(p);
    name_map_release(&f->points);
    name_map_release(&f->gateways);
    f->due_mono_ms = 0;
}

void follower_release(struct follower *f)
{
    follower_clear(f);
    *f = (struct follower){0};
}

enum status follower_reset(struct follower *f, bool is_any, struct error *err)
{
    f->due_mono_ms = 0;
    f->position = INT64_MAX;
    return is_any ? cursor_read(f->db, f->cursor, &f->position, err) : ST_OK;
}

enum status follower_move(struct follower *f, int64_t position, struct error *err)
{
    f->position = position;
    return cursor_move(f->db, f->cursor, position, err);
}

void follower_add(struct follower *f, const char *address, enum reading_kind kind, void *item)
{
    const char *slash = strchr(address, '/');
    if (slash == NULL) /* the park's check has seen to it */
        return;
    struct follower_point *p = mem_zalloc(sizeof *p);
    *p = (struct follower_point){.gateway = mem_strndup(address, (size_t)(slash - address)),
        .point = mem_strdup(slash + 1),
        .kind = kind,
        .item = item};
    struct follower_point *first = name_map_put(&f->points, span_of(p->gateway), span_of(p->point), p);
    if (first != NULL) {
        while (first->next != NULL)
            first = first->next;
        first->next = p;
        return;
    }
    name_map_put(&f->gateways, SPAN(""), span_of(p->gateway), p);
}

/* Spares reading the other lines: the name stands in front, unescaped. Empty where the line begins otherwise. */
static struct span point_of(struct span line)
{
    static const char key[] = ",point=";
    const char *comma = memchr(line.at, ',', line.len);
    size_t size = sizeof key - 1, rest = comma == NULL ? 0 : line.len - (size_t)(comma - line.at);
    if (rest <= size || memcmp(comma, key, size) != 0)
        return SPAN("");
    const char *name = comma + size, *blank = memchr(name, ' ', rest - size);
    return blank == NULL ? SPAN("") : (struct span){name, (size_t)(blank - name)};
}

static enum status take_line(
    struct follower *f, struct span gateway, struct span line, struct follower_reading *r, struct error *err)
{
    struct span name = point_of(line);
    const struct follower_point *p = name.len > 0 ? name_map_find(&f->points, gateway, name) : NULL;
    struct reading reading;
    if (p == NULL || batch_read_reading(line, &reading, NULL) != ST_OK || reading.quality == QUALITY_CLOCK)
        return ST_OK;
    r->reading = &reading;
    enum status status = ST_OK;
    for (; p != NULL && status == ST_OK; p = p->next)
        if (p->kind == reading.kind)
            status = f->take(f->user_data, p->item, r, err);
    return status;
}

static enum status take_batch(struct follower *f, struct span gateway, struct span payload,
    struct span skipped, struct follower_reading *r, struct error *err)
{
    struct journal_lines lines;
    struct span line;
    enum status status = ST_OK;
    journal_lines_begin(&lines, payload, skipped);
    while (status == ST_OK && journal_lines_next(&lines, &line))
        status = take_line(f, gateway, line, r, err);
    return status;
}

/* *ret_end: up to this batch it came; *ret_is_done: that is the journal's end. */
static enum status take_journal(struct follower *f, const struct clock *clock, int64_t until_mono_ms,
    int64_t *ret_end, bool *ret_is_done, struct error *err)
{
    struct db_stmt *next = db_keep(f->journal,
        "SELECT j.id, g.name, j.received_ms, j.payload, j.skipped FROM journal j"
        " JOIN gateway g ON g.id = j.gateway WHERE j.id > ?1 AND j.id <= ?2 ORDER BY j.id");
    bool has_row = true;
    enum status status = ST_OK;
    *ret_end = f->position;
    db_bind_int(next, 1, f->position);
    db_bind_int(next, 2, f->until);
    do {
        if ((status = db_step(next, &has_row, err)) != ST_OK || !has_row)
            break;
        *ret_end = db_int(next, 0);
        struct follower_reading r = {.arrived_ms = db_int(next, 2), .batch = *ret_end};
        struct span gateway = db_text(next, 1);
        if (name_map_find(&f->gateways, SPAN(""), gateway) != NULL) /* only then is the batch itself read */
            status = take_batch(f, gateway, db_text(next, 3), db_text(next, 4), &r, err);
    } while (status == ST_OK && clock->mono_ms() < until_mono_ms);
    db_reset(next);
    *ret_is_done = !has_row;
    return status;
}

enum status follower_step(
    struct follower *f, const struct clock *clock, bool *ret_is_changed, struct error *err)
{
    int64_t now_mono_ms = clock->mono_ms();
    if (now_mono_ms < f->due_mono_ms)
        return ST_OK;
    bool is_done = true;
    int64_t end = f->position;
    enum status status = ST_OK;
    if (f->position != INT64_MAX)
        status = take_journal(f, clock, now_mono_ms + f->step_ms, &end, &is_done, err);
    if (status == ST_OK && end != f->position) {
        *ret_is_changed = true;
        status = follower_move(f, end, err);
    }
    f->due_mono_ms = is_done ? now_mono_ms + f->rest_ms : 0;
    return status;
}

void follower_rest(struct follower *f, const struct clock *clock)
{
    f->due_mono_ms = clock->mono_ms() + f->rest_ms;
}
