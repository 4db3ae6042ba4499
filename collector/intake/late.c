#include "collector/intake/late.h"

#include "collector/intake/journal.h"
#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>

void late_add(struct late *l, const struct reading *reading, int64_t line, struct span text)
{
    MEM_GROW(l->items, l->count, l->capacity);
    l->items[l->count++] = (struct late_reading){*reading, line, text, LATE_NEW};
}

void late_release(struct late *l)
{
    free(l->items);
    *l = (struct late){0};
}

static int compare_spans(struct span a, struct span b)
{
    int order = memcmp(a.at, b.at, a.len < b.len ? a.len : b.len);
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

static int compare_identity(const struct reading *a, const struct reading *b)
{
    int order = (a->time_ms > b->time_ms) - (a->time_ms < b->time_ms);
    return order != 0 ? order : compare_spans(a->point, b->point);
}

static int by_identity(const void *a, const void *b)
{
    const struct late_reading *p = a, *q = b;
    int order = compare_identity(&p->reading, &q->reading);
    return order != 0 ? order : (p->line > q->line) - (p->line < q->line);
}

static int by_line(const void *a, const void *b)
{
    const struct late_reading *p = a, *q = b;
    return (p->line > q->line) - (p->line < q->line);
}

/* The same text may be escaped in more than one way. */
static bool is_same_text(struct span a, struct span b)
{
    if (compare_spans(a, b) == 0)
        return true;
    struct buf p = {0}, q = {0};
    line_unescape_string(&p, a);
    line_unescape_string(&q, b);
    bool is_same = p.len == q.len && p.len > 0 && memcmp(p.data, q.data, p.len) == 0;
    buf_release(&p);
    buf_release(&q);
    return is_same;
}

static bool is_same_value(const struct reading *a, const struct reading *b)
{
    if (a->kind != b->kind)
        return false;
    switch (a->kind) {
    case READING_REGISTER:
        return a->count == b->count;
    case READING_GAUGE:
        return a->value == b->value;
    case READING_STATE:
        return is_same_text(a->text, b->text);
    }
    return false;
}

/* The first late reading that is not before this identity, by bisection. */
static size_t lower_bound(const struct late *l, const struct reading *reading)
{
    size_t low = 0, high = l->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (compare_identity(&l->items[middle].reading, reading) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* `line` of the earlier reading: only later lines can repeat it; -1 = journalled before this batch. */
static void meet(struct late *l, const struct reading *earlier, int64_t line)
{
    for (size_t i = lower_bound(l, earlier);
         i < l->count && compare_identity(&l->items[i].reading, earlier) == 0; i++) {
        struct late_reading *late = &l->items[i];
        if (late->line > line && late->verdict == LATE_NEW)
            late->verdict = is_same_value(&late->reading, earlier) ? LATE_DUPLICATE : LATE_CONFLICT;
    }
}

static void meet_journalled(void *context, const struct reading *reading)
{
    meet(context, reading, -1);
}

/* Is this line of the body a late one that is out? Then it repeats nothing further. */
static bool is_decided_out(const struct late *l, const struct reading *reading, int64_t line)
{
    for (size_t i = lower_bound(l, reading);
         i < l->count && compare_identity(&l->items[i].reading, reading) == 0; i++)
        if (l->items[i].line == line)
            return l->items[i].verdict != LATE_NEW;
    return false;
}

enum status late_decide(struct late *l, struct db *db, const struct known_gateway *g, struct span body,
    const bool *is_out, struct error *err)
{
    if (l->count == 0)
        return ST_OK;
    qsort(l->items, l->count, sizeof *l->items, by_identity);
    int64_t from_ms = l->items[0].reading.time_ms, to_ms = l->items[l->count - 1].reading.time_ms;
    enum status status = journal_find(db, g->id, from_ms, to_ms, meet_journalled, l, err);
    struct span line;
    for (int64_t number = 0; status == ST_OK && batch_next_line(&body, &line); number++) {
        struct reading reading;
        if (!is_out[number] && batch_read_reading(line, &reading, NULL) == ST_OK &&
            !is_decided_out(l, &reading, number))
            meet(l, &reading, number);
    }
    qsort(l->items, l->count, sizeof *l->items, by_line);
    return status;
}
