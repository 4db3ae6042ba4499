#include "lib/zip.h"

#include "lib/mem.h"
#include "lib/pack.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The headers, little endian: signatures and lengths. */
#define LOCAL 0x04034b50u
#define LOCAL_SIZE 30
#define CENTRAL 0x02014b50u
#define CENTRAL_SIZE 46
#define END 0x06054b50u
#define END_SIZE 22
#define VERSION 20 /* 2.0: deflated */
#define DEFLATED 8
#define DATE 0x5a21 /* 2025-01-01, since the format has no "none" */
#define FILE_MAX INT64_C(0xfffffffe)

/* ---- writing ---- */

static void add_16(struct buf *out, unsigned value)
{
    const unsigned char bytes[] = {(unsigned char)value, (unsigned char)(value >> 8)};
    buf_add(out, bytes, sizeof bytes);
}

static void add_32(struct buf *out, uint32_t value)
{
    add_16(out, value & 0xffff);
    add_16(out, value >> 16);
}

/* What both headers of a part have, from the version on. */
static void add_common(struct buf *out, const struct zip_part *part)
{
    add_16(out, VERSION);
    add_16(out, 0); /* flags */
    add_16(out, DEFLATED);
    add_16(out, 0); /* time */
    add_16(out, DATE);
    add_32(out, part->checksum);
    add_32(out, part->packed_size);
    add_32(out, part->size);
    add_16(out, (unsigned)strlen(part->name));
    add_16(out, 0); /* no extra field */
}

static enum status put(struct zip_writer *w, const struct buf *bytes, struct error *err)
{
    if (w->length + (int64_t)bytes->len > FILE_MAX)
        return error_set(err, ST_INVALID, "more than 4 GiB");
    if (fwrite(bytes->data, 1, bytes->len, w->file) != bytes->len)
        return error_set(err, ST_STORAGE, "cannot be written: %s", strerror(errno));
    w->length += (int64_t)bytes->len;
    return ST_OK;
}

enum status zip_add(struct zip_writer *w, const char *name, struct span bytes, struct error *err)
{
    if (bytes.len > ZIP_PART_MAX || w->count == ZIP_PARTS_MAX)
        return error_set(err, ST_INVALID, "%s is more than a part may be (%zu MiB), or one part too many",
            name, ZIP_PART_MAX >> 20);
    buf_reset(&w->packed);
    pack_write_raw(&w->packed, bytes);
    struct zip_part part = {.name = mem_strdup(name),
        .checksum = pack_checksum(bytes),
        .packed_size = (uint32_t)w->packed.len,
        .size = (uint32_t)bytes.len,
        .offset = (uint32_t)w->length};
    MEM_GROW(w->parts, w->count, w->capacity);
    w->parts[w->count++] = part;
    struct buf head = {0};
    add_32(&head, LOCAL);
    add_common(&head, &part);
    buf_add_str(&head, name);
    enum status status = put(w, &head, err);
    if (status == ST_OK)
        status = put(w, &w->packed, err);
    buf_release(&head);
    return status;
}

enum status zip_end(struct zip_writer *w, struct error *err)
{
    struct buf end = {0};
    uint32_t begin = (uint32_t)w->length;
    for (size_t i = 0; i < w->count; i++) {
        add_32(&end, CENTRAL);
        add_16(&end, VERSION); /* made by */
        add_common(&end, &w->parts[i]);
        add_16(&end, 0); /* no comment */
        add_16(&end, 0); /* disk */
        add_16(&end, 0); /* attributes */
        add_32(&end, 0);
        add_32(&end, w->parts[i].offset);
        buf_add_str(&end, w->parts[i].name);
    }
    uint32_t size = (uint32_t)end.len;
    add_32(&end, END);
    add_16(&end, 0); /* disks */
    add_16(&end, 0);
    add_16(&end, (unsigned)w->count);
    add_16(&end, (unsigned)w->count);
    add_32(&end, size);
    add_32(&end, begin);
    add_16(&end, 0); /* no comment */
    enum status status = put(w, &end, err);
    buf_release(&end);
    return status;
}

void zip_release_writer(struct zip_writer *w)
{
    for (size_t i = 0; i < w->count; i++)
        free(w->parts[i].name);
    free(w->parts);
    buf_release(&w->packed);
    *w = (struct zip_writer){0};
}

/* ---- reading ---- */

struct zip {
    int fd;
    int64_t length; /* of the file */
    struct zip_part *parts;
    size_t count;
};

static unsigned get_16(const unsigned char *at)
{
    return at[0] | (unsigned)at[1] << 8;
}

static uint32_t get_32(const unsigned char *at)
{
    return get_16(at) | (uint32_t)get_16(at + 2) << 16;
}

static enum status read_at(struct zip *z, int64_t at, void *ret, size_t len, struct error *err)
{
    for (size_t done = 0; done < len;) {
        ssize_t got = pread(z->fd, (char *)ret + done, len - done, at + (int64_t)done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return error_set(err, ST_INVALID, "cannot be read: %s", got < 0 ? strerror(errno) : "cut short");
        done += (size_t)got;
    }
    return ST_OK;
}

static bool is_name(const char *name, size_t len)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/";
    return len > 0 && len <= ZIP_NAME_MAX && strspn(name, letters) == len && name[0] != '/' &&
           strstr(name, "..") == NULL;
}

/* The fields that both headers have, as add_common writes them. False: another form. */
static bool read_common(const unsigned char *at, struct zip_part *ret, size_t *ret_name)
{
    ret->checksum = get_32(at + 10);
    ret->packed_size = get_32(at + 14);
    ret->size = get_32(at + 18);
    *ret_name = get_16(at + 22);
    return get_16(at) == VERSION && get_16(at + 2) == 0 && get_16(at + 4) == DEFLATED &&
           get_16(at + 6) == 0 && get_16(at + 8) == DATE && get_16(at + 24) == 0;
}

/* One entry of the directory; *at goes behind it. Its part lies behind the one before, so that no byte is of none. */
static bool read_entry(
    const unsigned char **at, const unsigned char *end, int64_t *offset, struct zip_part *ret)
{
    size_t name;
    if (end - *at < CENTRAL_SIZE || get_32(*at) != CENTRAL || get_16(*at + 4) != VERSION ||
        !read_common(*at + 6, ret, &name) || (size_t)(end - *at) < CENTRAL_SIZE + name)
        return false;
    bool has_more = get_32(*at + 32) != 0 || get_32(*at + 36) != 0 || get_16(*at + 40) != 0;
    ret->offset = get_32(*at + 42);
    /* What cannot be deflated is stored, with 5 bytes for each 16 KiB at most. */
    bool is_padded = ret->packed_size > (uint64_t)ret->size + ret->size / 1000 + 64;
    if (has_more || is_padded || ret->size > ZIP_PART_MAX || ret->offset != *offset)
        return false;
    *offset += LOCAL_SIZE + (int64_t)name + ret->packed_size;
    ret->name = mem_strndup((const char *)*at + CENTRAL_SIZE, name);
    *at += CENTRAL_SIZE + name;
    return is_name(ret->name, name);
}

static enum status read_directory(struct zip *z, struct error *err)
{
    unsigned char tail[END_SIZE];
    if (z->length < END_SIZE)
        return error_set(err, ST_INVALID, "is no zip file, or it is cut short");
    enum status status = read_at(z, z->length - END_SIZE, tail, sizeof tail, err);
    if (status != ST_OK)
        return status;
    size_t count = get_16(tail + 10), size = get_32(tail + 12);
    int64_t directory = get_32(tail + 16), offset = 0;
    if (get_32(tail) != END || get_32(tail + 4) != 0 || get_16(tail + 8) != count || get_16(tail + 20) != 0 ||
        directory + (int64_t)size + END_SIZE != z->length)
        return error_set(err, ST_INVALID, "is no zip file of ours, or it is cut short");
    if (count > ZIP_PARTS_MAX || size > count * (CENTRAL_SIZE + ZIP_NAME_MAX))
        return error_set(err, ST_INVALID, "has a directory that is too large");
    unsigned char *entries = mem_alloc(size + 1);
    const unsigned char *at = entries, *end = entries + size;
    status = read_at(z, directory, entries, size, err);
    z->parts = mem_zalloc((count + 1) * sizeof *z->parts);
    while (status == ST_OK && z->count < count)
        if (!read_entry(&at, end, &offset, &z->parts[z->count++]))
            status = error_set(err, ST_INVALID, "has a directory that is damaged, or of another form");
    if (status == ST_OK && (at != end || offset != directory))
        status = error_set(err, ST_INVALID, "has a directory that is damaged, or of another form");
    free(entries);
    return status;
}

static enum status open_file(const char *path, struct zip *z, struct error *err)
{
    struct stat info;
    /* Else a pipe would be waited for. */
    z->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (z->fd < 0 || fstat(z->fd, &info) != 0)
        return error_set(err, ST_INVALID, "cannot be read: %s", strerror(errno));
    if (!S_ISREG(info.st_mode))
        return error_set(err, ST_INVALID, "is no file");
    z->length = info.st_size;
    if (z->length == 0)
        return error_set(err, ST_INVALID, "is empty");
    return z->length > FILE_MAX ? error_set(err, ST_INVALID, "is larger than 4 GiB") : ST_OK;
}

enum status zip_open(const char *path, struct zip **ret, struct error *err)
{
    struct zip *z = mem_zalloc(sizeof *z);
    z->fd = -1;
    enum status status = open_file(path, z, err);
    if (status == ST_OK)
        status = read_directory(z, err);
    if (status == ST_OK)
        *ret = z;
    else
        zip_close(z);
    return status;
}

void zip_close(struct zip *z)
{
    if (z == NULL)
        return;
    if (z->fd >= 0)
        close(z->fd);
    for (size_t i = 0; i < z->count; i++)
        free(z->parts[i].name);
    free(z->parts);
    free(z);
}

size_t zip_count(const struct zip *z)
{
    return z->count;
}

const char *zip_name(const struct zip *z, size_t part)
{
    return z->parts[part].name;
}

/* The part's own header says what the directory says. */
static enum status check_local(struct zip *z, const struct zip_part *part, struct error *err)
{
    unsigned char head[LOCAL_SIZE + ZIP_NAME_MAX];
    size_t length = strlen(part->name), name;
    struct zip_part local;
    enum status status = read_at(z, part->offset, head, LOCAL_SIZE + length, err);
    if (status != ST_OK)
        return status;
    bool is_same = get_32(head) == LOCAL && read_common(head + 4, &local, &name) && name == length &&
                   memcmp(head + LOCAL_SIZE, part->name, length) == 0 && local.checksum == part->checksum &&
                   local.packed_size == part->packed_size && local.size == part->size;
    return is_same ? ST_OK : error_set(err, ST_INVALID, "%s: its head is damaged", part->name);
}

enum status zip_read(struct zip *z, size_t number, struct buf *out, struct error *err)
{
    const struct zip_part *part = &z->parts[number];
    size_t begin = out->len;
    enum status status = check_local(z, part, err);
    if (status != ST_OK)
        return status;
    char *packed = mem_alloc((size_t)part->packed_size + 1);
    status =
        read_at(z, part->offset + LOCAL_SIZE + (int64_t)strlen(part->name), packed, part->packed_size, err);
    if (status == ST_OK) {
        status = pack_read_raw(out, (struct span){packed, part->packed_size}, part->size, err);
        if (status != ST_OK)
            error_prefix(err, status, "%s", part->name);
    }
    struct span bytes = {out->data != NULL ? out->data + begin : "", out->len - begin};
    if (status == ST_OK && (bytes.len != part->size || pack_checksum(bytes) != part->checksum))
        status = error_set(err, ST_INVALID, "%s is damaged: its checksum differs", part->name);
    free(packed);
    return status;
}
