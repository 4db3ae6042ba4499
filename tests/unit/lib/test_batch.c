#include "lib/batch.h"
#include "lib/id.h"
#include "lib/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LAST_SEQ "9007199254740991" /* 2^53 - 1 */
#define A64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

/* The batch that the wire contract shows. */
static const char example[] = "#park1 epoch=9f2c4e1b77aa0d31 seq=1042 first=1001 prev=03c1f0a2b4d5e697:988\n"
                              "register,point=b3.main value=123456780i 1764000000123\n"
                              "gauge,point=b3.main.power value=41230.5 1764000000123\n"
                              "state,point=lab2.sem3.session value=\"open\" 1764000000500\n";

static struct batch_header example_header(void)
{
    return (struct batch_header){.epoch = 0x9f2c4e1b77aa0d31,
        .seq = 1042,
        .first = 1001,
        .has_prev = true,
        .prev_epoch = 0x03c1f0a2b4d5e697,
        .prev_seq = 988};
}

static struct reading register_reading(const char *point, int64_t count)
{
    return (struct reading){
        .point = span_of(point), .time_ms = 1764000000123, .kind = READING_REGISTER, .count = count};
}

static struct reading gauge_reading(const char *point, double value)
{
    return (struct reading){
        .point = span_of(point), .time_ms = 1764000000123, .kind = READING_GAUGE, .value = value};
}

static struct reading state_reading(const char *point, struct span text)
{
    return (struct reading){
        .point = span_of(point), .time_ms = 1764000000500, .kind = READING_STATE, .text = text};
}

static void test_the_contracts_example_is_written_byte_for_byte(void **state)
{
    (void)state;
    const struct batch_header header = example_header();
    const struct reading readings[] = {register_reading("b3.main", 123456780),
        gauge_reading("b3.main.power", 41230.5), state_reading("lab2.sem3.session", SPAN("open"))};
    struct buf out = {0};
    batch_write_header(&out, &header);
    for (size_t i = 0; i < sizeof readings / sizeof *readings; i++)
        assert_int_equal(batch_write_reading(&out, &readings[i], NULL), ST_OK);
    assert_string_equal(out.data, example);
    buf_release(&out);
}

static void test_the_contracts_example_is_read(void **state)
{
    (void)state;
    struct batch_header h;
    struct span body, line;
    struct error err;
    struct reading r;
    assert_int_equal(batch_read_header(SPAN(example), &h, &body, &err), ST_OK);
    assert_true(h.epoch == 0x9f2c4e1b77aa0d31 && h.seq == 1042 && h.first == 1001);
    assert_true(h.has_prev && h.prev_epoch == 0x03c1f0a2b4d5e697 && h.prev_seq == 988);
    assert_true(h.dropped == 0);

    assert_true(batch_next_line(&body, &line));
    assert_int_equal(batch_read_reading(line, &r, &err), ST_OK);
    assert_true(r.kind == READING_REGISTER && r.count == 123456780 && r.time_ms == 1764000000123);
    assert_true(r.quality == QUALITY_GOOD && span_is(r.point, "b3.main"));
    assert_true(batch_next_line(&body, &line));
    assert_int_equal(batch_read_reading(line, &r, &err), ST_OK);
    assert_true(r.kind == READING_GAUGE && r.value == 41230.5 && span_is(r.point, "b3.main.power"));
    assert_true(batch_next_line(&body, &line));
    assert_int_equal(batch_read_reading(line, &r, &err), ST_OK);
    assert_true(r.kind == READING_STATE && span_is(r.text, "open") && r.time_ms == 1764000000500);
    assert_false(batch_next_line(&body, &line));
}

static void test_the_last_line_may_lack_its_line_feed(void **state)
{
    (void)state;
    struct batch_header h;
    struct span body, line;
    const struct span payload = {example, sizeof example - 2};
    assert_int_equal(batch_read_header(payload, &h, &body, NULL), ST_OK);
    for (int i = 0; i < 3; i++) {
        struct reading r;
        assert_true(batch_next_line(&body, &line));
        assert_int_equal(batch_read_reading(line, &r, NULL), ST_OK);
    }
    assert_false(batch_next_line(&body, &line));
    /* And a batch may hold nothing but the news of a loss. */
    assert_int_equal(
        batch_read_header(SPAN("#park1 epoch=9f2c4e1b77aa0d31 seq=1 first=1"), &h, &body, NULL), ST_OK);
    assert_int_equal(body.len, 0);
    assert_false(h.has_prev);
}

static void test_a_broken_line_does_not_swallow_the_next(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "", "# a comment", "state,point=a value=\"open 1", "state,point=b value=\"x\" 2", ""};
    struct span body = SPAN("\n# a comment\nstate,point=a value=\"open 1\nstate,point=b value=\"x\" 2\n\n"),
                line;
    struct reading r;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        assert_true(batch_next_line(&body, &line));
        assert_true(span_is(line, lines[i]));
        assert_int_equal(batch_read_reading(line, &r, NULL), i == 3 ? ST_OK : ST_INVALID);
    }
    assert_true(span_is(r.point, "b"));
    assert_false(batch_next_line(&body, &line));
    assert_false(batch_next_line(&(struct span){NULL, 0}, &line));
}

static void test_what_was_dropped_is_said_with_its_time_span(void **state)
{
    (void)state;
    struct batch_header header = example_header(), read;
    header.has_prev = false;
    header.dropped = 17;
    header.dropped_from_ms = 1763999000000;
    header.dropped_to_ms = 1763999900000;
    struct buf out = {0};
    struct span body;
    batch_write_header(&out, &header);
    assert_string_equal(out.data,
        "#park1 epoch=9f2c4e1b77aa0d31 seq=1042 first=1001 dropped=17 from=1763999000000 "
        "to=1763999900000\n");
    assert_int_equal(batch_read_header((struct span){out.data, out.len}, &read, &body, NULL), ST_OK);
    assert_true(
        read.dropped == 17 && read.dropped_from_ms == 1763999000000 && read.dropped_to_ms == 1763999900000);
    buf_release(&out);
}

static void test_unknown_keys_and_another_order_are_taken(void **state)
{
    (void)state;
    struct batch_header h;
    struct span body;
    assert_int_equal(
        batch_read_header(SPAN("#park1 zip=1 seq=" LAST_SEQ " zip=2 prev=00000000000000ff:0 first=1 x= "
                               "epoch=0000000000000001 seqs=5\nrest"),
            &h, &body, NULL),
        ST_OK);
    assert_true(
        h.seq == BATCH_SEQ_MAX - 1 && h.first == 1 && h.epoch == 1 && h.prev_epoch == 255 && h.prev_seq == 0);
    assert_true(span_is(body, "rest"));
}

static void test_every_kind_of_malformed_header_has_its_message(void **state)
{
    (void)state;
#define EPOCH "epoch=9f2c4e1b77aa0d31"
#define GOOD "#park1 " EPOCH " seq=5 first=2"
    static const char bad_epoch[] = "header: epoch: expected 16 lower-case hex digits, not all 0";
    static const char bad_seq[] = "header: seq: expected a number from 1 to 2^53 - 1";
    static const char bad_prev[] = "header: prev: expected <16 lower-case hex digits>:<seq>";
    static const char bad_pair[] = "header: expected key=value pairs, one space between them";
    static const char bad_magic[] = "header: not a batch: expected \"#park1 \"";
    static const char apart[] = "header: dropped, from and to belong together";
    static const struct {
        const char *text;
        const char *message;
    } cases[] = {
        {"", bad_magic},
        {"\n" GOOD, bad_magic},
        {"#park2 " EPOCH " seq=5 first=2", bad_magic},
        {"#park1\t" EPOCH, "header: a control character"},
        {"register,point=a value=1i 5\n", bad_magic},
        {"#park1", bad_pair},
        {"#park1 ", bad_pair},
        {"#park1  " EPOCH " seq=5 first=2", bad_pair},
        {GOOD " ", bad_pair},
        {GOOD " more", bad_pair},
        {GOOD "\r\n", "header: a control character"},
        {"#park1 seq=5 first=2", "header: epoch is missing"},
        {"#park1 " EPOCH " first=2", "header: seq is missing"},
        {"#park1 " EPOCH " seq=5", "header: first is missing"},
        {GOOD " " EPOCH, "header: epoch stands there twice"},
        {GOOD " seq=5", "header: seq stands there twice"},
        {"#park1 epoch=9F2C4E1B77AA0D31 seq=5 first=2", bad_epoch},
        {"#park1 epoch=9f2c4e1b77aa0d3 seq=5 first=2", bad_epoch},
        {"#park1 epoch=9f2c4e1b77aa0d311 seq=5 first=2", bad_epoch},
        {"#park1 epoch=0000000000000000 seq=5 first=2", bad_epoch},
        {"#park1 " EPOCH " seq=0 first=0", bad_seq},
        {"#park1 " EPOCH " seq=-1 first=1", bad_seq},
        {"#park1 " EPOCH " seq=+5 first=1", bad_seq},
        {"#park1 " EPOCH " seq= first=1", bad_seq},
        {"#park1 " EPOCH " seq=5x first=1", bad_seq},
        {"#park1 " EPOCH " seq=9007199254740992 first=1", bad_seq},
        {"#park1 " EPOCH " seq=18446744073709551617 first=1", bad_seq},
        {"#park1 " EPOCH " seq=5 first=0", "header: first: expected a number from 1 to 2^53 - 1"},
        {"#park1 " EPOCH " seq=5 first=6", "header: first 6 is above seq 5"},
        {GOOD " prev=03c1f0a2b4d5e697", bad_prev},
        {GOOD " prev=03c1f0a2b4d5e697:", bad_prev},
        {GOOD " prev=03c1f0a2b4d5e697:-1", bad_prev},
        {GOOD " prev=03c1:4", bad_prev},
        {GOOD " prev=03c1f0a2b4d5e697:5", "header: the epoch before ended at 5, not below seq 5"},
        {GOOD " prev=9f2c4e1b77aa0d31:4", "header: prev names the batch's own epoch"},
        {GOOD " dropped=0 from=1 to=2", "header: dropped: expected a number from 1 to 2^53 - 1"},
        {GOOD " dropped=1 from=x to=2", "header: from: expected milliseconds since 1970"},
        {GOOD " dropped=1 from=1 to=-2", "header: to: expected milliseconds since 1970"},
        {GOOD " dropped=1 from=2 to=1", "header: from is after to"},
        {GOOD " dropped=1", apart},
        {GOOD " dropped=1 from=1", apart},
        {GOOD " dropped=1 to=1", apart},
        {GOOD " from=1 to=2", apart},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct batch_header h;
        struct span body;
        struct error err = {"taken"};
        enum status status = batch_read_header(span_of(cases[i].text), &h, &body, &err);
        if (status != ST_INVALID || strcmp(err.text, cases[i].message) != 0)
            fail_msg("%s: %s", cases[i].text, err.text);
    }
}

static void test_readings_at_the_edge_of_the_contract_are_taken(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "register,point=a value=1000000000000000i 9007199254740991",
        "register,point=a value=-1000000000000000i 1",
        "gauge,point=" A64 " value=-1.7976931348623157e+308 1",
        "gauge,point=0 value=5 1",
        "state,point=a value=\"\" 1",
        "state,point=a value=\"\\\"" A64 A64 A64
        "123456789012345678901234567890123456789012345678901234567890123\" 1",
        "state,point=a quality=\"clock\",value=\"云\" 1",
        "register,point=a value=1i,quality=\"clock\"  1",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct reading r;
        struct error err;
        if (batch_read_reading(span_of(lines[i]), &r, &err) != ST_OK)
            fail_msg("%s: %s", lines[i], err.text);
        assert_int_equal(r.quality, strstr(lines[i], "clock") ? QUALITY_CLOCK : QUALITY_GOOD);
    }
}

static void test_what_is_not_a_reading_of_the_contract_is_refused_with_its_reason(void **state)
{
    (void)state;
    static const char bad_point[] = "not a point: expected [a-z0-9][a-z0-9._-]{0,63}";
    static const char one_tag[] = "expected one tag, \"point\"";
    static const char bad_quality[] = "unknown quality: expected \"clock\", or no field for good";
    static const struct {
        const char *line;
        const char *message;
    } cases[] = {
        {"meter,point=a value=1i 1", "unknown measurement: expected register, gauge or state"},
        {"Register,point=a value=1i 1", "unknown measurement: expected register, gauge or state"},
        {"register value=1i 1", one_tag},
        {"register,point=a,site=b value=1i 1", one_tag},
        {"register,pount=a value=1i 1", one_tag},
        {"register,point=A value=1i 1", bad_point},
        {"register,point=.a value=1i 1", bad_point},
        {"register,point=a/b value=1i 1", bad_point},
        {"register,point=a\\ b value=1i 1", bad_point},
        {"register,point=" A64 "a value=1i 1", bad_point},
        {"register,point=a value=1i", "no time stamp"},
        {"register,point=a value=1i 0", "time stamp 0 is not a number of milliseconds since 1970"},
        {"register,point=a value=1i -1", "time stamp -1 is not a number of milliseconds since 1970"},
        {"register,point=a value=1i 9007199254740992",
            "time stamp 9007199254740992 is not a number of milliseconds since 1970"},
        {"register,point=a quality=\"clock\" 1", "no field \"value\""},
        {"register,point=a value=1i,unit=\"Wh\" 1",
            "unknown field: expected value and, where needed, quality"},
        {"register,point=a value=1i,value=2i 1", "a field for the second time"},
        {"register,point=a value=1i,quality=\"clock\",quality=\"clock\" 1", "a field for the second time"},
        {"register,point=a value=1i,quality=\"good\" 1", bad_quality},
        {"register,point=a value=1i,quality=true 1", bad_quality},
        {"register,point=a value=1 1", "the value of a register is an integer with 'i'"},
        {"register,point=a value=1u 1", "the value of a register is an integer with 'i'"},
        {"register,point=a value=1000000000000001i 1", "count 1000000000000001 is beyond +-10^15"},
        {"register,point=a value=-1000000000000001i 1", "count -1000000000000001 is beyond +-10^15"},
        {"gauge,point=a value=1i 1", "the value of a gauge is a number without 'i'"},
        {"gauge,point=a value=true 1", "the value of a gauge is a number without 'i'"},
        {"gauge,point=a value=nan 1",
            "column 21: expected a finite number, an integer with 'i', true, false or "
            "a quoted string"},
        {"state,point=a value=1 1", "the value of a state is a quoted string"},
        {"state,point=a value=\"a\tb\" 1", "a control character in a state"},
        {"state,point=a value=\"" A64 A64 A64 A64 "b\" 1", "a state of 257 bytes; the limit is 256"},
        {"state,point=a value=\"\xff\" 1", "the line is not UTF-8"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct reading r;
        struct error err = {"taken"};
        enum status status = batch_read_reading(span_of(cases[i].line), &r, &err);
        if (status != ST_INVALID || strcmp(err.text, cases[i].message) != 0)
            fail_msg("%s: %s", cases[i].line, err.text);
    }
    struct reading r;
    assert_int_equal(batch_read_reading(SPAN("state,point=a value=\"a\0b\" 1"), &r, NULL), ST_INVALID);
    assert_int_equal(batch_read_reading(SPAN("register,point=a\0 value=1i 1"), &r, NULL), ST_INVALID);
}

static void test_what_the_contract_forbids_is_not_written(void **state)
{
    (void)state;
    struct reading no_time = register_reading("a", 1);
    no_time.time_ms = 0;
    const struct reading bad[] = {register_reading("a", REGISTER_MAX + 1),
        register_reading("a", -REGISTER_MAX - 1), register_reading("a b", 1), register_reading("", 1),
        gauge_reading("a", NAN), gauge_reading("a", INFINITY), state_reading("a", SPAN("line\nfeed")),
        state_reading("a", SPAN("nul\0")), state_reading("a", SPAN("\xff")),
        state_reading("a", SPAN(A64 A64 A64 A64 "b")), no_time};
    struct buf out = {0};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct error err = {""};
        assert_int_equal(batch_write_reading(&out, &bad[i], &err), ST_INVALID);
        assert_true(err.text[0] != '\0');
        assert_int_equal(out.len, 0);
    }
    buf_release(&out);
}

static void test_a_written_reading_reads_back(void **state)
{
    (void)state;
    struct reading clock = register_reading("b3.main", -REGISTER_MAX);
    clock.quality = QUALITY_CLOCK;
    const struct reading readings[] = {clock, gauge_reading("p", 5e-324), gauge_reading("p", -0.0),
        state_reading("s", SPAN("")), state_reading("s", SPAN("\\\"=, 云\\")),
        state_reading("s", SPAN(A64 A64 A64 A64))};
    for (size_t i = 0; i < sizeof readings / sizeof *readings; i++) {
        const struct reading *expected = &readings[i];
        struct buf out = {0}, text = {0};
        struct reading r;
        assert_int_equal(batch_write_reading(&out, expected, NULL), ST_OK);
        assert_int_equal(batch_read_reading((struct span){out.data, out.len - 1}, &r, NULL), ST_OK);
        assert_int_equal(r.kind, expected->kind);
        assert_int_equal(r.quality, expected->quality);
        assert_true(r.time_ms == expected->time_ms && r.count == expected->count);
        assert_memory_equal(&r.value, &expected->value, sizeof r.value);
        line_unescape_string(&text, r.text);
        assert_int_equal(text.len, expected->text.len);
        assert_memory_equal(text.len > 0 ? text.data : "", text.len > 0 ? expected->text.at : "", text.len);
        buf_release(&text);
        buf_release(&out);
    }
}

/* A second space before the fields means nothing, but the line is no longer as agents write it. */
static void test_a_line_reads_the_same_as_agents_write_it_and_otherwise(void **state)
{
    (void)state;
    static const char *const lines[] = {"register,point=b3.main value=123456780i 1764000000123",
        "register,point=p value=-1i 1", "register,point=p value=1000000000000000i 1",
        "register,point=p value=1000000000000001i 1", "register,point=p value=i 1",
        "register,point=p value=1 1", "register,point=p value=1.0i 1", "register,point=p value=1i 0",
        "register,point=p value=1i -1", "register,point=p value=1i 9007199254740992",
        "register,point=p value=1i", "register,point=p value=1i 1 1", "register,point=p value=1i 1 ",
        "register,point=p value=1i,quality=\"clock\" 1", "register,point=p value=1i,value=2i 1",
        "register,point=p other=1i 1", "register,point=P value=1i 1", "register,point= value=1i 1",
        "register,point=" A64 " value=1i 1", "register,point=" A64 "a value=1i 1",
        "register,point=a\\ b value=1i 1", "register,point=p,x=y value=1i 1", "registers,point=p value=1i 1",
        "gauge,point=b3.main.power value=41230.5 1764000000123", "gauge,point=p value=-0 1",
        "gauge,point=p value=1e+06 1", "gauge,point=p value=1e999 1", "gauge,point=p value=nan 1",
        "gauge,point=p value= 1", "gauge,point=p value=1i 1", "gauge,point=p value=t 1",
        "gauge,point=p value=1.2.3 1", "gauge,point=p value=\"1\" 1", "gauge,point=p value=1\t 1",
        "state,point=s value=\"open\" 1", "state,point=s value=1 1", "gauge,point=p", "register,point="};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        const char *fields = strchr(lines[i], ' ');
        size_t head = fields != NULL ? (size_t)(fields - lines[i]) : strlen(lines[i]);
        char other[256];
        snprintf(other, sizeof other, "%.*s %s", (int)head, lines[i], lines[i] + head);
        struct reading r = {0}, s = {0};
        enum status status = batch_read_reading(span_of(lines[i]), &r, NULL);
        if (batch_read_reading(span_of(other), &s, NULL) != status)
            fail_msg("%s", lines[i]);
        assert_true(r.kind == s.kind && r.quality == s.quality && r.time_ms == s.time_ms);
        assert_true(r.count == s.count && r.point.len == s.point.len && r.text.len == s.text.len);
        assert_memory_equal(&r.value, &s.value, sizeof r.value);
    }
}

static void test_points_are_those_of_the_identifiers(void **state)
{
    (void)state;
    for (int first = 1; first < 256; first++) {
        for (int second = 1; second < 256; second++) {
            char point[] = {(char)first, (char)second, '\0'};
            struct reading r = register_reading(point, 1);
            struct buf out = {0};
            assert_int_equal(batch_write_reading(&out, &r, NULL) == ST_OK, point_is_valid(point));
            buf_release(&out);
        }
    }
}

static void test_a_payload_cut_at_any_byte_is_survived(void **state)
{
    (void)state;
    for (size_t len = 0; len < sizeof example; len++) {
        char *copy = mem_alloc(len);
        memcpy(copy, example, len);
        struct batch_header h;
        struct span body, line;
        if (batch_read_header((struct span){copy, len}, &h, &body, NULL) == ST_OK) {
            struct reading r;
            while (batch_next_line(&body, &line))
                (void)batch_read_reading(line, &r, NULL);
        }
        free(copy);
    }
}

static void test_acknowledgements_are_written_and_read(void **state)
{
    (void)state;
    static const struct {
        struct ack ack;
        const char *text;
    } cases[] = {{{0x9f2c4e1b77aa0d31, 1042, false}, "epoch=9f2c4e1b77aa0d31 seq=1042"},
        {{1, 0, true}, "epoch=0000000000000001 seq=0 again=1"},
        {{UINT64_MAX, BATCH_SEQ_MAX - 1, true}, "epoch=ffffffffffffffff seq=" LAST_SEQ " again=1"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[ACK_TEXT_SIZE];
        struct ack ack;
        ack_format(&cases[i].ack, text);
        assert_string_equal(text, cases[i].text);
        assert_int_equal(ack_parse(span_of(text), &ack, NULL), ST_OK);
        assert_true(ack.epoch == cases[i].ack.epoch && ack.seq == cases[i].ack.seq);
        assert_int_equal(ack.is_refusal, cases[i].ack.is_refusal);
    }
}

static void test_what_is_not_an_acknowledgement_is_refused(void **state)
{
    (void)state;
    static const char bad_epoch[] = "ack: expected epoch=<16 lower-case hex digits>";
    static const char bad_seq[] = "ack: expected seq=<number from 0 to 2^53 - 1> after epoch";
    static const char bad_end[] = "ack: expected nothing or again=1 after seq";
    static const struct {
        const char *text;
        const char *message;
    } cases[] = {
        {"", bad_epoch},
        {"epoch", bad_epoch},
        {"seq=1 epoch=9f2c4e1b77aa0d31", bad_epoch},
        {"epoch=9f2c seq=1", bad_epoch},
        {"epoch=0000000000000000 seq=1", bad_epoch},
        {"epoch=9f2c4e1b77aa0d31", bad_seq},
        {"epoch=9f2c4e1b77aa0d31 ", bad_seq},
        {"epoch=9f2c4e1b77aa0d31  seq=1", bad_seq},
        {"epoch=9f2c4e1b77aa0d31 seq=", bad_seq},
        {"epoch=9f2c4e1b77aa0d31 seq=-1", bad_seq},
        {"epoch=9f2c4e1b77aa0d31 seq=9007199254740992", bad_seq},
        {"epoch=9f2c4e1b77aa0d31 seq=1\n", bad_seq},
        {"epoch=9f2c4e1b77aa0d31 seq=1 ", bad_end},
        {"epoch=9f2c4e1b77aa0d31 seq=1 again=0", bad_end},
        {"epoch=9f2c4e1b77aa0d31 seq=1 again=1 ", bad_end},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ack ack;
        struct error err = {"taken"};
        enum status status = ack_parse(span_of(cases[i].text), &ack, &err);
        if (status != ST_INVALID || strcmp(err.text, cases[i].message) != 0)
            fail_msg("%s: %s", cases[i].text, err.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_contracts_example_is_written_byte_for_byte),
        cmocka_unit_test(test_the_contracts_example_is_read),
        cmocka_unit_test(test_the_last_line_may_lack_its_line_feed),
        cmocka_unit_test(test_a_broken_line_does_not_swallow_the_next),
        cmocka_unit_test(test_what_was_dropped_is_said_with_its_time_span),
        cmocka_unit_test(test_unknown_keys_and_another_order_are_taken),
        cmocka_unit_test(test_every_kind_of_malformed_header_has_its_message),
        cmocka_unit_test(test_readings_at_the_edge_of_the_contract_are_taken),
        cmocka_unit_test(test_what_is_not_a_reading_of_the_contract_is_refused_with_its_reason),
        cmocka_unit_test(test_what_the_contract_forbids_is_not_written),
        cmocka_unit_test(test_a_written_reading_reads_back),
        cmocka_unit_test(test_a_line_reads_the_same_as_agents_write_it_and_otherwise),
        cmocka_unit_test(test_points_are_those_of_the_identifiers),
        cmocka_unit_test(test_a_payload_cut_at_any_byte_is_survived),
        cmocka_unit_test(test_acknowledgements_are_written_and_read),
        cmocka_unit_test(test_what_is_not_an_acknowledgement_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
