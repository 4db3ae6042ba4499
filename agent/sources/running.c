#include "agent/sources/running.h"

#include "agent/settings.h"
#include "lib/mem.h"

#include <stdlib.h>

static void count_point(void *context, const struct source_point *point)
{
    (void)point;
    ++*(size_t *)context;
}

size_t source_count_points(const struct source_settings *settings)
{
    size_t count = 0;
    settings->source->each_point(settings, &count, count_point);
    return count;
}

void running_destroy(struct running_sources *running)
{
    for (size_t i = 0; i < running->count; i++)
        running->items[i].source->destroy(running->items[i].state);
    free(running->items);
}

enum status running_create(const struct agent_settings *settings, const struct clock *clock,
    struct deliver *deliver, struct running_sources *ret, struct error *err)
{
    struct source_context context = {.gateway = settings->gateway, .clock = clock, .deliver = deliver};
    CONF_EACH (struct bus_settings, bus, settings->buses)
        CONF_EACH (struct device_settings, device, bus->devices)
            context.first_point += (uint32_t)device->points.count;
    *ret = (struct running_sources){.items = mem_zalloc(settings->sources.count * sizeof *ret->items)};
    enum status status = ST_OK;
    CONF_EACH (struct source_settings, source, settings->sources) {
        struct source_state *item = &ret->items[ret->count];
        item->source = source->source;
        if (status == ST_OK &&
            (status = source->source->create(source, &context, &item->state, err)) == ST_OK)
            ret->count++;
        context.first_point += (uint32_t)source_count_points(source);
    }
    if (status != ST_OK)
        running_destroy(ret);
    return status;
}

void running_start(struct running_sources *running)
{
    for (size_t i = 0; i < running->count; i++)
        running->items[i].source->start(running->items[i].state);
}

void running_stop(struct running_sources *running)
{
    for (size_t i = 0; i < running->count; i++)
        running->items[i].source->stop(running->items[i].state);
}
