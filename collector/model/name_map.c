#include "collector/model/name_map.h"

#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>

struct name_slot {
    struct span group, name;
    uint64_t hash;
    void *value; /* NULL = free */
};

/* FNV-1a; the names come from the settings or are bounded by the journal, nobody can choose them to collide
 * at length. */
static uint64_t hash_add(uint64_t hash, struct span s)
{
    for (size_t i = 0; i < s.len; i++)
        hash = (hash ^ (unsigned char)s.at[i]) * UINT64_C(0x100000001b3);
    return hash;
}

static uint64_t hash_name(struct span group, struct span name)
{
    uint64_t hash = hash_add(UINT64_C(0xcbf29ce484222325), group);
    hash = hash_add((hash ^ '/') * UINT64_C(0x100000001b3), name);
    return hash ^ hash >> 29;
}

static bool is_equal(struct span a, struct span b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

/* The slot that holds the name, or the free one where it belongs. */
static struct name_slot *slot_of(
    const struct name_map *map, uint64_t hash, struct span group, struct span name)
{
    size_t mask = map->cap - 1;
    for (size_t i = hash & mask;; i = (i + 1) & mask) {
        struct name_slot *slot = &map->slots[i];
        if (!slot->value ||
            (slot->hash == hash && is_equal(slot->name, name) && is_equal(slot->group, group)))
            return slot;
    }
}

static void grow(struct name_map *map)
{
    struct name_map bigger = {.cap = map->cap ? 2 * map->cap : 64, .count = map->count};
    bigger.slots = mem_zalloc(bigger.cap * sizeof *bigger.slots);
    for (size_t i = 0; i < map->cap; i++) {
        struct name_slot *slot = &map->slots[i];
        if (slot->value)
            *slot_of(&bigger, slot->hash, slot->group, slot->name) = *slot;
    }
    free(map->slots);
    *map = bigger;
}

void *name_map_put(struct name_map *map, struct span group, struct span name, void *value)
{
    if (2 * (map->count + 1) > map->cap)
        grow(map);
    uint64_t hash = hash_name(group, name);
    struct name_slot *slot = slot_of(map, hash, group, name);
    if (slot->value)
        return slot->value;
    *slot = (struct name_slot){group, name, hash, value};
    map->count++;
    return NULL;
}

void *name_map_find(const struct name_map *map, struct span group, struct span name)
{
    return map->cap ? slot_of(map, hash_name(group, name), group, name)->value : NULL;
}

void *name_map_next(const struct name_map *map, size_t *position)
{
    while (*position < map->cap) {
        void *value = map->slots[(*position)++].value;
        if (value)
            return value;
    }
    return NULL;
}

void name_map_release(struct name_map *map)
{
    free(map->slots);
    *map = (struct name_map){0};
}
