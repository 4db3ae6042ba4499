/* A growing list of lines that the store will never take. A zeroed struct is empty. */
#pragma once

#include "collector/store/store.h"
#include "lib/line.h"

struct reject_list {
    struct store_reject *items;
    size_t count, capacity;
};

void reject_list_add(
    struct reject_list *list, int64_t journal, int line, const char *reason, struct span content);
/* Moves all of `from` to the end of `list`; `from` is empty afterwards. */
void reject_list_move(struct reject_list *list, struct reject_list *from);
void reject_list_release(struct reject_list *list);
