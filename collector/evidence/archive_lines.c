#include "collector/evidence/archive_lines.h"

#include "lib/number.h"

#include <string.h>

/* The next word of the line; empty at its end. */
static struct span word(struct span *line)
{
    const char *blank = line->len > 0 ? memchr(line->at, ' ', line->len) : NULL;
    size_t len = blank != NULL ? (size_t)(blank - line->at) : line->len;
    struct span found = {line->at, len};
    size_t skip = blank != NULL ? len + 1 : len;
    *line = (struct span){line->at + skip, line->len - skip};
    return found;
}

static bool next_line(struct span *text, struct span *ret)
{
    const char *end = text->len > 0 ? memchr(text->at, '\n', text->len) : NULL;
    if (end == NULL)
        return false;
    *ret = (struct span){text->at, (size_t)(end - text->at)};
    *text = (struct span){end + 1, text->len - ret->len - 1};
    return true;
}

static bool read_batch(struct span line, struct archived *r)
{
    r->gateway = word(&line);
    r->epoch = word(&line);
    struct span seq = word(&line);
    r->time_ms = 0;
    return line.len == 0 && number_parse_int64(seq.at, seq.len, &r->seq);
}

static bool read_reading(struct span first, struct span line, struct archived *r)
{
    struct span passed = word(&line), count = word(&line), quality = word(&line);
    int64_t passed_ms;
    r->point = first;
    r->is_of_wrong_clock = quality.len > 0;
    return line.len == 0 && number_parse_int64(passed.at, passed.len, &passed_ms) &&
           !__builtin_add_overflow(r->time_ms, passed_ms, &r->time_ms) &&
           number_parse_int64(count.at, count.len, &r->count);
}

void archive_lines_each(struct span text, archive_lines_take *take, void *context)
{
    struct archived reading = {0};
    struct span line;
    if (!next_line(&text, &line) || !span_is(line, "registers 1"))
        return;
    while (next_line(&text, &line)) {
        struct span rest = line, first = word(&rest);
        /* Of a point that is called "batch" the last word is none, or no number. */
        struct archived batch = reading;
        if (span_is(first, "batch") && read_batch(rest, &batch)) {
            reading = batch;
            continue;
        }
        if (!read_reading(first, rest, &reading))
            return;
        take(context, &reading);
    }
}
