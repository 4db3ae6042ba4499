/* A batch's text: its header, and every line of its body as a reading, in both directions. */
#include "lib/batch.h"
#include "lib/text.h"
#include "tests/fuzz/fuzz.h"

#include <math.h>
#include <string.h>

static void check_header(const struct batch_header *h)
{
    LAW(h->epoch != 0 && h->seq >= 1 && h->seq < BATCH_SEQ_MAX && h->first >= 1 && h->first <= h->seq,
        "a header that the contract forbids");
    LAW(!h->has_prev || (h->prev_epoch != 0 && h->prev_epoch != h->epoch && h->prev_seq < h->seq),
        "a prev that the contract forbids");
    LAW(h->dropped >= 0 && h->dropped_from_ms <= h->dropped_to_ms, "dropped as the contract forbids it");
    struct buf text = {0};
    struct batch_header again;
    struct span body;
    struct error err = {""};
    batch_write_header(&text, h);
    LAW(batch_read_header((struct span){text.data, text.len}, &again, &body, &err) == ST_OK,
        "a header is not read back: %s", err.text);
    LAW(body.len == 0, "a header that is read back leaves a body");
    LAW(again.epoch == h->epoch && again.seq == h->seq && again.first == h->first &&
            again.has_prev == h->has_prev && again.prev_epoch == h->prev_epoch &&
            again.prev_seq == h->prev_seq && again.dropped == h->dropped &&
            again.dropped_from_ms == h->dropped_from_ms && again.dropped_to_ms == h->dropped_to_ms,
        "a header is read back as another");
    buf_release(&text);
}

static void check_reading(const struct reading *r)
{
    LAW(r->time_ms > 0 && r->time_ms < BATCH_SEQ_MAX, "a time that the contract forbids");
    LAW(r->kind != READING_REGISTER || (r->count >= -REGISTER_MAX && r->count <= REGISTER_MAX),
        "a count that the contract forbids");
    LAW(isfinite(r->value), "a gauge that is not finite");
    struct buf plain = {0}, text = {0}, plain_again = {0};
    struct reading writable = *r, again;
    struct error err = {""};
    line_unescape_string(&plain, r->text);
    LAW(plain.len <= STATE_TEXT_MAX, "a state longer than the contract allows");
    writable.text = (struct span){plain.data, plain.len};
    LAW(batch_write_reading(&text, &writable, &err) == ST_OK, "what was read cannot be written: %s",
        err.text);
    struct span rest = {text.data, text.len}, line;
    LAW(batch_next_line(&rest, &line) && rest.len == 0, "a reading is not one line");
    LAW(batch_read_reading(line, &again, &err) == ST_OK, "a reading is not read back: %s", err.text);
    line_unescape_string(&plain_again, again.text);
    LAW(again.kind == r->kind && again.quality == r->quality && again.time_ms == r->time_ms &&
            again.count == r->count && memcmp(&again.value, &r->value, sizeof r->value) == 0 &&
            again.point.len == r->point.len && memcmp(again.point.at, r->point.at, r->point.len) == 0 &&
            plain_again.len == plain.len &&
            (plain.len == 0 || memcmp(plain_again.data, plain.data, plain.len) == 0),
        "a reading is read back as another");
    buf_release(&plain);
    buf_release(&plain_again);
    buf_release(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span payload = {(const char *)data, size}, body = payload, line;
    struct batch_header header;
    struct error err = {""};
    if (batch_read_header(payload, &header, &body, &err) == ST_OK)
        check_header(&header);
    else
        LAW(err.text[0] != '\0', "refused without a reason");
    const char *end = payload.at + payload.len, *at = body.at;
    while (batch_next_line(&body, &line)) {
        LAW(line.at == at, "a byte is in no line");
        at = line.at + line.len + (line.at + line.len < end);
        struct reading reading;
        err.text[0] = '\0';
        if (batch_read_reading(line, &reading, &err) == ST_OK)
            check_reading(&reading);
        else
            LAW(err.text[0] != '\0' && text_is_utf8(span_of(err.text)) &&
                    !text_has_control(span_of(err.text)),
                "refused without a reason that people can read");
    }
    LAW(at == end, "the lines are not the body");
    return 0;
}
