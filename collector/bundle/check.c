#include "collector/bundle/check.h"

#include "collector/bundle/checker.h"
#include "lib/mem.h"
#include "lib/program.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define EXIT_DIFFERS 1
#define MANIFEST "manifest.txt"

void checker_differs(struct checker *c, const char *format, ...)
{
    va_list args;
    progress_end(&c->progress);
    fputs("park-collector: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    c->has_difference = true;
}

/* Where it lies in the file; zip_count: nowhere. */
static size_t find(const struct checker *c, const char *name)
{
    size_t i = 0;
    while (i < zip_count(c->zip) && strcmp(zip_name(c->zip, i), name) != 0)
        i++;
    return i;
}

static const struct manifest_part *part_of(const struct checker *c, const char *name)
{
    for (size_t i = 0; i < c->manifest.count; i++)
        if (strcmp(c->manifest.parts[i].name, name) == 0)
            return &c->manifest.parts[i];
    return NULL;
}

bool checker_has(const struct checker *c, const char *name)
{
    return part_of(c, name) != NULL;
}

enum status checker_read(struct checker *c, const char *name, struct error *err)
{
    const struct manifest_part *part = part_of(c, name);
    size_t at = find(c, name);
    buf_reset(&c->part);
    if (part == NULL || at == zip_count(c->zip))
        return error_set(err, ST_INVALID, "%s is missing%s", name, part == NULL ? " in its manifest" : "");
    enum status status = zip_read(c->zip, at, &c->part, err);
    if (status != ST_OK)
        return status;
    struct hash hash = hash_of((struct span){c->part.data != NULL ? c->part.data : "", c->part.len});
    if ((int64_t)c->part.len != part->bytes || !hash_is_equal(&hash, &part->hash))
        return error_set(err, ST_INVALID, "%s is not what its manifest says: it was changed", name);
    return program_is_asked_to_end() ? error_set(err, ST_TIMEOUT, "stopped") : ST_OK;
}

enum status checker_open(
    struct checker *c, struct csv *csv, const char *name, const char *heading, struct error *err)
{
    *csv = (struct csv){0};
    enum status status = checker_read(c, name, err);
    struct span text = {c->part.data != NULL ? c->part.data : "", c->part.len};
    return status == ST_OK ? csv_open(csv, name, text, heading, err) : status;
}

static enum status read_manifest(struct checker *c, struct error *err)
{
    size_t at = find(c, MANIFEST);
    if (at == zip_count(c->zip))
        return error_set(err, ST_INVALID, "has no " MANIFEST ": it is no evidence bundle");
    enum status status = zip_read(c->zip, at, &c->part, err);
    if (status != ST_OK)
        return status;
    struct span text = {c->part.data != NULL ? c->part.data : "", c->part.len};
    c->hash = hash_of(text);
    return manifest_read(&c->manifest, text, err);
}

enum status checker_check_parts(struct checker *c, struct error *err)
{
    enum status status = read_manifest(c, err);
    if (status == ST_OK && zip_count(c->zip) != c->manifest.count + 1)
        status = error_set(err, ST_INVALID, "has %zu parts, and its manifest names %zu",
            zip_count(c->zip) - 1, c->manifest.count);
    for (size_t i = 0; i < c->manifest.count && status == ST_OK; i++) {
        progress_show(&c->progress, "part %zu of %zu", i + 1, c->manifest.count);
        status = checker_read(c, c->manifest.parts[i].name, err);
    }
    return status;
}

static void release(struct checker *c)
{
    refold_close(&c->refold);
    accepted_release(&c->accepted);
    model_put(c->model);
    manifest_release(&c->manifest);
    zip_close(c->zip);
    buf_release(&c->part);
    free(c->quarters);
}

static int conclude(const struct checker *c)
{
    char hash[HASH_TEXT_SIZE];
    hash_format(&c->hash, hash);
    if (c->has_difference)
        return EXIT_DIFFERS;
    printf("site %s, period %s: %lld quarter hours and %lld figures of the report come out of %lld readings; "
           "the "
           "bundle's hash is %s\n",
        c->manifest.about.site, c->manifest.about.period, (long long)c->quarter_count, (long long)c->figures,
        (long long)c->readings, hash);
    return EXIT_OK;
}

int check_run(const char *path)
{
    struct checker c = {0};
    struct error err;
    progress_begin(&c.progress);
    enum status status = zip_open(path, &c.zip, &err);
    if (status == ST_OK)
        status = checker_check_parts(&c, &err);
    if (status == ST_OK)
        status = checker_prepare(&c, &err);
    if (status == ST_OK)
        status = checker_fold(&c, &err);
    if (status == ST_OK)
        status = checker_report(&c, &err);
    progress_end(&c.progress);
    int code = status == ST_OK ? conclude(&c) : program_exit_code(status);
    if (status == ST_INVALID)
        fprintf(stderr, "park-collector: %s: %s\n", path, err.text);
    else if (status != ST_OK)
        fprintf(stderr, "park-collector: %s\n", err.text);
    release(&c);
    return code;
}
