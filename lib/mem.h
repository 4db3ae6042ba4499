/*
 * Memory that cannot fail: out of memory ends the program with a message. The supervisor restarts it
 * and what matters is on disk; therefore every size that a peer controls is bounded before it gets here.
 */
#pragma once

#include <stddef.h>

void *mem_alloc(size_t size);  /* uninitialised */
void *mem_zalloc(size_t size); /* zeroed */
void *mem_realloc(void *old, size_t size);
char *mem_strdup(const char *text); /* NULL stays NULL */
char *mem_strndup(const char *text, size_t length);
char *mem_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Grows an array for one more element: MEM_GROW(items, count, capacity). */
#define MEM_GROW(items, count, capacity)                                  \
    do {                                                                  \
        if ((count) == (capacity)) {                                      \
            (capacity) = (capacity) ? 2 * (capacity) : 8;                 \
            (items) = mem_realloc((items), (capacity) * sizeof *(items)); \
        }                                                                 \
    } while (0)
