#include "collector/ledger/latest.h"

#include "collector/ledger/boundary.h"
#include "lib/buf.h"

#include <string.h>

#define QUARTERS 96
/* Raised when the bytes mean something else: what has another number is not read. */
#define FORMAT 1
#define NO_ROW 15

/* ---- from the rows ---- */

enum status latest_read_rows(struct db *db, int64_t meter, int64_t from_ms, int64_t until_ms,
    int64_t *amounts, uint8_t *qualities, struct error *err)
{
    /* In the order of the key: of the versions of a quarter hour the latest comes last. */
    struct db_stmt *next =
        db_keep(db, "SELECT start_ms, amount, quality FROM ledger_quarter"
                    " WHERE meter = ?1 AND start_ms >= ?2 AND start_ms < ?3 ORDER BY start_ms, version");
    db_bind_int(next, 1, meter);
    db_bind_int(next, 2, from_ms);
    db_bind_int(next, 3, until_ms);
    for (;;) {
        bool has_row;
        enum status status = db_step(next, &has_row, err);
        if (status != ST_OK || !has_row) {
            db_reset(next);
            return status;
        }
        size_t at = (size_t)((db_int(next, 0) - from_ms) / BOUNDARY_MS);
        int64_t quality = db_int(next, 2);
        bool is_known = quality >= 0 && quality < QUALITY_UNKNOWN && !db_is_null(next, 1);
        amounts[at] = is_known ? db_int(next, 1) : 0;
        qualities[at] = (uint8_t)(is_known ? quality : QUALITY_UNKNOWN);
    }
}

/* ---- a day in one row ----
 *
 * The format's number; 48 bytes with the qualities, of two quarter hours each, the first in the low half, 15 where
 * there is no row; then the amounts of those that are known, each as its difference from the one before (modulo
 * 2^64), zigzag, in groups of 7 bits, the lowest first, all but the last with the top bit set. */

static void add_amount(struct buf *packed, uint64_t difference)
{
    uint64_t rest = difference << 1 ^ (0 - (difference >> 63));
    for (; rest >= 0x80; rest >>= 7)
        buf_add_char(packed, (char)(rest | 0x80));
    buf_add_char(packed, (char)rest);
}

static bool take_amount(const unsigned char **at, const unsigned char *end, uint64_t *ret_difference)
{
    uint64_t rest = 0;
    for (unsigned shift = 0; *at < end && shift < 64; shift += 7) {
        unsigned char byte = *(*at)++;
        rest |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *ret_difference = rest >> 1 ^ (0 - (rest & 1));
            return true;
        }
    }
    return false;
}

static void pack(struct buf *packed, const int64_t *amounts, const uint8_t *qualities)
{
    uint64_t before = 0;
    buf_add_char(packed, FORMAT);
    for (int i = 0; i < QUARTERS; i += 2)
        buf_add_char(packed, (char)(qualities[i] | qualities[i + 1] << 4));
    for (int i = 0; i < QUARTERS; i++) {
        if (qualities[i] >= QUALITY_UNKNOWN)
            continue;
        add_amount(packed, (uint64_t)amounts[i] - before);
        before = (uint64_t)amounts[i];
    }
}

struct day {
    int64_t amounts[QUARTERS];
    uint8_t qualities[QUARTERS];
};

/* False: it is not of this format. */
static bool unpack(struct span packed, struct day *day)
{
    const unsigned char *at = (const unsigned char *)packed.at, *end = at + packed.len;
    if (packed.len < 1 + QUARTERS / 2 || *at++ != FORMAT)
        return false;
    for (int i = 0; i < QUARTERS; i += 2, at++) {
        day->qualities[i] = *at & 15;
        day->qualities[i + 1] = *at >> 4;
    }
    uint64_t amount = 0, difference;
    for (int i = 0; i < QUARTERS; i++) {
        if (day->qualities[i] < QUALITY_UNKNOWN) {
            if (!take_amount(&at, end, &difference))
                return false;
            amount += difference;
            day->amounts[i] = (int64_t)amount;
        } else if (day->qualities[i] == QUALITY_UNKNOWN || day->qualities[i] == NO_ROW) {
            day->amounts[i] = 0;
        } else {
            return false;
        }
    }
    return at == end;
}

static int64_t day_of(int64_t time_ms)
{
    return time_ms / LATEST_DAY_MS - (time_ms % LATEST_DAY_MS < 0);
}

/* What of the day lies in the arrays' time. */
static void place(const struct day *day, int64_t begin_ms, int64_t from_ms, int64_t until_ms,
    int64_t *amounts, uint8_t *qualities)
{
    int64_t first = begin_ms < from_ms ? (from_ms - begin_ms) / BOUNDARY_MS : 0;
    int64_t last = begin_ms + LATEST_DAY_MS > until_ms ? (until_ms - begin_ms) / BOUNDARY_MS : QUARTERS;
    int64_t shift = (begin_ms - from_ms) / BOUNDARY_MS;
    for (int64_t i = first; i < last; i++) {
        if (day->qualities[i] == NO_ROW)
            continue;
        amounts[i + shift] = day->amounts[i];
        qualities[i + shift] = day->qualities[i];
    }
}

/* ---- both ---- */

enum status latest_read(struct db *db, int64_t meter, int64_t from_ms, int64_t until_ms, int64_t *amounts,
    uint8_t *qualities, struct error *err)
{
    struct db_stmt *next = db_keep(db, "SELECT day, packed FROM ledger_day"
                                       " WHERE meter = ?1 AND day >= ?2 AND day <= ?3 ORDER BY day");
    struct day day;
    int64_t at_ms = from_ms; /* up to there it is read */
    bool has_row = true;
    enum status status = ST_OK;
    db_bind_int(next, 1, meter);
    db_bind_int(next, 2, day_of(from_ms));
    db_bind_int(next, 3, day_of(until_ms));
    while (at_ms < until_ms && status == ST_OK && has_row) {
        status = db_step(next, &has_row, err);
        if (status != ST_OK || (has_row && !unpack(db_text(next, 1), &day)))
            continue;
        int64_t begin_ms = has_row ? db_int(next, 0) * LATEST_DAY_MS : until_ms;
        if (begin_ms > until_ms)
            begin_ms = until_ms;
        if (begin_ms > at_ms) {
            size_t done = (size_t)((at_ms - from_ms) / BOUNDARY_MS);
            status = latest_read_rows(db, meter, at_ms, begin_ms, amounts + done, qualities + done, err);
            at_ms = begin_ms;
        }
        if (has_row && begin_ms < until_ms) {
            place(&day, begin_ms, from_ms, until_ms, amounts, qualities);
            at_ms = begin_ms + LATEST_DAY_MS;
        }
    }
    db_reset(next);
    return status;
}

static enum status pack_day(struct db *db, int64_t meter, int64_t number, struct error *err)
{
    struct day day;
    memset(&day, 0, sizeof day);
    memset(day.qualities, NO_ROW, sizeof day.qualities);
    enum status status = latest_read_rows(
        db, meter, number * LATEST_DAY_MS, (number + 1) * LATEST_DAY_MS, day.amounts, day.qualities, err);
    if (status != ST_OK)
        return status;
    struct buf packed = {0};
    pack(&packed, day.amounts, day.qualities);
    struct db_stmt *put =
        db_keep(db, "INSERT OR REPLACE INTO ledger_day(meter, day, packed) VALUES(?1, ?2, ?3)");
    db_bind_int(put, 1, meter);
    db_bind_int(put, 2, number);
    db_bind_blob(put, 3, (struct span){packed.data, packed.len});
    status = db_run(put, err);
    buf_release(&packed);
    return status;
}

enum status latest_pack(struct db *db, int64_t meter, int64_t from_ms, int64_t until_ms, struct error *err)
{
    enum status status = ST_OK;
    int64_t end = day_of(until_ms);
    for (int64_t number = day_of(from_ms + LATEST_DAY_MS - 1); number < end && status == ST_OK; number++)
        status = pack_day(db, meter, number, err);
    return status;
}
