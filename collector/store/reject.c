#include "collector/store/reject.h"

#include "lib/mem.h"

#include <stdlib.h>

void reject_list_add(
    struct reject_list *list, int64_t journal, int line, const char *reason, struct span content)
{
    MEM_GROW(list->items, list->count, list->capacity);
    list->items[list->count++] = (struct store_reject){.journal = journal,
        .line = line,
        .reason = mem_strdup(reason),
        .content = mem_strndup(content.at, content.len)};
}

void reject_list_move(struct reject_list *list, struct reject_list *from)
{
    for (size_t i = 0; i < from->count; i++) {
        MEM_GROW(list->items, list->count, list->capacity);
        list->items[list->count++] = from->items[i];
    }
    free(from->items);
    *from = (struct reject_list){0};
}

void reject_list_release(struct reject_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->items[i].reason);
        free(list->items[i].content);
    }
    free(list->items);
    *list = (struct reject_list){0};
}
