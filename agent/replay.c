#include "agent/replay.h"

#include "lib/log.h"
#include "lib/number.h"
#include "lib/rfc3339.h"
#include "lib/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BYTE_ORDER_MARK "\xef\xbb\xbf" /* spreadsheets put it in front */
#define MISTAKES_SHOWN 1000
#define TICK_MS 500
#define AHEAD_MAX_MS (5 * 60 * 1000) /* the wire contract, D5 */
#define ROWS_A_LOOK 4096             /* rows between two looks at the clock and at signals */
#define LINE_MAX_BYTES 4096          /* a row needs a few hundred */

static bool parse_time(const char *text, int64_t *ret_ms)
{
    bool is_time = number_parse_int64(text, strlen(text), ret_ms) || rfc3339_parse(text, ret_ms);
    return is_time && *ret_ms > 0 && *ret_ms < (INT64_C(1) << 53);
}

static int by_name(const void *a, const void *b)
{
    const struct replay_point *p = a, *q = b;
    return strcmp(p->name, q->name);
}

void replay_sort_points(struct replay_point *points, size_t count)
{
    qsort(points, count, sizeof *points, by_name);
}

enum status replay_parse(
    char *line, const struct replay_point *points, size_t count, struct spool_reading *ret, struct error *err)
{
    line[strcspn(line, "\r\n")] = '\0';
    /* A state's text may hold commas: the point ends at the first, the time starts after the last. */
    char *value = strchr(line, ','), *time = strrchr(line, ',');
    if (value == NULL || time == value)
        return error_set(err, ST_INVALID, "\"%.60s\" is not a row; expected point,value,time", line);
    *value++ = '\0';
    *time++ = '\0';
    struct replay_point wanted = {.name = line};
    const struct replay_point *point = bsearch(&wanted, points, count, sizeof *points, by_name);
    if (point == NULL)
        return error_set(
            err, ST_INVALID, "point \"%.64s\" is not in the settings; expected one of their points", line);
    struct spool_reading r = {.point = point->index, .kind = point->kind};
    if (!parse_time(time, &r.time_ms))
        return error_set(err, ST_INVALID,
            "\"%.40s\" is not a time; expected milliseconds since 1970, or 2026-10-01T08:00:00+08:00", time);
    switch (point->kind) {
    case READING_REGISTER:
        if (!number_parse_int64(value, strlen(value), &r.count) || r.count > REGISTER_MAX ||
            r.count < -REGISTER_MAX)
            return error_set(
                err, ST_INVALID, "\"%.40s\" is not a register; expected an integer in base units", value);
        break;
    case READING_GAUGE:
        if (!number_parse_double(value, strlen(value), &r.value))
            return error_set(err, ST_INVALID, "\"%.40s\" is not a number; expected one such as 21.5", value);
        break;
    case READING_STATE:
        if (strlen(value) > STATE_TEXT_MAX || !text_is_utf8(span_of(value)) ||
            text_has_control(span_of(value)))
            return error_set(
                err, ST_INVALID, "the state is not text of at most %d bytes of UTF-8", STATE_TEXT_MAX);
        r.text = value;
        break;
    }
    *ret = r;
    return ST_OK;
}

struct reader {
    const char *path;
    const struct replay_point *points;
    size_t count;
    FILE *file;
    int64_t latest_ms; /* what is later is a mistake of the file */
    char line[LINE_MAX_BYTES + 1];
    int64_t number;
};

/* One line without its end; *ret_length is what it has in the file, also where that is more than fits. False at
 * the end of the file. */
static bool read_line(struct reader *r, size_t *ret_length)
{
    size_t length = 0;
    int c;
    while ((c = getc_unlocked(r->file)) != EOF && c != '\n') {
        if (length < LINE_MAX_BYTES)
            r->line[length] = (char)c;
        length++;
    }
    r->line[length < LINE_MAX_BYTES ? length : LINE_MAX_BYTES] = '\0';
    *ret_length = length;
    return c != EOF || length > 0;
}

static enum status check_line(const struct reader *r, size_t length, struct error *err)
{
    if (length > LINE_MAX_BYTES)
        return error_set(
            err, ST_INVALID, "the line is longer than %d bytes; expected point,value,time", LINE_MAX_BYTES);
    return strlen(r->line) == length ? ST_OK
                                     : error_set(err, ST_INVALID, "the line holds a NUL byte; expected text");
}

/* The next row; *ret_has_row is false at the end. Comments and empty lines are skipped. */
static enum status read_row(struct reader *r, struct spool_reading *ret, bool *ret_has_row, struct error *err)
{
    for (;;) {
        errno = 0;
        size_t length;
        *ret_has_row = read_line(r, &length);
        if (ferror(r->file))
            return error_set(err, ST_STORAGE, "%s: %s", r->path, strerror(errno));
        if (!*ret_has_row)
            return ST_OK;
        r->number++;
        if (r->number == 1 && strncmp(r->line, BYTE_ORDER_MARK, strlen(BYTE_ORDER_MARK)) == 0) {
            length -= strlen(BYTE_ORDER_MARK);
            memmove(
                r->line, r->line + strlen(BYTE_ORDER_MARK), strlen(r->line + strlen(BYTE_ORDER_MARK)) + 1);
        }
        if (r->line[0] == '#' || length == 0 || strcmp(r->line, "\r") == 0 ||
            (r->number == 1 && strncmp(r->line, "point,value,time", 16) == 0))
            continue;
        enum status status = check_line(r, length, err);
        if (status == ST_OK)
            status = replay_parse(r->line, r->points, r->count, ret, err);
        if (status == ST_OK && ret->time_ms > r->latest_ms)
            status = error_set(err, ST_INVALID,
                "its time lies ahead, so the collector would refuse it; expected one of the past");
        return status == ST_OK ? ST_OK : error_prefix(err, status, "%s:%lld", r->path, (long long)r->number);
    }
}

static enum status check_all(struct reader *r, int64_t *ret_rows, struct error *err)
{
    struct spool_reading reading;
    bool has_row = true;
    int64_t mistakes = 0, rows = 0;
    while (has_row) {
        enum status status = read_row(r, &reading, &has_row, err);
        if (status == ST_STORAGE)
            return status;
        if (status != ST_OK && ++mistakes <= MISTAKES_SHOWN)
            fprintf(stderr, "%s\n", err->text);
        rows += status == ST_OK && has_row;
    }
    *ret_rows = rows;
    if (mistakes > 0)
        return error_set(err, ST_INVALID, "%s: %lld of its rows are wrong; nothing was sent", r->path,
            (long long)mistakes);
    return ST_OK;
}

static const char stopped[] = "stopped; what was put stays in the spool, and the file may be replayed again";

struct sending {
    struct deliver *deliver;
    const struct clock *clock;
    bool (*should_stop)(void);
    bool has_terminal;
    int64_t put, rows;
    int64_t show_at_mono_ms;
};

static void show_progress(const struct sending *s)
{
    struct deliver_progress progress;
    deliver_progress(s->deliver, &progress);
    fprintf(stderr, "\r%lld of %lld rows read, %lld readings wait, %lld batches unacknowledged%s\033[K",
        (long long)s->put, (long long)s->rows, (long long)(progress.waiting + progress.uncut),
        (long long)progress.unacknowledged, progress.is_connected ? "" : ", no connection");
}

/* Shows how far it is, and says whether to go on. */
static enum status look_around(struct sending *s, struct error *err)
{
    int64_t now = s->clock->mono_ms();
    if (s->has_terminal && now >= s->show_at_mono_ms) {
        s->show_at_mono_ms = now + TICK_MS;
        show_progress(s);
    }
    if (deliver_has_failed(s->deliver, err))
        return ST_STORAGE;
    return s->should_stop() ? error_set(err, ST_TIMEOUT, "%s", stopped) : ST_OK;
}

static enum status put_all(struct reader *r, int64_t rows, struct deliver *deliver, const struct clock *clock,
    bool (*should_stop)(void), struct error *err)
{
    if (fseek(r->file, 0, SEEK_SET) != 0)
        return error_set(err, ST_STORAGE, "%s: %s", r->path, strerror(errno));
    r->number = 0;
    struct sending s = {deliver, clock, should_stop, isatty(STDERR_FILENO), 0, rows, clock->mono_ms()};
    struct spool_reading reading;
    bool has_row = true;
    enum status status = ST_OK;
    while (status == ST_OK && (status = read_row(r, &reading, &has_row, err)) == ST_OK && has_row) {
        while (status == ST_OK && !deliver_put_patiently(deliver, &reading, clock->mono_ms() + TICK_MS))
            status = look_around(&s, err);
        s.put += status == ST_OK;
        if (status == ST_OK && s.put % ROWS_A_LOOK == 0)
            status = look_around(&s, err);
    }
    if (status == ST_INVALID || (status == ST_OK && s.put != rows))
        status = error_set(
            err, ST_INVALID, "%s changed while it was read; %lld rows were sent", r->path, (long long)s.put);
    while (status == ST_OK && !deliver_wait_empty(deliver, clock->mono_ms() + TICK_MS))
        status = look_around(&s, err);
    if (s.has_terminal) {
        show_progress(&s);
        fputc('\n', stderr);
    }
    return status;
}

enum status replay_file(const char *path, const struct replay_point *points, size_t count,
    struct deliver *deliver, const struct clock *clock, bool (*should_stop)(void), struct error *err)
{
    struct reader r = {
        .path = path, .points = points, .count = count, .latest_ms = clock->wall_ms() + AHEAD_MAX_MS};
    /* It is read twice. */
    struct stat info;
    if (stat(path, &info) == 0 && !S_ISREG(info.st_mode))
        return error_set(err, ST_INVALID, "%s: is not a regular file; expected a CSV file", path);
    r.file = fopen(path, "r");
    if (r.file == NULL)
        return error_set(err, ST_INVALID, "%s: %s; expected a readable CSV file", path, strerror(errno));
    int64_t rows;
    enum status status = check_all(&r, &rows, err);
    if (status == ST_OK)
        status = put_all(&r, rows, deliver, clock, should_stop, err);
    if (status == ST_OK)
        log_info("replay", "%s: %lld rows, all acknowledged", path, (long long)rows);
    fclose(r.file);
    return status;
}
