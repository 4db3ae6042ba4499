/* Spools in a folder of the test's own, filled with readings that count, and their batches as a receiver sees
 * them. */
#pragma once

#include "agent/deliver/spool.h"
#include "lib/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define PAYLOAD_MAX BATCH_BYTES_MAX
#define T0 INT64_C(1764000000000)

static char folder[] = "/tmp/parkmon-test-spool-XXXXXX";
static const char *const points[] = {"b3.main", "b3.main.power", "lab2.sem3.session",
    "a-name-of-sixty-four-characters-which-is-the-longest-that-is-all"};

/* Of the spools that are opened from now on. */
static const struct clock *spool_clock = &clock_trusted;
static bool may_drop;

static inline char *new_path(void)
{
    static int file_number;
    return mem_printf("%s/%d.spool", folder, ++file_number);
}

static inline enum status try_open(
    const char *path, const char *gateway, int64_t limit_mib, struct spool **ret, struct error *err)
{
    struct spool_options options = {.path = path,
        .gateway = gateway,
        .limit_bytes = limit_mib << 20,
        .points = points,
        .point_count = 4,
        .clock = spool_clock,
        .may_drop = may_drop};
    return spool_open(&options, ret, err);
}

static inline struct spool *open_limited(const char *path, int64_t limit_mib)
{
    struct spool *s;
    struct error err;
    if (try_open(path, "gw-a", limit_mib, &s, &err) != ST_OK)
        fail_msg("%s", err.text);
    return s;
}

static inline struct spool *open_spool(const char *path)
{
    return open_limited(path, 64);
}

static inline struct spool_reading count_at(int64_t n)
{
    return (struct spool_reading){.point = 0, .kind = READING_REGISTER, .time_ms = T0 + n, .count = n};
}

static inline void add(struct spool *s, int64_t from, int64_t to)
{
    size_t count = (size_t)(to - from + 1);
    struct spool_reading *readings = mem_alloc(count * sizeof *readings);
    for (size_t i = 0; i < count; i++)
        readings[i] = count_at(from + (int64_t)i);
    struct error err;
    if (spool_add(s, readings, count, &err) != ST_OK)
        fail_msg("%s", err.text);
    free(readings);
}

static inline void cut(struct spool *s, int64_t batches)
{
    struct error err;
    if (spool_cut(s, batches, PAYLOAD_MAX, &err) != ST_OK)
        fail_msg("%s", err.text);
}

static inline struct spool_state state_of(struct spool *s)
{
    struct spool_state state;
    spool_state(s, &state);
    return state;
}

/* A batch as a receiver sees it. */
struct seen {
    struct batch_header header;
    char *body;
    int64_t first_count, last_count, lines;
};

static inline void read_lines(struct seen *seen)
{
    struct span body = span_of(seen->body), line;
    struct error err;
    while (batch_next_line(&body, &line)) {
        struct reading r;
        if (batch_read_reading(line, &r, &err) != ST_OK)
            fail_msg("%s", err.text);
        seen->last_count = r.count;
        if (seen->lines++ == 0)
            seen->first_count = r.count;
    }
}

/* Without the lines. */
static inline struct seen glance(struct spool *s, int64_t seq)
{
    struct buf payload = {0};
    struct seen seen = {0};
    struct error err;
    struct span body;
    if (spool_payload(s, seq, &payload, &err) != ST_OK)
        fail_msg("%s", err.text);
    assert_int_equal(
        batch_read_header((struct span){payload.data, payload.len}, &seen.header, &body, &err), ST_OK);
    seen.body = mem_strndup(body.at, body.len);
    buf_release(&payload);
    return seen;
}

static inline struct seen look(struct spool *s, int64_t seq)
{
    struct seen seen = glance(s, seq);
    read_lines(&seen);
    return seen;
}

static inline void see(struct spool *s, int64_t seq, int64_t first_count, int64_t last_count)
{
    struct seen seen = look(s, seq);
    assert_int_equal(seen.header.seq, seq);
    assert_int_equal(seen.first_count, first_count);
    assert_int_equal(seen.last_count, last_count);
    assert_int_equal(seen.lines, last_count - first_count + 1);
    free(seen.body);
}

static inline int64_t file_bytes(const char *path)
{
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    return info.st_size;
}

static inline int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) == NULL;
}

static inline int remove_folder(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}
