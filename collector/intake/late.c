#include "collector/intake/late.h"

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
    free(l->times_ms);
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

static void begin_search(struct late *l, int64_t gateway)
{
    qsort(l->items, l->count, sizeof *l->items, by_identity);
    l->times_ms = mem_alloc(l->count * sizeof *l->times_ms);
    l->search = (struct journal_search){.gateway = gateway, .times_ms = l->times_ms};
    for (size_t i = 0; i < l->count; i++) {
        int64_t time_ms = l->items[i].reading.time_ms;
        if (l->search.count == 0 || l->times_ms[l->search.count - 1] != time_ms)
            l->times_ms[l->search.count++] = time_ms;
    }
}

enum status late_search(
    struct late *l, struct db *db, int64_t gateway, int64_t budget, bool *ret_is_done, struct error *err)
{
    *ret_is_done = true;
    if (l->count == 0)
        return ST_OK;
    if (l->times_ms == NULL)
        begin_search(l, gateway);
    enum status status = journal_find(db, &l->search, budget, meet_journalled, l, ret_is_done, err);
    if (status == ST_OK && *ret_is_done)
        qsort(l->items, l->count, sizeof *l->items, by_line);
    return status;
}

/* What is not in the other list was newer than all that its point had, so it is not journalled. */
static void take_verdicts(struct late *l, const struct late *searched)
{
    size_t at = 0;
    for (size_t i = 0; i < l->count; i++) {
        while (at < searched->count && searched->items[at].line < l->items[i].line)
            at++;
        if (at < searched->count && searched->items[at].line == l->items[i].line)
            l->items[i].verdict = searched->items[at].verdict;
    }
}

void late_decide(struct late *l, const struct late *searched, struct span body, const bool *is_out)
{
    if (l->count == 0)
        return;
    take_verdicts(l, searched);
    qsort(l->items, l->count, sizeof *l->items, by_identity);
    struct span line;
    for (int64_t number = 0; batch_next_line(&body, &line); number++) {
        struct reading reading;
        if (!is_out[number] && batch_read_reading(line, &reading, NULL) == ST_OK &&
            !is_decided_out(l, &reading, number))
            meet(l, &reading, number);
    }
    qsort(l->items, l->count, sizeof *l->items, by_line);
}
