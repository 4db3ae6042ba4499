/* A hash table from a name in two parts (a gateway and its point; "" and an id) to a pointer. A zeroed struct
 * is empty. */
#pragma once

#include "lib/line.h"

#include <stddef.h>
#include <stdint.h>

struct name_map {
    struct name_slot *slots;
    size_t count, cap;
};

/* The spans are borrowed for the life of the map; `value` is not NULL. Returns the value that the name
 * already had (the map is then unchanged), else NULL. */
void *name_map_put(struct name_map *map, struct span group, struct span name, void *value);
void *name_map_find(const struct name_map *map, struct span group, struct span name); /* NULL = absent */
/* Visits the values in no order: for (size_t i = 0; (value = name_map_next(map, &i)) != NULL;) */
void *name_map_next(const struct name_map *map, size_t *position);
void name_map_release(struct name_map *map);
