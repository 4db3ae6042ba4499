#include "lib/pack.h"

#include <assert.h>
#include <limits.h>
#include <zlib.h>

#define SLICE_BYTES ((size_t)65536)

void pack_write(struct buf *out, struct span bytes)
{
    uLongf length = compressBound(bytes.len);
    buf_reserve(out, length);
    int code = compress2(
        (Bytef *)out->data + out->len, &length, (const Bytef *)bytes.at, bytes.len, Z_DEFAULT_COMPRESSION);
    assert(code == Z_OK); /* else out of memory */
    out->len += length;
    out->data[out->len] = '\0';
}

/* One slice more of what is unpacked. */
static int read_slice(z_stream *z, struct buf *out, size_t room)
{
    size_t length = room < SLICE_BYTES ? room : SLICE_BYTES;
    buf_reserve(out, length);
    z->next_out = (Bytef *)out->data + out->len;
    z->avail_out = (uInt)length;
    int code = inflate(z, Z_NO_FLUSH);
    out->len += length - z->avail_out;
    out->data[out->len] = '\0';
    return code;
}

void pack_write_raw(struct buf *out, struct span bytes)
{
    z_stream z = {0};
    assert(bytes.len <= UINT_MAX);
    int code = deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
    assert(code == Z_OK); /* else out of memory */
    uLong length = deflateBound(&z, bytes.len);
    buf_reserve(out, length);
    z.next_in = (Bytef *)(uintptr_t)bytes.at;
    z.avail_in = (uInt)bytes.len;
    z.next_out = (Bytef *)out->data + out->len;
    z.avail_out = (uInt)length;
    code = deflate(&z, Z_FINISH);
    assert(code == Z_STREAM_END);
    out->len += length - z.avail_out;
    out->data[out->len] = '\0';
    deflateEnd(&z);
}

static enum status unpack(struct buf *out, struct span packed, size_t max, int window, struct error *err)
{
    z_stream z = {0};
    if (packed.len > UINT_MAX)
        return error_set(err, ST_INVALID, "too large to be unpacked");
    int code = inflateInit2(&z, window);
    assert(code == Z_OK); /* else out of memory */
    z.next_in = (Bytef *)(uintptr_t)packed.at;
    z.avail_in = (uInt)packed.len;
    /* With one byte of room more than allowed, to see whether there is more. */
    size_t begin = out->len;
    do
        code = read_slice(&z, out, max + 1 - (out->len - begin));
    while (code == Z_OK && out->len - begin <= max);
    enum status status = ST_OK;
    if (out->len - begin > max)
        status = error_set(err, ST_INVALID, "more than %zu bytes when unpacked", max);
    else if (code != Z_STREAM_END)
        status = error_set(err, ST_INVALID, "cannot be unpacked: %s", z.msg != NULL ? z.msg : "cut short");
    else if (z.avail_in > 0)
        status = error_set(err, ST_INVALID, "followed by %u bytes too many", z.avail_in);
    inflateEnd(&z);
    return status;
}

enum status pack_read(struct buf *out, struct span packed, size_t max, struct error *err)
{
    return unpack(out, packed, max, MAX_WBITS, err);
}

enum status pack_read_raw(struct buf *out, struct span packed, size_t max, struct error *err)
{
    return unpack(out, packed, max, -MAX_WBITS, err);
}

uint32_t pack_checksum(struct span bytes)
{
    return (uint32_t)crc32_z(0, (const Bytef *)bytes.at, bytes.len);
}
