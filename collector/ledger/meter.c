#include "collector/ledger/meter.h"
#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>

static int by_time(const void *a, const void *b)
{
    const struct segment *x = a, *y = b;
    return (x->from_ms > y->from_ms) - (x->from_ms < y->from_ms);
}

static bool is_same(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

int64_t meter_point(const struct meter *m, const char *point)
{
    for (int64_t i = 0; i < m->point_count; i++)
        if (is_same(m->points[i], point))
            return i;
    return -1;
}

static int64_t number_of(struct meter *m, const char *point)
{
    int64_t known = meter_point(m, point);
    if (known >= 0)
        return known;
    m->points[m->point_count] = point;
    return m->point_count++;
}

/* Ratios count only where the register is on the secondary side. */
static bool read_ratio(const struct park_segment *park, struct fraction *ret)
{
    *ret = (struct fraction){1, 1};
    return park->registers != REGISTERS_SECONDARY || fraction_multiply(park->ct, park->pt, ret);
}

static enum status read_segment(
    struct meter *m, const struct park_segment *park, size_t number, struct segment *ret, struct error *err)
{
    struct fraction ratio;
    if (!read_ratio(park, &ratio))
        return error_set(err, ST_INVALID, "segments[%zu]: has a ratio beyond 18 digits", number);
    *ret = (struct segment){.from_ms = park->from_ms,
        .until_ms = park->until_ms,
        .has_start = park->start_register >= 0,
        .start = park->start_register >= 0 ? park->start_register : 0,
        .has_end = park->end_register >= 0,
        .end = park->end_register >= 0 ? park->end_register : 0,
        .modulus = park->modulus,
        .resolution = park->resolution,
        .max_rate = park->max_rate,
        .p = ratio.num,
        .q = ratio.den,
        .point = number_of(m, park->point)};
    const char *problem = segment_problem(ret);
    return problem == NULL ? ST_OK : error_set(err, ST_INVALID, "segments[%zu]: %s", number, problem);
}

enum status meter_init(struct meter *m, const struct park_meter *park, struct error *err)
{
    size_t count = park->segments.count;
    const struct park_segment *from = park->segments.items;
    struct segment *items = mem_zalloc((count + 1) * sizeof *items);
    *m = (struct meter){.segments = {items, (int64_t)count},
        .max_gap_ms = park->max_gap_ms,
        .points = mem_zalloc((count + 1) * sizeof *m->points)};
    for (size_t i = 0; i < count; i++) {
        enum status status = read_segment(m, &from[i], i, &items[i], err);
        if (status != ST_OK) {
            meter_release(m);
            return status;
        }
    }
    if (count > 0)
        qsort(items, count, sizeof *items, by_time);
    return ST_OK;
}

void meter_release(struct meter *m)
{
    free((void *)m->segments.items);
    free((void *)m->points);
    *m = (struct meter){0};
}
