/* Bytes made smaller and back: the zlib format (RFC 1950), which carries a checksum. Pure. */
#pragma once

#include "lib/buf.h"
#include "lib/line.h"
#include "lib/status.h"

#include <stddef.h>
#include <stdint.h>

/* Appends `bytes`, packed. */
void pack_write(struct buf *out, struct span bytes);
/* Appends what was packed. ST_INVALID: it is damaged, cut short, followed by something, or would be more than
 * `max` bytes; what could be read up to there is appended all the same. */
enum status pack_read(struct buf *out, struct span packed, size_t max, struct error *err);

/* The same without the frame: deflated alone (RFC 1951), as it lies in a zip file. No checksum. */
void pack_write_raw(struct buf *out, struct span bytes);
enum status pack_read_raw(struct buf *out, struct span packed, size_t max, struct error *err);

/* CRC-32 (RFC 1952, section 8): tells damage by chance, not by intent. */
uint32_t pack_checksum(struct span bytes);
