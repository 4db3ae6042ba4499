#include "collector/ledger/readings.h"

#include "lib/mem.h"
#include "lib/pack.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define FORM 1
#define HEAD_BYTES 5 /* form and checksum */
#define VARINT_BYTES 10

/* All differences are taken modulo 2^64, so that any two numbers have one. */

static const size_t columns[] = {offsetof(struct books_reading, time_ms),
    offsetof(struct books_reading, count), offsetof(struct books_reading, journal)};
#define COLUMNS (sizeof columns / sizeof columns[0])

static int64_t *field(struct books_reading *reading, size_t column)
{
    return (int64_t *)((char *)reading + columns[column]);
}

static int64_t value(const struct books_reading *reading, size_t column)
{
    return *(const int64_t *)((const char *)reading + columns[column]);
}

void readings_release(struct readings *r)
{
    free(r->items);
    memset(r, 0, sizeof *r);
}

void readings_reserve(struct readings *r, size_t more)
{
    if (r->capacity - r->count >= more)
        return;
    r->capacity = r->count + more > 2 * r->capacity ? r->count + more : 2 * r->capacity;
    r->items = mem_realloc(r->items, r->capacity * sizeof *r->items);
}

void readings_add(struct readings *r, const struct books_reading *items, size_t count)
{
    if (count == 0)
        return;
    readings_reserve(r, count);
    memcpy(&r->items[r->count], items, count * sizeof *items);
    r->count += count;
}

size_t readings_find(const struct readings *r, int64_t time_ms)
{
    size_t low = 0, high = r->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (r->items[middle].time_ms < time_ms)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* ---- packing ---- */

static unsigned char *put(unsigned char *at, uint64_t number)
{
    for (; number >= 0x80; number >>= 7)
        *at++ = (unsigned char)(number | 0x80);
    *at++ = (unsigned char)number;
    return at;
}

static uint64_t zigzag(uint64_t number)
{
    return number << 1 ^ (number >> 63 != 0 ? UINT64_MAX : 0);
}

static uint64_t divisor(uint64_t a, uint64_t b)
{
    while (b != 0) {
        uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

static uint64_t difference(const struct books_reading *reading, size_t column)
{
    return (uint64_t)value(&reading[1], column) - (uint64_t)value(&reading[0], column);
}

/* The greatest that divides all differences; 1 where there is none. */
static int64_t find_step(const struct books_reading *items, size_t count, size_t column)
{
    uint64_t step = 0;
    for (size_t i = 0; i + 1 < count && step != 1; i++) {
        uint64_t d = difference(&items[i], column), most = d >> 63 != 0 ? 0 - d : d;
        if (step == 0 || most % step != 0)
            step = divisor(most, step);
    }
    return step == 0 || step > INT64_MAX ? 1 : (int64_t)step;
}

static unsigned char *put_column(
    unsigned char *at, const struct books_reading *items, size_t count, size_t column, int64_t base)
{
    at = put(at, zigzag((uint64_t)value(&items[0], column) - (uint64_t)base));
    if (count == 1)
        return at;
    int64_t step = find_step(items, count, column);
    uint64_t before = 0;
    at = put(at, (uint64_t)step);
    for (size_t i = 0; i + 1 < count; i++) {
        uint64_t steps = difference(&items[i], column);
        if (step != 1)
            steps = (uint64_t)((int64_t)steps / step);
        at = put(at, zigzag(steps - before));
        before = steps;
    }
    return at;
}

static unsigned char *put_runs(unsigned char *at, const struct books_reading *items, size_t count)
{
    for (size_t i = 0, end; i < count; i = end) {
        end = i + 1;
        while (
            end < count && items[end].point == items[i].point && items[end].is_manual == items[i].is_manual)
            end++;
        at = put(at, (uint64_t)(end - i) * 2 + items[i].is_manual);
        at = put(at, zigzag((uint64_t)items[i].point));
    }
    return at;
}

void readings_pack(struct buf *out, int64_t begin_ms, const struct books_reading *items, size_t count)
{
    assert(count > 0);
    buf_reserve(out, HEAD_BYTES + (1 + COLUMNS * (count + 1) + 2 * count) * VARINT_BYTES);
    unsigned char *head = (unsigned char *)out->data + out->len, *at = put(head + HEAD_BYTES, count);
    for (size_t column = 0; column < COLUMNS; column++)
        at = put_column(at, items, count, column, column == 0 ? begin_ms : 0);
    at = put_runs(at, items, count);
    uint32_t sum = pack_checksum((struct span){(char *)head + HEAD_BYTES, (size_t)(at - head) - HEAD_BYTES});
    head[0] = FORM;
    for (int i = 0; i < 4; i++)
        head[1 + i] = (unsigned char)(sum >> 8 * i);
    *at = '\0';
    out->len += (size_t)(at - head);
}

/* ---- and back ---- */

struct reader {
    const unsigned char *at, *end;
    const char *wrong; /* NULL: nothing yet; the rest is read as 0 then */
};

static void note_wrong(struct reader *in, const char *what)
{
    if (in->wrong == NULL)
        in->wrong = what;
    in->at = in->end;
}

static uint64_t get(struct reader *in)
{
    uint64_t number = 0;
    for (unsigned shift = 0; shift < 64 && in->at < in->end; shift += 7) {
        uint64_t bits = *in->at & 0x7f;
        if (shift == 63 && bits > 1)
            break;
        number |= bits << shift;
        if ((*in->at++ & 0x80) == 0)
            return number;
    }
    note_wrong(in, in->at == in->end ? "it is cut short" : "a number in it is beyond 64 bits");
    return 0;
}

static uint64_t get_signed(struct reader *in)
{
    uint64_t number = get(in);
    return number >> 1 ^ (0 - (number & 1));
}

static void get_column(
    struct reader *in, struct books_reading *items, size_t count, size_t column, int64_t base)
{
    uint64_t is = (uint64_t)base + get_signed(in), steps = 0;
    *field(&items[0], column) = (int64_t)is;
    if (count == 1)
        return;
    uint64_t step = get(in);
    for (size_t i = 1; i < count; i++) {
        steps += get_signed(in);
        is += steps * step;
        *field(&items[i], column) = (int64_t)is;
    }
}

static void get_runs(struct reader *in, struct books_reading *items, size_t count)
{
    for (size_t i = 0; i < count && in->wrong == NULL;) {
        uint64_t head = get(in), length = head / 2;
        int64_t point = (int64_t)get_signed(in);
        if (in->wrong == NULL && (length == 0 || length > count - i))
            note_wrong(in, "its runs are not as long as it");
        for (size_t end = i + (size_t)length; i < end && in->wrong == NULL; i++) {
            items[i].point = point;
            items[i].is_manual = (head & 1) != 0;
        }
    }
}

static void check_times(struct reader *in, int64_t begin_ms, const struct books_reading *items, size_t count)
{
    int64_t after_ms = begin_ms - 1;
    for (size_t i = 0; i < count; i++) {
        if (items[i].time_ms <= after_ms || items[i].time_ms >= begin_ms + READINGS_HOUR_MS) {
            note_wrong(in, "its times are not in order, or not of its hour");
            return;
        }
        after_ms = items[i].time_ms;
    }
}

static void get_all(struct reader *in, struct readings *r, int64_t begin_ms)
{
    uint64_t count = get(in);
    /* Each takes a byte in each column, which bounds what is allocated. */
    if (in->wrong == NULL && (count == 0 || count > (uint64_t)(in->end - in->at) / COLUMNS))
        note_wrong(in, "it has not as many readings as it says");
    if (in->wrong != NULL)
        return;
    readings_reserve(r, (size_t)count);
    struct books_reading *items = &r->items[r->count];
    memset(items, 0, (size_t)count * sizeof *items);
    for (size_t column = 0; column < COLUMNS; column++)
        get_column(in, items, (size_t)count, column, column == 0 ? begin_ms : 0);
    get_runs(in, items, (size_t)count);
    if (in->wrong == NULL && in->at != in->end)
        note_wrong(in, "something follows its end");
    if (in->wrong == NULL)
        check_times(in, begin_ms, items, (size_t)count);
    if (in->wrong == NULL)
        r->count += (size_t)count;
}

enum status readings_check(struct span packed, struct error *err)
{
    const unsigned char *bytes = (const unsigned char *)packed.at;
    if (packed.len < HEAD_BYTES)
        return error_set(err, ST_INVALID, "packed readings are damaged: it is cut short");
    if (bytes[0] != FORM)
        return error_set(err, ST_INVALID,
            "packed readings are damaged, or of a form that is not known: %d; known is %d", bytes[0], FORM);
    uint32_t sum = 0;
    for (int i = 0; i < 4; i++)
        sum |= (uint32_t)bytes[1 + i] << 8 * i;
    struct span content = {packed.at + HEAD_BYTES, packed.len - HEAD_BYTES};
    if (pack_checksum(content) != sum)
        return error_set(err, ST_INVALID, "packed readings are damaged: its checksum is another");
    return ST_OK;
}

enum status readings_unpack(struct readings *r, int64_t begin_ms, struct span packed, struct error *err)
{
    enum status status = readings_check(packed, err);
    if (status != ST_OK)
        return status;
    const unsigned char *bytes = (const unsigned char *)packed.at;
    struct reader in = {bytes + HEAD_BYTES, bytes + packed.len, NULL};
    get_all(&in, r, begin_ms);
    return in.wrong == NULL ? ST_OK : error_set(err, ST_INVALID, "packed readings are damaged: %s", in.wrong);
}
