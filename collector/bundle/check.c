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

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct checker_part *)a)->name, ((const struct checker_part *)b)->name);
}

static struct checker_part *part_of(const struct checker *c, const char *name)
{
    const struct checker_part key = {.name = name};
    return c->manifest.count > 0 ? bsearch(&key, c->parts, c->manifest.count, sizeof *c->parts, by_name)
                                 : NULL;
}

bool checker_has(const struct checker *c, const char *name)
{
    return part_of(c, name) != NULL;
}

enum status checker_read(struct checker *c, const char *name, struct error *err)
{
    struct checker_part *found = part_of(c, name);
    buf_reset(&c->part);
    if (found == NULL)
        return error_set(err, ST_INVALID, "%s is missing in its manifest", name);
    const struct manifest_part *part = &c->manifest.parts[found->at];
    found->is_read = true;
    enum status status = zip_read(c->zip, found->at, &c->part, err);
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

enum status checker_each_row(struct checker *c, const char *name, const char *heading,
    enum status (*take)(struct checker *c, const struct csv *csv, struct error *err), struct error *err)
{
    struct csv csv;
    bool has_row = true;
    enum status status = checker_open(c, &csv, name, heading, err);
    while (status == ST_OK && (status = csv_next(&csv, &has_row, err)) == ST_OK && has_row)
        status = take(c, &csv, err);
    csv_close(&csv);
    return status;
}

bool checker_is_near(const struct checker *c, int64_t time_ms)
{
    return time_ms > c->subject.span.begin_ms - CHECKER_REACH_MS &&
           time_ms < c->subject.span.end_ms + CHECKER_REACH_MS;
}

/* The last part of the file. */
static enum status read_manifest(struct checker *c, struct error *err)
{
    size_t count = zip_count(c->zip);
    if (count == 0 || strcmp(zip_name(c->zip, count - 1), MANIFEST) != 0)
        return error_set(err, ST_INVALID, "has no " MANIFEST " as its last part: it is no evidence bundle");
    enum status status = zip_read(c->zip, count - 1, &c->part, err);
    if (status != ST_OK)
        return status;
    struct span text = {c->part.data != NULL ? c->part.data : "", c->part.len};
    c->hash = hash_of(text);
    return manifest_read(&c->manifest, text, err);
}

/* The manifest has the names of the file, in its order, each once. */
static enum status check_names(struct checker *c, struct error *err)
{
    size_t count = zip_count(c->zip) - 1;
    if (c->manifest.count != count)
        return error_set(
            err, ST_INVALID, "has %zu parts, and its manifest names %zu", count, c->manifest.count);
    c->parts = mem_zalloc((count + 1) * sizeof *c->parts);
    for (size_t i = 0; i < count; i++) {
        const char *name = c->manifest.parts[i].name;
        c->parts[i] = (struct checker_part){.name = name, .at = i};
        if (strcmp(zip_name(c->zip, i), name) != 0)
            return error_set(err, ST_INVALID, "has %s where its manifest has %s", zip_name(c->zip, i), name);
    }
    if (count > 0)
        qsort(c->parts, count, sizeof *c->parts, by_name);
    for (size_t i = 1; i < count; i++)
        if (strcmp(c->parts[i - 1].name, c->parts[i].name) == 0)
            return error_set(err, ST_INVALID, "has %s twice", c->parts[i].name);
    return ST_OK;
}

enum status checker_check_parts(struct checker *c, struct error *err)
{
    enum status status = read_manifest(c, err);
    if (status == ST_OK)
        status = check_names(c, err);
    for (size_t i = 0; i < c->manifest.count && status == ST_OK; i++) {
        progress_show(&c->progress, "part %zu of %zu", i + 1, c->manifest.count);
        status = checker_read(c, c->manifest.parts[i].name, err);
    }
    for (size_t i = 0; i < c->manifest.count && status == ST_OK; i++)
        c->parts[i].is_read = false;
    return status;
}

/* archived/<n>.csv */
static bool is_archived(const char *name)
{
    static const char folder[] = "archived/";
    if (strncmp(name, folder, sizeof folder - 1) != 0)
        return false;
    const char *number = name + sizeof folder - 1;
    size_t digits = strspn(number, "0123456789");
    return digits > 0 && number[0] != '0' && strcmp(number + digits, ".csv") == 0;
}

/* Those that figures do not come out of. */
static bool is_beside(const char *name)
{
    return strcmp(name, "batches.csv") == 0 || strcmp(name, "seals.csv") == 0 || is_archived(name);
}

/* What nothing here reads would be held against nothing: a figure that is published of what the park does not have, or a part
 * that no bundle has. */
static enum status check_strays(const struct checker *c, struct error *err)
{
    static const char *const of_meters[] = {"quarters/", "readings/", "versions/"};
    for (size_t i = 0; i < c->manifest.count; i++) {
        const char *name = c->parts[i].name;
        if (c->parts[i].is_read || is_beside(name))
            continue;
        for (size_t k = 0; k < sizeof of_meters / sizeof of_meters[0]; k++)
            if (strncmp(name, of_meters[k], strlen(of_meters[k])) == 0)
                return error_set(err, ST_INVALID, "%s is of no meter of its park model", name);
        return error_set(err, ST_INVALID, "%s is no part of an evidence bundle", name);
    }
    return ST_OK;
}

static void release(struct checker *c)
{
    refold_close(&c->refold);
    accepted_release(&c->accepted);
    model_put(c->model);
    manifest_release(&c->manifest);
    zip_close(c->zip);
    buf_release(&c->part);
    free(c->versions.items);
    free(c->closed.items);
    free(c->parts);
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
        c->manifest.about.site, c->manifest.about.period, (long long)c->quarters, (long long)c->figures,
        (long long)c->readings, hash);
    if (c->seals > 0)
        printf("closings: %lld seals recompute, the last is %s; "
               "%lld figures are what the versions that they name give\n",
            (long long)c->seals, c->last_seal, (long long)c->bookings);
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
        status = checker_booked_elsewhere(&c, &err);
    if (status == ST_OK)
        status = checker_report(&c, &err);
    if (status == ST_OK)
        status = check_strays(&c, &err);
    progress_end(&c.progress);
    int code = status == ST_OK ? conclude(&c) : program_exit_code(status);
    if (status == ST_INVALID)
        fprintf(stderr, "park-collector: %s: %s\n", path, err.text);
    else if (status != ST_OK)
        fprintf(stderr, "park-collector: %s\n", err.text);
    release(&c);
    return code;
}
