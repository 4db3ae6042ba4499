#include "collector/alarm/results.h"

#include "collector/alarm/fold.h"
#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>

void alarm_results_release(struct alarm_results *r)
{
    for (size_t i = 0; i < r->count; i++)
        free(r->items[i].receiver);
    free(r->items);
    *r = (struct alarm_results){0};
}

const struct alarm_result *alarm_results_find(
    const struct alarm_results *r, const char *receiver, int64_t alarm)
{
    for (size_t i = 0; i < r->count; i++)
        if (r->items[i].letter.alarm == alarm && strcmp(r->items[i].receiver, receiver) == 0)
            return &r->items[i];
    return NULL;
}

int64_t alarm_results_unnoted(const struct alarm_results *r, int64_t now_ms)
{
    int64_t count = 0;
    for (size_t i = 0; i < r->count; i++)
        count += r->items[i].outcome == ALARM_TAKEN &&
                 (r->items[i].due_ms == ALARM_NEVER || r->items[i].due_ms > now_ms);
    return count;
}

void alarm_results_add(struct alarm_results *r, const struct alarm_result *result)
{
    struct alarm_result *is =
        (struct alarm_result *)alarm_results_find(r, result->receiver, result->letter.alarm);
    if (is == NULL) {
        MEM_GROW(r->items, r->count, r->capacity);
        is = &r->items[r->count++];
        *is = *result;
        is->receiver = mem_strdup(result->receiver);
    } else if (result->letter.number > is->letter.number || result->outcome > is->outcome) {
        char *receiver = is->receiver;
        *is = *result;
        is->receiver = receiver;
    }
}
