/*
 * What settings say, as a list of facts: a path that names things by what they are called ("meters[b1-lab].item"),
 * never by their place in the file, and a value. It is taken from what was read, not from the text: comments, layout
 * and order make no difference, nor does a default that is written down, 1000/5 for 200, or one instant in another
 * zone's time. Two files that say the same give the same list, byte for byte, and the same hash.
 *
 * A key of the tables (lib/conf.h) is a fact without further ado. A list's entry is itself one, with an empty value.
 */
#pragma once

#include "lib/conf.h"
#include "lib/hash.h"

struct fact {
    char *path;
    char *value;      /* canonical: what is compared */
    char *written;    /* the same for people: times as they were written */
    const char *file; /* where it was read; lives as long as the struct conf */
    int line;
};

struct facts {
    struct fact *items; /* sorted by path after facts_sort */
    size_t count, capacity;
};

/* Adds what `object`, which was read by this section, says. Borrows the file's name. Values that are absent (or as
 * absent ones are read) are no facts. */
void facts_add(struct facts *f, const struct conf_section *section, const void *object);
void facts_sort(struct facts *f);
/* NULL = there is none. Sorted. */
const struct fact *facts_find(const struct facts *f, const char *path);
/* The first fact at or after `path`: f->count where there is none. Sorted. */
size_t facts_from(const struct facts *f, const char *path);
/* SHA-256 over path NUL value NUL of each, in order. */
struct hash facts_hash(const struct facts *f);
void facts_release(struct facts *f);
