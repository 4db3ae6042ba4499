/*
 * Zip files (PKWARE's APPNOTE.TXT 6.3, without its extensions): parts with names, each deflated by itself, and a
 * directory at the end. Written so that the same parts give the same bytes: no times, no modes. Read as what a stranger
 * gave: only files of this narrow form are taken, every length is checked against the file before anything is made of it,
 * nothing is unpacked beyond ZIP_PART_MAX, and no part takes more of the file than it can have when packed.
 */
#pragma once

#include "lib/buf.h"
#include "lib/line.h"
#include "lib/status.h"

#include <stdint.h>
#include <stdio.h>

#define ZIP_PART_MAX ((size_t)256 << 20) /* bytes of a part, unpacked */
#define ZIP_NAME_MAX 200                 /* of letters, digits and "._-/" */
#define ZIP_PARTS_MAX 60000

struct zip_part {
    char *name;
    uint32_t checksum, packed_size, size, offset;
};

/* Zeroed but for `file` to begin with, which is borrowed and written from its begin. */
struct zip_writer {
    FILE *file;
    struct zip_part *parts;
    size_t count, capacity;
    int64_t length;
    struct buf packed;
};

/* ST_INVALID: the file, or this part, would be larger than can be (4 GiB; ZIP_PART_MAX). ST_STORAGE. */
enum status zip_add(struct zip_writer *w, const char *name, struct span bytes, struct error *err);
/* The directory, behind everything. */
enum status zip_end(struct zip_writer *w, struct error *err);
void zip_release_writer(struct zip_writer *w);

struct zip;
/* ST_INVALID, in words that go on after the path: it is no such file, or it is damaged. Blocks for the disk alone. */
enum status zip_open(const char *path, struct zip **ret, struct error *err);
void zip_close(struct zip *z); /* accepts NULL */
size_t zip_count(const struct zip *z);
const char *zip_name(const struct zip *z, size_t part);
/* Appends the part. ST_INVALID: it is damaged. */
enum status zip_read(struct zip *z, size_t part, struct buf *out, struct error *err);
