#include "collector/store/hours.h"

#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>

#define LOOK_BACK 8

void hour_list_add(struct hour_list *list, struct span measurement, int64_t hour)
{
    size_t length = measurement.len < MEASUREMENT_MAX ? measurement.len : MEASUREMENT_MAX;
    for (size_t i = list->count; i > 0 && i + LOOK_BACK > list->count; i--) {
        const struct hour *before = &list->items[i - 1];
        if (before->hour == hour && strncmp(before->measurement, measurement.at, length) == 0 &&
            before->measurement[length] == '\0')
            return;
    }
    MEM_GROW(list->items, list->count, list->capacity);
    struct hour *added = &list->items[list->count++];
    *added = (struct hour){.hour = hour};
    memcpy(added->measurement, measurement.at, length);
}

static int by_hour(const void *a, const void *b)
{
    const struct hour *one = a, *other = b;
    if (one->hour != other->hour)
        return one->hour < other->hour ? -1 : 1;
    return strcmp(one->measurement, other->measurement);
}

void hour_list_move(struct hour_list *list, struct hour_list *from)
{
    if (from->count == 0)
        return;
    for (size_t i = 0; i < from->count; i++) {
        MEM_GROW(list->items, list->count, list->capacity);
        list->items[list->count++] = from->items[i];
    }
    from->count = 0;
    qsort(list->items, list->count, sizeof *list->items, by_hour);
    size_t kept = 1;
    for (size_t i = 1; i < list->count; i++)
        if (by_hour(&list->items[kept - 1], &list->items[i]) != 0)
            list->items[kept++] = list->items[i];
    list->count = kept;
}

void hour_list_release(struct hour_list *list)
{
    free(list->items);
    *list = (struct hour_list){0};
}
