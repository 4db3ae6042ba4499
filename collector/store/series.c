#include "collector/store/series.h"

#include "lib/mem.h"

#include <stdlib.h>

/* Points come from the wire: beyond this many the cache starts anew, so that it cannot grow without end. */
#define POINTS_MAX 100000

struct series {
    char *gateway, *point;
    int64_t from_ms, until_ms;           /* the heads are right for these times; empty at first */
    struct buf heads[READING_STATE + 1]; /* by kind; empty = not built */
    struct series *follower;             /* was asked for after this one, and probably will be again */
};

static void series_destroy(struct series *series)
{
    for (size_t i = 0; i <= READING_STATE; i++)
        buf_release(&series->heads[i]);
    free(series->gateway);
    free(series->point);
    free(series);
}

void series_cache_release(struct series_cache *cache)
{
    struct series *series;
    for (size_t i = 0; (series = name_map_next(&cache->points, &i)) != NULL;)
        series_destroy(series);
    name_map_release(&cache->points);
    cache->last = NULL;
}

static struct series *find(struct series_cache *cache, struct span gateway, struct span point)
{
    struct series *series = name_map_find(&cache->points, gateway, point);
    if (series)
        return series;
    if (cache->points.count >= POINTS_MAX)
        series_cache_release(cache);
    series = mem_zalloc(sizeof *series);
    series->gateway = mem_strndup(gateway.at, gateway.len);
    series->point = mem_strndup(point.at, point.len);
    name_map_put(&cache->points, span_of(series->gateway), span_of(series->point), series);
    return series;
}

/* A batch's points come in the same order again and again: the guess spares most look-ups. */
static struct series *find_next(struct series_cache *cache, struct span gateway, struct span point)
{
    struct series *series = cache->last ? cache->last->follower : NULL;
    if (!series || !span_is(point, series->point) || !span_is(gateway, series->gateway)) {
        series = find(cache, gateway, point);
        if (cache->last)
            cache->last->follower = series;
    }
    cache->last = series;
    return series;
}

static void add_tag(struct buf *head, const char *key, const char *value)
{
    if (!value || *value == '\0')
        return;
    buf_printf(head, ",%s=", key);
    line_escape_tag(head, span_of(value));
}

static void build(struct series *series, enum reading_kind kind, const struct park_place *place)
{
    struct buf *head = &series->heads[kind];
    buf_add_str(head, reading_kind_name(kind));
    add_tag(head, "building",
        place->building); /* sorted by key: what InfluxDB wants to be fast, and one form for ever */
    add_tag(head, "gateway", series->gateway);
    add_tag(head, "point", series->point);
    add_tag(head, "site", place->site);
    buf_add_str(head, " value=");
}

struct span series_head(struct series_cache *cache, struct span gateway, const struct reading *reading)
{
    struct series *series = find_next(cache, gateway, reading->point);
    bool is_in_time = series->from_ms <= reading->time_ms && reading->time_ms < series->until_ms;
    if (!is_in_time || series->heads[reading->kind].len == 0) {
        struct park_place place = park_place(cache->park, series->gateway, series->point, reading->time_ms);
        if (!is_in_time)
            for (size_t i = 0; i <= READING_STATE; i++)
                buf_reset(&series->heads[i]);
        series->from_ms = place.from_ms;
        series->until_ms = place.until_ms;
        build(series, reading->kind, &place);
    }
    const struct buf *head = &series->heads[reading->kind];
    return (struct span){head->data, head->len};
}
