/* Rows of a replayed CSV file. */
#include "agent/replay.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

static struct replay_point points[] = {
    {"b3.main", READING_REGISTER, 0}, {"b3.main.power", READING_GAUGE, 1}, {"lab2.door", READING_STATE, 2}};
#define POINTS (sizeof points / sizeof points[0])

static void check_row(char *row)
{
    struct spool_reading r = {.point = 77};
    struct error err = {""};
    if (replay_parse(row, points, POINTS, &r, &err) != ST_OK) {
        LAW(err.text[0] != '\0' && text_is_utf8(span_of(err.text)) && !text_has_control(span_of(err.text)),
            "refused without a reason that people can read");
        LAW(r.point == 77, "refused, but something was returned");
        return;
    }
    LAW(r.point < POINTS && points[r.point].kind == r.kind, "a point that is not in the list");
    struct reading reading = {.kind = r.kind,
        .point = span_of(points[r.point].name),
        .time_ms = r.time_ms,
        .count = r.count,
        .value = r.value,
        .text = r.kind == READING_STATE ? span_of(r.text) : SPAN("")};
    struct buf line = {0};
    LAW(batch_write_reading(&line, &reading, &err) == ST_OK, "a row that can never be sent: %s", err.text);
    buf_release(&line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    replay_sort_points(points, POINTS);
    const char *at = (const char *)data, *end = at + size;
    while (at < end) {
        const char *feed = memchr(at, '\n', (size_t)(end - at));
        size_t len = (size_t)((feed ? feed + 1 : end) - at);
        char *row = mem_strndup(at, len);
        check_row(row);
        free(row);
        at += len;
    }
    return 0;
}
