#include "lib/batch.h"

#include "lib/id.h"
#include "lib/number.h"
#include "lib/text.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define TIME_MAX_MS (INT64_C(1) << 53) /* a time stamp stays below it */

static const char *const kind_names[] = {"register", "gauge", "state"};

const char *reading_kind_name(enum reading_kind kind)
{
    return kind_names[kind];
}

bool reading_kind_parse(struct span name, enum reading_kind *ret)
{
    for (size_t i = 0; i < sizeof kind_names / sizeof *kind_names; i++) {
        if (span_is(name, kind_names[i])) {
            *ret = (enum reading_kind)i;
            return true;
        }
    }
    return false;
}

/* point_is_valid of lib/id.h for a span, with one comparison a byte: it runs for every reading. */
static bool point_is_sound(struct span point)
{
    if (point.len == 0 || point.len > POINT_MAX)
        return false;
    for (size_t i = 0; i < point.len; i++) {
        char c = point.at[i];
        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
            continue;
        if (i == 0 || (c != '.' && c != '_' && c != '-'))
            return false;
    }
    return true;
}

/* ---- writing ---- */

void batch_write_header(struct buf *out, const struct batch_header *h)
{
    buf_printf(out, "#park1 epoch=%016" PRIx64 " seq=%" PRId64 " first=%" PRId64, h->epoch, h->seq, h->first);
    if (h->has_prev)
        buf_printf(out, " prev=%016" PRIx64 ":%" PRId64, h->prev_epoch, h->prev_seq);
    if (h->dropped > 0)
        buf_printf(out, " dropped=%" PRId64 " from=%" PRId64 " to=%" PRId64, h->dropped, h->dropped_from_ms,
            h->dropped_to_ms);
    buf_add_char(out, '\n');
}

/* The laws that both directions share; `text_len` is that of the plain text. */
static enum status check_reading(const struct reading *r, size_t text_len, struct error *err)
{
    if (!point_is_sound(r->point))
        return error_set(err, ST_INVALID, "not a point: expected [a-z0-9][a-z0-9._-]{0,%d}", POINT_MAX - 1);
    if (r->time_ms <= 0 || r->time_ms >= TIME_MAX_MS)
        return error_set(
            err, ST_INVALID, "time stamp %" PRId64 " is not a number of milliseconds since 1970", r->time_ms);
    switch (r->kind) {
    case READING_REGISTER:
        if (r->count < -REGISTER_MAX || r->count > REGISTER_MAX)
            return error_set(err, ST_INVALID, "count %" PRId64 " is beyond +-10^15", r->count);
        return ST_OK;
    case READING_GAUGE:
        if (!isfinite(r->value))
            return error_set(err, ST_INVALID, "a gauge that is not finite");
        return ST_OK;
    case READING_STATE:
        if (text_len > STATE_TEXT_MAX)
            return error_set(
                err, ST_INVALID, "a state of %zu bytes; the limit is %d", text_len, STATE_TEXT_MAX);
        if (text_has_control(r->text))
            return error_set(err, ST_INVALID, "a control character in a state");
        if (!text_is_utf8(r->text))
            return error_set(err, ST_INVALID, "a state that is not UTF-8");
        return ST_OK;
    }
    return error_set(err, ST_INVALID, "a reading of an unknown kind");
}

enum status batch_write_reading(struct buf *out, const struct reading *reading, struct error *err)
{
    enum status status = check_reading(reading, reading->text.len, err);
    if (status != ST_OK)
        return status;
    struct line_tag tag = {SPAN("point"), reading->point};
    struct line_field fields[2] = {
        {.key = SPAN("value")}, {SPAN("quality"), {.type = LINE_STRING, .s = SPAN("clock")}}};
    switch (reading->kind) {
    case READING_REGISTER:
        fields[0].value = (struct line_value){.type = LINE_INT, .i = reading->count};
        break;
    case READING_GAUGE:
        fields[0].value = (struct line_value){.type = LINE_FLOAT, .f = reading->value};
        break;
    case READING_STATE:
        fields[0].value = (struct line_value){.type = LINE_STRING, .s = reading->text};
        break;
    }
    size_t count = reading->quality == QUALITY_CLOCK ? 2 : 1;
    return line_write(
        out, span_of(reading_kind_name(reading->kind)), &tag, 1, fields, count, reading->time_ms, err);
}

/* ---- reading a header ---- */

enum header_key { KEY_EPOCH, KEY_SEQ, KEY_FIRST, KEY_PREV, KEY_DROPPED, KEY_FROM, KEY_TO, KEY_COUNT };
static const char *const header_keys[KEY_COUNT] = {"epoch", "seq", "first", "prev", "dropped", "from", "to"};

/* Takes the text up to `stop`, which goes too, or to the end. */
static struct span take_until(struct span *rest, char stop)
{
    const char *at = rest->len == 0 ? NULL : memchr(rest->at, stop, rest->len);
    struct span taken = {rest->at, at == NULL ? rest->len : (size_t)(at - rest->at)};
    size_t gone = taken.len + (at != NULL);
    *rest = (struct span){rest->at + gone, rest->len - gone};
    return taken;
}

static bool parse_epoch(struct span text, uint64_t *ret)
{
    /* 0 is "none" in both programs and never drawn. */
    return number_parse_hex16(text.at, text.len, ret) && *ret != 0;
}

static bool parse_between(struct span text, int64_t min, int64_t max, int64_t *ret)
{
    return number_parse_int64(text.at, text.len, ret) && *ret >= min && *ret <= max;
}

static enum status read_header_key(
    enum header_key key, struct span text, struct batch_header *h, struct error *err)
{
    switch (key) {
    case KEY_EPOCH:
        if (!parse_epoch(text, &h->epoch))
            return error_set(err, ST_INVALID, "header: epoch: expected 16 lower-case hex digits, not all 0");
        return ST_OK;
    case KEY_SEQ:
        if (!parse_between(text, 1, BATCH_SEQ_MAX - 1, &h->seq))
            return error_set(err, ST_INVALID, "header: seq: expected a number from 1 to 2^53 - 1");
        return ST_OK;
    case KEY_FIRST:
        if (!parse_between(text, 1, BATCH_SEQ_MAX - 1, &h->first))
            return error_set(err, ST_INVALID, "header: first: expected a number from 1 to 2^53 - 1");
        return ST_OK;
    case KEY_PREV:
        h->has_prev = true;
        struct span epoch = take_until(&text, ':');
        if (!parse_epoch(epoch, &h->prev_epoch) || !parse_between(text, 0, BATCH_SEQ_MAX - 1, &h->prev_seq))
            return error_set(err, ST_INVALID, "header: prev: expected <16 lower-case hex digits>:<seq>");
        return ST_OK;
    case KEY_DROPPED:
        if (!parse_between(text, 1, BATCH_SEQ_MAX - 1, &h->dropped))
            return error_set(err, ST_INVALID, "header: dropped: expected a number from 1 to 2^53 - 1");
        return ST_OK;
    case KEY_FROM:
        if (!parse_between(text, 0, TIME_MAX_MS - 1, &h->dropped_from_ms))
            return error_set(err, ST_INVALID, "header: from: expected milliseconds since 1970");
        return ST_OK;
    case KEY_TO:
        if (!parse_between(text, 0, TIME_MAX_MS - 1, &h->dropped_to_ms))
            return error_set(err, ST_INVALID, "header: to: expected milliseconds since 1970");
        return ST_OK;
    case KEY_COUNT:
        break;
    }
    return ST_OK;
}

static enum status check_header(
    const struct batch_header *h, const bool has[static KEY_COUNT], struct error *err)
{
    for (enum header_key key = KEY_EPOCH; key <= KEY_FIRST; key++)
        if (!has[key])
            return error_set(err, ST_INVALID, "header: %s is missing", header_keys[key]);
    if (h->first > h->seq)
        return error_set(
            err, ST_INVALID, "header: first %" PRId64 " is above seq %" PRId64, h->first, h->seq);
    if (h->has_prev && h->prev_seq >= h->seq)
        return error_set(err, ST_INVALID,
            "header: the epoch before ended at %" PRId64 ", not below seq %" PRId64, h->prev_seq, h->seq);
    if (h->has_prev && h->prev_epoch == h->epoch)
        return error_set(err, ST_INVALID, "header: prev names the batch's own epoch");
    if (has[KEY_DROPPED] != has[KEY_FROM] || has[KEY_DROPPED] != has[KEY_TO])
        return error_set(err, ST_INVALID, "header: dropped, from and to belong together");
    if (h->dropped_from_ms > h->dropped_to_ms)
        return error_set(err, ST_INVALID, "header: from is after to");
    return ST_OK;
}

enum status batch_read_header(
    struct span payload, struct batch_header *ret, struct span *ret_body, struct error *err)
{
    struct batch_header h = {0};
    bool has[KEY_COUNT] = {false};
    struct span rest = take_until(&payload, '\n');
    if (text_has_control(rest))
        return error_set(err, ST_INVALID, "header: a control character");
    if (!span_is(take_until(&rest, ' '), "#park1"))
        return error_set(err, ST_INVALID, "header: not a batch: expected \"#park1 \"");
    for (bool is_last = false; !is_last;) {
        is_last = memchr(rest.at, ' ', rest.len) == NULL;
        struct span text = take_until(&rest, ' ');
        if (memchr(text.at, '=', text.len) == NULL)
            return error_set(err, ST_INVALID, "header: expected key=value pairs, one space between them");
        struct span name = take_until(&text, '=');
        enum header_key key = KEY_EPOCH;
        while (key < KEY_COUNT && !span_is(name, header_keys[key]))
            key++;
        if (key == KEY_COUNT)
            continue;
        if (has[key])
            return error_set(err, ST_INVALID, "header: %s stands there twice", header_keys[key]);
        has[key] = true;
        enum status status = read_header_key(key, text, &h, err);
        if (status != ST_OK)
            return status;
    }
    enum status status = check_header(&h, has, err);
    if (status != ST_OK)
        return status;
    *ret = h;
    *ret_body = payload;
    return ST_OK;
}

/* ---- reading a body ---- */

bool batch_next_line(struct span *body, struct span *ret_line)
{
    if (body->len == 0)
        return false;
    *ret_line = take_until(body, '\n');
    return true;
}

static enum status read_value(
    const struct line_value *value, struct reading *r, size_t *ret_text_len, struct error *err)
{
    switch (r->kind) {
    case READING_REGISTER:
        if (value->type != LINE_INT)
            return error_set(err, ST_INVALID, "the value of a register is an integer with 'i'");
        r->count = value->i;
        return ST_OK;
    case READING_GAUGE:
        if (value->type != LINE_FLOAT)
            return error_set(err, ST_INVALID, "the value of a gauge is a number without 'i'");
        r->value = value->f;
        return ST_OK;
    case READING_STATE:
        if (value->type != LINE_STRING)
            return error_set(err, ST_INVALID, "the value of a state is a quoted string");
        r->text = value->s;
        *ret_text_len = value->s.len;
        /* Every backslash that escapes takes its partner along, as line_unescape_string has it. */
        for (size_t i = 0; i + 1 < value->s.len; i++) {
            if (value->s.at[i] == '\\' && (value->s.at[i + 1] == '\\' || value->s.at[i + 1] == '"')) {
                --*ret_text_len;
                i++;
            }
        }
        return ST_OK;
    }
    return ST_OK;
}

static bool take_prefix(struct span *rest, struct span prefix)
{
    if (rest->len < prefix.len || memcmp(rest->at, prefix.at, prefix.len) != 0)
        return false;
    *rest = (struct span){rest->at + prefix.len, rest->len - prefix.len};
    return true;
}

/* Registers and gauges as agents write them, in one pass: nearly every line is one, and each is read twice.
 * False: it may still be a reading in another shape. What is taken here the whole grammar takes alike. */
static bool read_plain(struct span text, struct reading *ret)
{
    struct reading r = {0};
    if (take_prefix(&text, SPAN("register,point=")))
        r.kind = READING_REGISTER;
    else if (take_prefix(&text, SPAN("gauge,point=")))
        r.kind = READING_GAUGE;
    else
        return false;
    r.point = take_until(&text, ' ');
    if (!take_prefix(&text, SPAN("value=")))
        return false;
    struct span value = take_until(&text, ' ');
    bool is_value = r.kind == READING_REGISTER ? value.len > 0 && value.at[value.len - 1] == 'i' &&
                                                     number_parse_int64(value.at, value.len - 1, &r.count)
                                               : number_parse_double(value.at, value.len, &r.value);
    if (!is_value || !number_parse_int64(text.at, text.len, &r.time_ms) ||
        check_reading(&r, 0, NULL) != ST_OK)
        return false;
    *ret = r;
    return true;
}

enum status batch_read_reading(struct span text, struct reading *ret, struct error *err)
{
    if (read_plain(text, ret))
        return ST_OK;
    struct line line;
    enum status status = line_read(text, &line, err);
    if (status != ST_OK)
        return status;
    struct reading r = {0};
    if (!reading_kind_parse(line.measurement, &r.kind))
        return error_set(err, ST_INVALID, "unknown measurement: expected register, gauge or state");
    if (line.tag_count != 1 || !span_is(line.tags[0].key, "point"))
        return error_set(err, ST_INVALID, "expected one tag, \"point\"");
    if (!line.has_time)
        return error_set(err, ST_INVALID, "no time stamp");
    r.point = line.tags[0].value;
    r.time_ms = line.time;
    const struct line_value *value = NULL, *quality = NULL;
    for (size_t i = 0; i < line.field_count; i++) {
        struct span key = line.fields[i].key;
        const struct line_value **place = span_is(key, "value")     ? &value
                                          : span_is(key, "quality") ? &quality
                                                                    : NULL;
        if (place == NULL)
            return error_set(err, ST_INVALID, "unknown field: expected value and, where needed, quality");
        if (*place != NULL)
            return error_set(err, ST_INVALID, "a field for the second time");
        *place = &line.fields[i].value;
    }
    if (value == NULL)
        return error_set(err, ST_INVALID, "no field \"value\"");
    if (quality != NULL) {
        if (quality->type != LINE_STRING || !span_is(quality->s, "clock"))
            return error_set(err, ST_INVALID, "unknown quality: expected \"clock\", or no field for good");
        r.quality = QUALITY_CLOCK;
    }
    size_t text_len = 0;
    status = read_value(value, &r, &text_len, err);
    if (status == ST_OK)
        status = check_reading(&r, text_len, err);
    if (status == ST_OK)
        *ret = r;
    return status;
}

/* ---- acknowledgements ---- */

void ack_format(const struct ack *ack, char text[static ACK_TEXT_SIZE])
{
    snprintf(text, ACK_TEXT_SIZE, "epoch=%016" PRIx64 " seq=%" PRId64 "%s", ack->epoch, ack->seq,
        ack->is_refusal ? " again=1" : "");
}

enum status ack_parse(struct span text, struct ack *ret, struct error *err)
{
    struct ack ack = {0};
    bool ends_early = text.len > 0 && text.at[text.len - 1] == ' ';
    struct span epoch = take_until(&text, ' '), name = take_until(&epoch, '=');
    struct span seq = take_until(&text, ' '), seq_name = take_until(&seq, '=');
    if (!span_is(name, "epoch") || !parse_epoch(epoch, &ack.epoch))
        return error_set(err, ST_INVALID, "ack: expected epoch=<16 lower-case hex digits>");
    if (!span_is(seq_name, "seq") || !parse_between(seq, 0, BATCH_SEQ_MAX - 1, &ack.seq))
        return error_set(err, ST_INVALID, "ack: expected seq=<number from 0 to 2^53 - 1> after epoch");
    ack.is_refusal = span_is(text, "again=1");
    if ((text.len > 0 && !ack.is_refusal) || ends_early)
        return error_set(err, ST_INVALID, "ack: expected nothing or again=1 after seq");
    *ret = ack;
    return ST_OK;
}
