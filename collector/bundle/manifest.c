#include "collector/bundle/manifest.h"

#include "lib/clock.h"
#include "lib/mem.h"
#include "lib/number.h"
#include "lib/rfc3339.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

void manifest_add(struct manifest *m, const char *name, struct span bytes)
{
    MEM_GROW(m->parts, m->count, m->capacity);
    m->parts[m->count++] =
        (struct manifest_part){.name = mem_strdup(name), .hash = hash_of(bytes), .bytes = (int64_t)bytes.len};
}

void manifest_write(const struct manifest *m, struct buf *out)
{
    char as_of[CLOCK_TEXT_SIZE] = "-", reckoned[CLOCK_TEXT_SIZE], hash[HASH_TEXT_SIZE];
    if (m->about.as_of_ms != 0)
        clock_format_utc(m->about.as_of_ms, as_of);
    clock_format_utc(m->about.reckoned_ms, reckoned);
    buf_printf(out, BUNDLE_FORM "\nprogram %s\nsite %s\nperiod %s\nas_of %s\nreckoned %s\n", m->about.program,
        m->about.site, m->about.period, as_of, reckoned);
    for (size_t i = 0; i < m->count; i++) {
        hash_format(&m->parts[i].hash, hash);
        buf_printf(out, "part %s %" PRId64 " %s\n", hash, m->parts[i].bytes, m->parts[i].name);
    }
}

void manifest_release(struct manifest *m)
{
    for (size_t i = 0; i < m->count; i++)
        free(m->parts[i].name);
    free(m->parts);
    bundle_about_release(&m->about);
    *m = (struct manifest){0};
}

/* ---- reading ---- */

struct reader {
    struct span rest;
    size_t line;
};

/* The next line behind its first word, which must be this. False: it is another. */
static bool take_line(struct reader *r, const char *word, struct span *ret)
{
    const char *end = r->rest.len > 0 ? memchr(r->rest.at, '\n', r->rest.len) : NULL;
    size_t length = strlen(word);
    r->line++;
    if (end == NULL)
        return false;
    *ret = (struct span){r->rest.at, (size_t)(end - r->rest.at)};
    r->rest = (struct span){end + 1, r->rest.len - ret->len - 1};
    if (ret->len <= length || memcmp(ret->at, word, length) != 0 || ret->at[length] != ' ')
        return false;
    *ret = (struct span){ret->at + length + 1, ret->len - length - 1};
    return true;
}

static bool read_part(struct manifest *m, struct span line)
{
    struct manifest_part part = {0};
    size_t head = 2 * HASH_SIZE + 1;
    const char *blank = line.len > head ? memchr(line.at + head, ' ', line.len - head) : NULL;
    if (blank == NULL || line.at[head - 1] != ' ' || !hash_parse(line.at, &part.hash) ||
        !number_parse_int64(line.at + head, (size_t)(blank - line.at) - head, &part.bytes))
        return false;
    part.name = mem_strndup(blank + 1, line.len - (size_t)(blank + 1 - line.at));
    MEM_GROW(m->parts, m->count, m->capacity);
    m->parts[m->count++] = part;
    return true;
}

static bool take_text(struct reader *r, const char *word, char **ret)
{
    struct span line;
    if (!take_line(r, word, &line))
        return false;
    *ret = mem_strndup(line.at, line.len);
    return true;
}

static bool read_all(struct manifest *m, struct reader *r)
{
    struct span line;
    char *as_of = NULL, *reckoned = NULL;
    bool is_good = take_line(r, "parkmon", &line) && span_is(line, "evidence 1") &&
                   take_text(r, "program", &m->about.program) && take_text(r, "site", &m->about.site) &&
                   take_text(r, "period", &m->about.period) && take_text(r, "as_of", &as_of) &&
                   (strcmp(as_of, "-") == 0 || rfc3339_parse(as_of, &m->about.as_of_ms)) &&
                   take_text(r, "reckoned", &reckoned) && rfc3339_parse(reckoned, &m->about.reckoned_ms);
    free(as_of);
    free(reckoned);
    while (is_good && r->rest.len > 0)
        is_good = take_line(r, "part", &line) && read_part(m, line);
    return is_good;
}

enum status manifest_read(struct manifest *m, struct span text, struct error *err)
{
    struct reader r = {.rest = text};
    *m = (struct manifest){0};
    if (read_all(m, &r))
        return ST_OK;
    manifest_release(m);
    return error_set(err, ST_INVALID,
        "manifest.txt:%zu: expected \"" BUNDLE_FORM "\", then program, site, period, "
        "as_of, reckoned and parts",
        r.line);
}
