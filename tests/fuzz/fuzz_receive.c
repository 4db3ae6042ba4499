/*
 * What the collector's intake does with a gateway's messages: up to eight, each up to a NUL byte, each in a
 * transaction of the same database, which is rolled back at the end.
 */
#include "collector/intake/receive.h"
#include "collector/model/park.h"
#include "collector/store/body.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/collector/intake_fixture.h"

#define MESSAGES_MAX 8

static struct intake intake;
static struct park *park;
static struct body_reader *reader;

static void close_all(void)
{
    body_reader_destroy(reader);
    park_destroy(park);
    intake_close(&intake);
}

static void open_once(void)
{
    if (park != NULL)
        return;
    intake_open(&intake);
    park = fake_park(&intake.journal);
    reader = body_reader_create(intake.db, park);
    atexit(close_all);
}

static int64_t count_journal(void)
{
    return query(intake.db, "SELECT count(*) FROM journal");
}

/* The same message twice: the second is a duplicate, and is answered alike. */
static void give(const char *text, size_t len)
{
    struct error err = {""};
    struct receive_answer first = {0}, second = {0};
    struct inbox_message *m = message_of("gw-a", text, len, NOW_MS);
    do
        LAW(intake_try(&intake, m, &first, &err) == ST_OK, "a sound database fails: %s", err.text);
    while (first.is_unfinished);
    struct snapshot_counters counters = intake.counters;
    int64_t journalled = count_journal();
    LAW(first.has_ack == (counters.unreadable == 0), "an answer to nothing, or none");
    LAW(!first.has_ack || counters.batches + counters.duplicate_batches + counters.refused == 1,
        "a batch is not one of taken, duplicate and refused");
    do
        LAW(intake_try(&intake, m, &second, &err) == ST_OK, "a sound database fails: %s", err.text);
    while (second.is_unfinished);
    LAW(intake.counters.batches == 0 && count_journal() == journalled, "the same batch is taken twice");
    LAW(second.has_ack == first.has_ack && second.ack.epoch == first.ack.epoch &&
            second.ack.seq == first.ack.seq && second.ack.is_refusal == first.ack.is_refusal,
        "the same batch is answered otherwise");
    LAW(first.has_ack == false || first.ack.is_refusal || first.ack.seq >= 0, "a mark that is none");
    free(m);
}

/* Whatever is journalled goes to the store: every line that is not left out can be made a line of its own. */
static void check_body(void)
{
    struct error err = {""};
    struct body body = {0};
    int64_t position = 0;
    for (;;) {
        LAW(body_read_journal(reader, position, 100000, &body, &err) == ST_OK, "%s", err.text);
        LAW(body.rejects.count == 0, "what was journalled as sound cannot be posted");
        struct span rest = {body.text.data, body.text.len}, text;
        struct line line;
        size_t lines = 0;
        for (; line_next(&rest, &text); lines++)
            LAW(line_read(text, &line, &err) == ST_OK && line.has_time, "a line for the store is none: %s",
                err.text);
        LAW(lines == body.count, "%zu lines are announced, %zu are there", body.count, lines);
        if (body.position == position)
            break;
        position = body.position;
    }
    body_release(&body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error err = {""};
    open_once();
    LAW(db_begin(intake.db, &err) == ST_OK, "%s", err.text);
    const char *at = (const char *)data, *end = at + size;
    for (int i = 0; i < MESSAGES_MAX && at <= end; i++) {
        const char *stop = at < end ? memchr(at, '\0', (size_t)(end - at)) : NULL;
        give(at, (size_t)((stop ? stop : end) - at));
        if (stop == NULL)
            break;
        at = stop + 1;
    }
    check_body();
    db_rollback(intake.db);
    intake_reload(&intake);
    return 0;
}
