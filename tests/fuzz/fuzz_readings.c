/* Packed readings of an hour, from a database that may be damaged: as they are, and under a checksum that fits. */
#include "collector/ledger/readings.h"
#include "lib/mem.h"
#include "lib/pack.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

#define BEGIN_MS INT64_C(0)

static void check(const struct readings *r, size_t length)
{
    LAW(r->count > 0 && r->count <= length, "more readings than bytes, or none");
    for (size_t i = 0; i < r->count; i++)
        LAW(r->items[i].time_ms >= (i == 0 ? BEGIN_MS : r->items[i - 1].time_ms + 1) &&
                r->items[i].time_ms < BEGIN_MS + READINGS_HOUR_MS,
            "a time out of order, or of another hour");
    struct buf packed = {0};
    struct readings again = {0};
    struct error err = {""};
    readings_pack(&packed, BEGIN_MS, r->items, r->count);
    LAW(readings_unpack(&again, BEGIN_MS, (struct span){packed.data, packed.len}, &err) == ST_OK,
        "what was packed is not read back: %s", err.text);
    LAW(again.count == r->count, "another number is read back");
    for (size_t i = 0; i < r->count; i++) {
        const struct books_reading *a = &r->items[i], *b = &again.items[i];
        LAW(a->time_ms == b->time_ms && a->count == b->count && a->point == b->point &&
                a->journal == b->journal && a->is_manual == b->is_manual,
            "a reading is read back as another");
    }
    readings_release(&again);
    buf_release(&packed);
}

static void give(struct span packed)
{
    struct readings r = {0};
    struct error err = {""};
    if (readings_unpack(&r, BEGIN_MS, packed, &err) == ST_OK)
        check(&r, packed.len);
    else
        LAW(r.count == 0 && err.text[0] != '\0', "refused without a reason, or with an effect");
    readings_release(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span bytes = {(const char *)data, size}, content = bytes;
    struct buf text = {0};
    give(bytes);
    if (size >= 5) { /* without its own head */
        content.at += 5;
        content.len -= 5;
    }
    uint32_t sum = pack_checksum(content);
    buf_add_char(&text, 1);
    for (int i = 0; i < 4; i++)
        buf_add_char(&text, (char)(sum >> 8 * i));
    buf_add(&text, content.at, content.len);
    char *exact = mem_alloc(text.len); /* so that the sanitizer sees each byte that is read beyond it */
    memcpy(exact, text.data, text.len);
    give((struct span){exact, text.len});
    free(exact);
    buf_release(&text);
    return 0;
}
