/*
 * The archive: what stays of raw batches when they are pruned. Their register readings, as the journal took
 * them, move there in the transaction that deletes the batch: a batch is either raw or archived. Lines that
 * were skipped (duplicates, conflicts, quarantined) do not; what only the store refused does.
 *
 * It is kept by month of the reading's time, in UTC: a site's month is two of them at most, and whoever reads
 * it applies the zone, which may change when evidence may not. A month is a list of chunks; the text of a chunk
 * is packed (zlib) and reads, line by line:
 *
 *   registers 1                           what it holds, and the version of this form
 *   batch gw-a 00000000000000aa 17        gateway, epoch and seq of the batch that the next lines are of
 *   b3.main 1764000000123 123456780       point, time, value; the time is in milliseconds since the reading
 *   b3.aux -37 99 clock                   before it under this `batch` line (of the first: since 1970); and the
 *                                         quality, where it is not good
 *
 * Chunks, and batches in them, stand in the order in which they arrived, readings as in their batch. (gateway,
 * point, time) is the identity of a reading (D5); where it stands twice, because the journal had let the first
 * one go when the second came, the first counts.
 *
 * To find a reading again, each chunk has the number in the journal of the batch that it begins with: a month's chunks are in
 * the order of these.
 *
 * Tables archive (the chunks), archive_content (their text) and seal (collector/evidence/seal.h).
 */
#pragma once

#include "collector/intake/journal.h"
#include "lib/buf.h"
#include "lib/hash.h"
#include "lib/id.h"

#define ARCHIVE_CHUNK_BYTES (32 * 1024)     /* a chunk of so much text is not added to any more */
#define ARCHIVE_TEXT_MAX (16 * 1024 * 1024) /* no chunk has more text */
#define ARCHIVE_TAILS 16 /* chunks that one archive_write adds to; further months begin new ones */

/* What is to be archived, in memory. A zeroed struct is empty. */
struct archive {
    struct archive_month {
        int64_t month, from_ms, to_ms; /* half-open */
        int64_t readings;
        int64_t batch; /* the one that its last line is of */
        int64_t first; /* the one that its first line is of, by its number in the journal */
        int64_t last_ms;
        struct buf text;
    } * months;
    size_t count, capacity, last;
    int64_t batch;
};

void archive_add(struct archive *a, const struct journal_entry *batch);
/* Writes what was added, inside the core's transaction. */
enum status archive_write(struct archive *a, struct db *db, int64_t now_ms, struct error *err);
void archive_release(struct archive *a);

/* The batch that brought a reading, by the number that it had in the journal. The point is "<gateway>/<point>". Looks into few
 * chunks; false: it is not found. */
struct archive_origin {
    char gateway[ID_MAX + 1];
    char epoch[EPOCH_TEXT_SIZE];
    int64_t seq;
};
enum status archive_find(struct db *db, int64_t journal, const char *point, int64_t time_ms,
    struct archive_origin *ret, bool *ret_is_found, struct error *err);

/* Appends a chunk's text and says whether it is the one that was written. False: it is damaged; the text is what
 * could be read. A failure is the database's. */
enum status archive_read(struct db *db, int64_t id, const struct hash *written, struct buf *text,
    bool *ret_is_sound, struct error *err);
