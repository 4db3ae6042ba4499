/*
 * manifest.txt of an evidence bundle, line by line, each ended by a line feed:
 *
 *   parkmon evidence 1                         the form
 *   program 0.1.0
 *   site jiashan
 *   period 2026-10
 *   as_of 2026-11-02T01:01:01.234Z             when the newest batch of the database arrived; - = never
 *   part <64 hex digits> <bytes> <name>        SHA-256 and length of each part, in the order of the file
 *
 * Its own SHA-256 is the bundle's. Pure.
 */
#pragma once

#include "collector/bundle/bundle.h"
#include "lib/hash.h"

struct manifest_part {
    char *name;
    struct hash hash;
    int64_t bytes;
};

struct manifest {
    struct bundle_about about;
    struct manifest_part *parts;
    size_t count, capacity;
};

void manifest_add(struct manifest *m, const char *name, struct span bytes);
void manifest_write(const struct manifest *m, struct buf *out);
/* ST_INVALID: "manifest.txt:<line>: ...". */
enum status manifest_read(struct manifest *m, struct span text, struct error *err);
void manifest_release(struct manifest *m); /* accepts a zeroed struct */
