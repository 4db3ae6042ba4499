#include "collector/bundle/command.h"

#include "collector/backup/database_file.h"
#include "collector/bundle/csv.h"
#include "collector/bundle/writer.h"
#include "collector/report/happened.h"
#include "lib/clock.h"
#include "lib/mem.h"
#include "lib/program.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EXIT_DIFFERS 1

enum status writer_put(struct writer *w, const char *name, const struct buf *text, struct error *err)
{
    struct span bytes = {text->data != NULL ? text->data : "", text->len};
    manifest_add(&w->manifest, name, bytes);
    return zip_add(&w->zip, name, bytes, err);
}

static enum status put_report(struct writer *w, struct error *err)
{
    buf_reset(&w->part);
    enum status status = bundle_report(&w->subject, &w->part, err);
    return status == ST_OK ? writer_put(w, "report.csv", &w->part, err) : status;
}

/* Not in the manifest, which it is. */
static enum status put_manifest(struct writer *w, struct hash *ret_hash, struct error *err)
{
    buf_reset(&w->part);
    manifest_write(&w->manifest, &w->part);
    struct span bytes = {w->part.data, w->part.len};
    *ret_hash = hash_of(bytes);
    enum status status = zip_add(&w->zip, "manifest.txt", bytes, err);
    return status == ST_OK ? zip_end(&w->zip, err) : status;
}

static enum status add_meters(struct writer *w, struct error *err)
{
    enum status status = ST_OK;
    csv_begin(&w->meters, BUNDLE_METERS);
    csv_begin(&w->points, BUNDLE_POINTS);
    for (w->done = 0; w->done < w->refold.meters.count && status == ST_OK; w->done++)
        if (writer_needs(w, w->refold.meters.items[w->done].park))
            status = writer_add_meter(w, &w->refold.meters.items[w->done], err);
    if (status == ST_OK)
        status = writer_put(w, "meters.csv", &w->meters, err);
    return status == ST_OK ? writer_put(w, "points.csv", &w->points, err) : status;
}

static enum status put_parts(struct writer *w, struct hash *ret_hash, struct error *err)
{
    enum status status = writer_put_model(w, err);
    if (status == ST_OK)
        status = add_meters(w, err);
    if (status == ST_OK)
        status = writer_put_decisions(w, err);
    if (status == ST_OK)
        status = writer_put_batches(w, err);
    if (status == ST_OK)
        status = writer_put_archived(w, err);
    if (status == ST_OK)
        status = writer_put_seals(w, err);
    if (status == ST_OK)
        status = writer_put_closings(w, err);
    if (status == ST_OK)
        status = put_report(w, err);
    return status == ST_OK ? put_manifest(w, ret_hash, err) : status;
}

static enum status find_oldest(struct writer *w, struct error *err)
{
    struct db_stmt *find = db_keep(w->subject.db, "SELECT min(id) FROM journal");
    bool has_row;
    enum status status = db_step(find, &has_row, err);
    if (status == ST_OK)
        w->oldest = db_is_null(find, 0) ? INT64_MAX : db_int(find, 0);
    db_reset(find);
    return status;
}

static enum status prepare(struct writer *w, const char *period, struct error *err)
{
    struct bundle_subject *s = &w->subject;
    struct zone *zone = zone_create(s->site->zone);
    s->span = periods_span(zone, s->period);
    zone_destroy(zone);
    enum status status = happened_as_of(s->db, &s->as_of_ms, err);
    int64_t now_ms = happened_now(clock_system.wall_ms(), s->as_of_ms);
    s->reckoned_ms = now_ms < s->span.end_ms ? now_ms : s->span.end_ms;
    w->manifest.about = (struct bundle_about){.site = mem_strdup(s->site->id),
        .period = mem_strdup(period),
        .program = mem_strdup(PARKMON_VERSION),
        .as_of_ms = s->as_of_ms,
        .reckoned_ms = s->reckoned_ms};
    w->evidence = books_create(s->db, 1);
    w->after_ms = INT64_MAX;
    w->until_ms = INT64_MIN;
    if (status == ST_OK)
        status = find_oldest(w, err);
    if (status == ST_OK)
        status = refold_open(&w->refold, err);
    if (status == ST_OK)
        status = refold_copy(&w->refold, s->db, err);
    return status == ST_OK ? refold_use(&w->refold, s->accepted->model->park, err) : status;
}

static void release(struct writer *w)
{
    books_destroy(w->evidence);
    refold_close(&w->refold);
    zip_release_writer(&w->zip);
    manifest_release(&w->manifest);
    struct buf *all[] = {&w->meters, &w->points, &w->part};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        buf_release(all[i]);
    free(w->batches);
}

/* The file is there whole, or not at all. */
static enum status write_file(
    struct writer *w, const struct evidence_command *c, struct hash *ret_hash, struct error *err)
{
    char *part = mem_printf("%s.part", c->output);
    w->zip.file = fopen(part, "w");
    enum status status = w->zip.file != NULL
                             ? ST_OK
                             : error_set(err, ST_STORAGE, "%s cannot be written: %s", part, strerror(errno));
    bool is_open = status == ST_OK;
    if (status == ST_OK)
        status = prepare(w, c->period, err);
    if (status == ST_OK)
        status = put_parts(w, ret_hash, err);
    if (is_open && fclose(w->zip.file) != 0 && status == ST_OK)
        status = error_set(err, ST_STORAGE, "%s cannot be written: %s", part, strerror(errno));
    if (status == ST_OK && rename(part, c->output) != 0)
        status = error_set(err, ST_STORAGE, "cannot rename %s to %s: %s", part, c->output, strerror(errno));
    if (status != ST_OK && is_open)
        unlink(part);
    free(part);
    return status;
}

static int conclude(const struct writer *w, const struct evidence_command *c, const struct hash *hash)
{
    char text[HASH_TEXT_SIZE];
    hash_format(hash, text);
    printf("%s: %zu parts, %lld bytes; its hash is %s\n", c->output, w->zip.count, (long long)w->zip.length,
        text);
    if (!w->differs)
        return EXIT_OK;
    fprintf(stderr, "park-collector: the books are not what their evidence gives; `verify` says where\n");
    return EXIT_DIFFERS;
}

static enum status write_bundle(const struct evidence_command *c, const struct accepted *accepted,
    struct bundle_subject *subject, int *ret_code, struct error *err)
{
    struct writer w = {.subject = *subject};
    struct hash hash;
    w.subject.accepted = accepted;
    progress_begin(&w.progress);
    enum status status = write_file(&w, c, &hash, err);
    progress_end(&w.progress);
    if (status == ST_OK)
        *ret_code = conclude(&w, c, &hash);
    release(&w);
    return status;
}

static enum status find_site(const struct evidence_command *c, const struct accepted *accepted,
    struct bundle_subject *ret, struct error *err)
{
    if (accepted->model == NULL)
        return error_set(err, ST_INVALID, "%s has no park model yet; start the collector once",
            c->settings->database.path);
    ret->site = park_site_find(accepted->model->park, c->site);
    return ret->site != NULL
               ? ST_OK
               : error_set(err, ST_INVALID, "--site %s is none of the park model that was accepted", c->site);
}

static enum status run(
    const struct evidence_command *c, struct bundle_subject *subject, int *ret_code, struct error *err)
{
    struct accepted accepted = {0};
    enum status status = database_open_copy(c->settings->database.path, &subject->db, err);
    if (status == ST_OK)
        status = accepted_read(subject->db, &accepted, err);
    if (status == ST_OK && (status = find_site(c, &accepted, subject, err)) != ST_OK &&
        accepted.model != NULL)
        *ret_code = EXIT_USAGE;
    if (status == ST_OK)
        status = write_bundle(c, &accepted, subject, ret_code, err);
    accepted_release(&accepted);
    db_close(subject->db);
    return status;
}

int evidence_run(const struct evidence_command *c)
{
    struct bundle_subject subject = {0};
    struct error err;
    int code = EXIT_OK;
    enum status status = ST_OK;
    if (!periods_parse(c->period, &subject.period))
        status = error_set(&err, ST_INVALID, "--period %s is no period; %s", c->period, PERIODS_EXPECTED);
    else if (access(c->output, F_OK) == 0)
        status =
            error_set(&err, ST_INVALID, "%s is there already; name another file, or remove it", c->output);
    if (status != ST_OK)
        code = EXIT_USAGE;
    else
        status = run(c, &subject, &code, &err);
    if (status == ST_OK)
        return code;
    fprintf(stderr, "park-collector: %s\n", err.text);
    return code != EXIT_OK ? code : program_exit_code(status);
}
